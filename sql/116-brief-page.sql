-- The page for those who decide says what its label asks of its reader, whom it is for, how many are concerned, and what is not to be told on.
SET LOCAL search_path = cirt, pg_temp;

-- What may not be told on by whoever is told of the case: a few words each.
ALTER TABLE note ADD unsaid boolean NOT NULL DEFAULT false;
CREATE INDEX note_unsaid ON note (case_id, id) WHERE unsaid;

INSERT INTO brief_word (language, name, words) VALUES
	('en', 'tlp.clear', 'may be passed on to anybody'), ('fr', 'tlp.clear', 'peut être transmis à tous'), ('es', 'tlp.clear', 'puede transmitirse a cualquiera'),
	('en', 'tlp.green', 'may be passed on among those who protect systems, not in public'),
	('fr', 'tlp.green', 'peut être transmis entre ceux qui protègent des systèmes, pas publiquement'),
	('es', 'tlp.green', 'puede transmitirse entre quienes protegen sistemas, no en público'),
	('en', 'tlp.amber', 'may be passed on to those in your organisation and among its clients who have to know'),
	('fr', 'tlp.amber', 'peut être transmis à ceux de votre organisation et de ses clients qui ont besoin d''en connaître'),
	('es', 'tlp.amber', 'puede transmitirse a quienes deban saberlo en su organización y entre sus clientes'),
	('en', 'tlp.amber+strict', 'may be passed on to those in your organisation who have to know, and to nobody else'),
	('fr', 'tlp.amber+strict', 'peut être transmis à ceux de votre organisation qui ont besoin d''en connaître, et à personne d''autre'),
	('es', 'tlp.amber+strict', 'puede transmitirse a quienes deban saberlo en su organización, y a nadie más'),
	('en', 'tlp.red', 'for you alone, not to be passed on to anybody'), ('fr', 'tlp.red', 'pour vous seul, à ne transmettre à personne'),
	('es', 'tlp.red', 'solo para usted, no debe transmitirse a nadie'),
	('en', 'reader', 'for %s'), ('fr', 'reader', 'pour %s'), ('es', 'reader', 'para %s'),
	('en', 'unsaid', 'Not to be told on'), ('fr', 'unsaid', 'À ne pas dire'), ('es', 'unsaid', 'No divulgar'),
	('en', 'affected', '%s organisations concerned'), ('fr', 'affected', '%s organisations concernées'), ('es', 'affected', '%s organizaciones afectadas'),
	('en', 'affected.one', '%s organisation concerned'), ('fr', 'affected.one', '%s organisation concernée'), ('es', 'affected.one', '%s organización afectada'),
	('en', 'no_concerned', 'who is concerned'), ('fr', 'no_concerned', 'qui est concerné'), ('es', 'no_concerned', 'quién está afectado');

-- {number, text, pin, unsaid}
CREATE OR REPLACE FUNCTION desk_case_note(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_worked(p);
	said text := said_words(p, 'text', 'a note', 1000000);
	fresh bigint;
BEGIN
	IF p ? 'unsaid' AND length(said) > 200 THEN
		PERFORM said_wrong('what is not to be told on stands on a page: 200 characters at most');
	END IF;
	INSERT INTO note (case_id, text, pinned, unsaid) VALUES (c.id, said, p ? 'pin', p ? 'unsaid') RETURNING id INTO fresh;
	RETURN case_brief_json(c.id) || jsonb_build_object('note', fresh);
END $$;

-- {id}: it does not stand in front any more, nor on what is told
CREATE OR REPLACE FUNCTION desk_note_unpin(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	n note := note_asked(p, false);
BEGIN
	UPDATE note SET pinned = false, unsaid = false WHERE id = n.id AND (pinned OR unsaid);
	RETURN note_json(n.id);
END $$;

-- As before; and whether it is not to be told on.
CREATE OR REPLACE FUNCTION note_json(which bigint) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('id', n.id, 'case', c.number, 'at', stamp(n.at), 'actor', n.actor, 'text', n.text,
		'pinned', n.pinned, 'unsaid', n.unsaid, 'edited', stamp(n.edited), 'edited_by', n.edited_by, 'erased', stamp(n.erased), 'erased_by', n.erased_by,
		'digest', CASE WHEN n.erased IS NULL THEN salted_digest(n.salt, n.text) END,
		'revisions', (SELECT jsonb_agg(jsonb_build_object('at', stamp(r.at), 'actor', r.actor, 'text', r.text) ORDER BY r.id)
			FROM note_revision r WHERE r.note = n.id)))
	FROM note n JOIN cases c ON c.id = n.case_id WHERE n.id = which
$$;

-- The same state of the journal is the same situation.
CREATE FUNCTION brief_situation(c cases, head bigint) RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	said int := (SELECT s.n FROM case_situation s WHERE s.case_id = c.id AND s.revision = head);
BEGIN
	IF said IS NULL THEN
		INSERT INTO case_situation (case_id, n, revision) SELECT c.id, coalesce(max(s.n), 0) + 1, head FROM case_situation s WHERE s.case_id = c.id
			RETURNING n INTO said;
	END IF;
	RETURN said;
END $$;

CREATE FUNCTION brief_affected(ids bigint[]) RETURNS SETOF text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT DISTINCT coalesce(g.name, nullif(q.name, '')) FROM party q LEFT JOIN organisation g ON g.id = q.organisation
	WHERE q.case_id = ANY (ids) AND q.role = 'affected' AND coalesce(g.name, nullif(q.name, '')) IS NOT NULL
$$;

-- What happened, and what it did to whom; in a sanitised page only what needs no source.
CREATE FUNCTION brief_events(c cases, ids bigint[], lang text, full_form boolean) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
	SELECT brief_section(lang, 'happened', brief_say(lang, 'opened', brief_term(lang, 'type', c.type::text), to_char(c.opened, 'YYYY-MM-DD HH24:MI'))
			|| CASE WHEN full_form THEN ARRAY(SELECT concat_ws(' – ', to_char(e.at, 'YYYY-MM-DD HH24:MI'), to_char(e.until, 'YYYY-MM-DD HH24:MI')) || ': ' || left(e.text, 300)
				FROM case_event e WHERE e.case_id = ANY (ids) ORDER BY e.at, e.id LIMIT 12) ELSE '{}' END)
		|| chr(10) || chr(10)
		|| brief_section(lang, 'effects', ARRAY[CASE WHEN full_form THEN brief_say(lang, 'concerned', (SELECT nullif(string_agg(x.who, ', ' ORDER BY x.who), '')
				FROM brief_affected(ids) AS x (who))) END,
			brief_say(lang, 'impact', brief_term(lang, 'impact', c.impact)),
			CASE WHEN full_form THEN (SELECT left(n.text, 500) FROM note n WHERE n.case_id = ANY (ids) AND n.pinned ORDER BY n.id DESC LIMIT 1) END])
$$;
-- What we do, and what we do not know.
CREATE FUNCTION brief_work(c cases, ids bigint[], lang text, full_form boolean) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
	SELECT brief_section(lang, 'doing', ARRAY[brief_say(lang, 'state', brief_term(lang, 'state', c.state::text)), (SELECT brief_say(lang, 'tasks',
				(count(*) FILTER (WHERE t.state = 'done'))::text, count(*)::text) FROM task t WHERE t.case_id = ANY (ids) AND t.state <> 'dropped' HAVING count(*) > 0)]
			|| ARRAY(SELECT brief_say(lang, 'measure', brief_term(lang, 'measure', k.kind) || CASE WHEN full_form THEN ' ' || replace(left(k.target, 200), '.', '[.]') ELSE '' END)
				FROM measure k WHERE k.case_id = ANY (ids) AND k.ended IS NULL ORDER BY k.id LIMIT 10))
		|| chr(10) || chr(10)
		|| brief_section(lang, 'unknown', ARRAY[CASE WHEN NOT EXISTS (SELECT FROM brief_affected(ids)) THEN brief_say(lang, 'no_concerned') END,
				CASE WHEN c.impact IS NULL THEN brief_say(lang, 'no_impact') END, CASE WHEN c.type = 'undetermined' THEN brief_say(lang, 'no_cause') END]
			|| ARRAY(SELECT brief_say(lang, 'asked', CASE WHEN full_form THEN left(i.question, 200) ELSE '…' END, to_char(i.due, 'YYYY-MM-DD HH24:MI')) FROM inquiry i
				WHERE i.case_id = ANY (ids) AND i.ask IS NULL AND i.state = 'open' ORDER BY i.due, i.id LIMIT 10)
			|| ARRAY(SELECT brief_say(lang, 'silent', (count(*) FILTER (WHERE i.word = ''))::text, count(*)::text) FROM inquiry i WHERE i.case_id = ANY (ids) AND i.ask IS NOT NULL
				GROUP BY i.ask HAVING count(*) FILTER (WHERE i.word = '') > 0 ORDER BY i.ask))
$$;
CREATE FUNCTION brief_figures(ids bigint[], lang text) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT brief_section(lang, 'figures', ARRAY[(SELECT brief_count(lang, 'affected', count(*)) FROM brief_affected(ids) HAVING count(*) > 0),
			(SELECT brief_count(lang, 'reports', count(*)) FROM case_report r WHERE r.case_id = ANY (ids) AND r.ended IS NULL)]
		|| ARRAY(SELECT brief_count(lang, 'tally', count(*), (count(*) FILTER (WHERE i.word = 'yes'))::text, (count(*) FILTER (WHERE i.word = 'no'))::text,
			(count(*) FILTER (WHERE i.word = 'checking'))::text, (count(*) FILTER (WHERE i.word IN ('', 'other')))::text) FROM inquiry i
			WHERE i.case_id = ANY (ids) AND i.ask IS NOT NULL GROUP BY i.ask ORDER BY i.ask))
$$;
-- NULL: there is nothing that is not to be told on, or the page does not say it.
CREATE FUNCTION brief_unsaid(ids bigint[], lang text, full_form boolean) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT brief_section(lang, 'unsaid', array_agg(left(n.text, 200) ORDER BY n.id)) FROM note n
	WHERE full_form AND n.case_id = ANY (ids) AND n.unsaid AND n.erased IS NULL HAVING count(*) > 0
$$;

-- The language of the page: as asked, else that of whom it is for where we have it, else English.
CREATE FUNCTION brief_language(asked text, party_speaks text, contact_speaks text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF asked IS NULL THEN
		RETURN coalesce((SELECT b.language FROM brief_word b WHERE b.language = left(lower(coalesce(nullif(party_speaks, ''), contact_speaks)), 2) LIMIT 1), 'en');
	ELSIF NOT EXISTS (SELECT FROM brief_word b WHERE b.language = left(lower(asked), 2)) THEN
		RAISE EXCEPTION 'lang: expected en, fr or es, not "%"', left(asked, 20) USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN left(lower(asked), 2);
END $$;

CREATE OR REPLACE FUNCTION brief_made(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
#variable_conflict use_variable
DECLARE
	c cases := case_reached(p ->> 'number', p);
	ids bigint[] := case_whole(c.id);
	label tlp := coalesce(tlp_read(p ->> 'tlp'), c.tlp);
	head bigint := case_revision(c.id);
	up_to bigint := (SELECT max(j.id) FROM journal j WHERE j.object = 'case/' || c.number);
	full_form boolean := true;
	situation int := brief_situation(c, head);
	reader text;
	lang text;
	verdict text := '';
	w record;
	v record;
	said text;
BEGIN
	IF p ? 'for' THEN
		SELECT * INTO w FROM mail_whom(c, p ->> 'for');
		SELECT * INTO v FROM mail_verdict(label, c.tlp, c.pap, mail_recipient(c, (w.to_party).role::text, w.organisation), c.exercise, w.address);
		reader := coalesce(nullif(w.name, ''), (SELECT g.name FROM organisation g WHERE g.id = w.organisation), w.address);
		IF v.verdict IN ('refuse', 'ask') THEN
			RAISE EXCEPTION 'this must not be told to %: %', reader, v.why USING ERRCODE = 'insufficient_privilege';
		END IF;
		full_form := v.verdict <> 'sanitise';
		verdict := reader || ': ' || coalesce(nullif(v.why, ''), 'ok');
		lang := brief_language(p ->> 'lang', (w.to_party).language, (w.to_contact).language);
	ELSE
		lang := brief_language(p ->> 'lang', NULL, NULL);
	END IF;
	said := concat_ws(chr(10) || chr(10),
		'TLP:' || upper(label::text) || ' · ' || to_char(now(), 'YYYY-MM-DD HH24:MI') || ' UTC · ' || (SELECT words FROM brief_word WHERE language = lang AND name = 'situation')
			|| ' ' || situation || ' · ' || brief_say(lang, 'from', up_to::text) || CASE WHEN c.exercise <> 0 THEN ' · EXERCISE EXERCISE EXERCISE' ELSE '' END
			|| chr(10) || concat_ws(' · ', brief_say(lang, 'reader', reader), brief_term(lang, 'tlp', label::text)),
		CASE WHEN full_form THEN c.title ELSE brief_term(lang, 'type', c.type::text) END || ' (' || c.number || ')',
		brief_events(c, ids, lang, full_form), brief_work(c, ids, lang, full_form),
		brief_section(lang, 'next', ARRAY[to_char(case_next_due(c.id), 'YYYY-MM-DD HH24:MI') || ' UTC']),
		brief_figures(ids, lang), brief_unsaid(ids, lang, full_form), 'TLP:' || upper(label::text));
	PERFORM journal_add('brief/' || c.number, 'made', NULL, jsonb_strip_nulls(jsonb_build_object('situation', situation, 'for', nullif(verdict, ''), 'lang', lang, 'tlp', label,
		'revision', head, 'text', encode(sha256(convert_to(said, 'UTF8')), 'hex')))::text);
	RETURN jsonb_strip_nulls(jsonb_build_object('case', c.number, 'situation', situation, 'journal', up_to, 'tlp', label, 'lang', lang, 'gate', nullif(verdict, ''),
		'form', CASE WHEN full_form THEN 'full' ELSE 'sanitised' END, 'text', said));
END $$;

REVOKE ALL ON FUNCTION brief_situation, brief_events, brief_affected, brief_work, brief_figures, brief_unsaid, brief_language FROM PUBLIC;
GRANT EXECUTE ON FUNCTION brief_situation, brief_events, brief_affected, brief_work, brief_figures, brief_unsaid, brief_language TO cirt_desk;
