-- The one box finds what somebody was told by what was told and by address, each by its index: asked for as one
-- condition, all mails there ever were would be read.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION search_notices(what text, found bigint[], p jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH ids AS MATERIALIZED (SELECT d.outbox AS id FROM disclosure d WHERE d.report = ANY (found)
			UNION (SELECT x.id FROM outbox x WHERE position('@' IN what) > 0 AND lower(x.address) = lower(what) ORDER BY x.id DESC LIMIT 1000)),
		o AS MATERIALIZED (SELECT o.id, o.number, o.state, o.address, o.sent, o.bounced, o.answered FROM outbox o
			WHERE o.id = ANY (ARRAY(SELECT i.id FROM ids i)) AND o.state <> 'cancelled' AND outbox_visible(o, p) ORDER BY o.id DESC LIMIT 200)
	SELECT jsonb_build_object('count', (SELECT count(*) FROM o), 'sent', (SELECT count(*) FROM o WHERE sent IS NOT NULL),
		'bounced', (SELECT count(*) FROM o WHERE bounced IS NOT NULL), 'answered', (SELECT count(*) FROM o WHERE answered IS NOT NULL),
		'last', (SELECT jsonb_build_object('number', l.number, 'address', l.address, 'state', l.state, 'sent', stamp(l.sent),
			'answered', stamp(l.answered)) FROM o l ORDER BY l.id DESC LIMIT 1))
$$;
