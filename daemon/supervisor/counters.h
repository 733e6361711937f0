#ifndef SUPERVISOR_COUNTERS_H
#define SUPERVISOR_COUNTERS_H

#include "base/buf.h"

/* The latest counters of a room, and how fast each has risen of late. */
struct counters;

struct counters *counters_new(void);
void counters_free(struct counters **counters);
bool counters_take(struct counters *counters, struct str body); /* CONTROL_COUNTERS; false: cannot be read */
void counters_forget(struct counters *counters);                /* the process that counted has gone */
void counters_describe(const struct counters *counters, struct buf *json); /* "counters":{…},"rates":{…} */

#endif
