-- Operators, who may see what, two people, the journal and its audit: each block a test; functions run as the role that calls them in
-- the daemon. A failed ASSERT ends it.
\set ON_ERROR_STOP 1
SET search_path = cirt, test, pg_temp;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET cirt.actor = 'tester';
CREATE SCHEMA test;
GRANT ALL ON SCHEMA test TO cirt_owner, cirt_keeper, cirt_desk;
SET ROLE cirt_owner;

-- What a statement is refused with: "SQLSTATE text"; '' where it went through.
CREATE FUNCTION test.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
	state text;
BEGIN
	EXECUTE statement;
	RETURN '';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
	RETURN state || ' ' || said;
END $$;
-- What the desk passes for this operator.
CREATE FUNCTION test.by(who text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('cirt.actor', who, false);
	RETURN jsonb_build_object('operator', who, 'role', (SELECT role FROM cirt.operator WHERE name = who)) || more;
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO PUBLIC;

INSERT INTO operator (name, role) VALUES ('anna', 'analyst'), ('ben', 'analyst'), ('cleo', 'analyst'), ('lea', 'lead'), ('tom', 'trainee'),
	('vic', 'viewer'), ('ada', 'admin');
SET ROLE cirt_desk;

-- A restricted case is for its assignee, its watchers, its members and the lead.
DO $$
DECLARE
	which bigint;
	num text;
	said json;
BEGIN
	INSERT INTO cases (title) VALUES ('a leak at the ministry') RETURNING id, number INTO which, num;
	ASSERT case_may_see(which, 'vic') AND case_may_see(which, 'nobody');
	said := desk_case_restrict(test.by('anna', jsonb_build_object('number', num, 'to', 'ben, tom')));
	ASSERT (said ->> 'restricted')::boolean AND said -> 'members' ->> 0 = 'anna' AND json_array_length(said -> 'members') = 3, said;
	ASSERT case_may_see(which, 'anna') AND case_may_see(which, 'ben') AND case_may_see(which, 'tom') AND case_may_see(which, 'lea')
		AND case_may_see(which, 'ada'), 'who should see it';
	ASSERT NOT case_may_see(which, 'cleo') AND NOT case_may_see(which, 'vic') AND NOT case_may_see(which, 'nobody')
		AND NOT case_may_see(which, NULL), 'who should not';
	ASSERT test.refusal(format('SELECT case_seen(%L, test.by(''cleo''))', num)) LIKE '42501 that case is restricted%';
	ASSERT test.refusal(format('SELECT desk_case_unrestrict(test.by(''cleo'', jsonb_build_object(''number'', %L)))', num)) LIKE '42501%';
	ASSERT test.refusal(format('SELECT desk_case_restrict(test.by(''anna'', jsonb_build_object(''number'', %L, ''to'', ''zoe'')))', num))
		LIKE 'P0002 there is no operator "zoe"%';
	INSERT INTO case_watcher SELECT which, id FROM operator WHERE name = 'cleo';
	ASSERT case_may_see(which, 'cleo'), 'who watches it';
	DELETE FROM case_watcher WHERE case_id = which;
	UPDATE cases SET assignee = (SELECT id FROM operator WHERE name = 'cleo') WHERE id = which;
	ASSERT case_may_see(which, 'cleo'), 'whose it is';
	PERFORM desk_case_restrict(test.by('lea', jsonb_build_object('number', num, 'drop', 'tom')));
	ASSERT NOT case_may_see(which, 'tom');
	PERFORM desk_operator_disable(test.by('ada', '{"name": "ben"}'));
	ASSERT NOT case_may_see(which, 'ben'), 'who has left';
	PERFORM desk_operator_enable(test.by('ada', '{"name": "ben"}'));
	ASSERT (desk_case_unrestrict(test.by('lea', jsonb_build_object('number', num, 'reason', 'it is in the papers'))) ->> 'restricted')::boolean = false;
	ASSERT case_may_see(which, 'vic');
	ASSERT test.refusal(format('SELECT desk_case_unrestrict(test.by(''lea'', jsonb_build_object(''number'', %L)))', num)) LIKE '23514 %';
	ASSERT (SELECT count(*) FROM journal WHERE object = 'case/' || num AND action LIKE 'case_member%') = 4, 'members are in the journal';
END $$;

-- Two people: what a verb asks for is done when another person says yes, by the function of its kind.
SET ROLE cirt_owner;
CREATE TABLE test.done (what text, actor text DEFAULT cirt.actor());
GRANT ALL ON test.done TO cirt_desk;
CREATE FUNCTION cirt.test_wipe(payload jsonb) RETURNS json LANGUAGE sql AS $$
	INSERT INTO test.done (what) VALUES (payload ->> 'what') RETURNING json_build_object('wiped', what)
$$;
GRANT EXECUTE ON FUNCTION cirt.test_wipe TO cirt_desk;
INSERT INTO approval_kind (kind, meaning, do_function) VALUES ('wipe', 'something goes for good', 'test_wipe');
SET ROLE cirt_desk;
DO $$
DECLARE
	said jsonb;
	which text;
BEGIN
	said := approval_do('wipe', 'case/2026-000001', 'the letter goes', '{"what": "letter"}', test.by('anna'));
	which := said -> 'approval' ->> 'approval';
	ASSERT (said ->> 'waits')::boolean AND NOT EXISTS (SELECT FROM test.done), said;
	said := approval_do('wipe', 'case/2026-000001', 'the letter goes', '{"what": "letter"}', test.by('ben'));
	ASSERT said -> 'approval' ->> 'approval' = which, 'asked for twice, it is one';
	ASSERT test.refusal(format('SELECT desk_approve_give(test.by(''anna'', ''{"approval": "%s"}''))', which)) LIKE '42501 %is your own%';
	ASSERT test.refusal(format('SELECT desk_approve_give(test.by(''tom'', ''{"approval": "%s"}''))', which)) LIKE '42501 %needs the role analyst';
	ASSERT test.refusal(format('SELECT desk_approve_refuse(test.by(''tom'', ''{"approval": "%s", "reason": "no"}''))', which)) LIKE '42501 %';
	ASSERT NOT EXISTS (SELECT FROM test.done);
	said := desk_approve_give(test.by('ben', jsonb_build_object('approval', which)));
	ASSERT said -> 'done' ->> 'wiped' = 'letter' AND said ->> 'asked_by' = 'anna' AND said ->> 'answered_by' = 'ben', said;
	ASSERT (SELECT count(*) FROM test.done) = 1;
	ASSERT test.refusal(format('SELECT desk_approve_give(test.by(''cleo'', ''{"approval": "%s"}''))', which)) LIKE '23514 %given by ben';
	-- Refused, with a reason; or taken back.
	said := approval_do('wipe', 'x', 'more', '{"what": "more"}', test.by('anna'));
	which := said -> 'approval' ->> 'approval';
	ASSERT test.refusal(format('SELECT desk_approve_refuse(test.by(''ben'', ''{"approval": "%s"}''))', which)) LIKE '22023 %';
	ASSERT desk_approve_refuse(test.by('ben', jsonb_build_object('approval', which, 'reason', 'still needed'))) ->> 'state' = 'refused';
	which := approval_do('wipe', 'x', 'more', '{"what": "more"}', test.by('anna')) -> 'approval' ->> 'approval';
	ASSERT desk_approve_refuse(test.by('anna', jsonb_build_object('approval', which))) ->> 'state' = 'withdrawn';
	ASSERT (SELECT count(*) FROM test.done) = 1;
	-- Nobody writes his own.
	ASSERT test.refusal('INSERT INTO approval (kind, object, what, state) VALUES (''wipe'', ''x'', ''y'', ''given'')') LIKE '42501 %';
	ASSERT test.refusal('UPDATE approval SET state = ''given''') LIKE '42501 %';
	ASSERT (SELECT count(*) FROM journal WHERE object = 'approval/' || which) = 2;
END $$;

-- Said again: for what is not done by a function of the schema.
SET ROLE cirt_owner;
INSERT INTO approval_kind (kind, meaning) VALUES ('burn', 'by hand');
SET ROLE cirt_desk;
DO $$
DECLARE
	which bigint;
BEGIN
	PERFORM test.by('anna');
	ASSERT NOT approval_given('burn', 'key/1');
	which := approval_ask('burn', 'key/1', 'key 1 goes');
	ASSERT NOT approval_given('burn', 'key/1');
	PERFORM desk_approve_give(test.by('ben', jsonb_build_object('approval', which::text)));
	ASSERT NOT approval_given('burn', 'key/1'), 'not for him';
	PERFORM test.by('anna');
	ASSERT NOT approval_given('burn', 'key/2') AND approval_given('burn', 'key/1') AND NOT approval_given('burn', 'key/1'), 'once';
END $$;

-- At 03:00 one person is alone.
DO $$
DECLARE
	said jsonb;
	which text;
BEGIN
	ASSERT test.refusal('SELECT approval_do(''wipe'', ''y'', ''now'', ''{"what": "now"}'', test.by(''anna'', ''{"break_glass": " "}''))')
		LIKE '22023 breaking the glass wants a reason%';
	said := approval_do('wipe', 'y', 'now', '{"what": "now"}', test.by('anna', '{"break_glass": "the plant burns"}'));
	which := said -> 'approval' ->> 'approval';
	ASSERT said ->> 'wiped' = 'now' AND NOT (said ->> 'waits')::boolean AND said -> 'approval' ->> 'state' = 'countersign', said;
	ASSERT (SELECT count(*) FROM test.done WHERE what = 'now') = 1;
	ASSERT (SELECT text LIKE 'anna broke the glass: now (the plant burns)%lead%' FROM alarm WHERE kind = 'break-glass' AND subject = 'approval/' || which
		AND ended IS NULL), 'the lead is told';
	ASSERT test.refusal(format('SELECT desk_approve_give(test.by(''anna'', ''{"approval": "%s"}''))', which)) LIKE '42501 %is your own%';
	ASSERT test.refusal(format('SELECT desk_approve_refuse(test.by(''anna'', ''{"approval": "%s"}''))', which)) LIKE '42501 %is your own%';
	ASSERT test.refusal(format('SELECT desk_approve_give(test.by(''ben'', ''{"approval": "%s"}''))', which)) LIKE '42501 %needs the role lead';
	ASSERT (SELECT json_array_length(desk_approve_list(test.by('vic')) -> 'items')) = 1;
END $$;
SET ROLE cirt_keeper;
DO $$ BEGIN ASSERT keeper_approvals() = 0, 'there is time yet'; END $$;
SET ROLE cirt_owner;
UPDATE approval SET due = now() - interval '1 minute' WHERE state = 'countersign';
SET ROLE cirt_keeper;
DO $$
BEGIN
	ASSERT keeper_approvals() = 1 AND keeper_approvals() = 0, 'once';
	ASSERT (SELECT count(*) FROM alarm WHERE kind = 'countersign-late' AND ended IS NULL) = 1;
END $$;
SET ROLE cirt_desk;
DO $$
BEGIN
	PERFORM desk_approve_give(test.by('lea', jsonb_build_object('approval', (SELECT id::text FROM approval WHERE state = 'countersign'))));
	ASSERT (SELECT count(*) FROM test.done WHERE what = 'now') = 1, 'not done again';
	ASSERT NOT EXISTS (SELECT FROM alarm WHERE kind IN ('break-glass', 'countersign-late') AND ended IS NULL), 'it is over';
	ASSERT (SELECT state = 'countersigned' AND answered_by = 'lea' FROM approval WHERE why = 'the plant burns');
END $$;

-- ---- operators ----

DO $$
DECLARE
	said jsonb;
	pin text := repeat('AB:', 31) || 'ab';
BEGIN
	said := desk_operator_new(test.by('ada', jsonb_build_object('name', 'op1', 'as', 'trainee', 'as_uid', '1234', 'certificate', pin)));
	ASSERT said ->> 'role' = 'trainee' AND (said ->> 'uid')::int = 1234 AND said ->> 'certificate' = repeat('ab', 32), said;
	ASSERT test.refusal('SELECT desk_operator_new(test.by(''ada'', ''{"name": "op1", "as": "viewer"}''))') LIKE '23514 %never used again';
	ASSERT test.refusal('SELECT desk_operator_new(test.by(''ada'', ''{"name": "op2", "as": "viewer", "as_uid": "1234"}''))') LIKE '23514 op1 is already known%';
	ASSERT test.refusal('SELECT desk_operator_new(test.by(''ada'', ''{"name": "op2", "as": "viewer", "certificate": "aa"}''))') LIKE '22023 certificate:%';
	ASSERT test.refusal('SELECT desk_operator_new(test.by(''ada'', ''{"name": "op2", "as": "boss"}''))') LIKE '22023 role:%';
	ASSERT test.refusal('SELECT desk_operator_new(test.by(''ada'', ''{"name": "op2"}''))') LIKE '22023 role:%';
	ASSERT test.refusal('SELECT desk_operator_new(test.by(''ada'', ''{"name": "../op2", "as": "viewer"}''))') LIKE '22023 name:%';
	ASSERT test.refusal('SELECT desk_operator_new(test.by(''ada'', ''{"name": "op2", "as": "viewer", "as_uid": "4294967295"}''))') LIKE '22023 uid:%';
	said := desk_operator_set(test.by('ada', '{"name": "op1", "as": "lead", "as_uid": "", "reason": "he has learned"}'));
	ASSERT said ->> 'role' = 'lead' AND said ->> 'uid' IS NULL AND said ->> 'certificate' = repeat('ab', 32), said;
	-- Nobody raises himself; the last admin stays; who is admin by the configuration is that only.
	ASSERT test.refusal('SELECT desk_operator_set(test.by(''op1'', ''{"name": "op1", "as": "admin"}''))') LIKE '42501 nobody raises his own role%';
	ASSERT test.refusal('SELECT desk_operator_disable(test.by(''ada'', ''{"name": "ada"}''))') LIKE '23514 ada is the last admin%';
	ASSERT test.refusal('SELECT desk_operator_set(test.by(''ada'', ''{"name": "ada", "as": "lead"}''))') LIKE '23514 ada is the last admin%';
	ASSERT operator_configured('root', 0) = 'root' AND operator_configured('root', 0) = 'root';
	ASSERT test.refusal('SELECT desk_operator_disable(test.by(''root'', ''{"name": "ada"}''))') LIKE '23514 ada is the last admin%', 'root is none';
	ASSERT test.refusal('SELECT desk_operator_set(test.by(''ada'', ''{"name": "root", "as": "viewer"}''))') LIKE '23514 root is admin by the configuration%';
	PERFORM desk_operator_set(test.by('ada', '{"name": "op1", "as": "admin"}'));
	ASSERT NOT (desk_operator_disable(test.by('op1', '{"name": "ada", "reason": "left"}')) ->> 'enabled')::boolean;
	ASSERT test.refusal('SELECT desk_operator_disable(test.by(''op1'', ''{"name": "ada"}''))') LIKE '23514 ada is disabled already';
	ASSERT (SELECT count(*) FROM json_array_elements(desk_operator_list(test.by('vic')) -> 'items') i WHERE i ->> 'operator' = 'ada') = 0;
	ASSERT (SELECT count(*) FROM json_array_elements(desk_operator_list(test.by('vic', '{"all": true}')) -> 'items') i WHERE i ->> 'operator' = 'ada') = 1;
	ASSERT (desk_operator_enable(test.by('op1', '{"name": "ada"}')) ->> 'enabled')::boolean;
	ASSERT test.refusal('UPDATE operator SET role = ''admin''') LIKE '42501 %', 'by these functions only';
	ASSERT (SELECT string_agg(action, ' ' ORDER BY n) FROM journal WHERE object = 'operator/op1') = 'insert update reason update', (SELECT string_agg(action, ' ' ORDER BY n) FROM journal WHERE object = 'operator/op1');
END $$;

-- ---- the journal ----

DO $$
DECLARE
	num text;
	said json;
	page json;
BEGIN
	INSERT INTO cases (title) VALUES ('what anna found') RETURNING number INTO num;
	PERFORM test.by('anna');
	INSERT INTO note (case_id, text) VALUES (case_named(num), 'a secret thing');
	PERFORM test.by('vic');
	said := desk_journal(test.by('vic', jsonb_build_object('object', num)));
	ASSERT json_array_length(said -> 'items') = 2 AND said -> 'items' -> 0 ->> 'actor' = 'anna' AND said -> 'items' -> 1 ->> 'what' = 'opened as new', said;
	ASSERT said::text NOT LIKE '%secret thing%', 'digests only';
	ASSERT json_array_length(desk_journal(test.by('vic', '{"by": "anna", "since": "2100-01-01T00:00:00Z"}')) -> 'items') = 0;
	-- Pages are the whole, once.
	page := desk_journal(test.by('lea', '{"limit": 1000}'));
	ASSERT page ->> 'next' IS NULL AND json_array_length(page -> 'items') > 20, page ->> 'next';
	said := desk_journal(test.by('lea', '{"limit": 10}'));
	said := desk_journal(test.by('lea', jsonb_build_object('limit', 10, 'cursor', said ->> 'next')));
	ASSERT said -> 'items' -> 0 ->> 'at' = page -> 'items' -> 10 ->> 'at' AND json_array_length(said -> 'items') = 10;
	-- A restricted case is told to nobody who may not see it.
	PERFORM desk_case_restrict(test.by('lea', jsonb_build_object('number', num)));
	ASSERT test.refusal(format('SELECT desk_journal(test.by(''vic'', ''{"object": "%s"}''))', num)) LIKE '42501 %';
	ASSERT desk_journal(test.by('vic', '{"limit": 1000}'))::text NOT LIKE '%' || num || '%';
	ASSERT desk_journal(test.by('lea', '{"limit": 1000}'))::text LIKE '%' || num || '%';
	ASSERT json_array_length(desk_journal(test.by('vic', '{"object": "op1"}')) -> 'items') > 2;
	ASSERT test.refusal('SELECT desk_journal(test.by(''vic'', ''{"object": "; DROP"}''))') LIKE '22023 expected a case%';
	ASSERT test.refusal('SELECT desk_journal(test.by(''vic'', ''{"cursor": "x"}''))') LIKE '22023 %';
END $$;

-- ---- its audit ----

-- News of a case are for its assignee and who watches it, of what others did since they looked; of a restricted one only while they may see it.
DO $$
DECLARE
	which bigint;
	num text;
	said jsonb;
	seen jsonb;
BEGIN
	PERFORM test.by('ben');
	INSERT INTO cases (title, assignee) SELECT 'bank wave', id FROM operator WHERE name = 'anna' RETURNING id, number INTO which, num;
	seen := case_looked(which, 'anna');
	ASSERT seen -> 'by' = '[{"n": 1, "who": "ben"}]', format('a case that somebody gave her: %s', seen);
	PERFORM desk_case_watch(test.by('cleo', jsonb_build_object('number', num)));
	ASSERT (SELECT count(*) FROM case_news WHERE case_id = which) = 0, 'that somebody watches is nobody''s news';
	PERFORM desk_case_note(test.by('ben', jsonb_build_object('number', num, 'text', '["one"]'::jsonb)));
	PERFORM desk_case_set(test.by('ben', jsonb_build_object('number', num, 'severity', 'high')));
	PERFORM desk_case_note(test.by('cleo', jsonb_build_object('number', num, 'text', '["two"]'::jsonb)));
	ASSERT news_count(which, 'anna') = 3 AND news_count(which, 'cleo') = 2, 'nobody is told what he did himself';
	ASSERT news_count(which, 'ben') IS NULL AND news_count(which, 'tom') IS NULL AND news_count(which, 'nobody') IS NULL, 'who does not follow it';
	said := news_today(test.by('anna'));
	ASSERT (said ->> 'cases')::int = 1 AND said -> 'items' -> 0 ->> 'title' = 'bank wave'
		AND said -> 'items' -> 0 -> 'by' = '[{"n": 2, "who": "ben"}, {"n": 1, "who": "cleo"}]', said;
	PERFORM set_config('cirt.actor', 'keeper', false);
	PERFORM journal_add('case/' || num, 'mail from soc@bank.example by references', NULL, '{"item": 1}');
	PERFORM journal_add('case/' || num, 'mails read: 1', NULL, NULL);
	said := news_today(test.by('cleo')) -> 'items' -> 0;
	ASSERT (said ->> 'mails')::int = 1 AND (said ->> 'n')::int = 3, said;
	-- What hides the case hides its news, and gives them back.
	PERFORM desk_case_unwatch(test.by('cleo', jsonb_build_object('number', num)));
	ASSERT news_count(which, 'cleo') IS NULL, 'who watches no more';
	PERFORM desk_case_watch(test.by('tom', jsonb_build_object('number', num)));
	PERFORM desk_case_set(test.by('ben', jsonb_build_object('number', num, 'severity', 'critical', 'tlp', 'red')));
	ASSERT news_count(which, 'tom') = 1 AND (news_today(test.by('tom')) ->> 'cases')::int = 0, format('TLP:RED is not for a trainee: %s', news_today(test.by('tom')));
	ASSERT (news_today(test.by('anna')) ->> 'cases')::int = 1, 'whose it is sees it';
	-- A look takes them; the next time there is only what is new since.
	seen := case_looked(which, 'anna');
	ASSERT (seen ->> 'n')::int = 5 AND (seen ->> 'mails')::int = 1 AND case_looked(which, 'anna') IS NULL AND (news_today(test.by('anna')) ->> 'cases')::int = 0, seen;
	PERFORM desk_case_take(test.by('ben', jsonb_build_object('number', num)));
	ASSERT (case_looked(which, 'anna') ->> 'n')::int = 1, 'it was taken from her';
	PERFORM desk_case_note(test.by('cleo', jsonb_build_object('number', num, 'text', '["three"]'::jsonb)));
	ASSERT news_count(which, 'anna') IS NULL AND news_count(which, 'ben') = 1, 'it is no longer hers';
	-- What was merged into a case is followed by those of both.
	PERFORM desk_case_read(test.by('ben', jsonb_build_object('number', num)));
	INSERT INTO cases (title) VALUES ('the same wave') RETURNING number INTO num;
	PERFORM desk_case_merge(test.by('lea', jsonb_build_object('number', (SELECT number FROM cases WHERE id = which), 'into', num)));
	PERFORM case_looked((SELECT id FROM cases WHERE number = num), 'tom');
	PERFORM desk_case_note(test.by('lea', jsonb_build_object('number', num, 'text', '["four"]'::jsonb)));
	ASSERT news_count((SELECT id FROM cases WHERE number = num), 'tom') = 1, 'he watched one of them';
END $$;

-- Whatever has a trigger that writes the journal is audited.
DO $$
DECLARE
	missing text := (SELECT string_agg(DISTINCT c.relname, ', ') FROM pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid JOIN pg_class c ON c.oid = g.tgrelid
		WHERE f.pronamespace = 'cirt'::regnamespace AND f.proname IN ('journal_row', 'journal_of_case')
			AND NOT EXISTS (SELECT FROM audited a WHERE a.of_table = c.relname));
BEGIN
	ASSERT missing IS NULL, format('its migration has to call audited_add(): %s', missing);
END $$;

RESET ROLE;
-- What the audit says, and how the table was.
CREATE FUNCTION test.problems() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(object || ': ' || problem, E'\n'), '') FROM cirt.audit_verify()
$$;
-- Do this with triggers off, as who owns the database may; the audit names it, and is quiet again once it is undone.
CREATE FUNCTION test.tamper(statement text, undo text, wanted text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	PERFORM set_config('session_replication_role', 'replica', true);
	EXECUTE statement;
	said := test.problems();
	ASSERT said LIKE wanted, format('%s: %s', statement, said);
	EXECUTE undo;
	PERFORM set_config('session_replication_role', 'origin', true);
	said := test.problems();
	ASSERT said = '', format('%s: %s', undo, said);
END $$;
DO $$ BEGIN ASSERT test.problems() = '', test.problems(); END $$;
SELECT FROM test.tamper('UPDATE cirt.operator SET role = ''viewer'' WHERE name = ''lea''', 'UPDATE cirt.operator SET role = ''lead'' WHERE name = ''lea''',
	'operator/lea: operator % is not what the journal says: role');
SELECT FROM test.tamper('UPDATE cirt.note SET text = ''nothing'' WHERE text = ''a secret thing''', 'UPDATE cirt.note SET text = ''a secret thing'' WHERE text = ''nothing''',
	'case/%: note % is not what the journal says: digest');
SELECT FROM test.tamper('CREATE TABLE test.kept AS SELECT * FROM cirt.case_member; DELETE FROM cirt.case_member',
	'INSERT INTO cirt.case_member SELECT * FROM test.kept; DROP TABLE test.kept', 'case/%: case_member %/% is gone and the journal does not know%');
SELECT FROM test.tamper('INSERT INTO cirt.tag (name) VALUES (''planted'')', 'DELETE FROM cirt.tag WHERE name = ''planted''',
	'tag planted: tag planted is not in the journal');
SELECT FROM test.tamper('DELETE FROM cirt.audited WHERE of_table = ''note''',
	'INSERT INTO cirt.audited VALUES (''note'', ''of_case'', '''', ''{id}'', ''{}'')', 'audited/note: audited note/of_case is gone%');

-- A mail that two people have to let go, by one who is alone.
SET ROLE cirt_owner;
INSERT INTO outbox (kind, state, waits_for, recipient, address, message_id, approvals, why)
	VALUES ('notice', 'held', 'approval', 'affected', 'soc@bank.example', 'people-1@cirt.example', 2, 'TLP:RED');
SET ROLE cirt_desk;
DO $$
DECLARE
	num text := (SELECT number FROM outbox WHERE message_id = 'people-1@cirt.example');
	said jsonb;
BEGIN
	ASSERT (SELECT count(*) FROM json_array_elements(desk_approve_list(test.by('vic')) -> 'items') i WHERE i ->> 'approval' = num) = 1, 'it is seen';
	ASSERT desk_approve_give(test.by('anna', jsonb_build_object('approval', num))) ->> 'state' = 'held';
	ASSERT test.refusal(format('SELECT desk_approve_give(test.by(''anna'', ''{"approval": "%s"}''))', num)) LIKE '23514 %another person%';
	said := desk_notice_approve(test.by('anna', jsonb_build_object('notice', num, 'break_glass', 'it spreads')));
	ASSERT said ->> 'state' = 'queued', said;
	ASSERT (SELECT approved_by = '{anna,break-glass}' FROM outbox WHERE number = num);
	ASSERT (SELECT state = 'countersign' AND object = 'outbox/' || num FROM approval WHERE why = 'it spreads');
	ASSERT (approvals_today(test.by('vic')) ->> 'countersign')::int = 1;
END $$;
