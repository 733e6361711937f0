-- What is taken back is in the inbox at once, also where the sums have its line at nothing by then.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION inbox_page(ranks smallint[], of_source int, past int, most int) RETURNS SETOF inbox_line
LANGUAGE sql STABLE ROWS 50 SET search_path = cirt, pg_temp AS $$
	SELECT x.* FROM unnest(ranks) AS k(rank), LATERAL (
		(SELECT l.* FROM inbox_line l WHERE of_source IS NULL AND l.n > 0 AND l.rank = k.rank
			ORDER BY l.severity DESC, l.newest DESC LIMIT past + most)
		UNION ALL (SELECT l.* FROM inbox_line l WHERE l.source = of_source AND l.n > 0 AND l.rank = k.rank
			ORDER BY l.severity DESC, l.newest DESC LIMIT past + most)
		UNION ALL (SELECT l.* FROM (SELECT d.line, sum(d.n) AS n FROM inbox_delta d GROUP BY d.line HAVING sum(d.n) > 0) b
				JOIN inbox_line l ON l.id = b.line
			WHERE l.n <= 0 AND l.n + b.n > 0 AND l.rank = k.rank AND (of_source IS NULL OR l.source = of_source)
			ORDER BY l.severity DESC, l.newest DESC LIMIT past + most)) x
	ORDER BY x.rank, x.severity DESC, x.newest DESC OFFSET past LIMIT most
$$;
