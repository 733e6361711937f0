#include "config.h"

#include "unit.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "wire/csv_map.h"
#include "wire/reading.h"

/* Readers of lists: maps of columns, and how CSV and MISP keep their bounds. Which reports come of what is
 * tests/golden/csv and tests/golden/misp. */

static void map_is(const char *text, size_t count, bool by_header)
{
	struct csv_map map;
	struct err err = {0};

	if (!csv_map_parse(str_of(text), &map, &err))
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(map.count, count);
	assert_int_equal(map.by_header, by_header);
}

static void map_is_not(const char *text, const char *why)
{
	struct csv_map map;
	struct err err = {0};

	assert_false(csv_map_parse(str_of(text), &map, &err));
	if (!strstr(err.text, why))
		fail_msg("%s: %s", text, err.text);
}

static void test_maps_of_columns(void **state)
{
	struct csv_map map;

	(void)state;
	map_is("ip", 1, false);
	map_is("time, ip:target ,-,malware", 4, false);
	map_is("a=ip b=time", 2, true);
	map_is("\"a b\"=url \"=\"=time", 2, true);
	map_is("x=y=ip", 1, true); /* the name is what stands before the last = */
	map_is_not("", "says what a row is about");
	map_is_not("time malware", "says what a row is about");
	map_is_not("ip colour", "column 2");
	map_is_not("ip:sideways", "column 1");
	map_is_not("time:source ip", "column 1");
	map_is_not("ip b=time", "all by HEADER=WORD");
	map_is_not("\"a b\" ip", "NAME");
	map_is_not("\"a", "NAME");
	assert_true(csv_map_parse(STR("domain:target port:target"), &map, NULL));
	assert_int_equal(map.columns[0].type, OBSERVABLE_NAME);
	assert_int_equal(map.columns[0].role, OBSERVED_TARGET);
	assert_int_equal(map.columns[1].what, CSV_PORT);
}

static void test_too_many_columns_are_refused(void **state)
{
	struct buf text = {0};

	(void)state;
	for (int i = 0; i < CSV_COLUMNS; i++)
		buf_text(&text, "ip ");
	map_is(buf_cstr(&text), CSV_COLUMNS, false);
	buf_text(&text, "ip");
	map_is_not(buf_cstr(&text), "at most");
	buf_free(&text);
}

static void test_separators_are_words(void **state)
{
	char separator = 0;

	(void)state;
	assert_true(csv_map_separator(STR("tab"), &separator) && separator == '\t');
	assert_true(csv_map_separator(STR(";"), &separator) && separator == ';');
	assert_false(csv_map_separator(STR("x"), &separator));
	assert_false(csv_map_separator(STR(""), &separator));
	assert_false(csv_map_separator(STR(",,"), &separator));
}

typedef bool reader(struct reading *reading, struct str bytes, struct str envelope, struct err *err);

static struct reading read_all(struct arena *arena, reader *read, const struct reading_limits *limits,
	struct str bytes, struct err *err, bool expected)
{
	struct reading reading = {.arena = arena, .limits = limits};

	assert_int_equal(read(&reading, bytes, STR(""), err), expected);
	return reading;
}

static size_t count_of(const struct reading *reading, enum item_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < reading->item_count; i++)
		count += reading->items[i].kind == kind;
	return count;
}

static void test_a_list_without_end_is_bounded(void **state)
{
	struct arena *arena = arena_new(65536);
	struct reading_limits limits = reading_limits_default;
	struct buf text = {0};
	struct err err = {0};
	struct reading reading;

	(void)state;
	limits.max_items = 50;
	for (int i = 0; i < 200; i++)
		buf_printf(&text, "198.51.100.%d\n", i);
	reading = read_all(arena, csv_read, &limits, buf_view(&text), &err, true);
	assert_int_equal(count_of(&reading, ITEM_REPORT), 50);
	assert_int_equal(count_of(&reading, ITEM_QUARANTINED), 1);
	assert_true(str_starts(reading.items[50].bytes, STR("198.51.100.50\n")));
	buf_free(&text);
	arena_free(&arena);
}

static void test_a_list_of_bad_rows_is_given_up(void **state)
{
	struct arena *arena = arena_new(65536);
	struct reading_limits limits = reading_limits_default;
	struct buf text = {0};
	struct err err = {0};
	struct reading reading;

	(void)state;
	limits.max_bad = 20;
	buf_text(&text, "198.51.100.1\n");
	for (int i = 0; i < 200; i++)
		buf_text(&text, "no address\n");
	reading = read_all(arena, csv_read, &limits, buf_view(&text), &err, true);
	assert_int_equal(count_of(&reading, ITEM_REPORT), 1);
	assert_int_equal(count_of(&reading, ITEM_QUARANTINED), 21);
	buf_free(&text);
	arena_free(&arena);
}

static void test_an_empty_list_is_nothing(void **state)
{
	struct arena *arena = arena_new(65536);
	struct err err = {0};

	(void)state;
	assert_int_equal(
		read_all(arena, csv_read, &reading_limits_default, STR("# only\n# comments\n\n"), &err, true)
			.item_count,
		0);
	assert_int_equal(
		read_all(arena, csv_read, &reading_limits_default, STR(""), &err, true).item_count, 0);
	arena_free(&arena);
}

static void test_a_deep_event_is_refused_or_quarantined(void **state)
{
	struct arena *arena = arena_new(65536);
	struct buf text = {0};
	struct err err = {0};

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_text(&text, "{\"Event\":");
	read_all(arena, misp_read, &reading_limits_default, buf_view(&text), &err, false);
	assert_non_null(strstr(err.text, "expected JSON"));
	buf_clear(&text);
	buf_text(&text, "{\"Event\":{\"uuid\":\"u\",\"Attribute\":[");
	for (int i = 0; i < 5000; i++)
		buf_char(&text, '[');
	read_all(arena, misp_read, &reading_limits_default, buf_view(&text), &err, false);
	buf_free(&text);
	arena_free(&arena);
}

static void test_a_huge_attribute_costs_itself(void **state)
{
	struct arena *arena = arena_new(65536);
	struct reading_limits limits = reading_limits_default;
	struct buf text = {0};
	struct err err = {0};
	struct reading reading;

	(void)state;
	limits.max_line = 1000;
	buf_text(&text, "{\"Event\":{\"uuid\":\"u\",\"info\":\"x\",\"Attribute\":[{\"type\":\"ip-src\","
			"\"value\":\"192.0.2.1\","
			"\"data\":\"");
	for (int i = 0; i < 2000; i++)
		buf_char(&text, 'A');
	buf_text(&text, "\"},{\"type\":\"ip-src\",\"value\":\"192.0.2.2\"}]}}");
	reading = read_all(arena, misp_read, &limits, buf_view(&text), &err, true);
	assert_int_equal(count_of(&reading, ITEM_CONTEXT), 1);
	assert_int_equal(count_of(&reading, ITEM_QUARANTINED), 1);
	assert_int_equal(count_of(&reading, ITEM_REPORT), 1);
	assert_true(str_equal(reading.items[2].report.observables[0].value, STR("192.0.2.2")));
	buf_free(&text);
	arena_free(&arena);
}

static bool leaves_out(struct reading *reading, uint32_t item, struct str *reason)
{
	(void)reading;
	*reason = STR("a worker ended in it");
	return item == 2;
}

/* Trap 9: an item that a worker died of is left out, under the same number on every run. */
static void test_trap_09_one_item_is_left_out(void **state)
{
	static const char text[] =
		"{\"Event\":{\"uuid\":\"u\",\"Attribute\":[{\"type\":\"ip-src\",\"value\":\"192.0.2.1\"},"
		"{\"type\":\"ip-src\",\"value\":\"192.0.2.2\"},{\"type\":\"ip-src\",\"value\":\"192.0.2.3\"}]"
		"}}";
	struct arena *arena = arena_new(65536);
	struct reading reading = {.arena = arena, .limits = &reading_limits_default, .left_out = leaves_out};
	struct err err;

	(void)state;
	assert_true(misp_read(&reading, STR(text), STR(""), &err));
	assert_int_equal(reading.item_count, 4);
	assert_int_equal(reading.items[2].kind, ITEM_QUARANTINED);
	assert_true(str_equal(reading.items[3].report.observables[0].value, STR("192.0.2.3")));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps_of_columns),
		cmocka_unit_test(test_too_many_columns_are_refused),
		cmocka_unit_test(test_separators_are_words),
		cmocka_unit_test(test_a_list_without_end_is_bounded),
		cmocka_unit_test(test_a_list_of_bad_rows_is_given_up),
		cmocka_unit_test(test_an_empty_list_is_nothing),
		cmocka_unit_test(test_a_deep_event_is_refused_or_quarantined),
		cmocka_unit_test(test_a_huge_attribute_costs_itself),
		cmocka_unit_test(test_trap_09_one_item_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
