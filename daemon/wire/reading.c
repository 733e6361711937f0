#include "wire/reading.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "model/storable.h"

/* A report of more than this many observables is a list: the rest stay in its text. */
#define OBSERVABLES_MAX 2000
#define NOTES_MAX       50
#define TAGS_MAX        50
#define FLUSH_AT        262144
#define MAX_REASON      500

/* Behind which analysts put samples, so that nobody opens them by mistake. */
static const struct str sample_passwords[] = {{"infected", 8}, {"malware", 7}, {"virus", 5}};

const struct reading_limits reading_limits_default = {
	.max_depth = 100,
	.max_parts = 1000,
	.max_header = 65536,
	.max_headers = 1048576,
	.max_line = 1048576,
	.max_items = 200000,
	.max_bad = 10000,
	.archive = {.max_depth = 4,
		.max_count = 1000,
		.max_member = (size_t)32 << 20,
		.max_total = (size_t)64 << 20,
		.max_ratio = 200},
	.passwords = sample_passwords,
	.password_count = sizeof(sample_passwords) / sizeof(sample_passwords[0]),
};

/* Room for one more: arrays grow when their count is a power of two, so that they need no capacity beside
 * them. */
static void *array_more(struct arena *arena, void *array, size_t count, size_t size)
{
	if (count == 0)
		return arena_alloc(arena, size);
	if ((count & (count - 1)) != 0)
		return array;
	return arena_grow(arena, array, count * size, 2 * count * size);
}

void reading_said(struct reading *reading, struct report *report)
{
	for (size_t i = 0; i < reading->said_count; i++)
		reading_verdict(reading, report, &reading->said[i]);
}

struct item *reading_item(struct reading *reading, enum item_kind kind)
{
	struct item *item;

	reading->items = array_more(reading->arena, reading->items, reading->item_count, sizeof(*item));
	item = &reading->items[reading->item_count++];
	*item = (struct item){.kind = kind, .number = reading->next_item++};
	item->report.severity = -1;
	item->report.confidence = -1;
	item->report.count = 1;
	item->report.observed = CLOCK_UNKNOWN;
	if (kind != ITEM_QUARANTINED)
		reading_said(reading, &item->report);
	return item;
}

static struct str reason_of(struct reading *reading, const char *text)
{
	struct str cut = utf8_cut(str_of(text), MAX_REASON);

	return arena_str(reading->arena, storable_text(cut, MAX_REASON, reading->arena, NULL));
}

struct item *reading_quarantine(struct reading *reading, struct str part, const char *stage, struct str bytes,
	const char *format, ...)
{
	struct item *item = reading_item(reading, ITEM_QUARANTINED);
	char reason[2 * MAX_REASON];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	item->reason = reason_of(reading, reason);
	item->part = arena_str(reading->arena, part);
	item->stage = str_of(stage);
	item->bytes = bytes;
	reading->bad_count++;
	return item;
}

bool reading_is_full(const struct reading *reading, struct str *reason)
{
	if (reading->next_item >= reading->limits->max_items)
		*reason = STR("more items than are read of one entry: from here on not read");
	else if (reading->bad_count >= reading->limits->max_bad)
		*reason = STR("too many before it could not be read: from here on not read");
	else
		return false;
	return true;
}

static struct str kept_text(struct reading *reading, struct str text)
{
	return arena_str(reading->arena, storable_text(text, MAX_TITLE, reading->arena, NULL));
}

struct part *reading_part(struct reading *reading, uint32_t item, unsigned scopes, struct str name,
	struct str media_type, struct str bytes)
{
	struct part *part;

	reading->parts = array_more(reading->arena, reading->parts, reading->part_count, sizeof(*part));
	part = &reading->parts[reading->part_count++];
	*part = (struct part){item, scopes, kept_text(reading, name), kept_text(reading, media_type), bytes};
	return part;
}

struct evidence *reading_evidence(
	struct reading *reading, uint32_t item, struct str name, struct str media_type, struct str bytes)
{
	struct evidence *evidence;

	reading->evidence =
		array_more(reading->arena, reading->evidence, reading->evidence_count, sizeof(*evidence));
	evidence = &reading->evidence[reading->evidence_count++];
	*evidence = (struct evidence){.name = kept_text(reading, name),
		.media_type = kept_text(reading, media_type),
		.bytes = bytes,
		.item = item};
	sha256(bytes, evidence->digest);
	return evidence;
}

struct stix_object *reading_object(struct reading *reading, uint32_t item)
{
	struct stix_object *object;

	reading->objects =
		array_more(reading->arena, reading->objects, reading->object_count, sizeof(*object));
	object = &reading->objects[reading->object_count++];
	*object = (struct stix_object){.item = item};
	return object;
}

bool reading_observable(struct reading *reading, struct report *report, enum observable_type type,
	enum observable_role role, struct str text)
{
	struct str value;

	if (!observable_normalise(type, text, reading->arena, &value))
		return false;
	for (size_t i = 0; i < report->observable_count; i++) {
		struct observable *known = &report->observables[i];
		if (known->type != type || !str_equal(known->value, value))
			continue;
		if (known->role == OBSERVED_UNKNOWN)
			known->role = role;
		if (known->role == role || role == OBSERVED_UNKNOWN)
			return true;
	}
	if (report->observable_count == OBSERVABLES_MAX) {
		reading_note(reading, report, "more than %d observables; the others stand in the text only",
			OBSERVABLES_MAX);
		return true;
	}
	if (value.p >= text.p && value.p < text.p + text.len)
		value = arena_str(
			reading->arena, value); /* the caller's text may go before the report does */
	report->observables = array_more(
		reading->arena, report->observables, report->observable_count, sizeof(*report->observables));
	report->observables[report->observable_count++] = (struct observable){type, role, value};
	return true;
}

static bool contains(const struct str *list, size_t count, struct str text)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(list[i], text))
			return true;
	return false;
}

void reading_note(struct reading *reading, struct report *report, const char *format, ...)
{
	char note[2 * MAX_REASON];
	struct str text;
	va_list args;

	va_start(args, format);
	vsnprintf(note, sizeof(note), format, args);
	va_end(args);
	text = reason_of(reading, note);
	if (report->note_count == NOTES_MAX || contains(report->notes, report->note_count, text))
		return;
	report->notes = array_more(reading->arena, report->notes, report->note_count, sizeof(*report->notes));
	report->notes[report->note_count++] = text;
}

static struct str kept(struct reading *reading, struct str text, size_t max)
{
	return arena_str(reading->arena, storable_text(text, max, reading->arena, NULL));
}

static bool verdict_known(const struct report *report, const struct verdict *verdict)
{
	for (size_t i = 0; i < report->verdict_count; i++) {
		const struct verdict *one = &report->verdicts[i];
		if (str_equal(one->rule, verdict->rule) && str_equal(one->part, verdict->part) &&
			str_equal(one->engine, verdict->engine) && str_equal(one->outcome, verdict->outcome))
			return true;
	}
	return false;
}

void reading_verdict(struct reading *reading, struct report *report, const struct verdict *verdict)
{
	if (verdict_known(report, verdict))
		return;
	if (report->verdict_count == VERDICTS_MAX) {
		reading_note(
			reading, report, "more than %d rules match; the others are not kept", VERDICTS_MAX);
		return;
	}
	if (!report->verdicts)
		report->verdicts = arena_alloc(reading->arena, VERDICTS_MAX * sizeof(*report->verdicts));
	report->verdicts[report->verdict_count++] = (struct verdict){
		.engine = kept(reading, verdict->engine, MAX_IDENTIFIER),
		.rule = kept(reading, verdict->rule, MAX_TITLE),
		.set_digest = kept(reading, verdict->set_digest, SHA256_HEX),
		.part = kept(reading, verdict->part, MAX_TITLE),
		.outcome = kept(reading, verdict->outcome, MAX_TITLE),
	};
}

void reading_tag(struct reading *reading, struct report *report, struct str tag)
{
	tag = storable_text(str_trim(tag), MAX_IDENTIFIER, reading->arena, NULL);
	if (tag.len == 0 || report->tag_count == TAGS_MAX || contains(report->tags, report->tag_count, tag))
		return;
	report->tags = array_more(reading->arena, report->tags, report->tag_count, sizeof(*report->tags));
	report->tags[report->tag_count++] = arena_str(reading->arena, tag);
}

void reading_flush(struct reading *reading)
{
	if (!reading->flush || arena_size(reading->arena) < FLUSH_AT)
		return;
	reading->flush(reading);
	reading->items = NULL;
	reading->parts = NULL;
	reading->evidence = NULL;
	reading->objects = NULL;
	reading->item_count = reading->part_count = reading->evidence_count = reading->object_count = 0;
	arena_reset(reading->arena);
}
