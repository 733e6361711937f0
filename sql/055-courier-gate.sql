-- What the courier asks the gate of its own program about, whatever the database has decided; mails of a drill that would leave it; and
-- who says that he is a recipient, and for whom nobody vouches.
SET LOCAL search_path = cirt, pg_temp;

-- ---- facts ----

-- What there is to say of a row that a mail tells; of the mail itself where disclosure is NULL. Facts and no verdict: the courier asks
-- gate_decide() of daemon/model/gate.h.
CREATE TYPE courier_fact AS (
	disclosure bigint,
	report bigint,
	of_tlp tlp,
	of_pap pap,
	may_notify boolean,
	restricted boolean,
	allowed release_kind,
	recipient recipient_kind,
	exercise boolean,
	in_directory boolean,
	form disclosure_form,
	approved boolean,
	consistent boolean,               -- put there for this recipient, in this form and this lane, and its TLP stands in the mail
	left_out boolean
);

CREATE FUNCTION courier_lane(which bigint, me uuid) RETURNS SETOF courier_fact LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT NULL::bigint, NULL::bigint, 'clear'::tlp, 'clear'::pap, true, false, 'none'::release_kind, 'source'::recipient_kind,
		o.exercise <> 0, EXISTS (SELECT 1 FROM exercise_directory d WHERE d.exercise = o.exercise
			AND d.address IN (lower(o.address), '@' || lower(split_part(o.address, '@', 2)))), o.form, true, true, false
	FROM outbox o WHERE o.id = which AND o.holder = me AND o.state = 'queued'
$$;

CREATE FUNCTION courier_rows(which bigint, me uuid) RETURNS SETOF courier_fact LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT d.id, d.report, r.tlp, r.pap, s.may_notify_affected, s.restricted, coalesce(a.granted, 'none'), o.recipient, r.exercise <> 0,
		l.inside, d.form, cardinality(o.approved_by) >= 2,
		d.recipient = o.recipient AND d.form = o.form AND r.exercise = o.exercise AND (d.form <> 'full' OR o.tlp >= d.tlp), d.left_out IS NOT NULL
	FROM outbox o
		CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM exercise_directory x WHERE x.exercise = o.exercise
			AND x.address IN (lower(o.address), '@' || lower(split_part(o.address, '@', 2)))) AS inside) l
		JOIN disclosure d ON d.outbox = o.id
		LEFT JOIN report r ON r.id = d.report LEFT JOIN source s ON s.id = r.source
		LEFT JOIN LATERAL (SELECT e.granted FROM release e WHERE e.report = d.report AND e.granted IS NOT NULL
			ORDER BY e.answered DESC, e.id DESC LIMIT 1) a ON true
	WHERE o.id = which AND o.holder = me AND o.state = 'queued'
$$;

-- As before, and in one go: with the facts of all rows, not row by row. What remains, and how many may not leave: left out of what is
-- not made yet, or in what is made.
CREATE OR REPLACE FUNCTION courier_check(which bigint, me uuid) RETURNS TABLE (told bigint, refused bigint) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	made boolean;
BEGIN
	SELECT bytes IS NOT NULL INTO made FROM outbox WHERE id = which AND holder = me AND state = 'queued' FOR UPDATE;
	IF NOT made THEN
		UPDATE disclosure d SET left_out = x.why
		FROM (SELECT v.disclosure AS id, CASE WHEN NOT coalesce(v.same AND gate_lets(v.verdict, v.form, v.approved), false)
				THEN 'since it was put there: ' || v.verdict END AS why
			FROM (SELECT f.disclosure, f.form, f.approved, f.exercise = (o.exercise <> 0) AS same, gate_decide(f.of_tlp, f.of_pap, f.may_notify,
					f.restricted, f.allowed, f.recipient, f.exercise, f.in_directory) AS verdict
				FROM courier_rows(which, me) f, outbox o WHERE o.id = which OFFSET 0) v) x
		WHERE d.id = x.id AND d.told IS NULL AND d.left_out IS DISTINCT FROM x.why;
		RETURN QUERY SELECT count(*) FILTER (WHERE d.left_out IS NULL), count(*) FILTER (WHERE d.left_out IS NOT NULL)
			FROM disclosure d WHERE d.outbox = which;
		RETURN;
	END IF;
	RETURN QUERY SELECT count(*), count(*) FILTER (WHERE NOT coalesce(f.exercise = (o.exercise <> 0) AND gate_lets(gate_decide(f.of_tlp,
			f.of_pap, f.may_notify, f.restricted, f.allowed, f.recipient, f.exercise, f.in_directory), f.form, f.approved), false))
		FROM disclosure d JOIN outbox o ON o.id = d.outbox LEFT JOIN courier_rows(which, me) f ON f.disclosure = d.id
		WHERE d.outbox = which AND d.left_out IS NULL;
END $$;

-- What the gate of the courier does not let: how many were marked. That it and the database differ is for a person to look at.
CREATE FUNCTION courier_leave_out(which bigint, me uuid, rows bigint[], reasons text[]) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	n bigint;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = which AND holder = me AND state = 'queued' AND bytes IS NULL FOR UPDATE;
	UPDATE disclosure d SET left_out = left(u.why, 300) FROM unnest(rows, reasons) AS u (id, why)
		WHERE d.id = u.id AND d.outbox = o.id AND d.told IS NULL;
	GET DIAGNOSTICS n = ROW_COUNT;
	IF n > 0 THEN
		PERFORM alarm_raise('gate-differs', o.number, NULL, 'the courier leaves ' || n || ' out of ' || o.number || ' that the database let: '
			|| reasons[1]);
		PERFORM journal_add('outbox/' || o.number, 'left out', NULL, jsonb_build_object('rows', n, 'why', reasons[1])::text);
	END IF;
	RETURN n;
END $$;

-- ---- mails of a drill ----

CREATE INDEX outbox_drill ON outbox (id) WHERE state = 'queued' AND exercise <> 0;

-- Row security hides from the courier what would leave a drill. A person is told, and why.
CREATE FUNCTION courier_astray() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	reason text;
BEGIN
	FOR o IN SELECT * FROM outbox x WHERE x.state = 'queued' AND x.exercise <> 0 AND NOT in_directory(x.exercise, x.address)
		ORDER BY x.id LIMIT 100 FOR UPDATE SKIP LOCKED
	LOOP
		reason := 'an exercise goes nowhere but to its own directory: ' || o.address || ' is not in that of '
			|| (SELECT e.name FROM exercise e WHERE e.id = o.exercise);
		UPDATE outbox SET state = 'held', why = left(reason, 1000), waits_for = '', holder = NULL, held_until = NULL WHERE id = o.id;
		PERFORM alarm_raise('notice-held', o.number, NULL, o.number || ' to ' || o.address || ' waits: ' || reason);
		PERFORM journal_add('outbox/' || o.number, 'held', NULL, jsonb_build_object('why', reason)::text);
	END LOOP;
END $$;

CREATE OR REPLACE FUNCTION courier_take(me uuid, lease interval) RETURNS bigint LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	taken bigint;
BEGIN
	PERFORM courier_astray();
	UPDATE outbox SET holder = me, held_until = now() + lease
	WHERE id = (SELECT o.id FROM outbox o WHERE o.state = 'queued' AND o.next_try <= now() AND (o.held_until IS NULL OR o.held_until <= now())
		ORDER BY o.next_try, o.id LIMIT 1 FOR UPDATE SKIP LOCKED)
	RETURNING id INTO taken;
	RETURN taken;
END $$;

-- As before; and where it may have been taken already, whoever reads why it waits is told.
CREATE OR REPLACE FUNCTION courier_hold(which bigint, me uuid, reason text, no_key boolean, domain text) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
#variable_conflict use_column
DECLARE
	o outbox;
	who text;
	says text;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = which AND holder = me AND state = 'queued' FOR UPDATE;
	IF o.id IS NULL THEN
		RETURN false;
	END IF;
	says := left(courier_hold.reason || CASE WHEN o.reply LIKE 'being sent%' OR o.reply LIKE 'unknown%'
		THEN '; it may have been taken before' ELSE '' END, 1000);
	UPDATE outbox SET state = 'held', why = says, waits_for = CASE WHEN no_key THEN 'key' ELSE '' END, holder = NULL, held_until = NULL
		WHERE id = which;
	SELECT concat_ws(', ', nullif(c.name, ''), g.name, coalesce(nullif(c.phone, ''), 'no telephone number known')) INTO who
		FROM outbox x LEFT JOIN contact c ON c.id = x.contact LEFT JOIN organisation g ON g.id = x.organisation WHERE x.id = which;
	IF no_key THEN
		INSERT INTO outbox (kind, state, exercise, organisation, contact, recipient, address, language, fields, message_id)
			SELECT 'key-waits', 'queued', o.exercise, o.organisation, o.contact, o.recipient, o.address, o.language,
				jsonb_build_object('waits', o.number, 'reason', courier_hold.reason), '<' || gen_random_uuid() || '@' || domain || '>'
			WHERE NOT EXISTS (SELECT 1 FROM outbox w WHERE w.kind = 'key-waits' AND w.fields ->> 'waits' = o.number);
		PERFORM alarm_raise('notice-phone', o.number, NULL, 'call ' || who || ': ' || o.number || ' to ' || o.address || ' waits: ' || says);
	ELSE
		PERFORM alarm_raise('notice-held', o.number, NULL, o.number || ' to ' || o.address || ' waits: ' || says);
	END IF;
	PERFORM journal_add('outbox/' || o.number, 'held', NULL, jsonb_build_object('why', says)::text);
	RETURN true;
END $$;

CREATE OR REPLACE FUNCTION courier_begin(which bigint, me uuid, lease interval) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	was text;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = which AND holder = me AND state = 'queued' AND bytes IS NOT NULL FOR UPDATE;
	IF o.id IS NULL THEN
		RETURN 'lost';
	END IF;
	IF (SELECT refused FROM courier_check(which, me)) > 0 THEN
		PERFORM courier_hold(which, me, 'something in it may not leave any more', false, '');
		RETURN 'held';
	END IF;
	was := o.reply;
	UPDATE outbox SET attempts = attempts + 1, held_until = now() + lease,
		reply = 'being sent since ' || to_char(timezone('UTC', now()), 'YYYY-MM-DD HH24:MI:SS') || ' UTC' WHERE id = which;
	RETURN CASE WHEN was LIKE 'being sent%' OR was LIKE 'unknown%' THEN 'again' ELSE 'go' END;
END $$;

REVOKE ALL ON FUNCTION courier_lane, courier_rows, courier_leave_out, courier_astray FROM PUBLIC;
GRANT EXECUTE ON FUNCTION courier_lane, courier_rows, courier_leave_out, courier_astray TO cirt_courier;

-- ---- who answers ----

-- Our own mail servers found that the domain of this sender does not stand for the mail (DMARC, RFC 7489): the address in it is
-- anybody's. What they do not know, or a domain that says nothing of itself, is as it was.
CREATE FUNCTION sender_vouched(dmarc text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT coalesce(dmarc, '') IN ('', 'pass', 'none')
$$;

-- As before; and who is not vouched for is not known: a number in his subject is no answer, but "probably" one.
DROP FUNCTION letters_place(int[], int[], int[], text[], text[], text[], text[], text[], text[], boolean[], boolean[], text, bigint, bigint,
	interval);
CREATE FUNCTION letters_place(numbers int[], exercises int[], sources int[], senders text[], froms text[], sealeds text[],
	replies text[], tags text[], verdicts text[], counteds boolean[], reruns boolean[], our_tag text, sender_limit bigint,
	domain_limit bigint, span interval, dmarcs text[] DEFAULT NULL)
RETURNS TABLE (number int, place text, of_case bigint, by_way text, is_known boolean, why text, lane text) LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	one record;
	c cases;
	o outbox;
	answers_ours letter_way;
	of_outbox bigint;
	found_way letter_way;
	listed text;
	lists boolean := EXISTS (SELECT 1 FROM spam_sender);
BEGIN
	FOR one IN
		WITH m AS (SELECT u.*, lower(u.sender) AS header, lower(CASE WHEN u.mail_from IN ('', '<>') THEN u.sender ELSE u.mail_from END) AS who
				FROM unnest(numbers, exercises, sources, senders, froms, sealeds, replies, tags, verdicts, counteds, reruns, dmarcs)
				AS u (n, exercise, source, sender, mail_from, sealed, answers, subject_tags, verdict, counted, rerun, dmarc)),
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
		of_outbox := NULL;
		answers_ours := NULL;
		IF one.sealed <> '' OR one.answers <> '' OR one.subject_tags <> '' THEN
			SELECT l.id, l.way INTO of_case, found_way FROM letter_case(one.sealed, one.answers, one.subject_tags, our_tag) l;
			SELECT l.id, l.way INTO of_outbox, answers_ours FROM letter_outbox(one.sealed, one.answers, one.subject_tags) l;
		END IF;
		-- Proof goes before what stands in a subject; of two proofs the case's.
		IF of_outbox IS NOT NULL AND (of_case IS NULL OR (found_way IN ('tag', 'ticket') AND answers_ours <> 'tag')) THEN
			of_case := NULL;
			found_way := answers_ours;
			SELECT * INTO o FROM outbox WHERE id = of_outbox;
			is_known := sender_vouched(one.dmarc) AND outbox_knows(of_outbox, one.header);
			IF o.exercise <> one.exercise THEN
				IF one.exercise = 0 AND found_way <> 'tag' THEN
					SELECT e.name INTO lane FROM exercise e WHERE e.id = o.exercise;
				ELSE
					of_outbox := NULL;
					found_way := NULL;
					is_known := false;
				END IF;
			END IF;
			-- Who writes again about what he reported has reported again, unless that is in a case by now.
			IF of_outbox IS NOT NULL AND o.kind = 'acknowledgement' THEN
				SELECT letter_case_of(l.mail) INTO of_case FROM letter l WHERE found_way <> 'tag' AND l.message_id <> ''
					AND l.message_id = btrim(o.in_reply_to, '<>') AND l.sender = lower(o.address) AND letter_case_of(l.mail) IS NOT NULL LIMIT 1;
				found_way := CASE WHEN of_case IS NOT NULL THEN 'reference'::letter_way END;
				of_outbox := NULL;
				is_known := false;
				lane := NULL;
			END IF;
		ELSE
			of_outbox := NULL;
		END IF;
		IF of_case IS NOT NULL THEN
			SELECT * INTO c FROM cases WHERE id = of_case;
			is_known := sender_vouched(one.dmarc) AND letter_known(of_case, one.header);
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
		IF place = '' AND of_outbox IS NOT NULL AND (found_way <> 'tag' OR is_known) THEN
			place := 'notice';
			of_case := of_outbox;
		ELSIF place = '' AND of_case IS NOT NULL THEN
			place := CASE WHEN found_way IN ('address', 'reference') OR is_known THEN 'case' ELSE 'guess' END;
		END IF;
		IF place <> '' THEN
			by_way := found_way;
			RETURN NEXT;
		END IF;
	END LOOP;
END $$;

CREATE OR REPLACE FUNCTION back_answer(b letter_back, of_outbox bigint, by_way letter_way) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	known boolean := sender_vouched(b.dmarc) AND outbox_knows(of_outbox, b.sender);
	c record;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = of_outbox FOR UPDATE;
	UPDATE outbox SET answered = b.received, answer = b.mail WHERE id = o.id AND answered IS NULL;
	IF o.answered IS NULL THEN
		PERFORM journal_add('outbox/' || o.number, 'answered', NULL,
			jsonb_build_object('by', b.sender, 'way', by_way, 'known', known, 'mail', b.mail)::text);
		PERFORM alarm_over('notice-bounced', o.number);
		INSERT INTO report_status AS st (report, state) SELECT d.report, 'answered' FROM disclosure d
				WHERE d.outbox = o.id AND d.left_out IS NULL AND d.cause <> 'question' AND EXISTS (SELECT 1 FROM report r WHERE r.id = d.report)
				ORDER BY d.report
			ON CONFLICT (report) DO UPDATE SET state = 'answered', changed = now(), actor = excluded.actor
				WHERE st.state IN ('new', 'linked', 'noticed');
	END IF;
	-- Who answers reads his mail.
	UPDATE contact SET bounced = NULL WHERE bounced IS NOT NULL AND known AND (lower(email) = b.sender OR (id = o.contact AND by_way <> 'tag'));
	IF o.kind = 'release' THEN
		PERFORM alarm_raise('release-answered', o.number, NULL, o.address || ' has answered our question ' || o.number
			|| ': read it (cirt mail show ' || report_number(b.mail) || '), then cirt tlp grant or cirt tlp refuse');
		RETURN false;
	ELSIF NOT b.placed THEN
		RETURN false;
	END IF;
	SELECT * INTO c FROM back_case(o.id);
	INSERT INTO case_letter_queue (item, case_id, way, known, sender, tags)
		VALUES (b.mail, c.which, by_way, known OR by_way = 'address', b.sender, b.tags);
	RETURN c.opened;
END $$;

CREATE OR REPLACE FUNCTION keeper_back(batch int, domain text, acknowledge boolean, a_day int)
RETURNS TABLE (taken int, bounced int, answered int, opened int, acknowledged int) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	b letter_back;
	f record;
	says text;
BEGIN
	taken := 0;
	bounced := 0;
	answered := 0;
	opened := 0;
	acknowledged := 0;
	FOR b IN SELECT * FROM letter_back ORDER BY id LIMIT batch FOR UPDATE LOOP
		taken := taken + 1;
		DELETE FROM letter_back WHERE id = b.id;
		BEGIN
			SELECT l.id, l.way INTO f FROM letter_outbox(b.sealed, b.replies, b.tags) l JOIN outbox o ON o.id = l.id AND o.exercise = b.exercise;
			IF b.kind = 'bounce' AND f.way IN ('address', 'reference') THEN
				bounced := bounced + back_bounce(b, f.id)::int;
			ELSIF b.kind = 'reply' AND NOT b.machine AND f.id IS NOT NULL AND (f.way <> 'tag' OR sender_vouched(b.dmarc) AND outbox_knows(f.id, b.sender)) THEN
				answered := answered + 1;
				opened := opened + back_answer(b, f.id, f.way)::int;
			ELSIF b.kind = 'report' THEN
				IF f.id IS NOT NULL AND NOT b.machine THEN
					-- Of an acknowledgement only: every other would not have landed as a report.
					IF f.way <> 'tag' THEN
						answered := answered + 1;
						PERFORM back_answer(b, f.id, f.way);
					ELSE
						INSERT INTO notice_guess (mail, outbox, sender) VALUES (b.mail, f.id, b.sender) ON CONFLICT DO NOTHING;
					END IF;
				ELSIF acknowledge AND a_day > 0 THEN
					acknowledged := acknowledged + back_acknowledge(b, domain, a_day)::int;
				END IF;
			END IF;
		EXCEPTION
			WHEN deadlock_detected OR serialization_failure OR lock_not_available THEN
				RAISE;
			WHEN others THEN
				GET STACKED DIAGNOSTICS says = MESSAGE_TEXT;
				PERFORM alarm_raise('mail-back', report_number(b.mail), NULL, 'what came back cannot be matched: ' || left(says, 500)
					|| ': cirt mail show ' || report_number(b.mail));
		END;
	END LOOP;
	RETURN NEXT;
END $$;

-- As before, beside a column of the outbox that is named as what it works out.
CREATE OR REPLACE FUNCTION back_acknowledge(b letter_back, domain text, a_day int) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	wish text := (SELECT s.settings::jsonb ->> 'acknowledge' FROM source s WHERE s.id = b.source);
	behind text := substring(b.sender FROM '@([^@]+)$');
	answers text := CASE WHEN b.message_id ~ '^[!-;=?-~]+$' THEN '<' || b.message_id || '>' ELSE '' END;
	c contact;
BEGIN
	IF b.machine OR NOT b.door OR wish = 'no' OR behind IS NULL OR behind = lower(domain) OR octet_length(b.sender) > 320
		OR b.sender !~ '^[!-~]+$' OR b.sender ~ '[\s<>,;:"\\()\[\]]' OR b.sender !~ '^[^@]+@[^@]+$' OR b.dmarc NOT IN ('', 'pass', 'none')
		OR EXISTS (SELECT 1 FROM source s WHERE s.kind = 'mailbox' AND b.sender = ANY (string_to_array(lower(s.match), ' '))) THEN
		RETURN false;
	END IF;
	SELECT * INTO c FROM contact k WHERE lower(k.email) = b.sender AND k.valid @> now() ORDER BY k.bounced IS NOT NULL, k.priority, k.id LIMIT 1;
	IF c.bounced IS NOT NULL OR spam_listed(b.sender) = 'deny' THEN
		RETURN false;
	ELSIF b.dmarc <> 'pass' AND c.id IS NULL AND spam_listed(b.sender) IS DISTINCT FROM 'allow'
		AND NOT EXISTS (SELECT 1 FROM source s WHERE b.sender = ANY (regexp_split_to_array(lower(s.settings::jsonb ->> 'contact'), '[\s,]+')))
		AND NOT EXISTS (SELECT 1 FROM party p WHERE p.contact ILIKE '%@%' AND b.sender = ANY (regexp_split_to_array(lower(p.contact), '[\s,;<>()]+'))) THEN
		RETURN false;
	ELSIF b.replies <> '' AND EXISTS (SELECT 1 FROM unnest(string_to_array(b.replies, ' ')) AS m WHERE
			EXISTS (SELECT 1 FROM letter l WHERE l.message_id = m AND l.message_id <> '')
			OR EXISTS (SELECT 1 FROM outbox o WHERE o.message_id = '<' || m || '>')) THEN
		RETURN false;
	ELSIF b.exercise <> 0 AND NOT in_directory(b.exercise, b.sender) THEN
		RETURN false;
	ELSIF (SELECT count(*) FROM outbox o WHERE lower(o.address) = b.sender AND o.kind = 'acknowledgement'
			AND o.created > now() - interval '1 day') >= a_day
		OR EXISTS (SELECT 1 FROM outbox o WHERE lower(o.address) = b.sender AND o.kind = 'acknowledgement' AND answers <> ''
			AND o.in_reply_to = answers) THEN
		RETURN false;
	END IF;
	INSERT INTO outbox (kind, state, exercise, organisation, contact, recipient, address, language, tlp, fields, in_reply_to, message_id)
		VALUES ('acknowledgement', 'queued', b.exercise, c.organisation, c.id, 'source', b.sender, coalesce(c.language, 'en'), 'clear',
			jsonb_build_object('report', report_number(b.mail)), answers, '<' || gen_random_uuid() || '@' || domain || '>');
	RETURN true;
END $$;

REVOKE ALL ON FUNCTION sender_vouched, letters_place FROM PUBLIC;
GRANT EXECUTE ON FUNCTION letters_place TO cirt_store;
