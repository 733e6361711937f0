#include "intake/intake.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/listener.h"
#include "intake/mail.h"
#include "intake/sensor.h"

/* How long connections with something on their way are waited for when the room drains. */
#define DRAIN_LIMIT (10 * CLOCK_SECOND)

static void each(struct map *map, void (*call)(void *one))
{
	size_t cursor = 0;
	uint64_t key;
	void *value;

	while (map_next(map, &cursor, &key, &value))
		call(value);
}

static void resume_mail(void *mail)
{
	mail_resume(mail);
}

static void resume_sensor(void *sensor)
{
	sensor_resume(sensor);
}

static void map_sensor(void *sensor)
{
	sensor_sources(sensor);
}

static void drain_mail(void *mail)
{
	mail_drain(mail);
}

static void drain_sensor(void *sensor)
{
	sensor_drain(sensor);
}

static void free_mail(void *mail)
{
	mail_free(mail);
}

static void free_sensor(void *sensor)
{
	sensor_free(sensor);
}

/* The spool */

static void on_doors(void *context)
{
	static const char *const said[] = {[APPENDER_AWAY] = "the spool is away: nothing is taken",
		[APPENDER_CLOSED] = "the spool is full: nothing is taken",
		[APPENDER_OPEN] = "the spool takes entries"};
	struct doors *doors = context;

	log_info("%s", said[appender_state(doors->appender)]);
	if (appender_has_edge(doors->appender))
		timer_stop(doors->patience);
	else
		timer_set(doors->patience, APPENDER_PATIENCE);
	each(doors->mails, resume_mail);
	each(doors->sensors, resume_sensor);
}

static void patience_is_over(void *context)
{
	struct doors *doors = context;
	struct err err;

	err_set(&err, ERR_SYSTEM, "the spool has not come back");
	room_fail(doors->room, &err);
}

static void on_drained(void *context)
{
	struct doors *doors = context;

	each(doors->mails, resume_mail);
	each(doors->sensors, resume_sensor);
}

static void on_sources(const struct source_table *table, void *context)
{
	struct doors *doors = context;

	log_info("%zu sources are known", table->count);
	each(doors->sensors, map_sensor);
}

static const struct appender_calls appender_calls = {
	.sources = on_sources, .doors = on_doors, .drained = on_drained};

/* TLS: at start and at each reload; connections keep what they began with. */

static void load_mail_tls(struct doors *doors)
{
	struct str certificate = room_grant(doors->room, "mail.certificate");
	struct tls_context *tls;
	struct err err;

	if (certificate.len == 0)
		return;
	tls = tls_context_new(certificate, room_grant(doors->room, "mail.key"), STR(""), TLS_NO_CLIENT, &err);
	if (!tls) {
		log_error("mail certificate: %s; STARTTLS stays as it was", err.text);
		return;
	}
	tls_context_free(&doors->mail_tls);
	doors->mail_tls = tls;
}

static void load_sensor_tls(struct doors *doors)
{
	struct str certificate = room_grant(doors->room, "sensor.certificate");
	struct tls_context *tls;
	struct err err;

	if (certificate.len == 0)
		return;
	tls = tls_context_new(certificate, room_grant(doors->room, "sensor.key"),
		room_grant(doors->room, "sensor.ca"), TLS_CLIENT_REQUIRED, &err);
	if (!tls) {
		log_error("sensor certificate: %s; the sensor door stays as it was", err.text);
		return;
	}
	tls_context_free(&doors->sensor_tls);
	doors->sensor_tls = tls;
}

/* The room */

static bool intake_load(struct room *room, struct err *err)
{
	struct doors *doors = mem_alloc(sizeof(*doors));
	struct str hostname = room_conf(room)->hostname;

	(void)err;
	doors->room = room;
	doors->loop = room_loop(room);
	doors->hostname = hostname.len > 0 ? mem_strndup(hostname.p, hostname.len) : mem_strdup("localhost");
	doors->mails = map_new();
	doors->sensors = map_new();
	doors->smtp_peers = peers_new();
	doors->sensor_peers = peers_new();
	doors->shares = shares_new(doors->loop);
	doors->sessions = sessions_new();
	doors->patience = timer_new(doors->loop, patience_is_over, doors);
	doors->appender = appender_new(doors->loop, &appender_calls, doors);
	room_set_state(room, doors);
	/* Here, since OpenSSL reads its own configuration when first used. */
	load_mail_tls(doors);
	load_sensor_tls(doors);
	return true;
}

static void intake_plan(struct room *room, struct sandbox *plan)
{
	const struct conf *conf = room_conf(room);

	plan->inet_listen = true;
	plan->open_files = conf->mail_max_sessions + conf->sensor_max_sessions + 64;
}

static void intake_edge(struct room *room, enum edge_kind kind, enum room_id peer, unsigned instance,
	uint32_t generation, int fd)
{
	struct doors *doors = room_state(room);

	(void)instance;
	if (kind == EDGE_APPEND && peer == ROOM_SPOOL)
		appender_edge(doors->appender, generation, fd);
	else
		fd_close(&fd);
}

static void intake_listener(struct room *room, const char *name, const char *address, int fd)
{
	listener_new(room_state(room), name, address, fd);
}

static void intake_reload(struct room *room, const struct conf *old)
{
	(void)old;
	load_mail_tls(room_state(room));
	load_sensor_tls(room_state(room));
}

static void drain_is_over(void *context)
{
	struct doors *doors = context;

	log_warn("%zu connections did not end in time", map_count(doors->mails) + map_count(doors->sensors));
	room_drained(doors->room);
}

void doors_left(struct doors *doors)
{
	if (!doors->draining || map_count(doors->mails) + map_count(doors->sensors) > 0)
		return;
	timer_stop(doors->drain_timer);
	room_drained(doors->room);
}

static void intake_drain(struct room *room)
{
	struct doors *doors = room_state(room);

	if (doors->draining)
		return;
	doors->draining = true;
	listeners_free(doors);
	doors->drain_timer = timer_new(doors->loop, drain_is_over, doors);
	timer_set(doors->drain_timer, DRAIN_LIMIT);
	each(doors->mails, drain_mail);
	each(doors->sensors, drain_sensor);
	doors_left(doors);
}

static void intake_count(struct room *room)
{
	const struct doors *doors = room_state(room);
	const struct doors_counters *counters = &doors->counters;

	room_counter(room, "mail_sessions", counters->mail_sessions);
	room_counter(room, "mail_sessions_open", map_count(doors->mails));
	room_counter(room, "mails", counters->mails);
	room_counter(room, "mail_bytes", counters->mail_bytes);
	room_counter(room, "mails_refused", counters->mails_refused);
	room_counter(room, "mails_broken", counters->mails_broken);
	room_counter(room, "recipients_refused", counters->recipients_refused);
	room_counter(room, "replies_forged", counters->replies_forged);
	room_counter(room, "sensor_sessions", counters->sensor_sessions);
	room_counter(room, "sensor_sessions_open", map_count(doors->sensors));
	room_counter(room, "lines", counters->lines);
	room_counter(room, "line_bytes", counters->line_bytes);
	room_counter(room, "batches", counters->batches);
	room_counter(room, "acks", counters->acks);
	room_counter(room, "lines_too_long", counters->lines_too_long);
	room_counter(room, "lines_cut", counters->lines_cut);
	room_counter(room, "lines_broken", counters->lines_broken);
	room_counter(room, "refused_certificate", counters->refused_certificate);
	room_counter(room, "refused_unmapped", counters->refused_unmapped);
	room_counter(room, "refused_disabled", counters->refused_disabled);
	room_counter(room, "refused_full", counters->refused_full);
	room_counter(room, "refused_crowded", counters->refused_crowded);
	room_counter(room, "doors_open", appender_state(doors->appender) == APPENDER_OPEN);
}

static void intake_stop(struct room *room)
{
	struct doors *doors = room_state(room);

	if (!doors)
		return;
	listeners_free(doors);
	each(doors->mails, free_mail);
	each(doors->sensors, free_sensor);
	map_free(&doors->mails);
	map_free(&doors->sensors);
	peers_free(&doors->smtp_peers);
	peers_free(&doors->sensor_peers);
	appender_free(&doors->appender);
	shares_free(&doors->shares);
	sessions_free(&doors->sessions);
	timer_free(&doors->drain_timer);
	timer_free(&doors->patience);
	tls_context_free(&doors->mail_tls);
	tls_context_free(&doors->sensor_tls);
	free(doors->hostname);
	free(doors);
	room_set_state(room, NULL);
}

const struct room_spec intake_room = {
	.id = ROOM_INTAKE,
	.load = intake_load,
	.plan = intake_plan,
	.edge = intake_edge,
	.listener = intake_listener,
	.reload = intake_reload,
	.drain = intake_drain,
	.count = intake_count,
	.stop = intake_stop,
};
