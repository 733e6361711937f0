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

const struct verb verbs_mail[] = {
	{"reply", "", ROLE_ANALYST, true, "WHAT",
		N_("Answer a case or a mail: an editor with the quote, what the gate says, 60 seconds to "
		   "undo"),
		reply_options, "cirt reply 2026-000409 --to imitated"},
	{"mail", "", ROLE_ANALYST, true, "", N_("Write a mail in a case, as `cirt reply` does, to anybody"),
		mail_options, "cirt mail --to police --case 2026-000409"},
	VERBS_END,
};
