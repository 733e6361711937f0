#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "spool/state.h"

/* The append edge: entries of intake, exchange and desk, answered when their group is durable. */

#define DOORS_CLOSE_PERCENT 90
#define DOORS_OPEN_PERCENT  85
#define EXERCISE_MAX        200u

struct client {
	struct door *door;
	struct channel *channel;
	enum room_id peer;
	struct map *incoming; /* append → struct incoming */
	struct client *next;
};

struct incoming {
	struct arrival *arrival;
	struct entry entry; /* what the client said; exercise and envelope are our own copies */
};

/* An entry of the open group, and who waits for it: NULL when that edge is gone. */
struct waiting {
	struct client *client;
	uint32_t append;
	uint32_t source;
	uint64_t size;
	enum lane lane;
	struct entry_id id;
};

struct door {
	struct spool *spool;
	struct client *clients;
	struct waiting *waiting;
	size_t waiting_count;
	size_t waiting_cap;
	struct arena *arena; /* of table */
	struct source_table table;
	bool open;
};

struct door *door_new(struct spool *spool)
{
	struct door *door = mem_alloc(sizeof(*door));

	door->spool = spool;
	door->open = true;
	door->arena = arena_new(4096);
	return door;
}

static void incoming_free(struct incoming *incoming)
{
	if (incoming->arrival)
		arrival_abort(&incoming->arrival);
	free((char *)(uintptr_t)incoming->entry.exercise.p);
	free((char *)(uintptr_t)incoming->entry.envelope.p);
	free(incoming);
}

static void client_free(struct client *client)
{
	size_t cursor = 0;
	uint64_t append;
	void *incoming;

	while (map_next(client->incoming, &cursor, &append, &incoming))
		incoming_free(incoming);
	map_free(&client->incoming);
	channel_free(&client->channel);
	free(client);
}

void door_free(struct door **door)
{
	if (!*door)
		return;
	while ((*door)->clients) {
		struct client *client = (*door)->clients;

		(*door)->clients = client->next;
		client_free(client);
	}
	free((*door)->waiting);
	arena_free(&(*door)->arena);
	free(*door);
	*door = NULL;
}

/* ---- answers ---- */

static void refuse(struct client *client, uint32_t append, const struct err *why)
{
	client->door->spool->counters.refused++;
	append_refused_encode(append, why, channel_begin(client->channel));
	channel_end(client->channel, APPEND_REFUSED);
}

static void send_doors(struct client *client)
{
	append_doors_encode(client->door->open, channel_begin(client->channel));
	channel_end(client->channel, APPEND_DOORS);
}

static void send_sources(struct client *client)
{
	source_table_encode(&client->door->table, channel_begin(client->channel));
	channel_end(client->channel, APPEND_SOURCES);
}

void door_sources(struct door *door, struct str bytes)
{
	struct arena *arena = arena_new(4096);
	struct source_table table;
	struct err err;

	if (!source_table_decode(arena_str(arena, bytes), arena, &table, &err)) {
		log_error("source table refused, the old one stays: %s", err.text);
		arena_free(&arena);
		return;
	}
	arena_free(&door->arena);
	door->arena = arena;
	door->table = table;
	for (struct client *client = door->clients; client; client = client->next)
		send_sources(client);
}

/* ---- what is let in ---- */

static bool is_full(const struct door *door, uint64_t more, unsigned percent)
{
	const struct entry_store_counts *counts = entry_store_counts(door->spool->store);

	return counts->live_bytes + counts->open_bytes + more > counts->limit / 100 * percent;
}

/* The last tenth is for what was under way when the doors closed, and for the desk. */
static bool has_room(const struct client *client, enum lane lane, uint64_t size, struct err *err)
{
	const struct door *door = client->door;

	if (door->spool->disk_full && client->peer != ROOM_DESK)
		return err_set(err, ERR_NOSPACE, "the disk of the spool is full");
	if (!door->open && client->peer != ROOM_DESK && lane != LANE_SENSORS)
		return err_set(err, ERR_NOSPACE, "the spool is full");
	if (is_full(door, size, 100))
		return err_set(
			err, ERR_NOSPACE, "the spool has no room for %llu bytes", (unsigned long long)size);
	return true;
}

static bool open_is_sound(const struct client *client, const struct append_open *open, struct err *err)
{
	if (open->envelope.len > RECORD_ENVELOPE)
		return err_set(err, ERR_MALFORMED, "an envelope of %zu bytes, at most %u", open->envelope.len,
			RECORD_ENVELOPE);
	if (open->exercise.len > EXERCISE_MAX)
		return err_set(err, ERR_MALFORMED, "an exercise's name of %zu bytes, at most %u",
			open->exercise.len, EXERCISE_MAX);
	if (open->size_hint > APPEND_ENTRY_MAX)
		return err_set(err, ERR_MALFORMED, "an entry may have %llu bytes",
			(unsigned long long)APPEND_ENTRY_MAX);
	if (open->rerun && client->peer != ROOM_DESK)
		return err_set(err, ERR_DENIED, "only the desk runs entries again");
	return true;
}

/* What the spool itself will say of the entry. Strings still belong to the frame. */
static bool entry_begin(const struct client *client, const struct append_open *open, uint64_t size,
	struct entry *entry, struct err *err)
{
	const struct source *source = source_by_id(&client->door->table, open->source);

	if (!source)
		return err_set(err, ERR_NOTFOUND, "there is no source %u", open->source);
	if (!open_is_sound(client, open, err) || !has_room(client, source_lane(source), size, err))
		return false;
	*entry = (struct entry){
		.source = open->source,
		.lane = source_lane(source),
		.format = open->format == FORMAT_AUTO ? source->format : open->format,
		.exercise = open->exercise.len ? open->exercise : source->exercise,
		.envelope = open->envelope,
		.rerun = open->rerun,
	};
	return true;
}

static bool bookmark_is_sound(const struct append_close *close, struct err *err)
{
	if (close->bookmark_owner.len > RECORD_OWNER || close->bookmark_value.len > RECORD_BOOKMARK)
		return err_set(err, ERR_MALFORMED, "a bookmark of %zu and %zu bytes, at most %u and %u",
			close->bookmark_owner.len, close->bookmark_value.len, RECORD_OWNER, RECORD_BOOKMARK);
	if (close->also_owner.len > RECORD_OWNER || close->also_value.len > RECORD_BOOKMARK)
		return err_set(err, ERR_MALFORMED,
			"a second bookmark of %zu and %zu bytes, at most %u and %u", close->also_owner.len,
			close->also_value.len, RECORD_OWNER, RECORD_BOOKMARK);
	return true;
}

static bool bookmark_is_free(const struct client *client, const struct append_close *close, struct err *err)
{
	if (!close->expects ||
		entry_store_bookmark_is(client->door->spool->store, close->bookmark_owner, close->expected))
		return true;
	return err_set(err, ERR_CONFLICT, "somebody else has gone on from there");
}

static void wait_for_commit(struct client *client, uint32_t append, const struct entry *entry)
{
	struct door *door = client->door;

	if (door->waiting_count == door->waiting_cap) {
		door->waiting_cap = door->waiting_cap ? door->waiting_cap * 2 : 64;
		door->waiting = mem_resize(door->waiting, door->waiting_cap * sizeof(*door->waiting));
	}
	door->waiting[door->waiting_count++] = (struct waiting){
		.client = client,
		.append = append,
		.source = entry->source,
		.size = entry->size,
		.lane = entry->lane,
		.id = entry->id,
	};
	spool_commit_soon(door->spool);
}

/* ---- frames ---- */

static bool take_whole(struct client *client, struct str body)
{
	struct append_open open;
	struct append_close close;
	struct str bytes;
	struct entry entry = {.source = 0};
	struct err err;

	if (!append_whole_decode(body, &open, &close, &bytes) || map_get(client->incoming, open.append))
		return false;
	if (!bookmark_is_sound(&close, &err) || !bookmark_is_free(client, &close, &err) ||
		!entry_begin(client, &open, bytes.len, &entry, &err)) {
		refuse(client, open.append, &err);
		return true;
	}
	arrival_whole(client->door->spool->store, bytes, &entry, &close);
	wait_for_commit(client, open.append, &entry);
	return true;
}

static struct str own_copy(struct str text)
{
	return (struct str){mem_strndup(text.p ? text.p : "", text.len), text.len};
}

static bool take_open(struct client *client, struct str body)
{
	struct append_open open;
	struct incoming *incoming;
	struct entry entry = {.source = 0};
	struct err err;

	if (!append_open_decode(body, &open) || map_get(client->incoming, open.append))
		return false;
	if (!entry_begin(client, &open, open.size_hint, &entry, &err)) {
		refuse(client, open.append, &err);
		return true;
	}
	incoming = mem_alloc(sizeof(*incoming));
	incoming->entry = entry;
	incoming->entry.exercise = own_copy(entry.exercise);
	incoming->entry.envelope = own_copy(entry.envelope);
	incoming->arrival = arrival_new(client->door->spool->store);
	map_put(client->incoming, open.append, incoming);
	return true;
}

static void give_up(struct client *client, uint32_t append, const struct err *why)
{
	incoming_free(map_remove(client->incoming, append));
	if (why)
		refuse(client, append, why);
	spool_commit_later(client->door->spool);
}

/* Bytes for an append that was refused may still be under way: not an error. */
static bool take_data(struct client *client, struct str body)
{
	struct incoming *incoming;
	struct str bytes;
	uint32_t append;
	struct err err;

	if (!append_data_decode(body, &append, &bytes))
		return false;
	incoming = map_get(client->incoming, append);
	if (!incoming)
		return true;
	if (arrival_size(incoming->arrival) + bytes.len > APPEND_ENTRY_MAX) {
		err_set(&err, ERR_MALFORMED, "an entry may have %llu bytes",
			(unsigned long long)APPEND_ENTRY_MAX);
		give_up(client, append, &err);
	} else if (is_full(client->door, bytes.len, 100)) {
		err_set(&err, ERR_NOSPACE, "the spool is full");
		give_up(client, append, &err);
	} else {
		arrival_bytes(incoming->arrival, bytes);
		if (entry_store_dirty(client->door->spool->store))
			spool_commit_later(client->door->spool);
		door_check(client->door);
	}
	return true;
}

static bool take_close(struct client *client, struct str body)
{
	struct append_close close;
	struct incoming *incoming;
	uint32_t append;
	struct err err;

	if (!append_closing_decode(body, &append, &close))
		return false;
	incoming = map_get(client->incoming, append);
	if (!incoming)
		return true;
	if (!bookmark_is_sound(&close, &err) || !bookmark_is_free(client, &close, &err)) {
		give_up(client, append, &err);
		return true;
	}
	arrival_close(&incoming->arrival, &incoming->entry, &close);
	wait_for_commit(client, append, &incoming->entry);
	incoming_free(map_remove(client->incoming, append));
	return true;
}

static bool take_abort(struct client *client, struct str body)
{
	uint32_t append;

	if (!append_number_decode(body, &append))
		return false;
	if (map_get(client->incoming, append))
		give_up(client, append, NULL);
	return true;
}

/* A lost edge's last append may stand in the open group: what is answered must include it. */
static bool take_bookmark(struct client *client, struct str body)
{
	struct entry_store *store = client->door->spool->store;
	struct str value = STR_NONE;
	struct str owner;
	uint32_t append;
	bool found;

	if (!append_bookmark_decode(body, &append, &owner))
		return false;
	spool_commit_now(client->door->spool);
	found = owner.len <= RECORD_OWNER && entry_store_bookmark(store, owner, &value);
	append_bookmark_is_encode(append, found, value, channel_begin(client->channel));
	channel_end(client->channel, APPEND_BOOKMARK_IS);
	entry_store_unread(store);
	return true;
}

static bool take_ask(struct client *client, struct str body)
{
	struct spool *spool = client->door->spool;
	const struct entry_store_counts *counts = entry_store_counts(spool->store);
	struct arena *arena;
	struct append_state state;
	uint32_t append;
	uint64_t bytes;
	size_t out;

	if (!append_number_decode(body, &append))
		return false;
	spool_commit_now(spool);
	arena = arena_new(16384);
	state = (struct append_state){
		.append = append,
		.next_sequence = counts->next_sequence,
		.live_entries = counts->live_entries,
		.live_bytes = counts->live_bytes,
		.limit_bytes = counts->limit,
		.rerun_entries = counts->rerun_entries,
		.kept_entries = counts->kept_entries,
	};
	memcpy(state.spool, entry_store_spool(spool->store), UUID_LEN);
	state.books = entry_store_books(spool->store, false, arena, &state.book_count);
	out = backlog_out(spool->backlog, &bytes);
	state.held = arena_alloc(arena, (out + 1) * sizeof(*state.held));
	state.sealed_entries = backlog_sealed(spool->backlog);
	state.held_count = backlog_sequences(spool->backlog, state.held, out);
	append_state_encode(&state, channel_begin(client->channel));
	channel_end(client->channel, APPEND_STATE);
	arena_free(&arena);
	return true;
}

static bool is_in_hand(const struct spool *spool, uint64_t sequence, struct arena *arena)
{
	uint64_t bytes;
	size_t count = backlog_out(spool->backlog, &bytes);
	uint64_t *out = arena_alloc(arena, (count + 1) * sizeof(*out));

	count = backlog_sequences(spool->backlog, out, count);
	for (size_t i = 0; i < count; i++)
		if (out[i] == sequence)
			return true;
	return false;
}

static enum append_place place_of(struct spool *spool, const struct record *record)
{
	uint64_t sequence = record->entry.id.sequence, next = sequence, size;
	struct arena *arena = arena_new(4096);
	enum append_place place = APPEND_KEPT;

	if (entry_store_next(spool->store, record->entry.source, &next, &size) && next == sequence)
		place = is_in_hand(spool, sequence, arena) ? APPEND_IN_HAND : APPEND_WAITING;
	arena_free(&arena);
	return place;
}

static bool take_find(struct client *client, struct str body)
{
	struct spool *spool = client->door->spool;
	struct append_found found = {.place = APPEND_NOT_HERE};
	struct record record;
	uint64_t sequence;

	if (!append_find_decode(body, &found.append, &sequence))
		return false;
	spool_commit_now(spool);
	if (entry_store_read(spool->store, sequence, &record)) {
		found.place = place_of(spool, &record);
		found.entry = record.entry;
	}
	append_found_encode(&found, channel_begin(client->channel));
	channel_end(client->channel, APPEND_FOUND);
	entry_store_unread(spool->store);
	return true;
}

static void client_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct client *client = context;
	bool sound = false;

	switch (frame->type) {
	case APPEND_WHOLE:
		sound = take_whole(client, frame->body);
		break;
	case APPEND_OPEN:
		sound = take_open(client, frame->body);
		break;
	case APPEND_DATA:
		sound = take_data(client, frame->body);
		break;
	case APPEND_CLOSE:
		sound = take_close(client, frame->body);
		break;
	case APPEND_ABORT:
		sound = take_abort(client, frame->body);
		break;
	case APPEND_BOOKMARK:
		sound = take_bookmark(client, frame->body);
		break;
	case APPEND_FIND:
		sound = take_find(client, frame->body);
		break;
	case APPEND_ASK:
		sound = take_ask(client, frame->body);
		break;
	}
	if (!sound)
		channel_break(channel, "a frame that is not of the append edge");
}

/* ---- clients ---- */

static void client_remove(struct client *client)
{
	struct door *door = client->door;
	struct client **link = &door->clients;

	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	for (size_t i = 0; i < door->waiting_count; i++)
		if (door->waiting[i].client == client)
			door->waiting[i].client = NULL;
	client_free(client);
	/* Its unfinished chunks go with the next group. */
	spool_commit_later(door->spool);
}

static void client_closed(struct channel *channel, const char *why, void *context)
{
	struct client *client = context;

	(void)channel;
	log_info("append edge to %s ended: %s", room_name(client->peer), why ? why : "closed");
	client_remove(client);
}

void door_edge(struct door *door, enum room_id peer, int fd)
{
	struct client *client = door->clients;

	while (client && client->peer != peer)
		client = client->next;
	if (client)
		client_remove(client);
	client = mem_alloc(sizeof(*client));
	client->door = door;
	client->peer = peer;
	client->incoming = map_new();
	client->channel = channel_new(
		room_loop(door->spool->room), fd, APPEND_VERSION, client_frame, client_closed, client);
	client->next = door->clients;
	door->clients = client;
	if (door->table.version)
		send_sources(client);
	send_doors(client);
}

size_t door_clients(const struct door *door)
{
	size_t count = 0;

	for (const struct client *client = door->clients; client; client = client->next)
		count++;
	return count;
}

size_t door_arrivals(const struct door *door)
{
	size_t count = 0;

	for (const struct client *client = door->clients; client; client = client->next)
		count += map_count(client->incoming);
	return count;
}

/* ---- the group ---- */

void door_committed(struct door *door)
{
	struct spool *spool = door->spool;

	for (size_t i = 0; i < door->waiting_count; i++) {
		struct waiting *waiting = &door->waiting[i];
		struct append_committed committed = {waiting->append, waiting->id};

		spool->counters.entries++;
		spool->counters.bytes += waiting->size;
		backlog_offer(spool->backlog, waiting->source, waiting->lane, waiting->id.sequence);
		if (!waiting->client)
			continue;
		append_committed_encode(&committed, channel_begin(waiting->client->channel));
		channel_end(waiting->client->channel, APPEND_COMMITTED);
	}
	door->waiting_count = 0;
	door_check(door);
}

static void refuse_spoilt(struct client *client, const struct err *why)
{
	size_t cursor = 0;
	uint64_t append;
	void *found;

	while (map_next(client->incoming, &cursor, &append, &found)) {
		struct incoming *incoming = found;

		if (!arrival_spoilt(incoming->arrival))
			continue;
		map_remove(client->incoming, append);
		incoming_free(incoming);
		refuse(client, (uint32_t)append, why);
	}
}

void door_refused(struct door *door)
{
	struct err why;

	err_set(&why, ERR_NOSPACE, "the spool is full");
	for (size_t i = 0; i < door->waiting_count; i++)
		if (door->waiting[i].client)
			refuse(door->waiting[i].client, door->waiting[i].append, &why);
	door->waiting_count = 0;
	for (struct client *client = door->clients; client; client = client->next)
		refuse_spoilt(client, &why);
	door_check(door);
}

void door_check(struct door *door)
{
	unsigned percent = door->open ? DOORS_CLOSE_PERCENT : DOORS_OPEN_PERCENT;
	bool open = !door->spool->disk_full && !is_full(door, 0, percent);

	if (open == door->open)
		return;
	door->open = open;
	if (open)
		log_info("the spool has room again: doors open");
	else
		log_warn("the spool is full%s: doors closed", door->spool->disk_full ? " (its disk is)" : "");
	for (struct client *client = door->clients; client; client = client->next)
		send_doors(client);
}

bool door_is_open(const struct door *door)
{
	return door->open;
}
