-- What happened to mails out of late, without reading all of them; and the counters of what leaves.
SET LOCAL search_path = cirt, pg_temp;

CREATE INDEX outbox_sent ON outbox (sent) WHERE sent IS NOT NULL;
CREATE INDEX outbox_bounced ON outbox (bounced) WHERE bounced IS NOT NULL;
CREATE INDEX outbox_answered ON outbox (answered) WHERE answered IS NOT NULL;
CREATE INDEX outbox_failed ON outbox (id) WHERE state = 'failed';
CREATE INDEX disclosure_put ON disclosure USING brin (put) WITH (pages_per_range = 16);

-- The one table of what is counted in the database of the register, of rules and of mails out: `cirt status` shows it, and whoever
-- else asks for figures reads it here. Each counts now, or what happened within the last day; what rises for ever is counted by the
-- rooms themselves. An owner's function: it tells numbers, and names of rules.
CREATE FUNCTION counters() RETURNS TABLE (name text, labels jsonb, value bigint, help text) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	WITH open AS MATERIALIZED (
		SELECT o.state, o.kind, o.waits_for, o.created, o.due FROM outbox o WHERE o.state IN ('bundling', 'held', 'ready')
		UNION ALL SELECT o.state, o.kind, '', o.created, o.due FROM outbox o WHERE o.state = 'queued'
		UNION ALL SELECT o.state, o.kind, '', o.created, o.due FROM outbox o WHERE o.state = 'failed'),
	late AS MATERIALIZED (SELECT d.recipient, d.cause, d.form, d.rule, d.told IS NOT NULL AS told, d.left_out IS NOT NULL AS left_out
		FROM disclosure d WHERE d.put > now() - interval '1 day'),
	undone AS MATERIALIZED (SELECT w.outcome, w.rule FROM (VALUES ('asks-permission'::warning_outcome), ('held'), ('no-contact'),
			('suppressed'), ('not-ours')) k (outcome), LATERAL (SELECT x.outcome, x.rule FROM warning x WHERE x.outcome = k.outcome
			AND x.outcome NOT IN ('told', 'waiting') AND x.decided > now() - interval '1 day' LIMIT 100000) w)
	SELECT 'outbox_mails', jsonb_build_object('state', state, 'kind', kind), count(*), 'mails out that are not sent' FROM open GROUP BY state, kind
	UNION ALL SELECT 'outbox_held', jsonb_build_object('waits_for', coalesce(nullif(waits_for, ''), 'other')), count(*),
		'mails that wait for somebody' FROM open WHERE state = 'held' GROUP BY waits_for
	UNION ALL SELECT 'outbox_oldest_seconds', '{}', coalesce(extract(epoch FROM now() - min(created)), 0)::bigint,
		'age of the oldest mail that is the courier''s to send' FROM open WHERE state = 'queued'
	UNION ALL SELECT 'outbox_sent_day', '{}', count(*), 'mails sent within a day' FROM outbox WHERE sent > now() - interval '1 day'
	UNION ALL SELECT 'outbox_bounced_day', '{}', count(*), 'mails that came back within a day' FROM outbox
		WHERE bounced > now() - interval '1 day'
	UNION ALL SELECT 'outbox_answered_day', '{}', count(*), 'mails answered within a day' FROM outbox WHERE answered > now() - interval '1 day'
	UNION ALL SELECT 'disclosures_day', jsonb_build_object('recipient', recipient, 'cause', cause, 'form', form), count(*),
		'reports put into mails within a day' FROM late GROUP BY recipient, cause, form
	UNION ALL SELECT 'disclosures_left_out_day', '{}', count(*), 'reports that the gate let in, and not out' FROM late WHERE left_out
	UNION ALL SELECT 'reports_not_told_day', jsonb_build_object('outcome', outcome), count(*), 'reports that nobody was told of, and why'
		FROM undone GROUP BY outcome
	UNION ALL SELECT 'rule_hits_day', jsonb_build_object('rule', coalesce((SELECT n.name FROM notify_rule n WHERE n.id = h.rule),
			CASE WHEN h.rule IS NULL THEN 'none' ELSE 'rule ' || h.rule END)), count(*), 'reports that a rule decided about within a day'
		FROM (SELECT l.rule FROM late l UNION ALL SELECT u.rule FROM undone u) h GROUP BY h.rule
	UNION ALL SELECT 'arrivals_waiting', '{}', count(*), 'batches that nobody has looked at yet'
		FROM (SELECT FROM notice_arrival LIMIT 100000) a
	UNION ALL SELECT 'releases_asked', '{}', count(*), 'questions to sources without an answer' FROM release WHERE granted IS NULL
	UNION ALL SELECT 'register', jsonb_build_object('what', 'organisations'), count(*), 'entries of the register' FROM organisation
	UNION ALL SELECT 'register', jsonb_build_object('what', 'contacts'), count(*), 'entries of the register' FROM contact
	UNION ALL SELECT 'register', jsonb_build_object('what', 'contacts_bounced'), count(*), 'entries of the register' FROM contact
		WHERE bounced IS NOT NULL
	UNION ALL SELECT 'register', jsonb_build_object('what', 'groups'), count(*), 'entries of the register' FROM organisation_group
	UNION ALL SELECT 'register', jsonb_build_object('what', 'rules'), count(*), 'entries of the register' FROM notify_rule WHERE NOT draft
	-- Files of registries have hundreds of thousands of rows: the server's own estimate.
	UNION ALL SELECT 'register', jsonb_build_object('what', t.what), greatest(c.reltuples, 0)::bigint, 'entries of the register'
		FROM (VALUES ('prefixes', 'organisation_prefix'), ('asns', 'organisation_asn'), ('domains', 'organisation_domain'),
			('brands', 'organisation_brand'), ('delegations', 'delegation'), ('abuse_contacts', 'abuse_contact')) t (what, tab)
		JOIN pg_class c ON c.oid = to_regclass('cirt.' || t.tab)
$$;
REVOKE ALL ON FUNCTION counters FROM PUBLIC;
GRANT EXECUTE ON FUNCTION counters TO cirt_desk;
