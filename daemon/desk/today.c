#include "config.h"

#include "base/mem.h"
#include "desk/handlers.h"
#include "desk/visible.h"

/*
 * What the day looks like, for whoever begins a watch. "Today" is the day in UTC, as in the books. No part
 * reads more than what is open, or of today, and each counts no further than MOST: on a system with millions
 * of reports this takes as long as on an empty one.
 */
#define MOST  "10000"
#define TODAY "date_trunc('day', now(), 'UTC')"

/* One part of the answer: a statement that gives one JSON value. Where `cases` stands in for text, those
 * cases are left out that the operator must not see.
 */
struct part {
	const char *name;
	const char *sql;
	const char *rest; /* behind the condition on cases c; NULL: there is none */
	bool asks;        /* "$?" in it is who asks, as JSON */
};

static const struct part parts[] = {
	{"alarms", "SELECT alarms_today($?::jsonb)", NULL, true},
	/* Mails that nobody has taken up: reports without a case, mails of new cases, and what came into a
           case and is unread. */
	{"people",
		"WITH late AS MATERIALIZED (SELECT mail, sender FROM letter WHERE mail >="
		" report_since(now() - interval '30 days') ORDER BY mail DESC LIMIT 5000), mails AS (SELECT "
		"l.sender, cr.case_id, coalesce(st.state, 'new') ="
		" 'new' AS fresh, false AS inside FROM late l JOIN report r ON r.id = l.mail AND"
		" r.id >= report_since(now() - interval '30 days') AND"
		" r.exercise = 0 AND r.received > now() - interval '30 days' LEFT JOIN"
		" report_status st ON st.report = r.id LEFT JOIN case_report cr ON cr.report = r.id"
		" AND cr.ended IS NULL UNION ALL SELECT w.sender, w.case_id, true, true FROM"
		" (SELECT * FROM case_letter WHERE seen IS NULL LIMIT " MOST ") w), unread AS"
		" (SELECT m.sender, c.id IS NULL AS loose FROM mails m LEFT JOIN cases c ON c.id ="
		" m.case_id WHERE CASE WHEN c.id IS NULL THEN m.fresh WHEN c.exercise <> 0 THEN"
		" false ELSE m.inside OR c.state = 'new' END AND (c.id IS NULL OR (true",
		"))), senders AS (SELECT sender, count(*) AS n, count(*) FILTER (WHERE loose) AS"
		" loose FROM unread GROUP BY sender), known AS (SELECT u.n, u.loose,"
		" coalesce(o.kind::text, 'stranger') AS kind, CASE WHEN o.kind IN ('national-cirt',"
		" 'sector-cirt') THEN o.name END AS name FROM senders u LEFT JOIN LATERAL (SELECT"
		" w.organisation FROM (SELECT x.id, x.organisation FROM contact x WHERE"
		" lower(x.email) = u.sender AND x.email <> '' OFFSET 0) w ORDER BY w.id LIMIT 1)"
		" k ON true LEFT JOIN LATERAL (SELECT h.organisation FROM"
		" name_at(split_part(u.sender, '@', 2), now()) h WHERE k.organisation IS NULL) h ON"
		" true LEFT JOIN organisation o ON o.id = coalesce(k.organisation,"
		" h.organisation)), kinds AS (SELECT kind, name, sum(n)::bigint AS n, sum(loose) AS"
		" loose FROM known GROUP BY kind, name) SELECT json_build_object('unread',"
		" coalesce(sum(n), 0)::bigint, 'inbox', coalesce(sum(loose), 0)::bigint, 'from',"
		" coalesce(json_agg(json_build_object('kind', kind, 'name', name, 'count', n) ORDER"
		" BY n DESC, kind, name), '[]')) FROM kinds",
		false},
	{"cases",
		"SELECT json_build_object('new', count(*) FILTER (WHERE s.state = 'new'), 'open',"
		" count(*), 'critical', count(*) FILTER (WHERE s.severity >= 80), 'waiting',"
		" count(*) FILTER (WHERE s.state = 'waiting'), 'waiting_numbers',"
		" coalesce((array_agg(s.number ORDER BY s.changed) FILTER (WHERE s.state ="
		" 'waiting'))[1:3], '{}')) FROM (SELECT c.* FROM cases c WHERE c.state NOT IN"
		" ('closed', 'rejected', 'merged') AND c.exercise = 0",
		" LIMIT " MOST ") s", false},
	/* By what brings them: lists that machines keep, sensors, people. A relapse is a new report that
           names an old one. */
	{"intake",
		"WITH day AS MATERIALIZED (SELECT source, sum(entries_processed +"
		" entries_quarantined + entries_discarded) AS e, sum(reports) AS r, sum(folded) AS"
		" f, sum(quarantined + entries_quarantined) AS q FROM ledger_day WHERE day ="
		" timezone('UTC', now())::date GROUP BY source), again AS MATERIALIZED (SELECT"
		" r.source, count(*) AS n FROM (SELECT DISTINCT a FROM report_link WHERE kind ="
		" 'relapse' AND a >= report_since(" TODAY ") LIMIT " MOST ") l JOIN report r ON"
		" r.id = l.a AND r.received >= " TODAY " GROUP BY r.source), each AS (SELECT"
		" s.name, CASE WHEN s.kind = 'sensor' THEN 'sensors' WHEN s.kind = 'mailbox' AND"
		" NOT EXISTS (SELECT FROM feed_columns f WHERE f.source = s.id) THEN 'people' ELSE"
		" 'feeds' END AS lane, d.e, d.r, d.f, d.q, coalesce(a.n, 0) AS n FROM day d JOIN"
		" source s ON s.id = d.source LEFT JOIN again a ON a.source = d.source) SELECT"
		" coalesce(json_object_agg(lane, told), '{}') FROM (SELECT lane,"
		" json_build_object('sources', count(*), 'first', (array_agg(name ORDER BY r + f"
		" DESC, name))[1:3], 'entries', sum(e)::bigint, 'rows', sum(r + f + q)::bigint,"
		" 'again', sum(f)::bigint, 'new', greatest(sum(r) - sum(n), 0)::bigint, 'relapse',"
		" sum(n)::bigint, 'quarantined', sum(q)::bigint) AS told FROM each GROUP BY lane) l",
		NULL, false},
	{"notices",
		"WITH open AS MATERIALIZED (SELECT o.state, o.organisation, o.address, o.due,"
		" o.exercise FROM outbox o WHERE o.state IN ('bundling', 'held', 'ready') LIMIT"
		" " MOST "), undone AS (SELECT k.outcome, (SELECT count(*) FROM (SELECT FROM"
		" warning w WHERE w.outcome = k.outcome AND w.outcome NOT IN ('told', 'waiting')"
		" AND w.decided >= " TODAY " AND w.exercise = 0 LIMIT " MOST ") n) AS n FROM"
		" unnest('{suppressed,no-contact,asks-permission,held,not-ours}'::warning_outcome[])"
		" AS k (outcome)) SELECT json_build_object('ready', count(*) FILTER (WHERE state ="
		" 'ready' AND exercise = 0), 'gathering', count(*) FILTER (WHERE state = 'bundling'"
		" AND exercise = 0), 'full', stamp(min(due) FILTER (WHERE state = 'bundling' AND"
		" exercise = 0)), 'held', count(*) FILTER (WHERE state = 'held' AND exercise = 0),"
		" 'organisations', count(DISTINCT coalesce(organisation::text, address)) FILTER"
		" (WHERE exercise = 0), 'drill', count(*) FILTER (WHERE exercise <> 0), 'queued',"
		" (SELECT count(*) FROM (SELECT FROM outbox WHERE state = 'queued' LIMIT " MOST ")"
		" q), 'failed', (SELECT count(*) FROM (SELECT FROM outbox WHERE state = 'failed'"
		" LIMIT " MOST ") f), 'sent', (SELECT count(*) FROM (SELECT FROM outbox WHERE sent"
		" >= " TODAY " LIMIT " MOST ") s), 'bounced', (SELECT count(*) FROM (SELECT FROM"
		" outbox WHERE bounced >= " TODAY " LIMIT " MOST ") b), 'answered', (SELECT"
		" count(*) FROM (SELECT FROM outbox WHERE answered >= " TODAY " LIMIT " MOST ") a),"
		" 'not_told', (SELECT json_object_agg(outcome, n) FROM undone)) FROM open",
		NULL, false},
	{"releases",
		"SELECT json_build_object('asked', count(*)) FROM (SELECT FROM release WHERE"
		" granted IS NULL LIMIT " MOST ") r",
		NULL, false},
	{"clocks", "SELECT clocks_today($?::jsonb)", NULL, true},
	{"waits", "SELECT waits_today($?::jsonb)", NULL, true},
	{"tasks", "SELECT tasks_today($?::jsonb)", NULL, true},
	{"measures", "SELECT measures_today($?::jsonb)", NULL, true},
	{"approvals", "SELECT approvals_today($?::jsonb)", NULL, true},
	{"quarantine",
		"SELECT json_build_object('waiting', count(*)) FROM (SELECT FROM quarantine WHERE"
		" state = 'quarantined' LIMIT " MOST ") q",
		NULL, false},
};

static void on_day(struct request *request, const struct pg_result *result)
{
	struct json_object *day = json_object_new_object(), *operator= json_object_new_object();

	json_object_object_add(operator, "name", json_object_new_string(request->operator.name));
	json_object_object_add(operator, "role", json_object_new_string(role_name(request->operator.role)));
	json_object_object_add(day, "operator", operator);
	json_object_object_add(day, "now", result_json(result, 0, 0));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		json_object_object_add(day, parts[i].name, result_json(result, 0, (int)i + 1));
	request_answer(request, day);
}

static struct str who_asks(struct request *request)
{
	struct json_object *who = json_object_new_object();

	json_object_object_add(who, "operator", json_object_new_string(request->operator.name));
	json_object_object_add(who, "role", json_object_new_string(role_name(request->operator.role)));
	struct str text = arena_str(
		request->arena, str_of(json_object_to_json_string_ext(who, JSON_C_TO_STRING_PLAIN)));
	json_object_put(who);
	return text;
}

void desk_today_show(struct request *request)
{
	struct query query;

	if (!request_database(request))
		return;
	struct str asks = who_asks(request);
	query_start(&query, request->arena, "SELECT to_json(stamp(now()))");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		query_add(&query, ", (");
		query_add(&query, parts[i].sql);
		if (parts[i].asks)
			query_str(&query, asks);
		if (parts[i].rest) {
			case_add_visible(&query, request);
			query_add(&query, parts[i].rest);
		}
		query_add(&query, ")");
	}
	request_query(request, &query, on_day);
}
