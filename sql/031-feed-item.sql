-- Items of a feed's list that could not be had (an event, a report file): each is tried again by itself while the rest goes on, and
-- given up after a while, which an operator is told.
SET LOCAL search_path = cirt, pg_temp;

CREATE TABLE feed_item (
	source int NOT NULL REFERENCES source,
	item text NOT NULL CHECK (octet_length(item) <= 400),
	version text NOT NULL,
	about text NOT NULL,              -- what the exchange needs to ask for it again
	place bigint NOT NULL,
	trouble text NOT NULL,            -- a word of daemon/exchange/trouble.c
	problem text NOT NULL,
	tries int NOT NULL,
	given_up boolean NOT NULL,
	first timestamptz NOT NULL DEFAULT now(),
	last timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (source, item)
);
GRANT SELECT ON feed_item TO cirt_desk;

-- What the exchange found. Owner's rights: it writes no alarm but this one, of a source that it pulls. `fresh`: it has just begun, and
-- knows of none that is tried still.
CREATE FUNCTION feed_items(of_source int, fresh boolean, changes jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	named text;
	lost bigint;
BEGIN
	SELECT name INTO named FROM source WHERE id = of_source AND is_pulled(kind) FOR UPDATE;
	IF named IS NULL THEN
		RETURN;
	END IF;
	DELETE FROM feed_item f WHERE f.source = of_source AND fresh AND NOT f.given_up;
	DELETE FROM feed_item f USING jsonb_to_recordset(changes) AS c(item text, taken boolean)
		WHERE f.source = of_source AND f.item = c.item AND c.taken;
	INSERT INTO feed_item AS f (source, item, version, about, place, trouble, problem, tries, given_up)
	SELECT of_source, c.item, left(c.version, 100), c.about, c.place, c.trouble, left(c.problem, 500), c.tries, c.given_up
	FROM jsonb_to_recordset(changes) AS c(item text, version text, about text, place bigint, trouble text, problem text, tries int,
		given_up boolean, taken boolean) WHERE NOT c.taken
	ON CONFLICT (source, item) DO UPDATE SET version = excluded.version, about = excluded.about, place = excluded.place,
		trouble = excluded.trouble, problem = excluded.problem, tries = excluded.tries, given_up = excluded.given_up, last = now();
	SELECT count(*) INTO lost FROM feed_item f WHERE f.source = of_source AND f.given_up;
	IF lost = 0 THEN
		PERFORM alarm_over('feed-item', named);
	ELSIF EXISTS (SELECT 1 FROM jsonb_to_recordset(changes) AS c(given_up boolean, taken boolean) WHERE c.given_up AND NOT c.taken) THEN
		PERFORM alarm_raise('feed-item', named, of_source, (SELECT format('%s of its items were given up, the last: %s (%s). See: cirt '
			'source show %s; ask for them again: cirt source pull %s --again', lost, f.item, f.problem, named, named)
			FROM feed_item f WHERE f.source = of_source AND f.given_up ORDER BY f.last DESC, f.item LIMIT 1));
	END IF;
END $$;
REVOKE ALL ON FUNCTION feed_items FROM PUBLIC;
GRANT EXECUTE ON FUNCTION feed_items TO cirt_exchange;

-- One pull has ended. `took` pages came with it; those of a pull that fails later count too. Pages that lead nowhere are an alarm at
-- once: nobody but the server's own people can mend them.
CREATE OR REPLACE FUNCTION feed_ended(pulled int, ended_well boolean, named_trouble text, told text, wait interval, took int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	named text;
BEGIN
	SELECT name INTO named FROM source WHERE id = pulled AND is_pulled(kind);
	IF named IS NULL THEN
		RETURN;
	END IF;
	INSERT INTO feed_state AS f (source, tried, succeeded, problem, trouble, failures, failing_since, next_try, delivered, pages)
	VALUES (pulled, now(), CASE WHEN ended_well THEN now() END, told, named_trouble, CASE WHEN ended_well THEN 0 ELSE 1 END,
		CASE WHEN NOT ended_well THEN now() END, now() + wait, CASE WHEN took > 0 THEN now() END, took)
	ON CONFLICT (source) DO UPDATE SET tried = excluded.tried, succeeded = coalesce(excluded.succeeded, f.succeeded),
		problem = excluded.problem, trouble = excluded.trouble,
		failures = CASE WHEN ended_well THEN 0 ELSE f.failures + 1 END,
		failing_since = CASE WHEN NOT ended_well THEN coalesce(f.failing_since, now()) END,
		next_try = excluded.next_try, delivered = coalesce(excluded.delivered, f.delivered), pages = f.pages + excluded.pages;
	IF NOT ended_well AND named_trouble = 'loop' THEN
		PERFORM alarm_raise('feed-stuck', named, pulled, told);
	ELSIF ended_well THEN
		PERFORM alarm_over('feed-stuck', named);
	END IF;
END $$;
REVOKE ALL ON FUNCTION feed_ended FROM PUBLIC;
GRANT EXECUTE ON FUNCTION feed_ended TO cirt_exchange;
REVOKE INSERT, UPDATE ON feed_state FROM cirt_exchange;
