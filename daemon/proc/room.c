#include "config.h"

#include "proc/room.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pack.h"
#include "ipc/edge_control.h"
#include "proc/grants.h"

/* Edges and listeners that came before the room was ready for them. */
struct early {
	struct early *next;
	bool is_edge;
	struct control_edge edge;
	char *name;
	char *address;
	int fd;
};

struct room {
	const struct room_spec *spec;
	unsigned instance;
	pid_t parent;
	void *state;
	struct loop *loop;
	struct channel *control;
	struct timer *second;
	struct arena *arena; /* of conf */
	struct conf conf;
	struct arena *next_arena; /* of a slice that waits for CONTROL_RELOAD */
	struct conf next_conf;
	struct grants *grants;
	struct early *early;
	struct buf enforced;
	struct buf counters;
	uint32_t counter_count;
	bool draining;
	bool drained;
	int status;
};

static void room_free(struct room *room)
{
	if (room->spec->stop)
		room->spec->stop(room);
	while (room->early) {
		struct early *next = room->early->next;
		fd_close(&room->early->fd);
		free(room->early->name);
		free(room->early->address);
		free(room->early);
		room->early = next;
	}
	timer_free(&room->second);
	channel_free(&room->control);
	loop_free(&room->loop);
	grants_free(&room->grants);
	arena_free(&room->arena);
	arena_free(&room->next_arena);
	buf_free(&room->enforced);
	buf_free(&room->counters);
	free(room);
}

/* Take the one descriptor of a frame; -1 if it has none. */
static int take_fd(struct frame *frame)
{
	if (frame->fd_count == 0)
		return -1;
	int fd = frame->fds[0];
	frame->fds[0] = -1;
	return fd;
}

static bool take_slice(struct room *room, struct str body, struct err *err)
{
	arena_free(&room->next_arena);
	room->next_arena = arena_new(8192);
	return conf_slice_decode(body, room->next_arena, &room->next_conf, err);
}

static void use_slice(struct room *room)
{
	if (!room->next_arena)
		return;
	room->arena = room->next_arena;
	room->conf = room->next_conf;
	room->next_arena = NULL;
	log_set_level(room->conf.log_level);
}

static void hold_early(struct room *room, struct early early)
{
	struct early **at = &room->early;
	while (*at)
		at = &(*at)->next;
	*at = mem_dup(&early, sizeof(early));
}

static void give_edge(struct room *room, const struct control_edge *edge, int fd)
{
	if (room->spec->edge)
		room->spec->edge(room, edge->kind, edge->peer, edge->instance, edge->generation, fd);
	else
		fd_close(&fd);
}

static void give_listener(struct room *room, const char *name, const char *address, int fd)
{
	if (room->spec->listener)
		room->spec->listener(room, name, address, fd);
	else
		fd_close(&fd);
}

static bool take_edge(struct room *room, struct frame *frame, bool started, struct err *err)
{
	struct control_edge edge;
	if (frame->fd_count != 1 || !control_edge_decode(frame->body, &edge))
		return err_set(err, ERR_BUG, "CONTROL_EDGE from the supervisor cannot be read");
	if (started)
		give_edge(room, &edge, take_fd(frame));
	else
		hold_early(room, (struct early){.is_edge = true, .edge = edge, .fd = take_fd(frame)});
	return true;
}

static bool take_listener(struct room *room, struct frame *frame, bool started, struct err *err)
{
	struct str name, address;
	if (frame->fd_count != 1 || !control_listener_decode(frame->body, &name, &address))
		return err_set(err, ERR_BUG, "CONTROL_LISTENER from the supervisor cannot be read");
	struct early early = {.name = mem_strndup(name.p, name.len),
		.address = mem_strndup(address.p, address.len),
		.fd = take_fd(frame)};
	if (!started) {
		hold_early(room, early);
		return true;
	}
	give_listener(room, early.name, early.address, early.fd);
	free(early.name);
	free(early.address);
	return true;
}

/* What may come before CONTROL_GO and after it alike. */
static bool take_gift(struct room *room, struct frame *frame, bool started, struct err *err)
{
	switch (frame->type) {
	case CONTROL_SLICE:
		return take_slice(room, frame->body, err);
	case CONTROL_GRANT:
		return grants_put(room->grants, frame->body, take_fd(frame), err);
	case CONTROL_LISTENER:
		return take_listener(room, frame, started, err);
	case CONTROL_EDGE:
		return take_edge(room, frame, started, err);
	default:
		return err_set(err, ERR_BUG, "unexpected frame %u from the supervisor", frame->type);
	}
}

/* Slice, grants, listeners and edges, until the supervisor says go. */
static bool receive_start(struct room *room, struct err *err)
{
	struct buf space = {0};
	bool ok = true;
	bool go = false;
	while (ok && !go) {
		struct frame frame = {0};
		ok = frame_receive(CONTROL_FD, CONTROL_VERSION, &space, &frame, err);
		go = ok && frame.type == CONTROL_GO;
		if (ok && !go && frame.type != CONTROL_PING)
			ok = take_gift(room, &frame, false, err);
		for (size_t i = 0; i < frame.fd_count; i++)
			fd_close(&frame.fds[i]);
	}
	buf_free(&space);
	if (ok && !room->next_arena)
		ok = err_set(err, ERR_BUG, "no slice of the configuration came from the supervisor");
	if (ok)
		use_slice(room);
	return ok;
}

static bool become_user(struct room *room, struct err *err)
{
	struct str prefix = room->conf.user;
	char *user = mem_printf(STR_FMT "%s", STR_ARG(prefix), room_name(room->spec->id));
	bool ok = user_become(user, err);
	free(user);
	return ok;
}

/* After the change of user, which undoes it. A parent that went before that is seen by its process number. */
static bool die_with_parent(const struct room *room, struct err *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_errno(err, "asking to die with the supervisor");
	if (getppid() != room->parent)
		return err_set(err, ERR_NOTFOUND, "the supervisor has gone");
	return true;
}

static bool enter_sandbox(struct room *room, struct err *err)
{
	struct sandbox plan = {0};
	if (room->spec->plan)
		room->spec->plan(room, &plan);
	return sandbox_enter(&plan, room->conf.sandbox_relaxed, &room->enforced, err);
}

static bool step(bool (*call)(struct room *room, struct err *err), struct room *room, struct err *err)
{
	return !call || call(room, err);
}

static void say_hello(struct room *room)
{
	struct buf *json = channel_begin(room->control);
	buf_text(json, "{\"enforced\":");
	buf_str(json, buf_view(&room->enforced));
	if (room->spec->hello)
		room->spec->hello(room, json);
	buf_text(json, "}");
	channel_end(room->control, CONTROL_HELLO);
}

static void on_reload(struct room *room)
{
	struct conf old = room->conf;
	struct arena *old_arena = room->arena;
	bool new_slice = room->next_arena != NULL;
	use_slice(room);
	if (room->spec->reload)
		room->spec->reload(room, &old);
	if (new_slice)
		arena_free(&old_arena);
	grants_retire(room->grants);
}

static void on_drain(struct room *room)
{
	if (room->draining)
		return;
	room->draining = true;
	if (room->spec->drain)
		room->spec->drain(room);
	else
		room_drained(room);
}

static void on_death(struct room *room, struct str body, struct err *err)
{
	struct control_death death;
	if (!control_death_decode(body, &death))
		err_set(err, ERR_BUG, "CONTROL_DEATH from the supervisor cannot be read");
	else if (room->spec->death)
		room->spec->death(room, &death);
}

static void on_answer(struct room *room, struct str body, struct err *err)
{
	uint32_t ask;
	bool ok;
	struct str json;
	if (!control_answer_decode(body, &ask, &ok, &json))
		err_set(err, ERR_BUG, "CONTROL_ANSWER from the supervisor cannot be read");
	else if (room->spec->answer)
		room->spec->answer(room, ask, ok, json);
}

void room_alive(struct room *room)
{
	channel_send(room->control, CONTROL_PONG, STR_NONE);
	channel_flush(room->control);
}

static void on_control(struct channel *channel, struct frame *frame, void *context)
{
	struct room *room = context;
	struct err err = {0};
	switch (frame->type) {
	case CONTROL_PING:
		channel_send(channel, CONTROL_PONG, STR_NONE);
		break;
	case CONTROL_RELOAD:
		on_reload(room);
		break;
	case CONTROL_DRAIN:
		on_drain(room);
		break;
	case CONTROL_DEATH:
		on_death(room, frame->body, &err);
		break;
	case CONTROL_ANSWER:
		on_answer(room, frame->body, &err);
		break;
	case CONTROL_REFUSED:
		if (room->spec->refused)
			room->spec->refused(room, frame->body);
		break;
	default:
		take_gift(room, frame, true, &err);
	}
	if (err.code != ERR_NONE)
		room_fail(room, &err);
}

static void on_control_closed(struct channel *channel, const char *why, void *context)
{
	struct room *room = context;
	(void)channel;
	log_info("the supervisor closed the control socket (%s): ending", why);
	loop_stop(room->loop);
}

static void count_common(struct room *room)
{
	struct rusage use;
	room_counter(room, "log_errors", log_count(LOG_LEVEL_ERROR));
	room_counter(room, "log_warnings", log_count(LOG_LEVEL_WARN));
	room_counter(room, "sandbox_refused", sandbox_refused());
	if (getrusage(RUSAGE_SELF, &use) == 0)
		room_counter(room, "cpu_ms",
			(uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000 +
				(uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1000);
}

static void on_second(void *context)
{
	struct room *room = context;
	buf_clear(&room->counters);
	room->counter_count = 0;
	count_common(room);
	if (room->spec->count)
		room->spec->count(room);
	struct buf *body = channel_begin(room->control);
	pack_u32(body, room->counter_count);
	buf_str(body, buf_view(&room->counters));
	channel_end(room->control, CONTROL_COUNTERS);
	timer_set(room->second, CLOCK_SECOND);
}

static void give_early(struct room *room)
{
	while (room->early) {
		struct early early = *room->early;
		free(room->early);
		room->early = early.next;
		if (early.is_edge)
			give_edge(room, &early.edge, early.fd);
		else
			give_listener(room, early.name, early.address, early.fd);
		free(early.name);
		free(early.address);
	}
}

/* The fixed order of every room's start. */
static bool start(struct room *room, struct err *err)
{
	const struct room_spec *spec = room->spec;
	if (!receive_start(room, err) || !step(spec->open, room, err) || !become_user(room, err) ||
		!die_with_parent(room, err) || !step(spec->load, room, err) || !enter_sandbox(room, err) ||
		!step(spec->prove, room, err))
		return false;
	room->control =
		channel_new(room->loop, CONTROL_FD, CONTROL_VERSION, on_control, on_control_closed, room);
	room->second = timer_new(room->loop, on_second, room);
	if (!step(spec->start, room, err))
		return false;
	say_hello(room);
	give_early(room);
	timer_set(room->second, CLOCK_SECOND);
	return true;
}

int room_main(const struct room_spec *spec, unsigned instance)
{
	struct err err = {0};
	struct room *room = mem_alloc(sizeof(*room));
	char *name = spec->id == ROOM_TRIAGE ? mem_printf("%s %u", room_name(spec->id), instance)
	                                     : mem_strdup(room_name(spec->id));
	log_open(name);
	free(name);
	/* Ends of edges go at any moment; a terminal's interrupt is the supervisor's to act on. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	room->spec = spec;
	room->instance = instance;
	room->parent = getppid();
	room->grants = grants_new();
	room->loop = loop_new();
	if (start(room, &err)) {
		loop_run(room->loop);
	} else {
		log_error("not started: %s", err.text);
		room->status = 1;
	}
	int status = room->status;
	room_free(room);
	return status;
}

struct loop *room_loop(struct room *room)
{
	return room->loop;
}

const struct conf *room_conf(const struct room *room)
{
	return &room->conf;
}

unsigned room_instance(const struct room *room)
{
	return room->instance;
}

void *room_state(const struct room *room)
{
	return room->state;
}

void room_set_state(struct room *room, void *state)
{
	room->state = state;
}

struct str room_grant(const struct room *room, const char *name)
{
	return grants_bytes(room->grants, name);
}

int room_grant_fd(const struct room *room, const char *name)
{
	return grants_fd(room->grants, name);
}

bool room_grant_next(const struct room *room, size_t *cursor, const char **name)
{
	return grants_next(room->grants, cursor, name);
}

void room_counter(struct room *room, const char *name, uint64_t value)
{
	pack_str(&room->counters, str_of(name));
	pack_u64(&room->counters, value);
	room->counter_count++;
}

void room_drained(struct room *room)
{
	if (room->drained)
		return;
	room->drained = true;
	on_second(room);
	channel_send(room->control, CONTROL_DRAINED, STR_NONE);
	channel_flush(room->control);
	loop_stop(room->loop);
}

void room_fail(struct room *room, const struct err *err)
{
	(void)room;
	log_error("ending: %s", err->text);
	_exit(1);
}

void room_ask(struct room *room, uint32_t ask, const char *method, struct str json)
{
	control_ask_encode(ask, str_of(method), json, channel_begin(room->control));
	channel_end(room->control, CONTROL_ASK);
}

struct str room_enforced(const struct room *room)
{
	return buf_view(&room->enforced);
}
