#include "wire/syslog.h"

/* MSG-LEN: nine digits are more than any frame that is taken. */
#define DIGITS_MAX 9

int syslog_frame(struct str bytes, struct str *message, size_t *used, size_t *want)
{
	size_t digits = 0;
	size_t len = 0;

	*want = 0;
	while (digits < bytes.len && bytes.p[digits] >= '0' && bytes.p[digits] <= '9') {
		if (digits == DIGITS_MAX)
			return -1;
		len = len * 10 + (size_t)(bytes.p[digits] - '0');
		digits++;
	}
	if (digits > 0 && bytes.p[0] == '0')
		return -1;
	if (digits == bytes.len)
		return 0;
	if (digits == 0 || bytes.p[digits] != ' ')
		return -1;
	*want = len;
	if (bytes.len - digits - 1 < len)
		return 0;
	*message = (struct str){bytes.p + digits + 1, len};
	*used = digits + 1 + len;
	return 1;
}

/* Pass over one element of structured data, "[id name=\"value\" …]" with \", \\ and \] escaped. */
static bool skip_element(struct str *text)
{
	bool quoted = false;

	for (size_t i = 1; i < text->len; i++) {
		char c = text->p[i];

		if (c == '\\' && quoted) {
			i++;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (c == ']' && !quoted) {
			*text = (struct str){text->p + i + 1, text->len - i - 1};
			return true;
		}
	}
	return false;
}

static bool skip_structured_data(struct str *text)
{
	if (text->len > 0 && text->p[0] == '-') {
		*text = (struct str){text->p + 1, text->len - 1};
		return true;
	}
	if (text->len == 0 || text->p[0] != '[')
		return false;
	while (text->len > 0 && text->p[0] == '[') {
		if (!skip_element(text))
			return false;
	}
	return true;
}

struct str syslog_msg(struct str message)
{
	struct str rest = message;
	struct str word;

	if (message.len == 0 || message.p[0] != '<')
		return message;
	/* PRI VERSION, TIMESTAMP, HOSTNAME, APP-NAME, PROCID, MSGID */
	for (int field = 0; field < 6; field++) {
		if (!str_split(&rest, ' ', &word) || word.len == 0 || !rest.p)
			return message;
	}
	if (!skip_structured_data(&rest) || (rest.len > 0 && rest.p[0] != ' '))
		return message;
	if (rest.len > 0)
		rest = (struct str){rest.p + 1, rest.len - 1};
	if (str_starts(rest, STR("\xef\xbb\xbf")))
		rest = (struct str){rest.p + 3, rest.len - 3};
	return rest;
}
