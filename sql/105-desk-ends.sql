-- Waiting is undone, and ends with an answer by phone; cases that are merged count their time as one; a question to many is looked at first;
-- what is by hand may be a drill's.
SET LOCAL search_path = cirt, pg_temp;

-- ---- waiting ----

INSERT INTO act_kind (undo_function) VALUES ('undo_case_wait');

-- {number, for, until, if}
ALTER FUNCTION desk_case_wait(jsonb) RENAME TO case_wait_asked;
CREATE FUNCTION desk_case_wait(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	of_case bigint := case_seen(p ->> 'number', p);
	was bigint := (SELECT w.id FROM case_wait w WHERE w.case_id = of_case AND w.ended IS NULL);
	answer jsonb := case_wait_asked(p);
	fresh bigint := (SELECT w.id FROM case_wait w WHERE w.case_id = of_case AND w.ended IS NULL);
BEGIN
	RETURN answer || jsonb_build_object('act', act_put('case', format('%s waits for %s', answer ->> 'number', answer ->> 'waits_for'), 'undo_case_wait',
		jsonb_strip_nulls(jsonb_build_object('wait', fresh, 'was', was))));
END $$;

-- Back to what it was; to what it waited for before, where it did.
CREATE FUNCTION undo_case_wait(undo jsonb) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	w case_wait;
	before case_wait;
	c cases;
BEGIN
	SELECT * INTO w FROM case_wait WHERE id = (undo ->> 'wait')::bigint;
	SELECT * INTO c FROM cases WHERE id = w.case_id FOR UPDATE;
	SELECT * INTO w FROM case_wait WHERE id = w.id;
	IF w.ended IS NOT NULL OR c.state <> 'waiting' THEN
		RAISE EXCEPTION '% does not wait for % any more', c.number, w.whom USING ERRCODE = 'check_violation';
	END IF;
	SELECT * INTO before FROM case_wait WHERE id = (undo ->> 'was')::bigint;
	IF before.id IS NULL THEN
		UPDATE cases SET state = w.came_from, reason = 'waiting was undone' WHERE id = c.id;
		RETURN format('%s is %s again', c.number, w.came_from);
	END IF;
	UPDATE case_wait SET ended = now(), ended_by = 'person' WHERE id = w.id;
	UPDATE case_wait SET ended = NULL, ended_by = NULL WHERE id = before.id;
	UPDATE cases SET reason = 'for ' || before.whom || ' until ' || house_time(before.until) WHERE id = c.id;
	RETURN format('%s waits for %s again', c.number, before.whom);
END $$;

-- An answer that somebody wrote down is one as a mail is: whoever waited for it goes on.
CREATE FUNCTION wait_heard(i inquiry) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	w case_wait;
BEGIN
	SELECT * INTO c FROM cases WHERE id = case_now(i.case_id) FOR UPDATE;
	SELECT * INTO w FROM case_wait WHERE case_id = c.id AND ended IS NULL;
	IF c.state <> 'waiting' OR w.id IS NULL THEN
		RETURN;
	ELSIF wait_answered(w, lower(i.address)) OR lower(w.whom) IN (lower(i.name), lower(i.address))
		OR EXISTS (SELECT FROM party q WHERE q.id = w.party AND (q.organisation = i.organisation OR lower(q.name) = lower(i.name))) THEN
		UPDATE case_wait SET ended = now(), ended_by = 'answer' WHERE id = w.id;
		UPDATE cases SET state = w.came_from, reason = format('%s has answered: question %s', w.whom, i.id) WHERE id = c.id;
	END IF;
END $$;

ALTER FUNCTION desk_inquiry_answered(jsonb) RENAME TO inquiry_answered_said;
CREATE FUNCTION desk_inquiry_answered(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	answer jsonb := inquiry_answered_said(p);
	i inquiry := inquiry_named(p);
BEGIN
	IF i.case_id IS NOT NULL AND i.word <> 'checking' THEN
		PERFORM wait_heard(i);
	END IF;
	RETURN answer || jsonb_build_object('case_state', (SELECT state FROM cases WHERE id = case_now(i.case_id)));
END $$;

-- ---- clocks of cases that are merged ----

-- What follows the case follows it with all that was merged into it.
CREATE OR REPLACE FUNCTION clock_case_moved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	meets text[] := CASE NEW.state WHEN 'contained' THEN '{contained}'::text[] WHEN 'resolved' THEN '{contained,resolved}'
		WHEN 'closed' THEN '{contained,resolved,closed}' ELSE '{}' END
		|| CASE WHEN NEW.assignee IS NOT NULL THEN '{taken}'::text[] ELSE '{}' END;
	ids bigint[] := CASE WHEN NEW.state IN ('merged', 'new') THEN ARRAY[NEW.id] ELSE case_whole(NEW.id) END;
BEGIN
	PERFORM clock_meet(id, now(), 'the case is ' || NEW.state) FROM clock
		WHERE case_id = ANY (ids) AND ended IS NULL AND kind = 'service' AND ends_by = ANY (meets) ORDER BY id;
	IF NEW.state = OLD.state THEN
		RETURN NULL;
	END IF;
	IF NEW.state IN ('closed', 'rejected') THEN
		PERFORM clock_end(id, 'the case is ' || NEW.state) FROM clock WHERE case_id = ANY (ids) AND ended IS NULL AND kind = 'service' ORDER BY id;
	ELSIF NEW.state = 'waiting' THEN
		PERFORM clock_pause(id, 'the case waits', true) FROM clock WHERE case_id = ANY (ids) AND kind = 'service' AND whose = 'ours'
			AND ended IS NULL AND paused IS NULL ORDER BY id;
	END IF;
	IF OLD.state = 'waiting' THEN
		PERFORM clock_resume(id, 'the case waits no more') FROM clock WHERE case_id = ANY (ids) AND paused_by_wait AND ended IS NULL ORDER BY id;
		UPDATE case_wait SET ended = now(), ended_by = 'person' WHERE case_id = NEW.id AND ended IS NULL;
	END IF;
	RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION clock_mailed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM clock_meet(id, NEW.sent, 'mail ' || NEW.number) FROM clock
		WHERE case_id = ANY (case_whole(NEW.case_id)) AND ended IS NULL AND ends_by = 'mailed' AND started <= NEW.sent ORDER BY id;
	RETURN NULL;
END $$;

-- A service clock that a merge made one with another, which is due no later. Those of the law stay each what they are: every filing has its own.
CREATE TABLE clock_fold (
	clock bigint NOT NULL REFERENCES clock,
	kept bigint NOT NULL REFERENCES clock,
	merged bigint NOT NULL REFERENCES cases,
	seconds_left numeric,             -- of one that stood
	at timestamptz NOT NULL DEFAULT now(),
	undone timestamptz,
	PRIMARY KEY (clock, kept, at)
);
CREATE INDEX clock_fold_merged ON clock_fold (merged) WHERE undone IS NULL;

-- Two of one meaning: the later one ends, in both cases' favour.
CREATE FUNCTION clocks_fold(which bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	root bigint := case_now(which);
	two record;
BEGIN
	PERFORM clock_pause(k.id, 'the case waits', true) FROM clock k JOIN cases r ON r.id = root WHERE k.case_id = ANY (case_whole(which))
		AND r.state = 'waiting' AND k.kind = 'service' AND k.whose = 'ours' AND k.ended IS NULL AND k.paused IS NULL;
	FOR two IN WITH one AS (SELECT k.*, CASE WHEN k.paused IS NULL THEN k.due ELSE now() + make_interval(secs => k.seconds_left::double precision) END AS ends
				FROM clock k WHERE k.case_id = ANY (case_whole(root)) AND k.kind = 'service' AND k.ended IS NULL),
			ranked AS (SELECT o.*, first_value(o.id) OVER same AS kept, row_number() OVER same AS n FROM one o
				WINDOW same AS (PARTITION BY o.whose, lower(o.what), o.ends_by, o.playbook ORDER BY o.ends, o.id))
			SELECT r.id, r.kept, r.seconds_left FROM ranked r WHERE r.n > 1 ORDER BY r.id LOOP
		INSERT INTO clock_fold (clock, kept, merged, seconds_left) VALUES (two.id, two.kept, which, two.seconds_left);
		PERFORM clock_end(two.id, 'one with clock ' || two.kept || ' since the merge');
	END LOOP;
END $$;

-- Taken apart again: what was one is two; met is what was met meanwhile.
CREATE FUNCTION clocks_unfold(which bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	f record;
BEGIN
	FOR f IN UPDATE clock_fold x SET undone = now() FROM clock k WHERE x.merged = which AND x.undone IS NULL AND k.id = x.kept
			RETURNING x.clock, x.seconds_left, k.id AS kept, k.met, k.ended LOOP
		IF f.met IS NOT NULL THEN
			UPDATE clock SET met = f.met, why = 'met with clock ' || f.kept WHERE id = f.clock AND met IS NULL;
		ELSIF f.ended IS NULL THEN
			UPDATE clock k SET ended = NULL, why = 'the merge was undone', due = CASE WHEN f.seconds_left IS NULL THEN k.due WHEN k.business
				THEN calendar_add(k.calendar, now(), f.seconds_left) ELSE now() + make_interval(secs => f.seconds_left::double precision) END, paused_by_wait = false
				WHERE k.id = f.clock AND k.ended IS NOT NULL AND k.met IS NULL;
		END IF;
	END LOOP;
END $$;

ALTER FUNCTION case_merge(text, text, text) RENAME TO case_merge_linked;
CREATE FUNCTION case_merge(named text, into_named text, why text) RETURNS bigint LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_merge_linked(named, into_named, why);
BEGIN
	PERFORM clocks_fold(which);
	PERFORM case_due_set(which);
	PERFORM case_due_set(case_now(which));
	RETURN which;
END $$;

ALTER FUNCTION case_unmerge(text, text) RENAME TO case_unmerge_linked;
CREATE FUNCTION case_unmerge(named text, why text) RETURNS bigint LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	whole bigint := case_now(case_named(named));
	which bigint := case_unmerge_linked(named, why);
BEGIN
	PERFORM clocks_unfold(which);
	PERFORM clock_resume(k.id, 'the merge was undone') FROM clock k JOIN cases c ON c.id = which WHERE k.case_id = ANY (case_whole(which))
		AND k.paused_by_wait AND k.ended IS NULL AND c.state <> 'waiting';
	PERFORM case_due_set(which);
	PERFORM case_due_set(whole);
	RETURN which;
END $$;

CREATE OR REPLACE FUNCTION case_clocks(of_case bigint) RETURNS json LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(json_agg(json_build_object('id', c.id, 'kind', c.kind, 'whose', c.whose, 'what', c.what, 'regime', nullif(c.regime, ''),
		'filing', c.filing, 'stage', nullif(c.stage, ''), 'act', nullif(c.act, ''), 'business', c.business, 'due', stamp(c.due),
		'warn_at', stamp(c.warn_at), 'state', CASE WHEN c.paused IS NOT NULL THEN 'paused' WHEN c.due <= now() THEN 'breached'
			ELSE 'running' END, 'seconds_left', c.seconds_left) ORDER BY c.paused IS NOT NULL, c.due, c.id), '[]')
	FROM clock c WHERE c.ended IS NULL AND c.case_id = ANY (case_whole(of_case))
$$;

-- ---- a question to many, before it is asked ----

-- Who would be asked, whom no address is known of, what the gate and the keys say of each. p: as desk_ask() has it.
CREATE FUNCTION ask_looked(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	words text := question_read(p ->> 'question');
	due timestamptz := until_read(coalesce(p ->> 'until', ''), 'until');
	c cases;
	label tlp;
	items jsonb;
	mails int;
	two boolean;
BEGIN
	IF p ? 'case' THEN
		c := case_reached(p ->> 'case', p);
	END IF;
	label := coalesce(tlp_read(p ->> 'tlp'), c.tlp, 'amber');
	SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('organisation', o.name, 'to', k.email, 'role', k.role,
			'key', CASE WHEN k.id IS NULL THEN NULL WHEN k.policy = 'never' THEN 'in the clear' WHEN contact_has_key(k.k, now()) THEN 'encrypted'
				WHEN k.policy = 'required' THEN 'NO VALID KEY: the mail is held' ELSE 'in the clear' END,
			'gate', CASE WHEN k.id IS NULL THEN 'no contact' WHEN v.verdict IN ('refuse', 'ask') THEN 'must not be told' WHEN v.approvals > 0 THEN 'two people'
				ELSE 'ok' END, 'why', nullif(v.why, ''))) ORDER BY o.name),
		count(*) FILTER (WHERE k.id IS NOT NULL AND v.verdict NOT IN ('refuse', 'ask')), coalesce(bool_or(v.approvals > 0), false)
		INTO items, mails, two
		FROM organisation o LEFT JOIN LATERAL (SELECT f.id, f.email, f.role, f.policy, f::contact AS k
				FROM unnest('{security,duty,technical,management,abuse,other}'::contact_role[]) WITH ORDINALITY AS u (r, n)
				CROSS JOIN LATERAL (SELECT (contact_for(o.id, u.r, now())).*) f
				WHERE f.id IS NOT NULL AND (coalesce(c.exercise, 0) = 0 OR in_directory(c.exercise, f.email)) ORDER BY u.n LIMIT 1) k ON true
			LEFT JOIN LATERAL (SELECT * FROM mail_verdict(label, coalesce(c.tlp, label), coalesce(c.pap, 'amber'), 'affected', coalesce(c.exercise, 0), k.email)
				WHERE k.id IS NOT NULL) v ON true
		WHERE o.id = ANY (ask_whom(p ->> 'group'));
	RETURN json_build_object('dry_run', true, 'whom', btrim(p ->> 'group'), 'until', stamp(due), 'tlp', label, 'question', left(words, 300), 'case', c.number,
		'organisations', jsonb_array_length(items), 'mails', mails, 'two_people', two OR mails > (p ->> 'mass')::int, 'items', items);
END $$;

ALTER FUNCTION desk_ask(jsonb) RENAME TO ask_asked;
CREATE FUNCTION desk_ask(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN CASE WHEN p ? 'dry_run' THEN ask_looked(p) ELSE ask_asked(p) END;
END $$;

-- ---- by hand ----

-- The source that says whose it is: of the drill that is named, else of none, so that nothing real is a drill's by accident.
CREATE FUNCTION by_hand_source(p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	drill int := CASE WHEN p ? 'exercise' THEN (SELECT e.id FROM exercise e WHERE e.name = p ->> 'exercise' AND e.id <> 0) ELSE 0 END;
	found text;
BEGIN
	IF drill IS NULL THEN
		RAISE EXCEPTION 'there is no exercise "%"', left(p ->> 'exercise', 64) USING ERRCODE = 'no_data_found';
	END IF;
	found := (SELECT x.name FROM source x WHERE x.kind = 'desk' AND x.enabled AND (x.name = p ->> 'source' OR NOT p ? 'source')
		AND (x.exercise = drill OR p ? 'source' AND NOT p ? 'exercise') ORDER BY x.id LIMIT 1);
	IF found IS NULL AND p ? 'exercise' THEN
		RAISE EXCEPTION 'there is no source of kind desk for exercise %: cirt source add NAME --kind desk --exercise %', p ->> 'exercise', p ->> 'exercise'
			USING ERRCODE = 'no_data_found';
	END IF;
	RETURN p || CASE WHEN found IS NULL THEN '{}' ELSE jsonb_build_object('source', found) END;
END $$;
CREATE OR REPLACE FUNCTION desk_case_open(p jsonb) RETURNS jsonb LANGUAGE sql SET search_path = cirt, pg_temp AS $$ SELECT by_hand_begin(by_hand_source(p), true) $$;
CREATE OR REPLACE FUNCTION desk_report_new(p jsonb) RETURNS jsonb LANGUAGE sql SET search_path = cirt, pg_temp AS $$ SELECT by_hand_begin(by_hand_source(p), false) $$;

REVOKE ALL ON FUNCTION desk_case_wait, undo_case_wait, wait_heard, desk_inquiry_answered, clocks_fold, clocks_unfold, case_merge, case_unmerge, ask_looked, desk_ask,
	by_hand_source FROM PUBLIC;
GRANT EXECUTE ON FUNCTION desk_case_wait, undo_case_wait, wait_heard, desk_inquiry_answered, clocks_fold, clocks_unfold, case_merge, case_unmerge, ask_looked, desk_ask,
	by_hand_source, wait_answered TO cirt_desk;
