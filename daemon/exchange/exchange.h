#ifndef EXCHANGE_EXCHANGE_H
#define EXCHANGE_EXCHANGE_H

#include "proc/room.h"

/* Other systems: pulls plain HTTPS feeds and TAXII 2.1 collections into the spool. */
extern const struct room_spec exchange_room;

#endif
