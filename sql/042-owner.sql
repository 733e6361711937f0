-- What is somebody else's now is told to them and not to who had it; and less work for a mail of many rows.
SET LOCAL search_path = cirt, pg_temp;

-- Up to so many reports that have landed, all at once: many rows may hold one each. The last one keeps what is too much.
CREATE OR REPLACE FUNCTION notice_take(most int) RETURNS bigint[] LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[];
	upto bigint;
	last_id bigint;
	last_upto bigint;
BEGIN
	SELECT max(x.id), max(x.upto) INTO last_id, last_upto FROM (SELECT a.id, a.n, sum(a.n) OVER (ORDER BY a.id) AS upto
		FROM (SELECT b.id, cardinality(b.reports) AS n FROM notice_arrival b ORDER BY b.id LIMIT most) a) x WHERE x.upto - x.n < most;
	IF last_id IS NULL THEN
		RETURN '{}';
	END IF;
	WITH gone AS (DELETE FROM notice_arrival a WHERE a.id <= last_id RETURNING a.id, a.reports)
	SELECT array_agg(r ORDER BY g.id, n) INTO ids FROM gone g, unnest(g.reports) WITH ORDINALITY AS u(r, n);
	upto := cardinality(ids);
	IF upto > most THEN
		INSERT INTO notice_arrival (id, reports) OVERRIDING SYSTEM VALUE VALUES (last_id, ids[most + 1:]);
	END IF;
	RETURN coalesce(ids[1:most], '{}');
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
		-- What is in a mail, or was told not long ago, waits for its time; unless it is somebody else's now.
		fresh := ARRAY(SELECT DISTINCT f FROM unnest(fresh) AS f LEFT JOIN warning w ON w.report = f
			LEFT JOIN report r ON r.id = w.report LEFT JOIN report_status st ON st.report = w.report
			WHERE w.report IS NULL OR w.outcome NOT IN ('waiting', 'told')
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

-- Who was affected and is not any more is told nothing of it.
CREATE OR REPLACE FUNCTION disclosure_lets(d_report bigint, d_outbox bigint, d_form disclosure_form) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	o record;
	r record;
BEGIN
	SELECT b.state, b.recipient, b.address, b.approved_by, b.exercise, b.organisation INTO o FROM outbox b WHERE b.id = d_outbox;
	IF NOT FOUND OR o.state <> 'queued' THEN
		RETURN false;
	END IF;
	SELECT t.exercise, coalesce(st.organisation, t.organisation) AS organisation INTO r
		FROM report t LEFT JOIN report_status st ON st.report = t.id WHERE t.id = d_report;
	RETURN FOUND AND o.exercise = r.exercise AND (o.recipient <> 'affected' OR o.organisation IS NULL OR r.organisation IS NULL
			OR o.organisation = r.organisation)
		AND gate_lets(gate_report(d_report, o.recipient, o.address), d_form, cardinality(o.approved_by) >= 2);
END $$;

-- As before; a plan is made once and not for each row.
CREATE OR REPLACE FUNCTION disclosure_content(of_report bigint, form disclosure_form) RETURNS jsonb LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
DECLARE
	r record;
	st record;
	n record;
	o record;
	said jsonb;
BEGIN
	SELECT t.id, t.type, t.identifier, t.severity, t.first_seen, t.asn, t.country, t.malware, t.title, t.confidence, t.observables INTO r
		FROM report t WHERE t.id = of_report;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	SELECT s.severity, s.confidence INTO st FROM report_status s WHERE s.report = of_report;
	SELECT sum(g.count)::bigint AS count, min(g.first) AS first, max(g.last) AS last INTO n FROM sighting g WHERE g.report = of_report;
	SELECT coalesce((array_agg(u.value ORDER BY u.n) FILTER (WHERE u.kind = 'ip'))[1], '') AS ip,
			coalesce((array_agg(u.value ORDER BY u.n) FILTER (WHERE u.kind = 'name'))[1], '') AS name,
			coalesce((array_agg(u.value ORDER BY u.n) FILTER (WHERE u.kind = 'port'))[1], '') AS port INTO o
		FROM (SELECT x.n, split_part(x.o, ' ', 1) AS kind, substr(x.o, length(split_part(x.o, ' ', 1)) + 9) AS value
			FROM unnest(r.observables) WITH ORDINALITY AS x(o, n) WHERE split_part(x.o, ' ', 2) = 'source') u;
	said := jsonb_build_object('report', report_number(r.id), 'classification', r.type, 'class', rsit_class(r.type), 'identifier', r.identifier,
		'severity', severity_name(coalesce(st.severity, r.severity)), 'first', least(n.first, r.first_seen),
		'last', coalesce(n.last, r.first_seen), 'count', coalesce(n.count, 1), 'asn', r.asn, 'country', r.country,
		'ip', o.ip, 'name', o.name, 'port', o.port);
	IF form = 'full' THEN
		said := said || jsonb_build_object('malware', r.malware, 'title', report_title(r.title, r.type, r.identifier, r.malware, r.observables),
			'confidence', coalesce(st.confidence, r.confidence),
			'observables', to_jsonb(ARRAY(SELECT x FROM unnest(r.observables) AS x WHERE split_part(x, ' ', 2) <> 'reporter')));
	END IF;
	RETURN said;
END $$;
