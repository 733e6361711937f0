#ifndef IPC_EDGE_HOLDING_H
#define IPC_EDGE_HOLDING_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/entry.h"

/* spool ↔ store: who holds what, and what became of it. */
#define HOLDING_VERSION 2

enum holding_type {
	/* to the store */
	HOLDING_EPOCH =
		1,    /* struct holding_epoch: first on every connection; older tickets are to be dropped */
	HOLDING_HELD, /* struct holding_held: this ticket was handed to a worker; what it is comes from us */
	HOLDING_POISON, /* struct holding_held + poison; bytes inline or as a descriptor: land it in
	                 * quarantine whole. Also sent after ITEMS_REFUSED, on HOLDING_WANT, with empty stage
	                 * and reason */
	HOLDING_FORGET, /* u64 ticket: its worker died, the entry will be handed out again under another
	                   ticket */
	HOLDING_BOOKS,  /* u64 upto: all sequences below are counted; books, absolute. At most once a second
	                 * and  before anything is drained */
	/* to the spool */
	HOLDING_RELEASED = 100, /* u32 count, u64 tickets: committed, in the tables or in quarantine */
	HOLDING_WANT, /* u64 ticket: triage refused the whole entry, or the store found it to be poison: send
	               * its bytes by HOLDING_POISON under the same ticket */
	HOLDING_MISMATCH, /* u64 ticket: the ledger has this id with another digest (trap 2): new spool id,
	                     append again */
	HOLDING_SOURCES,  /* source table, at connection and at each change */
	HOLDING_TIMELINE  /* u32: the database server's timeline; when it changes, kept entries are offered
	                     again */
};

struct holding_epoch {
	uint64_t first_ticket;
	uint8_t spool[UUID_LEN];
};

struct holding_held {
	uint64_t ticket;
	uint16_t worker; /* instance it was handed to: nobody else may speak of it (trap 5) */
	struct entry entry;
	uint16_t attempt;
	struct str bookmark_owner; /* lands with the ledger row, so that another node can take a feed over */
	struct str bookmark_value;
};

struct holding_poison {
	struct holding_held held;
	uint32_t item; /* where the worker was; UINT32_MAX = unknown */
	struct str stage;
	struct str reason;
	bool inlined;
	struct str bytes;
};

void holding_epoch_encode(const struct holding_epoch *epoch, struct buf *out);
bool holding_epoch_decode(struct str body, struct holding_epoch *epoch);
void holding_held_encode(const struct holding_held *held, struct buf *out);
bool holding_held_decode(struct str body, struct holding_held *held);
void holding_poison_encode(const struct holding_poison *poison, struct buf *out);
bool holding_poison_decode(struct str body, struct holding_poison *poison);
void holding_books_encode(uint64_t upto, const struct book *books, size_t count, struct buf *out);
bool holding_books_decode(
	struct str body, struct arena *arena, uint64_t *upto, struct book **books, size_t *count);
void holding_tickets_encode(const uint64_t *tickets, size_t count, struct buf *out);
bool holding_tickets_decode(struct str body, struct arena *arena, uint64_t **tickets, size_t *count);

#endif
