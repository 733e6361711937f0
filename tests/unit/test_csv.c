#include "config.h"

#include "unit.h"

#include "wire/csv.h"

struct place {
	struct arena *arena;
	struct csv csv;
	struct csv_record record;
	struct err err;
};

static int begin(void **state)
{
	static struct place place;

	place = (struct place){.arena = arena_new(0)};
	*state = &place;
	return 0;
}

static int end(void **state)
{
	struct place *place = *state;

	arena_free(&place->arena);
	return 0;
}

static enum csv_step next(struct place *place)
{
	return csv_next(&place->csv, place->arena, &place->record, &place->err);
}

static void expect(struct place *place, uint64_t line, size_t count, const char *const *fields)
{
	assert_int_equal(next(place), CSV_RECORD);
	assert_int_equal(place->record.line, line);
	assert_int_equal(place->record.count, count);
	for (size_t i = 0; i < count; i++)
		assert_str_is(place->record.fields[i], fields[i]);
}

static void test_fields_quoted_or_not(void **state)
{
	struct place *place = *state;

	csv_open(&place->csv, STR("a,\"b\",\"\"\r\n,\"say \"\"hi\"\", then\",x\n"));
	expect(place, 1, 3, (const char *const[]){"a", "b", ""});
	assert_str_is(place->record.bytes, "a,\"b\",\"\"");
	expect(place, 2, 3, (const char *const[]){"", "say \"hi\", then", "x"});
	assert_int_equal(next(place), CSV_END);
	assert_int_equal(next(place), CSV_END);
}

static void test_line_ends_inside_quotes_belong_to_the_field(void **state)
{
	struct place *place = *state;

	csv_open(&place->csv, STR("\"one\r\ntwo\",b\nc,d"));
	expect(place, 1, 2, (const char *const[]){"one\r\ntwo", "b"});
	expect(place, 3, 2, (const char *const[]){"c", "d"});
	assert_int_equal(next(place), CSV_END);
}

static void test_mark_comments_and_blank_lines_are_passed_over(void **state)
{
	struct place *place = *state;

	csv_open(&place->csv, STR("\xef\xbb\xbf# first\r\n\r\n  \nip\n#no more\n1\n"));
	place->csv.comment = '#';
	expect(place, 4, 1, (const char *const[]){"ip"});
	expect(place, 6, 1, (const char *const[]){"1"});
	assert_int_equal(next(place), CSV_END);
}

static void test_an_open_quote_costs_its_line_only(void **state)
{
	struct place *place = *state;

	csv_open(&place->csv, STR("a,b\n1,\"open\n2,ok\n3,ok\n"));
	expect(place, 1, 2, (const char *const[]){"a", "b"});
	assert_int_equal(next(place), CSV_BAD);
	assert_int_equal(place->record.line, 2);
	assert_str_is(place->record.bytes, "1,\"open");
	assert_string_equal(place->err.text, "field 2: expected a quote that closes it");
	expect(place, 3, 2, (const char *const[]){"2", "ok"});
	expect(place, 4, 2, (const char *const[]){"3", "ok"});
	assert_int_equal(next(place), CSV_END);
}

static void test_text_behind_a_closing_quote_is_refused(void **state)
{
	struct place *place = *state;

	csv_open(&place->csv, STR("\"a\"b,c\nd,e\n"));
	assert_int_equal(next(place), CSV_BAD);
	assert_string_equal(place->err.text, "field 1: expected a separator behind the closing quote");
	expect(place, 2, 2, (const char *const[]){"d", "e"});
}

static void test_a_quote_inside_a_plain_field_is_text(void **state)
{
	struct place *place = *state;

	csv_open(&place->csv, STR("5\" disk,x\ra,\n"));
	expect(place, 1, 3, (const char *const[]){"5\" disk", "x\ra", ""});
}

static void test_limits(void **state)
{
	struct place *place = *state;
	struct buf text = {0};

	for (int i = 0; i < 1001; i++)
		buf_text(&text, "x,");
	buf_text(&text, "\n\"");
	for (int i = 0; i < 131072; i++)
		buf_char(&text, 'y');
	buf_text(&text, "\"\nz\n");
	csv_open(&place->csv, buf_view(&text));
	assert_int_equal(next(place), CSV_BAD);
	assert_string_equal(place->err.text, "expected at most 1000 fields");
	assert_int_equal(next(place), CSV_BAD);
	assert_int_equal(place->record.bytes.len, 131074);
	expect(place, 3, 1, (const char *const[]){"z"});
	assert_int_equal(next(place), CSV_END);
	buf_free(&text);
}

static void test_separator_and_columns(void **state)
{
	struct place *place = *state;

	assert_int_equal(csv_separator(STR("a;b;\"c,d,e,f\"\n1,2,3,4,5")), ';');
	assert_int_equal(csv_separator(STR("a\tb\n")), '\t');
	assert_int_equal(csv_separator(STR("alone")), ',');
	assert_int_equal(csv_separator(STR_NONE), ',');
	csv_open(&place->csv, STR("Timestamp; IP ;port\n"));
	place->csv.separator = ';';
	assert_int_equal(next(place), CSV_RECORD);
	assert_int_equal(csv_column(&place->record, STR("ip")), 1);
	assert_int_equal(csv_column(&place->record, STR("asn")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fields_quoted_or_not, begin, end),
		cmocka_unit_test_setup_teardown(test_line_ends_inside_quotes_belong_to_the_field, begin, end),
		cmocka_unit_test_setup_teardown(
			test_mark_comments_and_blank_lines_are_passed_over, begin, end),
		cmocka_unit_test_setup_teardown(test_an_open_quote_costs_its_line_only, begin, end),
		cmocka_unit_test_setup_teardown(test_text_behind_a_closing_quote_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(test_a_quote_inside_a_plain_field_is_text, begin, end),
		cmocka_unit_test_setup_teardown(test_limits, begin, end),
		cmocka_unit_test_setup_teardown(test_separator_and_columns, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
