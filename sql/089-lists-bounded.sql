-- Lists that took their time from all that is there take it from the page.
SET LOCAL search_path = cirt, pg_temp;

-- By its beginning, through the index: LIKE of what is not known when the plan is made reads every reference.
CREATE OR REPLACE FUNCTION desk_ref_find(p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	word text := lower(btrim(said_words(p, 'value', 'a reference', 1000)));
BEGIN
	RETURN (SELECT jsonb_build_object('items', coalesce(jsonb_agg(reference_json(r) ORDER BY r.case_id DESC, r.id), '[]'), 'next', NULL)
		FROM (SELECT o.* FROM reference o WHERE lower(o.value) ~>=~ word AND lower(o.value) ~<~ (word || chr(1114111)) AND case_visible(o.case_id, p)
			ORDER BY o.case_id DESC LIMIT coalesce((p ->> 'limit')::int, 50)) r);
END $$;

CREATE INDEX clock_extended ON clock (due) WHERE ended IS NULL AND paused IS NULL AND breached IS NOT NULL;
CREATE INDEX clock_paused ON clock (due, id) WHERE ended IS NULL AND paused IS NOT NULL;

-- What runs and is due first, what waits, what is paused: of each as many as the page reaches, in the order of an index.
CREATE FUNCTION clock_open_page(p jsonb, horizon timestamptz, many bigint) RETURNS TABLE (at timestamptz, stands boolean, id bigint, wait bigint)
LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	(SELECT k.due, false, k.id, NULL::bigint FROM clock k WHERE k.ended IS NULL AND k.paused IS NULL
		AND k.due <= least(coalesce(horizon, 'infinity'), CASE WHEN p ? 'breached' THEN now() ELSE 'infinity' END)
		AND case_shown(k.case_id, p) ORDER BY k.due LIMIT many)
	UNION ALL (SELECT k.due, false, k.id, NULL FROM clock k WHERE p ? 'breached' AND k.ended IS NULL AND k.paused IS NULL
		AND k.breached IS NOT NULL AND k.due > now() AND k.due <= coalesce(horizon, 'infinity') AND case_shown(k.case_id, p)
		ORDER BY k.due LIMIT many)
	UNION ALL (SELECT w.until, false, NULL, w.id FROM case_wait w WHERE w.ended IS NULL AND NOT p ? 'breached'
		AND w.until <= coalesce(horizon, 'infinity') AND case_shown(w.case_id, p) ORDER BY w.until LIMIT many)
	UNION ALL (SELECT k.due, true, k.id, NULL FROM clock k WHERE k.ended IS NULL AND k.paused IS NOT NULL AND horizon IS NULL
		AND (NOT p ? 'breached' OR k.breached IS NOT NULL) AND case_shown(k.case_id, p) ORDER BY k.due, k.id LIMIT many)
$$;

CREATE OR REPLACE FUNCTION desk_clock_list(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := least(coalesce((p ->> 'limit')::int, 50), 1000);
	skip bigint := coalesce((p ->> 'cursor')::bigint, 0);
	horizon timestamptz := CASE WHEN p ->> 'next' <> '' THEN span_end(now(), p ->> 'next', 'exact', calendar_now()) END;
	of_cases bigint[] := CASE WHEN p ->> 'case' <> '' THEN case_whole(case_seen(p ->> 'case', p)) END;
	items json;
	more boolean;
BEGIN
	WITH rows AS (
		SELECT g.* FROM clock_open_page(p, horizon, skip + most + 1) g WHERE of_cases IS NULL AND NOT p ? 'all'
		UNION ALL SELECT k.due, k.paused IS NOT NULL, k.id, NULL::bigint FROM clock k
			WHERE (of_cases IS NOT NULL OR p ? 'all') AND (k.ended IS NULL OR p ? 'all') AND (horizon IS NULL OR k.due <= horizon AND k.paused IS NULL)
				AND (of_cases IS NULL OR k.case_id = ANY (of_cases)) AND case_shown(k.case_id, p)
				AND (NOT p ? 'breached' OR k.breached IS NOT NULL OR k.ended IS NULL AND k.paused IS NULL AND k.due <= now())
		UNION ALL SELECT w.until, false, NULL, w.id FROM case_wait w
			WHERE (of_cases IS NOT NULL OR p ? 'all') AND w.ended IS NULL AND NOT p ? 'breached' AND (horizon IS NULL OR w.until <= horizon)
				AND (of_cases IS NULL OR w.case_id = ANY (of_cases)) AND case_shown(w.case_id, p)),
	page AS MATERIALIZED (SELECT *, row_number() OVER (ORDER BY stands, at, id, wait) AS n FROM rows
		ORDER BY stands, at, id, wait OFFSET skip LIMIT most + 1)
	SELECT coalesce(json_agg(coalesce(clock_answer(g.id), wait_json(g.wait)) ORDER BY n) FILTER (WHERE n <= skip + most), '[]'), count(*) > most
		INTO items, more FROM page g;
	RETURN json_build_object('items', items, 'next', CASE WHEN more THEN (skip + most)::text END);
END $$;

REVOKE ALL ON FUNCTION clock_open_page FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clock_open_page TO cirt_desk;
