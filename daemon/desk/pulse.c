#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "desk/handlers.h"

/* A connection of its own, asked every few seconds, so that `status` never waits for a database that hangs.
 * The counters cost more than to ask whether it is there.
 */
#define PULSE_EVERY   (3 * CLOCK_SECOND)
#define COUNT_EVERY   (30 * CLOCK_SECOND)
#define PULSE_SILENCE (12 * CLOCK_SECOND)

struct pulse {
	struct desk *desk;
	struct pg *pg;
	struct timer *timer;
	bool asking;
	int64_t answered; /* monotonic; 0: never */
	char version[64];
	int64_t size;
	int64_t schema;
	int64_t queued;  /* reports that wait for the correlator */
	int64_t alarms;  /* open ones */
	int64_t counted; /* monotonic; 0: never */
	struct json_object *counters;
};

static void on_counters(struct pg *pg, const struct pg_result *result, void *context)
{
	struct pulse *pulse = context;

	(void)pg;
	pulse->asking = false;
	if (result->outcome == PG_DONE && result->rows == 1) {
		json_object_put(pulse->counters);
		pulse->counters = result_json(result, 0, 0);
	}
	timer_set(pulse->timer, PULSE_EVERY);
}

static bool ask_counters(struct pulse *pulse)
{
	int64_t now = clock_monotonic();

	if (pulse->counted && now - pulse->counted < COUNT_EVERY)
		return false;
	pulse->counted = now;
	pulse->asking = true;
	pg_query(pulse->pg,
		"SELECT coalesce(json_agg(json_build_object("
		"'name', name, 'labels', labels, 'value', value)), '[]') FROM counters()",
		NULL, 0, false, on_counters, pulse);
	return true;
}

static void on_answer(struct pg *pg, const struct pg_result *result, void *context)
{
	struct pulse *pulse = context;

	(void)pg;
	pulse->asking = false;
	if (result->outcome == PG_DONE && result->rows == 1) {
		struct str version = utf8_cut(pg_value(result, 0, 0), sizeof(pulse->version) - 1);
		memcpy(pulse->version, version.p, version.len);
		pulse->version[version.len] = 0;
		pulse->size = pg_value_int(result, 0, 1);
		pulse->schema = pg_value_int(result, 0, 2);
		pulse->queued = pg_value_int(result, 0, 3);
		pulse->alarms = pg_value_int(result, 0, 4);
		pulse->answered = clock_monotonic();
		if (ask_counters(pulse))
			return;
	}
	timer_set(pulse->timer, PULSE_EVERY);
}

static void ask(void *context)
{
	struct pulse *pulse = context;

	if (!pulse->asking && pg_is_up(pulse->pg)) {
		pulse->asking = true;
		pg_query(pulse->pg,
			"SELECT current_setting('server_version'), pg_database_size(current_database()),"
			" (SELECT max(version) FROM migration), (SELECT count(*) FROM (SELECT FROM "
			"correlation_queue LIMIT 10000) q),"
			" (SELECT count(*) FROM alarm WHERE ended IS NULL)",
			NULL, 0, false, on_answer, pulse);
	} else if (!pulse->asking) {
		timer_set(pulse->timer, PULSE_EVERY);
	}
}

static void on_state(struct pg *pg, bool up, const char *why, void *context)
{
	struct pulse *pulse = context;

	(void)pg;
	(void)why;
	if (up)
		timer_set(pulse->timer, 0);
	else
		pulse->answered = pulse->counted = 0;
}

void pulse_start(struct desk *desk)
{
	struct pulse *pulse = mem_alloc(sizeof(*pulse));

	desk->pulse = pulse;
	pulse->desk = desk;
	pulse->timer = timer_new(room_loop(desk->room), ask, pulse);
	pulse->pg = desk_connect(desk, "cirtd desk pulse", true, on_state, pulse);
}

void pulse_stop(struct desk *desk)
{
	if (!desk->pulse)
		return;
	pg_free(&desk->pulse->pg);
	timer_free(&desk->pulse->timer);
	json_object_put(desk->pulse->counters);
	free(desk->pulse);
	desk->pulse = NULL;
}

struct json_object *pulse_show(const struct desk *desk)
{
	const struct pulse *pulse = desk->pulse;
	struct json_object *shown = json_object_new_object();
	/* Up is what can be worked with: the pulse's own connection says nothing of those that serve. */
	bool up = pg_is_up(pulse->pg) && desk_pg(desk);
	bool silent = up && clock_monotonic() - pulse->answered > PULSE_SILENCE;
	const char *why = up ? pulse->answered ? "it does not answer" : "it has not answered yet"
	                     : pg_why_down(pg_is_up(pulse->pg) ? desk->pg[0] : pulse->pg);

	json_object_object_add(shown, "up", json_object_new_boolean(up && !silent));
	if (!up || silent) {
		json_object_object_add(shown, "why", json_object_new_string(why));
		return shown;
	}
	json_object_object_add(shown, "why", NULL);
	json_object_object_add(shown, "version", json_object_new_string(pulse->version));
	json_object_object_add(shown, "size", json_object_new_int64(pulse->size));
	json_object_object_add(shown, "schema", json_object_new_int64(pulse->schema));
	json_object_object_add(shown, "correlation_queue", json_object_new_int64(pulse->queued));
	json_object_object_add(shown, "alarms", json_object_new_int64(pulse->alarms));
	json_object_object_add(shown, "counters", json_object_get(pulse->counters));
	return shown;
}
