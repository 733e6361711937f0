-- What comes back: bounces of our mails and answers to them; who is told that what he reported has arrived; what sources are asked.
SET LOCAL search_path = cirt, pg_temp;
SELECT set_config('cirt.actor', 'migration', true);

-- Behind the envelope senders of our mails, bounce+N2026-000123-SEAL@: what programs write there is no spam, however much it is.
INSERT INTO source (id, name, kind, trust, tlp, format, match, spam_counts)
	SELECT 6, 'bounce', 'mailbox', 40, 'amber', 'mail', 'bounce@', false
	WHERE NOT EXISTS (SELECT 1 FROM source WHERE name = 'bounce' OR id = 6);

-- What our mail servers found out about the domain of the sender: pass, fail, none; '': nothing.
ALTER TABLE letter ADD dmarc text NOT NULL DEFAULT '';

-- ---- which mail of ours ----

-- What the store has landed that may be an answer to a mail of ours, a bounce, or a report to be acknowledged.
CREATE TABLE letter_back (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	mail bigint NOT NULL,             -- report or item
	received timestamptz NOT NULL,
	source int NOT NULL,
	exercise int NOT NULL,
	kind text NOT NULL CHECK (kind IN ('report', 'reply', 'bounce', 'auto-reply')),
	placed boolean NOT NULL,          -- as an answer to a mail of ours: it is in no case yet
	sealed text NOT NULL,             -- number of the mail of ours whose own address it was sent to, proven; ''
	sender text NOT NULL,             -- lower case; ''
	message_id text NOT NULL,
	replies text NOT NULL,            -- message ids by spaces, nearest first
	tags text NOT NULL,               -- our own first, then those of the subject, a line end behind each
	returned text NOT NULL,           -- of a bounce: "ACTION STATUS RECIPIENT REASON", a line end behind each
	dmarc text NOT NULL,
	machine boolean NOT NULL,         -- nobody would read an answer
	door boolean NOT NULL             -- it has come in now, by a mail door
);

-- A mail that names one of ours which nobody has made into a report of a case: for a person to say.
CREATE TABLE notice_guess (
	mail bigint NOT NULL,
	outbox bigint NOT NULL REFERENCES outbox,
	sender text NOT NULL,
	PRIMARY KEY (mail, outbox)
);
CREATE INDEX notice_guess_outbox ON notice_guess (outbox, mail);

-- The mail of ours that one answers, and how that is known. What nobody can have got yet is answered by nobody.
CREATE FUNCTION letter_outbox(seal text, replies text, tags text, OUT id bigint, OUT way letter_way) LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	IF seal LIKE 'N%' THEN
		SELECT o.id, 'address' INTO id, way FROM outbox o WHERE o.number = seal;
	END IF;
	IF id IS NULL AND replies <> '' THEN
		SELECT o.id, 'reference' INTO id, way
			FROM unnest(string_to_array(replies, ' ')) WITH ORDINALITY AS u (message_id, n)
			JOIN outbox o ON o.message_id = '<' || u.message_id || '>'
			WHERE coalesce(o.rendered, o.sent) IS NOT NULL ORDER BY u.n LIMIT 1;
	END IF;
	IF id IS NULL AND tags ~ '(^|\n)N[0-9]{4}-[0-9]{6}' THEN
		SELECT o.id, 'tag' INTO id, way FROM unnest(string_to_array(tags, chr(10))) WITH ORDINALITY AS u (tag, n)
			JOIN outbox o ON o.number = u.tag WHERE coalesce(o.rendered, o.sent) IS NOT NULL ORDER BY u.n LIMIT 1;
	END IF;
	IF id IS NULL THEN
		way := NULL;
	END IF;
END $$;

-- Is this somebody to whom that mail was told: its address, a contact of the organisation, or of a domain of theirs?
CREATE FUNCTION outbox_knows(which bigint, who text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT who LIKE '%_@_%' AND EXISTS (SELECT 1 FROM outbox o WHERE o.id = which AND (lower(o.address) = who
		OR EXISTS (SELECT 1 FROM contact c WHERE c.organisation = o.organisation AND lower(c.email) = who AND c.valid @> now())
		OR EXISTS (SELECT 1 FROM organisation_domain d, substring(who FROM '@([^@]+)$') AS behind
			WHERE d.organisation = o.organisation AND d.valid @> now()
				AND (behind = d.domain OR right(behind, length(d.domain) + 1) = '.' || d.domain))))
$$;

-- As before; and what answers a mail of ours, or bounces from it, is placed as 'notice', with the id of that mail as of_case: by
-- its sealed address or Message-ID, which only those know who got it, by our number in the subject where it was told to the sender.
CREATE OR REPLACE FUNCTION letters_place(numbers int[], exercises int[], sources int[], senders text[], froms text[], sealeds text[],
	replies text[], tags text[], verdicts text[], counteds boolean[], reruns boolean[], our_tag text, sender_limit bigint,
	domain_limit bigint, span interval)
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
			is_known := outbox_knows(of_outbox, one.header);
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

-- ---- bounces ----

-- What a bounce says in the end, the worst first: permanent, failed (given up; the address may be right), unclear, delayed,
-- delivered. returned: as in letter_back; says: its text, for those that do not say it by the book (RFC 3464).
CREATE FUNCTION bounce_verdict(returned text, says text, OUT verdict text, OUT status text, OUT why text) LANGUAGE plpgsql IMMUTABLE
SET search_path = cirt, pg_temp AS $$
BEGIN
	SELECT w.verdict, w.status, w.status || ' ' || w.who || CASE WHEN w.reason IN ('', '-') THEN '' ELSE ': ' || w.reason END
		INTO verdict, status, why
		FROM (SELECT CASE lower(split_part(l, ' ', 1)) WHEN 'failed' THEN CASE WHEN split_part(l, ' ', 2) ~ '^4\.' THEN 'failed'
					WHEN split_part(l, ' ', 2) ~ '^5\.[0-9]{1,3}\.[0-9]{1,3}' THEN 'permanent' ELSE 'failed' END
				WHEN 'delayed' THEN 'delayed' WHEN 'delivered' THEN 'delivered' WHEN 'relayed' THEN 'delivered'
				WHEN 'expanded' THEN 'delivered' END AS verdict,
			split_part(l, ' ', 2) AS status, split_part(l, ' ', 3) AS who, substring(l FROM '^[^ ]* [^ ]* [^ ]* (.*)$') AS reason, n
			FROM unnest(string_to_array(rtrim(returned, chr(10)), chr(10))) WITH ORDINALITY AS u (l, n)) w
		WHERE w.verdict IS NOT NULL ORDER BY array_position('{permanent,failed,delayed,delivered}', w.verdict), w.n LIMIT 1;
	IF verdict IS NULL THEN
		status := coalesce(substring(says FROM '\m5\.[0-9]{1,3}\.[0-9]{1,3}\M'), substring(says FROM '\m55[0-4]\M'), '');
		verdict := CASE WHEN status = '' THEN 'unclear' ELSE 'permanent' END;
		why := btrim(status || ' ' || coalesce(substring(says FROM '[^\n]+'), ''));
	END IF;
	why := left(regexp_replace(why, '[[:cntrl:]]+', ' ', 'g'), 500);
END $$;

-- One mail of ours came back, or is late, or has arrived. The first word of each kind holds: a thousand more change nothing. An
-- address is given up where it is the address that is wrong, and not the mail: its size, what stands in it, a box that is full.
CREATE FUNCTION back_bounce(b letter_back, of_outbox bigint) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	v record;
	dead boolean;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = of_outbox FOR UPDATE;
	IF o.bounced IS NOT NULL THEN
		RETURN false;
	END IF;
	SELECT x.* INTO v FROM bounce_verdict(b.returned, CASE WHEN b.returned = '' THEN
		(SELECT left(i.title || chr(10) || i.text, 20000) FROM item i WHERE i.id = b.mail) ELSE '' END) x;
	IF v.verdict = 'delivered' THEN
		UPDATE outbox SET delivered = b.received WHERE id = o.id AND delivered IS NULL;
		RETURN false;
	ELSIF v.verdict IN ('delayed', 'unclear') THEN
		IF o.bounce = '' THEN
			UPDATE outbox SET bounce = v.verdict || ': ' || v.why WHERE id = o.id;
			PERFORM journal_add('outbox/' || o.number, v.verdict, NULL, jsonb_build_object('says', v.why, 'mail', b.mail)::text);
			IF v.verdict = 'unclear' AND o.kind <> 'acknowledgement' THEN
				PERFORM alarm_raise('notice-bounced', o.number, NULL, 'something came back for ' || o.number || ' to ' || o.address
					|| ' that does not say what became of it: cirt mail show ' || report_number(b.mail));
			END IF;
		END IF;
		RETURN false;
	END IF;
	dead := v.verdict = 'permanent' AND v.status !~ '^5\.(2\.[23]|3\.4|6\.)';
	-- Before the mail's own row: what becomes of its reports depends on whether another contact can be tried.
	IF dead THEN
		UPDATE contact SET bounced = now() WHERE lower(email) = lower(o.address) AND bounced IS NULL;
	END IF;
	UPDATE outbox SET bounced = b.received, bounce = v.why WHERE id = o.id;
	PERFORM journal_add('outbox/' || o.number, 'came back', NULL,
		jsonb_build_object('address', o.address, 'says', v.why, 'permanent', dead, 'mail', b.mail)::text);
	IF o.kind <> 'acknowledgement' THEN
		PERFORM alarm_raise('notice-bounced', o.number, NULL, o.number || ' to ' || o.address || ' came back: ' || v.why
			|| coalesce((SELECT '; call ' || concat_ws(', ', nullif(c.name, ''), nullif(c.phone, '')) FROM contact c
				WHERE c.id = o.contact AND c.phone <> ''), ''));
	END IF;
	RETURN true;
END $$;

-- ---- answers ----

-- The case of a mail of ours: its own, else one of the reports it tells, an open one first; else a new one with all of them.
CREATE FUNCTION back_case(of_outbox bigint, OUT which bigint, OUT opened boolean) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
BEGIN
	SELECT * INTO o FROM outbox x WHERE x.id = of_outbox;
	opened := false;
	which := case_now(o.case_id);
	IF which IS NULL THEN
		SELECT c.id INTO which FROM (SELECT DISTINCT case_now(r.case_id) AS id FROM disclosure d
				JOIN case_report r ON r.report = d.report AND r.ended IS NULL WHERE d.outbox = o.id) f
			JOIN cases c ON c.id = f.id WHERE c.exercise = o.exercise
			ORDER BY c.state IN ('closed', 'rejected'), c.id DESC LIMIT 1;
	END IF;
	IF which IS NULL THEN
		opened := true;
		INSERT INTO cases (title, severity, tlp, pap, type, identifier, organisation, restricted, exercise)
			SELECT 'Answer to ' || o.number || ': ' || coalesce((SELECT g.name FROM organisation g WHERE g.id = o.organisation), o.address),
				w.severity, greatest(o.tlp, w.tlp), coalesce(w.pap, 'amber'), coalesce(w.type, 'undetermined'), coalesce(w.identifier, ''),
				o.organisation, coalesce(w.restricted, false), o.exercise
			FROM (SELECT 1) AS always LEFT JOIN (SELECT max(coalesce(st.severity, r.severity)) AS severity, max(r.tlp) AS tlp,
					max(r.pap) AS pap, (array_agg(r.type ORDER BY r.severity DESC, r.id))[1] AS type,
					(array_agg(r.identifier ORDER BY r.severity DESC, r.id))[1] AS identifier, bool_or(s.restricted) AS restricted
				FROM disclosure d JOIN report r ON r.id = d.report JOIN source s ON s.id = r.source
					LEFT JOIN report_status st ON st.report = r.id
				WHERE d.outbox = o.id AND d.left_out IS NULL) w ON true
			RETURNING cases.id INTO which;
		INSERT INTO party (case_id, role, organisation, name, contact) SELECT which,
			CASE o.recipient WHEN 'affected' THEN 'affected' WHEN 'provider' THEN 'hoster' WHEN 'source' THEN 'reporter'
				ELSE 'partner' END::party_role, o.organisation,
			coalesce((SELECT nullif(c.name, '') FROM contact c WHERE c.id = o.contact), ''), o.address;
		INSERT INTO case_report (report, case_id) SELECT d.report, which FROM disclosure d
			WHERE d.outbox = o.id AND d.left_out IS NULL AND EXISTS (SELECT 1 FROM report r WHERE r.id = d.report)
				AND NOT EXISTS (SELECT 1 FROM case_report r WHERE r.report = d.report AND r.ended IS NULL)
			ORDER BY d.report ON CONFLICT DO NOTHING;
	END IF;
	UPDATE outbox x SET case_id = which WHERE x.id = o.id AND x.case_id IS DISTINCT FROM which;
END $$;

-- Somebody has answered.
CREATE FUNCTION back_answer(b letter_back, of_outbox bigint, by_way letter_way) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	known boolean := outbox_knows(of_outbox, b.sender);
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

-- ---- acknowledging ----

-- Tell who reported that it has arrived: that and the report's number, nothing of what he wrote. Only who is who he says (DMARC), or
-- is known to us and not denied to be; never a machine or a list, never ourselves; once a thread and so often a day; and what belongs
-- to a drill to nobody outside it.
CREATE FUNCTION back_acknowledge(b letter_back, domain text, a_day int) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
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

-- ---- the queue ----

-- One batch. What the database refuses alone is told to a person, and the others go on.
CREATE FUNCTION keeper_back(batch int, domain text, acknowledge boolean, a_day int)
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
			ELSIF b.kind = 'reply' AND NOT b.machine AND f.id IS NOT NULL AND (f.way <> 'tag' OR outbox_knows(f.id, b.sender)) THEN
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

-- ---- asking sources ----

-- Addresses of whom to ask about a report: the source's own, and who sent it.
CREATE FUNCTION release_addresses(of_report bigint) RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT ARRAY(SELECT address FROM (
			SELECT 1 AS kind, n, u.address FROM report r JOIN source s ON s.id = r.source,
				regexp_split_to_table(lower(s.settings::jsonb ->> 'contact'), '[\s,]+') WITH ORDINALITY AS u (address, n) WHERE r.id = of_report
			UNION ALL SELECT 2, 1, l.sender FROM letter l WHERE l.mail = of_report AND l.sender <> '') a
		WHERE address ~ '^[^@]+@[^@]+$' ORDER BY kind, n)
$$;

-- Ask the source whether a report may be told. NULL: by phone, which somebody does now. Returns the id of the question.
CREATE FUNCTION release_ask(of_report bigint, to_address text, reason text, by_phone boolean, domain text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	r report;
	s source;
	known text[] := release_addresses(of_report);
	whom text := lower(coalesce(nullif(to_address, ''), known[1]));
	open_one release;
	mail outbox;
	fresh bigint;
BEGIN
	SELECT * INTO r FROM report WHERE id = of_report;
	IF r.id IS NULL THEN
		RAISE EXCEPTION 'there is no report %', report_number(of_report) USING ERRCODE = 'no_data_found';
	END IF;
	SELECT * INTO s FROM source WHERE id = r.source FOR UPDATE;
	SELECT * INTO open_one FROM release WHERE report = r.id AND granted IS NULL ORDER BY id DESC LIMIT 1;
	IF open_one.id IS NOT NULL THEN
		RAISE EXCEPTION 'about report % its source was asked already, on %, and has not answered yet', report_number(r.id),
			to_char(open_one.asked, 'YYYY-MM-DD') USING ERRCODE = 'unique_violation';
	ELSIF by_phone THEN
		INSERT INTO release (report, source, note) VALUES (r.id, s.id, reason) RETURNING id INTO fresh;
		RETURN fresh;
	ELSIF whom IS NULL THEN
		RAISE EXCEPTION 'nobody is known to ask about what % told: cirt source set % --contact ADDRESS, or cirt tlp ask --phone', s.name, s.name
			USING ERRCODE = 'check_violation';
	ELSIF whom <> ALL (known) THEN
		-- Whoever is asked is told all of it.
		RAISE EXCEPTION '% is none of who told it (%): cirt source set % --contact ADDRESS', whom, coalesce(nullif(array_to_string(known, ', '),
			''), 'nobody is known'), s.name USING ERRCODE = 'check_violation';
	END IF;
	INSERT INTO outbox (kind, state, exercise, recipient, address, tlp, fields, in_reply_to, organisation, contact, language, message_id)
		SELECT 'release', 'ready', r.exercise, 'source', whom, r.tlp,
			jsonb_build_object('report', report_number(r.id), 'reason', reason),
			coalesce((SELECT '<' || l.message_id || '>' FROM letter l WHERE l.mail = r.id AND l.sender = whom AND l.message_id ~ '^[!-;=?-~]+$' LIMIT 1), ''),
			k.organisation, k.id, coalesce(k.language, 'en'), '<' || gen_random_uuid() || '@' || domain || '>'
		FROM (SELECT 1) AS always LEFT JOIN LATERAL (SELECT * FROM contact c WHERE lower(c.email) = whom AND c.valid @> now()
			ORDER BY c.priority, c.id LIMIT 1) k ON true
		RETURNING * INTO mail;
	INSERT INTO disclosure (report, outbox, cause) VALUES (r.id, mail.id, 'question');
	UPDATE outbox SET state = 'queued', released_by = actor() WHERE id = mail.id;
	INSERT INTO release (report, source, outbox, note) VALUES (r.id, s.id, mail.id, reason) RETURNING id INTO fresh;
	RETURN fresh;
END $$;

-- Write down what a source has answered: by a person, out of a mail that we have or of what was said. Without a question before it
-- one is put there, as asked by whoever writes it down.
CREATE FUNCTION release_answer(of_report bigint, answer_is release_kind, evidence bigint, words text) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	r report;
	mine release;
BEGIN
	SELECT * INTO r FROM report WHERE id = of_report;
	IF r.id IS NULL THEN
		RAISE EXCEPTION 'there is no report %', report_number(of_report) USING ERRCODE = 'no_data_found';
	ELSIF evidence IS NULL AND btrim(words) = '' THEN
		RAISE EXCEPTION 'say what is the evidence: the mail that says so, or a note of who said it when' USING ERRCODE = 'check_violation';
	ELSIF evidence IS NOT NULL AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.mail = evidence) THEN
		RAISE EXCEPTION 'there is no mail %', report_number(evidence) USING ERRCODE = 'no_data_found';
	END IF;
	SELECT * INTO mine FROM release WHERE report = r.id AND granted IS NULL ORDER BY id DESC LIMIT 1 FOR UPDATE;
	IF mine.id IS NULL THEN
		INSERT INTO release (report, source) VALUES (r.id, r.source) RETURNING * INTO mine;
	END IF;
	UPDATE release SET granted = answer_is, answered = now(), answered_by = actor(), answer = evidence,
		note = btrim(concat_ws(chr(10), nullif(note, ''), nullif(words, ''))) WHERE id = mine.id;
	PERFORM journal_add('report/' || r.id, 'release ' || CASE answer_is WHEN 'none' THEN 'refused' ELSE 'granted: ' || answer_is END, NULL,
		jsonb_build_object('release', mine.id, 'evidence', evidence, 'note', words)::text);
	PERFORM alarm_over('release-answered', o.number) FROM outbox o WHERE o.id = mine.outbox;
	IF answer_is = 'none' THEN
		UPDATE warning SET outcome = 'held', why = 'its source does not allow it', next = NULL, decided = now()
			WHERE report = r.id AND outcome = 'asks-permission';
	END IF;
	RETURN mine.id;
END $$;

-- What was told to somebody stays with us, and so does what he answered.
CREATE OR REPLACE VIEW report_held AS
	SELECT report FROM case_report
	UNION ALL SELECT report FROM fingerprint
	UNION ALL SELECT report FROM correlation_queue
	UNION ALL SELECT report FROM raise_queue
	UNION ALL SELECT substring(object FROM '^report/([0-9]{1,18})$')::bigint FROM hold
		WHERE object LIKE 'report/%' AND (until IS NULL OR until > now())
	UNION ALL SELECT item FROM case_letter
	UNION ALL SELECT item FROM case_letter_queue
	UNION ALL SELECT report FROM disclosure
	UNION ALL SELECT report FROM release
	UNION ALL SELECT answer FROM release WHERE answer IS NOT NULL
	UNION ALL SELECT answer FROM outbox WHERE answer IS NOT NULL
	UNION ALL SELECT mail FROM letter_back;

REVOKE ALL ON FUNCTION letter_outbox, outbox_knows, bounce_verdict, back_bounce, back_case, back_answer, back_acknowledge, keeper_back,
	release_addresses, release_ask, release_answer FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keeper_back TO cirt_keeper;
GRANT EXECUTE ON FUNCTION release_addresses, release_ask, release_answer TO cirt_desk;
GRANT INSERT ON letter_back TO cirt_store;
GRANT SELECT ON letter_back, notice_guess TO cirt_desk;
