-- What the desk shows. The views run with their reader's rights.
SET LOCAL search_path = cirt, pg_temp;

CREATE VIEW report_view WITH (security_invoker = true) AS
SELECT r.id, report_number(r.id) AS number, r.received, s.name AS source, s.kind AS source_kind, r.type AS classification,
	rsit_class(r.type) AS class, r.identifier, r.malware, coalesce(st.severity, r.severity) AS severity,
	severity_name(coalesce(st.severity, r.severity)) AS severity_name, coalesce(st.confidence, r.confidence) AS confidence,
	coalesce(st.trust, r.trust) AS trust, r.tlp, r.pap,
	report_title(r.title, r.type, r.identifier, r.malware, r.observables) AS title,
	coalesce(st.state, 'new') AS state, st.reject_reason, o.name AS organisation, coalesce(st.organisation, r.organisation) AS organisation_id,
	r.country, r.asn, e.name AS exercise,
	least(n.first, r.first_seen) AS first_seen, coalesce(n.last, r.first_seen) AS last_seen, coalesce(n.count, 0) AS count,
	st.gone_at, r.previous, c.number AS "case", r.source AS source_id, r.sender_id
FROM report r
JOIN source s ON s.id = r.source
JOIN exercise e ON e.id = r.exercise
LEFT JOIN report_status st ON st.report = r.id
LEFT JOIN organisation o ON o.id = coalesce(st.organisation, r.organisation)
LEFT JOIN case_report cr ON cr.report = r.id AND cr.ended IS NULL
LEFT JOIN cases c ON c.id = cr.case_id
LEFT JOIN LATERAL (SELECT sum(g.count)::bigint AS count, min(g.first) AS first, max(g.last) AS last FROM sighting g
	WHERE g.report = r.id) n ON true;

CREATE VIEW case_view WITH (security_invoker = true) AS
SELECT c.id, c.number, c.title, c.state, c.severity, severity_name(c.severity) AS severity_name, c.tlp, c.pap,
	c.type AS classification, rsit_class(c.type) AS class, c.identifier, o.name AS organisation, coalesce(t.reports, 0) AS reports,
	p.name AS assignee, c.restricted, e.name AS exercise, c.opened, c.opened_by, c.changed, c.reason, c.outcome,
	m.number AS merged_into, g.number AS campaign
FROM cases c
JOIN exercise e ON e.id = c.exercise
LEFT JOIN organisation o ON o.id = c.organisation
LEFT JOIN operator p ON p.id = c.assignee
LEFT JOIN case_tally t ON t.case_id = c.id
LEFT JOIN cases m ON m.id = c.merged_into
LEFT JOIN cases g ON g.id = c.campaign;

-- Both sides of the books per day and source: what the spools received, what the stores and the desk did with it. What is pending
-- is the spool's own count. Sums over it are the books of any span.
CREATE VIEW ledger_view WITH (security_invoker = true) AS
SELECT coalesce(b.day, d.day) AS day, s.name AS source, coalesce(b.source, d.source) AS source_id,
	coalesce(b.entries, 0) AS received, coalesce(b.bytes, 0) AS bytes,
	coalesce(d.processed, 0) AS processed, coalesce(d.entries_quarantined, 0) AS entries_quarantined,
	coalesce(d.entries_discarded, 0) AS entries_discarded, coalesce(d.found, 0) AS found, coalesce(d.reports, 0) AS reports,
	coalesce(d.folded, 0) AS folded, coalesce(d.correspondence, 0) AS correspondence, coalesce(d.context, 0) AS context,
	coalesce(d.spam, 0) AS spam, coalesce(d.quarantined, 0) AS quarantined, coalesce(d.discarded, 0) AS discarded,
	coalesce(d.expired, 0) AS expired
FROM (SELECT day, source, sum(entries)::bigint AS entries, sum(bytes)::bigint AS bytes FROM books GROUP BY day, source) b
FULL JOIN (SELECT day, source, sum(entries_processed)::bigint AS processed, sum(entries_quarantined)::bigint AS entries_quarantined,
		sum(entries_discarded)::bigint AS entries_discarded, sum(found)::bigint AS found, sum(reports)::bigint AS reports,
		sum(folded)::bigint AS folded, sum(correspondence)::bigint AS correspondence, sum(context)::bigint AS context,
		sum(spam)::bigint AS spam, sum(quarantined)::bigint AS quarantined, sum(discarded)::bigint AS discarded,
		sum(expired)::bigint AS expired
	FROM ledger_day GROUP BY day, source) d ON d.day = b.day AND d.source = b.source
LEFT JOIN source s ON s.id = coalesce(b.source, d.source);

-- The server's timeline: it changes when a standby takes over.
CREATE FUNCTION timeline() RETURNS int LANGUAGE sql VOLATILE AS $$
	SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()
$$;
