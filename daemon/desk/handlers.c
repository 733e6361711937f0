#include "config.h"

#include "desk/handlers.h"

#include "base/mem.h"

static const struct {
	const char *noun;
	const char *verb;
	handler_fn *handler;
} handlers[] = {
	{"status", "", status_show},
	{"version", "", version_show},
	{"ledger", "", ledger_show},
	{"source", "list", source_list},
	{"source", "show", source_show},
	{"source", "add", source_add},
	{"source", "disable", source_disable},
	{"source", "enable", source_enable},
	{"report", "list", report_list},
	{"report", "show", report_show},
	{"report", "search", report_search},
	{"report", "unfold", report_unfold},
	{"case", "list", case_list},
	{"case", "show", case_show},
	{"case", "take", case_take},
	{"case", "note", case_note},
	{"case", "move", case_move},
	{"case", "merge", case_merge},
	{"case", "split", case_split},
	{"case", "close", case_close},
	{"quarantine", "list", quarantine_list},
	{"quarantine", "show", quarantine_show},
	{"quarantine", "release", quarantine_release},
	{"quarantine", "discard", quarantine_discard},
	{"rules", "list", rules_list},
	{"rules", "check", rules_check},
	{"rules", "reload", rules_reload},
	{"plugin", "list", plugin_list},
	{"submit", "", submit_file},
	{"watch", "", watch_all},
	{"audit", "verify", audit_verify},
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
