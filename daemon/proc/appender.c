#include "proc/appender.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"

/* An append or a question that has not ended. */
struct pending {
	append_done_fn *done;         /* an append … */
	append_bookmark_fn *bookmark; /* … or a question */
	append_state_fn *state;
	append_found_fn *found;
	void *context;
};

struct appender {
	struct loop *loop;
	struct channel *channel; /* NULL: the spool is away */
	uint32_t generation;
	uint32_t last; /* number of the newest append */
	bool have_sources;
	bool doors_open;
	struct map *pending; /* by number */
	struct arena *arena; /* of table */
	struct source_table table;
	struct appender_calls calls;
	void *context;
};

static void appender_changed(struct appender *appender)
{
	if (appender->calls.doors)
		appender->calls.doors(appender->context);
}

static void pending_end(
	struct pending *pending, const struct append_committed *committed, const struct err *err)
{
	if (pending->done)
		pending->done(committed, err, pending->context);
	else if (pending->bookmark)
		pending->bookmark(STR_NONE, err, pending->context);
	else if (pending->state)
		pending->state(NULL, err, pending->context);
	else if (pending->found)
		pending->found(NULL, err, pending->context);
	free(pending);
}

/* A call may forget other appends, so that each is looked for anew. */
static void appender_lose_all(struct appender *appender)
{
	struct err err;

	err_set(&err, ERR_UNCERTAIN, "the spool was lost before it answered");
	while (map_count(appender->pending) > 0) {
		size_t cursor = 0;
		uint64_t key;
		void *value;

		if (!map_next(appender->pending, &cursor, &key, &value))
			return;
		map_remove(appender->pending, key);
		pending_end(value, NULL, &err);
	}
}

static void appender_drop_edge(struct appender *appender)
{
	channel_free(&appender->channel);
	appender->doors_open = false;
	appender->have_sources = false;
	appender_lose_all(appender);
	appender_changed(appender);
}

static void appender_on_closed(struct channel *channel, const char *why, void *context)
{
	struct appender *appender = context;

	(void)channel;
	log_warn("the spool is away: %s", why ? why : "its edge ended");
	appender_drop_edge(appender);
}

static bool appender_take_committed(struct appender *appender, struct str body)
{
	struct append_committed committed;
	struct pending *pending;

	if (!append_committed_decode(body, &committed))
		return false;
	pending = map_remove(appender->pending, committed.append);
	if (pending)
		pending_end(pending, &committed, NULL);
	return true;
}

static bool appender_take_refused(struct appender *appender, struct str body)
{
	struct pending *pending;
	uint32_t append;
	struct err err;

	if (!append_refused_decode(body, &append, &err))
		return false;
	pending = map_remove(appender->pending, append);
	if (pending)
		pending_end(pending, NULL, &err);
	return true;
}

static bool appender_take_bookmark(struct appender *appender, struct str body)
{
	struct pending *pending;
	struct str value;
	uint32_t append;
	bool found;

	if (!append_bookmark_is_decode(body, &append, &found, &value))
		return false;
	pending = map_remove(appender->pending, append);
	if (pending && pending->bookmark)
		pending->bookmark(found ? (struct str){value.p ? value.p : "", value.len} : STR_NONE, NULL,
			pending->context);
	free(pending);
	return true;
}

static bool appender_take_state(struct appender *appender, struct str body)
{
	struct arena *arena = arena_new(4096);
	struct append_state state;
	bool ok = append_state_decode(body, arena, &state);
	struct pending *pending = ok ? map_remove(appender->pending, state.append) : NULL;

	if (pending && pending->state)
		pending->state(&state, NULL, pending->context);
	free(pending);
	arena_free(&arena);
	return ok;
}

static bool appender_take_found(struct appender *appender, struct str body)
{
	struct append_found found;
	struct pending *pending;

	if (!append_found_decode(body, &found))
		return false;
	pending = map_remove(appender->pending, found.append);
	if (pending && pending->found)
		pending->found(&found, NULL, pending->context);
	free(pending);
	return true;
}

static bool appender_take_sources(struct appender *appender, struct str body)
{
	struct arena *arena = arena_new(4096);
	struct source_table table;
	struct err err;

	/* Its strings point into what it was decoded from, and the frame is gone with the next one. */
	if (!source_table_decode(arena_str(arena, body), arena, &table, &err)) {
		log_error("source table from the spool: %s", err.text);
		arena_free(&arena);
		return false;
	}
	arena_free(&appender->arena);
	appender->arena = arena;
	appender->table = table;
	if (appender->calls.sources)
		appender->calls.sources(&appender->table, appender->context);
	if (!appender->have_sources) {
		appender->have_sources = true;
		appender_changed(appender);
	}
	return true;
}

static bool appender_take_doors(struct appender *appender, struct str body)
{
	bool open;

	if (!append_doors_decode(body, &open))
		return false;
	if (open != appender->doors_open) {
		appender->doors_open = open;
		appender_changed(appender);
	}
	return true;
}

static void appender_on_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct appender *appender = context;
	bool ok = false;

	switch (frame->type) {
	case APPEND_COMMITTED:
		ok = appender_take_committed(appender, frame->body);
		break;
	case APPEND_REFUSED:
		ok = appender_take_refused(appender, frame->body);
		break;
	case APPEND_BOOKMARK_IS:
		ok = appender_take_bookmark(appender, frame->body);
		break;
	case APPEND_STATE:
		ok = appender_take_state(appender, frame->body);
		break;
	case APPEND_FOUND:
		ok = appender_take_found(appender, frame->body);
		break;
	case APPEND_SOURCES:
		ok = appender_take_sources(appender, frame->body);
		break;
	case APPEND_DOORS:
		ok = appender_take_doors(appender, frame->body);
		break;
	default:
		break;
	}
	if (!ok)
		channel_break(channel, "the spool sent a frame that is not one of the append edge");
}

static void appender_on_drained(struct channel *channel, void *context)
{
	struct appender *appender = context;

	(void)channel;
	if (appender->calls.drained)
		appender->calls.drained(appender->context);
}

struct appender *appender_new(struct loop *loop, const struct appender_calls *calls, void *context)
{
	struct appender *appender = mem_alloc(sizeof(*appender));

	appender->loop = loop;
	appender->calls = *calls;
	appender->context = context;
	appender->pending = map_new();
	return appender;
}

void appender_free(struct appender **appender_ptr)
{
	struct appender *appender = *appender_ptr;
	size_t cursor = 0;
	uint64_t key;
	void *value;

	if (!appender)
		return;
	channel_free(&appender->channel);
	while (map_next(appender->pending, &cursor, &key, &value))
		free(value);
	map_free(&appender->pending);
	arena_free(&appender->arena);
	free(appender);
	*appender_ptr = NULL;
}

void appender_edge(struct appender *appender, uint32_t generation, int fd)
{
	if (appender->channel && (int32_t)(generation - appender->generation) < 0) {
		fd_close(&fd);
		return;
	}
	if (appender->channel)
		appender_drop_edge(appender);
	appender->generation = generation;
	appender->doors_open = true;
	appender->channel = channel_new(
		appender->loop, fd, APPEND_VERSION, appender_on_frame, appender_on_closed, appender);
	channel_on_drained(appender->channel, appender_on_drained);
}

enum appender_state appender_state(const struct appender *appender)
{
	if (!appender->channel || !appender->have_sources)
		return APPENDER_AWAY;
	return appender->doors_open ? APPENDER_OPEN : APPENDER_CLOSED;
}

const struct source_table *appender_sources(const struct appender *appender)
{
	return &appender->table;
}

bool appender_has_edge(const struct appender *appender)
{
	return appender->channel != NULL;
}

size_t appender_queued(const struct appender *appender)
{
	return appender->channel ? channel_queued(appender->channel) : 0;
}

static uint32_t appender_pend(struct appender *appender, struct pending wanted)
{
	struct pending *pending;

	if (!appender->channel)
		return 0;
	pending = mem_alloc(sizeof(*pending));
	*pending = wanted;
	do {
		appender->last++;
	} while (appender->last == 0 || map_get(appender->pending, appender->last));
	map_put(appender->pending, appender->last, pending);
	return appender->last;
}

uint32_t appender_whole(struct appender *appender, struct append_open *open, const struct append_close *close,
	struct str bytes, append_done_fn *done, void *context)
{
	open->append = appender_pend(appender, (struct pending){.done = done, .context = context});
	if (open->append == 0)
		return 0;
	append_whole_encode(open, close, bytes, channel_begin(appender->channel));
	channel_end(appender->channel, APPEND_WHOLE);
	return open->append;
}

uint32_t appender_begin(
	struct appender *appender, struct append_open *open, append_done_fn *done, void *context)
{
	open->append = appender_pend(appender, (struct pending){.done = done, .context = context});
	if (open->append == 0)
		return 0;
	append_open_encode(open, channel_begin(appender->channel));
	channel_end(appender->channel, APPEND_OPEN);
	return open->append;
}

void appender_bytes(struct appender *appender, uint32_t append, struct str bytes)
{
	while (bytes.len > 0 && appender->channel) {
		size_t piece = bytes.len < APPEND_CHUNK ? bytes.len : APPEND_CHUNK;

		append_data_encode(append, (struct str){bytes.p, piece}, channel_begin(appender->channel));
		channel_end(appender->channel, APPEND_DATA);
		bytes.p += piece;
		bytes.len -= piece;
	}
}

void appender_commit(struct appender *appender, uint32_t append, const struct append_close *close)
{
	struct buf *out;

	if (!appender->channel)
		return;
	out = channel_begin(appender->channel);
	append_number_encode(append, out);
	append_close_encode(close, out);
	channel_end(appender->channel, APPEND_CLOSE);
}

void appender_forget(struct appender *appender, uint32_t append)
{
	free(map_remove(appender->pending, append));
}

void appender_abort(struct appender *appender, uint32_t append)
{
	appender_forget(appender, append);
	if (!appender->channel)
		return;
	append_number_encode(append, channel_begin(appender->channel));
	channel_end(appender->channel, APPEND_ABORT);
}

uint32_t appender_bookmark(
	struct appender *appender, struct str owner, append_bookmark_fn *call, void *context)
{
	uint32_t append = appender_pend(appender, (struct pending){.bookmark = call, .context = context});

	if (append == 0)
		return 0;
	append_bookmark_encode(append, owner, channel_begin(appender->channel));
	channel_end(appender->channel, APPEND_BOOKMARK);
	return append;
}

uint32_t appender_ask(struct appender *appender, append_state_fn *call, void *context)
{
	uint32_t append = appender_pend(appender, (struct pending){.state = call, .context = context});

	if (append == 0)
		return 0;
	append_number_encode(append, channel_begin(appender->channel));
	channel_end(appender->channel, APPEND_ASK);
	return append;
}

uint32_t appender_find(struct appender *appender, uint64_t sequence, append_found_fn *call, void *context)
{
	uint32_t append = appender_pend(appender, (struct pending){.found = call, .context = context});

	if (append == 0)
		return 0;
	append_find_encode(append, sequence, channel_begin(appender->channel));
	channel_end(appender->channel, APPEND_FIND);
	return append;
}
