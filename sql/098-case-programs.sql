-- What programs answer into a case ends no waiting, and brings back no case that is over: out of office, and what bounced.
SET LOCAL search_path = cirt, pg_temp;

CREATE FUNCTION letter_by_itself(which bigint) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT i.subkind IN ('auto-reply', 'bounce') FROM item i WHERE i.id = which), false)
$$;
REVOKE ALL ON FUNCTION letter_by_itself FROM PUBLIC;

-- As before; and what a program sent to a case that is over waits for nobody to read it.
CREATE OR REPLACE FUNCTION keeper_letters(batch int) RETURNS TABLE (taken int, attached int) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT q.id FROM case_letter_queue q ORDER BY q.id LIMIT batch FOR UPDATE);
	one record;
	ticket text[];
BEGIN
	taken := cardinality(ids);
	attached := 0;
	FOR one IN SELECT q.*, c.id AS now_in, c.number, c.state, letter_by_itself(q.item) AS program, c.state IN ('closed', 'rejected') AS over
			FROM case_letter_queue q JOIN cases c ON c.id = case_now(q.case_id) WHERE q.id = ANY (ids) ORDER BY c.number, q.id LOOP
		INSERT INTO case_letter (item, case_id, way, known, sender, seen, seen_by)
			VALUES (one.item, one.now_in, one.way, one.known, one.sender, CASE WHEN one.program AND one.over THEN now() END,
				CASE WHEN one.program AND one.over THEN actor() END) ON CONFLICT DO NOTHING;
		CONTINUE WHEN NOT FOUND;
		attached := attached + 1;
		PERFORM journal_add('case/' || one.number, 'mail from ' || coalesce(nullif(one.sender, ''), 'nobody') || ' by ' || one.way
			|| CASE WHEN one.known THEN '' ELSE ', not a party' END
			|| CASE WHEN one.program THEN ', by a program' ELSE '' END
			|| CASE WHEN one.over THEN ', to a case that is ' || one.state ELSE '' END, NULL,
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

-- As before, but for answers of programs.
CREATE OR REPLACE FUNCTION keeper_waits(batch int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	w case_wait;
	c cases;
	answer case_letter;
	back int := 0;
BEGIN
	FOR w IN SELECT v.* FROM case_wait v JOIN cases x ON x.id = v.case_id WHERE v.ended IS NULL AND (v.until <= now()
			OR EXISTS (SELECT FROM cases m JOIN case_letter l ON l.case_id = m.id WHERE (m.id = ANY (case_whole(x.id)))
				AND l.added >= v.since AND wait_answered(v, l.sender) AND NOT letter_by_itself(l.item))) ORDER BY x.number LIMIT batch LOOP
		SELECT * INTO c FROM cases WHERE id = w.case_id FOR UPDATE;
		SELECT * INTO w FROM case_wait WHERE id = w.id;
		CONTINUE WHEN w.ended IS NOT NULL OR c.state <> 'waiting';
		SELECT l.* INTO answer FROM cases m JOIN case_letter l ON l.case_id = m.id WHERE m.id = ANY (case_whole(c.id))
			AND l.added >= w.since AND wait_answered(w, l.sender) AND NOT letter_by_itself(l.item) ORDER BY l.item LIMIT 1;
		CONTINUE WHEN answer.item IS NULL AND w.until > now();
		UPDATE case_wait SET ended = now(), ended_by = CASE WHEN answer.item IS NULL THEN 'date' ELSE 'answer' END, letter = answer.item
			WHERE id = w.id;
		UPDATE cases SET state = w.came_from, reason = CASE WHEN answer.item IS NULL
			THEN 'no answer of ' || w.whom || ' until ' || house_time(w.until)
			ELSE w.whom || ' has answered: mail ' || report_number(answer.item) END WHERE id = c.id;
		back := back + 1;
	END LOOP;
	RETURN back;
END $$;

-- As before; and what programs sent is told as such.
CREATE OR REPLACE FUNCTION case_thread(of_case bigint) RETURNS json LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	WITH whole AS MATERIALIZED (SELECT case_whole(of_case) AS ids),
	came AS (SELECT i.id, i.received AS at, l.sender AS who, i.title, i.text, i.observables, coalesce('found by ' || l.way || CASE WHEN l.known THEN '' ELSE ', not a party' END
			|| CASE WHEN i.subkind IN ('auto-reply', 'bounce') THEN ', by a program' ELSE '' END, '') AS state,
			l.seen IS NULL AS new FROM case_letter l JOIN item i ON i.id = l.item, whole w WHERE l.case_id = ANY (w.ids)
		UNION ALL SELECT r.id, r.received, l.sender, r.title, r.text, r.observables, coalesce((SELECT CASE st.state WHEN 'answered' THEN 'answered' END FROM report_status st
			WHERE st.report = r.id), ''), false FROM whole w, case_report c JOIN report r ON r.id = c.report
			JOIN LATERAL (SELECT sender FROM letter x WHERE x.mail = r.id ORDER BY x.received LIMIT 1) l ON true WHERE c.case_id = ANY (w.ids) AND c.ended IS NULL),
	lines AS (SELECT m.at, m.id::text AS key, 'in' AS way, report_number(m.id) AS id, m.who, m.title, m.text, ARRAY(SELECT DISTINCT substr(o, length(split_part(o, ' ', 1))
				+ length(split_part(o, ' ', 2)) + 3) FROM unnest(m.observables) AS o WHERE split_part(o, ' ', 1) IN ('ip', 'name')
				AND split_part(o, ' ', 2) IN ('source', 'indicator', 'unknown') LIMIT 200) AS known,
			concat_ws(', ', nullif(m.state, ''), (SELECT 'answered by ' || string_agg(o.number, ', ') FROM outbox o WHERE o.answers = m.id AND o.state = 'sent')) AS state, m.new,
			NULL::tlp AS tlp, (SELECT string_agg(DISTINCT w.outcome, ', ' ORDER BY w.outcome) FROM verdict w WHERE w.report = m.id AND w.engine IN ('openpgp', 'smime')) AS sealed
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
