#include "unit.h"

#include "base/buf.h"
#include "store/ticket.h"

/* What the store believes of what triage says: only what the spool gave to that worker. */

static const char first_worker, second_worker; /* their addresses are who speaks */

static int setup(void **state)
{
	*state = tickets_new();
	return 0;
}

static int teardown(void **state)
{
	struct tickets *tickets = *state;
	tickets_free(&tickets);
	return 0;
}

static struct ticket *hold(struct tickets *tickets, uint64_t number, uint16_t worker)
{
	struct holding_held held = {.ticket = number, .worker = worker};
	return tickets_hold(tickets, &held);
}

static void say(struct ticket *ticket, const char *part)
{
	struct item item = {.kind = ITEM_CONTEXT, .part = str_of(part)};
	struct finding finding = {.items = &item, .item_count = 1};
	struct buf bytes = {0};
	struct err err;
	finding_encode(&finding, &bytes);
	assert_true(ticket_piece(ticket, buf_view(&bytes), &err));
	ticket->complete = true;
	buf_free(&bytes);
}

static void assert_says(const struct ticket *ticket, const char *part)
{
	assert_int_equal(ticket->item_count, 1);
	assert_true(str_equal(ticket->items[0]->part, str_of(part)));
}

static void test_a_claim_joins_what_the_spool_says_later(void **state)
{
	struct tickets *tickets = *state;
	say(tickets_claim(tickets, 7, 1, &first_worker), "mine");
	assert_null(tickets_find(tickets, 7));
	struct ticket *ticket = hold(tickets, 7, 1);
	assert_says(ticket, "mine");
	assert_true(ticket_is_ready(ticket));
	assert_int_equal(tickets_unheld(tickets, &first_worker), 0);
}

static void test_trap_05_a_worker_cannot_speak_for_anothers_entry(void **state)
{
	struct tickets *tickets = *state;
	/* before the spool has named it: numbers rise by one and can be guessed */
	say(tickets_claim(tickets, 7, 2, &second_worker), "planted");
	struct ticket *ticket = hold(tickets, 7, 1);
	assert_false(ticket_is_ready(ticket));
	/* and after */
	assert_null(tickets_claim(tickets, 7, 2, &second_worker));
	say(tickets_claim(tickets, 7, 1, &first_worker), "mine");
	assert_says(ticket, "mine");
	assert_true(ticket_is_ready(ticket));
	assert_int_equal(tickets_unheld(tickets, &second_worker), 0);
}

static void test_an_empty_claim_costs_too(void **state)
{
	struct tickets *tickets = *state;
	for (uint64_t number = 100; number < 200; number++)
		assert_non_null(tickets_claim(tickets, number, 2, &second_worker));
	assert_true(tickets_unheld(tickets, &second_worker) >= (size_t)100 * sizeof(struct ticket));
	assert_int_equal(tickets_unheld(tickets, &first_worker), 0);
	tickets_worker_lost(tickets, &second_worker, true);
	assert_int_equal(tickets_unheld(tickets, &second_worker), 0);
}

/* A worker may have been done before it died, and be heard before the spool. */
static void test_a_lost_worker_keeps_what_it_had_finished(void **state)
{
	struct tickets *tickets = *state;
	say(tickets_claim(tickets, 7, 1, &first_worker), "mine");
	tickets_claim(tickets, 8, 1, &first_worker);
	tickets_worker_lost(tickets, &first_worker, false);
	assert_says(hold(tickets, 7, 1), "mine");
	assert_int_equal(hold(tickets, 8, 1)->item_count, 0);
}

/* Its successor has the same instance: what one has begun, the other does not go on with. */
static void test_a_successor_does_not_finish_what_another_began(void **state)
{
	struct tickets *tickets = *state;
	hold(tickets, 7, 1);
	assert_non_null(tickets_claim(tickets, 7, 1, &first_worker));
	assert_null(tickets_claim(tickets, 7, 1, &second_worker));
	struct ticket *later = hold(tickets, 8, 1);
	assert_ptr_equal(tickets_claim(tickets, 8, 1, &second_worker), later);
	tickets_worker_lost(tickets, &first_worker, false);
	assert_null(tickets_find(tickets, 7));
	assert_ptr_equal(tickets_find(tickets, 8), later);
}

static void test_what_is_older_than_the_epoch_is_nobodys(void **state)
{
	struct tickets *tickets = *state;
	tickets_claim(tickets, 3, 1, &first_worker);
	hold(tickets, 4, 1);
	tickets_epoch(tickets, 5);
	assert_int_equal(tickets_count(tickets), 0);
	assert_int_equal(tickets_unheld(tickets, &first_worker), 0);
	assert_null(tickets_claim(tickets, 4, 1, &first_worker));
	assert_null(hold(tickets, 4, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_claim_joins_what_the_spool_says_later, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_05_a_worker_cannot_speak_for_anothers_entry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_empty_claim_costs_too, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_lost_worker_keeps_what_it_had_finished, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_successor_does_not_finish_what_another_began, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_what_is_older_than_the_epoch_is_nobodys, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
