#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "wire/lineframe.h"
#include "wire/syslog.h"

#define MAX_LINE 100

/* What the machine said, one event a line: "hello UUID", "lines N: …", "long", "part …", "end L", "broken".
 */
static void run(struct str bytes, size_t step, size_t most_bytes, uint64_t most_lines, struct buf *said)
{
	const struct lineframe_most most = {most_bytes, most_lines};
	struct lineframe *frame = lineframe_new(MAX_LINE);
	struct lineframe_piece piece;
	struct buf in = {0};
	char uuid[UUID_TEXT];

	while (bytes.len > 0) {
		size_t len = bytes.len < step ? bytes.len : step;
		enum lineframe_step what;

		buf_append(&in, bytes.p, len);
		bytes = (struct str){bytes.p + len, bytes.len - len};
		(void)lineframe_ready(frame, &in);
		while ((what = lineframe_next(frame, &in, &most, &piece)) != LINEFRAME_MORE) {
			if (what == LINEFRAME_HELLO)
				buf_printf(said, "hello %s\n", uuid_format(piece.session, uuid));
			else if (what == LINEFRAME_LINES)
				buf_printf(said, "lines %d: %.*s", (int)piece.lines, (int)piece.bytes.len,
					piece.bytes.p);
			else if (what == LINEFRAME_LONG_BEGIN)
				buf_text(said, "long ");
			else if (what == LINEFRAME_LONG_PART)
				buf_str(said, piece.bytes);
			else if (what == LINEFRAME_LONG_END)
				buf_printf(said, " end %d\n", (int)piece.left_out);
			else
				buf_text(said, "broken\n");
			if (what == LINEFRAME_BROKEN) {
				bytes.len = 0;
				break;
			}
			(void)lineframe_ready(frame, &in);
		}
	}
	lineframe_free(&frame);
	buf_free(&in);
}

static void expect(const char *bytes, size_t step, size_t most_bytes, uint64_t most_lines, const char *said)
{
	struct buf out = {0};

	run(str_of(bytes), step, most_bytes, most_lines, &out);
	assert_string_equal(buf_cstr(&out), said);
	buf_free(&out);
}

static void test_whole_lines_are_given_and_halves_kept(void **state)
{
	(void)state;
	expect("a\nbb\n\nccc", 100, 1000, 1000, "lines 3: a\nbb\n\n");
	expect("a\nbb\n", 1, 1000, 1000, "lines 1: a\nlines 1: bb\n");
	expect("\n", 1, 1000, 1000, "lines 1: \n");
}

static void test_a_piece_is_bounded(void **state)
{
	(void)state;
	expect("aa\nbb\ncc\n", 100, 6, 1000, "lines 2: aa\nbb\nlines 1: cc\n");
	expect("aa\nbb\ncc\n", 100, 1, 1000, "lines 1: aa\nlines 1: bb\nlines 1: cc\n");
	expect("aa\nbb\ncc\n", 100, 1000, 2, "lines 2: aa\nbb\nlines 1: cc\n");
}

static void test_hello_is_the_first_line_or_a_line(void **state)
{
	const char *hello = "{\"hello\":{\"session\":\"6F9619FF-8B86-4011-B42D-00C04FC964FF\"}}\n";
	char text[300];

	(void)state;
	(void)snprintf(text, sizeof(text), "%sx\n", hello);
	for (size_t step = 1; step < 200; step += 13)
		expect(text, step, 1000, 1000, "hello 6f9619ff-8b86-4011-b42d-00c04fc964ff\nlines 1: x\n");
	expect("{\"hello\":{\"session\":\"me\"}}\nx\n", 100, 1000, 1000, "broken\n");
	expect("{\"hello\":7}\n", 100, 1000, 1000, "broken\n");
	expect("{\"text\":\"\\\"hello\\\"\"}\n", 100, 1000, 1000, "lines 1: {\"text\":\"\\\"hello\\\"\"}\n");
	expect("{\"type\":\"hello\"}\n", 100, 1000, 1000, "lines 1: {\"type\":\"hello\"}\n");
}

static void test_a_long_line_is_a_thing_of_its_own(void **state)
{
	char text[400];
	char said[500];
	char longer[MAX_LINE + 51];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	(void)snprintf(text, sizeof(text), "a\n%s\nb\n", longer);
	(void)snprintf(said, sizeof(said), "lines 1: a\nlong %s end 0\nlines 1: b\n", longer);
	for (size_t step = 1; step < 400; step += 7)
		expect(text, step, 1000, 1000, said);
}

static void test_a_line_of_the_limit_is_a_line(void **state)
{
	char text[MAX_LINE + 2];
	char said[MAX_LINE + 20];

	(void)state;
	memset(text, 'x', MAX_LINE);
	memcpy(text + MAX_LINE, "\n", 2);
	(void)snprintf(said, sizeof(said), "lines 1: %s", text);
	for (size_t step = 1; step < 150; step += 7)
		expect(text, step, 1000, 1000, said);
}

static void test_an_endless_line_is_cut(void **state)
{
	const struct lineframe_most most = {1000, 1000};
	struct lineframe *frame = lineframe_new(MAX_LINE);
	struct lineframe_piece piece;
	struct buf in = {0};
	enum lineframe_step what;
	uint64_t given = 0;
	char *block = mem_alloc(1u << 20);

	(void)state;
	memset(block, 'x', 1u << 20);
	for (int i = 0; i < 18; i++) {
		buf_append(&in, block, 1u << 20);
		while ((what = lineframe_next(frame, &in, &most, &piece)) != LINEFRAME_MORE)
			given += piece.bytes.len;
	}
	buf_text(&in, "\ny\n");
	assert_int_equal(lineframe_next(frame, &in, &most, &piece), LINEFRAME_LONG_END);
	assert_int_equal(piece.lines, 1);
	assert_int_equal(piece.left_out, 2u << 20);
	assert_int_equal(given, LONG_CUT);
	assert_int_equal(lineframe_next(frame, &in, &most, &piece), LINEFRAME_LINES);
	assert_true(str_equal(piece.bytes, STR("y\n")));
	free(block);
	buf_free(&in);
	lineframe_free(&frame);
}

static void test_a_digit_means_octet_counting(void **state)
{
	(void)state;
	expect("39 <13>1 - host app - - - {\"type\":\n\"spam\"}7 {\"v\":1}3 abc", 1000, 1000, 1000,
		"lines 3: {\"type\": \"spam\"}\n{\"v\":1}\nabc\n");
	expect("12x", 10, 1000, 1000, "broken\n");
	expect("9999999999 x", 10, 1000, 1000, "broken\n");
}

static void test_a_long_frame_is_a_thing_of_its_own(void **state)
{
	char text[400];
	char said[500];
	char longer[MAX_LINE + 51];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	(void)snprintf(text, sizeof(text), "1 a%zu %s1 b", strlen(longer), longer);
	(void)snprintf(said, sizeof(said), "lines 1: a\nlong %s end 0\nlines 1: b\n", longer);
	for (size_t step = 1; step < 400; step += 7)
		expect(text, step, 1000, 1000, said);
}

static void test_msg_of_syslog(void **state)
{
	static const char *const cases[][2] = {
		{"<13>1 2026-11-22T10:00:00Z h a p m - {\"v\":1}", "{\"v\":1}"},
		{"<13>1 - - - - - [x@1 a=\"]\\\"\" b=\"c\"][y z=\"\"] \xef\xbb\xbfmsg", "msg"},
		{"<13>1 - - - - - -", ""},
		{"<13>1 - - - - - [x", "<13>1 - - - - - [x"},
		{"<13>Oct 11 22:14:15 host su: failed", "<13>Oct 11 22:14:15 host su: failed"},
		{"{\"v\":1}", "{\"v\":1}"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_true(str_equal(syslog_msg(str_of(cases[i][0])), str_of(cases[i][1])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_lines_are_given_and_halves_kept),
		cmocka_unit_test(test_a_piece_is_bounded),
		cmocka_unit_test(test_hello_is_the_first_line_or_a_line),
		cmocka_unit_test(test_a_long_line_is_a_thing_of_its_own),
		cmocka_unit_test(test_a_line_of_the_limit_is_a_line),
		cmocka_unit_test(test_an_endless_line_is_cut),
		cmocka_unit_test(test_a_digit_means_octet_counting),
		cmocka_unit_test(test_a_long_frame_is_a_thing_of_its_own),
		cmocka_unit_test(test_msg_of_syslog),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
