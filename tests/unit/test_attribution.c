#include "unit.h"

#include "landing_place.h"

/* Whose a thing is: the store answers out of memory, the database by organisation_at(), and both say the
 * same. */

#define DAY (24 * 3600)
#define NOW 1795000000 /* 2026-11-18 */

static void registered(struct fixture *f, const char *sql)
{
	ask(f, sql);
	assert_string_equal(f->eyes->value, "");
}

static void empty_register(struct fixture *f)
{
	clean(f);
	ask(f, "UPDATE organisation SET parent = NULL");
	ask(f, "DELETE FROM contact");
	ask(f, "DELETE FROM organisation");
	ask(f, "TRUNCATE delegation, delegation_asn, abuse_contact");
}

static void on_reached(struct pg *pg, const struct pg_result *result, void *context)
{
	(void)pg;
	(void)result;
	++*(size_t *)context;
}

/* Whatever the lookup has asked for is answered before it goes: revisions, then what changed. */
static int settled(void **state)
{
	struct fixture *f = *state;
	size_t reached = 0;

	for (size_t round = 1; round <= 3; round++) {
		pg_query(f->pg, "SELECT 1", NULL, 0, false, on_reached, &reached);
		turn(f, &reached, round);
	}
	return teardown(state);
}

static int32_t id_of(struct fixture *f, const char *name)
{
	char sql[300];

	snprintf(
		sql, sizeof sql, "SELECT coalesce((SELECT id FROM organisation WHERE name = '%s'), 0)", name);
	return (int32_t)strtol(ask(f, sql), NULL, 10);
}

/* 'type role value' for SQL, quoted. */
static void put_array(const struct report *report, struct buf *out)
{
	buf_text(out, "ARRAY[");
	for (size_t i = 0; i < report->observable_count; i++)
		buf_printf(out, "%s'%s %s " STR_FMT "'", i ? "," : "",
			observable_type_name(report->observables[i].type),
			observable_role_name(report->observables[i].role),
			STR_ARG(report->observables[i].value));
	buf_text(out, "]::text[]");
}

static int32_t database_says(
	struct fixture *f, const char *type, const struct report *report, int64_t seconds)
{
	struct buf sql = {0};

	buf_printf(&sql, "SELECT coalesce((SELECT organisation FROM organisation_at('%s', '" STR_FMT "', ",
		type, STR_ARG(report->title));
	put_array(report, &sql);
	buf_printf(&sql, ", %u, to_timestamp(%lld))), 0)", report->asn, (long long)seconds);
	int32_t found = (int32_t)strtol(ask(f, buf_cstr(&sql)), NULL, 10);
	buf_free(&sql);
	return found;
}

static int32_t memory_says(struct fixture *f, const char *type, const struct report *report, int64_t seconds)
{
	enum rsit_type parsed = RSIT_NONE;

	assert_true(rsit_parse(str_of(type), &parsed));
	return organisation_of_report(
		lookup_organisations(f->lookup), parsed, report, seconds * CLOCK_SECOND);
}

static void assert_whose(struct fixture *f, const char *type, const char *title, uint32_t asn,
	struct observable *observables, size_t count, int64_t seconds, const char *name)
{
	struct report report = {
		.title = str_of(title), .asn = asn, .observables = observables, .observable_count = count};
	int32_t whose = *name ? id_of(f, name) : 0;

	assert_int_equal(memory_says(f, type, &report, seconds), whose);
	assert_int_equal(database_says(f, type, &report, seconds), whose);
}

#define ASSERT_ONE(f, type_, role_, value_, seconds, name)                                    \
	do {                                                                                  \
		struct observable one_ = {OBSERVABLE_##type_, OBSERVED_##role_, STR(value_)}; \
		assert_whose(f, "phishing", "", 0, &one_, 1, seconds, name);                  \
	} while (0)

static void fill(struct fixture *f)
{
	empty_register(f);
	ask(f, "INSERT INTO organisation (name, valid) VALUES ('Telco', DEFAULT), ('Hospital', DEFAULT), "
	       "('Bank', "
	       "DEFAULT), ('Brief', tstzrange(to_timestamp(1794900000), to_timestamp(1795000000)))");
	ask(f, "INSERT INTO organisation_prefix (organisation, prefix, valid) SELECT id, p::cidr, v FROM "
	       "organisation, "
	       "(VALUES ('Telco', '203.0.113.0/24', tstzrange(NULL, NULL)), ('Telco', '2001:db8::/32', "
	       "tstzrange(NULL, NULL)), ('Hospital', '203.0.113.0/26', tstzrange(to_timestamp(1794990000), "
	       "NULL)), "
	       "('Brief', '203.0.113.128/25', tstzrange(NULL, NULL)), ('Bank', '203.0.113.128/25', "
	       "tstzrange(to_timestamp(1795000000), NULL))) e (n, p, v) WHERE name = n");
	ask(f, "INSERT INTO organisation_domain (organisation, domain) SELECT id, d FROM organisation, "
	       "(VALUES ('Telco', "
	       "'telco.example'), ('Hospital', 'clinic.telco.example'), ('Bank', 'bank.example')) e (n, d) "
	       "WHERE name = n");
	ask(f, "INSERT INTO organisation_asn (organisation, asn) SELECT id, 64500 FROM organisation WHERE "
	       "name = 'Telco'");
	ask(f, "INSERT INTO organisation_brand (organisation, brand) SELECT id, b FROM organisation, (VALUES "
	       "('Bank', "
	       "'nord bank'), ('Telco', 'nord'), ('Bank', 'bänk')) e (n, b) WHERE name = n");
	reload(f);
}

static void test_longest_prefix_of_the_time_holds(void **state)
{
	struct fixture *f = *state;

	fill(f);
	ASSERT_ONE(f, IP, SOURCE, "203.0.113.5", NOW, "Hospital");
	ASSERT_ONE(f, IP, SOURCE, "203.0.113.5", 1794990000, "Hospital");
	ASSERT_ONE(f, IP, SOURCE, "203.0.113.5", 1794989999, "Telco");
	ASSERT_ONE(f, IP, SOURCE, "203.0.113.200", 1794950000, "Brief");
	ASSERT_ONE(f, IP, SOURCE, "203.0.113.200", NOW, "Bank");
	ASSERT_ONE(f, IP, SOURCE, "203.0.113.200", 1794899999, "Telco");
	ASSERT_ONE(f, IP, SOURCE, "2001:db8:ffff::1", NOW, "Telco");
	ASSERT_ONE(f, IP, SOURCE, "203.0.113.0/25", NOW, "Telco");
	ASSERT_ONE(f, IP, SOURCE, "198.51.100.1", NOW, "");
	ASSERT_ONE(f, IP, REPORTER, "203.0.113.5", NOW, "");
}

static void test_names_hold_by_suffix(void **state)
{
	struct fixture *f = *state;

	fill(f);
	ASSERT_ONE(f, NAME, SOURCE, "a.b.clinic.telco.example", NOW, "Hospital");
	ASSERT_ONE(f, NAME, SOURCE, "clinic.telco.example", NOW, "Hospital");
	ASSERT_ONE(f, NAME, SOURCE, "xclinic.telco.example", NOW, "Telco");
	ASSERT_ONE(f, NAME, SOURCE, "nottelco.example", NOW, "");
	ASSERT_ONE(f, EMAIL, SOURCE, "a@b.telco.example", NOW, "Telco");
	ASSERT_ONE(f, URL, SOURCE, "http://u:p@bank.example:8080/x?y@z", NOW, "Bank");
	ASSERT_ONE(f, URL, SOURCE, "http://[2001:db8::5]:80/", NOW, "Telco");
	ASSERT_ONE(f, URL, IMITATED, "https://www.bank.example/", NOW, "Bank");
}

static void test_an_asn_comes_after_addresses_and_before_brands(void **state)
{
	struct fixture *f = *state;
	struct observable two[] = {{OBSERVABLE_NAME, OBSERVED_INDICATOR, STR("nord-bank.evil.example")},
		{OBSERVABLE_IP, OBSERVED_SOURCE, STR("198.51.100.1")}};

	fill(f);
	assert_whose(f, "phishing", "", 64500, two, 2, NOW, "Telco");
	assert_whose(f, "phishing", "", 64501, two, 2, NOW, "Bank");
	assert_whose(f, "scanner", "", 64501, two, 2, NOW, "");
}

static void test_imitated_brands_are_found_as_whole_words(void **state)
{
	struct fixture *f = *state;

	fill(f);
	ASSERT_ONE(f, URL, INDICATOR, "https://evil.example/Nord_BANK/login", NOW, "Bank");
	ASSERT_ONE(f, URL, INDICATOR, "https://evil.example/nord/login", NOW, "Telco");
	ASSERT_ONE(f, URL, INDICATOR, "https://evil.example/nordbank", NOW, "");
	ASSERT_ONE(f, URL, TARGET, "https://evil.example/nord-bank", NOW, "");
	ASSERT_ONE(f, OTHER, IMITATED, "NORD", NOW, "Telco");
	assert_whose(f, "phishing", "Your nord bank account", 0, NULL, 0, NOW, "Bank");
	assert_whose(f, "phishing", "Your bänk account", 0, NULL, 0, NOW, "Bank");
	assert_whose(f, "masquerade", "Your nord.", 0, NULL, 0, NOW, "Telco");
	assert_whose(f, "spam", "Your nord bank account", 0, NULL, 0, NOW, "");
	/* Words of two texts are no brand. */
	struct observable name = {OBSERVABLE_NAME, OBSERVED_SOURCE, STR("bank.evil.example")};
	assert_whose(f, "phishing", "Greetings of the nord", 0, &name, 1, NOW, "Telco");
}

static void test_critical_is_what_criticality_says(void **state)
{
	struct fixture *f = *state;

	fill(f);
	ask(f, "UPDATE organisation SET criticality = 'critical' WHERE name = 'Hospital'");
	ask(f, "UPDATE organisation SET criticality = 'important' WHERE name = 'Bank'");
	reload(f);
	assert_true(organisation_is_critical(lookup_organisations(f->lookup), id_of(f, "Hospital")));
	assert_false(organisation_is_critical(lookup_organisations(f->lookup), id_of(f, "Bank")));
	assert_sql(f, "SELECT string_agg(name, ',') FROM organisation WHERE critical", "Hospital");
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Many entries that overlap in every way, and many questions. */
static void fill_at_random(struct fixture *f)
{
	empty_register(f);
	ask(f, "SELECT setseed(0.42)");
	ask(f, "INSERT INTO organisation (name, valid) SELECT 'o' || n, CASE n % 3 WHEN 0 THEN "
	       "tstzrange(NULL, NULL) WHEN 1 "
	       "THEN tstzrange(to_timestamp(1795000000 - n * 50000), NULL) ELSE tstzrange(NULL, "
	       "to_timestamp(1795000000 + "
	       "n * 1000)) END FROM generate_series(1, 40) n");
	ask(f, "INSERT INTO organisation_prefix (organisation, prefix, valid) SELECT o.id, "
	       "network(set_masklen(('10.0.' || "
	       "(random() * 3)::int || '.' || (random() * 255)::int)::inet, 20 + (random() * 12)::int)), "
	       "CASE (random() * "
	       "3)::int WHEN 0 THEN tstzrange(to_timestamp(1795000000 - (random() * 9)::int * 100000), NULL) "
	       "ELSE "
	       "tstzrange(NULL, NULL) END FROM organisation o, generate_series(1, 20) ON CONFLICT DO "
	       "NOTHING");
	ask(f, "INSERT INTO organisation_domain (organisation, domain) SELECT o.id, repeat('a.', (random() * "
	       "3)::int) || 'd' || "
	       "(random() * 9)::int || '.example' FROM organisation o, generate_series(1, 5) ON CONFLICT DO "
	       "NOTHING");
	ask(f, "INSERT INTO organisation_asn (organisation, asn) SELECT o.id, 64500 + (random() * 20)::int "
	       "FROM organisation o, "
	       "generate_series(1, 3) ON CONFLICT DO NOTHING");
	ask(f, "INSERT INTO organisation_brand (organisation, brand) SELECT o.id, 'b' || (random() * 9)::int "
	       "|| CASE WHEN "
	       "random() < 0.5 THEN ' b' || (random() * 9)::int ELSE '' END FROM organisation o ON CONFLICT "
	       "DO NOTHING");
	reload(f);
}

static void test_memory_and_database_say_the_same(void **state)
{
	static const enum observable_role roles[] = {OBSERVED_SOURCE, OBSERVED_TARGET, OBSERVED_IMITATED,
		OBSERVED_INDICATOR, OBSERVED_UNKNOWN, OBSERVED_REPORTER};
	static const char *const types[] = {"phishing", "scanner", "masquerade"};
	struct fixture *f = *state;
	uint32_t seed = 7;
	size_t found = 0;

	fill_at_random(f);
	for (int i = 0; i < 2000; i++) {
		char text[3][80];
		struct observable observables[3];
		struct report report = {.observables = observables, .observable_count = 1 + next(&seed) % 3};
		for (size_t n = 0; n < report.observable_count; n++) {
			enum observable_type type = OBSERVABLE_IP;
			if (next(&seed) % 3) {
				snprintf(text[n], sizeof text[n], "10.0.%u.%u", next(&seed) % 6,
					next(&seed) % 256);
			} else if (next(&seed) % 2) {
				type = OBSERVABLE_NAME;
				snprintf(text[n], sizeof text[n], "%s.a.d%u.example",
					next(&seed) % 2 ? "a" : "x", next(&seed) % 20);
			} else {
				type = OBSERVABLE_URL;
				snprintf(text[n], sizeof text[n], "https://b%u-b%u.evil.example/b%u",
					next(&seed) % 12, next(&seed) % 12, next(&seed) % 12);
			}
			observables[n] = (struct observable){type, roles[next(&seed) % 6], str_of(text[n])};
		}
		report.title = next(&seed) % 2 ? STR("of b3 b4") : STR("nothing");
		report.asn = next(&seed) % 4 ? 0 : 64490 + next(&seed) % 40;
		const char *type = types[next(&seed) % 3];
		int64_t seconds = NOW - (int64_t)(next(&seed) % 1000000) + 50000;
		int32_t whose = memory_says(f, type, &report, seconds);
		assert_int_equal(whose, database_says(f, type, &report, seconds));
		found += whose != 0;
	}
	assert_true(found > 500 && found < 1990);
}

static void test_foreign_is_known_by_delegation(void **state)
{
	struct fixture *f = *state;
	static const char asked[] =
		"SELECT concat_ws(' ', country, delegated, registry, (SELECT name FROM organisation WHERE "
		"id = cirt), abuse, abuse_prefix) FROM ";
	char sql[600];

	empty_register(f);
	ask(f, "INSERT INTO organisation (name, kind, country, valid) VALUES ('CERT-XY', 'national-cirt', "
	       "'XY', "
	       "tstzrange(to_timestamp(1794000000), NULL)), ('Ministry', 'government', 'XY', DEFAULT)");
	ask(f, "INSERT INTO delegation VALUES ('198.51.100.0/24', 'XY', 'ripencc'), ('198.51.0.0/16', 'XZ', "
	       "'arin')");
	ask(f, "INSERT INTO delegation_asn VALUES (64510, 64520, 'XY', 'apnic'), (64530, 64530, 'XZ', "
	       "'apnic')");
	ask(f, "INSERT INTO abuse_contact VALUES ('198.51.100.0/25', 'abuse@xy.example', 'ripencc')");
	static const struct {
		const char *call, *expected;
	} cases[] = {
		{"foreign_at('198.51.100.7', 0, '', to_timestamp(1795000000))",
			"XY 198.51.100.0/24 ripencc CERT-XY abuse@xy.example 198.51.100.0/25"},
		{"foreign_at('198.51.100.7', 0, '', to_timestamp(1793000000))",
			"XY 198.51.100.0/24 ripencc abuse@xy.example 198.51.100.0/25"},
		{"foreign_at('198.51.100.200', 0, 'XZ', now())", "XZ 198.51.100.0/24 ripencc"},
		{"foreign_at('198.51.7.7', 64515, '', now())", "XZ 198.51.0.0/16 arin"},
		{"foreign_at('203.0.113.7', 64515, '', to_timestamp(1795000000))",
			"XY AS64510-AS64520 apnic CERT-XY"},
		{"foreign_at(NULL, 64525, '', now())", ""},
		{"foreign_at(NULL, 0, '', now())", ""},
		{"foreign_at(NULL, 64530, '', now())", "XZ AS64530 apnic"},
		{"foreign_of('{\"ip reporter 198.51.100.7\",\"url indicator http://198.51.7.1:80/x\"}', 0, "
		 "'', now())",
			"XZ 198.51.0.0/16 arin"},
		{"foreign_of('{}', 0, '', now())", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(sql, sizeof sql, "%s%s", asked, cases[i].call);
		assert_sql(f, sql, cases[i].expected);
	}
}

static void test_hosts_are_read_as_netaddr_reads_them(void **state)
{
	static const char *const hosts[] = {"1.2.3.4", "01.2.3.4", "1.2.3", "1.2.3.4/24", "1.2.3.4/33", "::1",
		"::ffff:1.2.3.4", "::ffff:102:304", "::FFFF:1.2.3.4/120", "2001:DB8::/32", "2001:db8::/129",
		"1.2.3.4.5", "a.example", ":", "", "256.1.1.1", "1.2.3.4/08", "::1%eth0", "fe80::1/64",
		"::/0", "0.0.0.0/0", "::ffff:0:0/95"};
	struct fixture *f = *state;

	empty_register(f);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		struct netaddr address;
		char text[NETADDR_TEXT] = "", sql[200];
		if (netaddr_parse(str_of(hosts[i]), &address))
			netaddr_format(&address, text);
		snprintf(sql, sizeof sql,
			"SELECT coalesce(CASE WHEN masklen(a) = CASE family(a) WHEN 4 THEN 32 ELSE 128 END "
			"THEN host(a) ELSE "
			"text(network(a)) END, '') FROM address_of('%s') a",
			hosts[i]);
		assert_sql(f, sql, text);
	}
}

static void test_validity_has_one_form(void **state)
{
	struct fixture *f = *state;

	empty_register(f);
	registered(f, "INSERT INTO organisation (name) VALUES ('x')");
	static const char *const ranges[] = {
		"empty", "[2026-01-01,2026-01-02]", "(2026-01-01,2026-01-02)", "[-infinity,)", "[,infinity)"};
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		char sql[200];
		snprintf(sql, sizeof sql,
			"INSERT INTO organisation_asn (organisation, asn, valid) SELECT id, 1, '%s' FROM "
			"organisation",
			ranges[i]);
		assert_true(strncmp(ask(f, sql), "23514", 5) == 0);
	}
}

/* Nested prefixes, neighbours, both ends of a prefix, and what lies between. */
static void test_countries_in_memory_are_those_of_the_database(void **state)
{
	static const char *const rows[][2] = {{"10.0.0.0/8", "AA"}, {"10.1.0.0/16", "BB"},
		{"10.1.2.0/24", "CC"}, {"10.1.255.0/24", "DD"}, {"10.2.0.0/16", "EE"},
		{"192.0.2.128/25", "FF"}, {"2001:db8::/32", "GG"}, {"2001:db8:8000::/33", "HH"}};
	static const char *const asked[] = {"9.255.255.255", "10.0.0.0", "10.0.255.255", "10.1.0.0",
		"10.1.1.255", "10.1.2.0", "10.1.2.255", "10.1.3.0", "10.1.255.255", "10.2.0.0", "10.3.0.1",
		"10.255.255.255", "11.0.0.0", "192.0.2.127", "192.0.2.128", "255.255.255.255", "2001:db7::1",
		"2001:db8::1", "2001:db8:7fff::1", "2001:db8:8000::1", "2001:db9::", "::"};
	struct fixture *f = *state;
	struct countries *countries = countries_new();
	struct netaddr address;
	char sql[300];

	empty_register(f);
	assert_false(country_of_address(countries, &(struct netaddr){.family = 4, .bits = 32}).len);
	for (size_t i = ARRAY_LEN(rows); i-- > 0;) {
		snprintf(sql, sizeof sql, "INSERT INTO delegation VALUES ('%s', '%s', 'test')", rows[i][0],
			rows[i][1]);
		registered(f, sql);
		assert_true(netaddr_parse(str_of(rows[i][0]), &address));
		countries_add(countries, &address, str_of(rows[i][1]));
	}
	countries_settle(countries);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		assert_true(netaddr_parse(str_of(asked[i]), &address));
		struct str found = country_of_address(countries, &address);
		snprintf(sql, sizeof sql,
			"SELECT coalesce((SELECT country FROM delegation WHERE prefix >>= '%s' ORDER BY "
			"masklen(prefix) DESC LIMIT 1), '') = '%.*s'",
			asked[i], (int)found.len, found.p ? found.p : "");
		if (strcmp(ask(f, sql), "t") != 0)
			fail_msg(
				"%s: memory says \"%.*s\"", asked[i], (int)found.len, found.p ? found.p : "");
	}
	countries_free(&countries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_longest_prefix_of_the_time_holds, setup, settled),
		cmocka_unit_test_setup_teardown(test_names_hold_by_suffix, setup, settled),
		cmocka_unit_test_setup_teardown(
			test_an_asn_comes_after_addresses_and_before_brands, setup, settled),
		cmocka_unit_test_setup_teardown(
			test_imitated_brands_are_found_as_whole_words, setup, settled),
		cmocka_unit_test_setup_teardown(test_critical_is_what_criticality_says, setup, settled),
		cmocka_unit_test_setup_teardown(test_memory_and_database_say_the_same, setup, settled),
		cmocka_unit_test_setup_teardown(test_foreign_is_known_by_delegation, setup, settled),
		cmocka_unit_test_setup_teardown(test_hosts_are_read_as_netaddr_reads_them, setup, settled),
		cmocka_unit_test_setup_teardown(test_validity_has_one_form, setup, settled),
		cmocka_unit_test_setup_teardown(
			test_countries_in_memory_are_those_of_the_database, setup, settled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
