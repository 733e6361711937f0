-- Bounces, answers, acknowledgements and questions to sources: each block a test; the functions run as the role that calls them in
-- the daemon. A failed ASSERT ends it.
\set ON_ERROR_STOP 1
SET search_path = cirt, test, pg_temp;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET cirt.actor = 'tester';
CREATE SCHEMA test;
GRANT ALL ON SCHEMA test TO cirt_owner, cirt_keeper, cirt_desk;
SET ROLE cirt_owner;

CREATE FUNCTION test.land(source_name text, host text, of_organisation text DEFAULT NULL, of_tlp tlp DEFAULT 'amber', of_exercise int DEFAULT 0)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	fresh bigint := (SELECT * FROM report_ids(to_char(timezone('UTC', now()), 'YYYYMM')::int, 1));
BEGIN
	INSERT INTO report SELECT fresh, now(), now(), 1, NULL, 0, gen_random_uuid(), gen_random_uuid(), s.id, 0, of_exercise,
			(SELECT id FROM organisation WHERE name = of_organisation), 0, 'infected-system', of_tlp, 'amber', 50, 50, s.trust, 1, 'r', 'k', '',
			'mirai', '', '', '', '', '{}', ARRAY['ip source ' || host], '{}', '{}', '{}'
		FROM source s WHERE s.name = source_name;
	INSERT INTO sighting SELECT fresh, now()::date, s.id, 1, 1, clock_timestamp(), clock_timestamp() FROM source s WHERE s.name = source_name;
	RETURN fresh;
END $$;
-- A mail of ours that is out, about these reports; its id.
CREATE FUNCTION test.mail(to_address text, reports bigint[], of_kind outbox_kind DEFAULT 'notice', of_exercise int DEFAULT 0) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	fresh bigint;
BEGIN
	INSERT INTO outbox (kind, state, exercise, organisation, contact, recipient, address, message_id)
		SELECT of_kind, 'ready', of_exercise, c.organisation, c.id, 'affected', to_address, '<' || gen_random_uuid() || '@cirt.example>'
		FROM (SELECT 1) a LEFT JOIN contact c ON c.email = to_address RETURNING id INTO fresh;
	INSERT INTO disclosure (report, outbox, cause) SELECT r, fresh, 'new' FROM unnest(reports) r;
	INSERT INTO warning (report, exercise, outcome, last_told, first_told) SELECT r, of_exercise, 'waiting', NULL, NULL FROM unnest(reports) r ON CONFLICT DO NOTHING;
	UPDATE outbox SET state = 'queued' WHERE id = fresh;
	UPDATE disclosure SET told = now() WHERE outbox = fresh;
	UPDATE outbox SET state = 'sent', sent = now() WHERE id = fresh;
	RETURN fresh;
END $$;
CREATE FUNCTION test.ident(which bigint) RETURNS text LANGUAGE sql AS $$ SELECT btrim(message_id, '<>') FROM outbox WHERE id = which $$;
-- What the store queues. Its mail's id.
CREATE SEQUENCE test.letters START 1;
CREATE FUNCTION test.back(of_kind text, who text, sealed text DEFAULT '', replies text DEFAULT '', tag text DEFAULT '', returned text DEFAULT '',
	dmarc text DEFAULT '', machine boolean DEFAULT false, placed boolean DEFAULT false, ident text DEFAULT NULL, says text DEFAULT '',
	of_exercise int DEFAULT 0, door boolean DEFAULT true, of_source text DEFAULT 'report') RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
	fresh bigint := (SELECT * FROM cirt.report_ids(to_char(timezone('UTC', now()), 'YYYYMM')::int, 1));
	own text := coalesce(ident, 'letter' || nextval('test.letters') || '@x.example');
BEGIN
	INSERT INTO cirt.item (id, received, sequence, spool, source, item, exercise, kind, tlp, subkind, part, sender_id, title, text, doc, observables, notes)
		VALUES (fresh, now(), 1, gen_random_uuid(), 1, 0, of_exercise, 'correspondence', 'amber', of_kind, 'mail', own, 'a mail', says, '', '{}', '{}');
	INSERT INTO cirt.letter VALUES (fresh, now(), own, who, dmarc);
	INSERT INTO cirt.letter_back (mail, received, source, exercise, kind, placed, sealed, sender, message_id, replies, tags, returned, dmarc, machine, door)
		VALUES (fresh, now(), (SELECT id FROM cirt.source WHERE name = of_source), of_exercise, of_kind, placed, sealed, who, own, replies,
			'CIRT' || chr(10) || CASE WHEN tag = '' THEN '' ELSE tag || chr(10) END, returned, dmarc, machine, door);
	RETURN fresh;
END $$;
CREATE TABLE test.ids (name text PRIMARY KEY, id bigint);
GRANT ALL ON test.ids TO cirt_keeper, cirt_desk;
GRANT USAGE ON SEQUENCE test.letters TO cirt_keeper, cirt_desk;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_keeper, cirt_desk;
CREATE FUNCTION test.id(what text) RETURNS bigint LANGUAGE sql AS $$ SELECT id FROM test.ids WHERE name = what $$;
CREATE FUNCTION test.number(what text) RETURNS text LANGUAGE sql AS $$ SELECT o.number FROM cirt.outbox o WHERE o.id = test.id(what) $$;
-- As the keeper does; what it counts.
CREATE FUNCTION test.work(acknowledge boolean DEFAULT false, a_day int DEFAULT 3) RETURNS text LANGUAGE sql AS
	$$ SELECT concat_ws(' ', taken, bounced, answered, opened, acknowledged) FROM cirt.keeper_back(2000, 'cirt.example', acknowledge, a_day) $$;

INSERT INTO node (name) VALUES ('n');
INSERT INTO exercise (id, name) VALUES (7, 'blue');
INSERT INTO exercise_directory VALUES (7, '@drill.example');
INSERT INTO source (name, kind, trust) VALUES ('list', 'feed', 60);
INSERT INTO source (name, kind, trust, may_notify_affected, settings) VALUES ('quiet', 'feed', 60, false, '{"contact": "Ask@Quiet.example, boss@quiet.example"}');
INSERT INTO source (name, kind, trust, may_notify_affected) VALUES ('mute', 'feed', 60, false);
INSERT INTO organisation (name, kind, sector) VALUES ('Bank', 'bank', 'finance'), ('Telco', 'isp', 'telecom');
INSERT INTO organisation_domain (organisation, domain) SELECT id, 'bank.example' FROM organisation WHERE name = 'Bank';
INSERT INTO contact (organisation, role, name, email, phone) SELECT o.id, 'security', 'SOC', c.email, '+1 555 0100'
	FROM (VALUES ('Bank', 'soc@bank.example'), ('Telco', 'noc@telco.example')) c(org, email) JOIN organisation o ON o.name = c.org;
INSERT INTO ids SELECT 'r' || n, test.land('list', '192.0.2.' || n, 'Bank') FROM generate_series(1, 9) n;

\echo test_bounces_find_their_mail
INSERT INTO ids SELECT 'm1', test.mail('soc@bank.example', ARRAY[id('r1'), id('r2')]);
INSERT INTO ids SELECT 'm2', test.mail('noc@telco.example', ARRAY[id('r3')]);
SET ROLE cirt_keeper;
DO $$
BEGIN
	-- Without proof nothing comes back: a number in the text or subject, another's Message-ID, an auto-reply.
	PERFORM back('bounce', '', '', '', number('m1'), 'failed 5.1.1 soc@bank.example gone' || chr(10));
	PERFORM back('bounce', '', '', 'someone@else.example', '', 'failed 5.1.1 soc@bank.example gone' || chr(10));
	PERFORM back('bounce', '', 'N2026-999999', '', '', 'failed 5.1.1 soc@bank.example gone' || chr(10));
	PERFORM back('auto-reply', 'soc@bank.example', number('m1'), ident(id('m1')), number('m1'));
	ASSERT work() = '4 0 0 0 0';
	ASSERT (SELECT bounced IS NULL AND bounce = '' AND answered IS NULL FROM outbox WHERE id = id('m1'));
	-- Late: noted, and nothing else.
	PERFORM back('bounce', '', number('m1'), '', '', 'delayed 4.4.1 soc@bank.example greylisted' || chr(10));
	PERFORM work();
	ASSERT (SELECT bounce = 'delayed: 4.4.1 soc@bank.example: greylisted' AND bounced IS NULL FROM outbox WHERE id = id('m1'));
	ASSERT (SELECT bounced IS NULL FROM contact WHERE email = 'soc@bank.example');
	-- Arrived.
	PERFORM back('bounce', '', number('m2'), '', '', 'relayed 2.0.0 noc@telco.example -' || chr(10));
	PERFORM work();
	ASSERT (SELECT delivered IS NOT NULL AND bounced IS NULL FROM outbox WHERE id = id('m2'));
	-- By its Message-ID too; the seal goes before what the bounce quotes.
	PERFORM back('bounce', '', number('m1'), ident(id('m2')), '', 'failed 5.1.1 soc@bank.example 550 no such user' || chr(10));
	ASSERT work() = '1 1 0 0 0';
	ASSERT (SELECT bounced IS NOT NULL AND bounce = '5.1.1 soc@bank.example: 550 no such user' FROM outbox WHERE id = id('m1'));
	ASSERT (SELECT bounced IS NULL FROM outbox WHERE id = id('m2'));
	ASSERT (SELECT bounced IS NOT NULL FROM contact WHERE email = 'soc@bank.example');
	ASSERT (SELECT count(*) FROM alarm WHERE kind = 'notice-bounced' AND subject = number('m1') AND ended IS NULL AND text LIKE '%+1 555 0100') = 1;
	-- Its reports were told to nobody.
	ASSERT (SELECT string_agg(outcome || ' ' || (why LIKE '%came back%'), ',') FROM warning WHERE report IN (id('r1'), id('r2'))) = 'held true,held true';
END $$;

RESET ROLE;
DO $$ BEGIN ASSERT NOT EXISTS (SELECT 1 FROM cirt.alarm WHERE kind = 'mail-back'), (SELECT min(text) FROM cirt.alarm WHERE kind = 'mail-back'); END $$;
SET ROLE cirt_keeper;
\echo test_a_thousand_bounces_of_one_mail_count_once
DO $$
BEGIN
	PERFORM back('bounce', '', number('m1'), '', '', 'failed 5.1.1 soc@bank.example again' || chr(10)) FROM generate_series(1, 1000);
	ASSERT work() = '1000 0 0 0 0';
	ASSERT (SELECT count(*) FROM journal WHERE object = 'outbox/' || number('m1') AND action = 'came back') = 1;
	ASSERT (SELECT count FROM alarm WHERE kind = 'notice-bounced' AND subject = number('m1')) = 1;
	ASSERT (SELECT bounce LIKE '%no such user' FROM outbox WHERE id = id('m1'));
END $$;

\echo test_what_a_bounce_says_in_the_end
RESET ROLE;
SET ROLE cirt_owner;
DO $$
DECLARE
	one record;
BEGIN
	FOR one IN SELECT * FROM (VALUES
		('failed 5.1.1 a@b x', '', 'permanent'), ('FAILED 5.1.1 a@b x', '', 'permanent'), ('failed 4.4.7 a@b gave up', '', 'failed'),
		('failed - a@b x', '', 'failed'), ('delayed 4.4.1 a@b x', '', 'delayed'), ('delivered 2.0.0 a@b -', '', 'delivered'),
		('expanded 2.0.0 list@b -' || chr(10) || 'failed 5.2.1 a@b x', '', 'permanent'), ('delayed 4.0.0 a@b' || chr(10) || 'relayed 2.0.0 c@b', '', 'delayed'),
		('nonsense', 'text', 'unclear'), ('', 'Sorry. 550 5.7.1 rejected', 'permanent'), ('', 'Remote host said: 550 no such user', 'permanent'),
		('', 'I am 5.1 feet tall and 5500 times 250', 'unclear'), ('', '', 'unclear'), (repeat('x ', 5000), '', 'unclear')) AS s(returned, says, verdict) LOOP
		ASSERT (SELECT v.verdict FROM bounce_verdict(one.returned, one.says) v) = one.verdict, one.returned || one.says;
	END LOOP;
	ASSERT (SELECT length(v.why) <= 500 AND v.why !~ '[[:cntrl:]]' FROM bounce_verdict('failed 5.1.1 a@b ' || chr(7) || repeat('y', 5000), '') v);
END $$;

\echo test_a_full_box_or_a_large_mail_gives_up_no_address
INSERT INTO ids SELECT 'm3', test.mail('noc@telco.example', ARRAY[id('r4')]);
INSERT INTO ids SELECT 'm4', test.mail('noc@telco.example', ARRAY[id('r5')]);
SET ROLE cirt_keeper;
DO $$
BEGIN
	PERFORM back('bounce', '', number('m3'), '', '', 'failed 5.3.4 noc@telco.example too big' || chr(10));
	PERFORM back('bounce', '', '', ident(id('m4')), '', 'failed 4.4.7 noc@telco.example expired' || chr(10));
	ASSERT work() = '2 2 0 0 0';
	ASSERT (SELECT bool_and(bounced IS NOT NULL) FROM outbox WHERE id IN (id('m3'), id('m4')));
	ASSERT (SELECT bounced IS NULL FROM contact WHERE email = 'noc@telco.example');
	-- One that does not say what happened is for a person.
	PERFORM back('bounce', '', number('m2'), '', '', '', says => 'Your message could not be processed.');
	PERFORM work();
	ASSERT (SELECT bounced IS NULL AND bounce LIKE 'unclear:%' FROM outbox WHERE id = id('m2'));
	ASSERT EXISTS (SELECT 1 FROM alarm WHERE kind = 'notice-bounced' AND subject = number('m2') AND ended IS NULL);
END $$;

\echo test_an_answer_opens_a_case_and_the_next_joins_it
RESET ROLE;
SET ROLE cirt_owner;
INSERT INTO ids SELECT 'm5', test.mail('soc@bank.example', ARRAY[id('r6'), id('r7')]);
SET ROLE cirt_keeper;
DO $$
DECLARE
	c cases;
	first bigint;
BEGIN
	-- A list or a program that answers opens nothing.
	PERFORM back('reply', 'robot@bank.example', '', ident(id('m5')), machine => true, placed => true);
	ASSERT work() = '1 0 0 0 0';
	ASSERT (SELECT answered IS NULL FROM outbox WHERE id = id('m5'));
	first := back('reply', 'soc@bank.example', '', ident(id('m5')), placed => true);
	ASSERT work() = '1 0 1 1 0';
	ASSERT (SELECT answered IS NOT NULL AND answer = first AND case_id IS NOT NULL FROM outbox WHERE id = id('m5'));
	SELECT x.* INTO c FROM cases x JOIN outbox o ON o.case_id = x.id WHERE o.id = id('m5');
	ASSERT c.title = 'Answer to ' || number('m5') || ': Bank' AND c.exercise = 0 AND c.tlp = 'amber' AND c.state = 'new';
	ASSERT (SELECT string_agg(p.role || ' ' || o.name || ' ' || p.contact, ',') FROM party p JOIN organisation o ON o.id = p.organisation
		WHERE p.case_id = c.id) = 'affected Bank soc@bank.example';
	ASSERT (SELECT array_agg(report ORDER BY report) FROM case_report WHERE case_id = c.id AND ended IS NULL) = ARRAY[id('r6'), id('r7')];
	ASSERT (SELECT string_agg(state::text, ',') FROM report_status WHERE report IN (id('r6'), id('r7'))) = 'answered,answered';
	ASSERT (SELECT bounced IS NULL FROM contact WHERE email = 'soc@bank.example'), 'who answers reads his mail';
	PERFORM keeper_letters(10);
	ASSERT (SELECT concat_ws(' ', way, known, sender) FROM case_letter WHERE item = first AND case_id = c.id) = 'reference t soc@bank.example';
	-- From another of theirs, by the number alone; and from a stranger by the sealed address.
	PERFORM back('reply', 'boss@mail.bank.example', '', '', number('m5'), placed => true);
	PERFORM back('reply', 'x@stranger.example', number('m5'), placed => true);
	ASSERT work() = '2 0 2 0 0';
	PERFORM keeper_letters(10);
	ASSERT (SELECT count(*) FROM case_letter WHERE case_id = c.id) = 3;
	ASSERT (SELECT count(*) FROM cases) = 1;
	ASSERT (SELECT answer = first FROM outbox WHERE id = id('m5'));
END $$;

\echo test_an_answer_joins_the_case_of_what_was_told
RESET ROLE;
SET ROLE cirt_owner;
INSERT INTO cases (title, state) VALUES ('known wave', 'open');
INSERT INTO case_report (report, case_id) SELECT id('r8'), id FROM cases WHERE title = 'known wave';
INSERT INTO ids SELECT 'm6', test.mail('noc@telco.example', ARRAY[id('r8'), id('r9')]);
SET ROLE cirt_keeper;
DO $$
BEGIN
	PERFORM back('reply', 'someone@telco.example', '', ident(id('m6')), placed => true);
	ASSERT work() = '1 0 1 0 0';
	PERFORM keeper_letters(10);
	ASSERT (SELECT c.title FROM case_letter l JOIN cases c ON c.id = l.case_id WHERE l.sender = 'someone@telco.example') = 'known wave';
	-- A stranger who names a number is a guess, and answers nothing.
	PERFORM back('report', 'evil@stranger.example', '', '', number('m2'));
	ASSERT work() = '1 0 0 0 0';
	ASSERT (SELECT answered IS NULL FROM outbox WHERE id = id('m2'));
END $$;
RESET ROLE;
DO $$ BEGIN ASSERT (SELECT sender FROM cirt.notice_guess WHERE outbox = test.id('m2')) = 'evil@stranger.example'; END $$;

\echo test_who_is_known_to_a_mail
SET ROLE cirt_owner;
DO $$
BEGIN
	ASSERT outbox_knows(id('m1'), 'soc@bank.example') AND outbox_knows(id('m1'), 'a@bank.example') AND outbox_knows(id('m1'), 'a@x.bank.example');
	ASSERT NOT outbox_knows(id('m1'), 'a@evilbank.example') AND NOT outbox_knows(id('m1'), 'noc@telco.example') AND NOT outbox_knows(id('m1'), '')
		AND NOT outbox_knows(id('m1'), '@bank.example') AND NOT outbox_knows(id('m1'), 'a@bank.example@evil.example');
	-- Nobody answers what is not out yet, whatever number he thinks of.
	INSERT INTO outbox (kind, recipient, address, message_id) VALUES ('notice', 'affected', 'soc@bank.example', '<unsent@cirt.example>');
	ASSERT (SELECT id IS NULL FROM letter_outbox('', 'unsent@cirt.example', (SELECT number FROM outbox WHERE message_id = '<unsent@cirt.example>') || chr(10)));
END $$;

\echo test_drills_stay_among_themselves
INSERT INTO ids SELECT 'd1', test.land('list', '192.0.2.77', NULL, 'amber', 7);
INSERT INTO ids SELECT 'md', test.mail('a@drill.example', ARRAY[id('d1')], 'notice', 7);
SET ROLE cirt_keeper;
DO $$
BEGIN
	PERFORM back('reply', 'a@drill.example', '', ident(id('md')), placed => true, of_exercise => 0);
	ASSERT work() = '1 0 0 0 0', 'a real mail is of no drill';
	PERFORM back('reply', 'a@drill.example', '', ident(id('md')), placed => true, of_exercise => 7);
	ASSERT work() = '1 0 1 1 0';
	ASSERT (SELECT c.exercise FROM cases c JOIN outbox o ON o.case_id = c.id WHERE o.id = id('md')) = 7;
	-- Who reported is told in a drill only if he is of it.
	PERFORM back('report', 'b@real.example', dmarc => 'pass', of_exercise => 7);
	PERFORM back('report', 'b@drill.example', dmarc => 'pass', of_exercise => 7);
	ASSERT work(true) = '2 0 0 0 1';
	ASSERT (SELECT exercise FROM outbox WHERE kind = 'acknowledgement' AND address = 'b@drill.example') = 7;
END $$;

\echo test_whom_we_tell_that_it_has_arrived
RESET ROLE;
SET ROLE cirt_owner;
INSERT INTO spam_sender (pattern, allow) VALUES ('@friend.example', true), ('bad@dmarc.example', false);
UPDATE source SET settings = '{"acknowledge": "no"}' WHERE name = 'phish';
UPDATE contact SET bounced = NULL;
SET ROLE cirt_keeper;
DO $$
DECLARE
	one record;
BEGIN
	FOR one IN SELECT * FROM (VALUES
		('a@dmarc.example', 'pass', false, true, 'report', true), ('soc@bank.example', '', false, true, 'report', true),
		('x@friend.example', 'none', false, true, 'report', true), ('ask@quiet.example', '', false, true, 'report', true),
		('stranger@nowhere.example', '', false, true, 'report', false), ('stranger@nowhere.example', 'none', false, true, 'report', false),
		('noc@telco.example', 'fail', false, true, 'report', false), ('x@friend.example', 'quarantine', false, true, 'report', false),
		('bad@dmarc.example', 'pass', false, true, 'report', false), ('b@dmarc.example', 'pass', true, true, 'report', false),
		('c@dmarc.example', 'pass', false, false, 'report', false), ('d@dmarc.example', 'pass', false, true, 'phish', false),
		('cirt@cirt.example', 'pass', false, true, 'report', false), ('', 'pass', false, true, 'report', false),
		('e@dmarc.example' || chr(13) || chr(10) || 'Bcc: x@y.example', 'pass', false, true, 'report', false),
		('f@g@dmarc.example', 'pass', false, true, 'report', false), ('"a b"@dmarc.example', 'pass', false, true, 'report', false),
		('<h@dmarc.example>', 'pass', false, true, 'report', false), ('i,j@dmarc.example', 'pass', false, true, 'report', false),
		(repeat('k', 400) || '@dmarc.example', 'pass', false, true, 'report', false)) AS s(who, dmarc, machine, door, source, told) LOOP
		PERFORM back('report', one.who, dmarc => one.dmarc, machine => one.machine, door => one.door, of_source => one.source);
		ASSERT work(true) = '1 0 0 0 ' || one.told::int, one.who || ' ' || one.dmarc;
	END LOOP;
	ASSERT (SELECT bool_and(recipient = 'source' AND state = 'queued' AND fields - 'report' = '{}' AND message_id ~ '^<[0-9a-f-]{36}@cirt\.example>$'
		AND in_reply_to ~ '^<[^<>[:cntrl:]]+>$') FROM outbox WHERE kind = 'acknowledgement');
	PERFORM back('report', 'later@dmarc.example', dmarc => 'pass');
	ASSERT work(false) = '1 0 0 0 0', 'nobody, where it is not wished';
END $$;

\echo test_acknowledged_once_a_thread_and_so_often_a_day
DO $$
DECLARE
	n int;
BEGIN
	PERFORM back('report', 'many@dmarc.example', dmarc => 'pass', ident => 'thread@dmarc.example');
	PERFORM back('report', 'many@dmarc.example', dmarc => 'pass', ident => 'thread@dmarc.example');
	PERFORM back('report', 'many@dmarc.example', dmarc => 'pass', replies => 'thread@dmarc.example');
	ASSERT work(true) = '3 0 0 0 1';
	PERFORM back('report', 'many@dmarc.example', dmarc => 'pass') FROM generate_series(1, 50);
	ASSERT work(true) = '50 0 0 0 2';
	-- A Message-ID that would break out of its field is not repeated.
	PERFORM back('report', 'inject@dmarc.example', dmarc => 'pass', ident => 'x>' || chr(13) || chr(10) || 'Bcc: <y@z.example');
	PERFORM work(true);
	ASSERT (SELECT in_reply_to FROM outbox WHERE kind = 'acknowledgement' AND address = 'inject@dmarc.example') = '';
END $$;

\echo test_two_responders_end_at_once
DO $$
DECLARE
	ack outbox;
	report bigint;
	first bigint;
BEGIN
	first := back('report', 'twin@dmarc.example', dmarc => 'pass');
	ASSERT work(true) = '1 0 0 0 1';
	SELECT * INTO ack FROM outbox WHERE address = 'twin@dmarc.example';
	UPDATE outbox SET state = 'sent', sent = now() WHERE id = ack.id;
	-- The other one answers ours, and hides that it is a program.
	report := back('report', 'twin@dmarc.example', dmarc => 'pass', replies => btrim(ack.message_id, '<>'));
	ASSERT work(true) = '1 0 1 0 0';
	ASSERT (SELECT answered IS NOT NULL AND answer = report FROM outbox WHERE id = ack.id);
	ASSERT (SELECT count(*) FROM outbox WHERE address = 'twin@dmarc.example') = 1;
	-- And a bounce of it raises no alarm.
	PERFORM back('bounce', '', ack.number, '', '', 'failed 5.1.1 twin@dmarc.example gone' || chr(10));
	PERFORM work(true);
	ASSERT (SELECT bounced IS NOT NULL FROM outbox WHERE id = ack.id);
	ASSERT NOT EXISTS (SELECT 1 FROM alarm WHERE subject = ack.number);
END $$;

\echo test_a_source_is_asked_and_what_it_says_is_written_down
RESET ROLE;
SET ROLE cirt_owner;
INSERT INTO ids SELECT 'q1', test.land('quiet', '192.0.2.101', 'Bank');
INSERT INTO ids SELECT 'q2', test.land('mute', '192.0.2.102', 'Bank');
INSERT INTO ids SELECT 'q3', test.land('quiet', '192.0.2.103', 'Bank');
INSERT INTO warning (report, exercise, outcome) SELECT id, 0, 'asks-permission' FROM ids WHERE name LIKE 'q_';
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_desk, cirt_keeper;
SET ROLE cirt_desk;
DO $$
DECLARE
	q release;
	o outbox;
	says text;
	evidence bigint;
BEGIN
	-- Whoever is asked is told all of it: nobody but the source.
	BEGIN
		PERFORM release_ask(id('q1'), 'evil@stranger.example', '', false, 'cirt.example');
		ASSERT false;
	EXCEPTION WHEN check_violation THEN
		NULL;
	END;
	BEGIN
		PERFORM release_ask(id('q2'), '', '', false, 'cirt.example');
		ASSERT false;
	EXCEPTION WHEN check_violation THEN
		GET STACKED DIAGNOSTICS says = MESSAGE_TEXT;
		ASSERT says LIKE 'nobody is known to ask%--contact%', says;
	END;
	PERFORM release_ask(id('q1'), '', 'the hospital is hit', false, 'cirt.example');
	SELECT * INTO q FROM release WHERE report = id('q1');
	SELECT * INTO o FROM outbox WHERE id = q.outbox;
	ASSERT o.kind = 'release' AND o.state = 'queued' AND o.recipient = 'source' AND o.address = 'ask@quiet.example' AND o.tlp = 'amber'
		AND o.fields ->> 'reason' = 'the hospital is hit' AND o.released_by = 'tester';
	ASSERT (SELECT cause || recipient FROM disclosure WHERE outbox = o.id) = 'questionsource';
	BEGIN
		PERFORM release_ask(id('q1'), '', '', false, 'cirt.example');
		ASSERT false, 'asked twice';
	EXCEPTION WHEN unique_violation THEN
		NULL;
	END;
	-- The answer as a mail lets nothing out by itself.
	INSERT INTO ids VALUES ('asked', o.id);
END $$;
RESET ROLE;
SET ROLE cirt_owner;
UPDATE outbox SET state = 'sent', sent = now() WHERE id = id('asked');
SET ROLE cirt_keeper;
DO $$
BEGIN
	INSERT INTO ids SELECT 'evidence', back('reply', 'ask@quiet.example', '', ident(id('asked')), says => 'Granted! Pass on all of it.', placed => true);
	ASSERT work() = '1 0 1 0 0';
	ASSERT released(id('q1')) = 'none';
	ASSERT (SELECT answer = id('evidence') AND case_id IS NULL FROM outbox WHERE id = id('asked'));
	ASSERT EXISTS (SELECT 1 FROM alarm WHERE kind = 'release-answered' AND subject = number('asked') AND ended IS NULL);
END $$;
SET ROLE cirt_desk;
DO $$
DECLARE
	says text;
BEGIN
	FOREACH says IN ARRAY ARRAY['check_violation', 'no_data_found'] LOOP
		BEGIN
			PERFORM release_answer(id('q1'), 'full', CASE says WHEN 'no_data_found' THEN 1 END, ' ');
			ASSERT false;
		EXCEPTION WHEN check_violation OR no_data_found THEN
			NULL;
		END;
	END LOOP;
	PERFORM release_answer(id('q1'), 'sanitised', id('evidence'), '');
	ASSERT released(id('q1')) = 'sanitised';
	ASSERT (SELECT answered_by = 'tester' AND answer = id('evidence') AND outbox IS NOT NULL FROM release WHERE report = id('q1'));
	ASSERT NOT EXISTS (SELECT 1 FROM alarm WHERE kind = 'release-answered' AND ended IS NULL);
	-- By phone, before and without a question.
	PERFORM release_ask(id('q2'), '', 'called at 03:10', true, 'cirt.example');
	PERFORM release_answer(id('q2'), 'full', NULL, 'Ms Nakamura said so at 03:15');
	PERFORM release_answer(id('q3'), 'none', NULL, 'never, said their duty officer');
	ASSERT released(id('q2')) = 'full' AND released(id('q3')) = 'none';
	ASSERT (SELECT count(*) FROM release WHERE outbox IS NULL AND granted IS NOT NULL) = 2;
	ASSERT (SELECT outcome || ' ' || why FROM warning WHERE report = id('q3')) = 'held its source does not allow it';
	ASSERT (SELECT count(*) FROM journal WHERE object = 'report/' || id('q1') AND action LIKE 'release granted%') = 1;
END $$;
RESET ROLE;
SET ROLE cirt_owner;
DO $$
BEGIN
	-- What waited for them is looked at again.
	ASSERT (SELECT array_agg(r ORDER BY r) FROM notice_arrival, unnest(reports) r) = (SELECT array_agg(id ORDER BY id) FROM ids WHERE name IN ('q1', 'q2'));
	ASSERT EXISTS (SELECT 1 FROM report_held WHERE report = id('evidence')), 'an answer is evidence';
END $$;
DO $$ BEGIN ASSERT NOT EXISTS (SELECT 1 FROM alarm WHERE kind = 'mail-back'), (SELECT min(text) FROM alarm WHERE kind = 'mail-back'); END $$;

\echo test_operators_ask_list_and_write_down
INSERT INTO ids SELECT 'q4', test.land('quiet', '192.0.2.104', 'Bank');
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_desk;
RESET ROLE;
SET ROLE cirt_desk;
DO $$
DECLARE
	p jsonb := jsonb_build_object('report', id('q4'), 'domain', 'cirt.example');
	answer json;
BEGIN
	answer := desk_tlp_ask(p || '{"note": "why", "to": "BOSS@quiet.example"}');
	ASSERT answer ->> 'state' = 'asked' AND answer ->> 'to' = 'boss@quiet.example' AND answer ->> 'number' LIKE 'N2%', answer::text;
	ASSERT (SELECT array_agg(i ->> 'report') FROM json_array_elements(desk_tlp_list('{}') -> 'items') i) = ARRAY[report_number(id('q4'))];
	ASSERT json_array_length(desk_tlp_list('{"all": true, "limit": 2}') -> 'items') = 2 AND desk_tlp_list('{"all": true, "limit": 2}') ->> 'next' IS NOT NULL;
	BEGIN
		PERFORM desk_tlp_grant(p || '{"note": "x"}');
		ASSERT false;
	EXCEPTION WHEN check_violation THEN
		NULL;
	END;
	BEGIN
		PERFORM desk_tlp_grant(p || '{"form": "full", "evidence": "77; DROP TABLE report"}');
		ASSERT false;
	EXCEPTION WHEN check_violation THEN
		NULL;
	END;
	answer := desk_tlp_grant(p || jsonb_build_object('form', 'full', 'evidence', report_number(id('evidence'))));
	ASSERT answer ->> 'state' = 'granted' AND answer ->> 'form' = 'full' AND answer ->> 'mail' = report_number(id('evidence'));
	ASSERT released(id('q4')) = 'full';
	ASSERT desk_tlp_refuse(p || '{"note": "they have changed their mind"}') ->> 'state' = 'refused';
	ASSERT released(id('q4')) = 'none', 'the last answer holds';
	ASSERT json_array_length(desk_tlp_list('{}') -> 'items') = 0;
END $$;

\echo test_a_sender_for_whom_nobody_vouches_answers_nothing_by_a_number
RESET ROLE;
SET ROLE cirt_owner;
INSERT INTO ids SELECT 'v1', test.mail('soc@bank.example', ARRAY[id('r1')]);
INSERT INTO ids SELECT 'v2', test.mail('soc@bank.example', ARRAY[id('r2')]);
DO $$
DECLARE
	one record;
	p record;
BEGIN
	-- Placed by the store: our number in the subject, from the address that it was told to.
	FOR one IN SELECT * FROM (VALUES ('pass', true), ('none', true), ('', true), (NULL, true), ('fail', false), ('temperror', false),
			('permerror', false), ('whatever', false)) AS d (dmarc, counts) LOOP
		SELECT count(*) FILTER (WHERE l.place = 'notice') AS n, count(*) AS all INTO p FROM letters_place('{0}', '{0}', '{1}',
			'{soc@bank.example}', '{}', '{""}', '{""}', ARRAY[number('v1') || chr(10)], '{""}', '{f}', '{f}', 'CIRT', 0, 0, '1 hour',
			ARRAY[one.dmarc]) l;
		ASSERT p.n = one.counts::int, one.dmarc;
	END LOOP;
	-- By its Message-ID it is an answer all the same, of somebody who is not known.
	SELECT l.place, l.is_known INTO p FROM letters_place('{0}', '{0}', '{1}', '{soc@bank.example}', '{}', '{""}', ARRAY[ident(id('v1'))],
		'{""}', '{""}', '{f}', '{f}', 'CIRT', 0, 0, '1 hour', '{fail}') l;
	ASSERT p.place = 'notice' AND NOT p.is_known;
END $$;
SET ROLE cirt_keeper;
DO $$
BEGIN
	PERFORM back('reply', 'soc@bank.example', '', '', number('v1'), '', 'fail');
	PERFORM back('report', 'soc@bank.example', '', '', number('v1'), '', 'fail');
	PERFORM work();
	ASSERT (SELECT answered IS NULL FROM outbox WHERE id = id('v1'));
END $$;
RESET ROLE;
SET ROLE cirt_owner;
DO $$ BEGIN ASSERT (SELECT count(*) FROM notice_guess WHERE outbox = id('v1')) = 1, 'probably'; END $$;
SET ROLE cirt_keeper;
DO $$
BEGIN
	PERFORM back('reply', 'soc@bank.example', '', '', number('v2'), '', 'pass');
	PERFORM work();
	ASSERT (SELECT answered IS NOT NULL FROM outbox WHERE id = id('v2'));
END $$;
