-- By hand: what came by phone, chat or in person. The desk puts a line of ours into the spool, so that it is kept, counted and landed as
-- all else is; what the line cannot say waits here until it has landed. A case that is opened with it does not wait.
SET LOCAL search_path = cirt, pg_temp;

CREATE TABLE by_hand (
	token text PRIMARY KEY,           -- the line's id: what landed is known by it
	at timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL DEFAULT actor(),
	source int NOT NULL REFERENCES source,
	case_id bigint REFERENCES cases,  -- that it belongs to; NULL: the rules decide
	organisation int REFERENCES organisation,
	tags text[] NOT NULL DEFAULT '{}',
	day date,                         -- the entry, as the spool named it when it had it for good
	spool uuid,
	sequence bigint,
	problem text NOT NULL DEFAULT '',
	report bigint,                    -- that it became, or went into
	done timestamptz
);
CREATE INDEX by_hand_waits ON by_hand (at) WHERE done IS NULL;

-- An observable's type, by how it looks.
CREATE FUNCTION observable_guess(said text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN said ~ '^[A-Za-z][A-Za-z0-9+.-]*://' THEN 'url' WHEN said ~ '^[^@\s]+@[^@\s]+$' THEN 'email'
		WHEN said ~ '^\d{1,3}(\.\d{1,3}){3}(/\d+)?$' OR said ~ '^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+(/\d+)?$' THEN 'ip'
		WHEN said ~ '^[0-9A-Fa-f]{64}$' THEN 'sha256' WHEN said ~ '^[0-9A-Fa-f]{40}$' THEN 'sha1' WHEN said ~ '^[0-9A-Fa-f]{32}$' THEN 'md5'
		WHEN said ~ '^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$' THEN 'name' ELSE 'other' END
$$;

-- What was said, checked. Every mistake is told before anything is taken in.
CREATE FUNCTION by_hand_said(p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	channel text := CASE WHEN p ? 'phone' THEN 'phone' WHEN p ? 'chat' THEN 'chat' WHEN p ? 'in_person' THEN 'in person' END;
	sure text := lower(p ->> 'confidence');
	why text := coalesce(p ->> 'text', '');
	of_organisation int;
BEGIN
	IF (SELECT count(*) FROM unnest(ARRAY['phone', 'chat', 'in_person']) AS c WHERE p ? c) > 1 THEN
		PERFORM said_wrong('one of --phone, --chat and --in-person');
	ELSIF channel IS NULL THEN
		PERFORM said_wrong('say how it came: --phone, --chat or --in-person');
	ELSIF btrim(coalesce(p ->> 'from', '')) = '' THEN
		PERFORM said_wrong('from: who said so');
	ELSIF btrim(why) = '' AND btrim(coalesce(p ->> 'title', '')) = '' AND NOT p ?| ARRAY['class', 'tag'] THEN
		PERFORM said_wrong('say what it is: --title, --text, --class or --tag');
	ELSIF octet_length(why) > 1000000 THEN
		PERFORM said_wrong('text: at most 1 MB');
	ELSIF octet_length(p ->> 'title') > 1000 OR octet_length(p ->> 'from') > 300 OR octet_length(p ->> 'callback') > 100 THEN
		PERFORM said_wrong('title: at most 1000 bytes; from: at most 300; callback: at most 100');
	ELSIF p ->> 'class' <> ALL (enum_range(NULL::rsit_type)::text[]) THEN
		PERFORM said_wrong('class: expected an RSIT type, such as phishing');
	ELSIF lower(p ->> 'tlp') <> ALL (enum_range(NULL::tlp)::text[]) THEN
		PERFORM said_wrong('tlp: expected clear, green, amber, amber+strict or red');
	ELSIF p ? 'severity' AND severity_least(p ->> 'severity') IS NULL THEN
		PERFORM said_wrong('severity: expected info, low, medium, high or critical');
	ELSIF sure IS NOT NULL AND sure NOT IN ('low', 'medium', 'high') AND sure !~ '^([0-9]|[1-9][0-9]|100)$' THEN
		PERFORM said_wrong('confidence: expected low, medium, high, or 0 to 100');
	ELSIF octet_length(p ->> 'identifier') > 200 OR p ->> 'identifier' ~ '[[:cntrl:]]' THEN
		PERFORM said_wrong('identifier: expected a word such as open-rdp');
	END IF;
	IF p ? 'org' THEN
		of_organisation := org_named(p ->> 'org');
	END IF;
	RETURN jsonb_strip_nulls(jsonb_build_object('channel', channel, 'from', btrim(p ->> 'from'), 'callback', nullif(btrim(p ->> 'callback'), ''),
		'confidence', CASE sure WHEN 'low' THEN 25 WHEN 'medium' THEN 50 WHEN 'high' THEN 90 ELSE sure::int END,
		'organisation', of_organisation, 'tags', to_jsonb(said_tags(p ->> 'tag', true)), 'class', coalesce(p ->> 'class', 'undetermined'),
		'severity', severity_least(p ->> 'severity') + 10, 'tlp', coalesce(lower(p ->> 'tlp'), 'amber'), 'text', nullif(why, ''),
		'identifier', nullif(lower(p ->> 'identifier'), ''), 'at', coalesce((p ->> 'at')::timestamptz, now()),
		'title', coalesce(nullif(btrim(p ->> 'title'), ''), nullif(left(btrim(split_part(btrim(why), E'\n', 1)), 200), ''),
			coalesce(nullif(array_to_string(said_tags(p ->> 'tag', true), ', '), ''), p ->> 'class') || ': '
				|| coalesce((SELECT o.name FROM organisation o WHERE o.id = of_organisation), btrim(p ->> 'from')))));
END $$;

-- The line for the spool. Two that say the same are two calls, which the token tells apart; a known URL or host is seen again.
CREATE FUNCTION by_hand_line(s jsonb, token text, about text) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('v', 1, 'id', token, 'type', s ->> 'class', 'time',
			to_char(timezone('UTC', (s ->> 'at')::timestamptz), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'title', s -> 'title', 'text', s -> 'text',
			'identifier', s -> 'identifier', 'severity', s -> 'severity', 'confidence', s -> 'confidence', 'tlp', s -> 'tlp',
			'extra', jsonb_build_object('channel', s -> 'channel', 'from', s -> 'from', 'callback', s -> 'callback')))
		|| jsonb_build_object('observables', jsonb_build_array(jsonb_build_object('type', 'other', 'role', 'reporter',
				'value', left((s ->> 'channel') || ': ' || (s ->> 'from'), 200)),
				jsonb_build_object('type', 'other', 'role', 'unknown', 'value', 'by hand ' || token))
			|| (SELECT coalesce(jsonb_agg(jsonb_build_object('type', observable_guess(a), 'value', a, 'role',
					CASE WHEN observable_guess(a) IN ('ip', 'name', 'url') THEN 'source' ELSE 'indicator' END)), '[]')
				FROM (SELECT btrim(x) AS a FROM regexp_split_to_table(coalesce(about, ''), '\s*,\s*') AS x LIMIT 100) a WHERE a <> ''))
$$;

-- What waits, and the case where one is wanted: before the line is in the spool, so that no rule is faster.
CREATE FUNCTION by_hand_begin(p jsonb, opens boolean) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	s jsonb := by_hand_said(p);
	token text := gen_random_uuid();
	of_source int := (SELECT x.id FROM source x WHERE x.kind = 'desk' AND x.enabled AND (NOT p ? 'source' OR x.name = p ->> 'source') ORDER BY x.id LIMIT 1);
	c cases;
	begun json;
BEGIN
	IF of_source IS NULL THEN
		RAISE EXCEPTION 'there is no source of kind desk%', coalesce(' named ' || (p ->> 'source'), '') USING ERRCODE = 'no_data_found';
	END IF;
	IF opens THEN
		INSERT INTO cases (title, state, severity, tlp, type, identifier, organisation, assignee, exercise)
			SELECT s ->> 'title', 'open', (s ->> 'severity')::int, (s ->> 'tlp')::tlp, (s ->> 'class')::rsit_type, coalesce(s ->> 'identifier', ''),
				(s ->> 'organisation')::int, operator_me(p), x.exercise FROM source x WHERE x.id = of_source RETURNING * INTO c;
		INSERT INTO case_tag (case_id, tag) SELECT c.id, t FROM jsonb_array_elements_text(s -> 'tags') AS t;
		INSERT INTO party (case_id, role, organisation, name, contact)
			VALUES (c.id, 'reporter', (s ->> 'organisation')::int, s ->> 'from', coalesce(s ->> 'callback', ''));
		IF s ? 'organisation' THEN
			INSERT INTO party (case_id, role, organisation, name) SELECT c.id, 'affected', o.id, o.name FROM organisation o
				WHERE o.id = (s ->> 'organisation')::int;
		END IF;
		IF s ? 'text' THEN
			INSERT INTO note (case_id, text) VALUES (c.id, s ->> 'text');
		END IF;
		begun := case_opened(c.id);
	ELSIF p ? 'case' THEN
		c := report_case(p ->> 'case', p);
	END IF;
	INSERT INTO by_hand (token, source, case_id, organisation, tags)
		VALUES (token, of_source, c.id, (s ->> 'organisation')::int, ARRAY(SELECT jsonb_array_elements_text(s -> 'tags')));
	RETURN jsonb_build_object('token', token, 'source', of_source, 'line', by_hand_line(s, token, p ->> 'about')::text, 'title', s ->> 'title',
		'case', c.number, 'tlp', s ->> 'tlp', 'restricted', c.restricted, 'opened', stamp(c.opened), 'severity', severity_name((s ->> 'severity')::int),
		'organisation', (SELECT o.name FROM organisation o WHERE o.id = (s ->> 'organisation')::int), 'begun', begun);
END $$;
CREATE FUNCTION desk_case_open(p jsonb) RETURNS jsonb LANGUAGE sql SET search_path = cirt, pg_temp AS $$ SELECT by_hand_begin(p, true) $$;
CREATE FUNCTION desk_report_new(p jsonb) RETURNS jsonb LANGUAGE sql SET search_path = cirt, pg_temp AS $$ SELECT by_hand_begin(p, false) $$;

-- The spool has it for good; or has not, and then a person has to say it again.
CREATE FUNCTION by_hand_taken(of_token text, of_day date, of_spool uuid, of_sequence bigint, says text) RETURNS jsonb LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	b by_hand;
BEGIN
	UPDATE by_hand x SET day = of_day, spool = of_spool, sequence = of_sequence, problem = coalesce(says, ''),
		done = CASE WHEN says IS NOT NULL THEN now() END WHERE x.token = of_token RETURNING * INTO b;
	IF says IS NOT NULL AND b.case_id IS NOT NULL THEN
		INSERT INTO note (case_id, text) VALUES (b.case_id, 'The report of it could not be taken in: ' || left(says, 500));
	END IF;
	RETURN jsonb_build_object('entry', CASE WHEN of_sequence IS NOT NULL THEN entry_number(of_day, of_spool, of_sequence) END, 'problem', says);
END $$;

-- ---- once it has landed ----

-- What the line could not say, and its case. A report that is in another case stays there; this one is told of it.
CREATE FUNCTION by_hand_join(b by_hand, which bigint) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	other text := (SELECT c.number FROM case_report r JOIN cases c ON c.id = r.case_id WHERE r.report = which AND r.ended IS NULL);
BEGIN
	PERFORM set_config('cirt.actor', b.actor, true);
	PERFORM report_lock(ARRAY[which]);
	IF b.organisation IS NOT NULL THEN
		UPDATE report_status SET organisation = b.organisation, assigned = true, changed = now() WHERE report = which AND organisation IS DISTINCT FROM b.organisation;
	END IF;
	IF b.tags <> '{}' THEN
		PERFORM report_say(ARRAY[which], NULL, NULL, b.tags, '{}');
	END IF;
	IF b.case_id IS NOT NULL AND other IS NULL THEN
		PERFORM reports_attach(ARRAY[which], case_now(b.case_id));
	ELSIF b.case_id IS NOT NULL AND other <> (SELECT c.number FROM cases c WHERE c.id = b.case_id) THEN
		INSERT INTO note (case_id, text) VALUES (case_now(b.case_id), 'What was reported is known: report ' || report_number(which) || ' of ' || other);
	END IF;
END $$;

CREATE FUNCTION keeper_by_hand(most int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	b by_hand;
	e record;
	joined int := 0;
BEGIN
	FOR b IN SELECT * FROM by_hand x WHERE x.done IS NULL ORDER BY x.at LIMIT most FOR UPDATE LOOP
		-- Out of quarantine it comes as another entry, which names that row.
		SELECT i.id, i.became INTO e FROM ledger l, entry_items(l.day, l.spool, l.sequence, -2, 10) i
			WHERE l.day = b.day AND l.spool = b.spool AND l.sequence = b.sequence AND i.became IN ('report', 'folded', 'quarantined', 'spam') LIMIT 1;
		IF e.became = 'quarantined' THEN
			SELECT i.id, i.became INTO e FROM ledger l, entry_items(l.day, l.spool, l.sequence, -2, 10) i
				WHERE l.rerun = e.id AND i.became IN ('report', 'folded') LIMIT 1;
		END IF;
		-- The desk ended before it could write down which entry it was.
		IF e.id IS NULL AND b.sequence IS NULL AND b.at < now() - interval '5 seconds' THEN
			SELECT r.id, 'report' AS became INTO e FROM report r WHERE r.source = b.source AND r.id >= report_since(b.at - interval '1 minute')
				AND r.sender_id = b.token LIMIT 1;
		END IF;
		CONTINUE WHEN e.id IS NULL AND (b.sequence IS NOT NULL OR b.at > now() - interval '1 day');
		IF e.became IN ('report', 'folded') THEN
			PERFORM by_hand_join(b, e.id);
			joined := joined + 1;
		END IF;
		UPDATE by_hand SET done = now(), report = e.id, problem = CASE WHEN e.id IS NULL THEN 'it never came' ELSE '' END WHERE token = b.token;
	END LOOP;
	RETURN joined;
END $$;

-- As before; what is said to belong to a case goes there and opens no other.
CREATE OR REPLACE FUNCTION correlation_take(batch int) RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT id FROM correlation_queue WHERE due <= now() ORDER BY id LIMIT batch FOR UPDATE);
BEGIN
	DELETE FROM correlation_work;
	INSERT INTO correlation_work
		SELECT q.id, r.id, c.id, c.mode, c.span, r.exercise, correlation_key(CASE WHEN st.organisation <> coalesce(r.organisation, 0) THEN report_owned(r, st.organisation) ELSE r END,
				c.keys, s.restricted), s.restricted, r.previous,
			coalesce(st.severity, r.severity)
		FROM correlation_queue q
		JOIN report r ON r.id = q.report
		JOIN source s ON s.id = r.source
		JOIN correlation_rule c ON c.id = q.rule AND c.enabled AND c.mode <> 'by-hand'
		LEFT JOIN report_status st ON st.report = r.id
		WHERE q.id = ANY (ids) AND st.state IS DISTINCT FROM 'rejected'
			AND NOT EXISTS (SELECT 1 FROM case_report cr WHERE cr.report = r.id AND cr.ended IS NULL)
			AND NOT EXISTS (SELECT 1 FROM by_hand b WHERE b.done IS NULL AND b.token = r.sender_id AND b.case_id IS NOT NULL);
	DELETE FROM correlation_queue q WHERE q.id = ANY (ids) AND NOT EXISTS (SELECT 1 FROM correlation_work w WHERE w.queue = q.id);
	RETURN cardinality(ids);
END $$;

GRANT SELECT, INSERT, UPDATE ON by_hand TO cirt_desk;
GRANT SELECT ON by_hand TO cirt_keeper;
GRANT EXECUTE ON FUNCTION observable_guess, by_hand_said, by_hand_line, by_hand_begin, desk_case_open, desk_report_new, by_hand_taken,
	by_hand_join TO cirt_desk;
GRANT EXECUTE ON FUNCTION keeper_by_hand TO cirt_keeper;
