#include "config.h"

#include "desk/source_told.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "desk/desk.h"

/* Doors are told by the spool, all at once; the desk is one of them. */
#define LOOK_AGAIN (CLOCK_SECOND / 100)
#define PATIENCE   (3 * CLOCK_SECOND)

struct told {
	uint64_t revision; /* of the sources, with this change */
	int64_t deadline;  /* monotonic */
	struct timer *again;
};

static void told_release(struct request *request)
{
	struct told *told = request->state;

	timer_free(&told->again);
	free(told);
}

static void look(void *context)
{
	struct request *request = context;
	struct told *told = request->state;
	const struct appender *appender = request->desk->appender;

	if (appender_sources(appender)->version < told->revision && appender_has_edge(appender) &&
		clock_monotonic() < told->deadline)
		timer_set(told->again, LOOK_AGAIN);
	else
		request_answer_result(request, NULL);
}

static void on_committed(struct request *request, const struct pg_result *result)
{
	struct told *told = request->state;

	(void)result;
	told->deadline = clock_monotonic() + PATIENCE;
	look(request);
}

static void on_revision(struct request *request, const struct pg_result *result)
{
	struct told *told = mem_alloc(sizeof(*told));

	told->revision = (uint64_t)pg_value_int(result, 0, 0);
	told->again = timer_new(room_loop(request->desk->room), look, request);
	request->state = told;
	request->release = told_release;
	request_commit(request, on_committed);
}

void source_commit(struct request *request)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));

	query_start(query, request->arena, "SELECT revision FROM revision WHERE what = 'source'");
	request_step(request, query, on_revision);
}
