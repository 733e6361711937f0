#ifndef KEYS_CERTIFICATES_H
#define KEYS_CERTIFICATES_H

#include <openssl/x509.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* The store of certificates, read whole; and what certificates say. */
#define CERTIFICATES_MAX 4096
#define CERTIFICATE_SIZE ((size_t)1 << 20) /* of a PEM file */
#define CRL_SIZE         ((size_t)16 << 20)

struct certificate {
	X509 *x509;
	char key[65];       /* SHA-256 in hex */
	struct buf private; /* PEM of its private key; empty: not ours */
};

/* Lists of revoked certificates (CRL, RFC 5280 section 5) stand beside them, as NAME.crl, in PEM or DER. */
struct certificates {
	struct certificate *list;
	size_t count;
	STACK_OF(X509_CRL) * revoked;
};

bool certificates_read(const char *folder, struct certificates *all, struct err *err);
void certificates_free(struct certificates *all);
/* The list that bytes are, in PEM or DER; NULL: none. */
X509_CRL *revocation_read(struct str bytes);
/*
 * What OpenSSL says of one below those of the store and their lists of revoked ones: X509_V_OK, or an
 * X509_V_ERR_…. between: what may stand on the way to them, or NULL; purpose: "smime_sign", or NULL for any.
 * *stale becomes true where a list that has expired was all there is.
 */
int certificate_verify(const struct certificates *store, X509 *x509, STACK_OF(X509) * between,
	const char *purpose, bool *stale);
/* Does a list of its authority, which stands here too, name it or one above it? */
bool certificate_is_revoked(const struct certificates *store, X509 *x509);
/* NULL: the passphrase does not open it. */
EVP_PKEY *certificate_private(const struct certificate *certificate, const char *passphrase);
bool certificate_is_authority(X509 *x509);
void certificate_key(X509 *x509, char key[65]);
/* Common name and first address, for people; all addresses, lower case, by blanks. */
struct str certificate_who(X509 *x509, struct arena *arena);
struct str certificate_addresses(X509 *x509, struct arena *arena);
/* The blocks of a PEM text of this kind of label ("CERTIFICATE", or the end of one: "PRIVATE KEY"): *block
 * gets the next, with its lines of BEGIN and END. */
bool pem_next(struct str *rest, struct str label_end, struct str *block);

#endif
