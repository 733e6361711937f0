#include "config.h"

#include "door.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

#define ANSWER_MAX 4096
/* A peer that does not answer TCP for so long is gone, in milliseconds. */
#define DEAD_AFTER 60000

struct door_factory {
	struct door_settings settings;
	SSL_CTX *context;
};

struct door {
	int fd;
	SSL *ssl;
	struct buf in;
};

/* TLS settings */

static bool tls_failed(struct err *err, const char *what, const char *file)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return err_set(err, ERR_DENIED, "%s %s: %s", what, file, reason ? reason : "cannot be used");
}

static bool load_files(SSL_CTX *context, const struct door_settings *settings, struct err *err)
{
	if (SSL_CTX_use_certificate_chain_file(context, settings->certificate) != 1)
		return tls_failed(err, "certificate", settings->certificate);
	if (SSL_CTX_use_PrivateKey_file(context, settings->key, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_check_private_key(context) != 1)
		return tls_failed(err, "key", settings->key);
	if (SSL_CTX_load_verify_file(context, settings->ca) != 1)
		return tls_failed(err, "authorities", settings->ca);
	return true;
}

struct door_factory *door_factory_new(const struct door_settings *settings, struct err *err)
{
	struct door_factory *factory = mem_alloc(sizeof(*factory));

	factory->settings = *settings;
	factory->context = SSL_CTX_new(TLS_client_method());
	if (!factory->context || SSL_CTX_set_min_proto_version(factory->context, TLS1_2_VERSION) != 1) {
		tls_failed(err, "TLS", "1.2");
		door_factory_free(&factory);
		return NULL;
	}
	SSL_CTX_set_verify(factory->context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(factory->context,
		SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
	if (!load_files(factory->context, settings, err))
		door_factory_free(&factory);
	return factory;
}

void door_factory_free(struct door_factory **factory)
{
	if (!*factory)
		return;
	SSL_CTX_free((*factory)->context);
	free(*factory);
	*factory = NULL;
}

/* Connecting */

static bool wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd one = {.fd = fd, .events = events};
	int64_t left = deadline - clock_monotonic();

	return left > 0 && poll(&one, 1, (int)(left / 1000) + 1) > 0;
}

/* One address; -1 and errno. */
static int connect_to(const struct addrinfo *address, int64_t deadline)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int failure = 0;
	socklen_t size = sizeof(failure);

	if (fd < 0)
		return -1;
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	if (errno == EINPROGRESS) {
		errno = ETIMEDOUT;
		if (wait_for(fd, POLLOUT, deadline) &&
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0) {
			if (failure == 0)
				return fd;
			errno = failure;
		}
	}
	failure = errno;
	fd_close(&fd);
	errno = failure;
	return -1;
}

static void keep_alive(int fd)
{
	int on = 1, idle = 20, after = DEAD_AFTER;

	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &after, sizeof(after));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static bool connect_any(const struct door_settings *settings, int64_t deadline, int *fd, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *found = NULL;
	int failed = getaddrinfo(settings->host, settings->port, &hints, &found);

	*fd = -1;
	if (failed != 0)
		return err_set(err, ERR_AGAIN, "%s: %s", settings->host, gai_strerror(failed));
	for (const struct addrinfo *one = found; one && *fd < 0; one = one->ai_next)
		*fd = connect_to(one, deadline);
	freeaddrinfo(found);
	if (*fd < 0)
		return err_errno(err, "%s port %s", settings->host, settings->port);
	keep_alive(*fd);
	return true;
}

/* What a call of OpenSSL that did not succeed means: wait for this event, or 0 with err. */
static short ssl_wants(struct door *door, int result, struct err *err)
{
	const char *reason;

	switch (SSL_get_error(door->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return POLLIN;
	case SSL_ERROR_WANT_WRITE:
		return POLLOUT;
	case SSL_ERROR_ZERO_RETURN:
		err_set(err, ERR_AGAIN, "the door closed the connection");
		return 0;
	default:
		reason = ERR_reason_error_string(ERR_peek_last_error());
		if (SSL_get_verify_result(door->ssl) != X509_V_OK)
			reason = X509_verify_cert_error_string(SSL_get_verify_result(door->ssl));
		err_set(err, ERR_AGAIN, "%s", reason ? reason : "the connection was cut");
		ERR_clear_error();
		return 0;
	}
}

static bool shake_hands(struct door *door, int64_t deadline, struct err *err)
{
	int result;

	while ((result = SSL_connect(door->ssl)) != 1) {
		short events = ssl_wants(door, result, err);

		if (events == 0)
			return false;
		if (!wait_for(door->fd, events, deadline))
			return err_set(err, ERR_AGAIN, "no answer to the handshake");
	}
	return true;
}

/* Whom the certificate must name. */
static bool expect_name(SSL *ssl, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1)
		return true;
	return SSL_set_tlsext_host_name(ssl, name) == 1 && X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

static bool say_hello(struct door *door, const uint8_t session[UUID_LEN], struct err *err)
{
	char uuid[UUID_TEXT], hello[80];
	int len = snprintf(
		hello, sizeof(hello), "{\"hello\":{\"session\":\"%s\"}}\n", uuid_format(session, uuid));
	size_t written = 0;

	if (!door_write(door, (struct str){hello, (size_t)len}, &written, err))
		return false;
	return written == (size_t)len || err_set(err, ERR_AGAIN, "the door takes nothing");
}

struct door *door_open(
	struct door_factory *factory, const uint8_t session[UUID_LEN], int64_t patience, struct err *err)
{
	int64_t deadline = clock_monotonic() + patience;
	struct door *door;
	int fd;

	if (!connect_any(&factory->settings, deadline, &fd, err))
		return NULL;
	door = mem_alloc(sizeof(*door));
	door->fd = fd;
	door->ssl = SSL_new(factory->context);
	if (!door->ssl || !expect_name(door->ssl, factory->settings.name) || SSL_set_fd(door->ssl, fd) != 1) {
		err_set(err, ERR_SYSTEM, "TLS cannot be set up");
		door_close(&door);
	} else if (!shake_hands(door, deadline, err) || !say_hello(door, session, err)) {
		door_close(&door);
	}
	return door;
}

void door_close(struct door **door)
{
	if (!*door)
		return;
	if ((*door)->ssl && SSL_is_init_finished((*door)->ssl))
		(void)SSL_shutdown((*door)->ssl);
	ERR_clear_error();
	SSL_free((*door)->ssl);
	fd_close(&(*door)->fd);
	buf_free(&(*door)->in);
	free(*door);
	*door = NULL;
}

/* Talking */

bool door_write(struct door *door, struct str bytes, size_t *written, struct err *err)
{
	*written = 0;
	while (*written < bytes.len) {
		size_t once = 0;
		int result = SSL_write_ex(door->ssl, bytes.p + *written, bytes.len - *written, &once);

		if (result == 1)
			*written += once;
		else
			return ssl_wants(door, result, err) != 0;
	}
	return true;
}

/* {"ack":17}, or {"error":"why"}. */
static bool take_answer(struct str line, bool *heard, uint64_t *ack, struct err *err)
{
	struct str rest;
	uint64_t number;

	line = str_trim(line);
	if (str_starts(line, STR("{\"ack\":")) && str_ends(line, STR("}"))) {
		rest = (struct str){line.p + 7, line.len - 8};
		if (str_to_u64(rest, &number)) {
			*heard = true;
			*ack = number;
			return true;
		}
	}
	return err_set(
		err, ERR_DENIED, "the door says: " STR_FMT, (int)(line.len < 200 ? line.len : 200), line.p);
}

static bool take_answers(struct door *door, bool *heard, uint64_t *ack, struct err *err)
{
	const char *end;

	while (door->in.len > 0 && (end = memchr(door->in.data, '\n', door->in.len))) {
		size_t len = (size_t)(end - door->in.data);

		if (!take_answer((struct str){door->in.data, len}, heard, ack, err))
			return false;
		buf_consume(&door->in, len + 1);
	}
	return door->in.len < ANSWER_MAX || err_set(err, ERR_DENIED, "this is no sensor door of cirtd");
}

bool door_read(struct door *door, bool *heard, uint64_t *ack, struct err *err)
{
	*heard = false;
	for (;;) {
		size_t got = 0;
		int result = SSL_read_ex(door->ssl, buf_space(&door->in, ANSWER_MAX), ANSWER_MAX, &got);

		if (result != 1)
			return ssl_wants(door, result, err) != 0;
		buf_grow(&door->in, got);
		if (!take_answers(door, heard, ack, err))
			return false;
	}
}

void door_wait(struct door *door, bool to_write, int64_t microseconds)
{
	struct pollfd one = {.fd = door->fd, .events = (short)(to_write ? POLLIN | POLLOUT : POLLIN)};

	(void)poll(&one, 1, (int)(microseconds / 1000));
}
