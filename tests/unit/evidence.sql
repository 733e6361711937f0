-- Evidence: who brought it, who may have it, who had it, what keeps it. Each block a test; functions run as the desk. A failed ASSERT
-- ends it.
\set ON_ERROR_STOP 1
SET search_path = cirt, test, pg_temp;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET cirt.actor = 'op1';
CREATE SCHEMA test;
GRANT ALL ON SCHEMA test TO cirt_owner, cirt_desk;
SET ROLE cirt_owner;

-- A report with a file, as they land; its id.
CREATE FUNCTION test.land(file bytea, called text, in_month int DEFAULT NULL) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	of_month int := coalesce(in_month, to_char(timezone('UTC', now()), 'YYYYMM')::int);
	fresh bigint := (SELECT * FROM report_ids(of_month, 1));
	at timestamptz := CASE WHEN in_month IS NULL THEN now() ELSE make_date(in_month / 100, in_month % 100, 15) END;
BEGIN
	INSERT INTO ledger (day, spool, sequence, received, source, exercise, node, format, disposition, digest, size, envelope)
		SELECT at::date, '00000000-0000-0000-0000-000000000001', fresh, at, s.id, 0, 1, 'mail', 'processed', sha256('x'), 1,
			'{"door": "lmtp", "from": "a@b.example"}' FROM source s WHERE s.name = 'list';
	INSERT INTO report SELECT fresh, at, at, fresh, NULL, 0, '00000000-0000-0000-0000-000000000001', gen_random_uuid(), s.id, 0, 0, NULL, 0,
			'phishing', 'amber', 'amber', 50, 50, s.trust, 1, 'r', 'k', '', '', '', '', '', '', '{}', '{}', '{}', '{}', '{}'
		FROM source s WHERE s.name = 'list';
	INSERT INTO attachment SELECT fresh, fresh, '00000000-0000-0000-0000-000000000001', 0, of_month, octet_length(file), sha256(file), called, 'text/plain';
	INSERT INTO evidence SELECT of_month, sha256(file), octet_length(file), file ON CONFLICT DO NOTHING;
	RETURN fresh;
END $$;
CREATE FUNCTION test.asks(who text, more jsonb, role text DEFAULT 'analyst') RETURNS jsonb LANGUAGE sql AS
	$$ SELECT more || jsonb_build_object('operator', who, 'role', role) $$;
CREATE FUNCTION test.hex(file bytea) RETURNS text LANGUAGE sql AS $$ SELECT encode(sha256(file), 'hex') $$;
CREATE FUNCTION test.of(file bytea) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('digest', test.hex(file)) $$;
-- 'ok', or what kind of refusal it is.
CREATE FUNCTION test.try(verb text, p jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT cirt.desk_evidence_%s($1)', verb) USING p;
	RETURN 'ok';
EXCEPTION WHEN no_data_found THEN RETURN 'not found'; WHEN insufficient_privilege THEN RETURN 'denied';
	WHEN invalid_parameter_value THEN RETURN 'wrong'; WHEN check_violation THEN RETURN 'state'; WHEN unique_violation THEN RETURN 'twice';
	WHEN data_exception THEN RETURN 'broken';
END $$;
CREATE FUNCTION test.custody(file bytea) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(action || ' ' || actor, ', ' ORDER BY n), '') FROM cirt.journal WHERE object = 'evidence/' || test.hex(file) $$;
CREATE TABLE test.ids (name text PRIMARY KEY, id bigint);
GRANT ALL ON test.ids TO cirt_desk;
CREATE FUNCTION test.id(what text) RETURNS bigint LANGUAGE sql AS $$ SELECT id FROM test.ids WHERE name = what $$;
CREATE FUNCTION test.number(what text) RETURNS text LANGUAGE sql AS $$ SELECT number FROM cirt.cases WHERE id = test.id(what) $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_desk;
INSERT INTO node (name) VALUES ('evidence');
INSERT INTO source (name, kind, trust) VALUES ('list', 'mailbox', 60);
INSERT INTO operator (name, role) VALUES ('op1', 'analyst'), ('op2', 'analyst'), ('boss', 'lead');
INSERT INTO ids VALUES ('r1', land('one', 'one.txt')), ('r2', land('two', 'two.txt')), ('r3', land('shared', 'logo.png')), ('r4', land('shared', 'logo.png'));
WITH c AS (INSERT INTO cases (title, restricted, tlp) VALUES ('open', false, 'green') RETURNING id) INSERT INTO ids SELECT 'open', id FROM c;
WITH c AS (INSERT INTO cases (title, restricted, assignee, tlp) SELECT 'secret', true, o.id, 'red' FROM operator o WHERE o.name = 'op1' RETURNING id)
	INSERT INTO ids SELECT 'secret', id FROM c;
INSERT INTO case_report (report, case_id) VALUES (id('r1'), id('open')), (id('r2'), id('secret')), (id('r3'), id('secret'));

\echo test_who_may_have_a_file
SET ROLE cirt_desk;
DO $$
BEGIN
	ASSERT try('get', asks('op2', of('one'))) = 'ok' AND try('show', asks('op2', of('one'))) = 'ok';
	ASSERT try('get', asks('op2', of('two'))) = 'not found' AND try('show', asks('op2', of('two'))) = 'not found'
		AND try('hold', asks('op2', of('two') || '{"reason": "x"}')) = 'not found';
	ASSERT try('get', asks('op1', of('two'))) = 'ok' AND try('get', asks('boss', of('two'), 'lead')) = 'ok';
	-- What stands elsewhere too is no secret of that case; where it is, is.
	ASSERT try('get', asks('op2', of('shared'))) = 'ok';
	ASSERT json_array_length(desk_evidence_show(asks('op2', of('shared'))) -> 'acquired') = 1
		AND json_array_length(desk_evidence_show(asks('op1', of('shared'))) -> 'acquired') = 2;
	ASSERT json_array_length(desk_evidence_show(asks('op2', of('shared'))) -> 'cases') = 0;
	ASSERT try('get', asks('op1', of('unheard of'))) = 'not found' AND try('get', asks('op1', '{"digest": "abc"}')) = 'wrong'
		AND try('get', asks('op1', '{}')) = 'wrong';
	ASSERT try('export', asks('op2', jsonb_build_object('case', number('secret')))) = 'denied'
		AND try('list', asks('op2', jsonb_build_object('case', number('secret')))) = 'denied';
	ASSERT (SELECT count(*) FROM json_array_elements(desk_evidence_list(asks('op2', '{}')) -> 'items') i WHERE i ->> 'digest' = hex('two')) = 0;
	ASSERT (SELECT count(*) FROM json_array_elements(desk_evidence_list(asks('op1', '{}')) -> 'items') i WHERE i ->> 'digest' = hex('two')) = 1;
END $$;

\echo test_each_access_is_a_link_of_its_chain
DO $$
BEGIN
	ASSERT custody('one') = 'fetched op1', custody('one');
	ASSERT (SELECT c -> 'details' ->> 'bytes' FROM json_array_elements(desk_evidence_show(asks('op1', of('one'))) -> 'custody') c) = '3';
	ASSERT (SELECT a ->> 'door' || ' ' || (a ->> 'source') || ' ' || (a ->> 'name') FROM json_array_elements(
		desk_evidence_show(asks('op1', of('one'))) -> 'acquired') a) = 'lmtp list one.txt';
	-- Who may not have it has left no trace of an access, for there was none.
	ASSERT custody('two') = 'fetched op1, fetched op1', custody('two');
END $$;

\echo test_a_file_is_added_piece_by_piece_and_only_whole
DO $$
DECLARE
	p jsonb := asks('op1', of('by hand') || jsonb_build_object('case', number('secret'), 'called', 'disk.img', 'size', 7, 'from', 'IT head, by phone'));
	answer json;
BEGIN
	ASSERT try('add', p || '{"offset": 3, "data": "aGFuZA=="}') = 'wrong', 'from its beginning';
	ASSERT desk_evidence_add(p || '{"offset": 0, "data": "Ynkg"}') ->> 'have' = '3';
	ASSERT try('add', p || '{"offset": 0, "data": ""}') = 'wrong' AND try('add', p || '{"offset": 3, "data": "aGFuZHM="}') = 'wrong';
	ASSERT desk_evidence_add(p || '{"offset": 0, "data": "Ynkg"}') ->> 'have' = '3', 'begun anew';
	-- The last bytes are others than what was said: nothing is kept of it.
	ASSERT try('add', p || '{"offset": 3, "data": "aGFuRA=="}') = 'broken' AND custody('by hand') = '';
	ASSERT desk_evidence_add(p || '{"offset": 0, "data": "Ynkg"}') ->> 'have' = '3';
	answer := desk_evidence_add(p || '{"offset": 3, "data": "aGFuZA=="}');
	ASSERT answer ->> 'case' = number('secret');
	ASSERT try('add', p || '{"offset": 0, "data": "Ynkg"}') = 'twice';
	ASSERT NOT EXISTS (SELECT FROM evidence_part) AND custody('by hand') = 'acquired op1', custody('by hand');
	ASSERT try('get', asks('op2', of('by hand'))) = 'not found' AND try('add', asks('op2', p || of('x'))) = 'denied';
	ASSERT (SELECT a ->> 'operator' || ' ' || (a ->> 'from') FROM json_array_elements(desk_evidence_show(asks('op1', of('by hand'))) -> 'acquired') a)
		= 'op1 IT head, by phone';
	ASSERT EXISTS (SELECT FROM journal j JOIN cases c ON j.object = 'case/' || c.number WHERE c.id = id('secret') AND j.after LIKE '%disk.img%');
	ASSERT try('add', p || of('x') || '{"called": "../../etc/passwd", "offset": 0, "data": "eA=="}') = 'wrong'
		AND try('add', p || of('x') || '{"size": 67108865}') = 'wrong' AND try('add', p || of('x') || '{"size": 0}') = 'wrong';
	BEGIN
		DELETE FROM case_evidence;
		ASSERT false;
	EXCEPTION WHEN insufficient_privilege OR check_violation THEN
		NULL;
	END;
END $$;

\echo test_holds_begin_and_end_with_a_reason
DO $$
BEGIN
	ASSERT try('hold', asks('op1', of('one'))) = 'wrong' AND try('hold', asks('op1', of('one') || '{"reason": "x", "until": "2020-01-01"}')) = 'wrong';
	ASSERT try('unhold', asks('op1', of('one') || '{"reason": "x"}')) = 'state';
	ASSERT try('hold', asks('op1', of('one') || '{"reason": "court"}')) = 'ok' AND try('hold', asks('op1', of('one') || '{"reason": "court"}')) = 'twice';
	ASSERT (SELECT count(*) FROM json_array_elements(desk_evidence_list(asks('op1', '{"held": true}')) -> 'items')) = 1;
	ASSERT desk_evidence_show(asks('op1', of('one'))) -> 'holds' -> 0 ->> 'reason' = 'court';
	ASSERT try('unhold', asks('op1', of('one'))) = 'wrong' AND try('unhold', asks('op1', of('one') || '{"reason": "over"}')) = 'ok';
	ASSERT custody('one') = 'fetched op1, held op1, let go op1', custody('one');
END $$;

\echo test_the_folder_of_a_case_is_what_its_manifest_says
DO $$
DECLARE
	answer json := desk_evidence_export(asks('op1', jsonb_build_object('case', number('secret'), 'break_glass', 'the court waits')));
	papers jsonb := (answer ->> 'custody')::jsonb;
BEGIN
	ASSERT (SELECT array_agg(f ORDER BY f) FROM json_array_elements_text(answer -> 'files') f)
		= (SELECT array_agg(f ORDER BY f) FROM unnest(ARRAY[hex('two'), hex('shared'), hex('by hand')]) f);
	ASSERT answer ->> 'manifest' LIKE '# TLP:RED%' AND answer ->> 'manifest' LIKE '%' || encode(sha256(convert_to(answer ->> 'custody', 'UTF8')), 'hex') || '  custody.json%';
	ASSERT answer ->> 'manifest' LIKE '%' || chr(10) || hex('two') || '  files/' || hex('two') || chr(10) || '%';
	ASSERT papers ->> 'tlp' = 'RED' AND jsonb_array_length(papers -> 'files') = 3;
	ASSERT (SELECT bool_and(f -> 'custody' @> '[{"action": "exported", "actor": "op1"}]') FROM jsonb_array_elements(papers -> 'files') f);
	ASSERT custody('by hand') = 'acquired op1, exported op1', custody('by hand');
	ASSERT try('export', asks('boss', jsonb_build_object('case', number('open')), 'lead')) = 'ok';
END $$;

\echo test_retention_keeps_what_is_held_or_put_there_by_hand
RESET ROLE;
SET ROLE cirt_owner;
SELECT partition_month(202001);
INSERT INTO ids VALUES ('o1', land('old', 'old.txt', 202001)), ('o2', land('old held', 'held.txt', 202001)), ('o3', land('old by hand', 'hand.txt', 202001)),
	('o4', land('old hold over', 'over.txt', 202001));
INSERT INTO case_evidence (case_id, digest, size, name) VALUES (id('open'), sha256('old by hand'), 11, 'hand.txt');
INSERT INTO hold (object, reason, until) VALUES ('evidence/' || hex('old held'), 'court', NULL), ('evidence/' || hex('old hold over'), 'court', now() - interval '1 day');
-- What later rules found goes with the report that it was found in, and stays with what stays.
WITH r AS (INSERT INTO rescan (since, until, spools, lows, highs, rule, rules, events, total, place)
		VALUES ('2020-01-01', '2020-02-01', '{}', '{}', '{}', '', 'x', false, 3, 0) RETURNING id)
INSERT INTO rescan_match (rescan, report, evidence, digest, rule, part, engine, rules)
	SELECT r.id, x.report, x.evidence, NULL, 'later.yar/later', 'text', 'yara', 'x' FROM r, (VALUES (id('o2'), NULL::bigint), (id('r1'), NULL),
		(NULL, (SELECT h.id FROM case_evidence h WHERE h.digest = sha256('old by hand')))) AS x (report, evidence);
SELECT keeper_retire('180 days');
DO $$
BEGIN
	ASSERT evidence_month(sha256('old')) IS NULL AND evidence_month(sha256('old hold over')) IS NULL;
	ASSERT evidence_month(sha256('old held')) = 202001 AND evidence_month(sha256('old by hand')) = 202001;
	ASSERT (SELECT NOT EXISTS (SELECT FROM report WHERE id = id('o2')));
	ASSERT (SELECT array_agg(coalesce(m.report, -1) ORDER BY m.id) FROM rescan_match m WHERE m.rule = 'later.yar/later') = ARRAY[id('r1'), -1];
	ASSERT NOT EXISTS (SELECT FROM audit_sums('rescan_match') WHERE problem IS NOT NULL);
END $$;
SET ROLE cirt_desk;
DO $$
BEGIN
	-- It can be had still, by whoever sees the case, or anybody where it stands in none.
	ASSERT try('get', asks('op2', of('old by hand'))) = 'ok' AND try('get', asks('op2', of('old held'))) = 'ok';
	ASSERT try('get', asks('op1', of('old'))) = 'not found';
END $$;
RESET ROLE;
DO $$ BEGIN ASSERT (SELECT count(*) FROM audit_journal()) = 0; END $$;
