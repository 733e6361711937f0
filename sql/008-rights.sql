-- Least rights. Nobody but the owner may do anything that does not stand here.
SET LOCAL search_path = cirt, pg_temp;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA cirt FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA cirt REVOKE ALL ON FUNCTIONS FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rsit_class, severity_name, report_number, report_words, observable_first, report_title, actor, timeline
	TO cirt_store, cirt_keeper, cirt_desk, cirt_exchange;
GRANT SELECT ON migration, revision TO cirt_store, cirt_keeper, cirt_desk, cirt_exchange;

-- store: lands. Nothing that it has landed can be changed by it but counts.
GRANT SELECT ON source, exercise, organisation, organisation_prefix, organisation_asn, organisation_domain, fold_rule,
	correlation_rule, fold_undo TO cirt_store;
GRANT SELECT, INSERT, UPDATE ON node, books, ledger_day, fingerprint, sighting, arrival TO cirt_store;
GRANT SELECT, INSERT ON ledger, ledger_act, evidence, stix_object TO cirt_store;
GRANT INSERT ON report, item, verdict, attachment, report_link, raise_queue, correlation_queue, quarantine TO cirt_store;
GRANT SELECT (id, state, item, day, source, attempts, stage, reason), UPDATE (state, attempts, stage, reason, sqlstate, changed) ON quarantine
	TO cirt_store;
GRANT EXECUTE ON FUNCTION exercise_id, partition_month, report_ids TO cirt_store;

-- keeper: cases out of reports, what is due by the clock.
GRANT SELECT ON source, exercise, node, organisation, organisation_prefix, organisation_asn, organisation_domain, operator, tag,
	fold_rule, correlation_rule, feed_state, ledger, ledger_day, books, quarantine, report, item, verdict, stix_object, fold_undo,
	report_view, case_view, report_chunk, journal, journal_head, case_transition, note, party, case_tag, reference, hold, arrival
	TO cirt_keeper;
GRANT SELECT, INSERT, UPDATE ON report_status, cases, case_report, case_key, sighting TO cirt_keeper;
GRANT SELECT, INSERT, UPDATE, DELETE ON correlation_queue, raise_queue TO cirt_keeper;
GRANT SELECT, DELETE ON fingerprint TO cirt_keeper;
GRANT DELETE ON arrival, case_key TO cirt_keeper;
GRANT SELECT, INSERT ON case_link, report_link, party, case_tag, reference, note TO cirt_keeper;
GRANT SELECT ON case_tally TO cirt_keeper;
GRANT EXECUTE ON FUNCTION journal_add, partition_month, partitions_ahead, audit_journal, audit_rows, audit_verify TO cirt_keeper;

-- desk: operators. It reads what they may see and writes what they do.
GRANT SELECT ON exercise, node, organisation, organisation_prefix, organisation_asn, organisation_domain, operator, tag, fold_rule,
	correlation_rule, feed_state, ledger, ledger_day, ledger_act, books, quarantine, arrival, report, report_status, sighting, verdict,
	item, evidence, attachment, stix_object, fingerprint, report_link, fold_undo, raise_queue, correlation_queue, report_kept,
	report_chunk, cases, case_report, case_tally, case_key, case_link, case_transition, note, party, case_tag, reference, hold,
	journal, journal_head, report_view, case_view, ledger_view TO cirt_desk;
GRANT SELECT (id, name, kind, enabled, restricted, may_notify_affected, tlp, pap, type, format, trust, match, exercise,
	interval_seconds, max_lines, max_bytes, added), INSERT, UPDATE ON source TO cirt_desk;
GRANT INSERT, UPDATE ON exercise, organisation, operator, tag, cases, case_report, report_status, hold, party, reference, note,
	correlation_rule, fold_rule, case_key TO cirt_desk;
GRANT INSERT, UPDATE, DELETE ON organisation_prefix, organisation_asn, organisation_domain TO cirt_desk;
GRANT INSERT, DELETE ON case_tag TO cirt_desk;
GRANT DELETE ON party, reference TO cirt_desk;
GRANT INSERT ON case_link, report_link, correlation_queue TO cirt_desk;
GRANT EXECUTE ON FUNCTION journal_add, quarantine_release, quarantine_discard, report_unfold, report_since, exercise_id,
	audit_journal, audit_rows, audit_verify TO cirt_desk;

-- exchange: says how its pulls go. What leaves is not in this schema yet, so it reads no report.
GRANT SELECT, INSERT, UPDATE ON feed_state TO cirt_exchange;
