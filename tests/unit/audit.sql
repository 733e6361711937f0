-- Every table of the schema, whatever brought it: what the owner of the database does to it in psql is found by the audit, column by
-- column, or it stands here with the reason why it need not be. A failed ASSERT ends it.
\set ON_ERROR_STOP 1
SET search_path = cirt, test, pg_temp;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET cirt.actor = 'tester';
CREATE SCHEMA test;

-- ---- what need not be found ----

CREATE TABLE test.spared (of_table text PRIMARY KEY, why text NOT NULL);
INSERT INTO test.spared VALUES
	('journal', 'its chains and anchors'),
	('journal_head', 'its chains and anchors'),
	('journal_sum', 'a transaction''s own; the audit tells it by what the journal has'),
	-- Of the spool: `cirt submit` of its entries makes it again.
	('ledger', 'of the spool: compared with its books'),
	('ledger_day', 'sums of the ledger, which its own check adds up again'),
	('books', 'of the spool'),
	('item', 'of the spool'),
	('attachment', 'of the spool'),
	('evidence', 'called by its digest: that of cases is read by audit_evidence()'),
	('evidence_part', 'on its way, gone after a day'),
	('letter', 'of the spool: threads'),
	('letter_back', 'of the spool: queue of the keeper'),
	('report_version', 'of the spool'),
	('sighting', 'of the spool'),
	('stix_object', 'of the spool'),
	('verdict', 'made again by `cirt rules rescan`'),
	('spam', 'of the spool'),
	('spam_volume', 'counters of an hour'),
	('node', 'the store''s own'),
	-- Made again from what is found.
	('arrival', 'index of reports'),
	('arrival_hour', 'index of reports'),
	('case_due', 'made of clocks, tasks, inquiries'),
	('case_key', 'the correlation''s memory; what it did is in case_report'),
	('case_news', 'what somebody has not looked at yet; from the journal'),
	('case_number', 'a counter; numbers are unique by their index'),
	('case_situation', 'a brief as it was made last; from the journal'),
	('case_tally', 'counts of case_report'),
	('effect_row', 'counts of warnings and disclosures'),
	('effect_window', 'counts of warnings and disclosures'),
	('effect_sum', 'counts of warnings and disclosures'),
	('effect_dirty', 'a queue'),
	('fingerprint', 'what the store folds by; from reports'),
	('inbox', 'made of report_status'),
	('inbox_again', 'of the spool: mails of what is known, which letter has'),
	('inbox_delta', 'made of report_status'),
	('inbox_line', 'made of report_status'),
	('inbox_whose', 'made of report_status'),
	('outbox_year', 'a counter; numbers are unique by their index'),
	('report_chunk', 'what partitions there are'),
	('similarity', 'digests of texts, from reports'),
	('similarity_key', 'digests of texts, from reports'),
	('stix_current', 'made of stix_object'),
	-- What waits to be done, and work tables: whoever empties them finds the reports still open.
	('attribution_queue', 'a queue'),
	('attribution_walk', 'a queue'),
	('case_letter_queue', 'a queue'),
	('correlation_queue', 'a queue'),
	('correlation_work', 'a work table'),
	('disclosure_ready', 'a work table'),
	('inbox_arrival', 'a queue'),
	('letter_guess', 'suggestions'),
	('letter_waiting', 'a queue'),
	('measure_alarm', 'what was alarmed already'),
	('notice_arrival', 'a queue'),
	('notice_guess', 'suggestions'),
	('notice_work', 'a work table'),
	('raise_queue', 'a queue'),
	('register_import', 'a work table'),
	('register_outcome', 'a work table'),
	('register_wanted', 'a work table'),
	('revision', 'counters that tell rooms to read again'),
	('revision_queue', 'a queue'),
	('similarity_queue', 'a queue'),
	-- How pulls and files of the configuration go.
	('feed_columns', 'what a feed had last'),
	('feed_item', 'what a feed had last'),
	('feed_state', 'what a feed had last'),
	('sheet', 'whether a file of the configuration could be read'),
	('source_silence', 'made of the ledger');

DO $$
DECLARE
	of_none text := (SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c WHERE c.relnamespace = 'cirt'::regnamespace
		AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT EXISTS (SELECT FROM audited a WHERE a.of_table = c.relname)
		AND NOT EXISTS (SELECT FROM test.spared s WHERE s.of_table = c.relname));
	too_many text := (SELECT string_agg(s.of_table, ', ') FROM test.spared s WHERE to_regclass('cirt.' || s.of_table) IS NULL
		OR EXISTS (SELECT FROM audited a WHERE a.of_table = s.of_table));
BEGIN
	ASSERT of_none IS NULL, format('new tables, of which the audit finds no edit: %s: see "A new table" in sql/README.md', of_none);
	ASSERT too_many IS NULL, format('spared, and yet audited or gone: %s', too_many);
END $$;

-- Columns that the audit leaves out, by their reason; a column that came later than its table's sums is none of them.
DO $$
DECLARE
	said text := (SELECT string_agg(of_table || ': ' || array_to_string(hidden, ' '), '; ' ORDER BY of_table) FROM audited a
		WHERE hidden <> '{}' AND NOT EXISTS (SELECT FROM audited b WHERE b.of_table = a.of_table AND b.way = 'sum' AND a.way <> 'sum'));
	missing text;
BEGIN
	ASSERT said = 'alarm: count last'                              -- how often it was raised
		'; outbox: holder held_until attempts next_try bytes'      -- the courier's lease; the bytes' digest is summed
		'; quarantine: bytes'                                      -- of the spool; emptied in time
		'; source: auth', said;                                    -- a secret: only that it is set
	SELECT string_agg(a.of_table || '.' || t.attname, ', ') INTO missing FROM audited a JOIN pg_attribute t
		ON t.attrelid = ('cirt.' || a.of_table)::regclass AND t.attnum > 0 AND NOT t.attisdropped
		WHERE a.way = 'sum' AND quote_ident(t.attname) <> ALL (a.columns) AND t.attname <> ALL (a.hidden);
	ASSERT NOT EXISTS (SELECT FROM pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid JOIN pg_class c ON c.oid = g.tgrelid
		JOIN audited a ON a.of_table = c.relname 
			AND f.proname = CASE a.way WHEN 'row' THEN 'journal_row' WHEN 'of_case' THEN 'journal_of_case' END WHERE g.tgqual IS NOT NULL),
		'rows that are in the journal on a condition only cannot be compared with it';
	ASSERT missing IS NULL, format('columns that are not summed: %s: audited_sum_end(), and audited_sum() again', missing);
END $$;

-- ---- each of the rest, column by column ----

-- One value and another of a type.
CREATE FUNCTION test.value(of_type regtype, other boolean) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN t.typcategory = 'A' THEN CASE WHEN other THEN '{}' ELSE format('{%s}', test.value(t.typelem::regtype, false)) END
		WHEN t.typtype = 'e' THEN (SELECT enumlabel FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY enumsortorder OFFSET other::int LIMIT 1)
		WHEN t.typname IN ('int2', 'int4', 'int8', 'numeric', 'float4', 'float8') THEN CASE WHEN other THEN '5006' ELSE '5005' END
		WHEN t.typname = 'bool' THEN (NOT other)::text
		WHEN t.typname IN ('timestamptz', 'timestamp', 'date') THEN CASE WHEN other THEN '2026-11-02' ELSE '2026-11-01' END
		WHEN t.typname = 'time' THEN CASE WHEN other THEN '10:00' ELSE '09:00' END
		WHEN t.typname = 'interval' THEN CASE WHEN other THEN '1 day' ELSE '1 hour' END
		WHEN t.typname IN ('tstzrange', 'daterange') THEN CASE WHEN other THEN '[2026-01-01,)' ELSE '[2025-01-01,)' END
		WHEN t.typname = 'uuid' THEN CASE WHEN other THEN '22222222-2222-2222-2222-222222222222' ELSE '11111111-1111-1111-1111-111111111111' END
		WHEN t.typname IN ('inet', 'cidr') THEN CASE WHEN other THEN '192.0.2.1' ELSE '192.0.2.0' END
		WHEN t.typname IN ('json', 'jsonb') THEN CASE WHEN other THEN '{"a": 1}' ELSE '{}' END
		WHEN t.typname = 'bytea' THEN CASE WHEN other THEN '\x02' ELSE '\x01' END
		ELSE CASE WHEN other THEN 'other' ELSE 'some' END END
	FROM pg_type t WHERE t.oid = of_type
$$;

-- Only what writes the journal is there: of a row is not asked that it makes sense.
CREATE FUNCTION test.bare(which regclass, of_table text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	said record;
BEGIN
	EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', which);
	FOR said IN SELECT g.tgname FROM pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid WHERE g.tgrelid = which AND g.tgparentid = 0
			AND f.proname IN ('journal_row', 'journal_of_case', 'sums_' || of_table) LOOP
		EXECUTE format('ALTER TABLE %s ENABLE TRIGGER %I', which, said.tgname);
	END LOOP;
	FOR said IN SELECT conname FROM pg_constraint WHERE conrelid = which AND contype IN ('c', 'f', 'p', 'u', 'x') AND conparentid = 0
			ORDER BY contype = 'p' LOOP
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', which, said.conname);
	END LOOP;
	FOR said IN SELECT indexrelid::regclass AS name FROM pg_index WHERE indrelid = which AND indisunique LOOP
		EXECUTE format('DROP INDEX %s', said.name);
	END LOOP;
	FOR said IN SELECT attname FROM pg_attribute WHERE attrelid = which AND attidentity <> '' LOOP
		EXECUTE format('ALTER TABLE %s ALTER %I DROP IDENTITY', which, said.attname);
	END LOOP;
END $$;

-- By whichever way the audit holds the table.
CREATE FUNCTION test.found(of_table text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	SET CONSTRAINTS ALL IMMEDIATE;
	RETURN (SELECT count(*) FROM audit_sums(of_table)) + (SELECT count(*) FROM audit_step(of_table));
END $$;
-- The same after a statement, which is undone.
CREATE FUNCTION test.tried(of_table text, statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	rows_ bigint;
	problems bigint := -1;
BEGIN
	EXECUTE statement;
	GET DIAGNOSTICS rows_ = ROW_COUNT;
	ASSERT rows_ = 1, statement;
	problems := test.found(of_table);
	RAISE EXCEPTION 'undone' USING ERRCODE = 'P1000';
EXCEPTION WHEN SQLSTATE 'P1000' THEN
	RETURN problems;
END $$;

-- A row is put as anybody may, then edited as the owner may. What the audit does not find of it: '' where it finds all.
CREATE FUNCTION test.unfound(of_table text) RETURNS text LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
	which regclass := 'cirt.' || quote_ident(of_table);
	a audited := (SELECT x FROM audited x WHERE x.of_table = unfound.of_table ORDER BY x.way = 'sum' DESC LIMIT 1);
	report bigint := to_char(timezone('UTC', now()), 'YYYYMM')::bigint * 10000000000 + 7;
	place text;
	names text;
	vals text;
	t record;
	left_out text[] := '{}';
BEGIN
	PERFORM test.bare(which, of_table);
	SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum), string_agg(format('%L', CASE
			WHEN attname = 'case_id' OR (of_table = 'case_link' AND attname IN ('a', 'b')) THEN (SELECT max(id) FROM cases)::text
			WHEN attname = 'report' OR (of_table = 'report' AND attname = 'id') THEN report::text
			ELSE test.value(atttypid::regtype, false) END), ', ' ORDER BY attnum) INTO names, vals
		FROM pg_attribute WHERE attrelid = which AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
	EXECUTE format('INSERT INTO %s (%s) VALUES (%s) RETURNING format(''ctid = %%L AND tableoid = %%s'', ctid, tableoid)', which, names, vals) INTO place;
	IF test.found(of_table) <> 0 THEN
		RETURN 'what was done as it should be: ' || (SELECT string_agg(x.problem, '; ') FROM audit_verify() x);
	END IF;
	PERFORM set_config('session_replication_role', 'replica', true);
	IF test.tried(of_table, format('DELETE FROM %s WHERE %s', which, place)) < 1 THEN
		left_out := left_out || 'delete'::text;
	END IF;
	IF test.tried(of_table, format('INSERT INTO %s (%s) VALUES (%s)', which, names, replace(replace(vals, '''5005''', '''5006'''), '''some''', '''other'''))) < 1 THEN
		left_out := left_out || 'insert'::text;
	END IF;
	FOR t IN SELECT attname, atttypid::regtype AS of_type FROM pg_attribute WHERE attrelid = which AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
			AND (attname <> ALL (a.hidden) OR (of_table = 'outbox' AND attname = 'bytes')) LOOP
		IF test.tried(of_table, format('UPDATE %s SET %I = %L WHERE %s', which, t.attname, CASE
				WHEN t.attname = 'report' OR (of_table = 'report' AND t.attname = 'id') THEN (report + 1)::text
				ELSE test.value(t.of_type, true) END, place)) < 1 THEN
			left_out := left_out || t.attname::text;
		END IF;
	END LOOP;
	RETURN array_to_string(left_out, ', ');
END $$;

SELECT cirt.partitions_ahead(1) \g /dev/null
SET ROLE cirt_owner;
INSERT INTO cases (title) VALUES ('the owner''s');
RESET ROLE;
-- A transaction each, whose end nobody sees. \gexec stops at the first that fails.
SELECT format($q$DO $d$
DECLARE
	unfound text;
BEGIN
	BEGIN
		unfound := test.unfound(%L);
		RAISE EXCEPTION 'undone' USING ERRCODE = 'P1001';
	EXCEPTION WHEN SQLSTATE 'P1001' THEN
		ASSERT unfound = '', %L || ': the audit does not find ' || unfound;
	END;
END $d$$q$, of_table, of_table) FROM (SELECT DISTINCT of_table FROM audited) a ORDER BY of_table
\gexec
DO $$ BEGIN ASSERT (SELECT count(*) FROM audit_verify()) = 0; END $$;
