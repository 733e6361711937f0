#ifndef WIRE_STIX_OBSERVE_H
#define WIRE_STIX_OBSERVE_H

#include "wire/reading.h"
#include "wire/stix_index.h"

/* Observables out of STIX: what cyber-observable objects, patterns and references name. */
struct stix_observing {
	struct reading *reading;
	struct report *report;
	struct stix_index *index;
	/* STIX 2.0: the dictionary `objects` of an observed-data, in which references are its keys; else NULL
	 */
	struct json_object *dictionary;
	enum observable_role role; /* of what has none by itself */
	unsigned depth;
};

/* Of one object, whatever it is; follows references five deep. */
void stix_observe(struct stix_observing *observing, struct json_object *object);
/* Of every object that this list of identifiers names. */
void stix_observe_refs(struct stix_observing *observing, struct json_object *refs);
/* Of a pattern in STIX's language; false, with err, if it cannot be read. */
bool stix_observe_pattern(struct stix_observing *observing, struct str pattern, struct err *err);

#endif
