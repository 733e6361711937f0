#include "config.h"

#include "desk/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "desk/session.h"

struct request *request_new(
	struct session *session, const struct rpc_message *message, const struct verb *verb)
{
	struct request *request = mem_alloc(sizeof(*request));

	request->desk = session->desk;
	request->session = session;
	request->operator= session->operator;
	request->verb = verb;
	request->id = json_object_get(message->id);
	request->params = json_object_get(message->params);
	request->arena = arena_new(2048);
	request->next = session->requests;
	if (request->next)
		request->next->previous = request;
	session->requests = request;
	return request;
}

static void request_free(struct request *request)
{
	if (request->release)
		request->release(request);
	if (request->next)
		request->next->previous = request->previous;
	if (request->previous)
		request->previous->next = request->next;
	else if (request->session)
		request->session->requests = request->next;
	json_object_put(request->id);
	json_object_put(request->params);
	json_object_put(request->result);
	if (request->change)
		query_end(request->change);
	arena_free(&request->arena);
	free(request);
}

void request_answer(struct request *request, struct json_object *result)
{
	struct buf line = {0};

	if (request->session) {
		rpc_write_result(&line, request->id, result);
		session_write(request->session, &line);
	}
	buf_free(&line);
	json_object_put(result);
	request_free(request);
}

/* The answer has been given when the roll-back ends, so that it must not touch the request. */
static void on_rolled_back(struct pg *pg, const struct pg_result *result, void *context)
{
	(void)pg;
	(void)result;
	(void)context;
}

static void refuse_with(struct request *request, int code, struct json_object *data, struct str text)
{
	struct buf line = {0};

	if (request->in_transaction)
		pg_rollback(request->pg, on_rolled_back, NULL);
	request->desk->refused++;
	if (request->session) {
		rpc_write_error(&line, request->id, code, text, data);
		session_write(request->session, &line);
	}
	json_object_put(data);
	buf_free(&line);
	request_free(request);
}

static void refuse(struct request *request, int code, const char *hint, struct str text)
{
	struct json_object *data = NULL;

	if (hint) {
		data = json_object_new_object();
		json_object_object_add(data, "hint", json_object_new_string(hint));
	}
	refuse_with(request, code, data, text);
}

#define FORMAT_TEXT(text, format)                    \
	char text[512];                              \
	va_list args;                                \
	va_start(args, format);                      \
	vsnprintf(text, sizeof(text), format, args); \
	va_end(args)

void request_refuse(struct request *request, int code, const char *format, ...)
{
	FORMAT_TEXT(text, format);
	refuse(request, code, NULL, utf8_cut(str_of(text), sizeof(text)));
}

void request_refuse_hint(struct request *request, int code, const char *hint, const char *format, ...)
{
	FORMAT_TEXT(text, format);
	refuse(request, code, hint, utf8_cut(str_of(text), sizeof(text)));
}

void request_refuse_err(struct request *request, int code, const struct err *err)
{
	refuse(request, code, NULL, str_of(err->text));
}

void request_notify(struct request *request, const char *method, struct json_object *params)
{
	struct buf line = {0};

	if (request->session) {
		rpc_write_notification(&line, method, params);
		session_write(request->session, &line);
	}
	buf_free(&line);
	json_object_put(params);
}

bool request_text(struct request *request, const char *name, struct str *value)
{
	struct err err;

	if (rpc_member_str(request->params, name, value, &err))
		return true;
	request_refuse_err(request, RPC_INVALID_PARAMS, &err);
	return false;
}

bool request_number(struct request *request, const char *name, int64_t min, int64_t max, int64_t *value)
{
	struct err err;

	if (rpc_member_int(request->params, name, min, max, value, &err))
		return true;
	request_refuse_err(request, RPC_INVALID_PARAMS, &err);
	return false;
}

bool request_flag(struct request *request, const char *name, bool *value)
{
	struct err err;

	if (rpc_member_bool(request->params, name, value, &err))
		return true;
	request_refuse_err(request, RPC_INVALID_PARAMS, &err);
	return false;
}

bool request_needs(struct request *request, const char *name, struct str *value)
{
	*value = STR_NONE;
	if (!request_text(request, name, value))
		return false;
	if (str_trim(*value).len > 0)
		return true;
	request_refuse(request, RPC_INVALID_PARAMS, "%s: missing", name);
	return false;
}

static bool join_words(struct request *request, struct json_object *list, struct buf *out)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *word = json_object_array_get_idx(list, i);
		if (json_object_get_type(word) != json_type_string)
			return false;
		struct str text = {json_object_get_string(word), (size_t)json_object_get_string_len(word)};
		if (memchr(text.p, 0, text.len))
			return false;
		if (i)
			buf_char(out, ' ');
		buf_str(out, text);
	}
	(void)request;
	return true;
}

bool request_words(struct request *request, const char *name, struct str *value)
{
	struct json_object *member = NULL;
	struct buf joined = {0};

	if (!request->params || !json_object_is_type(request->params, json_type_object) ||
		!json_object_object_get_ex(request->params, name, &member) ||
		json_object_get_type(member) != json_type_array)
		return request_needs(request, name, value);
	bool ok = join_words(request, member, &joined);
	*value = arena_str(request->arena, buf_view(&joined));
	buf_free(&joined);
	if (ok && str_trim(*value).len > 0)
		return true;
	request_refuse(request, RPC_INVALID_PARAMS, "%s: expected text", name);
	return false;
}

bool request_page(struct request *request, int64_t *limit, int64_t *cursor)
{
	struct str text = STR_NONE;

	*limit = 50;
	*cursor = INT64_MAX;
	if (!request_number(request, "limit", 1, 1000, limit) || !request_text(request, "cursor", &text))
		return false;
	if (!text.p || str_to_i64(text, cursor))
		return true;
	request_refuse(request, RPC_INVALID_PARAMS, "cursor: expected the `next` of a page before");
	return false;
}

/* Database */

struct pg *desk_pg(const struct desk *desk)
{
	struct pg *least = NULL;

	for (size_t i = 0; i < DESK_CONNECTIONS; i++)
		if (pg_is_up(desk->pg[i]) && (!least || pg_queued(desk->pg[i]) < pg_queued(least)))
			least = desk->pg[i];
	return least;
}

bool request_database(struct request *request)
{
	struct desk *desk = request->desk;

	request->pg = desk_pg(desk);
	if (request->pg)
		return true;
	request_refuse_hint(request, RPC_UNAVAILABLE,
		"What comes in is kept in the spool and lands when it is back; `cirt status` and `cirt "
		"submit` work meanwhile.",
		"the database is away: %s", pg_why_down(desk->pg[0]));
	return false;
}

/* Somebody else has changed it: the revision of now goes to the client, so that it can ask again. */
#define CHANGED_SINCE "CT001"

/* What the schema says to people may have many lines: all that keeps a case open, what others have changed.
 */
#define REFUSAL_MAX 8000

static void refuse_changed(struct request *request, const struct pg_result *result)
{
	struct json_object *data = json_object_new_object();
	int64_t revision;

	if (str_to_i64(str_of(result->detail), &revision))
		json_object_object_add(data, "revision", json_object_new_int64(revision));
	refuse_with(request, RPC_CONFLICT, data, utf8_cut(str_of(result->text), REFUSAL_MAX));
}

static const struct {
	const char *sqlstate;
	int code;
	const char *text; /* instead of the server's */
} refusals[] = {
	{"02000", RPC_NOT_FOUND, NULL},      /* no_data_found: our own functions say what */
	{"P0002", RPC_NOT_FOUND, NULL},      /* the same, of plpgsql */
	{"22P02", RPC_INVALID_PARAMS, NULL}, /* a word that an enum does not have */
	{"22023", RPC_INVALID_PARAMS, NULL},
	{"22P05", RPC_INVALID_PARAMS, "a text cannot hold the character zero"},
	{"23505", RPC_CONFLICT, "it exists already"},
	{"23514", RPC_CONFLICT, NULL},
	{"42501", RPC_DENIED, NULL},
	{"57014", RPC_UNAVAILABLE, "it took too long: ask for less"},
};

void request_refuse_database(struct request *request, const struct pg_result *result)
{
	switch (result->outcome) {
	case PG_REPEAT:
	case PG_LOST:
		request_refuse_hint(request, RPC_UNAVAILABLE, "Nothing was changed. Try again.",
			"the database could not do it now: %s", result->text);
		return;
	case PG_UNKNOWN:
		request_refuse_hint(request, RPC_UNAVAILABLE,
			"Look whether it was done before you repeat it.",
			"the database was lost while it was told to: %s", result->text);
		return;
	default:
		break;
	}
	if (!strcmp(result->sqlstate, CHANGED_SINCE)) {
		refuse_changed(request, result);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		if (!strcmp(refusals[i].sqlstate, result->sqlstate)) {
			const char *text = refusals[i].text ? refusals[i].text : result->text;
			if (request->conflict && refusals[i].code == RPC_CONFLICT && refusals[i].text)
				text = request->conflict;
			refuse(request, refusals[i].code, NULL, utf8_cut(str_of(text), REFUSAL_MAX));
			return;
		}
	}
	log_error_f(LOG_F({"sqlstate", result->sqlstate}, {"verb", request->verb->noun}),
		"the database refused: %s", result->text);
	request_refuse(request, RPC_FAILED, "the database refused (%s): %s", result->sqlstate, result->text);
}

static void answer_unnoted(struct request *request, const char *why)
{
	log_warn_f(LOG_F({"operator", request->operator.name}, {"noun", request->verb->noun},
			   {"verb", request->verb->verb}),
		"it is done, and the journal was not told: %s", why);
	/* Who has gone away has no answer coming. */
	if (!request->result)
		request->result = json_object_new_object();
	json_object_object_add(request->result, "journal", json_object_new_boolean(false));
	request_answer_result(request, NULL);
}

static void on_result(struct pg *pg, const struct pg_result *result, void *context)
{
	struct request *request = context;

	(void)pg;
	if (result->outcome == PG_DONE) {
		request->rows(request, result);
		return;
	}
	request->in_transaction = false;
	if (request->done)
		answer_unnoted(request, result->text);
	else
		request_refuse_database(request, result);
}

void request_query(struct request *request, struct query *query, request_rows_fn *rows)
{
	request->rows = rows;
	pg_query(request->pg, buf_cstr(&query->sql), query->values, query->count, request->verb->changes,
		on_result, request);
	query_end(query);
}

static void on_actor(struct pg *pg, const struct pg_result *result, void *context)
{
	struct request *request = context;

	request->in_transaction = result->outcome == PG_DONE;
	on_result(pg, result, context);
}

static void on_begun(struct pg *pg, const struct pg_result *result, void *context)
{
	struct request *request = context;
	struct pg_parameter actor = {.value = str_of(request->operator.name)};

	if (result->outcome != PG_DONE) {
		on_result(pg, result, context);
		return;
	}
	pg_step(pg, "SELECT set_config('cirt.actor', $1, true)", &actor, 1, on_actor, request);
}

void request_begin(struct request *request, request_rows_fn *rows)
{
	request->rows = rows;
	pg_begin(request->pg, "BEGIN", on_begun, request);
}

void request_step(struct request *request, struct query *query, request_rows_fn *rows)
{
	request->rows = rows;
	pg_step(request->pg, buf_cstr(&query->sql), query->values, query->count, on_result, request);
	query_end(query);
}

void request_commit(struct request *request, request_rows_fn *rows)
{
	request->rows = rows;
	request->in_transaction = false;
	pg_commit(request->pg, on_result, request);
}

static void on_change_begun(struct request *request, const struct pg_result *result)
{
	(void)result;
	struct query *change = request->change;

	request->change = NULL;
	request_step(request, change, request->change_rows);
}

void request_change(struct request *request, struct query *query, request_rows_fn *rows)
{
	request->change = query;
	request->change_rows = rows;
	request_begin(request, on_change_begun);
}

static void on_noted(struct request *request, const struct pg_result *result)
{
	(void)result;
	request_commit(request, request_answer_result);
}

void request_note(struct request *request, struct query *query)
{
	request->done = true;
	request->pg = desk_pg(request->desk);
	if (request->pg) {
		request_change(request, query, on_noted);
		return;
	}
	query_end(query);
	answer_unnoted(request, pg_why_down(request->desk->pg[0]));
}

void request_answer_result(struct request *request, const struct pg_result *result)
{
	struct json_object *answer = request->result;

	(void)result;
	request->result = NULL;
	request_answer(request, answer);
}

struct json_object *result_json(const struct pg_result *result, int row, int column)
{
	struct str text = pg_value(result, row, column);
	struct json_tokener *tokener;
	struct json_object *value;

	if (!text.p)
		return NULL;
	tokener = json_tokener_new_ex(RPC_DEPTH_MAX);
	/* With the zero that libpq puts behind it: a number by itself is read to its end. */
	value = json_tokener_parse_ex(tokener, text.p, (int)text.len + 1);
	json_tokener_free(tokener);
	return value;
}

struct json_object *result_page(const struct pg_result *result, int64_t limit)
{
	struct json_object *page = json_object_new_object(), *items = json_object_new_array(), *next = NULL;
	int shown = result->rows > limit ? (int)limit : result->rows;

	for (int i = 0; i < shown; i++)
		json_object_array_add(items, result_json(result, i, 0));
	if (result->rows > limit) {
		struct str last = pg_value(result, shown - 1, 1);
		next = json_object_new_string_len(last.p, (int)last.len);
	}
	json_object_object_add(page, "items", items);
	json_object_object_add(page, "next", next);
	return page;
}
