-- What the desk asks for costs what its page holds, however much lies beside it.
SET LOCAL search_path = cirt, pg_temp;

-- What a search looks up: daemon/model/observable.h.
CREATE FUNCTION search_key(kind text, value text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT ('x' || encode(substr(sha256(convert_to(kind, 'UTF8') || '\x00' || convert_to(value, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint
$$;

-- As before. The same host is looked up by the hosts' own keys: those of their networks and of what it is called lead to every report there.
-- The bound is asked for once: within the query it is, for each row.
CREATE OR REPLACE FUNCTION inbox_case(r report, p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	hit record;
	hosts text[];
	host_keys bigint[];
	since bigint := report_since(now() - interval '14 days');
BEGIN
	SELECT c.number INTO hit FROM letter_guess g JOIN cases c ON c.id = case_now(g.case_id)
		WHERE g.report = r.id AND inbox_takes(c, p) ORDER BY c.id DESC LIMIT 1;
	IF FOUND THEN
		RETURN inbox_says('link', 'probably its thread', hit.number);
	END IF;
	SELECT c.number, l.score INTO hit FROM (SELECT x.b AS other, x.score FROM report_link x WHERE x.a = r.id AND x.kind = 'similar'
			UNION ALL SELECT x.a, x.score FROM report_link x WHERE x.b = r.id AND x.kind = 'similar') l
		JOIN case_report cr ON cr.report = l.other AND cr.ended IS NULL
		JOIN cases c ON c.id = cr.case_id WHERE c.exercise = r.exercise AND inbox_takes(c, p) ORDER BY l.score DESC, c.id DESC LIMIT 1;
	IF FOUND THEN
		RETURN inbox_says('link', format('same kit, %s %%', round(hit.score * 100)), hit.number);
	END IF;
	SELECT c.number INTO hit FROM case_report cr JOIN cases c ON c.id = cr.case_id
		WHERE cr.report = r.previous AND cr.ended IS NULL AND c.exercise = r.exercise AND inbox_takes(c, p);
	IF FOUND THEN
		RETURN inbox_says('link', 'seen again', hit.number);
	END IF;
	SELECT array_agg(o), array_agg(search_key(kind, substr(o, length(kind) + length(split_part(o, ' ', 2)) + 3))) INTO hosts, host_keys
		FROM (SELECT o, split_part(o, ' ', 1) AS kind FROM unnest(r.observables) AS o WHERE split_part(o, ' ', 1) IN ('ip', 'name', 'url')
			AND split_part(o, ' ', 2) <> 'reporter' LIMIT 20) h;
	IF cardinality(hosts) > 0 THEN
		WITH near AS MATERIALIZED (SELECT t.id, t.observables FROM report t WHERE t.keys && host_keys AND t.id >= since
			AND t.id <> r.id AND t.exercise = r.exercise AND t.observables && hosts LIMIT 200)
		SELECT c.number, substr(o.o, length(split_part(o.o, ' ', 1)) + length(split_part(o.o, ' ', 2)) + 3) AS host INTO hit
			FROM near t CROSS JOIN LATERAL (SELECT o FROM unnest(t.observables) AS o WHERE o = ANY (hosts) LIMIT 1) o
			JOIN case_report cr ON cr.report = t.id AND cr.ended IS NULL JOIN cases c ON c.id = cr.case_id AND inbox_takes(c, p)
			ORDER BY c.id DESC LIMIT 1;
		IF FOUND THEN
			RETURN inbox_says('link', 'same host ' || left(hit.host, 80), hit.number);
		END IF;
	END IF;
	RETURN NULL;
END $$;

-- As before. The view is asked for each row of the page: joined with it, it is made of all reports first.
CREATE OR REPLACE FUNCTION desk_inbox_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	l inbox_line := inbox_named(p);
	most int := least(coalesce((p ->> 'limit')::int, 20), 200);
BEGIN
	RETURN (inbox_line_json(l, inbox_count(l), p) || jsonb_build_object(
		'organisations', (SELECT coalesce(jsonb_agg(jsonb_build_object('organisation', coalesce(o.name, '-'), 'n', w.n) ORDER BY w.n DESC, o.name), '[]')
			FROM (SELECT * FROM inbox_whose x WHERE x.line = l.id AND x.n > 0 ORDER BY x.n DESC LIMIT 20) w LEFT JOIN organisation o ON o.id = w.organisation),
		'text', (SELECT left(r.text, 4000) FROM inbox i JOIN report r ON r.id = i.report WHERE i.line = l.id ORDER BY i.report DESC LIMIT 1),
		'items', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', v.number, 'severity', v.severity_name, 'received', stamp(v.received), 'count', v.count,
			'organisation', v.organisation, 'title', v.title) ORDER BY v.id DESC), '[]')
			FROM (SELECT i.report FROM inbox i WHERE i.line = l.id ORDER BY i.report DESC LIMIT most) i
				CROSS JOIN LATERAL (SELECT * FROM report_view w WHERE w.id = i.report OFFSET 0) v)))::json;
END $$;

CREATE INDEX organisation_kind ON organisation (kind);
CREATE INDEX organisation_sector ON organisation (lower(sector)) WHERE sector <> '';

-- All of a group, each once: the same as groups_of() says of each.
CREATE FUNCTION group_members(g organisation_group) RETURNS SETOF int LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT m.organisation FROM organisation_group_member m WHERE m."group" = g.id
	UNION SELECT o.id FROM organisation o WHERE o.kind = g.kind
	UNION SELECT o.id FROM organisation o WHERE g.sector <> '' AND o.sector <> '' AND lower(o.sector) = lower(g.sector)
$$;

CREATE OR REPLACE FUNCTION group_json(g organisation_group) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('name', g.name, 'title', g.title, 'sector', g.sector, 'kind', g.kind,
		'named', (SELECT count(*) FROM organisation_group_member m WHERE m."group" = g.id),
		'members', (SELECT count(*) FROM group_members(g)))
$$;

CREATE OR REPLACE FUNCTION group_show(f jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT group_json(g) || jsonb_build_object('organisations', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', o.name, 'kind', o.kind,
			'sector', o.sector, 'by', CASE WHEN EXISTS (SELECT 1 FROM organisation_group_member m WHERE m."group" = g.id AND m.organisation = o.id)
				THEN 'name' WHEN g.kind = o.kind THEN 'kind' ELSE 'sector' END) ORDER BY o.name), '[]')
		FROM group_members(g) AS of_group JOIN organisation o ON o.id = of_group))
	FROM organisation_group g WHERE g.id = group_named(f ->> 'name')
$$;

-- As before, its bound asked for once and for both tables.
CREATE OR REPLACE FUNCTION desk_notice_effect(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	per text := coalesce(p ->> 'by', 'organisation');
	since timestamptz := coalesce((p ->> 'since')::timestamptz, now() - interval '30 days');
	since_id bigint := report_since(since);
	answer json;
BEGIN
	IF per NOT IN ('organisation', 'sector', 'identifier') THEN
		PERFORM rule_wrong('by: expected organisation, sector or identifier');
	END IF;
	WITH rows AS (SELECT CASE per WHEN 'organisation' THEN coalesce(g.name, '') WHEN 'sector' THEN coalesce(g.sector, '')
				ELSE coalesce(nullif(r.identifier, ''), r.type::text) END AS what,
			w.first_told, w.relapses > 0 OR EXISTS (SELECT 1 FROM report_link l WHERE l.b = r.id AND l.kind = 'relapse') AS relapsed,
			coalesce(w.gone, st.gone_at) AS gone
		FROM report r JOIN warning w ON w.report = r.id LEFT JOIN report_status st ON st.report = r.id
			LEFT JOIN organisation g ON g.id = coalesce(st.organisation, r.organisation)
		WHERE r.id >= since_id AND w.report >= since_id AND r.received >= since AND r.exercise = 0 AND r.type <> 'test'
			AND st.state IS DISTINCT FROM 'rejected' AND w.continued IS NULL
			AND (NOT p ? 'org' OR g.name = p ->> 'org')),
	sums AS (SELECT what, count(*) AS seen, count(first_told) AS warned,
			count(*) FILTER (WHERE gone <= first_told + interval '7 days') AS gone_7,
			count(*) FILTER (WHERE gone <= first_told + interval '30 days') AS gone_30,
			count(*) FILTER (WHERE first_told IS NOT NULL AND relapsed) AS relapsed
		FROM rows GROUP BY GROUPING SETS ((what), ()))
	SELECT json_build_object('by', per, 'since', stamp(since),
		'items', (SELECT coalesce(json_agg(json_build_object('what', CASE WHEN s.what = '' THEN '-' ELSE s.what END, 'seen', s.seen, 'warned', s.warned,
			'gone_7', s.gone_7, 'gone_30', s.gone_30, 'relapsed', s.relapsed, 'share', CASE WHEN s.warned > 0 THEN round(100.0 * s.gone_30 / s.warned) || ' %' END)
			ORDER BY s.seen DESC, s.what), '[]') FROM sums s WHERE s.what IS NOT NULL),
		'total', (SELECT json_build_object('seen', s.seen, 'warned', s.warned, 'gone_7', s.gone_7, 'gone_30', s.gone_30, 'relapsed', s.relapsed)
			FROM sums s WHERE s.what IS NULL)) INTO answer;
	RETURN answer;
END $$;

REVOKE ALL ON FUNCTION search_key, group_members FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_key, group_members TO cirt_desk;
