-- Mails of a hundred thousand rows: the gate of a row in one question, and no joins that grow with the square of them.
SET LOCAL search_path = cirt, pg_temp;

-- Called for every row that leaves, by functions that have set it.
ALTER FUNCTION gate_decide(tlp, pap, boolean, boolean, release_kind, recipient_kind, boolean, boolean) RESET search_path;

CREATE OR REPLACE FUNCTION disclosure_lets(d_report bigint, d_outbox bigint, d_form disclosure_form) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	q record;
BEGIN
	SELECT b.state, b.recipient, b.exercise AS lane, cardinality(b.approved_by) >= 2 AS approved, r.tlp, r.pap, r.exercise,
			s.may_notify_affected, s.restricted,
			coalesce((SELECT e.granted FROM release e WHERE e.report = d_report AND e.granted IS NOT NULL
				ORDER BY e.answered DESC, e.id DESC LIMIT 1), 'none') AS released,
			b.exercise <> 0 AND in_directory(b.exercise, b.address) AS inside
		INTO q FROM outbox b JOIN report r ON r.id = d_report JOIN source s ON s.id = r.source WHERE b.id = d_outbox;
	RETURN FOUND AND q.state = 'queued' AND q.lane = q.exercise AND gate_lets(gate_decide(q.tlp, q.pap, q.may_notify_affected,
		q.restricted, q.released, q.recipient, q.exercise <> 0, q.inside), d_form, q.approved);
END $$;

-- As before; of what is made it asks the facts alone.
CREATE OR REPLACE FUNCTION courier_check(which bigint, me uuid) RETURNS TABLE (told bigint, refused bigint) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = which AND holder = me AND state = 'queued' FOR UPDATE;
	IF o.bytes IS NULL THEN
		UPDATE disclosure d SET left_out = x.why
		FROM (SELECT v.disclosure AS id, CASE WHEN NOT coalesce(v.same AND gate_lets(v.verdict, v.form, v.approved), false)
				THEN 'since it was put there: ' || v.verdict END AS why
			FROM (SELECT f.disclosure, f.form, f.approved, f.exercise = (o.exercise <> 0) AS same, gate_decide(f.of_tlp, f.of_pap, f.may_notify,
				f.restricted, f.allowed, f.recipient, f.exercise, f.in_directory) AS verdict FROM courier_rows(which, me) f OFFSET 0) v) x
		WHERE d.id = x.id AND d.told IS NULL AND d.left_out IS DISTINCT FROM x.why;
		RETURN QUERY SELECT count(*) FILTER (WHERE d.left_out IS NULL), count(*) FILTER (WHERE d.left_out IS NOT NULL)
			FROM disclosure d WHERE d.outbox = which;
	ELSE
		RETURN QUERY SELECT count(*), count(*) FILTER (WHERE NOT coalesce(f.exercise = (o.exercise <> 0) AND gate_lets(gate_decide(f.of_tlp,
				f.of_pap, f.may_notify, f.restricted, f.allowed, f.recipient, f.exercise, f.in_directory), f.form, f.approved), false))
			FROM courier_rows(which, me) f WHERE NOT f.left_out;
	END IF;
END $$;
