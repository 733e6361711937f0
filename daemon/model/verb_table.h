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
#define VERBS_END                                                    \
	{                                                            \
		NULL, NULL, ROLE_NONE, false, NULL, NULL, NULL, NULL \
	}

static const struct verb_option none[] __attribute__((unused)) = {LAST};
static const struct verb_option reasoned[] __attribute__((unused)) = {WHY_OPTION, LAST};

extern const struct verb verbs_today[];
extern const struct verb verbs_inbox[];
extern const struct verb verbs_report[];
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
