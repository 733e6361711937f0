-- What a new desk begins with.
SET LOCAL search_path = cirt, pg_temp;
SELECT set_config('cirt.actor', 'migration', true);

INSERT INTO source (id, name, kind, trust, tlp) VALUES (1, 'desk', 'desk', 80, 'amber');
INSERT INTO source (id, name, kind, trust, tlp, format, match, type) VALUES
	(2, 'report', 'mailbox', 40, 'amber', 'mail', 'report@ incident@ cert@', NULL),
	(3, 'phish', 'mailbox', 40, 'amber', 'mail', 'phish@', 'phishing'),
	(4, 'abuse', 'mailbox', 40, 'amber', 'mail', 'abuse@', NULL);
ALTER TABLE source ALTER id RESTART WITH 100;

INSERT INTO tag (name, meaning) VALUES
	('ransomware', 'data encrypted or stolen for a ransom'),
	('defacement', 'a web site changed by strangers'),
	('election', 'touches an election'),
	('bec', 'business mail compromise'),
	('press', 'the press asks or writes about it');

-- Quiet for longer than this, and it is a relapse. NULL: all other types.
INSERT INTO fold_rule (type, quiet) VALUES
	(NULL, '7 days'),
	('scanner', '1 day'), ('brute-force', '1 day'), ('ids-alert', '1 day'), ('exploit', '1 day'),
	('dos', '6 hours'), ('ddos', '6 hours'), ('outage', '6 hours'),
	('spam', '2 days'), ('phishing', '7 days'), ('malware-distribution', '7 days'),
	('infected-system', '7 days'), ('c2-server', '14 days'), ('malware-configuration', '14 days'),
	('ddos-amplifier', '14 days'), ('potentially-unwanted-accessible', '14 days'), ('information-disclosure', '14 days'),
	('vulnerable-system', '14 days'), ('weak-crypto', '14 days'),
	('test', '1 hour');

-- People's mail and intrusions open a case at once; feeds and sensors make notices, and a case only where severity or the
-- organisation is critical.
INSERT INTO correlation_rule (priority, name, kinds, class, type, min_severity, critical, mode, keys, span) VALUES
	(10, 'test', NULL, NULL, 'test', NULL, NULL, 'by-hand', '{report}', '1 day'),
	(20, 'phishing', '{mailbox,desk}', NULL, 'phishing', NULL, NULL, 'digest', '{type,name}', '7 days'),
	(30, 'spam', NULL, NULL, 'spam', NULL, NULL, 'by-hand', '{report}', '1 day'),
	(40, 'people', '{mailbox,desk}', NULL, NULL, NULL, NULL, 'at-once', '{type,host,name,malware,identifier}', '7 days'),
	(50, 'intrusion', NULL, 'intrusions', NULL, NULL, NULL, 'at-once', '{type,organisation,host}', '14 days'),
	(60, 'c2', NULL, NULL, 'c2-server', 60, NULL, 'at-once', '{type,host,name,malware}', '14 days'),
	(70, 'critical-infrastructure', NULL, NULL, NULL, 40, true, 'at-once', '{class,organisation,host}', '7 days'),
	(80, 'critical', NULL, NULL, NULL, 80, NULL, 'digest', '{type,organisation,host}', '7 days'),
	(1000, 'rest', NULL, NULL, NULL, NULL, NULL, 'by-hand', '{report}', '7 days');

SELECT partitions_ahead(3);
