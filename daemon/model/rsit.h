#ifndef MODEL_RSIT_H
#define MODEL_RSIT_H

#include "base/str.h"

/*
 * Reference Security Incident Taxonomy (ENISA, machinev1 version 1003): 11 classes, 39 types.
 * The table is the only place that knows them; SQL's enum rsit_type is checked against it by a test.
 */
enum rsit_type { RSIT_NONE = 0, RSIT_FIRST = 1, RSIT_COUNT = 40 }; /* 1..39: index into the table */

const char *rsit_name(enum rsit_type type);  /* "phishing"; "undetermined" for RSIT_NONE */
const char *rsit_class(enum rsit_type type); /* "fraud" */
int rsit_severity(enum rsit_type type);      /* 0..100, of a report whose sender states none */
/* "phishing", "fraud/phishing" or rsit:fraud="phishing"; false if it is none of the 39. */
bool rsit_parse(struct str text, enum rsit_type *type);
/* The name nearest to a mistyped one, for messages; NULL if nothing is near. */
const char *rsit_suggest(struct str text);

#endif
