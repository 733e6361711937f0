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
	ASSERT json_array_length(desk_undo('{"list": true, "operator": "op4", "role": "analyst", "limit": 3}') -> 'items') = 3;
	ASSERT test.refused($q$UPDATE act SET undone = now()$q$) LIKE '42501%' AND test.refused($q$DELETE FROM act_report$q$) LIKE '42501%';
END $$;
