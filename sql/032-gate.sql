-- The gate is asked for every row that leaves: functions that are planned once, or are part of the query that asks.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION gate_decide(of_tlp tlp, of_pap pap, may_notify boolean, restricted boolean, released release_kind,
	kind recipient_kind, exercise boolean, in_directory boolean) RETURNS gate_verdict LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN CASE
		WHEN of_tlp IS NULL OR of_pap IS NULL OR may_notify IS NULL OR restricted IS NULL OR released IS NULL OR kind IS NULL
			OR exercise IS NULL OR in_directory IS NULL THEN 'refuse'
		WHEN exercise AND NOT in_directory THEN 'refuse'
		WHEN kind = 'source' THEN 'allow'
		WHEN of_pap = 'red' AND kind = 'provider' THEN 'refuse'
		WHEN released = 'full' THEN 'allow'
		WHEN released = 'sanitised' THEN 'sanitise'
		WHEN restricted OR NOT may_notify THEN 'ask'
		WHEN of_tlp IN ('red', 'amber+strict') AND kind = 'affected' THEN 'sanitise'
		WHEN of_tlp IN ('red', 'amber+strict') THEN 'ask'
		WHEN of_pap = 'amber' AND kind = 'provider' THEN 'approve'
		WHEN of_tlp = 'amber' AND kind = 'foreign' THEN 'approve'
		WHEN of_tlp IN ('amber', 'green') AND kind = 'provider' THEN 'sanitise'
		WHEN of_tlp IN ('amber', 'green', 'clear') THEN 'allow'
		ELSE 'refuse'
	END;
END $$;
ALTER FUNCTION gate_lets(gate_verdict, disclosure_form, boolean) RESET search_path;

CREATE OR REPLACE FUNCTION in_directory(of_exercise int, of_address text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN EXISTS (SELECT 1 FROM exercise_directory d WHERE d.exercise = of_exercise
		AND d.address IN (lower(of_address), '@' || lower(split_part(of_address, '@', 2))));
END $$;

CREATE OR REPLACE FUNCTION released(of_report bigint) RETURNS release_kind LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
BEGIN
	RETURN coalesce((SELECT granted FROM release WHERE report = of_report AND granted IS NOT NULL
		ORDER BY answered DESC, id DESC LIMIT 1), 'none');
END $$;

CREATE OR REPLACE FUNCTION gate_report(of_report bigint, of_kind recipient_kind, to_address text) RETURNS gate_verdict
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	r record;
BEGIN
	SELECT t.tlp, t.pap, t.exercise, s.may_notify_affected, s.restricted INTO r
		FROM report t JOIN source s ON s.id = t.source WHERE t.id = of_report;
	IF NOT FOUND THEN
		RETURN 'refuse';
	END IF;
	RETURN gate_decide(r.tlp, r.pap, r.may_notify_affected, r.restricted, released(of_report), of_kind, r.exercise <> 0,
		r.exercise <> 0 AND in_directory(r.exercise, to_address));
END $$;

CREATE OR REPLACE FUNCTION disclosure_lets(d_report bigint, d_outbox bigint, d_form disclosure_form) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	o record;
BEGIN
	SELECT b.state, b.recipient, b.address, b.approved_by, b.exercise INTO o FROM outbox b WHERE b.id = d_outbox;
	RETURN FOUND AND o.state = 'queued' AND o.exercise = (SELECT r.exercise FROM report r WHERE r.id = d_report)
		AND gate_lets(gate_report(d_report, o.recipient, o.address), d_form, cardinality(o.approved_by) >= 2);
END $$;
