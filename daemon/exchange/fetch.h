#ifndef EXCHANGE_FETCH_H
#define EXCHANGE_FETCH_H

#include "base/err.h"
#include "base/str.h"
#include "exchange/trouble.h"
#include "proc/loop.h"

/*
 * HTTPS out: libcurl turned by the loop. Certificates are always verified; where a fetch may go is
 * exchange/fetch_policy.h's to say, also of redirects, which only a GET follows. No proxy is taken from the
 * environment. A fetch has a time in which it must be over, and a speed that it must keep.
 */
struct fetcher;
struct fetch;

struct fetch_request {
	const char *url;
	const char *accept;   /* NULL: any */
	const char *etag;     /* "": no condition */
	const char *modified; /* HTTP date, "": no condition */
	/* "user:password", "bearer TOKEN", "token TOKEN", "key KEY" (the header Authorization: KEY),
	 * "certificate" or "certificate" and one of the others behind a blank, ""; behind "certificate" may
	 * stand, last, the PEM of one with its key, else it is the fetcher's */
	const char *auth;
	const char *header; /* one more, "NAME: VALUE"; NULL */
	struct str post;    /* JSON to be posted; p NULL: GET */
	bool far;           /* a server named this URL, no operator: public addresses only */
	uint64_t max_size;  /* of the body, decoded */
	uint64_t time; /* microseconds, where that is less than the fetcher's timeout; 0: the fetcher's */
};

#define FETCH_TEXT 1024

struct fetch_result {
	const char *problem; /* NULL: the answer came whole, whatever its status */
	enum trouble trouble;
	long status;
	uint64_t size;
	int64_t retry_after; /* microseconds; -1: not said */
	int64_t date;        /* the server's clock; CLOCK_UNKNOWN */
	char etag[FETCH_TEXT];
	char modified[64];
	char date_added_last[64]; /* X-TAXII-Date-Added-Last */
	char content_type[128];
};

struct fetch_calls {
	bool (*ready)(void *context);                   /* false: not now; fetch_resume() says when */
	bool (*bytes)(struct str bytes, void *context); /* of a 200; false ends the transfer */
	void (*ended)(const struct fetch_result *result,
		void *context); /* once, unless cancelled; the fetch is gone then */
};

struct fetcher_settings {
	struct str ca;          /* PEM of those to trust, "" = the system's */
	struct str certificate; /* PEM of ours, with its chain; "" = none */
	struct str key;
	uint64_t timeout;   /* microseconds for all of a fetch */
	uint64_t min_speed; /* bytes a second, over a minute */
};

struct fetcher *fetcher_new(struct loop *loop, const struct fetcher_settings *settings, struct err *err);
void fetcher_free(struct fetcher **fetcher); /* cancels all */
void fetcher_set(
	struct fetcher *fetcher, const struct fetcher_settings *settings); /* from the next fetch on */
/* NULL with err: nothing that can be fetched. calls must live as long. Not to be called from a call but
 * ended(). */
struct fetch *fetch_new(struct fetcher *fetcher, const struct fetch_request *request,
	const struct fetch_calls *calls, void *context, struct err *err);
void fetch_cancel(struct fetch **fetch); /* not from ready() or bytes() */
void fetch_resume(struct fetch *fetch);  /* after ready() said no */

#endif
