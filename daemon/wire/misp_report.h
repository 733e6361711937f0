#ifndef WIRE_MISP_REPORT_H
#define WIRE_MISP_REPORT_H

#include <json-c/json.h>

#include "wire/reading.h"

/* What all reports of one MISP event share. Strings live as long as the event is read. */
struct misp_event {
	struct str uuid;
	struct str info; /* its title */
	struct str organisation;
	struct str *tags;
	size_t tag_count;
	int64_t date; /* CLOCK_UNKNOWN */
	int severity; /* -1 */
};

#define MISP_TAGS 50

/* The names in a list of tags ("Tag": [{"name": …}]); memory of arena. */
void misp_tags(struct json_object *list, struct arena *arena, struct str **tags, size_t *count);
/* A tag, and what it says: TLP and PAP where stricter, type and malware where none is known yet. */
void misp_tag_apply(struct reading *reading, struct report *report, struct str tag);
/* What the event says of each of its reports: title, tags, TLP, PAP, type, malware, severity, time. */
void misp_event_apply(struct reading *reading, struct report *report, const struct misp_event *event);
enum misp_value {
	MISP_TAKEN,
	MISP_OTHER, /* of a type that is no observable: text, comment … */
	MISP_WRONG  /* not a value of its type */
};
/* One attribute's value as observables of the report. */
enum misp_value misp_attribute_observe(
	struct reading *reading, struct report *report, struct json_object *attribute);
/* What an attribute or object says of itself: uuid, time, tags, comment; `kind` is its type or name. */
void misp_member_apply(struct reading *reading, struct report *report, struct json_object *member,
	struct str kind, struct str value);
/* A boolean however MISP writes it: true, 1, "1". */
bool misp_flag(struct json_object *object, const char *name);

#endif
