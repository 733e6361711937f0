-- Notices of a hundred thousand rows: what a row tells, and whether it may, is found for many rows at once. It is still the trigger that
-- puts it into the row, and refuses; a row that nobody has prepared it works out by itself.
SET LOCAL search_path = cirt, pg_temp;

CREATE FUNCTION disclosure_contents(reports bigint[], of_form disclosure_form) RETURNS TABLE (report bigint, content jsonb) LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_variable
BEGIN
	RETURN QUERY SELECT r.id, jsonb_build_object('report', report_number(r.id), 'classification', r.type, 'class', rsit_class(r.type),
			'identifier', r.identifier, 'severity', severity_name(coalesce(st.severity, r.severity)), 'first', least(n.first, r.first_seen),
			'last', coalesce(n.last, r.first_seen), 'count', coalesce(n.count, 1), 'asn', r.asn, 'country', r.country,
			'ip', o.ip, 'name', o.name, 'port', o.port)
			|| CASE WHEN of_form = 'full' THEN jsonb_build_object('malware', r.malware,
				'title', report_title(r.title, r.type, r.identifier, r.malware, r.observables), 'confidence', coalesce(st.confidence, r.confidence),
				'observables', to_jsonb(ARRAY(SELECT x FROM unnest(r.observables) AS x WHERE split_part(x, ' ', 2) <> 'reporter')))
				ELSE '{}' END
		FROM report r
			LEFT JOIN (SELECT s.report AS id, s.severity, s.confidence FROM report_status s WHERE s.report = ANY (reports)) st ON st.id = r.id
			LEFT JOIN (SELECT g.report AS id, sum(g.count)::bigint AS count, min(g.first) AS first, max(g.last) AS last FROM sighting g
				WHERE g.report = ANY (reports) GROUP BY g.report) n ON n.id = r.id
			CROSS JOIN LATERAL (SELECT coalesce((array_agg(u.value ORDER BY u.n) FILTER (WHERE u.kind = 'ip'))[1], '') AS ip,
					coalesce((array_agg(u.value ORDER BY u.n) FILTER (WHERE u.kind = 'name'))[1], '') AS name,
					coalesce((array_agg(u.value ORDER BY u.n) FILTER (WHERE u.kind = 'port'))[1], '') AS port
				FROM (SELECT x.n, split_part(x.o, ' ', 1) AS kind, substr(x.o, length(split_part(x.o, ' ', 1)) + 9) AS value
					FROM unnest(r.observables) WITH ORDINALITY AS x(o, n) WHERE split_part(x.o, ' ', 2) = 'source') u) o
		WHERE r.id = ANY (reports);
END $$;

CREATE OR REPLACE FUNCTION disclosure_content(of_report bigint, form disclosure_form) RETURNS jsonb LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN (SELECT c.content FROM disclosure_contents(ARRAY[of_report], form) c);
END $$;

-- What gate_report() says, of many reports and mails.
CREATE FUNCTION gate_pairs(reports bigint[], outboxes bigint[]) RETURNS TABLE (report bigint, outbox bigint, form disclosure_form, exercise int,
	of_tlp tlp, verdict gate_verdict) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
#variable_conflict use_variable
BEGIN
	RETURN QUERY SELECT r.id, o.id, o.form, r.exercise, r.tlp, gate_decide(r.tlp, r.pap, s.may_notify_affected, s.restricted,
			coalesce(l.granted, 'none'), o.recipient, r.exercise <> 0, r.exercise <> 0 AND in_directory(r.exercise, o.address))
		FROM unnest(reports, outboxes) AS p(report, outbox) JOIN (SELECT b.id, b.form, b.recipient, b.address FROM outbox b
				WHERE b.id = ANY (outboxes)) o ON o.id = p.outbox
			JOIN (SELECT t.id, t.source, t.exercise, t.tlp, t.pap FROM report t WHERE t.id = ANY (reports)) r ON r.id = p.report
			JOIN source s ON s.id = r.source
			LEFT JOIN (SELECT DISTINCT ON (x.report) x.report AS id, x.granted FROM release x WHERE x.report = ANY (reports)
				AND x.granted IS NOT NULL ORDER BY x.report, x.answered DESC, x.id DESC) l ON l.id = r.id;
END $$;

-- Prepared by disclosure_many() for the trigger, and gone when it returns; nobody else can write here.
CREATE UNLOGGED TABLE disclosure_ready (
	outbox bigint NOT NULL,
	report bigint NOT NULL,
	exercise int NOT NULL,
	tlp tlp NOT NULL,
	verdict gate_verdict NOT NULL,
	content jsonb NOT NULL,
	PRIMARY KEY (outbox, report)
);

-- Many rows at once: reports[n] in mail outboxes[n]. How many there were not yet.
CREATE FUNCTION disclosure_many(reports bigint[], outboxes bigint[], causes text[], rules int[]) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	put int;
	of_form disclosure_form;
BEGIN
	FOREACH of_form IN ARRAY enum_range(NULL::disclosure_form) LOOP
		INSERT INTO disclosure_ready SELECT g.outbox, g.report, g.exercise, g.of_tlp, g.verdict, c.content
			FROM (SELECT array_agg(p.report) AS reports, array_agg(p.outbox) AS outboxes FROM unnest(reports, outboxes) AS p(report, outbox)
				JOIN outbox o ON o.id = p.outbox AND o.form = of_form
				WHERE NOT EXISTS (SELECT 1 FROM disclosure d WHERE d.outbox = p.outbox AND d.report = p.report)) w
				CROSS JOIN LATERAL gate_pairs(w.reports, w.outboxes) g
				JOIN LATERAL disclosure_contents(w.reports, of_form) c ON c.report = g.report
			ON CONFLICT DO NOTHING;
	END LOOP;
	INSERT INTO disclosure (report, outbox, cause, rule)
		SELECT p.report, p.outbox, p.cause, p.rule FROM unnest(reports, outboxes, causes, rules) AS p(report, outbox, cause, rule)
		ORDER BY p.outbox, p.report ON CONFLICT (outbox, report) DO NOTHING;
	GET DIAGNOSTICS put = ROW_COUNT;
	DELETE FROM disclosure_ready y WHERE y.outbox = ANY (outboxes);
	RETURN put;
END $$;

CREATE OR REPLACE FUNCTION disclosure_gate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp
SET enable_seqscan = off AS $$
DECLARE
	o record;
	y disclosure_ready;
	prepared boolean;
BEGIN
	SELECT b.id, b.number, b.state, b.bytes IS NOT NULL AS made, b.exercise, b.recipient, b.form, b.address, b.tlp INTO o FROM outbox b
		WHERE b.id = NEW.outbox FOR UPDATE;
	SELECT * INTO y FROM disclosure_ready r WHERE r.outbox = NEW.outbox AND r.report = NEW.report;
	prepared := FOUND;
	IF NOT prepared THEN
		SELECT r.id, r.exercise, r.tlp INTO y.report, y.exercise, y.tlp FROM report r WHERE r.id = NEW.report;
	END IF;
	IF y.report IS NULL THEN
		RAISE EXCEPTION 'there is no report %', report_number(NEW.report) USING ERRCODE = 'no_data_found';
	ELSIF o.state NOT IN ('bundling', 'held', 'ready') OR o.made THEN
		RAISE EXCEPTION 'mail % is made already', o.number USING ERRCODE = 'check_violation';
	ELSIF y.exercise <> o.exercise THEN
		RAISE EXCEPTION 'a report and a mail that tells it belong to the same exercise, or none' USING ERRCODE = 'check_violation';
	END IF;
	NEW.recipient := o.recipient;
	NEW.form := o.form;
	IF NOT prepared THEN
		y.verdict := gate_report(y.report, o.recipient, o.address);
	END IF;
	IF NOT gate_lets(y.verdict, NEW.form, true) THEN
		RAISE EXCEPTION 'report % must not be told to % (%): %', report_number(y.report), o.address, NEW.form, y.verdict
			USING ERRCODE = 'insufficient_privilege';
	END IF;
	IF NOT prepared THEN
		y.content := disclosure_content(y.report, NEW.form);
	END IF;
	NEW.tlp := y.tlp;
	NEW.content := y.content;
	NEW.version := (NEW.content ->> 'last')::timestamptz;
	NEW.told := NULL;
	NEW.left_out := NULL;
	IF NEW.form = 'full' AND o.tlp < y.tlp THEN
		UPDATE outbox SET tlp = y.tlp WHERE id = o.id;
	END IF;
	RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION notice_disclose(by_hand boolean) RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	put int;
BEGIN
	SELECT coalesce(disclosure_many(array_agg(x.report), array_agg(x.outbox), array_agg(x.cause), array_agg(x.rule)), 0) INTO put
		FROM (SELECT DISTINCT ON (w.outbox, w.report) w.report, w.outbox, CASE WHEN by_hand THEN 'one-shot'
				WHEN v.relapsed > v.last_told THEN 'relapse' WHEN v.last_told IS NOT NULL THEN 'repeat'
				WHEN EXISTS (SELECT 1 FROM report_link l WHERE l.a = w.report AND l.kind = 'relapse') THEN 'relapse' ELSE 'new' END AS cause, w.rule
			FROM notice_work w LEFT JOIN warning v ON v.report = w.report WHERE w.outbox IS NOT NULL ORDER BY w.outbox, w.report) x;
	INSERT INTO warning AS v (report, exercise, organisation, outcome, why, rule, repeat, next, notices)
		SELECT DISTINCT ON (w.report) w.report, w.exercise, w.affected, w.outcome, w.why, w.rule, w.repeat,
			CASE w.outcome WHEN 'waiting' THEN NULL WHEN 'asks-permission' THEN NULL WHEN 'not-ours' THEN NULL
				WHEN 'suppressed' THEN now() + coalesce(w.repeat, '30 days') ELSE now() + interval '1 day' END,
			CASE w.outcome WHEN 'waiting' THEN 1 ELSE 0 END
		FROM notice_work w ORDER BY w.report, w.outcome
		ON CONFLICT (report) DO UPDATE SET organisation = excluded.organisation, outcome = excluded.outcome, why = excluded.why,
			rule = excluded.rule, repeat = excluded.repeat, next = excluded.next, decided = now(), notices = v.notices + excluded.notices;
	RETURN put;
END $$;

REVOKE ALL ON FUNCTION disclosure_contents, gate_pairs, disclosure_many FROM PUBLIC;
GRANT EXECUTE ON FUNCTION disclosure_many TO cirt_keeper, cirt_desk;
