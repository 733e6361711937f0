-- Evidence: files by their SHA-256, whoever brought them; who had them, in the journal; holds; a case's files as a sealed folder.
SET LOCAL search_path = cirt, pg_temp;

-- Where a file stands: looked up by what it is.
CREATE INDEX attachment_digest ON attachment (digest, report);

-- Files that a person has put into a case by hand.
CREATE TABLE case_evidence (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	case_id bigint NOT NULL REFERENCES cases,
	digest bytea NOT NULL CHECK (octet_length(digest) = 32),
	size bigint NOT NULL,
	name text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 1000),
	given_by text NOT NULL DEFAULT '' CHECK (octet_length(given_by) <= 1000), -- of whom he had it, and how
	note text NOT NULL DEFAULT '' CHECK (octet_length(note) <= 10000),
	acquired timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL DEFAULT actor(),
	UNIQUE (case_id, digest)
);
CREATE INDEX case_evidence_digest ON case_evidence (digest);
CREATE TRIGGER case_evidence_journal AFTER INSERT ON case_evidence FOR EACH ROW EXECUTE FUNCTION journal_of_case('case_id');
CREATE TRIGGER case_evidence_stays BEFORE UPDATE OR DELETE ON case_evidence FOR EACH ROW EXECUTE FUNCTION refuse('evidence stays where it was put');

-- A file on its way here, piece by piece; what was begun and not ended is gone after a day.
CREATE TABLE evidence_part (
	case_id bigint NOT NULL REFERENCES cases,
	digest bytea NOT NULL,
	actor text NOT NULL DEFAULT actor(),
	place bigint NOT NULL,
	bytes bytea NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (case_id, digest, actor, place)
);
ALTER TABLE evidence_part ALTER bytes SET STORAGE EXTERNAL;

-- ---- which file, and who may have it ----

CREATE FUNCTION evidence_named(p jsonb) RETURNS bytea LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF p ->> 'digest' IS NULL OR p ->> 'digest' !~ '^[0-9a-fA-F]{64}$' THEN
		RAISE EXCEPTION 'expected the SHA-256 of the file: 64 hex digits' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN decode(p ->> 'digest', 'hex');
END $$;

-- The row with its bytes. Months are asked one by one, as they are what bytes are kept by.
CREATE FUNCTION evidence_month(of_digest bytea) RETURNS int LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT e.month FROM (SELECT DISTINCT (lower / 10000000000)::int AS month FROM report_chunk UNION SELECT r.month FROM retired r) m
		JOIN evidence e ON e.month = m.month AND e.digest = of_digest ORDER BY e.month DESC LIMIT 1
$$;

-- Cases that a file stands in: put there by hand, or with a report or a mail of theirs.
CREATE FUNCTION evidence_cases(of_digest bytea) RETURNS SETOF bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT h.case_id FROM case_evidence h WHERE h.digest = of_digest
	UNION SELECT r.case_id FROM attachment a JOIN case_report r ON r.report = a.report AND r.ended IS NULL WHERE a.digest = of_digest
	UNION SELECT l.case_id FROM attachment a JOIN case_letter l ON l.item = a.report WHERE a.digest = of_digest
$$;

-- May this operator have it? Wherever it stands outside of a restricted case he may; where it stands in none but those, only who sees
-- one. What is held and stands nowhere any more has outlived its report.
CREATE FUNCTION evidence_may_see(of_digest bytea, p jsonb) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN p ->> 'role' IN ('lead', 'admin')
		OR EXISTS (SELECT FROM evidence_cases(of_digest) c WHERE case_may_see(c, p ->> 'operator'))
		OR NOT EXISTS (SELECT FROM case_evidence h WHERE h.digest = of_digest) AND NOT EXISTS (SELECT FROM attachment a WHERE a.digest = of_digest)
		OR EXISTS (SELECT FROM attachment a WHERE a.digest = of_digest
			AND NOT EXISTS (SELECT FROM case_report r WHERE r.report = a.report AND r.ended IS NULL)
			AND NOT EXISTS (SELECT FROM case_letter l WHERE l.item = a.report));
END $$;

-- The file that is meant, which this operator may have; what nobody has, and what he may not have.
CREATE FUNCTION evidence_seen(p jsonb) RETURNS bytea LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	which bytea := evidence_named(p);
BEGIN
	IF evidence_month(which) IS NULL AND NOT EXISTS (SELECT FROM attachment a WHERE a.digest = which)
		AND NOT EXISTS (SELECT FROM case_evidence h WHERE h.digest = which) THEN
		RAISE EXCEPTION 'there is no evidence with this digest: cirt evidence list' USING ERRCODE = 'no_data_found';
	ELSIF NOT evidence_may_see(which, p) THEN
		RAISE EXCEPTION 'that file is evidence of a restricted case: its members and the lead have it' USING ERRCODE = 'insufficient_privilege';
	END IF;
	RETURN which;
END $$;

CREATE FUNCTION evidence_on_hold(of_digest bytea) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT EXISTS (SELECT FROM hold h WHERE h.object = 'evidence/' || encode(of_digest, 'hex') AND (h.until IS NULL OR h.until > now()))
$$;

-- How each copy of a file came here: by which door and source and whom, when, in which report or mail; what was put here by hand.
CREATE FUNCTION evidence_acquired(of_digest bytea, most int, p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(json_agg(row_to_json(x) ORDER BY x.at DESC), '[]') FROM (
		SELECT stamp(h.acquired) AS at, 'hand' AS door, '' AS source, h.actor AS operator, h.given_by AS "from", h.name, '' AS type,
			NULL AS report, c.number AS "case", h.note
		FROM case_evidence h JOIN cases c ON c.id = h.case_id WHERE h.digest = of_digest
			AND (p ->> 'role' IN ('lead', 'admin') OR case_may_see(c.id, p ->> 'operator'))
		UNION ALL (SELECT stamp(coalesce(l.received, r.received, i.received)), coalesce(e ->> 'door', ''), s.name, coalesce(e ->> 'operator', ''),
			coalesce(t.sender, ''), a.name, a.media_type, report_number(a.report), (SELECT c.number FROM cases c WHERE c.id = k.case_id), ''
		FROM attachment a LEFT JOIN report r ON r.id = a.report LEFT JOIN item i ON i.id = a.report
			LEFT JOIN ledger l ON l.spool = a.spool AND l.sequence = a.sequence AND l.day = (coalesce(r.received, i.received) AT TIME ZONE 'UTC')::date
			LEFT JOIN source s ON s.id = coalesce(l.source, r.source, i.source) LEFT JOIN letter t ON t.mail = a.report
			LEFT JOIN LATERAL (SELECT x.case_id FROM case_report x WHERE x.report = a.report AND x.ended IS NULL
				UNION ALL SELECT y.case_id FROM case_letter y WHERE y.item = a.report LIMIT 1) k ON true
			LEFT JOIN LATERAL (SELECT CASE WHEN l.envelope LIKE '{%' THEN l.envelope::jsonb END AS e) j ON true
		WHERE a.digest = of_digest AND (k.case_id IS NULL OR p ->> 'role' IN ('lead', 'admin') OR case_may_see(k.case_id, p ->> 'operator'))
		ORDER BY a.report DESC LIMIT most)) x
$$;

-- Who had it, and who did what to it: its chain in the journal.
CREATE FUNCTION evidence_custody(of_digest bytea, most int) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(json_agg(json_build_object('n', j.n, 'at', stamp(to_timestamp(j.at / 1e6)), 'actor', j.actor, 'action', j.action,
			'details', j.after::json, 'hash', encode(j.hash, 'hex')) ORDER BY j.n), '[]')
	FROM (SELECT * FROM journal WHERE object = 'evidence/' || encode(of_digest, 'hex') ORDER BY n DESC LIMIT most) j
$$;

-- ---- verbs ----

-- {case?, report?, held?, limit, cursor}: the newest first. Of a case all of it.
CREATE FUNCTION desk_evidence_list(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := coalesce((p ->> 'limit')::int, 50);
	before bigint := coalesce((p ->> 'cursor')::bigint, 9223372036854775807);
	of_case bigint := CASE WHEN p ? 'case' THEN case_seen(p ->> 'case', p) END;
	answer json;
BEGIN
	WITH found AS (
		SELECT a.report AS place, a.digest, a.size, a.name, a.media_type, a.report, false AS by_hand
		FROM attachment a WHERE NOT p ? 'case' AND NOT p ? 'held' AND a.report < before AND (NOT p ? 'report' OR a.report = (p ->> 'report')::bigint)
			ORDER BY a.report DESC FETCH FIRST most ROWS WITH TIES),
	wanted AS (
		SELECT * FROM found
		UNION ALL SELECT a.report, a.digest, a.size, a.name, a.media_type, a.report, false FROM attachment a
			WHERE of_case IS NOT NULL AND a.report IN (SELECT r.report FROM case_report r WHERE r.case_id = of_case AND r.ended IS NULL
				UNION SELECT l.item FROM case_letter l WHERE l.case_id = of_case)
		UNION ALL SELECT 9223372036854775807, h.digest, h.size, h.name, '', NULL, true FROM case_evidence h
			WHERE h.case_id = of_case OR (of_case IS NULL AND NOT p ? 'held' AND NOT p ? 'report' AND NOT p ? 'cursor'
				AND h.id > (SELECT coalesce(max(x.id), 0) - most FROM case_evidence x))
		UNION ALL SELECT 0, f.digest, f.size, f.name, f.type, NULL, f.by_hand FROM (
			SELECT DISTINCT decode(substring(o.object FROM 10), 'hex') AS digest FROM hold o
				WHERE p ? 'held' AND o.object ~ '^evidence/[0-9a-f]{64}$' AND (o.until IS NULL OR o.until > now())) d
			CROSS JOIN LATERAL (SELECT d.digest, coalesce(h.size, a.size, 0) AS size, coalesce(h.name, a.name, '') AS name,
					coalesce(a.media_type, '') AS type, h.id IS NOT NULL AS by_hand
				FROM (SELECT 1) one LEFT JOIN LATERAL (SELECT * FROM case_evidence e WHERE e.digest = d.digest ORDER BY e.id LIMIT 1) h ON true
					LEFT JOIN LATERAL (SELECT * FROM attachment e WHERE e.digest = d.digest ORDER BY e.report LIMIT 1) a ON true) f),
	page AS (SELECT w.* FROM wanted w WHERE of_case IS NOT NULL OR evidence_may_see(w.digest, p) ORDER BY w.place DESC, w.name LIMIT 5000)
	SELECT json_build_object('items', coalesce(json_agg(json_build_object('digest', encode(g.digest, 'hex'), 'size', g.size, 'name', g.name,
			'type', g.media_type, 'report', report_number(g.report), 'by_hand', g.by_hand, 'held', evidence_on_hold(g.digest),
			'kept', evidence_month(g.digest) IS NOT NULL) ORDER BY g.place DESC, g.name), '[]'),
		'next', CASE WHEN (SELECT count(*) FROM found) >= most THEN (SELECT min(f.place) FROM found f)::text END) INTO answer FROM page g;
	RETURN answer;
END $$;

CREATE FUNCTION desk_evidence_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
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
		'custody', evidence_custody(which, 200));
END $$;

-- A piece of a file, by the digest of all of it. Each is a row in the journal, so that nobody takes the bytes without leaving word of it.
CREATE FUNCTION desk_evidence_get(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	which bytea := evidence_seen(p);
	place bigint := coalesce((p ->> 'offset')::bigint, 0);
	e record;
BEGIN
	IF place NOT BETWEEN 0 AND 2147483646 THEN
		RAISE EXCEPTION 'offset: 0 … 2147483646 was expected' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT v.size, substr(v.bytes, place::int + 1, 2097152) AS piece INTO e FROM evidence v WHERE v.month = evidence_month(which) AND v.digest = which;
	IF e.size IS NULL THEN
		RAISE EXCEPTION 'the bytes of this file are not kept any more: its time is over' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM journal_add('evidence/' || encode(which, 'hex'), 'fetched', NULL,
		json_build_object('offset', place, 'bytes', length(e.piece), 'size', e.size)::text);
	RETURN json_build_object('digest', encode(which, 'hex'), 'size', e.size, 'offset', place, 'data',
		translate(encode(e.piece, 'base64'), E'\n', ''));
END $$;

-- Owner's rights: bytes whose digest has been worked out here.
CREATE FUNCTION evidence_keep(of_case bigint, which bytea) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	whole bytea := (SELECT string_agg(u.bytes, '' ORDER BY u.place) FROM evidence_part u
		WHERE u.case_id = of_case AND u.digest = which AND u.actor = actor());
BEGIN
	DELETE FROM evidence_part u WHERE (u.case_id = of_case AND u.digest = which AND u.actor = actor()) OR u.at < now() - interval '1 day';
	IF sha256(whole) <> which THEN
		RAISE EXCEPTION 'what came has another SHA-256 than was said: add it again' USING ERRCODE = 'data_exception';
	END IF;
	IF evidence_month(which) IS NULL THEN
		INSERT INTO evidence (month, digest, size, bytes) VALUES (to_char(timezone('UTC', now()), 'YYYYMM')::int, which, octet_length(whole), whole);
	END IF;
	RETURN octet_length(whole);
END $$;

-- {case, digest, called, size, offset, data, from, note}: the pieces of a file in their order. Answers where the next begins, and at the end
-- what was kept.
CREATE FUNCTION desk_evidence_add(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	of_case bigint := case_seen(p ->> 'case', p);
	which bytea := evidence_named(p);
	whole bigint := (p ->> 'size')::bigint;
	place bigint := coalesce((p ->> 'offset')::bigint, 0);
	piece bytea := decode(coalesce(p ->> 'data', ''), 'base64');
	have bigint;
	kept bigint;
BEGIN
	IF whole IS NULL OR whole NOT BETWEEN 1 AND 67108864 THEN
		RAISE EXCEPTION 'a file of 1 byte to 64 MB was expected' USING ERRCODE = 'invalid_parameter_value';
	ELSIF btrim(coalesce(p ->> 'called', '')) = '' OR p ->> 'called' ~ '[[:cntrl:]/]' OR octet_length(p ->> 'called') > 1000 THEN
		RAISE EXCEPTION 'called: the name of a file, of at most 1000 bytes, was expected' USING ERRCODE = 'invalid_parameter_value';
	ELSIF EXISTS (SELECT FROM case_evidence h WHERE h.case_id = of_case AND h.digest = which) THEN
		RAISE EXCEPTION 'this file is evidence of that case already' USING ERRCODE = 'unique_violation';
	END IF;
	SELECT coalesce(sum(octet_length(u.bytes)), 0) INTO have FROM evidence_part u
		WHERE u.case_id = of_case AND u.digest = which AND u.actor = actor();
	IF place = 0 AND have > 0 THEN
		DELETE FROM evidence_part u WHERE u.case_id = of_case AND u.digest = which AND u.actor = actor();
		have := 0;
	END IF;
	IF place <> have OR have + octet_length(piece) > whole OR octet_length(piece) = 0 THEN
		RAISE EXCEPTION 'a piece that begins at byte % was expected', have USING ERRCODE = 'invalid_parameter_value';
	END IF;
	INSERT INTO evidence_part (case_id, digest, place, bytes) VALUES (of_case, which, place, piece);
	have := have + octet_length(piece);
	IF have < whole THEN
		RETURN json_build_object('digest', encode(which, 'hex'), 'have', have, 'size', whole);
	END IF;
	kept := evidence_keep(of_case, which);
	INSERT INTO case_evidence (case_id, digest, size, name, given_by, note) VALUES (of_case, which, kept, p ->> 'called',
		coalesce(p ->> 'from', ''), coalesce(p ->> 'note', ''));
	PERFORM journal_add('evidence/' || encode(which, 'hex'), 'acquired', NULL, json_build_object('case', (SELECT number FROM cases WHERE id = of_case),
		'name', p ->> 'called', 'size', kept, 'from', coalesce(p ->> 'from', ''), 'note', coalesce(p ->> 'note', ''))::text);
	RETURN json_build_object('digest', encode(which, 'hex'), 'have', have, 'size', whole, 'case', (SELECT number FROM cases WHERE id = of_case),
		'name', p ->> 'called');
END $$;

-- Kept whatever retention says, until then or until somebody lets it go.
CREATE FUNCTION desk_evidence_hold(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	which bytea := evidence_seen(p);
	ends timestamptz := (p ->> 'until')::timestamptz;
BEGIN
	IF btrim(coalesce(p ->> 'reason', '')) = '' THEN
		RAISE EXCEPTION 'say why it has to be kept: --reason TEXT' USING ERRCODE = 'invalid_parameter_value';
	ELSIF ends <= now() THEN
		RAISE EXCEPTION 'until: a time to come was expected' USING ERRCODE = 'invalid_parameter_value';
	ELSIF evidence_month(which) IS NULL THEN
		RAISE EXCEPTION 'the bytes of this file are not kept any more: there is nothing to hold' USING ERRCODE = 'no_data_found';
	ELSIF EXISTS (SELECT FROM hold h WHERE h.object = 'evidence/' || encode(which, 'hex') AND h.actor = actor()
		AND (h.until IS NULL OR h.until > now()) AND h.until IS NOT DISTINCT FROM ends) THEN
		RAISE EXCEPTION 'you hold it already: cirt evidence show' USING ERRCODE = 'unique_violation';
	END IF;
	INSERT INTO hold (object, reason, until) VALUES ('evidence/' || encode(which, 'hex'), left(p ->> 'reason', 2000), ends);
	PERFORM journal_add('evidence/' || encode(which, 'hex'), 'held', NULL, json_build_object('reason', p ->> 'reason', 'until', stamp(ends))::text);
	RETURN json_build_object('digest', encode(which, 'hex'), 'held', true, 'until', stamp(ends));
END $$;

CREATE FUNCTION desk_evidence_unhold(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	which bytea := evidence_seen(p);
	n int;
BEGIN
	IF btrim(coalesce(p ->> 'reason', '')) = '' THEN
		RAISE EXCEPTION 'say why it need not be kept any more: --reason TEXT' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	UPDATE hold SET until = now() WHERE object = 'evidence/' || encode(which, 'hex') AND (until IS NULL OR until > now());
	GET DIAGNOSTICS n = ROW_COUNT;
	IF n = 0 THEN
		RAISE EXCEPTION 'nothing holds it' USING ERRCODE = 'check_violation';
	END IF;
	PERFORM journal_add('evidence/' || encode(which, 'hex'), 'let go', NULL, json_build_object('reason', p ->> 'reason', 'holds', n)::text);
	RETURN json_build_object('digest', encode(which, 'hex'), 'held', false);
END $$;

-- A case's files, and what goes with them into a sealed folder: custody.json, and the manifest that sha256sum -c checks, whose first lines
-- are comments to it. The files themselves are fetched, each an access of its own.
CREATE FUNCTION desk_evidence_export(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
DECLARE
	c cases;
	files bytea[];
	gone int;
	papers text;
	manifest text;
	d bytea;
BEGIN
	SELECT * INTO c FROM cases WHERE id = case_seen(p ->> 'case', p);
	SELECT coalesce(array_agg(DISTINCT x.digest ORDER BY x.digest) FILTER (WHERE evidence_month(x.digest) IS NOT NULL), '{}'),
			count(DISTINCT x.digest) FILTER (WHERE evidence_month(x.digest) IS NULL) INTO files, gone
		FROM (SELECT h.digest FROM case_evidence h WHERE h.case_id = c.id
			UNION SELECT a.digest FROM attachment a WHERE a.report IN (SELECT r.report FROM case_report r WHERE r.case_id = c.id AND r.ended IS NULL
				UNION SELECT l.item FROM case_letter l WHERE l.case_id = c.id)) x;
	IF cardinality(files) = 0 THEN
		RAISE EXCEPTION 'case % has no evidence that is kept', c.number USING ERRCODE = 'check_violation';
	ELSIF cardinality(files) > 1500 THEN
		RAISE EXCEPTION 'case % has % files: at most 1500 were expected', c.number, cardinality(files) USING ERRCODE = 'check_violation';
	END IF;
	FOREACH d IN ARRAY files LOOP
		PERFORM journal_add('evidence/' || encode(d, 'hex'), 'exported', NULL, json_build_object('case', c.number)::text);
	END LOOP;
	PERFORM journal_add('case/' || c.number, 'evidence exported', NULL, json_build_object('files', cardinality(files), 'tlp', c.tlp)::text);
	papers := jsonb_pretty(jsonb_build_object('case', c.number, 'title', c.title, 'tlp', upper(c.tlp::text), 'exported', stamp(now()),
		'exported_by', actor(), 'not_kept_any_more', gone, 'files', (SELECT jsonb_agg(jsonb_build_object('sha256', encode(f, 'hex'),
			'file', 'files/' || encode(f, 'hex'), 'size', (SELECT v.size FROM evidence v WHERE v.month = evidence_month(f) AND v.digest = f),
			'acquired', evidence_acquired(f, 50, p)::jsonb, 'custody', evidence_custody(f, 1000)::jsonb) ORDER BY f)
			FROM unnest(files) AS f))) || chr(10);
	manifest := '# TLP:' || upper(c.tlp::text) || chr(10) || '# evidence of case ' || c.number || ', exported ' || stamp(now()) || chr(10)
		|| (SELECT string_agg(encode(f, 'hex') || '  files/' || encode(f, 'hex') || chr(10), '' ORDER BY f) FROM unnest(files) AS f)
		|| encode(sha256(convert_to(papers, 'UTF8')), 'hex') || '  custody.json' || chr(10);
	RETURN json_build_object('case', c.number, 'tlp', upper(c.tlp::text), 'files', (SELECT json_agg(encode(f, 'hex') ORDER BY f) FROM unnest(files) AS f),
		'gone', gone, 'custody', papers, 'manifest', manifest);
END $$;

-- ---- retention ----

-- As before; and what is held, or was put into a case by hand, stays.
CREATE OR REPLACE FUNCTION retire_files(month int) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
#variable_conflict use_variable
BEGIN
	CREATE TEMPORARY TABLE retire_evidence ON COMMIT DROP AS SELECT e.* FROM evidence e
		WHERE e.month = month AND (e.digest IN (SELECT a.digest FROM attachment a WHERE a.month = month
				AND a.report > month * 10000000000 AND a.report < (month + 1) * 10000000000)
			OR e.digest IN (SELECT h.digest FROM case_evidence h) OR evidence_on_hold(e.digest));
	EXECUTE format('TRUNCATE ONLY %I', 'evidence_' || month);
	INSERT INTO evidence SELECT * FROM retire_evidence;
	DROP TABLE retire_evidence;
	EXECUTE format('CREATE TEMPORARY TABLE retire_ledger ON COMMIT DROP AS SELECT DISTINCT l.* FROM %I l JOIN (
		SELECT spool, sequence FROM report WHERE id > $1 AND id < $2
		UNION SELECT spool, sequence FROM item WHERE id > $1 AND id < $2) AS s USING (spool, sequence)', 'ledger_' || month)
		USING month * 10000000000, (month + 1) * 10000000000;
	EXECUTE format('TRUNCATE ONLY %I', 'ledger_' || month);
	INSERT INTO ledger SELECT * FROM retire_ledger;
	DROP TABLE retire_ledger;
END $$;

REVOKE ALL ON FUNCTION evidence_named, evidence_month, evidence_cases, evidence_may_see, evidence_seen, evidence_on_hold, evidence_acquired,
	evidence_custody, evidence_keep, desk_evidence_list, desk_evidence_show, desk_evidence_get, desk_evidence_add, desk_evidence_hold,
	desk_evidence_unhold, desk_evidence_export FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evidence_named, evidence_month, evidence_cases, evidence_may_see, evidence_seen, evidence_on_hold, evidence_acquired,
	evidence_custody, evidence_keep, desk_evidence_list, desk_evidence_show, desk_evidence_get, desk_evidence_add, desk_evidence_hold,
	desk_evidence_unhold, desk_evidence_export TO cirt_desk;
GRANT SELECT, INSERT ON case_evidence TO cirt_desk;
GRANT SELECT, INSERT, DELETE ON evidence_part TO cirt_desk;
GRANT SELECT ON retired TO cirt_desk;
