-- What became of every entry. Keys as the spool gives them: (received day, spool, sequence), unique for good.
SET LOCAL search_path = cirt, pg_temp;

CREATE TABLE ledger (
	day date NOT NULL,                -- of `received`, UTC
	spool uuid NOT NULL,
	sequence bigint NOT NULL,
	received timestamptz NOT NULL,
	source int NOT NULL,
	exercise int NOT NULL,
	node int NOT NULL,
	format source_format NOT NULL,
	disposition disposition NOT NULL, -- as landed; what was done about it later is in ledger_act
	digest bytea NOT NULL,            -- SHA-256 of the entry: a hit counts as landed only if it is equal
	size bigint NOT NULL,
	found int NOT NULL DEFAULT 0,
	reports int NOT NULL DEFAULT 0,
	folded int NOT NULL DEFAULT 0,
	correspondence int NOT NULL DEFAULT 0,
	context int NOT NULL DEFAULT 0,
	spam int NOT NULL DEFAULT 0,
	quarantined int NOT NULL DEFAULT 0,
	discarded int NOT NULL DEFAULT 0,
	first_id bigint,                  -- the entry's new reports and items lie between these ids
	last_id bigint,
	rerun bigint,                     -- the row of quarantine it is a re-run of; never counted as received
	envelope text NOT NULL DEFAULT '',
	bookmark_owner text NOT NULL DEFAULT '',
	bookmark_value text NOT NULL DEFAULT '',
	landed timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (day, spool, sequence),
	CHECK (found = reports + folded + correspondence + context + spam + quarantined + discarded)
) PARTITION BY RANGE (day);

-- Sums of all that landed and of all acts on it, per day of receipt, kept for good: `cirt ledger` counts no table. Moved by
-- signed differences. Node 0 holds what the desk does.
CREATE TABLE ledger_day (
	day date NOT NULL,
	source int NOT NULL,
	node int NOT NULL,
	entries_processed bigint NOT NULL DEFAULT 0,
	entries_quarantined bigint NOT NULL DEFAULT 0,
	entries_discarded bigint NOT NULL DEFAULT 0,
	found bigint NOT NULL DEFAULT 0,
	reports bigint NOT NULL DEFAULT 0,
	folded bigint NOT NULL DEFAULT 0,
	correspondence bigint NOT NULL DEFAULT 0,
	context bigint NOT NULL DEFAULT 0,
	spam bigint NOT NULL DEFAULT 0,
	quarantined bigint NOT NULL DEFAULT 0,
	discarded bigint NOT NULL DEFAULT 0,
	expired bigint NOT NULL DEFAULT 0, -- of `reports`, those that retention has taken
	PRIMARY KEY (day, source, node)
) WITH (fillfactor = 50);

-- What the spools say that they received: absolute values.
CREATE TABLE books (
	spool uuid NOT NULL,
	source int NOT NULL,
	day date NOT NULL,
	entries bigint NOT NULL,
	bytes bigint NOT NULL,
	said timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (spool, source, day)
) WITH (fillfactor = 50);

-- Set apart whole, with the reason. item NULL: the entry as such.
CREATE TABLE quarantine (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	day date NOT NULL,
	spool uuid NOT NULL,
	sequence bigint NOT NULL,
	item int,
	received timestamptz NOT NULL,
	source int NOT NULL,
	exercise int NOT NULL,
	format source_format NOT NULL,
	state quarantine_state NOT NULL DEFAULT 'quarantined',
	attempts int NOT NULL DEFAULT 1,
	stage text NOT NULL,
	part text NOT NULL DEFAULT '',
	reason text NOT NULL,
	sqlstate text NOT NULL DEFAULT '',
	envelope text NOT NULL DEFAULT '',
	size bigint NOT NULL,
	bytes bytea NOT NULL,
	since timestamptz NOT NULL DEFAULT now(),
	changed timestamptz
);
ALTER TABLE quarantine ALTER bytes SET STORAGE EXTERNAL;
CREATE INDEX quarantine_waiting ON quarantine (id) WHERE state = 'quarantined';
CREATE INDEX quarantine_entry ON quarantine (spool, sequence);

-- Release, re-run, discard: the counts are signed, and are added to ledger_day of the same day, source and node in the same
-- transaction. Table and sums must agree.
CREATE TABLE ledger_act (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	quarantine bigint NOT NULL REFERENCES quarantine,
	act text NOT NULL CHECK (act IN ('release', 'rerun', 'discard')),
	at timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL DEFAULT actor(),
	reason text NOT NULL DEFAULT '',
	day date NOT NULL,
	source int NOT NULL,
	node int NOT NULL,
	entries_processed int NOT NULL DEFAULT 0,
	entries_quarantined int NOT NULL DEFAULT 0,
	entries_discarded int NOT NULL DEFAULT 0,
	found int NOT NULL DEFAULT 0,
	reports int NOT NULL DEFAULT 0,
	folded int NOT NULL DEFAULT 0,
	correspondence int NOT NULL DEFAULT 0,
	context int NOT NULL DEFAULT 0,
	spam int NOT NULL DEFAULT 0,
	quarantined int NOT NULL DEFAULT 0,
	discarded int NOT NULL DEFAULT 0
);
CREATE INDEX ledger_act_quarantine ON ledger_act (quarantine);
CREATE TRIGGER ledger_act_grows BEFORE UPDATE OR DELETE ON ledger_act FOR EACH ROW
	EXECUTE FUNCTION refuse('acts are added, never changed');

-- An act moves the sums itself, so that it holds for every client.
CREATE FUNCTION ledger_act_sums() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO ledger_day AS d (day, source, node, entries_processed, entries_quarantined, entries_discarded, found, reports,
		folded, correspondence, context, spam, quarantined, discarded)
	VALUES (NEW.day, NEW.source, NEW.node, NEW.entries_processed, NEW.entries_quarantined, NEW.entries_discarded, NEW.found,
		NEW.reports, NEW.folded, NEW.correspondence, NEW.context, NEW.spam, NEW.quarantined, NEW.discarded)
	ON CONFLICT (day, source, node) DO UPDATE SET
		entries_processed = d.entries_processed + excluded.entries_processed,
		entries_quarantined = d.entries_quarantined + excluded.entries_quarantined,
		entries_discarded = d.entries_discarded + excluded.entries_discarded,
		found = d.found + excluded.found, reports = d.reports + excluded.reports, folded = d.folded + excluded.folded,
		correspondence = d.correspondence + excluded.correspondence, context = d.context + excluded.context,
		spam = d.spam + excluded.spam, quarantined = d.quarantined + excluded.quarantined,
		discarded = d.discarded + excluded.discarded;
	RETURN NULL;
END $$;
CREATE TRIGGER ledger_act_moves AFTER INSERT ON ledger_act FOR EACH ROW EXECUTE FUNCTION ledger_act_sums();

-- Release (the desk appends the bytes to the spool again as a re-run) and discard (a recorded act). False where the row is not
-- waiting any more.
CREATE FUNCTION quarantine_release(which bigint) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	q quarantine;
BEGIN
	UPDATE quarantine SET state = 'released', changed = now() WHERE id = which AND state = 'quarantined' RETURNING * INTO q;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	INSERT INTO ledger_act (quarantine, act, day, source, node) VALUES (which, 'release', q.day, q.source, 0);
	RETURN true;
END $$;

CREATE FUNCTION quarantine_discard(which bigint, why text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	q quarantine;
	entry int;
BEGIN
	UPDATE quarantine SET state = 'discarded', changed = now() WHERE id = which AND state = 'quarantined' RETURNING * INTO q;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	entry := CASE WHEN q.item IS NULL THEN 1 ELSE 0 END;
	INSERT INTO ledger_act (quarantine, act, reason, day, source, node, entries_quarantined, entries_discarded, quarantined, discarded)
	VALUES (which, 'discard', why, q.day, q.source, 0, -entry, entry, entry - 1, 1 - entry);
	RETURN true;
END $$;

-- Which ids landed from when on, for "since": least id per month of id and minute of landing.
CREATE TABLE arrival (
	month int NOT NULL,
	minute timestamptz NOT NULL,
	first_id bigint NOT NULL,
	PRIMARY KEY (month, minute)
);
