-- When things are due, and what becomes of clocks, filings and cases that wait: each block a test. A failed ASSERT ends it.
\set ON_ERROR_STOP 1
SET search_path = cirt, test, pg_temp;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA test;
GRANT ALL ON SCHEMA test TO cirt_owner, cirt_keeper, cirt_desk;
SET ROLE cirt_owner;

-- Houses in named zones, with the holidays of some.
CREATE FUNCTION test.house(of_zone text, opens text, closes text, days int[], VARIADIC holidays text[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	fresh int;
BEGIN
	INSERT INTO calendar (digest, zone) VALUES (gen_random_uuid()::text, of_zone) RETURNING id INTO fresh;
	INSERT INTO calendar_hours (calendar, day, opens, closes) SELECT fresh, d, opens::time, closes::time FROM unnest(days) d;
	INSERT INTO calendar_holiday (calendar, day) SELECT fresh, h FROM unnest(holidays) h WHERE h <> '';
	RETURN fresh;
END $$;
CREATE TABLE test.house (name text PRIMARY KEY, id int);
INSERT INTO test.house VALUES
	('vienna', test.house('Europe/Vienna', '09:00', '17:00', '{1,2,3,4,5}', '12-25', '12-26', '2027-03-29')),
	('vienna-always', test.house('Europe/Vienna', '00:00', '24:00', '{1,2,3,4,5,6,7}', '')),
	('new-york', test.house('America/New_York', '08:30', '16:30', '{1,2,3,4,5}', '2026-11-26')),
	('lord-howe', test.house('Australia/Lord_Howe', '00:00', '24:00', '{1,2,3,4,5,6,7}', '')),
	('kathmandu', test.house('Asia/Kathmandu', '10:00', '17:00', '{7,1,2,3,4,5}', '')),
	('chatham', test.house('Pacific/Chatham', '09:00', '17:00', '{1,2,3,4,5}', '')),
	('apia', test.house('Pacific/Apia', '09:00', '17:00', '{1,2,3,4,5}', ''));

-- What each time ends at, by the law or by working hours. Spring forward in Vienna: 28 March 2027, 02:00; back: 25 October 2026, 03:00.
-- In New York: 14 March 2027 and 1 November 2026. On Lord Howe the change is half an hour: 4 October 2026, 4 April 2027.
CREATE TABLE test.ends (house text, start text, said text, ends text, wanted text, why text);
INSERT INTO test.ends VALUES
	('vienna', '2026-11-24 22:10 Europe/Vienna', '24 hours', 'exact', '2026-11-25 22:10 Europe/Vienna', 'an early warning'),
	('vienna', '2026-11-24 22:10 Europe/Vienna', '72 hours', 'exact', '2026-11-27 22:10 Europe/Vienna', 'a notification'),
	('vienna', '2027-03-27 22:10 Europe/Vienna', '24 hours', 'exact', '2027-03-28 23:10 Europe/Vienna', 'an hour of the night is left out'),
	('vienna', '2026-10-24 22:10 Europe/Vienna', '24 hours', 'exact', '2026-10-25 21:10 Europe/Vienna', 'an hour of the night comes twice'),
	('vienna', '2027-03-26 12:00 Europe/Vienna', '72 hours', 'exact', '2027-03-29 13:00 Europe/Vienna', 'hours are not days'),
	('vienna', '2027-03-27 22:10 Europe/Vienna', '1 day', 'exact', '2027-03-28 22:10 Europe/Vienna', 'a day ends at its time'),
	('vienna', '2026-10-24 22:10 Europe/Vienna', '1 day', 'exact', '2026-10-25 22:10 Europe/Vienna', 'and in autumn'),
	('vienna', '2027-03-27 02:30 Europe/Vienna', '1 day', 'exact', '2027-03-28 03:30 Europe/Vienna', 'a time that does not exist is the next'),
	('new-york', '2026-10-31 12:00 America/New_York', '24 hours', 'exact', '2026-11-01 11:00 America/New_York', 'New York falls back'),
	('lord-howe', '2026-10-03 12:00 Australia/Lord_Howe', '24 hours', 'exact', '2026-10-04 12:30 Australia/Lord_Howe', 'half an hour'),
	('vienna', '2026-11-27 22:10 Europe/Vienna', '1 month', 'exact', '2026-12-27 22:10 Europe/Vienna', 'a final report'),
	('vienna', '2027-01-31 09:15 Europe/Vienna', '1 month', 'exact', '2027-02-28 09:15 Europe/Vienna', 'a month without that day ends with its last'),
	('vienna', '2028-01-31 09:15 Europe/Vienna', '1 month', 'exact', '2028-02-29 09:15 Europe/Vienna', 'a leap year'),
	('vienna', '2027-02-28 09:15 Europe/Vienna', '1 month', 'exact', '2027-03-28 09:15 Europe/Vienna', 'the last day is not kept'),
	('vienna', '2028-02-29 09:15 Europe/Vienna', '1 year', 'exact', '2029-02-28 09:15 Europe/Vienna', 'a leap day'),
	('vienna', '2026-08-31 23:30 Europe/Vienna', '1 month', 'exact', '2026-09-30 23:30 Europe/Vienna', 'thirty days'),
	('vienna', '2026-12-31 23:59 Europe/Vienna', '1 month', 'exact', '2027-01-31 23:59 Europe/Vienna', 'into the next year'),
	('vienna', '2026-10-20 12:00 Europe/Vienna', '1 month', 'exact', '2026-11-20 12:00 Europe/Vienna', 'over the change'),
	('kathmandu', '2026-11-24 22:10 Asia/Kathmandu', '1 month', 'exact', '2026-12-24 22:10 Asia/Kathmandu', 'three quarters of an hour off'),
	('apia', '2026-01-31 00:30 Pacific/Apia', '1 month', 'exact', '2026-02-28 00:30 Pacific/Apia', 'thirteen hours ahead: the day is the local one'),
	('vienna', '2026-11-24 22:10 Europe/Vienna', '3 days', 'day', '2026-11-28 00:00 Europe/Vienna', 'until the day is over'),
	('vienna', '2026-11-25 12:00 Europe/Vienna', '1 month', 'working-day', '2026-12-29 00:00 Europe/Vienna', 'two holidays and a weekend'),
	('vienna', '2026-11-24 12:00 Europe/Vienna', '1 month', 'working-day', '2026-12-25 00:00 Europe/Vienna', 'a working day stays'),
	('vienna', '2026-11-24 10:00 Europe/Vienna', '4 business hours', 'exact', '2026-11-24 14:00 Europe/Vienna', 'within the day'),
	('vienna', '2026-11-24 10:00 Europe/Vienna', '7 business hours', 'exact', '2026-11-24 17:00 Europe/Vienna', 'to its end'),
	('vienna', '2026-11-27 16:00 Europe/Vienna', '2 business hours', 'exact', '2026-11-30 10:00 Europe/Vienna', 'over a weekend'),
	('vienna', '2026-11-28 03:00 Europe/Vienna', '30 business minutes', 'exact', '2026-11-30 09:30 Europe/Vienna', 'from a night of it'),
	('vienna', '2026-12-24 16:00 Europe/Vienna', '2 business hours', 'exact', '2026-12-28 10:00 Europe/Vienna', 'holidays of every year'),
	('vienna', '2027-03-26 16:00 Europe/Vienna', '2 business hours', 'exact', '2027-03-30 10:00 Europe/Vienna', 'a holiday of that year, and the change'),
	('vienna', '2026-10-23 16:00 Europe/Vienna', '2 business hours', 'exact', '2026-10-26 10:00 Europe/Vienna', 'clocks change on a day off'),
	('vienna-always', '2027-03-28 00:00 Europe/Vienna', '23 business hours', 'exact', '2027-03-29 00:00 Europe/Vienna', 'a day of 23 hours'),
	('vienna-always', '2026-10-25 00:00 Europe/Vienna', '25 business hours', 'exact', '2026-10-26 00:00 Europe/Vienna', 'a day of 25 hours'),
	('new-york', '2026-11-25 16:00 America/New_York', '1 business hour', 'exact', '2026-11-27 09:00 America/New_York', 'Thanksgiving'),
	('kathmandu', '2026-11-27 16:30 Asia/Kathmandu', '1 h', 'exact', '2026-11-27 17:30 Asia/Kathmandu', 'plain hours do not stop'),
	('kathmandu', '2026-11-27 16:30 Asia/Kathmandu', '1 business hour', 'exact', '2026-11-29 10:30 Asia/Kathmandu', 'Saturday is off, Sunday is not'),
	('chatham', '2026-12-31 16:45 Pacific/Chatham', '30 business minutes', 'exact', '2027-01-01 09:15 Pacific/Chatham', 'first to see the year'),
	('vienna', '2026-11-24 10:00 Europe/Vienna', '2 w', 'exact', '2026-12-08 10:00 Europe/Vienna', 'for short');
DO $$
DECLARE
	e test.ends;
	got timestamptz;
BEGIN
	FOR e IN SELECT * FROM test.ends LOOP
		got := span_end(e.start::timestamptz, e.said, e.ends, (SELECT id FROM test.house WHERE name = e.house));
		ASSERT got = e.wanted::timestamptz, format('%s from %s (%s): %s, not %s', e.said, e.start, e.why, got, e.wanted);
	END LOOP;
END $$;

-- Nothing of that depends on the zone of whoever asks.
DO $$
DECLARE
	other text;
BEGIN
	FOREACH other IN ARRAY ARRAY['Europe/Vienna', 'Pacific/Apia', 'America/St_Johns'] LOOP
		PERFORM set_config('TimeZone', other, true);
		ASSERT NOT EXISTS (SELECT FROM test.ends e JOIN test.house h ON h.name = e.house
			WHERE span_end(e.start::timestamptz, e.said, e.ends, h.id) <> e.wanted::timestamptz), other;
	END LOOP;
END $$;

-- Working time between two moments is what was added, wherever it begins.
DO $$
DECLARE
	one record;
BEGIN
	FOR one IN SELECT h.id, h.name, s, n FROM test.house h, generate_series('2026-10-20 00:13Z'::timestamptz, '2026-11-05Z', interval '7 hours 3 minutes') AS s,
			unnest('{60,3600,86400,500000}'::int[]) AS n LOOP
		ASSERT calendar_between(one.id, one.s, calendar_add(one.id, one.s, one.n)) = one.n, format('%s: %s s from %s', one.name, one.n, one.s);
	END LOOP;
	ASSERT calendar_between((SELECT id FROM test.house WHERE name = 'vienna'), '2026-11-28Z', '2026-11-27Z') = 0;
END $$;

-- How long is said in one way.
DO $$
DECLARE
	wrong text;
	said text;
BEGIN
	FOREACH wrong IN ARRAY ARRAY['', 'soon', '-3 hours', '0 hours', '3', '2 business days', '1.5 hours', '24 hours later', '99999999 hours'] LOOP
		BEGIN
			PERFORM span_end(now(), wrong, 'exact', calendar_now());
			said := NULL;
		EXCEPTION WHEN invalid_parameter_value THEN
			said := SQLERRM;
		END;
		ASSERT said LIKE 'expected a time such as%', format('"%s" %s', wrong, said);
	END LOOP;
	-- A house that never works is said, not waited for.
	BEGIN
		PERFORM calendar_add(test.house('UTC', '09:00', '17:00', '{}', ''), now(), 60);
		said := NULL;
	EXCEPTION WHEN invalid_parameter_value THEN
		said := SQLERRM;
	END;
	ASSERT said LIKE '%business hours%', said;
	ASSERT warn_time('2026-10-26 12:00 Europe/Vienna', '2 days', (SELECT id FROM test.house WHERE name = 'vienna'))
		= '2026-10-24 12:00 Europe/Vienna', 'days before are local days';
	ASSERT warn_time('2026-10-26 12:00 Europe/Vienna', '48 h', (SELECT id FROM test.house WHERE name = 'vienna'))
		= '2026-10-24 13:00 Europe/Vienna', 'hours before are hours';
END $$;

-- ---- filings ----

UPDATE calendar SET current = false;
UPDATE calendar SET current = true WHERE id = (SELECT id FROM test.house WHERE name = 'vienna');
INSERT INTO regime (name, version, title, law, body) VALUES ('NIS', 1, 'NIS2', 'Art. 23', '{}'), ('TEL', 1, 'telecoms', '', '{}');
INSERT INTO regime_stage SELECT id, s.* FROM regime, (VALUES
		(1, 'early-warning', 'early warning', 'theirs', 'aware', '24 hours', 'exact', '6 hours', '24 hours', '4 hours'),
		(2, 'notification', 'notification', 'theirs', 'aware', '72 hours', 'exact', '24 hours', '', ''),
		(3, 'final', 'final report', 'theirs', 'notification', '1 month', 'exact', '7 days', '', '')) s WHERE name = 'NIS';
INSERT INTO regime_stage SELECT id, 1, 'report', 'report', 'theirs', 'aware', '4 hours', 'exact', '', '', '' FROM regime WHERE name = 'TEL';
INSERT INTO organisation (name, sector, kind) VALUES ('City Hospital', 'health', 'hospital');
INSERT INTO operator (name, role) VALUES ('op4', 'analyst');
GRANT SELECT ON ALL TABLES IN SCHEMA test TO cirt_keeper, cirt_desk;
CREATE FUNCTION test.case_(of_title text, of_state case_state DEFAULT 'open') RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
	INSERT INTO cases (title, state, severity, organisation, assignee) SELECT of_title, of_state, 90, o.id, p.id FROM organisation o, operator p
		WHERE o.name = 'City Hospital' AND p.name = 'op4' RETURNING number
$$;
-- So much time goes by for all that is due, as if everything had begun earlier.
CREATE FUNCTION test.later(of_case text, span interval) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	UPDATE clock SET started = started - span, due = due - span, warn_at = warn_at - span WHERE case_id = case_named(of_case);
	UPDATE case_wait SET since = since - span, until = until - span WHERE case_id = case_named(of_case);
	UPDATE filing SET aware = aware - span WHERE case_id = case_named(of_case);
	UPDATE filing_stage SET received = received - span, due = due - span, answer_due = answer_due - span
		WHERE filing IN (SELECT id FROM filing WHERE case_id = case_named(of_case));
	SET LOCAL session_replication_role = origin;
END $$;
CREATE FUNCTION test.refused(call text, p jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT %I($1)', call) USING p;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION test.alarms(kind_is text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(text, ' | ' ORDER BY id) FROM alarm WHERE kind = kind_is AND ended IS NULL
$$;
CREATE FUNCTION test.asked(VARIADIC said text[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_object(said) || '{"operator": "op4", "role": "analyst"}'
$$;
RESET ROLE;
ALTER FUNCTION test.later OWNER TO postgres;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_keeper, cirt_desk;

-- A filing by phone: what they owe counts from awareness, what we owe from receipt.
SET ROLE cirt_desk;
DO $$
DECLARE
	nr text := test.case_('ransomware');
	which bigint := case_named(nr);
	f json;
	k json;
BEGIN
	f := desk_filing_new(test.asked('case', nr, 'regime', 'nis', 'stage', 'early-warning', 'aware', stamp(now() - interval '2 hours'), 'from', 'IT head'));
	ASSERT f ->> 'regime' = 'NIS' AND f ->> 'who' = 'City Hospital', f;
	ASSERT f #>> '{stages,0,state}' = 'on time' AND f #>> '{stages,0,answer_state}' = 'OURS', f;
	ASSERT f #>> '{stages,1,state}' = 'expected' AND f #>> '{stages,2,state}' = 'after the notification', f;
	k := desk_clock_list(test.asked('case', nr));
	ASSERT json_array_length(k -> 'items') = 2, k;
	ASSERT k #>> '{items,0,whose}' = 'OURS' AND k #>> '{items,0,due}' = stamp(now() + interval '24 hours'), k;
	ASSERT k #>> '{items,1,whose}' = 'theirs' AND k #>> '{items,1,due}' = stamp(now() + interval '70 hours'), k;
	ASSERT k #>> '{items,1,what}' = 'notification, 72 hours from awareness' AND k #>> '{items,1,remind}' = stamp(now() + interval '46 hours'), k;
	ASSERT json_array_length(case_clocks(which)) = 2;
	ASSERT EXISTS (SELECT FROM hold WHERE object = 'case/' || nr AND until IS NULL), 'a filing holds its case';
	ASSERT EXISTS (SELECT FROM journal j WHERE j.object = 'case/' || nr AND case_journal_text(nr, j.action, j.before, j.after)
		LIKE 'clock % started: answer to the early warning of City Hospital, due %');

	-- The law's time is not paused and gets longer by a ground only.
	ASSERT test.refused('desk_clock_pause', test.asked('clock', k #>> '{items,0,id}')) LIKE '23514 the time of the law goes on%';
	ASSERT test.refused('desk_clock_extend', test.asked('clock', k #>> '{items,0,id}', 'by', '24h')) LIKE '22023 on what ground%';
	ASSERT test.refused('desk_clock_extend', test.asked('clock', k #>> '{items,0,id}', 'until', stamp(now()), 'ground', 'x')) LIKE '22023%ends later';
	ASSERT test.refused('desk_clock_met', test.asked('clock', k #>> '{items,0,id}')) LIKE '23514%cirt filing answer F%';
	BEGIN
		UPDATE clock SET due = due + interval '1 hour' WHERE id = (k #>> '{items,0,id}')::bigint;
		ASSERT false, 'it was moved without a ground';
	EXCEPTION WHEN check_violation THEN
		NULL;
	END;
	PERFORM desk_filing_extend(test.asked('filing', f ->> 'filing', 'stage', 'notification', 'by', '24h', 'ground', 'sec. 12 (3), by phone'));
	k := desk_filing_show(test.asked('filing', f ->> 'filing'));
	ASSERT k #>> '{stages,1,due}' = stamp(now() + interval '94 hours') AND k #>> '{extensions,0,ground}' = 'sec. 12 (3), by phone', k;

	-- Closing the case waits for our own answer, not for theirs.
	ASSERT (SELECT string_agg(what, ', ') FROM case_open_ends(which)) LIKE '%cirt filing answer F%';
	ASSERT test.refused('desk_filing_close', test.asked('filing', f ->> 'filing', 'outcome', 'x')) LIKE '23514 our own answer is open%';
	f := desk_filing_answer(test.asked('filing', nr, 'note', 'first advice sent'));
	ASSERT f #>> '{stages,0,answer_state}' = 'on time', f;
	ASSERT NOT EXISTS (SELECT FROM case_open_ends(which));

	-- The notification comes, and the final report counts from there.
	f := desk_filing_new(test.asked('case', nr, 'regime', 'NIS', 'stage', 'notification', 'from', 'IT head'));
	ASSERT f #>> '{stages,2,due}' = stamp(span_end(now(), '1 month', 'exact', calendar_now())), f;
	ASSERT test.refused('desk_filing_new', test.asked('case', nr, 'regime', 'NIS', 'stage', 'early-warning')) LIKE '23514 filing F% has its early-warning already%';
	ASSERT test.refused('desk_filing_new', test.asked('case', nr, 'regime', 'NIS', 'stage', 'middle')) LIKE '22023 NIS has no stage "middle"%';
	ASSERT test.refused('desk_filing_new', test.asked('case', nr, 'regime', 'GDPR')) LIKE 'P0002 there is no regime "GDPR"; there is: NIS, TEL';
	ASSERT test.refused('desk_filing_new', test.asked('case', nr, 'regime', 'TEL')) LIKE '22023 since when do they know%', 'another regime is another filing';
	f := desk_filing_close(test.asked('filing', f ->> 'filing', 'outcome', 'final report not needed'));
	ASSERT f ->> 'state' = 'closed' AND f #>> '{stages,2,state}' = 'ended', f;
	ASSERT test.refused('desk_filing_extend', test.asked('filing', f ->> 'filing', 'by', '1h', 'ground', 'x')) LIKE '23514%is closed%';
END $$;

-- Late is written down as it was, ours and theirs; a stage that is left out came with the next.
DO $$
DECLARE
	nr text := test.case_('late filing');
	which bigint := case_named(nr);
	f json;
BEGIN
	f := desk_filing_new(test.asked('case', nr, 'regime', 'NIS', 'stage', 'notification', 'aware', stamp(now() - interval '75 hours'),
		'received', stamp(now() - interval '25 hours'), 'from', 'counsel'));
	ASSERT f #>> '{stages,0,with}' = 'notification' AND f #>> '{stages,0,state}' = 'late' AND f #>> '{stages,1,state}' = 'on time', f;
	ASSERT f #>> '{stages,0,answer_state}' = 'OVERDUE', f;
	f := desk_filing_answer(test.asked('filing', f ->> 'filing'));
	ASSERT f #>> '{stages,0,answer_state}' = 'late', f;
	f := desk_filing_new(test.asked('case', nr, 'regime', 'NIS', 'stage', 'final', 'from', 'counsel'));
	ASSERT f #>> '{stages,2,state}' = 'on time', f;
	ASSERT test.refused('desk_filing_new', test.asked('case', nr, 'regime', 'TEL', 'aware', stamp(now() + interval '1 hour'))) LIKE '22023 they know first%';
	ASSERT (SELECT (g.received, g.late, g.answered, g.answered_late) = (2, 1, 2, 1) FROM filing_figures g
		WHERE g.regime = 'NIS' AND g.stage = 'early-warning' AND g.month = date_trunc('month', now(), 'UTC')), 'figures';
END $$;

-- A regime that changes leaves what has begun alone.
RESET ROLE;
SET ROLE cirt_owner;
DO $$
DECLARE
	nr text := test.case_('older law');
	which bigint := case_named(nr);
	f json;
BEGIN
	f := desk_filing_new(test.asked('case', nr, 'regime', 'TEL', 'aware', stamp(now())));
	UPDATE regime SET current = false WHERE name = 'TEL';
	INSERT INTO regime (name, version, body) VALUES ('TEL', 2, '{}');
	INSERT INTO regime_stage SELECT id, 1, 'report', 'report', 'theirs', 'aware', '1 hour', 'exact', '', '', '' FROM regime WHERE name = 'TEL' AND version = 2;
	f := desk_filing_new(test.asked('case', nr, 'regime', 'TEL', 'stage', 'report'));
	ASSERT f ->> 'version' = '1' AND f #>> '{stages,0,within}' = '4 hours' AND f #>> '{stages,0,state}' = 'on time', f;
	f := desk_filing_new(test.asked('case', test.case_('newer law'), 'regime', 'TEL', 'aware', stamp(now())));
	ASSERT f ->> 'version' = '2' AND f #>> '{stages,0,within}' = '1 hour', f;
	-- They knew earlier than was said.
	f := desk_filing_set(test.asked('filing', f ->> 'filing', 'aware', stamp(now() - interval '3 hours')));
	ASSERT f #>> '{stages,0,due}' = stamp(now() - interval '2 hours') AND f #>> '{stages,0,state}' = 'overdue', f;
END $$;

-- ---- alarms ----

-- Before and at a breach each is said once, to whoever has the case, and is over when it is met.
RESET ROLE;
DO $$
DECLARE
	nr text := test.case_('alarms');
	which bigint := case_named(nr);
	f json;
	k record;
BEGIN
	PERFORM keeper_clocks(1000); -- of the tests before
	UPDATE alarm SET ended = now() WHERE kind LIKE 'clock-%';
	f := desk_filing_new(test.asked('case', nr, 'regime', 'NIS', 'stage', 'early-warning', 'aware', stamp(now())));
	ASSERT (SELECT (c.warned, c.breached) = (0, 0) FROM keeper_clocks(1000) c);
	PERFORM test.later(nr, '20 hours 1 minute');
	ASSERT (SELECT (c.warned, c.breached) = (1, 0) FROM keeper_clocks(1000) c);
	ASSERT test.alarms('clock-near') LIKE 'op4: ' || nr || ' our answer to the early warning of City Hospital is due %(NIS)%', test.alarms('clock-near');
	ASSERT (SELECT (c.warned, c.breached) = (0, 0) FROM keeper_clocks(1000) c), 'said twice';
	PERFORM test.later(nr, '4 hours');
	ASSERT (SELECT (c.warned, c.breached) = (0, 1) FROM keeper_clocks(1000) c);
	ASSERT test.alarms('clock-near') IS NULL AND test.alarms('clock-breached') LIKE '%was due%';
	ASSERT (SELECT (c.warned, c.breached) = (0, 0) FROM keeper_clocks(1000) c), 'said twice';
	ASSERT (SELECT count(*) FROM alarm WHERE subject IN (SELECT 'clock ' || id FROM clock WHERE case_id = which) AND count > 1) = 0;
	ASSERT desk_clock_list(test.asked('case', nr, 'breached', 'true')) #>> '{items,0,state}' = 'breached';
	PERFORM desk_filing_answer(test.asked('filing', f ->> 'filing'));
	ASSERT test.alarms('clock-breached') IS NULL, 'it is over';
	ASSERT desk_clock_list(test.asked('case', nr, 'breached', 'true', 'all', 'true')) #>> '{items,0,state}' = 'met late';
	-- What is given more time is said anew.
	PERFORM test.later(nr, '30 hours');
	ASSERT (SELECT (c.warned, c.breached) = (1, 0) FROM keeper_clocks(1000) c), 'their notification is near';
	PERFORM desk_filing_extend(test.asked('filing', f ->> 'filing', 'by', '10 days', 'ground', 'sec. 12'));
	ASSERT test.alarms('clock-near') IS NULL;
	PERFORM test.later(nr, '240 hours');
	ASSERT (SELECT (c.warned, c.breached) = (1, 0) FROM keeper_clocks(1000) c);
END $$;

-- ---- service clocks, and waiting ----

DO $$
DECLARE
	nr text := test.case_('service');
	which bigint := case_named(nr);
	k json;
	c clock;
	w json;
BEGIN
	k := desk_clock_new(test.asked('case', nr, 'what', 'second mail to hoster', 'within', '8 business hours', 'warn', '1 h'));
	ASSERT k ->> 'regime' = 'service, business hours' AND k ->> 'whose' = 'ours', k;
	SELECT * INTO c FROM clock WHERE id = (k ->> 'id')::bigint;
	ASSERT c.due = calendar_add(c.calendar, now(), 8 * 3600);
	-- It stands while the case waits, and has as much left afterwards.
	w := desk_case_wait(test.asked('number', nr, 'for', 'hoster', 'until', stamp(now() + interval '2 days')));
	ASSERT w ->> 'state' = 'waiting' AND w ->> 'paused' = '1', w;
	ASSERT (SELECT seconds_left = 8 * 3600 FROM clock WHERE id = c.id);
	ASSERT desk_clock_list(test.asked('case', nr)) #>> '{items,0,what}' = 'hoster: ask again (waiting)';
	PERFORM case_move(nr, 'open', '', '');
	ASSERT (SELECT paused IS NULL AND due = calendar_add(calendar, now(), 8 * 3600) AND due - warn_at = interval '1 hour' FROM clock WHERE id = c.id);
	ASSERT (SELECT ended_by = 'person' FROM case_wait WHERE case_id = which);
	-- What a person has paused stays so.
	PERFORM desk_clock_pause(test.asked('clock', c.id::text, 'reason', 'their turn'));
	PERFORM desk_case_wait(test.asked('number', nr, 'for', 'hoster', 'until', stamp(now() + interval '2 days')));
	PERFORM case_move(nr, 'open', '', '');
	ASSERT (SELECT paused IS NOT NULL FROM clock WHERE id = c.id);
	ASSERT (SELECT (e.warned, e.breached) = (0, 0) FROM keeper_clocks(1000) e), 'a paused clock is never over';
	PERFORM desk_clock_resume(test.asked('clock', c.id::text));
	ASSERT test.refused('desk_clock_resume', test.asked('clock', c.id::text)) LIKE '23514%is not paused';
	PERFORM desk_clock_met(test.asked('clock', c.id::text, 'reason', 'sent'));
	ASSERT test.refused('desk_clock_met', test.asked('clock', c.id::text)) LIKE '23514%has ended: sent';
	-- Closing ends what is left of them.
	k := desk_clock_new(test.asked('case', nr, 'what', 'look again', 'within', '3 days', 'theirs', 'true'));
	PERFORM case_move(nr, 'resolved', '', '');
	PERFORM case_move(nr, 'closed', '', 'resolved');
	ASSERT (SELECT ended IS NOT NULL AND met IS NULL FROM clock WHERE id = (k ->> 'id')::bigint);
	ASSERT test.refused('desk_clock_new', test.asked('case', nr, 'what', 'x', 'within', '1 h')) LIKE '23514 no clock starts%';
END $$;

-- A case comes back by the date, to where it was, and says why.
DO $$
DECLARE
	nr text := test.case_('waits for a date');
	which bigint := case_named(nr);
BEGIN
	PERFORM case_move(nr, 'contained', '', '');
	PERFORM desk_case_wait(test.asked('number', nr, 'for', 'police', 'until', stamp(now() + interval '2 days')));
	ASSERT (SELECT back = 0 FROM keeper_clocks(1000));
	PERFORM test.later(nr, '2 days 1 second');
	ASSERT (SELECT back = 1 FROM keeper_clocks(1000));
	ASSERT (SELECT state = 'contained' AND reason LIKE 'no answer of police until %' FROM cases WHERE number = nr);
	ASSERT (SELECT ended_by = 'date' FROM case_wait WHERE case_id = which);
	ASSERT (SELECT back = 0 FROM keeper_clocks(1000));
	ASSERT (waits_today(test.asked('for', 'all')) -> 'back')::text LIKE '%' || nr || '%';
	ASSERT test.refused('desk_case_wait', test.asked('number', nr, 'for', 'police', 'until', stamp(now() - interval '1 hour'))) LIKE '22023 until:%over already';
	ASSERT test.refused('desk_case_wait', test.asked('number', nr, 'until', stamp(now() + interval '1 hour'))) LIKE '22023 for whom%';
	ASSERT test.refused('desk_case_wait', test.asked('number', nr, 'for', 'police')) LIKE '22023 until when%';
END $$;

-- An answer of the party brings it back; a mail of somebody else does not. Where nobody is known to be it, any mail does.
DO $$
DECLARE
	nr text := test.case_('waits for a party');
	m text := test.case_('waits for words');
	which bigint := case_named(nr);
BEGIN
	INSERT INTO party (case_id, role, name, contact) VALUES (which, 'hoster', 'Hoster Ltd', 'abuse@hoster-wait.example');
	PERFORM desk_case_wait(test.asked('number', nr, 'for', 'hoster', 'until', stamp(now() + interval '2 days')));
	PERFORM desk_case_wait(test.asked('number', m, 'for', 'somebody who knows', 'until', stamp(now() + interval '2 days')));
	INSERT INTO case_letter (item, case_id, way, known, sender) VALUES (101, which, 'tag', true, 'citizen@elsewhere.example');
	ASSERT (SELECT back = 0 FROM keeper_clocks(1000)), 'a citizen is not the hoster';
	INSERT INTO case_letter (item, case_id, way, known, sender) VALUES (102, which, 'reference', true, 'abuse@hoster-wait.example'),
		(103, case_named(m), 'reference', false, 'who@anywhere.example');
	ASSERT (SELECT back = 2 FROM keeper_clocks(1000));
	ASSERT (SELECT state = 'open' AND reason LIKE 'hoster has answered: mail %' FROM cases WHERE number = nr);
	ASSERT (SELECT ended_by = 'answer' AND letter = 102 FROM case_wait WHERE case_id = which);
	ASSERT EXISTS (SELECT FROM journal j WHERE j.object = 'case/' || nr AND j.action = 'update' AND after::jsonb ->> 'reason' LIKE 'hoster has answered%');
	-- What came before it waited is no answer.
	PERFORM test.later(nr, '1 hour');
	UPDATE case_letter SET added = added - interval '1 hour' WHERE case_id = which;
	PERFORM desk_case_wait(test.asked('number', nr, 'for', 'hoster', 'until', stamp(now() + interval '2 days')));
	ASSERT (SELECT back = 0 FROM keeper_clocks(1000)), 'an old mail';
END $$;

-- What stands in the tables follows the journal.
DO $$
BEGIN
	ASSERT NOT EXISTS (SELECT FROM audit_journal()), (SELECT string_agg(object || ' ' || problem, ', ') FROM audit_journal());
END $$;

-- What people read in the journal of a case, and that none of these functions is anybody's.
DO $$
DECLARE
	nr text := test.case_('told');
	which bigint := case_named(nr);
	f json;
	told text;
BEGIN
	f := desk_filing_new(test.asked('case', nr, 'regime', 'NIS', 'stage', 'early-warning', 'aware', stamp(now() - interval '25 hours'), 'from', 'a phone'));
	PERFORM desk_filing_extend(test.asked('filing', f ->> 'filing', 'answer', 'true', 'by', '1 h', 'ground', 'sec. 9'));
	PERFORM desk_filing_answer(test.asked('filing', f ->> 'filing', 'note', 'advice'));
	PERFORM desk_case_wait(test.asked('number', nr, 'for', 'police', 'until', stamp(now() + interval '2 days')));
	PERFORM case_move(nr, 'open', '', '');
	SELECT string_agg(case_journal_text(nr, j.action, j.before, j.after), E'\n' ORDER BY j.n) INTO told FROM journal j WHERE j.object = 'case/' || nr;
	ASSERT told LIKE E'%filing F% of City Hospital under NIS begun, they know since %clock % started: early warning, 24 hours from awareness, due %'
		'filing F%: early-warning received late (a phone)%clock % met late: early warning%clock % extended: answer to the early warning %(sec. 9)%'
		'filing F%: early-warning answered (advice)%clock % met: answer%waits for police until %waits for police no more: a person moved it%', told;
	ASSERT told !~ '(^|\n)(clock|filing_stage|case_wait|clock_extension)( update)?(\n|$)', told;
	ASSERT NOT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace s ON s.oid = p.pronamespace WHERE s.nspname = 'cirt'
		AND p.proname ~ '^(calendar_|span_|clock_|filing_|playbook_|regime_|sheet_|desk_(clock|filing|regime|playbook)_|keeper_(clocks|waits|house)|case_(begun|playbooks|who|aware|shown|opened))'
		AND has_function_privilege('cirt_courier', p.oid, 'EXECUTE')), 'somebody else may call them';
END $$;

-- What was changed behind the triggers, as this test does to let time go by, the audit finds.
DO $$
BEGIN
	ASSERT EXISTS (SELECT FROM audit_verify() a WHERE a.problem LIKE 'clock % is not what the journal says: due, started%'), 'clocks';
	ASSERT EXISTS (SELECT FROM audit_verify() a WHERE a.problem LIKE 'filing_stage % is not what the journal says%'), 'stages';
	ASSERT NOT EXISTS (SELECT FROM audit_verify() a WHERE a.problem LIKE 'clock_extension %' OR a.problem LIKE 'calendar %');
END $$;
