#ifndef INTAKE_LISTENER_H
#define INTAKE_LISTENER_H

#include "intake/doors.h"

/* Accepts on a socket that the supervisor made. name: "lmtp", "smtp" or "sensor"; takes fd. */
void listener_new(struct doors *doors, const char *name, const char *address, int fd);
void listeners_free(struct doors *doors);

#endif
