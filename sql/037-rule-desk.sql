-- What operators do with notification rules. Each takes what was asked as JSON and answers in JSON.
SET LOCAL search_path = cirt, pg_temp;

ALTER TABLE notify_rule ADD enabled boolean NOT NULL DEFAULT true;

-- Why a rule does not hold for a report; NULL: it does. Without SET and subqueries, so that it becomes part of the query that asks.
CREATE OR REPLACE FUNCTION notice_misses(n notify_rule, of_organisation int, of_country text, host inet, of_type rsit_type, of_identifier text,
	of_source int, of_severity int) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE
		WHEN NOT n.enabled THEN 'disabled'
		WHEN n.whose = 'ours' AND of_organisation IS NULL THEN 'nobody''s that we serve'
		WHEN n.whose = 'foreign' AND of_organisation IS NOT NULL THEN 'not foreign'
		WHEN n.organisation <> of_organisation OR (n.organisation IS NOT NULL AND of_organisation IS NULL) THEN 'another organisation'
		WHEN n.type <> of_type THEN 'another type'
		WHEN n.class <> '' AND n.class <> cirt.rsit_class(of_type) THEN 'another class'
		WHEN n.source <> of_source THEN 'another source'
		WHEN n.min_severity > coalesce(of_severity, -1) THEN 'less severe'
		WHEN n.country <> '' AND (of_organisation IS NOT NULL OR n.country IS DISTINCT FROM of_country) THEN 'another country'
		WHEN n.identifier <> '' AND of_identifier NOT LIKE cirt.notice_like(n.identifier) THEN 'another identifier'
		WHEN n.prefix IS NOT NULL AND (host IS NULL OR NOT host <<= n.prefix) THEN 'another address'
		WHEN n."group" IS NOT NULL AND (of_organisation IS NULL OR NOT cirt.group_has(n."group", of_organisation)) THEN 'not of the group'
	END
$$;

CREATE FUNCTION rule_wrong(text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '%', $1 USING ERRCODE = 'invalid_parameter_value';
END $$;

-- By number or name, in one of the two sets. A draft answers to the number of the rule that it changes, too.
CREATE FUNCTION rule_named(named text, of_draft boolean) RETURNS notify_rule LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	r notify_rule;
BEGIN
	SELECT * INTO r FROM notify_rule n WHERE n.draft = of_draft
		AND CASE WHEN named ~ '^[0-9]{1,9}$' THEN named::int IN (n.id, n.of) ELSE n.name = lower(named) END;
	IF r.id IS NULL THEN
		RAISE EXCEPTION 'there is no %rule "%"', CASE WHEN of_draft THEN 'draft of a ' ELSE '' END, left(named, 60) USING ERRCODE = 'no_data_found';
	END IF;
	RETURN r;
END $$;

CREATE FUNCTION rule_json(n notify_rule) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('id', coalesce(n.of, n.id), 'position', n.position, 'name', n.name, 'draft', n.draft, 'enabled', n.enabled,
		'when', (SELECT coalesce(nullif(concat_ws(' · ', CASE WHEN n.whose <> 'any' THEN n.whose::text END, o.name, 'group ' || g.name,
			nullif(n.country, ''), n.prefix::text, nullif(n.class, ''), n.type::text, nullif(n.identifier, ''), 'from ' || s.name,
			CASE WHEN n.min_severity IS NOT NULL THEN 'severity ' || severity_name(n.min_severity) || '+' END), ''), 'always')
			FROM (SELECT) one LEFT JOIN organisation o ON o.id = n.organisation LEFT JOIN organisation_group g ON g.id = n."group"
			LEFT JOIN source s ON s.id = n.source),
		'does', CASE WHEN n.suppress THEN 'suppress' ELSE 'to ' || array_to_string(n.recipients, ', ') END,
		'to', n.recipients, 'suppress', n.suppress, 'format', n.format, 'language', nullif(n.language, ''), 'template', nullif(n.template, ''),
		'repeat', CASE WHEN n.suppress THEN NULL ELSE coalesce(extract(day FROM n.repeat) || ' d' ||
			CASE WHEN n.repeat <> date_trunc('day', n.repeat) THEN ' ' || (n.repeat - date_trunc('day', n.repeat)) ELSE '' END,
			'7 d compromised, 30 d otherwise') END, 'note', nullif(n.note, ''))
$$;

-- Does `e` hold for everything that `r` holds for?
CREATE FUNCTION rule_covers(e notify_rule, r notify_rule) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT (e.whose = 'any' OR e.whose = r.whose OR (e.whose = 'ours' AND (r.organisation IS NOT NULL OR r."group" IS NOT NULL))
			OR (e.whose = 'foreign' AND r.country <> ''))
		AND (e.organisation IS NULL OR coalesce(e.organisation = r.organisation, false))
		AND (e."group" IS NULL OR coalesce(e."group" = r."group", false)
			OR (r.organisation IS NOT NULL AND group_has(e."group", r.organisation))
			OR (r."group" IS NOT NULL AND NOT EXISTS (SELECT * FROM group_holds(r."group") EXCEPT SELECT * FROM group_holds(e."group"))))
		AND (e.country = '' OR e.country = r.country)
		AND (e.prefix IS NULL OR coalesce(r.prefix <<= e.prefix, false))
		AND (e.class = '' OR e.class = r.class OR coalesce(e.class = rsit_class(r.type), false))
		AND (e.type IS NULL OR coalesce(e.type = r.type, false))
		-- A star of `r` has to fall under one of `e`, as it stands for itself too.
		AND (e.identifier = '' OR (r.identifier <> '' AND r.identifier LIKE notice_like(e.identifier)))
		AND (e.source IS NULL OR coalesce(e.source = r.source, false))
		AND (e.min_severity IS NULL OR coalesce(e.min_severity <= r.min_severity, false))
$$;

-- The earlier rules that leave nothing for this one; NULL: it can hold.
CREATE FUNCTION rule_hidden_by(r notify_rule) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT e.name FROM notify_rule e WHERE e.draft = r.draft AND e.enabled AND e.position < r.position AND e.id <> r.id
			AND rule_covers(e, r) ORDER BY e.position LIMIT 1),
		(SELECT string_agg(e.name, ' and ' ORDER BY e.position) FROM notify_rule e,
			LATERAL (SELECT (jsonb_populate_record(r, jsonb_build_object('whose', e.whose))).*) AS narrow
			WHERE r.whose = 'any' AND e.whose <> 'any' AND e.draft = r.draft AND e.enabled AND e.position < r.position
				AND rule_covers(e, jsonb_populate_record(r, jsonb_build_object('whose', e.whose)))
			HAVING count(DISTINCT e.whose) = 2))
$$;

-- Words of --to: what is none is said.
CREATE FUNCTION rule_check_recipient(word text, r notify_rule, own text[]) RETURNS void LANGUAGE plpgsql STABLE
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
		ELSIF EXISTS (SELECT 1 FROM source s, unnest(string_to_array(lower(s.match), ' ')) AS m, unnest(own) AS d
				WHERE s.kind = 'mailbox' AND m <> '' AND lower(which) IN (m, m || lower(d))) THEN
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

-- All that is wrong with a rule by itself, and with where it stands.
CREATE FUNCTION rule_check(r notify_rule, own text[]) RETURNS void LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	word text;
	hidden text;
BEGIN
	IF r.type IS NOT NULL AND r.class <> '' AND rsit_class(r.type) <> r.class THEN
		PERFORM rule_wrong(format('it can never hold: %s is of class %s, not %s', r.type, rsit_class(r.type), r.class));
	ELSIF r.class <> '' AND r.class <> ALL (SELECT rsit_class(t) FROM unnest(enum_range(NULL::rsit_type)) AS t) THEN
		PERFORM rule_wrong(format('there is no class "%s"; there are %s', left(r.class, 60),
			(SELECT string_agg(DISTINCT rsit_class(t), ', ') FROM unnest(enum_range(NULL::rsit_type)) AS t)));
	ELSIF (r.whose = 'foreign' OR r.country <> '') AND (r.organisation IS NOT NULL OR r."group" IS NOT NULL) THEN
		PERFORM rule_wrong('it can never hold: what is an organisation''s of the register is not foreign');
	ELSIF r.whose = 'ours' AND r.country <> '' THEN
		PERFORM rule_wrong('it can never hold: a country is of what is foreign');
	ELSIF r."group" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM group_holds(r."group")) THEN
		PERFORM rule_wrong('it can never hold: no organisation is in that group');
	ELSIF r."group" IS NOT NULL AND r.organisation IS NOT NULL AND NOT group_has(r."group", r.organisation) THEN
		PERFORM rule_wrong('it can never hold: that organisation is not in that group');
	ELSIF r.source IS NOT NULL AND EXISTS (SELECT 1 FROM source s WHERE s.id = r.source AND NOT s.enabled) THEN
		PERFORM rule_wrong('it can never hold: that source is disabled');
	END IF;
	FOREACH word IN ARRAY r.recipients LOOP
		PERFORM rule_check_recipient(w, r, own) FROM unnest(string_to_array(word, '|')) AS w;
	END LOOP;
	IF EXISTS (WITH RECURSIVE way(name, step) AS (
			SELECT substr(w, 4), 1 FROM unnest(r.recipients) AS l, unnest(string_to_array(l, '|')) AS w WHERE w LIKE 'as:%'
			UNION SELECT substr(w, 4), way.step + 1 FROM way JOIN notify_rule n ON n.name = way.name AND n.draft = r.draft AND n.id <> r.id,
				unnest(n.recipients) AS l, unnest(string_to_array(l, '|')) AS w WHERE w LIKE 'as:%' AND way.step < 10)
			SELECT 1 FROM way WHERE name = r.name OR step >= 10) THEN
		PERFORM rule_wrong('a circle: as: comes back to ' || r.name || ', or goes on for more than 9 rules');
	END IF;
	hidden := rule_hidden_by(r);
	IF r.enabled AND hidden IS NOT NULL THEN
		PERFORM rule_wrong(format('it can never hold there: %s comes first and holds for all of it. Put it before: --before %s', hidden,
			split_part(hidden, ' ', 1)));
	END IF;
END $$;

-- Those that can hold no more, since this one stands before them.
CREATE FUNCTION rule_hides(r notify_rule) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(json_agg(n.name ORDER BY n.position), '[]') FROM notify_rule n
	WHERE n.draft = r.draft AND n.enabled AND n.position > r.position AND r.enabled AND rule_covers(r, n)
$$;

-- The second set begins as a copy of the first.
CREATE FUNCTION rule_draft_begin() RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('cirt.notify_rule'));
	IF NOT EXISTS (SELECT 1 FROM notify_rule WHERE draft) THEN
		INSERT INTO notify_rule (draft, of, position, name, enabled, whose, organisation, "group", country, prefix, class, type, identifier, source,
				min_severity, suppress, recipients, format, language, template, repeat, note)
			SELECT true, id, position, name, enabled, whose, organisation, "group", country, prefix, class, type, identifier, source, min_severity,
				suppress, recipients, format, language, template, repeat, note FROM notify_rule WHERE NOT draft;
	END IF;
END $$;

-- Put a rule before or behind another; before the first that holds for all of it where neither is said.
CREATE FUNCTION rule_place(r notify_rule, before text, after text, is_new boolean) RETURNS int LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	at int;
	other notify_rule;
BEGIN
	IF before IS NOT NULL OR after IS NOT NULL THEN
		other := rule_named(coalesce(before, after), r.draft);
		IF other.id = r.id THEN
			PERFORM rule_wrong('a rule is not put before or behind itself');
		END IF;
		at := other.position * 2 + CASE WHEN before IS NOT NULL THEN -1 ELSE 1 END;
	ELSIF is_new THEN
		SELECT * INTO other FROM notify_rule e WHERE e.draft = r.draft AND e.enabled AND e.id <> r.id AND rule_covers(e, r)
			ORDER BY e.position LIMIT 1;
		IF other.id IS NOT NULL AND rule_covers(r, other) THEN
			PERFORM rule_wrong(format('rule %s holds for the same: cirt rule set %s', other.name, other.name));
		END IF;
		at := coalesce(other.position * 2 - 1, (SELECT max(position) * 2 + 1 FROM notify_rule WHERE draft = r.draft));
	ELSE
		RETURN r.position;
	END IF;
	UPDATE notify_rule n SET position = p.place FROM (SELECT id, 10 * row_number() OVER (ORDER BY CASE WHEN id = r.id THEN at ELSE position * 2 END)
		AS place FROM notify_rule WHERE draft = r.draft) p WHERE n.id = p.id AND n.position <> p.place;
	RETURN (SELECT position FROM notify_rule WHERE id = r.id);
END $$;

CREATE FUNCTION rule_severity(word text) RETURNS int LANGUAGE sql IMMUTABLE AS
	$$ SELECT (array_position(ARRAY['info', 'low', 'medium', 'high', 'critical'], lower(word)) - 1) * 20 $$;

-- Conditions and deeds as options say them; "-" takes one away.
CREATE FUNCTION rule_filled(r notify_rule, p jsonb) RETURNS notify_rule LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
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
		r.prefix := network(address_of(said ->> 'prefix'));
		IF r.prefix IS NULL AND said ->> 'prefix' IS NOT NULL THEN
			PERFORM rule_wrong('prefix: expected one such as 192.0.2.0/24 or 2001:db8::/32');
		END IF;
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
			PERFORM rule_wrong('repeat: expected a time such as 7d or 12h');
		END;
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

CREATE FUNCTION rule_answer(r notify_rule) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT (rule_json(n)::jsonb || jsonb_build_object('hides', rule_hides(n)))::json FROM notify_rule n WHERE n.id = r.id
$$;

CREATE FUNCTION desk_rule_new(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	r notify_rule;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('cirt.notify_rule'));
	r.draft := p ? 'draft';
	IF r.draft THEN
		PERFORM rule_draft_begin();
	END IF;
	r.enabled := true;
	r.whose := 'any';
	r.country := '';
	r.class := '';
	r.identifier := '';
	r.suppress := false;
	r.recipients := '{}';
	r.language := '';
	r.template := '';
	r.note := '';
	r := rule_filled(r, p);
	IF p ->> 'name' !~ '^[a-z0-9][a-z0-9._-]{0,63}$' OR p ->> 'name' ~ '^[0-9]+$' THEN
		PERFORM rule_wrong('name: expected small letters, digits, dots and dashes, such as university-resolvers');
	END IF;
	INSERT INTO notify_rule (draft, position, name, whose, organisation, "group", country, prefix, class, type, identifier, source, min_severity,
			suppress, recipients, format, language, template, repeat, note)
		SELECT r.draft, coalesce(max(position), 0) + 10, p ->> 'name', r.whose, r.organisation, r."group", r.country, r.prefix, r.class, r.type,
			r.identifier, r.source, r.min_severity, r.suppress, r.recipients, r.format, r.language, r.template, r.repeat, r.note
		FROM notify_rule WHERE draft = r.draft RETURNING * INTO r;
	r.position := rule_place(r, p ->> 'before', p ->> 'after', true);
	PERFORM rule_check(r, ARRAY(SELECT jsonb_array_elements_text(p -> 'own')));
	RETURN rule_answer(r);
END $$;

CREATE FUNCTION desk_rule_set(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	r notify_rule;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('cirt.notify_rule'));
	IF p ? 'draft' THEN
		PERFORM rule_draft_begin();
	END IF;
	r := rule_filled(rule_named(p ->> 'rule', p ? 'draft'), p);
	r.enabled := CASE WHEN p ? 'disable' THEN false WHEN p ? 'enable' THEN true ELSE r.enabled END;
	UPDATE notify_rule n SET enabled = r.enabled, whose = r.whose, organisation = r.organisation, "group" = r."group", country = r.country,
		prefix = r.prefix, class = r.class, type = r.type, identifier = r.identifier, source = r.source, min_severity = r.min_severity,
		suppress = r.suppress, recipients = r.recipients, format = r.format, language = r.language, template = r.template, repeat = r.repeat,
		note = r.note WHERE n.id = r.id;
	r.position := rule_place(r, p ->> 'before', p ->> 'after', false);
	PERFORM rule_check(r, ARRAY(SELECT jsonb_array_elements_text(p -> 'own')));
	RETURN rule_answer(r);
END $$;

CREATE FUNCTION desk_rule_move(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	IF (p ? 'before') = (p ? 'after') THEN
		PERFORM rule_wrong('--before RULE or --after RULE was expected');
	END IF;
	RETURN desk_rule_set(p);
END $$;

CREATE FUNCTION desk_rule_delete(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	r notify_rule;
	leans text;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('cirt.notify_rule'));
	IF p ? 'draft' THEN
		PERFORM rule_draft_begin();
	END IF;
	r := rule_named(p ->> 'rule', p ? 'draft');
	SELECT string_agg(n.name, ', ' ORDER BY n.position) INTO leans FROM notify_rule n WHERE n.draft = r.draft
		AND EXISTS (SELECT 1 FROM unnest(n.recipients) AS l, unnest(string_to_array(l, '|')) AS w WHERE w = 'as:' || r.name);
	IF leans IS NOT NULL THEN
		RAISE EXCEPTION 'rule % tells whom it tells', leans USING ERRCODE = 'check_violation';
	END IF;
	DELETE FROM notify_rule n WHERE n.id = r.id;
	RETURN json_build_object('name', r.name, 'id', coalesce(r.of, r.id), 'draft', r.draft);
END $$;

-- The draft becomes what holds: rules keep their numbers.
CREATE FUNCTION desk_rule_apply(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	gone int;
	changed int;
	fresh int;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('cirt.notify_rule'));
	IF NOT EXISTS (SELECT 1 FROM notify_rule WHERE draft) THEN
		RAISE EXCEPTION 'there is no draft: it begins with cirt rule new, set, move or delete --draft' USING ERRCODE = 'no_data_found';
	END IF;
	DELETE FROM notify_rule n WHERE NOT n.draft AND NOT EXISTS (SELECT 1 FROM notify_rule d WHERE d.draft AND d.of = n.id);
	GET DIAGNOSTICS gone = ROW_COUNT;
	UPDATE notify_rule n SET position = d.position, name = d.name, enabled = d.enabled, whose = d.whose, organisation = d.organisation,
			"group" = d."group", country = d.country, prefix = d.prefix, class = d.class, type = d.type, identifier = d.identifier, source = d.source,
			min_severity = d.min_severity, suppress = d.suppress, recipients = d.recipients, format = d.format, language = d.language,
			template = d.template, repeat = d.repeat, note = d.note
		FROM notify_rule d WHERE d.draft AND d.of = n.id AND (to_jsonb(n) - 'id' - 'draft' - 'of') <> (to_jsonb(d) - 'id' - 'draft' - 'of');
	GET DIAGNOSTICS changed = ROW_COUNT;
	INSERT INTO notify_rule (position, name, enabled, whose, organisation, "group", country, prefix, class, type, identifier, source, min_severity,
			suppress, recipients, format, language, template, repeat, note)
		SELECT position, name, enabled, whose, organisation, "group", country, prefix, class, type, identifier, source, min_severity, suppress,
			recipients, format, language, template, repeat, note FROM notify_rule WHERE draft AND of IS NULL ORDER BY position;
	GET DIAGNOSTICS fresh = ROW_COUNT;
	DELETE FROM notify_rule WHERE draft;
	RETURN json_build_object('new', fresh, 'changed', changed, 'deleted', gone);
END $$;

CREATE FUNCTION desk_rule_discard(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	n int;
BEGIN
	DELETE FROM notify_rule WHERE draft;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN json_build_object('rules', n);
END $$;

CREATE FUNCTION desk_rule_list(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('items', coalesce(json_agg(rule_json(n) ORDER BY n.position), '[]'),
		'draft', EXISTS (SELECT 1 FROM notify_rule WHERE draft)) FROM notify_rule n WHERE n.draft = (p ? 'draft')
$$;

CREATE FUNCTION desk_rule_show(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT (rule_json(r)::jsonb || jsonb_build_object('reports', (SELECT count(*) FROM warning w WHERE w.rule = r.id
			AND w.report >= report_since(now() - interval '7 days')), 'hides', rule_hides(r)))::json
	FROM rule_named(p ->> 'rule', p ? 'draft') r
$$;

-- Each rule that was passed over and why, up to the one that holds; whom that reaches, and what the gate says.
CREATE FUNCTION desk_rule_why(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := (p ->> 'report')::bigint;
	f record;
	answer json;
BEGIN
	SELECT * INTO f FROM notice_facts(ARRAY[which], now());
	IF f.report IS NULL THEN
		RAISE EXCEPTION 'there is no report %', report_number(which) USING ERRCODE = 'no_data_found';
	END IF;
	WITH tried AS MATERIALIZED (SELECT n.*, notice_misses(n, f.organisation, f.country, f.host, f.type, f.identifier, f.source, f.severity) AS misses
			FROM notify_rule n WHERE n.draft = (p ? 'draft')),
		first AS (SELECT min(position) AS position FROM tried WHERE misses IS NULL)
	SELECT json_build_object('report', report_number(f.report), 'organisation', (SELECT name FROM organisation WHERE id = f.organisation),
		'classification', f.type, 'identifier', f.identifier, 'severity', severity_name(f.severity), 'address', host(f.host), 'country', f.country,
		'tlp', f.of_tlp, 'pap', f.of_pap, 'over', f.over,
		'rules', (SELECT coalesce(json_agg(json_build_object('rule', coalesce(t.of, t.id), 'name', t.name,
			'says', coalesce(t.misses, 'holds: ' || CASE WHEN t.suppress THEN 'suppress' ELSE 'to ' || array_to_string(t.recipients, ', ') END))
			ORDER BY t.position), '[]') FROM tried t, first WHERE first.position IS NULL OR t.position <= first.position),
		'recipients', (SELECT coalesce(json_agg(json_build_object('address', w.address, 'organisation', o.name, 'recipient', w.recipient,
			'outcome', CASE WHEN w.outcome = 'waiting' THEN 'told' ELSE w.outcome::text END, 'why', w.why, 'form', w.form, 'format', w.format,
			'language', w.language, 'repeat_days', extract(epoch FROM w.repeat) / 86400)), '[]')
			FROM notice_plan(ARRAY[which], p ? 'draft', false, now()) w LEFT JOIN organisation o ON o.id = w.organisation),
		'stands', (SELECT json_build_object('outcome', v.outcome, 'why', v.why, 'decided', stamp(v.decided), 'notices', v.notices,
			'first_told', stamp(v.first_told), 'last_told', stamp(v.last_told), 'next', stamp(v.next)) FROM warning v WHERE v.report = which))
		INTO answer;
	RETURN answer;
END $$;

-- What the draft would have done with what came in, beside what holds.
CREATE FUNCTION desk_rule_test(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	since timestamptz := CASE WHEN p ? 'since' THEN (p ->> 'since')::timestamptz
		ELSE now() - CASE coalesce(p ->> 'against', 'last-week') WHEN 'yesterday' THEN interval '1 day' WHEN 'last-week' THEN interval '7 days'
			WHEN 'last-month' THEN interval '30 days' END END;
	ids bigint[];
	answer json;
BEGIN
	IF since IS NULL THEN
		PERFORM rule_wrong('against: expected yesterday, last-week or last-month');
	ELSIF NOT EXISTS (SELECT 1 FROM notify_rule WHERE draft) THEN
		RAISE EXCEPTION 'there is no draft: it begins with cirt rule new, set, move or delete --draft' USING ERRCODE = 'no_data_found';
	END IF;
	ids := ARRAY(SELECT w.report FROM warning w WHERE w.report >= report_since(since) ORDER BY w.report DESC LIMIT 50000);
	WITH live AS MATERIALIZED (SELECT l.report, min(l.rule) AS rule, min(l.affected) AS affected, min(l.outcome) AS outcome,
			string_agg(l.address, ', ' ORDER BY l.address) AS whom, min(l.repeat) AS repeat,
			string_agg(DISTINCT concat_ws(' ', l.language, l.format, l.form, l.template), ',') AS how
			FROM notice_plan(ids, false, false, now()) l GROUP BY l.report),
		would AS MATERIALIZED (SELECT l.report, min(l.rule) AS rule, min(l.outcome) AS outcome, string_agg(l.address, ', ' ORDER BY l.address) AS whom,
			min(l.repeat) AS repeat, string_agg(DISTINCT concat_ws(' ', l.language, l.format, l.form, l.template), ',') AS how
			FROM notice_plan(ids, true, false, now()) l GROUP BY l.report),
		both_ AS (SELECT a.report, a.affected, a.rule AS was_rule, b.rule AS now_rule, a.outcome AS was, b.outcome AS will, a.whom AS was_whom,
			b.whom AS now_whom, (a.outcome, a.whom, a.how, a.repeat) IS DISTINCT FROM (b.outcome, b.whom, b.how, b.repeat) AS differs
			FROM live a JOIN would b ON b.report = a.report),
		moved AS (SELECT was_rule, now_rule, was, will, count(*) AS n, count(DISTINCT affected) AS organisations, min(report) AS sample,
			min(was_whom) AS was_whom, min(now_whom) AS now_whom FROM both_ WHERE differs GROUP BY was_rule, now_rule, was, will)
	SELECT json_build_object('since', stamp(since), 'reports', cardinality(ids), 'all', cardinality(ids) < 50000,
		'changed', (SELECT coalesce(sum(n), 0) FROM moved),
		'told_before', (SELECT count(*) FROM both_ WHERE was_whom IS NOT NULL), 'told_after', (SELECT count(*) FROM both_ WHERE now_whom IS NOT NULL),
		'items', (SELECT coalesce(json_agg(json_build_object('reports', m.n, 'organisations', m.organisations,
			'was_rule', (SELECT name FROM notify_rule WHERE id = m.was_rule), 'was', m.was, 'was_to', m.was_whom,
			'now_rule', (SELECT name FROM notify_rule WHERE id = m.now_rule), 'now', m.will, 'now_to', m.now_whom,
			'example', report_number(m.sample)) ORDER BY m.n DESC), '[]') FROM moved m)) INTO answer;
	RETURN answer;
END $$;

REVOKE ALL ON FUNCTION rule_wrong, rule_named, rule_json, rule_covers, rule_hidden_by, rule_check_recipient, rule_check, rule_hides,
	rule_draft_begin, rule_place, rule_severity, rule_filled, rule_answer, desk_rule_new, desk_rule_set, desk_rule_move, desk_rule_delete,
	desk_rule_apply, desk_rule_discard, desk_rule_list, desk_rule_show, desk_rule_why, desk_rule_test FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rule_wrong, rule_named, rule_json, rule_covers, rule_hidden_by, rule_check_recipient, rule_check, rule_hides,
	rule_draft_begin, rule_place, rule_severity, rule_filled, rule_answer, desk_rule_new, desk_rule_set, desk_rule_move, desk_rule_delete,
	desk_rule_apply, desk_rule_discard, desk_rule_list, desk_rule_show, desk_rule_why, desk_rule_test TO cirt_desk;
