-- Whose a thing is at a time, and who is asked about what is nobody's that we serve. daemon/store/organisation.h answers the same
-- out of memory when a report lands; a test holds the two together.
SET LOCAL search_path = cirt, pg_temp;
SELECT set_config('cirt.actor', 'migration', true);

-- One fact: how much depends on it. `critical` is what correlation asks for.
ALTER TABLE organisation ADD criticality criticality NOT NULL DEFAULT 'normal';
UPDATE organisation SET criticality = 'critical' WHERE critical;
ALTER TABLE organisation DROP critical;
ALTER TABLE organisation ADD critical boolean GENERATED ALWAYS AS (criticality = 'critical') STORED;

-- From its first instant on, up to but not including its last: so that one that ends and one that begins then never overlap.
CREATE FUNCTION validity_plain(valid tstzrange) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT NOT isempty(valid) AND (lower_inf(valid) OR (lower_inc(valid) AND isfinite(lower(valid))))
		AND (upper_inf(valid) OR (NOT upper_inc(valid) AND isfinite(upper(valid))))
$$;
DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY['organisation', 'organisation_prefix', 'organisation_asn', 'organisation_domain', 'organisation_brand',
		'contact'] LOOP
		EXECUTE format('DELETE FROM %I WHERE isempty(valid)', name);
		EXECUTE format('UPDATE %I SET valid = tstzrange(CASE WHEN isfinite(lower(valid)) THEN lower(valid) END,
			CASE WHEN isfinite(upper(valid)) THEN upper(valid) END) WHERE NOT validity_plain(valid)', name);
		EXECUTE format('ALTER TABLE %I ADD CHECK (validity_plain(valid))', name);
	END LOOP;
END $$;

-- An address or prefix as netaddr_parse() of daemon/model/netaddr.h reads it, IPv4-mapped IPv6 as IPv4; NULL: it is none.
CREATE FUNCTION address_of(host text) RETURNS inet LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = cirt, pg_temp AS $$
DECLARE
	address inet;
BEGIN
	IF host !~ '^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$' OR (host !~ ':'
		AND host !~ '^(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}(/|$)') THEN
		RETURN NULL;
	END IF;
	address := host::inet;
	IF address <<= '::ffff:0:0/96'::inet THEN
		RETURN set_masklen('0.0.0.0'::inet + (host(address)::inet - '::ffff:0:0'::inet), masklen(address) - 96);
	END IF;
	RETURN address;
EXCEPTION WHEN invalid_text_representation OR numeric_value_out_of_range THEN
	RETURN NULL;
END $$;

-- The part of a value that names a host: of a URL, of a mail address; NULL: none.
CREATE FUNCTION observable_host(observable text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = cirt, pg_temp AS $$
	SELECT nullif(CASE split_part(observable, ' ', 1)
		WHEN 'ip' THEN value
		WHEN 'name' THEN value
		WHEN 'email' THEN substring(value FROM '@([^@]*)$')
		WHEN 'url' THEN (SELECT CASE WHEN h LIKE '[%]%' THEN substring(h FROM '^\[([^\]]*)\]') ELSE regexp_replace(h, ':[^:]*$', '') END
			FROM (SELECT regexp_replace(substring(value FROM '://([^/?#]*)'), '^.*@', '') AS h) u)
		END, '')
	FROM (SELECT substr(observable, length(split_part(observable, ' ', 1)) + length(split_part(observable, ' ', 2)) + 3) AS value) v
$$;

-- Lower case, words apart by one blank, one before and one after: so that a brand is found as whole words. ASCII only is folded.
CREATE FUNCTION brand_words(said text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT ' ' || btrim(regexp_replace(translate(said, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz'),
		'[\x01-\x2f\x3a-\x60\x7b-\x7f]+', ' ', 'g')) || ' '
$$;

-- Who holds something, and by which entry of the register. kind: prefix, asn, domain or brand. An entry holds while it and its
-- organisation are valid. Of several of one length at one time, the one that began last, then the one of the lowest id.
CREATE TYPE held AS (organisation int, kind text, entry text, valid tstzrange);

CREATE FUNCTION address_at(address inet, at timestamptz) RETURNS SETOF held LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT p.organisation, 'prefix', p.prefix::text, p.valid * o.valid FROM organisation_prefix p JOIN organisation o ON o.id = p.organisation
	WHERE p.prefix >>= address AND p.valid @> at AND o.valid @> at
	ORDER BY masklen(p.prefix) DESC, lower(p.valid * o.valid) DESC NULLS LAST, p.organisation LIMIT 1
$$;
CREATE FUNCTION name_suffixes(host text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT array_to_string(labels[n:], '.') FROM (SELECT string_to_array(host, '.') AS labels) l, generate_subscripts(labels, 1) AS n
$$;
CREATE FUNCTION name_at(host text, at timestamptz) RETURNS SETOF held LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT d.organisation, 'domain', d.domain, d.valid * o.valid FROM organisation_domain d JOIN organisation o ON o.id = d.organisation
	WHERE d.domain = ANY (ARRAY(SELECT name_suffixes(host))) AND d.valid @> at AND o.valid @> at
	ORDER BY length(d.domain) DESC, lower(d.valid * o.valid) DESC NULLS LAST, d.organisation LIMIT 1
$$;
CREATE FUNCTION host_at(host text, at timestamptz) RETURNS SETOF held LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	address inet := address_of(host);
BEGIN
	IF address IS NOT NULL THEN
		RETURN QUERY SELECT * FROM address_at(address, at);
	ELSIF host <> '' THEN
		RETURN QUERY SELECT * FROM name_at(host, at);
	END IF;
END $$;
CREATE FUNCTION asn_at(of_asn bigint, at timestamptz) RETURNS SETOF held LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT a.organisation, 'asn', 'AS' || a.asn, a.valid * o.valid FROM organisation_asn a JOIN organisation o ON o.id = a.organisation
	WHERE a.asn = of_asn AND a.valid @> at AND o.valid @> at
	ORDER BY lower(a.valid * o.valid) DESC NULLS LAST, a.organisation LIMIT 1
$$;
-- The longest brand that is said somewhere in one of these texts.
CREATE FUNCTION brand_at(said text[], at timestamptz) RETURNS SETOF held LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH texts AS MATERIALIZED (SELECT DISTINCT brand_words(t) AS words FROM unnest(said) AS t)
	SELECT b.organisation, 'brand', b.brand, b.valid * o.valid FROM organisation_brand b JOIN organisation o ON o.id = b.organisation
	WHERE EXISTS (SELECT 1 FROM texts WHERE position(brand_words(b.brand) IN words) > 0) AND b.valid @> at AND o.valid @> at
		AND btrim(brand_words(b.brand)) <> ''
	ORDER BY octet_length(brand_words(b.brand)) DESC, brand_words(b.brand) COLLATE "C", lower(b.valid * o.valid) DESC NULLS LAST,
		b.organisation LIMIT 1
$$;

-- What of a report speaks of a brand: whatever is imitated; of phishing and masquerade its title, names and addresses too.
CREATE FUNCTION report_sayings(of_type rsit_type, title text, observables text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN of_type IN ('phishing', 'masquerade') THEN ARRAY[title] ELSE '{}' END || ARRAY(
		SELECT substr(o, length(split_part(o, ' ', 1)) + length(split_part(o, ' ', 2)) + 3) FROM unnest(observables) AS o
		WHERE split_part(o, ' ', 2) = 'imitated' OR (of_type IN ('phishing', 'masquerade')
			AND split_part(o, ' ', 1) IN ('name', 'url', 'other') AND split_part(o, ' ', 2) IN ('source', 'indicator', 'unknown')))
$$;

-- Whose a report is: the source's first, then the target's, who is imitated, what is mentioned; then the ASN; then the brand.
-- No row: nobody's that we serve.
CREATE FUNCTION organisation_at(of_type rsit_type, title text, observables text[], of_asn bigint, at timestamptz) RETURNS SETOF held
LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	host text;
BEGIN
	FOR host IN SELECT observable_host(o) FROM unnest(observables) WITH ORDINALITY AS u(o, n),
			array_position(ARRAY['source', 'target', 'imitated', 'indicator', 'unknown'], split_part(o, ' ', 2)) AS role
		WHERE role IS NOT NULL AND split_part(o, ' ', 1) IN ('ip', 'name', 'url', 'email') ORDER BY role, n LOOP
		RETURN QUERY SELECT * FROM host_at(host, at);
		IF FOUND THEN
			RETURN;
		END IF;
	END LOOP;
	IF of_asn > 0 THEN
		RETURN QUERY SELECT * FROM asn_at(of_asn, at);
		IF FOUND THEN
			RETURN;
		END IF;
	END IF;
	RETURN QUERY SELECT * FROM brand_at(report_sayings(of_type, title, observables), at);
END $$;

-- The national CIRT that looks after a country.
CREATE FUNCTION national_cirt(of_country text, at timestamptz) RETURNS int LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT id FROM organisation WHERE kind = 'national-cirt' AND country = of_country AND of_country <> '' AND valid @> at
	ORDER BY id LIMIT 1
$$;

-- In which country an address or ASN is used, who looks after that country, who takes complaints. One row always; what is not
-- known is NULL. said: a country that a sender named, which holds. Registries publish what is so today.
CREATE FUNCTION foreign_at(address inet, of_asn bigint, said text, at timestamptz)
RETURNS TABLE (country text, delegated text, registry text, cirt int, abuse text, abuse_prefix cidr)
LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT c.country, coalesce(d.prefix::text, 'AS' || n.first || CASE WHEN n.last > n.first THEN '-AS' || n.last ELSE '' END),
		coalesce(d.registry, n.registry), national_cirt(c.country, at), a.email, a.prefix
	FROM (SELECT) AS one
	LEFT JOIN LATERAL (SELECT * FROM delegation x WHERE x.prefix >>= address ORDER BY masklen(x.prefix) DESC LIMIT 1) d ON true
	LEFT JOIN LATERAL (SELECT * FROM (SELECT * FROM delegation_asn x WHERE d.prefix IS NULL AND x.first <= of_asn
		ORDER BY x.first DESC LIMIT 1) y WHERE y.last >= of_asn AND of_asn > 0) n ON true
	LEFT JOIN LATERAL (SELECT * FROM abuse_contact x WHERE x.prefix >>= address ORDER BY masklen(x.prefix) DESC LIMIT 1) a ON true,
	LATERAL (SELECT coalesce(nullif(said, ''), d.country, n.country) AS country) c
$$;
-- The same of a report: by its first source address, or the address in its first URL.
CREATE FUNCTION foreign_of(observables text[], of_asn bigint, said text, at timestamptz)
RETURNS TABLE (country text, delegated text, registry text, cirt int, abuse text, abuse_prefix cidr)
LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT * FROM foreign_at((SELECT address_of(observable_host(o)) FROM unnest(observables) WITH ORDINALITY AS u(o, n),
			array_position(ARRAY['source', 'indicator', 'unknown'], split_part(o, ' ', 2)) AS role
		WHERE role IS NOT NULL AND split_part(o, ' ', 1) IN ('ip', 'url') AND address_of(observable_host(o)) IS NOT NULL
		ORDER BY role, n LIMIT 1), of_asn, said, at)
$$;

REVOKE ALL ON FUNCTION validity_plain, address_of, observable_host, brand_words, address_at, name_suffixes, name_at, host_at, asn_at,
	brand_at, report_sayings, organisation_at, national_cirt, foreign_at, foreign_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION validity_plain, address_of, observable_host, brand_words, address_at, name_suffixes, name_at, host_at, asn_at,
	brand_at, report_sayings, organisation_at, national_cirt, foreign_at, foreign_of TO cirt_keeper, cirt_desk;
GRANT EXECUTE ON FUNCTION validity_plain TO cirt_store;
