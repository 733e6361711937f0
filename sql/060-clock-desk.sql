-- What operators do with clocks, with filings, and with a case that has to wait. Functions of the desk, from JSON to JSON.
SET LOCAL search_path = cirt, pg_temp;

COMMENT ON COLUMN clock.breached IS 'when that was noticed; only an extension takes it back, and the journal keeps it';

-- ---- what was asked ----

CREATE FUNCTION said_needed(p jsonb, key text, what text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF coalesce(btrim(p ->> key), '') = '' THEN
		RAISE EXCEPTION '%', what USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN btrim(p ->> key);
END $$;

CREATE FUNCTION case_shown(of_case bigint, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT p ->> 'role' IN ('lead', 'admin') OR case_may_see(of_case, p ->> 'operator')
$$;
CREATE FUNCTION case_need_shown(of_case bigint, p jsonb) RETURNS bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT case_seen(number, p) FROM cases WHERE id = of_case
$$;

-- A row of `cirt clock list`. What is left of a paused clock is told instead of when it is due.
CREATE FUNCTION clock_json(c clock) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('id', c.id, 'case', x.number, 'title', x.title,
		'whose', CASE WHEN c.kind = 'statutory' AND c.whose = 'ours' THEN 'OURS' ELSE c.whose END, 'what', c.what,
		'kind', c.kind, 'regime', CASE WHEN c.regime <> '' THEN c.regime WHEN c.business THEN 'service, business hours' ELSE 'service' END,
		'filing', 'F' || c.filing, 'who', f.who, 'stage', nullif(c.stage, ''), 'started', stamp(c.started),
		'due', CASE WHEN c.paused IS NULL THEN stamp(c.due) END, 'remind', CASE WHEN c.ended IS NULL AND c.paused IS NULL
			AND c.warned IS NULL AND c.breached IS NULL AND c.warn_at > now() THEN stamp(c.warn_at) END,
		'state', CASE WHEN c.met > c.due THEN 'met late' WHEN c.met IS NOT NULL THEN 'met' WHEN c.ended IS NOT NULL THEN 'ended'
			WHEN c.paused IS NOT NULL THEN 'paused' WHEN c.due <= now() THEN 'breached' ELSE 'running' END,
		'left', CASE WHEN c.paused IS NOT NULL THEN round(c.seconds_left)::bigint END, 'met', stamp(c.met), 'why', nullif(c.why, ''),
		'exercise', CASE WHEN x.exercise <> 0 THEN true END)
	FROM cases x LEFT JOIN filing f ON f.id = c.filing WHERE x.id = coalesce(case_now(c.case_id), c.case_id)
$$;

CREATE FUNCTION clock_meant(p jsonb) RETURNS clock LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c clock;
BEGIN
	IF p ->> 'clock' !~ '^[0-9]{1,18}$' THEN
		RAISE EXCEPTION 'a clock''s number was expected, as `cirt clock list` shows it, not "%"', left(p ->> 'clock', 60)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO c FROM clock WHERE id = (p ->> 'clock')::bigint FOR UPDATE;
	IF c.id IS NULL THEN
		RAISE EXCEPTION 'there is no clock %', p ->> 'clock' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM case_need_shown(c.case_id, p);
	IF c.ended IS NOT NULL THEN
		RAISE EXCEPTION 'clock % has ended: %', c.id, coalesce(nullif(c.why, ''), 'it was met') USING ERRCODE = 'check_violation';
	END IF;
	RETURN c;
END $$;

CREATE FUNCTION clock_answer(which bigint) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT clock_json(c) FROM clock c WHERE c.id = which
$$;

-- The same of a case that waits.
CREATE FUNCTION wait_json(which bigint) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('case', x.number, 'title', x.title, 'whose', 'ours', 'kind', 'waiting', 'what', w.whom || ': ask again (waiting)',
		'due', stamp(w.until), 'regime', 'waiting', 'state', 'running')
	FROM case_wait w JOIN cases x ON x.id = w.case_id WHERE w.id = which
$$;

-- ---- clock ----

-- {next, case, breached, all, limit, cursor}: what counts, the next first; cases that wait are in it by the date at which they come back.
CREATE FUNCTION desk_clock_list(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := least(coalesce((p ->> 'limit')::int, 50), 1000);
	skip bigint := coalesce((p ->> 'cursor')::bigint, 0);
	horizon timestamptz := CASE WHEN p ->> 'next' <> '' THEN span_end(now(), p ->> 'next', 'exact', calendar_now()) END;
	of_cases bigint[] := CASE WHEN p ->> 'case' <> '' THEN case_whole(case_seen(p ->> 'case', p)) END;
	items json;
	more boolean;
BEGIN
	WITH rows AS (
		SELECT k.due AS at, k.paused IS NOT NULL AS stands, k.id, NULL::bigint AS wait FROM clock k
			WHERE (k.ended IS NULL OR p ? 'all') AND (horizon IS NULL OR k.due <= horizon AND k.paused IS NULL)
				AND (of_cases IS NULL OR k.case_id = ANY (of_cases)) AND case_shown(k.case_id, p)
				AND (NOT p ? 'breached' OR k.breached IS NOT NULL OR k.ended IS NULL AND k.paused IS NULL AND k.due <= now())
		UNION ALL SELECT w.until, false, NULL, w.id FROM case_wait w
			WHERE w.ended IS NULL AND NOT p ? 'breached' AND (horizon IS NULL OR w.until <= horizon)
				AND (of_cases IS NULL OR w.case_id = ANY (of_cases)) AND case_shown(w.case_id, p)),
	page AS MATERIALIZED (SELECT *, row_number() OVER (ORDER BY stands, at, id, wait) AS n FROM rows
		ORDER BY stands, at, id, wait OFFSET skip LIMIT most + 1)
	SELECT coalesce(json_agg(coalesce(clock_answer(g.id), wait_json(g.wait)) ORDER BY n) FILTER (WHERE n <= skip + most), '[]'), count(*) > most
		INTO items, more FROM page g;
	RETURN json_build_object('items', items, 'next', CASE WHEN more THEN (skip + most)::text END);
END $$;

-- {case, what, within, warn, theirs}
CREATE FUNCTION desk_clock_new(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	of_case bigint := case_seen(p ->> 'case', p);
	said text := said_needed(p, 'within', 'how long? --within "4 business hours"');
	due timestamptz := span_end(now(), said, 'exact', calendar_now());
	fresh bigint;
BEGIN
	IF EXISTS (SELECT FROM cases WHERE id = of_case AND state IN ('closed', 'rejected', 'merged')) THEN
		RAISE EXCEPTION 'no clock starts in a case that has ended' USING ERRCODE = 'check_violation';
	END IF;
	INSERT INTO clock (case_id, kind, whose, what, business, due, warn_at)
		VALUES (of_case, 'service', CASE WHEN p ? 'theirs' THEN 'theirs' ELSE 'ours' END,
			said_needed(p, 'what', 'what is due? --what TEXT'), (span_read(said)).business, due,
			warn_time(due, coalesce(p ->> 'warn', ''), calendar_now())) RETURNING id INTO fresh;
	RETURN clock_answer(fresh);
END $$;

-- {clock, reason}
CREATE FUNCTION desk_clock_pause(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c clock := clock_meant(p);
BEGIN
	IF c.kind = 'statutory' THEN
		RAISE EXCEPTION 'the time of the law goes on: clock % is of %; with a legal ground: cirt clock extend % --ground TEXT', c.id, c.regime,
			c.id USING ERRCODE = 'check_violation';
	ELSIF c.paused IS NOT NULL OR c.due <= now() THEN
		RAISE EXCEPTION 'clock % %', c.id, CASE WHEN c.paused IS NULL THEN 'is over already' ELSE 'is paused already' END
			USING ERRCODE = 'check_violation';
	END IF;
	PERFORM clock_pause(c.id, coalesce(p ->> 'reason', ''), false);
	RETURN clock_answer(c.id);
END $$;

CREATE FUNCTION desk_clock_resume(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c clock := clock_meant(p);
BEGIN
	IF c.paused IS NULL THEN
		RAISE EXCEPTION 'clock % is not paused', c.id USING ERRCODE = 'check_violation';
	END IF;
	PERFORM clock_resume(c.id, coalesce(p ->> 'reason', ''));
	RETURN clock_answer(c.id);
END $$;

-- More time for a clock, by a ground that stands written down. It may be warned of and breached anew.
CREATE FUNCTION clock_extend(c clock, p jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	reason text := said_needed(p, 'ground', 'on what ground? --ground TEXT: the law, or who allowed it when');
	later timestamptz := said_time('until', p ->> 'until');
BEGIN
	IF later IS NULL THEN
		later := span_end(c.due, said_needed(p, 'by', 'until when? --until WHEN, or --by 48h'), 'exact', c.calendar);
	END IF;
	IF c.paused IS NOT NULL THEN
		RAISE EXCEPTION 'clock % is paused: cirt clock resume %', c.id, c.id USING ERRCODE = 'check_violation';
	ELSIF later <= c.due THEN
		RAISE EXCEPTION 'clock % is due % already: an extension ends later', c.id, house_time(c.due)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	INSERT INTO clock_extension (clock, was, due, ground) VALUES (c.id, c.due, later, reason);
	UPDATE clock SET due = later, warn_at = later - make_interval(secs => extract(epoch FROM c.due - warn_at)::double precision),
		warned = NULL, breached = NULL, why = left(reason, 500) WHERE id = c.id;
	PERFORM clock_quiet(c.id);
END $$;

-- {clock, until | by, ground}
CREATE FUNCTION desk_clock_extend(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c clock := clock_meant(p);
BEGIN
	PERFORM clock_extend(c, p);
	RETURN clock_answer(c.id);
END $$;

-- {clock, at, reason}
CREATE FUNCTION desk_clock_met(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c clock := clock_meant(p);
	at timestamptz := coalesce(said_time('at', p ->> 'at'), now());
BEGIN
	IF c.filing IS NOT NULL THEN
		RAISE EXCEPTION 'clock % is of filing F%: cirt filing %', c.id, c.filing, CASE c.act WHEN 'answer'
			THEN 'answer F' || c.filing ELSE 'new ' || (SELECT number FROM cases WHERE id = c.case_id) || ' --regime ' || c.regime
				|| ' --stage ' || c.stage END USING ERRCODE = 'check_violation';
	ELSIF at > now() OR at < c.started THEN
		RAISE EXCEPTION 'at: a time between its start and now was expected' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM clock_meet(c.id, at, coalesce(p ->> 'reason', ''));
	RETURN clock_answer(c.id);
END $$;

-- ---- filing ----

CREATE FUNCTION filing_json(f filing) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('filing', 'F' || f.id, 'case', x.number, 'regime', r.name, 'version', r.version, 'law', nullif(r.law, ''),
		'title', nullif(r.title, ''), 'who', f.who, 'aware', stamp(f.aware), 'assumed', CASE WHEN f.aware_assumed THEN true END,
		'opened', stamp(f.opened), 'opened_by', f.opened_by, 'state', CASE WHEN f.closed IS NULL THEN 'open' ELSE 'closed' END,
		'closed', stamp(f.closed), 'outcome', nullif(f.outcome, ''), 'exercise', CASE WHEN x.exercise <> 0 THEN true END,
		'next', (SELECT stamp(min(k.due)) FROM clock k WHERE k.filing = f.id AND k.ended IS NULL),
		'received', (SELECT string_agg(g.stage, ', ' ORDER BY s.n) FROM filing_stage g JOIN regime_stage s ON s.regime = r.id
			AND s.stage = g.stage WHERE g.filing = f.id),
		'stages', (SELECT json_agg(json_build_object('stage', s.stage, 'title', s.title, 'whose', s.whose, 'within', s.within,
				'due', stamp(coalesce(g.due, k.due)), 'received', stamp(g.received), 'with', nullif(g.with_stage, ''), 'from', nullif(g.source, ''),
				'state', CASE WHEN g.received IS NOT NULL THEN CASE WHEN g.late THEN 'late' ELSE 'on time' END WHEN k.ended IS NOT NULL THEN 'ended'
					WHEN k.due <= now() THEN 'overdue' WHEN k.id IS NULL THEN 'after the ' || s.start ELSE 'expected' END,
				'answer_due', stamp(coalesce(a.due, g.answer_due)), 'answered', stamp(g.answered), 'answered_by', g.answered_by,
				'answer', nullif(g.answer, ''), 'answer_state', CASE WHEN g.answered IS NOT NULL THEN CASE WHEN g.answer_late THEN 'late'
					ELSE 'on time' END WHEN g.answer_due IS NOT NULL THEN CASE WHEN a.due <= now() THEN 'OVERDUE' ELSE 'OURS' END END)
				ORDER BY s.n)
			FROM regime_stage s LEFT JOIN filing_stage g ON g.filing = f.id AND g.stage = s.stage
			LEFT JOIN clock k ON k.filing = f.id AND k.stage = s.stage AND k.act = 'file'
			LEFT JOIN clock a ON a.filing = f.id AND a.stage = s.stage AND a.act = 'answer' WHERE s.regime = r.id),
		'extensions', (SELECT json_agg(json_build_object('what', k.what, 'was', stamp(e.was), 'due', stamp(e.due), 'ground', e.ground,
			'actor', e.actor, 'at', stamp(e.at)) ORDER BY e.id) FROM clock_extension e JOIN clock k ON k.id = e.clock WHERE k.filing = f.id))
	FROM cases x, regime r WHERE x.id = coalesce(case_now(f.case_id), f.case_id) AND r.id = f.regime
$$;

-- F12, 12, or a case that has one filing open.
CREATE FUNCTION filing_meant(p jsonb, open_only boolean) RETURNS filing LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	named text := coalesce(p ->> 'filing', '');
	ids bigint[];
	f filing;
BEGIN
	IF named ~ '^[Ff]?[0-9]{1,18}$' THEN
		ids := ARRAY[ltrim(named, 'Ff')::bigint];
	ELSIF named ~ '^[0-9]{4}-[0-9]+$' THEN
		ids := ARRAY(SELECT id FROM filing WHERE case_id = ANY (case_whole(case_seen(named, p))) AND closed IS NULL);
	ELSE
		RAISE EXCEPTION 'a filing''s number reads as F12, not "%"', left(named, 60) USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF cardinality(ids) > 1 THEN
		RAISE EXCEPTION '% has several filings: %', named, (SELECT string_agg('F' || id, ', ' ORDER BY id) FROM unnest(ids) AS id)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO f FROM filing WHERE id = ids[1] FOR UPDATE;
	IF f.id IS NULL THEN
		RAISE EXCEPTION 'there is no filing %', named USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM case_need_shown(f.case_id, p);
	IF open_only AND f.closed IS NOT NULL THEN
		RAISE EXCEPTION 'filing F% is closed: %', f.id, f.outcome USING ERRCODE = 'check_violation';
	END IF;
	RETURN f;
END $$;
CREATE FUNCTION filing_answer(which bigint) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT filing_json(f) FROM filing f WHERE f.id = which
$$;

CREATE FUNCTION regime_meant(named text) RETURNS regime LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	r regime;
BEGIN
	SELECT * INTO r FROM regime WHERE lower(name) = lower(named) AND current;
	IF r.id IS NULL THEN
		RAISE EXCEPTION 'there is no regime "%"; there is: %', left(named, 60),
			coalesce((SELECT string_agg(name, ', ' ORDER BY name) FROM regime WHERE current), 'none (clocks.regimes in cirtd.conf)')
			USING ERRCODE = 'no_data_found';
	END IF;
	RETURN r;
END $$;

CREATE FUNCTION filing_stage_known(r regime, named text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM regime_stage WHERE regime = r.id AND stage = named) THEN
		RAISE EXCEPTION '% has no stage "%"; its stages: %', r.name, left(named, 60),
			(SELECT string_agg(stage, ', ' ORDER BY n) FROM regime_stage WHERE regime = r.id) USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN named;
END $$;

-- {case, regime, stage, aware, received, from, org}: a filing begins, or its next stage comes in. Without a stage they have yet to file.
CREATE FUNCTION desk_filing_new(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	of_case bigint := case_seen(p ->> 'case', p);
	r regime := regime_meant(said_needed(p, 'regime', 'under which regime? --regime NAME: cirt regime list'));
	at timestamptz := coalesce(said_time('received', p ->> 'received'), now());
	known_since timestamptz := said_time('aware', p ->> 'aware');
	by_whom text := coalesce(p ->> 'from', '');
	org organisation;
	fresh bigint;
	f filing;
BEGIN
	PERFORM 1 FROM cases WHERE id = of_case FOR UPDATE;
	IF EXISTS (SELECT FROM cases WHERE id = of_case AND state = 'merged') THEN
		of_case := case_need_shown(case_now(of_case), p);
	END IF;
	SELECT o.* INTO org FROM organisation o WHERE o.id = CASE WHEN p ->> 'org' <> '' THEN (SELECT id FROM organisation WHERE name = p ->> 'org')
		ELSE (SELECT organisation FROM cases WHERE id = of_case) END;
	IF p ->> 'org' <> '' AND org.id IS NULL THEN
		RAISE EXCEPTION 'there is no organisation "%": cirt org list', left(p ->> 'org', 100) USING ERRCODE = 'no_data_found';
	ELSIF at > now() OR known_since > at THEN
		RAISE EXCEPTION 'they know first, then file, and not in the future: --aware, then --received' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	-- Never of another regime; of the same, the version that it began with holds.
	SELECT g.* INTO f FROM filing g JOIN regime v ON v.id = g.regime WHERE g.case_id = ANY (case_whole(of_case)) AND lower(v.name) = lower(r.name)
		AND g.closed IS NULL AND (org.id IS NULL OR g.organisation IS NOT DISTINCT FROM org.id) ORDER BY g.id LIMIT 1;
	IF f.id IS NULL THEN
		IF known_since IS NULL THEN
			RAISE EXCEPTION 'since when do they know? --aware WHEN: their time counts from there' USING ERRCODE = 'invalid_parameter_value';
		ELSIF org.id IS NULL AND btrim(by_whom) = '' THEN
			RAISE EXCEPTION 'who has to file? --org NAME, or --from TEXT' USING ERRCODE = 'invalid_parameter_value';
		END IF;
		fresh := filing_open(of_case, r.id, org.id, left(coalesce(org.name, by_whom), 75), known_since, false);
		SELECT * INTO f FROM filing WHERE id = fresh;
	ELSE
		SELECT * INTO r FROM regime WHERE id = f.regime;
		IF known_since IS NOT NULL AND known_since <> f.aware THEN
			PERFORM filing_aware(f.id, known_since);
		END IF;
	END IF;
	IF p ->> 'stage' <> '' THEN
		PERFORM filing_receive(f.id, filing_stage_known(r, p ->> 'stage'), at, by_whom);
	END IF;
	RETURN filing_answer(f.id);
END $$;

-- They have known since another time than was said: what counts from there and has not come in is due by that.
CREATE FUNCTION filing_aware(of_filing bigint, since timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	c record;
	end_at timestamptz;
BEGIN
	UPDATE filing SET aware = since, aware_assumed = false WHERE id = of_filing;
	FOR c IN SELECT k.id, k.calendar, s.within, s.ends, s.warn FROM clock k JOIN filing f ON f.id = k.filing
			JOIN regime_stage s ON s.regime = f.regime AND s.stage = k.stage AND s.start = 'aware'
			WHERE k.filing = of_filing AND k.act = 'file' AND k.ended IS NULL ORDER BY k.id LOOP
		IF EXISTS (SELECT FROM clock_extension e WHERE e.clock = c.id) THEN
			RAISE EXCEPTION 'its time was extended already, and is counted from what was said then' USING ERRCODE = 'check_violation';
		END IF;
		end_at := span_end(since, c.within, c.ends, c.calendar);
		UPDATE clock SET started = since, due = end_at, warn_at = warn_time(end_at, c.warn, c.calendar), warned = NULL, breached = NULL,
			why = 'they knew from another time on' WHERE id = c.id;
		PERFORM clock_quiet(c.id);
	END LOOP;
END $$;

-- {filing, aware}
CREATE FUNCTION desk_filing_set(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	f filing := filing_meant(p, true);
	since timestamptz := said_time('aware', p ->> 'aware');
BEGIN
	IF since IS NULL OR since > now() THEN
		RAISE EXCEPTION 'since when do they know? --aware WHEN, not in the future' USING ERRCODE = 'invalid_parameter_value';
	ELSIF EXISTS (SELECT FROM filing_stage s WHERE s.filing = f.id AND s.received < since) THEN
		RAISE EXCEPTION 'they filed before that' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM filing_aware(f.id, since);
	RETURN filing_answer(f.id);
END $$;

-- {filing, stage, at, note}: our own answer has gone out.
CREATE FUNCTION desk_filing_answer(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	f filing := filing_meant(p, true);
	at timestamptz := coalesce(said_time('at', p ->> 'at'), now());
	owed text[] := ARRAY(SELECT k.stage FROM clock k WHERE k.filing = f.id AND k.act = 'answer' AND k.ended IS NULL
		AND k.stage = coalesce(nullif(p ->> 'stage', ''), k.stage) ORDER BY k.id);
	c clock;
BEGIN
	IF cardinality(owed) = 0 THEN
		RAISE EXCEPTION 'filing F% waits for no answer of ours%', f.id, CASE WHEN p ->> 'stage' <> '' THEN ' to its ' || (p ->> 'stage') ELSE '' END
			USING ERRCODE = 'check_violation';
	ELSIF cardinality(owed) > 1 THEN
		RAISE EXCEPTION 'which stage is answered? --stage %', array_to_string(owed, ' or ') USING ERRCODE = 'invalid_parameter_value';
	ELSIF at > now() OR at < (SELECT received FROM filing_stage WHERE filing = f.id AND stage = owed[1]) THEN
		RAISE EXCEPTION 'at: a time between its receipt and now was expected' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO c FROM clock WHERE filing = f.id AND stage = owed[1] AND act = 'answer' AND ended IS NULL;
	UPDATE filing_stage SET answered = at, answer_due = c.due, answer_late = at > c.due, answered_by = actor(),
		answer = left(coalesce(p ->> 'note', ''), 2000) WHERE filing = f.id AND stage = owed[1];
	PERFORM clock_meet(c.id, at, 'answered');
	RETURN filing_answer(f.id);
END $$;

-- {filing, stage, until | by, ground, answer}
CREATE FUNCTION desk_filing_extend(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	f filing := filing_meant(p, true);
	wanted text := CASE WHEN p ? 'answer' THEN 'answer' ELSE 'file' END;
	c clock;
BEGIN
	SELECT k.* INTO c FROM clock k WHERE k.filing = f.id AND k.act = wanted AND k.ended IS NULL
		AND k.stage = coalesce(nullif(p ->> 'stage', ''), k.stage) ORDER BY k.due, k.id LIMIT 1;
	IF c.id IS NULL THEN
		RAISE EXCEPTION 'filing F% has no such clock that counts: cirt filing show F%', f.id, f.id USING ERRCODE = 'check_violation';
	END IF;
	PERFORM clock_extend(c, p);
	RETURN filing_answer(f.id);
END $$;

-- {filing, outcome}: nothing more is expected. What we owe is answered first.
CREATE FUNCTION desk_filing_close(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	f filing := filing_meant(p, true);
	said text := said_needed(p, 'outcome', 'how did it end? --outcome TEXT');
BEGIN
	IF EXISTS (SELECT FROM clock k WHERE k.filing = f.id AND k.whose = 'ours' AND k.ended IS NULL) THEN
		RAISE EXCEPTION 'our own answer is open: cirt filing answer F%', f.id USING ERRCODE = 'check_violation';
	END IF;
	PERFORM clock_end(k.id, 'the filing is closed: ' || said) FROM clock k WHERE k.filing = f.id AND k.ended IS NULL ORDER BY k.id;
	UPDATE filing SET closed = now(), closed_by = actor(), outcome = left(said, 2000) WHERE id = f.id;
	RETURN filing_answer(f.id);
END $$;

-- {filing}
CREATE FUNCTION desk_filing_show(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	f filing := filing_meant(p, false);
BEGIN
	RETURN filing_answer(f.id);
END $$;

-- {regime, case, all, limit, cursor}: open ones, the newest first.
CREATE FUNCTION desk_filing_list(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := least(coalesce((p ->> 'limit')::int, 50), 1000);
	of_cases bigint[] := CASE WHEN p ->> 'case' <> '' THEN case_whole(case_seen(p ->> 'case', p)) END;
	ids bigint[];
BEGIN
	ids := ARRAY(SELECT f.id FROM filing f JOIN regime r ON r.id = f.regime WHERE (f.closed IS NULL OR p ? 'all' OR of_cases IS NOT NULL)
		AND f.id < coalesce((p ->> 'cursor')::bigint, 9223372036854775807)
		AND (of_cases IS NULL OR f.case_id = ANY (of_cases)) AND (coalesce(p ->> 'regime', '') = '' OR lower(r.name) = lower(p ->> 'regime'))
		AND case_shown(f.case_id, p) ORDER BY f.id DESC LIMIT most + 1);
	RETURN json_build_object('items', (SELECT coalesce(json_agg(filing_json(f) ORDER BY f.id DESC), '[]') FROM filing f
		WHERE f.id = ANY (ids[1:most])), 'next', CASE WHEN cardinality(ids) > most THEN ids[most]::text END);
END $$;

-- ---- regime ----

CREATE FUNCTION desk_regime_list(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('items', coalesce(json_agg(row ORDER BY name), '[]')) FROM (
		SELECT coalesce(r.name, s.name) AS name, json_build_object('regime', coalesce(r.name, s.name), 'version', r.version, 'title', r.title,
			'law', nullif(r.law, ''), 'stages', (SELECT string_agg(t.stage, ', ' ORDER BY t.n) FROM regime_stage t WHERE t.regime = r.id),
			'open', (SELECT count(*) FROM filing f JOIN regime v ON v.id = f.regime WHERE v.name = r.name AND f.closed IS NULL),
			'loaded', stamp(r.loaded), 'problem', nullif(s.problem, '')) AS row
		FROM (SELECT * FROM regime WHERE current) r FULL JOIN (SELECT * FROM sheet WHERE kind = 'regime') s ON lower(s.name) = lower(r.name)) rows
$$;

-- {regime}
CREATE FUNCTION desk_regime_show(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('regime', r.name, 'version', r.version, 'title', r.title, 'law', nullif(r.law, ''), 'conditions', r.conditions,
		'loaded', stamp(r.loaded), 'stages', (SELECT json_agg(json_build_object('stage', s.stage, 'title', s.title, 'whose', s.whose,
			'start', s.start, 'within', s.within, 'ends', s.ends, 'warn', nullif(s.warn, ''), 'answer', nullif(s.answer, ''),
			'answer_warn', nullif(s.answer_warn, '')) ORDER BY s.n) FROM regime_stage s WHERE s.regime = r.id))
	FROM regime_meant(p ->> 'regime') r
$$;

-- ---- waiting ----

-- The party that is meant: by its role, its name, its organisation or its address; NULL where the case has none such.
CREATE FUNCTION party_meant(of_case bigint, said text) RETURNS bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT p.id FROM party p LEFT JOIN organisation o ON o.id = p.organisation
	WHERE p.case_id = ANY (case_whole(of_case)) AND lower(said) IN (p.role::text, lower(p.name), lower(o.name), lower(p.contact), p.id::text)
	ORDER BY p.id LIMIT 1
$$;

-- {number, for, until}
CREATE FUNCTION desk_case_wait(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	of_case bigint := case_seen(p ->> 'number', p);
	whom_for text := said_needed(p, 'for', 'for whom? --for hoster, or any words');
	back timestamptz := said_time('until', p ->> 'until');
	c cases := case_expect(of_case, p);
	goes_back case_state;
BEGIN
	IF back IS NULL THEN
		RAISE EXCEPTION 'until when? --until WHEN: then it comes back by itself' USING ERRCODE = 'invalid_parameter_value';
	ELSIF back <= now() THEN
		RAISE EXCEPTION 'until: % is over already', house_time(back) USING ERRCODE = 'invalid_parameter_value';
	ELSIF octet_length(whom_for) > 300 THEN
		RAISE EXCEPTION 'for: at most 300 bytes were expected' USING ERRCODE = 'invalid_parameter_value';
	ELSIF c.state <> 'waiting' AND NOT EXISTS (SELECT FROM case_transition WHERE from_state = c.state AND to_state = 'waiting') THEN
		RAISE EXCEPTION '% is %; from there it goes to %', c.number, c.state, case_next(c.state) USING ERRCODE = 'check_violation';
	END IF;
	-- From where it waits already it goes back to where it was before.
	SELECT w.came_from INTO goes_back FROM case_wait w WHERE w.case_id = c.id AND w.ended IS NULL;
	goes_back := coalesce(goes_back, CASE c.state WHEN 'contained' THEN 'contained' ELSE 'open' END::case_state);
	UPDATE case_wait SET ended = now(), ended_by = 'person' WHERE case_id = c.id AND ended IS NULL;
	UPDATE cases SET state = 'waiting', reason = 'for ' || whom_for || ' until ' || house_time(back) WHERE id = c.id;
	INSERT INTO case_wait (case_id, whom, party, until, came_from) VALUES (c.id, whom_for, party_meant(c.id, whom_for), back, goes_back);
	RETURN (SELECT json_build_object('number', x.number, 'title', x.title, 'state', x.state, 'waits_for', w.whom, 'until', stamp(w.until),
			'party', q.role || coalesce(' ' || nullif(coalesce(o.name, q.name), ''), ''),
			'paused', (SELECT count(*) FROM clock k WHERE k.case_id = x.id AND k.paused_by_wait AND k.ended IS NULL))
		FROM cases x JOIN case_wait w ON w.case_id = x.id AND w.ended IS NULL LEFT JOIN party q ON q.id = w.party
		LEFT JOIN organisation o ON o.id = q.organisation WHERE x.id = c.id);
END $$;

-- What `cirt today` says of waiting: what came back within a day and nobody has moved since, and what comes back next.
CREATE FUNCTION waits_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('waiting', (SELECT count(*) FROM (SELECT FROM case_wait WHERE ended IS NULL LIMIT 10000) n),
		'back', (SELECT coalesce(json_agg(json_build_object('case', x.number, 'for', w.whom, 'why', w.ended_by, 'at', stamp(w.ended)) ORDER BY w.ended), '[]')
			FROM (SELECT * FROM case_wait WHERE ended > now() - interval '1 day' AND ended_by <> 'person' ORDER BY ended LIMIT 20) w
			JOIN cases x ON x.id = w.case_id AND x.state = w.came_from AND x.exercise = 0 AND case_shown(x.id, p)),
		'next', (SELECT coalesce(json_agg(json_build_object('case', x.number, 'for', w.whom, 'until', stamp(w.until)) ORDER BY w.until), '[]')
			FROM (SELECT * FROM case_wait WHERE ended IS NULL ORDER BY until LIMIT 3) w
			JOIN cases x ON x.id = w.case_id AND x.exercise = 0 AND case_shown(x.id, p)))
$$;
CREATE INDEX case_wait_ended ON case_wait (ended) WHERE ended IS NOT NULL;

-- And of clocks: those of ours and theirs that are over or due within a day.
CREATE FUNCTION clocks_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('due', count(*), 'breached', count(*) FILTER (WHERE due <= now()),
		'items', coalesce(json_agg(row ORDER BY due, id) FILTER (WHERE n <= 3), '[]'))
	FROM (SELECT k.id, k.due, clock_json(k) AS row, row_number() OVER (ORDER BY k.due, k.id) AS n
		FROM (SELECT * FROM clock WHERE ended IS NULL AND paused IS NULL AND due < now() + interval '1 day' ORDER BY due, id LIMIT 100) k
		JOIN cases x ON x.id = k.case_id AND x.exercise = 0 AND case_shown(x.id, p)) soon
$$;

GRANT EXECUTE ON FUNCTION said_needed, case_shown, case_need_shown, clock_json, clock_meant, clock_answer, wait_json, desk_clock_list,
	desk_clock_new, desk_clock_pause, desk_clock_resume, clock_extend, desk_clock_extend, desk_clock_met, filing_json, filing_meant,
	filing_answer, regime_meant, filing_stage_known, desk_filing_new, filing_aware, desk_filing_set, desk_filing_answer, desk_filing_extend,
	desk_filing_close, desk_filing_show, desk_filing_list, desk_regime_list, desk_regime_show, party_meant, desk_case_wait, waits_today,
	clocks_today TO cirt_desk;
GRANT SELECT, INSERT, UPDATE ON clock, case_wait, filing, filing_stage TO cirt_desk;

-- A filing keeps its case open as long as we owe its answer, and no longer: what they have yet to file is theirs, its clocks go on beside
-- a closed case, and a final report comes a month after we were done.
CREATE OR REPLACE FUNCTION case_open_ends(which bigint) RETURNS TABLE (what text) LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT format('task %s is open: %s (cirt task done %s)', t.id, left(t.title, 200), t.id) FROM task t
	WHERE t.case_id = ANY (case_whole(which)) AND t.state = 'open'
	UNION ALL SELECT format('filing F%s: our %s is open (cirt filing answer F%s)', k.filing, k.what, k.filing) FROM clock k
	WHERE k.case_id = ANY (case_whole(which)) AND k.filing IS NOT NULL AND k.whose = 'ours' AND k.ended IS NULL
$$;
