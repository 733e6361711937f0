#ifndef EXCHANGE_FEED_PRIVATE_H
#define EXCHANGE_FEED_PRIVATE_H

#include "base/hash.h"
#include "exchange/collector.h"
#include "exchange/cursor.h"
#include "exchange/feed.h"
#include "wire/taxii.h"

/* Inside of feed*.c: what the engine (feed.c) and the ways to pull (one file each) share. */

enum feed_state {
	FEED_WAITING, /* for its time */
	FEED_DUE,     /* for spool or credentials */
	FEED_ASKING,  /* for a bookmark */
	FEED_FETCHING,
	FEED_COMMITTING
};

#define FEED_OWNER 200

/* What is to be done next, as the way to pull says it. */
struct feed_step {
	enum { STEP_DONE, STEP_ASK, STEP_FETCH } kind;
	char owner[FEED_OWNER]; /* ASK: whose bookmark; FETCH: under which one the page is committed */
	bool also;              /* FETCH: commit the cursor of the feed as a whole, feed->cursor, too */
	bool keep;              /* FETCH: a list; its bytes are for the way itself, not for the spool */
	enum format format;     /* FETCH */
	bool json;              /* FETCH: expected is one JSON object or list, whole */
	const char *accept;
	bool conditional; /* FETCH: with If-None-Match and If-Modified-Since of feed->before */
	struct buf url;
	struct buf post;   /* "" = GET */
	struct buf header; /* one more; "" = none */
	struct buf member; /* more of the envelope: ,"name":value */
};

enum feed_page {
	PAGE_NEW,   /* commit it with feed->after */
	PAGE_KNOWN, /* nothing new in it; feed->after holds all the same */
	PAGE_BAD    /* err says why; *trouble is preset to MALFORMED */
};

/* A way to pull. All get the feed; its own state is feed->way. */
struct feed_way {
	void *(*begin)(struct feed *feed); /* NULL: it has no state */
	void (*end)(void *way);
	void (*start)(struct feed *feed); /* a pull begins */
	bool (*next)(struct feed *feed, struct feed_step *step, struct err *err);
	void (*known)(struct feed *feed, struct str value); /* answer of STEP_ASK; p NULL: there is none */
	void (*bytes)(struct feed *feed, struct str bytes); /* of the body, as they come */
	enum feed_page (*page)(struct feed *feed, const struct fetch_result *result, enum trouble *trouble,
		struct err *err);         /* a 200 came whole, or a 304 */
	void (*taken)(struct feed *feed); /* the page is durable (or known) */
	/* A status that is none of these: true: go on with next(). */
	bool (*forgive)(struct feed *feed, long status);
	/* What was asked for could not be had: true: it is noted, go on with next(). */
	bool (*spare)(struct feed *feed, enum trouble trouble, const char *why);
	/* The pull is over. Microseconds to when there is something to be tried again, -1: nothing. */
	int64_t (*ended)(struct feed *feed);
	/* Ask in the next pull for these, too: rows of feed_item, as a JSON list. */
	void (*again)(struct feed *feed, struct str items);
	bool cursor; /* feed->cursor is asked of the spool before the first step */
};

extern const struct feed_way feed_way_file;
extern const struct feed_way feed_way_taxii;
extern const struct feed_way feed_way_misp_feed;
extern const struct feed_way feed_way_misp;
extern const struct feed_way feed_way_shadowserver;

struct feed {
	struct collector *collector;
	const struct feed_way *how;
	void *way;
	struct arena *arena;  /* of source */
	struct source source; /* as the table has it; strings in arena */
	struct str filter;    /* its settings, "" if there is none */
	struct str since;
	struct str download;
	char *url;
	char *identity; /* what the cursor is worth something for: url and filter */
	char owner[FEED_OWNER];
	enum feed_state state;
	struct timer *timer;
	unsigned failures;
	bool told;                  /* the server said when to come back */
	uint8_t secret[SHA256_LEN]; /* digest of the credentials that the last pull began with */
	unsigned pages;             /* taken in this pull */
	int64_t began;              /* this pull, of clock_monotonic() */
	bool have_cursor;
	struct cursor cursor; /* of the feed: durable */
	struct cursor after;  /* once the page at hand is committed */
	struct feed_step step;
	struct fetch *fetch;
	uint32_t append; /* open one, or the bookmark's question */
	struct buf held; /* the front of the page, until its append begins */
	struct sha256 *digest;
	struct taxii_scan *scan; /* of a JSON page */
	uint64_t size;
	/* What was wrong with a part, where the rest went well; "" of the text: nothing. */
	enum trouble part;
	char part_problem[200];
};

/* Note that a part could not be had: the first one is shown. */
void feed_part(struct feed *feed, enum trouble trouble, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
