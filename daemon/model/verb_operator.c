#include "config.h"

#include "model/verb_table.h"

/* Who works here and may do what, what two people have to do, and what was done. */

static const struct verb_option operator_list_options[] = {
	{"all", NULL, N_("Those that are disabled too")},
	LAST,
};

#define OPERATOR_OPTIONS                                                                                    \
	{"uid", "UID", N_("The number of his Unix user here; \"\" none (default: the user of that name)")}, \
	{                                                                                                   \
		"certificate", "CERTIFICATE",                                                               \
			N_("What he comes with from elsewhere: a PEM file, or the SHA-256 of its public "   \
			   "key; \"\" none")                                                                \
	}

static const struct verb_option operator_new_options[] = {
	{"role", "ROLE", N_("viewer, trainee, analyst, lead or admin (needed)")},
	OPERATOR_OPTIONS,
	LAST,
};

static const struct verb_option operator_set_options[] = {
	{"role", "ROLE", N_("viewer, trainee, analyst, lead or admin")},
	OPERATOR_OPTIONS,
	WHY_OPTION,
	LAST,
};

static const struct verb_option approve_list_options[] = {
	PAGE,
	{"all", NULL, N_("What was answered too, the newest first")},
	LAST,
};

static const struct verb_option journal_options[] = {
	PAGE,
	{"by", "WHO", N_("Only what this operator or room did")},
	{"since", "WHEN", N_("Done since: 2h, 3d, 2026-11-22, or RFC 3339")},
	LAST,
};

static const struct verb_option audit_options[] = {
	{"all", NULL, N_("Compare with every anchor, however long it takes")},
	LAST,
};

const struct verb verbs_operator[] = {
	{"whoami", "", ROLE_VIEWER, false, "", N_("Who you are here, and what you are known by"), none,
		"cirt whoami"},
	{"operator", "list", ROLE_VIEWER, false, "", N_("Who works here, with which role"),
		operator_list_options, "cirt operator list"},
	{"operator", "show", ROLE_VIEWER, false, "NAME",
		N_("One operator: role, what he is known by, his work"), none, "cirt operator show op4"},
	{"operator", "new", ROLE_ADMIN, true, "NAME", N_("Let somebody in"), operator_new_options,
		"cirt operator new op4 --role analyst --certificate op4.pem"},
	{"operator", "set", ROLE_ADMIN, true, "NAME", N_("Change his role, or what he is known by"),
		operator_set_options, "cirt operator set op4 --role lead"},
	{"operator", "disable", ROLE_ADMIN, true, "NAME",
		N_("Let him in no more: what he is connected by ends within seconds"), reasoned,
		"cirt operator disable op4 --reason \"left\""},
	{"operator", "enable", ROLE_ADMIN, true, "NAME", N_("Let him in again"), reasoned,
		"cirt operator enable op4"},
	{"approve", "list", ROLE_VIEWER, false, "", N_("What waits for the word of a second person"),
		approve_list_options, "cirt approve list"},
	{"approve", "show", ROLE_VIEWER, false, "APPROVAL", N_("One of them, with what would be done"), none,
		"cirt approve show 7"},
	{"approve", "give", ROLE_ANALYST, true, "APPROVAL",
		N_("Let it be done, or countersign what somebody did alone; never one's own"), reasoned,
		"cirt approve give 7"},
	{"approve", "refuse", ROLE_ANALYST, true, "APPROVAL",
		N_("Do not, object to what somebody did alone, or take back what one has asked for oneself"),
		reasoned, "cirt approve refuse 7 --reason \"still needed by the police\""},
	{"journal", "", ROLE_VIEWER, false, "[OBJECT]",
		N_("What was done, by whom: to all, or to a case, mail, report, operator or KIND/NAME"),
		journal_options, "cirt journal 2026-000412 --by op4 --since 3d"},
	{"audit", "verify", ROLE_VIEWER, false, "",
		N_("Check the journal's chains against the signed anchors, and all rows against the journal"),
		audit_options, "cirt audit verify"},
	VERBS_END,
};
