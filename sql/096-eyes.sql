-- Who may read what: of a restricted case only its people, with all that came to it; TLP:RED only whom it is for. Nothing tells others so
-- much as that it is there.
SET LOCAL search_path = cirt, pg_temp;

-- What each role may read without being named. What is stricter is for who is named in its case, and from lead on.
CREATE TABLE role_reads (
	role operator_role PRIMARY KEY,
	most tlp NOT NULL
);
INSERT INTO role_reads (role, most) VALUES ('viewer', 'amber+strict'), ('trainee', 'amber+strict'), ('analyst', 'red'), ('lead', 'red'), ('admin', 'red');
GRANT SELECT ON role_reads TO cirt_desk, cirt_keeper;

-- Of an unknown role: what anybody may have.
CREATE FUNCTION role_most(of_role text) RETURNS tlp LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT most FROM role_reads WHERE role::text = of_role), 'clear')
$$;

-- ---- cases ----

CREATE INDEX cases_guarded ON cases (id) WHERE restricted OR tlp = 'red';

-- Whom a case names: its assignee and its members. Whoever watches has named himself.
CREATE FUNCTION case_names(which bigint, who text) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT EXISTS (SELECT FROM operator o WHERE o.name = who AND o.enabled
		AND (EXISTS (SELECT FROM cases c WHERE c.id = which AND c.assignee = o.id)
			OR EXISTS (SELECT FROM case_member m WHERE m.case_id = which AND m.operator = o.id)))
$$;

-- One case by itself, whatever it was merged into.
CREATE FUNCTION case_open_to(c cases, o operator) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(o.role IN ('lead', 'admin'), false) OR case_names(c.id, o.name) OR (c.tlp <> 'red' OR c.tlp <= role_most(o.role::text))
		AND (NOT c.restricted OR EXISTS (SELECT FROM case_watcher w WHERE w.case_id = c.id AND w.operator = o.id))
$$;

-- May this operator see and change this case? `who` is his name. What was merged is as closed as what it was merged into. False for a case
-- that there is not.
CREATE OR REPLACE FUNCTION case_may_see(which bigint, who text) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	o operator;
BEGIN
	SELECT * INTO c FROM cases WHERE id = which;
	IF c.id IS NULL OR NOT (c.restricted OR c.tlp = 'red' OR c.merged_into IS NOT NULL) THEN
		RETURN c.id IS NOT NULL;
	END IF;
	SELECT * INTO o FROM operator x WHERE x.name = who AND x.enabled;
	FOR step IN 1..100 LOOP
		IF NOT case_open_to(c, o) THEN
			RETURN false;
		END IF;
		EXIT WHEN c.merged_into IS NULL;
		SELECT * INTO c FROM cases WHERE id = c.merged_into;
	END LOOP;
	RETURN true;
END $$;

CREATE FUNCTION case_hides(which bigint) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN EXISTS (SELECT FROM cases c WHERE c.id IN (which, case_now(which)) AND c.restricted)
		THEN 'that case is restricted: its members and the lead see it'
		ELSE 'that case is TLP:RED: whom it names, analysts and the lead see it' END
$$;

CREATE OR REPLACE FUNCTION case_seen(named text, p jsonb) RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_named(named);
BEGIN
	IF p ->> 'role' IN ('lead', 'admin') OR case_may_see(which, p ->> 'operator') THEN
		RETURN which;
	END IF;
	RAISE EXCEPTION '%', case_hides(which) USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE FUNCTION case_of_row(which bigint, p jsonb) RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF which IS NOT NULL AND NOT (case_visible(which, p) AND case_visible(case_now(which), p)) THEN
		RAISE EXCEPTION '%', case_hides(which) USING ERRCODE = 'insufficient_privilege';
	END IF;
	RETURN which;
END $$;

-- ---- reports and mails ----

-- In such a case, or none, and of such a TLP.
CREATE FUNCTION tlp_may_see(in_case bigint, of_tlp tlp, who text, of_role text) RETURNS boolean LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
BEGIN
	IF of_role IN ('lead', 'admin') THEN
		RETURN true;
	ELSIF in_case IS NOT NULL AND NOT case_may_see(in_case, who) THEN
		RETURN false;
	END IF;
	RETURN of_tlp <> 'red' OR of_tlp <= role_most(of_role) OR in_case IS NOT NULL AND case_names(in_case, who);
END $$;

-- A report is as closed as the case that it is in.
CREATE FUNCTION report_may_see(which bigint, of_tlp tlp, who text, of_role text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	SELECT tlp_may_see((SELECT r.case_id FROM case_report r WHERE r.report = which AND r.ended IS NULL), of_tlp, who, of_role)
$$;

-- So is a mail, from the moment on that it is known where it belongs.
CREATE FUNCTION mail_may_see(which bigint, of_tlp tlp, who text, of_role text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	SELECT tlp_may_see(coalesce((SELECT l.case_id FROM case_letter l WHERE l.item = which),
		(SELECT q.case_id FROM case_letter_queue q WHERE q.item = which ORDER BY q.id LIMIT 1)), of_tlp, who, of_role)
$$;

-- By the number that reports and mails have in common. What has expired hides nothing.
CREATE FUNCTION landed_may_see(which bigint, who text, of_role text) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT report_may_see(r.id, r.tlp, who, of_role) FROM report r WHERE r.id = which),
		(SELECT mail_may_see(i.id, i.tlp, who, of_role) FROM item i WHERE i.id = which), true)
$$;

-- Of a filter or a list those that whoever asks may read. Sets may be large: what is guarded is looked for, not each one.
CREATE FUNCTION reports_seen(ids bigint[], p jsonb) RETURNS bigint[] LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	who text := p ->> 'operator';
	of_role text := p ->> 'role';
BEGIN
	IF of_role IN ('lead', 'admin') OR cardinality(ids) = 0 THEN
		RETURN ids;
	ELSIF cardinality(ids) <= 50 THEN
		RETURN ARRAY(SELECT i FROM unnest(ids) AS i WHERE landed_may_see(i, who, of_role) ORDER BY i);
	END IF;
	ids := ARRAY(SELECT i FROM unnest(ids) AS i EXCEPT SELECT r.report FROM case_report r JOIN cases c ON c.id = r.case_id
		WHERE r.report = ANY (ids) AND r.ended IS NULL AND (c.restricted OR c.tlp = 'red' OR c.merged_into IS NOT NULL) AND NOT case_may_see(c.id, who));
	IF role_most(of_role) < 'red' THEN
		ids := ARRAY(SELECT i FROM unnest(ids) AS i EXCEPT SELECT r.id FROM report r
			WHERE r.id = ANY (ids) AND r.tlp = 'red' AND NOT report_may_see(r.id, r.tlp, who, of_role));
	END IF;
	RETURN ARRAY(SELECT i FROM unnest(ids) AS i ORDER BY i);
END $$;

-- The report that is meant, if whoever asks may read it; else it is as if there were none.
CREATE FUNCTION report_seen(which bigint, p jsonb) RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF which IS NULL OR cardinality(reports_seen(ARRAY[which], p)) = 1 THEN
		RETURN which;
	END IF;
	RAISE EXCEPTION 'there is no report %', report_number(which) USING ERRCODE = 'no_data_found';
END $$;

-- Does a text name a case that this operator may not see?
CREATE FUNCTION names_hidden(said text, who text, of_role text) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT NOT coalesce(of_role IN ('lead', 'admin'), false) AND EXISTS (
		SELECT FROM regexp_matches(said, '\m[0-9]{4}-[0-9]{6,9}\M', 'g') AS m JOIN cases c ON c.number = m[1]
		WHERE NOT case_may_see(c.id, who))
$$;
CREATE FUNCTION tells_hidden(said text, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT names_hidden(said, p ->> 'operator', p ->> 'role')
$$;

-- ---- acts on reports ----

-- What was asked, if whoever asks may read all reports that it names.
CREATE FUNCTION asked_seen(p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM report_seen(value::bigint, p) FROM jsonb_array_elements_text(coalesce(p -> 'reports', '[]'));
	RETURN p;
END $$;

ALTER FUNCTION report_meant(jsonb, report_state[]) RENAME TO report_matched;
CREATE FUNCTION report_meant(p jsonb, states report_state[]) RETURNS bigint[] LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT reports_seen(report_matched(p, states), p)
$$;

-- ---- the inbox ----

CREATE OR REPLACE FUNCTION inbox_takes(c cases, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT c.state NOT IN ('closed', 'rejected', 'merged') AND case_visible(c.id, p)
$$;

-- As before, by the newest that whoever asks may read.
CREATE OR REPLACE FUNCTION inbox_line_json(l inbox_line, now_n bigint, p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	r report;
	first_at timestamptz;
BEGIN
	SELECT t.* INTO r FROM (SELECT i.report FROM inbox i WHERE i.line = l.id ORDER BY i.report DESC LIMIT 1000) i JOIN report t ON t.id = i.report
		WHERE report_may_see(t.id, t.tlp, p ->> 'operator', p ->> 'role') ORDER BY i.report DESC LIMIT 1;
	IF r.id IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT t.received INTO first_at FROM inbox i JOIN report t ON t.id = i.report WHERE i.line = l.id ORDER BY i.report LIMIT 1;
	RETURN jsonb_build_object('group', l.id, 'n', now_n, 'people', l.rank = 0, 'source', (SELECT x.name FROM source x WHERE x.id = l.source),
		'type', l.type, 'identifier', nullif(l.identifier, ''), 'severity', severity_name(nullif(l.severity, -1)), 'tlp', r.tlp,
		'exercise', (SELECT nullif(e.name, '') FROM exercise e WHERE e.id = l.exercise), 'newest', report_number(r.id), 'upto', r.id::text,
		'first', stamp(first_at), 'last', stamp(r.received),
		'what', CASE WHEN l.rank = 0 THEN CASE r.type WHEN 'undetermined' THEN '' ELSE r.type || ' ' END
				|| (SELECT CASE x.kind WHEN 'mailbox' THEN 'mail' ELSE coalesce(nullif(split_part(r.sender_id, ' ', 1), ''), 'by hand') END
					FROM source x WHERE x.id = l.source) || coalesce(' "' || nullif(left(r.title, 200), '') || '"', '')
			ELSE l.type || coalesce('/' || nullif(l.identifier, ''), '') END || CASE WHEN l.severity >= 60 THEN ' · ' || upper(severity_name(l.severity))
				ELSE '' END || CASE WHEN r.tlp >= 'amber+strict' THEN ' · TLP:' || upper(r.tlp::text) ELSE '' END,
		'whose', coalesce((SELECT o.name FROM organisation o WHERE o.id = l.owner), CASE WHEN l.organisations > 1 THEN l.organisations || ' organisations'
			ELSE (SELECT o.name FROM inbox_whose w JOIN organisation o ON o.id = w.organisation WHERE w.line = l.id AND w.n > 0 LIMIT 1) END),
		'from', nullif(observable_first(r.observables, '{email}', '{reporter}'), ''),
		'suggested', inbox_suggest(l, r, p));
END $$;

CREATE OR REPLACE FUNCTION desk_inbox_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	l inbox_line := inbox_named(p);
	most int := least(coalesce((p ->> 'limit')::int, 20), 200);
	line jsonb := inbox_line_json(l, inbox_count(l), p);
	shown bigint[];
BEGIN
	IF line IS NULL THEN
		RAISE EXCEPTION 'there is nothing new in line % of the inbox: cirt inbox', p ->> 'group' USING ERRCODE = 'no_data_found';
	END IF;
	shown := reports_seen(ARRAY(SELECT i.report FROM inbox i WHERE i.line = l.id ORDER BY i.report DESC LIMIT most), p);
	RETURN (line || jsonb_build_object(
		'organisations', (SELECT coalesce(jsonb_agg(jsonb_build_object('organisation', coalesce(o.name, '-'), 'n', w.n) ORDER BY w.n DESC, o.name), '[]')
			FROM (SELECT * FROM inbox_whose x WHERE x.line = l.id AND x.n > 0 ORDER BY x.n DESC LIMIT 20) w LEFT JOIN organisation o ON o.id = w.organisation),
		'text', (SELECT left(r.text, 4000) FROM report r WHERE r.id = (line ->> 'upto')::bigint),
		'items', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', v.number, 'severity', v.severity_name, 'received', stamp(v.received), 'count', v.count,
			'organisation', v.organisation, 'title', v.title) ORDER BY v.id DESC), '[]')
			FROM unnest(shown) AS i CROSS JOIN LATERAL (SELECT * FROM report_view w WHERE w.id = i OFFSET 0) v)))::json;
END $$;

-- ---- search ----

-- A mail of ours is as closed as the case that it was written in.
CREATE FUNCTION outbox_visible(o outbox, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT o.case_id IS NULL OR case_visible(o.case_id, p)
$$;

ALTER FUNCTION search_number(text, jsonb) RENAME TO search_numbered;
CREATE FUNCTION search_number(what text, p jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(jsonb_agg(f.found ORDER BY f.n), '[]') FROM jsonb_array_elements(search_numbered(what, p)) WITH ORDINALITY AS f (found, n)
	WHERE CASE f.found ->> 'kind'
		WHEN 'report' THEN landed_may_see(split_part(f.found ->> 'number', '-', 1)::bigint * 10000000000
			+ split_part(f.found ->> 'number', '-', 2)::bigint, p ->> 'operator', p ->> 'role')
		WHEN 'notice' THEN (SELECT outbox_visible(o, p) FROM outbox o WHERE o.number = f.found ->> 'number')
		ELSE true END
$$;

DROP FUNCTION search_notices(text, bigint[]);
CREATE FUNCTION search_notices(what text, found bigint[], p jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH o AS MATERIALIZED (SELECT o.id, o.number, o.state, o.address, o.sent, o.bounced, o.answered FROM outbox o WHERE o.state <> 'cancelled'
		AND (o.id IN (SELECT d.outbox FROM disclosure d WHERE d.report = ANY (found))
			OR (position('@' IN what) > 0 AND lower(o.address) = lower(what))) AND outbox_visible(o, p) ORDER BY o.id DESC LIMIT 200)
	SELECT jsonb_build_object('count', (SELECT count(*) FROM o), 'sent', (SELECT count(*) FROM o WHERE sent IS NOT NULL),
		'bounced', (SELECT count(*) FROM o WHERE bounced IS NOT NULL), 'answered', (SELECT count(*) FROM o WHERE answered IS NOT NULL),
		'last', (SELECT jsonb_build_object('number', l.number, 'address', l.address, 'state', l.state, 'sent', stamp(l.sent),
			'answered', stamp(l.answered)) FROM o l ORDER BY l.id DESC LIMIT 1))
$$;

CREATE OR REPLACE FUNCTION search_mails(what text, words text, keys bigint[], p jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH hit AS MATERIALIZED (
		(SELECT i.id FROM item i WHERE i.kind = 'correspondence' AND i.keys <> '{}' AND i.keys && search_mails.keys ORDER BY i.id DESC LIMIT 20)
		UNION (SELECT i.id FROM item i WHERE i.kind IN ('correspondence', 'spam') AND words <> ''
			AND report_words(i.title, i.text) @@ plainto_tsquery('simple', words) ORDER BY i.id DESC LIMIT 20)
		UNION (SELECT l.mail FROM letter l WHERE l.sender <> '' AND l.sender = lower(what) ORDER BY l.mail DESC LIMIT 20))
	SELECT coalesce(jsonb_agg(m.found ORDER BY m.id DESC), '[]') FROM (
		SELECT h.id, jsonb_build_object('id', report_number(h.id), 'title', coalesce(i.title, r.title), 'case', c.number, 'received',
			stamp(coalesce(i.received, r.received))) AS found
		FROM hit h LEFT JOIN item i ON i.id = h.id LEFT JOIN report r ON r.id = h.id LEFT JOIN case_letter l ON l.item = h.id
			LEFT JOIN cases c ON c.id = case_now(l.case_id)
		WHERE landed_may_see(h.id, p ->> 'operator', p ->> 'role')
			AND (i.id IS NOT NULL OR r.id IS NOT NULL) ORDER BY h.id DESC LIMIT 10) m
$$;

CREATE OR REPLACE FUNCTION desk_search(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('what', what, 'numbers', search_number(what, p), 'organisations', search_organisations(what),
		'cases', search_cases(what, p ->> 'words', found, p), 'reports', search_reports(found, (p ->> 'more')::boolean),
		'notices', search_notices(what, found, p), 'mails', search_mails(what, p ->> 'words', keys, p), 'people', search_people(what))
	FROM (SELECT btrim(p ->> 'what') AS what, ARRAY(SELECT v::bigint FROM jsonb_array_elements_text(p -> 'reports') v) AS found,
		ARRAY(SELECT v::bigint FROM jsonb_array_elements_text(p -> 'keys') v) AS keys) said
$$;

-- ---- mails of ours, questions to sources, what waits for a second person ----

-- A report by its number, as an answer says it.
CREATE FUNCTION report_told_seen(number text, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT number IS NULL OR number !~ '^[0-9]{6}-[0-9]{1,10}$' OR landed_may_see(split_part(number, '-', 1)::bigint * 10000000000
		+ split_part(number, '-', 2)::bigint, p ->> 'operator', p ->> 'role')
$$;

ALTER FUNCTION desk_notice_show(jsonb) RENAME TO notice_shown;
CREATE FUNCTION desk_notice_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox := notice_named(p ->> 'notice');
	shown jsonb;
BEGIN
	IF NOT outbox_visible(o, p) THEN
		RAISE EXCEPTION 'there is no mail %', o.number USING ERRCODE = 'no_data_found';
	END IF;
	shown := notice_shown(p);
	RETURN shown || jsonb_build_object('items', (SELECT coalesce(jsonb_agg(f.row ORDER BY f.n), '[]') FROM jsonb_array_elements(shown -> 'items')
		WITH ORDINALITY AS f (row, n) WHERE report_told_seen(f.row ->> 'report', p)));
END $$;

-- A thread without mails that are not for whoever asks.
CREATE FUNCTION thread_told(thread json, who text, of_role text) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(json_agg(f.row ORDER BY f.n), '[]') FROM json_array_elements(thread) WITH ORDINALITY AS f (row, n)
	WHERE report_told_seen(f.row ->> 'id', jsonb_build_object('operator', who, 'role', of_role))
$$;

ALTER FUNCTION desk_tlp_list(jsonb) RENAME TO tlp_listed;
CREATE FUNCTION desk_tlp_list(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_set(l, '{items}', (SELECT coalesce(jsonb_agg(f.row ORDER BY f.n), '[]') FROM jsonb_array_elements(l -> 'items') WITH ORDINALITY AS f (row, n)
		WHERE report_told_seen(f.row ->> 'report', p)))::json
	FROM (SELECT tlp_listed(p)::jsonb AS l) t
$$;

-- {all, limit, cursor}: what waits for a second person, the oldest first; with `all` what was answered too, the newest first.
CREATE OR REPLACE FUNCTION desk_approve_list(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := least(coalesce((p ->> 'limit')::int, 50), 1000);
	answer json;
BEGIN
	IF coalesce((p ->> 'all')::boolean, false) THEN
		SELECT json_build_object('items', coalesce(json_agg(approval_json(x.a) ORDER BY x.id DESC) FILTER (WHERE n <= most), '[]'),
				'next', min(x.id) FILTER (WHERE n <= most AND count > most)::text) INTO answer
			FROM (SELECT f.a, (f.a).id, row_number() OVER (ORDER BY (f.a).id DESC) AS n, count(*) OVER () AS count FROM (SELECT t AS a FROM approval t
				WHERE t.id < coalesce((p ->> 'cursor')::bigint, t.id + 1) AND approval_visible(t.object, p) ORDER BY t.id DESC LIMIT most + 1) f) x;
	ELSE
		SELECT json_build_object('items', coalesce(json_agg(x.item ORDER BY x.at, x.item ->> 'approval'), '[]'), 'next', NULL) INTO answer
			FROM (SELECT approval_json(t) AS item, t.asked AS at FROM approval t WHERE t.state IN ('asked', 'countersign') AND approval_visible(t.object, p)
				UNION ALL SELECT approval_of_mail(o), o.created FROM outbox o WHERE o.state = 'held' AND o.approvals > cardinality(o.approved_by)
					AND outbox_visible(o, p) ORDER BY 2 LIMIT most) x;
	END IF;
	RETURN answer;
END $$;

-- ---- evidence ----

-- Wherever it stands in what this operator may read he may have it. What is held and stands nowhere any more has outlived its report.
CREATE OR REPLACE FUNCTION evidence_may_see(of_digest bytea, p jsonb) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN p ->> 'role' IN ('lead', 'admin')
		OR EXISTS (SELECT FROM case_evidence h WHERE h.digest = of_digest AND case_may_see(h.case_id, p ->> 'operator'))
		OR EXISTS (SELECT FROM attachment a WHERE a.digest = of_digest AND landed_may_see(a.report, p ->> 'operator', p ->> 'role'))
		OR NOT EXISTS (SELECT FROM case_evidence h WHERE h.digest = of_digest) AND NOT EXISTS (SELECT FROM attachment a WHERE a.digest = of_digest);
END $$;

ALTER FUNCTION desk_evidence_list(jsonb) RENAME TO evidence_listed;
CREATE FUNCTION desk_evidence_list(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_set(l, '{items}', (SELECT coalesce(jsonb_agg(f.row ORDER BY f.n), '[]') FROM jsonb_array_elements(l -> 'items') WITH ORDINALITY AS f (row, n)
		WHERE report_told_seen(f.row ->> 'report', p)))::json
	FROM (SELECT evidence_listed(asked_seen(p))::jsonb AS l) t
$$;

-- Of a file that stands in several cases, nothing of those that whoever asks may not see.
ALTER FUNCTION desk_evidence_show(jsonb) RENAME TO evidence_shown;
CREATE FUNCTION desk_evidence_show(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT (e || jsonb_build_object(
		'acquired', (SELECT coalesce(jsonb_agg(f.row ORDER BY f.n), '[]') FROM jsonb_array_elements(e -> 'acquired') WITH ORDINALITY AS f (row, n)
			WHERE report_told_seen(f.row ->> 'report', p)),
		'verdicts', (SELECT coalesce(jsonb_agg(f.row ORDER BY f.n), '[]') FROM jsonb_array_elements(e -> 'verdicts') WITH ORDINALITY AS f (row, n)
			WHERE report_told_seen(f.row ->> 'report', p)),
		'custody', (SELECT coalesce(jsonb_agg(CASE WHEN tells_hidden(f.row ->> 'details', p) THEN f.row - 'details' ELSE f.row END ORDER BY f.n), '[]')
			FROM jsonb_array_elements(e -> 'custody') WITH ORDINALITY AS f (row, n))))::json
	FROM (SELECT evidence_shown(p)::jsonb AS e) t
$$;

-- What was found in it again, by later rules.
CREATE OR REPLACE FUNCTION rescan_may_see(m rescan_match, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT p ->> 'role' IN ('lead', 'admin')
		OR (m.evidence IS NOT NULL AND case_may_see((SELECT h.case_id FROM case_evidence h WHERE h.id = m.evidence), p ->> 'operator'))
		OR (m.report IS NOT NULL AND landed_may_see(m.report, p ->> 'operator', p ->> 'role'))
$$;

-- ---- the journal, acts, alarms ----

-- A row is as closed as what it is about; and what names a case that somebody may not see is not for him.
CREATE OR REPLACE FUNCTION journal_visible(object text, after text, p jsonb) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	of_case bigint;
BEGIN
	IF p ->> 'role' IN ('lead', 'admin') THEN
		RETURN true;
	END IF;
	of_case := journal_case(object, after);
	IF of_case IS NOT NULL THEN
		RETURN case_may_see(of_case, p ->> 'operator');
	ELSIF object ~ '^report/[0-9]{16,18}$' AND NOT landed_may_see(substr(object, 8)::bigint, p ->> 'operator', p ->> 'role') THEN
		RETURN false;
	END IF;
	RETURN NOT tells_hidden(object || ' ' || left(coalesce(after, ''), 100000), p);
END $$;

-- What the journal of a case says to people, without what it says of other cases.
CREATE FUNCTION journal_told(said text, who text, of_role text) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN names_hidden(said, who, of_role) THEN regexp_replace(said, '\m[0-9]{4}-[0-9]{6,9}\M', '-', 'g') ELSE said END
$$;

ALTER FUNCTION desk_journal(jsonb) RENAME TO journal_listed;
CREATE FUNCTION desk_journal(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	answer jsonb;
BEGIN
	IF p ->> 'object' ~ '^(case/)?([0-9]{4}-)?[0-9]{1,9}$' THEN
		PERFORM case_seen(regexp_replace(p ->> 'object', '^case/', ''), p);
	END IF;
	answer := journal_listed(p)::jsonb;
	RETURN jsonb_set(answer, '{items}', (SELECT coalesce(jsonb_agg(jsonb_set(f.row, '{what}',
			coalesce(to_jsonb(journal_told(f.row ->> 'what', p ->> 'operator', p ->> 'role')), 'null')) ORDER BY f.n), '[]')
		FROM jsonb_array_elements(answer -> 'items') WITH ORDINALITY AS f (row, n)));
END $$;

-- An act is as closed as what it was done to. One's own one knows.
CREATE FUNCTION act_visible(a act, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT p ->> 'role' IN ('lead', 'admin') OR a.actor = p ->> 'operator' OR NOT tells_hidden(a.what, p)
		AND NOT EXISTS (SELECT FROM outbox o WHERE o.id = (a.undo ->> 'outbox')::bigint AND NOT outbox_visible(o, p))
		AND NOT EXISTS (SELECT FROM ask k WHERE k.id = (a.undo ->> 'ask')::int AND k.case_id IS NOT NULL AND NOT case_visible(k.case_id, p))
$$;

ALTER FUNCTION desk_undo(jsonb) RENAME TO undo_asked;
CREATE FUNCTION desk_undo(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	answer jsonb := undo_asked(p);
BEGIN
	IF NOT answer ? 'items' THEN
		RETURN answer;
	END IF;
	RETURN jsonb_set(answer, '{items}', (SELECT coalesce(jsonb_agg(f.row ORDER BY f.n), '[]') FROM jsonb_array_elements(answer -> 'items')
		WITH ORDINALITY AS f (row, n) JOIN act a ON a.id = (f.row ->> 'act')::bigint WHERE act_visible(a, p)));
END $$;

CREATE FUNCTION alarm_visible(a alarm, who text, of_role text) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT NOT names_hidden(a.subject || ' ' || a.text, who, of_role)
$$;

-- What `cirt today` says of alarms.
CREATE FUNCTION alarms_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('open', (SELECT count(*) FROM (SELECT FROM alarm x WHERE x.ended IS NULL
			AND alarm_visible(x, p ->> 'operator', p ->> 'role') LIMIT 10000) n),
		'items', coalesce(json_agg(json_build_object('id', a.id, 'kind', a.kind, 'subject', a.subject, 'text', a.text, 'raised', stamp(a.raised))
			ORDER BY a.last DESC), '[]'))
	FROM (SELECT * FROM alarm x WHERE x.ended IS NULL AND alarm_visible(x, p ->> 'operator', p ->> 'role') ORDER BY x.last DESC LIMIT 3) a
$$;

-- ---- campaigns ----

-- The number of a campaign, for who may see it.
CREATE FUNCTION campaign_shown(number text, who text, of_role text) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT c.number FROM cases c WHERE c.number = campaign_shown.number AND (of_role IN ('lead', 'admin') OR case_may_see(c.id, who))
$$;

-- {number}
CREATE OR REPLACE FUNCTION desk_campaign_show(p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_asked(p);
BEGIN
	-- Who names one of its cases means the campaign, if he may see it.
	which := coalesce((SELECT campaign FROM cases c WHERE c.id = which AND case_visible(c.campaign, p)), which);
	RETURN campaign_json(which) || jsonb_build_object('items', (SELECT coalesce(jsonb_agg(jsonb_build_object('number', m.number, 'title', m.title,
			'state', m.state, 'severity', severity_name(m.severity), 'tlp', m.tlp, 'assignee', o.name, 'organisation', g.name) ORDER BY m.id DESC), '[]')
		FROM (SELECT * FROM cases c WHERE c.campaign = which AND (NOT (c.restricted OR c.tlp = 'red' OR c.merged_into IS NOT NULL) OR case_visible(c.id, p))
			ORDER BY c.id DESC LIMIT 500) m
		LEFT JOIN operator o ON o.id = m.assignee LEFT JOIN organisation g ON g.id = m.organisation));
END $$;

-- ---- merging ----

-- What is restricted is not merged into what everybody sees: all of it would be shown there.
CREATE FUNCTION case_merge_fits(a cases, b cases) RETURNS void LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF a.restricted AND NOT b.restricted THEN
		RAISE EXCEPTION '% is restricted and % is not: cirt case restrict % first, or merge % into %', a.number, b.number, b.number, b.number, a.number
			USING ERRCODE = 'check_violation';
	END IF;
END $$;

ALTER FUNCTION case_merge(text, text, text) RENAME TO case_merge_asked;
CREATE FUNCTION case_merge(named text, into_named text, why text) RETURNS bigint LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a cases;
	b cases;
BEGIN
	SELECT * INTO a FROM cases WHERE id = case_named(named);
	SELECT * INTO b FROM cases WHERE id = case_named(into_named);
	PERFORM case_merge_fits(a, b);
	PERFORM case_merge_asked(named, into_named, why);
	-- The stricter TLP stands for the whole, and after it is taken apart.
	UPDATE cases SET tlp = a.tlp WHERE id = b.id AND tlp < a.tlp;
	RETURN a.id;
END $$;

ALTER FUNCTION desk_case_unrestrict(jsonb) RENAME TO case_unrestrict_asked;
CREATE FUNCTION desk_case_unrestrict(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_seen(p ->> 'number', p);
	inside text := (SELECT string_agg(c.number, ', ' ORDER BY c.id) FROM cases c WHERE c.id = ANY (case_whole(which)) AND c.id <> which AND c.restricted);
BEGIN
	IF inside IS NOT NULL THEN
		RAISE EXCEPTION 'what was merged into it is restricted: take it out first (cirt case split %)', inside USING ERRCODE = 'check_violation';
	END IF;
	RETURN case_unrestrict_asked(p);
END $$;

ALTER FUNCTION desk_approve_show(jsonb) RENAME TO approve_shown;
CREATE FUNCTION desk_approve_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF upper(p ->> 'approval') ~ '^N[0-9]{4}-' AND NOT outbox_visible(notice_named(p ->> 'approval'), p) THEN
		RAISE EXCEPTION 'there is no mail %', p ->> 'approval' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN approve_shown(p);
END $$;

REVOKE ALL ON FUNCTION role_most, case_names, case_open_to, case_hides, tlp_may_see, report_may_see, mail_may_see, landed_may_see, reports_seen,
	report_seen, names_hidden, tells_hidden, asked_seen, report_meant, outbox_visible, search_number, search_notices, report_told_seen, thread_told, desk_notice_show,
	desk_tlp_list, desk_approve_show, desk_evidence_list, desk_evidence_show, journal_told, desk_journal, act_visible, desk_undo,
	alarm_visible, alarms_today, campaign_shown, case_merge_fits, case_merge, desk_case_unrestrict FROM PUBLIC;
GRANT EXECUTE ON FUNCTION role_most, case_names, case_open_to, case_hides, tlp_may_see, report_may_see, mail_may_see, landed_may_see, reports_seen,
	report_seen, names_hidden, tells_hidden, asked_seen, report_meant, outbox_visible, search_number, search_notices, report_told_seen, thread_told, desk_notice_show,
	desk_tlp_list, desk_approve_show, desk_evidence_list, desk_evidence_show, journal_told, desk_journal, act_visible, desk_undo,
	alarm_visible, alarms_today, campaign_shown, case_merge_fits, case_merge, desk_case_unrestrict TO cirt_desk;
GRANT EXECUTE ON FUNCTION role_most, case_names, case_open_to TO cirt_keeper;
