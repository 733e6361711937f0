-- What operators do with notices. Each takes what was asked as JSON and answers in JSON.
SET LOCAL search_path = cirt, pg_temp;

-- 'N2026-000123'; '2026-123' and '123' are understood, the latter as the newest of this year and the last.
CREATE FUNCTION notice_named(named text) RETURNS outbox LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	parts text[] := regexp_match(upper(named), '^(?:N?(\d{4})-|N)?(\d{1,9})$');
	y int := extract(year FROM timezone('UTC', now()));
	o outbox;
BEGIN
	IF parts IS NULL THEN
		PERFORM rule_wrong(format('a notice''s number reads as N2026-000123, not "%s"', left(named, 60)));
	END IF;
	SELECT * INTO o FROM outbox x WHERE x.number = ANY (SELECT 'N' || z || '-' || lpad(parts[2], greatest(6, length(parts[2])), '0')
		FROM unnest(CASE WHEN parts[1] IS NULL THEN ARRAY[y, y - 1] ELSE ARRAY[parts[1]::int] END) AS z) ORDER BY x.id DESC LIMIT 1;
	IF o.id IS NULL THEN
		RAISE EXCEPTION 'there is no notice %', named USING ERRCODE = 'no_data_found';
	END IF;
	RETURN o;
END $$;

CREATE FUNCTION notice_json(o outbox) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('number', o.number, 'kind', o.kind, 'state', o.state, 'why', o.why, 'waits_for', nullif(o.waits_for, ''),
		'organisation', g.name, 'to', o.address, 'recipient', o.recipient, 'language', o.language, 'format', o.format, 'form', o.form,
		'tlp', o.tlp, 'exercise', nullif(e.name, ''), 'rows', (SELECT count(*) FROM disclosure d WHERE d.outbox = o.id AND d.left_out IS NULL),
		'created', stamp(o.created), 'due', stamp(o.due), 'sent', stamp(o.sent), 'bounced', stamp(o.bounced), 'answered', stamp(o.answered),
		'approved_by', o.approved_by, 'approvals', nullif(o.approvals, 0),
		'key', CASE WHEN o.sealed <> '' THEN o.sealed WHEN c.policy = 'never' THEN 'in the clear' WHEN contact_has_key(c, now()) THEN 'encrypted'
			WHEN c.policy = 'required' THEN 'NO VALID KEY' ELSE 'in the clear' END)
	FROM (SELECT) one LEFT JOIN organisation g ON g.id = o.organisation LEFT JOIN contact c ON c.id = o.contact
		LEFT JOIN exercise e ON e.id = o.exercise
$$;

CREATE FUNCTION desk_notice_list(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH rows AS (SELECT o.id, notice_json(o) AS line FROM outbox o LEFT JOIN organisation g ON g.id = o.organisation
		WHERE o.id < coalesce((p ->> 'cursor')::bigint, 9223372036854775807) AND o.kind IN ('notice', 'one-shot', 'key-waits')
			AND CASE WHEN p ? 'state' THEN o.state = (p ->> 'state')::outbox_state WHEN p ? 'all' THEN true
				ELSE o.state <> 'cancelled' END
			AND (NOT p ? 'org' OR g.name = p ->> 'org') AND (NOT p ? 'since' OR o.created >= (p ->> 'since')::timestamptz)
		ORDER BY o.id DESC LIMIT coalesce((p ->> 'limit')::int, 50) + 1),
	page AS (SELECT * FROM rows ORDER BY id DESC LIMIT coalesce((p ->> 'limit')::int, 50))
	SELECT json_build_object('items', (SELECT coalesce(json_agg(line ORDER BY id DESC), '[]') FROM page),
		'next', CASE WHEN (SELECT count(*) FROM rows) > (SELECT count(*) FROM page) THEN (SELECT min(id)::text FROM page) END)
$$;

CREATE FUNCTION desk_notice_show(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT (notice_json(o) || jsonb_build_object('message_id', o.message_id, 'attempts', o.attempts, 'reply', o.reply, 'bounce', o.bounce,
		'items', (SELECT coalesce(jsonb_agg(jsonb_build_object('report', d.content ->> 'report', 'cause', d.cause, 'what',
				concat_ws('/', d.content ->> 'classification', nullif(d.content ->> 'identifier', '')), 'address',
				coalesce(nullif(d.content ->> 'ip', ''), d.content ->> 'name'), 'severity', d.content ->> 'severity', 'last', d.content ->> 'last',
				'rule', coalesce((SELECT name FROM notify_rule r WHERE r.id = d.rule), d.rule::text), 'left_out', d.left_out) ORDER BY d.id), '[]')
			FROM (SELECT * FROM disclosure x WHERE x.outbox = o.id ORDER BY x.id LIMIT coalesce((p ->> 'limit')::int, 50)) d)))::json
	FROM notice_named(p ->> 'notice') o
$$;

-- All that is about to go, and all that is not.
CREATE FUNCTION desk_notice_preview(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH open AS MATERIALIZED (SELECT o.*, n.* FROM outbox o, LATERAL (SELECT count(*) AS rows, count(*) FILTER (WHERE d.cause = 'new') AS fresh,
			count(*) FILTER (WHERE d.cause = 'relapse') AS relapse, count(*) FILTER (WHERE d.cause = 'repeat'
				AND w.repeat <= interval '7 days') AS again_7, count(*) FILTER (WHERE d.cause = 'repeat' AND w.repeat > interval '7 days') AS again_30
			FROM disclosure d LEFT JOIN warning w ON w.report = d.report WHERE d.outbox = o.id) n
		WHERE o.state IN ('bundling', 'held', 'ready') AND o.kind IN ('notice', 'one-shot')),
	go AS (SELECT * FROM open WHERE state <> 'held'),
	since AS (SELECT coalesce((p ->> 'since')::timestamptz, now() - interval '1 day') AS at)
	SELECT json_build_object(
		'rows', (SELECT coalesce(sum(rows), 0) FROM go), 'mails', (SELECT count(*) FROM go),
		'organisations', (SELECT count(DISTINCT organisation) FROM go), 'new', (SELECT coalesce(sum(fresh), 0) FROM go),
		'relapse', (SELECT coalesce(sum(relapse), 0) FROM go), 'repeat_7', (SELECT coalesce(sum(again_7), 0) FROM go),
		'repeat_30', (SELECT coalesce(sum(again_30), 0) FROM go),
		'pending', (SELECT coalesce(sum(cardinality(reports)), 0) FROM notice_arrival),
		'held_mails', (SELECT coalesce(json_agg(json_build_object('number', number, 'to', address, 'rows', rows, 'why', why) ORDER BY id), '[]')
			FROM (SELECT * FROM open WHERE state = 'held' ORDER BY id LIMIT 20) h),
		'not_told', (SELECT coalesce(json_object_agg(outcome, n), '{}') FROM (SELECT w.outcome, count(*) AS n FROM warning w, since
			WHERE w.outcome NOT IN ('told', 'waiting') AND w.decided >= since.at GROUP BY w.outcome) x),
		'foreign_rows', (SELECT coalesce(sum(rows), 0) FROM go WHERE recipient IN ('foreign', 'provider')),
		'foreign_mails', (SELECT count(*) FROM go WHERE recipient IN ('foreign', 'provider')),
		'rules', (SELECT coalesce(json_agg(json_build_object('rule', r.name, 'id', r.id, 'hid', x.n) ORDER BY x.n DESC), '[]') FROM (SELECT w.rule, count(*) AS n
			FROM warning w, since WHERE w.outcome = 'suppressed' AND w.decided >= since.at GROUP BY w.rule) x JOIN notify_rule r ON r.id = x.rule),
		'items', (SELECT coalesce(json_agg(json_build_object('number', b.number, 'organisation', coalesce(g.name, b.address), 'rows', b.rows, 'format',
				b.format, 'form', b.form, 'tlp', b.tlp, 'to', b.address, 'state', b.state) ORDER BY b.rows DESC, b.id), '[]')
			FROM (SELECT * FROM go ORDER BY rows DESC, id LIMIT coalesce((p ->> 'limit')::int, 10)) b LEFT JOIN organisation g ON g.id = b.organisation))
$$;

CREATE FUNCTION notice_journal(o outbox, did text, why text) RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	SELECT journal_add('outbox/' || o.number, did, NULL, jsonb_strip_nulls(jsonb_build_object('to', o.address, 'state', o.state,
		'reason', nullif(why, ''), 'approved_by', CASE WHEN o.approvals > 0 THEN to_jsonb(o.approved_by) END))::text)
$$;

CREATE FUNCTION desk_notice_hold(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox := notice_named(p ->> 'notice');
BEGIN
	UPDATE outbox x SET state = 'held', waits_for = CASE x.waits_for WHEN 'approval' THEN 'approval' ELSE 'operator' END,
			why = left('held by ' || actor() || coalesce(': ' || (p ->> 'reason'), ''), 1000)
		WHERE x.id = o.id AND x.state IN ('bundling', 'ready', 'queued') AND x.bytes IS NULL RETURNING * INTO o;
	IF NOT FOUND THEN
		RAISE EXCEPTION '% is %', o.number, o.state USING ERRCODE = 'check_violation';
	END IF;
	PERFORM notice_journal(o, 'held', p ->> 'reason');
	RETURN notice_json(o);
END $$;

CREATE FUNCTION desk_notice_cancel(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox := notice_named(p ->> 'notice');
BEGIN
	UPDATE outbox x SET state = 'cancelled', waits_for = '', why = left('cancelled by ' || actor() || coalesce(': ' || (p ->> 'reason'), ''), 1000)
		WHERE x.id = o.id AND x.state IN ('bundling', 'held', 'ready', 'failed') AND (x.bytes IS NULL OR x.state = 'failed') RETURNING * INTO o;
	IF NOT FOUND THEN
		RAISE EXCEPTION '% is %: what is on its way or out is not taken back', o.number, o.state USING ERRCODE = 'check_violation';
	END IF;
	PERFORM notice_journal(o, 'cancelled', p ->> 'reason');
	RETURN notice_json(o);
END $$;

-- These mails, or all that are ready or still gather. More than `mass` of them want a second person, who says the same again.
CREATE FUNCTION desk_notice_send(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[];
	wrong outbox;
	sent int := 0;
	waiting int := 0;
	rows bigint;
	o outbox;
BEGIN
	IF (p ? 'all') = (jsonb_typeof(p -> 'notice') = 'array') THEN
		PERFORM rule_wrong('numbers of notices, or --all, were expected');
	ELSIF p ? 'all' THEN
		ids := ARRAY(SELECT x.id FROM outbox x WHERE x.kind IN ('notice', 'one-shot') AND (x.state IN ('bundling', 'ready')
			OR (x.state = 'held' AND x.waits_for = 'approval' AND x.why LIKE '% mails at once%')) AND x.approvals <= CASE x.state WHEN 'held' THEN 2 ELSE 0 END
			ORDER BY x.id FOR UPDATE);
	ELSE
		ids := ARRAY(SELECT (notice_named(n)).id FROM jsonb_array_elements_text(p -> 'notice') AS n);
		PERFORM 1 FROM outbox x WHERE x.id = ANY (ids) ORDER BY x.id FOR UPDATE;
		SELECT * INTO wrong FROM outbox x WHERE x.id = ANY (ids) AND (x.state NOT IN ('bundling', 'held', 'ready', 'failed')
			OR (x.state = 'failed' AND x.bytes IS NOT NULL)) LIMIT 1;
		IF wrong.id IS NOT NULL THEN
			RAISE EXCEPTION '% is %', wrong.number, wrong.state USING ERRCODE = 'check_violation';
		END IF;
		SELECT * INTO wrong FROM outbox x WHERE x.id = ANY (ids) AND x.approvals > cardinality(x.approved_by)
			AND NOT x.why LIKE '% mails at once%' LIMIT 1;
		IF wrong.id IS NOT NULL THEN
			RAISE EXCEPTION 'two people have to let % go: cirt notice approve %', wrong.number, wrong.number USING ERRCODE = 'check_violation';
		END IF;
	END IF;
	IF cardinality(ids) > (p ->> 'mass')::int THEN
		UPDATE outbox x SET approvals = 2, why = cardinality(ids) || ' mails at once: two people have to let them go', state = 'held',
			waits_for = 'approval' WHERE x.id = ANY (ids) AND NOT (x.state = 'held' AND x.why LIKE '% mails at once%');
	END IF;
	UPDATE outbox x SET approved_by = x.approved_by || actor() WHERE x.id = ANY (ids) AND x.approvals > cardinality(x.approved_by)
		AND actor() <> ALL (x.approved_by);
	FOR o IN UPDATE outbox x SET state = 'queued', why = '', waits_for = '', released_by = actor(), next_try = now()
			WHERE x.id = ANY (ids) AND x.approvals <= cardinality(x.approved_by) RETURNING * LOOP
		PERFORM notice_journal(o, 'let go', NULL);
		sent := sent + 1;
	END LOOP;
	waiting := cardinality(ids) - sent;
	SELECT count(*) INTO rows FROM disclosure d WHERE d.outbox = ANY (ids);
	IF waiting > 0 THEN
		PERFORM journal_add('outbox/mass', 'approved', NULL, json_build_object('mails', waiting, 'by', actor())::text);
	END IF;
	RETURN json_build_object('mails', sent, 'rows', rows, 'waiting', waiting, 'numbers', (SELECT coalesce(json_agg(x.number ORDER BY x.id), '[]')
		FROM (SELECT y.* FROM outbox y WHERE y.id = ANY (ids) ORDER BY y.id LIMIT 20) x));
END $$;

-- One of two people. The second lets it go.
CREATE FUNCTION desk_notice_approve(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox := notice_named(p ->> 'notice');
BEGIN
	SELECT * INTO o FROM outbox x WHERE x.id = o.id FOR UPDATE;
	IF o.approvals = 0 OR o.state NOT IN ('held', 'bundling', 'ready') THEN
		RAISE EXCEPTION '% is %, and waits for nobody''s word', o.number, o.state USING ERRCODE = 'check_violation';
	ELSIF actor() = ANY (o.approved_by) THEN
		RAISE EXCEPTION 'you have let % go already: another person has to', o.number USING ERRCODE = 'check_violation';
	END IF;
	UPDATE outbox x SET approved_by = x.approved_by || actor() WHERE x.id = o.id;
	UPDATE outbox x SET state = 'queued', why = '', waits_for = '', released_by = actor(), next_try = now()
		WHERE x.id = o.id AND cardinality(x.approved_by) >= x.approvals;
	SELECT * INTO o FROM outbox x WHERE x.id = o.id;
	PERFORM notice_journal(o, 'approved', p ->> 'reason');
	RETURN notice_json(o);
END $$;

-- Now, whatever was told before and whatever a rule suppresses: the gate stands.
CREATE FUNCTION desk_notice_oneshot(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT value::bigint FROM jsonb_array_elements_text(coalesce(p -> 'reports', '[]')));
	filters boolean := p ?| ARRAY['org', 'source', 'type', 'identifier', 'since'];
	missing bigint;
	answer json;
BEGIN
	IF filters = (cardinality(ids) > 0) THEN
		PERFORM rule_wrong('reports, or one of --org, --source, --type, --identifier and --since, were expected');
	ELSIF filters THEN
		ids := ARRAY(SELECT r.id FROM report r LEFT JOIN report_status st ON st.report = r.id LEFT JOIN organisation g
				ON g.id = coalesce(st.organisation, r.organisation) JOIN source s ON s.id = r.source
			WHERE r.id >= report_since(coalesce((p ->> 'since')::timestamptz, now() - interval '7 days'))
				AND r.received >= coalesce((p ->> 'since')::timestamptz, now() - interval '7 days')
				AND (NOT p ? 'org' OR g.name = p ->> 'org') AND (NOT p ? 'source' OR s.name = p ->> 'source')
				AND (NOT p ? 'type' OR r.type = (p ->> 'type')::rsit_type)
				AND (NOT p ? 'identifier' OR r.identifier LIKE notice_like(lower(p ->> 'identifier'))) AND st.gone_at IS NULL
			ORDER BY r.id LIMIT 2001);
		IF cardinality(ids) > 2000 THEN
			PERFORM rule_wrong('more than 2000 reports: say more narrowly which');
		END IF;
	END IF;
	SELECT i INTO missing FROM unnest(ids) AS i WHERE NOT EXISTS (SELECT 1 FROM report r WHERE r.id = i) LIMIT 1;
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION 'there is no report %', report_number(missing) USING ERRCODE = 'no_data_found';
	END IF;
	DELETE FROM notice_work;
	INSERT INTO notice_work SELECT x.report, x.rule, x.repeat, x.outcome, x.why, x.exercise, x.affected, x.contact, x.organisation, x.recipient,
			x.address, x.language, x.format, x.template, x.form, x.approvals, x.of_tlp
		FROM notice_plan((SELECT array_agg(DISTINCT i) FROM unnest(ids) AS i), false, true, now()) x;
	IF NOT p ? 'dry_run' THEN
		PERFORM notice_bundle('one-shot', now(), 'queued', p ->> 'domain');
		IF (SELECT count(DISTINCT w.outbox) FROM notice_work w) > (p ->> 'mass')::int THEN
			UPDATE outbox o SET state = 'held', waits_for = 'approval', approvals = 2,
				why = (SELECT count(DISTINCT w.outbox) FROM notice_work w) || ' mails at once: two people have to let them go'
				WHERE o.id IN (SELECT w.outbox FROM notice_work w);
		END IF;
		-- Rows go into a mail before it is the courier's.
		UPDATE outbox o SET state = 'ready' WHERE o.state = 'queued' AND o.id IN (SELECT w.outbox FROM notice_work w);
		PERFORM notice_disclose(true);
		UPDATE outbox o SET state = 'queued' WHERE o.state = 'ready' AND o.id IN (SELECT w.outbox FROM notice_work w);
		PERFORM notice_journal(o, 'one-shot', p ->> 'reason') FROM outbox o WHERE o.id IN (SELECT w.outbox FROM notice_work w);
	END IF;
	SELECT json_build_object('reports', cardinality(ids), 'dry_run', p ? 'dry_run',
		'items', (SELECT coalesce(json_agg(json_build_object('number', o.number, 'state', o.state, 'to', x.address, 'rows', x.n, 'form', x.form, 'why', x.why)
			ORDER BY x.address), '[]') FROM (SELECT w.outbox, w.address, w.form, count(*) AS n, min(w.why) AS why FROM notice_work w
				WHERE w.address IS NOT NULL GROUP BY w.outbox, w.address, w.form) x LEFT JOIN outbox o ON o.id = x.outbox),
		'not_told', (SELECT coalesce(json_agg(json_build_object('report', report_number(w.report), 'outcome', w.outcome, 'why', w.why)), '[]')
			FROM (SELECT * FROM notice_work v WHERE v.address IS NULL ORDER BY v.report LIMIT 50) w)) INTO answer;
	DELETE FROM notice_work;
	RETURN answer;
END $$;

-- Reports, not mails. What was told counts from the first mail that was sent.
CREATE FUNCTION desk_notice_effect(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	per text := coalesce(p ->> 'by', 'organisation');
	since timestamptz := coalesce((p ->> 'since')::timestamptz, now() - interval '30 days');
	answer json;
BEGIN
	IF per NOT IN ('organisation', 'sector', 'identifier') THEN
		PERFORM rule_wrong('by: expected organisation, sector or identifier');
	END IF;
	WITH rows AS (SELECT CASE per WHEN 'organisation' THEN coalesce(g.name, '') WHEN 'sector' THEN coalesce(g.sector, '')
				ELSE coalesce(nullif(r.identifier, ''), r.type::text) END AS what,
			w.first_told, w.relapses > 0 OR EXISTS (SELECT 1 FROM report_link l WHERE l.b = r.id AND l.kind = 'relapse') AS relapsed,
			coalesce(w.gone, st.gone_at) AS gone
		FROM report r JOIN warning w ON w.report = r.id LEFT JOIN report_status st ON st.report = r.id
			LEFT JOIN organisation g ON g.id = coalesce(st.organisation, r.organisation)
		WHERE r.id >= report_since(since) AND r.received >= since AND r.exercise = 0 AND r.type <> 'test'
			AND st.state IS DISTINCT FROM 'rejected' AND w.continued IS NULL
			AND (NOT p ? 'org' OR g.name = p ->> 'org')),
	sums AS (SELECT what, count(*) AS seen, count(first_told) AS warned,
			count(*) FILTER (WHERE gone <= first_told + interval '7 days') AS gone_7,
			count(*) FILTER (WHERE gone <= first_told + interval '30 days') AS gone_30,
			count(*) FILTER (WHERE first_told IS NOT NULL AND relapsed) AS relapsed
		FROM rows GROUP BY GROUPING SETS ((what), ()))
	SELECT json_build_object('by', per, 'since', stamp(since),
		'items', (SELECT coalesce(json_agg(json_build_object('what', CASE WHEN s.what = '' THEN '-' ELSE s.what END, 'seen', s.seen, 'warned', s.warned,
			'gone_7', s.gone_7, 'gone_30', s.gone_30, 'relapsed', s.relapsed, 'share', CASE WHEN s.warned > 0 THEN round(100.0 * s.gone_30 / s.warned) || ' %' END)
			ORDER BY s.seen DESC, s.what), '[]') FROM sums s WHERE s.what IS NOT NULL),
		'total', (SELECT json_build_object('seen', s.seen, 'warned', s.warned, 'gone_7', s.gone_7, 'gone_30', s.gone_30, 'relapsed', s.relapsed)
			FROM sums s WHERE s.what IS NULL)) INTO answer;
	RETURN answer;
END $$;

REVOKE ALL ON FUNCTION notice_named, notice_json, notice_journal, desk_notice_list, desk_notice_show, desk_notice_preview, desk_notice_hold,
	desk_notice_cancel, desk_notice_send, desk_notice_approve, desk_notice_oneshot, desk_notice_effect FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice_named, notice_json, notice_journal, desk_notice_list, desk_notice_show, desk_notice_preview, desk_notice_hold,
	desk_notice_cancel, desk_notice_send, desk_notice_approve, desk_notice_oneshot, desk_notice_effect TO cirt_desk;
GRANT SELECT ON notice_arrival TO cirt_desk;
