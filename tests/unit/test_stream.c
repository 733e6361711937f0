#include "unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "proc/stream.h"
#include "proc/tls.h"

/* Certificates, made anew by every run. */

struct identity {
	X509 *certificate;
	EVP_PKEY *key;
	char *certificate_pem;
	char *key_pem;
};

static char *take_text(BIO *bio)
{
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);
	char *text = mem_strndup(bytes, (size_t)len);
	BIO_free(bio);
	return text;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

/* issuer NULL: an authority. names: as openssl.cnf has subjectAltName. */
static struct identity identity_new(
	const char *name, const struct identity *issuer, const char *names, long seconds)
{
	static long serial = 1;
	struct identity made = {.certificate = X509_new(), .key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
	X509_NAME *subject = X509_get_subject_name(made.certificate);
	X509_set_version(made.certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial++);
	X509_gmtime_adj(X509_getm_notBefore(made.certificate), -86400);
	X509_gmtime_adj(X509_getm_notAfter(made.certificate), seconds);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(made.certificate, issuer ? X509_get_subject_name(issuer->certificate) : subject);
	X509_set_pubkey(made.certificate, made.key);
	X509 *parent = issuer ? issuer->certificate : made.certificate;
	add_extension(
		made.certificate, parent, NID_basic_constraints, issuer ? "CA:FALSE" : "critical,CA:TRUE");
	if (names)
		add_extension(made.certificate, parent, NID_subject_alt_name, names);
	assert_true(X509_sign(made.certificate, issuer ? issuer->key : made.key, NULL) > 0);
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(bio, made.certificate);
	made.certificate_pem = take_text(bio);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, made.key, NULL, NULL, 0, NULL, NULL);
	made.key_pem = take_text(bio);
	return made;
}

static void identity_free(struct identity *identity)
{
	X509_free(identity->certificate);
	EVP_PKEY_free(identity->key);
	free(identity->certificate_pem);
	free(identity->key_pem);
}

static struct {
	struct identity ca, other_ca, door, sensor, expired, wrong;
} all;

static int make_identities(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	all.ca = identity_new("Test authority", NULL, NULL, 86400);
	all.other_ca = identity_new("Another authority", NULL, NULL, 86400);
	all.door = identity_new("door", &all.ca, "DNS:localhost", 86400);
	all.sensor =
		identity_new("sensor-1", &all.ca, "DNS:sensor-1.test,email:s@sensor.test,URI:urn:x:1", 86400);
	all.expired = identity_new("sensor-1", &all.ca, "DNS:sensor-1.test", -3600);
	all.wrong = identity_new("sensor-1", &all.other_ca, "DNS:sensor-1.test", 86400);
	return 0;
}

static int free_identities(void **state)
{
	(void)state;
	identity_free(&all.ca);
	identity_free(&all.other_ca);
	identity_free(&all.door);
	identity_free(&all.sensor);
	identity_free(&all.expired);
	identity_free(&all.wrong);
	return 0;
}

/* Two ends of a connection in one loop. */

struct end {
	struct stream *stream;
	struct buf got;
	bool ready;
	unsigned closed;
	char *why;
	char *refused;
	bool keep_input; /* leave it in the stream */
	bool end_at_newline;
};

struct pair {
	struct loop *loop;
	struct tls_context *server_tls, *client_tls;
	struct end server, client;
	int client_fd;
};

static void on_readable(struct stream *stream, void *context)
{
	struct end *end = context;
	struct buf *input = stream_input(stream);
	if (end->keep_input)
		return;
	buf_str(&end->got, buf_view(input));
	buf_consume(input, input->len);
	if (end->end_at_newline && memchr(end->got.data, '\n', end->got.len)) {
		stream_write(stream, "bye\n", 4);
		stream_end(stream);
	}
}

static void on_stream_ready(struct stream *stream, void *context)
{
	(void)stream;
	((struct end *)context)->ready = true;
}

static void on_closed(struct stream *stream, const char *why, void *context)
{
	struct end *end = context;
	end->closed++;
	end->why = why ? mem_strdup(why) : NULL;
	end->refused = mem_strdup(stream_refused_fingerprint(stream));
	stream_free(&end->stream);
}

static const struct stream_calls calls = {
	.readable = on_readable, .ready = on_stream_ready, .closed = on_closed};

static void connect_pair(struct pair *pair)
{
	int fds[2];
	pair->loop = loop_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	pair->server.stream = stream_new(pair->loop, fds[0], pair->server_tls, true, &calls, &pair->server);
	pair->client_fd = fds[1];
	pair->client.stream = stream_new(pair->loop, fds[1], pair->client_tls, false, &calls, &pair->client);
}

static void use_tls(struct pair *pair, const struct identity *client)
{
	struct err err = {0};
	pair->server_tls = tls_context_new(str_of(all.door.certificate_pem), str_of(all.door.key_pem),
		str_of(all.ca.certificate_pem), TLS_CLIENT_REQUIRED, &err);
	assert_non_null(pair->server_tls);
	pair->client_tls = tls_context_new(client ? str_of(client->certificate_pem) : STR_NONE,
		client ? str_of(client->key_pem) : STR_NONE, str_of(all.ca.certificate_pem), TLS_NO_CLIENT,
		&err);
	assert_non_null(pair->client_tls);
}

static void free_end(struct end *end)
{
	stream_free(&end->stream);
	buf_free(&end->got);
	free(end->why);
	free(end->refused);
}

static void free_pair(struct pair *pair)
{
	free_end(&pair->server);
	free_end(&pair->client);
	tls_context_free(&pair->server_tls);
	tls_context_free(&pair->client_tls);
	loop_free(&pair->loop);
}

static void turn_until_closed(struct pair *pair)
{
	for (int i = 0; i < 3000 && !(pair->server.closed && pair->client.closed); i++)
		loop_turn(pair->loop, 1000);
}

static void turn_until_got(struct pair *pair, struct end *end, size_t len)
{
	for (int i = 0; i < 20000 && end->got.len < len && !end->closed; i++)
		loop_turn(pair->loop, 1000);
}

/* Send much each way, so that both meet full sockets. */
static void exchange(struct pair *pair)
{
	size_t size = 3000000;
	char *bytes = mem_alloc(size);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(uint8_t)(i * 7 / 3);
	stream_write(pair->client.stream, bytes, size);
	stream_write(pair->server.stream, bytes, size);
	turn_until_got(pair, &pair->server, size);
	turn_until_got(pair, &pair->client, size);
	assert_true(str_equal(buf_view(&pair->server.got), (struct str){bytes, size}));
	assert_true(str_equal(buf_view(&pair->client.got), (struct str){bytes, size}));
	stream_end(pair->client.stream);
	turn_until_closed(pair);
	assert_int_equal(pair->server.closed, 1);
	assert_null(pair->server.why);
	free(bytes);
}

static void plain_bytes_pass_both_ways(void **state)
{
	struct pair pair = {0};
	(void)state;
	connect_pair(&pair);
	exchange(&pair);
	free_pair(&pair);
}

static void tls_bytes_pass_both_ways(void **state)
{
	struct pair pair = {0};
	(void)state;
	use_tls(&pair, &all.sensor);
	connect_pair(&pair);
	exchange(&pair);
	assert_true(pair.server.ready && pair.client.ready);
	free_pair(&pair);
}

static void the_peers_certificate_is_read(void **state)
{
	struct pair pair = {0};
	(void)state;
	use_tls(&pair, &all.sensor);
	connect_pair(&pair);
	for (int i = 0; i < 1000 && !(pair.server.ready && pair.client.ready); i++)
		loop_turn(pair.loop, 1000);
	const struct peer_certificate *peer = stream_peer_certificate(pair.server.stream);
	assert_true(peer->present);
	assert_string_equal(peer->issuer, "CN=Test authority");
	assert_int_equal(peer->name_count, 4);
	assert_string_equal(peer->names[0], "sensor-1.test");
	assert_string_equal(peer->names[1], "s@sensor.test");
	assert_string_equal(peer->names[2], "urn:x:1");
	assert_string_equal(peer->names[3], "sensor-1");
	assert_int_equal(strlen(peer->key_pin), 64);
	assert_non_null(strstr(stream_tls_info(pair.server.stream), "TLSv1.3"));
	free_pair(&pair);
}

/* Each is refused, the reason names what was wrong, and what it showed is known by its fingerprint. */
static void refused(const struct identity *client, const char *why)
{
	struct pair pair = {0};
	use_tls(&pair, client);
	connect_pair(&pair);
	turn_until_closed(&pair);
	assert_int_equal(pair.server.closed, 1);
	assert_false(pair.server.ready);
	assert_non_null(strstr(pair.server.why, why));
	assert_int_equal(strlen(pair.server.refused), client ? 64 : 0);
	free_pair(&pair);
}

static void bad_certificates_are_refused(void **state)
{
	(void)state;
	refused(NULL, "no certificate");
	refused(&all.expired, "expired");
	refused(&all.wrong, "issuer");
}

static unsigned sessions_offered;

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	(void)session;
	sessions_offered++;
	return 0;
}

static void test_trap_30_no_ticket_and_no_session(void **state)
{
	struct pair pair = {0};
	(void)state;
	use_tls(&pair, &all.sensor);
	SSL_CTX_clear_options(pair.client_tls->ssl, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(pair.client_tls->ssl, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(pair.client_tls->ssl, on_session);
	connect_pair(&pair);
	stream_write(pair.server.stream, "x", 1);
	turn_until_got(&pair, &pair.client, 1);
	/* A client that has read application data has seen every ticket that came before it. */
	assert_int_equal(pair.client.got.len, 1);
	assert_int_equal(sessions_offered, 0);
	free_pair(&pair);
}

static void starttls_takes_over_after_the_answer(void **state)
{
	struct pair pair = {0};
	(void)state;
	use_tls(&pair, &all.sensor);
	struct tls_context *server_tls = pair.server_tls, *client_tls = pair.client_tls;
	pair.server_tls = pair.client_tls = NULL;
	connect_pair(&pair);
	stream_write(pair.server.stream, "220 go\r\n", 8);
	stream_start_tls(pair.server.stream, server_tls);
	turn_until_got(&pair, &pair.client, 8);
	assert_true(str_equal(buf_view(&pair.client.got), STR("220 go\r\n")));
	assert_false(stream_is_tls(pair.client.stream));
	/* The client goes on with TLS on the same socket. */
	int fd = dup(pair.client_fd);
	stream_free(&pair.client.stream);
	pair.client.stream = stream_new(pair.loop, fd, client_tls, false, &calls, &pair.client);
	stream_write(pair.client.stream, "EHLO again\r\n", 12);
	turn_until_got(&pair, &pair.server, 12);
	assert_true(str_equal(buf_view(&pair.server.got), STR("EHLO again\r\n")));
	assert_true(stream_is_tls(pair.server.stream));
	free_pair(&pair);
	tls_context_free(&server_tls);
	tls_context_free(&client_tls);
}

static void last_words_are_delivered(void **state)
{
	struct pair pair = {0};
	char *much = mem_alloc(200000);
	(void)state;
	connect_pair(&pair);
	pair.server.end_at_newline = true;
	stream_write(pair.client.stream, "hello\n", 6);
	stream_write(pair.client.stream, much, 200000); /* unread when the server ends */
	turn_until_closed(&pair);
	assert_true(str_equal(buf_view(&pair.client.got), STR("bye\n")));
	assert_null(pair.client.why);
	free(much);
	free_pair(&pair);
}

static void a_full_input_is_not_read_on(void **state)
{
	struct pair pair = {0};
	size_t size = 1000000;
	char *bytes = mem_alloc(size);
	(void)state;
	connect_pair(&pair);
	pair.server.keep_input = true;
	stream_limit(pair.server.stream, 10000);
	stream_write(pair.client.stream, bytes, size);
	for (int i = 0; i < 50; i++)
		loop_turn(pair.loop, 1000);
	struct buf *input = stream_input(pair.server.stream);
	assert_in_range(input->len, 10000, 10000 + 16384);
	pair.server.keep_input = false;
	on_readable(pair.server.stream, &pair.server);
	turn_until_got(&pair, &pair.server, size);
	assert_int_equal(pair.server.got.len, size);
	free(bytes);
	free_pair(&pair);
}

static void silence_times_out(void **state)
{
	struct pair pair = {0};
	(void)state;
	connect_pair(&pair);
	stream_timeout(pair.server.stream, 20000);
	turn_until_closed(&pair);
	assert_int_equal(pair.server.closed, 1);
	assert_string_equal(pair.server.why, "timed out");
	free_pair(&pair);
}

static void a_key_of_another_certificate_is_refused(void **state)
{
	struct err err = {0};
	(void)state;
	assert_null(tls_context_new(str_of(all.door.certificate_pem), str_of(all.sensor.key_pem),
		str_of(all.ca.certificate_pem), TLS_CLIENT_REQUIRED, &err));
	assert_int_equal(err.code, ERR_MALFORMED);
	assert_null(tls_context_new(
		STR("nonsense"), STR("nonsense"), STR("nonsense"), TLS_CLIENT_REQUIRED, &err));
	assert_null(tls_context_new(str_of(all.door.certificate_pem), str_of(all.door.key_pem), STR(""),
		TLS_CLIENT_REQUIRED, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_bytes_pass_both_ways),
		cmocka_unit_test(tls_bytes_pass_both_ways),
		cmocka_unit_test(the_peers_certificate_is_read),
		cmocka_unit_test(bad_certificates_are_refused),
		cmocka_unit_test(test_trap_30_no_ticket_and_no_session),
		cmocka_unit_test(starttls_takes_over_after_the_answer),
		cmocka_unit_test(last_words_are_delivered),
		cmocka_unit_test(a_full_input_is_not_read_on),
		cmocka_unit_test(silence_times_out),
		cmocka_unit_test(a_key_of_another_certificate_is_refused),
	};
	return cmocka_run_group_tests(tests, make_identities, free_identities);
}
