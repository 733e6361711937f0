#ifndef TRIAGE_TRIAGE_H
#define TRIAGE_TRIAGE_H

#include "proc/room.h"

/* The worker that reads all hostile bytes: entries from the spool, findings to the store, nothing else in
 * reach. */
extern const struct room_spec triage_room;

/* The instance that only checks the rules it is granted: the result is `check` in its hello. */
#define TRIAGE_CHECK_INSTANCE 1000

#endif
