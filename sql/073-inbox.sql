-- The inbox: what is new, in lines that one act works on. A line is one source and one thing; of people's mail one subject and one
-- organisation; of what is grave one organisation. Counts are never taken from the reports: acts and landings add rows of differences,
-- which the keeper alone sums up.
SET LOCAL search_path = cirt, pg_temp;

-- New reports of one batch, written in its transaction.
CREATE TABLE inbox_arrival (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	reports bigint[] NOT NULL,
	sorted timestamptz                -- NULL: waits; else it is looked at once more, for what was no longer new meanwhile
);

CREATE TABLE inbox_line (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	exercise int NOT NULL,
	source int NOT NULL,
	type rsit_type NOT NULL,
	identifier text NOT NULL,         -- else the malware
	subject text NOT NULL,            -- of people's mail, without what differs between copies
	owner int NOT NULL,               -- organisation, where the line is one organisation's; else 0
	rank smallint NOT NULL,           -- 0 people, 1 grave, 2 the rest: the order of the inbox
	n bigint NOT NULL DEFAULT 0,      -- as the keeper summed it up last
	organisations int NOT NULL DEFAULT 0,
	severity smallint NOT NULL DEFAULT -1,
	newest bigint NOT NULL,           -- report
	touched timestamptz NOT NULL DEFAULT now(),
	UNIQUE (source, type, identifier, subject, owner, exercise, rank)
);
CREATE INDEX inbox_line_order ON inbox_line (rank, severity DESC, newest DESC) WHERE n > 0;
CREATE INDEX inbox_line_source ON inbox_line (source, rank, severity DESC, newest DESC) WHERE n > 0;
CREATE INDEX inbox_line_old ON inbox_line (touched) WHERE n <= 0;

CREATE TABLE inbox (
	report bigint PRIMARY KEY,
	line bigint NOT NULL REFERENCES inbox_line,
	organisation int NOT NULL
);
CREATE INDEX inbox_members ON inbox (line, report);

CREATE TABLE inbox_whose (
	line bigint NOT NULL REFERENCES inbox_line ON DELETE CASCADE,
	organisation int NOT NULL,
	n bigint NOT NULL,
	PRIMARY KEY (line, organisation)
);

-- What the sums do not hold yet.
CREATE TABLE inbox_delta (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	line bigint NOT NULL,
	organisation int NOT NULL,
	n bigint NOT NULL,
	severity smallint NOT NULL DEFAULT -1
);
CREATE INDEX inbox_delta_line ON inbox_delta (line);

-- A subject without answers' and lists' marks, tags and numbers: copies of one mail have one.
CREATE FUNCTION inbox_subject(title text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT left(btrim(regexp_replace(regexp_replace(lower(left(title, 400)), '^(\s*(re|aw|antw|fwd?|wg|tr|sv|vs|\[[^\]]{1,60}\])\s*:?\s*)+', ''),
		'[0-9]+', '#', 'g')), 120)
$$;

-- Where each of these belongs, if it is new.
CREATE FUNCTION inbox_place(ids bigint[]) RETURNS TABLE (report bigint, exercise int, source int, type rsit_type, identifier text,
	subject text, owner int, rank smallint, organisation int, severity smallint)
LANGUAGE sql STABLE ROWS 1000 SET search_path = cirt, pg_temp AS $$
	SELECT r.id, r.exercise, r.source, r.type, left(coalesce(nullif(r.identifier, ''), r.malware), 200),
		CASE WHEN p.people THEN coalesce(nullif(inbox_subject(r.title), ''), r.id::text)
			|| coalesce((SELECT ' ~' || min(g.case_id) FROM letter_guess g WHERE g.report = r.id), '') ELSE '' END,
		CASE WHEN p.people OR g.grave THEN o.id ELSE 0 END, CASE WHEN p.people THEN 0 WHEN g.grave THEN 1 ELSE 2 END::smallint,
		o.id, coalesce(st.severity, r.severity, -1)
	FROM report r JOIN source s ON s.id = r.source LEFT JOIN report_status st ON st.report = r.id
		CROSS JOIN LATERAL (SELECT s.kind IN ('mailbox', 'desk') AND r.doc = '' AS people) p
		CROSS JOIN LATERAL (SELECT coalesce(st.organisation, r.organisation, 0) AS id) o
		LEFT JOIN organisation w ON w.id = o.id
		CROSS JOIN LATERAL (SELECT w.id IS NOT NULL AND (coalesce(st.severity, r.severity, -1) >= 80 OR (w.kind = 'government'
			OR w.criticality = 'critical') AND rsit_class(r.type) IN ('intrusions', 'malicious-code')) AS grave) g
	WHERE r.id = ANY (ids) AND coalesce(st.state, 'new') = 'new'
$$;

-- Owner's rights: nobody else writes here.
CREATE FUNCTION inbox_sort(ids bigint[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO inbox_line AS l (exercise, source, type, identifier, subject, owner, rank, severity, newest)
		SELECT p.exercise, p.source, p.type, p.identifier, p.subject, p.owner, p.rank, max(p.severity), max(p.report) FROM inbox_place(ids) p
		GROUP BY p.exercise, p.source, p.type, p.identifier, p.subject, p.owner, p.rank
		ORDER BY p.source, p.type, p.identifier, p.subject, p.owner, p.exercise, p.rank ON CONFLICT DO NOTHING;
	WITH put AS (INSERT INTO inbox (report, line, organisation) SELECT p.report, l.id, p.organisation FROM inbox_place(ids) p
			JOIN inbox_line l USING (exercise, source, type, identifier, subject, owner, rank) ORDER BY p.report
			ON CONFLICT DO NOTHING RETURNING *)
	INSERT INTO inbox_delta (line, organisation, n, severity) SELECT u.line, u.organisation, count(*), max(p.severity)
		FROM put u JOIN inbox_place(ids) p ON p.report = u.report GROUP BY u.line, u.organisation;
END $$;

CREATE FUNCTION inbox_leave(ids bigint[]) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	WITH gone AS (DELETE FROM inbox WHERE report = ANY (ids) RETURNING line, organisation)
	INSERT INTO inbox_delta (line, organisation, n) SELECT line, organisation, -count(*) FROM gone GROUP BY line, organisation
$$;

-- Whatever moves a report moves it here, in the same transaction.
CREATE FUNCTION inbox_moved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	gone bigint[];
	back bigint[];
	graver bigint[];
BEGIN
	IF TG_OP = 'INSERT' THEN
		SELECT array_agg(n.report) FILTER (WHERE n.state <> 'new' OR n.organisation IS NOT NULL),
			array_agg(n.report) FILTER (WHERE n.state = 'new' AND n.organisation IS NOT NULL),
			array_agg(n.report) FILTER (WHERE n.state = 'new' AND n.severity IS NOT NULL)
			INTO gone, back, graver FROM now_rows n WHERE n.state <> 'new' OR n.organisation IS NOT NULL OR n.severity IS NOT NULL;
	ELSE
		SELECT array_agg(n.report) FILTER (WHERE w.state = 'new' AND (n.state <> 'new' OR n.organisation IS DISTINCT FROM w.organisation)),
			array_agg(n.report) FILTER (WHERE n.state = 'new' AND (w.state <> 'new' OR n.organisation IS DISTINCT FROM w.organisation)),
			array_agg(n.report) FILTER (WHERE n.state = 'new' AND n.severity > coalesce(w.severity, -1))
			INTO gone, back, graver FROM now_rows n JOIN was_rows w ON w.report = n.report
			WHERE n.state <> w.state OR n.organisation IS DISTINCT FROM w.organisation OR n.severity IS DISTINCT FROM w.severity;
	END IF;
	IF gone IS NOT NULL THEN
		PERFORM inbox_leave(gone);
	END IF;
	IF back IS NOT NULL THEN
		PERFORM inbox_sort(back);
	END IF;
	IF graver IS NOT NULL THEN
		INSERT INTO inbox_delta (line, organisation, n, severity) SELECT i.line, i.organisation, 0, max(s.severity)
			FROM inbox i JOIN report_status s ON s.report = i.report WHERE i.report = ANY (graver) GROUP BY i.line, i.organisation;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER inbox_begins AFTER INSERT ON report_status REFERENCING NEW TABLE AS now_rows FOR EACH STATEMENT EXECUTE FUNCTION inbox_moved();
CREATE TRIGGER inbox_moves AFTER UPDATE ON report_status REFERENCING OLD TABLE AS was_rows NEW TABLE AS now_rows FOR EACH STATEMENT
	EXECUTE FUNCTION inbox_moved();

-- What is taken out of a fold is a new report.
CREATE FUNCTION inbox_unfolded() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO inbox_arrival (reports) VALUES (ARRAY[NEW.became]);
	RETURN NULL;
END $$;
CREATE TRIGGER inbox_unfolded AFTER INSERT ON fold_undo FOR EACH ROW EXECUTE FUNCTION inbox_unfolded();

-- All that is new, to be sorted by the keeper: where there were reports before there was an inbox.
CREATE FUNCTION inbox_refill() RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	INSERT INTO inbox_arrival (reports) SELECT array_agg(f.id) FROM (SELECT r.id, row_number() OVER (ORDER BY r.id) / 2000 AS batch
		FROM report r LEFT JOIN report_status st ON st.report = r.id WHERE coalesce(st.state, 'new') = 'new'
			AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.report = r.id)) f GROUP BY f.batch ORDER BY f.batch
$$;
SELECT inbox_refill();

-- ---- keeper ----

-- The sums. Nobody else writes them, so that no act waits for another.
CREATE FUNCTION inbox_settle() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	lines bigint[];
BEGIN
	WITH taken AS (DELETE FROM inbox_delta WHERE id IN (SELECT id FROM inbox_delta ORDER BY id LIMIT 20000) RETURNING line, organisation, n, severity),
		sums AS (SELECT line, organisation, sum(n) AS n, max(severity) AS severity FROM taken GROUP BY line, organisation),
		whose AS (INSERT INTO inbox_whose AS w SELECT line, organisation, n FROM sums ON CONFLICT (line, organisation)
			DO UPDATE SET n = w.n + excluded.n RETURNING line),
		moved AS (UPDATE inbox_line l SET n = l.n + s.n, severity = greatest(l.severity, s.severity), touched = now()
			FROM (SELECT line, sum(n) AS n, max(severity)::smallint AS severity FROM sums GROUP BY line) s WHERE l.id = s.line RETURNING l.id)
	SELECT array_agg(id) INTO lines FROM moved;
	DELETE FROM inbox_whose WHERE line = ANY (lines) AND n <= 0;
	UPDATE inbox_line l SET organisations = (SELECT count(*) FROM inbox_whose w WHERE w.line = l.id AND w.organisation <> 0),
			newest = coalesce((SELECT max(i.report) FROM inbox i WHERE i.line = l.id), l.newest) WHERE l.id = ANY (lines);
END $$;

CREATE FUNCTION keeper_inbox(most int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	arrivals bigint[];
	ids bigint[];
BEGIN
	SELECT array_agg(a.id) INTO arrivals FROM (SELECT b.id, sum(cardinality(b.reports)) OVER (ORDER BY b.id) - cardinality(b.reports) AS before
		FROM (SELECT c.id, c.reports FROM inbox_arrival c WHERE c.sorted IS NULL ORDER BY c.id LIMIT most) b) a WHERE a.before < most;
	IF arrivals IS NOT NULL THEN
		ids := ARRAY(SELECT r FROM inbox_arrival a, unnest(a.reports) AS r WHERE a.id = ANY (arrivals));
		PERFORM inbox_sort(ids);
		UPDATE inbox_arrival SET sorted = now() WHERE id = ANY (arrivals);
	END IF;
	-- A state that was set while one was sorted in did not find it here.
	WITH again AS (DELETE FROM inbox_arrival a WHERE a.sorted < now() - interval '10 seconds' RETURNING a.reports)
	SELECT array_agg(i.report) INTO ids FROM again, unnest(again.reports) AS r JOIN inbox i ON i.report = r
		JOIN report_status st ON st.report = r AND st.state <> 'new';
	PERFORM inbox_leave(ids);
	PERFORM inbox_leave(ARRAY(SELECT i.report FROM inbox i WHERE i.report < (SELECT min(c.lower) FROM report_chunk c) LIMIT 10000));
	PERFORM inbox_settle();
	DELETE FROM inbox_line l WHERE l.n <= 0 AND l.touched < now() - interval '30 days' AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.line = l.id);
	DELETE FROM act_report WHERE act IN (SELECT a.id FROM act a WHERE a.at < now() - act_keep() ORDER BY a.id LIMIT 100);
	RETURN coalesce(cardinality(arrivals), 0);
END $$;
CREATE INDEX inbox_arrival_waits ON inbox_arrival (id) WHERE sorted IS NULL;
CREATE INDEX inbox_arrival_sorted ON inbox_arrival (sorted) WHERE sorted IS NOT NULL;

GRANT INSERT ON inbox_arrival TO cirt_store;
GRANT SELECT ON inbox_arrival, inbox_line, inbox, inbox_whose, inbox_delta TO cirt_desk, cirt_keeper;
GRANT EXECUTE ON FUNCTION keeper_inbox TO cirt_keeper;

-- ---- what is suggested, and why ----

CREATE FUNCTION inbox_says(act text, why text, of_case text DEFAULT NULL, reason text DEFAULT NULL) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('act', act, 'case', of_case, 'reason', reason, 'why', why,
		'text', CASE WHEN act IS NULL THEN why ELSE act || coalesce(' ' || of_case, '') || coalesce(' ' || reason, '') || ' (' || why || ')' END))
$$;

-- A case that takes reports, and that whoever asks may see.
CREATE FUNCTION inbox_takes(c cases, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT c.state NOT IN ('closed', 'rejected', 'merged') AND (NOT c.restricted OR p ->> 'role' IN ('lead', 'admin')
		OR case_may_see(c.id, p ->> 'operator'))
$$;

-- The case that a report most probably belongs to: the thread, the same kit, what it is a relapse of, the same host.
CREATE FUNCTION inbox_case(r report, p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	hit record;
	hosts text[];
BEGIN
	SELECT c.number INTO hit FROM letter_guess g JOIN cases c ON c.id = case_now(g.case_id)
		WHERE g.report = r.id AND inbox_takes(c, p) ORDER BY c.id DESC LIMIT 1;
	IF FOUND THEN
		RETURN inbox_says('link', 'probably its thread', hit.number);
	END IF;
	SELECT c.number, l.score INTO hit FROM report_link l
		JOIN case_report cr ON cr.report = CASE WHEN l.a = r.id THEN l.b ELSE l.a END AND cr.ended IS NULL
		JOIN cases c ON c.id = cr.case_id WHERE r.id IN (l.a, l.b) AND l.kind = 'similar' AND c.exercise = r.exercise AND inbox_takes(c, p)
		ORDER BY l.score DESC, c.id DESC LIMIT 1;
	IF FOUND THEN
		RETURN inbox_says('link', format('same kit, %s %%', round(hit.score * 100)), hit.number);
	END IF;
	SELECT c.number INTO hit FROM case_report cr JOIN cases c ON c.id = cr.case_id
		WHERE cr.report = r.previous AND cr.ended IS NULL AND c.exercise = r.exercise AND inbox_takes(c, p);
	IF FOUND THEN
		RETURN inbox_says('link', 'seen again', hit.number);
	END IF;
	hosts := ARRAY(SELECT o FROM unnest(r.observables) AS o WHERE split_part(o, ' ', 1) IN ('ip', 'name', 'url') AND split_part(o, ' ', 2) <> 'reporter'
		LIMIT 20);
	IF cardinality(hosts) > 0 THEN
		SELECT c.number, substr(o.o, length(split_part(o.o, ' ', 1)) + length(split_part(o.o, ' ', 2)) + 3) AS host INTO hit
			FROM (SELECT t.id, t.observables FROM report t WHERE t.keys && r.keys AND t.id >= report_since(now() - interval '14 days') AND t.id <> r.id
				AND t.exercise = r.exercise AND t.observables && hosts LIMIT 200) t
			CROSS JOIN LATERAL (SELECT o FROM unnest(t.observables) AS o WHERE o = ANY (hosts) LIMIT 1) o
			JOIN case_report cr ON cr.report = t.id AND cr.ended IS NULL JOIN cases c ON c.id = cr.case_id AND inbox_takes(c, p)
			ORDER BY c.id DESC LIMIT 1;
		IF FOUND THEN
			RETURN inbox_says('link', 'same host ' || left(hit.host, 80), hit.number);
		END IF;
	END IF;
	RETURN NULL;
END $$;

-- How the rules of notices stand to it.
CREATE FUNCTION inbox_notice(of_report bigint) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	w record;
	rule text;
BEGIN
	SELECT v.outcome, v.why, v.rule, v.repeat INTO w FROM warning v WHERE v.report = of_report;
	IF NOT FOUND THEN
		SELECT x.outcome, x.why, x.rule, x.repeat INTO w FROM notice_plan(ARRAY[of_report], false, false, now()) x ORDER BY x.outcome LIMIT 1;
	END IF;
	rule := coalesce('rule ' || (SELECT n.name FROM notify_rule n WHERE n.id = w.rule), 'by the rules')
		|| coalesce(', ' || (extract(epoch FROM w.repeat) / 86400)::int || ' d', '');
	RETURN CASE w.outcome
		WHEN 'waiting' THEN inbox_says('notice', rule) WHEN 'told' THEN inbox_says('notice', rule || ', told before')
		WHEN 'not-ours' THEN inbox_says('reject', w.why, NULL, 'not-ours')
		WHEN 'asks-permission' THEN inbox_says(NULL, 'its source has to allow it: cirt tlp ask ' || report_number(of_report))
		WHEN 'no-contact' THEN inbox_says(NULL, 'nobody to tell: cirt contact new')
		ELSE inbox_says(NULL, w.why) END;
END $$;

CREATE FUNCTION inbox_suggest(l inbox_line, r report, p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
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
	RETURN inbox_notice(r.id);
END $$;

-- ---- the list ----

CREATE FUNCTION inbox_line_json(l inbox_line, now_n bigint, p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	r report;
	first_at timestamptz;
	s source;
BEGIN
	SELECT t.* INTO r FROM inbox i JOIN report t ON t.id = i.report WHERE i.line = l.id ORDER BY i.report DESC LIMIT 1;
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
		'suggested', inbox_suggest(l, r, p));
END $$;

-- How many a line has now: the sum, and what has changed since.
CREATE FUNCTION inbox_count(l inbox_line) RETURNS bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT l.n + coalesce((SELECT sum(d.n) FROM inbox_delta d WHERE d.line = l.id), 0)::bigint
$$;

-- {what: people, feeds, or a source; limit, cursor: how many lines to leave out}
CREATE FUNCTION desk_inbox(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	most int := least(coalesce((p ->> 'limit')::int, 50), 200);
	past int := greatest(coalesce((p ->> 'cursor')::int, 0), 0);
	of_source int;
	ranks smallint[] := CASE p ->> 'what' WHEN 'people' THEN '{0}' WHEN 'feeds' THEN '{1,2}' WHEN 'grave' THEN '{1}' ELSE '{0,1,2}' END;
	items jsonb;
	n int;
BEGIN
	IF coalesce(p ->> 'what', 'people') NOT IN ('people', 'feeds', 'grave') THEN
		SELECT s.id INTO of_source FROM source s WHERE s.name = p ->> 'what';
		IF NOT FOUND THEN
			RAISE EXCEPTION 'the inbox is narrowed by people, feeds, grave or a source; "%" is none', left(p ->> 'what', 64)
				USING ERRCODE = 'no_data_found';
		END IF;
	END IF;
	WITH lines AS MATERIALIZED (SELECT l FROM inbox_line l WHERE l.n > 0 AND l.rank = ANY (ranks) AND (of_source IS NULL OR l.source = of_source)
			ORDER BY l.rank, l.severity DESC, l.newest DESC OFFSET past LIMIT most + 1)
	SELECT count(*), jsonb_agg(inbox_line_json(s.l, s.now_n, p) ORDER BY (s.l).rank, (s.l).severity DESC, (s.l).newest DESC)
			FILTER (WHERE s.at <= most AND s.now_n > 0)
		INTO n, items FROM (SELECT x.l, inbox_count(x.l) AS now_n, row_number() OVER (ORDER BY (x.l).rank, (x.l).severity DESC, (x.l).newest DESC) AS at
			FROM lines x) s;
	RETURN json_build_object('items', coalesce((SELECT jsonb_agg(i ORDER BY o) FROM jsonb_array_elements(items) WITH ORDINALITY AS u(i, o)
			WHERE i <> 'null'), '[]'), 'next', CASE WHEN n > most THEN (past + most)::text END,
		'lines', (SELECT count(*) FROM (SELECT FROM inbox_line l WHERE l.n > 0 AND l.rank = ANY (ranks) AND (of_source IS NULL OR l.source = of_source)
			LIMIT 1000) c),
		'pending', (SELECT coalesce(sum(cardinality(a.reports)), 0) FROM (SELECT b.reports FROM inbox_arrival b WHERE b.sorted IS NULL LIMIT 1000) a));
END $$;

CREATE FUNCTION inbox_named(p jsonb) RETURNS inbox_line LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	l inbox_line;
BEGIN
	IF coalesce(p ->> 'group', '') !~ '^[0-9]{1,18}$' THEN
		PERFORM said_wrong('a line of the inbox is known by its number: cirt inbox');
	END IF;
	SELECT * INTO l FROM inbox_line x WHERE x.id = (p ->> 'group')::bigint;
	IF l.id IS NULL OR NOT EXISTS (SELECT 1 FROM inbox i WHERE i.line = l.id) THEN
		RAISE EXCEPTION 'there is nothing new in line % of the inbox: cirt inbox', p ->> 'group' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN l;
END $$;

CREATE FUNCTION desk_inbox_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
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
			FROM (SELECT i.report FROM inbox i WHERE i.line = l.id ORDER BY i.report DESC LIMIT most) i JOIN report_view v ON v.id = i.report)))::json;
END $$;

-- ---- acts on a line ----

-- As before, and all of a line; upto: nothing that came after the list that somebody looks at.
CREATE OR REPLACE FUNCTION report_meant(p jsonb, states report_state[]) RETURNS bigint[] LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT DISTINCT value::bigint FROM jsonb_array_elements_text(coalesce(p -> 'reports', '[]')) ORDER BY 1);
	missing bigint;
	of_organisation int;
BEGIN
	IF report_filters(p) = (cardinality(ids) > 0) THEN
		PERFORM said_wrong('name reports, or say which by --source, --type, --identifier, --org, --since, --state or --severity');
	ELSIF cardinality(ids) > 0 THEN
		SELECT i INTO missing FROM unnest(ids) AS i WHERE NOT EXISTS (SELECT 1 FROM report r WHERE r.id = i) LIMIT 1;
		IF missing IS NOT NULL THEN
			RAISE EXCEPTION 'there is no report %', report_number(missing) USING ERRCODE = 'no_data_found';
		END IF;
		RETURN ids;
	END IF;
	IF p ? 'group' THEN
		of_organisation := CASE p ->> 'org' WHEN '-' THEN 0 ELSE CASE WHEN p ? 'org' THEN org_named(p ->> 'org') END END;
		ids := ARRAY(SELECT f.report FROM (SELECT i.report FROM inbox i WHERE i.line = (inbox_named(p)).id AND (of_organisation IS NULL
				OR i.organisation = of_organisation) AND i.report <= coalesce((p ->> 'upto')::bigint, i.report) ORDER BY i.report LIMIT 100000) f
			ORDER BY f.report);
		RETURN ids;
	END IF;
	IF p ? 'state' THEN
		IF p ->> 'state' <> ALL (enum_range(NULL::report_state)::text[]) THEN
			PERFORM said_wrong('state: expected new, linked, noticed, answered or rejected');
		END IF;
		states := ARRAY[p ->> 'state']::report_state[];
	END IF;
	ids := ARRAY(SELECT i FROM report_matching(p, states, 100001) AS i ORDER BY i);
	IF cardinality(ids) > 100000 THEN
		PERFORM said_wrong('more than 100000 reports: say more narrowly which');
	END IF;
	RETURN ids;
END $$;

CREATE FUNCTION inbox_suggestion(p jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT inbox_line_json(l, 1, p) -> 'suggested' FROM inbox_named(p) l
$$;

-- Into the case that is said, else the one that is suggested.
CREATE FUNCTION desk_inbox_link(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	named text := coalesce(p ->> 'case', inbox_suggestion(p) ->> 'case');
BEGIN
	IF named IS NULL THEN
		PERFORM said_wrong('no case is suggested: say which (--case)');
	END IF;
	RETURN reports_link(p, report_meant(p, NULL), report_case(named, p));
END $$;

CREATE FUNCTION desk_inbox_reject(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	why text := coalesce(p ->> 'reason', inbox_suggestion(p) ->> 'reason');
BEGIN
	IF why IS NULL THEN
		PERFORM said_wrong('reason: expected spam, not-ours, false-alarm, duplicate or test');
	END IF;
	RETURN desk_report_reject(p || jsonb_build_object('reason', why));
END $$;

-- The row of who acts, for what belongs to people; who is admin by the configuration has one from then on.
CREATE FUNCTION operator_acting(p jsonb) RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	found_id int := (SELECT o.id FROM operator o WHERE o.name = p ->> 'operator');
BEGIN
	IF found_id IS NULL THEN
		INSERT INTO operator (name, role) VALUES (p ->> 'operator', (p ->> 'role')::operator_role) RETURNING id INTO found_id;
	END IF;
	RETURN found_id;
END $$;

-- A case of them all, which says what its gravest report says and belongs to who opens it.
CREATE FUNCTION desk_inbox_open(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	asked bigint[] := report_meant(p, NULL);
	ids bigint[] := report_fit(p, asked, '{new,noticed,answered}', false);
	c cases;
	said text;
	act_id bigint;
BEGIN
	IF p ? 'dry_run' OR cardinality(ids) = 0 THEN
		RETURN report_answer(p, NULL, reports_count(cardinality(ids)) || ' in a new case', asked, ids);
	END IF;
	INSERT INTO cases (title, state, severity, tlp, pap, type, identifier, organisation, restricted, exercise, assignee)
		SELECT coalesce(p ->> 'title', report_title(r.title, r.type, r.identifier, r.malware, r.observables)), 'open',
			coalesce(st.severity, r.severity), r.tlp, r.pap, r.type, r.identifier, nullif(coalesce(st.organisation, r.organisation), 0), s.restricted,
			r.exercise, operator_acting(p)
		FROM report r JOIN source s ON s.id = r.source LEFT JOIN report_status st ON st.report = r.id WHERE r.id = ANY (ids)
		ORDER BY coalesce(st.severity, r.severity) DESC NULLS LAST, r.id LIMIT 1 RETURNING * INTO c;
	said := c.number || ' opened with ' || reports_count(cardinality(ids));
	act_id := act_put('case', said, 'inbox_undo_open', jsonb_build_object('state', 'linked', 'case', c.id), now() + act_keep());
	PERFORM act_found(act_id, ids, report_found(ids));
	PERFORM reports_attach(ids, c.id);
	RETURN (report_answer(p, act_id, said, asked, ids)::jsonb || jsonb_build_object('number', c.number, 'opened', case_opened(c.id)))::json;
END $$;

CREATE FUNCTION inbox_undo_open(u jsonb) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	said text := report_undo(u);
	c cases;
BEGIN
	SELECT * INTO c FROM cases WHERE id = (u ->> 'case')::bigint;
	IF c.state NOT IN ('new', 'open', 'waiting') OR EXISTS (SELECT 1 FROM case_report r WHERE r.case_id = c.id AND r.ended IS NULL) THEN
		RETURN said || '; ' || c.number || ' is worked on and stays';
	END IF;
	UPDATE cases SET state = 'rejected', reason = 'opened by mistake: undone' WHERE id = c.id;
	RETURN said || '; ' || c.number || ' is rejected';
END $$;

-- Warn of them: what is in a mail already is left to it, the rest is told now, after the time in which that can be undone.
CREATE FUNCTION desk_inbox_notice(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	asked bigint[] := report_meant(p, NULL);
	ids bigint[] := report_fit(p, asked, '{new}', NULL);
	rest bigint[] := ARRAY(SELECT i FROM unnest(ids) AS i LEFT JOIN warning w ON w.report = i WHERE coalesce(w.outcome, 'held') NOT IN ('waiting', 'told'));
	mails bigint[] := '{}';
	done bigint[];
	said text;
	act_id bigint;
BEGIN
	IF cardinality(rest) > 2000 THEN
		PERFORM said_wrong('of ' || cardinality(rest) || ' nobody is warned by the rules yet, more than 2000 at once: narrow them by --org, or write a rule');
	END IF;
	IF p ? 'dry_run' THEN
		RETURN report_answer(p, NULL, reports_count(cardinality(ids)) || ' to be told', asked, ids);
	END IF;
	IF cardinality(rest) > 0 THEN
		PERFORM desk_notice_oneshot((p - 'org' - 'group') || jsonb_build_object('reports', to_jsonb(rest)));
		UPDATE outbox o SET next_try = now() + interval '60 seconds' WHERE o.kind = 'one-shot' AND o.state = 'queued' AND o.created = now();
		mails := ARRAY(SELECT o.id FROM outbox o WHERE o.kind = 'one-shot' AND o.created = now());
	END IF;
	done := ARRAY(SELECT w.report FROM warning w WHERE w.report = ANY (ids) AND w.outcome IN ('waiting', 'told') ORDER BY w.report);
	said := reports_count(cardinality(done)) || ' noticed' || CASE WHEN cardinality(mails) > 0 THEN ' in ' || cardinality(mails) || ' mails' ELSE '' END
		|| CASE WHEN cardinality(done) < cardinality(ids) THEN ', ' || (cardinality(ids) - cardinality(done)) || ' have nobody to be told' ELSE '' END;
	IF cardinality(done) > 0 THEN
		act_id := act_put('notice', said, 'inbox_undo_notice', jsonb_build_object('state', 'noticed', 'mails', to_jsonb(mails)),
			CASE WHEN cardinality(mails) > 0 THEN now() + interval '60 seconds' ELSE now() + act_keep() END);
		PERFORM act_found(act_id, done, report_found(done));
		PERFORM report_set_state(done, 'noticed', NULL);
		PERFORM report_journal(act_id, 'noticed', done, NULL, jsonb_build_object('state', 'noticed', 'mails', cardinality(mails)));
	END IF;
	RETURN report_answer(p, act_id, said, asked, done);
END $$;

CREATE FUNCTION inbox_undo_notice(u jsonb) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	mails bigint[] := ARRAY(SELECT value::bigint FROM jsonb_array_elements_text(u -> 'mails'));
	back bigint[];
	o outbox;
	said text;
BEGIN
	back := ARRAY(SELECT x.id FROM outbox x WHERE x.id = ANY (mails) AND x.state IN ('queued', 'held', 'ready') AND x.sent IS NULL
		AND x.holder IS NULL ORDER BY x.id FOR UPDATE);
	IF cardinality(back) < cardinality(mails) THEN
		RAISE EXCEPTION '% of its mails are out already', cardinality(mails) - cardinality(back) USING ERRCODE = 'check_violation';
	END IF;
	said := report_undo(u - 'mails');
	FOR o IN UPDATE outbox x SET state = 'cancelled', waits_for = '', why = 'undone by ' || actor() WHERE x.id = ANY (back) RETURNING * LOOP
		PERFORM notice_journal(o, 'cancelled', 'undone');
	END LOOP;
	RETURN said;
END $$;
INSERT INTO act_kind VALUES ('inbox_undo_open'), ('inbox_undo_notice');

GRANT EXECUTE ON FUNCTION inbox_says, inbox_takes, inbox_case, inbox_notice, inbox_suggest, inbox_line_json, inbox_count, desk_inbox,
	inbox_named, desk_inbox_show, inbox_suggestion, desk_inbox_link, desk_inbox_reject, operator_acting, desk_inbox_open, inbox_undo_open,
	desk_inbox_notice, inbox_undo_notice TO cirt_desk;
