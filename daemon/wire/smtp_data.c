#include "wire/smtp_data.h"

/* As far as no dot stands at a line's start; *at is what stands behind that. */
static size_t scan_run(enum smtp_data_at *at, struct str bytes)
{
	size_t i = 0;

	while (i < bytes.len) {
		const char *cr;

		if (*at == SMTP_AT_START && bytes.p[i] == '.')
			break;
		if (*at == SMTP_AT_CR && bytes.p[i] == '\n') {
			*at = SMTP_AT_START;
			i++;
			continue;
		}
		cr = memchr(bytes.p + i, '\r', bytes.len - i);
		*at = cr ? SMTP_AT_CR : SMTP_AT_MIDDLE;
		i = cr ? (size_t)(cr - bytes.p) + 1 : bytes.len;
	}
	return i;
}

enum smtp_data_found smtp_data_scan(struct smtp_data *data, struct str bytes, size_t *len)
{
	if (bytes.len == 0)
		return SMTP_DATA_MORE;
	if (data->at == SMTP_AT_DOT) {
		if (bytes.len == 1 && bytes.p[0] == '\r')
			return SMTP_DATA_MORE;
		if (bytes.p[0] == '\r' && bytes.p[1] == '\n') {
			*len = 2;
			return SMTP_DATA_END;
		}
		data->at = SMTP_AT_MIDDLE;
	}
	*len = scan_run(&data->at, bytes);
	if (*len > 0)
		return SMTP_DATA_RUN;
	data->at = SMTP_AT_DOT;
	*len = 1;
	return SMTP_DATA_DOT;
}

static enum smtp_dot_at dot_at_lf(enum smtp_dot_at at)
{
	if (at == SMTP_DOT_LONE || at == SMTP_DOT_LONE_ODD)
		return SMTP_DOT_FORGED;
	return at == SMTP_DOT_CR || at == SMTP_DOT_LONE_CR ? SMTP_DOT_LINE : SMTP_DOT_ODD;
}

static enum smtp_dot_at dot_at_cr(enum smtp_dot_at at)
{
	if (at == SMTP_DOT_LONE_ODD || at == SMTP_DOT_LONE_CR)
		return SMTP_DOT_FORGED;
	return at == SMTP_DOT_LONE ? SMTP_DOT_LONE_CR : SMTP_DOT_CR;
}

static enum smtp_dot_at dot_at_dot(enum smtp_dot_at at)
{
	if (at == SMTP_DOT_LONE_CR)
		return SMTP_DOT_FORGED;
	if (at == SMTP_DOT_LINE)
		return SMTP_DOT_LONE;
	return at == SMTP_DOT_CR || at == SMTP_DOT_ODD ? SMTP_DOT_LONE_ODD : SMTP_DOT_MIDDLE;
}

/* Some servers drop NUL, so it stands between nothing and anything. */
static enum smtp_dot_at dot_at_nul(enum smtp_dot_at at)
{
	if (at == SMTP_DOT_LONE_CR)
		return SMTP_DOT_FORGED;
	if (at == SMTP_DOT_LINE || at == SMTP_DOT_CR)
		return SMTP_DOT_ODD;
	return at == SMTP_DOT_LONE ? SMTP_DOT_LONE_ODD : at;
}

bool smtp_data_forged(struct smtp_data *data, struct str bytes)
{
	enum smtp_dot_at at = data->dot;

	for (size_t i = 0; i < bytes.len && at != SMTP_DOT_FORGED; i++) {
		char c = bytes.p[i];
		if (c == '\n')
			at = dot_at_lf(at);
		else if (c == '\r')
			at = dot_at_cr(at);
		else if (c == '.' && at != SMTP_DOT_MIDDLE)
			at = dot_at_dot(at);
		else if (c == 0)
			at = dot_at_nul(at);
		else if (c != '.')
			at = at == SMTP_DOT_LONE_CR ? SMTP_DOT_FORGED : SMTP_DOT_MIDDLE;
	}
	data->dot = at;
	return at == SMTP_DOT_FORGED;
}
