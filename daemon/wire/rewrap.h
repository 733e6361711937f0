#ifndef WIRE_REWRAP_H
#define WIRE_REWRAP_H

#include "base/arena.h"

/*
 * Where a URL really leads that a mail filter or a portal has put a URL of its own around: Microsoft Safe
 * Links, Proofpoint URL Defense 1 to 3, Barracuda, Cisco, Trend Micro, Google, Facebook and others that carry
 * it in theirs. False: it is no such URL, or one that only its maker can open (Mimecast). *inner is one of
 * http, https or ftp, in the arena; it may be wrapped itself.
 */
bool rewrap_undo(struct str url, struct arena *arena, struct str *inner);

#endif
