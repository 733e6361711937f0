-- Cases: what a person works on.
SET LOCAL search_path = cirt, pg_temp;

CREATE TABLE case_number (
	year int PRIMARY KEY,
	last int NOT NULL
);

CREATE TABLE cases (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	number text NOT NULL UNIQUE,      -- '2026-000412'; given by the database
	title text NOT NULL,
	state case_state NOT NULL DEFAULT 'new',
	severity smallint CHECK (severity BETWEEN 0 AND 100),
	tlp tlp NOT NULL DEFAULT 'amber',
	pap pap NOT NULL DEFAULT 'amber',
	type rsit_type NOT NULL DEFAULT 'undetermined',
	identifier text NOT NULL DEFAULT '',
	organisation int REFERENCES organisation,
	assignee int REFERENCES operator,
	restricted boolean NOT NULL DEFAULT false,
	exercise int NOT NULL DEFAULT 0 REFERENCES exercise,
	campaign bigint REFERENCES cases,
	merged_into bigint REFERENCES cases,
	opened timestamptz NOT NULL DEFAULT now(),
	opened_by text NOT NULL DEFAULT actor(),
	changed timestamptz NOT NULL DEFAULT now(),
	reason text NOT NULL DEFAULT '',  -- of the last change of state
	outcome text NOT NULL DEFAULT '', -- what closing wants
	CHECK ((state = 'merged') = (merged_into IS NOT NULL))
);
CREATE INDEX cases_open ON cases (id) WHERE state NOT IN ('closed', 'rejected', 'merged');
CREATE INDEX cases_state ON cases (state, id);
CREATE INDEX cases_assignee ON cases (assignee, id) WHERE assignee IS NOT NULL;
CREATE INDEX cases_organisation ON cases (organisation, id) WHERE organisation IS NOT NULL;

-- The state machine. from NULL: a case may begin so.
CREATE TABLE case_transition (
	from_state case_state,
	to_state case_state NOT NULL,
	wants_reason boolean NOT NULL DEFAULT false,
	wants_outcome boolean NOT NULL DEFAULT false,
	UNIQUE NULLS NOT DISTINCT (from_state, to_state)
);
INSERT INTO case_transition (from_state, to_state, wants_reason, wants_outcome) VALUES
	(NULL, 'new', false, false), (NULL, 'open', false, false),
	('new', 'open', false, false), ('new', 'waiting', false, false), ('new', 'contained', false, false),
	('open', 'waiting', false, false), ('open', 'contained', false, false), ('open', 'resolved', false, false),
	('waiting', 'open', false, false), ('waiting', 'contained', false, false), ('waiting', 'resolved', false, false),
	('contained', 'open', false, false), ('contained', 'waiting', false, false), ('contained', 'resolved', false, false),
	('resolved', 'open', true, false), ('resolved', 'closed', false, true),
	('open', 'closed', false, true), ('waiting', 'closed', false, true), ('contained', 'closed', false, true),
	('closed', 'open', true, false), ('rejected', 'open', true, false),
	('new', 'rejected', true, false), ('open', 'rejected', true, false), ('waiting', 'rejected', true, false),
	('new', 'merged', false, false), ('open', 'merged', false, false), ('waiting', 'merged', false, false),
	('contained', 'merged', false, false), ('resolved', 'merged', false, false),
	('merged', 'open', true, false);

CREATE FUNCTION case_new() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	this_year int := extract(year FROM timezone('UTC', now()));
	n int;
BEGIN
	IF NOT EXISTS (SELECT 1 FROM case_transition WHERE from_state IS NULL AND to_state = NEW.state) THEN
		RAISE EXCEPTION 'a case does not begin as %', NEW.state USING ERRCODE = 'check_violation';
	END IF;
	INSERT INTO case_number AS c VALUES (this_year, 1) ON CONFLICT (year) DO UPDATE SET last = c.last + 1 RETURNING last INTO n;
	NEW.number := this_year || '-' || lpad(n::text, 6, '0');
	RETURN NEW;
END $$;
CREATE TRIGGER case_begins BEFORE INSERT ON cases FOR EACH ROW EXECUTE FUNCTION case_new();

CREATE FUNCTION case_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	t case_transition;
BEGIN
	IF NEW.id <> OLD.id OR NEW.number <> OLD.number OR NEW.opened <> OLD.opened THEN
		RAISE EXCEPTION 'number and opening of a case stay as they are' USING ERRCODE = 'check_violation';
	END IF;
	IF OLD.exercise <> 0 AND NEW.exercise <> OLD.exercise THEN
		RAISE EXCEPTION 'an exercise stays an exercise' USING ERRCODE = 'check_violation';
	END IF;
	NEW.changed := now();
	IF NEW.state = OLD.state THEN
		RETURN NEW;
	END IF;
	SELECT * INTO t FROM case_transition WHERE from_state = OLD.state AND to_state = NEW.state;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'a case does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation',
			HINT = (SELECT 'from here it goes to ' || string_agg(to_state::text, ', ' ORDER BY to_state) FROM case_transition
				WHERE from_state = OLD.state);
	END IF;
	IF NEW.reason IS NOT DISTINCT FROM OLD.reason THEN
		NEW.reason := '';
	END IF;
	IF t.wants_reason AND NEW.reason = '' THEN
		RAISE EXCEPTION 'from % to % wants a reason', OLD.state, NEW.state USING ERRCODE = 'check_violation';
	END IF;
	IF t.wants_outcome AND NEW.outcome = '' THEN
		RAISE EXCEPTION 'closing wants an outcome' USING ERRCODE = 'check_violation';
	END IF;
	IF OLD.state = 'merged' THEN
		NEW.merged_into := NULL;
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER case_changes BEFORE UPDATE ON cases FOR EACH ROW EXECUTE FUNCTION case_change();
CREATE TRIGGER case_journal AFTER INSERT OR UPDATE ON cases FOR EACH ROW EXECUTE FUNCTION journal_row('case', 'number');
CREATE TRIGGER case_stays BEFORE DELETE ON cases FOR EACH ROW EXECUTE FUNCTION refuse('cases are closed, never removed');
CREATE TRIGGER case_stays_whole BEFORE TRUNCATE ON cases EXECUTE FUNCTION refuse('cases are closed, never removed');

-- Reports of a case. A report is in one case at a time; leaving sets `ended`, and the row stays.
CREATE TABLE case_report (
	report bigint NOT NULL,
	case_id bigint NOT NULL REFERENCES cases,
	rule int,                         -- correlation_rule that attached it; NULL: a person did
	added timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL DEFAULT actor(),
	ended timestamptz,
	PRIMARY KEY (report, case_id)
);
CREATE UNIQUE INDEX case_report_one ON case_report (report) WHERE ended IS NULL;
CREATE INDEX case_report_case ON case_report (case_id, report) WHERE ended IS NULL;

-- How many reports a case has now, so that no list counts.
CREATE TABLE case_tally (
	case_id bigint PRIMARY KEY REFERENCES cases,
	reports bigint NOT NULL,
	last_added timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- One journal row and one tally per case and statement, holding count and digest of the ids: attach in batches.
CREATE FUNCTION case_report_moved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	moved record;
BEGIN
	FOR moved IN EXECUTE CASE WHEN TG_OP = 'INSERT' THEN
		'SELECT c.number, c.id, count(*) AS n, ''reports added'' AS action, string_agg(a.report::text, '','' ORDER BY a.report) AS ids
			FROM added a JOIN cases c ON c.id = a.case_id WHERE a.ended IS NULL GROUP BY c.number, c.id ORDER BY c.number'
	ELSE
		'SELECT c.number, c.id, sum(CASE WHEN a.ended IS NULL THEN 1 ELSE -1 END) AS n,
			CASE WHEN a.ended IS NULL THEN ''reports added'' ELSE ''reports removed'' END AS action,
			string_agg(a.report::text, '','' ORDER BY a.report) AS ids
			FROM added a JOIN removed r ON r.report = a.report AND r.case_id = a.case_id JOIN cases c ON c.id = a.case_id
			WHERE (a.ended IS NULL) <> (r.ended IS NULL) GROUP BY c.number, c.id, a.ended IS NULL ORDER BY c.number'
	END LOOP
		INSERT INTO case_tally AS t (case_id, reports) VALUES (moved.id, moved.n)
			ON CONFLICT (case_id) DO UPDATE SET reports = t.reports + excluded.reports, last_added = now();
		PERFORM journal_add('case/' || moved.number, moved.action, NULL, jsonb_build_object('count', abs(moved.n),
			'digest', encode(sha256(convert_to(moved.ids, 'UTF8')), 'hex'),
			'first', split_part(moved.ids, ',', 1))::text);
	END LOOP;
	RETURN NULL;
END $$;
CREATE TRIGGER case_report_added AFTER INSERT ON case_report REFERENCING NEW TABLE AS added FOR EACH STATEMENT
	EXECUTE FUNCTION case_report_moved();
CREATE TRIGGER case_report_ended AFTER UPDATE ON case_report REFERENCING OLD TABLE AS removed NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION case_report_moved();
CREATE TRIGGER case_report_stays BEFORE DELETE ON case_report FOR EACH ROW EXECUTE FUNCTION refuse('set ended instead');
CREATE TRIGGER case_report_stays_whole BEFORE TRUNCATE ON case_report EXECUTE FUNCTION refuse('set ended instead');

-- Which open case takes the reports of a key: one at most per lane, rule and key.
CREATE TABLE case_key (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	exercise int NOT NULL,
	rule int NOT NULL,                -- correlation_rule
	key text NOT NULL CHECK (octet_length(key) <= 2000),
	case_id bigint REFERENCES cases,
	until timestamptz NOT NULL,       -- takes more until then
	closed boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX case_key_open ON case_key (exercise, rule, key) WHERE NOT closed;
CREATE INDEX case_key_case ON case_key (case_id) WHERE NOT closed;

CREATE TABLE case_link (
	a bigint NOT NULL REFERENCES cases, -- merged: a went into b; split: a came out of b
	b bigint NOT NULL REFERENCES cases,
	kind case_link_kind NOT NULL,
	reason text NOT NULL DEFAULT '',
	actor text NOT NULL DEFAULT actor(),
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (a, b, kind, at),
	CHECK (a <> b)
);
CREATE INDEX case_link_b ON case_link (b);

-- A note's text is in the journal as a salted digest only, so that it can be erased and the erasure proved.
CREATE TABLE note (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	case_id bigint NOT NULL REFERENCES cases,
	at timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL DEFAULT actor(),
	text text NOT NULL,
	salt bytea NOT NULL DEFAULT decode(replace(gen_random_uuid()::text, '-', ''), 'hex')
);
CREATE INDEX note_case ON note (case_id, id);

CREATE TABLE party (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	case_id bigint NOT NULL REFERENCES cases,
	role party_role NOT NULL,
	organisation int REFERENCES organisation,
	name text NOT NULL DEFAULT '',
	contact text NOT NULL DEFAULT ''
);
CREATE INDEX party_case ON party (case_id, id);

CREATE TABLE case_tag (
	case_id bigint NOT NULL REFERENCES cases,
	tag text NOT NULL REFERENCES tag,
	PRIMARY KEY (case_id, tag)
);

-- Their ticket, a police file, a MISP uuid.
CREATE TABLE reference (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	case_id bigint NOT NULL REFERENCES cases,
	system text NOT NULL,
	value text NOT NULL CHECK (octet_length(value) <= 1000)
);
CREATE INDEX reference_value ON reference (value, system);
CREATE INDEX reference_case ON reference (case_id, id);

-- Keeps something from retention. object: as in the journal.
CREATE TABLE hold (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	object text NOT NULL,
	reason text NOT NULL,
	actor text NOT NULL DEFAULT actor(),
	since timestamptz NOT NULL DEFAULT now(),
	until timestamptz
);
CREATE INDEX hold_object ON hold (object);
CREATE TRIGGER hold_journal AFTER INSERT OR UPDATE ON hold FOR EACH ROW EXECUTE FUNCTION journal_row('hold', 'id');

-- What belongs to a case goes into the case's chain.
CREATE FUNCTION journal_of_case() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
DECLARE
	was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
	is_now jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
	which bigint := coalesce(is_now, was) ->> TG_ARGV[0];
	number text;
BEGIN
	IF TG_TABLE_NAME = 'note' THEN
		was := was - 'text' - 'salt' || jsonb_build_object('digest', encode(sha256(OLD.salt || convert_to(OLD.text, 'UTF8')), 'hex'));
		is_now := is_now - 'text' - 'salt'
			|| jsonb_build_object('digest', encode(sha256(NEW.salt || convert_to(NEW.text, 'UTF8')), 'hex'));
	END IF;
	SELECT c.number INTO number FROM cases c WHERE c.id = which;
	PERFORM journal_add('case/' || number, TG_TABLE_NAME || CASE TG_OP WHEN 'INSERT' THEN '' ELSE ' ' || lower(TG_OP) END,
		was::text, is_now::text);
	RETURN NULL;
END $$;
CREATE TRIGGER note_journal AFTER INSERT OR UPDATE OR DELETE ON note FOR EACH ROW EXECUTE FUNCTION journal_of_case('case_id');
CREATE TRIGGER party_journal AFTER INSERT OR UPDATE OR DELETE ON party FOR EACH ROW EXECUTE FUNCTION journal_of_case('case_id');
CREATE TRIGGER case_tag_journal AFTER INSERT OR DELETE ON case_tag FOR EACH ROW EXECUTE FUNCTION journal_of_case('case_id');
CREATE TRIGGER reference_journal AFTER INSERT OR UPDATE OR DELETE ON reference FOR EACH ROW
	EXECUTE FUNCTION journal_of_case('case_id');
CREATE TRIGGER case_link_journal AFTER INSERT ON case_link FOR EACH ROW EXECUTE FUNCTION journal_of_case('a');
CREATE TRIGGER case_link_journal_b AFTER INSERT ON case_link FOR EACH ROW EXECUTE FUNCTION journal_of_case('b');
CREATE TRIGGER case_link_stays BEFORE UPDATE OR DELETE ON case_link FOR EACH ROW EXECUTE FUNCTION refuse('links are added');

-- Find every edit: chains, and rows that are not what the journal says.
CREATE FUNCTION audit_verify() RETURNS TABLE (object text, n bigint, problem text) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT * FROM audit_journal()
	UNION ALL SELECT * FROM audit_rows('cases', 'case', 'number')
	UNION ALL SELECT * FROM audit_rows('operator', 'operator', 'name')
	UNION ALL SELECT * FROM audit_rows('source', 'source', 'name', 'auth')
$$;
