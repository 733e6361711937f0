#ifndef SPOOL_SCHEDULER_H
#define SPOOL_SCHEDULER_H

#include "model/source.h"

/*
 * Whose entry is next: three lanes by weight, people first, and in each lane deficit round robin over its
 * sources (trap 26). It knows sources and their first waiting entry, not the backlog: that stays on the disk.
 * No input or output of its own.
 */
struct scheduler;

struct scheduler_head {
	uint32_t source;
	enum lane lane;
	uint64_t sequence;
	uint64_t size;
};

/* The first waiting entry of a source: fills sequence and size; false if there is none. */
typedef bool scheduler_head_fn(void *context, uint32_t source, struct scheduler_head *head);

struct scheduler *scheduler_new(scheduler_head_fn *head, void *context);
void scheduler_free(struct scheduler **scheduler);
/* This source has something waiting, perhaps before what was its first. */
void scheduler_wake(struct scheduler *scheduler, uint32_t source, enum lane lane);
/* Whose turn it is; the answer stays the same until scheduler_take() or scheduler_wake(). */
bool scheduler_next(struct scheduler *scheduler, struct scheduler_head *head);
/* What scheduler_next() said is taken. */
void scheduler_take(struct scheduler *scheduler);
size_t scheduler_active(
	const struct scheduler *scheduler); /* sources with something waiting, as far as known */

#endif
