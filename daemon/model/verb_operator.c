#include "config.h"

#include "model/verb_table.h"

/* Who works here, and what was done. */

static const struct verb_option audit_options[] = {
	{"all", NULL, N_("Compare with every anchor, however long it takes")},
	LAST,
};

const struct verb verbs_operator[] = {
	{"audit", "verify", ROLE_VIEWER, false, "",
		N_("Check the journal's chains against the signed anchors"), audit_options,
		"cirt audit verify"},
	VERBS_END,
};
