-- What operators do to the register: one function per verb, from and to JSON, so that a line of a file and a command are read by the
-- same rules. Every function says what it expected.
SET LOCAL search_path = cirt, pg_temp;

ALTER TABLE organisation_brand ADD origin register_origin NOT NULL DEFAULT 'hand';

-- ---- words ----

CREATE FUNCTION wrong(said text) RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RAISE EXCEPTION '%', said USING ERRCODE = 'invalid_parameter_value';
END $$;

CREATE FUNCTION said_enum(what text, word text, type regtype) RETURNS text LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT 1 FROM pg_enum WHERE enumtypid = type AND enumlabel = word) THEN
		PERFORM wrong(format('%s: expected %s, not "%s"', what, (SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum
			WHERE enumtypid = type), left(word, 60)));
	END IF;
	RETURN word;
END $$;

-- A prefix without host bits; the error names the network that was probably meant.
CREATE FUNCTION said_prefix(said text) RETURNS cidr LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	address inet := address_of(btrim(said));
BEGIN
	IF address IS NULL THEN
		PERFORM wrong(format('"%s" is no prefix: expected one such as 192.0.2.0/24 or 2001:db8::/32', left(said, 60)));
	ELSIF set_masklen(network(address)::inet, masklen(address)) <> address THEN
		PERFORM wrong(format('%s has bits behind the prefix: the network is %s, the single address %s', said, network(address),
			host(address)));
	ELSIF masklen(address) = 0 THEN
		PERFORM wrong(format('%s is everybody''s', said));
	END IF;
	RETURN network(address);
END $$;
CREATE FUNCTION said_asn(said text) RETURNS bigint LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	digits text := substring(btrim(said) FROM '^(?:[Aa][Ss])?([0-9]{1,10})$');
BEGIN
	IF digits IS NULL OR digits::bigint NOT BETWEEN 1 AND 4294967295 THEN
		PERFORM wrong(format('"%s" is no AS number: expected one such as AS64500', left(said, 60)));
	END IF;
	RETURN digits::bigint;
END $$;
CREATE FUNCTION said_domain(said text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	name text := regexp_replace(regexp_replace(lower(btrim(said)), '\.$', ''), '^\*\.', '');
BEGIN
	IF name !~ '^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' OR length(name) > 253
		OR name ~ '(^|\.)[0-9]+$' THEN
		PERFORM wrong(format('"%s" is no domain: expected one such as bank.example (other scripts as xn--…)', left(said, 60)));
	END IF;
	RETURN name;
END $$;
CREATE FUNCTION said_brand(said text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	brand text := lower(btrim(said));
BEGIN
	IF octet_length(brand) NOT BETWEEN 2 AND 200 OR btrim(brand_words(brand)) = '' THEN
		PERFORM wrong(format('"%s" is no brand: expected 2 to 200 letters, as they stand in what imitates it', left(said, 60)));
	END IF;
	RETURN brand;
END $$;
-- As the register keeps it, by kind: prefix, asn, domain, brand.
CREATE FUNCTION said_entry(kind text, said text) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE kind WHEN 'prefix' THEN said_prefix(said)::text WHEN 'asn' THEN said_asn(said)::text WHEN 'domain' THEN said_domain(said)
		WHEN 'brand' THEN said_brand(said) END
$$;

-- ISO 3166-1, and XK.
CREATE FUNCTION said_country(said text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF said <> '' AND upper(btrim(said)) <> ALL (string_to_array('AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ '
		'BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET '
		'FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO '
		'JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX '
		'MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ '
		'SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK '
		'YE YT ZA ZM ZW', ' ')) THEN
		PERFORM wrong(format('there is no country "%s": expected two letters of ISO 3166, such as AT%s', left(said, 60),
			CASE upper(btrim(said)) WHEN 'UK' THEN '; the United Kingdom is GB' WHEN 'EL' THEN '; Greece is GR' ELSE '' END));
	END IF;
	RETURN upper(btrim(said));
END $$;
-- BCP 47; two letters are those of ISO 639-1.
CREATE FUNCTION said_language(said text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF said !~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$' OR (said ~ '^[a-z]{2}(-|$)' AND left(said, 2) <> ALL (string_to_array(
		'aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff '
		'fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku '
		'kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu '
		'rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo '
		'wa wo xh yi yo za zh zu', ' '))) THEN
		PERFORM wrong(format('there is no language "%s": expected a tag of BCP 47, such as de or pt-BR', left(said, 60)));
	END IF;
	RETURN said;
END $$;
CREATE FUNCTION said_zone(said text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF said !~ '^[A-Z][A-Za-z_-]{1,30}(/[A-Za-z0-9_+-]{1,30}){0,2}$' THEN
		PERFORM wrong(format('there is no time zone "%s": expected one such as Europe/Vienna', left(said, 60)));
	END IF;
	PERFORM timezone(said, now());
	RETURN said;
EXCEPTION WHEN invalid_parameter_value OR syntax_error_or_access_rule_violation THEN
	RAISE EXCEPTION 'there is no time zone "%": expected one such as Europe/Vienna', left(said, 60) USING ERRCODE = 'invalid_parameter_value';
END $$;
-- 'always', or 'Mon-Fri 08:00-16:00' in the contact's zone, as schedule_holds() reads it.
CREATE FUNCTION said_schedule(said text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF said <> 'always' AND regexp_replace(regexp_replace(said, '(Mon|Tue|Wed|Thu|Fri|Sat|Sun)', 'D', 'g'),
		'(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)', 'H', 'g') !~ '^D(-D)? H-H$' THEN
		PERFORM wrong(format('schedule: expected always, or such as "Mon-Fri 08:00-16:00", not "%s"', left(said, 60)));
	END IF;
	RETURN said;
END $$;
-- A day is its first instant in UTC; '' is open.
CREATE FUNCTION said_time(what text, said text) RETURNS timestamptz LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp
SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' AS $$
BEGIN
	IF coalesce(btrim(said), '') = '' THEN
		RETURN NULL;
	ELSIF btrim(said) !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?$' THEN
		PERFORM wrong(format('%s: expected a day such as 2026-11-22, or a time such as 2026-11-22T14:30:00Z, not "%s"', what, left(said, 60)));
	END IF;
	RETURN btrim(said)::timestamptz;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
	RAISE EXCEPTION '%: there is no such day as "%"', what, left(said, 60) USING ERRCODE = 'invalid_parameter_value';
END $$;
-- from and until of fields; NULL where neither is said. was: what holds where only one is.
CREATE FUNCTION said_validity(f jsonb, was tstzrange) RETURNS tstzrange LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	since timestamptz := CASE WHEN f ? 'from' THEN said_time('from', f ->> 'from') ELSE lower(was) END;
	ends timestamptz := CASE WHEN f ? 'until' THEN said_time('until', f ->> 'until') ELSE upper(was) END;
BEGIN
	IF NOT f ? 'from' AND NOT f ? 'until' THEN
		RETURN NULL;
	ELSIF ends <= since THEN
		PERFORM wrong(format('from %s until %s is no time at all', stamp(since), stamp(ends)));
	END IF;
	RETURN tstzrange(since, ends);
END $$;
CREATE FUNCTION said_text(f jsonb, what text, was text, most int) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF NOT f ? what OR f ->> what IS NULL THEN
		RETURN was;
	ELSIF octet_length(f ->> what) > most OR f ->> what ~ '[[:cntrl:]]' THEN
		PERFORM wrong(format('%s: expected at most %s bytes in one line', what, most));
	END IF;
	RETURN btrim(f ->> what);
END $$;

-- ---- organisations and contacts, out of what was said ----

CREATE FUNCTION org_named(named text) RETURNS int LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	found_id int;
	near text;
BEGIN
	SELECT id INTO found_id FROM organisation WHERE name = btrim(named);
	IF found_id IS NULL THEN
		SELECT string_agg('"' || name || '"', ', ') INTO near FROM (SELECT name FROM organisation
			WHERE lower(name) LIKE '%' || replace(replace(replace(lower(btrim(named)), '\', '\\'), '%', '\%'), '_', '\_') || '%'
			ORDER BY length(name), name LIMIT 3) n;
		IF near IS NOT NULL THEN
			SELECT max(id) INTO found_id FROM organisation WHERE lower(name) = lower(btrim(named)) HAVING count(*) = 1;
		END IF;
	END IF;
	IF found_id IS NULL THEN
		RAISE EXCEPTION 'there is no organisation "%"%', left(named, 100), coalesce(': did you mean ' || near || '?', '')
			USING ERRCODE = 'no_data_found';
	END IF;
	RETURN found_id;
END $$;

-- What an organisation is after these fields; only those that are said change.
CREATE FUNCTION org_put(was organisation, f jsonb) RETURNS organisation LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	o organisation := was;
BEGIN
	o.name := said_text(f, 'name', o.name, 300);
	IF coalesce(o.name, '') = '' THEN
		PERFORM wrong('name: expected the organisation''s name');
	END IF;
	o.sector := said_text(f, 'sector', coalesce(o.sector, ''), 100);
	o.handle := said_text(f, 'handle', coalesce(o.handle, ''), 100);
	o.note := said_text(f, 'note', coalesce(o.note, ''), 4000);
	o.kind := CASE WHEN f ->> 'kind' <> '' THEN said_enum('kind', f ->> 'kind', 'organisation_kind') ELSE coalesce(o.kind, 'other')::text END;
	o.criticality := CASE WHEN f ->> 'criticality' <> '' THEN said_enum('criticality', f ->> 'criticality', 'criticality')
		ELSE coalesce(o.criticality, 'normal')::text END;
	o.country := CASE WHEN f ? 'country' THEN said_country(coalesce(f ->> 'country', '')) ELSE coalesce(o.country, '') END;
	o.valid := coalesce(said_validity(f, o.valid), o.valid, tstzrange(NULL, NULL));
	IF f ? 'parent' THEN
		o.parent := CASE WHEN coalesce(f ->> 'parent', '') <> '' THEN org_named(f ->> 'parent') END;
		IF o.id IN (WITH RECURSIVE up AS (SELECT o.parent AS id UNION SELECT p.parent FROM up JOIN organisation p ON p.id = up.id) SELECT id FROM up) THEN
			PERFORM wrong(format('parent: "%s" would be above and below itself', o.name));
		END IF;
	END IF;
	RETURN o;
END $$;

CREATE FUNCTION contact_put(was contact, f jsonb) RETURNS contact LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	c contact := was;
	fingerprint text;
BEGIN
	c.name := said_text(f, 'name', coalesce(c.name, ''), 300);
	c.role := CASE WHEN coalesce(f ->> 'role', '') <> '' THEN said_enum('role', f ->> 'role', 'contact_role')
		ELSE coalesce(c.role, 'security')::text END;
	c.email := said_text(f, 'email', coalesce(c.email, ''), 320);
	IF c.email !~ '^([^@\s<>,;:"\\[:cntrl:]]+@[^@\s<>,;:"\\[:cntrl:]]+)?$' THEN
		PERFORM wrong(format('"%s" is no mail address: expected one such as abuse@hospital.example', left(c.email, 100)));
	END IF;
	c.phone := said_text(f, 'phone', coalesce(c.phone, ''), 100);
	IF c.email = '' AND c.phone = '' THEN
		PERFORM wrong('a contact wants an address or a telephone number: email or phone');
	END IF;
	c.language := CASE WHEN coalesce(f ->> 'language', '') <> '' THEN said_language(f ->> 'language') ELSE coalesce(c.language, 'en') END;
	c.zone := CASE WHEN coalesce(f ->> 'zone', '') <> '' THEN said_zone(f ->> 'zone') ELSE coalesce(c.zone, 'UTC') END;
	c.schedule := CASE WHEN coalesce(f ->> 'schedule', '') <> '' THEN said_schedule(f ->> 'schedule') ELSE coalesce(c.schedule, 'always') END;
	c.format := CASE WHEN coalesce(f ->> 'format', '') <> '' THEN said_enum('format', f ->> 'format', 'notice_format')
		ELSE coalesce(c.format, 'csv')::text END;
	c.policy := CASE WHEN coalesce(f ->> 'policy', '') <> '' THEN said_enum('policy', f ->> 'policy', 'key_policy')
		ELSE coalesce(c.policy, 'preferred')::text END;
	FOREACH fingerprint IN ARRAY ARRAY['pgp', 'smime'] LOOP
		IF f ? fingerprint AND upper(regexp_replace(coalesce(f ->> fingerprint, ''), '[\s:]', '', 'g')) !~ '^([0-9A-F]{40}|[0-9A-F]{64})?$' THEN
			PERFORM wrong(format('%s: expected the whole fingerprint of the key, 40 or 64 hex digits', fingerprint));
		END IF;
	END LOOP;
	c.pgp := CASE WHEN f ? 'pgp' THEN upper(regexp_replace(coalesce(f ->> 'pgp', ''), '[\s:]', '', 'g')) ELSE coalesce(c.pgp, '') END;
	c.smime := CASE WHEN f ? 'smime' THEN upper(regexp_replace(coalesce(f ->> 'smime', ''), '[\s:]', '', 'g')) ELSE coalesce(c.smime, '') END;
	IF coalesce(f ->> 'priority', '') <> '' AND f ->> 'priority' !~ '^[0-9]{1,6}$' THEN
		PERFORM wrong('priority: expected a number; the lowest of a role is asked first');
	END IF;
	c.priority := coalesce(nullif(f ->> 'priority', '')::int, c.priority, 100);
	c.valid := coalesce(said_validity(f, c.valid), c.valid, tstzrange(NULL, NULL));
	RETURN c;
END $$;

-- ---- entries ----

CREATE VIEW register_entry WITH (security_invoker = true) AS
	SELECT organisation, 'prefix' AS kind, prefix::text AS value, valid, origin FROM organisation_prefix
	UNION ALL SELECT organisation, 'asn', asn::text, valid, origin FROM organisation_asn
	UNION ALL SELECT organisation, 'domain', domain, valid, origin FROM organisation_domain
	UNION ALL SELECT organisation, 'brand', brand, valid, origin FROM organisation_brand;

-- The same through their indexes: who ever held exactly this.
CREATE FUNCTION entry_holders(of_kind text, of_value text) RETURNS TABLE (organisation int, valid tstzrange) LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
#variable_conflict use_column
BEGIN
	CASE of_kind
		WHEN 'prefix' THEN RETURN QUERY SELECT organisation, valid FROM organisation_prefix WHERE prefix = of_value::cidr;
		WHEN 'asn' THEN RETURN QUERY SELECT organisation, valid FROM organisation_asn WHERE asn = of_value::bigint;
		WHEN 'domain' THEN RETURN QUERY SELECT organisation, valid FROM organisation_domain WHERE domain = of_value;
		WHEN 'brand' THEN RETURN QUERY SELECT organisation, valid FROM organisation_brand WHERE brand = of_value;
	END CASE;
END $$;

CREATE FUNCTION held_by_other(of_kind text, of_value text, of_valid tstzrange, of_organisation int) RETURNS text LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	SELECT format('%s is held by "%s"%s%s; %s may hold a part of it, --shared both the same', of_value, o.name,
		coalesce(' from ' || stamp(lower(h.valid)), ''), coalesce(' until ' || stamp(upper(h.valid)), ''),
		CASE of_kind WHEN 'prefix' THEN 'another' ELSE 'nobody else' END)
	FROM entry_holders(of_kind, of_value) h JOIN organisation o ON o.id = h.organisation
	WHERE h.organisation <> of_organisation AND h.valid && of_valid AND h.valid * o.valid && of_valid ORDER BY h.organisation LIMIT 1
$$;

CREATE FUNCTION entry_table(kind text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'organisation_' || kind $$;
CREATE FUNCTION entry_type(kind text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE kind WHEN 'prefix' THEN 'cidr' WHEN 'asn' THEN 'bigint' ELSE 'text' END
$$;

-- One entry more; what the organisation holds already is moved to these times. What changed: 'new', 'changed', 'unchanged'.
CREATE FUNCTION entry_put(of_organisation int, of_kind text, said text, of_valid tstzrange, shared boolean, from_ register_origin) RETURNS text
LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	v text := said_entry(of_kind, said);
	fresh tstzrange := coalesce(of_valid, tstzrange(NULL, NULL));
	had tstzrange[];
	conflict text;
BEGIN
	SELECT array_agg(h.valid) INTO had FROM entry_holders(of_kind, v) h WHERE h.organisation = of_organisation
		AND CASE WHEN of_valid IS NULL THEN h.valid @> now() ELSE h.valid && of_valid END;
	IF cardinality(had) > 1 THEN
		PERFORM wrong(format('%s was theirs at %s times that these would join: end one of them first', v, cardinality(had)));
	ELSIF had IS NOT NULL AND (of_valid IS NULL OR had[1] = of_valid) THEN
		RETURN 'unchanged';
	END IF;
	IF of_valid IS NULL THEN
		fresh := tstzrange((SELECT max(upper(h.valid)) FROM entry_holders(of_kind, v) h WHERE h.organisation = of_organisation), NULL);
	END IF;
	conflict := held_by_other(of_kind, v, fresh, of_organisation);
	IF conflict IS NOT NULL AND NOT shared THEN
		RAISE EXCEPTION '%', conflict USING ERRCODE = 'check_violation';
	ELSIF had IS NOT NULL THEN
		EXECUTE format('UPDATE %I SET valid = $3 WHERE organisation = $1 AND %I = $2::%s AND valid = $4', entry_table(of_kind), of_kind,
			entry_type(of_kind)) USING of_organisation, v, fresh, had[1];
		RETURN 'changed';
	END IF;
	EXECUTE format('INSERT INTO %I (organisation, %I, valid, origin) VALUES ($1, $2::%s, $3, $4)', entry_table(of_kind), of_kind,
		entry_type(of_kind)) USING of_organisation, v, fresh, from_;
	RETURN 'new';
END $$;

-- An entry ends; what had not begun by then is gone.
CREATE FUNCTION entry_end(of_organisation int, said text, at timestamptz) RETURNS text LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	of_kind text;
	v text;
	hit bigint;
	total bigint := 0;
BEGIN
	FOREACH of_kind IN ARRAY ARRAY['prefix', 'asn', 'domain', 'brand'] LOOP
		BEGIN
			v := said_entry(of_kind, said);
		EXCEPTION WHEN invalid_parameter_value THEN
			CONTINUE;
		END;
		EXECUTE format('DELETE FROM %I WHERE organisation = $1 AND %I = $2::%s AND lower(valid) >= $3', entry_table(of_kind), of_kind,
			entry_type(of_kind)) USING of_organisation, v, at;
		GET DIAGNOSTICS hit = ROW_COUNT;
		total := total + hit;
		EXECUTE format('UPDATE %I SET valid = tstzrange(lower(valid), $3) WHERE organisation = $1 AND %I = $2::%s AND valid @> $3
			AND upper(valid) IS DISTINCT FROM $3', entry_table(of_kind), of_kind, entry_type(of_kind)) USING of_organisation, v, at;
		GET DIAGNOSTICS hit = ROW_COUNT;
		total := total + hit;
	END LOOP;
	IF total = 0 THEN
		RAISE EXCEPTION '"%" is none of what "%" holds then', left(said, 100), (SELECT name FROM organisation WHERE id = of_organisation)
			USING ERRCODE = 'no_data_found';
	END IF;
	RETURN said;
END $$;

-- One row of the journal for each organisation and statement, however many entries; and the keeper looks at open reports again.
CREATE TABLE attribution_queue (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	span tstzrange NOT NULL,          -- times of events that are concerned
	at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION entries_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp
SET "TimeZone" = 'UTC' AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		PERFORM journal_add('organisation/' || organisation, TG_ARGV[0] || ' added', NULL, entries::text)
			FROM (SELECT organisation, jsonb_agg(to_jsonb(x) - 'organisation') AS entries FROM fresh x GROUP BY organisation ORDER BY organisation) e;
		INSERT INTO attribution_queue (span) SELECT range_merge(range_agg(valid)) FROM fresh HAVING count(*) > 0;
	ELSIF TG_OP = 'DELETE' THEN
		PERFORM journal_add('organisation/' || organisation, TG_ARGV[0] || ' removed', entries::text, NULL)
			FROM (SELECT organisation, jsonb_agg(to_jsonb(x) - 'organisation') AS entries FROM was x GROUP BY organisation ORDER BY organisation) e;
		INSERT INTO attribution_queue (span) SELECT range_merge(range_agg(valid)) FROM was HAVING count(*) > 0;
	ELSE
		PERFORM journal_add('organisation/' || organisation, TG_ARGV[0] || ' changed', old_::text, new_::text)
			FROM (SELECT organisation, jsonb_agg(to_jsonb(x) - 'organisation') AS old_ FROM was x GROUP BY organisation) o
			JOIN (SELECT organisation, jsonb_agg(to_jsonb(x) - 'organisation') AS new_ FROM fresh x GROUP BY organisation) n USING (organisation);
		INSERT INTO attribution_queue (span) SELECT range_merge(range_agg(valid)) FROM (SELECT valid FROM was UNION ALL SELECT valid FROM fresh) v
			HAVING count(*) > 0;
	END IF;
	RETURN NULL;
END $$;
DO $$
DECLARE
	kind text;
BEGIN
	FOREACH kind IN ARRAY ARRAY['prefix', 'asn', 'domain', 'brand'] LOOP
		EXECUTE format('DROP TRIGGER %I ON %I', kind || '_journal', entry_table(kind));
		EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %I REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION entries_changed(%L)',
			kind || '_added', entry_table(kind), kind);
		EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %I REFERENCING OLD TABLE AS was NEW TABLE AS fresh FOR EACH STATEMENT
			EXECUTE FUNCTION entries_changed(%L)', kind || '_changed', entry_table(kind), kind);
		EXECUTE format('CREATE TRIGGER %I AFTER DELETE ON %I REFERENCING OLD TABLE AS was FOR EACH STATEMENT EXECUTE FUNCTION entries_changed(%L)',
			kind || '_removed', entry_table(kind), kind);
	END LOOP;
END $$;
CREATE FUNCTION organisation_moved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO attribution_queue (span) VALUES (range_merge(OLD.valid, NEW.valid));
	RETURN NULL;
END $$;
CREATE TRIGGER organisation_moved AFTER UPDATE OF valid ON organisation FOR EACH ROW WHEN (OLD.valid <> NEW.valid)
	EXECUTE FUNCTION organisation_moved();

-- ---- what the desk shows ----

CREATE FUNCTION org_json(o organisation) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('name', o.name, 'kind', o.kind, 'sector', o.sector, 'criticality', o.criticality, 'country', o.country,
		'parent', (SELECT name FROM organisation WHERE id = o.parent), 'handle', o.handle, 'note', o.note, 'origin', o.origin,
		'from', stamp(lower(o.valid)), 'until', stamp(upper(o.valid)))
$$;
CREATE FUNCTION contact_json(c contact) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('id', c.id, 'organisation', (SELECT name FROM organisation WHERE id = c.organisation), 'role', c.role,
		'name', c.name, 'email', c.email, 'phone', c.phone, 'language', c.language, 'zone', c.zone, 'schedule', c.schedule, 'format', c.format,
		'policy', c.policy, 'pgp', c.pgp, 'smime', c.smime, 'priority', c.priority, 'origin', c.origin, 'from', stamp(lower(c.valid)),
		'until', stamp(upper(c.valid)), 'bounced', stamp(c.bounced), 'tested', stamp(c.tested))
$$;
CREATE FUNCTION entries_json(of_organisation int, of_kind text) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('value', CASE of_kind WHEN 'asn' THEN 'AS' || value ELSE value END, 'from', stamp(lower(valid)),
		'until', stamp(upper(valid)), 'origin', origin) ORDER BY CASE of_kind WHEN 'prefix' THEN value::inet END, value, valid), '[]')
	FROM register_entry WHERE organisation = of_organisation AND kind = of_kind
$$;
CREATE FUNCTION org_whole(of_organisation int) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT org_json(o) || jsonb_build_object('prefixes', entries_json(o.id, 'prefix'), 'asns', entries_json(o.id, 'asn'),
		'domains', entries_json(o.id, 'domain'), 'brands', entries_json(o.id, 'brand'),
		'contacts', (SELECT coalesce(jsonb_agg(contact_json(c) ORDER BY c.role, c.priority, c.id), '[]') FROM contact c WHERE c.organisation = o.id),
		'groups', (SELECT coalesce(jsonb_agg(g.name ORDER BY g.name), '[]') FROM organisation_group g WHERE EXISTS (SELECT 1
			FROM organisation_group_member m WHERE m."group" = g.id AND m.organisation = o.id)))
	FROM organisation o WHERE o.id = of_organisation
$$;

-- Words of a list: between blanks, commas or semicolons; brands between semicolons only.
CREATE FUNCTION said_list(kind text, said text) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
	SELECT btrim(w) FROM regexp_split_to_table(said, CASE kind WHEN 'brand' THEN ';' ELSE '[\s,;]+' END) AS w WHERE btrim(w) <> ''
$$;

-- Entries of a command: --prefix, --asn, --domain, --brand; --end those that end.
CREATE FUNCTION org_entries(of_organisation int, f jsonb) RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	of_kind text;
	one text;
	many int := 0;
BEGIN
	FOREACH of_kind IN ARRAY ARRAY['prefix', 'asn', 'domain', 'brand'] LOOP
		FOR one IN SELECT * FROM said_list(of_kind, f ->> of_kind) LOOP
			PERFORM entry_put(of_organisation, of_kind, one, said_validity(f, tstzrange(NULL, NULL)), (f ->> 'shared') IS NOT DISTINCT FROM 'true', 'hand');
			many := many + 1;
		END LOOP;
	END LOOP;
	FOR one IN SELECT * FROM said_list(CASE WHEN f ->> 'end' ~ ';' THEN 'brand' ELSE 'prefix' END, f ->> 'end') LOOP
		PERFORM entry_end(of_organisation, one, coalesce(said_time('until', f ->> 'until'), now()));
		many := many + 1;
	END LOOP;
	RETURN many;
END $$;

CREATE FUNCTION org_write(o organisation) RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	UPDATE organisation SET name = o.name, kind = o.kind, sector = o.sector, criticality = o.criticality, country = o.country,
		parent = o.parent, handle = o.handle, note = o.note, valid = o.valid, changed = now() WHERE id = o.id
$$;
CREATE FUNCTION org_insert(o organisation, from_ register_origin) RETURNS int LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	INSERT INTO organisation (name, kind, sector, criticality, country, parent, handle, note, valid, origin)
	VALUES (o.name, o.kind, o.sector, o.criticality, o.country, o.parent, o.handle, o.note, o.valid, from_) RETURNING id
$$;
CREATE FUNCTION journal_why(object text, f jsonb) RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	SELECT journal_add(object, 'note', NULL, f ->> 'reason') WHERE coalesce(f ->> 'reason', '') <> ''
$$;

CREATE FUNCTION org_new(f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o organisation;
	named boolean := f ?| ARRAY['prefix', 'asn', 'domain', 'brand'];
	fresh int;
BEGIN
	o := org_put(o, CASE WHEN named THEN f - 'from' - 'until' ELSE f END);
	IF EXISTS (SELECT 1 FROM organisation WHERE lower(name) = lower(o.name)) THEN
		RAISE EXCEPTION 'there is an organisation "%" already', o.name USING ERRCODE = 'check_violation';
	END IF;
	fresh := org_insert(o, 'hand');
	PERFORM org_entries(fresh, f);
	PERFORM journal_why('organisation/' || fresh, f);
	RETURN org_whole(fresh);
END $$;

CREATE FUNCTION org_set(f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o organisation;
	was organisation;
	fields jsonb := f - 'name';
BEGIN
	SELECT * INTO was FROM organisation WHERE id = org_named(f ->> 'name') FOR UPDATE;
	IF f ?| ARRAY['prefix', 'asn', 'domain', 'brand', 'end'] THEN
		fields := fields - 'from' - 'until';
		PERFORM org_entries(was.id, f);
	END IF;
	IF f ? 'rename' THEN
		fields := fields || jsonb_build_object('name', f ->> 'rename');
	END IF;
	o := org_put(was, fields);
	IF o.name <> was.name AND EXISTS (SELECT 1 FROM organisation WHERE lower(name) = lower(o.name) AND id <> o.id) THEN
		RAISE EXCEPTION 'there is an organisation "%" already', o.name USING ERRCODE = 'check_violation';
	ELSIF o IS DISTINCT FROM was THEN
		PERFORM org_write(o);
	END IF;
	PERFORM journal_why('organisation/' || o.id, f);
	RETURN org_whole(o.id);
END $$;

CREATE FUNCTION org_close(f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	o organisation;
	ends timestamptz := coalesce(said_time('until', f ->> 'until'), now());
BEGIN
	SELECT * INTO o FROM organisation WHERE id = org_named(f ->> 'name') FOR UPDATE;
	IF upper(o.valid) <= ends THEN
		RAISE EXCEPTION '"%" ended at %', o.name, stamp(upper(o.valid)) USING ERRCODE = 'check_violation';
	ELSIF lower(o.valid) >= ends THEN
		PERFORM wrong(format('"%s" begins at %s only', o.name, stamp(lower(o.valid))));
	END IF;
	UPDATE organisation SET valid = tstzrange(lower(o.valid), ends), changed = now() WHERE id = o.id;
	PERFORM journal_why('organisation/' || o.id, f);
	RETURN org_whole(o.id);
END $$;
CREATE FUNCTION org_show(f jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT org_whole(org_named(f ->> 'name'))
$$;

CREATE FUNCTION page_limit(f jsonb) RETURNS int LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF f ? 'limit' AND (f ->> 'limit' !~ '^[0-9]{1,4}$' OR (f ->> 'limit')::int NOT BETWEEN 1 AND 1000) THEN
		PERFORM wrong('limit: expected a number from 1 to 1000');
	ELSIF f ? 'cursor' AND f ->> 'cursor' !~ '^[0-9]{1,9}$' THEN
		PERFORM wrong('cursor: expected the `next` of a page before');
	END IF;
	RETURN coalesce((f ->> 'limit')::int, 50);
END $$;
CREATE FUNCTION page_json(rows jsonb[], ids int[], most int) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('items', to_jsonb(coalesce(rows[1:most], '{}')), 'next', CASE WHEN cardinality(rows) > most THEN ids[most]::text END)
$$;

CREATE FUNCTION org_list(f jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := page_limit(f);
	of_kind text := CASE WHEN f ? 'kind' THEN said_enum('kind', f ->> 'kind', 'organisation_kind') END;
	of_criticality text := CASE WHEN f ? 'criticality' THEN said_enum('criticality', f ->> 'criticality', 'criticality') END;
	in_group int := CASE WHEN f ? 'group' THEN group_named(f ->> 'group') END;
	answer jsonb;
BEGIN
	SELECT page_json(array_agg(org_json(o) || jsonb_build_object('prefixes', (SELECT count(*) FROM organisation_prefix p WHERE p.organisation = o.id
			AND p.valid @> now()), 'contacts', (SELECT count(*) FROM contact c WHERE c.organisation = o.id AND c.valid @> now())) ORDER BY o.id),
			array_agg(o.id ORDER BY o.id), most) INTO answer
		FROM (SELECT * FROM organisation x WHERE x.id > coalesce((f ->> 'cursor')::int, 0) AND (of_kind IS NULL OR x.kind::text = of_kind)
			AND (of_criticality IS NULL OR x.criticality::text = of_criticality) AND (NOT f ? 'sector' OR lower(x.sector) = lower(f ->> 'sector'))
			AND (NOT f ? 'country' OR x.country = upper(f ->> 'country')) AND (NOT f ? 'match' OR position(lower(f ->> 'match') IN lower(x.name)) > 0)
			AND (in_group IS NULL OR in_group IN (SELECT groups_of(x.id))) AND (f ->> 'all' = 'true' OR coalesce(upper(x.valid) > now(), true))
			ORDER BY x.id LIMIT most + 1) o;
	RETURN answer;
END $$;

CREATE FUNCTION contact_list(f jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	most int := page_limit(f);
	of_organisation int := CASE WHEN coalesce(f ->> 'organisation', '') <> '' THEN org_named(f ->> 'organisation') END;
	of_role text := CASE WHEN f ? 'role' THEN said_enum('role', f ->> 'role', 'contact_role') END;
	answer jsonb;
BEGIN
	SELECT page_json(array_agg(contact_json(c) ORDER BY c.id), array_agg(c.id ORDER BY c.id), most) INTO answer
		FROM (SELECT * FROM contact x WHERE x.id > coalesce((f ->> 'cursor')::int, 0) AND (of_organisation IS NULL OR x.organisation = of_organisation)
			AND (of_role IS NULL OR x.role::text = of_role) AND (NOT f ? 'email' OR position(lower(f ->> 'email') IN lower(x.email)) > 0)
			AND (f ->> 'all' = 'true' OR coalesce(upper(x.valid) > now(), true)) ORDER BY x.id LIMIT most + 1) c;
	RETURN answer;
END $$;

CREATE FUNCTION contact_insert(c contact, from_ register_origin) RETURNS int LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	INSERT INTO contact (organisation, name, role, email, phone, language, zone, schedule, format, policy, pgp, smime, priority, valid, origin)
	VALUES (c.organisation, c.name, c.role, c.email, c.phone, c.language, c.zone, c.schedule, c.format, c.policy, c.pgp, c.smime, c.priority,
		c.valid, from_) RETURNING id
$$;
CREATE FUNCTION contact_write(c contact) RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	UPDATE contact SET name = c.name, role = c.role, bounced = CASE WHEN email = c.email THEN bounced END, email = c.email, phone = c.phone,
		language = c.language, zone = c.zone, schedule = c.schedule, format = c.format, policy = c.policy, pgp = c.pgp, smime = c.smime,
		priority = c.priority, valid = c.valid, changed = now() WHERE id = c.id
$$;
CREATE FUNCTION contact_numbered(said text) RETURNS contact LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	c contact;
BEGIN
	SELECT * INTO c FROM contact WHERE id = CASE WHEN said ~ '^[0-9]{1,9}$' THEN said::int END;
	IF c.id IS NULL THEN
		RAISE EXCEPTION 'there is no contact %: cirt contact list names them', left(said, 60) USING ERRCODE = 'no_data_found';
	END IF;
	RETURN c;
END $$;
CREATE FUNCTION contact_new(f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c contact;
	fresh int;
BEGIN
	c.organisation := org_named(f ->> 'organisation');
	c := contact_put(c, f);
	IF c.email <> '' AND EXISTS (SELECT 1 FROM contact x WHERE x.organisation = c.organisation AND x.role = c.role AND lower(x.email) = lower(c.email)
		AND x.valid && c.valid) THEN
		RAISE EXCEPTION '% is their % contact already', c.email, c.role USING ERRCODE = 'check_violation';
	END IF;
	fresh := contact_insert(c, 'hand');
	RETURN (SELECT contact_json(x) FROM contact x WHERE x.id = fresh);
END $$;
CREATE FUNCTION contact_set(f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	was contact := contact_numbered(f ->> 'id');
	c contact;
BEGIN
	c := contact_put(was, f);
	IF c IS DISTINCT FROM was THEN
		PERFORM contact_write(c);
	END IF;
	RETURN (SELECT contact_json(x) FROM contact x WHERE x.id = c.id);
END $$;
CREATE FUNCTION contact_close(f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c contact := contact_numbered(f ->> 'id');
	ends timestamptz := coalesce(said_time('until', f ->> 'until'), now());
BEGIN
	IF upper(c.valid) <= ends THEN
		RAISE EXCEPTION 'contact % ended at %', c.id, stamp(upper(c.valid)) USING ERRCODE = 'check_violation';
	ELSIF lower(c.valid) >= ends THEN
		PERFORM wrong(format('contact %s begins at %s only', c.id, stamp(lower(c.valid))));
	END IF;
	UPDATE contact SET valid = tstzrange(lower(c.valid), ends), changed = now() WHERE id = c.id;
	PERFORM journal_why('contact/' || c.id, f);
	RETURN (SELECT contact_json(x) FROM contact x WHERE x.id = c.id);
END $$;

-- ---- groups ----

CREATE FUNCTION group_named(named text) RETURNS int LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	found_id int;
BEGIN
	SELECT id INTO found_id FROM organisation_group WHERE name = btrim(named);
	IF found_id IS NULL THEN
		RAISE EXCEPTION 'there is no group "%"', left(named, 60) USING ERRCODE = 'no_data_found';
	END IF;
	RETURN found_id;
END $$;
-- The groups that an organisation is in: by name, by its sector or kind.
CREATE FUNCTION groups_of(of_organisation int) RETURNS SETOF int LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT m."group" FROM organisation_group_member m WHERE m.organisation = of_organisation
	UNION SELECT g.id FROM organisation_group g JOIN organisation o ON o.id = of_organisation
		AND (g.kind = o.kind OR (g.sector <> '' AND lower(g.sector) = lower(o.sector)))
$$;
CREATE FUNCTION group_json(g organisation_group) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('name', g.name, 'title', g.title, 'sector', g.sector, 'kind', g.kind,
		'named', (SELECT count(*) FROM organisation_group_member m WHERE m."group" = g.id),
		'members', (SELECT count(*) FROM organisation o WHERE g.id IN (SELECT groups_of(o.id))))
$$;
CREATE FUNCTION group_put(f jsonb, is_new boolean) RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	g organisation_group;
BEGIN
	IF is_new THEN
		IF coalesce(f ->> 'name', '') !~ '^[a-z0-9][a-z0-9._-]{0,63}$' THEN
			PERFORM wrong('name: expected a to z, 0 to 9, and - . _ in between; at most 64');
		ELSIF EXISTS (SELECT 1 FROM organisation_group WHERE name = f ->> 'name') THEN
			RAISE EXCEPTION 'there is a group "%" already', f ->> 'name' USING ERRCODE = 'check_violation';
		END IF;
		INSERT INTO organisation_group (name) VALUES (f ->> 'name') RETURNING * INTO g;
	ELSE
		SELECT * INTO g FROM organisation_group WHERE id = group_named(f ->> 'name') FOR UPDATE;
	END IF;
	UPDATE organisation_group SET title = said_text(f, 'title', g.title, 300), sector = said_text(f, 'sector', g.sector, 100),
		kind = CASE WHEN NOT f ? 'kind' THEN g.kind WHEN coalesce(f ->> 'kind', '') = '' THEN NULL
			ELSE said_enum('kind', f ->> 'kind', 'organisation_kind')::organisation_kind END
		WHERE id = g.id;
	RETURN g.id;
END $$;
CREATE FUNCTION group_show(f jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT group_json(g) || jsonb_build_object('organisations', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', o.name, 'kind', o.kind,
			'sector', o.sector, 'by', CASE WHEN EXISTS (SELECT 1 FROM organisation_group_member m WHERE m."group" = g.id AND m.organisation = o.id)
				THEN 'name' WHEN g.kind = o.kind THEN 'kind' ELSE 'sector' END) ORDER BY o.name), '[]')
		FROM organisation o WHERE g.id IN (SELECT groups_of(o.id))))
	FROM organisation_group g WHERE g.id = group_named(f ->> 'name')
$$;
CREATE FUNCTION group_list(f jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT page_json(array_agg(group_json(g) ORDER BY g.id), array_agg(g.id ORDER BY g.id), page_limit(f)) FROM (SELECT * FROM organisation_group
		WHERE id > coalesce((f ->> 'cursor')::int, 0) ORDER BY id LIMIT page_limit(f) + 1) g
$$;
CREATE FUNCTION group_new(f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM group_put(f, true);
	RETURN group_show(f);
END $$;
CREATE FUNCTION group_set(f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	PERFORM group_put(f, false);
	RETURN group_show(f);
END $$;
CREATE FUNCTION group_add(f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO organisation_group_member ("group", organisation) SELECT group_named(f ->> 'name'), org_named(o)
		FROM jsonb_array_elements_text(f -> 'organisation') AS o ON CONFLICT DO NOTHING;
	RETURN group_show(f);
END $$;
CREATE FUNCTION group_remove(f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	one text;
BEGIN
	FOR one IN SELECT jsonb_array_elements_text(f -> 'organisation') LOOP
		DELETE FROM organisation_group_member WHERE "group" = group_named(f ->> 'name') AND organisation = org_named(one);
		IF NOT FOUND THEN
			RAISE EXCEPTION '"%" is not in the group by name', one USING ERRCODE = 'no_data_found';
		END IF;
	END LOOP;
	RETURN group_show(f);
END $$;
CREATE FUNCTION group_delete(f jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	gone int := group_named(f ->> 'name');
BEGIN
	DELETE FROM organisation_group_member WHERE "group" = gone;
	DELETE FROM organisation_group WHERE id = gone;
	RETURN jsonb_build_object('name', f ->> 'name');
END $$;

-- ---- whose is it ----

CREATE FUNCTION org_who(f jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
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

-- ---- open reports after a change ----

-- How far the keeper is: from the newest report down. One row or none.
CREATE TABLE attribution_walk (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	upto bigint NOT NULL,             -- of the queue: what this walk answers
	span tstzrange NOT NULL,
	next bigint NOT NULL DEFAULT 9223372036854775807, -- reports below it have yet to be looked at
	looked bigint NOT NULL DEFAULT 0,
	changed bigint NOT NULL DEFAULT 0,
	began timestamptz NOT NULL DEFAULT now()
);

-- Whose a report is now; 0: nobody's that we serve.
CREATE FUNCTION organisation_now(r report) RETURNS int LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce((SELECT organisation FROM organisation_at(r.type, r.title, r.observables, r.asn, r.first_seen)),
		(SELECT h.organisation FROM report_version v, organisation_at(r.type, v.title, v.observables, 0, r.first_seen) h WHERE v.report = r.id
			ORDER BY v.id DESC LIMIT 1), 0)
$$;

CREATE FUNCTION attribution_moved(r report, st report_status, owner int) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	wants int;
BEGIN
	INSERT INTO report_status (report, organisation) VALUES (r.id, owner)
		ON CONFLICT (report) DO UPDATE SET organisation = excluded.organisation, changed = now();
	IF owner = 0 OR coalesce(st.state, 'new') <> 'new' OR EXISTS (SELECT 1 FROM case_report c WHERE c.report = r.id AND c.ended IS NULL)
		OR EXISTS (SELECT 1 FROM correlation_queue c WHERE c.report = r.id) THEN
		RETURN;
	END IF;
	r.organisation := owner;
	wants := correlation_rule_of(r, coalesce(st.severity, r.severity));
	INSERT INTO correlation_queue (report, rule) SELECT r.id, wants WHERE wants IS NOT NULL;
END $$;

-- One batch of the walk, in one short transaction. What was told to anybody stays told; what is rejected or gone stays as it is.
CREATE FUNCTION keeper_attribute(batch int) RETURNS TABLE (taken int, changed int) LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
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
		CONTINUE WHEN st.state = 'rejected' OR st.gone_at IS NOT NULL;
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

-- As before, but that a report which was somebody's and is nobody's any more is foreign.
CREATE OR REPLACE FUNCTION notice_facts(reports bigint[], at timestamptz)
RETURNS TABLE (report bigint, exercise int, source int, type rsit_type, identifier text, severity int, organisation int, host inet,
	country text, cirt int, abuse text, of_tlp tlp, of_pap pap, over text)
LANGUAGE sql STABLE ROWS 1000 SET search_path = cirt, pg_temp AS $$
	SELECT r.id, r.exercise, r.source, r.type, r.identifier, coalesce(st.severity, r.severity)::int,
		nullif(coalesce(st.organisation, r.organisation), 0), h.host, coalesce(a.country, ''), a.cirt, coalesce(a.abuse, ''), r.tlp, r.pap,
		CASE WHEN st.state = 'rejected' THEN 'rejected: ' || st.reject_reason WHEN st.revoked IS NOT NULL THEN 'revoked by its creator' END
	FROM report r LEFT JOIN report_status st ON st.report = r.id
		CROSS JOIN LATERAL (SELECT address_of(observable_first(r.observables, '{ip}', '{source}')) AS host OFFSET 0) h
		-- Asked only where nobody of ours is concerned.
		LEFT JOIN LATERAL (SELECT x.* FROM (SELECT WHERE nullif(coalesce(st.organisation, r.organisation), 0) IS NULL OFFSET 0) AS nobody,
			LATERAL foreign_of(r.observables, r.asn, r.country, at) x) a ON true
	WHERE r.id = ANY (reports)
$$;

GRANT SELECT ON attribution_queue, attribution_walk TO cirt_desk;
GRANT SELECT, DELETE ON attribution_queue TO cirt_keeper;
GRANT SELECT, INSERT, UPDATE, DELETE ON attribution_walk TO cirt_keeper;
GRANT SELECT ON register_entry TO cirt_keeper, cirt_desk;
REVOKE ALL ON FUNCTION wrong, said_enum, said_prefix, said_asn, said_domain, said_brand, said_entry, said_country, said_language, said_zone,
	said_schedule, said_time, said_validity, said_text, org_named, org_put, contact_put, entry_holders, held_by_other, entry_table, entry_type,
	entry_put, entry_end, entries_changed, organisation_moved, org_json, contact_json, entries_json, org_whole, said_list, org_entries, org_write,
	org_insert, journal_why, org_new, org_set, org_close, org_show, page_limit, page_json, org_list, contact_list, contact_insert, contact_write,
	contact_numbered, contact_new, contact_set, contact_close, group_named, groups_of, group_json, group_put, group_show, group_list, group_new,
	group_set, group_add, group_remove, group_delete, org_who, organisation_now, attribution_moved, keeper_attribute FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wrong, said_enum, said_prefix, said_asn, said_domain, said_brand, said_entry, said_country, said_language, said_zone,
	said_schedule, said_time, said_validity, said_text, org_named, org_put, contact_put, entry_holders, held_by_other, entry_table, entry_type,
	entry_put, entry_end, org_json, contact_json, entries_json, org_whole, said_list, org_entries, org_write, org_insert, journal_why, org_new,
	org_set, org_close, org_show, page_limit, page_json, org_list, contact_list, contact_insert, contact_write, contact_numbered, contact_new,
	contact_set, contact_close, group_named, groups_of, group_json, group_put, group_show, group_list, group_new, group_set, group_add,
	group_remove, group_delete, org_who TO cirt_desk;
GRANT EXECUTE ON FUNCTION groups_of, organisation_now, attribution_moved, keeper_attribute TO cirt_keeper;
