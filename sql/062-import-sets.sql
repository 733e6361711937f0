-- Files of hundreds of thousands of lines: rows are read and written many at a time. Where one of them is refused, its half is tried
-- again, and so on down to the line; work grows with the lines, and with those that are wrong. Plans do not rest on what statistics say
-- of tables that a dry run has filled and emptied: no loop over one table inside of another.
SET LOCAL search_path = cirt, pg_temp;

-- The same bytes as before, at a third of the price: an expression that the planner can open, instead of nine calls.
CREATE OR REPLACE FUNCTION journal_field(field text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN field IS NULL THEN '-,' ELSE octet_length(field)::text || ':' || field || ',' END
$$;
CREATE OR REPLACE FUNCTION journal_bytes(object text, n bigint, at bigint, actor text, role text, action text, before text, after text)
RETURNS bytea LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
	RETURN convert_to('1' || cirt.journal_field(object) || cirt.journal_field(n::text) || cirt.journal_field(at::text) || cirt.journal_field(actor)
		|| cirt.journal_field(role) || cirt.journal_field(action) || cirt.journal_field(before) || cirt.journal_field(after), 'UTF8');
END $$;
-- By its index always: the plan of a session that began while the table was small would read all of it for each row of the journal.
ALTER FUNCTION journal_add(text, text, text, text) SET enable_seqscan = off;

ALTER TABLE register_import ADD touched timestamptz NOT NULL DEFAULT now();

-- What a client left lying counts for nothing; an import that is being applied is locked.
CREATE FUNCTION import_forget(idle interval) RETURNS int LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	WITH gone AS (DELETE FROM register_import WHERE id IN (SELECT id FROM register_import WHERE touched < now() - idle FOR UPDATE SKIP LOCKED)
		RETURNING 1)
	SELECT count(*)::int FROM gone
$$;

CREATE OR REPLACE FUNCTION import_begin(columns text[]) RETURNS uuid LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	fresh uuid;
	odd text;
BEGIN
	SELECT c INTO odd FROM unnest(columns) AS c WHERE c <> ALL (import_columns()) LIMIT 1;
	IF odd IS NOT NULL THEN
		PERFORM wrong(format('there is no column "%s": expected some of %s', left(odd, 60), array_to_string((import_columns())[2:], ', ')));
	END IF;
	PERFORM import_forget('1 hour');
	INSERT INTO register_import DEFAULT VALUES RETURNING id INTO fresh;
	RETURN fresh;
END $$;

-- As before, but that a contact has only its own columns: then the same contact in many lines is the same.
CREATE OR REPLACE FUNCTION import_row(f jsonb) RETURNS TABLE (record text, name text, value text, valid tstzrange, fields jsonb) LANGUAGE plpgsql
STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	org text := btrim(coalesce(f ->> 'organisation', ''));
	bare jsonb := f - '{line,record,organisation,value}'::text[];
	wide boolean := coalesce(f ->> 'record', '') = '';
	one text;
	word text;
BEGIN
	valid := said_validity(f, tstzrange(NULL, NULL));
	name := org;
	IF NOT wide THEN
		record := f ->> 'record';
		value := coalesce(f ->> 'value', '');
		fields := bare;
		CASE
			WHEN record = 'organisation' OR record = 'contact' THEN NULL;
			WHEN record IN ('prefix', 'asn', 'domain', 'brand') THEN
				value := said_entry(record, value);
				fields := '{}';
			WHEN record IN ('group', 'member') THEN
				IF value !~ '^[a-z0-9][a-z0-9._-]{0,63}$' THEN
					PERFORM wrong(format('value: expected the group''s name (a to z, 0 to 9, - . _), not "%s"', left(value, 60)));
				END IF;
			WHEN record IN ('delegated', 'abuse', 'rpsl') THEN NULL;
			ELSE PERFORM wrong(format('record: expected organisation, prefix, asn, domain, brand, contact, group or member, not "%s"',
				left(record, 60)));
		END CASE;
		IF name = '' AND record NOT IN ('group', 'delegated', 'abuse') THEN
			PERFORM wrong('organisation: expected its name');
		END IF;
		RETURN NEXT;
		RETURN;
	END IF;
	IF org = '' THEN
		PERFORM wrong('organisation: expected its name');
	END IF;
	record := 'organisation';
	value := '';
	fields := jsonb_strip_nulls(jsonb_build_object('kind', nullif(f ->> 'kind', ''), 'sector', nullif(f ->> 'sector', ''),
		'criticality', nullif(f ->> 'criticality', ''), 'country', nullif(f ->> 'country', ''), 'parent', nullif(f ->> 'parent', ''),
		'handle', nullif(f ->> 'handle', ''), 'note', nullif(f ->> 'note', '')));
	RETURN NEXT;
	fields := '{}';
	FOREACH one IN ARRAY ARRAY['prefix', 'asn', 'domain', 'brand'] LOOP
		CONTINUE WHEN coalesce(f ->> one, '') = '';
		record := one;
		FOR word IN SELECT * FROM said_list(one, f ->> one) LOOP
			value := said_entry(one, word);
			RETURN NEXT;
		END LOOP;
	END LOOP;
	IF coalesce(f ->> 'email', '') <> '' OR coalesce(f ->> 'phone', '') <> '' THEN
		record := 'contact';
		value := '';
		fields := bare - '{kind,sector,criticality,country,parent,handle,note,prefix,asn,domain,brand,title,group}'::text[];
		RETURN NEXT;
	END IF;
END $$;

-- Rows that are objects, put aside; each fact of one piece once.
CREATE FUNCTION import_take(of_import uuid, rows jsonb[]) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	half int := cardinality(rows) / 2;
	said text;
BEGIN
	BEGIN
		INSERT INTO register_wanted (import, line, record, name, value, valid, f)
			SELECT of_import, min((u.row_ ->> 'line')::bigint), r.record, r.name, coalesce(r.value, ''), r.valid, r.fields
			FROM unnest(rows) WITH ORDINALITY AS u(row_, n), import_row(u.row_) r
			GROUP BY r.record, r.name, coalesce(r.value, ''), r.valid, r.fields ORDER BY min(u.n);
		RETURN;
	EXCEPTION WHEN invalid_parameter_value OR data_exception THEN
		said := SQLERRM;
	END;
	IF half = 0 THEN
		INSERT INTO register_wanted (import, line, record, problem)
			SELECT of_import, CASE WHEN l ~ '^[0-9]{1,15}$' THEN l::bigint ELSE 0 END, '', said FROM coalesce(rows[1] ->> 'line', '') AS l;
	ELSE
		PERFORM import_take(of_import, rows[:half]);
		PERFORM import_take(of_import, rows[half + 1:]);
	END IF;
END $$;

CREATE OR REPLACE FUNCTION import_rows(of_import uuid, rows jsonb) RETURNS bigint LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	total bigint;
	good jsonb[];
BEGIN
	UPDATE register_import i SET rows = i.rows + jsonb_array_length(import_rows.rows), touched = now() WHERE i.id = of_import
		AND i.operator = actor() RETURNING i.rows INTO total;
	IF total IS NULL THEN
		RAISE EXCEPTION 'there is no such import of yours: begin anew' USING ERRCODE = 'no_data_found';
	END IF;
	INSERT INTO register_wanted (import, line, record, problem)
		SELECT of_import, CASE WHEN x ->> 'line' ~ '^[0-9]{1,15}$' THEN (x ->> 'line')::bigint ELSE 0 END, '', x ->> 'problem'
		FROM jsonb_array_elements(import_rows.rows) AS x WHERE x ? 'problem';
	good := ARRAY(SELECT x FROM jsonb_array_elements(import_rows.rows) AS x WHERE NOT x ? 'problem');
	IF good <> '{}' THEN
		PERFORM import_take(of_import, good);
	END IF;
	RETURN total;
END $$;

-- ---- organisations ----

-- Makes and changes those numbered lo to hi of import_org, or says which of them cannot be.
CREATE FUNCTION import_org_put(of_import uuid, lo int, hi int) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	problem text;
BEGIN
	BEGIN
		UPDATE import_org w SET o = org_put(w.was, w.f - 'parent' || jsonb_build_object('name', w.name)) WHERE w.k BETWEEN lo AND hi;
		UPDATE import_org w SET how = CASE WHEN (w.was).id IS NULL THEN 'new' WHEN w.o IS DISTINCT FROM w.was THEN 'changed' ELSE 'unchanged' END
			WHERE w.k BETWEEN lo AND hi;
		INSERT INTO organisation (name, kind, sector, criticality, country, handle, note, valid, origin)
			SELECT (w.o).name, (w.o).kind, (w.o).sector, (w.o).criticality, (w.o).country, (w.o).handle, (w.o).note, (w.o).valid, 'import'
			FROM import_org w WHERE w.k BETWEEN lo AND hi AND w.how = 'new' ORDER BY w.k;
		PERFORM org_write(w.o) FROM import_org w WHERE w.k BETWEEN lo AND hi AND w.how = 'changed';
		RETURN;
	EXCEPTION WHEN invalid_parameter_value OR no_data_found OR check_violation OR data_exception THEN
		problem := SQLERRM;
	END;
	IF lo = hi THEN
		UPDATE import_org w SET how = 'wrong', said = problem WHERE w.k = lo;
	ELSE
		PERFORM import_org_put(of_import, lo, (lo + hi) / 2);
		PERFORM import_org_put(of_import, (lo + hi) / 2 + 1, hi);
	END IF;
END $$;

-- Sessions keep their plans for the checks of foreign keys: those made while the register was small would read all organisations for each
-- entry. Counting the rows makes them anew.
CREATE FUNCTION register_counted() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	ANALYZE organisation;
END $$;

-- Who is above may stand further down: all are there by now.
CREATE FUNCTION import_parents(of_import uuid) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	one record;
BEGIN
	UPDATE import_org w SET id = x.id FROM organisation x WHERE x.name = (w.o).name AND w.parent IS NOT NULL AND w.how <> 'wrong';
	UPDATE import_org w SET above = x.id FROM organisation x WHERE x.name = w.parent AND w.id IS NOT NULL;
	UPDATE import_org w SET above = x.id FROM (SELECT lower(name) AS name, max(id) AS id FROM organisation GROUP BY 1 HAVING count(*) = 1) x
		WHERE x.name = lower(w.parent) AND w.id IS NOT NULL AND w.above IS NULL;
	UPDATE import_org w SET how = 'wrong', said = format('there is no organisation "%s"', left(w.parent, 100)) WHERE w.id IS NOT NULL
		AND w.parent <> '' AND w.above IS NULL;
	-- Names that are near take a walk over all, so they are told of as many as are shown.
	FOR one IN SELECT x.k, x.parent FROM import_org x WHERE x.how = 'wrong' AND x.parent <> '' AND x.id IS NOT NULL ORDER BY x.line LIMIT 100 LOOP
		BEGIN
			PERFORM org_named(one.parent);
		EXCEPTION WHEN no_data_found THEN
			UPDATE import_org x SET said = SQLERRM WHERE x.k = one.k;
		END;
	END LOOP;
	UPDATE import_org w SET how = 'wrong', said = format('parent: "%s" would be above and below itself', w.name) WHERE w.above = w.id;
	UPDATE organisation o SET parent = w.above, changed = now() FROM import_org w WHERE w.id = o.id AND w.how <> 'wrong'
		AND o.parent IS DISTINCT FROM w.above;
	UPDATE import_org w SET how = CASE w.how WHEN 'unchanged' THEN 'changed' ELSE w.how END, said = concat_ws('; ', CASE WHEN w.how = 'changed' THEN
		org_difference(w.was, w.o) END, 'parent: ' || coalesce(nullif(w.parent, ''), 'none')) WHERE w.id IS NOT NULL
		AND w.how IN ('changed', 'unchanged') AND (w.was).parent IS DISTINCT FROM w.above;
	-- From those that have nobody above, all the way down: who is not met is below himself.
	WITH RECURSIVE down AS (SELECT x.id FROM organisation x WHERE x.parent IS NULL
		UNION ALL SELECT x.id FROM down JOIN organisation x ON x.parent = down.id)
	UPDATE import_org w SET how = 'wrong', said = format('parent: "%s" would be above and below itself', w.name)
		WHERE w.above IS NOT NULL AND w.how <> 'wrong' AND w.id NOT IN (SELECT id FROM down);
END $$;

-- What changes from one to the other, in words.
CREATE FUNCTION org_difference(was organisation, o organisation) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT string_agg(format('%s: %s → %s', b.key, nullif(a.value, ''), b.value), '; ') FROM jsonb_each_text(org_json(was)) a
		JOIN jsonb_each_text(org_json(o)) b USING (key) WHERE a.value IS DISTINCT FROM b.value AND key <> 'parent'
$$;

CREATE OR REPLACE FUNCTION import_organisations(of_import uuid) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp
SET client_min_messages = 'warning' AS $$
DECLARE
	most int;
BEGIN
	CREATE TEMP TABLE IF NOT EXISTS import_said (name text, f jsonb, line bigint, times bigint) ON COMMIT DROP;
	CREATE TEMP TABLE IF NOT EXISTS import_org (k int, line bigint, name text, f jsonb, was organisation, o organisation, how text, said text,
		parent text, id int, above int) ON COMMIT DROP;
	CREATE INDEX IF NOT EXISTS import_org_k ON import_org (k);
	TRUNCATE import_said, import_org;
	INSERT INTO import_said SELECT x.name, x.f, min(x.line), count(*) OVER (PARTITION BY x.name) FROM register_wanted x
		WHERE x.import = of_import AND x.record = 'organisation' GROUP BY x.name, x.f;
	ANALYZE import_said;
	-- Two lines may speak of one organisation, but not say two things of it.
	INSERT INTO register_outcome SELECT of_import, max(x.line), 'wrong', 'organisation', x.name, '', format('%s: "%s" here, "%s" in line %s', e.key,
			(array_agg(e.value ORDER BY x.line DESC))[1], (array_agg(e.value ORDER BY x.line))[1], min(x.line))
		FROM import_said x, jsonb_each_text(x.f) e WHERE x.times > 1 GROUP BY x.name, e.key HAVING count(DISTINCT e.value) > 1;
	INSERT INTO import_org (k, line, name, f, parent) SELECT row_number() OVER (ORDER BY s.line), s.line, s.name, s.f, btrim(s.f ->> 'parent')
		FROM (SELECT x.name, min(x.line) AS line, coalesce(jsonb_object_agg(e.key, e.value ORDER BY x.line) FILTER (WHERE e.key IS NOT NULL), '{}') AS f
			FROM import_said x LEFT JOIN LATERAL jsonb_each(x.f) e ON true GROUP BY x.name) s;
	ANALYZE import_org;
	UPDATE import_org w SET was = x FROM organisation x WHERE x.name = w.name;
	SELECT count(*) INTO most FROM import_org;
	FOR lo IN 1 .. most BY 5000 LOOP
		PERFORM import_org_put(of_import, lo, least(lo + 4999, most));
	END LOOP;
	IF (SELECT count(*) FROM import_org w WHERE w.how = 'new') > 500 THEN
		PERFORM register_counted();
	END IF;
	PERFORM import_parents(of_import);
	INSERT INTO register_outcome SELECT of_import, w.line, w.how, 'organisation', w.name, '', coalesce(w.said, CASE w.how WHEN 'changed' THEN
		org_difference(w.was, w.o) END, '') FROM import_org w;
	INSERT INTO register_outcome SELECT of_import, y.line, 'wrong', y.record, y.name, '', format(
			'there is no organisation "%s": give it a line of its own', y.name)
		FROM (SELECT x.record, x.name, min(x.line) AS line FROM register_wanted x WHERE x.import = of_import
			AND x.record IN ('prefix', 'asn', 'domain', 'brand', 'contact', 'member') GROUP BY x.record, x.name) y
		WHERE NOT EXISTS (SELECT 1 FROM organisation z WHERE z.name = y.name) AND NOT EXISTS (SELECT 1 FROM import_org v WHERE v.name = y.name);
END $$;

-- ---- entries ----

-- Where two hold the same at one time: in the order of their beginnings, each beside the one before it that lasts longest.
CREATE FUNCTION import_shared(of_import uuid, of_kind text) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp
SET client_min_messages = 'warning' AS $$
BEGIN
	CREATE TEMP TABLE IF NOT EXISTS import_held (value text, organisation int, valid tstzrange) ON COMMIT DROP;
	TRUNCATE import_held;
	EXECUTE format('INSERT INTO import_held SELECT e.%2$I::text, e.organisation, e.valid * o.valid FROM %1$I e
		JOIN organisation o ON o.id = e.organisation WHERE NOT isempty(e.valid * o.valid)
		AND e.%2$I IN (SELECT w.value::%3$s FROM import_work w WHERE w.how IN (''new'', ''changed''))',
		entry_table(of_kind), of_kind, entry_type(of_kind));
	ANALYZE import_held;
	INSERT INTO register_outcome
		WITH swept AS (SELECT h.value, h.organisation, lower(h.valid) AS since, max(ARRAY[coalesce(extract(epoch FROM upper(h.valid)),
				'infinity'::numeric), h.organisation]) OVER (PARTITION BY h.value ORDER BY lower(h.valid) NULLS FIRST
				ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS longest FROM import_held h),
		pair AS (SELECT value, organisation AS one, longest[2]::int AS other FROM swept WHERE longest[2] <> organisation
			AND longest[1] > coalesce(extract(epoch FROM since), '-infinity'::numeric)),
		both_ AS (SELECT value, one, other FROM pair UNION SELECT value, other, one FROM pair)
		SELECT DISTINCT ON (w.n) of_import, w.line, 'wrong', of_kind, w.name, w.value, format('it is held by "%s"%s%s too', x.name,
				coalesce(' from ' || stamp(lower(h.valid)), ''), coalesce(' until ' || stamp(upper(h.valid)), ''))
		FROM both_ b JOIN import_work w ON w.value = b.value AND w.organisation = b.one AND w.how IN ('new', 'changed')
			JOIN import_held h ON h.value = b.value AND h.organisation = b.other AND h.valid && w.valid
			JOIN organisation x ON x.id = b.other
		ORDER BY w.n, x.id;
END $$;

CREATE OR REPLACE FUNCTION import_entries(of_import uuid, of_kind text, shared boolean) RETURNS void LANGUAGE plpgsql
SET search_path = cirt, pg_temp SET client_min_messages = 'warning' AS $$
DECLARE
	own text := format('%1$I e ON e.%2$I = x.value::%3$s AND e.organisation = x.organisation', entry_table(of_kind), of_kind, entry_type(of_kind));
BEGIN
	CREATE TEMP TABLE IF NOT EXISTS import_work (n bigint, line bigint, name text, organisation int, value text, valid tstzrange,
		matches int, was tstzrange, how text) ON COMMIT DROP;
	TRUNCATE import_work;
	-- What stands there twice counts once.
	INSERT INTO import_work (n, line, name, organisation, value, valid)
		SELECT DISTINCT ON (o.id, w.value, w.valid) w.n, w.line, w.name, o.id, w.value, w.valid FROM register_wanted w JOIN organisation o ON o.name = w.name
		WHERE w.import = of_import AND w.record = of_kind ORDER BY o.id, w.value, w.valid, w.line;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	ANALYZE import_work;
	INSERT INTO register_outcome SELECT of_import, b.line, 'wrong', of_kind, b.name, b.value, format('line %s says it of another time that overlaps',
			b.line_before)
		FROM (SELECT *, lag(line) OVER w AS line_before, lag(coalesce(valid, tstzrange(NULL, NULL))) OVER w AS valid_before FROM import_work
			WINDOW w AS (PARTITION BY organisation, value ORDER BY coalesce(valid, tstzrange(NULL, NULL)), line)) b
		WHERE b.valid_before && coalesce(b.valid, tstzrange(NULL, NULL));
	EXECUTE 'UPDATE import_work w SET matches = m.many, was = m.was FROM (SELECT x.n, count(*)::int AS many, (array_agg(e.valid))[1] AS was
		FROM import_work x JOIN ' || own || ' WHERE CASE WHEN x.valid IS NULL THEN e.valid @> now() ELSE e.valid && x.valid END GROUP BY x.n) m
		WHERE m.n = w.n';
	UPDATE import_work w SET how = CASE WHEN matches > 1 THEN 'wrong' WHEN matches = 1 AND (valid IS NULL OR valid = was) THEN 'unchanged'
		WHEN matches = 1 THEN 'changed' ELSE 'new' END;
	EXECUTE 'UPDATE import_work w SET valid = tstzrange(m.ended, NULL) FROM (SELECT x.n, max(upper(e.valid)) AS ended FROM import_work x LEFT JOIN '
		|| own || ' WHERE x.valid IS NULL AND x.how = ''new'' GROUP BY x.n) m WHERE m.n = w.n';
	EXECUTE format('UPDATE %1$I e SET valid = w.valid FROM import_work w WHERE w.how = ''changed'' AND e.organisation = w.organisation
		AND e.%2$I = w.value::%3$s AND e.valid = w.was', entry_table(of_kind), of_kind, entry_type(of_kind));
	EXECUTE format('INSERT INTO %1$I (organisation, %2$I, valid, origin) SELECT organisation, value::%3$s, valid, ''import'' FROM import_work
		WHERE how = ''new'' ORDER BY n', entry_table(of_kind), of_kind, entry_type(of_kind));
	INSERT INTO register_outcome SELECT of_import, line, how, of_kind, name, value, CASE how
			WHEN 'wrong' THEN format('it was theirs at %s times that these would join: end one of them first', matches)
			WHEN 'changed' THEN format('%s until %s → %s until %s', coalesce(stamp(lower(was)), 'always'), coalesce(stamp(upper(was)), 'further'),
				coalesce(stamp(lower(valid)), 'always'), coalesce(stamp(upper(valid)), 'further')) ELSE '' END FROM import_work;
	IF NOT shared THEN
		PERFORM import_shared(of_import, of_kind);
	END IF;
END $$;

-- ---- contacts ----

CREATE FUNCTION contact_difference(was contact, c contact) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT string_agg(format('%s: %s → %s', b.key, a.value, b.value), '; ') FROM jsonb_each_text(contact_json(was)) a
		JOIN jsonb_each_text(contact_json(c)) b USING (key) WHERE a.value IS DISTINCT FROM b.value
$$;

-- Makes and changes those numbered lo to hi of import_contact, or says which of them cannot be.
CREATE FUNCTION import_contact_put(lo int, hi int) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	problem text;
BEGIN
	BEGIN
		UPDATE import_contact w SET c = contact_put(w.was, w.f) WHERE w.k BETWEEN lo AND hi;
		UPDATE import_contact w SET how = CASE WHEN (w.was).id IS NULL THEN 'new' WHEN w.c IS DISTINCT FROM w.was THEN 'changed' ELSE 'unchanged' END
			WHERE w.k BETWEEN lo AND hi;
		INSERT INTO contact (organisation, name, role, email, phone, language, zone, schedule, format, policy, pgp, smime, priority, valid, origin)
			SELECT w.organisation, (w.c).name, (w.c).role, (w.c).email, (w.c).phone, (w.c).language, (w.c).zone, (w.c).schedule, (w.c).format,
				(w.c).policy, (w.c).pgp, (w.c).smime, (w.c).priority, (w.c).valid, 'import'
			FROM import_contact w WHERE w.k BETWEEN lo AND hi AND w.how = 'new' ORDER BY w.k;
		PERFORM contact_write(w.c) FROM import_contact w WHERE w.k BETWEEN lo AND hi AND w.how = 'changed';
		RETURN;
	EXCEPTION WHEN invalid_parameter_value OR check_violation OR data_exception THEN
		problem := SQLERRM;
	END;
	IF lo = hi THEN
		UPDATE import_contact w SET how = 'wrong', said = problem WHERE w.k = lo;
	ELSE
		PERFORM import_contact_put(lo, (lo + hi) / 2);
		PERFORM import_contact_put((lo + hi) / 2 + 1, hi);
	END IF;
END $$;

-- Those that the register has already, of one round.
CREATE FUNCTION import_contact_known(of_round int) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	UPDATE import_contact w SET was = m.was FROM (SELECT DISTINCT ON (x.k) x.k, t AS was FROM import_contact x JOIN contact t
			ON t.organisation = x.organisation AND t.role::text = x.role AND lower(t.email) = x.email AND (x.email <> '' OR t.phone = x.phone)
			WHERE x.round = of_round AND (x.valid IS NULL OR t.valid && x.valid)
			ORDER BY x.k, upper(t.valid) DESC NULLS FIRST, t.id DESC) m WHERE m.k = w.k;
END $$;

CREATE OR REPLACE FUNCTION import_contacts(of_import uuid) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp
SET client_min_messages = 'warning' AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	CREATE TEMP TABLE IF NOT EXISTS import_contact (k int, line bigint, name text, f jsonb, organisation int, role text, email text, phone text,
		valid tstzrange, round int, was contact, c contact, how text, said text) ON COMMIT DROP;
	CREATE INDEX IF NOT EXISTS import_contact_k ON import_contact (k);
	TRUNCATE import_contact;
	-- Lines that speak of one contact and time are one, of which the later say more. Of each time of a contact there is a round: what the
	-- register has of it is looked up anew.
	INSERT INTO import_contact (k, line, name, f, organisation, role, email, phone, valid, round)
		SELECT row_number() OVER (ORDER BY round, line), line, name, f, id, role, email, phone, valid, round FROM (
			SELECT *, row_number() OVER (PARTITION BY id, role, email, phone ORDER BY line)::int AS round FROM (
				SELECT y.name, y.id, y.role, y.email, y.phone, y.valid, min(y.line) AS line, jsonb_object_agg(e.key, e.value ORDER BY y.n) AS f
				FROM (SELECT x.name, x.n, x.line, x.f, x.valid, o.id, coalesce(nullif(x.f ->> 'role', ''), 'security') AS role, m.email,
						CASE WHEN m.email = '' THEN btrim(coalesce(x.f ->> 'phone', '')) ELSE '' END AS phone
					FROM register_wanted x JOIN organisation o ON o.name = x.name
						CROSS JOIN LATERAL (SELECT lower(btrim(coalesce(x.f ->> 'email', ''))) AS email) m
					WHERE x.import = of_import AND x.record = 'contact') y
					CROSS JOIN LATERAL jsonb_each(CASE WHEN y.f = '{}' THEN '{"name": ""}' ELSE y.f END) e
				GROUP BY y.name, y.id, y.role, y.email, y.phone, y.valid) z) u;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	ANALYZE import_contact;
	UPDATE import_contact SET how = 'wrong', said = 'at most 20 times of one contact: this is one more' WHERE round > 20;
	FOR r IN SELECT round, min(k) AS lo, max(k) AS hi FROM import_contact WHERE round <= 20 GROUP BY round ORDER BY round LOOP
		PERFORM import_contact_known(r.round);
		FOR lo IN r.lo .. r.hi BY 5000 LOOP
			PERFORM import_contact_put(lo, least(lo + 4999, r.hi));
		END LOOP;
	END LOOP;
	INSERT INTO register_outcome SELECT of_import, w.line, w.how, 'contact', w.name, coalesce(nullif((w.c).email, ''), (w.c).phone, ''),
		coalesce(w.said, CASE w.how WHEN 'changed' THEN contact_difference(w.was, w.c) END, '') FROM import_contact w;
END $$;

-- ---- groups ----

CREATE OR REPLACE FUNCTION import_groups(of_import uuid) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	w record;
	is_new boolean;
	was jsonb;
BEGIN
	FOR w IN SELECT x.* FROM register_wanted x WHERE x.import = of_import AND x.record = 'group' ORDER BY x.n LOOP
		BEGIN
			SELECT group_fields(g) INTO was FROM organisation_group g WHERE g.name = w.value;
			is_new := was IS NULL;
			PERFORM group_put(jsonb_build_object('name', w.value) || (w.f - 'name'), is_new);
			INSERT INTO register_outcome SELECT of_import, w.line, CASE WHEN is_new THEN 'new' WHEN group_fields(g) = was THEN 'unchanged'
				ELSE 'changed' END, 'group', '', w.value FROM organisation_group g WHERE g.name = w.value;
		EXCEPTION WHEN invalid_parameter_value OR no_data_found THEN
			INSERT INTO register_outcome VALUES (of_import, w.line, 'wrong', w.record, w.name, w.value, SQLERRM);
		END;
	END LOOP;
	INSERT INTO register_outcome SELECT of_import, x.line, CASE WHEN g.id IS NULL THEN 'wrong' WHEN m."group" IS NULL THEN 'new' ELSE 'unchanged' END,
			'member', x.name, x.value, CASE WHEN g.id IS NULL THEN format('there is no group "%s"', left(x.value, 60)) ELSE '' END
		FROM (SELECT y.name, y.value, min(y.line) AS line FROM register_wanted y WHERE y.import = of_import AND y.record = 'member' GROUP BY 1, 2) x
			JOIN organisation o ON o.name = x.name LEFT JOIN organisation_group g ON g.name = x.value
			LEFT JOIN organisation_group_member m ON m."group" = g.id AND m.organisation = o.id;
	INSERT INTO organisation_group_member ("group", organisation) SELECT DISTINCT g.id, o.id FROM register_wanted x
		JOIN organisation o ON o.name = x.name JOIN organisation_group g ON g.name = x.value WHERE x.import = of_import AND x.record = 'member'
		ON CONFLICT DO NOTHING;
END $$;
-- What is said of a group itself; who is in it is not counted.
CREATE FUNCTION group_fields(g organisation_group) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('title', g.title, 'sector', g.sector, 'kind', g.kind)
$$;

-- ---- all of it ----

ALTER FUNCTION import_organisations SET enable_nestloop = off;
ALTER FUNCTION import_organisations SET work_mem = '32MB';
ALTER FUNCTION import_entries SET enable_nestloop = off;
ALTER FUNCTION import_entries SET work_mem = '32MB';
ALTER FUNCTION import_contacts SET enable_nestloop = off;
ALTER FUNCTION import_contacts SET work_mem = '32MB';
ALTER FUNCTION import_groups SET enable_nestloop = off;
ALTER FUNCTION import_close SET enable_nestloop = off;
ALTER FUNCTION import_close SET work_mem = '32MB';

CREATE OR REPLACE FUNCTION import_apply(of_import uuid, f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	summary jsonb;
	good boolean;
	of_kind text;
BEGIN
	PERFORM 1 FROM register_import WHERE id = of_import AND operator = actor() FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such import of yours: begin anew' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM pg_advisory_xact_lock(hashtext('cirt.register'));
	BEGIN
		INSERT INTO register_outcome SELECT import, line, 'wrong', record, name, value, problem FROM register_wanted
			WHERE import = of_import AND problem IS NOT NULL;
		good := NOT FOUND;
		IF good THEN
			PERFORM import_organisations(of_import);
			FOREACH of_kind IN ARRAY ARRAY['prefix', 'asn', 'domain', 'brand'] LOOP
				PERFORM import_entries(of_import, of_kind, (f ->> 'shared') IS NOT DISTINCT FROM 'true');
			END LOOP;
			PERFORM import_contacts(of_import);
			PERFORM import_groups(of_import);
			IF f ->> 'replace' = 'true' THEN
				PERFORM import_close(of_import);
			END IF;
			good := NOT EXISTS (SELECT 1 FROM register_outcome WHERE import = of_import AND outcome = 'wrong');
		END IF;
		summary := import_summary(of_import);
		IF NOT good OR f ->> 'dry_run' = 'true' THEN
			RAISE EXCEPTION 'taken back' USING ERRCODE = 'CI001';
		END IF;
		DELETE FROM register_outcome WHERE import = of_import;
		PERFORM journal_add('register/import', 'imported', NULL, (summary -> 'counts')::text);
	EXCEPTION WHEN SQLSTATE 'CI001' THEN
		NULL;
	END;
	DELETE FROM register_import WHERE id = of_import;
	RETURN summary || jsonb_build_object('applied', good AND f ->> 'dry_run' IS DISTINCT FROM 'true');
END $$;

-- ---- files of registries ----

-- What an abuse line covers: a prefix, or a range of addresses.
CREATE FUNCTION abuse_line(said text, email text) RETURNS SETOF cidr LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF coalesce(email, '') !~ '^[^@\s<>,;:"\\[:cntrl:]]+@[^@\s<>,;:"\\[:cntrl:]]+$' THEN
		PERFORM wrong(format('"%s" is no mail address', left(email, 100)));
	ELSIF said !~ '-' THEN
		RETURN NEXT said_prefix(said);
	ELSIF registry_range(said) THEN
		RETURN QUERY SELECT range_prefixes(address_of(btrim(split_part(said, '-', 1))), address_of(btrim(split_part(said, '-', 2))));
	END IF;
END $$;

-- Reads those numbered lo to hi of registry_row, or says which of them cannot be read.
CREATE FUNCTION registry_read(of_registry text, lo int, hi int) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	said text;
BEGIN
	BEGIN
		IF of_registry IS NULL AND EXISTS (SELECT 1 FROM registry_row r WHERE r.k BETWEEN lo AND hi AND r.record = 'abuse' AND r.problem IS NULL) THEN
			PERFORM wrong('whose it is stands in no line: --registry NAME');
		END IF;
		INSERT INTO registry_prefix SELECT d.prefix, d.country, coalesce(of_registry, d.registry) FROM registry_row r, delegated_line(r.value) d
			WHERE r.k BETWEEN lo AND hi AND r.problem IS NULL AND r.record = 'delegated' AND split_part(r.value, '|', 3) <> 'asn';
		INSERT INTO registry_asn SELECT d.first, d.last, d.country, coalesce(of_registry, d.registry) FROM registry_row r, delegated_line(r.value) d
			WHERE r.k BETWEEN lo AND hi AND r.problem IS NULL AND r.record = 'delegated' AND split_part(r.value, '|', 3) = 'asn';
		INSERT INTO registry_abuse SELECT p, r.email, of_registry FROM registry_row r, abuse_line(r.value, r.email) p
			WHERE r.k BETWEEN lo AND hi AND r.problem IS NULL AND r.record = 'abuse';
		RETURN;
	EXCEPTION WHEN invalid_parameter_value OR data_exception THEN
		said := SQLERRM;
	END;
	IF lo = hi THEN
		UPDATE registry_row r SET problem = said WHERE r.k = lo;
	ELSE
		PERFORM registry_read(of_registry, lo, (lo + hi) / 2);
		PERFORM registry_read(of_registry, (lo + hi) / 2 + 1, hi);
	END IF;
END $$;

-- A file of one registry replaces what it said before, in one transaction. f: dry_run, registry.
CREATE OR REPLACE FUNCTION registry_apply(of_import uuid, f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp
SET client_min_messages = 'warning' AS $$
DECLARE
	most int;
	summary jsonb;
	wrongs jsonb;
	wrong_many int;
	of_registry text := f ->> 'registry';
	named text[];
	delegated boolean;
BEGIN
	PERFORM 1 FROM register_import WHERE id = of_import AND operator = actor() FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such import of yours: begin anew' USING ERRCODE = 'no_data_found';
	ELSIF of_registry IS NOT NULL AND of_registry !~ '^[a-z0-9][a-z0-9-]{0,30}$' THEN
		PERFORM wrong('registry: expected a name such as ripencc');
	END IF;
	PERFORM pg_advisory_xact_lock(hashtext('cirt.register'));
	CREATE TEMP TABLE IF NOT EXISTS registry_prefix (prefix cidr, country text, registry text) ON COMMIT DROP;
	CREATE TEMP TABLE IF NOT EXISTS registry_asn (first bigint, last bigint, country text, registry text) ON COMMIT DROP;
	CREATE TEMP TABLE IF NOT EXISTS registry_abuse (prefix cidr, email text, registry text) ON COMMIT DROP;
	TRUNCATE registry_prefix, registry_asn, registry_abuse;
	CREATE TEMP TABLE IF NOT EXISTS registry_row (k int, line bigint, record text, value text, email text, problem text) ON COMMIT DROP;
	CREATE INDEX IF NOT EXISTS registry_row_k ON registry_row (k);
	TRUNCATE registry_row;
	INSERT INTO registry_row SELECT row_number() OVER (ORDER BY x.n), x.line, x.record, x.value, x.f ->> 'email', x.problem FROM register_wanted x
		WHERE x.import = of_import;
	GET DIAGNOSTICS most = ROW_COUNT;
	ANALYZE registry_row;
	FOR lo IN 1 .. most BY 5000 LOOP
		PERFORM registry_read(of_registry, lo, least(lo + 4999, most));
	END LOOP;
	SELECT count(*), coalesce(jsonb_agg(jsonb_build_object('line', x.line, 'problem', x.problem) ORDER BY x.k) FILTER (WHERE x.nth <= 100), '[]')
		INTO wrong_many, wrongs FROM (SELECT r.*, row_number() OVER (ORDER BY r.k) AS nth FROM registry_row r WHERE r.problem IS NOT NULL) x;
	ANALYZE registry_prefix;
	ANALYZE registry_asn;
	ANALYZE registry_abuse;
	named := ARRAY(SELECT registry FROM registry_prefix UNION SELECT registry FROM registry_asn UNION SELECT registry FROM registry_abuse);
	delegated := EXISTS (SELECT 1 FROM registry_prefix) OR EXISTS (SELECT 1 FROM registry_asn);
	IF wrong_many = 0 AND named = '{}' THEN
		PERFORM wrong('nothing in it is delegated to a country, and nobody takes complaints');
	END IF;
	SELECT jsonb_build_object('registries', to_jsonb(named),
		'prefixes', registry_changes(named) , 'asns', (SELECT jsonb_build_object('now', count(*)) FROM registry_asn),
		'abuse', (SELECT jsonb_build_object('now', (SELECT count(*) FROM registry_abuse),
			'added', (SELECT count(*) FROM registry_abuse n WHERE NOT EXISTS (SELECT 1 FROM abuse_contact o WHERE o.prefix = n.prefix)),
			'changed', (SELECT count(*) FROM registry_abuse n JOIN abuse_contact o USING (prefix) WHERE o.email <> n.email),
			'gone', (SELECT count(*) FROM abuse_contact o WHERE o.registry = ANY (named) AND EXISTS (SELECT 1 FROM registry_abuse)
				AND NOT EXISTS (SELECT 1 FROM registry_abuse n WHERE n.prefix = o.prefix)))),
		'wrong', wrongs, 'wrong_many', wrong_many) INTO summary;
	IF wrong_many = 0 AND f ->> 'dry_run' IS DISTINCT FROM 'true' THEN
		IF delegated THEN
			DELETE FROM delegation WHERE registry = ANY (named);
			INSERT INTO delegation SELECT DISTINCT ON (prefix) prefix, country, registry FROM registry_prefix ORDER BY prefix, country
				ON CONFLICT (prefix) DO UPDATE SET country = excluded.country, registry = excluded.registry;
			DELETE FROM delegation_asn WHERE registry = ANY (named);
			INSERT INTO delegation_asn SELECT DISTINCT ON (first) first, last, country, registry FROM registry_asn ORDER BY first, last DESC
				ON CONFLICT (first) DO UPDATE SET last = excluded.last, country = excluded.country, registry = excluded.registry;
		END IF;
		IF EXISTS (SELECT 1 FROM registry_abuse) THEN
			DELETE FROM abuse_contact WHERE registry = ANY (named);
			INSERT INTO abuse_contact SELECT DISTINCT ON (prefix) prefix, email, registry FROM registry_abuse ORDER BY prefix, email
				ON CONFLICT (prefix) DO UPDATE SET email = excluded.email, registry = excluded.registry;
		END IF;
		PERFORM journal_add('register/registry', 'replaced', NULL, jsonb_build_object('registries', named, 'prefixes',
			(summary -> 'prefixes') - 'touched' - 'examples', 'asns', summary -> 'asns', 'abuse', summary -> 'abuse')::text);
	END IF;
	DELETE FROM register_import WHERE id = of_import;
	RETURN summary || jsonb_build_object('applied', wrong_many = 0 AND f ->> 'dry_run' IS DISTINCT FROM 'true');
END $$;

REVOKE ALL ON FUNCTION import_forget, import_take, import_org_put, register_counted, import_parents, org_difference, import_shared, contact_difference,
	import_contact_put, import_contact_known, group_fields, abuse_line, registry_read FROM PUBLIC;
GRANT EXECUTE ON FUNCTION import_forget, import_take, import_org_put, register_counted, import_parents, org_difference, import_shared, contact_difference,
	import_contact_put, import_contact_known, group_fields, abuse_line, registry_read TO cirt_desk;
