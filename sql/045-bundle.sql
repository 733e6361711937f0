-- Mails that gather are found, not forced: nobody but the one keeper begins them, and a person may make two alike.
SET LOCAL search_path = cirt, pg_temp;

DROP INDEX outbox_bundle;
CREATE INDEX outbox_bundle ON outbox (address, due) WHERE state = 'bundling' AND kind = 'notice';

CREATE OR REPLACE FUNCTION notice_bundle(of_kind outbox_kind, of_due timestamptz, of_state outbox_state, domain text) RETURNS int LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	made int;
BEGIN
	INSERT INTO outbox (kind, state, why, waits_for, approvals, exercise, organisation, contact, recipient, address, language, format,
			template, form, tlp, due, released_by, message_id)
		SELECT of_kind, CASE WHEN of_state <> 'bundling' AND w.approvals > 0 THEN 'held' ELSE of_state END,
			CASE WHEN w.approvals > 0 THEN 'two people have to let it go' ELSE '' END,
			CASE WHEN of_state <> 'bundling' AND w.approvals > 0 THEN 'approval' ELSE '' END, w.approvals, w.exercise, w.organisation,
			w.contact, w.recipient, w.address, w.language, w.format, w.template, w.form,
			max(CASE WHEN w.form = 'full' THEN w.of_tlp ELSE 'amber' END), of_due, CASE of_state WHEN 'queued' THEN actor() END,
			'<' || gen_random_uuid() || '@' || domain || '>'
		FROM notice_work w WHERE w.address IS NOT NULL
		GROUP BY w.exercise, w.organisation, w.contact, w.recipient, w.address, w.language, w.format, w.template, w.form, w.approvals
		HAVING of_state <> 'bundling' OR NOT EXISTS (SELECT 1 FROM outbox o WHERE o.state = 'bundling' AND o.kind = of_kind AND o.due = of_due
			AND o.address = w.address AND o.exercise = w.exercise AND o.recipient = w.recipient AND o.form = w.form
			AND o.language = w.language AND o.format = w.format AND o.template = w.template AND o.approvals = w.approvals
			AND o.contact IS NOT DISTINCT FROM w.contact AND o.organisation IS NOT DISTINCT FROM w.organisation)
		ORDER BY w.address;
	GET DIAGNOSTICS made = ROW_COUNT;
	UPDATE notice_work w SET outbox = o.id FROM outbox o
		WHERE w.address IS NOT NULL AND o.kind = of_kind AND o.due = of_due AND o.address = w.address AND o.exercise = w.exercise
			AND o.recipient = w.recipient AND o.form = w.form AND o.language = w.language AND o.format = w.format
			AND o.template = w.template AND o.approvals = w.approvals AND o.contact IS NOT DISTINCT FROM w.contact
			AND o.organisation IS NOT DISTINCT FROM w.organisation
			AND CASE of_state WHEN 'bundling' THEN o.state = 'bundling' ELSE o.created = now() END;
	RETURN made;
END $$;
