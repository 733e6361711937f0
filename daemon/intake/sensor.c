#include "intake/sensor.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/client.h"
#include "intake/envelope.h"

/* Unread input of a connection, as long as no line needs more. */
#define SENSOR_INPUT (512u << 10)
/* Who does not get through its handshake must not hold a session for as long as a sensor may be silent. */
#define SENSOR_HANDSHAKE_TIME (20 * CLOCK_SECOND)
/* Before a batch that the spool refused is tried again. */
#define SENSOR_RETRY (CLOCK_SECOND / 5)

enum sensor_state {
	SENSOR_HANDSHAKE,
	SENSOR_MAPPING, /* the source table has not come yet */
	SENSOR_RUNNING,
	SENSOR_SETTLING, /* older lines of the session are on their way */
	SENSOR_ASKING,   /* the bookmark is asked for, or will be once the spool is back */
	SENSOR_ENDING
};

/* One append on its way. It outlives its connection, for the books of session and share. */
struct flight {
	struct doors *doors;
	struct sensor *sensor; /* NULL: gone */
	struct session *session;
	struct share *share;
	uint32_t append;
	uint64_t first_line; /* lines durable before it */
	uint64_t lines;
	uint64_t size;
	bool streaming;   /* a long line: its bytes are not kept */
	bool sent;        /* and not answered */
	bool unsure;      /* it may be in the spool */
	struct buf bytes; /* to send it again */
};

struct sensor {
	struct doors *doors;
	uint64_t number;
	uint64_t peer; /* in doors->sensor_peers */
	enum sensor_state state;
	struct stream *stream;
	struct lineframe *frame;
	uint32_t source; /* 0: none yet */
	enum format format;
	char *source_name;
	struct share *share;
	struct share_waiter waiter;
	struct session_holder holder;
	bool asked; /* the bookmark's answer is on its way */
	uint32_t question;
	struct flight *flight; /* NULL: nothing is on its way */
	struct timer *retry;
	uint64_t taken; /* lines durable */
	bool draining;
};

#define SENSOR_OF(pointer, member) \
	((struct sensor *)(void *)((char *)(pointer)-offsetof(struct sensor, member)))

static void sensor_step(struct sensor *sensor);

static void sensor_end(struct sensor *sensor)
{
	if (sensor->state == SENSOR_ENDING)
		return;
	sensor->state = SENSOR_ENDING;
	stream_end(sensor->stream);
}

static void sensor_refuse(struct sensor *sensor, uint64_t *counter, const char *why)
{
	const struct peer_certificate *certificate = stream_peer_certificate(sensor->stream);

	++*counter;
	log_warn_f(
		LOG_F({"peer", stream_peer(sensor->stream)},
			{"fingerprint", certificate ? certificate->fingerprint : NULL},
			{"name", certificate && certificate->name_count > 0 ? certificate->names[0] : NULL}),
		"sensor refused: %s", why);
	sensor_end(sensor);
}

/* Acknowledgements */

static void sensor_say_ack(struct sensor *sensor)
{
	char text[48];
	int len;

	if (lineframe_framing(sensor->frame) == FRAMING_SYSLOG || sensor->state == SENSOR_ENDING)
		return;
	len = snprintf(text, sizeof(text), "{\"ack\":%llu}\n", (unsigned long long)sensor->taken);
	stream_write(sensor->stream, text, (size_t)len);
	sensor->doors->counters.acks++;
}

static void flight_free(struct flight *flight)
{
	if (flight->sensor)
		flight->sensor->flight = NULL;
	if (!flight->streaming)
		share_done(flight->share, flight->size);
	if (flight->session)
		session_end(flight->session);
	buf_free(&flight->bytes);
	free(flight);
}

static void flight_landed(struct flight *flight)
{
	struct sensor *sensor = flight->sensor;
	struct doors *doors = flight->doors;

	doors->counters.lines += flight->lines;
	doors->counters.line_bytes += flight->size;
	doors->counters.batches++;
	if (sensor) {
		sensor->taken = flight->first_line + flight->lines;
		sensor_say_ack(sensor);
	}
	flight_free(flight);
}

static void flight_send(struct flight *flight);

/* The batch is not in the spool, or nobody knows. */
static void flight_failed(struct flight *flight, const struct err *err)
{
	struct sensor *sensor = flight->sensor;

	flight->unsure = err->code == ERR_UNCERTAIN;
	if (!sensor) {
		flight_free(flight);
		return;
	}
	log_info_f(LOG_F({"peer", stream_peer(sensor->stream)}, {"source", sensor->source_name}),
		"lines not taken: %s", err->text);
	if (flight->streaming || (flight->unsure && !sensor->holder.session) || err->code == ERR_DENIED) {
		sensor_end(sensor);
		return;
	}
	if (flight->unsure)
		sensor->state = SENSOR_ASKING;
	timer_set(sensor->retry, SENSOR_RETRY);
}

static void flight_done(const struct append_committed *committed, const struct err *err, void *context)
{
	struct flight *flight = context;
	struct sensor *sensor = flight->sensor;

	flight->sent = false;
	flight->append = 0;
	if (!committed) {
		flight_failed(flight, err);
		return;
	}
	flight_landed(flight);
	if (sensor && sensor->draining)
		sensor_end(sensor);
	else if (sensor)
		sensor_step(sensor);
}

static void flight_open(const struct flight *flight, struct append_open *open, struct buf *envelope)
{
	struct sensor *sensor = flight->sensor;

	envelope_sensor(
		envelope, &(struct envelope_sensor){.peer = str_of(stream_peer(sensor->stream)),
				  .fingerprint = str_of(stream_peer_certificate(sensor->stream)->fingerprint),
				  .session = flight->session ? session_owner(flight->session) : STR_NONE,
				  .first_line = flight->first_line + 1,
				  .too_long = flight->streaming});
	*open = (struct append_open){.source = sensor->source,
		.format = sensor->format,
		.size_hint = flight->bytes.len,
		.exercise = STR(""),
		.envelope = buf_view(envelope)};
}

/* Lines durable once this one commits, as the session's bookmark. */
static void flight_close(const struct flight *flight, struct append_close *close, char text[24])
{
	uint64_t durable = flight->first_line + flight->lines;
	int len = snprintf(text, 24, "%llu", (unsigned long long)durable);

	*close = (struct append_close){.bookmark_owner = STR("")};
	if (flight->session)
		*close = (struct append_close){.bookmark_owner = session_owner(flight->session),
			.bookmark_value = {text, (size_t)len}};
}

static void flight_send(struct flight *flight)
{
	struct buf envelope = {0};
	struct append_open open;
	struct append_close close;
	char text[24];

	flight_open(flight, &open, &envelope);
	flight_close(flight, &close, text);
	flight->append = appender_whole(
		flight->doors->appender, &open, &close, buf_view(&flight->bytes), flight_done, flight);
	flight->sent = flight->append != 0;
	flight->unsure = false;
	buf_free(&envelope);
}

static struct flight *flight_new(struct sensor *sensor, uint64_t lines)
{
	struct flight *flight = mem_alloc(sizeof(*flight));

	flight->doors = sensor->doors;
	flight->sensor = sensor;
	flight->share = sensor->share;
	flight->session = sensor->holder.session;
	flight->first_line = sensor->taken;
	flight->lines = lines;
	if (flight->session)
		session_begin(flight->session);
	sensor->flight = flight;
	return flight;
}

/* The connection goes: what has been sent commits by itself, the rest is forgotten. */
static void flight_orphan(struct flight *flight)
{
	bool whole = flight->sent && (!flight->streaming || flight->lines > 0);

	flight->sensor->flight = NULL;
	flight->sensor = NULL;
	if (whole)
		return;
	if (flight->append != 0)
		appender_abort(flight->doors->appender, flight->append);
	flight_free(flight);
}

/* Sessions */

static void sensor_bookmark(struct str value, const struct err *err, void *context)
{
	struct sensor *sensor = context;
	struct flight *flight = sensor->flight;
	uint64_t durable = 0;

	sensor->asked = false;
	if (err) {
		sensor_resume(sensor);
		return;
	}
	if (value.p && !str_to_u64(value, &durable)) {
		log_error_f(LOG_F({"source", sensor->source_name}), "a session's bookmark is not a number");
		sensor_end(sensor);
		return;
	}
	sensor->state = SENSOR_RUNNING;
	if (flight && durable >= flight->first_line + flight->lines) {
		flight_landed(flight);
		sensor->flight = NULL;
	} else if (flight) {
		flight->unsure = false;
	} else {
		sensor->taken = durable;
		sensor_say_ack(sensor);
	}
	sensor_resume(sensor);
}

static void sensor_ask(struct sensor *sensor)
{
	if (sensor->asked || appender_state(sensor->doors->appender) == APPENDER_AWAY)
		return;
	sensor->question = appender_bookmark(
		sensor->doors->appender, session_owner(sensor->holder.session), sensor_bookmark, sensor);
	sensor->asked = sensor->question != 0;
}

static void sensor_settled(struct session_holder *holder)
{
	struct sensor *sensor = SENSOR_OF(holder, holder);

	if (sensor->state != SENSOR_SETTLING)
		return;
	sensor->state = SENSOR_ASKING;
	sensor_ask(sensor);
}

static void sensor_taken(struct session_holder *holder)
{
	struct sensor *sensor = SENSOR_OF(holder, holder);

	log_info_f(LOG_F({"peer", stream_peer(sensor->stream)}, {"source", sensor->source_name}),
		"another connection took this session over");
	if (sensor->flight)
		flight_orphan(sensor->flight);
	sensor_end(sensor);
}

/* Reading */

static void sensor_lines(struct sensor *sensor, const struct lineframe_piece *piece)
{
	struct flight *flight = flight_new(sensor, piece->lines);

	buf_str(&flight->bytes, piece->bytes);
	flight->size = piece->bytes.len;
	share_charge(sensor->share, flight->size, flight->lines);
	share_begin(sensor->share, flight->size);
	flight_send(flight);
}

static void sensor_long_begin(struct sensor *sensor)
{
	struct flight *flight = flight_new(sensor, 0);
	struct buf envelope = {0};
	struct append_open open;

	flight->streaming = true;
	flight_open(flight, &open, &envelope);
	flight->append = appender_begin(sensor->doors->appender, &open, flight_done, flight);
	flight->sent = flight->append != 0;
	buf_free(&envelope);
	sensor->doors->counters.lines_too_long++;
	log_warn_f(LOG_F({"peer", stream_peer(sensor->stream)}, {"source", sensor->source_name}),
		"a line is too long and becomes an entry of its own, after %llu others",
		(unsigned long long)sensor->taken);
}

static void sensor_long_part(struct sensor *sensor, struct str bytes)
{
	struct flight *flight = sensor->flight;

	if (!flight)
		return;
	flight->size += bytes.len;
	share_charge(sensor->share, bytes.len, 0);
	appender_bytes(sensor->doors->appender, flight->append, bytes);
}

static void sensor_long_end(struct sensor *sensor, const struct lineframe_piece *piece)
{
	struct flight *flight = sensor->flight;
	struct append_close close;
	char text[24];

	if (!flight)
		return;
	flight->lines = 1;
	share_charge(sensor->share, 0, 1);
	flight_close(flight, &close, text);
	appender_commit(sensor->doors->appender, flight->append, &close);
	if (piece->left_out == 0)
		return;
	sensor->doors->counters.lines_cut++;
	log_warn_f(LOG_F({"peer", stream_peer(sensor->stream)}, {"source", sensor->source_name}),
		"a line was cut after %llu others: %llu bytes of it were left out",
		(unsigned long long)sensor->taken, (unsigned long long)piece->left_out);
}

static void sensor_broken(struct sensor *sensor, const char *why)
{
	struct buf text = {0};

	log_warn_f(LOG_F({"peer", stream_peer(sensor->stream)}, {"source", sensor->source_name}),
		"connection ended: %s", why);
	if (lineframe_framing(sensor->frame) == FRAMING_LINES) {
		buf_text(&text, "{\"error\":");
		buf_json_string(&text, str_of(why));
		buf_text(&text, "}\n");
		stream_write(sensor->stream, text.data, text.len);
	}
	buf_free(&text);
	sensor_end(sensor);
}

/* False: there is nothing to do until something else happens. */
static bool sensor_read(struct sensor *sensor, const struct lineframe_most *most)
{
	struct buf *in = stream_input(sensor->stream);
	struct lineframe_piece piece;

	switch (lineframe_next(sensor->frame, in, most, &piece)) {
	case LINEFRAME_MORE:
		/* A line longer than the usual room may still be short enough. */
		stream_limit(sensor->stream,
			in->len < SENSOR_INPUT
				? SENSOR_INPUT
				: room_conf(sensor->doors->room)->sensor_max_line + APPEND_CHUNK);
		return false;
	case LINEFRAME_HELLO:
		sensor->state = SENSOR_SETTLING;
		session_take(sensor->doors->sessions, sensor->source, piece.session, &sensor->holder);
		return false;
	case LINEFRAME_LINES:
		sensor_lines(sensor, &piece);
		return false;
	case LINEFRAME_LONG_BEGIN:
		sensor_long_begin(sensor);
		return true;
	case LINEFRAME_LONG_PART:
		sensor_long_part(sensor, piece.bytes);
		return true;
	case LINEFRAME_LONG_END:
		sensor_long_end(sensor, &piece);
		return false;
	case LINEFRAME_BROKEN:
		sensor_broken(sensor, piece.why);
		return false;
	}
	return false;
}

static void sensor_step(struct sensor *sensor)
{
	struct doors *doors = sensor->doors;
	bool more = true;

	while (more && sensor->state == SENSOR_RUNNING) {
		struct lineframe_most most = {0, 0};
		bool streaming = sensor->flight && sensor->flight->streaming && sensor->flight->lines == 0;

		if ((sensor->flight && !streaming) || (sensor->draining && !streaming))
			return;
		if (appender_state(doors->appender) != APPENDER_OPEN ||
			appender_queued(doors->appender) > DOORS_QUEUE_MAX)
			return;
		if (lineframe_ready(sensor->frame, stream_input(sensor->stream)) > 0 &&
			!share_room(sensor->share, &sensor->waiter, &most))
			return;
		more = sensor_read(sensor, &most);
	}
}

void sensor_resume(struct sensor *sensor)
{
	enum appender_state spool = appender_state(sensor->doors->appender);

	stream_pause(sensor->stream, spool != APPENDER_OPEN);
	if (sensor->state == SENSOR_ASKING)
		sensor_ask(sensor);
	if (sensor->state != SENSOR_RUNNING || spool != APPENDER_OPEN)
		return;
	if (sensor->flight && !sensor->flight->streaming && !sensor->flight->sent)
		flight_send(sensor->flight);
	else
		sensor_step(sensor);
}

static void sensor_retry(void *context)
{
	sensor_resume(context);
}

static void sensor_wake(struct share_waiter *waiter)
{
	sensor_step(SENSOR_OF(waiter, waiter));
}

/* Who it is */

static void sensor_map(struct sensor *sensor)
{
	struct doors *doors = sensor->doors;
	const struct source *source =
		client_source(appender_sources(doors->appender), stream_peer_certificate(sensor->stream));
	uint64_t limit = room_conf(doors->room)->sensor_max_per_source;

	if (!source) {
		sensor_refuse(sensor, &doors->counters.refused_unmapped, "no source has this certificate");
		return;
	}
	if (!source->enabled || (sensor->source != 0 && sensor->source != source->id)) {
		sensor_refuse(sensor, &doors->counters.refused_disabled, "its source is disabled");
		return;
	}
	sensor->format = format_is_lines(source->format) ? source->format : FORMAT_LINES;
	if (sensor->share) {
		share_update(sensor->share, source);
		return;
	}
	if (limit > 0 && share_connections(doors->shares, source) >= limit) {
		sensor_refuse(sensor, &doors->counters.refused_crowded, "its source has too many sessions");
		return;
	}
	sensor->source = source->id;
	sensor->source_name = mem_strndup(source->name.p, source->name.len);
	sensor->share = share_join(doors->shares, source);
	sensor->state = SENSOR_RUNNING;
	log_info_f(LOG_F({"peer", stream_peer(sensor->stream)}, {"source", sensor->source_name}),
		"sensor is here: %s", stream_tls_info(sensor->stream));
	sensor_resume(sensor);
}

void sensor_sources(struct sensor *sensor)
{
	if (sensor->state != SENSOR_HANDSHAKE && sensor->state != SENSOR_ENDING)
		sensor_map(sensor);
}

void sensor_drain(struct sensor *sensor)
{
	sensor->draining = true;
	if (!sensor->flight || !sensor->flight->sent || sensor->state != SENSOR_RUNNING)
		sensor_end(sensor);
}

/* The stream's calls */

static void on_ready(struct stream *stream, void *context)
{
	struct sensor *sensor = context;
	const struct peer_certificate *certificate = stream_peer_certificate(stream);

	stream_timeout(stream, (int64_t)room_conf(sensor->doors->room)->sensor_timeout);
	if (!certificate || !certificate->present) {
		sensor_refuse(sensor, &sensor->doors->counters.refused_certificate, "no client certificate");
		return;
	}
	if (appender_sources(sensor->doors->appender)->count == 0 &&
		appender_state(sensor->doors->appender) == APPENDER_AWAY) {
		sensor->state = SENSOR_MAPPING;
		return;
	}
	sensor_map(sensor);
}

static void on_readable(struct stream *stream, void *context)
{
	struct sensor *sensor = context;

	if (sensor->state == SENSOR_ENDING)
		buf_clear(stream_input(stream));
	else
		sensor_step(sensor);
}

/*
 * Who says goodbye without waiting for acknowledgements has its whole lines taken still. In a session they
 * come again. Syslog senders never do, and many end without a goodbye: whole frames of theirs are taken
 * however the connection ended.
 */
static void sensor_last_lines(struct sensor *sensor)
{
	static const struct lineframe_most most = {SHARE_BATCH, UINT64_MAX};
	struct lineframe_piece piece;

	if (sensor->state != SENSOR_RUNNING || sensor->holder.session ||
		(sensor->flight && sensor->flight->streaming))
		return;
	while (appender_state(sensor->doors->appender) == APPENDER_OPEN &&
		lineframe_next(sensor->frame, stream_input(sensor->stream), &most, &piece) ==
			LINEFRAME_LINES) {
		if (sensor->flight)
			flight_orphan(sensor->flight);
		sensor_lines(sensor, &piece);
	}
}

/* Half a line, or what the spool had no room for: it was not acknowledged, and whoever sent it may send it
 * again. */
static void count_broken(struct sensor *sensor)
{
	size_t left = stream_input(sensor->stream)->len;
	bool streams = sensor->flight && sensor->flight->streaming;

	if (!sensor->frame || (left == 0 && !streams))
		return;
	sensor->doors->counters.lines_broken++;
	log_warn_f(LOG_F({"peer", stream_peer(sensor->stream)}, {"source", sensor->source_name}),
		"a connection ended with %s behind %llu lines: %zu bytes are not taken in",
		streams ? "a long line on its way" : "what is not whole", (unsigned long long)sensor->taken,
		left);
}

static void on_closed(struct stream *stream, const char *why, void *context)
{
	struct sensor *sensor = context;
	struct doors *doors = sensor->doors;

	if (sensor->state == SENSOR_HANDSHAKE) {
		doors->counters.refused_certificate++;
		log_warn_f(LOG_F({"peer", stream_peer(stream)},
				   {"fingerprint", stream_refused_fingerprint(stream)}),
			"sensor refused: %s", why ? why : "it ended during the handshake");
	} else if (sensor->source_name) {
		log_info_f(LOG_F({"peer", stream_peer(stream)}, {"source", sensor->source_name}),
			"sensor has left: %s", why ? why : "it said so");
	}
	if (!why || (sensor->frame && lineframe_framing(sensor->frame) == FRAMING_SYSLOG))
		sensor_last_lines(sensor);
	if (sensor->source_name)
		count_broken(sensor);
	sensor_free(sensor);
	doors_left(doors);
}

static const struct stream_calls sensor_calls = {
	.readable = on_readable, .ready = on_ready, .closed = on_closed};

void sensor_new(struct doors *doors, int fd, uint64_t peer)
{
	const struct conf *conf = room_conf(doors->room);
	struct sensor *sensor = mem_alloc(sizeof(*sensor));

	sensor->doors = doors;
	sensor->number = ++doors->next_sensor;
	sensor->peer = peer;
	sensor->waiter.wake = sensor_wake;
	sensor->holder.settled = sensor_settled;
	sensor->holder.taken = sensor_taken;
	sensor->frame = lineframe_new(conf->sensor_max_line);
	sensor->retry = timer_new(doors->loop, sensor_retry, sensor);
	sensor->stream = stream_new(doors->loop, fd, doors->sensor_tls, true, &sensor_calls, sensor);
	stream_limit(sensor->stream, SENSOR_INPUT);
	stream_timeout(sensor->stream, SENSOR_HANDSHAKE_TIME);
	map_put(doors->sensors, sensor->number, sensor);
	doors->counters.sensor_sessions++;
}

void sensor_free(struct sensor *sensor)
{
	map_remove(sensor->doors->sensors, sensor->number);
	peers_leave(sensor->doors->sensor_peers, sensor->peer);
	if (sensor->flight)
		flight_orphan(sensor->flight);
	if (sensor->asked)
		appender_forget(sensor->doors->appender, sensor->question);
	session_leave(&sensor->holder);
	if (sensor->share)
		share_leave(sensor->share, &sensor->waiter);
	stream_free(&sensor->stream);
	lineframe_free(&sensor->frame);
	timer_free(&sensor->retry);
	free(sensor->source_name);
	free(sensor);
}
