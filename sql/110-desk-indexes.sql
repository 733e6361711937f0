-- What lists ask at a million reports: by index, and of a page's rows alone.
SET LOCAL search_path = cirt, pg_temp;

-- When a source was last heard of, without reading its books of all years; no column of it changes as the books grow.
CREATE INDEX books_source ON books (source, day);
-- The last test to a contact, and whether a contact was ever written to.
CREATE INDEX outbox_contact ON outbox (contact, id) WHERE contact IS NOT NULL;

-- As before; what is not on the page is not described.
CREATE OR REPLACE FUNCTION desk_approve_list(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := least(coalesce((p ->> 'limit')::int, 50), 1000);
	answer json;
BEGIN
	IF coalesce((p ->> 'all')::boolean, false) THEN
		SELECT json_build_object('items', coalesce(json_agg(approval_json(x.a) ORDER BY x.id DESC) FILTER (WHERE n <= most), '[]'),
				'next', min(x.id) FILTER (WHERE n <= most AND count > most)::text) INTO answer
			FROM (SELECT f.a, (f.a).id, row_number() OVER (ORDER BY (f.a).id DESC) AS n, count(*) OVER () AS count FROM (SELECT t AS a FROM approval t
				WHERE t.id < coalesce((p ->> 'cursor')::bigint, t.id + 1) AND approval_visible(t.object, p) ORDER BY t.id DESC LIMIT most + 1) f) x;
	ELSE
		SELECT json_build_object('items', coalesce(json_agg(z.item ORDER BY z.at, z.item ->> 'approval'), '[]'), 'next', NULL) INTO answer
			FROM (SELECT CASE WHEN (x.o).id IS NULL THEN approval_json(x.a)::jsonb ELSE approval_of_mail(x.o)::jsonb END AS item, x.at
				FROM (SELECT * FROM (SELECT v.t AS a, NULL::outbox AS o, (v.t).asked AS at FROM (SELECT t FROM approval t
							WHERE t.state IN ('asked', 'countersign') ORDER BY t.asked OFFSET 0) v
						WHERE approval_visible((v.t).object, p) LIMIT most) asked
					UNION ALL SELECT * FROM (SELECT NULL::approval, v.o, (v.o).created FROM (SELECT o FROM outbox o
							WHERE o.state = 'held' AND o.approvals > cardinality(o.approved_by) ORDER BY o.created OFFSET 0) v
						WHERE outbox_visible(v.o, p) LIMIT most) mails
					ORDER BY at LIMIT most) x) z;
	END IF;
	RETURN answer;
END $$;

-- {case, all, overdue, limit, cursor}: the open ones by when they are due, or all, the newest first.
CREATE OR REPLACE FUNCTION desk_inquiry_list(p jsonb) RETURNS json LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	most int := coalesce((p ->> 'limit')::int, 50);
	place bigint := (p ->> 'cursor')::bigint;
	of_cases bigint[] := CASE WHEN p ? 'case' THEN case_whole(case_seen(p ->> 'case', p)) END;
	sees_all boolean := p ->> 'role' IN ('lead', 'admin');
	ids bigint[];
BEGIN
	IF p ? 'all' THEN
		ids := ARRAY(SELECT i.id FROM inquiry i WHERE (place IS NULL OR i.id < place) AND (of_cases IS NULL OR i.case_id = ANY (of_cases))
				AND (NOT p ? 'overdue' OR i.state = 'open' AND i.due < now())
				AND (sees_all OR i.case_id IS NULL OR case_may_see(i.case_id, p ->> 'operator'))
			ORDER BY i.id DESC LIMIT most + 1);
	ELSE
		ids := ARRAY(SELECT i.id FROM inquiry i WHERE i.state = 'open' AND (of_cases IS NULL OR i.case_id = ANY (of_cases))
				AND (place IS NULL OR place = 9223372036854775807
					OR (i.due, i.id) > (SELECT k.due, k.id FROM inquiry k WHERE k.id = place))
				AND (NOT p ? 'overdue' OR i.due < now())
				AND (sees_all OR i.case_id IS NULL OR case_may_see(i.case_id, p ->> 'operator'))
			ORDER BY i.due, i.id LIMIT most + 1);
	END IF;
	RETURN json_build_object('items', (SELECT coalesce(json_agg(inquiry_json(i) ORDER BY u.n), '[]')
			FROM unnest(ids[1:most]) WITH ORDINALITY u (id, n) JOIN inquiry i ON i.id = u.id),
		'next', CASE WHEN cardinality(ids) > most THEN ids[most]::text END);
END $$;
