#ifndef IPC_EDGE_HANDOUT_H
#define IPC_EDGE_HANDOUT_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/entry.h"

/* spool → triage: one entry at a time under credit; small ones in the frame, large ones as a sealed memory
 * file. */
#define HANDOUT_VERSION 2
#define HANDOUT_INLINE  262144u

enum handout_type {
	/* to triage */
	HANDOUT_SLOT = 1, /* a descriptor: shared memory, struct handout_slot, in which the worker says what
	                     it is at */
	HANDOUT_ENTRY,    /* struct handout_entry; bytes inline or one descriptor */
	/* to the spool */
	HANDOUT_CREDIT =
		100,    /* u32 entries, u64 bytes: more may be sent; cumulative grants are not: each adds */
	HANDOUT_DONE,   /* u64 ticket: its finding has been written to the store, credit returns with it */
	HANDOUT_SEALED, /* u64 ticket, u8 lost: it waits for who holds the keys; credit returns with it. lost:
	                 * that room ended with a part of it in hand, which may be its fault */
	HANDOUT_UNSEALED /* nothing: what waits so may be offered again */
};

/* What to leave out when an entry is run again after a worker died on it (trap 9). */
enum handout_skip { SKIP_STAGE = 1, SKIP_ITEM };
struct handout_leave_out {
	enum handout_skip skip;
	uint32_t item;
	struct str stage;  /* as in the slot: "yara", "plugin netinfo" */
	struct str reason; /* SKIP_ITEM: goes into quarantine with the item */
};

struct handout_entry {
	uint64_t ticket; /* this handing out; rises, never used twice in the life of a spool file */
	enum format format;
	struct str envelope;
	struct handout_leave_out *leave_out;
	size_t leave_out_count;
	bool inlined; /* bytes stand here; else in the descriptor */
	struct str bytes;
};

/* Written by the worker, read by the spool after its death; hostile, so checked: stage is cut at its NUL. */
#define SLOT_STAGE 64
/* In place of a ticket: it is at something that is not the spool's (ITEMS_SCAN). */
#define SLOT_ELSEWHERE UINT64_MAX
struct handout_slot {
	uint64_t ticket; /* 0: nothing in hand; or SLOT_ELSEWHERE */
	uint32_t item;
	char stage[SLOT_STAGE];
};

void handout_entry_encode(const struct handout_entry *entry, struct buf *out);
bool handout_entry_decode(struct str body, struct arena *arena, struct handout_entry *entry);
void handout_credit_encode(uint32_t entries, uint64_t bytes, struct buf *out);
bool handout_credit_decode(struct str body, uint32_t *entries, uint64_t *bytes);
void handout_done_encode(uint64_t ticket, struct buf *out);
bool handout_done_decode(struct str body, uint64_t *ticket);
void handout_sealed_encode(uint64_t ticket, bool lost, struct buf *out);
bool handout_sealed_decode(struct str body, uint64_t *ticket, bool *lost);

#endif
