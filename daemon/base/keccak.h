#ifndef BASE_KECCAK_H
#define BASE_KECCAK_H

#include "base/str.h"

/*
 * Keccak-256 as it was before NIST changed the padding to make SHA-3 of it: what Ethereum and Monero check
 * their addresses with. For such checksums only.
 */
#define KECCAK256_LEN 32
void keccak256(struct str bytes, uint8_t digest[KECCAK256_LEN]);

#endif
