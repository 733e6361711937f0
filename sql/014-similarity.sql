-- Near-duplicates: reports whose text or attachments are alike are linked with a score, and never folded. The store writes what a
-- report is to be found by into a queue, so that landing waits for nothing; the keeper looks for what is alike.
SET LOCAL search_path = cirt, pg_temp;

-- Two are linked from this score on (1: equal); a digest is looked for that long.
CREATE TABLE similarity_rule (
	kind text PRIMARY KEY,            -- daemon/model/similarity.c
	least real NOT NULL CHECK (least > 0 AND least <= 1),
	span interval NOT NULL CHECK (span > '0')
);
INSERT INTO similarity_rule VALUES ('text', 0.6, '90 days'), ('file', 0.5, '90 days');

CREATE TABLE similarity_queue (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	report bigint NOT NULL,
	number smallint NOT NULL,
	kind text NOT NULL,
	part text NOT NULL,               -- '' the text
	digest text NOT NULL
);

CREATE TABLE similarity (
	report bigint NOT NULL,
	number smallint NOT NULL,
	kind text NOT NULL,
	part text NOT NULL,
	digest text NOT NULL,
	PRIMARY KEY (report, number)
);

-- Whatever is alike enough has a key in common. Narrow, and asked by key only.
CREATE TABLE similarity_key (
	key bigint NOT NULL,
	report bigint NOT NULL,
	number smallint NOT NULL,
	PRIMARY KEY (key, report, number)
);

-- ssdeep compares no runs longer than three.
CREATE FUNCTION similarity_runs(hash text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT regexp_replace(hash, '(.)\1{3,}', '\1\1\1', 'g')
$$;

-- text: 16 bands of four bytes each: of two with 80 of 100 words in common nearly every pair has one, of two with 30 one in eight.
-- file: every seven characters of either hash, with its block size: ssdeep gives 0 to what has none in common. What belongs to
-- another exercise has other keys.
CREATE FUNCTION similarity_keys(kind text, digest text, exercise int) RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = cirt, pg_temp AS $$
	SELECT CASE kind
		WHEN 'text' THEN ARRAY(SELECT hashtextextended(kind || exercise || '/' || n || '/' || substr(digest, n * 8 + 1, 8), 0)
			FROM generate_series(0, 15) n)
		WHEN 'file' THEN ARRAY(SELECT DISTINCT hashtextextended(kind || exercise || '/' || h.block || '/' || substr(h.hash, n, 7), 0)
			FROM (VALUES (split_part(digest, ':', 1)::bigint, similarity_runs(split_part(digest, ':', 2))),
					(split_part(digest, ':', 1)::bigint * 2, similarity_runs(split_part(digest, ':', 3)))) h(block, hash),
				generate_series(1, length(h.hash) - 6) n)
		ELSE '{}' END
$$;

-- How many steps make one hash of another: add or take away one, or exchange one (two).
CREATE FUNCTION similarity_steps(a text, b text) RETURNS int LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
	x text[] := string_to_array(a, NULL);
	y text[] := string_to_array(b, NULL);
	above int[];
	corner int;
	beside int;
	best int;
BEGIN
	above := ARRAY(SELECT generate_series(1, cardinality(y)));
	FOR i IN 1 .. cardinality(x) LOOP
		corner := i - 1;
		beside := i;
		FOR j IN 1 .. cardinality(y) LOOP
			best := CASE WHEN x[i] = y[j] THEN corner ELSE 1 + least(beside, above[j]) END;
			corner := above[j];
			above[j] := best;
			beside := best;
		END LOOP;
	END LOOP;
	RETURN CASE WHEN cardinality(y) = 0 THEN cardinality(x) ELSE above[cardinality(y)] END;
END $$;

-- What fuzzy_compare() of libfuzzy says of two hashes of one block size, 0 to 100: small blocks prove less.
CREATE FUNCTION similarity_hashes(a text, b text, block bigint) RETURNS int LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = cirt, pg_temp AS $$
DECLARE
	score int;
BEGIN
	IF length(a) < 7 OR length(b) < 7 OR NOT EXISTS (SELECT 1 FROM generate_series(1, length(a) - 6) n
		WHERE position(substr(a, n, 7) IN b) > 0) THEN
		RETURN 0;
	END IF;
	score := 100 - (similarity_steps(a, b) * 64 / (length(a) + length(b))) * 100 / 64;
	RETURN CASE WHEN block >= (99 + 7) / 7 * 3 THEN score ELSE least(score, block / 3 * least(length(a), length(b))) END;
END $$;

CREATE FUNCTION similarity_files(a text, b text) RETURNS real LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = cirt, pg_temp AS $$
DECLARE
	x text[] := ARRAY[split_part(a, ':', 1), similarity_runs(split_part(a, ':', 2)), similarity_runs(split_part(a, ':', 3))];
	y text[] := ARRAY[split_part(b, ':', 1), similarity_runs(split_part(b, ':', 2)), similarity_runs(split_part(b, ':', 3))];
	m bigint := x[1];
	n bigint := y[1];
	score int := 0;
BEGIN
	IF x = y THEN
		score := 100;
	ELSIF m = n THEN
		score := greatest(similarity_hashes(x[2], y[2], m), similarity_hashes(x[3], y[3], m * 2));
	ELSIF m * 2 = n THEN
		score := similarity_hashes(x[3], y[2], n);
	ELSIF n * 2 = m THEN
		score := similarity_hashes(x[2], y[3], m);
	END IF;
	RETURN score / 100.0;
END $$;

-- Of 64 bytes chosen by chance one in 256 is equal though nothing else is.
CREATE FUNCTION similarity_texts(a text, b text) RETURNS real LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT greatest(0, (count(*) FILTER (WHERE substr(a, n * 2 + 1, 2) = substr(b, n * 2 + 1, 2)) / 64.0 - 1 / 256.0) / (255 / 256.0))
	FROM generate_series(0, 63) n
$$;

CREATE FUNCTION similarity_score(kind text, a text, b text) RETURNS real LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = cirt, pg_temp AS $$
	SELECT CASE kind WHEN 'text' THEN similarity_texts(a, b) WHEN 'file' THEN similarity_files(a, b) ELSE 0 END
$$;

-- Link one to its nearest: of each key the newest 50, of those the 20 with most keys in common, of those at most ten that score.
CREATE FUNCTION similarity_link(q similarity_queue, keys bigint[], rule similarity_rule) RETURNS int LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	made int;
BEGIN
	INSERT INTO report_link AS l (a, b, kind, score)
		SELECT greatest(q.report, n.report), least(q.report, n.report), 'similar', n.score FROM (
			SELECT s.report, max(similarity_score(q.kind, q.digest, s.digest)) AS score FROM (
				SELECT k.report, k.number FROM unnest(keys) AS u (key)
				CROSS JOIN LATERAL (SELECT * FROM similarity_key k WHERE k.key = u.key AND k.report <> q.report
					ORDER BY k.report DESC LIMIT 50) k
				GROUP BY k.report, k.number ORDER BY count(*) DESC, k.report DESC LIMIT 20) c
			JOIN similarity s ON s.report = c.report AND s.number = c.number AND s.kind = q.kind
			GROUP BY s.report) n
		WHERE n.score >= rule.least ORDER BY n.score DESC, n.report DESC LIMIT 10
		ON CONFLICT (a, b, kind) DO UPDATE SET score = greatest(l.score, excluded.score);
	GET DIAGNOSTICS made = ROW_COUNT;
	RETURN made;
END $$;

CREATE FUNCTION keeper_similar(batch int) RETURNS TABLE (taken int, linked int) LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	q similarity_queue;
	rule similarity_rule;
	keys bigint[];
	ids bigint[] := ARRAY(SELECT id FROM similarity_queue ORDER BY id LIMIT batch);
BEGIN
	taken := cardinality(ids);
	linked := 0;
	FOR q IN SELECT * FROM similarity_queue WHERE id = ANY (ids) ORDER BY id LOOP
		SELECT * INTO rule FROM similarity_rule r WHERE r.kind = q.kind;
		CONTINUE WHEN NOT FOUND;
		keys := similarity_keys(q.kind, q.digest, (SELECT exercise FROM report r WHERE r.id = q.report));
		linked := linked + similarity_link(q, keys, rule);
		INSERT INTO similarity VALUES (q.report, q.number, q.kind, q.part, q.digest) ON CONFLICT DO NOTHING;
		INSERT INTO similarity_key SELECT DISTINCT key, q.report, q.number FROM unnest(keys) AS u (key) WHERE key IS NOT NULL
			ON CONFLICT DO NOTHING;
	END LOOP;
	DELETE FROM similarity_queue WHERE id = ANY (ids);
	RETURN NEXT;
END $$;

-- What nothing is compared with any more goes, whole months of receipt at a time; links stay. At most `most` digests.
CREATE FUNCTION keeper_similar_expire(most int) RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	one record;
	gone int := 0;
BEGIN
	FOR one IN SELECT s.*, r.exercise FROM similarity s JOIN similarity_rule u ON u.kind = s.kind LEFT JOIN report r ON r.id = s.report
		WHERE s.report < (to_char(timezone('UTC', now()) - (SELECT min(span) FROM similarity_rule), 'YYYYMM') || '0000000000')::bigint
			AND s.report < (to_char(timezone('UTC', now()) - u.span, 'YYYYMM') || '0000000000')::bigint
		ORDER BY s.report LIMIT most
	LOOP
		DELETE FROM similarity_key k WHERE k.report = one.report AND k.number = one.number
			AND k.key = ANY (similarity_keys(one.kind, one.digest, coalesce(one.exercise, 0)));
		DELETE FROM similarity s WHERE s.report = one.report AND s.number = one.number;
		gone := gone + 1;
	END LOOP;
	RETURN gone;
END $$;

REVOKE ALL ON FUNCTION similarity_runs, similarity_keys, similarity_steps, similarity_hashes, similarity_files, similarity_texts,
	similarity_score, similarity_link, keeper_similar, keeper_similar_expire FROM PUBLIC;
GRANT EXECUTE ON FUNCTION similarity_runs, similarity_keys, similarity_steps, similarity_hashes, similarity_files, similarity_texts,
	similarity_score, similarity_link, keeper_similar, keeper_similar_expire TO cirt_keeper;
GRANT INSERT ON similarity_queue TO cirt_store;
GRANT SELECT, DELETE ON similarity_queue TO cirt_keeper;
GRANT SELECT, INSERT, DELETE ON similarity, similarity_key TO cirt_keeper;
GRANT UPDATE (score) ON report_link TO cirt_keeper;
GRANT SELECT ON similarity_rule TO cirt_keeper, cirt_desk;
GRANT SELECT ON similarity, similarity_queue TO cirt_desk;
