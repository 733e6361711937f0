-- What `cirt today` says, a function for each of its parts: no part reads more than what is open, or of today,
-- and none counts further than 10,000. "Today" is the day in UTC, as in the books. p is who asks: {operator, role}.
SET LOCAL search_path = cirt, pg_temp;

-- Which of these alarms name a case that whoever asks may not see: they are read once, and only cases with
-- closed doors are asked about.
CREATE FUNCTION alarms_hidden(ids bigint[], p jsonb) RETURNS SETOF bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT DISTINCT a.id FROM alarm a CROSS JOIN LATERAL regexp_matches(a.subject || ' ' || a.text, '\m[0-9]{4}-[0-9]{6,9}\M', 'g') AS m
	JOIN cases c ON c.number = m[1]
	WHERE NOT coalesce(p ->> 'role' IN ('lead', 'admin'), false) AND a.id = ANY (ids)
		AND (c.restricted OR c.tlp = 'red' OR c.merged_into IS NOT NULL) AND NOT case_may_see(c.id, p ->> 'operator')
$$;

CREATE OR REPLACE FUNCTION alarms_today(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT a.id FROM alarm a WHERE a.ended IS NULL ORDER BY a.last DESC LIMIT 10000);
BEGIN
	ids := ARRAY(SELECT i FROM unnest(ids) WITH ORDINALITY AS o (i, n) WHERE i NOT IN (SELECT alarms_hidden(ids, p)) ORDER BY n);
	RETURN json_build_object('open', cardinality(ids), 'items', (SELECT coalesce(json_agg(json_build_object('id', a.id, 'kind', a.kind,
			'subject', a.subject, 'text', a.text, 'raised', stamp(a.raised)) ORDER BY a.last DESC), '[]')
		FROM alarm a WHERE a.id = ANY (ids[1:3])));
END $$;

-- Who wrote what nobody has taken up: {sender, loose (in no case)}, a row for each mail. Those are reports
-- without a case, mails of new cases, and what came into a case and is unread.
CREATE FUNCTION mails_unread(p jsonb) RETURNS TABLE (sender text, loose boolean) LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT l.mail FROM letter l WHERE l.mail >= report_since(now() - interval '30 days') ORDER BY l.mail DESC LIMIT 5000);
BEGIN
	RETURN QUERY WITH taken AS (SELECT k.report, k.case_id FROM case_report k WHERE k.report = ANY (ids) AND k.ended IS NULL),
		-- Of what is in no case: landed mails that are still new. (A letter's report may be gone with its retention.)
		fresh AS (SELECT r.id FROM report r WHERE r.id = ANY (ids) AND r.exercise = 0 AND r.id NOT IN (SELECT t.report FROM taken t)
			EXCEPT SELECT s.report FROM report_status s WHERE s.report = ANY (ids) AND s.state <> 'new'),
		cased AS (SELECT l.sender, t.case_id, false AS inside FROM taken t JOIN letter l ON l.mail = t.report
			UNION ALL (SELECT w.sender, w.case_id, true FROM case_letter w WHERE w.seen IS NULL LIMIT 10000))
		SELECT l.sender, true FROM fresh f JOIN letter l ON l.mail = f.id
		UNION ALL SELECT m.sender, false FROM cased m JOIN cases c ON c.id = m.case_id
			WHERE c.exercise = 0 AND (m.inside OR c.state = 'new')
				AND (NOT (c.restricted OR c.tlp = 'red' OR c.merged_into IS NOT NULL) OR case_visible(c.id, p));
END $$;

-- Whose people they are: a contact's address says it, or the domain of an organisation.
CREATE FUNCTION people_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH senders AS MATERIALIZED (SELECT u.sender, split_part(u.sender, '@', 2) AS host, count(*) AS n, count(*) FILTER (WHERE u.loose) AS loose
			FROM mails_unread(p) u GROUP BY u.sender),
		direct AS (SELECT DISTINCT ON (s.sender) s.sender, x.organisation FROM senders s JOIN contact x ON lower(x.email) = s.sender AND x.email <> ''
			ORDER BY s.sender, x.id),
		hosts AS MATERIALIZED (SELECT DISTINCT host FROM senders WHERE sender NOT IN (SELECT sender FROM direct)),
		known AS (SELECT s.n, s.loose, coalesce(o.kind::text, 'stranger') AS kind, CASE WHEN o.kind IN ('national-cirt', 'sector-cirt') THEN o.name END AS name
			FROM senders s LEFT JOIN direct d USING (sender)
			LEFT JOIN (SELECT h.host, w.organisation FROM hosts h CROSS JOIN LATERAL name_at(h.host, now()) w) h USING (host)
			LEFT JOIN organisation o ON o.id = coalesce(d.organisation, h.organisation)),
		kinds AS (SELECT kind, name, sum(n)::bigint AS n, sum(loose) AS loose FROM known GROUP BY kind, name)
	SELECT json_build_object('unread', coalesce(sum(n), 0)::bigint, 'inbox', coalesce(sum(loose), 0)::bigint,
		'from', coalesce(json_agg(json_build_object('kind', kind, 'name', name, 'count', n) ORDER BY n DESC, kind, name), '[]')) FROM kinds
$$;

CREATE FUNCTION cases_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('new', count(*) FILTER (WHERE s.state = 'new'), 'open', count(*), 'critical', count(*) FILTER (WHERE s.severity >= 80),
		'waiting', count(*) FILTER (WHERE s.state = 'waiting'),
		'waiting_numbers', coalesce((array_agg(s.number ORDER BY s.changed) FILTER (WHERE s.state = 'waiting'))[1:3], '{}'))
	FROM (SELECT c.state, c.severity, c.number, c.changed FROM cases c WHERE c.state NOT IN ('closed', 'rejected', 'merged') AND c.exercise = 0
		AND (NOT (c.restricted OR c.tlp = 'red') OR case_visible(c.id, p)) LIMIT 10000) s
$$;

-- By what brings them: lists that machines keep, sensors, people. A relapse is a new report that names an old one.
CREATE FUNCTION intake_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH day AS MATERIALIZED (SELECT source, sum(entries_processed + entries_quarantined + entries_discarded) AS entries, sum(reports) AS reports,
			sum(folded) AS folded, sum(quarantined + entries_quarantined) AS quarantined
			FROM ledger_day WHERE day = timezone('UTC', now())::date GROUP BY source),
		again AS MATERIALIZED (SELECT r.source, count(*) AS n FROM report r WHERE r.received >= date_trunc('day', now(), 'UTC')
			AND r.id = ANY (ARRAY(SELECT DISTINCT a FROM report_link WHERE kind = 'relapse' AND a >= report_since(date_trunc('day', now(), 'UTC')) LIMIT 10000))
			GROUP BY r.source),
		each AS (SELECT s.name, CASE WHEN s.kind = 'sensor' THEN 'sensors' WHEN s.kind = 'mailbox'
				AND NOT EXISTS (SELECT FROM feed_columns f WHERE f.source = s.id) THEN 'people' ELSE 'feeds' END AS lane,
				d.entries, d.reports, d.folded, d.quarantined, coalesce(a.n, 0) AS relapses
			FROM day d JOIN source s ON s.id = d.source LEFT JOIN again a ON a.source = d.source)
	SELECT coalesce(json_object_agg(lane, told), '{}') FROM (SELECT lane, json_build_object('sources', count(*),
		'first', (array_agg(name ORDER BY reports + folded DESC, name))[1:3], 'entries', sum(entries)::bigint,
		'rows', sum(reports + folded + quarantined)::bigint, 'again', sum(folded)::bigint, 'new', greatest(sum(reports) - sum(relapses), 0)::bigint,
		'relapse', sum(relapses)::bigint, 'quarantined', sum(quarantined)::bigint) AS told FROM each GROUP BY lane) l
$$;

CREATE FUNCTION notices_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH day AS (SELECT date_trunc('day', now(), 'UTC') AS began),
		open AS MATERIALIZED (SELECT o.state, o.organisation, o.address, o.due, o.exercise FROM outbox o WHERE o.state IN ('bundling', 'held', 'ready') LIMIT 10000),
		undone AS (SELECT k.outcome, (SELECT count(*) FROM (SELECT FROM warning w WHERE w.outcome = k.outcome AND w.outcome NOT IN ('told', 'waiting')
				AND w.decided >= date_trunc('day', now(), 'UTC') AND w.exercise = 0 LIMIT 10000) n) AS n
			FROM unnest('{suppressed,no-contact,asks-permission,held,not-ours}'::warning_outcome[]) AS k (outcome))
	SELECT json_build_object('ready', count(*) FILTER (WHERE state = 'ready' AND exercise = 0), 'gathering', count(*) FILTER (WHERE state = 'bundling' AND exercise = 0),
		'full', stamp(min(due) FILTER (WHERE state = 'bundling' AND exercise = 0)), 'held', count(*) FILTER (WHERE state = 'held' AND exercise = 0),
		'organisations', count(DISTINCT coalesce(organisation::text, address)) FILTER (WHERE exercise = 0), 'drill', count(*) FILTER (WHERE exercise <> 0),
		'queued', (SELECT count(*) FROM (SELECT FROM outbox WHERE state = 'queued' LIMIT 10000) q),
		'failed', (SELECT count(*) FROM (SELECT FROM outbox WHERE state = 'failed' LIMIT 10000) f),
		'sent', (SELECT count(*) FROM (SELECT FROM outbox WHERE sent >= (SELECT began FROM day) LIMIT 10000) s),
		'bounced', (SELECT count(*) FROM (SELECT FROM outbox WHERE bounced >= (SELECT began FROM day) LIMIT 10000) b),
		'answered', (SELECT count(*) FROM (SELECT FROM outbox WHERE answered >= (SELECT began FROM day) LIMIT 10000) a),
		'not_told', (SELECT json_object_agg(outcome, n) FROM undone)) FROM open
$$;

CREATE FUNCTION releases_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('asked', count(*)) FROM (SELECT FROM release WHERE granted IS NULL LIMIT 10000) r
$$;

-- Clocks of ours and theirs that are over or due within a day: counted to 100, and the first told.
CREATE OR REPLACE FUNCTION clocks_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH soon AS MATERIALIZED (SELECT k.id, k.due, row_number() OVER (ORDER BY k.due, k.id) AS n
		FROM (SELECT * FROM clock WHERE ended IS NULL AND paused IS NULL AND due < now() + interval '1 day' ORDER BY due, id LIMIT 100) k
		JOIN cases x ON x.id = k.case_id AND x.exercise = 0 AND (NOT (x.restricted OR x.tlp = 'red' OR x.merged_into IS NOT NULL) OR case_visible(x.id, p)))
	SELECT json_build_object('due', count(*), 'breached', count(*) FILTER (WHERE due <= now()), 'items',
		(SELECT coalesce(json_agg(clock_json(c) ORDER BY s.n), '[]') FROM soon s JOIN clock c ON c.id = s.id WHERE s.n <= 3)) FROM soon
$$;

CREATE FUNCTION quarantine_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('waiting', count(*)) FROM (SELECT FROM quarantine WHERE state = 'quarantined' LIMIT 10000) q
$$;

REVOKE ALL ON FUNCTION alarms_hidden, mails_unread, people_today, cases_today, intake_today, notices_today, releases_today, quarantine_today FROM PUBLIC;
GRANT EXECUTE ON FUNCTION alarms_hidden, mails_unread, people_today, cases_today, intake_today, notices_today, releases_today, quarantine_today TO cirt_desk;
