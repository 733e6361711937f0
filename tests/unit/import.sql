-- Files for the register: what is wrong is told by line, and work grows with the lines. It is counted in rows that are read, which no
-- load of the machine changes. A failed ASSERT ends it.
\set ON_ERROR_STOP 1
SET search_path = cirt, test, pg_temp;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET cirt.actor = 'tester';
CREATE SCHEMA test;
GRANT USAGE ON SCHEMA test TO cirt_desk;

-- Rows that this transaction has read, by index or one after the other.
CREATE FUNCTION test.visits() RETURNS bigint LANGUAGE sql VOLATILE SECURITY DEFINER AS $$
	SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_all_tables
$$;
CREATE FUNCTION test.imported(lines jsonb, f jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	fresh uuid := cirt.import_begin('{}');
BEGIN
	FOR at IN 0 .. jsonb_array_length(lines) - 1 BY 500 LOOP
		PERFORM cirt.import_rows(fresh, (SELECT jsonb_agg(lines -> n) FROM generate_series(at, least(at + 499, jsonb_array_length(lines) - 1)) n));
	END LOOP;
	RETURN cirt.import_apply(fresh, f);
END $$;
-- Of one organisation in twenty lines a prefix each, a contact in the last; a parent that stands further down.
CREATE FUNCTION test.lines(named text, net int, n int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(jsonb_build_object('line', i + 2, 'organisation', named || i / 20, 'kind', 'isp',
		'prefix', format('10.%s.%s.%s/32', net + i / 65536, i / 256 % 256, i % 256),
		'parent', CASE WHEN i % 40 = 0 AND i + 20 < n THEN named || (i / 20 + 1) ELSE '' END,
		'email', CASE i % 20 WHEN 19 THEN format('abuse@%s%s.example', named, i / 20) ELSE '' END, 'domain', format('%s%s.example', named, i)) ORDER BY i)
	FROM generate_series(0, n - 1) i
$$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO cirt_desk;
-- As on a server that has run for a day: statistics say how small it is.
ANALYZE;
SET ROLE cirt_desk;

-- A session whose plans are those of a small register takes ten times the lines with ten times the work, not with a hundred times.
DO $$
DECLARE
	of_few bigint;
	of_many bigint;
	before bigint;
	said jsonb;
BEGIN
	PERFORM test.imported(test.lines('warm', 0, 40));
	before := test.visits();
	said := test.imported(test.lines('few', 1, 400), '{"dry_run": "true"}');
	ASSERT said ->> 'applied' = 'false' AND said #>> '{counts,new}' = '840', said -> 'counts';
	ASSERT (SELECT count(*) FROM organisation WHERE name LIKE 'few%') = 0;
	of_few := test.visits() - before;
	before := test.visits();
	said := test.imported(test.lines('many', 2, 12000));
	ASSERT said ->> 'applied' = 'true' AND said #>> '{counts,new}' = '25200', said -> 'counts';
	of_many := test.visits() - before;
	ASSERT of_many / 12000 < 3 * of_few / 400, format('a line of few reads %s rows, of many %s', of_few / 400, of_many / 12000);
	said := test.imported(test.lines('many', 2, 12000));
	ASSERT said #>> '{counts,unchanged}' = '25200' AND NOT (said -> 'counts') ? 'new', said -> 'counts';
	ASSERT (SELECT count(*) FROM organisation WHERE parent IS NOT NULL AND name LIKE 'many%') = 300;
END $$;

-- Each wrong line is told, wherever it stands, and the others are not.
DO $$
DECLARE
	said jsonb;
	lines jsonb := test.lines('odd', 9, 1200);
BEGIN
	lines := jsonb_set(lines, '{7,prefix}', '"10.9.0.7/24"');
	lines := jsonb_set(lines, '{700,kind}', '"zoo"');
	lines := jsonb_set(lines, '{1199,domain}', '"-.-"');
	lines := jsonb_set(lines, '{900}', '{"line": 902, "problem": "3 fields"}');
	said := test.imported(lines);
	ASSERT said ->> 'applied' = 'false' AND (SELECT array_agg((w ->> 'line')::int) FROM jsonb_array_elements(said -> 'wrong') w) = '{9,703,902,1201}', said -> 'wrong';
	lines := jsonb_set(jsonb_set(jsonb_set(test.lines('odd', 9, 1200), '{700,kind}', '"zoo"'), '{60,parent}', '"nobody"'), '{39,email}', '"a b@c"');
	said := test.imported(lines);
	ASSERT said ->> 'applied' = 'false' AND jsonb_array_length(said -> 'wrong') = 3, said -> 'wrong';
	ASSERT said -> 'wrong' -> 0 ->> 'problem' LIKE '%no mail address%' AND said -> 'wrong' -> 1 ->> 'problem' LIKE '%no organisation "nobody"%', said -> 'wrong';
	ASSERT (SELECT count(*) FROM organisation WHERE name LIKE 'odd%') = 0;
	ASSERT NOT EXISTS (SELECT 1 FROM register_wanted) AND NOT EXISTS (SELECT 1 FROM register_outcome);
END $$;

-- Who is above himself, straight or by others.
DO $$
DECLARE
	said jsonb;
BEGIN
	said := test.imported('[{"line": 2, "organisation": "p1", "parent": "p2"}, {"line": 3, "organisation": "p2", "parent": "p3"},
		{"line": 4, "organisation": "p3", "parent": "p1"}, {"line": 5, "organisation": "p4", "parent": "P4"}]');
	ASSERT jsonb_array_length(said -> 'wrong') = 4 AND said -> 'wrong' -> 3 ->> 'problem' LIKE '%above and below itself%', said -> 'wrong';
END $$;

-- The same prefix of two at one time, in the file or with what was there; one after the other it may be.
DO $$
DECLARE
	said jsonb;
	two jsonb := '[{"line": 2, "organisation": "h1", "prefix": "192.0.2.0/24"}, {"line": 3, "organisation": "h2", "prefix": "192.0.2.0/24"}]';
BEGIN
	said := test.imported(two);
	ASSERT jsonb_array_length(said -> 'wrong') = 2 AND said -> 'wrong' -> 0 ->> 'problem' = 'h1 192.0.2.0/24: it is held by "h2" too', said -> 'wrong';
	ASSERT test.imported('[{"line": 2, "organisation": "h1", "prefix": "192.0.2.0/24", "until": "2026-01-01"},
		{"line": 3, "organisation": "h2", "prefix": "192.0.2.0/24", "from": "2026-01-01"}]') ->> 'applied' = 'true';
	said := test.imported('[{"line": 2, "organisation": "h3", "prefix": "192.0.2.0/24", "from": "2025-12-01", "until": "2025-12-02"}]');
	ASSERT said -> 'wrong' -> 0 ->> 'problem' = 'h3 192.0.2.0/24: it is held by "h1" until 2026-01-01T00:00:00.000000Z too', said -> 'wrong';
	ASSERT test.imported(two, '{"shared": "true"}') ->> 'applied' = 'true';
END $$;

-- One contact in many lines is one; of its times each is one of its own.
DO $$
DECLARE
	said jsonb;
BEGIN
	said := test.imported('[{"line": 2, "organisation": "c1", "email": "a@c1.example", "until": "2026-01-01"},
		{"line": 3, "organisation": "c1", "prefix": "192.0.2.1/32", "email": "A@c1.example", "from": "2026-02-01", "name": "Ann"},
		{"line": 4, "organisation": "c1", "prefix": "192.0.2.2/32", "email": "a@c1.example", "from": "2026-02-01", "language": "de", "name": "Ann"}]');
	ASSERT said #>> '{counts,new}' = '5', said;
	ASSERT (SELECT array_agg(name || ' ' || language ORDER BY valid) FROM contact k WHERE email ILIKE 'a@c1.example') = '{" en","Ann de"}';
	said := test.imported('[{"line": 2, "organisation": "c1", "email": "a@c1.example", "name": "Anna", "from": "2026-02-01"}]');
	ASSERT said #>> '{counts,changed}' = '1' AND said #>> '{changes,0,said}' LIKE '%name: Ann → Anna%', said;
END $$;

-- What a client left lying is forgotten.
DO $$
BEGIN
	PERFORM import_rows(import_begin('{}'), '[{"line": 2, "organisation": "left"}]');
	ASSERT import_forget('1 hour') = 0 AND import_forget('-1 second') = 1;
	ASSERT NOT EXISTS (SELECT 1 FROM register_wanted);
END $$;
