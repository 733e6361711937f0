#include "config.h"

#include "unit.h"

#include "base/clock.h"
#include "base/mem.h"
#include "wire/arf.h"
#include "wire/fields.h"
#include "wire/machine.h"
#include "wire/shadowserver.h"
#include "wire/xarf.h"

/* What machines mail to machines; whole mails are in tests/golden/mail. */

#define ENVELOPE STR("{\"from\":\"auto@reporter.example\",\"to\":[\"report@cirt.example\"]}")

struct place {
	struct arena *arena;
	struct reading reading;
	struct err err;
	/* of what was flushed */
	size_t reports, contexts, bad, flushes;
	bool wrong;
};

static int begin(void **state)
{
	static struct place place;

	place = (struct place){.arena = arena_new(0)};
	place.reading =
		(struct reading){.arena = place.arena, .limits = &reading_limits_default, .context = &place};
	*state = &place;
	return 0;
}

static int end(void **state)
{
	struct place *place = *state;

	arena_free(&place->arena);
	return 0;
}

static const struct report *last_report(const struct place *place)
{
	assert_true(place->reading.item_count > 0);
	return &place->reading.items[place->reading.item_count - 1].report;
}

static bool has(
	const struct report *report, enum observable_type type, enum observable_role role, const char *value)
{
	for (size_t i = 0; i < report->observable_count; i++)
		if (report->observables[i].type == type && report->observables[i].role == role &&
			str_equal(report->observables[i].value, str_of(value)))
			return true;
	return false;
}

static void test_fields_are_unfolded_and_unquoted(void **state)
{
	struct place *place = *state;
	struct fields fields;

	fields_read(STR("---\r\nA: one\r\n two\r\n\tthree\r\nno field\nB : 'x'\n\nC: !!python/unicode "
			"'http://y'\nD:\n"),
		true, place->arena, &fields);
	assert_int_equal(fields.count, 4);
	assert_str_is(fields_value(&fields, "a"), "one two three");
	assert_str_is(fields_value(&fields, "B"), "x");
	assert_str_is(fields_value(&fields, "C"), "http://y");
	assert_int_equal(fields_value(&fields, "D").len, 0);
	assert_int_equal(fields_value(&fields, "E").len, 0);
	fields_read(STR_NONE, false, place->arena, &fields);
	assert_int_equal(fields.count, 0);
}

static void test_fields_are_bounded(void **state)
{
	struct place *place = *state;
	struct buf text = {0};
	struct fields fields;

	for (int i = 0; i < 2000; i++)
		buf_printf(&text, "F%d: %d\n", i, i);
	fields_read(buf_view(&text), false, place->arena, &fields);
	assert_int_equal(fields.count, FIELDS_MAX);
	buf_clear(&text);
	buf_text(&text, "F: x\n");
	for (int i = 0; i < 300000; i++)
		buf_text(&text, " y\n");
	fields_read(buf_view(&text), false, place->arena, &fields);
	assert_int_equal(fields_value(&fields, "F").len, 1 + 2 * 300000);
	buf_free(&text);
}

static void test_dates_as_machines_write_them(void **state)
{
	static const char *const dates[] = {"2026-11-22T09:00:00Z", "2026-11-22T10:00:00+01:00",
		"2026-11-22 09:00:00", "2026-11-22 10:00:00 +0100", "2026-11-22 10:00:00+01:00",
		"2026-11-22 09:00:00 UTC", "2026-11-22 09:00:00.000000", "Sun, 22 Nov 2026 10:00:00 +0100",
		"Sun, 22 Nov 2026 09:00:00 GMT"};
	static const char *const none[] = {
		"", "yesterday", "2026-11-22", "2026-13-22 09:00:00", "This is no date", "0", "----------T"};
	int64_t time;

	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		assert_true(fields_time(str_of(dates[i]), &time));
		assert_int_equal(time, clock_of_civil(2026, 11, 22, 9, 0, 0));
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(fields_time(str_of(none[i]), &time));
}

static void test_words_make_identifiers(void **state)
{
	struct place *place = *state;

	assert_str_is(machine_word(place->arena, STR("open-"), STR(" Cisco/Smart__Install! ")),
		"open-cisco-smart-install");
	assert_str_is(machine_word(place->arena, STR(""), STR("CVE-2026-1234")), "cve-2026-1234");
	assert_int_equal(machine_word(place->arena, STR("open-"), STR("--")).len, 0);
	assert_int_equal(machine_word(place->arena, STR("open-"), STR_NONE).len, 0);
}

static void test_feedback_types(void **state)
{
	static const struct {
		const char *feedback, *type;
		enum arf_kind kind;
	} samples[] = {{"abuse", "spam", ARF_REPORT}, {"FRAUD", "phishing", ARF_REPORT},
		{"virus", "malware-distribution", ARF_REPORT}, {"auth-failure", "masquerade", ARF_REPORT},
		{"of-tomorrow", "undetermined", ARF_REPORT}, {"not-spam", "undetermined", ARF_PRAISE},
		{"xarf", "undetermined", ARF_XARF}};
	struct place *place = *state;

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct str text = arena_printf(
			place->arena, "Feedback-Type: %s\nVersion: 1\nUser-Agent: x\n", samples[i].feedback);
		assert_int_equal(arf_kind(text), samples[i].kind);
		arf_report(&place->reading, &reading_item(&place->reading, ITEM_REPORT)->report, text);
		assert_string_equal(rsit_name(last_report(place)->type), samples[i].type);
		assert_true(last_report(place)->identifier.len > 0);
	}
	assert_int_equal(arf_kind(STR("Version: 1\n")), ARF_NONE);
	assert_int_equal(arf_kind(STR_NONE), ARF_NONE);
}

/* As its grammar has it: a literal of RFC 5321, and comments. */
static void test_feedback_names_its_source_in_many_ways(void **state)
{
	static const char *const samples[][2] = {
		{"203.0.113.7", "203.0.113.7"},
		{"203.0.113.7 (one of ours)", "203.0.113.7"},
		{"[203.0.113.7]", "203.0.113.7"},
		{"IPv6:2001:db8::7", "2001:db8::7"},
		{"[ipv6:2001:db8::7] (x)", "2001:db8::7"},
		{"2001:db8::7", "2001:db8::7"},
	};
	struct place *place = *state;

	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct report *report = &reading_item(&place->reading, ITEM_REPORT)->report;

		arf_report(&place->reading, report,
			arena_printf(place->arena,
				"Feedback-Type: abuse\nVersion: 1\nUser-Agent: x\nSource-IP: %s\n",
				samples[i][0]));
		assert_true(has(report, OBSERVABLE_IP, OBSERVED_SOURCE, samples[i][1]));
		assert_int_equal(report->note_count, 0);
	}
}

static void test_feedback_with_faults_says_so(void **state)
{
	struct place *place = *state;
	const struct report *report;

	arf_report(&place->reading, &reading_item(&place->reading, ITEM_REPORT)->report,
		STR("Feedback-Type: abuse\nSource-IP: 300.1.2.3\nArrival-Date: never\nIncidents: 0\n"
		    "Original-Rcpt-To: <a@b.example>\nOriginal-Rcpt-To: c@d.example\nReported-URI: "
		    "mailto:e@f.example\n"));
	report = last_report(place);
	assert_int_equal(report->count, 1);
	assert_int_equal(report->observed, CLOCK_UNKNOWN);
	assert_int_equal(report->note_count, 4); /* address, date, User-Agent, Version */
	assert_true(has(report, OBSERVABLE_EMAIL, OBSERVED_TARGET, "a@b.example"));
	assert_true(has(report, OBSERVABLE_EMAIL, OBSERVED_TARGET, "c@d.example"));
	assert_true(has(report, OBSERVABLE_EMAIL, OBSERVED_INDICATOR, "e@f.example"));
}

#define V4_HEAD                                                                                            \
	"\"xarf_version\":\"4.2.0\",\"report_id\":\"0b8f7a52-6f0e-4d3b-9c55-8a2d61f0b7aa\",\"timestamp\":" \
	"\"2026-11-22T09:00:00Z\",\"reporter\":{\"org\":\"a\",\"contact\":\"a@b.example\",\"domain\":"     \
	"\"b.example\"},\"sender\":{\"org\":\"a\",\"contact\":\"a@b.example\",\"domain\":\"b.example\"},"  \
	"\"source_identifier\":\"198.51.100.1\",\"category\":\"content\",\"type\":\"phishing\",\"url\":"   \
	"\"http://phish.example/x\""

static void test_what_xarf_keeps_to_itself_is_not_kept(void **state)
{
	static const char *const samples[] = {"{\"_internal\":{\"a\":[1,2]}," V4_HEAD "}",
		"{" V4_HEAD ",\"_internal\":\"secret\"}", "{" V4_HEAD " , \"_internal\" : 7 , \"b\":1}"};
	struct place *place = *state;

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		assert_true(xarf_json_item(&place->reading, STR("x"), STR_NONE, str_of(samples[i])));
		assert_null(memmem(last_report(place)->doc.p, last_report(place)->doc.len, "_internal", 9));
		assert_true(xarf_json_item(&place->reading, STR("x"), STR_NONE, last_report(place)->doc));
	}
}

static void test_xarf_pairs_of_category_and_type(void **state)
{
	static const char *const pairs[] = {"messaging spam", "messaging bulk_messaging",
		"connection login_attack", "connection port_scan", "connection ddos",
		"connection infected_host", "connection reconnaissance", "connection scraping",
		"connection sql_injection", "connection vulnerability_scan", "content phishing",
		"content malware", "content csam", "content csem", "content exposed_data",
		"content brand_infringement", "content fraud", "content remote_compromise",
		"content suspicious_registration", "copyright copyright", "copyright p2p",
		"copyright cyberlocker", "copyright ugc_platform", "copyright link_site", "copyright usenet",
		"vulnerability cve", "vulnerability open_service", "vulnerability misconfiguration",
		"infrastructure botnet", "infrastructure compromised_server", "reputation blocklist",
		"reputation threat_intelligence"};
	enum rsit_type type;

	(void)state;
	assert_int_equal(sizeof(pairs) / sizeof(pairs[0]), 32);
	for (size_t i = 0; i < 32; i++) {
		struct str rest = str_of(pairs[i]), category;
		assert_true(str_split(&rest, ' ', &category));
		const struct xarf_type *known = xarf_type_v4(category, rest);
		assert_non_null(known);
		assert_true(rsit_parse(str_of(known->type), &type));
	}
	assert_null(xarf_type_v4(STR("content"), STR("spam")));
	assert_null(xarf_type_v3(STR("Activity"), STR("Harassed")));
	assert_string_equal(xarf_type_v3(STR("Content"), STR("malware"))->type, "malware-distribution");
	assert_string_equal(xarf_type_v3(STR("Activity"), STR("malware"))->type, "infected-system");
	assert_string_equal(xarf_type_text(STR("abuse"), STR("ssh-login"))->type, "brute-force");
	assert_string_equal(xarf_type_text(STR("fraud"), STR("odd"))->type, "masquerade");
	assert_string_equal(xarf_type_text(STR("odd"), STR("odd"))->type, "undetermined");
}

static void test_xarf_is_told_from_other_json(void **state)
{
	(void)state;
	assert_true(xarf_json_is(STR("{\"a\":1,\"xarf_version\":\"4.0.0\"}")));
	assert_true(xarf_json_is(STR("{\"Report\":{},\"Version\":\"3\"}")));
	assert_false(xarf_json_is(STR("{\"Version\":\"3\"}")));
	assert_false(xarf_json_is(STR("{\"type\":\"bundle\",\"objects\":[]}")));
	assert_false(xarf_json_is(STR("[]")));
	assert_false(xarf_json_is(STR_NONE));
	assert_int_equal(format_guess(STR(" [{\"xarf_version\":\"4.0.0\"}]")), FORMAT_XARF);
	assert_int_equal(
		format_guess(STR("\"timestamp\",\"ip\",\"geo\",\"naics\"\n\"x\",,,\n")), FORMAT_SHADOWSERVER);
	assert_int_equal(format_guess(STR("Subject: a,b,c\n\nx\n")), FORMAT_MAIL);
}

static void test_every_shadowserver_type_says_what_it_is(void **state)
{
	size_t count;
	const struct shadowserver_type *types = shadowserver_types(&count);
	struct str rest;
	enum rsit_type type;

	(void)state;
	assert_true(count > 150);
	for (size_t i = 0; i < count; i++) {
		bool family = types[i].name[strlen(types[i].name) - 1] == '*';
		assert_true(rsit_parse(str_of(types[i].type), &type));
		assert_true(types[i].severity > 0 && types[i].severity <= 100);
		assert_true(family || types[i].identifier[0]);
		if (!family) /* and none stands behind another of its name */
			assert_ptr_equal(shadowserver_type_of(str_of(types[i].name), &rest), &types[i]);
	}
}

static void test_shadowserver_names(void **state)
{
	static const struct {
		const char *name, *row, *rest;
	} samples[] = {{"scan_rdp", "scan_rdp", ""}, {"scan6_rdp", "scan_rdp", ""},
		{"event6_sinkhole_http", "event4_sinkhole_http", ""}, {"device_id6", "device_id", ""},
		{"compromised_website6", "compromised_website", ""},
		{"population6_bgp", "population_bgp", ""}, {"sinkhole6_http", "sinkhole6_http", ""},
		{"scan_teapot", "scan_*", "teapot"}, {"scan6_teapot", "scan_*", "teapot"},
		{"event4_honeypot_tea", "event4_honeypot_*", "tea"}, {"of_tomorrow", "*", "of_tomorrow"}};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct str rest;
		const struct shadowserver_type *known = shadowserver_type_of(str_of(samples[i].name), &rest);
		assert_string_equal(known->name, samples[i].row);
		assert_str_is(rest, samples[i].rest);
	}
}

static void test_shadowserver_is_told_by_name_or_columns(void **state)
{
	static const struct str plain = {"\"timestamp\",\"ip\",\"port\"\n", 24};

	(void)state;
	assert_true(shadowserver_is(STR("x/y.zip/2026-11-22-scan_rdp-example-asn.csv"), plain));
	assert_true(shadowserver_is(STR("2026-11-22-scan_rdp.csv"), plain));
	assert_false(shadowserver_is(STR("2026-11-22 scan_rdp.csv"), plain));
	assert_false(shadowserver_is(STR("list.csv"), plain));
	assert_true(shadowserver_is(STR("list.csv"), STR("timestamp,src_ip,src_geo,src_naics\n")));
	assert_false(shadowserver_is(STR("2026-11-22-scan_rdp-x.csv"), STR("name,value,other\n")));
	assert_false(shadowserver_is(STR("2026-11-22-scan_rdp-x.csv"), STR_NONE));
	assert_str_is(shadowserver_link(STR("get it: <https://dl.shadowserver.org/Ab-1> now")),
		"https://dl.shadowserver.org/Ab-1");
	assert_int_equal(shadowserver_link(STR("https://dl.shadowserver.org/ nothing")).len, 0);
	assert_int_equal(shadowserver_link(STR("https://shadowserver.org/x")).len, 0);
}

static void count_flushed(struct reading *reading)
{
	struct place *place = reading->context;

	place->flushes++;
	for (size_t i = 0; i < reading->item_count; i++) {
		const struct item *item = &reading->items[i];
		place->reports += item->kind == ITEM_REPORT;
		place->contexts += item->kind == ITEM_CONTEXT;
		place->bad += item->kind == ITEM_QUARANTINED;
		if (item->kind != ITEM_REPORT)
			continue;
		place->wrong |= !str_starts(item->report.title, STR("open-rdp: 198.51.")) ||
		                !str_starts(item->report.doc, STR("\"timestamp\"")) ||
		                !str_starts(item->part, STR("2026-11-22-scan_rdp-example-asn.csv, line "));
	}
}

/* A table of a mail is sent while it is read: nothing that was forgotten by then may be needed again. */
static void test_many_rows_are_sent_while_they_are_read(void **state)
{
	struct place *place = *state;
	struct buf mail = {0};

	buf_text(&mail,
		"From: auto@reporter.example\nSubject: Shadowserver\nContent-Type: multipart/mixed; "
		"boundary=b\n\n--b\nContent-Type: text/csv; name=\"2026-11-22-scan_rdp-example-asn.csv\"\n\n"
		"\"timestamp\",\"ip\",\"port\",\"tag\"\n");
	for (int i = 0; i < 8000; i++)
		buf_printf(&mail, "\"2026-11-22 01:02:03\",\"198.51.%d.%d\",%s,\"rdp\"\n", i / 250, i % 250,
			i % 1000 == 999 ? "3389,1" : "3389");
	buf_text(&mail, "--b--\n");
	place->reading.flush = count_flushed;
	assert_true(mail_read(&place->reading, buf_view(&mail), ENVELOPE, &place->err));
	assert_true(place->flushes > 3);
	count_flushed(&place->reading);
	assert_false(place->wrong);
	assert_int_equal(place->reports, 7992);
	assert_int_equal(place->bad, 8);
	assert_int_equal(place->contexts, 2);
	assert_int_equal(place->reading.next_item, 8002);
	buf_free(&mail);
}

static bool leave_fourth_out(struct reading *reading, uint32_t item, struct str *reason)
{
	(void)reading;
	*reason = STR("yara: a worker ended in it");
	return item == 3;
}

static void test_a_row_that_ended_a_worker_costs_itself(void **state)
{
	struct place *place = *state;

	place->reading.left_out = leave_fourth_out;
	shadowserver_rows(&place->reading, STR("2026-11-22-scan_rdp-x.csv"), STR_NONE,
		STR("timestamp,ip,port\n2026-11-22 00:00:00,192.0.2.1,1\n2026-11-22 00:00:00,192.0.2.2,1\n"
		    "2026-11-22 00:00:00,192.0.2.3,1\n2026-11-22 00:00:00,192.0.2.4,1\n"));
	assert_int_equal(place->reading.item_count, 5);
	assert_int_equal(place->reading.items[3].kind, ITEM_QUARANTINED);
	assert_str_is(place->reading.items[3].bytes, "2026-11-22 00:00:00,192.0.2.3,1");
	assert_int_equal(place->reading.items[4].kind, ITEM_REPORT);
}

/* From one day to the next the time, unknown columns and severity change; what it is and whose does not. */
static void test_rows_of_the_next_day_have_the_same_fingerprint(void **state)
{
	struct place *place = *state;

	shadowserver_rows(&place->reading, STR("2026-11-22-scan_rdp-x.csv"), STR_NONE,
		STR("timestamp,ip,port,severity\n2026-11-22 00:00:00,192.0.2.1,3389,high\n"));
	shadowserver_rows(&place->reading, STR("2026-11-23-scan_rdp-x.csv"), STR_NONE,
		STR("timestamp,ip,new,port,severity\n2026-11-23 00:00:00,192.0.2.1,x,3389,low\n"
		    "2026-11-23 00:00:00,192.0.2.1,x,3390,low\n"));
	for (size_t i = 0; i < place->reading.item_count; i++)
		report_fingerprint(&place->reading.items[i].report, place->arena);
	assert_int_equal(place->reading.item_count, 5);
	assert_memory_equal(place->reading.items[1].report.fingerprint.digest,
		place->reading.items[3].report.fingerprint.digest, FINGERPRINT_LEN);
	assert_memory_not_equal(place->reading.items[3].report.fingerprint.digest,
		place->reading.items[4].report.fingerprint.digest, FINGERPRINT_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fields_are_unfolded_and_unquoted, begin, end),
		cmocka_unit_test_setup_teardown(test_fields_are_bounded, begin, end),
		cmocka_unit_test_setup_teardown(test_dates_as_machines_write_them, begin, end),
		cmocka_unit_test_setup_teardown(test_words_make_identifiers, begin, end),
		cmocka_unit_test_setup_teardown(test_feedback_types, begin, end),
		cmocka_unit_test_setup_teardown(test_feedback_names_its_source_in_many_ways, begin, end),
		cmocka_unit_test_setup_teardown(test_feedback_with_faults_says_so, begin, end),
		cmocka_unit_test_setup_teardown(test_what_xarf_keeps_to_itself_is_not_kept, begin, end),
		cmocka_unit_test_setup_teardown(test_xarf_pairs_of_category_and_type, begin, end),
		cmocka_unit_test_setup_teardown(test_xarf_is_told_from_other_json, begin, end),
		cmocka_unit_test_setup_teardown(test_every_shadowserver_type_says_what_it_is, begin, end),
		cmocka_unit_test_setup_teardown(test_shadowserver_names, begin, end),
		cmocka_unit_test_setup_teardown(test_shadowserver_is_told_by_name_or_columns, begin, end),
		cmocka_unit_test_setup_teardown(test_many_rows_are_sent_while_they_are_read, begin, end),
		cmocka_unit_test_setup_teardown(test_a_row_that_ended_a_worker_costs_itself, begin, end),
		cmocka_unit_test_setup_teardown(
			test_rows_of_the_next_day_have_the_same_fingerprint, begin, end),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
