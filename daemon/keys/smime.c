#include "config.h"

#include "keys/smime.h"

#include <openssl/cms.h>
#include <openssl/err.h>

#include "keys/certificates.h"
#include "model/storable.h"

/* One part at work. */
struct opening {
	const struct smime *smime;
	const struct certificates *store;
	struct arena *arena;
	struct unsealed *unsealed;
	CMS_ContentInfo *cms;
};

static void fail(struct opening *opening, enum unseal_outcome outcome, struct str reason)
{
	opening->unsealed->outcome = outcome;
	opening->unsealed->reason = storable_text(reason, 1000, opening->arena, NULL);
	opening->unsealed->plain = STR_NONE;
	opening->unsealed->signature_count = 0;
}

static void fail_openssl(struct opening *opening, const char *what)
{
	char text[256];

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	fail(opening, UNSEAL_FAILED, arena_printf(opening->arena, "%s: %s", what, text));
}

static CMS_ContentInfo *parse(struct str bytes)
{
	BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.len);
	CMS_ContentInfo *cms = d2i_CMS_bio(bio, NULL);

	BIO_free(bio);
	return cms;
}

static struct str bio_bytes(BIO *bio, struct arena *arena)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);

	return arena_str(arena, (struct str){data, len > 0 ? (size_t)len : 0});
}

/* --- encrypted --- */

static bool is_for(CMS_RecipientInfo *info, X509 *x509)
{
	STACK_OF(CMS_RecipientEncryptedKey) * keys;

	if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_TRANS)
		return CMS_RecipientInfo_ktri_cert_cmp(info, x509) == 0;
	if (CMS_RecipientInfo_type(info) != CMS_RECIPINFO_AGREE)
		return false;
	keys = CMS_RecipientInfo_kari_get0_reks(info);
	for (int i = 0; i < sk_CMS_RecipientEncryptedKey_num(keys); i++)
		if (CMS_RecipientEncryptedKey_cert_cmp(sk_CMS_RecipientEncryptedKey_value(keys, i), x509) ==
			0)
			return true;
	return false;
}

/* Ours that it was encrypted to; one that is open before one that is not. */
static const struct certificate *recipient(const struct opening *opening)
{
	STACK_OF(CMS_RecipientInfo) *infos = CMS_get0_RecipientInfos(opening->cms);
	const struct certificate *found = NULL;

	for (int i = 0; i < sk_CMS_RecipientInfo_num(infos); i++) {
		for (size_t k = 0; k < opening->store->count; k++) {
			const struct certificate *one = &opening->store->list[k];

			if (one->private.len == 0 || !is_for(sk_CMS_RecipientInfo_value(infos, i), one->x509))
				continue;
			if (passphrases_of(opening->smime->passphrases, str_of(one->key)))
				return one;
			found = one;
		}
	}
	return found;
}

static void open_enveloped(struct opening *opening)
{
	const struct certificate *ours = recipient(opening);
	const char *text = ours ? passphrases_of(opening->smime->passphrases, str_of(ours->key)) : NULL;
	EVP_PKEY *key = text ? certificate_private(ours, text) : NULL;
	BIO *out = BIO_new(BIO_s_mem());

	if (!ours) {
		fail(opening, UNSEAL_NO_KEY,
			STR("encrypted to certificates of which no private key is here"));
	} else if (!key) {
		fail(opening, UNSEAL_LOCKED,
			arena_printf(opening->arena, "the key %.16s of a certificate is locked", ours->key));
	} else if (CMS_decrypt(opening->cms, key, ours->x509, NULL, out, CMS_BINARY) != 1) {
		fail_openssl(opening, "the content cannot be decrypted");
	} else {
		opening->unsealed->outcome = UNSEAL_OPENED;
		opening->unsealed->encrypted = true;
		opening->unsealed->key = arena_str(opening->arena, str_of(ours->key));
		opening->unsealed->plain = bio_bytes(out, opening->arena);
	}
	EVP_PKEY_free(key);
	BIO_free(out);
}

/* --- signed --- */

static enum signature_state judge(const struct opening *opening, X509 *signer)
{
	STACK_OF(X509) *chain = CMS_get1_certs(opening->cms);
	bool stale = false;
	int verdict = certificate_verify(opening->store, signer, chain, "smime_sign", &stale);

	sk_X509_pop_free(chain, X509_free);
	switch (verdict) {
	case X509_V_OK:
		return stale ? SIGNATURE_STALE_CRL : SIGNATURE_GOOD;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return SIGNATURE_KEY_EXPIRED;
	case X509_V_ERR_CERT_REVOKED:
		return SIGNATURE_KEY_REVOKED;
	default:
		return SIGNATURE_UNTRUSTED;
	}
}

static void add_signature(struct opening *opening, X509 *signer, enum signature_state state)
{
	struct unsealed *unsealed = opening->unsealed;
	struct seal_signature *one;
	char key[65];

	if (unsealed->signature_count == UNSEAL_SIGNATURES)
		return;
	one = &unsealed->signatures[unsealed->signature_count++];
	one->state = state;
	if (!signer)
		return;
	certificate_key(signer, key);
	one->key = arena_str(opening->arena, str_of(key));
	one->who = certificate_who(signer, opening->arena);
	one->addresses = certificate_addresses(signer, opening->arena);
}

/* Why OpenSSL did not take it. */
static enum signature_state failed_state(void)
{
	switch (ERR_GET_REASON(ERR_peek_last_error())) {
	case CMS_R_SIGNER_CERTIFICATE_NOT_FOUND:
		return SIGNATURE_UNKNOWN_KEY;
	case CMS_R_UNKNOWN_DIGEST_ALGORITHM:
	case CMS_R_NO_MATCHING_DIGEST:
	case CMS_R_NO_SIGNERS:
		return SIGNATURE_FAILED;
	default:
		return SIGNATURE_BAD;
	}
}

static void check_signed(struct opening *opening, const struct sealed *sealed)
{
	BIO *content = sealed->kind == SEALED_CMS_DETACHED
	                       ? BIO_new_mem_buf(sealed->bytes.p, (int)sealed->bytes.len)
	                       : NULL;
	BIO *out = BIO_new(BIO_s_mem());
	STACK_OF(X509) *known = sk_X509_new_null();
	STACK_OF(X509) * signers;
	bool right;

	for (size_t i = 0; i < opening->store->count; i++)
		sk_X509_push(known, opening->store->list[i].x509);
	right = CMS_verify(opening->cms, known, NULL, content, out, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) ==
	        1;
	opening->unsealed->outcome = UNSEAL_OPENED;
	signers = CMS_get0_signers(opening->cms);
	for (int i = 0; right && i < sk_X509_num(signers); i++)
		add_signature(opening, sk_X509_value(signers, i), judge(opening, sk_X509_value(signers, i)));
	if (!right)
		add_signature(
			opening, sk_X509_num(signers) > 0 ? sk_X509_value(signers, 0) : NULL, failed_state());
	if (!content)
		opening->unsealed->plain = bio_bytes(out, opening->arena);
	sk_X509_free(signers);
	sk_X509_free(known);
	BIO_free(out);
	BIO_free(content);
}

/* What could not be checked is read all the same: the content stands in the clear. */
static void read_content(struct opening *opening)
{
	ASN1_OCTET_STRING **content = CMS_get0_content(opening->cms);

	if (opening->unsealed->plain.len == 0 && content && *content)
		opening->unsealed->plain =
			arena_str(opening->arena, (struct str){(const char *)ASN1_STRING_get0_data(*content),
							  (size_t)ASN1_STRING_length(*content)});
}

static void open_cms(struct opening *opening, const struct sealed *sealed)
{
	switch (OBJ_obj2nid(CMS_get0_type(opening->cms))) {
	case NID_pkcs7_enveloped:
	case NID_id_smime_ct_authEnvelopedData:
		if (sealed->kind == SEALED_CMS)
			open_enveloped(opening);
		else
			fail(opening, UNSEAL_FAILED,
				STR("signed data was expected, and something encrypted came"));
		break;
	case NID_pkcs7_signed:
		check_signed(opening, sealed);
		if (sealed->kind == SEALED_CMS)
			read_content(opening);
		break;
	default:
		fail(opening, UNSEAL_FAILED,
			STR("S/MIME that is neither encrypted nor signed: enveloped or signed data was "
			    "expected"));
	}
}

void smime_open(const struct smime *smime, const struct sealed *sealed, struct arena *arena,
	struct unsealed *unsealed)
{
	struct certificates store;
	struct err err = {0};
	struct opening opening = {.smime = smime, .store = &store, .arena = arena, .unsealed = unsealed};
	bool read = certificates_read(smime->folder, &store, &err);

	*unsealed = (struct unsealed){.outcome = UNSEAL_FAILED};
	unsealed->signatures = arena_alloc(arena, UNSEAL_SIGNATURES * sizeof(*unsealed->signatures));
	opening.cms = parse(sealed->kind == SEALED_CMS ? sealed->bytes : sealed->signature);
	if (!read)
		fail(&opening, UNSEAL_FAILED, arena_str(arena, str_of(err.text)));
	else if (!opening.cms)
		fail(&opening, UNSEAL_FAILED, STR("not S/MIME: CMS in DER was expected"));
	else
		open_cms(&opening, sealed);
	if (unsealed->plain.len > smime->max_size)
		fail(&opening, UNSEAL_FAILED, STR("opened it is larger than allowed"));
	CMS_ContentInfo_free(opening.cms);
	certificates_free(&store);
}
