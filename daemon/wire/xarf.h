#ifndef WIRE_XARF_H
#define WIRE_XARF_H

#include <json-c/json.h>

#include "wire/fields.h"
#include "wire/reading.h"

/* X-ARF in its three families: JSON of version 4 (xarf-spec), JSON of version 3, and the flat YAML of 0.1 and
 * 0.2 that stands in mails as report.txt. xarf_read() of wire/reading.h reads the JSON ones. */

/* Does it look like one: an object with xarf_version, or with Version and ReporterInfo or Report? */
bool xarf_json_is(struct str text);
bool xarf_text_is(struct str text);
/*
 * Add one item: a report, or the text in quarantine with all that is wrong with it. True: a report.
 * title: of the mail that it came in, "" if it came alone.
 */
bool xarf_json_item(struct reading *reading, struct str part, struct str title, struct str text);
bool xarf_text_item(struct reading *reading, struct str part, struct str title, struct str text);

/* --- xarf_type.c --- */
/* What a report is about, as its sender calls it. */
struct xarf_type {
	const char *group; /* v4: category; v3: ReportClass, NULL: any; text: Category, NULL: any */
	const char *name;  /* v4: type; v3: ReportType; text: a word within Report-Type */
	const char *type;  /* RSIT */
	const char *identifier;
	const char *required; /* members beside those that all must have, by blanks; NULL */
};
const struct xarf_type *xarf_type_v4(struct str category, struct str type);
const struct xarf_type *xarf_type_v3(struct str group, struct str type);
/* Never NULL: the last row is for what is none of the others. */
const struct xarf_type *xarf_type_text(struct str category, struct str type);

/* --- xarf_check.c --- */
/* Append to faults all that keeps this from being a report, as "path: expected …", by "; ". */
void xarf_check_v4(struct json_object *object, const struct xarf_type *type, struct buf *faults);
void xarf_check_v3(struct json_object *object, const struct xarf_type *type, struct buf *faults);

#endif
