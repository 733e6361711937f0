#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "triage/plugin_host.h"

/* The plugin as the host sees it: options in, ASN and country out. */
struct bench {
	struct conf conf;
	struct plugin_host *host;
	struct str file; /* of option `database` */
};

static struct str file_of(const char *plugin, const char *option, void *context)
{
	struct bench *bench = context;

	assert_string_equal(plugin, "netinfo");
	return strcmp(option, "database") == 0 ? bench->file : STR_NONE;
}

static void bench_load(struct bench *bench, struct str file)
{
	memset(&bench->conf, 0, sizeof(bench->conf));
	bench->file = file;
	bench->conf.plugins.values[0] = STR("netinfo");
	bench->conf.plugins.count = 1;
	bench->host = plugin_host_load(&bench->conf, file_of, bench);
}

static bool enter(uint32_t item, const char *stage, void *context)
{
	(void)item;
	(void)context;
	assert_string_equal(stage, "plugin netinfo");
	return true;
}

static void assert_found(struct bench *bench, const char *address, uint32_t asn, const char *country)
{
	struct reading reading = {.arena = arena_new(0), .limits = &reading_limits_default};
	struct item *item = reading_item(&reading, ITEM_REPORT);

	assert_true(reading_observable(
		&reading, &item->report, OBSERVABLE_NAME, OBSERVED_SOURCE, STR("h.example")));
	assert_true(reading_observable(
		&reading, &item->report, OBSERVABLE_IP, OBSERVED_TARGET, STR("203.0.113.255")));
	assert_true(
		reading_observable(&reading, &item->report, OBSERVABLE_IP, OBSERVED_SOURCE, str_of(address)));
	plugin_host_item(bench->host, &reading, 0, enter, NULL);
	if (item->report.asn != asn || !str_equal(item->report.country, str_of(country)))
		fail_msg("%s: expected AS%u %s, got AS%u " STR_FMT, address, asn, country, item->report.asn,
			STR_ARG(item->report.country));
	arena_free(&reading.arena);
}

static void assert_refused(const char *csv, const char *reason)
{
	struct bench bench;
	struct buf json = {0};

	bench_load(&bench, str_of(csv));
	assert_int_equal(plugin_host_count(bench.host), 0);
	plugin_host_describe(bench.host, &json);
	if (!strstr(buf_cstr(&json), reason))
		fail_msg("expected \"%s\" in %s", reason, buf_cstr(&json));
	buf_free(&json);
	plugin_host_free(&bench.host);
}

static void test_longest_prefix_wins(void **state)
{
	struct bench bench;

	(void)state;
	bench_load(&bench, STR("prefix,asn,cc\r\n"
			       "# comment\n"
			       "198.51.0.0/16,64500,EE\n"
			       "198.51.100.0/24,64501,LV\n"
			       "198.51.100.128/25,,LT\n"
			       "198.51.100.200/32,64503,\n"
			       "0.0.0.0/1,64510,ZZ\n"
			       "2001:db8::/32,AS64502,SI,more\n"
			       "2001:db8:1::/48,4200000000,\n"));
	assert_int_equal(plugin_host_count(bench.host), 1);
	assert_found(&bench, "198.51.0.1", 64500, "EE");
	assert_found(&bench, "198.51.99.255", 64500, "EE");
	assert_found(&bench, "198.51.100.0", 64501, "LV");
	assert_found(&bench, "198.51.100.127", 64501, "LV");
	assert_found(&bench, "198.51.100.128", 0, "LT");
	assert_found(&bench, "198.51.100.200", 64503, "");
	assert_found(&bench, "198.51.100.201", 0, "LT");
	assert_found(&bench, "198.51.101.0", 64500, "EE");
	assert_found(&bench, "198.52.0.0", 0, "");
	assert_found(&bench, "127.255.255.255", 64510, "ZZ");
	assert_found(&bench, "128.0.0.0", 0, "");
	assert_found(&bench, "2001:db8::1", 64502, "SI");
	assert_found(&bench, "2001:db8:1::1", 4200000000u, "");
	assert_found(&bench, "2001:db8:2::", 64502, "SI");
	assert_found(&bench, "2001:db9::", 0, "");
	plugin_host_free(&bench.host);
}

static void test_widest_prefixes_do_not_overflow(void **state)
{
	struct bench bench;

	(void)state;
	bench_load(&bench,
		STR("::/0,1,AA\nffff::/16,2,BB\n0.0.0.0/0,3,CC\n192.0.2.0/24,4,DD\n192.0.2.0/24,5,EE\n"));
	assert_found(&bench, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 2, "BB");
	assert_found(&bench, "255.255.255.255", 3, "CC");
	assert_found(&bench, "2001:db8::1", 1, "AA");
	assert_found(&bench, "192.0.3.0", 3, "CC");
	plugin_host_free(&bench.host);
}

static void test_bad_lines_are_named(void **state)
{
	(void)state;
	assert_refused("192.0.2.0/24,64500,EE\n192.0.2.0/33,1,EE\n", "line 2: expected a prefix");
	assert_refused("192.0.2.0/24,64500,EE\n192.0.2.0/24,x,EE\n", "line 2: expected a number");
	assert_refused("192.0.2.0/24,64500,EE\n192.0.2.0/24,4294967296,EE\n", "line 2: expected a number");
	assert_refused(
		"192.0.2.0/24,64500,EE\n192.0.2.0/24,1,Estonia\n", "line 2: expected two capital letters");
	assert_refused("heading\nsecond heading\n", "line 2");
}

static void test_sender_is_not_overruled(void **state)
{
	struct reading reading = {.arena = arena_new(0), .limits = &reading_limits_default};
	struct item *item = reading_item(&reading, ITEM_REPORT);
	struct bench bench;

	(void)state;
	bench_load(&bench, STR("192.0.2.0/24,64500,EE\n"));
	item->report.asn = 7;
	reading_observable(&reading, &item->report, OBSERVABLE_IP, OBSERVED_SOURCE, STR("192.0.2.1"));
	plugin_host_item(bench.host, &reading, 0, enter, NULL);
	assert_int_equal(item->report.asn, 7);
	plugin_host_free(&bench.host);
	arena_free(&reading.arena);
}

/* ---- a MaxMind DB, the smallest there can be: one node, the data section, the metadata ---- */

static void db_string(struct buf *db, const char *text)
{
	buf_char(db, (char)(2 << 5 | (int)strlen(text)));
	buf_text(db, text);
}

static void db_number(struct buf *db, uint32_t number)
{
	buf_char(db, (char)(6 << 5 | 4));
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_char(db, (char)(number >> shift));
}

static void db_map(struct buf *db, int members)
{
	buf_char(db, (char)(7 << 5 | members));
}

/* IPv4, 24 bit records: the left half of all addresses has an entry, the right half none. */
static struct buf mmdb_make(void)
{
	struct buf db = {0};

	buf_append(&db, "\0\0\x11\0\0\1", 6); /* node 0: left = 1 node + 16 + offset 0, right = no entry */
	buf_append(&db, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	db_map(&db, 2);
	db_string(&db, "autonomous_system_number");
	db_number(&db, 64500);
	db_string(&db, "country");
	db_map(&db, 1);
	db_string(&db, "iso_code");
	db_string(&db, "EE");
	buf_append(&db, "\xab\xcd\xefMaxMind.com", 14);
	db_map(&db, 9);
	db_string(&db, "node_count");
	db_number(&db, 1);
	db_string(&db, "record_size");
	buf_append(&db, "\xa2\0\x18", 3);
	db_string(&db, "ip_version");
	buf_append(&db, "\xa2\0\4", 3);
	db_string(&db, "database_type");
	db_string(&db, "Test");
	db_string(&db, "binary_format_major_version");
	buf_append(&db, "\xa2\0\2", 3);
	db_string(&db, "binary_format_minor_version");
	buf_append(&db, "\xa2\0\0", 3);
	db_string(&db, "build_epoch");
	buf_append(&db, "\1\2\1", 3);
	db_string(&db, "languages");
	buf_append(&db, "\0\4", 2);
	db_string(&db, "description");
	db_map(&db, 0);
	return db;
}

static void test_maxmind_database(void **state)
{
	struct buf db = mmdb_make();
	struct bench bench;

	(void)state;
	bench_load(&bench, buf_view(&db));
	assert_int_equal(plugin_host_count(bench.host), 1);
	assert_found(&bench, "19.51.100.7", 64500, "EE");
	assert_found(&bench, "198.51.100.7", 0, "");
	assert_found(&bench, "2001:db8::1", 0, "");
	plugin_host_free(&bench.host);
	/* Cut anywhere it is refused, or finds nothing; it never crashes. */
	for (size_t len = 1; len < db.len; len++) {
		struct str cut = {db.data + (db.len - len), len};
		bench_load(&bench, cut);
		plugin_host_free(&bench.host);
	}
	buf_free(&db);
}

static void test_real_table(void **state)
{
	const char *shared = getenv("CIRTD_SHARED_DATA");
	struct buf csv = {0};
	struct bench bench;
	char path[512];

	(void)state;
	if (!shared)
		skip();
	snprintf(path, sizeof(path), "%s/net/libloc-ee-lv-lt-si.csv", shared);
	if (!file_read(path, 16 << 20, &csv, NULL))
		skip();
	bench_load(&bench, buf_view(&csv));
	assert_int_equal(plugin_host_count(bench.host), 1);
	assert_found(&bench, "2.56.140.1", 209231, "LV");
	assert_found(&bench, "2.56.251.255", 0, "LT");
	assert_found(&bench, "8.8.8.8", 0, "");
	plugin_host_free(&bench.host);
	buf_free(&csv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest_prefix_wins),
		cmocka_unit_test(test_widest_prefixes_do_not_overflow),
		cmocka_unit_test(test_bad_lines_are_named),
		cmocka_unit_test(test_sender_is_not_overruled),
		cmocka_unit_test(test_maxmind_database),
		cmocka_unit_test(test_real_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
