#ifndef SPOOL_BACKLOG_H
#define SPOOL_BACKLOG_H

#include "spool/scheduler.h"

/*
 * Which committed entries wait, and which are out under a ticket. What waits is looked up on the disk; what
 * is out is bounded, so that neither this room's memory nor the store's grows with the backlog.
 */
struct backlog;

struct flight {
	uint64_t ticket;
	uint64_t sequence;
	uint64_t size;
	uint32_t source;
	enum lane lane;
	bool landed; /* released, and that not yet durable */
	bool sealed; /* waits for the keys: in no hand, and not offered */
};

/* The first entry of the source at or after *sequence; false if there is none. */
typedef bool backlog_find_fn(void *context, uint32_t source, uint64_t *sequence, uint64_t *size);

#define BACKLOG_ENTRIES 4096
#define BACKLOG_BYTES   (UINT64_C(16) << 20) /* the store holds some times that of what was found in them */

struct backlog *backlog_new(backlog_find_fn *find, void *context);
void backlog_free(struct backlog **backlog);
void backlog_offer(struct backlog *backlog, uint32_t source, enum lane lane, uint64_t sequence);
/* Whose turn it is, if there is room for it: one entry may always be out, however large. */
bool backlog_next(struct backlog *backlog, struct scheduler_head *head);
struct flight *backlog_take(struct backlog *backlog, uint64_t ticket); /* what backlog_next() said */
void backlog_skip(struct backlog *backlog);                            /* it is not there any more */

struct flight *backlog_flight(const struct backlog *backlog, uint64_t ticket);
void backlog_land(
	struct backlog *backlog, struct flight *flight); /* counts no more, but is still not offered */
void backlog_end(struct backlog *backlog, struct flight *flight);
void backlog_return(struct backlog *backlog, struct flight *flight); /* ends it and offers the entry again */
size_t backlog_return_all(struct backlog *backlog);                  /* but what has landed or is sealed */
/* It waits for the keys: counts no more, and is offered again by backlog_unseal_all() only. */
void backlog_seal(struct backlog *backlog, struct flight *flight);
size_t backlog_unseal_all(struct backlog *backlog);
size_t backlog_sealed(const struct backlog *backlog);
size_t backlog_out(const struct backlog *backlog, uint64_t *bytes);
/* Sequences that are out; room for `room` of them. Returns how many were written. */
size_t backlog_sequences(const struct backlog *backlog, uint64_t *sequences, size_t room);

#endif
