-- Files for the register: rows are put aside as they come, checked one by one, and applied all or none in one transaction. A dry run
-- does the same and takes it back. So are the files of registries, which replace what the same registry said before.
SET LOCAL search_path = cirt, pg_temp;

CREATE TABLE register_import (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	operator text NOT NULL DEFAULT actor(),
	began timestamptz NOT NULL DEFAULT now(),
	rows bigint NOT NULL DEFAULT 0
);
-- record: organisation, prefix, asn, domain, brand, contact, group, member; of registries delegated, abuse.
CREATE UNLOGGED TABLE register_wanted (
	import uuid NOT NULL REFERENCES register_import ON DELETE CASCADE,
	n bigint GENERATED ALWAYS AS IDENTITY,
	line bigint NOT NULL,
	record text NOT NULL,
	name text NOT NULL DEFAULT '',    -- of the organisation or group
	value text NOT NULL DEFAULT '',   -- as the register keeps it
	valid tstzrange,                  -- NULL: not said
	f jsonb NOT NULL DEFAULT '{}',
	problem text,
	PRIMARY KEY (import, n)
);

CREATE FUNCTION import_columns() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
	SELECT ARRAY['line', 'record', 'organisation', 'value', 'from', 'until', 'kind', 'sector', 'criticality', 'country', 'parent', 'handle',
		'note', 'prefix', 'asn', 'domain', 'brand', 'name', 'role', 'email', 'phone', 'language', 'zone', 'schedule', 'format', 'policy', 'pgp',
		'smime', 'priority', 'title', 'group']
$$;

CREATE FUNCTION import_begin(columns text[]) RETURNS uuid LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	fresh uuid;
	odd text;
BEGIN
	SELECT c INTO odd FROM unnest(columns) AS c WHERE c <> ALL (import_columns()) LIMIT 1;
	IF odd IS NOT NULL THEN
		PERFORM wrong(format('there is no column "%s": expected some of %s', left(odd, 60), array_to_string((import_columns())[2:], ', ')));
	END IF;
	DELETE FROM register_import WHERE began < now() - interval '1 day';
	INSERT INTO register_import DEFAULT VALUES RETURNING id INTO fresh;
	RETURN fresh;
END $$;

-- One row of any form, as rows of one fact each.
CREATE FUNCTION import_row(f jsonb) RETURNS TABLE (record text, name text, value text, valid tstzrange, fields jsonb) LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	org text := btrim(coalesce(f ->> 'organisation', ''));
	bare jsonb := f - 'line' - 'record' - 'organisation' - 'value';
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
		record := one;
		FOR word IN SELECT * FROM said_list(one, f ->> one) LOOP
			value := said_entry(one, word);
			RETURN NEXT;
		END LOOP;
	END LOOP;
	IF coalesce(f ->> 'email', '') <> '' OR coalesce(f ->> 'phone', '') <> '' THEN
		record := 'contact';
		value := '';
		fields := bare;
		RETURN NEXT;
	END IF;
END $$;

-- Rows of a file: a list of objects, each with its line.
CREATE FUNCTION import_rows(of_import uuid, rows jsonb) RETURNS bigint LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	f jsonb;
	total bigint;
	problems text;
BEGIN
	UPDATE register_import i SET rows = i.rows + jsonb_array_length(import_rows.rows) WHERE i.id = of_import AND i.operator = actor()
		RETURNING i.rows INTO total;
	IF total IS NULL THEN
		RAISE EXCEPTION 'there is no such import of yours: begin anew' USING ERRCODE = 'no_data_found';
	END IF;
	FOR f IN SELECT jsonb_array_elements(import_rows.rows) LOOP
		BEGIN
			problems := NULL;
			IF f ? 'problem' THEN
				PERFORM wrong(f ->> 'problem');
			END IF;
			INSERT INTO register_wanted (import, line, record, name, value, valid, f)
				SELECT of_import, (f ->> 'line')::bigint, r.record, r.name, coalesce(r.value, ''), r.valid, r.fields FROM import_row(f) r;
		EXCEPTION WHEN invalid_parameter_value OR data_exception THEN
			problems := SQLERRM;
		END;
		IF problems IS NOT NULL THEN
			INSERT INTO register_wanted (import, line, record, problem) VALUES (of_import, coalesce(CASE WHEN f ->> 'line' ~ '^[0-9]{1,15}$'
				THEN (f ->> 'line')::bigint END, 0), '', problems);
		END IF;
	END LOOP;
	RETURN total;
END $$;

-- What became of the rows, in hand while one import is applied.
CREATE UNLOGGED TABLE register_outcome (
	import uuid NOT NULL,
	line bigint NOT NULL,
	outcome text NOT NULL,            -- new, changed, closed, unchanged, wrong
	record text NOT NULL,
	name text NOT NULL,
	value text NOT NULL DEFAULT '',
	said text NOT NULL DEFAULT ''     -- what changes, or what is wrong
);
CREATE INDEX register_outcome_import ON register_outcome (import);

CREATE FUNCTION import_organisations(of_import uuid) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	w record;
	was organisation;
	o organisation;
	how text;
BEGIN
	-- Two lines may speak of one organisation, but not say two things of it.
	INSERT INTO register_outcome SELECT of_import, max(x.line), 'wrong', 'organisation', x.name, '', format('%s: "%s" here, "%s" in line %s', e.key,
			(array_agg(e.value ORDER BY x.line DESC))[1], (array_agg(e.value ORDER BY x.line))[1], min(x.line))
		FROM register_wanted x, jsonb_each_text(x.f) e WHERE x.import = of_import AND x.record = 'organisation'
		GROUP BY x.name, e.key HAVING count(DISTINCT e.value) > 1;
	FOR w IN SELECT x.name, min(x.line) AS line, jsonb_object_agg(e.key, e.value) FILTER (WHERE e.key IS NOT NULL) AS f
			FROM register_wanted x LEFT JOIN LATERAL jsonb_each(x.f) e ON true WHERE x.import = of_import AND x.record = 'organisation'
			GROUP BY x.name ORDER BY min(x.line) LOOP
		BEGIN
			SELECT * INTO was FROM organisation WHERE name = w.name;
			o := org_put(was, coalesce(w.f, '{}') - 'parent' || jsonb_build_object('name', w.name));
			IF was.id IS NULL THEN
				PERFORM org_insert(o, 'import');
			ELSIF o IS DISTINCT FROM was THEN
				PERFORM org_write(o);
			END IF;
			how := CASE WHEN was.id IS NULL THEN 'new' WHEN o IS DISTINCT FROM was THEN 'changed' ELSE 'unchanged' END;
			INSERT INTO register_outcome VALUES (of_import, w.line, how, 'organisation', w.name, '', CASE how WHEN 'changed' THEN (SELECT
				string_agg(format('%s: %s → %s', b.key, nullif(a.value, ''), b.value), '; ') FROM jsonb_each_text(org_json(was)) a
				JOIN jsonb_each_text(org_json(o)) b USING (key) WHERE a.value IS DISTINCT FROM b.value) ELSE '' END);
		EXCEPTION WHEN invalid_parameter_value OR no_data_found OR check_violation OR data_exception THEN
			INSERT INTO register_outcome VALUES (of_import, w.line, 'wrong', 'organisation', w.name, '', SQLERRM);
		END;
	END LOOP;
	-- Who is above may stand further down.
	FOR w IN SELECT DISTINCT ON (x.name) x.name, x.line, x.f FROM register_wanted x WHERE x.import = of_import AND x.record = 'organisation'
			AND x.f ? 'parent' ORDER BY x.name, x.line LOOP
		BEGIN
			SELECT * INTO was FROM organisation WHERE name = w.name;
			o := org_put(was, jsonb_build_object('parent', w.f ->> 'parent'));
			IF o.parent IS DISTINCT FROM was.parent THEN
				PERFORM org_write(o);
				UPDATE register_outcome SET outcome = 'changed', said = concat_ws('; ', nullif(said, ''), 'parent: ' || coalesce(nullif(w.f ->> 'parent', ''), 'none'))
					WHERE import = of_import AND record = 'organisation' AND name = w.name AND outcome IN ('unchanged', 'changed');
			END IF;
		EXCEPTION WHEN invalid_parameter_value OR no_data_found THEN
			INSERT INTO register_outcome VALUES (of_import, w.line, 'wrong', 'organisation', w.name, '', SQLERRM);
		END;
	END LOOP;
	INSERT INTO register_outcome SELECT of_import, min(x.line), 'wrong', x.record, x.name, '', format(
			'there is no organisation "%s": give it a line of its own', x.name)
		FROM register_wanted x WHERE x.import = of_import AND x.record IN ('prefix', 'asn', 'domain', 'brand', 'contact', 'member')
			AND NOT EXISTS (SELECT 1 FROM organisation z WHERE z.name = x.name)
			AND NOT EXISTS (SELECT 1 FROM register_wanted y WHERE y.import = of_import AND y.record = 'organisation' AND y.name = x.name)
		GROUP BY x.record, x.name;
END $$;

-- All entries of one kind at once.
CREATE FUNCTION import_entries(of_import uuid, of_kind text, shared boolean) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp
SET client_min_messages = 'warning' AS $$
BEGIN
	CREATE TEMP TABLE IF NOT EXISTS import_work (n bigint, line bigint, name text, organisation int, value text, valid tstzrange,
		matches int, was tstzrange, how text) ON COMMIT DROP;
	TRUNCATE import_work;
	-- What stands there twice counts once.
	INSERT INTO import_work (n, line, name, organisation, value, valid)
		SELECT DISTINCT ON (o.id, w.value, w.valid) w.n, w.line, w.name, o.id, w.value, w.valid FROM register_wanted w JOIN organisation o ON o.name = w.name
		WHERE w.import = of_import AND w.record = of_kind ORDER BY o.id, w.value, w.valid, w.line;
	ANALYZE import_work;
	INSERT INTO register_outcome SELECT of_import, b.line, 'wrong', of_kind, b.name, b.value, format('line %s says it of another time that overlaps', a.line)
		FROM (SELECT *, lag(line) OVER w AS line_before, lag(coalesce(valid, tstzrange(NULL, NULL))) OVER w AS valid_before FROM import_work
			WINDOW w AS (PARTITION BY organisation, value ORDER BY coalesce(valid, tstzrange(NULL, NULL)), line)) b
		CROSS JOIN LATERAL (SELECT b.line_before AS line) a WHERE b.valid_before && coalesce(b.valid, tstzrange(NULL, NULL));
	UPDATE import_work w SET matches = m.many, was = m.was FROM (SELECT x.n, count(*)::int AS many, (array_agg(e.valid))[1] AS was FROM import_work x
			JOIN register_entry e ON e.kind = of_kind AND e.organisation = x.organisation AND e.value = x.value
				AND CASE WHEN x.valid IS NULL THEN e.valid @> now() ELSE e.valid && x.valid END GROUP BY x.n) m WHERE m.n = w.n;
	UPDATE import_work w SET how = CASE WHEN matches > 1 THEN 'wrong' WHEN matches = 1 AND (valid IS NULL OR valid = was) THEN 'unchanged'
		WHEN matches = 1 THEN 'changed' ELSE 'new' END;
	UPDATE import_work w SET valid = tstzrange((SELECT max(upper(e.valid)) FROM entry_holders(of_kind, w.value) e
		WHERE e.organisation = w.organisation), NULL) WHERE w.valid IS NULL AND w.how = 'new';
	EXECUTE format('UPDATE %1$I e SET valid = w.valid FROM import_work w WHERE w.how = ''changed'' AND e.organisation = w.organisation
		AND e.%2$I = w.value::%3$s AND e.valid = w.was', entry_table(of_kind), of_kind, entry_type(of_kind));
	EXECUTE format('INSERT INTO %1$I (organisation, %2$I, valid, origin) SELECT organisation, value::%3$s, valid, ''import'' FROM import_work
		WHERE how = ''new'' ORDER BY n', entry_table(of_kind), of_kind, entry_type(of_kind));
	INSERT INTO register_outcome SELECT of_import, line, how, of_kind, name, value, CASE how
			WHEN 'wrong' THEN format('it was theirs at %s times that these would join: end one of them first', matches)
			WHEN 'changed' THEN format('%s until %s → %s until %s', coalesce(stamp(lower(was)), 'always'), coalesce(stamp(upper(was)), 'further'),
				coalesce(stamp(lower(valid)), 'always'), coalesce(stamp(upper(valid)), 'further')) ELSE '' END FROM import_work;
	IF NOT shared THEN
		INSERT INTO register_outcome SELECT of_import, w.line, 'wrong', of_kind, w.name, w.value, format('it is held by "%s"%s%s too', x.name,
				coalesce(' from ' || stamp(lower(e.valid)), ''), coalesce(' until ' || stamp(upper(e.valid)), ''))
			FROM import_work w JOIN register_entry e ON e.kind = of_kind AND e.value = w.value AND e.organisation <> w.organisation
				AND e.valid && w.valid JOIN organisation x ON x.id = e.organisation AND x.valid && (e.valid * w.valid)
			WHERE w.how IN ('new', 'changed');
	END IF;
END $$;

CREATE FUNCTION import_contacts(of_import uuid) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	w record;
	was contact;
	c contact;
	how text;
BEGIN
	FOR w IN SELECT x.line, x.name, x.f, o.id FROM register_wanted x JOIN organisation o ON o.name = x.name
			WHERE x.import = of_import AND x.record = 'contact' ORDER BY x.n LOOP
		BEGIN
			SELECT * INTO was FROM contact k WHERE k.organisation = w.id AND k.role::text = coalesce(nullif(w.f ->> 'role', ''), 'security')
				AND lower(k.email) = lower(btrim(coalesce(w.f ->> 'email', ''))) AND (k.email <> '' OR k.phone = btrim(coalesce(w.f ->> 'phone', '')))
				AND (NOT w.f ?| ARRAY['from', 'until'] OR k.valid && said_validity(w.f, tstzrange(NULL, NULL)))
				ORDER BY upper(k.valid) DESC NULLS FIRST, k.id DESC LIMIT 1;
			c := was;
			c.organisation := w.id;
			c := contact_put(c, w.f);
			how := CASE WHEN was.id IS NULL THEN 'new' WHEN c IS DISTINCT FROM was THEN 'changed' ELSE 'unchanged' END;
			IF how = 'new' THEN
				PERFORM contact_insert(c, 'import');
			ELSIF how = 'changed' THEN
				PERFORM contact_write(c);
			END IF;
			INSERT INTO register_outcome VALUES (of_import, w.line, how, 'contact', w.name, coalesce(nullif(c.email, ''), c.phone), CASE how
				WHEN 'changed' THEN (SELECT string_agg(format('%s: %s → %s', b.key, a.value, b.value), '; ') FROM jsonb_each_text(contact_json(was)) a
				JOIN jsonb_each_text(contact_json(c)) b USING (key) WHERE a.value IS DISTINCT FROM b.value) ELSE '' END);
		EXCEPTION WHEN invalid_parameter_value OR check_violation OR data_exception THEN
			INSERT INTO register_outcome VALUES (of_import, w.line, 'wrong', 'contact', w.name, '', SQLERRM);
		END;
	END LOOP;
END $$;

CREATE FUNCTION import_groups(of_import uuid) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	w record;
	is_new boolean;
	was jsonb;
	of_group int;
	of_organisation int;
	was_member boolean;
BEGIN
	FOR w IN SELECT x.* FROM register_wanted x WHERE x.import = of_import AND x.record IN ('group', 'member') ORDER BY x.record, x.n LOOP
		BEGIN
			IF w.record = 'group' THEN
				SELECT group_json(g) INTO was FROM organisation_group g WHERE g.name = w.value;
				is_new := was IS NULL;
				PERFORM group_put(jsonb_build_object('name', w.value) || (w.f - 'name'), is_new);
				INSERT INTO register_outcome SELECT of_import, w.line, CASE WHEN is_new THEN 'new' WHEN group_json(g) = was THEN 'unchanged'
					ELSE 'changed' END, 'group', '', w.value FROM organisation_group g WHERE g.name = w.value;
			ELSE
				-- Into variables first: the planner would ask them by an older snapshot, which does not see the group.
				of_group := group_named(w.value);
				SELECT id INTO of_organisation FROM organisation WHERE name = w.name;
				CONTINUE WHEN of_organisation IS NULL;
				was_member := EXISTS (SELECT 1 FROM organisation_group_member m WHERE m."group" = of_group AND m.organisation = of_organisation);
				INSERT INTO organisation_group_member ("group", organisation) VALUES (of_group, of_organisation) ON CONFLICT DO NOTHING;
				INSERT INTO register_outcome VALUES (of_import, w.line, CASE WHEN was_member THEN 'unchanged' ELSE 'new' END, 'member', w.name, w.value);
			END IF;
		EXCEPTION WHEN invalid_parameter_value OR no_data_found THEN
			INSERT INTO register_outcome VALUES (of_import, w.line, 'wrong', w.record, w.name, w.value, SQLERRM);
		END;
	END LOOP;
END $$;

-- What earlier files brought and this one has no more ends now; what was made by hand stays.
CREATE FUNCTION import_close(of_import uuid) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	of_kind text;
BEGIN
	FOREACH of_kind IN ARRAY ARRAY['prefix', 'asn', 'domain', 'brand'] LOOP
		EXECUTE format('WITH ended AS (UPDATE %1$I e SET valid = tstzrange(lower(e.valid), now()) WHERE e.origin = ''import'' AND e.valid @> now()
				AND lower(e.valid) IS DISTINCT FROM now() AND upper(e.valid) IS DISTINCT FROM now() AND NOT EXISTS (SELECT 1 FROM register_wanted w
					JOIN organisation o ON o.name = w.name WHERE w.import = $1 AND w.record = %2$L AND o.id = e.organisation AND w.value = e.%2$I::text)
				RETURNING e.organisation, e.%2$I::text AS value)
			INSERT INTO register_outcome SELECT $1, 0, ''closed'', %2$L, o.name, x.value FROM ended x JOIN organisation o ON o.id = x.organisation',
			entry_table(of_kind), of_kind) USING of_import;
	END LOOP;
	WITH ended AS (UPDATE contact c SET valid = tstzrange(lower(c.valid), now()), changed = now() WHERE c.origin = 'import' AND c.valid @> now()
			AND lower(c.valid) IS DISTINCT FROM now() AND NOT EXISTS (SELECT 1 FROM register_outcome x JOIN organisation o ON o.name = x.name
				WHERE x.import = of_import AND x.record = 'contact' AND o.id = c.organisation AND x.value = coalesce(nullif(c.email, ''), c.phone))
			RETURNING c.organisation, coalesce(nullif(c.email, ''), c.phone) AS value)
	INSERT INTO register_outcome SELECT of_import, 0, 'closed', 'contact', o.name, x.value FROM ended x JOIN organisation o ON o.id = x.organisation;
	WITH ended AS (UPDATE organisation o SET valid = tstzrange(lower(o.valid), now()), changed = now() WHERE o.origin = 'import' AND o.valid @> now()
			AND lower(o.valid) IS DISTINCT FROM now() AND NOT EXISTS (SELECT 1 FROM register_wanted w WHERE w.import = of_import AND w.name = o.name)
			RETURNING o.name)
	INSERT INTO register_outcome SELECT of_import, 0, 'closed', 'organisation', name FROM ended;
END $$;

CREATE FUNCTION import_summary(of_import uuid) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object(
		'counts', (SELECT coalesce(jsonb_object_agg(outcome, many), '{}') FROM (SELECT outcome, count(*) AS many FROM register_outcome
			WHERE import = of_import GROUP BY outcome) c),
		'changes', (SELECT coalesce(jsonb_agg(to_jsonb(x) - 'import' ORDER BY x.line, x.record), '[]') FROM (SELECT * FROM register_outcome WHERE import = of_import
			AND outcome IN ('new', 'changed', 'closed') ORDER BY line, record LIMIT 1000) x),
		'wrong', (SELECT coalesce(jsonb_agg(jsonb_build_object('line', x.line, 'problem', concat_ws(': ', nullif(concat_ws(' ', nullif(x.name, ''),
			nullif(x.value, '')), ''), x.said)) ORDER BY x.line), '[]') FROM (SELECT * FROM register_outcome WHERE import = of_import
			AND outcome = 'wrong' ORDER BY line LIMIT 100) x))
$$;

-- All of it or nothing; what was put aside is gone after it. f: dry_run, replace, shared.
CREATE FUNCTION import_apply(of_import uuid, f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	summary jsonb;
	good boolean;
	of_kind text;
BEGIN
	IF NOT EXISTS (SELECT 1 FROM register_import WHERE id = of_import AND operator = actor()) THEN
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

-- The prefixes that cover a range exactly.
CREATE FUNCTION range_prefixes(first inet, last inet) RETURNS SETOF cidr LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	here inet := first;
	bits int;
	whole int := CASE family(first) WHEN 4 THEN 32 ELSE 128 END;
BEGIN
	LOOP
		bits := whole;
		WHILE bits > 0 AND host(network(set_masklen(here, bits - 1))) = host(here)
			AND set_masklen(broadcast(set_masklen(here, bits - 1)), whole) <= set_masklen(last, whole) LOOP
			bits := bits - 1;
		END LOOP;
		RETURN NEXT network(set_masklen(here, bits));
		EXIT WHEN set_masklen(broadcast(set_masklen(here, bits)), whole) >= set_masklen(last, whole);
		here := set_masklen(broadcast(set_masklen(here, bits)), whole) + 1;
	END LOOP;
END $$;

-- A line of a delegated-*-extended file: registry|cc|type|start|value|date|status|…; nothing where it says of no country.
CREATE FUNCTION delegated_line(said text) RETURNS TABLE (prefix cidr, first bigint, last bigint, country text, registry text)
LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	p text[] := string_to_array(said, '|');
	start inet;
BEGIN
	IF p[2] = '*' OR p[7] IN ('available', 'reserved') OR coalesce(p[2], '') IN ('', 'ZZ') OR p[1] ~ '^[0-9.]+$' THEN
		RETURN;
	ELSIF cardinality(p) < 7 OR p[2] !~ '^[A-Z]{2}$' OR p[5] !~ '^[0-9]{1,10}$' OR p[1] !~ '^[a-z]{3,20}$' THEN
		PERFORM wrong(format('expected registry|cc|type|start|value|date|status, not "%s"', left(said, 100)));
	END IF;
	country := p[2];
	registry := p[1];
	CASE p[3]
		WHEN 'asn' THEN
			first := said_asn(p[4]);
			last := first + p[5]::bigint - 1;
			IF last < first OR last > 4294967295 THEN
				PERFORM wrong(format('%s AS numbers from %s on: there are not so many', p[5], p[4]));
			END IF;
			RETURN NEXT;
		WHEN 'ipv4' THEN
			start := address_of(p[4]);
			IF start IS NULL OR family(start) <> 4 OR p[5]::bigint NOT BETWEEN 1 AND 4294967296 - (start - '0.0.0.0'::inet) THEN
				PERFORM wrong(format('expected an IPv4 address and how many from there on, not "%s" and "%s"', left(p[4], 60), p[5]));
			END IF;
			FOR prefix IN SELECT range_prefixes(start, start + (p[5]::bigint - 1)) LOOP
				RETURN NEXT;
			END LOOP;
		WHEN 'ipv6' THEN
			prefix := said_prefix(p[4] || '/' || p[5]);
			RETURN NEXT;
		ELSE
			PERFORM wrong(format('type: expected ipv4, ipv6 or asn, not "%s"', left(p[3], 60)));
	END CASE;
END $$;

-- A file of one registry replaces what it said before, in one transaction. f: dry_run, registry.
CREATE FUNCTION registry_apply(of_import uuid, f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp
SET client_min_messages = 'warning' AS $$
DECLARE
	w record;
	summary jsonb;
	wrongs jsonb := '[]';
	wrong_many int := 0;
	of_registry text := f ->> 'registry';
	named text[];
	delegated boolean;
BEGIN
	IF NOT EXISTS (SELECT 1 FROM register_import WHERE id = of_import AND operator = actor()) THEN
		RAISE EXCEPTION 'there is no such import of yours: begin anew' USING ERRCODE = 'no_data_found';
	ELSIF of_registry IS NOT NULL AND of_registry !~ '^[a-z0-9][a-z0-9-]{0,30}$' THEN
		PERFORM wrong('registry: expected a name such as ripencc');
	END IF;
	PERFORM pg_advisory_xact_lock(hashtext('cirt.register'));
	CREATE TEMP TABLE IF NOT EXISTS registry_prefix (prefix cidr, country text, registry text) ON COMMIT DROP;
	CREATE TEMP TABLE IF NOT EXISTS registry_asn (first bigint, last bigint, country text, registry text) ON COMMIT DROP;
	CREATE TEMP TABLE IF NOT EXISTS registry_abuse (prefix cidr, email text, registry text) ON COMMIT DROP;
	TRUNCATE registry_prefix, registry_asn, registry_abuse;
	FOR w IN SELECT line, record, value, x.f, problem FROM register_wanted x WHERE import = of_import ORDER BY n LOOP
		BEGIN
			IF w.problem IS NOT NULL THEN
				PERFORM wrong(w.problem);
			ELSIF w.record = 'delegated' THEN
				INSERT INTO registry_prefix SELECT d.prefix, d.country, coalesce(of_registry, d.registry) FROM delegated_line(w.value) d WHERE d.prefix IS NOT NULL;
				INSERT INTO registry_asn SELECT d.first, d.last, d.country, coalesce(of_registry, d.registry) FROM delegated_line(w.value) d WHERE d.first IS NOT NULL;
			ELSIF w.record = 'abuse' THEN
				IF of_registry IS NULL THEN
					PERFORM wrong('whose it is stands in no line: --registry NAME');
				ELSIF coalesce(w.f ->> 'email', '') !~ '^[^@\s<>,;:"\\[:cntrl:]]+@[^@\s<>,;:"\\[:cntrl:]]+$' THEN
					PERFORM wrong(format('"%s" is no mail address', left(w.f ->> 'email', 100)));
				END IF;
				INSERT INTO registry_abuse SELECT p, w.f ->> 'email', of_registry FROM (SELECT CASE WHEN w.value ~ '-' THEN NULL ELSE said_prefix(w.value) END AS p) s
					WHERE p IS NOT NULL
					UNION ALL SELECT range_prefixes(address_of(btrim(split_part(w.value, '-', 1))), address_of(btrim(split_part(w.value, '-', 2)))),
						w.f ->> 'email', of_registry WHERE w.value ~ '-' AND registry_range(w.value);
			END IF;
		EXCEPTION WHEN invalid_parameter_value OR data_exception THEN
			wrong_many := wrong_many + 1;
			IF wrong_many <= 100 THEN
				wrongs := wrongs || jsonb_build_object('line', w.line, 'problem', SQLERRM);
			END IF;
		END;
	END LOOP;
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

-- "first - last" of addresses of one family, in order.
CREATE FUNCTION registry_range(said text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	a inet := address_of(btrim(split_part(said, '-', 1)));
	b inet := address_of(btrim(split_part(said, '-', 2)));
BEGIN
	IF a IS NULL OR b IS NULL OR family(a) <> family(b) OR a > b THEN
		PERFORM wrong(format('"%s" is no range: expected one such as 192.0.2.0 - 192.0.2.255', left(said, 100)));
	END IF;
	RETURN true;
END $$;

-- What a registry's file changes about prefixes, and whom of ours that touches. Reads registry_prefix, which registry_apply() makes.
CREATE FUNCTION registry_changes(named text[]) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	answer jsonb;
BEGIN
	IF NOT EXISTS (SELECT 1 FROM registry_prefix) THEN
		RETURN jsonb_build_object('now', 0, 'added', 0, 'changed', 0, 'gone', 0, 'examples', '[]'::jsonb, 'touched', '[]'::jsonb);
	END IF;
	WITH fresh AS MATERIALIZED (SELECT DISTINCT ON (prefix) prefix, country FROM registry_prefix ORDER BY prefix, country),
	was AS MATERIALIZED (SELECT prefix, country FROM delegation WHERE registry = ANY (named)),
	change AS MATERIALIZED (SELECT coalesce(n.prefix, o.prefix) AS prefix, o.country AS was, n.country AS now FROM fresh n FULL JOIN was o USING (prefix)
		WHERE n.country IS DISTINCT FROM o.country),
	touched AS (SELECT c.prefix, c.was, c.now, x.name AS organisation, p.prefix AS held FROM change c JOIN organisation_prefix p ON p.prefix && c.prefix
		JOIN organisation x ON x.id = p.organisation WHERE p.valid @> now() AND x.valid @> now())
	SELECT jsonb_build_object('now', (SELECT count(*) FROM fresh), 'added', (SELECT count(*) FROM change WHERE was IS NULL),
		'changed', (SELECT count(*) FROM change WHERE was IS NOT NULL AND now IS NOT NULL), 'gone', (SELECT count(*) FROM change WHERE now IS NULL),
		'examples', (SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.prefix), '[]') FROM (SELECT * FROM change WHERE was IS NOT NULL ORDER BY prefix LIMIT 100) e),
		'touched', (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.prefix), '[]') FROM (SELECT * FROM touched ORDER BY prefix LIMIT 100) t),
		'touched_many', (SELECT count(*) FROM touched)) INTO answer;
	RETURN answer;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON register_import, register_wanted, register_outcome TO cirt_desk;
GRANT SELECT, DELETE ON register_import, register_wanted TO cirt_keeper;
REVOKE ALL ON FUNCTION import_columns, import_begin, import_row, import_rows, import_organisations, import_entries, import_contacts,
	import_groups, import_close, import_summary, import_apply, range_prefixes, delegated_line, registry_apply, registry_range,
	registry_changes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION import_columns, import_begin, import_row, import_rows, import_organisations, import_entries, import_contacts,
	import_groups, import_close, import_summary, import_apply, range_prefixes, delegated_line, registry_apply, registry_range,
	registry_changes TO cirt_desk;
