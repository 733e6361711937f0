-- A mail that answers another may land before it, or before that one has a case.
SET LOCAL search_path = cirt, pg_temp;

-- Reports that are mails, and which mails they answer, until one of those has a case or their time is over.
CREATE TABLE letter_waiting (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	mail bigint NOT NULL,             -- the report
	received timestamptz NOT NULL,
	message_id text NOT NULL,         -- that it answers
	due timestamptz NOT NULL DEFAULT now() + interval '5 seconds'
);
CREATE INDEX letter_waiting_due ON letter_waiting (due);
CREATE INDEX letter_waiting_mail ON letter_waiting (mail);

-- Look again, the less often the older they are. What has no case of its own goes into the case of the mail that it answers. Where it
-- has one, or that case has ended, or somebody took it out of there, it is told to be probably of it: a person decides. It is a report
-- in the books, and stays one. Of the lane of the case only.
CREATE FUNCTION keeper_late_letters(batch int) RETURNS TABLE (taken int, attached int) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[];
	one record;
BEGIN
	DELETE FROM letter_waiting WHERE due <= now() AND received < now() - interval '30 days';
	ids := ARRAY(SELECT w.id FROM letter_waiting w WHERE w.due <= now() ORDER BY w.due LIMIT batch FOR UPDATE);
	taken := cardinality(ids);
	attached := 0;
	CREATE TEMPORARY TABLE IF NOT EXISTS late_letter (mail bigint, case_id bigint, message_id text) ON COMMIT DELETE ROWS;
	DELETE FROM late_letter;
	INSERT INTO late_letter SELECT DISTINCT ON (w.mail) w.mail, f.id, w.message_id
		FROM letter_waiting w
		JOIN letter l ON l.message_id = w.message_id AND l.message_id <> '' AND l.mail <> w.mail
		CROSS JOIN LATERAL (SELECT letter_case_of(l.mail) AS id) f
		JOIN cases c ON c.id = f.id
		JOIN report r ON r.id = w.mail AND r.exercise = c.exercise
		WHERE w.id = ANY (ids) ORDER BY w.mail, w.id, l.mail;
	PERFORM 1 FROM cases WHERE id IN (SELECT case_id FROM late_letter) ORDER BY number FOR UPDATE;
	FOR one IN SELECT l.mail, l.message_id, c.id, c.number, c.state, letter_case_of(l.mail) AS own
			FROM late_letter l JOIN cases c ON c.id = l.case_id ORDER BY c.number, l.mail LOOP
		IF one.own IS NULL AND one.state NOT IN ('closed', 'rejected', 'merged') THEN
			INSERT INTO case_report (report, case_id) VALUES (one.mail, one.id) ON CONFLICT DO NOTHING;
			IF FOUND THEN
				attached := attached + 1;
				PERFORM journal_add('case/' || one.number, 'report ' || report_number(one.mail) || ' answers a mail of it', NULL,
					jsonb_build_object('report', one.mail, 'answers', one.message_id)::text);
				CONTINUE;
			END IF;
		END IF;
		INSERT INTO letter_guess (report, case_id, way, sender)
			SELECT one.mail, one.id, 'reference', coalesce((SELECT min(sender) FROM letter WHERE mail = one.mail), '')
			WHERE one.own IS DISTINCT FROM one.id
				AND NOT EXISTS (SELECT 1 FROM letter_guess g WHERE g.report = one.mail AND g.case_id = one.id);
	END LOOP;
	DELETE FROM letter_waiting WHERE mail IN (SELECT mail FROM late_letter);
	UPDATE letter_waiting SET due = now() + greatest((now() - received) / 10, interval '5 seconds') WHERE id = ANY (ids);
	RETURN NEXT;
END $$;

REVOKE ALL ON FUNCTION keeper_late_letters FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keeper_late_letters TO cirt_keeper;
GRANT INSERT ON letter_waiting TO cirt_store;
