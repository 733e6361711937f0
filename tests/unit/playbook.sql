-- Files of the house as the keeper brings them, and what cases begin with: each block a test. A failed ASSERT ends it.
\set ON_ERROR_STOP 1
SET search_path = cirt, test, pg_temp;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA test;
GRANT ALL ON SCHEMA test TO cirt_owner, cirt_keeper, cirt_desk;
SET ROLE cirt_owner;

INSERT INTO organisation (name, sector, kind, criticality) VALUES ('City Hospital', 'health', 'hospital', 'critical'),
	('Village Bakery', 'food', 'business', 'normal');
INSERT INTO operator (name, role) VALUES ('op4', 'analyst');
CREATE TABLE test.house (doc jsonb);
INSERT INTO test.house VALUES ('{"calendar": {"zone": "Europe/Vienna", "hours": [{"day": 1, "opens": "09:00", "closes": "17:00"}],
		"holidays": [{"day": "12-25", "name": "Christmas"}]},
	"regimes": [{"name": "NIS", "body": {"title": "NIS2", "law": "Art. 23", "conditions": {"criticality": ["critical"], "severity": 60},
		"stages": [{"line": 4, "stage": "early-warning", "title": "early warning", "from": "aware", "within": "24 hours", "warn": "6 hours",
			"answer": "24 hours"}, {"line": 9, "stage": "notification", "title": "notification", "from": "aware", "within": "72 hours"}]}}],
	"playbooks": [
		{"name": "ransomware", "body": {"title": "Ransomware", "conditions": {"tags": ["ransomware"]},
			"tasks": [{"line": 3, "text": "wide"}], "clocks": [], "filings": []}},
		{"name": "ransomware-hospital", "body": {"title": "Ransomware at a hospital", "conditions": {"tags": ["ransomware"], "kinds": ["hospital"]},
			"tasks": [{"line": 3, "text": "call back", "due": "30 minutes", "assignee": "owner"}, {"line": 6, "text": "backups", "due": "2 business hours"}],
			"clocks": [{"line": 9, "what": "first word", "within": "1 hour", "warn": "20 minutes", "ends": "taken"}],
			"filings": [{"line": 12, "regime": "nis", "stage": "early-warning", "receipt": "by-hand"}]}},
		{"name": "phishing", "body": {"title": "Phishing", "conditions": {"types": ["phishing"], "severity": 60},
			"tasks": [{"line": 3, "text": "takedown"}], "clocks": [], "filings": []}},
		{"name": "by-hand-only", "body": {"title": "Never by itself", "conditions": {}, "tasks": [{"line": 2, "text": "think"}], "clocks": [],
			"filings": []}}]}');
CREATE FUNCTION test.tasks(of_case bigint) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
	SELECT string_agg(origin || ': ' || title, ', ' ORDER BY id) FROM task WHERE case_id = of_case
$$;
CREATE FUNCTION test.new_case(org text, VARIADIC tags text[]) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
	fresh bigint;
BEGIN
	INSERT INTO cases (title, state, severity, organisation, assignee)
		SELECT 'x', 'open', 90, (SELECT id FROM organisation WHERE name = org), id FROM operator WHERE name = 'op4' RETURNING id INTO fresh;
	INSERT INTO case_tag (case_id, tag) SELECT fresh, t FROM unnest(tags) t WHERE t <> '';
	RETURN fresh;
END $$;
GRANT SELECT ON test.house TO cirt_keeper, cirt_desk;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_keeper, cirt_desk;

-- What is loaded is there once; the same again is nothing new, wherever its lines stand.
SET ROLE cirt_keeper;
DO $$
DECLARE
	d jsonb := (SELECT doc FROM test.house);
	got record;
BEGIN
	SELECT * INTO got FROM keeper_house(d);
	ASSERT got.changed = 6 AND got.wrong IS NULL, got;
	SELECT * INTO got FROM keeper_house(jsonb_set(d, '{regimes,0,body,stages,0,line}', '77'));
	ASSERT got.changed = 0 AND got.wrong IS NULL, got;
	ASSERT (SELECT zone = 'Europe/Vienna' FROM calendar WHERE current);
	ASSERT (SELECT count(*) FROM calendar_holiday) = 1;
END $$;

-- A broken file costs itself: what it said before stands, it is named, and it is over when it is mended.
DO $$
DECLARE
	d jsonb := (SELECT doc FROM test.house);
	got record;
BEGIN
	d := jsonb_set(d, '{regimes,0}', '{"name": "NIS", "problem": "NIS.conf:7: a time was expected"}');
	d := jsonb_set(d, '{playbooks,1,body,filings,0,regime}', '"GDPR"');
	d := jsonb_set(d, '{calendar,zone}', '"Europe/Nowhere"');
	d := jsonb_set(d, '{playbooks,2,body,title}', '"Phishing, again"');
	SELECT * INTO got FROM keeper_house(d);
	ASSERT got.changed = 1, got;
	ASSERT got.wrong LIKE '%Europe/Nowhere%; %ransomware-hospital.conf:12: a regime and one of its stages was expected%; NIS.conf:7: a time%', got.wrong;
	ASSERT (SELECT count(*) = 1 FROM regime WHERE name = 'NIS' AND current), 'what it said before stands';
	ASSERT (SELECT count(*) = 1 FROM playbook WHERE name = 'ransomware-hospital' AND current);
	ASSERT (SELECT version = 2 FROM playbook WHERE name = 'phishing' AND current), 'the others are read';
	ASSERT (SELECT count(*) = 3 FROM alarm WHERE kind = 'sheet-wrong' AND ended IS NULL);
	PERFORM keeper_house(d);
	ASSERT NOT EXISTS (SELECT FROM alarm WHERE kind = 'sheet-wrong' AND count > 1), 'said once';
	SELECT * INTO got FROM keeper_house((SELECT doc FROM test.house));
	ASSERT got.wrong IS NULL AND NOT EXISTS (SELECT FROM alarm WHERE kind = 'sheet-wrong' AND ended IS NULL), 'mended';
	-- Times that only the database knows to be none.
	d := jsonb_set((SELECT doc FROM test.house), '{regimes,0,body,stages,0,within}', '"999999 fortnights"');
	SELECT * INTO got FROM keeper_house(d);
	ASSERT got.wrong LIKE 'expected a time such as%' AND (SELECT count(*) = 1 FROM regime WHERE current), got.wrong;
	PERFORM keeper_house((SELECT doc FROM test.house));
END $$;
RESET ROLE;

-- A case gets what is for it when its transaction ends, however it was opened, once; of two the narrower.
SET ROLE cirt_owner;
BEGIN;
SELECT set_config('cirt.actor', 'op4', true), test.new_case('City Hospital', 'ransomware') \g /dev/null
COMMIT;
DO $$
DECLARE
	which bigint := (SELECT max(id) FROM cases);
	f filing;
BEGIN
	ASSERT test.tasks(which) = 'ransomware-hospital: call back, ransomware-hospital: backups', test.tasks(which);
	ASSERT (SELECT assignee IS NOT NULL AND due BETWEEN now() AND now() + interval '30 minutes' FROM task WHERE case_id = which AND title = 'call back');
	ASSERT (SELECT due = calendar_add((SELECT id FROM calendar WHERE current), made, 7200) FROM task WHERE case_id = which AND title = 'backups');
	SELECT * INTO f FROM filing WHERE case_id = which;
	ASSERT f.who = 'City Hospital' AND f.aware_assumed, 'a filing';
	-- A person opened it: the call was the early warning, and we owe an answer.
	ASSERT (SELECT string_agg(whose || ' ' || act || ' ' || coalesce(stage, ''), ', ' ORDER BY due) FROM clock WHERE case_id = which AND ended IS NULL
		AND filing IS NOT NULL) = 'ours answer early-warning, theirs file notification';
	ASSERT (case_opened(which) #>> '{playbooks,0,tasks}') = '2' AND json_array_length(case_opened(which) -> 'playbooks') = 1, 'idempotent';
	ASSERT (SELECT count(*) FROM task WHERE case_id = which) = 2;
	ASSERT (case_opened(which) ->> 'must_file') = '[]', case_opened(which) ->> 'must_file';
	ASSERT EXISTS (SELECT FROM journal j WHERE j.object = (SELECT 'case/' || number FROM cases WHERE id = which) AND j.action LIKE 'playbook_applied%');
	-- The clock that ends when somebody has the case is met by that.
	UPDATE cases SET assignee = assignee WHERE id = which;
	ASSERT (SELECT met IS NOT NULL FROM clock WHERE case_id = which AND what = 'first word');
END $$;

-- A machine opened it: nobody has filed yet.
BEGIN;
SELECT set_config('cirt.actor', 'keeper', true), test.new_case('City Hospital', 'ransomware') \g /dev/null
COMMIT;
DO $$
BEGIN
	ASSERT NOT EXISTS (SELECT FROM filing_stage s JOIN filing f ON f.id = s.filing WHERE f.case_id = (SELECT max(id) FROM cases));
	ASSERT (SELECT count(*) FROM clock WHERE case_id = (SELECT max(id) FROM cases) AND act = 'file' AND ended IS NULL) = 2;
END $$;

-- Others get the wider one, or none; whoever must file is named.
BEGIN;
SELECT test.new_case('Village Bakery', 'ransomware') \g /dev/null
COMMIT;
DO $$
DECLARE
	which bigint := (SELECT max(id) FROM cases);
BEGIN
	ASSERT test.tasks(which) = 'ransomware: wide', test.tasks(which);
	ASSERT (case_opened(which) ->> 'must_file') = '[]';
END $$;
BEGIN;
SELECT test.new_case('City Hospital', '') \g /dev/null
COMMIT;
DO $$
DECLARE
	which bigint := (SELECT max(id) FROM cases);
BEGIN
	ASSERT test.tasks(which) IS NULL;
	ASSERT (case_opened(which) ->> 'must_file') = '["NIS"]', case_opened(which) ->> 'must_file';
END $$;
-- What it is is found out later.
UPDATE cases SET type = 'phishing' WHERE id = (SELECT max(id) FROM cases);
INSERT INTO case_tag (case_id, tag) SELECT max(id), 'ransomware' FROM cases;
DO $$
BEGIN
	ASSERT test.tasks((SELECT max(id) FROM cases)) = 'phishing: takedown, ransomware-hospital: call back, ransomware-hospital: backups',
		test.tasks((SELECT max(id) FROM cases));
END $$;

-- By hand it is for any case, once.
DO $$
DECLARE
	which bigint := (SELECT max(id) FROM cases);
	asked jsonb := (SELECT jsonb_build_object('case', number, 'name', 'by-hand-only', 'operator', 'op4', 'role', 'analyst') FROM cases WHERE id = which);
	said text;
BEGIN
	ASSERT desk_playbook_apply(asked) ->> 'applied' = 'true';
	ASSERT desk_playbook_apply(asked) ->> 'applied' = 'false' AND test.tasks(which) LIKE '%by-hand-only: think';
	BEGIN
		PERFORM desk_playbook_apply(asked || '{"name": "none"}');
	EXCEPTION WHEN no_data_found THEN
		said := SQLERRM;
	END;
	ASSERT said = 'there is no playbook "none"; there is: by-hand-only, phishing, ransomware, ransomware-hospital', said;
END $$;

-- A regime that has gone takes effect no more, and what a playbook wants of it is left out; filings that have begun stay.
DO $$
DECLARE
	which bigint;
BEGIN
	PERFORM keeper_house((SELECT jsonb_set(doc, '{regimes}', '[]') FROM test.house));
	ASSERT (SELECT count(*) FROM regime WHERE current) = 0 AND (SELECT count(*) FROM filing) = 3;
	which := test.new_case('City Hospital', 'ransomware');
	ASSERT case_opened(which) #>> '{playbooks,0,left_out,0}' = 'there is no regime nis', case_opened(which);
	ASSERT (SELECT count(*) FROM task WHERE case_id = which) = 2;
END $$;

-- Which conditions take all that others take.
DO $$
BEGIN
	ASSERT conditions_cover('{"tags": ["a"]}', '{"tags": ["a"], "kinds": ["bank"]}');
	ASSERT conditions_cover('{"tags": ["a", "b"]}', '{"tags": ["a"]}');
	ASSERT conditions_cover('{"severity": 40}', '{"severity": 60}');
	ASSERT NOT conditions_cover('{"tags": ["a"]}', '{"tags": ["a"]}');
	ASSERT NOT conditions_cover('{"tags": ["c"]}', '{"tags": ["a"], "kinds": ["bank"]}');
	ASSERT NOT conditions_cover('{"tags": ["a"], "kinds": ["bank"]}', '{"tags": ["a"]}');
	ASSERT NOT EXISTS (SELECT FROM audit_verify()), (SELECT string_agg(object || ' ' || problem, ', ') FROM audit_verify());
END $$;
