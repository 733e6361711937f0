#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "spool/poison.h"
#include "spool/state.h"

/* The hand-out edge: which worker has which entry in hand, and what its death says about that. */

/* How long a lost worker's entries wait for word of how it ended. */
#define DEATH_WAIT (5 * CLOCK_SECOND)

/* An entry that the worker has not yet said to be done with; outlives the flight where the store was lost. */
struct hand {
	uint64_t ticket;
	uint64_t sequence;
	uint64_t credit; /* bytes of credit that come back with it */
};

struct worker {
	struct workers *workers;
	struct channel *channel; /* NULL: its edge has ended */
	unsigned instance;
	uint32_t generation;
	uint64_t credit_entries;
	uint64_t credit_bytes;
	struct hand *hands;
	size_t hand_count;
	size_t hand_cap;
	bool alone; /* has in hand what must not share a worker */
	struct handout_slot *slot;
	struct timer *patience;
	bool cause_known;
	struct control_death cause;
	struct worker *next;
};

struct workers {
	struct spool *spool;
	struct worker *list;
};

struct workers *workers_new(struct spool *spool)
{
	struct workers *workers = mem_alloc(sizeof(*workers));

	workers->spool = spool;
	return workers;
}

static void worker_free(struct worker *worker)
{
	channel_free(&worker->channel);
	timer_free(&worker->patience);
	if (worker->slot)
		munmap(worker->slot, sizeof(*worker->slot));
	free(worker->hands);
	free(worker);
}

static void worker_remove(struct worker *worker)
{
	struct worker **link = &worker->workers->list;

	while (*link != worker)
		link = &(*link)->next;
	*link = worker->next;
	worker_free(worker);
}

void workers_free(struct workers **workers)
{
	if (!*workers)
		return;
	while ((*workers)->list)
		worker_remove((*workers)->list);
	free(*workers);
	*workers = NULL;
}

/* ---- a worker's end ---- */

/* The hand that the slot points at; a worker may only speak of what it was given. */
static const struct hand *hand_at_fault(const struct worker *worker, const struct handout_slot *slot)
{
	for (size_t i = 0; i < worker->hand_count; i++)
		if (slot->ticket != 0 && worker->hands[i].ticket == slot->ticket)
			return &worker->hands[i];
	/* It said nothing, but there was nothing else it could have been. */
	return slot->ticket != SLOT_ELSEWHERE && worker->alone && worker->hand_count == 1 ? &worker->hands[0]
	                                                                                  : NULL;
}

static void blame(
	struct worker *worker, const struct hand *hand, const struct handout_slot *slot, enum death death)
{
	struct spool *spool = worker->workers->spool;
	struct arena *arena = arena_new(4096);
	bool named = slot->ticket == hand->ticket;
	struct str stage = named ? poison_stage(slot, arena) : STR_NONE;
	uint32_t item = named ? slot->item : POISON_ITEM_UNKNOWN;
	struct str bytes = STR_NONE;
	struct buf record = {0};
	struct poison poison;
	char text[64];
	bool counted;

	entry_store_poison(spool->store, hand->sequence, &bytes);
	if (!poison_decode(arena_str(arena, bytes), arena, &poison))
		poison = (struct poison){.item = POISON_ITEM_UNKNOWN};
	entry_store_unread(spool->store);
	death_text(&worker->cause, text);
	counted = poison_count(&poison, death, item, stage, arena_printf(arena, "worker %s", text), arena);
	if (counted)
		spool->counters.poison++;
	log_warn("worker %u %s with entry %llu at item %lld, stage \"" STR_FMT "\"%s", worker->instance, text,
		(unsigned long long)hand->sequence, named ? (long long)item : -1LL, STR_ARG(stage),
		counted ? "" : ": not held against the entry");
	poison_encode(&poison, &record);
	entry_store_put_poison(spool->store, hand->sequence, buf_view(&record));
	buf_free(&record);
	arena_free(&arena);
}

/* Everything in hand is offered again, unless the store was lost meanwhile and that has happened already. */
static void hands_return(struct worker *worker)
{
	struct spool *spool = worker->workers->spool;

	for (size_t i = 0; worker->hands && i < worker->hand_count; i++) {
		struct flight *flight = backlog_flight(spool->backlog, worker->hands[i].ticket);

		if (!flight || flight->landed)
			continue;
		holding_forget(spool->holding, flight->ticket);
		backlog_return(spool->backlog, flight);
		spool->counters.re_offered++;
	}
}

static void worker_end(struct worker *worker)
{
	struct spool *spool = worker->workers->spool;
	enum death death = death_of(&worker->cause);
	struct handout_slot slot = {0};
	const struct hand *hand;

	if (worker->slot)
		memcpy(&slot, worker->slot, sizeof(slot));
	hand = hand_at_fault(worker, &slot);
	if (hand && death != DEATH_OURS) {
		blame(worker, hand, &slot, death);
		/* What is tried next must not be forgotten with us. */
		spool_commit_now(spool);
	}
	hands_return(worker);
	worker_remove(worker);
	spool_pump_soon(spool);
}

static void worker_patience(void *context)
{
	struct worker *worker = context;

	log_warn("no word of how worker %u ended", worker->instance);
	worker->cause = (struct control_death){.signal = 9};
	worker_end(worker);
}

static void worker_closed(struct channel *channel, const char *why, void *context)
{
	struct worker *worker = context;

	(void)channel;
	log_info("hand-out edge to worker %u ended with %zu entries in hand: %s", worker->instance,
		worker->hand_count, why ? why : "closed");
	channel_free(&worker->channel);
	if (worker->cause_known || worker->hand_count == 0)
		worker_end(worker);
	else
		timer_set(worker->patience, DEATH_WAIT);
}

void workers_death(struct workers *workers, const struct control_death *death)
{
	struct worker *worker = workers->list;

	while (worker && (worker->instance != death->instance || worker->generation != death->generation))
		worker = worker->next;
	if (!worker)
		return;
	worker->cause = *death;
	worker->cause_known = true;
	/* With its edge still open, there may be things in it that it did before: its end comes after them.
	 */
	if (!worker->channel)
		worker_end(worker);
}

/* ---- frames ---- */

static void hand_done(struct worker *worker, uint64_t ticket)
{
	for (size_t i = 0; i < worker->hand_count; i++) {
		struct hand *hand = &worker->hands[i];

		if (hand->ticket != ticket)
			continue;
		worker->credit_entries++;
		worker->credit_bytes += hand->credit;
		*hand = worker->hands[--worker->hand_count];
		if (worker->hand_count == 0)
			worker->alone = false;
		spool_pump_soon(worker->workers->spool);
		return;
	}
}

/* The room with the keys ended with a part of it in hand: as if somebody had killed the worker. */
static void blame_sealed(struct spool *spool, uint64_t sequence)
{
	struct arena *arena = arena_new(4096);
	struct str bytes = STR_NONE;
	struct buf record = {0};
	struct poison poison;

	entry_store_poison(spool->store, sequence, &bytes);
	if (!poison_decode(arena_str(arena, bytes), arena, &poison))
		poison = (struct poison){.item = POISON_ITEM_UNKNOWN};
	entry_store_unread(spool->store);
	if (poison_count(&poison, DEATH_KILLED, 0, STR("keys"), STR("the room keys ended"), arena))
		spool->counters.poison++;
	poison_encode(&poison, &record);
	entry_store_put_poison(spool->store, sequence, buf_view(&record));
	spool_commit_now(spool);
	buf_free(&record);
	arena_free(&arena);
}

/* It comes back by HANDOUT_UNSEALED; the store learns then under which ticket. */
static void hand_sealed(struct worker *worker, uint64_t ticket, bool lost)
{
	struct spool *spool = worker->workers->spool;
	struct flight *flight = NULL;

	for (size_t i = 0; i < worker->hand_count; i++)
		if (worker->hands[i].ticket == ticket)
			flight = backlog_flight(spool->backlog, ticket);
	hand_done(worker, ticket);
	if (!flight || flight->landed || flight->sealed)
		return;
	holding_forget(spool->holding, ticket);
	if (lost)
		blame_sealed(spool, flight->sequence);
	if (backlog_sealed(spool->backlog) == 0)
		log_warn("entry %llu waits sealed, and what needs the keys after it: the keyring is locked "
			 "or not "
			 "there",
			(unsigned long long)flight->sequence);
	backlog_seal(spool->backlog, flight);
}

static void unseal(struct spool *spool)
{
	size_t count = backlog_unseal_all(spool->backlog);

	if (count == 0)
		return;
	log_info("%zu sealed entries are offered again", count);
	spool_pump_soon(spool);
}

static void worker_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct worker *worker = context;
	uint32_t entries;
	uint64_t bytes;
	uint64_t ticket;
	bool lost;

	if (frame->type == HANDOUT_CREDIT && handout_credit_decode(frame->body, &entries, &bytes)) {
		worker->credit_entries += entries;
		worker->credit_bytes += bytes;
		spool_pump_soon(worker->workers->spool);
	} else if (frame->type == HANDOUT_DONE && handout_done_decode(frame->body, &ticket)) {
		hand_done(worker, ticket);
	} else if (frame->type == HANDOUT_SEALED && handout_sealed_decode(frame->body, &ticket, &lost)) {
		hand_sealed(worker, ticket, lost);
	} else if (frame->type == HANDOUT_UNSEALED && frame->body.len == 0) {
		unseal(worker->workers->spool);
	} else {
		channel_break(channel, "a frame that is not of the hand-out edge");
	}
}

/* Shared memory that nobody can shrink under us. */
static bool slot_make(struct worker *worker, int *fd, struct err *err)
{
	void *memory;

	*fd = memfd_create("slot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return err_errno(err, "cannot make a slot");
	if (ftruncate(*fd, sizeof(struct handout_slot)) != 0 ||
		fcntl(*fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
		err_errno(err, "cannot size a slot");
		fd_close(fd);
		return false;
	}
	memory = mmap(NULL, sizeof(struct handout_slot), PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (memory == MAP_FAILED) {
		err_errno(err, "cannot map a slot");
		fd_close(fd);
		return false;
	}
	worker->slot = memory;
	return true;
}

void workers_edge(struct workers *workers, unsigned instance, uint32_t generation, int fd)
{
	struct loop *loop = room_loop(workers->spool->room);
	struct worker *worker = mem_alloc(sizeof(*worker));
	struct err err;
	int slot;

	worker->workers = workers;
	worker->instance = instance;
	worker->generation = generation;
	worker->channel = channel_new(loop, fd, HANDOUT_VERSION, worker_frame, worker_closed, worker);
	worker->patience = timer_new(loop, worker_patience, worker);
	worker->next = workers->list;
	workers->list = worker;
	if (slot_make(worker, &slot, &err))
		channel_send_fds(worker->channel, HANDOUT_SLOT, STR_NONE, &slot, 1);
	else
		log_error("worker %u works without a slot: %s", instance, err.text);
}

/* ---- giving ---- */

static bool can_take(const struct worker *worker, uint64_t size, bool alone)
{
	if (!worker->channel || worker->cause_known || worker->alone || worker->credit_entries == 0)
		return false;
	if (worker->hand_count == 0)
		return true;
	return !alone && worker->credit_bytes >= size;
}

static struct worker *best_worker(const struct workers *workers, uint64_t size, bool alone)
{
	struct worker *best = NULL;

	for (struct worker *worker = workers->list; worker; worker = worker->next)
		if (can_take(worker, size, alone) && (!best || worker->hand_count < best->hand_count))
			best = worker;
	return best;
}

bool workers_ready(const struct workers *workers, uint64_t size, bool alone)
{
	return best_worker(workers, size, alone) != NULL;
}

uint16_t workers_best(const struct workers *workers, uint64_t size, bool alone)
{
	return (uint16_t)best_worker(workers, size, alone)->instance;
}

static void hand_add(struct worker *worker, const struct flight *flight)
{
	/* An entry larger than all credit is given to a worker with nothing else in hand. */
	uint64_t credit = flight->size < worker->credit_bytes ? flight->size : worker->credit_bytes;

	if (worker->hand_count == worker->hand_cap) {
		worker->hand_cap = worker->hand_cap ? worker->hand_cap * 2 : 8;
		worker->hands = mem_resize(worker->hands, worker->hand_cap * sizeof(*worker->hands));
	}
	worker->hands[worker->hand_count++] = (struct hand){flight->ticket, flight->sequence, credit};
	worker->credit_entries--;
	worker->credit_bytes -= credit;
}

void workers_give(struct workers *workers, const struct flight *flight, const struct record *record,
	struct str bytes, const struct poison *poison)
{
	bool alone = poison->crashes > 0;
	struct worker *worker = best_worker(workers, flight->size, alone);
	struct handout_entry entry = {
		.ticket = flight->ticket,
		.format = record->entry.format,
		.envelope = record->entry.envelope,
		.leave_out = poison->leave_out,
		.leave_out_count = poison->leave_out_count,
		.inlined = bytes.len <= HANDOUT_INLINE,
		.bytes = bytes,
	};

	hand_add(worker, flight);
	worker->alone = alone;
	if (entry.inlined) {
		handout_entry_encode(&entry, channel_begin(worker->channel));
		channel_end(worker->channel, HANDOUT_ENTRY);
	} else {
		struct buf body = {0};
		struct err err;
		int fd;

		if (!fd_memory("entry", bytes, &fd, &err))
			room_fail(workers->spool->room, &err);
		handout_entry_encode(&entry, &body);
		channel_send_fds(worker->channel, HANDOUT_ENTRY, buf_view(&body), &fd, 1);
		buf_free(&body);
	}
}

size_t workers_count(const struct workers *workers)
{
	size_t count = 0;

	for (const struct worker *worker = workers->list; worker; worker = worker->next)
		count += worker->channel != NULL;
	return count;
}

size_t workers_hands(const struct workers *workers)
{
	size_t count = 0;

	for (const struct worker *worker = workers->list; worker; worker = worker->next)
		count += worker->hand_count;
	return count;
}
