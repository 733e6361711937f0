-- What the day says of what came by hand: calls are a line of their own, and what was submitted is of the feeds.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION intake_today(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	midnight timestamptz := date_trunc('day', now(), 'UTC');
	today date := timezone('UTC', now())::date;
	since bigint := report_since(midnight);
BEGIN
	RETURN (WITH day AS MATERIALIZED (SELECT source, sum(entries_processed + entries_quarantined + entries_discarded) AS entries, sum(reports) AS reports,
			sum(folded) AS folded, sum(quarantined + entries_quarantined) AS quarantined FROM ledger_day WHERE day = today GROUP BY source),
		calls AS MATERIALIZED (SELECT l.source, count(*) AS entries, sum(l.reports) AS reports, sum(l.folded) AS folded,
				sum(l.quarantined + (l.disposition = 'quarantined')::int) AS quarantined
			FROM by_hand b JOIN ledger l ON l.day = today AND l.spool = b.spool AND l.sequence = b.sequence WHERE b.day = today GROUP BY l.source),
		again AS MATERIALIZED (SELECT r.source, count(*) AS n FROM report r WHERE r.received >= midnight
			AND r.id >= since AND r.id = ANY (ARRAY(SELECT DISTINCT a FROM report_link WHERE kind = 'relapse' AND a >= since LIMIT 10000))
			GROUP BY r.source),
		each AS (SELECT s.name, CASE WHEN s.kind = 'sensor' THEN 'sensors' WHEN s.kind = 'mailbox'
				AND NOT EXISTS (SELECT FROM feed_columns f WHERE f.source = s.id) THEN 'people' ELSE 'feeds' END AS lane,
				d.entries - coalesce(c.entries, 0) AS entries, d.reports - coalesce(c.reports, 0) AS reports, d.folded - coalesce(c.folded, 0) AS folded,
				greatest(d.quarantined - coalesce(c.quarantined, 0), 0) AS quarantined, coalesce(a.n, 0) AS relapses
			FROM day d JOIN source s ON s.id = d.source LEFT JOIN calls c ON c.source = d.source LEFT JOIN again a ON a.source = d.source
			WHERE d.entries > coalesce(c.entries, 0)
			UNION ALL SELECT s.name, 'calls', c.entries, c.reports, c.folded, c.quarantined, 0 FROM calls c JOIN source s ON s.id = c.source)
	SELECT coalesce(json_object_agg(lane, told), '{}') FROM (SELECT lane, json_build_object('sources', count(*),
		'first', (array_agg(name ORDER BY reports + folded DESC, name))[1:3], 'entries', sum(entries)::bigint,
		'rows', sum(reports + folded + quarantined)::bigint, 'again', sum(folded)::bigint, 'new', greatest(sum(reports) - sum(relapses), 0)::bigint,
		'relapse', sum(relapses)::bigint, 'quarantined', sum(quarantined)::bigint) AS told FROM each GROUP BY lane) l);
END $$;
