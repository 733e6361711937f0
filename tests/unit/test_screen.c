#include "config.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/charset.h"
#include "client/piece.h"
#include "client/screen.h"
#include "client/when.h"
#include "client/width.h"

static void shows(struct str text, bool cell, const char *expected)
{
	struct buf out = {0};

	if (cell)
		screen_cell(text, &out);
	else
		screen_safe(text, &out);
	assert_string_equal(buf_cstr(&out), expected);
	buf_free(&out);
}

static void test_escapes_never_reach_the_terminal(void **state)
{
	(void)state;
	shows(STR("a\x1b[31mred\x1b]0;title\x07"), false, "a\\x1b[31mred\\x1b]0;title\\x07");
	shows(STR("c1 \xc2\x9b"
		  "2J"),
		false, "c1 \\x9b2J");
	shows(STR("bytes \xff\xfe"), false, "bytes \\xff\\xfe");
	shows(STR("nul \0 del \x7f"), false, "nul \\x00 del \\x7f");
	shows(STR("kept: äöü 日本 😀"), false, "kept: äöü 日本 😀");
}

static void test_text_is_not_turned_around_or_hidden(void **state)
{
	(void)state;
	shows(STR("exe.\xe2\x80\xaegpj"), false, "exe.\\u202egpj");
	shows(STR("iso\xe2\x81\xa6late"), false, "iso\\u2066late");
	shows(STR("zero\xe2\x80\x8bwidth"), false, "zero\\u200bwidth");
	shows(STR("tag\xf3\xa0\x81\x81"), false, "tag\\ue0041");
	shows(STR("bom\xef\xbb\xbf"), false, "bom\\ufeff");
}

static void puts_in(const char *charset, const char *text, const char *expected)
{
	struct buf out = {0};

	charset_put(str_of(text), charset, &out);
	assert_string_equal(buf_cstr(&out), expected);
	buf_free(&out);
}

/* The bytes of "Û" in UTF-8 end in 0x9b, which an 8-bit terminal takes for ESC [. */
static void test_an_8_bit_terminal_gets_no_bytes_of_utf_8(void **state)
{
	(void)state;
	puts_in("ISO-8859-1",
		"\xc3\x9b"
		"31m caf\xc3\xa9",
		"\xdb"
		"31m caf\xe9");
	puts_in("ISO-8859-1", "a · b … c → d × e", "a \xb7 b ~ c -> d \xd7 e");
	puts_in("KOI8-R", "Скан · Û", "\xf3\xcb\xc1\xce - \\u00db");
	puts_in("ISO-8859-1", "日\x1b[1mb", "\\u65e5\x1b[1mb");
	puts_in("no such charset", "é·", "\\u00e9-");
}

static void test_blocks_keep_lines_and_cells_do_not(void **state)
{
	(void)state;
	shows(STR("one\r\ntwo\tthree\rfour"), false, "one\ntwo\tthree\\x0dfour");
	shows(STR("  one\n\n two\t three  "), true, "one two three");
	shows(STR(""), true, "");
}

static struct screen screen_of(bool color)
{
	return (struct screen){.color = color, .now = clock_of_civil(2026, 11, 22, 12, 0, 0)};
}

static void value_is(const char *json, enum cell cell, const char *expected)
{
	struct screen screen = screen_of(false);
	struct json_object *value = json_tokener_parse(json);
	struct buf out = {0};

	screen_value(&screen, value, cell, &out);
	assert_string_equal(buf_cstr(&out), expected);
	buf_free(&out);
	json_object_put(value);
}

static void test_values_are_shown_for_people(void **state)
{
	(void)state;
	value_is("null", CELL_TEXT, "");
	value_is("\"2026-11-22T11:57:00.000000Z\"", CELL_AGO, "3 min ago");
	value_is("\"2026-11-22T14:00:00Z\"", CELL_AGO, "in 2 h");
	value_is("\"2020-01-02T03:04:05Z\"", CELL_AGO, "2020-01-02");
	value_is("\"2026-11-22T11:57:00Z\"", CELL_TIME, "2026-11-22 11:57 UTC (3 min ago)");
	value_is("\"2027-02-20T11:57:00Z\"", CELL_TIME, "2027-02-20 11:57 UTC");
	value_is("1536", CELL_SIZE, "1.5 KB");
	value_is("512", CELL_SIZE, "512 B");
	value_is("93784", CELL_SPAN, "1 d 2 h");
	value_is("true", CELL_FLAG, "yes");
	value_is("false", CELL_FLAG, "");
	value_is("[\"a\",\"b\\u001b\"]", CELL_LIST, "a, b\\x1b");
}

static const struct column columns[] = {
	{"id", "ID", CELL_TEXT, false},
	{"severity", "SEVERITY", CELL_SEVERITY, false},
	{"title", "TITLE", CELL_TEXT, true},
};

static void test_table_has_a_line_per_row(void **state)
{
	struct screen screen = screen_of(false);
	struct json_object *rows = json_tokener_parse(
		"[{\"id\":\"1\",\"severity\":\"high\",\"title\":\"a\\u001b[2Jb\\nc\"},{\"id\":\"22\"}]");

	(void)state;
	screen_table(&screen, columns, ARRAY_LEN(columns), rows);
	assert_non_null(strstr(buf_cstr(&screen.out), "ID SEVERITY TITLE\n"));
	assert_non_null(strstr(buf_cstr(&screen.out), "1  high"));
	assert_null(memchr(screen.out.data, 0x1b, screen.out.len));
	size_t lines = 0;
	for (size_t i = 0; i < screen.out.len; i++)
		lines += screen.out.data[i] == '\n';
	assert_int_equal(lines, 3);
	screen_free(&screen);
	json_object_put(rows);
}

static void test_table_fits_and_cuts_at_characters(void **state)
{
	struct screen screen = screen_of(false);
	struct json_object *rows = json_tokener_parse("[{\"id\":\"1\",\"severity\":\"high\",\"title\":"
						      "\"日本語の長い題名がここにあります、とても長い\"}]");

	(void)state;
	screen.terminal = true;
	setenv("COLUMNS", "30", 1);
	screen_table(&screen, columns, ARRAY_LEN(columns), rows);
	/* 2 + 1 + 8 + 1 leave 18: eight wide characters and the mark. */
	assert_non_null(strstr(buf_cstr(&screen.out), "1  high     日本語の長い題名…"));
	assert_true(utf8_valid(buf_view(&screen.out)));
	screen_free(&screen);
	json_object_put(rows);
}

static const struct column list_columns[] = {
	{"number", "NUMBER", CELL_TEXT, false},
	{"severity", "SEVERITY", CELL_SEVERITY, false},
	{"type", "TYPE", CELL_TEXT, COLUMN_SPARE},
	{"opened", "OPENED", CELL_TEXT, COLUMN_SPARE},
	{"title", "TITLE", CELL_TEXT, COLUMN_CUT},
	{"id", "CLOCK", CELL_NUMBER, false},
};

/* No line is wider than the terminal, and the main column stays readable: what is spare goes first, from
 * behind. */
static void table_of_width(const char *width, bool all, const char *titles)
{
	struct screen screen = screen_of(false);
	struct json_object *rows = json_tokener_parse(
		"[{\"number\":\"2026-000412\",\"severity\":\"critical\",\"type\":\"unauthorised-information-"
		"modification\",\"opened\":\"13 min ago\",\"title\":\"Files have another ending since ten\","
		"\"id\":12345}]");

	screen.terminal = true;
	screen.all_columns = all;
	setenv("COLUMNS", width, 1);
	screen_table(&screen, list_columns, ARRAY_LEN(list_columns), rows);
	struct str text = buf_view(&screen.out), line, first = text;
	assert_true(str_split(&first, '\n', &line));
	shows(line, true, titles);
	while (!all && str_split(&text, '\n', &line))
		assert_true(width_text(line) <= atoi(width));
	screen_free(&screen);
	json_object_put(rows);
}

static void test_a_narrow_table_leaves_columns_out(void **state)
{
	(void)state;
	table_of_width("120", false, "NUMBER SEVERITY TYPE OPENED TITLE CLOCK");
	table_of_width("70", false, "NUMBER SEVERITY TYPE OPENED TITLE CLOCK");
	table_of_width("60", false, "NUMBER SEVERITY TYPE TITLE CLOCK");
	table_of_width("50", false, "NUMBER SEVERITY TITLE CLOCK");
	table_of_width("40", false, "NUMBER SEVERITY TITLE CLOCK");
	table_of_width("34", false, "NUMBER SEVERITY TITLE");
	table_of_width("24", false, "NUMBER TITLE");
	table_of_width("42", true, "NUMBER SEVERITY TYPE OPENED TITLE CLOCK");
}

static void wraps(const char *text, int indent, int width, const char *expected)
{
	struct buf out = {0};

	width_wrap(str_of(text), indent, width, &out);
	assert_string_equal(buf_cstr(&out), expected);
	buf_free(&out);
}

static void test_lines_are_broken_at_blanks(void **state)
{
	(void)state;
	wraps("one two three", 0, 20, "one two three");
	wraps("one two three", 4, 11, "one two\n    three");
	wraps("a verylongwordthatdoesnotfit b", 2, 10, "a\n  verylongwordthatdoesnotfit\n  b");
	wraps("one two   ", 0, 7, "one two");
	wraps("日本 日本 日本", 0, 9, "日本 日本\n日本");
	wraps("\x1b[1;31mone\x1b[0m two", 0, 7, "\x1b[1;31mone\x1b[0m two");
	wraps("one\ntwo", 2, 40, "one\n  two");
	wraps("", 2, 40, "");
	wraps("one two", 30, 10, "one\n                              two");
}

static void test_colour_only_where_it_is_wanted(void **state)
{
	struct json_object *row = json_tokener_parse("{\"id\":\"1\",\"severity\":\"critical\"}");

	(void)state;
	for (int color = 0; color < 2; color++) {
		struct screen screen = screen_of(color);
		screen_object(&screen, columns, ARRAY_LEN(columns), row);
		assert_true((memchr(screen.out.data, 0x1b, screen.out.len) != NULL) == (color == 1));
		screen_free(&screen);
	}
	json_object_put(row);
}

static void test_times_that_people_type(void **state)
{
	int64_t now = clock_of_civil(2026, 11, 22, 12, 0, 0), time;

	(void)state;
	assert_true(when_parse(STR("2h"), now, &time) && time == now - 2 * 3600 * CLOCK_SECOND);
	assert_true(when_parse(STR("1w"), now, &time) && time == now - 7 * CLOCK_DAY);
	assert_true(when_parse(STR("3 days"), now, &time) && time == now - 3 * CLOCK_DAY);
	assert_true(when_ahead(STR("90 min"), now, &time) && time == now + 90 * 60 * CLOCK_SECOND);
	assert_true(when_ahead(STR("1 hour"), now, &time) && time == now + 3600 * CLOCK_SECOND);
	assert_false(when_ahead(STR("3 months"), now, &time) || when_ahead(STR("3 "), now, &time) ||
		     when_ahead(STR("days"), now, &time));
	assert_true(
		when_parse(STR("2026-11-20"), now, &time) && time == clock_of_civil(2026, 11, 20, 0, 0, 0));
	assert_true(when_parse(STR("2026-11-20 14:30"), now, &time) &&
		    time == clock_of_civil(2026, 11, 20, 14, 30, 0));
	assert_true(when_parse(STR("2026-11-20T10:00:00+02:00"), now, &time) &&
		    time == clock_of_civil(2026, 11, 20, 8, 0, 0));
	static const char *const nonsense[] = {
		"", "h", "2x", "2026-02-30", "2026-11", "-2h", "99999999999h", "2026-11-20 25"};
	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++)
		if (when_parse(str_of(nonsense[i]), now, &time))
			fail_msg("\"%s\" was taken for a time", nonsense[i]);
}

/* Local times of a zone, as UTC; -1 where there is none. */
static int64_t typed(const char *text, int64_t now, bool ahead)
{
	int64_t time;

	return (ahead ? when_ahead : when_parse)(str_of(text), now, &time) ? time : -1;
}

static void zone_set(const char *zone)
{
	assert_int_equal(setenv("TZ", zone, 1), 0);
	tzset();
}

static void test_times_ahead_and_times_of_the_day(void **state)
{
	/* A Sunday, 13:00 in Vienna. */
	int64_t now = clock_of_civil(2026, 11, 22, 12, 0, 0);

	(void)state;
	zone_set("Europe/Vienna");
	assert_int_equal(typed("2h", now, true), now + 2 * 3600 * CLOCK_SECOND);
	assert_int_equal(typed("14:00", now, true), clock_of_civil(2026, 11, 22, 13, 0, 0));
	assert_int_equal(typed("09:00", now, true), clock_of_civil(2026, 11, 23, 8, 0, 0));
	assert_int_equal(typed("22:10", now, false), clock_of_civil(2026, 11, 21, 21, 10, 0));
	assert_int_equal(typed("12:59", now, false), clock_of_civil(2026, 11, 22, 11, 59, 0));
	assert_int_equal(typed("tomorrow 09:00", now, true), clock_of_civil(2026, 11, 23, 8, 0, 0));
	assert_int_equal(typed("yesterday 22:10", now, false), clock_of_civil(2026, 11, 21, 21, 10, 0));
	assert_int_equal(typed("Fri 14:00", now, true), clock_of_civil(2026, 11, 27, 13, 0, 0));
	assert_int_equal(typed("friday 14:00", now, false), clock_of_civil(2026, 11, 20, 13, 0, 0));
	assert_int_equal(typed("Sun 14:00", now, true), clock_of_civil(2026, 11, 22, 13, 0, 0));
	assert_int_equal(typed("Sun 12:00", now, true), clock_of_civil(2026, 11, 29, 11, 0, 0));
	assert_int_equal(typed("Sun 14:00", now, false), clock_of_civil(2026, 11, 15, 13, 0, 0));
	static const char *const nonsense[] = {"someday", "Fri 14", "Fri 14:00x", "24:00", "12:60",
		"tomorrow 9:", "-1:00", "Friday 14:00 14:00"};
	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++)
		if (typed(nonsense[i], now, true) != -1)
			fail_msg("\"%s\" was taken for a time", nonsense[i]);
	zone_set("UTC");
}

static void test_times_that_clocks_show_twice_or_never(void **state)
{
	int64_t spring = clock_of_civil(2027, 3, 27, 12, 0, 0),
		autumn = clock_of_civil(2026, 10, 24, 12, 0, 0);

	(void)state;
	zone_set("Europe/Vienna");
	assert_int_equal(typed("2027-03-28 01:59", spring, true), clock_of_civil(2027, 3, 28, 0, 59, 0));
	assert_int_equal(typed("2027-03-28 02:30", spring, true), -1);
	assert_int_equal(typed("tomorrow 02:30", spring, true), -1);
	assert_int_equal(typed("2027-03-28 03:00", spring, true), clock_of_civil(2027, 3, 28, 1, 0, 0));
	assert_true(when_is_skipped(STR("2027-03-28 02:30"), spring));
	assert_false(when_is_skipped(STR("2027-03-28 03:30"), spring));
	assert_false(when_is_skipped(STR("2027-02-30 02:30"), spring));
	assert_false(when_is_skipped(STR("nonsense"), spring));
	/* Of the two the first, which is never too late. */
	assert_int_equal(typed("2026-10-25 02:30", autumn, true), clock_of_civil(2026, 10, 25, 0, 30, 0));
	assert_int_equal(typed("2026-10-25 03:00", autumn, true), clock_of_civil(2026, 10, 25, 2, 0, 0));
	/* A day ahead is 24 hours, tomorrow at noon is noon. */
	assert_int_equal(typed("1d", autumn, true), autumn + CLOCK_DAY);
	assert_int_equal(typed("tomorrow 14:00", autumn, true), clock_of_civil(2026, 10, 25, 13, 0, 0));
	/* Ireland calls its winter the change; half an hour on Lord Howe. */
	zone_set("Europe/Dublin");
	assert_int_equal(typed("2026-10-25 01:30", autumn, true), clock_of_civil(2026, 10, 25, 0, 30, 0));
	assert_int_equal(typed("2027-03-28 01:30", spring, true), -1);
	zone_set("Australia/Lord_Howe");
	assert_int_equal(typed("2026-10-04 02:15", autumn, true), -1);
	assert_int_equal(typed("2026-10-04 02:30", autumn, true), clock_of_civil(2026, 10, 3, 15, 30, 0));
	zone_set("UTC");
}

static void test_what_is_due_reads_as_people_say_it(void **state)
{
	int64_t now = clock_of_civil(2026, 11, 24, 5, 52, 0); /* Tuesday, 06:52 in Vienna */
	static const struct {
		int year, month, day, hour, minute;
		const char *text;
	} times[] = {{2026, 11, 24, 21, 35, "today 22:35"}, {2026, 11, 24, 23, 30, "Wed 00:30"},
		{2026, 11, 26, 21, 10, "Thu 22:10"}, {2026, 12, 24, 13, 0, "24 Dec 14:00"},
		{2026, 11, 23, 21, 10, "23 Nov 22:10"}, {2027, 11, 23, 21, 10, "2027-11-23 22:10"}};
	struct buf text = {0};

	(void)state;
	zone_set("Europe/Vienna");
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		buf_clear(&text);
		when_due(clock_of_civil(times[i].year, times[i].month, times[i].day, times[i].hour,
				 times[i].minute, 0),
			now, &text);
		assert_string_equal(buf_cstr(&text), times[i].text);
	}
	buf_free(&text);
	zone_set("UTC");
}

static void test_mbox_is_cut_into_its_mails(void **state)
{
	struct str mbox =
		STR("From a@b Mon\nSubject: one\n\n>From the start\n>>From twice\nFrom here it goes on\n\n"
		    "From b@c Tue\nSubject: two\n\ntext\n");
	struct pieces pieces = {.kind = piece_guess(mbox), .bytes = mbox};
	struct buf space = {0};
	struct str piece;

	(void)state;
	assert_int_equal(pieces.kind, PIECE_MBOX);
	assert_true(piece_next(&pieces, &space, &piece));
	assert_true(
		str_equal(piece, STR("Subject: one\n\nFrom the start\n>From twice\nFrom here it goes on\n")));
	size_t behind_first = pieces.offset;
	assert_true(piece_next(&pieces, &space, &piece));
	assert_true(str_equal(piece, STR("Subject: two\n\ntext\n")));
	assert_false(piece_next(&pieces, &space, &piece));
	/* Where it stopped, it goes on. */
	pieces.offset = behind_first;
	assert_true(piece_next(&pieces, &space, &piece));
	assert_true(str_equal(piece, STR("Subject: two\n\ntext\n")));
	buf_free(&space);
}

static void test_lines_are_cut_between_lines(void **state)
{
	struct buf lines = {0}, space = {0}, whole = {0};
	struct str piece;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 40000; i++)
		buf_printf(&lines,
			"{\"type\":\"scanner\",\"id\":\"%d\",\"text\":\"some more bytes to fill the "
			"line\"}\n",
			i);
	struct pieces pieces = {.kind = piece_guess(buf_view(&lines)), .bytes = buf_view(&lines)};
	assert_int_equal(pieces.kind, PIECE_LINES);
	for (; piece_next(&pieces, &space, &piece); count++) {
		assert_true(piece.len <= PIECE_LINES_SIZE && piece.p[piece.len - 1] == '\n');
		buf_str(&whole, piece);
	}
	assert_true(count > 1);
	assert_true(str_equal(buf_view(&whole), buf_view(&lines)));
	assert_int_equal(piece_guess(STR("{\n \"type\": \"bundle\"\n}\n")), PIECE_WHOLE);
	assert_int_equal(piece_guess(STR("{\"type\":\"bundle\"}")), PIECE_WHOLE);
	assert_int_equal(piece_guess(STR("Received: from x\n")), PIECE_WHOLE);
	buf_free(&whole);
	buf_free(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes_never_reach_the_terminal),
		cmocka_unit_test(test_text_is_not_turned_around_or_hidden),
		cmocka_unit_test(test_blocks_keep_lines_and_cells_do_not),
		cmocka_unit_test(test_values_are_shown_for_people),
		cmocka_unit_test(test_table_has_a_line_per_row),
		cmocka_unit_test(test_table_fits_and_cuts_at_characters),
		cmocka_unit_test(test_an_8_bit_terminal_gets_no_bytes_of_utf_8),
		cmocka_unit_test(test_a_narrow_table_leaves_columns_out),
		cmocka_unit_test(test_lines_are_broken_at_blanks),
		cmocka_unit_test(test_colour_only_where_it_is_wanted),
		cmocka_unit_test(test_times_that_people_type),
		cmocka_unit_test(test_times_ahead_and_times_of_the_day),
		cmocka_unit_test(test_times_that_clocks_show_twice_or_never),
		cmocka_unit_test(test_what_is_due_reads_as_people_say_it),
		cmocka_unit_test(test_mbox_is_cut_into_its_mails),
		cmocka_unit_test(test_lines_are_cut_between_lines),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
