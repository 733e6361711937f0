#include "config.h"

#include "model/verb_table.h"

/* What came in: reports, other mails, spam, what could not be read, files. */

static const struct verb_option report_list_options[] = {
	PAGE,
	{"source", "NAME", N_("Only from this source")},
	{"since", "WHEN", N_("Received since: 2h, 3d, 2026-11-22, or RFC 3339")},
	{"type", "TYPE", N_("Only this RSIT type, such as phishing")},
	{"state", "STATE", N_("new, linked, noticed, answered or rejected")},
	{"severity", "WORD", N_("At least: info, low, medium, high, critical")},
	{"identifier", "WORD", N_("Only this identifier, such as open-rdp")},
	{"org", "NAME", N_("Only of this organisation; \"-\": of nobody that we serve")},
	{"country", "CC", N_("Only of this country, such as AT")},
	LAST,
};

/* Which reports an act is on, where they are not named. */
#define WHICH_OPTIONS                                                                        \
	{"source", "NAME", N_("All from this source, at most 100,000")},                     \
		{"since", "WHEN", N_("Received since: 2h, 3d, 2026-11-22, or RFC 3339")},    \
		{"type", "TYPE", N_("Of this RSIT type, such as phishing")},                 \
		{"identifier", "WORD", N_("Of this identifier, such as open-rdp")},          \
		{"org", "NAME", N_("Of this organisation; \"-\": of nobody that we serve")}, \
		{"state", "STATE", N_("In this state, of those that the act is for")},       \
		{"severity", "WORD", N_("At least: info, low, medium, high, critical")},     \
		{"dry-run", NULL, N_("Only show what it would be done to")},                 \
	{                                                                                    \
		"yes", NULL, N_("Do not ask first whether it is to be done to all of them")  \
	}

static const struct verb_option report_new_options[] = {
	{"case", "NUMBER", N_("It belongs to this case")},
	BY_HAND_OPTIONS,
	LAST,
};
static const struct verb_option report_which_options[] = {WHICH_OPTIONS, LAST};
static const struct verb_option report_reject_options[] = {
	{"reason", "WORD", N_("spam, not-ours, false-alarm, duplicate or test (needed)")},
	{"note", "TEXT", N_("Why; it stands in the journal")},
	WHICH_OPTIONS,
	LAST,
};
static const struct verb_option report_answered_options[] = {
	{"note", "TEXT", N_("By whom and how; it stands in the journal")},
	WHICH_OPTIONS,
	LAST,
};
static const struct verb_option report_reclassify_options[] = {
	{"as-identifier", "WORD", N_("The identifier too, such as open-rdp; an empty one takes it away")},
	WHICH_OPTIONS,
	LAST,
};
static const struct verb_option report_retag_options[] = {
	{"add", "TAGS", N_("Give them these tags of the list, separated by commas")},
	{"remove", "TAGS", N_("Take these tags away")},
	WHICH_OPTIONS,
	LAST,
};

static const struct verb_option report_show_options[] = {
	{"why", NULL, N_("Explain the folding: rule, version, key, what came before, who saw it when")},
	LAST,
};

static const struct verb_option report_search_options[] = {
	PAGE,
	{"source", "NAME", N_("Only from this source")},
	{"since", "WHEN", N_("Received since: 2h, 3d, 2026-11-22, or RFC 3339")},
	{"org", "NAME", N_("Only of this organisation; \"-\": of nobody that we serve")},
	{"country", "CC", N_("Only of this country, such as AT")},
	{"text", NULL, N_("Look for these words in title and text, whatever they look like")},
	LAST,
};

static const struct verb_option report_unfold_options[] = {
	{"source", "NAME", N_("Only what this source saw")},
	WHY_OPTION,
	LAST,
};

static const struct verb_option mail_search_options[] = {
	PAGE,
	{"case", "NUMBER", N_("Only mails of this case")},
	{"text", NULL, N_("Look for these words in subject and text, whatever they look like")},
	LAST,
};

static const struct verb_option spam_review_options[] = {
	PAGE,
	{"source", "NAME", N_("Only what came to this mailbox")},
	{"sender", "SENDER", N_("Only from this address, or this end of one")},
	{"all", NULL, N_("What was rescued too")},
	LAST,
};

static const struct verb_option quarantine_list_options[] = {
	PAGE,
	{"state", "STATE", N_("quarantined (default), released, processed, discarded, or all")},
	{"source", "NAME", N_("Only from this source")},
	LAST,
};

static const struct verb_option quarantine_show_options[] = {
	{"bytes", NULL, N_("Give the bytes themselves (base64 in JSON; escaped on a terminal)")},
	LAST,
};

const struct verb verbs_report[] = {
	{"report", "list", ROLE_VIEWER, false, "", N_("Reports, newest first"), report_list_options,
		"cirt report list --source sensor-1 --since 2h"},
	{"report", "show", ROLE_VIEWER, false, "ID", N_("All about one report"), report_show_options,
		"cirt report show 202611-123 --why"},
	{"report", "search", ROLE_VIEWER, false, "WHAT...",
		N_("Reports that name an address or prefix, a name and all below it, a URL, a digest, or "
		   "words"),
		report_search_options, "cirt report search 198.51.100.0/24"},
	{"report", "unfold", ROLE_ANALYST, true, "ID",
		N_("Undo a folding: what was seen again becomes a report of its own"), report_unfold_options,
		"cirt report unfold 202611-123 --source sensor-1"},
	{"report", "new", ROLE_TRAINEE, true, "",
		N_("Write down what came by phone, by chat or in person; it is kept and counted as all else"),
		report_new_options, "cirt report new --phone --from \"A. Citizen\" --class phishing"},
	{"report", "link", ROLE_ANALYST, true, "CASE [REPORT...]",
		N_("Put reports into a case: those named, or all that the options leave"),
		report_which_options, "cirt report link 2026-000412 202611-123 202611-124"},
	{"report", "unlink", ROLE_ANALYST, true, "[REPORT...]", N_("Take reports out of their cases"),
		report_which_options, "cirt report unlink 202611-123"},
	{"report", "reject", ROLE_ANALYST, true, "[REPORT...]",
		N_("They are nothing to work on, and why; nobody is warned of them"), report_reject_options,
		"cirt report reject --source feed-7 --identifier open-rdp --reason false-alarm"},
	{"report", "answered", ROLE_ANALYST, true, "[REPORT...]",
		N_("Who reported them, or whose they are, has been answered"), report_answered_options,
		"cirt report answered 202611-123 --note \"called back\""},
	{"report", "reopen", ROLE_ANALYST, true, "[REPORT...]",
		N_("They are new again, whatever was said of them"), report_answered_options,
		"cirt report reopen 202611-123"},
	{"report", "reclassify", ROLE_ANALYST, true, "CLASS [REPORT...]",
		N_("Say what they are: another RSIT type"), report_reclassify_options,
		"cirt report reclassify phishing 202611-123"},
	{"report", "retag", ROLE_ANALYST, true, "[REPORT...]", N_("Give and take tags"), report_retag_options,
		"cirt report retag 202611-123 --add ransomware"},
	{"report", "reassign", ROLE_ANALYST, true, "ORGANISATION [REPORT...]",
		N_("Say whose they are; \"-\": nobody's that we serve. Cases, not reports, belong to "
		   "operators"),
		report_answered_options, "cirt report reassign \"City Hospital\" 202611-123"},
	{"mail", "search", ROLE_VIEWER, false, "WHAT...",
		N_("Mails that are no reports, in a case, in none, or spam: by what they mention, or by "
		   "words"),
		mail_search_options, "cirt mail search hoster.example --case 2026-000412"},
	{"mail", "show", ROLE_VIEWER, false, "ID", N_("One of them"), none, "cirt mail show 202611-124"},
	{"spam", "review", ROLE_VIEWER, false, "", N_("What is kept as spam, and why"), spam_review_options,
		"cirt spam review --source report"},
	{"spam", "show", ROLE_VIEWER, false, "ID", N_("One of them"), none, "cirt spam show 202611-130"},
	{"spam", "rescue", ROLE_ANALYST, true, "ID...",
		N_("It is none: run it again as a report; a recorded act"), reasoned,
		"cirt spam rescue 202611-130"},
	{"spam", "list", ROLE_VIEWER, false, "", N_("Senders whose mails are spam, or never are"), none,
		"cirt spam list"},
	{"spam", "allow", ROLE_ANALYST, true, "SENDER",
		N_("Never spam: an address, or @domain with all below it"), reasoned,
		"cirt spam allow @partner.example"},
	{"spam", "deny", ROLE_ANALYST, true, "SENDER",
		N_("Always spam: an address, or @domain with all below it"), reasoned,
		"cirt spam deny news@offers.example --reason newsletter"},
	{"spam", "forget", ROLE_ANALYST, true, "SENDER", N_("Take a sender off the list"), none,
		"cirt spam forget @partner.example"},
	{"spam", "heed", ROLE_LEAD, true, "SOURCE",
		N_("Verdicts and volume count against mails to this mailbox"), none, "cirt spam heed report"},
	{"spam", "ignore", ROLE_LEAD, true, "SOURCE", N_("They do not: people send spam there on purpose"),
		none, "cirt spam ignore phish"},
	{"quarantine", "list", ROLE_VIEWER, false, "", N_("What could not be read, and why"),
		quarantine_list_options, "cirt quarantine list"},
	{"quarantine", "show", ROLE_ANALYST, false, "ID", N_("One of them, with its bytes"),
		quarantine_show_options, "cirt quarantine show 7"},
	{"quarantine", "release", ROLE_ANALYST, true, "ID...", N_("Run it again"), reasoned,
		"cirt quarantine release 7"},
	{"quarantine", "discard", ROLE_ANALYST, true, "ID...", N_("Give it up; a recorded act"), reasoned,
		"cirt quarantine discard 7 --reason \"port scan\""},
	VERBS_END,
};
