-- Who writes of what is known already is in the inbox too: his mail folds into the report of it, which is in a case or decided by then. All
-- who wrote of one report are one line, which one act answers or puts away.
SET LOCAL search_path = cirt, pg_temp;

-- Mails that folded into a report that was no longer new.
CREATE TABLE inbox_again (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	report bigint NOT NULL,
	sender text NOT NULL,
	message_id text NOT NULL,
	dmarc text NOT NULL,
	received timestamptz NOT NULL,
	line bigint REFERENCES inbox_line ON DELETE CASCADE, -- once the keeper has sorted it in
	done timestamptz                  -- answered, or put away
);
CREATE INDEX inbox_again_waits ON inbox_again (id) WHERE line IS NULL;
CREATE INDEX inbox_again_line ON inbox_again (line, id) WHERE done IS NULL;
CREATE INDEX inbox_again_done ON inbox_again (line, done) WHERE done IS NOT NULL;
CREATE INDEX inbox_again_old ON inbox_again (received);

CREATE FUNCTION letter_again() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO inbox_again (report, sender, message_id, dmarc, received) SELECT c.mail, c.sender, c.message_id, c.dmarc, c.received FROM came c
		CROSS JOIN LATERAL (SELECT x.state, x.reject_reason FROM report_status x WHERE x.report = c.mail OFFSET 0) st
		WHERE c.sender <> '' AND (st.state IN ('linked', 'noticed', 'answered') OR (st.state = 'rejected' AND st.reject_reason NOT IN ('spam', 'test')));
	RETURN NULL;
END $$;
CREATE TRIGGER letter_again AFTER INSERT ON letter REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION letter_again();

-- ---- keeper ----

-- Such a line is its report's: its subject is "=" and the report's id, which no subject of a mail is.
CREATE FUNCTION inbox_again_of(l inbox_line) RETURNS bigint LANGUAGE sql IMMUTABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN l.subject ~ '^=[0-9]{16,18}$' THEN substr(l.subject, 2)::bigint END
$$;

CREATE FUNCTION inbox_again_sort(most int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT a.id FROM inbox_again a WHERE a.line IS NULL ORDER BY a.id LIMIT most);
	old bigint[];
BEGIN
	INSERT INTO inbox_line (exercise, source, type, identifier, subject, owner, rank, severity, newest)
		SELECT r.exercise, r.source, r.type, '', '=' || r.id, 0, 0, coalesce(r.severity, -1), r.id
		FROM (SELECT DISTINCT a.report FROM inbox_again a WHERE a.id = ANY (ids)) n CROSS JOIN LATERAL (SELECT * FROM report x WHERE x.id = n.report OFFSET 0) r
		JOIN source s ON s.id = r.source WHERE s.kind = 'mailbox' AND r.doc = '' ORDER BY r.id ON CONFLICT DO NOTHING;
	WITH put AS (UPDATE inbox_again a SET line = l.id FROM inbox_line l WHERE a.id = ANY (ids) AND l.subject = '=' || a.report AND l.rank = 0 RETURNING a.line)
	INSERT INTO inbox_delta (line, organisation, n) SELECT line, 0, count(*) FROM put GROUP BY line;
	-- What no person wrote.
	DELETE FROM inbox_again a WHERE a.id = ANY (ids) AND a.line IS NULL;
	old := ARRAY(SELECT a.id FROM inbox_again a WHERE a.received < now() - interval '30 days' ORDER BY a.received LIMIT 10000);
	WITH gone AS (DELETE FROM inbox_again WHERE id = ANY (old) RETURNING line, done)
	INSERT INTO inbox_delta (line, organisation, n) SELECT line, 0, -count(*) FROM gone WHERE done IS NULL AND line IS NOT NULL GROUP BY line;
	RETURN cardinality(ids);
END $$;
CREATE INDEX inbox_line_again ON inbox_line (subject) WHERE subject LIKE '=%';

ALTER FUNCTION keeper_inbox(int) RENAME TO inbox_kept;
CREATE FUNCTION keeper_inbox(most int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	sorted int := inbox_again_sort(most);
BEGIN
	RETURN sorted + inbox_kept(most);
END $$;

-- ---- what it says ----

-- Who wrote what is in a line of people: the newest mail of each; of one that is known already those that wait.
CREATE FUNCTION inbox_wrote(l inbox_line, upto bigint) RETURNS TABLE (sender text, n bigint, report bigint, message_id text, dmarc text, received timestamptz)
LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT w.sender, count(*), (array_agg(w.report ORDER BY w.received DESC))[1], (array_agg(w.message_id ORDER BY w.received DESC))[1],
		(array_agg(w.dmarc ORDER BY w.received DESC))[1], max(w.received)
	FROM (SELECT a.sender, a.report, a.message_id, a.dmarc, a.received FROM inbox_again a WHERE a.line = l.id AND a.done IS NULL AND a.id <= coalesce(upto, a.id)
		UNION ALL (SELECT x.sender, x.mail, x.message_id, x.dmarc, x.received FROM inbox i JOIN letter x ON x.mail = i.report
			WHERE i.line = l.id AND l.rank = 0 AND x.sender <> '' AND i.report <= coalesce(upto, i.report) LIMIT 10000)) w GROUP BY w.sender
$$;

-- In front of a subject, in as little room as a line has.
CREATE FUNCTION inbox_people_said(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT n || CASE n WHEN 1 THEN ' person' ELSE ' people' END
$$;

CREATE FUNCTION inbox_again_json(l inbox_line, now_n bigint, p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	r report;
	c cases;
	w record;
BEGIN
	SELECT * INTO r FROM report x WHERE x.id = inbox_again_of(l);
	IF r.id IS NULL OR NOT report_may_see(r.id, r.tlp, p ->> 'operator', p ->> 'role') THEN
		RETURN NULL;
	END IF;
	SELECT count(*) AS n, count(DISTINCT a.sender) AS people, min(a.received) AS first, max(a.received) AS last, max(a.id) AS upto INTO w
		FROM (SELECT * FROM inbox_again x WHERE x.line = l.id AND x.done IS NULL ORDER BY x.id LIMIT 10000) a;
	IF w.n = 0 THEN
		RETURN NULL;
	END IF;
	SELECT k.* INTO c FROM case_report cr JOIN cases k ON k.id = case_now(cr.case_id) WHERE cr.report = r.id AND cr.ended IS NULL;
	RETURN jsonb_build_object('group', l.id, 'n', w.n, 'again', true, 'people', true, 'wrote', w.people, 'source', (SELECT x.name FROM source x WHERE x.id = l.source),
		'type', l.type, 'severity', severity_name(nullif(l.severity, -1)), 'tlp', r.tlp, 'exercise', (SELECT nullif(e.name, '') FROM exercise e WHERE e.id = l.exercise),
		'newest', report_number(r.id), 'upto', w.upto::text, 'first', stamp(w.first), 'last', stamp(w.last), 'case', c.number,
		'what', inbox_people_said(w.people) || ', known' || coalesce(': "' || nullif(left(r.title, 200), '') || '"', '')
			|| CASE WHEN r.tlp >= 'amber+strict' THEN ' · TLP:' || upper(r.tlp::text) ELSE '' END,
		'whose', (SELECT o.name FROM organisation o WHERE o.id = (SELECT coalesce(st.organisation, r.organisation) FROM (SELECT 1) x
			LEFT JOIN report_status st ON st.report = r.id)),
		'suggested', inbox_says('answer', coalesce('in ' || c.number || ', ' || c.state, (SELECT st.state::text FROM report_status st WHERE st.report = r.id))));
END $$;

ALTER FUNCTION inbox_line_json(inbox_line, bigint, jsonb, jsonb) RENAME TO inbox_new_json;
CREATE FUNCTION inbox_line_json(l inbox_line, now_n bigint, p jsonb, ruled jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	said jsonb;
	people bigint;
BEGIN
	IF inbox_again_of(l) IS NOT NULL THEN
		RETURN inbox_again_json(l, now_n, p);
	END IF;
	said := inbox_new_json(l, now_n, p, ruled);
	IF said IS NULL OR l.rank <> 0 THEN
		RETURN said;
	END IF;
	SELECT count(DISTINCT x.sender) INTO people FROM (SELECT t.sender FROM inbox i JOIN letter t ON t.mail = i.report
		WHERE i.line = l.id AND t.sender <> '' LIMIT 1000) x;
	RETURN said || jsonb_build_object('wrote', people) || CASE WHEN people > 1
		THEN jsonb_build_object('what', replace(said ->> 'what', 'mail "', inbox_people_said(people) || ' "')) ELSE '{}' END;
END $$;

-- Any line of the inbox.
CREATE FUNCTION inbox_line_of(p jsonb) RETURNS inbox_line LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	l inbox_line;
BEGIN
	IF coalesce(p ->> 'group', '') !~ '^[0-9]{1,18}$' THEN
		PERFORM said_wrong('a line of the inbox is known by its number: cirt inbox');
	END IF;
	SELECT * INTO l FROM inbox_line x WHERE x.id = (p ->> 'group')::bigint;
	IF l.id IS NULL OR NOT (EXISTS (SELECT 1 FROM inbox i WHERE i.line = l.id) OR EXISTS (SELECT 1 FROM inbox_again a WHERE a.line = l.id AND a.done IS NULL)) THEN
		RAISE EXCEPTION 'there is nothing new in line % of the inbox: cirt inbox', p ->> 'group' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN l;
END $$;

-- One whose reports are new. What is decided already is decided in its case.
CREATE OR REPLACE FUNCTION inbox_named(p jsonb) RETURNS inbox_line LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	l inbox_line := inbox_line_of(p);
BEGIN
	IF inbox_again_of(l) IS NOT NULL THEN
		RAISE EXCEPTION 'line % of the inbox is of what is known already: cirt inbox answer %, or cirt inbox done %', l.id, l.id, l.id
			USING ERRCODE = 'check_violation';
	END IF;
	RETURN l;
END $$;

ALTER FUNCTION desk_inbox_show(jsonb) RENAME TO inbox_new_show;
CREATE FUNCTION desk_inbox_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	l inbox_line := inbox_line_of(p);
	most int := least(coalesce((p ->> 'limit')::int, 20), 200);
	said jsonb;
BEGIN
	IF inbox_again_of(l) IS NULL THEN
		said := inbox_new_show(p)::jsonb;
	ELSE
		said := inbox_line_json(l, 0, p);
		IF said IS NULL THEN
			RAISE EXCEPTION 'there is nothing new in line % of the inbox: cirt inbox', p ->> 'group' USING ERRCODE = 'no_data_found';
		END IF;
		said := said || (SELECT jsonb_build_object('organisations', '[]'::jsonb, 'text', left(r.text, 4000), 'items', jsonb_build_array(jsonb_build_object('id', v.number,
				'severity', v.severity_name, 'received', stamp(v.received), 'count', v.count, 'organisation', v.organisation, 'title', v.title)))
			FROM report r JOIN report_view v ON v.id = r.id WHERE r.id = inbox_again_of(l));
	END IF;
	RETURN CASE WHEN l.rank <> 0 THEN said ELSE said || jsonb_build_object('senders', (SELECT coalesce(jsonb_agg(jsonb_build_object('sender', w.sender, 'n', w.n,
		'received', stamp(w.received)) ORDER BY w.received DESC), '[]') FROM (SELECT * FROM inbox_wrote(l, NULL) ORDER BY received DESC LIMIT most) w)) END;
END $$;

-- ---- acts ----

-- What waits in a line of what is known already is dealt with; with `at` it is not.
CREATE FUNCTION inbox_again_done(of_line bigint, upto bigint, at timestamptz) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	moved bigint;
BEGIN
	IF at IS NULL THEN
		UPDATE inbox_again SET done = now() WHERE line = of_line AND done IS NULL AND id <= upto;
	ELSE
		UPDATE inbox_again SET done = NULL WHERE line = of_line AND done = at;
	END IF;
	GET DIAGNOSTICS moved = ROW_COUNT;
	INSERT INTO inbox_delta (line, organisation, n) SELECT of_line, 0, CASE WHEN at IS NULL THEN -moved ELSE moved END WHERE moved > 0;
	RETURN moved;
END $$;

-- May this address be told of this report by a mail of ours, by whoever says so? Once each; nobody who is not who he says, nobody whose mails
-- come back or are spam, not ourselves, and what belongs to a drill nobody outside it.
CREATE FUNCTION inbox_answerable(address text, dmarc text, report bigint, domain text) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT octet_length(address) <= 320 AND address ~ '^[!-~]+$' AND address !~ '[\s<>,;:"\\()\[\]]' AND address ~ '^[^@]+@[^@]+$'
		AND split_part(address, '@', 2) <> lower(domain) AND inbox_answerable.dmarc IN ('', 'pass', 'none') AND spam_listed(address) IS DISTINCT FROM 'deny'
		AND NOT EXISTS (SELECT FROM contact k WHERE lower(k.email) = address AND k.valid @> now() AND k.bounced IS NOT NULL)
		AND NOT EXISTS (SELECT FROM source s WHERE s.kind = 'mailbox' AND address = ANY (string_to_array(lower(s.match), ' ')))
		AND NOT EXISTS (SELECT FROM outbox o WHERE lower(o.address) = inbox_answerable.address AND o.kind = 'acknowledgement' AND o.template = 'acknowledgement-known'
			AND o.state <> 'cancelled' AND o.fields ->> 'report' = report_number(inbox_answerable.report))
$$;

-- {line, upto, domain}: a mail to each, in a minute.
CREATE FUNCTION inbox_answer_go(payload jsonb) RETURNS json LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	l inbox_line;
	mails bigint[];
	dealt bigint := 0;
	act_id bigint;
	said text;
BEGIN
	SELECT * INTO STRICT l FROM inbox_line x WHERE x.id = (payload ->> 'line')::bigint;
	WITH put AS (INSERT INTO outbox (kind, state, exercise, organisation, contact, recipient, address, language, template, tlp, fields, in_reply_to, released_by, due, next_try,
				message_id)
			SELECT 'acknowledgement', 'queued', l.exercise, k.organisation, k.id, 'source', w.sender, coalesce(k.language, 'en'), 'acknowledgement-known', 'clear',
				jsonb_build_object('report', report_number(w.report)), CASE WHEN w.message_id ~ '^[!-;=?-~]+$' THEN '<' || w.message_id || '>' ELSE '' END, actor(),
				now() + interval '60 seconds', now() + interval '60 seconds', '<' || gen_random_uuid() || '@' || (payload ->> 'domain') || '>'
			FROM inbox_wrote(l, (payload ->> 'upto')::bigint) w LEFT JOIN LATERAL (SELECT c.* FROM contact c WHERE lower(c.email) = w.sender AND c.valid @> now()
				ORDER BY c.priority, c.id LIMIT 1) k ON true
			WHERE inbox_answerable(w.sender, w.dmarc, w.report, payload ->> 'domain') AND (l.exercise = 0 OR in_directory(l.exercise, w.sender))
			ORDER BY w.sender RETURNING id)
	SELECT coalesce(array_agg(id), '{}') INTO mails FROM put;
	IF inbox_again_of(l) IS NOT NULL THEN
		dealt := inbox_again_done(l.id, (payload ->> 'upto')::bigint, NULL);
	END IF;
	said := format('%s told that it is known', CASE cardinality(mails) WHEN 1 THEN '1 person' ELSE cardinality(mails) || ' people' END);
	PERFORM journal_add('inbox/' || l.id, 'answered', NULL, jsonb_build_object('mails', cardinality(mails), 'report', report_number(inbox_again_of(l)))::text);
	act_id := act_put('inbox', said, 'inbox_answer_undo', jsonb_build_object('mails', mails, 'line', l.id, 'at', now()), NULL);
	RETURN json_build_object('act', act_id, 'what', said || CASE WHEN cardinality(mails) > 0 THEN '; 60 s to take it back' ELSE '' END, 'mails', cardinality(mails), 'reports', dealt);
END $$;
INSERT INTO approval_kind (kind, meaning, do_function) VALUES ('inbox-answer', 'a mail to each of many who wrote the same', 'inbox_answer_go');

INSERT INTO act_kind (undo_function) VALUES ('inbox_answer_undo');
CREATE FUNCTION inbox_answer_undo(undo jsonb) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT value::bigint FROM jsonb_array_elements_text(undo -> 'mails'));
	gone bigint;
	back bigint;
BEGIN
	PERFORM FROM outbox o WHERE o.id = ANY (ids) ORDER BY o.id FOR UPDATE;
	SELECT count(*) INTO gone FROM outbox o WHERE o.id = ANY (ids) AND (o.bytes IS NOT NULL OR o.state <> 'queued' OR o.held_until > now());
	IF gone > 0 THEN
		RAISE EXCEPTION '% of % mails are on their way: what is on its way is not taken back', gone, cardinality(ids) USING ERRCODE = 'check_violation';
	END IF;
	UPDATE outbox SET state = 'cancelled', why = 'taken back by ' || actor() WHERE id = ANY (ids);
	back := inbox_again_done((undo ->> 'line')::bigint, NULL, (undo ->> 'at')::timestamptz);
	RETURN cardinality(ids) || ' mails do not go' || CASE WHEN back > 0 THEN ', ' || back || ' are in the inbox again' ELSE '' END;
END $$;

-- {group, upto}: whoever wrote what is in this line is told that it is known.
CREATE FUNCTION desk_inbox_answer(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	l inbox_line := inbox_line_of(p);
	line jsonb := inbox_line_json(l, 0, p);
	upto bigint := coalesce(p ->> 'upto', line ->> 'upto')::bigint;
	payload jsonb := jsonb_build_object('line', l.id, 'upto', upto, 'domain', p ->> 'domain');
	people bigint;
BEGIN
	IF line IS NULL THEN
		RAISE EXCEPTION 'there is nothing new in line % of the inbox: cirt inbox', p ->> 'group' USING ERRCODE = 'no_data_found';
	ELSIF l.rank <> 0 THEN
		RAISE EXCEPTION 'line % of the inbox is of machines: nobody is answered', l.id USING ERRCODE = 'check_violation';
	END IF;
	SELECT count(*) INTO people FROM inbox_wrote(l, upto) w WHERE inbox_answerable(w.sender, w.dmarc, w.report, p ->> 'domain')
		AND (l.exercise = 0 OR in_directory(l.exercise, w.sender));
	IF people = 0 THEN
		RAISE EXCEPTION 'of line % nobody can be answered, or all have been: cirt inbox done %', l.id, l.id USING ERRCODE = 'check_violation';
	ELSIF p ? 'dry_run' THEN
		RETURN json_build_object('what', people || ' to be told that it is known', 'mails', people, 'reports', 0, 'dry_run', true);
	ELSIF people > (p ->> 'mass')::int THEN
		RETURN (jsonb_build_object('what', format('%s people are told once a second person says so: cirt approve list', people), 'mails', people, 'reports', 0)
			|| approval_do('inbox-answer', 'inbox/' || l.id, people || ' people are told that it is known: ' || left(line ->> 'what', 200), payload, p)::jsonb)::json;
	END IF;
	RETURN inbox_answer_go(payload);
END $$;

-- {group, upto}: nobody is told; the line is gone until somebody writes of it again.
CREATE FUNCTION desk_inbox_done(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	l inbox_line := inbox_line_of(p);
	line jsonb := inbox_line_json(l, 0, p);
	dealt bigint;
	said text;
BEGIN
	IF line IS NULL THEN
		RAISE EXCEPTION 'there is nothing new in line % of the inbox: cirt inbox', p ->> 'group' USING ERRCODE = 'no_data_found';
	ELSIF inbox_again_of(l) IS NULL THEN
		RAISE EXCEPTION 'what is in line % of the inbox is new: open, link or reject it', l.id USING ERRCODE = 'check_violation';
	END IF;
	dealt := inbox_again_done(l.id, coalesce(p ->> 'upto', line ->> 'upto')::bigint, NULL);
	said := dealt || CASE dealt WHEN 1 THEN ' mail' ELSE ' mails' END || ' of what is known put away';
	PERFORM journal_add('inbox/' || l.id, 'put away', NULL, jsonb_build_object('mails', dealt, 'report', report_number(inbox_again_of(l)))::text);
	RETURN json_build_object('act', act_put('inbox', said, 'inbox_answer_undo', jsonb_build_object('mails', '[]'::jsonb, 'line', l.id, 'at', now()), now() + act_keep()),
		'what', said, 'mails', 0, 'reports', dealt);
END $$;

-- ---- the day ----

-- As before; and who wrote of what is known, in a case that somebody has taken up or in none: the inbox has them.
ALTER FUNCTION mails_unread(jsonb) RENAME TO mails_unheard;
CREATE FUNCTION mails_unread(p jsonb) RETURNS TABLE (sender text, loose boolean) LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT u.sender, u.loose FROM mails_unheard(p) u
	UNION ALL SELECT a.sender, true FROM (SELECT x.sender, x.report FROM inbox_again x WHERE x.done IS NULL AND x.line IS NOT NULL LIMIT 10000) a
		CROSS JOIN LATERAL (SELECT r.tlp FROM report r WHERE r.id = a.report AND r.exercise = 0 OFFSET 0) r
	WHERE report_may_see(a.report, r.tlp, p ->> 'operator', p ->> 'role')
		AND NOT EXISTS (SELECT FROM case_report cr JOIN cases c ON c.id = cr.case_id WHERE cr.report = a.report AND cr.ended IS NULL AND c.state = 'new'
			AND NOT EXISTS (SELECT FROM report_status st WHERE st.report = a.report AND st.state = 'answered'))
$$;

REVOKE ALL ON FUNCTION letter_again, inbox_again_of, inbox_again_sort, keeper_inbox, inbox_wrote, inbox_people_said, inbox_again_json, inbox_line_json, inbox_line_of,
	desk_inbox_show, inbox_again_done, inbox_answerable, inbox_answer_go, inbox_answer_undo, desk_inbox_answer, desk_inbox_done, mails_unread FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inbox_again_of, inbox_wrote, inbox_people_said, inbox_again_json, inbox_line_json, inbox_line_of, desk_inbox_show, inbox_again_done,
	inbox_answerable, inbox_answer_go, inbox_answer_undo, desk_inbox_answer, desk_inbox_done, mails_unread TO cirt_desk;
GRANT EXECUTE ON FUNCTION keeper_inbox TO cirt_keeper;
GRANT SELECT ON inbox_again TO cirt_desk, cirt_keeper;
