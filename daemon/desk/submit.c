#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "desk/handlers.h"
#include "desk/session.h"

/*
 * A file on its way from the client into the spool. The client cuts it into pieces, each of which becomes an
 * entry, and says after each where in the file it ends; that offset is the bookmark "submit/DIGEST/SOURCE" of
 * the entry, so that the same file goes on where it was interrupted and is not taken in twice (trap 1). A
 * piece is begun when the one before it is durable: a bookmark never stands behind bytes that were refused.
 * What the spool has not taken yet keeps the client from sending more.
 *
 *   →  submit {name, size, digest, format, source, exercise, again}    answered when all is committed
 *   ←  submit.ready {submit, offset}
 *   →  submit.data {submit, data}, submit.piece {submit, offset}, submit.end {submit}
 *   ←  submit.progress {submit, offset}
 */
#define SUBMIT_QUEUED_MAX (1u << 20)

struct submit {
	struct append_open open;
	char owner[SHA256_HEX + 32];
	uint32_t append;   /* of the piece that is coming or being committed; 0: none */
	uint32_t question; /* for the bookmark */
	int64_t size;
	int64_t offset;  /* where the piece that is being committed ends */
	bool ready;      /* the client was told where to go on */
	bool committing; /* the session is paused meanwhile */
	struct json_object *entries;
};

static void submit_free(struct request *request)
{
	struct submit *submit = request->state;
	struct appender *appender = request->desk->appender;

	if (submit->append && submit->committing)
		appender_forget(appender, submit->append);
	else if (submit->append)
		appender_abort(appender, submit->append);
	if (submit->question)
		appender_forget(appender, submit->question);
	if (request->session)
		session_pause(request->session, false);
	json_object_put(submit->entries);
	free(submit);
}

static void submit_closed(struct request *request)
{
	request_refuse(request, RPC_FAILED, "the client went away");
}

static bool is_committing(struct session *session)
{
	for (struct request *request = session->requests; request; request = request->next)
		if (request->release == submit_free && ((struct submit *)request->state)->committing)
			return true;
	return false;
}

void submit_drained(struct desk *desk)
{
	for (struct session *session = desk->sessions; session; session = session->next)
		if (!is_committing(session))
			session_pause(session, false);
}

static void tell_offset(struct request *request, const char *method, int64_t offset)
{
	struct json_object *params = json_object_new_object();

	json_object_object_add(params, "submit", json_object_get(request->id));
	json_object_object_add(params, "offset", json_object_new_int64(offset));
	request_notify(request, method, params);
}

static void refuse_piece(struct request *request, const char *why)
{
	request_refuse_hint(request, RPC_UNAVAILABLE, "Submit it again: it goes on where it stopped.",
		"the spool did not take it: %s", why);
}

static void on_committed(const struct append_committed *committed, const struct err *err, void *context)
{
	struct request *request = context;
	struct submit *submit = request->state;
	char text[ENTRY_ID_TEXT];

	submit->append = 0;
	submit->committing = false;
	if (!committed) {
		refuse_piece(request, err->text);
		return;
	}
	json_object_array_add(submit->entries, json_object_new_string(entry_id_format(&committed->id, text)));
	tell_offset(request, "submit.progress", submit->offset);
	if (request->session)
		session_pause(request->session, false);
}

/* The submit that a notification speaks of, if it is one that takes bytes. */
static struct request *submit_of(struct session *session, struct json_object *params)
{
	int64_t id = -1;
	struct request *request;

	if (!rpc_member_int(params, "submit", 0, INT64_MAX, &id, NULL))
		return NULL;
	request = session_request(session, "submit", id);
	if (!request || request->release != submit_free || !((struct submit *)request->state)->ready)
		return NULL;
	return request;
}

void submit_data(struct session *session, struct json_object *params)
{
	struct request *request = submit_of(session, params);
	struct appender *appender = session->desk->appender;
	struct str text = STR_NONE;
	struct buf bytes = {0};

	if (!request)
		return;
	struct submit *submit = request->state;
	if (!rpc_member_str(params, "data", &text, NULL) || !base64_decode(text, true, &bytes)) {
		buf_free(&bytes);
		request_refuse(request, RPC_INVALID_PARAMS, "data: expected base64");
		return;
	}
	if (!submit->append)
		submit->append = appender_begin(appender, &submit->open, on_committed, request);
	if (!submit->append) {
		refuse_piece(request, "it is away");
	} else {
		appender_bytes(appender, submit->append, buf_view(&bytes));
		if (appender_queued(appender) > SUBMIT_QUEUED_MAX)
			session_pause(session, true);
	}
	buf_free(&bytes);
}

void submit_piece(struct session *session, struct json_object *params)
{
	struct request *request = submit_of(session, params);
	char value[32];
	int64_t offset = -1;

	if (!request)
		return;
	struct submit *submit = request->state;
	if (!rpc_member_int(params, "offset", submit->offset + 1, submit->size, &offset, NULL) ||
		offset < 0 || !submit->append) {
		request_refuse(request, RPC_INVALID_PARAMS,
			"offset: expected where the piece ends, behind the one before");
		return;
	}
	submit->offset = offset;
	submit->committing = true;
	snprintf(value, sizeof(value), "%lld", (long long)offset);
	struct append_close close = {
		.bookmark_owner = str_of(submit->owner), .bookmark_value = str_of(value)};
	session_pause(session, true);
	appender_commit(session->desk->appender, submit->append, &close);
}

void submit_end(struct session *session, struct json_object *params)
{
	struct request *request = submit_of(session, params);
	struct json_object *result;

	if (!request)
		return;
	struct submit *submit = request->state;
	if (submit->append) {
		request_refuse(request, RPC_INVALID_PARAMS, "a piece was begun and not ended");
		return;
	}
	result = json_object_new_object();
	json_object_object_add(result, "entries", json_object_get(submit->entries));
	request_answer(request, result);
}

static void ready(struct request *request, int64_t offset)
{
	struct submit *submit = request->state;

	submit->ready = true;
	submit->offset = offset;
	tell_offset(request, "submit.ready", offset);
}

static void on_bookmark(struct str value, const struct err *err, void *context)
{
	struct request *request = context;
	struct submit *submit = request->state;
	int64_t offset = 0;

	submit->question = 0;
	if (err) {
		refuse_piece(request, err->text);
		return;
	}
	if (value.p && (!str_to_i64(value, &offset) || offset > submit->size))
		offset = 0;
	ready(request, offset);
}

/* The source that was named, or the first enabled one of kind desk. */
static const struct source *choose_source(struct request *request, struct str name)
{
	const struct source_table *table = appender_sources(request->desk->appender);
	const struct source *source = NULL;

	if (name.p) {
		source = source_by_name(table, name);
		if (!source)
			request_refuse(request, RPC_NOT_FOUND, "there is no source \"" STR_FMT "\"",
				STR_ARG(utf8_cut(name, 64)));
		else if (!source->enabled)
			request_refuse(request, RPC_CONFLICT, "the source \"" STR_FMT "\" is disabled",
				STR_ARG(utf8_cut(name, 64)));
		return source && source->enabled ? source : NULL;
	}
	for (size_t i = 0; i < table->count && !source; i++)
		if (table->sources[i].kind == SOURCE_DESK && table->sources[i].enabled)
			source = &table->sources[i];
	if (!source)
		request_refuse(request, RPC_UNAVAILABLE, "no source of kind desk is known yet");
	return source;
}

static struct str envelope_of(
	struct request *request, const struct source *source, enum format format, struct str name)
{
	struct source read = *source;

	struct buf json = {0};

	buf_text(&json, "{\"door\":\"submit\",\"operator\":");
	buf_json_string(&json, str_of(request->operator.name));
	buf_text(&json, ",\"file\":");
	buf_json_string(&json, utf8_cut(name, 1000));
	read.format = format;
	source_envelope(&read, &json);
	buf_text(&json, "}");
	struct str envelope = arena_str(request->arena, buf_view(&json));
	buf_free(&json);
	return envelope;
}

static bool read_submit(struct request *request, struct submit *submit)
{
	struct str name = STR_NONE, digest = STR_NONE, format = STR("auto"), source_name = STR_NONE,
		   exercise = STR("");
	uint8_t bytes[SHA256_LEN];
	const struct source *source;

	if (!request_needs(request, "name", &name) || !request_needs(request, "digest", &digest) ||
		!request_number(request, "size", 1, INT64_MAX, &submit->size) ||
		!request_text(request, "format", &format) || !request_text(request, "source", &source_name) ||
		!request_text(request, "exercise", &exercise))
		return false;
	if (!hex_decode(digest, bytes, sizeof(bytes)) || !format_parse(format, &submit->open.format)) {
		request_refuse(request, RPC_INVALID_PARAMS,
			"expected the file's SHA-256 in hex, and format auto, mail, lines or stix");
		return false;
	}
	source = choose_source(request, source_name);
	if (!source)
		return false;
	submit->open.source = source->id;
	submit->open.exercise = arena_str(request->arena, exercise);
	submit->open.envelope = envelope_of(request, source, submit->open.format, name);
	snprintf(submit->owner, sizeof(submit->owner), "submit/" STR_FMT "/%u", STR_ARG(digest), source->id);
	return true;
}

void desk_submit_file(struct request *request)
{
	struct submit *submit = arena_alloc(request->arena, sizeof(*submit));
	bool again = false;

	if (appender_state(request->desk->appender) == APPENDER_CLOSED) {
		request_refuse(request, RPC_UNAVAILABLE, "the spool is full: the doors are closed");
		return;
	}
	if (appender_state(request->desk->appender) == APPENDER_AWAY) {
		request_refuse(request, RPC_UNAVAILABLE, "the spool is away: try again in a moment");
		return;
	}
	if (!read_submit(request, submit) || !request_flag(request, "again", &again))
		return;
	request->state = mem_dup(submit, sizeof(*submit));
	request->release = submit_free;
	request->closed = submit_closed;
	submit = request->state;
	submit->entries = json_object_new_array();
	if (again) {
		ready(request, 0);
		return;
	}
	submit->question =
		appender_bookmark(request->desk->appender, str_of(submit->owner), on_bookmark, request);
	if (!submit->question)
		refuse_piece(request, "it is away");
}
