-- What couriers are told and what they may say: each block a test; functions run as the courier. A failed ASSERT ends it.
\set ON_ERROR_STOP 1
SET search_path = cirt, test, pg_temp;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET cirt.actor = 'tester';
CREATE SCHEMA test;
GRANT ALL ON SCHEMA test TO cirt_owner, cirt_courier;
SET ROLE cirt_owner;

CREATE FUNCTION test.land(of_tlp tlp DEFAULT 'amber', of_exercise int DEFAULT 0) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	fresh bigint := (SELECT * FROM report_ids(to_char(timezone('UTC', now()), 'YYYYMM')::int, 1));
BEGIN
	INSERT INTO report SELECT fresh, now(), now(), 1, NULL, 0, gen_random_uuid(), gen_random_uuid(), s.id, 0, of_exercise, NULL, 0,
			'infected-system', of_tlp, 'amber', 50, 50, s.trust, 1, 'r', 'k', '', 'mirai', '', '', '', '', '{}',
			ARRAY['ip source 192.0.2.1'], '{}', '{}', '{}'
		FROM source s WHERE s.name = 'list';
	RETURN fresh;
END $$;
CREATE FUNCTION test.mail(to_address text, reports bigint[] DEFAULT '{}', of_exercise int DEFAULT 0, of_kind outbox_kind DEFAULT 'notice') RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	fresh bigint;
BEGIN
	INSERT INTO outbox (kind, state, exercise, recipient, address, message_id)
		VALUES (of_kind, 'ready', of_exercise, 'affected', to_address, '<' || gen_random_uuid() || '@cirt.example>') RETURNING id INTO fresh;
	INSERT INTO disclosure (report, outbox, cause) SELECT r, fresh, 'new' FROM unnest(reports) r;
	UPDATE outbox SET state = 'queued' WHERE id = fresh;
	RETURN fresh;
END $$;
CREATE FUNCTION test.me(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid $$;
CREATE TABLE test.ids (name text PRIMARY KEY, id bigint);
GRANT ALL ON test.ids TO cirt_courier;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_courier;
CREATE FUNCTION test.id(what text) RETURNS bigint LANGUAGE sql AS $$ SELECT id FROM test.ids WHERE name = what $$;
GRANT EXECUTE ON FUNCTION test.id TO cirt_courier;
CREATE FUNCTION test.state(what text) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = cirt, test, pg_temp AS
	$$ SELECT concat_ws(' ', o.state, o.why) FROM outbox o WHERE o.id = test.id(what) $$;
CREATE FUNCTION test.key_alarms() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = cirt, pg_temp AS
	$$ SELECT coalesce(string_agg(regexp_replace(subject, '^.* ', '') || CASE WHEN ended IS NULL THEN '' ELSE '-' END, ' ' ORDER BY id), '')
		FROM alarm WHERE kind = 'key-expires' $$;
GRANT EXECUTE ON FUNCTION test.state, test.key_alarms TO cirt_courier;
INSERT INTO node (name) VALUES ('n');
INSERT INTO exercise (id, name) VALUES (7, 'blue');
INSERT INTO exercise_directory VALUES (7, '@drill.example');
INSERT INTO source (name, kind, trust) VALUES ('list', 'feed', 60);

\echo test_a_row_without_a_source_tells_what_of_theirs_it_is_about
DO $$
DECLARE
	harbour int;
	one bigint;
	t record;
	c jsonb;
BEGIN
	INSERT INTO organisation (name) VALUES ('Harbour') RETURNING id INTO harbour;
	INSERT INTO organisation_prefix (organisation, prefix) VALUES (harbour, '198.51.100.0/26');
	INSERT INTO organisation_domain (organisation, domain) VALUES (harbour, 'harbour.example');
	FOR t IN SELECT * FROM (VALUES
		('a source, whosever', ARRAY['ip source 203.0.113.9', 'ip target 198.51.100.7'], '203.0.113.9', '', false),
		('a name as source', ARRAY['name source bot.example', 'ip indicator 198.51.100.7'], '', 'bot.example', false),
		('who was hit', ARRAY['ip indicator 198.51.100.8', 'ip target 198.51.100.7'], '198.51.100.7', '', true),
		('who was imitated', ARRAY['url indicator http://bad.example/x', 'name imitated www.harbour.example'], '', 'www.harbour.example', true),
		('what was named', ARRAY['ip indicator 203.0.113.9', 'ip indicator 198.51.100.8'], '198.51.100.8', '', false),
		('a page', ARRAY['url indicator http://198.51.100.9:8080/x'], '198.51.100.9', '', false),
		('nothing of theirs', ARRAY['ip target 203.0.113.9', 'email reporter a@harbour.example'], '', '', false)) AS v(what, observables, ip, name, hit)
	LOOP
		one := test.land();
		UPDATE report SET observables = t.observables, organisation = harbour WHERE id = one;
		FOREACH c IN ARRAY ARRAY[disclosure_content(one, 'full'), disclosure_content(one, 'sanitised')] LOOP
			ASSERT (c ->> 'ip', c ->> 'name') = (t.ip, t.name) AND (c ? 'hit') = t.hit, format('%s: %s', t.what, c);
			ASSERT c -> 'asn' = 'null', 'an AS number that nobody knows is none';
		END LOOP;
		UPDATE report SET organisation = NULL WHERE id = one;
		ASSERT t.ip || t.name IN ('203.0.113.9', 'bot.example') OR disclosure_content(one, 'full') ->> 'ip' = '', 'nobody''s';
	END LOOP;
END $$;

\echo test_what_waits_for_a_text_is_tried_when_texts_are_read_anew
INSERT INTO test.ids VALUES ('wordless', test.mail('w@x.example', ARRAY[test.land()])), ('soon', test.mail('s@x.example', ARRAY[test.land()])),
	('later', test.mail('l@x.example', ARRAY[test.land()]));
UPDATE outbox SET next_try = now() + interval '1h', attempts = 3, why = 'greylisted' WHERE id = test.id('later');
UPDATE outbox SET next_try = now() + interval '1h' WHERE id = test.id('soon');
SET ROLE cirt_courier;
DO $$
BEGIN
	PERFORM alarm_raise('mail-template', 'mail_out', NULL, 'a mail waits for its text');
	ASSERT courier_take(test.me(1), '1min') = test.id('wordless'), 'the one that is due';
	PERFORM courier_put_off(test.id('wordless'), test.me(1), '300s', NULL, 'there is no template', '');
	ASSERT courier_take(test.me(1), '1min') IS NULL, 'none is due';
	PERFORM courier_reworded();
	ASSERT courier_take(test.me(1), '1min') = test.id('wordless'), 'it goes again';
	ASSERT courier_take(test.me(1), '1min') IS NULL, 'the others wait for other things';
END $$;
RESET ROLE;
DO $$ BEGIN
	ASSERT NOT EXISTS (SELECT FROM alarm WHERE kind = 'mail-template' AND ended IS NULL), 'the alarm is over';
	UPDATE outbox SET state = 'cancelled' WHERE id IN (test.id('wordless'), test.id('soon'), test.id('later'));
END $$;

\echo test_a_key_of_ours_is_told_90_30_and_7_days_before_its_end_once_each
SET ROLE cirt_courier;
DO $$
BEGIN
	PERFORM courier_key('AAAA', 'CIRT', now() + interval '91 days', true);
	PERFORM courier_key('NONE', 'CIRT', NULL, true);
	ASSERT key_alarms() = '', key_alarms();
	FOR n IN 1..3 LOOP
		PERFORM courier_key('AAAA', 'CIRT', date_trunc('day', now()) + interval '89 days', true);
	END LOOP;
	ASSERT key_alarms() = '90', key_alarms();
END $$;
RESET ROLE;
-- Time goes on: the same key is nearer to its end, which a fixed end and an older alarm stand for.
UPDATE alarm SET subject = 'BBBB ' || to_char(now() + interval '29 days', 'YYYY-MM-DD') || ' 90' WHERE kind = 'key-expires';
SET ROLE cirt_courier;
DO $$
BEGIN
	PERFORM courier_key('BBBB', 'CIRT', now() + interval '29 days', true);
	PERFORM courier_key('BBBB', 'CIRT', now() + interval '29 days', true);
	ASSERT key_alarms() = '90- 30', key_alarms();
END $$;
RESET ROLE;
UPDATE alarm SET subject = 'CCCC ' || to_char(now() + interval '6 days', 'YYYY-MM-DD') || ' 30' WHERE kind = 'key-expires' AND ended IS NULL;
SET ROLE cirt_courier;
DO $$
BEGIN
	PERFORM courier_key('CCCC', 'CIRT <cirt@cirt.example>', now() + interval '6 days', true);
	ASSERT key_alarms() = '90- 30- 7', key_alarms();
	-- Another key's end does not end it; a renewed one's does.
	PERFORM courier_key('DDDD', 'other', now() + interval '400 days', true);
	ASSERT key_alarms() = '90- 30- 7', key_alarms();
	PERFORM courier_key('CCCC', 'CIRT <cirt@cirt.example>', now() + interval '400 days', true);
	ASSERT key_alarms() = '90- 30- 7-', key_alarms();
	PERFORM courier_key('EEEE', 'CIRT', now() - interval '1 day', true);
END $$;
RESET ROLE;
DO $$
BEGIN
	ASSERT (SELECT text LIKE 'our key CCCC (CIRT <cirt@cirt.example>) expires on %' FROM alarm WHERE subject LIKE 'CCCC%7');
	ASSERT (SELECT text LIKE '%has expired on %' FROM alarm WHERE subject LIKE 'EEEE%');
	-- Who has seen it is not told the same again.
	UPDATE alarm SET ended = now(), ended_by = 'op' WHERE subject LIKE 'EEEE%';
END $$;
SET ROLE cirt_courier;
DO $$
BEGIN
	PERFORM courier_key('EEEE', 'CIRT', now() - interval '1 day', true);
	ASSERT key_alarms() = '90- 30- 7- 7-', key_alarms();
END $$;

\echo test_keys_of_others_are_known_to_their_contacts_and_are_no_alarm
RESET ROLE;
INSERT INTO organisation (name) VALUES ('Bank');
INSERT INTO contact (organisation, role, name, email, pgp, smime) SELECT id, 'security', 'SOC', 'soc@bank.example', repeat('F00D', 10), repeat('CAFE', 16) FROM organisation WHERE name = 'Bank';
SET ROLE cirt_courier;
DO $$
BEGIN
	PERFORM courier_key(repeat('F00D', 10), 'SOC', '2030-01-02 03:04:05Z', false);
	PERFORM courier_key(repeat('CAFE', 16), 'SOC', '2031-01-02 03:04:05Z', false);
	ASSERT key_alarms() = '90- 30- 7- 7-', key_alarms();
END $$;
RESET ROLE;
DO $$ BEGIN ASSERT (SELECT (pgp_expires, smime_expires) = ('2030-01-02 03:04:05Z', '2031-01-02 03:04:05Z') FROM contact WHERE email = 'soc@bank.example'); END $$;

\echo test_a_lease_keeps_others_away_until_it_is_over
SET ROLE cirt_owner;
INSERT INTO ids SELECT 'r' || n, land() FROM generate_series(1, 4) n;
INSERT INTO ids SELECT 'm' || n, mail('soc' || n || '@bank.example', ARRAY[id('r1'), id('r2')]) FROM generate_series(1, 3) n;
SET ROLE cirt_courier;
DO $$
BEGIN
	ASSERT courier_take(me(1), '5 minutes') = id('m1') AND courier_take(me(2), '5 minutes') = id('m2') AND courier_take(me(1), '5 minutes') = id('m3');
	ASSERT courier_take(me(2), '5 minutes') IS NULL;
	-- What is another's is not told, not held, not sent by who does not have it.
	ASSERT NOT EXISTS (SELECT 1 FROM courier_mail(id('m1'), me(2))) AND NOT EXISTS (SELECT 1 FROM courier_rows(id('m1'), me(2)));
	ASSERT NOT EXISTS (SELECT 1 FROM courier_lane(id('m1'), me(2))) AND NOT courier_hold(id('m1'), me(2), 'no', false, '');
	ASSERT courier_begin(id('m1'), me(2), '1 minute') = 'lost' AND courier_put_off(id('m1'), me(2), '1 minute', NULL, 'no', '') = 'lost';
	ASSERT NOT courier_fail(id('m1'), me(2), 'no', '', true);
	-- A courier that starts gets back what it had, and nothing of the other's.
	PERFORM courier_free(me(2));
	ASSERT courier_take(me(1), '5 minutes') = id('m2') AND courier_take(me(2), '5 minutes') IS NULL;
	UPDATE outbox SET bytes = 'the bytes', rendered = now() WHERE id = id('m1') AND holder = me(1);
	ASSERT courier_begin(id('m1'), me(1), '5 minutes') = 'go';
END $$;
RESET ROLE;
UPDATE outbox SET held_until = now() - interval '1 second' WHERE id = id('m1');
SET ROLE cirt_courier;
DO $$
BEGIN
	-- The lease of one that was stopped is over: the other sends the same again, and says so; the first has nothing to begin any more.
	ASSERT courier_take(me(2), '5 minutes') = id('m1') AND courier_begin(id('m1'), me(1), '5 minutes') = 'lost';
	ASSERT courier_begin(id('m1'), me(2), '5 minutes') = 'again';
	-- What the first had given away before is out, whoever says so first; and is told once.
	ASSERT courier_sent(id('m1'), me(1), '250 first') AND NOT courier_sent(id('m1'), me(2), '250 second');
END $$;
RESET ROLE;
DO $$
BEGIN
	ASSERT (SELECT state = 'sent' AND reply = '250 first' AND attempts = 2 FROM outbox WHERE id = id('m1'));
	ASSERT (SELECT count(*) FROM disclosure WHERE outbox = id('m1') AND told IS NOT NULL) = 2;
	ASSERT (SELECT count(*) FROM journal j, outbox o WHERE o.id = id('m1') AND j.object = 'outbox/' || o.number AND j.action = 'sent') = 1;
END $$;

\echo test_what_a_mail_says_and_what_it_may
SET ROLE cirt_courier;
DO $$
BEGIN
	ASSERT (SELECT count(*) FROM courier_rows(id('m2'), me(1)) f WHERE f.consistent AND NOT f.exercise AND f.of_tlp = 'amber') = 2;
	ASSERT (SELECT (told, refused) = (2, 0) FROM courier_check(id('m2'), me(1)));
END $$;
RESET ROLE;
UPDATE report SET tlp = 'red' WHERE id = id('r2');
SET ROLE cirt_courier;
DO $$
BEGIN
	ASSERT (SELECT (told, refused) = (1, 1) FROM courier_check(id('m2'), me(1)));
	ASSERT courier_leave_out(id('m2'), me(2), (SELECT array_agg(disclosure) FROM courier_rows(id('m2'), me(1))), '{no,no}') = 0, 'another''s';
	ASSERT courier_leave_out(id('m2'), me(1), (SELECT array_agg(disclosure) FROM courier_rows(id('m2'), me(1)) f WHERE f.of_tlp = 'amber'), '{because}') = 1;
END $$;
RESET ROLE;
UPDATE report SET tlp = 'amber' WHERE id = id('r2');
SET ROLE cirt_courier;
DO $$
BEGIN
	-- What may leave again does; what is made stays, and is counted.
	ASSERT (SELECT (told, refused) = (2, 0) FROM courier_check(id('m2'), me(1)));
	UPDATE outbox SET bytes = 'the bytes', rendered = now() WHERE id = id('m2') AND holder = me(1);
END $$;
RESET ROLE;
UPDATE report SET tlp = 'red' WHERE id = id('r2');
SET ROLE cirt_courier;
DO $$
BEGIN
	ASSERT (SELECT (told, refused) = (2, 1) FROM courier_check(id('m2'), me(1)));
	ASSERT courier_begin(id('m2'), me(1), '5 minutes') = 'held' AND state('m2') = 'held something in it may not leave any more', state('m2');
END $$;

\echo test_a_mail_that_would_leave_its_drill_is_held_and_others_go_on
SET ROLE cirt_owner;
INSERT INTO ids VALUES ('inside', mail('a@drill.example', '{}', 7, 'mail')), ('outside', mail('minister@real.example', '{}', 7, 'mail')),
	('real', mail('b@real.example', '{}', 0, 'mail'));
SET ROLE cirt_courier;
DO $$
BEGIN
	ASSERT courier_take(me(3), '5 minutes') = id('inside') AND courier_take(me(3), '5 minutes') = id('real') AND courier_take(me(3), '5 minutes') IS NULL;
	ASSERT state('outside') LIKE 'held an exercise goes nowhere but to its own directory: minister@real.example is not in that of blue', state('outside');
	ASSERT state('inside') = 'queued ' AND state('real') = 'queued ';
	ASSERT (SELECT f.exercise AND f.in_directory FROM courier_lane(id('inside'), me(3)) f);
END $$;
RESET ROLE;
DELETE FROM exercise_directory WHERE exercise = 7;
SET ROLE cirt_courier;
DO $$
BEGIN
	ASSERT (SELECT f.exercise AND NOT f.in_directory FROM courier_lane(id('inside'), me(3)) f);
	PERFORM courier_take(me(3), '5 minutes');
	ASSERT state('inside') LIKE 'held an exercise%', state('inside');
END $$;

\echo test_what_is_another_organisations_now_is_left_out_and_held_once_it_is_made
RESET ROLE;
SET ROLE cirt_owner;
INSERT INTO organisation (name) VALUES ('New owner');
INSERT INTO ids VALUES ('theirs', mail('soc9@bank.example', ARRAY[id('r3'), id('r4')]));
UPDATE outbox SET organisation = (SELECT id FROM organisation WHERE name = 'Bank') WHERE id = id('theirs');
INSERT INTO report_status (report, organisation) SELECT id('r3'), o.id FROM organisation o WHERE o.name = 'New owner';
INSERT INTO report_status (report, organisation) SELECT id('r4'), o.id FROM organisation o WHERE o.name = 'Bank';
UPDATE outbox SET holder = me(1), held_until = now() + interval '1 hour' WHERE id = id('theirs');
SET ROLE cirt_courier;
DO $$
BEGIN
	ASSERT (SELECT count(*) FROM courier_rows(id('theirs'), me(1)) f WHERE f.consistent AND f.theirs) = 1;
	ASSERT (SELECT (told, refused) = (1, 1) FROM courier_check(id('theirs'), me(1)));
	UPDATE outbox SET bytes = 'the bytes', rendered = now() WHERE id = id('theirs') AND holder = me(1);
END $$;
RESET ROLE;
DO $$ BEGIN ASSERT (SELECT left_out FROM disclosure WHERE outbox = id('theirs') AND report = id('r3')) = 'it is not theirs any more'; END $$;
UPDATE report_status SET organisation = (SELECT id FROM organisation WHERE name = 'New owner') WHERE report = id('r4');
SET ROLE cirt_courier;
DO $$ BEGIN ASSERT courier_begin(id('theirs'), me(1), '5 minutes') = 'held'; END $$;
