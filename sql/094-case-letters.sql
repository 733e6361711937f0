-- Mails of cases as they came: who signed them; contacts know at once how long their keys live; late answers to questions are told as such.
SET LOCAL search_path = cirt, pg_temp;

-- The courier asks the room keys how long the keys of contacts live, once there are others.
CREATE FUNCTION contact_keys() RETURNS trigger LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	NOTIFY cirt_keys;
	RETURN NULL;
END $$;
CREATE TRIGGER contact_keys AFTER INSERT OR UPDATE OF pgp, smime ON contact FOR EACH ROW WHEN (NEW.pgp <> '' OR NEW.smime <> '')
	EXECUTE FUNCTION contact_keys();

-- As before; and by whom a mail that came was signed, and whether it was sealed to us.
CREATE OR REPLACE FUNCTION case_thread(of_case bigint) RETURNS json LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
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

-- As before; and who is checking is counted after the question was closed too, where he had said nothing.
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
		UPDATE inquiry SET word = heard, mail = coalesce(mail, of_mail) WHERE id = i.id AND (state = 'open' OR word = '');
	ELSIF i.state = 'open' OR heard <> i.word THEN
		PERFORM inquiry_end(i, 'answered', of_mail, heard, i.answer);
	END IF;
END $$;

-- As before; and whose answer came when its time was over, and how many mails came to his address.
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
				'late', CASE WHEN (SELECT min(l.at) FROM inquiry_letter l WHERE l.inquiry = i.id) > least(a.until, a.closed) THEN true END,
				'mails', (SELECT nullif(count(*), 1) FROM inquiry_letter l WHERE l.inquiry = i.id HAVING count(*) > 0),
				'note', nullif(i.answer, ''), 'reached', CASE WHEN i.outbox IS NULL THEN 'NO CONTACT: call them' WHEN o.bounced IS NOT NULL THEN 'CAME BACK: call them'
				WHEN o.state IN ('failed', 'cancelled', 'held') THEN upper(o.state::text) WHEN o.state = 'sent' THEN i.address ELSE o.state::text END,
				'reminders', nullif(i.reminders, 0))) ORDER BY array_position('{yes,other,checking,"",no}', i.word), i.name), '[]')
			FROM inquiry i LEFT JOIN outbox o ON o.id = i.outbox WHERE i.ask = a.id));
END $$;
