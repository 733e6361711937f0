#include "config.h"

#include "desk/handlers.h"
#include "desk/visible.h"

#define ALARM_JSON                                                                                       \
	"json_build_object('id', a.id, 'kind', a.kind, 'subject', a.subject, 'source', s.name, 'text', " \
	"a.text, 'count', a.count, 'raised', stamp(a.raised), 'last', stamp(a.last), 'ended', "          \
	"stamp(a.ended),"                                                                                \
	" 'ended_by', a.ended_by)"

static void on_page(struct request *request, const struct pg_result *result)
{
	request_answer(request, result_page(result, *(int64_t *)request->state));
}

void desk_alarm_list(struct request *request)
{
	int64_t *limit = arena_alloc(request->arena, sizeof(*limit)), cursor;
	struct query query;
	bool all = false;

	if (!request_page(request, limit, &cursor) || !request_flag(request, "all", &all) ||
		!request_database(request))
		return;
	request->state = limit;
	query_start(&query, request->arena,
		"SELECT " ALARM_JSON
		", a.id FROM alarm a LEFT JOIN source s ON s.id = a.source WHERE a.id < $?::bigint");
	query_int(&query, cursor);
	if (!all)
		query_add(&query, " AND a.ended IS NULL");
	alarm_add_visible(&query, request);
	query_add(&query, " ORDER BY a.id DESC LIMIT $?::bigint");
	query_int(&query, *limit + 1);
	request_query(request, &query, on_page);
}

static void on_seen(struct request *request, const struct pg_result *result)
{
	int64_t id = *(int64_t *)request->state;

	if (result->rows != 1 || !str_equal(pg_value(result, 0, 0), STR("t"))) {
		request_refuse_hint(request, RPC_NOT_FOUND, "see: cirt alarm list --all",
			"there is no open alarm %lld", (long long)id);
		return;
	}
	request->result = json_object_new_object();
	json_object_object_add(request->result, "id", json_object_new_int64(id));
	json_object_object_add(request->result, "state", json_object_new_string("acknowledged"));
	request_commit(request, request_answer_result);
}

void desk_alarm_ack(struct request *request)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	int64_t *id = arena_alloc(request->arena, sizeof(*id));
	struct str text, reason = STR_NONE;

	if (!request_needs(request, "id", &text) || !request_text(request, "reason", &reason))
		return;
	if (!str_to_i64(text, id) || *id <= 0) {
		request_refuse(request, RPC_INVALID_PARAMS, "id: expected a number as in `cirt alarm list`");
		return;
	}
	if (!request_database(request))
		return;
	request->state = id;
	query_start(query, request->arena, "SELECT alarm_acknowledged($?::bigint, $?, $?, $?)");
	query_int(query, *id);
	query_str(query, reason.p ? reason : STR(""));
	query_str(query, str_of(request->operator.name));
	query_str(query, str_of(role_name(request->operator.role)));
	request_change(request, query, on_seen);
}
