-- Notices: what goes on with an older report keeps its word, mails held because they are many say so in a column, hours in several
-- spans, a test mail to a contact, and the answers that operators see put in plain words.
SET LOCAL search_path = cirt, pg_temp;
SELECT set_config('cirt.actor', 'migration', true);

-- ---- contacts ----

-- The old column beside the contacts becomes one of them.
INSERT INTO contact (organisation, role, email, phone, name)
	SELECT o.id, 'security', coalesce(x.email, ''), CASE WHEN x.email IS NULL THEN left(x.said, 100) ELSE '' END, ''
	FROM (SELECT c.id, regexp_replace(btrim(c.contact), '[[:cntrl:]]+', ' ', 'g') AS said,
			substring(c.contact FROM '[^@\s<>,;:"\\[:cntrl:]]+@[^@\s<>,;:"\\[:cntrl:]]+') AS email FROM organisation c WHERE c.contact <> '') x
		JOIN organisation o ON o.id = x.id
	WHERE x.said <> '' AND NOT EXISTS (SELECT 1 FROM contact k WHERE k.organisation = o.id AND (lower(k.email) = lower(x.email) OR k.phone = x.said));
ALTER TABLE organisation DROP COLUMN contact;

-- 'mon-fri 08:00-18:00, sat 09:00-12:00', as it is kept: days with a capital, spans between a comma and a blank.
CREATE OR REPLACE FUNCTION said_schedule(said text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	spans text[] := regexp_split_to_array(btrim(said), '\s*,\s*');
	day constant text := '(Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
	hour constant text := '(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)';
BEGIN
	IF lower(btrim(said)) = 'always' THEN
		RETURN 'always';
	END IF;
	spans := ARRAY(SELECT initcap(regexp_replace(s, '\s+', ' ', 'g')) FROM unnest(spans) WITH ORDINALITY AS u(s, n) ORDER BY n);
	IF cardinality(spans) > 14 OR EXISTS (SELECT 1 FROM unnest(spans) AS s WHERE s !~ ('^' || day || '(-' || day || ')? ' || hour || '-' || hour || '$')
		OR split_part(s, ' ', 2) ~ '^(.*)-\1$') THEN
		PERFORM wrong(format('schedule: expected always, or such as "Mon-Fri 08:00-18:00, Sat 09:00-12:00", not "%s"', left(said, 60)));
	END IF;
	RETURN array_to_string(spans, ', ');
END $$;

-- Is somebody there? 'always', or days and hours in the contact's own zone: 'Mon-Fri 08:00-16:00, Sat 22:00-06:00'. Hours that end before
-- they begin go on into the next day. What does not read so is always.
CREATE OR REPLACE FUNCTION schedule_holds(schedule text, zone text, at timestamptz) RETURNS boolean LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	days constant text[] := ARRAY['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
	here timestamp;
	day int;
	hour text;
	span text;
	said text[];
	first int;
	length int;
BEGIN
	here := timezone(zone, at);
	day := extract(isodow FROM here);
	hour := to_char(here, 'HH24:MI');
	FOREACH span IN ARRAY regexp_split_to_array(lower(btrim(schedule)), '\s*,\s*') LOOP
		said := regexp_match(span, '^([a-z]{3})(?:-([a-z]{3}))? (\d\d:\d\d)-(\d\d:\d\d)$');
		first := array_position(days, said[1]);
		length := (coalesce(array_position(days, said[2]), first) - first + 7) % 7;
		IF first IS NULL OR length IS NULL THEN
			RETURN true;
		ELSIF (day - first + 7) % 7 <= length AND hour >= said[3] AND (hour < said[4] OR said[4] <= said[3]) THEN
			RETURN true;
		ELSIF said[4] <= said[3] AND (day - 1 - first + 7) % 7 <= length AND hour < said[4] THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN true; -- a zone that nobody knows
END $$;

-- ---- what goes on with an older report ----

-- A report and those that took its place.
CREATE FUNCTION warning_heirs(of_report bigint) RETURNS SETOF bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH RECURSIVE way(id, step) AS (
		SELECT of_report, 0 UNION ALL SELECT w.continued, step + 1 FROM way JOIN warning w ON w.report = way.id
			WHERE w.continued IS NOT NULL AND step < 1000)
	SELECT id FROM way
$$;

-- A new report that only goes on with one that has grown old takes its place: what was told was told of it, and what was not told
-- is looked at in it and no more in the old one. A question to a source stays with the report that it was asked about.
CREATE OR REPLACE FUNCTION notice_continue(ids bigint[]) RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	WITH went AS (SELECT DISTINCT ON (l.a) l.a AS fresh, w.* FROM report_link l JOIN warning w ON w.report = l.b
			WHERE l.a = ANY (ids) AND w.continued IS NULL AND (l.kind = 'continuation' OR (l.kind = 'relapse' AND w.gone IS NULL
				AND (w.outcome <> 'told' OR w.last_told + w.repeat > now())))
				AND NOT (w.outcome = 'asks-permission' AND EXISTS (SELECT 1 FROM release q WHERE q.report = w.report AND q.granted IS NULL))
			ORDER BY l.a, l.kind = 'continuation' DESC, l.b DESC),
		made AS (INSERT INTO warning (report, exercise, organisation, outcome, why, rule, repeat, next, notices, first_told, last_told, gone,
				relapses, relapsed)
			SELECT fresh, exercise, organisation, CASE outcome WHEN 'waiting' THEN 'told' ELSE outcome END, why, rule, repeat,
				CASE WHEN outcome IN ('told', 'waiting') THEN coalesce(last_told, now()) + repeat ELSE next END,
				notices, first_told, last_told, gone, relapses, relapsed
			FROM went ON CONFLICT DO NOTHING RETURNING report)
	UPDATE warning w SET continued = went.fresh, next = NULL FROM went, made WHERE w.report = went.report AND made.report = went.fresh
$$;

-- Told, by whatever says so: from now on its interval runs, and that of what took its place while the mail waited.
CREATE OR REPLACE FUNCTION warning_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	WITH said AS (SELECT h AS report, max(n.told) AS told FROM now_rows n JOIN was_rows w ON w.id = n.id, LATERAL warning_heirs(n.report) AS h
		WHERE n.told IS NOT NULL AND w.told IS NULL AND n.cause <> 'question' GROUP BY h),
	kept AS (UPDATE warning v SET outcome = 'told', why = '', first_told = coalesce(v.first_told, s.told), last_told = s.told,
			next = CASE WHEN v.continued IS NULL THEN s.told + coalesce(v.repeat, interval '30 days') END
		FROM said s WHERE v.report = s.report)
	INSERT INTO report_status AS st (report, state) SELECT s.report, 'noticed' FROM said s ORDER BY s.report
		ON CONFLICT (report) DO UPDATE SET state = 'noticed', changed = now() WHERE st.state = 'new';
	-- Left out after all, as the gate had become stricter.
	UPDATE warning v SET outcome = 'held', why = left('left out of a mail: ' || n.left_out, 1000),
			next = CASE WHEN v.continued IS NULL THEN now() + interval '1 day' END
		FROM now_rows n JOIN was_rows w ON w.id = n.id, LATERAL warning_heirs(n.report) AS h
		WHERE v.report = h AND n.left_out IS NOT NULL AND w.left_out IS NULL AND (v.outcome = 'waiting' OR v.first_told IS NULL AND v.outcome = 'told');
	RETURN NULL;
END $$;

-- A mail that does not go, or comes back, has told nobody: its reports wait for another, or what took their place does.
CREATE OR REPLACE FUNCTION warning_undone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	back boolean := NEW.bounced IS NOT NULL AND OLD.bounced IS NULL;
BEGIN
	UPDATE warning v SET outcome = 'held', decided = now(), next = CASE WHEN v.continued IS NOT NULL THEN NULL
			WHEN NEW.state = 'cancelled' THEN now() + coalesce(v.repeat, '30 days')
			-- Another contact may be reached at once.
			WHEN EXISTS (SELECT 1 FROM contact c WHERE c.id = NEW.contact AND c.bounced IS NOT NULL) THEN now() ELSE now() + interval '1 day' END,
		why = left('mail ' || NEW.number || CASE WHEN back THEN ' came back: ' || NEW.bounce WHEN NEW.state = 'cancelled' THEN ' was cancelled'
			ELSE ' could not be sent: ' || NEW.why END, 1000),
		last_told = CASE WHEN back AND v.last_told = NEW.sent THEN NULL ELSE v.last_told END,
		first_told = CASE WHEN back AND v.first_told = NEW.sent THEN NULL ELSE v.first_told END
	FROM disclosure d, LATERAL warning_heirs(d.report) AS h
	WHERE d.outbox = NEW.id AND v.report = h AND (back OR v.outcome = 'waiting' OR (v.outcome = 'told' AND v.first_told IS NULL))
		AND NOT EXISTS (SELECT 1 FROM disclosure x JOIN outbox y ON y.id = x.outbox WHERE x.report = d.report AND y.id <> NEW.id
			AND y.created >= NEW.created - interval '1 day' AND y.state NOT IN ('cancelled', 'failed') AND y.bounced IS NULL);
	RETURN NULL;
END $$;

-- The server will never take it. theirs: it is the address that is wrong, and another contact is tried at once.
CREATE OR REPLACE FUNCTION courier_fail(which bigint, me uuid, reason text, said text, theirs boolean) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = which AND holder = me AND state = 'queued' FOR UPDATE;
	IF o.id IS NULL THEN
		RETURN false;
	END IF;
	-- Before the mail's own row: what becomes of its reports depends on whether another contact can be tried.
	IF theirs THEN
		UPDATE contact SET bounced = now() WHERE id = o.contact AND lower(email) = lower(o.address) AND bounced IS NULL;
	END IF;
	UPDATE outbox SET state = 'failed', why = left(reason, 1000), reply = left(said, 1000), holder = NULL, held_until = NULL WHERE id = which;
	PERFORM alarm_raise('notice-failed', o.number, NULL, o.number || ' to ' || o.address || ': ' || reason);
	PERFORM journal_add('outbox/' || o.number, 'failed', NULL, jsonb_build_object('why', reason, 'reply', left(said, 1000))::text);
	RETURN true;
END $$;

-- One batch, in one transaction: what has landed first, then what is due again. due: when mails that begin now are full.
CREATE OR REPLACE FUNCTION keeper_notices(most int, due timestamptz, domain text)
RETURNS TABLE (taken int, put int, mails int, cases int) LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	fresh bigint[] := notice_take(most);
	again record;
BEGIN
	PERFORM notice_continue(fresh);
	SELECT * INTO again FROM notice_due(most - cardinality(fresh));
	cases := again.cases;
	taken := cardinality(fresh) + cardinality(again.ids);
	put := 0;
	mails := 0;
	IF taken > 0 THEN
		-- What is in a mail, or was told or held not long ago, waits for its time; unless it is somebody else's now.
		fresh := ARRAY(SELECT DISTINCT f FROM unnest(fresh) AS f LEFT JOIN warning w ON w.report = f
			LEFT JOIN report r ON r.id = w.report LEFT JOIN report_status st ON st.report = w.report
			WHERE w.report IS NULL OR (w.outcome NOT IN ('waiting', 'told') AND NOT (w.outcome = 'held' AND w.next > now()))
				OR w.organisation IS DISTINCT FROM coalesce(st.organisation, r.organisation));
		DELETE FROM notice_work;
		INSERT INTO notice_work SELECT p.report, p.rule, p.repeat, p.outcome, p.why, p.exercise, p.affected, p.contact, p.organisation,
			p.recipient, p.address, p.language, p.format, p.template, p.form, p.approvals, p.of_tlp
			FROM notice_plan(fresh || again.ids, false, false, now()) p;
		mails := notice_bundle('notice', due, 'bundling', domain);
		put := notice_disclose(false);
		DELETE FROM notice_work;
	END IF;
	RETURN NEXT;
END $$;

-- ---- many mails at once ----

-- Held since so many would have gone at once: `cirt notice send --all`, said by two people, lets them go.
ALTER TABLE outbox ADD mass boolean NOT NULL DEFAULT false;
ALTER TABLE outbox DISABLE TRIGGER USER;
UPDATE outbox SET mass = true WHERE state = 'held' AND waits_for = 'approval' AND why LIKE '% mails at once%';
ALTER TABLE outbox ENABLE TRIGGER USER;

-- Mails whose time has come are full. automatic: they go by themselves; mass: unless there are more of them than that at once.
CREATE OR REPLACE FUNCTION keeper_notices_ready(automatic boolean, mass int) RETURNS TABLE (ready int, queued int) LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	n int;
BEGIN
	queued := 0;
	UPDATE outbox o SET state = CASE WHEN o.approvals > cardinality(o.approved_by) THEN 'held' ELSE 'ready' END::outbox_state,
			waits_for = CASE WHEN o.approvals > cardinality(o.approved_by) THEN 'approval' ELSE '' END,
			why = CASE WHEN o.approvals > cardinality(o.approved_by) THEN 'two people have to let it go' ELSE '' END
		WHERE o.state = 'bundling' AND o.due <= now();
	GET DIAGNOSTICS ready = ROW_COUNT;
	IF automatic THEN
		SELECT count(*) INTO n FROM outbox o WHERE o.state = 'ready' AND o.kind = 'notice';
		IF n > mass THEN
			UPDATE outbox o SET state = 'held', waits_for = 'approval', approvals = 2, mass = true,
				why = n || ' mails at once: two people have to let them go'
				WHERE o.state = 'ready' AND o.kind = 'notice' AND cardinality(o.approved_by) < 2;
		END IF;
		UPDATE outbox o SET state = 'queued', why = '', waits_for = '', mass = false WHERE o.state = 'ready' AND o.kind = 'notice';
		GET DIAGNOSTICS queued = ROW_COUNT;
	END IF;
	RETURN NEXT;
END $$;

-- Who holds one of many holds that one.
CREATE OR REPLACE FUNCTION desk_notice_hold(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox := notice_named(p ->> 'notice');
BEGIN
	UPDATE outbox x SET state = 'held', waits_for = CASE x.waits_for WHEN 'approval' THEN 'approval' ELSE 'operator' END, mass = false,
			why = left('held by ' || actor() || coalesce(': ' || (p ->> 'reason'), ''), 1000)
		WHERE x.id = o.id AND x.state IN ('bundling', 'ready', 'queued') AND x.bytes IS NULL RETURNING * INTO o;
	IF NOT FOUND THEN
		RAISE EXCEPTION '% is %', o.number, o.state USING ERRCODE = 'check_violation';
	END IF;
	PERFORM notice_journal(o, 'held', p ->> 'reason');
	RETURN notice_json(o);
END $$;

-- These mails, or all that are ready or still gather. More than `mass` of them want a second person, who says the same again.
CREATE OR REPLACE FUNCTION desk_notice_send(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
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
			OR x.mass) AND x.approvals <= CASE x.state WHEN 'held' THEN 2 ELSE 0 END
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
			AND NOT x.mass LIMIT 1;
		IF wrong.id IS NOT NULL THEN
			RAISE EXCEPTION 'two people have to let % go: cirt notice approve %', wrong.number, wrong.number USING ERRCODE = 'check_violation';
		END IF;
	END IF;
	IF cardinality(ids) > (p ->> 'mass')::int THEN
		UPDATE outbox x SET approvals = 2, mass = true, why = cardinality(ids) || ' mails at once: two people have to let them go', state = 'held',
			waits_for = 'approval' WHERE x.id = ANY (ids) AND NOT x.mass;
	END IF;
	UPDATE outbox x SET approved_by = x.approved_by || actor() WHERE x.id = ANY (ids) AND x.approvals > cardinality(x.approved_by)
		AND actor() <> ALL (x.approved_by);
	FOR o IN UPDATE outbox x SET state = 'queued', why = '', waits_for = '', mass = false, released_by = actor(), next_try = now()
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
CREATE OR REPLACE FUNCTION desk_notice_approve(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
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
	UPDATE outbox x SET state = 'queued', why = '', waits_for = '', mass = false, released_by = actor(), next_try = now()
		WHERE x.id = o.id AND cardinality(x.approved_by) >= x.approvals;
	SELECT * INTO o FROM outbox x WHERE x.id = o.id;
	PERFORM notice_journal(o, 'approved', p ->> 'reason');
	RETURN notice_json(o);
END $$;

-- Now, whatever was told before and whatever a rule suppresses: the gate stands.
CREATE OR REPLACE FUNCTION desk_notice_oneshot(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
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
			UPDATE outbox o SET state = 'held', waits_for = 'approval', approvals = 2, mass = true,
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

-- ---- what operators read ----

-- Is whoever gets this mail as affected still who has what the report is about?
CREATE FUNCTION disclosure_theirs(of_report bigint, o outbox) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	owner int;
BEGIN
	IF o.recipient <> 'affected' OR o.organisation IS NULL THEN
		RETURN true;
	END IF;
	SELECT coalesce(st.organisation, r.organisation) INTO owner FROM report r LEFT JOIN report_status st ON st.report = r.id WHERE r.id = of_report;
	RETURN coalesce(owner = o.organisation, true);
END $$;

-- Why a row must not stand in a mail, in words.
CREATE FUNCTION disclosure_why(of_report bigint, of_outbox bigint) RETURNS text LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	r report;
	verdict gate_verdict;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = of_outbox;
	SELECT * INTO r FROM report WHERE id = of_report;
	verdict := gate_report(of_report, o.recipient, o.address);
	RETURN CASE WHEN r.id IS NULL THEN 'the report is not kept any more'
		WHEN r.exercise <> o.exercise THEN 'it belongs to another exercise than the mail'
		WHEN NOT disclosure_theirs(of_report, o) THEN 'it is not theirs any more'
		WHEN verdict = 'ask' THEN 'its source has to allow it first'
		WHEN verdict = 'sanitise' THEN 'it may leave in its sanitised form only'
		WHEN verdict = 'approve' THEN 'two people have to let it go first'
		WHEN r.exercise <> 0 THEN o.address || ' is not in the drill''s directory'
		ELSE 'its PAP does not let it out to a ' || o.recipient END;
END $$;

-- As before; what is left out says why in words, and what is another's now is left out.
CREATE OR REPLACE FUNCTION courier_check(which bigint, me uuid) RETURNS TABLE (told bigint, refused bigint) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	made boolean;
BEGIN
	SELECT bytes IS NOT NULL INTO made FROM outbox WHERE id = which AND holder = me AND state = 'queued' FOR UPDATE;
	IF NOT made THEN
		UPDATE disclosure d SET left_out = x.why
		FROM (SELECT v.disclosure AS id, CASE WHEN NOT coalesce(v.same AND gate_lets(v.verdict, v.form, v.approved), false)
				THEN disclosure_why(v.report, which) END AS why
			FROM (SELECT f.disclosure, f.report, f.form, f.approved, f.exercise = (o.exercise <> 0) AND disclosure_theirs(f.report, o) AS same,
					gate_decide(f.of_tlp, f.of_pap, f.may_notify, f.restricted, f.allowed, f.recipient, f.exercise, f.in_directory) AS verdict
				FROM courier_rows(which, me) f, outbox o WHERE o.id = which OFFSET 0) v) x
		WHERE d.id = x.id AND d.told IS NULL AND d.left_out IS DISTINCT FROM x.why;
		RETURN QUERY SELECT count(*) FILTER (WHERE d.left_out IS NULL), count(*) FILTER (WHERE d.left_out IS NOT NULL)
			FROM disclosure d WHERE d.outbox = which;
		RETURN;
	END IF;
	RETURN QUERY SELECT count(*), count(*) FILTER (WHERE NOT coalesce(f.exercise = (o.exercise <> 0) AND disclosure_theirs(f.report, o) AND gate_lets(gate_decide(f.of_tlp,
			f.of_pap, f.may_notify, f.restricted, f.allowed, f.recipient, f.exercise, f.in_directory), f.form, f.approved), false))
		FROM disclosure d JOIN outbox o ON o.id = d.outbox LEFT JOIN courier_rows(which, me) f ON f.disclosure = d.id
		WHERE d.outbox = which AND d.left_out IS NULL;
END $$;

-- Each rule that was passed over and why, up to the one that holds; whom that reaches, and what the gate says.
CREATE OR REPLACE FUNCTION desk_rule_why(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
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
			'language', w.language, 'repeat_days', trim_scale(round(extract(epoch FROM w.repeat) / 86400, 2)))), '[]')
			FROM notice_plan(ARRAY[which], p ? 'draft', false, now()) w LEFT JOIN organisation o ON o.id = w.organisation),
		'stands', (SELECT json_build_object('outcome', v.outcome, 'why', v.why, 'decided', stamp(v.decided), 'notices', v.notices,
			'first_told', stamp(v.first_told), 'last_told', stamp(v.last_told), 'next', stamp(v.next)) FROM warning v WHERE v.report = which))
		INTO answer;
	RETURN answer;
END $$;

-- What the draft would have done with what came in, beside what holds. Of more than 50,000 (`most`) only the newest are looked at.
CREATE OR REPLACE FUNCTION desk_rule_test(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	since timestamptz := CASE WHEN p ? 'since' THEN (p ->> 'since')::timestamptz
		ELSE now() - CASE coalesce(p ->> 'against', 'last-week') WHEN 'yesterday' THEN interval '1 day' WHEN 'last-week' THEN interval '7 days'
			WHEN 'last-month' THEN interval '30 days' END END;
	most int := greatest(least((p ->> 'most')::int, 50000), 1);
	ids bigint[];
	more boolean;
	answer json;
BEGIN
	IF since IS NULL THEN
		PERFORM rule_wrong('against: expected yesterday, last-week or last-month');
	ELSIF NOT EXISTS (SELECT 1 FROM notify_rule WHERE draft) THEN
		RAISE EXCEPTION 'there is no draft: it begins with cirt rule new, set, move or delete --draft' USING ERRCODE = 'no_data_found';
	END IF;
	ids := ARRAY(SELECT w.report FROM warning w WHERE w.report >= report_since(since) ORDER BY w.report DESC LIMIT most + 1);
	more := cardinality(ids) > most;
	ids := ids[1:most];
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
	SELECT json_build_object('since', stamp(since), 'reports', cardinality(ids), 'all', NOT more, 'oldest', CASE WHEN more THEN (SELECT stamp(r.received) FROM report r WHERE r.id = ids[cardinality(ids)]) END,
		'changed', (SELECT coalesce(sum(n), 0) FROM moved),
		'told_before', (SELECT count(*) FROM both_ WHERE was_whom IS NOT NULL), 'told_after', (SELECT count(*) FROM both_ WHERE now_whom IS NOT NULL),
		'items', (SELECT coalesce(json_agg(json_build_object('reports', m.n, 'organisations', m.organisations,
			'was_rule', (SELECT name FROM notify_rule WHERE id = m.was_rule), 'was', m.was, 'was_to', m.was_whom,
			'now_rule', (SELECT name FROM notify_rule WHERE id = m.now_rule), 'now', m.will, 'now_to', m.now_whom,
			'example', report_number(m.sample)) ORDER BY m.n DESC), '[]') FROM moved m)) INTO answer;
	RETURN answer;
END $$;

-- As before, with the mails that probably answer it.
CREATE OR REPLACE FUNCTION desk_notice_show(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT (notice_json(o) || jsonb_build_object('message_id', o.message_id, 'attempts', o.attempts, 'reply', o.reply, 'bounce', o.bounce, 'answer', report_number(o.answer),
		'probably', (SELECT jsonb_agg(jsonb_build_object('mail', report_number(u.mail), 'sender', u.sender) ORDER BY u.mail DESC)
			FROM (SELECT * FROM notice_guess q WHERE q.outbox = o.id ORDER BY q.mail DESC LIMIT 20) u),
		'items', (SELECT coalesce(jsonb_agg(jsonb_build_object('report', d.content ->> 'report', 'cause', d.cause, 'what',
				concat_ws('/', d.content ->> 'classification', nullif(d.content ->> 'identifier', '')), 'address',
				coalesce(nullif(d.content ->> 'ip', ''), d.content ->> 'name'), 'severity', d.content ->> 'severity', 'last', d.content ->> 'last',
				'rule', coalesce((SELECT name FROM notify_rule r WHERE r.id = d.rule), d.rule::text), 'left_out', d.left_out) ORDER BY d.id), '[]')
			FROM (SELECT * FROM disclosure x WHERE x.outbox = o.id ORDER BY x.id LIMIT coalesce((p ->> 'limit')::int, 50)) d)))::json
	FROM notice_named(p ->> 'notice') o
$$;

-- ---- cases ----

-- A report as one of whoever has it now; 0: nobody's.
CREATE FUNCTION report_owned(r report, owner int) RETURNS report LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	r.organisation := nullif(owner, 0);
	RETURN r;
END $$;

-- Take what is due into correlation_work; what no rule wants any more leaves the queue. Keys are of whose it is now.
CREATE OR REPLACE FUNCTION correlation_take(batch int) RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT id FROM correlation_queue WHERE due <= now() ORDER BY id LIMIT batch FOR UPDATE);
BEGIN
	DELETE FROM correlation_work;
	INSERT INTO correlation_work
		SELECT q.id, r.id, c.id, c.mode, c.span, r.exercise, correlation_key(CASE WHEN st.organisation <> coalesce(r.organisation, 0) THEN report_owned(r, st.organisation) ELSE r END,
				c.keys, s.restricted), s.restricted, r.previous,
			coalesce(st.severity, r.severity)
		FROM correlation_queue q
		JOIN report r ON r.id = q.report
		JOIN source s ON s.id = r.source
		JOIN correlation_rule c ON c.id = q.rule AND c.enabled AND c.mode <> 'by-hand'
		LEFT JOIN report_status st ON st.report = r.id
		WHERE q.id = ANY (ids) AND st.state IS DISTINCT FROM 'rejected'
			AND NOT EXISTS (SELECT 1 FROM case_report cr WHERE cr.report = r.id AND cr.ended IS NULL);
	DELETE FROM correlation_queue q WHERE q.id = ANY (ids) AND NOT EXISTS (SELECT 1 FROM correlation_work w WHERE w.queue = q.id);
	RETURN cardinality(ids);
END $$;

-- Open a case for one key in hand. It says what its gravest report says.
CREATE OR REPLACE FUNCTION correlation_open(of_exercise int, of_rule int, of_key text) RETURNS bigint LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	fresh bigint;
	old bigint;
BEGIN
	INSERT INTO cases (title, severity, tlp, pap, type, identifier, organisation, restricted, exercise)
		SELECT report_title(r.title, r.type, r.identifier, r.malware, r.observables), w.severity,
			(SELECT max(x.tlp) FROM correlation_work v JOIN report x ON x.id = v.report
				WHERE v.exercise = of_exercise AND v.rule = of_rule AND v.key = of_key),
			r.pap, r.type, r.identifier, nullif(coalesce(st.organisation, r.organisation), 0), w.apart, r.exercise
		FROM correlation_work w JOIN report r ON r.id = w.report LEFT JOIN report_status st ON st.report = r.id
		WHERE w.exercise = of_exercise AND w.rule = of_rule AND w.key = of_key
		ORDER BY w.severity DESC NULLS LAST, w.report LIMIT 1
		RETURNING id INTO fresh;
	SELECT max(old_case) INTO old FROM correlation_work
		WHERE exercise = of_exercise AND rule = of_rule AND key = of_key;
	IF old IS NOT NULL THEN
		INSERT INTO case_link (a, b, kind, reason) VALUES (fresh, old, 'related', 'seen again after it was closed');
	END IF;
	RETURN fresh;
END $$;

-- ---- a test mail to a contact ----

ALTER TYPE outbox_kind ADD VALUE 'test';

-- It says nothing of anybody and asks for an answer; sealed as everything else is for them.
CREATE FUNCTION desk_contact_test(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c contact := contact_numbered(p ->> 'id');
	o outbox;
BEGIN
	IF NOT c.valid @> now() THEN
		RAISE EXCEPTION 'contact % is none now: from % until %', c.id, coalesce(stamp(lower(c.valid)), 'ever'), coalesce(stamp(upper(c.valid)), 'for good')
			USING ERRCODE = 'check_violation';
	ELSIF c.email = '' THEN
		RAISE EXCEPTION 'contact % has no mail address: call %', c.id, c.phone USING ERRCODE = 'check_violation';
	ELSIF c.policy = 'required' AND NOT contact_has_key(c, now()) THEN
		RAISE EXCEPTION 'contact % wants all encrypted and has no valid key: cirt contact set % --pgp KEY', c.id, c.id USING ERRCODE = 'check_violation';
	END IF;
	SELECT * INTO o FROM outbox x WHERE x.contact = c.id AND x.organisation = c.organisation AND x.kind::text = 'test'
		AND x.state IN ('queued', 'held') ORDER BY x.id DESC LIMIT 1;
	IF o.id IS NOT NULL THEN
		RAISE EXCEPTION 'a test to contact % is on its way: %', c.id, o.number USING ERRCODE = 'unique_violation';
	END IF;
	INSERT INTO outbox (kind, state, organisation, contact, recipient, address, language, tlp, released_by, message_id)
		VALUES ('test', 'queued', c.organisation, c.id, 'affected', c.email, c.language, 'clear', actor(),
			'<' || gen_random_uuid() || '@' || (p ->> 'domain') || '>') RETURNING * INTO o;
	PERFORM journal_add('contact/' || c.id, 'test sent', NULL, jsonb_build_object('number', o.number, 'address', o.address)::text);
	RETURN (SELECT contact_json(k) FROM contact k WHERE k.id = c.id);
END $$;

-- As before, with the last test: what became of it.
CREATE OR REPLACE FUNCTION contact_json(c contact) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('id', c.id, 'organisation', (SELECT name FROM organisation WHERE id = c.organisation), 'role', c.role,
		'name', c.name, 'email', c.email, 'phone', c.phone, 'language', c.language, 'zone', c.zone, 'schedule', c.schedule, 'format', c.format,
		'policy', c.policy, 'pgp', c.pgp, 'smime', c.smime, 'priority', c.priority, 'origin', c.origin, 'from', stamp(lower(c.valid)),
		'until', stamp(upper(c.valid)), 'bounced', stamp(c.bounced), 'tested', stamp(c.tested),
		'test', (SELECT o.number || ' ' || CASE WHEN o.answered IS NOT NULL THEN 'answered' WHEN o.bounced IS NOT NULL THEN 'came back'
				WHEN o.state = 'sent' THEN 'sent, no answer yet' ELSE o.state::text END FROM outbox o
			WHERE o.contact = c.id AND o.organisation = c.organisation AND o.kind::text = 'test' ORDER BY o.id DESC LIMIT 1))
$$;

-- As before, and tests.
CREATE OR REPLACE FUNCTION desk_notice_list(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH rows AS (SELECT o.id, notice_json(o) AS line FROM outbox o LEFT JOIN organisation g ON g.id = o.organisation
		WHERE o.id < coalesce((p ->> 'cursor')::bigint, 9223372036854775807) AND o.kind::text IN ('notice', 'one-shot', 'key-waits', 'test')
			AND CASE WHEN p ? 'state' THEN o.state = (p ->> 'state')::outbox_state WHEN p ? 'all' THEN true
				ELSE o.state <> 'cancelled' END
			AND (NOT p ? 'org' OR g.name = p ->> 'org') AND (NOT p ? 'since' OR o.created >= (p ->> 'since')::timestamptz)
		ORDER BY o.id DESC LIMIT coalesce((p ->> 'limit')::int, 50) + 1),
	page AS (SELECT * FROM rows ORDER BY id DESC LIMIT coalesce((p ->> 'limit')::int, 50))
	SELECT json_build_object('items', (SELECT coalesce(json_agg(line ORDER BY id DESC), '[]') FROM page),
		'next', CASE WHEN (SELECT count(*) FROM rows) > (SELECT count(*) FROM page) THEN (SELECT min(id)::text FROM page) END)
$$;

-- Who else of the organisation has a key, in the order in which they are asked. A test is of this contact alone.
CREATE OR REPLACE FUNCTION courier_others(which bigint, me uuid) RETURNS TABLE (contact int, address text, name text, pgp text, smime text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT c.id, c.email, c.name, c.pgp, c.smime
	FROM outbox o JOIN contact c ON c.organisation = o.organisation LEFT JOIN contact own ON own.id = o.contact
	WHERE o.id = which AND o.kind::text <> 'test' AND o.holder = me AND o.state = 'queued' AND o.bytes IS NULL AND c.id IS DISTINCT FROM o.contact
		AND c.valid @> now() AND c.bounced IS NULL AND c.email <> '' AND (c.pgp <> '' OR c.smime <> '') AND c.policy <> 'never'
		AND c.role IN ('security', 'abuse', 'technical', 'duty', 'management')
		AND (o.exercise = 0 OR in_directory(o.exercise, c.email))
	ORDER BY c.role = own.role DESC NULLS LAST, c.priority, c.id LIMIT 8
$$;

-- As before; nobody is told of a test that waits.
CREATE OR REPLACE FUNCTION courier_hold(which bigint, me uuid, reason text, no_key boolean, domain text) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
#variable_conflict use_column
DECLARE
	o outbox;
	who text;
	says text;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = which AND holder = me AND state = 'queued' FOR UPDATE;
	IF o.id IS NULL THEN
		RETURN false;
	END IF;
	says := left(courier_hold.reason || CASE WHEN o.reply LIKE 'being sent%' OR o.reply LIKE 'unknown%'
		THEN '; it may have been taken before' ELSE '' END, 1000);
	UPDATE outbox SET state = 'held', why = says, waits_for = CASE WHEN no_key AND o.kind <> 'test' THEN 'key' ELSE '' END, holder = NULL, held_until = NULL
		WHERE id = which;
	SELECT concat_ws(', ', nullif(c.name, ''), g.name, coalesce(nullif(c.phone, ''), 'no telephone number known')) INTO who
		FROM outbox x LEFT JOIN contact c ON c.id = x.contact LEFT JOIN organisation g ON g.id = x.organisation WHERE x.id = which;
	IF no_key AND o.kind <> 'test' THEN
		INSERT INTO outbox (kind, state, exercise, organisation, contact, recipient, address, language, fields, message_id)
			SELECT 'key-waits', 'queued', o.exercise, o.organisation, o.contact, o.recipient, o.address, o.language,
				jsonb_build_object('waits', o.number, 'reason', courier_hold.reason), '<' || gen_random_uuid() || '@' || domain || '>'
			WHERE NOT EXISTS (SELECT 1 FROM outbox w WHERE w.kind = 'key-waits' AND w.fields ->> 'waits' = o.number);
		PERFORM alarm_raise('notice-phone', o.number, NULL, 'call ' || who || ': ' || o.number || ' to ' || o.address || ' waits: ' || says);
	ELSE
		PERFORM alarm_raise('notice-held', o.number, NULL, o.number || ' to ' || o.address || ' waits: ' || says);
	END IF;
	PERFORM journal_add('outbox/' || o.number, 'held', NULL, jsonb_build_object('why', says)::text);
	RETURN true;
END $$;

-- As before; who answers a test has been reached.
CREATE OR REPLACE FUNCTION back_answer(b letter_back, of_outbox bigint, by_way letter_way) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	known boolean := sender_vouched(b.dmarc) AND outbox_knows(of_outbox, b.sender);
	c record;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = of_outbox FOR UPDATE;
	UPDATE outbox SET answered = b.received, answer = b.mail WHERE id = o.id AND answered IS NULL;
	IF o.answered IS NULL THEN
		PERFORM journal_add('outbox/' || o.number, 'answered', NULL,
			jsonb_build_object('by', b.sender, 'way', by_way, 'known', known, 'mail', b.mail)::text);
		PERFORM alarm_over('notice-bounced', o.number);
		INSERT INTO report_status AS st (report, state) SELECT d.report, 'answered' FROM disclosure d
				WHERE d.outbox = o.id AND d.left_out IS NULL AND d.cause <> 'question' AND EXISTS (SELECT 1 FROM report r WHERE r.id = d.report)
				ORDER BY d.report
			ON CONFLICT (report) DO UPDATE SET state = 'answered', changed = now(), actor = excluded.actor
				WHERE st.state IN ('new', 'linked', 'noticed');
	END IF;
	-- Who answers reads his mail.
	UPDATE contact SET bounced = NULL WHERE bounced IS NOT NULL AND known AND (lower(email) = b.sender OR (id = o.contact AND by_way <> 'tag'));
	IF o.kind = 'release' THEN
		PERFORM alarm_raise('release-answered', o.number, NULL, o.address || ' has answered our question ' || o.number
			|| ': read it (cirt mail show ' || report_number(b.mail) || '), then cirt tlp grant or cirt tlp refuse');
		RETURN false;
	ELSIF o.kind = 'test' THEN
		UPDATE contact SET tested = b.received WHERE id = o.contact;
		PERFORM journal_add('contact/' || o.contact, 'test answered', NULL,
			jsonb_build_object('number', o.number, 'by', b.sender, 'mail', b.mail)::text);
		RETURN false;
	ELSIF NOT b.placed THEN
		RETURN false;
	END IF;
	SELECT * INTO c FROM back_case(o.id);
	INSERT INTO case_letter_queue (item, case_id, way, known, sender, tags)
		VALUES (b.mail, c.which, by_way, known OR by_way = 'address', b.sender, b.tags);
	RETURN c.opened;
END $$;

-- ---- rights ----

REVOKE ALL ON FUNCTION warning_heirs, disclosure_theirs, disclosure_why, report_owned, desk_contact_test FROM PUBLIC;
GRANT EXECUTE ON FUNCTION warning_heirs, report_owned TO cirt_keeper;
GRANT EXECUTE ON FUNCTION desk_contact_test TO cirt_desk;
