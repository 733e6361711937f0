#ifndef MODEL_VERB_H
#define MODEL_VERB_H

#include "base/str.h"

/*
 * Every verb of `cirt`, one row each: the desk authorises by it, the client parses and helps by it, the
 * manual and the tests read it. The JSON-RPC method is "noun.verb".
 */
enum role { ROLE_NONE, ROLE_VIEWER, ROLE_TRAINEE, ROLE_ANALYST, ROLE_LEAD, ROLE_ADMIN };

struct verb_option {
	const char *name;  /* "limit" for --limit */
	const char *value; /* "N"; NULL for a switch */
	const char *help;
};

struct verb {
	const char *noun;      /* "case"; for one-word commands the word itself, with verb "" */
	const char *verb;      /* "list" */
	enum role role;        /* the least that may */
	bool changes;          /* writes something: journalled */
	const char *arguments; /* "NUMBER", "FILE...", "" */
	const char *summary;
	const struct verb_option *options; /* ends with name NULL */
	const char *example;
};

/* The row behind this one, subject by subject; of NULL the first, behind the last NULL. */
const struct verb *verb_next(const struct verb *verb);

const struct verb *verb_find(struct str noun, struct str verb);
const char *role_name(enum role role);
bool role_parse(struct str text, enum role *role);

#endif
