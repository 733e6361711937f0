-- A page on a case for people who do not work on it: in plain words, out of what the case has, and nothing else.
SET LOCAL search_path = cirt, pg_temp;

-- Headings and phrases by language; %s stands for what is said.
CREATE TABLE brief_word (
	language text NOT NULL,
	name text NOT NULL,
	words text NOT NULL,
	PRIMARY KEY (language, name)
);
INSERT INTO brief_word (language, name, words) VALUES
	('en', 'happened', 'What happened'), ('fr', 'happened', 'Ce qui est arrivé'), ('es', 'happened', 'Qué ha ocurrido'),
	('en', 'effects', 'Effects'), ('fr', 'effects', 'Effets'), ('es', 'effects', 'Efectos'),
	('en', 'doing', 'What we do'), ('fr', 'doing', 'Ce que nous faisons'), ('es', 'doing', 'Qué hacemos'),
	('en', 'unknown', 'What we do not know'), ('fr', 'unknown', 'Ce que nous ne savons pas'), ('es', 'unknown', 'Qué no sabemos'),
	('en', 'next', 'Next point'), ('fr', 'next', 'Prochain point'), ('es', 'next', 'Próximo punto'),
	('en', 'figures', 'Figures'), ('fr', 'figures', 'Chiffres'), ('es', 'figures', 'Cifras'),
	('en', 'situation', 'situation'), ('fr', 'situation', 'situation'), ('es', 'situation', 'situación'),
	('en', 'from', 'from the journal up to #%s'), ('fr', 'from', 'd''après le journal jusqu''au n° %s'), ('es', 'from', 'según el registro hasta el n.º %s'),
	('en', 'opened', '%s, worked on since %s'), ('fr', 'opened', '%s, traité depuis le %s'), ('es', 'opened', '%s, en tratamiento desde el %s'),
	('en', 'concerned', 'concerned: %s'), ('fr', 'concerned', 'concerné : %s'), ('es', 'concerned', 'afectado: %s'),
	('en', 'impact', 'harm: %s'), ('fr', 'impact', 'dommage : %s'), ('es', 'impact', 'daño: %s'),
	('en', 'no_impact', 'how much was harmed'), ('fr', 'no_impact', 'l''étendue des dommages'), ('es', 'no_impact', 'el alcance del daño'),
	('en', 'no_cause', 'what it is'), ('fr', 'no_cause', 'la nature de l''incident'), ('es', 'no_cause', 'la naturaleza del incidente'),
	('en', 'tasks', '%s of %s tasks done'), ('fr', 'tasks', '%s tâches sur %s faites'), ('es', 'tasks', '%s de %s tareas hechas'),
	('en', 'measure', 'countermeasure: %s'), ('fr', 'measure', 'mesure : %s'), ('es', 'measure', 'medida: %s'),
	('en', 'asked', 'asked and not answered: %s (due %s)'), ('fr', 'asked', 'demandé, sans réponse : %s (avant le %s)'), ('es', 'asked', 'preguntado, sin respuesta: %s (hasta %s)'),
	('en', 'silent', '%s of %s asked have not answered'), ('fr', 'silent', '%s des %s interrogés n''ont pas répondu'), ('es', 'silent', '%s de %s preguntados no han respondido'),
	('en', 'tally', '%s asked: %s yes, %s no, %s checking, %s without answer'), ('fr', 'tally', '%s interrogés : %s oui, %s non, %s vérifient, %s sans réponse'),
	('es', 'tally', '%s preguntados: %s sí, %s no, %s verifican, %s sin respuesta'),
	('en', 'reports', '%s reports'), ('fr', 'reports', '%s signalements'), ('es', 'reports', '%s avisos'),
	('en', 'state', 'the case is %s'), ('fr', 'state', 'état du dossier : %s'), ('es', 'state', 'estado del caso: %s'),
	('en', 'nothing', 'nothing stands in the case'), ('fr', 'nothing', 'rien dans le dossier'), ('es', 'nothing', 'nada consta en el caso');

-- How often the case had changed when somebody was told how it stands: the same state of the journal is the same situation.
CREATE TABLE case_situation (
	case_id bigint NOT NULL REFERENCES cases,
	n int NOT NULL,
	revision bigint NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (case_id, n),
	UNIQUE (case_id, revision)
);

CREATE FUNCTION brief_section(lang text, heading text, lines text[]) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT w.words || chr(10) || string_agg('  - ' || regexp_replace(l, '\s+', ' ', 'g'), chr(10) ORDER BY n)
	FROM brief_word w, unnest(CASE WHEN cardinality(array_remove(lines, NULL)) = 0 THEN ARRAY[(SELECT words FROM brief_word WHERE language = lang AND name = 'nothing')]
		ELSE array_remove(lines, NULL) END) WITH ORDINALITY AS u (l, n)
	WHERE w.language = lang AND w.name = heading GROUP BY w.words
$$;
CREATE FUNCTION brief_say(lang text, what text, VARIADIC said text[] DEFAULT '{}') RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN array_position(said, NULL) IS NULL THEN format(words, VARIADIC said) END FROM brief_word WHERE language = lang AND name = what
$$;

-- {number, for, lang, tlp}
CREATE FUNCTION desk_case_brief(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
#variable_conflict use_variable
DECLARE
	c cases := case_reached(p ->> 'number', p);
	ids bigint[] := case_whole(c.id);
	lang text := left(lower(coalesce(p ->> 'lang', 'en')), 2);
	label tlp := coalesce(tlp_read(p ->> 'tlp'), c.tlp);
	head bigint := case_revision(c.id);
	up_to bigint := (SELECT max(j.id) FROM journal j WHERE j.object = 'case/' || c.number);
	full_form boolean := true;
	situation int;
	verdict text := '';
	w record;
	v record;
	said text;
BEGIN
	IF NOT EXISTS (SELECT 1 FROM brief_word b WHERE b.language = lang) THEN
		RAISE EXCEPTION 'lang: expected en, fr or es, not "%"', left(p ->> 'lang', 20) USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF p ? 'for' THEN
		SELECT * INTO w FROM mail_whom(c, p ->> 'for');
		SELECT * INTO v FROM mail_verdict(label, c.tlp, c.pap, mail_recipient(c, (w.to_party).role::text, w.organisation), c.exercise, w.address);
		IF v.verdict IN ('refuse', 'ask') THEN
			RAISE EXCEPTION 'this must not be told to %: %', coalesce(nullif(w.name, ''), w.address), v.why USING ERRCODE = 'insufficient_privilege';
		END IF;
		full_form := v.verdict <> 'sanitise';
		verdict := coalesce(nullif(w.name, ''), w.address) || ': ' || coalesce(nullif(v.why, ''), 'ok');
	END IF;
	SELECT s.n INTO situation FROM case_situation s WHERE s.case_id = c.id AND s.revision = head;
	IF situation IS NULL THEN
		INSERT INTO case_situation (case_id, n, revision) SELECT c.id, coalesce(max(s.n), 0) + 1, head FROM case_situation s WHERE s.case_id = c.id
			RETURNING n INTO situation;
	END IF;
	said := concat_ws(chr(10) || chr(10),
		'TLP:' || upper(label::text) || ' · ' || to_char(now(), 'YYYY-MM-DD HH24:MI') || ' UTC · ' || (SELECT words FROM brief_word WHERE language = lang AND name = 'situation')
			|| ' ' || situation || ' · ' || brief_say(lang, 'from', up_to::text) || CASE WHEN c.exercise <> 0 THEN ' · EXERCISE EXERCISE EXERCISE' ELSE '' END,
		CASE WHEN full_form THEN c.title ELSE c.type::text END || ' (' || c.number || ')',
		brief_section(lang, 'happened', brief_say(lang, 'opened', c.type::text, to_char(c.opened, 'YYYY-MM-DD HH24:MI'))
			|| CASE WHEN full_form THEN ARRAY(SELECT concat_ws(' – ', to_char(e.at, 'YYYY-MM-DD HH24:MI'), to_char(e.until, 'YYYY-MM-DD HH24:MI')) || ': ' || left(e.text, 300)
				FROM case_event e WHERE e.case_id = ANY (ids) ORDER BY e.at, e.id LIMIT 12) ELSE '{}' END),
		brief_section(lang, 'effects', ARRAY[CASE WHEN full_form THEN brief_say(lang, 'concerned', (SELECT nullif(string_agg(x.who, ', ' ORDER BY x.who), '') FROM (SELECT DISTINCT
				coalesce(g.name, nullif(q.name, '')) AS who FROM party q LEFT JOIN organisation g ON g.id = q.organisation WHERE q.case_id = ANY (ids) AND q.role = 'affected') x)) END,
			brief_say(lang, 'impact', (SELECT k.name || ', ' || k.meaning FROM case_impact k WHERE k.name = c.impact)),
			CASE WHEN full_form THEN (SELECT left(n.text, 500) FROM note n WHERE n.case_id = ANY (ids) AND n.pinned ORDER BY n.id DESC LIMIT 1) END]),
		brief_section(lang, 'doing', ARRAY[brief_say(lang, 'state', c.state::text), (SELECT brief_say(lang, 'tasks', (count(*) FILTER (WHERE t.state = 'done'))::text, count(*)::text)
				FROM task t WHERE t.case_id = ANY (ids) AND t.state <> 'dropped' HAVING count(*) > 0)]
			|| ARRAY(SELECT brief_say(lang, 'measure', k.kind || CASE WHEN full_form THEN ' ' || replace(left(k.target, 200), '.', '[.]') ELSE '' END) FROM measure k
				WHERE k.case_id = ANY (ids) AND k.ended IS NULL ORDER BY k.id LIMIT 10)),
		brief_section(lang, 'unknown', ARRAY[CASE WHEN c.impact IS NULL THEN brief_say(lang, 'no_impact') END, CASE WHEN c.type = 'undetermined' THEN brief_say(lang, 'no_cause') END]
			|| ARRAY(SELECT brief_say(lang, 'asked', CASE WHEN full_form THEN left(i.question, 200) ELSE '…' END, to_char(i.due, 'YYYY-MM-DD HH24:MI')) FROM inquiry i
				WHERE i.case_id = ANY (ids) AND i.ask IS NULL AND i.state = 'open' ORDER BY i.due, i.id LIMIT 10)
			|| ARRAY(SELECT brief_say(lang, 'silent', (count(*) FILTER (WHERE i.word = ''))::text, count(*)::text) FROM inquiry i WHERE i.case_id = ANY (ids) AND i.ask IS NOT NULL
				GROUP BY i.ask HAVING count(*) FILTER (WHERE i.word = '') > 0 ORDER BY i.ask)),
		brief_section(lang, 'next', ARRAY[to_char(case_next_due(c.id), 'YYYY-MM-DD HH24:MI') || ' UTC']),
		brief_section(lang, 'figures', ARRAY[(SELECT brief_say(lang, 'reports', count(*)::text) FROM case_report r WHERE r.case_id = ANY (ids) AND r.ended IS NULL)]
			|| ARRAY(SELECT brief_say(lang, 'tally', count(*)::text, (count(*) FILTER (WHERE i.word = 'yes'))::text, (count(*) FILTER (WHERE i.word = 'no'))::text,
				(count(*) FILTER (WHERE i.word = 'checking'))::text, (count(*) FILTER (WHERE i.word IN ('', 'other')))::text) FROM inquiry i
				WHERE i.case_id = ANY (ids) AND i.ask IS NOT NULL GROUP BY i.ask ORDER BY i.ask)),
		'TLP:' || upper(label::text));
	PERFORM journal_add('brief/' || c.number, 'made', NULL, jsonb_strip_nulls(jsonb_build_object('situation', situation, 'for', nullif(verdict, ''), 'lang', lang, 'tlp', label,
		'revision', head, 'text', encode(sha256(convert_to(said, 'UTF8')), 'hex')))::text);
	RETURN jsonb_strip_nulls(jsonb_build_object('case', c.number, 'situation', situation, 'journal', up_to, 'tlp', label, 'lang', lang, 'gate', nullif(verdict, ''),
		'form', CASE WHEN full_form THEN 'full' ELSE 'sanitised' END, 'text', said));
END $$;

REVOKE ALL ON FUNCTION brief_section, brief_say, desk_case_brief FROM PUBLIC;
GRANT EXECUTE ON FUNCTION brief_section, brief_say, desk_case_brief TO cirt_desk;
GRANT SELECT ON brief_word TO cirt_desk;
GRANT SELECT, INSERT ON case_situation TO cirt_desk;
