#include "unit.h"

#include "wire/card.h"

static void assert_card_text(const char *card, const char *expected)
{
	struct arena *arena = arena_new(4096);
	struct str text = card_text(str_of(card), arena);

	if (!str_equal(text, str_of(expected)))
		fail_msg("\"" STR_FMT "\", expected \"%s\"", STR_ARG(text), expected);
	arena_free(&arena);
}

static void test_cards_are_told_by_their_first_line(void **state)
{
	(void)state;
	assert_true(card_is(STR("\r\nbegin:vcalendar\r\n")));
	assert_true(card_is(STR("BEGIN:VCARD\nVERSION:2.1\n")));
	assert_false(card_is(STR("BEGIN:VEVENT")));
	assert_false(card_is(STR("BEGIN:VCAR")));
	assert_false(card_is(STR("")));
}

static void test_folded_lines_are_joined(void **state)
{
	(void)state;
	assert_card_text("DESCRIPTION:see http://evil.exa\r\n mple/a\r\n\tb\r\nURL:x\r\n",
		"DESCRIPTION: see http://evil.example/ab\nURL: x\n");
	assert_card_text(
		"SUMMARY;LANGUAGE=\"a:b\":one\\ntwo\\, three\\; \\q\\", "SUMMARY: one\ntwo, three; \\q\\\n");
}

static void test_quoted_printable_goes_on_behind_soft_line_breaks(void **state)
{
	(void)state;
	assert_card_text("NOTE;ENCODING=QUOTED-PRINTABLE:http=3A//evil.exa=\r\nmple/ =\nx\nTEL:1",
		"NOTE: http://evil.example/ x\nTEL: 1\n");
	assert_card_text("NOTE;QUOTED-PRINTABLE:a=\n", "NOTE: a=\n");
}

static void assert_binary(const char *card, const char *bytes)
{
	struct arena *arena = arena_new(4096);
	struct str rest = str_of(card);
	struct card_property property;

	assert_true(card_next(&rest, arena, &property));
	assert_true(property.binary);
	assert_true(str_equal(property.value, str_of(bytes)));
	arena_free(&arena);
}

static void test_what_stands_in_base64_is_a_file(void **state)
{
	(void)state;
	assert_binary("ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY:aGVs\n bG8=\n", "hello");
	assert_binary("PHOTO;ENCODING=b;TYPE=JPEG:aGVsbG8=", "hello");
	assert_binary("PHOTO;BASE64;JPEG:\n aGVsbG8=", "hello");
	assert_binary("PHOTO:data:image/png;base64,aGVsbG8=", "hello");
	assert_card_text("PHOTO;ENCODING=b:aGVsbG8=\nFN:Alice\n", "FN: Alice\n");
}

static void test_what_is_no_property_is_kept(void **state)
{
	(void)state;
	assert_card_text("no colon\n\n:value\nEND:VCARD", "no colon\nvalue\nEND: VCARD\n");
}

/* A megabyte of lines that continue one another, or never end. */
static void test_long_cards_take_linear_time(void **state)
{
	struct arena *arena = arena_new(4096);
	struct buf card = {0};

	(void)state;
	buf_text(&card, "NOTE;QUOTED-PRINTABLE:");
	for (int i = 0; i < 500000; i++)
		buf_text(&card, "=\n");
	for (int i = 0; i < 500000; i++)
		buf_text(&card, "\n ");
	assert_true(card_text(buf_view(&card), arena).len < card.len);
	buf_free(&card);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cards_are_told_by_their_first_line),
		cmocka_unit_test(test_folded_lines_are_joined),
		cmocka_unit_test(test_quoted_printable_goes_on_behind_soft_line_breaks),
		cmocka_unit_test(test_what_stands_in_base64_is_a_file),
		cmocka_unit_test(test_what_is_no_property_is_kept),
		cmocka_unit_test(test_long_cards_take_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
