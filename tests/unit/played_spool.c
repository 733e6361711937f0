#include "played_spool.h"

#include <stdio.h>

#include "base/fd.h"

static struct kept *kept_of(struct played_spool *spool, uint32_t append)
{
	for (size_t i = 0; i < spool->count; i++) {
		if (spool->kept[i].append == append && !spool->kept[i].committed && !spool->kept[i].gone)
			return &spool->kept[i];
	}
	return NULL;
}

void spool_commit(struct played_spool *spool, struct kept *kept)
{
	struct append_committed committed = {.append = kept->append, .id = {.day = 20000, .sequence = 7}};

	kept->committed = true;
	if (!spool->channel)
		return;
	append_committed_encode(&committed, channel_begin(spool->channel));
	channel_end(spool->channel, APPEND_COMMITTED);
}

void spool_commit_all(struct played_spool *spool)
{
	for (size_t i = 0; i < spool->count; i++) {
		if (spool->kept[i].closed && !spool->kept[i].committed && !spool->kept[i].gone)
			spool_commit(spool, &spool->kept[i]);
	}
}

static void text_set(char *text, size_t size, struct str value)
{
	(void)snprintf(text, size, STR_FMT, STR_ARG(value));
}

static struct kept *kept_new(struct played_spool *spool, const struct append_open *open)
{
	struct kept *kept = &spool->kept[spool->count++];

	assert_true(spool->count <= KEPT_MAX);
	kept->append = open->append;
	kept->source = open->source;
	kept->format = open->format;
	buf_str(&kept->envelope, open->envelope);
	return kept;
}

static void kept_close(struct played_spool *spool, struct kept *kept, const struct append_close *close)
{
	text_set(kept->owner, sizeof(kept->owner), close->bookmark_owner);
	text_set(kept->value, sizeof(kept->value), close->bookmark_value);
	text_set(kept->also_owner, sizeof(kept->also_owner), close->also_owner);
	text_set(kept->also_value, sizeof(kept->also_value), close->also_value);
	kept->closed = true;
	if (spool->commits)
		spool_commit(spool, kept);
}

static void spool_answer_bookmark(struct played_spool *spool, uint32_t append, struct str owner)
{
	const char *value = NULL;

	spool->asked++;
	for (size_t i = 0; i < spool->count; i++) {
		const struct kept *kept = &spool->kept[i];

		if (kept->committed && str_equal(str_of(kept->owner), owner))
			value = kept->value;
		if (kept->committed && str_equal(str_of(kept->also_owner), owner))
			value = kept->also_value;
	}
	append_bookmark_is_encode(
		append, value != NULL, str_of(value ? value : ""), channel_begin(spool->channel));
	channel_end(spool->channel, APPEND_BOOKMARK_IS);
}

static void on_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct played_spool *spool = context;
	struct append_open open;
	struct append_close close;
	struct kept *kept;
	struct str bytes;
	uint32_t append;

	(void)channel;
	switch (frame->type) {
	case APPEND_WHOLE:
		assert_true(append_whole_decode(frame->body, &open, &close, &bytes));
		kept = kept_new(spool, &open);
		buf_str(&kept->bytes, bytes);
		kept_close(spool, kept, &close);
		break;
	case APPEND_OPEN:
		assert_true(append_open_decode(frame->body, &open));
		kept_new(spool, &open);
		break;
	case APPEND_DATA:
		assert_true(append_data_decode(frame->body, &append, &bytes));
		kept = kept_of(spool, append);
		if (kept)
			buf_str(&kept->bytes, bytes);
		break;
	case APPEND_CLOSE:
		assert_true(append_closing_decode(frame->body, &append, &close));
		kept_close(spool, kept_of(spool, append), &close);
		break;
	case APPEND_ABORT:
		assert_true(append_number_decode(frame->body, &append));
		kept = kept_of(spool, append);
		if (kept)
			kept->gone = true;
		break;
	case APPEND_BOOKMARK:
		assert_true(append_bookmark_decode(frame->body, &append, &bytes));
		spool_answer_bookmark(spool, append, bytes);
		break;
	case APPEND_FIND: /* answered by the test */
		break;
	default:
		fail_msg("frame %d", frame->type);
	}
}

static void on_closed(struct channel *channel, const char *why, void *context)
{
	(void)channel;
	(void)why;
	(void)context;
}

void turn(struct loop *loop)
{
	for (int i = 0; i < 20; i++)
		loop_turn(loop, 0);
}

void spool_sources(struct played_spool *spool, struct source *sources, size_t count)
{
	struct source_table table = {.version = 1, .sources = sources, .count = count};

	source_table_encode(&table, channel_begin(spool->channel));
	channel_end(spool->channel, APPEND_SOURCES);
	turn(spool->loop);
}

int spool_start(struct played_spool *spool, struct loop *loop)
{
	int ends[2];

	assert_true(fd_pair(ends, NULL));
	spool->loop = loop;
	spool->generation++;
	spool->channel = channel_new(loop, ends[0], APPEND_VERSION, on_frame, on_closed, spool);
	return ends[1];
}

void spool_stop(struct played_spool *spool)
{
	turn(spool->loop);
	channel_free(&spool->channel);
	for (size_t i = 0; i < spool->count; i++)
		spool->kept[i].gone = !spool->kept[i].committed;
	turn(spool->loop);
}

void spool_clear(struct played_spool *spool)
{
	channel_free(&spool->channel);
	for (size_t i = 0; i < spool->count; i++) {
		buf_free(&spool->kept[i].envelope);
		buf_free(&spool->kept[i].bytes);
	}
	*spool = (struct played_spool){0};
}

void spool_doors(struct played_spool *spool, bool open)
{
	append_doors_encode(open, channel_begin(spool->channel));
	channel_end(spool->channel, APPEND_DOORS);
	turn(spool->loop);
}
