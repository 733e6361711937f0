#ifndef MODEL_WALLET_H
#define MODEL_WALLET_H

#include "base/arena.h"

/*
 * Addresses of crypto-currencies whose checksum tells that they are one: Bitcoin, Litecoin, Dogecoin, Dash
 * and Tron in base58check, Bitcoin and Litecoin in bech32 and bech32m (BIP 173, BIP 350), Ethereum and what
 * is built like it (EIP-55: in one case there is no checksum, and forty hex digits behind 0x are enough),
 * Monero.
 */
bool wallet_is(struct str text);
/* The same, and as it is written once for all: bech32 and Ethereum in lower case. */
bool wallet_normalise(struct str text, struct arena *arena, struct str *value);

#endif
