#ifndef WIRE_STIX_SCO_H
#define WIRE_STIX_SCO_H

#include "base/arena.h"

/*
 * The identifier that a cyber-observable's own properties give (STIX 2.1 section 2.9): UUIDv5 in OASIS's
 * namespace over the canonical JSON of its contributing properties. object is its JSON text. False: no such
 * type, or none of those properties is there, or they have no canonical form: then any UUIDv4 is right.
 */
bool stix_sco_id(struct str type, struct str object, size_t max_depth, struct arena *arena, struct str *id);
/* Is an identifier's UUID one of version 5, made from a name? */
bool stix_id_is_named(struct str id);

#endif
