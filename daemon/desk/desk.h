#ifndef DESK_DESK_H
#define DESK_DESK_H

#include "proc/room.h"

/* Operators: JSON-RPC 2.0, one message a line, over the Unix socket "desk". */
extern const struct room_spec desk_room;

#endif
