-- A rule tells nobody at an address of ours, whatever stands behind its plus.
SET LOCAL search_path = cirt, pg_temp;

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
		ELSIF EXISTS (SELECT 1 FROM source s, unnest(string_to_array(lower(s.match), ' ')) AS m, unnest(own) AS d
				WHERE s.kind = 'mailbox' AND m <> '' AND (lower(regexp_replace(which, '\+[^@]*@', '@')) IN (m, m || lower(d))))
			OR EXISTS (SELECT 1 FROM unnest(own) AS d WHERE lower(which) ~ '^(case|bounce)([+-]|@)' AND split_part(lower(which), '@', 2) = lower(d)) THEN
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
