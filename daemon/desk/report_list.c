#include "config.h"

#include "desk/handlers.h"
#include "desk/report.h"

/*
 * Newest first, page by page in the order of the primary key. What no index serves (type, state, severity,
 * whose) is looked for in at most this many rows a page; then the page ends early, and its cursor says where
 * to go on.
 */
#define LOOK_AT "100000"

static void add_range(struct query *query, const struct report_filter *filter)
{
	query_add(query, " FROM report r WHERE r.id < $?::bigint AND r.id >= $?::bigint");
	query_int(query, filter->cursor);
	query_int(query, filter->least);
	if (filter->source_id) {
		query_add(query, " AND r.source = $?::int");
		query_int(query, filter->source_id);
	}
	if (filter->since.p) {
		query_add(query, " AND r.received >= $?::timestamptz");
		query_str(query, filter->since);
	}
	query_add(query, " ORDER BY r.id DESC LIMIT ");
}

static void add_conditions(struct query *query, const struct report_filter *filter)
{
	query_add(query, " WHERE true");
	report_filter_whose(filter, "c", query);
	if (filter->type.p) {
		query_add(query, " AND c.type = $?::rsit_type");
		query_str(query, filter->type);
	}
	if (filter->severity >= 0) {
		query_add(query, " AND coalesce((SELECT st.severity FROM report_status st WHERE st.report = "
				 "c.id), c.severity) >= $?::int");
		query_int(query, filter->severity);
	}
	if (filter->identifier.p) {
		query_add(query, " AND lower(c.identifier) = lower($?)");
		query_str(query, filter->identifier);
	}
	if (filter->state.p) {
		query_add(query, " AND coalesce((SELECT st.state FROM report_status st WHERE st.report = "
				 "c.id), 'new') = $?::report_state");
		query_str(query, filter->state);
	}
}

static bool is_filtered(const struct report_filter *filter)
{
	return filter->type.p || filter->severity >= 0 || filter->state.p || filter->identifier.p ||
	       filter->org.p || filter->country.p;
}

/* A short page of a narrowed list is the end only if all was looked at. */
static void on_floor(struct request *request, const struct pg_result *result)
{
	const struct report_filter *filter = request->state;

	report_ids_answer(request, &filter->found, pg_value(result, 0, 0).p ? pg_value_int(result, 0, 0) : 0);
}

static void on_found(struct request *request, const struct pg_result *result)
{
	struct report_filter *filter = request->state;
	struct query query;

	report_ids_start(&filter->found, (size_t)filter->limit, request->arena);
	for (int i = 0; i < result->rows; i++)
		report_ids_add(&filter->found, pg_value_int(result, i, 0));
	if (result->rows > filter->limit || !is_filtered(filter)) {
		bool more = result->rows > filter->limit;
		report_ids_answer(
			request, &filter->found, more ? filter->found.ids[filter->found.count - 1] : 0);
		return;
	}
	query_start(&query, request->arena, "SELECT min(f.id) FROM (SELECT r.id");
	add_range(&query, filter);
	query_add(&query, LOOK_AT ") f HAVING count(*) = " LOOK_AT);
	request_query(request, &query, on_floor);
}

static void on_resolved(struct request *request, const struct pg_result *result)
{
	struct report_filter *filter = request->state;
	struct query query;

	if (!report_filter_take(request, result, filter))
		return;
	query_start(&query, request->arena,
		"SELECT c.id FROM (SELECT r.id, r.tlp, r.type, r.severity, r.identifier, r.organisation, "
		"r.country");
	add_range(&query, filter);
	query_add(&query, is_filtered(filter) ? LOOK_AT ") c" : "ALL) c");
	add_conditions(&query, filter);
	report_add_visible(&query, request, "c");
	query_add(&query, " ORDER BY c.id DESC LIMIT $?::bigint");
	query_int(&query, filter->limit + 1);
	request_query(request, &query, on_found);
}

void desk_report_list(struct request *request)
{
	struct report_filter *filter = arena_alloc(request->arena, sizeof(*filter));

	if (!report_filter_read(request, filter) || !request_database(request))
		return;
	request->state = filter;
	report_filter_resolve(request, on_resolved);
}
