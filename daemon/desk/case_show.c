#include "config.h"

#include "base/mem.h"
#include "desk/case.h"
#include "desk/handlers.h"
#include "desk/report.h"
#include "model/reply_seal.h"

/*
 * A case is shown in pieces, each a member of the answer and one expression over `cases c` and `w`, the case
 * with all that was merged into it: what hangs on those is shown as the case's own, and says by `case` whose
 * it is where that is another. Whoever has something more to say of a case adds a piece.
 */
#define REPORTS_MOST "50" /* shown of a case; the rest is counted */
#define JOURNAL_MOST "200"
#define MAILS_MOST   "200"
#define NOTES_MOST   "100"
#define NOTE_BYTES   "20000" /* of each; `cirt note show` has all of it */

#define OF_WHOLE "case_id = ANY (w.ids)"

struct piece {
	const char *member;
	const char *sql;
};

static const struct piece pieces[] = {
	{"pap", "to_json(c.pap)"},
	/* Now it is looked at: the next time only what is new since is. */
	{"news", "to_json(case_looked(c.id, asks.who))"},
	{"reason", "to_json(nullif(c.reason, ''))"},
	{"outcome", "to_json(nullif(c.outcome, ''))"},
	{"outcome_text", "to_json(nullif(c.outcome_text, ''))"},
	{"impact", "to_json(c.impact)"},
	{"opened_by", "to_json(c.opened_by)"},
	{"closed", "CASE WHEN c.state = 'closed' THEN to_json(stamp(c.changed)) END"},
	{"revision", "to_json(case_revision(c.id))"},
	{"next_states", "(SELECT coalesce(json_agg(t.to_state ORDER BY t.to_state), '[]') FROM "
			"case_transition t WHERE "
			"t.from_state = c.state AND t.to_state <> 'merged')"},
	{"open_ends", "(SELECT coalesce(json_agg(e.what), '[]') FROM case_open_ends(c.id) e)"},
	{"merged", "(SELECT coalesce(json_agg(m.number ORDER BY m.id), '[]') FROM cases m WHERE m.id = ANY "
		   "(w.ids) AND m.id <> c.id)"},
	{"campaign",
		"(SELECT json_build_object('number', g.number, 'title', g.title, 'cases', (SELECT count(*) "
		"FROM cases m WHERE m.campaign = g.id)) FROM cases g WHERE g.id = case_now(c.campaign) AND "
		"campaign_shown(g.number, "
		"asks.who, asks.role) IS NOT NULL)"},
	{"campaign_of", "(SELECT to_json(nullif(count(*), 0)) FROM cases m WHERE m.campaign = c.id)"},
	{"watchers", "case_watchers(c.id)"},
	{"tags", "case_tags(c.id)"},
	{"parties", "(SELECT coalesce(json_agg(party_json(p.id) ORDER BY p.id), '[]') FROM party p WHERE "
		    "p." OF_WHOLE ")"},
	{"references",
		"(SELECT coalesce(json_agg(json_build_object('system', f.system, 'value', f.value, 'party', "
		"f.party) ORDER BY f.id), '[]') FROM reference f WHERE f." OF_WHOLE ")"},
	{"keys", "(SELECT coalesce(json_agg(k.key ORDER BY k.id), '[]') FROM case_key k WHERE k.case_id = "
		 "c.id AND NOT k.closed)"},
	{"clocks", "case_clocks(c.id)"},
	{"law", "case_law(c.id)"},
	{"inquiries", "case_inquiries(c.id)"},
	{"waits",
		"(SELECT json_build_object('whom', a.whom, 'until', stamp(a.until), 'since', stamp(a.since)) "
		"FROM case_wait a WHERE a.case_id = c.id AND a.ended IS NULL)"},
	{"tasks", "(SELECT coalesce(json_agg(task_json(t) ORDER BY t.state <> 'open', coalesce(t.due, "
		  "'infinity'), t.id), '[]') FROM task t WHERE t." OF_WHOLE ")"},
	{"measures",
		"(SELECT coalesce(json_agg(measure_json(m) ORDER BY m.ended IS NOT NULL, m.id), '[]') FROM "
		"measure m WHERE m." OF_WHOLE ")"},
	{"events",
		"(SELECT coalesce(json_agg(event_json(e) ORDER BY e.at, e.id), '[]') FROM case_event e WHERE "
		"e." OF_WHOLE ")"},
	{"evidence", "(SELECT to_json(count(DISTINCT a.digest)) FROM case_report r JOIN attachment a ON "
		     "a.report = "
		     "r.report WHERE r.case_id = c.id AND r.ended IS NULL)"},
	{"now", "(SELECT json_build_object('id', n.id, 'at', stamp(n.at), 'actor', n.actor, 'text', "
		"left(n.text, 2000)) FROM note n WHERE n." OF_WHOLE
		" AND n.pinned ORDER BY n.id DESC LIMIT 1)"},
	{"notes", "(SELECT coalesce(json_agg(json_strip_nulls(json_build_object('id', n.id, 'case', "
		  "nullif(n.case_id, c.id), 'at', stamp(n.at), 'actor', n.actor, 'text', "
		  "left(n.text, " NOTE_BYTES "), 'cut', CASE WHEN length(n.text) > " NOTE_BYTES
		  " THEN length(n.text) END, 'pinned', CASE WHEN n.pinned THEN true END, 'unsaid', CASE WHEN "
		  "n.unsaid THEN true END, 'edited', "
		  "stamp(n.edited), 'erased', stamp(n.erased))) ORDER BY n.id), '[]') FROM (SELECT * FROM "
		  "note o "
		  "WHERE o." OF_WHOLE " ORDER BY o.id DESC LIMIT " NOTES_MOST ") n)"},
	{"notes_count", "(SELECT to_json(count(*)) FROM note n WHERE n." OF_WHOLE ")"},
	{"journal",
		"(SELECT coalesce(json_agg(json_build_object('n', k.n, 'at', stamp(to_timestamp(k.at / "
		"1e6)), "
		"'actor', k.actor, 'action', k.action, 'what', k.what) ORDER BY k.n) FILTER (WHERE k.what IS "
		"NOT NULL), '[]') FROM (SELECT j.*, journal_told(case_journal_text(c.number, j.action, "
		"j.before, j.after), asks.who, asks.role) AS what FROM journal j WHERE j.object = 'case/' || "
		"c.number ORDER BY j.n DESC "
		"LIMIT " JOURNAL_MOST ") k)"},
	/* Reports that somebody whom the case does not know says are of it. */
	{"perhaps",
		"(SELECT coalesce(json_agg(json_build_object('report', report_number(g.report), 'sender', "
		"nullif(g.sender, ''), 'way', g.way) ORDER BY g.report), '[]') FROM (SELECT * FROM "
		"letter_guess h WHERE h.case_id = c.id AND NOT EXISTS (SELECT FROM case_report r WHERE "
		"r.report = h.report AND r.case_id = c.id AND r.ended IS NULL) ORDER BY h.report DESC "
		"LIMIT " MAILS_MOST ") g)"},
	{"mails_count", "(SELECT to_json(count(*)) FROM case_letter m WHERE m." OF_WHOLE ")"},
};

/* The texts of mails only for who asks for them. */
#define MAILS                                                                                             \
	"(SELECT coalesce(json_agg(json_build_object('id', report_number(i.id), 'received', "             \
	"stamp(i.received), 'sender', nullif(l.sender, ''), 'title', i.title, 'kind', i.subkind, 'way', " \
	"l.way, 'known', l.known, 'new', l.seen IS NULL, 'text', CASE WHEN $?::boolean THEN i.text END) " \
	"ORDER BY i.id), '[]') FROM (SELECT * FROM case_letter m WHERE m." OF_WHOLE                       \
	" ORDER BY m.item DESC LIMIT " MAILS_MOST                                                         \
	") l JOIN item i ON i.id = l.item WHERE mail_may_see(i.id, i.tlp, asks.who, asks.role))"

#define REPORTS                                                                                    \
	"ARRAY(SELECT r.report FROM case_report r WHERE r.case_id = c.id AND r.ended IS NULL AND " \
	"landed_may_see(r.report, asks.who, asks.role) ORDER BY r.report DESC LIMIT " REPORTS_MOST ")"

/* The columns in front of the pieces. */
enum { SHOWN_HEAD, SHOWN_REPORTS, SHOWN_MAILS, SHOWN_THREAD, SHOWN_PIECES };

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
	report_ids_query(&ids, request, &query);
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
	struct json_object *reports = result_json(result, 0, SHOWN_REPORTS);
	request->result = result_json(result, 0, SHOWN_HEAD);
	json_object_object_add(request->result, "mails", result_json(result, 0, SHOWN_MAILS));
	if (pg_value(result, 0, SHOWN_THREAD).p)
		json_object_object_add(request->result, "thread", result_json(result, 0, SHOWN_THREAD));
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		json_object_object_add(
			request->result, pieces[i].member, result_json(result, 0, SHOWN_PIECES + (int)i));
	add_reply(request);
	ask_reports(request, reports);
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
	query_start(&query, request->arena, "SELECT " CASE_JSON ", array_to_json(" REPORTS "), " MAILS);
	query_bool(&query, texts);
	query_add(&query,
		", CASE WHEN $?::boolean THEN thread_told(case_thread(c.id), asks.who, asks.role) END");
	query_bool(&query, texts);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		query_add(&query, ", ");
		query_add(&query, pieces[i].sql);
	}
	query_add(&query, " FROM cases c JOIN case_view v ON v.id = c.id, LATERAL (SELECT case_whole(c.id) "
			  "AS ids) w, ");
	asks_add(&query, request);
	query_add(&query, " WHERE c.id = case_seen($?, jsonb_build_object('operator', $?::text, 'role', "
			  "$?::text))");
	query_str(&query, number);
	query_str(&query, str_of(request->operator.name));
	query_str(&query, str_of(role_name(request->operator.role)));
	request_query(request, &query, on_case);
}
