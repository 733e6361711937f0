-- What became of what was told, by a tally: of 30 days no report is looked at but those that the tally does not hold yet.
SET LOCAL search_path = cirt, pg_temp;

-- How each report counts as it is now; none: not at all.
CREATE VIEW effect_live WITH (security_invoker = true) AS
SELECT r.id AS report, r.received, coalesce(st.organisation, r.organisation, 0) AS organisation, coalesce(nullif(r.identifier, ''), r.type::text) AS what,
	w.first_told IS NOT NULL AS warned, coalesce(coalesce(w.gone, st.gone_at) <= w.first_told + interval '7 days', false) AS gone_7,
	coalesce(coalesce(w.gone, st.gone_at) <= w.first_told + interval '30 days', false) AS gone_30,
	w.first_told IS NOT NULL AND (w.relapses > 0 OR EXISTS (SELECT 1 FROM report_link l WHERE l.b = r.id AND l.kind = 'relapse')) AS relapsed
FROM warning w JOIN report r ON r.id = w.report LEFT JOIN report_status st ON st.report = w.report
WHERE w.continued IS NULL AND r.exercise = 0 AND r.type <> 'test' AND st.state IS DISTINCT FROM 'rejected';

-- The same as it was tallied last.
CREATE TABLE effect_row (
	report bigint PRIMARY KEY,
	received timestamptz NOT NULL,
	organisation int NOT NULL,        -- 0: nobody's
	what text NOT NULL,               -- identifier, else the type
	warned boolean NOT NULL,
	gone_7 boolean NOT NULL,
	gone_30 boolean NOT NULL,
	relapsed boolean NOT NULL
);
CREATE INDEX effect_row_received ON effect_row (received);
CREATE INDEX effect_row_organisation ON effect_row (organisation, received);

-- What has been received since `start`; the keeper moves it on, 30 days behind now.
CREATE TABLE effect_window (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	start timestamptz NOT NULL
);
INSERT INTO effect_window (start) VALUES (now() - interval '30 days');

-- Rows of the window, summed up: by organisation, by identifier, and all.
CREATE TABLE effect_sum (
	by text NOT NULL,
	key text NOT NULL,
	seen bigint NOT NULL,
	warned bigint NOT NULL,
	gone_7 bigint NOT NULL,
	gone_30 bigint NOT NULL,
	relapsed bigint NOT NULL,
	PRIMARY KEY (by, key)
) WITH (fillfactor = 70);
CREATE INDEX effect_sum_empty ON effect_sum (by) WHERE seen = 0;

-- Reports that may count otherwise than they are tallied. Whatever changes one says so here, in the same transaction.
CREATE TABLE effect_dirty (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	report bigint NOT NULL
);

-- ---- what changes ----

-- Owner's rights: nobody else writes here.
CREATE FUNCTION effect_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	IF TG_TABLE_NAME = 'warning' AND TG_OP = 'INSERT' THEN
		INSERT INTO effect_dirty (report) SELECT n.report FROM now_rows n;
	ELSIF TG_TABLE_NAME = 'warning' THEN
		INSERT INTO effect_dirty (report) SELECT n.report FROM now_rows n JOIN was_rows w ON w.report = n.report
			WHERE (n.first_told, n.gone, n.relapses > 0, n.continued) IS DISTINCT FROM (w.first_told, w.gone, w.relapses > 0, w.continued);
	ELSIF TG_OP = 'INSERT' THEN
		INSERT INTO effect_dirty (report) SELECT n.report FROM now_rows n
			WHERE n.state = 'rejected' OR n.organisation IS NOT NULL OR n.gone_at IS NOT NULL;
	ELSE
		INSERT INTO effect_dirty (report) SELECT n.report FROM now_rows n JOIN was_rows w ON w.report = n.report
			WHERE (n.state = 'rejected', n.organisation, n.gone_at) IS DISTINCT FROM (w.state = 'rejected', w.organisation, w.gone_at);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER effect_decided AFTER INSERT ON warning REFERENCING NEW TABLE AS now_rows FOR EACH STATEMENT EXECUTE FUNCTION effect_changed();
CREATE TRIGGER effect_changed AFTER UPDATE ON warning REFERENCING OLD TABLE AS was_rows NEW TABLE AS now_rows FOR EACH STATEMENT
	EXECUTE FUNCTION effect_changed();
CREATE TRIGGER effect_begins AFTER INSERT ON report_status REFERENCING NEW TABLE AS now_rows FOR EACH STATEMENT EXECUTE FUNCTION effect_changed();
CREATE TRIGGER effect_moves AFTER UPDATE ON report_status REFERENCING OLD TABLE AS was_rows NEW TABLE AS now_rows FOR EACH STATEMENT
	EXECUTE FUNCTION effect_changed();

CREATE FUNCTION effect_linked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO effect_dirty (report) SELECT n.b FROM now_rows n WHERE n.kind = 'relapse';
	RETURN NULL;
END $$;
CREATE TRIGGER effect_linked AFTER INSERT ON report_link REFERENCING NEW TABLE AS now_rows FOR EACH STATEMENT EXECUTE FUNCTION effect_linked();

-- What retention takes is out of the window for long.
CREATE FUNCTION effect_retired() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	DELETE FROM effect_row e USING was_rows w, effect_window x WHERE e.report = w.report AND e.received < x.start;
	INSERT INTO effect_dirty (report) SELECT e.report FROM was_rows w JOIN effect_row e ON e.report = w.report;
	RETURN NULL;
END $$;
CREATE TRIGGER effect_retired AFTER DELETE ON warning REFERENCING OLD TABLE AS was_rows FOR EACH STATEMENT EXECUTE FUNCTION effect_retired();

-- ---- keeper ----

CREATE FUNCTION effect_now(ids bigint[]) RETURNS SETOF effect_row LANGUAGE sql STABLE ROWS 100 SET search_path = cirt, pg_temp AS $$
	SELECT v.* FROM unnest(ids) AS i CROSS JOIN LATERAL (SELECT * FROM effect_live l WHERE l.report = i OFFSET 0) v
$$;

-- Those of them that are received since the window begins, times `sign`.
CREATE FUNCTION effect_add(rows effect_row[], sign int, since timestamptz) RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	INSERT INTO effect_sum AS s SELECT k.by, k.key, sign * count(*), sign * count(*) FILTER (WHERE e.warned), sign * count(*) FILTER (WHERE e.gone_7),
			sign * count(*) FILTER (WHERE e.gone_30), sign * count(*) FILTER (WHERE e.relapsed)
		FROM unnest(rows) AS e CROSS JOIN LATERAL (VALUES ('organisation', e.organisation::text), ('identifier', e.what), ('all', '0')) AS k(by, key)
		WHERE e.received >= since GROUP BY k.by, k.key
		ON CONFLICT (by, key) DO UPDATE SET seen = s.seen + excluded.seen, warned = s.warned + excluded.warned, gone_7 = s.gone_7 + excluded.gone_7,
			gone_30 = s.gone_30 + excluded.gone_30, relapsed = s.relapsed + excluded.relapsed
$$;

-- The keeper alone tallies, so that nothing waits for another.
CREATE FUNCTION keeper_effect(most int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	since timestamptz := (SELECT w.start FROM effect_window w FOR UPDATE);
	next_start timestamptz;
	ids bigint[];
	was effect_row[];
	is_now effect_row[];
BEGIN
	WITH taken AS (DELETE FROM effect_dirty WHERE id IN (SELECT d.id FROM effect_dirty d ORDER BY d.id LIMIT most) RETURNING report)
	SELECT array_agg(DISTINCT report) INTO ids FROM taken;
	IF ids IS NOT NULL THEN
		was := ARRAY(SELECT e FROM effect_row e WHERE e.report = ANY (ids));
		is_now := ARRAY(SELECT e FROM effect_now(ids) e);
		DELETE FROM effect_row e WHERE e.report = ANY (ids);
		INSERT INTO effect_row SELECT e.* FROM unnest(is_now) e;
		PERFORM effect_add(was, -1, since), effect_add(is_now, 1, since);
	END IF;
	-- Not more at once than a batch, and always some.
	next_start := least(now() - interval '30 days', greatest(since + interval '1 microsecond',
		coalesce((SELECT e.received FROM effect_row e WHERE e.received >= since ORDER BY e.received OFFSET most LIMIT 1), 'infinity')));
	IF next_start > since THEN
		PERFORM effect_add(ARRAY(SELECT e FROM effect_row e WHERE e.received >= since AND e.received < next_start), -1, since);
		UPDATE effect_window SET start = next_start;
	END IF;
	DELETE FROM effect_sum WHERE seen = 0;
	RETURN coalesce(cardinality(ids), 0);
END $$;

-- All that was decided before there was a tally.
INSERT INTO effect_dirty (report) SELECT report FROM warning ORDER BY report;

-- ---- desk ----

-- As far as the tally holds it, and what it does not hold as it is now. Of another time than the last 30 days, or of one organisation, its
-- rows are counted.
CREATE FUNCTION effect_parts(per text, since timestamptz, of_organisation int) RETURNS TABLE (by text, key text, seen bigint, warned bigint,
	gone_7 bigint, gone_30 bigint, relapsed bigint)
LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	start timestamptz := (SELECT w.start FROM effect_window w);
	tallied boolean := of_organisation IS NULL AND since >= start AND since < start + interval '1 day';
	dirty bigint[] := ARRAY(SELECT DISTINCT d.report FROM effect_dirty d);
BEGIN
	RETURN QUERY SELECT s.* FROM effect_sum s WHERE tallied AND s.by IN (per, 'all');
	RETURN QUERY WITH signed AS (
		SELECT e.*, -1 AS sign FROM effect_row e WHERE tallied AND e.received >= start AND e.received < effect_parts.since
		UNION ALL SELECT e.*, 1 FROM effect_row e WHERE NOT tallied AND of_organisation IS NULL AND e.received >= effect_parts.since
		UNION ALL SELECT e.*, 1 FROM effect_row e WHERE e.organisation = of_organisation AND e.received >= effect_parts.since
		UNION ALL SELECT e.*, -1 FROM effect_row e WHERE e.report = ANY (dirty) AND e.received >= effect_parts.since
			AND (of_organisation IS NULL OR e.organisation = of_organisation)
		UNION ALL SELECT e.*, 1 FROM effect_now(dirty) e WHERE e.received >= effect_parts.since
			AND (of_organisation IS NULL OR e.organisation = of_organisation))
	SELECT k.by, k.key, sum(x.sign), sum(x.sign) FILTER (WHERE x.warned), sum(x.sign) FILTER (WHERE x.gone_7), sum(x.sign) FILTER (WHERE x.gone_30),
			sum(x.sign) FILTER (WHERE x.relapsed)
		FROM signed x CROSS JOIN LATERAL (VALUES (per, CASE per WHEN 'identifier' THEN x.what ELSE x.organisation::text END), ('all', '0')) AS k(by, key)
		GROUP BY k.by, k.key;
END $$;

-- {by, since, org, limit, cursor}. What was told counts from the first mail that was sent.
CREATE OR REPLACE FUNCTION desk_notice_effect(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	per text := coalesce(p ->> 'by', 'organisation');
	since timestamptz := coalesce((p ->> 'since')::timestamptz, now() - interval '30 days');
	most int := least(coalesce((p ->> 'limit')::int, 50), 1000);
	past int := greatest(coalesce((p ->> 'cursor')::int, 0), 0);
	answer json;
BEGIN
	IF per NOT IN ('organisation', 'sector', 'identifier') THEN
		PERFORM rule_wrong('by: expected organisation, sector or identifier');
	END IF;
	WITH parts AS MATERIALIZED (SELECT * FROM effect_parts(CASE per WHEN 'identifier' THEN per ELSE 'organisation' END, since,
			CASE WHEN p ? 'org' THEN coalesce((SELECT o.id FROM organisation o WHERE o.name = p ->> 'org'), -1) END)),
	sums AS (SELECT x.what, sum(x.seen) AS seen, sum(x.warned) AS warned, sum(x.gone_7) AS gone_7, sum(x.gone_30) AS gone_30, sum(x.relapsed) AS relapsed
		FROM (SELECT CASE per WHEN 'identifier' THEN t.key WHEN 'sector' THEN coalesce(g.sector, '') ELSE coalesce(g.name, '') END AS what, t.*
			FROM parts t LEFT JOIN organisation g ON g.id = CASE per WHEN 'identifier' THEN NULL ELSE t.key::int END WHERE t.by <> 'all') x
		GROUP BY x.what HAVING sum(x.seen) > 0),
	page AS MATERIALIZED (SELECT s.*, row_number() OVER (ORDER BY s.seen DESC, s.what) AS n FROM sums s ORDER BY s.seen DESC, s.what
		OFFSET past LIMIT most + 1)
	SELECT json_build_object('by', per, 'since', stamp(since),
		'items', (SELECT coalesce(json_agg(json_build_object('what', CASE WHEN s.what = '' THEN '-' ELSE s.what END, 'seen', s.seen,
			'warned', coalesce(s.warned, 0), 'gone_7', coalesce(s.gone_7, 0), 'gone_30', coalesce(s.gone_30, 0), 'relapsed', coalesce(s.relapsed, 0),
			'share', CASE WHEN s.warned > 0 THEN round(100.0 * coalesce(s.gone_30, 0) / s.warned) || ' %' END) ORDER BY s.n), '[]')
			FROM page s WHERE s.n <= past + most),
		'next', CASE WHEN (SELECT count(*) FROM page) > most THEN (past + most)::text END,
		'total', (SELECT json_build_object('seen', coalesce(sum(t.seen), 0), 'warned', coalesce(sum(t.warned), 0), 'gone_7', coalesce(sum(t.gone_7), 0),
			'gone_30', coalesce(sum(t.gone_30), 0), 'relapsed', coalesce(sum(t.relapsed), 0)) FROM parts t WHERE t.by = 'all')) INTO answer;
	RETURN answer;
END $$;

REVOKE ALL ON FUNCTION effect_changed, effect_linked, effect_retired, effect_now, effect_add, keeper_effect, effect_parts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keeper_effect TO cirt_keeper;
GRANT EXECUTE ON FUNCTION effect_now, effect_parts TO cirt_desk;
GRANT SELECT ON effect_live, effect_row, effect_window, effect_sum, effect_dirty TO cirt_desk;
