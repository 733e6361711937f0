#ifndef WIRE_LETTER_H
#define WIRE_LETTER_H

#include "base/arena.h"
#include "model/letter.h"

/*
 * Where a mail belongs, out of its header fields. Pure, and of any bytes.
 */

/*
 * The message ids in the values of In-Reply-To and References (RFC 5322 section 3.6.4), without brackets,
 * nearest first: In-Reply-To, then References from its end. Each once, LETTER_REFERENCES at most, with a
 * space between them. White space inside an id, as of folding, is left out; what has no @ or more than
 * LETTER_ID bytes is none. Where a field has no bracket at all its words count that look like an id: some
 * gateways leave the brackets out.
 */
struct str letter_replies(struct str in_reply_to, struct str references, struct arena *arena);

/*
 * What stands in brackets in a subject, trimmed, with a line end behind each: "CIRT-XX 2026-000412",
 * "BANK #5512". LETTER_TAGS at most; one that is empty or longer than LETTER_TAG bytes is none.
 */
struct str letter_tags(struct str subject, struct arena *arena);

#endif
