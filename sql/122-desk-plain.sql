-- Greetings by who gets a mail; what came by hand as a line of its own in the day; what starts the clocks of a law, and that it is not said yet.
SET LOCAL search_path = cirt, pg_temp;

-- ---- greetings ----

-- How a mail that a person writes begins, by whom it goes to; %s is his name. Languages are those that the templates of mails have.
CREATE TABLE greeting (
	language text NOT NULL,
	whom text NOT NULL CHECK (whom IN ('person', 'named', 'organisation', 'team')),
	words text NOT NULL,
	PRIMARY KEY (language, whom)
);
INSERT INTO greeting (language, whom, words) VALUES
	('en', 'person', 'Hello,'), ('fr', 'person', 'Bonjour,'), ('es', 'person', 'Buenos días:'),
	('en', 'named', 'Dear %s,'), ('fr', 'named', 'Bonjour %s,'), ('es', 'named', 'Hola, %s:'),
	('en', 'organisation', 'Dear colleagues at %s,'), ('fr', 'organisation', 'À l''attention de %s,'), ('es', 'organisation', 'A la atención de %s:'),
	('en', 'team', 'Dear colleagues,'), ('fr', 'team', 'Chers collègues,'), ('es', 'team', 'Estimados colegas:');
SELECT audited_sum('greeting'::regclass, '', '0');

-- who: the name of a contact or party, or of an organisation of which we know nobody by name; '': somebody of whom we know no more than an
-- address. Other teams are colleagues.
CREATE OR REPLACE FUNCTION mail_greeting(of_language text, who text) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT format(g.words, who) FROM greeting g
	WHERE g.language IN (left(of_language, 2), 'en') AND g.whom = CASE WHEN coalesce(who, '') = '' THEN 'person'
		ELSE coalesce((SELECT CASE WHEN o.kind IN ('national-cirt', 'sector-cirt') THEN 'team' ELSE 'organisation' END FROM organisation o
			WHERE lower(o.name) = lower(who) ORDER BY o.id LIMIT 1), 'named') END
	ORDER BY g.language = 'en' LIMIT 1
$$;
GRANT SELECT ON greeting TO cirt_desk, cirt_keeper;

-- ---- the day ----

CREATE INDEX by_hand_day ON by_hand (day);

-- As before; what was told by phone, by chat or in person is no feed.
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

-- ---- what starts the clocks of a law ----

-- What is yet to be said of the laws under which somebody has to file in a case that is open: those for which nothing has begun, so that no
-- clock runs; and filings whose clocks count from the opening of the case, since nobody has said since when they know. NULL: nothing.
CREATE FUNCTION case_law(of_case bigint) RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT nullif(jsonb_strip_nulls(jsonb_build_object('must_file', (SELECT jsonb_agg(r.name ORDER BY r.name) FROM regime r WHERE r.current AND r.conditions <> '{}'
			AND conditions_hold(r.conditions, c.id) AND NOT EXISTS (SELECT FROM filing f JOIN regime v ON v.id = f.regime
				WHERE f.case_id = c.id AND lower(v.name) = lower(r.name))),
		'assumed', (SELECT jsonb_agg(jsonb_build_object('filing', 'F' || f.id, 'regime', r.name, 'aware', stamp(f.aware)) ORDER BY f.id) FROM filing f
			JOIN regime r ON r.id = f.regime WHERE f.case_id = c.id AND f.aware_assumed AND f.closed IS NULL))), '{}')
	FROM cases c WHERE c.id = of_case AND c.state NOT IN ('closed', 'rejected', 'merged')
$$;

-- As before; and whose clocks count from a time that nobody has said.
CREATE OR REPLACE FUNCTION case_begun(of_case bigint) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('playbooks', (SELECT coalesce(json_agg(json_build_object('playbook', a.name, 'tasks', a.tasks, 'clocks', a.clocks,
			'filings', a.filings, 'left_out', a.left_out) ORDER BY a.name), '[]') FROM playbook_applied a WHERE a.case_id = of_case),
		'clocks', case_clocks(of_case), 'must_file', coalesce(l.law -> 'must_file', '[]'), 'assumed', coalesce(l.law -> 'assumed', '[]'))
	FROM (SELECT case_law(of_case) AS law) l
$$;

-- Since when they know, for the laws under which they have to file and that no playbook has begun with: their clocks count from there.
CREATE FUNCTION case_aware_of(named text, since timestamptz) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
BEGIN
	SELECT * INTO c FROM cases WHERE number = named;
	PERFORM filing_open(c.id, r.id, c.organisation, case_who(c.id), since, false) FROM regime r
		WHERE r.current AND r.name IN (SELECT jsonb_array_elements_text(case_law(c.id) -> 'must_file')) ORDER BY r.name;
	RETURN case_begun(c.id)::jsonb || CASE WHEN EXISTS (SELECT FROM filing f WHERE f.case_id = c.id) THEN '{}' ELSE '{"no_law": true}'::jsonb END;
END $$;

CREATE OR REPLACE FUNCTION desk_case_open(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	since timestamptz;
	opened jsonb;
BEGIN
	IF p ->> 'aware' <> '' THEN
		since := said_time('aware', p ->> 'aware');
		PERFORM case_aware(since);
	END IF;
	opened := by_hand_begin(by_hand_source(p), true);
	RETURN opened || CASE WHEN since IS NULL THEN '{}' ELSE jsonb_build_object('begun', case_aware_of(opened ->> 'case', since)) END;
END $$;

REVOKE ALL ON FUNCTION case_law, case_aware_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION case_law, case_aware_of TO cirt_desk;
GRANT EXECUTE ON FUNCTION case_law TO cirt_keeper;
