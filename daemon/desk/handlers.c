#include "config.h"

#include "desk/handlers.h"

#include "base/mem.h"

static const struct {
	const char *noun;
	const char *verb;
	handler_fn *handler;
} handlers[] = {
	{"today", "", desk_today_show},
	{"status", "", desk_status_show},
	{"version", "", desk_version_show},
	{"ledger", "", desk_ledger_show},
	{"alarm", "list", desk_alarm_list},
	{"alarm", "ack", desk_alarm_ack},
	{"source", "list", desk_source_list},
	{"source", "show", desk_source_show},
	{"source", "add", desk_source_add},
	{"source", "set", desk_source_set},
	{"source", "discover", desk_source_discover},
	{"source", "pull", desk_source_pull},
	{"source", "disable", desk_source_disable},
	{"source", "enable", desk_source_enable},
	{"report", "list", desk_report_list},
	{"report", "show", desk_report_show},
	{"report", "search", desk_report_search},
	{"report", "unfold", desk_report_unfold},
	{"report", "link", desk_function},
	{"report", "unlink", desk_function},
	{"report", "reject", desk_function},
	{"report", "answered", desk_function},
	{"report", "reopen", desk_function},
	{"report", "reclassify", desk_function},
	{"report", "retag", desk_function},
	{"report", "reassign", desk_function},
	{"case", "list", desk_case_list},
	{"case", "show", desk_case_show},
	{"case", "set", desk_function},
	{"case", "take", desk_function},
	{"case", "read", desk_function},
	{"case", "note", desk_function},
	{"case", "move", desk_function},
	{"case", "reopen", desk_function},
	{"case", "close", desk_function},
	{"case", "merge", desk_function},
	{"case", "split", desk_function},
	{"case", "tag", desk_function},
	{"case", "untag", desk_function},
	{"case", "watch", desk_function},
	{"case", "unwatch", desk_function},
	{"case", "wait", desk_function},
	{"clock", "list", desk_function},
	{"clock", "new", desk_function},
	{"clock", "pause", desk_function},
	{"clock", "resume", desk_function},
	{"clock", "extend", desk_function},
	{"clock", "met", desk_function},
	{"filing", "new", desk_function},
	{"filing", "list", desk_function},
	{"filing", "show", desk_function},
	{"filing", "set", desk_function},
	{"filing", "answer", desk_function},
	{"filing", "extend", desk_function},
	{"filing", "close", desk_function},
	{"regime", "list", desk_function},
	{"regime", "show", desk_function},
	{"note", "show", desk_function},
	{"note", "edit", desk_function},
	{"note", "erase", desk_function},
	{"note", "pin", desk_function},
	{"note", "unpin", desk_function},
	{"party", "list", desk_function},
	{"party", "add", desk_function},
	{"party", "set", desk_function},
	{"party", "remove", desk_function},
	{"ref", "add", desk_function},
	{"ref", "remove", desk_function},
	{"ref", "find", desk_function},
	{"tag", "list", desk_function},
	{"tag", "new", desk_function},
	{"tag", "set", desk_function},
	{"event", "list", desk_function},
	{"event", "add", desk_function},
	{"event", "set", desk_function},
	{"event", "remove", desk_function},
	{"task", "list", desk_function},
	{"task", "new", desk_function},
	{"task", "set", desk_function},
	{"task", "take", desk_function},
	{"task", "done", desk_function},
	{"task", "drop", desk_function},
	{"task", "reopen", desk_function},
	{"measure", "list", desk_function},
	{"measure", "show", desk_function},
	{"measure", "new", desk_function},
	{"measure", "set", desk_function},
	{"measure", "review", desk_function},
	{"measure", "end", desk_function},
	{"campaign", "list", desk_function},
	{"campaign", "show", desk_function},
	{"campaign", "new", desk_function},
	{"campaign", "add", desk_function},
	{"campaign", "remove", desk_function},
	{"playbook", "list", desk_function},
	{"playbook", "show", desk_function},
	{"playbook", "apply", desk_function},
	{"mail", "search", desk_mail_search},
	{"mail", "show", desk_mail_show},
	{"spam", "review", desk_spam_review},
	{"spam", "show", desk_spam_show},
	{"spam", "rescue", desk_spam_rescue},
	{"spam", "list", desk_spam_list},
	{"spam", "allow", desk_spam_allow},
	{"spam", "deny", desk_spam_deny},
	{"spam", "forget", desk_spam_forget},
	{"spam", "heed", desk_spam_heed},
	{"spam", "ignore", desk_spam_ignore},
	{"quarantine", "list", desk_quarantine_list},
	{"quarantine", "show", desk_quarantine_show},
	{"quarantine", "release", desk_quarantine_release},
	{"quarantine", "discard", desk_quarantine_discard},
	{"org", "list", desk_register},
	{"org", "show", desk_register},
	{"org", "new", desk_register},
	{"org", "set", desk_register},
	{"org", "close", desk_register},
	{"org", "who", desk_register},
	{"org", "import", desk_register_import},
	{"org", "export", desk_register_export},
	{"org", "registry", desk_register_import},
	{"org", "domains", desk_organisation_domains},
	{"contact", "list", desk_register},
	{"contact", "new", desk_register},
	{"contact", "set", desk_register},
	{"contact", "close", desk_register},
	{"contact", "test", desk_function},
	{"group", "list", desk_register},
	{"group", "show", desk_register},
	{"group", "new", desk_register},
	{"group", "set", desk_register},
	{"group", "add", desk_register},
	{"group", "remove", desk_register},
	{"group", "delete", desk_register},
	{"evidence", "get", desk_evidence_get},
	{"receipt", "", desk_receipt_show},
	{"rule", "list", desk_function},
	{"rule", "show", desk_function},
	{"rule", "new", desk_function},
	{"rule", "set", desk_function},
	{"rule", "move", desk_function},
	{"rule", "delete", desk_function},
	{"rule", "why", desk_function},
	{"rule", "test", desk_function},
	{"rule", "apply", desk_function},
	{"rule", "discard", desk_function},
	{"notice", "preview", desk_function},
	{"notice", "list", desk_function},
	{"notice", "show", desk_function},
	{"notice", "hold", desk_function},
	{"notice", "send", desk_function},
	{"notice", "oneshot", desk_function},
	{"notice", "cancel", desk_function},
	{"notice", "approve", desk_function},
	{"notice", "effect", desk_function},
	{"tlp", "ask", desk_function},
	{"tlp", "list", desk_function},
	{"tlp", "grant", desk_function},
	{"tlp", "refuse", desk_function},
	{"rules", "list", desk_rules_list},
	{"rules", "check", desk_rules_check},
	{"rules", "reload", desk_rules_reload},
	{"plugin", "list", desk_plugin_list},
	{"key", "list", desk_key_list},
	{"key", "import", desk_key_import},
	{"key", "remove", desk_key_remove},
	{"key", "unlock", desk_key_unlock},
	{"key", "lock", desk_key_lock},
	{"submit", "", desk_submit_file},
	{"search", "", desk_search},
	{"watch", "", desk_watch_all},
	{"undo", "", desk_function},
	{"audit", "verify", desk_audit_verify},
};

bool handler_find(struct str method, const struct verb **verb, handler_fn **handler)
{
	struct str rest = method, noun, name = STR("");

	if (!str_split(&rest, '.', &noun))
		return false;
	if (rest.p)
		name = rest;
	*verb = verb_find(noun, name);
	for (size_t i = 0; *verb && i < ARRAY_LEN(handlers); i++) {
		if (str_equal(noun, str_of(handlers[i].noun)) && str_equal(name, str_of(handlers[i].verb))) {
			*handler = handlers[i].handler;
			return true;
		}
	}
	return false;
}

static const struct {
	const char *method;
	saying_fn *saying;
} sayings[] = {
	{"submit.data", submit_data},
	{"submit.piece", submit_piece},
	{"submit.end", submit_end},
};

saying_fn *saying_find(struct str method)
{
	for (size_t i = 0; i < ARRAY_LEN(sayings); i++)
		if (str_equal(method, str_of(sayings[i].method)))
			return sayings[i].saying;
	return NULL;
}
