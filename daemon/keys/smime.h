#ifndef KEYS_SMIME_H
#define KEYS_SMIME_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "keys/passphrases.h"
#include "model/sealed.h"

/*
 * S/MIME by OpenSSL's CMS, in a job. The store is a folder of PEM files, named by the SHA-256 of their
 * certificate in hex: certificates of ours with their private key, of authorities, and of people. "Known" is
 * a signer whose certificate stands there or was issued below an authority that does; "valid" that none of
 * them has expired or stands in a list of revoked ones (NAME.crl beside them).
 */
struct smime {
	const char *folder;
	const struct passphrases *passphrases;
	uint64_t max_size;
};

void smime_open(const struct smime *smime, const struct sealed *sealed, struct arena *arena,
	struct unsealed *unsealed);

/* As openpgp_seal(): to a certificate of the store, AES-256; or signed with one of ours. */
void smime_seal(
	const struct smime *smime, const struct seal *seal, struct arena *arena, struct seal_answer *answer);

/* As their namesakes in keys/openpgp.h. */
typedef void smime_secret_fn(struct str key, const char *text, void *context);
bool smime_try(const struct smime *smime, const char *const *candidates, smime_secret_fn *found,
	void *context, struct err *err);
bool smime_list(const struct smime *smime, struct buf *items, struct err *err);
bool smime_import(const struct smime *smime, struct str pem, struct buf *items, struct err *err);
bool smime_remove(const struct smime *smime, struct str key, bool *found, struct err *err);
/* PEM with a certificate in it, or a list of revoked ones in PEM. */
bool smime_is_pem(struct str bytes);

#endif
