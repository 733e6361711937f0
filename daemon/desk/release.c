#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "desk/handlers.h"
#include "desk/quarantine.h"

/*
 * Run quarantined bytes again: the row is marked, then its bytes go into the spool as a re-run, with a
 * bookmark for this row and attempt (trap 1). Who is interrupted in between says it again: the bookmark tells
 * whether the bytes are in.
 */
struct release {
	int64_t *ids;
	size_t count, at;
	struct json_object *items;
	struct buf bytes;
	struct append_open open;
	char owner[64];
	bool waiting;    /* the row is not marked yet */
	uint32_t append; /* that is on its way, or a question; 0: none */
};

static void release_one(struct request *request);

static void release_free(struct request *request)
{
	struct release *release = request->state;

	if (release->append)
		appender_forget(request->desk->appender, release->append);
	json_object_put(release->items);
	buf_free(&release->bytes);
	free(release);
}

/* The next one, or the answer. */
static void release_next(struct request *request, const char *entry)
{
	struct release *release = request->state;
	struct json_object *item = json_object_new_object();

	json_object_object_add(item, "id", json_object_new_int64(release->ids[release->at]));
	json_object_object_add(item, "state", json_object_new_string("released"));
	json_object_object_add(item, "entry", entry ? json_object_new_string(entry) : NULL);
	json_object_array_add(release->items, item);
	if (++release->at < release->count) {
		release_one(request);
		return;
	}
	struct json_object *result = json_object_new_object();
	json_object_object_add(result, "items", json_object_get(release->items));
	json_object_object_add(result, "next", NULL);
	request_answer(request, result);
}

static void on_committed(const struct append_committed *committed, const struct err *err, void *context)
{
	struct request *request = context;
	struct release *release = request->state;
	char text[ENTRY_ID_TEXT];

	release->append = 0;
	if (!committed && err->code == ERR_CONFLICT)
		release_next(request, NULL); /* somebody else's is in */
	else if (!committed)
		request_refuse_hint(request, RPC_UNAVAILABLE, "Release it again.",
			"the spool did not take it: %s", err->text);
	else
		release_next(request, entry_id_format(&committed->id, text));
}

static void append_bytes(struct request *request)
{
	struct release *release = request->state;
	struct append_close close = {.bookmark_owner = str_of(release->owner),
		.bookmark_value = STR("in"),
		.expects = true,
		.expected = STR("")};

	release->append = appender_begin(request->desk->appender, &release->open, on_committed, request);
	if (!release->append) {
		request_refuse_hint(request, RPC_UNAVAILABLE, "Release it again.", "the spool is away");
		return;
	}
	appender_bytes(request->desk->appender, release->append, buf_view(&release->bytes));
	appender_commit(request->desk->appender, release->append, &close);
	buf_free(&release->bytes);
}

static void on_marked(struct request *request, const struct pg_result *result)
{
	(void)result;
	append_bytes(request);
}

static void on_mark(struct request *request, const struct pg_result *result)
{
	struct release *release = request->state;

	if (str_equal(pg_value(result, 0, 0), STR("t")))
		request_commit(request, on_marked);
	else
		request_refuse(request, RPC_CONFLICT, "%lld was released or discarded by somebody else",
			(long long)release->ids[release->at]);
}

static void mark(struct request *request)
{
	struct release *release = request->state;
	struct query *query = arena_alloc(request->arena, sizeof(*query));

	query_start(query, request->arena, "SELECT quarantine_release($?::bigint)");
	query_int(query, release->ids[release->at]);
	request_change(request, query, on_mark);
}

static void on_bookmark(struct str value, const struct err *err, void *context)
{
	struct request *request = context;
	struct release *release = request->state;

	release->append = 0;
	if (err)
		request_refuse_hint(request, RPC_UNAVAILABLE, "Release it again.",
			"the spool did not answer: %s", err->text);
	else if (value.p)
		release_next(request, NULL);
	else if (release->waiting)
		mark(request);
	else
		append_bytes(request);
}

static bool take_row(struct request *request, const struct pg_result *result)
{
	struct release *release = request->state;
	struct append_open *open = &release->open;
	struct str hex = pg_value(result, 0, 5);
	long long id = (long long)release->ids[release->at];

	*open = (struct append_open){.rerun = (uint64_t)id, .source = (uint32_t)pg_value_int(result, 0, 2)};
	format_parse(pg_value(result, 0, 1), &open->format);
	open->exercise = arena_str(request->arena, pg_value(result, 0, 3));
	open->envelope = arena_str(request->arena, pg_value(result, 0, 4));
	open->size_hint = hex.len / 2;
	snprintf(release->owner, sizeof(release->owner), "rerun/%lld/%lld", id,
		(long long)pg_value_int(result, 0, 6));
	release->waiting = str_equal(pg_value(result, 0, 0), STR("quarantined"));
	buf_clear(&release->bytes);
	if (!hex_decode(hex, buf_space(&release->bytes, hex.len / 2 + 1), hex.len / 2)) {
		request_refuse(request, RPC_FAILED, "the bytes of %lld cannot be read", id);
		return false;
	}
	buf_grow(&release->bytes, hex.len / 2);
	return true;
}

static void on_row(struct request *request, const struct pg_result *result)
{
	struct release *release = request->state;
	long long id = (long long)release->ids[release->at];

	if (result->rows == 0) {
		request_refuse(request, RPC_NOT_FOUND, "%lld is not in quarantine, and never was", id);
		return;
	}
	struct str state = pg_value(result, 0, 0);
	if (!str_equal(state, STR("quarantined")) && !str_equal(state, STR("released"))) {
		request_refuse(request, RPC_CONFLICT, "%lld is " STR_FMT ", so it cannot be released", id,
			STR_ARG(state));
		return;
	}
	if (!take_row(request, result))
		return;
	release->append =
		appender_bookmark(request->desk->appender, str_of(release->owner), on_bookmark, request);
	if (!release->append)
		request_refuse(request, RPC_UNAVAILABLE, "the spool is away; nothing was changed");
}

static void release_one(struct request *request)
{
	struct release *release = request->state;
	struct query query;

	if (!request_database(request))
		return;
	query_start(&query, request->arena,
		"SELECT q.state, q.format, q.source, x.name, q.envelope, encode(q.bytes, 'hex'), q.attempts"
		" FROM quarantine q JOIN exercise x ON x.id = q.exercise WHERE q.id = $?::bigint");
	query_int(&query, release->ids[release->at]);
	request_query(request, &query, on_row);
}

void quarantine_run_again(struct request *request, int64_t *ids, size_t count)
{
	struct release *release = mem_alloc(sizeof(*release));

	release->ids = ids;
	release->count = count;
	release->items = json_object_new_array();
	request->state = release;
	request->release = release_free;
	release_one(request);
}

void desk_quarantine_release(struct request *request)
{
	int64_t *ids;
	size_t count;

	if (quarantine_ids(request, &ids, &count))
		quarantine_run_again(request, ids, count);
}
