-- What is looked at again is found by where it stands, however much there is: plans are made for the lot that is asked for.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION rescan_pieces(spools uuid[], lows bigint[], highs bigint[], until timestamptz, events boolean, after bigint, most int)
RETURNS TABLE (report bigint, kind text, month int, digest bytea, size bigint, name text, type text, kept boolean)
LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
	ends bigint := (to_char(timezone('UTC', until), 'YYYYMM')::bigint + 1) * 10000000000;
BEGIN
	RETURN QUERY WITH span AS MATERIALIZED (SELECT * FROM unnest(spools, lows, highs) AS u (spool, low, high)),
	ids AS MATERIALIZED (SELECT x.id FROM (
			(SELECT DISTINCT a.report AS id FROM attachment a WHERE a.report > after AND a.report < ends ORDER BY 1 LIMIT most)
			UNION (SELECT r.id FROM report r WHERE events AND r.id > after AND r.id < ends AND r.doc <> '' ORDER BY 1 LIMIT most)) x
		ORDER BY 1 LIMIT most),
	files AS MATERIALIZED (SELECT DISTINCT ON (a.report, a.digest) a.report, a.month, a.digest, a.size, a.name, a.media_type, e.digest IS NOT NULL AS kept,
			a.media_type = 'message/rfc822' AND a.name = 'message.eml' AS mail, a.media_type = 'message/rfc822' AND a.name LIKE '% opened.eml' AS opened
		FROM ids i JOIN attachment a ON a.report = i.id JOIN span s ON s.spool = a.spool AND a.sequence BETWEEN s.low AND s.high
			LEFT JOIN evidence e ON e.month = a.month AND e.digest = a.digest
		ORDER BY a.report, a.digest, a.number),
	mails AS MATERIALIZED (SELECT f.report FROM files f WHERE f.mail AND f.kept GROUP BY f.report)
	SELECT f.report, CASE WHEN f.mail OR f.opened THEN 'mail' ELSE 'file' END, f.month, f.digest, f.size, f.name, f.media_type, f.kept
		FROM files f WHERE NOT f.kept OR f.mail OR f.opened OR NOT EXISTS (SELECT FROM mails m WHERE m.report = f.report)
	UNION ALL SELECT r.id, 'event', NULL::int, NULL::bytea, octet_length(r.doc)::bigint, 'doc', '', true FROM ids i JOIN report r ON r.id = i.id AND events AND r.doc <> ''
		JOIN span s ON s.spool = r.spool AND r.sequence BETWEEN s.low AND s.high
	UNION ALL SELECT max(i.id), '', NULL::int, NULL::bytea, 0::bigint, '', '', false FROM ids i HAVING count(*) > 0;
END $$;
