#include "base/sign.h"

#include <openssl/decoder.h>
#include <openssl/evp.h>

static EVP_PKEY *key_read(struct str pem, int selection, struct err *err)
{
	EVP_PKEY *key = NULL;
	const unsigned char *bytes = (const unsigned char *)pem.p;
	size_t len = pem.len;
	OSSL_DECODER_CTX *decoder =
		OSSL_DECODER_CTX_new_for_pkey(&key, "PEM", NULL, "ED25519", selection, NULL, NULL);

	if (!decoder || !OSSL_DECODER_from_data(decoder, &bytes, &len)) {
		EVP_PKEY_free(key);
		key = NULL;
		err_set(err, ERR_MALFORMED, "expected an Ed25519 %s key in PEM",
			selection == EVP_PKEY_KEYPAIR ? "private" : "public");
	}
	OSSL_DECODER_CTX_free(decoder);
	return key;
}

bool sign_bytes(struct str private_pem, struct str bytes, uint8_t signature[SIGNATURE_LEN], struct err *err)
{
	EVP_PKEY *key = key_read(private_pem, EVP_PKEY_KEYPAIR, err);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t len = SIGNATURE_LEN;
	bool ok = key != NULL;

	if (ok && (!context || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
			  EVP_DigestSign(
				  context, signature, &len, (const unsigned char *)bytes.p, bytes.len) != 1))
		ok = err_set(err, ERR_SYSTEM, "signing failed");
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return ok;
}

bool sign_check(
	struct str public_pem, struct str bytes, const uint8_t signature[SIGNATURE_LEN], struct err *err)
{
	EVP_PKEY *key = key_read(public_pem, EVP_PKEY_PUBLIC_KEY, err);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = key != NULL;

	if (ok && (!context || EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) != 1 ||
			  EVP_DigestVerify(context, signature, SIGNATURE_LEN, (const unsigned char *)bytes.p,
				  bytes.len) != 1))
		ok = err_set(err, ERR_DENIED, "the signature is not of this key");
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return ok;
}
