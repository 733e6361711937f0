#ifndef STORE_TICKET_H
#define STORE_TICKET_H

#include "ipc/edge_holding.h"
#include "model/item.h"

/*
 * One handing out of an entry, joined from two sides: the spool says which entry it is, triage what was found
 * in it. Either may come first. It is whole once both are there, or once the spool has sent the bytes of what
 * nobody can read.
 */
struct ticket {
	uint64_t number;
	struct ticket *next; /* in the queue of those that can land */
	struct arena *arena; /* holds all of it */
	uint16_t worker;     /* instance that found */
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
struct ticket *tickets_find(const struct tickets *tickets, uint64_t number);
/* The ticket, made where it is new; NULL where it is older than the epoch. */
struct ticket *tickets_get(struct tickets *tickets, uint64_t number);
void tickets_drop(struct tickets *tickets, struct ticket *ticket); /* out of the table and freed */
/* Everything below is old: dropped, but for what is landing now. */
void tickets_epoch(struct tickets *tickets, uint64_t first);
/* What a lost worker had not finished. */
void tickets_worker_lost(struct tickets *tickets, uint16_t worker);
size_t tickets_count(const struct tickets *tickets);
size_t tickets_unheld(
	const struct tickets *tickets); /* bytes of findings for tickets that the spool never named */

bool ticket_is_ready(const struct ticket *ticket);
void tickets_queue(struct tickets *tickets, struct ticket *ticket); /* if it is ready and not yet queued */
struct ticket *tickets_first(const struct tickets *tickets);
struct ticket *tickets_take(struct tickets *tickets); /* the first of the queue, or NULL */
size_t tickets_queued(const struct tickets *tickets);

void ticket_hold(struct tickets *tickets, struct ticket *ticket, const struct holding_held *held);
/* One more piece; false if it cannot be decoded. */
bool ticket_piece(struct tickets *tickets, struct ticket *ticket, struct str finding, struct err *err);
void ticket_refuse(struct ticket *ticket, struct str stage, struct str reason);
/* The bytes of the entry as they are; taken over if mapped. */
void ticket_poison(struct tickets *tickets, struct ticket *ticket, const struct holding_poison *poison,
	struct str bytes, bool mapped);

#endif
