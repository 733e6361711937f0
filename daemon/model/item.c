#include "config.h"

#include "model/item.h"

#include "base/clock.h"
#include "base/pack.h"
#include "model/storable.h"

#define UNKNOWN_PERCENT 255 /* -1 as it is packed */
#define MAX_REASON      1000
#define MAX_NAME        300 /* a rule, a stage, a STIX type */
#define MAX_COUNT       INT64_C(1000000000000)
#define MAX_REPLIES     ((size_t)LETTER_REFERENCES * (LETTER_ID + 1))
#define MAX_TAGS        ((size_t)LETTER_TAGS * (LETTER_TAG + 1))
#define MAX_RETURNED    ((size_t)LETTER_RETURNED * (LETTER_RETURN + 1))
#define MAX_WORD        40

/* The fewest bytes that each takes when encoded: they bound what a count may make us allocate. */
#define LEAST_ITEM       29
#define LEAST_EVIDENCE   48
#define LEAST_OBJECT     49
#define LEAST_OBSERVABLE 12
#define LEAST_VERDICT    20
#define LEAST_STRING     4
#define LEAST_SIMILARITY 12

/* A storable copy where it is not storable already: what triage made of hostile bytes must not cost its
 * neighbours. */
static void put_text(struct buf *out, struct str text, size_t max)
{
	if (storable_is(text, max)) {
		pack_str(out, text);
		return;
	}
	struct arena *arena = arena_new(text.len < max ? text.len + 64 : max + 64);
	pack_str(out, storable_text(text, max, arena, NULL));
	arena_free(&arena);
}

static void put_texts(struct buf *out, const struct str *texts, size_t count, size_t max)
{
	pack_u32(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put_text(out, texts[i], max);
}

static int64_t within(int64_t value, int64_t min, int64_t max)
{
	return value < min ? min : value > max ? max : value;
}

static bool country_ok(struct str country)
{
	return country.len == 0 || (country.len == 2 && country.p[0] >= 'A' && country.p[0] <= 'Z' &&
					   country.p[1] >= 'A' && country.p[1] <= 'Z');
}

/* PostgreSQL knows years before 1 and after 9999, but nobody who writes a report means them. */
static bool time_ok(int64_t time)
{
	return time == CLOCK_UNKNOWN ||
	       (time >= clock_of_civil(1, 1, 1, 0, 0, 0) && time < clock_of_civil(10000, 1, 1, 0, 0, 0));
}

static void put_observables(struct buf *out, const struct report *report)
{
	size_t valid = 0;
	for (size_t i = 0; i < report->observable_count; i++)
		valid += observable_valid(&report->observables[i]);
	pack_u32(out, (uint32_t)valid);
	for (size_t i = 0; i < report->observable_count; i++) {
		const struct observable *observable = &report->observables[i];
		if (!observable_valid(observable))
			continue;
		pack_u32(out, observable->type);
		pack_u32(out, observable->role);
		pack_str(out, observable->value);
	}
}

static void put_verdicts(struct buf *out, const struct report *report)
{
	pack_u32(out, (uint32_t)report->verdict_count);
	for (size_t i = 0; i < report->verdict_count; i++) {
		const struct verdict *verdict = &report->verdicts[i];
		put_text(out, verdict->engine, MAX_NAME);
		put_text(out, verdict->rule, MAX_NAME);
		put_text(out, verdict->set_digest, MAX_NAME);
		put_text(out, verdict->part, MAX_VALUE);
		put_text(out, verdict->outcome, MAX_VALUE);
	}
}

static void put_similarities(struct buf *out, const struct report *report)
{
	size_t valid = 0;
	for (size_t i = 0; i < report->similarity_count; i++)
		valid += similarity_valid(report->similarities[i].kind, report->similarities[i].digest);
	pack_u32(out, (uint32_t)valid);
	for (size_t i = 0; i < report->similarity_count; i++) {
		const struct similarity *similarity = &report->similarities[i];
		if (!similarity_valid(similarity->kind, similarity->digest))
			continue;
		pack_u32(out, similarity->kind);
		put_text(out, similarity->part, MAX_VALUE);
		pack_str(out, similarity->digest);
	}
}

static void put_report(struct buf *out, const struct report *report)
{
	put_text(out, report->sender_id, MAX_TITLE);
	pack_u32(out, report->type);
	put_text(out, report->identifier, MAX_IDENTIFIER);
	put_text(out, report->malware, MAX_IDENTIFIER);
	pack_u8(out, (uint8_t)within(report->severity, -1, 100));
	pack_u8(out, (uint8_t)within(report->confidence, -1, 100));
	pack_u32(out, report->tlp);
	pack_u32(out, report->rule_tlp);
	pack_u32(out, report->pap);
	pack_i64(out, time_ok(report->observed) ? report->observed : CLOCK_UNKNOWN);
	pack_i64(out, time_ok(report->valid_until) && report->valid_until != CLOCK_UNKNOWN
			      ? report->valid_until
			      : 0);
	pack_i64(out, within(report->count, 1, MAX_COUNT));
	put_text(out, report->title, MAX_TITLE);
	put_text(out, report->text, MAX_TEXT);
	put_text(out, report->doc, MAX_DOC);
	pack_str(out, country_ok(report->country) ? report->country : STR_NONE);
	pack_u32(out, report->asn);
	put_observables(out, report);
	put_verdicts(out, report);
	put_texts(out, report->notes, report->note_count, MAX_VALUE);
	put_texts(out, report->tags, report->tag_count, MAX_IDENTIFIER);
	put_similarities(out, report);
	put_text(out, report->fingerprint.rule, MAX_NAME);
	pack_u16(out, report->fingerprint.version);
	put_text(out, report->fingerprint.key, MAX_NAME);
	pack_bytes(out, report->fingerprint.digest, FINGERPRINT_LEN);
}

static void put_letter(struct buf *out, const struct letter *letter)
{
	pack_u8(out, letter->is_mail);
	if (!letter->is_mail)
		return;
	put_text(out, letter->sender, MAX_VALUE);
	put_text(out, letter->id, LETTER_ID);
	put_text(out, letter->replies, MAX_REPLIES);
	put_text(out, letter->tags, MAX_TAGS);
	put_text(out, letter->spam, MAX_NAME);
	put_text(out, letter->dmarc, MAX_WORD);
	put_text(out, letter->returned, MAX_RETURNED);
	pack_u8(out, letter->machine);
}

static void put_item(struct buf *out, const struct item *item)
{
	pack_u32(out, item->kind);
	pack_u32(out, item->number);
	put_text(out, item->part, MAX_VALUE);
	put_text(out, item->reason, MAX_REASON);
	put_text(out, item->stage, MAX_NAME);
	put_text(out, item->subkind, MAX_NAME);
	pack_str(out, item->bytes);
	pack_u8(out, item->kind != ITEM_QUARANTINED);
	if (item->kind == ITEM_QUARANTINED)
		return;
	put_report(out, &item->report);
	put_letter(out, &item->letter);
}

static void put_evidence(struct buf *out, const struct evidence *evidence)
{
	pack_bytes(out, evidence->digest, SHA256_LEN);
	put_text(out, evidence->name, MAX_VALUE);
	put_text(out, evidence->media_type, MAX_NAME);
	pack_str(out, evidence->bytes);
	pack_u32(out, evidence->item);
}

static void put_object(struct buf *out, const struct stix_object *object)
{
	put_text(out, object->id, MAX_NAME);
	put_text(out, object->type, MAX_NAME);
	put_text(out, object->version, MAX_NAME);
	put_text(out, object->spec, MAX_NAME);
	put_text(out, object->created_by, MAX_NAME);
	pack_u8(out, object->revoked);
	pack_u32(out, object->tlp);
	put_text(out, object->text, MAX_DOC);
	pack_u32(out, object->item);
	pack_bytes(out, object->digest, FINGERPRINT_LEN);
}

void finding_encode(const struct finding *finding, struct buf *out)
{
	pack_u32(out, (uint32_t)finding->item_count);
	for (size_t i = 0; i < finding->item_count; i++)
		put_item(out, &finding->items[i]);
	pack_u32(out, (uint32_t)finding->evidence_count);
	for (size_t i = 0; i < finding->evidence_count; i++)
		put_evidence(out, &finding->evidence[i]);
	pack_u32(out, (uint32_t)finding->object_count);
	for (size_t i = 0; i < finding->object_count; i++)
		put_object(out, &finding->objects[i]);
}

/* Reading: any value out of its range fails the whole, since a sane encoder cannot have written it. */
static struct str get_text(struct unpack *in, size_t max)
{
	struct str text = unpack_str(in);
	if (!storable_is(text, max))
		in->failed = true;
	return text;
}

static bool get_bool(struct unpack *in)
{
	uint8_t value = unpack_u8(in);
	if (value > 1)
		in->failed = true;
	return value == 1;
}

static void must(struct unpack *in, bool holds)
{
	if (!holds)
		in->failed = true;
}

static int get_percent(struct unpack *in)
{
	uint8_t value = unpack_u8(in);
	must(in, value <= 100 || value == UNKNOWN_PERCENT);
	return value == UNKNOWN_PERCENT ? -1 : value;
}

static struct str *get_texts(struct unpack *in, size_t max, struct arena *arena, size_t *count)
{
	*count = unpack_count(in, LEAST_STRING);
	struct str *texts = arena_alloc(arena, *count * sizeof(*texts));
	for (size_t i = 0; i < *count && !in->failed; i++)
		texts[i] = get_text(in, max);
	return texts;
}

static void get_observables(struct unpack *in, struct arena *arena, struct report *report)
{
	report->observable_count = unpack_count(in, LEAST_OBSERVABLE);
	report->observables = arena_alloc(arena, report->observable_count * sizeof(*report->observables));
	for (size_t i = 0; i < report->observable_count && !in->failed; i++) {
		struct observable *observable = &report->observables[i];
		observable->type = (enum observable_type)unpack_enum(in, OBSERVABLE_TYPES);
		observable->role = (enum observable_role)unpack_enum(in, OBSERVABLE_ROLES);
		observable->value = unpack_str(in);
		must(in, observable_valid(observable));
	}
}

static void get_verdicts(struct unpack *in, struct arena *arena, struct report *report)
{
	report->verdict_count = unpack_count(in, LEAST_VERDICT);
	report->verdicts = arena_alloc(arena, report->verdict_count * sizeof(*report->verdicts));
	for (size_t i = 0; i < report->verdict_count && !in->failed; i++) {
		struct verdict *verdict = &report->verdicts[i];
		verdict->engine = get_text(in, MAX_NAME);
		verdict->rule = get_text(in, MAX_NAME);
		verdict->set_digest = get_text(in, MAX_NAME);
		verdict->part = get_text(in, MAX_VALUE);
		verdict->outcome = get_text(in, MAX_VALUE);
	}
}

static void get_similarities(struct unpack *in, struct arena *arena, struct report *report)
{
	report->similarity_count = unpack_count(in, LEAST_SIMILARITY);
	must(in, report->similarity_count <= SIMILARITIES_MAX);
	report->similarities =
		arena_alloc(arena, in->failed ? 0 : report->similarity_count * sizeof(*report->similarities));
	for (size_t i = 0; i < report->similarity_count && !in->failed; i++) {
		struct similarity *similarity = &report->similarities[i];
		similarity->kind = (enum similarity_kind)unpack_enum(in, SIMILARITY_KINDS);
		similarity->part = get_text(in, MAX_VALUE);
		similarity->digest = unpack_str(in);
		must(in, similarity_valid(similarity->kind, similarity->digest));
	}
}

static void get_report(struct unpack *in, struct arena *arena, struct report *report)
{
	report->sender_id = get_text(in, MAX_TITLE);
	report->type = (enum rsit_type)unpack_enum(in, RSIT_COUNT);
	report->identifier = get_text(in, MAX_IDENTIFIER);
	report->malware = get_text(in, MAX_IDENTIFIER);
	report->severity = get_percent(in);
	report->confidence = get_percent(in);
	report->tlp = (enum tlp)unpack_enum(in, TLP_RED + 1);
	report->rule_tlp = (enum tlp)unpack_enum(in, TLP_RED + 1);
	report->pap = (enum pap)unpack_enum(in, PAP_RED + 1);
	report->observed = unpack_i64(in);
	must(in, time_ok(report->observed));
	report->valid_until = unpack_i64(in);
	must(in, time_ok(report->valid_until));
	report->count = unpack_i64(in);
	must(in, report->count >= 1 && report->count <= MAX_COUNT);
	report->title = get_text(in, MAX_TITLE);
	report->text = get_text(in, MAX_TEXT);
	report->doc = get_text(in, MAX_DOC);
	report->country = unpack_str(in);
	must(in, country_ok(report->country));
	report->asn = unpack_u32(in);
	get_observables(in, arena, report);
	get_verdicts(in, arena, report);
	report->notes = get_texts(in, MAX_VALUE, arena, &report->note_count);
	report->tags = get_texts(in, MAX_IDENTIFIER, arena, &report->tag_count);
	get_similarities(in, arena, report);
	report->fingerprint.rule = get_text(in, MAX_NAME);
	report->fingerprint.version = unpack_u16(in);
	report->fingerprint.key = get_text(in, MAX_NAME);
	unpack_bytes(in, report->fingerprint.digest, FINGERPRINT_LEN);
}

static void get_letter(struct unpack *in, struct letter *letter)
{
	letter->is_mail = get_bool(in);
	if (!letter->is_mail)
		return;
	letter->sender = get_text(in, MAX_VALUE);
	letter->id = get_text(in, LETTER_ID);
	letter->replies = get_text(in, MAX_REPLIES);
	letter->tags = get_text(in, MAX_TAGS);
	letter->spam = get_text(in, MAX_NAME);
	letter->dmarc = get_text(in, MAX_WORD);
	letter->returned = get_text(in, MAX_RETURNED);
	letter->machine = get_bool(in);
}

static void get_item(struct unpack *in, struct arena *arena, struct item *item)
{
	item->kind = (enum item_kind)unpack_enum(in, ITEM_QUARANTINED + 1);
	must(in, item->kind != 0);
	item->number = unpack_u32(in);
	item->part = get_text(in, MAX_VALUE);
	item->reason = get_text(in, MAX_REASON);
	item->stage = get_text(in, MAX_NAME);
	item->subkind = get_text(in, MAX_NAME);
	item->bytes = unpack_str(in);
	bool reports = get_bool(in);
	must(in, reports == (item->kind != ITEM_QUARANTINED));
	if (!reports || in->failed)
		return;
	get_report(in, arena, &item->report);
	get_letter(in, &item->letter);
}

/* Evidence is shared by digest with all other entries: a wrong digest would put these bytes in the place of
 * others. */
static void get_evidence(struct unpack *in, struct evidence *evidence)
{
	uint8_t digest[SHA256_LEN];
	unpack_bytes(in, evidence->digest, SHA256_LEN);
	evidence->name = get_text(in, MAX_VALUE);
	evidence->media_type = get_text(in, MAX_NAME);
	evidence->bytes = unpack_str(in);
	evidence->item = unpack_u32(in);
	sha256(evidence->bytes, digest);
	must(in, memcmp(digest, evidence->digest, SHA256_LEN) == 0);
}

static void get_object(struct unpack *in, struct stix_object *object)
{
	object->id = get_text(in, MAX_NAME);
	object->type = get_text(in, MAX_NAME);
	object->version = get_text(in, MAX_NAME);
	object->spec = get_text(in, MAX_NAME);
	object->created_by = get_text(in, MAX_NAME);
	object->revoked = get_bool(in);
	object->tlp = (enum tlp)unpack_enum(in, TLP_RED + 1);
	object->text = get_text(in, MAX_DOC);
	object->item = unpack_u32(in);
	unpack_bytes(in, object->digest, FINGERPRINT_LEN);
}

bool finding_decode(struct str bytes, struct arena *arena, struct finding *finding, struct err *err)
{
	struct unpack in = {.rest = bytes};
	struct finding read = {0};
	read.item_count = unpack_count(&in, LEAST_ITEM);
	read.items = arena_alloc(arena, read.item_count * sizeof(*read.items));
	for (size_t i = 0; i < read.item_count && !in.failed; i++) {
		get_item(&in, arena, &read.items[i]);
		must(&in, i == 0 || read.items[i].number > read.items[i - 1].number);
	}
	read.evidence_count = unpack_count(&in, LEAST_EVIDENCE);
	read.evidence = arena_alloc(arena, read.evidence_count * sizeof(*read.evidence));
	for (size_t i = 0; i < read.evidence_count && !in.failed; i++)
		get_evidence(&in, &read.evidence[i]);
	read.object_count = unpack_count(&in, LEAST_OBJECT);
	read.objects = arena_alloc(arena, read.object_count * sizeof(*read.objects));
	for (size_t i = 0; i < read.object_count && !in.failed; i++)
		get_object(&in, &read.objects[i]);
	if (!unpack_end(&in))
		return err_set(err, ERR_MALFORMED,
			"a finding was expected: it is wrong %zu bytes before its end", in.rest.len);
	*finding = read;
	return true;
}
