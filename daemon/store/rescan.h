#ifndef STORE_RESCAN_H
#define STORE_RESCAN_H

#include "ipc/edge_items.h"
#include "pg/pg.h"

/*
 * Old evidence under the rules of today (sql/095-rescan.sql). What the desk asked for is taken up in lots
 * over a connection of its own, so that nothing that lands waits behind it; one piece at a time goes to one
 * worker, which looks at it when no entry waits. A lot is written as a whole, with how far it came: what is
 * lost on the way is looked at again, and written once. A piece that ended two workers is left out, and
 * counted.
 */
struct rescan;

/* Give this to a worker: who it was given to, to be named by rescan_answer() and rescan_lost(); NULL: there
 * is nobody now. */
typedef const void *rescan_send_fn(const struct items_scan *scan, void *context);

struct rescan *rescan_new(
	struct loop *loop, const struct pg_settings *settings, rescan_send_fn *send, void *context);
void rescan_free(struct rescan **rescan);
/* Go on, if there is something to be done; every now and then, and when there is a worker again. */
void rescan_kick(struct rescan *rescan);
/* ITEMS_SCANNED of that worker. False: it was not asked that, or it cannot be read. */
bool rescan_answer(struct rescan *rescan, const void *worker, struct str body);
/* That worker has gone, with what it was given. */
void rescan_lost(struct rescan *rescan, const void *worker);
/* Take up nothing more. */
void rescan_end(struct rescan *rescan);

#endif
