#include "config.h"

#include "supervisor/supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "supervisor/check.h"
#include "supervisor/folders.h"
#include "supervisor/member.h"
#include "supervisor/notify.h"
#include "supervisor/postgres.h"
#include "supervisor/rooms.h"
#include "supervisor/secrets.h"

struct supervisor {
	const struct supervisor_settings *settings;
	struct loop *loop;
	struct children *children;
	struct kit *kit;   /* the newest */
	struct kit *first; /* what cannot be changed while we run is as it says */
	struct database database;
	struct listeners *listeners;
	struct rooms *rooms;
	struct postgres *postgres;
	struct watchdog *watchdog;
	const char *migrate_argv[8];
	enum room_id ids[ROOMS]; /* of the rooms that there are */
	size_t id_count;
	int lock;
	int64_t started;
	const struct question *latest; /* the reload that was asked for last: only to be compared */
	bool ready;
	bool stopping;
};

/* A question of the desk that is answered later. The desk may have gone meanwhile. */
struct question {
	struct supervisor *supervisor;
	struct process *from;
	unsigned life; /* of the desk that asked: a later one numbers its questions anew */
	uint32_t ask;
};

static void answer(struct process *to, uint32_t ask, bool ok, struct str json)
{
	if (!process_control(to))
		return;
	control_answer_encode(ask, ok, json, channel_begin(process_control(to)));
	channel_end(process_control(to), CONTROL_ANSWER);
}

static void answer_text(struct process *to, uint32_t ask, bool ok, const char *text)
{
	struct buf json = {0};
	buf_text(&json, "{\"message\":");
	buf_json_string(&json, str_of(text));
	buf_text(&json, "}");
	answer(to, ask, ok, buf_view(&json));
	buf_free(&json);
}

static struct question *question_new(struct supervisor *supervisor, struct process *from, uint32_t ask)
{
	struct question *question = mem_alloc(sizeof(*question));
	*question = (struct question){supervisor, from, from ? process_restarts(from) : 0, ask};
	return question;
}

/* Who asked is still there to be answered. */
static bool question_stands(const struct question *question)
{
	return question->from && rooms_has(question->supervisor->rooms, question->from) &&
	       process_restarts(question->from) == question->life;
}

/* Reload */

/* With the rule files as a new worker loaded them, which says those that were refused too. */
static void answer_reloaded(const struct question *question)
{
	struct process *worker = rooms_running_one(question->supervisor->rooms, ROOM_TRIAGE);
	struct buf json = {0}, rules = {0};
	buf_text(&json, "{\"message\":\"reloaded\"");
	if (worker && member_of(process_hello(worker), "rules", &rules)) {
		buf_text(&json, ",\"rules\":");
		buf_str(&json, buf_view(&rules));
	}
	buf_char(&json, '}');
	answer(question->from, question->ask, true, buf_view(&json));
	buf_free(&rules);
	buf_free(&json);
}

static void on_reloaded(bool ok, const char *why, void *context)
{
	struct question *question = context;
	struct supervisor *supervisor = question->supervisor;
	if (ok)
		log_info("reloaded");
	else
		log_error("reload: %s", why);
	/* One that a later one has replaced says nothing of what the files say now. */
	if (question == supervisor->latest)
		rooms_refused(supervisor->rooms, ok ? "" : why);
	if (supervisor->ready)
		notify_ready();
	if (ok && question_stands(question))
		answer_reloaded(question);
	else if (question_stands(question))
		answer_text(question->from, question->ask, false, why);
	free(question);
}

static struct kit *read_kit(struct supervisor *supervisor, struct err *err)
{
	struct conf conf;
	struct buf first = {0};
	struct arena *arena = arena_new(16384);
	if (!check_read(supervisor->settings->conf_path, arena, &conf, &first)) {
		arena_free(&arena);
		err_set(err, ERR_MALFORMED, "nothing was changed: %s", buf_cstr(&first));
		buf_free(&first);
		return NULL;
	}
	buf_free(&first);
	if (supervisor->first)
		check_keep_fixed(kit_conf(supervisor->first), &conf);
	return kit_new(&conf, arena, &supervisor->database, err);
}

/* from NULL: asked by a signal. */
static void reload(struct supervisor *supervisor, struct process *from, uint32_t ask)
{
	struct err err = {0};
	notify_reloading();
	struct kit *kit = read_kit(supervisor, &err);
	struct question *question = question_new(supervisor, from, ask);
	supervisor->latest = question;
	if (!kit) {
		on_reloaded(false, err.text, question);
		return;
	}
	kit_free(&supervisor->kit);
	supervisor->kit = kit;
	log_set_level(kit_conf(kit)->log_level);
	rooms_reload(supervisor->rooms, kit, on_reloaded, question);
}

/* What the desk asks */

static void describe_refusal(const struct supervisor *supervisor, struct buf *json)
{
	char since[CLOCK_TEXT];
	int64_t at;
	struct str why = rooms_refusal(supervisor->rooms, &at);
	if (why.len == 0)
		return;
	buf_printf(json, ",\"refused\":{\"since\":\"%s\",\"why\":", clock_format(at, since));
	buf_json_string(json, why);
	buf_text(json, "}");
}

static void describe(const struct supervisor *supervisor, struct buf *json)
{
	const struct conf *conf = kit_conf(supervisor->first);
	char started[CLOCK_TEXT];
	buf_printf(json, "{\"version\":\"%s\",\"started\":\"%s\",\"node\":", supervisor->settings->version,
		clock_format(supervisor->started, started));
	buf_json_string(json, conf->node.len > 0 ? conf->node : conf->hostname);
	buf_text(json, ",\"rooms\":");
	rooms_describe(supervisor->rooms, json);
	buf_text(json, ",\"database\":");
	postgres_describe(supervisor->postgres, json);
	describe_refusal(supervisor, json);
	buf_text(json, "}");
}

static void on_checked(struct str hello, void *context)
{
	struct question *question = context;
	struct buf json = {0};
	if (!question_stands(question))
		log_info("the desk that asked for a check has gone");
	else if (hello.len == 0)
		answer_text(question->from, question->ask, false,
			"the check ended before its result; the log says why");
	else if (member_of(hello, "check", &json))
		answer(question->from, question->ask, true, buf_view(&json));
	else
		answer_text(question->from, question->ask, false, "the check has no result");
	buf_free(&json);
	free(question);
}

static void check_rules(struct supervisor *supervisor, struct process *from, uint32_t ask)
{
	struct err err = {0};
	struct kit *kit = read_kit(supervisor, &err);
	if (!kit) {
		answer_text(from, ask, false, err.text);
		return;
	}
	struct question *question = question_new(supervisor, from, ask);
	if (!rooms_check(supervisor->rooms, kit, on_checked, question)) {
		answer_text(from, ask, false, "another check is under way: try again when it is done");
		free(question);
	}
	kit_free(&kit);
}

/* The page that a worker made in its hello: all of them have loaded the same, but while a reload goes through
 * them. */
static void answer_member(
	struct supervisor *supervisor, struct process *from, uint32_t ask, const char *member)
{
	struct process *worker = rooms_running_one(supervisor->rooms, ROOM_TRIAGE);
	struct buf json = {0};
	if (!worker)
		answer_text(from, ask, false, "no worker is running");
	else if (member_of(process_hello(worker), member, &json))
		answer(from, ask, true, buf_view(&json));
	else
		answer_text(from, ask, false, "the worker said nothing of it");
	buf_free(&json);
}

static void on_ask(struct process *process, uint32_t ask, struct str method, struct str json, void *context)
{
	struct supervisor *supervisor = context;
	struct buf text = {0};
	(void)json;
	if (process_room(process) != ROOM_DESK) {
		answer_text(process, ask, false, "only the desk may ask");
	} else if (str_equal(method, STR("status"))) {
		describe(supervisor, &text);
		answer(process, ask, true, buf_view(&text));
	} else if (str_equal(method, STR("rules.list"))) {
		answer_member(supervisor, process, ask, "rules");
	} else if (str_equal(method, STR("plugin.list"))) {
		answer_member(supervisor, process, ask, "plugins");
	} else if (str_equal(method, STR("rules.reload")) || str_equal(method, STR("reload"))) {
		reload(supervisor, process, ask);
	} else if (str_equal(method, STR("rules.check"))) {
		check_rules(supervisor, process, ask);
	} else {
		answer_text(process, ask, false, "the supervisor does not know that question");
	}
	buf_free(&text);
}

/* Signals */

static void on_postgres_down(void *context)
{
	struct supervisor *supervisor = context;
	log_info("ended");
	loop_stop(supervisor->loop);
}

static void on_drained(void *context)
{
	struct supervisor *supervisor = context;
	postgres_stop(supervisor->postgres, on_postgres_down, supervisor);
}

static void on_terminate(int signal, void *context)
{
	struct supervisor *supervisor = context;
	if (supervisor->stopping)
		return;
	log_info("ending by signal %d: doors close, what is held is handed on", signal);
	supervisor->stopping = true;
	notify_stopping();
	rooms_drain(supervisor->rooms, on_drained, supervisor);
}

static void on_hangup(int signal, void *context)
{
	struct supervisor *supervisor = context;
	(void)signal;
	if (!supervisor->stopping)
		reload(supervisor, NULL, 0);
}

static void on_all_running(void *context)
{
	struct supervisor *supervisor = context;
	if (supervisor->ready)
		return;
	supervisor->ready = true;
	log_info("all rooms are running");
	notify_ready();
	notify_status("running");
}

/* Start and end */

/* Each room and each edge costs descriptors here, and each connection one in its room. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void say_how_migrate_is_called(struct supervisor *supervisor)
{
	const char *argv[] = {"cirtd", "-c", supervisor->settings->conf_path, "-S",
		supervisor->settings->sql_folder, "migrate", NULL};
	memcpy(supervisor->migrate_argv, argv, sizeof(argv));
}

/* A room that the configuration does without is not there at all. */
static void choose_rooms(struct supervisor *supervisor, const struct conf *conf)
{
	for (size_t i = 0; i < supervisor->settings->room_count; i++)
		if (supervisor->settings->rooms[i] != ROOM_KEYS || conf->keys_enabled)
			supervisor->ids[supervisor->id_count++] = supervisor->settings->rooms[i];
}

static bool prepare(struct supervisor *supervisor, const struct conf *conf, struct err *err)
{
	return folders_users_exist(conf, supervisor->ids, supervisor->id_count, err) &&
	       folders_make(conf, err) && folders_lock(conf, &supervisor->lock, err) &&
	       secrets_make(conf, err) && database_open(conf, &supervisor->database, err);
}

static bool start(struct supervisor *supervisor, struct err *err)
{
	const struct conf *conf = kit_conf(supervisor->first);
	supervisor->listeners = listeners_open(conf, err);
	if (!supervisor->listeners)
		return false;
	struct rooms_plan plan = {.loop = supervisor->loop,
		.children = supervisor->children,
		.listeners = supervisor->listeners,
		.ids = supervisor->ids,
		.id_count = supervisor->id_count,
		.all_running = on_all_running,
		.ask = on_ask,
		.context = supervisor};
	supervisor->rooms = rooms_new(&plan, supervisor->kit);
	supervisor->postgres = postgres_new(supervisor->loop, supervisor->children, conf,
		&supervisor->database, supervisor->migrate_argv);
	loop_signal(supervisor->loop, SIGTERM, on_terminate, supervisor);
	loop_signal(supervisor->loop, SIGINT, on_terminate, supervisor);
	loop_signal(supervisor->loop, SIGHUP, on_hangup, supervisor);
	rooms_start(supervisor->rooms);
	postgres_start(supervisor->postgres);
	if (supervisor->settings->room_count == 0)
		on_all_running(supervisor);
	return true;
}

static void close_all(struct supervisor *supervisor)
{
	rooms_free(&supervisor->rooms);
	postgres_free(&supervisor->postgres);
	watchdog_free(&supervisor->watchdog);
	listeners_close(&supervisor->listeners);
	kit_free(&supervisor->kit);
	kit_free(&supervisor->first);
	database_close(&supervisor->database);
	children_free(&supervisor->children);
	loop_free(&supervisor->loop);
	fd_close(&supervisor->lock);
}

/* Everything up to the loop. arena is taken. */
static bool set_up(
	struct supervisor *supervisor, const struct conf *conf, struct arena *arena, struct err *err)
{
	choose_rooms(supervisor, conf);
	if (!prepare(supervisor, conf, err)) {
		arena_free(&arena);
		return false;
	}
	supervisor->loop = loop_new();
	supervisor->children = children_new(supervisor->loop);
	supervisor->watchdog = watchdog_new(supervisor->loop);
	supervisor->first = kit_new(conf, arena, &supervisor->database, err);
	if (!supervisor->first)
		return false;
	supervisor->kit = kit_hold(supervisor->first);
	return start(supervisor, err);
}

int supervisor_run(const struct supervisor_settings *settings)
{
	struct supervisor supervisor = {.settings = settings, .lock = -1, .started = clock_now()};
	struct arena *arena = arena_new(16384);
	struct conf conf;
	struct err err = {0};
	log_open("supervisor");
	if (!check_read(settings->conf_path, arena, &conf, NULL)) {
		arena_free(&arena);
		return 2;
	}
	log_set_level(conf.log_level);
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	raise_descriptor_limit();
	say_how_migrate_is_called(&supervisor);
	bool ok = set_up(&supervisor, &conf, arena, &err);
	if (ok)
		loop_run(supervisor.loop);
	else
		log_error("not started: %s", err.text);
	close_all(&supervisor);
	return ok ? 0 : 1;
}
