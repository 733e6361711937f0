#include "config.h"

#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* The text is one line of UTF-8: what was cut is cut at a character, control characters become spaces. */
static void err_tidy(struct err *err)
{
	struct str whole = str_of(err->text);
	err->text[utf8_cut(whole, whole.len).len] = '\0';
	for (char *c = err->text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
}

bool err_set(struct err *err, enum err_code code, const char *format, ...)
{
	if (!err)
		return false;
	char text[sizeof(err->text)]; /* the arguments may point into err->text */
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	err->code = code;
	memcpy(err->text, text, sizeof(text));
	err_tidy(err);
	return false;
}

bool err_errno(struct err *err, const char *format, ...)
{
	int number = errno;
	if (!err)
		return false;
	char text[sizeof(err->text)];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	bool full = number == ENOSPC || number == EDQUOT;
	return err_set(err, full ? ERR_NOSPACE : ERR_SYSTEM, "%s: %s", text, strerror(number));
}

bool err_prefix(struct err *err, const char *format, ...)
{
	if (!err)
		return false;
	char text[sizeof(err->text)];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_set(err, err->code, "%s: %s", text, err->text);
}

const char *err_code_name(enum err_code code)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",
		[ERR_AGAIN] = "again",
		[ERR_DENIED] = "denied",
		[ERR_MALFORMED] = "malformed",
		[ERR_NOSPACE] = "no space",
		[ERR_NOTFOUND] = "not found",
		[ERR_CONFLICT] = "conflict",
		[ERR_CORRUPT] = "corrupt",
		[ERR_UNCERTAIN] = "uncertain",
		[ERR_SYSTEM] = "system",
		[ERR_BUG] = "bug",
	};
	if ((unsigned)code >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[code];
}
