#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "desk/handlers.h"
#include "desk/session.h"

/*
 * A file on its way from the client into the spool. The client cuts it into pieces, each of which becomes an
 * entry, and says after each where in the file it ends; that offset is the bookmark "submit/DIGEST/SOURCE" of
 * the entry, so that the same file goes on where it was interrupted and is not taken in twice (trap 1). Many
 * pieces are under way at once, each of which counts only where the one before it did: a bookmark never
 * stands behind bytes that were refused. What the spool has not taken yet keeps the client from sending more.
 * Who submits what another is submitting waits for that to end, and goes on from there.
 *
 *   →  submit {name, size, digest, format, source, exercise, again}    answered when all is committed
 *   ←  submit.waiting {submit, operator}    who is taking it in just now
 *   ←  submit.ready {submit, offset, most}    where to go on; bytes that a piece may have
 *   →  submit.data {submit, data}, submit.piece {submit, offset}, submit.end {submit}
 *   ←  submit.progress {submit, offset}
 */
#define SUBMIT_QUEUED_MAX (1u << 20)
#define SUBMIT_PIECES_MAX 64

/* One that the spool is to commit. */
struct piece {
	struct request *request;
	struct piece *next;
	uint32_t append;
	int64_t offset; /* where it ends */
};

struct submit {
	struct append_open open;
	char owner[SHA256_HEX + 32];
	char bookmark[32];    /* what it is when all pieces are committed */
	uint32_t question;    /* for the bookmark */
	struct piece *coming; /* whose bytes come; NULL */
	struct piece *pieces; /* whose bytes have come, in order */
	size_t piece_count;
	int64_t size;
	int64_t offset; /* where the last piece ends */
	int64_t taken;  /* where the last one ends that is committed */
	bool again;
	bool waits; /* for another's end */
	bool ready; /* the client was told where to go on */
	bool ended; /* the client has sent all */
	struct json_object *entries;
};

static void ask_bookmark(struct request *request);

static struct submit *submit_state(struct request *request);

/* Another request for the same file and source; `waits`: one of those that wait. */
static struct request *find_other(struct desk *desk, const struct submit *submit, bool waits)
{
	for (struct session *session = desk->sessions; session; session = session->next)
		for (struct request *request = session->requests; request; request = request->next) {
			const struct submit *other = submit_state(request);
			if (other && other != submit && other->waits == waits &&
				!strcmp(other->owner, submit->owner))
				return request;
		}
	return NULL;
}

static void free_pieces(struct appender *appender, struct submit *submit)
{
	struct piece *next;

	for (struct piece *piece = submit->pieces; piece; piece = next) {
		next = piece->next;
		appender_forget(appender, piece->append);
		free(piece);
	}
}

static void submit_free(struct request *request)
{
	struct submit *submit = request->state;
	struct appender *appender = request->desk->appender;
	struct request *next = submit->waits ? NULL : find_other(request->desk, submit, true);

	free_pieces(appender, submit);
	if (submit->coming)
		appender_abort(appender, submit->coming->append);
	free(submit->coming);
	if (submit->question)
		appender_forget(appender, submit->question);
	if (request->session)
		session_pause(request->session, false);
	json_object_put(submit->entries);
	free(submit);
	request->state = NULL;
	if (next)
		ask_bookmark(next);
}

static struct submit *submit_state(struct request *request)
{
	return request->release == submit_free ? request->state : NULL;
}

static bool is_full(struct session *session)
{
	for (struct request *request = session->requests; request; request = request->next)
		if (submit_state(request) && submit_state(request)->piece_count >= SUBMIT_PIECES_MAX)
			return true;
	return appender_queued(session->desk->appender) > SUBMIT_QUEUED_MAX;
}

void submit_drained(struct desk *desk)
{
	for (struct session *session = desk->sessions; session; session = session->next)
		session_pause(session, is_full(session));
}

static struct json_object *about(struct request *request)
{
	struct json_object *params = json_object_new_object();

	json_object_object_add(params, "submit", json_object_get(request->id));
	return params;
}

static void refuse_piece(struct request *request, const struct err *why)
{
	if (why->code == ERR_CONFLICT)
		request_refuse_hint(request, RPC_CONFLICT,
			"Submit it again when that has ended: nothing is taken in twice.",
			"the same file is being taken in by somebody else");
	else
		request_refuse_hint(request, RPC_UNAVAILABLE, "Submit it again: it goes on where it stopped.",
			"the spool did not take it: %s", why->text);
}

static void refuse_away(struct request *request)
{
	struct err err;

	err_set(&err, ERR_AGAIN, "it is away");
	refuse_piece(request, &err);
}

/* The journal says who took in which bytes; what the file is called may name people, and stands in the
 * envelope. */
static void note(struct request *request)
{
	struct submit *submit = request->state;
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	struct str digest = str_of(submit->owner + strlen("submit/"));

	digest.len = SHA256_HEX - 1;
	query_start(query, request->arena,
		"SELECT journal_add('submission/' || $?, 'submit', NULL, jsonb_build_object('bytes', "
		"$?::bigint, 'entries', $?::bigint, 'first', $?::text, 'source', "
		"(SELECT name FROM source WHERE id = $?::int))::text)");
	query_str(query, digest);
	query_int(query, submit->size);
	query_int(query, (int64_t)json_object_array_length(submit->entries));
	query_str(query, str_of(json_object_get_string(json_object_array_get_idx(submit->entries, 0))));
	query_int(query, (int64_t)submit->open.source);
	request_note(request, query);
}

/* What the client had sent when it went is in the ledger as far as it was taken; that there is more of it in
 * the file nobody would know. */
static void note_broken(struct request *request)
{
	struct submit *submit = request->state;
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	struct str digest = str_of(submit->owner + strlen("submit/"));

	digest.len = SHA256_HEX - 1;
	query_start(query, request->arena,
		"SELECT journal_add('submission/' || $?, 'broken off', NULL, jsonb_build_object('taken', "
		"$?::bigint, 'bytes', $?::bigint, 'entries', $?::bigint, 'source', "
		"(SELECT name FROM source WHERE id = $?::int))::text)");
	query_str(query, digest);
	query_int(query, submit->taken);
	query_int(query, submit->size);
	query_int(query, (int64_t)json_object_array_length(submit->entries));
	query_int(query, (int64_t)submit->open.source);
	request_note(request, query);
}

static void drop_pieces(struct request *request)
{
	struct submit *submit = request->state;
	struct appender *appender = request->desk->appender;

	free_pieces(appender, submit);
	submit->pieces = NULL;
	submit->piece_count = 0;
	if (submit->coming)
		appender_abort(appender, submit->coming->append);
	free(submit->coming);
	submit->coming = NULL;
}

static void submit_closed(struct request *request)
{
	struct submit *submit = request->state;

	if (!submit->ready) {
		request_refuse(request, RPC_FAILED, "the client went away");
		return;
	}
	submit->ready = false;
	request->closed = NULL;
	request->desk->submits_broken++;
	log_warn_f(LOG_F({"operator", request->operator.name}),
		"a submission was broken off: %lld of %lld bytes of it are taken in",
		(long long)submit->taken, (long long)submit->size);
	drop_pieces(request);
	note_broken(request);
}

static void answer_if_ended(struct request *request)
{
	struct submit *submit = request->state;

	if (!submit->ended || submit->pieces)
		return;
	submit->ready = false;
	request->closed = NULL;
	request->result = json_object_new_object();
	json_object_object_add(request->result, "entries", json_object_get(submit->entries));
	note(request);
}

static void take_out(struct submit *submit, const struct piece *piece)
{
	if (submit->coming == piece) {
		submit->coming = NULL;
		return;
	}
	for (struct piece **link = &submit->pieces; *link; link = &(*link)->next) {
		if (*link != piece)
			continue;
		*link = piece->next;
		submit->piece_count--;
		return;
	}
}

/* What is refused ends all: nothing behind it would count. */
static void on_committed(const struct append_committed *committed, const struct err *err, void *context)
{
	struct piece *piece = context;
	struct request *request = piece->request;
	struct submit *submit = request->state;
	struct json_object *params = about(request);
	char text[ENTRY_ID_TEXT];

	json_object_object_add(params, "offset", json_object_new_int64(piece->offset));
	take_out(submit, piece);
	if (committed)
		submit->taken = piece->offset;
	free(piece);
	if (!committed) {
		json_object_put(params);
		refuse_piece(request, err);
		return;
	}
	json_object_array_add(submit->entries, json_object_new_string(entry_id_format(&committed->id, text)));
	request_notify(request, "submit.progress", params);
	if (request->session)
		session_pause(request->session, is_full(request->session));
	answer_if_ended(request);
}

static bool begin_piece(struct request *request)
{
	struct submit *submit = request->state;
	struct piece *piece = mem_alloc(sizeof(*piece));

	piece->request = request;
	piece->append = appender_begin(request->desk->appender, &submit->open, on_committed, piece);
	if (!piece->append) {
		free(piece);
		refuse_away(request);
		return false;
	}
	submit->coming = piece;
	return true;
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
	if (submit->coming || begin_piece(request)) {
		appender_bytes(appender, submit->coming->append, buf_view(&bytes));
		session_pause(session, is_full(session));
	}
	buf_free(&bytes);
}

/* The piece that is coming is whole, and ends at this offset of the file. */
static void commit_piece(struct request *request, int64_t offset)
{
	struct submit *submit = request->state;
	struct piece *piece = submit->coming, **end = &submit->pieces;
	struct append_close close = {.bookmark_owner = str_of(submit->owner), .expects = true};
	char before[sizeof(submit->bookmark)];

	memcpy(before, submit->bookmark, sizeof(before));
	snprintf(submit->bookmark, sizeof(submit->bookmark), "%lld", (long long)offset);
	close.expected = str_of(before);
	close.bookmark_value = str_of(submit->bookmark);
	while (*end)
		end = &(*end)->next;
	*end = piece;
	submit->piece_count++;
	submit->coming = NULL;
	submit->offset = piece->offset = offset;
	appender_commit(request->desk->appender, piece->append, &close);
}

void submit_piece(struct session *session, struct json_object *params)
{
	struct request *request = submit_of(session, params);
	int64_t offset = -1;

	if (!request)
		return;
	struct submit *submit = request->state;
	if (!rpc_member_int(params, "offset", submit->offset + 1, submit->size, &offset, NULL) ||
		offset < 0 || !submit->coming) {
		request_refuse(request, RPC_INVALID_PARAMS,
			"offset: expected where the piece ends, behind the one before");
		return;
	}
	commit_piece(request, offset);
	session_pause(session, is_full(session));
}

void submit_end(struct session *session, struct json_object *params)
{
	struct request *request = submit_of(session, params);

	if (!request)
		return;
	struct submit *submit = request->state;
	if (submit->coming) {
		request_refuse(request, RPC_INVALID_PARAMS, "a piece was begun and not ended");
		return;
	}
	submit->ended = true;
	answer_if_ended(request);
}

static void on_bookmark(struct str value, const struct err *err, void *context)
{
	struct request *request = context;
	struct submit *submit = request->state;
	struct json_object *params;
	int64_t offset = 0;

	submit->question = 0;
	if (err) {
		refuse_piece(request, err);
		return;
	}
	if (submit->again || !value.p || !str_to_i64(value, &offset) || offset > submit->size)
		offset = 0;
	snprintf(submit->bookmark, sizeof(submit->bookmark), STR_FMT, STR_ARG(value));
	submit->ready = true;
	submit->offset = submit->taken = offset;
	params = about(request);
	json_object_object_add(params, "offset", json_object_new_int64(offset));
	json_object_object_add(params, "most", json_object_new_int64((int64_t)APPEND_ENTRY_MAX));
	request_notify(request, "submit.ready", params);
}

static void ask_bookmark(struct request *request)
{
	struct submit *submit = request->state;

	submit->waits = false;
	submit->question =
		appender_bookmark(request->desk->appender, str_of(submit->owner), on_bookmark, request);
	if (!submit->question)
		refuse_away(request);
}

static void wait_for(struct request *request, const struct request *other)
{
	struct submit *submit = request->state;
	struct json_object *params = about(request);

	submit->waits = true;
	json_object_object_add(params, "operator", json_object_new_string(other->operator.name));
	request_notify(request, "submit.waiting", params);
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

bool submit_can(struct request *request)
{
	struct desk *desk = request->desk;

	switch (appender_state(desk->appender)) {
	case APPENDER_OPEN:
		return true;
	case APPENDER_CLOSED:
		request_refuse_hint(request, RPC_UNAVAILABLE,
			"They open again when what waits has landed: `cirt status` tells what it waits for.",
			"the spool is full: the doors are closed");
		return false;
	default:
		break;
	}
	if (!appender_has_edge(desk->appender))
		request_refuse(request, RPC_UNAVAILABLE, "the spool is away: try again in a moment");
	else if (!desk_pg(desk))
		request_refuse_hint(request, RPC_UNAVAILABLE,
			"The spool learns its sources from the database once, and keeps them: mend the "
			"connection (`cirt status` shows it), then submit again.",
			"no source is known yet, since the database was never there: %s",
			pg_why_down(desk->pg[0]));
	else
		request_refuse(request, RPC_UNAVAILABLE,
			"the sources are not read from the database yet: try again in a moment");
	return false;
}

void desk_submit_file(struct request *request)
{
	struct submit *submit = arena_alloc(request->arena, sizeof(*submit));
	const struct request *other;

	if (!submit_can(request) || !read_submit(request, submit) ||
		!request_flag(request, "again", &submit->again))
		return;
	request->state = mem_dup(submit, sizeof(*submit));
	request->release = submit_free;
	request->closed = submit_closed;
	submit = request->state;
	submit->entries = json_object_new_array();
	other = find_other(request->desk, submit, false);
	if (other)
		wait_for(request, other);
	else
		ask_bookmark(request);
}
