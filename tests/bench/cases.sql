-- A tenth as many cases as reports: of a hundred eight are open or wait, two are resolved, five rejected, three merged, the rest closed.
-- Every thousandth is a large one. :reports; what reports.sql has made.
CREATE UNLOGGED TABLE bench.c AS
	WITH people AS (SELECT array_agg(name ORDER BY id) AS names, array_agg(id ORDER BY id) AS ids, count(*)::int AS many FROM operator),
	served AS (SELECT array_agg(id ORDER BY place) AS ids, count(*)::int AS many FROM bench.organisation),
	thrown AS (SELECT c, c % 100 AS lot, bench.time(10 * c + 9, :reports) + interval '10 minutes' AS opened, floor(many * power(bench.u(c, 21), 1.5))::int AS who
		FROM generate_series(0::bigint, :reports / 10 - 1) c, people)
	SELECT t.c, t.c + 1 AS id, t.lot, t.opened, people.names[1 + t.who] AS who, people.ids[1 + t.who] AS who_id, r.type, r.identifier, r.ip, r.name AS host, r.severity,
		coalesce(r.organisation, served.ids[1 + floor(served.many * power(bench.u(t.c, 22), 2))::int]) AS organisation,
		CASE WHEN t.lot < 4 THEN 'open' WHEN t.lot < 6 THEN 'waiting' WHEN t.lot = 6 THEN 'contained' WHEN t.lot = 7 THEN 'new' WHEN t.lot < 10 THEN 'resolved'
			WHEN t.lot < 15 THEN 'rejected' WHEN t.lot < 18 THEN 'merged' ELSE 'closed' END::case_state AS state,
		CASE WHEN t.lot IN (4, 5) THEN greatest(t.opened, now() - 5 * bench.u(t.c, 23) * interval '1 day')
			ELSE least(t.opened + (1 + 30 * bench.u(t.c, 24)) * interval '1 day', greatest(t.opened, now() - interval '10 minutes')) END AS moved,
		t.c % greatest(:reports / 400, 5) = 3 AS planted
	FROM thrown t JOIN bench.r ON r.n = 20 * (t.c / 2) + 3 * (t.c % 2), people, served;
CREATE UNIQUE INDEX ON bench.c (id);
ANALYZE bench.c;
INSERT INTO cases (id, number, title, state, severity, tlp, type, identifier, organisation, assignee, restricted, campaign, merged_into, opened, opened_by, changed,
		reason, outcome, impact, outcome_text)
	OVERRIDING SYSTEM VALUE
	SELECT c.id, format('%s-%s', y.year, lpad((row_number() OVER (PARTITION BY y.year ORDER BY c.id))::text, 6, '0')), format('%s: %s at %s', c.type, c.identifier, c.ip),
		c.state, c.severity, 'amber', c.type, c.identifier, c.organisation, CASE WHEN c.state <> 'new' THEN c.who_id END, c.c % 50 = 21,
		CASE WHEN c.c % 40 BETWEEN 1 AND 8 THEN c.id - c.c % 40 END, CASE WHEN c.state = 'merged' THEN c.id - c.lot END, c.opened, c.who,
		CASE WHEN c.state IN ('open', 'new') THEN c.opened ELSE c.moved END,
		CASE c.state WHEN 'rejected' THEN 'nothing that we work on' WHEN 'merged' THEN 'the same' WHEN 'closed' THEN 'done' ELSE '' END,
		CASE WHEN c.state = 'closed' THEN (ARRAY['resolved', 'mitigated', 'no-answer', 'false-alarm'])[1 + c.c % 4] ELSE '' END,
		CASE WHEN c.state = 'closed' THEN (ARRAY['none', 'minor', 'moderate', 'significant'])[1 + c.c % 4] END, ''
	FROM bench.c, LATERAL (SELECT extract(year FROM c.opened)::int AS year) y ORDER BY c.id;
INSERT INTO case_number SELECT split_part(number, '-', 1)::int, max(split_part(number, '-', 2)::int) FROM cases GROUP BY 1
	ON CONFLICT (year) DO UPDATE SET last = excluded.last;

-- Three reports each; every twentieth gave them up to the large one of its thousand. Those of a merged case have moved with it.
CREATE UNLOGGED TABLE bench.held AS SELECT r.id AS report, 1 + CASE WHEN w.c % 20 = 19 THEN w.c / 1000 * 1000 ELSE w.c END AS case_id, r.received
	FROM bench.r, LATERAL (SELECT 2 * (r.n / 20) + r.fate / 3 AS c) w WHERE r.fate < 6;
INSERT INTO case_report (report, case_id, rule, added, actor, ended) SELECT h.report, h.case_id, NULL, greatest(c.opened, date_trunc('day', h.received)), c.who,
		CASE WHEN c.state = 'merged' THEN c.moved END
	FROM bench.held h JOIN bench.c ON c.id = h.case_id ORDER BY h.report;
INSERT INTO case_report (report, case_id, added, actor) SELECT h.report, c.id - c.lot, c.moved, c.who FROM bench.held h JOIN bench.c ON c.id = h.case_id
	WHERE c.state = 'merged' ORDER BY h.report ON CONFLICT DO NOTHING;
INSERT INTO case_tally SELECT case_id, count(*), max(added) FROM case_report WHERE ended IS NULL GROUP BY case_id;
INSERT INTO case_link SELECT c.id, c.id - c.lot, 'merged'::case_link_kind, 'the same', c.who, c.moved FROM bench.c WHERE c.state = 'merged'
	UNION ALL SELECT c.id, c.id - 2, 'related', '', c.who, c.opened FROM bench.c WHERE c.c % 40 = 30;
INSERT INTO case_watcher SELECT c.id, o.id, c.opened FROM bench.c JOIN operator o ON o.name = 'bench' || 1 + c.c % 12 WHERE c.c % 4 = 0;
INSERT INTO case_member SELECT c.id, o.id, c.opened, c.who FROM bench.c JOIN operator o ON o.name IN ('bench3', 'bench4') WHERE c.c % 50 = 21;
INSERT INTO note (case_id, at, actor, text, pinned) SELECT c.id, c.opened + k * interval '1 hour', c.who, CASE k WHEN 1 THEN 'Called ' || c.ip || ' and left word; they look into '
		|| c.identifier WHEN 2 THEN 'They found ' || c.identifier || ' on ' || c.host ELSE 'Nothing seen since; asked again' END, k = 1 AND c.c % 10 = 0
	FROM bench.c, generate_series(1, 3) k WHERE k <= 1 + c.c % 3 ORDER BY c.id, k;
INSERT INTO party (case_id, role, organisation, name, contact, added, added_by) SELECT c.id, 'affected'::party_role, c.organisation, 'Person ' || c.c, CASE WHEN c.planted
		THEN 'needle@planted.example' ELSE 'person' || c.c || '@net.example' END, c.opened, c.who FROM bench.c
	UNION ALL SELECT c.id, 'reporter', NULL, 'Reporter ' || c.c % 5000, 'p' || c.c % 5000 || '@mail.example', c.opened, c.who FROM bench.c WHERE c.c % 3 = 0 ORDER BY 1;
INSERT INTO task (case_id, title, state, assignee, due, origin, result, made, made_by, ended, ended_by)
	SELECT c.id, CASE k WHEN 1 THEN 'Ask for the logs of ' || c.ip ELSE 'See whether ' || c.host || ' is clean' END, CASE WHEN c.lot < 8 THEN 'open' ELSE 'done' END,
		c.who_id, CASE WHEN c.lot < 8 THEN now() + (30 * bench.u(c.c, 30 + k) - 3) * interval '1 day' ELSE c.opened + interval '20 days' END, '',
		CASE WHEN c.lot < 8 THEN '' ELSE 'done' END, c.opened, c.who, CASE WHEN c.lot >= 8 THEN c.moved END, CASE WHEN c.lot >= 8 THEN c.who END
	FROM bench.c, generate_series(1, 2) k WHERE c.lot < 8 OR k = 1 AND c.c % 2 = 0 ORDER BY c.id, k;
INSERT INTO case_tag SELECT c.id, 'bench-' || 1 + floor(40 * power(bench.u(c.c, 40 + k), 2))::int FROM bench.c, generate_series(1, 2) k WHERE c.c % 2 = 0
	ON CONFLICT DO NOTHING;
INSERT INTO reference (case_id, system, value) SELECT c.id, 'partner', CASE WHEN c.planted THEN 'PLANTED-' ELSE 'PRT-' END || c.c FROM bench.c
	WHERE c.c % 3 = 0 OR c.planted ORDER BY c.id;
INSERT INTO case_event (case_id, at, text, told_by, added, actor) SELECT c.id, c.opened - k * interval '5 hours', CASE k WHEN 1 THEN 'First seen on ' || c.host
		ELSE 'Somebody logged in from ' || c.ip END, 'Person ' || c.c, c.opened, c.who FROM bench.c, generate_series(1, 2) k WHERE c.c % 5 = 0 ORDER BY c.id, k;
INSERT INTO measure (kind, target, case_id, owner, done_by, reason, since, made_by, review, reviewed, reviewed_by, expires, ended, ended_by, end_reason)
	SELECT (ARRAY['dns-block', 'address-block', 'takedown', 'sinkhole', 'mail-block'])[1 + c.c / 10 % 5], CASE WHEN c.c / 10 % 5 = 1 THEN c.ip ELSE c.host END, c.id, c.who_id,
		'the resolver', '', c.opened, c.who, now() + (5 + 60 * bench.u(c.c, 50)) * interval '1 day', NULL, NULL, now() + interval '200 days',
		CASE WHEN c.c % 20 = 0 AND c.lot > 7 THEN c.moved END, CASE WHEN c.c % 20 = 0 AND c.lot > 7 THEN c.who END, CASE WHEN c.c % 20 = 0 AND c.lot > 7 THEN 'clean' ELSE '' END
	FROM bench.c WHERE c.c % 10 = 0 ORDER BY c.id;
INSERT INTO case_wait (case_id, whom, until, came_from, since, actor) SELECT c.id, 'Person ' || c.c, now() + (1 + 20 * bench.u(c.c, 51)) * interval '1 day', 'open', c.moved, c.who
	FROM bench.c WHERE c.state = 'waiting' ORDER BY c.id;
-- What they were told to answer within; of the law for the few with a filing.
CREATE UNLOGGED TABLE bench.filed AS SELECT c.*, row_number() OVER (ORDER BY c.id) AS filing, c.lot < 8 AS still
	FROM bench.c WHERE c.lot IN (1, 2, 3, 50) AND EXISTS (SELECT FROM regime WHERE current);
INSERT INTO filing (id, case_id, regime, organisation, who, aware, opened, opened_by, closed, closed_by, outcome) OVERRIDING SYSTEM VALUE
	SELECT f.filing, f.id, g.id, f.organisation, 'Person ' || f.c, f.opened, f.opened, f.who, CASE WHEN NOT f.still THEN f.moved END, CASE WHEN NOT f.still THEN f.who END,
		CASE WHEN f.still THEN '' ELSE 'all there' END
	FROM bench.filed f, (SELECT id FROM regime WHERE current ORDER BY id LIMIT 1) g ORDER BY f.id;
INSERT INTO filing_stage (filing, stage, received, due, late, source, actor, case_id) SELECT f.filing, s.stage, f.opened + interval '10 hours', f.opened + interval '24 hours', false,
		'mail', f.who, f.id FROM bench.filed f, (SELECT stage FROM regime_stage WHERE regime = (SELECT id FROM regime WHERE current ORDER BY id LIMIT 1)
			ORDER BY n LIMIT 1) s;
INSERT INTO clock (case_id, kind, whose, what, regime, filing, stage, act, business, ends_by, started, due, warn_at, warned, breached, met, ended)
	SELECT f.id, 'statutory', 'theirs', s.title, s.name, f.filing, s.stage, 'file', false, '', f.opened, CASE WHEN f.still AND s.place = 2
			THEN now() + (1 + 20 * bench.u(f.c, 52)) * interval '1 day' ELSE f.opened + interval '24 hours' END, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz,
		CASE WHEN s.place = 1 THEN f.opened + interval '10 hours' WHEN NOT f.still THEN f.moved END, CASE WHEN s.place = 1 THEN f.opened + interval '10 hours' WHEN NOT f.still THEN f.moved END
		FROM bench.filed f, (SELECT t.*, g.name, row_number() OVER (ORDER BY t.n) AS place FROM regime_stage t JOIN regime g ON g.id = t.regime
			WHERE g.id = (SELECT id FROM regime WHERE current ORDER BY id LIMIT 1) ORDER BY t.n LIMIT 2) s
	UNION ALL SELECT c.id, 'service', 'ours', 'first answer', '', NULL, '', '', true, 'mailed', c.opened, CASE WHEN c.lot < 8 THEN CASE WHEN c.lot = 0
			THEN c.opened + interval '8 hours' ELSE now() + (1 + 10 * bench.u(c.c, 53)) * interval '1 day' END ELSE c.opened + interval '8 hours' END, NULL, NULL,
		CASE WHEN c.lot = 0 THEN c.opened + interval '8 hours' END, CASE WHEN c.lot >= 8 THEN c.opened + interval '3 hours' END,
		CASE WHEN c.lot >= 8 THEN c.opened + interval '3 hours' END
		FROM bench.c WHERE c.lot < 8 OR c.c % 2 = 0;
INSERT INTO case_evidence (case_id, digest, size, name, given_by, acquired, actor) SELECT c.id, sha256(int8send(c.c)), 64, 'disk-' || c.c || '.img', 'Person ' || c.c, c.opened, c.who
	FROM bench.c WHERE c.c % 20 = 0 ORDER BY c.id;
INSERT INTO evidence SELECT DISTINCT to_char(c.opened, 'YYYYMM')::int, sha256(int8send(c.c)), 64, convert_to(repeat(encode(sha256(int8send(c.c)), 'hex'), 1), 'UTF8')
	FROM bench.c WHERE c.c % 20 = 0 ON CONFLICT DO NOTHING;
INSERT INTO hold (object, reason, actor, since) SELECT 'case/' || x.number, 'a court may want it', c.who, c.opened FROM bench.c JOIN cases x ON x.id = c.id WHERE c.c % 200 = 50;
INSERT INTO alarm (kind, subject, text, count, raised, last, ended, ended_by) SELECT 'clock-breached', 'clock ' || k.id, 'a clock has run out', 1, k.due, k.due,
		CASE WHEN k.id % 2 = 0 THEN k.due + interval '1 hour' END, CASE WHEN k.id % 2 = 0 THEN 'bench1' END
	FROM clock k WHERE k.breached IS NOT NULL
	UNION ALL SELECT 'source-silent', 'bench ' || n, 'nothing comes', 1, now() - interval '1 day', now(), NULL, NULL FROM generate_series(1, 25) n;
INSERT INTO approval (kind, object, what, state, asked, asked_by, answered, answered_by) SELECT 'note-erase', 'case/' || x.number, 'erase what note says', CASE WHEN c.c % 400 = 9 THEN 'asked'
		ELSE 'given' END, c.opened, 'bench4', CASE WHEN c.c % 400 <> 9 THEN c.opened + interval '1 hour' END, CASE WHEN c.c % 400 <> 9 THEN 'bench1' END
	FROM bench.c JOIN cases x ON x.id = c.id WHERE c.c % 100 = 9 ORDER BY c.id;
INSERT INTO approval (kind, object, what, state, asked, asked_by) SELECT 'note-erase', 'case/' || x.number, 'erase what note says', 'asked', c.opened, 'bench4'
	FROM bench.c JOIN cases x ON x.id = c.id ORDER BY c.id DESC LIMIT 25;
