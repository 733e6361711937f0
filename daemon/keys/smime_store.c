#include "config.h"

#include "keys/smime.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "keys/certificates.h"
#include "model/storable.h"

bool smime_try(const struct smime *smime, const char *const *candidates, smime_secret_fn *found,
	void *context, struct err *err)
{
	struct certificates store;

	if (!certificates_read(smime->folder, &store, err))
		return false;
	for (size_t i = 0; i < store.count; i++) {
		const struct certificate *one = &store.list[i];
		const char *text = NULL;

		if (one->private.len == 0)
			continue;
		for (size_t k = 0; !text && candidates[k]; k++) {
			EVP_PKEY *key = certificate_private(one, candidates[k]);

			text = key ? candidates[k] : NULL;
			EVP_PKEY_free(key);
		}
		found(str_of(one->key), text, context);
	}
	certificates_free(&store);
	return true;
}

/* --- what people see --- */

static void print_time(struct buf *items, const char *name, const ASN1_TIME *time)
{
	struct tm parts;
	char text[CLOCK_TEXT];

	if (time && ASN1_TIME_to_tm(time, &parts) == 1)
		buf_printf(items, ",\"%s\":\"%s\"", name,
			clock_format((int64_t)timegm(&parts) * CLOCK_SECOND, text));
	else
		buf_printf(items, ",\"%s\":null", name);
}

static void print_one(const struct smime *smime, const struct certificates *store,
	const struct certificate *one, struct arena *arena, struct buf *items)
{
	bool ours = one->private.len > 0;
	bool valid = X509_cmp_current_time(X509_get0_notBefore(one->x509)) < 0 &&
	             X509_cmp_current_time(X509_get0_notAfter(one->x509)) > 0;
	bool revoked = certificate_is_revoked(store, one->x509);

	if (items->len > 0)
		buf_char(items, ',');
	buf_printf(items, "{\"kind\":\"%s\",\"key\":\"%s\",\"who\":",
		!ours && certificate_is_authority(one->x509) ? "authority" : "smime", one->key);
	buf_json_string(items, certificate_who(one->x509, arena));
	buf_printf(items, ",\"secret\":%s,\"state\":\"%s\",\"valid\":%s", ours ? "true" : "false",
		revoked                                                ? "revoked"
		: !ours                                                ? ""
		: passphrases_of(smime->passphrases, str_of(one->key)) ? "open"
								       : "locked",
		valid && !revoked ? "true" : "false");
	print_time(items, "created", X509_get0_notBefore(one->x509));
	print_time(items, "expires", X509_get0_notAfter(one->x509));
	buf_char(items, '}');
}

/* By the name of its authority, as its file is named. */
static void list_key(const X509_CRL *list, char key[SHA256_HEX])
{
	unsigned char digest[SHA256_LEN] = {0};

	X509_NAME_digest(X509_CRL_get_issuer(list), EVP_sha256(), digest, NULL);
	hex_encode(digest, sizeof(digest), key);
	for (char *c = key; *c; c++)
		*c = (char)toupper((unsigned char)*c);
}

/* A list of revoked ones: how many, and until when the next one is due. */
static void print_revoked(X509_CRL *list, struct arena *arena, struct buf *items)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(list);
	char key[SHA256_HEX], name[256] = "";

	list_key(list, key);
	X509_NAME_get_text_by_NID(X509_CRL_get_issuer(list), NID_commonName, name, sizeof(name));
	if (!name[0])
		X509_NAME_oneline(X509_CRL_get_issuer(list), name, sizeof(name));
	if (items->len > 0)
		buf_char(items, ',');
	buf_printf(items, "{\"kind\":\"revoked\",\"key\":\"%s\",\"who\":", key);
	buf_json_string(items, storable_text(str_of(name), 500, arena, NULL));
	buf_printf(items, ",\"secret\":false,\"state\":\"%d revoked\",\"valid\":%s",
		sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list)) > 0
			? sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list))
			: 0,
		!next || X509_cmp_current_time(next) > 0 ? "true" : "false");
	print_time(items, "created", X509_CRL_get0_lastUpdate(list));
	print_time(items, "expires", next);
	buf_char(items, '}');
}

bool smime_list(const struct smime *smime, struct buf *items, struct err *err)
{
	struct arena *arena = arena_new(4096);
	struct certificates store;
	bool ok = certificates_read(smime->folder, &store, err);

	for (size_t i = 0; ok && i < store.count; i++)
		print_one(smime, &store, &store.list[i], arena, items);
	for (int i = 0; ok && i < sk_X509_CRL_num(store.revoked); i++)
		print_revoked(sk_X509_CRL_value(store.revoked, i), arena, items);
	if (ok)
		certificates_free(&store);
	arena_free(&arena);
	return ok;
}

bool smime_is_pem(struct str bytes)
{
	struct str block;

	struct str rest = bytes;

	return pem_next(&bytes, STR("CERTIFICATE"), &block) || pem_next(&rest, STR("X509 CRL"), &block);
}

/* --- changes --- */

static bool put(const struct smime *smime, struct str certificate, struct str private, struct buf *items,
	struct err *err)
{
	BIO *bio = BIO_new_mem_buf(certificate.p, (int)certificate.len);
	X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	struct buf pem = {0};
	char key[65], *path;
	bool ok;

	BIO_free(bio);
	if (!x509)
		return err_set(err, ERR_MALFORMED, "a certificate in PEM was expected");
	certificate_key(x509, key);
	X509_free(x509);
	buf_str(&pem, certificate);
	if (pem.data[pem.len - 1] != '\n')
		buf_char(&pem, '\n');
	buf_str(&pem, private);
	path = mem_printf("%s/%s.pem", smime->folder, key);
	/* A certificate alone does not take the key away from one that has it. */
	ok = (private.len == 0 && access(path, F_OK) == 0) ||
	     file_write_atomic(path, 0600, buf_view(&pem), err);
	free(path);
	mem_wipe(pem.data, pem.len);
	buf_free(&pem);
	if (ok && items->len > 0)
		buf_char(items, ',');
	if (ok)
		buf_json_string(items, str_of(key));
	return ok;
}

/* One list per authority: a newer one takes the place of that before, an older one is refused. */
static bool put_revoked(const struct smime *smime, struct str pem, struct buf *items, struct err *err)
{
	X509_CRL *list = revocation_read(pem), *old;
	char key[SHA256_HEX], *path;
	struct buf bytes = {0};
	bool ok = true;

	if (!list)
		return err_set(err, ERR_MALFORMED, "a list of revoked certificates in PEM was expected");
	list_key(list, key);
	path = mem_printf("%s/%s.crl", smime->folder, key);
	if (file_read(path, CRL_SIZE, &bytes, NULL)) {
		old = revocation_read(buf_view(&bytes));
		if (old &&
			ASN1_TIME_compare(X509_CRL_get0_lastUpdate(list), X509_CRL_get0_lastUpdate(old)) < 0)
			ok = err_set(err, ERR_CONFLICT, "a newer list of this authority is here already");
		X509_CRL_free(old);
	}
	ok = ok && file_write_atomic(path, 0600, pem, err);
	if (ok && items->len > 0)
		buf_char(items, ',');
	if (ok)
		buf_json_string(items, str_of(key));
	X509_CRL_free(list);
	buf_free(&bytes);
	free(path);
	return ok;
}

/* Which of the certificates a private key belongs to cannot be told while it is encrypted: it is the first,
 * as all programs write it. */
bool smime_import(const struct smime *smime, struct str pem, struct buf *items, struct err *err)
{
	struct str rest = pem, certificate, private = STR_NONE;
	size_t count = 0;
	bool ok = true;

	pem_next(&rest, STR("PRIVATE KEY"), &private);
	rest = pem;
	while (ok && count < 64 && pem_next(&rest, STR("CERTIFICATE"), &certificate))
		ok = put(smime, certificate, count++ == 0 ? private : STR_NONE, items, err);
	for (rest = pem; ok && count < 64 && pem_next(&rest, STR("X509 CRL"), &certificate); count++)
		ok = put_revoked(smime, certificate, items, err);
	return ok;
}

bool smime_remove(const struct smime *smime, struct str key, bool *found, struct err *err)
{
	static const char *const ends[] = {"pem", "crl"};
	bool ok = true;

	*found = false;
	for (size_t i = 0; ok && !*found && i < ARRAY_LEN(ends); i++) {
		char *path = mem_printf("%s/" STR_FMT ".%s", smime->folder, STR_ARG(key), ends[i]);

		*found = unlink(path) == 0;
		ok = *found || errno == ENOENT || err_errno(err, "%s", path);
		free(path);
	}
	return ok;
}
