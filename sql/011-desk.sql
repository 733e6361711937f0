-- What the desk asks for.
SET LOCAL search_path = cirt, pg_temp;

-- RFC 3339 in UTC with six digits, so that times compare as text too.
CREATE FUNCTION stamp(at timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT to_char(timezone('UTC', at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
GRANT EXECUTE ON FUNCTION stamp TO cirt_desk;

-- Whether one of a report's addresses, or the address in one of its URLs, is inside a prefix. What is no address counts as none.
CREATE FUNCTION observable_inside(observables text[], prefix inet) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
	observable text;
	value text;
BEGIN
	FOREACH observable IN ARRAY observables LOOP
		value := CASE
			WHEN observable LIKE 'ip %' THEN split_part(observable, ' ', 3)
			WHEN observable LIKE 'url %' THEN
				substring(split_part(observable, ' ', 3) FROM '^[a-z0-9+.-]+://(?:[^/@]*@)?\[?([0-9a-f.:]+?)\]?(?::[0-9]+)?(?:[/?#]|$)')
			END;
		BEGIN
			IF value::inet <<= prefix THEN
				RETURN true;
			END IF;
		EXCEPTION WHEN invalid_text_representation THEN
			CONTINUE;
		END;
	END LOOP;
	RETURN false;
END $$;
GRANT EXECUTE ON FUNCTION observable_inside TO cirt_desk;

-- Cases: what operators do to them. Every function raises no_data_found for what does not exist, check_violation for what the state
-- does not allow, invalid_parameter_value for what is missing; texts are for people. Cases are locked by number ascending, as the
-- correlator does.

-- '2026-000412'; '2026-412' and '412' are understood, the latter as the newest of this year and the last.
CREATE FUNCTION case_named(named text) RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	parts text[] := regexp_match(named, '^(?:(\d{4})-)?(\d{1,9})$');
	this_year int := extract(year FROM timezone('UTC', now()));
	found_id bigint;
BEGIN
	IF parts IS NULL THEN
		RAISE EXCEPTION 'a case''s number reads as 2026-000412, not "%"', left(named, 60) USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT id INTO found_id FROM cases WHERE number = ANY (SELECT year || '-' || lpad(parts[2], greatest(6, length(parts[2])), '0')
			FROM unnest(CASE WHEN parts[1] IS NULL THEN ARRAY[this_year, this_year - 1] ELSE ARRAY[parts[1]::int] END) AS year)
		ORDER BY number DESC LIMIT 1;
	IF found_id IS NULL THEN
		RAISE EXCEPTION 'there is no case %', named USING ERRCODE = 'no_data_found';
	END IF;
	RETURN found_id;
END $$;

-- The states that a case may go to by `case move`; closing and merging are verbs of their own.
CREATE FUNCTION case_next(state case_state) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(string_agg(to_state::text || CASE to_state WHEN 'closed' THEN ' (cirt case close)' WHEN 'merged' THEN
		' (cirt case merge)' ELSE '' END, ', ' ORDER BY to_state), 'nowhere') FROM case_transition WHERE from_state = case_next.state
$$;

CREATE FUNCTION case_move(named text, wanted text, why text, how_it_ended text) RETURNS bigint LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	t case_transition;
BEGIN
	SELECT * INTO c FROM cases WHERE id = case_named(named) FOR UPDATE;
	IF c.state::text = wanted THEN
		RAISE EXCEPTION '% is % already', c.number, c.state USING ERRCODE = 'check_violation';
	END IF;
	SELECT * INTO t FROM case_transition WHERE from_state = c.state AND to_state::text = wanted;
	IF NOT FOUND OR c.state = 'merged' OR wanted = 'merged' THEN
		RAISE EXCEPTION '% is %; from there it goes to %, not to "%"', c.number, c.state,
			CASE c.state WHEN 'merged' THEN 'open (cirt case split)' ELSE case_next(c.state) END, left(wanted, 60)
			USING ERRCODE = 'check_violation';
	ELSIF t.wants_reason AND why = '' THEN
		RAISE EXCEPTION 'from % to % wants a reason: --reason', c.state, wanted USING ERRCODE = 'invalid_parameter_value';
	ELSIF t.wants_outcome AND how_it_ended = '' THEN
		RAISE EXCEPTION 'closing wants an outcome: cirt case close % --outcome TEXT', c.number
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	UPDATE cases SET state = t.to_state, reason = why, outcome = CASE WHEN t.wants_outcome THEN how_it_ended ELSE outcome END
		WHERE id = c.id;
	RETURN c.id;
END $$;

-- Give it to somebody, '' is nobody. Who takes a new case opens it.
CREATE FUNCTION case_take(named text, who text) RETURNS bigint LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	whose int;
BEGIN
	SELECT * INTO c FROM cases WHERE id = case_named(named) FOR UPDATE;
	IF c.state IN ('closed', 'rejected', 'merged') THEN
		RAISE EXCEPTION '% is %', c.number, c.state USING ERRCODE = 'check_violation';
	END IF;
	IF who <> '' THEN
		SELECT id INTO whose FROM operator WHERE name = who AND enabled;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no operator "%"', who USING ERRCODE = 'no_data_found';
		END IF;
	END IF;
	UPDATE cases SET assignee = whose, state = CASE WHEN state = 'new' AND whose IS NOT NULL THEN 'open' ELSE state END
		WHERE id = c.id AND assignee IS DISTINCT FROM whose;
	RETURN c.id;
END $$;

-- Reports leave one case for another. The rows stay, ended at the time of this transaction.
CREATE FUNCTION case_reports_move(from_case bigint, to_case bigint, which bigint[]) RETURNS bigint LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	moved bigint;
BEGIN
	UPDATE case_report SET ended = now() WHERE case_id = from_case AND ended IS NULL AND (which IS NULL OR report = ANY (which));
	GET DIAGNOSTICS moved = ROW_COUNT;
	INSERT INTO case_report (report, case_id) SELECT report, to_case FROM case_report
		WHERE case_id = from_case AND ended = now() AND (which IS NULL OR report = ANY (which)) ORDER BY report
		ON CONFLICT (report, case_id) DO UPDATE SET ended = NULL;
	RETURN moved;
END $$;

-- Two cases are one. What is grouped into the first goes to where it was merged (case_now()).
CREATE FUNCTION case_merge(named text, into_named text, why text) RETURNS bigint LANGUAGE plpgsql
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
	IF b.state IN ('closed', 'rejected', 'merged') THEN
		RAISE EXCEPTION '% is %: nothing is merged into it', b.number, b.state USING ERRCODE = 'check_violation';
	ELSIF NOT EXISTS (SELECT 1 FROM case_transition WHERE from_state = a.state AND to_state = 'merged') THEN
		RAISE EXCEPTION '% is %; from there it goes to %', a.number, a.state, case_next(a.state) USING ERRCODE = 'check_violation';
	ELSIF a.exercise <> b.exercise THEN
		RAISE EXCEPTION 'one of the two is an exercise' USING ERRCODE = 'check_violation';
	END IF;
	UPDATE cases SET state = 'merged', merged_into = b.id, reason = why WHERE id = a.id;
	INSERT INTO case_link (a, b, kind, reason) VALUES (a.id, b.id, 'merged', why);
	PERFORM case_reports_move(a.id, b.id, NULL);
	RETURN a.id;
END $$;

-- The merge undone: what came from it goes back, if it is still there.
CREATE FUNCTION case_unmerge(named text, why text) RETURNS bigint LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	link case_link;
	ids bigint[];
BEGIN
	SELECT * INTO c FROM cases WHERE id = case_named(named);
	IF c.state <> 'merged' THEN
		RAISE EXCEPTION '% is %, not merged: name the reports to be split off', c.number, c.state
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM 1 FROM cases WHERE id IN (c.id, c.merged_into) ORDER BY number FOR UPDATE;
	SELECT * INTO c FROM cases WHERE id = c.id;
	SELECT * INTO STRICT link FROM case_link l WHERE l.a = c.id AND l.b = c.merged_into AND l.kind = 'merged' ORDER BY l.at DESC LIMIT 1;
	ids := ARRAY(SELECT r.report FROM case_report r JOIN case_report o ON o.report = r.report AND o.case_id = link.b AND o.ended IS NULL
		WHERE r.case_id = c.id AND r.ended = link.at);
	UPDATE cases SET state = 'open', reason = CASE why WHEN '' THEN 'the merge was undone' ELSE why END WHERE id = c.id;
	PERFORM case_reports_move(link.b, c.id, ids);
	INSERT INTO case_link (a, b, kind, reason) VALUES (c.id, link.b, 'split', why);
	RETURN c.id;
END $$;

-- Reports out of a case, into another or a new one. Returns where they are now.
CREATE FUNCTION case_split(named text, which bigint[], into_named text, new_title text, why text) RETURNS bigint LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	missing bigint;
	target bigint;
BEGIN
	SELECT * INTO c FROM cases WHERE id = case_named(named);
	IF into_named <> '' THEN
		target := case_named(into_named);
	END IF;
	IF target = c.id THEN
		RAISE EXCEPTION 'they are in % already', c.number USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM 1 FROM cases WHERE id IN (c.id, target) ORDER BY number FOR UPDATE;
	SELECT w INTO missing FROM unnest(which) AS w
		WHERE NOT EXISTS (SELECT 1 FROM case_report WHERE report = w AND case_id = c.id AND ended IS NULL) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'report % is not in %', report_number(missing), c.number USING ERRCODE = 'no_data_found';
	END IF;
	IF target IS NULL THEN
		INSERT INTO cases (title, state, severity, tlp, pap, type, identifier, organisation, restricted, exercise)
			SELECT CASE new_title WHEN '' THEN report_title(r.title, r.type, r.identifier, r.malware, r.observables) ELSE new_title END,
				'open', c.severity, c.tlp, c.pap,
				r.type, r.identifier, coalesce(r.organisation, c.organisation), c.restricted, c.exercise
			FROM report r WHERE r.id = which[1] RETURNING id INTO STRICT target;
	ELSIF EXISTS (SELECT 1 FROM cases WHERE id = target AND (state IN ('closed', 'rejected', 'merged') OR exercise <> c.exercise)) THEN
		RAISE EXCEPTION '% is closed, or not of the same drill', into_named USING ERRCODE = 'check_violation';
	END IF;
	PERFORM case_reports_move(c.id, target, which);
	INSERT INTO case_link (a, b, kind, reason) VALUES (target, c.id, 'split', why);
	RETURN target;
END $$;

-- What a journal row of a case says to a person.
CREATE FUNCTION case_journal_text(of_case text, action text, before text, after text) RETURNS text LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	SELECT CASE
		WHEN action = 'insert' THEN 'opened as ' || coalesce(after::jsonb ->> 'state', 'new')
		WHEN action = 'update' THEN (SELECT string_agg(CASE key
				WHEN 'assignee' THEN 'assignee ' || coalesce((SELECT name FROM operator WHERE id = (before::jsonb ->> key)::int), 'nobody')
					|| ' → ' || coalesce((SELECT name FROM operator WHERE id = (after::jsonb ->> key)::int), 'nobody')
				WHEN 'merged_into' THEN CASE WHEN after::jsonb ->> key IS NULL THEN 'stands by itself again'
					ELSE 'merged into ' || (SELECT number FROM cases WHERE id = (after::jsonb ->> key)::bigint) END
				ELSE key || ' ' || coalesce(nullif(value, ''), '-') || ' → ' || coalesce(nullif(after::jsonb ->> key, ''), '-') END, ' · ')
			FROM jsonb_each_text(before::jsonb) WHERE key <> 'changed')
		WHEN action IN ('reports added', 'reports removed') THEN action || ': ' || coalesce(after::jsonb ->> 'count', '')
		WHEN action = 'case_link' THEN coalesce(after::jsonb ->> 'kind', '') || ' with '
			|| (SELECT string_agg(number, ', ' ORDER BY id) FROM cases
				WHERE id IN ((after::jsonb ->> 'a')::bigint, (after::jsonb ->> 'b')::bigint) AND number <> of_case)
		ELSE action
	END
$$;

GRANT EXECUTE ON FUNCTION case_named, case_next, case_move, case_take, case_reports_move, case_merge, case_unmerge, case_split,
	case_journal_text TO cirt_desk;

-- Streams. A sequence is taken before the commit, so that "id greater than the last" skips what commits late. Rows that one snapshot
-- did not see and now are there, are new, whatever their id: the transaction that made a row is told by its xmin, which is of this
-- epoch or the one before.
CREATE FUNCTION row_transaction(xmin xid) RETURNS xid8 LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT (CASE WHEN low > next % 4294967296 THEN next / 4294967296 - 1 ELSE next / 4294967296 END * 4294967296 + low)::text::xid8
	FROM (SELECT xmin::text::bigint AS low, pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next) s
$$;
CREATE FUNCTION row_is_new(xmin xid, since pg_snapshot, until pg_snapshot) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT xmin::text::bigint > 2 AND cirt.row_transaction(xmin) >= pg_snapshot_xmin(since)
		AND NOT pg_visible_in_snapshot(cirt.row_transaction(xmin), since)
		AND pg_visible_in_snapshot(cirt.row_transaction(xmin), until)
$$;
GRANT EXECUTE ON FUNCTION row_transaction, row_is_new TO cirt_desk;
