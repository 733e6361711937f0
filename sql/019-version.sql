-- Versions of STIX objects (STIX 2.1 section 3.6): what holds now of each, and what a newer one or a revocation does to the
-- report that an older one became.
SET LOCAL search_path = cirt, pg_temp;

-- The version that holds. scope: the source, if it is restricted, else 0; as of a fingerprint.
CREATE TABLE stix_current (
	id text NOT NULL,
	exercise int NOT NULL,
	scope int NOT NULL,
	modified timestamptz NOT NULL,    -- 'epoch' for what has no versions
	version text NOT NULL,            -- the same as its sender wrote it
	created_by text NOT NULL,
	revoked boolean NOT NULL,
	digest uuid,                      -- of its canonical JSON
	count bigint NOT NULL,
	trust smallint NOT NULL,          -- of the source that it came from
	source int NOT NULL,
	report bigint,                    -- that it became; of what is no report, its item
	tlp tlp,                          -- of that; null where it is no report
	PRIMARY KEY (id, exercise, scope)
) WITH (fillfactor = 90);
INSERT INTO stix_current
SELECT DISTINCT ON (o.id, o.exercise, scope) o.id, o.exercise, CASE WHEN s.restricted THEN o.source ELSE 0 END AS scope,
	CASE WHEN o.version ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$' THEN o.version::timestamptz ELSE 'epoch' END AS modified, o.version,
	o.created_by, o.revoked, NULL, 1, s.trust, o.source, o.report,
	CASE WHEN o.type IN ('indicator', 'sighting', 'observed-data', 'incident', 'report', 'grouping') AND NOT o.revoked THEN o.tlp END
FROM stix_object o JOIN source s ON s.id = o.source
ORDER BY o.id, o.exercise, scope, modified DESC, o.received;

-- What a newer version says of a report that an older one became; its whole text is in stix_object.
CREATE TABLE report_version (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	report bigint NOT NULL,
	object text NOT NULL,
	version text NOT NULL,
	source int NOT NULL,
	received timestamptz NOT NULL,
	organisation int,
	title text NOT NULL,
	observables text[] NOT NULL,
	keys bigint[] NOT NULL,
	notes text[] NOT NULL
);
CREATE INDEX report_version_report ON report_version (report, id);
CREATE INDEX report_version_keys ON report_version USING gin (keys);

-- What a retired report was goes with it: a version that comes later is a first one again.
CREATE FUNCTION stix_retired() RETURNS trigger LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	DELETE FROM stix_current c USING gone g WHERE c.id = g.id AND c.exercise = g.exercise AND c.report = g.report;
	DELETE FROM report_version w USING gone g WHERE w.report = g.report;
	RETURN NULL;
END $$;
CREATE TRIGGER stix_retired AFTER DELETE ON stix_object REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
	EXECUTE FUNCTION stix_retired();

-- What the keeper has to do about versions.
CREATE TYPE revision_kind AS ENUM (
	'updated',   -- a newer version: `organisation` is the one that it concerns
	'replaced',  -- a newer version, under another TLP: it became the report `newer`
	'revoked',
	'refused',   -- by another creator, by a source that is trusted less, or after the revocation
	'conflict'); -- another content of the same version: the first one stays
CREATE TABLE revision_queue (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	report bigint NOT NULL,
	kind revision_kind NOT NULL,
	object text NOT NULL,
	version text NOT NULL,
	source int NOT NULL,
	newer bigint,
	organisation int,
	at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE report_status ADD revoked timestamptz; -- by its creator: it never comes back

GRANT SELECT, INSERT, UPDATE ON stix_current TO cirt_store;
GRANT INSERT ON report_version, revision_queue TO cirt_store;
GRANT SELECT, UPDATE, DELETE ON revision_queue TO cirt_keeper;
GRANT SELECT ON stix_current, report_version TO cirt_keeper, cirt_desk;
GRANT SELECT ON revision_queue TO cirt_desk;

-- A report of a constituent's network that it was not of before is correlated as if it had just come.
CREATE FUNCTION keeper_revise_updated(q revision_queue) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	r report;
	st report_status;
	wants int;
BEGIN
	SELECT * INTO r FROM report WHERE id = q.report;
	SELECT * INTO st FROM report_status WHERE report = q.report;
	IF NOT FOUND THEN
		st.state := 'new';
	END IF;
	IF r.id IS NULL OR q.organisation IS NULL OR coalesce(st.organisation, r.organisation) IS NOT NULL THEN
		RETURN;
	END IF;
	INSERT INTO report_status AS s (report, organisation) VALUES (r.id, q.organisation)
		ON CONFLICT (report) DO UPDATE SET organisation = excluded.organisation, changed = now();
	r.organisation := q.organisation;
	wants := correlation_rule_of(r, coalesce(st.severity, r.severity));
	INSERT INTO correlation_queue (report, rule) SELECT r.id, wants WHERE wants IS NOT NULL AND st.state = 'new'
		AND NOT EXISTS (SELECT 1 FROM case_report c WHERE c.report = r.id AND c.ended IS NULL)
		AND NOT EXISTS (SELECT 1 FROM correlation_queue c WHERE c.report = r.id);
END $$;

-- What holds no longer is gone, opens no case any more, and says so in its journal.
CREATE FUNCTION keeper_revise(batch int) RETURNS TABLE (taken int, revoked int) LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
#variable_conflict use_column
DECLARE
	q revision_queue;
BEGIN
	taken := 0;
	revoked := 0;
	FOR q IN SELECT * FROM revision_queue ORDER BY id LIMIT batch FOR UPDATE LOOP
		taken := taken + 1;
		IF q.kind = 'updated' THEN
			PERFORM keeper_revise_updated(q);
		ELSIF q.kind IN ('revoked', 'replaced') THEN
			INSERT INTO report_status AS s (report, gone_at, revoked) VALUES (q.report, now(), now())
				ON CONFLICT (report) DO UPDATE SET gone_at = coalesce(s.gone_at, now()), revoked = coalesce(s.revoked, now()), changed = now();
			DELETE FROM correlation_queue WHERE report = q.report;
			-- Its creator may have gone back to a TLP that it had before.
			UPDATE report_status SET gone_at = NULL, revoked = NULL, changed = now() WHERE report = q.newer AND revoked IS NOT NULL;
			revoked := revoked + 1;
		END IF;
		PERFORM journal_add('report/' || q.report, CASE q.kind
				WHEN 'updated' THEN 'newer version'
				WHEN 'replaced' THEN 'replaced by its newer version'
				WHEN 'revoked' THEN 'revoked by its creator'
				WHEN 'refused' THEN 'version refused'
				ELSE 'version in conflict' END,
			NULL, jsonb_strip_nulls(jsonb_build_object('object', q.object, 'version', q.version,
				'source', (SELECT name FROM source WHERE id = q.source), 'report', report_number(q.newer)))::text);
		DELETE FROM revision_queue WHERE id = q.id;
	END LOOP;
	RETURN NEXT;
END $$;
GRANT EXECUTE ON FUNCTION keeper_revise, keeper_revise_updated TO cirt_keeper;

-- As before, but for STIX: there a creator says how long a thing holds, and a page that is not sent again says nothing.
CREATE OR REPLACE FUNCTION keeper_sweep(from_page bigint, pages int, cycles int) RETURNS TABLE (next_page bigint, gone int, back int, expired int)
LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	lower tid := format('(%s,0)', from_page)::tid;
	upper tid := format('(%s,0)', from_page + pages)::tid;
BEGIN
	INSERT INTO report_status AS st (report, gone_at)
		SELECT f.report, max(f.last) FROM fingerprint f JOIN report r ON r.id = f.report JOIN source s ON s.id = r.source
			JOIN feed_state fs ON fs.source = s.id
		WHERE f.ctid >= lower AND f.ctid < upper AND s.enabled AND s.kind IN ('feed', 'taxii') AND r.rule <> 'stix-id'
			AND fs.succeeded > now() - 2 * s.interval_seconds * interval '1 second'
			-- `last` is moved only when it is older than a twentieth of the window.
			AND f.last + (f.expires - f.last) / 20 + cycles * s.interval_seconds * interval '1 second' < now()
		GROUP BY f.report ORDER BY f.report
		ON CONFLICT (report) DO UPDATE SET gone_at = excluded.gone_at, changed = now() WHERE st.gone_at IS NULL;
	GET DIAGNOSTICS gone = ROW_COUNT;
	UPDATE report_status st SET gone_at = NULL, changed = now() FROM fingerprint f
		WHERE f.ctid >= lower AND f.ctid < upper AND st.report = f.report AND st.gone_at < f.last AND st.revoked IS NULL;
	GET DIAGNOSTICS back = ROW_COUNT;
	DELETE FROM fingerprint f WHERE f.ctid >= lower AND f.ctid < upper AND f.expires < now();
	GET DIAGNOSTICS expired = ROW_COUNT;
	next_page := from_page + pages;
	IF next_page >= pg_relation_size('fingerprint') / current_setting('block_size')::bigint THEN
		next_page := 0;
	END IF;
	RETURN NEXT;
END $$;
