#ifndef WIRE_STIX_MARKING_H
#define WIRE_STIX_MARKING_H

#include "wire/reading.h"
#include "wire/stix_index.h"

/* The strictest TLP of an object's markings, granular ones too, of TLP 1 and 2; TLP_UNSTATED if it has none.
 */
enum tlp stix_tlp(struct stix_index *index, const struct json_object *object);
/*
 * Which parts are marked apart from the whole (STIX 2.1 section 7.2.3): notes on a report that say of each
 * TLP which properties it holds for, and which marked properties are not there. The object's own bytes, which
 * are kept, have them as their sender wrote them.
 */
void stix_marking_notes(struct reading *reading, struct report *report, struct stix_index *index,
	const struct json_object *object);
/* Does a selector such as "labels.[0]" or "extensions.x.name" name something of this object? */
bool stix_selects(const struct json_object *object, struct str selector);

#endif
