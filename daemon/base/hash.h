#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/err.h"
#include "base/str.h"

#define SHA256_LEN 32
#define SHA256_HEX 65 /* with NUL */

struct sha256;

/* One shot; the digest context is kept per process, so this costs little for short input. */
void sha256(struct str bytes, uint8_t digest[SHA256_LEN]);
struct sha256 *sha256_new(void);
void sha256_free(struct sha256 **hash);
void sha256_reset(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const void *bytes, size_t len);
void sha256_final(struct sha256 *hash, uint8_t digest[SHA256_LEN]); /* then sha256_reset() before more */
void sha1(struct str bytes, uint8_t digest[20]); /* for formats that demand it, never for safety */
void hmac_sha256(struct str key, struct str bytes, uint8_t mac[SHA256_LEN]);
bool bytes_equal_constant_time(const void *a, const void *b, size_t len);
uint64_t siphash(const uint8_t key[16], struct str bytes); /* SipHash-2-4 */
void random_bytes(void *bytes, size_t len);

char *hex_encode(const void *bytes, size_t len, char *text); /* 2*len+1 bytes at text; returns text */
bool hex_decode(struct str text, void *bytes, size_t len);   /* exactly len bytes */
struct buf;
void base64_encode(struct str bytes, struct buf *out);
bool base64_decode(struct str text, bool strict, struct buf *out); /* not strict: skips what is not base64 */

/* UUID as 16 bytes. */
#define UUID_LEN  16
#define UUID_TEXT 37
void uuid_random(uint8_t uuid[UUID_LEN]); /* version 4 */
void uuid_v5(const uint8_t space[UUID_LEN], struct str name, uint8_t uuid[UUID_LEN]);
const char *uuid_format(const uint8_t uuid[UUID_LEN], char text[UUID_TEXT]);
bool uuid_parse(struct str text, uint8_t uuid[UUID_LEN]);

#endif
