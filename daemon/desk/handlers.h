#ifndef DESK_HANDLERS_H
#define DESK_HANDLERS_H

#include "desk/request.h"

/* One function per method; which verb's row authorises it is the table in handlers.c. */
void desk_today_show(struct request *request);
void desk_status_show(struct request *request);
void desk_version_show(struct request *request);
void desk_ledger_show(struct request *request);
void desk_alarm_list(struct request *request);
void desk_alarm_ack(struct request *request);
void desk_source_list(struct request *request);
void desk_source_show(struct request *request);
void desk_source_add(struct request *request);
void desk_source_set(struct request *request);
void desk_source_discover(struct request *request);
void desk_source_pull(struct request *request);
void desk_source_disable(struct request *request);
void desk_source_enable(struct request *request);
void desk_report_list(struct request *request);
void desk_report_show(struct request *request);
void desk_report_search(struct request *request);
void desk_report_unfold(struct request *request);
void desk_case_list(struct request *request);
void desk_case_show(struct request *request);
void desk_mail_search(struct request *request);
void desk_mail_show(struct request *request);
void desk_spam_review(struct request *request);
void desk_spam_show(struct request *request);
void desk_spam_rescue(struct request *request);
void desk_spam_list(struct request *request);
void desk_spam_allow(struct request *request);
void desk_spam_deny(struct request *request);
void desk_spam_forget(struct request *request);
void desk_spam_heed(struct request *request);
void desk_spam_ignore(struct request *request);
void desk_quarantine_list(struct request *request);
void desk_quarantine_show(struct request *request);
void desk_quarantine_release(struct request *request);
void desk_quarantine_discard(struct request *request);
void desk_organisation_domains(struct request *request);
void desk_register(struct request *request);
void desk_register_import(struct request *request);
void desk_register_export(struct request *request);
void desk_evidence_export(struct request *request);
/* Have a manifest of evidence signed by this key of ours: its armoured signature, or "" and why not. False:
 * the room keys is not there; call() does not come. The request has no state of its own. */
typedef void key_signed_fn(struct request *request, struct str signature, struct str why);
bool key_ring_sign(struct request *request, struct str key, struct str manifest, key_signed_fn *call);
void desk_receipt_show(struct request *request);
void desk_search(struct request *request);
void desk_function(struct request *request); /* a function of the database */
void desk_rules_list(struct request *request);
void desk_rules_check(struct request *request);
void desk_rules_reload(struct request *request);
void desk_rules_rescan(struct request *request);
void desk_plugin_list(struct request *request);
void desk_key_list(struct request *request);
void desk_key_import(struct request *request);
void desk_key_remove(struct request *request);
void desk_key_unlock(struct request *request);
void desk_key_lock(struct request *request);
void desk_operator_change(struct request *request);
void desk_whoami(struct request *request);
void desk_submit_file(struct request *request);
void desk_watch_all(struct request *request);
void desk_audit_verify(struct request *request);

void desk_by_hand(struct request *request); /* report new, case open: by_hand.c */

/* Whether the spool takes anything just now; false: refused, with what to do about it. */
bool submit_can(struct request *request);
/* function.c: begin a transaction with the function of the request's verb, whose answer goes to rows(). */
void function_change(struct request *request, request_rows_fn *rows);
void submit_data(struct session *session, struct json_object *params);
void submit_piece(struct session *session, struct json_object *params);
void submit_end(struct session *session, struct json_object *params);
void submit_drained(struct desk *desk); /* the spool takes more */

/* pulse.c: what is known of the database without asking it now, for `status`. */
void pulse_start(struct desk *desk);
void pulse_stop(struct desk *desk);
struct json_object *pulse_show(const struct desk *desk);

/* key.c: the way to the room keys. */
/* probe.c: questions to the exchange. */
void probe_start(struct desk *desk);
void probe_edge(struct desk *desk, int fd); /* takes fd */
void probe_stop(struct desk *desk);

void key_ring_start(struct desk *desk);
void key_ring_edge(struct desk *desk, int fd); /* takes fd */
void key_ring_stop(struct desk *desk);

/* Ask the supervisor; `answered` gets its JSON, or refuses the request. */
typedef void asked_fn(struct request *request, struct json_object *answer);
void supervisor_ask(struct request *request, const char *method, asked_fn *answered);
void supervisor_forget(struct request *request); /* no call any more */
void supervisor_answered(struct desk *desk, uint32_t ask, bool ok, struct str json);

#endif
