#include "config.h"

#include "model/verb_table.h"

/* The machinery: YARA rules, plugins, keys; and help. */

static const struct verb_option rescan_options[] = {
	{"since", "WHEN", N_("Received since: 2h, 3d, 2026-11-22, or RFC 3339 (needed)")},
	{"until", "WHEN", N_("Received before that (default: now)")},
	{"rule", "RULE", N_("Only what this rule says, as RULE or FILE/RULE")},
	{"dry-run", NULL, N_("Only say how much there is to look at")},
	{"background", NULL, N_("Do not wait for its end")},
	LAST,
};

static const struct verb_option rescans_options[] = {PAGE, LAST};

static const struct verb_option key_remove_options[] = {
	{"reason", "TEXT", N_("Why, for the second person; it stands in the journal")},
	BREAK_GLASS_OPTION,
	LAST,
};

const struct verb verbs_service[] = {
	{"rules", "list", ROLE_VIEWER, false, "",
		N_("YARA rule files: what is loaded, what was refused, what they cost"), none,
		"cirt rules list"},
	{"rules", "check", ROLE_ANALYST, false, "", N_("Try all rule files: which fail, which are slow"),
		none, "cirt rules check"},
	{"rules", "reload", ROLE_LEAD, true, "", N_("Read the rule files again"), none, "cirt rules reload"},
	{"rules", "rescan", ROLE_ANALYST, true, "",
		N_("Look at old evidence with the rules of today: what matches now is told, and no report "
		   "changes"),
		rescan_options, "cirt rules rescan --since 30d --rule winterlock"},
	{"rules", "show", ROLE_VIEWER, false, "[RESCAN]",
		N_("Old evidence under new rules: the last rescans, or one and what it found"),
		rescans_options, "cirt rules show 7"},
	{"rules", "stop", ROLE_ANALYST, true, "RESCAN", N_("End a rescan; what it found so far stays"), none,
		"cirt rules stop 7"},
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
		N_("Give a key up, a secret one too; by its whole fingerprint. Two people have to want it"),
		key_remove_options, "cirt key remove 44E96BAF54A8D1E10FEC9FD43E5FE42A0AC02F85"},
	{"key", "unlock", ROLE_ADMIN, true, "",
		N_("Open the keyring by its passphrase, typed or on standard input; what waits goes on"),
		none, "cirt key unlock"},
	{"key", "lock", ROLE_ADMIN, true, "", N_("Forget all passphrases: mail that needs them waits"), none,
		"cirt key lock"},
	{"version", "", ROLE_NONE, false, "", N_("Versions of client and daemon"), none, "cirt version"},
	{"help", "", ROLE_NONE, false, "[WHAT...]",
		N_("What there is and how it is used: of a noun and verb, or by what happened (cirt help "
		   "task)"),
		none, "cirt help case move"},
	VERBS_END,
};
