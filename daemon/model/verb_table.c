#include "config.h"

#include "model/verb.h"

/* Marks what the client puts through gettext. */
#define N_(text) text

#define LAST                     \
	{                        \
		NULL, NULL, NULL \
	}
#define PAGE                                                                          \
	{"limit", "N", N_("At most N rows (50; at most 1000)")},                      \
	{                                                                             \
		"cursor", "CURSOR", N_("Go on where the last page ended: its `next`") \
	}
#define WHY_OPTION                                                    \
	{                                                             \
		"reason", "TEXT", N_("Why; it stands in the journal") \
	}

static const struct verb_option none[] = {LAST};
static const struct verb_option reasoned[] = {WHY_OPTION, LAST};

static const struct verb_option ledger_options[] = {
	{"wait", "SECONDS", N_("Return when nothing is pending, or fail after so many seconds")},
	LAST,
};

static const struct verb_option source_list_options[] = {
	{"kind", "KIND", N_("mailbox, sensor, feed, taxii, misp, misp-feed, shadowserver or desk")},
	PAGE,
	LAST,
};

/* What a source is told, when it is added and later. */
#define SOURCE_OPTIONS                                                                                     \
	{"match", "MATCH", N_("What it is known by: recipient; \"san:NAME\" or \"pin:SHA256\"; URL")},     \
		{"tlp", "TLP",                                                                             \
			N_("TLP of what does not say: clear, green, amber (default), amber+strict, red")}, \
		{"pap", "PAP", N_("PAP of what does not say: clear, green, amber, red")},                  \
		{"type", "TYPE", N_("RSIT type of what does not say, such as phishing")},                  \
		{"format", "FORMAT",                                                                       \
			N_("auto (default), mail, stix, lines, native, eve, idea, intelmq, zeek, csv, "    \
			   "misp, xarf or shadowserver")},                                                 \
		{"trust", "N", N_("0 to 100 (50)")},                                                       \
		{"interval", "SECONDS", N_("Feeds: time between two pulls")},                              \
		{"auth", "SECRET",                                                                         \
			N_("Feeds: \"user:password\", \"bearer TOKEN\", \"token TOKEN\", \"key KEY\" or "  \
			   "\"certificate\"")},                                                            \
		{"silent-after", "SECONDS",                                                                \
			N_("Raise an alarm when it has told nothing new for so long (0: never)")},         \
		{"columns", "COLUMNS",                                                                     \
			N_("CSV: what stands in each, such as \"time ip malware\"; see cirtd.conf(5)")},   \
		{"separator", "WORD", N_("CSV: , ; | or tab (default: found out)")},                       \
		{"comment", "WORD", N_("CSV: the character that comment lines begin with (#), or none")},  \
		{"filter", "FILTER", N_("TAXII, MISP, Shadowserver: only what matches")},                  \
		{"since", "DAY", N_("TAXII, MISP, Shadowserver: take all from this day on")},              \
		{"download", "URL", N_("Shadowserver: where reports are fetched from")},                   \
		{"max-lines", "N", N_("Lines per second at most (0: no limit)")},                          \
		{"max-bytes", "N", N_("Bytes per second at most (0: no limit)")},                          \
		{"contact", "ADDRESS", N_("Who is asked whether what it told may be passed on")},          \
		{"acknowledge", "WORD",                                                                    \
			N_("Mailbox: no, where people are not told that their report has arrived")},       \
	{                                                                                                  \
		"exercise", "DRILL", N_("All that comes from it belongs to this drill")                    \
	}

static const struct verb_option source_add_options[] = {
	{"kind", "KIND", N_("mailbox, sensor, feed, taxii, misp, misp-feed, shadowserver or desk (needed)")},
	SOURCE_OPTIONS,
	{"restricted", NULL, N_("Its reports never fold with those of others")},
	{"spam-welcome", NULL,
		N_("Mailbox: people send spam there, so that no verdict and no volume counts")},
	{"ask-before-notice", NULL, N_("Those affected may not be told before it was asked")},
	LAST,
};

static const struct verb_option source_set_options[] = {
	SOURCE_OPTIONS,
	{"restricted", "WORD", N_("yes or no: its reports never fold with those of others")},
	{"spam-welcome", "WORD",
		N_("yes or no: people send spam there, so that no verdict and no volume counts")},
	{"ask-before-notice", "WORD", N_("yes or no: those affected may not be told before it was asked")},
	WHY_OPTION,
	LAST,
};

static const struct verb_option source_pull_options[] = {
	{"again", NULL, N_("Ask again for the items that could not be had, given up ones too")},
	LAST,
};

static const struct verb_option tlp_ask_options[] = {
	{"to", "ADDRESS", N_("Whom: one of the source's addresses (default: its first, else who sent it)")},
	{"note", "TEXT", N_("Why we ask; it stands in the mail")},
	{"phone", NULL, N_("Nothing is sent: somebody calls")},
	LAST,
};
static const struct verb_option tlp_list_options[] = {
	PAGE,
	{"all", NULL, N_("Answered ones too, the newest first")},
	LAST,
};
static const struct verb_option tlp_grant_options[] = {
	{"form", "WORD", N_("full or sanitised: what the source allows (needed)")},
	{"evidence", "MAIL", N_("The mail that says so")},
	{"note", "TEXT", N_("Who said so when, where there is no mail")},
	LAST,
};
static const struct verb_option tlp_refuse_options[] = {
	{"evidence", "MAIL", N_("The mail that says so")},
	{"note", "TEXT", N_("Who said so when, where there is no mail")},
	LAST,
};

static const struct verb_option discover_options[] = {
	{"auth", "SECRET", N_("As of a source that is pulled")},
	LAST,
};

static const struct verb_option report_list_options[] = {
	PAGE,
	{"source", "NAME", N_("Only from this source")},
	{"since", "WHEN", N_("Received since: 2h, 3d, 2026-11-22, or RFC 3339")},
	{"type", "TYPE", N_("Only this RSIT type, such as phishing")},
	{"state", "STATE", N_("new, linked, noticed, answered or rejected")},
	{"severity", "WORD", N_("At least: info, low, medium, high, critical")},
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
	{"text", NULL, N_("Look for these words in title and text, whatever they look like")},
	LAST,
};

static const struct verb_option report_unfold_options[] = {
	{"source", "NAME", N_("Only what this source saw")},
	WHY_OPTION,
	LAST,
};

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

static const struct verb_option case_close_options[] = {
	{"outcome", "TEXT", N_("How it ended (needed)")},
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

static const struct verb_option evidence_options[] = {
	{"output", "FILE",
		N_("Where to put it; it must not be there (default: standard output, if that is no "
		   "terminal)")},
	LAST,
};

static const struct verb_option receipt_options[] = {
	PAGE,
	LAST,
};

static const struct verb_option submit_options[] = {
	{"source", "NAME", N_("Which source it counts for (default: the first of kind desk)")},
	{"format", "FORMAT",
		N_("auto (default), mail, stix, lines, native, eve, idea, intelmq, zeek, csv, "
		   "misp, xarf or shadowserver")},
	{"exercise", "DRILL", N_("It belongs to this drill")},
	{"folders", NULL, N_("Of a maildir the folders in it too")},
	{"again", NULL, N_("Take it in although the same file was taken in before")},
	LAST,
};

static const struct verb_option alarm_list_options[] = {
	PAGE,
	{"all", NULL, N_("Those that are over or acknowledged too")},
	LAST,
};

static const struct verb_option audit_options[] = {
	{"all", NULL, N_("Compare with every anchor, however long it takes")},
	LAST,
};

static const struct verb_option watch_options[] = {
	{"reports", NULL, N_("Only reports")},
	{"cases", NULL, N_("Only cases")},
	{"count", "N", N_("End after N lines")},
	LAST,
};

static const struct verb_option rule_read_options[] = {
	{"draft", NULL, N_("In the draft, which is tried by `cirt rule test` before it holds")},
	LAST,
};

static const struct verb_option rule_new_options[] = {
	{"org", "NAME", N_("Of this organisation; \"-\" takes a condition away")},
	{"group", "GROUP", N_("Of the organisations of this group")},
	{"whose", "WORD",
		N_("ours: of an organisation of the register; foreign: of nobody that we serve; any")},
	{"country", "CC", N_("Foreign, of this country")},
	{"prefix", "PREFIX", N_("Its address is in this prefix")},
	{"class", "CLASS", N_("Of this RSIT class, such as vulnerable")},
	{"type", "TYPE", N_("Of this RSIT type, such as infected-system")},
	{"identifier", "PATTERN", N_("Of this identifier, such as open-rdp; * stands for anything")},
	{"source", "NAME", N_("From this source")},
	{"severity", "WORD", N_("At least: info, low, medium, high, critical")},
	{"suppress", NULL, N_("Tell nobody")},
	{"to", "RECIPIENTS",
		N_("Tell all of these, separated by commas, of a|b the first that there is; cirt(1) names "
		   "them")},
	{"format", "FORMAT", N_("csv, xarf or inline instead of the contact's")},
	{"language", "LANGUAGE", N_("Instead of the contact's")},
	{"template", "NAME", N_("Instead of the one of its class")},
	{"repeat", "TIME", N_("Tell again after this time, such as 14d (7d compromised, 30d otherwise)")},
	{"note", "TEXT", N_("What it is for")},
	{"before", "RULE", N_("Where it stands: before this one")},
	{"after", "RULE", N_("Where it stands: behind this one")},
	{"draft", NULL, N_("In the draft, which is tried by `cirt rule test` before it holds")},
	LAST,
};

static const struct verb_option rule_set_options[] = {
	{"org", "NAME", N_("Of this organisation; \"-\" takes a condition away")},
	{"group", "GROUP", N_("Of the organisations of this group")},
	{"whose", "WORD",
		N_("ours: of an organisation of the register; foreign: of nobody that we serve; any")},
	{"country", "CC", N_("Foreign, of this country")},
	{"prefix", "PREFIX", N_("Its address is in this prefix")},
	{"class", "CLASS", N_("Of this RSIT class, such as vulnerable")},
	{"type", "TYPE", N_("Of this RSIT type, such as infected-system")},
	{"identifier", "PATTERN", N_("Of this identifier, such as open-rdp; * stands for anything")},
	{"source", "NAME", N_("From this source")},
	{"severity", "WORD", N_("At least: info, low, medium, high, critical")},
	{"suppress", NULL, N_("Tell nobody")},
	{"to", "RECIPIENTS",
		N_("Tell all of these, separated by commas, of a|b the first that there is; cirt(1) names "
		   "them")},
	{"format", "FORMAT", N_("csv, xarf or inline instead of the contact's")},
	{"language", "LANGUAGE", N_("Instead of the contact's")},
	{"template", "NAME", N_("Instead of the one of its class")},
	{"repeat", "TIME", N_("Tell again after this time, such as 14d (7d compromised, 30d otherwise)")},
	{"note", "TEXT", N_("What it is for")},
	{"before", "RULE", N_("Where it stands: before this one")},
	{"after", "RULE", N_("Where it stands: behind this one")},
	{"enable", NULL, N_("It holds again")},
	{"disable", NULL, N_("It stays, and does not hold")},
	{"draft", NULL, N_("In the draft, which is tried by `cirt rule test` before it holds")},
	LAST,
};

static const struct verb_option rule_move_options[] = {
	{"before", "RULE", N_("Where it stands: before this one")},
	{"after", "RULE", N_("Where it stands: behind this one")},
	{"draft", NULL, N_("In the draft, which is tried by `cirt rule test` before it holds")},
	LAST,
};

static const struct verb_option rule_delete_options[] = {
	{"draft", NULL, N_("In the draft, which is tried by `cirt rule test` before it holds")},
	LAST,
};

static const struct verb_option rule_test_options[] = {
	{"against", "TIME", N_("yesterday, last-week (default) or last-month")},
	{"since", "WHEN", N_("Received since: 2h, 3d, 2026-11-22, or RFC 3339")},
	LAST,
};

static const struct verb_option notice_preview_options[] = {
	{"limit", "N", N_("Name the N largest mails (10)")},
	{"since", "WHEN", N_("What was decided since (1d)")},
	LAST,
};

static const struct verb_option notice_list_options[] = {
	PAGE,
	{"state", "STATE", N_("bundling, held, ready, queued, sent, failed or cancelled")},
	{"org", "NAME", N_("Only of this organisation")},
	{"since", "WHEN", N_("Made since: 2h, 3d, 2026-11-22, or RFC 3339")},
	{"all", NULL, N_("Cancelled ones too")},
	LAST,
};

static const struct verb_option notice_show_options[] = {
	{"limit", "N", N_("At most N rows (50)")},
	LAST,
};

static const struct verb_option notice_send_options[] = {
	{"all", NULL, N_("All that are ready or still gather")},
	LAST,
};

static const struct verb_option notice_oneshot_options[] = {
	WHY_OPTION,
	{"org", "NAME", N_("All of this organisation instead")},
	{"source", "NAME", N_("From this source")},
	{"type", "TYPE", N_("Of this RSIT type")},
	{"identifier", "PATTERN", N_("Of this identifier; * stands for anything")},
	{"since", "WHEN", N_("Received since (7d)")},
	{"dry-run", NULL, N_("Say whom it would reach, and do nothing")},
	LAST,
};

static const struct verb_option notice_effect_options[] = {
	{"by", "WORD", N_("organisation (default), sector or identifier")},
	{"since", "WHEN", N_("Received since (30d)")},
	{"org", "NAME", N_("Only of this organisation")},
	LAST,
};

#define ORG_OPTIONS                                                                                      \
	{"kind", "KIND",                                                                                 \
		N_("government, bank, isp, hospital, utility, education, media, business, sector-cirt, " \
		   "national-cirt or other")},                                                           \
		{"sector", "SECTOR", N_("Sector, such as health")},                                      \
		{"criticality", "WORD", N_("normal, important or critical")},                            \
		{"country", "CC", N_("Country, two letters of ISO 3166")},                               \
		{"parent", "NAME", N_("The organisation that it belongs to; \"\" none")},                \
		{"handle", "HANDLE", N_("Of a registry, such as ORG-EX1-RIPE")},                         \
		{"note", "TEXT", N_("What else people must know")},                                      \
		{"prefix", "LIST", N_("It holds these prefixes too, IPv4 or IPv6")},                     \
		{"asn", "LIST", N_("It holds these AS numbers too")},                                    \
		{"domain", "LIST", N_("It holds these domains too, and all names below them")},          \
		{"brand", "LIST", N_("It is imitated by these names too; several by semicolon")},        \
		{"from", "DAY", N_("Since when: of the entries named here, else of the organisation")},  \
		{"until", "DAY", N_("Until when, the same; \"\" for good")},                             \
	{                                                                                                \
		"shared", NULL, N_("Even where another organisation holds exactly the same")             \
	}
#define CONTACT_OPTIONS                                                                              \
	{"role", "ROLE", N_("security, abuse, technical, management, legal, press, duty or other")}, \
		{"name", "NAME", N_("Whose it is")}, {"email", "ADDRESS", N_("Mail address")},       \
		{"phone", "NUMBER", N_("Telephone")},                                                \
		{"language", "TAG", N_("Language of what it is told, such as de (en)")},             \
		{"zone", "ZONE", N_("Of its clocks, such as Europe/Vienna (UTC)")},                  \
		{"schedule", "TEXT", N_("always, or such as \"Mon-Fri 08:00-16:00\"")},              \
		{"format", "FORMAT", N_("csv, xarf or inline")},                                     \
		{"policy", "POLICY", N_("Encryption: required, preferred or never")},                \
		{"pgp", "KEY", N_("Fingerprint of its OpenPGP key; \"\" none")},                     \
		{"smime", "KEY", N_("Fingerprint of its certificate; \"\" none")},                   \
		{"priority", "N", N_("The lowest of a role is asked first (100)")},                  \
		{"from", "DAY", N_("Since when")},                                                   \
	{                                                                                            \
		"until", "DAY", N_("Until when; \"\" for good")                                      \
	}

static const struct verb_option org_list_options[] = {
	{"kind", "KIND", N_("Only of this kind, such as bank")},
	{"sector", "SECTOR", N_("Only of this sector")},
	{"criticality", "WORD", N_("normal, important or critical")},
	{"country", "CC", N_("Only of this country")},
	{"group", "GROUP", N_("Only of this group")},
	{"match", "TEXT", N_("Only where the name has it")},
	{"all", NULL, N_("Those that have ended too")},
	PAGE,
	LAST,
};

static const struct verb_option org_new_options[] = {ORG_OPTIONS, WHY_OPTION, LAST};

static const struct verb_option org_set_options[] = {
	{"rename", "NAME", N_("Its name from now on")},
	{"end", "LIST", N_("These entries end, at --until or now")},
	ORG_OPTIONS,
	WHY_OPTION,
	LAST,
};

static const struct verb_option closing_options[] = {
	{"until", "DAY", N_("When it ends (now)")},
	WHY_OPTION,
	LAST,
};

static const struct verb_option org_who_options[] = {
	{"at", "DAY", N_("Who held it then (now)")},
	LAST,
};

static const struct verb_option org_import_options[] = {
	{"dry-run", NULL, N_("Only show what would change")},
	{"replace", NULL,
		N_("What earlier files brought and this one has not, ends; never what was made by hand")},
	{"shared", NULL, N_("Even where two organisations hold exactly the same")},
	LAST,
};

static const struct verb_option org_export_options[] = {
	{"format", "FORMAT", N_("csv (default) or json")},
	LAST,
};

static const struct verb_option org_registry_options[] = {
	{"dry-run", NULL, N_("Only show what would change")},
	{"registry", "NAME", N_("Whose file it is, such as ripencc (needed for complaints)")},
	LAST,
};

static const struct verb_option contact_list_options[] = {
	{"role", "ROLE", N_("security, abuse, technical, management, legal, press, duty or other")},
	{"email", "TEXT", N_("Only where the address has it")},
	{"all", NULL, N_("Those that have ended too")},
	PAGE,
	LAST,
};

static const struct verb_option contact_options[] = {CONTACT_OPTIONS, LAST};

static const struct verb_option group_options[] = {
	{"title", "TEXT", N_("What it is")},
	{"sector", "SECTOR", N_("All organisations of this sector are in it; \"\" none")},
	{"kind", "KIND", N_("All organisations of this kind are in it; \"\" none")},
	LAST,
};

static const struct verb_option paged_options[] = {PAGE, LAST};

static const struct verb_option undo_options[] = {
	{"list", NULL, N_("Show what may be taken back, the newest first")},
	{"all", NULL, N_("With --list: what others did too")},
	PAGE,
	LAST,
};

const struct verb verbs[] = {
	{"today", "", ROLE_VIEWER, false, "",
		N_("What the day looks like: alarms, mails unread, what feeds brought, notices, what waits"),
		none, "cirt today"},
	{"status", "", ROLE_VIEWER, false, "", N_("Rooms, backlog and database"), none, "cirt status"},
	{"ledger", "", ROLE_VIEWER, false, "", N_("The books: what came in and what became of it"),
		ledger_options, "cirt ledger --wait 60"},
	{"alarm", "list", ROLE_VIEWER, false, "",
		N_("What the desk must know: feeds that changed or fell silent"), alarm_list_options,
		"cirt alarm list"},
	{"alarm", "ack", ROLE_TRAINEE, true, "ID", N_("You have seen it; said again, it is a new alarm"),
		reasoned, "cirt alarm ack 88"},
	{"source", "list", ROLE_VIEWER, false, "", N_("Who sends"), source_list_options, "cirt source list"},
	{"source", "show", ROLE_VIEWER, false, "NAME", N_("All about one source"), none,
		"cirt source show sensor-1"},
	{"source", "add", ROLE_LEAD, true, "NAME", N_("Let a new source in"), source_add_options,
		"cirt source add sensor-9 --kind sensor --match san:sensor-9.example --tlp green"},
	{"source", "set", ROLE_LEAD, true, "NAME",
		N_("Change what is said; the rest of the source stays as it is. An empty value takes one "
		   "away"),
		source_set_options, "cirt source set partner-taxii --interval 900 --auth user:password"},
	{"source", "discover", ROLE_LEAD, false, "URL",
		N_("See what a TAXII server has: its roots and collections"), discover_options,
		"cirt source discover https://taxii.example/taxii2/ --auth user:password"},
	{"source", "pull", ROLE_ANALYST, false, "NAME", N_("Pull a feed now"), source_pull_options,
		"cirt source pull partner-taxii"},
	{"source", "disable", ROLE_LEAD, true, "NAME", N_("Refuse a source from now on"), reasoned,
		"cirt source disable sensor-9 --reason \"stolen\""},
	{"source", "enable", ROLE_LEAD, true, "NAME", N_("Let a disabled source in again"), reasoned,
		"cirt source enable sensor-9"},
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
	{"case", "merge", ROLE_ANALYST, true, "NUMBER INTO", N_("Two cases are one; `case split` undoes it"),
		reasoned, "cirt case merge 2026-000413 2026-000412"},
	{"case", "split", ROLE_ANALYST, true, "NUMBER [REPORT...]",
		N_("Take reports out, into a case of their own; without reports: undo a merge"),
		case_split_options, "cirt case split 2026-000412 202611-123"},
	{"case", "close", ROLE_ANALYST, true, "NUMBER", N_("Close it with an outcome"), case_close_options,
		"cirt case close 2026-000412 --outcome \"cleaned, password changed\""},
	{"case", "read", ROLE_TRAINEE, true, "NUMBER", N_("You have read its mails: none is new any more"),
		none, "cirt case read 2026-000412"},
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
	{"org", "list", ROLE_VIEWER, false, "", N_("Organisations that we serve"), org_list_options,
		"cirt org list --sector health"},
	{"org", "show", ROLE_VIEWER, false, "NAME", N_("All about one: what it holds, and whom to tell"),
		none, "cirt org show \"City Hospital\""},
	{"org", "new", ROLE_ANALYST, true, "NAME", N_("A new one"), org_new_options,
		"cirt org new \"City Hospital\" --kind hospital --prefix 192.0.2.0/24"},
	{"org", "set", ROLE_ANALYST, true, "NAME", N_("Change it, and what it holds"), org_set_options,
		"cirt org set \"City Hospital\" --criticality critical --domain clinic.example"},
	{"org", "close", ROLE_ANALYST, true, "NAME", N_("It is served no more"), closing_options,
		"cirt org close \"City Hospital\" --until 2026-12-31"},
	{"org", "who", ROLE_VIEWER, false, "WHAT",
		N_("Whose an address, name, AS number or brand is, or was"), org_who_options,
		"cirt org who 192.0.2.7 --at 2026-01-15"},
	{"org", "import", ROLE_LEAD, true, "FILE",
		N_("Take a CSV or JSON file into the register: all of it or nothing"), org_import_options,
		"cirt org import constituents.csv --dry-run"},
	{"org", "export", ROLE_VIEWER, false, "", N_("Write the register as CSV or JSON, as import reads it"),
		org_export_options, "cirt org export >constituents.csv"},
	{"org", "registry", ROLE_LEAD, true, "FILE...",
		N_("Replace what a registry says: countries of addresses, and who takes complaints"),
		org_registry_options, "cirt org registry delegated-ripencc-extended-latest"},
	{"org", "domains", ROLE_VIEWER, false, "",
		N_("Names of constituents, as lines for the lookalike plugin"), none, "cirt org domains"},
	{"contact", "list", ROLE_VIEWER, false, "[ORGANISATION]", N_("Whom to tell"), contact_list_options,
		"cirt contact list \"City Hospital\""},
	{"contact", "new", ROLE_ANALYST, true, "ORGANISATION", N_("A new contact of an organisation"),
		contact_options,
		"cirt contact new \"City Hospital\" --email soc@clinic.example --language de"},
	{"contact", "set", ROLE_ANALYST, true, "ID", N_("Change it"), contact_options,
		"cirt contact set 12 --policy required"},
	{"contact", "close", ROLE_ANALYST, true, "ID", N_("It is told nothing more"), closing_options,
		"cirt contact close 12"},
	{"group", "list", ROLE_VIEWER, false, "", N_("Groups of organisations"), paged_options,
		"cirt group list"},
	{"group", "show", ROLE_VIEWER, false, "NAME", N_("Who is in it, and why"), none,
		"cirt group show hospitals"},
	{"group", "new", ROLE_ANALYST, true, "NAME", N_("A new group: by names, or all of a sector or kind"),
		group_options, "cirt group new hospitals --kind hospital"},
	{"group", "set", ROLE_ANALYST, true, "NAME", N_("Change it"), group_options,
		"cirt group set hospitals --title \"All hospitals\""},
	{"group", "add", ROLE_ANALYST, true, "NAME ORGANISATION...", N_("Organisations join it by name"),
		none, "cirt group add banks \"First Bank\""},
	{"group", "remove", ROLE_ANALYST, true, "NAME ORGANISATION...", N_("Organisations leave it"), none,
		"cirt group remove banks \"First Bank\""},
	{"group", "delete", ROLE_ANALYST, true, "NAME", N_("There is no such group any more"), none,
		"cirt group delete banks"},
	{"evidence", "get", ROLE_ANALYST, true, "DIGEST",
		N_("Fetch a file that a report came with, by its SHA-256; a recorded act"), evidence_options,
		"cirt evidence get e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 >a"},
	{"receipt", "", ROLE_VIEWER, false, "ID...",
		N_("What became of what a door has acknowledged: what its sender was told, pasted as it is"),
		receipt_options, "cirt receipt \"250 2.0.0 queued as 20261122-1f3a55aa-17\""},
	{"rule", "list", ROLE_VIEWER, false, "",
		N_("Whom to warn of what: rules in their order (YARA: `cirt rules`)"), rule_read_options,
		"cirt rule list"},
	{"rule", "show", ROLE_VIEWER, false, "RULE",
		N_("One rule, by name or number, and what it decided this week"), rule_read_options,
		"cirt rule show constituents"},
	{"rule", "new", ROLE_LEAD, true, "NAME",
		N_("Write a rule; it stands before the first that holds for all of it"), rule_new_options,
		"cirt rule new open-resolvers --type ddos-amplifier --suppress"},
	{"rule", "set", ROLE_LEAD, true, "RULE", N_("Change a rule"), rule_set_options,
		"cirt rule set open-resolvers --repeat 60d"},
	{"rule", "move", ROLE_LEAD, true, "RULE", N_("Put a rule elsewhere: the first that holds decides"),
		rule_move_options, "cirt rule move open-resolvers --before constituents"},
	{"rule", "delete", ROLE_LEAD, true, "RULE", N_("Remove a rule"), rule_delete_options,
		"cirt rule delete open-resolvers"},
	{"rule", "why", ROLE_VIEWER, false, "REPORT",
		N_("Each rule that does not hold for a report and why, whom the first that does reaches, "
		   "what the gate says"),
		rule_read_options, "cirt rule why 202611-123"},
	{"rule", "test", ROLE_ANALYST, false, "",
		N_("What the draft would have done with what came in, and what would change"),
		rule_test_options, "cirt rule test --against last-week"},
	{"rule", "apply", ROLE_LEAD, true, "", N_("The draft holds from now on"), none, "cirt rule apply"},
	{"rule", "discard", ROLE_LEAD, true, "", N_("Drop the draft"), none, "cirt rule discard"},
	{"notice", "preview", ROLE_VIEWER, false, "",
		N_("What is about to go to whom, what is held, what is not told and why"),
		notice_preview_options, "cirt notice preview"},
	{"notice", "list", ROLE_VIEWER, false, "", N_("Mails of notices, the newest first"),
		notice_list_options, "cirt notice list --state held"},
	{"notice", "show", ROLE_VIEWER, false, "NOTICE",
		N_("One mail: to whom, how, what it says of which reports, what became of it"),
		notice_show_options, "cirt notice show N2026-000123"},
	{"notice", "hold", ROLE_ANALYST, true, "NOTICE", N_("It does not go until somebody sends it"),
		reasoned, "cirt notice hold N2026-000123 --reason \"they move today\""},
	{"notice", "send", ROLE_ANALYST, true, "[NOTICE...]",
		N_("Let mails go now. More than notices.mass want a second person, who says the same"),
		notice_send_options, "cirt notice send --all"},
	{"notice", "oneshot", ROLE_ANALYST, true, "[REPORT...]",
		N_("Warn of these reports now, whatever was told before and whatever a rule suppresses"),
		notice_oneshot_options, "cirt notice oneshot 202611-123"},
	{"notice", "cancel", ROLE_ANALYST, true, "NOTICE",
		N_("It never goes; its reports wait for their interval"), reasoned,
		"cirt notice cancel N2026-000123 --reason \"false alarm\""},
	{"notice", "approve", ROLE_ANALYST, true, "NOTICE",
		N_("Let go what two people have to let go; the second sends it"), reasoned,
		"cirt notice approve N2026-000123"},
	{"notice", "effect", ROLE_VIEWER, false, "", N_("Seen, warned, gone within 7 and 30 days, relapsed"),
		notice_effect_options, "cirt notice effect --by sector --since 90d"},
	{"tlp", "ask", ROLE_ANALYST, true, "REPORT",
		N_("Ask the source of a report whether it may be passed on"), tlp_ask_options,
		"cirt tlp ask 202611-123 --note \"the hospital is hit\""},
	{"tlp", "list", ROLE_VIEWER, false, "", N_("Questions to sources that are open"), tlp_list_options,
		"cirt tlp list"},
	{"tlp", "grant", ROLE_ANALYST, true, "REPORT",
		N_("Write down that its source allows it; what waited for that is told"), tlp_grant_options,
		"cirt tlp grant 202611-123 --form sanitised --evidence 202611-456"},
	{"tlp", "refuse", ROLE_ANALYST, true, "REPORT", N_("Write down that its source does not allow it"),
		tlp_refuse_options, "cirt tlp refuse 202611-123 --note \"Ms Nakamura, by phone, 03:15\""},
	{"rules", "list", ROLE_VIEWER, false, "",
		N_("YARA rule files: what is loaded, what was refused, what they cost"), none,
		"cirt rules list"},
	{"rules", "check", ROLE_ANALYST, false, "", N_("Try all rule files: which fail, which are slow"),
		none, "cirt rules check"},
	{"rules", "reload", ROLE_LEAD, true, "", N_("Read the rule files again"), none, "cirt rules reload"},
	{"plugin", "list", ROLE_VIEWER, false, "", N_("Plugins that are loaded"), none, "cirt plugin list"},
	{"key", "list", ROLE_VIEWER, false, "", N_("Keys and certificates: whose, ours, open or locked"),
		none, "cirt key list"},
	{"key", "import", ROLE_ADMIN, true, "FILE",
		N_("Take in OpenPGP keys, certificates in PEM with or without their key, or lists of revoked "
		   "certificates in PEM; \"-\" reads them "
		   "from "
		   "standard input"),
		none, "cirt key import partner.asc"},
	{"key", "remove", ROLE_ADMIN, true, "KEY",
		N_("Give a key up, a secret one too; by its whole fingerprint"), none,
		"cirt key remove 44E96BAF54A8D1E10FEC9FD43E5FE42A0AC02F85"},
	{"key", "unlock", ROLE_ADMIN, true, "",
		N_("Open the keyring by its passphrase, typed or on standard input; what waits goes on"),
		none, "cirt key unlock"},
	{"key", "lock", ROLE_ADMIN, true, "", N_("Forget all passphrases: mail that needs them waits"), none,
		"cirt key lock"},
	{"submit", "", ROLE_TRAINEE, true, "FILE...",
		N_("Take in files: mail, mbox, maildir, STIX, lines of JSON"), submit_options,
		"cirt submit phish.eml"},
	{"watch", "", ROLE_VIEWER, false, "", N_("Reports and cases as they come"), watch_options,
		"cirt watch"},
	{"undo", "", ROLE_TRAINEE, true, "[ACT]",
		N_("Take back what you did last, or one of your acts; those of others are the lead's"),
		undo_options, "cirt undo"},
	{"audit", "verify", ROLE_VIEWER, false, "",
		N_("Check the journal's chains against the signed anchors"), audit_options,
		"cirt audit verify"},
	{"version", "", ROLE_NONE, false, "", N_("Versions of client and daemon"), none, "cirt version"},
	{"help", "", ROLE_NONE, false, "[NOUN] [VERB]", N_("What there is, and how it is used"), none,
		"cirt help case move"},
	{NULL, NULL, ROLE_NONE, false, NULL, NULL, NULL, NULL},
};
