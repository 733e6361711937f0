#include "unit.h"

#include <stdio.h>

#include "base/clock.h"
#include "model/entry.h"

/* What senders are told, and what people make of it. */

static bool found(const char *text, struct receipt *receipt)
{
	struct str rest = str_of(text);

	return receipt_find(&rest, receipt);
}

static void test_what_is_told_is_found_again(void **state)
{
	struct entry_id id = {.day = (int32_t)(clock_of_civil(2026, 11, 22, 0, 0, 0) / CLOCK_DAY),
		.spool = {0x1f, 0x3a, 0x55, 0xaa, 1, 2},
		.sequence = 17};
	char text[ENTRY_ID_TEXT];
	struct receipt receipt;

	(void)state;
	assert_string_equal(entry_id_format(&id, text), "20261122-1f3a55aa-17");
	assert_true(found(text, &receipt));
	assert_false(receipt.of_line);
	assert_int_equal(receipt.day, id.day);
	assert_string_equal(receipt.spool, "1f3a55aa");
	assert_int_equal(receipt.sequence, 17);
}

static void test_as_people_paste_it(void **state)
{
	static const char *const texts[] = {
		"[20261122-1F3A55AA-17]",
		"<20261122-1f3a55aa-17>.",
		"250 2.0.0 queued as 20261122-1f3a55aa-17",
		"250 2.0.0 queued as 20261122-1f3a55aa-17\r\n",
		"status=sent (250 2.0.0 queued as 20261122-1f3a55aa-17)",
		"{\"entries\":[\"20261122-1f3a55aa-17\",\"20261122-1f3a55aa-18\"]}",
		"Nov 22 10:00:00 mx postfix/lmtp[12345]: 20261122: queued as 20261122-1f3a55aa-17",
	};
	struct receipt receipt;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!found(texts[i], &receipt))
			fail_msg("nothing found in %s", texts[i]);
		assert_false(receipt.of_line);
		assert_string_equal(receipt.spool, "1f3a55aa");
		assert_int_equal(receipt.sequence, 17);
	}
}

static void test_a_line_of_a_session(void **state)
{
	struct receipt receipt;
	char text[UUID_TEXT];

	(void)state;
	assert_true(found("session 6BA7B810-9dad-11d1-80b4-00c04fd430c8:4711 ", &receipt));
	assert_true(receipt.of_line);
	assert_string_equal(uuid_format(receipt.session, text), "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
	assert_int_equal(receipt.line, 4711);
}

static void test_what_is_none(void **state)
{
	static const char *const texts[] = {"", "queued", "202611-17", "20261322-1f3a55aa-17",
		"20261122-1f3a55a-17", "20261122-1f3a55aa-", "20261122-1f3a55aa-x", "120261122-1f3a55aa-17",
		"20261122-1f3a55aa-99999999999999999999", "20261122-1f3a55aa-17f",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8:", "6ba7b810-9dad-11d1-80b4-00c04fd430c8:0",
		"{\"ack\":12}", "20261122_1f3a55aa_17"};
	struct receipt receipt;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (found(texts[i], &receipt))
			fail_msg("found something in \"%s\"", texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_told_is_found_again),
		cmocka_unit_test(test_as_people_paste_it),
		cmocka_unit_test(test_a_line_of_a_session),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
