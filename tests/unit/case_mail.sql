-- Mails of cases, questions to parties and to many, and briefs: each block a test; the functions run as the role that calls them in
-- the daemon. A failed ASSERT ends it.
\set ON_ERROR_STOP 1
SET search_path = cirt, test, pg_temp;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET cirt.actor = 'op1';
CREATE SCHEMA test;
GRANT ALL ON SCHEMA test TO cirt_owner, cirt_keeper, cirt_desk;
SET ROLE cirt_owner;

-- What a source told: a report with these observables; of a mailbox a mail of this sender.
CREATE FUNCTION test.land(source_name text, seen text[], of_tlp tlp DEFAULT 'amber', sender text DEFAULT '', subject text DEFAULT '', says text DEFAULT '',
	of_exercise int DEFAULT 0) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	fresh bigint := (SELECT * FROM report_ids(to_char(timezone('UTC', now()), 'YYYYMM')::int, 1));
BEGIN
	INSERT INTO report SELECT fresh, now(), now(), 1, NULL, 0, gen_random_uuid(), gen_random_uuid(), s.id, 0, of_exercise, NULL, 0, 'phishing', of_tlp,
		'amber', 50, 50, s.trust, 1, 'r', 'k', '', '', '', '', subject, says, '', seen, '{}', '{}', '{}' FROM source s WHERE s.name = source_name;
	IF sender <> '' THEN
		INSERT INTO letter (mail, received, message_id, sender) VALUES (fresh, now(), 'm' || fresh || '@x.example', sender);
	END IF;
	RETURN fresh;
END $$;
-- A mail into a case.
CREATE FUNCTION test.letter(of_case bigint, who text, subject text, says text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	fresh bigint := (SELECT * FROM report_ids(to_char(timezone('UTC', now()), 'YYYYMM')::int, 1));
BEGIN
	INSERT INTO item (id, received, sequence, spool, source, item, exercise, kind, tlp, subkind, part, sender_id, title, text, doc, observables, notes)
		SELECT fresh, clock_timestamp(), 1, gen_random_uuid(), 1, 0, c.exercise, 'correspondence', 'amber', 'reply', 'mail', 'm' || fresh || '@x.example', subject, says, '',
			ARRAY['email reporter ' || who], '{}' FROM cases c WHERE c.id = of_case;
	INSERT INTO letter (mail, received, message_id, sender) VALUES (fresh, clock_timestamp(), 'm' || fresh || '@x.example', who);
	INSERT INTO case_letter (item, case_id, way, known, sender) VALUES (fresh, of_case, 'address', true, who);
	RETURN fresh;
END $$;
CREATE TABLE test.ids (name text PRIMARY KEY, id bigint);
GRANT ALL ON test.ids TO cirt_keeper, cirt_desk;
CREATE FUNCTION test.id(what text) RETURNS bigint LANGUAGE sql AS $$ SELECT id FROM test.ids WHERE name = what $$;
CREATE FUNCTION test.number(what text) RETURNS text LANGUAGE sql AS $$ SELECT number FROM cirt.cases WHERE id = test.id(what) $$;
-- As the desk asks: with what it knows itself.
CREATE FUNCTION test.asked(f jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT '{"tag": "CIRT-XX", "name": "CIRT Example", "address": "cirt@cirt.example", "domain": "cirt.example", "mass": 3, "role": "analyst", "operator": "op1"}' || f
$$;
CREATE FUNCTION test.refused(said text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	says text;
	state text;
BEGIN
	EXECUTE said;
	RETURN 'not refused';
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS says = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
	RETURN state || ' ' || says;
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_keeper, cirt_desk;

INSERT INTO exercise (id, name) VALUES (7, 'blue');
INSERT INTO exercise_directory VALUES (7, '@drill.example');
INSERT INTO operator (name, role, uid) VALUES ('op1', 'analyst', 5001), ('op2', 'analyst', 5002) ON CONFLICT DO NOTHING;
INSERT INTO source (name, kind, trust) VALUES ('list', 'feed', 60), ('partner', 'feed', 60);
INSERT INTO organisation (name, kind, sector) VALUES ('Bank', 'bank', 'finance'), ('CERT-YY', 'national-cirt', ''), ('City Hospital', 'hospital', 'health'),
	('Lake Hospital', 'hospital', 'health'), ('Hill Hospital', 'hospital', 'health'), ('Port Clinic', 'hospital', 'health');
INSERT INTO organisation_domain (organisation, domain) SELECT id, 'bank.example' FROM organisation WHERE name = 'Bank';
INSERT INTO contact (organisation, role, name, email, policy, pgp, pgp_expires, language)
	SELECT o.id, 'security', c.name, c.email, c.policy::key_policy, c.pgp, c.ends::timestamptz, c.language
	FROM (VALUES ('Bank', 'SOC', 'soc@bank.example', 'required', repeat('7C1A', 10), '2099-03-01', 'en'),
		('CERT-YY', '', 'cert@cert.yy.example', 'preferred', repeat('AB', 20), '2020-01-01', 'fr'),
		('City Hospital', 'IT', 'it@city.example', 'preferred', '', NULL, 'fr'), ('Lake Hospital', 'IT', 'it@lake.example', 'preferred', '', NULL, 'en'),
		('Hill Hospital', 'IT', 'it@hill.example', 'preferred', '', NULL, 'en')) c(org, name, email, policy, pgp, ends, language)
	JOIN organisation o ON o.name = c.org;
-- A phishing wave: three citizens and a partner who told more than may leave.
INSERT INTO ids SELECT 'r' || n, test.land('report', ARRAY['url source http://login-bank.example.net/a' || n, 'name source login-bank.example.net',
	'ip source 198.51.100.20' || n, 'email reporter citizen' || n || '@people.example'], 'amber', 'citizen' || n || '@people.example', 'Is this real?',
	'I got this: http://login-bank.example.net/a' || n) FROM generate_series(1, 3) n;
INSERT INTO ids SELECT 'secret', test.land('partner', ARRAY['ip source 203.0.113.99', 'name source c2.evil.example'], 'amber+strict');
WITH c AS (INSERT INTO cases (title, state, type, organisation) SELECT 'Phishing wave', 'open', 'phishing', o.id FROM organisation o WHERE o.name = 'Bank' RETURNING id)
	INSERT INTO ids SELECT 'wave', id FROM c;
INSERT INTO case_report (report, case_id) SELECT id, id('wave') FROM ids WHERE name ~ '^(r\d|secret)';
INSERT INTO party (case_id, role, organisation, name, contact) SELECT id('wave'), 'imitated', o.id, 'Bank', '' FROM organisation o WHERE o.name = 'Bank';
INSERT INTO party (case_id, role, name, contact) VALUES (id('wave'), 'hoster', 'Host', 'abuse@host.example'), (id('wave'), 'police', 'Police', 'call +99 555');
INSERT INTO party (case_id, role, organisation) SELECT id('wave'), 'partner', o.id FROM organisation o WHERE o.name = 'CERT-YY';
INSERT INTO ids SELECT 'b1', test.letter(id('wave'), 'soc@bank.example', 'Re: [BANK #5512] phishing wave', 'We see it too: http://login-bank.example.net/a1 at 198.51.100.201');

\echo test_draft_shows_what_leaves
SET ROLE cirt_desk;
DO $$
DECLARE
	d jsonb := desk_reply(asked(jsonb_build_object('what', number('wave'), 'to', 'imitated', 'draft', true)));
	t text := d ->> 'text';
BEGIN
	ASSERT d ->> 'to' = 'soc@bank.example' AND d ->> 'verdict' = 'allow' AND d ->> 'tlp' = 'amber' AND d ->> 'recipient' = 'affected', d;
	ASSERT d ->> 'tags' = '[CIRT-XX ' || number('wave') || '] [BANK #5512]' AND d ->> 'subject' = 'phishing wave', d;
	ASSERT d #>> '{key,kind}' = 'PGP' AND d #>> '{key,says}' = 'PGP 7C1A…, valid to 2099-03-01';
	ASSERT t LIKE 'Dear SOC,%' AND t LIKE E'%-- \nCIRT Example\n%';
	-- Their own words, harmless; three findings; not the partner's.
	ASSERT t LIKE '%> We see it too: hxxp://login-bank[.]example[.]net/a1 at 198[.]51[.]100[.]201%', t;
	ASSERT (SELECT count(*) FROM regexp_matches(t, '^\d{6}-\d+  ', 'gn')) = 3, t;
	ASSERT t NOT LIKE '%203.0.113.99%' AND t NOT LIKE '%203[.]0%' AND t NOT LIKE '%citizen%' AND t NOT LIKE '%http://%', t;
	ASSERT d #>> '{left_out,0,report}' = report_number(id('secret')) AND d #>> '{left_out,0,tlp}' = 'amber+strict' AND jsonb_array_length(d -> 'left_out') = 1, d;
	ASSERT jsonb_array_length(d -> 'told') = 3;
	ASSERT NOT EXISTS (SELECT 1 FROM outbox);
	-- A hoster is told what, where and when; PAP and TLP of the case decide.
	d := desk_reply(asked(jsonb_build_object('what', number('wave'), 'to', 'hoster', 'draft', true)));
	ASSERT d ->> 'verdict' = 'approve' AND (d ->> 'approvals')::int = 2 AND d #>> '{key,says}' = 'in the clear', d;
	-- A foreign CIRT above GREEN: two people; its key has expired; the greeting is in its language.
	d := desk_reply(asked(jsonb_build_object('what', number('wave'), 'to', 'partner', 'draft', true)));
	ASSERT d ->> 'recipient' = 'foreign' AND (d ->> 'approvals')::int = 2 AND d #>> '{key,says}' = 'in the clear: KEY EXPIRED' AND d ->> 'text' LIKE 'Chers collègues,%', d;
	ASSERT refused(format('SELECT desk_reply(%L)', asked(jsonb_build_object('what', number('wave'), 'to', 'police', 'draft', true)))) LIKE '22023 no mail address of "police"%';
	ASSERT refused(format('SELECT desk_reply(%L)', asked(jsonb_build_object('what', number('wave'), 'to', 'registrar', 'draft', true)))) LIKE 'P0002 nobody in%';
	ASSERT refused(format('SELECT desk_reply(%L)', asked('{"what": "2026-999999", "draft": true}'))) LIKE 'P0002%';
END $$;

\echo test_mail_goes_in_a_minute_and_may_be_taken_back
DO $$
DECLARE
	d jsonb;
	o outbox;
BEGIN
	ASSERT refused(format('SELECT desk_reply(%L)', asked(jsonb_build_object('what', number('wave'), 'text', E' \n> quoted only\n-- \nus')))) LIKE '22023 there is no text%';
	ASSERT refused(format('SELECT desk_reply(%L)', asked(jsonb_build_object('what', number('wave'), 'text', repeat('x', 200001))))) LIKE '22023 a mail has at most%';
	d := desk_reply(asked(jsonb_build_object('what', report_number(id('b1')), 'text', 'Thanks. Please block http://login-bank.example.net/a2, citizen2@people.example saw it.')));
	SELECT * INTO o FROM outbox WHERE number = d ->> 'number';
	ASSERT o.state = 'queued' AND o.next_try > now() + interval '50 s' AND o.due = o.next_try AND o.case_id = id('wave') AND o.kind = 'mail', o;
	ASSERT o.in_reply_to = '<m' || id('b1') || '@x.example>' AND o.fields ->> 'references' = o.in_reply_to AND o.answers = id('b1');
	ASSERT o.fields ->> 'tags' = '[CIRT-XX ' || number('wave') || '] [BANK #5512]';
	ASSERT o.fields ->> 'text' LIKE 'Thanks. Please block hxxp://login-bank[.]example[.]net/a2, [address removed] saw it.%', o.fields;
	ASSERT (d ->> 'defanged')::int = 1 AND (d ->> 'removed')::int = 1;
	-- A row for what it tells, as it was.
	ASSERT (SELECT string_agg(report::text || cause || form || tlp || channel, ',') FROM disclosure WHERE outbox = o.id) LIKE '%' || id('r2') || 'mailfullambermail%';
	ASSERT mail_undo(jsonb_build_object('outbox', o.id)) LIKE 'mail N% to soc@bank.example does not go';
	ASSERT (SELECT state FROM outbox WHERE id = o.id) = 'cancelled';
	ASSERT refused(format('SELECT mail_undo(%L)', jsonb_build_object('outbox', o.id))) LIKE '23514%';
	ASSERT (SELECT count(*) FROM act WHERE noun = 'mail' AND until = o.due) = 1;
END $$;

\echo test_nothing_leaks_by_hand
DO $$
DECLARE
	d jsonb;
BEGIN
	ASSERT refused(format('SELECT desk_reply(%L)', asked(jsonb_build_object('what', number('wave'), 'to', 'imitated', 'text', 'See also 203[.]0[.]113[.]99 !'))))
		LIKE '42501 %it says 203.0.113.99, which report ' || report_number(id('secret')) || ' (partner, AMBER+STRICT) alone told: cirt tlp ask%';
	d := desk_reply(asked(jsonb_build_object('what', number('wave'), 'to', 'imitated', 'dry_run', true, 'text', 'hxxp://C2.evil.example/x')));
	ASSERT d ->> 'refused' LIKE '%c2.evil.example%' AND NOT d ? 'number', d;
	-- Below the case's TLP: two people.
	d := desk_reply(asked(jsonb_build_object('what', number('wave'), 'to', 'imitated', 'tlp', 'TLP:GREEN', 'text', 'Be careful.')));
	ASSERT d ->> 'state' = 'held' AND d ->> 'why' LIKE '%below the case''s AMBER';
	PERFORM set_config('cirt.actor', 'op2', true);
	ASSERT (desk_notice_approve(asked(jsonb_build_object('notice', d ->> 'number'))) ->> 'state') = 'queued';
	ASSERT (SELECT cardinality(approved_by) FROM outbox WHERE number = d ->> 'number') = 2;
	PERFORM set_config('cirt.actor', 'op1', true);
	d := desk_reply(asked(jsonb_build_object('what', number('wave'), 'to', 'imitated', 'tlp', 'red', 'text', 'For your eyes.')));
	ASSERT d ->> 'state' = 'held' AND d ->> 'form' = 'sanitised', d;
	ASSERT refused(format('SELECT desk_notice_approve(%L)', asked(jsonb_build_object('notice', d ->> 'number')))) LIKE '23514 you have%';
	-- At night one is alone.
	d := desk_reply(asked(jsonb_build_object('what', number('wave'), 'to', 'imitated', 'tlp', 'green', 'text', 'Now!', 'break_glass', 'they are calling')));
	ASSERT d ->> 'state' = 'queued' AND EXISTS (SELECT 1 FROM approval WHERE object = 'outbox/' || (d ->> 'number') AND state = 'countersign'), d;
	-- The database judges what it is given, whoever gives it.
	ASSERT refused($q$INSERT INTO outbox (kind, state, recipient, address, tlp, case_id, message_id) VALUES ('mail', 'ready', 'foreign', 'x@y.example', 'red', $q$
		|| id('wave') || $q$, '<leak@x>')$q$) LIKE '42501 this must not be told%';
	INSERT INTO outbox (kind, state, recipient, address, tlp, case_id, message_id) VALUES ('mail', 'queued', 'foreign', 'x@y.example', 'amber', id('wave'), '<two@x>');
	ASSERT (SELECT state || waits_for FROM outbox WHERE message_id = '<two@x>') = 'heldapproval';
END $$;

\echo test_report_answered
DO $$
DECLARE
	d jsonb := desk_reply(asked(jsonb_build_object('what', report_number(id('r3')), 'text', 'It is no mail of the bank.')));
BEGIN
	ASSERT d ->> 'recipient' = 'source' AND d ->> 'to' = 'citizen3@people.example' AND d ->> 'state' = 'queued', d;
	ASSERT NOT EXISTS (SELECT 1 FROM report_status WHERE report = id('r3') AND state = 'answered');
END $$;
RESET ROLE;
UPDATE outbox SET state = 'sent', sent = now(), bytes = 'x' WHERE answers = id('r3');
DO $$ BEGIN
	ASSERT (SELECT state FROM report_status WHERE report = id('r3')) = 'answered';
END $$;

\echo test_exercise_stays_one
SET ROLE cirt_owner;
WITH c AS (INSERT INTO cases (title, state, exercise) VALUES ('Drill', 'open', 7) RETURNING id) INSERT INTO ids SELECT 'drill', id FROM c;
SET ROLE cirt_desk;
DO $$
BEGIN
	ASSERT desk_mail(asked(jsonb_build_object('case', number('drill'), 'to', 'real@real.example', 'dry_run', true, 'text', 'x'))) ->> 'refused' LIKE 'what belongs to a drill%';
	ASSERT desk_mail(asked(jsonb_build_object('case', number('drill'), 'to', 'player@drill.example', 'text', 'Move.'))) ->> 'number' LIKE 'N%';
	ASSERT (SELECT exercise FROM outbox WHERE address = 'player@drill.example') = 7;
END $$;
RESET ROLE;

\echo test_inquiry_is_answered_by_its_own_address
SET ROLE cirt_desk;
DO $$
DECLARE
	d jsonb;
	i inquiry;
BEGIN
	ASSERT refused(format('SELECT desk_inquiry_new(%L)', asked(jsonb_build_object('case', number('wave'), 'to', 'imitated', 'question', ' ', 'due', '4h')))) LIKE '22023 there is no question%';
	ASSERT refused(format('SELECT desk_inquiry_new(%L)', asked(jsonb_build_object('case', number('wave'), 'to', 'imitated', 'question', 'x', 'due', 'soon')))) LIKE '22023 due: expected%';
	ASSERT refused(format('SELECT desk_inquiry_new(%L)', asked(jsonb_build_object('case', number('wave'), 'to', 'imitated', 'question', 'x', 'due', '2020-01-01')))) LIKE '22023%over already';
	d := desk_inquiry_new(asked(jsonb_build_object('case', number('wave'), 'to', 'imitated', 'question', 'Who runs http://login-bank.example.net/a1?', 'due', '4h')));
	SELECT * INTO i FROM inquiry WHERE id = (d ->> 'inquiry')::bigint;
	ASSERT i.case_id = id('wave') AND i.state = 'open' AND d ->> 'state' = 'queued' AND i.due > now() + interval '3 h', d;
	ASSERT (SELECT fields ->> 'text' FROM outbox WHERE id = i.outbox) LIKE 'Dear colleagues at Bank,%Who runs hxxp://login-bank[.]example[.]net/a1?%Please answer this mail by %';
	ASSERT EXISTS (SELECT 1 FROM case_open_ends(id('wave')) WHERE what LIKE 'question ' || i.id || ' to Bank is open%');
	INSERT INTO ids VALUES ('q1', i.id), ('q1mail', i.outbox);
	-- What is taken back is not asked.
	d := desk_inquiry_new(asked(jsonb_build_object('case', number('wave'), 'to', 'hoster', 'question', 'And you?', 'due', '1d', 'tlp', 'green')));
	ASSERT mail_undo(jsonb_build_object('outbox', (SELECT outbox FROM inquiry WHERE id = (d ->> 'inquiry')::bigint))) LIKE '%does not go';
	ASSERT (SELECT state FROM inquiry WHERE id = (d ->> 'inquiry')::bigint) = 'dropped';
	-- By phone: nothing is sent.
	d := desk_inquiry_new(asked(jsonb_build_object('case', number('wave'), 'to', 'Police', 'question', 'File?', 'due', '2 weeks', 'phone', true)));
	ASSERT d ->> 'state' = 'open' AND NOT d ? 'number';
	d := desk_inquiry_answered(asked(jsonb_build_object('inquiry', d ->> 'inquiry', 'note', 'PN-2231/26')));
	ASSERT d ->> 'state' = 'answered' AND d ->> 'answer' = 'PN-2231/26';
END $$;
SET ROLE cirt_owner;
UPDATE outbox SET bytes = 'x', rendered = now(), state = 'sent', sent = now() WHERE id = id('q1mail');
CREATE FUNCTION test.answers(of_outbox bigint, who text, says text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	fresh bigint := (SELECT * FROM report_ids(to_char(timezone('UTC', now()), 'YYYYMM')::int, 1));
	o outbox;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = of_outbox;
	INSERT INTO item (id, received, sequence, spool, source, item, exercise, kind, tlp, subkind, part, sender_id, title, text, doc, observables, notes)
		VALUES (fresh, clock_timestamp(), 1, gen_random_uuid(), 1, 0, 0, 'correspondence', 'amber', 'reply', 'mail', 'a' || fresh || '@x.example', 'Re', says, '', '{}', '{}');
	INSERT INTO letter (mail, received, message_id, sender) VALUES (fresh, clock_timestamp(), 'a' || fresh || '@x.example', who);
	INSERT INTO letter_back (mail, received, source, exercise, kind, placed, sealed, sender, message_id, replies, tags, returned, dmarc, machine, door)
		VALUES (fresh, clock_timestamp(), 1, 0, 'reply', true, o.number, who, 'a' || fresh || '@x.example', '', 'CIRT-XX' || chr(10), '', '', false, true);
	RETURN fresh;
END $$;
DO $$
DECLARE
	mail bigint := answers(id('q1mail'), 'soc@bank.example', 'The hoster told us: a shell company.');
	i inquiry;
BEGIN
	PERFORM keeper_back(100, 'cirt.example', false, 0);
	PERFORM keeper_letters(100);
	SELECT * INTO i FROM inquiry WHERE id = id('q1');
	ASSERT i.state = 'answered' AND i.mail = mail, i;
	ASSERT EXISTS (SELECT 1 FROM case_letter c WHERE c.item = mail AND c.case_id = id('wave'));
	ASSERT (SELECT count(*) FROM cases) = 2;
END $$;
SET ROLE cirt_desk;
DO $$
DECLARE
	d jsonb := desk_inquiry_show(asked(jsonb_build_object('inquiry', id('q1')::text)));
	t jsonb := case_thread(id('wave'));
BEGIN
	ASSERT jsonb_array_length(d -> 'thread') = 2 AND d #>> '{thread,1,text}' = 'The hoster told us: a shell company.', d;
	ASSERT (SELECT count(*) FROM jsonb_array_elements(t) x WHERE x ->> 'way' = 'in') = 5, t;
	ASSERT (SELECT string_agg(x ->> 'at', ',') FROM jsonb_array_elements(t) x) = (SELECT string_agg(x ->> 'at', ',' ORDER BY x ->> 'at') FROM jsonb_array_elements(t) x);
	ASSERT t::text NOT LIKE '%http://login%' AND t::text LIKE '%hxxp://login-bank[.]example[.]net%';
	ASSERT (SELECT x ->> 'state' FROM jsonb_array_elements(t) x WHERE x ->> 'id' = (SELECT number FROM outbox WHERE id = id('q1mail'))) = 'answered';
END $$;

\echo test_overdue_is_told_once
RESET ROLE;
INSERT INTO inquiry (case_id, name, question, due) VALUES (id('wave'), 'Slow', 'When?', now() - interval '1 min');
SET ROLE cirt_keeper;
DO $$
BEGIN
	ASSERT (SELECT overdue FROM keeper_inquiries('cirt.example')) = 1;
	ASSERT (SELECT overdue FROM keeper_inquiries('cirt.example')) = 0;
	ASSERT (SELECT count(*) FROM alarm WHERE kind = 'inquiry-overdue' AND ended IS NULL AND text LIKE 'Slow has not answered%') = 1;
END $$;

\echo test_ask_many
SET ROLE cirt_desk;
DO $$
DECLARE
	d jsonb;
BEGIN
	ASSERT refused(format('SELECT desk_ask(%L)', asked('{"group": "sector:space", "question": "x", "until": "1d"}'))) LIKE 'P0002 there is no organisation%';
	-- Four hospitals, one without anybody to write to: three mails, which is as many as one may send alone.
	d := desk_ask(asked('{"group": "sector:health", "question": "Have you seen winterlock? See http://bad.example/x", "until": "2d"}'));
	ASSERT (d ->> 'of')::int = 4 AND (d ->> 'mails')::int = 3 AND d -> 'unreached_names' = '["Port Clinic"]', d;
	ASSERT (SELECT bool_and(o.state = 'queued' AND o.next_try > now() + interval '50 s') FROM outbox o JOIN inquiry i ON i.outbox = o.id WHERE i.ask = (d ->> 'ask')::int);
	ASSERT (SELECT fields ->> 'text' FROM outbox WHERE address = 'it@city.example') LIKE 'Bonjour IT,%hxxp://bad[.]example/x%OUI, NON ou%';
	INSERT INTO ids VALUES ('a1', (d ->> 'ask')::int);
	-- One more than that waits for a second person, and goes when he says so.
	d := desk_ask(asked('{"group": "sector:health", "question": "Again?", "until": "2d", "mass": 2}'));
	ASSERT d ->> 'waits' = 'true' AND d ->> 'state' = 'waits for a second person', d;
	PERFORM set_config('cirt.actor', 'op2', true);
	PERFORM desk_approve_give(asked(jsonb_build_object('approval', d #>> '{approval,approval}', 'operator', 'op2')));
	ASSERT (SELECT count(*) FROM outbox o JOIN inquiry i ON i.outbox = o.id WHERE i.ask = (d ->> 'ask')::int AND o.state = 'queued' AND cardinality(o.approved_by) = 2) = 3;
	PERFORM set_config('cirt.actor', 'op1', true);
	ASSERT ask_undo(jsonb_build_object('ask', d ->> 'ask')) = '3 mails do not go';
END $$;
RESET ROLE;
UPDATE outbox o SET bytes = 'x', rendered = now(), state = 'sent', sent = now() FROM inquiry i WHERE i.ask = id('a1') AND o.id = i.outbox;
SET ROLE cirt_owner;
DO $$
DECLARE
	n int := (SELECT count(*) FROM cases);
BEGIN
	PERFORM answers((SELECT outbox FROM inquiry WHERE ask = id('a1') AND name = 'City Hospital'), 'it@city.example', E'Bonjour,\n\nNon, rien.\n> Veuillez OUI');
	PERFORM answers((SELECT outbox FROM inquiry WHERE ask = id('a1') AND name = 'Lake Hospital'), 'it@lake.example', E'CHECKING. We look.');
	PERFORM keeper_back(100, 'cirt.example', false, 0);
	ASSERT (SELECT string_agg(name || ' ' || word || ' ' || state, ',' ORDER BY name) FROM inquiry WHERE ask = id('a1'))
		= 'City Hospital no answered,Hill Hospital  open,Lake Hospital checking open,Port Clinic  open', (SELECT string_agg(name || ' ' || word || ' ' || state, ',' ORDER BY name) FROM inquiry WHERE ask = id('a1'));
	ASSERT (SELECT count(*) FROM cases) = n;
	-- The last word holds.
	PERFORM answers((SELECT outbox FROM inquiry WHERE ask = id('a1') AND name = 'Lake Hospital'), 'it@lake.example', 'Yes, we have it.');
	PERFORM keeper_back(100, 'cirt.example', false, 0);
	ASSERT (SELECT word FROM inquiry WHERE ask = id('a1') AND name = 'Lake Hospital') = 'yes';
END $$;
UPDATE ask SET remind = now() WHERE id = id('a1');
SET ROLE cirt_keeper;
DO $$ BEGIN
	ASSERT (SELECT reminded FROM keeper_inquiries('cirt.example')) = 1;
	ASSERT (SELECT reminded FROM keeper_inquiries('cirt.example')) = 0;
END $$;
SET ROLE cirt_desk;
DO $$
DECLARE
	d jsonb := desk_ask_show(asked(jsonb_build_object('ask', id('a1')::text)));
BEGIN
	ASSERT (SELECT count(*) FROM outbox o JOIN inquiry i ON o.inquiry = i.id WHERE i.ask = id('a1') AND i.name = 'Hill Hospital') = 2;
	ASSERT d #> '{sectors,0}' = '{"sector": "health", "of": 4, "yes": 1, "no": 1, "checking": 0, "other": 0, "silent": 2}', d -> 'sectors';
	ASSERT (SELECT string_agg(x ->> 'organisation', ',') FROM jsonb_array_elements(d -> 'items') x WHERE x ->> 'word' = 'no answer') = 'Hill Hospital,Port Clinic';
	PERFORM desk_ask_set(asked(jsonb_build_object('ask', id('a1')::text, 'organisation', 'port clinic', 'answer', 'no', 'note', 'by phone')));
	ASSERT (desk_ask_show(asked(jsonb_build_object('ask', id('a1')::text))) ->> 'no')::int = 2;
	ASSERT refused(format('SELECT desk_ask_set(%L)', asked(jsonb_build_object('ask', id('a1')::text, 'organisation', 'Nobody', 'answer', 'no')))) LIKE 'P0002%';
	ASSERT (desk_ask_close(asked(jsonb_build_object('ask', id('a1')::text))) ->> 'state') = 'closed';
END $$;
RESET ROLE;

\echo test_greeting_is_for_whom_it_goes_to
SET ROLE cirt_desk;
DO $$
BEGIN
	-- A citizen of whom we have an address, one by name, an organisation, another team; what we have no language for is English.
	ASSERT mail_greeting('en', '') = 'Hello,' AND mail_greeting('fr', '') = 'Bonjour,' AND mail_greeting('es-MX', '') = 'Buenos días:' AND mail_greeting('xx', NULL) = 'Hello,';
	ASSERT mail_greeting('en', 'Ms Nakamura') = 'Dear Ms Nakamura,' AND mail_greeting('fr', 'SOC') = 'Bonjour SOC,' AND mail_greeting('es', '100 % SOC') = 'Hola, 100 % SOC:';
	ASSERT mail_greeting('en', 'bank') = 'Dear colleagues at bank,' AND mail_greeting('fr', 'Bank') = 'À l''attention de Bank,';
	ASSERT mail_greeting('en', 'CERT-YY') = 'Dear colleagues,' AND mail_greeting('es', 'CERT-YY') = 'Estimados colegas:';
END $$;
RESET ROLE;

\echo test_brief_says_what_the_case_has
SET ROLE cirt_desk;
DO $$
DECLARE
	d jsonb;
	e jsonb;
BEGIN
	INSERT INTO case_event (case_id, at, text) VALUES (id('wave'), '2026-11-24 05:12Z', 'first page seen');
	INSERT INTO inquiry (case_id, name, question, due) VALUES (id('wave'), 'X', 'Who paid?', '2099-01-01');
	d := desk_case_brief(asked(jsonb_build_object('number', number('wave'))));
	ASSERT d ->> 'text' LIKE 'TLP:AMBER · %UTC · situation 1 · from the journal up to #%2026-11-24 05:12: first page seen%Who paid?%how much was harmed%' OR d ->> 'text' LIKE
		'TLP:AMBER · %situation 1 %first page seen%how much was harmed%Who paid?%', d;
	-- The same state of the case is the same situation; another one is the next.
	e := desk_case_brief(asked(jsonb_build_object('number', number('wave'))));
	ASSERT regexp_replace(d ->> 'text', '\d\d:\d\d UTC ·', '') = regexp_replace(e ->> 'text', '\d\d:\d\d UTC ·', '');
	INSERT INTO case_event (case_id, at, text) VALUES (id('wave'), '2026-11-24 06:00Z', 'taken down');
	e := desk_case_brief(asked(jsonb_build_object('number', number('wave'), 'lang', 'fr', 'for', 'imitated')));
	ASSERT (e ->> 'situation')::int = 2 AND e ->> 'text' LIKE '%Ce que nous ne savons pas%' AND e ->> 'gate' = 'Bank: ok', e;
	ASSERT refused(format('SELECT desk_case_brief(%L)', asked(jsonb_build_object('number', number('wave'), 'lang', 'xx')))) LIKE '22023 lang%';
	ASSERT refused(format('SELECT desk_case_brief(%L)', asked(jsonb_build_object('number', number('wave'), 'tlp', 'red', 'for', 'partner')))) LIKE '42501 this must not%';
	e := desk_case_brief(asked(jsonb_build_object('number', number('wave'), 'tlp', 'red', 'for', 'imitated')));
	ASSERT e ->> 'form' = 'sanitised' AND e ->> 'text' NOT LIKE '%first page%' AND e ->> 'text' NOT LIKE '%Who paid%';
END $$;
RESET ROLE;

\echo test_brief_says_what_its_reader_may_do_with_it
SET ROLE cirt_owner;
WITH c AS (INSERT INTO cases (title, state) VALUES ('Hush at the mint', 'open') RETURNING id) INSERT INTO ids SELECT 'mint', id FROM c;
INSERT INTO party (case_id, role, name, contact, language) VALUES (id('mint'), 'regulator', 'The office', 'office@mint.example', 'fr');
RESET ROLE;
SET ROLE cirt_desk;
DO $$
DECLARE
	n text := number('mint');
	t text := desk_case_brief(asked(jsonb_build_object('number', n))) ->> 'text';
BEGIN
	ASSERT t LIKE '%' || chr(10) || 'may be passed on to those in your organisation and among its clients%' AND t NOT LIKE '%Not to be told on%', t;
	ASSERT t LIKE '%What we do not know' || chr(10) || '  - who is concerned' || chr(10) || '  - how much was harmed' || chr(10) || '  - what it is' || chr(10) || '%', t;
	PERFORM desk_case_note(asked(jsonb_build_object('number', n, 'text', '["the way in"]'::jsonb, 'unsaid', true)));
	INSERT INTO party (case_id, role, name) VALUES (id('mint'), 'affected', 'Mint'), (id('mint'), 'affected', 'Its printers');
	-- In the language of whom it is for; and for whom.
	t := desk_case_brief(asked(jsonb_build_object('number', n, 'for', 'regulator'))) ->> 'text';
	ASSERT t LIKE 'TLP:AMBER · %situation 2 %' || chr(10) || 'pour The office · peut être transmis à ceux de votre organisation %', t;
	ASSERT t LIKE '%- 2 organisations concernées' || chr(10) || '%À ne pas dire' || chr(10) || '  - the way in' || chr(10) || chr(10) || 'TLP:AMBER', t;
	ASSERT desk_case_brief(asked(jsonb_build_object('number', n, 'lang', 'en', 'tlp', 'amber+strict'))) ->> 'text'
		LIKE '%' || chr(10) || 'may be passed on to those in your organisation who have to know, and to nobody else' || chr(10) || '%';
	ASSERT refused(format('SELECT desk_case_note(%L)', asked(jsonb_build_object('number', n, 'text', jsonb_build_array(repeat('x', 201)), 'unsaid', true)))) LIKE '22023 %200 characters%';
	PERFORM desk_note_unpin(asked(jsonb_build_object('id', (SELECT max(id)::text FROM note WHERE case_id = id('mint')))));
	ASSERT desk_case_brief(asked(jsonb_build_object('number', n))) ->> 'text' NOT LIKE '%the way in%';
END $$;
RESET ROLE;

\echo test_brief_speaks_its_language
SET ROLE cirt_owner;
WITH c AS (INSERT INTO cases (title, state, type, impact) VALUES ('Short of power', 'open', 'outage', 'minor') RETURNING id) INSERT INTO ids SELECT 'power', id FROM c;
INSERT INTO ids SELECT 'p1', test.land('report', '{}', 'amber', 'first@people.example', 'No power', 'It went out.');
INSERT INTO case_report (report, case_id) SELECT id('p1'), id('power');
INSERT INTO task (case_id, title) VALUES (id('power'), 'call'), (id('power'), 'look');
UPDATE task SET state = 'done', ended = now(), ended_by = 'op1' WHERE case_id = id('power') AND title = 'call';
UPDATE cases SET state = 'waiting' WHERE id = id('power');
INSERT INTO measure (kind, target, case_id, owner) SELECT 'isolation', 'pump', id('power'), id FROM operator WHERE name = 'op1';
RESET ROLE;
SET ROLE cirt_desk;
DO $$
DECLARE
	t text := desk_case_brief(asked(jsonb_build_object('number', number('power')))) ->> 'text';
	missing text;
BEGIN
	ASSERT t LIKE '%- 1 report' || chr(10) || '%' AND t LIKE '%- the case is waiting for an answer or a date' || chr(10) || '%' AND t LIKE '%- tasks done: 1 of 2' || chr(10) || '%', t;
	t := desk_case_brief(asked(jsonb_build_object('number', number('power'), 'lang', 'fr'))) ->> 'text';
	ASSERT t LIKE '%- panne, traité depuis le %- dommage : mineur, %- état du dossier : en attente d''une réponse ou d''une date' || chr(10)
		|| '  - tâches faites : 1 sur 2' || chr(10) || '  - mesure : isolé du réseau pump%- 1 signalement' || chr(10) || '%', t;
	t := desk_case_brief(asked(jsonb_build_object('number', number('power'), 'lang', 'es'))) ->> 'text';
	ASSERT t LIKE '%- interrupción, %- estado del caso: a la espera de %- tareas hechas: 1 de 2%- medida: aislado de la red pump%- 1 aviso' || chr(10) || '%', t;
	ASSERT brief_count('fr', 'reports', 0) = '0 signalement' AND brief_count('en', 'reports', 0) = '0 reports' AND brief_count('es', 'reports', 2) = '2 avisos';
	ASSERT brief_count('fr', 'tally', 1, '1', '0', '0', '0') LIKE '1 interrogé : 1 oui, %';
	ASSERT t LIKE 'TLP:AMBER · % UTC · situación % · según el registro hasta el n.º %' || chr(10) || 'puede transmitirse a quienes deban saberlo en su organización y entre %', t;
	-- Every word of a table has one in every language, and so has what a page is made of.
	SELECT string_agg(language || ' ' || name, ', ') INTO missing FROM (SELECT min(language) AS language, name FROM brief_word GROUP BY name HAVING count(*) <> 3) x
		WHERE name NOT LIKE '%.one';
	ASSERT missing IS NULL, missing;
	SELECT string_agg(l || ' ' || n, ', ') INTO missing FROM unnest('{en,fr,es}'::text[]) l, (SELECT 'state.' || unnest(enum_range(NULL::case_state))
		UNION ALL SELECT 'tlp.' || unnest(enum_range(NULL::tlp)) UNION ALL SELECT 'type.' || unnest(enum_range(NULL::rsit_type)) UNION ALL SELECT 'impact.' || name FROM case_impact UNION ALL SELECT 'measure.' || name FROM measure_kind) x (n)
		WHERE NOT EXISTS (SELECT FROM brief_word w WHERE w.language = l AND w.name = n);
	ASSERT missing IS NULL, missing;
END $$;
RESET ROLE;

\echo test_reply_goes_to_who_opened_the_case
SET ROLE cirt_owner;
INSERT INTO ids SELECT 'p2', test.land('report', '{}', 'amber', 'second@people.example', 'Me too', 'Dark here.');
INSERT INTO case_report (report, case_id) SELECT id('p2'), id('power');
WITH c AS (INSERT INTO cases (title, state, type) VALUES ('By phone', 'open', 'outage') RETURNING id) INSERT INTO ids SELECT 'phone', id FROM c;
RESET ROLE;
SET ROLE cirt_desk;
DO $$
DECLARE
	d jsonb := desk_reply(asked(jsonb_build_object('what', number('power'), 'draft', true)));
BEGIN
	-- His mail is what is answered, and quoted.
	ASSERT d ->> 'to' = 'first@people.example' AND d ->> 'answers' = report_number(id('p1')) AND d ->> 'case' = number('power') AND d ->> 'subject' = 'No power'
		AND d ->> 'text' LIKE '%> It went out.%' AND d ->> 'in_reply_to' <> '', d;
	ASSERT desk_reply(asked(jsonb_build_object('what', number('power'), 'to', 'Reporter', 'draft', true)))::jsonb = d;
	ASSERT (desk_mail(asked(jsonb_build_object('case', number('power'), 'to', 'reporter', 'draft', true)))) ->> 'to' = 'first@people.example';
	ASSERT case_mails_begun(id('power')) = 2 AND case_mails_begun(id('phone')) = 0;
	-- Nobody has written to this one; then its reporter has an address.
	ASSERT refused(format('SELECT desk_reply(%L)', asked(jsonb_build_object('what', number('phone'), 'draft', true)))) LIKE '22023 say to whom: nobody has written to %', refused(format('SELECT desk_reply(%L)', asked(jsonb_build_object('what', number('phone'), 'draft', true))));
	ASSERT refused(format('SELECT desk_reply(%L)', asked(jsonb_build_object('what', number('phone'), 'to', 'reporter', 'draft', true)))) LIKE 'P0002 nobody in %';
	INSERT INTO party (case_id, role, name, contact) VALUES (id('phone'), 'reporter', 'Caller', 'caller@people.example');
	ASSERT desk_reply(asked(jsonb_build_object('what', number('phone'), 'draft', true))) ->> 'to' = 'caller@people.example';
END $$;
RESET ROLE;
SET ROLE cirt_owner;
SELECT test.letter(id('power'), 'plant@power.example', 'Re: power', 'It is on again.') \g /dev/null
RESET ROLE;
SET ROLE cirt_desk;
DO $$
BEGIN
	-- Who wrote in the case itself, last, comes first; the reporter is who he was.
	ASSERT desk_reply(asked(jsonb_build_object('what', number('power'), 'draft', true))) ->> 'to' = 'plant@power.example';
	ASSERT desk_reply(asked(jsonb_build_object('what', number('power'), 'to', 'reporter', 'draft', true))) ->> 'to' = 'first@people.example';
END $$;
RESET ROLE;

\echo test_brief_says_nothing_above_its_label
SET ROLE cirt_owner;
INSERT INTO ids SELECT 'red', test.land('partner', ARRAY['ip source 198.18.77.5'], 'red');
WITH c AS (INSERT INTO cases (title, state, type, tlp) VALUES ('198.18.77.5: infected', 'open', 'infected-system', 'red') RETURNING id)
	INSERT INTO ids SELECT 'hush', id FROM c;
INSERT INTO case_report (report, case_id) VALUES (id('red'), id('hush'));
RESET ROLE;
SET ROLE cirt_desk;
DO $$
BEGIN
	ASSERT desk_case_brief(asked(jsonb_build_object('number', number('hush')))) ->> 'text' LIKE 'TLP:RED%198.18.77.5%';
	ASSERT refused(format('SELECT desk_case_brief(%L)', asked(jsonb_build_object('number', number('hush'), 'tlp', 'green', 'for', 'evil@evil.example'))))
		LIKE '42501 this must not be told to evil@evil.example: it says 198.18.77.5%';
	ASSERT refused(format('SELECT desk_case_brief(%L)', asked(jsonb_build_object('number', number('hush'), 'tlp', 'clear'))))
		LIKE '42501 this must not be told to whoever may have TLP:CLEAR: it says 198.18.77.5%';
	-- A label of the case that somebody has lowered changes nothing of it.
	UPDATE cases SET tlp = 'clear' WHERE id = id('hush');
	ASSERT refused(format('SELECT desk_case_brief(%L)', asked(jsonb_build_object('number', number('hush'))))) LIKE '42501 this must not%';
END $$;
RESET ROLE;
