#ifndef CLIENT_LAW_H
#define CLIENT_LAW_H

#include "client/screen.h"

/*
 * What nobody has said yet of a case under laws that want something filed, and what to type: members
 * "must_file" (no clock runs) and "assumed" (they count from when the case was opened) of `law`. A line each,
 * behind so many blanks; nothing where there is nothing to be said.
 */
void law_show(struct screen *screen, const char *number, struct json_object *law, int indent);

#endif
