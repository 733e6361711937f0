#include "config.h"

#include "model/verb_table.h"

/* Cases. */

static const struct verb_option case_list_options[] = {
	PAGE,
	{"state", "STATE", N_("new, open, waiting, contained, resolved, closed, rejected or merged")},
	{"assignee", "WHO", N_("Only cases of this operator")},
	{"mine", NULL, N_("Only your own")},
	{"severity", "WORD", N_("At least: info, low, medium, high, critical")},
	{"all", NULL, N_("Closed, rejected and merged ones too")},
	LAST,
};

static const struct verb_option case_show_options[] = {
	{"mail", NULL, N_("The texts of its mails too")},
	LAST,
};

static const struct verb_option case_take_options[] = {
	{"for", "WHO", N_("Give it to this operator; nobody: \"-\"")},
	LAST,
};

static const struct verb_option case_split_options[] = {
	{"into", "NUMBER", N_("Move them into this case instead of a new one")},
	{"title", "TEXT", N_("Title of the new case")},
	WHY_OPTION,
	LAST,
};

static const struct verb_option case_wait_options[] = {
	{"for", "WHOM", N_("A party of it, by role, name or address, or any words (needed)")},
	{"until", "UNTIL", N_("When it comes back without an answer (needed)")},
	LAST,
};

static const struct verb_option case_close_options[] = {
	{"outcome", "TEXT", N_("How it ended (needed)")},
	LAST,
};

const struct verb verbs_case[] = {
	{"case", "list", ROLE_VIEWER, false, "", N_("Open cases, newest first"), case_list_options,
		"cirt case list --mine"},
	{"case", "show", ROLE_VIEWER, false, "NUMBER", N_("All about one case"), case_show_options,
		"cirt case show 2026-000412"},
	{"case", "take", ROLE_TRAINEE, true, "NUMBER", N_("Make it yours"), case_take_options,
		"cirt case take 2026-000412"},
	{"case", "note", ROLE_TRAINEE, true, "NUMBER TEXT...",
		N_("Write something down; \"-\" reads it from standard input"), none,
		"cirt case note 2026-000412 \"backups are intact\""},
	{"case", "move", ROLE_ANALYST, true, "NUMBER STATE",
		N_("Move it to another state; a wrong one names those that may follow"), reasoned,
		"cirt case move 2026-000412 contained"},
	{"case", "wait", ROLE_ANALYST, true, "NUMBER",
		N_("It waits for somebody; it comes back by itself, on an answer or at the time"),
		case_wait_options, "cirt case wait 2026-000412 --for hoster --until \"Fri 14:00\""},
	{"case", "merge", ROLE_ANALYST, true, "NUMBER INTO", N_("Two cases are one; `case split` undoes it"),
		reasoned, "cirt case merge 2026-000413 2026-000412"},
	{"case", "split", ROLE_ANALYST, true, "NUMBER [REPORT...]",
		N_("Take reports out, into a case of their own; without reports: undo a merge"),
		case_split_options, "cirt case split 2026-000412 202611-123"},
	{"case", "close", ROLE_ANALYST, true, "NUMBER", N_("Close it with an outcome"), case_close_options,
		"cirt case close 2026-000412 --outcome \"cleaned, password changed\""},
	{"case", "read", ROLE_TRAINEE, true, "NUMBER", N_("You have read its mails: none is new any more"),
		none, "cirt case read 2026-000412"},
	VERBS_END,
};
