-- What was found in old evidence is seen in the inbox, and goes with the report that it was found in.
SET LOCAL search_path = cirt, pg_temp;

-- ---- the inbox ----

-- What a later rule says of the newest of a line, for whoever may read it; NULL: nothing.
CREATE FUNCTION inbox_later(l inbox_line, p jsonb) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT m.rule FROM (SELECT i.report FROM inbox i WHERE i.line = l.id ORDER BY i.report DESC LIMIT 100) i
		JOIN rescan_match m ON m.report = i.report WHERE rescan_may_see(m, p) ORDER BY m.id DESC LIMIT 1
$$;

-- As before. What came before the rule was written was not raised by it, as it would be today: that is for a person to do.
ALTER FUNCTION inbox_suggest(inbox_line, report, jsonb, jsonb) RENAME TO inbox_suggest_as_it_came;
CREATE FUNCTION inbox_suggest(l inbox_line, r report, p jsonb, ruled jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE
SET search_path = cirt, pg_temp AS $$
DECLARE
	says jsonb := inbox_suggest_as_it_came(l, r, p, ruled);
	rule text := inbox_later(l, p);
	goes boolean := coalesce(says ->> 'act' IN ('link', 'reject', 'open'), false);
BEGIN
	RETURN CASE WHEN rule IS NULL THEN says ELSE inbox_says(CASE WHEN goes THEN says ->> 'act' ELSE 'open' END, concat_ws('; ',
		CASE WHEN goes THEN nullif(says ->> 'why', '') END, 'a later rule matches: ' || rule), says ->> 'case', says ->> 'reason') END;
END $$;

-- ---- retention ----

-- What was found in a report goes with it. What was found in a file added by hand stays, as the file does.
CREATE FUNCTION rescan_retired() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	DELETE FROM rescan_match m WHERE m.report > NEW.month * 10000000000 AND m.report < (NEW.month + 1) * 10000000000
		AND NOT EXISTS (SELECT FROM report r WHERE r.id = m.report) AND NOT EXISTS (SELECT FROM item i WHERE i.id = m.report);
	RETURN NULL;
END $$;
CREATE TRIGGER rescan_retired AFTER INSERT ON retired FOR EACH ROW EXECUTE FUNCTION rescan_retired();
-- And what had no report any more before this.
DELETE FROM rescan_match m WHERE m.report IS NOT NULL AND EXISTS (SELECT FROM retired t WHERE t.month = m.report / 10000000000)
	AND NOT EXISTS (SELECT FROM report r WHERE r.id = m.report) AND NOT EXISTS (SELECT FROM item i WHERE i.id = m.report);

REVOKE ALL ON FUNCTION inbox_later, inbox_suggest, rescan_retired FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inbox_later, inbox_suggest TO cirt_desk;
