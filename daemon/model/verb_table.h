#ifndef MODEL_VERB_TABLE_H
#define MODEL_VERB_TABLE_H

#include "model/verb.h"

/*
 * What the files of the verb table have in common: verb_SUBJECT.c holds the verbs of some nouns, options
 * first, and verb_table.c lists the subjects in the order of the help. Options that more than one file needs
 * stand here.
 */

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
/* The revision of a case that whoever asks has seen; cirt remembers it by itself. */
#define IF_OPTION                                                                                    \
	{                                                                                            \
		"if", "REVISION", N_("Only if nobody else has changed it since `case show` said so") \
	}
/* Who said what by phone, by chat or in person. */
#define BY_HAND_OPTIONS                                                                                      \
	{"phone", NULL, N_("It came by phone")}, {"chat", NULL, N_("It came by chat")},                      \
		{"in-person", NULL, N_("It was told in person")},                                            \
		{"from", "WHO", N_("Who said so (needed)")},                                                 \
		{"callback", "NUMBER", N_("Where to call back")},                                            \
		{"confidence", "WORD", N_("How sure that is: low, medium, high, or 0 to 100")},              \
		{"org", "NAME", N_("Whose it is, of the register")},                                         \
		{"class", "TYPE", N_("Its RSIT type, such as phishing (undetermined)")},                     \
		{"identifier", "WORD", N_("What exactly, such as open-rdp")},                                \
		{"tag", "TAGS", N_("Tags of the list, separated by commas")},                                \
		{"severity", "WORD", N_("info, low, medium, high or critical; -s for short")},               \
		{"tlp", "TLP", N_("clear, green, amber (default), amber+strict or red")},                    \
		{"about", "VALUES", N_("Addresses, names, URLs, digests that it is about, by commas")},      \
		{"at", "WHEN",                                                                               \
			N_("When it happened: 22:10, \"yesterday 22:10\" (now); starts no clock of a law")}, \
		{"title", "TEXT", N_("In a line (default: the first of the text)")},                         \
		{"text", "TEXT", N_("What was said; on a terminal your editor opens where it is missing")},  \
		{"exercise", "NAME", N_("It belongs to this exercise")},                                     \
	{                                                                                                    \
		"source", "NAME", N_("A source of kind desk that it counts for (default: the first)")        \
	}

/* Of what two people have to do. */
#define BREAK_GLASS_OPTION                                                                         \
	{                                                                                          \
		"break-glass", "REASON",                                                           \
			N_("Alone at night: done now, the lead is alarmed, somebody countersigns") \
	}
#define VERBS_END                                                    \
	{                                                            \
		NULL, NULL, ROLE_NONE, false, NULL, NULL, NULL, NULL \
	}

static const struct verb_option none[] __attribute__((unused)) = {LAST};
static const struct verb_option reasoned[] __attribute__((unused)) = {WHY_OPTION, LAST};

extern const struct verb verbs_today[];
extern const struct verb verbs_inbox[];
extern const struct verb verbs_report[];
extern const struct verb verbs_evidence[];
extern const struct verb verbs_case[];
extern const struct verb verbs_mail[];
extern const struct verb verbs_clock[];
extern const struct verb verbs_work[];
extern const struct verb verbs_source[];
extern const struct verb verbs_register[];
extern const struct verb verbs_notice[];
extern const struct verb verbs_operator[];
extern const struct verb verbs_service[];

#endif
