#include "config.h"

#include "model/verb_table.h"

/* Cases. */

static const struct verb_option case_list_options[] = {
	PAGE,
	{"state", "STATE", N_("new, open, waiting, contained, resolved, closed, rejected or merged")},
	{"assignee", "WHO", N_("Only cases of this operator")},
	{"mine", NULL, N_("Only your own")},
	{"watching", NULL, N_("Only those that you watch")},
	{"unread", NULL, N_("Only those with mail that nobody has read, closed ones too")},
	{"news", NULL,
		N_("Only your own and those that you watch in which others did something, or something came, "
		   "since you looked")},
	{"severity", "WORD", N_("At least: info, low, medium, high, critical")},
	{"org", "NAME", N_("Only of this organisation")},
	{"tag", "TAG", N_("Only those that have this tag")},
	{"type", "TYPE", N_("Only this RSIT type, such as phishing")},
	{"identifier", "WORD", N_("Only this identifier, such as open-rdp")},
	{"campaign", "NUMBER", N_("Only those of this campaign")},
	{"order", "WORD",
		N_("newest (default), severity, changed or due: what is due at all, first in front")},
	{"all", NULL, N_("Closed, rejected and merged ones too")},
	LAST,
};

static const struct verb_option case_show_options[] = {
	{"mail", NULL, N_("The texts of its mails too")},
	{"journal", NULL, N_("All of its journal that is shown at once")},
	LAST,
};

static const struct verb_option case_take_options[] = {
	{"for", "WHO", N_("Give it to this operator; nobody: \"-\"")},
	IF_OPTION,
	LAST,
};

static const struct verb_option case_set_options[] = {
	{"title", "TEXT", N_("What it is about")},
	{"severity", "WORD", N_("info, low, medium, high or critical")},
	{"tlp", "TLP", N_("clear, green, amber, amber+strict or red")},
	{"pap", "PAP", N_("clear, green, amber or red")},
	{"type", "TYPE", N_("RSIT type, such as phishing")},
	{"identifier", "WORD", N_("What exactly, such as open-rdp; none: \"-\"")},
	{"org", "NAME", N_("Whose it is, of the register; nobody's: \"-\"")},
	{"impact", "WORD", N_("none, minor, moderate, significant or severe")},
	{"reason", "TEXT",
		N_("Why it goes further than its reports, where --tlp says so; it stands in the journal")},
	IF_OPTION,
	LAST,
};

static const struct verb_option case_note_options[] = {
	{"pin", NULL, N_("It says how the case stands: `case show` has the last of these in front")},
	{"unsaid", NULL,
		N_("It is what whoever is told of the case must not tell on: `case brief` says so; until "
		   "`note unpin`")},
	LAST,
};

static const struct verb_option case_move_options[] = {WHY_OPTION, IF_OPTION, LAST};

static const struct verb_option case_reopen_options[] = {
	{"reason", "TEXT", N_("Why (needed); it stands in the journal")},
	IF_OPTION,
	LAST,
};

static const struct verb_option case_split_options[] = {
	{"into", "NUMBER", N_("Move them into this case instead of a new one")},
	{"title", "TEXT", N_("Title of the new case")},
	WHY_OPTION,
	IF_OPTION,
	LAST,
};

static const struct verb_option case_wait_options[] = {
	{"for", "WHOM", N_("A party of it, by role, name or address, or any words (needed)")},
	{"until", "UNTIL", N_("When it comes back without an answer (needed)")},
	IF_OPTION,
	LAST,
};

static const struct verb_option case_close_options[] = {
	{"outcome", "WORD",
		N_("How it ended (needed): resolved, mitigated, accepted, referred, no-answer, false-alarm, "
		   "not-ours, duplicate or unclear")},
	{"text", "TEXT", N_("The same in words")},
	{"impact", "WORD", N_("none, minor, moderate, significant or severe")},
	IF_OPTION,
	LAST,
};

static const struct verb_option case_watch_options[] = {
	{"for", "WHO", N_("Another operator than you")},
	LAST,
};

static const struct verb_option case_restrict_options[] = {
	{"to", "NAMES", N_("These operators see it too, separated by commas")},
	{"drop", "NAMES", N_("These do not any more")},
	WHY_OPTION,
	LAST,
};
static const struct verb_option case_open_options[] = {
	BY_HAND_OPTIONS,
	{"aware", "WHEN",
		N_("Since when they know: this alone starts the clocks of the laws that apply, from then")},
	LAST,
};

const struct verb verbs_case[] = {
	{"case", "list", ROLE_VIEWER, false, "", N_("Open cases, newest first"), case_list_options,
		"cirt case list --mine"},
	{"case", "show", ROLE_VIEWER, false, "NUMBER", N_("All about one case"), case_show_options,
		"cirt case show 2026-000412"},
	{"case", "open", ROLE_TRAINEE, true, "",
		N_("Open a case with what came by phone, by chat or in person; it is yours"),
		case_open_options, "cirt case open --phone --from \"IT head\" --tag ransomware -s critical"},
	{"case", "take", ROLE_TRAINEE, true, "NUMBER", N_("Make it yours"), case_take_options,
		"cirt case take 2026-000412"},
	{"case", "set", ROLE_ANALYST, true, "NUMBER", N_("Change what it says"), case_set_options,
		"cirt case set 2026-000412 --severity critical --impact significant"},
	{"case", "note", ROLE_TRAINEE, true, "NUMBER TEXT...",
		N_("Write something down; \"-\" reads it from standard input"), case_note_options,
		"cirt case note 2026-000412 \"backups are intact\" --pin"},
	{"case", "tag", ROLE_TRAINEE, true, "NUMBER TAG...", N_("Give it tags of the list"), none,
		"cirt case tag 2026-000412 ransomware"},
	{"case", "untag", ROLE_TRAINEE, true, "NUMBER TAG...", N_("Take tags off it"), none,
		"cirt case untag 2026-000412 press"},
	{"case", "watch", ROLE_TRAINEE, true, "NUMBER",
		N_("You want to know of it: `today` and `case list --news` say what is new"),
		case_watch_options, "cirt case watch 2026-000412"},
	{"case", "unwatch", ROLE_TRAINEE, true, "NUMBER", N_("You do not any more"), case_watch_options,
		"cirt case unwatch 2026-000412"},
	{"case", "move", ROLE_ANALYST, true, "NUMBER STATE",
		N_("Move it to another state; a wrong one names those that may follow"), case_move_options,
		"cirt case move 2026-000412 contained"},
	{"case", "wait", ROLE_ANALYST, true, "NUMBER",
		N_("It waits for somebody; it comes back by itself, on an answer or at the time"),
		case_wait_options, "cirt case wait 2026-000412 --for hoster --until \"Fri 14:00\""},
	{"case", "merge", ROLE_ANALYST, true, "NUMBER INTO",
		N_("Two cases are one; `case split` undoes it, whenever that is"), case_move_options,
		"cirt case merge 2026-000413 2026-000412"},
	{"case", "split", ROLE_ANALYST, true, "NUMBER [REPORT...]",
		N_("Take reports out, into a case of their own; without reports: undo a merge"),
		case_split_options, "cirt case split 2026-000412 202611-123"},
	{"case", "close", ROLE_ANALYST, true, "NUMBER",
		N_("Close it with an outcome, once nothing of it is open"), case_close_options,
		"cirt case close 2026-000412 --outcome resolved --impact minor"},
	{"case", "reopen", ROLE_ANALYST, true, "NUMBER", N_("It is not over"), case_reopen_options,
		"cirt case reopen 2026-000412 --reason \"the same page is up again\""},
	{"case", "read", ROLE_TRAINEE, true, "NUMBER", N_("You have read its mails: none is new any more"),
		none, "cirt case read 2026-000412"},
	{"case", "restrict", ROLE_ANALYST, true, "NUMBER",
		N_("Only its assignee, who watches it, its members and leads see it from now on"),
		case_restrict_options, "cirt case restrict 2026-000412 --to op4,op7"},
	{"case", "unrestrict", ROLE_ANALYST, true, "NUMBER", N_("Everybody sees it again"), reasoned,
		"cirt case unrestrict 2026-000412"},
	VERBS_END,
};
