-- Lines of the inbox about what is known already are as closed as the report that they are of: by their number, in the journal, among what
-- waits for a second person.
SET LOCAL search_path = cirt, pg_temp;

-- May whoever asks know of this line? One of new reports has what he may read of it, each by itself.
CREATE FUNCTION inbox_line_seen(which bigint, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT landed_may_see(inbox_again_of(l), p ->> 'operator', p ->> 'role') FROM inbox_line l WHERE l.id = which
		AND inbox_again_of(l) IS NOT NULL), true)
$$;

CREATE OR REPLACE FUNCTION inbox_named(p jsonb) RETURNS inbox_line LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	l inbox_line := inbox_line_of(p);
BEGIN
	IF NOT inbox_line_seen(l.id, p) THEN
		RAISE EXCEPTION 'there is nothing new in line % of the inbox: cirt inbox', p ->> 'group' USING ERRCODE = 'no_data_found';
	ELSIF inbox_again_of(l) IS NOT NULL THEN
		RAISE EXCEPTION 'line % of the inbox is of what is known already: cirt inbox answer %, or cirt inbox done %', l.id, l.id, l.id
			USING ERRCODE = 'check_violation';
	END IF;
	RETURN l;
END $$;

-- As before, and lines of the inbox.
CREATE OR REPLACE FUNCTION approval_visible(object text, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT p ->> 'role' IN ('lead', 'admin') OR CASE split_part(object, '/', 1)
		WHEN 'case' THEN coalesce((SELECT case_may_see(c.id, p ->> 'operator') FROM cases c WHERE c.number = split_part(object, '/', 2)), true)
		WHEN 'outbox' THEN coalesce((SELECT outbox_visible(o, p) FROM outbox o WHERE o.number = split_part(object, '/', 2)), true)
		WHEN 'inbox' THEN CASE WHEN split_part(object, '/', 2) ~ '^[0-9]{1,18}$' THEN inbox_line_seen(split_part(object, '/', 2)::bigint, p) ELSE true END
		ELSE true END
$$;

ALTER FUNCTION journal_hides(text, text, jsonb) RENAME TO journal_hides_thing;
CREATE FUNCTION journal_hides(kind text, named text, p jsonb) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF kind = 'inbox' AND named ~ '^[0-9]{1,18}$' THEN
		RETURN NOT inbox_line_seen(named::bigint, p);
	END IF;
	RETURN journal_hides_thing(kind, named, p);
END $$;

REVOKE ALL ON FUNCTION inbox_line_seen, journal_hides FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inbox_line_seen, journal_hides TO cirt_desk;
