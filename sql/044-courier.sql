-- How the courier takes mails, and what it may say of them. It has no right to contacts, organisations, reports or cases: what of
-- them stands in a mail it is told by these functions, of mails that it holds.
SET LOCAL search_path = cirt, pg_temp;

-- The next mail that is due, held for so long: no other courier takes it before. NULL: none.
CREATE FUNCTION courier_take(me uuid, lease interval) RETURNS bigint LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	UPDATE outbox SET holder = me, held_until = now() + lease
	WHERE id = (SELECT id FROM outbox WHERE state = 'queued' AND next_try <= now() AND (held_until IS NULL OR held_until <= now())
		ORDER BY next_try, id LIMIT 1 FOR UPDATE SKIP LOCKED)
	RETURNING id
$$;

-- A courier that has just started holds nothing: what it held when it ended may be taken.
CREATE FUNCTION courier_free(me uuid) RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	UPDATE outbox SET holder = NULL, held_until = NULL WHERE holder = me AND state = 'queued'
$$;

-- All that a mail says besides its rows, and how it is to be sealed.
CREATE FUNCTION courier_mail(which bigint, me uuid) RETURNS TABLE (number text, kind outbox_kind, language text, format notice_format,
	template text, sanitised boolean, tlp tlp, address text, message_id text, in_reply_to text, fields jsonb, organisation text, contact text,
	policy key_policy, pgp text, smime text, exercise text, case_number text, made boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT o.number, o.kind, o.language, o.format, o.template, o.form = 'sanitised', o.tlp, o.address, o.message_id, o.in_reply_to,
		o.fields, coalesce(g.name, ''), coalesce(c.name, ''), coalesce(c.policy, 'never'), coalesce(c.pgp, ''), coalesce(c.smime, ''),
		coalesce(e.name, ''), coalesce(s.number, ''), o.bytes IS NOT NULL
	FROM outbox o LEFT JOIN organisation g ON g.id = o.organisation LEFT JOIN contact c ON c.id = o.contact
		LEFT JOIN exercise e ON e.id = o.exercise AND e.id <> 0 LEFT JOIN cases s ON s.id = o.case_id
	WHERE o.id = which AND o.holder = me AND o.state = 'queued'
$$;

-- Say of each row whether it may still leave, as long as the mail is not made. What remains, and where the mail is made: how many
-- of what stands in it may not leave any more.
CREATE FUNCTION courier_check(which bigint, me uuid) RETURNS TABLE (told bigint, refused bigint) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	made boolean;
BEGIN
	SELECT bytes IS NOT NULL INTO made FROM outbox WHERE id = which AND holder = me AND state = 'queued' FOR UPDATE;
	IF NOT made THEN
		UPDATE disclosure d SET left_out = x.why
		FROM (SELECT i.id, CASE WHEN NOT disclosure_lets(i.report, i.outbox, i.form)
				THEN 'since it was put there: ' || gate_report(i.report, i.recipient, o.address) END AS why
			FROM disclosure i JOIN outbox o ON o.id = i.outbox WHERE i.outbox = which AND i.told IS NULL) x
		WHERE d.id = x.id AND d.left_out IS DISTINCT FROM x.why;
	END IF;
	RETURN QUERY SELECT count(*) FILTER (WHERE d.left_out IS NULL),
			count(*) FILTER (WHERE d.left_out IS NULL AND NOT disclosure_lets(d.report, d.outbox, d.form))
		FROM disclosure d WHERE d.outbox = which;
END $$;

-- It waits for a person. Where nobody can read it, they are told that it waits, in the clear and without what it says; and
-- somebody has to call.
CREATE FUNCTION courier_hold(which bigint, me uuid, reason text, no_key boolean, domain text) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	who text;
BEGIN
	UPDATE outbox SET state = 'held', why = left(reason, 1000), waits_for = CASE WHEN no_key THEN 'key' ELSE '' END, holder = NULL, held_until = NULL
		WHERE id = which AND holder = me AND state = 'queued' RETURNING * INTO o;
	IF o.id IS NULL THEN
		RETURN false;
	END IF;
	SELECT concat_ws(', ', nullif(c.name, ''), g.name, coalesce(nullif(c.phone, ''), 'no telephone number known')) INTO who
		FROM outbox x LEFT JOIN contact c ON c.id = x.contact LEFT JOIN organisation g ON g.id = x.organisation WHERE x.id = which;
	IF no_key THEN
		INSERT INTO outbox (kind, state, exercise, organisation, contact, recipient, address, language, fields, message_id)
			SELECT 'key-waits', 'queued', o.exercise, o.organisation, o.contact, o.recipient, o.address, o.language,
				jsonb_build_object('waits', o.number, 'reason', reason), '<' || gen_random_uuid() || '@' || domain || '>'
			WHERE NOT EXISTS (SELECT 1 FROM outbox w WHERE w.kind = 'key-waits' AND w.fields ->> 'waits' = o.number);
		PERFORM alarm_raise('notice-phone', o.number, NULL, 'call ' || who || ': ' || o.number || ' to ' || o.address || ' waits: ' || reason);
	ELSE
		PERFORM alarm_raise('notice-held', o.number, NULL, o.number || ' to ' || o.address || ' waits: ' || reason);
	END IF;
	PERFORM journal_add('outbox/' || o.number, 'held', NULL, jsonb_build_object('why', reason)::text);
	RETURN true;
END $$;

-- Who else of the organisation has a key, in the order in which they are asked.
CREATE FUNCTION courier_others(which bigint, me uuid) RETURNS TABLE (contact int, address text, name text, pgp text, smime text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
	SELECT c.id, c.email, c.name, c.pgp, c.smime
	FROM outbox o JOIN contact c ON c.organisation = o.organisation LEFT JOIN contact own ON own.id = o.contact
	WHERE o.id = which AND o.holder = me AND o.state = 'queued' AND o.bytes IS NULL AND c.id IS DISTINCT FROM o.contact
		AND c.valid @> now() AND c.bounced IS NULL AND c.email <> '' AND (c.pgp <> '' OR c.smime <> '') AND c.policy <> 'never'
		AND c.role IN ('security', 'abuse', 'technical', 'duty', 'management')
		AND (o.exercise = 0 OR in_directory(o.exercise, c.email))
	ORDER BY c.role = own.role DESC NULLS LAST, c.priority, c.id LIMIT 8
$$;
CREATE FUNCTION courier_readdress(which bigint, me uuid, to_contact int, reason text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	was text := (SELECT address FROM outbox WHERE id = which);
BEGIN
	UPDATE outbox x SET contact = c.contact, address = c.address, why = left('to ' || c.address || ' and not ' || was || ': ' || reason, 1000)
		FROM courier_others(which, me) c WHERE x.id = which AND c.contact = to_contact RETURNING x.* INTO o;
	IF o.id IS NULL THEN
		RETURN false;
	END IF;
	PERFORM journal_add('outbox/' || o.number, 'readdressed', jsonb_build_object('address', was)::text,
		jsonb_build_object('address', o.address, 'why', reason)::text);
	RETURN true;
END $$;

-- A connection is about to be made for it. lost: somebody else's now. held: something in it may not leave any more. again: nobody
-- knows what became of the last attempt.
CREATE FUNCTION courier_begin(which bigint, me uuid, lease interval) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	was text;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = which AND holder = me AND state = 'queued' AND bytes IS NOT NULL FOR UPDATE;
	IF o.id IS NULL THEN
		RETURN 'lost';
	END IF;
	IF (SELECT refused FROM courier_check(which, me)) > 0 THEN
		PERFORM courier_hold(which, me, 'something in it may not leave any more' || CASE WHEN o.reply LIKE 'being sent%'
			THEN '; it may have been taken before' ELSE '' END, false, '');
		RETURN 'held';
	END IF;
	was := o.reply;
	UPDATE outbox SET attempts = attempts + 1, held_until = now() + lease,
		reply = 'being sent since ' || to_char(timezone('UTC', now()), 'YYYY-MM-DD HH24:MI:SS') || ' UTC' WHERE id = which;
	RETURN CASE WHEN was LIKE 'being sent%' OR was LIKE 'unknown%' THEN 'again' ELSE 'go' END;
END $$;

-- The server has taken it, whoever holds it by now.
CREATE FUNCTION courier_sent(which bigint, me uuid, said text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	n bigint;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = which AND state IN ('queued', 'held', 'failed', 'cancelled') AND bytes IS NOT NULL AND attempts > 0
		FOR UPDATE;
	IF o.id IS NULL THEN
		RETURN false;
	END IF;
	UPDATE disclosure SET told = now() WHERE outbox = which AND left_out IS NULL AND told IS NULL;
	GET DIAGNOSTICS n = ROW_COUNT;
	UPDATE outbox SET state = 'sent', sent = now(), reply = left(said, 1000), holder = NULL, held_until = NULL WHERE id = which;
	PERFORM journal_add('outbox/' || o.number, 'sent', NULL, jsonb_build_object('address', o.address, 'message_id', o.message_id, 'told', n,
		'tlp', o.tlp, 'form', o.form, 'sealed', o.sealed, 'courier', me, 'bytes', encode(sha256(o.bytes), 'hex'), 'reply', left(said, 1000))::text);
	RETURN true;
END $$;

-- The server will never take it. theirs: it is the address that is wrong.
CREATE FUNCTION courier_fail(which bigint, me uuid, reason text, said text, theirs boolean) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
BEGIN
	UPDATE outbox SET state = 'failed', why = left(reason, 1000), reply = left(said, 1000), holder = NULL, held_until = NULL
		WHERE id = which AND holder = me AND state = 'queued' RETURNING * INTO o;
	IF o.id IS NULL THEN
		RETURN false;
	END IF;
	IF theirs THEN
		UPDATE contact SET bounced = now() WHERE id = o.contact AND lower(email) = lower(o.address) AND bounced IS NULL;
	END IF;
	PERFORM alarm_raise('notice-failed', o.number, NULL, o.number || ' to ' || o.address || ': ' || reason);
	PERFORM journal_add('outbox/' || o.number, 'failed', NULL, jsonb_build_object('why', reason, 'reply', left(said, 1000))::text);
	RETURN true;
END $$;

-- Not now: it waits so long, and twice as long after each attempt, up to an hour. It has failed for good where it was made longer ago
-- than `patience` (NULL: never).
CREATE FUNCTION courier_put_off(which bigint, me uuid, wait interval, patience interval, reason text, said text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = which AND holder = me AND state = 'queued' FOR UPDATE;
	IF o.id IS NULL THEN
		RETURN 'lost';
	ELSIF o.rendered < now() - patience THEN
		PERFORM courier_fail(which, me, 'given up after ' || o.attempts || ' attempts: ' || reason, said, false);
		RETURN 'failed';
	END IF;
	UPDATE outbox SET next_try = now() + (0.75 + random() / 2) * least(wait * (2 ^ least(greatest(o.attempts - 1, 0), 20)),
			greatest(wait, '1h')),
		why = left(reason, 1000), reply = CASE WHEN said = '' THEN reply ELSE left(said, 1000) END, holder = NULL, held_until = NULL
		WHERE id = which;
	RETURN 'queued';
END $$;

-- What the room keys says of a key. Of a secret one of ours 90, 30 and 7 days before its end are said once each, and it is over once the
-- key has been renewed; of others the contacts whose they are know it.
CREATE FUNCTION courier_key(key text, who text, expires timestamptz, ours boolean) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp SET "TimeZone" = 'UTC' AS $$
#variable_conflict use_variable
DECLARE
	days int := (SELECT min(d) FROM unnest('{7,30,90}'::int[]) AS d WHERE expires <= now() + make_interval(days => d));
	about text := key || ' ' || coalesce(to_char(expires, 'YYYY-MM-DD'), 'never');
BEGIN
	IF NOT ours THEN
		UPDATE contact c SET pgp_expires = expires WHERE c.pgp = key AND c.pgp_expires IS DISTINCT FROM expires;
		UPDATE contact c SET smime_expires = expires WHERE c.smime = key AND c.smime_expires IS DISTINCT FROM expires;
		RETURN;
	END IF;
	UPDATE alarm a SET ended = now() WHERE a.kind = 'key-expires' AND a.ended IS NULL AND starts_with(a.subject, key || ' ')
		AND a.subject IS DISTINCT FROM about || ' ' || days;
	IF days IS NOT NULL AND NOT EXISTS (SELECT 1 FROM alarm a WHERE a.kind = 'key-expires' AND a.subject = about || ' ' || days) THEN
		PERFORM alarm_raise('key-expires', about || ' ' || days, NULL, 'our key ' || key || ' (' || who || ') '
			|| CASE WHEN expires <= now() THEN 'has expired on ' ELSE 'expires on ' END || to_char(expires, 'YYYY-MM-DD'));
	END IF;
END $$;

REVOKE ALL ON FUNCTION courier_take, courier_free, courier_mail, courier_check, courier_hold, courier_others, courier_readdress, courier_begin,
	courier_sent, courier_fail, courier_put_off, courier_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION courier_take, courier_free, courier_mail, courier_check, courier_hold, courier_others, courier_readdress, courier_begin,
	courier_sent, courier_fail, courier_put_off, courier_key, alarm_raise, alarm_over TO cirt_courier;

-- All that becomes of a mail goes through them.
REVOKE UPDATE ON outbox, disclosure FROM cirt_courier;
REVOKE UPDATE (state, why, sealed, bytes, rendered, holder, held_until, attempts, next_try, reply, sent) ON outbox FROM cirt_courier;
REVOKE UPDATE (told, left_out) ON disclosure FROM cirt_courier;
GRANT UPDATE (holder, held_until, sealed, bytes, rendered) ON outbox TO cirt_courier;

