-- What was told and has not been gone since is not told again before its interval is over, although its reports fold no more: a
-- scanner that a fold rule calls quiet after a day is on each day's list, every time as a new report.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION notice_continue(ids bigint[]) RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	WITH went AS (SELECT DISTINCT ON (l.a) l.a AS fresh, w.* FROM report_link l JOIN warning w ON w.report = l.b
			WHERE l.a = ANY (ids) AND w.continued IS NULL AND (l.kind = 'continuation' OR (l.kind = 'relapse' AND w.gone IS NULL
				AND (w.outcome = 'waiting' OR (w.outcome = 'told' AND w.last_told + w.repeat > now()))))
			ORDER BY l.a, l.kind = 'continuation' DESC, l.b DESC),
		made AS (INSERT INTO warning (report, exercise, organisation, outcome, why, rule, repeat, next, notices, first_told, last_told, gone,
				relapses, relapsed)
			SELECT fresh, exercise, organisation, CASE outcome WHEN 'waiting' THEN 'told' ELSE outcome END, why, rule, repeat,
				coalesce(last_told, now()) + repeat, notices, first_told, last_told, gone, relapses, relapsed
			FROM went WHERE outcome IN ('told', 'waiting') ON CONFLICT DO NOTHING RETURNING report)
	UPDATE warning w SET continued = went.fresh, next = NULL FROM went, made WHERE w.report = went.report AND made.report = went.fresh
$$;
