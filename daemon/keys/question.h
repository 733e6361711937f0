#ifndef KEYS_QUESTION_H
#define KEYS_QUESTION_H

#include "ipc/edge_keys.h"
#include "keys/openpgp.h"
#include "keys/smime.h"

/* One question in hand, and what a job says to it. Passphrases in it are wiped with it. */
struct question {
	struct question *next;
	enum keys_type type; /* 0: our own, to look at the keyring anew */
	unsigned peer;       /* number of the connection that asked; 0: nobody */
	uint32_t ask;
	enum sealed_kind kind;
	enum seal_kind seal;  /* KEYS_SEAL */
	struct str bytes;     /* KEYS_OPEN, KEYS_SEAL: mapped or ours */
	struct str signature; /* ours */
	struct str text;      /* KEYS_SEAL: fingerprint of who it is for */
	struct str signer;    /* KEYS_SEAL */
	bool mapped;
};

/* Takes fd (-1: none). NULL: a frame that is none, or comes without what it speaks of. */
struct question *question_new(uint16_t type, struct str body, int fd, unsigned peer);
void question_free(struct question **question);
/* It is about the keyring and changes it, or what of it is open. */
bool question_changes(const struct question *question);
/* Without gpg-agent it cannot be answered. `known`: as in struct answering. */
bool question_needs_agent(const struct question *question, bool known);

struct answering {
	const struct home *home;
	const struct passphrases *passphrases;
	bool known; /* passphrases has every secret key there is */
	const struct question *question;
	struct str passphrase; /* of the configuration; "" */
	uint64_t max_size;
};

/*
 * In the job. KEYS_OPEN: keys_unsealed_encode(). KEYS_SEAL: keys_sealed_encode(). Else: u8 ok, text of JSON
 * or of why not, and, where it changed something, u32 count of secret keys, and of each: fingerprint, u8
 * open, passphrase.
 */
void question_work(void *answering, struct buf *answer);

#endif
