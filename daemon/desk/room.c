#include "config.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "desk/desk.h"
#include "desk/handlers.h"
#include "desk/session.h"

/* A person does not wait longer than this for one statement. */
static const char *const quick[] = {"SET statement_timeout = '60s'", NULL};

static void on_state(struct pg *pg, bool up, const char *why, void *context)
{
	(void)pg;
	(void)up;
	(void)why;
	(void)context;
}

struct pg *desk_connect(struct desk *desk, const char *name, bool cut_off, pg_state_fn *state, void *context)
{
	struct pg_settings settings = {
		.conninfo = room_grant(desk->room, "db.conninfo"),
		.user = STR("cirt_desk"),
		.password = room_grant(desk->room, "db.password"),
		.search_path = STR("cirt"),
		.schema = PG_SCHEMA,
		.name = name,
		.on_connect = cut_off ? quick : NULL,
	};

	return pg_new(room_loop(desk->room), &settings, state ? state : on_state, context);
}

static void on_drained(void *context)
{
	submit_drained(context);
}

static bool desk_load(struct room *room, struct err *err)
{
	struct desk *desk = mem_alloc(sizeof(*desk));

	(void)err;
	desk->room = room;
	desk->listeners = map_new();
	desk->asks = map_new();
	desk->operators = map_new();
	room_set_state(room, desk);
	key_ring_start(desk);
	probe_start(desk);
	who_load(desk);
	/* Here, since OpenSSL reads its own configuration when first used. */
	session_load_tls(desk);
	return true;
}

static void desk_plan(struct room *room, struct sandbox *plan)
{
	plan->unix_sockets = true;
	plan->inet_listen = true; /* accept(): the listener is the supervisor's */
	plan->inet_connect = !room_conf(room)->db_managed;
	sandbox_allow(plan, "/etc/passwd", SANDBOX_READ);
	if (!plan->inet_connect)
		return;
	sandbox_allow(plan, "/etc/hosts", SANDBOX_READ);
	sandbox_allow(plan, "/etc/resolv.conf", SANDBOX_READ);
	sandbox_allow(plan, "/etc/nsswitch.conf", SANDBOX_READ);
	sandbox_allow(plan, "/etc/gai.conf", SANDBOX_READ);
}

static bool desk_start(struct room *room, struct err *err)
{
	static const struct appender_calls calls = {.drained = on_drained};
	struct desk *desk = room_state(room);

	(void)err;
	desk->appender = appender_new(room_loop(room), &calls, desk);
	for (size_t i = 0; i < DESK_CONNECTIONS; i++)
		desk->pg[i] = desk_connect(desk, "cirtd desk", true, NULL, NULL);
	desk->slow = desk_connect(desk, "cirtd desk audit", false, NULL, NULL);
	pulse_start(desk);
	desk->sweep = timer_new(room_loop(room), who_sweep, desk);
	who_sweep(desk);
	return true;
}

static void desk_edge(struct room *room, enum edge_kind kind, enum room_id peer, unsigned instance,
	uint32_t generation, int fd)
{
	struct desk *desk = room_state(room);

	(void)instance;
	if (kind == EDGE_APPEND && peer == ROOM_SPOOL)
		appender_edge(desk->appender, generation, fd);
	else if (kind == EDGE_KEYS)
		key_ring_edge(desk, fd);
	else if (kind == EDGE_PROBE)
		probe_edge(desk, fd);
	else
		fd_close(&fd);
}

static void desk_listener(struct room *room, const char *name, const char *address, int fd)
{
	log_info_f(LOG_F({"address", address}), "operators may come");
	session_listen(room_state(room), fd, !strcmp(name, "desk.tls"));
}

static void desk_reload(struct room *room, const struct conf *old)
{
	(void)old;
	who_load(room_state(room));
	session_load_tls(room_state(room));
}

static void desk_drain(struct room *room)
{
	session_unlisten(room_state(room));
	room_drained(room);
}

static void desk_answer(struct room *room, uint32_t ask, bool ok, struct str json)
{
	supervisor_answered(room_state(room), ask, ok, json);
}

static void desk_count(struct room *room)
{
	struct desk *desk = room_state(room);
	uint64_t sessions = 0;

	for (const struct session *session = desk->sessions; session; session = session->next)
		sessions++;
	room_counter(room, "sessions", sessions);
	room_counter(room, "requests", desk->requests);
	room_counter(room, "refused", desk->refused);
	room_counter(room, "denied", desk->denied);
	room_counter(room, "submits_broken", desk->submits_broken);
}

static void desk_stop(struct room *room)
{
	struct desk *desk = room_state(room);

	if (!desk)
		return;
	session_unlisten(desk);
	session_free_all(desk);
	timer_free(&desk->sweep);
	tls_context_free(&desk->tls);
	pulse_stop(desk);
	key_ring_stop(desk);
	probe_stop(desk);
	for (size_t i = 0; i < DESK_CONNECTIONS; i++)
		pg_free(&desk->pg[i]);
	pg_free(&desk->slow);
	appender_free(&desk->appender);
	map_free(&desk->listeners);
	map_free(&desk->asks);
	who_free(desk);
	free(desk);
	room_set_state(room, NULL);
}

const struct room_spec desk_room = {
	.id = ROOM_DESK,
	.load = desk_load,
	.plan = desk_plan,
	.start = desk_start,
	.edge = desk_edge,
	.listener = desk_listener,
	.reload = desk_reload,
	.drain = desk_drain,
	.answer = desk_answer,
	.count = desk_count,
	.stop = desk_stop,
};
