-- What the house configures in files, into the database; and what cases begin with.
SET LOCAL search_path = cirt, pg_temp;

CREATE TABLE playbook (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL,
	version int NOT NULL,
	title text NOT NULL,
	conditions jsonb NOT NULL,        -- conditions_hold(); {}: it is for nobody by itself
	body jsonb NOT NULL,              -- as read: tasks, clocks, filings
	current boolean NOT NULL DEFAULT true,
	loaded timestamptz NOT NULL DEFAULT now(),
	UNIQUE (name, version)
);
CREATE UNIQUE INDEX playbook_current ON playbook (name) WHERE current;

-- A playbook is applied to a case once.
CREATE TABLE playbook_applied (
	case_id bigint NOT NULL REFERENCES cases,
	name text NOT NULL,
	playbook int NOT NULL REFERENCES playbook,
	at timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL DEFAULT actor(),
	tasks int NOT NULL DEFAULT 0,
	clocks int NOT NULL DEFAULT 0,
	filings text[] NOT NULL DEFAULT '{}',
	left_out text[] NOT NULL DEFAULT '{}', -- what of it could not be done, and why
	PRIMARY KEY (case_id, name)
);
CREATE TRIGGER playbook_applied_journal AFTER INSERT OR UPDATE ON playbook_applied FOR EACH ROW EXECUTE FUNCTION journal_of_case('case_id');

-- ---- files ----

-- What is wrong with a file is told here and by an alarm, until it is not.
CREATE FUNCTION sheet_said(of_kind text, of_name text, what_is_wrong text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO sheet (kind, name, problem) VALUES (of_kind, of_name, left(what_is_wrong, 1000))
		ON CONFLICT (kind, name) DO UPDATE SET problem = excluded.problem, read = now();
	IF what_is_wrong <> '' THEN
		PERFORM alarm_raise('sheet-wrong', of_kind || ' ' || of_name, NULL, what_is_wrong || '; what it said before stands')
			WHERE NOT EXISTS (SELECT FROM alarm WHERE kind = 'sheet-wrong' AND subject = of_kind || ' ' || of_name
				AND text = left(what_is_wrong || '; what it said before stands', 2000));
	ELSE
		PERFORM alarm_over('sheet-wrong', of_kind || ' ' || of_name);
	END IF;
END $$;

-- Days and hours of the house. What was configured before and is again is the same calendar.
CREATE FUNCTION calendar_load(c jsonb) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	key text := encode(sha256(convert_to((c - 'problem')::text, 'UTF8')), 'hex');
	fresh int;
BEGIN
	PERFORM said_zone(c ->> 'zone');
	SELECT id INTO fresh FROM calendar WHERE digest = key;
	IF fresh = calendar_now() THEN
		RETURN false;
	ELSIF fresh IS NULL THEN
		INSERT INTO calendar (digest, zone) VALUES (key, c ->> 'zone') RETURNING id INTO fresh;
		INSERT INTO calendar_hours (calendar, day, opens, closes) SELECT fresh, (h ->> 'day')::int, (h ->> 'opens')::time, (h ->> 'closes')::time
			FROM jsonb_array_elements(c -> 'hours') h;
		INSERT INTO calendar_holiday (calendar, day, name) SELECT fresh, h ->> 'day', min(h ->> 'name')
			FROM jsonb_array_elements(c -> 'holidays') h GROUP BY h ->> 'day';
	END IF;
	UPDATE calendar SET current = false WHERE current;
	UPDATE calendar SET current = true WHERE id = fresh;
	PERFORM journal_add('house/calendar', 'loaded', NULL, c::text);
	RETURN true;
END $$;

-- A file as it is compared and kept: where its lines stand changes nothing.
CREATE FUNCTION sheet_plain(body jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_object_agg(key, CASE WHEN jsonb_typeof(value) = 'array' THEN (SELECT coalesce(jsonb_agg(e - 'line' ORDER BY n), '[]')
		FROM jsonb_array_elements(value) WITH ORDINALITY AS x (e, n)) ELSE value END) FROM jsonb_each(body)
$$;

CREATE FUNCTION regime_load(of_name text, b jsonb) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	old regime;
	fresh int;
BEGIN
	b := sheet_plain(b);
	SELECT * INTO old FROM regime WHERE lower(name) = lower(of_name) AND current;
	IF old.body = b AND old.name = of_name THEN
		RETURN false;
	END IF;
	PERFORM span_read(s ->> w) FROM jsonb_array_elements(b -> 'stages') s, unnest('{within,warn,answer,answer_warn}'::text[]) w WHERE s ? w;
	UPDATE regime SET current = false WHERE id = old.id;
	INSERT INTO regime (name, version, title, law, conditions, body)
		SELECT of_name, coalesce(max(version), 0) + 1, coalesce(b ->> 'title', ''), coalesce(b ->> 'law', ''), b -> 'conditions', b
		FROM regime WHERE name = of_name RETURNING id INTO fresh;
	INSERT INTO regime_stage (regime, n, stage, title, whose, start, within, ends, warn, answer, answer_warn)
		SELECT fresh, n, s ->> 'stage', s ->> 'title', coalesce(s ->> 'whose', 'theirs'), s ->> 'from', s ->> 'within', coalesce(s ->> 'ends', 'exact'),
			coalesce(s ->> 'warn', ''), coalesce(s ->> 'answer', ''), coalesce(s ->> 'answer_warn', '')
		FROM jsonb_array_elements(b -> 'stages') WITH ORDINALITY AS u (s, n);
	PERFORM journal_add('house/regime ' || of_name, 'loaded', old.body::text, b::text);
	RETURN true;
END $$;

CREATE FUNCTION playbook_load(of_name text, b jsonb) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	old playbook;
	f jsonb;
BEGIN
	FOR f IN SELECT jsonb_array_elements(b -> 'filings') LOOP
		IF NOT EXISTS (SELECT FROM regime r JOIN regime_stage s ON s.regime = r.id WHERE r.current AND lower(r.name) = lower(f ->> 'regime')
			AND s.stage = f ->> 'stage') THEN
			RAISE EXCEPTION '%', format('%s.conf:%s: a regime and one of its stages was expected, not "%s %s"', of_name, f ->> 'line', f ->> 'regime',
				f ->> 'stage') USING ERRCODE = 'invalid_parameter_value';
		END IF;
	END LOOP;
	b := sheet_plain(b);
	SELECT * INTO old FROM playbook WHERE name = of_name AND current;
	IF old.body = b THEN
		RETURN false;
	END IF;
	UPDATE playbook SET current = false WHERE id = old.id;
	INSERT INTO playbook (name, version, title, conditions, body)
		SELECT of_name, coalesce(max(version), 0) + 1, b ->> 'title', b -> 'conditions', b FROM playbook WHERE name = of_name;
	PERFORM journal_add('house/playbook ' || of_name, 'loaded', old.body::text, b::text);
	RETURN true;
END $$;

-- One file: true where it says something new. What the file's reader or these functions refuse leaves what stood before.
CREATE FUNCTION sheet_load(of_kind text, s jsonb) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	fresh boolean := false;
	what_is_wrong text := coalesce(s ->> 'problem', '');
BEGIN
	IF what_is_wrong = '' THEN
		BEGIN
			fresh := CASE of_kind WHEN 'calendar' THEN calendar_load(s) WHEN 'regime' THEN regime_load(s ->> 'name', s -> 'body')
				ELSE playbook_load(s ->> 'name', s -> 'body') END;
		EXCEPTION WHEN OTHERS THEN
			what_is_wrong := SQLERRM;
		END;
	END IF;
	PERFORM sheet_said(of_kind, coalesce(s ->> 'name', 'clocks'), what_is_wrong);
	RETURN fresh;
END $$;

-- All that the house says of its time and its work (daemon/model/house.h). A file that is there no more takes effect no more.
CREATE FUNCTION keeper_house(doc jsonb, OUT changed int, OUT wrong text) LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	s jsonb;
BEGIN
	changed := sheet_load('calendar', doc -> 'calendar')::int;
	FOR s IN SELECT jsonb_array_elements(doc -> 'regimes') LOOP
		changed := changed + sheet_load('regime', s)::int;
	END LOOP;
	FOR s IN SELECT jsonb_array_elements(doc -> 'playbooks') LOOP
		changed := changed + sheet_load('playbook', s)::int;
	END LOOP;
	UPDATE regime SET current = false WHERE current AND NOT EXISTS (SELECT FROM jsonb_array_elements(doc -> 'regimes') d WHERE d ->> 'name' = name);
	UPDATE playbook SET current = false WHERE current AND NOT EXISTS (SELECT FROM jsonb_array_elements(doc -> 'playbooks') d WHERE d ->> 'name' = name);
	PERFORM alarm_over('sheet-wrong', g.kind || ' ' || g.name) FROM sheet g WHERE sheet_gone(g, doc);
	DELETE FROM sheet g WHERE sheet_gone(g, doc);
	SELECT string_agg(problem, '; ' ORDER BY kind, name) INTO wrong FROM sheet WHERE problem <> '';
END $$;
CREATE FUNCTION sheet_gone(g sheet, doc jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = cirt, pg_temp AS $$
	SELECT g.kind <> 'calendar' AND NOT EXISTS (SELECT FROM jsonb_array_elements(doc -> (g.kind || 's')) d WHERE d ->> 'name' = g.name)
$$;

-- ---- playbooks ----

-- Who has to file in a case: its organisation, else who reported.
CREATE FUNCTION case_who(of_case bigint) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT left(coalesce(o.name, (SELECT nullif(p.name, '') FROM party p WHERE p.case_id = c.id AND p.role IN ('affected', 'reporter')
		ORDER BY p.role DESC, p.id LIMIT 1), 'whoever is affected'), 75)
	FROM cases c LEFT JOIN organisation o ON o.id = c.organisation WHERE c.id = of_case
$$;

-- A filing that a playbook wants. Nobody has said since when they know: since the case opened, until `cirt filing set` says otherwise.
-- receipt by-hand: where a person opened the case, that call was the stage.
CREATE FUNCTION playbook_filing(of_case bigint, f jsonb) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	r regime;
	fresh bigint;
BEGIN
	SELECT * INTO c FROM cases WHERE id = of_case;
	SELECT * INTO STRICT r FROM regime WHERE lower(name) = lower(f ->> 'regime') AND current;
	SELECT g.id INTO fresh FROM filing g JOIN regime v ON v.id = g.regime WHERE g.case_id = of_case AND lower(v.name) = lower(r.name);
	IF fresh IS NULL THEN
		fresh := filing_open(of_case, r.id, c.organisation, case_who(of_case), c.opened, true);
		IF f ->> 'receipt' = 'by-hand' AND EXISTS (SELECT FROM operator o WHERE o.name = c.opened_by) THEN
			PERFORM filing_receive(fresh, f ->> 'stage', c.opened, 'with what opened the case');
		END IF;
	END IF;
	RETURN 'F' || fresh;
END $$;

-- Tasks, clocks and filings of a playbook, once. False: it was applied before.
CREATE FUNCTION playbook_apply(of_case bigint, which int) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	b playbook;
	t jsonb;
	house int := calendar_now();
	end_at timestamptz;
	done playbook_applied;
BEGIN
	SELECT * INTO b FROM playbook WHERE id = which;
	INSERT INTO playbook_applied (case_id, name, playbook) VALUES (of_case, b.name, b.id) ON CONFLICT DO NOTHING RETURNING * INTO done;
	IF done.name IS NULL THEN
		RETURN false;
	END IF;
	FOR t IN SELECT jsonb_array_elements(b.body -> 'tasks') LOOP
		INSERT INTO task (case_id, title, assignee, due, origin) SELECT of_case, t ->> 'text', CASE t ->> 'assignee'
				WHEN 'owner' THEN (SELECT assignee FROM cases WHERE id = of_case) ELSE (SELECT id FROM operator WHERE name = t ->> 'assignee' AND enabled) END,
			CASE WHEN t ? 'due' THEN span_end(now(), t ->> 'due', 'exact', house) END, b.name;
		done.tasks := done.tasks + 1;
	END LOOP;
	FOR t IN SELECT jsonb_array_elements(b.body -> 'clocks') LOOP
		end_at := span_end(now(), t ->> 'within', 'exact', house);
		INSERT INTO clock (case_id, kind, whose, what, playbook, business, ends_by, calendar, due, warn_at)
			VALUES (of_case, 'service', coalesce(t ->> 'whose', 'ours'), t ->> 'what', b.name, (span_read(t ->> 'within')).business,
				coalesce(t ->> 'ends', ''), house, end_at, warn_time(end_at, coalesce(t ->> 'warn', ''), house));
		done.clocks := done.clocks + 1;
	END LOOP;
	FOR t IN SELECT jsonb_array_elements(b.body -> 'filings') LOOP
		BEGIN
			done.filings := done.filings || playbook_filing(of_case, t);
		EXCEPTION WHEN no_data_found THEN
			done.left_out := done.left_out || format('there is no regime %s', t ->> 'regime');
		END;
	END LOOP;
	UPDATE playbook_applied SET tasks = done.tasks, clocks = done.clocks, filings = done.filings, left_out = done.left_out
		WHERE case_id = of_case AND name = b.name;
	RETURN true;
END $$;

-- Those that are for a case: all whose conditions hold, but for what a narrower one of them stands for.
CREATE FUNCTION case_playbooks(of_case bigint) RETURNS SETOF playbook LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH fits AS MATERIALIZED (SELECT b FROM playbook b WHERE b.current AND b.conditions <> '{}' AND conditions_hold(b.conditions, of_case))
	SELECT (f.b).* FROM fits f WHERE NOT EXISTS (SELECT FROM fits n WHERE conditions_cover((f.b).conditions, (n.b).conditions)) ORDER BY (f.b).name
$$;

-- What has been applied, as whoever opens a case shows it; and laws under which somebody has to file, and has not begun to.
CREATE FUNCTION case_begun(of_case bigint) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('playbooks', (SELECT coalesce(json_agg(json_build_object('playbook', a.name, 'tasks', a.tasks, 'clocks', a.clocks,
			'filings', a.filings, 'left_out', a.left_out) ORDER BY a.name), '[]') FROM playbook_applied a WHERE a.case_id = of_case),
		'clocks', case_clocks(of_case),
		'must_file', (SELECT coalesce(json_agg(r.name ORDER BY r.name), '[]') FROM regime r WHERE r.current AND r.conditions <> '{}'
			AND conditions_hold(r.conditions, of_case) AND NOT EXISTS (SELECT FROM filing f JOIN regime v ON v.id = f.regime
				WHERE f.case_id = of_case AND lower(v.name) = lower(r.name))))
$$;

-- A playbook that fails must not take the case with it: a person is told.
CREATE OR REPLACE FUNCTION case_opened(of_case bigint) RETURNS json LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	b playbook;
BEGIN
	SELECT * INTO c FROM cases WHERE id = of_case;
	IF c.state IN ('closed', 'rejected', 'merged') THEN
		RETURN case_begun(of_case);
	END IF;
	FOR b IN SELECT * FROM case_playbooks(of_case) p WHERE NOT EXISTS (SELECT FROM playbook_applied a WHERE a.case_id = of_case AND a.name = p.name) LOOP
		BEGIN
			PERFORM playbook_apply(of_case, b.id);
		EXCEPTION WHEN OTHERS THEN
			PERFORM alarm_raise('playbook-failed', b.name || ' ' || c.number, NULL, SQLERRM);
		END;
	END LOOP;
	RETURN case_begun(of_case);
END $$;

-- What a case is may be found out later: whom a playbook is for then, it is for then.
CREATE FUNCTION case_tagged() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM case_opened(NEW.case_id);
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER case_tagged AFTER INSERT ON case_tag DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION case_tagged();
CREATE CONSTRAINT TRIGGER case_classified AFTER UPDATE OF type, identifier, organisation, severity ON cases DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW WHEN ((NEW.type, NEW.identifier, NEW.organisation, NEW.severity) IS DISTINCT FROM
		(OLD.type, OLD.identifier, OLD.organisation, OLD.severity)) EXECUTE FUNCTION case_opened_at_end();

-- ---- desk ----

CREATE FUNCTION desk_playbook_list(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('items', coalesce(json_agg(row ORDER BY name), '[]')) FROM (
		SELECT coalesce(b.name, s.name) AS name, json_build_object('playbook', coalesce(b.name, s.name), 'version', b.version, 'title', b.title,
			'tasks', jsonb_array_length(b.body -> 'tasks'), 'clocks', jsonb_array_length(b.body -> 'clocks'),
			'filings', (SELECT string_agg(f ->> 'regime', ', ') FROM jsonb_array_elements(b.body -> 'filings') f),
			'applied', (SELECT count(*) FROM (SELECT FROM playbook_applied a JOIN playbook q ON q.id = a.playbook WHERE q.name = b.name
				LIMIT 10000) n), 'problem', nullif(s.problem, '')) AS row
		FROM (SELECT * FROM playbook WHERE current) b FULL JOIN (SELECT * FROM sheet WHERE kind = 'playbook') s ON s.name = b.name) rows
$$;

CREATE FUNCTION playbook_meant(named text) RETURNS playbook LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	b playbook;
BEGIN
	SELECT * INTO b FROM playbook WHERE name = named AND current;
	IF b.id IS NULL THEN
		RAISE EXCEPTION 'there is no playbook "%"; there is: %', left(named, 60),
			coalesce((SELECT string_agg(name, ', ' ORDER BY name) FROM playbook WHERE current), 'none (clocks.playbooks in cirtd.conf)')
			USING ERRCODE = 'no_data_found';
	END IF;
	RETURN b;
END $$;

-- {name}
CREATE FUNCTION desk_playbook_show(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('playbook', b.name, 'version', b.version, 'title', b.title, 'conditions', b.conditions, 'loaded', stamp(b.loaded),
		'tasks', b.body -> 'tasks', 'clocks', b.body -> 'clocks', 'filings', b.body -> 'filings',
		'problem', (SELECT nullif(s.problem, '') FROM sheet s WHERE s.kind = 'playbook' AND s.name = b.name))
	FROM playbook_meant(p ->> 'name') b
$$;

-- {case, name}: whatever it is for.
CREATE FUNCTION desk_playbook_apply(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	of_case bigint := case_seen(p ->> 'case', p);
	b playbook := playbook_meant(p ->> 'name');
	fresh boolean;
BEGIN
	IF EXISTS (SELECT FROM cases WHERE id = of_case AND state IN ('closed', 'rejected', 'merged')) THEN
		RAISE EXCEPTION 'nothing begins in a case that has ended' USING ERRCODE = 'check_violation';
	END IF;
	PERFORM 1 FROM cases WHERE id = of_case FOR UPDATE;
	fresh := playbook_apply(of_case, b.id);
	RETURN (SELECT json_build_object('case', c.number, 'playbook', a.name, 'applied', fresh, 'at', stamp(a.at), 'actor', a.actor, 'tasks', a.tasks,
			'clocks', a.clocks, 'filings', a.filings, 'left_out', a.left_out)
		FROM playbook_applied a JOIN cases c ON c.id = a.case_id WHERE a.case_id = of_case AND a.name = b.name);
END $$;

GRANT SELECT ON playbook, playbook_applied TO cirt_desk, cirt_keeper;
GRANT EXECUTE ON FUNCTION keeper_house TO cirt_keeper;
GRANT EXECUTE ON FUNCTION case_begun, playbook_apply, playbook_meant, desk_playbook_list, desk_playbook_show, desk_playbook_apply,
	conditions_cover TO cirt_desk;
