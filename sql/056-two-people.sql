-- Who may see a case that is restricted, and what wants a second person.
SET LOCAL search_path = cirt, pg_temp;
SELECT set_config('cirt.actor', 'migration', true);

-- ---- operators ----

-- Of `desk.admin` in the configuration: admin as long as the configuration says so. Such a row lets nobody in by itself.
ALTER TABLE operator ADD configured boolean NOT NULL DEFAULT false;
SELECT set_config('TimeZone', 'UTC', true);
SELECT journal_add('operator/' || o.name, 'update', '{}', to_jsonb(o)::text) FROM operator o ORDER BY o.name;

-- ---- restriction ----

-- Whom a restricted case is shown to besides its assignee, who watches it, leads and admins.
CREATE TABLE case_member (
	case_id bigint NOT NULL REFERENCES cases,
	operator int NOT NULL REFERENCES operator,
	added timestamptz NOT NULL DEFAULT now(),
	added_by text NOT NULL DEFAULT actor(),
	PRIMARY KEY (case_id, operator)
);
CREATE INDEX case_member_operator ON case_member (operator, case_id);
CREATE TRIGGER case_member_journal AFTER INSERT OR DELETE ON case_member FOR EACH ROW EXECUTE FUNCTION journal_of_case('case_id');

-- May this operator see and change this case? `who` is his name. False for a case that there is not.
CREATE FUNCTION case_may_see(which bigint, who text) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN coalesce((SELECT NOT c.restricted OR EXISTS (SELECT FROM operator o WHERE o.name = who AND o.enabled
			AND (o.role IN ('lead', 'admin') OR o.id = c.assignee
				OR EXISTS (SELECT FROM case_watcher w WHERE w.case_id = c.id AND w.operator = o.id)
				OR EXISTS (SELECT FROM case_member m WHERE m.case_id = c.id AND m.operator = o.id)))
		FROM cases c WHERE c.id = which), false);
END $$;

-- The same, for functions of the desk: the case that is named, or "that case is restricted". p: what the desk was asked.
CREATE FUNCTION case_seen(named text, p jsonb) RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_named(named);
BEGIN
	IF p ->> 'role' IN ('lead', 'admin') OR case_may_see(which, p ->> 'operator') THEN
		RETURN which;
	END IF;
	RAISE EXCEPTION 'that case is restricted: its members and the lead see it' USING ERRCODE = 'insufficient_privilege';
END $$;

-- Names separated by commas, as operators' ids; who is not an operator is named.
CREATE FUNCTION operators_named(list text) RETURNS int[] LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	wrong text;
BEGIN
	SELECT n INTO wrong FROM regexp_split_to_table(trim(list), '\s*,\s*') AS n
		WHERE NOT EXISTS (SELECT FROM operator o WHERE o.name = n AND o.enabled) LIMIT 1;
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'there is no operator "%": cirt operator list', left(wrong, 64) USING ERRCODE = 'no_data_found';
	END IF;
	RETURN ARRAY(SELECT o.id FROM operator o WHERE o.name = ANY (regexp_split_to_array(trim(list), '\s*,\s*')) ORDER BY o.id);
END $$;

CREATE FUNCTION case_members_json(which bigint) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('case', c.number, 'restricted', c.restricted, 'members', (SELECT coalesce(json_agg(o.name ORDER BY o.name), '[]')
			FROM case_member m JOIN operator o ON o.id = m.operator WHERE m.case_id = c.id),
		'assignee', (SELECT o.name FROM operator o WHERE o.id = c.assignee), 'watchers', (SELECT coalesce(json_agg(o.name ORDER BY o.name), '[]')
			FROM case_watcher w JOIN operator o ON o.id = w.operator WHERE w.case_id = c.id))
	FROM cases c WHERE c.id = which
$$;

-- {number, to, drop, reason}. Who restricts a case goes on seeing it.
CREATE FUNCTION desk_case_restrict(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_seen(p ->> 'number', p);
	adding int[] := CASE WHEN p ? 'to' THEN operators_named(p ->> 'to') ELSE '{}' END;
	dropping int[] := CASE WHEN p ? 'drop' THEN operators_named(p ->> 'drop') ELSE '{}' END;
BEGIN
	PERFORM FROM cases WHERE id = which FOR UPDATE;
	IF p ->> 'role' NOT IN ('lead', 'admin') THEN
		adding := adding || ARRAY(SELECT o.id FROM operator o WHERE o.name = p ->> 'operator' AND o.id <> ALL (dropping));
	END IF;
	DELETE FROM case_member WHERE case_id = which AND operator = ANY (dropping);
	INSERT INTO case_member (case_id, operator) SELECT DISTINCT which, a FROM unnest(adding) AS a ON CONFLICT DO NOTHING;
	UPDATE cases SET restricted = true WHERE id = which AND NOT restricted;
	IF p ? 'reason' THEN
		PERFORM journal_add('case/' || (SELECT number FROM cases WHERE id = which), 'restricted', NULL, json_build_object('reason', p ->> 'reason')::text);
	END IF;
	RETURN case_members_json(which);
END $$;

-- {number, reason}. Its members stay named, for the next time.
CREATE FUNCTION desk_case_unrestrict(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_seen(p ->> 'number', p);
BEGIN
	UPDATE cases SET restricted = false WHERE id = which AND restricted;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'that case is not restricted' USING ERRCODE = 'check_violation';
	END IF;
	IF p ? 'reason' THEN
		PERFORM journal_add('case/' || (SELECT number FROM cases WHERE id = which), 'not restricted', NULL, json_build_object('reason', p ->> 'reason')::text);
	END IF;
	RETURN case_members_json(which);
END $$;

-- ---- two people ----

-- What wants a second person. do_function(payload jsonb) RETURNS json does it, with the rights of the desk, once the second has said
-- yes or the glass is broken, and answers as the verb does; NULL: who asked says it again, and the verb finds approval_given().
CREATE TABLE approval_kind (
	kind text PRIMARY KEY CHECK (kind ~ '^[a-z][a-z-]{1,40}$'),
	meaning text NOT NULL,            -- to people
	role operator_role NOT NULL DEFAULT 'analyst',      -- the least of who may say yes
	countersign operator_role NOT NULL DEFAULT 'lead',  -- of who looks at it after a glass was broken
	do_function text CHECK (do_function ~ '^[a-z][a-z0-9_]{0,62}$')
);
INSERT INTO approval_kind (kind, meaning) VALUES ('mail', 'a mail or several that two people have to let go');

-- asked → given | refused | withdrawn; given → used, where it was said again. By a broken glass: countersign → countersigned | objected.
CREATE TABLE approval (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind text NOT NULL REFERENCES approval_kind,
	object text NOT NULL CHECK (octet_length(object) BETWEEN 1 AND 300), -- as in the journal: 'case/2026-000412', 'outbox/N2026-000007'
	what text NOT NULL CHECK (octet_length(what) <= 2000),               -- to people: what will be done
	why text NOT NULL DEFAULT '' CHECK (octet_length(why) <= 4000),
	payload jsonb NOT NULL DEFAULT '{}',
	state text NOT NULL CHECK (state IN ('asked', 'given', 'used', 'refused', 'withdrawn', 'countersign', 'countersigned', 'objected')),
	asked timestamptz NOT NULL DEFAULT now(),
	asked_by text NOT NULL DEFAULT actor(),
	due timestamptz,                  -- until when it is to be countersigned
	late boolean NOT NULL DEFAULT false, -- and nobody has: an alarm says so
	answered timestamptz,
	answered_by text,
	answer text NOT NULL DEFAULT '',
	CHECK (answered_by IS NULL OR answered_by <> asked_by OR state = 'withdrawn'),
	CHECK ((state IN ('asked', 'countersign')) = (answered IS NULL)),
	CHECK (state <> 'countersign' OR (why <> '' AND due IS NOT NULL))
);
CREATE UNIQUE INDEX approval_open ON approval (kind, object, md5(payload::text)) WHERE state = 'asked';
CREATE INDEX approval_waiting ON approval (id) WHERE state IN ('asked', 'countersign');
CREATE INDEX approval_due ON approval (due) WHERE state = 'countersign' AND NOT late;
CREATE INDEX approval_object ON approval (object, kind, id);
CREATE TRIGGER approval_journal AFTER INSERT OR UPDATE ON approval FOR EACH ROW EXECUTE FUNCTION journal_row('approval', 'id');
CREATE TRIGGER approval_stays BEFORE DELETE ON approval FOR EACH ROW EXECUTE FUNCTION refuse('who let what go stays known');

CREATE FUNCTION approval_json(a approval) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('approval', a.id::text, 'kind', a.kind, 'object', a.object, 'what', a.what, 'why', nullif(a.why, ''), 'state', a.state,
		'asked', stamp(a.asked), 'asked_by', a.asked_by, 'due', stamp(a.due), 'late', a.late, 'answered', stamp(a.answered),
		'answered_by', a.answered_by, 'answer', nullif(a.answer, ''))
$$;

-- I want this done: the approval that somebody else has to give. The same thing asked twice is one.
CREATE FUNCTION approval_ask(kind text, object text, what text, payload jsonb DEFAULT '{}', why text DEFAULT '') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	approval_id bigint;
BEGIN
	INSERT INTO approval (kind, object, what, payload, why, state) VALUES (kind, object, left(what, 500), coalesce(payload, '{}'),
		coalesce(why, ''), 'asked') ON CONFLICT DO NOTHING RETURNING id INTO approval_id;
	IF approval_id IS NULL THEN
		SELECT a.id INTO approval_id FROM approval a WHERE a.kind = approval_ask.kind AND a.object = approval_ask.object
			AND a.payload = coalesce(approval_ask.payload, '{}') AND a.state = 'asked';
	END IF;
	RETURN approval_id;
END $$;

-- Was this let go by somebody else, within the day? Once: it is used by asking, by who asked for it.
CREATE FUNCTION approval_given(kind text, object text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
BEGIN
	UPDATE approval SET state = 'used' WHERE id = (SELECT a.id FROM approval a WHERE a.kind = approval_given.kind AND a.object = approval_given.object
		AND a.state = 'given' AND a.asked_by = actor() AND a.answered > now() - interval '1 day' ORDER BY a.id LIMIT 1 FOR UPDATE);
	RETURN FOUND;
END $$;

-- One person is alone: it is done now, the lead is alarmed, and somebody else looks at it within 24 hours.
CREATE FUNCTION approval_break_glass(kind text, object text, what text, payload jsonb, why text) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	approval_id bigint;
	who operator_role;
BEGIN
	IF trim(coalesce(why, '')) = '' THEN
		RAISE EXCEPTION 'breaking the glass wants a reason: --break-glass REASON' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	INSERT INTO approval (kind, object, what, payload, why, state, due)
		VALUES (kind, object, left(what, 500), coalesce(payload, '{}'), left(trim(why), 1000), 'countersign', now() + interval '24 hours')
		RETURNING id INTO approval_id;
	SELECT k.countersign INTO who FROM approval_kind k WHERE k.kind = approval_break_glass.kind;
	-- What was asked for before is done now.
	UPDATE approval a SET state = 'withdrawn', answered = now(), answered_by = actor(), answer = 'done by breaking the glass: approval ' || approval_id
		WHERE a.kind = approval_break_glass.kind AND a.object = approval_break_glass.object AND a.state = 'asked'
			AND a.payload = coalesce(approval_break_glass.payload, '{}');
	PERFORM alarm_raise('break-glass', 'approval/' || approval_id, NULL, format('%s broke the glass: %s (%s). A second person (%s) countersigns within 24 hours: '
		'cirt approve give %s', actor(), left(what, 500), left(trim(why), 500), who, approval_id));
	RETURN approval_id;
END $$;

-- What a verb calls that two people have to do: asks, or where `break_glass` of p says why, does it at once. p: what the desk was asked.
-- Answers as do_function does, with the approval beside it; `waits` where another person has to give it first.
CREATE FUNCTION approval_do(of_kind text, object text, what text, payload jsonb, p jsonb) RETURNS json LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	approval_id bigint;
	a approval;
	done json;
BEGIN
	IF p ? 'break_glass' THEN
		approval_id := approval_break_glass(of_kind, object, what, payload, p ->> 'break_glass');
		EXECUTE (SELECT format('SELECT cirt.%I($1)', k.do_function) FROM approval_kind k WHERE k.kind = of_kind) INTO done USING payload;
	ELSE
		approval_id := approval_ask(of_kind, object, what, payload, coalesce(p ->> 'reason', ''));
	END IF;
	SELECT * INTO a FROM approval WHERE id = approval_id;
	RETURN (coalesce(done::jsonb, '{}') || jsonb_build_object('approval', approval_json(a)::jsonb, 'waits', done IS NULL))::json;
END $$;

-- ---- what operators do with approvals ----

-- '7', or the number of a mail that waits for a second person: 'N2026-000007'.
CREATE FUNCTION approval_named(named text) RETURNS approval LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	a approval;
BEGIN
	IF named !~ '^[0-9]{1,18}$' THEN
		RAISE EXCEPTION 'an approval is known by its number: cirt approve list' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO a FROM approval WHERE id = named::bigint;
	IF a.id IS NULL THEN
		RAISE EXCEPTION 'there is no approval %: cirt approve list', named USING ERRCODE = 'no_data_found';
	END IF;
	RETURN a;
END $$;

-- The answer of the second person, who is never the first, and has the role. Owner's rights: nobody writes approvals but these functions.
CREATE FUNCTION approval_answer(which bigint, as_role operator_role, yes boolean, says text) RETURNS approval LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	a approval;
	k approval_kind;
	wanted operator_role;
	own boolean;
BEGIN
	SELECT * INTO STRICT a FROM approval WHERE id = which FOR UPDATE;
	SELECT * INTO STRICT k FROM approval_kind WHERE kind = a.kind;
	own := a.asked_by = actor();
	wanted := CASE a.state WHEN 'countersign' THEN k.countersign ELSE k.role END;
	IF a.state NOT IN ('asked', 'countersign') THEN
		RAISE EXCEPTION 'approval % was % by %', a.id, CASE a.state WHEN 'used' THEN 'given' ELSE a.state END, a.answered_by
			USING ERRCODE = 'check_violation';
	ELSIF own AND (yes OR a.state = 'countersign') THEN
		RAISE EXCEPTION 'approval % is your own: another person has to %', a.id, CASE a.state WHEN 'countersign' THEN 'countersign' ELSE 'give it' END
			USING ERRCODE = 'insufficient_privilege';
	ELSIF as_role IS NULL OR as_role < wanted AND NOT own THEN
		RAISE EXCEPTION 'approval % needs the role %', a.id, wanted USING ERRCODE = 'insufficient_privilege';
	ELSIF NOT yes AND NOT own AND trim(says) = '' THEN
		RAISE EXCEPTION 'refusing wants a reason: --reason TEXT' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	UPDATE approval SET answered = now(), answered_by = actor(), answer = left(says, 1000), state = CASE
			WHEN a.state = 'countersign' THEN CASE WHEN yes THEN 'countersigned' ELSE 'objected' END
			WHEN yes THEN 'given' WHEN own THEN 'withdrawn' ELSE 'refused' END
		WHERE id = a.id RETURNING * INTO a;
	IF a.state IN ('countersigned', 'objected') THEN
		PERFORM alarm_over('countersign-late', 'approval/' || a.id);
	END IF;
	IF a.state = 'countersigned' THEN
		PERFORM alarm_over('break-glass', 'approval/' || a.id);
	ELSIF a.state = 'objected' THEN
		PERFORM alarm_raise('break-glass', 'approval/' || a.id, NULL, format('%s objects to what %s did by breaking the glass: %s (%s)', actor(),
			a.asked_by, a.what, left(a.answer, 500)));
	END IF;
	RETURN a;
END $$;

-- Of cases that the operator may not see, nothing is said.
CREATE FUNCTION approval_visible(object text, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT p ->> 'role' IN ('lead', 'admin') OR object NOT LIKE 'case/%' OR coalesce((SELECT case_may_see(c.id, p ->> 'operator') FROM cases c
		WHERE c.number = split_part(object, '/', 2)), true)
$$;

-- A mail that waits for the word of two people, as an approval.
CREATE FUNCTION approval_of_mail(o outbox) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('approval', o.number, 'kind', 'mail', 'object', 'outbox/' || o.number, 'what', format('a mail to %s', o.address), 'why',
		nullif(o.why, ''), 'state', 'asked', 'asked', stamp(o.created), 'asked_by', nullif(array_to_string(o.approved_by, ', '), ''), 'late', false)
$$;

-- {all, limit, cursor}: what waits for a second person, the oldest first; with `all` what was answered too, the newest first.
CREATE FUNCTION desk_approve_list(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := least(coalesce((p ->> 'limit')::int, 50), 1000);
	answer json;
BEGIN
	IF coalesce((p ->> 'all')::boolean, false) THEN
		SELECT json_build_object('items', coalesce(json_agg(approval_json(a) ORDER BY a.id DESC) FILTER (WHERE n <= most), '[]'),
				'next', min(a.id) FILTER (WHERE n <= most AND count > most)::text) INTO answer
			FROM (SELECT f.a, (f.a).id, row_number() OVER (ORDER BY (f.a).id DESC) AS n, count(*) OVER () AS count FROM (SELECT t AS a FROM approval t
				WHERE t.id < coalesce((p ->> 'cursor')::bigint, t.id + 1) AND approval_visible(t.object, p) ORDER BY t.id DESC LIMIT most + 1) f) x;
	ELSE
		SELECT json_build_object('items', coalesce(json_agg(x.item ORDER BY x.at, x.item ->> 'approval'), '[]'), 'next', NULL) INTO answer
			FROM (SELECT approval_json(t) AS item, t.asked AS at FROM approval t WHERE t.state IN ('asked', 'countersign') AND approval_visible(t.object, p)
				UNION ALL SELECT approval_of_mail(o), o.created FROM outbox o WHERE o.state = 'held' AND o.approvals > cardinality(o.approved_by)
				ORDER BY 2 LIMIT most) x;
	END IF;
	RETURN answer;
END $$;

CREATE FUNCTION desk_approve_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	a approval;
BEGIN
	IF upper(p ->> 'approval') ~ '^N[0-9]{4}-' THEN
		RETURN approval_of_mail(notice_named(p ->> 'approval'));
	END IF;
	a := approval_named(p ->> 'approval');
	IF NOT approval_visible(a.object, p) THEN
		RAISE EXCEPTION 'that case is restricted: its members and the lead see it' USING ERRCODE = 'insufficient_privilege';
	END IF;
	RETURN approval_json(a)::jsonb || jsonb_build_object('payload', a.payload, 'meaning', (SELECT meaning FROM approval_kind WHERE kind = a.kind));
END $$;

-- Say yes: what was asked for is done now, or what was done alone is countersigned.
CREATE FUNCTION desk_approve_give(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a approval;
	does text;
	done json;
BEGIN
	IF upper(p ->> 'approval') ~ '^N[0-9]{4}-' THEN
		RETURN desk_notice_approve(p || jsonb_build_object('notice', p ->> 'approval'));
	END IF;
	a := approval_named(p ->> 'approval');
	IF NOT approval_visible(a.object, p) THEN
		RAISE EXCEPTION 'that case is restricted: its members and the lead see it' USING ERRCODE = 'insufficient_privilege';
	END IF;
	a := approval_answer(a.id, (p ->> 'role')::operator_role, true, coalesce(p ->> 'reason', ''));
	SELECT k.do_function INTO does FROM approval_kind k WHERE k.kind = a.kind;
	IF a.state = 'given' AND does IS NOT NULL THEN
		EXECUTE format('SELECT cirt.%I($1)', does) INTO done USING a.payload;
	END IF;
	RETURN (approval_json(a)::jsonb || jsonb_build_object('done', done))::json;
END $$;

-- Say no, or take back what one has asked for oneself.
CREATE FUNCTION desk_approve_refuse(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a approval;
BEGIN
	IF upper(p ->> 'approval') ~ '^N[0-9]{4}-' THEN
		RETURN desk_notice_cancel(p || jsonb_build_object('notice', p ->> 'approval'));
	END IF;
	a := approval_named(p ->> 'approval');
	IF NOT approval_visible(a.object, p) THEN
		RAISE EXCEPTION 'that case is restricted: its members and the lead see it' USING ERRCODE = 'insufficient_privilege';
	END IF;
	RETURN approval_json(approval_answer(a.id, (p ->> 'role')::operator_role, false, coalesce(p ->> 'reason', '')));
END $$;

-- Owner's rights: what nobody has countersigned in its time raises an alarm, once. How many there are.
CREATE FUNCTION keeper_approvals() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	a approval;
	n bigint := 0;
BEGIN
	FOR a IN UPDATE approval t SET late = true WHERE t.state = 'countersign' AND NOT t.late AND t.due < now() RETURNING * LOOP
		PERFORM alarm_raise('countersign-late', 'approval/' || a.id, NULL, format('nobody has countersigned within 24 hours what %s did by breaking the glass: '
			'%s (%s): cirt approve give %s', a.asked_by, left(a.what, 500), left(a.why, 500), a.id));
		n := n + 1;
	END LOOP;
	RETURN n;
END $$;

REVOKE ALL ON FUNCTION case_may_see, case_seen, operators_named, case_members_json, desk_case_restrict, desk_case_unrestrict, approval_json,
	approval_ask, approval_given, approval_break_glass, approval_do, approval_named,
	approval_answer, approval_visible, approval_of_mail, desk_approve_list, desk_approve_show, desk_approve_give, desk_approve_refuse, keeper_approvals FROM PUBLIC;
GRANT EXECUTE ON FUNCTION case_may_see, case_seen, operators_named, case_members_json, desk_case_restrict, desk_case_unrestrict, approval_json,
	approval_ask, approval_given, approval_break_glass, approval_do, approval_named,
	approval_answer, approval_visible, approval_of_mail, desk_approve_list, desk_approve_show, desk_approve_give, desk_approve_refuse TO cirt_desk;
GRANT EXECUTE ON FUNCTION keeper_approvals TO cirt_keeper;
GRANT EXECUTE ON FUNCTION case_may_see, approval_json TO cirt_keeper;
GRANT SELECT, INSERT, DELETE ON case_member TO cirt_desk;
GRANT SELECT ON approval, approval_kind TO cirt_desk, cirt_keeper;
GRANT SELECT ON case_member TO cirt_keeper;
-- Functions of the owner are nobody's but whose they are granted to.
REVOKE ALL ON FUNCTION act_meant, act_put, act_undone, case_clocks, case_opened FROM PUBLIC;
