#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "client/said.h"

static void assert_value(struct str value, const char *text)
{
	assert_int_equal(value.len, strlen(text));
	assert_memory_equal(value.p, text, value.len);
}

static void test_a_shape_knows_its_values(void **state)
{
	struct str values[SAID_VALUES] = {{0}};

	(void)state;
	assert_true(said_fits("there is no case {1}", str_of("there is no case 2026-000412"), values));
	assert_value(values[0], "2026-000412");
	assert_true(said_fits("{1} is {2}; from there it goes to {3}",
		str_of("2026-000001 is closed; from there it goes to open"), values));
	assert_value(values[0], "2026-000001");
	assert_value(values[1], "closed");
	assert_value(values[2], "open");
	assert_true(said_fits("nothing holds it", str_of("nothing holds it"), values));
	assert_true(said_fits("no \"{1}\"{2}", str_of("no \"a\""), values));
	assert_value(values[1], "");
}

static void test_another_text_does_not_fit(void **state)
{
	struct str values[SAID_VALUES] = {{0}};

	(void)state;
	assert_false(said_fits("nothing holds it", str_of("nothing holds it now"), values));
	assert_false(said_fits("there is no case {1}", str_of("there is no cas"), values));
	assert_false(said_fits("{1} is closed", str_of("closed"), values));
	assert_false(said_fits("a {1} b", str_of("a "), values));
	assert_false(said_fits("{1} of {2}", str_of(""), values));
	assert_false(said_fits("a{1}a", str_of("a"), values));
}

/* Values are whatever somebody typed: places and pieces of the shape in them are no more than letters. */
static void test_hostile_values_stay_values(void **state)
{
	struct str values[SAID_VALUES] = {{0}};

	(void)state;
	assert_true(
		said_fits("there is no tag \"{1}\"", str_of("there is no tag \"{2}\" or \"{9}\""), values));
	assert_value(values[0], "{2}\" or \"{9}");
	assert_true(said_fits("{1} is {2}", str_of(" is  is "), values));
}

static void test_every_shape_fits_what_is_made_by_it(void **state)
{
	(void)state;
	assert_non_null(said_table[0]);
	for (const char *const *shape = said_table; *shape; shape++) {
		struct str values[SAID_VALUES] = {{0}};
		struct buf text = {0}, out = {0};
		for (const char *p = *shape; *p; p++) {
			if (p[0] == '{' && p[1] >= '1' && p[1] <= '9' && p[2] == '}') {
				buf_text(&text, "2026-000412");
				p += 2;
			} else {
				buf_char(&text, *p);
			}
		}
		assert_true(said_fits(*shape, buf_view(&text), values));
		/* Without a catalogue the text is the desk's own. */
		said_translate(buf_view(&text), &out);
		assert_true(str_equal(buf_view(&out), buf_view(&text)));
		buf_free(&text);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_shape_knows_its_values),
		cmocka_unit_test(test_another_text_does_not_fit),
		cmocka_unit_test(test_hostile_values_stay_values),
		cmocka_unit_test(test_every_shape_fits_what_is_made_by_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
