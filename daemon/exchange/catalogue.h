#ifndef EXCHANGE_CATALOGUE_H
#define EXCHANGE_CATALOGUE_H

#include "base/str.h"
#include "proc/loop.h"

/*
 * What only the database says of a feed, its credentials, and what is said there of it, how its pulls go.
 * Without a database, pulling goes on with the credentials last read, or none.
 */
struct catalogue;

typedef void catalogue_fn(void *context); /* credentials have been read, or are not waited for any longer */

/* conninfo "": there is no database. */
struct catalogue *catalogue_new(
	struct loop *loop, struct str conninfo, struct str password, catalogue_fn *changed, void *context);
void catalogue_free(struct catalogue **catalogue);
void catalogue_refresh(struct catalogue *catalogue); /* read the credentials again */
bool catalogue_known(const struct catalogue *catalogue);
const char *catalogue_auth(const struct catalogue *catalogue, uint32_t source); /* "" if there are none */
/* Note the end of a pull in feed_state; dropped while the database is away. */
void catalogue_report(struct catalogue *catalogue, uint32_t source, bool succeeded, const char *problem);

#endif
