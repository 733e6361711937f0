#include "config.h"

#include "model/verb_table.h"

/* What people work with in cases. Where a verb needs a third word, what it is about is a noun of its own. */

static const struct verb_option note_erase_options[] = {
	{"reason", "TEXT", N_("Why it is erased (needed); it stands in the journal")},
	{"break-glass", "REASON", N_("Alone at night: done now, the lead is alarmed, somebody countersigns")},
	LAST,
};

#define PARTY_OPTIONS                                                                             \
	{"org", "NAME", N_("An organisation of the register")},                                   \
		{"name", "TEXT", N_("A person, or whoever is not in the register")},              \
		{"contact", "TEXT", N_("How to reach them: address, phone; what is said of it")}, \
		{"language", "LANGUAGE", N_("In which they are written to, such as fr")},         \
		{"ref", "TEXT", N_("Their own number for it, which `cirt ref find` finds")},      \
	{                                                                                         \
		"note", "TEXT", N_("What else is to be known")                                    \
	}

static const struct verb_option party_add_options[] = {PARTY_OPTIONS, LAST};

static const struct verb_option party_set_options[] = {
	{"part", "PART", N_("Another part than before")},
	PARTY_OPTIONS,
	LAST,
};

static const struct verb_option ref_find_options[] = {
	{"limit", "N", N_("At most N rows (50)")},
	LAST,
};

static const struct verb_option tag_list_options[] = {
	{"all", NULL, N_("Those too that are given to no case any more")},
	LAST,
};

static const struct verb_option tag_new_options[] = {
	{"meaning", "TEXT", N_("What it says, so that everybody gives it alike")},
	LAST,
};

static const struct verb_option tag_set_options[] = {
	{"meaning", "TEXT", N_("What it says, so that everybody gives it alike")},
	{"retire", NULL, N_("It is given to no case any more; what has it keeps it")},
	{"restore", NULL, N_("It is given again")},
	LAST,
};

static const struct verb_option exercise_list_options[] = {
	{"all", NULL, N_("Those too that are over")},
	LAST,
};

#define EXERCISE_OPTIONS                                                                             \
	{"title", "TEXT", N_("What is played, and with whom")},                                      \
		{"from", "WHEN", N_("Nothing of it leaves before")},                                 \
		{"until", "WHEN", N_("When it is over by itself")},                                  \
	{                                                                                            \
		"add", "ADDRESSES",                                                                  \
			N_("Who may be written to: soc@bank.example, @bank.example; nobody else is") \
	}

static const struct verb_option exercise_open_options[] = {
	EXERCISE_OPTIONS,
	LAST,
};

static const struct verb_option exercise_set_options[] = {
	EXERCISE_OPTIONS,
	{"remove", "ADDRESSES", N_("Who is written to no more")},
	LAST,
};

static const struct verb_option event_add_options[] = {
	{"at", "WHEN", N_("When it happened (now)")},
	{"until", "WHEN", N_("When it was over, where it lasted")},
	{"about", NULL, N_("The time is not known exactly")},
	{"from", "WHO", N_("Who says so")},
	LAST,
};

static const struct verb_option event_set_options[] = {
	{"text", "TEXT", N_("What happened")},
	{"at", "WHEN", N_("When it happened")},
	{"until", "WHEN", N_("When it was over")},
	{"about", NULL, N_("The time is not known exactly")},
	{"exactly", NULL, N_("The time is known exactly")},
	{"from", "WHO", N_("Who says so")},
	LAST,
};

static const struct verb_option task_list_options[] = {
	PAGE,
	{"case", "NUMBER", N_("Only of this case, and of what was merged into it")},
	{"mine", NULL, N_("Only your own")},
	{"for", "WHO", N_("Only of this operator")},
	{"overdue", NULL, N_("Only what should have been done by now")},
	{"all", NULL, N_("What is done or dropped too, the newest first")},
	LAST,
};

static const struct verb_option task_new_options[] = {
	{"for", "WHO", N_("Whose it is; nobody's where it is not said")},
	{"due", "UNTIL", N_("By when: 4h, 2d, 2026-11-30, \"2026-11-30 14:00\"")},
	LAST,
};

static const struct verb_option task_set_options[] = {
	{"title", "TEXT", N_("What is to be done")},
	{"for", "WHO", N_("Whose it is; nobody: \"-\"")},
	{"due", "UNTIL", N_("By when: 4h, 2d, 2026-11-30, \"2026-11-30 14:00\"")},
	{"no-due", NULL, N_("At no time in particular")},
	LAST,
};

static const struct verb_option task_take_options[] = {
	{"for", "WHO", N_("Give it to this operator; nobody: \"-\"")},
	LAST,
};

static const struct verb_option task_done_options[] = {
	{"text", "TEXT", N_("What came of it")},
	LAST,
};

static const struct verb_option task_why_options[] = {
	{"reason", "TEXT", N_("Why (needed); it stands in the journal")},
	LAST,
};

static const struct verb_option measure_list_options[] = {
	PAGE,
	{"case", "NUMBER", N_("Only of this case, and of what was merged into it")},
	{"kind", "KIND", N_("Only of this kind, such as dns-block")},
	{"mine", NULL, N_("Only your own")},
	{"due", NULL, N_("Only what is to be reviewed, or has expired")},
	{"all", NULL, N_("Ended ones too, the newest first")},
	LAST,
};

#define MEASURE_OPTIONS                                                                         \
	{"for", "WHO", N_("Who answers for it (you)")},                                         \
		{"by", "TEXT", N_("Who carries it out, such as the ISPs or a registrar")},      \
		{"review", "UNTIL", N_("When somebody looks whether it is still needed: 30d")}, \
		{"expires", "UNTIL", N_("When it has to end")},                                 \
	{                                                                                       \
		"reason", "TEXT", N_("Why, and on what ground")                                 \
	}

static const struct verb_option measure_new_options[] = {
	{"case", "NUMBER", N_("The case that it comes from; it stays when that is closed")},
	MEASURE_OPTIONS,
	LAST,
};

static const struct verb_option measure_set_options[] = {MEASURE_OPTIONS, LAST};

static const struct verb_option measure_review_options[] = {
	{"next", "UNTIL", N_("When it is looked at again; what has expired stands until then")},
	{"reason", "TEXT", N_("Why it is still needed")},
	LAST,
};

static const struct verb_option campaign_list_options[] = {PAGE, LAST};

const struct verb verbs_work[] = {
	{"note", "show", ROLE_VIEWER, false, "ID", N_("All of a note, and what it said before"), none,
		"cirt note show 31"},
	{"note", "edit", ROLE_TRAINEE, true, "ID TEXT...",
		N_("Change your note; what it said is kept. \"-\" reads it from standard input"), none,
		"cirt note edit 31 \"backups are intact, of 1 November\""},
	{"note", "pin", ROLE_TRAINEE, true, "ID",
		N_("It says how the case stands: `case show` has the last of these in front"), none,
		"cirt note pin 31"},
	{"note", "unpin", ROLE_TRAINEE, true, "ID", N_("It does so no more"), none, "cirt note unpin 31"},
	{"note", "erase", ROLE_ANALYST, true, "ID",
		N_("What it says and ever said is gone for good; the journal proves that it was, and when it "
		   "went. Two people have to want it"),
		note_erase_options, "cirt note erase 31 --reason \"names a patient\""},
	{"party", "list", ROLE_VIEWER, false, "NUMBER", N_("Who has to do with a case, and as what"), none,
		"cirt party list 2026-000412"},
	{"party", "add", ROLE_TRAINEE, true, "NUMBER PART",
		N_("Somebody has to do with a case: as reporter, affected, imitated, source-owner, hoster, "
		   "registrar, police, regulator, partner, vendor or other"),
		party_add_options,
		"cirt party add 2026-000412 police --name \"Sgt Moreau\" --ref PN-2231/26"},
	{"party", "set", ROLE_TRAINEE, true, "ID", N_("Change what is said of a party"), party_set_options,
		"cirt party set 17 --contact \"+99 555 0101\""},
	{"party", "remove", ROLE_ANALYST, true, "ID", N_("It has nothing to do with the case any more"), none,
		"cirt party remove 17"},
	{"ref", "add", ROLE_TRAINEE, true, "NUMBER SYSTEM VALUE...",
		N_("What a case is called elsewhere: their ticket, a police file, a MISP uuid"), none,
		"cirt ref add 2026-000412 misp 5f3c2a10-7d1e-4a55-9f6b-0242ac120002"},
	{"ref", "remove", ROLE_TRAINEE, true, "NUMBER VALUE...", N_("It is not called that"), none,
		"cirt ref remove 2026-000412 PN-2231/26"},
	{"ref", "find", ROLE_VIEWER, false, "VALUE...", N_("Cases that are called that, or begin so"),
		ref_find_options, "cirt ref find PN-2231"},
	{"tag", "list", ROLE_VIEWER, false, "", N_("Tags that cases may have"), tag_list_options,
		"cirt tag list"},
	{"tag", "new", ROLE_LEAD, true, "NAME", N_("A new tag for the list"), tag_new_options,
		"cirt tag new supply-chain --meaning \"came by a supplier\""},
	{"tag", "set", ROLE_LEAD, true, "NAME", N_("Change what a tag means, or retire it"), tag_set_options,
		"cirt tag set election --retire"},
	{"exercise", "list", ROLE_VIEWER, false, "", N_("Drills, and who may be written to in them"),
		exercise_list_options, "cirt exercise list"},
	{"exercise", "show", ROLE_VIEWER, false, "NAME", N_("One drill: when, with whom, by which sources"),
		none, "cirt exercise show frost-2026"},
	{"exercise", "open", ROLE_LEAD, true, "NAME",
		N_("Begin a drill, or go on with one: what is marked with its name stays in it"),
		exercise_open_options,
		"cirt exercise open frost-2026 --add \"soc@bank.example @grid.example\""},
	{"exercise", "set", ROLE_LEAD, true, "NAME", N_("Change what is said of a drill, and who is in it"),
		exercise_set_options, "cirt exercise set frost-2026 --until \"2026-11-25 18:00\""},
	{"exercise", "close", ROLE_LEAD, true, "NAME", N_("It is over: nothing of it leaves any more"), none,
		"cirt exercise close frost-2026"},
	{"event", "list", ROLE_VIEWER, false, "NUMBER",
		N_("The course of an incident: what happened when, not what we did"), none,
		"cirt event list 2026-000412"},
	{"event", "add", ROLE_TRAINEE, true, "NUMBER TEXT...", N_("Something happened in the incident"),
		event_add_options,
		"cirt event add 2026-000412 \"files are encrypted\" --at \"2026-11-23 22:10\" --about"},
	{"event", "set", ROLE_TRAINEE, true, "ID", N_("Change what is said of an event"), event_set_options,
		"cirt event set 9 --at \"2026-11-23 21:55\" --exactly"},
	{"event", "remove", ROLE_ANALYST, true, "ID", N_("It did not happen"), none, "cirt event remove 9"},
	{"task", "list", ROLE_VIEWER, false, "", N_("Open tasks, what is due first in front"),
		task_list_options, "cirt task list --mine"},
	{"task", "new", ROLE_TRAINEE, true, "NUMBER TEXT...",
		N_("Something is to be done in a case, which is not closed before"), task_new_options,
		"cirt task new 2026-000412 \"call the vendor\" --for op7 --due 4h"},
	{"task", "set", ROLE_TRAINEE, true, "ID", N_("Change a task"), task_set_options,
		"cirt task set 17 --due 2d"},
	{"task", "take", ROLE_TRAINEE, true, "ID", N_("Make it yours"), task_take_options,
		"cirt task take 17"},
	{"task", "done", ROLE_TRAINEE, true, "ID", N_("It is done"), task_done_options,
		"cirt task done 17 --text \"they ship a patch on Friday\""},
	{"task", "drop", ROLE_TRAINEE, true, "ID", N_("It is not to be done any more"), task_why_options,
		"cirt task drop 17 --reason \"the vendor called us\""},
	{"task", "reopen", ROLE_TRAINEE, true, "ID", N_("It is to be done after all"), task_why_options,
		"cirt task reopen 17 --reason \"the patch fails\""},
	{"measure", "list", ROLE_VIEWER, false, "",
		N_("Countermeasures that stand, what is to be looked at first in front"),
		measure_list_options, "cirt measure list --due"},
	{"measure", "show", ROLE_VIEWER, false, "ID", N_("All about one"), none, "cirt measure show 5"},
	{"measure", "new", ROLE_ANALYST, true, "KIND TARGET...",
		N_("A countermeasure: dns-block, address-block, url-block, mail-block, sinkhole, takedown, "
		   "isolation, account-lock, patch, monitoring or other"),
		measure_new_options,
		"cirt measure new dns-block login-bank.example.net --case 2026-000409 --review 30d"},
	{"measure", "set", ROLE_ANALYST, true, "ID", N_("Change its owner, its dates, its ground"),
		measure_set_options, "cirt measure set 5 --for op7"},
	{"measure", "review", ROLE_ANALYST, true, "ID", N_("You have looked: it is still needed"),
		measure_review_options, "cirt measure review 5 --next 30d"},
	{"measure", "end", ROLE_ANALYST, true, "ID", N_("It stands no more"), reasoned,
		"cirt measure end 5 --reason \"the name is deleted\""},
	{"campaign", "list", ROLE_VIEWER, false, "", N_("Cases that others belong to"), campaign_list_options,
		"cirt campaign list"},
	{"campaign", "show", ROLE_VIEWER, false, "NUMBER",
		N_("Its cases; of a case that belongs to one, its campaign's"), none,
		"cirt campaign show 2026-000400"},
	{"campaign", "new", ROLE_ANALYST, true, "TITLE [CASE...]", N_("Open one, with these cases"), none,
		"cirt campaign new winter-lock 2026-000412 2026-000398"},
	{"campaign", "add", ROLE_ANALYST, true, "NUMBER CASE...", N_("Cases belong to it"), none,
		"cirt campaign add 2026-000400 2026-000412"},
	{"campaign", "remove", ROLE_ANALYST, true, "CASE...", N_("Cases belong to none"), none,
		"cirt campaign remove 2026-000412"},
	VERBS_END,
};
