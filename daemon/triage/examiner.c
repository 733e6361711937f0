#include "config.h"

#include "triage/examiner.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "triage/verdict.h"
#include "wire/charset.h"
#include "wire/lines.h"

#define ARENA_FIRST   (1u << 20) /* more than a flush leaves, so that lines cost no allocation */
#define STAGE_YARA    "yara"
#define STAGE_ARCHIVE "archive" /* of the reader of mail */
#define STAGE_KEYS    "keys"
#define UNFINISHED    "not finished"
#define ALIVE_EVERY   CLOCK_SECOND

struct examiner {
	struct rule_set *rules;
	struct plugin_host *plugins;
	struct slot *slot;
	struct item_limit *limit;
	struct examiner_calls calls;
	struct examiner_counts counts;
	struct arena *arena;
	struct buf encoded;
	struct buf
		unmarked; /* the entry's bytes as UTF-8, where they came in UTF-16: no flush forgets them */
	/* Of the entry in hand. */
	struct reading_limits limits;
	struct reading_limits line_limits;
	const struct spam_hops *hops;
	int64_t said_alive; /* monotonic */
	struct reading reading;
	const struct handout_entry *entry;
	struct steering *steerings; /* one per item of this flush, where rules matched at all */
	/* Of the part in hand. */
	const struct part *part;
	size_t index;
	uint32_t opening; /* item whose sealed part is being opened */
	bool lost;        /* the room with the keys, over this entry */
};

struct examiner *examiner_new(struct rule_set *rules, struct plugin_host *plugins, struct slot *slot,
	struct item_limit *limit, size_t max_line, const struct spam_hops *hops,
	const struct examiner_calls *calls)
{
	struct examiner *examiner = mem_alloc(sizeof(*examiner));

	examiner->rules = rules;
	examiner->plugins = plugins;
	examiner->slot = slot;
	examiner->limit = limit;
	examiner->calls = *calls;
	examiner->hops = hops;
	examiner->limits = reading_limits_default;
	examiner->line_limits = reading_limits_default;
	if (max_line > 0)
		examiner->line_limits.max_line = max_line;
	examiner->arena = arena_new(ARENA_FIRST);
	return examiner;
}

void examiner_set_archives(struct examiner *examiner, const struct archive_limits *archives,
	const struct str *passwords, size_t password_count)
{
	examiner->limits.archive = *archives;
	examiner->limits.passwords = passwords;
	examiner->limits.password_count = password_count;
}

void examiner_free(struct examiner **examiner)
{
	if (!*examiner)
		return;
	arena_free(&(*examiner)->arena);
	buf_free(&(*examiner)->encoded);
	buf_free(&(*examiner)->unmarked);
	free(*examiner);
	*examiner = NULL;
}

const struct examiner_counts *examiner_counts(const struct examiner *examiner)
{
	return &examiner->counts;
}

static void at(struct reading *reading, uint32_t item, const char *stage)
{
	struct examiner *examiner = reading->context;

	slot_at(examiner->slot, item, stage);
	item_limit_start(examiner->limit);
	if (examiner->calls.alive && clock_monotonic() - examiner->said_alive > ALIVE_EVERY) {
		examiner->said_alive = clock_monotonic();
		examiner->calls.alive(examiner->calls.context);
	}
}

/* Scans, archives and sealed parts can be left out: the report lands and says so. What ends a worker while it
 * is read, or under a plugin, is not let in. */
static bool stage_optional(struct str stage)
{
	return str_equal(stage, STR(STAGE_YARA)) || str_equal(stage, STR(STAGE_ARCHIVE)) ||
	       str_equal(stage, STR(STAGE_KEYS));
}

/* Why this item must not be read; NULL: it may be. */
static const struct handout_leave_out *leave_out_of(const struct examiner *examiner, uint32_t item)
{
	for (size_t i = 0; i < examiner->entry->leave_out_count; i++) {
		const struct handout_leave_out *one = &examiner->entry->leave_out[i];
		if (one->item == item && (one->skip == SKIP_ITEM || !stage_optional(one->stage)))
			return one;
	}
	return NULL;
}

static bool left_out(struct reading *reading, uint32_t item, struct str *reason)
{
	const struct handout_leave_out *one = leave_out_of(reading->context, item);

	if (!one)
		return false;
	*reason = arena_printf(reading->arena, "%s: " STR_FMT,
		one->stage.len > 0 ? arena_str(reading->arena, one->stage).p : "unknown",
		STR_ARG(one->reason.len > 0 ? one->reason : STR("a worker ended in it")));
	return true;
}

/* An item's stage begins; false if it is to be left out. */
static bool enter(uint32_t item, const char *stage, void *context)
{
	struct examiner *examiner = context;

	for (size_t i = 0; i < examiner->entry->leave_out_count; i++) {
		const struct handout_leave_out *one = &examiner->entry->leave_out[i];
		if (one->skip == SKIP_STAGE && one->item == item && str_equal(one->stage, str_of(stage)))
			return false;
	}
	at(&examiner->reading, item, stage);
	return true;
}

static bool enter_stage(struct reading *reading, uint32_t item, const char *stage)
{
	return enter(item, stage, reading->context);
}

void examiner_tick(struct examiner *examiner)
{
	at(&examiner->reading, examiner->opening, STAGE_KEYS);
}

static void open_sealed(
	struct reading *reading, uint32_t item, const struct sealed *sealed, struct unsealed *unsealed)
{
	struct examiner *examiner = reading->context;

	if (!enter(item, STAGE_KEYS, examiner)) {
		*unsealed = (struct unsealed){.outcome = UNSEAL_FAILED,
			.reason = STR("left out, the room with the keys ended in it")};
		return;
	}
	examiner->opening = item;
	examiner->calls.open(sealed, reading->arena, unsealed, &examiner->lost, examiner->calls.context);
	at(reading, item, "mime");
}

static void rule_matched(const struct rule_match *match, void *context)
{
	struct examiner *examiner = context;
	struct reading *reading = &examiner->reading;
	struct verdict verdict = {
		.engine = str_of(rule_engine_name()),
		.rule = arena_printf(reading->arena, "%s/%s", match->file, match->rule),
		.set_digest = str_of(rule_set_digest(examiner->rules)),
		.part = examiner->part->name,
		.outcome = STR("match"),
	};

	examiner->counts.matches++;
	if (!examiner->steerings)
		examiner->steerings =
			arena_alloc(reading->arena, reading->item_count * sizeof(*examiner->steerings));
	steering_hear(&examiner->steerings[examiner->index], match);
	if (match->tag)
		reading_tag(reading, &reading->items[examiner->index].report, str_of(match->tag));
	reading_verdict(reading, &reading->items[examiner->index].report, &verdict);
}

static void scan_unfinished(struct examiner *examiner, const char *why)
{
	struct reading *reading = &examiner->reading;
	struct report *report = &reading->items[examiner->index].report;
	struct verdict verdict = {
		.engine = str_of(rule_engine_name()),
		.set_digest = str_of(rule_set_digest(examiner->rules)),
		.part = examiner->part->name,
		.outcome = STR(UNFINISHED),
	};

	examiner->counts.unfinished++;
	reading_verdict(reading, report, &verdict);
	reading_note(reading, report, "scan not finished: %s", why);
}

static void part_scan(struct examiner *examiner, const struct part *part)
{
	if (!rule_set_sees(examiner->rules, part->scopes))
		return;
	if (!enter(part->item, STAGE_YARA, examiner)) {
		scan_unfinished(examiner, "left out, a worker ended in it");
		return;
	}
	examiner->counts.scans++;
	switch (rule_set_scan(examiner->rules, part, rule_matched, examiner)) {
	case RULE_SCAN_TIMEOUT:
		scan_unfinished(examiner, "over its time limit");
		break;
	case RULE_SCAN_FAILED:
		scan_unfinished(examiner, "the engine failed");
		break;
	default:
		break;
	}
}

static void part_examine(struct examiner *examiner, const struct part *part)
{
	struct reading *reading = &examiner->reading;
	uint32_t first = reading->item_count > 0 ? reading->items[0].number : 0;

	if (part->item < first || part->item - first >= reading->item_count ||
		reading->items[part->item - first].kind == ITEM_QUARANTINED)
		return;
	examiner->part = part;
	examiner->index = part->item - first;
	if (examiner->plugins)
		plugin_host_part(examiner->plugins, reading, examiner->index, part, enter, examiner);
	part_scan(examiner, part);
}

static void item_finish(struct examiner *examiner, size_t index)
{
	struct item *item = &examiner->reading.items[index];

	examiner->counts.items++;
	if (item->kind == ITEM_QUARANTINED) {
		const struct handout_leave_out *why = leave_out_of(examiner, item->number);
		if (why && why->stage.len > 0)
			item->stage = why->stage;
		examiner->counts.quarantined++;
		return;
	}
	if (examiner->steerings)
		steering_apply(&examiner->steerings[index], &examiner->reading, &item->report);
	if (item->kind == ITEM_REPORT)
		report_fingerprint(&item->report, examiner->reading.arena);
}

/* Everything that was read since the last flush: plugins, rules, fingerprints, and out with it. */
static void finish(struct examiner *examiner, bool last)
{
	struct reading *reading = &examiner->reading;
	struct finding finding;

	examiner->steerings = NULL;
	if (examiner->plugins && plugin_host_count(examiner->plugins) > 0)
		for (size_t i = 0; i < reading->item_count; i++)
			if (reading->items[i].kind == ITEM_REPORT)
				plugin_host_item(examiner->plugins, reading, i, enter, examiner);
	for (size_t i = 0; i < reading->part_count; i++)
		part_examine(examiner, &reading->parts[i]);
	if (reading->item_count > 0)
		at(reading, reading->items[0].number, "finish");
	for (size_t i = 0; i < reading->item_count; i++)
		item_finish(examiner, i);
	finding = (struct finding){
		.items = reading->items,
		.item_count = reading->item_count,
		.evidence = reading->evidence,
		.evidence_count = reading->evidence_count,
		.objects = reading->objects,
		.object_count = reading->object_count,
	};
	if (examiner->calls.found) {
		examiner->calls.found(&finding, examiner->calls.context);
		return;
	}
	buf_clear(&examiner->encoded);
	finding_encode(&finding, &examiner->encoded);
	examiner->calls.piece(
		examiner->entry->ticket, last, buf_view(&examiner->encoded), examiner->calls.context);
}

static void flush(struct reading *reading)
{
	finish(reading->context, false);
}

/* A mail is kept as it came, and its reader knows of marks itself. */
static bool read_entry(struct examiner *examiner, const char **stage, struct err *err)
{
	const struct handout_entry *entry = examiner->entry;
	size_t bad;
	struct str text = charset_unmark(entry->bytes, &examiner->unmarked, &bad);
	enum format format = entry->format == FORMAT_AUTO ? format_guess(text) : entry->format;

	switch (format) {
	case FORMAT_LINES:
	case FORMAT_NATIVE:
	case FORMAT_EVE:
	case FORMAT_IDEA:
	case FORMAT_INTELMQ:
	case FORMAT_ZEEK:
		*stage = "json";
		examiner->reading.limits = &examiner->line_limits;
		return lines_read_as(&examiner->reading, text, format, err);
	case FORMAT_STIX:
		*stage = "stix";
		return stix_read(&examiner->reading, text, entry->envelope, err);
	case FORMAT_CSV:
		*stage = "csv";
		return csv_read(&examiner->reading, text, entry->envelope, err);
	case FORMAT_MISP:
		*stage = "misp";
		return misp_read(&examiner->reading, text, entry->envelope, err);
	case FORMAT_XARF:
		*stage = "xarf";
		return xarf_read(&examiner->reading, text, entry->envelope, err);
	case FORMAT_SHADOWSERVER:
		*stage = "shadowserver";
		return shadowserver_read(&examiner->reading, text, entry->envelope, err);
	default:
		*stage = "mime";
		return mail_read(&examiner->reading, entry->bytes, entry->envelope, err);
	}
}

void examiner_run(struct examiner *examiner, const struct handout_entry *entry)
{
	struct err err = {0};
	const char *stage;

	arena_reset(examiner->arena);
	examiner->entry = entry;
	examiner->reading = (struct reading){
		.arena = examiner->arena,
		.limits = &examiner->limits,
		.hops = examiner->hops,
		.at = at,
		.left_out = left_out,
		.flush = flush,
		.enter = enter_stage,
		.open_sealed = examiner->calls.open ? open_sealed : NULL,
		.context = examiner,
	};
	examiner->lost = false;
	examiner->said_alive = clock_monotonic();
	slot_begin(examiner->slot, entry->ticket);
	item_limit_start(examiner->limit);
	bool read = read_entry(examiner, &stage, &err);
	if (examiner->reading.waits) {
		examiner->counts.sealed++;
		examiner->calls.sealed(entry->ticket, examiner->lost, examiner->calls.context);
	} else if (read) {
		finish(examiner, true);
	} else {
		examiner->counts.refused++;
		examiner->calls.refused(
			entry->ticket, str_of(stage), str_of(err.text), examiner->calls.context);
	}
	buf_free(&examiner->unmarked);
	item_limit_stop(examiner->limit);
	slot_begin(examiner->slot, 0);
	examiner->counts.entries++;
	examiner->counts.bytes += entry->bytes.len;
}
