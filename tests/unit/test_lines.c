#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "wire/ip_range.h"
#include "wire/lines.h"
#include "wire/stamp.h"
#include "wire/taxon.h"

static struct reading read_as(enum format format, struct str text)
{
	struct reading reading = {.arena = arena_new(0), .limits = &reading_limits_default};

	assert_true(lines_read_as(&reading, text, format, NULL));
	return reading;
}

static void assert_str(struct str got, const char *expected)
{
	if (!str_equal(got, str_of(expected)))
		fail_msg("expected \"%s\", got \"" STR_FMT "\"", expected, STR_ARG(got));
}

static void assert_contains(struct str text, const char *part)
{
	if (text.len == 0 || !memmem(text.p, text.len, part, strlen(part)))
		fail_msg("expected \"%s\" in \"" STR_FMT "\"", part, STR_ARG(text));
}

#define NATIVE "{\"type\":\"test\",\"source\":{\"ip\":\"198.51.100.1\"}}\n"
#define ALERT  "\"alert\":{\"signature_id\":7,\"severity\":2,\"category\":\"Misc Attack\",\"signature\":\"s\"}"
#define EVE                                                                                               \
	"{\"timestamp\":\"2026-11-22T10:00:00.5+0200\",\"event_type\":\"alert\",\"src_ip\":\"198.51.100." \
	"2\",\"dest_ip\":\"203.0.113.2\"," ALERT "}\n"
#define IDEA                                                                                                 \
	"{\"Format\":\"IDEA0\",\"ID\":\"i\",\"DetectTime\":\"2026-11-22T10:00:00Z\",\"Category\":[\"Test\"]" \
	",\"Source\":[{\"IP4\":[\"198.51.100.3\"]}]}\n"
#define INTELMQ "{\"classification.type\":\"scanner\",\"source.ip\":\"198.51.100.4\"}\n"
#define ZEEK    "{\"ts\":1.5,\"note\":\"Scan::Port_Scan\",\"src\":\"198.51.100.5\"}\n"

static void test_one_connection_carries_any_of_them(void **state)
{
	static const char *const types[] = {"test", "ids-alert", "test", "scanner", "scanner"};
	struct reading reading = read_as(FORMAT_LINES, STR(NATIVE EVE IDEA INTELMQ "\n" ZEEK));

	(void)state;
	assert_int_equal(reading.item_count, ARRAY_LEN(types));
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		assert_int_equal(reading.items[i].kind, ITEM_REPORT);
		assert_string_equal(rsit_name(reading.items[i].report.type), types[i]);
		assert_int_equal(reading.items[i].report.observables[0].value.p[11], '1' + (char)i);
	}
	assert_str(reading.items[4].part, "line 6");
	arena_free(&reading.arena);
}

static void test_unknown_says_what_was_tried(void **state)
{
	struct reading reading =
		read_as(FORMAT_LINES, STR("{\"hello\":1}\n{\"v\":1,\"typ\":\"test\"}\nhello\n"));

	(void)state;
	assert_int_equal(reading.item_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(reading.items[i].kind, ITEM_QUARANTINED);
	assert_contains(reading.items[0].reason, "native");
	assert_contains(reading.items[0].reason, "Suricata EVE");
	assert_contains(reading.items[0].reason, "IDEA");
	assert_contains(reading.items[0].reason, "IntelMQ");
	assert_contains(reading.items[0].reason, "Zeek");
	assert_contains(reading.items[1].reason, "unknown key \"typ\"");
	assert_str(reading.items[2].reason, "expected a JSON object");
	arena_free(&reading.arena);
}

static void test_what_the_source_says_counts(void **state)
{
	static const enum format others[] = {FORMAT_NATIVE, FORMAT_IDEA, FORMAT_INTELMQ, FORMAT_ZEEK};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct reading reading = read_as(others[i], STR(EVE));
		assert_int_equal(reading.item_count, 1);
		assert_int_equal(reading.items[0].kind, ITEM_QUARANTINED);
		arena_free(&reading.arena);
	}
}

static void test_object_over_several_lines_is_one(void **state)
{
	struct reading reading =
		read_as(FORMAT_LINES, STR("\n{\n \"classification.type\": \"scanner\",\n \"source.ip\": "
					  "\"198.51.100.4\"\n}\n" INTELMQ));

	(void)state;
	assert_int_equal(reading.item_count, 2);
	assert_int_equal(reading.items[0].kind, ITEM_REPORT);
	assert_str(reading.items[0].part, "line 2");
	assert_int_equal(reading.items[1].kind, ITEM_REPORT);
	assert_str(reading.items[1].part, "line 6");
	arena_free(&reading.arena);
	reading = read_as(FORMAT_LINES, STR("{\"classification.type\": \"scanner\",\n" INTELMQ));
	assert_int_equal(reading.item_count, 2);
	assert_int_equal(reading.items[0].kind, ITEM_QUARANTINED);
	assert_int_equal(reading.items[1].kind, ITEM_REPORT);
	arena_free(&reading.arena);
}

/* Two connections of one attack fold; another signature, another victim do not. */
static void test_alerts_fold_by_signature_and_addresses(void **state)
{
	static const char *const lines[] = {
		"{\"timestamp\":\"2026-11-22T10:00:00Z\",\"event_type\":\"alert\",\"src_ip\":\"198.51.100."
		"2\",\"src_port\":1,\"dest_ip\":\"203.0.113.2\"," ALERT "}",
		"{\"timestamp\":\"2026-11-22T11:00:00Z\",\"event_type\":\"alert\",\"src_ip\":\"198.51.100."
		"2\",\"src_port\":2,\"dest_ip\":\"203.0.113.2\",\"flow_id\":9," ALERT "}",
		"{\"timestamp\":\"2026-11-22T10:00:00Z\",\"event_type\":\"alert\",\"src_ip\":\"198.51.100."
		"2\",\"dest_ip\":\"203.0.113.3\"," ALERT "}",
		"{\"timestamp\":\"2026-11-22T10:00:00Z\",\"event_type\":\"alert\",\"src_ip\":\"198.51.100."
		"2\",\"dest_ip\":\"203.0.113.2\",\"alert\":{\"signature_id\":7,\"gid\":3}}"};
	uint8_t digests[ARRAY_LEN(lines)][FINGERPRINT_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct reading reading = read_as(FORMAT_EVE, str_of(lines[i]));
		assert_int_equal(reading.items[0].kind, ITEM_REPORT);
		report_fingerprint(&reading.items[0].report, reading.arena);
		assert_str(reading.items[0].report.fingerprint.rule, "ids-signature");
		memcpy(digests[i], reading.items[0].report.fingerprint.digest, FINGERPRINT_LEN);
		arena_free(&reading.arena);
	}
	assert_memory_equal(digests[0], digests[1], FINGERPRINT_LEN);
	assert_memory_not_equal(digests[0], digests[2], FINGERPRINT_LEN);
	assert_memory_not_equal(digests[0], digests[3], FINGERPRINT_LEN);
}

static void test_64_bits_stay_whole(void **state)
{
	struct reading reading = read_as(FORMAT_EVE, STR("{\"timestamp\":\"2026-11-22T10:00:00Z\",\"event_"
							 "type\":\"flow\",\"flow_id\":9007199254740993}"));

	(void)state;
	assert_int_equal(reading.items[0].kind, ITEM_CONTEXT);
	assert_str(reading.items[0].report.sender_id, "9007199254740993");
	arena_free(&reading.arena);
}

static void test_deep_and_many(void **state)
{
	struct buf text = {0};
	struct reading reading;

	(void)state;
	buf_text(&text, "{\"timestamp\":\"x\",\"event_type\":\"alert\",\"a\":");
	for (int i = 0; i < 1000; i++)
		buf_text(&text, "{\"a\":");
	buf_text(&text, "1");
	for (int i = 0; i < 1001; i++)
		buf_char(&text, '}');
	reading = read_as(FORMAT_EVE, buf_view(&text));
	assert_int_equal(reading.items[0].kind, ITEM_QUARANTINED);
	assert_contains(reading.items[0].reason, "levels");
	arena_free(&reading.arena);
	buf_clear(&text);
	buf_text(&text, "{\"a\":[0");
	for (int i = 0; i < JSON_TREE_NODES; i++)
		buf_text(&text, ",0");
	buf_text(&text, "]}");
	reading = read_as(FORMAT_ZEEK, buf_view(&text));
	assert_int_equal(reading.items[0].kind, ITEM_QUARANTINED);
	assert_contains(reading.items[0].reason, "values");
	arena_free(&reading.arena);
	buf_free(&text);
}

static void test_stamps(void **state)
{
	int64_t ten = clock_of_civil(2026, 11, 22, 10, 0, 0);
	int64_t time = 0;
	bool zoneless = false;

	(void)state;
	assert_true(stamp_parse(STR("2026-11-22T12:00:00.250000+0200"), &time, &zoneless));
	assert_true(time == ten + CLOCK_SECOND / 4 && !zoneless);
	assert_true(stamp_parse(STR("2026-11-22T04:00:00-0600"), &time, &zoneless) && time == ten);
	assert_true(stamp_parse(STR("2026-11-22T12:00:00+02:00"), &time, &zoneless) && time == ten);
	assert_true(stamp_parse(STR("1795341600.000001"), &time, &zoneless) && time == ten + 1);
	assert_true(stamp_parse(STR("1795341600"), &time, &zoneless) && time == ten);
	assert_false(zoneless);
	assert_true(stamp_parse(STR("2026-11-22T10:00:00.5"), &time, &zoneless));
	assert_true(zoneless && time == ten + CLOCK_SECOND / 2);
	assert_false(stamp_parse(STR("2026-11-22T10:00:00+02"), &time, &zoneless));
	assert_false(stamp_parse(STR("2026-11-22T10:00:00+9900"), &time, &zoneless));
	assert_false(stamp_parse(STR("2026-11-22T10:00:00.+0200"), &time, &zoneless));
	assert_false(stamp_parse(STR("-5"), &time, &zoneless));
	assert_false(stamp_parse(STR("99999999999999999999"), &time, &zoneless));
	assert_false(stamp_parse(STR("1e9"), &time, &zoneless));
	assert_false(stamp_parse(STR(""), &time, &zoneless));
}

static void covers(const char *text, const char *expected)
{
	struct ip_range range;
	struct netaddr prefix;
	struct buf found = {0};
	char shown[NETADDR_TEXT];

	assert_true(ip_range_parse(str_of(text), &range));
	while (ip_range_next(&range, &prefix))
		buf_printf(&found, "%s%s", found.len ? " " : "", netaddr_format(&prefix, shown));
	assert_str(buf_view(&found), expected);
	buf_free(&found);
}

static void test_ranges_are_covered_exactly(void **state)
{
	struct ip_range range;

	(void)state;
	covers("192.0.2.1-192.0.2.1", "192.0.2.1");
	covers("192.0.2.0 - 192.0.2.255", "192.0.2.0/24");
	covers("192.0.2.1-192.0.2.9", "192.0.2.1 192.0.2.2/31 192.0.2.4/30 192.0.2.8/31");
	covers("0.0.0.0-255.255.255.255", "0.0.0.0/0");
	covers("255.255.255.254-255.255.255.255", "255.255.255.254/31");
	covers("2001:db8::fffe-2001:db8::1:1", "2001:db8::fffe/127 2001:db8::1:0/127");
	assert_false(ip_range_parse(STR("192.0.2.9-192.0.2.1"), &range));
	assert_false(ip_range_parse(STR("192.0.2.0/24-192.0.3.0"), &range));
	assert_false(ip_range_parse(STR("192.0.2.1-2001:db8::1"), &range));
	assert_false(ip_range_parse(STR("192.0.2.1"), &range));
	assert_false(ip_range_parse(STR("192.0.2.1-"), &range));
}

static void test_every_type_of_the_tables_is_one(void **state)
{
	static const struct taxonomy *const all[] = {
		&taxonomy_eve, &taxonomy_idea, &taxonomy_intelmq, &taxonomy_zeek};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		for (size_t j = 0; j < all[i]->count; j++) {
			const struct taxon *taxon = &all[i]->taxa[j];
			struct str word = str_of(taxon->word);
			if (taxon->type[0] != '\0' && taxon_type(taxon) == RSIT_NONE)
				fail_msg("%s: \"%s\" is no RSIT type", all[i]->name, taxon->type);
			if (word.p[word.len - 1] == '*')
				word.len--;
			/* No row hides one behind it. */
			assert_ptr_equal(taxon_find(all[i], word), taxon);
		}
	}
	assert_null(taxon_find(&taxonomy_idea, STR("Availibility.DDoS")));
	assert_string_equal(taxon_near(&taxonomy_idea, STR("Availibility.DDoS"))->word, "Availability.DDoS");
	assert_null(taxon_near(&taxonomy_idea, STR("Weather.Rain")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_connection_carries_any_of_them),
		cmocka_unit_test(test_unknown_says_what_was_tried),
		cmocka_unit_test(test_what_the_source_says_counts),
		cmocka_unit_test(test_object_over_several_lines_is_one),
		cmocka_unit_test(test_alerts_fold_by_signature_and_addresses),
		cmocka_unit_test(test_64_bits_stay_whole),
		cmocka_unit_test(test_deep_and_many),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_ranges_are_covered_exactly),
		cmocka_unit_test(test_every_type_of_the_tables_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
