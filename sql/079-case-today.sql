-- Tasks and countermeasures of the day; notes are erased by two people.
SET LOCAL search_path = cirt, pg_temp;

-- What `cirt today` says of tasks: those of whoever asks, and what is nobody's and should have been done.
CREATE FUNCTION tasks_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('mine', (SELECT count(*) FROM (SELECT FROM task t WHERE t.state = 'open' AND t.assignee = me.id LIMIT 10000) n),
		'overdue', (SELECT count(*) FROM (SELECT FROM task t WHERE t.state = 'open' AND t.assignee = me.id AND coalesce(t.due, 'infinity') < now()
			LIMIT 10000) n),
		'nobodys', (SELECT count(*) FROM (SELECT FROM task t WHERE t.state = 'open' AND t.assignee IS NULL AND coalesce(t.due, 'infinity') < now()
			LIMIT 10000) n),
		'items', (SELECT coalesce(json_agg(task_json(t) ORDER BY coalesce(t.due, 'infinity'), t.id), '[]') FROM (SELECT * FROM task o
			WHERE o.state = 'open' AND o.assignee = me.id ORDER BY coalesce(o.due, 'infinity'), o.id LIMIT 3) t WHERE case_visible(t.case_id, p)))
	FROM (SELECT (SELECT id FROM operator WHERE name = p ->> 'operator') AS id) me
$$;

-- And of countermeasures: what is to be looked at, or has expired and still stands.
CREATE FUNCTION measures_today(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('due', count(*), 'items', coalesce(json_agg(row ORDER BY at, id) FILTER (WHERE n <= 3), '[]'))
	FROM (SELECT m.id, m.at, measure_json(m.whole) AS row, row_number() OVER (ORDER BY m.at, m.id) AS n
		FROM (SELECT x.id, x::measure AS whole, x.case_id, least(x.review, x.expires) AS at FROM measure x
			WHERE x.ended IS NULL AND coalesce(least(x.review, x.expires), 'infinity') <= now()
			ORDER BY coalesce(least(x.review, x.expires), 'infinity'), x.id LIMIT 1000) m
		WHERE m.case_id IS NULL OR case_visible(m.case_id, p)) due
$$;

-- ---- erasing ----

INSERT INTO approval_kind (kind, meaning, do_function) VALUES ('note-erase', 'what a note says is gone for good', 'do_note_erase');

-- {note, reason, digest}: by whoever says the last word of the two. What it was is named by its digest only.
CREATE FUNCTION do_note_erase(payload jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	n note;
BEGIN
	SELECT * INTO n FROM note WHERE id = (payload ->> 'note')::bigint FOR UPDATE;
	IF salted_digest(n.salt, n.text) <> payload ->> 'digest' THEN
		RAISE EXCEPTION 'note % says something else now: look at it, and ask anew', n.id USING ERRCODE = 'check_violation';
	END IF;
	UPDATE note SET erased = now() WHERE id = n.id;
	PERFORM journal_add('case/' || c.number, 'note erased', NULL,
		jsonb_build_object('id', n.id, 'digest', payload ->> 'digest', 'reason', payload ->> 'reason')::text)
		FROM cases c WHERE c.id = n.case_id;
	RETURN note_json(n.id) || jsonb_build_object('digest', payload ->> 'digest');
END $$;

-- {id, reason, break_glass}
CREATE OR REPLACE FUNCTION desk_note_erase(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	n note := note_asked(p, true);
	of_case text := (SELECT number FROM cases WHERE id = n.case_id);
	why text := said_words(p, 'reason', 'why it is erased (--reason)', 1000);
BEGIN
	RETURN approval_do('note-erase', 'case/' || of_case, format('erase note %s of %s', n.id, of_case),
		jsonb_build_object('note', n.id, 'reason', why, 'digest', salted_digest(n.salt, n.text)), p)::jsonb;
END $$;

REVOKE ALL ON FUNCTION tasks_today, measures_today, do_note_erase FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tasks_today, measures_today, do_note_erase TO cirt_desk;
