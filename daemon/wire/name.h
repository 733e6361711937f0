#ifndef WIRE_NAME_H
#define WIRE_NAME_H

#include "base/arena.h"

/* What stands behind the last dot; all of it where there is none. */
struct str name_last_label(struct str name);
/* Is a bare name in running text one of DNS, rather than a file, a version or two sentences without a space
 * between them? */
bool name_believable(struct str name, struct arena *arena);

#endif
