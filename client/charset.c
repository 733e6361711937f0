#include "config.h"

#include "client/charset.h"

#include <iconv.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>

#include "base/mem.h"

bool charset_of_terminal(char name[CHARSET_NAME])
{
	locale_t terminal = newlocale(LC_CTYPE_MASK, "", (locale_t)0);

	if (!terminal)
		return false;
	snprintf(name, CHARSET_NAME, "%s", nl_langinfo_l(CODESET, terminal));
	freelocale(terminal);
	return strcmp(name, "UTF-8") != 0 && strcmp(name, "ANSI_X3.4-1968") != 0;
}

/* Signs of our own. */
static const struct {
	uint32_t sign;
	const char *plain;
} plains[] = {{0xb7, "-"}, {0xd7, "x"}, {0x2013, "-"}, {0x2014, "-"}, {0x2018, "'"}, {0x2019, "'"},
	{0x2026, "~"}, {0x2190, "<-"}, {0x2192, "->"}};

static void put_plain(uint32_t c, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(plains); i++) {
		if (plains[i].sign == c) {
			buf_text(out, plains[i].plain);
			return;
		}
	}
	buf_printf(out, "\\u%04x", (unsigned)c);
}

static bool put_converted(iconv_t to, struct str character, struct buf *out)
{
	char bytes[16], *at = bytes, *from = (char *)character.p;
	size_t room = sizeof(bytes), left = character.len;

	if (iconv(to, &from, &left, &at, &room) == (size_t)-1 || left > 0)
		return false;
	/* A single byte of this range is a command. */
	if (at == bytes + 1 && (unsigned char)bytes[0] >= 0x80 && (unsigned char)bytes[0] < 0xa0)
		return false;
	buf_append(out, bytes, (size_t)(at - bytes));
	return true;
}

void charset_put(struct str text, const char *charset, struct buf *out)
{
	iconv_t to = iconv_open(charset, "UTF-8");
	bool known = to != (iconv_t)-1; // NOLINT(performance-no-int-to-ptr): what iconv_open() answers

	while (text.len) {
		struct str from = text;
		uint32_t c = utf8_next(&text);
		struct str character = {from.p, from.len - text.len};
		if (c < 0x80)
			buf_char(out, (char)c);
		else if (!known || !put_converted(to, character, out))
			put_plain(c, out);
	}
	if (known)
		iconv_close(to);
}
