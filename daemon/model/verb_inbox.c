#include "config.h"

#include "model/verb_table.h"

/* The inbox: what is new, in groups that one act works on. */

static const struct verb_option inbox_options[] = {
	PAGE,
	{"list", NULL, N_("Print it, also where a terminal could work on it key by key")},
	LAST,
};
static const struct verb_option inbox_show_options[] = {
	{"limit", "N", N_("At most N of its reports (20; at most 200)")},
	LAST,
};
static const struct verb_option inbox_open_options[] = {
	{"title", "TEXT", N_("Title of the case (default: that of its gravest report)")},
	{"org", "NAME", N_("Only what is this organisation's; \"-\": nobody's that we serve")},
	LAST,
};
static const struct verb_option inbox_link_options[] = {
	{"case", "NUMBER", N_("Into this case (default: the one that is suggested)")},
	{"org", "NAME", N_("Only what is this organisation's; \"-\": nobody's that we serve")},
	LAST,
};
static const struct verb_option inbox_reject_options[] = {
	{"reason", "WORD", N_("spam, not-ours, false-alarm, duplicate or test (default: as suggested)")},
	{"note", "TEXT", N_("Why; it stands in the journal")},
	{"org", "NAME", N_("Only what is this organisation's; \"-\": nobody's that we serve")},
	LAST,
};
static const struct verb_option inbox_notice_options[] = {
	{"org", "NAME", N_("Only what is this organisation's")},
	LAST,
};
static const struct verb_option inbox_answer_options[] = {
	{"dry-run", NULL, N_("Only say how many would be told")},
	BREAK_GLASS_OPTION,
	LAST,
};

const struct verb verbs_inbox[] = {
	{"inbox", "", ROLE_VIEWER, false, "[WHAT]",
		N_("What is new, people's mail first; on a terminal one key acts on a whole group. WHAT: "
		   "people, feeds, grave or a source"),
		inbox_options, "cirt inbox people"},
	{"inbox", "show", ROLE_VIEWER, false, "GROUP", N_("What is in a group, and whose"),
		inbox_show_options, "cirt inbox show 3"},
	{"inbox", "open", ROLE_ANALYST, true, "GROUP", N_("Open a case with all of a group; it is yours"),
		inbox_open_options, "cirt inbox open 4"},
	{"inbox", "link", ROLE_ANALYST, true, "GROUP", N_("Put all of a group into a case"),
		inbox_link_options, "cirt inbox link 1 --case 2026-000409"},
	{"inbox", "reject", ROLE_ANALYST, true, "GROUP", N_("All of a group is nothing to work on"),
		inbox_reject_options, "cirt inbox reject 3 --reason false-alarm"},
	{"inbox", "notice", ROLE_ANALYST, true, "GROUP",
		N_("Warn whoever is concerned: at once, but for what the rules warn of anyway"),
		inbox_notice_options, "cirt inbox notice 3"},
	{"inbox", "answer", ROLE_ANALYST, true, "GROUP",
		N_("Tell everybody who wrote what is in a group that it is known: a mail each, in a minute"),
		inbox_answer_options, "cirt inbox answer 5"},
	{"inbox", "done", ROLE_ANALYST, true, "GROUP",
		N_("Put away mails about what is known already; nobody is told"), none, "cirt inbox done 5"},
	VERBS_END,
};
