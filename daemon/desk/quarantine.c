#include "config.h"

#include "desk/handlers.h"
#include "desk/quarantine.h"
#include "model/storable.h"

#define SHOWN_BYTES 4096

#define QUARANTINE_JSON                                                                                      \
	"json_build_object('id', q.id, 'state', q.state, 'received', stamp(q.received), 'since', "           \
	"stamp(q.since),"                                                                                    \
	" 'source', s.name, 'exercise', nullif(x.name, ''), 'format', q.format, 'stage', q.stage, 'part', "  \
	"q.part,"                                                                                            \
	" 'what', CASE WHEN q.item IS NULL THEN 'whole entry' ELSE coalesce(nullif(q.part, ''), 'item ' || " \
	"q.item) END,"                                                                                       \
	" 'reason', q.reason, 'sqlstate', nullif(q.sqlstate, ''), 'size', q.size, 'attempts', q.attempts, "  \
	"'envelope', q.envelope,"                                                                            \
	" 'entry', to_char(q.day, 'YYYYMMDD') || '-' || left(q.spool::text, 8) || '-' || q.sequence)"

#define QUARANTINE_FROM \
	" FROM quarantine q LEFT JOIN source s ON s.id = q.source LEFT JOIN exercise x ON x.id = q.exercise"

static void on_page(struct request *request, const struct pg_result *result)
{
	request_answer(request, result_page(result, *(int64_t *)request->state));
}

static bool is_state(struct str state)
{
	static const char *const states[] = {"quarantined", "released", "processed", "discarded", "all"};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (str_equal(state, str_of(states[i])))
			return true;
	return false;
}

void desk_quarantine_list(struct request *request)
{
	int64_t *limit = arena_alloc(request->arena, sizeof(*limit)), cursor;
	struct str state = STR("quarantined"), source = STR_NONE;
	struct query query;

	if (!request_page(request, limit, &cursor) || !request_text(request, "state", &state) ||
		!request_text(request, "source", &source))
		return;
	if (!is_state(state)) {
		request_refuse(request, RPC_INVALID_PARAMS,
			"state: expected quarantined, released, processed, discarded or all");
		return;
	}
	if (!request_database(request))
		return;
	request->state = limit;
	query_start(&query, request->arena,
		"SELECT " QUARANTINE_JSON ", q.id" QUARANTINE_FROM " WHERE q.id < $?::bigint");
	query_int(&query, cursor);
	if (!str_equal(state, STR("all"))) {
		query_add(&query, " AND q.state = $?::quarantine_state");
		query_str(&query, state);
	}
	if (source.p) {
		query_add(&query, " AND s.name = $?");
		query_str(&query, source);
	}
	query_add(&query, " ORDER BY q.id DESC LIMIT $?::bigint");
	query_int(&query, *limit + 1);
	request_query(request, &query, on_page);
}

/* The bytes as far as they are text, so that a person sees what it is. */
static void add_text(struct request *request, struct json_object *shown, struct str base64)
{
	struct buf bytes = {0};

	base64_decode(base64, false, &bytes);
	struct str text = storable_text(buf_view(&bytes), (size_t)SHOWN_BYTES * 16, request->arena, NULL);
	json_object_object_add(
		shown, "text", json_object_new_string_len(text.p ? text.p : "", (int)text.len));
	buf_free(&bytes);
}

static void on_row(struct request *request, const struct pg_result *result)
{
	const bool *whole = request->state;

	if (result->rows == 0) {
		request_refuse(request, RPC_NOT_FOUND, "that is not in quarantine, and never was");
		return;
	}
	struct json_object *shown = result_json(result, 0, 0);
	struct str base64 = pg_value(result, 0, 1);
	add_text(request, shown, base64);
	json_object_object_add(shown, "cut", json_object_new_boolean(pg_value_int(result, 0, 2) != 0));
	if (*whole)
		json_object_object_add(shown, "bytes", json_object_new_string_len(base64.p, (int)base64.len));
	struct json_object *act = result_json(result, 0, 3);
	if (act) {
		json_object_object_foreach(act, key, value)
			json_object_object_add(shown, key, json_object_get(value));
		json_object_put(act);
	}
	request_answer(request, shown);
}

static bool read_id(struct request *request, struct json_object *value, int64_t *id)
{
	const char *text = json_object_get_string(value);

	if (text && str_to_i64(str_of(text), id) && *id > 0)
		return true;
	request_refuse(request, RPC_INVALID_PARAMS, "id: expected a number as in `cirt quarantine list`");
	return false;
}

static struct json_object *id_member(struct request *request)
{
	struct json_object *member = NULL;

	if (request->params && json_object_is_type(request->params, json_type_object))
		json_object_object_get_ex(request->params, "id", &member);
	return member;
}

void desk_quarantine_show(struct request *request)
{
	bool *whole = arena_alloc(request->arena, sizeof(*whole));
	struct query query;
	int64_t id;

	if (!read_id(request, id_member(request), &id) || !request_flag(request, "bytes", whole) ||
		!request_database(request))
		return;
	request->state = whole;
	query_start(&query, request->arena,
		"SELECT " QUARANTINE_JSON
		", translate(encode(substring(q.bytes FOR $?::int), 'base64'), E'\\n', ''),"
		" (octet_length(q.bytes) > $?::int)::int,"
		" (SELECT json_build_object('act', a.act, 'acted_by', a.actor, 'acted_at', stamp(a.at), "
		"'acted_reason', nullif(a.reason, ''))"
		" FROM ledger_act a WHERE a.quarantine = q.id ORDER BY a.id DESC LIMIT 1)" QUARANTINE_FROM
		" WHERE q.id = $?::bigint");
	query_int(&query, *whole ? INT32_MAX : SHOWN_BYTES);
	query_int(&query, *whole ? INT32_MAX : SHOWN_BYTES);
	query_int(&query, id);
	request_query(request, &query, on_row);
}

bool quarantine_ids(struct request *request, int64_t **ids, size_t *count)
{
	struct json_object *member = id_member(request);
	bool many = json_object_is_type(member, json_type_array);

	*count = many ? json_object_array_length(member) : 1;
	if (*count == 0 || *count > 1000) {
		request_refuse(request, RPC_INVALID_PARAMS, "id: name 1 to 1000 of them");
		return false;
	}
	*ids = arena_alloc(request->arena, *count * sizeof(**ids));
	for (size_t i = 0; i < *count; i++)
		if (!read_id(request, many ? json_object_array_get_idx(member, i) : member, &(*ids)[i]))
			return false;
	return true;
}

static void on_discarded(struct request *request, const struct pg_result *result)
{
	struct json_object *items = json_object_new_array();

	request->result = json_object_new_object();
	json_object_object_add(request->result, "items", items);
	json_object_object_add(request->result, "next", NULL);
	for (int i = 0; i < result->rows; i++) {
		struct str state = pg_value(result, i, 1);
		if (!state.p) {
			request_refuse(request, RPC_NOT_FOUND, "%lld is not in quarantine, and never was",
				(long long)pg_value_int(result, i, 0));
			return;
		}
		if (!str_equal(pg_value(result, i, 2), STR("t"))) {
			request_refuse(request, RPC_CONFLICT,
				"%lld is " STR_FMT ", so it cannot be discarded",
				(long long)pg_value_int(result, i, 0), STR_ARG(state));
			return;
		}
		struct json_object *item = json_object_new_object();
		json_object_object_add(item, "id", json_object_new_int64(pg_value_int(result, i, 0)));
		json_object_object_add(item, "state", json_object_new_string("discarded"));
		json_object_array_add(items, item);
	}
	request_commit(request, request_answer_result);
}

void desk_quarantine_discard(struct request *request)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	struct buf list = {0};
	struct str reason = STR("");
	int64_t *ids;
	size_t count;

	if (!quarantine_ids(request, &ids, &count) || !request_text(request, "reason", &reason) ||
		!request_database(request))
		return;
	pg_array_begin(&list);
	for (size_t i = 0; i < count; i++)
		pg_array_int(&list, ids[i]);
	pg_array_end(&list);
	query_start(query, request->arena,
		"SELECT w.id, (SELECT q.state FROM quarantine q WHERE q.id = w.id), "
		"quarantine_discard(w.id, "
		"$?)"
		" FROM unnest($?::bigint[]) AS w(id)");
	query_str(query, reason);
	query_str(query, arena_str(request->arena, buf_view(&list)));
	buf_free(&list);
	request_change(request, query, on_discarded);
}
