#include "config.h"

#include "plugin_bench.h"

/* The names of some constituents in, what imitates them out. */

static const char some_names[] = "domain,organisation\n"
				 "# a comment\n"
				 "examplebank.example,Example Bank AG\r\n"
				 "Telco.example , Telco, Ltd\n"
				 "mail.ministry.example,Ministry\n"
				 "corner-shop.example\n"
				 "xn--brse-5qa.example,Exchange\n"
				 "post.example,Post\n"
				 "rail.co.uk,Rail\n";

static void load(struct bench *bench)
{
	bench->plugin = "lookalike";
	bench_put_file(bench, "names", str_of(some_names));
	bench_load(bench);
	assert_int_equal(plugin_host_count(bench->host), 1);
}

static void judge(struct bench *bench, enum observable_type type, const char *value)
{
	bench_report(bench);
	bench_observable(bench, type, OBSERVED_INDICATOR, value);
	bench_item(bench);
}

/* "how, score N" of the only verdict; NULL: it has none. */
static const char *likeness(struct bench *bench, const char *host, const char **domain)
{
	struct str outcome, before;

	judge(bench, OBSERVABLE_NAME, host);
	assert_true(bench->report->verdict_count < 2);
	if (bench->report->verdict_count == 0)
		return NULL;
	outcome = bench->report->verdicts[0].outcome;
	*domain =
		arena_str(bench->reading.arena, bench->report->verdicts[0].rule).p + strlen("lookalike of ");
	assert_true(str_split(&outcome, ' ', &before));
	return arena_str(bench->reading.arena, outcome).p;
}

static void test_each_way_to_imitate(void **state)
{
	static const struct {
		const char *host;
		const char *domain;
		const char *how; /* how it begins */
	} cases[] = {
		{"examp1ebank.example", "examplebank.example",
			"letters that look the same, score 95 (Example Bank AG)"},
		{"www.xn--exmplebank-0qi.example", "examplebank.example",
			"letters that look the same, score 95"},
		{"xn--exmplebank-0qi.login.evil.example", "examplebank.example",
			"letters that look the same, score 80"},
		{"comer-shop.example", "corner-shop.example", "letters that look the same, score 95"},
		{"borse.example", "xn--brse-5qa.example", "letters that look the same, score 95"},
		{"examplebank.example.evil.net", "examplebank.example",
			"the whole name in front of another domain, score 95"},
		{"a.mail.ministry.example.evil.net", "mail.ministry.example",
			"the whole name in front of another domain, score 95 (Ministry)"},
		{"examplebank-example.evil.net", "examplebank.example",
			"the whole name with hyphens for dots, score 90"},
		{"my-examplebank-example-login.net", "examplebank.example",
			"the whole name with hyphens for dots, score 90"},
		{"examplebnk.example", "examplebank.example", "one letter changed, score 90"},
		{"examplebnak.example", "examplebank.example", "one letter changed, score 90"},
		{"exxamplebank.net", "examplebank.example", "one letter changed, score 75"},
		{"exampelbanc.example", "examplebank.example", "two letters changed, score 80"},
		{"examplbankk.net", "examplebank.example", "two letters changed, score 70"},
		{"tclco.example", "telco.example", "one letter changed, score 90 (Telco, Ltd)"},
		{"login-examplebank.net", "examplebank.example", "words added to the name, score 85"},
		{"examplebank-winter.net", "examplebank.example", "words added to the name, score 75"},
		{"secure-corner-shop.net", "corner-shop.example", "words added to the name, score 85"},
		{"examplebanklogin.net", "examplebank.example", "a word joined to the name, score 80"},
		{"mytelco.net", NULL, NULL},
		{"login-examplebank.evil.net", "examplebank.example", "words added to the name, score 75"},
		{"examplebank-winter.evil.net", NULL, NULL},
		{"examplebanklogin.evil.net", "examplebank.example", "a word joined to the name, score 70"},
		{"securetelco.net", "telco.example", "a word joined to the name, score 80"},
		{"examplebank.net", "examplebank.example", "the same name with another ending, score 70"},
		{"examplebank.co.uk", "examplebank.example", "the same name with another ending, score 70"},
		{"www.examplebank.com.evil.net", NULL, NULL},
		/* the names themselves, what is below them, and others */
		{"examplebank.example", NULL, NULL},
		{"www.examplebank.example", NULL, NULL},
		{"telco.example", NULL, NULL},
		{"ministry.example", NULL, NULL},
		{"mail.example.net", NULL, NULL},
		{"mail-ministry.net", NULL, NULL},
		{"telko.net", NULL, NULL},
		{"post.net", NULL, NULL},
		{"rail.de", NULL, NULL},
		{"guardrail.example", NULL, NULL},
		{"example.net", NULL, NULL},
		{"bank.example", NULL, NULL},
		{"xn--fiqs8s.example", NULL, NULL},
	};
	struct bench bench = {0};

	(void)state;
	load(&bench);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *domain = "", *how = likeness(&bench, cases[i].host, &domain);
		if (!cases[i].how != !how || (how && (!str_starts(str_of(how), str_of(cases[i].how)) ||
							     strcmp(domain, cases[i].domain) != 0)))
			fail_msg("%s: expected %s: %s, got %s: %s", cases[i].host,
				cases[i].domain ? cases[i].domain : "-", cases[i].how ? cases[i].how : "-",
				domain, how ? how : "-");
	}
	bench_close(&bench);
}

static void test_what_a_report_gets(void **state)
{
	struct bench bench = {0};

	(void)state;
	load(&bench);
	judge(&bench, OBSERVABLE_URL, "https://user@login-examplebank.net:8443/x?y");
	assert_true(bench_has_tag(&bench, "lookalike"));
	assert_int_equal(bench.report->severity, 60);
	assert_string_equal(bench_outcome(&bench, "lookalike of examplebank.example"),
		"login-examplebank.net: words added to the name, score 85 (Example Bank AG)");
	const struct observable *imitated = report_find(bench.report, OBSERVABLE_NAME, OBSERVED_IMITATED);
	assert_non_null(imitated);
	assert_true(str_equal(imitated->value, STR("examplebank.example")));
	judge(&bench, OBSERVABLE_EMAIL, "ceo@examp1ebank.example");
	assert_true(bench_has_tag(&bench, "lookalike"));
	judge(&bench, OBSERVABLE_IP, "192.0.2.1");
	assert_false(bench_has_tag(&bench, "lookalike"));
	judge(&bench, OBSERVABLE_URL, "http://[2001:db8::1]/examplebank.example.evil");
	assert_false(bench_has_tag(&bench, "lookalike"));
	bench_close(&bench);
}

static void test_severity_only_rises(void **state)
{
	struct bench bench = {0};

	(void)state;
	load(&bench);
	bench_report(&bench)->severity = 90;
	bench_observable(&bench, OBSERVABLE_NAME, OBSERVED_SOURCE, "login-examplebank.net");
	bench_item(&bench);
	assert_int_equal(bench.report->severity, 90);
	bench_close(&bench);
}

static void test_who_reports_imitates_nobody(void **state)
{
	struct bench bench = {0};

	(void)state;
	load(&bench);
	bench_report(&bench);
	bench_observable(&bench, OBSERVABLE_EMAIL, OBSERVED_REPORTER, "a@login-examplebank.net");
	bench_item(&bench);
	assert_false(bench_has_tag(&bench, "lookalike"));
	bench_close(&bench);
}

static void test_options(void **state)
{
	struct bench bench = {.plugin = "lookalike"}, wrong = {.plugin = "lookalike"};

	(void)state;
	bench_set(&bench, "score", "40");
	bench_set(&bench, "severity", "20");
	bench_put_file(&bench, "allow", STR("login-examplebank.net\n"));
	load(&bench);
	judge(&bench, OBSERVABLE_NAME, "www.login-examplebank.net");
	assert_false(bench_has_tag(&bench, "lookalike"));
	judge(&bench, OBSERVABLE_NAME, "telco.evil.net");
	assert_true(bench_has_tag(&bench, "lookalike"));
	assert_int_equal(bench.report->severity, 20);
	bench_close(&bench);
	bench_set(&wrong, "score", "0");
	assert_bench_refused(&wrong, "option score: expected a number from 1 to 100");
}

static void test_bad_lines_are_named(void **state)
{
	static const char *const lines[] = {"bank.example\nbank\n", "bank.example\n-\n",
		"a.example\nb..example,x\n", "a.example\n.example\n", "a.example\nb\xc3\xa4nk.example\n",
		"a.example\nxn--99999999.example\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct bench bench = {.plugin = "lookalike"};
		bench_put_file(&bench, "names", str_of(lines[i]));
		assert_bench_refused(&bench, "option names: line 2: expected a domain");
	}
}

/* No host makes it read or write where it must not, whatever its labels are. */
static void test_odd_hosts(void **state)
{
	static const char *const parts[] = {"xn--", "xn--a", "xn--99999999", "examplebank", "-", "a-", "--",
		".", "rn", "xn--exmplebank-0qi", "telco-", "example", "0", "login"};
	struct bench bench = {0};
	uint32_t seed = 3;

	(void)state;
	load(&bench);
	for (int round = 0; round < 3000; round++) {
		struct buf host = {0};
		while (host.len < 240) {
			seed = seed * 1664525 + 1013904223;
			buf_text(&host, parts[(seed >> 16) % ARRAY_LEN(parts)]);
			if ((seed >> 8) % 5 == 0)
				break;
		}
		bench_report(&bench);
		if (reading_observable(
			    &bench.reading, bench.report, OBSERVABLE_NAME, OBSERVED_SOURCE, buf_view(&host)))
			bench_item(&bench);
		buf_free(&host);
	}
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_way_to_imitate),
		cmocka_unit_test(test_what_a_report_gets),
		cmocka_unit_test(test_severity_only_rises),
		cmocka_unit_test(test_who_reports_imitates_nobody),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_lines_are_named),
		cmocka_unit_test(test_odd_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
