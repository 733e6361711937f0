-- Whom to warn of what: rules, the first of which that holds decides, and whom each would reach.
SET LOCAL search_path = cirt, pg_temp;
SELECT set_config('cirt.actor', 'migration', true);

CREATE TYPE notice_whose AS ENUM ('any', 'ours', 'foreign');

-- In the order of `position`. Drafts stand beside the rules that hold, to be tried on what came in before they take effect. NULL
-- and '' hold for every report.
CREATE TABLE notify_rule (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	draft boolean NOT NULL DEFAULT false,
	of int,                           -- of a draft: the rule that it changes; NULL: a new one
	position int NOT NULL,
	name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$' AND name !~ '^[0-9]+$'),
	whose notice_whose NOT NULL DEFAULT 'any', -- ours: an organisation of the register. foreign: nobody's that we serve
	organisation int REFERENCES organisation,
	"group" int REFERENCES organisation_group,
	country text NOT NULL DEFAULT '' CHECK (country ~ '^([A-Z]{2})?$'), -- of what is foreign
	prefix cidr,                      -- the source's address
	class text NOT NULL DEFAULT '',
	type rsit_type,
	identifier text NOT NULL DEFAULT '' CHECK (octet_length(identifier) <= 200), -- * stands for anything
	source int REFERENCES source,
	min_severity int CHECK (min_severity BETWEEN 0 AND 100),
	suppress boolean NOT NULL DEFAULT false,
	-- All of these are told, of "a|b" the first that there is: a role of the organisation's own contacts, parent, contact:ID,
	-- address:ADDRESS, group:NAME, national-cirt, abuse-desk, as:RULE.
	recipients text[] NOT NULL DEFAULT '{}',
	format notice_format,             -- NULL: the contact's
	language text NOT NULL DEFAULT '' CHECK (language ~ '^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$'), -- '': the contact's
	template text NOT NULL DEFAULT '' CHECK (template ~ '^([a-z0-9][a-z0-9._-]{0,63})?$'), -- '': by class
	repeat interval CHECK (repeat > '0'), -- NULL: notice_repeat() of the type
	note text NOT NULL DEFAULT '' CHECK (octet_length(note) <= 2000),
	UNIQUE (draft, name),
	UNIQUE (draft, position) DEFERRABLE INITIALLY DEFERRED,
	CHECK (suppress = (cardinality(recipients) = 0)),
	CHECK (draft OR of IS NULL)
);
-- A draft is nobody's word yet: it is journalled when it takes effect.
CREATE TRIGGER notify_rule_journal_new AFTER INSERT ON notify_rule FOR EACH ROW WHEN (NOT NEW.draft)
	EXECUTE FUNCTION journal_row('rule', 'id');
CREATE TRIGGER notify_rule_journal AFTER UPDATE ON notify_rule FOR EACH ROW WHEN (NOT NEW.draft)
	EXECUTE FUNCTION journal_row('rule', 'id');
CREATE TRIGGER notify_rule_journal_gone AFTER DELETE ON notify_rule FOR EACH ROW WHEN (NOT OLD.draft)
	EXECUTE FUNCTION journal_row('rule', 'id');

-- How long nothing is said again about what goes on: shorter where a machine is in strange hands.
CREATE FUNCTION notice_repeat(type rsit_type) RETURNS interval LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN rsit_class(type) IN ('malicious-code', 'intrusions') THEN interval '7 days' ELSE interval '30 days' END
$$;

-- A pattern as LIKE takes it.
CREATE FUNCTION notice_like(pattern text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT replace(replace(replace(replace(pattern, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%')
$$;

-- All organisations of a group: its list, and all of its sector or kind.
CREATE FUNCTION group_holds(of_group int) RETURNS SETOF int LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT m.organisation FROM organisation_group_member m WHERE m."group" = of_group
	UNION SELECT o.id FROM organisation_group g JOIN organisation o ON (g.sector <> '' AND o.sector = g.sector) OR o.kind = g.kind
	WHERE g.id = of_group
$$;

CREATE FUNCTION group_has(of_group int, of_organisation int) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN EXISTS (SELECT 1 FROM group_holds(of_group) AS g WHERE g = of_organisation);
END $$;

-- ---- whom a rule reaches ----

-- Is somebody there? 'always', or days and hours in the contact's own zone: 'Mon-Fri 08:00-16:00'. What does not read so is always.
CREATE FUNCTION schedule_holds(schedule text, zone text, at timestamptz) RETURNS boolean LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	days text[] := ARRAY['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
	said text[] := regexp_match(lower(schedule), '^([a-z]{3})(?:-([a-z]{3}))? (\d\d:\d\d)-(\d\d:\d\d)$');
	here timestamp;
	day int;
	first int;
	last int;
BEGIN
	IF said IS NULL THEN
		RETURN true;
	END IF;
	here := timezone(zone, at);
	day := extract(isodow FROM here);
	first := array_position(days, said[1]);
	last := coalesce(array_position(days, said[2]), first);
	RETURN coalesce(CASE WHEN first <= last THEN day BETWEEN first AND last ELSE day >= first OR day <= last END, true)
		AND to_char(here, 'HH24:MI') >= said[3] AND to_char(here, 'HH24:MI') < said[4];
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN true; -- a zone that nobody knows
END $$;

CREATE FUNCTION contact_has_key(c contact, at timestamptz) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT (c.pgp <> '' AND coalesce(c.pgp_expires > at, true)) OR (c.smime <> '' AND coalesce(c.smime_expires > at, true))
$$;

-- The contact of an organisation for a role: who is there first, then by priority. Where that one wants it encrypted and has no key
-- that is valid, another one of theirs who has.
CREATE FUNCTION contact_for(of_organisation int, of_role contact_role, at timestamptz) RETURNS contact LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	c contact;
	other contact;
BEGIN
	SELECT * INTO c FROM contact k WHERE k.organisation = of_organisation AND k.role = of_role AND k.valid @> at AND k.email <> ''
		AND k.bounced IS NULL ORDER BY schedule_holds(k.schedule, k.zone, at) DESC, k.priority, k.id LIMIT 1;
	IF c.id IS NULL OR c.policy <> 'required' OR contact_has_key(c, at) THEN
		RETURN c;
	END IF;
	SELECT * INTO other FROM contact k WHERE k.organisation = of_organisation AND k.valid @> at AND k.email <> '' AND k.bounced IS NULL
		AND k.policy <> 'never' AND k.role IN ('security', 'abuse', 'technical', 'duty', 'management') AND contact_has_key(k, at)
		ORDER BY k.role = of_role DESC, k.priority, k.id LIMIT 1;
	RETURN CASE WHEN other.id IS NULL THEN c ELSE other END;
END $$;

-- What an organisation is to a report of another's.
CREATE FUNCTION recipient_kind_of(of_organisation int, affected int) RETURNS recipient_kind LANGUAGE sql STABLE
SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN o.id = affected THEN 'affected'
		WHEN o.kind = 'national-cirt' THEN 'foreign'
		WHEN o.kind = 'sector-cirt' OR o.id = (SELECT parent FROM organisation WHERE id = affected) THEN 'sector'
		ELSE 'provider' END::recipient_kind
	FROM organisation o WHERE o.id = of_organisation
$$;

-- One word of a rule's recipients as addresses: none, where there is nobody.
CREATE FUNCTION notice_reach(word text, affected int, cirt int, abuse text, at timestamptz)
RETURNS TABLE (contact int, organisation int, recipient recipient_kind, address text, language text, format notice_format)
LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	what text := split_part(word, ':', 1);
	which text := substr(word, length(what) + 2);
	c contact;
BEGIN
	IF what = 'abuse-desk' THEN
		IF abuse <> '' THEN
			RETURN QUERY SELECT NULL::int, NULL::int, 'provider'::recipient_kind, lower(abuse), 'en', 'xarf'::notice_format;
		END IF;
		RETURN;
	ELSIF what = 'address' THEN
		RETURN QUERY SELECT NULL::int, NULL::int, 'provider'::recipient_kind, which, 'en', 'csv'::notice_format;
		RETURN;
	ELSIF what = 'group' THEN
		RETURN QUERY SELECT k.id, k.organisation, recipient_kind_of(k.organisation, affected), k.email, k.language, k.format
			FROM organisation_group g, group_holds(g.id) AS o, LATERAL contact_for(o, 'security', at) k
			WHERE g.name = which AND k.id IS NOT NULL;
		RETURN;
	ELSIF what = 'contact' THEN
		SELECT * INTO c FROM contact k WHERE k.id = which::int AND k.valid @> at AND k.bounced IS NULL AND k.email <> '';
	ELSIF what = 'national-cirt' OR what = 'parent' THEN
		c := contact_for(CASE what WHEN 'parent' THEN (SELECT o.parent FROM organisation o WHERE o.id = affected) ELSE cirt END, 'security', at);
	ELSE
		c := contact_for(affected, what::contact_role, at);
	END IF;
	IF c.id IS NOT NULL THEN
		RETURN QUERY SELECT c.id, c.organisation, recipient_kind_of(c.organisation, affected), c.email, c.language, c.format;
	END IF;
END $$;

-- All recipients of a rule, each address once. Of "as:RULE" those of that rule; entry has seen to it that this ends.
CREATE FUNCTION notice_recipients(of_rule int, affected int, cirt int, abuse text, at timestamptz, depth int DEFAULT 0)
RETURNS TABLE (contact int, organisation int, recipient recipient_kind, address text, language text, format notice_format)
LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	r notify_rule;
	ways text;
	way text;
BEGIN
	SELECT * INTO r FROM notify_rule n WHERE n.id = of_rule;
	FOREACH ways IN ARRAY coalesce(r.recipients, '{}') LOOP
		FOREACH way IN ARRAY string_to_array(ways, '|') LOOP
			IF way LIKE 'as:%' AND depth < 10 THEN
				RETURN QUERY SELECT x.* FROM notify_rule n, notice_recipients(n.id, affected, cirt, abuse, at, depth + 1) x
					WHERE n.draft = r.draft AND n.name = substr(way, 4);
			ELSIF way NOT LIKE 'as:%' THEN
				RETURN QUERY SELECT x.* FROM notice_reach(way, affected, cirt, abuse, at) x;
			END IF;
			EXIT WHEN FOUND;
		END LOOP;
	END LOOP;
END $$;

-- ---- which rule ----

-- What rules ask of a report.
CREATE FUNCTION notice_facts(reports bigint[], at timestamptz)
RETURNS TABLE (report bigint, exercise int, source int, type rsit_type, identifier text, severity int, organisation int, host inet,
	country text, cirt int, abuse text, of_tlp tlp, of_pap pap, over text)
LANGUAGE sql STABLE ROWS 1000 SET search_path = cirt, pg_temp AS $$
	SELECT r.id, r.exercise, r.source, r.type, r.identifier, coalesce(st.severity, r.severity)::int, coalesce(st.organisation, r.organisation),
		h.host, coalesce(a.country, ''), a.cirt, coalesce(a.abuse, ''), r.tlp, r.pap,
		CASE WHEN st.state = 'rejected' THEN 'rejected: ' || st.reject_reason WHEN st.revoked IS NOT NULL THEN 'revoked by its creator' END
	FROM report r LEFT JOIN report_status st ON st.report = r.id
		CROSS JOIN LATERAL (SELECT address_of(observable_first(r.observables, '{ip}', '{source}')) AS host OFFSET 0) h
		-- Asked only where nobody of ours is concerned.
		LEFT JOIN LATERAL (SELECT x.* FROM (SELECT WHERE coalesce(st.organisation, r.organisation) IS NULL OFFSET 0) AS nobody,
			LATERAL foreign_of(r.observables, r.asn, r.country, at) x) a ON true
	WHERE r.id = ANY (reports)
$$;

-- Why a rule does not hold for a report; NULL: it does. Without SET and subqueries, so that it becomes part of the query that asks.
CREATE FUNCTION notice_misses(n notify_rule, of_organisation int, of_country text, host inet, of_type rsit_type, of_identifier text,
	of_source int, of_severity int) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE
		WHEN n.whose = 'ours' AND of_organisation IS NULL THEN 'nobody''s that we serve'
		WHEN n.whose = 'foreign' AND of_organisation IS NOT NULL THEN 'not foreign'
		WHEN n.organisation <> of_organisation OR (n.organisation IS NOT NULL AND of_organisation IS NULL) THEN 'another organisation'
		WHEN n.type <> of_type THEN 'another type'
		WHEN n.class <> '' AND n.class <> cirt.rsit_class(of_type) THEN 'another class'
		WHEN n.source <> of_source THEN 'another source'
		WHEN n.min_severity > coalesce(of_severity, -1) THEN 'less severe'
		WHEN n.country <> '' AND (of_organisation IS NOT NULL OR n.country IS DISTINCT FROM of_country) THEN 'another country'
		WHEN n.identifier <> '' AND of_identifier NOT LIKE cirt.notice_like(n.identifier) THEN 'another identifier'
		WHEN n.prefix IS NOT NULL AND (host IS NULL OR NOT host <<= n.prefix) THEN 'another address'
		WHEN n."group" IS NOT NULL AND (of_organisation IS NULL OR NOT cirt.group_has(n."group", of_organisation)) THEN 'not of the group'
	END
$$;

INSERT INTO notify_rule (position, name, type, suppress, note) VALUES (10, 'tests', 'test', true, 'what says that it is a test');
INSERT INTO notify_rule (position, name, whose, recipients, note) VALUES
	(1000, 'constituents', 'ours', '{security|abuse|technical|duty|management}', 'whose network it is'),
	(1010, 'elsewhere', 'foreign', '{national-cirt|abuse-desk}', 'the national CIRT of the country, else who takes complaints');

REVOKE ALL ON FUNCTION notice_repeat, notice_like, group_holds, group_has, schedule_holds, contact_has_key, contact_for, recipient_kind_of,
	notice_reach, notice_recipients, notice_facts, notice_misses FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice_repeat, notice_like, group_holds, group_has, schedule_holds, contact_has_key, contact_for, recipient_kind_of,
	notice_reach, notice_recipients, notice_facts, notice_misses TO cirt_keeper, cirt_desk;
GRANT SELECT ON notify_rule TO cirt_keeper, cirt_desk;
GRANT INSERT, UPDATE, DELETE ON notify_rule TO cirt_desk;
