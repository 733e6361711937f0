#include "exchange/feed_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

/* So much of a page is kept before its append begins: a small one may turn out to be nothing new. */
#define HELD_MAX 65536u
/* Transfers stop while more than this waits for the spool. */
#define QUEUE_MAX (UINT64_C(4) << 20)
/* After a failure: twice as long each time, between these, unless the server says when. */
#define BACKOFF_FIRST (30 * CLOCK_SECOND)
#define BACKOFF_LAST  (3600 * CLOCK_SECOND)
#define TIRED         (60 * CLOCK_SECOND) /* between a pull that took too long and the next */
#define BELIEVED      3                   /* failures in a row for which the server's word alone counts */

static void feed_pull(struct feed *feed);
static void feed_go(struct feed *feed);

static const struct feed_way *way_of(enum source_kind kind)
{
	switch (kind) {
	case SOURCE_TAXII:
		return &feed_way_taxii;
	case SOURCE_MISP:
		return &feed_way_misp;
	case SOURCE_MISP_FEED:
		return &feed_way_misp_feed;
	case SOURCE_SHADOWSERVER:
		return &feed_way_shadowserver;
	default:
		return &feed_way_file;
	}
}

void feed_part(struct feed *feed, enum trouble trouble, const char *format, ...)
{
	va_list args;

	if (feed->part_problem[0])
		return;
	feed->part = trouble;
	va_start(args, format);
	(void)vsnprintf(feed->part_problem, sizeof(feed->part_problem), format, args);
	va_end(args);
}

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
	if (feed->source.interval > 0)
		return (int64_t)feed->source.interval * CLOCK_SECOND;
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

/* The pull is over: say how it went, and when the next is. */
static void feed_end(struct feed *feed, enum trouble trouble, const char *problem, int64_t wait)
{
	struct pull_end end = {.source = feed->source.id,
		.well = trouble == TROUBLE_NONE,
		.trouble = trouble,
		.problem = problem,
		.wait = wait,
		.pages = feed->pages};
	int64_t due = feed->how->ended ? feed->how->ended(feed) : -1;

	if (due >= 0 && due < wait && end.well)
		end.wait = wait = due > CLOCK_SECOND ? due : CLOCK_SECOND;
	if (feed->part_problem[0] && end.well) {
		end.trouble = feed->part;
		end.problem = feed->part_problem;
		log_warn_f(LOG_F({"source", feed->source.name.p}, {"trouble", trouble_name(feed->part)}),
			"part of a pull failed: %s", feed->part_problem);
	}
	catalogue_report(feed->collector->catalogue, &end);
	feed->state = FEED_WAITING;
	timer_set(feed->timer, wait);
}

static void feed_succeeded(struct feed *feed)
{
	if (feed->failures > 0)
		log_info_f(LOG_F({"source", feed->source.name.p}), "pulling works again");
	feed->failures = 0;
	feed_end(feed, TROUBLE_NONE, "", jittered(feed_interval(feed)));
}

static void secret_digest(const struct feed *feed, uint8_t digest[SHA256_LEN])
{
	sha256(str_of(catalogue_auth(feed->collector->catalogue, feed->source.id)), digest);
}

/* It fails, nobody said when to come back, and its credentials are others than those it failed with. */
static bool has_new_secret(const struct feed *feed)
{
	uint8_t now[SHA256_LEN];

	if (feed->failures == 0 || feed->told)
		return false;
	secret_digest(feed, now);
	return !bytes_equal_constant_time(now, feed->secret, sizeof(now));
}

/* How long to wait after a failure. A server that names a short time, or one that has passed, is believed a
 * few times in a row. */
static int64_t feed_patience(const struct feed *feed, int64_t retry_after)
{
	int64_t wait = jittered(feed_backoff(feed));
	int64_t least = feed->failures > BELIEVED ? wait : CLOCK_SECOND;

	if (retry_after < 0)
		return has_new_secret(feed) ? 0 : wait;
	return (retry_after > least ? retry_after : least) + CLOCK_SECOND / 10;
}

/* retry_after: -1 where the server did not say. */
static void feed_failed(struct feed *feed, enum trouble trouble, const char *why, int64_t retry_after)
{
	feed_drop_page(feed);
	feed->failures++;
	feed->told = retry_after >= 0;
	feed->collector->failed++;
	log_warn_f(LOG_F({"source", feed->source.name.p}, {"url", feed->url},
			   {"trouble", trouble_name(trouble)}),
		"pull failed: %s", why);
	feed_end(feed, trouble, why, feed_patience(feed, retry_after));
}

/* What was asked for could not be had. It may be one of many: the others go on. */
static void feed_lost(struct feed *feed, enum trouble trouble, const char *why, int64_t retry_after)
{
	if (!feed->how->spare || !feed->how->spare(feed, trouble, why)) {
		feed_failed(feed, trouble, why, retry_after);
		return;
	}
	feed_drop_page(feed);
	feed_go(feed);
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
	struct source read = feed->source;

	read.format = feed->step.format;
	buf_printf(out, "{\"door\":\"%s\",\"url\":", source_kind_name(feed->source.kind));
	buf_json_string(out, utf8_cut(str_of(feed->url), 512));
	if (content_type && content_type[0]) {
		buf_text(out, ",\"content_type\":");
		buf_json_string(out, str_of(content_type));
	}
	buf_str(out, buf_view(&feed->step.member));
	source_envelope(&read, out);
	buf_char(out, '}');
}

static struct append_open feed_open(const struct feed *feed, const struct buf *envelope)
{
	return (struct append_open){.source = feed->source.id,
		.format = feed->step.format,
		.exercise = STR(""),
		.envelope = buf_view(envelope)};
}

static void feed_taken(struct feed *feed)
{
	if (feed->how->cursor && strcmp(feed->step.owner, feed->owner) == 0)
		feed->cursor = feed->after;
	feed->how->taken(feed);
	if (feed->collector->draining)
		feed_succeeded(feed);
	else
		feed_go(feed);
}

static void feed_committed(const struct append_committed *committed, const struct err *err, void *context)
{
	struct feed *feed = context;

	feed->append = 0;
	if (!committed && err->code == ERR_UNCERTAIN) {
		feed_start_over(feed);
		return;
	}
	if (!committed) {
		feed_lost(feed, TROUBLE_SPOOL, err->text, -1);
		return;
	}
	feed->pages++;
	feed->collector->pages++;
	feed->collector->bytes += feed->size;
	feed_taken(feed);
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
	if (feed->step.json)
		taxii_scan_bytes(feed->scan, bytes);
	if (feed->how->bytes)
		feed->how->bytes(feed, bytes);
	feed->size += bytes.len;
	if (feed->step.keep)
		return true;
	if (feed->append != 0) {
		appender_bytes(feed->collector->appender, feed->append, bytes);
		return true;
	}
	buf_str(&feed->held, bytes);
	return feed->held.len <= HELD_MAX || feed_begin_append(feed);
}

static void feed_commit(struct feed *feed, const struct fetch_result *result)
{
	struct buf value = {0}, also = {0};
	struct buf envelope = {0};
	struct append_close close;

	/* An item is the same whatever it was filtered by. */
	cursor_encode(&feed->after,
		str_of(strcmp(feed->step.owner, feed->owner) == 0 ? feed->identity : feed->url), &value);
	close = (struct append_close){
		.bookmark_owner = str_of(feed->step.owner), .bookmark_value = buf_view(&value)};
	if (feed->step.also) {
		cursor_encode(&feed->cursor, str_of(feed->identity), &also);
		close.also_owner = str_of(feed->owner);
		close.also_value = buf_view(&also);
	}
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
	buf_free(&also);
	buf_free(&envelope);
	if (feed->append == 0)
		feed_start_over(feed);
}

static void feed_page_ended(struct feed *feed, const struct fetch_result *result)
{
	enum trouble trouble = TROUBLE_MALFORMED;
	enum feed_page page;
	uint8_t digest[SHA256_LEN];
	struct err err = {0};

	sha256_final(feed->digest, digest);
	feed->after = feed->cursor;
	if (result->status == 200)
		hex_encode(digest, sizeof(digest), feed->after.digest);
	if (result->status == 200 && feed->step.json && !taxii_scan_ended(feed->scan)) {
		feed_lost(feed, TROUBLE_MALFORMED, "expected JSON, whole", -1);
		return;
	}
	page = feed->how->page(feed, result, &trouble, &err);
	if (page == PAGE_BAD) {
		feed_lost(feed, trouble, err.text, -1);
	} else if (page == PAGE_NEW) {
		feed_commit(feed, result);
	} else {
		feed_drop_page(feed);
		if (!feed->step.keep)
			feed->collector->not_modified++;
		feed_taken(feed);
	}
}

static void feed_fetched(const struct fetch_result *result, void *context)
{
	struct feed *feed = context;
	char text[64];

	feed->fetch = NULL;
	if (result->problem) {
		feed_lost(feed, result->trouble, result->problem, -1);
	} else if (result->status == 200 || result->status == 304) {
		feed_page_ended(feed, result);
	} else if (feed->how->forgive && feed->how->forgive(feed, result->status)) {
		feed_drop_page(feed);
		feed_go(feed);
	} else {
		(void)snprintf(text, sizeof(text), "the server answered %ld", result->status);
		feed_lost(feed, trouble_of_status(result->status), text, result->retry_after);
	}
}

static const struct fetch_calls feed_calls = {feed_ready, feed_bytes, feed_fetched};

/* Microseconds of what a pull may take; 0: no limit. */
static uint64_t time_left(const struct feed *feed)
{
	uint64_t limit = feed->collector->pull_time;
	uint64_t spent = (uint64_t)(clock_monotonic() - feed->began);

	if (limit == 0)
		return 0;
	return spent < limit ? limit - spent : 1;
}

/* Others are to have their turn. What was taken stays, and the next pull goes on behind it. */
static bool feed_tires(struct feed *feed)
{
	int64_t wait = feed_interval(feed) < TIRED ? feed_interval(feed) : TIRED;

	if (time_left(feed) != 1)
		return false;
	if (feed->pages == 0) {
		feed_failed(feed, TROUBLE_SLOW, "nothing new came in all the time that a pull may take", -1);
		return true;
	}
	feed_part(feed, TROUBLE_SLOW, "all of it takes longer than a pull may: the next one goes on");
	feed_end(feed, TROUBLE_NONE, "", wait);
	return true;
}

static bool feed_fetch(struct feed *feed, struct err *err)
{
	struct feed_step *step = &feed->step;
	struct fetch_request request = {.url = buf_cstr(&step->url),
		.accept = step->accept,
		.auth = feed->source.kind == SOURCE_SHADOWSERVER
	                        ? ""
	                        : catalogue_auth(feed->collector->catalogue, feed->source.id),
		.header = step->header.len > 0 ? buf_cstr(&step->header) : NULL,
		.post = step->post.len > 0 ? buf_view(&step->post) : STR_NONE,
		.max_size = feed->collector->max_size,
		.time = time_left(feed)};

	if (step->conditional) {
		request.etag = feed->cursor.etag;
		request.modified = feed->cursor.modified;
	}
	sha256_reset(feed->digest);
	taxii_scan_reset(feed->scan);
	buf_clear(&feed->held);
	feed->size = 0;
	feed->collector->pulls++;
	feed->state = FEED_FETCHING;
	feed->fetch = fetch_new(feed->collector->fetcher, &request, &feed_calls, feed, err);
	return feed->fetch != NULL;
}

/* Steps */

static void feed_ask(struct feed *feed, const char *owner, append_bookmark_fn *call)
{
	feed->append = appender_bookmark(feed->collector->appender, str_of(owner), call, feed);
	feed->state = feed->append != 0 ? FEED_ASKING : FEED_DUE;
}

static void feed_known(struct str value, const struct err *err, void *context)
{
	struct feed *feed = context;

	feed->append = 0;
	if (err) {
		feed_start_over(feed);
		return;
	}
	feed->how->known(feed, value);
	feed_go(feed);
}

static void step_clear(struct feed_step *step)
{
	struct feed_step clean = {
		.url = step->url, .post = step->post, .header = step->header, .member = step->member};

	buf_clear(&clean.url);
	if (clean.post.data)
		mem_wipe(clean.post.data, clean.post.len);
	buf_clear(&clean.post);
	buf_clear(&clean.header);
	buf_clear(&clean.member);
	*step = clean;
}

/* Of what could not even be asked: what is missing is our certificate, what is denied our credentials. */
static enum trouble trouble_of_err(const struct err *err)
{
	if (err->code == ERR_NOTFOUND)
		return TROUBLE_CERTIFICATE;
	return err->code == ERR_DENIED ? TROUBLE_REFUSED : TROUBLE_MALFORMED;
}

static void feed_go(struct feed *feed)
{
	struct err err = {0};
	bool good;

	if (feed_tires(feed))
		return;
	step_clear(&feed->step);
	good = feed->how->next(feed, &feed->step, &err);
	if (good && feed->step.kind == STEP_FETCH)
		good = feed_fetch(feed, &err);
	else if (good && feed->step.kind == STEP_ASK)
		feed_ask(feed, feed->step.owner, feed_known);
	else if (good)
		feed_succeeded(feed);
	if (!good)
		feed_lost(feed, trouble_of_err(&err), err.text, -1);
}

/* Beginning */

static void feed_bookmark(struct str value, const struct err *err, void *context)
{
	struct feed *feed = context;

	feed->append = 0;
	feed->state = FEED_DUE;
	if (err)
		return;
	cursor_decode(value, str_of(feed->identity), &feed->cursor);
	feed->have_cursor = true;
	feed_pull(feed);
}

static void feed_pull(struct feed *feed)
{
	struct collector *collector = feed->collector;

	feed->state = FEED_DUE;
	if (collector->draining || appender_state(collector->appender) != APPENDER_OPEN ||
		!catalogue_known(collector->catalogue))
		return;
	if (feed->how->cursor && !feed->have_cursor) {
		feed_ask(feed, feed->owner, feed_bookmark);
		return;
	}
	feed->pages = 0;
	feed->part_problem[0] = '\0';
	feed->began = clock_monotonic();
	secret_digest(feed, feed->secret);
	feed->how->start(feed);
	feed_go(feed);
}

static void on_timer(void *context)
{
	feed_pull(context);
}

void feed_resume(struct feed *feed)
{
	if (feed->state == FEED_DUE)
		feed_pull(feed);
	else if (feed->state == FEED_WAITING && has_new_secret(feed))
		feed_pull_now(feed);
	else if (feed->fetch && feed_ready(feed))
		fetch_resume(feed->fetch);
}

bool feed_pull_now(struct feed *feed)
{
	if (feed->state != FEED_WAITING)
		return false;
	timer_stop(feed->timer);
	feed_pull(feed);
	return true;
}

bool feed_pull_again(struct feed *feed, struct str items)
{
	if (feed->state != FEED_WAITING)
		return false;
	if (feed->how->again && items.len > 0)
		feed->how->again(feed, items);
	return feed_pull_now(feed);
}

static void keep_source(struct feed *feed, const struct source *source)
{
	feed->source = *source;
	feed->source.name = arena_str(feed->arena, source->name);
	feed->source.match = arena_str(feed->arena, source->match);
	feed->source.settings = arena_str(feed->arena, source->settings);
	feed->source.exercise = STR("");
}

struct feed *feed_new(struct collector *collector, const struct source *source)
{
	struct feed *feed = mem_alloc(sizeof(*feed));

	feed->collector = collector;
	feed->arena = arena_new(1024);
	keep_source(feed, source);
	feed->filter = source_setting(&feed->source, "filter", feed->arena);
	feed->since = source_setting(&feed->source, "since", feed->arena);
	feed->download = source_setting(&feed->source, "download", feed->arena);
	feed->how = way_of(source->kind);
	feed->url = mem_strndup(source->match.p, source->match.len);
	feed->identity = feed->filter.len > 0 ? mem_printf("%s " STR_FMT, feed->url, STR_ARG(feed->filter))
	                                      : mem_strdup(feed->url);
	(void)snprintf(feed->owner, sizeof(feed->owner), "feed/%u", source->id);
	feed->timer = timer_new(collector->loop, on_timer, feed);
	feed->digest = sha256_new();
	feed->scan = taxii_scan_new();
	if (feed->how->begin)
		feed->way = feed->how->begin(feed);
	feed_pull(feed);
	return feed;
}

void feed_free(struct feed **feed_ptr)
{
	struct feed *feed = *feed_ptr;

	if (!feed)
		return;
	feed_drop_page(feed);
	if (feed->how->end)
		feed->how->end(feed->way);
	timer_free(&feed->timer);
	sha256_free(&feed->digest);
	taxii_scan_free(&feed->scan);
	step_clear(&feed->step);
	buf_free(&feed->step.url);
	buf_free(&feed->step.post);
	buf_free(&feed->step.header);
	buf_free(&feed->step.member);
	buf_free(&feed->held);
	arena_free(&feed->arena);
	free(feed->url);
	free(feed->identity);
	free(feed);
	*feed_ptr = NULL;
}

bool feed_keep(struct feed *feed, const struct source *source)
{
	const struct source *was = &feed->source;

	return was->kind == source->kind && was->format == source->format &&
	       was->interval == source->interval && str_equal(was->match, source->match) &&
	       str_equal(was->settings, source->settings);
}

bool feed_committing(const struct feed *feed)
{
	return feed->state == FEED_COMMITTING;
}
