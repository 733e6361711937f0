#ifndef PROC_TLS_H
#define PROC_TLS_H

#include <openssl/ssl.h>

#include "proc/stream.h"

/* Between the files of stream: nothing here is for rooms. */
struct tls_context {
	SSL_CTX *ssl;
	bool ask_peer; /* this side checks the other's certificate */
};

/* A connection over fd; `refused` (SHA256_HEX bytes, lives as long) gets the fingerprint of what the peer
 * showed. */
SSL *tls_connection(struct tls_context *context, int fd, bool server, char *refused);
/* Why the last call on ssl failed, for a person; into text. */
const char *tls_failure(SSL *ssl, int result, char *text, size_t size);

/* The certificate that the peer showed. Free what it holds by peer_certificate_clear(). */
void peer_certificate_read(SSL *ssl, struct peer_certificate *out);
void peer_certificate_clear(struct peer_certificate *certificate);
/* SHA-256 of a certificate in hex. */
void certificate_fingerprint(X509 *certificate, char text[SHA256_HEX]);

#endif
