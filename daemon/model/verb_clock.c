#include "config.h"

#include "model/verb_table.h"

/* Clocks: what is due by when, by law or by our own word. */

static const struct verb_option clock_list_options[] = {
	PAGE,
	{"next", "TIME", N_("Only what is due within this time, such as 3d")},
	{"case", "CASE", N_("Only of this case")},
	{"breached", NULL, N_("Only what is over")},
	{"all", NULL, N_("What has ended too")},
	LAST,
};

static const struct verb_option clock_new_options[] = {
	{"what", "TEXT", N_("What is due (needed)")},
	{"within", "TIME", N_("How long: \"4 business hours\", \"3 days\", 90m (needed)")},
	{"warn", "TIME", N_("Warn so long before, such as 1h")},
	{"theirs", NULL, N_("Others have to do it")},
	LAST,
};

static const struct verb_option clock_extend_options[] = {
	{"until", "UNTIL", N_("When it is due now")},
	{"by", "TIME", N_("Or how much longer, such as 48h")},
	{"ground", "TEXT", N_("What allows it: the law, or who said so when (needed)")},
	LAST,
};

static const struct verb_option clock_met_options[] = {
	{"at", "WHEN", N_("When it happened (default: now)")},
	WHY_OPTION,
	LAST,
};

static const struct verb_option filing_new_options[] = {
	{"regime", "REGIME", N_("Under which law: cirt regime list (needed)")},
	{"stage", "STAGE", N_("What has come in; without it they have yet to file")},
	{"aware", "WHEN", N_("Since when they know: their time counts from there (needed once)")},
	{"received", "WHEN", N_("When we got it (default: now): our time counts from there")},
	{"from", "TEXT", N_("Who told us, how")},
	{"org", "NAME", N_("Who has to file (default: the case's organisation)")},
	LAST,
};

static const struct verb_option filing_list_options[] = {
	PAGE,
	{"regime", "REGIME", N_("Only under this law")},
	{"case", "CASE", N_("Only of this case, closed ones too")},
	{"all", NULL, N_("Closed ones too")},
	LAST,
};

static const struct verb_option filing_set_options[] = {
	{"aware", "WHEN", N_("Since when they have known")},
	LAST,
};

static const struct verb_option filing_answer_options[] = {
	{"stage", "STAGE", N_("Which stage, where several wait for an answer")},
	{"at", "WHEN", N_("When our answer went out (default: now)")},
	{"note", "TEXT", N_("What it was, by which mail or phone")},
	LAST,
};

static const struct verb_option filing_extend_options[] = {
	{"stage", "STAGE", N_("Which stage (default: the next that is due)")},
	{"answer", NULL, N_("Our answer to it, not their filing")},
	{"until", "UNTIL", N_("When it is due now")},
	{"by", "TIME", N_("Or how much longer, such as 48h")},
	{"ground", "TEXT", N_("What allows it: the law, or who said so when (needed)")},
	LAST,
};

static const struct verb_option filing_close_options[] = {
	{"outcome", "TEXT", N_("How it ended (needed)")},
	LAST,
};

const struct verb verbs_clock[] = {
	{"clock", "list", ROLE_VIEWER, false, "",
		N_("What is due, the next first: by law, by our own word, and cases that wait"),
		clock_list_options, "cirt clock list --next 3d"},
	{"clock", "new", ROLE_ANALYST, true, "CASE", N_("Set a time for something in a case"),
		clock_new_options,
		"cirt clock new 2026-000412 --what \"second mail to hoster\" --within \"8 business hours\""},
	{"clock", "pause", ROLE_ANALYST, true, "CLOCK", N_("It stands; those of the law never do"), reasoned,
		"cirt clock pause 17 --reason \"their turn\""},
	{"clock", "resume", ROLE_ANALYST, true, "CLOCK", N_("It goes on with the time that it had left"),
		reasoned, "cirt clock resume 17"},
	{"clock", "extend", ROLE_ANALYST, true, "CLOCK",
		N_("More time, by a ground that stands in the journal"), clock_extend_options,
		"cirt clock extend 17 --until \"Fri 14:00\" --ground \"sec. 12 (3), Ms Okoye by phone\""},
	{"clock", "met", ROLE_ANALYST, true, "CLOCK", N_("What was due has happened"), clock_met_options,
		"cirt clock met 17"},
	{"filing", "new", ROLE_ANALYST, true, "CASE",
		N_("What the law wants filed comes in: a first stage, or the next"), filing_new_options,
		"cirt filing new 2026-000412 --regime NIS --stage early-warning --aware 22:10"},
	{"filing", "list", ROLE_VIEWER, false, "", N_("Filings that are open, and what is due of them"),
		filing_list_options, "cirt filing list --regime NIS"},
	{"filing", "show", ROLE_VIEWER, false, "FILING",
		N_("One filing: its stages, on time or late, what is due, what was extended why"), none,
		"cirt filing show F12"},
	{"filing", "set", ROLE_ANALYST, true, "FILING",
		N_("They have known since another time than was said"), filing_set_options,
		"cirt filing set F12 --aware \"yesterday 22:10\""},
	{"filing", "answer", ROLE_ANALYST, true, "FILING", N_("Our own answer has gone out"),
		filing_answer_options, "cirt filing answer F12 --note \"first advice, N2026-000123\""},
	{"filing", "extend", ROLE_ANALYST, true, "FILING",
		N_("More time for a stage, by a ground that stands in the journal"), filing_extend_options,
		"cirt filing extend F12 --stage notification --by 24h --ground \"sec. 12 (3)\""},
	{"filing", "close", ROLE_ANALYST, true, "FILING", N_("Nothing more is expected of it"),
		filing_close_options, "cirt filing close F12 --outcome \"final report accepted\""},
	{"regime", "list", ROLE_VIEWER, false, "",
		N_("Laws under which something is filed, and files that are wrong"), none,
		"cirt regime list"},
	{"regime", "show", ROLE_VIEWER, false, "REGIME", N_("One of them: who files what within which time"),
		none, "cirt regime show NIS"},
	{"playbook", "list", ROLE_VIEWER, false, "",
		N_("What cases of a kind begin with, and files that are wrong"), none, "cirt playbook list"},
	{"playbook", "show", ROLE_VIEWER, false, "NAME", N_("Whom it is for, its tasks, clocks and filings"),
		none, "cirt playbook show ransomware-hospital"},
	{"playbook", "apply", ROLE_ANALYST, true, "CASE NAME",
		N_("Add its tasks, clocks and filings to a case; once, whomever it is for"), none,
		"cirt playbook apply 2026-000412 website-defacement"},
	VERBS_END,
};
