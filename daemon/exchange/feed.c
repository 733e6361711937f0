#include "exchange/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "exchange/cursor.h"
#include "wire/taxii.h"

/* Objects asked for at once; servers cap it as they like. */
#define TAXII_LIMIT 1000u
/* So much of a page is kept before its append begins: a small one may turn out to be nothing new. */
#define HELD_MAX 65536u
/* Transfers stop while more than this waits for the spool. */
#define QUEUE_MAX (UINT64_C(4) << 20)
/* After a failure: twice as long each time, between these, unless the server says when. */
#define BACKOFF_FIRST (30 * CLOCK_SECOND)
#define BACKOFF_LAST  (3600 * CLOCK_SECOND)

enum feed_state {
	FEED_WAITING, /* for its time */
	FEED_DUE,     /* for spool or credentials */
	FEED_ASKING,  /* for the bookmark */
	FEED_FETCHING,
	FEED_COMMITTING
};

struct feed {
	struct collector *collector;
	uint32_t source;
	enum source_kind kind;
	enum format format;
	char *name;
	char *url;
	char *owner; /* of the bookmark */
	uint32_t interval;
	enum feed_state state;
	struct timer *timer;
	unsigned failures;
	bool have_cursor;
	struct cursor cursor; /* durable */
	struct cursor after;  /* once the page at hand is committed */
	bool more;            /* a page follows the one at hand */
	struct fetch *fetch;
	uint32_t append; /* open one, or the bookmark's question */
	struct buf held; /* the front of the page, until its append begins */
	struct sha256 *digest;
	struct taxii_scan *scan;
	uint64_t size;
};

static void feed_pull(struct feed *feed);
static bool feed_fetch(struct feed *feed, struct err *err);

/* Waiting */

/* A tenth more or less, so that not all who poll a server do so at once. */
static int64_t jittered(int64_t interval)
{
	uint32_t random;

	random_bytes(&random, sizeof(random));
	return interval - interval / 10 + (int64_t)(random % 1024) * (interval / 5) / 1024;
}

static int64_t feed_interval(const struct feed *feed)
{
	if (feed->interval > 0)
		return (int64_t)feed->interval * CLOCK_SECOND;
	return (int64_t)feed->collector->interval;
}

static int64_t feed_backoff(const struct feed *feed)
{
	int64_t interval = feed_interval(feed);
	int64_t wait = interval < BACKOFF_FIRST ? interval : BACKOFF_FIRST;
	int64_t last = interval > BACKOFF_LAST ? interval : BACKOFF_LAST;

	for (unsigned i = 1; i < feed->failures && wait < last; i++)
		wait *= 2;
	return wait < last ? wait : last;
}

static void feed_wait(struct feed *feed, int64_t wait)
{
	feed->state = FEED_WAITING;
	timer_set(feed->timer, wait);
}

static void feed_drop_page(struct feed *feed)
{
	fetch_cancel(&feed->fetch);
	if (feed->append != 0 && feed->state == FEED_FETCHING)
		appender_abort(feed->collector->appender, feed->append);
	else if (feed->append != 0)
		appender_forget(feed->collector->appender, feed->append);
	feed->append = 0;
	buf_clear(&feed->held);
}

static void feed_succeeded(struct feed *feed)
{
	if (feed->failures > 0)
		log_info_f(LOG_F({"source", feed->name}), "pulling works again");
	feed->failures = 0;
	catalogue_report(feed->collector->catalogue, feed->source, true, "");
	feed_wait(feed, jittered(feed_interval(feed)));
}

/* retry_after: -1 where the server did not say. */
static void feed_failed(struct feed *feed, const char *why, int64_t retry_after)
{
	feed_drop_page(feed);
	feed->failures++;
	feed->collector->failed++;
	log_warn_f(LOG_F({"source", feed->name}, {"url", feed->url}), "pull failed: %s", why);
	catalogue_report(feed->collector->catalogue, feed->source, false, why);
	feed_wait(feed, retry_after >= 0 ? retry_after + CLOCK_SECOND / 10 : jittered(feed_backoff(feed)));
}

/* The spool went: what it has is asked for again when it is back. */
static void feed_start_over(struct feed *feed)
{
	feed_drop_page(feed);
	feed->have_cursor = false;
	feed->state = FEED_DUE;
	feed_resume(feed);
}

/* The page */

static void feed_envelope(const struct feed *feed, const char *content_type, struct buf *out)
{
	buf_printf(out, "{\"door\":\"%s\",\"url\":", source_kind_name(feed->kind));
	buf_json_string(out, utf8_cut(str_of(feed->url), 512));
	if (content_type && content_type[0]) {
		buf_text(out, ",\"content_type\":");
		buf_json_string(out, str_of(content_type));
	}
	if (feed->cursor.added_after[0]) {
		buf_text(out, ",\"added_after\":");
		buf_json_string(out, str_of(feed->cursor.added_after));
	}
	buf_char(out, '}');
}

static struct append_open feed_open(const struct feed *feed, const struct buf *envelope)
{
	return (struct append_open){.source = feed->source,
		.format = feed->kind == SOURCE_TAXII ? FORMAT_STIX : feed->format,
		.exercise = STR(""),
		.envelope = buf_view(envelope)};
}

static void feed_committed(const struct append_committed *committed, const struct err *err, void *context)
{
	struct feed *feed = context;
	struct err again;

	feed->append = 0;
	if (!committed && err->code == ERR_UNCERTAIN) {
		feed_start_over(feed);
		return;
	}
	if (!committed) {
		feed_failed(feed, err->text, -1);
		return;
	}
	feed->cursor = feed->after;
	feed->collector->pages++;
	feed->collector->bytes += feed->size;
	if (!feed->more || feed->collector->draining)
		feed_succeeded(feed);
	else if (!feed_fetch(feed, &again))
		feed_failed(feed, again.text, -1);
}

static bool feed_ready(void *context)
{
	struct feed *feed = context;

	return appender_queued(feed->collector->appender) < QUEUE_MAX;
}

static bool feed_begin_append(struct feed *feed)
{
	struct buf envelope = {0};
	struct append_open open;

	feed_envelope(feed, NULL, &envelope);
	open = feed_open(feed, &envelope);
	feed->append = appender_begin(feed->collector->appender, &open, feed_committed, feed);
	appender_bytes(feed->collector->appender, feed->append, buf_view(&feed->held));
	buf_clear(&feed->held);
	buf_free(&envelope);
	return feed->append != 0;
}

static bool feed_bytes(struct str bytes, void *context)
{
	struct feed *feed = context;

	sha256_update(feed->digest, bytes.p, bytes.len);
	if (feed->kind == SOURCE_TAXII)
		taxii_scan_bytes(feed->scan, bytes);
	feed->size += bytes.len;
	if (feed->append != 0) {
		appender_bytes(feed->collector->appender, feed->append, bytes);
		return true;
	}
	buf_str(&feed->held, bytes);
	return feed->held.len <= HELD_MAX || feed_begin_append(feed);
}

static void feed_commit(struct feed *feed, const struct fetch_result *result)
{
	struct buf value = {0};
	struct buf envelope = {0};
	struct append_close close;

	cursor_encode(&feed->after, str_of(feed->url), &value);
	close = (struct append_close){
		.bookmark_owner = str_of(feed->owner), .bookmark_value = buf_view(&value)};
	feed->state = FEED_COMMITTING;
	if (feed->append != 0) {
		appender_commit(feed->collector->appender, feed->append, &close);
	} else {
		struct append_open open;

		feed_envelope(feed, result->content_type, &envelope);
		open = feed_open(feed, &envelope);
		feed->append = appender_whole(feed->collector->appender, &open, &close, buf_view(&feed->held),
			feed_committed, feed);
	}
	buf_clear(&feed->held);
	buf_free(&value);
	buf_free(&envelope);
	if (feed->append == 0)
		feed_start_over(feed);
}

/* The cursor behind this page of a TAXII collection, and whether another follows. False: the server
 * contradicts itself. */
static bool taxii_after(struct feed *feed, const struct fetch_result *result)
{
	struct cursor *after = &feed->after;
	struct str next = taxii_scan_next(feed->scan);

	if (!taxii_scan_ended(feed->scan))
		return false;
	feed->more = taxii_scan_more(feed->scan);
	if (result->date_added_last[0])
		cursor_set(after->last, sizeof(after->last), str_of(result->date_added_last));
	cursor_set(after->next, sizeof(after->next), feed->more ? next : STR(""));
	if (after->next[0])
		return strcmp(after->next, feed->cursor.next) != 0;
	/* Without `next` the way on is by the time of the last object (TAXII 2.1 3.5). */
	if (after->last[0])
		memcpy(after->added_after, after->last, sizeof(after->added_after));
	return !feed->more || strcmp(after->added_after, feed->cursor.added_after) != 0;
}

/* Whether the page says what the last one said. */
static bool page_is_known(const struct feed *feed)
{
	if (feed->kind == SOURCE_TAXII && !taxii_scan_objects(feed->scan))
		return true;
	return strcmp(feed->after.digest, feed->cursor.digest) == 0 &&
	       strcmp(feed->after.added_after, feed->cursor.added_after) == 0 &&
	       strcmp(feed->after.next, feed->cursor.next) == 0;
}

static void feed_not_modified(struct feed *feed)
{
	struct err err;

	feed_drop_page(feed);
	feed->collector->not_modified++;
	if (!feed->more) {
		feed_succeeded(feed);
		return;
	}
	feed->cursor = feed->after;
	if (!feed_fetch(feed, &err))
		feed_failed(feed, err.text, -1);
}

static void feed_page(struct feed *feed, const struct fetch_result *result)
{
	uint8_t digest[SHA256_LEN];

	feed->after = feed->cursor;
	feed->more = false;
	sha256_final(feed->digest, digest);
	hex_encode(digest, sizeof(digest), feed->after.digest);
	if (feed->kind == SOURCE_TAXII) {
		if (!taxii_after(feed, result)) {
			feed_failed(
				feed, "expected a whole TAXII 2.1 envelope that says where it goes on", -1);
			return;
		}
	} else {
		cursor_set(feed->after.etag, sizeof(feed->after.etag), str_of(result->etag));
		cursor_set(feed->after.modified, sizeof(feed->after.modified), str_of(result->modified));
	}
	if (feed->size == 0 || page_is_known(feed))
		feed_not_modified(feed);
	else
		feed_commit(feed, result);
}

/* A `next` may die with the server's memory: the time of the last page taken is good for ever. */
static bool feed_forgets_next(struct feed *feed, long status)
{
	if (feed->kind != SOURCE_TAXII || !feed->cursor.next[0] || status < 400 || status > 499 ||
		status == 401 || status == 403 || status == 429)
		return false;
	feed->cursor.next[0] = '\0';
	if (feed->cursor.last[0])
		memcpy(feed->cursor.added_after, feed->cursor.last, sizeof(feed->cursor.added_after));
	return true;
}

static void feed_fetched(const struct fetch_result *result, void *context)
{
	struct feed *feed = context;
	char text[64];

	feed->fetch = NULL;
	if (result->problem) {
		feed_failed(feed, result->problem, -1);
	} else if (result->status == 304) {
		feed->more = false;
		feed_not_modified(feed);
	} else if (result->status == 200) {
		feed_page(feed, result);
	} else {
		(void)snprintf(text, sizeof(text), "the server answered %ld", result->status);
		if (feed_forgets_next(feed, result->status))
			feed_failed(feed, text, 0);
		else
			feed_failed(feed, text, result->retry_after);
	}
}

static const struct fetch_calls feed_calls = {feed_ready, feed_bytes, feed_fetched};

static bool feed_fetch(struct feed *feed, struct err *err)
{
	struct fetch_request request = {.url = feed->url,
		.auth = catalogue_auth(feed->collector->catalogue, feed->source),
		.max_size = feed->collector->max_size};
	struct buf url = {0};

	sha256_reset(feed->digest);
	taxii_scan_reset(feed->scan);
	buf_clear(&feed->held);
	feed->size = 0;
	if (feed->kind == SOURCE_TAXII) {
		taxii_page_url(str_of(feed->url), TAXII_LIMIT, STR(""), str_of(feed->cursor.added_after),
			str_of(feed->cursor.next), &url);
		request.url = buf_cstr(&url);
		request.accept = TAXII_ACCEPT;
	} else {
		request.etag = feed->cursor.etag;
		request.modified = feed->cursor.modified;
	}
	feed->collector->pulls++;
	feed->state = FEED_FETCHING;
	feed->fetch = fetch_new(feed->collector->fetcher, &request, &feed_calls, feed, err);
	buf_free(&url);
	return feed->fetch != NULL;
}

/* Beginning */

static void feed_bookmark(struct str value, const struct err *err, void *context)
{
	struct feed *feed = context;

	feed->append = 0;
	feed->state = FEED_DUE;
	if (err)
		return;
	cursor_decode(value, str_of(feed->url), &feed->cursor);
	feed->have_cursor = true;
	feed_pull(feed);
}

static void feed_pull(struct feed *feed)
{
	struct collector *collector = feed->collector;
	struct err err;

	feed->state = FEED_DUE;
	if (collector->draining || appender_state(collector->appender) != APPENDER_OPEN ||
		!catalogue_known(collector->catalogue))
		return;
	if (!feed->have_cursor) {
		feed->append =
			appender_bookmark(collector->appender, str_of(feed->owner), feed_bookmark, feed);
		if (feed->append != 0)
			feed->state = FEED_ASKING;
		return;
	}
	if (!feed_fetch(feed, &err))
		feed_failed(feed, err.text, -1);
}

static void on_timer(void *context)
{
	feed_pull(context);
}

void feed_resume(struct feed *feed)
{
	if (feed->state == FEED_DUE)
		feed_pull(feed);
	else if (feed->fetch && feed_ready(feed))
		fetch_resume(feed->fetch);
}

void feed_hurry(struct feed *feed)
{
	if (feed->state != FEED_WAITING || feed->failures == 0)
		return;
	timer_stop(feed->timer);
	feed_pull(feed);
}

struct feed *feed_new(struct collector *collector, const struct source *source)
{
	struct feed *feed = mem_alloc(sizeof(*feed));

	feed->collector = collector;
	feed->source = source->id;
	feed->kind = source->kind;
	feed->format = source->format;
	feed->interval = source->interval;
	feed->name = mem_strndup(source->name.p, source->name.len);
	feed->url = mem_strndup(source->match.p, source->match.len);
	feed->owner = mem_printf("feed/%u", source->id);
	feed->timer = timer_new(collector->loop, on_timer, feed);
	feed->digest = sha256_new();
	feed->scan = taxii_scan_new();
	feed_pull(feed);
	return feed;
}

void feed_free(struct feed **feed_ptr)
{
	struct feed *feed = *feed_ptr;

	if (!feed)
		return;
	feed_drop_page(feed);
	timer_free(&feed->timer);
	sha256_free(&feed->digest);
	taxii_scan_free(&feed->scan);
	buf_free(&feed->held);
	free(feed->name);
	free(feed->url);
	free(feed->owner);
	free(feed);
	*feed_ptr = NULL;
}

bool feed_keep(struct feed *feed, const struct source *source)
{
	if (feed->kind != source->kind || feed->format != source->format ||
		feed->interval != source->interval || !str_equal(str_of(feed->url), source->match))
		return false;
	return true;
}

bool feed_committing(const struct feed *feed)
{
	return feed->state == FEED_COMMITTING;
}
