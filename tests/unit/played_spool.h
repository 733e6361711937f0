#ifndef PLAYED_SPOOL_H
#define PLAYED_SPOOL_H

#include "unit.h"

#include "ipc/edge_append.h"
#include "proc/channel.h"
#include "proc/loop.h"

/* A spool for tests of its clients: a channel of their own loop that keeps what it is given, and commits when
 * told to. */
#define KEPT_MAX 64

struct kept {
	uint32_t append;
	uint32_t source;
	enum format format;
	struct buf envelope;
	struct buf bytes;
	char owner[80];
	char value[4096];
	char also_owner[80];
	char also_value[4096];
	bool closed;
	bool committed;
	bool gone; /* refused, aborted or lost */
};

struct played_spool {
	struct loop *loop;
	struct channel *channel;
	uint32_t generation;
	struct kept kept[KEPT_MAX];
	size_t count;
	bool commits;   /* at once */
	unsigned asked; /* bookmarks */
};

/* The other end is the client's. */
int spool_start(struct played_spool *spool, struct loop *loop);
void spool_stop(struct played_spool *spool); /* what it has not committed is gone with it */
void spool_clear(struct played_spool *spool);
void spool_commit(struct played_spool *spool, struct kept *kept);
void spool_commit_all(struct played_spool *spool);
void spool_sources(struct played_spool *spool, struct source *sources, size_t count);
void spool_doors(struct played_spool *spool, bool open);
void turn(struct loop *loop); /* until all that can happen now has happened */

#endif
