-- Complaints of foreign networks go to no mailbox of ours either; a source that has yet to answer is not asked again.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION abuse_line(said text, email text) RETURNS SETOF cidr LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF coalesce(email, '') !~ '^[^@\s<>,;:"\\[:cntrl:]]+@[^@\s<>,;:"\\[:cntrl:]]+$' THEN
		PERFORM wrong(format('"%s" is no mail address', left(email, 100)));
	ELSIF address_is_ours(email, ARRAY(SELECT jsonb_array_elements_text(coalesce(nullif(current_setting('cirt.own', true), ''), '[]')::jsonb))) THEN
		PERFORM wrong(format('%s is a mailbox of ours: each notice would come back as a report', email));
	ELSIF said !~ '-' THEN
		RETURN NEXT said_prefix(said);
	ELSIF registry_range(said) THEN
		RETURN QUERY SELECT range_prefixes(address_of(btrim(split_part(said, '-', 1))), address_of(btrim(split_part(said, '-', 2))));
	END IF;
END $$;

-- What else is said with a contact is said in cirt.own for all rows of a file.
ALTER FUNCTION registry_apply(uuid, jsonb) RENAME TO registry_put;
CREATE FUNCTION registry_apply(of_import uuid, f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM set_config('cirt.own', coalesce(f ->> 'own', ''), true);
	RETURN registry_put(of_import, f);
END $$;
REVOKE ALL ON FUNCTION registry_apply FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registry_apply TO cirt_desk;

CREATE OR REPLACE FUNCTION desk_tlp_ask(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	fresh bigint;
	asked json;
BEGIN
	fresh := release_ask((p ->> 'report')::bigint, p ->> 'to', coalesce(p ->> 'note', ''), p ? 'phone', p ->> 'domain');
	RETURN (SELECT release_json(q) FROM release q WHERE q.id = fresh);
EXCEPTION WHEN unique_violation THEN
	SELECT release_json(q) INTO asked FROM release q WHERE q.report = (p ->> 'report')::bigint AND q.granted IS NULL ORDER BY q.id LIMIT 1;
	RAISE EXCEPTION '% has been asked already (%) and has yet to answer. What it says: cirt tlp grant, cirt tlp refuse',
		coalesce(asked ->> 'source', 'its source'), coalesce(asked ->> 'number', 'by phone') USING ERRCODE = 'check_violation';
END $$;
