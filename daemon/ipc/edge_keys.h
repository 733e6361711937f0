#ifndef IPC_EDGE_KEYS_H
#define IPC_EDGE_KEYS_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/sealed.h"

/*
 * triage, desk, courier → keys: bytes in, bytes or a reason out. Which room may ask what is a table:
 * keys_may_ask(). Answers carry the number of the question; they may come in another order.
 */
#define KEYS_VERSION 2
/* More than this comes as a sealed memory file beside the frame. */
#define KEYS_INLINE 262144u
/* A detached signature is a few hundred bytes; with all certificates of a chain some thousand. */
#define KEYS_SIGNATURE_MAX 262144u

#define KEYS_MANIFEST "# TLP:"

enum keys_type {
	/* to keys, from triage */
	KEYS_OPEN = 1, /* struct keys_open */
	/* to keys, from the courier */
	KEYS_SEAL, /* struct keys_seal */
	/* to keys, from the desk; struct keys_manage. KEYS_LIST from the courier too */
	KEYS_LIST = 20,
	KEYS_IMPORT, /* bytes: key material; text: "" or the kind */
	KEYS_REMOVE, /* text: fingerprint */
	KEYS_UNLOCK, /* bytes: passphrase; text: fingerprint, "" = every key that it opens */
	KEYS_LOCK,
	KEYS_SIGN, /* text: a key of ours; bytes: a manifest of evidence, which begins with KEYS_MANIFEST, and
	              nothing else. Told: {"signature"}, armoured */
	/* from keys */
	KEYS_READY = 100, /* nothing: what waited may be asked again; first on every connection, and at each
	                     change of the keyring or of what is unlocked */
	KEYS_OPENED,      /* u32 ask; its answer is in the descriptor: keys_unsealed_decode() */
	KEYS_SEALED,      /* u32 ask; its answer is in the descriptor: keys_sealed_decode() */
	KEYS_TOLD         /* u32 ask, u8 ok, text: JSON where ok, else why not */
};

struct keys_open {
	uint32_t ask;
	enum sealed_kind kind;
	bool inlined; /* bytes stand here; else in the descriptor */
	struct str bytes;
	struct str signature;
};

struct keys_seal {
	uint32_t ask;
	bool inlined; /* bytes of seal stand here; else in the descriptor */
	struct seal seal;
};

struct keys_manage {
	uint32_t ask;
	struct str text;
	struct str bytes; /* at most KEYS_INLINE */
};

struct keys_told {
	uint32_t ask;
	bool ok;
	struct str text;
};

/* May a room ask this? `room` as in ipc/graph.h. */
bool keys_may_ask(unsigned room, uint16_t type);

void keys_open_encode(const struct keys_open *open, struct buf *out);
bool keys_open_decode(struct str body, struct keys_open *open);
void keys_seal_encode(const struct keys_seal *seal, struct buf *out);
bool keys_seal_decode(struct str body, struct keys_seal *seal);
void keys_manage_encode(const struct keys_manage *manage, struct buf *out);
bool keys_manage_decode(struct str body, struct keys_manage *manage);
void keys_opened_encode(uint32_t ask, struct buf *out);
bool keys_opened_decode(struct str body, uint32_t *ask);
void keys_told_encode(const struct keys_told *told, struct buf *out);
bool keys_told_decode(struct str body, struct keys_told *told);
/* The answer itself. Strings point into bytes, the array is in the arena. */
void keys_unsealed_encode(const struct unsealed *unsealed, struct buf *out);
bool keys_unsealed_decode(struct str bytes, struct arena *arena, struct unsealed *unsealed);
void keys_sealed_encode(const struct seal_answer *answer, struct buf *out);
bool keys_sealed_decode(struct str bytes, struct seal_answer *answer);

#endif
