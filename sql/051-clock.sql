-- Clocks: what is due by when, by law or by our own word. Times are worked out here and nowhere else.
SET LOCAL search_path = cirt, pg_temp;

-- ---- working time ----

-- When the house works, as configured; a clock keeps the one that it started with.
CREATE TABLE calendar (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	digest text NOT NULL UNIQUE,      -- of what was configured
	zone text NOT NULL,               -- of the tz database: Europe/Vienna
	current boolean NOT NULL DEFAULT false,
	loaded timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX calendar_current ON calendar (current) WHERE current;
CREATE TABLE calendar_hours (
	calendar int NOT NULL REFERENCES calendar,
	day int NOT NULL CHECK (day BETWEEN 1 AND 7), -- 1 is Monday
	opens time NOT NULL,
	closes time NOT NULL,             -- 24:00 is the end of the day
	CHECK (opens < closes),
	PRIMARY KEY (calendar, day, opens)
);
CREATE TABLE calendar_holiday (
	calendar int NOT NULL REFERENCES calendar,
	day text NOT NULL CHECK (day ~ '^(\d{4}-)?\d{2}-\d{2}$'), -- 2026-12-25, or 12-25 of every year
	name text NOT NULL DEFAULT '',
	PRIMARY KEY (calendar, day)
);
-- Until one is configured.
INSERT INTO calendar (digest, zone, current) VALUES ('', 'UTC', true);
INSERT INTO calendar_hours (calendar, day, opens, closes) SELECT c.id, d, '09:00', '17:00' FROM calendar c, generate_series(1, 5) AS d;

CREATE FUNCTION calendar_now() RETURNS int LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT id FROM calendar WHERE current
$$;

CREATE FUNCTION calendar_works(of_calendar int, of_day date) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT NOT EXISTS (SELECT FROM calendar_holiday h WHERE h.calendar = of_calendar
			AND h.day IN (to_char(of_day, 'YYYY-MM-DD'), to_char(of_day, 'MM-DD')))
		AND EXISTS (SELECT FROM calendar_hours h WHERE h.calendar = of_calendar AND h.day = extract(isodow FROM of_day))
$$;

-- The working hours of a local day, as they come: a day on which clocks change has an hour more or less of them.
CREATE FUNCTION calendar_spans(of_calendar int, of_day date) RETURNS TABLE (opens timestamptz, closes timestamptz) LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	SELECT timezone(c.zone, of_day + h.opens), timezone(c.zone, of_day + h.closes)
	FROM calendar c JOIN calendar_hours h ON h.calendar = c.id AND h.day = extract(isodow FROM of_day)
	WHERE c.id = of_calendar AND calendar_works(of_calendar, of_day) ORDER BY h.opens
$$;

-- The moment at which so many seconds of working time have gone by.
CREATE FUNCTION calendar_add(of_calendar int, start timestamptz, seconds numeric) RETURNS timestamptz LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	first date := (SELECT timezone(zone, start)::date FROM calendar WHERE id = of_calendar);
	rest numeric := greatest(seconds, 0);
	span record;
	has numeric;
BEGIN
	FOR n IN 0 .. 3700 LOOP
		FOR span IN SELECT greatest(s.opens, start) AS opens, s.closes FROM calendar_spans(of_calendar, first + n) s LOOP
			has := extract(epoch FROM span.closes - span.opens);
			CONTINUE WHEN has < 0;
			IF has >= rest THEN
				RETURN span.opens + make_interval(secs => rest::double precision);
			END IF;
			rest := rest - has;
		END LOOP;
	END LOOP;
	RAISE EXCEPTION 'ten years have fewer business hours than that' USING ERRCODE = 'invalid_parameter_value';
END $$;

-- The seconds of working time between two moments; 0 where the second is not later.
CREATE FUNCTION calendar_between(of_calendar int, start timestamptz, stop timestamptz) RETURNS numeric LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(sum(extract(epoch FROM least(s.closes, stop) - greatest(s.opens, start))), 0)
	FROM calendar c, LATERAL generate_series(timezone(c.zone, start)::date::timestamp, timezone(c.zone, stop)::date::timestamp,
		interval '1 day') AS d, LATERAL calendar_spans(c.id, d::date) s
	WHERE c.id = of_calendar AND s.opens < stop AND s.closes > start
$$;

-- How long: '24 hours', '1 month', '90 minutes', '4 business hours', with 'm', 'h', 'd', 'w' for short. Hours are hours that go by;
-- days, weeks, months and years end at the same local time, and a month that has no such day ends with its last.
CREATE FUNCTION span_read(said text, OUT n int, OUT unit text, OUT business boolean) LANGUAGE plpgsql IMMUTABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	parts text[] := regexp_match(lower(btrim(said)), '^(\d{1,6})\s*(business\s+)?([a-z]+)$');
BEGIN
	n := parts[1];
	business := parts[2] IS NOT NULL;
	unit := CASE WHEN parts[3] IN ('m', 'min', 'minute', 'minutes') THEN 'minutes' WHEN parts[3] IN ('h', 'hour', 'hours') THEN 'hours'
		WHEN parts[3] IN ('d', 'day', 'days') THEN 'days' WHEN parts[3] IN ('w', 'week', 'weeks') THEN 'weeks'
		WHEN parts[3] IN ('month', 'months') THEN 'months' WHEN parts[3] IN ('year', 'years') THEN 'years' END;
	IF n IS NULL OR n = 0 OR unit IS NULL OR business AND unit NOT IN ('minutes', 'hours') THEN
		RAISE EXCEPTION 'expected a time such as "24 hours", "3 days", "1 month" or "4 business hours", not "%"', left(said, 60)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
END $$;

-- When a time that begins at `start` is over. `ends`: 'exact'; 'day' gives days and longer until the end of their last day,
-- 'working-day' until the end of the first working day from that one on.
CREATE FUNCTION span_end(start timestamptz, said text, ends text, of_calendar int) RETURNS timestamptz LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	s record := span_read(said);
	zone text := (SELECT c.zone FROM calendar c WHERE c.id = of_calendar);
	last date;
BEGIN
	IF s.business THEN
		RETURN calendar_add(of_calendar, start, s.n * CASE s.unit WHEN 'hours' THEN 3600 ELSE 60 END);
	ELSIF s.unit IN ('hours', 'minutes') THEN
		RETURN start + make_interval(secs => s.n * CASE s.unit WHEN 'hours' THEN 3600.0 ELSE 60.0 END);
	ELSIF ends = 'exact' THEN
		RETURN timezone(zone, timezone(zone, start) + (s.n || ' ' || s.unit)::interval);
	END IF;
	last := (timezone(zone, start) + (s.n || ' ' || s.unit)::interval)::date;
	FOR n IN 1 .. 366 LOOP
		EXIT WHEN ends = 'day' OR calendar_works(of_calendar, last);
		last := last + 1;
	END LOOP;
	RETURN timezone(zone, (last + 1)::timestamp);
END $$;

-- ---- clocks ----

CREATE TABLE clock (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	case_id bigint NOT NULL REFERENCES cases,
	kind text NOT NULL CHECK (kind IN ('statutory', 'service')), -- statutory: time goes by whatever we do
	whose text NOT NULL CHECK (whose IN ('ours', 'theirs')),
	what text NOT NULL CHECK (octet_length(what) BETWEEN 1 AND 500),
	regime text NOT NULL DEFAULT '',  -- whose time this is: NIS; '' of a service clock
	filing bigint,                    -- of a statutory clock: its filing, stage, and what of that is due
	stage text NOT NULL DEFAULT '',
	act text NOT NULL DEFAULT '' CHECK (act IN ('', 'file', 'answer')),
	playbook text NOT NULL DEFAULT '', -- that started it
	calendar int NOT NULL REFERENCES calendar DEFAULT calendar_now(),
	business boolean NOT NULL DEFAULT false, -- counts working time only
	ends_by text NOT NULL DEFAULT '' CHECK (ends_by IN ('', 'taken', 'mailed', 'contained', 'resolved', 'closed')), -- meets it by itself
	started timestamptz NOT NULL DEFAULT now(),
	due timestamptz NOT NULL,
	warn_at timestamptz,              -- NULL: nobody is warned before
	warned timestamptz,
	breached timestamptz,             -- when that was noticed; it stays, whatever is done afterwards
	paused timestamptz,
	paused_by_wait boolean NOT NULL DEFAULT false,
	seconds_left numeric,             -- while it is paused
	met timestamptz,                  -- what was due happened, late or not
	ended timestamptz,                -- it counts no more, met or not
	why text NOT NULL DEFAULT '',     -- of what was done to it last
	CHECK (kind = 'service' OR paused IS NULL),
	CHECK (kind = 'service' OR NOT business),
	CHECK ((paused IS NULL) = (seconds_left IS NULL))
);
CREATE INDEX clock_case ON clock (case_id, id);
CREATE INDEX clock_filing ON clock (filing) WHERE filing IS NOT NULL;
CREATE INDEX clock_due ON clock (due) WHERE ended IS NULL AND paused IS NULL;
CREATE INDEX clock_unsaid ON clock (due) WHERE ended IS NULL AND paused IS NULL AND breached IS NULL;
CREATE INDEX clock_unwarned ON clock (warn_at) WHERE ended IS NULL AND paused IS NULL AND breached IS NULL AND warned IS NULL;
CREATE INDEX clock_breached ON clock (breached) WHERE breached IS NOT NULL;

-- Each time that a clock was given more time: for statutory ones nothing else moves them.
CREATE TABLE clock_extension (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	clock bigint NOT NULL REFERENCES clock,
	was timestamptz NOT NULL,
	due timestamptz NOT NULL CHECK (due > was),
	ground text NOT NULL CHECK (octet_length(ground) BETWEEN 1 AND 2000),
	actor text NOT NULL DEFAULT actor(),
	at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX clock_extension_clock ON clock_extension (clock);
CREATE TRIGGER clock_extension_stays BEFORE UPDATE OR DELETE ON clock_extension FOR EACH ROW EXECUTE FUNCTION refuse('extensions are added');

-- A statutory clock knows no pause and ends later only by its extensions, whoever writes.
CREATE FUNCTION clock_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	IF (NEW.id, NEW.case_id, NEW.kind, NEW.regime, NEW.calendar, NEW.business) IS DISTINCT FROM
		(OLD.id, OLD.case_id, OLD.kind, OLD.regime, OLD.calendar, OLD.business) THEN
		RAISE EXCEPTION 'a clock stays what it was started as' USING ERRCODE = 'check_violation';
	ELSIF OLD.kind = 'statutory' AND NEW.due > OLD.due AND NEW.started IS NOT DISTINCT FROM OLD.started
		AND NOT EXISTS (SELECT FROM clock_extension e WHERE e.clock = OLD.id AND e.due = NEW.due AND e.was = OLD.due) THEN
		RAISE EXCEPTION 'a statutory clock gets more time only by a legal ground: cirt clock extend % --ground TEXT', OLD.id
			USING ERRCODE = 'check_violation';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER clock_changes BEFORE UPDATE ON clock FOR EACH ROW EXECUTE FUNCTION clock_change();
CREATE TRIGGER clock_stays BEFORE DELETE ON clock FOR EACH ROW EXECUTE FUNCTION refuse('clocks are ended, never removed');

CREATE FUNCTION clock_journal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
DECLARE
	did text := CASE WHEN TG_OP = 'INSERT' THEN 'started'
		WHEN NEW.met IS DISTINCT FROM OLD.met THEN CASE WHEN NEW.met > NEW.due THEN 'met late' ELSE 'met' END
		WHEN NEW.ended IS DISTINCT FROM OLD.ended THEN 'ended'
		WHEN NEW.breached IS DISTINCT FROM OLD.breached THEN 'breached'
		WHEN NEW.paused IS DISTINCT FROM OLD.paused THEN CASE WHEN NEW.paused IS NULL THEN 'goes on' ELSE 'paused' END
		WHEN NEW.due IS DISTINCT FROM OLD.due THEN CASE WHEN NEW.due > OLD.due THEN 'extended' ELSE 'corrected' END
		WHEN NEW.warned IS DISTINCT FROM OLD.warned THEN 'warned' ELSE 'changed' END;
BEGIN
	PERFORM journal_add('case/' || (SELECT number FROM cases WHERE id = NEW.case_id), 'clock ' || did || ': ' || NEW.what || ', due '
			|| to_char(NEW.due, 'YYYY-MM-DD HH24:MI"Z"') || CASE WHEN NEW.why <> '' THEN ' (' || NEW.why || ')' ELSE '' END,
		CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD)::text END, to_jsonb(NEW)::text);
	RETURN NULL;
END $$;
CREATE TRIGGER clock_journal AFTER INSERT OR UPDATE ON clock FOR EACH ROW EXECUTE FUNCTION clock_journal();

-- ---- waiting ----

CREATE TABLE case_wait (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	case_id bigint NOT NULL REFERENCES cases,
	whom text NOT NULL CHECK (octet_length(whom) BETWEEN 1 AND 300),
	party bigint,                     -- of the case; NULL: whoever writes is the answer
	until timestamptz NOT NULL,
	came_from case_state NOT NULL,    -- where it goes back to
	since timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL DEFAULT actor(),
	ended timestamptz,
	ended_by text CHECK (ended_by IN ('answer', 'date', 'person')),
	letter bigint                     -- the answer
);
CREATE UNIQUE INDEX case_wait_one ON case_wait (case_id) WHERE ended IS NULL;
CREATE INDEX case_wait_until ON case_wait (until) WHERE ended IS NULL;
CREATE INDEX case_wait_case ON case_wait (case_id, id);
CREATE TRIGGER case_wait_journal AFTER INSERT OR UPDATE ON case_wait FOR EACH ROW EXECUTE FUNCTION journal_of_case('case_id');

-- ---- what a case shows, and what a case begins with ----

-- The clocks of a case and of what was merged into it that count, the next first.
CREATE FUNCTION case_clocks(of_case bigint) RETURNS json LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(json_agg(json_build_object('id', c.id, 'kind', c.kind, 'whose', c.whose, 'what', c.what, 'regime', nullif(c.regime, ''),
		'filing', c.filing, 'stage', nullif(c.stage, ''), 'act', nullif(c.act, ''), 'business', c.business, 'due', stamp(c.due),
		'warn_at', stamp(c.warn_at), 'state', CASE WHEN c.paused IS NOT NULL THEN 'paused' WHEN c.due <= now() THEN 'breached'
			ELSE 'running' END, 'seconds_left', c.seconds_left) ORDER BY c.paused IS NOT NULL, c.due, c.id), '[]')
	FROM clock c WHERE c.ended IS NULL AND c.case_id IN (SELECT id FROM cases WHERE id = of_case OR merged_into = of_case)
$$;

-- Whoever opens a case calls this once all that belongs to it stands there, and shows what it answers; what is left is done when the
-- transaction ends, so that every way to open a case counts. Does nothing a second time.
CREATE FUNCTION case_opened(of_case bigint) RETURNS json LANGUAGE sql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT '{"playbooks": []}'::json
$$;
CREATE FUNCTION case_opened_at_end() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM case_opened(NEW.id);
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER case_opened AFTER INSERT ON cases DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
	EXECUTE FUNCTION case_opened_at_end();

GRANT SELECT ON calendar, calendar_hours, calendar_holiday, clock, clock_extension, case_wait TO cirt_desk, cirt_keeper;
GRANT EXECUTE ON FUNCTION case_clocks, case_opened TO cirt_desk, cirt_keeper;
GRANT EXECUTE ON FUNCTION calendar_now, calendar_works, calendar_spans, calendar_add, calendar_between, span_read, span_end TO cirt_desk;
