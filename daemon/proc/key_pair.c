#include "config.h"

#include "proc/key_pair.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

static bool take_pem(BIO *bio, bool written, struct buf *out, struct err *err)
{
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);
	if (!written || len <= 0)
		return err_set(err, ERR_SYSTEM, "a key could not be written as PEM");
	buf_append(out, bytes, (size_t)len);
	return true;
}

bool key_pair_new(struct buf *private_pem, struct err *err)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_secmem());
	bool ok = key && bio;
	if (!ok)
		err_set(err, ERR_SYSTEM, "an Ed25519 key could not be made");
	else
		ok = take_pem(bio, PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1,
			private_pem, err);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return ok;
}

bool key_pair_public(struct str private_pem, struct buf *public_pem, struct err *err)
{
	BIO *in = BIO_new_mem_buf(private_pem.p ? private_pem.p : "", (int)private_pem.len);
	BIO *out = BIO_new(BIO_s_mem());
	EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	bool ok = key ? take_pem(out, PEM_write_bio_PUBKEY(out, key) == 1, public_pem, err)
	              : err_set(err, ERR_MALFORMED, "an Ed25519 private key in PEM was expected");
	BIO_free(in);
	BIO_free(out);
	EVP_PKEY_free(key);
	return ok;
}
