#include "unit.h"

#include "wire/armour.h"

#define MESSAGE "-----BEGIN PGP MESSAGE-----\n\nabcd\n-----END PGP MESSAGE-----\n"
#define SIGNED                                                                                        \
	"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\ntext\n-----BEGIN PGP SIGNATURE-----\n\n" \
	"abcd\n-----END PGP SIGNATURE-----\n"

static void assert_next(struct str *rest, enum armour_kind kind, const char *before, const char *block)
{
	struct armour armour;

	assert_true(armour_next(rest, &armour));
	assert_int_equal(armour.kind, kind);
	assert_true(str_equal(armour.before, str_of(before)));
	assert_true(str_equal(armour.block, str_of(block)));
}

static void test_blocks_are_found_one_after_another(void **state)
{
	struct str rest = STR("Hello\n" MESSAGE "between\n" SIGNED "behind");
	struct armour armour;

	(void)state;
	assert_next(&rest, ARMOUR_MESSAGE, "Hello\n", MESSAGE);
	assert_next(&rest, ARMOUR_SIGNED, "between\n", SIGNED);
	assert_true(str_equal(rest, STR("behind")));
	assert_false(armour_next(&rest, &armour));
}

static void test_lines_may_end_in_blanks_and_crlf(void **state)
{
	static const char block[] =
		"-----BEGIN PGP MESSAGE----- \r\n\r\nabcd\r\n-----END PGP MESSAGE-----\t\r\n";
	struct str rest = str_of(block);

	(void)state;
	assert_next(&rest, ARMOUR_MESSAGE, "", block);
	assert_int_equal(rest.len, 0);
}

/* A marker in the middle of a line, quoted, indented or without its end is text. */
static void test_what_only_looks_like_a_block_is_none(void **state)
{
	static const char *const texts[] = {"> " MESSAGE, " " MESSAGE,
		"see -----BEGIN PGP MESSAGE-----\n-----END PGP MESSAGE-----\n",
		"-----BEGIN PGP MESSAGE-----\nabcd\n",
		"-----BEGIN PGP MESSAGE----- x\n-----END PGP MESSAGE-----\n",
		"-----BEGIN PGP MESSAGE-----\n> -----END PGP MESSAGE-----\n", ""};
	struct armour armour;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct str rest = str_of(texts[i]);

		if (armour_next(&rest, &armour))
			fail_msg("\"%s\" was taken for a block", texts[i]);
	}
}

/* A beginning without an end does not hide the block behind it. */
static void test_a_dangling_beginning_hides_nothing(void **state)
{
	struct str rest = STR("-----BEGIN PGP SIGNED MESSAGE-----\nlost\n" MESSAGE);

	(void)state;
	assert_next(&rest, ARMOUR_MESSAGE, "-----BEGIN PGP SIGNED MESSAGE-----\nlost\n", MESSAGE);
}

/* 100,000 beginnings and no end: looked through once per kind, not once per line. */
static void test_many_beginnings_take_linear_time(void **state)
{
	struct buf text = {0};
	struct str rest;
	struct armour armour;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_text(&text, "-----BEGIN PGP MESSAGE-----\n");
	rest = buf_view(&text);
	assert_false(armour_next(&rest, &armour));
	buf_free(&text);
}

static void test_files_are_known_by_their_first_bytes(void **state)
{
	(void)state;
	assert_int_equal(armour_guess(STR(MESSAGE)), ARMOUR_MESSAGE);
	assert_int_equal(armour_guess(STR(SIGNED)), ARMOUR_SIGNED);
	assert_int_equal(armour_guess(STR("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")), ARMOUR_KEY);
	assert_int_equal(armour_guess(STR("\x84\x5e\x03")), ARMOUR_MESSAGE); /* session key, old header */
	assert_int_equal(armour_guess(STR("\xc1\xc0\x4c")), ARMOUR_MESSAGE); /* the same, new header */
	assert_int_equal(armour_guess(STR("\x99\x01\x0d")), ARMOUR_NONE);    /* a public key */
	assert_int_equal(armour_guess(STR("PK\x03\x04")), ARMOUR_NONE);
	assert_int_equal(armour_guess(STR("")), ARMOUR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_are_found_one_after_another),
		cmocka_unit_test(test_lines_may_end_in_blanks_and_crlf),
		cmocka_unit_test(test_what_only_looks_like_a_block_is_none),
		cmocka_unit_test(test_a_dangling_beginning_hides_nothing),
		cmocka_unit_test(test_many_beginnings_take_linear_time),
		cmocka_unit_test(test_files_are_known_by_their_first_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
