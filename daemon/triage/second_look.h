#ifndef TRIAGE_SECOND_LOOK_H
#define TRIAGE_SECOND_LOOK_H

#include "ipc/edge_items.h"
#include "proc/channel.h"
#include "triage/examiner.h"

/*
 * Bytes that landed long ago, looked at again with the rules of today: read by the readers of an entry, so
 * that a rule sees what it would have seen then; no plugins, and nothing comes of it but which rules matched
 * where. One piece at a time waits here, behind the entries.
 */
struct second_look;

struct second_look_calls {
	/* As of the examiner; NULL: nobody opens what is sealed. What would have to wait counts as not
	 * opened. */
	void (*open)(const struct sealed *sealed, struct arena *arena, struct unsealed *unsealed, bool *lost,
		void *context);
	void (*alive)(void *context);
	void *context;
};

/* All that is given stays the caller's and must outlive it. */
struct second_look *second_look_new(struct rule_set *rules, struct slot *slot, struct item_limit *limit,
	const struct second_look_calls *calls);
void second_look_free(struct second_look **look);
struct examiner *second_look_examiner(struct second_look *look); /* to be limited as the other */
/* Of an ITEMS_SCAN; takes fd. False: not what was expected, or one waits already. */
bool second_look_put(struct second_look *look, struct str body, int fd, struct err *err);
bool second_look_waits(const struct second_look *look);
/* It has waited so long that an entry may wait for it. */
bool second_look_is_due(const struct second_look *look);
/* Look at what waits, and answer. */
void second_look_run(struct second_look *look, struct channel *store);
/* Give it back: this worker ends. store may be NULL: forget it. */
void second_look_return(struct second_look *look, struct channel *store);

#endif
