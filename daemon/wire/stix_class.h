#ifndef WIRE_STIX_CLASS_H
#define WIRE_STIX_CLASS_H

#include "wire/json_read.h"
#include "wire/reading.h"

/*
 * Which type of RSIT a STIX object is about. STIX's own vocabularies say little ("malicious-activity"), so
 * every word is asked that an object has: its types, labels, kill chain phases, and the malware or
 * infrastructure that it indicates.
 */

/* By the words of this object that leave no doubt; nothing changes where it has none, or the type is known.
 */
void stix_classify(struct report *report, const struct json_object *object);
/* The same for one list of the object, such as "incident_types". */
void stix_classify_list(struct report *report, const struct json_object *object, const char *key);
/* At last, where the type is still not known: by the words that leave doubt, and by what was observed. */
void stix_classify_rest(struct report *report, const struct json_object *object);

#endif
