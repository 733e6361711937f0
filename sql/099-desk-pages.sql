-- What the inbox shows costs what its page holds, and what it suggests of feeds is asked of the rules once.
SET LOCAL search_path = cirt, pg_temp;

-- ---- the inbox ----

-- A page of lines: of each rank as many as it reaches, in the order of an index.
CREATE FUNCTION inbox_page(ranks smallint[], of_source int, past int, most int) RETURNS SETOF inbox_line
LANGUAGE sql STABLE ROWS 50 SET search_path = cirt, pg_temp AS $$
	SELECT x.* FROM unnest(ranks) AS k(rank), LATERAL (
		(SELECT l.* FROM inbox_line l WHERE of_source IS NULL AND l.n > 0 AND l.rank = k.rank
			ORDER BY l.severity DESC, l.newest DESC LIMIT past + most)
		UNION ALL (SELECT l.* FROM inbox_line l WHERE l.source = of_source AND l.n > 0 AND l.rank = k.rank
			ORDER BY l.severity DESC, l.newest DESC LIMIT past + most)) x
	ORDER BY x.rank, x.severity DESC, x.newest DESC OFFSET past LIMIT most
$$;

-- How the rules of notices stand to each of these: as they were decided, else as they are now.
CREATE FUNCTION inbox_ruled(ids bigint[]) RETURNS TABLE (report bigint, says jsonb) LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH decided AS MATERIALIZED (SELECT v.report, v.outcome, v.why, v.rule, v.repeat FROM warning v WHERE v.report = ANY (ids)),
	open AS (SELECT array_agg(i) AS ids FROM unnest(ids) AS i WHERE NOT EXISTS (SELECT 1 FROM decided d WHERE d.report = i)),
	stands AS (SELECT * FROM decided UNION ALL (SELECT DISTINCT ON (x.report) x.report, x.outcome, x.why, x.rule, x.repeat
		FROM open o, notice_plan(o.ids, false, false, now()) x WHERE o.ids IS NOT NULL ORDER BY x.report, x.outcome))
	SELECT w.report, CASE w.outcome
		WHEN 'waiting' THEN inbox_says('notice', r.rule) WHEN 'told' THEN inbox_says('notice', r.rule || ', told before')
		WHEN 'not-ours' THEN inbox_says('reject', w.why, NULL, 'not-ours')
		WHEN 'asks-permission' THEN inbox_says(NULL, 'its source has to allow it: cirt tlp ask ' || report_number(w.report))
		WHEN 'no-contact' THEN inbox_says(NULL, 'nobody to tell: cirt contact new')
		ELSE inbox_says(NULL, w.why) END
	FROM stands w CROSS JOIN LATERAL (SELECT coalesce('rule ' || (SELECT n.name FROM notify_rule n WHERE n.id = w.rule), 'by the rules')
		|| coalesce(', ' || (extract(epoch FROM w.repeat) / 86400)::int || ' d', '') AS rule) r
$$;

DROP FUNCTION inbox_notice(bigint);
DROP FUNCTION inbox_suggest(inbox_line, report, jsonb);
DROP FUNCTION inbox_line_json(inbox_line, bigint, jsonb);

-- ruled: {report: what inbox_ruled() says}, where a page has asked for all of its lines.
CREATE FUNCTION inbox_suggest(l inbox_line, r report, p jsonb, ruled jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	says jsonb;
	w organisation;
BEGIN
	IF r.type IN ('spam', 'test') THEN
		RETURN inbox_says('reject', 'it says so itself', NULL, r.type::text);
	END IF;
	IF l.rank < 2 THEN
		says := inbox_case(r, p);
		IF says IS NOT NULL THEN
			RETURN says;
		END IF;
		SELECT * INTO w FROM organisation o WHERE o.id = l.owner;
	END IF;
	IF l.rank = 1 THEN
		RETURN inbox_says('open', concat_ws(' + ', CASE WHEN w.kind = 'government' THEN 'government' WHEN w.criticality = 'critical' THEN 'critical' END,
			CASE WHEN rsit_class(r.type) IN ('intrusions', 'malicious-code') THEN 'compromised' END,
			CASE WHEN l.severity >= 80 THEN 'severity critical' END));
	ELSIF l.rank = 0 THEN
		RETURN CASE WHEN w.id IS NOT NULL THEN inbox_says('open', 'names ' || w.name) ELSE inbox_says(NULL, '') END;
	END IF;
	RETURN coalesce(ruled -> r.id::text, (SELECT x.says FROM inbox_ruled(ARRAY[r.id]) x));
END $$;

-- By the newest that whoever asks may read.
CREATE FUNCTION inbox_line_json(l inbox_line, now_n bigint, p jsonb, ruled jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	r report;
	first_at timestamptz;
BEGIN
	SELECT t.* INTO r FROM (SELECT i.report FROM inbox i WHERE i.line = l.id ORDER BY i.report DESC LIMIT 1000) i
		CROSS JOIN LATERAL (SELECT * FROM report x WHERE x.id = i.report OFFSET 0) t
		WHERE report_may_see(t.id, t.tlp, p ->> 'operator', p ->> 'role') ORDER BY i.report DESC LIMIT 1;
	IF r.id IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT t.received INTO first_at FROM inbox i JOIN report t ON t.id = i.report WHERE i.line = l.id ORDER BY i.report LIMIT 1;
	RETURN jsonb_build_object('group', l.id, 'n', now_n, 'people', l.rank = 0, 'source', (SELECT x.name FROM source x WHERE x.id = l.source),
		'type', l.type, 'identifier', nullif(l.identifier, ''), 'severity', severity_name(nullif(l.severity, -1)), 'tlp', r.tlp,
		'exercise', (SELECT nullif(e.name, '') FROM exercise e WHERE e.id = l.exercise), 'newest', report_number(r.id), 'upto', r.id::text,
		'first', stamp(first_at), 'last', stamp(r.received),
		'what', CASE WHEN l.rank = 0 THEN CASE r.type WHEN 'undetermined' THEN '' ELSE r.type || ' ' END
				|| (SELECT CASE x.kind WHEN 'mailbox' THEN 'mail' ELSE coalesce(nullif(split_part(r.sender_id, ' ', 1), ''), 'by hand') END
					FROM source x WHERE x.id = l.source) || coalesce(' "' || nullif(left(r.title, 200), '') || '"', '')
			ELSE l.type || coalesce('/' || nullif(l.identifier, ''), '') END || CASE WHEN l.severity >= 60 THEN ' · ' || upper(severity_name(l.severity))
				ELSE '' END || CASE WHEN r.tlp >= 'amber+strict' THEN ' · TLP:' || upper(r.tlp::text) ELSE '' END,
		'whose', coalesce((SELECT o.name FROM organisation o WHERE o.id = l.owner), CASE WHEN l.organisations > 1 THEN l.organisations || ' organisations'
			ELSE (SELECT o.name FROM inbox_whose w JOIN organisation o ON o.id = w.organisation WHERE w.line = l.id AND w.n > 0 LIMIT 1) END),
		'from', nullif(observable_first(r.observables, '{email}', '{reporter}'), ''),
		'suggested', inbox_suggest(l, r, p, ruled));
END $$;

CREATE OR REPLACE FUNCTION desk_inbox(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := least(coalesce((p ->> 'limit')::int, 50), 200);
	past int := greatest(coalesce((p ->> 'cursor')::int, 0), 0);
	of_source int;
	ranks smallint[] := CASE p ->> 'what' WHEN 'people' THEN '{0}' WHEN 'feeds' THEN '{1,2}' WHEN 'grave' THEN '{1}' ELSE '{0,1,2}' END;
	lines inbox_line[];
	ruled jsonb;
	items jsonb;
BEGIN
	IF coalesce(p ->> 'what', 'people') NOT IN ('people', 'feeds', 'grave') THEN
		SELECT s.id INTO of_source FROM source s WHERE s.name = p ->> 'what';
		IF NOT FOUND THEN
			RAISE EXCEPTION 'the inbox is narrowed by people, feeds, grave or a source; "%" is none', left(p ->> 'what', 64)
				USING ERRCODE = 'no_data_found';
		END IF;
	END IF;
	lines := ARRAY(SELECT l FROM inbox_page(ranks, of_source, past, most + 1) l);
	SELECT jsonb_object_agg(x.report, x.says) INTO ruled FROM inbox_ruled(ARRAY(SELECT (SELECT max(i.report) FROM inbox i WHERE i.line = l.id)
		FROM unnest(lines[:most]) AS l WHERE l.rank = 2 AND l.type NOT IN ('spam', 'test'))) x;
	SELECT jsonb_agg(inbox_line_json(l, c.n, p, coalesce(ruled, '{}')) ORDER BY l.rank, l.severity DESC, l.newest DESC) INTO items
		FROM unnest(lines[:most]) AS l CROSS JOIN LATERAL (SELECT inbox_count(l) AS n OFFSET 0) c WHERE c.n > 0;
	RETURN json_build_object('items', coalesce((SELECT jsonb_agg(i ORDER BY o) FROM jsonb_array_elements(items) WITH ORDINALITY AS u(i, o)
			WHERE i <> 'null'), '[]'), 'next', CASE WHEN cardinality(lines) > most THEN (past + most)::text END,
		'lines', (SELECT count(*) FROM inbox_page(ranks, of_source, 0, 1000)),
		'pending', (SELECT coalesce(sum(cardinality(a.reports)), 0) FROM (SELECT b.reports FROM inbox_arrival b WHERE b.sorted IS NULL LIMIT 1000) a));
END $$;

REVOKE ALL ON FUNCTION inbox_page, inbox_ruled, inbox_suggest, inbox_line_json FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inbox_page, inbox_ruled, inbox_suggest, inbox_line_json TO cirt_desk;

-- ---- since when ----

-- The least id of each hour: what has come since a time is asked of the minutes of one hour and of the hours behind it.
CREATE TABLE arrival_hour (
	month int NOT NULL,
	hour timestamptz NOT NULL,
	first_id bigint NOT NULL,
	PRIMARY KEY (month, hour)
);
INSERT INTO arrival_hour SELECT month, date_trunc('hour', minute, 'UTC'), min(first_id) FROM arrival GROUP BY 1, 2;

-- Owner's rights: nobody else writes here. Whoever comes first in an hour has the least id nearly always, so that batches that land
-- at once do not wait for each other.
CREATE FUNCTION arrival_hours() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO arrival_hour AS h SELECT n.month, date_trunc('hour', n.minute, 'UTC'), min(n.first_id) FROM new_rows n
		WHERE NOT EXISTS (SELECT FROM arrival_hour o WHERE o.month = n.month AND o.hour = date_trunc('hour', n.minute, 'UTC')
			AND o.first_id <= n.first_id)
		GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (month, hour) DO UPDATE SET first_id = least(h.first_id, excluded.first_id);
	RETURN NULL;
END $$;
CREATE TRIGGER arrival_hours_new AFTER INSERT ON arrival REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION arrival_hours();
CREATE TRIGGER arrival_hours_less AFTER UPDATE ON arrival REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION arrival_hours();

CREATE FUNCTION arrival_hours_gone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	DELETE FROM arrival_hour h USING (SELECT DISTINCT o.month FROM old_rows o) m
		WHERE h.month = m.month AND NOT EXISTS (SELECT FROM arrival a WHERE a.month = h.month);
	RETURN NULL;
END $$;
CREATE TRIGGER arrival_hours_gone AFTER DELETE ON arrival REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION arrival_hours_gone();

CREATE OR REPLACE FUNCTION report_since(since timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	of_month int := to_char(timezone('UTC', since), 'YYYYMM');
	from_minute timestamptz := date_trunc('minute', since);
	next_hour timestamptz := date_trunc('hour', since, 'UTC') + interval '1 hour';
BEGIN
	RETURN coalesce(least((SELECT min(a.first_id) FROM arrival a WHERE a.month = of_month AND a.minute >= from_minute AND a.minute < next_hour),
			(SELECT min(h.first_id) FROM arrival_hour h WHERE h.month = of_month AND h.hour >= next_hour)),
		CASE WHEN since > now() - interval '1 minute' THEN of_month ELSE of_month + 1 END * 10000000000);
END $$;

-- ---- rules, operators, groups ----

CREATE INDEX warning_rule ON warning (rule, report) WHERE rule IS NOT NULL;
CREATE INDEX cases_assigned_open ON cases (assignee, id) WHERE assignee IS NOT NULL AND state NOT IN ('closed', 'rejected', 'merged');

-- How many reports it held for within 7 days, counted as far as `most`: `more` says that there are more.
CREATE OR REPLACE FUNCTION desk_rule_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	r notify_rule := rule_named(p ->> 'rule', p ? 'draft');
	since bigint := report_since(now() - interval '7 days');
	most CONSTANT int := 1000;
	n int := (SELECT count(*) FROM (SELECT FROM warning w WHERE w.rule = r.id AND w.report >= since LIMIT most + 1) c);
BEGIN
	RETURN (rule_json(r)::jsonb || jsonb_build_object('reports', least(n, most), 'more', n > most, 'hides', rule_hides(r)))::json;
END $$;

-- A page of its organisations, by name.
CREATE OR REPLACE FUNCTION group_show(f jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	g organisation_group := (SELECT x FROM organisation_group x WHERE x.id = group_named(f ->> 'name'));
	most int := page_limit(f);
	behind text := coalesce((SELECT o.name FROM organisation o WHERE o.id = (f ->> 'cursor')::int), '');
	page organisation[] := ARRAY(SELECT o FROM group_members(g) AS m JOIN organisation o ON o.id = m WHERE o.name > behind
		ORDER BY o.name LIMIT most + 1);
BEGIN
	RETURN group_json(g) || jsonb_build_object('organisations', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', o.name, 'kind', o.kind,
			'sector', o.sector, 'by', CASE WHEN EXISTS (SELECT 1 FROM organisation_group_member m WHERE m."group" = g.id AND m.organisation = o.id)
				THEN 'name' WHEN g.kind = o.kind THEN 'kind' ELSE 'sector' END) ORDER BY o.name), '[]')
		FROM unnest(page[:most]) AS o), 'next', CASE WHEN cardinality(page) > most THEN page[most].id::text END);
END $$;

REVOKE ALL ON FUNCTION arrival_hours, arrival_hours_gone FROM PUBLIC;
