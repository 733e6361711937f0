#include "config.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "desk/handlers.h"
#include "ipc/edge_probe.h"

/* Questions to the exchange, the only room that may ask other systems. Secrets pass through and stay nowhere.
 */

struct prober {
	struct desk *desk;
	struct channel *channel; /* NULL: the room is not there */
	struct map *asks;        /* number → request */
	uint32_t last_ask;
};

static void told(struct request *request, bool ok, struct str text)
{
	struct json_tokener *tokener = json_tokener_new_ex(RPC_DEPTH_MAX);
	struct json_object *answer = ok ? json_tokener_parse_ex(tokener, text.p, (int)text.len) : NULL;

	json_tokener_free(tokener);
	request->closed = NULL;
	if (answer)
		request_answer(request, answer);
	else
		request_refuse(request, RPC_FAILED, STR_FMT,
			STR_ARG(ok ? STR("the exchange gave an answer that cannot be read") : text));
}

static void lost(struct prober *prober)
{
	size_t cursor = 0;
	uint64_t ask;
	void *request;

	channel_free(&prober->channel);
	while (map_next(prober->asks, &cursor, &ask, &request)) {
		map_remove(prober->asks, ask);
		told(request, false, STR("the exchange ended meanwhile"));
	}
}

static void on_closed(struct channel *channel, const char *why, void *context)
{
	(void)channel;
	(void)why;
	lost(context);
}

static void on_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct prober *prober = context;
	struct probe_told answer;
	struct request *request;

	if (frame->type != PROBE_TOLD || !probe_told_decode(frame->body, &answer)) {
		channel_break(channel, "a frame that is not of the edge of probes");
		return;
	}
	request = map_remove(prober->asks, answer.ask);
	if (request)
		told(request, answer.ok, answer.text);
}

void probe_start(struct desk *desk)
{
	struct prober *prober = mem_alloc(sizeof(*prober));

	prober->desk = desk;
	prober->asks = map_new();
	desk->prober = prober;
}

void probe_edge(struct desk *desk, int fd)
{
	struct prober *prober = desk->prober;

	lost(prober);
	prober->channel = channel_new(room_loop(desk->room), fd, PROBE_VERSION, on_frame, on_closed, prober);
}

void probe_stop(struct desk *desk)
{
	if (!desk->prober)
		return;
	lost(desk->prober);
	map_free(&desk->prober->asks);
	free(desk->prober);
	desk->prober = NULL;
}

static void forget(struct request *request)
{
	struct prober *prober = request->desk->prober;
	size_t cursor = 0;
	uint64_t ask;
	void *value;

	while (map_next(prober->asks, &cursor, &ask, &value))
		if (value == request)
			map_remove(prober->asks, ask);
	request_refuse(request, RPC_FAILED, "nobody waits for the answer any more");
}

static void ask(struct request *request, enum probe_type type, struct probe_ask *question)
{
	struct prober *prober = request->desk->prober;

	if (!prober->channel) {
		request_refuse_hint(
			request, RPC_UNAVAILABLE, "see: cirt status", "the exchange is not there now");
		return;
	}
	question->ask = ++prober->last_ask;
	map_put(prober->asks, question->ask, request);
	request->closed = forget;
	probe_ask_encode(question, channel_begin(prober->channel));
	channel_end(prober->channel, (uint16_t)type);
}

void desk_source_discover(struct request *request)
{
	struct probe_ask question = {.auth = STR(""), .items = STR("")};

	if (!request_needs(request, "url", &question.url) || !request_text(request, "auth", &question.auth))
		return;
	if (!str_starts(question.url, STR("https://")))
		request_refuse(request, RPC_INVALID_PARAMS, "url: expected https://…");
	else
		ask(request, PROBE_DISCOVER, &question);
}

static void pull(struct request *request, struct str items)
{
	struct probe_ask question = {
		.source = *(uint32_t *)request->state, .url = STR(""), .auth = STR(""), .items = items};

	ask(request, PROBE_PULL, &question);
}

static void on_items(struct request *request, const struct pg_result *result)
{
	pull(request, pg_value(result, 0, 0));
}

/* What could not be had goes along: the exchange may have forgotten it. */
static void pull_again(struct request *request)
{
	struct query query;

	if (!request_database(request))
		return;
	query_start(&query, request->arena,
		"SELECT coalesce(json_agg(json_build_object('item', item, 'version', version, 'about', "
		"about, 'place', place)), '[]')"
		" FROM (SELECT * FROM feed_item WHERE source = $?::int ORDER BY last DESC LIMIT 1000) f");
	query_int(&query, *(uint32_t *)request->state);
	request_query(request, &query, on_items);
}

void desk_source_pull(struct request *request)
{
	uint32_t *id = arena_alloc(request->arena, sizeof(*id));
	const struct source *source;
	struct str name;
	bool again = false;

	if (!request_needs(request, "name", &name) || !request_flag(request, "again", &again))
		return;
	source = source_by_name(appender_sources(request->desk->appender), name);
	if (!source)
		request_refuse(request, RPC_NOT_FOUND, "there is no source \"" STR_FMT "\"",
			STR_ARG(utf8_cut(name, 64)));
	else if (!source->enabled || !source_kind_pulled(source->kind))
		request_refuse(request, RPC_CONFLICT, "the source \"" STR_FMT "\" is %s",
			STR_ARG(utf8_cut(name, 64)), source->enabled ? "not one that is pulled" : "disabled");
	else {
		*id = source->id;
		request->state = id;
		if (again)
			pull_again(request);
		else
			pull(request, STR(""));
	}
}
