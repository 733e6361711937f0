#include "config.h"

#include "base/clock.h"
#include "base/hash.h"
#include "desk/handlers.h"

/*
 * What came by phone, chat or in person. The database checks what was said, opens the case where one is
 * wanted, and makes the line; the line goes into the spool as all does that comes in, so that it is kept,
 * counted and landed once; then the database is told which entry it is. The case does not wait for it to
 * land: the keeper joins the two. Where the spool does not take it the case says so.
 */
struct by_hand {
	struct str token;
	uint32_t append; /* 0: none under way */
};

static void by_hand_release(struct request *request)
{
	struct by_hand *hand = request->state;

	if (hand->append)
		appender_forget(request->desk->appender, hand->append);
}

static void on_told(struct request *request, const struct pg_result *result)
{
	struct json_object *entry = result_json(result, 0, 0);

	json_object_object_foreach(entry, name, value)
		json_object_object_add(request->result, name, json_object_get(value));
	json_object_put(entry);
	json_object_object_del(request->result, "line");
	json_object_object_del(request->result, "source");
	request_commit(request, request_answer_result);
}

/* Which entry it is, or why there is none. */
static void tell(struct request *request, const struct entry_id *id, const char *problem)
{
	const struct by_hand *hand = request->state;
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	char day[CLOCK_TEXT] = "", uuid[UUID_TEXT] = "";

	if (!request_database(request))
		return;
	query_start(query, request->arena, "SELECT by_hand_taken($?, $?::date, $?::uuid, $?::bigint, $?)");
	query_str(query, hand->token);
	if (id) {
		clock_format(id->day * CLOCK_DAY, day);
		query_str(query, arena_str(request->arena, (struct str){day, 10}));
		query_str(query, arena_str(request->arena, str_of(uuid_format(id->spool, uuid))));
		query_int(query, (int64_t)id->sequence);
	} else {
		query_str(query, STR_NONE);
		query_str(query, STR_NONE);
		query_str(query, STR_NONE);
	}
	query_str(query, problem ? arena_str(request->arena, str_of(problem)) : STR_NONE);
	request_change(request, query, on_told);
}

static void on_appended(const struct append_committed *committed, const struct err *err, void *context)
{
	struct request *request = context;
	struct by_hand *hand = request->state;

	hand->append = 0;
	tell(request, committed ? &committed->id : NULL, committed ? NULL : err->text);
}

static struct str envelope_of(struct request *request)
{
	struct buf json = {0};

	buf_text(&json, "{\"door\":\"by-hand\",\"operator\":");
	buf_json_string(&json, str_of(request->operator.name));
	buf_text(&json, "}");
	struct str envelope = arena_str(request->arena, buf_view(&json));
	buf_free(&json);
	return envelope;
}

/* The line, on its way. */
static void append(struct request *request, struct str line)
{
	struct by_hand *hand = request->state;
	struct appender *appender = request->desk->appender;
	struct append_close close = {0};
	struct append_open open = {
		.source = (uint32_t)json_object_get_int64(json_object_object_get(request->result, "source")),
		.format = FORMAT_NATIVE,
		.exercise = STR(""),
		.envelope = envelope_of(request)};

	hand->append = appender_begin(appender, &open, on_appended, request);
	if (!hand->append) {
		tell(request, NULL, "the spool is away");
		return;
	}
	appender_bytes(appender, hand->append, line);
	appender_bytes(appender, hand->append, STR("\n"));
	appender_commit(appender, hand->append, &close);
}

static void on_begun(struct request *request, const struct pg_result *result)
{
	const char *line = json_object_get_string(json_object_object_get(request->result, "line"));
	struct str kept = arena_str(request->arena, str_of(line));

	(void)result;
	append(request, kept);
}

static void on_checked(struct request *request, const struct pg_result *result)
{
	struct by_hand *hand = request->state;

	request->result = result_json(result, 0, 0);
	hand->token = arena_str(request->arena,
		str_of(json_object_get_string(json_object_object_get(request->result, "token"))));
	request_commit(request, on_begun);
}

void desk_by_hand(struct request *request)
{
	if (!submit_can(request))
		return;
	request->state = arena_alloc(request->arena, sizeof(struct by_hand));
	request->release = by_hand_release;
	function_change(request, on_checked);
}
