#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/reply_seal.h"
#include "model/storable.h"
#include "store/landing.h"
#include "wire/envelope_facts.h"

/* Of the mails that one answers, the nearest. */
#define WAITING_MOST 5

/*
 * Mails: what the database is asked about each, and what becomes of it then. What triage says of a mail is a
 * claim about its content; who sent it to whom, and by which door, is what intake wrote into the envelope.
 */

static struct str lower(struct arena *arena, struct str text)
{
	char *copy = arena_alloc(arena, text.len + 1);
	for (size_t i = 0; i < text.len; i++)
		copy[i] = (char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] | 32 : text.p[i]);
	return (struct str){copy, text.len};
}

/* The first number of a case, or of a mail of ours, among the recipients whose seal is ours; "" if there is
 * none. */
static struct str sealed_number(const struct landing *landing, const struct envelope_facts *facts)
{
	char number[REPLY_NUMBER];
	for (size_t i = 0; i < facts->to_count; i++)
		if (reply_check(landing->rules.key, facts->to[i], landing->arena, number, NULL) ==
			REPLY_SEALED)
			return arena_str(landing->arena, str_of(number));
	return STR("");
}

/* Volume is of what comes in now, by a door; not of what a person brings or releases. */
static bool counts(const struct entry *entry, const struct envelope_facts *facts)
{
	return !entry->rerun && (str_equal(facts->door, STR("lmtp")) || str_equal(facts->door, STR("smtp")));
}

static void put_known_text(struct buf *out, struct str text)
{
	put_text(out, text.p ? text : STR(""));
}

static void ask_letter(struct landing *landing, size_t index)
{
	const struct landed *landed = &landing->landed[index];
	const struct letter *letter = &landed->item->letter;
	const struct entry *entry = &landed->ticket->entry;
	struct columns *columns = &landing->letters;
	struct envelope_facts facts;

	envelope_read(entry->envelope, landing->arena, &facts);
	put_i32(column(columns, 0), (int32_t)index);
	put_i32(column(columns, 1), landed->key.exercise);
	put_i32(column(columns, 2), (int32_t)entry->source);
	put_known_text(column(columns, 3), letter->sender);
	put_known_text(column(columns, 4), storable_is(facts.from, MAX_VALUE) ? facts.from : STR(""));
	put_known_text(column(columns, 5), sealed_number(landing, &facts));
	put_known_text(column(columns, 6), letter->replies);
	put_known_text(column(columns, 7), letter->tags);
	put_known_text(column(columns, 8), letter->spam);
	put_bool(column(columns, 9), counts(entry, &facts));
	put_bool(column(columns, 10), entry->rerun != 0);
	put_known_text(column(columns, 11), letter->dmarc);
	columns_next(columns);
}

void landing_ask_letters(struct landing *landing)
{
	static const uint32_t types[] = {PG_INT4, PG_INT4, PG_INT4, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT,
		PG_TEXT, PG_TEXT, PG_BOOL, PG_BOOL, PG_TEXT};
	columns_begin(&landing->letters, types, ARRAY_LEN(types));
	for (size_t i = 0; i < landing->landed_count; i++)
		if (landing->landed[i].makes_row && landing->landed[i].item->letter.is_mail)
			ask_letter(landing, i);
}

/* All of a mail that is spam is spam, what could not be read of it too. */
static void place_spam(struct landing *landing, const struct landed *letter, const struct placed *placed)
{
	for (size_t i = 0; i < landing->landed_count; i++) {
		struct landed *landed = &landing->landed[i];
		bool refused =
			landed->ticket->refused_items && landed->ticket->refused_items[landed->position][0];
		if (landed->ticket != letter->ticket || refused)
			continue;
		landed->kind = ITEM_SPAM;
		landed->is_report = false;
		landed->makes_row = true;
		landed->placed = placed;
	}
}

static void place_in_case(struct landed *landed)
{
	landed->kind = ITEM_CORRESPONDENCE;
	landed->is_report = false;
	if (landed->subkind.len == 0)
		landed->subkind = STR("reply");
}

bool landing_place(struct landing *landing, size_t number, const struct placed *placed)
{
	struct placed *copy = arena_alloc(landing->arena, sizeof(*copy));
	struct landed *landed;

	if (number >= landing->landed_count)
		return true;
	landed = &landing->landed[number];
	*copy = *placed;
	copy->way = arena_str(landing->arena, placed->way);
	copy->why = arena_str(landing->arena, placed->why);
	landed->placed = copy;
	if (placed->place == PLACE_SPAM)
		place_spam(landing, landed, copy);
	else if (placed->place == PLACE_CASE || placed->place == PLACE_NOTICE)
		place_in_case(landed);
	if ((placed->place != PLACE_CASE && placed->place != PLACE_NOTICE) || !placed->lane.p)
		return true;
	landed->ticket->entry.exercise = arena_str(landed->ticket->arena, placed->lane);
	return false;
}

/* --- rows --- */

static void encode_sender(struct landing *landing, const struct landed *landed)
{
	const struct letter *letter = &landed->item->letter;
	struct rows *rows = &landing->copies[COPY_LETTER];
	rows_start(rows, 5);
	put_i64(&rows->bytes, landed->id);
	put_time(&rows->bytes, landed->ticket->entry.received);
	put_known_text(&rows->bytes, letter->id);
	put_known_text(&rows->bytes, lower(landing->arena, letter->sender));
	put_known_text(&rows->bytes, letter->dmarc);
}

static void encode_case(struct landing *landing, const struct landed *landed)
{
	const struct placed *placed = landed->placed;
	struct str tag = landing->rules.tag;
	struct str sender = lower(landing->arena, landed->item->letter.sender);
	struct rows *rows = &landing->copies[placed->place == PLACE_CASE ? COPY_CASE_LETTER : COPY_GUESS];
	struct buf *out = &rows->bytes;
	rows_start(rows, placed->place == PLACE_CASE ? 6 : 4);
	put_i64(out, landed->id);
	put_i64(out, placed->of_case);
	put_text(out, placed->way);
	if (placed->place == PLACE_CASE)
		put_bool(out, placed->known);
	put_known_text(out, sender);
	/* Ours first: what comes behind it may be theirs. */
	if (placed->place == PLACE_CASE)
		put_text(out, arena_printf(landing->arena, STR_FMT "\n" STR_FMT, STR_ARG(tag),
				      STR_ARG(landed->item->letter.tags)));
}

/* A report that answers a mail may have come before it, or before it has a case: the keeper looks again. */
static void encode_waiting(struct landing *landing, const struct landed *landed)
{
	struct str rest = landed->item->letter.replies, id;
	struct rows *rows = &landing->copies[COPY_WAITING];
	for (int i = 0; i < WAITING_MOST && str_split(&rest, ' ', &id);) {
		if (id.len == 0)
			continue;
		rows_start(rows, 3);
		put_i64(&rows->bytes, landed->id);
		put_time(&rows->bytes, landed->ticket->entry.received);
		put_text(&rows->bytes, id);
		i++;
	}
}

static void encode_back(struct landing *landing, const struct landed *landed)
{
	const struct entry *entry = &landed->ticket->entry;
	struct envelope_facts facts;

	envelope_read(entry->envelope, landing->arena, &facts);
	landing_encode_back(landing, landed, lower(landing->arena, landed->item->letter.sender),
		sealed_number(landing, &facts), counts(entry, &facts));
}

/* The mail as it came in: of all its files the one with the entry's digest. */
static struct str whole_mail(const struct ticket *ticket)
{
	for (size_t i = 0; i < ticket->finding_count; i++)
		for (size_t j = 0; j < ticket->findings[i].evidence_count; j++) {
			const struct evidence *evidence = &ticket->findings[i].evidence[j];
			if (memcmp(evidence->digest, ticket->entry.digest, SHA256_LEN) == 0)
				return evidence->bytes;
		}
	return STR("");
}

static void encode_spam(struct landing *landing, size_t place, const struct landed *landed)
{
	const struct entry *entry = &landed->ticket->entry;
	struct rows *rows = &landing->copies[COPY_SPAM];
	struct buf *out = &rows->bytes;
	struct str bytes = whole_mail(landed->ticket);
	int64_t last = landed->id;
	int32_t items = 0;
	for (size_t i = landing->starts[place]; i < landing->starts[place + 1]; i++) {
		last = landing->landed[i].id > last ? landing->landed[i].id : last;
		items += landing->landed[i].makes_row;
	}
	rows_start(rows, 15);
	put_i64(out, landed->id);
	put_i64(out, last);
	put_i32(out, items);
	put_day(out, entry->id.day);
	put_uuid(out, entry->id.spool);
	put_i64(out, (int64_t)entry->id.sequence);
	put_time(out, entry->received);
	put_i32(out, (int32_t)entry->source);
	put_i32(out, landed->key.exercise);
	put_known_text(out, lower(landing->arena, landed->item->letter.sender));
	put_text(out, landed->placed->why);
	put_text(out, landed->item->report.title);
	put_text(out, entry->envelope);
	put_i64(out, (int64_t)bytes.len);
	put_text(out, bytes);
}

void landing_encode_letters(struct landing *landing)
{
	for (size_t place = 0; place < landing->ticket_count; place++)
		for (size_t i = landing->starts[place]; i < landing->starts[place + 1]; i++) {
			const struct landed *landed = &landing->landed[i];
			if (!landed->item->letter.is_mail || !landed->id)
				continue;
			if (landed->kind == ITEM_SPAM) {
				if (landed->placed)
					encode_spam(landing, place, landed);
				continue;
			}
			encode_sender(landing, landed);
			if (landed->placed && landed->placed->place != PLACE_NOTICE)
				encode_case(landing, landed);
			encode_back(landing, landed);
			if (landed->is_report)
				encode_waiting(landing, landed);
		}
}
