#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "ipc/edge_holding.h"
#include "spool/state.h"

/* The holding edge: what the store is told of each ticket, and what became of it. */

/* More than this not yet in its socket: the store does not keep up, so nothing is handed out. */
#define QUEUED_MAX (4u << 20)

struct holding {
	struct spool *spool;
	struct channel *channel; /* NULL: the store is away */
	struct arena *arena;     /* of one frame */
};

struct holding *holding_new(struct spool *spool)
{
	struct holding *holding = mem_alloc(sizeof(*holding));

	holding->spool = spool;
	holding->arena = arena_new(65536);
	return holding;
}

void holding_free(struct holding **holding)
{
	if (!*holding)
		return;
	channel_free(&(*holding)->channel);
	arena_free(&(*holding)->arena);
	free(*holding);
	*holding = NULL;
}

bool holding_ready(const struct holding *holding)
{
	return holding->channel && channel_queued(holding->channel) < QUEUED_MAX;
}

/* ---- to the store ---- */

static struct holding_held held_of(const struct flight *flight, const struct record *record, uint16_t attempt)
{
	return (struct holding_held){
		.ticket = flight->ticket,
		.entry = record->entry,
		.attempt = attempt,
		.bookmark_owner = record->bookmark.bookmark_owner,
		.bookmark_value = record->bookmark.bookmark_value,
	};
}

void holding_held(struct holding *holding, const struct flight *flight, const struct record *record,
	uint16_t attempt, uint16_t worker)
{
	struct holding_held held = held_of(flight, record, attempt);

	held.worker = worker;
	if (!holding->channel)
		return;
	holding_held_encode(&held, channel_begin(holding->channel));
	channel_end(holding->channel, HOLDING_HELD);
}

void holding_poison_entry(struct holding *holding, const struct flight *flight, const struct record *record,
	struct str bytes, const struct poison *poison)
{
	struct holding_poison message = {
		.held = held_of(flight, record, (uint16_t)(poison->crashes + poison->kills + 1)),
		.item = poison->item,
		.stage = poison->stage,
		.reason = poison->reason,
		.inlined = bytes.len <= HANDOUT_INLINE,
		.bytes = bytes,
	};
	struct buf body = {0};
	struct err err;
	int fd;

	if (!holding->channel)
		return;
	holding_poison_encode(&message, &body);
	if (message.inlined) {
		channel_send(holding->channel, HOLDING_POISON, buf_view(&body));
	} else {
		if (!fd_memory("entry", bytes, &fd, &err))
			room_fail(holding->spool->room, &err);
		channel_send_fds(holding->channel, HOLDING_POISON, buf_view(&body), &fd, 1);
	}
	buf_free(&body);
}

void holding_forget(struct holding *holding, uint64_t ticket)
{
	if (!holding->channel)
		return;
	pack_u64(channel_begin(holding->channel), ticket);
	channel_end(holding->channel, HOLDING_FORGET);
}

static void send_books(struct holding *holding, bool unsent_only)
{
	size_t count;
	const struct book *books;

	if (!holding->channel)
		return;
	arena_reset(holding->arena);
	books = entry_store_books(holding->spool->store, unsent_only, holding->arena, &count);
	if (count == 0)
		return;
	holding_books_encode(entry_store_counts(holding->spool->store)->next_sequence, books, count,
		channel_begin(holding->channel));
	channel_end(holding->channel, HOLDING_BOOKS);
}

void holding_books(struct holding *holding)
{
	send_books(holding, true);
	if (holding->channel)
		channel_flush(holding->channel);
}

static void send_epoch(struct holding *holding)
{
	struct holding_epoch epoch = {.first_ticket = entry_store_ticket(holding->spool->store)};

	memcpy(epoch.spool, entry_store_spool(holding->spool->store), UUID_LEN);
	holding_epoch_encode(&epoch, channel_begin(holding->channel));
	channel_end(holding->channel, HOLDING_EPOCH);
	send_books(holding, false);
}

/* Nothing of what is out will be answered any more. */
static void offer_again(struct holding *holding)
{
	struct spool *spool = holding->spool;

	spool->counters.re_offered += backlog_return_all(spool->backlog);
	spool_pump_soon(spool);
}

/* ---- from the store ---- */

static bool take_released(struct holding *holding, struct str body)
{
	struct spool *spool = holding->spool;
	uint64_t *tickets;
	size_t count;

	arena_reset(holding->arena);
	if (!holding_tickets_decode(body, holding->arena, &tickets, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct flight *flight = backlog_flight(spool->backlog, tickets[i]);

		if (flight && !flight->landed)
			spool_land(spool, flight);
	}
	spool_pump_soon(spool);
	return true;
}

static bool take_ticket(struct holding *holding, struct str body, struct flight **flight)
{
	struct unpack in = {.rest = body};
	uint64_t ticket = unpack_u64(&in);

	*flight = backlog_flight(holding->spool->backlog, ticket);
	if (*flight && (*flight)->landed)
		*flight = NULL;
	return unpack_end(&in);
}

static bool take_want(struct holding *holding, struct str body)
{
	static const struct poison refused = {.item = UINT32_MAX};
	struct entry_store *store = holding->spool->store;
	struct buf space = {0};
	struct flight *flight;
	struct record record;
	struct str bytes;

	if (!take_ticket(holding, body, &flight))
		return false;
	if (flight && entry_store_read(store, flight->sequence, &record) &&
		entry_store_read_bytes(store, &record, &space, &bytes))
		holding_poison_entry(holding, flight, &record, bytes, &refused);
	entry_store_unread(store);
	buf_free(&space);
	return true;
}

static bool take_mismatch(struct holding *holding, struct str body)
{
	struct spool *spool = holding->spool;
	char id[UUID_TEXT];
	struct flight *flight;
	uint64_t sequence;

	if (!take_ticket(holding, body, &flight))
		return false;
	if (!flight)
		return true;
	sequence = flight->sequence;
	spool_commit_now(spool);
	if (!entry_store_rename(spool->store, sequence))
		return true;
	spool_commit_now(spool);
	spool->counters.mismatches++;
	log_error("entry %llu is in the ledger with other content: this spool was restored from a copy or "
		  "its file was lost; "
		  "appended again under spool id %s",
		(unsigned long long)sequence, uuid_format(entry_store_spool(spool->store), id));
	backlog_end(spool->backlog, flight);
	offer_again(holding);
	spool_offer_all(spool);
	send_epoch(holding);
	return true;
}

static bool take_sources(struct holding *holding, struct str body)
{
	struct entry_store *store = holding->spool->store;
	struct str kept;

	door_sources(holding->spool->door, body);
	if (!entry_store_note(store, "sources", &kept) || !str_equal(kept, body)) {
		entry_store_put_note(store, "sources", body);
		spool_commit_later(holding->spool);
	}
	entry_store_unread(store);
	return true;
}

static bool take_timeline(struct holding *holding, struct str body)
{
	struct spool *spool = holding->spool;
	struct unpack in = {.rest = body};
	uint32_t timeline = unpack_u32(&in);
	struct str kept;
	struct buf value = {0};

	if (!unpack_end(&in))
		return false;
	pack_u32(&value, timeline);
	if (!entry_store_note(spool->store, "timeline", &kept)) {
		entry_store_put_note(spool->store, "timeline", buf_view(&value));
	} else if (!str_equal(kept, buf_view(&value))) {
		log_warn(
			"the database is on another timeline (%u): what was released lately is offered again",
			timeline);
		entry_store_put_note(spool->store, "timeline", buf_view(&value));
		spool->reviving = true;
	}
	entry_store_unread(spool->store);
	buf_free(&value);
	spool_commit_later(spool);
	return true;
}

static void holding_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct holding *holding = context;
	bool sound = false;

	switch (frame->type) {
	case HOLDING_RELEASED:
		sound = take_released(holding, frame->body);
		break;
	case HOLDING_WANT:
		sound = take_want(holding, frame->body);
		break;
	case HOLDING_MISMATCH:
		sound = take_mismatch(holding, frame->body);
		break;
	case HOLDING_SOURCES:
		sound = take_sources(holding, frame->body);
		break;
	case HOLDING_TIMELINE:
		sound = take_timeline(holding, frame->body);
		break;
	}
	if (!sound)
		channel_break(channel, "a frame that is not of the holding edge");
}

static void holding_lost(struct holding *holding)
{
	channel_free(&holding->channel);
	offer_again(holding);
}

static void holding_closed(struct channel *channel, const char *why, void *context)
{
	(void)channel;
	log_info("holding edge to the store ended: %s", why ? why : "closed");
	holding_lost(context);
}

void holding_edge(struct holding *holding, int fd)
{
	struct spool *spool = holding->spool;

	if (holding->channel)
		holding_lost(holding);
	holding->channel = channel_new(
		room_loop(spool->room), fd, HOLDING_VERSION, holding_frame, holding_closed, holding);
	spool_commit_now(spool);
	send_epoch(holding);
	spool_pump_soon(spool);
}
