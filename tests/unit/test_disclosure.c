#include "unit.h"

#include "model/gate.h"
#include "pg/pg.h"

#include "database.h"

/*
 * What must not leave does not, whoever asks: the gate of the program and that of the database agree on every
 * combination, no role can put a row into a mail that the gate does not let, and where one stands in it all
 * the same the courier does not see it.
 */
#define assert_sql(db, sql, expected) assert_string_equal(database_ask(db, sql), expected)
#define assert_refused(db, sql, sqlstate) \
	assert_true(strncmp(database_ask(db, sql), sqlstate ": ", sizeof sqlstate + 1) == 0)

/* Every question and the program's answer to it. */
static void put_expected(struct database *db)
{
	struct buf sql = {0};
	size_t rows = 0;

	buf_printf(&sql, "INSERT INTO expected VALUES ");
	for (unsigned n = 0; n < 5u * 4 * 2 * 2 * 3 * 5 * 2 * 2; n++) {
		unsigned rest = n;
		struct gate_question question;
		const char *why;
		question.tlp = (enum tlp)(TLP_CLEAR + rest % 5), rest /= 5;
		question.pap = (enum pap)(PAP_CLEAR + rest % 4), rest /= 4;
		question.may_notify_affected = rest % 2, rest /= 2;
		question.restricted = rest % 2, rest /= 2;
		question.released = (enum release_kind)(rest % 3), rest /= 3;
		question.recipient = (enum recipient_kind)(rest % 5), rest /= 5;
		question.exercise = rest % 2, rest /= 2;
		question.in_directory = rest % 2;
		enum gate_verdict verdict = gate_decide(&question, &why);
		buf_printf(&sql, "%s('%s','%s',%s,%s,'%s','%s',%s,%s,'%s',%s,%s,%s)", rows++ ? "," : "",
			tlp_name(question.tlp), pap_name(question.pap),
			question.may_notify_affected ? "true" : "false",
			question.restricted ? "true" : "false", release_kind_name(question.released),
			recipient_kind_name(question.recipient), question.exercise ? "true" : "false",
			question.in_directory ? "true" : "false", gate_verdict_name(verdict),
			gate_lets(verdict, FORM_FULL, false) ? "true" : "false",
			gate_lets(verdict, FORM_SANITISED, false) ? "true" : "false",
			gate_lets(verdict, FORM_FULL, true) ? "true" : "false");
	}
	assert_int_equal(rows, 4800);
	assert_sql(db, buf_cstr(&sql), "");
	buf_free(&sql);
}

/* A report of every kind, and a mail of every kind to a real address and to two of a drill. */
static void put_world(struct database *db)
{
	static const char *const steps[] = {
		"CREATE TABLE expected (tlp tlp, pap pap, may boolean, restricted boolean, released "
		"release_kind, kind recipient_kind, exercise boolean, inside boolean, verdict gate_verdict, "
		"whole boolean, sanitised boolean, approved boolean)",
		"SELECT exercise_id('gate drill')",
		"INSERT INTO exercise_directory SELECT id, 'in@drill.example' FROM exercise WHERE name = "
		"'gate "
		"drill'",
		"INSERT INTO source (name, kind, may_notify_affected, restricted) SELECT 'gate-' || m || r, "
		"'desk', m = 1, r = 1 FROM generate_series(0, 1) m, generate_series(0, 1) r",
		"SELECT partition_month(202612)",
		"INSERT INTO report SELECT 2026120000000000 + row_number() OVER (), now(), now(), 1, NULL, "
		"0, "
		"gen_random_uuid(), gen_random_uuid(), s.id, 0, e.id, NULL, 0, 'spam', t, p, 1, 1, 1, 1, '', "
		"'', l::text, '', 'mirai', '', 'secret title', 'secret text', 'secret doc', "
		"'{ip source 192.0.2.1,email reporter who@told.example}', '{}', '{}', '{}' "
		"FROM source s, exercise e, unnest(enum_range(NULL::tlp)) t, unnest(enum_range(NULL::pap)) "
		"p, "
		"unnest(enum_range(NULL::release_kind)) l WHERE s.name LIKE 'gate-%' AND (e.id = 0 OR e.name "
		"= "
		"'gate drill')",
		"INSERT INTO release (report, source, granted, answered) SELECT id, source, "
		"sender_id::release_kind, now() FROM report WHERE id > 2026120000000000 AND sender_id <> "
		"'none'",
		"INSERT INTO outbox (kind, exercise, recipient, address, form, approved_by, message_id) "
		"SELECT 'notice', CASE WHEN a = 'it@real.example' THEN 0 ELSE e.id END, k, a, f, "
		"CASE n WHEN 1 THEN '{op1,op2}'::text[] ELSE '{}' END, gen_random_uuid() || '@cirt.example' "
		"FROM exercise e, unnest(ARRAY['it@real.example', 'in@drill.example', 'out@drill.example']) "
		"a, "
		"unnest(enum_range(NULL::recipient_kind)) k, unnest(enum_range(NULL::disclosure_form)) f, "
		"generate_series(0, 1) n WHERE e.name = 'gate drill'",
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		database_ask(db, steps[i]);
		if (strlen(db->value) > 7 && db->value[5] == ':')
			fail_msg("%s: %s", steps[i], db->value);
	}
	put_expected(db);
	database_ask(db, "ANALYZE");
	database_ask(db,
		"CREATE TABLE pair AS SELECT r.id AS report, o.id AS outbox, r.exercise = o.exercise AS "
		"together, "
		"CASE WHEN o.form = 'sanitised' THEN x.sanitised OR (x.approved AND "
		"cardinality(o.approved_by) "
		"= 2) WHEN cardinality(o.approved_by) = 2 THEN x.approved ELSE x.whole END AS lets, "
		"x.approved OR (x.sanitised AND o.form = 'sanitised') AS may_be_put "
		"FROM report r JOIN source s ON s.id = r.source CROSS JOIN outbox o JOIN expected x ON x.tlp "
		"= "
		"r.tlp AND x.pap = r.pap AND x.may = s.may_notify_affected AND x.restricted = s.restricted "
		"AND x.released::text = r.sender_id AND x.kind = o.recipient AND x.exercise = (r.exercise <> "
		"0) "
		"AND x.inside = (o.address = 'in@drill.example') WHERE r.id > 2026120000000000");
	database_ask(db, "ANALYZE pair");
	assert_sql(db, "SELECT count(*) FROM pair", "28800");
}

static int setup(void **state)
{
	struct database *db = database_open(NULL, "postgres");
	*state = db;
	put_world(db);
	return 0;
}

static int teardown(void **state)
{
	struct database *db = *state;
	database_close(&db);
	return 0;
}

static void test_both_gates_agree_on_every_combination(void **state)
{
	struct database *db = *state;
	assert_sql(db,
		"SELECT count(*) FROM expected WHERE verdict = gate_decide(tlp, pap, may, restricted, "
		"released, "
		"kind, exercise, inside) AND whole = gate_lets(verdict, 'full', false) AND sanitised = "
		"gate_lets(verdict, 'sanitised', false) AND approved = gate_lets(verdict, 'full', true)",
		"4800");
	assert_sql(db, "SELECT count(DISTINCT verdict) FROM expected", "5");
	assert_sql(db, "SELECT gate_decide(NULL, 'clear', true, false, 'none', 'affected', false, false)",
		"refuse");
	assert_sql(db, "SELECT gate_decide('clear', 'clear', true, false, NULL, 'source', false, false)",
		"refuse");
	assert_sql(db, "SELECT gate_lets(NULL, 'full', true)", "f");
	assert_sql(db, "SELECT gate_report(1, 'source', 'x@y.example')", "refuse");
}

/* As the keeper, one by one, each kind of report into each kind of mail. */
static void test_nobody_puts_into_a_mail_what_must_not_leave(void **state)
{
	struct database *db = *state;
	assert_sql(db,
		"DO $$ DECLARE p record; put boolean; wrong int := 0; good int := 0; BEGIN "
		"FOR p IN SELECT * FROM pair WHERE outbox IN (SELECT id FROM outbox WHERE approved_by = "
		"'{}') LOOP "
		"BEGIN EXECUTE 'SET LOCAL ROLE cirt_keeper'; "
		"INSERT INTO disclosure (report, outbox, cause, recipient, form, tlp, version, content) "
		"VALUES "
		"(p.report, p.outbox, 'new', 'source', 'full', 'clear', now(), '{\"forged\":1}'); put := "
		"true; "
		"EXCEPTION WHEN insufficient_privilege OR check_violation THEN put := false; END; "
		"EXECUTE 'RESET ROLE'; "
		"IF put <> (p.together AND p.may_be_put) THEN wrong := wrong + 1; END IF; "
		"IF put THEN good := good + 1; END IF; END LOOP; "
		"IF wrong > 0 OR good = 0 THEN RAISE EXCEPTION '% wrong, % good', wrong, good; END IF; END "
		"$$",
		"");
	assert_sql(db, "SELECT count(*) FROM disclosure WHERE content ? 'forged'", "0");
	assert_sql(db,
		"SELECT count(*) FROM disclosure d JOIN outbox o ON o.id = d.outbox JOIN report r ON r.id = "
		"d.report WHERE d.form <> o.form OR d.recipient <> o.recipient OR d.tlp <> r.tlp",
		"0");
	assert_sql(db,
		"SELECT count(*) FROM disclosure WHERE form = 'sanitised' AND content::text ~ "
		"'secret|mirai|told'",
		"0");
	assert_sql(db,
		"SELECT count(*) FROM disclosure WHERE content::text ~ 'told.example|secret doc|gate-'", "0");
	assert_sql(db,
		"SELECT count(*) FROM outbox o WHERE o.form = 'full' AND o.tlp < (SELECT max(tlp) FROM "
		"disclosure WHERE outbox = o.id)",
		"0");
	assert_refused(db, "UPDATE disclosure SET content = '{}'", "23514");
	assert_refused(db, "DELETE FROM disclosure", "42501");
}

/* Every report stands in every mail, as if program and trigger had been gone around. */
static void test_the_courier_sees_only_what_may_leave(void **state)
{
	struct database *db = *state;
	struct database *courier = database_open(db->loop, "cirt_courier");
	char shown[sizeof courier->value];

	assert_sql(db, "SET session_replication_role = replica", "");
	assert_sql(db, "DELETE FROM disclosure", "");
	assert_sql(db,
		"INSERT INTO disclosure (report, outbox, cause, recipient, form, tlp, version, content) "
		"SELECT "
		"p.report, p.outbox, 'new', o.recipient, o.form, 'clear', now(), '{}' FROM pair p JOIN "
		"outbox o "
		"ON o.id = p.outbox",
		"");
	assert_sql(db, "RESET session_replication_role", "");
	assert_sql(courier, "SELECT count(*) FROM disclosure", "0");
	database_ask(db, "UPDATE outbox SET state = 'queued'");
	assert_sql(db,
		"DO $$ DECLARE ids bigint[]; wrong int; BEGIN SET LOCAL ROLE cirt_courier; "
		"SELECT array_agg(id) INTO ids FROM disclosure; RESET ROLE; "
		"SELECT count(*) INTO wrong FROM disclosure d JOIN pair p ON p.report = d.report AND "
		"p.outbox = "
		"d.outbox WHERE (d.id = ANY (ids)) <> (p.together AND p.lets); "
		"IF wrong > 0 OR cardinality(ids) = 0 THEN RAISE EXCEPTION '% wrong', wrong; END IF; END $$",
		"");
	database_ask(db, "SELECT count(*) FROM pair WHERE together AND lets");
	snprintf(shown, sizeof shown, "%s", db->value);
	assert_sql(courier, "SELECT count(*) FROM disclosure", shown);
	database_close(&courier);
}

/* What becomes stricter after it was put into a mail does not leave with it. */
static void test_a_later_no_holds(void **state)
{
	struct database *db = *state;
	struct database *courier = database_open(db->loop, "cirt_courier");
	static const char count[] = "SELECT count(*) FROM disclosure WHERE report = 2026120000000001";

	database_ask(db, "UPDATE report SET tlp = 'clear', pap = 'clear' WHERE id = 2026120000000001");
	database_ask(db, "UPDATE source SET may_notify_affected = true, restricted = false");
	database_ask(courier, count);
	assert_true(strtol(courier->value, NULL, 10) > 0);
	database_ask(db,
		"INSERT INTO release (report, source, granted, answered) VALUES (2026120000000001, 1, "
		"'none', now())");
	database_ask(db, "UPDATE source SET may_notify_affected = false");
	database_ask(db, "UPDATE outbox SET recipient = 'affected' WHERE exercise = 0");
	assert_sql(courier, count, "0");
	database_close(&courier);
}

static void test_the_courier_may_do_nothing_else(void **state)
{
	static const char *const refused[] = {
		"SELECT 1 FROM report",
		"SELECT 1 FROM report_view",
		"SELECT 1 FROM cases",
		"SELECT 1 FROM source",
		"SELECT 1 FROM item",
		"SELECT 1 FROM evidence",
		"SELECT 1 FROM release",
		"SELECT disclosure_content(2026120000000001, 'full')",
		"INSERT INTO outbox (kind, recipient, address, message_id) VALUES ('mail', 'source', "
		"'a@b.c', 'x')",
		"UPDATE outbox SET address = 'x@y.example'",
		"UPDATE outbox SET approved_by = '{a,b}'",
		"UPDATE outbox SET exercise = 0",
		"UPDATE disclosure SET content = '{}'",
		"INSERT INTO exercise_directory VALUES (1, 'x@y.example')",
		"DELETE FROM outbox",
	};
	struct database *db = *state;
	struct database *courier = database_open(db->loop, "cirt_courier");

	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_refused(courier, refused[i], "42501");
	assert_sql(courier, "SELECT count(*) FROM outbox WHERE address = 'out@drill.example'", "0");
	assert_sql(courier, "SELECT count(*) > 0 FROM outbox WHERE address = 'in@drill.example'", "t");
	database_close(&courier);
}

static void test_a_mail_that_is_made_stays_as_it_is(void **state)
{
	struct database *db = *state;
	database_ask(db, "UPDATE outbox SET bytes = 'mail' WHERE id = 1");
	assert_refused(db, "UPDATE outbox SET bytes = 'another' WHERE id = 1", "23514");
	assert_refused(db, "UPDATE outbox SET message_id = 'another' WHERE id = 1", "23514");
	assert_refused(db, "UPDATE outbox SET address = 'other@x.example' WHERE id = 1", "23514");
	assert_refused(db, "DELETE FROM outbox WHERE id = 1", "42501");
	assert_refused(db,
		"INSERT INTO disclosure (report, outbox, cause, recipient, form, tlp, version, content) "
		"VALUES "
		"(2026120000000001, 1, 'new', 'source', 'full', 'clear', now(), '{}')",
		"23514");
	assert_sql(db, "SELECT number ~ '^N20[0-9]{2}-000001$' FROM outbox WHERE id = 1", "t");
	assert_refused(db,
		"INSERT INTO outbox (kind, recipient, address, message_id) VALUES ('mail', 'source', "
		"E'a@b.c\\nBcc: x@y.z', 'x1')",
		"23514");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_gates_agree_on_every_combination),
		cmocka_unit_test(test_nobody_puts_into_a_mail_what_must_not_leave),
		cmocka_unit_test(test_the_courier_sees_only_what_may_leave),
		cmocka_unit_test(test_a_later_no_holds),
		cmocka_unit_test(test_the_courier_may_do_nothing_else),
		cmocka_unit_test(test_a_mail_that_is_made_stays_as_it_is),
	};
	return cmocka_run_group_tests_name("disclosure", tests, setup, teardown);
}
