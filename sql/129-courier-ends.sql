-- The gate of each row is planned once and not for each: a mail of 100,000 rows took minutes of planning. Partitions are told by the
-- parameter, before any is opened.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION disclosure_lets(d_report bigint, d_outbox bigint, d_form disclosure_form) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	q record;
BEGIN
	SELECT b.state, b.recipient, b.exercise AS lane, cardinality(b.approved_by) >= 2 AS approved, r.tlp, r.pap, r.exercise,
			s.may_notify_affected, s.restricted,
			coalesce((SELECT e.granted FROM release e WHERE e.report = d_report AND e.granted IS NOT NULL
				ORDER BY e.answered DESC, e.id DESC LIMIT 1), 'none') AS released,
			b.exercise <> 0 AND in_directory(b.exercise, b.address) AS inside,
			b.recipient <> 'affected' OR b.organisation IS NULL OR coalesce(coalesce(st.organisation, r.organisation) = b.organisation, true) AS theirs
		INTO q FROM outbox b JOIN report r ON r.id = d_report JOIN source s ON s.id = r.source
			LEFT JOIN report_status st ON st.report = d_report WHERE b.id = d_outbox;
	RETURN FOUND AND q.state = 'queued' AND q.lane = q.exercise AND q.theirs AND gate_lets(gate_decide(q.tlp, q.pap, q.may_notify_affected,
		q.restricted, q.released, q.recipient, q.exercise <> 0, q.inside), d_form, q.approved);
END $$;

-- Why it waited before is over once it is out; why it went to another contact than it was meant for is not.
CREATE OR REPLACE FUNCTION courier_sent(which bigint, me uuid, said text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	o outbox;
	n bigint;
BEGIN
	SELECT * INTO o FROM outbox WHERE id = which AND state IN ('queued', 'held', 'failed', 'cancelled') AND bytes IS NOT NULL AND attempts > 0
		FOR UPDATE;
	IF o.id IS NULL THEN
		RETURN false;
	END IF;
	UPDATE disclosure SET told = now() WHERE outbox = which AND left_out IS NULL AND told IS NULL;
	GET DIAGNOSTICS n = ROW_COUNT;
	UPDATE outbox SET state = 'sent', sent = now(), why = CASE WHEN starts_with(o.why, 'to ' || o.address || ' and not ') THEN o.why ELSE '' END,
			reply = left(said, 1000), holder = NULL, held_until = NULL WHERE id = which;
	PERFORM journal_add('outbox/' || o.number, 'sent', NULL, jsonb_build_object('address', o.address, 'message_id', o.message_id, 'told', n,
		'tlp', o.tlp, 'form', o.form, 'sealed', o.sealed, 'courier', me, 'bytes', encode(sha256(o.bytes), 'hex'), 'reply', left(said, 1000))::text);
	RETURN true;
END $$;
