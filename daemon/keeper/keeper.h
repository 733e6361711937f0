#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "proc/room.h"

extern const struct room_spec keeper_room;

#endif
