#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "desk/case.h"
#include "desk/handlers.h"
#include "desk/report.h"

/*
 * Reports and cases as they come, until the client goes. Each turn takes what the snapshot of the turn before
 * did not see (trap 17): nothing that commits late is skipped, nothing comes twice. Where to look is bounded
 * by a floor: whoever is given an id below one that is visible already runs, so that when all who ran then
 * have ended, nothing new comes below it. Reports of another month than the floor's are bounded by the
 * minutes of their landing.
 */
#define WATCH_EVERY (CLOCK_SECOND / 2)
#define WATCH_PAGE  200

struct floor {
	int64_t report;
	int64_t journal;
	uint64_t xmax; /* when no older transaction runs, it holds */
};

struct watch_state {
	struct timer *timer;
	struct buf since;       /* the snapshot up to which all was told */
	struct buf target;      /* the snapshot up to which this turn tells; empty between turns */
	struct floor floor;     /* holds */
	struct floor candidate; /* will hold */
	struct floor newest;    /* of the target */
	uint64_t xmin;          /* of the target */
	int64_t last_report;    /* told of this turn's reports */
	bool reports, cases;
	bool asking;
};

static void turn(void *context);

static void watch_release(struct request *request)
{
	struct watch_state *watch = request->state;

	timer_free(&watch->timer);
	buf_free(&watch->since);
	buf_free(&watch->target);
	free(watch);
}

static void watch_closed(struct request *request)
{
	struct watch_state *watch = request->state;

	/* A statement that runs still calls back, and the turn after it ends the request. */
	if (!watch->asking)
		timer_set(watch->timer, 0);
}

static void later(struct request *request)
{
	struct watch_state *watch = request->state;

	timer_set(watch->timer, request->session ? WATCH_EVERY : 0);
}

static void tell(struct request *request, const char *kind, struct json_object *item)
{
	struct json_object *params = json_object_new_object();

	json_object_object_add(params, "kind", json_object_new_string(kind));
	json_object_object_add(params, "item", item);
	request_notify(request, "watch.item", params);
}

static void turn_ends(struct request *request)
{
	struct watch_state *watch = request->state;

	buf_clear(&watch->since);
	buf_str(&watch->since, buf_view(&watch->target));
	buf_clear(&watch->target);
	watch->last_report = 0;
	if (watch->candidate.xmax && watch->xmin >= watch->candidate.xmax) {
		watch->floor = watch->candidate;
		watch->candidate.xmax = 0;
	}
	if (!watch->candidate.xmax)
		watch->candidate = watch->newest;
	later(request);
}

/* Statements run outside request_query(), which would refuse the request when the database goes away for a
 * moment. */
static void run(struct request *request, struct query *query, pg_result_fn *call)
{
	struct watch_state *watch = request->state;

	watch->asking = true;
	pg_query(request->pg, buf_cstr(&query->sql), query->values, query->count, false, call, request);
	query_end(query);
}

static void on_cases(struct pg *pg, const struct pg_result *result, void *context)
{
	struct request *request = context;
	struct watch_state *watch = request->state;

	(void)pg;
	watch->asking = false;
	if (result->outcome != PG_DONE) {
		later(request);
		return;
	}
	for (int i = 0; i < result->rows; i++)
		tell(request, "case", result_json(result, i, 0));
	turn_ends(request);
}

static void ask_cases(struct request *request)
{
	struct watch_state *watch = request->state;
	struct query query;

	if (!watch->cases) {
		turn_ends(request);
		return;
	}
	arena_reset(request->arena);
	query_start(&query, request->arena,
		"WITH touched AS MATERIALIZED (SELECT DISTINCT substr(j.object, 6) AS number FROM journal j "
		"WHERE j.object >= 'case/'"
		" AND j.object < 'case0' AND j.id > $?::bigint AND row_is_new(j.xmin, $?::pg_snapshot, "
		"$?::pg_snapshot))"
		" SELECT " CASE_JSON
		" FROM touched JOIN cases c USING (number) JOIN case_view v ON v.id = c.id CROSS JOIN ");
	query_int(&query, watch->floor.journal);
	query_str(&query, buf_view(&watch->since));
	query_str(&query, buf_view(&watch->target));
	asks_add(&query, request);
	query_add(&query, " WHERE true");
	case_add_visible(&query, request);
	query_add(&query, " ORDER BY c.changed, c.id");
	run(request, &query, on_cases);
}

static void ask_reports(struct request *request);

static void on_report_rows(struct pg *pg, const struct pg_result *result, void *context)
{
	struct request *request = context;
	struct watch_state *watch = request->state;

	(void)pg;
	watch->asking = false;
	if (result->outcome != PG_DONE) {
		later(request);
		return;
	}
	for (int i = result->rows - 1; i >= 0; i--)
		tell(request, "report", result_json(result, i, 0));
	if (result->rows > 0)
		watch->last_report = pg_value_int(result, 0, 1);
	if (result->rows == WATCH_PAGE && request->session)
		ask_reports(request);
	else
		ask_cases(request);
}

static void on_reports(struct pg *pg, const struct pg_result *result, void *context)
{
	struct request *request = context;
	struct watch_state *watch = request->state;
	struct report_ids ids;
	struct query query;

	(void)pg;
	watch->asking = false;
	if (result->outcome != PG_DONE) {
		later(request);
		return;
	}
	if (result->rows == 0) {
		ask_cases(request);
		return;
	}
	arena_reset(request->arena);
	report_ids_start(&ids, WATCH_PAGE, request->arena);
	for (int i = 0; i < result->rows; i++)
		report_ids_add(&ids, pg_value_int(result, i, 0));
	report_ids_query(&ids, request, &query);
	run(request, &query, on_report_rows);
}

static void ask_reports(struct request *request)
{
	struct watch_state *watch = request->state;
	struct query query;

	if (!watch->reports) {
		ask_cases(request);
		return;
	}
	arena_reset(request->arena);
	query_start(&query, request->arena,
		"WITH landed AS MATERIALIZED (SELECT greatest(min(first_id), CASE WHEN $?::bigint / "
		"10000000000 = month THEN $?::bigint + 1"
		" END) AS least, (month + 1) * 10000000000 AS ends FROM arrival WHERE minute >= now() - "
		"interval '2 minutes'"
		" GROUP BY month) SELECT r.id FROM landed l JOIN report r ON r.id >= "
		"l.least AND r.id < l.ends"
		" WHERE r.id > $?::bigint AND row_is_new(r.xmin, $?::pg_snapshot, $?::pg_snapshot)");
	query_int(&query, watch->floor.report);
	query_int(&query, watch->floor.report);
	query_int(&query, watch->last_report);
	query_str(&query, buf_view(&watch->since));
	query_str(&query, buf_view(&watch->target));
	report_add_visible(&query, request, "r");
	query_add(&query, " ORDER BY r.id LIMIT $?::bigint");
	query_int(&query, WATCH_PAGE);
	run(request, &query, on_reports);
}

static void on_snapshot(struct pg *pg, const struct pg_result *result, void *context)
{
	struct request *request = context;
	struct watch_state *watch = request->state;

	(void)pg;
	watch->asking = false;
	if (result->outcome != PG_DONE || result->rows != 1) {
		later(request);
		return;
	}
	buf_clear(&watch->target);
	buf_str(&watch->target, pg_value(result, 0, 0));
	watch->xmin = (uint64_t)pg_value_int(result, 0, 1);
	watch->newest = (struct floor){.xmax = (uint64_t)pg_value_int(result, 0, 2),
		.report = pg_value_int(result, 0, 3),
		.journal = pg_value_int(result, 0, 4)};
	if (watch->since.len == 0 || str_equal(buf_view(&watch->since), buf_view(&watch->target)))
		turn_ends(request);
	else
		ask_reports(request);
}

static void turn(void *context)
{
	struct request *request = context;
	struct desk *desk = request->desk;
	struct query query;

	if (!request->session) {
		request_refuse(request, RPC_FAILED, "the client went away");
		return;
	}
	request->pg = desk_pg(desk);
	/* Who does not read is not filled up. */
	if (!request->pg || stream_queued(request->session->stream) > (1u << 20)) {
		later(request);
		return;
	}
	arena_reset(request->arena);
	query_start(&query, request->arena,
		"SELECT s, pg_snapshot_xmin(s), pg_snapshot_xmax(s), coalesce((SELECT id FROM report ORDER "
		"BY id DESC LIMIT 1), 0),"
		" coalesce((SELECT max(id) FROM journal), 0) FROM pg_current_snapshot() s");
	run(request, &query, on_snapshot);
}

void desk_watch_all(struct request *request)
{
	bool reports = false, cases = false;
	struct watch_state *watch;

	if (!request_flag(request, "reports", &reports) || !request_flag(request, "cases", &cases) ||
		!request_database(request))
		return;
	watch = mem_alloc(sizeof(*watch));
	watch->reports = reports || !cases;
	watch->cases = cases || !reports;
	watch->timer = timer_new(room_loop(request->desk->room), turn, request);
	request->state = watch;
	request->release = watch_release;
	request->closed = watch_closed;
	turn(request);
}
