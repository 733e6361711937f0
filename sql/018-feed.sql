-- Feeds: more kinds of them, what each is told, how its pulls go, and who has fallen silent.
SET LOCAL search_path = cirt, pg_temp;

ALTER TYPE source_kind ADD VALUE 'misp';
ALTER TYPE source_kind ADD VALUE 'misp-feed';
ALTER TYPE source_kind ADD VALUE 'shadowserver';
ALTER TYPE source_format ADD VALUE 'csv';
ALTER TYPE source_format ADD VALUE 'misp';

-- What a feed is told beyond its address, texts by name; and how long it may say nothing new (0: not said).
-- The journal shows whole rows: those that stand already are said anew with what they have now.
ALTER TABLE source ADD settings jsonb CHECK (jsonb_typeof(settings) = 'object' AND octet_length(settings::text) <= 4096);
ALTER TABLE source ADD silent_seconds int CHECK (silent_seconds BETWEEN 0 AND 31536000);
UPDATE source SET settings = '{}', silent_seconds = 0;
ALTER TABLE source ALTER settings SET DEFAULT '{}', ALTER settings SET NOT NULL,
	ALTER silent_seconds SET DEFAULT 0, ALTER silent_seconds SET NOT NULL;
GRANT SELECT (settings, silent_seconds) ON source TO cirt_desk;

-- Secrets of feeds are nobody's but the exchange's: rooms that read sources read all but those.
REVOKE SELECT ON source FROM cirt_store, cirt_keeper;
GRANT SELECT (id, name, kind, enabled, restricted, may_notify_affected, tlp, pap, type, format, trust, match, exercise, settings,
	silent_seconds, interval_seconds, max_lines, max_bytes, added) ON source TO cirt_store, cirt_keeper;

-- `trouble` is a word of daemon/exchange/trouble.c, '' where the last pull went well; `delivered` is when something new came.
ALTER TABLE feed_state
	ADD trouble text NOT NULL DEFAULT '',
	ADD failures int NOT NULL DEFAULT 0,
	ADD failing_since timestamptz,
	ADD next_try timestamptz,
	ADD delivered timestamptz,
	ADD pages bigint NOT NULL DEFAULT 0;

-- Kinds that are pulled. Words, because a value that is new to an enum cannot be used in the transaction that adds it.
CREATE FUNCTION is_pulled(kind source_kind) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE SET search_path = cirt, pg_temp AS
	$$ SELECT kind::text IN ('feed', 'taxii', 'misp', 'misp-feed', 'shadowserver') $$;
GRANT EXECUTE ON FUNCTION is_pulled TO cirt_keeper, cirt_desk;

-- The exchange sees the secrets of what it pulls, and nothing else of any source.
CREATE FUNCTION feed_secrets() RETURNS TABLE (source int, auth text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS
	$$ SELECT s.id, s.auth FROM source s WHERE s.enabled AND s.auth <> '' AND is_pulled(s.kind) $$;
REVOKE SELECT (id, kind, enabled, auth) ON source FROM cirt_exchange;
GRANT EXECUTE ON FUNCTION feed_secrets TO cirt_exchange;

-- One pull has ended. `took` pages came with it; those of a pull that fails later count too.
CREATE FUNCTION feed_ended(pulled int, ended_well boolean, named_trouble text, told text, wait interval, took int) RETURNS void
LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	INSERT INTO feed_state AS f (source, tried, succeeded, problem, trouble, failures, failing_since, next_try, delivered, pages)
	VALUES (pulled, now(), CASE WHEN ended_well THEN now() END, told, named_trouble, CASE WHEN ended_well THEN 0 ELSE 1 END,
		CASE WHEN NOT ended_well THEN now() END, now() + wait, CASE WHEN took > 0 THEN now() END, took)
	ON CONFLICT (source) DO UPDATE SET tried = excluded.tried, succeeded = coalesce(excluded.succeeded, f.succeeded),
		problem = excluded.problem, trouble = excluded.trouble,
		failures = CASE WHEN ended_well THEN 0 ELSE f.failures + 1 END,
		failing_since = CASE WHEN NOT ended_well THEN coalesce(f.failing_since, now()) END,
		next_try = excluded.next_try, delivered = coalesce(excluded.delivered, f.delivered), pages = f.pages + excluded.pages
$$;
GRANT EXECUTE ON FUNCTION feed_ended TO cirt_exchange;

-- Who has fallen silent, since when, and why it is thought so.
CREATE TABLE source_silence (
	source int PRIMARY KEY REFERENCES source,
	noticed timestamptz NOT NULL DEFAULT now(),
	since timestamptz NOT NULL,
	reason text NOT NULL
);
GRANT SELECT, INSERT, DELETE ON source_silence TO cirt_keeper;
GRANT SELECT ON source_silence TO cirt_desk;

-- Said once: an alarm that was acknowledged stays so until the source has spoken again.
-- A source is silent that has told nothing new for as long as it was said to take at most; a feed also when it could not be pulled
-- for three of its intervals, an hour at least. Time in which we did not run counts for nobody: nothing is older than `running_since`.
CREATE FUNCTION keeper_silence(running_since timestamptz) RETURNS TABLE (fell text[], back text[], silent bigint, noted bigint)
LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY WITH said AS (
		SELECT b.source, max(b.said) AS last FROM books b GROUP BY b.source
	), heard AS (
		SELECT s.id, s.name, s.silent_seconds, is_pulled(s.kind) AS pulled, greatest(3 * s.interval_seconds, 3600) AS patience,
			greatest(running_since, s.added, said.last, f.delivered) AS last, greatest(running_since, s.added, f.succeeded) AS succeeded
		FROM source s LEFT JOIN said ON said.source = s.id LEFT JOIN feed_state f ON f.source = s.id
		WHERE s.enabled
	), quiet AS (
		SELECT id, name, last AS since, format('nothing new for %s s, expected every %s s',
			extract(epoch FROM now() - last)::bigint, silent_seconds) AS reason
		FROM heard WHERE silent_seconds > 0 AND last < now() - silent_seconds * interval '1 second'
		UNION ALL
		SELECT id, name, succeeded, 'it cannot be pulled'
		FROM heard WHERE pulled AND succeeded < now() - patience * interval '1 second'
			AND NOT (silent_seconds > 0 AND last < now() - silent_seconds * interval '1 second')
	), fallen AS (
		INSERT INTO source_silence (source, since, reason) SELECT id, since, reason FROM quiet
		ON CONFLICT (source) DO NOTHING RETURNING source
	), risen AS (
		DELETE FROM source_silence WHERE source NOT IN (SELECT id FROM quiet) RETURNING source
	), told AS (
		SELECT alarm_raise('feed-silent', name, id, reason) FROM quiet JOIN fallen ON source = id
	), taken_back AS (
		SELECT alarm_over('feed-silent', name) FROM source JOIN risen ON source = id
	)
	SELECT ARRAY(SELECT name || ': ' || reason FROM quiet JOIN fallen ON source = id ORDER BY name),
		ARRAY(SELECT name FROM source JOIN risen ON source = id ORDER BY name), (SELECT count(*) FROM quiet),
		(SELECT count(*) FROM told) + (SELECT count(*) FROM taken_back);
END $$;
GRANT EXECUTE ON FUNCTION keeper_silence TO cirt_keeper;
