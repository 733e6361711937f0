#include "unit.h"

#include <inttypes.h>

#include "base/hash.h"
#include "model/observable.h"
#include "model/rsit.h"
#include "model/severity.h"
#include "model/source.h"
#include "model/tlp.h"
#include "pg/pg.h"

#include "database.h"

/* The schema by itself: what must hold for every client, psql included. */
static int setup(void **state)
{
	struct database *db = database_open(NULL, "postgres");
	*state = db;
	return 0;
}

static int teardown(void **state)
{
	struct database *db = *state;
	database_ask(db, "ROLLBACK");
	database_close(&db);
	return 0;
}

#define assert_sql(db, sql, expected) assert_string_equal(database_ask(db, sql), expected)
#define assert_refused(db, sql, sqlstate) \
	assert_true(strncmp(database_ask(db, sql), sqlstate ": ", sizeof(sqlstate) + 1) == 0)

static void test_words_are_those_of_the_model(void **state)
{
	struct database *db = *state;
	char sql[200];
	assert_sql(db, "SELECT count(*) FROM unnest(enum_range(NULL::rsit_type))", "39");
	for (int type = RSIT_FIRST; type < RSIT_COUNT; type++) {
		snprintf(sql, sizeof sql, "SELECT (enum_range(NULL::rsit_type))[%d]", type);
		assert_sql(db, sql, rsit_name((enum rsit_type)type));
		snprintf(sql, sizeof sql, "SELECT rsit_class('%s')", rsit_name((enum rsit_type)type));
		assert_sql(db, sql, rsit_class((enum rsit_type)type));
	}
	for (int tlp = TLP_CLEAR; tlp <= TLP_RED; tlp++) {
		snprintf(sql, sizeof sql, "SELECT (enum_range(NULL::tlp))[%d]", tlp);
		assert_sql(db, sql, tlp_name((enum tlp)tlp));
	}
	for (int pap = PAP_CLEAR; pap <= PAP_RED; pap++) {
		snprintf(sql, sizeof sql, "SELECT (enum_range(NULL::pap))[%d]", pap);
		assert_sql(db, sql, pap_name((enum pap)pap));
	}
	for (int kind = SOURCE_MAILBOX; kind < SOURCE_KINDS; kind++) {
		snprintf(sql, sizeof sql, "SELECT (enum_range(NULL::source_kind))[%d]", kind);
		assert_sql(db, sql, source_kind_name((enum source_kind)kind));
	}
	for (int format = FORMAT_AUTO; format < FORMATS; format++) {
		snprintf(sql, sizeof sql, "SELECT (enum_range(NULL::source_format))[%d]", format + 1);
		assert_sql(db, sql, format_name((enum format)format));
	}
	for (int severity = 0; severity <= 100; severity++) {
		snprintf(sql, sizeof sql, "SELECT severity_name(%d)", severity);
		assert_sql(db, sql, severity_name(severity));
	}
}

static void test_program_needs_the_newest_migration(void **state)
{
	char newest[16];
	snprintf(newest, sizeof newest, "%d", PG_SCHEMA);
	assert_sql((struct database *)*state, "SELECT max(version) FROM migration", newest);
}

static void test_case_numbers_have_no_gaps(void **state)
{
	struct database *db = *state;
	database_ask(db, "BEGIN");
	database_ask(db, "INSERT INTO cases (title) VALUES ('rolled back')");
	database_ask(db, "ROLLBACK");
	database_ask(db, "INSERT INTO cases (title) VALUES ('one'), ('two')");
	assert_sql(db, "SELECT count(*) = max(substr(number, 6)::int) FROM cases", "t");
	assert_sql(db, "SELECT number ~ '^20[0-9]{2}-[0-9]{6}$' FROM cases", "t");
	assert_refused(db, "UPDATE cases SET number = '2026-999999'", "23514");
	assert_refused(db, "DELETE FROM cases", "42501");
}

static void test_cases_move_by_the_table(void **state)
{
	struct database *db = *state;
	database_ask(db, "INSERT INTO cases (title) VALUES ('moves')");
	assert_refused(db, "INSERT INTO cases (title, state) VALUES ('x', 'closed')", "23514");
	assert_refused(db, "UPDATE cases SET state = 'closed' WHERE title = 'moves'", "23514");
	assert_non_null(strstr(db->value, "it goes to open"));
	assert_sql(db, "UPDATE cases SET state = 'open' WHERE title = 'moves' RETURNING state", "open");
	assert_refused(db, "UPDATE cases SET state = 'closed' WHERE title = 'moves'", "23514");
	assert_sql(db,
		"UPDATE cases SET state = 'closed', outcome = 'cleaned' WHERE title = 'moves' RETURNING "
		"state",
		"closed");
	assert_refused(db, "UPDATE cases SET state = 'open' WHERE title = 'moves'", "23514");
	assert_sql(db,
		"UPDATE cases SET state = 'open', reason = 'again' WHERE title = 'moves' RETURNING state",
		"open");
	assert_refused(db, "UPDATE cases SET state = 'merged' WHERE title = 'moves'", "23514");
}

static void test_reports_of_a_case_are_counted_and_journalled_once_per_batch(void **state)
{
	struct database *db = *state;
	database_ask(db, "INSERT INTO cases (title) VALUES ('many')");
	database_ask(db, "INSERT INTO case_report (report, case_id) SELECT 202611 * 10000000000 + n, (SELECT "
			 "id FROM cases WHERE title = "
			 "'many') FROM generate_series(1, 500) n");
	assert_sql(db, "SELECT reports FROM case_view WHERE title = 'many'", "500");
	assert_sql(db,
		"SELECT count(*) FROM journal j JOIN cases c ON j.object = 'case/' || c.number WHERE c.title "
		"= 'many'",
		"2");
	database_ask(db, "UPDATE case_report SET ended = now() WHERE report % 2 = 0");
	assert_sql(db, "SELECT reports FROM case_view WHERE title = 'many'", "250");
	/* One case at a time. */
	assert_refused(db,
		"INSERT INTO case_report (report, case_id) SELECT 202611 * 10000000000 + 1, min(id) FROM "
		"cases",
		"23505");
}

/* Writers of one object at once: their chain must not fork. */
static void test_trap_16_chains_do_not_fork(void **state)
{
	struct database *db = *state;
	struct database *writers[4];
	for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
		writers[i] = database_open(db->loop, "postgres");
		for (size_t n = 0; n < 50; n++)
			database_send(writers[i], "SELECT journal_add('test/fork', 'step', NULL, 'x')");
	}
	for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
		database_wait(writers[i], 50);
		database_close(&writers[i]);
	}
	assert_sql(db,
		"SELECT count(*) || ' ' || max(n) || ' ' || count(DISTINCT hash) FROM journal WHERE object = "
		"'test/fork'",
		"200 200 200");
	assert_sql(db, "SELECT count(*) FROM audit_verify()", "0");
}

static void test_trap_16_edits_behind_its_back_are_found(void **state)
{
	struct database *db = *state;
	static const struct {
		const char *edit;
		const char *problem;
	} edits[] = {
		{"UPDATE journal SET actor = 'nobody' WHERE object = 'case/' || (SELECT min(number) FROM "
		 "cases) AND n = 1",
			"the columns are not what was hashed"},
		{"DELETE FROM journal WHERE object = 'test/three' AND n = 2", "row 3 follows row 1"},
		{"DELETE FROM journal WHERE object = 'test/three' AND n = 3",
			"the head is not the last row of its chain"},
		{"DELETE FROM journal_head WHERE object = 'test/three'", "a chain without a head"},
		{"UPDATE cases SET title = 'other' WHERE id = (SELECT min(id) FROM cases)",
			"cases 2 is not what the journal says: title"},
		{"UPDATE operator SET role = 'admin'", "operator 1 is not what the journal says: role"},
		{"INSERT INTO operator (name, role) VALUES ('hidden', 'admin')",
			"operator 2 is not in the journal"},
		{"DELETE FROM source WHERE name = 'abuse'", "source 4 is gone and the journal does not know"},
	};
	database_ask(db, "INSERT INTO cases (title) VALUES ('watched')");
	database_ask(db, "INSERT INTO operator (name, role) VALUES ('op', 'viewer')");
	database_ask(db, "SELECT journal_add('test/three', 'x', NULL, NULL) FROM generate_series(1, 3)");
	assert_sql(db, "SELECT count(*) FROM audit_verify()", "0");
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		database_ask(db, "BEGIN");
		assert_sql(db, "SET LOCAL session_replication_role = replica", "");
		assert_sql(db, edits[i].edit, "");
		assert_sql(db, "SELECT problem FROM audit_verify() LIMIT 1", edits[i].problem);
		database_ask(db, "ROLLBACK");
	}
}

static void test_journal_only_grows(void **state)
{
	struct database *db = *state;
	assert_refused(db, "UPDATE journal SET actor = 'x'", "42501");
	assert_refused(db, "DELETE FROM journal", "42501");
	assert_refused(db, "TRUNCATE journal", "42501");
	assert_refused(db, "DELETE FROM journal_head", "42501");
}

static void test_rights_of_operators_are_journalled(void **state)
{
	struct database *db = *state;
	database_ask(db, "BEGIN");
	database_ask(db, "SELECT set_config('cirt.actor', 'op9', true)");
	database_ask(db, "INSERT INTO operator (name, role) VALUES ('op7', 'analyst')");
	database_ask(db, "UPDATE operator SET role = 'lead' WHERE name = 'op7'");
	database_ask(db, "COMMIT");
	assert_sql(db,
		"SELECT string_agg(concat_ws(' ', actor, action, before::json ->> 'role', after::json ->> "
		"'role'), ', ' ORDER BY n) "
		"FROM journal WHERE object = 'operator/op7'",
		"op9 insert analyst, op9 update analyst lead");
	database_ask(db, "UPDATE source SET auth = 'user:secret' WHERE name = 'phish'");
	assert_sql(db, "SELECT count(*) FROM journal WHERE after LIKE '%secret%' OR before LIKE '%secret%'",
		"0");
}

static void test_note_is_in_the_journal_as_a_salted_digest(void **state)
{
	struct database *db = *state;
	database_ask(db, "INSERT INTO cases (title) VALUES ('noted')");
	database_ask(db, "INSERT INTO note (case_id, text) SELECT id, 'the patient is Jane' FROM cases WHERE "
			 "title = 'noted'");
	assert_sql(db, "SELECT count(*) FROM journal WHERE after LIKE '%Jane%'", "0");
	assert_sql(db,
		"SELECT after::json ->> 'digest' = encode(sha256(salt || convert_to(text, 'UTF8')), 'hex') "
		"FROM journal j, note n "
		"WHERE j.action = 'note'",
		"t");
}

/* Not one right more than the room's work takes. */
static void test_trap_22_rooms_may_only_do_their_work(void **state)
{
	struct database *db = *state;
	static const struct {
		const char *role;
		const char *sql;
	} refused[] = {
		{"cirt_store", "UPDATE report SET title = ''"},
		{"cirt_store", "DELETE FROM report"},
		{"cirt_store", "UPDATE ledger SET found = 0"},
		{"cirt_store", "INSERT INTO cases (title) VALUES ('x')"},
		{"cirt_store", "INSERT INTO operator (name, role) VALUES ('x', 'admin')"},
		{"cirt_store", "SELECT count(*) FROM journal"},
		{"cirt_store", "UPDATE source SET trust = 100"},
		{"cirt_store", "CREATE TABLE cirt.x ()"},
		{"cirt_store", "DELETE FROM feed_columns"},
		{"cirt_store", "SELECT * FROM feed_secrets()"},
		{"cirt_desk", "SELECT * FROM feed_secrets()"},
		{"cirt_store", "SELECT alarm_over('feed-drift', 'x')"},
		{"cirt_keeper", "INSERT INTO operator (name, role) VALUES ('x', 'admin')"},
		{"cirt_keeper", "UPDATE journal SET actor = ''"},
		{"cirt_keeper", "DELETE FROM report"},
		{"cirt_desk", "INSERT INTO journal (object, n, at, actor, role, action, bytes, hash) VALUES "
			      "('', 0, 0, '', '', '', '', '')"},
		{"cirt_desk", "UPDATE journal_head SET n = 0"},
		{"cirt_desk", "DELETE FROM case_report"},
		{"cirt_desk", "UPDATE report SET title = ''"},
		{"cirt_desk", "SELECT auth FROM source"},
		{"cirt_desk", "UPDATE ledger_day SET found = 0"},
		{"cirt_store", "SELECT auth FROM source"},
		{"cirt_keeper", "SELECT auth FROM source"},
		{"cirt_exchange", "SELECT auth FROM source"},
		{"cirt_exchange", "SELECT name FROM source"},
		{"cirt_exchange", "SELECT 1 FROM report"},
		{"cirt_exchange", "SELECT 1 FROM cases"},
		{"cirt_exchange", "SELECT 1 FROM report_view"},
		{"cirt_exchange", "SELECT 1 FROM organisation"},
	};
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct database *room = database_open(db->loop, refused[i].role);
		assert_refused(room, refused[i].sql, "42501");
		database_close(&room);
	}
}

/* Who moves a report from the later case into the earlier waits for the earlier before it holds the later. */
static void test_trap_15_cases_are_locked_in_one_order(void **state)
{
	struct database *db = *state;
	struct database *first = database_open(db->loop, "cirt_desk");
	struct database *second = database_open(db->loop, "cirt_desk");
	database_ask(db, "INSERT INTO cases (title) VALUES ('ring a')");
	database_ask(db, "INSERT INTO cases (title) VALUES ('ring b')");
	database_ask(db, "INSERT INTO case_report (report, case_id) SELECT 2026110000009001, id FROM cases "
			 "WHERE title = 'ring b'");
	database_ask(first, "BEGIN");
	database_ask(first, "UPDATE cases SET severity = 10 WHERE title = 'ring a'");
	database_send(second,
		"SELECT case_split(b.number, ARRAY[2026110000009001], a.number, '', 'over') IS NOT NULL "
		"FROM cases a, cases b WHERE a.title = 'ring a' AND b.title = 'ring b'");
	for (int64_t end = clock_monotonic() + 60 * CLOCK_SECOND; clock_monotonic() < end;)
		if (strcmp(database_ask(db, "SELECT count(*) FROM pg_locks WHERE NOT granted"), "1") == 0)
			break;
	assert_sql(first, "UPDATE cases SET severity = 20 WHERE title = 'ring b' RETURNING severity", "20");
	database_ask(first, "COMMIT");
	database_wait(second, 1);
	assert_string_equal(second->value, "t");
	assert_sql(db,
		"SELECT string_agg(concat_ws(' ', severity, reports), ', ' ORDER BY title) FROM case_view "
		"WHERE title LIKE 'ring _'",
		"10 1, 20 0");
	database_close(&first);
	database_close(&second);
}

/* What is on hold, why, and until when: in the journal, for every client. */
static void test_holds_are_journalled(void **state)
{
	struct database *db = *state;
	database_ask(db, "SELECT set_config('cirt.actor', 'op4', false)");
	assert_sql(db,
		"INSERT INTO hold (object, reason) VALUES ('report/202611-1', 'police') RETURNING actor",
		"op4");
	database_ask(db, "UPDATE hold SET until = now() WHERE object = 'report/202611-1'");
	assert_sql(db,
		"SELECT string_agg(concat_ws(' ', j.n, j.actor, j.after::jsonb ->> 'reason'), ', ' ORDER BY "
		"j.n) "
		"FROM journal j JOIN hold h ON j.object = 'hold/' || h.id WHERE h.reason = 'police'",
		"1 op4 police, 2 op4 police");
	struct database *desk = database_open(db->loop, "cirt_desk");
	assert_refused(desk, "DELETE FROM hold", "42501");
	database_close(&desk);
}

/* A month can always be taken away: nothing refers to it by key. */
static void test_trap_12_partitions_come_and_go(void **state)
{
	struct database *db = *state;
	assert_sql(db, "SELECT partition_month(203001)", "2030010002000000");
	assert_sql(db, "SELECT partition_month(203001)", "2030010002000000");
	assert_sql(db, "SELECT setval('report_id_203001', 2030010001500000)", "2030010001500000");
	assert_sql(db, "SELECT partition_month(203001)", "2030010003000000");
	assert_sql(db, "SELECT report_ids(203001, 1)", "2030010001500001");
	assert_refused(db, "SELECT partition_month(203013)", "22023");
	database_ask(db, "INSERT INTO cases (title) VALUES ('holds')");
	database_ask(
		db, "INSERT INTO sighting VALUES (2030010000000001, '2030-01-01', 1, 1, 1, now(), now())");
	database_ask(db, "INSERT INTO case_report (report, case_id) SELECT 2030010000000001, id FROM cases "
			 "WHERE title = 'holds'");
	assert_sql(db, "ALTER TABLE sighting DETACH PARTITION sighting_203001_0000 CONCURRENTLY", "");
	assert_sql(db, "DROP TABLE sighting_203001_0000", "");
	assert_sql(db, "SELECT report_number(2030010000000123)", "203001-123");
}

/* A month of nine reports: in a case, on hold, no longer on hold, still seen, waiting for a case, kept longer
 * by its source and by its class, and two that nobody needs. Each was seen and has a file of its own. */
static void make_old_month(struct database *db)
{
	database_ask(db, "SELECT partition_month(202001)");
	database_ask(db, "INSERT INTO report SELECT 2020010000000000 + n, timestamptz '2020-01-05', "
			 "'2020-01-05', n, NULL, "
			 "0, gen_random_uuid(), gen_random_uuid(), s.id, 0, 0, NULL, 0, (CASE n WHEN 7 THEN "
			 "'ddos' ELSE "
			 "'spam' END)::rsit_type, 'amber', 'amber', 1, 1, 1, 1, '', '', '', '', '', '', "
			 "'title', '', '', "
			 "'{}', '{}', '{}', '{}' FROM generate_series(1, 9) n JOIN source s ON s.name = CASE "
			 "n WHEN 6 THEN "
			 "'kept' ELSE 'let-go' END");
	database_ask(db,
		"INSERT INTO sighting SELECT id, '2020-01-05', source, 1, 1, received, received FROM "
		"report WHERE id / 10000000000 = 202001");
	database_ask(db, "INSERT INTO evidence SELECT 202001, sha256(id::text::bytea), 1, 'x' FROM report "
			 "WHERE id / 10000000000 = 202001");
	database_ask(db,
		"INSERT INTO attachment (report, sequence, spool, number, month, size, digest, name, "
		"media_type) SELECT id, sequence, spool, 0, 202001, 1, sha256(id::text::bytea), "
		"'a', 'b' FROM report WHERE id / 10000000000 = 202001");
	database_ask(db, "INSERT INTO cases (title) VALUES ('old')");
	database_ask(db, "INSERT INTO case_report (report, case_id) SELECT 2020010000000001, id FROM cases "
			 "WHERE title = 'old'");
	database_ask(db,
		"INSERT INTO hold (object, reason, until) VALUES ('report/2020010000000002', 'court', "
		"NULL), ('report/2020010000000003', 'court', '2021-01-01')");
	database_ask(db, "INSERT INTO fingerprint VALUES (gen_random_uuid(), 0, 'amber', 0, 1, 1, 1, "
			 "2020010000000004, now(), now(), now())");
	database_ask(db, "INSERT INTO correlation_queue (report, rule) VALUES (2020010000000005, 1)");
	database_ask(db, "INSERT INTO retention_rule (source, keep) SELECT id, '50 years' FROM source WHERE "
			 "name = 'kept'");
	database_ask(db, "INSERT INTO retention_rule (class, keep) VALUES ('availability', '50 years')");
}

static void test_trap_12_retention_takes_a_month_but_what_is_held(void **state)
{
	struct database *db = *state;
	assert_refused(db, "SELECT * FROM keeper_retire('179 days')", "22023");
	assert_sql(db, "SELECT count(*) FROM keeper_retire('100 years')", "0");
	database_ask(db, "INSERT INTO source (name, kind, match) VALUES ('kept', 'sensor', 'san:a'), "
			 "('let-go', 'sensor', 'san:b')");
	make_old_month(db);
	assert_sql(db, "SELECT concat_ws(' ', retired, reports, items, held) FROM keeper_retire('1 year')",
		"202001 3 0 6");
	assert_sql(db,
		"SELECT string_agg((id % 100)::text, ' ' ORDER BY id) FROM report WHERE id / 10000000000 = "
		"202001",
		"1 2 4 5 6 7");
	assert_sql(db,
		"SELECT concat_ws(' ', (SELECT count(*) FROM sighting WHERE report / 10000000000 = 202001), "
		"(SELECT count(*) FROM attachment WHERE month = 202001), "
		"(SELECT count(*) FROM evidence WHERE month = 202001))",
		"6 6 6");
	assert_sql(
		db, "SELECT concat_ws(' ', reports, items, held) FROM retired WHERE month = 202001", "3 0 6");
	assert_sql(db, "SELECT count(*) FROM journal WHERE object = 'retention/202001'", "1");
	assert_sql(db, "SELECT count(*) FROM keeper_retire('1 year')", "0");
	assert_refused(db, "DELETE FROM retired", "42501");
}

/* What a page of the desk asks is served by an index in every partition. */
static void test_trap_24_searches_use_their_index(void **state)
{
	struct database *db = *state;
	static const struct {
		const char *sql;
		const char *index;
	} searches[] = {
		{"WITH hit AS MATERIALIZED (SELECT id FROM report WHERE keys @> ARRAY[1::bigint] AND id >= "
		 "2026110000000000 AND id < "
		 "2026110001000000) SELECT id FROM hit ORDER BY id DESC LIMIT 50",
			"keys_idx"},
		{"SELECT id FROM report WHERE source = 1 AND id < 2026110001000000 AND id >= "
		 "2026110000000000 ORDER BY id DESC LIMIT 50",
			"source_id_idx"},
		{"SELECT id FROM report WHERE report_words(title, text) @@ plainto_tsquery('simple', "
		 "'parcel') AND text <> '' AND id >= "
		 "2026110000000000 AND id < 2026110001000000",
			"report_words_idx"},
		{"SELECT sum(count) FROM sighting WHERE report = 2026110000000001", "pkey"},
		{"SELECT report FROM case_report WHERE case_id = 1 AND ended IS NULL AND report < 5 ORDER BY "
		 "report DESC LIMIT 50",
			"case_report_case"},
	};
	database_ask(db, "SELECT partition_month(202611)");
	assert_sql(db,
		"INSERT INTO report SELECT 2026110000000000 + n, now(), now(), n, NULL, 0, "
		"gen_random_uuid(), gen_random_uuid(), n % 100, 0, 0, "
		"NULL, 0, 'spam', 'amber', 'amber', 1, 1, 1, 1, '', '', '', '', '', '', 'title', CASE WHEN n "
		"% 50 = 0 THEN 'parcel' || n "
		"ELSE '' END, '', '{}', ARRAY[n, n + 1, n % 1000], '{}', '{}' FROM generate_series(1, 20000) "
		"n",
		"");
	database_ask(db, "ANALYZE report");
	for (size_t i = 0; i < ARRAY_LEN(searches); i++) {
		char *sql = mem_printf("EXPLAIN (FORMAT json, COSTS off) %s", searches[i].sql);
		database_ask(db, sql);
		free(sql);
		if (!strstr(db->value, searches[i].index))
			fail_msg("%s is not served by %s: %s", searches[i].sql, searches[i].index, db->value);
	}
}

/* The default compression costs four times what storing does. */
static void test_trap_29_evidence_is_stored_as_it_is(void **state)
{
	struct database *db = *state;
	assert_sql(db,
		"SELECT string_agg(DISTINCT attstorage::text, '') FROM pg_attribute a JOIN pg_class c ON "
		"c.oid = a.attrelid "
		"WHERE attname = 'bytes' AND (relname ~ '^evidence' OR relname = 'quarantine')",
		"e");
}

static void test_exercise_is_added_never_removed(void **state)
{
	struct database *db = *state;
	database_ask(db, "SELECT exercise_id('drill-1')");
	database_ask(db, "INSERT INTO cases (title, exercise) SELECT 'drill', id FROM exercise WHERE name = "
			 "'drill-1'");
	assert_refused(db, "UPDATE cases SET exercise = 0 WHERE title = 'drill'", "23514");
	database_ask(db, "INSERT INTO cases (title) VALUES ('real')");
	assert_sql(db,
		"UPDATE cases SET exercise = (SELECT id FROM exercise WHERE name = 'drill-1') WHERE title = "
		"'real' "
		"RETURNING exercise <> 0",
		"t");
}

/* A function that has its owner's rights is granted to whom needs it; default privileges of a schema cannot
 * take PUBLIC's away. */
static void test_trap_22_no_owners_function_is_anybodys(void **state)
{
	struct database *db = *state;
	assert_sql(db,
		"SELECT coalesce(string_agg(p.proname, ' ' ORDER BY p.proname), '') FROM pg_proc p WHERE "
		"p.pronamespace = 'cirt'::regnamespace AND p.prosecdef AND p.prorettype <> "
		"'trigger'::regtype "
		"AND (p.proacl IS NULL OR EXISTS (SELECT 1 FROM aclexplode(p.proacl) a WHERE a.grantee = 0))",
		"");
}

static void test_columns_of_a_feed_are_remembered_and_drift_alarms(void **state)
{
	struct database *db = *state;
	assert_sql(db, "SELECT feed_columns_seen(2, 'scan_rdp', '{ip,port,tag}')", "f");
	assert_sql(db, "SELECT feed_columns_seen(2, 'scan_rdp', '{port,tag,ip}')", "f");
	assert_sql(db, "SELECT feed_columns_seen(4, 'scan_rdp', '{ip,port}')", "f");
	assert_sql(db, "SELECT count(*) FROM alarm", "0");
	assert_sql(db, "SELECT feed_columns_seen(2, 'scan_rdp', '{ip,tag,sector}')", "t");
	assert_sql(db, "SELECT feed_columns_seen(2, 'scan_rdp', '{sector,ip,tag}')", "f");
	assert_sql(db, "SELECT kind || ' | ' || subject || ' | ' || text || ' | ' || count FROM alarm",
		"feed-drift | report scan_rdp | the columns of this feed have changed; new: sector; gone: "
		"port | 1");
	assert_sql(db, "SELECT feed_columns_seen(2, 'scan_rdp', '{ip,tag,sector,city}')", "t");
	assert_sql(db, "SELECT count || ' ' || text FROM alarm",
		"2 the columns of this feed have changed; new: city");
	assert_sql(db, "SELECT columns || changes::text FROM feed_columns WHERE source = 2",
		"{ip,tag,sector,city,2}");
}

static void test_alarms_end_once_and_open_anew(void **state)
{
	struct database *db = *state;
	database_ask(db, "SELECT alarm_raise('feed-silent', 'abuse', 4, 'silent for 9 h')");
	assert_sql(db, "SELECT alarm_seen(id, 'on holiday') FROM alarm WHERE kind = 'feed-silent'", "t");
	assert_sql(db, "SELECT alarm_seen(id, '') FROM alarm WHERE kind = 'feed-silent'", "f");
	assert_sql(db,
		"SELECT concat_ws(' ', action, before::json ->> 'subject', after::json ->> 'reason') FROM "
		"journal WHERE object LIKE 'alarm/%'",
		"acknowledged abuse on holiday");
	database_ask(db, "SELECT alarm_raise('feed-silent', 'abuse', 4, 'silent for 30 h')");
	database_ask(db, "SELECT alarm_over('feed-silent', 'abuse')");
	assert_sql(db,
		"SELECT count(*) || ' ' || count(ended) || ' ' || count(ended_by) FROM alarm WHERE kind = "
		"'feed-silent'",
		"2 2 1");
}

static void test_the_exchange_sees_the_secrets_of_what_it_pulls(void **state)
{
	struct database *db = *state;
	struct database *room;

	database_ask(db, "INSERT INTO source (name, kind, auth, match) VALUES ('pulled', 'taxii', 'a:b', "
			 "'https://x.example/'), "
			 "('instance', 'misp', 'key k', 'https://y.example/'), ('not-pulled', 'sensor', "
			 "'c:d', 'san:x')");
	database_ask(db, "INSERT INTO source (name, kind, auth, match, enabled) VALUES "
			 "('off', 'feed', 'e:f', 'https://z.example/', false)");
	room = database_open(db->loop, "cirt_exchange");
	assert_sql(room, "SELECT string_agg(auth, ' ' ORDER BY auth) FROM feed_secrets()", "a:b key k");
	database_close(&room);
}

/* `since` of all that is told is not before we ran: a restart is no alarm. */
static void test_who_says_nothing_falls_silent_once(void **state)
{
	struct database *db = *state;

	database_ask(db, "INSERT INTO source (name, kind, match, silent_seconds, added) VALUES "
			 "('sleepy', 'sensor', 'san:sleepy', 60, now() - interval '1 day')");
	assert_sql(db, "SELECT fell::text FROM keeper_silence(now())", "{}");
	assert_sql(
		db, "SELECT fell::text LIKE '%sleepy: nothing new for%' FROM keeper_silence('epoch')", "t");
	assert_sql(db, "SELECT fell::text NOT LIKE '%sleepy%' FROM keeper_silence('epoch')", "t");
	assert_sql(db,
		"SELECT count(*) FROM alarm WHERE kind = 'feed-silent' AND subject = 'sleepy' AND ended IS "
		"NULL",
		"1");
	assert_sql(db,
		"SELECT count(*) FROM (SELECT alarm_seen(id, '') FROM alarm WHERE subject = 'sleepy') a",
		"1");
	assert_sql(db, "SELECT fell::text NOT LIKE '%sleepy%' FROM keeper_silence('epoch')", "t");
	assert_sql(db, "SELECT back::text LIKE '%sleepy%' FROM keeper_silence(now())", "t");
}

static void test_a_feed_that_cannot_be_pulled_falls_silent(void **state)
{
	struct database *db = *state;

	database_ask(db, "INSERT INTO source (name, kind, match, interval_seconds, added) VALUES "
			 "('broken', 'feed', 'https://b.example/', 60, now() - interval '1 day')");
	assert_sql(db,
		"SELECT feed_ended((SELECT id FROM source WHERE name = 'broken'), false, 'cut', 'half', '1 "
		"minute', 0)",
		"");
	assert_sql(db,
		"SELECT failures || trouble FROM feed_state JOIN source ON id = source WHERE name = 'broken'",
		"1cut");
	assert_sql(db, "SELECT fell::text LIKE '%broken: it cannot be pulled%' FROM keeper_silence('epoch')",
		"t");
	assert_sql(db,
		"SELECT feed_ended((SELECT id FROM source WHERE name = 'broken'), true, '', '', '1 minute', "
		"2)",
		"");
	assert_sql(db, "SELECT back::text LIKE '%broken%' FROM keeper_silence('epoch')", "t");
	assert_sql(db,
		"SELECT failures || trouble || pages FROM feed_state JOIN source ON id = source WHERE name = "
		"'broken'",
		"02");
}

#define OF_LISTED "(SELECT id FROM source WHERE name = 'listed')"
#define GIVEN_UP                                                                                       \
	"'[{\"item\":\"a\",\"version\":\"1\",\"about\":\"\",\"trouble\":\"cut\",\"problem\":\"half\"," \
	"\"place\":1,\"tries\":"                                                                       \
	"3,\"given_up\":true,\"taken\":false}]'"
#define TAKEN "'[{\"item\":\"a\",\"version\":\"1\",\"about\":\"\",\"given_up\":true,\"taken\":true}]'"

/* What the exchange tells is one alarm a source, until nothing is lost any more; it writes of feeds only. */
static void test_items_given_up_are_an_alarm_until_they_are_had(void **state)
{
	struct database *db = *state;
	struct database *room;
	static const char open_alarms[] =
		"SELECT count(*) FROM alarm WHERE kind = 'feed-item' AND ended IS NULL";

	database_ask(db, "INSERT INTO source (name, kind, match) VALUES ('listed', 'misp-feed', "
			 "'https://l.example/'), "
			 "('box', 'mailbox', 'x@y')");
	room = database_open(db->loop, "cirt_exchange");
	assert_sql(room, "SELECT feed_items(0, true, '[]')", "");
	assert_refused(room, "INSERT INTO feed_state (source, tried) VALUES (1, now())", "42501");
	database_close(&room);
	database_ask(db, "SELECT feed_items(" OF_LISTED ", true, " GIVEN_UP ")");
	assert_sql(db, open_alarms, "1");
	database_ask(db, "SELECT feed_items(" OF_LISTED ", true, '[]')"); /* a restart forgets no loss */
	assert_sql(db, "SELECT string_agg(item || tries, ' ') FROM feed_item", "a3");
	database_ask(db, "SELECT feed_items(" OF_LISTED ", false, " TAKEN ")");
	assert_sql(db, "SELECT count(*) FROM feed_item", "0");
	assert_sql(db, open_alarms, "0");
	database_ask(db, "SELECT feed_items((SELECT id FROM source WHERE name = 'box'), true, " GIVEN_UP ")");
	assert_sql(db, "SELECT count(*) FROM feed_item", "0");
	database_ask(db, "SELECT feed_ended(" OF_LISTED ", false, 'loop', 'no way on', '1 minute', 0)");
	assert_sql(db, "SELECT text FROM alarm WHERE kind = 'feed-stuck' AND ended IS NULL", "no way on");
	database_ask(db, "SELECT feed_ended(" OF_LISTED ", true, '', '', '1 minute', 1)");
	assert_sql(db, "SELECT count(*) FROM alarm WHERE kind = 'feed-stuck' AND ended IS NULL", "0");
}

/* What a report is filed under in C is what the desk looks for in SQL, whatever somebody wrote. */
static void test_search_keys_are_those_of_the_model(void **state)
{
	static const struct {
		enum observable_type type;
		struct str value; /* as written */
	} cases[] = {
		{OBSERVABLE_IP, STR("192.0.2.1")},
		{OBSERVABLE_IP, STR("192.0.2[.]1")},
		{OBSERVABLE_IP, STR("::ffff:192.0.2.1")},
		{OBSERVABLE_IP, STR("2001:DB8:0:0::1")},
		{OBSERVABLE_IP, STR("2001:db8::/32")},
		{OBSERVABLE_NAME, STR("BANK.Example.")},
		{OBSERVABLE_NAME, STR("bank[.]example")},
		{OBSERVABLE_NAME, STR("B\xc3\x9c"
				      "CHER.example")},
		{OBSERVABLE_NAME, STR("xn--bcher-kva.example")},
		{OBSERVABLE_NAME, STR("b\xd0\xb0nk.example")},
		{OBSERVABLE_NAME, STR("stra\xc3\x9f"
				      "e.example")},
		{OBSERVABLE_NAME, STR("\xc4\xb0stanbul.example")},
		{OBSERVABLE_NAME, STR("..")},
		{OBSERVABLE_NAME, STR("a..b")},
		{OBSERVABLE_URL, STR("hxxps://Bank[.]example:443/A%20b?q='--\\")},
		{OBSERVABLE_URL, STR("http://b\xc3\xbc"
				     "cher.example/\xf0\x9f\x94\x92")},
		{OBSERVABLE_EMAIL, STR("Jos\xc3\xa9.O'Hara+Tag@Bank.EXAMPLE")},
		{OBSERVABLE_FILENAME, STR("rechnung\xe2\x80\xae"
					  "fdp.exe")},
		{OBSERVABLE_FILENAME, STR("a\\b\n\t'\"$1")},
		{OBSERVABLE_MALWARE, STR("\xce\x95\xce\xbb\xce\xbb\xce\xac\xce\xa3")},
		{OBSERVABLE_MUTEX, STR("\xef\xbf\xbd\xef\xbb\xbf")},
		{OBSERVABLE_SHA256, STR("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")},
	};
	struct arena *arena = arena_new(4096);
	size_t sound = 0;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char hex[400], sql[600], expected[32];
		struct str value = cases[i].value;
		const char *kind = observable_type_name(cases[i].type);
		sound += observable_normalise(cases[i].type, cases[i].value, arena, &value);
		assert_true(value.len * 2 < sizeof(hex));
		snprintf(sql, sizeof(sql), "SELECT search_key('%s', convert_from('\\x%s', 'UTF8'))", kind,
			hex_encode(value.p, value.len, hex));
		snprintf(expected, sizeof(expected), "%" PRId64, search_key(kind, value));
		assert_sql(*state, sql, expected);
	}
	assert_true(sound > ARRAY_LEN(cases) / 2);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_search_keys_are_those_of_the_model, setup, teardown),
		cmocka_unit_test_setup_teardown(test_words_are_those_of_the_model, setup, teardown),
		cmocka_unit_test_setup_teardown(test_program_needs_the_newest_migration, setup, teardown),
		cmocka_unit_test_setup_teardown(test_case_numbers_have_no_gaps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cases_move_by_the_table, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_reports_of_a_case_are_counted_and_journalled_once_per_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_16_chains_do_not_fork, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_16_edits_behind_its_back_are_found, setup, teardown),
		cmocka_unit_test_setup_teardown(test_journal_only_grows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rights_of_operators_are_journalled, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_note_is_in_the_journal_as_a_salted_digest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_22_rooms_may_only_do_their_work, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_15_cases_are_locked_in_one_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_holds_are_journalled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_12_partitions_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_12_retention_takes_a_month_but_what_is_held, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_24_searches_use_their_index, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_29_evidence_is_stored_as_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exercise_is_added_never_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_22_no_owners_function_is_anybodys, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_columns_of_a_feed_are_remembered_and_drift_alarms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alarms_end_once_and_open_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_the_exchange_sees_the_secrets_of_what_it_pulls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_says_nothing_falls_silent_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_feed_that_cannot_be_pulled_falls_silent, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_items_given_up_are_an_alarm_until_they_are_had, setup, teardown),
	};
	return cmocka_run_group_tests_name("sql", tests, NULL, NULL);
}
