#ifndef EXCHANGE_CURSOR_H
#define EXCHANGE_CURSOR_H

#include "base/buf.h"
#include "base/hash.h"

/*
 * How far a feed has been pulled: the value of the bookmark "feed/ID", JSON of at most CURSOR_MAX bytes,
 * committed with the page that it stands behind. It is worth nothing for another URL.
 */
#define CURSOR_MAX  4096
#define CURSOR_TEXT 1024

struct cursor {
	char etag[CURSOR_TEXT];     /* feed: of the last page taken, for If-None-Match */
	char modified[64];          /* feed: its Last-Modified */
	char added_after[64];       /* TAXII: filter of the request that comes next */
	char next[CURSOR_TEXT + 1]; /* TAXII: where in it */
	char last[64];              /* TAXII: X-TAXII-Date-Added-Last of the last page taken */
	char digest[SHA256_HEX];    /* of the last page's bytes */
};

/* False if it is none of this URL or none at all: *cursor is an empty one then. */
bool cursor_decode(struct str json, struct str url, struct cursor *cursor);
void cursor_encode(const struct cursor *cursor, struct str url, struct buf *out);
/* Copy a text in, with its NUL; left empty if it has no room holds a control character or is not UTF-8. */
void cursor_set(char *member, size_t size, struct str text);

#endif
