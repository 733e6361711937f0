#include "config.h"

#include "model/verb_table.h"

/* Who tells us, and what sources allow. */

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

const struct verb verbs_source[] = {
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
	VERBS_END,
};
