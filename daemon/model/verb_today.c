#include "config.h"

#include "model/verb_table.h"

/* The day: what there is to see, what comes in by hand. */

static const struct verb_option ledger_options[] = {
	{"wait", "SECONDS", N_("Return when nothing is pending, or fail after so many seconds")},
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

static const struct verb_option watch_options[] = {
	{"reports", NULL, N_("Only reports")},
	{"cases", NULL, N_("Only cases")},
	{"count", "N", N_("End after N lines")},
	LAST,
};

static const struct verb_option undo_options[] = {
	{"list", NULL, N_("Show what may be taken back, the newest first")},
	{"all", NULL, N_("With --list: what others did too")},
	PAGE,
	LAST,
};

const struct verb verbs_today[] = {
	{"today", "", ROLE_VIEWER, false, "",
		N_("What the day looks like: alarms, mails unread, what feeds brought, notices, what waits"),
		none, "cirt today"},
	{"search", "", ROLE_VIEWER, false, "WHAT...",
		N_("One box: addresses and what is in a prefix, names and what is below, digests, numbers, "
		   "references, people, words"),
		none, "cirt search 198.51.100.7"},
	{"status", "", ROLE_VIEWER, false, "", N_("Rooms, backlog and database"), none, "cirt status"},
	{"ledger", "", ROLE_VIEWER, false, "", N_("The books: what came in and what became of it"),
		ledger_options, "cirt ledger --wait 60"},
	{"alarm", "list", ROLE_VIEWER, false, "",
		N_("What the desk must know: feeds that changed or fell silent"), alarm_list_options,
		"cirt alarm list"},
	{"alarm", "ack", ROLE_TRAINEE, true, "ID", N_("You have seen it; said again, it is a new alarm"),
		reasoned, "cirt alarm ack 88"},
	{"receipt", "", ROLE_VIEWER, false, "ID...",
		N_("What became of what a door has acknowledged: what its sender was told, pasted as it is"),
		receipt_options, "cirt receipt \"250 2.0.0 queued as 20261122-1f3a55aa-17\""},
	{"submit", "", ROLE_TRAINEE, true, "FILE...",
		N_("Take in files: mail, mbox, maildir, STIX, lines of JSON"), submit_options,
		"cirt submit phish.eml"},
	{"watch", "", ROLE_VIEWER, false, "", N_("Reports and cases as they come"), watch_options,
		"cirt watch"},
	{"undo", "", ROLE_TRAINEE, true, "[ACT]",
		N_("Take back what you did last, or one of your acts; those of others are the lead's"),
		undo_options, "cirt undo"},
	VERBS_END,
};
