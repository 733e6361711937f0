#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "wire/reading.h"

/* A report under the hand of a test. */
struct bench {
	struct reading reading;
	struct report report;
};

static struct bench bench_new(const char *type)
{
	struct bench bench = {.reading = {.arena = arena_new(0), .limits = &reading_limits_default}};

	bench.report.doc = STR("{}");
	assert_true(rsit_parse(str_of(type), &bench.report.type));
	return bench;
}

static void add(struct bench *bench, enum observable_type type, enum observable_role role, const char *value)
{
	assert_true(reading_observable(&bench->reading, &bench->report, type, role, str_of(value)));
}

static void assert_key(struct bench *bench, const char *rule, const char *key)
{
	struct fingerprint *fingerprint = &bench->report.fingerprint;

	report_fingerprint(&bench->report, bench->reading.arena);
	assert_true(fingerprint->version >= 1);
	if (!str_equal(fingerprint->rule, str_of(rule)) || !str_equal(fingerprint->key, str_of(key)))
		fail_msg("expected %s %s, got " STR_FMT " " STR_FMT, rule, key, STR_ARG(fingerprint->rule),
			STR_ARG(fingerprint->key));
}

static void test_each_rule_makes_its_key(void **state)
{
	struct bench bench = bench_new("infected-system");

	(void)state;
	add(&bench, OBSERVABLE_IP, OBSERVED_SOURCE, "198.51.100.7");
	bench.report.malware = STR("mirai");
	bench.report.sender_id = STR("any");
	bench.report.observed = 17;
	assert_key(&bench, "infected-host", "type=infected-system|what=mirai|host=198.51.100.7");
	arena_free(&bench.reading.arena);

	bench = bench_new("scanner");
	add(&bench, OBSERVABLE_IP, OBSERVED_SOURCE, "198.51.100.7");
	add(&bench, OBSERVABLE_IP, OBSERVED_TARGET, "192.0.2.1");
	bench.report.target_port = 22;
	assert_key(&bench, "scan", "type=scanner|what=|from=198.51.100.7|port=22");
	arena_free(&bench.reading.arena);

	bench = bench_new("vulnerable-system");
	add(&bench, OBSERVABLE_IP, OBSERVED_SOURCE, "2001:db8::1");
	bench.report.identifier = STR("open-rdp");
	bench.report.source_port = 3389;
	assert_key(&bench, "vulnerable-service",
		"type=vulnerable-system|what=open-rdp|host=2001:db8::1|port=3389");
	arena_free(&bench.reading.arena);

	bench = bench_new("phishing");
	add(&bench, OBSERVABLE_URL, OBSERVED_INDICATOR, "http://Login.Bank.example/a/b?victim=7#x");
	assert_key(&bench, "phishing-url", "type=phishing|host=login.bank.example|path=/a/b");
	arena_free(&bench.reading.arena);

	bench = bench_new("ddos");
	add(&bench, OBSERVABLE_IP, OBSERVED_TARGET, "192.0.2.1");
	assert_key(&bench, "attack", "type=ddos|what=|target=192.0.2.1");
	arena_free(&bench.reading.arena);

	bench = bench_new("phishing");
	bench.report.sender_id = STR("sighting--ee20065d-2555-424f-ad9e-0f8428623c75");
	bench.report.global_id = true;
	assert_key(&bench, "stix-id", "id=sighting--ee20065d-2555-424f-ad9e-0f8428623c75");
	arena_free(&bench.reading.arena);
}

static void test_mail_campaign_sees_through_subjects(void **state)
{
	static const char *const subjects[] = {
		"Your  parcel 12345678", "Re: FWD: your parcel 99999", "[SPAM] AW: Your parcel 1111 "};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct bench bench = bench_new("phishing");
		bench.report.doc = STR_NONE;
		bench.report.title = str_of(subjects[i]);
		add(&bench, OBSERVABLE_URL, OBSERVED_INDICATOR,
			i ? "https://parcel.example/?u=2" : "http://parcel.example/x");
		assert_key(&bench, "mail-campaign", "subject=your parcel #|host=parcel.example");
		arena_free(&bench.reading.arena);
	}
}

static void test_two_calls_for_help_are_two_incidents(void **state)
{
	struct bench a = bench_new("undetermined"), b = bench_new("undetermined");

	(void)state;
	a.report.doc = b.report.doc = STR_NONE;
	a.report.title = b.report.title = STR("Help");
	a.report.text = STR("our printers print ghosts");
	b.report.text = STR("our site is down");
	report_fingerprint(&a.report, a.reading.arena);
	report_fingerprint(&b.report, b.reading.arena);
	assert_true(str_equal(a.report.fingerprint.rule, STR("content")));
	assert_memory_not_equal(a.report.fingerprint.digest, b.report.fingerprint.digest, FINGERPRINT_LEN);
	arena_free(&a.reading.arena);
	arena_free(&b.reading.arena);
}

static void test_order_time_and_own_id_do_not_count(void **state)
{
	struct bench a = bench_new("other"), b = bench_new("other");

	(void)state;
	add(&a, OBSERVABLE_IP, OBSERVED_INDICATOR, "192.0.2.1");
	add(&a, OBSERVABLE_NAME, OBSERVED_INDICATOR, "h.example");
	add(&b, OBSERVABLE_NAME, OBSERVED_INDICATOR, "h.example");
	add(&b, OBSERVABLE_IP, OBSERVED_INDICATOR, "192.0.2.1");
	b.report.observed = 1;
	b.report.sender_id = STR("17");
	b.report.severity = 99;
	report_fingerprint(&a.report, a.reading.arena);
	report_fingerprint(&b.report, b.reading.arena);
	assert_memory_equal(a.report.fingerprint.digest, b.report.fingerprint.digest, FINGERPRINT_LEN);
	arena_free(&a.reading.arena);
	arena_free(&b.reading.arena);
}

static void test_long_keys_are_cut_but_differ(void **state)
{
	struct bench a = bench_new("phishing"), b = bench_new("phishing");
	struct buf url = {0};

	(void)state;
	buf_text(&url, "http://x.example/");
	for (int i = 0; i < 1500; i++)
		buf_char(&url, i % 50 ? 'a' : '%');
	add(&a, OBSERVABLE_URL, OBSERVED_INDICATOR, buf_cstr(&url));
	buf_text(&url, "b");
	add(&b, OBSERVABLE_URL, OBSERVED_INDICATOR, buf_cstr(&url));
	report_fingerprint(&a.report, a.reading.arena);
	report_fingerprint(&b.report, b.reading.arena);
	assert_in_range(a.report.fingerprint.key.len, 200, 300);
	assert_memory_not_equal(a.report.fingerprint.digest, b.report.fingerprint.digest, FINGERPRINT_LEN);
	buf_free(&url);
	arena_free(&a.reading.arena);
	arena_free(&b.reading.arena);
}

static void test_values_cannot_pose_as_two(void **state)
{
	struct bench a = bench_new("infected-system"), b = bench_new("infected-system");

	(void)state;
	add(&a, OBSERVABLE_IP, OBSERVED_SOURCE, "192.0.2.1");
	add(&b, OBSERVABLE_IP, OBSERVED_SOURCE, "192.0.2.1");
	a.report.malware = STR("x|host=192.0.2.1");
	b.report.malware = STR("x");
	assert_key(&a, "infected-host", "type=infected-system|what=x%7Chost=192.0.2.1|host=192.0.2.1");
	assert_key(&b, "infected-host", "type=infected-system|what=x|host=192.0.2.1");
	arena_free(&a.reading.arena);
	arena_free(&b.reading.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_rule_makes_its_key),
		cmocka_unit_test(test_mail_campaign_sees_through_subjects),
		cmocka_unit_test(test_two_calls_for_help_are_two_incidents),
		cmocka_unit_test(test_order_time_and_own_id_do_not_count),
		cmocka_unit_test(test_long_keys_are_cut_but_differ),
		cmocka_unit_test(test_values_cannot_pose_as_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
