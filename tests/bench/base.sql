-- Who works, who tells, who is served: for `make bench-data`. scale: reports to come / 500 organisations.
SET search_path = cirt, pg_temp;
SET TimeZone = 'UTC';
SELECT set_config('cirt.actor', 'bench', false);
INSERT INTO node (name) VALUES ('bench') ON CONFLICT DO NOTHING;
INSERT INTO operator (name, role) SELECT 'bench' || n, CASE WHEN n < 3 THEN 'lead' WHEN n < 10 THEN 'analyst' ELSE 'trainee' END::operator_role
	FROM generate_series(1, 12) n ON CONFLICT DO NOTHING;
INSERT INTO source (name, kind, trust, tlp) SELECT 'bench-feed-' || n, 'feed', 60, 'green' FROM generate_series(1, 8) n ON CONFLICT DO NOTHING;
INSERT INTO source (name, kind, trust, tlp) VALUES ('bench-post', 'mailbox', 50, 'amber') ON CONFLICT DO NOTHING;
INSERT INTO organisation (name, kind, sector, country) SELECT 'Bench organisation ' || n, (enum_range(NULL::organisation_kind))[1 + n % 9],
		(ARRAY['energy', 'finance', 'health', 'transport', 'telecom'])[1 + n % 5], 'AT'
	FROM generate_series(1, :organisations) n ON CONFLICT DO NOTHING;
INSERT INTO organisation_prefix (organisation, prefix)
	SELECT o.id, set_masklen('10.0.0.0'::inet + 4096 * row_number() OVER (ORDER BY o.id), 24)::cidr FROM organisation o WHERE o.name LIKE 'Bench %'
	ON CONFLICT DO NOTHING;
INSERT INTO organisation_domain (organisation, domain) SELECT o.id, 'org' || o.id || '.example' FROM organisation o WHERE o.name LIKE 'Bench %'
	ON CONFLICT DO NOTHING;
INSERT INTO contact (organisation, role, email, language) SELECT o.id, r.role, r.role || '@org' || o.id || '.example', 'en'
	FROM organisation o, (VALUES ('security'::contact_role), ('abuse')) r(role)
	WHERE o.name LIKE 'Bench %' AND NOT EXISTS (SELECT 1 FROM contact k WHERE k.organisation = o.id);
INSERT INTO organisation_group (name, sector) SELECT 'bench-' || s, s FROM unnest(ARRAY['energy', 'finance', 'health', 'transport', 'telecom']) s
	ON CONFLICT DO NOTHING;
INSERT INTO tag (name) SELECT 'bench-' || n FROM generate_series(1, 20) n ON CONFLICT DO NOTHING;
SELECT partitions_ahead(1);
