#ifndef WIRE_STIX_REPORT_H
#define WIRE_STIX_REPORT_H

#include "wire/reading.h"
#include "wire/stix_index.h"

/* Does a STIX object of this type say that something happened? The others are context. */
bool stix_is_report(struct str type);
/* Fill a report from an object; text is its own bytes. Also for context, which gets title and text only. */
void stix_report(struct reading *reading, struct report *report, struct stix_index *index,
	struct json_object *object, struct str text);

#endif
