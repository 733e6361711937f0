#ifndef EXCHANGE_FEED_H
#define EXCHANGE_FEED_H

#include "exchange/collector.h"

/*
 * A source that is pulled: ask the spool how far we are (bookmark "feed/ID"), fetch, stream into the spool,
 * commit the page together with the new cursor, go on with the next page or wait. What has not changed makes
 * no entry.
 */
struct feed;

struct feed *feed_new(struct collector *collector, const struct source *source); /* and pull at once */
void feed_free(struct feed **feed);
/* True: nothing of its row has changed that asks for a new beginning. */
bool feed_keep(struct feed *feed, const struct source *source);
/* Go on if something was waited for; a failing one that has other credentials now is tried at once. */
void feed_resume(struct feed *feed);
bool feed_pull_now(struct feed *feed); /* false: it is on its way already */
/* As feed_pull_now(), and ask for these items that were given up, too: a JSON list of objects with item,
 * version, about and place. */
bool feed_pull_again(struct feed *feed, struct str items);
bool feed_committing(const struct feed *feed);

#endif
