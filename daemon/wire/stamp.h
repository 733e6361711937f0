#ifndef WIRE_STAMP_H
#define WIRE_STAMP_H

#include "base/clock.h"

/*
 * The times that sensors write: RFC 3339; the same with an offset that has no colon (+0200, Suricata) or with
 * none at all, which is then read as UTC, and *zoneless is set (never cleared); seconds since 1970 with a
 * fraction (Zeek).
 */
bool stamp_parse(struct str text, int64_t *time, bool *zoneless);

#endif
