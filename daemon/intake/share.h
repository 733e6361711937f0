#ifndef INTAKE_SHARE_H
#define INTAKE_SHARE_H

#include <sys/queue.h>

#include "model/source.h"
#include "proc/loop.h"
#include "wire/lineframe.h"

/*
 * How much each source may have on its way to the spool: its own rates (max_lines, max_bytes), and an equal
 * part of what all sources together may have unacknowledged, so that one with a hundred connections gets no
 * more than one with one.
 */
struct shares;
struct share;

/* A connection that was told to wait; wake() is called once, when trying again may help. */
struct share_waiter {
	TAILQ_ENTRY(share_waiter) link;
	bool queued;
	void (*wake)(struct share_waiter *waiter);
};

#define SHARE_BATCH  262144u              /* a connection's batch at most: what is handed out in one frame */
#define SHARE_BUDGET (UINT64_C(32) << 20) /* unacknowledged bytes of all sources together */

struct shares *shares_new(struct loop *loop);
void shares_free(struct shares **shares);
size_t share_connections(const struct shares *shares, const struct source *source); /* open ones of it */
struct share *share_join(
	struct shares *shares, const struct source *source); /* a connection of it begins … */
void share_leave(
	struct share *share, struct share_waiter *waiter); /* … and ends; the share may be gone then */
void share_update(struct share *share, const struct source *source); /* new rates */
/* How much may be taken now; false: nothing, and the waiter is queued. */
bool share_room(struct share *share, struct share_waiter *waiter, struct lineframe_most *most);
void share_charge(struct share *share, uint64_t bytes, uint64_t lines); /* taken: counts against the rates */
/* So many bytes are on their way; keeps the share alive until share_done() of as many. */
void share_begin(struct share *share, uint64_t bytes);
void share_done(struct share *share, uint64_t bytes);

#endif
