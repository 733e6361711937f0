/*
 * A TAXII 2.1 collection: pages by `next` under the same filters, and where there is none by the time at
 * which the last object was added (TAXII 2.1 3.5). The cursor behind each page is committed with it.
 */
#include "exchange/feed_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#include "base/map.h"

/* Objects asked for at once; servers cap it as they like. */
#define TAXII_LIMIT 1000u
/* A pull ends here; the next goes on. */
#define PAGES_MAX 10000u
/* Pages without an object that still promise more. */
#define EMPTY_MAX 3u

struct taxii {
	struct buf filter;
	bool pulled;
	bool more;
	unsigned pages;
	unsigned empty;
	struct map *seen; /* digests of `next` and of pages of this pull */
};

static void *taxii_begin(struct feed *feed)
{
	struct taxii *taxii = mem_alloc(sizeof(*taxii));

	if (!taxii_filter(feed->filter, &taxii->filter, NULL))
		buf_clear(&taxii->filter);
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
	taxii_page_url(str_of(feed->url), TAXII_LIMIT, buf_view(&taxii->filter),
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
	/* Without `next` the way on is by the time of the last object. */
	if (after->last[0])
		memcpy(after->added_after, after->last, sizeof(after->added_after));
	return !taxii->more || strcmp(after->added_after, feed->cursor.added_after) != 0 ||
	       err_set(err, ERR_MALFORMED,
		       "more is promised, but neither `next` nor a later X-TAXII-Date-Added-Last");
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
	if (!taxii_after(feed, result, err)) {
		/* The next pull goes by the time of what was taken. */
		feed->cursor.next[0] = '\0';
		if (feed->cursor.last[0])
			memcpy(feed->cursor.added_after, feed->cursor.last, sizeof(feed->cursor.added_after));
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
	((struct taxii *)feed->way)->pulled = true;
}

/* A `next` may die with the server's memory: the time of the last page taken is good for ever. */
static bool taxii_forgive(struct feed *feed, long status)
{
	if (!feed->cursor.next[0] || status < 400 || status > 499 || status == 401 || status == 403 ||
		status == 429)
		return false;
	feed->cursor.next[0] = '\0';
	if (feed->cursor.last[0])
		memcpy(feed->cursor.added_after, feed->cursor.last, sizeof(feed->cursor.added_after));
	return true;
}

const struct feed_way feed_way_taxii = {.begin = taxii_begin,
	.end = taxii_end,
	.start = taxii_start,
	.next = taxii_next,
	.page = taxii_page,
	.taken = taxii_taken,
	.forgive = taxii_forgive,
	.cursor = true};
