-- What people read: a time of the house as they say it, and one report where there is one.
SET LOCAL search_path = cirt, pg_temp;

-- For people: local in the zone of the house, whose name is said as the times of cirt say it.
CREATE OR REPLACE FUNCTION house_time(at timestamptz) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT to_char(timezone(c.zone, at), 'Dy DD Mon YYYY HH24:MI') || ' ' || CASE WHEN c.zone IN ('Etc/UTC', 'UTC') THEN 'UTC' ELSE c.zone END
	FROM calendar c WHERE c.current
$$;

-- As before, with times that can be read.
CREATE OR REPLACE FUNCTION act_meant(which bigint, who text, role text) RETURNS act LANGUAGE plpgsql SECURITY DEFINER
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
		RAISE EXCEPTION 'act % was undone by % at %', a.id, a.undone_by, coalesce(house_time(a.undone), stamp(a.undone)) USING ERRCODE = 'check_violation';
	ELSIF a.until <= clock_timestamp() THEN
		RAISE EXCEPTION 'act % (%) could be undone until % only; earlier ones by their number: cirt undo --list', a.id, a.what, coalesce(house_time(a.until), stamp(a.until))
			USING ERRCODE = 'check_violation';
	END IF;
	RETURN a;
END $$;

-- As before, with one report where it is one.
CREATE OR REPLACE FUNCTION desk_case_split(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
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
		format('%s out of %s into %s', reports_count(cardinality(which)), c.number, (SELECT number FROM cases WHERE id = target)), 'undo_case_split',
		jsonb_build_object('from', c.id, 'to', target, 'reports', which, 'made', NOT p ? 'into')));
END $$;

CREATE OR REPLACE FUNCTION undo_case_split(undo jsonb) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
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
	RETURN format('%s in %s again', reports_count(cardinality(back)), was.number);
END $$;
