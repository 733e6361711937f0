#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "wire/native.h"

static struct reading reading_new(void)
{
	return (struct reading){.arena = arena_new(0), .limits = &reading_limits_default};
}

static struct reading read_text(const char *text, size_t len)
{
	struct reading reading = reading_new();

	assert_true(lines_read(&reading, (struct str){text, len}, STR_NONE, NULL));
	return reading;
}

#define READ(literal) read_text(literal, sizeof(literal) - 1)

static void assert_str(struct str got, const char *expected)
{
	struct str wanted = str_of(expected);

	if (!str_equal(got, wanted))
		fail_msg("expected \"%s\", got \"" STR_FMT "\"", expected, STR_ARG(got));
}

/* One line that must be refused, with this somewhere in the reason. */
static void refused(const char *text, size_t len, const char *reason)
{
	struct reading reading = read_text(text, len);
	char *got;

	assert_int_equal(reading.item_count, 1);
	if (reading.items[0].kind != ITEM_QUARANTINED)
		fail_msg("taken, but should not be (%s): %s", reason, text);
	assert_int_equal(reading.items[0].bytes.len, len);
	assert_memory_equal(reading.items[0].bytes.p, text, len);
	got = mem_strndup(reading.items[0].reason.p, reading.items[0].reason.len);
	if (!strstr(got, reason))
		fail_msg("expected \"%s\" in \"%s\" for %s", reason, got, text);
	free(got);
	arena_free(&reading.arena);
}

#define REFUSED(literal, reason) refused(literal, sizeof(literal) - 1, reason)

static void test_whole_line(void **state)
{
	static const char line[] = "{\"v\":1,\"id\":\"a-1\",\"type\":\"infected-system\",\"time\":\"2026-11-"
				   "22T10:00:00Z\",\"title\":\"T\\u00e9st\",\"text\":"
				   "\"x\",\"source\":{\"ip\":\"198.51.100.7\",\"port\":4711,\"name\":\"H."
				   "Example.\",\"asn\":64500},\"target\":{\"ip\":"
				   "\"2001:DB8::1\",\"port\":443},\"identifier\":\"Open-RDP\",\"malware\":"
				   "\"Mirai\",\"severity\":60,\"confidence\":80,"
				   "\"tlp\":\"amber\",\"observables\":[{\"type\":\"url\",\"value\":\"hxxp://"
				   "x.example/a\",\"role\":\"source\"}],\"extra\":{"
				   "\"a\":[1,null,true]}}";
	struct reading reading = read_text(line, sizeof(line) - 1);
	struct report *report = &reading.items[0].report;

	(void)state;
	assert_int_equal(reading.item_count, 1);
	assert_int_equal(reading.items[0].kind, ITEM_REPORT);
	assert_str(reading.items[0].part, "line 1");
	assert_str(report->sender_id, "a-1");
	assert_string_equal(rsit_name(report->type), "infected-system");
	assert_true(report->observed == clock_of_civil(2026, 11, 22, 10, 0, 0));
	assert_str(report->title, "T\xc3\xa9st");
	assert_str(report->identifier, "open-rdp");
	assert_str(report->malware, "mirai");
	assert_int_equal(report->severity, 60);
	assert_int_equal(report->confidence, 80);
	assert_int_equal(report->tlp, TLP_AMBER);
	assert_int_equal(report->asn, 64500);
	assert_int_equal(report->source_port, 4711);
	assert_int_equal(report->target_port, 443);
	assert_str(report_find(report, OBSERVABLE_IP, OBSERVED_SOURCE)->value, "198.51.100.7");
	assert_str(report_find(report, OBSERVABLE_NAME, OBSERVED_SOURCE)->value, "h.example");
	assert_str(report_find(report, OBSERVABLE_IP, OBSERVED_TARGET)->value, "2001:db8::1");
	assert_str(report_find(report, OBSERVABLE_URL, OBSERVED_SOURCE)->value, "http://x.example/a");
	assert_str(report->doc, line);
	assert_int_equal(reading.part_count, 1);
	assert_int_equal(reading.parts[0].scopes, PART_EVENT);
	arena_free(&reading.arena);
}

static void test_least_line_has_defaults(void **state)
{
	struct reading reading = READ("{\"type\":\"test\",\"source\":{\"name\":\"h.example\"}}");
	struct report *report = &reading.items[0].report;

	(void)state;
	assert_int_equal(reading.items[0].kind, ITEM_REPORT);
	assert_int_equal(report->severity, -1);
	assert_int_equal(report->confidence, -1);
	assert_int_equal(report->tlp, TLP_UNSTATED);
	assert_true(report->observed == CLOCK_UNKNOWN);
	assert_int_equal(report->count, 1);
	arena_free(&reading.arena);
}

static void test_a_bad_line_costs_itself(void **state)
{
	struct reading reading = READ("{\"type\":\"test\",\"source\":{\"ip\":\"198.51.100.1\"}}\r\n"
				      "not json\n"
				      "\n"
				      "{\"type\":\"test\",\"source\":{\"ip\":\"198.51.100.2\"}}");

	(void)state;
	assert_int_equal(reading.item_count, 3);
	assert_int_equal(reading.items[0].kind, ITEM_REPORT);
	assert_int_equal(reading.items[1].kind, ITEM_QUARANTINED);
	assert_str(reading.items[1].bytes, "not json");
	assert_str(reading.items[1].part, "line 2");
	assert_str(reading.items[1].stage, "json");
	assert_int_equal(reading.items[2].kind, ITEM_REPORT);
	assert_str(reading.items[2].part, "line 4");
	assert_int_equal(reading.items[2].number, 2);
	arena_free(&reading.arena);
}

#define LINE(members) "{\"type\":\"test\",\"source\":{\"ip\":\"198.51.100.1\"}," members "}"

static void test_refusals_say_what_was_expected(void **state)
{
	(void)state;
	REFUSED("7", "expected a JSON object");
	REFUSED("[[]]", "expected a JSON object");
	REFUSED("{\"type\":\"test\"}", "an observable");
	REFUSED("{\"source\":{\"ip\":\"198.51.100.1\"}}", "expected \"type\"");
	REFUSED("{\"type\":\"infected-sytem\",\"source\":{\"ip\":\"198.51.100.1\"}}",
		"did you mean \"infected-system\"");
	REFUSED("{\"type\":7,\"source\":{\"ip\":\"198.51.100.1\"}}", "type: expected a text");
	REFUSED(LINE("\"foo\":1"), "unknown key \"foo\"");
	REFUSED(LINE("\"foo\":1"), "extra");
	REFUSED(LINE("\"v\":2"), "v: expected a whole number from 1 to 1");
	REFUSED(LINE("\"severity\":101"), "severity: expected a whole number from 0 to 100");
	REFUSED(LINE("\"severity\":\"60\""), "severity: expected a whole number");
	REFUSED(LINE("\"severity\":1.5"), "whole number");
	REFUSED(LINE("\"severity\":99999999999999999999"), "whole number");
	REFUSED(LINE("\"confidence\":-1"), "confidence: expected a whole number from 0 to 100");
	REFUSED(LINE("\"tlp\":\"blue\""), "amber+strict");
	REFUSED(LINE("\"time\":\"yesterday\""), "RFC 3339");
	REFUSED(LINE("\"target\":{\"ip\":\"300.1.1.1\"}"), "ip: expected an IPv4 or IPv6 address");
	REFUSED(LINE("\"target\":{\"port\":70000}"), "port: expected a whole number from 0 to 65535");
	REFUSED(LINE("\"target\":{\"host\":\"a\"}"), "unknown key \"host\" in target");
	REFUSED(LINE("\"observables\":[{\"type\":\"ip\"}]"), "expected type and value");
	REFUSED(LINE("\"observables\":[{\"type\":\"thing\",\"value\":\"x\"}]"), "a type such as");
	REFUSED(LINE("\"observables\":[{\"type\":\"sha256\",\"value\":\"xyz\"}]"), "a value of type sha256");
	REFUSED(LINE("\"observables\":[{\"type\":\"ip\",\"value\":\"192.0.2.1\",\"as\":1}]"),
		"unknown key \"as\"");
	REFUSED(LINE("\"observables\":{}"), "an array");
	REFUSED(LINE("\"extra\":7"), "extra: expected an object");
	REFUSED(LINE("\"malware\":null"), "malware: expected a text");
	REFUSED(LINE("\"title\":\"a\"} x"), "expected");
}

static void test_what_a_tree_would_hide_is_refused(void **state)
{
	(void)state;
	REFUSED(LINE("\"type\":\"test\""), "\"type\" stands twice");
	REFUSED(LINE("\"typ\\u0065\":\"test\""), "\"type\" stands twice");
	REFUSED(LINE("\"extra\":{\"a\":1,\"b\":2,\"\\u0061\":3}"), "\"a\" stands twice");
	REFUSED(LINE("\"extra\":{\"x\":[{\"k\":1,\"k\":1}]}"), "\"k\" stands twice");
	REFUSED(LINE("\"title\":\"a\\u0000b\""), "NUL");
	REFUSED(LINE("\"title\":\"a\0b\""), "control character");
	REFUSED(LINE("\"title\":\"\\ud800\""), "surrogate");
	REFUSED(LINE("\"title\":\"\\ud800\\u0041\""), "surrogate");
	REFUSED(LINE("\"title\":\"\\udc00\""), "surrogate");
	REFUSED(LINE("\"title\":\"\xff\""), "expected UTF-8");
	REFUSED(LINE("\"title\":\"\xed\xa0\x80\""), "expected UTF-8");
	REFUSED(LINE("\"severity\":01"), "leading zeros");
	REFUSED(LINE("\"extra\":{\"a\":NaN}"), "expected a value");
	REFUSED(LINE("\"title\":\"\x01\""), "control character");
}

static void test_line_too_long_is_not_parsed(void **state)
{
	struct reading_limits limits = reading_limits_default;
	struct reading reading = reading_new();

	(void)state;
	limits.max_line = 20;
	reading.limits = &limits;
	assert_true(lines_read(&reading,
		STR("{\"type\":\"test\",\"source\":{\"ip\":\"198.51.100.1\"}}\n{}\n"), STR_NONE, NULL));
	assert_int_equal(reading.item_count, 2);
	assert_str(reading.items[0].reason, "expected a line of at most 20 bytes, got 46");
	assert_str(reading.items[1].reason, "expected \"type\", an RSIT type such as infected-system");
	arena_free(&reading.arena);
}

static void test_depth_is_limited(void **state)
{
	char line[600];
	size_t len = (size_t)snprintf(line, sizeof(line), "{\"type\":\"test\",\"extra\":{\"a\":");

	(void)state;
	memset(line + len, '[', 200);
	memset(line + len + 200, ']', 200);
	len += 400;
	len += (size_t)snprintf(line + len, sizeof(line) - len, "}}");
	refused(line, len, "at most 100 levels");
}

static void test_prose_is_cut_with_a_note(void **state)
{
	struct buf line = {0};
	struct reading reading;

	(void)state;
	buf_text(&line, "{\"type\":\"test\",\"source\":{\"ip\":\"198.51.100.1\"},\"title\":\"");
	for (int i = 0; i < 500; i++)
		buf_char(&line, 'x');
	buf_text(&line, "\"}");
	reading = read_text(line.data, line.len);
	assert_int_equal(reading.items[0].kind, ITEM_REPORT);
	assert_int_equal(reading.items[0].report.title.len, 400);
	assert_int_equal(reading.items[0].report.note_count, 1);
	arena_free(&reading.arena);
	buf_free(&line);
}

static bool left_out(struct reading *reading, uint32_t item, struct str *reason)
{
	(void)reading;
	*reason = STR("it ended a worker");
	return item == 1;
}

static void test_trap_09_a_left_out_line_is_not_read(void **state)
{
	struct reading reading = reading_new();

	(void)state;
	reading.left_out = left_out;
	assert_true(lines_read(&reading,
		STR("{\"type\":\"test\",\"source\":{\"ip\":\"198.51.100.1\"}}\n{\"type\":\"test\",\"source\":"
		    "{\"ip\":\"198.51.100.2\"}}\n"
		    "{\"type\":\"test\",\"source\":{\"ip\":\"198.51.100.3\"}}\n"),
		STR_NONE, NULL));
	assert_int_equal(reading.item_count, 3);
	assert_int_equal(reading.items[0].kind, ITEM_REPORT);
	assert_int_equal(reading.items[1].kind, ITEM_QUARANTINED);
	assert_str(reading.items[1].reason, "it ended a worker");
	assert_int_equal(reading.items[2].kind, ITEM_REPORT);
	arena_free(&reading.arena);
}

/* What is too much for one entry is kept as one item, and does not become one item each. */
static void test_endless_lines_end_in_one_item(void **state)
{
	struct reading_limits limits = reading_limits_default;
	struct reading reading = reading_new();

	(void)state;
	reading.limits = &limits;
	limits.max_bad = 3;
	assert_true(lines_read(&reading, STR("a\nb\n\nc\nd\r\ne\nf\n"), STR_NONE, NULL));
	assert_int_equal(reading.item_count, 4);
	assert_int_equal(reading.items[3].kind, ITEM_QUARANTINED);
	assert_str(reading.items[3].part, "line 5");
	assert_str(reading.items[3].bytes, "d\r\ne\nf\n");
	arena_free(&reading.arena);
}

static void test_more_lines_than_an_entry_may_have(void **state)
{
	struct reading_limits limits = reading_limits_default;
	struct reading reading = reading_new();
	struct str text = STR("{\"type\":\"test\",\"source\":{\"ip\":\"198.51.100.1\"}}\n"
			      "{\"type\":\"test\",\"source\":{\"ip\":\"198.51.100.2\"}}\n");

	(void)state;
	reading.limits = &limits;
	limits.max_items = 2;
	assert_true(lines_read(&reading, text, STR_NONE, NULL));
	assert_int_equal(reading.item_count, 2);
	arena_free(&reading.arena);
	reading = reading_new();
	reading.limits = &limits;
	limits.max_items = 1;
	assert_true(lines_read(&reading, text, STR_NONE, NULL));
	assert_int_equal(reading.item_count, 2);
	assert_int_equal(reading.items[1].kind, ITEM_QUARANTINED);
	assert_int_equal(reading.items[1].bytes.len, text.len / 2);
	arena_free(&reading.arena);
}

/* A file of the JSON conformance suite, as the value of extra.a in one line. */
static enum item_kind conformance(const char *path)
{
	struct buf file = {0}, line = {0};
	struct reading reading = reading_new();
	enum item_kind kind;

	assert_true(file_read(path, 1 << 20, &file, NULL));
	buf_text(&line, "{\"type\":\"test\",\"source\":{\"ip\":\"198.51.100.1\"},\"extra\":{\"a\":");
	buf_str(&line, buf_view(&file));
	buf_text(&line, "}}");
	kind = native_line_read(&reading, buf_view(&line), STR("line 1"), NULL) ? ITEM_REPORT
	                                                                        : ITEM_QUARANTINED;
	assert_int_equal(reading.item_count, kind == ITEM_REPORT);
	arena_free(&reading.arena);
	buf_free(&file);
	buf_free(&line);
	return kind;
}

/* y_ must be taken, n_ refused. What we refuse on purpose although it is well-formed: keys that stand twice,
 * NUL, lone surrogates. */
static void test_json_conformance(void **state)
{
	static const char *const stricter[] = {"y_object_duplicated_key", "y_object_duplicated_key_and_value",
		"y_string_null_escape", "y_object_escaped_null_in_key", "y_structure_lonely"};
	const char *shared = getenv("CIRTD_SHARED_DATA");
	char folder[512], path[1024];
	struct dirent *entry;
	DIR *dir;

	(void)state;
	if (!shared)
		skip();
	snprintf(folder, sizeof(folder), "%s/json/test_parsing", shared);
	dir = opendir(folder);
	if (!dir)
		skip();
	while ((entry = readdir(dir)) != NULL) {
		bool ours = false;
		if (entry->d_name[1] != '_' || entry->d_name[0] == 'i')
			continue;
		for (size_t i = 0; i < ARRAY_LEN(stricter); i++)
			ours = ours || strncmp(entry->d_name, stricter[i], strlen(stricter[i])) == 0;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (!ours && conformance(path) != (entry->d_name[0] == 'y' ? ITEM_REPORT : ITEM_QUARANTINED))
			fail_msg("%s", entry->d_name);
	}
	closedir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_line),
		cmocka_unit_test(test_least_line_has_defaults),
		cmocka_unit_test(test_a_bad_line_costs_itself),
		cmocka_unit_test(test_refusals_say_what_was_expected),
		cmocka_unit_test(test_what_a_tree_would_hide_is_refused),
		cmocka_unit_test(test_line_too_long_is_not_parsed),
		cmocka_unit_test(test_depth_is_limited),
		cmocka_unit_test(test_prose_is_cut_with_a_note),
		cmocka_unit_test(test_trap_09_a_left_out_line_is_not_read),
		cmocka_unit_test(test_endless_lines_end_in_one_item),
		cmocka_unit_test(test_more_lines_than_an_entry_may_have),
		cmocka_unit_test(test_json_conformance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
