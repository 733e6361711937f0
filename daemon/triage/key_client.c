#include "config.h"

#include "triage/key_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/frame.h"

#define TICK_MS 500

struct key_client {
	struct loop *loop;
	struct watch *watch;
	int fd; /* -1: nobody is there */
	struct buf in;
	int held[FD_MAX]; /* descriptors whose frame has not come whole */
	size_t held_count;
	uint32_t last_ask;
	bool answered; /* of the question in hand */
	int answer;
	int64_t limit;
	key_ready_fn *ready;
	void *context;
};

struct key_client *key_client_new(struct loop *loop, int64_t limit, key_ready_fn *ready, void *context)
{
	struct key_client *client = mem_alloc(sizeof(*client));

	*client = (struct key_client){
		.loop = loop, .fd = -1, .answer = -1, .limit = limit, .ready = ready, .context = context};
	return client;
}

static void hang_up(struct key_client *client)
{
	watch_free(&client->watch);
	fd_close(&client->fd);
	while (client->held_count > 0)
		fd_close(&client->held[--client->held_count]);
	buf_clear(&client->in);
}

void key_client_free(struct key_client **client)
{
	if (!*client)
		return;
	hang_up(*client);
	fd_close(&(*client)->answer);
	buf_free(&(*client)->in);
	free(*client);
	*client = NULL;
}

/* ---- frames ---- */

static void take_frame(struct key_client *client, const struct frame *frame, int fd)
{
	uint32_t ask;

	if (frame->type == KEYS_READY) {
		client->ready(client->context);
	} else if (frame->type == KEYS_OPENED && keys_opened_decode(frame->body, &ask) && fd >= 0) {
		if (ask == client->last_ask && !client->answered) {
			client->answered = true;
			client->answer = fd;
			return;
		}
	} else {
		log_error("the room keys said something that is not of its edge");
		hang_up(client);
	}
	fd_close(&fd);
}

/* Each frame that is there whole. */
static void take_frames(struct key_client *client)
{
	struct frame frame = {0};
	struct err err = {0};
	size_t used;
	int whole;

	while (client->fd >= 0 &&
		(whole = frame_decode(buf_view(&client->in), KEYS_VERSION, &frame, &used, &err)) != 0) {
		int fd = -1;

		if (whole < 0 || frame.fd_count > 1 || frame.fd_count > client->held_count) {
			log_error("the edge to the room keys is broken: %s", err.text);
			hang_up(client);
			return;
		}
		if (frame.fd_count == 1) {
			fd = client->held[0];
			client->held_count--;
			memmove(client->held, client->held + 1, client->held_count * sizeof(client->held[0]));
		}
		take_frame(client, &frame, fd);
		if (client->fd >= 0)
			buf_consume(&client->in, used);
	}
}

/* What is in the socket now. */
static void receive(struct key_client *client)
{
	int fds[FD_MAX];
	size_t count = 0;
	ssize_t n = fd_receive(client->fd, buf_space(&client->in, 4096), 4096, fds, &count);

	for (size_t i = 0; i < count; i++)
		if (client->held_count < FD_MAX)
			client->held[client->held_count++] = fds[i];
		else
			fd_close(&fds[i]);
	if (n > 0)
		buf_grow(&client->in, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		hang_up(client);
	if (n > 0)
		take_frames(client);
}

static void on_readable(int fd, unsigned ready, void *context)
{
	(void)fd;
	(void)ready;
	receive(context);
}

void key_client_edge(struct key_client *client, int fd)
{
	hang_up(client);
	client->fd = fd;
	client->watch = watch_new(client->loop, fd, on_readable, client);
	watch_set(client->watch, LOOP_READ);
}

/* ---- asking ---- */

static void wait_for(struct key_client *client, short events, key_tick_fn *tick, void *context)
{
	struct pollfd wait = {.fd = client->fd, .events = events};

	poll(&wait, 1, TICK_MS);
	tick(context);
}

static void send_all(struct key_client *client, struct str bytes, int fd, key_tick_fn *tick, void *context)
{
	size_t sent = 0;

	while (client->fd >= 0 && sent < bytes.len) {
		ssize_t n = fd_send(
			client->fd, bytes.p + sent, bytes.len - sent, &fd, sent == 0 && fd >= 0 ? 1 : 0);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN)
			wait_for(client, POLLOUT, tick, context);
		else if (errno != EINTR)
			hang_up(client);
	}
}

static bool send_question(struct key_client *client, const struct sealed *sealed, key_tick_fn *tick,
	void *context, struct err *err)
{
	struct keys_open open = {.ask = ++client->last_ask,
		.kind = sealed->kind,
		.inlined = sealed->bytes.len <= KEYS_INLINE,
		.bytes = sealed->bytes,
		.signature = sealed->signature};
	struct buf body = {0};
	struct buf frame = {0};
	int fd = -1;
	bool ok = open.inlined || fd_memory("sealed", sealed->bytes, &fd, err);

	client->answered = false;
	keys_open_encode(&open, &body);
	frame_encode(KEYS_VERSION, KEYS_OPEN, buf_view(&body), open.inlined ? 0 : 1, &frame);
	if (ok)
		send_all(client, buf_view(&frame), fd, tick, context);
	fd_close(&fd);
	buf_free(&body);
	buf_free(&frame);
	return ok;
}

/* Its bytes are copied: they end with the entry, the descriptor here. */
static bool read_answer(
	struct key_client *client, struct arena *arena, struct unsealed *unsealed, struct err *err)
{
	struct str bytes;
	bool ok = fd_map(client->answer, true, &bytes, err);

	fd_close(&client->answer);
	if (!ok)
		return false;
	if (!keys_unsealed_decode(arena_str(arena, bytes), arena, unsealed))
		ok = err_set(err, ERR_MALFORMED, "the answer of the room keys cannot be read");
	fd_unmap(&bytes);
	return ok;
}

void key_client_ask(struct key_client *client, const struct sealed *sealed, struct arena *arena,
	key_tick_fn *tick, void *context, struct unsealed *unsealed, bool *lost)
{
	int64_t until = clock_monotonic() + client->limit;
	struct err err = {0};

	*unsealed = (struct unsealed){.outcome = UNSEAL_AWAY, .reason = STR("the room keys is not there")};
	*lost = false;
	if (sealed->signature.len > KEYS_SIGNATURE_MAX) {
		*unsealed = (struct unsealed){
			.outcome = UNSEAL_FAILED, .reason = STR("a signature too long to be one")};
		return;
	}
	if (client->fd < 0)
		return;
	if (!send_question(client, sealed, tick, context, &err)) {
		*unsealed = (struct unsealed){
			.outcome = UNSEAL_FAILED, .reason = arena_str(arena, str_of(err.text))};
		return;
	}
	while (client->fd >= 0 && !client->answered && clock_monotonic() < until) {
		wait_for(client, POLLIN, tick, context);
		receive(client);
	}
	if (client->answered && read_answer(client, arena, unsealed, &err))
		return;
	log_error("no answer of the room keys: %s", err.text[0]      ? err.text
						    : client->fd < 0 ? "it ended"
								     : "too late");
	hang_up(client);
	*lost = true;
}
