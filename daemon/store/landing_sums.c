#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/landing.h"

/* What is counted: the ledger's row of each entry, the sums of each day and source, and what re-runs move. */

static bool was_folded(const struct landed *landed)
{
	return landed->way != WAY_OWN || (landed->is_report && landed->verdict == FOLD_AGAIN);
}

static void count_item(struct counts *counts, const struct landed *landed)
{
	counts->found++;
	if (was_folded(landed)) {
		counts->folded++;
		return;
	}
	if (landed->is_report) {
		counts->reports++;
		return;
	}
	if (!landed->makes_row) {
		counts->quarantined++;
		return;
	}
	switch (landed->kind) {
	case ITEM_CORRESPONDENCE:
		counts->correspondence++;
		break;
	case ITEM_SPAM:
		counts->spam++;
		break;
	default:
		counts->context++;
	}
}

static void count_ticket(struct landing *landing, size_t place, int64_t *first, int64_t *last)
{
	struct counts *counts = &landing->counts[place];
	*counts = (struct counts){0};
	*first = *last = 0;
	if (landing->tickets[place]->poison)
		counts->quarantined_entries = 1;
	else
		counts->processed = 1;
	for (size_t i = landing->starts[place]; i < landing->starts[place + 1]; i++) {
		const struct landed *landed = &landing->landed[i];
		count_item(counts, landed);
		if (!landed->makes_row)
			continue;
		if (!*first || landed->id < *first)
			*first = landed->id;
		if (landed->id > *last)
			*last = landed->id;
	}
}

/* What a receipt says of what was folded: see sql/021-receipt.sql. */
static void put_folds(struct landing *landing, size_t place, struct buf *column)
{
	struct buf folds = {0};
	for (size_t i = landing->starts[place]; i < landing->starts[place + 1]; i++) {
		const struct landed *landed = &landing->landed[i];
		if (!was_folded(landed) || landed->id <= 0)
			continue;
		pg_put_i32(&folds, (int32_t)landed->item->number);
		pg_put_i64(&folds, landed->id);
	}
	put_text(column, buf_view(&folds));
	buf_free(&folds);
}

static void put_counts(struct columns *columns, size_t from, const struct counts *counts)
{
	const int64_t values[] = {counts->found, counts->reports, counts->folded, counts->correspondence,
		counts->context, counts->spam, counts->quarantined};
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		put_i64(column(columns, from + i), values[i]);
}

static void put_entry(struct landing *landing, size_t place)
{
	const struct ticket *ticket = landing->tickets[place];
	const struct entry *entry = &ticket->entry;
	struct columns *columns = &landing->entries;
	int64_t first, last;
	count_ticket(landing, place, &first, &last);
	put_day(column(columns, 0), entry->id.day);
	put_uuid(column(columns, 1), entry->id.spool);
	put_i64(column(columns, 2), (int64_t)entry->id.sequence);
	put_time(column(columns, 3), entry->received);
	put_i32(column(columns, 4), (int32_t)entry->source);
	put_i32(column(columns, 5), lookup_exercise(landing->lookup, entry->exercise));
	put_i32(column(columns, 6), lookup_node(landing->lookup));
	put_word(column(columns, 7), format_name(entry->format));
	put_word(column(columns, 8), ticket->poison ? "quarantined" : "processed");
	put_text(column(columns, 9), (struct str){(const char *)entry->digest, SHA256_LEN});
	put_i64(column(columns, 10), (int64_t)entry->size);
	put_counts(columns, 11, &landing->counts[place]);
	put_i64_known(column(columns, 18), first);
	put_i64_known(column(columns, 19), last);
	put_i64_known(column(columns, 20), (int64_t)entry->rerun);
	put_text(column(columns, 21), entry->envelope);
	put_text(column(columns, 22), ticket->bookmark_owner);
	put_text(column(columns, 23), ticket->bookmark_value);
	put_folds(landing, place, column(columns, 24));
	columns_next(columns);
}

struct sum {
	int32_t day;
	int32_t source;
	struct counts counts;
};

static int by_day(const void *a, const void *b)
{
	const struct sum *left = a;
	const struct sum *right = b;
	if (left->day != right->day)
		return left->day < right->day ? -1 : 1;
	return (left->source > right->source) - (left->source < right->source);
}

static void counts_add(struct counts *to, const struct counts *more)
{
	to->processed += more->processed;
	to->quarantined_entries += more->quarantined_entries;
	to->found += more->found;
	to->reports += more->reports;
	to->folded += more->folded;
	to->correspondence += more->correspondence;
	to->context += more->context;
	to->spam += more->spam;
	to->quarantined += more->quarantined;
}

static void put_sum(struct columns *columns, const struct sum *sum)
{
	put_day(column(columns, 0), sum->day);
	put_i32(column(columns, 1), sum->source);
	put_i64(column(columns, 2), sum->counts.processed);
	put_i64(column(columns, 3), sum->counts.quarantined_entries);
	put_counts(columns, 4, &sum->counts);
	columns_next(columns);
}

static void encode_day_sums(struct landing *landing)
{
	struct sum *sums = arena_alloc(landing->arena, (landing->ticket_count + 1) * sizeof *sums);
	size_t count = 0;
	for (size_t i = 0; i < landing->ticket_count; i++) {
		const struct entry *entry = &landing->tickets[i]->entry;
		if (!entry->rerun)
			sums[count++] =
				(struct sum){entry->id.day, (int32_t)entry->source, landing->counts[i]};
	}
	qsort(sums, count, sizeof *sums, by_day);
	for (size_t i = 0; i < count;) {
		struct sum sum = sums[i++];
		for (; i < count && by_day(&sum, &sums[i]) == 0; i++)
			counts_add(&sum.counts, &sums[i].counts);
		put_sum(&landing->sums, &sum);
	}
}

/* A re-run is never received: it moves what was counted as quarantined. The database knows whether that was
 * an entry or an item. */
static void encode_acts(struct landing *landing)
{
	for (size_t i = 0; i < landing->ticket_count; i++) {
		const struct ticket *ticket = landing->tickets[i];
		struct columns *columns = &landing->acts;
		if (!ticket->entry.rerun)
			continue;
		put_i64(column(columns, 0), (int64_t)ticket->entry.rerun);
		put_bool(column(columns, 1), !ticket->poison);
		put_counts(columns, 2, &landing->counts[i]);
		put_text(column(columns, 9), ticket->stage);
		put_text(column(columns, 10), ticket->reason);
		columns_next(columns);
	}
}

static void encode_arrivals(struct landing *landing)
{
	struct month_need needs[16];
	size_t months = landing_needs(landing, needs, ARRAY_LEN(needs));
	int64_t minute = clock_now() / (60 * CLOCK_SECOND) * (60 * CLOCK_SECOND);
	for (size_t m = 0; m < months; m++) {
		int64_t first = INT64_MAX;
		for (size_t i = 0; i < landing->landed_count; i++) {
			const struct landed *landed = &landing->landed[i];
			if (landed->makes_row && landed->month == needs[m].month && landed->id < first)
				first = landed->id;
		}
		put_i32(column(&landing->arrivals, 0), needs[m].month);
		put_time(column(&landing->arrivals, 1), minute);
		put_i64(column(&landing->arrivals, 2), first);
		columns_next(&landing->arrivals);
	}
}

/* What a reader of CSV says of its header. A drill's feeds are not remembered. */
static void encode_feeds(struct landing *landing)
{
	for (size_t i = 0; i < landing->landed_count; i++) {
		const struct landed *landed = &landing->landed[i];
		const struct item *item = landed->item;
		if (landed->kind != ITEM_CONTEXT || !landed->makes_row || landed->key.exercise ||
			!landed->source || !str_equal(item->subkind, STR("columns")))
			continue;
		put_i32(column(&landing->feeds, 0), (int32_t)landed->source->id);
		put_text(column(&landing->feeds, 1), item->report.title);
		put_text(column(&landing->feeds, 2), item->report.doc);
		columns_next(&landing->feeds);
	}
}

void landing_encode_sums(struct landing *landing)
{
	static const uint32_t entries[] = {PG_DATE, PG_UUID, PG_INT8, PG_TIMESTAMPTZ, PG_INT4, PG_INT4,
		PG_INT4, PG_TEXT, PG_TEXT, PG_BYTEA, PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_INT8,
		PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_TEXT, PG_TEXT, PG_TEXT, PG_BYTEA};
	static const uint32_t sums[] = {PG_DATE, PG_INT4, PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_INT8,
		PG_INT8, PG_INT8, PG_INT8, PG_INT8};
	static const uint32_t acts[] = {PG_INT8, PG_BOOL, PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_INT8,
		PG_INT8, PG_INT8, PG_TEXT, PG_TEXT};
	static const uint32_t arrivals[] = {PG_INT4, PG_TIMESTAMPTZ, PG_INT8};
	static const uint32_t feeds[] = {PG_INT4, PG_TEXT, PG_TEXT};
	columns_begin(&landing->entries, entries, ARRAY_LEN(entries));
	columns_begin(&landing->sums, sums, ARRAY_LEN(sums));
	columns_begin(&landing->acts, acts, ARRAY_LEN(acts));
	columns_begin(&landing->arrivals, arrivals, ARRAY_LEN(arrivals));
	columns_begin(&landing->feeds, feeds, ARRAY_LEN(feeds));
	for (size_t i = 0; i < landing->ticket_count; i++)
		put_entry(landing, i);
	encode_day_sums(landing);
	encode_acts(landing);
	encode_arrivals(landing);
	encode_feeds(landing);
}
