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

/* Words that speak of armour, and have none. */
static void test_what_only_looks_like_a_block_is_none(void **state)
{
	static const char *const texts[] = {"> " MESSAGE, " " MESSAGE,
		"see -----BEGIN PGP MESSAGE-----\n-----END PGP MESSAGE-----\n",
		"-----BEGIN PGP MESSAGE-----\nabcd\n",
		"-----BEGIN PGP MESSAGE----- x\n-----END PGP MESSAGE-----\n",
		"-----BEGIN PGP MESSAGE-----\n> -----END PGP MESSAGE-----\n", "-----BEGIN PGP ", ""};
	struct armour armour;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct str rest = str_of(texts[i]);

		if (armour_next(&rest, &armour))
			fail_msg("\"%s\" was taken for a block", texts[i]);
	}
}

#define LINE1 "hQEMAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1"
#define LINE2 "AbCd12=="
#define BEGIN "-----BEGIN PGP MESSAGE-----"
#define END   "-----END PGP MESSAGE-----"

/* As programs quote, indent, join and cut it: the same comes out. */
static void test_mangled_blocks_are_made_whole(void **state)
{
	static const struct {
		const char *text, *before, *behind;
		bool unclosed;
	} samples[] = {
		{"a\n> " BEGIN "\n> Version: x y\n>\n> " LINE1 "\n> " LINE2 "\n> =aBcD\n> " END "\nb", "a\n",
			"b", false},
		{">> " BEGIN "\n>>\n>> " LINE1 "\n>> " LINE2 "\n>> =aBcD\n>> " END "\n", "", "", false},
		{"    " BEGIN "\n\n    " LINE1 "\n    " LINE2 "\n    =aBcD\n    " END "\n", "", "", false},
		{"Secret: " BEGIN "\n\n" LINE1 "\n" LINE2 "\n=aBcD\n" END "\nb", "Secret: ", "b", false},
		{BEGIN " Version: x y " LINE1 " " LINE2 " =aBcD " END " bye", "", " bye", false},
		{BEGIN "\n\n" LINE1 "\n" LINE2 "\n=aBcD " END "\n", "", "", false},
		{BEGIN "\r\nVersion: x y\r\n\r\n" LINE1 "\r\n" LINE2 "\r\n=aBcD\r\nBye then\r\n", "",
			"Bye then\r\n", true},
		{BEGIN "\n\n" LINE1 "\n" LINE2 "\n=aBcD", "", "", true},
	};
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct str rest = str_of(samples[i].text), clean;
		struct armour armour;

		if (!armour_next(&rest, &armour))
			fail_msg("%zu: not found", i);
		clean = armour_clean(&armour, arena);
		assert_true(armour.odd);
		assert_int_equal(armour.unclosed, samples[i].unclosed);
		if (!str_equal(clean, STR(BEGIN "\n\n" LINE1 "\n" LINE2 "\n=aBcD\n" END "\n")))
			fail_msg("%zu: \"" STR_FMT "\"", i, STR_ARG(clean));
		if (!str_equal(armour.before, str_of(samples[i].before)) ||
			!str_equal(rest, str_of(samples[i].behind)))
			fail_msg("%zu: \"" STR_FMT "\" before, \"" STR_FMT "\" behind", i,
				STR_ARG(armour.before), STR_ARG(rest));
	}
	arena_free(&arena);
}

/* What was put in front of the lines goes, what was signed stays. */
static void test_a_quoted_signed_text_is_what_was_signed(void **state)
{
	struct str rest =
		STR("> -----BEGIN PGP SIGNED MESSAGE-----\n> Hash: SHA256\n>\n> > cited\n> text\n"
		    "> -----BEGIN PGP SIGNATURE-----\n>\n> " LINE1 "\n> -----END PGP SIGNATURE-----\n");
	struct arena *arena = arena_new(4096);
	struct armour armour;

	(void)state;
	assert_true(armour_next(&rest, &armour));
	assert_int_equal(armour.kind, ARMOUR_SIGNED);
	assert_true(str_equal(armour_clean(&armour, arena),
		STR("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n> cited\ntext\n"
		    "-----BEGIN PGP SIGNATURE-----\n\n" LINE1 "\n-----END PGP SIGNATURE-----\n")));
	arena_free(&arena);
}

/* A beginning without an end does not hide the block behind it. */
static void test_a_dangling_beginning_hides_nothing(void **state)
{
	struct str rest = STR("-----BEGIN PGP SIGNED MESSAGE-----\nlost\n" MESSAGE);

	(void)state;
	assert_next(&rest, ARMOUR_SIGNED, "", "-----BEGIN PGP SIGNED MESSAGE-----\n");
	assert_next(&rest, ARMOUR_MESSAGE, "lost\n", MESSAGE);
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
	assert_int_equal(armour_guess(STR("\x89\x01\x33")), ARMOUR_SIGNATURE);
	assert_int_equal(armour_guess(STR("\xef\xbb\xbf\r\n  " MESSAGE)), ARMOUR_MESSAGE);
	assert_int_equal(armour_guess(STR("PK\x03\x04")), ARMOUR_NONE);
	assert_int_equal(armour_guess(STR("")), ARMOUR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_are_found_one_after_another),
		cmocka_unit_test(test_lines_may_end_in_blanks_and_crlf),
		cmocka_unit_test(test_what_only_looks_like_a_block_is_none),
		cmocka_unit_test(test_mangled_blocks_are_made_whole),
		cmocka_unit_test(test_a_quoted_signed_text_is_what_was_signed),
		cmocka_unit_test(test_a_dangling_beginning_hides_nothing),
		cmocka_unit_test(test_many_beginnings_take_linear_time),
		cmocka_unit_test(test_files_are_known_by_their_first_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
