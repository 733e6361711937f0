#include "config.h"

#include "unit.h"

#include "base/clock.h"
#include "model/item.h"
#include "model/storable.h"

static void check(bool holds)
{
	assert_true(holds);
}

static void check_text(struct str text, size_t max)
{
	assert_true(storable_is(text, max));
}

static void check_report(const struct report *report)
{
	check_text(report->title, MAX_TITLE);
	check_text(report->text, MAX_TEXT);
	check_text(report->doc, MAX_DOC);
	check_text(report->identifier, MAX_IDENTIFIER);
	check_text(report->malware, MAX_IDENTIFIER);
	check_text(report->sender_id, MAX_TITLE);
	check_text(report->fingerprint.key, 300);
	check(report->type < RSIT_COUNT && report->tlp <= TLP_RED && report->rule_tlp <= TLP_RED &&
		report->pap <= PAP_RED);
	check(report->severity >= -1 && report->severity <= 100 && report->confidence >= -1 &&
		report->confidence <= 100);
	check(report->count >= 1 && (report->country.len == 0 || report->country.len == 2));
	check(report->observed == CLOCK_UNKNOWN ||
		(clock_yyyymm(report->observed) >= 101 && clock_yyyymm(report->observed) <= 999912));
	for (size_t i = 0; i < report->observable_count; i++)
		check(observable_valid(&report->observables[i]));
	for (size_t i = 0; i < report->verdict_count; i++) {
		check_text(report->verdicts[i].rule, MAX_VALUE);
		check_text(report->verdicts[i].outcome, MAX_VALUE);
	}
	for (size_t i = 0; i < report->similarity_count; i++) {
		check(similarity_valid(report->similarities[i].kind, report->similarities[i].digest));
		check_text(report->similarities[i].part, MAX_VALUE);
	}
	for (size_t i = 0; i < report->note_count; i++)
		check_text(report->notes[i], MAX_VALUE);
	for (size_t i = 0; i < report->tag_count; i++)
		check_text(report->tags[i], MAX_IDENTIFIER);
}

/* Everything in it is what PostgreSQL takes and what the enums know. */
static void check_finding(const struct finding *finding)
{
	for (size_t i = 0; i < finding->item_count; i++) {
		const struct item *item = &finding->items[i];
		check(item->kind >= ITEM_REPORT && item->kind <= ITEM_QUARANTINED);
		check_text(item->part, MAX_VALUE);
		check_text(item->reason, MAX_VALUE);
		check_text(item->stage, MAX_VALUE);
		check_text(item->subkind, MAX_VALUE);
		if (item->kind != ITEM_QUARANTINED)
			check_report(&item->report);
	}
	for (size_t i = 0; i < finding->evidence_count; i++) {
		check_text(finding->evidence[i].name, MAX_VALUE);
		check_text(finding->evidence[i].media_type, MAX_VALUE);
	}
	for (size_t i = 0; i < finding->object_count; i++) {
		check_text(finding->objects[i].id, MAX_VALUE);
		check_text(finding->objects[i].text, MAX_DOC);
		check(finding->objects[i].tlp <= TLP_RED);
	}
}

/* Text that may be anything: good, bytes, too long. */
static struct str any_text(uint64_t *seed, struct arena *arena)
{
	struct buf out = {0};
	switch (chance_below(seed, 4)) {
	case 0:
		break;
	case 1:
		chance_text(seed, &out, chance_below(seed, 30));
		break;
	case 2:
		chance_bytes(seed, &out, chance_below(seed, 30));
		break;
	default:
		chance_text(seed, &out, chance_below(seed, 900));
	}
	struct str text = arena_str(arena, buf_view(&out));
	buf_free(&out);
	return text;
}

static int64_t any_number(uint64_t *seed)
{
	static const int64_t edges[] = {0, -1, 1, 100, 101, INT64_MIN, INT64_MAX, INT64_C(1700000000000000)};
	return chance(seed) & 1 ? edges[chance_below(seed, 8)] : (int64_t)chance(seed);
}

static void any_report(uint64_t *seed, struct arena *arena, struct report *report)
{
	*report = (struct report){.type = (enum rsit_type)chance_below(seed, RSIT_COUNT),
		.tlp = (enum tlp)chance_below(seed, TLP_RED + 1),
		.rule_tlp = (enum tlp)chance_below(seed, TLP_RED + 1),
		.pap = (enum pap)chance_below(seed, PAP_RED + 1),
		.sender_id = any_text(seed, arena),
		.identifier = any_text(seed, arena),
		.malware = any_text(seed, arena),
		.title = any_text(seed, arena),
		.text = any_text(seed, arena),
		.doc = any_text(seed, arena),
		.country = chance(seed) & 1 ? STR("NL") : any_text(seed, arena),
		.severity = (int)any_number(seed),
		.confidence = (int)any_number(seed),
		.observed = any_number(seed),
		.count = any_number(seed),
		.asn = (uint32_t)chance(seed)};
	report->observable_count = chance_below(seed, 5);
	report->observables = arena_alloc(arena, 5 * sizeof(*report->observables));
	for (size_t i = 0; i < report->observable_count; i++)
		report->observables[i] = (struct observable){
			(enum observable_type)chance_below(seed, OBSERVABLE_TYPES),
			(enum observable_role)chance_below(seed, OBSERVABLE_ROLES), any_text(seed, arena)};
	report->verdict_count = chance_below(seed, 2);
	report->verdicts = arena_alloc(arena, sizeof(*report->verdicts));
	*report->verdicts = (struct verdict){any_text(seed, arena), any_text(seed, arena),
		any_text(seed, arena), any_text(seed, arena), any_text(seed, arena)};
	report->similarity_count = chance_below(seed, 3);
	report->similarities = arena_alloc(arena, 2 * sizeof(*report->similarities));
	for (size_t i = 0; i < report->similarity_count; i++)
		report->similarities[i] = (struct similarity){
			(enum similarity_kind)chance_below(seed, SIMILARITY_KINDS), any_text(seed, arena),
			chance(seed) & 1 ? STR("96:aBc/+9:Z") : any_text(seed, arena)};
	report->notes = arena_alloc(arena, sizeof(*report->notes));
	*report->notes = any_text(seed, arena);
	report->tags = report->notes;
	report->note_count = report->tag_count = chance(seed) & 1;
	report->fingerprint.rule = any_text(seed, arena);
	report->fingerprint.key = any_text(seed, arena);
}

#define ITEMS 4
static void any_finding(uint64_t *seed, struct arena *arena, struct finding *finding)
{
	*finding = (struct finding){.item_count = chance_below(seed, ITEMS + 1),
		.evidence_count = chance_below(seed, 2),
		.object_count = chance_below(seed, 2)};
	finding->items = arena_alloc(arena, ITEMS * sizeof(*finding->items));
	finding->evidence = arena_alloc(arena, sizeof(*finding->evidence));
	finding->objects = arena_alloc(arena, sizeof(*finding->objects));
	for (uint32_t i = 0; i < finding->item_count; i++) {
		struct item *item = &finding->items[i];
		*item = (struct item){.kind = (enum item_kind)(1 + chance_below(seed, ITEM_QUARANTINED)),
			.number = i * 3,
			.part = any_text(seed, arena),
			.reason = any_text(seed, arena),
			.stage = any_text(seed, arena),
			.subkind = any_text(seed, arena),
			.bytes = any_text(seed, arena)};
		any_report(seed, arena, &item->report);
	}
	struct evidence *evidence = finding->evidence;
	*evidence = (struct evidence){.name = any_text(seed, arena),
		.media_type = any_text(seed, arena),
		.bytes = any_text(seed, arena)};
	sha256(evidence->bytes, evidence->digest);
	*finding->objects = (struct stix_object){.id = any_text(seed, arena),
		.text = any_text(seed, arena),
		.tlp = (enum tlp)chance_below(seed, TLP_RED + 1),
		.revoked = chance(seed) & 1};
}

/* Whatever a reader of hostile bytes put into its report, it can be sent, read and stored. */
static void test_trap_04_any_finding_arrives_storable(void **state)
{
	uint64_t seed = 10;
	struct arena *arena = arena_new(0);
	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct finding finding, read;
		struct buf out = {0}, again = {0};
		struct err err = {0};
		any_finding(&seed, arena, &finding);
		finding_encode(&finding, &out);
		if (!finding_decode(buf_view(&out), arena, &read, &err))
			fail_msg("round %d: %s", round, err.text);
		assert_int_equal(read.item_count, finding.item_count);
		check_finding(&read);
		for (size_t i = 0; i < read.item_count; i++)
			assert_true(str_equal(read.items[i].bytes, finding.items[i].bytes));
		finding_encode(&read, &again);
		assert_true(str_equal(buf_view(&out), buf_view(&again)));
		buf_free(&out);
		buf_free(&again);
		arena_reset(arena);
	}
	arena_free(&arena);
}

/* A taken-over worker may send anything: it is refused, or every value of it is sound. */
static void test_any_bytes_are_refused_or_sound(void **state)
{
	uint64_t seed = 11;
	struct arena *arena = arena_new(0);
	size_t taken = 0;
	(void)state;
	for (int round = 0; round < 10000; round++) {
		struct finding finding, read;
		struct buf out = {0};
		any_finding(&seed, arena, &finding);
		finding_encode(&finding, &out);
		for (size_t n = 1 + chance_below(&seed, 4); n > 0; n--)
			out.data[chance_below(&seed, out.len)] =
				(char)(chance(&seed) & 1 ? chance(&seed) : 0xff);
		if (chance_below(&seed, 4) == 0)
			out.len = chance_below(&seed, out.len + 1);
		if (finding_decode(buf_view(&out), arena, &read, NULL)) {
			check_finding(&read);
			taken++;
		}
		buf_free(&out);
		arena_reset(arena);
	}
	assert_true(taken > 100); /* else nothing was tested */
	arena_free(&arena);
}

static void test_evidence_must_have_its_digest(void **state)
{
	struct arena *arena = arena_new(0);
	struct evidence evidence = {.name = STR("a"), .media_type = STR("text/plain"), .bytes = STR("bytes")};
	struct finding finding = {.evidence = &evidence, .evidence_count = 1}, read;
	struct buf out = {0};
	(void)state;
	sha256(evidence.bytes, evidence.digest);
	finding_encode(&finding, &out);
	assert_true(finding_decode(buf_view(&out), arena, &read, NULL));
	evidence.bytes = STR("other");
	buf_clear(&out);
	finding_encode(&finding, &out);
	assert_false(finding_decode(buf_view(&out), arena, &read, NULL));
	buf_free(&out);
	arena_free(&arena);
}

static void test_trap_04_storable_text(void **state)
{
	struct arena *arena = arena_new(0);
	uint64_t seed = 12;
	bool changed = false;
	struct str good = STR("caf\xc3\xa9");
	(void)state;
	assert_ptr_equal(storable_text(good, 100, arena, &changed).p, good.p);
	assert_false(changed);
	assert_str_is(storable_text(good, 4, arena, &changed), "caf");
	assert_true(changed);
	assert_str_is(storable_text(STR("a\0b\xff\xed\xa0\x80"), 100, arena, NULL),
		"a\xe2\x90\x80"
		"b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	for (int round = 0; round < 5000; round++) {
		struct str text = any_text(&seed, arena);
		size_t max = chance_below(&seed, 60);
		bool was = storable_is(text, max), now_changed = false;
		struct str stored = storable_text(text, max, arena, &now_changed);
		assert_true(storable_is(stored, max));
		assert_int_equal(was, !now_changed);
		if (round % 100 == 0)
			arena_reset(arena);
	}
	arena_free(&arena);
}

static void test_fingerprint_digest_separates_its_parts(void **state)
{
	uint8_t a[FINGERPRINT_LEN], b[FINGERPRINT_LEN];
	(void)state;
	fingerprint_digest(STR("rule"), 1, STR("key"), a);
	fingerprint_digest(STR("rule"), 1, STR("key"), b);
	assert_memory_equal(a, b, sizeof(a));
	fingerprint_digest(STR("rule"), 11, STR("key"), b);
	assert_memory_not_equal(a, b, sizeof(a));
	fingerprint_digest(STR("rule1"), 1, STR("key"), b);
	assert_memory_not_equal(a, b, sizeof(a));
	struct observable observables[] = {{OBSERVABLE_IP, OBSERVED_TARGET, STR("192.0.2.1")},
		{OBSERVABLE_IP, OBSERVED_SOURCE, STR("192.0.2.2")}};
	struct report report = {.observables = observables, .observable_count = 2};
	assert_ptr_equal(report_find(&report, OBSERVABLE_IP, OBSERVED_SOURCE), &observables[1]);
	assert_null(report_find(&report, OBSERVABLE_NAME, OBSERVED_SOURCE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trap_04_any_finding_arrives_storable),
		cmocka_unit_test(test_any_bytes_are_refused_or_sound),
		cmocka_unit_test(test_evidence_must_have_its_digest),
		cmocka_unit_test(test_trap_04_storable_text),
		cmocka_unit_test(test_fingerprint_digest_separates_its_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
