-- What operators did and may take back: `cirt undo`. Each act names the function that undoes it and what that function needs.
SET LOCAL search_path = cirt, pg_temp;

-- Functions that undo: f(undo jsonb) RETURNS text, which says to people what is as it was. They run with the rights of the desk, raise
-- check_violation where something has happened since that stands in the way, and write their own lines in the journal.
CREATE TABLE act_kind (
	undo_function text PRIMARY KEY CHECK (undo_function ~ '^[a-z][a-z0-9_]{0,62}$')
);

CREATE TABLE act (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	actor text NOT NULL DEFAULT actor(),
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	noun text NOT NULL,               -- 'report', 'case', 'mail': what the act was on
	what text NOT NULL,               -- to people: '9 reports linked to 2026-000409'
	undo_function text NOT NULL REFERENCES act_kind,
	undo jsonb NOT NULL,
	until timestamptz,                -- may be undone until then; NULL: always
	undone timestamptz,
	undone_by text
);
CREATE INDEX act_last ON act (actor, id DESC) WHERE undone IS NULL;

-- The only way in.
CREATE FUNCTION act_put(noun text, what text, undo_function text, undo jsonb, until timestamptz DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	act_id bigint;
BEGIN
	INSERT INTO act (noun, what, undo_function, undo, until) VALUES (noun, left(what, 500), undo_function, coalesce(undo, '{}'), until)
		RETURNING id INTO act_id;
	RETURN act_id;
END $$;

-- It is undone now. Once only.
CREATE FUNCTION act_undone(which bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	UPDATE act SET undone = clock_timestamp(), undone_by = actor() WHERE id = which AND undone IS NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'act % was undone already', which USING ERRCODE = 'check_violation';
	END IF;
END $$;

-- The act that is meant, locked: the named one, else the last of who asks. Those of others are the lead's to undo.
CREATE FUNCTION act_meant(which bigint, who text, role text) RETURNS act LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	a act;
BEGIN
	IF which IS NULL THEN
		SELECT * INTO a FROM act WHERE actor = who AND undone IS NULL ORDER BY id DESC LIMIT 1 FOR UPDATE;
	ELSE
		SELECT * INTO a FROM act WHERE id = which FOR UPDATE;
	END IF;
	IF a.id IS NULL THEN
		RAISE EXCEPTION '%', CASE WHEN which IS NULL THEN 'there is nothing of yours to undo' ELSE format('there is no act %s', which) END
			USING ERRCODE = 'no_data_found';
	ELSIF a.actor <> who AND role NOT IN ('lead', 'admin') THEN
		RAISE EXCEPTION 'act % is %''s: he undoes it, or a lead', a.id, a.actor USING ERRCODE = 'insufficient_privilege';
	ELSIF a.undone IS NOT NULL THEN
		RAISE EXCEPTION 'act % was undone by % at %', a.id, a.undone_by, stamp(a.undone) USING ERRCODE = 'check_violation';
	ELSIF a.until <= clock_timestamp() THEN
		RAISE EXCEPTION 'act % (%) could be undone until % only; earlier ones by their number: cirt undo --list', a.id, a.what, stamp(a.until)
			USING ERRCODE = 'check_violation';
	END IF;
	RETURN a;
END $$;

CREATE FUNCTION act_json(a act) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('act', a.id, 'actor', a.actor, 'at', stamp(a.at), 'noun', a.noun, 'what', a.what, 'until', stamp(a.until),
		'undone', stamp(a.undone), 'undone_by', a.undone_by)
$$;

-- {list, all, act, limit, cursor, operator, role}
CREATE FUNCTION desk_undo(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	who text := p ->> 'operator';
	most int := least(coalesce((p ->> 'limit')::int, 50), 1000);
	a act;
	said text;
BEGIN
	IF coalesce((p ->> 'list')::boolean, false) THEN
		RETURN (SELECT json_build_object('items', coalesce(json_agg(act_json(l) ORDER BY l.id DESC) FILTER (WHERE n <= most), '[]'),
				'next', min(l.id) FILTER (WHERE n <= most AND count > most)::text)
			FROM (SELECT t::act AS l, (t::act).id, row_number() OVER (ORDER BY (t::act).id DESC) AS n, count(*) OVER () AS count
				FROM (SELECT t FROM act t WHERE (t.actor = who OR p ? 'all') AND t.id < coalesce((p ->> 'cursor')::bigint, t.id + 1)
					ORDER BY t.id DESC LIMIT most + 1) f) l);
	END IF;
	IF p ->> 'act' !~ '^\d{1,18}$' THEN
		RAISE EXCEPTION 'an act is known by its number: cirt undo --list' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	a := act_meant((p ->> 'act')::bigint, who, p ->> 'role');
	EXECUTE format('SELECT cirt.%I($1)', a.undo_function) INTO said USING a.undo;
	PERFORM act_undone(a.id);
	RETURN json_build_object('act', a.id, 'what', a.what, 'said', said);
END $$;

GRANT SELECT ON act TO cirt_desk, cirt_keeper;
GRANT EXECUTE ON FUNCTION act_put, act_undone, act_meant, act_json, desk_undo TO cirt_desk;
