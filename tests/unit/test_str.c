#include "config.h"

#include "unit.h"

static void test_splits_trims_and_compares(void **state)
{
	struct str rest = STR("a,,b,"), piece;
	const char *expected[] = {"a", "", "b", ""};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(str_split(&rest, ',', &piece));
		assert_str_is(piece, expected[i]);
	}
	assert_false(str_split(&rest, ',', &piece));
	assert_str_is(str_trim(STR(" \t a b\r\n")), "a b");
	assert_int_equal(str_trim(STR("  ")).len, 0);
	assert_true(str_equal_nocase(STR("AbZ@["), STR("aBz@[")));
	assert_false(str_equal_nocase(STR("@"), STR("`")));
	assert_true(str_starts(STR("abc"), STR("ab")) && str_starts(STR("abc"), STR("")));
	assert_false(str_starts(STR("a"), STR("ab")));
	assert_true(str_ends(STR("abc"), STR("bc")));
	assert_false(str_ends(STR("c"), STR("bc")));
}

static void test_numbers_are_whole_and_do_not_overflow(void **state)
{
	uint64_t u;
	int64_t i;
	(void)state;
	assert_true(str_to_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
	assert_false(str_to_u64(STR("18446744073709551616"), &u));
	assert_false(str_to_u64(STR(""), &u) || str_to_u64(STR("+1"), &u) || str_to_u64(STR(" 1"), &u) ||
		     str_to_u64(STR("1x"), &u));
	assert_true(str_to_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
	assert_true(str_to_i64(STR("9223372036854775807"), &i) && i == INT64_MAX);
	assert_false(
		str_to_i64(STR("9223372036854775808"), &i) || str_to_i64(STR("-9223372036854775809"), &i));
	assert_false(str_to_i64(STR("-"), &i) || str_to_i64(STR("--1"), &i));
}

static void test_utf8_refuses_what_rfc_3629_refuses(void **state)
{
	static const char *const good[] = {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
		"\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "12345678\xc3\xa9",
		"1234567\xc3\xa9"};
	static const char *const bad[] = {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf",
		"\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
		"12345678\xff", "\xe2\x82"};
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(utf8_valid(str_of(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(utf8_valid(str_of(bad[i])));
}

/* Whatever bytes: reading ends, what was read is valid again, and equals the bytes where they were valid. */
static void test_utf8_any_bytes_become_valid(void **state)
{
	uint64_t seed = 1;
	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct buf in = {0}, out = {0};
		if (round % 2)
			chance_bytes(&seed, &in, chance_below(&seed, 40));
		else
			chance_text(&seed, &in, chance_below(&seed, 20));
		struct str rest = buf_view(&in);
		while (rest.len > 0)
			buf_utf8(&out, utf8_next(&rest));
		assert_true(utf8_valid(buf_view(&out)));
		assert_int_equal(utf8_valid(buf_view(&in)), str_equal(buf_view(&in), buf_view(&out)));
		size_t max = chance_below(&seed, 45);
		struct str cut = utf8_cut(buf_view(&in), max);
		assert_true(cut.len <= max || cut.len == in.len);
		if (utf8_valid(buf_view(&in))) {
			assert_true(utf8_valid(cut));
			assert_true(cut.len + 3 >= (max < in.len ? max : in.len));
		}
		buf_free(&in);
		buf_free(&out);
	}
}

static void test_mistyped_words_resemble_what_was_meant(void **state)
{
	size_t distance;
	(void)state;
	assert_true(str_resembles(STR("lmpt"), STR("lmtp"), &distance) && distance == 1);
	assert_true(str_resembles(STR("phising"), STR("phishing"), &distance) && distance == 1);
	assert_false(str_resembles(STR("banana"), STR("lmtp"), &distance));
	assert_false(str_resembles(STR(""), STR("lmtp"), &distance));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splits_trims_and_compares),
		cmocka_unit_test(test_numbers_are_whole_and_do_not_overflow),
		cmocka_unit_test(test_utf8_refuses_what_rfc_3629_refuses),
		cmocka_unit_test(test_utf8_any_bytes_become_valid),
		cmocka_unit_test(test_mistyped_words_resemble_what_was_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
