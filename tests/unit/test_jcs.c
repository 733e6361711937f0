#include "config.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/mem.h"
#include "wire/jcs.h"
#include "wire/stix_sco.h"

static void expect(const char *json, const char *wanted)
{
	struct arena *arena = arena_new(0);
	struct buf out = {0};
	struct err err = {0};

	if (!jcs_write(str_of(json), 100, arena, &out, &err))
		fail_msg("%s: %s", json, err.text);
	assert_string_equal(buf_cstr(&out), wanted);
	buf_free(&out);
	arena_free(&arena);
}

static void refuse(struct str json, const char *reason)
{
	struct arena *arena = arena_new(0);
	struct buf out = {0};
	struct err err = {0};

	buf_text(&out, "before");
	assert_false(jcs_write(json, 100, arena, &out, &err));
	assert_string_equal(buf_cstr(&out), "before");
	if (!strstr(err.text, reason))
		fail_msg("\"%s\" says nothing of %s", err.text, reason);
	buf_free(&out);
	arena_free(&arena);
}

static void test_numbers_as_ecmascript_writes_them(void **state)
{
	static const char *const numbers[][2] = {
		{"0", "0"},
		{"-0", "0"},
		{"-0.0e5", "0"},
		{"1.50", "1.5"},
		{"100", "100"},
		{"1e20", "100000000000000000000"},
		{"1e21", "1e+21"},
		{"-1.5E+30", "-1.5e+30"},
		{"0.000001", "0.000001"},
		{"0.0000001", "1e-7"},
		{"0.00000123", "0.00000123"},
		{"123456789.125", "123456789.125"},
		/* RFC 8785 appendix B */
		{"5e-324", "5e-324"},
		{"1.7976931348623157e308", "1.7976931348623157e+308"},
		{"9007199254740992", "9007199254740992"},
		{"9007199254740993", "9007199254740992"},
		{"295147905179352830000", "295147905179352830000"},
		{"9.999999999999997e22", "9.999999999999997e+22"},
		{"999999999999999700000", "999999999999999700000"},
		{"9.999999999999997e-7", "9.999999999999997e-7"},
		{"333333333.33333343", "333333333.33333343"},
		{"-0.0000033333333333333333", "-0.0000033333333333333333"},
		{"1424953923781206.25", "1424953923781206.2"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		expect(numbers[i][0], numbers[i][1]);
}

static void test_texts_have_the_shortest_escapes(void **state)
{
	(void)state;
	expect("\"\\u0008\\t\\u000a\\f\\r\\u000b\\u001F\\\"\\\\\\/\\u007f\"",
		"\"\\b\\t\\n\\f\\r\\u000b\\u001f\\\"\\\\/\x7f\"");
	expect("\"\\u20ac\\ud83d\\ude00\"", "\"\u20ac\U0001F600\"");
	expect("\"a\\u0300\"", "\"a\u0300\""); /* nothing is composed */
}

/* U+10000 and above come before U+E000: by UTF-16, not by UTF-8. */
static void test_members_are_in_order_of_utf16(void **state)
{
	(void)state;
	expect(" { \"\\ufb33\" : 1 , \"\\ud83d\\ude00\" : 2 , \"\\u20ac\":3,\"1\":4,\"\\u0080\":5,\"\":6,"
	       "\"\\ud83d\\ude01\":7}",
		"{\"\":6,\"1\":4,\"\xc2\x80\":5,\"\u20ac\":3,\"\U0001F600\":2,\"\U0001F601\":7,\"\ufb33\":"
		"1}");
	expect("{\"b\":{\"d\":[true,{\"y\":null,\"x\":false}],\"c\":1},\"a\":[]}",
		"{\"a\":[],\"b\":{\"c\":1,\"d\":[true,{\"x\":false,\"y\":null}]}}");
}

static void test_what_has_no_canonical_form(void **state)
{
	char deep[220];

	(void)state;
	refuse(STR("{\"a\":1,\"b\":2,\"\\u0061\":3}"), "twice");
	refuse(STR("\"\\ud800\""), "surrogate");
	refuse(STR("\"\\udc00\\ud800\""), "surrogate");
	refuse(STR("1e400"), "double");
	refuse(STR("[1,]"), "value");
	refuse(STR("01"), "zeros");
	refuse(STR("\"\xff\""), "UTF-8");
	refuse(STR("{} {}"), "end");
	refuse(STR(""), "value");
	memset(deep, '[', sizeof(deep));
	refuse((struct str){deep, sizeof(deep)}, "levels");
}

/* The vectors that python-stix2 gives too. */
static void test_identifiers_of_observables(void **state)
{
	static const char *const vectors[][3] = {
		{"ipv4-addr", "{\"value\":\"198.51.100.3\"}", "28bb3599-77cd-5a82-a950-b5bc3caf07c4"},
		{"ipv6-addr", "{\"type\":\"ipv6-addr\",\"value\":\"2001:db8::1\"}",
			"6469e3a9-b053-5e34-a025-9396ae051d26"},
		{"url", "{\"value\":\"https:\\/\\/example.com\\/a?b=c\",\"defanged\":false}",
			"3bd48f67-7da9-5d3a-9512-26490dda399b"},
		{"email-addr", "{\"display_name\":\"J\",\"value\":\"john@example.com\"}",
			"7165e2a9-671f-585d-b1e1-ca59c671d934"},
		{"autonomous-system", "{\"number\":64500}", "0a5f7072-df00-5729-9f0a-4eb18631a446"},
		{"file",
			"{\"name\":\"empty.bin\",\"size\":0,\"hashes\":{\"SHA-256\":"
			"\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"MD5\":"
			"\"d41d8cd98f00b204e9800998ecf8427e\"}}",
			"a02d69c5-2e12-5d66-aa3b-6ae5039dc91b"},
		{"network-traffic",
			"{\"src_ref\":\"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4\",\"protocols\":["
			"\"ipv4\",\"tcp\"],\"start\":\"2020-01-01T00:00:00.5Z\",\"end\":"
			"\"2020-01-01T00:00:01Z\",\"dst_port\":80}",
			"90e144ad-09b1-5169-839c-e833df0547cc"},
		{"artifact", "{\"payload_bin\":\"dGVzdA==\",\"mime_type\":\"text/plain\"}",
			"01368fd0-e814-570b-b984-fac0860e1a17"},
	};
	struct arena *arena = arena_new(0);
	struct str id;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		assert_true(stix_sco_id(str_of(vectors[i][0]), str_of(vectors[i][1]), 100, arena, &id));
		assert_true(stix_id_is_named(id));
		assert_string_equal(id.p + strlen(vectors[i][0]) + 2, vectors[i][2]);
	}
	assert_false(stix_sco_id(STR("process"), STR("{\"pid\":1}"), 100, arena, &id));
	assert_false(stix_sco_id(STR("file"), STR("{\"size\":1}"), 100, arena, &id));
	assert_false(stix_sco_id(STR("indicator"), STR("{\"name\":\"a\"}"), 100, arena, &id));
	assert_false(stix_id_is_named(STR("process--f52a906a-0dfc-40bd-92f1-e7778ead38a9")));
	arena_free(&arena);
}

static const char *read_data(const char *folder, const char *kind, const char *file, struct buf *text)
{
	char name[512];
	struct err err;

	snprintf(name, sizeof(name), "%s/jcs/%s/%s", folder, kind, file);
	buf_clear(text);
	if (!file_read(name, 1 << 20, text, &err))
		fail_msg("%s", err.text);
	return buf_cstr(text);
}

/* The cases that come with the RFC, from a folder named by CIRTD_SHARED_DATA. */
static void test_cases_of_the_rfc(void **state)
{
	const char *folder = getenv("CIRTD_SHARED_DATA");
	char path[512];
	struct buf input = {0}, output = {0};
	struct dirent *entry;
	DIR *dir;

	(void)state;
	if (!folder)
		skip();
	snprintf(path, sizeof(path), "%s/jcs/input", folder);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (strstr(entry->d_name, ".json"))
			expect(read_data(folder, "input", entry->d_name, &input),
				read_data(folder, "output", entry->d_name, &output));
	}
	buf_free(&input);
	buf_free(&output);
	closedir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_as_ecmascript_writes_them),
		cmocka_unit_test(test_texts_have_the_shortest_escapes),
		cmocka_unit_test(test_members_are_in_order_of_utf16),
		cmocka_unit_test(test_what_has_no_canonical_form),
		cmocka_unit_test(test_identifiers_of_observables),
		cmocka_unit_test(test_cases_of_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
