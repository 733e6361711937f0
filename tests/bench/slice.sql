-- Reports number lo to hi - 1 of `total`, received in order since the month began: of ten three are linked to a case of their own, three
-- noticed, two rejected and two new; every fiftieth is a person's mail. Tables, constraints, triggers and journal are the real ones.
SET search_path = cirt, pg_temp;
SET TimeZone = 'UTC';
SELECT set_config('cirt.actor', 'bench', false);
SELECT partitions_ahead(1);
CREATE TEMP TABLE place AS SELECT (SELECT array_agg(id ORDER BY id) FROM source WHERE name LIKE 'bench-feed-%') AS feeds,
	(SELECT id FROM source WHERE name = 'bench-post') AS post, (SELECT id FROM node WHERE name = 'bench') AS node,
	(SELECT array_agg(id ORDER BY id) FROM organisation WHERE name LIKE 'Bench %') AS organisations,
	date_trunc('month', now()) AS start, to_char(now(), 'YYYYMM')::int AS month;
CREATE OR REPLACE FUNCTION pg_temp.key(kind text, value text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || encode(substr(sha256(convert_to(kind, 'UTF8') || '\x00' || convert_to(value, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint
$$;
BEGIN;
CREATE TEMP TABLE made AS SELECT n, nextval('cirt.report_id_' || p.month) AS id, p.start + (now() - p.start) * (n::float8 / :total) AS received,
		n % 50 = 9 AS mail, CASE WHEN n % 50 = 9 THEN p.post ELSE p.feeds[1 + n % 8] END AS source,
		CASE WHEN n % 5 < 3 THEN p.organisations[1 + n % cardinality(p.organisations)] END AS organisation,
		format('%s.%s.%s.%s', 11 + n / 16777216, n / 65536 % 256, n / 256 % 256, n % 256) AS ip, 'host' || n || '.net' || n % 997 || '.example' AS name,
		(enum_range(NULL::rsit_type))[1 + n % 30] AS type, (ARRAY['mirai', 'qakbot', 'open-rdp', 'open-ldap', 'phishing-kit-7'])[1 + n % 5]
			|| '-' || n % 40 AS identifier
	FROM place p, generate_series(:lo, :hi - 1) n;
INSERT INTO report SELECT m.id, m.received, m.received, m.n, NULL, 0, '11111111-1111-1111-1111-111111111111', gen_random_uuid(), m.source, 0, 0,
		m.organisation, 0, m.type, CASE WHEN m.mail THEN 'amber' ELSE 'green' END::tlp, 'green', (10 * (m.n % 11))::smallint, 70, 60, 1,
		'bench', m.ip, '', m.identifier, '', 'AT', CASE WHEN m.mail THEN 'Please look at ' || m.name ELSE '' END,
		CASE WHEN m.mail THEN format('Dear all, %s sends us odd things since yesterday, ticket %s. Regards', m.name, m.n) ELSE '' END,
		CASE WHEN m.mail THEN '' ELSE format('{"source":{"ip":"%s"},"n":%s,"note":"%s"}', m.ip, m.n, repeat('x', 100)) END,
		ARRAY['ip source ' || m.ip, 'name source ' || m.name],
		ARRAY[pg_temp.key('ip', m.ip), pg_temp.key('ip', network(set_masklen(m.ip::inet, 24))::text), pg_temp.key('ip',
			network(set_masklen(m.ip::inet, 16))::text), pg_temp.key('name', m.name), pg_temp.key('name', 'net' || m.n % 997 || '.example'),
			pg_temp.key('identifier', m.identifier)], '{}', '{}'
	FROM made m;
INSERT INTO sighting SELECT m.id, m.received::date, m.source, p.node, 1 + m.n % 3, m.received, m.received FROM made m, place p;
INSERT INTO fingerprint SELECT r.fingerprint, 0, r.tlp, 0, r.severity, r.confidence, r.trust, r.id, r.first_seen, r.first_seen,
		r.first_seen + interval '60 days' FROM made m JOIN report r ON r.id = m.id;
INSERT INTO arrival AS a (month, minute, first_id) SELECT p.month, date_trunc('minute', m.received), min(m.id) FROM made m, place p GROUP BY 1, 2
	ON CONFLICT (month, minute) DO UPDATE SET first_id = least(a.first_id, excluded.first_id);
INSERT INTO ledger_day AS d (day, source, node, entries_processed, found, reports)
	SELECT m.received::date, m.source, p.node, count(*), count(*), count(*) FROM made m, place p GROUP BY 1, 2, 3
	ON CONFLICT (day, source, node) DO UPDATE SET entries_processed = d.entries_processed + excluded.entries_processed,
		found = d.found + excluded.found, reports = d.reports + excluded.reports;
INSERT INTO report_status (report, state, reject_reason, changed) SELECT m.id, (CASE WHEN m.n % 10 < 3 THEN 'linked' WHEN m.n % 10 < 6 THEN 'noticed'
		ELSE 'rejected' END)::report_state, CASE WHEN m.n % 10 IN (6, 7) THEN 'false-alarm' END::reject_reason, m.received
	FROM made m WHERE m.n % 10 < 8;
SELECT count(inbox_sort(b.ids)) FROM (SELECT array_agg(m.id) AS ids FROM made m WHERE m.n % 10 >= 8 GROUP BY m.n / 20000) b;
INSERT INTO warning (report, exercise, organisation, outcome, notices, first_told, last_told)
	SELECT m.id, 0, m.organisation, 'told', 1, m.received, m.received FROM made m WHERE m.n % 10 BETWEEN 3 AND 5;

-- ---- cases ----

CREATE TEMP TABLE wanted AS SELECT m.n / 10 AS c, (array_agg(m.organisation))[1] AS organisation, min(m.received) AS opened, array_agg(m.id) AS reports,
		(array_agg(m.type))[1] AS type, (array_agg(m.identifier))[1] AS identifier, (array_agg(m.ip))[1] AS ip
	FROM made m WHERE m.n % 10 < 3 GROUP BY 1;
CREATE TEMP TABLE opened AS WITH put AS (INSERT INTO cases (title, state, severity, tlp, type, identifier, organisation, assignee, opened, opened_by)
		SELECT 'Bench case ' || w.c || ': ' || w.identifier || ' at ' || w.ip, 'open', (10 * (w.c % 11))::smallint, 'amber', w.type, w.identifier, w.organisation,
			CASE WHEN w.c % 4 > 0 THEN (SELECT id FROM operator WHERE name = 'bench' || 1 + w.c % 12) END, w.opened, 'bench'
		FROM wanted w ORDER BY w.c RETURNING id, title)
	SELECT p.id, w.* FROM put p JOIN wanted w ON w.c = split_part(split_part(p.title, ':', 1), ' ', 3)::bigint;
INSERT INTO case_report (report, case_id, added) SELECT r, o.id, o.opened FROM opened o, unnest(o.reports) r ORDER BY o.id, r;
INSERT INTO note (case_id, at, text) SELECT o.id, o.opened, 'Called ' || o.ip || ' and left word; they look into ' || o.identifier FROM opened o;
INSERT INTO party (case_id, role, organisation, name, contact) SELECT o.id, 'affected', o.organisation, 'Person ' || o.c, 'person' || o.c || '@net.example'
	FROM opened o;
INSERT INTO task (case_id, title, assignee, due) SELECT o.id, 'Ask for the logs of ' || o.ip, (SELECT id FROM operator WHERE name = 'bench1'),
		o.opened + interval '40 days' FROM opened o WHERE o.c % 2 = 0;
INSERT INTO case_tag SELECT o.id, 'bench-' || 1 + o.c % 20 FROM opened o WHERE o.c % 2 = 0;
INSERT INTO reference (case_id, system, value) SELECT o.id, 'partner', 'PRT-' || o.c FROM opened o WHERE o.c % 3 = 0;
-- Nine of ten are closed; what is due in them is done.
UPDATE task t SET state = 'done', ended = now(), ended_by = 'bench' FROM opened o WHERE t.case_id = o.id AND o.c % 10 > 0;
UPDATE cases c SET state = 'closed', outcome = 'resolved', reason = 'done' FROM opened o WHERE c.id = o.id AND o.c % 10 > 0;

-- ---- mails out ----

CREATE TEMP TABLE mail AS WITH put AS (INSERT INTO outbox (kind, state, organisation, contact, recipient, address, message_id, due, created)
		SELECT 'notice', 'bundling', k.organisation, k.id, 'affected', k.email, 'bench-' || :lo || '-' || k.id || '@cirt.example', now() - k.id * interval '1 microsecond', now()
		FROM contact k WHERE k.role = 'security' AND EXISTS (SELECT 1 FROM made m WHERE m.organisation = k.organisation AND m.n % 10 BETWEEN 3 AND 5)
		RETURNING id, organisation)
	SELECT * FROM put;
SELECT disclosure_many(array_agg(m.id), array_agg(b.id), array_agg('new'::text), array_agg(NULL::int))
	FROM made m JOIN mail b ON b.organisation = m.organisation WHERE m.n % 50 IN (3, 4, 5);
UPDATE outbox SET state = 'ready' WHERE id IN (SELECT id FROM mail);
UPDATE outbox SET state = 'queued' WHERE id IN (SELECT id FROM mail);
UPDATE outbox SET state = 'sent', sent = now() WHERE id IN (SELECT id FROM mail);
COMMIT;
