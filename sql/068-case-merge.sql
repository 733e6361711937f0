-- Two cases as one, and one as two: links, undone at will. What hangs on a case stays with it and is shown in the case that it was
-- merged into; reports move, and go back. And what the journal of a case says to people.
SET LOCAL search_path = cirt, pg_temp;

-- Out of a merge a case goes back to what it was.
INSERT INTO case_transition (from_state, to_state, wants_reason) VALUES ('merged', 'new', true), ('merged', 'contained', true),
	('merged', 'resolved', true);
INSERT INTO act_kind VALUES ('undo_case_merge'), ('undo_case_split');

-- Whom a person means who names a case that was merged: where it is now.
CREATE FUNCTION case_merged_text(c cases) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT format('%s was merged into %s', c.number, (SELECT number FROM cases WHERE id = case_now(c.id)))
$$;

CREATE OR REPLACE FUNCTION case_merge(named text, into_named text, why text) RETURNS bigint LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	a cases;
	b cases;
	ids bigint[] := ARRAY[case_named(named), case_named(into_named)];
BEGIN
	IF ids[1] = ids[2] THEN
		RAISE EXCEPTION 'a case is not merged into itself' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM 1 FROM cases WHERE id = ANY (ids) ORDER BY number FOR UPDATE;
	SELECT * INTO a FROM cases WHERE id = ids[1];
	SELECT * INTO b FROM cases WHERE id = ids[2];
	IF b.state = 'merged' AND case_now(b.id) = a.id THEN
		RAISE EXCEPTION '% already: it is not merged in a circle', case_merged_text(b) USING ERRCODE = 'check_violation';
	ELSIF a.state = 'merged' THEN
		RAISE EXCEPTION '% already; take it out first: cirt case split %', case_merged_text(a), a.number USING ERRCODE = 'check_violation';
	ELSIF b.state = 'merged' THEN
		RAISE EXCEPTION '%: merge % into that', case_merged_text(b), a.number USING ERRCODE = 'check_violation';
	ELSIF b.state IN ('closed', 'rejected') THEN
		RAISE EXCEPTION '% is %: nothing is merged into it. cirt case reopen %', b.number, b.state, b.number USING ERRCODE = 'check_violation';
	ELSIF NOT EXISTS (SELECT 1 FROM case_transition WHERE from_state = a.state AND to_state = 'merged') THEN
		RAISE EXCEPTION '% is %; from there it goes to %', a.number, a.state, case_next(a.state) USING ERRCODE = 'check_violation';
	ELSIF a.exercise <> b.exercise THEN
		RAISE EXCEPTION 'one of the two is an exercise' USING ERRCODE = 'check_violation';
	END IF;
	UPDATE cases SET state = 'merged', merged_into = b.id, reason = why WHERE id = a.id;
	INSERT INTO case_link (a, b, kind, reason) VALUES (a.id, b.id, 'merged', why);
	PERFORM case_reports_move(a.id, b.id, NULL);
	PERFORM case_due_set(a.id);
	RETURN a.id;
END $$;

-- What a case was before it was merged. Who waited then may have waited in vain since: that one is open.
CREATE FUNCTION case_before_merge(c cases) RETURNS case_state LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT nullif(j.before::jsonb ->> 'state', 'waiting')::case_state FROM journal j
		WHERE j.object = 'case/' || c.number AND j.action = 'update' AND j.after::jsonb ->> 'state' = 'merged'
			AND j.before::jsonb ? 'state' ORDER BY j.n DESC LIMIT 1), 'open')
$$;

-- The merge undone: what came from it goes back, from wherever it went with the case that it had been merged into.
CREATE OR REPLACE FUNCTION case_unmerge(named text, why text) RETURNS bigint LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	link case_link;
	whole bigint;
	ids bigint[];
BEGIN
	SELECT * INTO c FROM cases WHERE id = case_named(named);
	IF c.state <> 'merged' THEN
		RAISE EXCEPTION '% is %, not merged: name the reports to be split off', c.number, c.state
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	whole := case_now(c.id);
	PERFORM 1 FROM cases WHERE id IN (c.id, c.merged_into, whole) ORDER BY number FOR UPDATE;
	SELECT * INTO c FROM cases WHERE id = c.id;
	IF c.state <> 'merged' OR case_now(c.id) <> whole THEN
		RAISE EXCEPTION '% was changed meanwhile: look again', c.number USING ERRCODE = 'check_violation';
	END IF;
	SELECT * INTO STRICT link FROM case_link l WHERE l.a = c.id AND l.b = c.merged_into AND l.kind = 'merged' ORDER BY l.at DESC LIMIT 1;
	ids := ARRAY(SELECT r.report FROM case_report r JOIN case_report o ON o.report = r.report AND o.case_id = whole AND o.ended IS NULL
		WHERE r.case_id = c.id AND r.ended = link.at);
	UPDATE cases SET state = case_before_merge(c), reason = CASE why WHEN '' THEN 'the merge was undone' ELSE why END WHERE id = c.id;
	PERFORM case_reports_move(whole, c.id, ids);
	INSERT INTO case_link (a, b, kind, reason) VALUES (c.id, link.b, 'split', why);
	PERFORM case_due_set(c.id);
	PERFORM case_due_set(whole);
	RETURN c.id;
END $$;

-- {number, into, reason, if}
CREATE FUNCTION desk_case_merge(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a bigint := case_asked(p);
	b bigint := case_asked(p, 'into');
	said jsonb;
BEGIN
	PERFORM 1 FROM cases WHERE id IN (a, b) ORDER BY number FOR UPDATE;
	PERFORM case_expect(a, p);
	PERFORM case_merge(p ->> 'number', p ->> 'into', coalesce(p ->> 'reason', ''));
	said := case_brief_json(a);
	RETURN said || jsonb_build_object('act', act_put('case', format('%s merged into %s', said ->> 'number', said ->> 'merged_into'),
		'undo_case_merge', jsonb_build_object('case', said ->> 'number', 'into', said ->> 'merged_into')));
END $$;
CREATE FUNCTION undo_case_merge(undo jsonb) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
BEGIN
	SELECT * INTO c FROM cases WHERE number = undo ->> 'case' FOR UPDATE;
	IF c.merged_into IS DISTINCT FROM (SELECT id FROM cases WHERE number = undo ->> 'into') THEN
		RAISE EXCEPTION '% is not merged into % any more', c.number, undo ->> 'into' USING ERRCODE = 'check_violation';
	END IF;
	PERFORM case_unmerge(c.number, '');
	RETURN format('%s stands by itself again', c.number);
END $$;

-- {number, reports, into, title, reason, if}; without reports: the merge undone
CREATE FUNCTION desk_case_split(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_expect(case_asked(p), p);
	which bigint[] := ARRAY(SELECT jsonb_array_elements_text(coalesce(p -> 'reports', '[]'))::bigint);
	target bigint;
BEGIN
	IF cardinality(which) = 0 THEN
		PERFORM case_unmerge(c.number, coalesce(p ->> 'reason', ''));
		RETURN case_brief_json(c.id);
	END IF;
	IF p ? 'into' THEN
		PERFORM case_asked(p, 'into');
	END IF;
	target := case_split(c.number, which, coalesce(p ->> 'into', ''), coalesce(p ->> 'title', ''), coalesce(p ->> 'reason', ''));
	RETURN case_brief_json(target) || jsonb_build_object('from', c.number, 'moved', cardinality(which), 'act', act_put('case',
		format('%s reports out of %s into %s', cardinality(which), c.number, (SELECT number FROM cases WHERE id = target)), 'undo_case_split',
		jsonb_build_object('from', c.id, 'to', target, 'reports', which, 'made', NOT p ? 'into')));
END $$;
CREATE FUNCTION undo_case_split(undo jsonb) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	was cases;
	made cases;
	back bigint[];
BEGIN
	PERFORM 1 FROM cases WHERE id IN ((undo ->> 'from')::bigint, (undo ->> 'to')::bigint) ORDER BY number FOR UPDATE;
	SELECT * INTO was FROM cases WHERE id = (undo ->> 'from')::bigint;
	SELECT * INTO made FROM cases WHERE id = (undo ->> 'to')::bigint;
	IF was.state IN ('closed', 'rejected', 'merged') THEN
		RAISE EXCEPTION '% is % now: it takes nothing back', was.number, was.state USING ERRCODE = 'check_violation';
	END IF;
	back := ARRAY(SELECT r.report FROM case_report r WHERE r.case_id = made.id AND r.ended IS NULL
		AND r.report IN (SELECT jsonb_array_elements_text(undo -> 'reports')::bigint));
	PERFORM case_reports_move(made.id, was.id, back);
	IF (undo ->> 'made')::boolean AND made.state IN ('new', 'open', 'waiting')
		AND NOT EXISTS (SELECT FROM case_report r WHERE r.case_id = made.id AND r.ended IS NULL) THEN
		UPDATE cases SET state = 'rejected', reason = format('the split was undone: it is %s again', was.number) WHERE id = made.id;
	END IF;
	RETURN format('%s reports are in %s again', cardinality(back), was.number);
END $$;

-- ---- the journal in words ----

-- Dates in lines of the journal.
CREATE FUNCTION journal_when(said text) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT to_char(timezone('UTC', said::timestamptz), 'YYYY-MM-DD HH24:MI"Z"')
$$;

-- A value of a row of cases, as people call it.
CREATE FUNCTION case_field_text(field text, said text) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(nullif(CASE field
		WHEN 'assignee' THEN (SELECT name FROM operator WHERE id = said::int)
		WHEN 'organisation' THEN (SELECT name FROM organisation WHERE id = said::int)
		WHEN 'campaign' THEN (SELECT number FROM cases WHERE id = said::bigint)
		WHEN 'severity' THEN severity_name(said::int)
		ELSE said END, ''), CASE field WHEN 'assignee' THEN 'nobody' ELSE '-' END)
$$;

-- What became of a task or a countermeasure between two rows of it.
CREATE FUNCTION task_journal_text(was jsonb, is_now jsonb) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT format('task %s ', is_now ->> 'id') || CASE
		WHEN was IS NULL THEN 'to do' || coalesce(', due ' || journal_when(is_now ->> 'due'), '')
		WHEN was ->> 'state' <> is_now ->> 'state' THEN CASE is_now ->> 'state' WHEN 'open' THEN 'open again' ELSE is_now ->> 'state' END
		WHEN was -> 'assignee' <> is_now -> 'assignee' THEN 'is ' || case_field_text('assignee', is_now ->> 'assignee') || '''s'
		WHEN was -> 'due' <> is_now -> 'due' THEN 'due ' || coalesce(journal_when(is_now ->> 'due'), 'at no time')
		ELSE 'changed' END
		|| ': ' || (is_now ->> 'title') || CASE WHEN is_now ->> 'result' <> '' THEN ' (' || left(is_now ->> 'result', 200) || ')' ELSE '' END
$$;
CREATE FUNCTION measure_journal_text(action text, before text, after text) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE
		WHEN action IN ('insert', 'measure') THEN 'put up, ' || coalesce('review ' || journal_when(n ->> 'review'), 'until ' || journal_when(n ->> 'expires'))
		WHEN w -> 'ended' IS DISTINCT FROM n -> 'ended' AND n ->> 'ended' IS NOT NULL AND w ? 'ended'
			THEN 'ended' || CASE WHEN n ->> 'end_reason' <> '' THEN ' (' || (n ->> 'end_reason') || ')' ELSE '' END
		WHEN w ? 'reviewed' AND w -> 'reviewed' <> n -> 'reviewed' THEN 'reviewed' || coalesce(', next ' || journal_when(n ->> 'review'), '')
		WHEN w ? 'owner' AND w -> 'owner' <> n -> 'owner' THEN 'is ' || case_field_text('assignee', n ->> 'owner') || '''s'
		ELSE 'changed' END || ': ' || (n ->> 'kind') || ' ' || (n ->> 'target')
	FROM (SELECT before::jsonb AS w, after::jsonb AS n) j
$$;

-- What belongs to a case came, changed or went. NULL: nothing that a person asks for.
CREATE FUNCTION case_row_text(action text, before text, after text) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE split_part(action, ' ', 1)
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
		ELSE action END
	FROM (SELECT coalesce(after, before)::jsonb AS r) k
$$;

CREATE OR REPLACE FUNCTION case_journal_text(of_case text, action text, before text, after text) RETURNS text LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	SELECT CASE
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
	END
$$;

REVOKE ALL ON FUNCTION case_merged_text, case_before_merge, desk_case_merge, undo_case_merge, desk_case_split, undo_case_split,
	journal_when, case_field_text, task_journal_text, measure_journal_text, case_row_text FROM PUBLIC;
GRANT EXECUTE ON FUNCTION case_merged_text, case_before_merge, desk_case_merge, undo_case_merge, desk_case_split,
	undo_case_split, journal_when, case_field_text, task_journal_text, measure_journal_text, case_row_text TO cirt_desk;
