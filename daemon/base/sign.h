#ifndef BASE_SIGN_H
#define BASE_SIGN_H

#include "base/err.h"
#include "base/str.h"

/* Ed25519 (RFC 8032). Keys as PEM: PKCS#8 with the secret one, SubjectPublicKeyInfo with the public one. */
#define SIGNATURE_LEN 64

bool sign_bytes(struct str private_pem, struct str bytes, uint8_t signature[SIGNATURE_LEN], struct err *err);
/* ERR_DENIED: the signature is not of this key over these bytes. ERR_MALFORMED: the key cannot be read. */
bool sign_check(
	struct str public_pem, struct str bytes, const uint8_t signature[SIGNATURE_LEN], struct err *err);

#endif
