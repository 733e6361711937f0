#include "intake/share.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "intake/bucket.h"

TAILQ_HEAD(waiters, share_waiter);

struct shares {
	struct loop *loop;
	struct map *by_source;
};

struct share {
	struct shares *shares;
	uint32_t source;
	unsigned connections;
	uint64_t on_way; /* bytes taken and not done */
	struct bucket lines;
	struct bucket bytes;
	struct waiters waiters;
	struct timer *timer;
};

struct shares *shares_new(struct loop *loop)
{
	struct shares *shares = mem_alloc(sizeof(*shares));

	shares->loop = loop;
	shares->by_source = map_new();
	return shares;
}

static void share_free(struct share *share)
{
	timer_free(&share->timer);
	free(share);
}

void shares_free(struct shares **shares)
{
	size_t cursor = 0;
	uint64_t key;
	void *value;

	if (!*shares)
		return;
	while (map_next((*shares)->by_source, &cursor, &key, &value))
		share_free(value);
	map_free(&(*shares)->by_source);
	free(*shares);
	*shares = NULL;
}

static void share_wake(void *context)
{
	struct share *share = context;
	struct waiters waiters = TAILQ_HEAD_INITIALIZER(waiters);
	struct share_waiter *waiter;

	/* Whoever still has to wait queues again behind the others. */
	TAILQ_CONCAT(&waiters, &share->waiters, link);
	while ((waiter = TAILQ_FIRST(&waiters))) {
		TAILQ_REMOVE(&waiters, waiter, link);
		waiter->queued = false;
		waiter->wake(waiter);
	}
}

void share_update(struct share *share, const struct source *source)
{
	int64_t now = clock_monotonic();

	bucket_set(&share->lines, source->max_lines, now);
	bucket_set(&share->bytes, source->max_bytes, now);
	if (!TAILQ_EMPTY(&share->waiters))
		timer_set(share->timer, 0);
}

size_t share_connections(const struct shares *shares, const struct source *source)
{
	const struct share *share = map_get(shares->by_source, source->id);

	return share ? share->connections : 0;
}

struct share *share_join(struct shares *shares, const struct source *source)
{
	struct share *share = map_get(shares->by_source, source->id);

	if (!share) {
		share = mem_alloc(sizeof(*share));
		share->shares = shares;
		share->source = source->id;
		TAILQ_INIT(&share->waiters);
		share->timer = timer_new(shares->loop, share_wake, share);
		map_put(shares->by_source, source->id, share);
	}
	share_update(share, source);
	share->connections++;
	return share;
}

/* Kept while bytes are on their way, so that their end finds it. */
static void share_release(struct share *share)
{
	if (share->connections > 0 || share->on_way > 0)
		return;
	map_remove(share->shares->by_source, share->source);
	share_free(share);
}

void share_leave(struct share *share, struct share_waiter *waiter)
{
	if (waiter->queued)
		TAILQ_REMOVE(&share->waiters, waiter, link);
	waiter->queued = false;
	share->connections--;
	share_release(share);
}

bool share_room(struct share *share, struct share_waiter *waiter, struct lineframe_most *most)
{
	int64_t now = clock_monotonic();
	uint64_t lines = bucket_room(&share->lines, now);
	uint64_t bytes = bucket_room(&share->bytes, now);
	uint64_t part = SHARE_BUDGET / map_count(share->shares->by_source);
	bool full = share->on_way > 0 && share->on_way + SHARE_BATCH > part;

	if (lines > 0 && bytes > 0 && !full) {
		most->bytes = bytes < SHARE_BATCH ? (size_t)bytes : SHARE_BATCH;
		most->lines = lines;
		return true;
	}
	if (!waiter->queued)
		TAILQ_INSERT_TAIL(&share->waiters, waiter, link);
	waiter->queued = true;
	if (!full) {
		int64_t wait = bucket_wait(&share->lines);
		int64_t wait_bytes = bucket_wait(&share->bytes);

		timer_set(share->timer, wait > wait_bytes ? wait : wait_bytes);
	}
	return false;
}

void share_charge(struct share *share, uint64_t bytes, uint64_t lines)
{
	bucket_take(&share->lines, lines);
	bucket_take(&share->bytes, bytes);
}

void share_begin(struct share *share, uint64_t bytes)
{
	share->on_way += bytes;
}

void share_done(struct share *share, uint64_t bytes)
{
	share->on_way -= bytes;
	if (!TAILQ_EMPTY(&share->waiters) && !timer_pending(share->timer))
		timer_set(share->timer, 0);
	share_release(share);
}
