-- A report that has become another organisation's: what it tells is of theirs, and they have not been told.
SET LOCAL search_path = cirt, pg_temp;

-- Address and name are those of the source; where it has none, what of theirs it is about: a warning that says where nothing is helps
-- nobody, and of a sanitised one it is all that there is. hit: that is who was hit or imitated, and no source of anything.
CREATE OR REPLACE FUNCTION disclosure_contents(reports bigint[], of_form disclosure_form) RETURNS TABLE (report bigint, content jsonb) LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_variable
BEGIN
	RETURN QUERY SELECT r.id, jsonb_build_object('report', report_number(r.id), 'classification', r.type, 'class', rsit_class(r.type),
			'identifier', r.identifier, 'severity', severity_name(coalesce(st.severity, r.severity)), 'first', least(n.first, r.first_seen),
			'last', coalesce(n.last, r.first_seen), 'count', coalesce(n.count, 1), 'asn', nullif(r.asn, 0), 'country', r.country,
			'ip', CASE WHEN h.host IS NULL THEN o.ip WHEN address_of(h.host) IS NULL THEN '' ELSE h.host END,
			'name', CASE WHEN h.host IS NULL THEN o.name WHEN address_of(h.host) IS NULL THEN h.host ELSE '' END,
			'port', o.port)
			|| CASE WHEN h.role IN ('target', 'imitated') THEN jsonb_build_object('hit', true) ELSE '{}' END
			|| CASE WHEN of_form = 'full' THEN jsonb_build_object('malware', r.malware,
				'title', report_title(r.title, r.type, r.identifier, r.malware, r.observables), 'confidence', coalesce(st.confidence, r.confidence),
				'observables', to_jsonb(ARRAY(SELECT x FROM unnest(r.observables) AS x WHERE split_part(x, ' ', 2) <> 'reporter')))
				ELSE '{}' END
		FROM report r
			LEFT JOIN (SELECT s.report AS id, s.severity, s.confidence, s.organisation FROM report_status s WHERE s.report = ANY (reports)) st ON st.id = r.id
			LEFT JOIN (SELECT g.report AS id, sum(g.count)::bigint AS count, min(g.first) AS first, max(g.last) AS last FROM sighting g
				WHERE g.report = ANY (reports) GROUP BY g.report) n ON n.id = r.id
			CROSS JOIN LATERAL (SELECT coalesce((array_agg(u.value ORDER BY u.n) FILTER (WHERE u.kind = 'ip'))[1], '') AS ip,
					coalesce((array_agg(u.value ORDER BY u.n) FILTER (WHERE u.kind = 'name'))[1], '') AS name,
					coalesce((array_agg(u.value ORDER BY u.n) FILTER (WHERE u.kind = 'port'))[1], '') AS port
				FROM (SELECT x.n, split_part(x.o, ' ', 1) AS kind, substr(x.o, length(split_part(x.o, ' ', 1)) + 9) AS value
					FROM unnest(r.observables) WITH ORDINALITY AS x(o, n) WHERE split_part(x.o, ' ', 2) = 'source') u) o
			LEFT JOIN LATERAL (SELECT x.host, x.role FROM observable_held(r.observables, coalesce(st.organisation, r.organisation), r.first_seen) x
				WHERE o.ip = '' AND o.name = '' AND coalesce(st.organisation, r.organisation) <> 0) h ON true
		WHERE r.id = ANY (reports);
END $$;

-- Who holds it now was told nothing yet: it is new to them, and not warned until they are. What its owner before was told stays in the
-- disclosures.
CREATE FUNCTION warning_moved() RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	UPDATE warning v SET notices = 0, first_told = NULL, last_told = NULL, gone = NULL, relapses = 0, relapsed = NULL
	FROM (SELECT DISTINCT report, affected FROM notice_work WHERE affected IS NOT NULL) w
	WHERE v.report = w.report AND v.organisation IS DISTINCT FROM w.affected AND v.first_told IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION notice_disclose(by_hand boolean) RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	put int;
BEGIN
	PERFORM warning_moved();
	SELECT coalesce(disclosure_many(array_agg(x.report), array_agg(x.outbox), array_agg(x.cause), array_agg(x.rule)), 0) INTO put
		FROM (SELECT DISTINCT ON (w.outbox, w.report) w.report, w.outbox, CASE WHEN by_hand THEN 'one-shot'
				WHEN v.relapsed > v.last_told THEN 'relapse' WHEN v.last_told IS NOT NULL THEN 'repeat'
				WHEN EXISTS (SELECT 1 FROM report_link l WHERE l.a = w.report AND l.kind = 'relapse') THEN 'relapse' ELSE 'new' END AS cause, w.rule
			FROM notice_work w LEFT JOIN warning v ON v.report = w.report WHERE w.outbox IS NOT NULL ORDER BY w.outbox, w.report) x;
	INSERT INTO warning AS v (report, exercise, organisation, outcome, why, rule, repeat, next, notices)
		SELECT DISTINCT ON (w.report) w.report, w.exercise, w.affected, w.outcome, w.why, w.rule, w.repeat,
			CASE w.outcome WHEN 'waiting' THEN NULL WHEN 'asks-permission' THEN NULL WHEN 'not-ours' THEN NULL
				WHEN 'suppressed' THEN now() + coalesce(w.repeat, '30 days') ELSE now() + interval '1 day' END,
			CASE w.outcome WHEN 'waiting' THEN 1 ELSE 0 END
		FROM notice_work w ORDER BY w.report, w.outcome
		ON CONFLICT (report) DO UPDATE SET organisation = excluded.organisation, outcome = excluded.outcome, why = excluded.why,
			rule = excluded.rule, repeat = excluded.repeat, next = excluded.next, decided = now(), notices = v.notices + excluded.notices;
	RETURN put;
END $$;

REVOKE ALL ON FUNCTION warning_moved FROM PUBLIC;
GRANT EXECUTE ON FUNCTION warning_moved TO cirt_keeper, cirt_desk;
