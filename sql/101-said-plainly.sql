-- What operators say of whom to tell, and of drills, is checked where it is said: addresses of ours, templates, times, prefixes, names
-- with a blank; a case is no freer than what is in it; and who plays in a drill is said at the desk.
SET LOCAL search_path = cirt, pg_temp;

-- ---- addresses of ours ----

-- Is it a mailbox of ours, whatever stands behind its plus, or a sealed address? own: our domains, and the address that answers go to.
CREATE FUNCTION address_is_ours(address text, own text[]) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT EXISTS (SELECT 1 FROM source s, unnest(string_to_array(lower(s.match), ' ')) AS m, unnest(own) AS d
			WHERE s.kind = 'mailbox' AND m <> '' AND a.bare IN (m, m || lower(d)))
		OR EXISTS (SELECT 1 FROM unnest(own) AS d WHERE a.bare = lower(d)
			OR (lower(address) ~ '^(case|bounce)([+-]|@)' AND split_part(lower(address), '@', 2) = lower(d)))
	FROM (SELECT lower(regexp_replace(address, '\+[^@]*@', '@')) AS bare) a
$$;
CREATE OR REPLACE FUNCTION rule_check_recipient(word text, r notify_rule, own text[]) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	what text := split_part(word, ':', 1);
	which text := substr(word, length(what) + 2);
	members int[];
BEGIN
	IF word = ANY (enum_range(NULL::contact_role)::text[]) OR word IN ('parent', 'national-cirt', 'abuse-desk') THEN
		IF r.whose = 'foreign' AND word NOT IN ('national-cirt', 'abuse-desk') THEN
			PERFORM rule_wrong(format('what is foreign has no contact "%s" of ours: national-cirt, abuse-desk, contact:ID, address:ADDRESS or '
				'group:NAME was expected', word));
		ELSIF word IN ('national-cirt', 'abuse-desk') AND (r.whose = 'ours' OR r.organisation IS NOT NULL OR r."group" IS NOT NULL) THEN
			PERFORM rule_wrong(format('%s is for what is foreign', word));
		END IF;
	ELSIF what = 'contact' THEN
		IF which !~ '^[0-9]{1,9}$' OR NOT EXISTS (SELECT 1 FROM contact c WHERE c.id = which::int) THEN
			RAISE EXCEPTION 'there is no contact "%"', left(which, 60) USING ERRCODE = 'no_data_found';
		END IF;
	ELSIF what = 'address' THEN
		IF which !~ '^[^@\s<>,;:"\\[:cntrl:]]+@[^@\s<>,;:"\\[:cntrl:]]+$' THEN
			PERFORM rule_wrong(format('an address was expected, not "%s"', left(which, 60)));
		ELSIF address_is_ours(which, own) THEN
			PERFORM rule_wrong(format('%s is a mailbox of ours: each notice would come back as a report', which));
		END IF;
	ELSIF what = 'group' THEN
		members := ARRAY(SELECT o FROM organisation_group g, group_holds(g.id) AS o WHERE g.name = which);
		IF NOT EXISTS (SELECT 1 FROM organisation_group g WHERE g.name = which) THEN
			RAISE EXCEPTION 'there is no group "%"', left(which, 60) USING ERRCODE = 'no_data_found';
		ELSIF members = '{}' THEN
			PERFORM rule_wrong(format('no organisation is in group %s', which));
		ELSIF r.whose <> 'foreign' AND r.country = '' AND (CASE WHEN r.organisation IS NOT NULL THEN r.organisation = ANY (members)
				WHEN r."group" IS NOT NULL THEN EXISTS (SELECT 1 FROM group_holds(r."group") AS o WHERE o = ANY (members)) ELSE true END) THEN
			PERFORM rule_wrong(format('a circle: those of group %s would be told of each other. Say of whom it is with --org or --group', which));
		END IF;
	ELSIF what = 'as' THEN
		IF NOT EXISTS (SELECT 1 FROM notify_rule n WHERE n.draft = r.draft AND n.name = which AND NOT n.suppress) THEN
			RAISE EXCEPTION 'there is no rule "%" that tells anybody', left(which, 60) USING ERRCODE = 'no_data_found';
		END IF;
	ELSE
		PERFORM rule_wrong(format('"%s" is nobody to tell: a role (%s), parent, national-cirt, abuse-desk, contact:ID, address:ADDRESS, group:NAME '
			'or as:RULE was expected', left(word, 60), array_to_string(enum_range(NULL::contact_role)::text[], ', ')));
	END IF;
END $$;

-- An import says for all its rows, in cirt.own, what else is said with a contact.
CREATE OR REPLACE FUNCTION contact_put(was contact, f jsonb) RETURNS contact LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	c contact := was;
	fingerprint text;
BEGIN
	c.name := said_text(f, 'name', coalesce(c.name, ''), 300);
	c.role := CASE WHEN coalesce(f ->> 'role', '') <> '' THEN said_enum('role', f ->> 'role', 'contact_role')
		ELSE coalesce(c.role, 'security')::text END;
	c.email := said_text(f, 'email', coalesce(c.email, ''), 320);
	IF c.email !~ '^([^@\s<>,;:"\\[:cntrl:]]+@[^@\s<>,;:"\\[:cntrl:]]+)?$' THEN
		PERFORM wrong(format('"%s" is no mail address: expected one such as abuse@hospital.example', left(c.email, 100)));
	ELSIF lower(c.email) IS DISTINCT FROM lower(was.email) AND address_is_ours(c.email, ARRAY(SELECT jsonb_array_elements_text(
			coalesce(f -> 'own', nullif(current_setting('cirt.own', true), '')::jsonb, '[]')))) THEN
		PERFORM wrong(format('%s is a mailbox of ours: each notice would come back as a report', c.email));
	END IF;
	c.phone := said_text(f, 'phone', coalesce(c.phone, ''), 100);
	IF c.email = '' AND c.phone = '' THEN
		PERFORM wrong('a contact wants an address or a telephone number: email or phone');
	END IF;
	c.language := CASE WHEN coalesce(f ->> 'language', '') <> '' THEN said_language(f ->> 'language') ELSE coalesce(c.language, 'en') END;
	c.zone := CASE WHEN coalesce(f ->> 'zone', '') <> '' THEN said_zone(f ->> 'zone') ELSE coalesce(c.zone, 'UTC') END;
	c.schedule := CASE WHEN coalesce(f ->> 'schedule', '') <> '' THEN said_schedule(f ->> 'schedule') ELSE coalesce(c.schedule, 'always') END;
	c.format := CASE WHEN coalesce(f ->> 'format', '') <> '' THEN said_enum('format', f ->> 'format', 'notice_format')
		ELSE coalesce(c.format, 'csv')::text END;
	c.policy := CASE WHEN coalesce(f ->> 'policy', '') <> '' THEN said_enum('policy', f ->> 'policy', 'key_policy')
		ELSE coalesce(c.policy, 'preferred')::text END;
	FOREACH fingerprint IN ARRAY ARRAY['pgp', 'smime'] LOOP
		IF f ? fingerprint AND upper(regexp_replace(coalesce(f ->> fingerprint, ''), '[\s:]', '', 'g')) !~ '^([0-9A-F]{40}|[0-9A-F]{64})?$' THEN
			PERFORM wrong(format('%s: expected the whole fingerprint of the key, 40 or 64 hex digits', fingerprint));
		END IF;
	END LOOP;
	c.pgp := CASE WHEN f ? 'pgp' THEN upper(regexp_replace(coalesce(f ->> 'pgp', ''), '[\s:]', '', 'g')) ELSE coalesce(c.pgp, '') END;
	c.smime := CASE WHEN f ? 'smime' THEN upper(regexp_replace(coalesce(f ->> 'smime', ''), '[\s:]', '', 'g')) ELSE coalesce(c.smime, '') END;
	IF coalesce(f ->> 'priority', '') <> '' AND f ->> 'priority' !~ '^[0-9]{1,6}$' THEN
		PERFORM wrong('priority: expected a number; the lowest of a role is asked first');
	END IF;
	c.priority := coalesce(nullif(f ->> 'priority', '')::int, c.priority, 100);
	c.valid := coalesce(said_validity(f, c.valid), c.valid, tstzrange(NULL, NULL));
	RETURN c;
END $$;

-- ---- what stands in a list ----

-- Between commas and blanks; but a name with a blank in it is not two: what has no dot beside others is said to be none.
CREATE OR REPLACE FUNCTION said_list(kind text, said text) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
	SELECT btrim(w) FROM regexp_split_to_table(said, CASE kind WHEN 'brand' THEN ';' WHEN 'domain' THEN '[,;]' ELSE '[\s,;]+' END) AS p,
		regexp_split_to_table(btrim(p), CASE WHEN kind = 'domain' AND btrim(p) !~ '(^|\s)[^\s.]+(\s|$)' THEN '\s+' ELSE '^$' END) AS w
	WHERE btrim(w) <> ''
$$;

-- ---- rules ----

CREATE OR REPLACE FUNCTION rule_filled(r notify_rule, p jsonb) RETURNS notify_rule LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	word text;
	said jsonb := (SELECT coalesce(jsonb_object_agg(key, CASE WHEN value = '"-"' THEN 'null' ELSE value END), '{}') FROM jsonb_each(p));
BEGIN
	IF said ? 'org' THEN
		r.organisation := (SELECT id FROM organisation WHERE name = said ->> 'org' OR id = CASE WHEN said ->> 'org' ~ '^[0-9]{1,9}$' THEN (said ->> 'org')::int END
			ORDER BY name = said ->> 'org' DESC LIMIT 1);
		IF r.organisation IS NULL AND said ->> 'org' IS NOT NULL THEN
			RAISE EXCEPTION 'there is no organisation "%"', left(said ->> 'org', 60) USING ERRCODE = 'no_data_found';
		END IF;
	END IF;
	IF said ? 'group' THEN
		r."group" := (SELECT id FROM organisation_group WHERE name = said ->> 'group');
		IF r."group" IS NULL AND said ->> 'group' IS NOT NULL THEN
			RAISE EXCEPTION 'there is no group "%"', left(said ->> 'group', 60) USING ERRCODE = 'no_data_found';
		END IF;
	END IF;
	IF said ? 'source' THEN
		r.source := (SELECT id FROM source WHERE name = said ->> 'source');
		IF r.source IS NULL AND said ->> 'source' IS NOT NULL THEN
			RAISE EXCEPTION 'there is no source "%"', left(said ->> 'source', 60) USING ERRCODE = 'no_data_found';
		END IF;
	END IF;
	IF said ? 'severity' THEN
		r.min_severity := rule_severity(said ->> 'severity');
		IF r.min_severity IS NULL AND said ->> 'severity' IS NOT NULL THEN
			PERFORM rule_wrong('severity: expected info, low, medium, high or critical');
		END IF;
	END IF;
	IF said ? 'type' AND said ->> 'type' IS NOT NULL AND said ->> 'type' <> ALL (enum_range(NULL::rsit_type)::text[]) THEN
		PERFORM rule_wrong(format('there is no type "%s": an RSIT type was expected, such as infected-system', left(said ->> 'type', 60)));
	END IF;
	IF said ? 'prefix' THEN
		r.prefix := network(address_of(btrim(said ->> 'prefix')));
		IF r.prefix IS NULL AND said ->> 'prefix' IS NOT NULL THEN
			PERFORM rule_wrong('prefix: expected one such as 192.0.2.0/24 or 2001:db8::/32');
		ELSIF r.prefix <> address_of(btrim(said ->> 'prefix')) THEN
			PERFORM rule_wrong(format('prefix: %s has bits behind the prefix: the network is %s, the single address %s', said ->> 'prefix', r.prefix,
				host(address_of(btrim(said ->> 'prefix')))));
		END IF;
	END IF;
	IF said ->> 'country' IS NOT NULL THEN
		word := said_country(said ->> 'country');
	END IF;
	IF said ->> 'language' IS NOT NULL THEN
		word := said_language(said ->> 'language');
	END IF;
	word := regexp_replace(coalesce(said ->> 'template', ''), '^notice-', '');
	IF word <> '' AND NOT coalesce(p -> 'templates', '[]') ? word THEN
		PERFORM rule_wrong(format('there is no template "%s"; there are: %s', left(said ->> 'template', 60),
			coalesce((SELECT string_agg(t, ', ' ORDER BY t) FROM jsonb_array_elements_text(p -> 'templates') AS t),
				'none besides the one for all; LANGUAGE/notice-NAME.txt would be one')));
	END IF;
	IF octet_length(said ->> 'identifier') > 200 THEN
		PERFORM rule_wrong('identifier: at most 200 bytes were expected');
	ELSIF octet_length(said ->> 'note') > 2000 THEN
		PERFORM rule_wrong('note: at most 2000 bytes were expected');
	END IF;
	r.whose := CASE WHEN said ? 'whose' THEN coalesce(said ->> 'whose', 'any')::notice_whose ELSE r.whose END;
	r.country := CASE WHEN said ? 'country' THEN upper(coalesce(said ->> 'country', '')) ELSE r.country END;
	r.class := CASE WHEN said ? 'class' THEN coalesce(said ->> 'class', '') ELSE r.class END;
	r.type := CASE WHEN said ? 'type' THEN (said ->> 'type')::rsit_type ELSE r.type END;
	r.identifier := CASE WHEN said ? 'identifier' THEN lower(coalesce(said ->> 'identifier', '')) ELSE r.identifier END;
	r.format := CASE WHEN said ? 'format' THEN (said ->> 'format')::notice_format ELSE r.format END;
	r.language := CASE WHEN said ? 'language' THEN coalesce(said ->> 'language', '') ELSE r.language END;
	r.template := CASE WHEN said ? 'template' THEN coalesce(said ->> 'template', '') ELSE r.template END;
	r.note := CASE WHEN said ? 'note' THEN coalesce(said ->> 'note', '') ELSE r.note END;
	IF said ? 'repeat' THEN
		BEGIN
			r.repeat := (said ->> 'repeat')::interval;
		EXCEPTION WHEN invalid_datetime_format OR datetime_field_overflow THEN
			r.repeat := '0';
		END;
		IF r.repeat <= '0' OR r.repeat > interval '10 years' THEN
			PERFORM rule_wrong('repeat: expected a time such as 7d or 12h, at most 10 years');
		END IF;
	END IF;
	IF p ? 'suppress' AND p ? 'to' THEN
		PERFORM rule_wrong('either --suppress or --to was expected');
	ELSIF p ? 'suppress' THEN
		r.suppress := true;
		r.recipients := '{}';
	ELSIF p ? 'to' THEN
		r.suppress := false;
		r.recipients := ARRAY(SELECT replace(w, ' ', '') FROM unnest(string_to_array(p ->> 'to', ',')) AS w WHERE btrim(w) <> '');
	END IF;
	IF NOT r.suppress AND cardinality(r.recipients) = 0 THEN
		PERFORM rule_wrong('what is it to do? --suppress, or --to RECIPIENTS, such as --to "security|abuse"');
	END IF;
	RETURN r;
END $$;

-- ---- imports: all that is wrong, at once ----

CREATE OR REPLACE FUNCTION import_take(of_import uuid, rows jsonb[]) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
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
		INSERT INTO register_wanted (import, line, record, name, problem)
			SELECT of_import, CASE WHEN l ~ '^[0-9]{1,15}$' THEN l::bigint ELSE 0 END, '', left(btrim(coalesce(rows[1] ->> 'organisation', '')), 300),
				said FROM coalesce(rows[1] ->> 'line', '') AS l;
	ELSE
		PERFORM import_take(of_import, rows[:half]);
		PERFORM import_take(of_import, rows[half + 1:]);
	END IF;
END $$;

-- Who is missing only since his own line could not be read is not said to be: that line is told.
CREATE FUNCTION import_missing(of_import uuid) RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	DELETE FROM register_outcome o USING (SELECT DISTINCT name FROM register_wanted WHERE import = of_import AND problem IS NOT NULL) p
	WHERE o.import = of_import AND o.outcome = 'wrong' AND o.said LIKE 'there is no organisation "%'
		AND (p.name = '' OR position('"' || p.name || '"' IN o.said) > 0)
$$;

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
	PERFORM set_config('cirt.own', coalesce(f ->> 'own', ''), true);
	BEGIN
		INSERT INTO register_outcome SELECT import, line, 'wrong', record, '', value, problem FROM register_wanted
			WHERE import = of_import AND problem IS NOT NULL;
		good := NOT FOUND;
		PERFORM import_organisations(of_import);
		FOREACH of_kind IN ARRAY ARRAY['prefix', 'asn', 'domain', 'brand'] LOOP
			PERFORM import_entries(of_import, of_kind, (f ->> 'shared') IS NOT DISTINCT FROM 'true');
		END LOOP;
		PERFORM import_contacts(of_import);
		PERFORM import_groups(of_import);
		IF good AND f ->> 'replace' = 'true' THEN
			PERFORM import_close(of_import);
		ELSIF NOT good THEN
			PERFORM import_missing(of_import);
		END IF;
		good := NOT EXISTS (SELECT 1 FROM register_outcome WHERE import = of_import AND outcome = 'wrong');
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

-- ---- cases ----

CREATE OR REPLACE FUNCTION desk_case_set(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_expect(case_asked(p), p);
	was cases := c;
	strictest tlp;
BEGIN
	PERFORM case_worked(p);
	IF p ? 'title' THEN
		c.title := said_words(p, 'title', 'a title', 1000);
	END IF;
	IF p ? 'severity' THEN
		c.severity := said_severity(p ->> 'severity', c.severity);
	END IF;
	c.tlp := CASE WHEN p ? 'tlp' THEN said_enum('tlp', lower(p ->> 'tlp'), 'tlp') ELSE c.tlp::text END;
	SELECT max(r.tlp) INTO strictest FROM case_report cr JOIN report r ON r.id = cr.report WHERE cr.case_id = c.id AND cr.ended IS NULL;
	IF c.tlp < was.tlp AND c.tlp < strictest AND NOT p ? 'reason' THEN
		PERFORM wrong(format('what is in it is TLP:%s: as TLP:%s it goes further than its sources let it. Say why with --reason',
			upper(strictest::text), upper(c.tlp::text)));
	END IF;
	c.pap := CASE WHEN p ? 'pap' THEN said_enum('pap', lower(p ->> 'pap'), 'pap') ELSE c.pap::text END;
	c.type := CASE WHEN p ? 'type' THEN said_enum('type', lower(p ->> 'type'), 'rsit_type') ELSE c.type::text END;
	c.identifier := CASE WHEN p ->> 'identifier' = '-' THEN '' ELSE said_text(p, 'identifier', c.identifier, 300) END;
	c.impact := said_impact(p, c.impact);
	IF p ? 'org' THEN
		c.organisation := CASE WHEN p ->> 'org' NOT IN ('', '-') THEN org_named(p ->> 'org') END;
	END IF;
	IF c = was THEN
		PERFORM wrong('nothing to change: say what, such as --severity high');
	END IF;
	UPDATE cases SET title = c.title, severity = c.severity, tlp = c.tlp, pap = c.pap, type = c.type, identifier = c.identifier,
		impact = c.impact, organisation = c.organisation WHERE id = c.id;
	IF c.tlp < strictest AND c.tlp < was.tlp THEN
		PERFORM journal_add('case/' || c.number, left(format('made TLP:%s, less than its reports (TLP:%s): %s', upper(c.tlp::text),
			upper(strictest::text), p ->> 'reason'), 500), NULL, NULL);
	END IF;
	RETURN case_brief_json(c.id);
END $$;

-- ---- drills ----

-- The directory of a drill lets nothing out before it begins, and nothing when it is over.
CREATE OR REPLACE FUNCTION in_directory(of_exercise int, of_address text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN EXISTS (SELECT 1 FROM exercise_directory d JOIN exercise e ON e.id = d.exercise WHERE d.exercise = of_exercise
		AND d.address IN (lower(of_address), '@' || lower(split_part(of_address, '@', 2)))
		AND coalesce(e.starts, '-infinity') <= now() AND coalesce(e.ends, 'infinity') > now());
END $$;

CREATE FUNCTION exercise_named(named text) RETURNS exercise LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	e exercise;
BEGIN
	SELECT * INTO e FROM exercise WHERE name = btrim(named) AND id <> 0;
	IF e.id IS NULL THEN
		RAISE EXCEPTION 'there is no exercise "%"; there are: %', left(named, 60), coalesce((SELECT string_agg(name, ', ' ORDER BY name) FROM exercise
			WHERE id <> 0), 'none. Begin one: cirt exercise open NAME') USING ERRCODE = 'no_data_found';
	END IF;
	RETURN e;
END $$;

CREATE FUNCTION exercise_json(e exercise) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('name', e.name, 'title', e.title, 'state', CASE WHEN e.ends <= now() THEN 'over' WHEN e.starts > now() THEN 'planned'
			ELSE 'open' END, 'from', stamp(e.starts), 'until', stamp(e.ends),
		'directory', (SELECT coalesce(jsonb_agg(d.address ORDER BY d.address), '[]') FROM exercise_directory d WHERE d.exercise = e.id),
		'sources', (SELECT coalesce(jsonb_agg(s.name ORDER BY s.name), '[]') FROM source s WHERE s.exercise = e.id))
$$;

-- Addresses, and @domains: all that may be written to.
CREATE FUNCTION exercise_directory_said(said text) RETURNS SETOF text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	one text;
BEGIN
	FOR one IN SELECT lower(w) FROM regexp_split_to_table(said, '[\s,;]+') AS w WHERE w <> '' LOOP
		IF one !~ '^[^@\s<>"\\[:cntrl:]]*@[^@\s<>"\\[:cntrl:]]+$' OR length(one) > 320 THEN
			PERFORM wrong(format('"%s" is nobody''s address: expected some such as soc@bank.example, or @bank.example for all there', left(one, 100)));
		END IF;
		RETURN NEXT one;
	END LOOP;
END $$;

-- What p says of it: {title, from, until, add, remove}.
CREATE FUNCTION exercise_write(of_exercise int, p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	e exercise;
BEGIN
	UPDATE exercise x SET title = said_text(p, 'title', x.title, 500),
		starts = CASE WHEN p ? 'from' THEN said_time('from', p ->> 'from') ELSE x.starts END,
		ends = CASE WHEN p ->> 'until' = '-' THEN NULL WHEN p ? 'until' THEN said_time('until', p ->> 'until') ELSE x.ends END
		WHERE x.id = of_exercise RETURNING * INTO e;
	IF e.ends <= e.starts THEN
		PERFORM wrong('until: expected a time behind the one of --from');
	END IF;
	INSERT INTO exercise_directory (exercise, address) SELECT DISTINCT e.id, a FROM exercise_directory_said(p ->> 'add') AS a ON CONFLICT DO NOTHING;
	DELETE FROM exercise_directory d USING exercise_directory_said(p ->> 'remove') AS a WHERE d.exercise = e.id AND d.address = a;
	PERFORM journal_add('exercise/' || e.name, 'set', NULL, (exercise_json(e) - 'sources')::text);
	RETURN exercise_json(e);
END $$;

-- {name, title, from, until, add}: a new one; or what is over goes on.
CREATE FUNCTION desk_exercise_open(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	e exercise;
BEGIN
	SELECT * INTO e FROM exercise WHERE name = p ->> 'name' AND id <> 0 FOR UPDATE;
	IF e.id IS NULL AND coalesce(p ->> 'name', '') !~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' THEN
		PERFORM wrong(format('name: expected letters, digits and . _ - such as frost-2026, not "%s"', left(coalesce(p ->> 'name', ''), 64)));
	END IF;
	-- One that came with what was sent was begun by nobody here.
	IF e.starts IS NOT NULL AND (e.ends IS NULL OR e.ends > now()) THEN
		RAISE EXCEPTION 'the exercise "%" is open already: cirt exercise set %', e.name, e.name USING ERRCODE = 'check_violation';
	ELSIF e.id IS NULL THEN
		INSERT INTO exercise (name, starts) VALUES (p ->> 'name', now()) RETURNING * INTO e;
	ELSE
		UPDATE exercise SET starts = coalesce(starts, now()), ends = NULL WHERE id = e.id;
	END IF;
	RETURN exercise_write(e.id, p);
END $$;
-- {name, title, from, until, add, remove}
CREATE FUNCTION desk_exercise_set(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	IF NOT p ?| ARRAY['title', 'from', 'until', 'add', 'remove'] THEN
		PERFORM wrong('nothing to change: say what, such as --add soc@bank.example');
	END IF;
	RETURN exercise_write((exercise_named(p ->> 'name')).id, p);
END $$;
-- {name}
CREATE FUNCTION desk_exercise_close(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	e exercise := exercise_named(p ->> 'name');
BEGIN
	IF e.ends <= now() THEN
		RAISE EXCEPTION 'the exercise "%" is over since %', e.name, stamp(e.ends) USING ERRCODE = 'check_violation';
	END IF;
	UPDATE exercise SET ends = now(), starts = least(starts, now() - interval '1 second') WHERE id = e.id RETURNING * INTO e;
	PERFORM journal_add('exercise/' || e.name, 'closed', NULL, (exercise_json(e) - 'sources')::text);
	RETURN exercise_json(e);
END $$;
CREATE FUNCTION desk_exercise_list(p jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('items', coalesce(jsonb_agg(exercise_json(e) ORDER BY e.starts DESC NULLS LAST, e.name), '[]'), 'next', NULL)
	FROM exercise e WHERE e.id <> 0 AND (p ? 'all' OR e.ends IS NULL OR e.ends > now())
$$;
CREATE FUNCTION desk_exercise_show(p jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT exercise_json(exercise_named(p ->> 'name'))
$$;

REVOKE ALL ON FUNCTION address_is_ours, import_missing, exercise_named, exercise_json, exercise_directory_said, exercise_write, desk_exercise_open,
	desk_exercise_set, desk_exercise_close, desk_exercise_list, desk_exercise_show FROM PUBLIC;
GRANT EXECUTE ON FUNCTION address_is_ours, import_missing, exercise_named, exercise_json, exercise_directory_said, exercise_write,
	desk_exercise_open, desk_exercise_set, desk_exercise_close, desk_exercise_list, desk_exercise_show TO cirt_desk;
