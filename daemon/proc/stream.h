#ifndef PROC_STREAM_H
#define PROC_STREAM_H

#include "base/buf.h"
#include "base/hash.h"
#include "proc/loop.h"

/* A connection with the outside, plain or TLS, the same to its user. */
struct stream;
struct tls_context;

struct stream_calls {
	void (*readable)(struct stream *stream, void *context); /* new bytes stand in stream_input() */
	void (*writable)(
		struct stream *stream, void *context);       /* output has fallen to nothing; may be NULL */
	void (*ready)(struct stream *stream, void *context); /* TLS handshake done; may be NULL */
	void (*closed)(struct stream *stream, const char *why,
		void *context); /* why NULL: the peer ended it cleanly */
};

/* tls NULL: plain. `server`: we accepted it. Takes fd. */
struct stream *stream_new(struct loop *loop, int fd, struct tls_context *tls, bool server,
	const struct stream_calls *calls, void *context);
void stream_free(struct stream **stream);                              /* no call after this */
void stream_start_tls(struct stream *stream, struct tls_context *tls); /* input must be empty (RFC 3207) */
struct buf *stream_input(struct stream *stream);                       /* consume with buf_consume() */
void stream_limit(
	struct stream *stream, size_t max_input);      /* stop reading while that much is unread; 256 KB */
void stream_pause(struct stream *stream, bool paused); /* the door is full: stop reading */
void stream_write(struct stream *stream, const void *bytes, size_t len);
size_t stream_queued(const struct stream *stream);
void stream_end(struct stream *stream); /* write what is queued, close_notify, close; then closed() */
void stream_timeout(struct stream *stream,
	int64_t microseconds); /* closed("timed out") after that long without a byte; 0 = none */
const char *stream_peer(const struct stream *stream); /* "198.51.100.7:4711", "unix" */
bool stream_is_tls(const struct stream *stream);
const char *stream_tls_info(const struct stream *stream); /* "TLSv1.3 TLS_AES_256_GCM_SHA384" */

/* The peer's certificate, after ready(). All strings valid as long as the stream. */
struct peer_certificate {
	bool present;
	char fingerprint[SHA256_HEX]; /* SHA-256 of the certificate */
	char key_pin[SHA256_HEX];     /* SHA-256 of its SubjectPublicKeyInfo */
	const char *issuer;           /* RFC 2253 */
	const char *names[16];        /* subject alternative names: DNS, e-mail, URI, as text; then the CN */
	size_t name_count;
};
const struct peer_certificate *stream_peer_certificate(const struct stream *stream);

enum tls_client_certificate { TLS_NO_CLIENT, TLS_CLIENT_REQUIRED };

/* From PEM bytes; key is wiped by the caller. ca: who may issue client certificates ("" with TLS_NO_CLIENT).
 * TLS 1.2 or later, no session tickets and no resumption where client certificates are required (trap 30). */
struct tls_context *tls_context_new(struct str certificate, struct str key, struct str ca,
	enum tls_client_certificate client, struct err *err);
void tls_context_free(struct tls_context **context); /* streams that use it keep it alive */
/* A failed handshake's peer certificate fingerprint, if it sent one, for the log: from the `closed` call
 * only. */
const char *stream_refused_fingerprint(const struct stream *stream);

#endif
