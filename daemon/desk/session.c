#include "config.h"

#include "desk/session.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"

struct listener {
	struct desk *desk;
	struct watch *watch;
	int fd;
	bool remote;
};

void session_free(struct session *session)
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

void session_close(struct session *session)
{
	session->ending = true;
	stream_end(session->stream);
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

	while (!session->paused && !session->ending && used < input->len &&
		stream_queued(stream) < SESSION_QUEUED_MAX) {
		const char *start = input->data + used;
		const char *end = memchr(start, '\n', input->len - used);
		if (!end)
			break;
		take_line(session, (struct str){start, (size_t)(end - start)});
		used += (size_t)(end - start) + 1;
	}
	buf_consume(input, used);
	if (!session->ending && input->len >= RPC_LINE_MAX && !memchr(input->data, '\n', input->len)) {
		answer_error(session, NULL, RPC_INVALID_REQUEST, "the line is too long");
		session_close(session);
	}
}

static void on_writable(struct stream *stream, void *context)
{
	on_readable(stream, context); /* lines may wait for the queue to empty */
}

/* The handshake is done: whose certificate it is, the first request's look-up tells. */
static void on_ready(struct stream *stream, void *context)
{
	const struct peer_certificate *certificate = stream_peer_certificate(stream);
	struct session *session = context;

	if (certificate && certificate->present)
		memcpy(session->pin, certificate->key_pin, sizeof(session->pin));
	if (!session->pin[0])
		session_close(session);
}

static void on_closed(struct stream *stream, const char *why, void *context)
{
	struct session *session = context;

	if (why && session->remote && !session->pin[0])
		log_info_f(LOG_F({"peer", stream_peer(stream)},
				   {"fingerprint", stream_refused_fingerprint(stream)}),
			"nobody's operator came over TLS: %s", why);
	else if (why)
		log_debug("an operator's connection ended: %s", why);
	session_free(session);
}

static const struct stream_calls calls = {
	.readable = on_readable,
	.ready = on_ready,
	.writable = on_writable,
	.closed = on_closed,
};

static struct session *session_new(struct desk *desk, int fd, bool remote)
{
	struct session *session = mem_alloc(sizeof(*session));

	session->desk = desk;
	session->remote = remote;
	session->since = clock_monotonic();
	session->stream =
		stream_new(room_loop(desk->room), fd, remote ? desk->tls : NULL, true, &calls, session);
	stream_limit(session->stream, RPC_LINE_MAX + 65536);
	session->next = desk->sessions;
	if (session->next)
		session->next->previous = session;
	desk->sessions = session;
	return session;
}

/* An IPv4 address, or the /64 of an IPv6 one: what one host has all of. */
static uint64_t address_key(const struct sockaddr_storage *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	uint64_t key = 0;

	if (address->ss_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		return v4.sin_addr.s_addr;
	}
	memcpy(&v6, address, sizeof(v6));
	if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
		memcpy(&v4.sin_addr.s_addr, v6.sin6_addr.s6_addr + 12, 4);
		return v4.sin_addr.s_addr;
	}
	memcpy(&key, v6.sin6_addr.s6_addr, sizeof(key));
	return key;
}

struct crowd {
	size_t all, remote, same;
};

/* Of the same Unix user, or from the same address. */
static bool is_same(const struct session *session, bool remote, uint64_t peer)
{
	return session->remote == remote && (remote ? session->peer == peer : session->uid == peer);
}

static struct crowd crowd_of(const struct desk *desk, bool remote, uint64_t peer)
{
	struct crowd crowd = {0};

	for (const struct session *session = desk->sessions; session; session = session->next) {
		crowd.all++;
		crowd.remote += session->remote;
		crowd.same += is_same(session, remote, peer);
	}
	return crowd;
}

/* No more than the half of what was left when the first of them came. */
static bool has_share(size_t same, size_t most, size_t left)
{
	return same < most && same < left;
}

static const char *too_many_remote(const struct listener *listener, struct crowd crowd)
{
	if (crowd.all + SESSION_RESERVE >= SESSION_MAX || crowd.remote >= SESSION_REMOTE_MAX)
		return "too many connections of operators";
	if (!has_share(crowd.same, SESSION_ADDRESS_MAX, SESSION_REMOTE_MAX - crowd.remote))
		return "too many connections from its address";
	return listener->desk->tls ? NULL : "there is no certificate for them";
}

static const char *too_many_local(const struct desk *desk, struct crowd crowd, uid_t uid)
{
	bool leads = who_leads(desk, uid);
	size_t most = leads ? SESSION_MAX : SESSION_MAX - SESSION_RESERVE;

	if (crowd.all >= most)
		return "too many connections of operators";
	if (leads ? crowd.same >= SESSION_USER_MAX
		  : !has_share(crowd.same, SESSION_USER_MAX, most - crowd.all))
		return "too many connections of its Unix user";
	return NULL;
}

static const char *too_many(const struct listener *listener, uint64_t peer)
{
	struct crowd crowd = crowd_of(listener->desk, listener->remote, peer);

	return listener->remote ? too_many_remote(listener, crowd)
	                        : too_many_local(listener->desk, crowd, (uid_t)peer);
}

/* A client of this machine is told why; over TLS nothing can be said before the handshake. */
static void refuse(const struct listener *listener, int fd, const char *why)
{
	char text[120];
	struct buf line = {0};

	log_warn("an operator's connection is refused: %s", why);
	if (!listener->remote) {
		snprintf(text, sizeof(text), "%s: try again in a moment", why);
		rpc_write_error(&line, NULL, RPC_UNAVAILABLE, str_of(text), NULL);
		if (send(fd, line.data, line.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			log_debug("it is not told: %s", strerror(errno));
		buf_free(&line);
	}
	fd_close(&fd);
}

static bool local_user(int fd, uint64_t *uid)
{
	struct ucred user;
	socklen_t len = sizeof(user);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &len) != 0) {
		log_warn("who connects cannot be found out: %s", strerror(errno));
		return false;
	}
	*uid = user.uid;
	return true;
}

static void take_connection(struct listener *listener, int fd, const struct sockaddr_storage *address)
{
	uint64_t peer = listener->remote ? address_key(address) : 0;

	if (!listener->remote && !local_user(fd, &peer)) {
		fd_close(&fd);
		return;
	}
	const char *why = too_many(listener, peer);
	if (why) {
		refuse(listener, fd, why);
		return;
	}
	struct session *session = session_new(listener->desk, fd, listener->remote);
	if (listener->remote)
		session->peer = peer;
	else
		session->uid = (uid_t)peer;
}

static void on_accept(int fd_listening, unsigned ready, void *context)
{
	struct listener *listener = context;

	(void)ready;
	for (int i = 0; i < 16; i++) {
		struct sockaddr_storage address = {0};
		socklen_t size = sizeof(address);
		int fd = accept4(fd_listening, (struct sockaddr *)(void *)&address, &size,
			SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		take_connection(listener, fd, &address);
	}
}

void session_listen(struct desk *desk, int fd, bool remote)
{
	struct listener *listener = mem_alloc(sizeof(*listener));

	listener->desk = desk;
	listener->fd = fd;
	listener->remote = remote;
	fd_nonblock(fd, NULL);
	listener->watch = watch_new(room_loop(desk->room), fd, on_accept, listener);
	watch_set(listener->watch, LOOP_READ);
	map_put(desk->listeners, (uint64_t)fd, listener);
}

void session_load_tls(struct desk *desk)
{
	struct str certificate = room_grant(desk->room, "desk.certificate");
	struct tls_context *tls;
	struct err err;

	if (certificate.len == 0)
		return;
	tls = tls_context_new(certificate, room_grant(desk->room, "desk.key"),
		room_grant(desk->room, "desk.ca"), TLS_CLIENT_REQUIRED, &err);
	if (!tls) {
		log_error("desk certificate: %s; the door for operators stays as it was", err.text);
		return;
	}
	tls_context_free(&desk->tls);
	desk->tls = tls;
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
