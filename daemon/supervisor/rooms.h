#ifndef SUPERVISOR_ROOMS_H
#define SUPERVISOR_ROOMS_H

#include "supervisor/listeners.h"
#include "supervisor/process.h"

/* All rooms together: their processes, the edges between them, rolling reload of the workers, draining in
 * order. */
struct rooms;

struct rooms_plan {
	struct loop *loop;
	struct children *children;
	const struct listeners *listeners;
	const enum room_id *ids; /* the rooms that there are */
	size_t id_count;
	void (*all_running)(void *context); /* each time that the last of them has said hello */
	void (*ask)(struct process *process, uint32_t ask, struct str method, struct str json, void *context);
	void *context;
};

struct rooms *rooms_new(const struct rooms_plan *plan, struct kit *kit);
void rooms_free(struct rooms **rooms);
void rooms_start(struct rooms *rooms);
bool rooms_running(const struct rooms *rooms);

/*
 * Slices and grants to every room; workers one after another by a new one, which takes over when it says
 * hello. Where it does not, the old ones stay as they are and `why` says so. `done` is called once; a reload
 * replaces one under way.
 */
typedef void rooms_reloaded_fn(bool ok, const char *why, void *context);
void rooms_reload(struct rooms *rooms, struct kit *kit, rooms_reloaded_fn *done, void *context);

/* Why the configuration that was read last does not hold; "": it does. The keeper is told, now and whenever
 * it has started, and rooms_refusal() remembers: *since is when that began, by the clock. */
void rooms_refused(struct rooms *rooms, const char *why);
struct str rooms_refusal(const struct rooms *rooms, int64_t *since);

/* A worker with the grant `check` and without edges: what it says in its hello, or "" if it died before.
 * `done` is called when it has gone. False: another one is at it. */
typedef void rooms_checked_fn(struct str hello, void *context);
bool rooms_check(struct rooms *rooms, struct kit *kit, rooms_checked_fn *done, void *context);

/* Doors first, then workers, the store, the spool; `done` once all are down. */
void rooms_drain(struct rooms *rooms, timer_fn *done, void *context);

struct process *rooms_running_one(const struct rooms *rooms, enum room_id room); /* NULL: none */
bool rooms_has(const struct rooms *rooms, const struct process *process);
void rooms_describe(const struct rooms *rooms, struct buf *json); /* a JSON array */

#endif
