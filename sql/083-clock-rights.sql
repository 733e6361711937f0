-- Clocks, filings and playbooks: their rows in the journal as every table's of a case, and functions for nobody but whose they are.
SET LOCAL search_path = cirt, pg_temp;

-- ---- journal ----

-- Rows of clocks and filings are journalled as they are, in the chain of their case, so that the audit compares them; what a person reads
-- of them is made from that.
SELECT set_config('cirt.actor', 'migration', true);
ALTER TABLE filing_stage ADD case_id bigint REFERENCES cases; -- of its filing, for the journal
ALTER TABLE clock_extension ADD case_id bigint REFERENCES cases; -- of its clock
CREATE FUNCTION case_id_of() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
BEGIN
	IF TG_TABLE_NAME = 'filing_stage' THEN
		SELECT case_id INTO NEW.case_id FROM filing WHERE id = NEW.filing;
	ELSE
		SELECT case_id INTO NEW.case_id FROM clock WHERE id = NEW.clock;
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER filing_stage_case BEFORE INSERT ON filing_stage FOR EACH ROW EXECUTE FUNCTION case_id_of();
CREATE TRIGGER clock_extension_case BEFORE INSERT ON clock_extension FOR EACH ROW EXECUTE FUNCTION case_id_of();
DROP TRIGGER clock_journal ON clock;
DROP TRIGGER filing_stage_journal ON filing_stage;
DROP FUNCTION clock_journal, filing_stage_journal;
ALTER TABLE clock_extension DISABLE TRIGGER clock_extension_stays;
UPDATE filing_stage s SET case_id = f.case_id FROM filing f WHERE f.id = s.filing;
UPDATE clock_extension e SET case_id = k.case_id FROM clock k WHERE k.id = e.clock;
ALTER TABLE clock_extension ENABLE TRIGGER clock_extension_stays;
ALTER TABLE filing_stage ALTER case_id SET NOT NULL;
ALTER TABLE clock_extension ALTER case_id SET NOT NULL;
CREATE TRIGGER clock_journal AFTER INSERT OR UPDATE OR DELETE ON clock FOR EACH ROW EXECUTE FUNCTION journal_of_case('case_id');
CREATE TRIGGER filing_stage_journal AFTER INSERT OR UPDATE OR DELETE ON filing_stage FOR EACH ROW EXECUTE FUNCTION journal_of_case('case_id');
CREATE TRIGGER clock_extension_journal AFTER INSERT OR UPDATE OR DELETE ON clock_extension FOR EACH ROW
	EXECUTE FUNCTION journal_of_case('case_id');
CREATE TRIGGER regime_journal AFTER INSERT OR UPDATE OR DELETE ON regime FOR EACH ROW EXECUTE FUNCTION journal_row('regime', 'id');
CREATE TRIGGER playbook_journal AFTER INSERT OR UPDATE OR DELETE ON playbook FOR EACH ROW EXECUTE FUNCTION journal_row('playbook', 'id');
CREATE TRIGGER calendar_journal AFTER INSERT OR UPDATE OR DELETE ON calendar FOR EACH ROW EXECUTE FUNCTION journal_row('calendar', 'id');
SELECT audited_add(t) FROM unnest('{clock,filing_stage,clock_extension,regime,playbook,calendar}'::regclass[]) t;
-- What stands already is said now.
SET LOCAL TimeZone = 'UTC';
SELECT journal_add('case/' || c.number, r.what, NULL, r.doc::text) FROM (
		SELECT 'clock' AS what, case_id, id, to_jsonb(k) AS doc FROM clock k
		UNION ALL SELECT 'filing_stage', case_id, filing, to_jsonb(s) FROM filing_stage s
		UNION ALL SELECT 'clock_extension', case_id, id, to_jsonb(e) FROM clock_extension e) r JOIN cases c ON c.id = r.case_id
	ORDER BY c.number, r.what, r.id;
SELECT journal_add(r.what, 'insert', NULL, r.doc::text) FROM (
		SELECT 'regime/' || id AS what, to_jsonb(g) AS doc FROM regime g
		UNION ALL SELECT 'playbook/' || id, to_jsonb(b) FROM playbook b
		UNION ALL SELECT 'calendar/' || id, to_jsonb(d) FROM calendar d) r ORDER BY r.what;

CREATE FUNCTION clock_journal_text(was jsonb, n jsonb) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT format('clock %s ', n ->> 'id') || CASE
		WHEN was IS NULL THEN 'started'
		WHEN was -> 'met' <> n -> 'met' THEN CASE WHEN (n ->> 'met')::timestamptz > (n ->> 'due')::timestamptz THEN 'met late' ELSE 'met' END
		WHEN was -> 'ended' <> n -> 'ended' THEN 'ended'
		WHEN was -> 'paused' <> n -> 'paused' THEN CASE WHEN n ->> 'paused' IS NULL THEN 'goes on' ELSE 'stands' END
		WHEN was -> 'due' <> n -> 'due' THEN CASE WHEN was -> 'started' <> n -> 'started' THEN 'corrected' ELSE 'extended' END
		WHEN n ->> 'breached' IS NOT NULL AND was ->> 'breached' IS NULL THEN 'BREACHED'
		WHEN was -> 'warned' <> n -> 'warned' THEN 'is near' ELSE 'changed' END
		|| ': ' || (n ->> 'what') || ', due ' || journal_when(n ->> 'due') || CASE WHEN n ->> 'why' <> '' THEN ' (' || (n ->> 'why') || ')' ELSE '' END
$$;
CREATE FUNCTION filing_journal_text(action text, n jsonb) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE split_part(action, ' ', 1)
		WHEN 'filing' THEN format('filing F%s of %s under %s ', n ->> 'id', n ->> 'who', (SELECT name FROM regime WHERE id = (n ->> 'regime')::int))
			|| CASE WHEN action = 'filing' THEN 'begun' WHEN n ->> 'closed' IS NOT NULL THEN 'closed: ' || (n ->> 'outcome')
				ELSE 'changed' END || ', they know since ' || journal_when(n ->> 'aware')
			|| CASE WHEN (n ->> 'aware_assumed')::boolean THEN ' (assumed)' ELSE '' END
		WHEN 'filing_stage' THEN format('filing F%s: %s ', n ->> 'filing', n ->> 'stage') || CASE WHEN action = 'filing_stage'
			THEN 'received' || CASE WHEN (n ->> 'late')::boolean THEN ' late' ELSE '' END || coalesce(' with the ' || nullif(n ->> 'with_stage', ''), '')
				|| coalesce(' (' || nullif(n ->> 'source', '') || ')', '')
			ELSE 'answered' || CASE WHEN (n ->> 'answer_late')::boolean THEN ' late' ELSE '' END || coalesce(' (' || nullif(n ->> 'answer', '') || ')', '') END
		WHEN 'clock_extension' THEN NULL -- the clock's own row says it
		WHEN 'case_wait' THEN CASE WHEN n ->> 'ended' IS NULL THEN format('waits for %s until %s', n ->> 'whom', journal_when(n ->> 'until'))
			ELSE format('waits for %s no more: %s', n ->> 'whom', CASE n ->> 'ended_by' WHEN 'answer' THEN 'an answer' WHEN 'date' THEN 'the time is over'
				ELSE 'a person moved it' END) END
		WHEN 'playbook_applied' THEN CASE WHEN action = 'playbook_applied' THEN NULL ELSE format('playbook %s: tasks %s, clocks %s, filings %s', n ->> 'name',
			n ->> 'tasks', n ->> 'clocks', jsonb_array_length(n -> 'filings')) END
	END
$$;

-- As before, and what clocks, filings, waiting and playbooks say.
CREATE OR REPLACE FUNCTION case_row_text(action text, before text, after text) RETURNS text LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT CASE split_part(action, ' ', 1)
		WHEN 'task' THEN task_journal_text(before::jsonb, after::jsonb)
		WHEN 'measure' THEN format('countermeasure %s ', r ->> 'id') || measure_journal_text(action, before, after)
		WHEN 'note' THEN format('note %s', r ->> 'id') || CASE
			WHEN action = 'note' THEN ''
			WHEN action = 'note erased' THEN ' erased: ' || coalesce(r ->> 'reason', '')
			WHEN r ->> 'erased' IS NOT NULL THEN NULL
			WHEN before::jsonb ->> 'digest' <> r ->> 'digest' THEN ' edited'
			WHEN (r ->> 'pinned')::boolean THEN ' pinned' ELSE ' changed' END
		WHEN 'party' THEN format('%s %s', r ->> 'role', coalesce((SELECT coalesce(nullif(p.name, ''), o.name) FROM party p
				LEFT JOIN organisation o ON o.id = p.organisation WHERE p.id = (r ->> 'id')::bigint),
				(SELECT name FROM organisation WHERE id = (r ->> 'organisation')::int), ''))
			|| CASE action WHEN 'party' THEN ' is a party' WHEN 'party delete' THEN ' is no party any more' ELSE ' changed' END
		WHEN 'case_tag' THEN CASE action WHEN 'case_tag' THEN 'tag ' ELSE 'no tag ' END || (r ->> 'tag')
		WHEN 'reference' THEN CASE action WHEN 'reference delete' THEN 'no reference ' ELSE 'reference ' END || (r ->> 'system') || ' ' || (r ->> 'value')
		WHEN 'case_watcher' THEN case_field_text('assignee', r ->> 'operator')
			|| CASE action WHEN 'case_watcher' THEN ' watches' ELSE ' watches no more' END
		WHEN 'case_event' THEN format('event %s of %s', r ->> 'id', journal_when(r ->> 'at'))
			|| CASE action WHEN 'case_event' THEN '' WHEN 'case_event delete' THEN ' removed' ELSE ' changed' END
		WHEN 'note_revision' THEN NULL
		WHEN 'clock' THEN clock_journal_text(before::jsonb, after::jsonb)
		WHEN 'filing' THEN filing_journal_text(action, r)
		WHEN 'filing_stage' THEN filing_journal_text(action, r)
		WHEN 'clock_extension' THEN filing_journal_text(action, r)
		WHEN 'case_wait' THEN filing_journal_text(action, r)
		WHEN 'playbook_applied' THEN filing_journal_text(action, r)
		ELSE action END
	FROM (SELECT coalesce(after, before)::jsonb AS r) k
$$;

-- ---- who opened a case may know since when they know ----

-- Says it for the filings that playbooks begin in this transaction: before case_opened(), or before its end.
CREATE FUNCTION case_aware(since timestamptz) RETURNS void LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	IF since > now() THEN
		RAISE EXCEPTION 'aware: a time that is past was expected' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM set_config('cirt.aware', stamp(since), true);
END $$;

CREATE OR REPLACE FUNCTION playbook_filing(of_case bigint, f jsonb) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	r regime;
	fresh bigint;
	since timestamptz := nullif(current_setting('cirt.aware', true), '')::timestamptz;
BEGIN
	SELECT * INTO c FROM cases WHERE id = of_case;
	SELECT * INTO STRICT r FROM regime WHERE lower(name) = lower(f ->> 'regime') AND current;
	SELECT g.id INTO fresh FROM filing g JOIN regime v ON v.id = g.regime WHERE g.case_id = of_case AND lower(v.name) = lower(r.name);
	IF fresh IS NULL THEN
		fresh := filing_open(of_case, r.id, c.organisation, case_who(of_case), coalesce(since, c.opened), since IS NULL);
		IF f ->> 'receipt' = 'by-hand' AND EXISTS (SELECT FROM operator o WHERE o.name = c.opened_by) THEN
			PERFORM filing_receive(fresh, f ->> 'stage', c.opened, 'with what opened the case');
		END IF;
	END IF;
	RETURN 'F' || fresh;
END $$;

-- ---- rights ----

REVOKE ALL ON FUNCTION calendar_now, calendar_works, calendar_spans, calendar_add, calendar_between, span_read, span_end, clock_change,
	case_opened_at_end, case_id_of, conditions_hold, conditions_cover, hold_case, warn_time, filing_clock,
	filing_open, clock_meet, clock_end, clock_quiet, filing_receive, clock_pause, clock_resume, clock_case_moved, clock_mailed, house_time,
	clock_alarm, wait_answered, keeper_waits, keeper_clocks, said_needed, case_shown, case_need_shown, clock_json, clock_meant, clock_answer,
	wait_json, desk_clock_list, desk_clock_new, desk_clock_pause, desk_clock_resume, clock_extend, desk_clock_extend, desk_clock_met, filing_json,
	filing_meant, filing_answer, regime_meant, filing_stage_known, desk_filing_new, filing_aware, desk_filing_set, desk_filing_answer,
	desk_filing_extend, desk_filing_close, desk_filing_show, desk_filing_list, desk_regime_list, desk_regime_show, party_meant, desk_case_wait,
	waits_today, clocks_today, sheet_said, calendar_load, sheet_plain, regime_load, playbook_load, sheet_load, keeper_house, sheet_gone, case_who,
	playbook_filing, playbook_apply, case_playbooks, case_begun, case_tagged, desk_playbook_list, playbook_meant, desk_playbook_show,
	desk_playbook_apply, clock_journal_text, filing_journal_text, case_aware FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clock_journal_text, filing_journal_text, case_aware TO cirt_desk;
