-- What took longer with every row there is, and need not: indexes for what was looked up without one, counts that
-- end where nobody reads on, and texts of the journal whose plans are kept.
SET LOCAL search_path = cirt, pg_temp;

CREATE INDEX reference_party ON reference (party, id) WHERE party IS NOT NULL;
CREATE INDEX outbox_tests ON outbox (contact, id) WHERE kind = 'test';
-- All that today's page counts of an open case, so that it reads the index alone.
CREATE INDEX cases_open_facts ON cases (id) INCLUDE (state, severity, exercise, restricted, tlp, changed, number)
	WHERE state NOT IN ('closed', 'rejected', 'merged');

CREATE OR REPLACE FUNCTION contact_json(c contact) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('id', c.id, 'organisation', (SELECT name FROM organisation WHERE id = c.organisation), 'role', c.role,
		'name', c.name, 'email', c.email, 'phone', c.phone, 'language', c.language, 'zone', c.zone, 'schedule', c.schedule, 'format', c.format,
		'policy', c.policy, 'pgp', c.pgp, 'smime', c.smime, 'priority', c.priority, 'origin', c.origin, 'from', stamp(lower(c.valid)),
		'until', stamp(upper(c.valid)), 'bounced', stamp(c.bounced), 'tested', stamp(c.tested),
		'test', (SELECT o.number || ' ' || CASE WHEN o.answered IS NOT NULL THEN 'answered' WHEN o.bounced IS NOT NULL THEN 'came back'
				WHEN o.state = 'sent' THEN 'sent, no answer yet' ELSE o.state::text END FROM outbox o
			WHERE o.contact = c.id AND o.organisation = c.organisation AND o.kind = 'test' ORDER BY o.id DESC LIMIT 1))
$$;

-- The texts of a case's journal: in plpgsql, which keeps their plans.
CREATE OR REPLACE FUNCTION case_field_text(field text, said text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN coalesce(nullif(CASE field
		WHEN 'assignee' THEN (SELECT name FROM operator WHERE id = said::int)
		WHEN 'organisation' THEN (SELECT name FROM organisation WHERE id = said::int)
		WHEN 'campaign' THEN (SELECT number FROM cases WHERE id = said::bigint)
		WHEN 'severity' THEN severity_name(said::int)
		ELSE said END, ''), CASE field WHEN 'assignee' THEN 'nobody' ELSE '-' END);
END $$;
CREATE OR REPLACE FUNCTION case_row_text(action text, before text, after text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	r jsonb := coalesce(after, before);
BEGIN
	RETURN CASE split_part(action, ' ', 1)
		WHEN 'task' THEN task_journal_text(before::jsonb, after::jsonb)
		WHEN 'measure' THEN format('countermeasure %s ', r ->> 'id') || measure_journal_text(action, before, after)
		WHEN 'note' THEN format('note %s', r ->> 'id') || CASE
			WHEN action = 'note' THEN ''
			WHEN action = 'note erased' THEN ' erased: ' || coalesce(r ->> 'reason', '')
			WHEN r ->> 'erased' IS NOT NULL THEN NULL
			WHEN before::jsonb ->> 'digest' <> r ->> 'digest' THEN ' edited'
			WHEN (r ->> 'pinned')::boolean THEN ' pinned' ELSE ' changed' END
		WHEN 'party' THEN format('%s %s', r ->> 'role', coalesce((SELECT coalesce(nullif(p.name, ''), o.name) FROM party p
				LEFT JOIN organisation o ON o.id = p.organisation WHERE p.id = (r ->> 'id')::bigint),
				(SELECT name FROM organisation WHERE id = (r ->> 'organisation')::int), ''))
			|| CASE action WHEN 'party' THEN ' is a party' WHEN 'party delete' THEN ' is no party any more' ELSE ' changed' END
		WHEN 'case_tag' THEN CASE action WHEN 'case_tag' THEN 'tag ' ELSE 'no tag ' END || (r ->> 'tag')
		WHEN 'reference' THEN CASE action WHEN 'reference delete' THEN 'no reference ' ELSE 'reference ' END || (r ->> 'system') || ' ' || (r ->> 'value')
		WHEN 'case_watcher' THEN case_field_text('assignee', r ->> 'operator')
			|| CASE action WHEN 'case_watcher' THEN ' watches' ELSE ' watches no more' END
		WHEN 'case_event' THEN format('event %s of %s', r ->> 'id', journal_when(r ->> 'at'))
			|| CASE action WHEN 'case_event' THEN '' WHEN 'case_event delete' THEN ' removed' ELSE ' changed' END
		WHEN 'note_revision' THEN NULL
		WHEN 'clock' THEN clock_journal_text(before::jsonb, after::jsonb)
		WHEN 'filing' THEN filing_journal_text(action, r)
		WHEN 'filing_stage' THEN filing_journal_text(action, r)
		WHEN 'clock_extension' THEN filing_journal_text(action, r)
		WHEN 'case_wait' THEN filing_journal_text(action, r)
		WHEN 'playbook_applied' THEN filing_journal_text(action, r)
		ELSE action END;
END $$;
CREATE OR REPLACE FUNCTION case_journal_text(of_case text, action text, before text, after text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN CASE
		WHEN action = 'insert' THEN 'opened as ' || coalesce(after::jsonb ->> 'state', 'new')
		WHEN action = 'update' THEN (SELECT string_agg(CASE WHEN key = 'merged_into' THEN CASE WHEN after::jsonb ->> key IS NULL
					THEN 'stands by itself again' ELSE 'merged into ' || (SELECT number FROM cases WHERE id = (after::jsonb ->> key)::bigint) END
				ELSE replace(key, '_', ' ') || ' ' || case_field_text(key, value) || ' → ' || case_field_text(key, after::jsonb ->> key) END, ' · ')
			FROM jsonb_each_text(before::jsonb) WHERE key <> 'changed')
		WHEN action IN ('reports added', 'reports removed') THEN action || ': ' || coalesce(after::jsonb ->> 'count', '')
		WHEN action = 'case_link' THEN coalesce(after::jsonb ->> 'kind', '') || ' with '
			|| (SELECT string_agg(number, ', ' ORDER BY id) FROM cases
				WHERE id IN ((after::jsonb ->> 'a')::bigint, (after::jsonb ->> 'b')::bigint) AND number <> of_case)
		WHEN after IS NULL AND before IS NULL OR coalesce(after, before) NOT LIKE '{%' THEN action
		ELSE case_row_text(action, before, after)
	END;
END $$;

-- Open work of each operator: in the list it is counted to 200, of one operator to its end.
CREATE OR REPLACE FUNCTION desk_operator_list(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('items', coalesce(json_agg(json_build_object('operator', o.name, 'role', o.role, 'uid', o.uid,
			'certificate', o.certificate, 'enabled', o.enabled, 'configured', o.configured, 'added', stamp(o.added),
			'cases', (SELECT count(*) FROM (SELECT FROM cases c WHERE c.assignee = o.id AND c.state NOT IN ('closed', 'rejected', 'merged') LIMIT 200) n),
			'tasks', (SELECT count(*) FROM (SELECT FROM task t WHERE t.assignee = o.id AND t.state = 'open' LIMIT 200) n))
		ORDER BY o.enabled DESC, o.role DESC, o.name), '[]'), 'next', NULL)
	FROM operator o WHERE o.enabled OR p ? 'all'
$$;

-- Members are looked for once, for the count and for the page.
CREATE OR REPLACE FUNCTION group_show(f jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	g organisation_group := (SELECT x FROM organisation_group x WHERE x.id = group_named(f ->> 'name'));
	most int := page_limit(f);
	behind text := coalesce((SELECT o.name FROM organisation o WHERE o.id = (f ->> 'cursor')::int), '');
	members int[] := ARRAY(SELECT group_members(g));
	page organisation[] := ARRAY(SELECT o FROM organisation o WHERE o.id = ANY (members) AND o.name > behind ORDER BY o.name LIMIT most + 1);
BEGIN
	RETURN jsonb_build_object('name', g.name, 'title', g.title, 'sector', g.sector, 'kind', g.kind,
		'named', (SELECT count(*) FROM organisation_group_member m WHERE m."group" = g.id), 'members', cardinality(members),
		'organisations', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', o.name, 'kind', o.kind,
			'sector', o.sector, 'by', CASE WHEN EXISTS (SELECT 1 FROM organisation_group_member m WHERE m."group" = g.id AND m.organisation = o.id)
				THEN 'name' WHEN g.kind = o.kind THEN 'kind' ELSE 'sector' END) ORDER BY o.name), '[]')
		FROM unnest(page[:most]) AS o), 'next', CASE WHEN cardinality(page) > most THEN page[most].id::text END);
END $$;

CREATE OR REPLACE FUNCTION approvals_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('asked', count(*) FILTER (WHERE a.state = 'asked'), 'countersign', count(*) FILTER (WHERE a.state = 'countersign'),
		'late', count(*) FILTER (WHERE a.late), 'own', count(*) FILTER (WHERE a.asked_by = p ->> 'operator'), 'first', min(a.id)::text,
		'mails', (SELECT count(*) FROM (SELECT FROM outbox o WHERE o.state = 'held' AND o.approvals > cardinality(o.approved_by) LIMIT 1000) m))
	FROM (SELECT * FROM approval t WHERE t.state IN ('asked', 'countersign')
		AND (p ->> 'role' IN ('lead', 'admin') OR t.object NOT LIKE 'case/%' OR approval_visible(t.object, p)) LIMIT 1000) a
$$;

-- Who wrote what nobody has taken up: {sender, loose (in no case)}, a row for each mail. Those are reports
-- without a case, mails of new cases, and what came into a case and is unread.
CREATE OR REPLACE FUNCTION mails_unread(p jsonb) RETURNS TABLE (sender text, loose boolean) LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	since bigint := report_since(now() - interval '30 days');
	ids bigint[] := ARRAY(SELECT l.mail FROM letter l WHERE l.mail >= since ORDER BY l.mail DESC LIMIT 5000);
BEGIN
	-- "since" again beside the list: by it the months before are not looked into at all.
	RETURN QUERY WITH taken AS (SELECT k.report, k.case_id FROM case_report k WHERE k.report = ANY (ids) AND k.ended IS NULL),
		-- Of what is in no case: landed mails that are still new. (A letter's report may be gone with its retention.)
		fresh AS (SELECT r.id FROM report r WHERE r.id >= since AND r.id = ANY (ids) AND r.exercise = 0 AND r.id NOT IN (SELECT t.report FROM taken t)
			EXCEPT SELECT s.report FROM report_status s WHERE s.report >= since AND s.report = ANY (ids) AND s.state <> 'new'),
		cased AS MATERIALIZED (SELECT l.sender, t.case_id, false AS inside FROM taken t JOIN letter l ON l.mail = t.report
			UNION ALL (SELECT w.sender, w.case_id, true FROM case_letter w WHERE w.seen IS NULL LIMIT 10000)),
		shown AS MATERIALIZED (SELECT c.id, c.state FROM cases c WHERE c.id = ANY (ARRAY(SELECT DISTINCT m.case_id FROM cased m)) AND c.exercise = 0
			AND (NOT (c.restricted OR c.tlp = 'red' OR c.merged_into IS NOT NULL) OR case_visible(c.id, p)))
		SELECT l.sender, true FROM fresh f JOIN letter l ON l.mail = f.id
		UNION ALL SELECT m.sender, false FROM cased m JOIN shown c ON c.id = m.case_id WHERE m.inside OR c.state = 'new';
END $$;

-- By what brings them: lists that machines keep, sensors, people. A relapse is a new report that names an old one.
CREATE OR REPLACE FUNCTION intake_today(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	midnight timestamptz := date_trunc('day', now(), 'UTC');
	since bigint := report_since(midnight);
BEGIN
	RETURN (WITH day AS MATERIALIZED (SELECT source, sum(entries_processed + entries_quarantined + entries_discarded) AS entries, sum(reports) AS reports,
			sum(folded) AS folded, sum(quarantined + entries_quarantined) AS quarantined
			FROM ledger_day WHERE day = timezone('UTC', now())::date GROUP BY source),
		again AS MATERIALIZED (SELECT r.source, count(*) AS n FROM report r WHERE r.received >= midnight
			AND r.id >= since AND r.id = ANY (ARRAY(SELECT DISTINCT a FROM report_link WHERE kind = 'relapse' AND a >= since LIMIT 10000))
			GROUP BY r.source),
		each AS (SELECT s.name, CASE WHEN s.kind = 'sensor' THEN 'sensors' WHEN s.kind = 'mailbox'
				AND NOT EXISTS (SELECT FROM feed_columns f WHERE f.source = s.id) THEN 'people' ELSE 'feeds' END AS lane,
				d.entries, d.reports, d.folded, d.quarantined, coalesce(a.n, 0) AS relapses
			FROM day d JOIN source s ON s.id = d.source LEFT JOIN again a ON a.source = d.source)
	SELECT coalesce(json_object_agg(lane, told), '{}') FROM (SELECT lane, json_build_object('sources', count(*),
		'first', (array_agg(name ORDER BY reports + folded DESC, name))[1:3], 'entries', sum(entries)::bigint,
		'rows', sum(reports + folded + quarantined)::bigint, 'again', sum(folded)::bigint, 'new', greatest(sum(reports) - sum(relapses), 0)::bigint,
		'relapse', sum(relapses)::bigint, 'quarantined', sum(quarantined)::bigint) AS told FROM each GROUP BY lane) l);
END $$;

-- A receipt finds its entry's items by the ids that were given to them: those two numbers first, so that the
-- months that cannot hold them are not looked into.
CREATE OR REPLACE FUNCTION entry_items(of_day date, of_spool uuid, of_sequence bigint, after int, most int)
	RETURNS TABLE (item int, became text, id bigint) LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
#variable_conflict use_column
DECLARE
	l ledger;
BEGIN
	SELECT * INTO l FROM ledger k WHERE k.day = of_day AND k.spool = of_spool AND k.sequence = of_sequence;
	RETURN QUERY (SELECT r.item, 'report', r.id FROM report r WHERE r.id BETWEEN l.first_id AND l.last_id
			AND r.spool = of_spool AND r.sequence = of_sequence AND r.item > after ORDER BY r.item LIMIT most)
		UNION ALL (SELECT i.item, i.kind::text, i.id FROM item i WHERE i.id BETWEEN l.first_id AND l.last_id
			AND i.spool = of_spool AND i.sequence = of_sequence AND i.item > after ORDER BY i.item LIMIT most)
		UNION ALL (SELECT f.item, 'folded', f.into_id FROM entry_folds(l.folds) f WHERE l.day IS NOT NULL AND f.item > after ORDER BY f.item LIMIT most)
		UNION ALL (SELECT coalesce(q.item, -1), 'quarantined', q.id FROM quarantine q
			WHERE q.spool = of_spool AND q.sequence = of_sequence AND q.day = of_day AND coalesce(q.item, -1) > after
			ORDER BY 1 LIMIT most)
		ORDER BY 1 LIMIT most;
END $$;

-- What is kept of spam is summed over the days that had some.
CREATE INDEX ledger_day_spam ON ledger_day (day) INCLUDE (spam, spam_expired) WHERE spam <> 0 OR spam_expired <> 0;
