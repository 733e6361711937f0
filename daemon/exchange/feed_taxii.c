/*
 * A TAXII 2.1 collection: pages by `next` under the same filters, and where there is none by the time at
 * which the last object was added (TAXII 2.1 3.5). The cursor behind each page is committed with it.
 */
#include "exchange/feed_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

/* Objects asked for at once; servers cap it as they like. */
#define TAXII_LIMIT 1000u
/* Where that many have the same time and there is no `next`, more are asked for, up to this. */
#define TAXII_LIMIT_MAX 64000u
/* By so much fewer are asked for after a page that was too much. */
#define SMALLER 8u
/* A pull ends here; the next goes on. */
#define PAGES_MAX 10000u
/* Pages without an object that still promise more. */
#define EMPTY_MAX 3u

struct taxii {
	struct buf filter;
	bool pulled;
	bool more;
	unsigned usual; /* objects asked for: fewer where they do not fit */
	unsigned limit; /* of the next request */
	unsigned pages;
	unsigned empty;
	struct map *seen; /* digests of `next` and of pages of this pull */
};

static void *taxii_begin(struct feed *feed)
{
	struct taxii *taxii = mem_alloc(sizeof(*taxii));

	if (!taxii_filter(feed->filter, &taxii->filter, NULL))
		buf_clear(&taxii->filter);
	taxii->usual = TAXII_LIMIT;
	taxii->seen = map_new();
	return taxii;
}

static void taxii_end(void *way)
{
	struct taxii *taxii = way;

	buf_free(&taxii->filter);
	map_free(&taxii->seen);
	free(taxii);
}

static void taxii_start(struct feed *feed)
{
	struct taxii *taxii = feed->way;

	taxii->pulled = taxii->more = false;
	taxii->pages = taxii->empty = 0;
	taxii->limit = taxii->usual;
	map_free(&taxii->seen);
	taxii->seen = map_new();
}

static bool taxii_next(struct feed *feed, struct feed_step *step, struct err *err)
{
	struct taxii *taxii = feed->way;
	char from[64] = "";

	(void)err;
	if (taxii->pulled && (!taxii->more || taxii->pages >= PAGES_MAX)) {
		step->kind = STEP_DONE;
		return true;
	}
	if (feed->since.len > 0)
		(void)snprintf(from, sizeof(from), "%.10sT00:00:00.000000Z", feed->since.p);
	step->kind = STEP_FETCH;
	step->format = FORMAT_STIX;
	step->json = true;
	step->accept = TAXII_ACCEPT;
	(void)snprintf(step->owner, sizeof(step->owner), "%s", feed->owner);
	taxii_page_url(str_of(feed->url), taxii->limit, buf_view(&taxii->filter),
		str_of(feed->cursor.added_after[0] ? feed->cursor.added_after : from),
		str_of(feed->cursor.next), &step->url);
	if (feed->cursor.added_after[0]) {
		buf_text(&step->member, ",\"added_after\":");
		buf_json_string(&step->member, str_of(feed->cursor.added_after));
	}
	return true;
}

/* What a TAXII server must say its answer is, or one of the names that others give it. */
static bool is_envelope_type(const char *content_type)
{
	static const char *const types[] = {"application/taxii+json", "application/json",
		"application/stix+json", "application/vnd.oasis.taxii+json",
		"application/vnd.oasis.stix+json"};
	struct str rest = str_of(content_type);
	struct str type;

	if (!str_split(&rest, ';', &type) || str_trim(type).len == 0)
		return true; /* it does not say */
	while (rest.p) {
		struct str parameter;

		str_split(&rest, ';', &parameter);
		parameter = str_trim(parameter);
		if (str_starts(parameter, STR("version=")) && !str_equal(parameter, STR("version=2.1")))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_equal_nocase(str_trim(type), str_of(types[i])))
			return true;
	return false;
}

static uint64_t digest_number(struct str text)
{
	uint8_t digest[SHA256_LEN];
	uint64_t number;

	sha256(text, digest);
	memcpy(&number, digest, sizeof(number));
	return number | 1;
}

static bool seen_before(struct taxii *taxii, const char *what, const char *text)
{
	struct buf key = {0};
	uint64_t number;
	bool seen;

	buf_printf(&key, "%s %s", what, text);
	number = digest_number(buf_view(&key));
	buf_free(&key);
	seen = map_get(taxii->seen, number) != NULL;
	map_put(taxii->seen, number, taxii);
	return seen;
}

/* Just before the time of the last object. Others may have the same time and stand on the next page: they are
 * asked for again, and those that came before fold. False: it is no later than where the page began. */
static bool step_back(const char *last, char *added_after, size_t size)
{
	char text[CLOCK_TEXT];
	int64_t time, from;
	size_t len;

	if (!clock_parse(str_of(last), &time)) {
		bool later = strcmp(last, added_after) != 0;

		(void)snprintf(added_after, size, "%s", last);
		return later;
	}
	time--;
	if (clock_parse(str_of(added_after), &from) && from >= time)
		return false;
	len = strlen(clock_format(time, text));
	if (memchr(text, '.', len))
		(void)snprintf(added_after, size, "%s", text);
	else /* some servers read no time without a fraction */
		(void)snprintf(added_after, size, "%.*s.000000Z", (int)len - 1, text);
	return true;
}

/* More is promised without a `next`: by the time of the last object, and where all have the same, by asking
 * for more of them. */
static bool go_by_time(struct feed *feed, struct err *err)
{
	struct taxii *taxii = feed->way;
	struct cursor *after = &feed->after;

	if (!after->last[0])
		return err_set(err, ERR_MALFORMED,
			"more is promised, but neither `next` nor X-TAXII-Date-Added-Last");
	if (step_back(after->last, after->added_after, sizeof(after->added_after))) {
		taxii->limit = taxii->usual;
		return true;
	}
	if (taxii->limit >= TAXII_LIMIT_MAX)
		return err_set(err, ERR_MALFORMED,
			"more objects were added at %.40s than it gives at once, and there is no `next`: the "
			"rest of them, and all behind them, cannot be asked for",
			after->last);
	taxii->limit *= 4;
	return true;
}

/* Where to go on when `next` leads nowhere any more. */
static void leave_next(struct feed *feed)
{
	feed->cursor.next[0] = '\0';
	if (feed->cursor.last[0])
		step_back(feed->cursor.last, feed->cursor.added_after, sizeof(feed->cursor.added_after));
}

/* The cursor behind this page. False: its pages lead nowhere. */
static bool taxii_after(struct feed *feed, const struct fetch_result *result, struct err *err)
{
	struct taxii *taxii = feed->way;
	struct cursor *after = &feed->after;

	taxii->more = taxii_scan_more(feed->scan);
	taxii->empty = taxii_scan_objects(feed->scan) ? 0 : taxii->empty + 1;
	if (result->date_added_last[0])
		cursor_set(after->last, sizeof(after->last), str_of(result->date_added_last));
	cursor_set(after->next, sizeof(after->next), taxii->more ? taxii_scan_next(feed->scan) : STR(""));
	if (taxii->more && taxii->empty > EMPTY_MAX)
		return err_set(err, ERR_MALFORMED, "page after page without an object promises more");
	if (after->next[0] && seen_before(taxii, "next", after->next))
		return err_set(err, ERR_MALFORMED, "its `next` leads to where it led before");
	if (after->next[0])
		return true;
	if (taxii->more)
		return go_by_time(feed, err);
	if (after->last[0])
		memcpy(after->added_after, after->last, sizeof(after->added_after));
	return true;
}

static enum feed_page taxii_page(
	struct feed *feed, const struct fetch_result *result, enum trouble *trouble, struct err *err)
{
	struct taxii *taxii = feed->way;

	if (result->status == 304 || !is_envelope_type(result->content_type)) {
		err_set(err, ERR_MALFORMED, "expected a TAXII 2.1 envelope, got %ld %.60s", result->status,
			result->content_type);
		return PAGE_BAD;
	}
	if (taxii_scan_stray(feed->scan)) {
		err_set(err, ERR_MALFORMED,
			"expected a TAXII 2.1 envelope: an object whose `objects` is a list");
		return PAGE_BAD;
	}
	if (!taxii_after(feed, result, err)) {
		leave_next(feed);
		*trouble = TROUBLE_LOOP;
		return PAGE_BAD;
	}
	taxii->pages++;
	if (!taxii_scan_objects(feed->scan) || seen_before(taxii, "page", feed->after.digest))
		return PAGE_KNOWN;
	return strcmp(feed->after.digest, feed->cursor.digest) == 0 &&
	                       strcmp(feed->after.added_after, feed->cursor.added_after) == 0 &&
	                       strcmp(feed->after.next, feed->cursor.next) == 0
	               ? PAGE_KNOWN
	               : PAGE_NEW;
}

static void taxii_taken(struct feed *feed)
{
	struct taxii *taxii = feed->way;

	taxii->pulled = true;
	if (taxii->usual < TAXII_LIMIT)
		taxii->usual = 2 * taxii->usual < TAXII_LIMIT ? 2 * taxii->usual : TAXII_LIMIT;
}

/* A page that is too much is asked for in smaller ones, by the next pull. */
static bool taxii_spare(struct feed *feed, enum trouble trouble, const char *why)
{
	struct taxii *taxii = feed->way;

	(void)why;
	if (trouble == TROUBLE_TOO_LARGE || trouble == TROUBLE_SLOW || trouble == TROUBLE_CUT)
		taxii->usual = taxii->usual > SMALLER ? taxii->usual / SMALLER : 1;
	return false;
}

/* A `next` may die with the server's memory: the time of the last page taken is good for ever. */
static bool taxii_forgive(struct feed *feed, long status)
{
	if (!feed->cursor.next[0] || status < 400 || status > 499 || status == 401 || status == 403 ||
		status == 429)
		return false;
	leave_next(feed);
	return true;
}

const struct feed_way feed_way_taxii = {.begin = taxii_begin,
	.end = taxii_end,
	.start = taxii_start,
	.next = taxii_next,
	.page = taxii_page,
	.taken = taxii_taken,
	.forgive = taxii_forgive,
	.spare = taxii_spare,
	.cursor = true};
