#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "base/map.h"
#include "spool/backlog.h"
#include "spool/poison.h"

/* ---- whose turn it is ---- */

#define SOURCES 8

/* Source n has `left[n]` entries of `size[n]` bytes waiting; its sequences count up from n × 10^6. */
struct shelf {
	uint64_t left[SOURCES];
	uint64_t size[SOURCES];
	uint64_t taken[SOURCES];
};

static bool shelf_find(void *context, uint32_t source, uint64_t *sequence, uint64_t *size)
{
	struct shelf *shelf = context;
	uint64_t base = source * UINT64_C(1000000);

	if (*sequence < base)
		*sequence = base;
	if (*sequence - base >= shelf->left[source])
		return false;
	*size = shelf->size[source];
	return true;
}

/* Take `count` entries, each released at once. */
static void run(struct backlog *backlog, struct shelf *shelf, int count, uint64_t *ticket)
{
	struct scheduler_head head;

	while (count-- > 0 && backlog_next(backlog, &head)) {
		struct flight *flight = backlog_take(backlog, ++*ticket);

		assert_int_equal(flight->sequence, head.sequence);
		shelf->taken[flight->source]++;
		backlog_end(backlog, flight);
	}
}

static void test_trap_26_people_pass_a_backlog_of_sensors(void **state)
{
	struct shelf shelf = {.left = {[1] = 100000, [2] = 1}, .size = {[1] = 65000, [2] = 20000}};
	struct backlog *backlog = backlog_new(shelf_find, &shelf);
	uint64_t ticket = 0;

	(void)state;
	backlog_offer(backlog, 1, LANE_SENSORS, 0);
	run(backlog, &shelf, 50, &ticket);
	backlog_offer(backlog, 2, LANE_PEOPLE, 0);
	run(backlog, &shelf, 9, &ticket);
	assert_int_equal(shelf.taken[2], 1);
	backlog_free(&backlog);
}

static void test_trap_26_no_lane_starves_another(void **state)
{
	struct shelf shelf = {.left = {[1] = 100000, [2] = 100000, [3] = 100000},
		.size = {[1] = 50000, [2] = 50000, [3] = 50000}};
	struct backlog *backlog = backlog_new(shelf_find, &shelf);
	uint64_t ticket = 0;

	(void)state;
	backlog_offer(backlog, 1, LANE_PEOPLE, 0);
	backlog_offer(backlog, 2, LANE_FEEDS, 0);
	backlog_offer(backlog, 3, LANE_SENSORS, 0);
	run(backlog, &shelf, 1400, &ticket);
	assert_true(shelf.taken[3] > 150 && shelf.taken[3] < 250);
	assert_true(shelf.taken[2] > 350 && shelf.taken[2] < 450);
	assert_true(shelf.taken[1] > 750);
	backlog_free(&backlog);
}

static void test_sources_share_bytes_not_entries(void **state)
{
	struct shelf shelf = {.left = {[1] = 100000, [2] = 100000}, .size = {[1] = 60000, [2] = 6000}};
	struct backlog *backlog = backlog_new(shelf_find, &shelf);
	uint64_t ticket = 0;

	(void)state;
	backlog_offer(backlog, 1, LANE_SENSORS, 0);
	backlog_offer(backlog, 2, LANE_SENSORS, 0);
	run(backlog, &shelf, 2200, &ticket);
	assert_true(shelf.taken[1] > 150 && shelf.taken[1] < 250);
	assert_true(shelf.taken[2] > 1900);
	backlog_free(&backlog);
}

static void test_a_large_entry_gets_its_turn(void **state)
{
	struct shelf shelf = {
		.left = {[1] = 100000, [2] = 1}, .size = {[1] = 60000, [2] = UINT64_C(100) << 20}};
	struct backlog *backlog = backlog_new(shelf_find, &shelf);
	uint64_t ticket = 0;

	(void)state;
	backlog_offer(backlog, 1, LANE_PEOPLE, 0);
	backlog_offer(backlog, 2, LANE_PEOPLE, 0);
	run(backlog, &shelf, 3000, &ticket);
	assert_int_equal(shelf.taken[2], 1);
	backlog_free(&backlog);
}

static void test_what_is_out_is_bounded(void **state)
{
	struct shelf shelf = {.left = {[1] = 100000}, .size = {[1] = 1 << 20}};
	struct backlog *backlog = backlog_new(shelf_find, &shelf);
	struct scheduler_head head;
	uint64_t bytes;
	uint64_t ticket = 0;

	(void)state;
	backlog_offer(backlog, 1, LANE_FEEDS, 0);
	while (backlog_next(backlog, &head))
		backlog_take(backlog, ++ticket);
	assert_int_equal(backlog_out(backlog, &bytes), BACKLOG_BYTES >> 20);
	assert_int_equal(bytes, BACKLOG_BYTES);
	backlog_land(backlog, backlog_flight(backlog, 1));
	assert_true(backlog_next(backlog, &head));
	backlog_free(&backlog);
}

static void test_what_returns_is_offered_once(void **state)
{
	struct shelf shelf = {.left = {[1] = 10}, .size = {[1] = 100}};
	struct backlog *backlog = backlog_new(shelf_find, &shelf);
	struct scheduler_head head;
	uint64_t sequences[16];
	uint64_t bytes;
	uint64_t ticket = 0;

	(void)state;
	backlog_offer(backlog, 1, LANE_FEEDS, 0);
	for (int i = 0; i < 5; i++) {
		assert_true(backlog_next(backlog, &head));
		backlog_take(backlog, ++ticket);
	}
	backlog_return(backlog, backlog_flight(backlog, 2));
	assert_null(backlog_flight(backlog, 2));
	assert_true(backlog_next(backlog, &head));
	assert_int_equal(head.sequence, 1000001);
	backlog_take(backlog, ++ticket);
	assert_true(backlog_next(backlog, &head));
	assert_int_equal(head.sequence, 1000005);
	backlog_land(backlog, backlog_flight(backlog, 1));
	assert_int_equal(backlog_return_all(backlog), 4);
	assert_int_equal(backlog_out(backlog, &bytes), 0);
	assert_int_equal(backlog_sequences(backlog, sequences, 16), 0);
	assert_true(backlog_next(backlog, &head));
	assert_int_equal(head.sequence, 1000001);
	backlog_free(&backlog);
}

/* What is sealed counts for nothing and is in nobody's way, however much of it there is. */
static void test_what_is_sealed_is_offered_when_it_is_unsealed(void **state)
{
	struct shelf shelf = {.left = {[1] = 3}, .size = {[1] = BACKLOG_BYTES}};
	struct backlog *backlog = backlog_new(shelf_find, &shelf);
	struct scheduler_head head;
	uint64_t bytes;

	(void)state;
	backlog_offer(backlog, 1, LANE_PEOPLE, 0);
	for (uint64_t ticket = 1; ticket <= 3; ticket++) {
		assert_true(backlog_next(backlog, &head));
		backlog_seal(backlog, backlog_take(backlog, ticket));
	}
	assert_int_equal(backlog_sealed(backlog), 3);
	assert_int_equal(backlog_out(backlog, &bytes), 0);
	assert_false(backlog_next(backlog, &head));
	assert_int_equal(backlog_return_all(backlog), 0); /* a lost store had none of it */
	assert_false(backlog_next(backlog, &head));
	assert_int_equal(backlog_unseal_all(backlog), 3);
	assert_int_equal(backlog_sealed(backlog), 0);
	assert_true(backlog_next(backlog, &head));
	assert_int_equal(head.sequence, 1000000);
	backlog_free(&backlog);
}

/* ---- poison ---- */

static bool count(
	struct poison *poison, enum death death, uint32_t item, const char *stage, struct arena *arena)
{
	return poison_count(poison, death, item, str_of(stage), STR("worker died"), arena);
}

static void test_trap_09_stage_then_item_then_whole(void **state)
{
	struct arena *arena = arena_new(1024);
	struct poison poison = {.item = POISON_ITEM_UNKNOWN};

	(void)state;
	assert_true(count(&poison, DEATH_CRASH, 7, "yara", arena));
	assert_int_equal(poison.leave_out_count, 1);
	assert_int_equal(poison.leave_out[0].skip, SKIP_STAGE);
	assert_int_equal(poison.leave_out[0].item, 7);
	count(&poison, DEATH_CRASH, 7, "plugin netinfo", arena);
	assert_int_equal(poison.leave_out_count, 2);
	assert_int_equal(poison.leave_out[1].skip, SKIP_ITEM);
	count(&poison, DEATH_CRASH, 9, "yara", arena);
	assert_int_equal(poison.leave_out_count, 3);
	assert_false(poison.whole);
	count(&poison, DEATH_CRASH, 7, "yara", arena);
	assert_true(poison.whole);
	arena_free(&arena);
}

static void test_trap_09_a_crash_without_a_place_is_tried_once_more(void **state)
{
	struct arena *arena = arena_new(1024);
	struct poison poison = {.item = POISON_ITEM_UNKNOWN};

	(void)state;
	count(&poison, DEATH_CRASH, POISON_ITEM_UNKNOWN, "", arena);
	assert_false(poison.whole);
	assert_int_equal(poison.leave_out_count, 0);
	count(&poison, DEATH_CRASH, POISON_ITEM_UNKNOWN, "", arena);
	assert_true(poison.whole);
	arena_free(&arena);
}

static void test_trap_09_kill_by_nobody_counts_from_the_fifth(void **state)
{
	struct arena *arena = arena_new(1024);
	struct poison poison = {.item = POISON_ITEM_UNKNOWN};

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_false(count(&poison, DEATH_KILLED, 0, "mime", arena));
	assert_int_equal(poison.leave_out_count, 0);
	assert_true(count(&poison, DEATH_KILLED, 0, "mime", arena));
	assert_int_equal(poison.leave_out_count, 1);
	for (int i = 0; i < 100; i++)
		assert_false(count(&poison, DEATH_OURS, 0, "mime", arena));
	assert_int_equal(poison.crashes, 1);
	arena_free(&arena);
}

static void test_trap_09_causes(void **state)
{
	static const struct {
		struct control_death death;
		enum death is;
	} cases[] = {
		{{.signal = SIGSEGV}, DEATH_CRASH},
		{{.signal = SIGABRT}, DEATH_CRASH},
		{{.signal = SIGBUS}, DEATH_CRASH},
		{{.signal = SIGSYS}, DEATH_CRASH},
		{{.signal = SIGXCPU}, DEATH_CRASH},
		{{.status = 1}, DEATH_CRASH},
		{{.status = 0}, DEATH_OURS},
		{{.signal = SIGKILL}, DEATH_KILLED},
		{{.signal = SIGTERM}, DEATH_KILLED},
		{{.signal = SIGKILL, .by_us = true}, DEATH_OURS},
		{{.signal = SIGSEGV, .by_us = true}, DEATH_OURS},
		{{.signal = SIGKILL, .watchdog = true}, DEATH_CRASH},
		{{.signal = SIGKILL, .by_us = true, .watchdog = true}, DEATH_CRASH},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(death_of(&cases[i].death), cases[i].is);
}

static void test_poison_survives_encoding(void **state)
{
	struct arena *arena = arena_new(1024);
	struct poison poison = {.item = POISON_ITEM_UNKNOWN};
	struct poison back;
	struct buf bytes = {0};

	(void)state;
	count(&poison, DEATH_CRASH, 3, "yara", arena);
	count(&poison, DEATH_KILLED, 3, "yara", arena);
	poison_encode(&poison, &bytes);
	assert_true(poison_decode(buf_view(&bytes), arena, &back));
	assert_int_equal(back.crashes, 1);
	assert_int_equal(back.kills, 1);
	assert_int_equal(back.leave_out_count, 1);
	assert_true(str_equal(back.leave_out[0].stage, STR("yara")));
	assert_false(poison_decode((struct str){bytes.data, bytes.len - 1}, arena, &back));
	assert_true(poison_decode(STR_NONE, arena, &back));
	assert_int_equal(back.crashes, 0);
	buf_free(&bytes);
	arena_free(&arena);
}

static void test_a_hostile_slot_is_made_printable(void **state)
{
	struct arena *arena = arena_new(1024);
	struct handout_slot slot = {.ticket = 1};

	(void)state;
	memset(slot.stage, 0x1b, sizeof(slot.stage));
	assert_int_equal(poison_stage(&slot, arena).len, SLOT_STAGE);
	assert_int_equal(poison_stage(&slot, arena).p[0], '?');
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trap_26_people_pass_a_backlog_of_sensors),
		cmocka_unit_test(test_trap_26_no_lane_starves_another),
		cmocka_unit_test(test_sources_share_bytes_not_entries),
		cmocka_unit_test(test_a_large_entry_gets_its_turn),
		cmocka_unit_test(test_what_is_out_is_bounded),
		cmocka_unit_test(test_what_returns_is_offered_once),
		cmocka_unit_test(test_what_is_sealed_is_offered_when_it_is_unsealed),
		cmocka_unit_test(test_trap_09_stage_then_item_then_whole),
		cmocka_unit_test(test_trap_09_a_crash_without_a_place_is_tried_once_more),
		cmocka_unit_test(test_trap_09_kill_by_nobody_counts_from_the_fifth),
		cmocka_unit_test(test_trap_09_causes),
		cmocka_unit_test(test_poison_survives_encoding),
		cmocka_unit_test(test_a_hostile_slot_is_made_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
