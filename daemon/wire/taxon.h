#ifndef WIRE_TAXON_H
#define WIRE_TAXON_H

#include "model/rsit.h"

/*
 * The words that other formats have for what happened, and the RSIT type of each. The tables are the only
 * place that knows them; doc/formats.md shows their sense, a test that every type in them is one.
 */
struct taxon {
	const char *word; /* whatever its case; ending in "*": all that begin so */
	const char *type; /* an RSIT type; "" where it is nothing that happened to anybody: context */
};

struct taxonomy {
	const char *name;
	const struct taxon *taxa;
	size_t count;
};

extern const struct taxonomy taxonomy_eve;     /* alert.category: classtypes of Snort and Suricata */
extern const struct taxonomy taxonomy_idea;    /* Category */
extern const struct taxonomy taxonomy_intelmq; /* classification.type */
extern const struct taxonomy taxonomy_zeek;    /* note of a notice */

/* The first that fits; NULL if none does. */
const struct taxon *taxon_find(const struct taxonomy *taxonomy, struct str word);
/* The one that a mistyped word most likely means; NULL if none is near. */
const struct taxon *taxon_near(const struct taxonomy *taxonomy, struct str word);
enum rsit_type taxon_type(const struct taxon *taxon); /* RSIT_NONE for "" */

#endif
