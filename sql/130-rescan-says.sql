-- What a later rule would have made of a report is kept with what it found, and said where people look. It changes nothing by itself: the
-- report stays as it was when somebody decided about it.
SET LOCAL search_path = cirt, pg_temp;

SELECT audited_sum_end('rescan'), audited_sum_end('rescan_match');
ALTER TABLE rescan ADD says jsonb NOT NULL DEFAULT '{}';       -- by file/rule: {severity, classification, malware}, as the rules were then
ALTER TABLE rescan_match ADD says jsonb NOT NULL DEFAULT '{}'; -- of its rule
SELECT audited_sum('rescan', 'rescan', 'id'), audited_sum('rescan_match', 'rescan', 'rescan');

-- As before, with what the rules that are loaded say.
CREATE OR REPLACE FUNCTION desk_rules_rescan(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	starts timestamptz := (p ->> 'since')::timestamptz;
	ends timestamptz := coalesce((p ->> 'until')::timestamptz, now());
	wanted text := coalesce(p ->> 'rule', '');
	names text[] := ARRAY(SELECT jsonb_array_elements_text(p -> 'rules' -> 'names'));
	refused text := (SELECT string_agg(x, '; ') FROM jsonb_array_elements_text(p -> 'rules' -> 'refused') AS x);
	sees boolean := coalesce((p -> 'rules' ->> 'events')::boolean, false);
	before bigint;
	came record;
	r rescan;
	n record;
BEGIN
	IF starts IS NULL THEN
		RAISE EXCEPTION 'since: say from when on: 30d, 2026-11-01' USING ERRCODE = 'invalid_parameter_value';
	ELSIF starts >= now() THEN
		RAISE EXCEPTION 'since: a time that has been was expected' USING ERRCODE = 'invalid_parameter_value';
	ELSIF ends > now() OR ends <= starts THEN
		RAISE EXCEPTION 'until: a time after since, and not ahead of now, was expected' USING ERRCODE = 'invalid_parameter_value';
	ELSIF cardinality(names) = 0 THEN
		RAISE EXCEPTION 'no rules are loaded: there is nothing to look with%', coalesce(' (refused: ' || refused || ')', '') USING ERRCODE = 'check_violation';
	ELSIF wanted <> '' THEN
		SELECT array_agg(x ORDER BY x) INTO names FROM unnest(names) AS x WHERE x = wanted OR substr(x, strpos(x, '/') + 1) = wanted;
		IF names IS NULL THEN
			RAISE EXCEPTION 'no rule "%" is loaded: cirt rules list%', left(wanted, 128), coalesce('; refused: ' || refused, '') USING ERRCODE = 'no_data_found';
		ELSIF cardinality(names) > 1 THEN
			RAISE EXCEPTION 'several rules are called "%": %', left(wanted, 128), array_to_string(names, ', ') USING ERRCODE = 'invalid_parameter_value';
		END IF;
		wanted := names[1];
	END IF;
	-- What folded has its files with the report that it folded into, which may be of a month or two before.
	before := to_char(timezone('UTC', starts) - interval '2 months', 'YYYYMM')::bigint * 10000000000;
	SELECT * INTO came FROM rescan_span(starts, ends);
	SELECT * INTO r FROM rescan x WHERE x.state IN ('waiting', 'running') AND x.rules = p -> 'rules' ->> 'digest' AND x.rule IN ('', wanted)
		AND x.since = starts AND (x.until = ends OR NOT p ? 'until') ORDER BY x.id LIMIT 1;
	IF r.id IS NOT NULL AND NOT p ? 'dry_run' THEN
		RETURN rescan_json(r) || jsonb_build_object('already', true, 'refused', p -> 'rules' -> 'refused');
	END IF;
	SELECT count(*) FILTER (WHERE x.kept) AS pieces, coalesce(sum(x.size) FILTER (WHERE x.kept), 0) AS bytes, count(*) FILTER (WHERE NOT x.kept) AS gone INTO n
		FROM (SELECT y.kept, y.size FROM rescan_pieces(came.spools, came.lows, came.highs, ends, sees, before, NULL) y WHERE y.kind <> ''
			UNION ALL SELECT h.month IS NOT NULL, h.size FROM rescan_added(starts, ends, 0, NULL) h) x;
	IF p ? 'dry_run' THEN
		RETURN json_build_object('dry_run', true, 'since', stamp(starts), 'until', stamp(ends), 'rule', wanted, 'total', n.pieces, 'bytes', n.bytes,
			'gone', n.gone, 'refused', p -> 'rules' -> 'refused');
	END IF;
	INSERT INTO rescan (since, until, spools, lows, highs, rule, rules, events, total, place, says)
		VALUES (starts, ends, came.spools, came.lows, came.highs, wanted, p -> 'rules' ->> 'digest', sees, n.pieces, before,
			CASE WHEN wanted = '' THEN coalesce(p -> 'rules' -> 'says', '{}')
				ELSE jsonb_strip_nulls(jsonb_build_object(wanted, p -> 'rules' -> 'says' -> wanted)) END) RETURNING * INTO r;
	PERFORM journal_add('rescan/' || r.id, 'asked', NULL, json_build_object('since', stamp(starts), 'until', stamp(ends), 'rule', wanted,
		'rules', r.rules, 'pieces', n.pieces)::text);
	PERFORM pg_notify('cirt_rescan', '');
	RETURN rescan_json(r) || jsonb_build_object('refused', p -> 'rules' -> 'refused');
END $$;

-- As before, with what its rule says.
CREATE OR REPLACE FUNCTION rescan_done(job bigint, at_step bigint, upto bigint, is_by_hand boolean, looked bigint, looked_bytes bigint, lost bigint, still_sealed bigint,
	not_finished bigint, not_readable bigint, not_survived bigint, with_rules text, with_engine text, reports bigint[], evidences bigint[],
	digests bytea[], names text[], parts text[]) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	r rescan;
	n bigint;
BEGIN
	UPDATE rescan x SET step = x.step + 1, takes = 0, place = upto, pieces = x.pieces + looked, bytes = x.bytes + looked_bytes, gone = x.gone + lost,
			sealed = x.sealed + still_sealed, unfinished = x.unfinished + not_finished, unreadable = x.unreadable + not_readable,
			failed = x.failed + not_survived, changed = x.changed OR (with_rules <> '' AND with_rules <> x.rules)
		WHERE x.id = job AND x.step = at_step AND x.by_hand = is_by_hand AND x.state = 'running' RETURNING * INTO r;
	IF r.id IS NULL THEN
		RETURN 0;
	END IF;
	INSERT INTO rescan_match (rescan, report, evidence, digest, rule, part, engine, rules, says)
		SELECT job, nullif(u.report, 0), nullif(u.evidence, 0), u.digest, u.rule, u.part, with_engine, with_rules, coalesce(r.says -> u.rule, '{}')
		FROM unnest(reports, evidences, digests, names, parts) AS u (report, evidence, digest, rule, part)
		WHERE (r.rule = '' OR u.rule = r.rule)
			AND NOT EXISTS (SELECT FROM verdict v WHERE v.report = u.report AND v.rule = u.rule AND v.part = u.part AND v.outcome = 'match')
		ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

-- How grave a report would be by a later rule, where that is more than it is; '': no more.
CREATE FUNCTION rescan_graver(m rescan_match, than int) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN (m.says ->> 'severity')::int > coalesce(than, -1) THEN severity_name((m.says ->> 'severity')::int) ELSE '' END
$$;

-- As before, and how grave it would be.
CREATE OR REPLACE FUNCTION inbox_later(l inbox_line, p jsonb) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT m.rule || coalesce(', by which it would be ' || nullif(rescan_graver(m, l.severity), ''), '')
	FROM (SELECT i.report FROM inbox i WHERE i.line = l.id ORDER BY i.report DESC LIMIT 100) i
		JOIN rescan_match m ON m.report = i.report WHERE rescan_may_see(m, p) ORDER BY (m.says ->> 'severity')::int DESC NULLS LAST, m.id DESC LIMIT 1
$$;

REVOKE ALL ON FUNCTION rescan_graver FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rescan_graver TO cirt_desk;
