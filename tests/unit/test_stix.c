#include "config.h"

#include <dirent.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "wire/json_cut.h"
#include "wire/json_read.h"
#include "wire/pattern.h"
#include "wire/reading.h"

struct run {
	struct arena *arena;
	struct reading reading;
	struct err err;
	bool good;
};

static void run_begin(struct run *run, struct str bundle)
{
	run->arena = arena_new(65536);
	run->reading = (struct reading){.arena = run->arena, .limits = &reading_limits_default};
	run->err = (struct err){0};
	run->good = stix_read(&run->reading, bundle, STR("{}"), &run->err);
}

static size_t count_kind(const struct run *run, enum item_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < run->reading.item_count; i++)
		count += run->reading.items[i].kind == kind;
	return count;
}

static void indicator(struct buf *out, int n, const char *more)
{
	buf_printf(out,
		"{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--%08d-0000-4000-8000-"
		"000000000000\","
		"\"created\":\"2026-11-20T10:00:00.000Z\",\"modified\":\"2026-11-20T10:00:00.000Z\","
		"\"pattern\":\"[ipv4-addr:value = "
		"'198.51.%d.%d']\",\"pattern_type\":\"stix\",\"valid_from\":\"2026-11-20T10:00:00Z\"%s}",
		n, n / 256 % 256, n % 256, more);
}

static size_t flushed_items;

static void count_flush(struct reading *reading)
{
	flushed_items += reading->item_count;
}

/* 27 MB and 20,000 objects: what is built at any moment is one object, not the bundle. */
static void test_trap_28_large_bundle_is_read_object_by_object(void **state)
{
	struct buf bundle = {0}, filler = {0};
	struct arena *arena = arena_new(65536);
	struct reading reading = {.arena = arena, .limits = &reading_limits_default, .flush = count_flush};
	struct rusage before, after;

	(void)state;
	buf_text(&filler, ",\"description\":\"");
	while (filler.len < 1000)
		buf_text(&filler, "many words ");
	buf_text(&filler, "\"");
	buf_text(&bundle, "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[");
	for (int n = 0; n < 20000; n++) {
		buf_text(&bundle, n ? "," : "");
		indicator(&bundle, n, buf_cstr(&filler));
	}
	buf_text(&bundle, "]}");
	assert_true(bundle.len > 25 * 1000 * 1000);
	getrusage(RUSAGE_SELF, &before);
	flushed_items = 0;
	assert_true(stix_read(&reading, buf_view(&bundle), STR("{}"), NULL));
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(flushed_items + reading.item_count, 20000);
#ifndef WITH_SANITIZER
	assert_true(after.ru_maxrss - before.ru_maxrss < 30 * 1024);
#endif
	arena_free(&arena);
	buf_free(&bundle);
	buf_free(&filler);
}

/* Every byte or two an object: they do not become an item each. */
static void test_endless_objects_end_in_one_item(void **state)
{
	struct arena *arena = arena_new(0);
	struct reading_limits limits = reading_limits_default;
	struct reading reading = {.arena = arena, .limits = &limits};

	(void)state;
	limits.max_bad = 3;
	assert_true(
		stix_read(&reading, STR("{\"type\":\"bundle\",\"objects\":[0,0,0,0,0,0]}"), STR("{}"), NULL));
	assert_int_equal(reading.item_count, 4);
	assert_int_equal(reading.items[3].kind, ITEM_QUARANTINED);
	assert_true(str_equal(reading.items[3].bytes, STR("0,0,0]}")));
	arena_free(&arena);
	/* as many as are read, and then the end */
	arena = arena_new(0);
	reading = (struct reading){.arena = arena, .limits = &limits};
	assert_true(stix_read(&reading, STR("{\"type\":\"bundle\",\"objects\":[0,0,0]}"), STR("{}"), NULL));
	assert_int_equal(reading.item_count, 3);
	arena_free(&arena);
}

/* An array of zeros is 30 times as large once it is built. */
static void test_trap_28_large_object_is_quarantined_unparsed(void **state)
{
	struct buf bundle = {0};
	struct run run;

	(void)state;
	buf_text(&bundle, "{\"objects\":[{\"type\":\"x-a\",\"id\":\"x\",\"a\":[");
	while (bundle.len < 16 * 1000 * 1000)
		buf_text(&bundle, "0,");
	buf_text(&bundle, "0]},");
	indicator(&bundle, 1, "");
	buf_text(&bundle, "]}");
	run_begin(&run, buf_view(&bundle));
	assert_true(run.good);
	assert_int_equal(count_kind(&run, ITEM_QUARANTINED), 1);
	assert_int_equal(count_kind(&run, ITEM_REPORT), 1);
	assert_true(run.reading.items[0].bytes.len > 15 * 1000 * 1000);
	arena_free(&run.arena);
	buf_free(&bundle);
}

static void test_deep_object_is_quarantined(void **state)
{
	struct buf bundle = {0};
	struct run run;

	(void)state;
	buf_text(&bundle, "{\"objects\":[{\"type\":\"x-a\",\"a\":");
	for (int n = 0; n < 100000; n++)
		buf_char(&bundle, '[');
	for (int n = 0; n < 100000; n++)
		buf_char(&bundle, ']');
	buf_text(&bundle, "},");
	indicator(&bundle, 1, "");
	buf_text(&bundle, "]}");
	run_begin(&run, buf_view(&bundle));
	assert_true(run.good);
	assert_int_equal(count_kind(&run, ITEM_QUARANTINED), 1);
	assert_int_equal(count_kind(&run, ITEM_REPORT), 1);
	arena_free(&run.arena);
	buf_free(&bundle);
}

/* Reports that name each other, or all the same: following references costs no more than the bundle is large.
 */
static void test_references_are_bounded(void **state)
{
	struct buf bundle = {0}, refs = {0};
	struct run run;

	(void)state;
	for (int n = 0; n < 500; n++)
		buf_printf(&refs, "%s\"indicator--%08d-0000-4000-8000-000000000000\"", n ? "," : "", n);
	buf_text(&bundle, "[");
	for (int n = 0; n < 500; n++) {
		indicator(&bundle, n, "");
		buf_printf(&bundle,
			",{\"type\":\"report\",\"spec_version\":\"2.1\",\"id\":\"report--%08d-0000-4000-8000-"
			"000000000000\",\"created\":"
			"\"2026-11-20T10:00:00.000Z\",\"modified\":\"2026-11-20T10:00:00.000Z\",\"name\":"
			"\"r\",\"published\":"
			"\"2026-11-20T10:00:00Z\",\"object_refs\":[%s]}%s",
			n, buf_cstr(&refs), n < 499 ? "," : "]");
	}
	run_begin(&run, buf_view(&bundle));
	assert_true(run.good);
	assert_int_equal(count_kind(&run, ITEM_REPORT), 1000);
	arena_free(&run.arena);
	buf_free(&bundle);
	buf_free(&refs);
}

static void test_bad_object_costs_itself(void **state)
{
	static const char *const bad[] = {"17", "null", "{}", "{\"type\":\"indicator\"}", "[]",
		"{\"type\":\"indicator\" \"x\":1}", "{\"type\":\"x\",\"id\":\"\\ud800\"}", "{\"a\":\xff}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf bundle = {0};
		struct run run;
		buf_text(&bundle, "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[");
		indicator(&bundle, 1, "");
		buf_printf(&bundle, ",%s,", bad[i]);
		indicator(&bundle, 2, "");
		buf_text(&bundle, "]}");
		run_begin(&run, buf_view(&bundle));
		assert_true(run.good);
		assert_int_equal(count_kind(&run, ITEM_REPORT), 2);
		assert_int_equal(count_kind(&run, ITEM_QUARANTINED), 1);
		assert_true(str_equal(run.reading.items[1].bytes, str_of(bad[i])));
		assert_true(run.reading.items[1].reason.len > 0);
		arena_free(&run.arena);
		buf_free(&bundle);
	}
}

static void test_nothing_behind_a_bundle_is_lost(void **state)
{
	struct buf bundle = {0};
	struct run run;

	(void)state;
	buf_text(&bundle, "{\"objects\":[");
	indicator(&bundle, 1, "");
	buf_text(&bundle, "]} {\"objects\":[");
	indicator(&bundle, 2, "");
	buf_text(&bundle, "]}");
	run_begin(&run, buf_view(&bundle));
	assert_true(run.good);
	assert_int_equal(count_kind(&run, ITEM_REPORT), 2);
	assert_true(str_equal(run.reading.items[1].part, STR("bundle 2: objects[0]")));
	arena_free(&run.arena);
	buf_text(&bundle, "x");
	run_begin(&run, buf_view(&bundle));
	assert_int_equal(count_kind(&run, ITEM_REPORT), 2);
	assert_int_equal(count_kind(&run, ITEM_QUARANTINED), 1);
	arena_free(&run.arena);
	buf_free(&bundle);
}

static void test_not_stix_is_refused_whole(void **state)
{
	static const char *const inputs[] = {"", "x", "\"objects\"", "{\"objects\" [", "{\"a\":1,}x", "17"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		struct run run;
		run_begin(&run, str_of(inputs[i]));
		assert_false(run.good);
		assert_int_equal(run.err.code, ERR_MALFORMED);
		arena_free(&run.arena);
	}
}

static void test_objects_that_are_no_list_are_told(void **state)
{
	static const char *const inputs[] = {"{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":null}",
		"{\"objects\":null}", "{\"objects\":{\"id\":\"x\"},\"type\":\"bundle\"}",
		"{\"objects\":\"x\"}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		struct run run;
		run_begin(&run, str_of(inputs[i]));
		assert_false(run.good);
		assert_string_equal(run.err.text, "expected `objects` to be a list of STIX objects");
		arena_free(&run.arena);
	}
}

static void test_empty_pages_are_good(void **state)
{
	static const char *const inputs[] = {"{}", "[]", "{\"objects\":[]}",
		"{\"type\":\"bundle\",\"id\":\"bundle--1\"}", "{\"more\":false}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		struct run run;
		run_begin(&run, str_of(inputs[i]));
		assert_true(run.good);
		assert_int_equal(run.reading.item_count, 0);
		arena_free(&run.arena);
	}
}

static void test_pattern_comparisons(void **state)
{
	struct arena *arena = arena_new(4096);
	struct pattern pattern;
	struct err err;

	(void)state;
	assert_true(pattern_parse(STR("[a:b.'c-d'[*].e NOT IN ('x\\'y', 'z') AND (f:g >= 1.5 OR NOT EXISTS "
				      "h:i)] FOLLOWEDBY [j:k LIKE '%z'] "
				      "WITHIN 5 SECONDS"),
		arena, &pattern, &err));
	assert_int_equal(pattern.observation_count, 2);
	assert_int_equal(pattern.comparison_count, 4);
	assert_true(str_equal(pattern.comparisons[0].path, STR("b.c-d[*].e")));
	assert_true(pattern.comparisons[0].negated);
	assert_int_equal(pattern.comparisons[0].value_count, 2);
	assert_true(str_equal(pattern.comparisons[0].values[0], STR("x'y")));
	assert_int_equal(pattern.comparisons[2].operator, PATTERN_EXISTS);
	assert_int_equal(pattern.comparisons[3].operator, PATTERN_LIKE);
	arena_free(&arena);
}

static void test_pattern_nesting_is_bounded(void **state)
{
	struct arena *arena = arena_new(4096);
	struct buf text = {0};
	struct pattern pattern;
	struct err err;

	(void)state;
	for (int i = 0; i < 1000000; i++)
		buf_char(&text, '(');
	assert_false(pattern_parse(buf_view(&text), arena, &pattern, &err));
	buf_clear(&text);
	buf_char(&text, '[');
	for (int i = 0; i < 1000000; i++)
		buf_char(&text, '(');
	assert_false(pattern_parse(buf_view(&text), arena, &pattern, &err));
	buf_free(&text);
	arena_free(&arena);
}

/* --- against the data of others, where it is there --- */

static const char *shared(void)
{
	const char *top = getenv("CIRTD_SHARED_DATA");

	if (!top)
		skip();
	return top;
}

static void check_patterns(const char *file, bool good)
{
	const char *top = shared(); /* skips: before anything is allocated */
	struct arena *arena = arena_new(4096);
	struct json_object *list;
	struct buf text = {0};
	char path[4096];

	snprintf(path, sizeof(path), "%s/stix/patterns/%s", top, file);
	assert_true(file_read(path, 1 << 20, &text, NULL));
	assert_true(json_read(buf_view(&text), 10, &list, NULL));
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct str one = json_value_text(json_object_array_get_idx(list, i));
		struct pattern pattern;
		struct err err = {0};
		if (pattern_parse(one, arena, &pattern, &err) != good)
			fail_msg("%s: " STR_FMT ": %s", file, STR_ARG(one), err.text);
	}
	json_object_put(list);
	buf_free(&text);
	arena_free(&arena);
}

static void test_patterns_of_others(void **state)
{
	(void)state;
	check_patterns("valid.json", true);
	check_patterns("invalid.json", false);
}

/* Every file of a folder: valid ones land completely, of invalid ones something is quarantined, which says
 * why. */
static void check_bundles(const char *folder, bool valid)
{
	char path[4096], file[4400];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/stix/%s", shared(), folder);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct buf text = {0};
		struct run run;
		if (!str_ends(str_of(entry->d_name), STR(".json")))
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		assert_true(file_read(file, 64 << 20, &text, NULL));
		run_begin(&run, buf_view(&text));
		assert_true(run.good);
		if (valid != (count_kind(&run, ITEM_QUARANTINED) == 0))
			fail_msg("%s: %zu quarantined", file, count_kind(&run, ITEM_QUARANTINED));
		assert_true(run.reading.item_count > 0);
		arena_free(&run.arena);
		buf_free(&text);
	}
	closedir(dir);
}

static void test_bundles_of_others(void **state)
{
	static const char *const good[] = {
		"bundles/valid", "examples", "misp", "incident", "attack", "markings", "versions", "sco-ids"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		check_bundles(good[i], true);
	check_bundles("bundles/invalid", false);
}

/* A text as a property of an object between two good ones, which both land: does it land too? */
static bool lands_as_property(struct str text)
{
	struct buf bundle = {0};
	struct run run;
	bool landed;

	buf_text(&bundle, "{\"objects\":[");
	indicator(&bundle, 1, "");
	buf_text(&bundle,
		",{\"type\":\"x-any\",\"id\":\"x-any--00000001-0000-4000-8000-000000000000\",\"a\":");
	buf_str(&bundle, text);
	buf_text(&bundle, "},");
	indicator(&bundle, 2, "");
	buf_text(&bundle, "]}");
	run_begin(&run, buf_view(&bundle));
	landed = run.good && count_kind(&run, ITEM_CONTEXT) == 1 && count_kind(&run, ITEM_QUARANTINED) == 0;
	if (run.good)
		assert_true(count_kind(&run, ITEM_REPORT) > 0);
	arena_free(&run.arena);
	buf_free(&bundle);
	return landed;
}

/* What json-c would let through. */
static void test_json_is_read_strictly(void **state)
{
	static const char *const bad[] = {"{\"k\":1,\"k\":2}", "\"\\ud800\"", "1e400", "01", "NaN", "[1,]",
		"'a'", "\"\t\"", "\"\\x41\"", "tRUE", "-", "1.", "\"\xff\"", "[1 2]", "// a\n1"};

	(void)state;
	assert_true(lands_as_property(STR("{\"k\":[1.5e3,\"\\u0000\\ud83d\\ude00\",null,true,{}]}")));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (lands_as_property(str_of(bad[i])))
			fail_msg("%s was taken", bad[i]);
}

/* JSON that any parser must take (y_) or refuse (n_). Keys that stand twice are I-JSON's own refusal. */
static void test_json_of_others(void **state)
{
	char path[4096], file[4400];
	struct dirent *entry;
	size_t good = 0, bad = 0;
	DIR *dir;

	(void)state;
	snprintf(path, sizeof(path), "%s/json/test_parsing", shared());
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct buf text = {0};
		bool wanted = entry->d_name[0] == 'y' && !strstr(entry->d_name, "duplicated_key");
		bool landed;
		if (!str_ends(str_of(entry->d_name), STR(".json")) || entry->d_name[0] == 'i')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		assert_true(file_read(file, 64 << 20, &text, NULL));
		landed = lands_as_property(buf_view(&text));
		if (landed != wanted)
			fail_msg("%s was %s", file, landed ? "taken" : "refused");
		good += landed;
		bad += !landed;
		buf_free(&text);
	}
	closedir(dir);
	assert_true(good > 40 && bad > 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trap_28_large_bundle_is_read_object_by_object),
		cmocka_unit_test(test_endless_objects_end_in_one_item),
		cmocka_unit_test(test_trap_28_large_object_is_quarantined_unparsed),
		cmocka_unit_test(test_deep_object_is_quarantined),
		cmocka_unit_test(test_references_are_bounded),
		cmocka_unit_test(test_bad_object_costs_itself),
		cmocka_unit_test(test_nothing_behind_a_bundle_is_lost),
		cmocka_unit_test(test_not_stix_is_refused_whole),
		cmocka_unit_test(test_objects_that_are_no_list_are_told),
		cmocka_unit_test(test_empty_pages_are_good),
		cmocka_unit_test(test_pattern_comparisons),
		cmocka_unit_test(test_pattern_nesting_is_bounded),
		cmocka_unit_test(test_patterns_of_others),
		cmocka_unit_test(test_bundles_of_others),
		cmocka_unit_test(test_json_is_read_strictly),
		cmocka_unit_test(test_json_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
