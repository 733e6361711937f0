#include "wire/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>

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
	/* without a mark, that is: Windows writes them so */
	{"utf-16", "UTF-16LE"},
	{"utf16", "UTF-16LE"},
	{"unicode", "UTF-16LE"},
	{"ucs-2", "UTF-16LE"},
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

/* --- byte order marks --- */

/* By the longest first: the mark of UTF-16LE begins that of UTF-32LE. */
static const struct mark {
	struct str bytes;
	unsigned width; /* bytes of a unit */
	bool little;
} marks[] = {
	{{"\xff\xfe\0\0", 4}, 4, true},
	{{"\0\0\xfe\xff", 4}, 4, false},
	{{"\xef\xbb\xbf", 3}, 1, false},
	{{"\xff\xfe", 2}, 2, true},
	{{"\xfe\xff", 2}, 2, false},
};

static uint32_t unit_at(const struct mark *mark, struct str bytes, size_t at)
{
	uint32_t unit = 0;

	for (unsigned i = 0; i < mark->width; i++) {
		size_t byte = at + (mark->little ? mark->width - 1 - i : i);
		unit = unit << 8 | (unsigned char)bytes.p[byte];
	}
	return unit;
}

static bool is_high(uint32_t unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(uint32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

/* Half a pair, half a unit and what is beyond Unicode become U+FFFD. */
static void put_units(const struct mark *mark, struct str bytes, struct buf *out, size_t *bad)
{
	size_t at = 0;

	for (; at + mark->width <= bytes.len; at += mark->width) {
		uint32_t unit = unit_at(mark, bytes, at);
		uint32_t next = mark->width == 2 && at + 4 <= bytes.len ? unit_at(mark, bytes, at + 2) : 0;

		if (is_high(unit) && is_low(next)) {
			unit = 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00);
			at += 2;
		} else if (is_high(unit) || is_low(unit) || unit > 0x10ffff) {
			unit = 0xfffd;
			++*bad;
		}
		buf_utf8(out, unit);
	}
	if (at < bytes.len) {
		buf_utf8(out, 0xfffd);
		++*bad;
	}
}

struct str charset_unmark(struct str bytes, struct buf *out, size_t *bad)
{
	*bad = 0;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		size_t length = marks[i].bytes.len;

		if (!str_starts(bytes, marks[i].bytes))
			continue;
		bytes = (struct str){bytes.p + length, bytes.len - length};
		if (marks[i].width == 1)
			return bytes;
		buf_clear(out);
		buf_reserve(out, bytes.len / marks[i].width);
		put_units(&marks[i], bytes, out, bad);
		return buf_view(out);
	}
	return bytes;
}

struct str charset_unmarked(struct str bytes, struct arena *arena, size_t *bad)
{
	struct buf out = {0};
	struct str text = charset_unmark(bytes, &out, bad);

	if (out.data)
		text = arena_str(arena, text);
	buf_free(&out);
	return text;
}
