#include "store/lander.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/batch.h"

/* Bytes of findings in one transaction at most, one ticket excepted. */
#define BATCH_BYTES (32u << 20)

/* So many ids before the end of the partitions, more are asked for. */
#define IDS_AHEAD 500000

#define DELAY_MIN (CLOCK_SECOND / 20)
#define DELAY_MAX (2 * CLOCK_SECOND)

/* Tickets to land together; or, as a trial, items [first, end) of one ticket. */
struct part {
	struct part *next;
	struct ticket **tickets;
	size_t count;
	bool trial;
	bool again; /* was refused once for what may have another reason than a value */
	size_t first;
	size_t end;
};

struct lander {
	struct loop *loop;
	struct pg *pg;
	struct lookup *lookup;
	struct tickets *tickets;
	struct lander_calls calls;
	void *context;
	struct lander_settings settings;
	struct lander_counters counters;
	struct landing *landing;
	struct batch *batch;
	struct part *parts; /* to run before anything new */
	struct part *running;
	bool asking;         /* for a month or an exercise */
	struct map *covered; /* month → end of its ids */
	struct timer *again;
	int64_t delay;
};

static void on_batch(const struct batch_result *result, void *context);

static void on_again(void *context)
{
	lander_kick(context);
}

struct lander *lander_new(struct loop *loop, struct pg *pg, struct lookup *lookup, struct tickets *tickets,
	const struct lander_settings *settings, const struct lander_calls *calls, void *context)
{
	struct lander *lander = mem_alloc(sizeof *lander);
	lander->loop = loop;
	lander->pg = pg;
	lander->lookup = lookup;
	lander->tickets = tickets;
	lander->settings = *settings;
	lander->calls = *calls;
	lander->context = context;
	lander->landing = landing_new(lookup, settings->max_age, settings->max_late);
	lander->landing->rules = settings->letters;
	lander->batch = batch_new(pg, lander->landing, on_batch, lander);
	lander->covered = map_new();
	lander->again = timer_new(loop, on_again, lander);
	return lander;
}

static void part_free(struct part *part)
{
	if (part)
		free(part->tickets);
	free(part);
}

void lander_free(struct lander **lander)
{
	struct lander *it = *lander;
	if (!it)
		return;
	while (it->parts) {
		struct part *part = it->parts;
		it->parts = part->next;
		part_free(part);
	}
	part_free(it->running);
	batch_free(&it->batch);
	landing_free(&it->landing);
	map_free(&it->covered);
	timer_free(&it->again);
	free(it);
	*lander = NULL;
}

void lander_settle(struct lander *lander, const struct lander_settings *settings)
{
	lander->settings = *settings;
	lander->landing->limits.max_age = settings->max_age;
	lander->landing->max_late = settings->max_late;
	lander->landing->rules = settings->letters;
}

const struct lander_counters *lander_counters(const struct lander *lander)
{
	return &lander->counters;
}

void lander_counters_add(const struct lander_counters *counters, struct lander_counters *sum)
{
	sum->batches += counters->batches;
	sum->reports += counters->reports;
	sum->folded += counters->folded;
	sum->relapses += counters->relapses;
	sum->quarantined += counters->quarantined;
	sum->repeats += counters->repeats;
	sum->unknown += counters->unknown;
	sum->halved += counters->halved;
}

bool lander_is_idle(const struct lander *lander)
{
	return !lander->running && !lander->parts;
}

static struct part *part_new(struct ticket *const *tickets, size_t count)
{
	struct part *part = mem_alloc(sizeof *part);
	part->tickets = mem_alloc((count + 1) * sizeof(struct ticket *));
	if (count)
		memcpy(part->tickets, tickets, count * sizeof(struct ticket *));
	part->count = count;
	part->end = SIZE_MAX;
	return part;
}

static void lander_push(struct lander *lander, struct part *part)
{
	part->next = lander->parts;
	lander->parts = part;
}

#define ENTRY_KEY (4 + UUID_LEN + 8)

static struct str entry_key(const struct entry_id *id, char key[ENTRY_KEY])
{
	memcpy(key, &id->day, 4);
	memcpy(key + 4, id->spool, UUID_LEN);
	memcpy(key + 4 + UUID_LEN, &id->sequence, 8);
	return (struct str){key, ENTRY_KEY};
}

/* The ones that wait, up to a batch; never two of one entry. */
static struct part *lander_gather(struct lander *lander)
{
	size_t room = tickets_queued(lander->tickets);
	size_t items = 0;
	size_t bytes = 0;
	if (!room || tickets_queued_items(lander->tickets) < lander->settings.least)
		return NULL;
	struct part *part = part_new(NULL, 0);
	part->tickets = mem_resize(part->tickets, room * sizeof(struct ticket *));
	struct map *entries = map_new();
	while (tickets_first(lander->tickets)) {
		struct ticket *ticket = tickets_first(lander->tickets);
		char space[ENTRY_KEY];
		struct str key = entry_key(&ticket->entry.id, space);
		bool full = part->count && (items + ticket->item_count > lander->settings.batch ||
						   bytes + ticket->size > BATCH_BYTES);
		if (full || map_get_str(entries, key))
			break;
		tickets_take(lander->tickets);
		map_put_str(entries, key, ticket);
		ticket->landing = true;
		part->tickets[part->count++] = ticket;
		items += ticket->item_count;
		bytes += ticket->size;
	}
	map_free(&entries);
	return part;
}

static int64_t covered_until(int32_t month, void *context)
{
	struct lander *lander = context;
	return (int64_t)(intptr_t)map_get(lander->covered, (uint64_t)month);
}

static void on_month(struct pg *pg, const struct pg_result *result, void *context)
{
	struct lander *lander = context;
	(void)pg;
	lander->asking = false;
	if (result->outcome == PG_DONE) {
		int64_t end = pg_value_int(result, 0, 0);
		map_put(lander->covered, (uint64_t)(end / 10000000000), (void *)(intptr_t)end);
	} else if (result->outcome == PG_REFUSED) {
		log_error_f(
			LOG_F({"sqlstate", result->sqlstate}), "no partitions for a month: %s", result->text);
		timer_set(lander->again, DELAY_MAX);
		return;
	}
	lander_kick(lander);
}

/* True if something must be known first, and is being asked for. */
static bool lander_asks(struct lander *lander, const struct part *part)
{
	for (size_t i = 0; i < part->count; i++) {
		const struct entry *entry = &part->tickets[i]->entry;
		int32_t month = clock_yyyymm(entry->received);
		if (lookup_exercise(lander->lookup, entry->exercise) < 0) {
			lander->asking = true;
			lookup_ask_exercise(lander->lookup, entry->exercise);
			return true;
		}
		if (!map_get(lander->covered, (uint64_t)month)) {
			char text[16];
			snprintf(text, sizeof text, "%d", month);
			struct pg_parameter parameter = {.value = str_of(text)};
			lander->asking = true;
			pg_query(lander->pg, "SELECT partition_month($1::int)", &parameter, 1, true, on_month,
				lander);
			return true;
		}
	}
	return false;
}

void lander_kick(struct lander *lander)
{
	if (lander->running || lander->asking || timer_pending(lander->again) || !pg_is_up(lander->pg) ||
		!lookup_is_ready(lander->lookup))
		return;
	struct part *part = lander->parts;
	if (part)
		lander->parts = part->next;
	else
		part = lander_gather(lander);
	if (!part)
		return;
	if (lander_asks(lander, part)) {
		lander_push(lander, part);
		return;
	}
	lander->running = part;
	landing_build(lander->landing, part->tickets, part->count, part->first, part->end);
	batch_run(lander->batch, part->trial, covered_until);
}

void lander_resume(struct lander *lander)
{
	lander->asking = false;
	lander_kick(lander);
}

/* Try again after a while that grows. */
static void lander_wait(struct lander *lander)
{
	lander->delay = lander->delay ? lander->delay * 2 : DELAY_MIN;
	if (lander->delay > DELAY_MAX)
		lander->delay = DELAY_MAX;
	timer_set(lander->again, lander->delay);
}

static void lander_count(struct lander *lander)
{
	const struct landing *landing = lander->landing;
	struct lander_counters *counters = &lander->counters;
	counters->batches++;
	counters->reports += landing->new_reports;
	counters->folded += landing->folds;
	counters->relapses += landing->relapses;
	for (size_t i = 0; i < landing->ticket_count; i++)
		counters->quarantined +=
			(uint64_t)(landing->counts[i].quarantined + landing->counts[i].quarantined_entries);
}

static void lander_committed(struct lander *lander, struct part *part, int64_t last_id)
{
	uint64_t *numbers = mem_alloc((part->count + 1) * sizeof *numbers);
	lander->delay = 0;
	lander_count(lander);
	int32_t month = (int32_t)(last_id / 10000000000);
	if (last_id && last_id + IDS_AHEAD > covered_until(month, lander))
		map_remove(lander->covered, (uint64_t)month);
	for (size_t i = 0; i < part->count; i++) {
		numbers[i] = part->tickets[i]->number;
		tickets_drop(lander->tickets, part->tickets[i]);
	}
	lander->calls.released(numbers, part->count, lander->context);
	free(numbers);
	part_free(part);
}

/* What the ledger says of entries that it had already. */
static void on_digests(struct pg *pg, const struct pg_result *result, void *context)
{
	struct lander *lander = context;
	struct part *part = lander->running;
	(void)pg;
	lander->running = NULL;
	for (int row = 0; result->outcome == PG_DONE && row < result->rows; row++) {
		size_t place = (size_t)pg_value_int(result, row, 0) - 1;
		struct ticket *ticket = place < part->count ? part->tickets[place] : NULL;
		struct str digest = pg_value(result, row, 1);
		char hex[SHA256_HEX];
		if (!ticket)
			continue;
		hex_encode(ticket->entry.digest, SHA256_LEN, hex);
		if (str_equal(digest, str_of(hex))) {
			ticket->landed = true;
			continue;
		}
		log_error("the ledger has another entry under number %llu of this spool",
			(unsigned long long)ticket->entry.id.sequence);
		lander->calls.mismatch(ticket->number, lander->context);
		tickets_drop(lander->tickets, ticket);
		part->tickets[place] = NULL;
	}
	size_t kept = 0;
	for (size_t i = 0; i < part->count; i++)
		if (part->tickets[i])
			part->tickets[kept++] = part->tickets[i];
	part->count = kept;
	if (kept)
		lander_push(lander, part);
	else
		part_free(part);
	lander_kick(lander);
}

static void lander_clash(struct lander *lander, const bool *clashing)
{
	static const uint32_t types[] = {PG_DATE, PG_UUID, PG_INT8, PG_INT4};
	struct part *part = lander->running;
	struct columns columns = {0};
	struct pg_parameter parameters[ARRAY_LEN(types)];
	columns_begin(&columns, types, ARRAY_LEN(types));
	/* The landing leaves out those that had landed before, the part does not. */
	for (size_t i = 0, place = 0; i < part->count; i++) {
		const struct entry_id *id = &part->tickets[i]->entry.id;
		if (part->tickets[i]->landed || !clashing[place++])
			continue;
		put_day(column(&columns, 0), id->day);
		put_uuid(column(&columns, 1), id->spool);
		put_i64(column(&columns, 2), (int64_t)id->sequence);
		put_i32(column(&columns, 3), (int32_t)i + 1);
		columns_next(&columns);
	}
	columns_parameters(&columns, parameters);
	pg_query(lander->pg,
		"SELECT u.place, encode(l.digest, 'hex') FROM unnest($1, $2, $3, $4) AS u (day, spool, "
		"sequence, place) "
		"JOIN ledger l ON l.day = u.day AND l.spool = u.spool AND l.sequence = u.sequence",
		parameters, ARRAY_LEN(types), false, on_digests, lander);
	columns_free(&columns);
}

/* Some of the same tickets, to be landed on their own. */
static void lander_push_some(struct lander *lander, const struct part *of, size_t from, size_t count)
{
	struct part *part = part_new(of->tickets + from, count);
	part->again = of->again;
	lander_push(lander, part);
}

/* Some items of the one ticket, to see whether they are refused. */
static void lander_push_trial(struct lander *lander, const struct part *of, size_t first, size_t end)
{
	struct part *trial = part_new(of->tickets, 1);
	trial->again = of->again;
	trial->trial = true;
	trial->first = first;
	trial->end = end;
	lander_push(lander, trial);
}

/* The entry as such is refused: it goes to quarantine whole, and if even that is refused, it stays in the
 * spool. */
static void lander_refuse_whole(
	struct lander *lander, struct ticket *ticket, const char *sqlstate, const char *text)
{
	char reason[80];
	ticket->landing = false;
	if (ticket->poison) {
		log_error_f(LOG_F({"sqlstate", sqlstate}),
			"entry %llu cannot even be put into quarantine, and stays in the spool: %s",
			(unsigned long long)ticket->entry.id.sequence, text);
		return;
	}
	log_warn_f(LOG_F({"sqlstate", sqlstate}), "the database refuses entry %llu as a whole: %s",
		(unsigned long long)ticket->entry.id.sequence, text);
	snprintf(reason, sizeof reason, "the database refused it with SQLSTATE %s", sqlstate);
	snprintf(ticket->sqlstate, sizeof ticket->sqlstate, "%s", sqlstate);
	ticket_refuse(ticket, STR("store"), str_of(reason));
	ticket->wanted = true;
	lander->calls.wanted(ticket->number, lander->context);
}

/* Poison somewhere in it: halve it down to the item (trap 4). */
static void lander_poison(struct lander *lander, struct part *part, const char *sqlstate, const char *text)
{
	struct ticket *ticket = part->tickets[0];
	lander->counters.halved++;
	size_t end = part->end < ticket->item_count ? part->end : ticket->item_count;
	size_t half = part->trial ? (end - part->first) / 2 : part->count / 2;
	if (part->count > 1) {
		lander_push_some(lander, part, half, part->count - half);
		lander_push_some(lander, part, 0, half);
	} else if (part->trial && half == 0) {
		snprintf(ticket->refused_items[part->first], sizeof *ticket->refused_items, "%s", sqlstate);
		log_warn_f(LOG_F({"sqlstate", sqlstate}), "the database refuses item %zu of entry %llu: %s",
			part->first, (unsigned long long)ticket->entry.id.sequence, text);
	} else if (part->trial) {
		lander_push_trial(lander, part, part->first + half, end);
		lander_push_trial(lander, part, part->first, part->first + half);
	} else if (ticket->probed || ticket->poison || !ticket->item_count) {
		lander_refuse_whole(lander, ticket, sqlstate, text);
	} else {
		ticket->probed = true;
		ticket->refused_items = mem_alloc(ticket->item_count * sizeof *ticket->refused_items);
		lander_push_some(lander, part, 0, 1);
		lander_push_trial(lander, part, 0, ticket->item_count);
	}
	part_free(part);
}

/* SQLSTATEs that are about the values themselves: data exception, constraint, limit, malformed binary. */
static bool is_poison(const char *sqlstate)
{
	return strncmp(sqlstate, "22", 2) == 0 || strncmp(sqlstate, "23", 2) == 0 ||
	       strncmp(sqlstate, "54", 2) == 0 || strcmp(sqlstate, "08P01") == 0;
}

/* A check that fails may be a partition that is missing, which is then made; a key that is there already, a
 * file that another node was faster with. The second time it is the value. */
static bool is_doubtful(const char *sqlstate)
{
	return strcmp(sqlstate, "23514") == 0 || strcmp(sqlstate, "23505") == 0;
}

static void lander_failed(struct lander *lander, struct part *part, const struct batch_result *result)
{
	struct lander_counters *counters = &lander->counters;
	bool doubtful = result->outcome == PG_REFUSED && !part->again && is_doubtful(result->sqlstate);
	if (result->outcome == PG_REFUSED && is_poison(result->sqlstate) && !doubtful) {
		lander_poison(lander, part, result->sqlstate, result->text);
		return;
	}
	lander_push(lander, part);
	if (doubtful) {
		part->again = true;
		map_free(&lander->covered);
		lander->covered = map_new();
		counters->repeats++;
		return;
	}
	switch (result->outcome) {
	case PG_UNKNOWN:
		counters->unknown++;
		return;
	case PG_LOST:
		return;
	case PG_REFUSED:
		log_error_f(LOG_F({"sqlstate", result->sqlstate}),
			"the database refuses to land anything: %s", result->text);
		lander_wait(lander);
		return;
	default:
		counters->repeats++;
		lander_wait(lander);
	}
}

static void on_batch(const struct batch_result *result, void *context)
{
	struct lander *lander = context;
	struct part *part = lander->running;
	if (result->end == BATCH_CLASH) {
		lander_clash(lander, result->clashing);
		return;
	}
	lander->running = NULL;
	switch (result->end) {
	case BATCH_DONE:
		if (part->trial)
			part_free(part);
		else
			lander_committed(lander, part, result->last_id);
		break;
	case BATCH_OVERTAKEN:
		lander->counters.repeats++;
		if (result->last_id)
			map_remove(lander->covered, (uint64_t)(result->last_id / 10000000000));
		lander_push(lander, part);
		break;
	default:
		lander_failed(lander, part, result);
	}
	lander_kick(lander);
}
