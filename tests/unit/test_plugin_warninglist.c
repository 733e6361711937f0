#include "config.h"

#include "plugin_bench.h"

/* Lists in, verdicts, tag and severity of a report out. */

static const char some_lists[] =
	"{\"name\":\"resolvers\",\"type\":\"cidr\",\"matching_attributes\":[\"ip-src\",\"ip-dst\",\"domain|"
	"ip\"],"
	"\"list\":[\"192.0.2.53\",\"198.51.100.0/24\",\"2001:db8:1::/48\"]}\n"
	"{\"name\":\"large "
	"sites\",\"type\":\"hostname\",\"matching_attributes\":[\"hostname\",\"domain\",\"url\"],"
	"\"list\":[\"Large.example\",\".dotted.example\",\"*.starred.example\"]}\n"
	"{\"name\":\"empty files\",\"type\":\"string\",\"matching_attributes\":[\"md5\",\"filename|sha256\"],"
	"\"list\":[\"D41D8CD98F00B204E9800998ECF8427E\","
	"\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"]}\n"
	"{\"name\":\"parts\",\"type\":\"substring\",\"matching_attributes\":[\"url\"],\"list\":[\"/"
	".well-known/\",\"~z\"]}\n"
	"{\"name\":\"patterns\",\"type\":\"regex\",\"matching_attributes\":[\"hostname\"],"
	"\"list\":[\"/^ip-[0-9]+\\\\.CLOUD\\\\.example$/i\",\"^s3-[a-z]{2}\\\\.cloud\\\\.example$\"]}\n"
	"{\"name\":\"vpn\",\"type\":\"cidr\",\"category\":\"Known "
	"identifier\",\"list\":[\"203.0.113.0/24\"]}\n";

static void load(struct bench *bench, struct str lists)
{
	bench->plugin = "warninglist";
	bench_put_file(bench, "lists", lists);
	bench_load(bench);
	assert_int_equal(plugin_host_count(bench->host), 1);
}

/* One value alone in a report of severity 70: its severity afterwards. */
static int judge(struct bench *bench, enum observable_type type, const char *value)
{
	bench_report(bench)->severity = 70;
	bench_observable(bench, type, OBSERVED_INDICATOR, value);
	bench_item(bench);
	assert_int_equal(bench_has_tag(bench, "known-good"), bench->report->severity == 10);
	return bench->report->severity;
}

static void test_each_type_of_list(void **state)
{
	static const struct {
		enum observable_type type;
		const char *value;
		int severity;
	} cases[] = {
		{OBSERVABLE_IP, "192.0.2.53", 10},
		{OBSERVABLE_IP, "192.0.2.54", 70},
		{OBSERVABLE_IP, "198.51.100.255", 10},
		{OBSERVABLE_IP, "198.51.101.0", 70},
		{OBSERVABLE_IP, "198.51.100.128/25", 10},
		{OBSERVABLE_IP, "198.51.0.0/16", 70},
		{OBSERVABLE_IP, "2001:db8:1:ffff::1", 10},
		{OBSERVABLE_IP, "2001:db8:2::1", 70},
		{OBSERVABLE_NAME, "large.example", 10},
		{OBSERVABLE_NAME, "www.LARGE.example", 10},
		{OBSERVABLE_NAME, "notlarge.example", 70},
		{OBSERVABLE_NAME, "large.example.evil.example", 70},
		{OBSERVABLE_NAME, "a.dotted.example", 10},
		{OBSERVABLE_NAME, "a.starred.example", 10},
		{OBSERVABLE_MD5, "d41d8cd98f00b204e9800998ecf8427e", 10},
		{OBSERVABLE_MD5, "d41d8cd98f00b204e9800998ecf8427f", 70},
		{OBSERVABLE_SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 10},
		{OBSERVABLE_URL, "http://evil.example/.well-known/x", 10},
		{OBSERVABLE_URL, "http://evil.example/~z", 10},
		{OBSERVABLE_URL, "http://evil.example/well-known/~", 70},
		{OBSERVABLE_NAME, "ip-12.cloud.example", 10},
		{OBSERVABLE_NAME, "ip-12.cloud.example.net", 70},
		{OBSERVABLE_NAME, "s3-eu.cloud.example", 10},
	};
	struct bench bench = {0};

	(void)state;
	load(&bench, str_of(some_lists));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int severity = 0;
		severity = judge(&bench, cases[i].type, cases[i].value);
		if (severity != cases[i].severity)
			fail_msg("%s: expected %d, got %d", cases[i].value, cases[i].severity, severity);
	}
	bench_close(&bench);
}

static void test_says_why(void **state)
{
	struct bench bench = {0};

	(void)state;
	load(&bench, str_of(some_lists));
	judge(&bench, OBSERVABLE_IP, "198.51.100.7");
	assert_string_equal(bench_outcome(&bench, "resolvers"), "known ip 198.51.100.7: 198.51.100.0/24");
	assert_string_equal(bench_note(&bench),
		"plugin warninglist: severity lowered from 70 to 10: all that it names is known: resolvers");
	bench_close(&bench);
}

static void test_one_unknown_value_keeps_the_severity(void **state)
{
	struct bench bench = {0};

	(void)state;
	load(&bench, str_of(some_lists));
	bench_report(&bench)->severity = 70;
	bench_observable(&bench, OBSERVABLE_NAME, OBSERVED_INDICATOR, "large.example");
	bench_observable(&bench, OBSERVABLE_URL, OBSERVED_UNKNOWN, "https://evil.example/login");
	bench_item(&bench);
	assert_int_equal(bench.report->severity, 70);
	assert_false(bench_has_tag(&bench, "known-good"));
	assert_non_null(bench_outcome(&bench, "large sites"));
	assert_int_equal(bench.report->note_count, 0);
	bench_close(&bench);
}

/* Anybody may put a page on a known site. */
static void test_a_page_on_a_known_site_is_not_known(void **state)
{
	struct bench bench = {0};

	(void)state;
	load(&bench, str_of(some_lists));
	assert_int_equal(judge(&bench, OBSERVABLE_URL, "https://www.large.example/"), 10);
	assert_int_equal(judge(&bench, OBSERVABLE_URL, "https://www.large.example:8443"), 10);
	assert_int_equal(judge(&bench, OBSERVABLE_URL, "https://www.large.example/users/evil"), 70);
	assert_string_equal(bench_outcome(&bench, "large sites"),
		"host known url https://www.large.example/users/evil: large.example");
	assert_int_equal(judge(&bench, OBSERVABLE_URL, "https://www.large.example?x=1"), 70);
	assert_int_equal(judge(&bench, OBSERVABLE_URL, "https://large.example@evil.example/"), 70);
	assert_null(bench_outcome(&bench, "large sites"));
	assert_int_equal(judge(&bench, OBSERVABLE_URL, "http://198.51.100.9/x"), 70);
	assert_int_equal(judge(&bench, OBSERVABLE_URL, "http://[2001:db8:1::5]:80/"), 10);
	bench_close(&bench);
}

static void test_roles_that_prove_nothing(void **state)
{
	struct bench bench = {0};

	(void)state;
	load(&bench, str_of(some_lists));
	bench_report(&bench)->severity = 70;
	bench_observable(&bench, OBSERVABLE_IP, OBSERVED_TARGET, "192.0.2.53");
	bench_observable(&bench, OBSERVABLE_EMAIL, OBSERVED_REPORTER, "a@large.example");
	bench_item(&bench);
	assert_int_equal(bench.report->severity, 70);
	/* An unknown victim does not keep a known source from being known. */
	bench_report(&bench)->severity = 70;
	bench_observable(&bench, OBSERVABLE_IP, OBSERVED_SOURCE, "192.0.2.53");
	bench_observable(&bench, OBSERVABLE_IP, OBSERVED_TARGET, "203.0.113.80");
	bench_item(&bench);
	assert_int_equal(bench.report->severity, 10);
	bench_close(&bench);
}

static void test_what_is_known_and_not_harmless_lowers_nothing(void **state)
{
	struct bench bench = {0};

	(void)state;
	load(&bench, str_of(some_lists));
	assert_int_equal(judge(&bench, OBSERVABLE_IP, "203.0.113.80"), 70);
	assert_string_equal(bench_outcome(&bench, "vpn"), "known ip 203.0.113.80: 203.0.113.0/24");
	bench_close(&bench);
}

static void test_lowering_never_raises(void **state)
{
	struct bench bench = {0};

	(void)state;
	bench.plugin = "warninglist";
	bench_set(&bench, "severity", "40");
	load(&bench, str_of(some_lists));
	bench_report(&bench)->severity = 30;
	bench_observable(&bench, OBSERVABLE_IP, OBSERVED_SOURCE, "192.0.2.53");
	bench_item(&bench);
	assert_int_equal(bench.report->severity, 30);
	assert_int_equal(bench.report->note_count, 0);
	assert_true(bench_has_tag(&bench, "known-good"));
	/* What was not stated is what its type usually has. */
	bench_report(&bench)->type = RSIT_FIRST;
	while (rsit_severity(bench.report->type) <= 40)
		bench.report->type++;
	bench_observable(&bench, OBSERVABLE_IP, OBSERVED_SOURCE, "192.0.2.53");
	bench_item(&bench);
	assert_int_equal(bench.report->severity, 40);
	bench_close(&bench);
}

/* An array, a list without matching_attributes, and what cannot be read beside what can. */
static void test_odd_lists_cost_themselves(void **state)
{
	struct bench bench = {0};

	(void)state;
	load(&bench, STR("[{\"name\":\"all\",\"list\":[\"a.example\",7,\"\"]},"
			 "{\"name\":\"odd\",\"type\":\"cidr\",\"list\":[\"300.1.2.3\",\"192.0.2.0/"
			 "33\",\"192.0.2.1\"]},"
			 "{\"name\":\"new\",\"type\":\"ssdeep\",\"list\":[\"b.example\"]},"
			 "{\"list\":[\"c.example\"]},\"text\",5,{}]"));
	assert_int_equal(judge(&bench, OBSERVABLE_NAME, "a.example"), 10);
	assert_int_equal(judge(&bench, OBSERVABLE_NAME, "b.example"), 70);
	assert_int_equal(judge(&bench, OBSERVABLE_NAME, "c.example"), 70);
	assert_int_equal(judge(&bench, OBSERVABLE_IP, "192.0.2.1"), 10);
	assert_int_equal(judge(&bench, OBSERVABLE_IP, "192.0.2.2"), 70);
	bench_close(&bench);
}

static void test_what_is_no_json_is_refused(void **state)
{
	static const char *const wrong[] = {
		"{\"name\":\"a\",", "name,list\n", "{\"name\":\"a\",\"list\":[]}}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct bench bench = {.plugin = "warninglist"};
		bench_put_file(&bench, "lists", str_of(wrong[i]));
		assert_bench_refused(&bench, "expected JSON");
	}
	struct bench bench = {.plugin = "warninglist"};
	bench_set(&bench, "severity", "high");
	assert_bench_refused(&bench, "option severity: expected a number from 0 to 100");
}

/* Nested repetition takes for ever without a limit: the limit makes it no match. */
static void test_an_expression_cannot_run_long(void **state)
{
	char value[2000];
	struct bench bench = {0};

	(void)state;
	load(&bench, STR("{\"name\":\"r\",\"type\":\"regex\",\"list\":[\"^(([a-z])+.)+[A-Z]([a-z])+$\","
			 "\"(\\\\w+\\\\w+)+!\",\"([\"]}"));
	memset(value, 'a', sizeof(value));
	memcpy(value, "http://a.example/", 17);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(judge(&bench, OBSERVABLE_URL, value), 70);
	bench_close(&bench);
}

static void test_many_entries(void **state)
{
	struct buf lists = {0};
	struct bench bench = {0};

	(void)state;
	buf_text(&lists, "{\"name\":\"many\",\"type\":\"hostname\",\"list\":[\"first.example\"");
	for (int i = 0; i < 50000; i++)
		buf_printf(&lists, ",\"n%d.example\"", i);
	buf_text(&lists, "]}{\"name\":\"nets\",\"type\":\"cidr\",\"list\":[\"10.0.0.0/8\"");
	for (int i = 0; i < 20000; i++)
		buf_printf(&lists, ",\"11.%d.%d.0/24\"", i >> 8, i & 255);
	buf_text(&lists, "]}");
	load(&bench, buf_view(&lists));
	assert_int_equal(judge(&bench, OBSERVABLE_NAME, "www.n49999.example"), 10);
	assert_int_equal(judge(&bench, OBSERVABLE_NAME, "n50000.example"), 70);
	assert_int_equal(judge(&bench, OBSERVABLE_IP, "11.78.31.9"), 10);
	assert_int_equal(judge(&bench, OBSERVABLE_IP, "11.78.32.9"), 70);
	bench_close(&bench);
	buf_free(&lists);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_type_of_list),
		cmocka_unit_test(test_says_why),
		cmocka_unit_test(test_one_unknown_value_keeps_the_severity),
		cmocka_unit_test(test_a_page_on_a_known_site_is_not_known),
		cmocka_unit_test(test_roles_that_prove_nothing),
		cmocka_unit_test(test_what_is_known_and_not_harmless_lowers_nothing),
		cmocka_unit_test(test_lowering_never_raises),
		cmocka_unit_test(test_odd_lists_cost_themselves),
		cmocka_unit_test(test_what_is_no_json_is_refused),
		cmocka_unit_test(test_an_expression_cannot_run_long),
		cmocka_unit_test(test_many_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
