-- What operators do with questions to sources.
SET LOCAL search_path = cirt, pg_temp;

CREATE FUNCTION release_json(q release) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('report', report_number(q.report), 'source', s.name, 'tlp', r.tlp, 'asked', stamp(q.asked), 'by', q.asked_by,
		'to', coalesce(o.address, 'by phone'), 'number', o.number, 'sent', stamp(o.sent), 'bounced', stamp(o.bounced),
		'state', CASE WHEN q.granted = 'none' THEN 'refused' WHEN q.granted IS NOT NULL THEN 'granted' WHEN o.answered IS NOT NULL THEN 'answered'
			WHEN o.bounced IS NOT NULL THEN 'came back' ELSE 'asked' END,
		'form', CASE WHEN q.granted <> 'none' THEN q.granted END,
		'mail', report_number(coalesce(q.answer, o.answer)), 'written_by', q.answered_by, 'answered', stamp(coalesce(q.answered, o.answered)),
		'note', nullif(q.note, ''))
	FROM source s LEFT JOIN report r ON r.id = q.report LEFT JOIN outbox o ON o.id = q.outbox WHERE s.id = q.source
$$;

CREATE FUNCTION desk_tlp_ask(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	fresh bigint := release_ask((p ->> 'report')::bigint, p ->> 'to', coalesce(p ->> 'note', ''), p ? 'phone', p ->> 'domain');
BEGIN
	RETURN (SELECT release_json(q) FROM release q WHERE q.id = fresh);
END $$;

-- The open ones, the oldest first; all: every one, the newest first.
CREATE FUNCTION desk_tlp_list(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH rows AS (SELECT q.id, release_json(q) AS line FROM release q
		WHERE CASE WHEN p ? 'all' THEN q.id < coalesce((p ->> 'cursor')::bigint, 9223372036854775807)
			ELSE q.granted IS NULL AND q.id > coalesce(nullif((p ->> 'cursor')::bigint, 9223372036854775807), 0) END
		ORDER BY CASE WHEN p ? 'all' THEN -q.id ELSE q.id END LIMIT coalesce((p ->> 'limit')::int, 50) + 1),
	page AS (SELECT * FROM rows ORDER BY CASE WHEN p ? 'all' THEN -id ELSE id END LIMIT coalesce((p ->> 'limit')::int, 50))
	SELECT json_build_object('items', (SELECT coalesce(json_agg(line ORDER BY CASE WHEN p ? 'all' THEN -id ELSE id END), '[]') FROM page),
		'next', CASE WHEN (SELECT count(*) FROM rows) > (SELECT count(*) FROM page) THEN
			(SELECT CASE WHEN p ? 'all' THEN min(id) ELSE max(id) END::text FROM page) END)
$$;

CREATE FUNCTION tlp_answer(p jsonb, answer_is release_kind) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	mail text[] := regexp_match(p ->> 'evidence', '^([0-9]{6})-([0-9]{1,10})$');
	which bigint;
BEGIN
	IF p ? 'evidence' AND mail IS NULL THEN
		RAISE EXCEPTION 'evidence: a mail''s id reads as 202611-123' USING ERRCODE = 'check_violation';
	END IF;
	which := release_answer((p ->> 'report')::bigint, answer_is, mail[1]::bigint * 10000000000 + mail[2]::bigint, coalesce(p ->> 'note', ''));
	RETURN (SELECT release_json(q) FROM release q WHERE q.id = which);
END $$;

CREATE FUNCTION desk_tlp_grant(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	IF coalesce(p ->> 'form', '') NOT IN ('full', 'sanitised') THEN
		RAISE EXCEPTION 'form: expected full or sanitised, as the source has said' USING ERRCODE = 'check_violation';
	END IF;
	RETURN tlp_answer(p, (p ->> 'form')::release_kind);
END $$;

CREATE FUNCTION desk_tlp_refuse(p jsonb) RETURNS json LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	SELECT tlp_answer(p, 'none')
$$;

REVOKE ALL ON FUNCTION release_json, desk_tlp_ask, desk_tlp_list, tlp_answer, desk_tlp_grant, desk_tlp_refuse FROM PUBLIC;
GRANT EXECUTE ON FUNCTION release_json, desk_tlp_ask, desk_tlp_list, tlp_answer, desk_tlp_grant, desk_tlp_refuse TO cirt_desk;
