#include "config.h"

#include "keys/certificates.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/storable.h"

bool pem_next(struct str *rest, struct str label_end, struct str *block)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ", dashes[] = "-----";

	while (rest->len > 0) {
		const char *from = memmem(rest->p, rest->len, begin, sizeof(begin) - 1);
		const char *name, *close, *last;
		size_t left;

		if (!from)
			return false;
		name = from + sizeof(begin) - 1;
		left = rest->len - (size_t)(name - rest->p);
		close = memmem(name, left, dashes, sizeof(dashes) - 1);
		last = close ? memmem(close, left - (size_t)(close - name), end, sizeof(end) - 1) : NULL;
		last = last ? memchr(last, '\n', rest->len - (size_t)(last - rest->p)) : NULL;
		if (!close)
			return false;
		*block = (struct str){
			from, last ? (size_t)(last - from) + 1 : rest->len - (size_t)(from - rest->p)};
		rest->len -= (size_t)(block->p + block->len - rest->p);
		rest->p = block->p + block->len;
		if (str_ends((struct str){name, (size_t)(close - name)}, label_end))
			return true;
	}
	return false;
}

void certificate_key(X509 *x509, char key[65])
{
	unsigned char digest[SHA256_LEN] = {0};

	X509_digest(x509, EVP_sha256(), digest, NULL);
	hex_encode(digest, sizeof(digest), key);
	for (char *c = key; *c; c++)
		*c = (char)toupper((unsigned char)*c);
}

static X509 *read_x509(struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return x509;
}

static bool read_one(struct str pem, struct certificate *one)
{
	struct str rest = pem, block;

	*one = (struct certificate){.x509 = NULL};
	if (pem_next(&rest, STR("CERTIFICATE"), &block))
		one->x509 = read_x509(block);
	if (!one->x509)
		return false;
	certificate_key(one->x509, one->key);
	rest = pem;
	if (pem_next(&rest, STR("PRIVATE KEY"), &block))
		buf_str(&one->private, block);
	return true;
}

static int is_pem(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && str_ends(str_of(entry->d_name), STR(".pem"));
}

X509_CRL *revocation_read(struct str bytes)
{
	struct str rest = bytes, pem;
	BIO *bio;
	X509_CRL *list;

	if (bytes.len > CRL_SIZE)
		return NULL;
	if (pem_next(&rest, STR("X509 CRL"), &pem)) {
		bio = BIO_new_mem_buf(pem.p, (int)pem.len);
		list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
	} else {
		bio = BIO_new_mem_buf(bytes.p, (int)bytes.len);
		list = d2i_X509_CRL_bio(bio, NULL);
	}
	BIO_free(bio);
	return list;
}

static int is_crl(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && str_ends(str_of(entry->d_name), STR(".crl"));
}

static void read_revoked(const char *folder, const char *name, STACK_OF(X509_CRL) * lists)
{
	char *path = mem_printf("%s/%s", folder, name);
	struct buf bytes = {0};
	struct err err = {0};
	X509_CRL *list = NULL;

	if (sk_X509_CRL_num(lists) < CERTIFICATES_MAX && file_read(path, CRL_SIZE, &bytes, &err))
		list = revocation_read(buf_view(&bytes));
	if (list)
		sk_X509_CRL_push(lists, list);
	else
		log_warn("%s: a list of revoked certificates was expected: %s", path, err.text);
	buf_free(&bytes);
	free(path);
}

static void read_lists(const char *folder, struct certificates *all)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_crl, alphasort);

	all->revoked = sk_X509_CRL_new_null();
	for (int i = 0; i < count; i++) {
		read_revoked(folder, entries[i]->d_name, all->revoked);
		free(entries[i]);
	}
	free(entries);
}

static void read_file(const char *folder, const char *name, struct certificates *all)
{
	char *path = mem_printf("%s/%s", folder, name);
	struct buf pem = {0};
	struct err err = {0};

	if (all->count < CERTIFICATES_MAX && file_read(path, CERTIFICATE_SIZE, &pem, &err) &&
		read_one(buf_view(&pem), &all->list[all->count]))
		all->count++;
	else
		log_warn("%s: a certificate was expected: %s", path, err.text);
	if (pem.data)
		mem_wipe(pem.data, pem.len);
	buf_free(&pem);
	free(path);
}

bool certificates_read(const char *folder, struct certificates *all, struct err *err)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_pem, alphasort);

	*all = (struct certificates){.count = 0};
	if (count < 0)
		return err_errno(err, "%s", folder);
	all->list = mem_alloc(((size_t)count + 1) * sizeof(*all->list));
	for (int i = 0; i < count; i++) {
		read_file(folder, entries[i]->d_name, all);
		free(entries[i]);
	}
	free(entries);
	read_lists(folder, all);
	return true;
}

void certificates_free(struct certificates *all)
{
	for (size_t i = 0; i < all->count; i++) {
		X509_free(all->list[i].x509);
		if (all->list[i].private.data)
			mem_wipe(all->list[i].private.data, all->list[i].private.len);
		buf_free(&all->list[i].private);
	}
	free(all->list);
	sk_X509_CRL_pop_free(all->revoked, X509_CRL_free);
	*all = (struct certificates){.count = 0};
}

static int give_passphrase(char *to, int size, int writing, void *context)
{
	struct str text = str_of(context);

	(void)writing;
	if (text.len == 0 || text.len > (size_t)size)
		return -1;
	memcpy(to, text.p, text.len);
	return (int)text.len;
}

EVP_PKEY *certificate_private(const struct certificate *certificate, const char *passphrase)
{
	BIO *bio = BIO_new_mem_buf(certificate->private.data, (int)certificate->private.len);
	char *text = mem_strdup(passphrase);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, text);

	mem_wipe(text, strlen(text));
	free(text);
	BIO_free(bio);
	return key;
}

bool certificate_is_authority(X509 *x509)
{
	return X509_check_ca(x509) > 0;
}

struct str certificate_addresses(X509 *x509, struct arena *arena)
{
	STACK_OF(OPENSSL_STRING) *emails = X509_get1_email(x509);
	struct buf all = {0};
	struct str copy;

	for (int i = 0; i < sk_OPENSSL_STRING_num(emails); i++) {
		const char *email = sk_OPENSSL_STRING_value(emails, i);

		if (strchr(email, ' ') || all.len + strlen(email) > 2000)
			continue;
		if (all.len > 0)
			buf_char(&all, ' ');
		for (; *email; email++)
			buf_char(&all, (char)tolower((unsigned char)*email));
	}
	X509_email_free(emails);
	copy = storable_text(arena_str(arena, buf_view(&all)), 2000, arena, NULL);
	buf_free(&all);
	return copy;
}

struct str certificate_who(X509 *x509, struct arena *arena)
{
	struct str addresses = certificate_addresses(x509, arena);
	char name[256] = "";
	struct str first;

	X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, name, sizeof(name));
	if (!name[0])
		X509_NAME_oneline(X509_get_subject_name(x509), name, sizeof(name));
	if (!str_split(&addresses, ' ', &first) || first.len == 0)
		return storable_text(arena_str(arena, str_of(name)), 500, arena, NULL);
	return storable_text(arena_printf(arena, "%s <" STR_FMT ">", name, STR_ARG(first)), 500, arena, NULL);
}
