-- What operators do to tasks, countermeasures, the course of an incident and campaigns; merging and splitting; the journal in words.
SET LOCAL search_path = cirt, pg_temp;

-- ---- tasks ----

CREATE FUNCTION task_json(t task) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('id', t.id, 'case', c.number, 'title', t.title, 'state', t.state, 'assignee', o.name,
		'due', stamp(t.due), 'overdue', t.state = 'open' AND t.due < now(), 'origin', nullif(t.origin, ''), 'result', nullif(t.result, ''),
		'made', stamp(t.made), 'made_by', t.made_by, 'ended', stamp(t.ended), 'ended_by', t.ended_by, 'severity', severity_name(c.severity)))
	FROM cases c LEFT JOIN operator o ON o.id = t.assignee WHERE c.id = t.case_id
$$;

-- {case, mine, for, overdue, all, limit, cursor}: what is due first in front; with all of them the newest
CREATE FUNCTION desk_task_list(p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := coalesce((p ->> 'limit')::int, 50);
	ids bigint[] := CASE WHEN p ? 'case' THEN case_whole(case_asked(p, 'case')) END;
	whose boolean := p ? 'mine' OR coalesce(p ->> 'for', '-') <> '-';
	who int := CASE WHEN p ? 'mine' THEN (SELECT id FROM operator WHERE name = p ->> 'operator') ELSE operator_said(p ->> 'for') END;
	last bigint := (p ->> 'cursor')::bigint;
	behind timestamptz := (SELECT coalesce(due, 'infinity') FROM task WHERE id = last);
	found bigint[];
BEGIN
	IF p ? 'all' THEN
		found := ARRAY(SELECT t.id FROM task t WHERE (ids IS NULL OR t.case_id = ANY (ids)) AND (NOT whose OR t.assignee = who)
			AND (NOT p ? 'overdue' OR t.due < coalesce(t.ended, now())) AND (last IS NULL OR t.id < last)
			AND case_visible(t.case_id, p) ORDER BY t.id DESC LIMIT most + 1);
	ELSE
		found := ARRAY(SELECT t.id FROM task t WHERE t.state = 'open' AND (ids IS NULL OR t.case_id = ANY (ids))
			AND (NOT whose OR t.assignee = who) AND (NOT p ? 'overdue' OR t.due < now())
			AND (last IS NULL OR (coalesce(t.due, 'infinity'), t.id) > (behind, last))
			AND case_visible(t.case_id, p) ORDER BY coalesce(t.due, 'infinity'), t.id LIMIT most + 1);
	END IF;
	RETURN jsonb_build_object('items', (SELECT coalesce(jsonb_agg(task_json(t) ORDER BY u.n), '[]')
			FROM unnest(found[:most]) WITH ORDINALITY u (id, n) JOIN task t ON t.id = u.id),
		'next', CASE WHEN cardinality(found) > most THEN found[most]::text END);
END $$;

CREATE FUNCTION task_asked(p jsonb) RETURNS task LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	t task;
BEGIN
	SELECT * INTO t FROM task WHERE id = said_number(p, 'id', 'a task') FOR UPDATE;
	IF t.id IS NULL THEN
		RAISE EXCEPTION 'there is no task %: cirt task list', p ->> 'id' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM case_of_row(t.case_id, p);
	RETURN t;
END $$;

-- {number, text, for, due}
CREATE FUNCTION desk_task_new(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_worked(p);
	t task;
BEGIN
	IF c.state IN ('closed', 'rejected') THEN
		RAISE EXCEPTION '% is %: cirt case reopen % --reason TEXT', c.number, c.state, c.number USING ERRCODE = 'check_violation';
	END IF;
	INSERT INTO task (case_id, title, assignee, due) VALUES (c.id, said_words(p, 'text', 'what is to be done', 1000),
		operator_said(p ->> 'for'), said_time('due', p ->> 'due')) RETURNING * INTO t;
	RETURN task_json(t);
END $$;

-- {id, text, for, due}
CREATE FUNCTION desk_task_set(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	t task := task_asked(p);
BEGIN
	UPDATE task SET title = CASE WHEN p ? 'title' THEN said_words(p, 'title', 'what is to be done', 1000) ELSE title END,
		assignee = CASE WHEN p ? 'for' THEN operator_said(p ->> 'for') ELSE assignee END,
		due = CASE WHEN p ? 'due' THEN said_time('due', p ->> 'due') WHEN p ? 'no_due' THEN NULL ELSE due END
		WHERE id = t.id RETURNING * INTO t;
	RETURN task_json(t);
END $$;

-- {id, for}
CREATE FUNCTION desk_task_take(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	t task := task_asked(p);
BEGIN
	IF t.state <> 'open' THEN
		RAISE EXCEPTION 'task % is %: cirt task reopen % --reason TEXT', t.id, t.state, t.id USING ERRCODE = 'check_violation';
	END IF;
	UPDATE task SET assignee = CASE WHEN p ? 'for' THEN operator_said(p ->> 'for') ELSE operator_me(p) END WHERE id = t.id RETURNING * INTO t;
	RETURN task_json(t);
END $$;

-- What a verb makes of a task, as task_transition knows it.
CREATE FUNCTION task_move(p jsonb, by_verb text, said text) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	t task := task_asked(p);
	k task_transition;
BEGIN
	SELECT * INTO k FROM task_transition WHERE from_state = t.state AND verb = by_verb;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'task % is %; from there: %', t.id, t.state,
			(SELECT string_agg(format('cirt task %s %s', verb, t.id), ', ' ORDER BY verb) FROM task_transition WHERE from_state = t.state)
			USING ERRCODE = 'check_violation';
	ELSIF k.wants_result AND said = '' THEN
		PERFORM wrong(format('reason: `task %s` wants one: --reason TEXT', by_verb));
	ELSIF k.to_state = 'open' AND EXISTS (SELECT FROM cases c WHERE c.id = case_now(t.case_id) AND c.state IN ('closed', 'rejected')) THEN
		RAISE EXCEPTION 'the case of task % is closed: reopen that first', t.id USING ERRCODE = 'check_violation';
	END IF;
	UPDATE task SET state = k.to_state, result = said, ended = CASE WHEN k.to_state <> 'open' THEN now() END,
		ended_by = CASE WHEN k.to_state <> 'open' THEN actor() END WHERE id = t.id RETURNING * INTO t;
	RETURN task_json(t);
END $$;
-- {id, text}
CREATE FUNCTION desk_task_done(p jsonb) RETURNS jsonb LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	SELECT task_move(p, 'done', CASE WHEN p ? 'text' THEN said_words(p, 'text', 'what came of it', 10000) ELSE '' END)
$$;
-- {id, reason}
CREATE FUNCTION desk_task_drop(p jsonb) RETURNS jsonb LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	SELECT task_move(p, 'drop', left(coalesce(p ->> 'reason', ''), 10000))
$$;
CREATE FUNCTION desk_task_reopen(p jsonb) RETURNS jsonb LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	SELECT task_move(p, 'reopen', left(coalesce(p ->> 'reason', ''), 10000))
$$;

-- ---- countermeasures ----

CREATE FUNCTION measure_json(m measure) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('id', m.id, 'kind', m.kind, 'target', m.target, 'case', c.number, 'owner', o.name,
		'by', nullif(m.done_by, ''), 'reason', nullif(m.reason, ''), 'since', stamp(m.since), 'made_by', m.made_by,
		'review', stamp(m.review), 'reviewed', stamp(m.reviewed), 'reviewed_by', m.reviewed_by, 'expires', stamp(m.expires),
		'state', CASE WHEN m.ended IS NOT NULL THEN 'ended' WHEN m.expires <= now() THEN 'expired' WHEN m.review <= now() THEN 'to be reviewed'
			ELSE 'stands' END, 'ended', stamp(m.ended), 'ended_by', m.ended_by, 'end_reason', nullif(m.end_reason, '')))
	FROM operator o LEFT JOIN cases c ON c.id = m.case_id WHERE o.id = m.owner
$$;

-- {case, kind, mine, due, all, limit, cursor}: what is due first in front; with all of them the newest
CREATE FUNCTION desk_measure_list(p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := coalesce((p ->> 'limit')::int, 50);
	ids bigint[] := CASE WHEN p ? 'case' THEN case_whole(case_asked(p, 'case')) END;
	who int := CASE WHEN p ? 'mine' THEN coalesce((SELECT id FROM operator WHERE name = p ->> 'operator'), 0) END;
	last bigint := (p ->> 'cursor')::bigint;
	behind timestamptz := (SELECT coalesce(least(review, expires), 'infinity') FROM measure WHERE id = last);
	found bigint[];
BEGIN
	PERFORM measure_kind_said(p ->> 'kind') WHERE p ? 'kind';
	IF p ? 'all' THEN
		found := ARRAY(SELECT m.id FROM measure m WHERE (ids IS NULL OR m.case_id = ANY (ids)) AND (who IS NULL OR m.owner = who)
			AND (NOT p ? 'kind' OR m.kind = p ->> 'kind') AND (last IS NULL OR m.id < last)
			AND (m.case_id IS NULL OR case_visible(m.case_id, p)) ORDER BY m.id DESC LIMIT most + 1);
	ELSE
		found := ARRAY(SELECT m.id FROM measure m WHERE m.ended IS NULL AND (ids IS NULL OR m.case_id = ANY (ids))
			AND (who IS NULL OR m.owner = who) AND (NOT p ? 'kind' OR m.kind = p ->> 'kind')
			AND (NOT p ? 'due' OR least(m.review, m.expires) <= now())
			AND (last IS NULL OR (coalesce(least(m.review, m.expires), 'infinity'), m.id) > (behind, last))
			AND (m.case_id IS NULL OR case_visible(m.case_id, p))
			ORDER BY coalesce(least(m.review, m.expires), 'infinity'), m.id LIMIT most + 1);
	END IF;
	RETURN jsonb_build_object('items', (SELECT coalesce(jsonb_agg(measure_json(m) ORDER BY u.n), '[]')
			FROM unnest(found[:most]) WITH ORDINALITY u (id, n) JOIN measure m ON m.id = u.id),
		'next', CASE WHEN cardinality(found) > most THEN found[most]::text END);
END $$;
DROP INDEX measure_due;
CREATE INDEX measure_due ON measure (coalesce(least(review, expires), 'infinity'), id) WHERE ended IS NULL;

CREATE FUNCTION measure_kind_said(word text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM measure_kind WHERE name = word) THEN
		PERFORM wrong(format('kind: expected %s, not "%s"', (SELECT string_agg(name, ', ' ORDER BY place) FROM measure_kind),
			left(coalesce(word, ''), 60)));
	END IF;
	RETURN word;
END $$;

CREATE FUNCTION measure_asked(p jsonb, to_change boolean) RETURNS measure LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	m measure;
BEGIN
	IF to_change THEN
		SELECT * INTO m FROM measure WHERE id = said_number(p, 'id', 'a countermeasure') FOR UPDATE;
	ELSE
		SELECT * INTO m FROM measure WHERE id = said_number(p, 'id', 'a countermeasure');
	END IF;
	IF m.id IS NULL THEN
		RAISE EXCEPTION 'there is no countermeasure %: cirt measure list --all', p ->> 'id' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM case_of_row(m.case_id, p);
	IF to_change AND m.ended IS NOT NULL THEN
		RAISE EXCEPTION 'countermeasure % was ended by % at %', m.id, m.ended_by, stamp(m.ended) USING ERRCODE = 'check_violation';
	END IF;
	RETURN m;
END $$;

-- {id}
CREATE FUNCTION desk_measure_show(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	m measure := measure_asked(p, false);
BEGIN
	RETURN measure_json(m) || jsonb_build_object('journal', (SELECT coalesce(jsonb_agg(jsonb_build_object('at', stamp(to_timestamp(j.at / 1e6)),
			'actor', j.actor, 'what', measure_journal_text(j.action, j.before, j.after)) ORDER BY j.n), '[]')
		FROM (SELECT * FROM journal WHERE object = 'measure/' || m.id ORDER BY n DESC LIMIT 200) j));
END $$;

-- {kind, target, case, for, by, review, expires, reason}
CREATE FUNCTION desk_measure_new(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	m measure;
BEGIN
	IF p ? 'case' THEN
		c := case_worked(p, 'case');
	END IF;
	m.review := said_time('review', p ->> 'review');
	m.expires := said_time('expires', p ->> 'expires');
	IF m.review IS NULL AND m.expires IS NULL THEN
		PERFORM wrong('review: a countermeasure has a day on which somebody looks whether it is still needed: --review, or one on which it ends: --expires');
	END IF;
	INSERT INTO measure (kind, target, case_id, owner, done_by, reason, review, expires)
		VALUES (measure_kind_said(p ->> 'kind'), btrim(said_words(p, 'target', 'what it is against', 1000)), c.id,
			coalesce(operator_said(p ->> 'for'), operator_me(p)), said_text(p, 'by', '', 300), said_text(p, 'reason', '', 2000), m.review, m.expires)
		RETURNING * INTO m;
	RETURN measure_json(m);
END $$;

-- {id, for, by, review, expires, reason}
CREATE FUNCTION desk_measure_set(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	m measure := measure_asked(p, true);
BEGIN
	UPDATE measure SET owner = CASE WHEN p ? 'for' THEN coalesce(operator_said(p ->> 'for'), owner) ELSE owner END,
		done_by = said_text(p, 'by', done_by, 300), reason = said_text(p, 'reason', reason, 2000),
		review = CASE WHEN p ? 'review' THEN said_time('review', p ->> 'review') ELSE review END,
		expires = CASE WHEN p ? 'expires' THEN said_time('expires', p ->> 'expires') ELSE expires END
		WHERE id = m.id RETURNING * INTO m;
	IF m.review IS NULL AND m.expires IS NULL THEN
		PERFORM wrong('review: a countermeasure has a day of review or of its end');
	END IF;
	RETURN measure_json(m);
END $$;

-- {id, next, reason}: somebody has looked, and it is still needed until then
CREATE FUNCTION desk_measure_review(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	m measure := measure_asked(p, true);
	later timestamptz := said_time('next', p ->> 'next');
BEGIN
	IF later <= now() OR later IS NULL AND coalesce(m.expires, '-infinity') <= now() THEN
		PERFORM wrong(format('next: say when it is looked at again, a time to come: --next WHEN; or end it: cirt measure end %s', m.id));
	END IF;
	-- What has expired is wanted for longer.
	UPDATE measure SET reviewed = now(), reviewed_by = actor(), review = CASE WHEN expires <= now() THEN NULL ELSE later END,
		expires = CASE WHEN expires <= now() THEN later ELSE expires END, reason = said_text(p, 'reason', reason, 2000)
		WHERE id = m.id RETURNING * INTO m;
	RETURN measure_json(m);
END $$;

-- {id, reason}
CREATE FUNCTION desk_measure_end(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	m measure := measure_asked(p, true);
BEGIN
	UPDATE measure SET ended = now(), ended_by = actor(), end_reason = said_text(p, 'reason', '', 2000) WHERE id = m.id RETURNING * INTO m;
	RETURN measure_json(m);
END $$;

-- Alarms for what is to be looked at or has expired: once for each date; over when somebody has dealt with it.
CREATE FUNCTION keeper_measures() RETURNS TABLE (raised int, over int) LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	one record;
BEGIN
	raised := 0;
	over := 0;
	FOR one IN SELECT m.id, m.kind, m.target, o.name AS owner, k.what, k.at FROM measure m JOIN operator o ON o.id = m.owner,
			LATERAL (VALUES ('expired', m.expires), ('review', CASE WHEN m.expires <= now() THEN NULL ELSE m.review END)) k (what, at)
			WHERE m.ended IS NULL AND coalesce(least(m.review, m.expires), 'infinity') <= now() AND k.at <= now()
				AND NOT EXISTS (SELECT FROM measure_alarm a WHERE a.measure = m.id AND a.what = k.what AND a.at = k.at)
			ORDER BY k.at LIMIT 500 LOOP
		INSERT INTO measure_alarm (measure, what, at) VALUES (one.id, one.what, one.at);
		PERFORM alarm_raise('measure-' || one.what, one.id::text, NULL, CASE one.what WHEN 'expired'
			THEN format('countermeasure %s of %s has expired and still stands: %s %s (cirt measure end %s, or cirt measure review %s --next WHEN)',
				one.id, one.owner, one.kind, one.target, one.id, one.id)
			ELSE format('countermeasure %s of %s is to be reviewed: %s %s (cirt measure review %s --next WHEN)', one.id, one.owner, one.kind,
				one.target, one.id) END);
		raised := raised + 1;
	END LOOP;
	FOR one IN SELECT a.kind, a.subject FROM alarm a JOIN measure m ON m.id = a.subject::bigint
			WHERE a.ended IS NULL AND a.kind IN ('measure-expired', 'measure-review') AND (m.ended IS NOT NULL
				OR coalesce(CASE a.kind WHEN 'measure-expired' THEN m.expires ELSE m.review END, 'infinity') > now()) LOOP
		PERFORM alarm_over(one.kind, one.subject);
		over := over + 1;
	END LOOP;
	RETURN NEXT;
END $$;

-- ---- the course of the incident ----

CREATE FUNCTION event_json(e case_event) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('id', e.id, 'case', c.number, 'at', stamp(e.at), 'until', stamp(e.until),
		'about', CASE WHEN e.about THEN true END, 'text', e.text, 'told_by', nullif(e.told_by, ''), 'added', stamp(e.added), 'actor', e.actor))
	FROM cases c WHERE c.id = e.case_id
$$;

-- {number, text, at, until, about, from}
CREATE FUNCTION desk_event_add(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_worked(p);
	e case_event;
BEGIN
	e.at := coalesce(said_time('at', p ->> 'at'), now());
	e.until := said_time('until', p ->> 'until');
	IF e.until < e.at THEN
		PERFORM wrong('until: expected a time behind that of --at');
	END IF;
	INSERT INTO case_event (case_id, at, until, about, text, told_by) VALUES (c.id, e.at, e.until, p ? 'about',
		said_words(p, 'text', 'what happened', 10000), said_text(p, 'from', '', 300)) RETURNING * INTO e;
	RETURN event_json(e);
END $$;

CREATE FUNCTION event_asked(p jsonb) RETURNS case_event LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	e case_event;
BEGIN
	SELECT * INTO e FROM case_event WHERE id = said_number(p, 'id', 'an event') FOR UPDATE;
	IF e.id IS NULL THEN
		RAISE EXCEPTION 'there is no event %: cirt event list CASE', p ->> 'id' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM case_of_row(e.case_id, p);
	RETURN e;
END $$;
-- {id, at, until, about, exactly, text, from}
CREATE FUNCTION desk_event_set(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	e case_event := event_asked(p);
BEGIN
	e.at := coalesce(said_time('at', p ->> 'at'), e.at);
	e.until := CASE WHEN p ? 'until' THEN said_time('until', p ->> 'until') ELSE e.until END;
	IF e.until < e.at THEN
		PERFORM wrong('until: expected a time behind that of --at');
	END IF;
	UPDATE case_event SET at = e.at, until = e.until, about = (about OR p ? 'about') AND NOT p ? 'exactly',
		text = CASE WHEN p ? 'text' THEN said_words(p, 'text', 'what happened', 10000) ELSE text END, told_by = said_text(p, 'from', told_by, 300)
		WHERE id = e.id RETURNING * INTO e;
	RETURN event_json(e);
END $$;
-- {id}
CREATE FUNCTION desk_event_remove(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	e case_event := event_asked(p);
BEGIN
	DELETE FROM case_event WHERE id = e.id;
	RETURN event_json(e);
END $$;
-- {number}: of what was merged into it too, as it happened
CREATE FUNCTION desk_event_list(p jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('items', coalesce(jsonb_agg(event_json(e) ORDER BY e.at, e.id), '[]'), 'next', NULL)
	FROM case_event e WHERE e.case_id = ANY (case_whole(case_asked(p)))
$$;

-- ---- campaigns: a case that others belong to ----

CREATE FUNCTION campaign_json(which bigint) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('number', c.number, 'title', c.title, 'state', c.state, 'severity', severity_name(c.severity),
		'cases', (SELECT count(*) FROM cases m WHERE m.campaign = c.id), 'open', (SELECT count(*) FROM cases m WHERE m.campaign = c.id
			AND m.state NOT IN ('closed', 'rejected', 'merged')), 'changed', stamp(c.changed))
	FROM cases c WHERE c.id = which
$$;

-- The newest first; each is found by one step in the index, so that it does not matter how many cases they have.
CREATE FUNCTION desk_campaign_list(p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := coalesce((p ->> 'limit')::int, 50);
	found bigint[] := '{}';
	at bigint := coalesce((p ->> 'cursor')::bigint, 9223372036854775807);
BEGIN
	LOOP
		SELECT max(campaign) INTO at FROM cases WHERE campaign < at;
		EXIT WHEN at IS NULL OR cardinality(found) > most;
		IF case_visible(at, p) THEN
			found := found || at;
		END IF;
	END LOOP;
	RETURN jsonb_build_object('items', (SELECT coalesce(jsonb_agg(campaign_json(u.id) ORDER BY u.n), '[]')
			FROM unnest(found[:most]) WITH ORDINALITY u (id, n)), 'next', CASE WHEN cardinality(found) > most THEN found[most]::text END);
END $$;

-- Put a case below a campaign, or below none.
CREATE FUNCTION campaign_put(c cases, parent cases) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	IF c.id = parent.id THEN
		RAISE EXCEPTION 'a case is no campaign of itself' USING ERRCODE = 'check_violation';
	ELSIF parent.campaign IS NOT NULL THEN
		RAISE EXCEPTION '% belongs to the campaign % itself: put % there', parent.number, (SELECT number FROM cases WHERE id = parent.campaign),
			c.number USING ERRCODE = 'check_violation';
	ELSIF EXISTS (SELECT FROM cases m WHERE m.campaign = c.id) THEN
		RAISE EXCEPTION '% is a campaign: merge it into %, or put its cases there', c.number, parent.number USING ERRCODE = 'check_violation';
	ELSIF c.exercise <> parent.exercise THEN
		RAISE EXCEPTION 'one of % and % is an exercise', c.number, parent.number USING ERRCODE = 'check_violation';
	END IF;
	UPDATE cases SET campaign = parent.id WHERE id = c.id AND campaign IS DISTINCT FROM parent.id;
END $$;

-- The cases that p names, visible and locked, by number ascending.
CREATE FUNCTION cases_worked(p jsonb) RETURNS SETOF cases LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	word text;
BEGIN
	FOR word IN SELECT w FROM (SELECT jsonb_array_elements_text(p -> 'case') AS w) n ORDER BY (SELECT number FROM cases WHERE id = case_named(w)) LOOP
		RETURN NEXT case_worked(jsonb_build_object('number', word, 'operator', p ->> 'operator', 'role', p ->> 'role'));
	END LOOP;
END $$;

-- {title, case}: a case of its own for it
CREATE FUNCTION desk_campaign_new(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	below cases[] := CASE WHEN p ? 'case' THEN ARRAY(SELECT w FROM cases_worked(p) w) ELSE '{}' END;
	c cases;
	parent cases;
BEGIN
	INSERT INTO cases (title, state, severity, tlp, pap, type, exercise, assignee)
		SELECT said_words(p, 'title', 'the campaign''s name', 1000), 'open', (SELECT max(b.severity) FROM unnest(below) b),
			coalesce((SELECT max(b.tlp) FROM unnest(below) b), 'amber'), coalesce((SELECT max(b.pap) FROM unnest(below) b), 'amber'),
			coalesce(below[1].type, 'undetermined'), coalesce(below[1].exercise, 0), operator_me(p)
		RETURNING * INTO parent;
	FOREACH c IN ARRAY below LOOP
		PERFORM campaign_put(c, parent);
	END LOOP;
	RETURN campaign_json(parent.id);
END $$;

-- {number, case}
CREATE FUNCTION desk_campaign_add(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	parent cases := case_worked(p);
	c cases;
BEGIN
	FOR c IN SELECT * FROM cases_worked(p) LOOP
		PERFORM campaign_put(c, parent);
	END LOOP;
	RETURN campaign_json(parent.id);
END $$;

-- {case}
CREATE FUNCTION desk_campaign_remove(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	parent bigint;
BEGIN
	FOR c IN SELECT * FROM cases_worked(p) LOOP
		IF c.campaign IS NULL THEN
			RAISE EXCEPTION '% belongs to no campaign', c.number USING ERRCODE = 'check_violation';
		END IF;
		parent := c.campaign;
		UPDATE cases SET campaign = NULL WHERE id = c.id;
	END LOOP;
	RETURN campaign_json(parent);
END $$;

-- {number}
CREATE FUNCTION desk_campaign_show(p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_asked(p);
BEGIN
	-- Who names one of its cases means the campaign.
	which := coalesce((SELECT campaign FROM cases WHERE id = which), which);
	RETURN campaign_json(which) || jsonb_build_object('items', (SELECT coalesce(jsonb_agg(case_brief_json(m.id) ORDER BY m.id DESC), '[]')
		FROM (SELECT c.id FROM cases c WHERE c.campaign = which AND case_visible(c.id, p) ORDER BY c.id DESC LIMIT 1000) m));
END $$;

REVOKE ALL ON FUNCTION task_json, desk_task_list, task_asked, desk_task_new, desk_task_set, desk_task_take, task_move,
	desk_task_done, desk_task_drop, desk_task_reopen, measure_json, desk_measure_list, measure_kind_said, measure_asked,
	desk_measure_show, desk_measure_new, desk_measure_set, desk_measure_review, desk_measure_end, keeper_measures, event_json,
	desk_event_add, event_asked, desk_event_set, desk_event_remove, desk_event_list, campaign_json, desk_campaign_list,
	campaign_put, cases_worked, desk_campaign_new, desk_campaign_add, desk_campaign_remove, desk_campaign_show FROM PUBLIC;
GRANT EXECUTE ON FUNCTION task_json, desk_task_list, task_asked, desk_task_new, desk_task_set, desk_task_take, task_move,
	desk_task_done, desk_task_drop, desk_task_reopen, measure_json, desk_measure_list, measure_kind_said, measure_asked,
	desk_measure_show, desk_measure_new, desk_measure_set, desk_measure_review, desk_measure_end, event_json, desk_event_add,
	event_asked, desk_event_set, desk_event_remove, desk_event_list, campaign_json, desk_campaign_list, campaign_put,
	cases_worked, desk_campaign_new, desk_campaign_add, desk_campaign_remove, desk_campaign_show TO cirt_desk;
GRANT EXECUTE ON FUNCTION keeper_measures TO cirt_keeper;
