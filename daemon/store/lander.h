#ifndef STORE_LANDER_H
#define STORE_LANDER_H

#include "store/landing.h"

/*
 * Lands tickets over one connection: one transaction after the other, each with what is there when the one
 * before it ends, at most `batch` items. Several landers may share the tickets: what one of them has taken is
 * landing and out of the queue. What the database refuses is found by halving, down to the item, and goes
 * into quarantine; whatever else goes wrong is done again.
 */
struct lander;

struct lander_calls {
	/* Committed: in the tables, or in quarantine, or found to have landed before. */
	void (*released)(const uint64_t *tickets, size_t count, void *context);
	/* The entry as a whole is poison: its bytes are wanted. */
	void (*wanted)(uint64_t ticket, void *context);
	/* The ledger has another entry under this id. */
	void (*mismatch)(uint64_t ticket, void *context);
};

struct lander_settings {
	size_t batch;
	size_t least; /* items that must wait before it takes new tickets */
	int64_t max_age;
	int64_t max_late;
	struct letter_rules letters; /* strings stay the caller's */
};

struct lander_counters {
	uint64_t batches, reports, folded, relapses, quarantined, repeats, unknown, halved;
};

struct lander *lander_new(struct loop *loop, struct pg *pg, struct lookup *lookup, struct tickets *tickets,
	const struct lander_settings *settings, const struct lander_calls *calls, void *context);
void lander_free(struct lander **lander);
void lander_settle(
	struct lander *lander, const struct lander_settings *settings); /* from the next batch on */
void lander_kick(struct lander *lander);   /* something changed that may let it go on */
void lander_resume(struct lander *lander); /* the lookup has answered what was asked for */
bool lander_is_idle(const struct lander *lander);
const struct lander_counters *lander_counters(const struct lander *lander);
void lander_counters_add(const struct lander_counters *counters, struct lander_counters *sum);

#endif
