-- One box for all that the desk knows.
SET LOCAL search_path = cirt, pg_temp;

-- Words of what people write. At most so much of each: a word index takes a megabyte of distinct words, no more.
CREATE FUNCTION words_of(said text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT to_tsvector('simple', left(said, 100000))
$$;
REVOKE ALL ON FUNCTION words_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION words_of TO cirt_desk, cirt_keeper, cirt_store, cirt_exchange;

CREATE INDEX cases_words ON cases USING gin (words_of(title || ' ' || identifier));
CREATE INDEX note_words ON note USING gin (words_of(text));
CREATE INDEX party_words ON party USING gin (words_of(name || ' ' || contact));
CREATE INDEX party_contact ON party (lower(contact)) WHERE contact <> '';
CREATE INDEX reference_folded ON reference (lower(value));
CREATE INDEX contact_words ON contact USING gin (words_of(name || ' ' || email || ' ' || phone));
CREATE INDEX organisation_words ON organisation USING gin (words_of(name));

-- What a number says that people quote: a case, a report, a mail of ours.
CREATE FUNCTION search_number(what text, p jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(jsonb_agg(n.found), '[]') FROM (
		SELECT jsonb_build_object('kind', 'case', 'number', c.number, 'title', c.title, 'state', c.state) AS found FROM cases c
			WHERE what ~ '^(\d{4}-)?\d{1,9}$' AND c.number = ANY (SELECT y || '-' || lpad(d, greatest(6, length(d)), '0')
				FROM substring(what FROM '\d+$') AS d, unnest(CASE WHEN what ~ '-' THEN ARRAY[substring(what FROM '^\d{4}')]
					ELSE ARRAY[to_char(timezone('UTC', now()), 'YYYY')] END) AS y)
				AND case_may_see(c.id, p ->> 'operator')
		UNION ALL SELECT jsonb_build_object('kind', 'report', 'number', report_number(r.id),
				'title', report_title(r.title, r.type, r.identifier, r.malware, r.observables)) FROM report r
			WHERE r.id = CASE WHEN what ~ '^\d{6}-\d{1,10}$' THEN split_part(what, '-', 1)::bigint * 10000000000
				+ split_part(what, '-', 2)::bigint END
		UNION ALL SELECT jsonb_build_object('kind', 'notice', 'number', o.number, 'title', o.address, 'state', o.state) FROM outbox o
			WHERE what ~* '^n\d{4}-\d{1,9}$' AND o.number = upper(what)) n
$$;

-- Whose it is and was, and organisations of that name.
CREATE FUNCTION search_organisations(what text) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	who jsonb;
	named jsonb;
BEGIN
	BEGIN
		who := org_who(jsonb_build_object('what', what));
	EXCEPTION WHEN data_exception OR invalid_parameter_value OR check_violation THEN
		who := NULL;
	END;
	SELECT jsonb_agg(jsonb_build_object('organisation', o.name, 'kind', o.kind, 'sector', o.sector, 'criticality', o.criticality)) INTO named
		FROM (SELECT * FROM organisation x WHERE words_of(x.name) @@ plainto_tsquery('simple', what) ORDER BY x.id LIMIT 5) o
		WHERE o.name IS DISTINCT FROM who ->> 'organisation';
	RETURN CASE WHEN who ->> 'organisation' IS NOT NULL OR who ->> 'outcome' = 'foreign' OR jsonb_array_length(who -> 'before') > 0 THEN
			jsonb_build_array(who - 'contacts') ELSE '[]' END || coalesce(named, '[]');
END $$;

-- Cases of the reports that were found, of such a reference or party, and of these words.
CREATE FUNCTION search_cases(what text, words text, found bigint[], p jsonb) RETURNS jsonb LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	WITH hit AS MATERIALIZED (
		SELECT r.case_id, 'reports' AS way FROM case_report r WHERE r.report = ANY (found) AND r.ended IS NULL
		UNION SELECT f.case_id, 'reference ' || f.system FROM reference f WHERE lower(f.value) = lower(what)
		UNION SELECT y.case_id, 'party' FROM party y WHERE y.contact <> '' AND lower(y.contact) = lower(what)
		UNION SELECT y.case_id, 'party' FROM party y JOIN contact c ON c.organisation = y.organisation
			WHERE c.email <> '' AND lower(c.email) = lower(what)
		UNION (SELECT y.case_id, 'party' FROM party y WHERE words_of(y.name || ' ' || y.contact) @@ plainto_tsquery('simple', what)
			ORDER BY y.id DESC LIMIT 100)
		UNION (SELECT c.id, 'title' FROM cases c WHERE words_of(c.title || ' ' || c.identifier) @@ plainto_tsquery('simple', what)
			ORDER BY c.id DESC LIMIT 100)
		UNION (SELECT n.case_id, 'note' FROM note n WHERE words_of(n.text) @@ plainto_tsquery('simple', what) ORDER BY n.id DESC LIMIT 100)),
	one AS (SELECT h.case_id, string_agg(DISTINCT h.way, ', ') AS ways FROM hit h GROUP BY h.case_id),
	seen AS (SELECT o.* FROM one o WHERE case_may_see(o.case_id, p ->> 'operator') OR p ->> 'role' IN ('lead', 'admin'))
	SELECT coalesce(jsonb_agg(jsonb_build_object('number', v.number, 'title', v.title, 'state', v.state, 'severity', v.severity_name,
			'tlp', v.tlp, 'organisation', v.organisation, 'opened', stamp(v.opened), 'by', s.ways)
		ORDER BY v.state IN ('closed', 'rejected', 'merged'), v.id DESC), '[]')
	FROM (SELECT * FROM seen ORDER BY case_id DESC LIMIT 20) s JOIN case_view v ON v.id = s.case_id
$$;

-- The reports that were found, by what they say.
CREATE FUNCTION search_reports(found bigint[], more boolean) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH r AS MATERIALIZED (SELECT r.id, coalesce(nullif(r.identifier, ''), r.type::text) AS what, r.first_seen, st.gone_at AS gone, coalesce(
			(SELECT max(g.last) FROM sighting g WHERE g.report = r.id), r.first_seen) AS last, r.previous IS NOT NULL AS again
		FROM report r LEFT JOIN report_status st ON st.report = r.id WHERE r.id = ANY (found)),
	by_what AS (SELECT what, count(*) AS n, max(last) AS last, bool_and(gone IS NOT NULL) AS gone, max(gone) AS gone_at, bool_or(again) AS again
		FROM r GROUP BY what)
	SELECT jsonb_build_object('count', (SELECT count(*) FROM r), 'more', more, 'first', (SELECT stamp(min(first_seen)) FROM r),
		'last', (SELECT stamp(max(last)) FROM r), 'newest', (SELECT coalesce(jsonb_agg(report_number(n.id) ORDER BY n.id DESC), '[]')
			FROM (SELECT id FROM r ORDER BY id DESC LIMIT 5) n),
		'of', (SELECT coalesce(jsonb_agg(jsonb_build_object('what', what, 'count', n, 'last', stamp(last), 'relapse', again,
			'gone', CASE WHEN gone THEN stamp(gone_at) END) ORDER BY n DESC, what), '[]') FROM by_what))
$$;

-- Mails of ours that told of these reports, or went to this address.
CREATE FUNCTION search_notices(what text, found bigint[]) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH o AS MATERIALIZED (SELECT o.id, o.number, o.state, o.address, o.sent, o.bounced, o.answered FROM outbox o WHERE o.state <> 'cancelled'
		AND (o.id IN (SELECT d.outbox FROM disclosure d WHERE d.report = ANY (found))
			OR (position('@' IN what) > 0 AND lower(o.address) = lower(what))) ORDER BY o.id DESC LIMIT 200)
	SELECT jsonb_build_object('count', (SELECT count(*) FROM o), 'sent', (SELECT count(*) FROM o WHERE sent IS NOT NULL),
		'bounced', (SELECT count(*) FROM o WHERE bounced IS NOT NULL), 'answered', (SELECT count(*) FROM o WHERE answered IS NOT NULL),
		'last', (SELECT jsonb_build_object('number', l.number, 'address', l.address, 'state', l.state, 'sent', stamp(l.sent),
			'answered', stamp(l.answered)) FROM o l ORDER BY l.id DESC LIMIT 1))
$$;

-- Mails in that mention it, and mails of such a sender.
CREATE FUNCTION search_mails(what text, words text, keys bigint[], p jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH hit AS MATERIALIZED (
		(SELECT i.id FROM item i WHERE i.kind = 'correspondence' AND i.keys <> '{}' AND i.keys && search_mails.keys ORDER BY i.id DESC LIMIT 20)
		UNION (SELECT i.id FROM item i WHERE i.kind IN ('correspondence', 'spam') AND words <> ''
			AND report_words(i.title, i.text) @@ plainto_tsquery('simple', words) ORDER BY i.id DESC LIMIT 20)
		UNION (SELECT l.mail FROM letter l WHERE l.sender <> '' AND l.sender = lower(what) ORDER BY l.mail DESC LIMIT 20))
	SELECT coalesce(jsonb_agg(m.found ORDER BY m.id DESC), '[]') FROM (
		SELECT h.id, jsonb_build_object('id', report_number(h.id), 'title', coalesce(i.title, r.title), 'case', c.number, 'received',
			stamp(coalesce(i.received, r.received))) AS found
		FROM hit h LEFT JOIN item i ON i.id = h.id LEFT JOIN report r ON r.id = h.id LEFT JOIN case_letter l ON l.item = h.id
			LEFT JOIN cases c ON c.id = case_now(l.case_id)
		WHERE (c.id IS NULL OR case_may_see(c.id, p ->> 'operator') OR p ->> 'role' IN ('lead', 'admin'))
			AND (i.id IS NOT NULL OR r.id IS NOT NULL) ORDER BY h.id DESC LIMIT 10) m
$$;

CREATE FUNCTION search_people(what text) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(jsonb_agg(p.found), '[]') FROM (
		SELECT jsonb_build_object('name', c.name, 'email', c.email, 'phone', c.phone, 'role', c.role, 'organisation', o.name,
			'until', stamp(upper(c.valid))) AS found
		FROM contact c JOIN organisation o ON o.id = c.organisation
		WHERE (c.email <> '' AND lower(c.email) = lower(what)) OR words_of(c.name || ' ' || c.email || ' ' || c.phone) @@ plainto_tsquery('simple', what)
		ORDER BY c.id LIMIT 10) p
$$;

-- p: what, words, keys and the reports that were found; more, where there are others; operator, role.
CREATE FUNCTION desk_search(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('what', what, 'numbers', search_number(what, p), 'organisations', search_organisations(what),
		'cases', search_cases(what, p ->> 'words', found, p), 'reports', search_reports(found, (p ->> 'more')::boolean),
		'notices', search_notices(what, found), 'mails', search_mails(what, p ->> 'words', keys, p), 'people', search_people(what))
	FROM (SELECT btrim(p ->> 'what') AS what, ARRAY(SELECT v::bigint FROM jsonb_array_elements_text(p -> 'reports') v) AS found,
		ARRAY(SELECT v::bigint FROM jsonb_array_elements_text(p -> 'keys') v) AS keys) said
$$;
REVOKE ALL ON FUNCTION search_number, search_organisations, search_cases, search_reports, search_notices, search_mails, search_people,
	desk_search FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_number, search_organisations, search_cases, search_reports, search_notices, search_mails, search_people,
	desk_search TO cirt_desk;
