#include "config.h"

#include "wire/json_scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

bool json_scan_fail(struct json_scan *scan, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_set(scan->err, ERR_MALFORMED, "column %zu: %s", (size_t)(scan->p - scan->start) + 1, text);
}

const char *json_shown(struct str text, char shown[JSON_SHOWN])
{
	struct str cut = utf8_cut(text, 40);
	size_t len = 0;

	for (size_t i = 0; i < cut.len; i++) {
		unsigned char c = (unsigned char)cut.p[i];
		shown[len++] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
	}
	snprintf(shown + len, JSON_SHOWN - len, "%s", cut.len < text.len ? "…" : "");
	return shown;
}

bool json_scan_open(
	struct json_scan *scan, struct str text, unsigned max_depth, struct arena *arena, struct err *err)
{
	*scan = (struct json_scan){.start = text.p,
		.p = text.p,
		.end = text.p + text.len,
		.max_depth = max_depth,
		.arena = arena,
		.err = err};
	if (!utf8_valid(text))
		return err_set(err, ERR_MALFORMED, "expected UTF-8");
	return true;
}

static void space_skip(struct json_scan *scan)
{
	while (scan->p < scan->end &&
		(*scan->p == ' ' || *scan->p == '\t' || *scan->p == '\n' || *scan->p == '\r'))
		scan->p++;
}

enum json_kind json_scan_kind(struct json_scan *scan)
{
	space_skip(scan);
	if (scan->p == scan->end)
		return JSON_NOTHING;
	switch (*scan->p) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	default:
		return *scan->p == '-' || (*scan->p >= '0' && *scan->p <= '9') ? JSON_NUMBER : JSON_NOTHING;
	}
}

static bool enter(struct json_scan *scan, char bracket, const char *expected)
{
	space_skip(scan);
	if (scan->p == scan->end || *scan->p != bracket)
		return json_scan_fail(scan, "expected %s", expected);
	if (scan->depth == scan->max_depth)
		return json_scan_fail(scan, "expected at most %u levels", scan->max_depth);
	scan->depth++;
	scan->p++;
	scan->first = true;
	return true;
}

bool json_scan_object(struct json_scan *scan)
{
	return enter(scan, '{', "an object");
}

bool json_scan_array(struct json_scan *scan)
{
	return enter(scan, '[', "an array");
}

/* In front of the next member or element: 1; at the closing bracket, which is taken: 0. */
static int separator(struct json_scan *scan, char closing)
{
	space_skip(scan);
	if (scan->p < scan->end && *scan->p == closing) {
		scan->p++;
		scan->depth--;
		scan->first = false;
		return 0;
	}
	if (!scan->first) {
		if (scan->p == scan->end || *scan->p != ',') {
			json_scan_fail(scan, "expected \",\" or \"%c\"", closing);
			return -1;
		}
		scan->p++;
	}
	scan->first = false;
	return 1;
}

int json_scan_key(struct json_scan *scan, struct str *key)
{
	int more = separator(scan, '}');

	if (more <= 0)
		return more;
	if (!json_scan_string(scan, key))
		return -1;
	space_skip(scan);
	if (scan->p == scan->end || *scan->p != ':') {
		json_scan_fail(scan, "expected \":\"");
		return -1;
	}
	scan->p++;
	return 1;
}

int json_scan_element(struct json_scan *scan)
{
	return separator(scan, ']');
}

static bool hex4(struct json_scan *scan, uint32_t *value)
{
	if (scan->end - scan->p < 4)
		return json_scan_fail(scan, "expected four hex digits");
	*value = 0;
	for (int i = 0; i < 4; i++) {
		char c = *scan->p;
		uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
		                 : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
		                 : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
		                                        : 16;
		if (digit > 15)
			return json_scan_fail(scan, "expected four hex digits");
		*value = *value << 4 | digit;
		scan->p++;
	}
	return true;
}

static bool mend(struct json_scan *scan, uint32_t *character, uint32_t instead, const char *expected)
{
	if (!scan->mend)
		return json_scan_fail(scan, "expected %s", expected);
	scan->mended = true;
	*character = instead;
	return true;
}

/* Behind "\u". */
static bool unicode_escape(struct json_scan *scan, uint32_t *character)
{
	static const char pair[] = "a pair of surrogates";
	const char *behind;
	uint32_t low = 0;

	if (!hex4(scan, character))
		return false;
	if (*character == 0 && !scan->nul)
		return mend(scan, character, 0x2400, "no NUL in a text");
	if (*character < 0xd800 || *character > 0xdfff)
		return true;
	behind = scan->p;
	if (*character > 0xdbff || scan->end - scan->p < 6 || scan->p[0] != '\\' || scan->p[1] != 'u')
		return mend(scan, character, 0xfffd, pair);
	scan->p += 2;
	if (!hex4(scan, &low))
		return false;
	if (low < 0xdc00 || low > 0xdfff) {
		if (scan->mend)
			scan->p = behind;
		return mend(scan, character, 0xfffd, pair);
	}
	*character = 0x10000 + ((*character - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

static size_t utf8_put(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static bool escape(struct json_scan *scan, uint32_t *character)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (scan->p == scan->end)
		return json_scan_fail(scan, "expected the end of the text");
	if (*scan->p == 'u') {
		scan->p++;
		return unicode_escape(scan, character);
	}
	found = *scan->p ? strchr(letters, *scan->p) : NULL;
	if (!found)
		return json_scan_fail(scan, "expected an escape such as \\n or \\u00e9");
	*character = (uint32_t)meanings[found - letters];
	scan->p++;
	return true;
}

/* Move to the next quote or backslash. */
static bool plain_run(struct json_scan *scan)
{
	while (scan->p < scan->end && *scan->p != '"' && *scan->p != '\\' && (unsigned char)*scan->p >= 0x20)
		scan->p++;
	if (scan->p == scan->end)
		return json_scan_fail(scan, "expected the end of the text");
	if ((unsigned char)*scan->p < 0x20)
		return json_scan_fail(scan, "expected no control character in a text");
	return true;
}

/* From the first backslash on: what an escape means is never longer than the escape. */
static bool string_escaped(struct json_scan *scan, const char *from, struct str *value)
{
	const char *closing = scan->p;
	char *out;
	size_t len = 0;

	while (closing < scan->end && *closing != '"')
		closing += *closing == '\\' ? 2 : 1;
	out = arena_alloc(scan->arena, (size_t)((closing < scan->end ? closing : scan->end) - from) + 1);
	for (;;) {
		uint32_t character = 0;

		memcpy(out + len, from, (size_t)(scan->p - from));
		len += (size_t)(scan->p - from);
		if (*scan->p == '"')
			break;
		scan->p++;
		if (!escape(scan, &character))
			return false;
		len += utf8_put(character, out + len);
		from = scan->p;
		if (!plain_run(scan))
			return false;
	}
	scan->p++;
	*value = (struct str){out, len};
	return true;
}

bool json_scan_string(struct json_scan *scan, struct str *value)
{
	const char *from;

	space_skip(scan);
	if (scan->p == scan->end || *scan->p != '"')
		return json_scan_fail(scan, "expected a text in double quotes");
	from = ++scan->p;
	if (!plain_run(scan))
		return false;
	if (*scan->p == '\\')
		return string_escaped(scan, from, value);
	*value = (struct str){from, (size_t)(scan->p - from)};
	scan->p++;
	return true;
}

static size_t digits(struct json_scan *scan)
{
	const char *from = scan->p;

	while (scan->p < scan->end && *scan->p >= '0' && *scan->p <= '9')
		scan->p++;
	return (size_t)(scan->p - from);
}

static bool at(const struct json_scan *scan, const char *characters)
{
	return scan->p < scan->end && *scan->p != '\0' && strchr(characters, *scan->p) != NULL;
}

static bool number(struct json_scan *scan, bool *whole)
{
	*whole = true;
	if (at(scan, "-"))
		scan->p++;
	if (at(scan, "0"))
		scan->p++;
	else if (digits(scan) == 0)
		return json_scan_fail(scan, "expected a value");
	if (at(scan, "0123456789"))
		return json_scan_fail(scan, "expected a number without leading zeros");
	if (at(scan, ".")) {
		*whole = false;
		scan->p++;
		if (digits(scan) == 0)
			return json_scan_fail(scan, "expected a digit");
	}
	if (at(scan, "eE")) {
		*whole = false;
		scan->p++;
		if (at(scan, "+-"))
			scan->p++;
		if (digits(scan) == 0)
			return json_scan_fail(scan, "expected a digit");
	}
	return true;
}

bool json_scan_integer(struct json_scan *scan, int64_t *value)
{
	const char *from;
	bool whole = false;

	if (json_scan_kind(scan) != JSON_NUMBER)
		return json_scan_fail(scan, "expected a whole number");
	from = scan->p;
	if (!number(scan, &whole))
		return false;
	if (!whole || !str_to_i64((struct str){from, (size_t)(scan->p - from)}, value)) {
		scan->p = from;
		return json_scan_fail(scan, "expected a whole number");
	}
	return true;
}

static bool word(struct json_scan *scan, const char *expected)
{
	size_t len = strlen(expected);

	if ((size_t)(scan->end - scan->p) < len || memcmp(scan->p, expected, len) != 0)
		return json_scan_fail(scan, "expected a value");
	scan->p += len;
	return true;
}

bool json_scan_bool(struct json_scan *scan, bool *value)
{
	if (json_scan_kind(scan) != JSON_BOOL)
		return json_scan_fail(scan, "expected true or false");
	*value = *scan->p == 't';
	return word(scan, *value ? "true" : "false");
}

static int key_compare(const void *a, const void *b)
{
	const struct str *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int order = len ? memcmp(x->p, y->p, len) : 0;

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

static bool value_skip(struct json_scan *scan);

static bool object_skip(struct json_scan *scan)
{
	struct str *keys = NULL;
	size_t count = 0, space = 0;
	struct str key;
	int more;

	if (!json_scan_object(scan))
		return false;
	while ((more = json_scan_key(scan, &key)) > 0) {
		if (count == space) {
			size_t wanted = space ? space * 2 : 8;
			keys = arena_grow(scan->arena, keys, space * sizeof(*keys), wanted * sizeof(*keys));
			space = wanted;
		}
		keys[count++] = key;
		if (!value_skip(scan))
			return false;
	}
	if (more < 0)
		return false;
	if (count > 1)
		qsort(keys, count, sizeof(*keys), key_compare);
	for (size_t i = 1; i < count; i++) {
		char shown[JSON_SHOWN];
		if (str_equal(keys[i - 1], keys[i]))
			return json_scan_fail(scan, "key \"%s\" stands twice", json_shown(keys[i], shown));
	}
	return true;
}

static bool array_skip(struct json_scan *scan)
{
	int more;

	if (!json_scan_array(scan))
		return false;
	while ((more = json_scan_element(scan)) > 0)
		if (!value_skip(scan))
			return false;
	return more == 0;
}

/* Calls itself at most max_depth times deep. */
static bool value_skip(struct json_scan *scan)
{
	struct str text;
	bool truth;

	switch (json_scan_kind(scan)) {
	case JSON_OBJECT:
		return object_skip(scan);
	case JSON_ARRAY:
		return array_skip(scan);
	case JSON_STRING:
		return json_scan_string(scan, &text);
	case JSON_NUMBER:
		return number(scan, &truth);
	case JSON_BOOL:
		return json_scan_bool(scan, &truth);
	case JSON_NULL:
		return word(scan, "null");
	default:
		return json_scan_fail(scan, "expected a value");
	}
}

bool json_scan_skip(struct json_scan *scan, struct str *text)
{
	const char *from;

	space_skip(scan);
	from = scan->p;
	if (!value_skip(scan))
		return false;
	if (text)
		*text = (struct str){from, (size_t)(scan->p - from)};
	return true;
}

bool json_scan_end(struct json_scan *scan)
{
	space_skip(scan);
	return scan->p == scan->end || json_scan_fail(scan, "expected the end of the line");
}
