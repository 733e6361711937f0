#include "unit.h"

#include <stdio.h>

#include "model/reply_seal.h"

#define KEY  STR("0123456789abcdef0123456789abcdef")
#define BASE STR("case@cirt.example")

static void test_what_is_given_is_taken(void **state)
{
	struct arena *arena = arena_new(512);
	char number[REPLY_NUMBER];
	struct str mailbox;

	(void)state;
	struct str address = reply_address(KEY, BASE, STR("2026-000412"), arena);
	assert_int_equal(address.len, strlen("case+2026-000412-") + REPLY_SEAL + strlen("@cirt.example"));
	assert_int_equal(reply_check(KEY, address, arena, number, &mailbox), REPLY_SEALED);
	assert_string_equal(number, "2026-000412");
	assert_true(str_equal(mailbox, BASE));
	char *upper = arena_alloc(arena, address.len + 1);
	for (size_t i = 0; i < address.len; i++)
		upper[i] =
			(char)(address.p[i] >= 'a' && address.p[i] <= 'z' ? address.p[i] - 32 : address.p[i]);
	assert_int_equal(
		reply_check(KEY, (struct str){upper, address.len}, arena, number, NULL), REPLY_SEALED);
	arena_free(&arena);
}

/* The seal of these is known for good: an address that was given away years ago must hold. */
static void test_seal_stays(void **state)
{
	struct arena *arena = arena_new(512);

	(void)state;
	struct str address = reply_address(KEY, BASE, STR("2026-000412"), arena);
	assert_string_equal(address.p, "case+2026-000412-dfazuxmp3skphgb7@cirt.example");
	arena_free(&arena);
}

static void test_number_of_a_mail_of_ours(void **state)
{
	struct arena *arena = arena_new(512);
	struct str address = reply_address(KEY, STR("bounce@cirt.example"), STR("N2026-000123"), arena),
		   mailbox;
	char number[REPLY_NUMBER], text[200];

	(void)state;
	assert_int_equal(reply_check(KEY, address, arena, number, &mailbox), REPLY_SEALED);
	assert_string_equal(number, "N2026-000123");
	assert_string_equal(mailbox.p, "bounce@cirt.example");
	/* Some servers change the case of what they give back; the case of that number is another's. */
	snprintf(text, sizeof(text), "%s", address.p);
	text[strlen("bounce+")] = 'n';
	assert_int_equal(reply_check(KEY, str_of(text), arena, number, NULL), REPLY_SEALED);
	assert_string_equal(number, "N2026-000123");
	memmove(text + strlen("bounce+"), text + strlen("bounce+N"), strlen(text + strlen("bounce+N")) + 1);
	assert_int_equal(reply_check(KEY, str_of(text), arena, number, NULL), REPLY_FORGED);
	arena_free(&arena);
}

static void test_forged(void **state)
{
	struct arena *arena = arena_new(512);
	struct str good = reply_address(KEY, BASE, STR("2026-000412"), arena);
	char text[200];

	(void)state;
	/* One character of the seal, the number, the year: each is noticed. */
	for (size_t i = strlen("case+"); i < strlen("case+2026-000412-") + REPLY_SEAL; i++) {
		snprintf(text, sizeof(text), "%s", good.p);
		text[i] = text[i] == '7' ? '6' : '7';
		assert_int_not_equal(reply_check(KEY, str_of(text), arena, NULL, NULL), REPLY_SEALED);
	}
	assert_int_equal(
		reply_check(KEY, STR("case+2026-000412-aaaaaaaaaaaaaaaa@cirt.example"), arena, NULL, NULL),
		REPLY_FORGED);
	assert_int_equal(
		reply_check(STR("another key, as long as it may be"), good, arena, NULL, NULL), REPLY_FORGED);
	assert_int_equal(reply_check(STR(""), good, arena, NULL, NULL), REPLY_FORGED);
	assert_null(reply_address(STR(""), BASE, STR("2026-000412"), arena).p);
	assert_null(reply_address(KEY, STR("nowhere"), STR("2026-000412"), arena).p);
	assert_null(reply_address(KEY, BASE, STR("2026-412"), arena).p);
	arena_free(&arena);
}

static void test_others_are_left_alone(void **state)
{
	static const char *const addresses[] = {"report@cirt.example", "drill+blue@cirt.example", "",
		"case+2026-000412@cirt.example", "case+x-aaaaaaaaaaaaaaaa@cirt.example", "@", "+@",
		"+2026-000412-aaaaaaaaaaaaaaaa@cirt.example", "case+2026-000412-aaaaaaaaaaaaaaaa",
		"2026-000412", "case+2026-00000000000000-aaaaaaaaaaaaaaaa@cirt.example"};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		assert_int_equal(reply_check(KEY, str_of(addresses[i]), NULL, NULL, NULL), REPLY_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_given_is_taken),
		cmocka_unit_test(test_seal_stays),
		cmocka_unit_test(test_number_of_a_mail_of_ours),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_others_are_left_alone),
	};

	return cmocka_run_group_tests_name("reply_seal", tests, NULL, NULL);
}
