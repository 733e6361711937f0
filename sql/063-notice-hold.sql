-- One of many mails that wait for a second person can be held by itself, and what is refused is named.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION desk_notice_hold(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	was outbox := notice_named(p ->> 'notice');
	o outbox;
BEGIN
	UPDATE outbox x SET state = 'held', waits_for = CASE x.waits_for WHEN 'approval' THEN 'approval' ELSE 'operator' END, mass = false,
			why = left('held by ' || actor() || coalesce(': ' || (p ->> 'reason'), ''), 1000)
		WHERE x.id = was.id AND (x.state IN ('bundling', 'ready', 'queued') OR x.mass) AND x.bytes IS NULL RETURNING * INTO o;
	IF o.id IS NULL THEN
		RAISE EXCEPTION '% is %', was.number, was.state USING ERRCODE = 'check_violation';
	END IF;
	PERFORM notice_journal(o, 'held', p ->> 'reason');
	RETURN notice_json(o);
END $$;

CREATE OR REPLACE FUNCTION desk_notice_cancel(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	was outbox := notice_named(p ->> 'notice');
	o outbox;
BEGIN
	UPDATE outbox x SET state = 'cancelled', waits_for = '', why = left('cancelled by ' || actor() || coalesce(': ' || (p ->> 'reason'), ''), 1000)
		WHERE x.id = was.id AND x.state IN ('bundling', 'held', 'ready', 'failed') AND (x.bytes IS NULL OR x.state = 'failed') RETURNING * INTO o;
	IF o.id IS NULL THEN
		RAISE EXCEPTION '% is %: what is on its way or out is not taken back', was.number, was.state USING ERRCODE = 'check_violation';
	END IF;
	PERFORM notice_journal(o, 'cancelled', p ->> 'reason');
	RETURN notice_json(o);
END $$;
