-- Two people too for what takes TLP:RED out of the house, and for giving up a key.
SET LOCAL search_path = cirt, pg_temp;

INSERT INTO approval_kind (kind, meaning, role) VALUES
	('evidence-export', 'evidence of TLP:RED leaves as a folder', 'analyst'),
	('key-remove', 'a key is given up: what is sealed to it is read by nobody any more', 'lead');

-- For what is done outside of the database: NULL where it may be done now, because somebody else let it go within the day, or the glass is
-- broken; else what is answered to who asked first. p: what the desk was asked.
CREATE FUNCTION approval_first(of_kind text, object text, what text, p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a approval;
	fresh bigint;
BEGIN
	IF p ? 'break_glass' THEN
		PERFORM approval_break_glass(of_kind, object, what, '{}', p ->> 'break_glass');
		RETURN NULL;
	ELSIF approval_given(of_kind, object) THEN
		RETURN NULL;
	END IF;
	fresh := approval_ask(of_kind, object, what, '{}', coalesce(p ->> 'reason', ''));
	SELECT * INTO a FROM approval WHERE id = fresh;
	RETURN json_build_object('approval', approval_json(a), 'waits', true, 'again', true);
END $$;

-- Does a case hold what is TLP:RED, whatever is said of the case itself?
CREATE FUNCTION case_has_red(which bigint) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT EXISTS (SELECT FROM cases c WHERE c.id = which AND c.tlp = 'red')
		OR EXISTS (SELECT FROM case_report r JOIN report t ON t.id = r.report WHERE r.case_id = which AND r.ended IS NULL AND t.tlp = 'red')
		OR EXISTS (SELECT FROM case_letter l JOIN item i ON i.id = l.item WHERE l.case_id = which AND i.tlp = 'red')
$$;

-- {case, reason, break_glass}. It is tried first, and taken back, so that nobody is asked about what cannot be done.
ALTER FUNCTION desk_evidence_export(jsonb) RENAME TO evidence_exported;
CREATE FUNCTION desk_evidence_export(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	first json;
BEGIN
	SELECT * INTO c FROM cases WHERE id = case_seen(p ->> 'case', p);
	IF case_has_red(c.id) THEN
		BEGIN
			PERFORM evidence_exported(p);
			RAISE EXCEPTION USING ERRCODE = 'CW001';
		EXCEPTION WHEN SQLSTATE 'CW001' THEN
			NULL;
		END;
		first := approval_first('evidence-export', 'case/' || c.number, format('take the evidence of %s out: TLP:RED', c.number), p);
		IF first IS NOT NULL THEN
			RETURN first;
		END IF;
	END IF;
	RETURN evidence_exported(p);
END $$;

-- {key, reason, break_glass}: {} where the key may go now.
CREATE FUNCTION desk_key_remove(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	key text := upper(regexp_replace(p ->> 'key', '\s', '', 'g'));
BEGIN
	IF key !~ '^[0-9A-F]{16,128}$' THEN
		RAISE EXCEPTION 'key: expected its whole fingerprint: cirt key list' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN coalesce(approval_first('key-remove', 'key/' || key, 'give up the key ' || key, p), '{}');
END $$;

REVOKE ALL ON FUNCTION approval_first, case_has_red, desk_evidence_export, desk_key_remove FROM PUBLIC;
GRANT EXECUTE ON FUNCTION approval_first, case_has_red, desk_evidence_export, desk_key_remove TO cirt_desk;
