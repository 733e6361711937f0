-- Who works, who tells, who is served: by the tables' own triggers. :organisations to be served.
SET search_path = cirt, pg_temp;
SET TimeZone = 'UTC';
SELECT set_config('cirt.actor', 'bench', false);
BEGIN;
INSERT INTO node (name) VALUES ('bench') ON CONFLICT DO NOTHING;
INSERT INTO operator (name, role) SELECT 'bench' || n, CASE WHEN n < 3 THEN 'lead' WHEN n < 10 THEN 'analyst' ELSE 'trainee' END::operator_role
	FROM generate_series(1, 12) n;
-- Silent on purpose: nobody pulls these.
INSERT INTO source (name, kind, trust, tlp) SELECT 'bench-feed-' || n, 'feed', 60, 'green' FROM generate_series(1, 16) n;
INSERT INTO source (name, kind, trust, tlp) SELECT 'bench-sensor-' || n, 'sensor', 70, 'green' FROM generate_series(1, 4) n;
INSERT INTO source (name, kind, trust, tlp) SELECT 'bench-post-' || n, 'mailbox', 50, 'amber' FROM generate_series(1, 4) n;
UPDATE source SET enabled = kind <> 'feed' WHERE name LIKE 'bench-%';
INSERT INTO organisation (name, kind, sector, country, criticality) SELECT 'Bench organisation ' || n, (enum_range(NULL::organisation_kind))[1 + n % 9],
		(ARRAY['energy', 'finance', 'health', 'transport', 'telecom'])[1 + n % 5], 'AT', CASE WHEN n % 25 = 0 THEN 'critical' ELSE 'normal' END::criticality
	FROM generate_series(1, :organisations) n;
CREATE SCHEMA bench;
CREATE TABLE bench.organisation AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM organisation WHERE name LIKE 'Bench %';
INSERT INTO organisation_prefix (organisation, prefix) SELECT id, set_masklen('10.0.0.0'::inet + 4096 * place, 20)::cidr FROM bench.organisation;
INSERT INTO organisation_domain (organisation, domain) SELECT id, 'org' || place || '.example' FROM bench.organisation;
INSERT INTO organisation_asn (organisation, asn) SELECT id, 4200000000 + place FROM bench.organisation WHERE place % 5 = 0;
INSERT INTO organisation_brand (organisation, brand) SELECT id, 'brand ' || place FROM bench.organisation WHERE place % 10 = 0;
INSERT INTO contact (organisation, role, email, language) SELECT o.id, r.role, r.role || '@org' || o.place || '.example', 'en'
	FROM bench.organisation o, (VALUES ('security'::contact_role), ('abuse')) r(role);
INSERT INTO organisation_group (name, sector) SELECT 'bench-' || s, s FROM unnest(ARRAY['energy', 'finance', 'health', 'transport', 'telecom']) s;
INSERT INTO organisation_group (name) SELECT 'bench-group-' || n FROM generate_series(1, 25) n;
INSERT INTO organisation_group_member SELECT g.id, o.id FROM organisation_group g, bench.organisation o
	WHERE g.name LIKE 'bench-group-%' AND o.place BETWEEN 5 AND 19;
INSERT INTO tag (name) SELECT 'bench-' || n FROM generate_series(1, 40) n;
INSERT INTO notify_rule (position, name, organisation, recipients, note) SELECT 100 + o.place, 'bench-' || o.place, o.id, '{security}', 'at their wish'
	FROM bench.organisation o WHERE o.place < 20;
-- No report is there yet whose organisation could have changed.
DELETE FROM attribution_queue;
COMMIT;
