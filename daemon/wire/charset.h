#ifndef WIRE_CHARSET_H
#define WIRE_CHARSET_H

#include "base/arena.h"
#include "base/buf.h"

/* What a conversion has to confess (trap 7: never silently). */
struct charset_outcome {
	bool unknown;  /* no such charset here: what is not ASCII became U+FFFD */
	bool guessed;  /* the bytes are not what was declared: read as windows-1252 */
	bool borrowed; /* a header field without a charset: read in that of the text below it */
	size_t bad;    /* bytes that are not valid in the charset: each became U+FFFD */
};

/*
 * Bytes in a charset, by any name that mail gives it, as UTF-8 in arena memory (or the bytes themselves). ""
 * and us-ascii are guessed: UTF-8 if it is that, else windows-1252. A byte order mark says more than any
 * name, and is left out.
 */
struct str charset_to_utf8(
	struct str charset, struct str bytes, struct arena *arena, struct charset_outcome *outcome);

/*
 * The text behind a byte order mark: of UTF-8 (in place), of UTF-16 and UTF-32 of either order, which are
 * converted into *out (at most half as long again; *bad counts what is no character: each became U+FFFD).
 * Bytes without a mark are returned as they are.
 */
struct str charset_unmark(struct str bytes, struct buf *out, size_t *bad);
/* The same, in arena memory. */
struct str charset_unmarked(struct str bytes, struct arena *arena, size_t *bad);

#endif
