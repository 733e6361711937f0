#include "store/store.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "ipc/edge_items.h"
#include "store/accounts.h"
#include "store/lander.h"
#include "store/rescan.h"

/* Findings for tickets that the spool has not named may wait for it, up to that much of each worker. */
#define UNHELD_LIMIT (64u << 20)
#define TICK         (2 * CLOCK_SECOND)
#define DRAIN_LIMIT  (10 * CLOCK_SECOND)

struct worker {
	struct worker *next;
	struct store *store;
	struct channel *channel;
	uint16_t instance;
	bool broken; /* it said more than it was given */
};

/* The first berth lands whatever there is; the others only what makes a full batch, so that they help under
 * load, and a quiet database sees one writer. */
#define BERTHS_MAX 8

/* One connection and what lands over it. Each has a lookup of its own, so that nothing changes under a
 * transaction that runs. */
struct berth {
	struct store *store;
	struct pg *pg;
	struct lookup *lookup;
	struct lander *lander;
};

struct store {
	struct room *room;
	struct tickets *tickets;
	struct berth berths[BERTHS_MAX];
	size_t berth_count;
	struct accounts *accounts; /* over the first berth's connection */
	struct rescan *rescan;
	struct channel *spool;
	uint8_t spool_id[UUID_LEN];
	int64_t timeline; /* 0 = not known */
	struct worker *workers;
	struct timer *tick;
	bool draining;
	int64_t drain_until; /* monotonic */
};

/* To the spool */

static void on_released(const uint64_t *numbers, size_t count, void *context)
{
	struct store *store = context;
	if (!store->spool || !count)
		return;
	holding_tickets_encode(numbers, count, channel_begin(store->spool));
	channel_end(store->spool, HOLDING_RELEASED);
}

static void send_ticket(struct store *store, enum holding_type type, uint64_t number)
{
	if (!store->spool)
		return;
	pack_u64(channel_begin(store->spool), number);
	channel_end(store->spool, (uint16_t)type);
}

static void on_wanted(uint64_t number, void *context)
{
	send_ticket(context, HOLDING_WANT, number);
}

static void on_mismatch(uint64_t number, void *context)
{
	send_ticket(context, HOLDING_MISMATCH, number);
}

static void send_sources(struct store *store)
{
	const struct source_table *table = lookup_sources(store->berths[0].lookup);
	if (!store->spool || !table->count)
		return;
	source_table_encode(table, channel_begin(store->spool));
	channel_end(store->spool, HOLDING_SOURCES);
}

static void send_timeline(struct store *store)
{
	if (!store->spool || !store->timeline)
		return;
	pack_u32(channel_begin(store->spool), (uint32_t)store->timeline);
	channel_end(store->spool, HOLDING_TIMELINE);
}

/* The database */

static bool berth_is_first(const struct berth *berth)
{
	return berth == berth->store->berths;
}

static void on_sources(const struct source_table *table, void *context)
{
	struct berth *berth = context;
	(void)table;
	if (berth_is_first(berth))
		send_sources(berth->store);
}

static void on_ready(void *context)
{
	struct berth *berth = context;
	lander_resume(berth->lander);
}

static void on_timeline(struct pg *pg, const struct pg_result *result, void *context)
{
	struct store *store = context;
	(void)pg;
	if (result->outcome != PG_DONE)
		return;
	store->timeline = pg_value_int(result, 0, 0);
	send_timeline(store);
}

static void on_state(struct pg *pg, bool up, const char *why, void *context)
{
	struct berth *berth = context;
	struct store *store = berth->store;
	if (up)
		lookup_reload(berth->lookup);
	if (!berth_is_first(berth))
		return;
	if (!up) {
		log_warn_f(LOG_F({"reason", why}), "the database is away; entries wait in the spool");
		return;
	}
	log_info("the database is there");
	pg_query(pg, "SELECT timeline()", NULL, 0, false, on_timeline, store);
	accounts_write(store->accounts);
}

static void on_changed(struct pg *pg, const char *channel, const char *payload, void *context)
{
	struct berth *berth = context;
	(void)pg;
	(void)channel;
	(void)payload;
	lookup_poll(berth->lookup);
}

static struct lander_settings berth_settings(const struct berth *berth)
{
	const struct conf *conf = room_conf(berth->store->room);
	return (struct lander_settings){
		.batch = conf->store_batch,
		.least = berth_is_first(berth) ? 0 : conf->store_batch,
		.max_age = (int64_t)conf->fold_max_age,
		.max_late = (int64_t)conf->max_late,
		.letters = {.key = room_grant(berth->store->room, "reply.key"),
			.tag = conf->reply_tag,
			.sender_limit = (int64_t)conf->spam_sender,
			.domain_limit = (int64_t)conf->spam_domain,
			.span = (int64_t)conf->spam_window,
			.acknowledge = conf->acknowledge},
	};
}

/* Draining: what is complete lands; what is not stays in the spool. */
static void store_check_drained(struct store *store)
{
	if (!store->draining)
		return;
	bool idle = accounts_are_written(store->accounts) && !tickets_count(store->tickets);
	for (size_t i = 0; i < store->berth_count; i++)
		idle = idle && lander_is_idle(store->berths[i].lander);
	if (idle || !pg_is_up(store->berths[0].pg) || clock_monotonic() > store->drain_until) {
		store->draining = false;
		room_drained(store->room);
	}
}

static void berth_tick(struct berth *berth)
{
	if (!pg_is_up(berth->pg))
		return;
	if (lookup_is_ready(berth->lookup))
		lookup_poll(berth->lookup);
	else if (!pg_queued(berth->pg))
		lookup_reload(berth->lookup);
	if (berth_is_first(berth))
		accounts_write(berth->store->accounts);
	lander_resume(berth->lander);
}

static void on_tick(void *context)
{
	struct store *store = context;
	timer_set(store->tick, TICK);
	for (size_t i = 0; i < store->berth_count; i++)
		berth_tick(&store->berths[i]);
	rescan_kick(store->rescan);
	store_check_drained(store);
}

/* From triage */

/* What it may still say something about; NULL is no reason to break with it: a ticket may have been taken
 * back while it was at it. */
static struct ticket *worker_ticket(struct worker *worker, uint64_t number)
{
	struct ticket *ticket = tickets_claim(worker->store->tickets, number, worker->instance, worker);
	return ticket && !ticket->complete && !ticket->landing && !ticket->poison ? ticket : NULL;
}

static void worker_check(struct worker *worker, const struct ticket *ticket)
{
	if (ticket->held || tickets_unheld(worker->store->tickets, worker) <= UNHELD_LIMIT)
		return;
	worker->broken = true;
	channel_break(worker->channel, "too much for tickets that nobody gave it");
}

static void keep_piece(struct worker *worker, uint64_t number, bool last, struct str finding)
{
	struct err err;
	struct ticket *ticket = worker_ticket(worker, number);
	if (!ticket)
		return;
	ticket->complete = last;
	if (!ticket_piece(ticket, finding, &err))
		ticket_refuse(ticket, STR("triage"), str_of(err.text));
	worker_check(worker, ticket);
}

/* A large finding stands in a memory file beside the frame. */
static void take_piece(struct worker *worker, const struct frame *frame)
{
	uint64_t number;
	bool last;
	struct str finding;
	struct str mapped = STR_NONE;
	struct err err;
	if (!items_piece_decode(frame->body, &number, &last, &finding)) {
		channel_break(worker->channel, "a malformed piece");
		return;
	}
	if (frame->fd_count > 0 && !fd_map(frame->fds[0], true, &mapped, &err)) {
		channel_break(worker->channel, err.text);
		return;
	}
	keep_piece(worker, number, last, frame->fd_count > 0 ? mapped : finding);
	fd_unmap(&mapped);
}

static void take_refusal(struct worker *worker, struct str body)
{
	uint64_t number;
	struct str stage, reason;
	if (!items_refused_decode(body, &number, &stage, &reason)) {
		channel_break(worker->channel, "a malformed refusal");
		return;
	}
	struct ticket *ticket = worker_ticket(worker, number);
	if (!ticket)
		return;
	ticket_refuse(ticket, stage, reason);
	worker_check(worker, ticket);
}

/* Go on with a ticket about which something was said. */
static void ticket_said(struct store *store, uint64_t number)
{
	struct ticket *ticket = tickets_find(store->tickets, number);
	if (!ticket)
		return;
	if (ticket->held && ticket->refused && !ticket->poison && !ticket->wanted) {
		ticket->wanted = true;
		on_wanted(number, store);
	}
	tickets_queue(store->tickets, ticket);
	for (size_t i = 0; i < store->berth_count; i++)
		lander_kick(store->berths[i].lander);
}

/* To the worker that came last: it has the newest rules. */
static const void *on_scan(const struct items_scan *scan, void *context)
{
	struct store *store = context;
	struct worker *worker = store->workers;
	struct buf body = {0};
	struct err err;
	int fd;
	if (!worker)
		return NULL;
	if (scan->inlined) {
		items_scan_encode(scan, channel_begin(worker->channel));
		channel_end(worker->channel, ITEMS_SCAN);
		return worker;
	}
	if (!fd_memory("evidence", scan->bytes, &fd, &err))
		room_fail(store->room, &err);
	items_scan_encode(scan, &body);
	channel_send_fds(worker->channel, ITEMS_SCAN, buf_view(&body), &fd, 1);
	buf_free(&body);
	return worker;
}

static void on_items(struct channel *channel, struct frame *frame, void *context)
{
	struct worker *worker = context;
	struct unpack in = {.rest = frame->body};
	uint64_t number = unpack_u64(&in);
	switch (frame->type) {
	case ITEMS_PIECE:
		take_piece(worker, frame);
		break;
	case ITEMS_REFUSED:
		take_refusal(worker, frame->body);
		break;
	case ITEMS_SCANNED:
		if (!rescan_answer(worker->store->rescan, worker, frame->body))
			channel_break(channel, "an answer that nobody asked for");
		return;
	default:
		channel_break(channel, "a frame of no known type");
		return;
	}
	ticket_said(worker->store, number);
}

static void worker_free(struct store *store, struct worker *worker)
{
	struct worker **at = &store->workers;
	while (*at != worker)
		at = &(*at)->next;
	*at = worker->next;
	channel_free(&worker->channel);
	tickets_worker_lost(store->tickets, worker, worker->broken);
	rescan_lost(store->rescan, worker);
	free(worker);
}

static void on_items_closed(struct channel *channel, const char *why, void *context)
{
	struct worker *worker = context;
	(void)channel;
	log_debug_f(LOG_F({"reason", why}), "a triage worker went");
	worker_free(worker->store, worker);
}

/* From the spool */

static void take_epoch(struct store *store, struct str body)
{
	struct holding_epoch epoch;
	if (!holding_epoch_decode(body, &epoch)) {
		channel_break(store->spool, "a malformed epoch");
		return;
	}
	memcpy(store->spool_id, epoch.spool, UUID_LEN);
	tickets_epoch(store->tickets, epoch.first_ticket);
}

static void take_held(struct store *store, struct str body)
{
	struct holding_held held;
	if (!holding_held_decode(body, &held)) {
		channel_break(store->spool, "a malformed holding");
		return;
	}
	if (tickets_hold(store->tickets, &held))
		ticket_said(store, held.ticket);
}

static void take_poison(struct store *store, struct frame *frame)
{
	struct holding_poison poison;
	struct err err;
	if (!holding_poison_decode(frame->body, &poison) || (!poison.inlined && frame->fd_count != 1)) {
		channel_break(store->spool, "a malformed poison entry");
		return;
	}
	struct str bytes = poison.bytes;
	if (!poison.inlined && !fd_map(frame->fds[0], true, &bytes, &err)) {
		channel_break(store->spool, err.text);
		return;
	}
	struct ticket *ticket = tickets_hold(store->tickets, &poison.held);
	if (!ticket || ticket->landing || ticket->poison) {
		if (!poison.inlined)
			fd_unmap(&bytes);
		return;
	}
	ticket_poison(ticket, &poison, bytes, !poison.inlined);
	ticket_said(store, poison.held.ticket);
}

static void take_forget(struct store *store, struct str body)
{
	struct unpack in = {.rest = body};
	uint64_t number = unpack_u64(&in);
	struct ticket *ticket = tickets_find(store->tickets, number);
	if (!unpack_end(&in))
		channel_break(store->spool, "a malformed ticket");
	else if (ticket && !ticket->landing)
		tickets_drop(store->tickets, ticket);
}

static void take_books(struct store *store, struct str body)
{
	struct arena *arena = arena_new(4096);
	struct book *said;
	uint64_t upto;
	size_t count;
	if (holding_books_decode(body, arena, &upto, &said, &count))
		accounts_say(store->accounts, store->spool_id, upto, said, count);
	else
		channel_break(store->spool, "malformed books");
	arena_free(&arena);
}

static void on_holding(struct channel *channel, struct frame *frame, void *context)
{
	struct store *store = context;
	switch (frame->type) {
	case HOLDING_EPOCH:
		take_epoch(store, frame->body);
		return;
	case HOLDING_HELD:
		take_held(store, frame->body);
		return;
	case HOLDING_POISON:
		take_poison(store, frame);
		return;
	case HOLDING_FORGET:
		take_forget(store, frame->body);
		return;
	case HOLDING_BOOKS:
		take_books(store, frame->body);
		return;
	default:
		channel_break(channel, "a frame of no known type");
	}
}

static void on_spool_closed(struct channel *channel, const char *why, void *context)
{
	struct store *store = context;
	(void)channel;
	log_debug_f(LOG_F({"reason", why}), "the spool went");
	channel_free(&store->spool);
}

/* The room */

static void store_plan(struct room *room, struct sandbox *plan)
{
	static const char *const resolver[] = {
		"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services"};
	(void)room;
	for (size_t i = 0; i < ARRAY_LEN(resolver); i++)
		sandbox_allow(plan, resolver[i], SANDBOX_READ);
	plan->unix_sockets = true;
	plan->inet_connect = true;
}

static void rescan_open(struct store *store)
{
	static const char *const on_connect[] = {"SELECT set_config('cirt.actor', 'store', false)", NULL};
	struct pg_settings settings = {
		.conninfo = room_grant(store->room, "db.conninfo"),
		.user = STR("cirt_store"),
		.password = room_grant(store->room, "db.password"),
		.search_path = STR("cirt, pg_temp"),
		.schema = PG_SCHEMA,
		.name = "cirtd store, scanning again",
		.on_connect = on_connect,
	};
	store->rescan = rescan_new(room_loop(store->room), &settings, on_scan, store);
}

static void berth_open(struct berth *berth)
{
	/* A batch reads and writes by key only; without statistics on its arrays the planner would turn to
	 * whole tables (trap 14). */
	static const char *const on_connect[] = {"SET enable_hashjoin = off", "SET enable_mergejoin = off",
		"SET enable_seqscan = off", "SET plan_cache_mode = 'force_generic_plan'",
		"SELECT set_config('cirt.actor', 'store', false)", NULL};
	static const struct lander_calls calls = {on_released, on_wanted, on_mismatch};
	struct room *room = berth->store->room;
	struct pg_settings settings = {
		.conninfo = room_grant(room, "db.conninfo"),
		.user = STR("cirt_store"),
		.password = room_grant(room, "db.password"),
		.search_path = STR("cirt, pg_temp"),
		.schema = PG_SCHEMA,
		.name = "cirtd store",
		.on_connect = on_connect,
	};
	struct lander_settings lander = berth_settings(berth);
	berth->pg = pg_new(room_loop(room), &settings, on_state, berth);
	pg_listen(berth->pg, "cirt_changed", on_changed, berth);
	berth->lookup = lookup_new(berth->pg, room_conf(room)->node, on_sources, on_ready, berth);
	berth->lander = lander_new(room_loop(room), berth->pg, berth->lookup, berth->store->tickets, &lander,
		&calls, berth->store);
}

static bool store_start(struct room *room, struct err *err)
{
	struct store *store = mem_alloc(sizeof *store);
	(void)err;
	room_set_state(room, store);
	store->room = room;
	store->tickets = tickets_new();
	store->berth_count = room_conf(room)->store_connections;
	for (size_t i = 0; i < store->berth_count; i++) {
		store->berths[i].store = store;
		berth_open(&store->berths[i]);
	}
	store->accounts = accounts_new(store->berths[0].pg);
	rescan_open(store);
	store->tick = timer_new(room_loop(room), on_tick, store);
	timer_set(store->tick, TICK);
	return true;
}

static void store_edge(struct room *room, enum edge_kind kind, enum room_id peer, unsigned instance,
	uint32_t generation, int fd)
{
	struct store *store = room_state(room);
	(void)peer;
	(void)generation;
	if (kind == EDGE_HOLDING) {
		channel_free(&store->spool);
		store->spool =
			channel_new(room_loop(room), fd, HOLDING_VERSION, on_holding, on_spool_closed, store);
		send_timeline(store);
		send_sources(store);
		return;
	}
	/* One of that instance before it may have left something unread behind: its edge is read to its end.
	 */
	struct worker *worker = mem_alloc(sizeof *worker);
	worker->store = store;
	worker->instance = (uint16_t)instance;
	worker->channel = channel_new(room_loop(room), fd, ITEMS_VERSION, on_items, on_items_closed, worker);
	worker->next = store->workers;
	store->workers = worker;
	rescan_kick(store->rescan);
}

static void store_reload(struct room *room, const struct conf *old)
{
	struct store *store = room_state(room);
	(void)old;
	for (size_t i = 0; i < store->berth_count; i++) {
		struct lander_settings settings = berth_settings(&store->berths[i]);
		lander_settle(store->berths[i].lander, &settings);
	}
}

static void store_drain(struct room *room)
{
	struct store *store = room_state(room);
	store->draining = true;
	rescan_end(store->rescan);
	store->drain_until = clock_monotonic() + DRAIN_LIMIT;
	accounts_write(store->accounts);
	timer_set(store->tick, 0);
}

static void store_count(struct room *room)
{
	struct store *store = room_state(room);
	struct lander_counters sum = {0};
	for (size_t i = 0; i < store->berth_count; i++)
		lander_counters_add(lander_counters(store->berths[i].lander), &sum);
	room_counter(room, "batches", sum.batches);
	room_counter(room, "reports", sum.reports + sum.folded);
	room_counter(room, "new", sum.reports);
	room_counter(room, "folded", sum.folded);
	room_counter(room, "relapses", sum.relapses);
	room_counter(room, "quarantined", sum.quarantined);
	room_counter(room, "repeats", sum.repeats);
	room_counter(room, "unknown", sum.unknown);
	room_counter(room, "halved", sum.halved);
	room_counter(room, "db_up", pg_is_up(store->berths[0].pg));
	room_counter(room, "queue", tickets_count(store->tickets));
	store_check_drained(store);
}

static void store_stop(struct room *room)
{
	struct store *store = room_state(room);
	while (store->workers)
		worker_free(store, store->workers);
	channel_free(&store->spool);
	timer_free(&store->tick);
	for (size_t i = 0; i < store->berth_count; i++) {
		pg_free(&store->berths[i].pg);
		lander_free(&store->berths[i].lander);
		lookup_free(&store->berths[i].lookup);
	}
	rescan_free(&store->rescan);
	accounts_free(&store->accounts);
	tickets_free(&store->tickets);
	free(store);
}

const struct room_spec store_room = {
	.id = ROOM_STORE,
	.plan = store_plan,
	.start = store_start,
	.edge = store_edge,
	.reload = store_reload,
	.drain = store_drain,
	.count = store_count,
	.stop = store_stop,
};
