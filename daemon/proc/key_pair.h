#ifndef PROC_KEY_PAIR_H
#define PROC_KEY_PAIR_H

#include "base/buf.h"
#include "base/err.h"

/* An Ed25519 key pair as PEM: PKCS#8, and SubjectPublicKeyInfo. Text is put at the end of the buffer. */
bool key_pair_new(struct buf *private_pem, struct err *err);
bool key_pair_public(struct str private_pem, struct buf *public_pem, struct err *err);

#endif
