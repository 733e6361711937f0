#ifndef SUPERVISOR_MEMBER_H
#define SUPERVISOR_MEMBER_H

#include "base/buf.h"

/* The value of a member of a JSON object, as JSON text at the end of value; false if it has none. */
bool member_of(struct str json, const char *name, struct buf *value);

#endif
