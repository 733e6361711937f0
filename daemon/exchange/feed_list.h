#ifndef EXCHANGE_FEED_LIST_H
#define EXCHANGE_FEED_LIST_H

#include "exchange/feed_private.h"

/*
 * Ways to pull that list items and fetch each: an event of MISP, a report of Shadowserver. An item that was
 * taken has a bookmark of its own, "PREFIX/SOURCE/NAME", committed with it, whose value says in which
 * version: so none is taken twice and none is passed over, however the list changes while it is read.
 */
struct feed_item {
	struct str name;    /* a-z A-Z 0-9 - _, at most 100 bytes */
	struct str version; /* what is taken again is another one */
	struct str about;   /* more of its entry's envelope, ,"name":value; "" */
	int64_t order;      /* items are fetched in rising order */
};

struct list_kind {
	const char *prefix;               /* of the bookmarks */
	void (*start)(struct feed *feed); /* a pull begins */
	/* The list, or the next part of it, as STEP_FETCH; STEP_DONE: there is no more. */
	bool (*ask)(struct feed *feed, struct feed_step *step, struct err *err);
	/* Items of it by list_add(). */
	bool (*read)(struct feed *feed, const struct fetch_result *result, struct str body, struct err *err);
	bool (*fetch)(
		struct feed *feed, const struct feed_item *item, struct feed_step *step, struct err *err);
	/* All items of the part were dealt with; missing: one of them could not be had. */
	void (*over)(struct feed *feed, bool missing);
	void (*free)(void *own);
};

struct list {
	const struct list_kind *kind;
	void *own; /* the kind's */
	bool listed;
	bool asked;   /* the item at hand is not among those taken */
	bool missing; /* one of this part */
	bool too_long;
	struct buf body;
	struct arena *arena; /* of the part's items */
	struct feed_item *items;
	size_t count;
	size_t at;
	struct map *known; /* name → version, since we run */
};

struct list *list_new(const struct list_kind *kind, void *own);
void list_end(void *way);
/* False with err: not a name, or too many. Texts are copied. */
bool list_add(struct list *list, const struct feed_item *item, struct err *err);

/* Members of struct feed_way. */
void list_start(struct feed *feed);
bool list_next(struct feed *feed, struct feed_step *step, struct err *err);
void list_known(struct feed *feed, struct str value);
void list_bytes(struct feed *feed, struct str bytes);
enum feed_page list_page(
	struct feed *feed, const struct fetch_result *result, enum trouble *trouble, struct err *err);
void list_taken(struct feed *feed);
bool list_forgive(struct feed *feed, long status);

#endif
