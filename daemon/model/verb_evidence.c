#include "config.h"

#include "model/verb_table.h"

/* Files by their SHA-256, whoever brought them. */

static const struct verb_option evidence_list_options[] = {
	PAGE,
	{"case", "CASE", N_("All files of this case")},
	{"report", "REPORT", N_("Only those that this report came with")},
	{"held", NULL, N_("Only what is held from retention")},
	LAST,
};

static const struct verb_option evidence_get_options[] = {
	{"output", "FILE",
		N_("Where to put it; it must not be there (default: standard output, if that is no "
		   "terminal)")},
	LAST,
};

static const struct verb_option evidence_add_options[] = {
	{"called", "NAME", N_("What to call it (default: as the file is called)")},
	{"from", "TEXT", N_("Of whom you have it, and how: \"IT head, on a stick\"")},
	{"note", "TEXT", N_("What there is to know of it")},
	LAST,
};

static const struct verb_option evidence_hold_options[] = {
	WHY_OPTION,
	{"until", "UNTIL", N_("Until then (default: until somebody lets it go)")},
	LAST,
};

static const struct verb_option evidence_export_options[] = {
	{"output", "DIR", N_("The folder to make; it must not be there (needed)")},
	{"reason", "TEXT", N_("For the second person, where the case holds TLP:RED")},
	BREAK_GLASS_OPTION,
	LAST,
};

const struct verb verbs_evidence[] = {
	{"evidence", "list", ROLE_VIEWER, false, "",
		N_("Files that came with reports, or were added, the newest first"), evidence_list_options,
		"cirt evidence list --case 2026-000412"},
	{"evidence", "show", ROLE_VIEWER, false, "DIGEST",
		N_("One file: who brought it when, what rules said of it, who has had it since"), none,
		"cirt evidence show e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"evidence", "get", ROLE_ANALYST, true, "DIGEST", N_("Fetch a file by its SHA-256; a recorded act"),
		evidence_get_options,
		"cirt evidence get e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 >a"},
	{"evidence", "add", ROLE_ANALYST, true, "CASE FILE",
		N_("Put a file into a case, as evidence that you were given: at most 64 MB"),
		evidence_add_options,
		"cirt evidence add 2026-000412 ransom.txt --from \"IT head, on a stick\""},
	{"evidence", "hold", ROLE_ANALYST, true, "DIGEST", N_("Keep it whatever retention says"),
		evidence_hold_options, "cirt evidence hold $DIGEST --reason \"police file 7\""},
	{"evidence", "unhold", ROLE_LEAD, true, "DIGEST", N_("Let retention have it in its time"), reasoned,
		"cirt evidence unhold $DIGEST --reason \"file closed\""},
	{"evidence", "export", ROLE_ANALYST, true, "CASE",
		N_("All files of a case as a folder, with a manifest for sha256sum -c that our key signs"),
		evidence_export_options, "cirt evidence export 2026-000412 --output /srv/hand-over/412"},
	VERBS_END,
};
