#include "config.h"

#include "unit.h"

#include "base/clock.h"
#include "model/entry.h"
#include "model/source.h"

static struct source sources[] = {
	{.id = 1,
		.kind = SOURCE_MAILBOX,
		.enabled = true,
		.name = STR("rest"),
		.match = STR("*"),
		.tlp = TLP_AMBER},
	{.id = 2,
		.kind = SOURCE_MAILBOX,
		.enabled = true,
		.name = STR("phish"),
		.match = STR("phish@ spam@")},
	{.id = 5,
		.kind = SOURCE_MAILBOX,
		.enabled = true,
		.name = STR("bank"),
		.match = STR("phish@bank.example")},
	{.id = 6,
		.kind = SOURCE_MAILBOX,
		.enabled = false,
		.name = STR("old"),
		.match = STR("old@cirt.example")},
	{.id = 9,
		.kind = SOURCE_SENSOR,
		.enabled = true,
		.restricted = true,
		.may_notify_affected = true,
		.name = STR("honey-1"),
		.match = STR("san:honey"),
		.exercise = STR("drill"),
		.trust = 100,
		.type = RSIT_FIRST,
		.format = FORMAT_LINES,
		.max_lines = UINT64_MAX,
		.interval = 60},
};
static const struct source_table table = {.version = 7, .sources = sources, .count = 5};

static void test_recipients_find_the_closest_mailbox(void **state)
{
	(void)state;
	assert_int_equal(source_by_recipient(&table, STR("Phish@BANK.example"))->id, 5);
	assert_int_equal(source_by_recipient(&table, STR("phish@cirt.example"))->id, 2);
	assert_int_equal(source_by_recipient(&table, STR("spam@x"))->id, 2);
	assert_int_equal(source_by_recipient(&table, STR("old@cirt.example"))->id, 1);
	assert_int_equal(source_by_recipient(&table, STR("phish"))->id, 1);
	assert_null(
		source_by_recipient(&(struct source_table){.sources = sources + 1, .count = 1}, STR("a@b")));
	assert_int_equal(source_by_id(&table, 9)->trust, 100);
	assert_null(source_by_id(&table, 3));
	assert_int_equal(source_by_name(&table, STR("honey-1"))->id, 9);
	assert_int_equal(source_lane(&sources[4]), LANE_SENSORS);
}

static void test_table_round_trips(void **state)
{
	struct arena *arena = arena_new(0);
	struct buf out = {0}, again = {0};
	struct source_table read;
	struct err err;
	(void)state;
	source_table_encode(&table, &out);
	assert_true(source_table_decode(buf_view(&out), arena, &read, &err));
	source_table_encode(&read, &again);
	assert_true(str_equal(buf_view(&out), buf_view(&again)));
	assert_true(read.sources[4].restricted && read.sources[4].max_lines == UINT64_MAX);
	assert_str_is(read.sources[4].exercise, "drill");
	struct source small = {.id = 1, .kind = SOURCE_DESK, .name = STR("d")};
	buf_clear(&out);
	source_table_encode(&(struct source_table){.sources = &small, .count = 1}, &out);
	assert_true(source_table_decode(buf_view(&out), arena, &read, &err));
	buf_free(&out);
	buf_free(&again);
	arena_free(&arena);
}

static void test_damaged_tables_are_refused(void **state)
{
	struct arena *arena = arena_new(0);
	struct buf out = {0};
	uint64_t seed = 9;
	(void)state;
	source_table_encode(&table, &out);
	for (size_t len = 0; len < out.len; len++) {
		struct source_table read;
		assert_false(source_table_decode((struct str){out.data, len}, arena, &read, NULL));
	}
	for (int round = 0; round < 5000; round++) {
		struct buf bad = {0};
		struct source_table read;
		buf_str(&bad, buf_view(&out));
		for (size_t n = 1 + chance_below(&seed, 3); n > 0; n--)
			bad.data[chance_below(&seed, bad.len)] = (char)chance(&seed);
		if (source_table_decode(buf_view(&bad), arena, &read, NULL)) {
			for (size_t i = 0; i < read.count; i++)
				assert_true(utf8_valid(read.sources[i].match) &&
					    read.sources[i].kind < SOURCE_KINDS &&
					    read.sources[i].trust <= 100);
		}
		buf_free(&bad);
		arena_reset(arena);
	}
	sources[0].name = STR("Bad Name");
	buf_clear(&out);
	source_table_encode(&table, &out);
	assert_false(source_table_decode(buf_view(&out), arena, &(struct source_table){0}, NULL));
	sources[0].name = STR("rest");
	buf_free(&out);
	arena_free(&arena);
}

static void test_entry_ids_read_as_day_spool_sequence(void **state)
{
	struct entry_id id = {.day = clock_day(clock_of_civil(2026, 11, 22, 0, 0, 0)),
		.spool = {0x1f, 0x3a, 0xbb, 0x02, 0xff},
		.sequence = UINT64_MAX};
	char text[ENTRY_ID_TEXT];
	enum source_kind kind;
	enum format format;
	(void)state;
	assert_string_equal(entry_id_format(&id, text), "20261122-1f3abb02-18446744073709551615");
	for (int i = 1; i < SOURCE_KINDS; i++)
		assert_true(source_kind_parse(str_of(source_kind_name((enum source_kind)i)), &kind) &&
			    (int)kind == i);
	for (int i = 0; i < FORMATS; i++)
		assert_true(format_parse(str_of(format_name((enum format)i)), &format) && (int)format == i);
	assert_false(source_kind_parse(STR("x"), &kind) || format_parse(STR(""), &format));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recipients_find_the_closest_mailbox),
		cmocka_unit_test(test_table_round_trips),
		cmocka_unit_test(test_damaged_tables_are_refused),
		cmocka_unit_test(test_entry_ids_read_as_day_spool_sequence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
