#include "config.h"

#include "wire/jcs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/json_scan.h"

#define DIGITS_MAX 17 /* as many tell every double from its neighbours */

struct jcs {
	struct json_scan scan;
	struct arena *arena;
	struct buf *out;
	struct buf scratch; /* a level's members, while they are put in order */
};

/* A member whose value stands at `at` in the output. */
struct member {
	struct str key;
	size_t at;
	size_t len;
};

/* --- numbers (ECMAScript, Number::toString) --- */

/* The fewest digits that read back as this number, and the power of ten of the first of them. */
static size_t shortest(double number, char digits[DIGITS_MAX + 1], int *exponent)
{
	char text[40];
	size_t count = 0;

	for (int precision = 0; precision < DIGITS_MAX; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, number);
		if (strtod(text, NULL) == number)
			break;
	}
	for (const char *p = text; *p && *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			digits[count++] = *p;
	*exponent = atoi(strchr(text, 'e') + 1);
	while (count > 1 && digits[count - 1] == '0')
		count--;
	return count;
}

static void put_zeros(struct buf *out, int count)
{
	while (count-- > 0)
		buf_char(out, '0');
}

static void put_exponent(struct buf *out, const char *digits, size_t count, int exponent)
{
	buf_char(out, digits[0]);
	if (count > 1) {
		buf_char(out, '.');
		buf_append(out, digits + 1, count - 1);
	}
	buf_printf(out, "e%c%d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void put_double(struct buf *out, double number)
{
	char digits[DIGITS_MAX + 1] = "0";
	int exponent;
	size_t count;

	if (number == 0) {
		buf_char(out, '0'); /* also of -0 */
		return;
	}
	if (number < 0)
		buf_char(out, '-');
	count = shortest(fabs(number), digits, &exponent);
	if (exponent < -6 || exponent > 20) {
		put_exponent(out, digits, count, exponent);
	} else if (exponent < 0) {
		buf_text(out, "0.");
		put_zeros(out, -exponent - 1);
		buf_append(out, digits, count);
	} else if ((size_t)exponent + 1 >= count) {
		buf_append(out, digits, count);
		put_zeros(out, exponent + 1 - (int)count);
	} else {
		buf_append(out, digits, (size_t)exponent + 1);
		buf_char(out, '.');
		buf_append(out, digits + exponent + 1, count - (size_t)exponent - 1);
	}
}

static bool put_number(struct jcs *jcs)
{
	struct str text;
	char number[512];
	double value;

	if (!json_scan_skip(&jcs->scan, &text))
		return false;
	if (text.len >= sizeof(number))
		return json_scan_fail(&jcs->scan, "expected a number of at most %zu digits", sizeof(number));
	memcpy(number, text.p, text.len);
	number[text.len] = '\0';
	value = strtod(number, NULL);
	if (!isfinite(value))
		return json_scan_fail(&jcs->scan, "expected a number that a double can hold");
	put_double(jcs->out, value);
	return true;
}

/* --- texts --- */

static void put_text(struct buf *out, struct str text)
{
	static const char letters[] = "btn\0fr"; /* of U+0008 to U+000D; U+000B has none */
	size_t from = 0;

	buf_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_append(out, text.p + from, i - from);
		from = i + 1;
		if (c >= 0x20)
			buf_printf(out, "\\%c", c);
		else if (c >= 8 && c <= 13 && letters[c - 8])
			buf_printf(out, "\\%c", letters[c - 8]);
		else
			buf_printf(out, "\\u%04x", c);
	}
	buf_append(out, text.p + from, text.len - from);
	buf_char(out, '"');
}

static bool put_string(struct jcs *jcs)
{
	struct str text;

	if (!json_scan_string(&jcs->scan, &text))
		return false;
	put_text(jcs->out, text);
	return true;
}

/* --- objects and arrays --- */

/* The order of a byte of UTF-8 in UTF-16: what takes two code units there begins with D800 to DBFF, and so
 * comes before U+E000. */
static int place(unsigned char byte)
{
	return byte >= 0xf0 ? 2 * 0xed + 1 : 2 * byte;
}

static int by_key(const void *a, const void *b)
{
	const struct str *x = &((const struct member *)a)->key;
	const struct str *y = &((const struct member *)b)->key;
	size_t len = x->len < y->len ? x->len : y->len;
	size_t i = 0;

	while (i < len && x->p[i] == y->p[i])
		i++;
	if (i == len)
		return (x->len > y->len) - (x->len < y->len);
	unsigned char c = (unsigned char)x->p[i], d = (unsigned char)y->p[i];
	return place(c) != place(d) ? place(c) - place(d) : c - d;
}

static bool put_value(struct jcs *jcs);

static struct member *member_add(struct jcs *jcs, struct member *members, size_t count)
{
	if (count == 0)
		return arena_alloc(jcs->arena, sizeof(*members));
	if ((count & (count - 1)) != 0)
		return members;
	return arena_grow(jcs->arena, members, count * sizeof(*members), 2 * count * sizeof(*members));
}

/* The values stand in the output as they came; write them again behind their keys, in order. */
static bool members_order(struct jcs *jcs, struct member *members, size_t count, size_t start)
{
	struct buf *out = jcs->out;

	if (count > 1)
		qsort(members, count, sizeof(*members), by_key);
	for (size_t i = 1; i < count; i++) {
		char shown[JSON_SHOWN];
		if (str_equal(members[i - 1].key, members[i].key))
			return json_scan_fail(
				&jcs->scan, "key \"%s\" stands twice", json_shown(members[i].key, shown));
	}
	buf_clear(&jcs->scratch);
	buf_append(&jcs->scratch, out->data + start, out->len - start);
	out->len = start;
	buf_char(out, '{');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_char(out, ',');
		put_text(out, members[i].key);
		buf_char(out, ':');
		buf_append(out, jcs->scratch.data + members[i].at - start, members[i].len);
	}
	buf_char(out, '}');
	return true;
}

static bool put_object(struct jcs *jcs)
{
	struct member *members = NULL;
	size_t count = 0;
	size_t start = jcs->out->len;
	struct str key;
	int more;

	if (!json_scan_object(&jcs->scan))
		return false;
	while ((more = json_scan_key(&jcs->scan, &key)) > 0) {
		size_t at = jcs->out->len;
		if (!put_value(jcs))
			return false;
		members = member_add(jcs, members, count);
		members[count++] = (struct member){key, at, jcs->out->len - at};
	}
	return more == 0 && members_order(jcs, members, count, start);
}

static bool put_array(struct jcs *jcs)
{
	bool first = true;
	int more;

	if (!json_scan_array(&jcs->scan))
		return false;
	buf_char(jcs->out, '[');
	while ((more = json_scan_element(&jcs->scan)) > 0) {
		if (!first)
			buf_char(jcs->out, ',');
		first = false;
		if (!put_value(jcs))
			return false;
	}
	buf_char(jcs->out, ']');
	return more == 0;
}

/* Calls itself at most max_depth times deep. */
static bool put_value(struct jcs *jcs)
{
	struct str text;

	switch (json_scan_kind(&jcs->scan)) {
	case JSON_OBJECT:
		return put_object(jcs);
	case JSON_ARRAY:
		return put_array(jcs);
	case JSON_STRING:
		return put_string(jcs);
	case JSON_NUMBER:
		return put_number(jcs);
	default:
		if (!json_scan_skip(&jcs->scan, &text))
			return false;
		buf_str(jcs->out, text);
		return true;
	}
}

bool jcs_write(struct str json, unsigned max_depth, struct arena *arena, struct buf *out, struct err *err)
{
	struct jcs jcs = {.arena = arena, .out = out};
	struct err local;
	size_t before = out->len;
	bool good;

	buf_reserve(out, json.len + 1);
	good = json_scan_open(&jcs.scan, json, max_depth, arena, err ? err : &local);
	jcs.scan.nul = true;
	good = good && put_value(&jcs) && json_scan_end(&jcs.scan);
	if (!good)
		out->len = before;
	buf_free(&jcs.scratch);
	return good;
}
