#ifndef LANDING_PLACE_H
#define LANDING_PLACE_H

/* What the tests of the store land by; include after unit.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/lander.h"

#include "database.h"

/* The store without its room: tickets go in, a real server says what landed. */
struct fixture {
	struct loop *loop;
	struct pg *pg;
	struct database *eyes; /* looks at the tables, as the superuser */
	struct lookup *lookup;
	struct tickets *tickets;
	struct lander *lander;
	struct arena *arena;
	uint8_t spool[UUID_LEN];
	uint64_t next_ticket;
	size_t released, wanted, mismatched;
	uint64_t last_wanted;
	bool ready;
};

#define T0 (INT64_C(1795000000) * CLOCK_SECOND) /* 2026-11-18 */

static inline void on_released(const uint64_t *numbers, size_t count, void *context)
{
	struct fixture *f = context;
	(void)numbers;
	f->released += count;
}

static inline void on_wanted(uint64_t number, void *context)
{
	struct fixture *f = context;
	f->wanted++;
	f->last_wanted = number;
}

static inline void on_mismatch(uint64_t number, void *context)
{
	struct fixture *f = context;
	(void)number;
	f->mismatched++;
}

static inline void on_sources(const struct source_table *table, void *context)
{
	(void)table;
	(void)context;
}

static inline void on_ready(void *context)
{
	struct fixture *f = context;
	f->ready = true;
	lander_resume(f->lander);
}

static inline void on_state(struct pg *pg, bool up, const char *why, void *context)
{
	struct fixture *f = context;
	(void)pg;
	(void)why;
	if (up)
		lookup_reload(f->lookup);
}

/* A node of its own for each: they must not share rows of sighting and ledger_day. */
static inline struct str node_name(struct fixture *f)
{
	char hex[2 * UUID_LEN + 1];
	return arena_str(f->arena, str_of(hex_encode(f->spool, UUID_LEN, hex)));
}

static inline int setup(void **state)
{
	static const char *const on_connect[] = {"SET enable_hashjoin = off", "SET enable_mergejoin = off",
		"SET enable_seqscan = off", "SET plan_cache_mode = 'force_generic_plan'", NULL};
	static const struct lander_calls calls = {on_released, on_wanted, on_mismatch};
	struct lander_settings settings = {
		.batch = 1000, .max_age = 31 * CLOCK_DAY, .max_late = 30 * CLOCK_DAY};
	struct fixture *f = mem_alloc(sizeof *f);
	f->loop = loop_new();
	f->arena = arena_new(65536);
	f->next_ticket = 1;
	uuid_random(f->spool);
	f->pg = database_connect(f->loop, "cirt_store", on_state, f, on_connect);
	f->eyes = database_open(f->loop, "postgres");
	f->tickets = tickets_new();
	f->lookup = lookup_new(f->pg, node_name(f), on_sources, on_ready, f);
	f->lander = lander_new(f->loop, f->pg, f->lookup, f->tickets, &settings, &calls, f);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	pg_free(&f->pg);
	database_close(&f->eyes);
	lander_free(&f->lander);
	lookup_free(&f->lookup);
	tickets_free(&f->tickets);
	arena_free(&f->arena);
	loop_free(&f->loop);
	free(f);
	return 0;
}

static inline void turn(struct fixture *f, const size_t *count, size_t target)
{
	for (int64_t end = clock_monotonic() + 60 * CLOCK_SECOND; *count < target && clock_monotonic() < end;)
		loop_turn(f->loop, CLOCK_SECOND / 20);
	assert_true(*count >= target);
}

/* One value out of the database. */
static inline const char *ask(struct fixture *f, const char *sql)
{
	return database_ask(f->eyes, sql);
}

#define assert_sql(f, sql, expected) assert_string_equal(ask(f, sql), expected)

/* What the tables say about sources and organisations is known from here on. */
static inline void reload(struct fixture *f)
{
	f->ready = false;
	lookup_reload(f->lookup);
	while (!f->ready)
		loop_turn(f->loop, CLOCK_SECOND / 20);
}

/* An empty database for each test, but for what the migrations seed. */
static inline void clean(struct fixture *f)
{
	ask(f, "TRUNCATE ledger, ledger_day, ledger_act, books, quarantine, report, report_status, sighting, "
	       "verdict, item, evidence, "
	       "attachment, stix_object, fingerprint, report_link, raise_queue, correlation_queue, arrival, "
	       "stix_current, report_version, revision_queue, "
	       "similarity_queue, letter, case_letter, case_letter_queue, letter_guess, spam, spam_volume, "
	       "spam_sender");
	while (!f->ready)
		loop_turn(f->loop, CLOCK_SECOND / 20);
}

static inline struct report report_of(const char *key, int64_t observed)
{
	struct report report = {.severity = -1,
		.confidence = -1,
		.observed = observed,
		.count = 1,
		.title = STR("a title"),
		.doc = STR("{\"a\":1}"),
		.identifier = STR("open-rdp")};
	report.fingerprint.rule = STR("test");
	report.fingerprint.version = 1;
	report.fingerprint.key = str_of(key);
	uint8_t digest[SHA256_LEN];
	sha256(str_of(key), digest);
	memcpy(report.fingerprint.digest, digest, FINGERPRINT_LEN);
	return report;
}

static inline struct item *item_of(struct item *items, size_t *count, const char *key, int64_t observed)
{
	struct item *item = &items[*count];
	*item = (struct item){.kind = ITEM_REPORT,
		.number = (uint32_t)*count,
		.part = STR("line"),
		.report = report_of(key, observed)};
	(*count)++;
	return item;
}

static inline struct holding_held held_of(
	struct fixture *f, uint64_t sequence, uint32_t source, int64_t received)
{
	struct holding_held held = {.ticket = f->next_ticket++, .attempt = 1};
	held.entry = (struct entry){.received = received,
		.source = source,
		.lane = LANE_SENSORS,
		.format = FORMAT_LINES,
		.size = 100};
	held.entry.id.day = clock_day(received);
	held.entry.id.sequence = sequence;
	memcpy(held.entry.id.spool, f->spool, UUID_LEN);
	sha256((struct str){(const char *)&sequence, sizeof sequence}, held.entry.digest);
	return held;
}

static inline void land_finding(
	struct fixture *f, const struct holding_held *held, const struct finding *finding)
{
	struct buf bytes = {0};
	struct err err;
	struct ticket *ticket = tickets_hold(f->tickets, held);
	finding_encode(finding, &bytes);
	assert_true(ticket_piece(ticket, buf_view(&bytes), &err));
	ticket->complete = true;
	tickets_queue(f->tickets, ticket);
	buf_free(&bytes);
}

/* Land these items as one entry and wait for its release. */
static inline void land(struct fixture *f, const struct holding_held *held, struct item *items, size_t count)
{
	struct finding finding = {.items = items, .item_count = count};
	size_t target = f->released + 1;
	land_finding(f, held, &finding);
	lander_kick(f->lander);
	turn(f, &f->released, target);
}

#endif
