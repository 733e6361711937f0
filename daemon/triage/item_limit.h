#ifndef TRIAGE_ITEM_LIMIT_H
#define TRIAGE_ITEM_LIMIT_H

#include <stdint.h>

#include "base/err.h"

/*
 * Time limits per item that hold against any code: the kernel ends the process, by SIGXCPU for CPU time and
 * SIGALRM for the clock on the wall. libyara's own limit does not hold (trap 9), a plugin has none.
 */
struct item_limit;

/* Microseconds; 0 = none. */
struct item_limit *item_limit_new(uint64_t cpu, uint64_t wall);
void item_limit_free(struct item_limit **limit);
/* An item begins. Within a twentieth of the limit after the last start nothing is set, so a short item costs
 * no system call. */
void item_limit_start(struct item_limit *limit);
void item_limit_stop(struct item_limit *limit);

#endif
