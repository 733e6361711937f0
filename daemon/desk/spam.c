#include "config.h"

#include "base/mem.h"
#include "desk/handlers.h"
#include "desk/quarantine.h"
#include "desk/report.h"
#include "model/observable.h"

#define SPAM_JSON                                                                                          \
	"json_build_object('id', report_number(p.id), 'state', CASE WHEN p.rescued IS NULL THEN 'kept' "   \
	"ELSE "                                                                                            \
	"'rescued' END, 'received', stamp(p.received), 'source', s.name, 'exercise', nullif(x.name, ''), " \
	"'sender', "                                                                                       \
	"nullif(p.sender, ''), 'reason', p.reason, 'title', p.title, 'size', p.size, 'items', p.items, "   \
	"'rescued', "                                                                                      \
	"stamp(p.rescued), 'quarantine', p.quarantine)"

#define SPAM_FROM " FROM spam p JOIN source s ON s.id = p.source JOIN exercise x ON x.id = p.exercise"

/* --- what is kept --- */

static void on_kept(struct request *request, const struct pg_result *result)
{
	json_object_object_add(request->result, "kept", json_object_new_int64(pg_value_int(result, 0, 0)));
	request_answer_result(request, result);
}

static void on_review(struct request *request, const struct pg_result *result)
{
	struct query query;

	request->result = result_page(result, *(int64_t *)request->state);
	query_start(&query, request->arena,
		"SELECT coalesce(sum(spam) - sum(spam_expired), 0) FROM ledger_day WHERE spam <> 0 OR "
		"spam_expired <> 0");
	request_query(request, &query, on_kept);
}

void desk_spam_review(struct request *request)
{
	int64_t *limit = arena_alloc(request->arena, sizeof(*limit)), cursor;
	struct str source = STR_NONE, sender = STR_NONE;
	struct query query;
	bool all = false;

	if (!request_page(request, limit, &cursor) || !request_text(request, "source", &source) ||
		!request_text(request, "sender", &sender) || !request_flag(request, "all", &all) ||
		!request_database(request))
		return;
	request->state = limit;
	query_start(
		&query, request->arena, "SELECT " SPAM_JSON ", p.id" SPAM_FROM " WHERE p.id < $?::bigint");
	query_int(&query, cursor);
	if (!all)
		query_add(&query, " AND p.rescued IS NULL");
	if (source.p) {
		query_add(&query, " AND s.name = $?");
		query_str(&query, source);
	}
	if (sender.p) {
		query_add(&query, " AND right(p.sender, length($?)) = lower($?)");
		query_str(&query, sender);
		query_str(&query, sender);
	}
	query_add(&query, " ORDER BY p.id DESC LIMIT $?::bigint");
	query_int(&query, *limit + 1);
	request_query(request, &query, on_review);
}

static void on_spam(struct request *request, const struct pg_result *result)
{
	const int64_t *id = request->state;

	if (result->rows == 0)
		request_refuse(request, RPC_NOT_FOUND,
			"there is no spam %lld-%lld: it was never there, or its time is over",
			(long long)(*id / 10000000000), (long long)(*id % 10000000000));
	else
		request_answer(request, result_json(result, 0, 0));
}

void desk_spam_show(struct request *request)
{
	int64_t *id = arena_alloc(request->arena, sizeof(*id));
	struct query query;

	if (!report_named(request, "id", id) || !request_database(request))
		return;
	request->state = id;
	query_start(&query, request->arena,
		"SELECT " SPAM_JSON
		"::jsonb || jsonb_build_object('text', i.text, 'notes', i.notes, 'envelope', "
		"p.envelope, 'listed', spam_listed(p.sender))" SPAM_FROM
		" LEFT JOIN item i ON i.id = p.id WHERE p.id = $?::bigint");
	query_int(&query, *id);
	request_query(request, &query, on_spam);
}

/* --- rescue: it goes the way of what is released from quarantine --- */

static void on_rescue_committed(struct request *request, const struct pg_result *result)
{
	struct json_object *list = request->result;
	size_t count = json_object_array_length(list);
	int64_t *ids = arena_alloc(request->arena, count * sizeof(*ids));

	(void)result;
	for (size_t i = 0; i < count; i++)
		ids[i] = json_object_get_int64(json_object_array_get_idx(list, i));
	request->result = NULL;
	json_object_put(list);
	quarantine_run_again(request, ids, count);
}

static void on_rescued(struct request *request, const struct pg_result *result)
{
	request->result = json_object_new_array();
	for (int i = 0; i < result->rows; i++)
		json_object_array_add(request->result, json_object_new_int64(pg_value_int(result, i, 0)));
	request_commit(request, on_rescue_committed);
}

static bool read_ids(struct request *request, struct buf *list)
{
	struct json_object *member = NULL;

	if (request->params && json_object_is_type(request->params, json_type_object))
		json_object_object_get_ex(request->params, "id", &member);
	size_t count = json_object_is_type(member, json_type_array) ? json_object_array_length(member) : 0;
	if (count == 0 || count > 1000) {
		request_refuse(request, RPC_INVALID_PARAMS, "id: name 1 to 1000 of them");
		return false;
	}
	pg_array_begin(list);
	for (size_t i = 0; i < count; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(member, i));
		int64_t id;
		if (!text || !report_id_parse(str_of(text), &id)) {
			request_refuse(request, RPC_INVALID_PARAMS,
				"id: expected 202611-123, as in `cirt spam review`");
			return false;
		}
		pg_array_int(list, id);
	}
	pg_array_end(list);
	return true;
}

void desk_spam_rescue(struct request *request)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	struct str reason = STR("");
	struct buf list = {0};

	if (read_ids(request, &list) && request_text(request, "reason", &reason) &&
		request_database(request)) {
		query_start(query, request->arena,
			"SELECT spam_rescue(w.id, $?) FROM unnest($?::bigint[]) WITH ORDINALITY AS w(id, n) "
			"ORDER BY "
			"w.n");
		query_str(query, reason);
		query_str(query, arena_str(request->arena, buf_view(&list)));
		request_change(request, query, on_rescued);
	}
	buf_free(&list);
}

/* --- whose mails are spam, and whose are not --- */

#define SENDER_JSON                                                                                        \
	"json_build_object('pattern', p.pattern, 'rule', CASE WHEN p.allow THEN 'allow' ELSE 'deny' END, " \
	"'reason', "                                                                                       \
	"nullif(p.reason, ''), 'added', stamp(p.added), 'actor', p.actor)"

static void on_senders(struct request *request, const struct pg_result *result)
{
	request_answer(request, result_page(result, INT32_MAX));
}

void desk_spam_list(struct request *request)
{
	struct query query;

	if (!request_database(request))
		return;
	query_start(&query, request->arena,
		"SELECT " SENDER_JSON ", p.pattern FROM spam_sender p ORDER BY p.allow, p.pattern");
	request_query(request, &query, on_senders);
}

static void on_changed(struct request *request, const struct pg_result *result)
{
	if (result->rows == 0) {
		request_refuse_hint(
			request, RPC_NOT_FOUND, "see: cirt spam list", "that sender is not listed");
		return;
	}
	request->result = result_json(result, 0, 0);
	request_commit(request, request_answer_result);
}

static void on_heeded(struct request *request, const struct pg_result *result)
{
	if (result->rows == 0) {
		request_refuse_hint(
			request, RPC_NOT_FOUND, "see: cirt source list", "there is no such source");
		return;
	}
	request->result = result_json(result, 0, 0);
	request_commit(request, request_answer_result);
}

/* An address, or @domain; "domain.example" is taken for the latter. */
static bool read_pattern(struct request *request, struct str *pattern)
{
	struct str given;
	struct str address;
	bool bare;

	if (!request_needs(request, "sender", &given))
		return false;
	bare = memchr(given.p, '@', given.len) == NULL;
	address = given.p[0] == '@' || bare
	                  ? arena_printf(request->arena, "x%s" STR_FMT, bare ? "@" : "", STR_ARG(given))
	                  : given;
	if (!observable_normalise(OBSERVABLE_EMAIL, address, request->arena, pattern)) {
		request_refuse(request, RPC_INVALID_PARAMS,
			"sender: expected an address, or @domain for all of it and below");
		return false;
	}
	*pattern = arena_str(request->arena,
		given.p[0] == '@' || bare ? (struct str){pattern->p + 1, pattern->len - 1} : *pattern);
	return true;
}

static void list_sender(struct request *request, bool allow)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	struct str pattern, reason = STR("");

	if (!read_pattern(request, &pattern) || !request_text(request, "reason", &reason) ||
		!request_database(request))
		return;
	query_start(query, request->arena,
		"WITH p AS (INSERT INTO spam_sender (pattern, allow, reason) VALUES (lower($?), $?::boolean, "
		"$?) ON "
		"CONFLICT (pattern) DO UPDATE SET allow = excluded.allow, reason = excluded.reason, added = "
		"now(), "
		"actor = excluded.actor RETURNING *) SELECT " SENDER_JSON " FROM p");
	query_str(query, pattern);
	query_bool(query, allow);
	query_str(query, reason);
	request_change(request, query, on_changed);
}

/* Whether verdicts and volume count against the mails of a mailbox. */
static void heed_source(struct request *request, bool counts)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	struct str name;

	if (!request_needs(request, "source", &name) || !request_database(request))
		return;
	query_start(query, request->arena,
		"WITH s AS (UPDATE source SET spam_counts = $?::boolean WHERE name = $? RETURNING name, "
		"spam_counts) SELECT "
		"json_build_object('source', name, 'spam_counts', spam_counts) FROM s");
	query_bool(query, counts);
	query_str(query, name);
	request_change(request, query, on_heeded);
}

void desk_spam_heed(struct request *request)
{
	heed_source(request, true);
}

void desk_spam_ignore(struct request *request)
{
	heed_source(request, false);
}

void desk_spam_allow(struct request *request)
{
	list_sender(request, true);
}

void desk_spam_deny(struct request *request)
{
	list_sender(request, false);
}

void desk_spam_forget(struct request *request)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	struct str pattern;

	if (!read_pattern(request, &pattern) || !request_database(request))
		return;
	query_start(query, request->arena,
		"WITH p AS (DELETE FROM spam_sender WHERE pattern = lower($?) RETURNING *) "
		"SELECT " SENDER_JSON " FROM p");
	query_str(query, pattern);
	request_change(request, query, on_changed);
}
