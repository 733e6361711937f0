#ifndef MODEL_CALENDAR_H
#define MODEL_CALENDAR_H

#include <json-c/json.h>

#include "base/buf.h"
#include "base/str.h"

/* When the house works. What follows from it the database works out (calendar_add()). */

/* "Mon-Thu 08:00-17:00, Fri 08:00-14:00": appends {"day": 1..7 from Monday on, "opens", "closes"} for each
 * day; days may have several spans that do not overlap. */
bool calendar_hours_read(struct str text, struct json_object *hours, struct buf *fault);
/* A file of holidays, one a line: "2026-12-25 Christmas", "12-26" of every year, "#" comments. Appends
 * {"day", "name"}. */
bool calendar_holidays_read(struct str bytes, struct json_object *holidays, int *line, struct buf *fault);

#endif
