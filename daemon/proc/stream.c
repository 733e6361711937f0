#include "config.h"

#include "proc/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "proc/tls.h"

#define INPUT_LIMIT     262144u
#define READ_STEP       16384u
#define READ_TURN       131072u /* bytes taken per turn, so that one peer does not hold the loop */
#define HANDSHAKE_LIMIT (30 * CLOCK_SECOND)
#define LINGER_LIMIT    (2 * CLOCK_SECOND) /* for the peer to read our last words before the socket goes */
#define LINGER_BYTES    1048576u
#define COMPACT_FROM    1048576u /* written bytes kept at the front of the queue */

enum stream_state {
	STREAM_HANDSHAKE,
	STREAM_OPEN,
	STREAM_ENDING, /* write what is queued */
	STREAM_LINGER, /* written: wait for the peer to close, forget what it still sends */
	STREAM_CLOSED
};

struct stream {
	struct loop *loop;
	struct watch *watch;
	int fd;
	SSL *ssl;
	SSL *upgrade; /* STARTTLS: takes over once the queue is written up to upgrade_at */
	size_t upgrade_at;
	enum stream_state state;
	const struct stream_calls *calls;
	void *context;
	struct buf in;
	struct buf out;
	size_t written;
	size_t limit;
	size_t lingered;
	struct timer *timer;
	int64_t timeout;
	int64_t last;  /* when a byte last moved */
	int64_t since; /* of the handshake or the lingering */
	bool paused;
	bool wants_write; /* the socket is full, or TLS must write first */
	bool flush_due;
	bool more_due;
	bool busy;
	bool freed;
	bool clean; /* the peer ended it as it should */
	char why[160];
	char refused[SHA256_HEX];
	char peer[80];
	char tls_info[80];
	struct peer_certificate certificate;
};

static void on_ready(int fd, unsigned ready, void *context);
static void on_flush(void *context);
static void on_more(void *context);
static void on_closed(void *context);
static void on_timer(void *context);

static void name_peer(struct stream *stream)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage room;
	} address = {0};
	socklen_t len = sizeof(address);
	char text[INET6_ADDRSTRLEN] = "";
	snprintf(stream->peer, sizeof(stream->peer), "unix");
	if (getpeername(stream->fd, &address.any, &len) < 0)
		return;
	if (address.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof(text));
		snprintf(stream->peer, sizeof(stream->peer), "%s:%u", text, ntohs(address.v4.sin_port));
	} else if (address.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof(text));
		snprintf(stream->peer, sizeof(stream->peer), "[%s]:%u", text, ntohs(address.v6.sin6_port));
	}
}

static bool wants_input(const struct stream *stream)
{
	return stream->state == STREAM_OPEN && !stream->upgrade && !stream->paused &&
	       stream->in.len < stream->limit;
}

static void listen_for(struct stream *stream)
{
	unsigned events = 0;
	if (stream->state == STREAM_CLOSED)
		return;
	if (stream->state == STREAM_HANDSHAKE || stream->state == STREAM_LINGER || wants_input(stream))
		events |= LOOP_READ;
	if (stream->wants_write)
		events |= LOOP_WRITE;
	watch_set(stream->watch, events);
}

/* The timer runs lazily: a byte only notes the time, and the timer looks when it was. */
static void arm_timer(struct stream *stream)
{
	int64_t now = clock_monotonic();
	int64_t due = stream->timeout > 0 ? stream->last + stream->timeout : INT64_MAX;
	if (stream->state == STREAM_HANDSHAKE && stream->since + HANDSHAKE_LIMIT < due)
		due = stream->since + HANDSHAKE_LIMIT;
	if (stream->state == STREAM_LINGER)
		due = stream->since + LINGER_LIMIT;
	if (due == INT64_MAX || stream->state == STREAM_CLOSED)
		timer_stop(stream->timer);
	else
		timer_set(stream->timer, due - now);
}

struct stream *stream_new(struct loop *loop, int fd, struct tls_context *tls, bool server,
	const struct stream_calls *calls, void *context)
{
	struct stream *stream = mem_alloc(sizeof(*stream));
	stream->loop = loop;
	stream->fd = fd;
	stream->calls = calls;
	stream->context = context;
	stream->limit = INPUT_LIMIT;
	stream->last = stream->since = clock_monotonic();
	fd_nonblock(fd, NULL);
	name_peer(stream);
	stream->watch = watch_new(loop, fd, on_ready, stream);
	stream->timer = timer_new(loop, on_timer, stream);
	stream->state = tls ? STREAM_HANDSHAKE : STREAM_OPEN;
	if (tls) {
		stream->ssl = tls_connection(tls, fd, server, stream->refused);
		stream->wants_write = !server;
	}
	listen_for(stream);
	arm_timer(stream);
	return stream;
}

static void destroy(struct stream *stream)
{
	SSL_free(stream->ssl);
	SSL_free(stream->upgrade);
	peer_certificate_clear(&stream->certificate);
	buf_free(&stream->in);
	buf_free(&stream->out);
	free(stream);
}

static void shut(struct stream *stream)
{
	watch_free(&stream->watch);
	timer_free(&stream->timer);
	fd_close(&stream->fd);
	stream->state = STREAM_CLOSED;
}

void stream_free(struct stream **stream)
{
	struct stream *old = *stream;
	*stream = NULL;
	if (!old)
		return;
	loop_undefer(old->loop, on_flush, old);
	loop_undefer(old->loop, on_more, old);
	loop_undefer(old->loop, on_closed, old);
	shut(old);
	if (old->busy)
		old->freed = true;
	else
		destroy(old);
}

/* why NULL: as it should be. The user is told from the loop. */
static void finish(struct stream *stream, const char *why)
{
	if (stream->state == STREAM_CLOSED)
		return;
	stream->clean = why == NULL;
	if (why)
		snprintf(stream->why, sizeof(stream->why), "%s", why);
	shut(stream);
	loop_defer(stream->loop, on_closed, stream);
}

static void on_closed(void *context)
{
	struct stream *stream = context;
	stream->calls->closed(stream, stream->clean ? NULL : stream->why, stream->context);
}

static void fail_tls(struct stream *stream, int result)
{
	char text[sizeof(stream->why)];
	finish(stream, tls_failure(stream->ssl, result, text, sizeof(text)));
}

static void on_timer(void *context)
{
	struct stream *stream = context;
	int64_t now = clock_monotonic();
	if (stream->state == STREAM_LINGER)
		finish(stream, NULL);
	else if (stream->state == STREAM_HANDSHAKE && now - stream->since >= HANDSHAKE_LIMIT)
		finish(stream, "timed out in the TLS handshake");
	else if (stream->timeout > 0 && now - stream->last >= stream->timeout)
		finish(stream, "timed out");
	else
		arm_timer(stream);
}

/* > 0: bytes; 0: nothing now, or finish() was called. */
static size_t tls_read(struct stream *stream, char *space, size_t size)
{
	ERR_clear_error();
	int n = SSL_read(stream->ssl, space, (int)size);
	if (n > 0)
		return (size_t)n;
	int kind = SSL_get_error(stream->ssl, n);
	if (kind == SSL_ERROR_WANT_WRITE)
		stream->wants_write = true;
	else if (kind == SSL_ERROR_ZERO_RETURN)
		stream->clean = true;
	else if (kind != SSL_ERROR_WANT_READ)
		fail_tls(stream, n);
	return 0;
}

static size_t plain_read(struct stream *stream, char *space, size_t size)
{
	ssize_t n = read(stream->fd, space, size);
	if (n > 0)
		return (size_t)n;
	if (n == 0)
		stream->clean = true;
	else if (errno != EAGAIN && errno != EINTR)
		finish(stream, strerror(errno));
	return 0;
}

static size_t read_some(struct stream *stream, char *space, size_t size)
{
	return stream->ssl ? tls_read(stream, space, size) : plain_read(stream, space, size);
}

/* Call the user; false if it freed the stream. */
static bool tell(struct stream *stream, void (*call)(struct stream *stream, void *context))
{
	if (!call)
		return true;
	stream->busy = true;
	call(stream, stream->context);
	stream->busy = false;
	if (!stream->freed)
		return true;
	destroy(stream);
	return false;
}

static void more_later(struct stream *stream)
{
	if (stream->more_due)
		return;
	stream->more_due = true;
	loop_defer(stream->loop, on_more, stream);
}

/* Read what may be read in this turn and tell of it. */
static void fill(struct stream *stream)
{
	size_t taken = 0;
	size_t n = 1;
	while (n > 0 && taken < READ_TURN && wants_input(stream)) {
		n = read_some(stream, buf_space(&stream->in, READ_STEP), READ_STEP);
		buf_grow(&stream->in, n);
		taken += n;
	}
	if (taken > 0)
		stream->last = clock_monotonic();
	/* Decrypted bytes that wait inside TLS do not make the socket readable. */
	if (n > 0 && stream->ssl && stream->state == STREAM_OPEN && SSL_has_pending(stream->ssl) == 1)
		more_later(stream);
	bool ended = stream->clean && stream->state == STREAM_OPEN;
	if (taken > 0 && stream->state == STREAM_OPEN && !tell(stream, stream->calls->readable))
		return;
	if (ended && stream->state == STREAM_OPEN)
		finish(stream, NULL);
	listen_for(stream);
}

static void on_more(void *context)
{
	struct stream *stream = context;
	stream->more_due = false;
	if (wants_input(stream))
		fill(stream);
	else
		listen_for(stream);
}

/* Some of the queue into the socket: false if it takes no more now. */
static bool write_some(struct stream *stream, size_t end)
{
	const char *at = stream->out.data + stream->written;
	size_t len = end - stream->written;
	ssize_t n;
	if (stream->ssl) {
		ERR_clear_error();
		n = SSL_write(stream->ssl, at, len > INT32_MAX ? INT32_MAX : (int)len);
		int kind = SSL_get_error(stream->ssl, (int)n);
		if (n <= 0 && kind != SSL_ERROR_WANT_WRITE && kind != SSL_ERROR_WANT_READ)
			fail_tls(stream, (int)n);
		stream->wants_write = n <= 0 && kind == SSL_ERROR_WANT_WRITE;
	} else {
		n = send(stream->fd, at, len, MSG_NOSIGNAL);
		stream->wants_write = n < 0 && (errno == EAGAIN || errno == EINTR);
		if (n < 0 && !stream->wants_write)
			finish(stream, strerror(errno));
	}
	if (n <= 0)
		return false;
	stream->written += (size_t)n;
	stream->last = clock_monotonic();
	return true;
}

static void begin_tls(struct stream *stream)
{
	stream->ssl = stream->upgrade;
	stream->upgrade = NULL;
	stream->state = STREAM_HANDSHAKE;
	stream->since = clock_monotonic();
	arm_timer(stream);
}

/* All is written: say goodbye, and keep the socket until the peer has read it. */
static void begin_linger(struct stream *stream)
{
	if (stream->ssl) {
		ERR_clear_error();
		SSL_shutdown(stream->ssl);
	}
	shutdown(stream->fd, SHUT_WR);
	stream->state = STREAM_LINGER;
	stream->since = clock_monotonic();
	arm_timer(stream);
}

static void flush(struct stream *stream)
{
	size_t end = stream->upgrade ? stream->upgrade_at : stream->out.len;
	bool wrote = stream->written < end;
	while (stream->written < end && write_some(stream, end))
		continue;
	bool empty = stream->written == end;
	if (empty || stream->written >= COMPACT_FROM) {
		if (stream->upgrade)
			stream->upgrade_at -= stream->written;
		buf_consume(&stream->out, stream->written);
		stream->written = 0;
	}
	if (empty && stream->upgrade)
		begin_tls(stream);
	else if (empty && stream->state == STREAM_ENDING)
		begin_linger(stream);
	else if (empty && wrote && stream->state == STREAM_OPEN && !tell(stream, stream->calls->writable))
		return;
	listen_for(stream);
}

static void on_flush(void *context)
{
	struct stream *stream = context;
	stream->flush_due = false;
	if (stream->state == STREAM_OPEN || stream->state == STREAM_ENDING)
		flush(stream);
}

static void flush_later(struct stream *stream)
{
	if (stream->flush_due || stream->state == STREAM_CLOSED)
		return;
	stream->flush_due = true;
	loop_defer(stream->loop, on_flush, stream);
}

static void shake_hands(struct stream *stream)
{
	ERR_clear_error();
	int n = SSL_do_handshake(stream->ssl);
	int kind = SSL_get_error(stream->ssl, n);
	stream->wants_write = n <= 0 && kind == SSL_ERROR_WANT_WRITE;
	stream->last = clock_monotonic();
	if (n <= 0) {
		if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE)
			fail_tls(stream, n);
		listen_for(stream);
		return;
	}
	peer_certificate_read(stream->ssl, &stream->certificate);
	snprintf(stream->tls_info, sizeof(stream->tls_info), "%s %s", SSL_get_version(stream->ssl),
		SSL_get_cipher_name(stream->ssl));
	stream->state = STREAM_OPEN;
	arm_timer(stream);
	if (!tell(stream, stream->calls->ready))
		return;
	if (stream->out.len > 0)
		flush_later(stream);
	/* The first bytes may have come with the end of the handshake. */
	more_later(stream);
	listen_for(stream);
}

static void linger(struct stream *stream)
{
	char forget[4096];
	ssize_t n = read(stream->fd, forget, sizeof(forget));
	if (n > 0)
		stream->lingered += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		finish(stream, NULL);
	if (stream->lingered > LINGER_BYTES)
		finish(stream, NULL);
}

static void on_ready(int fd, unsigned ready, void *context)
{
	struct stream *stream = context;
	(void)fd;
	if (stream->state == STREAM_HANDSHAKE) {
		shake_hands(stream);
	} else if (stream->state == STREAM_LINGER) {
		linger(stream);
	} else {
		if (ready & LOOP_WRITE) {
			stream->wants_write = false;
			flush_later(stream);
		}
		if (wants_input(stream))
			fill(stream);
		else
			listen_for(stream);
	}
}

void stream_start_tls(struct stream *stream, struct tls_context *tls)
{
	buf_clear(&stream->in);
	stream->upgrade = tls_connection(tls, stream->fd, true, stream->refused);
	stream->upgrade_at = stream->out.len;
	listen_for(stream);
	flush_later(stream);
}

struct buf *stream_input(struct stream *stream)
{
	/* It may be about to be consumed outside readable(): look again whether there is room. */
	if (stream->in.len >= stream->limit && stream->state == STREAM_OPEN)
		more_later(stream);
	return &stream->in;
}

void stream_limit(struct stream *stream, size_t max_input)
{
	stream->limit = max_input;
	more_later(stream);
}

void stream_pause(struct stream *stream, bool paused)
{
	stream->paused = paused;
	if (paused)
		listen_for(stream);
	else if (stream->state == STREAM_OPEN)
		more_later(stream);
}

void stream_write(struct stream *stream, const void *bytes, size_t len)
{
	if (stream->state != STREAM_HANDSHAKE && stream->state != STREAM_OPEN)
		return;
	buf_append(&stream->out, bytes, len);
	if (stream->state == STREAM_OPEN && !stream->wants_write)
		flush_later(stream);
}

size_t stream_queued(const struct stream *stream)
{
	return stream->out.len - stream->written;
}

void stream_end(struct stream *stream)
{
	if (stream->state == STREAM_HANDSHAKE)
		finish(stream, "ended before the TLS handshake");
	if (stream->state != STREAM_OPEN)
		return;
	stream->state = STREAM_ENDING;
	listen_for(stream);
	flush_later(stream);
}

void stream_timeout(struct stream *stream, int64_t microseconds)
{
	stream->timeout = microseconds;
	stream->last = clock_monotonic();
	if (stream->state != STREAM_CLOSED)
		arm_timer(stream);
}

const char *stream_peer(const struct stream *stream)
{
	return stream->peer;
}

bool stream_is_tls(const struct stream *stream)
{
	return stream->ssl != NULL;
}

const char *stream_tls_info(const struct stream *stream)
{
	return stream->tls_info;
}

const struct peer_certificate *stream_peer_certificate(const struct stream *stream)
{
	return &stream->certificate;
}

const char *stream_refused_fingerprint(const struct stream *stream)
{
	return stream->refused;
}
