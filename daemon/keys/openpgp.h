#ifndef KEYS_OPENPGP_H
#define KEYS_OPENPGP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "keys/home.h"
#include "keys/passphrases.h"
#include "model/sealed.h"

/*
 * OpenPGP by GPGME; each of these runs GnuPG and may take its time, so they are called in a job only. "Known"
 * is a key that an administrator put into the keyring; "valid" that it is neither expired nor revoked.
 */
struct openpgp {
	const struct home *home;
	const struct passphrases *passphrases;
	bool known; /* passphrases has every secret key: gpg-agent need not be asked which there are */
	uint64_t max_size;
};

/* Strings are in the arena. Plain text whose integrity was not protected is never given out. */
void openpgp_open(const struct openpgp *openpgp, const struct sealed *sealed, struct arena *arena,
	struct unsealed *unsealed);

/* Strings are in the arena. A key of theirs need not be certified by anybody: who may write to whom by which
 * key is the register's. */
void openpgp_seal(const struct openpgp *openpgp, const struct seal *seal, struct arena *arena,
	struct seal_answer *answer);

/* Called for each secret key with the passphrase out of `candidates` that opens it, NULL where none does.
 * `only`: end of a fingerprint, "" = all. A NULL ends the candidates. */
typedef void openpgp_secret_fn(struct str key, const char *text, void *context);
bool openpgp_try(const struct openpgp *openpgp, const char *const *candidates, openpgp_secret_fn *found,
	void *context, struct err *err);

/* Asks no agent where the secret keys are known. Adds
 * {"kind":"openpgp","key":…,"who":…,"secret":…,"state":…,"valid":…,"created":…,"expires":…} for each key,
 * with a comma before each but the first of the list. */
bool openpgp_list(const struct openpgp *openpgp, struct buf *items, struct err *err);
/* Adds the fingerprints of what was there, as JSON strings in the same way. */
bool openpgp_import(const struct openpgp *openpgp, struct str bytes, struct buf *items, struct err *err);
bool openpgp_remove(const struct openpgp *openpgp, struct str key, bool *found, struct err *err);

#endif
