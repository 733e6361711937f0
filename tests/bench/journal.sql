-- The journal of what was made with the triggers off: what they would have said, when it happened, each chain hashed in one pass.
CREATE UNLOGGED TABLE bench.said (object text NOT NULL, at timestamptz NOT NULL, place int NOT NULL, actor text NOT NULL, action text NOT NULL, before text, after text);
INSERT INTO bench.said SELECT 'case/' || x.number, x.opened, 0, x.opened_by, 'insert', NULL, b.first::text
	FROM cases x, LATERAL (SELECT to_jsonb(x) || jsonb_build_object('state', CASE x.state WHEN 'new' THEN 'new' ELSE 'open' END, 'changed', x.opened, 'reason', '', 'outcome', '',
		'impact', NULL, 'merged_into', NULL) AS first) b;
INSERT INTO bench.said SELECT 'case/' || x.number, x.changed, 9, x.opened_by, 'update', (SELECT jsonb_object_agg(k.key, k.value) FROM jsonb_each(b.first) k
		WHERE b.now -> k.key IS DISTINCT FROM k.value)::text, b.now::text
	FROM cases x, LATERAL (SELECT to_jsonb(x) AS now, to_jsonb(x) || jsonb_build_object('state', 'open', 'changed', x.opened, 'reason', '', 'outcome', '', 'impact', NULL,
		'merged_into', NULL) AS first) b WHERE x.state NOT IN ('new', 'open');
INSERT INTO bench.said SELECT 'case/' || x.number, s.at, 1, s.actor, s.action, NULL, jsonb_build_object('count', s.n, 'digest', encode(sha256(convert_to(s.ids, 'UTF8')), 'hex'),
		'first', split_part(s.ids, ',', 1))::text
	FROM (SELECT case_id, added AS at, min(actor) AS actor, 'reports added' AS action, count(*) AS n, string_agg(report::text, ',' ORDER BY report) AS ids
			FROM case_report GROUP BY case_id, added
		UNION ALL SELECT case_id, ended, min(actor), 'reports removed', count(*), string_agg(report::text, ',' ORDER BY report)
			FROM case_report WHERE ended IS NOT NULL GROUP BY case_id, ended) s JOIN cases x ON x.id = s.case_id;
INSERT INTO bench.said SELECT 'case/' || x.number, t.at, 2, t.actor, t.what, NULL, t.doc::text FROM (
		SELECT case_id, at, actor, 'note' AS what, journal_fields('note', to_jsonb(n)) AS doc FROM note n
		UNION ALL SELECT case_id, added, added_by, 'party', journal_fields('party', to_jsonb(p)) FROM party p
		UNION ALL SELECT case_id, added, actor, 'case_event', journal_fields('case_event', to_jsonb(e)) FROM case_event e
		UNION ALL SELECT r.case_id, c.opened, c.who, 'reference', to_jsonb(r) FROM reference r JOIN bench.c ON c.id = r.case_id
		UNION ALL SELECT g.case_id, c.opened, c.who, 'case_tag', to_jsonb(g) FROM case_tag g JOIN bench.c ON c.id = g.case_id
		UNION ALL SELECT w.case_id, c.opened, c.who, 'case_watcher', to_jsonb(w) FROM case_watcher w JOIN bench.c ON c.id = w.case_id
		UNION ALL SELECT case_id, added, added_by, 'case_member', to_jsonb(m) FROM case_member m
		UNION ALL SELECT a, at, actor, 'case_link', to_jsonb(l) FROM case_link l UNION ALL SELECT b, at, actor, 'case_link', to_jsonb(l) FROM case_link l
		UNION ALL SELECT case_id, since, actor, 'case_wait', to_jsonb(w) FROM case_wait w
		UNION ALL SELECT case_id, made, made_by, 'task', to_jsonb(t) || '{"state": "open", "result": "", "ended": null, "ended_by": null}' FROM task t
		UNION ALL SELECT case_id, ended, ended_by, 'task update', to_jsonb(t) FROM task t WHERE ended IS NOT NULL
		UNION ALL SELECT case_id, started, 'cirt_desk', 'clock', to_jsonb(k) || '{"met": null, "ended": null, "breached": null}' FROM clock k
		UNION ALL SELECT case_id, coalesce(ended, breached), 'cirt_keeper', 'clock update', to_jsonb(k) FROM clock k WHERE coalesce(ended, breached) IS NOT NULL
		UNION ALL SELECT case_id, opened, opened_by, 'filing', to_jsonb(f) || '{"closed": null, "closed_by": null, "outcome": ""}' FROM filing f
		UNION ALL SELECT case_id, closed, closed_by, 'filing update', to_jsonb(f) FROM filing f WHERE closed IS NOT NULL
		UNION ALL SELECT case_id, received, actor, 'filing_stage', to_jsonb(s) FROM filing_stage s
		UNION ALL SELECT case_id, since, made_by, 'measure', to_jsonb(m) FROM measure m WHERE case_id IS NOT NULL
		UNION ALL SELECT case_id, acquired, actor, 'case_evidence', to_jsonb(e) FROM case_evidence e
		UNION ALL SELECT case_id, sent, 'cirt_courier', 'mail ' || number || ' sent', jsonb_build_object('outbox', number, 'tlp', tlp) FROM outbox
			WHERE case_id IS NOT NULL AND sent IS NOT NULL) t JOIN cases x ON x.id = t.case_id;
INSERT INTO bench.said
	SELECT 'measure/' || id, since, 0, made_by, 'insert', NULL, to_jsonb(m)::text FROM measure m
	UNION ALL SELECT 'hold/' || id, since, 0, actor, 'insert', NULL, to_jsonb(h)::text FROM hold h
	UNION ALL SELECT 'approval/' || id, asked, 0, asked_by, 'insert', NULL, to_jsonb(a)::text FROM approval a
	UNION ALL SELECT 'release/' || id, asked, 0, asked_by, 'insert', NULL, to_jsonb(q)::text FROM release q
	UNION ALL SELECT 'ask/' || id, created, 0, actor, 'insert', NULL, journal_row_text(to_jsonb(a), '{question}')::text FROM ask a
	UNION ALL SELECT 'inquiry/' || id, asked, 0, asked_by, 'insert', NULL, journal_row_text(to_jsonb(i), '{question,answer,address,name}')::text FROM inquiry i
	UNION ALL SELECT 'spam-sender/' || pattern, added, 0, actor, 'insert', NULL, to_jsonb(s)::text FROM spam_sender s;

CREATE FUNCTION bench.link(before bytea, bytes bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT sha256(before || bytes) $$;
CREATE AGGREGATE bench.chain(bytea) (SFUNC = bench.link, STYPE = bytea, INITCOND = '');
INSERT INTO journal (object, n, at, actor, role, action, before, after, bytes, hash)
	SELECT b.object, b.n, b.at, b.actor, 'cirt_desk', b.action, b.before, b.after, b.bytes, b.hash
	FROM (SELECT s.*, bench.chain(s.bytes) OVER w AS hash FROM (SELECT r.object, r.n, r.at, r.actor, r.action, r.before, r.after,
				journal_bytes(r.object, r.n, r.at, r.actor, 'cirt_desk', r.action, r.before, r.after) AS bytes
			FROM (SELECT d.object, row_number() OVER (PARTITION BY d.object ORDER BY d.at, d.place) AS n, (extract(epoch FROM d.at) * 1000000)::bigint AS at, d.actor, d.action,
				d.before, d.after FROM bench.said d) r) s WINDOW w AS (PARTITION BY s.object ORDER BY s.n)) b
	ORDER BY b.at, b.object, b.n;
INSERT INTO journal_head SELECT DISTINCT ON (object) object, n, hash FROM journal j WHERE object IN (SELECT object FROM bench.said WHERE place = 0) ORDER BY object, n DESC;
-- Nobody has looked at anything yet.
INSERT INTO case_news (operator, case_id, kind, actor, n, since, at) SELECT f.operator, f.case_id, 'act', j.actor, count(*), to_timestamp(min(j.at) / 1e6), to_timestamp(max(j.at) / 1e6)
	FROM (SELECT c.assignee AS operator, c.id AS case_id, c.number FROM cases c WHERE c.assignee IS NOT NULL
		UNION SELECT w.operator, w.case_id, c.number FROM case_watcher w JOIN cases c ON c.id = w.case_id) f JOIN operator o ON o.id = f.operator
	JOIN journal j ON j.object = 'case/' || f.number AND j.actor <> o.name GROUP BY f.operator, f.case_id, j.actor ON CONFLICT DO NOTHING;
-- Sequences go on behind what was numbered here.
SELECT format('SELECT setval(%L, (SELECT coalesce(max(%I), 0) + 1 FROM cirt.%I), false)', pg_get_serial_sequence('cirt.' || quote_ident(c.relname), a.attname), a.attname, c.relname)
	FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'cirt'::regnamespace AND a.attidentity <> '' AND NOT c.relispartition \gexec
DROP SCHEMA bench CASCADE;
SET session_replication_role = origin;
