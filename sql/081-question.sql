-- What operators do with questions: to a party of a case, to many at once; their answers, reminders, and what nobody has answered in time.
SET LOCAL search_path = cirt, pg_temp;

-- Mails that answer a question: the first, and all that came after it.
CREATE TABLE inquiry_letter (
	inquiry bigint NOT NULL REFERENCES inquiry,
	mail bigint NOT NULL,             -- report or item
	at timestamptz NOT NULL,
	PRIMARY KEY (inquiry, mail)
);

-- First words of answers, in the languages that come.
CREATE TABLE answer_word (
	word text PRIMARY KEY CHECK (word = lower(word)),
	means text NOT NULL CHECK (means IN ('yes', 'no', 'checking'))
);
INSERT INTO answer_word (word, means) VALUES ('yes', 'yes'), ('oui', 'yes'), ('si', 'yes'), ('sí', 'yes'), ('ja', 'yes'), ('sim', 'yes'), ('no', 'no'),
	('non', 'no'), ('nein', 'no'), ('não', 'no'), ('none', 'no'), ('not', 'no'), ('checking', 'checking'), ('check', 'checking'),
	('investigating', 'checking'), ('pending', 'checking'), ('vérification', 'checking'), ('vérifions', 'checking'), ('verificando', 'checking'),
	('comprobando', 'checking'), ('wir', 'checking');
DELETE FROM answer_word WHERE word = 'wir';

-- What an answer begins with: yes, no, checking; other: something else, for a person to read. Greetings and quotes are no answers.
CREATE FUNCTION answer_read(said text) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT w.means FROM (SELECT lower(substring(l FROM '^[^[:alpha:]]*([[:alpha:]]+)')) AS word, n
			FROM (SELECT l, row_number() OVER (ORDER BY n) AS n FROM regexp_split_to_table(left(replace(said, chr(13), ''), 20000), '\n') WITH ORDINALITY AS u (l, n)
				WHERE l ~ '[[:alpha:]]' AND l !~ '^\s*>' AND l !~* '^\s*(dear|hello|hi|bonjour|hola|estimad|guten|sehr|madame|monsieur|good)\M') f WHERE f.n <= 2) x
		JOIN answer_word w ON w.word = x.word ORDER BY x.n LIMIT 1), 'other')
$$;

-- A time to come: '4h', '3d', '2 weeks', a day or a moment.
CREATE FUNCTION until_read(said text, name text) RETURNS timestamptz LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	parts text[] := regexp_match(lower(btrim(said)), '^(\d{1,5})\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?)$');
	at timestamptz;
BEGIN
	BEGIN
		at := CASE WHEN parts IS NULL THEN said::timestamptz ELSE now() + (parts[1] || CASE left(parts[2], 1) WHEN 'm' THEN ' minutes' WHEN 'h' THEN ' hours'
			WHEN 'd' THEN ' days' ELSE ' weeks' END)::interval END;
	EXCEPTION WHEN data_exception THEN
		at := NULL;
	END;
	IF at IS NULL OR at = 'infinity' OR at = '-infinity' THEN
		RAISE EXCEPTION '%: expected a time such as 4h, 3d, 2026-11-24 or "2026-11-24 14:00", not "%"', name, left(coalesce(said, ''), 60)
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF at <= now() THEN
		RAISE EXCEPTION '%: % is over already', name, stamp(at) USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN at;
END $$;

CREATE FUNCTION question_read(said text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	t text := btrim(replace(coalesce(said, ''), chr(13), ''), E' \n\t');
BEGIN
	IF t = '' THEN
		RAISE EXCEPTION 'there is no question' USING ERRCODE = 'invalid_parameter_value';
	ELSIF octet_length(t) > 100000 THEN
		RAISE EXCEPTION 'a question has at most 100000 bytes, not %', octet_length(t) USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN t;
END $$;

-- What the mail of a question says.
CREATE FUNCTION question_text(of_language text, who text, question text, of_many boolean, due timestamptz, again boolean) RETURNS text LANGUAGE sql STABLE
SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
	SELECT concat_ws(chr(10) || chr(10), mail_greeting(of_language, who),
		CASE WHEN again THEN CASE left(of_language, 2) WHEN 'fr' THEN 'Nous n''avons pas encore votre réponse à cette question :' WHEN 'es' THEN
			'Aún no tenemos su respuesta a esta pregunta:' ELSE 'We have no answer of yours to this question yet:' END END,
		question,
		CASE WHEN of_many THEN CASE left(of_language, 2) WHEN 'fr' THEN 'Veuillez commencer votre réponse par OUI, NON ou VÉRIFICATION.' WHEN 'es' THEN
			'Por favor, empiece su respuesta con SÍ, NO o VERIFICANDO.' ELSE 'Please begin your answer with YES, NO or CHECKING.' END END,
		CASE left(of_language, 2) WHEN 'fr' THEN 'Répondez à ce message avant le ' WHEN 'es' THEN 'Responda a este mensaje antes del '
			ELSE 'Please answer this mail by ' END || to_char(due, 'YYYY-MM-DD HH24:MI') || ' UTC.') || chr(10)
$$;

CREATE FUNCTION inquiry_json(i inquiry) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('inquiry', i.id, 'case', c.number, 'ask', i.ask, 'to', coalesce(nullif(i.name, ''), nullif(i.address, ''), g.name),
		'address', nullif(i.address, ''), 'state', CASE WHEN i.state = 'open' AND i.due < now() THEN 'overdue' ELSE i.state::text END,
		'asked', stamp(i.asked), 'asked_by', i.asked_by, 'due', stamp(i.due), 'question', left(i.question, 300), 'number', o.number,
		'sent', CASE WHEN o.sent IS NOT NULL THEN stamp(o.sent) END, 'mail_state', CASE WHEN o.bounced IS NOT NULL THEN 'came back' ELSE o.state::text END,
		'reminders', nullif(i.reminders, 0), 'ended', stamp(i.ended), 'ended_by', i.ended_by, 'mail', report_number(i.mail), 'word', nullif(i.word, ''),
		'answer', nullif(i.answer, '')))
	FROM (SELECT) one LEFT JOIN cases c ON c.id = case_now(i.case_id) LEFT JOIN outbox o ON o.id = i.outbox LEFT JOIN organisation g ON g.id = i.organisation
$$;

CREATE FUNCTION inquiry_named(p jsonb) RETURNS inquiry LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	i inquiry;
BEGIN
	IF p ->> 'inquiry' !~ '^\d{1,18}$' THEN
		RAISE EXCEPTION 'a question is known by its number: cirt inquiry list' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO i FROM inquiry WHERE id = (p ->> 'inquiry')::bigint;
	IF i.id IS NULL THEN
		RAISE EXCEPTION 'there is no inquiry %: cirt inquiry list', p ->> 'inquiry' USING ERRCODE = 'no_data_found';
	ELSIF i.case_id IS NOT NULL THEN
		PERFORM case_seen((SELECT number FROM cases WHERE id = i.case_id), p);
	END IF;
	RETURN i;
END $$;

-- {case, to, question, due, subject, tlp, phone, dry_run}
CREATE FUNCTION desk_inquiry_new(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	question text := question_read(p ->> 'question');
	due timestamptz := until_read(coalesce(p ->> 'due', ''), 'due');
	c cases := case_reached(p ->> 'case', p);
	subject text := left(coalesce(p ->> 'subject', 'Question: ' || substring(question FROM '^[^\n]{1,100}')), 300);
	m jsonb;
	i inquiry;
	o outbox;
	act bigint;
BEGIN
	IF NOT p ? 'to' THEN
		RAISE EXCEPTION 'say whom to ask: --to PARTY' USING ERRCODE = 'invalid_parameter_value';
	ELSIF c.state IN ('closed', 'rejected', 'merged') THEN
		RAISE EXCEPTION '% is %', c.number, c.state USING ERRCODE = 'check_violation';
	END IF;
	IF p ? 'phone' THEN
		INSERT INTO inquiry (case_id, name, question, due) VALUES (c.id, p ->> 'to', question, due) RETURNING * INTO i;
		PERFORM journal_add('case/' || c.number, 'asked ' || left(i.name, 200) || ' by phone', NULL, jsonb_build_object('inquiry', i.id, 'due', stamp(due))::text);
		RETURN inquiry_json(i);
	END IF;
	m := mail_plan(p || jsonb_build_object('what', c.number, 'fresh', true, 'subject', subject, 'draft', true) - 'text');
	m := mail_plan(p || jsonb_build_object('what', c.number, 'fresh', true, 'subject', subject,
		'text', question_text(m ->> 'language', m ->> 'name', question, false, due, false)));
	IF p ? 'dry_run' THEN
		RETURN m - '{case_id,party,organisation_id,contact_id,exercise_id,answers_id}'::text[];
	ELSIF m ? 'refused' THEN
		RAISE EXCEPTION 'this must not be told to %: %', m ->> 'to', m ->> 'refused' USING ERRCODE = 'insufficient_privilege';
	END IF;
	INSERT INTO inquiry (case_id, party, organisation, name, address, question, due) VALUES (c.id, (m ->> 'party')::bigint, (m ->> 'organisation_id')::int,
		coalesce(m ->> 'name', ''), m ->> 'to', question, due) RETURNING * INTO i;
	o := mail_put(m, p ->> 'domain', i.id, '60 seconds');
	UPDATE inquiry SET outbox = o.id WHERE id = i.id RETURNING * INTO i;
	PERFORM journal_add('case/' || c.number, 'asked ' || coalesce(nullif(i.name, ''), i.address), NULL,
		jsonb_build_object('inquiry', i.id, 'outbox', o.number, 'due', stamp(due))::text);
	act := act_put('inquiry', 'question ' || i.id || ' to ' || i.address, 'mail_undo', jsonb_build_object('outbox', o.id), CASE o.state WHEN 'queued' THEN o.due END);
	RETURN inquiry_json(i) || jsonb_build_object('state', o.state, 'tags', m ->> 'tags', 'subject', m ->> 'subject', 'tlp', m ->> 'tlp', 'key', m -> 'key',
		'why', m ->> 'why', 'act', act, 'goes', stamp(o.due), 'seconds', 60, 'defanged', m -> 'defanged', 'removed', m -> 'removed', 'told', m -> 'told');
END $$;

-- {case, all, overdue, limit, cursor}: the next due first; with `all` those that are over too, the newest first.
CREATE FUNCTION desk_inquiry_list(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH rows AS (SELECT i.id, inquiry_json(i) AS line, row_number() OVER (ORDER BY CASE WHEN p ? 'all' THEN NULL ELSE i.due END, CASE WHEN p ? 'all' THEN -i.id ELSE i.id END) AS n
		FROM inquiry i WHERE CASE WHEN p ? 'all' THEN i.id < coalesce((p ->> 'cursor')::bigint, 9223372036854775807)
				ELSE i.state = 'open' AND (NOT p ? 'cursor' OR (p ->> 'cursor')::bigint = 9223372036854775807
					OR (i.due, i.id) > (SELECT k.due, k.id FROM inquiry k WHERE k.id = (p ->> 'cursor')::bigint)) END
			AND (NOT p ? 'case' OR i.case_id = ANY (case_whole(case_seen(p ->> 'case', p)))) AND (NOT p ? 'overdue' OR i.state = 'open' AND i.due < now())
			AND (i.case_id IS NULL OR p ->> 'role' IN ('lead', 'admin') OR case_may_see(i.case_id, p ->> 'operator'))
		ORDER BY n LIMIT coalesce((p ->> 'limit')::int, 50) + 1),
	page AS (SELECT * FROM rows ORDER BY n LIMIT coalesce((p ->> 'limit')::int, 50))
	SELECT json_build_object('items', (SELECT coalesce(json_agg(line ORDER BY n), '[]') FROM page),
		'next', CASE WHEN (SELECT count(*) FROM rows) > (SELECT count(*) FROM page) THEN (SELECT id::text FROM page ORDER BY n DESC LIMIT 1) END)
$$;

-- The question and its own thread.
CREATE FUNCTION desk_inquiry_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	i inquiry := inquiry_named(p);
BEGIN
	RETURN inquiry_json(i) || jsonb_build_object('question', i.question, 'thread', (SELECT coalesce(jsonb_agg(t.line ORDER BY t.at), '[]') FROM (
		SELECT coalesce(o.sent, o.created) AS at, jsonb_build_object('way', 'out', 'id', o.number, 'at', stamp(coalesce(o.sent, o.created)), 'who', o.address,
			'state', CASE WHEN o.bounced IS NOT NULL THEN 'came back' ELSE o.state::text END, 'text', o.fields ->> 'text') AS line FROM outbox o WHERE o.inquiry = i.id
		UNION ALL SELECT l.at, jsonb_build_object('way', 'in', 'id', report_number(l.mail), 'at', stamp(l.at), 'who', coalesce((SELECT sender FROM letter x
				WHERE x.mail = l.mail LIMIT 1), ''), 'state', '', 'text', text_defang(left(coalesce((SELECT m.text FROM item m WHERE m.id = l.mail),
				(SELECT r.text FROM report r WHERE r.id = l.mail), ''), 100000), '{}', ''))
			FROM inquiry_letter l WHERE l.inquiry = i.id) t));
END $$;

CREATE FUNCTION inquiry_end(i inquiry, how inquiry_state, of_mail bigint, of_word text, says text) RETURNS inquiry LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
BEGIN
	UPDATE inquiry x SET state = how, ended = CASE how WHEN 'open' THEN NULL ELSE now() END, ended_by = CASE how WHEN 'open' THEN NULL ELSE actor() END,
			mail = coalesce(x.mail, of_mail), word = of_word, answer = left(says, 10000)
		WHERE x.id = i.id RETURNING * INTO i;
	PERFORM alarm_over('inquiry-overdue', i.id::text);
	IF i.case_id IS NOT NULL AND i.ask IS NULL THEN
		PERFORM journal_add('case/' || c.number, CASE how WHEN 'dropped' THEN 'question dropped: ' ELSE 'answer of ' END || coalesce(nullif(i.name, ''), i.address), NULL,
			jsonb_strip_nulls(jsonb_build_object('inquiry', i.id, 'mail', of_mail, 'word', nullif(of_word, '')))::text)
			FROM cases c WHERE c.id = case_now(i.case_id);
	END IF;
	RETURN i;
END $$;

-- {inquiry, mail, note, word}: it was answered by phone, or by a mail that nobody has recognised.
CREATE FUNCTION desk_inquiry_answered(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	i inquiry := inquiry_named(p);
	of_mail bigint := report_id(p ->> 'mail');
	word text := coalesce(lower(p ->> 'word'), i.word);
BEGIN
	IF i.state <> 'open' AND NOT p ? 'word' THEN
		RAISE EXCEPTION 'question % was % on %', i.id, i.state, to_char(i.ended, 'YYYY-MM-DD') USING ERRCODE = 'check_violation';
	ELSIF p ? 'mail' AND (of_mail IS NULL OR NOT EXISTS (SELECT 1 FROM letter l WHERE l.mail = of_mail)) THEN
		RAISE EXCEPTION 'there is no mail %', left(p ->> 'mail', 60) USING ERRCODE = 'no_data_found';
	ELSIF word NOT IN ('', 'yes', 'no', 'checking', 'other') THEN
		RAISE EXCEPTION 'word: expected yes, no, checking or other' USING ERRCODE = 'invalid_parameter_value';
	ELSIF of_mail IS NULL AND btrim(coalesce(p ->> 'note', '')) = '' AND NOT p ? 'word' THEN
		RAISE EXCEPTION 'say what the answer was, --note TEXT, or which mail it is, --mail ID' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN inquiry_json(inquiry_end(i, 'answered', of_mail, word, coalesce(p ->> 'note', i.answer)));
END $$;

CREATE FUNCTION desk_inquiry_drop(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	i inquiry := inquiry_named(p);
BEGIN
	IF i.state <> 'open' THEN
		RAISE EXCEPTION 'question % was % on %', i.id, i.state, to_char(i.ended, 'YYYY-MM-DD') USING ERRCODE = 'check_violation';
	END IF;
	RETURN inquiry_json(inquiry_end(i, 'dropped', NULL, i.word, coalesce(p ->> 'reason', '')));
END $$;

-- The question again, below the first mail of it.
CREATE FUNCTION inquiry_again(i inquiry, domain text, until timestamptz) RETURNS outbox LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	first outbox;
	o outbox;
BEGIN
	SELECT * INTO first FROM outbox WHERE id = i.outbox;
	IF first.id IS NULL OR first.state <> 'sent' THEN
		RAISE EXCEPTION 'question % was not sent by mail: call them', i.id USING ERRCODE = 'check_violation';
	END IF;
	INSERT INTO outbox (kind, state, exercise, organisation, contact, recipient, address, language, template, tlp, form, fields, case_id, in_reply_to,
			approvals, approved_by, released_by, message_id, inquiry)
		VALUES ('mail', 'queued', first.exercise, first.organisation, first.contact, first.recipient, first.address, first.language, first.template, first.tlp,
			first.form, first.fields || jsonb_build_object('references', first.message_id, 'text', question_text(first.language, i.name, i.question,
				i.ask IS NOT NULL, coalesce(until, i.due), true) || coalesce(substring(first.fields ->> 'text' FROM '\n-- \n.*$'), '')),
			first.case_id, first.message_id, first.approvals, first.approved_by, actor(), '<' || gen_random_uuid() || '@' || domain || '>', i.id) RETURNING * INTO o;
	UPDATE inquiry SET reminders = reminders + 1, reminded = now(), due = coalesce(until, due), overdue = CASE WHEN until IS NULL THEN overdue END WHERE id = i.id;
	RETURN o;
END $$;

-- {inquiry, due}
CREATE FUNCTION desk_inquiry_remind(p jsonb) RETURNS json LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	i inquiry := inquiry_named(p);
	o outbox;
BEGIN
	IF i.state <> 'open' THEN
		RAISE EXCEPTION 'question % was % on %', i.id, i.state, to_char(i.ended, 'YYYY-MM-DD') USING ERRCODE = 'check_violation';
	END IF;
	o := inquiry_again(i, p ->> 'domain', CASE WHEN p ? 'due' THEN until_read(p ->> 'due', 'due') END);
	PERFORM alarm_over('inquiry-overdue', i.id::text);
	RETURN inquiry_json((SELECT x FROM inquiry x WHERE x.id = i.id)) || jsonb_build_object('number', o.number);
END $$;

-- A mail that answers a question has come. The last word holds; who is still checking is still to answer.
CREATE FUNCTION inquiry_taken(of_inquiry bigint, of_mail bigint, at timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	i inquiry;
	said text := coalesce((SELECT m.text FROM item m WHERE m.id = of_mail), (SELECT r.text FROM report r WHERE r.id = of_mail), '');
	heard text;
BEGIN
	SELECT * INTO i FROM inquiry WHERE id = of_inquiry FOR UPDATE;
	INSERT INTO inquiry_letter (inquiry, mail, at) VALUES (i.id, of_mail, at) ON CONFLICT DO NOTHING;
	IF i.state = 'dropped' THEN
		RETURN;
	END IF;
	heard := CASE WHEN i.ask IS NULL THEN '' ELSE answer_read(said) END;
	IF i.word NOT IN ('', 'other') AND heard = 'other' THEN
		heard := i.word;
	END IF;
	IF heard = 'checking' THEN
		UPDATE inquiry SET word = heard, mail = coalesce(mail, of_mail) WHERE id = i.id AND state = 'open';
	ELSIF i.state = 'open' OR heard <> i.word THEN
		PERFORM inquiry_end(i, 'answered', of_mail, heard, i.answer);
	END IF;
END $$;

-- ---- many ----

CREATE FUNCTION ask_named(p jsonb) RETURNS ask LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	a ask;
BEGIN
	IF p ->> 'ask' !~ '^\d{1,9}$' THEN
		RAISE EXCEPTION 'a question to many is known by its number: cirt ask list' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO a FROM ask WHERE id = (p ->> 'ask')::int;
	IF a.id IS NULL THEN
		RAISE EXCEPTION 'there is no ask %: cirt ask list', p ->> 'ask' USING ERRCODE = 'no_data_found';
	ELSIF a.case_id IS NOT NULL THEN
		PERFORM case_seen((SELECT number FROM cases WHERE id = a.case_id), p);
	END IF;
	RETURN a;
END $$;

-- Organisations that are meant: 'sector:health', 'kind:hospital', or a group.
CREATE FUNCTION ask_whom(said text) RETURNS int[] LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	parts text[] := regexp_match(lower(btrim(said)), '^(sector|kind|group):\s*(.+)$');
	ids int[];
BEGIN
	IF parts[1] = 'sector' THEN
		ids := ARRAY(SELECT o.id FROM organisation o WHERE lower(o.sector) = parts[2] AND o.valid @> now() ORDER BY o.name);
	ELSIF parts[1] = 'kind' THEN
		ids := ARRAY(SELECT o.id FROM organisation o WHERE o.kind::text = parts[2] AND o.valid @> now() ORDER BY o.name);
	ELSE
		ids := ARRAY(SELECT o.id FROM group_holds(group_named(coalesce(parts[2], btrim(said)))) AS g JOIN organisation o ON o.id = g WHERE o.valid @> now() ORDER BY o.name);
	END IF;
	IF cardinality(ids) = 0 THEN
		RAISE EXCEPTION 'there is no organisation in "%"', left(said, 60) USING ERRCODE = 'no_data_found', HINT = 'A group, sector:health or kind:hospital was expected.';
	END IF;
	RETURN ids;
END $$;

CREATE FUNCTION ask_tally(a ask) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('of', count(*), 'yes', count(*) FILTER (WHERE i.word = 'yes'), 'no', count(*) FILTER (WHERE i.word = 'no'),
		'checking', count(*) FILTER (WHERE i.word = 'checking'), 'other', count(*) FILTER (WHERE i.word = 'other'), 'silent', count(*) FILTER (WHERE i.word = ''),
		'unreached', count(*) FILTER (WHERE i.word = '' AND (i.outbox IS NULL OR o.bounced IS NOT NULL OR o.state IN ('failed', 'cancelled'))))
	FROM inquiry i LEFT JOIN outbox o ON o.id = i.outbox WHERE i.ask = a.id
$$;

CREATE FUNCTION ask_json(a ask) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('ask', a.id, 'case', (SELECT number FROM cases WHERE id = case_now(a.case_id)), 'whom', a.whom, 'subject', a.subject,
		'question', left(a.question, 300), 'tlp', a.tlp, 'state', CASE WHEN a.closed IS NOT NULL THEN 'closed' WHEN EXISTS (SELECT 1 FROM inquiry i JOIN outbox o
			ON o.id = i.outbox WHERE i.ask = a.id AND o.state = 'ready') THEN 'waits for a second person' WHEN a.until < now() THEN 'over' ELSE 'open' END,
		'exercise', nullif((SELECT name FROM exercise WHERE id = a.exercise), ''), 'asked', stamp(a.created), 'asked_by', a.actor, 'until', stamp(a.until),
		'remind', stamp(a.remind), 'reminded', stamp(a.reminded))) || ask_tally(a)
$$;

-- Its mails go: the second of two people has said so, or one was enough.
CREATE FUNCTION ask_let_go(payload jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a ask;
	n int;
BEGIN
	SELECT * INTO STRICT a FROM ask WHERE id = (payload ->> 'ask')::int FOR UPDATE;
	UPDATE outbox o SET approved_by = ARRAY[a.actor, CASE WHEN actor() = a.actor THEN 'break-glass' ELSE actor() END]
		FROM inquiry i WHERE i.ask = a.id AND o.id = i.outbox AND o.state = 'ready' AND o.approvals > 0;
	UPDATE outbox o SET state = 'queued', released_by = actor(), due = now() + interval '60 seconds', next_try = now() + interval '60 seconds'
		FROM inquiry i WHERE i.ask = a.id AND o.id = i.outbox AND o.state = 'ready';
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM journal_add('ask/' || a.id, 'let go', NULL, jsonb_build_object('mails', n)::text);
	RETURN ask_json(a) || jsonb_build_object('mails', n);
END $$;
INSERT INTO approval_kind (kind, meaning, do_function) VALUES ('ask', 'one question to many organisations', 'ask_let_go');

INSERT INTO act_kind (undo_function) VALUES ('ask_undo');
CREATE FUNCTION ask_undo(undo jsonb) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a ask;
	n int;
BEGIN
	SELECT * INTO STRICT a FROM ask WHERE id = (undo ->> 'ask')::int FOR UPDATE;
	IF EXISTS (SELECT 1 FROM inquiry i JOIN outbox o ON o.id = i.outbox WHERE i.ask = a.id AND (o.bytes IS NOT NULL OR o.state NOT IN ('ready', 'queued', 'cancelled')
		OR o.held_until > now())) THEN
		RAISE EXCEPTION 'ask % is on its way: cirt ask close % expects no more answers', a.id, a.id USING ERRCODE = 'check_violation';
	END IF;
	UPDATE outbox o SET state = 'cancelled', why = 'taken back by ' || actor() FROM inquiry i WHERE i.ask = a.id AND o.id = i.outbox AND o.state <> 'cancelled';
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM inquiry_end(i, 'dropped', NULL, '', 'taken back') FROM inquiry i WHERE i.ask = a.id AND i.state = 'open';
	UPDATE ask SET closed = now(), remind = NULL WHERE id = a.id;
	RETURN n || ' mails do not go';
END $$;

-- A mail of a question to many, which waits until all of them are let go.
CREATE FUNCTION ask_put(m jsonb, domain text, of_inquiry bigint) RETURNS bigint LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	INSERT INTO outbox (kind, state, exercise, organisation, contact, recipient, address, language, template, tlp, form, fields, case_id, approvals, approved_by,
			message_id, inquiry)
		VALUES ('mail', 'ready', (m ->> 'exercise_id')::int, (m ->> 'organisation_id')::int, (m ->> 'contact_id')::int, 'affected', m ->> 'to', m ->> 'language',
			'mail-case', (m ->> 'tlp')::tlp, (m ->> 'form')::disclosure_form, jsonb_build_object('subject', m ->> 'subject', 'tags', m ->> 'tags', 'text', m ->> 'text'),
			(m ->> 'case_id')::bigint, (m ->> 'approvals')::int, ARRAY[actor()], '<' || gen_random_uuid() || '@' || domain || '>', of_inquiry)
		RETURNING id
$$;

-- {group, question, until, case, subject, tlp, no_reminder, dry_run, break_glass}
CREATE FUNCTION desk_ask(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	words text := question_read(p ->> 'question');
	due timestamptz := until_read(coalesce(p ->> 'until', ''), 'until');
	ids int[] := ask_whom(p ->> 'group');
	about text;
	label tlp;
	c cases;
	a ask;
	i inquiry;
	k contact;
	one organisation;
	v record;
	m jsonb;
	mails int := 0;
	two boolean := false;
	why text := '';
	unreached text[] := '{}';
	answer jsonb;
BEGIN
	IF p ? 'case' THEN
		c := case_reached(p ->> 'case', p);
		IF c.state IN ('closed', 'rejected', 'merged') THEN
			RAISE EXCEPTION '% is %', c.number, c.state USING ERRCODE = 'check_violation';
		END IF;
	END IF;
	label := coalesce(tlp_read(p ->> 'tlp'), c.tlp, 'amber');
	about := coalesce(nullif(mail_subject(p ->> 'subject', p ->> 'tag'), ''), left('Question: ' || substring(words FROM '^[^\n]{1,100}'), 300));
	INSERT INTO ask (case_id, whom, subject, question, tlp, exercise, until, remind) VALUES (c.id, btrim(p ->> 'group'), about, words, label, coalesce(c.exercise, 0), due,
		CASE WHEN p ? 'no_reminder' THEN NULL ELSE now() + (due - now()) / 2 END) RETURNING * INTO a;
	FOR one IN SELECT o.* FROM organisation o WHERE o.id = ANY (ids) ORDER BY o.name LOOP
		k := NULL;
		SELECT (contact_for(one.id, r, now())).* INTO k FROM unnest('{security,duty,technical,management,abuse,other}'::contact_role[]) WITH ORDINALITY AS u (r, n)
			WHERE (contact_for(one.id, r, now())).id IS NOT NULL AND (a.exercise = 0 OR in_directory(a.exercise, (contact_for(one.id, r, now())).email)) ORDER BY n LIMIT 1;
		INSERT INTO inquiry (case_id, ask, organisation, name, address, question, due) VALUES (c.id, a.id, one.id, one.name, coalesce(k.email, ''), words, due)
			RETURNING * INTO i;
		IF k.id IS NULL THEN
			unreached := unreached || one.name;
			CONTINUE;
		END IF;
		SELECT * INTO v FROM mail_verdict(label, coalesce(c.tlp, label), coalesce(c.pap, 'amber'), 'affected', a.exercise, k.email);
		IF v.verdict IN ('refuse', 'ask') THEN
			RAISE EXCEPTION 'this must not be told to %: %', k.email, v.why USING ERRCODE = 'insufficient_privilege';
		END IF;
		m := jsonb_build_object('to', k.email, 'organisation_id', one.id, 'contact_id', k.id, 'recipient', 'affected', 'language', k.language, 'tlp', label,
			'form', CASE v.verdict WHEN 'sanitise' THEN 'sanitised' ELSE 'full' END, 'subject', about,
			'tags', CASE WHEN c.id IS NULL THEN '' ELSE '[' || (p ->> 'tag') || ' ' || c.number || ']' END,
			'text', text_defang(question_text(k.language, coalesce(nullif(k.name, ''), one.name), words, true, due, false), '{}', coalesce(p ->> 'domain', ''))
				|| CASE WHEN coalesce(p ->> 'name', '') = '' THEN '' ELSE chr(10) || '-- ' || chr(10) || (p ->> 'name') || chr(10) || coalesce(p ->> 'address', '') || chr(10) END,
			'case_id', c.id, 'exercise_id', a.exercise, 'in_reply_to', '', 'approvals', v.approvals, 'told', '[]'::jsonb);
		UPDATE inquiry SET outbox = ask_put(m, p ->> 'domain', i.id) WHERE id = i.id;
		mails := mails + 1;
		IF v.approvals > 0 THEN
			two := true;
			why := coalesce(v.why, '');
		END IF;
	END LOOP;
	IF mails > (p ->> 'mass')::int THEN
		two := true;
		why := concat_ws('; ', nullif(why, ''), mails || ' mails at once: two people have to let them go');
	END IF;
	IF c.id IS NOT NULL THEN
		PERFORM journal_add('case/' || c.number, 'asked ' || mails || ' organisations: ' || left(a.whom, 200), NULL, jsonb_build_object('ask', a.id, 'until', stamp(due))::text);
	END IF;
	IF two THEN
		UPDATE outbox o SET approvals = 2 FROM inquiry q WHERE q.ask = a.id AND o.id = q.outbox;
		answer := approval_do('ask', 'ask/' || a.id, 'a question to ' || mails || ' organisations (' || left(a.whom, 100) || '): ' || left(about, 200),
			jsonb_build_object('ask', a.id), p);
		answer := ask_json(a) || jsonb_build_object('mails', mails, 'why', why) || answer;
	ELSE
		answer := ask_let_go(jsonb_build_object('ask', a.id));
	END IF;
	RETURN answer || jsonb_build_object('unreached_names', to_jsonb(unreached), 'seconds', 60, 'act',
		act_put('ask', 'question ' || a.id || ' to ' || mails || ' organisations', 'ask_undo', jsonb_build_object('ask', a.id), NULL));
END $$;

CREATE FUNCTION desk_ask_list(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH rows AS (SELECT a.id, ask_json(a) AS line FROM ask a WHERE a.id < coalesce((p ->> 'cursor')::bigint, 9223372036854775807) AND (p ? 'all' OR a.closed IS NULL)
			AND (a.case_id IS NULL OR p ->> 'role' IN ('lead', 'admin') OR case_may_see(a.case_id, p ->> 'operator'))
		ORDER BY a.id DESC LIMIT coalesce((p ->> 'limit')::int, 50) + 1),
	page AS (SELECT * FROM rows ORDER BY id DESC LIMIT coalesce((p ->> 'limit')::int, 50))
	SELECT json_build_object('items', (SELECT coalesce(json_agg(line ORDER BY id DESC), '[]') FROM page),
		'next', CASE WHEN (SELECT count(*) FROM rows) > (SELECT count(*) FROM page) THEN (SELECT min(id)::text FROM page) END)
$$;

-- How it stands now: by sector, who has answered what, who has not, whom it cannot have reached.
CREATE FUNCTION desk_ask_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	a ask := ask_named(p);
BEGIN
	RETURN ask_json(a) || jsonb_build_object('question', a.question,
		'sectors', (SELECT coalesce(jsonb_agg(jsonb_build_object('sector', s.sector, 'of', s.n, 'yes', s.yes, 'no', s.no, 'checking', s.checking, 'other', s.other,
				'silent', s.silent) ORDER BY s.sector), '[]') FROM (SELECT coalesce(nullif(g.sector, ''), '-') AS sector, count(*) AS n, count(*) FILTER (WHERE i.word = 'yes') AS yes,
				count(*) FILTER (WHERE i.word = 'no') AS no, count(*) FILTER (WHERE i.word = 'checking') AS checking, count(*) FILTER (WHERE i.word = 'other') AS other,
				count(*) FILTER (WHERE i.word = '') AS silent FROM inquiry i JOIN organisation g ON g.id = i.organisation WHERE i.ask = a.id GROUP BY 1) s),
		'items', (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('inquiry', i.id, 'organisation', i.name, 'word', CASE i.word WHEN '' THEN 'no answer'
				ELSE i.word END, 'answered', stamp(coalesce(i.ended, (SELECT min(l.at) FROM inquiry_letter l WHERE l.inquiry = i.id))), 'mail', report_number(i.mail),
				'note', nullif(i.answer, ''), 'reached', CASE WHEN i.outbox IS NULL THEN 'NO CONTACT: call them' WHEN o.bounced IS NOT NULL THEN 'CAME BACK: call them'
				WHEN o.state IN ('failed', 'cancelled', 'held') THEN upper(o.state::text) WHEN o.state = 'sent' THEN i.address ELSE o.state::text END,
				'reminders', nullif(i.reminders, 0))) ORDER BY array_position('{yes,other,checking,"",no}', i.word), i.name), '[]')
			FROM inquiry i LEFT JOIN outbox o ON o.id = i.outbox WHERE i.ask = a.id));
END $$;

-- {ask, organisation, answer, note}: as it was said by phone, or read by a person.
CREATE FUNCTION desk_ask_set(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a ask := ask_named(p);
	said text := CASE lower(p ->> 'answer') WHEN 'none' THEN '' ELSE lower(p ->> 'answer') END;
	i inquiry;
BEGIN
	IF said NOT IN ('yes', 'no', 'checking', 'other', '') THEN
		RAISE EXCEPTION 'answer: expected yes, no, checking, other or none, not "%"', left(p ->> 'answer', 40) USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO i FROM inquiry x WHERE x.ask = a.id AND lower(x.name) = lower(btrim(p ->> 'organisation'));
	IF i.id IS NULL THEN
		RAISE EXCEPTION '"%" was not asked: cirt ask show %', left(p ->> 'organisation', 100), a.id USING ERRCODE = 'no_data_found';
	END IF;
	i := inquiry_end(i, CASE WHEN said IN ('', 'checking') THEN 'open' ELSE 'answered' END::inquiry_state, NULL, said, coalesce(p ->> 'note', i.answer));
	RETURN inquiry_json(i) || ask_tally(a);
END $$;

-- Remind who has not answered and can be reached. Returns how many.
CREATE FUNCTION ask_again(a ask, domain text) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	i inquiry;
	n int := 0;
BEGIN
	FOR i IN SELECT x.* FROM inquiry x JOIN outbox o ON o.id = x.outbox WHERE x.ask = a.id AND x.state = 'open' AND x.word = '' AND o.state = 'sent'
			AND o.bounced IS NULL AND (x.reminded IS NULL OR x.reminded < now() - interval '1 hour') ORDER BY x.id LOOP
		PERFORM inquiry_again(i, domain, NULL);
		n := n + 1;
	END LOOP;
	UPDATE ask SET reminded = now(), remind = NULL WHERE id = a.id;
	RETURN n;
END $$;

CREATE FUNCTION desk_ask_remind(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a ask := ask_named(p);
	n int;
BEGIN
	IF a.closed IS NOT NULL THEN
		RAISE EXCEPTION 'ask % is closed', a.id USING ERRCODE = 'check_violation';
	END IF;
	n := ask_again(a, p ->> 'domain');
	RETURN ask_json((SELECT x FROM ask x WHERE x.id = a.id)) || jsonb_build_object('mails', n);
END $$;

-- No more answers are expected; those that come are counted all the same.
CREATE FUNCTION desk_ask_close(p jsonb) RETURNS json LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	a ask := ask_named(p);
BEGIN
	UPDATE inquiry SET state = 'answered', ended = now(), ended_by = actor(), answer = 'ask closed' WHERE ask = a.id AND state = 'open';
	UPDATE ask SET closed = now(), remind = NULL WHERE id = a.id AND closed IS NULL RETURNING * INTO a;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'ask % is closed', p ->> 'ask' USING ERRCODE = 'check_violation';
	END IF;
	PERFORM alarm_over('ask-over', a.id::text);
	RETURN ask_json(a);
END $$;

-- ---- the keeper ----

-- Reminders at half time; what is over and has not been answered is told to a person, once each.
CREATE FUNCTION keeper_inquiries(domain text) RETURNS TABLE (reminded int, overdue int) LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	a ask;
	i inquiry;
BEGIN
	reminded := 0;
	overdue := 0;
	FOR a IN SELECT * FROM ask x WHERE x.remind <= now() AND x.closed IS NULL AND x.until > now() ORDER BY x.id FOR UPDATE SKIP LOCKED LOOP
		reminded := reminded + ask_again(a, domain);
	END LOOP;
	FOR i IN SELECT * FROM inquiry x WHERE x.state = 'open' AND x.due <= now() AND x.overdue IS NULL ORDER BY x.due LIMIT 200 FOR UPDATE SKIP LOCKED LOOP
		UPDATE inquiry x SET overdue = now() WHERE x.id = i.id;
		overdue := overdue + 1;
		IF i.ask IS NULL THEN
			PERFORM alarm_raise('inquiry-overdue', i.id::text, NULL, format('%s has not answered our question %s in %s: cirt inquiry remind %s, or call',
				coalesce(nullif(i.name, ''), i.address), i.id, (SELECT number FROM cases WHERE id = case_now(i.case_id)), i.id));
		ELSE
			PERFORM alarm_raise('ask-over', i.ask::text, NULL, format('the time of ask %s is over: %s have not answered (%s): cirt ask show %s', i.ask, count(*),
				left(string_agg(x.name, ', ' ORDER BY x.name), 500), i.ask)) FROM inquiry x WHERE x.ask = i.ask AND x.state = 'open';
		END IF;
	END LOOP;
	RETURN NEXT;
END $$;

-- As before; and what answers a question is known to. The answers to a question to many open no cases.
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
				WHERE d.outbox = o.id AND d.left_out IS NULL AND d.cause NOT IN ('question', 'mail') AND EXISTS (SELECT 1 FROM report r WHERE r.id = d.report)
				ORDER BY d.report
			ON CONFLICT (report) DO UPDATE SET state = 'answered', changed = now(), actor = excluded.actor
				WHERE st.state IN ('new', 'linked', 'noticed');
	END IF;
	-- Who answers reads his mail.
	UPDATE contact SET bounced = NULL WHERE bounced IS NOT NULL AND known AND (lower(email) = b.sender OR (id = o.contact AND by_way <> 'tag'));
	IF o.inquiry IS NOT NULL AND (by_way <> 'tag' OR known) THEN
		PERFORM inquiry_taken(o.inquiry, b.mail, b.received);
	END IF;
	IF o.kind = 'release' THEN
		PERFORM alarm_raise('release-answered', o.number, NULL, o.address || ' has answered our question ' || o.number
			|| ': read it (cirt mail show ' || report_number(b.mail) || '), then cirt tlp grant or cirt tlp refuse');
		RETURN false;
	ELSIF o.kind = 'test' THEN
		UPDATE contact SET tested = b.received WHERE id = o.contact;
		PERFORM journal_add('contact/' || o.contact, 'test answered', NULL,
			jsonb_build_object('number', o.number, 'by', b.sender, 'mail', b.mail)::text);
		RETURN false;
	ELSIF NOT b.placed OR (o.inquiry IS NOT NULL AND o.case_id IS NULL) THEN
		RETURN false;
	END IF;
	SELECT * INTO c FROM back_case(o.id);
	INSERT INTO case_letter_queue (item, case_id, way, known, sender, tags)
		VALUES (b.mail, c.which, by_way, known OR by_way = 'address', b.sender, b.tags);
	RETURN c.opened;
END $$;

-- What is taken back is not asked.
CREATE OR REPLACE FUNCTION mail_undo(undo jsonb) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = (undo ->> 'outbox')::bigint FOR UPDATE;
	IF o.state NOT IN ('held', 'ready', 'queued') OR o.bytes IS NOT NULL OR (o.state = 'queued' AND o.held_until > now()) THEN
		RAISE EXCEPTION 'mail % is %: what is on its way is not taken back', o.number, CASE o.state WHEN 'queued' THEN 'on its way' ELSE o.state::text END
			USING ERRCODE = 'check_violation';
	END IF;
	UPDATE outbox SET state = 'cancelled', waits_for = '', why = 'taken back by ' || actor() WHERE id = o.id;
	PERFORM journal_add('outbox/' || o.number, 'cancelled', NULL, jsonb_build_object('to', o.address, 'reason', 'taken back')::text);
	PERFORM inquiry_end(i, 'dropped', NULL, '', 'taken back') FROM inquiry i WHERE i.outbox = o.id AND i.state = 'open';
	IF o.case_id IS NOT NULL THEN
		PERFORM journal_add('case/' || (SELECT number FROM cases WHERE id = o.case_id), 'mail ' || o.number || ' taken back', NULL, NULL);
	END IF;
	RETURN 'mail ' || o.number || ' to ' || o.address || ' does not go';
END $$;

-- ---- one thread ----

-- Every mail of a case, in and out, in the order of time: the newest 200. Texts are harmless.
CREATE FUNCTION case_thread(of_case bigint) RETURNS json LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	WITH whole AS MATERIALIZED (SELECT case_whole(of_case) AS ids),
	came AS (SELECT i.id, i.received AS at, l.sender AS who, i.title, i.text, i.observables, coalesce('found by ' || l.way || CASE WHEN l.known THEN '' ELSE ', not a party' END, '') AS state,
			l.seen IS NULL AS new FROM case_letter l JOIN item i ON i.id = l.item, whole w WHERE l.case_id = ANY (w.ids)
		UNION ALL SELECT r.id, r.received, l.sender, r.title, r.text, r.observables, coalesce((SELECT CASE st.state WHEN 'answered' THEN 'answered' END FROM report_status st
			WHERE st.report = r.id), ''), false FROM whole w, case_report c JOIN report r ON r.id = c.report
			JOIN LATERAL (SELECT sender FROM letter x WHERE x.mail = r.id ORDER BY x.received LIMIT 1) l ON true WHERE c.case_id = ANY (w.ids) AND c.ended IS NULL),
	lines AS (SELECT m.at, m.id::text AS key, 'in' AS way, report_number(m.id) AS id, m.who, m.title, m.text, ARRAY(SELECT DISTINCT substr(o, length(split_part(o, ' ', 1))
				+ length(split_part(o, ' ', 2)) + 3) FROM unnest(m.observables) AS o WHERE split_part(o, ' ', 1) IN ('ip', 'name')
				AND split_part(o, ' ', 2) IN ('source', 'indicator', 'unknown') LIMIT 200) AS known,
			concat_ws(', ', nullif(m.state, ''), (SELECT 'answered by ' || string_agg(o.number, ', ') FROM outbox o WHERE o.answers = m.id AND o.state = 'sent')) AS state, m.new,
			NULL::tlp AS tlp, NULL::text AS sealed
		FROM (SELECT * FROM came ORDER BY at DESC LIMIT 200) m
		UNION ALL SELECT coalesce(o.sent, o.created), o.number, 'out', o.number, o.address, concat_ws(' ', nullif(o.fields ->> 'tags', ''), coalesce(o.fields ->> 'subject', o.kind::text)),
			coalesce(o.fields ->> 'text', ''), '{}'::text[], CASE WHEN o.bounced IS NOT NULL THEN 'CAME BACK: ' || o.bounce WHEN o.answered IS NOT NULL THEN 'answered'
				WHEN o.delivered IS NOT NULL THEN 'delivered' WHEN o.state = 'held' THEN 'held: ' || o.why WHEN o.state = 'queued' AND o.next_try > now() AND o.attempts = 0
				THEN 'goes ' || stamp(o.next_try) ELSE o.state::text END, false, o.tlp, nullif(o.sealed, '')
		FROM (SELECT x.* FROM outbox x, whole w WHERE x.case_id = ANY (w.ids) AND x.kind <> 'key-waits' ORDER BY x.id DESC LIMIT 200) o)
	SELECT coalesce(json_agg(json_strip_nulls(json_build_object('way', l.way, 'id', l.id, 'at', stamp(l.at), 'who', nullif(l.who, ''), 'title', text_defang(l.title, l.known, ''),
		'state', nullif(l.state, ''), 'new', CASE WHEN l.new THEN true END, 'tlp', l.tlp, 'sealed', l.sealed,
		'text', text_defang(left(l.text, 20000), l.known, ''))) ORDER BY l.at, l.key), '[]') FROM (SELECT * FROM lines ORDER BY at DESC, key DESC LIMIT 200) l
$$;

-- As before; and what was asked and not answered.
CREATE OR REPLACE FUNCTION case_open_ends(which bigint) RETURNS TABLE (what text) LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT format('task %s is open: %s (cirt task done %s)', t.id, left(t.title, 200), t.id) FROM task t
	WHERE t.case_id = ANY (case_whole(which)) AND t.state = 'open'
	UNION ALL SELECT format('filing F%s: our %s is open (cirt filing answer F%s)', k.filing, k.what, k.filing) FROM clock k
	WHERE k.case_id = ANY (case_whole(which)) AND k.filing IS NOT NULL AND k.whose = 'ours' AND k.ended IS NULL
	UNION ALL SELECT format('question %s to %s is open (cirt inquiry answered %s, or drop)', i.id, left(coalesce(nullif(i.name, ''), i.address), 200), i.id) FROM inquiry i
	WHERE i.case_id = ANY (case_whole(which)) AND i.state = 'open' AND i.ask IS NULL
	UNION ALL SELECT format('ask %s is open (cirt ask close %s)', a.id, a.id) FROM ask a WHERE a.case_id = ANY (case_whole(which)) AND a.closed IS NULL
$$;
REVOKE ALL ON FUNCTION case_open_ends FROM PUBLIC;
GRANT EXECUTE ON FUNCTION case_open_ends TO cirt_desk, cirt_keeper;

REVOKE ALL ON FUNCTION answer_read, until_read, question_read, question_text, inquiry_json, inquiry_named, desk_inquiry_new,
	desk_inquiry_list, desk_inquiry_show, inquiry_end, desk_inquiry_answered, desk_inquiry_drop, inquiry_again,
	desk_inquiry_remind, inquiry_taken, ask_named, ask_whom, ask_tally, ask_json, ask_let_go, ask_undo, desk_ask, ask_put,
	desk_ask_list, desk_ask_show, desk_ask_set, ask_again, desk_ask_remind, desk_ask_close, keeper_inquiries, case_thread FROM PUBLIC;
GRANT EXECUTE ON FUNCTION answer_read, until_read, question_read, question_text, inquiry_json, inquiry_named, desk_inquiry_new,
	desk_inquiry_list, desk_inquiry_show, inquiry_end, desk_inquiry_answered, desk_inquiry_drop, inquiry_again,
	desk_inquiry_remind, inquiry_taken, ask_named, ask_whom, ask_tally, ask_json, ask_let_go, ask_undo, desk_ask, ask_put,
	desk_ask_list, desk_ask_show, desk_ask_set, ask_again, desk_ask_remind, desk_ask_close, case_thread TO cirt_desk;
GRANT EXECUTE ON FUNCTION keeper_inquiries TO cirt_keeper;
GRANT SELECT ON inquiry_letter, answer_word TO cirt_desk;
GRANT EXECUTE ON FUNCTION group_named TO cirt_desk;
