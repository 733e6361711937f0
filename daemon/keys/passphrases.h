#ifndef KEYS_PASSPHRASES_H
#define KEYS_PASSPHRASES_H

#include "base/str.h"

/* Which secret keys there are, and the passphrases of those that are open. In memory that is not swapped or
 * dumped. */
struct passphrases;

#define PASSPHRASE_MAX  1024
#define PASSPHRASE_KEYS 64 /* more secret keys than this are not used */
#define KEY_ID_MAX      65 /* SHA-256 in hex, with NUL */

struct passphrases *passphrases_new(void);
void passphrases_free(struct passphrases **all);
/* Forget every key and passphrase. */
void passphrases_clear(struct passphrases *all);
/* This secret key is there, which was not told yet; open where text is not NULL ("": it needs none). Overlong
 * texts open nothing. */
void passphrases_put(struct passphrases *all, struct str key, const char *text);
/* Lock all that need one. */
void passphrases_lock(struct passphrases *all);
/* Is this whole fingerprint of a secret key that is there? */
bool passphrases_has(const struct passphrases *all, struct str key);
/* The passphrase of the key whose fingerprint ends so; NULL: locked, or no key of ours. */
const char *passphrases_of(const struct passphrases *all, struct str key_end);
/* Walk the keys: false at the end. text is NULL for one that is locked. */
bool passphrases_next(const struct passphrases *all, size_t *cursor, const char **key, const char **text);
size_t passphrases_count(const struct passphrases *all, size_t *locked);

#endif
