#include "store/ticket.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "model/storable.h"

#define MAX_STAGE    200
#define MAX_REASON   1000
#define MAX_EXERCISE 64
#define MAX_ENVELOPE 8192

/* Arena of a ticket at first: what even an empty claim costs. */
#define TICKET_BYTES 8192
/* All pieces of one: several times the largest entry. */
#define FINDING_MAX (UINT64_C(1) << 30)

struct tickets {
	struct map *by_number; /* named by the spool */
	struct map *claims;    /* claim_key() */
	uint64_t first;        /* of this epoch */
	struct ticket *queue;
	struct ticket **queue_end;
	size_t queued;
	size_t queued_items;
};

struct tickets *tickets_new(void)
{
	struct tickets *tickets = mem_alloc(sizeof *tickets);
	tickets->by_number = map_new();
	tickets->claims = map_new();
	tickets->queue_end = &tickets->queue;
	return tickets;
}

static void ticket_free(struct ticket *ticket)
{
	struct arena *arena = ticket->arena;
	if (ticket->mapped)
		fd_unmap(&ticket->bytes);
	free(ticket->refused_items);
	arena_free(&arena);
}

void tickets_free(struct tickets **tickets)
{
	struct tickets *it = *tickets;
	if (!it)
		return;
	size_t cursor = 0;
	uint64_t number;
	struct str key;
	void *ticket;
	while (map_next(it->by_number, &cursor, &number, &ticket))
		ticket_free(ticket);
	cursor = 0;
	while (map_next_str(it->claims, &cursor, &key, &ticket))
		ticket_free(ticket);
	map_free(&it->by_number);
	map_free(&it->claims);
	free(it);
	*tickets = NULL;
}

struct ticket *tickets_find(const struct tickets *tickets, uint64_t number)
{
	return map_get(tickets->by_number, number);
}

static struct ticket *ticket_new(uint64_t number, uint16_t worker)
{
	struct arena *arena = arena_new(TICKET_BYTES);
	struct ticket *ticket = arena_alloc(arena, sizeof *ticket);
	ticket->arena = arena;
	ticket->number = number;
	ticket->worker = worker;
	ticket->poison_item = UINT32_MAX;
	return ticket;
}

#define CLAIM_KEY (8 + 2)

static struct str claim_key(uint64_t number, uint16_t worker, char key[CLAIM_KEY])
{
	memcpy(key, &number, 8);
	memcpy(key + 8, &worker, 2);
	return (struct str){key, CLAIM_KEY};
}

struct ticket *tickets_claim(struct tickets *tickets, uint64_t number, uint16_t worker, const void *speaker)
{
	char space[CLAIM_KEY];
	struct str key = claim_key(number, worker, space);
	if (number < tickets->first)
		return NULL;
	struct ticket *ticket = map_get(tickets->by_number, number);
	if (!ticket)
		ticket = map_get_str(tickets->claims, key);
	if (!ticket) {
		ticket = ticket_new(number, worker);
		map_put_str(tickets->claims, key, ticket);
	}
	if (ticket->worker != worker)
		return NULL;
	if (!ticket->speaker)
		ticket->speaker = speaker;
	return ticket->speaker == speaker ? ticket : NULL;
}

static void tickets_unqueue(struct tickets *tickets, struct ticket *ticket)
{
	struct ticket **at = &tickets->queue;
	while (*at && *at != ticket)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = ticket->next;
	if (!*at)
		tickets->queue_end = at;
	tickets->queued--;
	tickets->queued_items -= ticket->item_count;
	ticket->queued = false;
}

void tickets_drop(struct tickets *tickets, struct ticket *ticket)
{
	if (ticket->queued)
		tickets_unqueue(tickets, ticket);
	map_remove(tickets->by_number, ticket->number);
	ticket_free(ticket);
}

static void claim_drop(struct tickets *tickets, struct ticket *claim)
{
	char key[CLAIM_KEY];
	map_remove_str(tickets->claims, claim_key(claim->number, claim->worker, key));
	ticket_free(claim);
}

/* Below that number the spool has named all there are. */
static void claims_drop_below(struct tickets *tickets, uint64_t number)
{
	size_t cursor = 0;
	struct str key;
	void *claim;
	if (!map_count(tickets->claims))
		return;
	while (map_next_str(tickets->claims, &cursor, &key, &claim))
		if (((struct ticket *)claim)->number < number)
			claim_drop(tickets, claim);
}

void tickets_epoch(struct tickets *tickets, uint64_t first)
{
	size_t cursor = 0;
	uint64_t number;
	void *value;
	tickets->first = first;
	claims_drop_below(tickets, first);
	while (map_next(tickets->by_number, &cursor, &number, &value)) {
		struct ticket *ticket = value;
		if (number < first && !ticket->landing)
			tickets_drop(tickets, ticket);
	}
}

void tickets_worker_lost(struct tickets *tickets, const void *speaker, bool all)
{
	size_t cursor = 0;
	uint64_t number;
	struct str key;
	void *value;
	while (map_next(tickets->by_number, &cursor, &number, &value)) {
		struct ticket *ticket = value;
		if (ticket->speaker == speaker && !ticket->complete && !ticket->landing)
			tickets_drop(tickets, ticket);
	}
	cursor = 0;
	while (map_next_str(tickets->claims, &cursor, &key, &value)) {
		struct ticket *claim = value;
		if (claim->speaker == speaker && (all || !claim->complete))
			claim_drop(tickets, claim);
	}
}

size_t tickets_count(const struct tickets *tickets)
{
	return map_count(tickets->by_number);
}

size_t tickets_unheld(const struct tickets *tickets, const void *speaker)
{
	size_t cursor = 0;
	size_t bytes = 0;
	struct str key;
	void *value;
	while (map_next_str(tickets->claims, &cursor, &key, &value)) {
		const struct ticket *claim = value;
		if (claim->speaker == speaker)
			bytes += TICKET_BYTES + claim->size;
	}
	return bytes;
}

bool ticket_is_ready(const struct ticket *ticket)
{
	return ticket->held && !ticket->landing && (ticket->poison || (ticket->complete && !ticket->refused));
}

void tickets_queue(struct tickets *tickets, struct ticket *ticket)
{
	if (ticket->queued || !ticket_is_ready(ticket))
		return;
	ticket->queued = true;
	ticket->next = NULL;
	*tickets->queue_end = ticket;
	tickets->queue_end = &ticket->next;
	tickets->queued++;
	tickets->queued_items += ticket->item_count;
}

struct ticket *tickets_first(const struct tickets *tickets)
{
	return tickets->queue;
}

struct ticket *tickets_take(struct tickets *tickets)
{
	struct ticket *ticket = tickets->queue;
	if (ticket)
		tickets_unqueue(tickets, ticket);
	return ticket;
}

size_t tickets_queued(const struct tickets *tickets)
{
	return tickets->queued;
}

size_t tickets_queued_items(const struct tickets *tickets)
{
	return tickets->queued_items;
}

/* A storable copy that lives as long as the ticket. */
static struct str ticket_text(struct ticket *ticket, struct str text, size_t max)
{
	return arena_str(ticket->arena, storable_text(text, max, ticket->arena, NULL));
}

static void ticket_hold(struct ticket *ticket, const struct holding_held *held)
{
	ticket->held = true;
	ticket->entry = held->entry;
	ticket->entry.exercise = ticket_text(ticket, held->entry.exercise, MAX_EXERCISE);
	ticket->entry.envelope = ticket_text(ticket, held->entry.envelope, MAX_ENVELOPE);
	ticket->bookmark_owner = ticket_text(ticket, held->bookmark_owner, MAX_ENVELOPE);
	ticket->bookmark_value = ticket_text(ticket, held->bookmark_value, MAX_ENVELOPE);
}

struct ticket *tickets_hold(struct tickets *tickets, const struct holding_held *held)
{
	char key[CLAIM_KEY];
	if (held->ticket < tickets->first)
		return NULL;
	struct ticket *ticket = map_get(tickets->by_number, held->ticket);
	if (ticket)
		return ticket;
	ticket = map_remove_str(tickets->claims, claim_key(held->ticket, held->worker, key));
	if (!ticket)
		ticket = ticket_new(held->ticket, held->worker);
	map_put(tickets->by_number, held->ticket, ticket);
	/* They come in order: what others claimed of it or of an older one was never theirs. */
	claims_drop_below(tickets, held->ticket + 1);
	ticket_hold(ticket, held);
	return ticket;
}

bool ticket_piece(struct ticket *ticket, struct str finding, struct err *err)
{
	struct finding piece;
	if (ticket->size + finding.len > FINDING_MAX)
		return err_set(err, ERR_MALFORMED, "a finding of more than %llu bytes",
			(unsigned long long)FINDING_MAX);
	struct str bytes = arena_str(ticket->arena, finding);
	ticket->size += bytes.len;
	if (!finding_decode(bytes, ticket->arena, &piece, err))
		return false;
	size_t n = ticket->finding_count;
	ticket->findings =
		arena_grow(ticket->arena, ticket->findings, n * sizeof piece, (n + 1) * sizeof piece);
	ticket->findings[n] = piece;
	ticket->finding_count++;
	size_t width = sizeof(const struct item *);
	ticket->items = arena_grow(ticket->arena, ticket->items, ticket->item_count * width,
		(ticket->item_count + piece.item_count) * width);
	for (size_t i = 0; i < piece.item_count; i++)
		ticket->items[ticket->item_count++] = &piece.items[i];
	return true;
}

void ticket_refuse(struct ticket *ticket, struct str stage, struct str reason)
{
	ticket->refused = true;
	ticket->complete = true;
	ticket->stage = ticket_text(ticket, stage, MAX_STAGE);
	ticket->reason = ticket_text(ticket, reason, MAX_REASON);
}

void ticket_poison(struct ticket *ticket, const struct holding_poison *poison, struct str bytes, bool mapped)
{
	if (poison->stage.len || poison->reason.len)
		ticket_refuse(ticket, poison->stage, poison->reason);
	ticket->poison = true;
	ticket->poison_item = poison->item;
	ticket->mapped = mapped;
	ticket->bytes = mapped ? bytes : arena_str(ticket->arena, bytes);
	ticket->size += bytes.len;
}
