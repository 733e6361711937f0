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

struct tickets {
	struct map *by_number;
	uint64_t first; /* of this epoch */
	struct ticket *queue;
	struct ticket **queue_end;
	size_t queued;
	size_t unheld;
};

struct tickets *tickets_new(void)
{
	struct tickets *tickets = mem_alloc(sizeof *tickets);
	tickets->by_number = map_new();
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
	void *ticket;
	while (map_next(it->by_number, &cursor, &number, &ticket))
		ticket_free(ticket);
	map_free(&it->by_number);
	free(it);
	*tickets = NULL;
}

struct ticket *tickets_find(const struct tickets *tickets, uint64_t number)
{
	return map_get(tickets->by_number, number);
}

struct ticket *tickets_get(struct tickets *tickets, uint64_t number)
{
	if (number < tickets->first)
		return NULL;
	struct ticket *ticket = map_get(tickets->by_number, number);
	if (ticket)
		return ticket;
	struct arena *arena = arena_new(8192);
	ticket = arena_alloc(arena, sizeof *ticket);
	ticket->arena = arena;
	ticket->number = number;
	ticket->poison_item = UINT32_MAX;
	map_put(tickets->by_number, number, ticket);
	return ticket;
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
	ticket->queued = false;
}

void tickets_drop(struct tickets *tickets, struct ticket *ticket)
{
	if (ticket->queued)
		tickets_unqueue(tickets, ticket);
	if (!ticket->held)
		tickets->unheld -= ticket->size;
	map_remove(tickets->by_number, ticket->number);
	ticket_free(ticket);
}

void tickets_epoch(struct tickets *tickets, uint64_t first)
{
	size_t cursor = 0;
	uint64_t number;
	void *value;
	tickets->first = first;
	while (map_next(tickets->by_number, &cursor, &number, &value)) {
		struct ticket *ticket = value;
		if (number < first && !ticket->landing)
			tickets_drop(tickets, ticket);
	}
}

void tickets_worker_lost(struct tickets *tickets, uint16_t worker)
{
	size_t cursor = 0;
	uint64_t number;
	void *value;
	while (map_next(tickets->by_number, &cursor, &number, &value)) {
		struct ticket *ticket = value;
		if (ticket->worker == worker && ticket->finding_count && !ticket->complete &&
			!ticket->landing)
			tickets_drop(tickets, ticket);
	}
}

size_t tickets_count(const struct tickets *tickets)
{
	return map_count(tickets->by_number);
}

size_t tickets_unheld(const struct tickets *tickets)
{
	return tickets->unheld;
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

/* A storable copy that lives as long as the ticket. */
static struct str ticket_text(struct ticket *ticket, struct str text, size_t max)
{
	return arena_str(ticket->arena, storable_text(text, max, ticket->arena, NULL));
}

void ticket_hold(struct tickets *tickets, struct ticket *ticket, const struct holding_held *held)
{
	if (!ticket->held)
		tickets->unheld -= ticket->size;
	ticket->held = true;
	ticket->entry = held->entry;
	ticket->entry.exercise = ticket_text(ticket, held->entry.exercise, MAX_EXERCISE);
	ticket->entry.envelope = ticket_text(ticket, held->entry.envelope, MAX_ENVELOPE);
	ticket->bookmark_owner = ticket_text(ticket, held->bookmark_owner, MAX_ENVELOPE);
	ticket->bookmark_value = ticket_text(ticket, held->bookmark_value, MAX_ENVELOPE);
}

bool ticket_piece(struct tickets *tickets, struct ticket *ticket, struct str finding, struct err *err)
{
	struct finding piece;
	struct str bytes = arena_str(ticket->arena, finding);
	ticket->size += bytes.len;
	if (!ticket->held)
		tickets->unheld += bytes.len;
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

void ticket_poison(struct tickets *tickets, struct ticket *ticket, const struct holding_poison *poison,
	struct str bytes, bool mapped)
{
	ticket_hold(tickets, ticket, &poison->held);
	if (poison->stage.len || poison->reason.len)
		ticket_refuse(ticket, poison->stage, poison->reason);
	ticket->poison = true;
	ticket->poison_item = poison->item;
	ticket->mapped = mapped;
	ticket->bytes = mapped ? bytes : arena_str(ticket->arena, bytes);
	ticket->size += bytes.len;
}
