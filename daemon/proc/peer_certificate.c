#include "config.h"

#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/mem.h"
#include "proc/tls.h"

#define NAME_MAX_BYTES 512

void certificate_fingerprint(X509 *certificate, char text[SHA256_HEX])
{
	uint8_t digest[SHA256_LEN];
	unsigned len = 0;
	text[0] = 0;
	if (X509_digest(certificate, EVP_sha256(), digest, &len) == 1 && len == SHA256_LEN)
		hex_encode(digest, SHA256_LEN, text);
}

static void key_pin(X509 *certificate, char text[SHA256_HEX])
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
	uint8_t digest[SHA256_LEN];
	text[0] = 0;
	if (len <= 0)
		return;
	sha256((struct str){(const char *)der, (size_t)len}, digest);
	hex_encode(digest, SHA256_LEN, text);
	OPENSSL_free(der);
}

/* A name with a NUL, a control character or a space inside could pass for another one: it counts for nothing.
 */
static bool plain_name(struct str name)
{
	if (name.len == 0 || name.len > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 0x7f)
			return false;
	return true;
}

static void add_name(struct peer_certificate *out, const ASN1_STRING *text)
{
	struct str name = {(const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)};
	if (out->name_count < ARRAY_LEN(out->names) && plain_name(name))
		out->names[out->name_count++] = mem_strndup(name.p, name.len);
}

static void read_alternative_names(X509 *certificate, struct peer_certificate *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type == GEN_DNS || name->type == GEN_EMAIL || name->type == GEN_URI)
			add_name(out, name->d.ia5);
	}
	GENERAL_NAMES_free(names);
}

static void read_common_name(X509 *certificate, struct peer_certificate *out)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (at >= 0)
		add_name(out, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

static char *issuer_text(X509 *certificate)
{
	BIO *memory = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	X509_NAME_print_ex(memory, X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
	long len = BIO_get_mem_data(memory, &bytes);
	char *text = mem_strndup(bytes ? bytes : "", len > 0 ? (size_t)len : 0);
	BIO_free(memory);
	return text;
}

void peer_certificate_read(SSL *ssl, struct peer_certificate *out)
{
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	peer_certificate_clear(out);
	if (!certificate)
		return;
	out->present = true;
	certificate_fingerprint(certificate, out->fingerprint);
	key_pin(certificate, out->key_pin);
	out->issuer = issuer_text(certificate);
	read_alternative_names(certificate, out);
	read_common_name(certificate, out);
}

void peer_certificate_clear(struct peer_certificate *certificate)
{
	for (size_t i = 0; i < certificate->name_count; i++)
		free((void *)(uintptr_t)certificate->names[i]);
	free((void *)(uintptr_t)certificate->issuer);
	*certificate = (struct peer_certificate){0};
}
