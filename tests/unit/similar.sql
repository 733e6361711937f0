-- What links near-duplicates, each block a test; run as cirt_keeper after rows made by the owner. A failed ASSERT ends it.
\set ON_ERROR_STOP 1
SET search_path = cirt, test, pg_temp;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA test;
GRANT ALL ON SCHEMA test TO cirt_owner, cirt_keeper;
SET ROLE cirt_owner;

-- A report with one digest, queued as the store does it.
CREATE FUNCTION test.land(of_kind text, of_digest text, of_exercise int DEFAULT 0, old interval DEFAULT '0') RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	month int := to_char(timezone('UTC', now()) - old, 'YYYYMM')::int;
	fresh bigint;
BEGIN
	PERFORM partition_month(month);
	fresh := (SELECT * FROM report_ids(month, 1));
	INSERT INTO report SELECT fresh, now(), now(), 1, NULL, 0, gen_random_uuid(), gen_random_uuid(), s.id, 0, of_exercise, NULL,
			0, 'phishing', 'amber', 'amber', 50, 50, 50, 1, 'r', 'k', '', '', '', '', 'title', '', '', '{}', '{}', '{}', '{}'
		FROM source s WHERE s.name = 'phish';
	INSERT INTO similarity_queue (report, number, kind, part, digest) VALUES (fresh, 0, of_kind, '', of_digest);
	RETURN fresh;
END $$;
-- A text digest that shares `equal` of its 64 bytes with all zeros.
CREATE FUNCTION test.text_digest(equal int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(CASE WHEN n <= equal THEN '00' ELSE 'ff' END, '' ORDER BY n) FROM generate_series(1, 64) n
$$;
INSERT INTO exercise (id, name) VALUES (7, 'blue');
CREATE TABLE test.seen (name text PRIMARY KEY, id bigint);
GRANT ALL ON test.seen TO cirt_keeper;
GRANT EXECUTE ON FUNCTION test.land, test.text_digest TO cirt_keeper;

\echo test_scores_are_those_of_ssdeep
SET ROLE cirt_keeper;
DO $$
DECLARE
	a text := '1536:icbWxE6peEC8J93Z9+gK91ZWv/8+32YQD1Vl3:icb7SeEj93KgKJK/8y9QD1Vl3';
	twice text := '3072:icb7SeEj93KgKJK/8y9QD1VlUuSK8UefH9JIPSLcAmmwactodG:icb7SeEjw3m9QT17evKIczaUoQ';
	half text := '768:naH2Tba6e4QxaT+gKlABebJZWveT+ePDNjdO32Mu5bmOS4lwO:n93Z9+gK91ZWv/8+32YQx';
	other text := '1536:ESqTSa1TeEC8C9l4Z+gKJmZWFupkC32r7+TVe5:ESqtJeEU9lJgKuMuppC7+TVe5';
	small text := '6:reQ5QpWl7JMoR2nplg7vZNXNpy/KWEMkf67mX6WkVLyn:reBWkgfNpsKPTf6ZRy';
	smaller text := '6:reQkkqQpWl7JMoR2nplg7vZNXNpy/KWEMkf67mX6WkVLyn:reINWkgfNpsKPTf6ZRy';
BEGIN
	-- The numbers are what fuzzy_compare() says.
	ASSERT round(similarity_files(a, twice) * 100) = 65, similarity_files(a, twice)::text;
	ASSERT round(similarity_files(twice, a) * 100) = 65;
	ASSERT round(similarity_files(a, half) * 100) = 66, similarity_files(a, half)::text;
	ASSERT round(similarity_files(small, smaller) * 100) = 88, similarity_files(small, smaller)::text;
	ASSERT similarity_files(a, other) = 0 AND similarity_files(twice, half) = 0;
	ASSERT similarity_files(a, a) = 1 AND similarity_files('3::', '3::') = 1;
	ASSERT similarity_keys('file', a, 0) && similarity_keys('file', twice, 0), 'what scores has a key in common';
	ASSERT similarity_keys('file', a, 0) && similarity_keys('file', half, 0);
	ASSERT NOT similarity_keys('file', a, 0) && similarity_keys('file', other, 0);
	ASSERT similarity_keys('file', '3::', 0) = '{}';
	ASSERT similarity_steps('kitten', 'sitting') = 5 AND similarity_steps('', 'ab') = 2 AND similarity_steps('ab', '') = 2;
END $$;

\echo test_alike_texts_are_linked_with_a_score_and_others_are_not
SET ROLE cirt_owner;
INSERT INTO seen VALUES ('first', test.land('text', test.text_digest(64)));
INSERT INTO seen VALUES ('near', test.land('text', test.text_digest(56)));
INSERT INTO seen VALUES ('far', test.land('text', test.text_digest(12)));
INSERT INTO seen VALUES ('drill', test.land('text', test.text_digest(64), 7));
SET ROLE cirt_keeper;
DO $$
DECLARE
	did record;
BEGIN
	SELECT * INTO did FROM keeper_similar(100);
	ASSERT did.taken = 4 AND did.linked = 1, did::text;
	ASSERT (SELECT a = (SELECT id FROM seen WHERE name = 'near') AND b = (SELECT id FROM seen WHERE name = 'first')
		AND round(score::numeric, 2) = 0.87 AND actor = session_user FROM report_link WHERE kind = 'similar');
	ASSERT (SELECT count(*) FROM similarity) = 4 AND (SELECT count(*) FROM similarity_queue) = 0;
	ASSERT (SELECT taken FROM keeper_similar(100)) = 0;
END $$;

\echo test_the_order_of_the_queue_does_not_matter
SET ROLE cirt_owner;
INSERT INTO seen SELECT n, test.land('file', '1536:icbWxE6peEC8J93Z9+gK91ZWv/8+32YQD1Vl3:icb7SeEj93KgKJK/8y9QD1Vl3')
	FROM unnest('{older,newer}'::text[]) n;
CREATE TABLE test.put_off AS SELECT * FROM similarity_queue WHERE report = (SELECT id FROM seen WHERE name = 'older');
DELETE FROM similarity_queue WHERE report IN (SELECT report FROM put_off);
SET ROLE cirt_keeper;
DO $$ BEGIN ASSERT (SELECT taken = 1 AND linked = 0 FROM keeper_similar(100)); END $$;
SET ROLE cirt_owner;
INSERT INTO similarity_queue (report, number, kind, part, digest) SELECT report, number, kind, part, digest FROM put_off;
SET ROLE cirt_keeper;
DO $$
BEGIN
	ASSERT (SELECT linked FROM keeper_similar(100)) = 1;
	ASSERT (SELECT score = 1 FROM report_link WHERE a = (SELECT id FROM seen WHERE name = 'newer')
		AND b = (SELECT id FROM seen WHERE name = 'older')), 'a is the newer by its id';
END $$;

\echo test_what_is_everywhere_links_ten_at_most
SET ROLE cirt_owner;
SELECT count(*) FROM (SELECT test.land('text', repeat('5a', 64)) FROM generate_series(1, 200)) n \g /dev/null
SET ROLE cirt_keeper;
DO $$
BEGIN
	ASSERT (SELECT taken FROM keeper_similar(1000)) = 200;
	ASSERT (SELECT max(n) FROM (SELECT count(*) AS n FROM report_link WHERE kind = 'similar' GROUP BY a) c) = 10;
END $$;

\echo test_old_digests_go_and_links_stay
SET ROLE cirt_owner;
INSERT INTO seen VALUES ('old', test.land('text', repeat('1234', 32), 0, '200 days'));
INSERT INTO seen VALUES ('young', test.land('text', repeat('1234', 32)));
SET ROLE cirt_keeper;
DO $$
DECLARE
	kept int := (SELECT count(*) FROM similarity);
	old bigint := (SELECT id FROM seen WHERE name = 'old');
BEGIN
	ASSERT (SELECT linked FROM keeper_similar(1000)) = 1;
	ASSERT keeper_similar_expire(1000) = 1 AND keeper_similar_expire(1000) = 0;
	ASSERT (SELECT count(*) FROM similarity) = kept + 1;
	ASSERT NOT EXISTS (SELECT 1 FROM similarity_key WHERE report = old);
	ASSERT EXISTS (SELECT 1 FROM report_link WHERE b = old AND kind = 'similar');
END $$;
\echo similar: ok
