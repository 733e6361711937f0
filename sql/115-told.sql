-- What a row tells of where it is, and mails that waited for a text of their own.
SET LOCAL search_path = cirt, pg_temp;

-- The host by which it is theirs where nothing in it is the source: of the roles that attribution looks at, in their order, the first that
-- this organisation held. None: it is theirs by another thing.
CREATE FUNCTION observable_held(observables text[], of_organisation int, at timestamptz) RETURNS TABLE (host text, role text) LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
BEGIN
	FOR host, role IN SELECT observable_host(u.o), split_part(u.o, ' ', 2) FROM unnest(observables) WITH ORDINALITY AS u(o, n),
			array_position(ARRAY['target', 'imitated', 'indicator', 'unknown'], split_part(u.o, ' ', 2)) AS place
		WHERE place IS NOT NULL AND split_part(u.o, ' ', 1) IN ('ip', 'name', 'url', 'email') ORDER BY place, u.n LOOP
		IF (SELECT h.organisation FROM host_at(host, at) h) = of_organisation THEN
			RETURN NEXT;
			RETURN;
		END IF;
	END LOOP;
END $$;

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
			LEFT JOIN (SELECT s.report AS id, s.severity, s.confidence FROM report_status s WHERE s.report = ANY (reports)) st ON st.id = r.id
			LEFT JOIN (SELECT g.report AS id, sum(g.count)::bigint AS count, min(g.first) AS first, max(g.last) AS last FROM sighting g
				WHERE g.report = ANY (reports) GROUP BY g.report) n ON n.id = r.id
			CROSS JOIN LATERAL (SELECT coalesce((array_agg(u.value ORDER BY u.n) FILTER (WHERE u.kind = 'ip'))[1], '') AS ip,
					coalesce((array_agg(u.value ORDER BY u.n) FILTER (WHERE u.kind = 'name'))[1], '') AS name,
					coalesce((array_agg(u.value ORDER BY u.n) FILTER (WHERE u.kind = 'port'))[1], '') AS port
				FROM (SELECT x.n, split_part(x.o, ' ', 1) AS kind, substr(x.o, length(split_part(x.o, ' ', 1)) + 9) AS value
					FROM unnest(r.observables) WITH ORDINALITY AS x(o, n) WHERE split_part(x.o, ' ', 2) = 'source') u) o
			LEFT JOIN LATERAL (SELECT x.host, x.role FROM observable_held(r.observables, r.organisation, r.first_seen) x
				WHERE o.ip = '' AND o.name = '' AND r.organisation IS NOT NULL) h ON true
		WHERE r.id = ANY (reports);
END $$;

-- Templates were read anew: what waited for one is tried at once, and raises the alarm again where there is still none. Held back by what
-- else it may be, it waits again.
CREATE FUNCTION courier_reworded() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM alarm_over('mail-template', 'mail_out');
	UPDATE outbox SET next_try = now() WHERE state = 'queued' AND rendered IS NULL AND attempts = 0 AND why <> '' AND next_try > now();
END $$;

REVOKE ALL ON FUNCTION observable_held, courier_reworded FROM PUBLIC;
GRANT EXECUTE ON FUNCTION courier_reworded TO cirt_courier;
