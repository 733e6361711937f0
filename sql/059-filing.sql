-- What the law wants filed: regimes out of files, the filings of cases, and what happens to clocks when a case or the time goes on.
SET LOCAL search_path = cirt, pg_temp;

-- ---- files of the house ----

-- Regimes, playbooks and the calendar, as the keeper last read their files. A broken file is told here, and what it said before stands.
CREATE TABLE sheet (
	kind text NOT NULL CHECK (kind IN ('calendar', 'regime', 'playbook')),
	name text NOT NULL,
	problem text NOT NULL DEFAULT '', -- with the file and its line
	read timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (kind, name)
);

-- A regime as it was at a time: filings keep the version that they began with.
CREATE TABLE regime (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$'),
	version int NOT NULL,
	title text NOT NULL DEFAULT '',
	law text NOT NULL DEFAULT '',
	conditions jsonb NOT NULL DEFAULT '{}', -- who must file: conditions_hold()
	body jsonb NOT NULL,              -- as read
	current boolean NOT NULL DEFAULT true,
	loaded timestamptz NOT NULL DEFAULT now(),
	UNIQUE (name, version)
);
CREATE UNIQUE INDEX regime_current ON regime (lower(name)) WHERE current;
CREATE TABLE regime_stage (
	regime int NOT NULL REFERENCES regime,
	n int NOT NULL,
	stage text NOT NULL CHECK (stage ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
	title text NOT NULL,
	whose text NOT NULL CHECK (whose IN ('ours', 'theirs')),
	start text NOT NULL,              -- 'aware', or the stage behind whose receipt it begins
	within text NOT NULL,             -- span_read()
	ends text NOT NULL CHECK (ends IN ('exact', 'day', 'working-day')),
	warn text NOT NULL DEFAULT '',    -- so long before it is due; '' nobody is warned
	answer text NOT NULL DEFAULT '',  -- we owe an answer within that of its receipt; '' we do not
	answer_warn text NOT NULL DEFAULT '',
	PRIMARY KEY (regime, n),
	UNIQUE (regime, stage)
);

-- ---- who ----

-- Whether a case is one of those that conditions name: every condition that is said has to hold, of a list any.
CREATE FUNCTION conditions_hold(conditions jsonb, of_case bigint) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(bool_and(CASE w.key
			WHEN 'types' THEN w.value ? c.type::text
			WHEN 'classes' THEN w.value ? rsit_class(c.type)
			WHEN 'identifiers' THEN w.value ? c.identifier
			WHEN 'severity' THEN coalesce(c.severity, -1) >= (w.value #>> '{}')::int
			WHEN 'sectors' THEN EXISTS (SELECT FROM organisation o WHERE o.id = c.organisation AND w.value ? lower(o.sector))
			WHEN 'kinds' THEN EXISTS (SELECT FROM organisation o WHERE o.id = c.organisation AND w.value ? o.kind::text)
			WHEN 'criticality' THEN EXISTS (SELECT FROM organisation o WHERE o.id = c.organisation AND w.value ? o.criticality::text)
			WHEN 'tags' THEN EXISTS (SELECT FROM case_tag t WHERE t.case_id = c.id AND w.value ? t.tag)
			ELSE false END), true)
	FROM cases c LEFT JOIN jsonb_each(conditions) w ON true WHERE c.id = of_case AND w.key IS NOT NULL
$$;

-- Whether all that `narrow` takes is taken by `wide` too, and `narrow` says more.
CREATE FUNCTION conditions_cover(wide jsonb, narrow jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = cirt, pg_temp AS $$
	SELECT wide <> narrow AND coalesce(bool_and(CASE
			WHEN NOT narrow ? w.key THEN false
			WHEN w.key = 'severity' THEN (narrow ->> 'severity')::int >= (w.value #>> '{}')::int
			ELSE w.value @> (narrow -> w.key) END), true)
	FROM jsonb_each(wide) w
$$;

-- ---- filings ----

CREATE TABLE filing (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	case_id bigint NOT NULL REFERENCES cases,
	regime int NOT NULL REFERENCES regime,
	organisation int REFERENCES organisation,
	who text NOT NULL CHECK (octet_length(who) BETWEEN 1 AND 300), -- who has to file
	aware timestamptz NOT NULL,       -- since when they know
	aware_assumed boolean NOT NULL DEFAULT false, -- nobody has said so
	opened timestamptz NOT NULL DEFAULT now(),
	opened_by text NOT NULL DEFAULT actor(),
	closed timestamptz,
	closed_by text,
	outcome text NOT NULL DEFAULT ''
);
CREATE INDEX filing_case ON filing (case_id, id);
CREATE INDEX filing_open ON filing (id) WHERE closed IS NULL;
ALTER TABLE clock ADD FOREIGN KEY (filing) REFERENCES filing;
CREATE TRIGGER filing_journal AFTER INSERT OR UPDATE ON filing FOR EACH ROW EXECUTE FUNCTION journal_of_case('case_id');
CREATE TRIGGER filing_stays BEFORE DELETE ON filing FOR EACH ROW EXECUTE FUNCTION refuse('filings are closed, never removed');

-- A stage that has come in. Late or not is written down as it was then.
CREATE TABLE filing_stage (
	filing bigint NOT NULL REFERENCES filing,
	stage text NOT NULL,
	received timestamptz NOT NULL,
	due timestamptz NOT NULL,
	late boolean NOT NULL,
	with_stage text NOT NULL DEFAULT '', -- it came as part of this later one
	source text NOT NULL DEFAULT '',  -- who told us, how
	actor text NOT NULL DEFAULT actor(),
	answer_due timestamptz,           -- NULL: we owe none
	answered timestamptz,
	answer_late boolean,
	answered_by text,
	answer text NOT NULL DEFAULT '',
	PRIMARY KEY (filing, stage)
);
CREATE FUNCTION filing_stage_journal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
BEGIN
	PERFORM journal_add('case/' || c.number, 'filing ' || NEW.stage || CASE WHEN TG_OP = 'INSERT' THEN ' received'
			|| CASE WHEN NEW.late THEN ' late' ELSE '' END WHEN NEW.answered IS DISTINCT FROM OLD.answered THEN ' answered'
			|| CASE WHEN NEW.answer_late THEN ' late' ELSE '' END ELSE ' changed' END || ' (' || r.name || ', ' || f.who || ')',
			CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD)::text END, to_jsonb(NEW)::text)
		FROM filing f JOIN cases c ON c.id = f.case_id JOIN regime r ON r.id = f.regime WHERE f.id = NEW.filing;
	RETURN NULL;
END $$;
CREATE TRIGGER filing_stage_journal AFTER INSERT OR UPDATE ON filing_stage FOR EACH ROW EXECUTE FUNCTION filing_stage_journal();
CREATE TRIGGER filing_stage_stays BEFORE DELETE ON filing_stage FOR EACH ROW EXECUTE FUNCTION refuse('what came in came in');

-- What is counted of filings: a row for each regime, stage and month of receipt, never of two regimes together. No drills.
CREATE VIEW filing_figures AS
	SELECT r.name AS regime, s.stage, date_trunc('month', s.received, 'UTC') AS month, count(*) AS received,
		count(*) FILTER (WHERE s.late) AS late, count(s.answered) AS answered, count(*) FILTER (WHERE s.answer_late) AS answered_late,
		count(*) FILTER (WHERE s.answer_due IS NOT NULL AND s.answered IS NULL) AS unanswered
	FROM filing_stage s JOIN filing f ON f.id = s.filing JOIN regime r ON r.id = f.regime JOIN cases c ON c.id = f.case_id
	WHERE c.exercise = 0 GROUP BY r.name, s.stage, date_trunc('month', s.received, 'UTC');

-- Nothing of a case on hold goes, whatever its age: a filing holds its case.
CREATE FUNCTION hold_case(of_case bigint, why text) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	INSERT INTO hold (object, reason) SELECT 'case/' || c.number, why FROM cases c WHERE c.id = of_case
		AND NOT EXISTS (SELECT FROM hold h WHERE h.object = 'case/' || c.number AND h.reason = why AND h.until IS NULL)
$$;

-- When `warn` before `due` is; NULL where nobody is to be warned.
CREATE FUNCTION warn_time(due timestamptz, warn text, of_calendar int) RETURNS timestamptz LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	s record;
BEGIN
	IF warn = '' THEN
		RETURN NULL;
	END IF;
	s := span_read(warn);
	IF s.unit IN ('hours', 'minutes') THEN
		RETURN due - make_interval(secs => s.n * CASE s.unit WHEN 'hours' THEN 3600.0 ELSE 60.0 END);
	END IF;
	RETURN (SELECT timezone(zone, timezone(zone, due) - (s.n || ' ' || s.unit)::interval) FROM calendar WHERE id = of_calendar);
END $$;

-- The clock of a stage begins.
CREATE FUNCTION filing_clock(of_filing bigint, of_stage text, start timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	house int := calendar_now();
	f filing;
	r regime;
	s regime_stage;
	end_at timestamptz;
BEGIN
	SELECT * INTO f FROM filing WHERE id = of_filing;
	SELECT * INTO r FROM regime WHERE id = f.regime;
	SELECT * INTO s FROM regime_stage WHERE regime = r.id AND stage = of_stage;
	end_at := span_end(start, s.within, s.ends, house);
	INSERT INTO clock (case_id, kind, whose, what, regime, filing, stage, act, calendar, started, due, warn_at)
		VALUES (f.case_id, 'statutory', s.whose, s.title || ', ' || s.within || CASE s.start WHEN 'aware' THEN ' from awareness'
			ELSE ' after the ' || (SELECT b.title FROM regime_stage b WHERE b.regime = r.id AND b.stage = s.start) END,
			r.name, f.id, s.stage, 'file', house, start, end_at, warn_time(end_at, s.warn, house));
END $$;

-- A filing begins: every stage that counts from awareness has its clock, and the case is held.
CREATE FUNCTION filing_open(of_case bigint, of_regime int, of_organisation int, of_who text, of_aware timestamptz, assumed boolean)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	fresh bigint;
BEGIN
	INSERT INTO filing (case_id, regime, organisation, who, aware, aware_assumed)
		VALUES (of_case, of_regime, of_organisation, of_who, of_aware, assumed) RETURNING id INTO fresh;
	PERFORM filing_clock(fresh, stage, of_aware) FROM regime_stage WHERE regime = of_regime AND start = 'aware' ORDER BY n;
	PERFORM hold_case(of_case, 'a filing under ' || (SELECT name FROM regime WHERE id = of_regime));
	RETURN fresh;
END $$;

-- What was due has happened: late or not is seen by `at`. Its alarms are over.
CREATE FUNCTION clock_meet(which bigint, at timestamptz, reason text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
BEGIN
	UPDATE clock SET met = at, ended = now(), paused = NULL, seconds_left = NULL, why = left(reason, 500),
		breached = coalesce(breached, CASE WHEN at > due AND paused IS NULL THEN now() END) WHERE id = which AND ended IS NULL;
	PERFORM clock_quiet(which);
END $$;
CREATE FUNCTION clock_end(which bigint, reason text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	UPDATE clock SET ended = now(), paused = NULL, seconds_left = NULL, why = left(reason, 500) WHERE id = which AND ended IS NULL;
	PERFORM clock_quiet(which);
END $$;
CREATE FUNCTION clock_quiet(which bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT alarm_over('clock-near', 'clock ' || which), alarm_over('clock-breached', 'clock ' || which)
$$;

-- A stage comes in. Those before it that never came are in it: the law wants the stages in turn, and a later one says what an earlier
-- would have said. What follows from it begins: our answer, and the stages that count from it.
CREATE FUNCTION filing_receive(of_filing bigint, of_stage text, at timestamptz, by_whom text) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	house int := calendar_now();
	f filing;
	s regime_stage;
	c clock;
	end_at timestamptz;
	wanted int;
BEGIN
	SELECT * INTO f FROM filing WHERE id = of_filing FOR UPDATE;
	SELECT n INTO wanted FROM regime_stage WHERE regime = f.regime AND stage = of_stage;
	IF EXISTS (SELECT FROM filing_stage x JOIN regime_stage y ON y.regime = f.regime AND y.stage = x.stage
		WHERE x.filing = f.id AND y.n >= wanted) THEN
		RAISE EXCEPTION 'filing F% has its % already, or a stage behind it', f.id, of_stage USING ERRCODE = 'check_violation';
	END IF;
	FOR s IN SELECT * FROM regime_stage y WHERE y.regime = f.regime AND y.n <= wanted
			AND NOT EXISTS (SELECT FROM filing_stage x WHERE x.filing = f.id AND x.stage = y.stage) ORDER BY y.n LOOP
		SELECT * INTO c FROM clock WHERE filing = f.id AND stage = s.stage AND act = 'file' AND ended IS NULL;
		end_at := CASE WHEN s.answer <> '' AND s.whose = 'theirs' THEN span_end(at, s.answer, 'exact', house) END;
		INSERT INTO filing_stage (filing, stage, received, due, late, with_stage, source, answer_due)
			VALUES (f.id, s.stage, at, coalesce(c.due, at), coalesce(at > c.due, false),
				CASE WHEN s.n < wanted THEN of_stage ELSE '' END, by_whom, end_at);
		PERFORM clock_meet(c.id, at, 'received ' || by_whom) WHERE c.id IS NOT NULL;
		IF end_at IS NOT NULL THEN
			INSERT INTO clock (case_id, kind, whose, what, regime, filing, stage, act, calendar, started, due, warn_at)
				SELECT f.case_id, 'statutory', 'ours', 'answer to the ' || s.title || ' of ' || f.who, r.name, f.id, s.stage, 'answer', house,
					at, end_at, warn_time(end_at, s.answer_warn, house) FROM regime r WHERE r.id = f.regime;
		END IF;
		PERFORM filing_clock(f.id, y.stage, at) FROM regime_stage y WHERE y.regime = f.regime AND y.start = s.stage ORDER BY y.n;
	END LOOP;
END $$;

-- ---- the case goes on ----

CREATE FUNCTION clock_pause(which bigint, reason text, by_wait boolean) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	UPDATE clock SET paused = now(), paused_by_wait = by_wait, why = left(reason, 500), seconds_left = CASE WHEN business
			THEN calendar_between(calendar, now(), due) ELSE greatest(extract(epoch FROM due - now()), 0) END
		WHERE id = which AND kind = 'service' AND paused IS NULL AND ended IS NULL AND due > now()
$$;
CREATE FUNCTION clock_resume(which bigint, reason text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	UPDATE clock SET paused = NULL, paused_by_wait = false, seconds_left = NULL, why = left(reason, 500), due = e.at,
			warn_at = e.at - make_interval(secs => extract(epoch FROM due - warn_at)::double precision), warned = NULL
		FROM (SELECT CASE WHEN business THEN calendar_add(calendar, now(), seconds_left)
			ELSE now() + make_interval(secs => seconds_left::double precision) END AS at FROM clock WHERE id = which) e
		WHERE id = which AND paused IS NOT NULL AND ended IS NULL
$$;

-- Service clocks follow the case: they stand while it waits, some are met by what happens to it, and the rest ends with it. Statutory
-- clocks do none of that.
CREATE FUNCTION clock_case_moved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	meets text[] := CASE NEW.state WHEN 'contained' THEN '{contained}'::text[] WHEN 'resolved' THEN '{contained,resolved}'
		WHEN 'closed' THEN '{contained,resolved,closed}' ELSE '{}' END
		|| CASE WHEN NEW.assignee IS NOT NULL THEN '{taken}'::text[] ELSE '{}' END;
BEGIN
	PERFORM clock_meet(id, now(), 'the case is ' || NEW.state) FROM clock
		WHERE case_id = NEW.id AND ended IS NULL AND kind = 'service' AND ends_by = ANY (meets) ORDER BY id;
	IF NEW.state = OLD.state THEN
		RETURN NULL;
	END IF;
	IF NEW.state IN ('closed', 'rejected') THEN
		PERFORM clock_end(id, 'the case is ' || NEW.state) FROM clock WHERE case_id = NEW.id AND ended IS NULL AND kind = 'service' ORDER BY id;
	ELSIF NEW.state = 'waiting' THEN
		PERFORM clock_pause(id, 'the case waits', true) FROM clock WHERE case_id = NEW.id AND kind = 'service' AND whose = 'ours'
			AND ended IS NULL AND paused IS NULL ORDER BY id;
	END IF;
	IF OLD.state = 'waiting' THEN
		PERFORM clock_resume(id, 'the case waits no more') FROM clock WHERE case_id = NEW.id AND paused_by_wait AND ended IS NULL ORDER BY id;
		UPDATE case_wait SET ended = now(), ended_by = 'person' WHERE case_id = NEW.id AND ended IS NULL;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER case_clocks AFTER UPDATE OF state, assignee ON cases FOR EACH ROW EXECUTE FUNCTION clock_case_moved();

-- Our first mail in a case meets the clocks that wait for one.
CREATE FUNCTION clock_mailed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM clock_meet(id, NEW.sent, 'mail ' || NEW.number) FROM clock
		WHERE case_id = NEW.case_id AND ended IS NULL AND ends_by = 'mailed' AND started <= NEW.sent ORDER BY id;
	RETURN NULL;
END $$;
CREATE TRIGGER outbox_clocks AFTER UPDATE OF sent ON outbox FOR EACH ROW
	WHEN (NEW.sent IS NOT NULL AND OLD.sent IS NULL AND NEW.case_id IS NOT NULL AND NEW.kind NOT IN ('acknowledgement', 'key-waits'))
	EXECUTE FUNCTION clock_mailed();

-- ---- the time goes on ----

-- For people: local in the zone of the house.
CREATE FUNCTION house_time(at timestamptz) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT to_char(timezone(c.zone, at), 'Dy DD Mon YYYY HH24:MI') || ' ' || c.zone FROM calendar c WHERE c.current
$$;

-- Who is to know: whoever has the case, else who leads. A restricted case tells no more than its number.
CREATE FUNCTION clock_alarm(c clock, kind text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT alarm_raise(kind, 'clock ' || c.id, NULL, coalesce(o.name, 'lead') || ': ' || CASE WHEN x.exercise <> 0 THEN 'exercise: ' ELSE '' END
		|| x.number || CASE c.whose WHEN 'ours' THEN ' our ' ELSE ' their ' END
		|| CASE WHEN x.restricted THEN CASE c.act WHEN '' THEN 'clock' ELSE c.act END ELSE c.what END
		|| CASE kind WHEN 'clock-near' THEN ' is due ' ELSE ' was due ' END || house_time(c.due)
		|| CASE WHEN c.regime <> '' THEN ' (' || c.regime || ')' ELSE '' END || ': cirt clock list --case ' || x.number)
	FROM cases x LEFT JOIN operator o ON o.id = x.assignee WHERE x.id = case_now(c.case_id)
$$;

-- Whether a mail of a case is the answer that is waited for: from the party, or, where nobody is known to be it, from anybody.
CREATE FUNCTION wait_answered(w case_wait, sender text) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH said AS (SELECT lower(w.whom || ' ' || coalesce(p.contact, '') || ' ' || coalesce(o.contact, '')) AS text, p.organisation
			FROM (SELECT) one LEFT JOIN party p ON p.id = w.party LEFT JOIN organisation o ON o.id = p.organisation),
		known AS (SELECT a AS address FROM said, regexp_split_to_table(said.text, '[\s,;<>()]+') AS a WHERE a LIKE '%_@_%'
			UNION ALL SELECT lower(k.email) FROM said JOIN contact k ON k.organisation = said.organisation WHERE k.email <> ''
			UNION ALL SELECT '@' || d.domain FROM said JOIN organisation_domain d ON d.organisation = said.organisation AND d.valid @> now())
	SELECT NOT EXISTS (SELECT FROM known) OR EXISTS (SELECT FROM known k WHERE sender = k.address
		OR k.address LIKE '@%' AND (sender LIKE '%' || k.address OR sender LIKE '%.' || substr(k.address, 2)))
$$;

-- Cases come back from waiting: by an answer, or at the date. Each is locked as everybody locks cases.
CREATE FUNCTION keeper_waits(batch int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	w case_wait;
	c cases;
	answer case_letter;
	back int := 0;
BEGIN
	FOR w IN SELECT v.* FROM case_wait v JOIN cases x ON x.id = v.case_id WHERE v.ended IS NULL AND (v.until <= now()
			OR EXISTS (SELECT FROM cases m JOIN case_letter l ON l.case_id = m.id WHERE (m.id = ANY (case_whole(x.id)))
				AND l.added >= v.since AND wait_answered(v, l.sender))) ORDER BY x.number LIMIT batch LOOP
		SELECT * INTO c FROM cases WHERE id = w.case_id FOR UPDATE;
		SELECT * INTO w FROM case_wait WHERE id = w.id;
		CONTINUE WHEN w.ended IS NOT NULL OR c.state <> 'waiting';
		SELECT l.* INTO answer FROM cases m JOIN case_letter l ON l.case_id = m.id WHERE m.id = ANY (case_whole(c.id))
			AND l.added >= w.since AND wait_answered(w, l.sender) ORDER BY l.item LIMIT 1;
		CONTINUE WHEN answer.item IS NULL AND w.until > now();
		UPDATE case_wait SET ended = now(), ended_by = CASE WHEN answer.item IS NULL THEN 'date' ELSE 'answer' END, letter = answer.item
			WHERE id = w.id;
		UPDATE cases SET state = w.came_from, reason = CASE WHEN answer.item IS NULL
			THEN 'no answer of ' || w.whom || ' until ' || house_time(w.until)
			ELSE w.whom || ' has answered: mail ' || report_number(answer.item) END WHERE id = c.id;
		back := back + 1;
	END LOOP;
	RETURN back;
END $$;

-- What is near or past is said once each, in the transaction that writes down that it was.
CREATE FUNCTION keeper_clocks(batch int) RETURNS TABLE (warned int, breached int, back int) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
#variable_conflict use_column
DECLARE
	c clock;
BEGIN
	warned := 0;
	breached := 0;
	FOR c IN SELECT * FROM clock k WHERE k.ended IS NULL AND k.paused IS NULL AND k.breached IS NULL AND k.due <= now()
			ORDER BY k.due, k.id LIMIT batch FOR UPDATE SKIP LOCKED LOOP
		UPDATE clock k SET breached = now(), why = '' WHERE k.id = c.id;
		PERFORM alarm_over('clock-near', 'clock ' || c.id);
		PERFORM clock_alarm(c, 'clock-breached');
		breached := breached + 1;
	END LOOP;
	FOR c IN SELECT * FROM clock k WHERE k.ended IS NULL AND k.paused IS NULL AND k.breached IS NULL AND k.warned IS NULL
			AND k.warn_at <= now() ORDER BY k.warn_at, k.id LIMIT batch FOR UPDATE SKIP LOCKED LOOP
		UPDATE clock k SET warned = now(), why = '' WHERE k.id = c.id;
		PERFORM clock_alarm(c, 'clock-near');
		warned := warned + 1;
	END LOOP;
	back := keeper_waits(batch);
	RETURN NEXT;
END $$;

GRANT SELECT ON sheet, regime, regime_stage, filing, filing_stage, filing_figures TO cirt_desk, cirt_keeper;
GRANT EXECUTE ON FUNCTION keeper_clocks TO cirt_keeper;
GRANT EXECUTE ON FUNCTION conditions_hold, house_time, warn_time, clock_meet, clock_end, clock_pause, clock_resume, clock_quiet, filing_open,
	filing_receive TO cirt_desk;
