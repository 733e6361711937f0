#ifndef WIRE_STIX_BUNDLE_H
#define WIRE_STIX_BUNDLE_H

#include "base/err.h"
#include "base/str.h"

/* How deep bundles are opened that are objects of a bundle. */
#define STIX_NESTING 5

/*
 * The objects of a bundle, a TAXII envelope, a bare list, or an object that stands alone, cut out of JSON
 * text without building it.
 */
struct stix_bundle {
	struct str text;
	struct str rest;   /* not read yet */
	size_t max_depth;  /* of an object */
	bool single;       /* one object, not a list */
	bool none;         /* or nothing at all: an empty page */
	bool in_object;    /* the list is a member: others may follow */
	bool old;          /* says that it is STIX 2.0 */
	size_t number;     /* of the object at hand, from 0 */
	unsigned *resyncs; /* how often the next object was looked for behind a broken one; of all bundles of
	                      an entry together, so that this costs no more than reading them again */
};

/* False, with err: no STIX stands here. */
bool stix_bundle_open(
	struct stix_bundle *bundle, struct str text, size_t max_depth, unsigned *resyncs, struct err *err);
/* The next object; *good is false for bytes that are none. False at the end. */
bool stix_bundle_next(struct stix_bundle *bundle, struct str *piece, bool *good);
/* Behind the last object, go past the other members and the end; what follows that is in rest. False: other
 * things stand there. */
bool stix_bundle_close(struct stix_bundle *bundle);
/* Is this piece of JSON an object of type bundle? */
bool stix_is_bundle(struct str piece, size_t max_depth);

#endif
