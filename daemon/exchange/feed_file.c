/* A plain file: pulled whole, where its ETag or date has changed. */
#include "exchange/feed_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct file {
	bool pulled; /* in this pull */
};

static void *file_begin(struct feed *feed)
{
	(void)feed;
	return mem_alloc(sizeof(struct file));
}

static void file_start(struct feed *feed)
{
	((struct file *)feed->way)->pulled = false;
}

static bool file_next(struct feed *feed, struct feed_step *step, struct err *err)
{
	struct file *file = feed->way;

	(void)err;
	step->kind = file->pulled ? STEP_DONE : STEP_FETCH;
	step->format = feed->source.format;
	step->conditional = true;
	(void)snprintf(step->owner, sizeof(step->owner), "%s", feed->owner);
	buf_text(&step->url, feed->url);
	return true;
}

/* A page for people instead of a list: a login, a notice, a mistake in the address. */
static bool is_web_page(const struct feed *feed, const struct fetch_result *result)
{
	struct str type = str_of(result->content_type);

	return feed->source.format != FORMAT_MAIL && type.len >= 9 &&
	       str_equal_nocase((struct str){type.p, 9}, STR("text/html"));
}

static enum feed_page file_page(
	struct feed *feed, const struct fetch_result *result, enum trouble *trouble, struct err *err)
{
	(void)trouble;
	if (result->status == 304 && !feed->cursor.etag[0] && !feed->cursor.modified[0]) {
		err_set(err, ERR_MALFORMED, "the server answered 304, but was asked without a condition");
		return PAGE_BAD;
	}
	if (result->status == 304)
		return PAGE_KNOWN;
	if (is_web_page(feed, result)) {
		err_set(err, ERR_MALFORMED, "expected a feed, got a web page (%.60s)", result->content_type);
		return PAGE_BAD;
	}
	cursor_set(feed->after.etag, sizeof(feed->after.etag), str_of(result->etag));
	cursor_set(feed->after.modified, sizeof(feed->after.modified), str_of(result->modified));
	return feed->size == 0 || strcmp(feed->after.digest, feed->cursor.digest) == 0 ? PAGE_KNOWN
	                                                                               : PAGE_NEW;
}

static void file_taken(struct feed *feed)
{
	((struct file *)feed->way)->pulled = true;
}

const struct feed_way feed_way_file = {.begin = file_begin,
	.end = free,
	.start = file_start,
	.next = file_next,
	.page = file_page,
	.taken = file_taken,
	.cursor = true};
