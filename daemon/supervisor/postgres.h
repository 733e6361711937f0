#ifndef SUPERVISOR_POSTGRES_H
#define SUPERVISOR_POSTGRES_H

#include "conf/conf.h"
#include "supervisor/children.h"
#include "supervisor/database.h"

/*
 * The database as the supervisor sees it (trap 21). Managed: initdb once, a postmaster on a private socket,
 * one that lives already is adopted, one that dies is started again; rooms never wait for it. Managed or not:
 * the short-lived child that applies migrations, repeated until it has been able to.
 */
struct postgres;

enum postgres_state {
	POSTGRES_STARTING, /* initdb, or not ready yet */
	POSTGRES_MIGRATING,
	POSTGRES_READY,
	POSTGRES_WAITING, /* before another try */
	POSTGRES_REFUSED, /* the data folder is not for these programs */
	POSTGRES_STOPPING,
	POSTGRES_STOPPED
};

struct postgres *postgres_new(struct loop *loop, struct children *children, const struct conf *conf,
	const struct database *database, const char *const *migrate_argv);
void postgres_free(struct postgres **postgres);
void postgres_start(struct postgres *postgres);
/* Fast shutdown; `stopped` is called once it is down, at once if it was. */
void postgres_stop(struct postgres *postgres, timer_fn *stopped, void *context);
enum postgres_state postgres_state(const struct postgres *postgres);
void postgres_describe(const struct postgres *postgres, struct buf *json); /* one JSON object */

#endif
