-- Mails that people write in cases: to whom, what the gate says of it, what of the case they tell, how they hang together.
SET LOCAL search_path = cirt, pg_temp;

-- ---- texts ----

-- Indicators in a text made harmless: URLs but those below `own`, and the addresses and names in `known`.
CREATE FUNCTION text_defang(said text, known text[], own text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	spare text := CASE WHEN own ~ '^[[:alnum:].-]+$' THEN '(?!(?:[^\s/]*\.)?' || replace(own, '.', '\.') || '(?:[/\s:]|$))' ELSE '' END;
	t text := regexp_replace(said, '\mhttp(s?)://' || spare, 'hxxp\1://', 'gi');
	was text;
	v text;
BEGIN
	t := regexp_replace(t, '\mftp://', 'fxp://', 'gi');
	-- A host has few dots; one that stays is behind one that is broken.
	FOR n IN 1 .. 8 LOOP
		was := t;
		t := regexp_replace(t, '((?:hxxps?|fxp)://[^\s/\[\]<>"]*)\.(?=[^\s/\[\]<>"])', '\1[.]', 'gi');
		EXIT WHEN t = was;
	END LOOP;
	FOREACH v IN ARRAY known[1:500] LOOP
		IF v ~ '\.' AND position(v IN t) > 0 THEN
			t := replace(t, v, replace(v, '.', '[.]'));
		END IF;
	END LOOP;
	RETURN t;
END $$;

-- What in a text may be an indicator or the number of a report, with hosts of URLs by themselves; in lower case.
CREATE FUNCTION text_tokens(said text) RETURNS text[] LANGUAGE sql IMMUTABLE SET search_path = cirt, pg_temp AS $$
	WITH words AS (SELECT DISTINCT btrim(w, '.,:;!?''()[]{}*_') AS w
		FROM regexp_split_to_table(replace(regexp_replace(regexp_replace(lower(said), '\[\.\]|\(\.\)|\[dot\]', '.', 'g'), '\m(h..ps?|fxp)://',
			'http://', 'g'), '[at]', '@'), '[\s<>"|,;`]+') AS w),
	near AS (SELECT w FROM words WHERE w ~ '[.:@-]' OR w ~ '^[0-9a-f]{32,}$'
		UNION SELECT substring(w FROM '^[a-z]+://(?:[^/@]*@)?([^/:?#]+)') FROM words
		UNION SELECT regexp_replace(w, '^http:', 'https:') FROM words WHERE w LIKE 'http:%')
	SELECT coalesce(array_agg(w), '{}') FROM near WHERE octet_length(w) BETWEEN 4 AND 4000
$$;

CREATE FUNCTION text_quoted(said text, lines int) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(string_agg(rtrim('> ' || left(l, 500)), chr(10) ORDER BY n) FILTER (WHERE n <= lines), '')
		|| CASE WHEN count(*) > lines THEN chr(10) || '> [' || count(*) - lines || ' more lines]' ELSE '' END
	FROM regexp_split_to_table(rtrim(left(replace(said, chr(13), ''), 60000)), '\n') WITH ORDINALITY AS u (l, n)
$$;

CREATE FUNCTION tlp_read(said text) RETURNS tlp LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	word text := regexp_replace(lower(btrim(said)), '^tlp:\s*', '');
BEGIN
	IF word NOT IN ('clear', 'green', 'amber', 'amber+strict', 'red') THEN
		RAISE EXCEPTION 'tlp: expected clear, green, amber, amber+strict or red, not "%"', left(said, 40) USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN word::tlp;
END $$;

-- "202611-123" as an id; NULL: it reads otherwise.
CREATE FUNCTION report_id(said text) RETURNS bigint LANGUAGE sql IMMUTABLE SET search_path = cirt, pg_temp AS $$
	SELECT m[1]::bigint * 10000000000 + m[2]::bigint FROM regexp_match(said, '^(\d{6})-(\d{1,10})$') AS m
$$;

-- ---- to whom ----

-- The case that an operator names, where he may see it; of a merged one that into which it went.
CREATE FUNCTION case_reached(named text, p jsonb) RETURNS cases LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
BEGIN
	SELECT * INTO c FROM cases WHERE id = case_now(case_seen(named, p));
	IF c.restricted THEN
		PERFORM case_seen(c.number, p);
	END IF;
	RETURN c;
END $$;

-- What somebody is to what others told of a case, for the gate.
CREATE FUNCTION mail_recipient(c cases, of_role text, of_organisation int) RETURNS recipient_kind LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN g.kind = 'national-cirt' THEN 'foreign'
		WHEN of_role IN ('affected', 'imitated') OR g.id = c.organisation THEN 'affected'
		WHEN of_role IN ('police', 'regulator') OR g.kind = 'sector-cirt' OR g.id = (SELECT parent FROM organisation WHERE id = c.organisation) THEN 'sector'
		WHEN of_role = 'partner' THEN 'foreign'
		WHEN of_role = 'reporter' AND g.id IS NOT NULL THEN 'affected'
		ELSE 'provider' END::recipient_kind
	FROM (SELECT) one LEFT JOIN organisation g ON g.id = of_organisation
$$;
-- Has he told us something of the case that was to be kept as strictly as the mail will be?
CREATE FUNCTION mail_source(of_case bigint, to_address text, of_tlp tlp) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT EXISTS (SELECT 1 FROM (SELECT l.mail FROM letter l WHERE l.sender = lower(to_address) ORDER BY l.mail DESC LIMIT 1000) l
		LEFT JOIN report r ON r.id = l.mail LEFT JOIN item i ON i.id = l.mail
		WHERE letter_case_of(l.mail) = of_case AND coalesce(r.tlp, i.tlp) >= of_tlp)
$$;
-- What the gate says of a report of a case: what somebody told us is nothing new to him.
CREATE FUNCTION mail_report(of_report bigint, of_kind recipient_kind, to_address text) RETURNS gate_verdict LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN lower(to_address) = ANY (release_addresses(of_report)) THEN gate_report(of_report, 'source', to_address)
		ELSE gate_report(of_report, of_kind, to_address) END
$$;

-- Which key a mail to this contact will be sealed with, as the courier does it, and until when that is valid.
CREATE FUNCTION mail_key(k contact) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_strip_nulls(CASE WHEN k.id IS NULL OR k.policy = 'never' THEN jsonb_build_object('policy', 'never', 'says', 'in the clear')
		WHEN k.pgp <> '' AND coalesce(k.pgp_expires > now(), true) THEN jsonb_build_object('policy', k.policy, 'kind', 'PGP', 'key', k.pgp,
			'until', stamp(k.pgp_expires), 'says', 'PGP ' || left(k.pgp, 4) || '…'
			|| coalesce(', valid to ' || to_char(timezone('UTC', k.pgp_expires), 'YYYY-MM-DD'), ''))
		WHEN k.smime <> '' AND coalesce(k.smime_expires > now(), true) THEN jsonb_build_object('policy', k.policy, 'kind', 'S/MIME', 'key', k.smime,
			'until', stamp(k.smime_expires), 'says', 'S/MIME ' || left(k.smime, 4) || '…'
			|| coalesce(', valid to ' || to_char(timezone('UTC', k.smime_expires), 'YYYY-MM-DD'), ''))
		WHEN k.policy = 'required' THEN jsonb_build_object('policy', 'required', 'missing', true, 'says', CASE WHEN k.pgp || k.smime <> ''
			THEN 'KEY EXPIRED' ELSE 'NO KEY' END || ', required: it goes to another contact with a key, or waits' || coalesce('; call ' || nullif(k.phone, ''), ''))
		ELSE jsonb_build_object('policy', 'preferred', 'says', 'in the clear' || CASE WHEN k.pgp || k.smime <> '' THEN ': KEY EXPIRED' ELSE '' END) END)
$$;

-- What the gate says of a mail of a case, and how many people have to let it go. strict: the case's own TLP.
CREATE FUNCTION mail_verdict(of_tlp tlp, strict tlp, of_pap pap, kind recipient_kind, of_exercise int, to_address text, OUT verdict gate_verdict,
	OUT approvals int, OUT why text) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	verdict := gate_decide(of_tlp, of_pap, true, false, 'none', kind, of_exercise <> 0, of_exercise <> 0 AND in_directory(of_exercise, to_address));
	why := CASE WHEN verdict = 'approve' OR (kind = 'foreign' AND of_tlp > 'green') THEN 'two people: ' || upper(of_tlp::text) || ' to a foreign or providing party'
		WHEN of_tlp = 'red' THEN 'two people: RED'
		WHEN of_tlp < strict THEN 'two people: below the case''s ' || upper(strict::text) END;
	approvals := CASE WHEN why IS NULL THEN 0 ELSE 2 END;
	why := CASE verdict WHEN 'refuse' THEN CASE WHEN of_exercise <> 0 THEN 'what belongs to a drill goes to its own directory only'
			ELSE 'PAP ' || upper(of_pap::text) || ' does not leave to who runs the address' END
		WHEN 'ask' THEN upper(of_tlp::text) || ' does not leave to ' || kind || ' without its source''s permission'
		ELSE concat_ws('; ', CASE verdict WHEN 'sanitise' THEN 'only address, time and what: nothing of who told it' END, why) END;
END $$;

-- ---- what a case tells ----

-- Reports of a case that a text speaks of, by their number or by what they observed, and whether the gate lets that: free values are
-- also of one that it lets. spare: domains whose names are nothing new to who gets it.
CREATE FUNCTION mail_tells(of_case bigint, said text, of_kind recipient_kind, to_address text, of_form disclosure_form, spare text[])
RETURNS TABLE (report bigint, verdict gate_verdict, value text, lets boolean) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	WITH mine AS MATERIALIZED (SELECT r.id, r.observables FROM case_report cr JOIN report r ON r.id = cr.report
			WHERE cr.case_id = ANY (case_whole(of_case)) AND cr.ended IS NULL),
	tokens AS MATERIALIZED (SELECT t FROM unnest(text_tokens(said)) AS t WHERE NOT EXISTS (SELECT 1 FROM unnest(spare) AS s
		WHERE s <> '' AND (t = s OR right(t, length(s) + 1) IN ('.' || s, '@' || s)))),
	found AS (SELECT m.id, t.t AS value FROM mine m, LATERAL (SELECT DISTINCT lower(substr(o, length(split_part(o, ' ', 1))
				+ length(split_part(o, ' ', 2)) + 3)) AS v FROM unnest(m.observables) AS o
				WHERE split_part(o, ' ', 1) IN ('url', 'ip', 'name', 'email', 'sha256', 'sha1', 'md5')
					AND split_part(o, ' ', 2) NOT IN ('reporter', 'target', 'imitated')) x JOIN tokens t ON t.t = x.v
		UNION SELECT m.id, t.t FROM mine m JOIN tokens t ON t.t = report_number(m.id)),
	judged AS (SELECT f.id, f.value, g.v FROM found f JOIN (SELECT id, mail_report(id, of_kind, to_address) AS v FROM (SELECT DISTINCT id FROM found) d) g
		ON g.id = f.id)
	SELECT j.id, j.v, min(j.value), gate_lets(j.v, of_form, true) OR bool_and(EXISTS (SELECT 1 FROM judged k WHERE k.value = j.value
		AND gate_lets(k.v, of_form, true))) FROM judged j GROUP BY j.id, j.v
$$;

-- Addresses in a text of people who have reported to the case, and are nobody that mails of it name otherwise.
CREATE FUNCTION mail_private(of_case bigint, said text, spare text[]) RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(array_agg(a), '{}') FROM (SELECT DISTINCT lower(m[1]) AS a FROM regexp_matches(said,
		'([[:alnum:].!#$%&*+/=?^_{|}~-]{1,200}@[[:alnum:]-]+(?:\.[[:alnum:]-]+)+)', 'g') AS m) x
	WHERE substring(a FROM '@(.+)$') <> ALL (spare) AND a <> ALL (spare)
		AND NOT EXISTS (SELECT 1 FROM contact c WHERE lower(c.email) = a)
		AND EXISTS (SELECT 1 FROM (SELECT l.mail FROM letter l WHERE l.sender = a ORDER BY l.mail DESC LIMIT 200) l
			WHERE letter_case_of(l.mail) = of_case)
$$;

-- Tickets of theirs, in brackets, in subjects of mails of a case that this address or its organisation's domain sent.
CREATE FUNCTION mail_tickets(of_case bigint, of_mail bigint, to_address text, our_tag text) RETURNS text LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(string_agg('[' || tag || ']', ' ' ORDER BY tag), '') FROM (SELECT DISTINCT btrim(m[1]) AS tag
		FROM (SELECT i.title FROM case_letter l JOIN item i ON i.id = l.item, (SELECT min(d.domain) AS domain FROM organisation_domain d
					WHERE d.domain = substring(lower(to_address) FROM '@(.+)$')) own
				WHERE l.case_id = ANY (case_whole(of_case)) AND (l.sender = lower(to_address) OR right(l.sender, length(own.domain) + 1) = '@' || own.domain)
			UNION ALL SELECT r.title FROM report r WHERE r.id = of_mail
			UNION ALL SELECT i.title FROM item i WHERE i.id = of_mail) t, regexp_matches(t.title, '\[([^][]{2,60})\]', 'g') AS m
		WHERE letter_ticket(btrim(m[1]), our_tag) IS NOT NULL LIMIT 3) x
$$;

-- Whom "to" means in a case: a party by its role, name or address; somebody of the register; any address. '' : who wrote last.
CREATE FUNCTION mail_whom(c cases, said text, OUT to_party party, OUT to_contact contact, OUT address text, OUT name text, OUT organisation int)
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
		IF organisation IS NULL THEN
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

-- The case of a mail that we have; NULL: none.
CREATE FUNCTION mail_case(which bigint) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT letter_case_of(which)
$$;

-- The mail that is answered.
CREATE FUNCTION mail_answered(which bigint, OUT sender text, OUT title text, OUT said text, OUT of_tlp tlp, OUT of_exercise int, OUT received timestamptz,
	OUT message_id text, OUT known text[]) LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	SELECT l.sender, l.message_id INTO sender, message_id FROM letter l WHERE l.mail = which ORDER BY l.sender = '', l.received LIMIT 1;
	SELECT x.title, x.text, x.tlp, x.exercise, x.received, x.known INTO title, said, of_tlp, of_exercise, received, known FROM (
		SELECT r.title, r.text, r.tlp, r.exercise, r.received, r.observables AS known FROM report r WHERE r.id = which
		UNION ALL SELECT i.title, i.text, i.tlp, i.exercise, i.received, i.observables FROM item i
			WHERE i.id = which AND i.kind = 'correspondence') x;
	IF received IS NULL OR sender IS NULL THEN
		RAISE EXCEPTION 'there is no mail %', report_number(which) USING ERRCODE = 'no_data_found', HINT = 'A mail''s id reads as 202611-123; a case''s as 2026-000412.';
	END IF;
	known := ARRAY(SELECT DISTINCT substr(o, length(split_part(o, ' ', 1)) + length(split_part(o, ' ', 2)) + 3) FROM unnest(known) AS o
		WHERE split_part(o, ' ', 1) IN ('ip', 'name') AND split_part(o, ' ', 2) IN ('source', 'indicator', 'unknown') LIMIT 500);
END $$;

CREATE FUNCTION mail_greeting(of_language text, who text) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE left(of_language, 2) WHEN 'fr' THEN 'Bonjour ' || coalesce(nullif(who, ''), 'Madame, Monsieur') WHEN 'es' THEN
		'Estimados señores' || coalesce(' ' || nullif(who, ''), '') ELSE 'Dear ' || coalesce(nullif(who, ''), 'colleagues') END || ','
$$;

-- The findings of a case as lines of a mail: what the gate lets, the newest first; and what it leaves out, and why.
CREATE FUNCTION mail_findings(of_case bigint, of_kind recipient_kind, to_address text, of_form disclosure_form, OUT lines text, OUT told int, OUT more int,
	OUT left_out jsonb) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
	WITH mine AS (SELECT r.*, s.name AS source_name, mail_report(r.id, of_kind, to_address) AS verdict
			FROM case_report cr JOIN report r ON r.id = cr.report JOIN source s ON s.id = r.source
			WHERE cr.case_id = ANY (case_whole(of_case)) AND cr.ended IS NULL ORDER BY r.id DESC LIMIT 1000),
	out AS (SELECT m.*, gate_lets(m.verdict, of_form, true) AS lets, row_number() OVER (PARTITION BY gate_lets(m.verdict, of_form, true) ORDER BY m.id DESC) AS n
		FROM mine m)
	SELECT string_agg(concat_ws('  ', report_number(o.id), to_char(o.first_seen, 'YYYY-MM-DD HH24:MI"Z"'), o.type
				|| coalesce('/' || nullif(o.identifier, ''), ''), CASE of_form WHEN 'full' THEN text_defang(coalesce(nullif(observable_first(o.observables,
				'{url}', '{source,indicator,unknown}'), ''), ''), '{}', '') END, nullif(replace(coalesce(nullif(observable_first(o.observables, '{ip}', '{source}'), ''),
				observable_first(o.observables, '{name}', '{source}')), '.', '[.]'), '')), chr(10) ORDER BY o.id DESC) FILTER (WHERE o.lets AND o.n <= 50),
		count(*) FILTER (WHERE o.lets AND o.n <= 50)::int, count(*) FILTER (WHERE o.lets AND o.n > 50)::int,
		coalesce(jsonb_agg(jsonb_build_object('report', report_number(o.id), 'source', o.source_name, 'tlp', o.tlp, 'verdict', o.verdict)
			ORDER BY o.id DESC) FILTER (WHERE NOT o.lets AND o.n <= 20), '[]')
	FROM out o
$$;

-- ---- a mail, before it is one ----

-- The last Message-IDs of what went to and fro with an address, the last one that which is answered.
CREATE FUNCTION mail_references(of_case bigint, to_address text, parent text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	WITH ids AS (SELECT x.id, x.at FROM (
			SELECT o.message_id AS id, o.created AS at FROM outbox o WHERE lower(o.address) = lower(to_address) AND o.case_id = ANY (case_whole(of_case))
				AND o.bytes IS NOT NULL
			UNION ALL SELECT '<' || l.message_id || '>', l.received FROM letter l WHERE l.sender = lower(to_address)
				AND l.message_id ~ '^[!-;=?-~]{1,150}$' AND letter_case_of(l.mail) = of_case) x
		WHERE x.id <> parent ORDER BY x.at DESC LIMIT 4)
	SELECT concat_ws(' ', (SELECT string_agg(i.id, ' ' ORDER BY i.at) FROM ids i), nullif(parent, ''))
$$;

-- What is answered: its Message-ID in angles; ''.
CREATE FUNCTION mail_parent(of_case bigint, to_address text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT x.id FROM (
			SELECT o.message_id AS id, o.created AS at FROM outbox o WHERE lower(o.address) = lower(to_address) AND o.case_id = ANY (case_whole(of_case))
				AND o.bytes IS NOT NULL
			UNION ALL SELECT '<' || l.message_id || '>', l.received FROM letter l WHERE l.sender = lower(to_address)
				AND l.message_id ~ '^[!-;=?-~]{1,150}$' AND letter_case_of(l.mail) = of_case) x ORDER BY x.at DESC LIMIT 1), '')
$$;

-- A subject without our tag, their tickets, labels and "Re:".
CREATE FUNCTION mail_subject(said text, our_tag text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	t text := regexp_replace(left(coalesce(said, ''), 1000), '[[:space:][:cntrl:]]+', ' ', 'g');
	tag text;
BEGIN
	FOR tag IN SELECT m[1] FROM regexp_matches(t, '\[([^][]{1,60})\]', 'g') AS m LOOP
		IF letter_ticket(btrim(tag), our_tag) IS NOT NULL OR lower(tag) LIKE lower(our_tag) || ' %'
			OR tag ~* '^(tlp:.*|N\d{4}-\d{6,}|ext|external|spam|exercise .*)$' THEN
			t := replace(t, '[' || tag || ']', '');
		END IF;
	END LOOP;
	t := regexp_replace(regexp_replace(t, ' +', ' ', 'g'), '^\s*((re|aw|fw|fwd|rv|tr|sv|antw)(\[\d+\])?\s*:\s*)+', '', 'i');
	RETURN left(btrim(t), 300);
END $$;

-- All of a mail that somebody is about to write or send: {what: case, mail or mail of ours; to, tlp, subject, text; fresh: it answers
-- nothing}. Without text: what an editor begins with. It writes nothing.
CREATE FUNCTION mail_plan(p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
DECLARE
	named text := p ->> 'what';
	our_tag text := p ->> 'tag';
	own text := coalesce(p ->> 'domain', '');
	c cases;
	b record;
	w record;
	v record;
	f record;
	o outbox;
	mail bigint := report_id(named);
	whom text := nullif(btrim(coalesce(p ->> 'to', '')), '');
	as_kind recipient_kind;            -- of the mail
	of_kind recipient_kind;            -- for what others told
	label tlp;
	sender text;
	subject text;
	tags text := '';
	said text := p ->> 'text';
	parent text := '';
	quoted text := '';
	lang text;
	spare text[];
	private text[];
	urls int := 0;
	of_form disclosure_form;
	problem text;
	told jsonb := '[]';
	left_out jsonb := '[]';
BEGIN
	SELECT x.* INTO b FROM (SELECT) nobody LEFT JOIN LATERAL mail_answered(NULL) x ON false;
	SELECT x.* INTO f FROM (SELECT) nobody LEFT JOIN LATERAL mail_findings(NULL, NULL, NULL, NULL) x ON false;
	IF mail IS NOT NULL THEN
		SELECT * INTO b FROM mail_answered(mail);
		SELECT * INTO c FROM cases WHERE id = mail_case(mail);
		IF c.id IS NOT NULL THEN
			c := case_reached(c.number, p);
		END IF;
	ELSIF named ~* '^N\d{4}-\d{6,}$' THEN
		o := notice_named(named);
		IF o.case_id IS NULL THEN
			RAISE EXCEPTION '% is of no case', o.number USING ERRCODE = 'invalid_parameter_value', HINT = 'Answers to it open one.';
		END IF;
		c := case_reached((SELECT number FROM cases WHERE id = o.case_id), p);
		whom := coalesce(whom, o.address);
	ELSE
		c := case_reached(named, p);
	END IF;
	IF c.state = 'merged' OR (c.id IS NULL AND mail IS NULL) THEN
		RAISE EXCEPTION 'there is no case or mail "%"', left(named, 60) USING ERRCODE = 'no_data_found';
	END IF;
	-- Whom.
	IF whom IS NULL AND mail IS NULL THEN
		SELECT l.item, l.sender INTO mail, whom FROM case_letter l WHERE l.case_id = ANY (case_whole(c.id)) AND l.sender <> '' ORDER BY l.item DESC LIMIT 1;
		IF whom IS NULL THEN
			RAISE EXCEPTION 'say to whom: nobody has written to % yet', c.number USING ERRCODE = 'invalid_parameter_value',
				HINT = '--to ' || coalesce((SELECT string_agg(DISTINCT q.role::text, '|') FROM party q WHERE q.case_id = ANY (case_whole(c.id))), 'ADDRESS');
		END IF;
		SELECT * INTO b FROM mail_answered(mail);
	END IF;
	whom := coalesce(whom, b.sender);
	IF coalesce(whom, '') = '' THEN
		RAISE EXCEPTION 'mail % does not say who sent it: say to whom by --to', named USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO w FROM mail_whom(c, whom);
	IF w.address !~ '^[!-~]{1,254}$' OR w.address ~ '[<>,;:"\\()]' OR w.address !~ '^[^@]+@[^@]+$' THEN
		RAISE EXCEPTION '"%" is no address that a mail can go to', left(w.address, 100) USING ERRCODE = 'invalid_parameter_value';
	ELSIF lower(substring(w.address FROM '@(.+)$')) = lower(own) THEN
		RAISE EXCEPTION '% is our own', w.address USING ERRCODE = 'invalid_parameter_value';
	END IF;
	lang := coalesce(nullif((w.to_party).language, ''), (w.to_contact).language, 'en');
	IF mail IS NULL AND c.id IS NOT NULL AND NOT p ? 'fresh' THEN
		SELECT l.item INTO mail FROM case_letter l WHERE l.case_id = ANY (case_whole(c.id)) AND l.sender = lower(w.address) ORDER BY l.item DESC LIMIT 1;
		IF mail IS NOT NULL THEN
			SELECT * INTO b FROM mail_answered(mail);
		END IF;
	END IF;
	-- What the gate says.
	IF c.id IS NULL THEN
		of_kind := 'provider';
		as_kind := CASE WHEN lower(w.address) = b.sender THEN 'source' ELSE 'provider' END;
		label := coalesce(tlp_read(p ->> 'tlp'), b.of_tlp);
		SELECT * INTO v FROM mail_verdict(label, b.of_tlp, 'amber', as_kind, b.of_exercise, w.address);
	ELSE
		label := coalesce(tlp_read(p ->> 'tlp'), c.tlp);
		of_kind := mail_recipient(c, (w.to_party).role::text, w.organisation);
		as_kind := CASE WHEN of_kind <> 'affected' AND mail_source(c.id, w.address, label) THEN 'source' ELSE of_kind END;
		SELECT * INTO v FROM mail_verdict(label, c.tlp, c.pap, as_kind, c.exercise, w.address);
	END IF;
	of_form := CASE v.verdict WHEN 'sanitise' THEN 'sanitised' ELSE 'full' END;
	IF v.verdict IN ('refuse', 'ask') THEN
		problem := v.why;
	END IF;
	-- Its head.
	IF c.id IS NOT NULL THEN
		tags := concat_ws(' ', '[' || our_tag || ' ' || c.number || ']', nullif(mail_tickets(c.id, CASE WHEN lower(w.address) = b.sender THEN mail END, w.address, our_tag), ''));
	END IF;
	subject := coalesce(nullif(mail_subject(p ->> 'subject', our_tag), ''), nullif(mail_subject(CASE WHEN lower(w.address) = b.sender THEN b.title END, our_tag), ''),
		CASE of_form WHEN 'full' THEN nullif(mail_subject(c.title, our_tag), '') END, c.type::text, 'Your mail');
	IF NOT p ? 'fresh' THEN
		parent := CASE WHEN mail IS NOT NULL AND b.message_id ~ '^[!-;=?-~]{1,150}$' AND lower(w.address) = b.sender THEN '<' || b.message_id || '>'
			WHEN c.id IS NOT NULL THEN mail_parent(c.id, w.address) ELSE '' END;
	END IF;
	-- Its text.
	spare := ARRAY[lower(substring(w.address FROM '@(.+)$')), lower(own), lower(w.address)]
		|| ARRAY(SELECT d.domain FROM organisation_domain d WHERE d.organisation = w.organisation AND d.valid @> now());
	IF said IS NULL THEN
		IF mail IS NOT NULL AND NOT p ? 'fresh' THEN
			-- What somebody else wrote is his to tell: only where the gate lets it, and as it is.
			IF lower(w.address) = b.sender OR (of_form = 'full' AND EXISTS (SELECT 1 FROM report r WHERE r.id = mail)
				AND mail_report(mail, of_kind, w.address) = 'allow') THEN
				quoted := concat(to_char(b.received, 'YYYY-MM-DD HH24:MI"Z"'), ', ', b.sender, ':', chr(10), text_quoted(b.said, 200));
			ELSE
				left_out := left_out || jsonb_build_array(jsonb_build_object('report', report_number(mail), 'source', b.sender, 'tlp', b.of_tlp, 'verdict', 'ask'));
			END IF;
		END IF;
		IF c.id IS NOT NULL AND problem IS NULL AND (mail IS NULL OR lower(w.address) IS DISTINCT FROM b.sender OR report_id(named) IS NULL) THEN
			SELECT * INTO f FROM mail_findings(c.id, of_kind, w.address, of_form);
			left_out := left_out || f.left_out;
		END IF;
		said := concat_ws(chr(10), mail_greeting(lang, coalesce(nullif((w.to_contact).name, ''), w.name)), '', '', '')
			|| coalesce(f.lines || chr(10) || CASE WHEN f.more > 0 THEN '[' || f.more || ' more]' || chr(10) ELSE '' END || chr(10), '')
			|| coalesce(nullif(quoted, '') || chr(10) || chr(10), '');
	ELSE
		said := rtrim(replace(said, chr(13), ''), E' \n') || chr(10);
		IF octet_length(said) > 200000 THEN
			RAISE EXCEPTION 'a mail has at most 200000 bytes of text, not %: attach nothing, say where it is', octet_length(said) USING ERRCODE = 'invalid_parameter_value';
		ELSIF btrim(regexp_replace(regexp_replace(said, '(^|\n)-- ?\n.*$', ''), '^>[^\n]*$', '', 'gn'), E' \n') = '' THEN
			RAISE EXCEPTION 'there is no text: nothing was sent' USING ERRCODE = 'invalid_parameter_value';
		END IF;
	END IF;
	IF said !~ '(^|\n)-- ?\n' AND coalesce(p ->> 'name', '') <> '' THEN
		said := rtrim(said, chr(10)) || CASE WHEN p ->> 'text' IS NULL THEN chr(10) ELSE '' END || chr(10) || chr(10) || '-- ' || chr(10) || (p ->> 'name')
			|| coalesce(chr(10) || nullif(p ->> 'address', ''), '') || chr(10);
	END IF;
	urls := regexp_count(said, '\m(https?|ftp)://', 1, 'i');
	said := text_defang(said, coalesce(b.known, '{}') || CASE WHEN c.id IS NULL THEN '{}' ELSE ARRAY(SELECT x.value FROM mail_tells(c.id, said, of_kind, w.address, of_form, spare) x
		WHERE x.value ~ '^[[:alnum:]-]+(\.[[:alnum:]-]+)+$') END, own);
	urls := urls - regexp_count(said, '\m(https?|ftp)://', 1, 'i');
	IF c.id IS NOT NULL THEN
		private := mail_private(c.id, said || chr(10) || subject, spare);
		FOR sender IN SELECT unnest(private) LOOP
			said := regexp_replace(said, regexp_replace(sender, '([.+*?^$(){}|\\/[\]-])', '\\\1', 'g'), '[address removed]', 'gi');
			subject := regexp_replace(subject, regexp_replace(sender, '([.+*?^$(){}|\\/[\]-])', '\\\1', 'g'), '[address removed]', 'gi');
		END LOOP;
		SELECT coalesce(jsonb_agg(report_number(t.report) ORDER BY t.report DESC) FILTER (WHERE gate_lets(t.verdict, of_form, true)), '[]'),
			coalesce(min(CASE WHEN NOT t.lets THEN format('it says %s, which report %s (%s, %s) alone told: cirt tlp ask %s', t.value, report_number(t.report),
				s.name, upper(r.tlp::text), report_number(t.report))
				|| CASE WHEN t.verdict = 'sanitise' THEN ', or --tlp ' || r.tlp ELSE '' END END), problem) INTO told, problem
			FROM mail_tells(c.id, subject || chr(10) || said, of_kind, w.address, of_form, spare) t JOIN report r ON r.id = t.report JOIN source s ON s.id = r.source;
		IF EXISTS (SELECT 1 FROM mail_tells(c.id, subject || chr(10) || said, of_kind, w.address, of_form, spare) t WHERE t.verdict = 'approve' AND t.lets) AND v.approvals = 0 THEN
			v.approvals := 2;
			v.why := concat_ws('; ', nullif(v.why, ''), 'two people: a report in it');
		END IF;
	END IF;
	RETURN jsonb_strip_nulls(jsonb_build_object('case', c.number, 'case_id', c.id, 'to', w.address, 'name', nullif(w.name, ''), 'role', (w.to_party).role, 'recipient', as_kind,
		'party', (w.to_party).id, 'organisation_id', w.organisation, 'contact_id', (w.to_contact).id, 'language', lang, 'tags', tags, 'subject', subject,
		'tlp', label, 'form', of_form, 'exercise', nullif((SELECT name FROM exercise WHERE id = coalesce(c.exercise, b.of_exercise, 0)), ''),
		'exercise_id', coalesce(c.exercise, b.of_exercise, 0), 'answers', report_number(mail), 'answers_id', CASE WHEN report_id(named) IS NOT NULL
			OR lower(w.address) = b.sender THEN mail END, 'in_reply_to', parent, 'references', mail_references(coalesce(c.id, 0), w.address, parent),
		'key', mail_key(w.to_contact), 'verdict', v.verdict, 'why', nullif(v.why, ''), 'approvals', v.approvals, 'refused', problem,
		'defanged', urls, 'removed', coalesce(cardinality(private), 0), 'told', told, 'left_out', left_out, 'text', said));
END $$;

-- ---- written ----

ALTER TABLE disclosure DROP CONSTRAINT disclosure_cause_check,
	ADD CONSTRAINT disclosure_cause_check CHECK (cause IN ('new', 'repeat', 'relapse', 'one-shot', 'question', 'mail'));

-- A mail of a case is judged by the database when it is written and when it is let go, whoever writes it.
CREATE FUNCTION outbox_case_gate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	v record;
BEGIN
	SELECT * INTO c FROM cases WHERE id = NEW.case_id;
	SELECT * INTO v FROM mail_verdict(NEW.tlp, c.tlp, c.pap, NEW.recipient, NEW.exercise, NEW.address);
	IF c.exercise <> NEW.exercise THEN
		RAISE EXCEPTION 'a mail belongs to the exercise of its case' USING ERRCODE = 'check_violation';
	ELSIF v.verdict IN ('refuse', 'ask') THEN
		RAISE EXCEPTION 'this must not be told to %: %', NEW.address, v.why USING ERRCODE = 'insufficient_privilege';
	END IF;
	IF TG_OP = 'INSERT' AND v.verdict = 'sanitise' THEN
		NEW.form := 'sanitised';
	END IF;
	NEW.approvals := greatest(NEW.approvals, v.approvals);
	IF NEW.state = 'queued' AND NEW.approvals > cardinality(NEW.approved_by) THEN
		NEW.state := 'held';
		NEW.waits_for := 'approval';
		NEW.why := left(coalesce(nullif(NEW.why, ''), v.why, 'two people have to let it go'), 1000);
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER outbox_case_gate BEFORE INSERT OR UPDATE OF state ON outbox FOR EACH ROW
	WHEN (NEW.kind = 'mail' AND NEW.case_id IS NOT NULL AND NEW.state IN ('bundling', 'ready', 'queued')) EXECUTE FUNCTION outbox_case_gate();

-- To who told us something of a case goes what he told, and what the gate lets him have of the others'.
CREATE FUNCTION disclosure_own() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	verdict gate_verdict;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = NEW.outbox;
	verdict := mail_report(NEW.report, CASE o.recipient WHEN 'source' THEN mail_recipient((SELECT c FROM cases c WHERE c.id = o.case_id),
		(SELECT q.role::text FROM party q WHERE q.case_id = ANY (case_whole(o.case_id)) AND lower(o.address) = ANY (regexp_split_to_array(lower(q.contact), '[\s,;<>()]+'))
			ORDER BY q.id LIMIT 1), o.organisation) ELSE o.recipient END, o.address);
	IF NOT gate_lets(verdict, o.form, true) THEN
		RAISE EXCEPTION 'report % must not be told to %: %', report_number(NEW.report), o.address, verdict USING ERRCODE = 'insufficient_privilege';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER disclosure_own BEFORE INSERT ON disclosure FOR EACH ROW WHEN (NEW.cause = 'mail') EXECUTE FUNCTION disclosure_own();

-- What was answered is, once the answer is out.
CREATE FUNCTION outbox_answers() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO report_status AS st (report, state) SELECT r.id, 'answered' FROM report r WHERE r.id = NEW.answers
		ON CONFLICT (report) DO UPDATE SET state = 'answered', changed = now(), actor = excluded.actor WHERE st.state IN ('new', 'linked', 'noticed');
	IF NEW.case_id IS NOT NULL THEN
		PERFORM journal_add('case/' || c.number, 'mail ' || NEW.number || ' sent', NULL, jsonb_build_object('outbox', NEW.number, 'tlp', NEW.tlp)::text)
			FROM cases c WHERE c.id = NEW.case_id;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER outbox_answers AFTER UPDATE OF state ON outbox FOR EACH ROW
	WHEN (NEW.kind = 'mail' AND NEW.state = 'sent' AND OLD.state <> 'sent') EXECUTE FUNCTION outbox_answers();

-- Put a plan into the outbox, with a row for each report that it tells; the writer is the first of the people who let it go.
-- hold_for: how long it may be taken back; alone: the glass is broken. Returns the mail.
CREATE FUNCTION mail_put(m jsonb, domain text, of_inquiry bigint, hold_for interval, alone boolean DEFAULT false) RETURNS outbox LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
BEGIN
	INSERT INTO outbox (kind, state, exercise, organisation, contact, recipient, address, language, template, tlp, form, fields, case_id, in_reply_to,
			approvals, approved_by, due, next_try, released_by, message_id, answers, inquiry)
		VALUES ('mail', 'ready', (m ->> 'exercise_id')::int, (m ->> 'organisation_id')::int, (m ->> 'contact_id')::int, (m ->> 'recipient')::recipient_kind,
			m ->> 'to', m ->> 'language', 'mail-case', (m ->> 'tlp')::tlp, (m ->> 'form')::disclosure_form,
			jsonb_build_object('subject', m ->> 'subject', 'tags', m ->> 'tags', 'text', m ->> 'text', 'references', m ->> 'references'),
			(m ->> 'case_id')::bigint, m ->> 'in_reply_to', (m ->> 'approvals')::int, CASE WHEN alone THEN ARRAY[actor(), 'break-glass'] ELSE ARRAY[actor()] END, now() + hold_for, now() + hold_for, actor(),
			'<' || gen_random_uuid() || '@' || domain || '>', (m ->> 'answers_id')::bigint, of_inquiry) RETURNING * INTO o;
	INSERT INTO disclosure (report, outbox, cause) SELECT DISTINCT report_id(r), o.id, 'mail' FROM jsonb_array_elements_text(m -> 'told') AS r;
	UPDATE outbox SET state = CASE WHEN approvals > cardinality(approved_by) THEN 'held' ELSE 'queued' END::outbox_state,
		waits_for = CASE WHEN approvals > cardinality(approved_by) THEN 'approval' ELSE '' END,
		why = CASE WHEN approvals > cardinality(approved_by) THEN coalesce(m ->> 'why', 'two people have to let it go') ELSE '' END
		WHERE id = o.id RETURNING * INTO o;
	IF o.case_id IS NOT NULL THEN
		PERFORM journal_add('case/' || (SELECT number FROM cases WHERE id = o.case_id), 'mail ' || o.number || ' to ' || o.address || CASE o.state
			WHEN 'held' THEN ' waits: ' || o.why ELSE '' END, NULL, jsonb_build_object('outbox', o.number, 'to', o.address, 'tlp', o.tlp, 'form', o.form,
			'told', m -> 'told', 'text', encode(sha256(convert_to(m ->> 'text', 'UTF8')), 'hex'))::text);
	END IF;
	RETURN o;
END $$;

INSERT INTO act_kind (undo_function) VALUES ('mail_undo');
CREATE FUNCTION mail_undo(undo jsonb) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
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
	IF o.case_id IS NOT NULL THEN
		PERFORM journal_add('case/' || (SELECT number FROM cases WHERE id = o.case_id), 'mail ' || o.number || ' taken back', NULL, NULL);
	END IF;
	RETURN 'mail ' || o.number || ' to ' || o.address || ' does not go';
END $$;

-- draft: what to begin with; dry_run: what would become of it; else it goes in a minute.
CREATE FUNCTION mail_written(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	m jsonb;
	o outbox;
	act bigint;
BEGIN
	m := mail_plan(CASE WHEN p ? 'draft' THEN p - 'text' ELSE p END);
	IF p ? 'draft' OR p ? 'dry_run' THEN
		RETURN m - '{case_id,party,organisation_id,contact_id,exercise_id,answers_id}'::text[];
	ELSIF NOT p ? 'text' THEN
		RAISE EXCEPTION 'there is no text: nothing was sent' USING ERRCODE = 'invalid_parameter_value';
	ELSIF m ? 'refused' THEN
		RAISE EXCEPTION 'this must not be told to %: %', m ->> 'to', m ->> 'refused' USING ERRCODE = 'insufficient_privilege';
	END IF;
	o := mail_put(m, p ->> 'domain', NULL, '60 seconds', p ? 'break_glass');
	IF p ? 'break_glass' AND o.approvals > 0 THEN
		PERFORM approval_break_glass('mail', 'outbox/' || o.number, 'a mail to ' || o.address, jsonb_build_object('outbox', o.id), p ->> 'break_glass');
	END IF;
	act := act_put('mail', 'mail ' || o.number || ' to ' || o.address, 'mail_undo', jsonb_build_object('outbox', o.id),
		CASE o.state WHEN 'queued' THEN o.due END);
	RETURN (m - '{case_id,party,organisation_id,contact_id,exercise_id,answers_id,text}'::text[]) || jsonb_build_object('number', o.number, 'state', o.state, 'act', act,
		'goes', stamp(o.due), 'seconds', 60);
END $$;

CREATE FUNCTION desk_reply(p jsonb) RETURNS json LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	SELECT mail_written(p)
$$;
CREATE FUNCTION desk_mail(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	IF NOT p ? 'to' OR NOT p ? 'case' THEN
		RAISE EXCEPTION 'say to whom, and of which case: cirt mail --to PARTY --case NUMBER' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN mail_written(p || jsonb_build_object('what', p ->> 'case', 'fresh', true));
END $$;

-- As before; and what people wrote in a case has warned those whose network it is, and nobody else.
CREATE OR REPLACE FUNCTION warning_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	WITH said AS (SELECT h AS report, max(n.told) AS told FROM now_rows n JOIN was_rows w ON w.id = n.id, LATERAL warning_heirs(n.report) AS h
		WHERE n.told IS NOT NULL AND w.told IS NULL AND (n.cause NOT IN ('question', 'mail') OR n.cause = 'mail' AND n.recipient = 'affected') GROUP BY h),
	kept AS (UPDATE warning v SET outcome = 'told', why = '', first_told = coalesce(v.first_told, s.told), last_told = s.told,
			next = CASE WHEN v.continued IS NULL THEN s.told + coalesce(v.repeat, interval '30 days') END
		FROM said s WHERE v.report = s.report)
	INSERT INTO report_status AS st (report, state) SELECT s.report, 'noticed' FROM said s ORDER BY s.report
		ON CONFLICT (report) DO UPDATE SET state = 'noticed', changed = now() WHERE st.state = 'new';
	-- Left out after all, as the gate had become stricter.
	UPDATE warning v SET outcome = 'held', why = left('left out of a mail: ' || n.left_out, 1000),
			next = CASE WHEN v.continued IS NULL THEN now() + interval '1 day' END
		FROM now_rows n JOIN was_rows w ON w.id = n.id, LATERAL warning_heirs(n.report) AS h
		WHERE v.report = h AND n.left_out IS NOT NULL AND w.left_out IS NULL AND (v.outcome = 'waiting' OR v.first_told IS NULL AND v.outcome = 'told');
	RETURN NULL;
END $$;

-- ---- the courier ----

-- Has its case become stricter since this mail of it was let go?
CREATE FUNCTION mail_barred(which bigint) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT EXISTS (SELECT 1 FROM outbox o JOIN cases c ON c.id = o.case_id,
			LATERAL mail_verdict(o.tlp, c.tlp, c.pap, o.recipient, o.exercise, o.address) v
		WHERE o.id = which AND o.kind = 'mail' AND (v.verdict IN ('refuse', 'ask') OR greatest(o.approvals, v.approvals) > cardinality(o.approved_by)
			OR (v.verdict = 'sanitise' AND o.form = 'full')))
$$;

-- As before; and to which number answers go: those to a mail of a case to the case's own address, those to a question to its own.
DROP FUNCTION courier_mail(bigint, uuid);
CREATE FUNCTION courier_mail(which bigint, me uuid) RETURNS TABLE (number text, kind outbox_kind, language text, format notice_format,
	template text, sanitised boolean, tlp tlp, address text, message_id text, in_reply_to text, fields jsonb, organisation text, contact text,
	policy key_policy, pgp text, smime text, exercise text, case_number text, reply text, barred boolean, made boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT o.number, o.kind, o.language, o.format, o.template, o.form = 'sanitised', o.tlp, o.address, o.message_id, o.in_reply_to,
		o.fields, coalesce(g.name, ''), coalesce(c.name, ''), coalesce(c.policy, 'never'), coalesce(c.pgp, ''), coalesce(c.smime, ''),
		coalesce(e.name, ''), coalesce(s.number, ''), CASE WHEN o.kind = 'mail' AND o.inquiry IS NULL THEN coalesce(s.number, o.number) ELSE o.number END,
		mail_barred(o.id), o.bytes IS NOT NULL
	FROM outbox o LEFT JOIN organisation g ON g.id = o.organisation LEFT JOIN contact c ON c.id = o.contact
		LEFT JOIN exercise e ON e.id = o.exercise AND e.id <> 0 LEFT JOIN cases s ON s.id = o.case_id
	WHERE o.id = which AND o.holder = me AND o.state = 'queued'
$$;
REVOKE ALL ON FUNCTION courier_mail FROM PUBLIC;
GRANT EXECUTE ON FUNCTION courier_mail TO cirt_courier;

REVOKE ALL ON FUNCTION text_defang, text_tokens, text_quoted, tlp_read, report_id, case_reached, mail_recipient, mail_source,
	mail_report, mail_key, mail_verdict, mail_tells, mail_private, mail_tickets, mail_whom, mail_case, mail_answered,
	mail_greeting, mail_findings, mail_references, mail_parent, mail_subject, mail_plan, outbox_case_gate, disclosure_own,
	outbox_answers, mail_put, mail_undo, mail_written, desk_reply, desk_mail FROM PUBLIC;
GRANT EXECUTE ON FUNCTION text_defang, text_tokens, text_quoted, tlp_read, report_id, case_reached, mail_recipient, mail_source,
	mail_report, mail_key, mail_verdict, mail_tells, mail_private, mail_tickets, mail_whom, mail_case, mail_answered,
	mail_greeting, mail_findings, mail_references, mail_parent, mail_subject, mail_plan, mail_put, mail_undo, mail_written,
	desk_reply, desk_mail TO cirt_desk;
