#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "proc/room.h"

/* Findings into PostgreSQL: fold, land, ledger. */
extern const struct room_spec store_room;

#endif
