-- What became of everything in an entry, for whoever asks by what its sender was told: day, spool and sequence, or a line of a
-- sensor's session.
SET LOCAL search_path = cirt, pg_temp;

-- What was folded: per item its number (4 bytes) and the report or item that it went into (8 bytes), both big-endian.
ALTER TABLE ledger ADD folds bytea NOT NULL DEFAULT '';

-- Re-runs are few. Of lines of sessions there is one row per entry; values are numbers without leading zeros, so that length and
-- text order them.
CREATE INDEX ledger_rerun ON ledger (rerun) WHERE rerun IS NOT NULL;
CREATE INDEX ledger_session ON ledger (bookmark_owner, length(bookmark_value), bookmark_value)
	WHERE bookmark_owner LIKE 'session/%';

CREATE FUNCTION entry_number(day date, spool uuid, sequence bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT to_char(day, 'YYYYMMDD') || '-' || left(spool::text, 8) || '-' || sequence
$$;

CREATE FUNCTION entry_folds(folds bytea) RETURNS TABLE (item int, into_id bigint) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT ('x' || encode(substr(folds, n * 12 + 1, 4), 'hex'))::bit(32)::int,
		('x' || encode(substr(folds, n * 12 + 5, 8), 'hex'))::bit(64)::bigint
	FROM generate_series(0, length(folds) / 12 - 1) n
$$;

-- An entry's day and sequence, and the first eight digits of its spool: the whole key, or nothing.
CREATE FUNCTION entry_find(of_day date, prefix text, of_sequence bigint) RETURNS SETOF ledger LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	SELECT l.* FROM ledger l
	WHERE l.day = of_day AND l.sequence = of_sequence AND l.spool = (SELECT f.spool FROM ledger f WHERE f.day = of_day
		AND f.spool BETWEEN (prefix || '-0000-0000-0000-000000000000')::uuid AND (prefix || '-ffff-ffff-ffff-ffffffffffff')::uuid
		ORDER BY f.spool LIMIT 1)
$$;

-- The entry that holds line `line` of a sensor's session, whichever source that is.
CREATE FUNCTION entry_of_line(session uuid, line bigint) RETURNS SETOF ledger LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	SELECT l.* FROM source s CROSS JOIN LATERAL (SELECT k.* FROM ledger k
		WHERE k.bookmark_owner = 'session/' || s.id || '/' || session AND k.bookmark_owner LIKE 'session/%'
			AND (length(k.bookmark_value), k.bookmark_value) >= (length(line::text), line::text)
		ORDER BY length(k.bookmark_value), k.bookmark_value LIMIT 1) l
	WHERE s.kind = 'sensor' LIMIT 1
$$;

-- What became of each item, those after `after` in the order of the entry; item -1: the entry as such. id: of the report or item,
-- or of what it was folded into, or the row of quarantine. What retention has taken does not come.
CREATE FUNCTION entry_items(of_day date, of_spool uuid, of_sequence bigint, after int, most int)
RETURNS TABLE (item int, became text, id bigint) LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH l AS (SELECT * FROM ledger k WHERE k.day = of_day AND k.spool = of_spool AND k.sequence = of_sequence)
	(SELECT r.item, 'report', r.id FROM l, report r WHERE r.id BETWEEN l.first_id AND l.last_id
		AND r.spool = of_spool AND r.sequence = of_sequence AND r.item > after ORDER BY r.item LIMIT most)
	UNION ALL (SELECT i.item, i.kind::text, i.id FROM l, item i WHERE i.id BETWEEN l.first_id AND l.last_id
		AND i.spool = of_spool AND i.sequence = of_sequence AND i.item > after ORDER BY i.item LIMIT most)
	UNION ALL (SELECT f.item, 'folded', f.into_id FROM l, entry_folds(l.folds) f WHERE f.item > after ORDER BY f.item LIMIT most)
	UNION ALL (SELECT coalesce(q.item, -1), 'quarantined', q.id FROM quarantine q
		WHERE q.spool = of_spool AND q.sequence = of_sequence AND q.day = of_day AND coalesce(q.item, -1) > after
		ORDER BY 1 LIMIT most)
	ORDER BY 1 LIMIT most
$$;

REVOKE ALL ON FUNCTION entry_number, entry_folds, entry_find, entry_of_line, entry_items FROM PUBLIC;
GRANT EXECUTE ON FUNCTION entry_number, entry_folds, entry_find, entry_of_line, entry_items TO cirt_desk;
