#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "landing_place.h"

/* One entry with one report of this key, in which these rules matched. */
static void land_found(struct fixture *f, uint64_t sequence, const char *key, int64_t time, const char *rules)
{
	struct verdict verdicts[8];
	struct item items[1];
	size_t count = 0;
	struct item *item = item_of(items, &count, key, time);
	struct holding_held held = held_of(f, sequence, 1, time);
	struct str rest = str_of(rules), rule;

	item->report.verdicts = verdicts;
	while (str_split(&rest, ' ', &rule))
		if (rule.len)
			verdicts[item->report.verdict_count++] = (struct verdict){
				STR("yara 4"), rule, STR("00"), STR("payload"), STR("match")};
	land(f, &held, items, count);
}

#define FOUND                                                                     \
	"SELECT coalesce(string_agg(concat_ws(' ', r.rule_key, v.rule, v.seen = " \
	"to_timestamp(1795000000)), ', ' "                                        \
	"ORDER BY r.id, v.seen NULLS FIRST, v.rule), '-') FROM verdict v JOIN report r ON r.id = v.report"

static void test_trap_10_what_was_found_in_a_sighting_is_kept(void **state)
{
	struct fixture *f = *state;
	clean(f);
	land_found(f, 1, "a", T0 - CLOCK_DAY, "");
	assert_sql(f, FOUND, "-");
	land_found(f, 2, "a", T0, "eicar beacon");
	assert_sql(f, "SELECT count(*) FROM report", "1");
	assert_sql(f, FOUND, "a beacon t, a eicar t");
	/* once */
	land_found(f, 3, "a", T0 + CLOCK_DAY, "eicar");
	assert_sql(f, FOUND, "a beacon t, a eicar t");
	/* and not what the report landed with */
	land_found(f, 4, "b", T0, "eicar");
	land_found(f, 5, "b", T0, "eicar late");
	assert_sql(f, FOUND, "a beacon t, a eicar t, b eicar, b late t");
}

static void test_trap_11_found_within_the_batch_of_its_report(void **state)
{
	struct fixture *f = *state;
	struct verdict verdict = {STR("yara 4"), STR("eicar"), STR("00"), STR("payload"), STR("match")};
	struct item items[4];
	size_t count = 0;
	struct holding_held held = held_of(f, 1, 1, T0);

	clean(f);
	item_of(items, &count, "a", T0);
	for (int i = 0; i < 2; i++) {
		struct item *item = item_of(items, &count, "a", T0);
		item->report.verdicts = &verdict;
		item->report.verdict_count = 1;
	}
	land(f, &held, items, count);
	assert_sql(f, "SELECT concat_ws(' ', reports, folded) FROM ledger", "1 2");
	assert_sql(f, FOUND, "a eicar t");
}

/* Its senders name the parts: they must not fill the table. */
static void test_so_many_verdicts_are_kept(void **state)
{
	struct fixture *f = *state;
	struct verdict verdicts[64];
	char names[64][16];

	clean(f);
	land_found(f, 1, "a", T0, "first");
	for (unsigned n = 0; n < 5; n++) {
		struct item items[1];
		size_t count = 0;
		struct item *item = item_of(items, &count, "a", T0);
		struct holding_held held = held_of(f, 2 + n, 1, T0);
		for (unsigned i = 0; i < ARRAY_LEN(verdicts); i++) {
			snprintf(names[i], sizeof names[i], "%u.%u", n, i);
			verdicts[i] = (struct verdict){
				STR("yara 4"), STR("eicar"), STR("00"), str_of(names[i]), STR("match")};
		}
		item->report.verdicts = verdicts;
		item->report.verdict_count = ARRAY_LEN(verdicts);
		land(f, &held, items, count);
	}
	assert_sql(f, "SELECT count(*) FROM verdict", "128");
}

static void test_trap_11_clamped_times_are_told(void **state)
{
	struct fixture *f = *state;
	struct item items[5];
	size_t count = 0;
	struct holding_held held = held_of(f, 1, 1, T0);
	struct str note = STR("its own");

	clean(f);
	item_of(items, &count, "future", T0 + CLOCK_DAY)->report.notes = &note;
	items[0].report.note_count = 1;
	item_of(items, &count, "past", clock_of_civil(1970, 1, 1, 0, 0, 0));
	item_of(items, &count, "unknown", CLOCK_UNKNOWN);
	item_of(items, &count, "skew", T0 + 10 * CLOCK_SECOND);
	item_of(items, &count, "good", T0 - CLOCK_DAY);
	land(f, &held, items, count);
	assert_sql(f,
		"SELECT string_agg(concat_ws(': ', rule_key, array_to_string(notes, ' | ')), E'\n' ORDER BY "
		"id) FROM report",
		"future: its own | its sender says 2026-11-19T11:06:40Z, which is after it came: counted as "
		"of "
		"2026-11-18T11:06:40Z\n"
		"past: its sender says 1970-01-01T00:00:00Z, which is longer ago than is believed: counted "
		"as of "
		"2026-10-19T11:06:40Z\nunknown: \nskew: \ngood: ");
}

static void test_expired_indicator_opens_no_case(void **state)
{
	struct fixture *f = *state;
	struct item items[3];
	size_t count = 0;
	struct holding_held held = held_of(f, 1, 951, T0);

	clean(f);
	ask(f, "DELETE FROM source WHERE id = 951");
	ask(f, "INSERT INTO source (id, name, kind) OVERRIDING SYSTEM VALUE VALUES (951, 's-peer', 'taxii')");
	reload(f);
	item_of(items, &count, "live", T0)->report.valid_until = T0 + CLOCK_DAY;
	item_of(items, &count, "spent", T0)->report.valid_until = T0 - CLOCK_DAY;
	item_of(items, &count, "for good", T0);
	for (size_t i = 0; i < count; i++)
		items[i].report.severity = 90;
	land(f, &held, items, count);
	assert_sql(f,
		"SELECT string_agg(r.rule_key, ', ' ORDER BY r.id) FROM correlation_queue q JOIN report r ON "
		"r.id = q.report",
		"live, for good");
	assert_sql(f, "SELECT array_to_string(notes, ' | ') FROM report WHERE rule_key = 'spent'",
		"expired: valid until 2026-11-17T11:06:40Z, before it came; it opens no case");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trap_10_what_was_found_in_a_sighting_is_kept),
		cmocka_unit_test(test_trap_11_found_within_the_batch_of_its_report),
		cmocka_unit_test(test_so_many_verdicts_are_kept),
		cmocka_unit_test(test_trap_11_clamped_times_are_told),
		cmocka_unit_test(test_expired_indicator_opens_no_case),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
