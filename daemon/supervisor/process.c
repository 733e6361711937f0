#include "config.h"

#include "supervisor/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "supervisor/counters.h"

#define PING_EVERY   (5 * CLOCK_SECOND)
#define PONG_LIMIT   (30 * CLOCK_SECOND)
#define HELLO_LIMIT  (180 * CLOCK_SECOND) /* large rule sets are compiled before it */
#define WAIT_FIRST   (CLOCK_SECOND / 5)
#define WAIT_LONGEST (5 * CLOCK_SECOND)
#define DEATHS       3
#define DEATHS_IN    (10 * CLOCK_SECOND)

struct process {
	struct loop *loop;
	struct children *children;
	enum room_id room;
	unsigned instance;
	struct kit *kit;
	const struct process_calls *calls;
	void *context;

	enum process_state state;
	pid_t pid;
	struct channel *control;
	struct buf hello;
	struct counters *counters;
	struct timer *timer; /* ping, back-off, patience: one at a time */
	int64_t started;
	int64_t answered;       /* last pong, or the hello */
	int64_t deaths[DEATHS]; /* the latest, oldest first */
	int64_t wait;           /* back-off; 0: none */
	unsigned restarts;
	uint32_t handout; /* generation of its hand-out edge */
	char extra_grant[32];
	bool once;
	bool by_us;
	bool watchdog;
};

static void on_timer(void *context);
static void launch(struct process *process);

struct process *process_new(struct loop *loop, struct children *children, enum room_id room,
	unsigned instance, struct kit *kit, const struct process_calls *calls, void *context)
{
	struct process *process = mem_alloc(sizeof(*process));
	process->loop = loop;
	process->children = children;
	process->room = room;
	process->instance = instance;
	process->kit = kit_hold(kit);
	process->calls = calls;
	process->context = context;
	process->counters = counters_new();
	process->timer = timer_new(loop, on_timer, process);
	return process;
}

void process_free(struct process **process)
{
	struct process *old = *process;
	*process = NULL;
	if (!old)
		return;
	if (old->pid > 0) {
		children_forget(old->children, old->pid);
		kill(old->pid, SIGKILL);
	}
	channel_free(&old->control);
	timer_free(&old->timer);
	counters_free(&old->counters);
	kit_free(&old->kit);
	buf_free(&old->hello);
	free(old);
}

static void log_name(const struct process *process, char *text, size_t size)
{
	if (process->room == ROOM_TRIAGE)
		snprintf(text, size, "%s %u", room_name(process->room), process->instance);
	else
		snprintf(text, size, "%s", room_name(process->room));
}

/* What it says */

static void on_hello(struct process *process, struct str json)
{
	buf_clear(&process->hello);
	buf_str(&process->hello, json);
	process->answered = clock_monotonic();
	if (process->state == PROCESS_STARTING)
		process->state = PROCESS_RUNNING;
	timer_set(process->timer, PING_EVERY);
	process->calls->hello(process, process->context);
}

static void on_ask(struct process *process, struct str body)
{
	uint32_t ask;
	struct str method, json;
	if (control_ask_decode(body, &ask, &method, &json))
		process->calls->ask(process, ask, method, json, process->context);
	else
		channel_break(process->control, "a question that cannot be read");
}

static void on_control(struct channel *channel, struct frame *frame, void *context)
{
	struct process *process = context;
	switch (frame->type) {
	case CONTROL_HELLO:
		on_hello(process, frame->body);
		break;
	case CONTROL_PONG:
		process->answered = clock_monotonic();
		break;
	case CONTROL_COUNTERS:
		if (!counters_take(process->counters, frame->body))
			channel_break(channel, "counters that cannot be read");
		break;
	case CONTROL_DRAINED:
		break;
	case CONTROL_ASK:
		on_ask(process, frame->body);
		break;
	default:
		channel_break(channel, "a frame that no room sends");
	}
}

/* Its end is told by SIGCHLD; one that only lost its socket ends by itself, or here. */
static void on_control_closed(struct channel *channel, const char *why, void *context)
{
	struct process *process = context;
	(void)channel;
	(void)why;
	channel_free(&process->control);
	if (process->pid > 0 && process->state == PROCESS_RUNNING) {
		process->answered = clock_monotonic() - PONG_LIMIT + CLOCK_SECOND;
		timer_set(process->timer, 2 * CLOCK_SECOND);
	}
}

/* How it ends */

static bool dies_often(struct process *process, int64_t now)
{
	memmove(&process->deaths[0], &process->deaths[1], (DEATHS - 1) * sizeof(process->deaths[0]));
	process->deaths[DEATHS - 1] = now;
	return process->deaths[0] != 0 && now - process->deaths[0] < DEATHS_IN;
}

static void log_end(const struct process *process, int status, bool failed)
{
	char name[64], how[64];
	log_name(process, name, sizeof(name));
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "ended by signal %d (%s)", WTERMSIG(status),
			sigabbrev_np(WTERMSIG(status)));
	else
		snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(status));
	if (process->state == PROCESS_DRAINING && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		log_info_f(LOG_F({"of", name}), "drained");
	else
		log_warn_f(LOG_F({"of", name}), "%s%s", how, failed ? " before its hello" : "");
}

/* When to start it again. */
static int64_t back_off(struct process *process, bool failed)
{
	int64_t now = clock_monotonic();
	bool often = dies_often(process, now);
	if (!failed && !often)
		process->wait = 0;
	else if (process->wait == 0)
		process->wait = WAIT_FIRST;
	else
		process->wait = process->wait * 2 > WAIT_LONGEST ? WAIT_LONGEST : process->wait * 2;
	return process->wait;
}

static void on_ended(pid_t pid, int status, void *context)
{
	struct process *process = context;
	bool failed = process->state == PROCESS_STARTING;
	bool again = !process->once && process->state != PROCESS_DRAINING;
	struct control_death death = {.instance = (uint16_t)process->instance,
		.generation = process->handout,
		.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
		.by_us = process->by_us,
		.watchdog = process->watchdog};
	(void)pid;
	log_end(process, status, failed);
	process->pid = 0;
	channel_free(&process->control);
	counters_forget(process->counters);
	buf_clear(&process->hello);
	timer_stop(process->timer);
	process->state = again ? PROCESS_WAITING : PROCESS_DOWN;
	if (again) {
		process->restarts++;
		timer_set(process->timer, back_off(process, failed));
	}
	process->calls->down(process, &death, failed, process->context);
}

/* SIGABRT first, so that it leaves a trace; SIGKILL for one that holds even that back. */
static void end_by_watchdog(struct process *process, const char *why)
{
	char name[64];
	log_name(process, name, sizeof(name));
	log_error_f(LOG_F({"of", name}), "%s: ended by the watchdog", why);
	kill(process->pid, process->watchdog ? SIGKILL : SIGABRT);
	process->watchdog = true;
	timer_set(process->timer, PING_EVERY);
}

/* A worker is busy with one item for as long as the configuration allows, and answers after it. */
static int64_t pong_limit(const struct process *process)
{
	int64_t wall = (int64_t)kit_conf(process->kit)->triage_wall;
	return process->room == ROOM_TRIAGE && wall + PING_EVERY > PONG_LIMIT ? wall + PING_EVERY
	                                                                      : PONG_LIMIT;
}

static void watch(struct process *process)
{
	int64_t now = clock_monotonic();
	if (process->state == PROCESS_STARTING && now - process->started > HELLO_LIMIT) {
		end_by_watchdog(process, "no hello");
	} else if (process->state == PROCESS_RUNNING && now - process->answered > pong_limit(process)) {
		end_by_watchdog(process, "no answer");
	} else {
		if (process->state == PROCESS_RUNNING && process->control)
			channel_send(process->control, CONTROL_PING, STR_NONE);
		timer_set(process->timer, PING_EVERY);
	}
}

static void on_timer(void *context)
{
	struct process *process = context;
	if (process->state == PROCESS_WAITING) {
		launch(process);
	} else if (process->state == PROCESS_DRAINING) {
		char name[64];
		log_name(process, name, sizeof(name));
		log_warn_f(LOG_F({"of", name}), "not drained in time: killed");
		process->by_us = true;
		kill(process->pid, SIGKILL);
	} else if (process->pid > 0) {
		watch(process);
	}
}

/* How it starts */

static bool start_child(struct process *process, int socket, struct err *err)
{
	char instance[16];
	snprintf(instance, sizeof(instance), "%u", process->instance);
	const char *argv[] = {"cirtd", "--room", room_name(process->room), instance, NULL};
	struct child child = {.program = "/proc/self/exe", .argv = argv, .third = socket, .output = -1};
	return children_start(process->children, &child, on_ended, process, &process->pid, err);
}

/* Everything that it is to have before CONTROL_GO. */
static bool equip(struct process *process, struct err *err)
{
	int empty;
	if (!kit_send(process->kit, process->room, process->control, NULL, err))
		return false;
	if (process->extra_grant[0] && fd_memory(process->extra_grant, STR_NONE, &empty, err))
		channel_send_fds(process->control, CONTROL_GRANT, str_of(process->extra_grant), &empty, 1);
	process->calls->starting(process, process->context);
	channel_send(process->control, CONTROL_GO, STR_NONE);
	return true;
}

static void launch(struct process *process)
{
	struct err err = {0};
	int ends[2];
	process->by_us = process->watchdog = false;
	process->handout = 0;
	process->started = process->answered = clock_monotonic();
	bool ok = fd_pair(ends, &err);
	if (ok && !start_child(process, ends[1], &err)) {
		fd_close(&ends[0]);
		ok = false;
	}
	if (ok) {
		fd_close(&ends[1]);
		process->state = PROCESS_STARTING;
		process->control = channel_new(
			process->loop, ends[0], CONTROL_VERSION, on_control, on_control_closed, process);
		timer_set(process->timer, PING_EVERY);
		ok = equip(process, &err);
	}
	if (!ok) {
		log_error("%s: %s", room_name(process->room), err.text);
		if (process->pid > 0)
			kill(process->pid, SIGKILL);
		else if (!process->once) {
			process->state = PROCESS_WAITING;
			timer_set(process->timer, back_off(process, true));
		}
	}
}

void process_start(struct process *process)
{
	launch(process);
}

void process_start_once(struct process *process, const char *extra_grant)
{
	process->once = true;
	snprintf(process->extra_grant, sizeof(process->extra_grant), "%s", extra_grant);
	launch(process);
}

void process_use(struct process *process, struct kit *kit)
{
	struct kit *old = process->kit;
	process->kit = kit_hold(kit);
	kit_free(&old);
}

void process_reload(struct process *process, struct kit *kit)
{
	struct err err = {0};
	struct kit *old = process->kit;
	process->kit = kit_hold(kit);
	if (process->control && !kit_send(kit, process->room, process->control, old, &err))
		log_error("%s: %s", room_name(process->room), err.text);
	else if (process->control)
		channel_send(process->control, CONTROL_RELOAD, STR_NONE);
	kit_free(&old);
}

void process_drain(struct process *process, int64_t patience)
{
	if (process->state == PROCESS_DRAINING || process->state == PROCESS_DOWN)
		return;
	if (process->pid == 0) {
		process->state = PROCESS_DOWN;
		timer_stop(process->timer);
		return;
	}
	process->state = PROCESS_DRAINING;
	if (process->control)
		channel_send(process->control, CONTROL_DRAIN, STR_NONE);
	timer_set(process->timer, patience);
}

enum room_id process_room(const struct process *process)
{
	return process->room;
}

const struct kit *process_kit(const struct process *process)
{
	return process->kit;
}

unsigned process_instance(const struct process *process)
{
	return process->instance;
}

enum process_state process_state(const struct process *process)
{
	return process->state;
}

bool process_is_up(const struct process *process)
{
	return process->pid > 0 && process->control;
}

struct channel *process_control(struct process *process)
{
	return process->control;
}

struct str process_hello(const struct process *process)
{
	return buf_view(&process->hello);
}

void process_note_handout(struct process *process, uint32_t generation)
{
	process->handout = generation;
}

unsigned process_restarts(const struct process *process)
{
	return process->restarts;
}

void process_count_restart(struct process *process, unsigned restarts)
{
	process->restarts = restarts;
}

/* The member "enforced" of the hello: it opens the object, and our own code wrote it. */
static struct str enforced(const struct process *process)
{
	static const char start[] = "{\"enforced\":";
	struct str hello = buf_view(&process->hello);
	if (!str_starts(hello, STR("{\"enforced\":{")))
		return STR("{}");
	struct str rest = {hello.p + sizeof(start) - 1, hello.len - (sizeof(start) - 1)};
	const char *end = memchr(rest.p, '}', rest.len);
	return end ? (struct str){rest.p, (size_t)(end - rest.p) + 1} : STR("{}");
}

void process_describe(const struct process *process, struct buf *json)
{
	static const char *const names[] = {[PROCESS_DOWN] = "down",
		[PROCESS_STARTING] = "starting",
		[PROCESS_RUNNING] = "running",
		[PROCESS_DRAINING] = "draining",
		[PROCESS_WAITING] = "waiting"};
	int64_t up = process->pid > 0 ? (clock_monotonic() - process->started) / CLOCK_SECOND : 0;
	buf_printf(json,
		"{\"name\":\"%s\",\"instance\":%u,\"pid\":%ld,\"state\":\"%s\",\"restarts\":%u,\"uptime\":%"
		"lld,\"enforced\":",
		room_name(process->room), process->instance, (long)process->pid, names[process->state],
		process->restarts, (long long)up);
	buf_str(json, enforced(process));
	buf_text(json, ",");
	counters_describe(process->counters, json);
	buf_text(json, "}");
}
