#include "config.h"

#include "played_spool.h"

#include "proc/appender.h"

/* A door's end of the append edge, beside a spool that the test plays. */

static struct loop *loop;
static struct played_spool spool;
static struct appender *appender;

static int setup(void **state)
{
	struct appender_calls calls = {.sources = NULL};

	(void)state;
	loop = loop_new();
	appender = appender_new(loop, &calls, NULL);
	appender_edge(appender, 1, spool_start(&spool, loop));
	turn(loop);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	appender_free(&appender);
	spool_clear(&spool);
	loop_free(&loop);
	return 0;
}

static void on_found(const struct append_found *found, const struct err *err, void *context)
{
	(void)err;
	*(enum append_place *)context = found ? found->place : APPEND_PLACES;
}

/* What comes later over the edge must not change what the table says. */
static void test_sources_outlive_their_frame(void **state)
{
	struct source sources[] = {{.id = 1,
					   .kind = SOURCE_DESK,
					   .tlp = TLP_AMBER,
					   .pap = PAP_AMBER,
					   .name = STR("first"),
					   .match = STR("a b")},
		{.id = 7,
			.enabled = true,
			.kind = SOURCE_MAILBOX,
			.tlp = TLP_AMBER,
			.pap = PAP_AMBER,
			.name = STR("second"),
			.match = STR("phish@")}};
	char envelope[2000];
	enum append_place place = APPEND_PLACES;
	struct append_found found = {
		.place = APPEND_KEPT, .entry = {.format = FORMAT_MAIL, .exercise = STR("")}};
	const struct source_table *table;

	(void)state;
	spool_sources(&spool, sources, 2);
	memset(envelope, 'x', sizeof(envelope));
	found.entry.envelope = (struct str){envelope, sizeof(envelope)};
	found.append = appender_find(appender, 17, on_found, &place);
	append_found_encode(&found, channel_begin(spool.channel));
	channel_end(spool.channel, APPEND_FOUND);
	turn(loop);
	assert_int_equal(place, APPEND_KEPT);
	table = appender_sources(appender);
	assert_int_equal(table->count, 2);
	assert_true(str_equal(table->sources[0].name, STR("first")));
	assert_true(str_equal(table->sources[0].match, STR("a b")));
	assert_true(str_equal(table->sources[1].name, STR("second")));
	assert_ptr_equal(source_by_recipient(table, STR("phish@cirt.example")), &table->sources[1]);
}

static void test_questions_end_with_the_spool(void **state)
{
	enum append_place place = APPEND_KEPT;

	(void)state;
	assert_true(appender_find(appender, 17, on_found, &place) != 0);
	spool_stop(&spool);
	assert_int_equal(place, APPEND_PLACES);
	assert_int_equal(appender_find(appender, 17, on_found, &place), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sources_outlive_their_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(test_questions_end_with_the_spool, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
