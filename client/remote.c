#include "config.h"

#include "client/remote.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "client/i18n.h"

#define DEFAULT_PORT    "6515"
#define CONNECT_SECONDS 20

struct remote {
	int fd;
	SSL_CTX *context;
	SSL *ssl;
};

/* "desk.example", "desk.example:6515", "[2001:db8::1]:6515". Both to be freed, whatever is returned. */
static bool split_server(const char *server, char **host, char **port, struct err *err)
{
	const char *colon = strrchr(server, ':'), *bracket = strchr(server, ']');

	if (*server == '[' && bracket && (bracket[1] == 0 || bracket[1] == ':')) {
		*host = mem_strndup(server + 1, (size_t)(bracket - server - 1));
		*port = mem_strdup(bracket[1] ? bracket + 2 : DEFAULT_PORT);
	} else if (colon && strchr(server, ':') == colon) {
		*host = mem_strndup(server, (size_t)(colon - server));
		*port = mem_strdup(colon + 1);
	} else {
		*host = mem_strdup(server);
		*port = mem_strdup(DEFAULT_PORT);
	}
	return (**host && **port) ||
	       err_set(err, ERR_MALFORMED, _("%s: expected HOST:PORT or [ADDRESS]:PORT"), server);
}

static void limit_waiting(int fd, long seconds)
{
	struct timeval limit = {.tv_sec = seconds};
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static bool connect_to(const char *host, const char *port, int *fd, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	int result = getaddrinfo(host, port, &hints, &found);

	if (result != 0)
		return err_set(err, ERR_NOTFOUND, "%s: %s", host, gai_strerror(result));
	err_set(err, ERR_NOTFOUND, "%s", host);
	*fd = -1;
	for (struct addrinfo *at = found; at && *fd < 0; at = at->ai_next) {
		*fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
		if (*fd < 0)
			continue;
		limit_waiting(*fd, CONNECT_SECONDS);
		if (connect(*fd, at->ai_addr, at->ai_addrlen) != 0) {
			err_set(err, ERR_NOTFOUND, "%s:%s: %s", host, port, strerror(errno));
			fd_close(fd);
		}
	}
	freeaddrinfo(found);
	return *fd >= 0;
}

static const char *last_error(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	return reason ? reason : _("the connection broke");
}

static bool load_files(SSL_CTX *context, const struct place *place, struct err *err)
{
	if (!place->certificate || !place->ca)
		return err_set(err, ERR_MALFORMED,
			_("%s wants a certificate, its key and the authority of the server: --certificate, "
			  "--key and "
			  "--ca, or cirt.conf"),
			place->server);
	const char *key = place->key ? place->key : place->certificate;
	if (SSL_CTX_use_certificate_chain_file(context, place->certificate) != 1)
		return err_set(err, ERR_MALFORMED, _("%s: expected a certificate in PEM: %s"),
			place->certificate, last_error());
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		return err_set(err, ERR_MALFORMED, _("%s: expected the key of the certificate in PEM: %s"),
			key, last_error());
	if (SSL_CTX_load_verify_locations(context, place->ca, NULL) != 1)
		return err_set(err, ERR_MALFORMED, _("%s: expected certificates of authorities in PEM: %s"),
			place->ca, last_error());
	return true;
}

static bool start_context(struct remote *remote, const struct place *place, struct err *err)
{
	remote->context = SSL_CTX_new(TLS_client_method());
	if (!remote->context)
		return err_set(err, ERR_SYSTEM, "TLS: %s", last_error());
	SSL_CTX_set_min_proto_version(remote->context, TLS1_2_VERSION);
	SSL_CTX_set_verify(remote->context, SSL_VERIFY_PEER, NULL);
	return load_files(remote->context, place, err);
}

/* The server is who its certificate says, and the name is what was asked for. */
static bool shake_hands(struct remote *remote, const char *host, struct err *err)
{
	remote->ssl = SSL_new(remote->context);
	X509_VERIFY_PARAM *check = SSL_get0_param(remote->ssl);
	bool is_address = X509_VERIFY_PARAM_set1_ip_asc(check, host) == 1;

	if (!is_address &&
		(SSL_set1_host(remote->ssl, host) != 1 || SSL_set_tlsext_host_name(remote->ssl, host) != 1))
		return err_set(err, ERR_MALFORMED, _("%s: expected the name of a host"), host);
	SSL_set_fd(remote->ssl, remote->fd);
	if (SSL_connect(remote->ssl) == 1)
		return true;
	long verdict = SSL_get_verify_result(remote->ssl);
	return err_set(err, ERR_DENIED, _("%s: no TLS with it: %s"), host,
		verdict == X509_V_OK ? last_error() : X509_verify_cert_error_string(verdict));
}

bool remote_open(const struct place *place, struct remote **remote, struct err *err)
{
	struct remote *made;
	char *host, *port;

	made = mem_alloc(sizeof(*made));
	made->fd = -1;
	bool ok = split_server(place->server, &host, &port, err) && start_context(made, place, err) &&
	          connect_to(host, port, &made->fd, err) && shake_hands(made, host, err);
	free(host);
	free(port);
	if (!ok) {
		remote_close(&made);
		return false;
	}
	/* OpenSSL writes without MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	limit_waiting(made->fd, 0);
	*remote = made;
	return true;
}

void remote_close(struct remote **remote)
{
	if (!*remote)
		return;
	if ((*remote)->ssl)
		SSL_shutdown((*remote)->ssl);
	SSL_free((*remote)->ssl);
	SSL_CTX_free((*remote)->context);
	fd_close(&(*remote)->fd);
	free(*remote);
	*remote = NULL;
}

/* With TLS 1.3 the server says only now that it does not take our certificate. */
static bool broken(struct remote *remote, int result, struct err *err)
{
	unsigned long code = ERR_peek_last_error();
	bool alert = ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) >= SSL_AD_REASON_OFFSET;

	if (alert)
		return err_set(err, ERR_DENIED, _("the server refused us: %s"), last_error());
	if (SSL_get_error(remote->ssl, result) == SSL_ERROR_SYSCALL && errno)
		return err_errno(err, _("the connection to the daemon"));
	return err_set(err, ERR_NOTFOUND, _("the connection to the daemon: %s"), last_error());
}

bool remote_write(struct remote *remote, const char *bytes, size_t len, struct err *err)
{
	size_t written = 0;

	ERR_clear_error();
	int result = len ? SSL_write_ex(remote->ssl, bytes, len, &written) : 1;
	return result == 1 || broken(remote, result, err);
}

ssize_t remote_read(struct remote *remote, char *bytes, size_t most, struct err *err)
{
	size_t got = 0;

	ERR_clear_error();
	errno = 0;
	int result = SSL_read_ex(remote->ssl, bytes, most, &got);
	if (result == 1)
		return (ssize_t)got;
	if (SSL_get_error(remote->ssl, result) == SSL_ERROR_ZERO_RETURN)
		return 0;
	broken(remote, result, err);
	return -1;
}

bool remote_waiting(struct remote *remote)
{
	struct pollfd poll_fd = {.fd = remote->fd, .events = POLLIN};

	return SSL_pending(remote->ssl) > 0 || poll(&poll_fd, 1, 0) > 0;
}

bool remote_certificate_pin(const char *path, char pin[SHA256_HEX], struct err *err)
{
	FILE *file = fopen(path, "re");
	unsigned char *der = NULL;
	uint8_t digest[SHA256_LEN];

	if (!file)
		return err_errno(err, "%s", path);
	X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	int len = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der) : -1;
	X509_free(certificate);
	if (len <= 0)
		return err_set(err, ERR_MALFORMED, _("%s: expected a certificate in PEM"), path);
	sha256((struct str){(const char *)der, (size_t)len}, digest);
	OPENSSL_free(der);
	hex_encode(digest, SHA256_LEN, pin);
	return true;
}
