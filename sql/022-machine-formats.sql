-- What machines send besides lines; in the order of daemon/model/source.h.
SET LOCAL search_path = cirt, pg_temp;

ALTER TYPE source_format ADD VALUE 'xarf';
ALTER TYPE source_format ADD VALUE 'shadowserver';

-- A machine's statement that came by mail counts as a feed's: it has a document of its own, and nobody wrote it to be answered.
CREATE OR REPLACE FUNCTION correlation_rule_of(r report, severity int) RETURNS int LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN mode <> 'by-hand' THEN id END FROM (
		SELECT c.id, c.mode FROM correlation_rule c JOIN source s ON s.id = r.source LEFT JOIN organisation o ON o.id = r.organisation
		WHERE c.enabled AND (c.kinds IS NULL OR (CASE WHEN s.kind = 'mailbox' AND r.doc <> '' THEN 'feed' ELSE s.kind END) = ANY (c.kinds))
			AND (c.class IS NULL OR c.class = rsit_class(r.type))
			AND (c.type IS NULL OR c.type = r.type)
			AND (c.min_severity IS NULL OR c.min_severity <= coalesce(correlation_rule_of.severity, -1))
			AND (c.critical IS NULL OR c.critical = coalesce(o.critical, false))
		ORDER BY c.priority LIMIT 1) AS first
$$;
