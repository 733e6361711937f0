-- Questions: to one party of a case, or to many organisations at once; and what mails of cases need besides.
SET LOCAL search_path = cirt, pg_temp;

-- One question to many.
CREATE TABLE ask (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	case_id bigint REFERENCES cases,
	whom text NOT NULL,               -- as it was said: a group, 'sector:health'
	subject text NOT NULL,
	question text NOT NULL,
	tlp tlp NOT NULL DEFAULT 'amber',
	exercise int NOT NULL DEFAULT 0 REFERENCES exercise,
	created timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL DEFAULT actor(),
	until timestamptz NOT NULL,
	remind timestamptz,               -- when who has not answered is reminded; NULL: not by itself, or it was done
	reminded timestamptz,
	closed timestamptz                -- nothing is expected any more
);
CREATE INDEX ask_case ON ask (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX ask_open ON ask (until) WHERE closed IS NULL;

CREATE TYPE inquiry_state AS ENUM ('open', 'answered', 'dropped');

-- One question to one: its mail has a reply address of its own, so that an answer is known to be one.
CREATE TABLE inquiry (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	case_id bigint REFERENCES cases,
	ask int REFERENCES ask,           -- one of many; of a case or of none
	party bigint,                     -- of the case, as it was; its name and address stand here
	organisation int REFERENCES organisation,
	name text NOT NULL DEFAULT '',
	address text NOT NULL DEFAULT '', -- '': not by mail
	question text NOT NULL,
	state inquiry_state NOT NULL DEFAULT 'open',
	due timestamptz NOT NULL,
	asked timestamptz NOT NULL DEFAULT now(),
	asked_by text NOT NULL DEFAULT actor(),
	outbox bigint REFERENCES outbox,  -- the question; NULL: by phone, or whoever is asked cannot be reached
	reminders int NOT NULL DEFAULT 0,
	reminded timestamptz,
	overdue timestamptz,              -- when somebody was told that it is
	ended timestamptz,                -- answered or dropped
	ended_by text,
	mail bigint,                      -- the first mail that answers it: report or item
	word text NOT NULL DEFAULT '' CHECK (word IN ('', 'yes', 'no', 'checking', 'other')),
	answer text NOT NULL DEFAULT '',  -- in words of an operator, or why it was dropped
	CHECK (case_id IS NOT NULL OR ask IS NOT NULL),
	CHECK ((state = 'open') = (ended IS NULL))
);
CREATE INDEX inquiry_case ON inquiry (case_id, id) WHERE case_id IS NOT NULL;
CREATE INDEX inquiry_ask ON inquiry (ask, id) WHERE ask IS NOT NULL;
CREATE INDEX inquiry_due ON inquiry (due) WHERE state = 'open';
CREATE TRIGGER inquiry_journal AFTER INSERT OR UPDATE ON inquiry FOR EACH ROW
	EXECUTE FUNCTION journal_row('inquiry', 'id', 'question', 'answer', 'address', 'name');
CREATE TRIGGER ask_journal AFTER INSERT OR UPDATE ON ask FOR EACH ROW EXECUTE FUNCTION journal_row('ask', 'id', 'question');
CREATE TRIGGER inquiry_stays BEFORE DELETE ON inquiry FOR EACH ROW EXECUTE FUNCTION refuse('a question is dropped, never removed');
CREATE TRIGGER ask_stays BEFORE DELETE ON ask FOR EACH ROW EXECUTE FUNCTION refuse('a question is closed, never removed');

ALTER TABLE outbox
	ADD inquiry bigint REFERENCES inquiry, -- it asks, or reminds
	ADD answers bigint;               -- the mail of theirs that it answers: report or item
CREATE INDEX outbox_inquiry ON outbox (inquiry, id) WHERE inquiry IS NOT NULL;
CREATE INDEX outbox_answers ON outbox (answers) WHERE answers IS NOT NULL;

-- A case, and the cases that were merged into it.
CREATE FUNCTION case_whole(which bigint) RETURNS bigint[] LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH RECURSIVE whole(id, step) AS (
		SELECT which, 0 UNION ALL SELECT c.id, step + 1 FROM whole w JOIN cases c ON c.merged_into = w.id WHERE step < 100)
	SELECT array_agg(id ORDER BY id) FROM whole
$$;
CREATE INDEX cases_merged_into ON cases (merged_into) WHERE merged_into IS NOT NULL;

-- Questions of a case, open ones first: a list; those of one `ask` are one entry with a tally.
CREATE OR REPLACE FUNCTION case_inquiries(case_id bigint) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH mine AS (SELECT i.* FROM inquiry i WHERE i.case_id = ANY (case_whole(case_inquiries.case_id))),
	lines AS (
		SELECT i.state <> 'open' AS over, i.due, i.id AS key, jsonb_strip_nulls(jsonb_build_object('inquiry', i.id, 'to',
			coalesce(nullif(i.name, ''), i.address), 'state', CASE WHEN i.state = 'open' AND i.due < now() THEN 'overdue' ELSE i.state::text END,
			'asked', stamp(i.asked), 'due', stamp(i.due), 'question', left(i.question, 200), 'answered', CASE i.state WHEN 'answered' THEN
			stamp(i.ended) END, 'mail', report_number(i.mail), 'answer', nullif(left(i.answer, 200), ''), 'number', o.number)) AS line
		FROM mine i LEFT JOIN outbox o ON o.id = i.outbox WHERE i.ask IS NULL
		UNION ALL SELECT bool_and(i.state <> 'open'), a.until, a.id, jsonb_build_object('ask', a.id, 'to', a.whom, 'state',
			CASE WHEN bool_and(i.state <> 'open') THEN 'answered' WHEN a.until < now() THEN 'overdue' ELSE 'open' END, 'asked', stamp(a.created),
			'due', stamp(a.until), 'question', left(a.question, 200), 'of', count(*), 'yes', count(*) FILTER (WHERE i.word = 'yes'),
			'no', count(*) FILTER (WHERE i.word = 'no'), 'checking', count(*) FILTER (WHERE i.word = 'checking'),
			'other', count(*) FILTER (WHERE i.word = 'other'), 'silent', count(*) FILTER (WHERE i.word = ''))
		FROM mine i JOIN ask a ON a.id = i.ask GROUP BY a.id)
	SELECT coalesce(json_agg(line ORDER BY over, due, key), '[]') FROM lines
$$;

REVOKE ALL ON FUNCTION case_whole, case_inquiries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION case_whole TO cirt_desk, cirt_keeper;
GRANT EXECUTE ON FUNCTION case_inquiries TO cirt_desk;
GRANT SELECT, INSERT, UPDATE ON ask, inquiry TO cirt_desk;
GRANT SELECT ON ask, inquiry TO cirt_keeper;
