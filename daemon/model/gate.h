#ifndef MODEL_GATE_H
#define MODEL_GATE_H

#include <stdbool.h>

#include "model/tlp.h"

/*
 * The one place that decides what may be told to whom, for every way out. Denied unless a row of its table
 * lets it. TLP 2.0 (FIRST, 2022), PAP, and of IEP 2.0 (FIRST, 2019) the statement on notifying the affected.
 * The database decides again by gate_decide() of sql/028-disclosure.sql; a test holds both together for every
 * combination.
 */

/* What somebody is to a report that he is told of. */
enum recipient_kind {
	RECIPIENT_SOURCE,   /* told it to us */
	RECIPIENT_AFFECTED, /* whose network it is, of those we serve */
	RECIPIENT_SECTOR,   /* looks after the affected: a sector's CIRT, a ministry */
	RECIPIENT_FOREIGN,  /* the national CIRT of another country */
	RECIPIENT_PROVIDER, /* runs the address or name, and we do not serve him: hoster, registrar, abuse
	                       desk */
	RECIPIENT_KINDS
};

/* sanitised: address, time and what; nothing of the source, no text, nothing that others said. */
enum disclosure_form { FORM_FULL, FORM_SANITISED, DISCLOSURE_FORMS };

/* What the source allowed when it was asked. */
enum release_kind { RELEASE_NONE, RELEASE_SANITISED, RELEASE_FULL, RELEASE_KINDS };

enum gate_verdict {
	GATE_ALLOW,
	GATE_SANITISE, /* only in that form */
	GATE_APPROVE,  /* two people first */
	GATE_ASK,      /* the source first */
	GATE_REFUSE,
	GATE_VERDICTS
};

struct gate_question {
	enum tlp tlp;             /* unstated counts as AMBER */
	enum pap pap;             /* unstated counts as AMBER */
	bool may_notify_affected; /* the source's */
	bool restricted;          /* the source's */
	enum release_kind released;
	enum recipient_kind recipient;
	bool exercise;     /* the report belongs to a drill */
	bool in_directory; /* the address is in that drill's directory */
};

/* why: what decided, in words for the desk; a constant. */
enum gate_verdict gate_decide(const struct gate_question *question, const char **why);

/* Does a verdict let this form out? approved: by two people. */
bool gate_lets(enum gate_verdict verdict, enum disclosure_form form, bool approved);

/* Words as the database has them: "affected", "sanitised", "full", "ask". NULL for what is none. */
const char *recipient_kind_name(enum recipient_kind kind);
const char *disclosure_form_name(enum disclosure_form form);
const char *release_kind_name(enum release_kind kind);
const char *gate_verdict_name(enum gate_verdict verdict);
bool recipient_kind_parse(struct str text, enum recipient_kind *kind);
bool disclosure_form_parse(struct str text, enum disclosure_form *form);
bool release_kind_parse(struct str text, enum release_kind *kind);

#endif
