-- News: what others did in a case and what came to it since its assignee, or who watches it, looked at it last. Written where the journal
-- is, as sums by whose act it was; a look takes it away. What a person is told costs what is new to him, however many cases there are.
SET LOCAL search_path = cirt, pg_temp;

CREATE TABLE case_news (
	operator int NOT NULL REFERENCES operator,
	case_id bigint NOT NULL REFERENCES cases,
	kind text NOT NULL CHECK (kind IN ('act', 'mail', 'reports')),
	actor text NOT NULL,              -- whose acts; '' for what came
	n bigint NOT NULL,
	since timestamptz NOT NULL,
	at timestamptz NOT NULL,          -- the last
	PRIMARY KEY (operator, case_id, kind, actor)
) WITH (fillfactor = 80);
CREATE INDEX case_news_last ON case_news (operator, at);

-- What a row of a case's journal is to people. NULL: nothing, as who read what, or that a mail has gone which was told when it was written.
CREATE FUNCTION journal_news(of_case text, action text, before text, after text) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE
		WHEN action = 'reports added' THEN 'reports'
		WHEN action LIKE 'mail from %' OR action LIKE 'report % answers a mail of it' THEN 'mail'
		WHEN action LIKE 'mails read: %' OR action LIKE 'mail N% sent' OR split_part(action, ' ', 1) = 'case_watcher' THEN NULL
		WHEN case_journal_text(of_case, action, before, after) IS NOT NULL THEN 'act' END
$$;

-- To the assignee, to whoever was until now, and to those who watch the case or what was merged into it; not to who did it.
CREATE FUNCTION journal_spreads() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	people int[];
	of_kind text;
	many bigint := 1;
	said_at timestamptz := to_timestamp(NEW.at / 1e6);
BEGIN
	SELECT * INTO c FROM cases WHERE number = substr(NEW.object, 6);
	people := ARRAY(SELECT w.operator FROM case_watcher w WHERE w.case_id = ANY (case_whole(c.id))) || c.assignee
		|| CASE WHEN NEW.action = 'update' THEN (NEW.before::jsonb ->> 'assignee')::int END;
	people := ARRAY(SELECT o.id FROM operator o WHERE o.id = ANY (people) AND o.enabled AND o.name <> NEW.actor);
	IF cardinality(people) > 0 THEN
		of_kind := journal_news(c.number, NEW.action, NEW.before, NEW.after);
		IF of_kind = 'reports' THEN
			many := coalesce((NEW.after::jsonb ->> 'count')::bigint, 1);
		END IF;
		INSERT INTO case_news AS w (operator, case_id, kind, actor, n, since, at)
			SELECT p, c.id, of_kind, CASE of_kind WHEN 'act' THEN NEW.actor ELSE '' END, many, said_at, said_at
			FROM unnest(people) AS p WHERE of_kind IS NOT NULL
			ON CONFLICT (operator, case_id, kind, actor) DO UPDATE SET n = w.n + excluded.n, at = excluded.at;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER journal_spreads AFTER INSERT ON journal FOR EACH ROW WHEN (NEW.object LIKE 'case/%') EXECUTE FUNCTION journal_spreads();

-- Who watches no more is told nothing more, unless the case is his.
CREATE FUNCTION watcher_left() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	DELETE FROM case_news n USING cases c WHERE n.operator = OLD.operator AND n.case_id = ANY (case_whole(OLD.case_id)) AND c.id = OLD.case_id
		AND c.assignee IS DISTINCT FROM OLD.operator;
	RETURN NULL;
END $$;
CREATE TRIGGER case_watcher_left AFTER DELETE ON case_watcher FOR EACH ROW EXECUTE FUNCTION watcher_left();

CREATE FUNCTION news_json(news case_news[]) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN count(*) > 0 THEN jsonb_strip_nulls(jsonb_build_object('n', sum(w.n), 'since', stamp(min(w.since)), 'last', stamp(max(w.at)),
		'mails', sum(w.n) FILTER (WHERE w.kind = 'mail'), 'reports', sum(w.n) FILTER (WHERE w.kind = 'reports'),
		'by', jsonb_agg(jsonb_build_object('who', w.actor, 'n', w.n) ORDER BY w.n DESC, w.actor) FILTER (WHERE w.kind = 'act'))) END
	FROM unnest(news) AS w
$$;

-- Of a case: how much is new to this operator. NULL: nothing.
CREATE FUNCTION news_count(of_case bigint, who text) RETURNS bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT sum(w.n)::bigint FROM case_news w WHERE w.operator = (SELECT id FROM operator WHERE name = who) AND w.case_id = of_case
$$;

-- He looks at the case: what was new to him until now, and is no more. What is being written meanwhile stays new; nobody waits for it.
CREATE FUNCTION case_looked(of_case bigint, who text) RETURNS jsonb LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	WITH mine AS MATERIALIZED (SELECT w.operator, w.case_id, w.kind, w.actor FROM case_news w WHERE w.operator = (SELECT id FROM operator WHERE name = who)
			AND w.case_id = ANY (case_whole(of_case)) FOR UPDATE SKIP LOCKED),
	gone AS (DELETE FROM case_news w USING mine m WHERE w.operator = m.operator AND w.case_id = m.case_id AND w.kind = m.kind AND w.actor = m.actor
			RETURNING w.operator, w.case_id, w.kind, w.actor, w.n, w.since, w.at)
	SELECT news_json(array_agg(ROW(g.operator, g.case_id, g.kind, g.actor, g.n, g.since, g.at)::case_news)) FROM gone g
$$;

-- {operator, role}: the cases with news for whoever asks, the last three by name. Of the newest 500 sums: older ones are behind them.
CREATE FUNCTION news_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH late AS MATERIALIZED (SELECT * FROM case_news w WHERE w.operator = (SELECT id FROM operator WHERE name = p ->> 'operator')
			ORDER BY w.at DESC LIMIT 500),
	each AS MATERIALIZED (SELECT c.number, c.title, c.exercise, max(l.at) AS at, array_agg(l::case_news) AS news FROM late l JOIN cases c ON c.id = l.case_id
		WHERE p ->> 'role' IN ('lead', 'admin') OR NOT (c.restricted OR c.tlp = 'red' OR c.merged_into IS NOT NULL) OR case_may_see(c.id, p ->> 'operator')
		GROUP BY c.id)
	SELECT json_build_object('cases', (SELECT count(*) FROM each), 'items', (SELECT coalesce(jsonb_agg(jsonb_build_object('case', e.number, 'title', e.title)
			|| CASE WHEN e.exercise <> 0 THEN '{"exercise": true}'::jsonb ELSE '{}' END || news_json(e.news) ORDER BY e.at DESC, e.number), '[]')
		FROM (SELECT * FROM each ORDER BY at DESC, number LIMIT 3) e))
$$;

-- As before; and he has looked at it.
CREATE OR REPLACE FUNCTION desk_case_read(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_asked(p);
BEGIN
	PERFORM case_letters_seen(id) FROM unnest(case_whole(which)) AS id;
	PERFORM case_looked(which, p ->> 'operator');
	RETURN case_brief_json(which);
END $$;

REVOKE ALL ON FUNCTION journal_news, journal_spreads, watcher_left, news_json, news_count, case_looked, news_today FROM PUBLIC;
GRANT EXECUTE ON FUNCTION news_json, news_count, case_looked, news_today TO cirt_desk;
GRANT SELECT ON case_news TO cirt_desk;
