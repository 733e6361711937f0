-- What the keeper does by the clock and by the queue. Functions of their caller's rights, except where a comment says otherwise.
SET LOCAL search_path = cirt, pg_temp;

-- ---- which case ----

-- The host name in a URL, without user, port and brackets.
CREATE FUNCTION url_host(url text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT lower(coalesce(substring(url FROM '^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(\[[^]/?#]*\]|[^/?#:]*)'), ''))
$$;

CREATE FUNCTION correlation_part(r report, part text) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = cirt, pg_temp AS $$
	SELECT CASE part
		WHEN 'type' THEN r.type::text
		WHEN 'class' THEN rsit_class(r.type)
		WHEN 'organisation' THEN coalesce(r.organisation::text, '')
		WHEN 'host' THEN observable_first(r.observables, '{ip,name}', '{source}')
		WHEN 'name' THEN coalesce(
			nullif(url_host(observable_first(r.observables, '{url}', '{source,target,indicator,imitated,unknown}')), ''),
			observable_first(r.observables, '{name}', '{source,target,indicator,imitated,unknown}'))
		WHEN 'malware' THEN r.malware
		WHEN 'identifier' THEN r.identifier
		WHEN 'sender' THEN observable_first(r.observables, '{email}', '{reporter}')
		WHEN 'source' THEN r.source::text
		WHEN 'report' THEN r.id::text
	END
$$;

-- What groups a report with others under a rule. Type and class alone say too little: a report that has nothing else of what the
-- rule asks for stands alone. A restricted source's reports never share a case with those of others (trap 10).
CREATE FUNCTION correlation_key(r report, parts text[], apart boolean) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = cirt, pg_temp AS $$
	SELECT left(CASE WHEN apart THEN 'source=' || r.source || ' ' ELSE '' END
		|| coalesce(string_agg(p || '=' || correlation_part(r, p), ' ' ORDER BY n), '')
		|| CASE WHEN bool_and(p IN ('type', 'class') OR correlation_part(r, p) = '') THEN ' report=' || r.id ELSE '' END, 500)
	FROM unnest(parts) WITH ORDINALITY AS u(p, n)
$$;

-- The rule for a report as it is now; NULL where none wants a case.
CREATE FUNCTION correlation_rule_of(r report, severity int) RETURNS int LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE WHEN mode <> 'by-hand' THEN id END FROM (
		SELECT c.id, c.mode FROM correlation_rule c JOIN source s ON s.id = r.source LEFT JOIN organisation o ON o.id = r.organisation
		WHERE c.enabled AND (c.kinds IS NULL OR s.kind = ANY (c.kinds)) AND (c.class IS NULL OR c.class = rsit_class(r.type))
			AND (c.type IS NULL OR c.type = r.type)
			AND (c.min_severity IS NULL OR c.min_severity <= coalesce(correlation_rule_of.severity, -1))
			AND (c.critical IS NULL OR c.critical = coalesce(o.critical, false))
		ORDER BY c.priority LIMIT 1) AS first
$$;

-- The batch in hand: filled, used and emptied in one transaction by whoever holds the keeper's lock.
CREATE UNLOGGED TABLE correlation_work (
	queue bigint NOT NULL,
	report bigint NOT NULL,
	rule int NOT NULL,
	mode correlation_mode NOT NULL,
	span interval NOT NULL,
	exercise int NOT NULL,
	key text NOT NULL,
	apart boolean NOT NULL,
	previous bigint,
	severity int,
	case_id bigint,
	old_case bigint
);

-- Take what is due into correlation_work; what no rule wants any more leaves the queue.
CREATE FUNCTION correlation_take(batch int) RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT id FROM correlation_queue WHERE due <= now() ORDER BY id LIMIT batch FOR UPDATE);
BEGIN
	DELETE FROM correlation_work;
	INSERT INTO correlation_work
		SELECT q.id, r.id, c.id, c.mode, c.span, r.exercise, correlation_key(r, c.keys, s.restricted), s.restricted, r.previous,
			coalesce(st.severity, r.severity)
		FROM correlation_queue q
		JOIN report r ON r.id = q.report
		JOIN source s ON s.id = r.source
		JOIN correlation_rule c ON c.id = q.rule AND c.enabled AND c.mode <> 'by-hand'
		LEFT JOIN report_status st ON st.report = r.id
		WHERE q.id = ANY (ids) AND st.state IS DISTINCT FROM 'rejected'
			AND NOT EXISTS (SELECT 1 FROM case_report cr WHERE cr.report = r.id AND cr.ended IS NULL);
	DELETE FROM correlation_queue q WHERE q.id = ANY (ids) AND NOT EXISTS (SELECT 1 FROM correlation_work w WHERE w.queue = q.id);
	RETURN cardinality(ids);
END $$;

-- The case that a case has become by merging.
CREATE FUNCTION case_now(which bigint) RETURNS bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	WITH RECURSIVE way(id, merged_into, step) AS (
		SELECT id, merged_into, 0 FROM cases WHERE id = which
		UNION ALL SELECT c.id, c.merged_into, step + 1 FROM way JOIN cases c ON c.id = way.merged_into WHERE step < 100)
	SELECT id FROM way WHERE merged_into IS NULL
$$;

-- For each key in hand: the case of an open key, else the case of the report that one of them is a relapse of.
CREATE FUNCTION correlation_find() RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	-- A key whose case has ended, or whose time is over, takes no more.
	UPDATE case_key k SET closed = true FROM cases c
		WHERE NOT k.closed AND c.id = case_now(k.case_id) AND (k.until < now() OR c.state IN ('closed', 'rejected'))
			AND EXISTS (SELECT 1 FROM correlation_work w WHERE w.exercise = k.exercise AND w.rule = k.rule AND w.key = k.key);
	UPDATE correlation_work w SET case_id = case_now(k.case_id) FROM case_key k
		WHERE NOT k.closed AND k.exercise = w.exercise AND k.rule = w.rule AND k.key = w.key;
	-- Seen again after a quiet time: into the old case while that is open or not long closed, else into one that names it.
	UPDATE correlation_work w SET case_id = CASE WHEN p.again THEN p.id END, old_case = p.id
		FROM (SELECT DISTINCT ON (v.exercise, v.rule, v.key) v.exercise, v.rule, v.key, c.id,
				c.state NOT IN ('closed', 'rejected') OR c.changed > now() - v.span AS again
			FROM correlation_work v JOIN case_report cr ON cr.report = v.previous AND cr.ended IS NULL
			JOIN cases c ON c.id = case_now(cr.case_id)
			WHERE v.case_id IS NULL AND c.exercise = v.exercise AND c.restricted = v.apart
			ORDER BY v.exercise, v.rule, v.key, c.id DESC) p
		WHERE w.exercise = p.exercise AND w.rule = p.rule AND w.key = p.key;
END $$;

-- Open a case for one key in hand. It says what its gravest report says.
CREATE FUNCTION correlation_open(of_exercise int, of_rule int, of_key text) RETURNS bigint LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	fresh bigint;
	old bigint;
BEGIN
	INSERT INTO cases (title, severity, tlp, pap, type, identifier, organisation, restricted, exercise)
		SELECT report_title(r.title, r.type, r.identifier, r.malware, r.observables), w.severity,
			(SELECT max(x.tlp) FROM correlation_work v JOIN report x ON x.id = v.report
				WHERE v.exercise = of_exercise AND v.rule = of_rule AND v.key = of_key),
			r.pap, r.type, r.identifier, r.organisation, w.apart, r.exercise
		FROM correlation_work w JOIN report r ON r.id = w.report
		WHERE w.exercise = of_exercise AND w.rule = of_rule AND w.key = of_key
		ORDER BY w.severity DESC NULLS LAST, w.report LIMIT 1
		RETURNING id INTO fresh;
	SELECT max(old_case) INTO old FROM correlation_work
		WHERE exercise = of_exercise AND rule = of_rule AND key = of_key;
	IF old IS NOT NULL THEN
		INSERT INTO case_link (a, b, kind, reason) VALUES (fresh, old, 'related', 'seen again after it was closed');
	END IF;
	RETURN fresh;
END $$;

-- The open key decides which case; the row says until when it takes more.
CREATE FUNCTION correlation_bind() RETURNS void LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	INSERT INTO case_key AS k (exercise, rule, key, case_id, until)
		SELECT exercise, rule, key, min(case_id), now() + max(span) FROM correlation_work WHERE case_id IS NOT NULL
		GROUP BY exercise, rule, key ORDER BY exercise, rule, key
		ON CONFLICT (exercise, rule, key) WHERE NOT closed
		DO UPDATE SET until = greatest(k.until, excluded.until), case_id = excluded.case_id
$$;

-- One batch of the queue, in one short transaction. Cases are locked by number, ascending, as everybody does (trap 15); each gets
-- one journal row for all that is attached to it here. digest: how long a case by a digest rule gathers before it takes more.
-- cap: cases that may be opened by rules in an hour; what is over that waits.
CREATE FUNCTION keeper_correlate(batch int, cap int, digest interval)
RETURNS TABLE (taken int, attached int, opened int, reopened int, waiting int) LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	lane record;
	room int;
	fresh bigint;
BEGIN
	taken := correlation_take(batch);
	opened := 0;
	waiting := 0;
	attached := 0;
	reopened := 0;
	IF taken = 0 THEN
		RETURN NEXT;
		RETURN;
	END IF;
	PERFORM correlation_find();
	PERFORM 1 FROM cases WHERE id IN (SELECT case_id FROM correlation_work) ORDER BY number FOR UPDATE;
	-- An operator may have ended one of them while we waited for the lock: the next batch finds what is so now.
	UPDATE correlation_work w SET case_id = NULL, old_case = c.id FROM cases c
		WHERE c.id = w.case_id AND (c.state = 'merged' OR (w.old_case IS NULL AND c.state IN ('closed', 'rejected')));

	-- A digest gathers.
	WITH early AS (SELECT w.queue, t.last_added FROM correlation_work w JOIN case_tally t ON t.case_id = w.case_id
			WHERE w.mode = 'digest' AND t.last_added > now() - digest),
		later AS (UPDATE correlation_queue q SET due = e.last_added + digest FROM early e WHERE q.id = e.queue RETURNING q.id)
	DELETE FROM correlation_work w USING later WHERE w.queue = later.id;

	SELECT cap - count(*) INTO room FROM (SELECT c.opened, c.opened_by FROM cases c ORDER BY c.id DESC LIMIT cap * 4) AS late
		WHERE late.opened > now() - interval '1 hour' AND late.opened_by = actor();
	FOR lane IN SELECT w.exercise, w.rule, w.key FROM correlation_work w WHERE w.case_id IS NULL
			GROUP BY w.exercise, w.rule, w.key ORDER BY min(w.report) LOOP
		IF opened < room THEN
			fresh := correlation_open(lane.exercise, lane.rule, lane.key);
			UPDATE correlation_work w SET case_id = fresh
				WHERE w.exercise = lane.exercise AND w.rule = lane.rule AND w.key = lane.key;
			opened := opened + 1;
		END IF;
	END LOOP;
	WITH over AS (DELETE FROM correlation_work w WHERE w.case_id IS NULL RETURNING w.queue),
		later AS (UPDATE correlation_queue q SET due = now() + interval '5 minutes' FROM over WHERE q.id = over.queue RETURNING 1)
	SELECT count(*) INTO waiting FROM later;

	UPDATE cases c SET state = 'open', reason = 'seen again: report ' || w.report
		FROM (SELECT v.case_id, report_number(min(v.report)) AS report FROM correlation_work v GROUP BY v.case_id) w
		WHERE c.id = w.case_id AND c.state IN ('resolved', 'closed', 'rejected');
	GET DIAGNOSTICS reopened = ROW_COUNT;
	PERFORM correlation_bind();
	INSERT INTO case_report (report, case_id, rule) SELECT w.report, w.case_id, min(w.rule) FROM correlation_work w
		GROUP BY w.report, w.case_id ORDER BY w.report ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS attached = ROW_COUNT;
	INSERT INTO report_status AS s (report, state) SELECT DISTINCT w.report, 'linked'::report_state FROM correlation_work w ORDER BY 1
		ON CONFLICT (report) DO UPDATE SET state = 'linked', changed = now(), actor = excluded.actor WHERE s.state = 'new';
	-- What is graver or stricter than the case knew raises it.
	UPDATE cases c SET severity = greatest(c.severity, w.severity), tlp = greatest(c.tlp, w.tlp)
		FROM (SELECT v.case_id, max(v.severity) AS severity, max(r.tlp) AS tlp FROM correlation_work v
			JOIN report r ON r.id = v.report GROUP BY v.case_id) w
		WHERE c.id = w.case_id AND (c.severity IS NULL AND w.severity IS NOT NULL OR w.severity > c.severity OR w.tlp > c.tlp);
	DELETE FROM correlation_queue q USING correlation_work w WHERE q.id = w.queue;
	DELETE FROM correlation_work;
	RETURN NEXT;
END $$;

-- The first row of the queue cannot be worked: it waits, longer each time, and the others go on.
CREATE FUNCTION keeper_put_back() RETURNS bigint LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	UPDATE correlation_queue SET attempts = attempts + 1, due = now() + interval '1 minute' * least(attempts + 1, 1440)
	WHERE id = (SELECT id FROM correlation_queue WHERE due <= now() ORDER BY id LIMIT 1) RETURNING report
$$;
CREATE INDEX correlation_queue_due ON correlation_queue (due);

-- ---- raised by a stronger sighting ----

-- Severity, confidence and trust of a report never fall; each rise is journalled with before and after, raises its case, and lets the
-- rules look again (trap 10).
CREATE FUNCTION keeper_raise(batch int) RETURNS TABLE (taken int, raised int) LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT id FROM raise_queue ORDER BY id LIMIT batch FOR UPDATE);
	one record;
	wants int;
BEGIN
	raised := 0;
	taken := cardinality(ids);
	FOR one IN
		SELECT r AS row_, coalesce(st.severity, r.severity) AS severity, coalesce(st.confidence, r.confidence) AS confidence,
			coalesce(st.trust, r.trust) AS trust, greatest(st.severity, r.severity, w.severity) AS new_severity,
			greatest(st.confidence, r.confidence, w.confidence) AS new_confidence, greatest(st.trust, r.trust, w.trust) AS new_trust,
			coalesce(st.state, 'new') AS state, cr.case_id
		FROM (SELECT report, max(severity) AS severity, max(confidence) AS confidence, max(trust) AS trust FROM raise_queue
			WHERE id = ANY (ids) GROUP BY report) w
		JOIN report r ON r.id = w.report
		LEFT JOIN report_status st ON st.report = r.id
		LEFT JOIN case_report cr ON cr.report = r.id AND cr.ended IS NULL
		LEFT JOIN cases c ON c.id = cr.case_id
		ORDER BY c.number NULLS FIRST, r.id
	LOOP
		CONTINUE WHEN one.severity IS NOT DISTINCT FROM one.new_severity AND one.confidence IS NOT DISTINCT FROM one.new_confidence
			AND one.trust IS NOT DISTINCT FROM one.new_trust;
		raised := raised + 1;
		INSERT INTO report_status AS s (report, severity, confidence, trust)
			VALUES ((one.row_).id, one.new_severity, one.new_confidence, one.new_trust)
			ON CONFLICT (report) DO UPDATE SET severity = excluded.severity, confidence = excluded.confidence, trust = excluded.trust;
		PERFORM journal_add('report/' || (one.row_).id, 'raised',
			jsonb_build_object('severity', one.severity, 'confidence', one.confidence, 'trust', one.trust)::text,
			jsonb_build_object('severity', one.new_severity, 'confidence', one.new_confidence, 'trust', one.new_trust)::text);
		IF one.case_id IS NOT NULL THEN
			UPDATE cases SET severity = one.new_severity WHERE id = one.case_id AND coalesce(severity, -1) < one.new_severity;
		ELSIF one.state = 'new' THEN
			wants := correlation_rule_of(one.row_, one.new_severity);
			INSERT INTO correlation_queue (report, rule) SELECT (one.row_).id, wants WHERE wants IS NOT NULL
				AND NOT EXISTS (SELECT 1 FROM correlation_queue q WHERE q.report = (one.row_).id);
		END IF;
	END LOOP;
	DELETE FROM raise_queue WHERE id = ANY (ids);
	RETURN NEXT;
END $$;

-- ---- by the clock ----

-- One stretch of the fingerprints, by place in the table, so that it costs no index. Those not seen for `cycles` pulls of a feed that
-- is alive are gone; those seen again are not; those whose window is over go. Returns where to go on, 0 at the end.
CREATE FUNCTION keeper_sweep(from_page bigint, pages int, cycles int) RETURNS TABLE (next_page bigint, gone int, back int, expired int)
LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	lower tid := format('(%s,0)', from_page)::tid;
	upper tid := format('(%s,0)', from_page + pages)::tid;
BEGIN
	INSERT INTO report_status AS st (report, gone_at)
		SELECT f.report, max(f.last) FROM fingerprint f JOIN report r ON r.id = f.report JOIN source s ON s.id = r.source
			JOIN feed_state fs ON fs.source = s.id
		WHERE f.ctid >= lower AND f.ctid < upper AND s.enabled AND s.kind IN ('feed', 'taxii')
			AND fs.succeeded > now() - 2 * s.interval_seconds * interval '1 second'
			-- `last` is moved only when it is older than a twentieth of the window.
			AND f.last + (f.expires - f.last) / 20 + cycles * s.interval_seconds * interval '1 second' < now()
		GROUP BY f.report ORDER BY f.report
		ON CONFLICT (report) DO UPDATE SET gone_at = excluded.gone_at, changed = now() WHERE st.gone_at IS NULL;
	GET DIAGNOSTICS gone = ROW_COUNT;
	UPDATE report_status st SET gone_at = NULL, changed = now() FROM fingerprint f
		WHERE f.ctid >= lower AND f.ctid < upper AND st.report = f.report AND st.gone_at < f.last;
	GET DIAGNOSTICS back = ROW_COUNT;
	DELETE FROM fingerprint f WHERE f.ctid >= lower AND f.ctid < upper AND f.expires < now();
	GET DIAGNOSTICS expired = ROW_COUNT;
	next_page := from_page + pages;
	IF next_page >= pg_relation_size('fingerprint') / current_setting('block_size')::bigint THEN
		next_page := 0;
	END IF;
	RETURN NEXT;
END $$;

CREATE FUNCTION keeper_expire_keys() RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	ended int;
BEGIN
	UPDATE case_key SET closed = true WHERE NOT closed AND until < now();
	GET DIAGNOSTICS ended = ROW_COUNT;
	DELETE FROM case_key WHERE closed AND until < now() - interval '90 days';
	RETURN ended;
END $$;

-- Owner's rights: what was dealt with in quarantine keeps its row, its bytes go after that time. What still waits stays whole.
CREATE FUNCTION keeper_quarantine(keep interval) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
DECLARE
	cut int;
BEGIN
	UPDATE quarantine SET bytes = '' WHERE state IN ('processed', 'discarded') AND changed < now() - keep AND bytes <> '';
	GET DIAGNOSTICS cut = ROW_COUNT;
	RETURN cut;
END $$;
CREATE INDEX quarantine_done ON quarantine (changed) WHERE state IN ('processed', 'discarded') AND bytes <> '';

-- ---- anchors ----

-- The journal up to now. Owner's rights, for a lock that waits for those who are writing: so every row up to `last` is there for
-- good, and every later one has a greater id.
CREATE FUNCTION anchor_mark() RETURNS TABLE (last bigint, records bigint) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cirt, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
	LOCK TABLE journal IN SHARE MODE;
	RETURN QUERY SELECT coalesce(max(j.id), 0), (SELECT coalesce(sum(h.n), 0)::bigint FROM journal_head h) FROM journal j;
END $$;

-- The heads of all chains as they were at a mark, in the order in which they are hashed.
CREATE FUNCTION anchor_heads(mark bigint) RETURNS TABLE (object text, n bigint, hash bytea) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = cirt, pg_temp AS $$
	SELECT h.object, j.n, j.hash FROM journal_head h
	CROSS JOIN LATERAL (SELECT k.n, k.hash FROM journal k WHERE k.object = h.object AND k.id <= mark ORDER BY k.n DESC LIMIT 1) j
	ORDER BY h.object COLLATE "C"
$$;

REVOKE ALL ON FUNCTION url_host, correlation_part, correlation_key, correlation_rule_of, correlation_take, case_now,
	correlation_find, correlation_open, correlation_bind, keeper_correlate, keeper_put_back, keeper_raise, keeper_sweep,
	keeper_expire_keys, keeper_quarantine, anchor_mark, anchor_heads FROM PUBLIC;
GRANT EXECUTE ON FUNCTION url_host, correlation_part, correlation_key, correlation_rule_of, correlation_take, case_now,
	correlation_find, correlation_open, correlation_bind, keeper_correlate, keeper_put_back, keeper_raise, keeper_sweep,
	keeper_expire_keys, keeper_quarantine, anchor_mark, anchor_heads TO cirt_keeper;
GRANT EXECUTE ON FUNCTION anchor_heads, case_now TO cirt_desk;
GRANT SELECT, INSERT, UPDATE, DELETE ON correlation_work TO cirt_keeper;
