#include "config.h"

#include "exchange/fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define REDIRECTS_MAX   5L
#define CONNECT_SECONDS 20L
#define STALL_SECONDS   60L
#define CONNECTIONS_MAX 16L
#define RETRY_AFTER_MAX (INT64_C(86400) * CLOCK_SECOND)

LIST_HEAD(fetches, fetch);

struct fetcher {
	struct loop *loop;
	CURLM *multi;
	struct timer *timer;
	struct fetches fetches;
	char *ca;
};

struct fetch {
	LIST_ENTRY(fetch) link;
	struct fetcher *fetcher;
	CURL *easy;
	struct curl_slist *headers;
	const struct fetch_calls *calls;
	void *context;
	bool plain; /* http */
	bool paused;
	bool too_big;
	bool stopped; /* bytes() said no */
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

struct fetcher *fetcher_new(struct loop *loop, struct str ca, struct err *err)
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
	fetcher_trust(fetcher, ca);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, fetcher);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, fetcher);
	curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
	return fetcher;
}

void fetcher_trust(struct fetcher *fetcher, struct str ca)
{
	free(fetcher->ca);
	fetcher->ca = ca.len > 0 ? mem_strndup(ca.p, ca.len) : NULL;
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
	free((*fetcher)->ca);
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
	free(fetch);
}

static void fetch_end(struct fetch *fetch, CURLcode code)
{
	struct fetch_result result = fetch->result;
	const struct fetch_calls *calls = fetch->calls;
	void *context = fetch->context;
	char problem[CURL_ERROR_SIZE + 64];

	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &result.status);
	if (fetch->too_big)
		(void)snprintf(problem, sizeof(problem), "it is larger than %llu bytes",
			(unsigned long long)fetch->max_size);
	else if (code != CURLE_OK)
		(void)snprintf(problem, sizeof(problem), "%s",
			fetch->problem[0] ? fetch->problem : curl_easy_strerror(code));
	result.problem = code == CURLE_OK ? NULL : problem;
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

/* Seconds or an HTTP date (RFC 9110 10.2.3). */
static int64_t retry_after(const char *text)
{
	uint64_t seconds = 0;
	time_t when;
	int64_t wait;

	if (str_to_u64(str_of(text), &seconds)) {
		wait = seconds > 86400 ? RETRY_AFTER_MAX : (int64_t)seconds * CLOCK_SECOND;
	} else {
		when = curl_getdate(text, NULL);
		if (when < 0)
			return -1;
		wait = (int64_t)when * CLOCK_SECOND - clock_now();
	}
	if (wait < 0)
		wait = 0;
	return wait > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : wait;
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

	if (str_starts(rest, STR("HTTP/"))) { /* of a redirect, and then of where it leads */
		*result = (struct fetch_result){.retry_after = -1};
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
	} else if (str_equal_nocase(name, STR("retry-after"))) {
		keep_header(text, sizeof(text), value);
		result->retry_after = retry_after(text);
	}
	return size * count;
}

static bool address_is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 ==
		       127;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct fetch *fetch = context;

	(void)purpose;
	if (fetch->plain && !address_is_loopback(&address->addr))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* https, or http to what must turn out to be a loopback address. */
static bool fetch_scheme(struct fetch *fetch, const char *url, struct err *err)
{
	CURLU *parts = curl_url();
	char *scheme = NULL;
	bool ok = parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	          curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK;

	if (ok)
		fetch->plain = strcmp(scheme, "http") == 0;
	if (!ok || (!fetch->plain && strcmp(scheme, "https") != 0))
		ok = err_set(err, ERR_MALFORMED, "expected an https URL");
	curl_free(scheme);
	curl_url_cleanup(parts);
	return ok;
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

static void set_auth(struct fetch *fetch, const char *auth)
{
	if (!auth || !auth[0])
		return;
	if (str_starts(str_of(auth), STR("bearer "))) {
		curl_easy_setopt(fetch->easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		curl_easy_setopt(fetch->easy, CURLOPT_XOAUTH2_BEARER, auth + strlen("bearer "));
	} else {
		curl_easy_setopt(fetch->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(fetch->easy, CURLOPT_USERPWD, auth);
	}
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

static void set_limits(struct fetch *fetch)
{
	CURL *easy = fetch->easy;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, fetch->plain ? "http,https" : "https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetch);
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

struct fetch *fetch_new(struct fetcher *fetcher, const struct fetch_request *request,
	const struct fetch_calls *calls, void *context, struct err *err)
{
	struct fetch *fetch = mem_alloc(sizeof(*fetch));

	fetch->fetcher = fetcher;
	fetch->calls = calls;
	fetch->context = context;
	fetch->max_size = request->max_size;
	fetch->result.retry_after = -1;
	if (!fetch_scheme(fetch, request->url, err)) {
		free(fetch);
		return NULL;
	}
	fetch->easy = curl_easy_init();
	if (!fetch->easy) {
		free(fetch);
		err_set(err, ERR_SYSTEM, "libcurl does not start");
		return NULL;
	}
	add_header(fetch, "Accept", request->accept);
	add_header(fetch, "If-None-Match", request->etag);
	add_header(fetch, "If-Modified-Since", request->modified);
	curl_easy_setopt(fetch->easy, CURLOPT_URL, request->url);
	curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, fetch->headers);
	curl_easy_setopt(fetch->easy, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	curl_easy_setopt(fetch->easy, CURLOPT_ACCEPT_ENCODING, "");
	set_auth(fetch, request->auth);
	set_tls(fetch);
	set_limits(fetch);
	set_calls(fetch);
	LIST_INSERT_HEAD(&fetcher->fetches, fetch, link);
	curl_multi_add_handle(fetcher->multi, fetch->easy);
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
