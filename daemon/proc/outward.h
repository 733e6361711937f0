#ifndef PROC_OUTWARD_H
#define PROC_OUTWARD_H

#include "proc/sandbox.h"

/* Rooms that connect to servers outside by libcurl, whose resolver is a thread: what they may do besides. */

void outward_plan(struct sandbox *plan);
/* In the sandbox: names are resolved. service: a port in digits. */
bool outward_prove(const char *service, struct err *err);

#endif
