#include "config.h"

#include "supervisor/rooms.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"

#define WORKERS_MAX    64
#define PROCESSES_MAX  (ROOMS + 2 * WORKERS_MAX)
#define PATIENCE       (10 * CLOCK_SECOND)
#define CHECK_INSTANCE 1000

struct rooms {
	struct rooms_plan plan;
	struct kit *kit;
	struct process *all[PROCESSES_MAX];
	size_t count;
	uint32_t generation;
	bool was_running;

	/* A reload of the workers under way: `kit` is new, those that use another one are old. */
	struct process *newcomer;
	struct process *leaving;
	rooms_reloaded_fn *reloaded;
	void *reloaded_context;

	struct buf refusal; /* of the configuration that was read last */
	int64_t refused;    /* since when, by the clock */

	struct process *checker;
	rooms_checked_fn *checked;
	struct buf check_result; /* the checker's hello, told when it has gone: then the next may start */
	void *checked_context;

	bool draining;
	unsigned stage;
	timer_fn *drained;
	void *drained_context;
};

/* What is drained together. Each takes nothing new, and hands on what it holds, before those behind it are
 * told. */
static const room_mask stages[] = {
	ROOM_BIT(ROOM_INTAKE) | ROOM_BIT(ROOM_EXCHANGE) | ROOM_BIT(ROOM_DESK) | ROOM_BIT(ROOM_COURIER),
	ROOM_BIT(ROOM_TRIAGE),
	ROOM_BIT(ROOM_KEYS),
	ROOM_BIT(ROOM_STORE) | ROOM_BIT(ROOM_KEEPER),
	ROOM_BIT(ROOM_SPOOL),
};

static const struct process_calls process_calls;
static void roll(struct rooms *rooms);
static void drain_stage(void *context);

static struct process *add(struct rooms *rooms, enum room_id room, unsigned instance)
{
	if (rooms->count == PROCESSES_MAX)
		return NULL;
	struct process *process = process_new(
		rooms->plan.loop, rooms->plan.children, room, instance, rooms->kit, &process_calls, rooms);
	rooms->all[rooms->count++] = process;
	return process;
}

static void drop(struct rooms *rooms, struct process *process)
{
	size_t at = 0;
	while (at < rooms->count && rooms->all[at] != process)
		at++;
	if (at == rooms->count)
		return;
	rooms->count--;
	for (; at < rooms->count; at++)
		rooms->all[at] = rooms->all[at + 1];
	process_free(&process);
}

struct rooms *rooms_new(const struct rooms_plan *plan, struct kit *kit)
{
	struct rooms *rooms = mem_alloc(sizeof(*rooms));
	rooms->plan = *plan;
	rooms->kit = kit_hold(kit);
	for (size_t i = 0; i < plan->id_count; i++) {
		uint64_t instances = plan->ids[i] == ROOM_TRIAGE ? kit_conf(kit)->triage_workers : 1;
		for (unsigned k = 0; k < instances && k < WORKERS_MAX; k++)
			add(rooms, plan->ids[i], k);
	}
	return rooms;
}

void rooms_free(struct rooms **rooms)
{
	if (!*rooms)
		return;
	for (size_t i = 0; i < (*rooms)->count; i++)
		process_free(&(*rooms)->all[i]);
	kit_free(&(*rooms)->kit);
	buf_free(&(*rooms)->check_result);
	buf_free(&(*rooms)->refusal);
	free(*rooms);
	*rooms = NULL;
}

void rooms_start(struct rooms *rooms)
{
	for (size_t i = 0; i < rooms->count; i++)
		process_start(rooms->all[i]);
}

bool rooms_running(const struct rooms *rooms)
{
	for (size_t i = 0; i < rooms->count; i++)
		if (rooms->all[i] != rooms->checker && process_state(rooms->all[i]) != PROCESS_RUNNING)
			return false;
	return true;
}

bool rooms_has(const struct rooms *rooms, const struct process *process)
{
	for (size_t i = 0; i < rooms->count; i++)
		if (rooms->all[i] == process)
			return true;
	return false;
}

struct process *rooms_running_one(const struct rooms *rooms, enum room_id room)
{
	for (size_t i = 0; i < rooms->count; i++)
		if (process_room(rooms->all[i]) == room && process_state(rooms->all[i]) == PROCESS_RUNNING)
			return rooms->all[i];
	return NULL;
}

void rooms_describe(const struct rooms *rooms, struct buf *json)
{
	bool first = true;
	buf_char(json, '[');
	for (size_t i = 0; i < rooms->count; i++) {
		if (rooms->all[i] == rooms->checker)
			continue;
		buf_text(json, first ? "" : ",");
		process_describe(rooms->all[i], json);
		first = false;
	}
	buf_char(json, ']');
}

/* Edges */

static void send_end(
	struct process *to, const struct process *peer, enum edge_kind kind, uint32_t generation, int fd)
{
	struct control_edge edge = {.kind = kind,
		.peer = process_room(peer),
		.instance = (uint16_t)process_instance(peer),
		.generation = generation};
	struct buf body = {0};
	control_edge_encode(&edge, &body);
	channel_send_fds(process_control(to), CONTROL_EDGE, buf_view(&body), &fd, 1);
	buf_free(&body);
}

static void connect_pair(struct rooms *rooms, enum edge_kind kind, struct process *a, struct process *b)
{
	struct err err = {0};
	int ends[2];
	if (!fd_pair(ends, &err)) {
		log_error("edge of %s and %s: %s", room_name(process_room(a)), room_name(process_room(b)),
			err.text);
		return;
	}
	rooms->generation++;
	send_end(a, b, kind, rooms->generation, ends[0]);
	send_end(b, a, kind, rooms->generation, ends[1]);
	if (kind == EDGE_HANDOUT)
		process_note_handout(process_room(a) == ROOM_TRIAGE ? a : b, rooms->generation);
}

/* A new pair to every peer that is up; those that are not will make theirs when they start. */
static void connect_edges(struct rooms *rooms, struct process *process)
{
	for (size_t e = 0; e < graph_count; e++) {
		bool is_a = graph[e].a == process_room(process);
		if (!is_a && graph[e].b != process_room(process))
			continue;
		enum room_id peer = is_a ? graph[e].b : graph[e].a;
		for (size_t i = 0; i < rooms->count; i++)
			if (process_room(rooms->all[i]) == peer && process_is_up(rooms->all[i]) &&
				rooms->all[i] != rooms->checker)
				connect_pair(rooms, graph[e].kind, process, rooms->all[i]);
	}
}

static void send_listeners(struct rooms *rooms, struct process *process)
{
	const struct listener *listener;
	for (size_t i = 0; (listener = listeners_at(rooms->plan.listeners, i)); i++) {
		if (listener->room != process_room(process))
			continue;
		struct buf body = {0};
		int fd = fcntl(listener->fd, F_DUPFD_CLOEXEC, 3);
		control_listener_encode(str_of(listener->name), str_of(listener->address), &body);
		if (fd >= 0)
			channel_send_fds(process_control(process), CONTROL_LISTENER, buf_view(&body), &fd, 1);
		buf_free(&body);
	}
}

/* What processes tell */

static void on_starting(struct process *process, void *context)
{
	struct rooms *rooms = context;
	if (process == rooms->checker)
		return;
	send_listeners(rooms, process);
	connect_edges(rooms, process);
}

/* The old worker has gone, or had died already when it was to be drained: the next one. */
static void leave(struct rooms *rooms)
{
	struct process *gone = rooms->leaving;
	rooms->leaving = NULL;
	drop(rooms, gone);
	if (!rooms->draining)
		roll(rooms);
}

static void tell_refusal(const struct rooms *rooms, struct process *process)
{
	if (process_room(process) == ROOM_KEEPER && process_is_up(process))
		channel_send(process_control(process), CONTROL_REFUSED, buf_view(&rooms->refusal));
}

void rooms_refused(struct rooms *rooms, const char *why)
{
	if (*why == 0 || rooms->refusal.len == 0)
		rooms->refused = clock_now();
	buf_clear(&rooms->refusal);
	buf_text(&rooms->refusal, why);
	for (size_t i = 0; i < rooms->count; i++)
		tell_refusal(rooms, rooms->all[i]);
}

struct str rooms_refusal(const struct rooms *rooms, int64_t *since)
{
	*since = rooms->refused;
	return buf_view(&rooms->refusal);
}

static void on_hello(struct process *process, void *context)
{
	struct rooms *rooms = context;
	tell_refusal(rooms, process);
	if (process == rooms->checker) {
		buf_clear(&rooms->check_result);
		buf_str(&rooms->check_result, process_hello(process));
		process_drain(process, PATIENCE);
		return;
	}
	if (process == rooms->newcomer) {
		rooms->newcomer = NULL;
		process_count_restart(process, process_restarts(rooms->leaving));
		process_drain(rooms->leaving, PATIENCE);
		if (process_state(rooms->leaving) == PROCESS_DOWN)
			leave(rooms);
	}
	if (rooms_running(rooms) && rooms->plan.all_running)
		rooms->plan.all_running(rooms->plan.context);
}

static void finish_reload(struct rooms *rooms, bool ok, const char *why)
{
	rooms_reloaded_fn *reloaded = rooms->reloaded;
	rooms->reloaded = NULL;
	if (reloaded)
		reloaded(ok, why, rooms->reloaded_context);
}

static void tell_spool(struct rooms *rooms, const struct control_death *death)
{
	for (size_t i = 0; i < rooms->count; i++) {
		struct process *process = rooms->all[i];
		if (process_room(process) != ROOM_SPOOL || !process_is_up(process))
			continue;
		control_death_encode(death, channel_begin(process_control(process)));
		channel_end(process_control(process), CONTROL_DEATH);
	}
}

/* The new worker could not start: the old ones stay, and are what is started again should they die. */
static void give_up_reload(struct rooms *rooms, struct process *process)
{
	rooms->newcomer = NULL;
	rooms->leaving = NULL;
	drop(rooms, process);
	finish_reload(rooms, false,
		"a worker with the new rules and plugins did not start; the old ones stay. The log says why");
}

static void end_check(struct rooms *rooms)
{
	struct process *gone = rooms->checker;
	rooms->checker = NULL;
	drop(rooms, gone);
	rooms->checked(buf_view(&rooms->check_result), rooms->checked_context);
}

static void on_down(struct process *process, const struct control_death *death, bool failed, void *context)
{
	struct rooms *rooms = context;
	bool checker = process == rooms->checker;
	if (process_room(process) == ROOM_TRIAGE && !checker)
		tell_spool(rooms, death);
	if (checker) {
		end_check(rooms);
	} else if (process == rooms->newcomer && failed) {
		give_up_reload(rooms, process);
	} else if (process == rooms->leaving && process_state(process) == PROCESS_DOWN) {
		leave(rooms);
	}
	if (rooms->draining)
		loop_defer(rooms->plan.loop, drain_stage, rooms);
}

static void on_ask(struct process *process, uint32_t ask, struct str method, struct str json, void *context)
{
	struct rooms *rooms = context;
	rooms->plan.ask(process, ask, method, json, rooms->plan.context);
}

static const struct process_calls process_calls = {
	.starting = on_starting, .hello = on_hello, .down = on_down, .ask = on_ask};

/* Reload */

static unsigned free_instance(const struct rooms *rooms)
{
	unsigned instance = 0;
	for (size_t i = 0; i < rooms->count; i++)
		if (process_room(rooms->all[i]) == ROOM_TRIAGE &&
			process_instance(rooms->all[i]) == instance) {
			instance++;
			i = (size_t)-1;
		}
	return instance;
}

static struct process *next_old(const struct rooms *rooms)
{
	for (size_t i = 0; i < rooms->count; i++)
		if (process_room(rooms->all[i]) == ROOM_TRIAGE && rooms->all[i] != rooms->checker &&
			process_kit(rooms->all[i]) != rooms->kit)
			return rooms->all[i];
	return NULL;
}

/* Replace the next old worker; when there is none left, all is new. */
static void roll(struct rooms *rooms)
{
	if (rooms->newcomer || rooms->leaving)
		return;
	rooms->leaving = next_old(rooms);
	if (!rooms->leaving) {
		finish_reload(rooms, true, "");
		return;
	}
	/* There is room for twice the workers, and one newcomer at a time. */
	rooms->newcomer = add(rooms, ROOM_TRIAGE, free_instance(rooms));
	process_start(rooms->newcomer);
}

void rooms_reload(struct rooms *rooms, struct kit *kit, rooms_reloaded_fn *done, void *context)
{
	struct kit *old = rooms->kit;
	finish_reload(rooms, false, "replaced by a later reload");
	rooms->kit = kit_hold(kit);
	kit_free(&old);
	rooms->reloaded = done;
	rooms->reloaded_context = context;
	for (size_t i = 0; i < rooms->count; i++)
		if (process_room(rooms->all[i]) != ROOM_TRIAGE)
			process_reload(rooms->all[i], kit);
	/* One that is starting with what is old already is let go first. */
	if (rooms->newcomer) {
		struct process *newcomer = rooms->newcomer;
		rooms->newcomer = NULL;
		rooms->leaving = NULL;
		drop(rooms, newcomer);
	}
	roll(rooms);
}

bool rooms_check(struct rooms *rooms, struct kit *kit, rooms_checked_fn *done, void *context)
{
	struct process *process = rooms->checker ? NULL : add(rooms, ROOM_TRIAGE, CHECK_INSTANCE);
	if (!process)
		return false;
	buf_clear(&rooms->check_result);
	rooms->checker = process;
	rooms->checked = done;
	rooms->checked_context = context;
	process_use(process, kit);
	process_start_once(process, "check");
	return true;
}

/* Drain */

static bool stage_is_down(const struct rooms *rooms, room_mask stage)
{
	for (size_t i = 0; i < rooms->count; i++)
		if ((stage & ROOM_BIT(process_room(rooms->all[i]))) &&
			process_state(rooms->all[i]) != PROCESS_DOWN)
			return false;
	return true;
}

static void drain_stage(void *context)
{
	struct rooms *rooms = context;
	while (rooms->stage < ARRAY_LEN(stages)) {
		room_mask stage = stages[rooms->stage];
		for (size_t i = 0; i < rooms->count; i++)
			if (stage & ROOM_BIT(process_room(rooms->all[i])))
				process_drain(rooms->all[i], PATIENCE);
		if (!stage_is_down(rooms, stage))
			return;
		rooms->stage++;
	}
	timer_fn *drained = rooms->drained;
	rooms->drained = NULL;
	if (drained)
		drained(rooms->drained_context);
}

void rooms_drain(struct rooms *rooms, timer_fn *done, void *context)
{
	if (rooms->draining)
		return;
	rooms->draining = true;
	rooms->drained = done;
	rooms->drained_context = context;
	drain_stage(rooms);
}
