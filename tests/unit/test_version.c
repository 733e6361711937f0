#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "landing_place.h"

#define OF_PEER "identity--00000001-0000-4000-8000-000000000001"

/* One object of an entry: what its sender says. */
struct told {
	const char *version; /* minute and second of it: "10:30" */
	const char *host;    /* "": the same as the first */
	const char *creator;
	enum tlp tlp;
	bool revoked, context;
	int severity;
	int64_t count;
};

static uint64_t sequence;

/* Land one entry of these versions of one object, of one source. */
static void tell(struct fixture *f, uint32_t source, const struct told *told, size_t count)
{
	struct item items[8];
	struct stix_object objects[8];
	struct observable hosts[8];
	struct holding_held held = held_of(f, ++sequence, source, T0);
	size_t target = f->released + 1;

	for (uint32_t i = 0; i < count; i++) {
		struct report report = report_of("indicator--1", T0 - CLOCK_DAY);
		report.tlp = told[i].tlp ? told[i].tlp : TLP_AMBER;
		report.severity = told[i].severity ? told[i].severity : -1;
		report.count = told[i].count ? told[i].count : 1;
		hosts[i] = (struct observable){OBSERVABLE_NAME, OBSERVED_INDICATOR,
			str_of(told[i].host && told[i].host[0] ? told[i].host : "first.example")};
		report.observables = &hosts[i];
		report.observable_count = 1;
		items[i] =
			(struct item){.kind = told[i].revoked || told[i].context ? ITEM_CONTEXT : ITEM_REPORT,
				.number = i,
				.part = STR("objects"),
				.report = report};
		objects[i] = (struct stix_object){.id = STR("indicator--1"),
			.type = STR("indicator"),
			.version = arena_printf(f->arena, "2026-11-01T00:%s.000Z", told[i].version),
			.spec = STR("2.1"),
			.created_by = str_of(told[i].creator ? told[i].creator : OF_PEER),
			.revoked = told[i].revoked,
			.tlp = report.tlp,
			.text = STR("{}"),
			.item = i};
		memcpy(objects[i].digest, hosts[i].value.p, 8);
	}
	struct finding finding = {
		.items = items, .item_count = count, .objects = objects, .object_count = count};
	land_finding(f, &held, &finding);
	lander_kick(f->lander);
	turn(f, &f->released, target);
}

/* Reports, sightings in sum, versions of the object, newer ones of the report, and what the keeper is told.
 */
#define STANDING                                                                                             \
	"SELECT concat_ws(' ', (SELECT count(*) FROM report), (SELECT sum(count) FROM sighting), (SELECT "   \
	"count(*) "                                                                                          \
	"FROM stix_object), (SELECT count(*) FROM report_version), (SELECT coalesce(string_agg(kind::text, " \
	"',' "                                                                                               \
	"ORDER BY id), '-') FROM revision_queue))"
#define HOLDS "SELECT concat_ws(' ', substr(version, 15, 5), revoked, trust) FROM stix_current"
/* Nothing is found that is not counted. */
#define BALANCED                                                                                             \
	"SELECT sum(found) = sum(reports) + sum(folded) + sum(context) AND sum(reports) = (SELECT count(*) " \
	"FROM "                                                                                              \
	"report) AND sum(context) = (SELECT count(*) FROM item) FROM ledger"

static void begin(struct fixture *f)
{
	clean(f);
	ask(f, "DELETE FROM source WHERE name LIKE 'v-%'");
	ask(f, "INSERT INTO source (id, name, kind, trust, restricted) OVERRIDING SYSTEM VALUE VALUES (901, "
	       "'v-peer', "
	       "'taxii', 60, false), (902, 'v-other', 'taxii', 60, false), (903, 'v-low', 'feed', 20, "
	       "false), (904, "
	       "'v-secret', 'feed', 60, true)");
	reload(f);
}

static void test_newer_version_updates_its_report(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901, &(struct told){.version = "10:00"}, 1);
	tell(f, 901, &(struct told){.version = "20:00", .host = "second.example", .severity = 90}, 1);
	assert_sql(f, STANDING, "1 1 2 1 updated");
	assert_sql(f, HOLDS, "20:00 f 60");
	assert_sql(f, BALANCED, "t");
	/* what it says is found, and stands beside what the first one said */
	assert_sql(f,
		"SELECT concat_ws(' ', w.observables[1], w.report = r.id, r.observables[1], o.report = r.id) "
		"FROM "
		"report r, report_version w, stix_object o WHERE o.version = w.version",
		"name indicator second.example t name indicator first.example t");
	/* the keeper raises */
	assert_sql(f, "SELECT max(severity) FROM raise_queue", "90");
}

static void test_count_of_a_newer_version_is_no_second_sum(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901, &(struct told){.version = "10:00", .count = 5}, 1);
	tell(f, 901, &(struct told){.version = "20:00", .count = 8}, 1);
	tell(f, 901, &(struct told){.version = "30:00", .count = 3}, 1);
	assert_sql(f, "SELECT sum(count) FROM sighting", "8");
}

static void test_same_version_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901, &(struct told){.version = "10:00"}, 1);
	tell(f, 901, &(struct told){.version = "10:00"}, 1);
	tell(f, 901, (struct told[]){{.version = "10:00"}, {.version = "10:00"}}, 2);
	assert_sql(f, STANDING, "1 1 1 0 -");
	assert_sql(f, BALANCED, "t");
	/* somebody else who says so has seen it, once */
	tell(f, 902, &(struct told){.version = "10:00"}, 1);
	tell(f, 902, &(struct told){.version = "10:00"}, 1);
	assert_sql(f, STANDING, "1 2 2 0 -");
	assert_sql(f, "SELECT count(DISTINCT source) FROM sighting", "2");
}

static void test_context_again_makes_no_second_row(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901, &(struct told){.version = "10:00", .context = true}, 1);
	tell(f, 901, &(struct told){.version = "10:00", .context = true}, 1);
	assert_sql(f, "SELECT count(*) FROM item", "1");
	assert_sql(f, "SELECT sum(folded) FROM ledger", "1");
	tell(f, 901, &(struct told){.version = "20:00", .context = true}, 1);
	assert_sql(f, "SELECT count(*) FROM item", "2");
	assert_sql(f, BALANCED, "t");
}

static void test_older_version_that_comes_late_changes_nothing(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901, &(struct told){.version = "20:00"}, 1);
	tell(f, 901, &(struct told){.version = "10:00", .host = "old.example", .severity = 99}, 1);
	assert_sql(f, STANDING, "1 1 2 0 -");
	assert_sql(f, HOLDS, "20:00 f 60");
	assert_sql(f, "SELECT count(*) FROM raise_queue", "0");
	assert_sql(f, BALANCED, "t");
}

static void test_revoked_object_marks_its_report_for_good(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901, &(struct told){.version = "10:00"}, 1);
	tell(f, 901, &(struct told){.version = "20:00", .revoked = true}, 1);
	assert_sql(f, STANDING, "1 1 2 0 revoked");
	/* nothing that comes later brings it back */
	tell(f, 901, &(struct told){.version = "30:00"}, 1);
	tell(f, 901, &(struct told){.version = "10:00"}, 1);
	tell(f, 902, &(struct told){.version = "20:00", .revoked = true}, 1);
	assert_sql(f, STANDING, "1 1 4 0 revoked,refused");
	assert_sql(f, HOLDS, "20:00 t 60");
	assert_sql(f, "SELECT bool_and(o.report = r.id) FROM stix_object o, report r", "t");
	assert_sql(f, BALANCED, "t");
}

/* Revoked before it was heard of: an older version that comes late is no report. */
/* A creator that revokes without a new time of modification means it all the same; only a later version could
 * take that back, and none does. */
static void test_revoked_under_the_same_version_holds(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901, &(struct told){.version = "10:00"}, 1);
	tell(f, 901, &(struct told){.version = "10:00", .host = "gone.example", .revoked = true}, 1);
	assert_sql(f, HOLDS, "10:00 t 60");
	assert_sql(f, STANDING, "1 1 1 0 revoked");
	assert_sql(f, BALANCED, "t");
	/* again, and what it was before: nothing changes */
	tell(f, 901, &(struct told){.version = "10:00", .host = "gone.example", .revoked = true}, 1);
	tell(f, 901, &(struct told){.version = "10:00"}, 1);
	assert_sql(f, HOLDS, "10:00 t 60");
	assert_sql(f, STANDING, "1 1 1 0 revoked");
	/* in one batch, whatever comes first */
	begin(f);
	tell(f, 901,
		(struct told[]){
			{.version = "10:00", .host = "gone.example", .revoked = true}, {.version = "10:00"}},
		2);
	assert_sql(f, HOLDS, "10:00 t 60");
	assert_sql(f, BALANCED, "t");
	/* who may not change it does not revoke it either */
	begin(f);
	tell(f, 901, &(struct told){.version = "10:00"}, 1);
	tell(f, 903, &(struct told){.version = "10:00", .host = "gone.example", .revoked = true}, 1);
	assert_sql(f, HOLDS, "10:00 f 60");
	assert_sql(f, STANDING, "1 1 2 0 conflict");
}

static void test_revoked_object_never_becomes_a_report(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901, &(struct told){.version = "20:00", .revoked = true}, 1);
	tell(f, 901, &(struct told){.version = "10:00"}, 1);
	assert_sql(f,
		"SELECT concat_ws(' ', (SELECT count(*) FROM report), (SELECT count(*) FROM revision_queue))",
		"0 0");
	assert_sql(f, BALANCED, "t");
}

static void test_versions_in_one_batch(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901,
		(struct told[]){{.version = "10:00"}, {.version = "30:00", .host = "third.example"},
			{.version = "20:00", .host = "second.example"},
			{.version = "40:00", .revoked = true}},
		4);
	assert_sql(f, STANDING, "1 1 4 1 updated,revoked");
	assert_sql(f, HOLDS, "40:00 t 60");
	assert_sql(f, "SELECT bool_and(o.report = r.id) FROM stix_object o, report r", "t");
	assert_sql(f, BALANCED, "t");
}

static void test_only_the_creator_makes_versions(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901, &(struct told){.version = "10:00"}, 1);
	tell(f, 902, &(struct told){.version = "20:00", .creator = "identity--2", .revoked = true}, 1);
	assert_sql(f, STANDING, "1 1 2 0 refused");
	/* a source that is trusted less may say it too, and changes nothing; one that is trusted as much does
	 */
	tell(f, 903, &(struct told){.version = "30:00", .revoked = true}, 1);
	assert_sql(f, HOLDS, "10:00 f 60");
	tell(f, 902, &(struct told){.version = "40:00", .revoked = true}, 1);
	assert_sql(f, HOLDS, "40:00 t 60");
	assert_sql(f, STANDING, "1 1 4 0 refused,refused,revoked");
	assert_sql(f, BALANCED, "t");
}

static void test_other_content_of_one_version_is_a_conflict(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901, &(struct told){.version = "10:00"}, 1);
	tell(f, 902, &(struct told){.version = "10:00", .host = "other.example"}, 1);
	assert_sql(f, STANDING, "1 1 2 0 conflict");
	assert_sql(f, BALANCED, "t");
}

/* trap 10: what is told under another TLP is a report of its own; the one that may leave no longer holds. */
static void test_trap_10_newer_version_under_another_tlp(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901, &(struct told){.version = "10:00", .tlp = TLP_GREEN}, 1);
	tell(f, 901, &(struct told){.version = "20:00", .tlp = TLP_RED}, 1);
	assert_sql(f, STANDING, "2 2 2 0 replaced");
	assert_sql(f,
		"SELECT concat_ws(' ', a.tlp, b.tlp, l.kind) FROM revision_queue q JOIN report a ON a.id = "
		"q.report JOIN "
		"report b ON b.id = q.newer JOIN report_link l ON l.a = b.id AND l.b = a.id",
		"green red same-incident");
	assert_sql(f, BALANCED, "t");
}

/* trap 10: what a restricted source tells does not touch what others told. */
static void test_trap_10_restricted_source_has_versions_of_its_own(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901, &(struct told){.version = "10:00"}, 1);
	tell(f, 904, &(struct told){.version = "20:00", .revoked = true}, 1);
	assert_sql(f, STANDING, "1 1 2 0 -");
	assert_sql(f,
		"SELECT string_agg(concat_ws(' ', scope, revoked), ',' ORDER BY scope) FROM stix_current",
		"0 f,904 t");
}

/* A version that comes when its report has been retired is a first one again. */
static void test_retired_report_takes_its_versions_along(void **state)
{
	struct fixture *f = *state;
	begin(f);
	tell(f, 901, &(struct told){.version = "10:00"}, 1);
	tell(f, 901, &(struct told){.version = "20:00"}, 1);
	ask(f, "DELETE FROM stix_object");
	assert_sql(f,
		"SELECT concat_ws(' ', (SELECT count(*) FROM stix_current), (SELECT count(*) FROM "
		"report_version))",
		"0 0");
	tell(f, 901, &(struct told){.version = "30:00"}, 1);
	assert_sql(f, HOLDS, "30:00 f 60");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newer_version_updates_its_report),
		cmocka_unit_test(test_count_of_a_newer_version_is_no_second_sum),
		cmocka_unit_test(test_same_version_again_changes_nothing),
		cmocka_unit_test(test_context_again_makes_no_second_row),
		cmocka_unit_test(test_older_version_that_comes_late_changes_nothing),
		cmocka_unit_test(test_revoked_object_marks_its_report_for_good),
		cmocka_unit_test(test_revoked_under_the_same_version_holds),
		cmocka_unit_test(test_revoked_object_never_becomes_a_report),
		cmocka_unit_test(test_versions_in_one_batch),
		cmocka_unit_test(test_only_the_creator_makes_versions),
		cmocka_unit_test(test_other_content_of_one_version_is_a_conflict),
		cmocka_unit_test(test_trap_10_newer_version_under_another_tlp),
		cmocka_unit_test(test_trap_10_restricted_source_has_versions_of_its_own),
		cmocka_unit_test(test_retired_report_takes_its_versions_along),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
