#include "config.h"

#include "desk/session.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"

struct listener {
	struct watch *watch;
	int fd;
};

static void session_free(struct session *session)
{
	struct request *request = session->requests, *next;

	session->requests = NULL;
	/* What runs in the database goes on to its end; what goes on by itself ends here. */
	for (; request; request = next) {
		next = request->next;
		request->session = NULL;
		request->next = request->previous = NULL;
		if (request->closed)
			request->closed(request);
	}
	if (session->next)
		session->next->previous = session->previous;
	if (session->previous)
		session->previous->next = session->next;
	else
		session->desk->sessions = session->next;
	stream_free(&session->stream);
	free(session);
}

void session_free_all(struct desk *desk)
{
	while (desk->sessions)
		session_free(desk->sessions);
}

void session_write(struct session *session, struct buf *line)
{
	stream_write(session->stream, line->data, line->len);
}

void session_pause(struct session *session, bool paused)
{
	if (session->paused == paused)
		return;
	session->paused = paused;
	stream_pause(session->stream, paused);
}

struct request *session_request(struct session *session, const char *noun, int64_t id)
{
	for (struct request *request = session->requests; request; request = request->next)
		if (!strcmp(request->verb->noun, noun) && json_object_is_type(request->id, json_type_int) &&
			json_object_get_int64(request->id) == id)
			return request;
	return NULL;
}

static void answer_error(struct session *session, struct json_object *id, int code, const char *text)
{
	struct buf line = {0};

	session->desk->refused++;
	rpc_write_error(&line, id, code, str_of(text), NULL);
	session_write(session, &line);
	buf_free(&line);
}

static size_t unanswered(const struct session *session)
{
	size_t count = 0;

	for (const struct request *request = session->requests; request; request = request->next)
		count++;
	return count;
}

static void take_request(struct session *session, const struct rpc_message *message)
{
	const struct verb *verb;
	handler_fn *handler;

	session->desk->requests++;
	if (!handler_find(message->method, &verb, &handler)) {
		answer_error(session, message->id, RPC_UNKNOWN_METHOD, "there is no such verb");
		return;
	}
	if (unanswered(session) >= SESSION_REQUESTS_MAX) {
		answer_error(session, message->id, RPC_UNAVAILABLE, "too many questions at once");
		return;
	}
	who_admit(request_new(session, message, verb), handler);
}

static void take_line(struct session *session, struct str line)
{
	struct rpc_message message;
	struct err err;
	int code;

	if (str_trim(line).len == 0)
		return;
	if (!rpc_read(line, &message, &code, &err)) {
		answer_error(session, message.id, code, err.text);
	} else if (message.kind == RPC_REQUEST) {
		take_request(session, &message);
	} else if (message.kind == RPC_NOTIFICATION) {
		saying_fn *saying = saying_find(message.method);
		if (saying)
			saying(session, message.params);
	}
	rpc_free(&message);
}

static void on_readable(struct stream *stream, void *context)
{
	struct session *session = context;
	struct buf *input = stream_input(stream);
	size_t used = 0;

	while (!session->paused && used < input->len && stream_queued(stream) < SESSION_QUEUED_MAX) {
		const char *start = input->data + used;
		const char *end = memchr(start, '\n', input->len - used);
		if (!end)
			break;
		take_line(session, (struct str){start, (size_t)(end - start)});
		used += (size_t)(end - start) + 1;
	}
	buf_consume(input, used);
	if (input->len >= RPC_LINE_MAX && !memchr(input->data, '\n', input->len)) {
		answer_error(session, NULL, RPC_INVALID_REQUEST, "the line is too long");
		stream_end(stream);
	}
}

static void on_writable(struct stream *stream, void *context)
{
	on_readable(stream, context); /* lines may wait for the queue to empty */
}

static void on_closed(struct stream *stream, const char *why, void *context)
{
	(void)stream;
	if (why)
		log_debug("an operator's connection ended: %s", why);
	session_free(context);
}

static const struct stream_calls calls = {
	.readable = on_readable,
	.writable = on_writable,
	.closed = on_closed,
};

static size_t session_count(const struct desk *desk)
{
	size_t count = 0;

	for (const struct session *session = desk->sessions; session; session = session->next)
		count++;
	return count;
}

static void session_new(struct desk *desk, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
		log_warn("who connects cannot be found out: %s", strerror(errno));
		fd_close(&fd);
		return;
	}
	struct session *session = mem_alloc(sizeof(*session));
	session->desk = desk;
	session->uid = peer.uid;
	session->stream = stream_new(room_loop(desk->room), fd, NULL, true, &calls, session);
	stream_limit(session->stream, RPC_LINE_MAX + 65536);
	session->next = desk->sessions;
	if (session->next)
		session->next->previous = session;
	desk->sessions = session;
}

static void on_accept(int listener, unsigned ready, void *context)
{
	struct desk *desk = context;

	(void)ready;
	for (int i = 0; i < 16; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		if (session_count(desk) >= SESSION_MAX) {
			log_warn("more than %d operators' connections: one is refused", SESSION_MAX);
			fd_close(&fd);
			continue;
		}
		session_new(desk, fd);
	}
}

void session_listen(struct desk *desk, int fd)
{
	struct listener *listener = mem_alloc(sizeof(*listener));

	listener->fd = fd;
	listener->watch = watch_new(room_loop(desk->room), fd, on_accept, desk);
	watch_set(listener->watch, LOOP_READ);
	map_put(desk->listeners, (uint64_t)fd, listener);
}

void session_unlisten(struct desk *desk)
{
	size_t cursor = 0;
	uint64_t key;
	void *value;

	while (map_next(desk->listeners, &cursor, &key, &value)) {
		struct listener *listener = value;
		watch_free(&listener->watch);
		fd_close(&listener->fd);
		map_remove(desk->listeners, key);
		free(listener);
	}
}
