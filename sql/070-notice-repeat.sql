-- What a list has never left out has not relapsed when it is due again; and what took the place of the rows of a large mail is found
-- for all of them at once.
SET LOCAL search_path = cirt, pg_temp;

-- A new report that only goes on with one that has grown old takes its place: what was told was told of it, and what was not told
-- is looked at in it and no more in the old one. Of sources that say what is gone, what is not gone goes on, also when its interval is
-- over: that is a repeat. A question to a source stays with the report that it was asked about.
CREATE OR REPLACE FUNCTION notice_continue(ids bigint[]) RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	WITH went AS (SELECT DISTINCT ON (l.a) l.a AS fresh, w.* FROM report_link l JOIN warning w ON w.report = l.b
			WHERE l.a = ANY (ids) AND w.continued IS NULL AND (l.kind = 'continuation' OR (l.kind = 'relapse' AND w.gone IS NULL
				AND (w.outcome <> 'told' OR w.last_told + w.repeat > now() OR EXISTS (SELECT 1 FROM report r JOIN source s ON s.id = r.source
					WHERE r.id = w.report AND (s.kind::text IN ('feed', 'shadowserver')
						OR EXISTS (SELECT 1 FROM feed_columns c WHERE c.source = s.id))))))
				AND NOT (w.outcome = 'asks-permission' AND EXISTS (SELECT 1 FROM release q WHERE q.report = w.report AND q.granted IS NULL))
			ORDER BY l.a, l.kind = 'continuation' DESC, l.b DESC),
		made AS (INSERT INTO warning (report, exercise, organisation, outcome, why, rule, repeat, next, notices, first_told, last_told, gone,
				relapses, relapsed)
			SELECT fresh, exercise, organisation, CASE outcome WHEN 'waiting' THEN 'told' ELSE outcome END, why, rule, repeat,
				CASE WHEN outcome IN ('told', 'waiting') THEN coalesce(last_told, now()) + repeat ELSE next END,
				notices, first_told, last_told, gone, relapses, relapsed
			FROM went ON CONFLICT DO NOTHING RETURNING report)
	UPDATE warning w SET continued = went.fresh, next = NULL FROM went, made WHERE w.report = went.report AND made.report = went.fresh
$$;

-- Told, by whatever says so: from now on its interval runs, and that of what took its place while the mail waited.
CREATE OR REPLACE FUNCTION warning_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	WITH RECURSIVE way(report, told, step) AS (
		SELECT n.report, max(n.told), 0 FROM now_rows n JOIN was_rows w ON w.id = n.id
			WHERE n.told IS NOT NULL AND w.told IS NULL AND n.cause <> 'question' GROUP BY n.report
		UNION ALL SELECT v.continued, way.told, way.step + 1 FROM way JOIN warning v ON v.report = way.report
			WHERE v.continued IS NOT NULL AND way.step < 1000),
	said AS (SELECT report, max(told) AS told FROM way GROUP BY report),
	kept AS (UPDATE warning v SET outcome = 'told', why = '', first_told = coalesce(v.first_told, s.told), last_told = s.told,
			next = CASE WHEN v.continued IS NULL THEN s.told + coalesce(v.repeat, interval '30 days') END
		FROM said s WHERE v.report = s.report)
	INSERT INTO report_status AS st (report, state) SELECT s.report, 'noticed' FROM said s ORDER BY s.report
		ON CONFLICT (report) DO UPDATE SET state = 'noticed', changed = now() WHERE st.state = 'new';
	-- Left out after all, as the gate had become stricter.
	UPDATE warning v SET outcome = 'held', why = left('left out of a mail: ' || n.left_out, 1000),
			next = CASE WHEN v.continued IS NULL THEN now() + interval '1 day' END
		FROM now_rows n JOIN was_rows w ON w.id = n.id, LATERAL warning_heirs(n.report) AS h
		WHERE v.report = h AND n.left_out IS NOT NULL AND w.left_out IS NULL AND (v.outcome = 'waiting' OR v.first_told IS NULL AND v.outcome = 'told');
	RETURN NULL;
END $$;

-- Row security, too, shows the courier nothing that is another's by now.
CREATE OR REPLACE FUNCTION disclosure_lets(d_report bigint, d_outbox bigint, d_form disclosure_form) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	q record;
BEGIN
	SELECT b.state, b.recipient, b.exercise AS lane, cardinality(b.approved_by) >= 2 AS approved, r.tlp, r.pap, r.exercise,
			s.may_notify_affected, s.restricted,
			coalesce((SELECT e.granted FROM release e WHERE e.report = d_report AND e.granted IS NOT NULL
				ORDER BY e.answered DESC, e.id DESC LIMIT 1), 'none') AS released,
			b.exercise <> 0 AND in_directory(b.exercise, b.address) AS inside,
			b.recipient <> 'affected' OR b.organisation IS NULL OR coalesce(coalesce(st.organisation, r.organisation) = b.organisation, true) AS theirs
		INTO q FROM outbox b JOIN report r ON r.id = d_report JOIN source s ON s.id = r.source
			LEFT JOIN report_status st ON st.report = r.id WHERE b.id = d_outbox;
	RETURN FOUND AND q.state = 'queued' AND q.lane = q.exercise AND q.theirs AND gate_lets(gate_decide(q.tlp, q.pap, q.may_notify_affected,
		q.restricted, q.released, q.recipient, q.exercise <> 0, q.inside), d_form, q.approved);
END $$;
