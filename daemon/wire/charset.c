#include "wire/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

#define NAME_MAX_LENGTH 40

/* Names that senders use for something else than iconv does, or that it does not know; supersets where mail
 * is known to mean them. */
static const struct {
	const char *name;
	const char *means; /* "": guess */
} aliases[] = {
	{"us-ascii", ""},
	{"ascii", ""},
	{"ansi_x3.4-1968", ""},
	{"unknown-8bit", ""},
	{"x-unknown", ""},
	{"unknown", ""},
	{"8bit", ""},
	{"7bit", ""},
	{"binary", ""},
	{"default", ""},
	{"utf8", "UTF-8"},
	{"x-utf-8", "UTF-8"},
	{"unicode-1-1-utf-8", "UTF-8"},
	{"unicode-1-1-utf-7", "UTF-7"},
	{"iso-8859-1", "CP1252"},
	{"iso8859-1", "CP1252"},
	{"iso_8859-1", "CP1252"},
	{"latin1", "CP1252"},
	{"latin-1", "CP1252"},
	{"iso-8859-8-i", "ISO-8859-8"},
	{"iso-8859-6-i", "ISO-8859-6"},
	{"iso-8859-9", "CP1254"},
	{"iso-2022-jp", "ISO-2022-JP-3"},
	{"shift_jis", "CP932"},
	{"shift-jis", "CP932"},
	{"x-sjis", "CP932"},
	{"sjis", "CP932"},
	{"windows-31j", "CP932"},
	{"gb2312", "GB18030"},
	{"gb_2312-80", "GB18030"},
	{"gbk", "GB18030"},
	{"x-gbk", "GB18030"},
	{"ks_c_5601-1987", "CP949"},
	{"ks_c_5601", "CP949"},
	{"euc-kr", "CP949"},
	{"windows-949", "CP949"},
	{"windows-874", "CP874"},
	{"x-windows-874", "CP874"},
	{"x-mac-roman", "MACINTOSH"},
	{"macintosh", "MACINTOSH"},
	{"x-mac-cyrillic", "MAC-CYRILLIC"},
	{"cp-850", "CP850"},
	{"x-cp1251", "CP1251"},
	{"x-cp1252", "CP1252"},
	{"big5-hkscs", "BIG5-HKSCS"},
};

static void put_bad(struct buf *out, struct charset_outcome *outcome)
{
	buf_utf8(out, 0xfffd);
	outcome->bad++;
}

/* Convert by iconv; what it refuses becomes U+FFFD, a byte at a time. */
static void convert(iconv_t handle, struct str bytes, struct buf *out, struct charset_outcome *outcome)
{
	char *in = (char *)(uintptr_t)bytes.p;
	size_t left = bytes.len;

	while (left > 0) {
		size_t more = left * 2 + 64;
		char *to = buf_space(out, more);
		size_t room = more;
		size_t result = iconv(handle, &in, &left, &to, &room);
		buf_grow(out, more - room);
		if (result != (size_t)-1 || errno == E2BIG)
			continue;
		put_bad(out, outcome);
		if (errno == EINVAL)
			break;
		in++;
		left--;
		iconv(handle, NULL, NULL, NULL, NULL);
	}
}

static struct str finish(struct buf *out, struct arena *arena)
{
	struct str text = arena_str(arena, buf_view(out));

	buf_free(out);
	return text;
}

/* Said to be UTF-8, and it is not quite. */
static struct str repair(struct str bytes, struct arena *arena, struct charset_outcome *outcome)
{
	struct buf out = {0};

	while (bytes.len > 0) {
		struct str before = bytes;
		uint32_t character = utf8_next(&bytes);
		if (character == 0xfffd && before.len - bytes.len == 1)
			put_bad(&out, outcome);
		else
			buf_append(&out, before.p, before.len - bytes.len);
	}
	return finish(&out, arena);
}

static struct str by_name(
	const char *name, struct str bytes, struct arena *arena, struct charset_outcome *outcome)
{
	struct buf out = {0};
	iconv_t handle = iconv_open("UTF-8", name);

	if (handle == (iconv_t)-1) {
		outcome->unknown = true;
		for (size_t i = 0; i < bytes.len; i++) {
			if ((unsigned char)bytes.p[i] < 0x80)
				buf_char(&out, bytes.p[i]);
			else
				buf_utf8(&out, 0xfffd);
		}
	} else {
		convert(handle, bytes, &out, outcome);
		iconv_close(handle);
	}
	/* iconv knows UTF-8 by many names, and takes more for it than Unicode has */
	if (!utf8_valid(buf_view(&out))) {
		struct str text = repair(buf_view(&out), arena, outcome);
		buf_free(&out);
		return text;
	}
	return finish(&out, arena);
}

/* Only what iconv takes for a name: "//TRANSLIT" and paths are not. */
static bool name_good(struct str name)
{
	if (name.len == 0 || name.len > NAME_MAX_LENGTH)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			!strchr("-_.:()+", c))
			return false;
	}
	return true;
}

struct str charset_to_utf8(
	struct str charset, struct str bytes, struct arena *arena, struct charset_outcome *outcome)
{
	char name[NAME_MAX_LENGTH + 1];

	*outcome = (struct charset_outcome){0};
	charset = str_trim(charset);
	snprintf(name, sizeof(name), STR_FMT, STR_ARG(charset));
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (str_equal_nocase(charset, str_of(aliases[i].name)))
			snprintf(name, sizeof(name), "%s", aliases[i].means);
	if (name[0] == 0) {
		if (utf8_valid(bytes))
			return bytes;
		outcome->guessed = true;
		return by_name("CP1252", bytes, arena, outcome);
	}
	if (!name_good(charset))
		snprintf(name, sizeof(name), "unknown");
	if (str_equal_nocase(str_of(name), STR("UTF-8")))
		return utf8_valid(bytes) ? bytes : repair(bytes, arena, outcome);
	return by_name(name, bytes, arena, outcome);
}
