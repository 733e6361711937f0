#include "config.h"

#include "desk/visible.h"

static bool sees_all(const struct request *request)
{
	return request->operator.role >= ROLE_LEAD;
}

/* The last arguments of a function: who asks. */
static void add_who(struct query *query, const struct request *request)
{
	query_add(query, "$?, $?)");
	query_str(query, str_of(request->operator.name));
	query_str(query, str_of(role_name(request->operator.role)));
}

void case_add_named(struct query *query, const struct request *request, const char *column, struct str named)
{
	query_add(query, " AND ");
	query_add(query, column);
	query_add(query, " = (SELECT case_named_by($?, ");
	query_str(query, named);
	add_who(query, request);
	query_add(query, ")");
}

/* Most cases are open to all, and are not asked about. */
void case_add_visible(struct query *query, const struct request *request)
{
	if (sees_all(request))
		return;
	query_add(query, " AND (NOT (c.restricted OR c.tlp = 'red' OR c.merged_into IS NOT NULL) OR "
			 "case_may_see(c.id, $?))");
	query_str(query, str_of(request->operator.name));
}

void report_add_visible(struct query *query, const struct request *request, const char *row)
{
	if (sees_all(request))
		return;
	query_add(query, " AND report_may_see(");
	query_add(query, row);
	query_add(query, ".id, ");
	query_add(query, row);
	query_add(query, ".tlp, ");
	add_who(query, request);
}

void mail_add_visible(struct query *query, const struct request *request)
{
	if (sees_all(request))
		return;
	query_add(query, " AND mail_may_see(i.id, i.tlp, ");
	add_who(query, request);
}

void landed_add_visible(struct query *query, const struct request *request, const char *column)
{
	if (sees_all(request))
		return;
	query_add(query, " AND landed_may_see(");
	query_add(query, column);
	query_add(query, ", ");
	add_who(query, request);
}

void alarm_add_visible(struct query *query, const struct request *request)
{
	if (sees_all(request))
		return;
	query_add(query, " AND alarm_visible(a, ");
	add_who(query, request);
}

void asks_add(struct query *query, const struct request *request)
{
	query_add(query, "(SELECT $?::text AS who, $?::text AS role) AS asks");
	query_str(query, str_of(request->operator.name));
	query_str(query, str_of(role_name(request->operator.role)));
}
