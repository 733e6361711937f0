#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ipc/rules_bundle.h"
#include "triage/rule_set.h"
#include "triage/rules_check.h"

struct file {
	const char *name;
	const char *source;
};

static struct buf bundle_of(const struct file *files, size_t count)
{
	struct buf bundle = {0};

	for (size_t i = 0; i < count; i++)
		rules_bundle_add(&bundle, str_of(files[i].name), str_of(files[i].source));
	return bundle;
}

static struct rule_set *compile(const struct file *files, size_t count)
{
	struct buf bundle = bundle_of(files, count);
	struct rule_set *rules;

	assert_true(rule_set_compile(buf_view(&bundle), 1000000, &rules, NULL));
	buf_free(&bundle);
	return rules;
}

static void on_match(const struct rule_match *match, void *context)
{
	struct buf *names = context;

	buf_printf(names, "%s/%s ", match->file, match->rule);
}

/* Names of the rules that match, each followed by a blank. */
static void assert_matches(
	struct rule_set *rules, unsigned scopes, const char *name, struct str bytes, const char *expected)
{
	struct part part = {.scopes = scopes, .name = str_of(name), .bytes = bytes};
	struct buf names = {0};

	assert_int_equal(rule_set_scan(rules, &part, on_match, &names), RULE_SCAN_DONE);
	assert_string_equal(buf_cstr(&names), expected);
	buf_free(&names);
}

#define RULE(name, meta) "rule " name " { meta: a = 1 " meta " strings: $x = \"needle\" condition: $x }\n"

static void test_a_bad_file_is_refused_with_its_line(void **state)
{
	static const struct file files[] = {
		{"a.yar", RULE("one", "")},
		{"b.yar", "rule x {\n condition:\n  no_such_thing }\n"},
		{"c.yar", RULE("one", "")},
		{"d.yar", "include \"/etc/passwd\"\n"},
		{"e.yar", RULE("two", "scope = \"everywhere\"")},
	};
	struct rule_set *rules = compile(files, ARRAY_LEN(files));
	const struct rule_refused *refused;
	size_t count;

	(void)state;
	refused = rule_set_refused(rules, &count);
	assert_int_equal(count, 3);
	assert_string_equal(refused[0].file, "b.yar");
	assert_int_equal(refused[0].line, 3);
	assert_non_null(strstr(refused[0].text, "no_such_thing"));
	assert_string_equal(refused[1].file, "d.yar");
	assert_string_equal(refused[2].file, "e.yar");
	assert_non_null(strstr(refused[2].text, "event, text, file"));
	/* The same rule name in two files: each has its namespace. */
	assert_matches(rules, PART_TEXT, "text", STR("a needle"), "a.yar/one c.yar/one ");
	rule_set_free(&rules);
}

static void test_trap_27_scope_is_never_event_by_default(void **state)
{
	static const struct file files[] = {
		{"none.yar", RULE("bare", "")},
		{"event.yar", RULE("event", "scope = \"event\"")},
		{"text.yar", RULE("prose", "scope = \"text\"")},
		{"both.yar", RULE("both", "scope = \"event, file\"")},
		{"mixed.yar", RULE("quiet", "scope = \"file\"") RULE("loud", "scope = \"event\"")},
	};
	struct rule_set *rules = compile(files, ARRAY_LEN(files));

	(void)state;
	assert_int_equal(rule_set_rules(rules, PART_EVENT), 3);
	assert_int_equal(rule_set_rules(rules, PART_TEXT), 2);
	assert_int_equal(rule_set_rules(rules, PART_FILE), 3);
	assert_matches(
		rules, PART_EVENT, "doc", STR("needle"), "event.yar/event both.yar/both mixed.yar/loud ");
	assert_matches(rules, PART_TEXT, "text", STR("needle"), "none.yar/bare text.yar/prose ");
	assert_matches(
		rules, PART_FILE, "a.txt", STR("needle"), "none.yar/bare both.yar/both mixed.yar/quiet ");
	rule_set_free(&rules);
}

static void test_module_rules_see_their_format_only(void **state)
{
	static const struct file files[] = {
		{"pe.yar", "import \"pe\"\nrule pe { condition: true }\n"},
		{"elf.yar", " import  \"elf\"\nrule elf { condition: true }\n"},
		{"net.yar", "import \"dotnet\"\nrule net { condition: true }\n"},
		{"any.yar", "import \"math\"\nrule all_files { condition: true }\n"},
	};
	struct rule_set *rules = compile(files, ARRAY_LEN(files));
	char pe[256] = "MZ";

	(void)state;
	pe[0x3c] = 0x40;
	memcpy(pe + 0x40, "PE\0\0", 4);
	assert_matches(rules, PART_FILE, "a.txt", STR("text"), "any.yar/all_files ");
	assert_matches(rules, PART_FILE, "a", STR("\177ELF\2\1\1"), "elf.yar/elf any.yar/all_files ");
	assert_matches(
		rules, PART_FILE, "a.exe", (struct str){pe, sizeof(pe)}, "pe.yar/pe any.yar/all_files ");
	/* An MZ that points nowhere is no PE file. */
	pe[0x3d] = 0x7f;
	assert_matches(rules, PART_FILE, "a.exe", (struct str){pe, sizeof(pe)}, "any.yar/all_files ");
	rule_set_free(&rules);
}

static void test_external_variables_are_set_and_forgotten(void **state)
{
	static const struct file files[] = {
		{"a.yar", "rule named { meta: scope = \"event,file\" condition: filename == \"b.exe\" and "
			  "filepath == \"a.zip/b.exe\" "
			  "and extension == \".exe\" and filetype == \"\" and owner == \"\" }"},
	};
	struct rule_set *rules = compile(files, 1);

	(void)state;
	assert_matches(rules, PART_FILE, "a.zip/b.exe", STR("x"), "a.yar/named ");
	assert_matches(rules, PART_FILE, "c.exe", STR("x"), "");
	assert_matches(rules, PART_FILE, "a.zip/b.exe", STR("x"), "a.yar/named ");
	assert_matches(rules, PART_EVENT, "a.zip/b.exe", STR("x"), "");
	rule_set_free(&rules);
}

static void test_digest_tells_sets_apart(void **state)
{
	static const struct file files[] = {{"a.yar", RULE("one", "")}, {"b.yar", RULE("two", "")}};
	struct rule_set *one = compile(files, 1), *again = compile(files, 1), *two = compile(files, 2);

	(void)state;
	assert_string_equal(rule_set_digest(one), rule_set_digest(again));
	assert_string_not_equal(rule_set_digest(one), rule_set_digest(two));
	rule_set_free(&one);
	rule_set_free(&again);
	rule_set_free(&two);
}

static void assert_item(struct json_object *page, size_t index, const char *file, const char *state)
{
	struct json_object *item = json_object_array_get_idx(json_object_object_get(page, "items"), index);

	assert_string_equal(json_object_get_string(json_object_object_get(item, "file")), file);
	assert_string_equal(json_object_get_string(json_object_object_get(item, "state")), state);
}

static void test_hello_is_json(void **state)
{
	static const struct file files[] = {{"a\".yar", RULE("one", "")}, {"b.yar", "rule {"}};
	struct rule_set *rules = compile(files, 2);
	struct buf json = {0};
	struct json_object *whole, *object;

	(void)state;
	buf_text(&json, "{\"a\":1");
	rule_set_describe(rules, &json);
	buf_char(&json, '}');
	whole = json_tokener_parse(buf_cstr(&json));
	assert_non_null(whole);
	object = json_object_object_get(whole, "rules");
	assert_item(object, 0, "a\".yar", "loaded");
	assert_item(object, 1, "b.yar", "refused");
	assert_int_equal(json_object_array_length(json_object_object_get(object, "cost")), 3);
	json_object_put(whole);
	buf_free(&json);
	rule_set_free(&rules);
}

/* libyara's own time limit lets this one run for minutes. */
#define SLOW_RULE "rule slow { strings: $x = /aaaa.{0,300}aaa.{0,300}b/ condition: $x }\n"

static void test_trap_09_check_names_what_is_slow(void **state)
{
	static const struct file files[] = {
		{"a.yar", RULE("one", "")}, {"slow.yar", SLOW_RULE}, {"z.yar", "rule z {"}};
	struct buf bundle = bundle_of(files, ARRAY_LEN(files)), json = {0};
	struct json_object *object;

	(void)state;
	assert_true(rules_examine(buf_view(&bundle), 300000, &json, NULL));
	object = json_tokener_parse(buf_cstr(&json));
	assert_non_null(object);
	assert_false(json_object_get_boolean(json_object_object_get(object, "ok")));
	assert_item(object, 0, "a.yar", "ok");
	assert_item(object, 1, "slow.yar", "too slow");
	assert_item(object, 2, "z.yar", "refused");
	json_object_put(object);
	buf_free(&bundle);
	buf_free(&json);
}

static void test_check_of_good_rules_is_ok(void **state)
{
	static const struct file files[] = {{"a.yar", RULE("one", "")}};
	struct buf bundle = bundle_of(files, 1), json = {0};

	(void)state;
	assert_true(rules_examine(buf_view(&bundle), 10000000, &json, NULL));
	assert_true(str_starts(buf_view(&json), STR("{\"ok\":true")));
	buf_free(&bundle);
	buf_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_bad_file_is_refused_with_its_line),
		cmocka_unit_test(test_trap_27_scope_is_never_event_by_default),
		cmocka_unit_test(test_module_rules_see_their_format_only),
		cmocka_unit_test(test_external_variables_are_set_and_forgotten),
		cmocka_unit_test(test_digest_tells_sets_apart),
		cmocka_unit_test(test_hello_is_json),
		cmocka_unit_test(test_trap_09_check_names_what_is_slow),
		cmocka_unit_test(test_check_of_good_rules_is_ok),
	};

	if (!rule_engine_start(NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
