#include "spool/scheduler.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

/* What one round gives to a source; the cost of an entry never falls below COST_LEAST, as small ones have a
 * price too. */
#define QUANTUM    INT64_C(65536)
#define COST_LEAST 2048
/* What one round of lanes gives to each: while all three have a backlog, they share 8 : 4 : 2. */
static const int64_t lane_quantum[LANES] = {8 * QUANTUM, 4 * QUANTUM, 2 * QUANTUM};

struct queue {
	struct scheduler_head head;
	bool known; /* head is valid */
	bool active;
	int64_t deficit;
	struct queue *next; /* ring of its lane */
};

struct ring {
	struct queue *tail; /* tail->next is whose turn it is */
	int64_t deficit;
};

struct scheduler {
	struct ring rings[LANES];
	struct map *queues;
	struct queue *chosen;
	size_t active;
	scheduler_head_fn *head;
	void *context;
};

struct scheduler *scheduler_new(scheduler_head_fn *head, void *context)
{
	struct scheduler *scheduler = mem_alloc(sizeof(*scheduler));

	scheduler->queues = map_new();
	scheduler->head = head;
	scheduler->context = context;
	return scheduler;
}

void scheduler_free(struct scheduler **scheduler)
{
	size_t cursor = 0;
	uint64_t source;
	void *queue;

	if (!*scheduler)
		return;
	while (map_next((*scheduler)->queues, &cursor, &source, &queue))
		free(queue);
	map_free(&(*scheduler)->queues);
	free(*scheduler);
	*scheduler = NULL;
}

static void ring_add(struct ring *ring, struct queue *queue)
{
	if (ring->tail) {
		queue->next = ring->tail->next;
		ring->tail->next = queue;
	} else {
		queue->next = queue;
	}
	ring->tail = queue;
}

static void ring_drop_first(struct ring *ring)
{
	struct queue *first = ring->tail->next;

	if (first == ring->tail)
		ring->tail = NULL;
	else
		ring->tail->next = first->next;
	first->next = NULL;
}

void scheduler_wake(struct scheduler *scheduler, uint32_t source, enum lane lane)
{
	struct queue *queue = map_get(scheduler->queues, source);

	if (!queue) {
		queue = mem_alloc(sizeof(*queue));
		map_put(scheduler->queues, source, queue);
	}
	queue->known = false;
	scheduler->chosen = NULL;
	if (queue->active)
		return;
	queue->head.source = source;
	queue->head.lane = lane;
	queue->active = true;
	queue->deficit = 0;
	ring_add(&scheduler->rings[lane], queue);
	scheduler->active++;
}

static int64_t cost(const struct queue *queue)
{
	return queue->head.size < COST_LEAST ? COST_LEAST : (int64_t)queue->head.size;
}

/* Learn the first entry; a source that has none leaves its ring and its credit. */
static bool queue_look(struct scheduler *scheduler, struct ring *ring, struct queue *queue)
{
	if (!queue->known)
		queue->known = scheduler->head(scheduler->context, queue->head.source, &queue->head);
	if (queue->known)
		return true;
	ring_drop_first(ring);
	queue->active = false;
	scheduler->active--;
	return false;
}

static struct queue *ring_turn(struct scheduler *scheduler, struct ring *ring)
{
	while (ring->tail) {
		struct queue *first = ring->tail->next;

		if (!queue_look(scheduler, ring, first))
			continue;
		if (first->deficit >= cost(first))
			return first;
		first->deficit += QUANTUM; /* to spend when its turn comes again */
		ring->tail = first;
	}
	return NULL;
}

static struct queue *choose(struct scheduler *scheduler)
{
	for (bool waiting = true; waiting;) {
		waiting = false;
		for (int lane = 0; lane < LANES; lane++) {
			struct ring *ring = &scheduler->rings[lane];

			if (ring->tail && ring->deficit > 0) {
				struct queue *queue = ring_turn(scheduler, ring);

				if (queue)
					return queue;
			}
			if (!ring->tail)
				ring->deficit = 0;
			waiting |= ring->tail != NULL;
		}
		for (int lane = 0; lane < LANES && waiting; lane++)
			if (scheduler->rings[lane].tail)
				scheduler->rings[lane].deficit += lane_quantum[lane];
	}
	return NULL;
}

bool scheduler_next(struct scheduler *scheduler, struct scheduler_head *head)
{
	if (!scheduler->chosen)
		scheduler->chosen = choose(scheduler);
	if (!scheduler->chosen)
		return false;
	*head = scheduler->chosen->head;
	return true;
}

void scheduler_take(struct scheduler *scheduler)
{
	struct queue *queue = scheduler->chosen;
	struct ring *ring;

	if (!queue)
		return;
	ring = &scheduler->rings[queue->head.lane];
	queue->deficit -= cost(queue);
	ring->deficit -= cost(queue);
	queue->known = false;
	scheduler->chosen = NULL;
}

size_t scheduler_active(const struct scheduler *scheduler)
{
	return scheduler->active;
}
