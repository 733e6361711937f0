#include "config.h"

#include "exchange/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "exchange/fetch_policy.h"

#define REDIRECTS_MAX   5u
#define CONNECT_SECONDS 20L
#define SPEED_SECONDS   60L
#define CONNECTIONS_MAX 32L
#define HEADERS_MAX     65536u

LIST_HEAD(fetches, fetch);

struct fetcher {
	struct loop *loop;
	CURLM *multi;
	struct timer *timer;
	struct fetches fetches;
	char *ca;
	char *certificate;
	char *key;
	uint64_t timeout;
	uint64_t min_speed;
};

struct fetch {
	LIST_ENTRY(fetch) link;
	struct fetcher *fetcher;
	CURL *easy;
	struct curl_slist *headers;
	const struct fetch_calls *calls;
	void *context;
	char *url;    /* where it is now */
	char *origin; /* where it began */
	bool plain;   /* http */
	bool far;     /* not where an operator sent us */
	bool barred;  /* an address was not one to go to */
	bool posts;
	bool paused;
	bool too_big;
	bool stopped; /* bytes() said no */
	unsigned redirects;
	size_t headers_size;
	uint64_t max_size;
	char problem[CURL_ERROR_SIZE];
	struct fetch_result result;
};

/* curl's sockets and clock in the loop */

struct fetch_watch {
	struct fetcher *fetcher;
	struct watch *watch;
};

static void fetch_end(struct fetch *fetch, CURLcode code);
static void fetch_free(struct fetch *fetch);
static void fetch_go(struct fetch *fetch);

static void fetcher_check(struct fetcher *fetcher)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(fetcher->multi, &left))) {
		struct fetch *fetch = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &fetch);
		fetch_end(fetch, code);
	}
}

static void on_socket_ready(int fd, unsigned ready, void *context)
{
	struct fetcher *fetcher = ((struct fetch_watch *)context)->fetcher;
	int running;
	int what = (ready & LOOP_READ ? CURL_CSELECT_IN : 0) | (ready & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

	curl_multi_socket_action(fetcher->multi, fd, what, &running);
	fetcher_check(fetcher);
}

static void on_timeout(void *context)
{
	struct fetcher *fetcher = context;
	int running;

	curl_multi_socket_action(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	fetcher_check(fetcher);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
	struct fetcher *fetcher = context;
	struct fetch_watch *watch = socket_context;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch)
			watch_free(&watch->watch);
		free(watch);
		curl_multi_assign(fetcher->multi, fd, NULL);
		return 0;
	}
	if (!watch) {
		watch = mem_alloc(sizeof(*watch));
		watch->fetcher = fetcher;
		watch->watch = watch_new(fetcher->loop, fd, on_socket_ready, watch);
		curl_multi_assign(fetcher->multi, fd, watch);
	}
	watch_set(watch->watch,
		(what != CURL_POLL_OUT ? LOOP_READ : 0) | (what != CURL_POLL_IN ? LOOP_WRITE : 0));
	return 0;
}

static int want_timer(CURLM *multi, long milliseconds, void *context)
{
	struct fetcher *fetcher = context;

	(void)multi;
	if (milliseconds < 0)
		timer_stop(fetcher->timer);
	else
		timer_set(fetcher->timer, milliseconds * INT64_C(1000));
	return 0;
}

struct fetcher *fetcher_new(struct loop *loop, const struct fetcher_settings *settings, struct err *err)
{
	struct fetcher *fetcher;
	CURLM *multi = curl_multi_init();

	if (!multi) {
		err_set(err, ERR_SYSTEM, "libcurl does not start");
		return NULL;
	}
	fetcher = mem_alloc(sizeof(*fetcher));
	fetcher->loop = loop;
	fetcher->multi = multi;
	fetcher->timer = timer_new(loop, on_timeout, fetcher);
	LIST_INIT(&fetcher->fetches);
	fetcher_set(fetcher, settings);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, fetcher);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, fetcher);
	curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
	return fetcher;
}

static void keep_text(char **member, struct str text)
{
	if (*member)
		mem_wipe(*member, strlen(*member));
	free(*member);
	*member = text.len > 0 ? mem_strndup(text.p, text.len) : NULL;
}

void fetcher_set(struct fetcher *fetcher, const struct fetcher_settings *settings)
{
	keep_text(&fetcher->ca, settings->ca);
	keep_text(&fetcher->certificate, settings->certificate);
	keep_text(&fetcher->key, settings->key);
	fetcher->timeout = settings->timeout;
	fetcher->min_speed = settings->min_speed;
}

void fetcher_free(struct fetcher **fetcher)
{
	struct fetch *fetch = *fetcher ? LIST_FIRST(&(*fetcher)->fetches) : NULL;

	if (!*fetcher)
		return;
	while (fetch) {
		struct fetch *next = LIST_NEXT(fetch, link);

		fetch_free(fetch);
		fetch = next;
	}
	curl_multi_cleanup((*fetcher)->multi);
	timer_free(&(*fetcher)->timer);
	fetcher_set(*fetcher, &(struct fetcher_settings){.timeout = 0});
	free(*fetcher);
	*fetcher = NULL;
}

/* One transfer */

static void fetch_free(struct fetch *fetch)
{
	LIST_REMOVE(fetch, link);
	curl_multi_remove_handle(fetch->fetcher->multi, fetch->easy);
	curl_easy_cleanup(fetch->easy);
	curl_slist_free_all(fetch->headers);
	free(fetch->url);
	free(fetch->origin);
	free(fetch);
}

static enum trouble trouble_of(const struct fetch *fetch, CURLcode code)
{
	double connected = 0;

	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CONNECT_ERROR:
		return TROUBLE_CERTIFICATE;
	case CURLE_OPERATION_TIMEDOUT:
		curl_easy_getinfo(fetch->easy, CURLINFO_CONNECT_TIME, &connected);
		return connected > 0 ? TROUBLE_SLOW : TROUBLE_UNREACHABLE;
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return TROUBLE_CUT;
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return TROUBLE_MALFORMED;
	default:
		return TROUBLE_UNREACHABLE;
	}
}

static void say_problem(
	const struct fetch *fetch, CURLcode code, struct fetch_result *result, char *text, size_t size)
{
	if (fetch->too_big) {
		result->trouble = TROUBLE_TOO_LARGE;
		(void)snprintf(
			text, size, "it is larger than %llu bytes", (unsigned long long)fetch->max_size);
	} else if (fetch->headers_size > HEADERS_MAX) {
		result->trouble = TROUBLE_TOO_LARGE;
		(void)snprintf(text, size, "its headers are larger than %u bytes", HEADERS_MAX);
	} else if (fetch->barred) {
		result->trouble = fetch->redirects > 0 ? TROUBLE_REDIRECT : TROUBLE_UNREACHABLE;
		(void)snprintf(text, size, "%s leads to an address that is not gone to from there",
			fetch->redirects > 0 ? "a redirect" : "it");
	} else {
		result->trouble = trouble_of(fetch, code);
		(void)snprintf(
			text, size, "%s", fetch->problem[0] ? fetch->problem : curl_easy_strerror(code));
	}
	result->problem = text;
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Go on where the server leads. False: we do not follow, and text says why. */
static bool fetch_follow(struct fetch *fetch, char *text, size_t size)
{
	const char *target = NULL;
	bool plain = false;

	curl_easy_getinfo(fetch->easy, CURLINFO_REDIRECT_URL, &target);
	if (!target)
		(void)snprintf(text, size, "it redirects to nowhere");
	else if (fetch->posts)
		(void)snprintf(text, size, "it redirects what was posted, to %.200s", target);
	else if (fetch->redirects == REDIRECTS_MAX)
		(void)snprintf(text, size, "it redirects more than %u times", REDIRECTS_MAX);
	else if (!url_check(target, &plain, NULL) || plain)
		(void)snprintf(text, size, "it redirects to %.200s: only https is followed", target);
	else
		text[0] = '\0';
	if (text[0])
		return false;
	free(fetch->url);
	fetch->url = mem_strdup(target);
	fetch->plain = false;
	fetch->redirects++;
	fetch->result.size = 0;
	curl_multi_remove_handle(fetch->fetcher->multi, fetch->easy);
	fetch_go(fetch);
	return true;
}

static void fetch_end(struct fetch *fetch, CURLcode code)
{
	struct fetch_result result = fetch->result;
	const struct fetch_calls *calls = fetch->calls;
	void *context = fetch->context;
	char problem[CURL_ERROR_SIZE + 256];

	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &result.status);
	result.problem = NULL;
	result.trouble = TROUBLE_NONE;
	if (code != CURLE_OK) {
		say_problem(fetch, code, &result, problem, sizeof(problem));
	} else if (is_redirect(result.status)) {
		if (fetch_follow(fetch, problem, sizeof(problem)))
			return;
		result.trouble = TROUBLE_REDIRECT;
		result.problem = problem;
	}
	fetch_free(fetch);
	calls->ended(&result, context);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct fetch *fetch = context;
	size_t len = size * count;
	long status = 0;

	if (!fetch->calls->ready(fetch->context)) {
		fetch->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	fetch->result.size += len;
	fetch->too_big = fetch->result.size > fetch->max_size;
	if (fetch->too_big)
		return CURL_WRITEFUNC_ERROR;
	if (status != 200)
		return len;
	fetch->stopped = !fetch->calls->bytes((struct str){bytes, len}, fetch->context);
	return fetch->stopped ? CURL_WRITEFUNC_ERROR : len;
}

/* One that does not fit is not taken: half an ETag is none. */
static void keep_header(char *member, size_t size, struct str value)
{
	bool fits = value.len < size;

	if (fits && value.len > 0)
		memcpy(member, value.p, value.len);
	member[fits ? value.len : 0] = '\0';
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct fetch *fetch = context;
	struct fetch_result *result = &fetch->result;
	struct str rest = {bytes, size * count};
	struct str name;
	struct str value;
	char text[64];

	fetch->headers_size += size * count;
	if (fetch->headers_size > HEADERS_MAX)
		return 0;
	if (str_starts(rest, STR("HTTP/"))) { /* of a redirect, and then of where it leads */
		*result = (struct fetch_result){.retry_after = -1, .date = CLOCK_UNKNOWN};
		return size * count;
	}
	if (!str_split(&rest, ':', &name) || !rest.p)
		return size * count;
	value = str_trim(rest);
	if (str_equal_nocase(name, STR("etag"))) {
		keep_header(result->etag, sizeof(result->etag), value);
	} else if (str_equal_nocase(name, STR("last-modified"))) {
		keep_header(result->modified, sizeof(result->modified), value);
	} else if (str_equal_nocase(name, STR("x-taxii-date-added-last"))) {
		keep_header(result->date_added_last, sizeof(result->date_added_last), value);
	} else if (str_equal_nocase(name, STR("content-type"))) {
		keep_header(result->content_type, sizeof(result->content_type), value);
	} else if (str_equal_nocase(name, STR("date"))) {
		time_t when;

		keep_header(text, sizeof(text), value);
		when = curl_getdate(text, NULL);
		if (when > 0)
			result->date = (int64_t)when * CLOCK_SECOND;
	} else if (str_equal_nocase(name, STR("retry-after"))) {
		result->retry_after = retry_after_parse(value, clock_now());
	}
	return size * count;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct fetch *fetch = context;

	(void)purpose;
	if ((fetch->plain && !address_is_loopback(&address->addr)) ||
		(fetch->far && !address_is_public(&address->addr))) {
		fetch->barred = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void add_header(struct fetch *fetch, const char *name, const char *value)
{
	char *line;

	if (!value || !value[0])
		return;
	line = mem_printf("%s: %s", name, value);
	fetch->headers = curl_slist_append(fetch->headers, line);
	free(line);
}

static void set_authorization(struct fetch *fetch, const char *auth)
{
	char *line;

	if (str_starts(str_of(auth), STR("bearer "))) {
		line = mem_printf("Bearer %s", auth + strlen("bearer "));
	} else if (str_starts(str_of(auth), STR("token "))) {
		line = mem_printf("Token %s", auth + strlen("token "));
	} else if (str_starts(str_of(auth), STR("key "))) {
		line = mem_strdup(auth + strlen("key "));
	} else {
		curl_easy_setopt(fetch->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(fetch->easy, CURLOPT_USERPWD, auth);
		return;
	}
	add_header(fetch, "Authorization", line);
	mem_wipe(line, strlen(line));
	free(line);
}

/* pem: a certificate with its key, of this source alone; NULL: ours. */
static bool set_certificate(struct fetch *fetch, char *pem, struct err *err)
{
	struct curl_blob certificate = {pem ? pem : fetch->fetcher->certificate, 0, CURL_BLOB_COPY};
	struct curl_blob key = {pem ? pem : fetch->fetcher->key, 0, CURL_BLOB_COPY};

	if (!certificate.data || !key.data)
		return err_set(err, ERR_NOTFOUND,
			"its auth wants our certificate: exchange.certificate and exchange.key are not set");
	certificate.len = strlen(certificate.data);
	key.len = strlen(key.data);
	curl_easy_setopt(fetch->easy, CURLOPT_SSLCERT_BLOB, &certificate);
	curl_easy_setopt(fetch->easy, CURLOPT_SSLKEY_BLOB, &key);
	return true;
}

static bool set_auth(struct fetch *fetch, const char *auth, struct err *err)
{
	struct str rest = str_of(auth ? auth : "");
	char *words = mem_strndup(rest.p, rest.len);
	char *pem = strstr(words, "-----BEGIN ");
	char *other = words;
	bool good = true;

	if (str_equal(rest, STR("certificate")) || str_starts(rest, STR("certificate "))) {
		good = set_certificate(fetch, pem, err);
		if (pem)
			*pem = '\0';
		rest = str_trim(str_of(words + strlen("certificate")));
		other = words + (rest.p - words);
		other[rest.len] = '\0';
	}
	if (good && rest.len > 0)
		set_authorization(fetch, other);
	mem_wipe(words, strlen(auth ? auth : ""));
	free(words);
	return good;
}

static void set_tls(struct fetch *fetch)
{
	struct curl_blob ca = {fetch->fetcher->ca, 0, CURL_BLOB_COPY};

	curl_easy_setopt(fetch->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(fetch->easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(fetch->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (!ca.data)
		return;
	ca.len = strlen(ca.data);
	curl_easy_setopt(fetch->easy, CURLOPT_CAINFO_BLOB, &ca);
	curl_easy_setopt(fetch->easy, CURLOPT_CAPATH, NULL);
}

static void set_limits(struct fetch *fetch, uint64_t time)
{
	CURL *easy = fetch->easy;
	const struct fetcher *fetcher = fetch->fetcher;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	if (time == 0 || time > fetcher->timeout)
		time = fetcher->timeout;
	/* 0 would be none. */
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, time < 1000 ? 1L : (long)(time / 1000));
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)fetcher->min_speed);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, SPEED_SECONDS);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetch);
}

/* Ask what fetch->url says. What is not where we began gets nothing that was meant for there. */
static void fetch_go(struct fetch *fetch)
{
	if (fetch->redirects > 0 && !url_same_origin(fetch->url, fetch->origin) && !fetch->far) {
		fetch->far = true;
		curl_slist_free_all(fetch->headers);
		fetch->headers = NULL;
		curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, NULL);
		curl_easy_setopt(fetch->easy, CURLOPT_USERPWD, NULL);
		curl_easy_setopt(fetch->easy, CURLOPT_SSLCERT_BLOB, NULL);
		curl_easy_setopt(fetch->easy, CURLOPT_SSLKEY_BLOB, NULL);
	}
	/* A connection that another feed may keep open would pass the look at its address by. */
	curl_easy_setopt(fetch->easy, CURLOPT_FRESH_CONNECT, fetch->far ? 1L : 0L);
	curl_easy_setopt(fetch->easy, CURLOPT_URL, fetch->url);
	curl_multi_add_handle(fetch->fetcher->multi, fetch->easy);
}

static void set_calls(struct fetch *fetch)
{
	CURL *easy = fetch->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->problem);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
}

static void set_request(struct fetch *fetch, const struct fetch_request *request)
{
	CURL *easy = fetch->easy;

	add_header(fetch, "Accept", request->accept);
	add_header(fetch, "If-None-Match", request->etag);
	add_header(fetch, "If-Modified-Since", request->modified);
	if (request->header)
		fetch->headers = curl_slist_append(fetch->headers, request->header);
	if (request->post.p) {
		add_header(fetch, "Content-Type", "application/json");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->post.len);
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->post.p);
		fetch->headers = curl_slist_append(fetch->headers, "Expect:");
	}
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->headers);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
}

struct fetch *fetch_new(struct fetcher *fetcher, const struct fetch_request *request,
	const struct fetch_calls *calls, void *context, struct err *err)
{
	struct fetch *fetch;
	bool plain;

	if (!url_check(request->url, &plain, err))
		return NULL;
	fetch = mem_alloc(sizeof(*fetch));
	fetch->fetcher = fetcher;
	fetch->calls = calls;
	fetch->context = context;
	fetch->max_size = request->max_size;
	fetch->plain = plain;
	fetch->far = request->far;
	fetch->posts = request->post.p != NULL;
	fetch->result.retry_after = -1;
	fetch->url = mem_strdup(request->url);
	fetch->origin = mem_strdup(request->url);
	LIST_INSERT_HEAD(&fetcher->fetches, fetch, link);
	fetch->easy = curl_easy_init();
	if (!fetch->easy) {
		err_set(err, ERR_SYSTEM, "libcurl does not start");
		fetch_free(fetch);
		return NULL;
	}
	if (!set_auth(fetch, request->auth, err)) {
		fetch_free(fetch);
		return NULL;
	}
	set_request(fetch, request);
	set_tls(fetch);
	set_limits(fetch, request->time);
	set_calls(fetch);
	fetch_go(fetch);
	return fetch;
}

void fetch_cancel(struct fetch **fetch)
{
	if (*fetch)
		fetch_free(*fetch);
	*fetch = NULL;
}

void fetch_resume(struct fetch *fetch)
{
	if (!fetch->paused)
		return;
	fetch->paused = false;
	curl_easy_pause(fetch->easy, CURLPAUSE_CONT);
}
