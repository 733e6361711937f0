-- The journal only grows. One chain per object: head and row are written under the head's lock, so that a chain cannot fork.
SET LOCAL search_path = cirt, pg_temp;

CREATE TABLE journal_head (
	object text PRIMARY KEY,         -- 'case/2026-000412', 'operator/op4', 'source/phish', 'report/2026110000000017'
	n bigint NOT NULL,
	hash bytea NOT NULL
);

CREATE TABLE journal (
	object text NOT NULL,
	n bigint NOT NULL,               -- 1, 2, 3 … without gaps
	at bigint NOT NULL,              -- microseconds since 1970, UTC
	actor text NOT NULL,             -- the operator or room that acted; the database role where nobody said
	role text NOT NULL,              -- the database role of the session
	action text NOT NULL,            -- 'insert', 'update', 'note', 'reports added' …
	before text,                     -- JSON: old values of what changed
	after text,                      -- JSON: the row as it is now
	bytes bytea NOT NULL,            -- what is hashed: the columns above, see journal_bytes()
	hash bytea NOT NULL,             -- SHA-256 of the hash before it and bytes
	id bigint GENERATED ALWAYS AS IDENTITY, -- for streams; read only what is older than every running transaction
	PRIMARY KEY (object, n)
);
CREATE UNIQUE INDEX journal_id ON journal (id);

-- A netstring: no two different rows give the same bytes.
CREATE FUNCTION journal_field(field text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN field IS NULL THEN '-,' ELSE octet_length(field) || ':' || field || ',' END
$$;

CREATE FUNCTION journal_bytes(object text, n bigint, at bigint, actor text, role text, action text, before text, after text)
RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = cirt, pg_temp AS $$
	SELECT convert_to('1' || journal_field(object) || journal_field(n::text) || journal_field(at::text) || journal_field(actor)
		|| journal_field(role) || journal_field(action) || journal_field(before) || journal_field(after), 'UTF8')
$$;

CREATE FUNCTION actor() RETURNS text LANGUAGE sql STABLE AS $$
	SELECT coalesce(nullif(current_setting('cirt.actor', true), ''), session_user)
$$;

-- The only way in. Serialises writers of one object until their commit; others do not wait.
CREATE FUNCTION journal_add(object text, action text, before text, after text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	head journal_head;
	at bigint;
	bytes bytea;
BEGIN
	INSERT INTO journal_head VALUES (object, 0, '') ON CONFLICT DO NOTHING;
	SELECT * INTO head FROM journal_head h WHERE h.object = journal_add.object FOR UPDATE;
	at := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
	bytes := journal_bytes(object, head.n + 1, at, actor(), session_user, action, before, after);
	head.hash := sha256(head.hash || bytes);
	UPDATE journal_head h SET n = h.n + 1, hash = head.hash WHERE h.object = journal_add.object;
	INSERT INTO journal (object, n, at, actor, role, action, before, after, bytes, hash)
	VALUES (object, head.n + 1, at, actor(), session_user, action, before, after, bytes, head.hash);
	RETURN head.n + 1;
END $$;

CREATE TRIGGER journal_grows BEFORE UPDATE OR DELETE ON journal FOR EACH ROW
	EXECUTE FUNCTION refuse('the journal only grows');
CREATE TRIGGER journal_stays BEFORE TRUNCATE ON journal EXECUTE FUNCTION refuse('the journal only grows');
CREATE TRIGGER head_stays BEFORE DELETE ON journal_head FOR EACH ROW EXECUTE FUNCTION refuse('the journal only grows');
CREATE TRIGGER head_stays_whole BEFORE TRUNCATE ON journal_head EXECUTE FUNCTION refuse('the journal only grows');

-- A row as the journal shows it. Columns named in `secret` are only said to be set.
CREATE FUNCTION journal_row_text(fields jsonb, secret text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT fields || coalesce((SELECT jsonb_object_agg(name, CASE WHEN fields ->> name <> '' THEN 'set' ELSE '' END)
		FROM unnest(secret) AS name WHERE fields ? name), '{}')
$$;

-- Trigger for a table whose rows are objects of their own: arguments kind, key column, then secret columns.
CREATE FUNCTION journal_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
DECLARE
	was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN journal_row_text(to_jsonb(OLD), TG_ARGV[2:]) END;
	is_now jsonb := CASE WHEN TG_OP <> 'DELETE' THEN journal_row_text(to_jsonb(NEW), TG_ARGV[2:]) END;
	changed jsonb := was;
BEGIN
	IF TG_OP = 'UPDATE' THEN
		SELECT jsonb_object_agg(key, value) INTO changed FROM jsonb_each(was) WHERE is_now -> key IS DISTINCT FROM value;
		IF changed IS NULL AND to_jsonb(OLD) = to_jsonb(NEW) THEN
			RETURN NULL;
		END IF;
	END IF;
	PERFORM journal_add(TG_ARGV[0] || '/' || (coalesce(is_now, was) ->> TG_ARGV[1]), lower(TG_OP), changed::text, is_now::text);
	RETURN NULL;
END $$;

-- Recompute every chain. No row: all of it is consistent. Up to which anchor it is proven is for the anchors to say.
CREATE FUNCTION audit_journal() RETURNS TABLE (object text, n bigint, problem text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	row_ journal;
	last_object text;
	last_n bigint;
	last_hash bytea;
BEGIN
	FOR row_ IN SELECT * FROM journal j ORDER BY j.object COLLATE "C", j.n LOOP
		IF last_object IS DISTINCT FROM row_.object THEN
			last_object := row_.object;
			last_n := 0;
			last_hash := '';
		END IF;
		object := row_.object;
		n := row_.n;
		IF row_.n <> last_n + 1 THEN
			problem := format('row %s follows row %s', row_.n, last_n);
			RETURN NEXT;
		ELSIF row_.bytes <> journal_bytes(row_.object, row_.n, row_.at, row_.actor, row_.role, row_.action, row_.before,
			row_.after) THEN
			problem := 'the columns are not what was hashed';
			RETURN NEXT;
		ELSIF row_.hash <> sha256(last_hash || row_.bytes) THEN
			problem := 'the hash does not follow from the row before it';
			RETURN NEXT;
		END IF;
		last_n := row_.n;
		last_hash := row_.hash;
	END LOOP;
	RETURN QUERY SELECT h.object, h.n, 'the head is not the last row of its chain' FROM journal_head h
		LEFT JOIN journal j ON j.object = h.object AND j.n = h.n
		WHERE j.hash IS DISTINCT FROM h.hash
			OR EXISTS (SELECT 1 FROM journal k WHERE k.object = h.object AND k.n > h.n);
	RETURN QUERY SELECT DISTINCT j.object, 0::bigint, 'a chain without a head' FROM journal j
		WHERE NOT EXISTS (SELECT 1 FROM journal_head h WHERE h.object = j.object);
END $$;

-- Compare the rows of a table with what the journal last said of them: finds what was changed with triggers off.
CREATE FUNCTION audit_rows(rows_of regclass, kind text, key text, VARIADIC secret text[] DEFAULT '{}')
RETURNS TABLE (object text, n bigint, problem text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
#variable_conflict use_column
BEGIN
	IF rows_of <> ALL (ARRAY['cirt.cases', 'cirt.operator', 'cirt.source']::regclass[]) THEN
		RAISE EXCEPTION '% is not journalled row by row', rows_of USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY EXECUTE format($q$
		WITH now AS (SELECT $1 || '/' || (to_jsonb(t) ->> $2) AS object, journal_row_text(to_jsonb(t), $3) AS fields FROM %s t),
		last AS (SELECT DISTINCT ON (j.object) j.object, j.n, j.action, j.after FROM journal j
			WHERE j.object >= $1 || '/' AND j.object < $1 || '0' AND j.action IN ('insert', 'update', 'delete')
			ORDER BY j.object, j.n DESC)
		SELECT coalesce(now.object, last.object), coalesce(last.n, 0),
			CASE WHEN last.object IS NULL THEN 'the row is not in the journal'
				WHEN now.object IS NULL THEN 'the row is gone and the journal does not know'
				ELSE 'the row is not what the journal says' END
		FROM now FULL JOIN last ON last.object = now.object
		WHERE (last.action IS DISTINCT FROM 'delete' OR now.object IS NOT NULL)
			AND now.fields IS DISTINCT FROM last.after::jsonb $q$, rows_of) USING kind, key, secret;
END $$;
