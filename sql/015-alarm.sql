-- What somebody at the desk must know, and stays said until an operator has seen it or it is over.
SET LOCAL search_path = cirt, pg_temp;

CREATE TABLE alarm (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind text NOT NULL CHECK (kind ~ '^[a-z0-9-]{1,40}$'), -- 'feed-drift', 'feed-silent' …
	subject text NOT NULL,            -- what it is about: the name of a source, of a source's feed
	source int REFERENCES source,     -- whose it is, where it is one's
	text text NOT NULL,               -- as last said
	count bigint NOT NULL DEFAULT 1,  -- how often it was said
	raised timestamptz NOT NULL DEFAULT now(),
	last timestamptz NOT NULL DEFAULT now(),
	ended timestamptz,
	ended_by text                     -- an operator, or NULL: it was over
);
-- One of a kind about one thing at a time: said again, it counts.
CREATE UNIQUE INDEX alarm_open ON alarm (kind, subject) WHERE ended IS NULL;
CREATE INDEX alarm_source ON alarm (source) WHERE ended IS NULL;

CREATE FUNCTION alarm_raise(of_kind text, about text, of_source int, says text) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	INSERT INTO alarm AS a (kind, subject, source, text) VALUES (of_kind, left(about, 300), of_source, left(says, 2000))
	ON CONFLICT (kind, subject) WHERE ended IS NULL
		DO UPDATE SET text = excluded.text, count = a.count + 1, last = now()
$$;

-- It is over by itself.
CREATE FUNCTION alarm_over(of_kind text, about text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	UPDATE alarm SET ended = now() WHERE kind = of_kind AND subject = left(about, 300) AND ended IS NULL
$$;

-- An operator has seen it; false where there is no such alarm, or it has ended.
CREATE FUNCTION alarm_seen(which bigint, why text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	a alarm;
BEGIN
	UPDATE alarm SET ended = now(), ended_by = actor() WHERE id = which AND ended IS NULL RETURNING * INTO a;
	IF a.id IS NULL THEN
		RETURN false;
	END IF;
	PERFORM journal_add('alarm/' || a.id, 'acknowledged', jsonb_build_object('kind', a.kind, 'subject', a.subject, 'text', a.text)::text,
		CASE WHEN why <> '' THEN jsonb_build_object('reason', why)::text END);
	RETURN true;
END $$;

-- The columns that a feed had last. A source may bring many: a mailbox gets all of Shadowserver's reports.
CREATE TABLE feed_columns (
	source int NOT NULL REFERENCES source,
	feed text NOT NULL,
	columns text[] NOT NULL,
	first timestamptz NOT NULL DEFAULT now(),
	changed timestamptz,              -- NULL: never
	changes bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (source, feed)
);

-- What a feed brought now. The order of columns says nothing: they are read by name. True: others than before, and there is an
-- alarm that names them.
CREATE FUNCTION feed_columns_seen(of_source int, of_feed text, now_columns text[]) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	was text[];
	fresh text;
	gone text;
BEGIN
	INSERT INTO feed_columns (source, feed, columns) VALUES (of_source, left(of_feed, 200), now_columns)
		ON CONFLICT DO NOTHING;
	IF FOUND THEN
		RETURN false;
	END IF;
	SELECT columns INTO was FROM feed_columns WHERE source = of_source AND feed = left(of_feed, 200) FOR UPDATE;
	SELECT string_agg(c, ', ' ORDER BY c) INTO fresh FROM (SELECT unnest(now_columns) EXCEPT SELECT unnest(was)) AS u(c);
	SELECT string_agg(c, ', ' ORDER BY c) INTO gone FROM (SELECT unnest(was) EXCEPT SELECT unnest(now_columns)) AS u(c);
	IF fresh IS NULL AND gone IS NULL THEN
		RETURN false;
	END IF;
	UPDATE feed_columns SET columns = now_columns, changed = now(), changes = changes + 1
		WHERE source = of_source AND feed = left(of_feed, 200);
	PERFORM alarm_raise('feed-drift', (SELECT name FROM source WHERE id = of_source) || ' ' || of_feed, of_source,
		'the columns of this feed have changed' || coalesce('; new: ' || fresh, '') || coalesce('; gone: ' || gone, ''));
	RETURN true;
END $$;

REVOKE ALL ON FUNCTION alarm_raise, alarm_over, alarm_seen, feed_columns_seen FROM PUBLIC;
GRANT EXECUTE ON FUNCTION feed_columns_seen TO cirt_store;
GRANT EXECUTE ON FUNCTION alarm_raise, alarm_over TO cirt_keeper, cirt_exchange;
GRANT EXECUTE ON FUNCTION alarm_seen TO cirt_desk;
GRANT SELECT ON alarm TO cirt_keeper, cirt_desk;
GRANT SELECT ON feed_columns TO cirt_desk;
