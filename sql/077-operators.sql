-- Who may do what: operators. Each function takes what was asked as JSON and answers in JSON.
SET LOCAL search_path = cirt, pg_temp;

-- Operators come by these functions only.
REVOKE UPDATE ON operator FROM cirt_desk;

CREATE FUNCTION operator_json(o operator) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('operator', o.name, 'role', o.role, 'uid', o.uid, 'certificate', o.certificate, 'enabled', o.enabled,
		'configured', o.configured, 'added', stamp(o.added),
		'cases', (SELECT count(*) FROM cases c WHERE c.assignee = o.id AND c.state NOT IN ('closed', 'rejected', 'merged')),
		'tasks', (SELECT count(*) FROM task t WHERE t.assignee = o.id AND t.state = 'open'))
$$;

-- Who is admin by the configuration, as the journal and cases know him: his name. Such a row lets nobody in by itself.
CREATE FUNCTION operator_configured(user_name text, user_id bigint) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	known text := (SELECT name FROM operator WHERE uid = user_id);
BEGIN
	IF known IS NULL THEN
		INSERT INTO operator (name, role, uid, configured) VALUES (user_name, 'admin', user_id, true) ON CONFLICT DO NOTHING;
		known := user_name;
	END IF;
	RETURN known;
END $$;

CREATE FUNCTION operator_wrong(what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '%', what USING ERRCODE = 'invalid_parameter_value';
END $$;

CREATE FUNCTION operator_named(named text) RETURNS operator LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	o operator;
BEGIN
	SELECT * INTO o FROM operator WHERE name = named;
	IF o.id IS NULL THEN
		RAISE EXCEPTION 'there is no operator "%": cirt operator list', left(named, 64) USING ERRCODE = 'no_data_found';
	END IF;
	RETURN o;
END $$;

-- What was said of an operator, checked; what was not said stays. '' takes uid and certificate away.
CREATE FUNCTION operator_read(o operator, p jsonb) RETURNS operator LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	key text := lower(replace(p ->> 'certificate', ':', ''));
	whose text;
BEGIN
	IF p ? 'as' THEN
		IF p ->> 'as' NOT IN ('viewer', 'trainee', 'analyst', 'lead', 'admin') THEN
			PERFORM operator_wrong('role: expected viewer, trainee, analyst, lead or admin');
		END IF;
		o.role := p ->> 'as';
	END IF;
	IF p ? 'as_uid' THEN
		IF p ->> 'as_uid' !~ '^[0-9]{0,10}$' OR nullif(p ->> 'as_uid', '')::bigint > 4294967294 THEN
			PERFORM operator_wrong('uid: expected the number of a Unix user, or "" for none');
		END IF;
		o.uid := nullif(p ->> 'as_uid', '')::bigint;
	END IF;
	IF key IS NOT NULL THEN
		IF key !~ '^([0-9a-f]{64})?$' THEN
			PERFORM operator_wrong('certificate: expected the SHA-256 of its public key, 64 hexadecimal digits, or "" for none');
		END IF;
		o.certificate := nullif(key, '');
	END IF;
	SELECT format('%s is already known by %s', t.name, CASE WHEN t.uid = o.uid THEN 'the Unix user ' || o.uid ELSE 'that certificate' END) INTO whose
		FROM operator t WHERE t.id IS DISTINCT FROM o.id AND (t.uid = o.uid OR t.certificate = o.certificate) LIMIT 1;
	IF whose IS NOT NULL THEN
		RAISE EXCEPTION '%', whose USING ERRCODE = 'check_violation';
	END IF;
	RETURN o;
END $$;

-- What nobody may do to an operator, whoever asks: raise oneself, change who is admin by the configuration, take the last admin away.
CREATE FUNCTION operator_guard(was operator, will operator) RETURNS void LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF was.configured THEN
		RAISE EXCEPTION '% is admin by the configuration (desk.admin), and nothing else', was.name USING ERRCODE = 'check_violation';
	ELSIF was.name = actor() AND will.role > was.role THEN
		RAISE EXCEPTION 'nobody raises his own role: another admin has to' USING ERRCODE = 'insufficient_privilege';
	ELSIF was.role = 'admin' AND was.enabled AND (will.role <> 'admin' OR NOT will.enabled)
		AND NOT EXISTS (SELECT FROM operator o WHERE o.role = 'admin' AND o.enabled AND NOT o.configured AND o.id <> was.id) THEN
		RAISE EXCEPTION '% is the last admin: make another first (cirt operator set NAME --role admin)', was.name USING ERRCODE = 'check_violation';
	END IF;
END $$;

-- One at a time, so that two do not take each other's last admin away.
CREATE FUNCTION operator_lock() RETURNS void LANGUAGE sql AS $$
	SELECT pg_advisory_xact_lock(hashtext('cirt.operator'))
$$;

CREATE FUNCTION operator_write(o operator, why text) RETURNS operator LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	was operator := operator_named(o.name);
BEGIN
	PERFORM operator_guard(was, o);
	UPDATE operator t SET role = o.role, uid = o.uid, certificate = o.certificate, enabled = o.enabled WHERE t.id = was.id RETURNING * INTO o;
	IF why <> '' THEN
		PERFORM journal_add('operator/' || o.name, 'reason', NULL, json_build_object('reason', why)::text);
	END IF;
	RETURN o;
END $$;

CREATE FUNCTION operator_create(o operator) RETURNS operator LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO operator (name, role, uid, certificate) VALUES (o.name, o.role, o.uid, o.certificate) RETURNING * INTO o;
	RETURN o;
END $$;

-- {all}
CREATE FUNCTION desk_operator_list(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT json_build_object('items', coalesce(json_agg(operator_json(o) ORDER BY o.enabled DESC, o.role DESC, o.name), '[]'), 'next', NULL)
	FROM operator o WHERE o.enabled OR p ? 'all'
$$;

CREATE FUNCTION desk_operator_show(p jsonb) RETURNS json LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT operator_json(operator_named(p ->> 'name'))::jsonb || jsonb_build_object('restricted_cases', (SELECT coalesce(jsonb_agg(c.number ORDER BY c.id), '[]')
			FROM case_member m JOIN operator o ON o.id = m.operator JOIN cases c ON c.id = m.case_id WHERE o.name = p ->> 'name' AND c.restricted
				AND (p ->> 'role' IN ('lead', 'admin') OR case_may_see(c.id, p ->> 'operator'))))
$$;

-- {name, as, as_uid, certificate}. `as` and `as_uid` are his; `role` and `uid` those of who asks.
CREATE FUNCTION desk_operator_new(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o operator;
BEGIN
	PERFORM operator_lock();
	IF p ->> 'name' !~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' THEN
		PERFORM operator_wrong('name: expected letters, digits, ".", "-" and "_", at most 63');
	ELSIF EXISTS (SELECT FROM operator t WHERE t.name = p ->> 'name') THEN
		RAISE EXCEPTION 'there is an operator "%" already; names are never used again', p ->> 'name' USING ERRCODE = 'check_violation';
	ELSIF NOT p ? 'as' THEN
		PERFORM operator_wrong('role: expected viewer, trainee, analyst, lead or admin');
	END IF;
	o.name := p ->> 'name';
	RETURN operator_json(operator_create(operator_read(o, p)));
END $$;

-- {name, as, as_uid, certificate, reason}
CREATE FUNCTION desk_operator_set(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM operator_lock();
	IF NOT p ?| ARRAY['as', 'as_uid', 'certificate'] THEN
		PERFORM operator_wrong('expected --role, --uid or --certificate');
	END IF;
	RETURN operator_json(operator_write(operator_read(operator_named(p ->> 'name'), p), coalesce(p ->> 'reason', '')));
END $$;

-- What he has stays his in the records; what he is at work on is counted, so that somebody takes it over.
CREATE FUNCTION desk_operator_disable(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o operator;
BEGIN
	PERFORM operator_lock();
	o := operator_named(p ->> 'name');
	IF NOT o.enabled THEN
		RAISE EXCEPTION '% is disabled already', o.name USING ERRCODE = 'check_violation';
	END IF;
	o.enabled := false;
	RETURN operator_json(operator_write(o, coalesce(p ->> 'reason', '')));
END $$;

CREATE FUNCTION desk_operator_enable(p jsonb) RETURNS json LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o operator;
BEGIN
	PERFORM operator_lock();
	o := operator_named(p ->> 'name');
	IF o.enabled THEN
		RAISE EXCEPTION '% is not disabled', o.name USING ERRCODE = 'check_violation';
	END IF;
	o.enabled := true;
	RETURN operator_json(operator_write(o, coalesce(p ->> 'reason', '')));
END $$;

REVOKE ALL ON FUNCTION operator_json, operator_configured, operator_wrong, operator_named, operator_read, operator_guard, operator_lock, operator_write,
	operator_create, desk_operator_list, desk_operator_show, desk_operator_new, desk_operator_set, desk_operator_disable, desk_operator_enable FROM PUBLIC;
GRANT EXECUTE ON FUNCTION operator_json, operator_configured, operator_wrong, operator_named, operator_read, operator_lock, operator_write,
	operator_create, desk_operator_list, desk_operator_show, desk_operator_new, desk_operator_set, desk_operator_disable, desk_operator_enable TO cirt_desk;
