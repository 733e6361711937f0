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
