-- The same as before, without asking for what a mail does not say: most answer nothing and are no spam, and cost next to nothing.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION letters_place(numbers int[], exercises int[], sources int[], senders text[], froms text[], sealeds text[],
	replies text[], tags text[], verdicts text[], counteds boolean[], reruns boolean[], our_tag text, sender_limit bigint,
	domain_limit bigint, span interval)
RETURNS TABLE (number int, place text, of_case bigint, by_way text, is_known boolean, why text, lane text) LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	one record;
	c cases;
	found_way letter_way;
	listed text;
	lists boolean := EXISTS (SELECT 1 FROM spam_sender);
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
		WHERE lists OR m.sealed <> '' OR m.answers <> '' OR m.subject_tags <> '' OR m.verdict <> '' OR heavy.n IS NOT NULL
		ORDER BY m.n
	LOOP
		number := one.n;
		place := '';
		why := '';
		lane := NULL;
		is_known := false;
		of_case := NULL;
		found_way := NULL;
		IF one.sealed <> '' OR one.answers <> '' OR one.subject_tags <> '' THEN
			SELECT l.id, l.way INTO of_case, found_way FROM letter_case(one.sealed, one.answers, one.subject_tags, our_tag) l;
		END IF;
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
			listed := NULL;
			IF lists THEN
				listed := CASE WHEN 'deny' IN (spam_listed(one.header), spam_listed(one.who)) THEN 'deny'
					WHEN spam_listed(one.header) = 'allow' AND spam_listed(one.who) = 'allow' THEN 'allow' END;
			END IF;
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

-- Who waits until all is done waits for the mails that are to be attached, too.
GRANT SELECT ON case_letter_queue TO cirt_desk;
