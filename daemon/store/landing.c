#include "config.h"

#include "store/landing.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

struct landing *landing_new(const struct lookup *lookup, int64_t max_age, int64_t max_late)
{
	struct landing *landing = mem_alloc(sizeof *landing);
	landing->arena = arena_new(1 << 20);
	landing->lookup = lookup;
	landing->limits.max_age = max_age;
	landing->max_late = max_late;
	return landing;
}

void landing_free(struct landing **landing)
{
	struct landing *it = *landing;
	if (!it)
		return;
	struct columns *columns[] = {&it->families, &it->entries, &it->made, &it->moved, &it->seen,
		&it->verdicts, &it->evidence, &it->objects, &it->sums, &it->acts, &it->arrivals, &it->feeds,
		&it->known_versions, &it->versions_made, &it->versions_moved, &it->letters};
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		columns_free(columns[i]);
	for (size_t i = 0; i < COPY_TABLES; i++)
		rows_free(&it->copies[i]);
	arena_free(&it->arena);
	free(it);
	*landing = NULL;
}

#define KEEP_BYTES (8u << 20)

static void landing_reset(struct landing *landing)
{
	arena_reset(landing->arena);
	landing->landed_count = 0;
	landing->order_count = 0;
	landing->group_count = 0;
	landing->family_count = 0;
	landing->version_count = 0;
	landing->version_group_count = 0;
	landing->new_reports = landing->folds = landing->relapses = 0;
	for (size_t i = 0; i < COPY_TABLES; i++) {
		/* One large mail must not keep its room for good. */
		if (landing->copies[i].bytes.cap > KEEP_BYTES)
			rows_free(&landing->copies[i]);
		rows_clear(&landing->copies[i]);
	}
}

/* The sender's, else the source's, else AMBER; a rule may ask for a stricter one. */
static enum tlp settled_tlp(const struct report *report, const struct source *source)
{
	enum tlp tlp = report->tlp ? report->tlp : source ? source->tlp : TLP_UNSTATED;
	if (!tlp)
		tlp = TLP_AMBER;
	return report->rule_tlp > tlp ? report->rule_tlp : tlp;
}

/* What the source says where the sender said nothing. */
static void landed_settle(const struct landing *landing, struct landed *landed)
{
	const struct entry *entry = &landed->ticket->entry;
	const struct report *report = &landed->item->report;
	const struct source *source = landed->source;
	enum rsit_type type = report->type ? report->type : source ? source->type : RSIT_NONE;
	if (!type)
		rsit_parse(STR("undetermined"), &type);
	landed->type = type;
	landed->severity = report->severity >= 0 ? report->severity : rsit_severity(type);
	landed->key.tlp = settled_tlp(report, source);
	landed->key.exercise = lookup_exercise(landing->lookup, entry->exercise);
	landed->time = fold_time(report->observed, entry->received, landing->max_late);
	landed->month = clock_yyyymm(entry->received);
	if (!landed->is_report)
		return;
	memcpy(landed->key.digest, report->fingerprint.digest, FINGERPRINT_LEN);
	bool alone = (source && source->restricted) ||
	             lookup_parted(landing->lookup, landed->key.digest, landed->key.exercise, entry->source);
	landed->key.scope = alone ? (int32_t)entry->source : 0;
}

static void landing_add(struct landing *landing, struct ticket *ticket, size_t position)
{
	const struct item *item = ticket->items[position];
	struct landed *landed = &landing->landed[landing->landed_count];
	bool good = !ticket->refused_items || !ticket->refused_items[position][0];
	*landed = (struct landed){
		.ticket = ticket,
		.item = item,
		.kind = item->kind,
		.subkind = item->subkind,
		.source = source_by_id(lookup_sources(landing->lookup), ticket->entry.source),
		.position = position,
		.is_report = item->kind == ITEM_REPORT && good,
		.makes_row = item->kind != ITEM_QUARANTINED && good,
	};
	landed_settle(landing, landed);
	landing->landed_count++;
}

static int by_key_and_time(const void *a, const void *b, void *context)
{
	const struct landing *landing = context;
	const struct landed *left = &landing->landed[*(const size_t *)a];
	const struct landed *right = &landing->landed[*(const size_t *)b];
	int order = fold_key_compare(&left->key, &right->key);
	if (order)
		return order;
	if (left->time != right->time)
		return left->time < right->time ? -1 : 1;
	return left < right ? -1 : left > right;
}

/* Groups in order of key, so that every transaction takes its locks in the same order (trap 14). */
void landing_order(struct landing *landing)
{
	static const uint32_t types[] = {PG_UUID, PG_INT4};
	landing_decide_versions(landing);
	for (size_t i = 0; i < landing->landed_count; i++)
		if (landing->landed[i].is_report && landing->landed[i].way == WAY_OWN)
			landing->order[landing->order_count++] = i;
	qsort_r(landing->order, landing->order_count, sizeof *landing->order, by_key_and_time, landing);
	landing->groups = arena_alloc(landing->arena, (landing->order_count + 1) * sizeof *landing->groups);
	columns_begin(&landing->families, types, ARRAY_LEN(types));
	struct fold_key last = {0};
	for (size_t i = 0; i < landing->order_count; i++) {
		const struct fold_key *key = &landing->landed[landing->order[i]].key;
		if (i == 0 || fold_family_compare(&last, key)) {
			put_uuid(column(&landing->families, 0), key->digest);
			put_i32(column(&landing->families, 1), key->exercise);
			columns_next(&landing->families);
			landing->family_count++;
		}
		if (i == 0 || fold_key_compare(&last, key))
			landing->groups[landing->group_count++] =
				(struct group){.first = i, .family = landing->family_count - 1};
		landing->groups[landing->group_count - 1].end = i + 1;
		last = *key;
	}
}

void landing_build(struct landing *landing, struct ticket **tickets, size_t count, size_t first, size_t end)
{
	landing_reset(landing);
	size_t items = 0;
	for (size_t i = 0; i < count; i++)
		items += tickets[i]->item_count;
	landing->tickets = arena_alloc(landing->arena, (count + 1) * sizeof(struct ticket *));
	landing->counts = arena_alloc(landing->arena, (count + 1) * sizeof *landing->counts);
	landing->landed = arena_alloc(landing->arena, (items + 1) * sizeof *landing->landed);
	landing->order = arena_alloc(landing->arena, (items + 1) * sizeof *landing->order);
	landing->starts = arena_alloc(landing->arena, (count + 1) * sizeof *landing->starts);
	landing->ticket_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (tickets[i]->landed)
			continue;
		landing->tickets[landing->ticket_count++] = tickets[i];
		for (size_t j = first; !tickets[i]->poison && j < tickets[i]->item_count && j < end; j++)
			landing_add(landing, tickets[i], j);
		landing->starts[landing->ticket_count] = landing->landed_count;
	}
	landing_versions(landing);
	landing_ask_letters(landing);
}

static const struct fold_key *group_key(const struct landing *landing, const struct group *group)
{
	return &landing->landed[landing->order[group->first]].key;
}

/* Groups of a family lie side by side. */
static size_t family_start(const struct landing *landing, size_t family)
{
	size_t low = 0;
	size_t high = landing->group_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (landing->groups[middle].family < family)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void landing_known(
	struct landing *landing, size_t family, enum tlp tlp, int32_t scope, const struct fold_state *state)
{
	for (size_t i = family_start(landing, family);
		i < landing->group_count && landing->groups[i].family == family; i++) {
		struct group *group = &landing->groups[i];
		const struct fold_key *key = group_key(landing, group);
		if (key->tlp != tlp || key->scope != scope) {
			group->sibling = state->report;
			continue;
		}
		group->known = true;
		group->was = *state;
	}
}

static int higher(int a, int b)
{
	return a > b ? a : b;
}

static void landed_decide(struct landing *landing, struct group *group, size_t index)
{
	struct landed *landed = &landing->landed[index];
	const struct report *report = &landed->item->report;
	struct fold_limits limits = {lookup_quiet(landing->lookup, landed->type), landing->limits.max_age};
	landed->verdict = fold_decide(&group->now, &limits, landed->time);
	if (landed->verdict == FOLD_AGAIN) {
		landed->id = group->now.report;
		landed->makes_row = false;
		landing->folds++;
	} else {
		landed->id = -1 - (int64_t)index;
		landing->new_reports++;
		landing->relapses += landed->verdict == FOLD_RELAPSE;
	}
	if (landed->verdict == FOLD_RELAPSE || landed->verdict == FOLD_CONTINUATION)
		landed->previous = group->now.report;
	fold_apply(&group->now, landed->verdict, landed->id, landed->time);
	if (landed->verdict == FOLD_APART)
		return;
	group->now.severity = higher(group->now.severity, landed->severity);
	group->now.confidence = higher(group->now.confidence, report->confidence);
	group->now.trust = higher(group->now.trust, landed->source ? landed->source->trust : 0);
}

void landing_decide(struct landing *landing)
{
	for (size_t i = 0; i < landing->group_count; i++) {
		struct group *group = &landing->groups[i];
		group->now = group->was;
		for (size_t j = group->first; j < group->end; j++)
			landed_decide(landing, group, landing->order[j]);
	}
}

size_t landing_needs(const struct landing *landing, struct month_need *needs, size_t max)
{
	size_t months = 0;
	for (size_t i = 0; i < landing->landed_count; i++) {
		const struct landed *landed = &landing->landed[i];
		if (!landed->makes_row)
			continue;
		size_t at = 0;
		while (at < months && needs[at].month != landed->month)
			at++;
		if (at == max)
			continue;
		if (at == months)
			needs[months++] = (struct month_need){.month = landed->month};
		needs[at].count++;
	}
	return months;
}

/* Until it has one, an item that needs an id has its own place below 0; an item that is no report has 0. */
void landing_id(struct landing *landing, int32_t month, size_t *cursor, int64_t id)
{
	while (*cursor < landing->landed_count) {
		struct landed *landed = &landing->landed[(*cursor)++];
		if (!landed->makes_row || landed->month != month)
			continue;
		landed->id = id;
		return;
	}
}

int64_t landing_resolved(const struct landing *landing, int64_t id)
{
	return id < 0 ? landing->landed[-1 - id].id : id;
}

static void landing_resolve(struct landing *landing)
{
	for (size_t i = 0; i < landing->landed_count; i++) {
		landing->landed[i].id = landing_resolved(landing, landing->landed[i].id);
		landing->landed[i].previous = landing_resolved(landing, landing->landed[i].previous);
	}
	for (size_t i = 0; i < landing->group_count; i++)
		landing->groups[i].now.report = landing_resolved(landing, landing->groups[i].now.report);
	landing_resolve_versions(landing);
}

void landing_encode(struct landing *landing)
{
	landing_resolve(landing);
	landing_encode_rows(landing);
	landing_encode_verdicts(landing);
	landing_encode_letters(landing);
	landing_encode_files(landing);
	landing_encode_versions(landing);
	landing_encode_sums(landing);
}

struct landed *landing_item(const struct landing *landing, size_t ticket, uint32_t number)
{
	size_t low = landing->starts[ticket];
	size_t end = landing->starts[ticket + 1];
	size_t high = end;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (landing->landed[middle].item->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < end && landing->landed[low].item->number == number ? &landing->landed[low] : NULL;
}

int64_t landing_id_of(const struct landing *landing, size_t ticket, uint32_t number)
{
	const struct landed *landed = landing_item(landing, ticket, number);
	return landed ? landed->id : 0;
}
