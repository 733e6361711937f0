#include "config.h"

#include "unit.h"

#include <stdio.h>

#include "base/map.h"

#define KEYS 500

static void *value_of(size_t number)
{
	return (void *)(uintptr_t)number;
}

/* A map against an array that does the same, with numbers and bytes as keys beside each other. */
static void test_does_what_an_array_does(void **state)
{
	struct map *map = map_new();
	size_t numbers[KEYS] = {0}, texts[KEYS] = {0}, count = 0;
	uint64_t seed = 3;
	(void)state;
	for (size_t round = 1; round < 60000; round++) {
		size_t key = chance_below(&seed, KEYS);
		char text[16];
		struct str name = {text, (size_t)snprintf(text, sizeof(text), "k%zu", key)};
		bool by_text = chance(&seed) & 1;
		bool put = chance_below(&seed, 100) < (round / 10000 % 2 ? 30u : 60u);
		size_t *expected = by_text ? &texts[key] : &numbers[key];
		void *before = put       ? by_text ? map_put_str(map, name, value_of(round))
		                                   : map_put(map, key, value_of(round))
		                     : by_text ? map_remove_str(map, name)
		                         : map_remove(map, key);
		assert_ptr_equal(before, value_of(*expected));
		count += (size_t)put - (*expected != 0);
		*expected = put ? round : 0;
		assert_ptr_equal(by_text ? map_get_str(map, name) : map_get(map, key), value_of(*expected));
		assert_int_equal(map_count(map), count);
	}
	map_free(&map);
	assert_null(map);
}

static void test_walk_may_remove_what_it_was_given(void **state)
{
	struct map *map = map_new();
	bool seen[KEYS] = {false};
	size_t cursor = 0, walked = 0;
	uint64_t key;
	void *value;
	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		map_put(map, i, value_of(i + 1));
		map_put_str(map, (struct str){(const char *)&i, sizeof(i)}, value_of(i + 1));
	}
	while (map_next(map, &cursor, &key, &value)) {
		assert_false(seen[key]);
		seen[key] = true;
		walked++;
		if (key % 3 == 0)
			assert_ptr_equal(map_remove(map, key), value);
	}
	assert_int_equal(walked, KEYS);
	struct str name;
	for (cursor = 0, walked = 0; map_next_str(map, &cursor, &name, &value); walked++)
		map_remove_str(map, name);
	assert_int_equal(walked, KEYS);
	assert_int_equal(map_count(map), KEYS - (KEYS + 2) / 3);
	map_free(&map);
}

static void test_empty_keys_and_maps(void **state)
{
	struct map *map = map_new();
	size_t cursor = 0;
	uint64_t key;
	void *value;
	(void)state;
	assert_null(map_get(map, 0));
	assert_null(map_remove_str(map, STR("x")));
	assert_false(map_next(map, &cursor, &key, &value));
	map_put_str(map, STR_NONE, value_of(7));
	assert_ptr_equal(map_get_str(map, STR("")), value_of(7));
	assert_null(map_get_str(map, (struct str){"\0", 1}));
	map_free(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_does_what_an_array_does),
		cmocka_unit_test(test_walk_may_remove_what_it_was_given),
		cmocka_unit_test(test_empty_keys_and_maps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
