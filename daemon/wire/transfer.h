#ifndef WIRE_TRANSFER_H
#define WIRE_TRANSFER_H

#include "base/arena.h"

/*
 * Bytes that stand encoded in a text which does not say so, or says something else. Decoders as forgiving as
 * the most forgiving mail program: what is hidden must be found, not what is right.
 */

/* At least so many characters of base64 are taken for it: 45 bytes. Shorter runs are words. */
#define TRANSFER_RUN 60

/* The next run of base64 from *at on: lines of nothing else (blanks and quote marks in front apart), or a
 * long run within a line. *at is behind it. False: none. */
bool transfer_base64(struct str text, size_t *at, struct str *run);
/* How many ways to read a run: 1; 4 where its lines are such that words may stand in front which only look
 * like it. */
unsigned transfer_base64_ways(struct str run);
/* All that is base64 in a text, whatever stands between; what follows padding begins anew. The first `skip`
 * characters, 0 to 3, are left out: words may stand in front that only look like it. */
struct str transfer_base64_all(struct str text, unsigned skip, struct arena *arena);
/* Nothing but base64, line ends, and padding at its end, whole? */
bool transfer_base64_is_clean(struct str text);
/* The next uuencoded file ("begin 644 name") from *at on. */
bool transfer_uu(struct str text, struct arena *arena, size_t *at, struct str *name, struct str *decoded);
/* quoted-printable; text itself where nothing is quoted. */
struct str transfer_quoted(struct str text, struct arena *arena);

#endif
