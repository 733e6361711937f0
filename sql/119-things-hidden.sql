-- What is of a case that somebody may not see is not there for him by its number either: whichever verb he asks by, he is told what he would
-- be told of a number that there is not.
SET LOCAL search_path = cirt, pg_temp;

-- ---- cases ----

-- The case that somebody names, where he may see it.
CREATE FUNCTION case_named_by(named text, who text, of_role text) RETURNS bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT case_seen(named, jsonb_build_object('operator', who, 'role', of_role))
$$;

-- ---- mails ----

-- A mail of ours is as closed as the case that it was written in, as the report that it asks or answers about, and as all that it tells: one
-- line that somebody may read makes it his.
CREATE OR REPLACE FUNCTION outbox_visible(o outbox, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(p ->> 'role' IN ('lead', 'admin'), false) OR (o.case_id IS NULL OR case_visible(o.case_id, p))
		AND (o.case_id IS NOT NULL OR report_told_seen(o.fields ->> 'report', p)
			AND (NOT EXISTS (SELECT FROM disclosure d WHERE d.outbox = o.id)
				OR EXISTS (SELECT FROM disclosure d WHERE d.outbox = o.id AND landed_may_see(d.report, p ->> 'operator', p ->> 'role'))))
$$;

-- The mail that is meant, if whoever asks may read it.
CREATE FUNCTION notice_seen(named text, p jsonb) RETURNS outbox LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox := notice_named(named);
BEGIN
	IF NOT outbox_visible(o, p) THEN
		RAISE EXCEPTION 'there is no notice %', named USING ERRCODE = 'no_data_found';
	END IF;
	RETURN o;
END $$;

-- The same of a mail that came in.
CREATE FUNCTION mail_seen(named text, p jsonb) RETURNS void LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF NOT report_told_seen(named, p) THEN
		RAISE EXCEPTION 'there is no mail %', named USING ERRCODE = 'no_data_found';
	END IF;
END $$;

-- The report that is meant, if there is anything of that number and whoever asks may read it.
CREATE FUNCTION report_there(which bigint, p jsonb) RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM report r WHERE r.id = which) AND NOT EXISTS (SELECT FROM item i WHERE i.id = which)
		AND NOT EXISTS (SELECT FROM attachment a WHERE a.report = which) THEN
		RAISE EXCEPTION 'there is no report %', report_number(which) USING ERRCODE = 'no_data_found';
	END IF;
	RETURN report_seen(which, p);
END $$;

-- What was asked, if whoever asks may read all that it names by numbers that reports and mails have.
CREATE OR REPLACE FUNCTION asked_seen(p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM report_there(value::bigint, p) FROM jsonb_array_elements_text(coalesce(p -> 'reports', '[]'));
	PERFORM notice_seen(n, p) FROM jsonb_array_elements_text(CASE jsonb_typeof(p -> 'notice') WHEN 'array' THEN p -> 'notice'
		WHEN 'string' THEN jsonb_build_array(p -> 'notice') ELSE '[]' END) AS n;
	IF upper(p ->> 'approval') ~ '^N[0-9]{4}-' THEN
		PERFORM notice_seen(p ->> 'approval', p);
	END IF;
	PERFORM mail_seen(p ->> 'mail', p), mail_seen(p ->> 'evidence', p);
	RETURN p;
END $$;

-- What is answered: a mail by its number, one of ours, or a case.
CREATE OR REPLACE FUNCTION desk_reply(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	IF p ->> 'what' ~* '^N\d{4}-\d{6,}$' THEN
		PERFORM notice_seen(p ->> 'what', p);
	ELSIF NOT report_told_seen(p ->> 'what', p) THEN
		RAISE EXCEPTION 'there is no mail %', p ->> 'what' USING ERRCODE = 'no_data_found', HINT = 'A mail''s id reads as 202611-123; a case''s as 2026-000412.';
	END IF;
	RETURN mail_written(reply_meant(p));
END $$;

CREATE OR REPLACE FUNCTION desk_notice_list(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH rows AS (SELECT o.id, notice_json(o) AS line FROM outbox o LEFT JOIN organisation g ON g.id = o.organisation
		WHERE o.id < coalesce((p ->> 'cursor')::bigint, 9223372036854775807) AND o.kind::text IN ('notice', 'one-shot', 'key-waits', 'test')
			AND CASE WHEN p ? 'state' THEN o.state = (p ->> 'state')::outbox_state WHEN p ? 'all' THEN true
				ELSE o.state <> 'cancelled' END
			AND (NOT p ? 'org' OR g.name = p ->> 'org') AND (NOT p ? 'since' OR o.created >= (p ->> 'since')::timestamptz) AND outbox_visible(o, p)
		ORDER BY o.id DESC LIMIT coalesce((p ->> 'limit')::int, 50) + 1),
	page AS (SELECT * FROM rows ORDER BY id DESC LIMIT coalesce((p ->> 'limit')::int, 50))
	SELECT json_build_object('items', (SELECT coalesce(json_agg(line ORDER BY id DESC), '[]') FROM page),
		'next', CASE WHEN (SELECT count(*) FROM rows) > (SELECT count(*) FROM page) THEN (SELECT min(id)::text FROM page) END)
$$;

-- ---- what is of a case ----

-- May whoever asks see what stands in this case? What stands in none is for all.
CREATE FUNCTION of_case_seen(which bigint, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT which IS NULL OR case_visible(which, p) AND case_visible(case_now(which), p)
$$;

CREATE OR REPLACE FUNCTION note_asked(p jsonb, to_change boolean) RETURNS note LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	n note;
BEGIN
	IF to_change THEN
		SELECT * INTO n FROM note WHERE id = said_number(p, 'id', 'a note') FOR UPDATE;
	ELSE
		SELECT * INTO n FROM note WHERE id = said_number(p, 'id', 'a note');
	END IF;
	IF n.id IS NULL OR NOT of_case_seen(n.case_id, p) THEN
		RAISE EXCEPTION 'there is no note %', p ->> 'id' USING ERRCODE = 'no_data_found';
	END IF;
	IF to_change AND n.actor <> p ->> 'operator' AND p ->> 'role' NOT IN ('lead', 'admin') THEN
		RAISE EXCEPTION 'note % is %''s: he changes it, or a lead', n.id, n.actor USING ERRCODE = 'insufficient_privilege';
	ELSIF to_change AND n.erased IS NOT NULL THEN
		RAISE EXCEPTION 'note % was erased by % at %', n.id, n.erased_by, stamp(n.erased) USING ERRCODE = 'check_violation';
	END IF;
	RETURN n;
END $$;

CREATE OR REPLACE FUNCTION party_asked(p jsonb) RETURNS party LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	y party;
BEGIN
	SELECT * INTO y FROM party WHERE id = said_number(p, 'id', 'a party') FOR UPDATE;
	IF y.id IS NULL OR NOT of_case_seen(y.case_id, p) THEN
		RAISE EXCEPTION 'there is no party %: cirt party list CASE', p ->> 'id' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN y;
END $$;

CREATE OR REPLACE FUNCTION task_asked(p jsonb) RETURNS task LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	t task;
BEGIN
	SELECT * INTO t FROM task WHERE id = said_number(p, 'id', 'a task') FOR UPDATE;
	IF t.id IS NULL OR NOT of_case_seen(t.case_id, p) THEN
		RAISE EXCEPTION 'there is no task %: cirt task list', p ->> 'id' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN t;
END $$;

CREATE OR REPLACE FUNCTION measure_asked(p jsonb, to_change boolean) RETURNS measure LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	m measure;
BEGIN
	IF to_change THEN
		SELECT * INTO m FROM measure WHERE id = said_number(p, 'id', 'a countermeasure') FOR UPDATE;
	ELSE
		SELECT * INTO m FROM measure WHERE id = said_number(p, 'id', 'a countermeasure');
	END IF;
	IF m.id IS NULL OR NOT of_case_seen(m.case_id, p) THEN
		RAISE EXCEPTION 'there is no countermeasure %: cirt measure list --all', p ->> 'id' USING ERRCODE = 'no_data_found';
	END IF;
	IF to_change AND m.ended IS NOT NULL THEN
		RAISE EXCEPTION 'countermeasure % was ended by % at %', m.id, m.ended_by, stamp(m.ended) USING ERRCODE = 'check_violation';
	END IF;
	RETURN m;
END $$;

CREATE OR REPLACE FUNCTION event_asked(p jsonb) RETURNS case_event LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	e case_event;
BEGIN
	SELECT * INTO e FROM case_event WHERE id = said_number(p, 'id', 'an event') FOR UPDATE;
	IF e.id IS NULL OR NOT of_case_seen(e.case_id, p) THEN
		RAISE EXCEPTION 'there is no event %: cirt event list CASE', p ->> 'id' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN e;
END $$;

CREATE OR REPLACE FUNCTION clock_meant(p jsonb) RETURNS clock LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c clock;
BEGIN
	IF p ->> 'clock' !~ '^[0-9]{1,18}$' THEN
		RAISE EXCEPTION 'a clock''s number was expected, as `cirt clock list` shows it, not "%"', left(p ->> 'clock', 60)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO c FROM clock WHERE id = (p ->> 'clock')::bigint FOR UPDATE;
	IF c.id IS NULL OR NOT of_case_seen(c.case_id, p) THEN
		RAISE EXCEPTION 'there is no clock %', p ->> 'clock' USING ERRCODE = 'no_data_found';
	END IF;
	IF c.ended IS NOT NULL THEN
		RAISE EXCEPTION 'clock % has ended: %', c.id, coalesce(nullif(c.why, ''), 'it was met') USING ERRCODE = 'check_violation';
	END IF;
	RETURN c;
END $$;

-- F12, 12, or a case that has one filing open.
CREATE OR REPLACE FUNCTION filing_meant(p jsonb, open_only boolean) RETURNS filing LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	named text := coalesce(p ->> 'filing', '');
	ids bigint[];
	f filing;
BEGIN
	IF named ~ '^[Ff]?[0-9]{1,18}$' THEN
		ids := ARRAY[ltrim(named, 'Ff')::bigint];
	ELSIF named ~ '^[0-9]{4}-[0-9]+$' THEN
		ids := ARRAY(SELECT id FROM filing WHERE case_id = ANY (case_whole(case_seen(named, p))) AND closed IS NULL);
	ELSE
		RAISE EXCEPTION 'a filing''s number reads as F12, not "%"', left(named, 60) USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF cardinality(ids) > 1 THEN
		RAISE EXCEPTION '% has several filings: %', named, (SELECT string_agg('F' || id, ', ' ORDER BY id) FROM unnest(ids) AS id)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO f FROM filing WHERE id = ids[1] FOR UPDATE;
	IF f.id IS NULL OR NOT of_case_seen(f.case_id, p) THEN
		RAISE EXCEPTION 'there is no filing %', named USING ERRCODE = 'no_data_found';
	END IF;
	IF open_only AND f.closed IS NOT NULL THEN
		RAISE EXCEPTION 'filing F% is closed: %', f.id, f.outcome USING ERRCODE = 'check_violation';
	END IF;
	RETURN f;
END $$;

CREATE OR REPLACE FUNCTION inquiry_named(p jsonb) RETURNS inquiry LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	i inquiry;
BEGIN
	IF p ->> 'inquiry' !~ '^\d{1,18}$' THEN
		RAISE EXCEPTION 'a question is known by its number: cirt inquiry list' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO i FROM inquiry WHERE id = (p ->> 'inquiry')::bigint;
	IF i.id IS NULL OR NOT of_case_seen(i.case_id, p) THEN
		RAISE EXCEPTION 'there is no inquiry %: cirt inquiry list', p ->> 'inquiry' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN i;
END $$;

CREATE OR REPLACE FUNCTION ask_named(p jsonb) RETURNS ask LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	a ask;
BEGIN
	IF p ->> 'ask' !~ '^\d{1,9}$' THEN
		RAISE EXCEPTION 'a question to many is known by its number: cirt ask list' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO a FROM ask WHERE id = (p ->> 'ask')::int;
	IF a.id IS NULL OR NOT of_case_seen(a.case_id, p) THEN
		RAISE EXCEPTION 'there is no ask %: cirt ask list', p ->> 'ask' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN a;
END $$;

CREATE OR REPLACE FUNCTION evidence_seen(p jsonb) RETURNS bytea LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	which bytea := evidence_named(p);
BEGIN
	IF evidence_month(which) IS NULL AND NOT EXISTS (SELECT FROM attachment a WHERE a.digest = which)
		AND NOT EXISTS (SELECT FROM case_evidence h WHERE h.digest = which) OR NOT evidence_may_see(which, p) THEN
		RAISE EXCEPTION 'there is no evidence with this digest: cirt evidence list' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN which;
END $$;

-- ---- what waits for a second person, what may be taken back, alarms ----

-- Of cases that somebody may not see, and of mails of them, nothing is said.
CREATE OR REPLACE FUNCTION approval_visible(object text, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT p ->> 'role' IN ('lead', 'admin') OR CASE split_part(object, '/', 1)
		WHEN 'case' THEN coalesce((SELECT case_may_see(c.id, p ->> 'operator') FROM cases c WHERE c.number = split_part(object, '/', 2)), true)
		WHEN 'outbox' THEN coalesce((SELECT outbox_visible(o, p) FROM outbox o WHERE o.number = split_part(object, '/', 2)), true)
		ELSE true END
$$;

CREATE FUNCTION approval_seen(named text, p jsonb) RETURNS approval LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	a approval := approval_named(named);
BEGIN
	IF NOT approval_visible(a.object, p) THEN
		RAISE EXCEPTION 'there is no approval %: cirt approve list', named USING ERRCODE = 'no_data_found';
	END IF;
	RETURN a;
END $$;

DROP FUNCTION desk_approve_show(jsonb);
DROP FUNCTION approve_shown(jsonb);
CREATE FUNCTION desk_approve_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	a approval;
BEGIN
	IF upper(p ->> 'approval') ~ '^N[0-9]{4}-' THEN
		RETURN approval_of_mail(notice_seen(p ->> 'approval', p));
	END IF;
	a := approval_seen(p ->> 'approval', p);
	RETURN approval_json(a)::jsonb || jsonb_build_object('payload', a.payload, 'meaning', (SELECT meaning FROM approval_kind WHERE kind = a.kind));
END $$;

-- Say yes: what was asked for is done now, or what was done alone is countersigned.
CREATE OR REPLACE FUNCTION desk_approve_give(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a approval;
	does text;
	done json;
BEGIN
	IF upper(p ->> 'approval') ~ '^N[0-9]{4}-' THEN
		RETURN desk_notice_approve(p || jsonb_build_object('notice', p ->> 'approval'));
	END IF;
	a := approval_seen(p ->> 'approval', p);
	a := approval_answer(a.id, (p ->> 'role')::operator_role, true, coalesce(p ->> 'reason', ''));
	SELECT k.do_function INTO does FROM approval_kind k WHERE k.kind = a.kind;
	IF a.state = 'given' AND does IS NOT NULL THEN
		EXECUTE format('SELECT cirt.%I($1)', does) INTO done USING a.payload;
	END IF;
	RETURN (approval_json(a)::jsonb || jsonb_build_object('done', done))::json;
END $$;

-- Say no, or take back what one has asked for oneself.
CREATE OR REPLACE FUNCTION desk_approve_refuse(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a approval;
BEGIN
	IF upper(p ->> 'approval') ~ '^N[0-9]{4}-' THEN
		RETURN desk_notice_cancel(p || jsonb_build_object('notice', p ->> 'approval'));
	END IF;
	a := approval_seen(p ->> 'approval', p);
	RETURN approval_json(approval_answer(a.id, (p ->> 'role')::operator_role, false, coalesce(p ->> 'reason', '')));
END $$;

-- What an act was done to: does it name, or change, what is of a case that is not for whoever asks?
CREATE FUNCTION act_hidden(a act, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT NOT act_visible(jsonb_populate_record(a, '{"actor": ""}'), p)
$$;

-- Others' acts that are not for him are not there. His own he knows; but what he may not see any more he does not change.
ALTER FUNCTION desk_undo(jsonb) RENAME TO undo_listed;
CREATE FUNCTION desk_undo(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a act;
BEGIN
	IF NOT coalesce((p ->> 'list')::boolean, false) AND coalesce(p ->> 'act', '0') ~ '^\d{1,18}$' THEN
		SELECT * INTO a FROM act x WHERE CASE WHEN p ? 'act' THEN x.id = (p ->> 'act')::bigint ELSE x.actor = p ->> 'operator' AND x.undone IS NULL END
			ORDER BY x.id DESC LIMIT 1;
		IF a.actor <> p ->> 'operator' AND act_hidden(a, p) THEN
			RAISE EXCEPTION 'there is no act %', p ->> 'act' USING ERRCODE = 'no_data_found';
		ELSIF a.id IS NOT NULL AND act_hidden(a, p) THEN
			RAISE EXCEPTION 'act % is of a case that is not yours to see any more: a lead undoes it', a.id USING ERRCODE = 'insufficient_privilege';
		END IF;
	END IF;
	RETURN undo_listed(p);
END $$;

-- An alarm by its number, acknowledged by who may read it. False: there is none that is open.
CREATE FUNCTION alarm_acknowledged(which bigint, reason text, who text, of_role text) RETURNS boolean LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT alarm_seen(a.id, reason) FROM alarm a WHERE a.id = which AND alarm_visible(a, who, of_role)), false)
$$;

-- ---- the journal ----

-- Is what a row is about not for whoever asks?
CREATE FUNCTION journal_hides(kind text, named text, p jsonb) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN coalesce(CASE WHEN kind = 'outbox' THEN (SELECT NOT outbox_visible(o, p) FROM outbox o WHERE o.number = named)
		WHEN kind = 'evidence' AND named ~ '^[0-9a-f]{64}$' THEN NOT evidence_may_see(decode(named, 'hex'), p)
		WHEN named !~ '^[0-9]{1,18}$' THEN false
		WHEN kind = 'report' AND length(named) >= 16 THEN NOT landed_may_see(named::bigint, p ->> 'operator', p ->> 'role')
		WHEN kind = 'approval' THEN (SELECT NOT approval_visible(a.object, p) FROM approval a WHERE a.id = named::bigint)
		WHEN kind = 'release' THEN (SELECT NOT landed_may_see(q.report, p ->> 'operator', p ->> 'role') FROM release q WHERE q.id = named::bigint)
		WHEN kind = 'ask' THEN (SELECT NOT of_case_seen(k.case_id, p) FROM ask k WHERE k.id = named::bigint)
		WHEN kind = 'inquiry' THEN (SELECT NOT of_case_seen(i.case_id, p) FROM inquiry i WHERE i.id = named::bigint)
		WHEN kind = 'measure' THEN (SELECT NOT of_case_seen(m.case_id, p) FROM measure m WHERE m.id = named::bigint)
		WHEN kind = 'hold' THEN (SELECT journal_hides(split_part(h.object, '/', 1), split_part(h.object, '/', 2), p) FROM hold h
			WHERE h.id = named::bigint AND h.object NOT LIKE 'hold/%')
		WHEN kind = 'alarm' THEN (SELECT NOT alarm_visible(a, p ->> 'operator', p ->> 'role') FROM alarm a WHERE a.id = named::bigint) END, false);
END $$;

-- A row is as closed as what it is about; and what names a case that somebody may not see is not for him.
CREATE OR REPLACE FUNCTION journal_visible(object text, after text, p jsonb) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	of_case bigint;
BEGIN
	IF p ->> 'role' IN ('lead', 'admin') THEN
		RETURN true;
	END IF;
	of_case := journal_case(object, after);
	IF of_case IS NOT NULL THEN
		RETURN case_may_see(of_case, p ->> 'operator');
	ELSIF journal_hides(split_part(object, '/', 1), split_part(object, '/', 2), p) THEN
		RETURN false;
	END IF;
	RETURN NOT tells_hidden(object || ' ' || left(coalesce(after, ''), 100000), p);
END $$;

REVOKE ALL ON FUNCTION case_named_by, report_there, journal_hides, notice_seen, mail_seen, of_case_seen, approval_seen, desk_approve_show, act_hidden, desk_undo, alarm_acknowledged FROM PUBLIC;
GRANT EXECUTE ON FUNCTION case_named_by, report_there, journal_hides, notice_seen, mail_seen, of_case_seen, approval_seen, desk_approve_show, act_hidden, desk_undo, alarm_acknowledged TO cirt_desk;
