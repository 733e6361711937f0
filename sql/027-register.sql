-- The constituency: whose networks these are, whom to tell, and whose the rest of the world's are.
SET LOCAL search_path = cirt, pg_temp;
SELECT set_config('cirt.actor', 'migration', true);

-- Who made a row: an operator, an import of his own file, or what a registry publishes. A registry's never changes another's.
CREATE TYPE register_origin AS ENUM ('hand', 'import', 'registry');

CREATE TYPE organisation_kind AS ENUM ('government', 'bank', 'isp', 'hospital', 'utility', 'education', 'media', 'business',
	'sector-cirt', 'national-cirt', 'other');
CREATE TYPE criticality AS ENUM ('normal', 'important', 'critical');

ALTER TABLE organisation
	ADD kind organisation_kind NOT NULL DEFAULT 'other',
	ADD parent int REFERENCES organisation,           -- a ministry of its agencies, a sector CIRT of what it looks after
	ADD valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
	ADD origin register_origin NOT NULL DEFAULT 'hand',
	ADD handle text NOT NULL DEFAULT '',              -- of a registry: ORG-EX1-RIPE
	ADD note text NOT NULL DEFAULT '',
	ADD changed timestamptz NOT NULL DEFAULT now(),
	ADD CHECK (parent <> id),
	ADD CHECK (octet_length(name) BETWEEN 1 AND 300 AND name !~ '[[:cntrl:]]');
CREATE INDEX organisation_handle ON organisation (handle) WHERE handle <> '';

ALTER TABLE organisation_prefix ADD origin register_origin NOT NULL DEFAULT 'hand';
ALTER TABLE organisation_asn ADD origin register_origin NOT NULL DEFAULT 'hand';
ALTER TABLE organisation_domain ADD origin register_origin NOT NULL DEFAULT 'hand';
CREATE INDEX organisation_prefix_within ON organisation_prefix USING gist (prefix inet_ops);

-- Names that are imitated: what stands in a phishing page, not a domain.
CREATE TABLE organisation_brand (
	organisation int NOT NULL REFERENCES organisation ON DELETE CASCADE,
	brand text NOT NULL CHECK (brand = lower(brand) AND octet_length(brand) BETWEEN 2 AND 200),
	valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
	PRIMARY KEY (brand, organisation, valid)
);
CREATE TRIGGER brand_revision AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON organisation_brand
	EXECUTE FUNCTION revision_raise('organisation');

CREATE TYPE contact_role AS ENUM ('security', 'abuse', 'technical', 'management', 'legal', 'press', 'duty', 'other');
CREATE TYPE notice_format AS ENUM ('csv', 'xarf', 'inline');
CREATE TYPE key_policy AS ENUM ('required', 'preferred', 'never');

CREATE TABLE contact (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	organisation int NOT NULL REFERENCES organisation,
	name text NOT NULL DEFAULT '' CHECK (octet_length(name) <= 300 AND name !~ '[[:cntrl:]]'),
	role contact_role NOT NULL,
	email text NOT NULL DEFAULT '' CHECK (email = '' OR (email ~ '^[^@\s<>,;:"\\[:cntrl:]]+@[^@\s<>,;:"\\[:cntrl:]]+$'
		AND octet_length(email) <= 320)),
	phone text NOT NULL DEFAULT '' CHECK (octet_length(phone) <= 100 AND phone !~ '[[:cntrl:]]'),
	language text NOT NULL DEFAULT 'en' CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
	zone text NOT NULL DEFAULT 'UTC',                 -- of its clocks, such as Europe/Vienna
	schedule text NOT NULL DEFAULT 'always',          -- or 'Mon-Fri 08:00-16:00', in its zone
	format notice_format NOT NULL DEFAULT 'csv',
	policy key_policy NOT NULL DEFAULT 'preferred',
	pgp text NOT NULL DEFAULT '' CHECK (pgp ~ '^([0-9A-F]{40}|[0-9A-F]{64})?$'), -- fingerprint of a key in the keyring
	smime text NOT NULL DEFAULT '' CHECK (smime ~ '^([0-9A-F]{40}|[0-9A-F]{64})?$'),
	priority int NOT NULL DEFAULT 100,                -- the lowest of a role is asked first
	valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
	origin register_origin NOT NULL DEFAULT 'hand',
	bounced timestamptz,                              -- since when its mails come back; NULL: they do not
	tested timestamptz,                               -- when it last answered a test
	changed timestamptz NOT NULL DEFAULT now(),
	CHECK (email <> '' OR phone <> '')
);
CREATE INDEX contact_organisation ON contact (organisation, role, priority, id);
CREATE INDEX contact_email ON contact (lower(email)) WHERE email <> '';

-- What organisations are told by one name: a list, and all of a sector or kind.
CREATE TABLE organisation_group (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
	title text NOT NULL DEFAULT '',
	sector text NOT NULL DEFAULT '',                  -- all organisations of it; '' none
	kind organisation_kind                            -- all organisations of it; NULL none
);
CREATE TABLE organisation_group_member (
	"group" int NOT NULL REFERENCES organisation_group ON DELETE CASCADE,
	organisation int NOT NULL REFERENCES organisation ON DELETE CASCADE,
	PRIMARY KEY ("group", organisation)
);
CREATE INDEX organisation_group_of ON organisation_group_member (organisation);

CREATE TRIGGER organisation_journal AFTER INSERT OR UPDATE OR DELETE ON organisation FOR EACH ROW
	EXECUTE FUNCTION journal_row('organisation', 'id');
CREATE TRIGGER prefix_journal AFTER INSERT OR UPDATE OR DELETE ON organisation_prefix FOR EACH ROW
	EXECUTE FUNCTION journal_row('organisation', 'organisation');
CREATE TRIGGER asn_journal AFTER INSERT OR UPDATE OR DELETE ON organisation_asn FOR EACH ROW
	EXECUTE FUNCTION journal_row('organisation', 'organisation');
CREATE TRIGGER domain_journal AFTER INSERT OR UPDATE OR DELETE ON organisation_domain FOR EACH ROW
	EXECUTE FUNCTION journal_row('organisation', 'organisation');
CREATE TRIGGER brand_journal AFTER INSERT OR UPDATE OR DELETE ON organisation_brand FOR EACH ROW
	EXECUTE FUNCTION journal_row('organisation', 'organisation');
CREATE TRIGGER contact_journal AFTER INSERT OR UPDATE OR DELETE ON contact FOR EACH ROW
	EXECUTE FUNCTION journal_row('contact', 'id');
CREATE TRIGGER group_journal AFTER INSERT OR UPDATE OR DELETE ON organisation_group FOR EACH ROW
	EXECUTE FUNCTION journal_row('group', 'id');
CREATE TRIGGER group_member_journal AFTER INSERT OR UPDATE OR DELETE ON organisation_group_member FOR EACH ROW
	EXECUTE FUNCTION journal_row('group', 'group');

-- The rest of the world, as registries publish it: in which country an address is used, and who takes complaints about it.
CREATE TABLE delegation (
	prefix cidr PRIMARY KEY,
	country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
	registry text NOT NULL
);
CREATE INDEX delegation_within ON delegation USING gist (prefix inet_ops);
CREATE TABLE delegation_asn (
	first bigint PRIMARY KEY CHECK (first BETWEEN 0 AND 4294967295),
	last bigint NOT NULL CHECK (last BETWEEN first AND 4294967295),
	country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
	registry text NOT NULL
);
CREATE TABLE abuse_contact (
	prefix cidr PRIMARY KEY,
	email text NOT NULL,
	registry text NOT NULL
);
CREATE INDEX abuse_contact_within ON abuse_contact USING gist (prefix inet_ops);

GRANT SELECT ON organisation_brand TO cirt_store, cirt_keeper, cirt_desk;
GRANT SELECT ON contact, organisation_group, organisation_group_member, delegation, delegation_asn, abuse_contact TO cirt_keeper, cirt_desk;
GRANT INSERT, UPDATE ON contact, organisation_group TO cirt_desk;
GRANT INSERT, UPDATE, DELETE ON organisation_brand, organisation_group_member, delegation, delegation_asn, abuse_contact TO cirt_desk;
GRANT DELETE ON organisation_group TO cirt_desk;
