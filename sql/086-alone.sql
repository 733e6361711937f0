-- Mails of notices that two people have to let go, by one who is alone; what waits for a second person, for the day.
SET LOCAL search_path = cirt, pg_temp;

-- Let these go now, for which one more person had to say yes; the lead is alarmed. p: what the desk was asked.
CREATE FUNCTION outbox_break_glass(ids bigint[], object text, what text, p jsonb) RETURNS bigint LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	approval_id bigint := approval_break_glass('mail', object, what, jsonb_build_object('outbox', to_jsonb(ids)), p ->> 'break_glass');
BEGIN
	UPDATE outbox x SET approved_by = x.approved_by || CASE WHEN actor() = ANY (x.approved_by) THEN ARRAY['break-glass'] ELSE ARRAY[actor(), 'break-glass'] END
		WHERE x.id = ANY (ids);
	FOR o IN UPDATE outbox x SET state = 'queued', why = '', waits_for = '', released_by = actor(), next_try = now()
			WHERE x.id = ANY (ids) AND x.state IN ('held', 'bundling', 'ready') AND cardinality(x.approved_by) >= x.approvals RETURNING * LOOP
		PERFORM notice_journal(o, 'let go alone', p ->> 'break_glass');
	END LOOP;
	RETURN approval_id;
END $$;

ALTER FUNCTION desk_notice_approve(jsonb) RENAME TO notice_approve_asked;
CREATE FUNCTION desk_notice_approve(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
BEGIN
	IF NOT p ? 'break_glass' THEN
		RETURN notice_approve_asked(p);
	END IF;
	o := notice_named(p ->> 'notice');
	SELECT * INTO o FROM outbox x WHERE x.id = o.id FOR UPDATE;
	IF o.approvals = 0 OR o.state NOT IN ('held', 'bundling', 'ready') THEN
		RAISE EXCEPTION '% is %, and waits for nobody''s word', o.number, o.state USING ERRCODE = 'check_violation';
	END IF;
	PERFORM outbox_break_glass(ARRAY[o.id], 'outbox/' || o.number, format('the mail %s to %s', o.number, o.address), p);
	RETURN notice_json(notice_named(p ->> 'notice'));
END $$;

-- Many at once, alone: as asked for, and what then waits for a second person goes too.
ALTER FUNCTION desk_notice_send(jsonb) RENAME TO notice_send_asked;
CREATE FUNCTION desk_notice_send(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	answer jsonb := notice_send_asked(p - 'break_glass');
	ids bigint[];
BEGIN
	IF NOT p ? 'break_glass' OR coalesce((answer ->> 'waiting')::bigint, 0) = 0 THEN
		RETURN answer;
	END IF;
	ids := ARRAY(SELECT x.id FROM outbox x WHERE x.state = 'held' AND x.waits_for = 'approval' AND x.approvals > cardinality(x.approved_by)
		AND actor() = ANY (x.approved_by) AND (p ? 'all' OR x.number IN (SELECT (notice_named(n)).number FROM jsonb_array_elements_text(p -> 'notice') AS n))
		ORDER BY x.id);
	PERFORM outbox_break_glass(ids, 'outbox/mass', cardinality(ids) || ' mails at once', p);
	RETURN answer || jsonb_build_object('mails', (answer ->> 'mails')::bigint + cardinality(ids), 'waiting', 0);
END $$;

-- For `cirt today`: what waits, and for how long already.
CREATE FUNCTION approvals_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('asked', count(*) FILTER (WHERE a.state = 'asked'), 'countersign', count(*) FILTER (WHERE a.state = 'countersign'),
		'late', count(*) FILTER (WHERE a.late), 'own', count(*) FILTER (WHERE a.asked_by = p ->> 'operator'), 'first', min(a.id)::text,
		'mails', (SELECT count(*) FROM (SELECT FROM outbox o WHERE o.state = 'held' AND o.approvals > cardinality(o.approved_by) LIMIT 1000) m))
	FROM (SELECT * FROM approval t WHERE t.state IN ('asked', 'countersign') AND approval_visible(t.object, p) LIMIT 1000) a
$$;

REVOKE ALL ON FUNCTION outbox_break_glass, desk_notice_approve, desk_notice_send, approvals_today FROM PUBLIC;
GRANT EXECUTE ON FUNCTION outbox_break_glass, desk_notice_approve, desk_notice_send, approvals_today TO cirt_desk;
