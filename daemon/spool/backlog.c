#include "spool/backlog.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

struct backlog {
	struct scheduler *scheduler;
	struct map *cursors;   /* source → uint64_t: nothing waits before it but what is out */
	struct map *tickets;   /* → flight */
	struct map *sequences; /* → flight */
	size_t out;
	uint64_t out_bytes;
	size_t sealed;
	backlog_find_fn *find;
	void *context;
};

static uint64_t *cursor_of(struct backlog *backlog, uint32_t source)
{
	uint64_t *cursor = map_get(backlog->cursors, source);

	if (!cursor) {
		cursor = mem_alloc(sizeof(*cursor));
		map_put(backlog->cursors, source, cursor);
	}
	return cursor;
}

static bool find_head(void *context, uint32_t source, struct scheduler_head *head)
{
	struct backlog *backlog = context;
	uint64_t *cursor = cursor_of(backlog, source);

	while (backlog->find(backlog->context, source, cursor, &head->size)) {
		head->sequence = *cursor;
		if (!map_get(backlog->sequences, head->sequence))
			return true;
		++*cursor;
	}
	return false;
}

struct backlog *backlog_new(backlog_find_fn *find, void *context)
{
	struct backlog *backlog = mem_alloc(sizeof(*backlog));

	backlog->find = find;
	backlog->context = context;
	backlog->scheduler = scheduler_new(find_head, backlog);
	backlog->cursors = map_new();
	backlog->tickets = map_new();
	backlog->sequences = map_new();
	return backlog;
}

static void free_values(struct map *map)
{
	size_t at = 0;
	uint64_t key;
	void *value;

	while (map_next(map, &at, &key, &value))
		free(value);
}

void backlog_free(struct backlog **backlog)
{
	if (!*backlog)
		return;
	free_values((*backlog)->cursors);
	free_values((*backlog)->tickets);
	map_free(&(*backlog)->cursors);
	map_free(&(*backlog)->tickets);
	map_free(&(*backlog)->sequences);
	scheduler_free(&(*backlog)->scheduler);
	free(*backlog);
	*backlog = NULL;
}

void backlog_offer(struct backlog *backlog, uint32_t source, enum lane lane, uint64_t sequence)
{
	uint64_t *cursor = cursor_of(backlog, source);

	if (sequence < *cursor)
		*cursor = sequence;
	scheduler_wake(backlog->scheduler, source, lane);
}

bool backlog_next(struct backlog *backlog, struct scheduler_head *head)
{
	if (backlog->out >= BACKLOG_ENTRIES || !scheduler_next(backlog->scheduler, head))
		return false;
	return backlog->out == 0 || backlog->out_bytes + head->size <= BACKLOG_BYTES;
}

struct flight *backlog_take(struct backlog *backlog, uint64_t ticket)
{
	struct scheduler_head head;
	struct flight *flight;

	if (!scheduler_next(backlog->scheduler, &head))
		return NULL;
	flight = mem_alloc(sizeof(*flight));
	*flight = (struct flight){.ticket = ticket,
		.sequence = head.sequence,
		.size = head.size,
		.source = head.source,
		.lane = head.lane};
	map_put(backlog->tickets, ticket, flight);
	map_put(backlog->sequences, flight->sequence, flight);
	backlog->out++;
	backlog->out_bytes += flight->size;
	backlog_skip(backlog);
	return flight;
}

void backlog_skip(struct backlog *backlog)
{
	struct scheduler_head head;

	if (!scheduler_next(backlog->scheduler, &head))
		return;
	*cursor_of(backlog, head.source) = head.sequence + 1;
	scheduler_take(backlog->scheduler);
}

struct flight *backlog_flight(const struct backlog *backlog, uint64_t ticket)
{
	return map_get(backlog->tickets, ticket);
}

static void count_out(struct backlog *backlog, const struct flight *flight)
{
	if (flight->sealed)
		backlog->sealed--;
	if (flight->landed || flight->sealed)
		return;
	backlog->out--;
	backlog->out_bytes -= flight->size;
}

void backlog_land(struct backlog *backlog, struct flight *flight)
{
	count_out(backlog, flight);
	flight->landed = true;
}

void backlog_end(struct backlog *backlog, struct flight *flight)
{
	count_out(backlog, flight);
	map_remove(backlog->tickets, flight->ticket);
	map_remove(backlog->sequences, flight->sequence);
	free(flight);
}

void backlog_return(struct backlog *backlog, struct flight *flight)
{
	struct flight copy = *flight;

	backlog_end(backlog, flight);
	backlog_offer(backlog, copy.source, copy.lane, copy.sequence);
}

size_t backlog_return_all(struct backlog *backlog)
{
	size_t at = 0;
	size_t count = 0;
	uint64_t ticket;
	void *flight;

	while (map_next(backlog->tickets, &at, &ticket, &flight)) {
		if (((struct flight *)flight)->landed || ((struct flight *)flight)->sealed)
			continue;
		backlog_return(backlog, flight);
		count++;
	}
	return count;
}

void backlog_seal(struct backlog *backlog, struct flight *flight)
{
	count_out(backlog, flight);
	flight->sealed = true;
	backlog->sealed++;
}

size_t backlog_unseal_all(struct backlog *backlog)
{
	size_t at = 0;
	size_t count = backlog->sealed;
	uint64_t ticket;
	void *flight;

	while (backlog->sealed > 0 && map_next(backlog->tickets, &at, &ticket, &flight))
		if (((struct flight *)flight)->sealed)
			backlog_return(backlog, flight);
	return count;
}

size_t backlog_sealed(const struct backlog *backlog)
{
	return backlog->sealed;
}

size_t backlog_out(const struct backlog *backlog, uint64_t *bytes)
{
	*bytes = backlog->out_bytes;
	return backlog->out;
}

size_t backlog_sequences(const struct backlog *backlog, uint64_t *sequences, size_t room)
{
	size_t at = 0;
	size_t count = 0;
	uint64_t sequence;
	void *flight;

	while (count < room && map_next(backlog->sequences, &at, &sequence, &flight))
		if (!((struct flight *)flight)->landed && !((struct flight *)flight)->sealed)
			sequences[count++] = sequence;
	return count;
}
