#include "config.h"

#include "base/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/mem.h"

struct sha256 {
	EVP_MD_CTX *context;
};

static void __attribute__((noreturn)) hash_broken(void)
{
	abort(); /* libcrypto without SHA-256, or out of memory */
}

/* Fetched once: an implicit fetch for each digest costs more than hashing a short line. */
static const EVP_MD *digest_of(const char *name, EVP_MD **kept)
{
	if (!*kept)
		*kept = EVP_MD_fetch(NULL, name, NULL);
	if (!*kept)
		hash_broken();
	return *kept;
}

static const EVP_MD *md_sha256(void)
{
	static EVP_MD *kept;
	return digest_of("SHA256", &kept);
}

static void digest_once(const EVP_MD *md, EVP_MD_CTX **context, struct str bytes, uint8_t *digest)
{
	if (!*context)
		*context = EVP_MD_CTX_new();
	if (!*context || !EVP_DigestInit_ex2(*context, md, NULL) ||
		!EVP_DigestUpdate(*context, bytes.p, bytes.len) ||
		!EVP_DigestFinal_ex(*context, digest, NULL))
		hash_broken();
}

void sha256(struct str bytes, uint8_t digest[SHA256_LEN])
{
	static EVP_MD_CTX *context;
	digest_once(md_sha256(), &context, bytes, digest);
}

void sha1(struct str bytes, uint8_t digest[20])
{
	static EVP_MD *kept;
	static EVP_MD_CTX *context;
	digest_once(digest_of("SHA1", &kept), &context, bytes, digest);
}

struct sha256 *sha256_new(void)
{
	struct sha256 *hash = mem_alloc(sizeof(*hash));
	hash->context = EVP_MD_CTX_new();
	if (!hash->context)
		hash_broken();
	sha256_reset(hash);
	return hash;
}

void sha256_free(struct sha256 **hash)
{
	if (!*hash)
		return;
	EVP_MD_CTX_free((*hash)->context);
	free(*hash);
	*hash = NULL;
}

void sha256_reset(struct sha256 *hash)
{
	if (!EVP_DigestInit_ex2(hash->context, md_sha256(), NULL))
		hash_broken();
}

void sha256_update(struct sha256 *hash, const void *bytes, size_t len)
{
	if (!EVP_DigestUpdate(hash->context, bytes, len))
		hash_broken();
}

void sha256_final(struct sha256 *hash, uint8_t digest[SHA256_LEN])
{
	if (!EVP_DigestFinal_ex(hash->context, digest, NULL))
		hash_broken();
}

void hmac_sha256(struct str key, struct str bytes, uint8_t mac[SHA256_LEN])
{
	static const unsigned char nothing[1];
	const void *key_bytes = key.len ? (const void *)key.p : nothing;
	unsigned int len = SHA256_LEN;
	if (key.len > INT32_MAX || !HMAC(md_sha256(), key_bytes, (int)key.len, (const unsigned char *)bytes.p,
					   bytes.len, mac, &len))
		hash_broken();
}

bool bytes_equal_constant_time(const void *a, const void *b, size_t len)
{
	const volatile unsigned char *x = a;
	const volatile unsigned char *y = b;
	unsigned char differ = 0;
	for (size_t i = 0; i < len; i++)
		differ = (unsigned char)(differ | (x[i] ^ y[i]));
	return differ == 0;
}

void random_bytes(void *bytes, size_t len)
{
	char *at = bytes;
	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		at += got;
		len -= (size_t)got;
	}
}

void uuid_random(uint8_t uuid[UUID_LEN])
{
	random_bytes(uuid, UUID_LEN);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

void uuid_v5(const uint8_t space[UUID_LEN], struct str name, uint8_t uuid[UUID_LEN])
{
	struct buf whole = {0};
	uint8_t digest[20];
	buf_append(&whole, space, UUID_LEN);
	buf_str(&whole, name);
	sha1(buf_view(&whole), digest);
	buf_free(&whole);
	memcpy(uuid, digest, UUID_LEN);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x50);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

const char *uuid_format(const uint8_t uuid[UUID_LEN], char text[UUID_TEXT])
{
	char hex[2 * UUID_LEN + 1];
	const char *from = hex_encode(uuid, UUID_LEN, hex);
	char *to = text;
	for (int i = 0; i < 2 * UUID_LEN; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*to++ = '-';
		*to++ = from[i];
	}
	*to = '\0';
	return text;
}

bool uuid_parse(struct str text, uint8_t uuid[UUID_LEN])
{
	char hex[2 * UUID_LEN];
	size_t n = 0;
	if (text.len != UUID_TEXT - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash != (text.p[i] == '-'))
			return false;
		if (!dash)
			hex[n++] = text.p[i];
	}
	return hex_decode((struct str){hex, n}, uuid, UUID_LEN);
}
