-- What is done in a case besides its states: parties, tasks, countermeasures, the course of the incident, who watches, notes with what
-- they said before; and cases merged into one as one.
SET LOCAL search_path = cirt, pg_temp;
SELECT set_config('cirt.actor', 'migration', true);

-- ---- how a case ends ----

CREATE TABLE case_outcome (
	name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z-]{1,30}$'),
	place int NOT NULL UNIQUE,        -- in lists
	meaning text NOT NULL
);
INSERT INTO case_outcome (name, place, meaning) VALUES
	('resolved', 1, 'the cause is gone'),
	('mitigated', 2, 'the harm is stopped, the cause is still there'),
	('accepted', 3, 'its owner knows, and leaves it so'),
	('referred', 4, 'somebody else works on it: police, a regulator, another CIRT'),
	('no-answer', 5, 'nobody answered whom we asked'),
	('false-alarm', 6, 'nothing had happened'),
	('not-ours', 7, 'nobody that we serve is concerned'),
	('duplicate', 8, 'another case says it'),
	('unclear', 9, 'it could not be found out');

CREATE TABLE case_impact (
	name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z-]{1,30}$'),
	place int NOT NULL UNIQUE,
	meaning text NOT NULL
);
INSERT INTO case_impact (name, place, meaning) VALUES
	('none', 1, 'nothing was harmed'),
	('minor', 2, 'somebody had work with it, no service suffered'),
	('moderate', 3, 'a service suffered, or some data or money was lost'),
	('significant', 4, 'a service failed, or many were harmed: what the law calls a significant incident'),
	('severe', 5, 'lives, an essential service or the state were endangered');
GRANT SELECT ON case_outcome, case_impact TO cirt_desk, cirt_keeper;

ALTER TABLE cases ADD impact text REFERENCES case_impact, -- NULL: nobody has said yet
	ADD outcome_text text NOT NULL DEFAULT '';
-- The journal says what the row is now.
SELECT set_config('TimeZone', 'UTC', true);
SELECT journal_add('case/' || c.number, 'update', '{}', to_jsonb(c)::text) FROM cases c ORDER BY c.number;

CREATE INDEX cases_campaign ON cases (campaign, id) WHERE campaign IS NOT NULL;
CREATE INDEX cases_severity ON cases (coalesce(severity, -1), id) WHERE state NOT IN ('closed', 'rejected', 'merged');
CREATE INDEX cases_changed ON cases (changed, id);

-- ---- what stands in the journal ----

-- What people wrote of people is in the journal as a salted digest only, so that it can be erased and the erasure proved: the chain
-- holds, and says that it was this text. One row for each such column; a table that has one has a column `salt`.
CREATE TABLE personal_field (
	of_table text NOT NULL,
	field text NOT NULL,
	PRIMARY KEY (of_table, field)
);
INSERT INTO personal_field VALUES ('note', 'text'), ('note_revision', 'text'), ('party', 'name'), ('party', 'contact'), ('party', 'note'),
	('case_event', 'text');

CREATE FUNCTION salted_digest(salt bytea, said text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT encode(sha256(salt || convert_to(said, 'UTF8')), 'hex')
$$;
CREATE FUNCTION new_salt() RETURNS bytea LANGUAGE sql VOLATILE AS $$
	SELECT decode(replace(gen_random_uuid()::text, '-', ''), 'hex')
$$;

-- A row as the journal has it: a personal field F as F_digest (a note's text as digest), and never the salt.
CREATE FUNCTION journal_fields(of_table text, fields jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN count(*) = 0 THEN fields ELSE fields - 'salt' - array_agg(p.field)
		|| coalesce(jsonb_object_agg(CASE of_table WHEN 'note' THEN 'digest' ELSE p.field || '_digest' END,
			salted_digest((fields ->> 'salt')::bytea, fields ->> p.field)) FILTER (WHERE fields ->> p.field <> ''), '{}') END
	FROM personal_field p WHERE p.of_table = journal_fields.of_table
$$;

CREATE OR REPLACE FUNCTION journal_of_case() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
DECLARE
	was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN journal_fields(TG_TABLE_NAME, to_jsonb(OLD)) END;
	is_now jsonb := CASE WHEN TG_OP <> 'DELETE' THEN journal_fields(TG_TABLE_NAME, to_jsonb(NEW)) END;
	which bigint := coalesce(is_now, was) ->> TG_ARGV[0];
	number text;
BEGIN
	SELECT c.number INTO number FROM cases c WHERE c.id = which;
	PERFORM journal_add('case/' || number, TG_TABLE_NAME || CASE TG_OP WHEN 'INSERT' THEN '' ELSE ' ' || lower(TG_OP) END,
		was::text, is_now::text);
	RETURN NULL;
END $$;

-- ---- parties, references, tags ----

ALTER TYPE party_role ADD VALUE 'vendor';
ALTER TYPE party_role ADD VALUE 'other';

ALTER TABLE party ADD note text NOT NULL DEFAULT '',
	ADD language text NOT NULL DEFAULT '', -- '': that of the organisation's contact
	ADD added timestamptz NOT NULL DEFAULT now(),
	ADD added_by text NOT NULL DEFAULT actor(),
	ADD salt bytea NOT NULL DEFAULT new_salt();

-- Whose ticket it is, where a party gave it; the party goes, the reference stays.
ALTER TABLE reference ADD party bigint REFERENCES party ON DELETE SET NULL;

ALTER TABLE tag ADD added timestamptz NOT NULL DEFAULT now(),
	ADD retired timestamptz;          -- given to no case any more; what has it keeps it
CREATE TRIGGER tag_journal AFTER INSERT OR UPDATE OR DELETE ON tag FOR EACH ROW EXECUTE FUNCTION journal_row('tag', 'name');
SELECT journal_add('tag/' || t.name, 'insert', NULL, to_jsonb(t)::text) FROM tag t ORDER BY t.name;

CREATE TABLE case_watcher (
	case_id bigint NOT NULL REFERENCES cases,
	operator int NOT NULL REFERENCES operator,
	since timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (case_id, operator)
);
CREATE INDEX case_watcher_operator ON case_watcher (operator, case_id);
CREATE TRIGGER case_watcher_journal AFTER INSERT OR DELETE ON case_watcher FOR EACH ROW EXECUTE FUNCTION journal_of_case('case_id');

-- ---- notes ----

ALTER TABLE note ADD pinned boolean NOT NULL DEFAULT false, -- the last of these says how the case stands
	ADD edited timestamptz,
	ADD edited_by text,
	ADD erased timestamptz,
	ADD erased_by text,
	ADD CHECK (octet_length(text) <= 1000000);
CREATE INDEX note_pinned ON note (case_id, id) WHERE pinned;

-- What a note said before.
CREATE TABLE note_revision (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	note bigint NOT NULL REFERENCES note,
	case_id bigint NOT NULL REFERENCES cases,
	at timestamptz NOT NULL,          -- since when it said that
	actor text NOT NULL,
	text text NOT NULL,
	salt bytea NOT NULL
);
CREATE INDEX note_revision_note ON note_revision (note, id);
CREATE TRIGGER note_revision_journal AFTER INSERT OR UPDATE OR DELETE ON note_revision FOR EACH ROW
	EXECUTE FUNCTION journal_of_case('case_id');

-- A note is changed by keeping what it said, or erased with all that it ever said; both stand in the journal.
CREATE FUNCTION note_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	IF NEW.id <> OLD.id OR NEW.case_id <> OLD.case_id OR NEW.at <> OLD.at OR NEW.actor <> OLD.actor THEN
		RAISE EXCEPTION 'who wrote a note when in which case stays as it is' USING ERRCODE = 'check_violation';
	ELSIF OLD.erased IS NOT NULL THEN
		RAISE EXCEPTION 'note % was erased', OLD.id USING ERRCODE = 'check_violation';
	ELSIF NEW.erased IS NOT NULL THEN
		NEW.erased := now();
		NEW.erased_by := actor();
		NEW.text := '';
		NEW.salt := '';
		NEW.pinned := false;
		UPDATE note_revision SET text = '', salt = '' WHERE note = OLD.id;
	ELSIF NEW.text <> OLD.text THEN
		INSERT INTO note_revision (note, case_id, at, actor, text, salt)
			VALUES (OLD.id, OLD.case_id, coalesce(OLD.edited, OLD.at), coalesce(OLD.edited_by, OLD.actor), OLD.text, OLD.salt);
		NEW.edited := now();
		NEW.edited_by := actor();
		NEW.salt := new_salt();
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER note_changes BEFORE UPDATE ON note FOR EACH ROW EXECUTE FUNCTION note_changes();
CREATE TRIGGER note_stays BEFORE DELETE ON note FOR EACH ROW EXECUTE FUNCTION refuse('erase its text instead');

-- Rows whose columns are more than the journal knows: said again.
SELECT journal_add('case/' || c.number, k.what || ' update', NULL, journal_fields(k.what, k.fields)::text)
	FROM (SELECT 'note' AS what, case_id, id, to_jsonb(n) AS fields FROM note n
		UNION ALL SELECT 'party', case_id, id, to_jsonb(p) FROM party p
		UNION ALL SELECT 'reference', case_id, id, to_jsonb(r) FROM reference r) k
	JOIN cases c ON c.id = k.case_id ORDER BY c.number, k.what, k.id;

-- ---- tasks ----

CREATE TABLE task (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	case_id bigint NOT NULL REFERENCES cases,
	title text NOT NULL CHECK (octet_length(title) BETWEEN 1 AND 1000),
	state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'dropped')),
	assignee int REFERENCES operator,
	due timestamptz,
	origin text NOT NULL DEFAULT '',  -- the playbook that wants it; '': a person
	result text NOT NULL DEFAULT '' CHECK (octet_length(result) <= 10000), -- what came of it, or why it was dropped
	made timestamptz NOT NULL DEFAULT now(),
	made_by text NOT NULL DEFAULT actor(),
	ended timestamptz,
	ended_by text,
	CHECK ((state = 'open') = (ended IS NULL))
);
CREATE INDEX task_case ON task (case_id, id);
CREATE INDEX task_open ON task (coalesce(due, 'infinity'), id) WHERE state = 'open';
CREATE INDEX task_assignee ON task (assignee, coalesce(due, 'infinity'), id) WHERE state = 'open';
CREATE TRIGGER task_journal AFTER INSERT OR UPDATE ON task FOR EACH ROW EXECUTE FUNCTION journal_of_case('case_id');
CREATE TRIGGER task_stays BEFORE DELETE ON task FOR EACH ROW EXECUTE FUNCTION refuse('drop it instead');

-- What may become of a task.
CREATE TABLE task_transition (
	from_state text NOT NULL,
	to_state text NOT NULL,
	verb text NOT NULL,               -- of `cirt task`
	wants_result boolean NOT NULL DEFAULT false,
	PRIMARY KEY (from_state, to_state)
);
INSERT INTO task_transition VALUES ('open', 'done', 'done', false), ('open', 'dropped', 'drop', true),
	('done', 'open', 'reopen', true), ('dropped', 'open', 'reopen', true);

-- ---- what is due, and what keeps a case open ----

-- When something of a case is next due, for lists. Written by case_due_set() only.
CREATE TABLE case_due (
	case_id bigint PRIMARY KEY REFERENCES cases,
	due timestamptz NOT NULL
);
CREATE INDEX case_due_due ON case_due (due, case_id);

-- Whatever has a date in a case has its line here.
CREATE FUNCTION case_next_due(which bigint) RETURNS timestamptz LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT least((SELECT min(t.due) FROM task t WHERE t.case_id = ANY (f.ids) AND t.state = 'open'),
		(SELECT min(k.due) FROM clock k WHERE k.case_id = ANY (f.ids) AND k.ended IS NULL AND k.paused IS NULL AND k.whose = 'ours'),
		(SELECT min(w.until) FROM case_wait w WHERE w.case_id = ANY (f.ids) AND w.ended IS NULL),
		(SELECT min(i.due) FROM inquiry i WHERE i.case_id = ANY (f.ids) AND i.state = 'open'))
	FROM (SELECT case_whole(which) AS ids) f
$$;
-- To be called by whatever changes a date of a case.
CREATE FUNCTION case_due_set(which bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	whole bigint := case_now(which);
	next timestamptz := case_next_due(whole);
BEGIN
	IF next IS NULL THEN
		DELETE FROM case_due WHERE case_id = whole;
	ELSE
		INSERT INTO case_due (case_id, due) VALUES (whole, next)
			ON CONFLICT (case_id) DO UPDATE SET due = excluded.due WHERE case_due.due <> excluded.due;
	END IF;
	IF whole <> which THEN
		DELETE FROM case_due WHERE case_id = which;
	END IF;
END $$;
CREATE FUNCTION case_date_moved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM case_due_set(NEW.case_id);
	RETURN NULL;
END $$;
CREATE TRIGGER task_due AFTER INSERT OR UPDATE ON task FOR EACH ROW EXECUTE FUNCTION case_date_moved();
CREATE TRIGGER clock_due AFTER INSERT OR UPDATE ON clock FOR EACH ROW EXECUTE FUNCTION case_date_moved();
CREATE TRIGGER inquiry_due AFTER INSERT OR UPDATE ON inquiry FOR EACH ROW WHEN (NEW.case_id IS NOT NULL)
	EXECUTE FUNCTION case_date_moved();
CREATE TRIGGER case_wait_due AFTER INSERT OR UPDATE ON case_wait FOR EACH ROW EXECUTE FUNCTION case_date_moved();

-- Why a case cannot be closed yet, one row for each reason; texts for people that name the next step.
CREATE FUNCTION case_open_ends(which bigint) RETURNS TABLE (what text) LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT format('task %s is open: %s (cirt task done %s)', t.id, left(t.title, 200), t.id) FROM task t
	WHERE t.case_id = ANY (case_whole(which)) AND t.state = 'open' ORDER BY t.id
$$;

-- ---- the course of the incident ----

-- What happened when in the incident, as far as anybody knows: apart from the journal, which says what we did.
CREATE TABLE case_event (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	case_id bigint NOT NULL REFERENCES cases,
	at timestamptz NOT NULL,          -- when it happened
	until timestamptz,                -- where it lasted
	about boolean NOT NULL DEFAULT false, -- the time is not known exactly
	text text NOT NULL CHECK (octet_length(text) BETWEEN 1 AND 10000),
	told_by text NOT NULL DEFAULT '', -- who says so
	added timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL DEFAULT actor(),
	salt bytea NOT NULL DEFAULT new_salt(),
	CHECK (until >= at)
);
CREATE INDEX case_event_case ON case_event (case_id, at, id);
CREATE TRIGGER case_event_journal AFTER INSERT OR UPDATE OR DELETE ON case_event FOR EACH ROW EXECUTE FUNCTION journal_of_case('case_id');

-- ---- countermeasures ----

CREATE TABLE measure_kind (
	name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z-]{1,30}$'),
	place int NOT NULL UNIQUE,
	meaning text NOT NULL
);
INSERT INTO measure_kind (name, place, meaning) VALUES
	('dns-block', 1, 'a name is not resolved'),
	('address-block', 2, 'an address or prefix is not reached'),
	('url-block', 3, 'a page is refused by proxies or browsers'),
	('mail-block', 4, 'mails of a sender are refused'),
	('sinkhole', 5, 'a name or address leads to us'),
	('takedown', 6, 'a page or server is gone'),
	('isolation', 7, 'a system is off the network'),
	('account-lock', 8, 'an account is locked'),
	('patch', 9, 'a fix is installed'),
	('monitoring', 10, 'somebody watches it'),
	('other', 11, 'something else');

-- A countermeasure has an owner and dates of its own, and stays when its case is closed.
CREATE TABLE measure (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind text NOT NULL REFERENCES measure_kind,
	target text NOT NULL CHECK (octet_length(target) BETWEEN 1 AND 1000), -- what is blocked, watched …
	case_id bigint REFERENCES cases,
	owner int NOT NULL REFERENCES operator,
	done_by text NOT NULL DEFAULT '', -- who carries it out: an operator of the network, a registrar
	reason text NOT NULL DEFAULT '',
	since timestamptz NOT NULL DEFAULT now(),
	made_by text NOT NULL DEFAULT actor(),
	review timestamptz,               -- somebody has to look at it then
	reviewed timestamptz,
	reviewed_by text,
	expires timestamptz,              -- it must not stand longer; NULL: until it is ended
	ended timestamptz,
	ended_by text,
	end_reason text NOT NULL DEFAULT '',
	CHECK ((ended IS NULL) = (ended_by IS NULL))
);
CREATE INDEX measure_case ON measure (case_id, id) WHERE case_id IS NOT NULL;
CREATE INDEX measure_due ON measure (least(review, expires), id) WHERE ended IS NULL;
CREATE INDEX measure_target ON measure (target);
CREATE TRIGGER measure_journal AFTER INSERT OR UPDATE ON measure FOR EACH ROW EXECUTE FUNCTION journal_row('measure', 'id');
CREATE TRIGGER measure_stays BEFORE DELETE ON measure FOR EACH ROW EXECUTE FUNCTION refuse('end it instead');
CREATE TRIGGER measure_of_case AFTER INSERT OR UPDATE ON measure FOR EACH ROW WHEN (NEW.case_id IS NOT NULL)
	EXECUTE FUNCTION journal_of_case('case_id');

-- The dates for which an alarm was raised, so that one that somebody has seen stays seen.
CREATE TABLE measure_alarm (
	measure bigint NOT NULL REFERENCES measure,
	what text NOT NULL CHECK (what IN ('review', 'expired')),
	at timestamptz NOT NULL,
	PRIMARY KEY (measure, what, at)
);

-- ---- two people at one case ----

-- The row of a case's chain that says all that is so now: what `case show` calls its revision.
CREATE FUNCTION case_revision(which bigint) RETURNS bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(max(h.n), 0) FROM cases c JOIN journal_head h ON h.object = 'case/' || c.number WHERE c.id = which
$$;

-- Lock a case for a change. `if` of p is the revision that whoever asks has seen: where somebody else has changed the case itself
-- since, refuse, and say what, who and when (SQLSTATE CT001; the revision of now as detail). Call it before anything is read.
CREATE FUNCTION case_expect(which bigint, p jsonb) RETURNS cases LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	seen bigint;
	what text;
BEGIN
	SELECT * INTO c FROM cases WHERE id = which FOR UPDATE;
	IF NOT p ? 'if' THEN
		RETURN c;
	ELSIF p ->> 'if' !~ '^[0-9]{1,18}$' THEN
		RAISE EXCEPTION 'if: expected a revision, as `cirt case show` says it, not "%"', left(p ->> 'if', 60)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	seen := (p ->> 'if')::bigint;
	SELECT string_agg(format('%s %s: %s', to_char(to_timestamp(j.at / 1e6), 'YYYY-MM-DD HH24:MI:SS"Z"'), j.actor, j.says), E'\n' ORDER BY j.n)
		INTO what
		FROM (SELECT u.n, u.at, u.actor, case_journal_text(c.number, u.action, u.before, u.after) AS says FROM journal u
			WHERE u.object = 'case/' || c.number AND u.n > seen AND u.action = 'update' AND u.actor <> actor() ORDER BY u.n DESC LIMIT 20) j
		WHERE j.says IS NOT NULL;
	IF what IS NOT NULL THEN
		RAISE EXCEPTION E'% was changed since you saw it:\n%\nSay it again if it still holds.', c.number, what
			USING ERRCODE = 'CT001', DETAIL = case_revision(c.id)::text;
	END IF;
	RETURN c;
END $$;

-- ---- rights ----

REVOKE ALL ON FUNCTION salted_digest, new_salt, journal_fields, note_changes, case_next_due, case_due_set, case_date_moved,
	case_open_ends, case_revision, case_expect FROM PUBLIC;
GRANT EXECUTE ON FUNCTION case_open_ends, case_revision, case_expect, case_due_set, new_salt,
	case_next_due TO cirt_desk, cirt_keeper;
GRANT EXECUTE ON FUNCTION new_salt TO cirt_store;
GRANT SELECT, INSERT, DELETE ON case_watcher TO cirt_desk;
GRANT SELECT ON note_revision, task_transition, case_due, measure_kind TO cirt_desk, cirt_keeper;
GRANT UPDATE ON note TO cirt_desk;
GRANT SELECT, INSERT, UPDATE ON task, measure TO cirt_desk;
GRANT SELECT, INSERT ON task TO cirt_keeper;
GRANT SELECT ON case_watcher, case_event, measure TO cirt_keeper;
GRANT SELECT, INSERT, UPDATE, DELETE ON case_event TO cirt_desk;
GRANT SELECT, INSERT ON measure_alarm TO cirt_keeper;
