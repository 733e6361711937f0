#include "played_spool.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "intake/bucket.h"
#include "intake/intake.h"
#include "intake/mail.h"
#include "intake/sensor.h"

/*
 * The doors with their peers played: connections are buffers, the spool is a channel of the same loop that
 * commits when told to.
 */

/* A connection */

struct stream {
	struct buf in;
	struct buf out;
	const struct stream_calls *calls;
	void *context;
	bool ended;
	bool paused;
	struct peer_certificate certificate;
};

static struct stream *newest;

struct stream *stream_new(struct loop *loop, int fd, struct tls_context *tls, bool server,
	const struct stream_calls *calls, void *context)
{
	(void)loop;
	(void)fd;
	(void)tls;
	(void)server;
	newest = mem_alloc(sizeof(*newest));
	newest->calls = calls;
	newest->context = context;
	newest->certificate.present = true;
	newest->certificate.names[0] = "sensor.test";
	newest->certificate.name_count = 1;
	return newest;
}

void stream_free(struct stream **stream)
{
	if (!*stream)
		return;
	buf_free(&(*stream)->in);
	buf_free(&(*stream)->out);
	free(*stream);
	*stream = NULL;
}

void stream_start_tls(struct stream *stream, struct tls_context *tls)
{
	(void)stream;
	(void)tls;
}

struct buf *stream_input(struct stream *stream)
{
	return &stream->in;
}

void stream_limit(struct stream *stream, size_t max_input)
{
	(void)stream;
	(void)max_input;
}

void stream_pause(struct stream *stream, bool paused)
{
	stream->paused = paused;
}

void stream_write(struct stream *stream, const void *bytes, size_t len)
{
	buf_append(&stream->out, bytes, len);
}

size_t stream_queued(const struct stream *stream)
{
	(void)stream;
	return 0;
}

void stream_end(struct stream *stream)
{
	stream->ended = true;
}

void stream_timeout(struct stream *stream, int64_t microseconds)
{
	(void)stream;
	(void)microseconds;
}

const char *stream_peer(const struct stream *stream)
{
	(void)stream;
	return "198.51.100.7:4711";
}

bool stream_is_tls(const struct stream *stream)
{
	(void)stream;
	return false;
}

const char *stream_tls_info(const struct stream *stream)
{
	(void)stream;
	return "none";
}

const struct peer_certificate *stream_peer_certificate(const struct stream *stream)
{
	return &stream->certificate;
}

const char *stream_refused_fingerprint(const struct stream *stream)
{
	(void)stream;
	return NULL;
}

/* The room */

static struct loop *loop;
static struct conf conf;
static void *room_own;
static bool drained;

struct loop *room_loop(struct room *room)
{
	(void)room;
	return loop;
}

const struct conf *room_conf(const struct room *room)
{
	(void)room;
	return &conf;
}

struct str room_grant(const struct room *room, const char *name)
{
	(void)room;
	(void)name;
	return STR("");
}

void *room_state(const struct room *room)
{
	(void)room;
	return room_own;
}

void room_set_state(struct room *room, void *state)
{
	(void)room;
	room_own = state;
}

void room_counter(struct room *room, const char *name, uint64_t value)
{
	(void)room;
	(void)name;
	(void)value;
}

void room_fail(struct room *room, const struct err *err)
{
	(void)room;
	fail_msg("%s", err->text);
	abort();
}

void room_drained(struct room *room)
{
	(void)room;
	drained = true;
}

/* The spool */

static struct played_spool spool;

/* Of the sensor. */
static uint64_t sensor_lines_rate;
static enum format sensor_format;

static void say_sources(bool sensor_enabled)
{
	struct source sources[] = {
		{.id = 1,
			.kind = SOURCE_MAILBOX,
			.enabled = true,
			.name = STR("report"),
			.match = STR("report@")},
		{.id = 2,
			.kind = SOURCE_MAILBOX,
			.enabled = true,
			.name = STR("phish"),
			.match = STR("phish@")},
		{.id = 3,
			.kind = SOURCE_MAILBOX,
			.enabled = true,
			.name = STR("any"),
			.match = STR("drill+a@ any@")},
		{.id = 4,
			.kind = SOURCE_MAILBOX,
			.enabled = true,
			.name = STR("drill"),
			.match = STR("drill+b@"),
			.exercise = STR("b")},
		{.id = 5,
			.kind = SOURCE_SENSOR,
			.enabled = sensor_enabled,
			.name = STR("sensor"),
			.format = sensor_format,
			.max_lines = sensor_lines_rate,
			.match = STR("san:sensor.test")},
	};

	spool_sources(&spool, sources, ARRAY_LEN(sources));
}

static void begin_spool(void)
{
	int end = spool_start(&spool, loop);

	intake_room.edge(NULL, EDGE_APPEND, ROOM_SPOOL, 0, spool.generation, end);
	say_sources(true);
}

static int start(void **state)
{
	struct err err;

	(void)state;
	conf = (struct conf){.mail_max_size = 1u << 20,
		.mail_max_recipients = 10,
		.mail_max_sessions = 10,
		.sensor_max_sessions = 10,
		.sensor_max_line = 1000,
		.hostname = STR("mx.test")};
	spool.commits = true;
	drained = false;
	loop = loop_new();
	assert_true(intake_room.load(NULL, &err));
	begin_spool();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	intake_room.stop(NULL);
	spool_clear(&spool);
	loop_free(&loop);
	return 0;
}

/* Conversations */

static void give(struct stream *stream, const char *text)
{
	buf_text(&stream->in, text);
	stream->calls->readable(stream, stream->context);
	turn(loop);
}

static void hang_up(struct stream *stream, const char *why)
{
	stream->calls->closed(stream, why, stream->context);
	turn(loop);
}

static const char *said(struct stream *stream)
{
	return buf_cstr(&stream->out);
}

static struct stream *lmtp(const char *recipients)
{
	mail_new(room_own, -1, true, 0);
	give(newest, "LHLO a\r\nMAIL FROM:<x@a.example>\r\n");
	give(newest, recipients);
	buf_clear(&newest->out);
	return newest;
}

static struct stream *sensor(void)
{
	sensor_new(room_own, -1, 0);
	newest->calls->ready(newest, newest->context);
	turn(loop);
	return newest;
}

#define HELLO "{\"hello\":{\"session\":\"6f9619ff-8b86-4011-b42d-00c04fc964ff\"}}\n"

/* Mail */

static void test_a_mail_is_one_entry_per_source_and_answered_when_committed(void **state)
{
	struct stream *stream = lmtp("RCPT TO:<report@x>\r\nRCPT TO:<phish@x>\r\nRCPT TO:<report@x>\r\n");
	size_t queued = 0;

	(void)state;
	spool.commits = false;
	give(stream, "DATA\r\nhello\r\n..\r\n.\r\n");
	assert_int_equal(spool.count, 2);
	assert_true(str_equal(buf_view(&spool.kept[0].bytes), STR("hello\r\n.\r\n")));
	assert_true(str_equal(buf_view(&spool.kept[1].bytes), STR("hello\r\n.\r\n")));
	assert_non_null(strstr(buf_cstr(&spool.kept[0].envelope), "\"to\":[\"report@x\",\"report@x\"]"));
	assert_non_null(strstr(buf_cstr(&spool.kept[1].envelope), "\"to\":[\"phish@x\"]"));
	spool_commit(&spool, &spool.kept[0]);
	turn(loop);
	assert_null(strstr(said(stream), "250"));
	spool_commit(&spool, &spool.kept[1]);
	turn(loop);
	assert_int_equal(strncmp(said(stream), "354 ", 4), 0);
	for (const char *at = said(stream); (at = strstr(at, "250 2.0.0 queued as ")); at++)
		queued++;
	assert_int_equal(queued, 3);
}

static void test_recipients_without_a_source_are_refused(void **state)
{
	struct stream *stream = lmtp("");

	(void)state;
	give(stream,
		"RCPT TO:<nobody@x>\r\nRCPT TO:<drill+a@x>\r\nRCPT TO:<drill+b@x>\r\nRCPT TO:<any@x>\r\n");
	assert_string_equal(said(stream),
		"550 5.1.1 no such mailbox here\r\n550 5.1.1 no such mailbox here\r\n"
		"250 2.1.5 recipient ok\r\n250 2.1.5 recipient ok\r\n");
}

static void test_a_full_spool_says_452(void **state)
{
	struct stream *stream = lmtp("RCPT TO:<report@x>\r\n");

	(void)state;
	spool_doors(&spool, false);
	give(stream, "DATA\r\nMAIL FROM:<x@a>\r\n");
	assert_non_null(strstr(said(stream), "452 4.3.1"));
	assert_null(strstr(said(stream), "354"));
	assert_non_null(strstr(strstr(said(stream), "452") + 1, "452 4.3.1"));
	spool_doors(&spool, true);
	buf_clear(&stream->out);
	give(stream, "MAIL FROM:<x@a>\r\n");
	assert_int_equal(strncmp(said(stream), "250", 3), 0);
}

static void test_a_spool_lost_while_a_mail_comes_is_451(void **state)
{
	struct stream *stream = lmtp("RCPT TO:<report@x>\r\n");

	(void)state;
	give(stream, "DATA\r\nhello\r\n");
	spool_stop(&spool);
	begin_spool();
	give(stream, "more\r\n.\r\n");
	assert_non_null(strstr(said(stream), "451 4.3.0"));
	assert_null(strstr(said(stream), "250"));
}

/* The spool dies with a commit on its way: whether the mail is in is asked, not guessed. */
static void test_trap_01_a_mail_in_flight_is_neither_lost_nor_doubled(void **state)
{
	(void)state;
	for (int in = 0; in < 2; in++) {
		struct stream *stream = lmtp("RCPT TO:<report@x>\r\n");

		spool.commits = false;
		give(stream, "DATA\r\nhello\r\n.\r\n");
		spool.kept[spool.count - 1].committed = in;
		spool_stop(&spool);
		assert_null(strstr(said(stream), "45"));
		begin_spool();
		if (in)
			assert_non_null(strstr(said(stream), "250 2.0.0 queued"));
		else
			assert_non_null(strstr(said(stream), "451 4.3.0"));
		hang_up(stream, NULL);
	}
}

static void test_a_lost_connection_takes_its_mail_along(void **state)
{
	struct stream *stream = lmtp("RCPT TO:<report@x>\r\n");

	(void)state;
	give(stream, "DATA\r\nhello\r\n");
	hang_up(stream, "reset");
	assert_true(spool.kept[0].gone);
}

/* Sensors */

static void test_lines_are_acknowledged_when_committed(void **state)
{
	struct stream *stream = sensor();

	(void)state;
	spool.commits = false;
	give(stream, "{\"v\":1}\n\n{\"v\":2}\n{\"half");
	assert_int_equal(spool.count, 1);
	assert_int_equal(spool.kept[0].format, FORMAT_LINES);
	assert_true(str_equal(buf_view(&spool.kept[0].bytes), STR("{\"v\":1}\n\n{\"v\":2}\n")));
	assert_string_equal(said(stream), "");
	give(stream, "\":3}\nx\n");
	assert_int_equal(spool.count, 1);
	spool_commit_all(&spool);
	turn(loop);
	assert_string_equal(said(stream), "{\"ack\":3}\n");
	assert_int_equal(spool.count, 2);
	spool_commit_all(&spool);
	turn(loop);
	assert_string_equal(said(stream), "{\"ack\":3}\n{\"ack\":5}\n");
}

static void test_half_a_line_at_the_end_is_nobodys(void **state)
{
	struct stream *stream = sensor();

	(void)state;
	give(stream, "a\nhalf");
	hang_up(stream, "reset");
	assert_int_equal(spool.count, 1);
	assert_true(str_equal(buf_view(&spool.kept[0].bytes), STR("a\n")));
}

static void test_a_long_line_is_an_entry_of_its_own(void **state)
{
	struct stream *stream = sensor();
	char line[1502];

	(void)state;
	memset(line, 'x', 1500);
	memcpy(line + 1500, "\n", 2);
	give(stream, "a\n");
	give(stream, line);
	give(stream, "b\n");
	assert_int_equal(spool.count, 3);
	assert_int_equal(spool.kept[1].bytes.len, 1500);
	assert_non_null(strstr(buf_cstr(&spool.kept[1].envelope), "\"too_long\":true"));
	assert_string_equal(said(stream), "{\"ack\":1}\n{\"ack\":2}\n{\"ack\":3}\n");
	assert_false(stream->ended);
}

static void test_trap_01_a_session_says_what_is_durable(void **state)
{
	struct stream *stream = sensor();

	(void)state;
	give(stream, HELLO "a\nb\n");
	assert_string_equal(said(stream), "{\"ack\":0}\n{\"ack\":2}\n");
	assert_string_equal(spool.kept[0].owner, "session/5/6f9619ff-8b86-4011-b42d-00c04fc964ff");
	assert_string_equal(spool.kept[0].value, "2");
	hang_up(stream, "reset");
	stream = sensor();
	give(stream, HELLO "c\n");
	assert_string_equal(said(stream), "{\"ack\":2}\n{\"ack\":3}\n");
}

static void test_trap_01_lines_in_flight_when_the_spool_dies(void **state)
{
	(void)state;
	for (int in = 0; in < 2; in++) {
		struct stream *stream = sensor();
		size_t before = spool.count;

		spool.commits = true;
		give(stream, HELLO);
		buf_clear(&stream->out);
		spool.commits = false;
		give(stream, "a\nb\n");
		spool.kept[before].committed = in;
		spool_stop(&spool);
		spool.commits = true;
		begin_spool();
		assert_false(stream->ended);
		assert_int_equal(spool.count, before + (in ? 1 : 2));
		assert_non_null(strstr(said(stream), in ? "{\"ack\":4}\n" : "{\"ack\":2}\n"));
		hang_up(stream, "reset");
	}
}

static void test_without_a_session_nobody_knows_and_the_connection_ends(void **state)
{
	struct stream *stream = sensor();

	(void)state;
	spool.commits = false;
	give(stream, "a\n");
	spool_stop(&spool);
	begin_spool();
	assert_true(stream->ended);
	assert_string_equal(said(stream), "");
	assert_int_equal(spool.count, 1);
}

/* A sensor comes back while lines of its old connection are on their way: it is not answered before they have
 * landed. */
static void test_trap_01_a_session_taken_over_waits_for_what_is_in_flight(void **state)
{
	struct stream *old = sensor();
	struct stream *stream;

	(void)state;
	give(old, HELLO);
	spool.commits = false;
	give(old, "a\nb\n");
	stream = sensor();
	give(stream, HELLO);
	assert_true(old->ended);
	assert_string_equal(said(stream), "");
	spool_commit_all(&spool);
	turn(loop);
	assert_string_equal(said(stream), "{\"ack\":2}\n");
	assert_null(strstr(said(old), "{\"ack\":2}"));
}

static void test_a_full_spool_stops_reading(void **state)
{
	struct stream *stream = sensor();

	(void)state;
	spool_doors(&spool, false);
	assert_true(stream->paused);
	give(stream, "a\n");
	assert_int_equal(spool.count, 0);
	spool_doors(&spool, true);
	assert_false(stream->paused);
	assert_int_equal(spool.count, 1);
	assert_string_equal(said(stream), "{\"ack\":1}\n");
}

static void test_who_is_not_a_source_is_refused(void **state)
{
	struct doors *doors = room_own;
	struct stream *stream;

	(void)state;
	sensor_new(doors, -1, 0);
	newest->certificate.names[0] = "other.test";
	newest->calls->ready(newest, newest->context);
	assert_true(newest->ended);
	sensor_new(doors, -1, 0);
	newest->certificate.present = false;
	newest->calls->ready(newest, newest->context);
	assert_true(newest->ended);
	assert_int_equal(doors->counters.refused_unmapped, 1);
	assert_int_equal(doors->counters.refused_certificate, 1);
	stream = sensor();
	assert_false(stream->ended);
	say_sources(false);
	assert_true(stream->ended);
	assert_int_equal(doors->counters.refused_disabled, 1);
}

static void test_a_source_has_so_many_sessions_and_no_more(void **state)
{
	struct doors *doors = room_own;
	struct stream *first, *second;

	(void)state;
	conf.sensor_max_per_source = 2;
	first = sensor();
	second = sensor();
	assert_true(sensor()->ended);
	assert_int_equal(doors->counters.refused_crowded, 1);
	say_sources(true);
	assert_false(first->ended || second->ended);
	hang_up(first, NULL);
	assert_false(sensor()->ended);
}

static uint64_t key_of(const char *text)
{
	struct sockaddr_storage address = {0};
	struct sockaddr_in *four = (void *)&address;
	struct sockaddr_in6 *six = (void *)&address;

	if (inet_pton(AF_INET, text, &four->sin_addr) == 1)
		four->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1)
		six->sin6_family = AF_INET6;
	return peers_key(&address);
}

static void test_peers_are_counted_by_address(void **state)
{
	struct peers *peers = peers_new();

	(void)state;
	assert_true(key_of("198.51.100.1") == key_of("::ffff:198.51.100.1"));
	assert_true(key_of("198.51.100.1") != key_of("198.51.100.2"));
	assert_true(key_of("2001:db8:0:1::1") == key_of("2001:db8:0:1:ffff::2"));
	assert_true(key_of("2001:db8:0:1::1") != key_of("2001:db8:0:2::1"));
	assert_true(key_of("::1") != 0 && key_of("no address") == 0);
	for (int i = 0; i < 2; i++)
		assert_true(peers_enter(peers, key_of("198.51.100.1"), 2));
	assert_false(peers_enter(peers, key_of("198.51.100.1"), 2));
	assert_true(peers_enter(peers, key_of("198.51.100.2"), 2));
	peers_leave(peers, key_of("198.51.100.1"));
	assert_true(peers_enter(peers, key_of("198.51.100.1"), 2));
	for (int i = 0; i < 5; i++)
		assert_true(peers_enter(peers, 0, 2));
	peers_leave(peers, 0);
	peers_free(&peers);
}

static void test_a_bucket_gives_its_rate(void **state)
{
	struct bucket bucket = {0};
	int64_t now = 5 * CLOCK_SECOND;

	(void)state;
	bucket_set(&bucket, 0, now);
	assert_true(bucket_room(&bucket, now) == UINT64_MAX && bucket_wait(&bucket) == 0);
	bucket_set(&bucket, 10, now);
	assert_int_equal(bucket_room(&bucket, now), 10);
	bucket_take(&bucket, 10);
	assert_int_equal(bucket_room(&bucket, now), 0);
	assert_int_equal(bucket_wait(&bucket), CLOCK_SECOND / 10 + 1);
	assert_int_equal(bucket_room(&bucket, now + CLOCK_SECOND / 2), 5);
	/* One thing larger than the rate passes, and is waited off; no more than a second is saved up. */
	bucket_take(&bucket, 25);
	assert_int_equal(bucket_room(&bucket, now + CLOCK_SECOND / 2), 0);
	assert_int_equal(bucket_wait(&bucket), CLOCK_SECOND * 21 / 10 + 1);
	assert_int_equal(bucket_room(&bucket, now + 100 * CLOCK_SECOND), 10);
}

/* Back-pressure, not loss: the rest waits in the connection. */
static void test_over_its_rate_a_source_waits(void **state)
{
	struct stream *stream;

	(void)state;
	sensor_lines_rate = 3;
	say_sources(true);
	stream = sensor();
	give(stream, "a\nb\nc\nd\ne\n");
	assert_true(str_equal(buf_view(&spool.kept[0].bytes), STR("a\nb\nc\n")));
	assert_int_equal(strncmp(said(stream), "{\"ack\":3}\n", 10), 0);
	assert_false(stream->ended);
	sensor_lines_rate = 0;
	say_sources(true);
	turn(loop);
	assert_true(str_ends(str_of(said(stream)), STR("{\"ack\":5}\n")));
}

static void test_lines_are_read_as_their_source_says(void **state)
{
	(void)state;
	sensor_format = FORMAT_EVE;
	say_sources(true);
	give(sensor(), "a\n");
	sensor_format = FORMAT_STIX;
	say_sources(true);
	give(sensor(), "b\n");
	sensor_format = FORMAT_AUTO;
	assert_int_equal(spool.kept[0].format, FORMAT_EVE);
	assert_int_equal(spool.kept[1].format, FORMAT_LINES);
}

static void test_draining_waits_for_what_is_on_its_way(void **state)
{
	struct stream *line = sensor();
	struct stream *mail = lmtp("RCPT TO:<report@x>\r\n");
	struct stream *idle = lmtp("");

	(void)state;
	spool.commits = false;
	give(line, "a\n");
	give(mail, "DATA\r\nhello\r\n");
	intake_room.drain(NULL);
	assert_true(idle->ended);
	assert_non_null(strstr(said(idle), "421 4.3.2"));
	assert_false(line->ended || mail->ended);
	give(mail, ".\r\n");
	spool_commit_all(&spool);
	turn(loop);
	assert_true(line->ended && mail->ended);
	assert_non_null(strstr(said(line), "{\"ack\":1}"));
	assert_non_null(strstr(said(mail), "250 2.0.0 queued"));
	hang_up(line, NULL);
	hang_up(mail, NULL);
	assert_false(drained);
	hang_up(idle, NULL);
	assert_true(drained);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_mail_is_one_entry_per_source_and_answered_when_committed),
		TEST(test_recipients_without_a_source_are_refused),
		TEST(test_a_full_spool_says_452),
		TEST(test_a_spool_lost_while_a_mail_comes_is_451),
		TEST(test_trap_01_a_mail_in_flight_is_neither_lost_nor_doubled),
		TEST(test_a_lost_connection_takes_its_mail_along),
		TEST(test_lines_are_acknowledged_when_committed),
		TEST(test_half_a_line_at_the_end_is_nobodys),
		TEST(test_a_long_line_is_an_entry_of_its_own),
		TEST(test_trap_01_a_session_says_what_is_durable),
		TEST(test_trap_01_lines_in_flight_when_the_spool_dies),
		TEST(test_without_a_session_nobody_knows_and_the_connection_ends),
		TEST(test_trap_01_a_session_taken_over_waits_for_what_is_in_flight),
		TEST(test_a_full_spool_stops_reading),
		TEST(test_who_is_not_a_source_is_refused),
		TEST(test_a_source_has_so_many_sessions_and_no_more),
		TEST(test_peers_are_counted_by_address),
		TEST(test_a_bucket_gives_its_rate),
		TEST(test_over_its_rate_a_source_waits),
		TEST(test_lines_are_read_as_their_source_says),
		TEST(test_draining_waits_for_what_is_on_its_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
