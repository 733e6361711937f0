#include "config.h"

#include "played_spool.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "exchange/cursor.h"
#include "exchange/feed.h"
#include "exchange/feed_item.h"
#include "exchange/fetch_policy.h"
#include "wire/taxii.h"

/* A web server on a loopback port, in the same loop: one request a connection, answered by the test. */
static struct server {
	int fd;
	unsigned port;
	struct watch *watch;
	int client;
	struct watch *client_watch;
	struct buf request;
	struct buf log; /* request lines */
	const char *(*answer)(const char *request);
	unsigned requests;
} server;

static struct loop *loop;
static struct played_spool spool;
static struct collector collector;
static char url[80];

static void on_request(int fd, unsigned ready, void *context)
{
	char bytes[4096];
	ssize_t len = read(fd, bytes, sizeof(bytes));
	const char *text;

	(void)ready;
	(void)context;
	if (len > 0)
		buf_append(&server.request, bytes, (size_t)len);
	text = buf_cstr(&server.request);
	if (len > 0 && !strstr(text, "\r\n\r\n"))
		return;
	if (len > 0) {
		const char *reply = server.answer(text);

		server.requests++;
		buf_append(&server.log, text, (size_t)(strchr(text, '\r') - text));
		buf_char(&server.log, '\n');
		assert_true(fd_write_all(fd, reply, strlen(reply), NULL));
	}
	watch_free(&server.client_watch);
	fd_close(&server.client);
	buf_clear(&server.request);
}

static void on_connection(int fd, unsigned ready, void *context)
{
	(void)ready;
	(void)context;
	if (server.client_watch)
		return;
	server.client = accept(fd, NULL, NULL);
	server.client_watch = watch_new(loop, server.client, on_request, NULL);
	watch_set(server.client_watch, LOOP_READ);
}

static void server_start(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	server = (struct server){.client = -1};
	server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server.fd, 8), 0);
	assert_int_equal(getsockname(server.fd, (struct sockaddr *)&address, &len), 0);
	server.port = ntohs(address.sin_port);
	server.watch = watch_new(loop, server.fd, on_connection, NULL);
	watch_set(server.watch, LOOP_READ);
}

static void server_stop(void)
{
	watch_free(&server.watch);
	watch_free(&server.client_watch);
	fd_close(&server.fd);
	fd_close(&server.client);
	buf_free(&server.request);
	buf_free(&server.log);
}

/* The feeds */

static void on_sources(const struct source_table *table, void *context)
{
	(void)context;
	collector_sources(&collector, table);
}

static void on_change(void *context)
{
	(void)context;
	collector_resume(&collector);
}

static void begin_spool(void)
{
	int end = spool_start(&spool, loop);

	appender_edge(collector.appender, spool.generation, end);
}

static void say_source(enum source_kind kind, const char *path)
{
	struct source source = {.id = 9,
		.kind = kind,
		.enabled = true,
		.name = STR("feed"),
		.match = {url, 0},
		.interval = 100000};

	source.match.len = (size_t)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", server.port, path);
	spool_sources(&spool, &source, 1);
}

static int start(void **state)
{
	static const struct appender_calls calls = {
		.sources = on_sources, .doors = on_change, .drained = on_change};
	struct err err;

	(void)state;
	loop = loop_new();
	server_start();
	collector = (struct collector){.loop = loop, .interval = 100000 * CLOCK_SECOND, .max_size = 1u << 20};
	collector.feeds = map_new();
	collector.appender = appender_new(loop, &calls, NULL);
	collector.fetcher = fetcher_new(
		loop, &(struct fetcher_settings){.timeout = 60 * CLOCK_SECOND, .min_speed = 1}, &err);
	collector.catalogue = catalogue_new(loop, STR(""), STR(""), on_change, NULL);
	spool.commits = true;
	begin_spool();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	collector_stop(&collector);
	map_free(&collector.feeds);
	fetcher_free(&collector.fetcher);
	catalogue_free(&collector.catalogue);
	appender_free(&collector.appender);
	spool_clear(&spool);
	server_stop();
	loop_free(&loop);
	return 0;
}

/* Turn until so many pulls have ended, one way or another, or nothing more happens. */
static void until(const uint64_t *counter, uint64_t value)
{
	for (int i = 0; i < 20000 && *counter < value; i++)
		loop_turn(loop, 1000);
	assert_int_equal(*counter, value);
	turn(loop);
}

/* Forget all but what the spool has, as a restart does. */
static void restart_feed(enum source_kind kind, const char *path)
{
	collector_stop(&collector);
	say_source(kind, path);
}

#define OK "HTTP/1.1 200 OK\r\nConnection: close\r\n"

static const char *answer_etag(const char *request)
{
	if (strstr(request, "If-None-Match: \"one\""))
		return "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n";
	return OK "ETag: \"one\"\r\n\r\n{\"type\":\"bundle\"}";
}

static void test_trap_01_a_restart_repeats_nothing(void **state)
{
	(void)state;
	server.answer = answer_etag;
	say_source(SOURCE_FEED, "/f");
	until(&collector.pages, 1);
	assert_int_equal(spool.count, 1);
	assert_int_equal(spool.kept[0].source, 9);
	assert_string_equal(spool.kept[0].owner, "feed/9");
	assert_true(str_equal(buf_view(&spool.kept[0].bytes), STR("{\"type\":\"bundle\"}")));
	restart_feed(SOURCE_FEED, "/f");
	until(&collector.not_modified, 1);
	assert_int_equal(spool.count, 1);
}

static const char *answer_plain(const char *request)
{
	(void)request;
	return OK "\r\nline\n";
}

static void test_the_same_bytes_make_no_entry(void **state)
{
	(void)state;
	server.answer = answer_plain;
	say_source(SOURCE_FEED, "/f");
	until(&collector.pages, 1);
	restart_feed(SOURCE_FEED, "/f");
	until(&collector.not_modified, 1);
	assert_int_equal(spool.count, 1);
}

static void test_another_url_begins_anew(void **state)
{
	(void)state;
	server.answer = answer_etag;
	say_source(SOURCE_FEED, "/f");
	until(&collector.pages, 1);
	say_source(SOURCE_FEED, "/g");
	until(&collector.pages, 2);
}

static const char *answer_503(const char *request)
{
	(void)request;
	return server.requests > 0 ? answer_plain(request)
	                           : "HTTP/1.1 503 No\r\nRetry-After: 0\r\nConnection: close\r\n\r\nnot this";
}

static void test_a_refusal_is_no_entry_and_tried_again(void **state)
{
	(void)state;
	server.answer = answer_503;
	say_source(SOURCE_FEED, "/f");
	until(&collector.pages, 1);
	assert_int_equal(collector.failed, 1);
	assert_int_equal(spool.count, 1);
}

static const char *answer_cut(const char *request)
{
	(void)request;
	return OK "Content-Length: 100\r\n\r\nhalf";
}

static void test_half_a_page_is_no_entry(void **state)
{
	(void)state;
	server.answer = answer_cut;
	say_source(SOURCE_FEED, "/f");
	until(&collector.failed, 1);
	assert_int_equal(spool.count, 0);
}

static void test_a_page_over_the_limit_is_no_entry(void **state)
{
	(void)state;
	collector.max_size = 3;
	server.answer = answer_plain;
	say_source(SOURCE_FEED, "/f");
	until(&collector.failed, 1);
	assert_int_equal(spool.count, 0);
}

static char large[300000];

static const char *answer_large(const char *request)
{
	(void)request;
	return large;
}

static void test_a_large_page_comes_in_pieces(void **state)
{
	size_t head = strlen(OK "\r\n");

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	memcpy(large, OK "\r\n", head);
	server.answer = answer_large;
	say_source(SOURCE_FEED, "/f");
	until(&collector.pages, 1);
	assert_int_equal(spool.kept[0].bytes.len, sizeof(large) - 1 - head);
	restart_feed(SOURCE_FEED, "/f");
	until(&collector.not_modified, 1);
	turn(loop);
	assert_true(spool.kept[1].gone && !spool.kept[1].closed);
}

static void test_plain_http_is_for_loopback_only(void **state)
{
	const char *const far[] = {"http://192.0.2.1/f", "ftp://127.0.0.1/f", "file:///etc/passwd", "what"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(far); i++) {
		struct source source = {.id = (uint32_t)i + 20,
			.kind = SOURCE_FEED,
			.enabled = true,
			.name = STR("far"),
			.match = str_of(far[i])};

		spool_sources(&spool, &source, 1);
		until(&collector.failed, i + 1);
	}
	assert_int_equal(spool.count, 0);
}

/* A collection of three objects in pages of one, the last one repeated for ever. */
static const char *answer_taxii(const char *request)
{
	if (!strstr(request, "Accept: application/taxii+json;version=2.1\r\n"))
		return "HTTP/1.1 406 Not Acceptable\r\n\r\n";
	if (strstr(request, "added_after=2026-01-03"))
		return OK "\r\n{}";
	if (strstr(request, "next=p%2F3"))
		return OK "X-TAXII-Date-Added-Last: "
			  "2026-01-03T00:00:00.000000Z\r\n\r\n{\"objects\":[{\"id\":3}],\"more\":false}";
	if (strstr(request, "next=2"))
		return OK "X-TAXII-Date-Added-Last: 2026-01-02T00:00:00.000000Z\r\n\r\n"
			  "{\"objects\":[{\"id\":2,\"next\":\"x\"}],\"more\":true,\"next\":\"p\\/3\"}";
	return OK
		"X-TAXII-Date-Added-Last: "
		"2026-01-01T00:00:00.000000Z\r\n\r\n{\"more\":true,\"next\":\"2\",\"objects\":[{\"id\":1}]}";
}

static void test_trap_01_a_collection_is_paged_to_its_end_and_resumed(void **state)
{
	(void)state;
	server.answer = answer_taxii;
	say_source(SOURCE_TAXII, "/c");
	until(&collector.pages, 3);
	assert_int_equal(spool.count, 3);
	assert_int_equal(spool.kept[2].format, FORMAT_STIX);
	assert_string_equal(buf_cstr(&server.log),
		"GET /c/objects/?limit=1000 HTTP/1.1\nGET /c/objects/?limit=1000&next=2 HTTP/1.1\n"
		"GET /c/objects/?limit=1000&next=p%2F3 HTTP/1.1\n");
	restart_feed(SOURCE_TAXII, "/c");
	until(&collector.not_modified, 1);
	assert_int_equal(spool.count, 3);
	assert_non_null(strstr(buf_cstr(&server.log), "&added_after=2026-01-03T00%3A00%3A00.000000Z HTTP"));
}

/* The spool dies with a page on its way: what it has is asked, and the rest pulled again. */
static void test_trap_01_a_page_in_flight_when_the_spool_dies(void **state)
{
	(void)state;
	server.answer = answer_taxii;
	spool.commits = false;
	say_source(SOURCE_TAXII, "/c");
	for (int i = 0; i < 20000 && spool.count == 0; i++)
		loop_turn(loop, 1000);
	spool.kept[0].committed = true;
	spool_stop(&spool);
	spool.commits = true;
	begin_spool();
	say_source(SOURCE_TAXII, "/c");
	until(&collector.pages, 2);
	assert_int_equal(spool.count, 3);
	assert_string_equal(buf_cstr(&server.log),
		"GET /c/objects/?limit=1000 HTTP/1.1\nGET /c/objects/?limit=1000&next=2 HTTP/1.1\n"
		"GET /c/objects/?limit=1000&next=p%2F3 HTTP/1.1\n");
}

static const char *answer_lost_next(const char *request)
{
	if (strstr(request, "next="))
		return "HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n";
	if (strstr(request, "added_after="))
		return OK "X-TAXII-Date-Added-Last: "
			  "2026-01-02T00:00:00.000000Z\r\n\r\n{\"objects\":[{\"id\":2}]}";
	return answer_taxii(request);
}

static void test_a_next_that_has_died_is_left_for_the_time(void **state)
{
	(void)state;
	server.answer = answer_lost_next;
	say_source(SOURCE_TAXII, "/c");
	until(&collector.pages, 2);
	assert_int_equal(collector.failed, 0);
}

static void test_a_full_spool_is_not_fed(void **state)
{
	(void)state;
	server.answer = answer_plain;
	spool_doors(&spool, false);
	say_source(SOURCE_FEED, "/f");
	assert_int_equal(server.requests, 0);
	spool_doors(&spool, true);
	until(&collector.pages, 1);
}

static void test_cursors_come_back_as_they_were(void **state)
{
	struct cursor cursor = {.etag = "W/\"a\\b\"", .added_after = "2026", .next = "n", .digest = "00"};
	struct cursor back;
	struct buf text = {0};

	(void)state;
	cursor_set(
		cursor.modified, sizeof(cursor.modified), STR("\xff")); /* would come back as another text */
	assert_string_equal(cursor.modified, "");
	cursor_encode(&cursor, STR("https://a/"), &text);
	assert_true(cursor_decode(buf_view(&text), STR("https://a/"), &back));
	assert_memory_equal(back.etag, cursor.etag, strlen(cursor.etag) + 1);
	assert_string_equal(back.added_after, "2026");
	assert_string_equal(back.next, "n");
	assert_false(cursor_decode(buf_view(&text), STR("https://b/"), &back));
	assert_string_equal(back.etag, "");
	assert_false(cursor_decode(STR("{\"url\":"), STR("https://a/"), &back));
	assert_false(cursor_decode(STR(""), STR("https://a/"), &back));
	buf_free(&text);
}

static void stray(const char *text, bool expected)
{
	struct taxii_scan *scan = taxii_scan_new();

	for (const char *p = text; *p; p++)
		taxii_scan_bytes(scan, (struct str){p, 1});
	if (taxii_scan_stray(scan) != expected)
		fail_msg("%s is taken for %s envelope", text, expected ? "an" : "no");
	taxii_scan_free(&scan);
}

static void test_an_envelope_without_a_list_is_none(void **state)
{
	static const char *const wrong[] = {"{\"objects\":{}}", "{\"objects\":{\"id\":[]}}",
		"{\"objects\":null}", "{\"objects\": \"x\"}", "{\"more\":false,\"objects\":7}", "[]",
		" [{\"objects\":[]}]", "{\"obj\\u0065cts\":{}}", "{\"objects\":[],\"objects\":{}}"};
	static const char *const right[] = {"{}", "{\"objects\":[]}", "{\"objects\" : [ null, {} ]}",
		"{\"x\":{\"objects\":{}}}", "{\"objects\":[{\"objects\":{}}],\"x\":[],\"y\":\"objects\"}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		stray(wrong[i], true);
	for (size_t i = 0; i < ARRAY_LEN(right); i++)
		stray(right[i], false);
}

static void test_retry_after_is_bounded(void **state)
{
	const int64_t now = clock_of_civil(2026, 11, 22, 10, 0, 0);
	const struct {
		const char *value;
		int64_t wait;
	} cases[] = {
		{"0", 0},
		{"3", 3 * CLOCK_SECOND},
		{"86399", 86399 * CLOCK_SECOND},
		{"86401", CLOCK_DAY},
		{"99999999999999999999", CLOCK_DAY},
		{"18446744073709551616", CLOCK_DAY},
		{"00000000000000000000000000000000000000000000000000000000000000000000000000000000", 0},
		{"-5", -1},
		{"+5", -1},
		{"5 s", -1},
		{"1.5", -1},
		{"", -1},
		{"soon", -1},
		{"Sun, 22 Nov 2026 10:01:00 GMT", 60 * CLOCK_SECOND},
		{"Sat, 21 Nov 1970 10:01:00 GMT", 0},
		{"Sun, 06 Nov 1994 08:49:37 GMT", 0},
		{"Fri, 31 Dec 9999 23:59:59 GMT", CLOCK_DAY},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (retry_after_parse(str_of(cases[i].value), now) != cases[i].wait)
			fail_msg("%s waits %lld", cases[i].value,
				(long long)retry_after_parse(str_of(cases[i].value), now));
}

static void scan(const char *text, bool objects, bool more, const char *next, bool ended)
{
	for (size_t step = 1; step < 40; step += 6) {
		struct taxii_scan *scan = taxii_scan_new();
		struct str rest = str_of(text);

		while (rest.len > 0) {
			size_t len = rest.len < step ? rest.len : step;

			taxii_scan_bytes(scan, (struct str){rest.p, len});
			rest = (struct str){rest.p + len, rest.len - len};
		}
		assert_int_equal(taxii_scan_objects(scan), objects);
		assert_int_equal(taxii_scan_more(scan), more);
		assert_true(str_equal(taxii_scan_next(scan), str_of(next)));
		assert_true(str_equal(taxii_scan_next(scan), str_of(next)));
		assert_int_equal(taxii_scan_ended(scan), ended);
		taxii_scan_free(&scan);
	}
}

static void test_envelopes_are_read_without_being_kept(void **state)
{
	(void)state;
	scan("{}", false, false, "", true);
	scan(" { \"objects\" : [ ] }", false, false, "", true);
	scan("{\"objects\":[{}]}", true, false, "", true);
	scan("{\"objects\":[\"x\"],\"more\":true , \"next\" : \"a\\u0062\\\"\"}", true, true, "ab\"", true);
	scan("{\"objects\":[{\"more\":true,\"next\":\"x\",\"objects\":[]}],\"more\":false}", true, false, "",
		true);
	scan("{\"x\":{\"more\":true},\"y\":[\"next\",\"}\"],\"more\":true}", false, true, "", true);
	scan("{\"next\":\"a\\\\\\\\n\"}", false, false, "a\\\\n",
		true); /* decoded once, however often asked */
	scan("{\"next\":null,\"more\":true", false, false, "", false);
	scan("{\"next\":12}", false, false, "12", true);
	scan("]]]}}", false, false, "", true);
}

static bool is_public(const char *text)
{
	struct sockaddr_in six_four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &six_four.sin_addr) == 1)
		return address_is_public((struct sockaddr *)&six_four);
	assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return address_is_public((struct sockaddr *)&six);
}

static void test_inner_addresses_are_known_however_written(void **state)
{
	static const char *const inner[] = {"0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1",
		"169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.1.1", "198.18.0.1", "224.0.0.1",
		"255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:93.184.216.34", "fe80::1",
		"fc00::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
		"2002:7f00:1::", "2002:c0a8:101::1", "2001::1"};
	static const char *const outer[] = {"93.184.216.34", "9.255.255.255", "11.0.0.1", "172.32.0.1",
		"100.128.0.1", "2606:2800:220:1::1", "2a00::1", "64:ff9b::5db8:d822"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(inner); i++)
		if (is_public(inner[i]))
			fail_msg("%s is taken for public", inner[i]);
	for (size_t i = 0; i < ARRAY_LEN(outer); i++)
		if (!is_public(outer[i]))
			fail_msg("%s is taken for an inner one", outer[i]);
}

static void test_origins_are_scheme_host_and_port(void **state)
{
	(void)state;
	assert_true(url_same_origin("https://A.example/x", "https://a.example:443/y?z"));
	assert_false(url_same_origin("https://a.example/", "https://a.example:444/"));
	assert_false(url_same_origin("https://a.example/", "http://a.example/"));
	assert_false(url_same_origin("https://a.example/", "https://a.example.evil.example/"));
	assert_false(url_same_origin("https://a.example/", "https://a.example@evil.example/"));
	assert_false(url_same_origin("https://a.example/", "what"));
}

static const char *answer_no_list(const char *request)
{
	(void)request;
	return OK "X-TAXII-Date-Added-Last: 2026-01-01T00:00:00.000000Z\r\n\r\n{\"objects\":{\"id\":1}}";
}

static void test_a_page_without_a_list_keeps_the_cursor(void **state)
{
	(void)state;
	server.answer = answer_no_list;
	say_source(SOURCE_TAXII, "/c");
	until(&collector.failed, 1);
	assert_int_equal(spool.count, 0);
	server.answer = answer_taxii;
	restart_feed(SOURCE_TAXII, "/c");
	until(&collector.pages, 3);
	assert_string_equal(buf_cstr(&server.log),
		"GET /c/objects/?limit=1000 HTTP/1.1\nGET /c/objects/?limit=1000 HTTP/1.1\n"
		"GET /c/objects/?limit=1000&next=2 HTTP/1.1\nGET /c/objects/?limit=1000&next=p%2F3 "
		"HTTP/1.1\n");
}

/* Two objects a page and no `next`: b and c were added at the same time, on both sides of the end of a page.
 */
static const char *answer_same_time(const char *request)
{
	if (strstr(request, "added_after=2026-01-01T23%3A59%3A59.999999Z"))
		return OK "X-TAXII-Date-Added-Last: 2026-01-02T00:00:00.000000Z\r\n\r\n"
			  "{\"objects\":[{\"id\":\"b\"},{\"id\":\"c\"}]}";
	return OK "X-TAXII-Date-Added-Last: 2026-01-02T00:00:00.000000Z\r\n\r\n"
		  "{\"more\":true,\"objects\":[{\"id\":\"a\"},{\"id\":\"b\"}]}";
}

static void test_objects_of_one_time_on_both_sides_of_a_page(void **state)
{
	(void)state;
	server.answer = answer_same_time;
	say_source(SOURCE_TAXII, "/c");
	until(&collector.pages, 2);
	assert_int_equal(collector.failed, 0);
	assert_non_null(strstr(buf_cstr(&spool.kept[1].bytes), "\"c\""));
	assert_non_null(strstr(spool.kept[1].value, "2026-01-02T00:00:00.000000Z"));
}

/* All of one time; the whole list only to who asks for enough. */
static const char *answer_all_at_once(const char *request)
{
	if (strstr(request, "limit=16000"))
		return OK "X-TAXII-Date-Added-Last: 2026-01-02T00:00:00.000000Z\r\n\r\n"
			  "{\"objects\":[{\"id\":\"a\"},{\"id\":\"b\"}]}";
	return OK "X-TAXII-Date-Added-Last: 2026-01-02T00:00:00.000000Z\r\n\r\n"
		  "{\"more\":true,\"objects\":[{\"id\":\"a\"}]}";
}

static void test_more_are_asked_for_where_all_have_one_time(void **state)
{
	(void)state;
	server.answer = answer_all_at_once;
	say_source(SOURCE_TAXII, "/c");
	until(&collector.pages, 2);
	assert_int_equal(collector.failed, 0);
	assert_non_null(strstr(buf_cstr(&spool.kept[1].bytes), "\"b\""));
}

static const char *answer_never_more(const char *request)
{
	(void)request;
	return answer_all_at_once("");
}

/* What cannot be asked for is no way on: the cursor stays before it. */
static void test_no_object_is_passed_over_where_there_is_no_way_on(void **state)
{
	(void)state;
	server.answer = answer_never_more;
	say_source(SOURCE_TAXII, "/c");
	until(&collector.failed, 1);
	assert_int_equal(spool.count, 1);
	assert_null(strstr(spool.kept[0].value, "\"added_after\":\"2026-01-02T00:00:00"));
	assert_true(server.requests <= 6);
	server.answer = answer_all_at_once;
	restart_feed(SOURCE_TAXII, "/c");
	until(&collector.pages, 2);
}

static const char *answer_later(const char *request)
{
	(void)request;
	return "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nConnection: close\r\n\r\n";
}

/* A change of the table makes failing feeds try again, but not one that was told when to come back. */
static void test_who_was_told_to_wait_is_not_hurried(void **state)
{
	(void)state;
	server.answer = answer_later;
	say_source(SOURCE_FEED, "/f");
	until(&collector.failed, 1);
	say_source(SOURCE_FEED, "/f");
	turn(loop);
	for (int i = 0; i < 50; i++)
		loop_turn(loop, 1000);
	assert_int_equal(server.requests, 1);
}

/* A collection whose `next` goes round in a circle, each time with the same pages. */
static const char *answer_circle(const char *request)
{
	if (strstr(request, "next=a"))
		return OK "\r\n{\"more\":true,\"next\":\"b\",\"objects\":[{\"id\":2}]}";
	return OK "\r\n{\"more\":true,\"next\":\"a\",\"objects\":[{\"id\":1}]}";
}

static void test_pages_in_a_circle_end_the_pull(void **state)
{
	(void)state;
	server.answer = answer_circle;
	say_source(SOURCE_TAXII, "/c");
	until(&collector.failed, 1);
	assert_int_equal(spool.count, 2);
	assert_true(server.requests <= 4);
}

static void until_requests(unsigned count)
{
	for (int i = 0; i < 20000 && server.requests < count; i++)
		loop_turn(loop, 1000);
	assert_int_equal(server.requests, count);
	turn(loop);
}

static const char *answer_misp_feed_empty(const char *request)
{
	(void)request;
	return OK "\r\n{}";
}

static const char *answer_too_many(const char *request)
{
	return strstr(request, "limit=1000") ? large : answer_taxii(request);
}

static void test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(void **state)
{
	(void)state;
	collector.max_size = 1000;
	memset(large, 'x', sizeof(large) - 1);
	memcpy(large, OK "\r\n", strlen(OK "\r\n"));
	server.answer = answer_too_many;
	say_source(SOURCE_TAXII, "/c");
	until(&collector.failed, 1);
	assert_true(feed_pull_now(map_get(collector.feeds, 9)));
	until(&collector.pages, 3);
	assert_non_null(strstr(buf_cstr(&server.log), "limit=125"));
}

static const char *answer_slow_end(const char *request)
{
	collector.pull_time = 1;
	return answer_taxii(request);
}

/* A pull that takes too long leaves its turn to others; what it took stays. */
static void test_a_pull_has_its_time(void **state)
{
	(void)state;
	server.answer = answer_slow_end;
	collector.interval = CLOCK_SECOND;
	say_source(SOURCE_TAXII, "/c");
	until(&collector.pages, 1);
	assert_int_equal(server.requests, 1);
	assert_int_equal(collector.failed, 0);
	collector.pull_time = 0;
	server.answer = answer_taxii;
	assert_true(feed_pull_now(map_get(collector.feeds, 9)));
	until(&collector.pages, 3);
	assert_int_equal(server.requests, 3);
}

/* A manifest that names a way out of its folder. */
static const char *answer_evil_manifest(const char *request)
{
	(void)request;
	return OK "\r\n{\"../../../../etc/passwd-and-36-bytes-in-all\":{\"timestamp\":\"1\"}}";
}

static void test_names_of_items_stay_in_their_folder(void **state)
{
	(void)state;
	server.answer = answer_evil_manifest;
	say_source(SOURCE_MISP_FEED, "/feed");
	until_requests(1);
	assert_int_equal(server.requests, 1);
	assert_int_equal(collector.failed, 0);
	assert_int_equal(spool.count, 0);
}

#define EVENT "11111111-1111-4111-8111-111111111111"

#define WHOLE_EVENT(number) "1111111" #number "-1111-4111-8111-111111111111"

/* Of five entries one is an event that can be had. */
static const char *answer_bad_items(const char *request)
{
	if (strstr(request, "manifest.json"))
		return OK "\r\n{\"" WHOLE_EVENT(
			1) "\":{\"timestamp\":1},\"no "
			   "uuid\":{\"timestamp\":2},\"" WHOLE_EVENT(2) "\":{},\"" WHOLE_EVENT(
				   3) "\":{\"timestamp\":3},"
				      "\"" WHOLE_EVENT(4) "\""
							  ":{"
							  "\""
							  "ti"
							  "me"
							  "st"
							  "am"
							  "p"
							  "\""
							  ":4"
							  "},"
							  "\""
							  "\xff\":[[[[]]]]}";
	if (strstr(request, WHOLE_EVENT(1)))
		return "HTTP/1.1 500 No\r\nConnection: close\r\n\r\n";
	if (strstr(request, WHOLE_EVENT(3)))
		return OK "\r\n{\"Event\":{";
	return OK "\r\n{\"Event\":{}}";
}

static size_t times_asked(const char *what)
{
	size_t count = 0;

	for (const char *p = buf_cstr(&server.log); (p = strstr(p, what)); p++)
		count++;
	return count;
}

static void test_a_bad_item_is_its_own_trouble(void **state)
{
	(void)state;
	server.answer = answer_bad_items;
	say_source(SOURCE_MISP_FEED, "/feed/");
	until(&collector.pages, 1);
	until_requests(4);
	assert_string_equal(spool.kept[0].owner, "misp/9/" WHOLE_EVENT(4));
	for (int i = 0; i < 20000 && times_asked(WHOLE_EVENT(1)) < 3; i++)
		loop_turn(loop, 1000);
	for (int i = 0; i < 20000 && !feed_pull_now(map_get(collector.feeds, 9)); i++)
		loop_turn(loop, 1000);
	for (int i = 0; i < 20000 && times_asked("manifest.json") < 4; i++)
		loop_turn(loop, 1000);
	turn(loop);
	assert_int_equal(times_asked("GET /feed/" WHOLE_EVENT(1)), 3); /* then it is given up */
	assert_int_equal(times_asked("GET /feed/" WHOLE_EVENT(3)), 3);
	assert_int_equal(times_asked("GET /feed/" WHOLE_EVENT(4)), 1);
	assert_int_equal(collector.failed, 0);
	assert_int_equal(spool.count, 1);
}

/* What was given up is asked for again where an operator says so, whether the list names it or not. */
static void test_an_operator_asks_for_items_again(void **state)
{
	struct feed *feed;

	(void)state;
	server.answer = answer_misp_feed_empty;
	say_source(SOURCE_MISP_FEED, "/feed/");
	until_requests(1);
	server.answer = answer_bad_items;
	feed = map_get(collector.feeds, 9);
	assert_true(feed_pull_again(feed,
		STR("[{\"item\":\"" WHOLE_EVENT(
			5) "\",\"version\":\"x\",\"about\":\"\","
			   "\"place\":5},{\"item\":\"../x\",\"version\":\"1\",\"about\":\"\"},"
			   "{\"item\":\"" WHOLE_EVENT(6) "\",\"version\":\"1\",\"about\":\",}{\"},7]")));
	until(&collector.pages, 1);
	assert_string_equal(spool.kept[0].owner, "misp/9/" WHOLE_EVENT(5));
	assert_int_equal(times_asked("GET /feed/" WHOLE_EVENT(6)), 0);
	assert_int_equal(times_asked("/x"), 0);
	assert_false(feed_pull_again(feed, STR("")));
}

static struct buf many_listed;

/* Twenty events, of which the first twelve cannot be had. */
static const char *answer_twelve_bad(const char *request)
{
	const char *number = strstr(request, "GET /feed/000000");

	if (strstr(request, "manifest.json"))
		return buf_cstr(&many_listed);
	return number && atoi(number + strlen("GET /feed/000000")) < 12 ? OK "\r\n[" : OK "\r\n{}";
}

static void test_many_bad_items_end_the_pull_but_not_the_feed(void **state)
{
	(void)state;
	buf_text(&many_listed, OK "\r\n{");
	for (int i = 0; i < 20; i++)
		buf_printf(&many_listed, "%s\"000000%02d-1111-4111-8111-111111111111\":{\"timestamp\":%d}",
			i > 0 ? "," : "", i, i + 1);
	buf_char(&many_listed, '}');
	collector.interval = CLOCK_SECOND;
	server.answer = answer_twelve_bad;
	say_source(SOURCE_MISP_FEED, "/feed/");
	until(&collector.failed, 1);
	assert_int_equal(server.requests, 9);
	assert_true(feed_pull_now(map_get(collector.feeds, 9)));
	until(&collector.pages, 8);
	buf_free(&many_listed);
}

static void test_items_are_tried_ever_later_and_given_up(void **state)
{
	struct item_troubles *troubles = item_troubles_new();
	struct feed_item item = {.name = STR("a"), .version = STR("1"), .about = STR("")};
	struct buf json = {0};
	int64_t now = 0;
	unsigned tries = 0;

	(void)state;
	while (item_turn(troubles, &item, now) != ITEM_GIVEN_UP) {
		assert_int_equal(item_turn(troubles, &item, now), ITEM_NOW);
		assert_true(item_failed(troubles, &item, TROUBLE_CUT, "half", now, CLOCK_DAY));
		tries++;
		assert_true(tries < 20);
		if (item_turn(troubles, &item, now) == ITEM_LATER)
			now += item_next(troubles, now);
	}
	assert_true(tries >= 8);
	assert_true(now >= CLOCK_DAY && now < 2 * CLOCK_DAY);
	assert_int_equal(item_next(troubles, now), -1);
	assert_true(item_changes(troubles, &json));
	assert_non_null(strstr(buf_cstr(&json), "\"trouble\":\"cut\""));
	assert_non_null(strstr(buf_cstr(&json), "\"given_up\":true"));
	item_told(troubles);
	buf_clear(&json);
	assert_false(item_changes(troubles, &json));
	item.version = STR("2"); /* another one of it */
	assert_int_equal(item_turn(troubles, &item, now), ITEM_NOW);
	item_taken(troubles, STR("a"));
	buf_clear(&json);
	assert_true(item_changes(troubles, &json));
	assert_non_null(strstr(buf_cstr(&json), "\"taken\":true"));
	item_told(troubles);
	assert_false(item_troubled(troubles, STR("a")));
	for (unsigned i = 0; i < ITEM_TROUBLES + 1; i++) {
		char name[16];

		item.name = (struct str){name, (size_t)snprintf(name, sizeof(name), "n%u", i)};
		assert_int_equal(item_failed(troubles, &item, TROUBLE_CUT, "", now, 0), i < ITEM_TROUBLES);
	}
	buf_free(&json);
	item_troubles_free(&troubles);
}

static const char *answer_misp_feed(const char *request)
{
	if (strstr(request, "manifest.json"))
		return OK "\r\n{\"" EVENT "\":{\"timestamp\":\"7\"}}";
	return OK "\r\n{\"Event\":{}}";
}

static void test_trap_01_an_event_has_a_bookmark_of_its_own(void **state)
{
	(void)state;
	server.answer = answer_misp_feed;
	say_source(SOURCE_MISP_FEED, "/feed/manifest.json");
	until(&collector.pages, 1);
	assert_int_equal(spool.kept[0].format, FORMAT_MISP);
	assert_string_equal(spool.kept[0].owner, "misp/9/" EVENT);
	assert_non_null(strstr(spool.kept[0].value, "\"last\":\"7\""));
	assert_non_null(strstr(buf_cstr(&server.log), "GET /feed/" EVENT ".json"));
	restart_feed(SOURCE_MISP_FEED, "/feed/manifest.json");
	for (int i = 0; i < 20000 && server.requests < 3; i++)
		loop_turn(loop, 1000);
	turn(loop);
	assert_int_equal(spool.count, 1);
	assert_int_equal(server.requests, 3); /* the manifest, and no event */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_trap_01_a_restart_repeats_nothing),
		TEST(test_the_same_bytes_make_no_entry),
		TEST(test_another_url_begins_anew),
		TEST(test_a_refusal_is_no_entry_and_tried_again),
		TEST(test_half_a_page_is_no_entry),
		TEST(test_a_page_over_the_limit_is_no_entry),
		TEST(test_a_large_page_comes_in_pieces),
		TEST(test_plain_http_is_for_loopback_only),
		TEST(test_trap_01_a_collection_is_paged_to_its_end_and_resumed),
		TEST(test_trap_01_a_page_in_flight_when_the_spool_dies),
		TEST(test_a_next_that_has_died_is_left_for_the_time),
		TEST(test_a_full_spool_is_not_fed),
		TEST(test_who_was_told_to_wait_is_not_hurried),
		TEST(test_pages_in_a_circle_end_the_pull),
		TEST(test_a_page_without_a_list_keeps_the_cursor),
		TEST(test_objects_of_one_time_on_both_sides_of_a_page),
		TEST(test_more_are_asked_for_where_all_have_one_time),
		TEST(test_no_object_is_passed_over_where_there_is_no_way_on),
		cmocka_unit_test(test_an_envelope_without_a_list_is_none),
		cmocka_unit_test(test_retry_after_is_bounded),
		TEST(test_names_of_items_stay_in_their_folder),
		TEST(test_a_bad_item_is_its_own_trouble),
		TEST(test_an_operator_asks_for_items_again),
		TEST(test_many_bad_items_end_the_pull_but_not_the_feed),
		TEST(test_a_pull_has_its_time),
		TEST(test_a_page_that_is_too_large_is_asked_for_in_smaller_ones),
		cmocka_unit_test(test_items_are_tried_ever_later_and_given_up),
		TEST(test_trap_01_an_event_has_a_bookmark_of_its_own),
		cmocka_unit_test(test_inner_addresses_are_known_however_written),
		cmocka_unit_test(test_origins_are_scheme_host_and_port),
		cmocka_unit_test(test_cursors_come_back_as_they_were),
		cmocka_unit_test(test_envelopes_are_read_without_being_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
