#include "unit.h"

#include "store/accounts.h"

#include "landing_place.h"

static void test_new_reports_land(void **state)
{
	struct fixture *f = *state;
	struct item items[3];
	size_t count = 0;
	clean(f);
	item_of(items, &count, "one", T0);
	item_of(items, &count, "two", T0);
	struct item *third = item_of(items, &count, "three", T0);
	struct observable observables[] = {{OBSERVABLE_IP, OBSERVED_SOURCE, STR("198.51.100.7")}};
	third->report.observables = observables;
	third->report.observable_count = 1;
	struct verdict verdicts[] = {{STR("yara 4"), STR("ns/rule"), STR("00"), STR("text"), STR("match")}};
	third->report.verdicts = verdicts;
	third->report.verdict_count = 1;
	struct similarity similarities[] = {{SIMILARITY_FILE, STR("a.doc"), STR("3:abc:de")}};
	third->report.similarities = similarities;
	third->report.similarity_count = 1;
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
	assert_sql(f,
		"SELECT concat_ws(' ', r.rule_key, q.number, q.kind, q.part, q.digest) FROM similarity_queue "
		"q "
		"JOIN report r ON r.id = q.report",
		"three 0 file a.doc 3:abc:de");
	assert_sql(f, "SELECT v.rule FROM verdict v JOIN report r ON r.id = v.report", "ns/rule");
	assert_sql(f,
		"SELECT count(*) FROM report WHERE keys @> ARRAY[(SELECT keys[1] FROM report WHERE rule_key "
		"= 'three')]",
		ask(f, "SELECT count(*) FROM report WHERE (SELECT keys[1] FROM report WHERE rule_key = "
		       "'three') = ANY (keys)"));
	assert_sql(f, "SELECT (min(first_id) = (SELECT min(id) FROM report)) FROM arrival", "t");
}

/* Entry `sequence` with one report each of these keys, all observed when received. */
static void land_keys(
	struct fixture *f, uint64_t sequence, uint32_t source, int64_t received, const char *keys)
{
	struct item items[16];
	size_t count = 0;
	char names[16][32];
	struct str rest = str_of(keys), key;
	struct holding_held held = held_of(f, sequence, source, received);
	while (str_split(&rest, ' ', &key) && count < 16) {
		snprintf(names[count], sizeof names[0], STR_FMT, STR_ARG(key));
		item_of(items, &count, names[count], received);
	}
	land(f, &held, items, count);
}

static void test_trap_11_duplicates_within_a_batch_fold(void **state)
{
	struct fixture *f = *state;
	clean(f);
	land_keys(f, 1, 1, T0, "same other same same");
	assert_sql(f, "SELECT count(*) FROM report", "2");
	assert_sql(f,
		"SELECT s.count FROM sighting s JOIN report r ON r.id = s.report WHERE rule_key = 'same'",
		"3");
	assert_sql(f, "SELECT concat_ws(' ', found, reports, folded) FROM ledger", "4 2 2");
	/* A receipt tells what each was folded into. */
	assert_sql(f,
		"SELECT string_agg(e.item || ' ' || r.rule_key, ', ' ORDER BY e.item) FROM ledger l, "
		"entry_folds(l.folds) e JOIN report r ON r.id = e.into_id",
		"2 same, 3 same");
	assert_sql(f,
		"SELECT string_agg(concat_ws(' ', e.item, e.became, r.rule_key), ', ' ORDER BY e.item) FROM "
		"ledger l, "
		"entry_items(l.day, l.spool, l.sequence, -2, 10) e JOIN report r ON r.id = e.id",
		"0 report same, 1 report other, 2 folded same, 3 folded same");
	/* A known one is only counted. */
	land_keys(f, 2, 1, T0 + CLOCK_SECOND, "same same");
	assert_sql(f, "SELECT count(*) FROM report", "2");
	assert_sql(f,
		"SELECT s.count FROM sighting s JOIN report r ON r.id = s.report WHERE rule_key = 'same'",
		"5");
	assert_sql(f, "SELECT concat_ws(' ', reports, folded) FROM ledger_day", "2 4");
}

static void test_trap_11_quiet_makes_a_relapse(void **state)
{
	struct fixture *f = *state;
	clean(f);
	land_keys(f, 1, 1, T0, "key");
	land_keys(f, 2, 1, T0 + 8 * CLOCK_DAY, "key");
	assert_sql(f, "SELECT count(*) FROM report", "2");
	assert_sql(f,
		"SELECT (SELECT previous FROM report ORDER BY id DESC LIMIT 1) = (SELECT min(id) FROM "
		"report)",
		"t");
	assert_sql(f, "SELECT kind FROM report_link", "relapse");
	/* The key points to the relapse from now on. */
	land_keys(f, 3, 1, T0 + 9 * CLOCK_DAY, "key");
	assert_sql(f,
		"SELECT sum(s.count) FROM sighting s JOIN report r ON r.id = s.report WHERE r.previous IS "
		"NOT NULL",
		"2");
}

static void test_trap_11_no_fold_runs_for_ever(void **state)
{
	struct fixture *f = *state;
	clean(f);
	for (int day = 0; day <= 32; day += 4)
		land_keys(f, (uint64_t)day + 1, 1, T0 + day * CLOCK_DAY, "beacon");
	assert_sql(f, "SELECT count(*) FROM report", "2");
	assert_sql(f, "SELECT kind FROM report_link", "continuation");
	assert_sql(f, "SELECT sum(count) FROM sighting", "9");
}

static void test_trap_11_time_is_clamped(void **state)
{
	struct fixture *f = *state;
	struct item items[4];
	size_t count = 0;
	clean(f);
	item_of(items, &count, "future", T0 + 1000 * CLOCK_DAY);
	item_of(items, &count, "past", clock_of_civil(1970, 1, 1, 0, 0, 0));
	item_of(items, &count, "unknown", CLOCK_UNKNOWN);
	struct holding_held held = held_of(f, 1, 1, T0);
	land(f, &held, items, count);
	assert_sql(f,
		"SELECT string_agg(rule_key || ' ' || (extract(epoch FROM received - first_seen) / "
		"86400)::int, ', ' ORDER BY id) "
		"FROM report",
		"future 0, past 30, unknown 0");
}

/* A whole series in one batch: each gap of more than the window begins a report. */
static void test_series_within_a_batch(void **state)
{
	struct fixture *f = *state;
	struct item items[6];
	size_t count = 0;
	clean(f);
	static const int days[] = {20, 0, 1, 10, 21, 2};
	for (size_t i = 0; i < ARRAY_LEN(days); i++)
		item_of(items, &count, "key", T0 - 25 * CLOCK_DAY + days[i] * CLOCK_DAY);
	struct holding_held held = held_of(f, 1, 1, T0);
	land(f, &held, items, count);
	assert_sql(f,
		"SELECT string_agg(n::text, ' ' ORDER BY first_seen) FROM (SELECT r.first_seen, sum(s.count) "
		"AS n FROM report r "
		"JOIN sighting s ON s.report = r.id GROUP BY r.id, r.first_seen) AS x",
		"3 1 2");
	assert_sql(f, "SELECT count(*) FROM report_link WHERE kind = 'relapse'", "2");
}

/* What the sender wrote is evidence: order of keys, doubles, forms of numbers and spaces stay. Seen again it
 * is not sent. */
static void test_trap_13_the_document_is_the_senders_text(void **state)
{
	static const char doc[] = "{\"b\":1.0e+2, \"a\":1,\"a\":2,  \"u\":\"\\u00e9\"}";
	struct fixture *f = *state;
	struct item items[1];
	size_t count = 0;
	clean(f);
	item_of(items, &count, "key", T0)->report.doc = str_of(doc);
	for (uint64_t sequence = 1; sequence <= 2; sequence++) {
		struct holding_held held = held_of(f, sequence, 1, T0);
		land(f, &held, items, count);
	}
	assert_sql(f, "SELECT doc FROM report", doc);
	assert_sql(f, "SELECT pg_typeof(doc) FROM report", "text");
	assert_sql(f,
		"SELECT count(*) || ' ' || sum(n.count) FROM report r JOIN sighting n ON n.report = r.id",
		"1 2");
}

static void test_trap_10_conditions_never_fold(void **state)
{
	struct fixture *f = *state;
	struct item items[1];
	size_t count = 0;
	clean(f);
	ask(f, "INSERT INTO source (id, name, kind, restricted) VALUES (50, 'secret', 'sensor', true) ON "
	       "CONFLICT DO NOTHING");
	reload(f);
	land_keys(f, 1, 1, T0, "key");
	/* a stricter TLP */
	struct item *item = item_of(items, &count, "key", T0);
	item->report.tlp = TLP_RED;
	struct holding_held held = held_of(f, 2, 1, T0);
	land(f, &held, items, count);
	/* a restricted source */
	land_keys(f, 3, 50, T0, "key");
	/* a drill */
	count = 0;
	item_of(items, &count, "key", T0);
	held = held_of(f, 4, 1, T0);
	held.entry.exercise = STR("winter-2026");
	land(f, &held, items, count);
	assert_sql(f,
		"SELECT string_agg(concat_ws(' ', tlp, scope, exercise <> 0), ', ' ORDER BY id) FROM report",
		"amber 0 f, red 0 f, amber 50 f, amber 0 t");
	assert_sql(f, "SELECT count(*) FROM report_link WHERE kind = 'same-incident'", "2");
	assert_sql(f, "SELECT count(*) FROM sighting WHERE count <> 1", "0");
	assert_sql(f, "SELECT e.name FROM report r JOIN exercise e ON e.id = r.exercise WHERE exercise <> 0",
		"winter-2026");
}

/* What a rule asks for against what the sender states and the source's default: the stricter holds. */
static void test_a_rule_tightens_tlp_and_never_loosens(void **state)
{
	static const struct {
		uint32_t source;
		enum tlp stated;
		enum tlp rule;
	} cases[] = {
		{53, TLP_UNSTATED, TLP_AMBER_STRICT}, /* default red */
		{54, TLP_UNSTATED, TLP_AMBER},        /* default green */
		{54, TLP_UNSTATED, TLP_CLEAR},
		{54, TLP_RED, TLP_CLEAR},
		{54, TLP_CLEAR, TLP_AMBER_STRICT},
		{1, TLP_UNSTATED, TLP_GREEN},
	};
	struct fixture *f = *state;
	clean(f);
	ask(f, "INSERT INTO source (id, name, kind, tlp) VALUES (53, 'red', 'sensor', 'red'), "
	       "(54, 'green', 'sensor', 'green') ON CONFLICT DO NOTHING");
	reload(f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct item items[1];
		size_t count = 0;
		char key[16];
		snprintf(key, sizeof key, "tlp-%zu", i);
		struct report *report = &item_of(items, &count, key, T0)->report;
		report->tlp = cases[i].stated;
		report->rule_tlp = cases[i].rule;
		struct holding_held held = held_of(f, i + 1, cases[i].source, T0);
		land(f, &held, items, count);
	}
	assert_sql(f, "SELECT string_agg(tlp::text, ' ' ORDER BY id) FROM report",
		"red amber green red amber+strict amber");
}

static void test_higher_severity_is_queued_to_raise(void **state)
{
	struct fixture *f = *state;
	struct item items[1];
	size_t count = 0;
	clean(f);
	land_keys(f, 1, 1, T0, "key");
	item_of(items, &count, "key", T0)->report.severity = 90;
	struct holding_held held = held_of(f, 2, 1, T0);
	land(f, &held, items, count);
	assert_sql(
		f, "SELECT concat_ws(' ', q.severity, q.report = r.id) FROM raise_queue q, report r", "90 t");
	/* Once is enough. */
	held = held_of(f, 3, 1, T0);
	land(f, &held, items, count);
	assert_sql(f, "SELECT count(*) FROM raise_queue", "1");
}

/* By type and severity; what the sender does not state is its type's. */
static void test_rules_queue_what_deserves_a_case(void **state)
{
	struct fixture *f = *state;
	struct item items[3];
	size_t count = 0;
	clean(f);
	ask(f, "INSERT INTO source (id, name, kind) VALUES (51, 'probe', 'sensor') ON CONFLICT DO NOTHING");
	reload(f);
	rsit_parse(STR("brute-force"), &item_of(items, &count, "waits", T0)->report.type);
	rsit_parse(STR("system-compromise"), &item_of(items, &count, "intrusion", T0)->report.type);
	item_of(items, &count, "severe", T0)->report.severity = 85;
	struct holding_held held = held_of(f, 1, 51, T0);
	land(f, &held, items, count);
	assert_sql(f,
		"SELECT string_agg(r.rule_key || ' ' || c.name, ', ' ORDER BY r.id) FROM correlation_queue q "
		"JOIN report r ON r.id = q.report JOIN correlation_rule c ON c.id = q.rule",
		"intrusion intrusion, severe critical");
	assert_sql(f,
		"SELECT string_agg(rule_key || ' ' || severity_name(severity), ', ' ORDER BY rule_key) FROM "
		"report",
		"intrusion high, severe critical, waits medium");
}

static void test_trap_02_same_entry_lands_once(void **state)
{
	struct fixture *f = *state;
	clean(f);
	land_keys(f, 1, 1, T0, "a b");
	land_keys(f, 1, 1, T0, "a b");
	assert_sql(f,
		"SELECT concat_ws(' ', (SELECT count(*) FROM ledger), (SELECT count(*) FROM report), (SELECT "
		"sum(count) FROM sighting))",
		"1 2 2");
	/* Among others that are new, too. */
	struct item items[2];
	size_t count = 0;
	item_of(items, &count, "a", T0);
	item_of(items, &count, "c", T0);
	struct finding finding = {.items = items, .item_count = count};
	struct holding_held again = held_of(f, 1, 1, T0);
	struct holding_held fresh = held_of(f, 2, 1, T0);
	size_t target = f->released + 2;
	land_finding(f, &again, &finding);
	land_finding(f, &fresh, &finding);
	lander_kick(f->lander);
	turn(f, &f->released, target);
	assert_sql(f,
		"SELECT concat_ws(' ', (SELECT count(*) FROM ledger), (SELECT count(*) FROM report), (SELECT "
		"sum(count) FROM sighting))",
		"2 3 4");
}

static void test_trap_02_reborn_spool_is_told(void **state)
{
	struct fixture *f = *state;
	struct item items[1];
	size_t count = 0;
	clean(f);
	land_keys(f, 1, 1, T0, "a");
	item_of(items, &count, "b", T0);
	struct finding finding = {.items = items, .item_count = count};
	struct holding_held held = held_of(f, 1, 1, T0);
	held.entry.digest[0] ^= 1;
	size_t released = f->released;
	land_finding(f, &held, &finding);
	lander_kick(f->lander);
	turn(f, &f->mismatched, 1);
	assert_int_equal(f->released, released);
	assert_sql(f, "SELECT count(*) FROM report", "1");
}

/* A spool put back to an earlier moment knows less than it has said before; what landed since then was
 * received all the same. */
static void test_trap_02_books_of_a_restored_spool_lose_nothing(void **state)
{
	static const struct book before = {1, 20775, 5, 500}, restored = {1, 20775, 4, 400},
				 later = {1, 20775, 6, 600};
	static const struct book *const said[] = {&before, &restored, &later};
	static const char *const holds[] = {"5 500 9", "5 500 9", "6 600 11"};
	static const uint64_t upto[] = {9, 8, 11};
	struct fixture *f = *state;
	clean(f);
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct accounts *accounts = accounts_new(f->pg);
		accounts_say(accounts, f->spool, upto[i], said[i], 1);
		while (!accounts_are_written(accounts))
			loop_turn(f->loop, CLOCK_SECOND / 20);
		assert_sql(f, "SELECT concat_ws(' ', entries, bytes, upto) FROM books", holds[i]);
		accounts_free(&accounts);
	}
}

/* The outcome of an older transaction is waited for, not looked at. */
static void test_trap_03_waits_for_the_older_transaction(void **state)
{
	struct fixture *f = *state;
	clean(f);
	land_keys(f, 1, 1, T0, "a");
	for (int commit = 1; commit >= 0; commit--) {
		ask(f, "BEGIN");
		char *sql = mem_printf("INSERT INTO ledger SELECT day, spool, %d, received, source, "
				       "exercise, node, format, disposition, "
				       "sha256(int8send(%d)), size FROM ledger WHERE sequence = 1",
			commit + 2, commit + 2);
		assert_sql(f, sql, "");
		free(sql);
		struct item items[1];
		size_t count = 0;
		item_of(items, &count, "b", T0);
		struct finding finding = {.items = items, .item_count = count};
		struct holding_held held = held_of(f, (uint64_t)commit + 2, 1, T0);
		uint8_t number[8] = {0, 0, 0, 0, 0, 0, 0, (uint8_t)(commit + 2)};
		sha256((struct str){(const char *)number, sizeof number}, held.entry.digest);
		size_t released = f->released;
		land_finding(f, &held, &finding);
		lander_kick(f->lander);
		while (strcmp(ask(f, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
				     "AND usename = 'cirt_store'"),
			       "1") != 0)
			assert_int_equal(f->released, released);
		ask(f, commit ? "COMMIT" : "ROLLBACK");
		turn(f, &f->released, released + 1);
		assert_sql(f, "SELECT count(*) FROM report WHERE rule_key = 'b'", commit ? "0" : "1");
	}
}

static void poison_check(struct fixture *f, const char *action)
{
	ask(f, "DROP TRIGGER IF EXISTS poison ON report");
	ask(f, "CREATE OR REPLACE FUNCTION public.poison() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF "
	       "NEW.title = ''poison'' THEN "
	       "PERFORM 1 / 0; END IF; RETURN NEW; END'");
	assert_string_equal(ask(f, action), "");
}

static void test_trap_04_refused_item_costs_itself(void **state)
{
	struct fixture *f = *state;
	clean(f);
	poison_check(f, "CREATE TRIGGER poison BEFORE INSERT ON report FOR EACH ROW EXECUTE FUNCTION "
			"public.poison()");
	size_t target = f->released + 20;
	for (uint64_t entry = 1; entry <= 20; entry++) {
		struct item items[5];
		char keys[5][16];
		size_t count = 0;
		for (size_t i = 0; i < 5; i++) {
			snprintf(keys[i], sizeof keys[i], "%d-%zu", (int)entry, i);
			struct item *item = item_of(items, &count, keys[i], T0);
			if ((entry == 7 && i == 3) || (entry == 8 && i == 0))
				item->report.title = STR("poison");
		}
		struct finding finding = {.items = items, .item_count = count};
		struct holding_held held = held_of(f, entry, 1, T0);
		land_finding(f, &held, &finding);
	}
	lander_kick(f->lander);
	turn(f, &f->released, target);
	poison_check(f, "DROP TRIGGER IF EXISTS poison ON report");
	assert_sql(f, "SELECT count(*) FROM report", "98");
	assert_sql(f,
		"SELECT string_agg(concat_ws(' ', sequence, item, stage, sqlstate, state), ', ' ORDER BY "
		"sequence) FROM quarantine",
		"7 3 store 22012 quarantined, 8 0 store 22012 quarantined");
	assert_sql(f, "SELECT convert_from(bytes, 'UTF8') FROM quarantine LIMIT 1", "{\"a\":1}");
	assert_sql(f,
		"SELECT concat_ws(' ', entries_processed, found, reports, folded, quarantined) FROM "
		"ledger_day",
		"20 100 98 0 2");
	assert_int_equal(lander_counters(f->lander)->quarantined, 2);
}

static void test_trap_04_refused_whole_goes_to_quarantine(void **state)
{
	struct fixture *f = *state;
	clean(f);
	/* The ledger's own row is refused: no item of it can land. */
	ask(f, "CREATE OR REPLACE FUNCTION public.refuse_two() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF "
	       "NEW.sequence = 2 AND "
	       "NEW.disposition = ''processed'' THEN PERFORM 1 / 0; END IF; RETURN NEW; END'");
	ask(f, "CREATE TRIGGER refuse_two BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION "
	       "public.refuse_two()");
	struct item items[2];
	size_t count = 0;
	item_of(items, &count, "a", T0);
	item_of(items, &count, "b", T0);
	struct finding finding = {.items = items, .item_count = count};
	size_t target = f->released + 2;
	struct holding_poison poison = {.item = UINT32_MAX};
	for (uint64_t entry = 1; entry <= 3; entry++) {
		struct holding_held held = held_of(f, entry, 1, T0);
		if (entry == 2)
			poison.held = held;
		land_finding(f, &held, &finding);
	}
	lander_kick(f->lander);
	turn(f, &f->wanted, 1);
	turn(f, &f->released, target);
	assert_int_equal(f->last_wanted, poison.held.ticket);
	ticket_poison(tickets_find(f->tickets, f->last_wanted), &poison, STR("the bytes"), false);
	tickets_queue(f->tickets, tickets_find(f->tickets, f->last_wanted));
	lander_kick(f->lander);
	turn(f, &f->released, target + 1);
	ask(f, "DROP TRIGGER refuse_two ON ledger");
	assert_sql(f,
		"SELECT concat_ws(' ', sequence, item, stage, sqlstate, convert_from(bytes, 'UTF8')) FROM "
		"quarantine",
		"2 store 22012 the bytes");
	assert_sql(f, "SELECT concat_ws(' ', entries_processed, entries_quarantined, found) FROM ledger_day",
		"2 1 4");
}

/* Anything that the model takes, PostgreSQL takes. */
static struct str any_text(struct fixture *f, uint64_t *seed, size_t most)
{
	struct buf text = {0};
	if (chance_below(seed, 3) == 0)
		chance_bytes(seed, &text, chance_below(seed, most));
	else
		chance_text(seed, &text, chance_below(seed, most / 4));
	if (chance_below(seed, 4) == 0)
		buf_append(&text, "\0{}\"\\,\xed\xa0\x80", 9);
	struct str copy = arena_str(f->arena, buf_view(&text));
	buf_free(&text);
	return copy;
}

static void any_report(struct fixture *f, uint64_t *seed, struct report *report)
{
	size_t n = chance_below(seed, 6);
	report->sender_id = any_text(f, seed, 3000);
	report->type = (enum rsit_type)chance_below(seed, RSIT_COUNT);
	report->identifier = any_text(f, seed, 500);
	report->malware = any_text(f, seed, 500);
	report->severity = (int)chance_below(seed, 102) - 1;
	report->confidence = (int)chance_below(seed, 102) - 1;
	report->tlp = (enum tlp)chance_below(seed, 6);
	report->pap = (enum pap)chance_below(seed, 5);
	report->observed = (int64_t)chance(seed);
	report->count = (int64_t)chance(seed);
	report->title = any_text(f, seed, 900);
	report->text = any_text(f, seed, 9000);
	report->doc = any_text(f, seed, 9000);
	report->asn = (uint32_t)chance(seed);
	report->observables = arena_alloc(f->arena, (n + 1) * sizeof *report->observables);
	report->notes = arena_alloc(f->arena, (n + 1) * sizeof *report->notes);
	report->tags = arena_alloc(f->arena, (n + 1) * sizeof *report->tags);
	report->verdicts = arena_alloc(f->arena, (n + 1) * sizeof *report->verdicts);
	report->observable_count = report->note_count = report->tag_count = report->verdict_count = n;
	for (size_t i = 0; i < n; i++) {
		report->observables[i] = (struct observable){
			(enum observable_type)chance_below(seed, OBSERVABLE_TYPES),
			(enum observable_role)chance_below(seed, OBSERVABLE_ROLES), any_text(f, seed, 10000)};
		report->notes[i] = any_text(f, seed, 3000);
		report->tags[i] = any_text(f, seed, 3000);
		report->verdicts[i] = (struct verdict){any_text(f, seed, 500), any_text(f, seed, 500),
			any_text(f, seed, 500), any_text(f, seed, 500), any_text(f, seed, 500)};
	}
	report->fingerprint.rule = any_text(f, seed, 500);
	report->fingerprint.version = (uint16_t)chance(seed);
	report->fingerprint.key = any_text(f, seed, 2000);
	for (size_t i = 0; i < FINGERPRINT_LEN; i++)
		report->fingerprint.digest[i] = (uint8_t)chance(seed);
}

static void any_item(struct fixture *f, uint64_t *seed, uint32_t number, struct item *item)
{
	*item = (struct item){.kind = (enum item_kind)(1 + chance_below(seed, 5)),
		.number = number,
		.part = any_text(f, seed, 500),
		.reason = any_text(f, seed, 3000),
		.stage = any_text(f, seed, 500),
		.bytes = any_text(f, seed, 20000),
		.subkind = any_text(f, seed, 500)};
	any_report(f, seed, &item->report);
}

static void test_trap_04_every_model_lands(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 4;
	clean(f);
	for (uint64_t entry = 1; entry <= 60; entry++) {
		struct item items[8];
		struct evidence evidence[2];
		struct stix_object objects[2];
		arena_reset(f->arena);
		for (uint32_t i = 0; i < 8; i++)
			any_item(f, &seed, i, &items[i]);
		for (uint32_t i = 0; i < 2; i++) {
			evidence[i] = (struct evidence){.name = any_text(f, &seed, 3000),
				.media_type = any_text(f, &seed, 500),
				.bytes = any_text(f, &seed, 20000),
				.item = i};
			sha256(evidence[i].bytes, evidence[i].digest);
			objects[i] = (struct stix_object){.id = any_text(f, &seed, 900),
				.type = any_text(f, &seed, 500),
				.version = any_text(f, &seed, 300),
				.spec = any_text(f, &seed, 90),
				.created_by = any_text(f, &seed, 900),
				.revoked = chance_below(&seed, 2),
				.tlp = (enum tlp)chance_below(&seed, 6),
				.text = any_text(f, &seed, 9000),
				.item = i};
		}
		struct finding finding = {items, 8, evidence, 2, objects, 2};
		struct holding_held held = held_of(f, entry, 1, T0);
		held.entry.envelope = any_text(f, &seed, 4000);
		held.entry.exercise = chance_below(&seed, 4) ? STR("") : any_text(f, &seed, 300);
		held.bookmark_owner = any_text(f, &seed, 300);
		held.bookmark_value = any_text(f, &seed, 4000);
		size_t target = f->released + 1;
		land_finding(f, &held, &finding);
		lander_kick(f->lander);
		turn(f, &f->released, target);
	}
	assert_int_equal(lander_counters(f->lander)->halved, 0);
	assert_int_equal(lander_counters(f->lander)->repeats, 0);
	assert_sql(f,
		"SELECT sum(found) = (SELECT (SELECT count(*) FROM report) + (SELECT count(*) FROM item) + "
		"(SELECT count(*) FROM "
		"quarantine) + (SELECT sum(folded) FROM ledger)) FROM ledger",
		"t");
	assert_sql(f, "SELECT sum(found) FROM ledger_day", "480");
}

/* The server goes while batches are on their way: everything is there once. */
static void test_trap_03_killed_backends_lose_and_double_nothing(void **state)
{
	struct fixture *f = *state;
	clean(f);
	size_t target = f->released + 300;
	for (uint64_t entry = 1; entry <= 300; entry++) {
		struct item items[8];
		char keys[8][16];
		size_t count = 0;
		for (size_t i = 0; i < 8; i++) {
			snprintf(keys[i], sizeof keys[i], "%d-%zu", (int)entry, i);
			item_of(items, &count, i < 6 ? keys[i] : "popular", T0);
		}
		struct finding finding = {.items = items, .item_count = count};
		struct holding_held held = held_of(f, entry, 1, T0);
		land_finding(f, &held, &finding);
		if (entry % 3 == 0) {
			lander_kick(f->lander);
			loop_turn(f->loop, CLOCK_SECOND / 500);
		}
		if (entry % 40 == 0)
			ask(f, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename "
			       "= 'cirt_store'");
	}
	lander_kick(f->lander);
	turn(f, &f->released, target);
	assert_sql(f,
		"SELECT concat_ws(' ', (SELECT count(*) FROM ledger), (SELECT count(*) FROM report), (SELECT "
		"sum(count) FROM sighting), "
		"(SELECT sum(reports + folded) FROM ledger_day))",
		"300 1801 2400 2400");
}

static void test_files_and_objects_are_kept_once(void **state)
{
	struct fixture *f = *state;
	struct item items[1];
	size_t count = 0;
	clean(f);
	item_of(items, &count, "mail", T0);
	struct evidence evidence[2] = {
		{.name = STR("a.eml"), .media_type = STR("message/rfc822"), .bytes = STR("raw mail")},
		{.name = STR("b.zip"), .media_type = STR("application/zip"), .bytes = STR("raw mail")}};
	sha256(evidence[0].bytes, evidence[0].digest);
	sha256(evidence[1].bytes, evidence[1].digest);
	struct stix_object objects[1] = {{.id = STR("indicator--1"),
		.type = STR("indicator"),
		.version = STR("2026"),
		.spec = STR("2.1"),
		.text = STR("{}")}};
	struct finding finding = {items, 1, evidence, 2, objects, 1};
	for (uint64_t entry = 1; entry <= 2; entry++) {
		struct holding_held held = held_of(f, entry, 1, T0);
		size_t target = f->released + 1;
		land_finding(f, &held, &finding);
		lander_kick(f->lander);
		turn(f, &f->released, target);
	}
	assert_sql(f,
		"SELECT concat_ws(' ', (SELECT count(*) FROM evidence), (SELECT count(*) FROM attachment), "
		"(SELECT count(DISTINCT report) FROM attachment), (SELECT count(*) FROM stix_object), "
		"(SELECT convert_from(bytes, 'UTF8') FROM evidence))",
		"1 4 1 1 raw mail");
	assert_sql(f, "SELECT o.report = r.id FROM stix_object o, report r", "t");
}

static struct ticket *poisoned(struct fixture *f, const struct holding_held *held, const char *reason)
{
	struct holding_poison poison = {
		.held = *held, .item = 3, .stage = STR("yara"), .reason = str_of(reason)};
	struct ticket *ticket = tickets_hold(f->tickets, held);
	ticket_poison(ticket, &poison, STR("unreadable"), false);
	tickets_queue(f->tickets, ticket);
	return ticket;
}

static void test_trap_18_rerun_moves_and_is_never_received(void **state)
{
	struct fixture *f = *state;
	struct item items[2];
	size_t count = 0;
	clean(f);
	/* An entry as a whole. */
	struct holding_held held = held_of(f, 1, 1, T0);
	size_t target = f->released + 1;
	poisoned(f, &held, "crashed");
	lander_kick(f->lander);
	turn(f, &f->released, target);
	assert_sql(f, "SELECT concat_ws(' ', stage, reason, convert_from(bytes, 'UTF8')) FROM quarantine",
		"yara crashed unreadable");
	assert_sql(f, "SELECT quarantine_release((SELECT max(id) FROM quarantine))", "t");
	assert_sql(f, "SELECT quarantine_release((SELECT max(id) FROM quarantine))", "f");
	uint64_t row = (uint64_t)atoll(ask(f, "SELECT max(id) FROM quarantine"));
	/* Refused again: it stays. */
	held = held_of(f, 2, 1, T0);
	held.entry.rerun = row;
	poisoned(f, &held, "crashed again");
	lander_kick(f->lander);
	turn(f, &f->released, ++target);
	assert_sql(f, "SELECT string_agg(concat_ws(' ', state, attempts, reason), ',') FROM quarantine",
		"quarantined 2 crashed again");
	assert_sql(f,
		"SELECT concat_ws(' ', sum(entries_processed), sum(entries_quarantined), sum(found)) FROM "
		"ledger_day",
		"0 1 0");
	/* Read at last, one of two items set apart. */
	ask(f, "SELECT quarantine_release((SELECT max(id) FROM quarantine))");
	item_of(items, &count, "a", T0);
	items[1] = (struct item){.kind = ITEM_QUARANTINED,
		.number = 1,
		.stage = STR("json"),
		.reason = STR("no object"),
		.bytes = STR("[")};
	held = held_of(f, 3, 1, T0);
	held.entry.rerun = row;
	land(f, &held, items, 2);
	assert_sql(f, "SELECT string_agg(state::text, ',' ORDER BY id) FROM quarantine",
		"processed,quarantined");
	assert_sql(f,
		"SELECT concat_ws(' ', sum(entries_processed), sum(entries_quarantined), sum(found), "
		"sum(reports), sum(quarantined)) "
		"FROM ledger_day",
		"1 0 2 1 1");
	/* The item alone, released and read. */
	ask(f, "SELECT quarantine_release((SELECT max(id) FROM quarantine))");
	held = held_of(f, 4, 1, T0);
	held.entry.rerun = (uint64_t)atoll(ask(f, "SELECT max(id) FROM quarantine"));
	count = 0;
	item_of(items, &count, "b", T0);
	item_of(items, &count, "c", T0);
	land(f, &held, items, 2);
	assert_sql(f,
		"SELECT concat_ws(' ', sum(entries_processed), sum(entries_quarantined), sum(found), "
		"sum(reports), sum(quarantined)) "
		"FROM ledger_day",
		"1 0 3 3 0");
	/* Sums and acts agree. */
	assert_sql(f,
		"SELECT sum(found) = (SELECT sum(found) FROM ledger WHERE rerun IS NULL) + (SELECT "
		"sum(found) FROM ledger_act) "
		"FROM ledger_day",
		"t");
}

static void test_unfolded_source_folds_alone(void **state)
{
	struct fixture *f = *state;
	clean(f);
	land_keys(f, 1, 2, T0, "key");
	land_keys(f, 2, 3, T0, "key");
	assert_sql(f, "SELECT count(*) FROM report", "1");
	ask(f, "SELECT report_unfold((SELECT max(id) FROM report), 3, 'another campaign')");
	assert_sql(f,
		"SELECT string_agg(concat_ws(' ', r.source, s.source, s.count), ', ' ORDER BY r.id) FROM "
		"report r "
		"JOIN sighting s ON s.report = r.id",
		"2 2 1, 3 3 1");
	reload(f);
	land_keys(f, 3, 3, T0 + CLOCK_SECOND, "key");
	land_keys(f, 4, 2, T0 + CLOCK_SECOND, "key");
	assert_sql(f,
		"SELECT string_agg(concat_ws(' ', r.source, s.source, s.count), ', ' ORDER BY r.id) FROM "
		"report r "
		"JOIN sighting s ON s.report = r.id",
		"2 2 2, 3 3 2");
}

static void test_organisation_is_that_of_the_time(void **state)
{
	struct fixture *f = *state;
	struct item items[3];
	size_t count = 0;
	clean(f);
	ask(f, "WITH o AS (INSERT INTO organisation (name) VALUES ('Telco'), ('Hospital') ON CONFLICT DO "
	       "NOTHING RETURNING id, name) "
	       "INSERT INTO organisation_prefix SELECT id, CASE name WHEN 'Telco' THEN "
	       "'203.0.113.0/24'::cidr ELSE '203.0.113.0/26' END, "
	       "CASE name WHEN 'Telco' THEN tstzrange(NULL, NULL) ELSE tstzrange(to_timestamp(1795000000), "
	       "NULL) END FROM o");
	reload(f);
	struct observable inside[] = {{OBSERVABLE_IP, OBSERVED_SOURCE, STR("203.0.113.44")}};
	struct observable outside[] = {
		{OBSERVABLE_URL, OBSERVED_INDICATOR, STR("http://203.0.113.99:8080/x")}};
	static const int64_t times[] = {T0 - CLOCK_DAY, T0, T0};
	for (size_t i = 0; i < 3; i++) {
		struct item *item = item_of(items, &count,
			i == 0   ? "before"
			: i == 1 ? "after"
				 : "beside",
			times[i]);
		item->report.observables = i < 2 ? inside : outside;
		item->report.observable_count = 1;
	}
	struct holding_held held = held_of(f, 1, 1, T0);
	land(f, &held, items, count);
	assert_sql(f,
		"SELECT string_agg(r.rule_key || ' ' || o.name, ', ' ORDER BY r.id) FROM report r "
		"JOIN organisation o ON o.id = r.organisation",
		"before Telco, after Hospital, beside Telco");
}

/* Two machines hear of the same at once: one report for each key, and every sighting counted. */
static void test_trap_14_two_nodes_fold_together(void **state)
{
	struct fixture *f = *state;
	struct fixture *other;
	setup((void **)&other);
	struct fixture *nodes[] = {f, other};
	clean(f);
	while (!other->ready)
		loop_turn(other->loop, CLOCK_SECOND / 20);
	for (uint64_t entry = 1; entry <= 40; entry++)
		for (size_t n = 0; n < ARRAY_LEN(nodes); n++) {
			struct item items[20];
			char keys[20][16];
			size_t count = 0;
			for (size_t i = 0; i < ARRAY_LEN(items); i++) {
				snprintf(keys[i], sizeof keys[i], "%d", (int)((entry / 4) * 20 + i));
				item_of(items, &count, keys[i], T0);
			}
			struct evidence evidence = {
				.name = STR("a"), .media_type = STR("b"), .bytes = str_of(keys[0])};
			sha256(evidence.bytes, evidence.digest);
			struct finding finding = {items, count, &evidence, 1, NULL, 0};
			struct holding_held held = held_of(nodes[n], entry, 1, T0);
			land_finding(nodes[n], &held, &finding);
			lander_kick(nodes[n]->lander);
			loop_turn(nodes[n]->loop, CLOCK_SECOND / 1000);
		}
	for (int64_t end = clock_monotonic() + 60 * CLOCK_SECOND; clock_monotonic() < end;) {
		loop_turn(f->loop, CLOCK_SECOND / 1000);
		loop_turn(other->loop, CLOCK_SECOND / 1000);
		if (f->released == 40 && other->released == 40)
			break;
	}
	assert_int_equal(f->released + other->released, 80);
	assert_sql(f,
		"SELECT concat_ws(' ', (SELECT count(*) FROM report), (SELECT count(*) FROM fingerprint), "
		"(SELECT sum(count) FROM sighting), (SELECT sum(reports + folded) FROM ledger_day))",
		"220 220 1600 1600");
	assert_sql(f,
		"SELECT concat_ws(' ', (SELECT count(*) FROM evidence), (SELECT count(*) FROM attachment), "
		"(SELECT count(*) FROM quarantine))",
		"11 80 0");
	teardown((void **)&other);
}

/* A second connection that helps the fixture's lander with the same tickets. */
struct helper {
	struct pg *pg;
	struct lookup *lookup;
	struct lander *lander;
};

static void helper_up(struct pg *pg, bool up, const char *why, void *context)
{
	struct helper *helper = context;
	(void)pg;
	(void)why;
	if (up)
		lookup_reload(helper->lookup);
}

static void helper_ready(void *context)
{
	struct helper *helper = context;
	lander_resume(helper->lander);
}

static void helper_open(struct helper *helper, struct fixture *f, const struct lander_settings *settings)
{
	static const char *const on_connect[] = {"SET enable_seqscan = off", NULL};
	static const struct lander_calls calls = {on_released, on_wanted, on_mismatch};
	helper->pg = database_connect(f->loop, "cirt_store", helper_up, helper, on_connect);
	helper->lookup = lookup_new(helper->pg, node_name(f), on_sources, helper_ready, helper);
	helper->lander = lander_new(f->loop, helper->pg, helper->lookup, f->tickets, settings, &calls, f);
	while (!lookup_is_ready(helper->lookup))
		loop_turn(f->loop, CLOCK_SECOND / 20);
}

static void helper_close(struct helper *helper)
{
	pg_free(&helper->pg);
	lander_free(&helper->lander);
	lookup_free(&helper->lookup);
}

/* Twenty reports; neighbours have them in common, so that both connections meet the same keys at once. */
static void hold_twenty(struct fixture *f, uint64_t entry)
{
	struct item items[20];
	char keys[20][16];
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		snprintf(keys[i], sizeof keys[i], "%d", (int)((entry / 4) * 20 + i));
		item_of(items, &count, keys[i], T0);
	}
	struct finding finding = {.items = items, .item_count = count};
	struct holding_held held = held_of(f, entry, 1, T0);
	land_finding(f, &held, &finding);
}

static void test_two_connections_land_from_one_queue(void **state)
{
	struct fixture *f = *state;
	struct lander_settings settings = {
		.batch = 60, .max_age = 31 * CLOCK_DAY, .max_late = 30 * CLOCK_DAY};
	struct helper helper;
	clean(f);
	lander_settle(f->lander, &settings);
	settings.least = settings.batch;
	helper_open(&helper, f, &settings);
	for (uint64_t entry = 1; entry <= 60; entry++)
		hold_twenty(f, entry);
	lander_kick(f->lander);
	lander_kick(helper.lander);
	turn(f, &f->released, 60);
	assert_int_equal(f->released, 60);
	assert_true(lander_counters(helper.lander)->batches > 0);
	assert_true(lander_counters(f->lander)->batches > 0);
	assert_sql(f,
		"SELECT concat_ws(' ', (SELECT count(*) FROM report), (SELECT count(*) FROM fingerprint), "
		"(SELECT sum(count) FROM sighting), (SELECT sum(reports + folded) FROM ledger_day), (SELECT "
		"count(*) FROM ledger))",
		"320 320 1200 1200 60");
	helper_close(&helper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new_reports_land, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_connections_land_from_one_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_11_duplicates_within_a_batch_fold, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_11_quiet_makes_a_relapse, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_11_no_fold_runs_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_11_time_is_clamped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_series_within_a_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_10_conditions_never_fold, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_13_the_document_is_the_senders_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_rule_tightens_tlp_and_never_loosens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_higher_severity_is_queued_to_raise, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rules_queue_what_deserves_a_case, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_02_same_entry_lands_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_02_reborn_spool_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_02_books_of_a_restored_spool_lose_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_03_waits_for_the_older_transaction, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_04_refused_item_costs_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_04_refused_whole_goes_to_quarantine, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_04_every_model_lands, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_03_killed_backends_lose_and_double_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_and_objects_are_kept_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_18_rerun_moves_and_is_never_received, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unfolded_source_folds_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trap_14_two_nodes_fold_together, setup, teardown),
		cmocka_unit_test_setup_teardown(test_organisation_is_that_of_the_time, setup, teardown),
	};
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
