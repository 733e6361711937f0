-- Large files: every line was compared with every other to find organisations that nobody has made.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION import_organisations(of_import uuid) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	w record;
	was organisation;
	o organisation;
	how text;
BEGIN
	-- Two lines may speak of one organisation, but not say two things of it.
	INSERT INTO register_outcome SELECT of_import, max(x.line), 'wrong', 'organisation', x.name, '', format('%s: "%s" here, "%s" in line %s', e.key,
			(array_agg(e.value ORDER BY x.line DESC))[1], (array_agg(e.value ORDER BY x.line))[1], min(x.line))
		FROM register_wanted x, jsonb_each_text(x.f) e WHERE x.import = of_import AND x.record = 'organisation'
		GROUP BY x.name, e.key HAVING count(DISTINCT e.value) > 1;
	FOR w IN SELECT x.name, min(x.line) AS line, jsonb_object_agg(e.key, e.value) FILTER (WHERE e.key IS NOT NULL) AS f
			FROM register_wanted x LEFT JOIN LATERAL jsonb_each(x.f) e ON true WHERE x.import = of_import AND x.record = 'organisation'
			GROUP BY x.name ORDER BY min(x.line) LOOP
		BEGIN
			SELECT * INTO was FROM organisation WHERE name = w.name;
			o := org_put(was, coalesce(w.f, '{}') - 'parent' || jsonb_build_object('name', w.name));
			IF was.id IS NULL THEN
				PERFORM org_insert(o, 'import');
			ELSIF o IS DISTINCT FROM was THEN
				PERFORM org_write(o);
			END IF;
			how := CASE WHEN was.id IS NULL THEN 'new' WHEN o IS DISTINCT FROM was THEN 'changed' ELSE 'unchanged' END;
			INSERT INTO register_outcome VALUES (of_import, w.line, how, 'organisation', w.name, '', CASE how WHEN 'changed' THEN (SELECT
				string_agg(format('%s: %s → %s', b.key, nullif(a.value, ''), b.value), '; ') FROM jsonb_each_text(org_json(was)) a
				JOIN jsonb_each_text(org_json(o)) b USING (key) WHERE a.value IS DISTINCT FROM b.value) ELSE '' END);
		EXCEPTION WHEN invalid_parameter_value OR no_data_found OR check_violation OR data_exception THEN
			INSERT INTO register_outcome VALUES (of_import, w.line, 'wrong', 'organisation', w.name, '', SQLERRM);
		END;
	END LOOP;
	-- Who is above may stand further down.
	FOR w IN SELECT DISTINCT ON (x.name) x.name, x.line, x.f FROM register_wanted x WHERE x.import = of_import AND x.record = 'organisation'
			AND x.f ? 'parent' ORDER BY x.name, x.line LOOP
		BEGIN
			SELECT * INTO was FROM organisation WHERE name = w.name;
			o := org_put(was, jsonb_build_object('parent', w.f ->> 'parent'));
			IF o.parent IS DISTINCT FROM was.parent THEN
				PERFORM org_write(o);
				UPDATE register_outcome SET outcome = 'changed', said = concat_ws('; ', nullif(said, ''), 'parent: ' || coalesce(nullif(w.f ->> 'parent', ''), 'none'))
					WHERE import = of_import AND record = 'organisation' AND name = w.name AND outcome IN ('unchanged', 'changed');
			END IF;
		EXCEPTION WHEN invalid_parameter_value OR no_data_found THEN
			INSERT INTO register_outcome VALUES (of_import, w.line, 'wrong', 'organisation', w.name, '', SQLERRM);
		END;
	END LOOP;
	INSERT INTO register_outcome SELECT of_import, y.line, 'wrong', y.record, y.name, '', format(
			'there is no organisation "%s": give it a line of its own', y.name)
		FROM (SELECT x.record, x.name, min(x.line) AS line FROM register_wanted x WHERE x.import = of_import
			AND x.record IN ('prefix', 'asn', 'domain', 'brand', 'contact', 'member') GROUP BY x.record, x.name) y
		WHERE NOT EXISTS (SELECT 1 FROM organisation z WHERE z.name = y.name)
			AND NOT EXISTS (SELECT 1 FROM register_outcome v WHERE v.import = of_import AND v.record = 'organisation' AND v.name = y.name
				AND v.outcome = 'wrong');
END $$;
