-- The desk as people use it: what is asked of many stays as it was said, undo takes back what was meant, our own address is a mailbox.
SET LOCAL search_path = cirt, pg_temp;

-- ---- questions to many ----

-- As before; and the mail that is named is the one that said so.
CREATE OR REPLACE FUNCTION inquiry_taken(of_inquiry bigint, of_mail bigint, at timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
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
		UPDATE inquiry SET word = heard, mail = of_mail WHERE id = i.id AND (state = 'open' OR word = '');
	ELSIF i.state = 'open' OR heard <> i.word THEN
		PERFORM inquiry_end(i, 'answered', of_mail, heard, i.answer);
		UPDATE inquiry SET mail = of_mail WHERE id = i.id;
	END IF;
END $$;

-- As before; and who said so, where it was another than we had asked.
CREATE OR REPLACE FUNCTION desk_ask_show(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
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
				'from', (SELECT nullif(x.sender, lower(i.address)) FROM letter x WHERE x.mail = i.mail AND x.sender <> '' LIMIT 1),
				'late', CASE WHEN (SELECT min(l.at) FROM inquiry_letter l WHERE l.inquiry = i.id) > least(a.until, a.closed) THEN true END,
				'mails', (SELECT nullif(count(*), 1) FROM inquiry_letter l WHERE l.inquiry = i.id HAVING count(*) > 0),
				'note', nullif(i.answer, ''), 'reached', CASE WHEN i.outbox IS NULL THEN 'NO CONTACT: call them' WHEN o.bounced IS NOT NULL THEN 'CAME BACK: call them'
				WHEN o.state IN ('failed', 'cancelled', 'held') THEN upper(o.state::text) WHEN o.state = 'sent' THEN i.address ELSE o.state::text END,
				'reminders', nullif(i.reminders, 0))) ORDER BY array_position('{yes,other,checking,"",no}', i.word), i.name), '[]')
			FROM inquiry i LEFT JOIN outbox o ON o.id = i.outbox WHERE i.ask = a.id));
END $$;

-- As before; and what was noted of who is still checking stays.
CREATE OR REPLACE FUNCTION desk_ask_close(p jsonb) RETURNS json LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	a ask := ask_named(p);
BEGIN
	UPDATE inquiry SET state = 'answered', ended = now(), ended_by = actor(), answer = CASE answer WHEN '' THEN 'ask closed' ELSE answer END WHERE ask = a.id AND state = 'open';
	UPDATE ask SET closed = now(), remind = NULL WHERE id = a.id AND closed IS NULL RETURNING * INTO a;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'ask % is closed', p ->> 'ask' USING ERRCODE = 'check_violation';
	END IF;
	PERFORM alarm_over('ask-over', a.id::text);
	RETURN ask_json(a);
END $$;

-- ---- undo ----

-- As before; and who did something since that is not taken back is not given something older in its place.
CREATE OR REPLACE FUNCTION act_meant(which bigint, who text, role text) RETURNS act LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	a act;
	since text;
BEGIN
	IF which IS NULL THEN
		SELECT * INTO a FROM act WHERE actor = who AND undone IS NULL ORDER BY id DESC LIMIT 1 FOR UPDATE;
	ELSE
		SELECT * INTO a FROM act WHERE id = which FOR UPDATE;
	END IF;
	IF a.id IS NULL THEN
		RAISE EXCEPTION '%', CASE WHEN which IS NULL THEN 'there is nothing of yours to undo' ELSE format('there is no act %s', which) END
			USING ERRCODE = 'no_data_found';
	ELSIF a.actor <> who AND role NOT IN ('lead', 'admin') THEN
		RAISE EXCEPTION 'act % is %''s: he undoes it, or a lead', a.id, a.actor USING ERRCODE = 'insufficient_privilege';
	ELSIF a.undone IS NOT NULL THEN
		RAISE EXCEPTION 'act % was undone by % at %', a.id, a.undone_by, coalesce(house_time(a.undone), stamp(a.undone)) USING ERRCODE = 'check_violation';
	ELSIF a.until <= clock_timestamp() THEN
		RAISE EXCEPTION 'act % (%) could be undone until % only; earlier ones by their number: cirt undo --list', a.id, a.what, coalesce(house_time(a.until), stamp(a.until))
			USING ERRCODE = 'check_violation';
	END IF;
	-- Mails in their minute are waited for: those go back at once.
	IF which IS NULL AND a.undo_function NOT IN ('mail_undo', 'ask_undo') THEN
		SELECT split_part(j.object, '/', 2) INTO since FROM journal j WHERE j.actor = who AND j.at > (extract(epoch FROM
				greatest(a.at, (SELECT max(x.undone) FROM act x WHERE x.undone_by = who)) + interval '5 seconds') * 1000000)::bigint
			AND j.object LIKE 'case/%' AND j.action NOT LIKE 'mails read%' AND j.xmin <> a.xmin ORDER BY j.at DESC LIMIT 1;
		IF since IS NOT NULL THEN
			RAISE EXCEPTION 'what you did last, in %, is not taken back by undo; what you did before it is: cirt undo % (%)', since, a.id, a.what
				USING ERRCODE = 'check_violation';
		END IF;
	END IF;
	RETURN a;
END $$;

-- ---- what nobody has read ----

-- As before; and what was answered was read.
CREATE OR REPLACE FUNCTION case_mails_begun(which bigint) RETURNS bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT count(*) FROM (SELECT report FROM case_report WHERE case_id = which AND ended IS NULL ORDER BY report LIMIT 100) b
		WHERE EXISTS (SELECT FROM letter l WHERE l.mail = b.report)
			AND NOT EXISTS (SELECT FROM report_status s WHERE s.report = b.report AND s.state = 'answered')
$$;

-- As before; and what was answered was read.
CREATE OR REPLACE FUNCTION mails_unread(p jsonb) RETURNS TABLE (sender text, loose boolean) LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	since bigint := report_since(now() - interval '30 days');
	ids bigint[] := ARRAY(SELECT l.mail FROM letter l WHERE l.mail >= since ORDER BY l.mail DESC LIMIT 5000);
BEGIN
	-- "since" again beside the list: by it the months before are not looked into at all.
	RETURN QUERY WITH taken AS (SELECT k.report, k.case_id FROM case_report k WHERE k.report = ANY (ids) AND k.ended IS NULL),
		-- Of what is in no case: landed mails that are still new. (A letter's report may be gone with its retention.)
		fresh AS (SELECT r.id FROM report r WHERE r.id >= since AND r.id = ANY (ids) AND r.exercise = 0 AND r.id NOT IN (SELECT t.report FROM taken t)
			EXCEPT SELECT s.report FROM report_status s WHERE s.report >= since AND s.report = ANY (ids) AND s.state <> 'new'),
		cased AS MATERIALIZED (SELECT l.sender, t.case_id, false AS inside FROM taken t JOIN letter l ON l.mail = t.report
			WHERE t.report NOT IN (SELECT s.report FROM report_status s WHERE s.report >= since AND s.report = ANY (ids) AND s.state = 'answered')
			UNION ALL (SELECT w.sender, w.case_id, true FROM case_letter w WHERE w.seen IS NULL LIMIT 10000)),
		shown AS MATERIALIZED (SELECT c.id, c.state FROM cases c WHERE c.id = ANY (ARRAY(SELECT DISTINCT m.case_id FROM cased m)) AND c.exercise = 0
			AND (NOT (c.restricted OR c.tlp = 'red' OR c.merged_into IS NOT NULL) OR case_visible(c.id, p)))
		SELECT l.sender, true FROM fresh f JOIN letter l ON l.mail = f.id
		UNION ALL SELECT m.sender, false FROM cased m JOIN shown c ON c.id = m.case_id WHERE m.inside OR c.state = 'new';
END $$;

-- As before; and what people wrote down or submitted by hand is no feed.
CREATE OR REPLACE FUNCTION intake_today(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	midnight timestamptz := date_trunc('day', now(), 'UTC');
	since bigint := report_since(midnight);
BEGIN
	RETURN (WITH day AS MATERIALIZED (SELECT source, sum(entries_processed + entries_quarantined + entries_discarded) AS entries, sum(reports) AS reports,
			sum(folded) AS folded, sum(quarantined + entries_quarantined) AS quarantined
			FROM ledger_day WHERE day = timezone('UTC', now())::date GROUP BY source),
		again AS MATERIALIZED (SELECT r.source, count(*) AS n FROM report r WHERE r.received >= midnight
			AND r.id >= since AND r.id = ANY (ARRAY(SELECT DISTINCT a FROM report_link WHERE kind = 'relapse' AND a >= since LIMIT 10000))
			GROUP BY r.source),
		each AS (SELECT s.name, CASE WHEN s.id = 1 THEN 'hand' WHEN s.kind = 'sensor' THEN 'sensors' WHEN s.kind = 'mailbox'
				AND NOT EXISTS (SELECT FROM feed_columns f WHERE f.source = s.id) THEN 'people' ELSE 'feeds' END AS lane,
				d.entries, d.reports, d.folded, d.quarantined, coalesce(a.n, 0) AS relapses
			FROM day d JOIN source s ON s.id = d.source LEFT JOIN again a ON a.source = d.source)
	SELECT coalesce(json_object_agg(lane, told), '{}') FROM (SELECT lane, json_build_object('sources', count(*),
		'first', (array_agg(name ORDER BY reports + folded DESC, name))[1:3], 'entries', sum(entries)::bigint,
		'rows', sum(reports + folded + quarantined)::bigint, 'again', sum(folded)::bigint, 'new', greatest(sum(reports) - sum(relapses), 0)::bigint,
		'relapse', sum(relapses)::bigint, 'quarantined', sum(quarantined)::bigint) AS told FROM each GROUP BY lane) l);
END $$;

-- ---- doors ----

-- Mail goes out as cirt@: who answers there and not to Reply-To is heard.
UPDATE source SET match = 'report@ incident@ cert@ cirt@' WHERE name = 'report' AND kind = 'mailbox' AND match = 'report@ incident@ cert@'
	AND NOT EXISTS (SELECT FROM source s WHERE s.kind = 'mailbox' AND s.match ~ '(^| )cirt@( |$)');
