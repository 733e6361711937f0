-- What leaves, to whom, and what must not: the gate in the database, the mails that go out, and a row for everything told to anybody.
SET LOCAL search_path = cirt, pg_temp;

GRANT USAGE ON SCHEMA cirt TO cirt_courier;
GRANT SELECT ON migration, revision TO cirt_courier;
GRANT EXECUTE ON FUNCTION rsit_class, severity_name, report_number TO cirt_courier;

-- ---- the gate ----

-- What somebody is to the report that he is told of. source: who told it to us. provider: whoever runs the address or name, and is
-- none of ours: a hoster, a registrar, an abuse desk.
CREATE TYPE recipient_kind AS ENUM ('source', 'affected', 'sector', 'foreign', 'provider');
-- sanitised: address, time and what; nothing of the source, no text, nothing of what others said.
CREATE TYPE disclosure_form AS ENUM ('full', 'sanitised');
-- What a source has allowed when it was asked.
CREATE TYPE release_kind AS ENUM ('none', 'sanitised', 'full');
-- sanitise: only in that form. ask: the source, first. approve: two people, first.
CREATE TYPE gate_verdict AS ENUM ('allow', 'sanitise', 'approve', 'ask', 'refuse');

-- As gate_decide() of daemon/model/gate.h, which a test holds this against for every combination.
CREATE FUNCTION gate_decide(of_tlp tlp, of_pap pap, may_notify boolean, restricted boolean, released release_kind, kind recipient_kind,
	exercise boolean, in_directory boolean) RETURNS gate_verdict LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = cirt, pg_temp AS $$
	SELECT CASE
		WHEN of_tlp IS NULL OR of_pap IS NULL OR may_notify IS NULL OR restricted IS NULL OR released IS NULL OR kind IS NULL
			OR exercise IS NULL OR in_directory IS NULL THEN 'refuse'
		WHEN exercise AND NOT in_directory THEN 'refuse'
		WHEN kind = 'source' THEN 'allow'
		WHEN of_pap = 'red' AND kind = 'provider' THEN 'refuse'
		WHEN released = 'full' THEN 'allow'
		WHEN released = 'sanitised' THEN 'sanitise'
		WHEN restricted OR NOT may_notify THEN 'ask'
		WHEN of_tlp IN ('red', 'amber+strict') AND kind = 'affected' THEN 'sanitise'
		WHEN of_tlp IN ('red', 'amber+strict') THEN 'ask'
		WHEN of_pap = 'amber' AND kind = 'provider' THEN 'approve'
		WHEN of_tlp = 'amber' AND kind = 'foreign' THEN 'approve'
		WHEN of_tlp IN ('amber', 'green') AND kind = 'provider' THEN 'sanitise'
		WHEN of_tlp IN ('amber', 'green', 'clear') THEN 'allow'
		ELSE 'refuse'
	END::gate_verdict
$$;

-- Does that verdict let this form out?
CREATE FUNCTION gate_lets(verdict gate_verdict, form disclosure_form, approved boolean) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(verdict = 'allow' OR (verdict = 'sanitise' AND form = 'sanitised') OR (verdict = 'approve' AND approved), false)
$$;

-- The only places where what belongs to a drill may go: an address, or @domain.
CREATE TABLE exercise_directory (
	exercise int NOT NULL REFERENCES exercise CHECK (exercise <> 0),
	address text NOT NULL CHECK (address = lower(address) AND address ~ '^[^@\s]*@[^@\s]+$'),
	PRIMARY KEY (exercise, address)
);
CREATE TRIGGER exercise_directory_journal AFTER INSERT OR UPDATE OR DELETE ON exercise_directory FOR EACH ROW
	EXECUTE FUNCTION journal_row('exercise', 'exercise');
CREATE FUNCTION in_directory(of_exercise int, of_address text) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT EXISTS (SELECT 1 FROM exercise_directory d WHERE d.exercise = of_exercise
		AND d.address IN (lower(of_address), '@' || lower(split_part(of_address, '@', 2))))
$$;

-- What sources were asked and have allowed; the answer is evidence. The last answer about a report holds.
CREATE TABLE release (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	report bigint NOT NULL,
	source int NOT NULL REFERENCES source,
	asked timestamptz NOT NULL DEFAULT now(),
	asked_by text NOT NULL DEFAULT actor(),
	outbox bigint,                    -- the question; NULL: by phone
	granted release_kind,             -- NULL: no answer yet; 'none': refused
	answered timestamptz,
	answered_by text,                 -- the operator who wrote it down
	answer bigint,                    -- the mail that says so: report or item
	note text NOT NULL DEFAULT '',
	CHECK ((granted IS NULL) = (answered IS NULL))
);
CREATE INDEX release_report ON release (report, id);
CREATE INDEX release_open ON release (asked) WHERE granted IS NULL;
CREATE TRIGGER release_journal AFTER INSERT OR UPDATE ON release FOR EACH ROW EXECUTE FUNCTION journal_row('release', 'id');
CREATE TRIGGER release_grows BEFORE DELETE ON release FOR EACH ROW EXECUTE FUNCTION refuse('an answer is evidence');

CREATE FUNCTION released(of_report bigint) RETURNS release_kind LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT granted FROM release WHERE report = of_report AND granted IS NOT NULL ORDER BY answered DESC, id DESC LIMIT 1),
		'none')
$$;

-- ---- mails out ----

CREATE TYPE outbox_kind AS ENUM ('notice', 'one-shot', 'key-waits', 'release', 'acknowledgement', 'mail');
-- bundling: more may be added until it is due. held: a person has to do something first, which `why` says. ready: an operator or the
-- clock lets it go. queued: the courier's. Where a connection breaks before the server has said that it took a mail, the same bytes go again.
CREATE TYPE outbox_state AS ENUM ('bundling', 'held', 'ready', 'queued', 'sent', 'failed', 'cancelled');

CREATE TABLE outbox (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	number text UNIQUE,               -- N2026-000123: what is quoted by phone
	kind outbox_kind NOT NULL,
	state outbox_state NOT NULL DEFAULT 'bundling',
	why text NOT NULL DEFAULT '',     -- why it is held, or has failed
	exercise int NOT NULL DEFAULT 0 REFERENCES exercise,
	organisation int REFERENCES organisation,
	contact int REFERENCES contact,
	recipient recipient_kind NOT NULL,
	address text NOT NULL CHECK (address ~ '^[^@\s<>,;:"\\[:cntrl:]]+@[^@\s<>,;:"\\[:cntrl:]]+$' AND octet_length(address) <= 320),
	language text NOT NULL DEFAULT 'en',
	format notice_format NOT NULL DEFAULT 'csv',
	template text NOT NULL DEFAULT '', -- '' : by kind and class
	form disclosure_form NOT NULL DEFAULT 'full',
	tlp tlp NOT NULL DEFAULT 'amber', -- the strictest of what it tells
	fields jsonb NOT NULL DEFAULT '{}', -- what a template of this kind names besides its rows
	case_id bigint REFERENCES cases,
	in_reply_to text NOT NULL DEFAULT '',
	approved_by text[] NOT NULL DEFAULT '{}', -- who let it go, where two have to
	created timestamptz NOT NULL DEFAULT now(),
	due timestamptz NOT NULL DEFAULT now(),
	released_by text,                 -- an operator; NULL: the clock
	-- The mail itself: one Message-ID for good, and bytes that are made once and never again.
	message_id text NOT NULL UNIQUE,
	sealed text NOT NULL DEFAULT '',  -- 'openpgp FINGERPRINT', 'smime FINGERPRINT', '' in the clear
	bytes bytea,
	rendered timestamptz,
	-- Sending.
	holder uuid,                      -- the courier that has it
	held_until timestamptz,
	attempts int NOT NULL DEFAULT 0,
	next_try timestamptz NOT NULL DEFAULT now(),
	reply text NOT NULL DEFAULT '',   -- what the server said last
	sent timestamptz,
	delivered timestamptz,            -- a server further on said so
	bounced timestamptz,
	bounce text NOT NULL DEFAULT '',
	answered timestamptz,
	answer bigint                     -- the first mail that answers it: report or item
);
ALTER TABLE outbox ALTER bytes SET STORAGE EXTERNAL;
CREATE INDEX outbox_waiting ON outbox (next_try, id) WHERE state = 'queued';
CREATE INDEX outbox_open ON outbox (state, due, id) WHERE state IN ('bundling', 'held', 'ready');
CREATE INDEX outbox_address ON outbox (lower(address), id);
CREATE INDEX outbox_organisation ON outbox (organisation, id) WHERE organisation IS NOT NULL;
CREATE INDEX outbox_case ON outbox (case_id, id) WHERE case_id IS NOT NULL;

-- Numbers of a year without a gap that a crash could leave twice.
CREATE TABLE outbox_year (
	year int PRIMARY KEY,
	last int NOT NULL
);
CREATE FUNCTION outbox_number() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	y int := extract(year FROM timezone('UTC', now()));
	n int;
BEGIN
	INSERT INTO outbox_year AS o (year, last) VALUES (y, 1) ON CONFLICT (year) DO UPDATE SET last = o.last + 1 RETURNING last INTO n;
	NEW.number := 'N' || y || '-' || lpad(n::text, greatest(6, length(n::text)), '0');
	RETURN NEW;
END $$;
CREATE TRIGGER outbox_numbered BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION outbox_number();

-- What has been made is sent as it was made, and what is out is out.
CREATE FUNCTION outbox_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	IF NEW.message_id <> OLD.message_id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.exercise <> OLD.exercise
		OR (OLD.bytes IS NOT NULL AND (NEW.bytes IS DISTINCT FROM OLD.bytes OR NEW.address <> OLD.address))
		OR (OLD.state = 'sent' AND NEW.state <> 'sent') THEN
		RAISE EXCEPTION 'mail % is made already, and stays as it is', OLD.number USING ERRCODE = 'check_violation';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER outbox_stays BEFORE UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION outbox_stays();
CREATE TRIGGER outbox_kept BEFORE DELETE ON outbox FOR EACH ROW EXECUTE FUNCTION refuse('what was told to anybody stays told');

-- ---- what was told ----

CREATE TABLE disclosure (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	report bigint NOT NULL,
	outbox bigint NOT NULL REFERENCES outbox,
	channel text NOT NULL DEFAULT 'mail',
	cause text NOT NULL CHECK (cause IN ('new', 'repeat', 'relapse', 'one-shot', 'question')),
	rule int,                         -- notify_rule
	recipient recipient_kind NOT NULL,
	form disclosure_form NOT NULL,
	tlp tlp NOT NULL,                 -- of the report, when it was put here
	version timestamptz NOT NULL,     -- the report as last seen then
	content jsonb NOT NULL,           -- what is told: disclosure_content()
	put timestamptz NOT NULL DEFAULT now(),
	told timestamptz,                 -- sent; delivered, bounced and answered: the outbox's
	left_out text,                    -- why the courier left it out after all
	UNIQUE (outbox, report)
);
CREATE INDEX disclosure_report ON disclosure (report, id);

-- The verdict on telling a report to an address now.
CREATE FUNCTION gate_report(of_report bigint, of_kind recipient_kind, to_address text) RETURNS gate_verdict LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT gate_decide(r.tlp, r.pap, s.may_notify_affected, s.restricted, released(r.id), of_kind, r.exercise <> 0,
			in_directory(r.exercise, to_address))
		FROM report r JOIN source s ON s.id = r.source WHERE r.id = of_report), 'refuse')
$$;

-- What a form says of a report. Nothing of the source, no text and no tags of others in a sanitised one.
CREATE FUNCTION disclosure_content(of_report bigint, form disclosure_form) RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
	SELECT jsonb_build_object('report', report_number(r.id), 'classification', r.type, 'class', rsit_class(r.type), 'identifier', r.identifier,
			'severity', severity_name(coalesce(st.severity, r.severity)), 'first', least(n.first, r.first_seen),
			'last', coalesce(n.last, r.first_seen), 'count', coalesce(n.count, 1), 'asn', r.asn, 'country', r.country,
			'ip', observable_first(r.observables, '{ip}', '{source}'), 'name', observable_first(r.observables, '{name}', '{source}'),
			'port', observable_first(r.observables, '{port}', '{source}'))
		|| CASE form WHEN 'full' THEN jsonb_build_object('malware', r.malware, 'title',
				report_title(r.title, r.type, r.identifier, r.malware, r.observables), 'confidence', coalesce(st.confidence, r.confidence),
				'observables', to_jsonb(ARRAY(SELECT o FROM unnest(r.observables) AS o WHERE split_part(o, ' ', 2) <> 'reporter')))
			ELSE '{}' END
	FROM report r LEFT JOIN report_status st ON st.report = r.id
		LEFT JOIN LATERAL (SELECT sum(g.count)::bigint AS count, min(g.first) AS first, max(g.last) AS last FROM sighting g
			WHERE g.report = r.id) n ON true
	WHERE r.id = of_report
$$;

-- Nobody says himself what may leave, or what stands in it.
CREATE FUNCTION disclosure_gate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	r report;
	verdict gate_verdict;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = NEW.outbox FOR UPDATE;
	SELECT * INTO r FROM report WHERE id = NEW.report;
	IF r.id IS NULL THEN
		RAISE EXCEPTION 'there is no report %', report_number(NEW.report) USING ERRCODE = 'no_data_found';
	ELSIF o.state NOT IN ('bundling', 'held', 'ready') OR o.bytes IS NOT NULL THEN
		RAISE EXCEPTION 'mail % is made already', o.number USING ERRCODE = 'check_violation';
	ELSIF r.exercise <> o.exercise THEN
		RAISE EXCEPTION 'a report and a mail that tells it belong to the same exercise, or none' USING ERRCODE = 'check_violation';
	END IF;
	NEW.recipient := o.recipient;
	NEW.form := o.form;
	verdict := gate_report(r.id, o.recipient, o.address);
	IF NOT gate_lets(verdict, NEW.form, true) THEN
		RAISE EXCEPTION 'report % must not be told to % (%): %', report_number(r.id), o.address, NEW.form, verdict
			USING ERRCODE = 'insufficient_privilege';
	END IF;
	NEW.tlp := r.tlp;
	NEW.content := disclosure_content(r.id, NEW.form);
	NEW.version := (NEW.content ->> 'last')::timestamptz;
	NEW.told := NULL;
	NEW.left_out := NULL;
	IF NEW.form = 'full' AND o.tlp < r.tlp THEN
		UPDATE outbox SET tlp = r.tlp WHERE id = o.id;
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER disclosure_gate BEFORE INSERT ON disclosure FOR EACH ROW EXECUTE FUNCTION disclosure_gate();
CREATE FUNCTION disclosure_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	IF (to_jsonb(NEW) - 'told' - 'left_out') <> (to_jsonb(OLD) - 'told' - 'left_out') OR OLD.told IS NOT NULL AND NEW.told IS DISTINCT FROM OLD.told THEN
		RAISE EXCEPTION 'what was told stays as it was told' USING ERRCODE = 'check_violation';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER disclosure_stays BEFORE UPDATE ON disclosure FOR EACH ROW EXECUTE FUNCTION disclosure_stays();
CREATE TRIGGER disclosure_kept BEFORE DELETE ON disclosure FOR EACH ROW EXECUTE FUNCTION refuse('what was told to anybody stays told');

-- May the courier see this row now? What was stricter, or not allowed, since it was put here does not leave.
CREATE FUNCTION disclosure_lets(d_report bigint, d_outbox bigint, d_form disclosure_form) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT o.state = 'queued' AND gate_lets(gate_report(d_report, o.recipient, o.address), d_form,
			cardinality(o.approved_by) >= 2)
			AND o.exercise = (SELECT r.exercise FROM report r WHERE r.id = d_report)
		FROM outbox o WHERE o.id = d_outbox), false)
$$;

ALTER TABLE disclosure ENABLE ROW LEVEL SECURITY;
CREATE POLICY disclosure_seen ON disclosure FOR SELECT TO cirt_keeper, cirt_desk USING (true);
CREATE POLICY disclosure_put ON disclosure FOR INSERT TO cirt_keeper, cirt_desk WITH CHECK (true);
CREATE POLICY disclosure_courier ON disclosure FOR SELECT TO cirt_courier USING (disclosure_lets(report, outbox, form));
CREATE POLICY disclosure_told ON disclosure FOR UPDATE TO cirt_courier USING (disclosure_lets(report, outbox, form));

-- The courier sees what is its own to send, and a drill's only to the drill's directory.
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY outbox_seen ON outbox TO cirt_keeper, cirt_desk USING (true) WITH CHECK (true);
CREATE POLICY outbox_courier ON outbox TO cirt_courier
	USING (state IN ('queued', 'sent', 'failed') AND (exercise = 0 OR in_directory(exercise, address)))
	WITH CHECK (state IN ('queued', 'sent', 'failed', 'held'));

-- What was told to somebody stays with us.
CREATE OR REPLACE VIEW report_held AS
	SELECT report FROM case_report
	UNION ALL SELECT report FROM fingerprint
	UNION ALL SELECT report FROM correlation_queue
	UNION ALL SELECT report FROM raise_queue
	UNION ALL SELECT substring(object FROM '^report/([0-9]{1,18})$')::bigint FROM hold
		WHERE object LIKE 'report/%' AND (until IS NULL OR until > now())
	UNION ALL SELECT item FROM case_letter
	UNION ALL SELECT item FROM case_letter_queue
	UNION ALL SELECT report FROM disclosure
	UNION ALL SELECT report FROM release;

REVOKE ALL ON FUNCTION gate_decide, gate_lets, in_directory, released, gate_report, disclosure_content, disclosure_lets, outbox_number,
	outbox_stays, disclosure_gate, disclosure_stays FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gate_decide, gate_lets, released, gate_report, disclosure_lets, in_directory TO cirt_keeper, cirt_desk, cirt_courier;
GRANT SELECT ON release, exercise_directory TO cirt_keeper, cirt_desk;
GRANT INSERT, UPDATE ON release TO cirt_desk;
GRANT INSERT, DELETE ON exercise_directory TO cirt_desk;
GRANT SELECT, INSERT, UPDATE ON outbox TO cirt_keeper, cirt_desk;
GRANT SELECT, INSERT ON disclosure TO cirt_keeper, cirt_desk;
GRANT SELECT ON outbox TO cirt_courier;
GRANT UPDATE (state, why, sealed, bytes, rendered, holder, held_until, attempts, next_try, reply, sent) ON outbox TO cirt_courier;
GRANT SELECT (id, outbox, report, form, tlp, cause, recipient, version, content, told, left_out), UPDATE (told, left_out) ON disclosure TO cirt_courier;
