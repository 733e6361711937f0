-- Reports have a state, and what else operators say of them: whose they are, what they are, their tags. Set one by one or on a filter,
-- in statements over sets, and taken back as one.
SET LOCAL search_path = cirt, pg_temp;

-- The state machine. act: by what it goes there; 'undo' takes one back.
CREATE TABLE report_transition (
	from_state report_state NOT NULL,
	to_state report_state NOT NULL,
	act text NOT NULL,
	PRIMARY KEY (from_state, to_state, act)
);
INSERT INTO report_transition (from_state, to_state, act) VALUES
	('new', 'linked', 'link'), ('noticed', 'linked', 'link'),
	('linked', 'new', 'unlink'),
	('new', 'noticed', 'notice'),
	('new', 'answered', 'answered'), ('linked', 'answered', 'answered'), ('noticed', 'answered', 'answered'),
	('new', 'rejected', 'reject'), ('noticed', 'rejected', 'reject'), ('answered', 'rejected', 'reject'),
	('noticed', 'new', 'reopen'), ('answered', 'new', 'reopen'), ('answered', 'linked', 'reopen'), ('rejected', 'new', 'reopen'),
	('linked', 'noticed', 'undo'), ('answered', 'noticed', 'undo'), ('rejected', 'noticed', 'undo'), ('rejected', 'answered', 'undo');

-- Where a report may go from here, for people.
CREATE FUNCTION report_next(state report_state) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(string_agg(DISTINCT 'cirt report ' || act, ', '), 'nowhere') FROM report_transition
	WHERE from_state = report_next.state AND act NOT IN ('undo', 'notice')
$$;

CREATE FUNCTION report_moves() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	was report_state := 'new';
BEGIN
	IF TG_OP = 'UPDATE' THEN
		was := OLD.state;
	END IF;
	IF NOT EXISTS (SELECT 1 FROM report_transition t WHERE t.from_state = was AND t.to_state = NEW.state) THEN
		RAISE EXCEPTION 'report % does not go from % to %', report_number(NEW.report), was, NEW.state USING ERRCODE = 'check_violation',
			HINT = 'from here: ' || report_next(was);
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER report_begins BEFORE INSERT ON report_status FOR EACH ROW WHEN (NEW.state <> 'new') EXECUTE FUNCTION report_moves();
CREATE TRIGGER report_moves BEFORE UPDATE ON report_status FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION report_moves();

-- A person said whose it is: changes of the register leave it so.
ALTER TABLE report_status ADD assigned boolean NOT NULL DEFAULT false;

-- What an act found at each report, to be put back.
CREATE TABLE act_report (
	act bigint NOT NULL REFERENCES act,
	report bigint NOT NULL,
	was jsonb NOT NULL,
	PRIMARY KEY (act, report)
);
CREATE FUNCTION act_keep() RETURNS interval LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT interval '90 days' $$;

-- As before; an undo function is told which act it undoes.
CREATE OR REPLACE FUNCTION desk_undo(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	who text := p ->> 'operator';
	most int := least(coalesce((p ->> 'limit')::int, 50), 1000);
	a act;
	said text;
BEGIN
	IF coalesce((p ->> 'list')::boolean, false) THEN
		RETURN (SELECT json_build_object('items', coalesce(json_agg(act_json(l) ORDER BY l.id DESC) FILTER (WHERE n <= most), '[]'),
				'next', min(l.id) FILTER (WHERE n <= most AND count > most)::text)
			FROM (SELECT t::act AS l, (t::act).id, row_number() OVER (ORDER BY (t::act).id DESC) AS n, count(*) OVER () AS count
				FROM (SELECT t FROM act t WHERE (t.actor = who OR p ? 'all') AND t.id < coalesce((p ->> 'cursor')::bigint, t.id + 1)
					ORDER BY t.id DESC LIMIT most + 1) f) l);
	END IF;
	IF p ->> 'act' !~ '^\d{1,18}$' THEN
		RAISE EXCEPTION 'an act is known by its number: cirt undo --list' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	a := act_meant((p ->> 'act')::bigint, who, p ->> 'role');
	EXECUTE format('SELECT cirt.%I($1)', a.undo_function) INTO said USING a.undo || jsonb_build_object('act', a.id);
	PERFORM act_undone(a.id);
	RETURN json_build_object('act', a.id, 'what', a.what, 'said', said);
END $$;

-- ---- which ----

CREATE FUNCTION said_wrong(says text) RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RAISE EXCEPTION '%', says USING ERRCODE = 'invalid_parameter_value';
END $$;

-- The lower end of a word's severities.
CREATE FUNCTION severity_least(word text) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE lower(word) WHEN 'info' THEN 0 WHEN 'low' THEN 20 WHEN 'medium' THEN 40 WHEN 'high' THEN 60 WHEN 'critical' THEN 80 END
$$;

CREATE FUNCTION report_filters(p jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT p ?| ARRAY['source', 'since', 'type', 'identifier', 'org', 'state', 'severity', 'group']
$$;

-- What a filter names, the newest first, so many at most. In these states only; new alone is asked of what is new.
CREATE FUNCTION report_matching(p jsonb, states report_state[], most int) RETURNS SETOF bigint LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	of_source int;
	of_organisation int;
	of_type rsit_type;
	grave int;
	since timestamptz := (p ->> 'since')::timestamptz;
	least_id bigint := coalesce(report_since(since), 0);
	what text := lower(p ->> 'identifier');
BEGIN
	IF p ? 'source' THEN
		SELECT s.id INTO of_source FROM source s WHERE s.name = p ->> 'source';
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no source "%"', left(p ->> 'source', 64) USING ERRCODE = 'no_data_found';
		END IF;
	END IF;
	IF p ? 'org' THEN
		of_organisation := CASE p ->> 'org' WHEN '-' THEN 0 ELSE org_named(p ->> 'org') END;
	END IF;
	IF p ? 'type' THEN
		IF p ->> 'type' <> ALL (enum_range(NULL::rsit_type)::text[]) THEN
			PERFORM said_wrong('type: expected an RSIT type, such as phishing');
		END IF;
		of_type := p ->> 'type';
	END IF;
	grave := severity_least(p ->> 'severity');
	IF p ? 'severity' AND grave IS NULL THEN
		PERFORM said_wrong('severity: expected info, low, medium, high or critical');
	END IF;
	RETURN QUERY SELECT r.id FROM report r LEFT JOIN report_status st ON st.report = r.id
		WHERE r.id >= least_id AND (since IS NULL OR r.received >= since) AND (of_source IS NULL OR r.source = of_source)
			AND (of_type IS NULL OR r.type = of_type) AND (what IS NULL OR lower(r.identifier) = what)
			AND (of_organisation IS NULL OR coalesce(st.organisation, r.organisation, 0) = of_organisation)
			AND (grave IS NULL OR coalesce(st.severity, r.severity) >= grave)
			AND (states IS NULL OR coalesce(st.state, 'new') = ANY (states))
		ORDER BY r.id DESC LIMIT most;
END $$;

-- The reports that are meant: named, or by a filter; at most 100,000.
CREATE FUNCTION report_meant(p jsonb, states report_state[]) RETURNS bigint[] LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT DISTINCT value::bigint FROM jsonb_array_elements_text(coalesce(p -> 'reports', '[]')) ORDER BY 1);
	missing bigint;
BEGIN
	IF report_filters(p) = (cardinality(ids) > 0) THEN
		PERFORM said_wrong('name reports, or say which by --source, --type, --identifier, --org, --since, --state or --severity');
	ELSIF cardinality(ids) > 0 THEN
		SELECT i INTO missing FROM unnest(ids) AS i WHERE NOT EXISTS (SELECT 1 FROM report r WHERE r.id = i) LIMIT 1;
		IF missing IS NOT NULL THEN
			RAISE EXCEPTION 'there is no report %', report_number(missing) USING ERRCODE = 'no_data_found';
		END IF;
		RETURN ids;
	END IF;
	IF p ? 'state' THEN
		IF p ->> 'state' <> ALL (enum_range(NULL::report_state)::text[]) THEN
			PERFORM said_wrong('state: expected new, linked, noticed, answered or rejected');
		END IF;
		states := ARRAY[p ->> 'state']::report_state[];
	END IF;
	ids := ARRAY(SELECT i FROM report_matching(p, states, 100001) AS i ORDER BY i);
	IF cardinality(ids) > 100000 THEN
		PERFORM said_wrong('more than 100000 reports: say more narrowly which');
	END IF;
	RETURN ids;
END $$;

-- ---- an act on many ----

-- How a set looks, before something is done to it.
CREATE FUNCTION report_look(ids bigint[]) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH r AS MATERIALIZED (SELECT r.id, s.name AS source, r.type, r.identifier, coalesce(st.state, 'new') AS state,
			coalesce(st.organisation, r.organisation, 0) AS organisation
		FROM report r JOIN source s ON s.id = r.source LEFT JOIN report_status st ON st.report = r.id WHERE r.id = ANY (ids))
	SELECT jsonb_build_object('organisations', (SELECT count(DISTINCT organisation) FROM r WHERE organisation <> 0),
		'first', report_number(ids[1]), 'last', report_number(ids[cardinality(ids)]),
		'groups', (SELECT coalesce(jsonb_agg(g ORDER BY g.n DESC, g.source, g.type, g.identifier), '[]') FROM (SELECT source, type, identifier,
			state, count(*) AS n FROM r GROUP BY source, type, identifier, state ORDER BY n DESC, source, type, identifier LIMIT 10) g))
$$;

-- One row of the journal: of the report where there is one, else of the act.
CREATE FUNCTION report_journal(act_id bigint, action text, ids bigint[], before jsonb, after jsonb) RETURNS void LANGUAGE sql
SET search_path = cirt, pg_temp AS $$
	SELECT journal_add(CASE cardinality(ids) WHEN 1 THEN 'report/' || ids[1] ELSE 'act/' || act_id END, action, before::text,
		(jsonb_strip_nulls(after) || CASE cardinality(ids) WHEN 1 THEN '{}' ELSE jsonb_build_object('count', cardinality(ids), 'first', ids[1],
			'digest', encode(sha256(convert_to((SELECT string_agg(i::text, ',' ORDER BY i) FROM unnest(ids) AS i), 'UTF8')), 'hex')) END)::text)
$$;

CREATE FUNCTION reports_count(n bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT n || CASE n WHEN 1 THEN ' report' ELSE ' reports' END
$$;

-- What the act found, for undo; owner's rights, since nobody else writes there.
CREATE FUNCTION act_found(act_id bigint, ids bigint[], found jsonb[]) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	INSERT INTO act_report SELECT act_id, i, f FROM unnest(ids, found) AS u(i, f)
$$;

-- Locked, in order: whoever acts on one of them waits. What has no row yet gets one that says new.
CREATE FUNCTION report_lock(ids bigint[]) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO report_status (report) SELECT i FROM unnest(ids) AS i
		WHERE NOT EXISTS (SELECT 1 FROM report_status s WHERE s.report = i) ORDER BY i ON CONFLICT DO NOTHING;
	PERFORM 1 FROM report_status s WHERE s.report = ANY (ids) ORDER BY s.report FOR UPDATE;
END $$;

-- Those of them that this act may work on, locked; where they were named each has to be one. in_case: those in a case (true), in none
-- (false), or any (NULL).
CREATE FUNCTION report_fit(p jsonb, ids bigint[], states report_state[], in_case boolean) RETURNS bigint[] LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	fits bigint[];
	odd record;
BEGIN
	IF NOT p ? 'dry_run' THEN
		PERFORM report_lock(ids);
	END IF;
	WITH r AS (SELECT i, coalesce(st.state, 'new') AS state, c.case_id FROM unnest(ids) AS i
			LEFT JOIN report_status st ON st.report = i LEFT JOIN case_report c ON c.report = i AND c.ended IS NULL)
	SELECT coalesce(array_agg(i ORDER BY i), '{}') INTO fits FROM r
		WHERE state = ANY (states) AND (in_case IS NULL OR in_case = (case_id IS NOT NULL));
	IF NOT report_filters(p) AND cardinality(fits) < cardinality(ids) THEN
		SELECT i, coalesce(st.state, 'new') AS state, n.number INTO odd FROM unnest(ids) AS i LEFT JOIN report_status st ON st.report = i
			LEFT JOIN case_report c ON c.report = i AND c.ended IS NULL LEFT JOIN cases n ON n.id = c.case_id
			WHERE i <> ALL (fits) ORDER BY i LIMIT 1;
		RAISE EXCEPTION 'report % is %; from there: %', report_number(odd.i), odd.state || coalesce(' in ' || odd.number, ''),
			CASE WHEN odd.number IS NOT NULL AND in_case IS FALSE THEN 'cirt report unlink' ELSE report_next(odd.state) END
			USING ERRCODE = 'check_violation';
	END IF;
	RETURN fits;
END $$;

-- The answer of every act: how many, which, and the number that undoes it.
CREATE FUNCTION report_answer(p jsonb, act_id bigint, said text, asked bigint[], ids bigint[]) RETURNS json LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	SELECT (jsonb_build_object('act', act_id, 'what', said, 'reports', cardinality(ids), 'left_out', cardinality(asked) - cardinality(ids),
		'dry_run', p ? 'dry_run') || CASE WHEN cardinality(ids) > 0 THEN report_look(ids) ELSE '{"groups": []}' END)::json
$$;

-- To another state, in one statement each for what is there and what is not.
CREATE FUNCTION report_set_state(ids bigint[], wanted report_state, why reject_reason) RETURNS void LANGUAGE sql
SET search_path = cirt, pg_temp AS $$
	UPDATE report_status SET state = wanted, reject_reason = why, changed = now(), actor = actor() WHERE report = ANY (ids)
$$;

CREATE FUNCTION report_states_for(of_act text) RETURNS report_state[] LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT array_agg(DISTINCT from_state) FROM report_transition WHERE act = of_act
$$;

-- How each of them is, in their order.
CREATE FUNCTION report_found(ids bigint[]) RETURNS jsonb[] LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT array_agg(jsonb_strip_nulls(jsonb_build_object('state', coalesce(st.state, 'new'), 'reason', st.reject_reason, 'case', c.case_id)) ORDER BY i)
	FROM unnest(ids) AS i LEFT JOIN report_status st ON st.report = i LEFT JOIN case_report c ON c.report = i AND c.ended IS NULL
$$;

-- reject, answered, reopen: a change of state and nothing else.
CREATE FUNCTION report_state_act(p jsonb, of_act text, wanted report_state, why reject_reason, said text) RETURNS json LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	asked bigint[] := report_meant(p, report_states_for(of_act));
	ids bigint[] := report_fit(p, asked, report_states_for(of_act), CASE of_act WHEN 'reject' THEN false END);
	linked bigint[] := '{}';
	act_id bigint;
BEGIN
	said := reports_count(cardinality(ids)) || ' ' || said;
	IF NOT p ? 'dry_run' AND cardinality(ids) > 0 THEN
		act_id := act_put('report', said, 'report_undo', jsonb_strip_nulls(jsonb_build_object('state', wanted, 'reason', why)), now() + act_keep());
		PERFORM act_found(act_id, ids, report_found(ids));
		-- What was answered and is in a case is linked again.
		IF of_act = 'reopen' THEN
			linked := ARRAY(SELECT c.report FROM case_report c WHERE c.report = ANY (ids) AND c.ended IS NULL);
			PERFORM report_set_state(linked, 'linked', NULL);
		END IF;
		PERFORM report_set_state(ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(linked)), wanted, why);
		PERFORM report_journal(act_id, CASE of_act WHEN 'reject' THEN 'rejected' WHEN 'reopen' THEN 'reopened' ELSE of_act END, ids, NULL,
			jsonb_build_object('state', wanted, 'reason', why, 'note', p ->> 'note'));
	END IF;
	RETURN report_answer(p, act_id, said, asked, ids);
END $$;

CREATE FUNCTION desk_report_reject(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	why text := lower(coalesce(p ->> 'reason', ''));
BEGIN
	IF why <> ALL (enum_range(NULL::reject_reason)::text[]) THEN
		PERFORM said_wrong('reason: expected spam, not-ours, false-alarm, duplicate or test');
	END IF;
	RETURN report_state_act(p, 'reject', 'rejected', why::reject_reason, 'rejected: ' || why);
END $$;

CREATE FUNCTION desk_report_answered(p jsonb) RETURNS json LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	SELECT report_state_act(p, 'answered', 'answered', NULL, 'answered')
$$;

CREATE FUNCTION desk_report_reopen(p jsonb) RETURNS json LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	SELECT report_state_act(p, 'reopen', 'new', NULL, 'new again')
$$;

-- A mail of the desk has answered these: for whoever sends it. What is rejected stays rejected.
CREATE FUNCTION reports_answered(ids bigint[]) RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	done int;
BEGIN
	PERFORM report_lock(ids);
	UPDATE report_status SET state = 'answered', changed = now(), actor = actor() WHERE report = ANY (ids) AND state IN ('new', 'linked', 'noticed');
	GET DIAGNOSTICS done = ROW_COUNT;
	RETURN done;
END $$;

-- ---- cases ----

-- The case that reports may be linked to, locked.
CREATE FUNCTION report_case(named text, p jsonb) RETURNS cases LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
BEGIN
	SELECT * INTO c FROM cases WHERE id = case_seen(named, p) FOR UPDATE;
	IF c.state = 'merged' THEN
		RAISE EXCEPTION '% was merged into %: link them there', c.number, (SELECT m.number FROM cases m WHERE m.id = case_now(c.id))
			USING ERRCODE = 'check_violation';
	ELSIF c.state IN ('closed', 'rejected') THEN
		RAISE EXCEPTION '% is %: cirt case move % open --reason TEXT, then link them', c.number, c.state, c.number USING ERRCODE = 'check_violation';
	END IF;
	RETURN c;
END $$;

-- Into a case; what is graver or stricter than it knew raises it, as when a rule attaches one.
CREATE FUNCTION reports_attach(ids bigint[], which bigint) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO case_report AS c (report, case_id) SELECT i, which FROM unnest(ids) AS i ORDER BY i
		ON CONFLICT (report, case_id) DO UPDATE SET ended = NULL, actor = actor(), added = now() WHERE c.ended IS NOT NULL;
	UPDATE report_status SET state = 'linked', reject_reason = NULL, changed = now(), actor = actor()
		WHERE report = ANY (ids) AND state IN ('new', 'noticed');
	UPDATE cases c SET severity = greatest(c.severity, w.severity), tlp = greatest(c.tlp, w.tlp)
		FROM (SELECT max(coalesce(st.severity, r.severity)) AS severity, max(r.tlp) AS tlp FROM report r
			LEFT JOIN report_status st ON st.report = r.id WHERE r.id = ANY (ids)) w
		WHERE c.id = which AND (c.severity IS NULL AND w.severity IS NOT NULL OR w.severity > c.severity OR w.tlp > c.tlp);
	DELETE FROM correlation_queue WHERE report = ANY (ids);
END $$;

CREATE FUNCTION reports_detach(ids bigint[], which bigint) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	UPDATE case_report SET ended = now() WHERE case_id = which AND ended IS NULL AND report = ANY (ids);
	UPDATE report_status SET state = 'new', changed = now(), actor = actor() WHERE report = ANY (ids) AND state = 'linked';
END $$;

CREATE FUNCTION reports_link(p jsonb, asked bigint[], c cases) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := report_fit(p, asked, '{new,noticed,answered}', false);
	said text := reports_count(cardinality(ids)) || ' linked to ' || c.number;
	act_id bigint;
BEGIN
	IF EXISTS (SELECT 1 FROM report r WHERE r.id = ANY (ids) AND r.exercise <> c.exercise) THEN
		RAISE EXCEPTION 'a drill and what is real are never in one case: % is %', c.number,
			CASE c.exercise WHEN 0 THEN 'real' ELSE 'a drill' END USING ERRCODE = 'check_violation';
	END IF;
	IF NOT p ? 'dry_run' AND cardinality(ids) > 0 THEN
		act_id := act_put('report', said, 'report_undo', jsonb_build_object('state', 'linked', 'case', c.id), now() + act_keep());
		PERFORM act_found(act_id, ids, report_found(ids));
		PERFORM reports_attach(ids, c.id);
	END IF;
	RETURN report_answer(p || jsonb_build_object('case', c.number), act_id, said, asked, ids);
END $$;

CREATE FUNCTION desk_report_link(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := report_case(p ->> 'case', p);
BEGIN
	RETURN reports_link(p, report_meant(p, '{new,noticed}'), c);
END $$;

-- Out of their cases, each of which gets one row in the journal.
CREATE FUNCTION desk_report_unlink(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	asked bigint[] := report_meant(p, '{linked}');
	ids bigint[];
	said text;
	act_id bigint;
	one record;
BEGIN
	PERFORM 1 FROM cases c WHERE c.id IN (SELECT r.case_id FROM case_report r WHERE r.report = ANY (asked) AND r.ended IS NULL)
		ORDER BY c.number FOR UPDATE;
	PERFORM case_seen(n.number, p) FROM (SELECT DISTINCT c.number FROM case_report r JOIN cases c ON c.id = r.case_id
		WHERE r.report = ANY (asked) AND r.ended IS NULL AND c.restricted) n;
	ids := report_fit(p, asked, '{linked,answered,noticed,new}', true);
	said := reports_count(cardinality(ids)) || ' unlinked';
	IF NOT p ? 'dry_run' AND cardinality(ids) > 0 THEN
		act_id := act_put('report', said, 'report_undo', '{"state": "new", "unlinked": true}', now() + act_keep());
		PERFORM act_found(act_id, ids, report_found(ids));
		FOR one IN SELECT r.case_id, array_agg(r.report) AS reports FROM case_report r JOIN cases c ON c.id = r.case_id
				WHERE r.report = ANY (ids) AND r.ended IS NULL GROUP BY r.case_id, c.number ORDER BY c.number LOOP
			PERFORM reports_detach(one.reports, one.case_id);
		END LOOP;
	END IF;
	RETURN report_answer(p, act_id, said, asked, ids);
END $$;

-- ---- what a report is, and whose ----

-- Only these columns, and only by an act: owner's rights.
CREATE FUNCTION report_say(ids bigint[], new_type rsit_type, new_identifier text, new_tags text[], old_tags text[]) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	UPDATE report SET type = coalesce(new_type, type), identifier = coalesce(new_identifier, identifier),
		tags = CASE WHEN new_tags IS NULL THEN tags ELSE ARRAY(SELECT DISTINCT t FROM unnest(tags || new_tags) AS t WHERE t <> ALL (old_tags) ORDER BY t) END
	WHERE id = ANY (ids)
$$;

CREATE FUNCTION desk_report_reclassify(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	asked bigint[];
	ids bigint[];
	new_type rsit_type;
	new_identifier text := lower(p ->> 'as_identifier');
	said text;
	act_id bigint;
BEGIN
	IF p ->> 'class' <> ALL (enum_range(NULL::rsit_type)::text[]) THEN
		PERFORM said_wrong('class: expected an RSIT type, such as phishing');
	ELSIF octet_length(new_identifier) > 200 OR new_identifier ~ '[[:cntrl:]]' THEN
		PERFORM said_wrong('as-identifier: expected a word such as open-rdp, 200 bytes at most');
	END IF;
	new_type := p ->> 'class';
	asked := report_meant(p, NULL);
	IF NOT p ? 'dry_run' THEN
		PERFORM report_lock(asked);
	END IF;
	ids := ARRAY(SELECT r.id FROM report r WHERE r.id = ANY (asked) AND (r.type <> new_type OR r.identifier <> new_identifier) ORDER BY r.id);
	said := reports_count(cardinality(ids)) || ' classified as ' || new_type || coalesce('/' || new_identifier, '');
	IF NOT p ? 'dry_run' AND cardinality(ids) > 0 THEN
		act_id := act_put('report', said, 'report_undo_say', jsonb_strip_nulls(jsonb_build_object('type', new_type, 'identifier', new_identifier)),
			now() + act_keep());
		PERFORM act_found(act_id, ids, ARRAY(SELECT jsonb_build_object('type', r.type, 'identifier', r.identifier) FROM report r
			WHERE r.id = ANY (ids) ORDER BY r.id));
		PERFORM report_journal(act_id, 'reclassified', ids, (SELECT jsonb_agg(DISTINCT jsonb_build_object('type', r.type, 'identifier', r.identifier))
			FROM report r WHERE r.id = ANY (ids)), jsonb_build_object('type', new_type, 'identifier', new_identifier));
		PERFORM report_say(ids, new_type, new_identifier, NULL, NULL);
		PERFORM report_again(ids);
	END IF;
	RETURN report_answer(p, act_id, said, asked, ids);
END $$;

-- Rules look at them again: those of notices, and where they are new those that open cases.
CREATE FUNCTION report_again(ids bigint[]) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO notice_arrival (reports) SELECT array_agg(r.id) FROM report r JOIN source s ON s.id = r.source LEFT JOIN warning w ON w.report = r.id
		WHERE r.id = ANY (ids) AND NOT (s.kind IN ('mailbox', 'desk') AND r.doc = '') AND w.outcome IS DISTINCT FROM 'told'
		HAVING count(*) > 0;
	INSERT INTO correlation_queue (report, rule) SELECT f.id, f.rule FROM (SELECT r.id, (SELECT correlation_rule_of(
				jsonb_populate_record(r, jsonb_build_object('organisation', coalesce(st.organisation, r.organisation))),
				coalesce(st.severity, r.severity))) AS rule
			FROM report r LEFT JOIN report_status st ON st.report = r.id WHERE r.id = ANY (ids) AND coalesce(st.state, 'new') = 'new') f
		WHERE f.rule IS NOT NULL AND NOT EXISTS (SELECT 1 FROM correlation_queue q WHERE q.report = f.id)
			AND NOT EXISTS (SELECT 1 FROM case_report c WHERE c.report = f.id AND c.ended IS NULL);
END $$;

-- 'ransomware,election' as an array; every one from the list.
CREATE FUNCTION said_tags(said text, must_be boolean) RETURNS text[] LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	wanted text[] := ARRAY(SELECT DISTINCT lower(btrim(t)) FROM unnest(string_to_array(coalesce(said, ''), ',')) AS t WHERE btrim(t) <> '');
	odd text;
BEGIN
	SELECT t INTO odd FROM unnest(wanted) AS t WHERE must_be AND NOT EXISTS (SELECT 1 FROM tag g WHERE g.name = t AND g.retired IS NULL) LIMIT 1;
	IF odd IS NOT NULL THEN
		RAISE EXCEPTION 'there is no tag "%": cirt tag list shows them', left(odd, 64) USING ERRCODE = 'no_data_found';
	END IF;
	RETURN wanted;
END $$;

CREATE FUNCTION desk_report_retag(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	fresh text[] := said_tags(p ->> 'add', true);
	gone text[] := said_tags(p ->> 'remove', false);
	asked bigint[];
	ids bigint[];
	said text;
	act_id bigint;
BEGIN
	IF fresh = '{}' AND gone = '{}' THEN
		PERFORM said_wrong('say which tags: --add TAGS, --remove TAGS');
	END IF;
	asked := report_meant(p, NULL);
	IF NOT p ? 'dry_run' THEN
		PERFORM report_lock(asked);
	END IF;
	ids := ARRAY(SELECT r.id FROM report r WHERE r.id = ANY (asked) AND (r.tags && gone OR NOT r.tags @> fresh) ORDER BY r.id);
	said := reports_count(cardinality(ids)) || ' tagged' || (SELECT string_agg(' +' || t, '') FROM unnest(fresh) AS t);
	said := reports_count(cardinality(ids)) || ' tagged' || coalesce((SELECT string_agg(' +' || t, '') FROM unnest(fresh) AS t), '')
		|| coalesce((SELECT string_agg(' -' || t, '') FROM unnest(gone) AS t), '');
	IF NOT p ? 'dry_run' AND cardinality(ids) > 0 THEN
		act_id := act_put('report', said, 'report_undo_say', jsonb_build_object('tags', true), now() + act_keep());
		PERFORM act_found(act_id, ids, ARRAY(SELECT jsonb_build_object('tags', r.tags) FROM report r WHERE r.id = ANY (ids) ORDER BY r.id));
		PERFORM report_say(ids, NULL, NULL, fresh, gone);
		PERFORM report_journal(act_id, 'tagged', ids, NULL, jsonb_build_object('added', fresh, 'removed', gone));
	END IF;
	RETURN report_answer(p, act_id, said, asked, ids);
END $$;

-- To another organisation; '-' is nobody's that we serve. The register leaves what a person said.
CREATE FUNCTION desk_report_reassign(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	owner int := CASE p ->> 'organisation' WHEN '-' THEN 0 ELSE org_named(p ->> 'organisation') END;
	asked bigint[] := report_meant(p, NULL);
	ids bigint[];
	said text;
	act_id bigint;
BEGIN
	IF NOT p ? 'dry_run' THEN
		PERFORM report_lock(asked);
	END IF;
	ids := ARRAY(SELECT r.id FROM report r LEFT JOIN report_status st ON st.report = r.id
		WHERE r.id = ANY (asked) AND coalesce(st.organisation, r.organisation, 0) <> owner ORDER BY r.id);
	said := reports_count(cardinality(ids)) || CASE owner WHEN 0 THEN ' nobody''s now' ELSE ' of ' || (SELECT name FROM organisation WHERE id = owner)
		|| ' now' END;
	IF NOT p ? 'dry_run' AND cardinality(ids) > 0 THEN
		act_id := act_put('report', said, 'report_undo_owner', jsonb_build_object('organisation', owner), now() + act_keep());
		PERFORM act_found(act_id, ids, ARRAY(SELECT jsonb_build_object('organisation', s.organisation, 'assigned', s.assigned)
			FROM report_status s WHERE s.report = ANY (ids) ORDER BY s.report));
		UPDATE report_status SET organisation = owner, assigned = true, changed = now(), actor = actor() WHERE report = ANY (ids);
		PERFORM report_journal(act_id, 'reassigned', ids, NULL, jsonb_build_object('organisation', owner, 'note', p ->> 'note'));
		PERFORM report_again(ids);
	END IF;
	RETURN report_answer(p, act_id, said, asked, ids);
END $$;

-- One batch of the walk, as before; what a person said stays.
CREATE OR REPLACE FUNCTION keeper_attribute(batch int) RETURNS TABLE (taken int, changed int) LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	w attribution_walk;
	r report;
	st report_status;
	owner int;
	moved bigint[] := '{}';
BEGIN
	taken := 0;
	changed := 0;
	SELECT * INTO w FROM attribution_walk FOR UPDATE;
	IF w.upto IS NULL THEN
		INSERT INTO attribution_walk (upto, span) SELECT max(id), range_merge(range_agg(span)) FROM attribution_queue HAVING count(*) > 0
			RETURNING * INTO w;
		IF w.upto IS NULL THEN
			RETURN NEXT;
			RETURN;
		END IF;
	END IF;
	FOR r IN SELECT * FROM report x WHERE x.id < w.next ORDER BY x.id DESC LIMIT batch LOOP
		taken := taken + 1;
		w.next := r.id;
		CONTINUE WHEN NOT w.span @> r.first_seen;
		SELECT * INTO st FROM report_status s WHERE s.report = r.id;
		CONTINUE WHEN st.state = 'rejected' OR st.gone_at IS NOT NULL OR st.assigned;
		owner := organisation_now(r);
		CONTINUE WHEN owner = coalesce(st.organisation, r.organisation, 0);
		PERFORM attribution_moved(r, st, owner);
		changed := changed + 1;
		IF owner <> 0 THEN
			moved := moved || r.id;
		END IF;
	END LOOP;
	IF moved <> '{}' THEN
		INSERT INTO notice_arrival (reports) VALUES (moved);
	END IF;
	IF taken = batch THEN
		UPDATE attribution_walk a SET next = w.next, looked = a.looked + taken, changed = a.changed + keeper_attribute.changed;
	ELSE
		PERFORM journal_add('register/attribution', 'reports attributed anew', NULL, jsonb_build_object('looked', w.looked + taken,
			'changed', w.changed + changed, 'since', stamp(w.began))::text);
		DELETE FROM attribution_queue q WHERE q.id <= w.upto;
		DELETE FROM attribution_walk;
	END IF;
	RETURN NEXT;
END $$;

-- ---- undo ----

CREATE FUNCTION report_undone_said(done bigint, all_of bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = cirt, pg_temp AS $$
	SELECT reports_count(done) || ' as before' || CASE WHEN done < all_of THEN ', ' || (all_of - done) || ' changed since: they stay as they are' ELSE '' END
$$;

-- States and cases. Each goes back if it is still as the act left it.
CREATE FUNCTION report_undo(u jsonb) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT f.report FROM act_report f WHERE f.act = (u ->> 'act')::bigint ORDER BY f.report);
	fit bigint[];
	one record;
BEGIN
	PERFORM 1 FROM cases c WHERE c.id = (u ->> 'case')::bigint OR (u ? 'unlinked' AND c.id IN (SELECT (f.was ->> 'case')::bigint
		FROM act_report f WHERE f.act = (u ->> 'act')::bigint)) ORDER BY c.number FOR UPDATE;
	PERFORM report_lock(ARRAY(SELECT i FROM unnest(ids) AS i WHERE EXISTS (SELECT 1 FROM report r WHERE r.id = i)));
	fit := ARRAY(SELECT s.report FROM report_status s JOIN act_report f ON f.act = (u ->> 'act')::bigint AND f.report = s.report
			LEFT JOIN case_report c ON c.report = s.report AND c.ended IS NULL
		WHERE CASE WHEN u ? 'case' THEN c.case_id = (u ->> 'case')::bigint AND s.state IN ('linked', 'answered')
			WHEN u ? 'unlinked' THEN c.case_id IS NULL AND s.state <> 'rejected'
			ELSE s.state::text = CASE WHEN u ->> 'state' = 'new' AND f.was ? 'case' THEN 'linked' ELSE u ->> 'state' END
				AND c.case_id IS NOT DISTINCT FROM (f.was ->> 'case')::bigint END ORDER BY s.report);
	IF u ? 'case' THEN
		UPDATE case_report SET ended = now() WHERE case_id = (u ->> 'case')::bigint AND ended IS NULL AND report = ANY (fit);
	ELSIF u ? 'unlinked' THEN
		FOR one IN SELECT case_now((f.was ->> 'case')::bigint) AS case_id, array_agg(f.report) AS reports FROM act_report f
				WHERE f.act = (u ->> 'act')::bigint AND f.report = ANY (fit) GROUP BY 1 ORDER BY 1 LOOP
			PERFORM reports_attach(one.reports, one.case_id);
		END LOOP;
	END IF;
	UPDATE report_status s SET state = (f.was ->> 'state')::report_state, reject_reason = (f.was ->> 'reason')::reject_reason, changed = now(),
			actor = actor()
		FROM act_report f WHERE f.act = (u ->> 'act')::bigint AND f.report = s.report AND s.report = ANY (fit)
			AND s.state <> (f.was ->> 'state')::report_state AND (NOT u ? 'case' OR s.state = 'linked');
	IF cardinality(fit) > 0 AND NOT u ?| ARRAY['case', 'unlinked'] THEN
		PERFORM report_journal((u ->> 'act')::bigint, 'undone', fit, NULL, jsonb_build_object('was', u ->> 'state'));
	END IF;
	RETURN report_undone_said(cardinality(fit), cardinality(ids));
END $$;

-- Types, identifiers and tags.
CREATE FUNCTION report_unsay(act_id bigint, now_type text, now_identifier text) RETURNS bigint[] LANGUAGE sql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	WITH back AS (UPDATE report r SET type = coalesce((f.was ->> 'type')::rsit_type, r.type), identifier = coalesce(f.was ->> 'identifier', r.identifier),
			tags = CASE WHEN f.was ? 'tags' THEN ARRAY(SELECT jsonb_array_elements_text(f.was -> 'tags')) ELSE r.tags END
		FROM act_report f WHERE f.act = act_id AND r.id = f.report AND (now_type IS NULL OR r.type::text = now_type)
			AND (now_identifier IS NULL OR r.identifier = now_identifier) RETURNING r.id)
	SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM back
$$;
CREATE FUNCTION report_undo_say(u jsonb) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := report_unsay((u ->> 'act')::bigint, u ->> 'type', u ->> 'identifier');
BEGIN
	IF cardinality(ids) > 0 THEN
		PERFORM report_journal((u ->> 'act')::bigint, 'undone', ids, NULL, u - 'act');
	END IF;
	RETURN report_undone_said(cardinality(ids), (SELECT count(*) FROM act_report WHERE act = (u ->> 'act')::bigint));
END $$;

CREATE FUNCTION report_undo_owner(u jsonb) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[];
BEGIN
	WITH back AS (UPDATE report_status s SET organisation = (f.was ->> 'organisation')::int, assigned = (f.was ->> 'assigned')::boolean,
			changed = now(), actor = actor()
		FROM act_report f WHERE f.act = (u ->> 'act')::bigint AND s.report = f.report AND s.organisation = (u ->> 'organisation')::int
		RETURNING s.report)
	SELECT coalesce(array_agg(report ORDER BY report), '{}') INTO ids FROM back;
	IF cardinality(ids) > 0 THEN
		PERFORM report_journal((u ->> 'act')::bigint, 'undone', ids, NULL, u - 'act');
		PERFORM report_again(ids);
	END IF;
	RETURN report_undone_said(cardinality(ids), (SELECT count(*) FROM act_report WHERE act = (u ->> 'act')::bigint));
END $$;

INSERT INTO act_kind VALUES ('report_undo'), ('report_undo_say'), ('report_undo_owner');

-- A mail that was cancelled has told nobody: what it would have told is new again, where nobody else told it.
CREATE FUNCTION notice_untold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	UPDATE report_status s SET state = 'new', changed = now() FROM disclosure d
		WHERE d.outbox = NEW.id AND s.report = d.report AND s.state = 'noticed'
			AND NOT EXISTS (SELECT 1 FROM disclosure x WHERE x.report = d.report AND x.told IS NOT NULL)
			AND NOT EXISTS (SELECT 1 FROM disclosure x JOIN outbox y ON y.id = x.outbox WHERE x.report = d.report AND y.id <> NEW.id
				AND y.state NOT IN ('cancelled', 'failed'));
	RETURN NULL;
END $$;
CREATE TRIGGER outbox_untold AFTER UPDATE ON outbox FOR EACH ROW
	WHEN (NEW.kind IN ('notice', 'one-shot') AND NEW.state = 'cancelled' AND OLD.state <> 'cancelled') EXECUTE FUNCTION notice_untold();

GRANT SELECT ON report_transition, act_report TO cirt_desk, cirt_keeper;
GRANT DELETE ON correlation_queue TO cirt_desk;
GRANT EXECUTE ON FUNCTION report_next, act_keep, said_wrong, severity_least, report_filters, report_matching, report_meant, report_look,
	report_journal, reports_count, act_found, report_lock, report_fit, report_answer, report_set_state, report_states_for, report_found,
	report_state_act, desk_report_reject, desk_report_answered, desk_report_reopen, reports_answered, report_case, reports_attach,
	reports_detach, reports_link, desk_report_link, desk_report_unlink, report_say, desk_report_reclassify, report_again, said_tags,
	desk_report_retag, desk_report_reassign, report_undone_said, report_undo, report_unsay, report_undo_say, report_undo_owner,
	correlation_rule_of TO cirt_desk;
