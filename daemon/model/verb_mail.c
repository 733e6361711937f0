#include "config.h"

#include "model/verb_table.h"

/* What a person says of a mail that he writes. */
#define WRITING_OPTIONS                                                                                     \
	{"text", "FILE",                                                                                    \
		N_("The text; \"-\" is standard input (default: an editor with what is answered)")},        \
		{"subject", "TEXT", N_("Instead of the subject that is answered; tags go in front of it")}, \
		{"tlp", "TLP", N_("Instead of the case's; below that two people let it go")},               \
		{"draft", NULL, N_("Only show what an editor would begin with")},                           \
		{"dry-run", NULL, N_("Only show to whom it would go, and what the gate says")},             \
		{"yes", NULL, N_("Do not ask before it is queued")},                                        \
	{                                                                                                   \
		"break-glass", "REASON",                                                                    \
			N_("Alone where two people are needed: done now, the lead is told, somebody "       \
			   "countersigns")                                                                  \
	}

static const struct verb_option reply_options[] = {
	{"to", "WHOM", N_("A role (reporter, affected …), a party, an address (default: who wrote last)")},
	WRITING_OPTIONS,
	LAST,
};
static const struct verb_option mail_options[] = {
	{"to", "WHOM", N_("A role in the case, a party, an organisation or an address (needed)")},
	{"case", "NUMBER", N_("The case that it belongs to (needed)")},
	WRITING_OPTIONS,
	LAST,
};

static const struct verb_option inquiry_new_options[] = {
	{"to", "WHOM", N_("A role in the case, a party, an organisation or an address (needed)")},
	{"question", "FILE",
		N_("The question: a file, \"-\" for standard input, or the words themselves (needed)")},
	{"due", "UNTIL", N_("Until when an answer is expected: 4h, 3d, \"Fri 14:00\" (needed)")},
	{"subject", "TEXT", N_("Instead of its first line")},
	{"tlp", "TLP", N_("Instead of the case's; below that two people let it go")},
	{"phone", NULL, N_("Nothing is sent: somebody asks by phone")},
	LAST,
};
static const struct verb_option inquiry_list_options[] = {
	PAGE,
	{"case", "NUMBER", N_("Only those of this case")},
	{"overdue", NULL, N_("Only those whose time is over")},
	{"all", NULL, N_("Answered and dropped ones too, the newest first")},
	LAST,
};
static const struct verb_option inquiry_answered_options[] = {
	{"note", "TEXT", N_("What was answered, where there is no mail")},
	{"mail", "ID", N_("The mail that answers it")},
	{"word", "WORD", N_("yes, no, checking or other")},
	LAST,
};
static const struct verb_option inquiry_remind_options[] = {
	{"due", "UNTIL", N_("Until when an answer is expected now")},
	LAST,
};
static const struct verb_option ask_options[] = {
	{"question", "FILE", N_("The question: a file, or \"-\" for standard input (needed)")},
	{"until", "UNTIL", N_("Until when answers are expected: 4h, 3d, 18:00, \"Fri 14:00\" (needed)")},
	{"case", "NUMBER", N_("The case that it belongs to")},
	{"subject", "TEXT", N_("Instead of its first line")},
	{"tlp", "TLP", N_("Instead of the case's (without a case: amber)")},
	{"no-reminder", NULL, N_("Remind nobody at half time")},
	{"dry-run", NULL,
		N_("Only show who would be asked, by which address and key, and what the gate says")},
	{"break-glass", "REASON",
		N_("Alone where two people are needed: done now, the lead is told, somebody countersigns")},
	LAST,
};
static const struct verb_option ask_list_options[] = {
	PAGE,
	{"all", NULL, N_("Closed ones too")},
	LAST,
};
static const struct verb_option ask_set_options[] = {
	{"note", "TEXT", N_("What was said, and by whom")},
	LAST,
};

static const struct verb_option brief_options[] = {
	{"for", "WHOM",
		N_("Who gets it: a role in the case, a party, an organisation or an address; the gate is "
		   "asked")},
	{"lang", "LANGUAGE",
		N_("en, fr or es (default: that of whom it is for, where we know it and have it; else en)")},
	{"tlp", "TLP", N_("Instead of the case's")},
	LAST,
};

const struct verb verbs_mail[] = {
	{"reply", "", ROLE_ANALYST, true, "WHAT",
		N_("Answer a case or a mail: an editor with the quote, what the gate says, 60 seconds to "
		   "undo"),
		reply_options, "cirt reply 2026-000409 --to imitated"},
	{"mail", "", ROLE_ANALYST, true, "", N_("Write a mail in a case, as `cirt reply` does, to anybody"),
		mail_options, "cirt mail --to police --case 2026-000409"},
	{"inquiry", "new", ROLE_ANALYST, true, "CASE",
		N_("Ask a party of a case something, by mail or phone, until a time"), inquiry_new_options,
		"cirt inquiry new 2026-000412 --to vendor --question q.txt --due 2d"},
	{"inquiry", "list", ROLE_VIEWER, false, "", N_("Questions that are open, the next due first"),
		inquiry_list_options, "cirt inquiry list --overdue"},
	{"inquiry", "show", ROLE_VIEWER, false, "INQUIRY", N_("One question, and all mails about it"), none,
		"cirt inquiry show 31"},
	{"inquiry", "answered", ROLE_ANALYST, true, "INQUIRY",
		N_("Write down that it was answered, by phone or by a mail"), inquiry_answered_options,
		"cirt inquiry answered 31 --note \"no, says Ms Nakamura by phone\""},
	{"inquiry", "drop", ROLE_ANALYST, true, "INQUIRY", N_("No answer is expected any more"), reasoned,
		"cirt inquiry drop 31 --reason \"known by now\""},
	{"inquiry", "remind", ROLE_ANALYST, true, "INQUIRY", N_("Ask again, below the first mail"),
		inquiry_remind_options, "cirt inquiry remind 31 --due 1d"},
	{"ask", "", ROLE_ANALYST, true, "GROUP",
		N_("One question to many: a group, sector:NAME or kind:NAME"), ask_options,
		"cirt ask sector:health --question q.txt --until 2d --case 2026-000412"},
	{"ask", "list", ROLE_VIEWER, false, "", N_("Questions to many, and how they stand"), ask_list_options,
		"cirt ask list"},
	{"ask", "show", ROLE_VIEWER, false, "ASK",
		N_("One of them: by sector, who said what, who has not answered"), none, "cirt ask show 12"},
	{"ask", "set", ROLE_ANALYST, true, "ASK ORGANISATION ANSWER",
		N_("What one of them said by phone: yes, no, checking, other or none"), ask_set_options,
		"cirt ask set 12 \"City Hospital\" no --note \"by phone 14:10\""},
	{"ask", "remind", ROLE_ANALYST, true, "ASK", N_("Remind who has not answered"), none,
		"cirt ask remind 12"},
	{"ask", "close", ROLE_ANALYST, true, "ASK", N_("No more answers are expected"), none,
		"cirt ask close 12"},
	{"case", "brief", ROLE_ANALYST, true, "NUMBER",
		N_("One page on a case in plain words, out of what it has, for somebody who does not work on "
		   "it"),
		brief_options, "cirt case brief 2026-000412 --for regulator --lang fr"},
	VERBS_END,
};
