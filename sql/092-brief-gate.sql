-- A brief says only what its reader may have: the label is not all that is asked, as with mails.
SET LOCAL search_path = cirt, pg_temp;

ALTER FUNCTION desk_case_brief(jsonb) RENAME TO brief_made;

-- What a page says that only a report told whose source has not let it out to that reader; for nobody by name: below that report's TLP.
-- NULL: nothing.
CREATE FUNCTION brief_leaks(c cases, page text, label tlp, form disclosure_form, reader text) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	w record;
	kind recipient_kind := 'provider';
	address text := '';
	spare text[] := '{}';
BEGIN
	IF reader IS NOT NULL THEN
		SELECT * INTO w FROM mail_whom(c, reader);
		kind := mail_recipient(c, (w.to_party).role::text, w.organisation);
		address := w.address;
		spare := ARRAY(SELECT d.domain FROM organisation_domain d WHERE d.organisation = w.organisation AND d.valid @> now())
			|| coalesce(ARRAY[substring(lower(w.address) FROM '@(.+)$'), lower(w.address)], '{}');
	END IF;
	RETURN (SELECT min(format('it says %s, which report %s (%s, %s) alone told: cirt tlp ask %s', t.value, report_number(t.report), s.name,
			upper(r.tlp::text), report_number(t.report)))
		FROM mail_tells(c.id, page, kind, address, form, array_remove(spare, NULL)) t JOIN report r ON r.id = t.report JOIN source s ON s.id = r.source
		WHERE NOT t.lets AND (reader IS NOT NULL OR r.tlp > label));
END $$;

-- {number, for, lang, tlp}
CREATE FUNCTION desk_case_brief(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	made json := brief_made(p);
	leak text := brief_leaks(case_reached(p ->> 'number', p), made ->> 'text', (made ->> 'tlp')::tlp, (made ->> 'form')::disclosure_form, p ->> 'for');
BEGIN
	IF leak IS NOT NULL THEN
		RAISE EXCEPTION 'this must not be told to %: %', coalesce(p ->> 'for', 'whoever may have TLP:' || upper(made ->> 'tlp')), leak
			USING ERRCODE = 'insufficient_privilege';
	END IF;
	RETURN made;
END $$;

REVOKE ALL ON FUNCTION brief_leaks, desk_case_brief FROM PUBLIC;
GRANT EXECUTE ON FUNCTION brief_leaks, desk_case_brief TO cirt_desk;
