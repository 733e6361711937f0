-- What the keeper's functions do, each block a test; run as cirt_keeper after rows made by the owner. A failed ASSERT ends it.
\set ON_ERROR_STOP 1
SET search_path = cirt, test, pg_temp;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA test;
GRANT ALL ON SCHEMA test TO cirt_owner, cirt_keeper;
SET ROLE cirt_owner;

-- A report of this source, type, host and severity, queued for its rule as the store would.
CREATE FUNCTION test.land(source_name text, of_type rsit_type, host text, grave int, of_exercise int DEFAULT 0,
	of_previous bigint DEFAULT NULL, of_tlp tlp DEFAULT 'amber') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	month int := to_char(timezone('UTC', now()), 'YYYYMM')::int;
	fresh bigint := (SELECT * FROM report_ids(month, 1));
	r report;
BEGIN
	INSERT INTO report SELECT fresh, now(), now(), 1, of_previous, 0, gen_random_uuid(), gen_random_uuid(), s.id, 0, of_exercise, NULL,
			CASE WHEN s.restricted THEN s.id ELSE 0 END, of_type, of_tlp, 'amber', grave, 50, s.trust, 1, 'r', 'k', '', '', '', '',
			'seen at ' || host, '', '', ARRAY['ip source ' || host, 'url indicator http://www.' || host || '/login'], '{}', '{}', '{}'
		FROM source s WHERE s.name = source_name RETURNING * INTO r;
	INSERT INTO correlation_queue (report, rule) SELECT fresh, rule FROM correlation_rule_of(r, grave) AS rule WHERE rule IS NOT NULL;
	RETURN fresh;
END $$;
CREATE FUNCTION test.case_of(which bigint) RETURNS bigint LANGUAGE sql AS
	'SELECT case_id FROM cirt.case_report WHERE report = which AND ended IS NULL';

INSERT INTO source (name, kind, trust) VALUES ('probe', 'sensor', 60), ('list', 'feed', 60);
INSERT INTO source (name, kind, trust, restricted) VALUES ('secret', 'sensor', 90, true);
INSERT INTO exercise (id, name) VALUES (7, 'blue');
CREATE TABLE test.seen (name text PRIMARY KEY, id bigint);
GRANT ALL ON test.seen TO cirt_keeper;
GRANT EXECUTE ON FUNCTION test.case_of, test.land TO cirt_keeper;

\echo test_trap_15_one_key_is_one_case_and_one_journal_row
-- trap 15: one key, one case, one journal row for the whole batch
INSERT INTO seen SELECT 'a' || n, test.land('probe', 'system-compromise', '192.0.2.1', 70) FROM generate_series(1, 50) n;
INSERT INTO seen VALUES ('b', test.land('probe', 'system-compromise', '192.0.2.2', 70));
INSERT INTO seen VALUES ('drill', test.land('probe', 'system-compromise', '192.0.2.1', 70, 7));
INSERT INTO seen VALUES ('apart', test.land('secret', 'system-compromise', '192.0.2.1', 70));
INSERT INTO seen VALUES ('inbox', test.land('probe', 'scanner', '192.0.2.1', 30));
SET ROLE cirt_keeper;
DO $$
DECLARE
	did record;
	number text;
BEGIN
	SELECT * INTO did FROM keeper_correlate(500, 100, '0');
	ASSERT did.taken = 53 AND did.attached = 53 AND did.opened = 4 AND did.waiting = 0, did::text;
	ASSERT (SELECT count(DISTINCT test.case_of(id)) FROM seen WHERE name LIKE 'a%' AND name <> 'apart') = 1, 'one key is one case';
	ASSERT (SELECT count(DISTINCT test.case_of(id)) FROM seen) = 4, 'hosts, drills and restricted sources apart (trap 10)';
	ASSERT (SELECT restricted FROM cases WHERE id = (SELECT test.case_of(s.id) FROM seen s WHERE name = 'apart'));
	ASSERT (SELECT exercise FROM cases WHERE id = (SELECT test.case_of(s.id) FROM seen s WHERE name = 'drill')) = 7;
	SELECT c.number INTO number FROM cases c JOIN seen s ON c.id = test.case_of(s.id) WHERE s.name = 'a1';
	ASSERT (SELECT count(*) FROM journal WHERE object = 'case/' || number AND action = 'reports added') = 1;
	ASSERT (SELECT (after::jsonb ->> 'count')::int FROM journal WHERE object = 'case/' || number AND action = 'reports added') = 50;
	ASSERT (SELECT count(*) FROM report_status WHERE state = 'linked') = 53;
	ASSERT (SELECT test.case_of(id) FROM seen WHERE name = 'inbox') IS NULL;
	ASSERT (SELECT count(*) FROM correlation_queue) = 0;
	ASSERT (SELECT taken FROM keeper_correlate(500, 100, '0')) = 0;
END $$;

-- what happened is not to whom: two victims who name neither host nor malware are two cases
DO $$
DECLARE
	a report;
	b report;
	keys text[] := (SELECT c.keys FROM correlation_rule c WHERE c.name = 'people');
BEGIN
	a.id := 1;
	a.type := 'brute-force';
	a.identifier := 'brute-force';
	a.malware := '';
	a.observables := '{"ip indicator 198.51.100.1"}';
	b := a;
	b.id := 2;
	ASSERT correlation_key(a, keys, false) <> correlation_key(b, keys, false), correlation_key(a, keys, false);
	a.malware := 'winterlock';
	b.malware := 'winterlock';
	ASSERT correlation_key(a, keys, false) = correlation_key(b, keys, false);
END $$;

-- more of the same goes to the same case, and raises it
SET ROLE cirt_owner;
INSERT INTO seen VALUES ('more', test.land('probe', 'system-compromise', '192.0.2.1', 95, 0, NULL, 'red'));
SET ROLE cirt_keeper;
DO $$
DECLARE
	c cases;
BEGIN
	PERFORM keeper_correlate(500, 100, '0');
	SELECT * INTO c FROM cases WHERE id = (SELECT test.case_of(s.id) FROM seen s WHERE name = 'more');
	ASSERT c.id = (SELECT test.case_of(s.id) FROM seen s WHERE name = 'a1');
	ASSERT c.severity = 95 AND c.tlp = 'red';
END $$;

-- a digest gathers before it takes more
SET ROLE cirt_owner;
INSERT INTO seen VALUES ('d1', test.land('phish', 'phishing', 'bank.example', 50));
SET ROLE cirt_keeper;
DO $$ BEGIN ASSERT (SELECT attached FROM keeper_correlate(500, 100, '1 hour')) = 1; END $$;
SET ROLE cirt_owner;
INSERT INTO seen VALUES ('d2', test.land('phish', 'phishing', 'bank.example', 50));
SET ROLE cirt_keeper;
DO $$
BEGIN
	ASSERT (SELECT attached FROM keeper_correlate(500, 100, '1 hour')) = 0, 'the digest has just taken some';
	ASSERT (SELECT count(*) FROM correlation_queue WHERE due > now()) = 1;
	UPDATE correlation_queue SET due = now();
	ASSERT (SELECT attached FROM keeper_correlate(500, 100, '0')) = 1;
	ASSERT (SELECT count(DISTINCT test.case_of(id)) FROM seen WHERE name IN ('d1', 'd2')) = 1;
END $$;

-- the cap: what is over it waits in the queue
SET ROLE cirt_owner;
INSERT INTO seen SELECT 'cap' || n, test.land('probe', 'system-compromise', '198.51.100.' || n, 70) FROM generate_series(1, 5) n;
SET ROLE cirt_keeper;
DO $$
DECLARE
	did record;
	before int := (SELECT count(*) FROM cases);
BEGIN
	SELECT * INTO did FROM keeper_correlate(500, before + 2, '0');
	ASSERT did.opened = 2 AND did.waiting = 3 AND did.attached = 2, did::text;
	ASSERT (SELECT count(*) FROM correlation_queue) = 3;
	UPDATE correlation_queue SET due = now();
	SELECT * INTO did FROM keeper_correlate(500, 100, '0');
	ASSERT did.opened = 3 AND did.waiting = 0, did::text;
END $$;

-- a closed case: its key takes no more; a relapse opens it again while it is young, else a new one names it
DO $$
DECLARE
	c bigint := (SELECT test.case_of(id) FROM seen WHERE name = 'b');
BEGIN
	UPDATE cases SET state = 'open' WHERE id = c;
	UPDATE cases SET state = 'closed', outcome = 'cleaned' WHERE id = c;
END $$;
SET ROLE cirt_owner;
INSERT INTO seen VALUES ('b2', test.land('probe', 'system-compromise', '192.0.2.2', 70));
INSERT INTO seen SELECT 'b3', test.land('probe', 'burglary', '192.0.2.2', 70, 0, id) FROM seen WHERE name = 'b';
SET ROLE cirt_keeper;
DO $$
DECLARE
	did record;
	old bigint := (SELECT test.case_of(id) FROM seen WHERE name = 'b');
BEGIN
	SELECT * INTO did FROM keeper_correlate(500, 100, '0');
	ASSERT did.opened = 1 AND did.reopened = 1, did::text;
	ASSERT (SELECT test.case_of(id) FROM seen WHERE name = 'b2') <> old;
	ASSERT (SELECT test.case_of(id) FROM seen WHERE name = 'b3') = old;
	ASSERT (SELECT state FROM cases WHERE id = old) = 'open';
END $$;
SET ROLE cirt_keeper;
UPDATE cases SET state = 'closed', outcome = 'again' WHERE id = (SELECT test.case_of(id) FROM seen WHERE name = 'b');
RESET ROLE;
ALTER TABLE cirt.cases DISABLE TRIGGER case_changes;
UPDATE cirt.cases SET changed = now() - interval '1 year' WHERE id = (SELECT test.case_of(id) FROM seen WHERE name = 'b');
ALTER TABLE cirt.cases ENABLE TRIGGER case_changes;
SET ROLE cirt_owner;
INSERT INTO seen SELECT 'b4', test.land('probe', 'burglary', '192.0.2.2', 70, 0, id) FROM seen WHERE name = 'b';
SET ROLE cirt_keeper;
DO $$
DECLARE
	old bigint := (SELECT test.case_of(id) FROM seen WHERE name = 'b');
	fresh bigint;
BEGIN
	PERFORM keeper_correlate(500, 100, '0');
	fresh := (SELECT test.case_of(id) FROM seen WHERE name = 'b4');
	ASSERT fresh <> old;
	ASSERT EXISTS (SELECT 1 FROM case_link WHERE a = fresh AND b = old AND kind = 'related');
END $$;

-- a merged case's reports go where it went
DO $$
DECLARE
	gone bigint := (SELECT test.case_of(id) FROM seen WHERE name = 'cap1');
	into_ bigint := (SELECT test.case_of(id) FROM seen WHERE name = 'cap2');
BEGIN
	UPDATE cases SET state = 'merged', merged_into = into_ WHERE id = gone;
END $$;
SET ROLE cirt_owner;
INSERT INTO seen VALUES ('merged', test.land('probe', 'system-compromise', '198.51.100.1', 70));
SET ROLE cirt_keeper;
DO $$
BEGIN
	PERFORM keeper_correlate(500, 100, '0');
	ASSERT (SELECT test.case_of(id) FROM seen WHERE name = 'merged') = (SELECT test.case_of(id) FROM seen WHERE name = 'cap2');
END $$;

\echo test_trap_10_a_stronger_sighting_raises
-- trap 10: a stronger sighting raises the report, journalled, and the rules look again
SET ROLE cirt_owner;
INSERT INTO raise_queue (report, source, severity, confidence, trust) SELECT id, 1, 90, 80, 20 FROM seen WHERE name = 'inbox';
INSERT INTO raise_queue (report, source, severity, confidence, trust) SELECT id, 1, 10, 10, 10 FROM seen WHERE name = 'a2';
SET ROLE cirt_keeper;
DO $$
DECLARE
	did record;
	which bigint := (SELECT id FROM seen WHERE name = 'inbox');
	j journal;
BEGIN
	SELECT * INTO did FROM keeper_raise(100);
	ASSERT did.taken = 2 AND did.raised = 1, did::text;
	ASSERT (SELECT severity = 90 AND confidence = 80 AND trust = 60 FROM report_status WHERE report = which);
	SELECT * INTO j FROM journal WHERE object = 'report/' || which;
	ASSERT j.before::jsonb ->> 'severity' = '30' AND j.after::jsonb ->> 'severity' = '90', j.after;
	ASSERT (SELECT count(*) FROM correlation_queue WHERE report = which) = 1;
	PERFORM keeper_correlate(500, 100, '0');
	ASSERT test.case_of(which) IS NOT NULL;
	ASSERT (SELECT taken FROM keeper_raise(100)) = 0;
END $$;

-- a row that cannot be worked waits, the others go on
SET ROLE cirt_owner;
INSERT INTO seen VALUES ('stuck', test.land('probe', 'system-compromise', '203.0.113.1', 70));
SET ROLE cirt_keeper;
DO $$
BEGIN
	ASSERT keeper_put_back() = (SELECT id FROM seen WHERE name = 'stuck');
	ASSERT (SELECT taken FROM keeper_correlate(500, 100, '0')) = 0;
	ASSERT (SELECT attempts FROM correlation_queue) = 1;
	DELETE FROM correlation_queue;
END $$;

-- gone, back, expired
SET ROLE cirt_owner;
INSERT INTO seen VALUES ('gone', test.land('list', 'ddos-amplifier', '203.0.113.9', 30));
INSERT INTO fingerprint SELECT gen_random_uuid(), 0, 'amber', 0, 30, 50, 60, id, now() - interval '5 days', now() - interval '2 days',
	now() + interval '10 days' FROM seen WHERE name = 'gone';
INSERT INTO fingerprint SELECT gen_random_uuid(), 0, 'amber', 0, 30, 50, 60, id, now() - interval '9 days', now() - interval '8 days',
	now() - interval '1 day' FROM seen WHERE name = 'a1';
-- a list that has not changed since then still says so
INSERT INTO feed_state (source, tried, succeeded, delivered) SELECT id, now(), now(), now() - interval '2 days' FROM source WHERE name = 'list';
SET ROLE cirt_keeper;
DO $$
BEGIN
	ASSERT (SELECT s.gone FROM keeper_sweep(0, 100, 3) s) = 0, 'not modified is not gone';
END $$;
SET ROLE cirt_owner;
INSERT INTO fingerprint SELECT gen_random_uuid(), 0, 'amber', 0, 30, 50, 60, id, now() - interval '9 days', now() - interval '8 days',
	now() - interval '1 day' FROM seen WHERE name = 'a1';
UPDATE feed_state SET delivered = now() WHERE source = (SELECT id FROM source WHERE name = 'list');
SET ROLE cirt_keeper;
DO $$
DECLARE
	did record;
BEGIN
	SELECT * INTO did FROM keeper_sweep(0, 100, 3);
	ASSERT did.gone = 1 AND did.expired = 1 AND did.next_page = 0, did::text;
	ASSERT (SELECT gone_at IS NOT NULL FROM report_status WHERE report = (SELECT id FROM seen WHERE name = 'gone'));
	SELECT * INTO did FROM keeper_sweep(0, 100, 3);
	ASSERT did.gone = 0 AND did.expired = 0, did::text;
END $$;
SET ROLE cirt_owner;
UPDATE fingerprint SET last = now();
SET ROLE cirt_keeper;
DO $$
BEGIN
	ASSERT (SELECT back FROM keeper_sweep(0, 100, 3)) = 1;
	ASSERT (SELECT gone_at IS NULL FROM report_status WHERE report = (SELECT id FROM seen WHERE name = 'gone'));
END $$;

\echo test_trap_12_partitions_are_made_ahead
-- trap 12, 22: partitions ahead, and a million ids more than are in use
DO $$ BEGIN PERFORM partitions_ahead(3); END $$;
RESET ROLE;
DO $$
DECLARE
	month int := to_char(timezone('UTC', now()), 'YYYYMM')::int;
	next int := to_char(timezone('UTC', now()) + interval '3 months', 'YYYYMM')::int;
BEGIN
	ASSERT to_regclass('cirt.ledger_' || next) IS NOT NULL;
	PERFORM setval(format('cirt.report_id_%s', month)::regclass, month * 10000000000 + 2500000);
	PERFORM partition_month(month);
	ASSERT to_regclass(format('cirt.report_%s_0003', month)) IS NOT NULL, 'a range ahead of the ids in use (trap 13)';
END $$;

\echo test_revoked_report_is_gone_and_opens_no_case
-- a report that its creator revokes before the rules have looked is gone, out of the queue, and stays gone
SET ROLE cirt_owner;
INSERT INTO seen VALUES ('revoked', test.land('list', 'system-compromise', '192.0.2.99', 80));
INSERT INTO revision_queue (report, kind, object, version, source)
	SELECT s.id, 'revoked', 'indicator--1', '2026-11-01T00:00:00.000Z', r.source FROM seen s JOIN report r ON r.id = s.id WHERE s.name = 'revoked';
SET ROLE cirt_keeper;
DO $$ DECLARE r bigint := (SELECT id FROM seen WHERE name = 'revoked'); BEGIN
	ASSERT (SELECT taken = 1 AND revoked = 1 FROM keeper_revise(10)), 'one is taken';
	ASSERT (SELECT gone_at IS NOT NULL AND revoked IS NOT NULL FROM report_status WHERE report = r), 'it is gone';
	ASSERT NOT EXISTS (SELECT FROM correlation_queue WHERE report = r), 'no rule looks at it';
	PERFORM keeper_correlate(500, 100, '0');
	ASSERT test.case_of(r) IS NULL, 'it opens no case';
	ASSERT (SELECT count(*) = 1 FROM journal WHERE object = 'report/' || r AND action = 'revoked by its creator'
		AND after::jsonb @> '{"object": "indicator--1", "source": "list"}'), 'the journal says by whom';
	ASSERT NOT EXISTS (SELECT FROM revision_queue), 'the queue is empty';
END $$;

\echo test_newer_version_of_a_constituents_network_is_correlated
SET ROLE cirt_owner;
INSERT INTO organisation (name) VALUES ('versioned');
INSERT INTO seen VALUES ('updated', test.land('probe', 'system-compromise', '192.0.2.98', 80));
DELETE FROM correlation_queue WHERE report = (SELECT id FROM seen WHERE name = 'updated');
INSERT INTO revision_queue (report, kind, object, version, source, organisation)
	SELECT s.id, 'updated', 'indicator--2', '2026-11-01T00:00:00.000Z', r.source, o.id FROM seen s JOIN report r ON r.id = s.id, organisation o
	WHERE s.name = 'updated' AND o.name = 'versioned';
SET ROLE cirt_keeper;
DO $$ DECLARE r bigint := (SELECT id FROM seen WHERE name = 'updated'); BEGIN
	PERFORM keeper_revise(10);
	ASSERT (SELECT organisation IS NOT NULL AND gone_at IS NULL FROM report_status WHERE report = r), 'it is of that network now';
	ASSERT EXISTS (SELECT FROM correlation_queue WHERE report = r), 'the rules look at it again';
END $$;

\echo test_trap_16_the_keeper_cannot_edit
-- trap 16: the keeper can neither change the journal nor what it says of a case
SET ROLE cirt_keeper;
DO $$
BEGIN
	BEGIN
		UPDATE journal SET action = 'x';
		ASSERT false, 'the journal could be changed';
	EXCEPTION WHEN insufficient_privilege THEN NULL;
	END;
	BEGIN
		DELETE FROM cases;
		ASSERT false, 'a case could be deleted';
	EXCEPTION WHEN insufficient_privilege THEN NULL;
	END;
END $$;

-- an anchor's mark: the heads then, whatever comes later
RESET ROLE;
CREATE TEMPORARY TABLE mark AS SELECT last, records FROM cirt.anchor_mark();
DO $$
DECLARE
	before text;
BEGIN
	ASSERT (SELECT records FROM mark) = (SELECT count(*) FROM cirt.journal);
	SELECT string_agg(h::text, ';') INTO before FROM mark, cirt.anchor_heads(mark.last) h;
	PERFORM cirt.journal_add('case/2026-000001', 'test', NULL, NULL);
	PERFORM cirt.journal_add('zzz/new', 'test', NULL, NULL);
	ASSERT before = (SELECT string_agg(h::text, ';') FROM mark, cirt.anchor_heads(mark.last) h);
	ASSERT (SELECT count(*) FROM cirt.audit_verify()) <= 1, (SELECT string_agg(v::text, '; ') FROM cirt.audit_verify() v);
END $$;
\echo keeper: ok
