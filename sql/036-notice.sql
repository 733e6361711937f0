-- Notices: what becomes of each report that somebody may have to be warned of, mails out of many of them, repeats and relapses.
SET LOCAL search_path = cirt, pg_temp;
SELECT set_config('cirt.actor', 'migration', true);

-- waiting: in a mail that is not sent yet. told: somebody was. held: a person has to look, `why` says at what.
CREATE TYPE warning_outcome AS ENUM ('waiting', 'told', 'asks-permission', 'held', 'no-contact', 'suppressed', 'not-ours');

-- One row a report, as it stands now; what was told to whom is in disclosure.
CREATE TABLE warning (
	report bigint PRIMARY KEY,
	exercise int NOT NULL,
	organisation int,                 -- when it was decided
	outcome warning_outcome NOT NULL,
	why text NOT NULL DEFAULT '',
	rule int,                         -- notify_rule
	repeat interval,
	decided timestamptz NOT NULL DEFAULT now(),
	next timestamptz,                 -- when it is looked at again; NULL: not by the clock
	notices int NOT NULL DEFAULT 0,   -- so often it was put into mails
	first_told timestamptz,
	last_told timestamptz,
	gone timestamptz,                 -- last seen when it was gone first, after it was told
	relapses int NOT NULL DEFAULT 0,  -- and came back so often
	relapsed timestamptz,
	continued bigint                  -- the report that goes on with it, and counts instead
) WITH (fillfactor = 80);
CREATE INDEX warning_next ON warning (next) WHERE next IS NOT NULL;
CREATE INDEX warning_organisation ON warning (organisation, report);
CREATE INDEX warning_not ON warning (outcome, decided) WHERE outcome NOT IN ('told', 'waiting');

-- One mail gathers what goes to one address in one form, until it is due.
CREATE UNIQUE INDEX outbox_bundle ON outbox (address, exercise, due, recipient, form, language, format, template, approvals,
	coalesce(contact, 0), coalesce(organisation, 0)) WHERE state = 'bundling' AND kind = 'notice';

-- ---- what is to be done with each ----

-- The rule for each report and whom it reaches, as the gate lets it: one row a report and recipient, and one without an address
-- where nobody is told. by_hand: an operator says that it is told, so that no rule suppresses it.
CREATE FUNCTION notice_plan(reports bigint[], of_draft boolean, by_hand boolean, at timestamptz)
RETURNS TABLE (report bigint, rule int, repeat interval, outcome warning_outcome, why text, exercise int, affected int, contact int,
	organisation int, recipient recipient_kind, address text, language text, format notice_format, template text, form disclosure_form,
	approvals int, of_tlp tlp)
LANGUAGE sql STABLE ROWS 1000 SET search_path = cirt, pg_temp AS $$
	WITH facts AS MATERIALIZED (SELECT * FROM notice_facts(reports, at)),
	ruled AS MATERIALIZED (SELECT f.*, n.id AS rule, coalesce(n.repeat, notice_repeat(f.type)) AS repeat, n.suppress, n.name, n.template,
			n.format, n.language
		FROM facts f LEFT JOIN LATERAL (SELECT * FROM notify_rule n WHERE n.draft = of_draft AND NOT (by_hand AND n.suppress)
			AND notice_misses(n, f.organisation, f.country, f.host, f.type, f.identifier, f.source, f.severity) IS NULL
			ORDER BY n.position LIMIT 1) n ON true),
	ways AS MATERIALIZED (SELECT DISTINCT r.rule, r.organisation, r.cirt, r.abuse FROM ruled r WHERE NOT r.suppress AND r.over IS NULL),
	whom AS MATERIALIZED (SELECT DISTINCT ON (w.rule, w.organisation, w.cirt, w.abuse, lower(x.address)) w.rule, w.organisation AS affected,
			w.cirt, w.abuse, x.* FROM ways w, LATERAL notice_recipients(w.rule, w.organisation, w.cirt, w.abuse, at) x
		ORDER BY w.rule, w.organisation, w.cirt, w.abuse, lower(x.address), x.recipient),
	asked AS (SELECT r.report, r.rule, r.repeat, r.suppress, r.name, r.over, r.exercise, r.organisation AS affected, r.country, w.contact,
			w.organisation, w.recipient, w.address, coalesce(nullif(r.language, ''), w.language) AS language,
			coalesce(r.format, w.format) AS format, coalesce(r.template, '') AS template, r.of_tlp, g.verdict
		FROM ruled r JOIN source s ON s.id = r.source
		LEFT JOIN whom w ON w.rule = r.rule AND w.affected IS NOT DISTINCT FROM r.organisation AND w.cirt IS NOT DISTINCT FROM r.cirt
			AND w.abuse IS NOT DISTINCT FROM r.abuse AND NOT r.suppress AND r.over IS NULL
		LEFT JOIN LATERAL (SELECT gate_decide(r.of_tlp, r.of_pap, s.may_notify_affected, s.restricted, released(r.report), w.recipient,
			r.exercise <> 0, r.exercise <> 0 AND in_directory(r.exercise, w.address)) AS verdict OFFSET 0) g ON w.address IS NOT NULL)
	SELECT a.report, a.rule, a.repeat,
		CASE WHEN a.over IS NOT NULL OR a.suppress THEN 'suppressed'
			WHEN a.rule IS NULL THEN 'suppressed'
			WHEN a.address IS NULL AND a.affected IS NULL THEN 'not-ours'
			WHEN a.address IS NULL THEN 'no-contact'
			WHEN a.verdict = 'ask' THEN 'asks-permission'
			WHEN a.verdict = 'refuse' THEN 'held'
			ELSE 'waiting' END::warning_outcome,
		CASE WHEN a.over IS NOT NULL THEN a.over
			WHEN a.rule IS NULL THEN 'no rule holds for it'
			WHEN a.suppress THEN 'rule ' || a.name
			WHEN a.address IS NULL AND a.affected IS NULL THEN
				'nobody''s that we serve, and nobody is known for ' || coalesce(nullif(a.country, ''), 'where it is')
			WHEN a.address IS NULL THEN 'rule ' || a.name || ' reaches nobody of theirs'
			WHEN a.verdict = 'ask' THEN 'TLP:' || upper(a.of_tlp::text) || ': its source has to allow it (' || a.recipient || ')'
			WHEN a.verdict = 'refuse' AND a.exercise <> 0 THEN a.address || ' is not in the drill''s directory'
			WHEN a.verdict = 'refuse' THEN 'PAP does not let it out to a ' || a.recipient
			WHEN a.verdict = 'approve' THEN 'two people have to let it go'
			ELSE '' END,
		a.exercise, a.affected, a.contact, a.organisation, a.recipient,
		CASE WHEN a.verdict IN ('allow', 'sanitise', 'approve') THEN a.address END, a.language, a.format, a.template,
		CASE a.verdict WHEN 'sanitise' THEN 'sanitised' ELSE 'full' END::disclosure_form,
		CASE a.verdict WHEN 'approve' THEN 2 ELSE 0 END, a.of_tlp
	FROM asked a
$$;

-- ---- the queue ----

-- Up to so many reports that have landed; a batch that is larger keeps the rest.
CREATE FUNCTION notice_take(most int) RETURNS bigint[] LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	a notice_arrival;
	ids bigint[] := '{}';
	room int;
BEGIN
	LOOP
		room := most - cardinality(ids);
		EXIT WHEN room <= 0;
		SELECT * INTO a FROM notice_arrival ORDER BY id LIMIT 1 FOR UPDATE;
		EXIT WHEN a.id IS NULL;
		ids := ids || a.reports[1:room];
		IF cardinality(a.reports) > room THEN
			UPDATE notice_arrival SET reports = a.reports[room + 1:] WHERE id = a.id;
		ELSE
			DELETE FROM notice_arrival WHERE id = a.id;
		END IF;
	END LOOP;
	RETURN ids;
END $$;

-- A new report that only goes on with one that has grown old takes its place: what was told was told of it.
CREATE FUNCTION notice_continue(ids bigint[]) RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	WITH went AS (SELECT l.a AS fresh, w.* FROM report_link l JOIN warning w ON w.report = l.b
			WHERE l.a = ANY (ids) AND l.kind = 'continuation' AND w.continued IS NULL),
		made AS (INSERT INTO warning (report, exercise, organisation, outcome, why, rule, repeat, next, notices, first_told, last_told, gone,
				relapses, relapsed)
			SELECT fresh, exercise, organisation, CASE outcome WHEN 'waiting' THEN 'told' ELSE outcome END, why, rule, repeat,
				coalesce(last_told, now()) + repeat, notices, first_told, last_told, gone, relapses, relapsed
			FROM went WHERE outcome IN ('told', 'waiting') ON CONFLICT DO NOTHING RETURNING report)
	UPDATE warning w SET continued = went.fresh, next = NULL FROM went, made WHERE w.report = went.report AND made.report = went.fresh
$$;

-- Of what is due again: still seen, and not only long ago. The rest waits until it is; what no fingerprint holds any more comes
-- back as a new report, if at all. What is still there after two notices is for a person.
CREATE FUNCTION notice_due(most int, OUT ids bigint[], OUT cases int) LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	all_due bigint[] := ARRAY(SELECT w.report FROM warning w WHERE w.next <= now() ORDER BY w.next LIMIT greatest(most, 0) FOR UPDATE);
BEGIN
	cases := 0;
	ids := ARRAY(SELECT w.report FROM warning w LEFT JOIN report_status st ON st.report = w.report,
			LATERAL (SELECT max(g.last) AS last FROM sighting g WHERE g.report = w.report) n
		WHERE w.report = ANY (all_due) AND st.gone_at IS NULL
			AND CASE WHEN w.last_told IS NOT NULL THEN n.last > w.last_told AND n.last > now() - interval '2 days'
				ELSE n.last > now() - interval '7 days' END);
	UPDATE warning w SET next = CASE WHEN EXISTS (SELECT 1 FROM report r JOIN fingerprint f ON f.digest = r.fingerprint
			AND f.exercise = r.exercise AND f.tlp = r.tlp AND f.scope = r.scope AND f.report = r.id WHERE r.id = w.report)
			THEN now() + interval '3 hours' END
		WHERE w.report = ANY (all_due) AND w.report <> ALL (ids);
	IF cardinality(ids) > 0 THEN
		INSERT INTO correlation_queue (report, rule) SELECT w.report, c.id FROM warning w, correlation_rule c
			WHERE w.report = ANY (ids) AND w.notices >= 2 AND w.last_told IS NOT NULL AND c.name = 'still-there' AND c.enabled
				AND NOT EXISTS (SELECT 1 FROM case_report cr WHERE cr.report = w.report AND cr.ended IS NULL)
				AND NOT EXISTS (SELECT 1 FROM correlation_queue q WHERE q.report = w.report);
		GET DIAGNOSTICS cases = ROW_COUNT;
	END IF;
END $$;

INSERT INTO correlation_rule (priority, name, kinds, class, type, min_severity, critical, mode, keys, span) VALUES
	-- Reached by two notices only: the rule before it holds for everything.
	(2000, 'still-there', NULL, NULL, NULL, NULL, NULL, 'at-once', '{type,organisation,identifier}', '31 days');

-- The mails that a plan needs, made where there are none that still gather.
CREATE UNLOGGED TABLE notice_work (
	report bigint NOT NULL,
	rule int,
	repeat interval,
	outcome warning_outcome NOT NULL,
	why text NOT NULL,
	exercise int NOT NULL,
	affected int,
	contact int,
	organisation int,
	recipient recipient_kind,
	address text,
	language text,
	format notice_format,
	template text,
	form disclosure_form,
	approvals int,
	of_tlp tlp,
	outbox bigint
);

CREATE FUNCTION notice_bundle(of_kind outbox_kind, of_due timestamptz, of_state outbox_state, domain text) RETURNS int LANGUAGE plpgsql
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
		ORDER BY w.address
		ON CONFLICT (address, exercise, due, recipient, form, language, format, template, approvals, coalesce(contact, 0),
			coalesce(organisation, 0)) WHERE state = 'bundling' AND kind = 'notice' DO NOTHING;
	GET DIAGNOSTICS made = ROW_COUNT;
	UPDATE notice_work w SET outbox = o.id FROM outbox o
		WHERE w.address IS NOT NULL AND o.kind = of_kind AND o.due = of_due AND o.address = w.address AND o.exercise = w.exercise
			AND o.recipient = w.recipient AND o.form = w.form AND o.language = w.language AND o.format = w.format
			AND o.template = w.template AND o.approvals = w.approvals AND o.contact IS NOT DISTINCT FROM w.contact
			AND o.organisation IS NOT DISTINCT FROM w.organisation
			AND CASE of_state WHEN 'bundling' THEN o.state = 'bundling' ELSE o.created = now() END;
	RETURN made;
END $$;

-- The rows of disclosure, and how each report stands now.
CREATE FUNCTION notice_disclose(by_hand boolean) RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	put int;
BEGIN
	INSERT INTO disclosure (report, outbox, cause, rule)
		SELECT DISTINCT ON (w.outbox, w.report) w.report, w.outbox, CASE WHEN by_hand THEN 'one-shot'
				WHEN v.relapsed > v.last_told THEN 'relapse' WHEN v.last_told IS NOT NULL THEN 'repeat'
				WHEN EXISTS (SELECT 1 FROM report_link l WHERE l.a = w.report AND l.kind = 'relapse') THEN 'relapse' ELSE 'new' END, w.rule
		FROM notice_work w LEFT JOIN warning v ON v.report = w.report WHERE w.outbox IS NOT NULL ORDER BY w.outbox, w.report
		ON CONFLICT (outbox, report) DO NOTHING;
	GET DIAGNOSTICS put = ROW_COUNT;
	INSERT INTO warning AS v (report, exercise, organisation, outcome, why, rule, repeat, next, notices)
		SELECT DISTINCT ON (w.report) w.report, w.exercise, w.affected, w.outcome, w.why, w.rule, w.repeat,
			CASE w.outcome WHEN 'waiting' THEN NULL WHEN 'asks-permission' THEN NULL WHEN 'not-ours' THEN NULL
				WHEN 'suppressed' THEN now() + coalesce(w.repeat, '30 days') ELSE now() + interval '1 day' END,
			CASE w.outcome WHEN 'waiting' THEN 1 ELSE 0 END
		FROM notice_work w ORDER BY w.report, w.outcome
		ON CONFLICT (report) DO UPDATE SET organisation = excluded.organisation, outcome = excluded.outcome, why = excluded.why,
			rule = excluded.rule, repeat = excluded.repeat, next = excluded.next, decided = now(), notices = v.notices + excluded.notices;
	RETURN put;
END $$;

-- One batch, in one transaction: what has landed first, then what is due again. due: when mails that begin now are full.
CREATE FUNCTION keeper_notices(most int, due timestamptz, domain text)
RETURNS TABLE (taken int, put int, mails int, cases int) LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	fresh bigint[] := notice_take(most);
	again record;
BEGIN
	PERFORM notice_continue(fresh);
	SELECT * INTO again FROM notice_due(most - cardinality(fresh));
	cases := again.cases;
	taken := cardinality(fresh) + cardinality(again.ids);
	put := 0;
	mails := 0;
	IF taken > 0 THEN
		-- What is in a mail, or was told not long ago, waits for its time.
		fresh := ARRAY(SELECT DISTINCT f FROM unnest(fresh) AS f LEFT JOIN warning w ON w.report = f
			WHERE w.report IS NULL OR w.outcome NOT IN ('waiting', 'told'));
		DELETE FROM notice_work;
		INSERT INTO notice_work SELECT p.report, p.rule, p.repeat, p.outcome, p.why, p.exercise, p.affected, p.contact, p.organisation,
			p.recipient, p.address, p.language, p.format, p.template, p.form, p.approvals, p.of_tlp
			FROM notice_plan(fresh || again.ids, false, false, now()) p;
		mails := notice_bundle('notice', due, 'bundling', domain);
		put := notice_disclose(false);
		DELETE FROM notice_work;
	END IF;
	RETURN NEXT;
END $$;

-- The first report of the queue cannot be worked: it is for a person.
CREATE FUNCTION keeper_notice_refused(says text) RETURNS bigint LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := notice_take(1);
BEGIN
	IF cardinality(ids) = 0 THEN
		ids := ARRAY(SELECT w.report FROM warning w WHERE w.next <= now() ORDER BY w.next LIMIT 1);
	END IF;
	INSERT INTO warning AS v (report, exercise, organisation, outcome, why, next) SELECT r.id, r.exercise, r.organisation, 'held',
			'the database refused it: ' || left(says, 500), now() + interval '1 day' FROM report r WHERE r.id = ANY (ids)
		ON CONFLICT (report) DO UPDATE SET outcome = 'held', why = excluded.why, next = excluded.next, decided = now();
	RETURN ids[1];
END $$;

-- Mails whose time has come are full. automatic: they go by themselves; mass: unless there are more of them than that at once.
CREATE FUNCTION keeper_notices_ready(automatic boolean, mass int) RETURNS TABLE (ready int, queued int) LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	n int;
BEGIN
	queued := 0;
	UPDATE outbox o SET state = CASE WHEN o.approvals > cardinality(o.approved_by) THEN 'held' ELSE 'ready' END::outbox_state,
			waits_for = CASE WHEN o.approvals > cardinality(o.approved_by) THEN 'approval' ELSE '' END,
			why = CASE WHEN o.approvals > cardinality(o.approved_by) THEN 'two people have to let it go' ELSE '' END
		WHERE o.state = 'bundling' AND o.due <= now();
	GET DIAGNOSTICS ready = ROW_COUNT;
	IF automatic THEN
		SELECT count(*) INTO n FROM outbox o WHERE o.state = 'ready' AND o.kind = 'notice';
		IF n > mass THEN
			UPDATE outbox o SET state = 'held', waits_for = 'approval', approvals = 2, why = n || ' mails at once: two people have to let them go'
				WHERE o.state = 'ready' AND o.kind = 'notice' AND cardinality(o.approved_by) < 2;
		END IF;
		UPDATE outbox o SET state = 'queued', why = '', waits_for = '' WHERE o.state = 'ready' AND o.kind = 'notice';
		GET DIAGNOSTICS queued = ROW_COUNT;
	END IF;
	RETURN NEXT;
END $$;

-- ---- what comes back ----

-- Told, by whatever says so: from now on its interval runs.
CREATE FUNCTION warning_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	WITH said AS (SELECT n.report, max(n.told) AS told FROM now_rows n JOIN was_rows w ON w.id = n.id
		WHERE n.told IS NOT NULL AND w.told IS NULL AND n.cause <> 'question' GROUP BY n.report),
	kept AS (UPDATE warning v SET outcome = 'told', why = '', first_told = coalesce(v.first_told, s.told), last_told = s.told,
			next = CASE WHEN v.continued IS NULL THEN s.told + coalesce(v.repeat, interval '30 days') END
		FROM said s WHERE v.report = s.report)
	INSERT INTO report_status AS st (report, state) SELECT s.report, 'noticed' FROM said s ORDER BY s.report
		ON CONFLICT (report) DO UPDATE SET state = 'noticed', changed = now() WHERE st.state = 'new';
	-- Left out after all, as the gate had become stricter.
	UPDATE warning v SET outcome = 'held', why = left('left out of a mail: ' || n.left_out, 1000), next = now() + interval '1 day'
		FROM now_rows n JOIN was_rows w ON w.id = n.id
		WHERE v.report = n.report AND n.left_out IS NOT NULL AND w.left_out IS NULL AND v.outcome = 'waiting';
	RETURN NULL;
END $$;
CREATE TRIGGER disclosure_told AFTER UPDATE ON disclosure REFERENCING OLD TABLE AS was_rows NEW TABLE AS now_rows FOR EACH STATEMENT
	EXECUTE FUNCTION warning_told();

-- A mail that does not go, or comes back, has told nobody: its reports wait for another.
CREATE FUNCTION warning_undone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	back boolean := NEW.bounced IS NOT NULL AND OLD.bounced IS NULL;
BEGIN
	UPDATE warning v SET outcome = 'held', decided = now(), next = CASE WHEN NEW.state = 'cancelled' THEN now() + coalesce(v.repeat, '30 days')
			-- Another contact may be reached at once.
			WHEN EXISTS (SELECT 1 FROM contact c WHERE c.id = NEW.contact AND c.bounced IS NOT NULL) THEN now() ELSE now() + interval '1 day' END,
		why = left('mail ' || NEW.number || CASE WHEN back THEN ' came back: ' || NEW.bounce WHEN NEW.state = 'cancelled' THEN ' was cancelled'
			ELSE ' could not be sent: ' || NEW.why END, 1000),
		last_told = CASE WHEN back AND v.last_told = NEW.sent THEN NULL ELSE v.last_told END,
		first_told = CASE WHEN back AND v.first_told = NEW.sent THEN NULL ELSE v.first_told END
	FROM disclosure d WHERE d.outbox = NEW.id AND v.report = d.report AND (back OR v.outcome = 'waiting') AND v.continued IS NULL
		AND NOT EXISTS (SELECT 1 FROM disclosure x JOIN outbox y ON y.id = x.outbox WHERE x.report = d.report AND y.id <> NEW.id
			AND y.created >= NEW.created - interval '1 day' AND y.state NOT IN ('cancelled', 'failed') AND y.bounced IS NULL);
	RETURN NULL;
END $$;
CREATE TRIGGER outbox_undone AFTER UPDATE ON outbox FOR EACH ROW
	WHEN (NEW.kind IN ('notice', 'one-shot') AND ((NEW.state IN ('cancelled', 'failed') AND OLD.state <> NEW.state)
		OR (NEW.bounced IS NOT NULL AND OLD.bounced IS NULL)))
	EXECUTE FUNCTION warning_undone();

-- Gone after it was told, and back again: a relapse is told at once.
CREATE FUNCTION warning_gone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	IF NEW.gone_at IS NOT NULL THEN
		UPDATE warning v SET gone = coalesce(v.gone, NEW.gone_at) WHERE v.report = NEW.report AND v.first_told IS NOT NULL;
	ELSE
		UPDATE warning v SET relapses = v.relapses + 1, relapsed = now(), next = now()
			WHERE v.report = NEW.report AND v.first_told IS NOT NULL AND v.gone IS NOT NULL;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER status_gone AFTER UPDATE OF gone_at ON report_status FOR EACH ROW
	WHEN (NEW.gone_at IS DISTINCT FROM OLD.gone_at AND (NEW.gone_at IS NULL OR OLD.gone_at IS NULL)) EXECUTE FUNCTION warning_gone();
CREATE TRIGGER status_gone_first AFTER INSERT ON report_status FOR EACH ROW
	WHEN (NEW.gone_at IS NOT NULL) EXECUTE FUNCTION warning_gone();

-- The source has answered: what waited for it is looked at again.
CREATE FUNCTION warning_released() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	INSERT INTO notice_arrival (reports) SELECT ARRAY[NEW.report] FROM warning v WHERE v.report = NEW.report AND v.outcome = 'asks-permission';
	RETURN NULL;
END $$;
CREATE TRIGGER release_answered AFTER INSERT OR UPDATE ON release FOR EACH ROW WHEN (NEW.granted IS NOT NULL AND NEW.granted <> 'none')
	EXECUTE FUNCTION warning_released();

-- There is somebody to be told now.
CREATE FUNCTION warning_reachable() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	UPDATE warning v SET next = now() WHERE v.organisation = NEW.organisation AND v.outcome = 'no-contact';
	RETURN NULL;
END $$;
CREATE TRIGGER contact_reachable AFTER INSERT OR UPDATE ON contact FOR EACH ROW WHEN (NEW.email <> '' AND NEW.bounced IS NULL)
	EXECUTE FUNCTION warning_reachable();

-- ---- gone ----

-- Not seen for so many cycles of its feed. A feed that is pulled says how often it lists anew; of lists that come another way each
-- day on which some came counts. What it left out that came since is gone; when it was seen last says `sighting`.
CREATE OR REPLACE FUNCTION keeper_sweep(from_page bigint, pages int, cycles int) RETURNS TABLE (next_page bigint, gone int, back int, expired int)
LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	lower tid := format('(%s,0)', from_page)::tid;
	upper tid := format('(%s,0)', from_page + pages)::tid;
BEGIN
	INSERT INTO report_status AS st (report, gone_at)
		SELECT f.report, max(greatest(n.last, f.last)) FROM fingerprint f JOIN report r ON r.id = f.report JOIN source s ON s.id = r.source
			LEFT JOIN feed_state fs ON fs.source = s.id AND s.kind::text IN ('feed', 'shadowserver'),
			LATERAL (SELECT max(g.last) AS last, max(g.day) AS day FROM sighting g WHERE g.report = f.report) n
		WHERE f.ctid >= lower AND f.ctid < upper AND s.enabled AND r.rule <> 'stix-id' AND f.last < now() - cycles * interval '1 second'
			AND CASE WHEN s.kind::text IN ('feed', 'shadowserver') THEN fs.succeeded > now() - 2 * s.interval_seconds * interval '1 second'
				-- Shadowserver lists once a day, however often it is asked.
				AND greatest(n.last, f.last) + cycles * interval '1 second'
					* CASE WHEN s.kind::text = 'shadowserver' THEN greatest(s.interval_seconds, 86400) ELSE s.interval_seconds END < fs.delivered
			WHEN s.kind IN ('mailbox', 'desk') AND EXISTS (SELECT 1 FROM feed_columns c WHERE c.source = s.id) THEN
				(SELECT count(DISTINCT d.day) FROM ledger_day d WHERE d.source = s.id AND d.day > n.day + 1 AND d.day <= timezone('UTC', now())::date
					AND d.reports + d.folded > 0) >= cycles
			ELSE false END
		GROUP BY f.report ORDER BY f.report
		ON CONFLICT (report) DO UPDATE SET gone_at = excluded.gone_at, changed = now() WHERE st.gone_at IS NULL;
	GET DIAGNOSTICS gone = ROW_COUNT;
	UPDATE report_status st SET gone_at = NULL, changed = now() FROM fingerprint f
		WHERE f.ctid >= lower AND f.ctid < upper AND st.report = f.report AND st.revoked IS NULL
			AND st.gone_at < greatest(f.last, (SELECT max(g.last) FROM sighting g WHERE g.report = f.report));
	GET DIAGNOSTICS back = ROW_COUNT;
	DELETE FROM fingerprint f WHERE f.ctid >= lower AND f.ctid < upper AND f.expires < now();
	GET DIAGNOSTICS expired = ROW_COUNT;
	next_page := from_page + pages;
	IF next_page >= pg_relation_size('fingerprint') / current_setting('block_size')::bigint THEN
		next_page := 0;
	END IF;
	RETURN NEXT;
END $$;

-- What retention takes needs no decision any more.
CREATE FUNCTION warning_retired() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	DELETE FROM warning v WHERE v.report > NEW.month * 10000000000 AND v.report < (NEW.month + 1) * 10000000000
		AND NOT EXISTS (SELECT 1 FROM report r WHERE r.id = v.report);
	RETURN NULL;
END $$;
CREATE TRIGGER warning_retired AFTER INSERT ON retired FOR EACH ROW EXECUTE FUNCTION warning_retired();

REVOKE ALL ON FUNCTION notice_plan, notice_take, notice_continue, notice_due, notice_bundle, notice_disclose, keeper_notices,
	keeper_notice_refused, keeper_notices_ready, warning_told, warning_undone, warning_gone, warning_released, warning_reachable,
	warning_retired FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice_plan, notice_take, notice_continue, notice_due, notice_bundle, notice_disclose, keeper_notices,
	keeper_notice_refused, keeper_notices_ready TO cirt_keeper;
GRANT EXECUTE ON FUNCTION notice_plan, notice_bundle, notice_disclose TO cirt_desk;
GRANT SELECT, INSERT, UPDATE ON warning TO cirt_keeper, cirt_desk;
GRANT SELECT, INSERT, UPDATE, DELETE ON notice_work TO cirt_keeper, cirt_desk;
GRANT SELECT ON feed_columns TO cirt_keeper;
