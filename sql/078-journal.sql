-- The journal as operators read it, and its audit: every table whose content the journal holds is compared with it.
SET LOCAL search_path = cirt, pg_temp;

-- ---- reading it ----

CREATE INDEX journal_at ON journal (at, id);
CREATE INDEX journal_actor ON journal (actor, at, id);

-- What a journal row says to a person, where it is no case's: what changed from what to what, or the act and what was said with it.
CREATE FUNCTION journal_text(action text, before text, after text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN CASE
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

-- The case that a journal row is of, if it is one's: by its object, or by what it says.
CREATE FUNCTION journal_case(object text, after text) RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	of_case text;
BEGIN
	IF object LIKE 'case/%' THEN
		RETURN (SELECT c.id FROM cases c WHERE c.number = substr(object, 6));
	ELSIF object LIKE 'outbox/%' THEN
		RETURN (SELECT o.case_id FROM outbox o WHERE o.number = substr(object, 8));
	ELSIF after IS NULL OR left(after, 1) <> '{' THEN
		RETURN NULL;
	ELSIF object LIKE 'approval/%' THEN
		of_case := after::jsonb ->> 'object';
		RETURN CASE WHEN of_case LIKE 'case/%' THEN (SELECT c.id FROM cases c WHERE c.number = substr(of_case, 6)) END;
	END IF;
	of_case := after::jsonb ->> 'case_id';
	RETURN CASE WHEN of_case ~ '^[0-9]{1,18}$' THEN of_case::bigint END;
END $$;

CREATE FUNCTION journal_visible(object text, after text, p jsonb) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	of_case bigint;
BEGIN
	IF p ->> 'role' IN ('lead', 'admin') THEN
		RETURN true;
	END IF;
	of_case := journal_case(object, after);
	RETURN of_case IS NULL OR case_may_see(of_case, p ->> 'operator');
END $$;

-- What a person types for an object of the journal: KIND/NAME, or the number of a case, mail, report, or an operator's name.
CREATE FUNCTION journal_object(typed text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	parts text[] := regexp_match(typed, '^([0-9]{6})-([0-9]{1,10})$');
BEGIN
	IF typed LIKE '%/%' THEN
		RETURN typed;
	ELSIF upper(typed) ~ '^N[0-9]{4}-[0-9]+$' THEN
		RETURN 'outbox/' || upper(typed);
	ELSIF parts IS NOT NULL THEN
		RETURN 'report/' || (parts[1]::bigint * 10000000000 + parts[2]::bigint);
	ELSIF typed ~ '^([0-9]{4}-)?[0-9]{1,9}$' THEN
		RETURN 'case/' || (SELECT number FROM cases WHERE id = case_named(typed));
	ELSIF EXISTS (SELECT FROM operator WHERE name = typed) THEN
		RETURN 'operator/' || typed;
	END IF;
	RAISE EXCEPTION 'expected a case, mail, report or operator, or KIND/NAME such as source/phish, not "%"', left(typed, 60)
		USING ERRCODE = 'invalid_parameter_value';
END $$;

-- {object, by, since, limit, cursor}: the newest first. A cursor is "AT.ID".
CREATE FUNCTION desk_journal(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp SET plan_cache_mode = force_custom_plan AS $$
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
			AND j.at >= oldest AND (j.at, j.id) < (at_most, id_below) AND journal_visible(j.object, j.after, p)
			ORDER BY j.at DESC, j.id DESC LIMIT most + 1) f) x;
	RETURN answer;
EXCEPTION WHEN invalid_datetime_format OR datetime_field_overflow OR invalid_text_representation OR numeric_value_out_of_range THEN
	RAISE EXCEPTION 'expected --since as a time, and --cursor as the last page gave it' USING ERRCODE = 'invalid_parameter_value';
END $$;

-- ---- comparing tables with it ----

-- Every table whose content the journal holds: how its rows get there. `way`:
--   row      in the chain KIND/NAME, by journal_row(KIND, NAME COLUMN, SECRET COLUMNS...)
--   of_case  in its case's chain under the table's name, by journal_of_case(CASE COLUMN)
-- A migration that gives a table one of these triggers calls audited_add(); tests compare. What the journal was not told of, psql did.
CREATE TABLE audited (
	of_table text PRIMARY KEY,
	way text NOT NULL CHECK (way IN ('row', 'of_case')),
	kind text NOT NULL DEFAULT '',    -- row: the objects' kind
	key text[] NOT NULL,              -- columns that tell its rows apart
	hidden text[] NOT NULL DEFAULT '{}' -- row: columns that are only said to be set
);
CREATE TRIGGER audited_journal AFTER INSERT OR UPDATE OR DELETE ON audited FOR EACH ROW EXECUTE FUNCTION journal_row('audited', 'of_table');

-- A table that has a journal trigger is audited from now on, by what the trigger says.
CREATE FUNCTION audited_add(which regclass) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	t record;
	said text[];
	keys text[];
BEGIN
	SELECT f.proname, g.tgargs INTO t FROM pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid
		WHERE g.tgrelid = which AND f.pronamespace = 'cirt'::regnamespace AND f.proname IN ('journal_row', 'journal_of_case') ORDER BY g.tgname LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION '% has no trigger that writes the journal', which USING ERRCODE = 'invalid_parameter_value';
	END IF;
	said := string_to_array(rtrim(replace(encode(t.tgargs, 'escape'), '\000', chr(10)), chr(10)), chr(10));
	SELECT array_agg(a.attname::text ORDER BY a.attnum) INTO keys FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
		WHERE i.indrelid = which AND i.indisprimary;
	INSERT INTO audited SELECT c.relname, CASE t.proname WHEN 'journal_row' THEN 'row' ELSE 'of_case' END,
			CASE t.proname WHEN 'journal_row' THEN said[1] ELSE '' END, keys,
			CASE t.proname WHEN 'journal_row' THEN said[3:] ELSE '{}' END
		FROM pg_class c WHERE c.oid = which;
END $$;
-- A row of such a table as the journal has it, what tells it apart, and what the journal said of it last. Within a chain the number
-- orders, between chains the time: both are hashed. Columns that the table had not then, or has no more, are not compared.
CREATE FUNCTION audit_table(a audited) RETURNS TABLE (object text, n bigint, problem text) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' SET work_mem = '64MB' AS $$
#variable_conflict use_column
DECLARE
	identity text := (SELECT string_agg(format('coalesce(d.doc ->> %L, '''')', k), ' || ''/'' || ' ORDER BY place)
		FROM unnest(a.key) WITH ORDINALITY AS u(k, place));
	actions text[] := CASE a.way WHEN 'row' THEN ARRAY['insert', 'update', 'delete']
		ELSE ARRAY[a.of_table, a.of_table || ' update', a.of_table || ' delete'] END;
	prefix text := CASE a.way WHEN 'row' THEN a.kind ELSE 'case' END;
	columns text[] := (SELECT array_agg(t.attname::text) FROM pg_attribute t WHERE t.attrelid = to_regclass('cirt.' || quote_ident(a.of_table))
		AND t.attnum > 0 AND NOT t.attisdropped);
BEGIN
	IF columns IS NULL THEN
		RETURN QUERY SELECT 'audited/' || a.of_table, 0::bigint, 'there is no such table any more';
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format($q$
		WITH now AS (SELECT %1$s AS id, d.doc FROM (SELECT CASE $1 WHEN 'row' THEN journal_row_text(to_jsonb(t), $2)
				ELSE journal_fields($3, to_jsonb(t)) END AS doc FROM %2$I t) d),
		said AS (SELECT DISTINCT ON (object, id) * FROM (SELECT j.object, j.n, j.at, j.action, %1$s AS id, d.doc
				FROM journal j CROSS JOIN LATERAL (SELECT coalesce(j.after, j.before)::jsonb AS doc) d
				WHERE j.object >= $4 || '/' AND j.object < $4 || '0' AND j.action = ANY ($5) AND d.doc ?& $6) x ORDER BY object, id, n DESC),
		last AS (SELECT DISTINCT ON (id) * FROM said ORDER BY id, at DESC),
		pair AS (SELECT now.id AS is_there, last.*, now.doc AS now_doc, coalesce(last.id, now.id) AS any_id FROM now FULL JOIN last ON last.id = now.id)
		SELECT coalesce(b.object, $3 || ' ' || b.any_id), coalesce(b.n, 0), CASE
			WHEN b.action IS NULL THEN format('%%s %%s is not in the journal', $3, b.any_id)
			WHEN b.is_there IS NULL THEN format('%%s %%s is gone and the journal does not know', $3, b.any_id)
			WHEN b.action LIKE '%%delete' THEN format('%%s %%s is there again and the journal does not know', $3, b.any_id)
			ELSE format('%%s %%s is not what the journal says: %%s', $3, b.any_id, (SELECT string_agg(k.key, ', ' ORDER BY k.key)
				FROM jsonb_each(b.doc) k WHERE k.value IS DISTINCT FROM b.now_doc -> k.key)) END
		FROM pair b
		WHERE CASE WHEN b.is_there IS NULL THEN b.action NOT LIKE '%%delete' WHEN b.action IS NULL OR b.action LIKE '%%delete' THEN true
			WHEN b.doc = b.now_doc THEN false
			ELSE EXISTS (SELECT FROM jsonb_each(b.doc) k WHERE regexp_replace(k.key, '_?digest$', '') = ANY ($7 || ARRAY[''])
				AND k.value IS DISTINCT FROM b.now_doc -> k.key)
				OR EXISTS (SELECT FROM jsonb_object_keys(b.now_doc) k WHERE k LIKE '%%digest' AND NOT b.doc ? k) END
		ORDER BY 1, 2 $q$, identity, a.of_table) USING a.way, a.hidden, a.of_table, prefix, actions, a.key, columns;
END $$;

-- Find every edit: chains, and rows that are not what the journal says. What is audited is itself looked at first.
CREATE OR REPLACE FUNCTION audit_verify() RETURNS TABLE (object text, n bigint, problem text) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT * FROM audit_journal()
	UNION ALL SELECT * FROM audit_table(ROW('audited', 'row', 'audited', '{of_table}', '{}')::audited)
	UNION ALL SELECT t.* FROM audited a CROSS JOIN LATERAL audit_table(a) t WHERE a.of_table <> 'audited'
$$;

SELECT set_config('cirt.actor', 'migration', true);
SELECT audited_add(c.oid) FROM pg_class c WHERE c.relnamespace = 'cirt'::regnamespace AND EXISTS (SELECT FROM pg_trigger g JOIN pg_proc f
	ON f.oid = g.tgfoid WHERE g.tgrelid = c.oid AND f.proname IN ('journal_row', 'journal_of_case')) ORDER BY c.relname;

REVOKE ALL ON FUNCTION journal_text, journal_case, journal_visible, journal_object, desk_journal, audited_add, audit_table FROM PUBLIC;
GRANT EXECUTE ON FUNCTION journal_text, journal_case, journal_visible, journal_object, desk_journal TO cirt_desk;
GRANT SELECT ON audited TO cirt_desk, cirt_keeper;

-- Functions of the owner are nobody's but whose they are granted to.
DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'cirt'::regnamespace AND p.prosecdef AND (p.proacl IS NULL
			OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0)) LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
	END LOOP;
END $$;
