#ifndef EXCHANGE_FEED_ITEM_H
#define EXCHANGE_FEED_ITEM_H

#include "base/buf.h"
#include "exchange/trouble.h"

/*
 * Items of a feed's list that could not be had: how often each was tried, when it is tried again, twice as
 * late each time, and whether it was given up, which is after some tries over the time of `patience`. What
 * has changed is told to the database, where an operator sees it.
 */
struct item_troubles;

#define ITEM_NAME_MAX 100
#define ITEM_TROUBLES 1000u /* remembered at once */

struct feed_item {
	struct str name; /* a-z A-Z 0-9 - _, at most ITEM_NAME_MAX bytes; of what cannot be had: any text */
	struct str version; /* what is taken again is another one; at most 60 bytes */
	struct str about;   /* more of its entry's envelope, ,"name":value; "" */
	int64_t order;      /* items are fetched in rising order */
	bool late;          /* behind all others: it could not be had before */
};

enum item_turn {
	ITEM_NOW,
	ITEM_LATER,
	ITEM_GIVEN_UP /* in this version */
};

struct item_troubles *item_troubles_new(void);
void item_troubles_free(struct item_troubles **troubles);
bool item_troubled(const struct item_troubles *troubles, struct str name);
/* now: of clock_monotonic(). */
enum item_turn item_turn(const struct item_troubles *troubles, const struct feed_item *item, int64_t now);
/* It was tried, and could not be had. False: so many are in trouble already that this one is not noted. */
bool item_failed(struct item_troubles *troubles, const struct feed_item *item, enum trouble trouble,
	const char *problem, int64_t now, int64_t patience);
void item_taken(struct item_troubles *troubles, struct str name); /* or nothing to be had any more */
/* As if it had never been tried, whether it is known here or not. */
void item_again(struct item_troubles *troubles, const struct feed_item *item);
/* Between the two: those that no one speaks of in between are no longer listed, and forgotten. */
void item_listing(struct item_troubles *troubles);
void item_listed(struct item_troubles *troubles, struct str name);
void item_listing_over(struct item_troubles *troubles);
/* Microseconds until the next is due; -1: none. */
int64_t item_next(const struct item_troubles *troubles, int64_t now);
/* A JSON list of what has changed since item_told(), as the function feed_items() of the database takes it;
 * false: nothing. */
bool item_changes(const struct item_troubles *troubles, struct buf *json);
void item_told(struct item_troubles *troubles);

#endif
