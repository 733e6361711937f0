#ifndef INTAKE_INTAKE_H
#define INTAKE_INTAKE_H

#include "proc/room.h"

/* The doors: LMTP, SMTP and the sensor socket. Framing, TLS, who it is, limits; an entry's content is never
 * looked at. */
extern const struct room_spec intake_room;

#endif
