#include "config.h"

#include "desk/report.h"

/*
 * report_view puts a report together, but for a page of ids the planner would go through all of it, and look
 * at every partition. Here each table that is partitioned is asked for the ids themselves, which are known
 * when the statement is planned.
 */
static const char report_rows[] =
	"SELECT " REPORT_JSON
	", v.id FROM (SELECT r.id, report_number(r.id) AS number, r.received, s.name AS source,"
	" r.type AS classification, r.identifier, r.malware, severity_name(coalesce(st.severity, "
	"r.severity)) AS severity_name, r.tlp,"
	" report_title(r.title, r.type, r.identifier, r.malware, r.observables) AS title, coalesce(st.state, "
	"'new') AS state, o.name AS organisation, e.name AS exercise,"
	" least(n.first, r.first_seen) AS first_seen, coalesce(n.last, r.first_seen) AS last_seen, "
	"coalesce(n.count, 0) AS count,"
	" c.number AS \"case\" FROM report r JOIN source s ON s.id = r.source JOIN exercise e ON e.id = "
	"r.exercise"
	" LEFT JOIN (SELECT * FROM report_status WHERE report = ANY ($?::bigint[])) st ON st.report = r.id"
	" LEFT JOIN (SELECT report, sum(count)::bigint AS count, min(first) AS first, max(last) AS last FROM "
	"sighting"
	" WHERE report = ANY ($?::bigint[]) GROUP BY report) n ON n.report = r.id"
	" LEFT JOIN organisation o ON o.id = coalesce(st.organisation, r.organisation)"
	" LEFT JOIN (SELECT * FROM case_report WHERE report = ANY ($?::bigint[]) AND ended IS NULL) cr ON "
	"cr.report = r.id"
	" LEFT JOIN cases c ON c.id = cr.case_id WHERE r.id = ANY ($?::bigint[])) v CROSS JOIN ";

#define REPORT_ROWS_PLACES 4

void report_ids_start(struct report_ids *ids, size_t max, struct arena *arena)
{
	*ids = (struct report_ids){.ids = arena_alloc(arena, max * sizeof(int64_t)), .max = max};
}

void report_ids_add(struct report_ids *ids, int64_t id)
{
	if (ids->count < ids->max)
		ids->ids[ids->count++] = id;
}

void report_ids_query(const struct report_ids *ids, const struct request *request, struct query *query)
{
	struct buf list = {0};

	pg_array_begin(&list);
	for (size_t i = 0; i < ids->count; i++)
		pg_array_int(&list, ids->ids[i]);
	pg_array_end(&list);
	struct str array = arena_str(request->arena, buf_view(&list));
	buf_free(&list);
	query_start(query, request->arena, report_rows);
	for (int i = 0; i < REPORT_ROWS_PLACES; i++)
		query_str(query, array);
	asks_add(query, request);
	query_add(query, " ORDER BY v.id DESC");
}

static void on_rows(struct request *request, const struct pg_result *result)
{
	struct json_object *items = json_object_new_array(), *next = request->result,
			   *page = json_object_new_object();

	for (int i = 0; i < result->rows; i++)
		json_object_array_add(items, result_json(result, i, 0));
	json_object_object_add(page, "items", items);
	json_object_object_add(page, "next", next);
	request->result = NULL;
	request_answer(request, page);
}

void report_ids_answer(struct request *request, const struct report_ids *ids, int64_t next)
{
	struct query query;

	if (next) {
		struct str text = arena_printf(request->arena, "%lld", (long long)next);
		request->result = json_object_new_string_len(text.p, (int)text.len);
	}
	report_ids_query(ids, request, &query);
	request_query(request, &query, on_rows);
}
