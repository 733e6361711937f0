#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "desk/handlers.h"

/* `status` answers with what it has after this long. */
#define STATUS_PATIENCE (3 * CLOCK_SECOND)

struct status {
	struct json_object *rooms;   /* the supervisor's answer */
	struct json_object *backlog; /* the spool's */
	struct timer *timer;
	uint32_t append; /* of the question to the spool; 0: none open */
	bool asking;     /* the supervisor */
};

static void status_release(struct request *request)
{
	struct status *status = request->state;

	if (status->append)
		appender_forget(request->desk->appender, status->append);
	if (status->asking)
		supervisor_forget(request);
	timer_free(&status->timer);
	json_object_put(status->rooms);
	json_object_put(status->backlog);
	free(status);
}

static void status_answer(struct request *request)
{
	struct status *status = request->state;
	struct json_object *result = json_object_new_object();
	struct json_object *database = pulse_show(request->desk), *server = NULL;

	json_object_object_add(result, "version", json_object_new_string(PACKAGE_VERSION));
	if (json_object_is_type(status->rooms, json_type_object)) {
		json_object_object_foreach(status->rooms, key, value)
			json_object_object_add(result, key, json_object_get(value));
	}
	json_object_object_add(result, "backlog", json_object_get(status->backlog));
	/* How the managed server does is the supervisor's to say; whether it answers is ours. */
	if (json_object_object_get_ex(result, "database", &server))
		json_object_object_add(database, "server", json_object_get(server));
	json_object_object_add(result, "database", database);
	request_answer(request, result);
}

static void status_next(struct request *request)
{
	struct status *status = request->state;

	if (!status->asking && !status->append)
		status_answer(request);
}

static void on_patience(void *context)
{
	status_answer(context);
}

static void on_rooms(struct request *request, struct json_object *answer)
{
	struct status *status = request->state;

	status->asking = false;
	status->rooms = json_object_get(answer);
	status_next(request);
}

static struct json_object *backlog_of(const struct append_state *state, enum appender_state doors)
{
	struct json_object *backlog = json_object_new_object();

	json_object_object_add(backlog, "entries", json_object_new_int64((int64_t)state->live_entries));
	json_object_object_add(backlog, "bytes", json_object_new_int64((int64_t)state->live_bytes));
	json_object_object_add(backlog, "limit", json_object_new_int64((int64_t)state->limit_bytes));
	json_object_object_add(backlog, "held", json_object_new_int64((int64_t)state->held_count));
	json_object_object_add(backlog, "reruns", json_object_new_int64((int64_t)state->rerun_entries));
	json_object_object_add(backlog, "sealed", json_object_new_int64((int64_t)state->sealed_entries));
	json_object_object_add(backlog, "kept", json_object_new_int64((int64_t)state->kept_entries));
	json_object_object_add(
		backlog, "doors", json_object_new_string(doors == APPENDER_CLOSED ? "closed" : "open"));
	return backlog;
}

static void on_backlog(const struct append_state *state, const struct err *err, void *context)
{
	struct request *request = context;
	struct status *status = request->state;

	(void)err;
	status->append = 0;
	if (state)
		status->backlog = backlog_of(state, appender_state(request->desk->appender));
	status_next(request);
}

static void status_closed(struct request *request)
{
	request_refuse(request, RPC_FAILED, "nobody waits for the answer any more");
}

void desk_status_show(struct request *request)
{
	struct status *status = mem_alloc(sizeof(*status));

	supervisor_ask(request, "status", on_rooms);
	request->state = status;
	request->release = status_release;
	request->closed = status_closed;
	status->asking = true;
	status->append = appender_ask(request->desk->appender, on_backlog, request);
	status->timer = timer_new(room_loop(request->desk->room), on_patience, request);
	timer_set(status->timer, STATUS_PATIENCE);
}

void desk_version_show(struct request *request)
{
	struct json_object *result = json_object_new_object();

	json_object_object_add(result, "daemon", json_object_new_string(PACKAGE_VERSION));
	request_answer(request, result);
}
