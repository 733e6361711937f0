#ifndef PROC_LANDLOCK_H
#define PROC_LANDLOCK_H

#include "proc/sandbox.h"

/* Landlock by its system calls: the C library has no wrappers, and older kernel headers lack its newer parts.
 */
int landlock_abi(void); /* 0: this kernel has none, or it is off */
bool landlock_enter(const struct sandbox *plan, int abi, struct err *err);

#endif
