-- Who is known to a case by the contacts of its organisations, since these have no column of their own for that any more.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION letter_known(which bigint, address text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT id FROM cases WHERE id = which OR merged_into = which);
	behind text := substring(address FROM '@(.+)$');
BEGIN
	IF coalesce(address, '') = '' OR behind IS NULL THEN
		RETURN false;
	END IF;
	RETURN EXISTS (SELECT 1 FROM party p WHERE p.case_id = ANY (ids)
			AND (address = ANY (regexp_split_to_array(lower(p.contact), '[\s,;<>()]+'))
				OR EXISTS (SELECT 1 FROM contact k WHERE k.organisation = p.organisation AND lower(k.email) = address AND k.valid @> now())
				OR EXISTS (SELECT 1 FROM organisation_domain d WHERE d.organisation = p.organisation AND d.valid @> now()
					AND (behind = d.domain OR behind LIKE '%.' || replace(replace(d.domain, '\', '\\'), '_', '\_')))))
		OR EXISTS (SELECT 1 FROM (SELECT mail FROM letter WHERE sender = address ORDER BY mail DESC LIMIT 1000) l
			JOIN case_report r ON r.report = l.mail AND r.case_id = ANY (ids) AND r.ended IS NULL)
		OR EXISTS (SELECT 1 FROM case_letter c WHERE c.case_id = ANY (ids) AND c.sender = address AND (c.known OR c.way = 'address'));
END $$;

CREATE OR REPLACE FUNCTION wait_answered(w case_wait, sender text) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH said AS (SELECT lower(w.whom || ' ' || coalesce(p.contact, '')) AS text, p.organisation
			FROM (SELECT) one LEFT JOIN party p ON p.id = w.party),
		known AS (SELECT a AS address FROM said, regexp_split_to_table(said.text, '[\s,;<>()]+') AS a WHERE a LIKE '%_@_%'
			UNION ALL SELECT lower(k.email) FROM said JOIN contact k ON k.organisation = said.organisation WHERE k.email <> ''
			UNION ALL SELECT '@' || d.domain FROM said JOIN organisation_domain d ON d.organisation = said.organisation AND d.valid @> now())
	SELECT NOT EXISTS (SELECT FROM known) OR EXISTS (SELECT FROM known k WHERE sender = k.address
		OR k.address LIKE '@%' AND (sender LIKE '%' || k.address OR sender LIKE '%.' || substr(k.address, 2)))
$$;
