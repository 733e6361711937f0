#include "config.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/mem.h"
#include "proc/tls.h"

#define READ_BUFFER 65536

/* What OpenSSL says of its last failure; our own words where it says nothing. */
static bool tls_error(struct err *err, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	return err_set(err, ERR_MALFORMED, "%s: %s", what, reason ? reason : "a PEM file was expected");
}

static BIO *open_pem(struct str pem)
{
	return BIO_new_mem_buf(pem.p ? pem.p : "", pem.len > INT32_MAX ? 0 : (int)pem.len);
}

/* A key with a passphrase cannot be used by a daemon: never ask the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

/* Our certificate first, then those that lead to its issuer. */
static bool use_certificate(SSL_CTX *ssl, struct str pem, struct err *err)
{
	BIO *bio = open_pem(pem);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	bool ok = certificate && SSL_CTX_use_certificate(ssl, certificate) == 1;
	X509_free(certificate);
	while (ok && (certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)))
		if (SSL_CTX_add0_chain_cert(ssl, certificate) != 1) {
			X509_free(certificate);
			ok = false;
		}
	BIO_free(bio);
	if (!ok)
		return tls_error(err, "certificate");
	ERR_clear_error();
	return true;
}

static bool use_key(SSL_CTX *ssl, struct str pem, struct err *err)
{
	BIO *bio = open_pem(pem);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	bool ok = key && SSL_CTX_use_PrivateKey(ssl, key) == 1 && SSL_CTX_check_private_key(ssl) == 1;
	EVP_PKEY_free(key);
	return ok || tls_error(err, "private key");
}

/* Authorities and revocation lists; where a list is given, revocation is checked. */
static bool trust(SSL_CTX *ssl, struct str pem, struct err *err)
{
	BIO *bio = open_pem(pem);
	STACK_OF(X509_INFO) *all = PEM_X509_INFO_read_bio(bio, NULL, no_passphrase, NULL);
	X509_STORE *store = SSL_CTX_get_cert_store(ssl);
	int authorities = 0;
	BIO_free(bio);
	for (int i = 0; i < sk_X509_INFO_num(all); i++) {
		X509_INFO *info = sk_X509_INFO_value(all, i);
		if (info->x509 && X509_STORE_add_cert(store, info->x509) == 1 &&
			SSL_CTX_add_client_CA(ssl, info->x509) == 1)
			authorities++;
		if (info->crl && X509_STORE_add_crl(store, info->crl) == 1)
			X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
	}
	sk_X509_INFO_pop_free(all, X509_INFO_free);
	return authorities > 0 || tls_error(err, "authority that issues certificates");
}

/* Only looks: the answer stays what OpenSSL found. */
static int note_certificate(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	char *refused = ssl ? SSL_get_app_data(ssl) : NULL;
	X509 *certificate = X509_STORE_CTX_get0_cert(store);
	if (refused && certificate)
		certificate_fingerprint(certificate, refused);
	return ok;
}

static void set_rules(SSL_CTX *ssl, bool ask_peer)
{
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	/* A resumed session skips the check of the certificate: a revoked one would come back by it. */
	SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ssl, 0);
	SSL_CTX_set_session_id_context(ssl, (const unsigned char *)"cirtd", 5);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ssl, 1);
	SSL_CTX_set_default_read_buffer_len(ssl, READ_BUFFER);
	if (ask_peer)
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, note_certificate);
}

struct tls_context *tls_context_new(struct str certificate, struct str key, struct str ca,
	enum tls_client_certificate client, struct err *err)
{
	bool ask_peer = client == TLS_CLIENT_REQUIRED || ca.len > 0;
	SSL_CTX *ssl = SSL_CTX_new(TLS_method());
	if (!ssl) {
		tls_error(err, "TLS");
		return NULL;
	}
	set_rules(ssl, ask_peer);
	if ((certificate.len > 0 && (!use_certificate(ssl, certificate, err) || !use_key(ssl, key, err))) ||
		(ask_peer && !trust(ssl, ca, err))) {
		SSL_CTX_free(ssl);
		return NULL;
	}
	struct tls_context *context = mem_alloc(sizeof(*context));
	context->ssl = ssl;
	context->ask_peer = ask_peer;
	return context;
}

void tls_context_free(struct tls_context **context)
{
	if (!*context)
		return;
	SSL_CTX_free((*context)->ssl);
	free(*context);
	*context = NULL;
}

SSL *tls_connection(struct tls_context *context, int fd, bool server, char *refused)
{
	SSL *ssl = SSL_new(context->ssl);
	if (!ssl || SSL_set_fd(ssl, fd) != 1)
		abort();
	SSL_set_app_data(ssl, refused);
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

const char *tls_failure(SSL *ssl, int result, char *text, size_t size)
{
	unsigned long code = ERR_peek_last_error();
	long verify = SSL_get_verify_result(ssl);
	const char *reason = ERR_reason_error_string(code);
	int kind = SSL_get_error(ssl, result);
	if (ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
		reason = "the peer showed no certificate";
	else if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		reason = "cut off without close_notify";
	else if (verify != X509_V_OK)
		reason = X509_verify_cert_error_string(verify);
	else if (kind == SSL_ERROR_SYSCALL && !reason)
		reason = "connection lost";
	snprintf(text, size, "TLS: %s", reason ? reason : "protocol error");
	ERR_clear_error();
	return text;
}
