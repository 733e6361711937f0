-- Mails that people send: which case they answer, and which of them are spam.
SET LOCAL search_path = cirt, pg_temp;
SELECT set_config('cirt.actor', 'migration', true);

-- ---- sources ----

-- Whether what a spam filter says, and how many mails one sends, counts against a mail; not where spam is what people are to send.
-- Row by row, so that the journal knows of the new column.
ALTER TABLE source ADD spam_counts boolean;
UPDATE source SET spam_counts = name <> 'phish';
ALTER TABLE source ALTER spam_counts SET NOT NULL, ALTER spam_counts SET DEFAULT true;
GRANT SELECT (spam_counts) ON source TO cirt_desk;

-- The mailbox behind the cases' own reply addresses.
INSERT INTO source (id, name, kind, trust, tlp, format, match)
	SELECT 5, 'case', 'mailbox', 40, 'amber', 'mail', 'case@'
	WHERE NOT EXISTS (SELECT 1 FROM source WHERE name = 'case' OR id = 5);

-- ---- threads ----

-- How a mail was found to belong to a case: its sealed reply address, a mail that it answers, our tag or their ticket in the subject.
CREATE TYPE letter_way AS ENUM ('address', 'reference', 'tag', 'ticket');

-- Who sent which mail. A report that folds has as many as were sent. No keys: the same mail may come by two sources.
CREATE TABLE letter (
	mail bigint NOT NULL,             -- report or item
	received timestamptz NOT NULL,
	message_id text NOT NULL,         -- without brackets; ''
	sender text NOT NULL              -- lower case; ''
);
CREATE INDEX letter_mail ON letter (mail);
CREATE INDEX letter_message ON letter (message_id) WHERE message_id <> '';
CREATE INDEX letter_sender ON letter (sender, mail) WHERE sender <> '';
CREATE INDEX letter_received ON letter USING brin (received);
INSERT INTO letter SELECT r.id, r.received, left(r.sender_id, 400),
		lower(observable_first(r.observables, '{email}', '{reporter}'))
	FROM report r JOIN ledger l ON l.day = timezone('UTC', r.received)::date AND l.spool = r.spool AND l.sequence = r.sequence
	WHERE l.format = 'mail' ORDER BY r.id;

-- Mails of a case. Never of two: a merge moves nothing, and is followed.
CREATE TABLE case_letter (
	item bigint PRIMARY KEY,
	case_id bigint NOT NULL REFERENCES cases,
	way letter_way NOT NULL,
	known boolean NOT NULL,           -- the sender is a party, or had to do with the case before
	sender text NOT NULL,
	added timestamptz NOT NULL DEFAULT now(),
	seen timestamptz,                 -- by a person; NULL: nobody has
	seen_by text
);
CREATE INDEX case_letter_case ON case_letter (case_id, item);
CREATE INDEX case_letter_unseen ON case_letter (case_id) WHERE seen IS NULL;

-- What landed and is still to be attached: the store locks no case (trap 15).
CREATE TABLE case_letter_queue (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	item bigint NOT NULL,
	case_id bigint NOT NULL,
	way letter_way NOT NULL,
	known boolean NOT NULL,
	sender text NOT NULL,
	tags text NOT NULL
);
CREATE INDEX case_letter_queue_item ON case_letter_queue (item);

-- The mails of a case stay with it.
CREATE OR REPLACE VIEW report_held AS
	SELECT report FROM case_report
	UNION ALL SELECT report FROM fingerprint
	UNION ALL SELECT report FROM correlation_queue
	UNION ALL SELECT report FROM raise_queue
	UNION ALL SELECT substring(object FROM '^report/([0-9]{1,18})$')::bigint FROM hold
		WHERE object LIKE 'report/%' AND (until IS NULL OR until > now())
	UNION ALL SELECT item FROM case_letter
	UNION ALL SELECT item FROM case_letter_queue;

-- A report whose subject names a case, from somebody whom the case does not know: probably of it, and for a person to say.
CREATE TABLE letter_guess (
	report bigint NOT NULL,
	case_id bigint NOT NULL,
	way letter_way NOT NULL,
	sender text NOT NULL
);
CREATE INDEX letter_guess_report ON letter_guess (report);
CREATE INDEX letter_guess_case ON letter_guess (case_id, report);

-- Has this address to do with the case: a party or one of a party's organisation, a reporter, or somebody who wrote into it before?
CREATE FUNCTION letter_known(which bigint, address text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT id FROM cases WHERE id = which OR merged_into = which);
	behind text := substring(address FROM '@(.+)$');
BEGIN
	IF coalesce(address, '') = '' OR behind IS NULL THEN
		RETURN false;
	END IF;
	RETURN EXISTS (SELECT 1 FROM party p LEFT JOIN organisation o ON o.id = p.organisation WHERE p.case_id = ANY (ids)
			AND (address = ANY (regexp_split_to_array(lower(p.contact || ' ' || coalesce(o.contact, '')), '[\s,;<>()]+'))
				OR EXISTS (SELECT 1 FROM organisation_domain d WHERE d.organisation = p.organisation AND d.valid @> now()
					AND (behind = d.domain OR behind LIKE '%.' || replace(replace(d.domain, '\', '\\'), '_', '\_')))))
		OR EXISTS (SELECT 1 FROM (SELECT mail FROM letter WHERE sender = address ORDER BY mail DESC LIMIT 1000) l
			JOIN case_report r ON r.report = l.mail AND r.case_id = ANY (ids) AND r.ended IS NULL)
		OR EXISTS (SELECT 1 FROM case_letter c WHERE c.case_id = ANY (ids) AND c.sender = address AND (c.known OR c.way = 'address'));
END $$;

-- The case that a mail is of which we have; NULL: none.
CREATE FUNCTION letter_case_of(which bigint) RETURNS bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT case_now(id) FROM (
		SELECT case_id AS id FROM case_report WHERE report = which AND ended IS NULL
		UNION ALL SELECT case_id FROM case_letter WHERE item = which
		UNION ALL SELECT case_id FROM case_letter_queue WHERE item = which) c LIMIT 1
$$;

-- Which case a mail says that it is of, and how. Their tickets count only where one case alone has them.
CREATE FUNCTION letter_case(sealed text, replies text, tags text, our_tag text, OUT id bigint, OUT way letter_way)
LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	tag text;
	parts text[];
BEGIN
	IF sealed <> '' THEN
		SELECT case_now(c.id), 'address' INTO id, way FROM cases c WHERE c.number = sealed;
	END IF;
	IF id IS NULL AND replies <> '' THEN
		SELECT letter_case_of(l.mail), 'reference' INTO id, way
			FROM unnest(string_to_array(replies, ' ')) WITH ORDINALITY AS u (message_id, n)
			JOIN letter l ON l.message_id = u.message_id AND l.message_id <> ''
			WHERE letter_case_of(l.mail) IS NOT NULL ORDER BY u.n, l.mail LIMIT 1;
	END IF;
	FOREACH tag IN ARRAY string_to_array(rtrim(tags, chr(10)), chr(10)) LOOP
		EXIT WHEN id IS NOT NULL;
		IF lower(left(tag, length(our_tag) + 1)) = lower(our_tag) || ' ' THEN
			SELECT case_now(c.id), 'tag' INTO id, way FROM cases c WHERE c.number = trim(substr(tag, length(our_tag) + 2));
		END IF;
	END LOOP;
	FOREACH tag IN ARRAY string_to_array(rtrim(tags, chr(10)), chr(10)) LOOP
		EXIT WHEN id IS NOT NULL;
		parts := letter_ticket(tag, our_tag);
		IF parts IS NOT NULL THEN
			SELECT min(case_now(r.case_id)), 'ticket' INTO id, way FROM reference r WHERE r.system = parts[1] AND r.value = parts[2]
				HAVING count(DISTINCT case_now(r.case_id)) = 1;
		END IF;
	END LOOP;
	IF id IS NULL THEN
		way := NULL;
	END IF;
END $$;

-- Somebody else's ticket: "BANK #5512", "CSIRT-YY 77"; system and value. NULL: ours, or none.
CREATE FUNCTION letter_ticket(tag text, our_tag text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN lower(m[1]) <> lower(our_tag) AND m[1] !~* '^(tlp|pap|ext|external|spam)$' THEN m END
	FROM regexp_match(tag, '^([[:alpha:]][[:alnum:]._-]{1,40})[ ]*[ :#]+([[:alnum:]][[:alnum:]./_-]{0,60})$') AS m
	WHERE m[2] ~ '[0-9]'
$$;

-- ---- spam ----

-- Whose mails are spam, and whose never are: an address, or @domain with all below it.
CREATE TABLE spam_sender (
	pattern text PRIMARY KEY CHECK (pattern = lower(pattern) AND pattern ~ '^[^@\s]*@[^@\s]+$' AND octet_length(pattern) <= 320),
	allow boolean NOT NULL,
	reason text NOT NULL DEFAULT '',
	added timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL DEFAULT actor()
);
CREATE TRIGGER spam_sender_journal AFTER INSERT OR UPDATE OR DELETE ON spam_sender FOR EACH ROW
	EXECUTE FUNCTION journal_row('spam-sender', 'pattern');

-- How many mails came from a sender or an @domain in a minute.
CREATE TABLE spam_volume (
	key text NOT NULL,
	minute timestamptz NOT NULL,
	count bigint NOT NULL,
	PRIMARY KEY (key, minute)
) WITH (fillfactor = 50);
CREATE INDEX spam_volume_minute ON spam_volume (minute);

-- Mails that are spam, whole, until they are rescued or their time is over. Their text is in `item`, to be searched.
CREATE TABLE spam (
	id bigint NOT NULL,               -- the mail's item
	last bigint NOT NULL,             -- its last item
	items int NOT NULL,
	day date NOT NULL,
	spool uuid NOT NULL,
	sequence bigint NOT NULL,
	received timestamptz NOT NULL,
	source int NOT NULL,
	exercise int NOT NULL,
	sender text NOT NULL,
	reason text NOT NULL,
	title text NOT NULL,
	envelope text NOT NULL,
	size bigint NOT NULL,
	bytes bytea NOT NULL,
	quarantine bigint REFERENCES quarantine, -- the row that it was rescued by
	rescued timestamptz
);
ALTER TABLE spam ALTER bytes SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX spam_id ON spam (id);
CREATE INDEX spam_received ON spam (received);

-- Of `spam`, what is no longer kept: spam = live + expired.
ALTER TABLE ledger_day ADD spam_expired bigint NOT NULL DEFAULT 0;
ALTER TABLE ledger_act DROP CONSTRAINT ledger_act_act_check;
ALTER TABLE ledger_act ADD CONSTRAINT ledger_act_act_check CHECK (act IN ('release', 'rerun', 'discard', 'rescue'));

-- 'allow', 'deny', or NULL: an address before its domain, a domain before those above it.
CREATE FUNCTION spam_listed(address text) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN s.allow THEN 'allow' ELSE 'deny' END FROM spam_sender s
	WHERE s.pattern = address OR s.pattern IN (
		SELECT '@' || substring(domain FROM n) FROM (SELECT substring(address FROM '@(.+)$') AS domain) d,
			generate_series(1, length(domain)) n WHERE n = 1 OR substring(domain FROM n - 1 FOR 1) = '.')
	ORDER BY length(s.pattern) DESC LIMIT 1
$$;

-- ---- placing ----

/*
 * Where each mail of a batch belongs: in a case, in a case probably, to the spam, or (no row) where it would land anyway. Arrays of
 * equal length, one place per mail, in the order of the entries:
 *   numbers    of the mails, given back
 *   exercises  the lane of the entry
 *   sources
 *   senders    address of From; what the envelope says of who sent it is in `froms`
 *   sealeds    number of the case whose sealed address it was sent to, proven; ''
 *   replies    message ids that it answers, nearest first, by spaces
 *   tags       from the subject's brackets, a line end behind each
 *   verdicts   why our own servers call it spam; ''
 *   counteds   it came in by a mail door, now: it counts for volume. A file that an operator gives does not, nor does a re-run
 *   reruns     released by a person: not spam
 * limits: of one sender, of one domain, in `span`; 0: none.
 *
 * A sealed address is proof, and so is an answer to a mail that we have; a subject is none, unless the case knows the sender. A mail
 * of a drill stays in its drill; a real one comes into a drill's case only by proof, and then is the drill's too.
 * In a transaction that lands nothing in the end nothing is counted.
 */
CREATE FUNCTION letters_place(numbers int[], exercises int[], sources int[], senders text[], froms text[], sealeds text[],
	replies text[], tags text[], verdicts text[], counteds boolean[], reruns boolean[], our_tag text, sender_limit bigint,
	domain_limit bigint, span interval)
RETURNS TABLE (number int, place text, of_case bigint, by_way text, is_known boolean, why text, lane text) LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	one record;
	c cases;
	found_way letter_way;
	listed text;
BEGIN
	FOR one IN
		WITH m AS (SELECT u.*, lower(u.sender) AS header, lower(CASE WHEN u.mail_from IN ('', '<>') THEN u.sender ELSE u.mail_from END) AS who
				FROM unnest(numbers, exercises, sources, senders, froms, sealeds, replies, tags, verdicts, counteds, reruns)
				AS u (n, exercise, source, sender, mail_from, sealed, answers, subject_tags, verdict, counted, rerun)),
			-- The first mails within the limit are none of it, so that each is told how many came before it.
			k AS (SELECT m.n, 'sender ' || m.who AS key, sender_limit AS most FROM m WHERE m.counted AND m.who <> '' AND sender_limit > 0
				UNION ALL SELECT m.n, 'domain ' || substring(m.who FROM '@(.+)$'), domain_limit FROM m
				WHERE m.counted AND m.who LIKE '%@_%' AND domain_limit > 0),
			here AS (INSERT INTO spam_volume AS v (key, minute, count)
				SELECT k.key, date_trunc('minute', now()), count(*) FROM k GROUP BY k.key ORDER BY k.key
				ON CONFLICT (key, minute) DO UPDATE SET count = v.count + excluded.count RETURNING v.key, v.count, v.minute),
			total AS (SELECT here.key, here.count + coalesce((SELECT sum(v.count) FROM spam_volume v
					WHERE v.key = here.key AND v.minute > now() - span AND v.minute <> here.minute), 0) AS sum FROM here),
			ranked AS (SELECT k.n, k.key, k.most, t.sum - count(*) OVER (PARTITION BY k.key)
					+ row_number() OVER (PARTITION BY k.key ORDER BY k.n) AS place FROM k JOIN total t ON t.key = k.key),
			heavy AS (SELECT r.n, min('more than ' || r.most || ' mails of ' || r.key || ' in ' || span) AS text
				FROM ranked r WHERE r.place > r.most GROUP BY r.n)
		SELECT m.*, s.spam_counts, heavy.text AS volume FROM m JOIN source s ON s.id = m.source LEFT JOIN heavy ON heavy.n = m.n
		ORDER BY m.n
	LOOP
		number := one.n;
		place := '';
		why := '';
		lane := NULL;
		is_known := false;
		SELECT l.id, l.way INTO of_case, found_way FROM letter_case(one.sealed, one.answers, one.subject_tags, our_tag) l;
		IF of_case IS NOT NULL THEN
			SELECT * INTO c FROM cases WHERE id = of_case;
			is_known := letter_known(of_case, one.header);
			IF c.exercise <> one.exercise THEN
				IF one.exercise = 0 AND (found_way = 'address' OR (found_way = 'reference' AND is_known)) THEN
					SELECT e.name INTO lane FROM exercise e WHERE e.id = c.exercise;
				ELSE
					of_case := NULL;
					is_known := false;
				END IF;
			END IF;
		END IF;
		IF NOT one.rerun THEN
			listed := CASE WHEN 'deny' IN (spam_listed(one.header), spam_listed(one.who)) THEN 'deny'
				WHEN spam_listed(one.header) = 'allow' AND spam_listed(one.who) = 'allow' THEN 'allow' END;
			IF listed = 'deny' THEN
				place := 'spam';
				why := 'sender denied';
			ELSIF one.spam_counts AND one.exercise = 0 AND listed IS NULL AND NOT is_known
				AND found_way IS DISTINCT FROM 'address' AND (one.verdict <> '' OR one.volume IS NOT NULL) THEN
				place := 'spam';
				why := CASE WHEN one.verdict <> '' THEN one.verdict ELSE one.volume END;
			END IF;
		END IF;
		IF place = '' AND of_case IS NOT NULL THEN
			place := CASE WHEN found_way IN ('address', 'reference') OR is_known THEN 'case' ELSE 'guess' END;
		END IF;
		IF place <> '' THEN
			by_way := found_way;
			RETURN NEXT;
		END IF;
	END LOOP;
END $$;

-- ---- keeper ----

-- Attach what has landed, in one order of cases for everybody, with one journal row a mail. Their tickets become the case's
-- references, so that our answers can name them, where the sender has to do with the case.
CREATE FUNCTION keeper_letters(batch int) RETURNS TABLE (taken int, attached int) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT q.id FROM case_letter_queue q ORDER BY q.id LIMIT batch FOR UPDATE);
	one record;
	ticket text[];
BEGIN
	taken := cardinality(ids);
	attached := 0;
	FOR one IN SELECT q.*, c.id AS now_in, c.number, c.state FROM case_letter_queue q JOIN cases c ON c.id = case_now(q.case_id)
			WHERE q.id = ANY (ids) ORDER BY c.number, q.id LOOP
		INSERT INTO case_letter (item, case_id, way, known, sender)
			VALUES (one.item, one.now_in, one.way, one.known, one.sender) ON CONFLICT DO NOTHING;
		CONTINUE WHEN NOT FOUND;
		attached := attached + 1;
		PERFORM journal_add('case/' || one.number, 'mail from ' || coalesce(nullif(one.sender, ''), 'nobody') || ' by ' || one.way
			|| CASE WHEN one.known THEN '' ELSE ', not a party' END
			|| CASE WHEN one.state IN ('closed', 'rejected') THEN ', to a case that is ' || one.state ELSE '' END, NULL,
			jsonb_build_object('item', one.item, 'way', one.way, 'known', one.known)::text);
		FOR ticket IN SELECT letter_ticket(t, split_part(one.tags, chr(10), 1))
				FROM unnest((string_to_array(rtrim(one.tags, chr(10)), chr(10)))[2:]) AS t LOOP
			CONTINUE WHEN ticket IS NULL OR NOT (one.known OR one.way = 'address');
			INSERT INTO reference (case_id, system, value) SELECT one.now_in, ticket[1], ticket[2]
				WHERE NOT EXISTS (SELECT 1 FROM reference r WHERE r.case_id = one.now_in AND r.system = ticket[1] AND r.value = ticket[2]);
		END LOOP;
	END LOOP;
	DELETE FROM case_letter_queue WHERE id = ANY (ids);
	RETURN NEXT;
END $$;

-- Spam whose time is over goes, and is counted; what was rescued goes with it. Then what only counts for a while.
CREATE FUNCTION keeper_spam(keep interval, batch int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	gone int;
	old_one record;
BEGIN
	FOR old_one IN SELECT * FROM spam WHERE received < now() - keep ORDER BY received, id LIMIT batch FOR UPDATE LOOP
		DELETE FROM item i WHERE i.id BETWEEN old_one.id AND old_one.last AND i.spool = old_one.spool
			AND i.sequence = old_one.sequence AND i.kind = 'spam';
	END LOOP;
	WITH old AS (SELECT id FROM spam WHERE received < now() - keep ORDER BY received, id LIMIT batch),
		taken AS (DELETE FROM spam s USING old WHERE s.id = old.id RETURNING s.day, s.source, s.items, s.rescued),
		counted AS (INSERT INTO ledger_day AS d (day, source, node, spam_expired)
			SELECT day, source, 0, sum(items) FROM taken WHERE rescued IS NULL GROUP BY day, source ORDER BY day, source
			ON CONFLICT (day, source, node) DO UPDATE SET spam_expired = d.spam_expired + excluded.spam_expired)
	SELECT count(*) INTO gone FROM taken;
	DELETE FROM spam_volume WHERE minute < now() - interval '8 days';
	DELETE FROM letter WHERE received < now() - interval '3 years';
	RETURN gone;
END $$;

-- ---- desk ----

-- Spam that was none: its bytes go the way of what is released from quarantine, and the books with them. Returns the row of
-- quarantine, which is to be run again; the same one where it was rescued before.
CREATE FUNCTION spam_rescue(which bigint, reason text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	s spam;
	fresh bigint;
BEGIN
	SELECT * INTO s FROM spam WHERE id = which FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no spam %: it was never there, or its time is over', report_number(which)
			USING ERRCODE = 'no_data_found';
	ELSIF s.quarantine IS NOT NULL THEN
		RETURN s.quarantine;
	END IF;
	INSERT INTO quarantine (day, spool, sequence, received, source, exercise, format, state, stage, reason, envelope, size, bytes, changed)
		VALUES (s.day, s.spool, s.sequence, s.received, s.source, s.exercise, 'mail', 'released', 'spam', s.reason, s.envelope, s.size,
			s.bytes, now()) RETURNING id INTO fresh;
	INSERT INTO ledger_act (quarantine, act, reason, day, source, node, entries_processed, entries_quarantined, found, spam)
		VALUES (fresh, 'rescue', reason, s.day, s.source, 0, -1, 1, -s.items, -s.items);
	UPDATE spam SET quarantine = fresh, rescued = now(), bytes = '' WHERE id = which;
	DELETE FROM item i WHERE i.id BETWEEN s.id AND s.last AND i.spool = s.spool AND i.sequence = s.sequence AND i.kind = 'spam';
	PERFORM journal_add('spam/' || which, 'rescued', NULL, jsonb_build_object('sender', s.sender, 'reason', reason,
		'quarantine', fresh)::text);
	RETURN fresh;
END $$;

-- An operator has read the mails of a case; how many were new.
CREATE FUNCTION case_letters_seen(which bigint) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	n int;
BEGIN
	UPDATE case_letter SET seen = now(), seen_by = actor() WHERE case_id = which AND seen IS NULL;
	GET DIAGNOSTICS n = ROW_COUNT;
	IF n > 0 THEN
		PERFORM journal_add('case/' || (SELECT number FROM cases WHERE id = which), 'mails read: ' || n, NULL, NULL);
	END IF;
	RETURN n;
END $$;

-- ---- search ----

ALTER TABLE item ADD keys bigint[] NOT NULL DEFAULT '{}'; -- as of a report; only of correspondence and spam
CREATE INDEX item_keys ON item USING gin (keys) WHERE keys <> '{}';
CREATE INDEX item_text ON item USING gin (report_words(title, text)) WHERE kind IN ('correspondence', 'spam');

REVOKE ALL ON FUNCTION letter_known, letter_case_of, letter_case, letter_ticket, spam_listed, letters_place, keeper_letters,
	keeper_spam, spam_rescue, case_letters_seen FROM PUBLIC;
GRANT EXECUTE ON FUNCTION letters_place TO cirt_store;
GRANT EXECUTE ON FUNCTION keeper_letters, keeper_spam TO cirt_keeper;
GRANT EXECUTE ON FUNCTION spam_rescue, case_letters_seen, spam_listed, letter_ticket TO cirt_desk;
GRANT INSERT ON letter, case_letter_queue, letter_guess, spam TO cirt_store;
GRANT SELECT ON letter, case_letter, letter_guess, spam, spam_sender TO cirt_desk;
GRANT INSERT, UPDATE, DELETE ON spam_sender TO cirt_desk;
GRANT SELECT ON case_letter TO cirt_keeper;
