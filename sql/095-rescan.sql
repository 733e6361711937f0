-- What landed long ago, looked at again with the YARA rules of today: asked for by the desk, taken up in lots by the store, whose workers
-- scan. Nothing of a report changes: what matches now is rows here, an alarm, and a row in the journal of each case that holds it.
SET LOCAL search_path = cirt, pg_temp;

CREATE TABLE rescan (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	asked timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL DEFAULT actor(),
	since timestamptz NOT NULL,       -- of receipt
	until timestamptz NOT NULL,
	spools uuid[] NOT NULL,           -- which entries came in that time: of each spool from lows to highs
	lows bigint[] NOT NULL,
	highs bigint[] NOT NULL,
	rule text NOT NULL,               -- only what this rule says; '': all
	rules text NOT NULL,              -- digest of the set of rules when it was asked for
	events boolean NOT NULL,          -- some rule looks at what sensors and feeds said
	state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'stopped')),
	total bigint NOT NULL,            -- pieces, as counted when it was asked for
	step bigint NOT NULL DEFAULT 0,   -- lots that are done: each is written once
	takes smallint NOT NULL DEFAULT 0, -- how often the lot after that was taken up
	by_hand boolean NOT NULL DEFAULT false, -- the second half: files added by hand
	place bigint NOT NULL,            -- the last report, or file added by hand, that is done
	pieces bigint NOT NULL DEFAULT 0, -- looked at
	bytes bigint NOT NULL DEFAULT 0,
	gone bigint NOT NULL DEFAULT 0,   -- files whose bytes retention took
	sealed bigint NOT NULL DEFAULT 0, -- pieces in which something stayed encrypted
	unfinished bigint NOT NULL DEFAULT 0,
	unreadable bigint NOT NULL DEFAULT 0,
	failed bigint NOT NULL DEFAULT 0, -- each of them ended workers
	changed boolean NOT NULL DEFAULT false, -- some of it was scanned with other rules than `rules`
	started timestamptz,
	ended timestamptz,
	CHECK (since < until)
);
CREATE INDEX rescan_open ON rescan (id) WHERE state IN ('waiting', 'running');

-- A rule that matched what nothing had matched when it came.
CREATE TABLE rescan_match (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	rescan bigint NOT NULL REFERENCES rescan,
	at timestamptz NOT NULL DEFAULT now(),
	report bigint,                    -- or item; NULL: a file added by hand
	evidence bigint REFERENCES case_evidence, -- that file
	digest bytea,                     -- which file; NULL: the line or object itself
	rule text NOT NULL,               -- file/rule
	part text NOT NULL,
	engine text NOT NULL,
	rules text NOT NULL,              -- digest of the set of rules
	CHECK ((report IS NULL) <> (evidence IS NULL))
);
CREATE UNIQUE INDEX rescan_match_report ON rescan_match (report, rule, part) WHERE report IS NOT NULL;
CREATE UNIQUE INDEX rescan_match_evidence ON rescan_match (evidence, rule, part) WHERE evidence IS NOT NULL;
CREATE INDEX rescan_match_rescan ON rescan_match (rescan, id);
CREATE INDEX rescan_match_digest ON rescan_match (digest) WHERE digest IS NOT NULL;

-- ---- what there is to be looked at ----

-- The pieces of reports and items behind `after`, of at most so many of them (NULL: all). A mail stands for all that came in it, and what
-- was encrypted in it for itself: its key may be gone. Without a mail it is each file. kind '' is a row that only says how far this came.
CREATE FUNCTION rescan_pieces(spools uuid[], lows bigint[], highs bigint[], until timestamptz, events boolean, after bigint, most int)
RETURNS TABLE (report bigint, kind text, month int, digest bytea, size bigint, name text, type text, kept boolean)
LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH ends AS MATERIALIZED (SELECT (to_char(timezone('UTC', until), 'YYYYMM')::bigint + 1) * 10000000000 AS id),
	span AS MATERIALIZED (SELECT * FROM unnest(spools, lows, highs) AS u (spool, low, high)),
	ids AS MATERIALIZED (SELECT x.id FROM (
			(SELECT DISTINCT a.report AS id FROM attachment a WHERE a.report > after AND a.report < (SELECT e.id FROM ends e) ORDER BY 1 LIMIT most)
			UNION (SELECT r.id FROM report r WHERE events AND r.id > after AND r.id < (SELECT e.id FROM ends e) AND r.doc <> '' ORDER BY 1 LIMIT most)) x
		ORDER BY 1 LIMIT most),
	files AS MATERIALIZED (SELECT DISTINCT ON (a.report, a.digest) a.report, a.month, a.digest, a.size, a.name, a.media_type, e.digest IS NOT NULL AS kept,
			a.media_type = 'message/rfc822' AND a.name = 'message.eml' AS mail, a.media_type = 'message/rfc822' AND a.name LIKE '% opened.eml' AS opened
		FROM ids i JOIN attachment a ON a.report = i.id JOIN span s ON s.spool = a.spool AND a.sequence BETWEEN s.low AND s.high
			LEFT JOIN evidence e ON e.month = a.month AND e.digest = a.digest
		ORDER BY a.report, a.digest, a.number),
	mails AS MATERIALIZED (SELECT f.report FROM files f WHERE f.mail AND f.kept GROUP BY f.report)
	SELECT f.report, CASE WHEN f.mail OR f.opened THEN 'mail' ELSE 'file' END, f.month, f.digest, f.size, f.name, f.media_type, f.kept
		FROM files f WHERE NOT f.kept OR f.mail OR f.opened OR NOT EXISTS (SELECT FROM mails m WHERE m.report = f.report)
	UNION ALL SELECT r.id, 'event', NULL, NULL, octet_length(r.doc), 'doc', '', true FROM ids i JOIN report r ON r.id = i.id AND events AND r.doc <> ''
		JOIN span s ON s.spool = r.spool AND r.sequence BETWEEN s.low AND s.high
	UNION ALL SELECT max(i.id), '', NULL, NULL, 0, '', '', false FROM ids i HAVING count(*) > 0
$$;

-- Which entries came in that time. A spool counts them as they come.
CREATE FUNCTION rescan_span(since timestamptz, until timestamptz, OUT spools uuid[], OUT lows bigint[], OUT highs bigint[])
LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(array_agg(x.spool), '{}'), coalesce(array_agg(x.low), '{}'), coalesce(array_agg(coalesce((SELECT min(l.sequence) - 1 FROM ledger l
			WHERE l.spool = x.spool AND l.day >= (timezone('UTC', until))::date AND l.received >= until), 9223372036854775807)), '{}')
		FROM (SELECT l.spool, min(l.sequence) AS low FROM ledger l WHERE l.day >= (timezone('UTC', since))::date AND l.received >= since
			AND l.received < until GROUP BY l.spool) x
$$;

-- The same of files added by hand.
CREATE FUNCTION rescan_added(since timestamptz, until timestamptz, after bigint, most int)
RETURNS TABLE (id bigint, month int, digest bytea, size bigint, name text) LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT h.id, evidence_month(h.digest), h.digest, h.size, h.name FROM case_evidence h
	WHERE h.id > after AND h.acquired >= since AND h.acquired < until ORDER BY h.id LIMIT most
$$;

-- ---- the store's side ----

-- What was found, told where people look: an alarm for each rule, apart for each drill; the journals of the rescan and of every case that holds it.
CREATE FUNCTION rescan_tell(which bigint, how text) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	r rescan;
	one record;
	found bigint;
BEGIN
	UPDATE rescan SET state = how, ended = now() WHERE id = which RETURNING * INTO r;
	SELECT count(*) INTO found FROM rescan_match m WHERE m.rescan = which;
	FOR one IN SELECT m.rule, coalesce(x.name, '') AS drill, count(DISTINCT coalesce(m.report, -m.evidence)) AS n FROM rescan_match m
			LEFT JOIN case_evidence h ON h.id = m.evidence LEFT JOIN cases c ON c.id = h.case_id LEFT JOIN report p ON p.id = m.report
			LEFT JOIN item i ON i.id = m.report LEFT JOIN exercise x ON x.id = coalesce(p.exercise, i.exercise, c.exercise)
			WHERE m.rescan = which GROUP BY 1, 2 ORDER BY 1, 2 LOOP
		PERFORM alarm_raise('old-evidence', one.rule || CASE WHEN one.drill <> '' THEN ' in drill ' || one.drill ELSE '' END, NULL,
			format(CASE one.n WHEN 1 THEN '%s piece of old evidence matches rule %s%s: cirt rules show %s'
				ELSE '%s pieces of old evidence match rule %s%s: cirt rules show %s' END, one.n, one.rule,
				CASE WHEN one.drill <> '' THEN ' (drill ' || one.drill || ')' ELSE '' END, which));
	END LOOP;
	FOR one IN SELECT c.number, json_agg(DISTINCT x.rule ORDER BY x.rule) AS rules, count(DISTINCT x.piece) AS n FROM (
			SELECT h.case_id, m.rule, -m.evidence AS piece FROM rescan_match m JOIN case_evidence h ON h.id = m.evidence WHERE m.rescan = which
			UNION SELECT k.case_id, m.rule, m.report FROM rescan_match m JOIN case_report k ON k.report = m.report AND k.ended IS NULL WHERE m.rescan = which
			UNION SELECT l.case_id, m.rule, m.report FROM rescan_match m JOIN case_letter l ON l.item = m.report WHERE m.rescan = which
			UNION SELECT h.case_id, m.rule, m.report FROM rescan_match m JOIN case_evidence h ON h.digest = m.digest WHERE m.rescan = which AND m.report IS NOT NULL) x
			JOIN cases c ON c.id = x.case_id GROUP BY c.number ORDER BY c.number LOOP
		PERFORM journal_add('case/' || one.number, 'old evidence matched', NULL,
			json_build_object('rules', one.rules, 'pieces', one.n, 'rescan', which)::text);
	END LOOP;
	PERFORM journal_add('rescan/' || which, how, NULL, json_build_object('pieces', r.pieces, 'found', found, 'gone', r.gone, 'sealed', r.sealed,
		'unfinished', r.unfinished, 'unreadable', r.unreadable, 'failed', r.failed)::text);
END $$;

-- The next lot: what to look at, and how far it goes. Bytes are fetched one by one. One store at a time, across nodes, as long as its session
-- lasts. A lot that comes back again and again is taken report by report, and what then still comes back is `failed` without being
-- touched: it may be what ends us.
CREATE FUNCTION rescan_take() RETURNS TABLE (job bigint, at_step bigint, upto bigint, is_by_hand boolean, lost bigint, skipped boolean, of_report bigint,
	of_evidence bigint, kind text, of_month int, of_digest bytea, of_size bigint, of_name text, of_type text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	r rescan;
	most int;
BEGIN
	IF NOT EXISTS (SELECT FROM rescan x WHERE x.state IN ('waiting', 'running')) THEN
		PERFORM pg_advisory_unlock_all();
		RETURN;
	ELSIF NOT pg_try_advisory_lock(hashtext('cirt.rescan')) THEN
		RETURN;
	END IF;
	LOOP
		UPDATE rescan x SET state = 'running', started = coalesce(x.started, now()), takes = x.takes + 1
			WHERE x.id = (SELECT min(o.id) FROM rescan o WHERE o.state IN ('waiting', 'running')) RETURNING * INTO r;
		IF r.id IS NULL THEN
			RETURN;
		END IF;
		most := CASE WHEN r.takes > 3 THEN 1 ELSE 64 END;
		IF NOT r.by_hand THEN
			RETURN QUERY SELECT r.id, r.step, max(l.report) OVER (), false, count(*) FILTER (WHERE NOT l.kept AND l.kind <> '') OVER (), r.takes > 6,
					l.report, NULL::bigint, CASE WHEN l.kept THEN l.kind ELSE '' END, l.month, l.digest, l.size, l.name, l.type
				FROM rescan_pieces(r.spools, r.lows, r.highs, r.until, r.events, r.place, most) l;
			IF FOUND THEN
				RETURN;
			END IF;
			UPDATE rescan x SET by_hand = true, place = 0, takes = 1 WHERE x.id = r.id RETURNING * INTO r;
			most := 64;
		END IF;
		RETURN QUERY SELECT r.id, r.step, max(h.id) OVER (), true, count(*) FILTER (WHERE h.month IS NULL) OVER (), r.takes > 6, NULL::bigint, h.id,
				CASE WHEN h.month IS NULL THEN '' ELSE 'file' END, h.month, h.digest, h.size, h.name, ''
			FROM rescan_added(r.since, r.until, r.place, most) h;
		IF FOUND THEN
			RETURN;
		END IF;
		PERFORM rescan_tell(r.id, 'done');
	END LOOP;
END $$;

-- What came of that lot, once: a lot that is not the next any more was written before. Matches side by side; `evidences` where it is a
-- file added by hand.
CREATE FUNCTION rescan_done(job bigint, at_step bigint, upto bigint, is_by_hand boolean, looked bigint, looked_bytes bigint, lost bigint, still_sealed bigint,
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
	INSERT INTO rescan_match (rescan, report, evidence, digest, rule, part, engine, rules)
		SELECT job, nullif(u.report, 0), nullif(u.evidence, 0), u.digest, u.rule, u.part, with_engine, with_rules
		FROM unnest(reports, evidences, digests, names, parts) AS u (report, evidence, digest, rule, part)
		WHERE (r.rule = '' OR u.rule = r.rule)
			AND NOT EXISTS (SELECT FROM verdict v WHERE v.report = u.report AND v.rule = u.rule AND v.part = u.part AND v.outcome = 'match')
		ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

-- ---- verbs ----

CREATE FUNCTION rescan_json(r rescan) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('rescan', r.id, 'state', r.state, 'by', r.actor, 'asked', stamp(r.asked), 'since', stamp(r.since), 'until', stamp(r.until),
		'rule', r.rule, 'rules', r.rules, 'total', r.total, 'pieces', r.pieces, 'bytes', r.bytes, 'gone', r.gone, 'sealed', r.sealed,
		'unfinished', r.unfinished, 'unreadable', r.unreadable, 'failed', r.failed, 'changed', r.changed, 'ended', stamp(r.ended),
		'found', (SELECT count(*) FROM rescan_match m WHERE m.rescan = r.id))
$$;

-- {since, until?, rule?, dry_run?, rules: {digest, events, names, refused}}: what rules there are is said by the desk, which asked for them.
CREATE FUNCTION desk_rules_rescan(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp SET plan_cache_mode = force_custom_plan AS $$
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
	INSERT INTO rescan (since, until, spools, lows, highs, rule, rules, events, total, place)
		VALUES (starts, ends, came.spools, came.lows, came.highs, wanted, p -> 'rules' ->> 'digest', sees, n.pieces, before) RETURNING * INTO r;
	PERFORM journal_add('rescan/' || r.id, 'asked', NULL, json_build_object('since', stamp(starts), 'until', stamp(ends), 'rule', wanted,
		'rules', r.rules, 'pieces', n.pieces)::text);
	PERFORM pg_notify('cirt_rescan', '');
	RETURN rescan_json(r) || jsonb_build_object('refused', p -> 'rules' -> 'refused');
END $$;

CREATE FUNCTION rescan_named(p jsonb) RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF p ->> 'rescan' !~ '^[0-9]{1,18}$' THEN
		RAISE EXCEPTION 'the number of a rescan was expected: cirt rules show' USING ERRCODE = 'invalid_parameter_value';
	ELSIF NOT EXISTS (SELECT FROM rescan x WHERE x.id = (p ->> 'rescan')::bigint) THEN
		RAISE EXCEPTION 'there is no rescan %: cirt rules show', p ->> 'rescan' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN (p ->> 'rescan')::bigint;
END $$;

-- May this operator know of it? What is of a restricted case, its members.
CREATE FUNCTION rescan_may_see(m rescan_match, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT p ->> 'role' IN ('lead', 'admin')
		OR (m.evidence IS NOT NULL AND case_may_see((SELECT h.case_id FROM case_evidence h WHERE h.id = m.evidence), p ->> 'operator'))
		OR (m.report IS NOT NULL AND (m.digest IS NULL OR evidence_may_see(m.digest, p)))
$$;

CREATE FUNCTION rescan_match_json(m rescan_match) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('at', stamp(m.at), 'rescan', m.rescan, 'rule', m.rule, 'part', m.part, 'report', report_number(m.report),
		'case', (SELECT c.number FROM cases c WHERE c.id = coalesce((SELECT h.case_id FROM case_evidence h WHERE h.id = m.evidence),
			(SELECT k.case_id FROM case_report k WHERE k.report = m.report AND k.ended IS NULL LIMIT 1),
			(SELECT l.case_id FROM case_letter l WHERE l.item = m.report))),
		'digest', encode(m.digest, 'hex'), 'engine', m.engine, 'rules', m.rules)
$$;

-- {rescan?, limit, cursor}: the last ones; one, with what it found.
CREATE FUNCTION desk_rules_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := coalesce((p ->> 'limit')::int, 50);
	before bigint := coalesce((p ->> 'cursor')::bigint, 9223372036854775807);
	which bigint := CASE WHEN p ? 'rescan' THEN rescan_named(p) END;
BEGIN
	IF which IS NULL THEN
		RETURN (SELECT json_build_object('items', coalesce(json_agg(rescan_json(x) ORDER BY x.id DESC), '[]'), 'next', CASE WHEN count(*) >= most THEN min(x.id)::text END)
			FROM (SELECT * FROM rescan r WHERE r.id < before ORDER BY r.id DESC LIMIT most) x);
	END IF;
	RETURN (SELECT rescan_json(r) || jsonb_build_object('matches', m.rows, 'next', m.next) FROM rescan r, (
			SELECT coalesce(jsonb_agg(rescan_match_json(f) ORDER BY f.id DESC) FILTER (WHERE rescan_may_see(f, p)), '[]') AS rows,
				CASE WHEN count(*) >= most THEN min(f.id)::text END AS next
			FROM (SELECT * FROM rescan_match y WHERE y.rescan = which AND y.id < before ORDER BY y.id DESC LIMIT most) f) m WHERE r.id = which);
END $$;

-- Owner's rights: it tells what was found so far.
CREATE FUNCTION rescan_stop(which bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM FROM rescan x WHERE x.id = which AND x.state IN ('waiting', 'running') FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'rescan % has ended already: cirt rules show %', which, which USING ERRCODE = 'check_violation';
	END IF;
	PERFORM rescan_tell(which, 'stopped');
END $$;

CREATE FUNCTION desk_rules_stop(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := rescan_named(p);
BEGIN
	PERFORM rescan_stop(which);
	RETURN (SELECT rescan_json(x) FROM rescan x WHERE x.id = which);
END $$;

-- As before, and what later rules say of it.
CREATE OR REPLACE FUNCTION desk_evidence_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	which bytea := evidence_seen(p);
BEGIN
	RETURN json_build_object('digest', encode(which, 'hex'),
		'size', coalesce((SELECT size FROM evidence e WHERE e.month = evidence_month(which) AND e.digest = which),
			(SELECT h.size FROM case_evidence h WHERE h.digest = which LIMIT 1), (SELECT a.size FROM attachment a WHERE a.digest = which LIMIT 1)),
		'kept', evidence_month(which) IS NOT NULL,
		'cases', (SELECT coalesce(json_agg(c.number ORDER BY c.number), '[]') FROM cases c WHERE c.id IN (SELECT evidence_cases(which))
			AND (p ->> 'role' IN ('lead', 'admin') OR case_may_see(c.id, p ->> 'operator'))),
		'acquired', evidence_acquired(which, 50, p),
		'holds', (SELECT coalesce(json_agg(json_build_object('reason', h.reason, 'by', h.actor, 'since', stamp(h.since), 'until', stamp(h.until))
			ORDER BY h.id), '[]') FROM hold h WHERE h.object = 'evidence/' || encode(which, 'hex') AND (h.until IS NULL OR h.until > now())),
		'verdicts', (SELECT coalesce(json_agg(json_build_object('report', report_number(v.report), 'engine', v.engine, 'rule', v.rule, 'rules', v.set_digest,
				'outcome', v.outcome) ORDER BY v.report, v.number), '[]')
			FROM (SELECT DISTINCT x.* FROM (SELECT DISTINCT a.report FROM attachment a WHERE a.digest = which ORDER BY a.report DESC LIMIT 20) r
				JOIN verdict x ON x.report = r.report LIMIT 200) v),
		'later', (SELECT coalesce(json_agg(rescan_match_json(m) ORDER BY m.id) FILTER (WHERE rescan_may_see(m, p)), '[]')
			FROM (SELECT * FROM rescan_match x WHERE x.digest = which ORDER BY x.id DESC LIMIT 200) m),
		'custody', evidence_custody(which, 200));
END $$;

REVOKE ALL ON FUNCTION rescan_pieces, rescan_span, rescan_added, rescan_tell, rescan_take, rescan_done, rescan_json, desk_rules_rescan, rescan_named, rescan_may_see,
	rescan_match_json, desk_rules_show, rescan_stop, desk_rules_stop FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rescan_take, rescan_done TO cirt_store;
GRANT SELECT (id, doc) ON report TO cirt_store;
GRANT EXECUTE ON FUNCTION rescan_pieces, rescan_span, rescan_added, rescan_json, desk_rules_rescan, rescan_named, rescan_may_see, rescan_match_json, desk_rules_show,
	rescan_stop, desk_rules_stop TO cirt_desk;
GRANT SELECT, INSERT ON rescan TO cirt_desk;
GRANT SELECT ON rescan_match TO cirt_desk;
