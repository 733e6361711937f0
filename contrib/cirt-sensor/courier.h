#ifndef CIRT_SENSOR_COURIER_H
#define CIRT_SENSOR_COURIER_H

#include "door.h"
#include "tail.h"

/*
 * Carries the lines of a file to the door, each exactly once: the position is saved before the first line of
 * a file goes out and after acknowledgements; what the door says of the session on each connection counts
 * more than it. Where the door knows less of the session than was acknowledged, a new one begins.
 */
struct courier;

struct courier_settings {
	struct door_factory *door;
	struct tail *tail;
	const char *position;   /* file */
	int64_t retry_most;     /* microseconds between two attempts, at most */
	int64_t give_up;        /* without anything acknowledged for so long; 0: never */
	volatile int *stopping; /* set by a signal */
};

struct courier *courier_new(const struct courier_settings *settings);
void courier_free(struct courier **courier);
/* Load the position, or begin a session. */
bool courier_begin(struct courier *courier, struct err *err);
/* Until told to stop, or all is sent (once): true. False: it was given up, or the position cannot be saved.
 */
bool courier_run(struct courier *courier, struct err *err);
uint64_t courier_acked(const struct courier *courier); /* lines, since courier_begin() */

#endif
