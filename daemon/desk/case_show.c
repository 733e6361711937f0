#include "config.h"

#include "desk/case.h"
#include "desk/handlers.h"
#include "desk/report.h"
#include "model/reply_seal.h"

#define CASE_REPORTS "50" /* shown of a case; the rest is counted */
#define CASE_JOURNAL "200"
#define CASE_MAILS   "200"

#define NEXT_STATES                                                                               \
	"(SELECT coalesce(json_agg(t.to_state ORDER BY t.to_state), '[]') FROM case_transition t" \
	" WHERE t.from_state = c.state AND t.to_state <> 'merged')"

#define NOTES                                                                                               \
	"(SELECT coalesce(json_agg(json_build_object('at', stamp(n.at), 'actor', n.actor, 'text', n.text) " \
	"ORDER BY n.id), '[]')"                                                                             \
	" FROM note n WHERE n.case_id = c.id)"

#define JOURNAL                                                                                            \
	"(SELECT coalesce(json_agg(json_build_object('n', j.n, 'at', stamp(to_timestamp(j.at / 1e6)), "    \
	"'actor', j.actor,"                                                                                \
	" 'action', j.action, 'what', case_journal_text(c.number, j.action, j.before, j.after)) ORDER BY " \
	"j.n), '[]')"                                                                                      \
	" FROM (SELECT * FROM journal WHERE object = 'case/' || c.number ORDER BY n DESC "                 \
	"LIMIT " CASE_JOURNAL ") j)"

#define REPORTS                                                                                         \
	"ARRAY(SELECT r.report FROM case_report r WHERE r.case_id = c.id AND r.ended IS NULL ORDER BY " \
	"r.report DESC"                                                                                 \
	" LIMIT " CASE_REPORTS ")"

#define PARTIES                                                                                             \
	"(SELECT coalesce(json_agg(json_build_object('role', p.role, 'name', p.name, 'contact', p.contact," \
	" 'organisation', o.name) ORDER BY p.id), '[]') FROM party p LEFT JOIN organisation o ON o.id = "   \
	"p.organisation"                                                                                    \
	" WHERE p.case_id = c.id)"

#define MAILS                                                                                                \
	"(SELECT coalesce(json_agg(json_build_object('id', report_number(i.id), 'received', "                \
	"stamp(i.received), 'sender', nullif(l.sender, ''), 'title', i.title, 'kind', i.subkind, 'way', "    \
	"l.way, 'known', l.known, 'new', l.seen IS NULL, 'text', CASE WHEN $?::boolean THEN i.text END) "    \
	"ORDER BY i.id), '[]') FROM (SELECT * FROM case_letter m WHERE m.case_id = c.id OR m.case_id IN "    \
	"(SELECT o.id FROM cases o WHERE o.merged_into = c.id) ORDER BY m.item DESC LIMIT " CASE_MAILS ") l" \
	" JOIN item i ON i.id = l.item)"

/* Reports that somebody whom the case does not know says are of it. */
#define PERHAPS                                                                                             \
	"(SELECT coalesce(json_agg(json_build_object('report', report_number(g.report), 'sender', "         \
	"nullif(g.sender, ''), 'way', g.way) ORDER BY g.report), '[]') FROM (SELECT * FROM letter_guess h " \
	"WHERE h.case_id = c.id AND NOT EXISTS (SELECT FROM case_report r WHERE r.report = h.report AND "   \
	"r.case_id = c.id AND r.ended IS NULL) ORDER BY h.report DESC LIMIT " CASE_MAILS ") g)"

#define MORE                                                                                                 \
	"json_build_object('pap', c.pap, 'reason', nullif(c.reason, ''), 'outcome', nullif(c.outcome, ''), " \
	"'opened_by', c.opened_by,"                                                                          \
	" 'closed', CASE WHEN c.state = 'closed' THEN stamp(c.changed) END, 'next_states', " NEXT_STATES     \
	", 'notes', " NOTES ","                                                                              \
	" 'journal', " JOURNAL ", 'parties', " PARTIES ","                                                   \
	" 'mails', " MAILS ", 'perhaps', " PERHAPS ","                                                       \
	" 'merged', (SELECT coalesce(json_agg(m.number ORDER BY m.id), '[]') FROM cases m WHERE "            \
	"m.merged_into = c.id),"                                                                             \
	" 'tags', (SELECT coalesce(json_agg(t.tag ORDER BY t.tag), '[]') FROM case_tag t WHERE t.case_id = " \
	"c.id),"                                                                                             \
	" 'keys', (SELECT coalesce(json_agg(k.key ORDER BY k.id), '[]') FROM case_key k WHERE k.case_id = "  \
	"c.id AND NOT k.closed),"                                                                            \
	" 'references', (SELECT coalesce(json_agg(json_build_object('system', f.system, 'value', f.value) "  \
	"ORDER BY f.id), '[]')"                                                                              \
	" FROM reference f WHERE f.case_id = c.id))"

void case_add_visible(struct query *query, const struct request *request)
{
	if (request->operator.role >= ROLE_LEAD)
		return;
	query_add(query, " AND (NOT c.restricted OR case_may_see(c.id, $?))");
	query_str(query, str_of(request->operator.name));
}

static void on_reports(struct request *request, const struct pg_result *result)
{
	struct json_object *items = json_object_new_array();

	for (int i = 0; i < result->rows; i++)
		json_object_array_add(items, result_json(result, i, 0));
	json_object_object_add(request->result, "report_items", items);
	request_answer_result(request, result);
}

static void ask_reports(struct request *request, struct json_object *list)
{
	size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	struct report_ids ids;
	struct query query;

	report_ids_start(&ids, count, request->arena);
	for (size_t i = 0; i < count; i++)
		report_ids_add(&ids, json_object_get_int64(json_object_array_get_idx(list, i)));
	report_ids_query(&ids, request->arena, &query);
	request_query(request, &query, on_reports);
}

/* Where answers go, and what their subject should say. */
static void add_reply(struct request *request)
{
	const struct conf *conf = room_conf(request->desk->room);
	struct json_object *number = NULL;
	struct str base = conf->reply_address;

	if (base.len == 0)
		base = arena_printf(request->arena, "case@" STR_FMT,
			STR_ARG(conf->hostname.len > 0 ? conf->hostname : STR("localhost")));
	json_object_object_get_ex(request->result, "number", &number);
	struct str text = str_of(json_object_get_string(number));
	struct str address =
		reply_address(room_grant(request->desk->room, "reply.key"), base, text, request->arena);
	json_object_object_add(request->result, "reply_address",
		address.p ? json_object_new_string_len(address.p, (int)address.len) : NULL);
	struct str tag = arena_printf(
		request->arena, "[" STR_FMT " " STR_FMT "]", STR_ARG(conf->reply_tag), STR_ARG(text));
	json_object_object_add(
		request->result, "subject_tag", json_object_new_string_len(tag.p, (int)tag.len));
}

static void on_case(struct request *request, const struct pg_result *result)
{
	if (result->rows == 0) {
		request_refuse(request, RPC_DENIED, "that case is restricted");
		return;
	}
	struct json_object *more = result_json(result, 0, 1), *reports = result_json(result, 0, 2);
	request->result = result_json(result, 0, 0);
	json_object_object_foreach(more, key, value)
		json_object_object_add(request->result, key, json_object_get(value));
	add_reply(request);
	ask_reports(request, reports);
	json_object_put(more);
	json_object_put(reports);
}

void desk_case_show(struct request *request)
{
	struct query query;
	struct str number;
	bool texts = false;

	if (!request_needs(request, "number", &number) || !request_flag(request, "mail", &texts) ||
		!request_database(request))
		return;
	query_start(&query, request->arena,
		"SELECT " CASE_JSON ", " MORE ", array_to_json(" REPORTS
		") FROM cases c JOIN case_view v ON v.id = c.id WHERE c.id = case_named($?)");
	query_bool(&query, texts);
	query_str(&query, number);
	case_add_visible(&query, request);
	request_query(request, &query, on_case);
}
