#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "pg/pg.h"

/* A connection, and the last thing that it said. */
struct fixture {
	struct loop *loop;
	struct pg *pg;
	int ups;
	int downs;
	int ended; /* results told */
	enum pg_outcome outcome;
	char sqlstate[6];
	char text[256];
	char value[256]; /* first column of the first row */
	int rows;
	char payload[64];
};

static const char *const on_connect[] = {"SET lock_timeout = '20s'", NULL};

static void on_state(struct pg *pg, bool up, const char *why, void *context)
{
	struct fixture *f = context;
	(void)pg;
	if (up)
		f->ups++;
	else
		f->downs++;
	snprintf(f->text, sizeof f->text, "%s", why);
}

static struct pg *connect_as(struct fixture *f, const char *user, unsigned schema)
{
	struct pg_settings settings = {
		.conninfo =
			str_of(getenv("PGHOST") ? mem_printf("host=%s dbname=cirt", getenv("PGHOST")) : ""),
		.user = str_of(user),
		.search_path = STR("cirt, pg_temp"),
		.name = "test",
		.schema = schema,
		.on_connect = on_connect,
	};
	struct pg *pg = pg_new(f->loop, &settings, on_state, f);
	free((char *)settings.conninfo.p);
	return pg;
}

static int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof *f);
	f->loop = loop_new();
	f->pg = connect_as(f, "postgres", PG_SCHEMA);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	pg_free(&f->pg);
	loop_free(&f->loop);
	free(f);
	return 0;
}

static void told(struct pg *pg, const struct pg_result *result, void *context)
{
	struct fixture *f = context;
	(void)pg;
	f->ended++;
	f->outcome = result->outcome;
	f->rows = result->rows;
	snprintf(f->sqlstate, sizeof f->sqlstate, "%s", result->sqlstate);
	snprintf(f->text, sizeof f->text, "%s", result->text);
	struct str value = result->rows ? pg_value(result, 0, 0) : STR_NONE;
	snprintf(f->value, sizeof f->value, "%.*s", (int)value.len, value.p ? value.p : "");
}

/* Turn until `count` has moved by one; a minute is for ever. */
static void turn_until(struct fixture *f, const int *count, int target)
{
	for (int64_t end = clock_monotonic() + 60 * CLOCK_SECOND; *count < target && clock_monotonic() < end;)
		loop_turn(f->loop, CLOCK_SECOND / 10);
	assert_true(*count >= target);
}

static void query(struct fixture *f, const char *sql, bool writes)
{
	int target = f->ended + 1;
	pg_query(f->pg, sql, NULL, 0, writes, told, f);
	turn_until(f, &f->ended, target);
}

static void step(struct fixture *f, const char *sql)
{
	int target = f->ended + 1;
	pg_step(f->pg, sql, NULL, 0, told, f);
	turn_until(f, &f->ended, target);
}

static void begin(struct fixture *f)
{
	int target = f->ended + 1;
	pg_begin(f->pg, "BEGIN", told, f);
	turn_until(f, &f->ended, target);
	assert_int_equal(f->outcome, PG_DONE);
}

static void commit(struct fixture *f)
{
	int target = f->ended + 1;
	pg_commit(f->pg, told, f);
	turn_until(f, &f->ended, target);
}

static void test_query_gives_values(void **state)
{
	struct fixture *f = *state;
	query(f, "SELECT 'hallo', 2", false);
	assert_int_equal(f->outcome, PG_DONE);
	assert_string_equal(f->value, "hallo");
	query(f, "SHOW TimeZone", false);
	assert_string_equal(f->value, "UTC");
	query(f, "SHOW lock_timeout", false);
	assert_string_equal(f->value, "20s");
}

static void test_parameters_are_not_sql(void **state)
{
	struct fixture *f = *state;
	struct pg_parameter parameters[] = {{.value = STR("'; DROP TABLE x; --")}, {.value = STR_NONE}};
	int target = f->ended + 1;
	pg_query(f->pg, "SELECT $1::text || coalesce($2::text, ' and nothing')", parameters, 2, false, told,
		f);
	turn_until(f, &f->ended, target);
	assert_string_equal(f->value, "'; DROP TABLE x; -- and nothing");
}

static void test_refusal_has_its_sqlstate(void **state)
{
	struct fixture *f = *state;
	query(f, "SELECT 1/0", false);
	assert_int_equal(f->outcome, PG_REFUSED);
	assert_string_equal(f->sqlstate, "22012");
	query(f, "SELECT 1", false);
	assert_int_equal(f->outcome, PG_DONE);
}

static void test_transaction_rolls_back_after_refusal(void **state)
{
	struct fixture *f = *state;
	query(f, "CREATE TABLE IF NOT EXISTS public.t (a int)", true);
	query(f, "TRUNCATE public.t", true);
	begin(f);
	step(f, "INSERT INTO public.t VALUES (1)");
	assert_int_equal(f->outcome, PG_DONE);
	step(f, "INSERT INTO public.t VALUES (1/0)");
	assert_int_equal(f->outcome, PG_REFUSED);
	query(f, "SELECT count(*) FROM public.t", false);
	assert_string_equal(f->value, "0");
	begin(f);
	step(f, "INSERT INTO public.t VALUES (1)");
	commit(f);
	assert_int_equal(f->outcome, PG_DONE);
	query(f, "SELECT count(*) FROM public.t", false);
	assert_string_equal(f->value, "1");
}

static void test_prepared_statement_runs_again(void **state)
{
	struct fixture *f = *state;
	begin(f);
	for (int i = 0; i < 3; i++) {
		char number[16];
		snprintf(number, sizeof number, "%d", i);
		struct pg_parameter parameter = {.value = str_of(number)};
		int target = f->ended + 1;
		pg_step_prepared(f->pg, "twice", "SELECT $1::int * 2", &parameter, 1, false, told, f);
		turn_until(f, &f->ended, target);
		assert_int_equal(f->outcome, PG_DONE);
		assert_int_equal(atoi(f->value), i * 2);
	}
	commit(f);
}

static void test_arrays_carry_every_byte(void **state)
{
	struct fixture *f = *state;
	struct buf texts = {0};
	pg_array_begin(&texts);
	pg_array_text(&texts, STR("a\"b\\c,{}"));
	pg_array_text(&texts, STR_NONE);
	pg_array_text(&texts, STR(""));
	pg_array_end(&texts);
	struct buf bytes = {0};
	pg_array_begin(&bytes);
	pg_array_bytes(&bytes, "\x00\xff", 2);
	pg_array_end(&bytes);
	struct buf numbers = {0};
	pg_binary_array(&numbers, PG_INT8, 2);
	for (int64_t i = 1; i <= 2; i++) {
		pg_put_i32(&numbers, 8);
		pg_put_i64(&numbers, -i);
	}
	struct pg_parameter parameters[] = {{.value = buf_view(&texts)}, {.value = buf_view(&bytes)},
		{.value = buf_view(&numbers), .binary = true, .type = PG_INT8_ARRAY}};
	int target = f->ended + 1;
	pg_query(f->pg,
		"SELECT ($1::text[])[1] || cardinality($1::text[]) || encode(($2::bytea[])[1], 'hex') || "
		"($3[1] + $3[2])",
		parameters, 3, false, told, f);
	turn_until(f, &f->ended, target);
	assert_string_equal(f->value, "a\"b\\c,{}300ff-3");
	buf_free(&texts);
	buf_free(&bytes);
	buf_free(&numbers);
}

static void put_int_row(struct buf *out, int32_t value)
{
	pg_put_i16(out, 1);
	pg_put_i32(out, 4);
	pg_put_i32(out, value);
}

static void put_copy_head(struct buf *out)
{
	buf_append(out, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
}

/* Two tables in one round trip, one of them larger than any socket buffer. */
static void test_copies_share_a_round_trip(void **state)
{
	struct fixture *f = *state;
	query(f, "CREATE TABLE IF NOT EXISTS public.many (a int)", true);
	query(f, "CREATE TABLE IF NOT EXISTS public.few (a int)", true);
	query(f, "TRUNCATE public.many, public.few", true);
	struct buf data[2] = {{0}, {0}};
	for (int i = 0; i < 2; i++) {
		put_copy_head(&data[i]);
		for (int32_t row = 0; row < (i == 0 ? 600000 : 3); row++)
			put_int_row(&data[i], row);
		pg_put_i16(&data[i], -1);
	}
	const char *const sql[] = {
		"COPY public.many FROM STDIN (FORMAT binary)", "COPY public.few FROM STDIN (FORMAT binary)"};
	struct str views[] = {buf_view(&data[0]), buf_view(&data[1])};
	begin(f);
	int target = f->ended + 1;
	pg_step_copy(f->pg, sql, views, 2, told, f);
	turn_until(f, &f->ended, target);
	assert_int_equal(f->outcome, PG_DONE);
	commit(f);
	query(f, "SELECT (SELECT count(*) FROM public.many) || ' ' || (SELECT count(*) FROM public.few)",
		false);
	assert_string_equal(f->value, "600000 3");
	/* A row too short in the first refuses both. */
	views[0] = STR("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1x");
	begin(f);
	target = f->ended + 1;
	pg_step_copy(f->pg, sql, views, 2, told, f);
	turn_until(f, &f->ended, target);
	assert_int_equal(f->outcome, PG_REFUSED);
	query(f, "SELECT count(*) FROM public.few", false);
	assert_string_equal(f->value, "3");
	buf_free(&data[0]);
	buf_free(&data[1]);
}

static void on_notify(struct pg *pg, const char *channel, const char *payload, void *context)
{
	struct fixture *f = context;
	(void)pg;
	snprintf(f->payload, sizeof f->payload, "%s %s", channel, payload);
	f->rows++;
}

static void test_listen_hears_also_after_reconnection(void **state)
{
	struct fixture *f = *state;
	pg_listen(f->pg, "a channel", on_notify, f);
	query(f, "SELECT pg_notify('a channel', 'one')", true);
	for (int i = 0; i < 50 && strcmp(f->payload, "a channel one") != 0; i++)
		loop_turn(f->loop, CLOCK_SECOND / 10);
	assert_string_equal(f->payload, "a channel one");
	query(f, "SELECT pg_terminate_backend(pg_backend_pid())", false);
	turn_until(f, &f->ups, 2);
	query(f, "SELECT pg_notify('a channel', 'two')", true);
	for (int i = 0; i < 50 && strcmp(f->payload, "a channel two") != 0; i++)
		loop_turn(f->loop, CLOCK_SECOND / 10);
	assert_string_equal(f->payload, "a channel two");
}

/* Kill the other connection once it waits in `what`. */
static void kill_while(struct fixture *f, struct pg *victim_pg, const char *what)
{
	struct pg *own = f->pg;
	f->pg = victim_pg;
	char *sql = mem_printf("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
			       "WHERE pid <> pg_backend_pid() AND state = 'active' AND query LIKE '%s%%'",
		what);
	do
		query(f, sql, false);
	while (strcmp(f->value, "0") == 0);
	free(sql);
	f->pg = own;
}

static void slow_commit(struct fixture *f)
{
	query(f, "DROP TABLE IF EXISTS public.slow", true);
	query(f, "CREATE TABLE public.slow (a int)", true);
	query(f,
		"CREATE OR REPLACE FUNCTION public.nap() RETURNS trigger LANGUAGE plpgsql AS "
		"'BEGIN PERFORM pg_sleep(60); RETURN NULL; END'",
		true);
	query(f,
		"CREATE CONSTRAINT TRIGGER nap AFTER INSERT ON public.slow DEFERRABLE INITIALLY DEFERRED "
		"FOR EACH ROW EXECUTE FUNCTION public.nap()",
		true);
}

static void test_trap_03_lost_in_commit_is_unknown(void **state)
{
	struct fixture *f = *state;
	slow_commit(f);
	struct fixture other = {.loop = f->loop};
	other.pg = connect_as(&other, "postgres", PG_SCHEMA);
	begin(f);
	step(f, "INSERT INTO public.slow VALUES (1)");
	int target = f->ended + 1;
	pg_commit(f->pg, told, f);
	kill_while(&other, other.pg, "COMMIT");
	turn_until(f, &f->ended, target);
	assert_int_equal(f->outcome, PG_UNKNOWN);
	query(f, "SELECT 1", false);
	assert_int_equal(f->outcome, PG_DONE);
	pg_free(&other.pg);
}

static void test_lost_in_step_is_lost(void **state)
{
	struct fixture *f = *state;
	struct fixture other = {.loop = f->loop};
	other.pg = connect_as(&other, "postgres", PG_SCHEMA);
	begin(f);
	int target = f->ended + 1;
	pg_step(f->pg, "SELECT pg_sleep(60)", NULL, 0, told, f);
	kill_while(&other, other.pg, "SELECT pg_sleep");
	turn_until(f, &f->ended, target);
	assert_true(f->outcome == PG_REPEAT || f->outcome == PG_LOST);
	/* Lost between two steps: the next is told, and a new transaction works. */
	begin(f);
	step(f, "SELECT pg_backend_pid()");
	char *kill_it = mem_printf("SELECT pg_terminate_backend(%s)", f->value);
	int downs = f->downs;
	query(&other, kill_it, false);
	free(kill_it);
	turn_until(f, &f->downs, downs + 1);
	step(f, "SELECT 1");
	assert_int_equal(f->outcome, PG_LOST);
	begin(f);
	commit(f);
	assert_int_equal(f->outcome, PG_DONE);
	pg_free(&other.pg);
}

static void test_server_restart_is_survived(void **state)
{
	struct fixture *f = *state;
	query(f, "SELECT 1", false);
	const char *cluster = getenv("CIRT_CLUSTER");
	char *path = mem_printf("%s/data/postmaster.pid", cluster);
	struct buf text = {0};
	struct err err;
	assert_true(file_read(path, 4096, &text, &err));
	pid_t postmaster = (pid_t)atoi(buf_cstr(&text));
	assert_true(postmaster > 1);
	assert_int_equal(kill(postmaster, SIGQUIT), 0);
	turn_until(f, &f->downs, 1);
	/* Asked for while it is down: answered when it is back. */
	int target = f->ended + 1;
	pg_query(f->pg, "SELECT 'back'", NULL, 0, false, told, f);
	while (kill(postmaster, 0) == 0)
		loop_turn(f->loop, CLOCK_SECOND / 10);
	char *start = mem_printf("%s/start >%s/start.log 2>&1", cluster, cluster);
	assert_int_equal(system(start), 0); /* NOLINT: no data in it, a script of the test's own */
	turn_until(f, &f->ended, target);
	assert_string_equal(f->value, "back");
	free(start);
	free(path);
	buf_free(&text);
}

static void test_older_schema_keeps_the_connection_down(void **state)
{
	struct fixture *f = *state;
	struct pg *newer = connect_as(f, "cirt_store", 9999);
	while (!strstr(pg_why_down(newer), "this program needs 9999"))
		loop_turn(f->loop, CLOCK_SECOND / 10);
	assert_false(pg_is_up(newer));
	pg_free(&newer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_older_schema_keeps_the_connection_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_query_gives_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parameters_are_not_sql, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusal_has_its_sqlstate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_transaction_rolls_back_after_refusal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prepared_statement_runs_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_arrays_carry_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copies_share_a_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listen_hears_also_after_reconnection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_03_lost_in_commit_is_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_in_step_is_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_server_restart_is_survived, setup, teardown),
	};
	return cmocka_run_group_tests_name("pg", tests, NULL, NULL);
}
