-- What people at the desk meet first: whom a reply goes to by itself, and briefs whose words are all of their language.
SET LOCAL search_path = cirt, pg_temp;

-- ---- replies ----

-- The mail of a person with which a case began, and who wrote it; NULL: none did.
CREATE FUNCTION case_opener(which bigint, OUT mail bigint, OUT sender text) LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT l.mail, l.sender FROM case_report cr JOIN report r ON r.id = cr.report JOIN source s ON s.id = r.source JOIN letter l ON l.mail = r.id
	WHERE cr.case_id = ANY (case_whole(which)) AND cr.ended IS NULL AND s.kind = 'mailbox' AND r.doc = '' AND l.sender <> ''
	ORDER BY cr.report LIMIT 1
$$;

-- As before; and "reporter" is also who wrote the mail that opened the case, where nobody is named so.
CREATE OR REPLACE FUNCTION mail_whom(c cases, said text, OUT to_party party, OUT to_contact contact, OUT address text, OUT name text, OUT organisation int)
LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	meant text := lower(btrim(said));
	ids bigint[];
	listed text;
BEGIN
	ids := ARRAY(SELECT q.id FROM party q LEFT JOIN organisation g ON g.id = q.organisation WHERE q.case_id = ANY (case_whole(c.id))
		AND (q.role::text = meant OR lower(q.name) = meant OR lower(g.name) = meant
			OR meant LIKE '%@%' AND meant = ANY (regexp_split_to_array(lower(q.contact), '[\s,;<>()]+'))) ORDER BY q.id);
	IF cardinality(ids) > 1 AND meant NOT LIKE '%@%' THEN
		SELECT string_agg(DISTINCT coalesce(nullif(q.name, ''), g.name, q.contact), ', ') INTO listed FROM party q
			LEFT JOIN organisation g ON g.id = q.organisation WHERE q.id = ANY (ids);
		IF (SELECT count(DISTINCT (q.organisation, lower(q.contact))) FROM party q WHERE q.id = ANY (ids)) > 1 THEN
			RAISE EXCEPTION '"%" is more than one: %', left(said, 100), left(listed, 500) USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Say whom by name or address.';
		END IF;
	END IF;
	SELECT * INTO to_party FROM party q WHERE q.id = ids[1];
	organisation := to_party.organisation;
	name := coalesce(to_party.name, '');
	IF meant LIKE '%_@_%' THEN
		address := meant;
	ELSIF to_party.id IS NOT NULL THEN
		address := substring(to_party.contact FROM '[^\s<>,;:()"]+@[^\s<>,;:()"]+');
	ELSE
		SELECT g.id, g.name INTO organisation, name FROM organisation g WHERE lower(g.name) = meant ORDER BY g.valid @> now() DESC, g.id LIMIT 1;
		IF organisation IS NULL AND meant = 'reporter' THEN
			address := (case_opener(c.id)).sender;
			name := '';
		END IF;
		IF organisation IS NULL AND address IS NULL THEN
			RAISE EXCEPTION 'nobody in % is "%"', c.number, left(said, 100) USING ERRCODE = 'no_data_found',
				HINT = 'Parties of it: ' || coalesce((SELECT string_agg(q.role || coalesce(' ' || coalesce(nullif(q.name, ''), g.name), ''), ', ' ORDER BY q.id)
					FROM party q LEFT JOIN organisation g ON g.id = q.organisation WHERE q.case_id = ANY (case_whole(c.id))), 'none')
					|| '. An address will do too.';
		END IF;
	END IF;
	IF address IS NULL AND organisation IS NOT NULL THEN
		SELECT (contact_for(organisation, r, now())).* INTO to_contact FROM unnest(CASE WHEN to_party.role IN ('hoster', 'registrar', 'source-owner')
				THEN '{abuse,security,technical,duty,management,other}' ELSE '{security,duty,technical,management,abuse,other}' END::contact_role[])
				WITH ORDINALITY AS u (r, n) WHERE (contact_for(organisation, r, now())).id IS NOT NULL ORDER BY n LIMIT 1;
		address := to_contact.email;
	END IF;
	IF address IS NULL THEN
		RAISE EXCEPTION 'no mail address of "%" is known', left(said, 100) USING ERRCODE = 'invalid_parameter_value',
			HINT = coalesce('Call ' || nullif(to_party.contact, '') || ', or s', 'S') || 'ay an address: --to ADDRESS';
	END IF;
	IF to_contact.id IS NULL THEN
		SELECT k.* INTO to_contact FROM contact k WHERE lower(k.email) = lower(address) AND k.valid @> now()
			ORDER BY k.organisation IS NOT DISTINCT FROM mail_whom.organisation DESC, k.priority, k.id LIMIT 1;
	END IF;
	organisation := coalesce(organisation, to_contact.organisation, (SELECT d.organisation FROM organisation_domain d
		WHERE d.valid @> now() AND d.domain = substring(lower(address) FROM '@(.+)$') ORDER BY d.organisation LIMIT 1));
	IF to_party.id IS NULL THEN
		SELECT q.* INTO to_party FROM party q WHERE q.case_id = ANY (case_whole(c.id)) AND q.organisation = mail_whom.organisation ORDER BY q.id LIMIT 1;
	END IF;
	name := coalesce(nullif(name, ''), nullif(to_contact.name, ''), (SELECT g.name FROM organisation g WHERE g.id = mail_whom.organisation), '');
END $$;

-- A reply in a case goes to who wrote last in it; where nobody has yet, it answers the mail that opened the case, or goes to who is its
-- reporter. What is answered stands in `what` then.
CREATE FUNCTION reply_meant(p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	whom text := lower(btrim(coalesce(p ->> 'to', '')));
	c cases;
	opener record;
	named boolean;
BEGIN
	IF report_id(p ->> 'what') IS NOT NULL OR p ->> 'what' ~* '^N\d{4}-\d{6,}$' OR whom NOT IN ('', 'reporter') THEN
		RETURN p;
	END IF;
	c := case_reached(p ->> 'what', p);
	named := EXISTS (SELECT 1 FROM party q WHERE q.case_id = ANY (case_whole(c.id)) AND q.role = 'reporter');
	IF c.state = 'merged' OR (whom = 'reporter' AND named)
		OR (whom = '' AND EXISTS (SELECT 1 FROM case_letter l WHERE l.case_id = ANY (case_whole(c.id)) AND l.sender <> '')) THEN
		RETURN p;
	END IF;
	SELECT * INTO opener FROM case_opener(c.id);
	IF opener.mail IS NULL THEN
		RETURN p || CASE WHEN named THEN jsonb_build_object('to', 'reporter') ELSE '{}' END;
	ELSIF EXISTS (SELECT 1 FROM case_letter l WHERE l.case_id = ANY (case_whole(c.id)) AND l.sender = opener.sender) THEN
		RETURN p || jsonb_build_object('to', opener.sender);
	END IF;
	RETURN (p - 'to') || jsonb_build_object('what', report_number(opener.mail));
END $$;

CREATE OR REPLACE FUNCTION desk_reply(p jsonb) RETURNS json LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	SELECT mail_written(reply_meant(p))
$$;

-- ---- what nobody has read ----

-- Mails among the first reports of a case: those that opened it.
CREATE FUNCTION case_mails_begun(which bigint) RETURNS bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT count(*) FROM (SELECT report FROM case_report WHERE case_id = which AND ended IS NULL ORDER BY report LIMIT 100) b
		WHERE EXISTS (SELECT FROM letter l WHERE l.mail = b.report)
$$;

-- ---- briefs ----

-- Of one of something, where a language says that otherwise; numbers first, so that nothing else has to agree.
UPDATE brief_word w SET words = n.words FROM (VALUES
	('en', 'tasks', 'tasks done: %s of %s'), ('fr', 'tasks', 'tâches faites : %s sur %s'), ('es', 'tasks', 'tareas hechas: %s de %s'),
	('en', 'silent', 'asked and silent: %s of %s'), ('fr', 'silent', 'interrogés, sans réponse : %s sur %s'), ('es', 'silent', 'preguntados, sin respuesta: %s de %s'),
	('fr', 'tally', '%s interrogés : %s oui, %s non, %s en vérification, %s sans réponse'),
	('es', 'tally', '%s preguntados: %s sí, %s no, %s en verificación, %s sin respuesta')) n (language, name, words)
	WHERE w.language = n.language AND w.name = n.name;
INSERT INTO brief_word (language, name, words) VALUES
	('en', 'reports.one', '%s report'), ('fr', 'reports.one', '%s signalement'), ('es', 'reports.one', '%s aviso'),
	('en', 'tally.one', '%s asked: %s yes, %s no, %s checking, %s without answer'),
	('fr', 'tally.one', '%s interrogé : %s oui, %s non, %s en vérification, %s sans réponse'),
	('es', 'tally.one', '%s preguntado: %s sí, %s no, %s en verificación, %s sin respuesta');

-- What tables call things, in words of a page for everybody: KIND.NAME.
INSERT INTO brief_word (language, name, words) VALUES
	('en', 'state.new', 'new'), ('fr', 'state.new', 'nouveau'),
	('es', 'state.new', 'nuevo'),
	('en', 'state.open', 'being worked on'), ('fr', 'state.open', 'en cours de traitement'),
	('es', 'state.open', 'en tratamiento'),
	('en', 'state.waiting', 'waiting for an answer or a date'), ('fr', 'state.waiting', 'en attente d''une réponse ou d''une date'),
	('es', 'state.waiting', 'a la espera de una respuesta o de una fecha'),
	('en', 'state.contained', 'contained'), ('fr', 'state.contained', 'contenu'),
	('es', 'state.contained', 'contenido'),
	('en', 'state.resolved', 'resolved'), ('fr', 'state.resolved', 'résolu'),
	('es', 'state.resolved', 'resuelto'),
	('en', 'state.closed', 'closed'), ('fr', 'state.closed', 'clos'),
	('es', 'state.closed', 'cerrado'),
	('en', 'state.rejected', 'rejected'), ('fr', 'state.rejected', 'rejeté'),
	('es', 'state.rejected', 'rechazado'),
	('en', 'state.merged', 'merged into another'), ('fr', 'state.merged', 'réuni à un autre'),
	('es', 'state.merged', 'unido a otro'),
	('en', 'type.spam', 'spam'), ('fr', 'type.spam', 'pourriel'),
	('es', 'type.spam', 'correo no deseado'),
	('en', 'type.harmful-speech', 'harmful speech'), ('fr', 'type.harmful-speech', 'propos nuisibles'),
	('es', 'type.harmful-speech', 'discurso dañino'),
	('en', 'type.violence', 'violence'), ('fr', 'type.violence', 'violence'),
	('es', 'type.violence', 'violencia'),
	('en', 'type.infected-system', 'infected system'), ('fr', 'type.infected-system', 'système infecté'),
	('es', 'type.infected-system', 'sistema infectado'),
	('en', 'type.c2-server', 'command-and-control server'), ('fr', 'type.c2-server', 'serveur de commande'),
	('es', 'type.c2-server', 'servidor de mando y control'),
	('en', 'type.malware-distribution', 'malware distribution'), ('fr', 'type.malware-distribution', 'diffusion de logiciels malveillants'),
	('es', 'type.malware-distribution', 'distribución de software malicioso'),
	('en', 'type.malware-configuration', 'malware configuration'), ('fr', 'type.malware-configuration', 'configuration de logiciel malveillant'),
	('es', 'type.malware-configuration', 'configuración de software malicioso'),
	('en', 'type.scanner', 'scanning'), ('fr', 'type.scanner', 'balayage'),
	('es', 'type.scanner', 'escaneo'),
	('en', 'type.sniffing', 'sniffing'), ('fr', 'type.sniffing', 'écoute du réseau'),
	('es', 'type.sniffing', 'escucha de red'),
	('en', 'type.social-engineering', 'social engineering'), ('fr', 'type.social-engineering', 'ingénierie sociale'),
	('es', 'type.social-engineering', 'ingeniería social'),
	('en', 'type.ids-alert', 'alert of an intrusion detection system'), ('fr', 'type.ids-alert', 'alerte d''un système de détection'),
	('es', 'type.ids-alert', 'alerta de un sistema de detección'),
	('en', 'type.brute-force', 'guessing of passwords'), ('fr', 'type.brute-force', 'essais de mots de passe'),
	('es', 'type.brute-force', 'intentos de contraseñas'),
	('en', 'type.exploit', 'attempt to exploit a vulnerability'), ('fr', 'type.exploit', 'tentative d''exploitation d''une vulnérabilité'),
	('es', 'type.exploit', 'intento de explotar una vulnerabilidad'),
	('en', 'type.privileged-account-compromise', 'compromise of a privileged account'), ('fr', 'type.privileged-account-compromise', 'compromission d''un compte privilégié'),
	('es', 'type.privileged-account-compromise', 'compromiso de una cuenta con privilegios'),
	('en', 'type.unprivileged-account-compromise', 'compromise of an account'), ('fr', 'type.unprivileged-account-compromise', 'compromission d''un compte'),
	('es', 'type.unprivileged-account-compromise', 'compromiso de una cuenta'),
	('en', 'type.application-compromise', 'compromise of an application'), ('fr', 'type.application-compromise', 'compromission d''une application'),
	('es', 'type.application-compromise', 'compromiso de una aplicación'),
	('en', 'type.system-compromise', 'compromise of a system'), ('fr', 'type.system-compromise', 'compromission d''un système'),
	('es', 'type.system-compromise', 'compromiso de un sistema'),
	('en', 'type.burglary', 'burglary'), ('fr', 'type.burglary', 'cambriolage'),
	('es', 'type.burglary', 'robo'),
	('en', 'type.dos', 'denial of service'), ('fr', 'type.dos', 'déni de service'),
	('es', 'type.dos', 'denegación de servicio'),
	('en', 'type.ddos', 'distributed denial of service'), ('fr', 'type.ddos', 'déni de service distribué'),
	('es', 'type.ddos', 'denegación de servicio distribuida'),
	('en', 'type.misconfiguration', 'misconfiguration'), ('fr', 'type.misconfiguration', 'erreur de configuration'),
	('es', 'type.misconfiguration', 'error de configuración'),
	('en', 'type.sabotage', 'sabotage'), ('fr', 'type.sabotage', 'sabotage'),
	('es', 'type.sabotage', 'sabotaje'),
	('en', 'type.outage', 'outage'), ('fr', 'type.outage', 'panne'),
	('es', 'type.outage', 'interrupción'),
	('en', 'type.unauthorised-information-access', 'unauthorised access to information'), ('fr', 'type.unauthorised-information-access', 'accès non autorisé à des informations'),
	('es', 'type.unauthorised-information-access', 'acceso no autorizado a información'),
	('en', 'type.unauthorised-information-modification', 'unauthorised modification of information'), ('fr', 'type.unauthorised-information-modification', 'modification non autorisée d''informations'),
	('es', 'type.unauthorised-information-modification', 'modificación no autorizada de información'),
	('en', 'type.data-loss', 'data loss'), ('fr', 'type.data-loss', 'perte de données'),
	('es', 'type.data-loss', 'pérdida de datos'),
	('en', 'type.data-leak', 'data leak'), ('fr', 'type.data-leak', 'fuite de données'),
	('es', 'type.data-leak', 'fuga de datos'),
	('en', 'type.unauthorised-use-of-resources', 'unauthorised use of resources'), ('fr', 'type.unauthorised-use-of-resources', 'utilisation non autorisée de ressources'),
	('es', 'type.unauthorised-use-of-resources', 'uso no autorizado de recursos'),
	('en', 'type.copyright', 'copyright'), ('fr', 'type.copyright', 'atteinte au droit d''auteur'),
	('es', 'type.copyright', 'infracción de derechos de autor'),
	('en', 'type.masquerade', 'masquerade'), ('fr', 'type.masquerade', 'usurpation d''identité'),
	('es', 'type.masquerade', 'suplantación de identidad'),
	('en', 'type.phishing', 'phishing'), ('fr', 'type.phishing', 'hameçonnage'),
	('es', 'type.phishing', 'phishing'),
	('en', 'type.weak-crypto', 'weak cryptography'), ('fr', 'type.weak-crypto', 'chiffrement faible'),
	('es', 'type.weak-crypto', 'cifrado débil'),
	('en', 'type.ddos-amplifier', 'amplifier of denial of service'), ('fr', 'type.ddos-amplifier', 'amplificateur de déni de service'),
	('es', 'type.ddos-amplifier', 'amplificador de denegación de servicio'),
	('en', 'type.potentially-unwanted-accessible', 'service open to the Internet'), ('fr', 'type.potentially-unwanted-accessible', 'service exposé sur Internet'),
	('es', 'type.potentially-unwanted-accessible', 'servicio expuesto en Internet'),
	('en', 'type.information-disclosure', 'information disclosure'), ('fr', 'type.information-disclosure', 'divulgation d''informations'),
	('es', 'type.information-disclosure', 'divulgación de información'),
	('en', 'type.vulnerable-system', 'vulnerable system'), ('fr', 'type.vulnerable-system', 'système vulnérable'),
	('es', 'type.vulnerable-system', 'sistema vulnerable'),
	('en', 'type.other', 'something else'), ('fr', 'type.other', 'autre'),
	('es', 'type.other', 'otro'),
	('en', 'type.undetermined', 'undetermined'), ('fr', 'type.undetermined', 'nature non déterminée'),
	('es', 'type.undetermined', 'naturaleza sin determinar'),
	('en', 'type.test', 'test'), ('fr', 'type.test', 'essai'),
	('es', 'type.test', 'prueba'),
	('en', 'impact.none', 'none, nothing was harmed'), ('fr', 'impact.none', 'aucun, rien n''a été touché'),
	('es', 'impact.none', 'ninguno, nada resultó dañado'),
	('en', 'impact.minor', 'minor, somebody had work with it, no service suffered'), ('fr', 'impact.minor', 'mineur, du travail pour quelques-uns, aucun service n''a souffert'),
	('es', 'impact.minor', 'menor, dio trabajo a alguien, ningún servicio se vio afectado'),
	('en', 'impact.moderate', 'moderate, a service suffered, or some data or money was lost'), ('fr', 'impact.moderate', 'modéré, un service a souffert, ou des données ou de l''argent ont été perdus'),
	('es', 'impact.moderate', 'moderado, un servicio se vio afectado, o se perdieron datos o dinero'),
	('en', 'impact.significant', 'significant, a service failed, or many were harmed: what the law calls a significant incident'), ('fr', 'impact.significant', 'important, un service est tombé, ou beaucoup ont été touchés : un incident important au sens de la loi'),
	('es', 'impact.significant', 'importante, un servicio falló, o muchos resultaron dañados: un incidente significativo según la ley'),
	('en', 'impact.severe', 'severe, lives, an essential service or the state were endangered'), ('fr', 'impact.severe', 'grave, des vies, un service essentiel ou l''État ont été mis en danger'),
	('es', 'impact.severe', 'grave, peligraron vidas, un servicio esencial o el Estado'),
	('en', 'measure.dns-block', 'name blocked'), ('fr', 'measure.dns-block', 'nom bloqué'),
	('es', 'measure.dns-block', 'nombre bloqueado'),
	('en', 'measure.address-block', 'address blocked'), ('fr', 'measure.address-block', 'adresse bloquée'),
	('es', 'measure.address-block', 'dirección bloqueada'),
	('en', 'measure.url-block', 'page blocked'), ('fr', 'measure.url-block', 'page bloquée'),
	('es', 'measure.url-block', 'página bloqueada'),
	('en', 'measure.mail-block', 'sender blocked'), ('fr', 'measure.mail-block', 'expéditeur bloqué'),
	('es', 'measure.mail-block', 'remitente bloqueado'),
	('en', 'measure.sinkhole', 'led to us'), ('fr', 'measure.sinkhole', 'redirigé vers nous'),
	('es', 'measure.sinkhole', 'desviado hacia nosotros'),
	('en', 'measure.takedown', 'taken down'), ('fr', 'measure.takedown', 'retiré'),
	('es', 'measure.takedown', 'retirado'),
	('en', 'measure.isolation', 'taken off the network'), ('fr', 'measure.isolation', 'isolé du réseau'),
	('es', 'measure.isolation', 'aislado de la red'),
	('en', 'measure.account-lock', 'account locked'), ('fr', 'measure.account-lock', 'compte verrouillé'),
	('es', 'measure.account-lock', 'cuenta bloqueada'),
	('en', 'measure.patch', 'fix installed'), ('fr', 'measure.patch', 'correctif installé'),
	('es', 'measure.patch', 'corrección instalada'),
	('en', 'measure.monitoring', 'watched'), ('fr', 'measure.monitoring', 'sous surveillance'),
	('es', 'measure.monitoring', 'bajo vigilancia'),
	('en', 'measure.other', 'something else'), ('fr', 'measure.other', 'autre'),
	('es', 'measure.other', 'otra');

-- What a language calls what a table calls `value`; without a word for it: as the table does.
CREATE FUNCTION brief_term(lang text, kind text, value text) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT words FROM brief_word WHERE language = lang AND name = kind || '.' || value), value)
$$;

-- brief_say() of a number of things; none is one of them in French.
CREATE FUNCTION brief_count(lang text, what text, n bigint, VARIADIC said text[] DEFAULT '{}') RETURNS text LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	SELECT brief_say(lang, what || CASE WHEN n = 1 OR (n = 0 AND lang = 'fr') THEN '.one' ELSE '' END, VARIADIC n::text || said)
$$;

-- As before, in words of the language.
CREATE OR REPLACE FUNCTION brief_made(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
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
		CASE WHEN full_form THEN c.title ELSE brief_term(lang, 'type', c.type::text) END || ' (' || c.number || ')',
		brief_section(lang, 'happened', brief_say(lang, 'opened', brief_term(lang, 'type', c.type::text), to_char(c.opened, 'YYYY-MM-DD HH24:MI'))
			|| CASE WHEN full_form THEN ARRAY(SELECT concat_ws(' – ', to_char(e.at, 'YYYY-MM-DD HH24:MI'), to_char(e.until, 'YYYY-MM-DD HH24:MI')) || ': ' || left(e.text, 300)
				FROM case_event e WHERE e.case_id = ANY (ids) ORDER BY e.at, e.id LIMIT 12) ELSE '{}' END),
		brief_section(lang, 'effects', ARRAY[CASE WHEN full_form THEN brief_say(lang, 'concerned', (SELECT nullif(string_agg(x.who, ', ' ORDER BY x.who), '') FROM (SELECT DISTINCT
				coalesce(g.name, nullif(q.name, '')) AS who FROM party q LEFT JOIN organisation g ON g.id = q.organisation WHERE q.case_id = ANY (ids) AND q.role = 'affected') x)) END,
			brief_say(lang, 'impact', brief_term(lang, 'impact', c.impact)),
			CASE WHEN full_form THEN (SELECT left(n.text, 500) FROM note n WHERE n.case_id = ANY (ids) AND n.pinned ORDER BY n.id DESC LIMIT 1) END]),
		brief_section(lang, 'doing', ARRAY[brief_say(lang, 'state', brief_term(lang, 'state', c.state::text)), (SELECT brief_say(lang, 'tasks', (count(*) FILTER (WHERE t.state = 'done'))::text, count(*)::text)
				FROM task t WHERE t.case_id = ANY (ids) AND t.state <> 'dropped' HAVING count(*) > 0)]
			|| ARRAY(SELECT brief_say(lang, 'measure', brief_term(lang, 'measure', k.kind) || CASE WHEN full_form THEN ' ' || replace(left(k.target, 200), '.', '[.]') ELSE '' END) FROM measure k
				WHERE k.case_id = ANY (ids) AND k.ended IS NULL ORDER BY k.id LIMIT 10)),
		brief_section(lang, 'unknown', ARRAY[CASE WHEN c.impact IS NULL THEN brief_say(lang, 'no_impact') END, CASE WHEN c.type = 'undetermined' THEN brief_say(lang, 'no_cause') END]
			|| ARRAY(SELECT brief_say(lang, 'asked', CASE WHEN full_form THEN left(i.question, 200) ELSE '…' END, to_char(i.due, 'YYYY-MM-DD HH24:MI')) FROM inquiry i
				WHERE i.case_id = ANY (ids) AND i.ask IS NULL AND i.state = 'open' ORDER BY i.due, i.id LIMIT 10)
			|| ARRAY(SELECT brief_say(lang, 'silent', (count(*) FILTER (WHERE i.word = ''))::text, count(*)::text) FROM inquiry i WHERE i.case_id = ANY (ids) AND i.ask IS NOT NULL
				GROUP BY i.ask HAVING count(*) FILTER (WHERE i.word = '') > 0 ORDER BY i.ask)),
		brief_section(lang, 'next', ARRAY[to_char(case_next_due(c.id), 'YYYY-MM-DD HH24:MI') || ' UTC']),
		brief_section(lang, 'figures', ARRAY[(SELECT brief_count(lang, 'reports', count(*)) FROM case_report r WHERE r.case_id = ANY (ids) AND r.ended IS NULL)]
			|| ARRAY(SELECT brief_count(lang, 'tally', count(*), (count(*) FILTER (WHERE i.word = 'yes'))::text, (count(*) FILTER (WHERE i.word = 'no'))::text,
				(count(*) FILTER (WHERE i.word = 'checking'))::text, (count(*) FILTER (WHERE i.word IN ('', 'other')))::text) FROM inquiry i
				WHERE i.case_id = ANY (ids) AND i.ask IS NOT NULL GROUP BY i.ask ORDER BY i.ask)),
		'TLP:' || upper(label::text));
	PERFORM journal_add('brief/' || c.number, 'made', NULL, jsonb_strip_nulls(jsonb_build_object('situation', situation, 'for', nullif(verdict, ''), 'lang', lang, 'tlp', label,
		'revision', head, 'text', encode(sha256(convert_to(said, 'UTF8')), 'hex')))::text);
	RETURN jsonb_strip_nulls(jsonb_build_object('case', c.number, 'situation', situation, 'journal', up_to, 'tlp', label, 'lang', lang, 'gate', nullif(verdict, ''),
		'form', CASE WHEN full_form THEN 'full' ELSE 'sanitised' END, 'text', said));
END $$;

REVOKE ALL ON FUNCTION case_opener, reply_meant, case_mails_begun, brief_term, brief_count FROM PUBLIC;
GRANT EXECUTE ON FUNCTION case_opener, reply_meant, case_mails_begun, brief_term, brief_count TO cirt_desk;
