#ifndef EXCHANGE_FETCH_H
#define EXCHANGE_FETCH_H

#include "base/err.h"
#include "base/str.h"
#include "proc/loop.h"

/*
 * HTTPS out: libcurl turned by the loop. Certificates are always verified; redirects go to https only, and no
 * credentials follow them to another host; plain http is for loopback addresses, whatever a name resolves to.
 * No proxy is taken from the environment.
 */
struct fetcher;
struct fetch;

struct fetch_request {
	const char *url;
	const char *accept;   /* NULL: any */
	const char *etag;     /* "": no condition */
	const char *modified; /* HTTP date, "": no condition */
	const char *auth;     /* "user:password", "bearer TOKEN", "" */
	uint64_t max_size;    /* of the body, decoded */
};

#define FETCH_TEXT 1024

struct fetch_result {
	const char *problem; /* NULL: the answer came whole, whatever its status */
	long status;
	uint64_t size;
	int64_t retry_after; /* microseconds; -1: not said */
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

/* ca: PEM of those to trust, "" = the system's. */
struct fetcher *fetcher_new(struct loop *loop, struct str ca, struct err *err);
void fetcher_free(struct fetcher **fetcher);                /* cancels all */
void fetcher_trust(struct fetcher *fetcher, struct str ca); /* from the next fetch on */
/* NULL with err: nothing that can be fetched. calls must live as long. Not to be called from a call but
 * ended(). */
struct fetch *fetch_new(struct fetcher *fetcher, const struct fetch_request *request,
	const struct fetch_calls *calls, void *context, struct err *err);
void fetch_cancel(struct fetch **fetch); /* not from ready() or bytes() */
void fetch_resume(struct fetch *fetch);  /* after ready() said no */

#endif
