#include "config.h"

#include "desk/handlers.h"

#define AUDIT_PROBLEMS "100" /* shown; one is enough to know */

static void on_problems(struct request *request, const struct pg_result *result)
{
	struct json_object *answer = request->result, *problems = json_object_new_array();

	for (int i = 0; i < result->rows; i++)
		json_object_array_add(problems, result_json(result, i, 0));
	json_object_object_add(answer, "ok", json_object_new_boolean(result->rows == 0));
	json_object_object_add(answer, "problems", problems);
	request_answer_result(request, result);
}

static void on_counts(struct request *request, const struct pg_result *result)
{
	struct query query;

	request->result = result_json(result, 0, 0);
	query_start(&query, request->arena,
		"SELECT json_build_object('object', object, 'row', n, 'problem', problem) FROM "
		"audit_verify() LIMIT " AUDIT_PROBLEMS);
	request_query(request, &query, on_problems);
}

void desk_audit_verify(struct request *request)
{
	struct query query;

	if (!request_database(request))
		return;
	if (pg_is_up(request->desk->slow))
		request->pg = request->desk->slow;
	query_start(&query, request->arena,
		"SELECT json_build_object('chains', (SELECT count(*) FROM journal_head), 'rows', (SELECT "
		"count(*) FROM journal))");
	request_query(request, &query, on_counts);
}
