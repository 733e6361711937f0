#include "config.h"

#include "desk/case.h"
#include "desk/handlers.h"
#include "desk/report.h"

/*
 * What is done to a case. The rules are the database's (sql/011-desk.sql), so that they hold for every
 * client; here they are called, with the operator's name on the transaction, and the case as it is then is
 * the answer.
 */

static void on_changed(struct request *request, const struct pg_result *result)
{
	if (result->rows == 0) {
		request_refuse(request, RPC_DENIED, "that case is restricted");
		return;
	}
	request->result = result_json(result, 0, 0);
	if (result->columns > 1) {
		struct json_object *more = result_json(result, 0, 1);
		json_object_object_foreach(more, key, value)
			json_object_object_add(request->result, key, json_object_get(value));
		json_object_put(more);
	}
	request_commit(request, request_answer_result);
}

/* The case as the statement in front has left it: a second step, so that it sees the change. */
static void on_done(struct request *request, const struct pg_result *result)
{
	struct query query;

	query_start(&query, request->arena, "SELECT " CASE_JSON);
	if (request->state) {
		query_add(&query, ", ");
		query_add(&query, request->state);
	}
	query_add(&query, " FROM cases c JOIN case_view v ON v.id = c.id WHERE c.id = $?::bigint");
	query_int(&query, pg_value_int(result, 0, 0));
	case_add_visible(&query, request);
	request_step(request, &query, on_changed);
}

/* Optional text as '' for the functions, which take no NULL for it. */
static bool optional(struct request *request, const char *name, struct str *value)
{
	*value = STR("");
	return request_text(request, name, value);
}

static struct query *query_new(struct request *request, const char *piece)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));

	query_start(query, request->arena, piece);
	return query;
}

static void on_registered(struct request *request, const struct pg_result *result)
{
	struct query query;
	struct str number = STR_NONE;

	(void)result;
	request_text(request, "number", &number);
	query_start(&query, request->arena, "SELECT case_take($?, $?)");
	query_str(&query, number);
	query_str(&query, str_of(request->operator.name));
	request_step(request, &query, on_done);
}

void desk_case_take(struct request *request)
{
	struct query *query;
	struct str number, who;

	if (!request_needs(request, "number", &number) || !optional(request, "for", &who) ||
		!request_database(request))
		return;
	if (who.len) {
		query = query_new(request, "SELECT case_take($?, $?)");
		query_str(query, number);
		query_str(query, str_equal(who, STR("-")) ? STR("") : who);
		request_change(request, query, on_done);
		return;
	}
	/* Who is admin by the configuration stands in the table from the first case on that is theirs. */
	query = query_new(request, "INSERT INTO operator (name, role, uid) VALUES ($?, $?::operator_role, "
				   "$?::bigint) ON CONFLICT DO NOTHING");
	query_str(query, str_of(request->operator.name));
	query_str(query, str_of(role_name(request->operator.role)));
	query_int(query, request->session->uid);
	request_change(request, query, on_registered);
}

void desk_case_note(struct request *request)
{
	struct query *query;
	struct str number, text;

	if (!request_needs(request, "number", &number) || !request_words(request, "text", &text) ||
		!request_database(request))
		return;
	query = query_new(
		request, "INSERT INTO note (case_id, text) VALUES (case_named($?), $?) RETURNING case_id");
	query_str(query, number);
	query_str(query, text);
	request_change(request, query, on_done);
}

/* Those of a case that was merged into it are its too. */
void desk_case_read(struct request *request)
{
	struct query *query;
	struct str number;

	if (!request_needs(request, "number", &number) || !request_database(request))
		return;
	query = query_new(request,
		"SELECT n.id, (SELECT sum(case_letters_seen(m.id)) FROM cases m WHERE m.id = n.id "
		"OR m.merged_into = n.id) FROM (SELECT case_named($?) AS id) n");
	query_str(query, number);
	request_change(request, query, on_done);
}

void desk_case_move(struct request *request)
{
	struct query *query;
	struct str number, state, reason;

	if (!request_needs(request, "number", &number) || !request_needs(request, "state", &state) ||
		!optional(request, "reason", &reason) || !request_database(request))
		return;
	query = query_new(request, "SELECT case_move($?, $?, $?, '')");
	query_str(query, number);
	query_str(query, state);
	query_str(query, reason);
	request_change(request, query, on_done);
}

void desk_case_close(struct request *request)
{
	struct query *query;
	struct str number, outcome;

	if (!request_needs(request, "number", &number) || !optional(request, "outcome", &outcome))
		return;
	if (str_trim(outcome).len == 0) {
		request_refuse(request, RPC_INVALID_PARAMS, "closing wants an outcome: --outcome TEXT");
		return;
	}
	if (!request_database(request))
		return;
	query = query_new(request, "SELECT case_move($?, 'closed', '', $?)");
	query_str(query, number);
	query_str(query, outcome);
	request_change(request, query, on_done);
}

void desk_case_merge(struct request *request)
{
	struct query *query;
	struct str number, into, reason;

	if (!request_needs(request, "number", &number) || !request_needs(request, "into", &into) ||
		!optional(request, "reason", &reason) || !request_database(request))
		return;
	query = query_new(request, "SELECT case_merge($?, $?, $?)");
	query_str(query, number);
	query_str(query, into);
	query_str(query, reason);
	request_change(request, query, on_done);
}

/* The list of reports as an array literal; empty where none was named. False: refused. */
static bool read_reports(struct request *request, struct buf *ids)
{
	struct json_object *list = NULL;

	if (request->params && json_object_is_type(request->params, json_type_object))
		json_object_object_get_ex(request->params, "report", &list);
	size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	if (count > 10000) {
		request_refuse(request, RPC_INVALID_PARAMS, "report: at most 10000 at a time");
		return false;
	}
	pg_array_begin(ids);
	for (size_t i = 0; i < count; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(list, i));
		int64_t id;
		if (!text || !report_id_parse(str_of(text), &id)) {
			request_refuse(request, RPC_INVALID_PARAMS, "a report's id reads as 202611-123");
			return false;
		}
		pg_array_int(ids, id);
	}
	pg_array_end(ids);
	if (count == 0)
		buf_clear(ids);
	return true;
}

static void unmerge(struct request *request, struct str number, struct str reason)
{
	struct query *query = query_new(request, "SELECT case_unmerge($?, $?)");

	query_str(query, number);
	query_str(query, reason);
	request_change(request, query, on_done);
}

void desk_case_split(struct request *request)
{
	struct str number, into, title, reason;
	struct buf ids = {0};

	if (request_needs(request, "number", &number) && optional(request, "into", &into) &&
		optional(request, "title", &title) && optional(request, "reason", &reason) &&
		read_reports(request, &ids) && request_database(request)) {
		if (ids.len == 0) {
			unmerge(request, number, reason);
			return;
		}
		struct query *query = query_new(request, "SELECT case_split($?, $?::bigint[], $?, $?, $?)");
		query_str(query, number);
		query_str(query, arena_str(request->arena, buf_view(&ids)));
		query_str(query, into);
		query_str(query, title);
		query_str(query, reason);
		/* Where they came from, and how many there are now. */
		request->state = (void *)"json_build_object('moved', (SELECT count(*) FROM case_report r "
					 "WHERE r.case_id = c.id"
					 " AND r.ended IS NULL AND r.actor = actor() AND r.added = now()), "
					 "'from', (SELECT o.number FROM case_link l"
					 " JOIN cases o ON o.id = l.b WHERE l.a = c.id AND l.kind = 'split' "
					 "ORDER BY l.at DESC LIMIT 1))";
		request_change(request, query, on_done);
	}
	buf_free(&ids);
}
