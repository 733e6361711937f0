#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/lander.h"

/* The store without its room: tickets go in, a real server says what landed. */
struct fixture {
	struct loop *loop;
	struct pg *pg;
	struct pg *eyes; /* looks at the tables, as the superuser */
	struct lookup *lookup;
	struct tickets *tickets;
	struct lander *lander;
	struct arena *arena;
	uint8_t spool[UUID_LEN];
	uint64_t next_ticket;
	size_t released, wanted, mismatched;
	uint64_t last_wanted;
	int told;
	char value[512];
	bool ready;
};

#define T0 (INT64_C(1795000000) * CLOCK_SECOND) /* 2026-11-18 */

static void on_released(const uint64_t *numbers, size_t count, void *context)
{
	struct fixture *f = context;
	(void)numbers;
	f->released += count;
}

static void on_wanted(uint64_t number, void *context)
{
	struct fixture *f = context;
	f->wanted++;
	f->last_wanted = number;
}

static void on_mismatch(uint64_t number, void *context)
{
	struct fixture *f = context;
	(void)number;
	f->mismatched++;
}

static void on_sources(const struct source_table *table, void *context)
{
	(void)table;
	(void)context;
}

static void on_ready(void *context)
{
	struct fixture *f = context;
	f->ready = true;
	lander_resume(f->lander);
}

static void on_state(struct pg *pg, bool up, const char *why, void *context)
{
	struct fixture *f = context;
	(void)pg;
	(void)why;
	if (up)
		lookup_reload(f->lookup);
}

static struct pg *connect_as(struct fixture *f, const char *user, pg_state_fn *state)
{
	static const char *const on_connect[] = {"SET enable_hashjoin = off", "SET enable_mergejoin = off",
		"SET enable_seqscan = off", "SET plan_cache_mode = 'force_generic_plan'", NULL};
	char *conninfo = mem_printf("host=%s dbname=cirt", getenv("PGHOST"));
	struct pg_settings settings = {.conninfo = str_of(conninfo),
		.user = str_of(user),
		.search_path = STR("cirt, pg_temp"),
		.name = "test",
		.on_connect = on_connect};
	struct pg *pg = pg_new(f->loop, &settings, state, f);
	free(conninfo);
	return pg;
}

static int setup(void **state)
{
	static const struct lander_calls calls = {on_released, on_wanted, on_mismatch};
	struct lander_settings settings = {
		.batch = 1000, .max_age = 31 * CLOCK_DAY, .max_late = 30 * CLOCK_DAY};
	struct fixture *f = mem_alloc(sizeof *f);
	f->loop = loop_new();
	f->arena = arena_new(65536);
	f->next_ticket = 1;
	uuid_random(f->spool);
	f->pg = connect_as(f, "cirt_store", on_state);
	f->eyes = connect_as(f, "postgres", NULL);
	f->tickets = tickets_new();
	f->lookup = lookup_new(f->pg, STR("node1"), on_sources, on_ready, f);
	f->lander = lander_new(f->loop, f->pg, f->lookup, f->tickets, &settings, &calls, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	pg_free(&f->pg);
	pg_free(&f->eyes);
	lander_free(&f->lander);
	lookup_free(&f->lookup);
	tickets_free(&f->tickets);
	arena_free(&f->arena);
	loop_free(&f->loop);
	free(f);
	return 0;
}

static void on_told(struct pg *pg, const struct pg_result *result, void *context)
{
	struct fixture *f = context;
	(void)pg;
	struct str value = result->rows ? pg_value(result, 0, 0) : STR_NONE;
	f->told++;
	if (result->outcome == PG_DONE)
		snprintf(f->value, sizeof f->value, "%.*s", (int)value.len, value.p ? value.p : "");
	else
		snprintf(f->value, sizeof f->value, "%s: %s", result->sqlstate, result->text);
}

static void turn(struct fixture *f, const size_t *count, size_t target)
{
	for (int64_t end = clock_monotonic() + 60 * CLOCK_SECOND; *count < target && clock_monotonic() < end;)
		loop_turn(f->loop, CLOCK_SECOND / 20);
	assert_true(*count >= target);
}

/* One value out of the database. */
static const char *ask(struct fixture *f, const char *sql)
{
	int target = f->told + 1;
	pg_query(f->eyes, sql, NULL, 0, true, on_told, f);
	for (int64_t end = clock_monotonic() + 60 * CLOCK_SECOND;
		f->told < target && clock_monotonic() < end;)
		loop_turn(f->loop, CLOCK_SECOND / 20);
	assert_int_equal(f->told, target);
	return f->value;
}

#define assert_sql(f, sql, expected) assert_string_equal(ask(f, sql), expected)

/* An empty database for each test, but for what the migrations seed. */
static void clean(struct fixture *f)
{
	ask(f, "TRUNCATE ledger, ledger_day, ledger_act, books, quarantine, report, report_status, sighting, "
	       "verdict, item, evidence, "
	       "attachment, stix_object, fingerprint, report_link, raise_queue, correlation_queue, arrival");
	while (!f->ready)
		loop_turn(f->loop, CLOCK_SECOND / 20);
}

static struct report report_of(const char *key, int64_t observed)
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

static struct item *item_of(
	struct fixture *f, struct item *items, size_t *count, const char *key, int64_t observed)
{
	struct item *item = &items[*count];
	(void)f;
	*item = (struct item){.kind = ITEM_REPORT,
		.number = (uint32_t)*count,
		.part = STR("line"),
		.report = report_of(key, observed)};
	(*count)++;
	return item;
}

static struct holding_held held_of(struct fixture *f, uint64_t sequence, uint32_t source, int64_t received)
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

static void land_finding(struct fixture *f, const struct holding_held *held, const struct finding *finding)
{
	struct buf bytes = {0};
	struct err err;
	struct ticket *ticket = tickets_get(f->tickets, held->ticket);
	finding_encode(finding, &bytes);
	ticket_hold(f->tickets, ticket, held);
	assert_true(ticket_piece(f->tickets, ticket, buf_view(&bytes), &err));
	ticket->complete = true;
	tickets_queue(f->tickets, ticket);
	buf_free(&bytes);
}

/* Land these items as one entry and wait for its release. */
static void land(struct fixture *f, const struct holding_held *held, struct item *items, size_t count)
{
	struct finding finding = {.items = items, .item_count = count};
	size_t target = f->released + 1;
	land_finding(f, held, &finding);
	lander_kick(f->lander);
	turn(f, &f->released, target);
}

static void test_new_reports_land(void **state)
{
	struct fixture *f = *state;
	struct item items[3];
	size_t count = 0;
	clean(f);
	item_of(f, items, &count, "one", T0);
	item_of(f, items, &count, "two", T0);
	struct item *third = item_of(f, items, &count, "three", T0);
	struct observable observables[] = {{OBSERVABLE_IP, OBSERVED_SOURCE, STR("198.51.100.7")}};
	third->report.observables = observables;
	third->report.observable_count = 1;
	struct verdict verdicts[] = {{STR("yara 4"), STR("ns/rule"), STR("00"), STR("text"), STR("match")}};
	third->report.verdicts = verdicts;
	third->report.verdict_count = 1;
	struct holding_held held = held_of(f, 1, 1, T0);
	land(f, &held, items, count);
	assert_sql(f,
		"SELECT string_agg(report_number(id), ' ' ORDER BY id) FROM report WHERE received = "
		"to_timestamp(1795000000)",
		ask(f, "SELECT string_agg(report_number(min + n), ' ' ORDER BY n) FROM (SELECT min(id) FROM "
		       "report) m, generate_series(0, 2) n"));
	assert_sql(f,
		"SELECT observables || ARRAY[tlp::text, type::text, identifier] FROM report WHERE rule_key = "
		"'three'",
		"{\"ip source 198.51.100.7\",amber,undetermined,open-rdp}");
	assert_sql(f, "SELECT count(*) || ' ' || sum(count) FROM sighting", "3 3");
	assert_sql(f, "SELECT concat_ws(' ', disposition, found, reports, folded) FROM ledger",
		"processed 3 3 0");
	assert_sql(f, "SELECT concat_ws(' ', entries_processed, found, reports, folded) FROM ledger_day",
		"1 3 3 0");
	assert_sql(f, "SELECT v.rule FROM verdict v JOIN report r ON r.id = v.report", "ns/rule");
	assert_sql(f,
		"SELECT count(*) FROM report WHERE keys @> ARRAY[(SELECT keys[1] FROM report WHERE rule_key "
		"= 'three')]",
		ask(f, "SELECT count(*) FROM report WHERE (SELECT keys[1] FROM report WHERE rule_key = "
		       "'three') = ANY (keys)"));
	assert_sql(f, "SELECT (min(first_id) = (SELECT min(id) FROM report)) FROM arrival", "t");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new_reports_land, setup, teardown),
	};
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
