-- Rules, and what becomes of each report by them: each block a test; run as cirt_keeper or cirt_desk after rows made by the owner.
-- A failed ASSERT ends it.
\set ON_ERROR_STOP 1
SET search_path = cirt, test, pg_temp;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA test;
GRANT ALL ON SCHEMA test TO cirt_owner, cirt_keeper, cirt_desk, cirt_courier;
SET ROLE cirt_owner;

-- A report of this source, type, identifier and address, with one sighting now, queued as the store would.
CREATE FUNCTION test.land(source_name text, of_type rsit_type, what text, host text, of_organisation text DEFAULT NULL,
	of_tlp tlp DEFAULT 'amber', of_exercise int DEFAULT 0, of_country text DEFAULT '', grave int DEFAULT 50) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	fresh bigint := (SELECT * FROM report_ids(to_char(timezone('UTC', now()), 'YYYYMM')::int, 1));
BEGIN
	INSERT INTO report SELECT fresh, now(), now(), 1, NULL, 0, gen_random_uuid(), gen_random_uuid(), s.id, 0, of_exercise,
			(SELECT id FROM organisation WHERE name = of_organisation), 0, of_type, of_tlp, 'amber', grave, 50, s.trust, 1, 'r', 'k', '',
			what, '', of_country, '', '', '{}', ARRAY['ip source ' || host], '{}', '{}', '{}'
		FROM source s WHERE s.name = source_name;
	INSERT INTO sighting SELECT fresh, now()::date, s.id, 1, 1, clock_timestamp(), clock_timestamp() FROM source s WHERE s.name = source_name;
	INSERT INTO fingerprint SELECT r.fingerprint, r.exercise, r.tlp, 0, 50, 50, 50, r.id, now(), now(), now() + interval '100 days'
		FROM report r WHERE r.id = fresh;
	INSERT INTO arrival AS a (month, minute, first_id) VALUES (to_char(timezone('UTC', now()), 'YYYYMM')::int, date_trunc('minute', now()), fresh)
		ON CONFLICT (month, minute) DO UPDATE SET first_id = least(a.first_id, excluded.first_id);
	INSERT INTO notice_arrival (reports) VALUES (ARRAY[fresh]);
	RETURN fresh;
END $$;
CREATE FUNCTION test.work() RETURNS record LANGUAGE sql AS
	$$ SELECT k FROM keeper_notices(1000, date_trunc('day', now()) + interval '1 day', 'cirt.example') k $$;
-- As the courier does once a mail is out.
CREATE FUNCTION test.send(age interval DEFAULT '0') RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
	UPDATE outbox SET state = 'ready' WHERE state = 'bundling';
	UPDATE outbox SET state = 'queued' WHERE state = 'ready';
	UPDATE disclosure d SET told = now() - age FROM outbox o WHERE o.id = d.outbox AND o.state = 'queued' AND d.told IS NULL;
	UPDATE outbox SET state = 'sent', sent = now() - age WHERE state = 'queued';
$$;
-- So much time goes by for what was told.
CREATE FUNCTION test.later(span interval) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
	UPDATE warning SET first_told = first_told - span, last_told = last_told - span, next = next - span, relapsed = relapsed - span;
	UPDATE sighting SET first = first - span, last = last - span;
	UPDATE fingerprint SET first = first - span, last = last - span;
$$;
CREATE FUNCTION test.seen(which bigint) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
	UPDATE sighting SET last = clock_timestamp(), count = count + 1 WHERE report = which;
	UPDATE fingerprint SET last = clock_timestamp() WHERE report = which;
$$;
CREATE FUNCTION test.outcome(which bigint) RETURNS text LANGUAGE sql AS
	$$ SELECT concat_ws(' ', outcome, nullif(why, '')) FROM warning WHERE report = which $$;
-- Addresses of the mails that tell it, of this kind of cause.
CREATE FUNCTION test.told(which bigint) RETURNS text LANGUAGE sql AS
	$$ SELECT string_agg(d.cause || ' ' || o.address || ' ' || d.form || ' ' || o.recipient, ', ' ORDER BY d.id) FROM disclosure d
		JOIN outbox o ON o.id = d.outbox WHERE d.report = which $$;
CREATE TABLE test.seen_ids (name text PRIMARY KEY, id bigint);
GRANT ALL ON test.seen_ids TO cirt_keeper, cirt_desk;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_keeper, cirt_desk;

INSERT INTO node (name) VALUES ('n');
INSERT INTO exercise (id, name) VALUES (7, 'blue');
INSERT INTO source (name, kind, trust) VALUES ('list', 'feed', 60);
INSERT INTO source (name, kind, trust, may_notify_affected) VALUES ('quiet', 'feed', 60, false);
INSERT INTO organisation (name, kind, sector) VALUES ('Bank', 'bank', 'finance'), ('Telco', 'isp', 'telecom'), ('Hospital', 'hospital', 'health'),
	('Nobody', 'other', ''), ('FinCERT', 'sector-cirt', 'finance');
INSERT INTO organisation (name, kind, country) VALUES ('CERT-NN', 'national-cirt', 'NN');
UPDATE organisation SET parent = (SELECT id FROM organisation WHERE name = 'FinCERT') WHERE name = 'Bank';
INSERT INTO contact (organisation, role, email, language, priority, policy, schedule, zone)
	SELECT o.id, c.role::contact_role, c.email, c.language, c.priority, c.policy::key_policy, c.schedule, 'UTC' FROM (VALUES
		('Bank', 'security', 'soc@bank.example', 'fr', 10, 'preferred', 'always'),
		('Bank', 'abuse', 'abuse@bank.example', 'fr', 10, 'preferred', 'always'),
		('Telco', 'abuse', 'abuse@telco.example', 'en', 20, 'preferred', 'always'),
		('Telco', 'abuse', 'night@telco.example', 'en', 30, 'preferred', 'always'),
		('Hospital', 'security', 'it@hospital.example', 'de', 10, 'required', 'always'),
		('FinCERT', 'security', 'desk@fincert.example', 'en', 10, 'preferred', 'always'),
		('CERT-NN', 'security', 'cert@nn.example', 'en', 10, 'preferred', 'always')) AS c(org, role, email, language, priority, policy, schedule)
	JOIN organisation o ON o.name = c.org;
INSERT INTO abuse_contact VALUES ('203.0.113.0/24', 'abuse@far.example', 'ripencc');

\echo test_one_mail_gathers_what_goes_to_one_contact
INSERT INTO seen_ids SELECT 'b' || n, test.land('list', 'vulnerable-system', 'open-rdp', '192.0.2.' || n, 'Bank') FROM generate_series(1, 3) n;
INSERT INTO seen_ids SELECT 't1', test.land('list', 'infected-system', 'mirai', '198.51.100.1', 'Telco');
INSERT INTO seen_ids SELECT 'n1', test.land('list', 'infected-system', 'mirai', '198.51.100.9', 'Nobody');
INSERT INTO seen_ids SELECT 'test1', test.land('list', 'test', 'test', '192.0.2.99', 'Bank');
INSERT INTO seen_ids SELECT 'nn1', test.land('list', 'infected-system', 'mirai', '203.0.113.1', NULL, 'green', 0, 'NN');
INSERT INTO seen_ids SELECT 'far1', test.land('list', 'infected-system', 'mirai', '203.0.113.2', NULL, 'clear', 0, 'XX');
INSERT INTO seen_ids SELECT 'void1', test.land('list', 'infected-system', 'mirai', '100.64.0.2', NULL, 'clear', 0, 'XX');
INSERT INTO seen_ids SELECT 'strict1', test.land('list', 'infected-system', 'mirai', '192.0.2.10', 'Bank', 'amber+strict');
INSERT INTO seen_ids SELECT 'ask1', test.land('quiet', 'infected-system', 'mirai', '192.0.2.11', 'Bank');
INSERT INTO seen_ids SELECT 'nnamber', test.land('list', 'infected-system', 'mirai', '203.0.113.4', NULL, 'amber', 0, 'NN');
INSERT INTO seen_ids SELECT 'drill1', test.land('list', 'infected-system', 'mirai', '192.0.2.12', 'Bank', 'amber', 7);
SET ROLE cirt_keeper;
DO $$
DECLARE
	was text;
BEGIN
	PERFORM test.work();
	ASSERT (SELECT count(*) FROM notice_arrival) = 0;
	ASSERT (SELECT string_agg(test.told(id), ', ' ORDER BY name) FROM seen_ids WHERE name IN ('b1', 't1'))
		= 'new soc@bank.example full affected, new abuse@telco.example full affected';
	ASSERT (SELECT count(DISTINCT d.outbox) FROM disclosure d JOIN seen_ids s ON s.id = d.report WHERE s.name ~ '^b[1-3]$') = 1, 'one bundle';
	ASSERT (SELECT language || format || state || tlp FROM outbox WHERE address = 'soc@bank.example' AND form = 'full') = 'frcsvbundlingamber';
	ASSERT (SELECT test.outcome(id) FROM seen_ids WHERE name = 'n1') = 'no-contact rule constituents reaches nobody of theirs';
	ASSERT (SELECT test.outcome(id) FROM seen_ids WHERE name = 'test1') = 'suppressed rule tests';
	ASSERT (SELECT test.told(id) FROM seen_ids WHERE name = 'nn1') = 'new cert@nn.example full foreign';
	ASSERT (SELECT test.told(id) FROM seen_ids WHERE name = 'void1') IS NULL;
	ASSERT (SELECT test.outcome(id) FROM seen_ids WHERE name = 'void1') LIKE 'not-ours%XX';
	ASSERT (SELECT test.told(id) FROM seen_ids WHERE name = 'strict1') = 'new soc@bank.example sanitised affected';
	ASSERT (SELECT test.outcome(id) FROM seen_ids WHERE name = 'ask1') LIKE 'asks-permission%';
	ASSERT (SELECT test.outcome(id) FROM seen_ids WHERE name = 'nnamber') = 'waiting two people have to let it go';
	ASSERT (SELECT test.outcome(id) FROM seen_ids WHERE name = 'drill1') LIKE 'held%drill''s directory';
	ASSERT (SELECT bool_and(message_id ~ '^<[0-9a-f-]{36}@cirt\.example>$') FROM outbox);
	-- PAP:AMBER to a stranger wants two people.
	was := (SELECT test.told(id) || ' ' || test.outcome(id) FROM seen_ids WHERE name = 'far1');
	ASSERT was = 'new abuse@far.example full provider waiting two people have to let it go', was;
	-- Queued twice, it is told once.
	INSERT INTO notice_arrival (reports) SELECT array_agg(id) FROM seen_ids WHERE name = 'b1';
	PERFORM test.work();
	ASSERT (SELECT test.told(id) FROM seen_ids WHERE name = 'b1') NOT LIKE '%,%';
END $$;

\echo test_repeats_are_held_to_their_interval
DO $$
DECLARE
	b bigint := (SELECT id FROM seen_ids WHERE name = 'b1');
	t bigint := (SELECT id FROM seen_ids WHERE name = 't1');
	was text;
BEGIN
	PERFORM test.send();
	ASSERT test.outcome(b) = 'told' AND test.outcome(t) = 'told';
	ASSERT (SELECT state FROM report_status WHERE report = b) = 'noticed';
	PERFORM test.seen(b), test.seen(t);
	PERFORM test.work();
	ASSERT test.told(b) NOT LIKE '%repeat%' AND test.told(t) NOT LIKE '%repeat%', 'the same day';
	-- Seven days on: the infected one only, and only if it is still seen.
	PERFORM test.later('7 days 1 hour');
	PERFORM test.work();
	ASSERT test.told(t) NOT LIKE '%repeat%', 'not seen since';
	UPDATE warning SET next = now() - interval '1 minute' WHERE report = t;
	PERFORM test.seen(b), test.seen(t);
	PERFORM test.work();
	ASSERT test.told(t) = 'new abuse@telco.example full affected, repeat abuse@telco.example full affected', test.told(t);
	ASSERT test.told(b) NOT LIKE '%repeat%', 'thirty days';
	PERFORM test.send();
	-- Thirty days on.
	PERFORM test.later('30 days');
	PERFORM test.seen(b);
	PERFORM test.work();
	ASSERT test.told(b) LIKE '%repeat soc@bank.example full affected', test.told(b);
END $$;

\echo test_what_is_still_there_after_two_notices_is_for_a_person
DO $$
DECLARE
	t bigint := (SELECT id FROM seen_ids WHERE name = 't1');
BEGIN
	ASSERT (SELECT notices FROM warning WHERE report = t) = 2;
	ASSERT NOT EXISTS (SELECT 1 FROM correlation_queue WHERE report = t);
	UPDATE warning SET next = now() - interval '1 minute' WHERE report = t;
	PERFORM test.seen(t);
	PERFORM test.work();
	ASSERT EXISTS (SELECT 1 FROM correlation_queue WHERE report = t);
	PERFORM keeper_correlate(100, 100, '0');
	ASSERT (SELECT c.organisation = w.organisation FROM case_report cr JOIN cases c ON c.id = cr.case_id JOIN warning w ON w.report = t
		WHERE cr.report = t);
	ASSERT (SELECT notices FROM warning WHERE report = t) = 3, 'and told again';
END $$;

\echo test_a_relapse_is_told_at_once
DO $$
DECLARE
	b bigint := (SELECT id FROM seen_ids WHERE name = 'b2');
BEGIN
	PERFORM test.send();
	INSERT INTO report_status AS s (report, gone_at) VALUES (b, now()) ON CONFLICT (report) DO UPDATE SET gone_at = excluded.gone_at;
	ASSERT (SELECT gone IS NOT NULL AND relapses = 0 FROM warning WHERE report = b);
	PERFORM pg_sleep(0.01);
	PERFORM test.seen(b);
	UPDATE report_status SET gone_at = NULL WHERE report = b;
	ASSERT (SELECT relapses = 1 FROM warning WHERE report = b);
END $$;
DO $$
DECLARE
	b bigint := (SELECT id FROM seen_ids WHERE name = 'b2');
BEGIN
	PERFORM test.work();
	ASSERT test.told(b) LIKE '%relapse soc@bank.example full affected', test.told(b);
END $$;

\echo test_who_has_no_contact_is_told_when_there_is_one
SET ROLE cirt_owner;
INSERT INTO contact (organisation, role, email) SELECT id, 'technical', 'it@nobody.example' FROM organisation WHERE name = 'Nobody';
SELECT test.seen(id) FROM seen_ids WHERE name = 'n1';
SET ROLE cirt_keeper;
DO $$
BEGIN
	PERFORM test.work();
	ASSERT (SELECT test.told(id) FROM seen_ids WHERE name = 'n1') = 'new it@nobody.example full affected';
END $$;

\echo test_what_a_source_allows_is_told
SET ROLE cirt_owner;
INSERT INTO release (report, source, granted, answered) SELECT s.id, r.source, 'sanitised', now() FROM seen_ids s JOIN report r ON r.id = s.id
	WHERE s.name = 'ask1';
SET ROLE cirt_keeper;
DO $$
BEGIN
	PERFORM test.work();
	ASSERT (SELECT test.told(id) FROM seen_ids WHERE name = 'ask1') = 'new soc@bank.example sanitised affected';
END $$;

\echo test_a_mail_that_comes_back_goes_to_the_next_contact
SET ROLE cirt_owner;
INSERT INTO seen_ids SELECT 't2', test.land('list', 'vulnerable-system', 'open-rdp', '198.51.100.2', 'Telco');
SET ROLE cirt_keeper;
DO $$
BEGIN
	PERFORM test.work();
	PERFORM test.send();
END $$;
SET ROLE cirt_owner;
UPDATE contact SET bounced = now() WHERE email = 'abuse@telco.example';
UPDATE outbox SET bounced = now(), bounce = 'no such user' WHERE id = (SELECT outbox FROM disclosure WHERE report = (SELECT id FROM seen_ids
	WHERE name = 't2'));
SET ROLE cirt_keeper;
DO $$
DECLARE
	t bigint := (SELECT id FROM seen_ids WHERE name = 't2');
BEGIN
	ASSERT test.outcome(t) LIKE 'held%came back: no such user', test.outcome(t);
	PERFORM test.work();
	ASSERT test.told(t) LIKE '%night@telco.example full affected', test.told(t);
END $$;

\echo test_a_contact_without_a_key_under_policy_required
DO $$
DECLARE
	h int := (SELECT id FROM organisation WHERE name = 'Hospital');
	c contact;
BEGIN
	c := contact_for(h, 'security', now());
	ASSERT c.email = 'it@hospital.example', 'nobody else: the courier says that a notice waits';
END $$;
SET ROLE cirt_owner;
INSERT INTO contact (organisation, role, email, pgp, pgp_expires, priority) SELECT id, 'duty', 'duty@hospital.example', repeat('A', 40), now() + interval '1 day', 90
	FROM organisation WHERE name = 'Hospital';
SET ROLE cirt_keeper;
DO $$
DECLARE
	h int := (SELECT id FROM organisation WHERE name = 'Hospital');
	c contact;
BEGIN
	c := contact_for(h, 'security', now());
	ASSERT c.email = 'duty@hospital.example', 'another one with a key';
	c := contact_for(h, 'security', now() + interval '2 days');
	ASSERT c.email = 'it@hospital.example', 'whose key has expired by then';
END $$;

\echo test_schedules
DO $$
BEGIN
	-- 2026-11-23 is a Monday
	ASSERT schedule_holds('always', 'UTC', '2026-11-22 03:00+00');
	ASSERT schedule_holds('Mon-Fri 08:00-16:00', 'UTC', '2026-11-23 08:00+00');
	ASSERT NOT schedule_holds('Mon-Fri 08:00-16:00', 'UTC', '2026-11-23 16:00+00');
	ASSERT NOT schedule_holds('Mon-Fri 08:00-16:00', 'UTC', '2026-11-22 09:00+00');
	ASSERT schedule_holds('Mon-Fri 08:00-16:00', 'Asia/Tokyo', '2026-11-22 23:30+00'), 'in its zone';
	ASSERT schedule_holds('Sat-Sun 00:00-24:00', 'UTC', '2026-11-22 23:59+00');
	ASSERT (SELECT bool_and(schedule_holds('Mon-Fri 08:00-18:00, Sat 09:00-12:00', 'UTC', at::timestamptz) = holds) FROM (VALUES
		('2026-11-23 17:59+00', true), ('2026-11-27 18:00+00', false), ('2026-11-28 08:59+00', false), ('2026-11-28 09:00+00', true),
		('2026-11-28 12:00+00', false), ('2026-11-29 10:00+00', false)) AS v(at, holds)), 'two spans';
	ASSERT (SELECT bool_and(schedule_holds('Fri-Mon 22:00-06:00', 'UTC', at::timestamptz) = holds) FROM (VALUES
		('2026-11-27 05:00+00', false), ('2026-11-27 22:00+00', true), ('2026-11-28 05:59+00', true), ('2026-11-28 06:00+00', false),
		('2026-11-24 05:00+00', true), ('2026-11-24 22:30+00', false)) AS v(at, holds)), 'nights';
	RESET ROLE;
	ASSERT said_schedule('mon-fri  08:00-18:00,sat 09:00-12:00') = 'Mon-Fri 08:00-18:00, Sat 09:00-12:00' AND said_schedule('Always') = 'always';
	ASSERT schedule_holds('now and then', 'UTC', now()) AND schedule_holds('Mon-Fri 08:00-16:00', 'Atlantis', now());
END $$;

\echo test_gone_is_not_in_lists_that_came_since
SET ROLE cirt_owner;
INSERT INTO seen_ids SELECT 'g1', test.land('list', 'vulnerable-system', 'open-rdp', '192.0.2.77', 'Bank');
INSERT INTO source (name, kind, format) VALUES ('mailed', 'mailbox', 'mail');
INSERT INTO seen_ids SELECT 'g2', test.land('mailed', 'vulnerable-system', 'open-rdp', '192.0.2.78', 'Bank');
UPDATE source SET interval_seconds = 3600 WHERE name = 'list';
INSERT INTO feed_state (source, tried, succeeded, delivered) SELECT id, now(), now(), now() FROM source WHERE name = 'list'
	ON CONFLICT (source) DO UPDATE SET succeeded = now(), delivered = now();
UPDATE sighting SET first = now() - interval '2 hours', last = now() - interval '2 hours' WHERE report = (SELECT id FROM seen_ids WHERE name = 'g1');
UPDATE fingerprint SET last = now() - interval '2 hours' WHERE report = (SELECT id FROM seen_ids WHERE name = 'g1');
UPDATE sighting SET day = now()::date - 5, first = now() - interval '5 days', last = now() - interval '5 days'
	WHERE report = (SELECT id FROM seen_ids WHERE name = 'g2');
UPDATE fingerprint SET last = now() - interval '5 days' WHERE report = (SELECT id FROM seen_ids WHERE name = 'g2');
INSERT INTO feed_columns (source, feed, columns) SELECT id, 'shadowserver', '{ip}' FROM source WHERE name = 'mailed';
INSERT INTO ledger_day (day, source, node, entries_processed, reports) SELECT now()::date - d, s.id, 1, 1, 5 FROM source s, generate_series(1, 2) d
	WHERE s.name = 'mailed';
SET ROLE cirt_keeper;
DO $$
BEGIN
	PERFORM keeper_sweep(0, 1000, 3);
	ASSERT NOT EXISTS (SELECT 1 FROM report_status st JOIN seen_ids s ON s.id = st.report WHERE s.name IN ('g1', 'g2') AND gone_at IS NOT NULL),
		'two cycles are not three';
END $$;
SET ROLE cirt_owner;
UPDATE sighting SET last = last - interval '70 minutes' WHERE report = (SELECT id FROM seen_ids WHERE name = 'g1');
UPDATE fingerprint SET last = last - interval '70 minutes' WHERE report = (SELECT id FROM seen_ids WHERE name = 'g1');
INSERT INTO ledger_day (day, source, node, entries_processed, folded) SELECT now()::date, s.id, 1, 1, 5 FROM source s WHERE s.name = 'mailed';
SET ROLE cirt_keeper;
DO $$
BEGIN
	PERFORM keeper_sweep(0, 1000, 3);
	ASSERT (SELECT count(*) FROM report_status st JOIN seen_ids s ON s.id = st.report WHERE s.name IN ('g1', 'g2') AND gone_at IS NOT NULL) = 2;
END $$;

-- ---- the desk ----

CREATE FUNCTION pg_temp.refused(what text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT ' || what;
	RETURN 'no error';
EXCEPTION WHEN others THEN
	RETURN SQLERRM;
END $$;

\echo test_rules_that_can_never_hold_are_said_at_entry
SET ROLE cirt_owner;
INSERT INTO organisation_group (name, kind) VALUES ('banks', 'bank'), ('media', 'media'), ('hospitals', 'hospital');
SET ROLE cirt_desk;
SET cirt.actor = 'op1';
DO $$
DECLARE
	r json;
BEGIN
	r := desk_rule_new('{"name": "bank-open", "org": "Bank", "identifier": "open-*", "to": "security|abuse"}');
	ASSERT (r ->> 'position')::int < (SELECT position FROM notify_rule WHERE name = 'constituents'), 'before what holds for all of it';
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "same", "org": "Bank", "identifier": "open-*", "suppress": true}'')') LIKE '%holds for the same%';
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "late", "org": "Bank", "identifier": "open-dns", "suppress": true, "after": "bank-open"}'')')
		LIKE 'it can never hold there: bank-open comes first%';
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "late", "to": "contact:1", "after": "elsewhere"}'')') LIKE '%constituents and elsewhere comes first%';
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "x", "type": "phishing", "class": "vulnerable", "suppress": true}'')') LIKE '%class fraud%';
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "x", "type": "phish", "suppress": true}'')') LIKE 'there is no type%';
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "x", "class": "odd", "suppress": true}'')') LIKE 'there is no class "odd"%';
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "x", "group": "media", "suppress": true}'')') LIKE '%no organisation is in that group';
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "x", "group": "banks", "org": "Telco", "suppress": true}'')') LIKE '%not in that group';
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "x", "whose": "foreign", "org": "Telco", "suppress": true}'')') LIKE '%not foreign';
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "x", "org": "Telco", "to": "sekurity"}'')') LIKE '"sekurity" is nobody%';
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "x", "org": "Telco"}'')') LIKE 'what is it to do%';
	r := desk_rule_new('{"name": "all-open", "whose": "ours", "identifier": "open-*", "suppress": true, "before": "bank-open"}');
	ASSERT r ->> 'hides' = '["bank-open"]', r ->> 'hides';
	PERFORM desk_rule_delete('{"rule": "all-open"}');
	ASSERT (SELECT count(*) FROM journal WHERE object LIKE 'rule/%' AND actor = 'op1') = 3 + (SELECT count(*) FROM journal
		WHERE object LIKE 'rule/%' AND actor = 'op1' AND action = 'update'), 'journalled';
END $$;

\echo test_a_rule_stands_before_those_that_hold_for_it_together
-- As the example of its help says: constituents and elsewhere hold for all of it, but neither alone.
DO $$
BEGIN
	PERFORM desk_rule_new('{"name": "resolvers", "type": "ddos-amplifier", "suppress": true}');
	ASSERT (SELECT n.position < c.position FROM notify_rule n, notify_rule c WHERE n.name = 'resolvers' AND c.name = 'constituents');
	PERFORM desk_rule_delete('{"rule": "resolvers"}');
END $$;

\echo test_rules_that_go_in_circles_are_said_at_entry
DO $$
BEGIN
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "x", "group": "banks", "to": "group:banks"}'')') LIKE 'a circle:%';
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "x", "identifier": "open-ftp", "to": "group:banks"}'')') LIKE 'a circle:%';
	ASSERT pg_temp.refused('desk_rule_new(''{"name": "x", "org": "Telco", "to": "address:report@cirt.example", "own": ["cirt.example"]}'')')
		LIKE '%a mailbox of ours%';
	PERFORM desk_rule_new('{"name": "a", "org": "Telco", "identifier": "a", "to": "as:bank-open"}');
	PERFORM desk_rule_new('{"name": "b", "org": "Telco", "identifier": "b", "to": "as:a"}');
	ASSERT pg_temp.refused('desk_rule_set(''{"rule": "bank-open", "to": "security,as:b"}'')') LIKE 'a circle: as:%';
	ASSERT pg_temp.refused('desk_rule_delete(''{"rule": "a"}'')') = 'rule b tells whom it tells';
	PERFORM desk_rule_delete('{"rule": "b"}'), desk_rule_delete('{"rule": "a"}');
END $$;

\echo test_a_draft_is_tried_before_it_holds
DO $$
DECLARE
	r json;
BEGIN
	PERFORM desk_rule_new('{"name": "quiet-rdp", "org": "Bank", "identifier": "open-rdp", "suppress": true, "draft": true, "before": "bank-open"}');
	ASSERT NOT EXISTS (SELECT 1 FROM notify_rule WHERE name = 'quiet-rdp' AND NOT draft);
	r := desk_rule_test('{"against": "last-week"}');
	ASSERT (r ->> 'reports')::int = (SELECT count(*) FROM warning), r::text;
	ASSERT (r ->> 'changed')::int = (SELECT count(*) FROM warning w JOIN report x ON x.id = w.report JOIN organisation o
		ON o.id = x.organisation WHERE o.name = 'Bank' AND x.identifier = 'open-rdp'), r::text;
	ASSERT r -> 'items' -> 0 ->> 'was_rule' = 'bank-open' AND r -> 'items' -> 0 ->> 'now_rule' = 'quiet-rdp'
		AND r -> 'items' -> 0 ->> 'now' = 'suppressed' AND r -> 'items' -> 0 ->> 'was_to' = 'soc@bank.example', r::text;
	ASSERT r ->> 'all' = 'true' AND r ->> 'oldest' IS NULL;
	r := desk_rule_test('{"against": "last-week", "most": 3}');
	ASSERT r ->> 'all' = 'false' AND r ->> 'reports' = '3' AND r ->> 'oldest' IS NOT NULL, r::text;
	r := desk_rule_apply('{}');
	ASSERT r ->> 'new' = '1' AND r ->> 'deleted' = '0', r::text;
	ASSERT (SELECT position FROM notify_rule WHERE name = 'quiet-rdp') < (SELECT position FROM notify_rule WHERE name = 'bank-open');
	r := desk_rule_why(jsonb_build_object('report', (SELECT id FROM seen_ids WHERE name = 'b1')));
	ASSERT (SELECT string_agg(x ->> 'name' || '=' || (x ->> 'says'), ', ') FROM json_array_elements(r -> 'rules') AS x)
		= 'tests=another type, quiet-rdp=holds: suppress', r ->> 'rules';
	ASSERT r -> 'recipients' -> 0 ->> 'outcome' = 'suppressed' AND r -> 'stands' ->> 'notices' = '2', r::text;
	r := desk_rule_why(jsonb_build_object('report', (SELECT id FROM seen_ids WHERE name = 'strict1')));
	ASSERT r -> 'recipients' -> 0 ->> 'repeat_days' = '7', r -> 'recipients' -> 0 ->> 'repeat_days';
	ASSERT r -> 'recipients' -> 0 ->> 'form' = 'sanitised' AND r -> 'recipients' -> 0 ->> 'address' = 'soc@bank.example', r::text;
END $$;

\echo test_a_one_shot_goes_at_once_past_rules_and_intervals
DO $$
DECLARE
	b bigint := (SELECT id FROM seen_ids WHERE name = 'b3');
	r json;
	o outbox;
BEGIN
	r := desk_notice_oneshot(jsonb_build_object('reports', ARRAY[b], 'domain', 'cirt.example', 'mass', 10, 'dry_run', true));
	ASSERT r -> 'items' -> 0 ->> 'to' = 'soc@bank.example' AND r -> 'items' -> 0 ->> 'number' IS NULL, r::text;
	r := desk_notice_oneshot(jsonb_build_object('reports', ARRAY[b], 'domain', 'cirt.example', 'mass', 10));
	o := notice_named(r -> 'items' -> 0 ->> 'number');
	ASSERT o.state = 'queued' AND o.kind = 'one-shot' AND o.released_by = 'op1', o::text;
	ASSERT (SELECT cause FROM disclosure WHERE outbox = o.id) = 'one-shot';
	-- A drill's goes nowhere but to its directory.
	r := desk_notice_oneshot(jsonb_build_object('reports', ARRAY(SELECT id FROM seen_ids WHERE name = 'drill1'), 'domain', 'x', 'mass', 10));
	ASSERT r ->> 'items' = '[]' AND r -> 'not_told' -> 0 ->> 'why' LIKE '%drill''s directory', r::text;
	ASSERT pg_temp.refused('desk_notice_oneshot(''{"domain": "x", "mass": 10}'')') LIKE 'reports, or one of%';
	r := desk_notice_oneshot(jsonb_build_object('org', 'Bank', 'identifier', 'open-*', 'domain', 'x', 'mass', 10, 'dry_run', true));
	ASSERT (r ->> 'reports')::int = (SELECT count(*) FROM report x JOIN organisation g ON g.id = x.organisation LEFT JOIN report_status st ON st.report = x.id
		WHERE g.name = 'Bank' AND x.identifier LIKE 'open-%' AND st.gone_at IS NULL), r::text;
END $$;

\echo test_two_people_let_go_what_the_gate_lets_only_so
DO $$
DECLARE
	n text := (SELECT o.number FROM outbox o JOIN disclosure d ON d.outbox = o.id JOIN seen_ids s ON s.id = d.report WHERE s.name = 'nnamber' LIMIT 1);
	o outbox;
BEGIN
	ASSERT (SELECT approvals FROM outbox WHERE number = n) = 2;
END $$;
SET ROLE cirt_owner;
INSERT INTO seen_ids SELECT 'nn2', test.land('list', 'infected-system', 'mirai', '203.0.113.50', NULL, 'amber', 0, 'NN');
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
SET ROLE cirt_desk;
DO $$
DECLARE
	n text := (SELECT o.number FROM outbox o JOIN disclosure d ON d.outbox = o.id JOIN seen_ids s ON s.id = d.report WHERE s.name = 'nn2');
	r json;
BEGIN
	ASSERT pg_temp.refused(format('desk_notice_send(jsonb_build_object(''notice'', ARRAY[%L], ''mass'', 10))', n)) LIKE 'two people have to let%';
	r := desk_notice_send('{"all": true, "mass": 100}');
	ASSERT (SELECT state FROM outbox WHERE number = n) = 'bundling', 'not among all';
	r := desk_notice_approve(jsonb_build_object('notice', n));
	ASSERT r ->> 'state' = 'bundling', r::text;
	ASSERT pg_temp.refused(format('desk_notice_approve(jsonb_build_object(''notice'', %L))', n)) LIKE 'you have let%';
	PERFORM set_config('cirt.actor', 'op2', false);
	r := desk_notice_approve(jsonb_build_object('notice', n));
	ASSERT r ->> 'state' = 'queued', r::text;
END $$;

\echo test_mass_mail_wants_two_people
SET ROLE cirt_owner;
INSERT INTO seen_ids SELECT 'm' || n, test.land('list', 'ddos-amplifier', 'open-ntp-' || n, '192.0.2.30', o) FROM (VALUES (1, 'Telco'), (2, 'Nobody'),
	(3, 'FinCERT')) AS v(n, o);
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
SET ROLE cirt_desk;
DO $$
DECLARE
	r json;
BEGIN
	PERFORM set_config('cirt.actor', 'op1', false);
	r := desk_notice_send('{"all": true, "mass": 2}');
	ASSERT r ->> 'mails' = '0' AND r ->> 'waiting' = '3', r::text;
	r := desk_notice_send('{"all": true, "mass": 2}');
	ASSERT r ->> 'mails' = '0', 'the same person again is one person';
	PERFORM set_config('cirt.actor', 'op2', false);
	r := desk_notice_send('{"all": true, "mass": 2}');
	ASSERT r ->> 'mails' = '3' AND r ->> 'waiting' = '0', r::text;
	ASSERT (SELECT bool_and(state = 'queued') FROM outbox o JOIN disclosure d ON d.outbox = o.id JOIN seen_ids s ON s.id = d.report WHERE s.name ~ '^m[1-3]$');
END $$;

\echo test_hold_and_cancel
SET ROLE cirt_owner;
INSERT INTO seen_ids SELECT 'h1', test.land('list', 'ddos-amplifier', 'open-snmp', '198.51.100.31', 'Telco');
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
SET ROLE cirt_desk;
DO $$
DECLARE
	n text := (SELECT o.number FROM outbox o JOIN disclosure d ON d.outbox = o.id JOIN seen_ids s ON s.id = d.report WHERE s.name = 'h1');
	r json;
BEGIN
	ASSERT (desk_notice_hold(jsonb_build_object('notice', n, 'reason', 'they move'))) ->> 'why' = 'held by op2: they move';
	r := desk_notice_preview('{}');
	ASSERT r -> 'held_mails' -> 0 ->> 'number' = n, r::text;
	ASSERT (r -> 'not_told' ->> 'not-ours')::int = 1, r::text;
	r := desk_notice_show(jsonb_build_object('notice', ltrim(substr(n, 7), '0')));
	ASSERT r ->> 'number' = n AND r -> 'items' -> 0 ->> 'address' = '198.51.100.31', r::text;
	r := desk_notice_cancel(jsonb_build_object('notice', n));
	ASSERT r ->> 'state' = 'cancelled' AND (SELECT test.outcome(id) FROM seen_ids WHERE name = 'h1') = 'held mail ' || n || ' was cancelled';
	ASSERT pg_temp.refused(format('desk_notice_send(jsonb_build_object(''notice'', ARRAY[%L], ''mass'', 10))', n)) = n || ' is cancelled';
	ASSERT (SELECT json_array_length(desk_notice_list('{"state": "cancelled"}') -> 'items')) = 1;
END $$;

\echo test_effect_is_right_to_the_row
SET ROLE cirt_owner;
INSERT INTO organisation (name, sector) VALUES ('E', 'energy');
INSERT INTO contact (organisation, role, email) SELECT id, 'security', 'soc@e.example' FROM organisation WHERE name = 'E';
INSERT INTO seen_ids SELECT 'e' || n, test.land('list', 'vulnerable-system', 'open-ldap', '192.0.2.' || 100 + n, 'E') FROM generate_series(1, 6) n;
INSERT INTO seen_ids SELECT 'e7', test.land('list', 'vulnerable-system', 'open-ldap', '192.0.2.107', 'E', 'amber', 7);
INSERT INTO seen_ids SELECT 'e8', test.land('quiet', 'vulnerable-system', 'open-ldap', '192.0.2.108', 'E');
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
SELECT test.send('40 days') IS NOT NULL AS sent \gset
-- e1 gone after 3 days, e2 after 20, e3 after 35, e4 after 3 and back; e5 still there, e6 rejected, e7 a drill's, e8 not told
INSERT INTO report_status AS st (report, gone_at) SELECT s.id, now() - interval '40 days' + v.d * interval '1 day' FROM seen_ids s JOIN (VALUES ('e1', 3),
	('e2', 20), ('e3', 35), ('e4', 3)) AS v(name, d) ON v.name = s.name ON CONFLICT (report) DO UPDATE SET gone_at = excluded.gone_at;
UPDATE report_status SET gone_at = NULL WHERE report = (SELECT id FROM seen_ids WHERE name = 'e4');
UPDATE report_status SET state = 'rejected', reject_reason = 'false-alarm' WHERE report = (SELECT id FROM seen_ids WHERE name = 'e6');
SET ROLE cirt_desk;
DO $$
DECLARE
	r json := desk_notice_effect('{"by": "sector"}');
BEGIN
	ASSERT (SELECT concat_ws(' ', x ->> 'seen', x ->> 'warned', x ->> 'gone_7', x ->> 'gone_30', x ->> 'relapsed') FROM json_array_elements(r -> 'items') AS x
		WHERE x ->> 'what' = 'energy') = '6 5 2 3 1', r::text;
	ASSERT (desk_notice_effect('{"by": "identifier", "org": "E"}') -> 'total' ->> 'seen') = '6';
	ASSERT pg_temp.refused('desk_notice_effect(''{"by": "moon"}'')') LIKE 'by: expected%';
END $$;

\echo test_effect_is_the_same_whether_summed_up_or_not
SET ROLE cirt_owner;
CREATE FUNCTION pg_temp.effects() RETURNS text LANGUAGE sql SET search_path = cirt AS $$
	SELECT string_agg((desk_notice_effect(jsonb_build_object('by', w, 'since', now() - d * interval '1 day', 'limit', 1000))::jsonb - 'since')::text, chr(10)
		ORDER BY w, d) FROM unnest('{organisation,sector,identifier}'::text[]) AS w, unnest('{1,30,90}'::int[]) AS d
$$;
-- What counts, by the rows themselves.
CREATE FUNCTION pg_temp.counted() RETURNS text LANGUAGE sql SET search_path = cirt AS $$
	SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE warned), count(*) FILTER (WHERE gone_7), count(*) FILTER (WHERE gone_30),
		count(*) FILTER (WHERE relapsed)) FROM effect_live WHERE received >= now() - interval '30 days'
$$;
CREATE FUNCTION pg_temp.total() RETURNS text LANGUAGE sql SET search_path = cirt AS $$
	SELECT concat_ws(' ', t ->> 'seen', t ->> 'warned', t ->> 'gone_7', t ->> 'gone_30', t ->> 'relapsed') FROM (SELECT desk_notice_effect('{}') -> 'total' AS t) e
$$;
CREATE TEMPORARY TABLE effect_said AS SELECT pg_temp.effects() AS said;
DO $$ BEGIN
	ASSERT pg_temp.total() = pg_temp.counted(), pg_temp.total();
	WHILE keeper_effect(3) > 0 LOOP END LOOP;
	ASSERT NOT EXISTS (SELECT FROM effect_dirty) AND pg_temp.effects() = (SELECT said FROM effect_said), pg_temp.effects();
	-- rejected, somebody else's, gone, in any order, before and after they are summed up
	UPDATE report_status SET state = 'rejected', reject_reason = 'false-alarm' WHERE report = (SELECT id FROM seen_ids WHERE name = 'e5');
	INSERT INTO report_status AS st (report, gone_at) SELECT id, now() + interval '1 day' FROM seen_ids WHERE name = 'e8'
		ON CONFLICT (report) DO UPDATE SET gone_at = excluded.gone_at;
	UPDATE warning SET continued = (SELECT id FROM seen_ids WHERE name = 'e2') WHERE report = (SELECT id FROM seen_ids WHERE name = 'e1');
	ASSERT pg_temp.total() = pg_temp.counted(), pg_temp.total();
	UPDATE effect_said SET said = pg_temp.effects();
	PERFORM keeper_effect(1000);
	ASSERT NOT EXISTS (SELECT FROM effect_dirty) AND pg_temp.effects() = (SELECT said FROM effect_said), pg_temp.effects();
	-- put back
	UPDATE report_status SET state = 'noticed', reject_reason = NULL WHERE report = (SELECT id FROM seen_ids WHERE name = 'e5');
	UPDATE report_status SET gone_at = NULL WHERE report = (SELECT id FROM seen_ids WHERE name = 'e8');
	UPDATE warning SET continued = NULL WHERE report = (SELECT id FROM seen_ids WHERE name = 'e1');
	PERFORM keeper_effect(1000);
	ASSERT NOT EXISTS (SELECT FROM effect_dirty) AND pg_temp.total() = pg_temp.counted(), pg_temp.total();
	-- the window leaves what has grown old behind, not more at once than a batch
	DELETE FROM effect_row;
	DELETE FROM effect_sum;
	UPDATE effect_window SET start = now() - interval '80 days';
	UPDATE report SET received = now() - interval '31 days' WHERE id IN (SELECT id FROM seen_ids WHERE name IN ('e2', 'e3', 'e8'));
	INSERT INTO effect_dirty (report) SELECT report FROM warning;
	PERFORM keeper_effect(1000);
	ASSERT (SELECT start > now() - interval '30 days 1 minute' FROM effect_window) AND pg_temp.total() = pg_temp.counted();
	ASSERT (SELECT concat_ws(' ', seen, warned, gone_7, gone_30, relapsed) FROM effect_sum WHERE by = 'all') = pg_temp.counted();
	UPDATE report SET received = first_seen WHERE id IN (SELECT id FROM seen_ids WHERE name IN ('e2', 'e3', 'e8'));
	INSERT INTO effect_dirty (report) SELECT id FROM seen_ids WHERE name IN ('e2', 'e3', 'e8');
END $$;

\echo test_what_is_somebody_elses_now_is_told_to_them
SET ROLE cirt_owner;
INSERT INTO seen_ids SELECT 'o1', test.land('list', 'vulnerable-system', 'open-x11', '192.0.2.200', 'Telco');
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
INSERT INTO report_status AS st (report, organisation) SELECT s.id, o.id FROM seen_ids s, organisation o WHERE s.name = 'o1' AND o.name = 'Bank'
	ON CONFLICT (report) DO UPDATE SET organisation = excluded.organisation;
INSERT INTO notice_arrival (reports) SELECT ARRAY[id] FROM seen_ids WHERE name = 'o1';
SELECT test.work() IS NOT NULL AS worked \gset
SET ROLE cirt_owner;
UPDATE outbox SET state = 'queued' WHERE state = 'bundling' AND address IN ('night@telco.example', 'soc@bank.example');
DO $$
DECLARE
	r bigint := (SELECT id FROM seen_ids WHERE name = 'o1');
BEGIN
	ASSERT test.told(r) = 'new night@telco.example full affected, new soc@bank.example full affected', test.told(r);
	ASSERT (SELECT string_agg(o.address || disclosure_lets(d.report, d.outbox, d.form), ' ' ORDER BY d.id) FROM disclosure d JOIN outbox o
		ON o.id = d.outbox WHERE d.report = r) = 'night@telco.examplefalse soc@bank.exampletrue', 'it does not leave to who had it';
END $$;

\echo test_a_batch_that_is_larger_keeps_the_rest
SET ROLE cirt_keeper;
DO $$
DECLARE
	first bigint[];
	then_ bigint[];
BEGIN
	INSERT INTO notice_arrival (reports) VALUES ('{1,2}'), ('{3}'), ('{4,5,6}'), ('{7}');
	first := notice_take(4);
	then_ := notice_take(100);
	ASSERT first = '{1,2,3,4}' AND then_ = '{5,6,7}', first::text || then_;
	ASSERT notice_take(5) = '{}';
END $$;

\echo test_rows_made_many_at_once_tell_what_one_alone_tells
DO $$
BEGIN
	ASSERT (SELECT count(*) FROM disclosure) > 20;
	ASSERT NOT has_table_privilege('cirt_keeper', 'disclosure_ready', 'SELECT, INSERT, UPDATE') AND NOT has_table_privilege('cirt_desk',
		'disclosure_ready', 'SELECT, INSERT, UPDATE'), 'nobody prepares what the trigger believes';
END $$;
RESET ROLE;
DO $$
DECLARE
	pairs bigint[] := ARRAY(SELECT report FROM disclosure ORDER BY id);
	mails bigint[] := ARRAY(SELECT outbox FROM disclosure ORDER BY id);
BEGIN
	ASSERT NOT EXISTS (SELECT 1 FROM disclosure_ready), 'it stays nowhere';
	ASSERT (SELECT count(*) FROM gate_pairs(pairs, mails)) = cardinality(pairs);
	ASSERT NOT EXISTS (SELECT 1 FROM gate_pairs(pairs, mails) g JOIN outbox o ON o.id = g.outbox
		WHERE g.verdict <> gate_report(g.report, o.recipient, o.address)), 'one gate';
	ASSERT disclosure_many('{1}', '{1}', '{new}', '{NULL}') = 0;
EXCEPTION WHEN no_data_found THEN
	ASSERT SQLERRM LIKE 'there is no report%', SQLERRM;
END $$;

\echo test_the_clock_lets_go_unless_they_are_many
SET ROLE cirt_owner;
INSERT INTO seen_ids SELECT 'c' || n, test.land('list', 'ddos-amplifier', 'open-chargen', '192.0.2.' || 210 + n, o) FROM (VALUES (1, 'Telco'), (2, 'Nobody'))
	AS v(n, o);
SET ROLE cirt_keeper;
SELECT * FROM keeper_notices(1000, now() - interval '1 second', 'cirt.example') \gset
DO $$
DECLARE
	ids bigint[] := ARRAY(SELECT DISTINCT d.outbox FROM disclosure d JOIN seen_ids s ON s.id = d.report WHERE s.name ~ '^c[12]$');
	did record;
BEGIN
	UPDATE outbox SET state = 'cancelled' WHERE state IN ('bundling', 'ready') AND id <> ALL (ids);
	SELECT * INTO did FROM keeper_notices_ready(false, 1);
	ASSERT did.ready = 2 AND did.queued = 0 AND (SELECT bool_and(state = 'ready') FROM outbox WHERE id = ANY (ids)), 'by hand';
	SELECT * INTO did FROM keeper_notices_ready(true, 1);
	ASSERT did.queued = 0 AND (SELECT bool_and(state = 'held' AND waits_for = 'approval' AND mass AND why LIKE '2 mails at once%') FROM outbox
		WHERE id = ANY (ids)), 'more than one at once';
	UPDATE outbox SET state = 'ready', approvals = 0, waits_for = '', mass = false WHERE id = ANY (ids);
	SELECT * INTO did FROM keeper_notices_ready(true, 2);
	ASSERT did.queued = 2 AND (SELECT bool_and(state = 'queued') FROM outbox WHERE id = ANY (ids));
END $$;

\echo test_a_report_that_goes_on_takes_the_place_of_the_old_one
SET ROLE cirt_owner;
INSERT INTO seen_ids SELECT 'long1', test.land('list', 'vulnerable-system', 'open-rsync', '192.0.2.220', 'Bank');
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
SELECT test.send() IS NOT NULL AS sent \gset
SET ROLE cirt_owner;
INSERT INTO seen_ids SELECT 'long2', test.land('list', 'vulnerable-system', 'open-rsync', '192.0.2.220', 'Bank');
INSERT INTO report_link (a, b, kind) SELECT a.id, b.id, 'continuation' FROM seen_ids a, seen_ids b WHERE a.name = 'long2' AND b.name = 'long1';
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
DO $$
DECLARE
	old_id bigint := (SELECT id FROM seen_ids WHERE name = 'long1');
	new_id bigint := (SELECT id FROM seen_ids WHERE name = 'long2');
BEGIN
	ASSERT test.told(new_id) IS NULL, 'it was told already';
	ASSERT (SELECT n.first_told = o.first_told AND o.continued = new_id AND o.next IS NULL AND n.next > now() + interval '29 days'
		FROM warning n, warning o WHERE n.report = new_id AND o.report = old_id);
END $$;

\echo test_a_scanner_that_is_listed_each_day_waits_for_its_interval_and_one_that_was_gone_does_not
SET ROLE cirt_owner;
INSERT INTO seen_ids SELECT n, test.land('list', 'scanner', n, '192.0.2.221', 'Bank') FROM unnest('{daily1,gone1}'::text[]) AS n;
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
SELECT test.send() IS NOT NULL AS sent \gset
SET ROLE cirt_owner;
UPDATE warning SET gone = now() WHERE report = (SELECT id FROM seen_ids WHERE name = 'gone1');
INSERT INTO seen_ids SELECT replace(n, '1', '2'), test.land('list', 'scanner', n, '192.0.2.221', 'Bank') FROM unnest('{daily1,gone1}'::text[]) AS n;
INSERT INTO report_link (a, b, kind) SELECT a.id, b.id, 'relapse' FROM seen_ids a JOIN seen_ids b ON b.name = replace(a.name, '2', '1')
	WHERE a.name IN ('daily2', 'gone2');
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
DO $$
DECLARE
	daily bigint := (SELECT id FROM seen_ids WHERE name = 'daily2');
	back bigint := (SELECT id FROM seen_ids WHERE name = 'gone2');
BEGIN
	ASSERT test.told(daily) IS NULL, test.told(daily);
	ASSERT (SELECT w.continued = daily FROM warning w JOIN seen_ids i ON i.id = w.report WHERE i.name = 'daily1');
	ASSERT test.told(back) LIKE 'relapse %', test.told(back);
END $$;

\echo test_what_is_listed_each_day_is_a_repeat_when_its_interval_is_over
SET ROLE cirt_owner;
INSERT INTO seen_ids SELECT 'often1', test.land('list', 'scanner', 'often', '192.0.2.225', 'Bank');
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
SELECT test.send() IS NOT NULL AS sent \gset
SET ROLE cirt_owner;
UPDATE warning w SET first_told = first_told - interval '31 days', last_told = last_told - interval '31 days', next = next - interval '31 days'
	FROM seen_ids i WHERE i.name = 'often1' AND i.id = w.report;
INSERT INTO seen_ids SELECT 'often2', test.land('list', 'scanner', 'often', '192.0.2.225', 'Bank');
INSERT INTO report_link (a, b, kind) SELECT a.id, b.id, 'relapse' FROM seen_ids a, seen_ids b WHERE a.name = 'often2' AND b.name = 'often1';
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
DO $$
DECLARE
	fresh bigint := (SELECT id FROM seen_ids WHERE name = 'often2');
BEGIN
	ASSERT test.told(fresh) LIKE 'repeat soc@bank.example %' AND test.told(fresh) NOT LIKE '%,%', test.told(fresh);
	ASSERT (SELECT w.continued = fresh FROM warning w JOIN seen_ids i ON i.id = w.report WHERE i.name = 'often1');
END $$;

\echo test_what_takes_the_place_of_a_report_stands_and_falls_with_its_mail
SET ROLE cirt_owner;
INSERT INTO organisation (name) VALUES ('Unreached');
CREATE FUNCTION test.again(was text, is_now text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO report_link (a, b, kind) SELECT a.id, b.id, 'continuation' FROM seen_ids a, seen_ids b WHERE a.name = is_now AND b.name = was;
$$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_keeper, cirt_desk;
INSERT INTO seen_ids SELECT 'heir' || n, test.land('list', 'scanner', 'heir' || n, '192.0.2.222', CASE n WHEN 3 THEN 'Unreached' ELSE 'Bank' END)
	FROM generate_series(1, 3) AS n;
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
SET ROLE cirt_owner;
INSERT INTO seen_ids SELECT 'heir' || n || 'b', test.land('list', 'scanner', 'heir' || n, '192.0.2.222', CASE n WHEN 3 THEN 'Unreached' ELSE 'Bank' END)
	FROM generate_series(1, 3) AS n;
SELECT test.again('heir' || n, 'heir' || n || 'b') FROM generate_series(1, 3) AS n;
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
DO $$
DECLARE
	fresh bigint := (SELECT id FROM seen_ids WHERE name = 'heir1b');
	nobody bigint := (SELECT id FROM seen_ids WHERE name = 'heir3b');
BEGIN
	ASSERT test.told(fresh) IS NULL, 'its older one is in a mail that waits';
	ASSERT (SELECT w.continued = nobody AND w.next IS NULL FROM warning w JOIN seen_ids i ON i.id = w.report WHERE i.name = 'heir3'), 'one of two counts';
	ASSERT test.outcome(nobody) LIKE 'no-contact%', test.outcome(nobody);
	PERFORM test.send();
	ASSERT (SELECT first_told IS NOT NULL AND next > now() + interval '6 days' FROM warning WHERE report = fresh), 'told by the mail of the older one';
	ASSERT (SELECT state = 'noticed' FROM report_status WHERE report = fresh);
END $$;
SET ROLE cirt_owner;
UPDATE outbox SET bounced = now(), bounce = '5.2.2 full' WHERE id = (SELECT d.outbox FROM disclosure d JOIN seen_ids i ON i.id = d.report WHERE i.name = 'heir2');
DO $$
DECLARE
	fresh bigint := (SELECT id FROM seen_ids WHERE name = 'heir2b');
BEGIN
	ASSERT test.outcome(fresh) LIKE 'held mail % came back: 5.2.2 full', test.outcome(fresh);
	ASSERT (SELECT first_told IS NULL AND next IS NOT NULL FROM warning WHERE report = fresh);
	ASSERT (SELECT next IS NULL FROM warning w JOIN seen_ids i ON i.id = w.report WHERE i.name = 'heir2'), 'only the newest is looked at again';
END $$;

\echo test_who_is_refused_at_once_has_another_contact_tried_at_once
INSERT INTO seen_ids SELECT 'refused', test.land('list', 'vulnerable-system', 'open-finger', '192.0.2.223', 'Telco');
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
SET ROLE cirt_owner;
DO $$
DECLARE
	mail bigint := (SELECT d.outbox FROM disclosure d JOIN seen_ids i ON i.id = d.report WHERE i.name = 'refused');
	me uuid := gen_random_uuid();
BEGIN
	UPDATE outbox SET state = 'ready' WHERE id = mail;
	UPDATE outbox SET state = 'queued', holder = me WHERE id = mail;
	PERFORM courier_fail(mail, me, 'no such user', '550 5.1.1', true);
	ASSERT (SELECT w.outcome = 'held' AND w.next <= now() FROM warning w JOIN seen_ids i ON i.id = w.report WHERE i.name = 'refused');
END $$;
UPDATE contact SET bounced = NULL;

\echo test_a_row_that_is_left_out_says_why
INSERT INTO seen_ids SELECT n, test.land('list', 'vulnerable-system', n, '192.0.2.224', 'Telco') FROM unnest('{moved1,ask2,stays1}'::text[]) AS n;
SET ROLE cirt_keeper;
SELECT test.work() IS NOT NULL AS worked \gset
SET ROLE cirt_owner;
DO $$
DECLARE
	mail bigint := (SELECT d.outbox FROM disclosure d JOIN seen_ids i ON i.id = d.report WHERE i.name = 'moved1');
	me uuid := gen_random_uuid();
	said text;
BEGIN
	INSERT INTO report_status (report, organisation) SELECT i.id, o.id FROM seen_ids i, organisation o WHERE i.name = 'moved1' AND o.name = 'Bank'
		ON CONFLICT (report) DO UPDATE SET organisation = excluded.organisation;
	UPDATE report SET source = (SELECT id FROM source WHERE name = 'quiet') WHERE id = (SELECT id FROM seen_ids WHERE name = 'ask2');
	UPDATE outbox SET state = 'ready' WHERE id = mail;
	UPDATE outbox SET state = 'queued', holder = me WHERE id = mail;
	PERFORM courier_check(mail, me);
	said := (SELECT string_agg(i.name || ': ' || coalesce(d.left_out, 'in it'), ', ' ORDER BY i.name) FROM disclosure d JOIN seen_ids i ON i.id = d.report
		WHERE d.outbox = mail AND i.name IN ('moved1', 'ask2', 'stays1'));
	ASSERT said = 'ask2: its source has to allow it first, moved1: it is not theirs any more, stays1: in it', said;
	UPDATE outbox SET state = 'cancelled', holder = NULL WHERE id = mail;
END $$;

\echo test_keys_of_cases_are_of_whose_it_is_now
DO $$
DECLARE
	which bigint := (SELECT id FROM seen_ids WHERE name = 'moved1');
	bank int := (SELECT id FROM organisation WHERE name = 'Bank');
	at_work record;
	fresh bigint;
BEGIN
	INSERT INTO correlation_queue (report, rule) SELECT which, id FROM correlation_rule WHERE name = 'still-there';
	PERFORM correlation_take(1000);
	SELECT * INTO at_work FROM correlation_work WHERE report = which;
	ASSERT at_work.key LIKE '%organisation=' || bank || ' %', at_work.key;
	fresh := correlation_open(at_work.exercise, at_work.rule, at_work.key);
	ASSERT (SELECT organisation = bank FROM cases WHERE id = fresh);
	DELETE FROM correlation_work;
END $$;

\echo test_a_contact_is_tested
SET ROLE cirt_desk;
DO $$
DECLARE
	of_bank int := (SELECT id FROM contact WHERE email = 'soc@bank.example');
	keyless int := (SELECT id FROM contact WHERE email = 'it@hospital.example');
	r jsonb;
BEGIN
	r := desk_contact_test(jsonb_build_object('id', of_bank::text, 'domain', 'cirt.example'));
	ASSERT r ->> 'test' ~ '^N[0-9]{4}-[0-9]{6} queued$', r ->> 'test';
	ASSERT (SELECT kind::text || state || language || tlp FROM outbox ORDER BY id DESC LIMIT 1) = 'testqueuedfrclear';
	BEGIN
		PERFORM desk_contact_test(jsonb_build_object('id', of_bank::text, 'domain', 'cirt.example'));
		RAISE 'a second one';
	EXCEPTION WHEN unique_violation THEN
	END;
	BEGIN
		PERFORM desk_contact_test(jsonb_build_object('id', keyless::text, 'domain', 'cirt.example'));
		RAISE 'in the clear';
	EXCEPTION WHEN check_violation THEN
		ASSERT SQLERRM LIKE '%no valid key%', SQLERRM;
	END;
END $$;

\echo test_what_is_anothers_now_is_new_to_them
SET ROLE cirt_owner;
INSERT INTO seen_ids SELECT 'moves', test.land('list', 'infected-system', 'moves', '198.51.100.77', 'Telco');
SET ROLE cirt_keeper;
DO $$
DECLARE
	m bigint := (SELECT id FROM seen_ids WHERE name = 'moves');
BEGIN
	PERFORM test.work();
	PERFORM test.send();
	ASSERT test.told(m) = 'new abuse@telco.example full affected' AND test.outcome(m) = 'told', test.told(m);
	ASSERT (SELECT first_told IS NOT NULL FROM warning WHERE report = m);
END $$;
SET ROLE cirt_owner;
INSERT INTO organisation_prefix (organisation, prefix) SELECT id, '198.51.100.76/31' FROM organisation WHERE name = 'Bank';
INSERT INTO report_status (report, organisation) SELECT s.id, o.id FROM seen_ids s, organisation o WHERE s.name = 'moves' AND o.name = 'Bank'
	ON CONFLICT (report) DO UPDATE SET organisation = excluded.organisation;
UPDATE report SET observables = ARRAY['ip indicator 198.51.100.77'] WHERE id = (SELECT id FROM seen_ids WHERE name = 'moves');
INSERT INTO notice_arrival (reports) SELECT ARRAY[id] FROM seen_ids WHERE name = 'moves';
SET ROLE cirt_keeper;
DO $$
DECLARE
	m bigint := (SELECT id FROM seen_ids WHERE name = 'moves');
	w warning;
BEGIN
	PERFORM test.work();
	ASSERT test.told(m) = 'new abuse@telco.example full affected, new soc@bank.example full affected', test.told(m);
	ASSERT (SELECT content ->> 'ip' FROM disclosure WHERE report = m ORDER BY id DESC LIMIT 1) = '198.51.100.77', 'of theirs who holds it now';
	SELECT * INTO w FROM warning WHERE report = m;
	ASSERT w.first_told IS NULL AND w.last_told IS NULL AND w.notices = 1, 'they are not warned yet';
	PERFORM test.send();
	ASSERT (SELECT first_told IS NOT NULL FROM warning WHERE report = m), 'now they are';
	-- The same owner is told again as ever.
	PERFORM test.later('31 days');
	PERFORM test.seen(m);
	PERFORM test.work();
	ASSERT test.told(m) LIKE '%, repeat soc@bank.example full affected', test.told(m);
END $$;

\echo notice: ok
