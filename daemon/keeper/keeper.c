#include "keeper/keeper.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/rules_bundle.h"
#include "keeper/state.h"
#include "model/house.h"

/* Another node may hold the lock: ask again so often. */
#define LOCK_AGAIN (2 * CLOCK_SECOND)
#define FAIL_AGAIN (5 * CLOCK_SECOND)
/* An anchor at the end is worth this much waiting. */
#define DRAIN_WAIT (3 * CLOCK_SECOND)

/* ---- one thing after another ---- */

static void step(struct keeper *keeper);

static void lock_answer(struct pg *pg, const struct pg_result *result, void *context)
{
	struct keeper *keeper = context;

	(void)pg;
	keeper->busy = false;
	keeper->locked = result->outcome == PG_DONE && str_equal(pg_value(result, 0, 0), STR("t"));
	if (keeper->locked) {
		log_info("this node keeps");
		step(keeper);
	} else {
		timer_set(keeper->timer, LOCK_AGAIN);
	}
}

/* Session-wide: it goes with the connection, so that no lost keeper holds it. */
static void take_lock(struct keeper *keeper)
{
	keeper->busy = true;
	pg_query(keeper->pg, "SELECT pg_try_advisory_lock(hashtextextended('cirt keeper', 0))", NULL, 0,
		false, lock_answer, keeper);
}

static bool is_possible(const struct keeper *keeper, enum duty duty)
{
	return duty != DUTY_ANCHOR || keeper->anchorer;
}

/* What has been due for longest; else how long until something is. */
static enum duty next_duty(const struct keeper *keeper, int64_t *wait)
{
	int64_t now = clock_monotonic();
	int64_t soonest = now + FAIL_AGAIN;
	enum duty next = DUTIES;

	for (enum duty duty = 0; duty < DUTIES; duty++) {
		if (!is_possible(keeper, duty) || keeper->due[duty] >= soonest)
			continue;
		soonest = keeper->due[duty];
		next = duty;
	}
	*wait = soonest - now;
	return soonest <= now ? next : DUTIES;
}

static void step(struct keeper *keeper)
{
	int64_t wait;
	enum duty duty;

	if (keeper->busy || !pg_is_up(keeper->pg))
		return;
	if (!keeper->locked) {
		take_lock(keeper);
		return;
	}
	duty = keeper->draining ? DUTY_ANCHOR : next_duty(keeper, &wait);
	if (duty == DUTIES) {
		timer_set(keeper->timer, wait);
		return;
	}
	keeper->busy = true;
	keeper->running = duty;
	duty_ask(keeper, duty);
}

static void on_timer(void *context)
{
	step(context);
}

void keeper_done(struct keeper *keeper, int64_t again)
{
	keeper->due[keeper->running] = clock_monotonic() + again;
	keeper->busy = false;
	if (keeper->draining && keeper->running == DUTY_ANCHOR)
		room_drained(keeper->room);
	else if (again == 0)
		/* Between two full batches others have their turn. */
		timer_set(keeper->timer, 1);
	else
		step(keeper);
}

void keeper_failed(struct keeper *keeper, const struct pg_result *result)
{
	bool lost = result->outcome == PG_LOST || result->outcome == PG_UNKNOWN;

	keeper->busy = false;
	keeper->due[keeper->running] =
		clock_monotonic() + (result->outcome == PG_REPEAT ? CLOCK_SECOND : FAIL_AGAIN);
	if (result->outcome == PG_REFUSED) {
		keeper->counters.failed++;
		log_error("%s: refused by the database: %s %s", duty_name(keeper->running), result->sqlstate,
			result->text);
	}
	/* Every duty may be done twice: what is unknown is settled by doing it again. */
	if (lost)
		keeper->due[keeper->running] = 0;
	timer_set(keeper->timer, CLOCK_SECOND / 10);
}

/* ---- the configuration that does not hold ---- */

static void on_refusal_told(struct pg *pg, const struct pg_result *result, void *context)
{
	struct keeper *keeper = context;

	(void)pg;
	if (result->outcome == PG_REFUSED)
		log_error("an alarm about the configuration: %s", result->text);
	/* Lost with the connection, it is said when that is back. */
	else if (result->outcome != PG_DONE)
		keeper->refusal_told = false;
}

static struct str node_name(const struct conf *conf, char *space, size_t size)
{
	if (conf->node.len)
		return conf->node;
	if (conf->hostname.len)
		return conf->hostname;
	return gethostname(space, size) == 0 ? (struct str){space, strnlen(space, size)} : STR_NONE;
}

/* Each node says so of its own, whether it is the one that keeps or not. */
static void tell_refusal(struct keeper *keeper)
{
	char space[256];
	struct pg_parameter parameters[] = {
		{.value = node_name(room_conf(keeper->room), space, sizeof(space))},
		{.value = buf_view(&keeper->refusal)}};

	if (keeper->refusal_told || !pg_is_up(keeper->pg))
		return;
	keeper->refusal_told = true;
	if (keeper->refusal.len > 0)
		pg_query(keeper->pg,
			"SELECT cirt.alarm_raise('configuration', $1, NULL, 'a changed configuration was "
			"refused: ' || $2)",
			parameters, 2, true, on_refusal_told, keeper);
	else
		pg_query(keeper->pg, "SELECT cirt.alarm_over('configuration', $1)", parameters, 1, true,
			on_refusal_told, keeper);
}

static void keeper_refused(struct room *room, struct str why)
{
	struct keeper *keeper = room_state(room);

	buf_clear(&keeper->refusal);
	buf_str(&keeper->refusal, why);
	keeper->refusal_told = false;
	tell_refusal(keeper);
}

static void on_state(struct pg *pg, bool up, const char *why, void *context)
{
	struct keeper *keeper = context;

	(void)pg;
	keeper->locked = false;
	if (!up) {
		keeper->busy = false;
		log_warn("the database is away: %s", why ? why : "");
		return;
	}
	tell_refusal(keeper);
	timer_set(keeper->timer, 1);
}

/* ---- the room ---- */

static void keeper_plan(struct room *room, struct sandbox *plan)
{
	static const char *const files[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf",
		"/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/ssl", "/usr/lib/ssl",
		"/run/systemd/resolve"};
	static const char *const libraries[] = {
		"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"};

	(void)room;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		sandbox_allow(plan, files[i], SANDBOX_READ);
	for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
		sandbox_allow(plan, libraries[i], SANDBOX_READ_EXEC);
	plan->executable_maps = true;
	plan->unix_sockets = true;
	plan->inet_connect = true;
}

/* Without a place for anchors the room keeps on, and says so. */
static void open_anchors(struct keeper *keeper)
{
	char space[256];
	struct anchorer_settings settings = {
		.file = room_grant_fd(keeper->room, "anchor.file"),
		.log = room_grant_fd(keeper->room, "anchor.log"),
		.private_pem = room_grant(keeper->room, "anchor.key"),
		.public_pem = room_grant(keeper->room, "anchor.public"),
		.node = node_name(room_conf(keeper->room), space, sizeof(space)),
	};
	struct err err;

	anchorer_free(&keeper->anchorer);
	if (settings.file < 0 || settings.log < 0 || settings.private_pem.len == 0)
		log_error("no anchors: there is no key or file for them");
	else if (!anchorer_open(&settings, &keeper->anchorer, &err))
		log_error("no anchors: %s", err.text);
}

/* Regimes, playbooks, holidays and hours, for the database. */
static void read_house(struct keeper *keeper)
{
	const struct conf *conf = room_conf(keeper->room);
	struct str bundle = room_grant(keeper->room, "sheets"), name, bytes;
	struct house *house = house_new(conf->clock_zone, conf->clock_hours);

	while (rules_bundle_next(&bundle, &name, &bytes) == 1)
		house_add(house, name, bytes);
	house_json(house, &keeper->house);
	house_free(&house);
}

static bool keeper_start(struct room *room, struct err *err)
{
	static const char *const on_connect[] = {"SET cirt.actor = 'keeper'", "SET statement_timeout = '60s'",
		"SET search_path = cirt, pg_temp", NULL};
	struct pg_settings settings = {
		.conninfo = room_grant(room, "db.conninfo"),
		.user = room_grant(room, "db.user"),
		.password = room_grant(room, "db.password"),
		.search_path = STR("cirt"),
		.schema = PG_SCHEMA,
		.name = "cirtd keeper",
		.on_connect = on_connect,
	};
	struct keeper *keeper = mem_alloc(sizeof(*keeper));

	(void)err;
	room_set_state(room, keeper);
	keeper->room = room;
	keeper->started = clock_now();
	keeper->refusal_told = true; /* nothing was heard of it yet */
	keeper->batch = 100;
	keeper->notices = 100;
	tzset();
	keeper->capped = clock_monotonic(); /* an alarm of the process before may stand */
	keeper->timer = timer_new(room_loop(room), on_timer, keeper);
	open_anchors(keeper);
	read_house(keeper);
	keeper->pg = pg_new(room_loop(room), &settings, on_state, keeper);
	return true;
}

static void drain_over(void *context)
{
	struct keeper *keeper = context;

	log_warn("ending without an anchor");
	room_drained(keeper->room);
}

static void keeper_drain(struct room *room)
{
	struct keeper *keeper = room_state(room);

	keeper->draining = true;
	if (!keeper->locked || !keeper->anchorer || !pg_is_up(keeper->pg)) {
		room_drained(room);
		return;
	}
	keeper->drain_timer = timer_new(room_loop(room), drain_over, keeper);
	timer_set(keeper->drain_timer, DRAIN_WAIT);
	step(keeper);
}

static void keeper_reload(struct room *room, const struct conf *old)
{
	struct keeper *keeper = room_state(room);

	(void)old;
	/* The grants are new descriptors of the same file. */
	open_anchors(keeper);
	read_house(keeper);
	keeper->due[DUTY_HOUSE] = 0;
	keeper->due[DUTY_AHEAD] = 0;
	step(keeper);
}

static void keeper_count(struct room *room)
{
	const struct keeper *keeper = room_state(room);
	const struct keeper_counters *counters = &keeper->counters;

	room_counter(room, "database_up", pg_is_up(keeper->pg));
	room_counter(room, "keeps", keeper->locked);
	room_counter(room, "correlated", counters->correlated);
	room_counter(room, "attached", counters->attached);
	room_counter(room, "cases_opened", counters->opened);
	room_counter(room, "similar_links", counters->similar);
	room_counter(room, "cases_reopened", counters->reopened);
	room_counter(room, "waiting_for_cap", counters->waiting);
	room_counter(room, "raised", counters->raised);
	room_counter(room, "revoked", counters->revoked);
	room_counter(room, "notices_examined", counters->warned);
	room_counter(room, "notices_put", counters->put);
	room_counter(room, "notice_mails", counters->mails);
	room_counter(room, "mails_bounced", counters->bounced);
	room_counter(room, "mails_answered", counters->answered);
	room_counter(room, "reports_acknowledged", counters->acknowledged);
	room_counter(room, "letters_attached", counters->letters);
	room_counter(room, "spam_expired", counters->spam);
	room_counter(room, "silent_sources", counters->silent);
	room_counter(room, "gone", counters->gone);
	room_counter(room, "expired", counters->expired);
	room_counter(room, "retired", counters->retired);
	room_counter(room, "attributed", counters->attributed);
	room_counter(room, "clocks_warned", counters->clocks_warned);
	room_counter(room, "clocks_breached", counters->clocks_breached);
	room_counter(room, "waits_over", counters->waits_over);
	room_counter(room, "put_back", counters->put_back);
	room_counter(room, "failed", counters->failed);
	room_counter(room, "anchor", keeper->anchorer ? anchorer_number(keeper->anchorer) : 0);
}

static void keeper_stop(struct room *room)
{
	struct keeper *keeper = room_state(room);

	if (!keeper)
		return;
	pg_free(&keeper->pg);
	anchorer_free(&keeper->anchorer);
	buf_free(&keeper->house);
	buf_free(&keeper->refusal);
	timer_free(&keeper->timer);
	timer_free(&keeper->drain_timer);
	free(keeper);
	room_set_state(room, NULL);
}

const struct room_spec keeper_room = {
	.id = ROOM_KEEPER,
	.plan = keeper_plan,
	.start = keeper_start,
	.reload = keeper_reload,
	.refused = keeper_refused,
	.drain = keeper_drain,
	.count = keeper_count,
	.stop = keeper_stop,
};
