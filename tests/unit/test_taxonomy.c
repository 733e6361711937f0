#include "config.h"

#include "unit.h"

#include <json.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/rsit.h"
#include "model/severity.h"
#include "model/tlp.h"

static void test_rsit_has_39_types_that_are_read_in_every_form(void **state)
{
	(void)state;
	for (unsigned i = RSIT_FIRST; i < RSIT_COUNT; i++) {
		const char *name = rsit_name((enum rsit_type)i), *class = rsit_class((enum rsit_type)i);
		char forms[3][120];
		snprintf(forms[0], sizeof(forms[0]), " %s", name);
		snprintf(forms[1], sizeof(forms[1]), "%s/%s", class, name);
		snprintf(forms[2], sizeof(forms[2]), "RSIT:%s=\"%s\"", class, name);
		for (int form = 0; form < 3; form++) {
			enum rsit_type type = RSIT_NONE;
			assert_true(rsit_parse(str_of(forms[form]), &type));
			assert_int_equal(type, i);
		}
	}
	assert_string_equal(rsit_name(RSIT_NONE), "undetermined");
	assert_string_equal(rsit_name((enum rsit_type)4711), "undetermined");
}

static void test_rsit_refuses_and_suggests(void **state)
{
	static const char *const bad[] = {"", "fraud", "fraud/spam", "rsit:fraud=phishing",
		"rsit:=\"phishing\"", "rsit:phishing", "/phishing", "phishing/", "rsit:fraud=\"",
		"rsit:fraud=\"phishing\" "};
	enum rsit_type type;
	(void)state;
	for (size_t i = 0; i + 1 < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(rsit_parse(str_of(bad[i]), &type));
	assert_true(rsit_parse(str_of(bad[9]), &type)); /* white space around is trimmed */
	assert_string_equal(rsit_suggest(STR("phising")), "phishing");
	assert_string_equal(rsit_suggest(STR("infected_system")), "infected-system");
	assert_null(rsit_suggest(STR("banana-bread-recipe")));
}

/* The table against ENISA's own file, where the shared data is at hand. */
static void test_rsit_is_the_published_taxonomy(void **state)
{
	const char *data = getenv("CIRTD_SHARED_DATA");
	char path[4096];
	(void)state;
	if (!data)
		skip();
	snprintf(path, sizeof(path), "%s/taxonomies/misp-rsit.json", data);
	struct json_object *root = json_object_from_file(path), *classes;
	assert_true(json_object_object_get_ex(root, "values", &classes));
	unsigned count = 0;
	for (size_t i = 0; i < json_object_array_length(classes); i++) {
		struct json_object *class = json_object_array_get_idx(classes, i);
		struct json_object *types = json_object_object_get(class, "entry");
		for (size_t n = 0; n < json_object_array_length(types); n++, count++) {
			struct json_object *entry = json_object_array_get_idx(types, n);
			enum rsit_type type;
			assert_true(rsit_parse(
				str_of(json_object_get_string(json_object_object_get(entry, "value"))),
				&type));
			assert_string_equal(rsit_class(type),
				json_object_get_string(json_object_object_get(class, "predicate")));
		}
	}
	assert_int_equal(count, RSIT_COUNT - RSIT_FIRST);
	json_object_put(root);
}

static void test_tlp_is_read_and_never_guessed(void **state)
{
	enum tlp tlp;
	enum pap pap;
	(void)state;
	for (int i = TLP_CLEAR; i <= TLP_RED; i++) {
		assert_true(tlp_parse(str_of(tlp_name((enum tlp)i)), &tlp));
		assert_int_equal(tlp, i);
		assert_true(tlp_of_marking(str_of(tlp_marking((enum tlp)i)), &tlp));
		assert_int_equal(tlp, i);
	}
	assert_true(tlp_parse(STR("TLP:Amber+Strict"), &tlp) && tlp == TLP_AMBER_STRICT);
	assert_true(tlp_parse(STR(" tlp:WHITE "), &tlp) && tlp == TLP_CLEAR);
	assert_true(pap_parse(STR("PAP:RED"), &pap) && pap == PAP_RED);
	assert_false(pap_parse(STR("amber+strict"), &pap));
	assert_false(tlp_parse(STR(""), &tlp) || tlp_parse(STR("TLP:"), &tlp) ||
		     tlp_parse(STR("TLP:BLUE"), &tlp) || tlp_parse(STR("amberstrict"), &tlp) ||
		     tlp_parse(STR("PAP:RED"), &tlp));
	assert_true(tlp_of_marking(STR("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"), &tlp) &&
		    tlp == TLP_CLEAR);
	assert_false(tlp_of_marking(STR("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dca"), &tlp));
	assert_string_equal(tlp_marking(TLP_UNSTATED), tlp_marking(TLP_AMBER));
	assert_string_equal(tlp_name((enum tlp)99), "");
}

/* What nobody stated is one of the five words all the same, and never the gravest. */
static void test_every_type_has_a_severity_of_its_own(void **state)
{
	enum rsit_type phishing, scanner, compromise;
	(void)state;
	for (unsigned i = 0; i < RSIT_COUNT; i++) {
		int severity = rsit_severity((enum rsit_type)i);
		assert_in_range(severity, 0, 79);
		assert_string_not_equal(severity_name(severity), "unknown");
	}
	assert_int_equal(rsit_severity((enum rsit_type)4711), rsit_severity(RSIT_NONE));
	assert_true(rsit_parse(STR("phishing"), &phishing) && rsit_parse(STR("scanner"), &scanner) &&
		    rsit_parse(STR("system-compromise"), &compromise));
	assert_true(rsit_severity(scanner) < rsit_severity(phishing));
	assert_true(rsit_severity(phishing) < rsit_severity(compromise));
}

static void test_severity_words_and_numbers_agree(void **state)
{
	int severity;
	(void)state;
	for (int i = 0; i <= 100; i++) {
		char number[12];
		snprintf(number, sizeof(number), "%d", i);
		assert_true(severity_parse(str_of(number), &severity) && severity == i);
		assert_true(severity_parse(str_of(severity_name(i)), &severity));
		assert_string_equal(severity_name(severity), severity_name(i));
	}
	assert_string_equal(severity_name(59), "medium");
	assert_string_equal(severity_name(60), "high");
	assert_string_equal(severity_name(-1), "unknown");
	assert_false(severity_parse(STR("101"), &severity) || severity_parse(STR("-1"), &severity) ||
		     severity_parse(STR("urgent"), &severity));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsit_has_39_types_that_are_read_in_every_form),
		cmocka_unit_test(test_rsit_refuses_and_suggests),
		cmocka_unit_test(test_rsit_is_the_published_taxonomy),
		cmocka_unit_test(test_tlp_is_read_and_never_guessed),
		cmocka_unit_test(test_severity_words_and_numbers_agree),
		cmocka_unit_test(test_every_type_has_a_severity_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
