#include "config.h"

#include <inttypes.h>

#include "base/mem.h"
#include "desk/case.h"
#include "desk/handlers.h"
#include "model/severity.h"

/*
 * Pages go by key: each order has an expression that an index holds, and the id behind it, so that the
 * thousandth page costs what the first does. A cursor is "KEY:ID" of the last row, as the order has it.
 */
struct order {
	const char *word;
	const char *key; /* of cases c and case_due d; an integer */
	const char *sort;
	const char *back; /* from the integer to what the index holds */
	bool ascending;
	bool only_due;
};

static const struct order orders[] = {
	{"newest", "0::bigint", NULL, NULL, false, false},
	{"severity", "coalesce(c.severity, -1)::bigint", "coalesce(c.severity, -1)", "$?::int", false, false},
	{"changed", "(extract(epoch FROM c.changed) * 1000000)::bigint", "c.changed",
		"'epoch'::timestamptz + $?::bigint * interval '1 microsecond'", false, false},
	{"due", "(extract(epoch FROM d.due) * 1000000)::bigint", "d.due",
		"'epoch'::timestamptz + $?::bigint * interval '1 microsecond'", true, true},
};

/* Cases with mail that came into them and is unread, and those that mail opened and nobody has taken up or
 * answered. They are looked up before the cases are: a plan that walks all cases to meet these few would take
 * a second. */
#define ANSWERED "SELECT w.case_id FROM case_letter w WHERE w.seen IS NULL"
#define UNREAD                                                                                               \
	ANSWERED " UNION ALL SELECT f.id FROM cases f WHERE f.state = 'new' AND EXISTS (SELECT FROM "        \
		 "case_report k JOIN letter l ON l.mail = k.report WHERE k.case_id = f.id AND k.ended IS "   \
		 "NULL AND NOT EXISTS (SELECT FROM report_status s WHERE s.report = k.report AND s.state = " \
		 "'answered'))"

struct case_filter {
	int64_t limit;
	const struct order *order;
	bool follows; /* a page before */
	int64_t key, id;
	struct str state, assignee, org, tag, type, identifier, campaign;
	struct str operator;
	int severity; /* at least; -1: any */
	bool mine, all, watching, unread, news;
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

static const char *check_order(struct case_filter *filter, struct str word, struct str cursor)
{
	struct str rest = cursor, key;

	filter->order = &orders[0];
	for (size_t i = 0; word.p && i < ARRAY_LEN(orders); i++)
		if (str_equal(word, str_of(orders[i].word)))
			filter->order = &orders[i];
	if (word.p && !str_equal(word, str_of(filter->order->word)))
		return "order: expected newest, severity, changed or due";
	if (!cursor.p)
		return NULL;
	filter->follows = true;
	if (str_split(&rest, ':', &key) && rest.p && str_to_i64(key, &filter->key) &&
		str_to_i64(rest, &filter->id))
		return NULL;
	return "cursor: expected the `next` of a page before";
}

static bool read_filter(struct request *request, struct case_filter *filter)
{
	struct str severity = STR_NONE, order = STR_NONE, cursor = STR_NONE;
	const char *wrong;

	filter->limit = 50;
	if (!request_number(request, "limit", 1, 1000, &filter->limit) ||
		!request_text(request, "cursor", &cursor) || !request_text(request, "order", &order) ||
		!request_text(request, "state", &filter->state) ||
		!request_text(request, "assignee", &filter->assignee) ||
		!request_text(request, "org", &filter->org) || !request_text(request, "tag", &filter->tag) ||
		!request_text(request, "type", &filter->type) ||
		!request_text(request, "identifier", &filter->identifier) ||
		!request_text(request, "campaign", &filter->campaign) ||
		!request_text(request, "severity", &severity) ||
		!request_flag(request, "watching", &filter->watching) ||
		!request_flag(request, "unread", &filter->unread) ||
		!request_flag(request, "news", &filter->news) ||
		!request_flag(request, "mine", &filter->mine) || !request_flag(request, "all", &filter->all))
		return false;
	filter->operator= str_of(request->operator.name);
	if (filter->mine)
		filter->assignee = filter->operator;
	wrong = check_filter(filter, severity);
	if (!wrong)
		wrong = check_order(filter, order, cursor);
	if (wrong)
		request_refuse(request, RPC_INVALID_PARAMS, "%s", wrong);
	return !wrong;
}

static void add_text(struct query *query, struct str value, const char *condition)
{
	if (!value.p)
		return;
	query_add(query, condition);
	query_str(query, value);
}

static void add_conditions(
	struct query *query, const struct request *request, const struct case_filter *filter)
{
	if (!filter->state.p && !filter->all && !filter->unread && !filter->news)
		query_add(query, " AND c.state NOT IN ('closed', 'rejected', 'merged')");
	add_text(query, filter->state, " AND c.state = $?::case_state");
	add_text(query, filter->assignee, " AND c.assignee = (SELECT id FROM operator WHERE name = $?)");
	add_text(query, filter->org, " AND c.organisation = org_named($?)");
	add_text(query, filter->type, " AND c.type = said_enum('type', lower($?), 'rsit_type')::rsit_type");
	add_text(query, filter->identifier, " AND c.identifier = $?");
	add_text(query, filter->tag,
		" AND c.id IN (SELECT t.case_id FROM case_tag t WHERE t.tag = lower($?))");
	if (filter->campaign.p)
		case_add_named(query, request, "c.campaign", filter->campaign);
	if (filter->watching)
		add_text(query, filter->operator, " AND c.id IN (SELECT w.case_id FROM case_watcher w JOIN "
						  "operator o ON o.id = w.operator "
						  "WHERE o.name = $?)");
	if (filter->unread)
		query_add(query, " AND c.id = ANY (ARRAY(" UNREAD "))");
	if (filter->news)
		add_text(query, filter->operator,
			" AND c.id = ANY (ARRAY(SELECT w.case_id FROM case_news w WHERE "
			"w.operator = (SELECT o.id FROM operator o WHERE "
			"o.name = $?)))");
	if (filter->severity >= 0) {
		query_add(query, " AND c.severity >= $?::int");
		query_int(query, filter->severity);
	}
}

/* Behind the last row of the page before. */
static void add_place(struct query *query, const struct case_filter *filter)
{
	const struct order *order = filter->order;
	const char *way = order->ascending ? " > " : " < ";

	if (!filter->follows)
		return;
	query_add(query, " AND (");
	if (order->sort) {
		query_add(query, order->sort);
		query_add(query, ", c.id)");
		query_add(query, way);
		query_add(query, "(");
		query_add(query, order->back);
		query_int(query, filter->key);
		query_add(query, ", $?::bigint)");
	} else {
		query_add(query, "c.id < $?::bigint)");
	}
	query_int(query, filter->id);
}

static void add_order(struct query *query, const struct case_filter *filter)
{
	const struct order *order = filter->order;

	query_add(query, " ORDER BY ");
	if (order->sort) {
		query_add(query, order->sort);
		query_add(query, order->ascending ? ", " : " DESC, ");
	}
	query_add(query, order->ascending ? "c.id LIMIT $?::bigint)" : "c.id DESC LIMIT $?::bigint)");
	query_int(query, filter->limit + 1);
}

static void on_page(struct request *request, const struct pg_result *result)
{
	const struct case_filter *filter = request->state;

	request_answer(request, result_page(result, filter->limit));
}

static void add_page(struct query *query, const struct request *request, const struct case_filter *filter)
{
	query_add(query, "(SELECT c.id, ");
	query_add(query, filter->order->key);
	query_add(query, " AS key FROM cases c");
	if (filter->order->only_due)
		query_add(query, " JOIN case_due d ON d.case_id = c.id");
	query_add(query, " WHERE true");
	case_add_visible(query, request);
	add_conditions(query, request, filter);
	add_place(query, filter);
	add_order(query, filter);
}

/* Somebody answered in a case that nobody looks at any more: it is shown until somebody has read it. */
static void add_answered(struct query *query, const struct request *request, const struct case_filter *filter)
{
	struct case_filter all = *filter;

	if (filter->state.p || filter->all || filter->unread || filter->news || filter->order->sort)
		return;
	all.all = true;
	query_add(query,
		" UNION (SELECT c.id, 0::bigint FROM cases c WHERE c.state IN ('closed', 'rejected') "
		"AND c.id = ANY (ARRAY(" ANSWERED "))");
	case_add_visible(query, request);
	add_conditions(query, request, &all);
	add_place(query, &all);
	add_order(query, &all);
}

void desk_case_list(struct request *request)
{
	struct case_filter *filter = arena_alloc(request->arena, sizeof(*filter));
	struct query query;

	if (!read_filter(request, filter) || !request_database(request))
		return;
	request->state = filter;
	query_start(&query, request->arena, "WITH page AS MATERIALIZED (SELECT id, key FROM (");
	add_page(&query, request, filter);
	add_answered(&query, request, filter);
	query_add(&query, filter->order->ascending ? ") AS found ORDER BY key, id"
						   : ") AS found ORDER BY key DESC, id DESC");
	query_add(&query,
		" LIMIT $?::bigint) SELECT " CASE_JSON ", page.key || ':' || page.id FROM page JOIN "
		"case_view v ON v.id = page.id CROSS JOIN ");
	query_int(&query, filter->limit + 1);
	asks_add(&query, request);
	query_add(&query, " ORDER BY page.key");
	query_add(&query, filter->order->ascending ? ", page.id" : " DESC, page.id DESC");
	request_query(request, &query, on_page);
}
