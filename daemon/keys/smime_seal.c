#include "config.h"

#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>

#include "keys/certificates.h"
#include "keys/smime.h"
#include "model/storable.h"

static void refuse(
	struct arena *arena, struct seal_answer *answer, enum seal_outcome outcome, struct str reason)
{
	answer->outcome = outcome;
	answer->reason = storable_text(reason, 1000, arena, NULL);
}

static void refuse_openssl(struct arena *arena, struct seal_answer *answer, const char *what)
{
	char text[256];

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	refuse(arena, answer, SEAL_FAILED, arena_printf(arena, "%s: %s", what, text));
}

static const struct certificate *find(const struct certificates *store, struct str key)
{
	for (size_t i = 0; i < store->count; i++)
		if (str_equal(str_of(store->list[i].key), key))
			return &store->list[i];
	return NULL;
}

static bool is_valid_now(X509 *x509)
{
	return X509_cmp_current_time(X509_get0_notBefore(x509)) < 0 &&
	       X509_cmp_current_time(X509_get0_notAfter(x509)) > 0;
}

static bool encrypts(X509 *x509)
{
	return (X509_get_key_usage(x509) & (KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT)) != 0;
}

static void take_der(CMS_ContentInfo *cms, struct arena *arena, struct seal_answer *answer)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *data = NULL;
	long len;

	if (i2d_CMS_bio(out, cms) != 1) {
		refuse_openssl(arena, answer, "CMS cannot be written");
	} else {
		len = BIO_get_mem_data(out, &data);
		answer->outcome = SEAL_DONE;
		answer->bytes = arena_str(arena, (struct str){data, len > 0 ? (size_t)len : 0});
	}
	BIO_free(out);
}

static void envelope(const struct certificates *store, const struct seal *seal, struct arena *arena,
	struct seal_answer *answer)
{
	const struct certificate *theirs = find(store, seal->recipient);
	STACK_OF(X509) *recipients = sk_X509_new_null();
	BIO *in = BIO_new_mem_buf(seal->bytes.p, (int)seal->bytes.len);
	CMS_ContentInfo *cms = NULL;

	if (!theirs)
		refuse(arena, answer, SEAL_NO_KEY,
			arena_printf(arena, "there is no certificate " STR_FMT, STR_ARG(seal->recipient)));
	else if (!is_valid_now(theirs->x509))
		refuse(arena, answer, SEAL_EXPIRED,
			arena_printf(arena, "the certificate " STR_FMT " has expired, or is not valid yet",
				STR_ARG(seal->recipient)));
	else if (certificate_is_revoked(store, theirs->x509))
		refuse(arena, answer, SEAL_REVOKED,
			arena_printf(
				arena, "the certificate " STR_FMT " was revoked", STR_ARG(seal->recipient)));
	else if (!encrypts(theirs->x509))
		refuse(arena, answer, SEAL_NO_KEY,
			arena_printf(arena, "the certificate " STR_FMT " is not for encryption",
				STR_ARG(seal->recipient)));
	else if (sk_X509_push(recipients, theirs->x509) <= 0 ||
		 !(cms = CMS_encrypt(recipients, in, EVP_aes_256_cbc(), CMS_BINARY)))
		refuse_openssl(arena, answer, "encrypting");
	else
		take_der(cms, arena, answer);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	sk_X509_free(recipients);
}

/* What stands between us and an authority, for those who know only that. */
static STACK_OF(X509) * chain_of(const struct certificates *store, X509 *x509)
{
	STACK_OF(X509) *chain = sk_X509_new_null();

	for (unsigned depth = 0; depth < 8; depth++) {
		X509 *issuer = NULL;

		for (size_t i = 0; i < store->count && !issuer; i++)
			if (store->list[i].x509 != x509 &&
				X509_check_issued(store->list[i].x509, x509) == X509_V_OK)
				issuer = store->list[i].x509;
		if (!issuer || sk_X509_push(chain, issuer) <= 0)
			break;
		x509 = issuer;
	}
	return chain;
}

static void sign(const struct smime *smime, const struct certificates *store, const struct seal *seal,
	struct arena *arena, struct seal_answer *answer)
{
	const struct certificate *ours = find(store, seal->signer);
	const char *text = ours ? passphrases_of(smime->passphrases, str_of(ours->key)) : NULL;
	EVP_PKEY *key = text && ours->private.len > 0 ? certificate_private(ours, text) : NULL;
	BIO *in = BIO_new_mem_buf(seal->bytes.p, (int)seal->bytes.len);
	CMS_ContentInfo *cms = NULL;

	if (!ours || ours->private.len == 0 || !is_valid_now(ours->x509)) {
		refuse(arena, answer, SEAL_NOT_OURS,
			arena_printf(arena, "our certificate " STR_FMT " %s", STR_ARG(seal->signer),
				ours && ours->private.len > 0 ? "has expired" : "is not there with its key"));
	} else if (certificate_is_revoked(store, ours->x509)) {
		refuse(arena, answer, SEAL_NOT_OURS,
			arena_printf(
				arena, "our certificate " STR_FMT " was revoked", STR_ARG(seal->signer)));
	} else if (!key) {
		refuse(arena, answer, SEAL_LOCKED,
			arena_printf(arena, "the key %.16s of our certificate is locked", ours->key));
	} else {
		STACK_OF(X509) *chain = chain_of(store, ours->x509);

		cms = CMS_sign(NULL, NULL, chain, in, CMS_DETACHED | CMS_BINARY | CMS_PARTIAL);
		if (!cms || !CMS_add1_signer(cms, ours->x509, key, EVP_sha256(), CMS_BINARY) ||
			CMS_final(cms, in, NULL, CMS_BINARY) != 1)
			refuse_openssl(arena, answer, "signing");
		else
			take_der(cms, arena, answer);
		answer->micalg = STR("sha-256");
		sk_X509_free(chain);
	}
	CMS_ContentInfo_free(cms);
	EVP_PKEY_free(key);
	BIO_free(in);
}

void smime_seal(
	const struct smime *smime, const struct seal *seal, struct arena *arena, struct seal_answer *answer)
{
	struct certificates store;
	struct err err = {0};

	*answer = (struct seal_answer){.outcome = SEAL_FAILED};
	if (seal->bytes.len > INT32_MAX || (seal->signer.len > 0 && seal->recipient.len > 0)) {
		refuse(arena, answer, SEAL_FAILED, STR("one of signing and encrypting was expected"));
	} else if (!certificates_read(smime->folder, &store, &err)) {
		refuse(arena, answer, SEAL_FAILED, arena_str(arena, str_of(err.text)));
	} else {
		if (seal->recipient.len > 0)
			envelope(&store, seal, arena, answer);
		else
			sign(smime, &store, seal, arena, answer);
		certificates_free(&store);
	}
}
