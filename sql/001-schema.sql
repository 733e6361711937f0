-- The schema, the words people use as enums, and who watches for changes.
CREATE SCHEMA IF NOT EXISTS cirt;
REVOKE ALL ON SCHEMA cirt FROM PUBLIC;
GRANT USAGE ON SCHEMA cirt TO cirt_store, cirt_keeper, cirt_desk, cirt_exchange;
SET LOCAL search_path = cirt, pg_temp;

-- What has been applied; written by whoever applies a migration, in the migration's own transaction.
CREATE TABLE migration (
	version int PRIMARY KEY,
	name text NOT NULL,
	digest text, -- SHA-256 of the file in hex
	applied timestamptz NOT NULL DEFAULT now()
);

CREATE TYPE tlp AS ENUM ('clear', 'green', 'amber', 'amber+strict', 'red');
CREATE TYPE pap AS ENUM ('clear', 'green', 'amber', 'red');

-- Reference Security Incident Taxonomy, in the order of daemon/model/rsit.c; a test holds the two together.
CREATE TYPE rsit_type AS ENUM (
	'spam', 'harmful-speech', 'violence',
	'infected-system', 'c2-server', 'malware-distribution', 'malware-configuration',
	'scanner', 'sniffing', 'social-engineering',
	'ids-alert', 'brute-force', 'exploit',
	'privileged-account-compromise', 'unprivileged-account-compromise', 'application-compromise', 'system-compromise',
	'burglary',
	'dos', 'ddos', 'misconfiguration', 'sabotage', 'outage',
	'unauthorised-information-access', 'unauthorised-information-modification', 'data-loss', 'data-leak',
	'unauthorised-use-of-resources', 'copyright', 'masquerade', 'phishing',
	'weak-crypto', 'ddos-amplifier', 'potentially-unwanted-accessible', 'information-disclosure', 'vulnerable-system',
	'other', 'undetermined',
	'test');

CREATE FUNCTION rsit_class(type rsit_type) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE
		WHEN type <= 'violence' THEN 'abusive-content'
		WHEN type <= 'malware-configuration' THEN 'malicious-code'
		WHEN type <= 'social-engineering' THEN 'information-gathering'
		WHEN type <= 'exploit' THEN 'intrusion-attempts'
		WHEN type <= 'burglary' THEN 'intrusions'
		WHEN type <= 'outage' THEN 'availability'
		WHEN type <= 'data-leak' THEN 'information-content-security'
		WHEN type <= 'phishing' THEN 'fraud'
		WHEN type <= 'vulnerable-system' THEN 'vulnerable'
		WHEN type <= 'undetermined' THEN 'other'
		ELSE 'test'
	END
$$;

CREATE TYPE source_kind AS ENUM ('mailbox', 'sensor', 'feed', 'taxii', 'desk');
CREATE TYPE source_format AS ENUM ('auto', 'mail', 'lines', 'stix');
CREATE TYPE report_state AS ENUM ('new', 'linked', 'noticed', 'answered', 'rejected');
CREATE TYPE reject_reason AS ENUM ('spam', 'not-ours', 'false-alarm', 'duplicate', 'test');
CREATE TYPE item_kind AS ENUM ('correspondence', 'spam', 'context');
CREATE TYPE disposition AS ENUM ('processed', 'quarantined', 'discarded');
CREATE TYPE quarantine_state AS ENUM ('quarantined', 'released', 'processed', 'discarded');
CREATE TYPE report_link_kind AS ENUM ('relapse', 'continuation', 'same-incident', 'similar', 'unfolded');
CREATE TYPE operator_role AS ENUM ('viewer', 'trainee', 'analyst', 'lead', 'admin');
CREATE TYPE case_state AS ENUM ('new', 'open', 'waiting', 'contained', 'resolved', 'closed', 'rejected', 'merged');
CREATE TYPE case_link_kind AS ENUM ('merged', 'split', 'related');
CREATE TYPE party_role AS ENUM ('reporter', 'affected', 'imitated', 'source-owner', 'hoster', 'registrar', 'police', 'regulator',
	'partner');
CREATE TYPE correlation_mode AS ENUM ('at-once', 'digest', 'by-hand');

-- 0..100 inside, five words outside; daemon/model/severity.c says the same.
CREATE FUNCTION severity_name(severity int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE
		WHEN severity IS NULL OR severity < 0 THEN 'unknown'
		WHEN severity < 20 THEN 'info'
		WHEN severity < 40 THEN 'low'
		WHEN severity < 60 THEN 'medium'
		WHEN severity < 80 THEN 'high'
		ELSE 'critical'
	END
$$;

-- Small tables that rooms keep in memory. Each change raises the table's revision and says so on channel cirt_changed, with
-- the name as payload; who missed the notification compares revisions.
CREATE TABLE revision (
	what text PRIMARY KEY,
	revision bigint NOT NULL DEFAULT 1
);
INSERT INTO revision (what) VALUES ('source'), ('organisation'), ('exercise'), ('fold_rule'), ('correlation_rule'), ('fold_undo');

CREATE FUNCTION revision_raise() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	UPDATE revision SET revision = revision + 1 WHERE what = TG_ARGV[0];
	PERFORM pg_notify('cirt_changed', TG_ARGV[0]);
	RETURN NULL;
END $$;

-- Refuses whatever it is a trigger for.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '% of % is not allowed: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'insufficient_privilege';
END $$;
