#ifndef PROC_APPENDER_H
#define PROC_APPENDER_H

#include "ipc/edge_append.h"
#include "proc/channel.h"
#include "proc/loop.h"

/*
 * A door's end of the append edge: entries out, acknowledgements in. It outlives its edges: when the spool is
 * lost, every append and question still open ends with ERR_UNCERTAIN (what became of it is the bookmark's to
 * tell), and a new edge carries on. Until the first source table has come, and while the spool's doors are
 * closed, appender_state() says so.
 */
struct appender;

/* A new edge comes with the spool's restart. If none does, something is wrong that only a restart of this
 * room mends. */
#define APPENDER_PATIENCE INT64_C(20000000)

/* Any of these may be NULL. */
struct appender_calls {
	void (*sources)(const struct source_table *table, void *context); /* new; valid until the next */
	void (*doors)(void *context);   /* what appender_state() says has changed */
	void (*drained)(void *context); /* the queue to the spool is empty again */
};

enum appender_state {
	APPENDER_AWAY,   /* no spool, or it has not said which sources there are */
	APPENDER_CLOSED, /* the spool is full */
	APPENDER_OPEN
};

/* The end of an append, once: committed is NULL where it failed, and then err says how. */
typedef void append_done_fn(const struct append_committed *committed, const struct err *err, void *context);
/* A bookmark's value; p NULL: there is none. err NULL unless the answer did not come. */
typedef void append_bookmark_fn(struct str value, const struct err *err, void *context);

/* What the spool says of itself; state NULL: the answer did not come, and err says why. Valid during the
 * call. */
typedef void append_state_fn(const struct append_state *state, const struct err *err, void *context);

/* Where an entry is; found NULL: the answer did not come, and err says why. Valid during the call. */
typedef void append_found_fn(const struct append_found *found, const struct err *err, void *context);

struct appender *appender_new(struct loop *loop, const struct appender_calls *calls, void *context);
void appender_free(struct appender **appender); /* open appends get no call */
void appender_edge(struct appender *appender, uint32_t generation,
	int fd); /* takes fd; an older generation is dropped */
enum appender_state appender_state(const struct appender *appender);
bool appender_has_edge(const struct appender *appender);
const struct source_table *appender_sources(
	const struct appender *appender); /* never NULL; empty before the first */
size_t appender_queued(
	const struct appender *appender); /* bytes waiting for the spool: readers pause on it */

/* open->append is chosen here. Each returns the append's number; 0, with no call, where the spool is away. */
uint32_t appender_whole(struct appender *appender, struct append_open *open, const struct append_close *close,
	struct str bytes, append_done_fn *done, void *context);
uint32_t appender_begin(
	struct appender *appender, struct append_open *open, append_done_fn *done, void *context);
void appender_bytes(struct appender *appender, uint32_t append, struct str bytes); /* of any length */
void appender_commit(struct appender *appender, uint32_t append, const struct append_close *close);
void appender_abort(struct appender *appender, uint32_t append);  /* no call any more */
void appender_forget(struct appender *appender, uint32_t append); /* let it commit, but no call any more */
uint32_t appender_bookmark(
	struct appender *appender, struct str owner, append_bookmark_fn *call, void *context);
uint32_t appender_ask(struct appender *appender, append_state_fn *call, void *context); /* desk */
uint32_t appender_find(
	struct appender *appender, uint64_t sequence, append_found_fn *call, void *context); /* desk */

#endif
