-- Whose a row is belongs to the facts that the courier is given, and is asked of all rows of a mail together (disclosure_theirs).
SET LOCAL search_path = cirt, pg_temp;

ALTER TYPE courier_fact ADD ATTRIBUTE theirs boolean;

CREATE OR REPLACE FUNCTION courier_lane(which bigint, me uuid) RETURNS SETOF courier_fact LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT NULL::bigint, NULL::bigint, 'clear'::tlp, 'clear'::pap, true, false, 'none'::release_kind, 'source'::recipient_kind,
		o.exercise <> 0, EXISTS (SELECT 1 FROM exercise_directory d WHERE d.exercise = o.exercise
			AND d.address IN (lower(o.address), '@' || lower(split_part(o.address, '@', 2)))), o.form, true, true, false, true
	FROM outbox o WHERE o.id = which AND o.holder = me AND o.state = 'queued'
$$;

CREATE OR REPLACE FUNCTION courier_rows(which bigint, me uuid) RETURNS SETOF courier_fact LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT d.id, d.report, r.tlp, r.pap, s.may_notify_affected, s.restricted, coalesce(a.granted, 'none'), o.recipient, r.exercise <> 0,
		l.inside, d.form, cardinality(o.approved_by) >= 2,
		d.recipient = o.recipient AND d.form = o.form AND r.exercise = o.exercise AND (d.form <> 'full' OR o.tlp >= d.tlp), d.left_out IS NOT NULL,
		o.recipient <> 'affected' OR o.organisation IS NULL OR coalesce(coalesce(st.organisation, r.organisation) = o.organisation, true)
	FROM outbox o
		CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM exercise_directory x WHERE x.exercise = o.exercise
			AND x.address IN (lower(o.address), '@' || lower(split_part(o.address, '@', 2)))) AS inside) l
		JOIN disclosure d ON d.outbox = o.id
		LEFT JOIN report r ON r.id = d.report LEFT JOIN source s ON s.id = r.source
		LEFT JOIN report_status st ON st.report = d.report
		LEFT JOIN LATERAL (SELECT e.granted FROM release e WHERE e.report = d.report AND e.granted IS NOT NULL
			ORDER BY e.answered DESC, e.id DESC LIMIT 1) a ON true
	WHERE o.id = which AND o.holder = me AND o.state = 'queued'
$$;

-- As it was before the last change: what is another's now is left out, and why is said in words.
CREATE OR REPLACE FUNCTION courier_check(which bigint, me uuid) RETURNS TABLE (told bigint, refused bigint) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = which AND holder = me AND state = 'queued' FOR UPDATE;
	IF o.bytes IS NULL THEN
		UPDATE disclosure d SET left_out = x.why
		FROM (SELECT v.disclosure AS id, CASE WHEN NOT coalesce(v.same AND gate_lets(v.verdict, v.form, v.approved), false)
				THEN disclosure_why(v.report, which) END AS why
			FROM (SELECT f.disclosure, f.report, f.form, f.approved, f.exercise = (o.exercise <> 0) AND f.theirs AS same, gate_decide(f.of_tlp, f.of_pap, f.may_notify,
				f.restricted, f.allowed, f.recipient, f.exercise, f.in_directory) AS verdict FROM courier_rows(which, me) f OFFSET 0) v) x
		WHERE d.id = x.id AND d.told IS NULL AND d.left_out IS DISTINCT FROM x.why;
		RETURN QUERY SELECT count(*) FILTER (WHERE d.left_out IS NULL), count(*) FILTER (WHERE d.left_out IS NOT NULL)
			FROM disclosure d WHERE d.outbox = which;
	ELSE
		RETURN QUERY SELECT count(*), count(*) FILTER (WHERE NOT coalesce(f.exercise = (o.exercise <> 0) AND f.theirs AND gate_lets(gate_decide(f.of_tlp,
				f.of_pap, f.may_notify, f.restricted, f.allowed, f.recipient, f.exercise, f.in_directory), f.form, f.approved), false))
			FROM courier_rows(which, me) f WHERE NOT f.left_out;
	END IF;
END $$;
