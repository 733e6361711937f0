#include "config.h"

#include "desk/handlers.h"
#include "desk/report.h"

/* "type role value" of an observable, and of a link's other end. */
#define OBSERVABLES                                                                                         \
	"(SELECT coalesce(json_agg(json_build_object('type', split_part(o, ' ', 1), 'role', split_part(o, " \
	"' ', 2),"                                                                                          \
	" 'value', substr(o, length(split_part(o, ' ', 1)) + length(split_part(o, ' ', 2)) + 3)) ORDER BY " \
	"n), '[]')"                                                                                         \
	" FROM unnest(r.observables) WITH ORDINALITY AS u(o, n))"

#define VERDICTS                                                                                         \
	"(SELECT coalesce(json_agg(json_build_object('engine', w.engine, 'rule', w.rule, 'set_digest', " \
	"w.set_digest,"                                                                                  \
	" 'part', w.part, 'outcome', w.outcome, 'seen', stamp(w.seen)) ORDER BY w.number), '[]') FROM "  \
	"verdict w WHERE w.report = "                                                                    \
	"r.id)"

/* What rules that came later found in it. */
#define LATER                                                                                                \
	"(SELECT json_agg(json_build_object('rule', m.rule, 'engine', m.engine, 'set_digest', m.rules, "     \
	"'part', m.part, 'at', stamp(m.at), 'would', nullif(rescan_graver(m, (SELECT coalesce(st.severity, " \
	"r.severity) FROM (SELECT) o LEFT JOIN report_status st ON st.report = r.id)), ''), 'rescan', "      \
	"m.rescan, 'digest', encode(m.digest, 'hex')) ORDER "                                                \
	"BY m.id) FROM rescan_match m WHERE m.report = r.id)"

#define EVIDENCE                                                                                            \
	"(SELECT coalesce(json_agg(json_build_object('name', a.name, 'media_type', a.media_type, 'size', "  \
	"a.size,"                                                                                           \
	" 'digest', encode(a.digest, 'hex')) ORDER BY a.number), '[]') FROM attachment a WHERE a.report = " \
	"r.id)"

#define SIGHTINGS                                                                                         \
	"(SELECT coalesce(json_agg(json_build_object('day', g.day, 'source', s.name, 'node', "            \
	"nullif(n.name, ''), "                                                                            \
	"'count', g.count,"                                                                               \
	" 'first', stamp(g.first), 'last', stamp(g.last)) ORDER BY g.day, s.name), '[]') FROM sighting g" \
	" LEFT JOIN source s ON s.id = g.source LEFT JOIN node n ON n.id = g.node WHERE g.report = r.id)"

/* Of a STIX object, newest first: what the report came of, and what its creator said since. */
#define VERSIONS                                                                                           \
	"(SELECT json_agg(json_build_object('object', o.id, 'version', o.version, 'source', s.name, "      \
	"'received', stamp(o.received), 'tlp', o.tlp, 'revoked', o.revoked, 'holds', o.version = "         \
	"c.version, 'title', w.title, 'observables', w.observables, 'notes', w.notes, 'doc', CASE WHEN "   \
	"w.id IS NOT NULL THEN o.text END) ORDER BY c.version = o.version DESC, o.version DESC) FROM "     \
	"(SELECT * FROM stix_object WHERE "                                                                \
	"report = r.id ORDER BY version DESC LIMIT 50) o LEFT JOIN source s ON s.id = o.source LEFT JOIN " \
	"stix_current c ON c.id = o.id AND c.report = r.id LEFT JOIN report_version w ON w.report = r.id " \
	"AND w.version = o.version AND w.source = o.source)"

#define LINKS                                                                                             \
	"(SELECT coalesce(json_agg(json_build_object('kind', l.kind, 'report', report_number(l.other), "  \
	"'newer', l.newer,"                                                                               \
	" 'title', (SELECT report_title(p.title, p.type, p.identifier, p.malware, p.observables) FROM "   \
	"report p WHERE p.id = l.other), 'score', l.score, 'actor', l.actor,"                             \
	" 'at', stamp(l.at), 'reason', (SELECT u.reason FROM fold_undo u WHERE l.kind = 'unfolded' AND "  \
	"u.became IN (l.other, r.id)"                                                                     \
	" ORDER BY u.id DESC LIMIT 1)) ORDER BY l.at), '[]') FROM"                                        \
	" (SELECT b AS other, false AS newer, kind, score, actor, at FROM report_link WHERE a = r.id"     \
	" UNION ALL SELECT a, true, kind, score, actor, at FROM report_link WHERE b = r.id LIMIT 200) l " \
	"WHERE landed_may_see(l.other, asks.who, asks.role))"

#define SIMILAR                                                                                             \
	"(SELECT coalesce(json_agg(json_build_object('report', report_number(l.other), 'score', "           \
	"round(l.score::numeric, 2), 'title',"                                                              \
	" (SELECT report_title(p.title, p.type, p.identifier, p.malware, p.observables) FROM report p "     \
	"WHERE p.id = l.other),"                                                                            \
	" 'case', (SELECT c.number FROM case_report t JOIN cases c ON c.id = t.case_id WHERE t.report = "   \
	"l.other AND t.ended IS NULL))"                                                                     \
	" ORDER BY l.score DESC, l.other DESC), '[]') FROM (SELECT * FROM ("                                \
	"(SELECT b AS other, score FROM report_link WHERE a = r.id AND kind = 'similar')"                   \
	" UNION ALL (SELECT a, score FROM report_link WHERE b = r.id AND kind = 'similar' ORDER BY a DESC " \
	"LIMIT 200)) x"                                                                                     \
	" ORDER BY score DESC, other DESC LIMIT 20) l WHERE landed_may_see(l.other, asks.who, asks.role))"

#define DIGESTS                                                                                              \
	"(SELECT coalesce(json_agg(json_build_object('kind', y.kind, 'part', nullif(y.part, ''), 'digest', " \
	"y.digest) ORDER BY y.number),"                                                                      \
	" '[]') FROM similarity y WHERE y.report = r.id)"

#define WHY                                                                                                 \
	"json_build_object('report', report_number(r.id), 'rule', r.rule, 'version', r.rule_version, "      \
	"'key', r.rule_key,"                                                                                \
	" 'fingerprint', r.fingerprint, 'window', (SELECT f.quiet::text FROM fold_rule f WHERE f.type = "   \
	"r.type OR f.type IS NULL"                                                                          \
	" ORDER BY f.type NULLS LAST LIMIT 1), 'previous', report_number(r.previous), 'relation', (SELECT " \
	"l.kind FROM report_link l"                                                                         \
	" WHERE l.a = r.id AND l.b = r.previous LIMIT 1), 'apart', CASE WHEN r.scope <> 0 THEN (SELECT "    \
	"s.name FROM source s"                                                                              \
	" WHERE s.id = r.scope) END, 'links', " LINKS ")"

/* Mails of ours whose number stands in its subject, though nobody vouches that it is an answer. */
#define PROBABLY                                                                                        \
	"(SELECT string_agg(o.number, ', ' ORDER BY o.id) FROM notice_guess q JOIN outbox o ON o.id = " \
	"q.outbox WHERE q.mail = r.id)"

#define MORE                                                                                                 \
	"json_build_object('pap', r.pap, 'confidence', v.confidence, 'trust', v.trust, 'class', v.class, "   \
	"'asn', nullif(r.asn, 0),"                                                                           \
	" 'country', nullif(r.country, ''), 'sender_id', nullif(r.sender_id, ''), 'gone', "                  \
	"stamp(v.gone_at), 'revoked', stamp((SELECT x.revoked FROM report_status x WHERE x.report = "        \
	"r.id)), 'versions', " VERSIONS ", 'reject_reason', "                                                \
	"v.reject_reason,"                                                                                   \
	" 'previous', report_number(r.previous), 'item', r.item, 'notes', r.notes, 'tags', r.tags, 'text', " \
	"r.text, 'doc', r.doc,"                                                                              \
	" 'entry', to_char(timezone('UTC', r.received), 'YYYYMMDD') || '-' || left(r.spool::text, 8) || "    \
	"'-' || r.sequence,"                                                                                 \
	" 'observables', " OBSERVABLES ", 'verdicts', " VERDICTS ", 'later', " LATER                         \
	", 'evidence', " EVIDENCE ", 'sightings', " SIGHTINGS ", 'similar', " SIMILAR                        \
	", 'similarities', " DIGESTS ", 'answers_probably', " PROBABLY ")"

static void on_report(struct request *request, const struct pg_result *result)
{
	const int64_t *id = request->state;

	if (result->rows == 0) {
		request_refuse(request, RPC_NOT_FOUND, "there is no report %lld-%lld",
			(long long)(*id / 10000000000), (long long)(*id % 10000000000));
		return;
	}
	struct json_object *report = result_json(result, 0, 0), *more = result_json(result, 0, 1);
	json_object_object_foreach(more, key, value)
		json_object_object_add(report, key, json_object_get(value));
	json_object_put(more);
	if (pg_value(result, 0, 2).p)
		json_object_object_add(report, "why", result_json(result, 0, 2));
	request_answer(request, report);
}

void desk_report_show(struct request *request)
{
	int64_t *id = arena_alloc(request->arena, sizeof(*id));
	struct query query;
	bool why = false;

	if (!report_named(request, "id", id) || !request_flag(request, "why", &why) ||
		!request_database(request))
		return;
	request->state = id;
	query_start(&query, request->arena, "SELECT " REPORT_JSON ", " MORE ", ");
	query_add(&query, why ? WHY : "NULL");
	query_add(&query, " FROM report r JOIN report_view v ON v.id = r.id CROSS JOIN ");
	asks_add(&query, request);
	query_add(&query, " WHERE r.id = $?::bigint AND v.id = $?::bigint");
	query_int(&query, *id);
	query_int(&query, *id);
	report_add_visible(&query, request, "r");
	request_query(request, &query, on_report);
}
