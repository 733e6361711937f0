#include "config.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/landing.h"

/* What only the store can tell of a report, as it knows when it came and what was known before: notes, and
 * what was found in a sighting. */

/* So far ahead may a sender's clock be without a word. */
#define SKEW       (60 * CLOCK_SECOND)
#define NOTES_MORE 2

/* Numbers of verdicts that come with a sighting: behind those that the report landed with. */
#define SIGHTING_VERDICT 1000000

bool landed_expired(const struct landed *landed)
{
	int64_t until = landed->item->report.valid_until;
	return until && until <= landed->ticket->entry.received;
}

static struct str note_of_time(struct landing *landing, const struct landed *landed)
{
	int64_t observed = landed->item->report.observed;
	char said[CLOCK_TEXT], taken[CLOCK_TEXT];
	if (observed == CLOCK_UNKNOWN || (observed >= landed->time && observed - landed->time <= SKEW))
		return STR_NONE;
	return arena_printf(landing->arena, "its sender says %s, which is %s: counted as of %s",
		clock_format(observed, said),
		observed < landed->time ? "longer ago than is believed" : "after it came",
		clock_format(landed->time, taken));
}

static struct str note_of_expiry(struct landing *landing, const struct landed *landed)
{
	char until[CLOCK_TEXT];
	if (!landed_expired(landed))
		return STR_NONE;
	return arena_printf(landing->arena, "expired: valid until %s, before it came; it opens no case",
		clock_format(landed->item->report.valid_until, until));
}

void put_notes(struct landing *landing, const struct landed *landed, struct buf *out)
{
	const struct report *report = &landed->item->report;
	const struct str more[NOTES_MORE] = {note_of_time(landing, landed), note_of_expiry(landing, landed)};
	size_t count = report->note_count;
	struct str *notes = arena_alloc(landing->arena, (count + NOTES_MORE) * sizeof *notes);
	if (count)
		memcpy(notes, report->notes, count * sizeof *notes);
	for (size_t i = 0; i < NOTES_MORE; i++)
		if (more[i].len)
			notes[count++] = more[i];
	put_texts(out, notes, count);
}

/* By what was found and where, so that a thousand sightings of one thing are one row, whoever lands them. */
static int32_t verdict_number(const struct verdict *verdict)
{
	uint8_t digest[SHA256_LEN];
	struct buf key = {0};
	buf_str(&key, verdict->rule);
	buf_char(&key, '\0');
	buf_str(&key, verdict->part);
	buf_char(&key, '\0');
	buf_str(&key, verdict->outcome);
	sha256(buf_view(&key), digest);
	buf_free(&key);
	return SIGHTING_VERDICT + (int32_t)((uint32_t)digest[0] << 22 | (uint32_t)digest[1] << 14 |
					    (uint32_t)digest[2] << 6 | digest[3] >> 2);
}

static void put_verdict(struct landing *landing, const struct landed *landed, const struct verdict *verdict)
{
	struct columns *columns = &landing->verdicts;
	put_i64(column(columns, 0), landed->id);
	put_i32(column(columns, 1), verdict_number(verdict));
	put_text(column(columns, 2), verdict->engine);
	put_text(column(columns, 3), verdict->rule);
	put_text(column(columns, 4), verdict->set_digest);
	put_text(column(columns, 5), verdict->part);
	put_text(column(columns, 6), verdict->outcome);
	put_time(column(columns, 7), landed->time);
	columns_next(columns);
}

void landing_encode_verdicts(struct landing *landing)
{
	static const uint32_t types[] = {
		PG_INT8, PG_INT4, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_TIMESTAMPTZ};
	columns_begin(&landing->verdicts, types, ARRAY_LEN(types));
	for (size_t i = 0; i < landing->landed_count; i++) {
		const struct landed *landed = &landing->landed[i];
		const struct report *report = &landed->item->report;
		bool sighting = landed->is_report && !landed->makes_row && landed->way != WAY_PASSED;
		for (size_t v = 0; sighting && landed->id > 0 && v < report->verdict_count; v++)
			put_verdict(landing, landed, &report->verdicts[v]);
	}
}
