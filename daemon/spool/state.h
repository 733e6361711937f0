#ifndef SPOOL_STATE_H
#define SPOOL_STATE_H

#include "proc/room.h"
#include "spool/backlog.h"
#include "spool/entry_store.h"
#include "spool/poison.h"

/* The room's own state, and what its parts ask of each other: door (append), workers (hand-out), holding (the
 * store). */
struct door;
struct workers;
struct holding;

struct spool_counters {
	uint64_t entries; /* committed since start */
	uint64_t bytes;
	uint64_t commits;
	uint64_t refused;
	uint64_t released;
	uint64_t handed_out;
	uint64_t re_offered;
	uint64_t poison;      /* deaths that counted against an entry */
	uint64_t quarantined; /* entries given up as a whole */
	uint64_t mismatches;
};

struct spool {
	struct room *room;
	struct entry_store *store;
	struct backlog *backlog;
	struct door *door;
	struct workers *workers;
	struct holding *holding;
	struct spool_counters counters;
	struct timer *commit_timer;
	struct timer *tick;
	int64_t commit_started; /* of the last one, monotonic */
	int64_t commit_took;    /* the last one, microseconds */
	bool commit_deferred;
	bool pump_deferred;
	bool disk_full;
	bool reviving; /* kept entries are being made live again */
	bool draining;
	struct flight **landed; /* released in the group that is open */
	size_t landed_count;
	size_t landed_cap;
};

/* ---- spool.c ---- */

/* The group holds something that somebody waits for: commit before the loop waits, at most commit_delay after
 * the last one. */
void spool_commit_soon(struct spool *spool);
/* Something that can wait a little: it goes with the next group. */
void spool_commit_later(struct spool *spool);
void spool_commit_now(struct spool *spool);
void spool_pump_soon(struct spool *spool);
void spool_land(struct spool *spool, struct flight *flight);
/* Offer what waits on the disk, from its first entry on. */
void spool_offer_all(struct spool *spool);

/* ---- door.c: intake, exchange, desk ---- */

struct door *door_new(struct spool *spool);
void door_free(struct door **door);
void door_edge(struct door *door, enum room_id peer, int fd);
void door_sources(struct door *door, struct str table); /* a new source table, checked */
void door_committed(struct door *door);                 /* the group is durable: answer */
void door_refused(struct door *door);                   /* the group is lost: answer */
void door_check(struct door *door);                     /* open or close by what is free */
bool door_is_open(const struct door *door);
size_t door_clients(const struct door *door);
size_t door_arrivals(const struct door *door);

/* ---- workers.c: triage ---- */

struct workers *workers_new(struct spool *spool);
void workers_free(struct workers **workers);
void workers_edge(struct workers *workers, unsigned instance, uint32_t generation, int fd);
void workers_death(struct workers *workers, const struct control_death *death);
/* Can any take an entry of that size (alone: with nothing else in hand)? */
bool workers_ready(const struct workers *workers, uint64_t size, bool alone);
/* Instance of the one with most to spare, to which workers_give() would give it; workers_ready() says that
 * there is one. */
uint16_t workers_best(const struct workers *workers, uint64_t size, bool alone);
/* bytes as entry_store_read_bytes(). */
void workers_give(struct workers *workers, const struct flight *flight, const struct record *record,
	struct str bytes, const struct poison *poison);
size_t workers_count(const struct workers *workers);
size_t workers_hands(const struct workers *workers);

/* ---- holding.c: the store ---- */

struct holding *holding_new(struct spool *spool);
void holding_free(struct holding **holding);
void holding_edge(struct holding *holding, int fd);
bool holding_ready(const struct holding *holding); /* connected, and keeping up */
void holding_held(struct holding *holding, const struct flight *flight, const struct record *record,
	uint16_t attempt, uint16_t worker);
void holding_poison_entry(struct holding *holding, const struct flight *flight, const struct record *record,
	struct str bytes, const struct poison *poison);
void holding_forget(struct holding *holding, uint64_t ticket);
void holding_books(struct holding *holding);

#endif
