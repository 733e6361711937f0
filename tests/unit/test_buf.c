#include "config.h"

#include "unit.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"

static void test_appends_consumes_and_is_taken(void **state)
{
	struct buf buf = {0};
	(void)state;
	assert_string_equal(buf_cstr(&buf), "");
	buf_text(&buf, "one");
	buf_char(&buf, ' ');
	buf_printf(&buf, "%d-%s", 2, "three");
	buf_append(&buf, NULL, 0);
	assert_string_equal(buf_cstr(&buf), "one 2-three");
	buf_consume(&buf, 4);
	assert_str_is(buf_view(&buf), "2-three");
	memcpy(buf_space(&buf, 2), "!!", 2);
	buf_grow(&buf, 2);
	buf_consume(&buf, 100);
	assert_int_equal(buf.len, 0);
	buf_text(&buf, "taken");
	char *text = buf_take(&buf);
	assert_string_equal(text, "taken");
	assert_null(buf.data);
	free(text);
	buf_free(&buf);
}

static void test_json_strings_cannot_break_out_or_steer_a_terminal(void **state)
{
	struct buf buf = {0};
	(void)state;
	buf_json_string(&buf, STR("a\"\\\n\x1b[31m\x7f\xc2\x9b\0\xff\xe2\x82\xac"));
	assert_string_equal(
		buf_cstr(&buf), "\"a\\\"\\\\\\n\\u001b[31m\\u007f\\u009b\\u0000\xef\xbf\xbd\xe2\x82\xac\"");
	buf_free(&buf);
}

static void test_arena_memory_is_clean_aligned_and_apart(void **state)
{
	struct arena *arena = arena_new(64);
	uint64_t seed = 2;
	(void)state;
	for (int round = 0; round < 3; round++) {
		unsigned char *memory[200];
		size_t sizes[200];
		for (unsigned i = 0; i < 200; i++) {
			sizes[i] = chance_below(&seed, i % 50 == 0 ? 9000 : 90);
			memory[i] = arena_alloc(arena, sizes[i]);
			assert_int_equal((uintptr_t)memory[i] % _Alignof(max_align_t), 0);
			for (size_t at = 0; at < sizes[i]; at++)
				assert_int_equal(memory[i][at], 0);
			memset(memory[i], (int)i, sizes[i]);
		}
		for (unsigned i = 0; i < 200; i++) {
			for (size_t at = 0; at < sizes[i]; at++)
				assert_int_equal(memory[i][at], (unsigned char)i);
		}
		assert_true(arena_size(arena) > 0);
		arena_reset(arena);
		assert_int_equal(arena_size(arena), 0);
	}
	arena_free(&arena);
	assert_null(arena);
}

static void test_arena_grows_the_newest_in_place(void **state)
{
	struct arena *arena = arena_new(1024);
	(void)state;
	int *list = arena_grow(arena, NULL, 0, sizeof(int));
	for (int i = 0; i < 100; i++) {
		list = arena_grow(arena, list, (size_t)i * sizeof(int), (size_t)(i + 1) * sizeof(int));
		list[i] = i;
	}
	void *before = list;
	list = arena_grow(arena, list, 100 * sizeof(int), 120 * sizeof(int));
	assert_ptr_equal(list, before);
	arena_alloc(arena, 1);
	list = arena_grow(arena, list, 120 * sizeof(int), 300 * sizeof(int));
	assert_ptr_not_equal(list, before);
	for (int i = 0; i < 300; i++)
		assert_int_equal(list[i], i < 100 ? i : 0);
	assert_str_is(arena_printf(arena, "%s-%d", "x", 7), "x-7");
	assert_str_is(arena_str(arena, STR("copy")), "copy");
	arena_free(&arena);
}

static void test_errors_are_one_line_and_may_be_left_out(void **state)
{
	struct err err = {0};
	(void)state;
	assert_false(err_set(NULL, ERR_BUG, "nobody asked"));
	assert_false(err_set(&err, ERR_MALFORMED, "line %d\nnext \x1b[0m", 3));
	assert_int_equal(err.code, ERR_MALFORMED);
	assert_string_equal(err.text, "line 3 next  [0m");
	err_prefix(&err, "%s", "file");
	assert_string_equal(err.text, "file: line 3 next  [0m");
	assert_int_equal(err.code, ERR_MALFORMED);
	for (int i = 0; i < 200; i++)
		err_prefix(&err, "\xe2\x82\xac");
	assert_true(utf8_valid(str_of(err.text)));
	assert_string_equal(err_code_name(ERR_NOSPACE), "no space");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appends_consumes_and_is_taken),
		cmocka_unit_test(test_json_strings_cannot_break_out_or_steer_a_terminal),
		cmocka_unit_test(test_arena_memory_is_clean_aligned_and_apart),
		cmocka_unit_test(test_arena_grows_the_newest_in_place),
		cmocka_unit_test(test_errors_are_one_line_and_may_be_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
