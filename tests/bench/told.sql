-- What was told to whom: notices of ten reports each, mails in cases and their answers, questions. Then what belongs to all of it: dates,
-- numbers, the journal, indexes. What reports.sql and cases.sql have made.
CREATE UNLOGGED TABLE bench.told AS SELECT r.*, r.organisation * 1000000::bigint + (row_number() OVER (PARTITION BY r.organisation ORDER BY r.id) - 1) / 10 AS bundle
	FROM bench.r WHERE r.fate BETWEEN 6 AND 11;
-- 0: a notice; 1: a mail in a case; 2: a question.
CREATE UNLOGGED TABLE bench.mail AS SELECT row_number() OVER (ORDER BY at, sort, ref) AS id, m.* FROM (
	SELECT 0 AS sort, bundle AS ref, organisation, max(received) + interval '5 minutes' AS at, NULL::bigint AS case_id FROM bench.told GROUP BY bundle, organisation
	UNION ALL SELECT 1, c.c, c.organisation, c.opened + interval '3 hours', c.id FROM bench.c WHERE c.c % 5 = 1
	UNION ALL SELECT 2, c.c, c.organisation, c.opened + interval '4 hours', c.id FROM bench.c WHERE c.lot < 5 OR c.c % 20 = 17) m;
INSERT INTO outbox (id, number, kind, state, organisation, contact, recipient, address, message_id, case_id, created, due, rendered, sent, delivered, bounced, bounce,
		answered, tlp, bytes)
	OVERRIDING SYSTEM VALUE
	SELECT m.id, format('N%s-%s', y.year, lpad((row_number() OVER (PARTITION BY y.year ORDER BY m.id))::text, 6, '0')),
		CASE WHEN m.sort = 0 THEN 'notice' ELSE 'mail' END::outbox_kind, CASE WHEN m.id % 100 = 3 THEN 'failed' ELSE 'sent' END::outbox_state, m.organisation, k.id, 'affected', k.email,
		'bench-' || m.id || '@cirt.example', m.case_id, m.at, m.at, m.at, CASE WHEN m.id % 100 <> 3 THEN m.at END, CASE WHEN m.id % 3 = 0 THEN m.at + interval '1 minute' END,
		CASE WHEN m.id % 100 = 3 THEN m.at + interval '2 minutes' END, CASE WHEN m.id % 100 = 3 THEN '550 5.1.1 no such user' ELSE '' END,
		CASE WHEN m.id % 20 = 0 THEN m.at + interval '1 day' END, CASE WHEN m.sort = 0 THEN 'green' ELSE 'amber' END::tlp,
		convert_to(format(E'From: cirt@cirt.example\r\nTo: %s\r\nSubject: Number %s\r\nMessage-ID: <bench-%s@cirt.example>\r\n\r\nDear colleagues, see below.\r\n', k.email, m.id, m.id), 'UTF8')
	FROM bench.mail m JOIN contact k ON k.organisation = m.organisation AND k.role = 'security', LATERAL (SELECT extract(year FROM m.at)::int AS year) y ORDER BY m.id;
INSERT INTO outbox_year SELECT substr(split_part(number, '-', 1), 2)::int, max(split_part(number, '-', 2)::int) FROM outbox GROUP BY 1
	ON CONFLICT (year) DO UPDATE SET last = excluded.last;
INSERT INTO disclosure (report, outbox, cause, rule, recipient, form, tlp, version, content, put, told)
	SELECT t.id, m.id, 'new', NULL, 'affected', 'full', r.tlp, t.received, jsonb_build_object('report', report_number(t.id), 'classification', t.type, 'class', rsit_class(t.type),
			'identifier', t.identifier, 'severity', severity_name(t.severity), 'first', t.received, 'last', t.received, 'count', 1, 'asn', 0, 'country', 'AT', 'ip', t.ip,
			'name', t.name, 'port', '', 'malware', '', 'title', r.title, 'confidence', 70, 'observables', to_jsonb(r.observables)), m.at, m.at
	FROM bench.told t JOIN bench.mail m ON m.ref = t.bundle AND m.sort = 0 JOIN report r ON r.id = t.id ORDER BY m.id, t.id;
INSERT INTO warning (report, exercise, organisation, outcome, why, rule, repeat, decided, next, notices, first_told, last_told, gone)
	SELECT t.id, 0, t.organisation, 'told'::warning_outcome, '', q.id, interval '30 days', t.received, CASE WHEN t.received >= now() - interval '30 days' THEN m.at + interval '30 days' END, 1, m.at, m.at,
		CASE WHEN t.received < now() - interval '30 days' THEN t.received + interval '7 days' END
		FROM bench.told t JOIN bench.mail m ON m.ref = t.bundle AND m.sort = 0, (SELECT id FROM notify_rule WHERE name = 'constituents' AND NOT draft) q
	UNION ALL SELECT r.id, 0, r.organisation, CASE WHEN r.n % 400 = 18 THEN 'no-contact' ELSE 'suppressed' END::warning_outcome, 'by a rule', NULL, NULL, r.received, NULL::timestamptz, 0,
		NULL::timestamptz, NULL::timestamptz, NULL::timestamptz FROM bench.r WHERE r.fate = 18 AND r.organisation IS NOT NULL ORDER BY 1;

-- Every second mail of a case is answered; one entry in a hundred is spam. Their ids follow those of their month's reports.
CREATE UNLOGGED TABLE bench.came AS SELECT to_char(a.at, 'YYYYMM')::int * 10000000000 + coalesce(h.many, 0) + row_number() OVER (PARTITION BY to_char(a.at, 'YYYYMM') ORDER BY a.at, a.ref)
		AS id, a.*, s.id AS source
	FROM (SELECT 'reply' AS kind, m.id AS ref, m.at + interval '1 day' AS at, m.case_id FROM bench.mail m WHERE m.sort = 1 AND m.id % 2 = 0 AND m.at < now() - interval '1 day'
		UNION ALL SELECT 'spam', r.n, r.received, NULL FROM bench.r WHERE r.n % 100 = 11) a
		LEFT JOIN (SELECT month, count(*) AS many FROM bench.r GROUP BY month) h ON h.month = to_char(a.at, 'YYYYMM')::int, (SELECT id FROM source WHERE name = 'bench-post-1') s;
INSERT INTO item (id, received, sequence, spool, source, item, exercise, kind, tlp, subkind, part, sender_id, title, text, doc, observables, notes, keys)
	SELECT a.id, a.at, 200000000 + a.ref, '11111111-1111-1111-1111-111111111111', a.source, 0, 0, 'correspondence', 'amber', 'reply', '1', '', 'Re: Number ' || a.ref || ' [' || c.number || ']',
		'Thank you, we have looked at it and found ' || b.host || CASE WHEN b.planted OR a.ref % 500 = 0 THEN ' quetzalcoatl' ELSE '' END || '.', '',
		ARRAY['email reporter person' || b.c || '@net.example', 'name unknown ' || b.host], '{}', ARRAY[bench.key('email', 'person' || b.c || '@net.example'),
			bench.key('name', 'net.example'), bench.key('name', b.host)]
	FROM bench.came a JOIN cases c ON c.id = a.case_id JOIN bench.c b ON b.id = c.id WHERE a.kind = 'reply' ORDER BY a.id;
INSERT INTO case_letter (item, case_id, way, known, sender, added, seen, seen_by) SELECT a.id, a.case_id, 'reference', true, 'person' || a.case_id - 1 || '@net.example', a.at,
		CASE WHEN c.lot > 3 THEN a.at + interval '1 hour' END, CASE WHEN c.lot > 3 THEN c.who END
	FROM bench.came a JOIN bench.c ON c.id = a.case_id WHERE a.kind = 'reply' ORDER BY a.id;
INSERT INTO letter (mail, received, message_id, sender) SELECT a.id, a.at, 're-' || a.ref || '@net.example', 'person' || a.case_id - 1 || '@net.example'
	FROM bench.came a WHERE a.kind = 'reply' ORDER BY a.id;
INSERT INTO spam (id, last, items, day, spool, sequence, received, source, exercise, sender, reason, title, envelope, size, bytes) SELECT a.id, a.id, 1, a.at::date,
		'11111111-1111-1111-1111-111111111111', 300000000 + a.ref, a.at, a.source, 0, 'win' || a.ref % 1000 || '@spam.example', 'score 15.0', 'You have won ' || a.ref, '{}', 100,
		convert_to('Subject: You have won' || repeat(' again', 14), 'UTF8')
	FROM bench.came a WHERE a.kind = 'spam' ORDER BY a.id;
INSERT INTO spam_sender (pattern, allow, reason, added, actor) SELECT 'win' || n || '@spam.example', false, 'spam', now() - interval '100 days', 'bench1' FROM generate_series(1, 25) n;
SELECT setval(format('cirt.report_id_%s', m.month)::regclass, (m.month * 10000000000 + m.many)::bigint) FROM (SELECT month, sum(many) AS many FROM (
	SELECT month, count(*) AS many FROM bench.r GROUP BY month UNION ALL SELECT (id / 10000000000)::int, count(*) FROM bench.came GROUP BY 1) x GROUP BY month) m;

INSERT INTO inquiry (case_id, party, organisation, name, address, question, state, due, asked, asked_by, outbox, ended, ended_by, answer)
	SELECT c.id, (SELECT min(p.id) FROM party p WHERE p.case_id = c.id), c.organisation, 'Person ' || c.c, 'person' || c.c || '@net.example', 'Is ' || c.host || ' yours?',
		CASE WHEN c.lot < 5 THEN 'open' ELSE 'answered' END::inquiry_state, CASE WHEN c.lot < 5 THEN now() + (1 + 20 * bench.u(c.c, 60)) * interval '1 day' ELSE c.opened + interval '10 days' END,
		m.at, c.who, m.id, CASE WHEN c.lot >= 5 THEN c.moved END, CASE WHEN c.lot >= 5 THEN c.who END, CASE WHEN c.lot >= 5 THEN 'yes, it was' ELSE '' END
	FROM bench.mail m JOIN bench.c ON c.id = m.case_id WHERE m.sort = 2 ORDER BY m.id;
INSERT INTO ask (case_id, whom, subject, question, created, actor, until, closed) SELECT NULL, 'group bench-group-1', 'Do you use product ' || n, 'Do you use it?', now() - n * interval '10 hours', 'bench1',
		now() - n * interval '10 hours' + interval '30 days', CASE WHEN n > 25 THEN now() - n * interval '5 hours' END
	FROM generate_series(greatest(50, :reports / 5000), 1, -1) n;
INSERT INTO inquiry (ask, organisation, name, address, question, state, due, asked, asked_by, ended, ended_by, word, answer)
	SELECT a.id, o.id, '', 'security@org' || o.place || '.example', a.question, CASE WHEN o.place % 4 > 0 THEN 'answered' ELSE 'open' END::inquiry_state, a.until, a.created, a.actor,
		CASE WHEN o.place % 4 > 0 THEN a.created + interval '1 day' END, CASE WHEN o.place % 4 > 0 THEN 'keeper' END, CASE WHEN o.place % 4 > 0 THEN 'yes' ELSE '' END, ''
	FROM ask a, bench.organisation o WHERE o.place BETWEEN 5 AND 19 ORDER BY a.id, o.id;

-- Only the least report of an entry's day, source and node is summed up by those who land.
INSERT INTO ledger_day (day, source, node, entries_processed, found, reports, correspondence) SELECT day, source, node, count(*), sum(found), sum(reports), sum(correspondence)
	FROM ledger GROUP BY 1, 2, 3;
INSERT INTO books (spool, source, day, entries, bytes) SELECT spool, source, day, count(*), sum(size) FROM ledger GROUP BY 1, 2, 3;
ANALYZE;
SELECT definition FROM bench.index \gexec
INSERT INTO case_due SELECT x.* FROM (SELECT c.id, case_next_due(c.id) AS due FROM cases c WHERE c.state NOT IN ('closed', 'rejected', 'merged')) x WHERE x.due IS NOT NULL;
