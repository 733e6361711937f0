-- Reports and what hangs on them. A report's id is yyyymm · 10^10 + number, yyyymm of its receipt in UTC; it reads as
-- 202611-123. Partitions are ranges of a million ids, so that what is being written stays small. No foreign keys on or to
-- partitioned tables: a month can always be taken away.
SET LOCAL search_path = cirt, pg_temp;

CREATE TABLE report (
	id bigint PRIMARY KEY,
	received timestamptz NOT NULL,
	first_seen timestamptz NOT NULL,  -- event time, clamped, when it landed; sighting may know of earlier
	sequence bigint NOT NULL,         -- of the entry, in `spool`
	previous bigint,                  -- the report that this is a relapse or continuation of
	asn bigint NOT NULL DEFAULT 0,
	spool uuid NOT NULL,
	fingerprint uuid NOT NULL,
	source int NOT NULL,
	item int NOT NULL,                -- number in the entry
	exercise int NOT NULL,            -- 0: real
	organisation int,                 -- whose network, as valid at the time of the event
	scope int NOT NULL,               -- the source, if it is restricted or was folded apart; else 0
	type rsit_type NOT NULL,
	tlp tlp NOT NULL,
	pap pap NOT NULL,
	severity smallint CHECK (severity BETWEEN 0 AND 100),
	confidence smallint CHECK (confidence BETWEEN 0 AND 100),
	trust smallint NOT NULL,
	rule_version smallint NOT NULL,
	rule text NOT NULL,               -- why it folds: rule, version, key
	rule_key text NOT NULL,
	sender_id text NOT NULL,
	identifier text NOT NULL,
	malware text NOT NULL,
	country text NOT NULL,
	title text NOT NULL,
	text text NOT NULL,               -- for people and search; '' where doc says it all
	doc text NOT NULL,                -- the sender's bytes
	observables text[] NOT NULL,      -- 'type role value'
	keys bigint[] NOT NULL,           -- what a search looks up: daemon/model/observable.h
	notes text[] NOT NULL,
	tags text[] NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX report_keys ON report USING gin (keys);
CREATE INDEX report_source ON report (source, id);
CREATE INDEX report_organisation ON report (organisation, id) WHERE organisation IS NOT NULL;
-- First value of an observable of these types and roles; '' if there is none. `observables` holds 'type role value'.
CREATE FUNCTION observable_first(observables text[], types text[], roles text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT coalesce((SELECT substr(o, length(split_part(o, ' ', 1)) + length(split_part(o, ' ', 2)) + 3)
		FROM unnest(observables) WITH ORDINALITY AS u(o, n)
		WHERE split_part(o, ' ', 1) = ANY (types) AND split_part(o, ' ', 2) = ANY (roles) ORDER BY n LIMIT 1), '')
$$;

-- What a person sees as the title: the sender's, else at which address or name, what and which. Rows keep the sender's only.
CREATE FUNCTION report_title(title text, type rsit_type, identifier text, malware text, observables text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN title <> '' THEN title ELSE coalesce(coalesce(nullif(observable_first(observables, '{ip,name}', '{source}'), ''),
			nullif(observable_first(observables, '{ip,name,url,email,sha256,sha1,md5,filename}',
				'{source,target,indicator,imitated,unknown}'), '')) || ': ', '')
		|| type || coalesce(' ' || coalesce(nullif(identifier, ''), nullif(malware, '')), '') END
$$;

CREATE FUNCTION report_words(title text, body text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT to_tsvector('pg_catalog.simple'::regconfig, title || ' ' || left(body, 20000))
$$;
-- Only what people wrote has text, so that a sensor's line pays nothing for this.
CREATE INDEX report_text ON report USING gin (report_words(title, text)) WHERE text <> '';

-- What has happened to a report since: no row is new, as it landed. Severity, confidence and trust are here when a later sighting
-- has raised them.
CREATE TABLE report_status (
	report bigint PRIMARY KEY,
	state report_state NOT NULL DEFAULT 'new',
	reject_reason reject_reason,
	severity smallint,
	confidence smallint,
	trust smallint,
	gone_at timestamptz,
	organisation int,
	changed timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL DEFAULT actor(),
	CHECK ((state = 'rejected') = (reject_reason IS NOT NULL))
) PARTITION BY RANGE (report);

-- Counts are true here and nowhere else. day: of the event, UTC.
CREATE TABLE sighting (
	report bigint NOT NULL,
	day date NOT NULL,
	source int NOT NULL,
	node int NOT NULL,
	count bigint NOT NULL,
	first timestamptz NOT NULL,
	last timestamptz NOT NULL,
	PRIMARY KEY (report, day, source, node)
) PARTITION BY RANGE (report);

CREATE TABLE verdict (
	report bigint NOT NULL,
	number int NOT NULL,
	engine text NOT NULL,
	rule text NOT NULL,
	set_digest text NOT NULL,
	part text NOT NULL,
	outcome text NOT NULL,
	PRIMARY KEY (report, number)
) PARTITION BY RANGE (report);

-- What was found in an entry and is no report; ids of the same kind as a report's.
CREATE TABLE item (
	id bigint PRIMARY KEY,
	received timestamptz NOT NULL,
	sequence bigint NOT NULL,
	spool uuid NOT NULL,
	source int NOT NULL,
	item int NOT NULL,
	exercise int NOT NULL,
	kind item_kind NOT NULL,
	tlp tlp NOT NULL,
	subkind text NOT NULL,            -- 'reply', 'bounce', 'auto-reply'
	part text NOT NULL,
	sender_id text NOT NULL,
	title text NOT NULL,
	text text NOT NULL,
	doc text NOT NULL,
	observables text[] NOT NULL,
	notes text[] NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX item_source ON item (source, id);

-- Files: the bytes once per month and digest, and which report or item had them under what name.
CREATE TABLE evidence (
	month int NOT NULL,               -- yyyymm of receipt
	digest bytea NOT NULL,
	size bigint NOT NULL,
	bytes bytea NOT NULL,
	PRIMARY KEY (month, digest)
) PARTITION BY LIST (month);
ALTER TABLE evidence ALTER bytes SET STORAGE EXTERNAL;

CREATE TABLE attachment (
	report bigint NOT NULL,           -- or item
	sequence bigint NOT NULL,
	spool uuid NOT NULL,
	number int NOT NULL,
	month int NOT NULL,
	size bigint NOT NULL,
	digest bytea NOT NULL,
	name text NOT NULL,
	media_type text NOT NULL
) PARTITION BY RANGE (report);
CREATE INDEX attachment_report ON attachment (report);

-- STIX objects whole, each version once per source and lane.
CREATE TABLE stix_object (
	id text NOT NULL CHECK (octet_length(id) <= 512),
	version text NOT NULL CHECK (octet_length(version) <= 512),
	source int NOT NULL,
	exercise int NOT NULL,
	report bigint,                    -- that it became or belongs to
	received timestamptz NOT NULL,
	type text NOT NULL,
	spec text NOT NULL,
	created_by text NOT NULL,
	revoked boolean NOT NULL,
	tlp tlp NOT NULL,
	text text NOT NULL,               -- the object's own bytes
	PRIMARY KEY (id, version, source, exercise)
);
CREATE INDEX stix_object_report ON stix_object (report) WHERE report IS NOT NULL;

-- Small and hot. Key: digest of rule, version and key; lane; TLP; scope (the source, if it is restricted): what differs in one of
-- them never folds. `first` to `last` is a cache of sighting, moved when older than a twentieth of the window.
CREATE TABLE fingerprint (
	digest uuid NOT NULL,
	exercise int NOT NULL,
	tlp tlp NOT NULL,
	scope int NOT NULL,
	severity smallint NOT NULL,       -- the highest seen; -1 unknown
	confidence smallint NOT NULL,
	trust smallint NOT NULL,
	report bigint NOT NULL,
	first timestamptz NOT NULL,
	last timestamptz NOT NULL,
	expires timestamptz NOT NULL,     -- when a sweep may take it: window after `last`
	PRIMARY KEY (digest, exercise, tlp, scope)
) WITH (fillfactor = 90);

CREATE TABLE report_link (
	a bigint NOT NULL,                -- the newer
	b bigint NOT NULL,                -- the older
	kind report_link_kind NOT NULL,
	score real,
	actor text NOT NULL DEFAULT actor(),
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (a, b, kind)
);
CREATE INDEX report_link_b ON report_link (b, a);

-- Sightings of one source taken out of a report again. From then on that source's reports of this fingerprint fold in a scope of
-- their own.
CREATE TABLE fold_undo (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	report bigint NOT NULL,
	source int NOT NULL REFERENCES source,
	became bigint NOT NULL,
	digest uuid NOT NULL,
	exercise int NOT NULL,
	reason text NOT NULL DEFAULT '',
	actor text NOT NULL DEFAULT actor(),
	at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX fold_undo_report ON fold_undo (report);
CREATE TRIGGER fold_undo_revision AFTER INSERT ON fold_undo EXECUTE FUNCTION revision_raise('fold_undo');
CREATE TRIGGER fold_undo_grows BEFORE UPDATE OR DELETE ON fold_undo FOR EACH ROW
	EXECUTE FUNCTION refuse('it is undone by another row');

-- A sighting said more than the report knew; the keeper raises the report, with before and after in the journal, and correlates again.
CREATE TABLE raise_queue (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	report bigint NOT NULL,
	source int NOT NULL,
	severity smallint,
	confidence smallint,
	trust smallint,
	at timestamptz NOT NULL DEFAULT now()
);

-- Reports for which a rule wants a case, for the correlator.
CREATE TABLE correlation_queue (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	report bigint NOT NULL,
	rule int NOT NULL,                -- correlation_rule
	due timestamptz NOT NULL DEFAULT now(),
	attempts int NOT NULL DEFAULT 0
);

-- Held rows of partitions that retention has taken: same columns as report.
CREATE TABLE report_kept (LIKE report, PRIMARY KEY (id));

-- The ranges of ids that have partitions, for searches that go through them newest first.
CREATE TABLE report_chunk (
	lower bigint PRIMARY KEY,
	upper bigint NOT NULL             -- not in it
);

-- One partition, attached with little locking: the parent is only ever locked against other changes of its shape.
CREATE FUNCTION partition_attach(parent text, suffix text, bounds text) RETURNS void LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
BEGIN
	IF to_regclass(format('cirt.%I', parent || '_' || suffix)) IS NOT NULL THEN
		RETURN;
	END IF;
	EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', parent || '_' || suffix, parent);
	EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES %s', parent, parent || '_' || suffix, bounds);
END $$;

-- Everything that one month (yyyymm) needs, and a million ids more than are in use at least. Returns the end of the ids that have
-- partitions. Cheap when there is nothing to do.
CREATE FUNCTION partition_month(month int) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	start date;
	base bigint := month * 10000000000;
	used bigint;
	chunk bigint;
	parent text;
BEGIN
	IF month NOT BETWEEN 197001 AND 999912 OR month % 100 NOT BETWEEN 1 AND 12 THEN
		RAISE EXCEPTION 'no month: %', month USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF to_regclass(format('cirt.report_id_%s', month)) IS NOT NULL THEN
		EXECUTE format('SELECT last_value FROM report_id_%s', month) INTO used;
		IF EXISTS (SELECT 1 FROM report_chunk WHERE lower <= used + 1000000 AND upper > used + 1000000) THEN
			RETURN (SELECT max(upper) FROM report_chunk WHERE lower >= base AND upper <= base + 10000000000);
		END IF;
	END IF;
	PERFORM pg_advisory_xact_lock(hashtext('cirt.partition_month'));
	start := make_date(month / 100, month % 100, 1);
	EXECUTE format('CREATE SEQUENCE IF NOT EXISTS report_id_%s MINVALUE %s MAXVALUE %s', month, base + 1, base + 9999999999);
	EXECUTE format('GRANT USAGE ON SEQUENCE report_id_%s TO cirt_store', month);
	EXECUTE format('SELECT last_value FROM report_id_%s', month) INTO used;
	PERFORM partition_attach('ledger', month::text,
		format('FROM (%L) TO (%L)', start, (start + interval '1 month')::date));
	PERFORM partition_attach('evidence', month::text, format('IN (%s)', month));
	FOR chunk IN SELECT generate_series(0, (used - base) / 1000000 + 1) LOOP
		IF NOT EXISTS (SELECT 1 FROM report_chunk WHERE lower = base + chunk * 1000000) THEN
			FOREACH parent IN ARRAY ARRAY['report', 'report_status', 'sighting', 'verdict', 'item', 'attachment'] LOOP
				PERFORM partition_attach(parent, month || '_' || lpad(chunk::text, 4, '0'),
					format('FROM (%s) TO (%s)', base + chunk * 1000000, base + (chunk + 1) * 1000000));
			END LOOP;
			INSERT INTO report_chunk VALUES (base + chunk * 1000000, base + (chunk + 1) * 1000000);
		END IF;
	END LOOP;
	RETURN base + (chunk + 1) * 1000000;
END $$;

-- This month and some ahead; for the keeper and for migrations.
CREATE FUNCTION partitions_ahead(months int) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT partition_month(to_char(timezone('UTC', now()) + m * interval '1 month', 'YYYYMM')::int)
	FROM generate_series(0, greatest(months, 0)) AS m
$$;

-- The next n ids of a month.
CREATE FUNCTION report_ids(month int, n int) RETURNS SETOF bigint LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ids regclass := to_regclass(format('cirt.report_id_%s', month));
BEGIN
	RETURN QUERY SELECT nextval(ids) FROM generate_series(1, n);
END $$;

CREATE FUNCTION report_number(id bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT id / 10000000000 || '-' || id % 10000000000
$$;

-- A bound for "received since": all reports received since then have ids from it on.
CREATE FUNCTION report_since(since timestamptz) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	WITH m AS (SELECT to_char(timezone('UTC', since), 'YYYYMM')::int AS month)
	SELECT coalesce((SELECT min(first_id) FROM arrival a WHERE a.month = m.month AND a.minute >= date_trunc('minute', since)),
		CASE WHEN since > now() - interval '1 minute' THEN m.month ELSE m.month + 1 END * 10000000000)
	FROM m
$$;

-- Take the sightings of one source out of a report: a report of their own, with a copy of what the report says, linked, and from
-- then on folded apart. Of a report that only this source saw, the first sighting stays. Returns the new report.
CREATE FUNCTION report_unfold(which bigint, from_source int, why text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	r report;
	fresh bigint;
	stays int := 0;
	span record;
BEGIN
	SELECT * INTO r FROM report WHERE id = which;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'no report %', report_number(which) USING ERRCODE = 'no_data_found';
	END IF;
	SELECT min(first) AS first, max(last) AS last, sum(count) AS count INTO span FROM sighting
		WHERE report = which AND source = from_source;
	IF span.first IS NULL THEN
		RAISE EXCEPTION 'report % has no sighting of that source', report_number(which) USING ERRCODE = 'no_data_found';
	END IF;
	IF NOT EXISTS (SELECT 1 FROM sighting WHERE report = which AND source <> from_source) THEN
		stays := 1;
	END IF;
	IF span.count <= stays THEN
		RAISE EXCEPTION 'report % was seen once: nothing is folded into it', report_number(which)
			USING ERRCODE = 'check_violation';
	END IF;
	fresh := nextval(format('cirt.report_id_%s', which / 10000000000)::regclass);
	PERFORM partition_month((which / 10000000000)::int);
	r.id := fresh;
	r.scope := from_source;
	r.source := from_source;
	r.first_seen := span.first;
	r.previous := NULL;
	INSERT INTO report SELECT r.*;
	-- The day it was first seen on gives up all but what stays.
	WITH taken AS (SELECT g.*, CASE WHEN row_number() OVER (ORDER BY first, day, node) = 1 THEN stays ELSE 0 END AS left_there
			FROM sighting g WHERE report = which AND source = from_source),
		moved AS (INSERT INTO sighting SELECT fresh, day, source, node, count - left_there, first, last FROM taken
			WHERE count > left_there),
		kept AS (UPDATE sighting g SET count = t.left_there, last = t.first FROM taken t
			WHERE g.report = which AND g.day = t.day AND g.source = t.source AND g.node = t.node AND t.left_there > 0)
	DELETE FROM sighting g USING taken t
		WHERE g.report = which AND g.day = t.day AND g.source = t.source AND g.node = t.node AND t.left_there = 0;
	INSERT INTO report_link (a, b, kind) VALUES (fresh, which, 'unfolded');
	INSERT INTO fold_undo (report, source, became, digest, exercise, reason)
		VALUES (which, from_source, fresh, r.fingerprint, r.exercise, coalesce(why, ''));
	INSERT INTO fingerprint AS f SELECT digest, exercise, tlp, from_source, severity, confidence, trust, fresh, span.first, span.last,
			expires
		FROM fingerprint WHERE digest = r.fingerprint AND exercise = r.exercise AND tlp = r.tlp AND report = which
		ON CONFLICT (digest, exercise, tlp, scope) DO UPDATE SET report = excluded.report;
	PERFORM journal_add('report/' || which, 'unfolded', NULL,
		jsonb_build_object('source', from_source, 'became', fresh, 'reason', why)::text);
	RETURN fresh;
END $$;
