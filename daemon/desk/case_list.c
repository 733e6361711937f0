#include "config.h"

#include "desk/case.h"
#include "desk/handlers.h"
#include "model/severity.h"

struct case_filter {
	int64_t limit, cursor;
	struct str state, assignee;
	int severity; /* at least; -1: any */
	bool mine, all;
};

static const char *check_filter(struct case_filter *filter, struct str severity)
{
	static const char *const states[] = {
		"new", "open", "waiting", "contained", "resolved", "closed", "rejected", "merged"};
	bool known = !filter->state.p;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		known = known || str_equal(filter->state, str_of(states[i]));
	if (!known)
		return "state: expected new, open, waiting, contained, resolved, closed, rejected or merged";
	filter->severity = -1;
	if (severity.p && (!severity_parse(severity, &filter->severity) || filter->severity < 0))
		return "severity: expected info, low, medium, high or critical";
	if (severity.p)
		filter->severity = filter->severity / 20 * 20;
	return NULL;
}

static bool read_filter(struct request *request, struct case_filter *filter)
{
	struct str severity = STR_NONE;
	const char *wrong;

	if (!request_page(request, &filter->limit, &filter->cursor) ||
		!request_text(request, "state", &filter->state) ||
		!request_text(request, "assignee", &filter->assignee) ||
		!request_text(request, "severity", &severity) ||
		!request_flag(request, "mine", &filter->mine) || !request_flag(request, "all", &filter->all))
		return false;
	if (filter->mine)
		filter->assignee = str_of(request->operator.name);
	wrong = check_filter(filter, severity);
	if (wrong)
		request_refuse(request, RPC_INVALID_PARAMS, "%s", wrong);
	return !wrong;
}

static void add_conditions(struct query *query, const struct case_filter *filter)
{
	if (filter->state.p) {
		query_add(query, " AND c.state = $?::case_state");
		query_str(query, filter->state);
	} else if (!filter->all) {
		query_add(query, " AND c.state NOT IN ('closed', 'rejected', 'merged')");
	}
	if (filter->assignee.p) {
		query_add(query, " AND c.assignee = (SELECT id FROM operator WHERE name = $?)");
		query_str(query, filter->assignee);
	}
	if (filter->severity >= 0) {
		query_add(query, " AND c.severity >= $?::int");
		query_int(query, filter->severity);
	}
}

static void on_page(struct request *request, const struct pg_result *result)
{
	const struct case_filter *filter = request->state;

	request_answer(request, result_page(result, filter->limit));
}

static void add_page(struct query *query, const struct request *request, const struct case_filter *filter)
{
	query_add(query, "(SELECT c.id FROM cases c WHERE c.id < $?::bigint");
	query_int(query, filter->cursor);
	case_add_visible(query, request);
	add_conditions(query, filter);
	query_add(query, " ORDER BY c.id DESC LIMIT $?::bigint)");
	query_int(query, filter->limit + 1);
}

/* Somebody answered in a case that nobody looks at any more: it is shown until somebody has read it. */
static void add_answered(struct query *query, const struct request *request, const struct case_filter *filter)
{
	struct case_filter all = *filter;

	if (filter->state.p || filter->all)
		return;
	all.all = true;
	query_add(query, " UNION (SELECT c.id FROM cases c WHERE c.state IN ('closed', 'rejected') AND c.id "
			 "IN (SELECT "
			 "w.case_id FROM case_letter w WHERE w.seen IS NULL) AND c.id < $?::bigint");
	query_int(query, filter->cursor);
	case_add_visible(query, request);
	add_conditions(query, &all);
	query_add(query, " ORDER BY c.id DESC LIMIT $?::bigint)");
	query_int(query, filter->limit + 1);
}

void desk_case_list(struct request *request)
{
	struct case_filter *filter = arena_alloc(request->arena, sizeof(*filter));
	struct query query;

	if (!read_filter(request, filter) || !request_database(request))
		return;
	request->state = filter;
	query_start(&query, request->arena, "WITH page AS MATERIALIZED (SELECT id FROM (");
	add_page(&query, request, filter);
	add_answered(&query, request, filter);
	query_add(&query, ") AS found ORDER BY id DESC LIMIT $?::bigint) SELECT " CASE_JSON
			  ", v.id FROM page JOIN case_view v ON v.id = page.id ORDER BY v.id DESC");
	query_int(&query, filter->limit + 1);
	request_query(request, &query, on_page);
}
