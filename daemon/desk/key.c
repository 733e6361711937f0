#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "desk/handlers.h"
#include "ipc/edge_keys.h"

/* The keyring, which is the room keys's: questions to it, and who changed it, in the journal. Passphrases
 * pass through and stay nowhere. */

struct key_ring {
	struct desk *desk;
	struct channel *channel; /* NULL: the room is not there */
	struct map *asks;        /* number → request */
	uint32_t last_ask;
};

static void told(struct request *request, bool ok, struct str text);

static void lost(struct key_ring *ring)
{
	size_t cursor = 0;
	uint64_t ask;
	void *request;

	channel_free(&ring->channel);
	while (map_next(ring->asks, &cursor, &ask, &request)) {
		map_remove(ring->asks, ask);
		told(request, false, STR("the room keys ended meanwhile"));
	}
}

static void on_closed(struct channel *channel, const char *why, void *context)
{
	(void)channel;
	log_info("the edge to the room keys ended: %s", why ? why : "closed");
	lost(context);
}

static void on_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct key_ring *ring = context;
	struct request *request;
	struct keys_told answer;

	if (frame->type == KEYS_READY)
		return;
	if (frame->type != KEYS_TOLD || !keys_told_decode(frame->body, &answer)) {
		channel_break(channel, "a frame that is not of the edge of keys");
		return;
	}
	request = map_remove(ring->asks, answer.ask);
	if (request)
		told(request, answer.ok, answer.text);
}

void key_ring_start(struct desk *desk)
{
	struct key_ring *ring = mem_alloc(sizeof(*ring));

	ring->desk = desk;
	ring->asks = map_new();
	desk->keys = ring;
}

void key_ring_edge(struct desk *desk, int fd)
{
	struct key_ring *ring = desk->keys;

	lost(ring);
	ring->channel = channel_new(room_loop(desk->room), fd, KEYS_VERSION, on_frame, on_closed, ring);
}

void key_ring_stop(struct desk *desk)
{
	if (!desk->keys)
		return;
	lost(desk->keys);
	map_free(&desk->keys->asks);
	free(desk->keys);
	desk->keys = NULL;
}

/* ---- answers ---- */

/* The keyring is changed already. */
static void note(struct request *request, struct str text)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));

	query_start(query, request->arena,
		"SELECT journal_add('keyring', $?, NULL, $?), pg_notify('cirt_keys', '')");
	query_str(query, str_of(request->verb->verb));
	query_str(query, arena_str(request->arena, text));
	request_note(request, query);
}

/* The state of a request that goes on once the room has answered; others have none, and are answered then. */
struct waiting {
	void (*then)(struct request *request, struct json_object *answer, struct str why);
	key_signed_fn *call; /* whom a signature is for */
};

/* answer: NULL where why says why there is none. It is the callee's. */
static void wait_for(
	struct request *request, void (*then)(struct request *, struct json_object *, struct str))
{
	struct waiting *waiting = arena_alloc(request->arena, sizeof(*waiting));

	waiting->then = then;
	request->state = waiting;
}

static void signed_text(struct request *request, struct json_object *answer, struct str why)
{
	const struct waiting *waiting = request->state;
	struct json_object *signature = NULL;

	if (json_object_object_get_ex(answer, "signature", &signature))
		waiting->call(request, str_of(json_object_get_string(signature)), STR_NONE);
	else
		waiting->call(
			request, STR_NONE, answer ? STR("the answer of the room keys cannot be read") : why);
	json_object_put(answer);
}

static void told(struct request *request, bool ok, struct str text)
{
	struct json_tokener *tokener = json_tokener_new_ex(RPC_DEPTH_MAX);
	struct json_object *answer = ok ? json_tokener_parse_ex(tokener, text.p, (int)text.len) : NULL;

	json_tokener_free(tokener);
	request->closed = NULL;
	if (request->state) {
		const struct waiting *waiting = request->state;
		waiting->then(request, answer, text);
	} else if (!ok) {
		request_refuse(request, RPC_FAILED, STR_FMT, STR_ARG(text));
	} else if (!answer) {
		request_refuse(request, RPC_FAILED, "the room keys gave an answer that cannot be read");
	} else if (!request->verb->changes) {
		request_answer(request, answer);
	} else {
		request->result = answer;
		note(request, text);
	}
}

/* ---- questions ---- */

static void forget(struct request *request)
{
	struct key_ring *ring = request->desk->keys;
	size_t cursor = 0;
	uint64_t ask;
	void *value;

	while (map_next(ring->asks, &cursor, &ask, &value))
		if (value == request)
			map_remove(ring->asks, ask);
	request_refuse(request, RPC_FAILED, "nobody waits for the answer any more");
}

static void ask(struct request *request, enum keys_type type, struct str text, struct str bytes)
{
	struct key_ring *ring = request->desk->keys;
	struct keys_manage manage = {.text = text, .bytes = bytes};

	if (!room_conf(request->desk->room)->keys_enabled) {
		request_refuse_hint(request, RPC_FAILED,
			"set enabled = yes in the section keys, and restart cirtd", "keys are not enabled");
		return;
	}
	if (!ring->channel) {
		request_refuse_hint(
			request, RPC_FAILED, "see: cirt status", "the room keys is not there now");
		return;
	}
	manage.ask = ++ring->last_ask;
	map_put(ring->asks, manage.ask, request);
	request->closed = request->verb->changes ? NULL : forget;
	keys_manage_encode(&manage, channel_begin(ring->channel));
	channel_end(ring->channel, (uint16_t)type);
}

void desk_key_list(struct request *request)
{
	ask(request, KEYS_LIST, STR_NONE, STR_NONE);
}

void desk_key_import(struct request *request)
{
	struct buf bytes = {0};
	struct str text;

	if (!request_needs(request, "bytes", &text))
		return;
	if (!base64_decode(text, true, &bytes) || bytes.len == 0 || bytes.len > KEYS_INLINE)
		request_refuse(request, RPC_INVALID_PARAMS,
			"bytes: expected base64 of a key or of certificates, at most %u bytes", KEYS_INLINE);
	else
		ask(request, KEYS_IMPORT, STR_NONE, buf_view(&bytes));
	if (bytes.data)
		mem_wipe(bytes.data, bytes.len);
	buf_free(&bytes);
}

/* The fingerprint as the ring writes it. */
static bool key_asked(struct request *request, struct str *key)
{
	struct str said;
	char *text;
	size_t len = 0;

	if (!request_needs(request, "key", &said))
		return false;
	text = arena_alloc(request->arena, said.len + 1);
	for (size_t i = 0; i < said.len; i++)
		if (!isspace((unsigned char)said.p[i]))
			text[len++] = (char)toupper((unsigned char)said.p[i]);
	text[len] = 0;
	*key = (struct str){text, len};
	if ((len == 40 || len == 64) && strspn(text, "0123456789ABCDEF") == len)
		return true;
	request_refuse(
		request, RPC_INVALID_PARAMS, "a whole fingerprint was expected, as cirt key list shows it");
	return false;
}

static void on_let_go(struct request *request, const struct pg_result *result)
{
	struct str key;

	(void)result;
	if (key_asked(request, &key))
		ask(request, KEYS_REMOVE, key, STR_NONE);
}

/* Either it waits for a second person, or it may be done. */
static void on_asked(struct request *request, const struct pg_result *result)
{
	struct json_object *answer = result_json(result, 0, 0);

	if (json_object_object_length(answer) > 0) {
		request->result = answer;
		request_commit(request, request_answer_result);
		return;
	}
	json_object_put(answer);
	request_commit(request, on_let_go);
}

static bool lists(struct json_object *answer, struct str key)
{
	struct json_object *items = NULL, *of = NULL;

	if (!json_object_object_get_ex(answer, "items", &items))
		return false;
	for (size_t i = 0; i < json_object_array_length(items); i++)
		if (json_object_object_get_ex(json_object_array_get_idx(items, i), "key", &of) &&
			str_equal(str_of(json_object_get_string(of)), key))
			return true;
	return false;
}

/* Nobody is asked for his word about a key that there is not. */
static void on_listed(struct request *request, struct json_object *answer, struct str why)
{
	struct str key;
	bool there;

	request->state = NULL;
	if (!answer) {
		request_refuse(request, RPC_FAILED, STR_FMT, STR_ARG(why));
		return;
	}
	if (!key_asked(request, &key)) {
		json_object_put(answer);
		return;
	}
	there = lists(answer, key);
	json_object_put(answer);
	if (there)
		function_change(request, on_asked);
	else
		request_refuse(request, RPC_NOT_FOUND, "there is no key " STR_FMT, STR_ARG(key));
}

void desk_key_remove(struct request *request)
{
	struct str key;

	if (!key_asked(request, &key))
		return;
	wait_for(request, on_listed);
	ask(request, KEYS_LIST, STR_NONE, STR_NONE);
}

void desk_key_unlock(struct request *request)
{
	struct str passphrase;

	if (!request_needs(request, "passphrase", &passphrase))
		return;
	if (passphrase.len > 1000 || memchr(passphrase.p, 0, passphrase.len) ||
		memchr(passphrase.p, '\n', passphrase.len))
		request_refuse(
			request, RPC_INVALID_PARAMS, "passphrase: expected one line, at most 1000 bytes");
	else
		ask(request, KEYS_UNLOCK, STR_NONE, passphrase);
}

void desk_key_lock(struct request *request)
{
	ask(request, KEYS_LOCK, STR_NONE, STR_NONE);
}

bool key_ring_sign(struct request *request, struct str key, struct str manifest, key_signed_fn *call)
{
	const struct key_ring *ring = request->desk->keys;
	if (!room_conf(request->desk->room)->keys_enabled || !ring->channel || manifest.len > KEYS_INLINE)
		return false;
	wait_for(request, signed_text);
	((struct waiting *)request->state)->call = call;
	ask(request, KEYS_SIGN, key, manifest);
	return true;
}
