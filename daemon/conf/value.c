#include "config.h"

#include "conf/value.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Ascending: the largest that divides a value is the one to print. */
static const struct unit size_units[] = {{"K", UINT64_C(1) << 10}, {"M", UINT64_C(1) << 20},
	{"G", UINT64_C(1) << 30}, {"T", UINT64_C(1) << 40}};
static const struct unit time_units[] = {{"us", 1}, {"ms", 1000}, {"s", CLOCK_SECOND},
	{"m", 60 * CLOCK_SECOND}, {"h", 3600 * CLOCK_SECOND}, {"d", CLOCK_DAY}};
static const char *const level_names[] = {"error", "warn", "info", "debug"};

void *value_at(struct conf *conf, const struct conf_option *option)
{
	return (char *)conf + option->offset;
}

const void *value_of(const struct conf *conf, const struct conf_option *option)
{
	return (const char *)conf + option->offset;
}

bool value_is_list(const struct conf_option *option)
{
	return option->type == OPT_LIST || option->type == OPT_LISTEN;
}

/* Digits and a unit, such as 4G. without_unit is the factor of a bare number; 0: it needs a unit. */
static bool read_quantity(
	struct str text, const struct unit *units, size_t count, uint64_t without_unit, uint64_t *value)
{
	size_t digits = 0;
	uint64_t number, factor = without_unit;
	while (digits < text.len && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	struct str unit = {text.p + digits, text.len - digits};
	if (!str_to_u64((struct str){text.p, digits}, &number))
		return false;
	if (unit.len > 0)
		factor = 0;
	for (size_t i = 0; i < count; i++) {
		if (unit.len > 0 && str_equal_nocase(unit, str_of(units[i].name)))
			factor = units[i].factor;
	}
	return (factor > 0 || (unit.len == 0 && number == 0)) &&
	       !__builtin_mul_overflow(number, factor, value);
}

static void print_quantity(struct buf *out, uint64_t value, const struct unit *units, size_t count)
{
	for (size_t i = count; i-- > 0;) {
		if (value > 0 && value % units[i].factor == 0) {
			buf_printf(out, "%" PRIu64 "%s", value / units[i].factor, units[i].name);
			return;
		}
	}
	buf_printf(out, "%" PRIu64, value);
}

static void print_number(const struct conf_option *option, uint64_t value, struct buf *out)
{
	if (option->type == OPT_SIZE)
		print_quantity(out, value, size_units, ARRAY_LEN(size_units));
	else if (option->type == OPT_TIME)
		print_quantity(out, value, time_units, ARRAY_LEN(time_units));
	else
		buf_printf(out, "%" PRIu64, value);
}

static bool set_number(uint64_t *at, const struct conf_option *option, struct str text, struct err *err)
{
	static const char *const kinds[] = {[OPT_COUNT] = "a number",
		[OPT_SIZE] = "a size such as 512K, 50M or 4G",
		[OPT_TIME] = "a time with its unit, such as 5ms, 10s, 15m, 12h or 31d"};
	uint64_t value = 0;
	bool ok;
	if (option->type == OPT_SIZE)
		ok = read_quantity(text, size_units, ARRAY_LEN(size_units), 1, &value);
	else if (option->type == OPT_TIME)
		ok = read_quantity(text, time_units, ARRAY_LEN(time_units), 0, &value);
	else
		ok = str_to_u64(text, &value);
	if (ok && value >= option->min && value <= option->max) {
		*at = value;
		return true;
	}
	struct buf range = {0};
	print_number(option, option->min, &range);
	buf_text(&range, " to ");
	print_number(option, option->max, &range);
	err_set(err, ERR_MALFORMED, "%s from %s was expected, not \"" STR_FMT "\"", kinds[option->type],
		buf_cstr(&range), STR_ARG(utf8_cut(text, 40)));
	buf_free(&range);
	return false;
}

static bool set_bool(bool *at, struct str text, struct err *err)
{
	static const char *const words[2][3] = {{"no", "false", "off"}, {"yes", "true", "on"}};
	for (int value = 0; value < 2; value++) {
		for (size_t i = 0; i < ARRAY_LEN(words[value]); i++) {
			if (str_equal_nocase(text, str_of(words[value][i]))) {
				*at = value;
				return true;
			}
		}
	}
	return err_set(err, ERR_MALFORMED, "yes or no was expected, not \"" STR_FMT "\"",
		STR_ARG(utf8_cut(text, 40)));
}

static bool set_choice(bool *at, const struct conf_option *option, struct str text, struct err *err)
{
	struct str words = str_of(option->choices), word;
	for (int i = 0; str_split(&words, ' ', &word); i++) {
		if (str_equal(text, word)) {
			*at = i != 0;
			return true;
		}
	}
	return err_set(err, ERR_MALFORMED, "one of these words was expected: %s, not \"" STR_FMT "\"",
		option->choices, STR_ARG(utf8_cut(text, 40)));
}

static bool set_level(enum log_level *at, struct str text, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (str_equal(text, str_of(level_names[i]))) {
			*at = (enum log_level)i;
			return true;
		}
	}
	return err_set(err, ERR_MALFORMED, "error, warn, info or debug was expected, not \"" STR_FMT "\"",
		STR_ARG(utf8_cut(text, 40)));
}

static bool set_path(struct str *at, struct str text, struct arena *arena, struct err *err)
{
	if (text.len > 0 && text.p[0] != '/')
		return err_set(err, ERR_MALFORMED, "an absolute path was expected, not \"" STR_FMT "\"",
			STR_ARG(utf8_cut(text, 80)));
	*at = arena_str(arena, text);
	return true;
}

#define SOCKET_PATH_MAX 107 /* sun_path, without its NUL */

static bool is_address(struct str text)
{
	uint64_t port;
	if (text.len > 0 && text.p[0] == '/')
		return text.len <= SOCKET_PATH_MAX;
	const char *colon = text.len ? memrchr(text.p, ':', text.len) : NULL;
	if (!colon)
		return false;
	struct str host = {text.p, (size_t)(colon - text.p)};
	if (!str_to_u64((struct str){colon + 1, text.len - host.len - 1}, &port) || port < 1 ||
		port > UINT16_MAX)
		return false;
	if (host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']')
		return true;
	return host.len > 0 && !memchr(host.p, ':', host.len) && !memchr(host.p, '/', host.len);
}

static bool add_to_list(struct conf_list *list, const struct conf_option *option, struct str text,
	struct arena *arena, struct err *err)
{
	if (option->type == OPT_LISTEN && !is_address(text))
		return err_set(err, ERR_MALFORMED,
			"HOST:PORT, [HOST]:PORT or the absolute path of a socket (at most %d bytes) was "
			"expected, not \"" STR_FMT "\"",
			SOCKET_PATH_MAX, STR_ARG(utf8_cut(text, 80)));
	if (text.len == 0)
		return err_set(err, ERR_MALFORMED, "a word was expected, not an empty one");
	if (list->count == CONF_LIST)
		return err_set(err, ERR_MALFORMED, "at most %d values were expected", CONF_LIST);
	list->values[list->count++] = arena_str(arena, text);
	return true;
}

bool value_set(struct conf *conf, const struct conf_option *option, struct str text, struct arena *arena,
	struct err *err)
{
	void *at = value_at(conf, option);
	switch (option->type) {
	case OPT_TEXT:
		*(struct str *)at = arena_str(arena, text);
		return true;
	case OPT_PATH:
		return set_path(at, text, arena, err);
	case OPT_BOOL:
		return set_bool(at, text, err);
	case OPT_COUNT:
	case OPT_SIZE:
	case OPT_TIME:
		return set_number(at, option, text, err);
	case OPT_LIST:
	case OPT_LISTEN:
		return add_to_list(at, option, text, arena, err);
	case OPT_LEVEL:
		return set_level(at, text, err);
	case OPT_CHOICE:
		return set_choice(at, option, text, err);
	}
	return err_set(err, ERR_BUG, "option %s has no type", option->name);
}

void value_set_default(struct conf *conf, const struct conf_option *option, struct arena *arena)
{
	struct str rest = str_of(option->fallback), word;
	if (!value_is_list(option)) {
		value_set(conf, option, rest, arena, NULL);
		return;
	}
	*(struct conf_list *)value_at(conf, option) = (struct conf_list){.count = 0};
	while (str_split(&rest, ' ', &word)) {
		if (word.len > 0)
			value_set(conf, option, word, arena, NULL);
	}
}

static bool list_equal(const struct conf_list *a, const struct conf_list *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		if (!str_equal(a->values[i], b->values[i]))
			return false;
	}
	return a->count == b->count;
}

bool value_equal(const struct conf_option *option, const struct conf *a, const struct conf *b)
{
	const void *x = value_of(a, option);
	const void *y = value_of(b, option);
	switch (option->type) {
	case OPT_TEXT:
	case OPT_PATH:
		return str_equal(*(const struct str *)x, *(const struct str *)y);
	case OPT_BOOL:
	case OPT_CHOICE:
		return *(const bool *)x == *(const bool *)y;
	case OPT_COUNT:
	case OPT_SIZE:
	case OPT_TIME:
		return *(const uint64_t *)x == *(const uint64_t *)y;
	case OPT_LIST:
	case OPT_LISTEN:
		return list_equal(x, y);
	case OPT_LEVEL:
		return *(const enum log_level *)x == *(const enum log_level *)y;
	}
	return false;
}

/* Quoted so that the parser reads the same again. */
static void print_quoted(struct str text, struct buf *out)
{
	buf_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_char(out, '\\');
		buf_char(out, text.p[i]);
	}
	buf_char(out, '"');
}

static void print_list(const struct conf_list *list, struct buf *out)
{
	buf_char(out, '{');
	for (size_t i = 0; i < list->count; i++) {
		buf_text(out, i > 0 ? ", " : "");
		print_quoted(list->values[i], out);
	}
	buf_char(out, '}');
}

static void print_choice(const struct conf_option *option, bool value, struct buf *out)
{
	struct str words = str_of(option->choices), word;
	str_split(&words, ' ', &word);
	buf_str(out, value ? words : word);
}

void value_print(const struct conf *conf, const struct conf_option *option, struct buf *out)
{
	const void *at = value_of(conf, option);
	switch (option->type) {
	case OPT_TEXT:
	case OPT_PATH:
		print_quoted(*(const struct str *)at, out);
		break;
	case OPT_BOOL:
		buf_text(out, *(const bool *)at ? "yes" : "no");
		break;
	case OPT_COUNT:
	case OPT_SIZE:
	case OPT_TIME:
		print_number(option, *(const uint64_t *)at, out);
		break;
	case OPT_LIST:
	case OPT_LISTEN:
		print_list(at, out);
		break;
	case OPT_LEVEL:
		buf_text(out, level_names[*(const enum log_level *)at]);
		break;
	case OPT_CHOICE:
		print_choice(option, *(const bool *)at, out);
		break;
	}
}
