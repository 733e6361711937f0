#ifndef KEYS_OPENPGP_ENGINE_H
#define KEYS_OPENPGP_ENGINE_H

#include <gpgme.h>

#include "keys/openpgp.h"

/* What the files openpgp*.c share: a context, and data that cannot grow without end. */

/* Which passphrase GnuPG may have, and what it asked for in vain. */
struct asking {
	const struct passphrases *passphrases; /* NULL: `text` for any key */
	const char *text;
	bool locked; /* asked for one that we do not have */
	bool wrong;
	bool symmetric; /* for a passphrase that is no key's */
	char key[17];   /* id of the last key asked for */
};

struct bounded {
	struct buf bytes;
	uint64_t max;
	bool over;
};

bool openpgp_context(
	const struct openpgp *openpgp, struct asking *asking, gpgme_ctx_t *context, struct err *err);
bool openpgp_err(struct err *err, gpgme_error_t error, const char *what);
/* Only once there is a context. Bytes are not copied. */
gpgme_data_t openpgp_data(struct str bytes);
gpgme_data_t openpgp_sink(struct bounded *bounded);

#endif
