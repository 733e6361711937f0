#include "config.h"

#include "model/verb_table.h"

/* Who is warned of what. */

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
	BREAK_GLASS_OPTION,
	LAST,
};

static const struct verb_option notice_approve_options[] = {WHY_OPTION, BREAK_GLASS_OPTION, LAST};

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
	PAGE,
	LAST,
};

const struct verb verbs_notice[] = {
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
		N_("Let go what two people have to let go; the second sends it"), notice_approve_options,
		"cirt notice approve N2026-000123"},
	{"notice", "effect", ROLE_VIEWER, false, "", N_("Seen, warned, gone within 7 and 30 days, relapsed"),
		notice_effect_options, "cirt notice effect --by sector --since 90d"},
	VERBS_END,
};
