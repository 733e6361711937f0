-- An address that is none is said to be; a mail that is out waits for nothing any more.
SET LOCAL search_path = cirt, pg_temp;

-- Whose it is, and was: {what, at}.
CREATE OR REPLACE FUNCTION org_who(f jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	what text := btrim(coalesce(f ->> 'what', ''));
	at timestamptz := coalesce(said_time('at', f ->> 'at'), now());
	address inet := address_of(what);
	of_asn bigint := CASE WHEN what ~* '^(as)?[0-9]{1,10}$' THEN said_asn(what) END;
	of_name text := lower(regexp_replace(what, '\.$', ''));
	h held;
	abroad record;
	past jsonb;
BEGIN
	IF what = '' OR octet_length(what) > 300 THEN
		PERFORM wrong('what: expected an address, prefix, name, AS number or brand');
	ELSIF what ~ '/' AND address IS NULL THEN
		PERFORM said_prefix(what);
	ELSIF address IS NULL AND of_asn IS NULL AND what ~ '^([0-9.]*[0-9]|[^[:space:]]*:[^[:space:]]*:[^[:space:]]*)$' THEN
		PERFORM wrong(format('"%s" is no address: expected one such as 192.0.2.7 or 2001:db8::7', left(what, 60)));
	ELSIF address IS NOT NULL THEN
		SELECT * INTO h FROM address_at(address, at);
	ELSIF of_asn IS NOT NULL THEN
		SELECT * INTO h FROM asn_at(of_asn, at);
	ELSE
		SELECT * INTO h FROM name_at(of_name, at);
		IF h.organisation IS NULL THEN
			SELECT * INTO h FROM brand_at(ARRAY[what], at);
		END IF;
	END IF;
	SELECT jsonb_agg(jsonb_build_object('organisation', o.name, 'kind', e.kind, 'entry', e.entry, 'from', stamp(lower(e.valid * o.valid)),
			'until', stamp(upper(e.valid * o.valid))) ORDER BY upper(e.valid * o.valid) DESC NULLS FIRST, o.id) INTO past
		FROM (SELECT p.organisation, 'prefix' AS kind, p.prefix::text AS entry, p.valid FROM organisation_prefix p WHERE address IS NOT NULL
				AND p.prefix >>= address
			UNION ALL SELECT a.organisation, 'asn', 'AS' || a.asn, a.valid FROM organisation_asn a WHERE a.asn = of_asn
			UNION ALL SELECT d.organisation, 'domain', d.domain, d.valid FROM organisation_domain d WHERE address IS NULL AND d.domain = ANY (
				ARRAY(SELECT name_suffixes(of_name)))
			UNION ALL SELECT b.organisation, 'brand', b.brand, b.valid FROM organisation_brand b WHERE address IS NULL AND of_asn IS NULL
				AND b.brand = of_name) e
		JOIN organisation o ON o.id = e.organisation WHERE upper(e.valid * o.valid) <= at AND NOT isempty(e.valid * o.valid);
	SELECT * INTO abroad FROM foreign_at(address, of_asn, '', at);
	RETURN jsonb_build_object('what', what, 'at', stamp(at),
		'outcome', CASE WHEN h.organisation IS NOT NULL THEN 'constituent' WHEN abroad.country IS NOT NULL THEN 'foreign' ELSE 'not ours' END,
		'organisation', (SELECT o.name FROM organisation o WHERE o.id = h.organisation), 'by', h.kind, 'entry', h.entry,
		'from', stamp(lower(h.valid)), 'until', stamp(upper(h.valid)),
		'kind', (SELECT o.kind FROM organisation o WHERE o.id = h.organisation), 'sector', (SELECT o.sector FROM organisation o WHERE o.id = h.organisation),
		'criticality', (SELECT o.criticality FROM organisation o WHERE o.id = h.organisation),
		'contacts', (SELECT coalesce(jsonb_agg(contact_json(c) ORDER BY c.role, c.priority, c.id), '[]') FROM contact c
			WHERE c.organisation = coalesce(h.organisation, abroad.cirt) AND c.valid @> at),
		'country', abroad.country, 'delegated', abroad.delegated, 'registry', abroad.registry,
		'national_cirt', (SELECT o.name FROM organisation o WHERE o.id = abroad.cirt), 'abuse', abroad.abuse, 'abuse_prefix', abroad.abuse_prefix,
		'before', coalesce(past, '[]'));
END $$;

-- It is out: why it waited before is over, and what the server said is in `reply`.
CREATE OR REPLACE FUNCTION courier_sent(which bigint, me uuid, said text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
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
	UPDATE outbox SET state = 'sent', sent = now(), why = '', reply = left(said, 1000), holder = NULL, held_until = NULL WHERE id = which;
	PERFORM journal_add('outbox/' || o.number, 'sent', NULL, jsonb_build_object('address', o.address, 'message_id', o.message_id, 'told', n,
		'tlp', o.tlp, 'form', o.form, 'sealed', o.sealed, 'courier', me, 'bytes', encode(sha256(o.bytes), 'hex'), 'reply', left(said, 1000))::text);
	RETURN true;
END $$;
