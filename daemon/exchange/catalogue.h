#ifndef EXCHANGE_CATALOGUE_H
#define EXCHANGE_CATALOGUE_H

#include "base/str.h"
#include "exchange/trouble.h"
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
/* Not while they are being read: a source that is new must not be pulled without its own. */
bool catalogue_known(const struct catalogue *catalogue);
const char *catalogue_auth(const struct catalogue *catalogue, uint32_t source); /* "" if there are none */
/* How a pull ended. */
struct pull_end {
	uint32_t source;
	bool well; /* as a whole; `trouble` may still name a part that could not be had */
	enum trouble trouble;
	const char *problem; /* for people; "" */
	int64_t wait;        /* microseconds to the next */
	unsigned pages;      /* that came */
};
/* Note it in feed_state; dropped while the database is away. */
void catalogue_report(struct catalogue *catalogue, const struct pull_end *end);
/* Note which items could not be had, as item_changes() tells them. False: the database is away, nothing is
 * noted. */
bool catalogue_items(struct catalogue *catalogue, uint32_t source, bool fresh, struct str changes);

#endif
