#ifndef SPOOL_SPOOL_H
#define SPOOL_SPOOL_H

#include "proc/room.h"

extern const struct room_spec spool_room;

#endif
