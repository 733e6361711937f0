-- What has too many rows for a journal row each is in the journal by sums: what a transaction did to the rows of a mail, a case, an
-- organisation. A row's share is the SHA-256 of its columns, as four numbers of 64 bits; what was put adds it, what went takes it away.
-- The audit adds up the journal and the rows: an edit with triggers off leaves them apart.
SET LOCAL search_path = cirt, pg_temp;
SELECT set_config('cirt.actor', 'migration', true);

-- ---- what is summed ----

--   sum      in chains rows/N, by journal_sums of TABLE: one row a transaction
ALTER TABLE audited DROP CONSTRAINT audited_way_check, ADD CONSTRAINT audited_way_check CHECK (way IN ('row', 'of_case', 'sum')),
	ADD bucket text NOT NULL DEFAULT '',    -- sum: of which object a row is; an expression over its columns that gives a bigint
	ADD columns text[] NOT NULL DEFAULT '{}'; -- sum: what is hashed of a row, in this order; expressions over its columns
ALTER TABLE audited DROP CONSTRAINT audited_pkey, ADD PRIMARY KEY (of_table, way); -- by both: what a row must not say is summed
-- `kind` of a sum is what its buckets are; `hidden` are the columns that are not summed.

-- A transaction's sums until it ends; nobody ever sees a row.
CREATE UNLOGGED TABLE journal_sum (
	xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
	of_table text NOT NULL,
	sums jsonb NOT NULL               -- {bucket: [rows, four sums]}
);
CREATE INDEX journal_sum_xid ON journal_sum (xid);

-- The sums of a relation that has the columns of an audited table, as a query: bucket, n, a, b, c, d.
CREATE FUNCTION sums_query(a audited, relation text, sign int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT format('SELECT bucket, %1$s * count(*) AS n, %1$s * sum((''x'' || substr(h, 1, 16))::bit(64)::bigint) AS a,
		%1$s * sum((''x'' || substr(h, 17, 16))::bit(64)::bigint) AS b, %1$s * sum((''x'' || substr(h, 33, 16))::bit(64)::bigint) AS c,
		%1$s * sum((''x'' || substr(h, 49, 16))::bit(64)::bigint) AS d
		FROM (SELECT coalesce(%2$s, 0)::bigint AS bucket, encode(sha256(convert_to(ROW(%3$s)::text, ''UTF8'')), ''hex'') AS h FROM %4$s OFFSET 0) x
		GROUP BY bucket', sign, a.bucket, array_to_string(a.columns, ', '), relation)
$$;
CREATE FUNCTION sums_put(a audited, query text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT format('INSERT INTO cirt.journal_sum (of_table, sums) SELECT %L, jsonb_object_agg(bucket, jsonb_build_array(n, a, b, c, d))
		FROM (%s) s WHERE (n, a, b, c, d) <> (0, 0, 0, 0, 0) HAVING count(*) > 0', a.of_table, query)
$$;

-- For what no trigger sees: all rows of this relation were put (1) or went (-1).
CREATE FUNCTION sums_moved(a audited, relation regclass, sign int) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC'
SET "DateStyle" = 'ISO' SET "IntervalStyle" = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
BEGIN
	EXECUTE sums_put(a, sums_query(a, relation::text, sign));
END $$;

-- At the transaction's end: one journal row of all that it did. Its chain is one that no other transaction holds, so that nobody waits.
CREATE FUNCTION journal_sum_close() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp SET enable_seqscan = off AS $$
DECLARE
	said jsonb;
	lane int := 0;
BEGIN
	WITH went AS (DELETE FROM journal_sum s WHERE s.xid = pg_current_xact_id() RETURNING s.of_table, s.sums)
	SELECT jsonb_object_agg(t.of_table, t.sums) INTO said FROM (
		SELECT s.of_table, jsonb_object_agg(s.bucket, jsonb_build_array(s.n, s.a, s.b, s.c, s.d)) AS sums FROM (
			SELECT w.of_table, e.key AS bucket, sum((e.value ->> 0)::numeric) AS n, sum((e.value ->> 1)::numeric) AS a,
				sum((e.value ->> 2)::numeric) AS b, sum((e.value ->> 3)::numeric) AS c, sum((e.value ->> 4)::numeric) AS d
			FROM went w CROSS JOIN LATERAL jsonb_each(w.sums) e GROUP BY w.of_table, e.key) s
		WHERE (s.n, s.a, s.b, s.c, s.d) <> (0, 0, 0, 0, 0) GROUP BY s.of_table) t;
	IF said IS NULL THEN
		RETURN NULL;
	END IF;
	WHILE lane < 255 AND NOT pg_try_advisory_xact_lock(1919907699, lane) LOOP
		lane := lane + 1;
	END LOOP;
	PERFORM journal_add('rows/' || lane, 'rows', NULL, said::text);
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_sum_close AFTER INSERT ON journal_sum DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
	EXECUTE FUNCTION journal_sum_close();

-- A table is summed from now on: triggers by statement, whose queries are planned once, and what is there already.
CREATE FUNCTION audited_sum(which regclass, kind text, bucket text, hidden text[] DEFAULT '{}', also text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	a audited;
BEGIN
	SELECT c.relname, 'sum', kind, (SELECT array_agg(t.attname::text ORDER BY t.attnum) FROM pg_index i JOIN pg_attribute t ON t.attrelid = i.indrelid
			AND t.attnum = ANY (i.indkey) WHERE i.indrelid = which AND i.indisprimary), hidden, bucket,
		(SELECT array_agg(quote_ident(t.attname) ORDER BY t.attnum) FROM pg_attribute t WHERE t.attrelid = which AND t.attnum > 0
			AND NOT t.attisdropped AND t.attname <> ALL (hidden)) || also INTO a FROM pg_class c WHERE c.oid = which;
	a.key := coalesce(a.key, '{}');
	INSERT INTO audited SELECT a.*;
	EXECUTE format('CREATE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp SET "TimeZone" = ''UTC''
		SET "DateStyle" = ''ISO'' SET "IntervalStyle" = ''postgres'' SET bytea_output = ''hex'' SET extra_float_digits = 1 AS $f$
		#variable_conflict use_column
		BEGIN
			IF TG_OP = ''INSERT'' THEN
				%s;
			ELSIF TG_OP = ''DELETE'' THEN
				%s;
			ELSE
				%s;
			END IF;
			RETURN NULL;
		END $f$', 'sums_' || a.of_table, sums_put(a, sums_query(a, 'fresh', 1)), sums_put(a, sums_query(a, 'was', -1)),
		sums_put(a, format('SELECT bucket, sum(n) AS n, sum(a) AS a, sum(b) AS b, sum(c) AS c, sum(d) AS d FROM (%s UNION ALL %s) u GROUP BY bucket',
			sums_query(a, 'fresh', 1), sums_query(a, 'was', -1))));
	EXECUTE format('REVOKE ALL ON FUNCTION %I() FROM PUBLIC', 'sums_' || a.of_table);
	EXECUTE format('CREATE TRIGGER summed_put AFTER INSERT ON %s REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION %I()',
		which, 'sums_' || a.of_table);
	EXECUTE format('CREATE TRIGGER summed_changed AFTER UPDATE ON %s REFERENCING OLD TABLE AS was NEW TABLE AS fresh FOR EACH STATEMENT
		EXECUTE FUNCTION %I()', which, 'sums_' || a.of_table);
	EXECUTE format('CREATE TRIGGER summed_gone AFTER DELETE ON %s REFERENCING OLD TABLE AS was FOR EACH STATEMENT EXECUTE FUNCTION %I()',
		which, 'sums_' || a.of_table);
	PERFORM sums_moved(a, which, 1);
END $$;
-- It is summed no more: what a migration calls before it changes such a table's columns, and audited_sum() after it.
CREATE FUNCTION audited_sum_end(which regclass) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a audited := (SELECT x FROM audited x JOIN pg_class c ON c.relname = x.of_table WHERE c.oid = which AND x.way = 'sum');
BEGIN
	PERFORM sums_moved(a, which, -1);
	EXECUTE format('DROP FUNCTION %I() CASCADE', 'sums_' || a.of_table);
	DELETE FROM audited x WHERE x.of_table = a.of_table AND x.way = 'sum';
END $$;

-- ---- its audit ----

-- A bucket as people name it.
CREATE FUNCTION sums_object(a audited, bucket bigint) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE a.kind WHEN '' THEN a.of_table
		WHEN 'case' THEN 'case/' || coalesce((SELECT number FROM cases WHERE id = bucket), '#' || bucket)
		WHEN 'outbox' THEN 'outbox/' || coalesce((SELECT number FROM outbox WHERE id = bucket), '#' || bucket)
		WHEN 'report' THEN format('report/%s…%s', report_number(bucket * 100), right(report_number(bucket * 100 + 99), 2))
		WHEN 'day' THEN 'day/' || (date '1970-01-01' + bucket::int)
		ELSE a.kind || '/' || bucket END
$$;

-- The sums of the rows as they are beside those of the journal; of one table, or of all, which read the journal once.
CREATE FUNCTION audit_sums(only_of text DEFAULT NULL) RETURNS TABLE (object text, n bigint, problem text) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO' SET "IntervalStyle" = 'postgres' SET bytea_output = 'hex'
SET extra_float_digits = 1 SET work_mem = '64MB' AS $$
#variable_conflict use_column
DECLARE
	there text;
BEGIN
	RETURN QUERY SELECT 'audited/' || x.of_table, 0::bigint, 'there is no such table any more' FROM audited x
		WHERE x.way = 'sum' AND to_regclass('cirt.' || quote_ident(x.of_table)) IS NULL;
	SELECT string_agg(format('SELECT %L::text AS of_table, q.* FROM (%s) q', x.of_table, sums_query(x, quote_ident(x.of_table), 1)), ' UNION ALL ')
		INTO there FROM audited x WHERE x.way = 'sum' AND x.of_table = coalesce(only_of, x.of_table)
			AND to_regclass('cirt.' || quote_ident(x.of_table)) IS NOT NULL;
	IF there IS NULL THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format($q$
		WITH said AS (SELECT t.key AS of_table, e.key::bigint AS bucket, sum((e.value ->> 0)::numeric) AS n, sum((e.value ->> 1)::numeric) AS a,
				sum((e.value ->> 2)::numeric) AS b, sum((e.value ->> 3)::numeric) AS c, sum((e.value ->> 4)::numeric) AS d
			FROM journal j CROSS JOIN LATERAL jsonb_each(j.after::jsonb) t CROSS JOIN LATERAL jsonb_each(t.value) e
			WHERE j.object >= 'rows/' AND j.object < 'rows0' AND j.action = 'rows' AND t.key = coalesce($1, t.key) GROUP BY 1, 2),
		there AS (%s)
		SELECT sums_object(x, b.bucket), 0::bigint, x.of_table || CASE WHEN b.n_there = b.n_said THEN ': its rows are not what the journal says: '
				|| b.n_there ELSE format(': %%s rows, and the journal knows of %%s', b.n_there, b.n_said) END
		FROM (SELECT coalesce(s.of_table, h.of_table) AS of_table, coalesce(s.bucket, h.bucket) AS bucket, coalesce(s.n, 0) AS n_said,
				coalesce(h.n, 0) AS n_there FROM said s FULL JOIN there h ON h.of_table = s.of_table AND h.bucket = s.bucket
			WHERE (coalesce(s.n, 0), coalesce(s.a, 0), coalesce(s.b, 0), coalesce(s.c, 0), coalesce(s.d, 0))
				<> (coalesce(h.n, 0), coalesce(h.a, 0), coalesce(h.b, 0), coalesce(h.c, 0), coalesce(h.d, 0))) b
		JOIN audited x ON x.of_table = b.of_table AND x.way = 'sum' ORDER BY b.of_table, b.bucket $q$, there) USING only_of;
END $$;

-- Files of cases are what they are called by.
CREATE FUNCTION audit_evidence() RETURNS TABLE (object text, n bigint, problem text) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT 'evidence/' || encode(h.digest, 'hex'), 0::bigint, CASE WHEN e.digest IS NULL THEN 'its bytes are gone' ELSE 'its bytes are others' END
	FROM (SELECT DISTINCT digest FROM case_evidence) h LEFT JOIN LATERAL (SELECT v.digest, v.bytes FROM evidence v
		WHERE v.month = evidence_month(h.digest) AND v.digest = h.digest) e ON true
	WHERE e.digest IS NULL OR sha256(e.bytes) <> e.digest
$$;

-- The steps of an audit, in their order: each is asked for by itself, so that who waits sees how far it is.
CREATE FUNCTION audit_steps() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT 'audited' UNION ALL (SELECT of_table FROM audited WHERE of_table <> 'audited' AND way <> 'sum' ORDER BY of_table)
	UNION ALL SELECT 'sums' UNION ALL SELECT 'evidence'
$$;
CREATE FUNCTION audit_step(step text) RETURNS TABLE (object text, n bigint, problem text) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
#variable_conflict use_column
BEGIN
	IF step = 'sums' THEN
		RETURN QUERY SELECT * FROM audit_sums();
	ELSIF step = 'evidence' THEN
		RETURN QUERY SELECT * FROM audit_evidence();
	ELSIF step = 'audited' THEN
		RETURN QUERY SELECT * FROM audit_table(ROW('audited', 'row', 'audited', '{of_table,way}', '{}', '', '{}')::audited);
	ELSE
		RETURN QUERY SELECT t.* FROM audited a CROSS JOIN LATERAL audit_table(a) t WHERE a.of_table = step AND a.way <> 'sum';
	END IF;
END $$;
CREATE OR REPLACE FUNCTION audit_verify() RETURNS TABLE (object text, n bigint, problem text) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT * FROM audit_journal() UNION ALL SELECT t.* FROM audit_steps() s CROSS JOIN LATERAL audit_step(s) t
$$;

-- ---- retention ----

-- As before. Partitions are emptied past the triggers of their parent.
CREATE OR REPLACE FUNCTION retire_partition(partition text, id text, held bigint[]) RETURNS bigint LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	went bigint;
	a audited := (SELECT x FROM audited x WHERE x.of_table = substring(partition FROM '^(.*)_[0-9]{6}_[0-9]{4}$') AND x.way = 'sum');
BEGIN
	IF a IS NOT NULL THEN
		PERFORM sums_moved(a, partition::regclass, -1);
	END IF;
	EXECUTE format('SELECT count(*) FROM %I', partition) INTO went;
	EXECUTE format('CREATE TEMPORARY TABLE retire_held ON COMMIT DROP AS SELECT * FROM %I WHERE %I = ANY ($1)', partition, id) USING held;
	EXECUTE format('TRUNCATE ONLY %I', partition);
	EXECUTE format('INSERT INTO %I SELECT * FROM retire_held', partition);
	SELECT went - count(*) INTO went FROM retire_held;
	DROP TABLE retire_held;
	IF a IS NOT NULL THEN
		PERFORM sums_moved(a, partition::regclass, 1);
	END IF;
	RETURN went;
END $$;

-- ---- reading it ----

-- As before; sums are named by their tables, as their numbers say nothing to a person.
CREATE OR REPLACE FUNCTION journal_text(action text, before text, after text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN CASE
		WHEN action = 'rows' THEN 'rows of ' || (SELECT string_agg(key, ', ' ORDER BY key) FROM jsonb_object_keys(after::jsonb) AS key)
		WHEN action = 'update' THEN coalesce((SELECT string_agg(key || ' ' || coalesce(nullif(left(value, 200), ''), '-') || ' → '
				|| coalesce(nullif(left(after::jsonb ->> key, 200), ''), '-'), ' · ' ORDER BY key) FROM jsonb_each_text(before::jsonb)
				WHERE key NOT IN ('changed')), 'as it was')
		WHEN action = 'insert' THEN 'made: ' || coalesce((SELECT string_agg(key || ' ' || left(value, 100), ' · ' ORDER BY key)
			FROM jsonb_each_text(after::jsonb) WHERE value <> '' AND value NOT IN ('{}', '[]', 'false') AND key NOT IN ('id', 'added', 'changed')), '')
		WHEN action = 'delete' THEN 'gone'
		ELSE action || coalesce(': ' || (SELECT string_agg(key || ' ' || left(value, 200), ' · ' ORDER BY key)
			FROM jsonb_each_text(after::jsonb) WHERE value <> ''), '') END;
EXCEPTION WHEN invalid_text_representation OR invalid_parameter_value THEN
	RETURN action;
END $$;

-- As before; sums are shown to who asks for them, OBJECT being rows/N.
DROP INDEX journal_at;
CREATE INDEX journal_at ON journal (at, id) WHERE object NOT LIKE 'rows/%';
CREATE OR REPLACE FUNCTION journal_listed(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	most int := least(coalesce((p ->> 'limit')::int, 50), 1000);
	what text := CASE WHEN p ? 'object' THEN journal_object(p ->> 'object') END;
	oldest bigint;
	at_most bigint;
	id_below bigint;
	answer json;
BEGIN
	oldest := coalesce((extract(epoch FROM (p ->> 'since')::timestamptz) * 1000000)::bigint, 0);
	at_most := coalesce(split_part(p ->> 'cursor', '.', 1)::bigint, 9223372036854775807);
	id_below := coalesce(split_part(p ->> 'cursor', '.', 2)::bigint, 9223372036854775807);
	IF what LIKE 'case/%' AND NOT journal_visible(what, NULL, p) THEN
		RAISE EXCEPTION 'that case is restricted: its members and the lead see it' USING ERRCODE = 'insufficient_privilege';
	END IF;
	SELECT json_build_object('items', coalesce(json_agg(json_build_object('at', stamp(to_timestamp(x.at / 1e6)), 'actor', x.actor, 'role', x.role,
			'object', CASE WHEN x.object ~ '^report/[0-9]{16,18}$' THEN 'report/' || report_number(substr(x.object, 8)::bigint) ELSE x.object END,
			'n', x.n, 'action', x.action, 'what', CASE WHEN x.object LIKE 'case/%' THEN coalesce(case_journal_text(substr(x.object, 6), x.action,
				x.before, x.after), x.action) ELSE journal_text(x.action, x.before, x.after) END) ORDER BY x.at DESC, x.id DESC)
			FILTER (WHERE x.place <= most), '[]'),
		'next', CASE WHEN max(x.count) > most THEN (max(x.at || '.' || x.id) FILTER (WHERE x.place = most)) END)
	INTO answer FROM (SELECT f.*, row_number() OVER (ORDER BY f.at DESC, f.id DESC) AS place, count(*) OVER () AS count
		FROM (SELECT j.* FROM journal j WHERE (what IS NULL OR j.object = what) AND (NOT p ? 'by' OR j.actor = p ->> 'by')
			AND (what IS NOT NULL OR j.object NOT LIKE 'rows/%')
			AND j.at >= oldest AND (j.at, j.id) < (at_most, id_below) AND journal_visible(j.object, j.after, p)
			ORDER BY j.at DESC, j.id DESC LIMIT most + 1) f) x;
	RETURN answer;
EXCEPTION WHEN invalid_datetime_format OR datetime_field_overflow OR invalid_text_representation OR numeric_value_out_of_range THEN
	RAISE EXCEPTION 'expected --since as a time, and --cursor as the last page gave it' USING ERRCODE = 'invalid_parameter_value';
END $$;

-- ---- the tables ----

-- Mails: what the courier writes for itself is left out, and the letter is its digest.
SELECT audited_sum('outbox', 'outbox', 'id', '{holder,held_until,attempts,next_try,bytes}', '{sha256(bytes)}'),
	audited_sum('disclosure', 'outbox', 'outbox'), audited_sum('inquiry_letter', 'inquiry', 'inquiry'), audited_sum('case_letter', 'case', 'case_id');
-- Questions: their rows in the journal say of what is personal only that it is there.
SELECT audited_sum('ask', 'ask', 'id'), audited_sum('inquiry', 'inquiry', 'id');
-- Reports: what they say, whose they are and how they stand.
SELECT audited_sum('report', 'report', 'id / 100'), audited_sum('case_report', 'case', 'case_id'), audited_sum('report_status', 'report', 'report / 100'),
	audited_sum('fold_undo', 'report', 'report / 100'), audited_sum('report_link', 'report', 'a / 100'),
	audited_sum('warning', 'report', 'report / 100'), audited_sum('by_hand', 'day', '(at AT TIME ZONE ''UTC'')::date - ''1970-01-01''::date'),
	audited_sum('rescan', 'rescan', 'id'), audited_sum('rescan_match', 'rescan', 'rescan'),
	audited_sum('quarantine', 'quarantine', 'id', '{bytes}'), audited_sum('ledger_act', 'quarantine', 'quarantine');
-- The register.
SELECT audited_sum(t::regclass, 'organisation', 'organisation') FROM unnest('{organisation_prefix,organisation_asn,organisation_domain,
	organisation_brand}'::text[]) t;
SELECT audited_sum(t::regclass, '', '0') FROM unnest('{delegation,delegation_asn,abuse_contact}'::text[]) t;
-- What operators did, and may take back.
SELECT audited_sum('act', 'act', 'id'), audited_sum('act_report', 'act', 'act'), audited_sum('alarm', 'alarm', 'id', '{count,last}');
-- What is set. Drafts of rules are not in the journal row by row, and yet rows of their table.
DELETE FROM audited WHERE of_table = 'notify_rule';
SELECT audited_sum('notify_rule', 'rule', 'id');
SELECT audited_sum('regime_stage', 'regime', 'regime'), audited_sum('calendar_hours', 'calendar', 'calendar'),
	audited_sum('calendar_holiday', 'calendar', 'calendar'), audited_sum('exercise', 'exercise', 'id'), audited_sum('retired', 'retired', 'month');
SELECT audited_sum(t::regclass, '', '0') FROM unnest('{act_kind,answer_word,approval_kind,brief_word,case_impact,case_outcome,case_transition,
	correlation_rule,fold_rule,measure_kind,migration,personal_field,report_transition,retention_rule,role_reads,similarity_rule,task_transition}'::text[]) t;

REVOKE ALL ON FUNCTION sums_query, sums_put, sums_moved, journal_sum_close, audited_sum, audited_sum_end, sums_object, audit_sums, audit_evidence, audit_steps,
	audit_step FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_steps, audit_step TO cirt_desk;
