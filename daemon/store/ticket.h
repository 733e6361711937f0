#ifndef STORE_TICKET_H
#define STORE_TICKET_H

#include "ipc/edge_holding.h"
#include "model/item.h"

/*
 * One handing out of an entry, joined from two sides: the spool says which entry it is, triage what was found
 * in it. Either may come first. It is whole once both are there, or once the spool has sent the bytes of what
 * nobody can read.
 *
 * What a worker says of a ticket that the spool has not named yet is kept apart for each worker as a claim:
 * it counts only if the spool says that the ticket was given to that worker, so that none can speak for
 * another's entry (trap 5).
 */
struct ticket {
	uint64_t number;
	struct ticket *next; /* in the queue of those that can land */
	struct arena *arena; /* holds all of it */
	uint16_t worker;     /* instance it was given to; unless held, which says that it was */
	const void *speaker; /* whoever brought the first piece, and must bring the others */
	bool held;           /* the spool has said which entry */
	bool complete;       /* the last piece has come */
	bool refused;        /* triage or we could not read it: its bytes are asked for */
	bool wanted;         /* asked for */
	bool poison;         /* the bytes are here */
	bool queued;         /* in the queue */
	bool landing;        /* in a transaction, or waiting for its end */
	bool landed;         /* the ledger has it: release with the next commit */
	bool probed;         /* its items were tried one by one */
	struct entry entry;
	struct str bookmark_owner;
	struct str bookmark_value;
	struct finding *findings; /* pieces in order */
	size_t finding_count;
	const struct item **items; /* of all pieces */
	size_t item_count;
	size_t size; /* bytes held */
	/* poison and refusal */
	uint32_t poison_item; /* UINT32_MAX = unknown */
	struct str stage;
	struct str reason;
	char sqlstate[6];
	struct str bytes;
	bool mapped;              /* bytes are a mapping */
	char (*refused_items)[6]; /* SQLSTATE by item, "" where it is good; NULL before probing */
};

struct tickets;

struct tickets *tickets_new(void);
void tickets_free(struct tickets **tickets);
struct ticket *tickets_find(const struct tickets *tickets, uint64_t number); /* one that the spool named */
/* The ticket that the spool names, with what its worker claims of it; NULL where it is older than the epoch.
 */
struct ticket *tickets_hold(struct tickets *tickets, const struct holding_held *held);
/* What this worker may speak of under that number: its ticket, or its claim, made where it is new. NULL where
 * it is old, given to another, or begun by an earlier process of that instance. */
struct ticket *tickets_claim(struct tickets *tickets, uint64_t number, uint16_t worker, const void *speaker);
void tickets_drop(struct tickets *tickets, struct ticket *ticket); /* out of the table and freed */
/* Everything below is old: dropped, but for what is landing now. */
void tickets_epoch(struct tickets *tickets, uint64_t first);
/* What a lost worker had not finished; `all` also what it claims in full and the spool has not confirmed. */
void tickets_worker_lost(struct tickets *tickets, const void *speaker, bool all);
size_t tickets_count(const struct tickets *tickets);
size_t tickets_unheld(const struct tickets *tickets, const void *speaker); /* bytes of its claims */

bool ticket_is_ready(const struct ticket *ticket);
void tickets_queue(struct tickets *tickets, struct ticket *ticket); /* if it is ready and not yet queued */
struct ticket *tickets_first(const struct tickets *tickets);
struct ticket *tickets_take(struct tickets *tickets); /* the first of the queue, or NULL */
size_t tickets_queued(const struct tickets *tickets);
size_t tickets_queued_items(const struct tickets *tickets);

/* One more piece; false if it cannot be decoded, or is more than any entry can give. */
bool ticket_piece(struct ticket *ticket, struct str finding, struct err *err);
void ticket_refuse(struct ticket *ticket, struct str stage, struct str reason);
/* The bytes of the entry as they are; taken over if mapped. */
void ticket_poison(struct ticket *ticket, const struct holding_poison *poison, struct str bytes, bool mapped);

#endif
