#ifndef KEYS_KEYS_H
#define KEYS_KEYS_H

#include "proc/room.h"

/*
 * The only room with secret keys and GnuPG: bytes in, bytes or a reason out (ipc/edge_keys.h). Every question
 * is answered by a child of its own with a limit on time, so that what hangs or breaks GnuPG costs itself
 * alone (trap 8).
 */
extern const struct room_spec keys_room;

#endif
