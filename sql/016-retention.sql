-- Retention: a month whose time is over is emptied, but for what is held. Its partitions stay, so that only these old tables are
-- locked, never their parents (trap 12), and what is held stands where every query looks for it.
SET LOCAL search_path = cirt, pg_temp;

-- Kept longer than the rest: reports of a class, of a source, or both. Shorter than the rest does nothing.
CREATE TABLE retention_rule (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	class text,                       -- of RSIT; NULL: any
	source int REFERENCES source,     -- NULL: any
	keep interval NOT NULL CHECK (keep > interval '0')
);

-- Reports and items that retention must not take. A migration that gives reports another use adds it here.
CREATE VIEW report_held AS
	SELECT report FROM case_report
	UNION ALL SELECT report FROM fingerprint
	UNION ALL SELECT report FROM correlation_queue
	UNION ALL SELECT report FROM raise_queue
	UNION ALL SELECT substring(object FROM '^report/([0-9]{1,18})$')::bigint FROM hold
		WHERE object LIKE 'report/%' AND (until IS NULL OR until > now());

-- What went: live rows and these are together what landed.
CREATE TABLE retired (
	month int PRIMARY KEY,            -- yyyymm of receipt
	reports bigint NOT NULL,          -- that went
	items bigint NOT NULL,            -- correspondence, context, spam that went
	held bigint NOT NULL,             -- reports and items that stay
	at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER retired_grows BEFORE UPDATE OR DELETE ON retired FOR EACH ROW EXECUTE FUNCTION refuse('what went is gone');

DROP TABLE report_kept;

-- Empty one partition, but for these ids; returns how many rows went.
CREATE FUNCTION retire_partition(partition text, id text, held bigint[]) RETURNS bigint LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	went bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM %I', partition) INTO went;
	EXECUTE format('CREATE TEMPORARY TABLE retire_held ON COMMIT DROP AS SELECT * FROM %I WHERE %I = ANY ($1)', partition, id) USING held;
	EXECUTE format('TRUNCATE ONLY %I', partition);
	EXECUTE format('INSERT INTO %I SELECT * FROM retire_held', partition);
	SELECT went - count(*) INTO went FROM retire_held;
	DROP TABLE retire_held;
	RETURN went;
END $$;

-- The reports and items of a month that stay.
CREATE FUNCTION retire_held(month int) RETURNS bigint[] LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(array_agg(DISTINCT id), '{}') FROM (
		SELECT report AS id FROM report_held WHERE report > month * 10000000000 AND report < (month + 1) * 10000000000
		UNION ALL SELECT r.id FROM report r JOIN retention_rule k
			ON (k.class IS NULL OR k.class = rsit_class(r.type)) AND (k.source IS NULL OR k.source = r.source)
			WHERE r.id > month * 10000000000 AND r.id < (month + 1) * 10000000000 AND r.received > now() - k.keep) AS ids
$$;

CREATE FUNCTION retire_month(month int, OUT reports bigint, OUT items bigint, OUT held bigint) LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	ids bigint[] := retire_held(month);
	base bigint := month * 10000000000;
	chunk report_chunk;
	suffix text;
	went bigint;
BEGIN
	reports := 0;
	items := 0;
	FOR chunk IN SELECT * FROM report_chunk c WHERE c.lower >= base AND c.upper <= base + 10000000000 ORDER BY c.lower LOOP
		suffix := '_' || month || '_' || lpad(((chunk.lower - base) / 1000000)::text, 4, '0');
		reports := reports + retire_partition('report' || suffix, 'id', ids);
		items := items + retire_partition('item' || suffix, 'id', ids);
		PERFORM retire_partition(parent || suffix, 'report', ids)
			FROM unnest(ARRAY['report_status', 'sighting', 'verdict', 'attachment']) AS parent;
		-- Searches go through these: where nothing stayed, there is nothing to look for.
		IF NOT EXISTS (SELECT FROM report r WHERE r.id >= chunk.lower AND r.id < chunk.upper)
			AND NOT EXISTS (SELECT FROM item i WHERE i.id >= chunk.lower AND i.id < chunk.upper) THEN
			DELETE FROM report_chunk c WHERE c.lower = chunk.lower;
		END IF;
	END LOOP;
	DELETE FROM report_link l WHERE (l.a > base AND l.a < base + 10000000000 AND l.a <> ALL (ids))
		OR (l.b > base AND l.b < base + 10000000000 AND l.b <> ALL (ids));
	DELETE FROM stix_object o WHERE o.report > base AND o.report < base + 10000000000 AND o.report <> ALL (ids);
	DELETE FROM arrival a WHERE a.month = month;
	SELECT count(*) INTO held FROM report r WHERE r.id > base AND r.id < base + 10000000000;
	SELECT held + count(*) INTO held FROM item i WHERE i.id > base AND i.id < base + 10000000000;
END $$;

-- Files and ledger rows of a month. Its sums stand in ledger_day for good; entries that still wait in quarantine keep their bytes there.
CREATE FUNCTION retire_files(month int) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
#variable_conflict use_variable
BEGIN
	CREATE TEMPORARY TABLE retire_evidence ON COMMIT DROP AS SELECT e.* FROM evidence e
		WHERE e.month = month AND e.digest IN (SELECT a.digest FROM attachment a WHERE a.month = month
			AND a.report > month * 10000000000 AND a.report < (month + 1) * 10000000000);
	EXECUTE format('TRUNCATE ONLY %I', 'evidence_' || month);
	INSERT INTO evidence SELECT * FROM retire_evidence;
	DROP TABLE retire_evidence;
	EXECUTE format('CREATE TEMPORARY TABLE retire_ledger ON COMMIT DROP AS SELECT DISTINCT l.* FROM %I l JOIN (
		SELECT spool, sequence FROM report WHERE id > $1 AND id < $2
		UNION SELECT spool, sequence FROM item WHERE id > $1 AND id < $2) AS s USING (spool, sequence)', 'ledger_' || month)
		USING month * 10000000000, (month + 1) * 10000000000;
	EXECUTE format('TRUNCATE ONLY %I', 'ledger_' || month);
	INSERT INTO ledger SELECT * FROM retire_ledger;
	DROP TABLE retire_ledger;
END $$;

-- Owner's rights: the oldest month whose time is over, if there is one. Half a year stays whatever the caller says, as folds and
-- relapses look back.
CREATE FUNCTION keeper_retire(keep interval) RETURNS TABLE (retired int, reports bigint, items bigint, held bigint) LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp SET lock_timeout = '2s' AS $$
#variable_conflict use_variable
DECLARE
	which int;
	went record;
BEGIN
	IF keep < interval '180 days' THEN
		RAISE EXCEPTION 'retention: at least 180 days were expected' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT min(c.lower / 10000000000) INTO which FROM report_chunk c
		WHERE NOT EXISTS (SELECT FROM retired r WHERE r.month = c.lower / 10000000000);
	IF which IS NULL OR make_date(which / 100, which % 100, 1) + interval '1 month' + keep > timezone('UTC', now()) THEN
		RETURN;
	END IF;
	SELECT * INTO went FROM retire_month(which);
	PERFORM retire_files(which);
	INSERT INTO retired (month, reports, items, held) VALUES (which, went.reports, went.items, went.held);
	PERFORM journal_add('retention/' || which, 'retired', NULL,
		json_build_object('reports', went.reports, 'items', went.items, 'held', went.held)::text);
	RETURN QUERY SELECT which, went.reports, went.items, went.held;
END $$;

REVOKE ALL ON FUNCTION retire_partition, retire_held, retire_month, retire_files, keeper_retire FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keeper_retire TO cirt_keeper;
GRANT SELECT ON retention_rule, retired, report_held TO cirt_keeper, cirt_desk;
GRANT INSERT, UPDATE, DELETE ON retention_rule TO cirt_desk;
