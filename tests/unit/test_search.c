#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "desk/query.h"
#include "desk/search.h"
#include "model/observable.h"

static struct arena *arena;

static struct search search_of(const char *what)
{
	struct search search;
	struct err err;

	if (!search_parse(str_of(what), false, arena, &search, &err))
		fail_msg("%s: %s", what, err.text);
	return search;
}

/* Whether a report that names this would be found. */
static bool finds(const char *what, const char *named)
{
	struct search search = search_of(what);
	struct observable observable;
	int64_t keys[OBSERVABLE_KEYS];
	struct netaddr address;

	assert_true(observable_guess(str_of(named), arena, &observable));
	size_t count = observable_keys(&observable, keys);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < search.key_count; j++)
			if (keys[i] == search.keys[j])
				return !search.narrowed ||
				       (netaddr_parse(str_of(named), &address) &&
					       netaddr_contains(&search.prefix, &address));
	return false;
}

static void test_trap_24_addresses_are_found_under_every_prefix(void **state)
{
	static const char *const around[] = {"198.51.100.77", "198.51.100.64/26", "198.51.100.0/24",
		"198.51.96.0/20", "198.51.0.0/16", "198.48.0.0/12", "198.0.0.0/8"};

	(void)state;
	for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++)
		if (!finds(around[i], "198.51.100.77"))
			fail_msg("198.51.100.77 is not found in %s", around[i]);
	assert_false(finds("198.51.100.0/26", "198.51.100.77"));
	assert_false(finds("198.51.101.0/24", "198.51.100.77"));
	assert_false(finds("198.51.112.0/20", "198.51.100.77"));
	assert_false(finds("197.0.0.0/8", "198.51.100.77"));
}

static void test_trap_24_the_same_in_ipv6(void **state)
{
	static const char *const around[] = {"2001:db8:1:2::7", "2001:db8:1:2::/64", "2001:db8:1::/48",
		"2001:db8::/40", "2001:db8::/36", "2001:db8::/32", "2001:d00::/24"};

	(void)state;
	for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++)
		if (!finds(around[i], "2001:db8:1:2::7"))
			fail_msg("2001:db8:1:2::7 is not found in %s", around[i]);
	assert_false(finds("2001:db8:1:3::/64", "2001:db8:1:2::7"));
	assert_false(finds("2001:db9::/32", "2001:db8:1:2::7"));
}

static void test_too_wide_prefixes_are_refused(void **state)
{
	struct search search;
	struct err err;

	(void)state;
	assert_false(search_parse(STR("10.0.0.0/7"), false, arena, &search, &err));
	assert_non_null(strstr(err.text, "/8"));
	assert_false(search_parse(STR("2001::/16"), false, arena, &search, &err));
	assert_false(search_parse(STR("::/0"), false, arena, &search, &err));
}

static void test_trap_24_a_name_and_all_below_it(void **state)
{
	(void)state;
	assert_true(finds("example.org", "www.a.example.org"));
	assert_true(finds("WWW.A.Example.ORG", "www.a.example.org"));
	assert_true(finds("a.example.org", "http://www.a.example.org/login"));
	assert_true(finds("example.org", "somebody@mail.example.org"));
	assert_false(finds("b.example.org", "www.a.example.org"));
}

static void test_words_are_looked_for_as_words(void **state)
{
	struct search search = search_of("two words");
	struct err err;

	(void)state;
	assert_int_equal(search.key_count, 0);
	assert_true(str_equal(search.words, STR("two words")));
	search = search_of("open-rdp");
	assert_true(search.key_count > 0 && search.words.len > 0);
	assert_true(search_parse(STR("198.51.100.77"), true, arena, &search, &err));
	assert_int_equal(search.key_count, 0);
}

static void test_values_are_parameters(void **state)
{
	struct query query;

	(void)state;
	query_start(&query, arena, "SELECT 1 WHERE a = $?");
	query_str(&query, STR("'; DROP TABLE report; --"));
	query_add(&query, " AND b = $?::int AND c = $?");
	query_int(&query, 7);
	query_str(&query, STR_NONE);
	assert_string_equal(buf_cstr(&query.sql), "SELECT 1 WHERE a = $1 AND b = $2::int AND c = $3");
	assert_int_equal(query.count, 3);
	assert_true(str_equal(query.values[0].value, STR("'; DROP TABLE report; --")));
	assert_true(str_equal(query.values[1].value, STR("7")));
	assert_null(query.values[2].value.p);
	query_end(&query);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trap_24_addresses_are_found_under_every_prefix),
		cmocka_unit_test(test_trap_24_the_same_in_ipv6),
		cmocka_unit_test(test_too_wide_prefixes_are_refused),
		cmocka_unit_test(test_trap_24_a_name_and_all_below_it),
		cmocka_unit_test(test_words_are_looked_for_as_words),
		cmocka_unit_test(test_values_are_parameters),
	};

	arena = arena_new(65536);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return failed;
}
