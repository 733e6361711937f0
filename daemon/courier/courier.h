#ifndef COURIER_COURIER_H
#define COURIER_COURIER_H

#include "proc/room.h"

/* Mail out: takes queued rows of the outbox, makes their bytes once, and gives them to a mail server. */
extern const struct room_spec courier_room;

#endif
