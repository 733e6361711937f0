-- :reports reports over :months months, more each year, and what became of them. Read by a superuser on a database where nobody else
-- works; the triggers are off, so what they would have written is written here, a set at a time.
SET search_path = cirt, bench, pg_temp;
SET TimeZone = 'UTC';
SET session_replication_role = replica;
SELECT set_config('cirt.actor', 'bench', false);
SET synchronous_commit = off;
SET work_mem = '256MB';
SET maintenance_work_mem = '1GB';

-- Indexes that are no constraints wait for the end.
CREATE TABLE bench.index AS SELECT replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') AS definition, i.indexrelid::regclass::text AS name
	FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
	WHERE c.relnamespace = 'cirt'::regnamespace AND NOT c.relispartition AND NOT i.indisunique
		AND c.relname IN ('report', 'item', 'case_report', 'cases', 'note', 'party', 'reference', 'task', 'clock', 'outbox', 'disclosure', 'warning',
			'case_event', 'measure', 'inquiry', 'attachment', 'journal', 'inbox', 'sighting', 'report_link', 'case_link', 'case_key', 'spam', 'letter');
SELECT format('DROP INDEX %s', name) FROM bench.index \gexec

-- Even between 0 and 1, the same at each run: of number n the k-th.
CREATE FUNCTION bench.u(n bigint, k int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT (hashint8extended(n, k) & 4294967295)::float8 / 4294967296
$$;
CREATE FUNCTION bench.key(kind text, value text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT ('x' || encode(substr(sha256(convert_to(kind, 'UTF8') || '\x00' || convert_to(value, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint
$$;
CREATE TABLE bench.span AS SELECT date_trunc('month', now()) - (:months - 1) * interval '1 month' AS start,
	now() - interval '1 hour' - (date_trunc('month', now()) - (:months - 1) * interval '1 month') AS length;
-- When the n-th of so many came.
CREATE FUNCTION bench.time(n float8, of_all float8) RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT date_trunc('milliseconds', start + length * power((n + 0.5) / of_all, 0.75)) FROM bench.span
$$;
SELECT format('SELECT cirt.partition_month(%s)', to_char(s.start + m * interval '1 month', 'YYYYMM'))
	FROM bench.span s, generate_series(0, :months - 1) m \gexec

CREATE UNLOGGED TABLE bench.made AS
	WITH feeds AS (SELECT array_agg(id ORDER BY id) AS ids FROM source WHERE name LIKE 'bench-%' AND kind <> 'mailbox'),
	posts AS (SELECT array_agg(id ORDER BY id) AS ids FROM source WHERE name LIKE 'bench-post-%'),
	served AS (SELECT array_agg(id ORDER BY place) AS ids, count(*)::int AS many FROM bench.organisation),
	-- Some send much and most little; some are concerned often.
	thrown AS (SELECT n, bench.time(n, :reports) AS received, n % 25 = 9 AS mail, n % 20 AS fate, floor(20 * power(bench.u(n, 1), 2))::int AS feed,
			floor(4 * bench.u(n, 2))::int AS post, floor(served.many * power(bench.u(n, 3), 2))::int AS place, n % 20 < 12 OR bench.u(n, 4) < 0.6 AS ours,
			floor(4096 * power(bench.u(n, 5), 2))::int AS host, floor(3 * power(bench.u(n, 6), 1.5))::int AS sort, floor(12 * bench.u(n, 7))::int AS family,
			bench.u(n, 8) AS graveness, n % (:reports / 40) = 9 AS planted
		FROM generate_series(0, :reports - 1) n, served)
	SELECT t.n, to_char(t.received, 'YYYYMM')::int AS month, t.received, t.mail, t.fate, t.planted, t.place,
		CASE WHEN t.mail THEN posts.ids[1 + t.post] ELSE feeds.ids[1 + t.feed] END AS source,
		CASE WHEN t.ours THEN served.ids[1 + t.place] END AS organisation,
		CASE WHEN t.planted THEN '198.51.100.77' WHEN t.ours THEN host('10.0.0.0'::inet + (4096 * t.place + t.host))
			ELSE host('100.0.0.0'::inet + floor(1048576 * bench.u(t.n, 9))::int) END AS ip,
		CASE WHEN t.planted THEN 'needle.planted.example' WHEN t.ours THEN 'h' || t.host || '.org' || t.place || '.example'
			ELSE 'h' || floor(1000 * bench.u(t.n, 10)) || '.x' || floor(1000 * bench.u(t.n, 11)) || '.example' END AS name,
		(ARRAY['infected-system', 'potentially-unwanted-accessible', 'vulnerable-system', 'scanner', 'brute-force', 'ddos-amplifier', 'phishing', 'c2-server',
			'malware-distribution', 'weak-crypto', 'information-disclosure', 'system-compromise', 'unauthorised-use-of-resources', 'misconfiguration',
			'application-compromise', 'social-engineering'])[1 + (3 * t.feed + t.sort) % 16]::rsit_type AS type,
		(ARRAY['mirai', 'qakbot', 'open-rdp', 'open-ldap', 'phishing-kit', 'emotet', 'open-dns', 'cve-2024-3400', 'lockbit', 'redline', 'open-smb',
			'default-password'])[1 + t.family] AS identifier,
		CASE WHEN t.graveness < 0.02 THEN 80 WHEN t.graveness < 0.1 THEN 60 ELSE 10 * (2 + floor(40 * t.graveness)::int % 3) END::smallint AS severity
	FROM thrown t, feeds, posts, served;
ALTER TABLE bench.made ADD id bigint;
CREATE UNLOGGED TABLE bench.r AS SELECT m.month * 10000000000 + row_number() OVER (PARTITION BY m.month ORDER BY m.n) AS id, m.n, m.month, m.received, m.mail,
	m.fate, m.planted, m.place, m.source, m.organisation, m.ip, m.name, m.type, m.identifier, m.severity, m.received + interval '30 minutes' AS acted FROM made m;
DROP TABLE bench.made;
CREATE INDEX ON bench.r (n);
ANALYZE bench.r;

INSERT INTO report (id, received, first_seen, sequence, spool, fingerprint, source, item, exercise, organisation, scope, type, tlp, pap, severity, confidence,
		trust, rule_version, rule, rule_key, sender_id, identifier, malware, country, title, text, doc, observables, keys, notes, tags)
	SELECT r.id, r.received, r.received, r.n, '11111111-1111-1111-1111-111111111111', md5('bench ' || r.n)::uuid, r.source, 0, 0, r.organisation, 0, r.type,
		CASE WHEN r.mail THEN 'amber' ELSE 'green' END::tlp, 'green', r.severity, 70, 60, 1, 'bench', r.ip, '', CASE WHEN r.mail THEN '' ELSE r.identifier END,
		CASE WHEN r.mail THEN r.identifier ELSE '' END, CASE WHEN r.organisation IS NULL THEN '' ELSE 'AT' END,
		CASE WHEN r.mail THEN format('%s %s at %s', (ARRAY['Strange', 'Repeated', 'Urgent:', 'Question on', 'Suspicious', 'New', 'Possible', 'Odd'])[1 + r.n / 25 % 8],
			(ARRAY['mails', 'logins', 'scans', 'page', 'invoice', 'traffic', 'files', 'calls', 'accounts'])[1 + r.n / 200 % 9], r.name) ELSE '' END,
		CASE WHEN r.mail THEN format('Dear all, %s (%s) sends us odd things since yesterday, ticket %s.%s Regards, person %s', r.name, r.ip, r.n,
			CASE WHEN r.planted THEN ' We saw quetzalcoatl there.' ELSE '' END, r.n % 5000) ELSE '' END,
		CASE WHEN r.mail THEN '' ELSE format('{"source":{"ip":"%s"},"n":%s,"note":"%s"}', r.ip, r.n, repeat('x', 100)) END,
		ARRAY['ip source ' || r.ip, 'name source ' || r.name] || CASE WHEN r.mail THEN ARRAY['email reporter p' || r.n % 5000 || '@mail.example'] ELSE '{}' END,
		ARRAY[bench.key('ip', r.ip), bench.key('ip', network(set_masklen(r.ip::inet, 24))::text), bench.key('ip', network(set_masklen(r.ip::inet, 16))::text),
			bench.key('name', r.name), bench.key('name', substr(r.name, strpos(r.name, '.') + 1)), bench.key('identifier', r.identifier)]
			|| CASE WHEN r.mail THEN ARRAY[bench.key('email', 'p' || r.n % 5000 || '@mail.example'), bench.key('name', 'mail.example')] ELSE '{}' END, '{}', '{}'
	FROM bench.r ORDER BY r.id;
-- One in five was seen again.
INSERT INTO sighting SELECT r.id, r.received::date, r.source, k.id, 1 + r.n % 3, r.received, r.received FROM bench.r, (SELECT id FROM node WHERE name = 'bench') k
	UNION ALL SELECT r.id, r.received::date + 1, r.source, k.id, 1 + r.n % 2, r.received + interval '1 day', r.received + interval '1 day'
		FROM bench.r, (SELECT id FROM node WHERE name = 'bench') k WHERE r.n % 5 = 0 AND r.received < now() - interval '2 days';
INSERT INTO fingerprint SELECT r.fingerprint, 0, r.tlp, 0, r.severity, r.confidence, r.trust, r.id, r.first_seen, r.first_seen,
		r.first_seen + interval '60 days' FROM report r WHERE r.first_seen > now() - interval '60 days';
INSERT INTO arrival (month, minute, first_id) SELECT r.month, date_trunc('minute', r.received), min(r.id) FROM bench.r GROUP BY 1, 2;
INSERT INTO ledger (day, spool, sequence, received, source, exercise, node, format, disposition, digest, size, found, reports, first_id, last_id, landed)
	SELECT r.received::date, '11111111-1111-1111-1111-111111111111', r.n, r.received, r.source, 0, k.id,
		CASE WHEN r.mail THEN 'mail' ELSE 'lines' END::source_format, 'processed', sha256(int8send(r.n)), 400, 1, 1, r.id, r.id, r.received
	FROM bench.r, (SELECT id FROM node WHERE name = 'bench') k;

-- What became of them: of twenty six are in a case, six were told, one is answered, five are nothing, two are new.
INSERT INTO report_status (report, state, reject_reason, gone_at, changed, actor)
	SELECT r.id, CASE WHEN r.fate < 6 THEN 'linked' WHEN r.fate < 12 THEN 'noticed' WHEN r.fate = 12 THEN 'answered' ELSE 'rejected' END::report_state,
		CASE WHEN r.fate > 12 THEN (ARRAY['false-alarm', 'not-ours', 'duplicate', 'spam', 'test'])[r.fate - 12] END::reject_reason,
		CASE WHEN r.fate BETWEEN 6 AND 11 AND r.received < now() - interval '30 days' THEN r.received + interval '7 days' END, r.acted, 'bench' || 1 + r.n % 12
	FROM bench.r WHERE r.fate < 18;
-- The inbox, as the keeper would have sorted it.
CREATE UNLOGGED TABLE bench.line AS SELECT r.id AS report, p.people, CASE WHEN p.people THEN 0 WHEN g.grave THEN 1 ELSE 2 END::smallint AS rank, r.source, r.type,
		r.identifier, CASE WHEN p.people THEN inbox_subject(t.title) ELSE '' END AS subject, CASE WHEN p.people OR g.grave THEN coalesce(r.organisation, 0) ELSE 0 END AS owner,
		coalesce(r.organisation, 0) AS organisation, r.severity
	FROM bench.r JOIN report t ON t.id = r.id LEFT JOIN organisation w ON w.id = r.organisation CROSS JOIN LATERAL (SELECT r.mail AS people) p
		CROSS JOIN LATERAL (SELECT w.id IS NOT NULL AND (r.severity >= 80 OR (w.kind = 'government' OR w.criticality = 'critical')
			AND rsit_class(r.type) IN ('intrusions', 'malicious-code')) AS grave) g
	WHERE r.fate >= 18;
INSERT INTO inbox_line (exercise, source, type, identifier, subject, owner, rank, n, organisations, severity, newest)
	SELECT 0, source, type, identifier, subject, owner, rank, count(*), count(DISTINCT nullif(organisation, 0)), max(severity), max(report)
	FROM bench.line GROUP BY source, type, identifier, subject, owner, rank;
INSERT INTO inbox (report, line, organisation) SELECT b.report, l.id, b.organisation FROM bench.line b
	JOIN inbox_line l USING (source, type, identifier, subject, owner, rank) ORDER BY b.report;
INSERT INTO inbox_whose SELECT line, organisation, count(*) FROM inbox GROUP BY 1, 2;
-- Files came with every second mail.
INSERT INTO attachment SELECT r.id, r.n, '11111111-1111-1111-1111-111111111111', 1, r.month, 600, sha256(int8send(r.n / 100)), 'mail-' || r.n || '.eml', 'message/rfc822'
	FROM bench.r WHERE r.n % 50 = 9;
INSERT INTO evidence SELECT DISTINCT ON (month, digest) a.month, a.digest, a.size, convert_to(repeat(encode(a.digest, 'hex'), 9), 'UTF8') FROM attachment a
	ORDER BY month, digest;
INSERT INTO verdict (report, number, engine, rule, set_digest, part, outcome) SELECT r.id, 1, 'yara', 'bench_rule_' || r.n % 30, 'bench', '1', 'match'
	FROM bench.r WHERE r.n % 50 = 9;
-- What their sources have to allow.
INSERT INTO release (report, source, asked, asked_by, granted, answered, answered_by) SELECT r.id, r.source, r.acted, 'bench1',
		CASE WHEN r.n % 1000 >= 4 THEN 'full' END::release_kind, CASE WHEN r.n % 1000 >= 4 THEN r.acted + interval '1 day' END,
		CASE WHEN r.n % 1000 >= 4 THEN 'bench2' END
	FROM bench.r WHERE r.n % 1000 < 10 ORDER BY r.id;
INSERT INTO quarantine (day, spool, sequence, received, source, exercise, format, state, stage, reason, envelope, size, bytes, since)
	SELECT r.received::date, r.spool, 100000000 + r.sequence, r.received, r.source, 0, 'lines', CASE WHEN b.n % 2 = 0 THEN 'quarantined' ELSE 'discarded' END::quarantine_state,
		'read', 'no JSON: expected "{" at byte 1', '{}', 40, convert_to('what is not JSON, number ' || b.n || repeat('.', 10), 'UTF8'), r.received
	FROM (SELECT id, n / 200 AS n FROM bench.r WHERE n % 200 = 50) b JOIN report r ON r.id = b.id ORDER BY r.id;
INSERT INTO report_link SELECT r.id, p.id, 'relapse', NULL, 'bench', r.received FROM bench.r JOIN bench.r p ON p.n = r.n - 1000 WHERE r.n % 50 = 7;
