#include "config.h"

#include "model/verb_table.h"

/* Whom we serve: organisations, contacts, groups. */

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

#define CONTACT_OPTIONS                                                                                  \
	{"role", "ROLE", N_("security, abuse, technical, management, legal, press, duty or other")},     \
		{"name", "NAME", N_("Whose it is")}, {"email", "ADDRESS", N_("Mail address")},           \
		{"phone", "NUMBER", N_("Telephone")},                                                    \
		{"language", "TAG", N_("Language of what it is told, such as de (en)")},                 \
		{"zone", "ZONE", N_("Of its clocks, such as Europe/Vienna (UTC)")},                      \
		{"schedule", "TEXT", N_("always, or such as \"Mon-Fri 08:00-18:00, Sat 09:00-12:00\"")}, \
		{"format", "FORMAT", N_("csv, xarf or inline")},                                         \
		{"policy", "POLICY", N_("Encryption: required, preferred or never")},                    \
		{"pgp", "KEY", N_("Fingerprint of its OpenPGP key; \"\" none")},                         \
		{"smime", "KEY", N_("Fingerprint of its certificate; \"\" none")},                       \
		{"priority", "N", N_("The lowest of a role is asked first (100)")},                      \
		{"from", "DAY", N_("Since when")},                                                       \
	{                                                                                                \
		"until", "DAY", N_("Until when; \"\" for good")                                          \
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

const struct verb verbs_register[] = {
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
	{"contact", "test", ROLE_ANALYST, true, "ID",
		N_("Send it a test mail, sealed as all that it is told; an answer shows that it is read"),
		none, "cirt contact test 12"},
	{"group", "list", ROLE_VIEWER, false, "", N_("Groups of organisations"), paged_options,
		"cirt group list"},
	{"group", "show", ROLE_VIEWER, false, "NAME", N_("Who is in it, and why"), paged_options,
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
	VERBS_END,
};
