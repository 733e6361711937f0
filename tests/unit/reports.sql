-- States of reports and what else is said of them, one and many, and undo: each block a test; run as cirt_desk after rows made by the
-- owner. A failed ASSERT ends it.
\set ON_ERROR_STOP 1
SET search_path = cirt, test, pg_temp;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA test;
GRANT ALL ON SCHEMA test TO cirt_owner, cirt_keeper, cirt_desk;
SET ROLE cirt_owner;
CREATE TABLE test.made (name text PRIMARY KEY, id bigint);
CREATE FUNCTION test.land(named text, source_name text, of_type rsit_type, what text, host text, of_organisation text DEFAULT NULL,
	grave int DEFAULT 50, of_exercise int DEFAULT 0, said text DEFAULT '', subject text DEFAULT '', spread int DEFAULT 1) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT * FROM report_ids(to_char(timezone('UTC', now()), 'YYYYMM')::int, spread));
BEGIN
	INSERT INTO report SELECT i, now(), now(), 1, NULL, 0, gen_random_uuid(), gen_random_uuid(), s.id, 0, of_exercise,
			(SELECT id FROM organisation WHERE name = of_organisation), 0, of_type, 'amber', 'amber', grave, 50, s.trust, 1, 'r', 'k', '',
			what, '', '', subject, said, '', ARRAY['ip source ' || host], '{}', '{}', '{}'
		FROM source s, unnest(ids) AS i WHERE s.name = source_name;
	INSERT INTO sighting SELECT i, now()::date, s.id, 1, 1, now(), now() FROM source s, unnest(ids) AS i WHERE s.name = source_name;
	INSERT INTO arrival AS a (month, minute, first_id) VALUES (to_char(timezone('UTC', now()), 'YYYYMM')::int, date_trunc('minute', now()), ids[1])
		ON CONFLICT (month, minute) DO UPDATE SET first_id = least(a.first_id, excluded.first_id);
	INSERT INTO test.made VALUES (named, ids[1]);
	RETURN ids[1];
END $$;
CREATE FUNCTION test.id(named text) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS $$ SELECT id FROM test.made WHERE name = named $$;
CREATE FUNCTION test.state(named text) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
	SELECT concat_ws(' ', coalesce(st.state, 'new'), st.reject_reason, n.number) FROM report r LEFT JOIN report_status st ON st.report = r.id
		LEFT JOIN case_report c ON c.report = r.id AND c.ended IS NULL LEFT JOIN cases n ON n.id = c.case_id WHERE r.id = test.id(named) $$;
CREATE FUNCTION test.p(VARIADIC named text[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('operator', 'op4', 'role', 'analyst', 'reports', (SELECT jsonb_agg(test.id(n)) FROM unnest(named) AS n)) $$;
CREATE FUNCTION test.filter(VARIADIC words text[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_object(words) || '{"operator": "op4", "role": "analyst"}' $$;
CREATE FUNCTION test.undo() RETURNS text LANGUAGE sql AS $$ SELECT desk_undo('{"operator": "op4", "role": "analyst"}') ->> 'said' $$;
-- The SQLSTATE and text with which a statement is refused.
CREATE FUNCTION test.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_keeper, cirt_desk;

INSERT INTO node (name) VALUES ('n');
INSERT INTO exercise (id, name) VALUES (7, 'blue');
INSERT INTO source (id, name, kind) VALUES (101, 'shadow', 'feed'), (102, 'other', 'feed');
INSERT INTO organisation (name, criticality, kind) VALUES ('Bank', 'critical', 'bank'), ('Uni', 'normal', 'education');
SELECT set_config('cirt.actor', 'op4', false);
INSERT INTO cases (title, state, severity) VALUES ('a wave', 'open', 40), ('another', 'open', 40), ('over', 'new', 10);
INSERT INTO cases (title, exercise) VALUES ('a drill', 7);
UPDATE cases SET state = 'rejected', reason = 'x' WHERE title = 'over';
SELECT test.land('a', 'shadow', 'vulnerable-system', 'open-rdp', '192.0.2.1', 'Bank'), test.land('b', 'shadow', 'vulnerable-system', 'open-rdp', '192.0.2.2', 'Uni'),
	test.land('c', 'other', 'vulnerable-system', 'open-rdp', '192.0.2.3', 'Uni', 85), test.land('d', 'shadow', 'phishing', '', '192.0.2.4'),
	test.land('drill', 'shadow', 'vulnerable-system', 'open-rdp', '192.0.2.5', NULL, 50, 7);
SET ROLE cirt_desk;

-- What was done since in a case and is not taken back: nothing older goes in its place, unless it is named.
DO $$
BEGIN
	PERFORM desk_report_reject(test.p('c') || '{"reason": "spam"}');
	SET LOCAL ROLE NONE;
	UPDATE cirt.act SET at = at - interval '1 minute';
	SET LOCAL ROLE cirt_desk;
	PERFORM desk_case_set('{"operator": "op4", "role": "analyst", "number": "2", "title": "another wave"}');
	ASSERT test.refused($q$SELECT test.undo()$q$) LIKE '23514 what you did last, in %-000002, is not taken back by undo; what you did before it is: cirt undo % (1 report rejected%';
	ASSERT test.state('c') = 'rejected spam';
	ASSERT desk_undo(test.filter('act', (SELECT max(id)::text FROM act))) ->> 'said' = '1 report as before' AND test.state('c') = 'new';
END $$;

DO $$
BEGIN
	-- Named ones: linked, refused twice, unlinked, and back each time.
	ASSERT desk_report_link(test.p('a', 'b') || '{"case": "1"}') ->> 'what' LIKE '2 reports linked to %-000001';
	ASSERT test.state('a') LIKE 'linked %-000001';
	ASSERT test.refused($q$SELECT desk_report_link(test.p('a') || '{"case": "2"}')$q$) LIKE '23514 report % is linked in %-000001; from there: cirt report unlink';
	ASSERT test.refused($q$SELECT desk_report_reject(test.p('a', 'd') || '{"reason": "spam"}')$q$) LIKE '23514 report % is linked%';
	ASSERT test.state('d') = 'new', 'an act on many does all of it or nothing';
	ASSERT test.undo() = '2 reports as before';
	ASSERT test.state('a') = 'new' AND test.state('b') = 'new';
	PERFORM desk_report_link(test.p('a') || '{"case": "1"}');
	PERFORM desk_report_unlink(test.p('a'));
	ASSERT test.state('a') = 'new';
	ASSERT test.undo() = '1 report as before' AND test.state('a') LIKE 'linked %-000001';
	ASSERT (SELECT reports FROM case_tally WHERE case_id = 1) = 1, 'the tally follows';
	PERFORM desk_report_unlink(test.p('a'));
	ASSERT test.refused($q$SELECT desk_report_unlink(test.p('a'))$q$) LIKE '23514%';
END $$;

DO $$
BEGIN
	-- What is graver raises its case; a drill, a closed case and a case that is not there are refused.
	PERFORM desk_report_link(test.p('c') || '{"case": "2"}');
	ASSERT (SELECT severity FROM cases WHERE id = 2) = 85;
	PERFORM test.undo();
	ASSERT test.refused($q$SELECT desk_report_link(test.p('drill') || '{"case": "1"}')$q$) LIKE '23514 a drill and what is real%';
	ASSERT test.refused($q$SELECT desk_report_link(test.p('a') || '{"case": "3"}')$q$) LIKE '23514 %-000003 is rejected: cirt case move%';
	ASSERT test.refused($q$SELECT desk_report_link(test.p('a') || '{"case": "77"}')$q$) LIKE 'P0002 there is no case 77';
	ASSERT test.refused($q$SELECT desk_report_link('{"reports": [202601000000999999], "case": "1"}')$q$) LIKE 'P0002 there is no report%';
	ASSERT test.refused($q$SELECT desk_report_link('{"case": "1"}')$q$) LIKE '22023 name reports, or say which%';
END $$;

DO $$
DECLARE
	n bigint := (SELECT count(*) FROM journal);
BEGIN
	-- A filter: counted first, then done, in one row of the journal.
	ASSERT (desk_report_reject(test.filter('type', 'vulnerable-system', 'identifier', 'OPEN-RDP', 'reason', 'false-alarm', 'dry_run', 'true'))
		->> 'reports')::int = 4;
	ASSERT test.state('a') = 'new' AND (SELECT count(*) FROM journal) = n, 'a preview changes nothing';
	ASSERT desk_report_reject(test.filter('type', 'vulnerable-system', 'org', 'Uni', 'reason', 'false-alarm')) ->> 'what'
		= '2 reports rejected: false-alarm';
	ASSERT test.state('b') = 'rejected false-alarm' AND test.state('a') = 'new';
	ASSERT (SELECT count(*) FROM journal) = n + 1;
	ASSERT (SELECT after::jsonb ->> 'count' FROM journal ORDER BY id DESC LIMIT 1) = '2';
	ASSERT (desk_report_reject(test.filter('source', 'other', 'severity', 'high', 'state', 'rejected', 'reason', 'spam')) ->> 'reports')::int = 0;
	-- What has changed since stays as it is.
	PERFORM desk_report_reopen(test.p('b'));
	ASSERT desk_undo(test.filter('act', (SELECT max(id)::text FROM act WHERE what LIKE '2 reports rejected%'))) ->> 'said'
		= '1 report as before, 1 changed since: they stay as they are';
	ASSERT test.state('c') = 'new';
	ASSERT test.refused($q$SELECT desk_report_reject(test.p('a') || '{"reason": "boring"}')$q$) LIKE '22023 reason: expected spam%';
	ASSERT test.refused($q$SELECT desk_report_reject(test.filter('source', 'nowhere', 'reason', 'spam'))$q$) LIKE 'P0002 there is no source%';
	ASSERT test.refused($q$SELECT desk_report_answered(test.filter('type', 'nonsense'))$q$) LIKE '22023 type:%';
	ASSERT test.refused($q$SELECT desk_report_answered(test.filter('severity', 'nonsense'))$q$) LIKE '22023 severity:%';
	ASSERT test.refused($q$SELECT desk_report_answered(test.filter('state', 'nonsense'))$q$) LIKE '22023 state:%';
END $$;

DO $$
BEGIN
	-- Answered, reopened; one in a case is linked again. The database knows no other way, whoever asks.
	PERFORM desk_report_answered(test.p('d'));
	ASSERT test.state('d') = 'answered';
	PERFORM desk_report_link(test.p('d') || '{"case": "1"}');
	ASSERT test.state('d') LIKE 'answered %-000001';
	PERFORM desk_report_reopen(test.p('d'));
	ASSERT test.state('d') LIKE 'linked %-000001';
	ASSERT test.undo() = '1 report as before' AND test.state('d') LIKE 'answered %-000001';
	ASSERT reports_answered(ARRAY[test.id('a'), test.id('d')]) = 1;
	PERFORM desk_report_reopen(test.p('a'));
	PERFORM desk_report_reject(test.p('a') || '{"reason": "test"}');
	ASSERT test.refused($q$UPDATE report_status SET state = 'linked', reject_reason = NULL WHERE report = test.id('a')$q$)
		LIKE '23514 report % does not go from rejected to linked';
	ASSERT reports_answered(ARRAY[test.id('a')]) = 0 AND test.state('a') = 'rejected test';
	PERFORM test.undo();
END $$;

DO $$
BEGIN
	-- What it is, whose it is, its tags.
	ASSERT desk_report_reclassify(test.filter('type', 'vulnerable-system', 'org', 'Uni', 'class', 'ddos-amplifier', 'as_identifier', 'open-ntp'))
		->> 'what' = '2 reports classified as ddos-amplifier/open-ntp';
	ASSERT (SELECT classification || identifier FROM report_view WHERE id = test.id('b')) = 'ddos-amplifieropen-ntp';
	PERFORM desk_report_reclassify(test.p('b') || '{"class": "scanner"}');
	ASSERT desk_undo(test.filter('act', (SELECT max(id)::text FROM act WHERE what LIKE '2 reports class%'))) ->> 'said'
		= '1 report as before, 1 changed since: they stay as they are';
	ASSERT (SELECT classification || identifier FROM report_view WHERE id = test.id('c')) = 'vulnerable-systemopen-rdp';
	ASSERT test.refused($q$SELECT desk_report_reclassify(test.p('b') || '{"class": "odd"}')$q$) LIKE '22023 class:%';

	ASSERT desk_report_reassign(test.p('a', 'b') || '{"organisation": "Uni"}') ->> 'what' = '1 report of Uni now', 'b was theirs';
	ASSERT (SELECT organisation FROM report_view WHERE id = test.id('a')) = 'Uni';
	ASSERT (SELECT assigned FROM report_status WHERE report = test.id('a'));
	PERFORM test.undo();
	ASSERT (SELECT organisation FROM report_view WHERE id = test.id('a')) = 'Bank';
	ASSERT desk_report_reassign(test.p('a') || '{"organisation": "-"}') ->> 'what' = '1 report nobody''s now';
	PERFORM test.undo();
	ASSERT test.refused($q$SELECT desk_report_reassign(test.p('a') || '{"organisation": "Nobody Ltd"}')$q$) LIKE 'P0002%';

	ASSERT desk_report_retag(test.p('a', 'b') || '{"add": "ransomware, press"}') ->> 'what' = '2 reports tagged +press +ransomware';
	ASSERT desk_report_retag(test.p('a') || '{"remove": "press"}') ->> 'what' = '1 report tagged -press';
	ASSERT (SELECT tags FROM report WHERE id = test.id('a')) = '{ransomware}';
	PERFORM test.undo();
	ASSERT (SELECT tags FROM report WHERE id = test.id('a')) = '{press,ransomware}';
	ASSERT test.refused($q$SELECT desk_report_retag(test.p('a') || '{"add": "made-up"}')$q$) LIKE 'P0002 there is no tag%';
	ASSERT test.refused($q$SELECT desk_report_retag(test.p('a'))$q$) LIKE '22023 say which tags%';
END $$;

DO $$
BEGIN
	-- Whose act it is, and how long.
	ASSERT test.refused($q$SELECT desk_undo('{"operator": "op5", "role": "analyst"}')$q$) LIKE 'P0002 there is nothing of yours to undo';
	ASSERT test.refused($q$SELECT desk_undo('{"operator": "op5", "role": "analyst", "act": "1"}')$q$) LIKE '42501 act 1 is op4%';
	ASSERT test.refused($q$SELECT desk_undo('{"operator": "op4", "role": "analyst", "act": "1"}')$q$) LIKE '23514 act 1 was undone by op4%';
	ASSERT test.refused($q$SELECT desk_undo('{"operator": "op4", "role": "analyst", "act": "x"}')$q$) LIKE '22023 an act is known by%';
	ASSERT test.refused($q$SELECT act_put('report', 'x', 'pg_sleep', '{}')$q$) LIKE '23503%', 'only what is listed undoes';
	PERFORM act_put('mail', 'a mail', 'report_undo', '{}', now() - interval '1 second');
	ASSERT test.refused($q$SELECT desk_undo('{"operator": "op4", "role": "analyst"}')$q$) LIKE '23514 act % (a mail) could be undone until % only%';
	ASSERT test.refused($q$SELECT desk_undo('{"operator": "op4", "role": "analyst"}')$q$) ~ 'until \w{3} \d\d \w{3} \d{4} \d\d:\d\d UTC only', 'a time that people read';
	ASSERT json_array_length(desk_undo('{"list": true, "operator": "op4", "role": "analyst", "limit": 3}') -> 'items') = 3;
	ASSERT test.refused($q$UPDATE act SET undone = now()$q$) LIKE '42501%' AND test.refused($q$DELETE FROM act_report$q$) LIKE '42501%';
END $$;

-- ---- the inbox ----

SET ROLE cirt_owner;
CREATE FUNCTION test.sort() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
	SELECT inbox_refill(); SELECT keeper_inbox(5000); SELECT keeper_inbox(5000) $$;
-- 'n what whose suggested' of each line of the inbox.
CREATE FUNCTION test.inbox(narrow text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' | ', i ->> 'n', i ->> 'what', i ->> 'whose', i -> 'suggested' ->> 'text'), E'\n')
	FROM json_array_elements(desk_inbox(jsonb_strip_nulls(jsonb_build_object('operator', 'op4', 'role', 'analyst', 'what', narrow))) -> 'items') AS i $$;
CREATE FUNCTION test.line(like_what text) RETURNS text LANGUAGE sql AS $$
	SELECT i ->> 'group' FROM json_array_elements(desk_inbox('{"operator": "op4", "role": "analyst"}') -> 'items') AS i WHERE i ->> 'what' LIKE like_what LIMIT 1 $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_keeper, cirt_desk;
UPDATE report_status SET state = 'rejected', reject_reason = 'test' WHERE state IN ('new', 'noticed', 'answered');
INSERT INTO report_status (report, state, reject_reason) SELECT id, 'rejected', 'test' FROM report ON CONFLICT DO NOTHING;
INSERT INTO organisation (name, kind) VALUES ('Ministry', 'government');
DO $$
BEGIN
	PERFORM test.land('rdp', 'shadow', 'vulnerable-system', 'open-rdp', '192.0.2.11', 'Bank', 50, 0, '', '', 3),
		test.land('rdp-uni', 'shadow', 'vulnerable-system', 'open-rdp', '192.0.2.12', 'Uni', 50, 0, '', '', 2),
		test.land('lumma', 'shadow', 'infected-system', 'lumma', '192.0.2.13', 'Ministry', 65, 0, '', '', 3),
		test.land('mail1', 'report', 'phishing', '', '192.0.2.14', 'Bank', 50, 0, 'Hello', 'Your parcel 4711'),
		test.land('mail2', 'report', 'phishing', '', '192.0.2.15', 'Bank', 50, 0, 'Hello', 'Fwd: [list] Your parcel 4712'),
		test.land('mail3', 'report', 'undetermined', '', '192.0.2.16', NULL, 50, 0, 'Hello', 'Question');
	PERFORM test.sort();
END $$;
SET ROLE cirt_desk;

DO $$
DECLARE
	said json;
BEGIN
	ASSERT test.inbox() LIKE E'1 | mail "Question"%\n2 | phishing mail "Fwd: [list] Your parcel 4712" | Bank | open (names Bank)\n'
		'3 | infected-system/lumma · HIGH | Ministry | open (government + compromised)\n5 | vulnerable-system/open-rdp | 2 organisations | %',
		test.inbox();
	ASSERT test.inbox('people') NOT LIKE '%open-rdp%' AND test.inbox('feeds') NOT LIKE '%parcel%' AND test.inbox('shadow') LIKE '%lumma%';
	ASSERT test.refused($q$SELECT test.inbox('nobody')$q$) LIKE 'P0002 the inbox is narrowed by%';
	-- A line goes as one, and comes back as one.
	said := desk_inbox_reject(test.filter('group', test.line('%open-rdp'), 'reason', 'false-alarm'));
	ASSERT said ->> 'what' = '5 reports rejected: false-alarm', said::text;
	ASSERT test.inbox() NOT LIKE '%open-rdp%', 'the keeper has not summed it up yet';
	PERFORM test.undo();
	ASSERT test.inbox() LIKE '%5 | vulnerable-system/open-rdp%';
	-- Of one organisation only; then the counts follow.
	ASSERT desk_inbox_reject(test.filter('group', test.line('%open-rdp'), 'reason', 'not-ours', 'org', 'Uni')) ->> 'what' = '2 reports rejected: not-ours';
	ASSERT test.inbox() LIKE '%3 | vulnerable-system/open-rdp%';
	ASSERT test.refused(format($q$SELECT desk_inbox_reject(test.filter('group', %L))$q$, test.line('%open-rdp'))) LIKE '22023 reason:%';
	ASSERT test.refused(format($q$SELECT desk_inbox_link(test.filter('group', %L))$q$, test.line('%open-rdp'))) LIKE '22023 no case is suggested%';
	ASSERT test.refused($q$SELECT desk_inbox_open(test.filter('group', '999'))$q$) LIKE 'P0002 there is nothing new%';
	ASSERT test.refused($q$SELECT desk_inbox_open(test.filter('group', '1 OR 1'))$q$) LIKE '22023%';
END $$;

DO $$
DECLARE
	said json := desk_inbox_open(test.filter('group', test.line('infected%')));
	number text := said ->> 'number';
BEGIN
	ASSERT (SELECT state || ' ' || severity || ' ' || (SELECT name FROM operator o WHERE o.id = c.assignee) FROM cases c WHERE c.number = said ->> 'number')
		= 'open 65 op4';
	ASSERT test.state('lumma') = 'linked ' || number;
	ASSERT test.undo() = '3 reports as before; ' || number || ' is rejected';
	ASSERT test.inbox() LIKE '%3 | infected-system/lumma%';
	-- What came after the list that somebody looks at is not acted on.
	ASSERT (desk_inbox_open(test.filter('group', test.line('infected%'), 'upto', test.id('lumma')::text)) ->> 'reports')::int = 1;
	PERFORM test.undo();
END $$;

-- Suggested: the thread, the same kit, what it is a relapse of, the same host.
SET ROLE cirt_owner;
INSERT INTO report_link (a, b, kind, score) VALUES (test.id('mail2'), test.id('a'), 'similar', 0.88);
UPDATE report_status SET state = 'new', reject_reason = NULL WHERE report = test.id('a');
UPDATE case_report SET ended = NULL WHERE report = test.id('a') AND case_id = 1;
UPDATE report_status SET state = 'linked' WHERE report = test.id('a');
INSERT INTO letter_guess VALUES (test.id('mail3'), 2, 'tag', 'x@y.example');
SET ROLE cirt_desk;
DO $$
BEGIN
	ASSERT test.inbox() LIKE '%Bank | link 20%-000001 (same kit, 88 %)%', test.inbox();
	ASSERT test.inbox() LIKE '%"Question" | link 20%-000002 (probably its thread)%', test.inbox();
	ASSERT desk_inbox_link(test.filter('group', test.line('phishing%'))) ->> 'what' LIKE '2 reports linked to %-000001';
	PERFORM test.undo();
END $$;

-- Told by a rule: left to it. Told by hand: a mail that waits for as long as it can be undone.
SET ROLE cirt_owner;
INSERT INTO contact (organisation, role, email) SELECT id, 'security', 'soc@bank.example' FROM organisation WHERE name = 'Bank';
SET ROLE cirt_desk;
DO $$
DECLARE
	said json := desk_inbox_notice(test.filter('group', test.line('%open-rdp'), 'mass', '20', 'domain', 'cirt.example'));
BEGIN
	ASSERT said ->> 'what' = '3 reports noticed in 1 mails', said::text;
	ASSERT test.state('rdp') = 'noticed' AND test.inbox() NOT LIKE '%open-rdp%';
	ASSERT (SELECT next_try > now() + interval '50 seconds' FROM outbox ORDER BY id DESC LIMIT 1);
	ASSERT test.undo() = '3 reports as before';
	ASSERT (SELECT state FROM outbox ORDER BY id DESC LIMIT 1) = 'cancelled' AND test.state('rdp') = 'new';
	ASSERT test.inbox() LIKE '%3 | vulnerable-system/open-rdp%';
END $$;

-- The keeper's sums are what there is.
SET ROLE cirt_owner;
SELECT test.sort();
DO $$
BEGIN
	ASSERT NOT EXISTS (SELECT 1 FROM inbox_line l WHERE l.n <> (SELECT count(*) FROM inbox i WHERE i.line = l.id)), 'sums are exact';
	ASSERT NOT EXISTS (SELECT 1 FROM inbox_delta);
	ASSERT NOT EXISTS (SELECT 1 FROM report r LEFT JOIN report_status s ON s.report = r.id
		WHERE (coalesce(s.state, 'new') = 'new') <> EXISTS (SELECT 1 FROM inbox i WHERE i.report = r.id)), 'the inbox is what is new';
END $$;

-- ---- by hand ----

SET ROLE cirt_owner;
CREATE TABLE test.said (name text, said jsonb);
GRANT ALL ON test.said TO cirt_desk;
-- As the store would land the line.
CREATE FUNCTION test.land_line(said jsonb, of_sequence bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
	l jsonb := (said ->> 'line')::jsonb;
	fresh bigint := (SELECT * FROM report_ids(to_char(timezone('UTC', now()), 'YYYYMM')::int, 1));
BEGIN
	INSERT INTO report SELECT fresh, now(), now(), of_sequence, NULL, 0, '11111111-1111-1111-1111-111111111111', gen_random_uuid(), (said ->> 'source')::int, 0, 0,
		NULL, 0, (l ->> 'type')::rsit_type, 'amber', 'amber', (l ->> 'severity')::int, 50, 80, 1, 'r', 'k', l ->> 'id', '', '', '', l ->> 'title', '',
		l::text, '{}', '{}', '{}', '{}';
	INSERT INTO correlation_queue (report, rule) SELECT fresh, id FROM correlation_rule WHERE name = 'people';
	RETURN fresh;
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_desk, cirt_keeper;
SET ROLE cirt_desk;
DO $$
DECLARE
	p jsonb := '{"operator": "op4", "role": "analyst", "phone": true, "from": "IT head, +99 555 0101", "org": "Bank", "class": "unauthorised-information-modification", "tag": "ransomware", "severity": "critical", "about": "192.0.2.77, http://a.example/x, evil.example"}';
	said jsonb := desk_case_open(p);
	c cases;
	l jsonb := (said ->> 'line')::jsonb;
BEGIN
	INSERT INTO test.said VALUES ('call', said);
	SELECT * INTO c FROM cases WHERE number = said ->> 'case';
	ASSERT c.title = 'ransomware: Bank' AND c.state = 'open' AND c.severity = 90 AND c.tlp = 'amber';
	ASSERT (SELECT string_agg(role || ' ' || name, ', ' ORDER BY id) FROM party WHERE case_id = c.id) = 'reporter IT head, +99 555 0101, affected Bank';
	ASSERT (SELECT string_agg(tag, ',') FROM case_tag WHERE case_id = c.id) = 'ransomware';
	ASSERT l ->> 'type' = 'unauthorised-information-modification' AND l #>> '{extra,channel}' = 'phone' AND l ->> 'severity' = '90';
	ASSERT (SELECT string_agg(o ->> 'type', ' ') FROM jsonb_array_elements(l -> 'observables') AS o) = 'other other ip url name';
	ASSERT (SELECT case_id FROM by_hand WHERE token = said ->> 'token') = c.id;
	ASSERT test.refused($q$SELECT desk_case_open('{"operator": "op4", "role": "analyst", "from": "x", "title": "y"}')$q$) LIKE '22023 say how it came%';
	ASSERT test.refused($q$SELECT desk_case_open('{"operator": "op4", "role": "analyst", "phone": true, "chat": true, "from": "x"}')$q$) LIKE '22023 one of%';
	ASSERT test.refused($q$SELECT desk_case_open('{"operator": "op4", "role": "analyst", "phone": true, "title": "y"}')$q$) LIKE '22023 from:%';
	ASSERT test.refused($q$SELECT desk_case_open('{"operator": "op4", "role": "analyst", "phone": true, "from": "x"}')$q$) LIKE '22023 say what it is%';
	ASSERT test.refused($q$SELECT desk_case_open('{"operator": "op4", "role": "analyst", "phone": true, "from": "x", "title": "y", "org": "No Such"}')$q$) LIKE 'P0002%';
	ASSERT test.refused($q$SELECT desk_case_open('{"operator": "op4", "role": "analyst", "phone": true, "from": "x", "title": "y", "confidence": "very"}')$q$) LIKE '22023 confidence%';
	ASSERT test.refused(format($q$SELECT desk_case_open(jsonb_build_object('operator', 'op4', 'role', 'analyst', 'phone', true, 'from', 'x', 'text', repeat('y', 1000001)))$q$))
		LIKE '22023 text: at most 1 MB';
	-- Not taken in: the case stands and says so.
	said := desk_case_open(p || '{"from": "Somebody else"}');
	PERFORM by_hand_taken(said ->> 'token', NULL, NULL, NULL, 'the spool is away');
	ASSERT (SELECT problem FROM by_hand WHERE token = said ->> 'token') = 'the spool is away';
	ASSERT EXISTS (SELECT 1 FROM note n JOIN cases x ON x.id = n.case_id WHERE x.number = said ->> 'case' AND n.text LIKE '%could not be taken in: the spool%');
END $$;

-- It lands; no rule opens another case, and the keeper joins it once, also where the desk could not write down the entry.
SET ROLE cirt_owner;
UPDATE by_hand SET at = at - interval '10 seconds';
SELECT test.land_line(said, 77) FROM test.said;
SET ROLE cirt_keeper;
DO $$
DECLARE
	n bigint := (SELECT count(*) FROM cases);
BEGIN
	PERFORM keeper_correlate(100, 100, '1 minute');
	ASSERT (SELECT count(*) FROM cases) = n, 'no other case';
	ASSERT keeper_by_hand(10) = 1 AND keeper_by_hand(10) = 0;
	ASSERT (SELECT v.classification || ' ' || v.state || ' ' || v.organisation || ' ' || v."case" FROM report_view v JOIN by_hand b ON b.report = v.id)
		= (SELECT 'unauthorised-information-modification linked Bank ' || c.number FROM by_hand b JOIN cases c ON c.id = b.case_id WHERE b.report IS NOT NULL);
END $$;
