#include "spool/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "spool/state.h"

/* Releases wait this long for a group to go with. */
#define LATER       (CLOCK_SECOND / 20)
#define PURGE_MOST  256
#define REVIVE_MOST 1024

/* ---- the group ---- */

static void land_again(struct spool *spool)
{
	for (size_t i = 0; i < spool->landed_count; i++)
		entry_store_release(spool->store, spool->landed[i]->sequence);
}

static void landed_for_good(struct spool *spool)
{
	for (size_t i = 0; i < spool->landed_count; i++)
		backlog_end(spool->backlog, spool->landed[i]);
	spool->counters.released += spool->landed_count;
	spool->landed_count = 0;
}

void spool_land(struct spool *spool, struct flight *flight)
{
	if (!entry_store_release(spool->store, flight->sequence)) {
		backlog_end(spool->backlog, flight);
		return;
	}
	if (spool->landed_count == spool->landed_cap) {
		spool->landed_cap = spool->landed_cap ? spool->landed_cap * 2 : 256;
		spool->landed = mem_resize(spool->landed, spool->landed_cap * sizeof(struct flight *));
	}
	spool->landed[spool->landed_count++] = flight;
	backlog_land(spool->backlog, flight);
	spool_commit_later(spool);
}

static void check_disk(struct spool *spool)
{
	struct err err;
	bool full = !entry_store_reserve(spool->store, &err);

	if (full && !spool->disk_full)
		log_error("%s", err.text);
	spool->disk_full = full;
	door_check(spool->door);
}

/* The map or the disk is full: nothing of the group was written. What had landed is released alone. */
static void group_lost(struct spool *spool, const struct err *why)
{
	struct err err;

	log_error("%s: the last %s refused", why->text, "entries are");
	spool->disk_full = true;
	door_refused(spool->door);
	land_again(spool);
	if (!entry_store_commit(spool->store, &err))
		room_fail(spool->room, &err);
	landed_for_good(spool);
}

void spool_commit_now(struct spool *spool)
{
	struct err err;

	if (!entry_store_dirty(spool->store))
		return;
	timer_stop(spool->commit_timer);
	spool->commit_started = clock_monotonic();
	/* Faster than anything lands, so that what is kept stays within its bounds. */
	if (!spool->reviving)
		entry_store_purge(spool->store, 64 + 2 * spool->landed_count);
	bool committed = entry_store_commit(spool->store, &err);
	spool->commit_took = clock_monotonic() - spool->commit_started;
	if (committed) {
		spool->counters.commits++;
		landed_for_good(spool);
		door_committed(spool->door);
	} else if (err.code == ERR_NOSPACE) {
		group_lost(spool, &err);
	} else {
		/* An fsync that failed once says nothing when it is tried again: start over from the file. */
		room_fail(spool->room, &err);
	}
	check_disk(spool);
	spool_pump_soon(spool);
}

/* From the beginning of one commit to that of the next: a commit takes a third of the time at most, and
 * nobody waits longer for others than that asks for. */
static int64_t commit_pace(const struct spool *spool)
{
	int64_t most = (int64_t)room_conf(spool->room)->spool_commit_delay;
	int64_t fair = 3 * spool->commit_took;

	return fair < most ? fair : most;
}

static void commit_deferred(void *context)
{
	struct spool *spool = context;
	int64_t delay = commit_pace(spool);
	int64_t since = clock_monotonic() - spool->commit_started;

	spool->commit_deferred = false;
	if (since >= delay)
		spool_commit_now(spool);
	else
		timer_set(spool->commit_timer, delay - since);
}

static void commit_due(void *context)
{
	spool_commit_now(context);
}

void spool_commit_soon(struct spool *spool)
{
	if (spool->commit_deferred)
		return;
	spool->commit_deferred = true;
	loop_defer(room_loop(spool->room), commit_deferred, spool);
}

void spool_commit_later(struct spool *spool)
{
	if (!spool->commit_deferred && !timer_pending(spool->commit_timer))
		timer_set(spool->commit_timer, LATER);
}

/* ---- handing out ---- */

static bool hand_out(
	struct spool *spool, const struct scheduler_head *head, struct arena *arena, struct buf *space)
{
	struct record record;
	struct poison poison;
	struct flight *flight;
	struct str bytes;
	struct str past = STR_NONE;

	entry_store_poison(spool->store, head->sequence, &past);
	if (!poison_decode(past, arena, &poison))
		poison = (struct poison){.item = POISON_ITEM_UNKNOWN};
	if (!poison.whole && !workers_ready(spool->workers, head->size, poison.crashes > 0))
		return false;
	if (!entry_store_read(spool->store, head->sequence, &record) ||
		!entry_store_read_bytes(spool->store, &record, space, &bytes)) {
		log_error("entry %llu of source %u cannot be read and stays in the spool",
			(unsigned long long)head->sequence, head->source);
		backlog_skip(spool->backlog);
		return true;
	}
	flight = backlog_take(spool->backlog, entry_store_ticket(spool->store));
	spool->counters.handed_out++;
	if (poison.whole) {
		spool->counters.quarantined++;
		holding_poison_entry(spool->holding, flight, &record, bytes, &poison);
		return true;
	}
	holding_held(spool->holding, flight, &record, (uint16_t)(poison.crashes + poison.kills + 1),
		workers_best(spool->workers, flight->size, poison.crashes > 0));
	workers_give(spool->workers, flight, &record, bytes, &poison);
	return true;
}

static void pump(void *context)
{
	struct spool *spool = context;
	struct arena *arena = arena_new(1024);
	struct buf space = {0};
	struct scheduler_head head;
	bool more = true;

	spool->pump_deferred = false;
	while (more && !spool->draining && holding_ready(spool->holding) &&
		backlog_next(spool->backlog, &head)) {
		more = hand_out(spool, &head, arena, &space);
		arena_reset(arena);
	}
	entry_store_unread(spool->store);
	buf_free(&space);
	arena_free(&arena);
}

void spool_pump_soon(struct spool *spool)
{
	if (spool->pump_deferred)
		return;
	spool->pump_deferred = true;
	loop_defer(room_loop(spool->room), pump, spool);
}

static bool find_entry(void *context, uint32_t source, uint64_t *sequence, uint64_t *size)
{
	struct spool *spool = context;

	return entry_store_next(spool->store, source, sequence, size);
}

static void offer_source(void *context, uint32_t source, enum lane lane)
{
	struct spool *spool = context;

	backlog_offer(spool->backlog, source, lane, 0);
}

void spool_offer_all(struct spool *spool)
{
	entry_store_sources(spool->store, offer_source, spool);
	spool_pump_soon(spool);
}

/* ---- once a second ---- */

static void revive(struct spool *spool)
{
	size_t count = entry_store_revive(spool->store, REVIVE_MOST);

	spool->counters.re_offered += count;
	spool->reviving = count == REVIVE_MOST;
	spool_commit_now(spool);
	spool_offer_all(spool);
}

static void drain_step(struct spool *spool)
{
	uint64_t bytes;

	if (backlog_out(spool->backlog, &bytes) > 0)
		return;
	spool_commit_now(spool);
	holding_books(spool->holding);
	room_drained(spool->room);
}

static void tick(void *context)
{
	struct spool *spool = context;

	/* One of the two: what is to be made live again must not be purged. */
	if (spool->reviving) {
		revive(spool);
	} else if (entry_store_purge(spool->store, PURGE_MOST)) {
		spool_commit_now(spool);
	} else if (entry_store_dirty(spool->store)) {
		spool_commit_later(spool);
	}
	check_disk(spool);
	spool_commit_now(spool);
	holding_books(spool->holding);
	entry_store_trim(spool->store);
	if (spool->draining)
		drain_step(spool);
	timer_set(spool->tick, CLOCK_SECOND);
}

/* ---- the room ---- */

static bool open_store(struct spool *spool, const struct conf *conf, struct err *err)
{
	struct entry_store_settings settings = {.size = conf->spool_size, .keep = (int64_t)conf->spool_keep};
	char *path = mem_printf(STR_FMT "/spool", STR_ARG(conf->state));
	bool opened = false;

	settings.path = path;
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		err_errno(err, "cannot make %s", path);
	else
		opened = entry_store_open(&settings, &spool->store, err);
	free(path);
	return opened;
}

static bool spool_load(struct room *room, struct err *err)
{
	struct spool *spool = mem_alloc(sizeof(*spool));
	struct str sources;

	room_set_state(room, spool);
	spool->room = room;
	if (!open_store(spool, room_conf(room), err))
		return false;
	spool->backlog = backlog_new(find_entry, spool);
	spool->door = door_new(spool);
	spool->workers = workers_new(spool);
	spool->holding = holding_new(spool);
	spool->commit_timer = timer_new(room_loop(room), commit_due, spool);
	spool->tick = timer_new(room_loop(room), tick, spool);
	if (entry_store_note(spool->store, "sources", &sources))
		door_sources(spool->door, sources);
	entry_store_unread(spool->store);
	return true;
}

static void spool_hello(struct room *room, struct buf *json)
{
	const struct spool *spool = room_state(room);
	const struct entry_store_counts *counts = entry_store_counts(spool->store);
	char id[UUID_TEXT];

	buf_printf(json, ",\"spool\":\"%s\",\"live\":%llu,\"kept\":%llu",
		uuid_format(entry_store_spool(spool->store), id), (unsigned long long)counts->live_entries,
		(unsigned long long)counts->kept_entries);
}

static bool spool_start(struct room *room, struct err *err)
{
	struct spool *spool = room_state(room);

	(void)err;
	entry_store_expire_bookmarks(spool->store);
	spool_offer_all(spool);
	check_disk(spool);
	timer_set(spool->tick, CLOCK_SECOND);
	return true;
}

static void spool_edge(struct room *room, enum edge_kind kind, enum room_id peer, unsigned instance,
	uint32_t generation, int fd)
{
	struct spool *spool = room_state(room);

	switch (kind) {
	case EDGE_APPEND:
		door_edge(spool->door, peer, fd);
		break;
	case EDGE_HANDOUT:
		workers_edge(spool->workers, instance, generation, fd);
		break;
	case EDGE_HOLDING:
		holding_edge(spool->holding, fd);
		break;
	default:
		fd_close(&fd);
	}
}

static void spool_reload(struct room *room, const struct conf *old)
{
	struct spool *spool = room_state(room);
	const struct conf *conf = room_conf(room);

	(void)old;
	entry_store_limits(spool->store, conf->spool_size, (int64_t)conf->spool_keep);
	door_check(spool->door);
}

static void spool_drain(struct room *room)
{
	struct spool *spool = room_state(room);

	spool->draining = true;
	spool_commit_now(spool);
	drain_step(spool);
}

static void spool_death(struct room *room, const void *control_death)
{
	struct spool *spool = room_state(room);

	workers_death(spool->workers, control_death);
}

static void spool_count(struct room *room)
{
	const struct spool *spool = room_state(room);
	const struct entry_store_counts *counts = entry_store_counts(spool->store);
	uint64_t bytes;

	room_counter(room, "entries", spool->counters.entries);
	room_counter(room, "bytes", spool->counters.bytes);
	room_counter(room, "live_entries", counts->live_entries);
	room_counter(room, "live_bytes", counts->live_bytes);
	room_counter(room, "limit_bytes", counts->limit);
	room_counter(room, "kept", counts->kept_entries);
	room_counter(room, "in_flight", backlog_out(spool->backlog, &bytes));
	room_counter(room, "in_flight_bytes", bytes);
	room_counter(room, "sealed", backlog_sealed(spool->backlog));
	room_counter(room, "in_hand", workers_hands(spool->workers));
	room_counter(room, "handed_out", spool->counters.handed_out);
	room_counter(room, "released", spool->counters.released);
	room_counter(room, "commits", spool->counters.commits);
	room_counter(room, "refused", spool->counters.refused);
	room_counter(room, "re_offered", spool->counters.re_offered);
	room_counter(room, "poison", spool->counters.poison);
	room_counter(room, "quarantined", spool->counters.quarantined);
	room_counter(room, "mismatches", spool->counters.mismatches);
	room_counter(room, "arriving", door_arrivals(spool->door));
	room_counter(room, "doors_open", door_is_open(spool->door));
}

static void spool_stop(struct room *room)
{
	struct spool *spool = room_state(room);

	if (!spool)
		return;
	if (spool->backlog)
		spool_commit_now(spool);
	door_free(&spool->door);
	workers_free(&spool->workers);
	holding_free(&spool->holding);
	backlog_free(&spool->backlog);
	timer_free(&spool->commit_timer);
	timer_free(&spool->tick);
	entry_store_free(&spool->store);
	free(spool->landed);
	free(spool);
	room_set_state(room, NULL);
}

const struct room_spec spool_room = {
	.id = ROOM_SPOOL,
	.load = spool_load,
	.hello = spool_hello,
	.edge = spool_edge,
	.start = spool_start,
	.reload = spool_reload,
	.drain = spool_drain,
	.death = spool_death,
	.count = spool_count,
	.stop = spool_stop,
};
