#include "config.h"

#include "unit.h"

#include <json.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/observable.h"
#include "model/rsit.h"

static struct json_object *schema_open(void)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/etc/schema/native-line.json",
		getenv("top_srcdir") ? getenv("top_srcdir") : ".");
	struct json_object *schema = json_object_from_file(path);
	assert_non_null(schema);
	return schema;
}

/* The enum at the end of a path of member names. */
static struct json_object *words_at(struct json_object *at, const char *path)
{
	struct str rest = str_of(path), name;
	while (str_split(&rest, ' ', &name)) {
		char key[64];
		snprintf(key, sizeof(key), STR_FMT, STR_ARG(name));
		at = json_object_is_type(at, json_type_array)
		             ? json_object_array_get_idx(at, (size_t)atoi(key))
		             : json_object_object_get(at, key);
		assert_non_null(at);
	}
	return at;
}

static struct str word_at(struct json_object *words, size_t i)
{
	return str_of(json_object_get_string(json_object_array_get_idx(words, i)));
}

static void test_schema_has_the_types_of_the_table(void **state)
{
	struct json_object *schema = schema_open();
	struct json_object *words = words_at(schema, "properties type anyOf 0 enum");
	(void)state;
	assert_int_equal(json_object_array_length(words), RSIT_COUNT - RSIT_FIRST);
	for (size_t i = 0; i < json_object_array_length(words); i++)
		assert_str_is(word_at(words, i), rsit_name((enum rsit_type)(RSIT_FIRST + i)));
	json_object_put(schema);
}

static void test_schema_has_the_observables_of_the_table(void **state)
{
	struct json_object *schema = schema_open();
	struct json_object *types = words_at(schema, "properties observables items properties type enum");
	struct json_object *roles = words_at(schema, "properties observables items properties role enum");
	enum observable_type type;
	enum observable_role role;
	(void)state;
	for (size_t i = 0; i < json_object_array_length(types); i++) {
		assert_true(observable_type_parse(word_at(types, i), &type));
		if (i < OBSERVABLE_TYPES)
			assert_int_equal(type, i);
	}
	assert_true(json_object_array_length(types) >= OBSERVABLE_TYPES);
	assert_int_equal(json_object_array_length(roles), OBSERVABLE_ROLES + 1);
	for (size_t i = 0; i < json_object_array_length(roles); i++)
		assert_true(observable_role_parse(word_at(roles, i), &role));
	json_object_put(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schema_has_the_types_of_the_table),
		cmocka_unit_test(test_schema_has_the_observables_of_the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
