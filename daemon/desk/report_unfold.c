#include "config.h"

#include "desk/handlers.h"
#include "desk/report.h"

/*
 * Undo a folding. With --source: what that source saw. Without: what every source but the report's own saw;
 * where there is no other, what its own saw after the first time.
 */
static void on_unfolded(struct request *request, const struct pg_result *result)
{
	const int64_t *id = request->state;

	if (result->rows == 0) {
		request_refuse(request, RPC_NOT_FOUND,
			"there is no report %lld-%lld, or no source of that name",
			(long long)(*id / 10000000000), (long long)(*id % 10000000000));
		return;
	}
	struct json_object *items = json_object_new_array();
	for (int i = 0; i < result->rows; i++)
		json_object_array_add(items, result_json(result, i, 0));
	request->result = json_object_new_object();
	json_object_object_add(request->result, "items", items);
	json_object_object_add(request->result, "next", NULL);
	request_commit(request, request_answer_result);
}

void desk_report_unfold(struct request *request)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	int64_t *id = arena_alloc(request->arena, sizeof(*id));
	struct str source = STR_NONE, reason = STR_NONE;

	if (!report_named(request, "id", id) || !request_text(request, "source", &source) ||
		!request_text(request, "reason", &reason) || !request_database(request))
		return;
	request->state = id;
	query_start(query, request->arena,
		"WITH r AS (SELECT x.id, x.source FROM report x WHERE x.id = $?::bigint");
	query_int(query, *id);
	report_add_visible(query, request, "x");
	query_add(query,
		"), seen AS (SELECT DISTINCT g.source FROM sighting g JOIN r ON r.id = g.report),"
		" asked AS (SELECT s.id AS source FROM source s, r WHERE s.name = $?"
		" UNION SELECT seen.source FROM seen, r WHERE $?::text IS NULL AND seen.source <> r.source"
		" UNION SELECT r.source FROM r WHERE $?::text IS NULL AND NOT EXISTS (SELECT FROM seen, r "
		"WHERE seen.source <> r.source)),"
		" done AS MATERIALIZED (SELECT asked.source, report_unfold(r.id, asked.source, $?) AS "
		"became "
		"FROM asked, r)"
		" SELECT json_build_object('report', report_number(r.id), 'source', s.name, 'into', "
		"report_number(done.became))"
		" FROM r JOIN done ON true LEFT JOIN source s ON s.id = done.source ORDER BY done.became");
	query_str(query, source);
	query_str(query, source);
	query_str(query, source);
	query_str(query, reason.p ? reason : STR(""));
	request_change(request, query, on_unfolded);
}
