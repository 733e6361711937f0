#include "config.h"

#include "courier/sealer.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "ipc/edge_keys.h"
#include "proc/channel.h"

struct ask {
	sealer_fn *call;
	sealer_list_fn *list; /* one of the two */
	void *context;
};

struct sealer {
	struct loop *loop;
	struct channel *channel; /* NULL: the room is not there */
	struct map *asks;        /* number → struct ask */
	uint32_t last_ask;
};

struct sealer *sealer_new(struct loop *loop)
{
	struct sealer *sealer = mem_alloc(sizeof(*sealer));

	sealer->loop = loop;
	sealer->asks = map_new();
	return sealer;
}

static void tell(struct ask *ask, const struct seal_answer *answer, struct str json)
{
	if (ask->call)
		ask->call(answer, ask->context);
	else
		ask->list(json, ask->context);
	free(ask);
}

static void tell_away(void *context)
{
	struct sealer *sealer = context;
	const struct seal_answer away = {.outcome = SEAL_AWAY, .reason = STR("the room keys is not there")};
	size_t cursor = 0;
	uint64_t number;
	void *ask;

	while (!sealer->channel && map_next(sealer->asks, &cursor, &number, &ask)) {
		map_remove(sealer->asks, number);
		tell(ask, &away, STR_NONE);
		cursor = 0;
	}
}

void sealer_free(struct sealer **sealer)
{
	size_t cursor = 0;
	uint64_t number;
	void *ask;

	if (!*sealer)
		return;
	loop_undefer((*sealer)->loop, tell_away, *sealer);
	channel_free(&(*sealer)->channel);
	while (map_next((*sealer)->asks, &cursor, &number, &ask))
		free(ask);
	map_free(&(*sealer)->asks);
	free(*sealer);
	*sealer = NULL;
}

static void on_closed(struct channel *channel, const char *why, void *context)
{
	struct sealer *sealer = context;

	(void)channel;
	log_info("the edge to the room keys ended: %s", why ? why : "closed");
	channel_free(&sealer->channel);
	tell_away(sealer);
}

static void take_sealed(struct sealer *sealer, struct channel *channel, struct frame *frame)
{
	struct seal_answer answer;
	struct str bytes;
	struct ask *ask;
	uint32_t number;

	if (!keys_opened_decode(frame->body, &number) || frame->fd_count != 1 ||
		!fd_map(frame->fds[0], true, &bytes, NULL)) {
		channel_break(channel, "an answer that cannot be read");
		return;
	}
	ask = map_remove(sealer->asks, number);
	if (!keys_sealed_decode(bytes, &answer))
		answer = (struct seal_answer){
			.outcome = SEAL_FAILED, .reason = STR("the answer cannot be read")};
	if (ask && ask->call)
		tell(ask, &answer, STR_NONE);
	else
		free(ask);
	fd_unmap(&bytes);
}

static void on_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct sealer *sealer = context;
	struct keys_told told;
	struct ask *ask;

	if (frame->type == KEYS_READY)
		return;
	if (frame->type == KEYS_SEALED) {
		take_sealed(sealer, channel, frame);
	} else if (frame->type == KEYS_TOLD && keys_told_decode(frame->body, &told)) {
		ask = map_remove(sealer->asks, told.ask);
		if (ask && ask->list)
			tell(ask, NULL, told.ok ? told.text : STR_NONE);
		else
			free(ask);
	} else {
		channel_break(channel, "a frame that is not of the edge of keys");
	}
}

void sealer_edge(struct sealer *sealer, int fd)
{
	channel_free(&sealer->channel);
	tell_away(sealer);
	sealer->channel = channel_new(sealer->loop, fd, KEYS_VERSION, on_frame, on_closed, sealer);
}

static uint32_t note(struct sealer *sealer, sealer_fn *call, sealer_list_fn *list, void *context)
{
	struct ask *ask = mem_alloc(sizeof(*ask));

	*ask = (struct ask){call, list, context};
	map_put(sealer->asks, ++sealer->last_ask, ask);
	if (!sealer->channel)
		loop_defer(sealer->loop, tell_away, sealer);
	return sealer->last_ask;
}

void sealer_ask(struct sealer *sealer, const struct seal *seal, sealer_fn *call, void *context)
{
	struct keys_seal question = {.ask = note(sealer, call, NULL, context),
		.inlined = seal->bytes.len <= KEYS_INLINE,
		.seal = *seal};
	struct buf body = {0};
	struct err err;
	int fd = -1;

	if (!sealer->channel)
		return;
	if (!question.inlined && !fd_memory("seal", seal->bytes, &fd, &err)) {
		log_error("%s", err.text);
		channel_break(sealer->channel, "a question that cannot be asked");
		return;
	}
	keys_seal_encode(&question, &body);
	channel_send_fds(sealer->channel, KEYS_SEAL, buf_view(&body), &fd, question.inlined ? 0 : 1);
	buf_free(&body);
}

void sealer_list(struct sealer *sealer, sealer_list_fn *call, void *context)
{
	struct keys_manage question = {.ask = note(sealer, NULL, call, context)};

	if (!sealer->channel)
		return;
	keys_manage_encode(&question, channel_begin(sealer->channel));
	channel_end(sealer->channel, KEYS_LIST);
}

void sealer_forget(struct sealer *sealer, const void *context)
{
	size_t cursor = 0;
	uint64_t number;
	void *ask;

	while (map_next(sealer->asks, &cursor, &number, &ask))
		if (((struct ask *)ask)->context == context) {
			map_remove(sealer->asks, number);
			free(ask);
			cursor = 0;
		}
}
