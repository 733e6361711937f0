#ifndef EXCHANGE_FEED_LIST_H
#define EXCHANGE_FEED_LIST_H

#include "exchange/feed_item.h"
#include "exchange/feed_private.h"

/*
 * Ways to pull that list items and fetch each: an event of MISP, a report of Shadowserver. An item that was
 * taken has a bookmark of its own, "PREFIX/SOURCE/NAME", committed with it, whose value says in which
 * version: so none is taken twice and none is passed over, however the list changes while it is read.
 * One that cannot be had is its own trouble (feed_item.h): the others do not wait for it.
 */
struct list_kind {
	const char *prefix;               /* of the bookmarks */
	void (*start)(struct feed *feed); /* a pull begins */
	/* The list, or the next part of it, as STEP_FETCH; STEP_DONE: there is no more. */
	bool (*ask)(struct feed *feed, struct feed_step *step, struct err *err);
	/* Items of it by list_add(), what is none by list_bad(). */
	bool (*read)(struct feed *feed, const struct fetch_result *result, struct str body, struct err *err);
	bool (*fetch)(
		struct feed *feed, const struct feed_item *item, struct feed_step *step, struct err *err);
	/* All items of the part were dealt with; missing: one of them is to be tried again. */
	void (*over)(struct feed *feed, bool missing);
	void (*free)(void *own);
	bool whole; /* the list has all that there is: what it does not name is none any more */
};

struct list {
	const struct list_kind *kind;
	void *own; /* the kind's */
	bool listed;
	bool asked;    /* the item at hand is not among those taken */
	bool missing;  /* one of this part */
	bool again;    /* this part is what an operator asks for, not of the list */
	bool told;     /* the database knows that we begin */
	unsigned lost; /* items in a row that could not be had */
	bool too_long;
	struct buf body;
	struct arena *arena; /* of the part's items */
	struct feed_item *items;
	size_t count;
	size_t at;
	struct map *known; /* name → version, since we run */
	struct item_troubles *troubles;
	struct arena *wanted_arena;
	struct feed_item *wanted; /* by an operator, in the next pull */
	size_t wanted_count;
};

struct list *list_new(const struct list_kind *kind, void *own);
void list_end(void *way);
/* Texts are copied. What is no name of an item is list_bad(). */
void list_add(struct feed *feed, const struct feed_item *item);
/* Something in the list that is no item: `name` is what tells it from others. */
void list_bad(struct feed *feed, struct str name, const char *problem);

/* Members of struct feed_way. */
void list_start(struct feed *feed);
bool list_next(struct feed *feed, struct feed_step *step, struct err *err);
void list_known(struct feed *feed, struct str value);
void list_bytes(struct feed *feed, struct str bytes);
enum feed_page list_page(
	struct feed *feed, const struct fetch_result *result, enum trouble *trouble, struct err *err);
void list_taken(struct feed *feed);
bool list_spare(struct feed *feed, enum trouble trouble, const char *why);
int64_t list_ended(struct feed *feed);
void list_again(struct feed *feed, struct str items);
#define LIST_WAY                                                                                           \
	.end = list_end, .start = list_start, .next = list_next, .known = list_known, .bytes = list_bytes, \
	.page = list_page, .taken = list_taken, .spare = list_spare, .ended = list_ended,                  \
	.again = list_again

#endif
