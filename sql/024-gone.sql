-- What is no longer listed is gone: what a list leaves out that came after it. A feed that answers "not modified" says that all it listed
-- still holds, and one that is never sent whole again (TAXII, MISP) says nothing of what it does not name.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION keeper_sweep(from_page bigint, pages int, cycles int) RETURNS TABLE (next_page bigint, gone int, back int, expired int)
LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	lower tid := format('(%s,0)', from_page)::tid;
	upper tid := format('(%s,0)', from_page + pages)::tid;
BEGIN
	INSERT INTO report_status AS st (report, gone_at)
		SELECT f.report, max(f.last) FROM fingerprint f JOIN report r ON r.id = f.report JOIN source s ON s.id = r.source
			JOIN feed_state fs ON fs.source = s.id
		WHERE f.ctid >= lower AND f.ctid < upper AND s.enabled AND s.kind::text IN ('feed', 'shadowserver') AND r.rule <> 'stix-id'
			AND fs.succeeded > now() - 2 * s.interval_seconds * interval '1 second'
			-- `last` is moved only when it is older than a twentieth of the window. Shadowserver lists once a day, however often it is asked.
			AND f.last + (f.expires - f.last) / 20 + cycles * interval '1 second'
				* CASE WHEN s.kind::text = 'shadowserver' THEN greatest(s.interval_seconds, 86400) ELSE s.interval_seconds END < fs.delivered
		GROUP BY f.report ORDER BY f.report
		ON CONFLICT (report) DO UPDATE SET gone_at = excluded.gone_at, changed = now() WHERE st.gone_at IS NULL;
	GET DIAGNOSTICS gone = ROW_COUNT;
	UPDATE report_status st SET gone_at = NULL, changed = now() FROM fingerprint f
		WHERE f.ctid >= lower AND f.ctid < upper AND st.report = f.report AND st.gone_at < f.last AND st.revoked IS NULL;
	GET DIAGNOSTICS back = ROW_COUNT;
	DELETE FROM fingerprint f WHERE f.ctid >= lower AND f.ctid < upper AND f.expires < now();
	GET DIAGNOSTICS expired = ROW_COUNT;
	next_page := from_page + pages;
	IF next_page >= pg_relation_size('fingerprint') / current_setting('block_size')::bigint THEN
		next_page := 0;
	END IF;
	RETURN NEXT;
END $$;
