#ifndef MODEL_REPLY_SEAL_H
#define MODEL_REPLY_SEAL_H

#include "base/arena.h"
#include "base/err.h"

/*
 * A case's own reply address, or that of a mail of ours: LOCAL+NUMBER-SEAL@DOMAIN, such as
 * case+2026-000412-k7f3q…@cirt.example; to bounce+N2026-000123-SEAL@… go the bounces of that mail. LOCAL
 * is a mailbox's, whose source such a mail counts for. The seal is of the number, by a key that stands
 * in no database, so that nobody can post into a case by guessing its number: 80 bits of HMAC-SHA256 in
 * lower-case base32 (RFC 4648 section 6), which survives mail servers that change case.
 */
#define REPLY_SEAL   16 /* characters */
#define REPLY_NUMBER 16 /* "N2026-000412", nine digits behind the year at most, and NUL */

enum reply_kind {
	REPLY_NONE,   /* no such address */
	REPLY_FORGED, /* it looks like one, and the seal is not ours */
	REPLY_SEALED
};

/*
 * What an address is. number and mailbox (the address as without number and seal, "case@cirt.example", in the
 * arena) are set for REPLY_SEALED; either may be NULL. Without a key every such address is forged.
 */
enum reply_kind reply_check(struct str key, struct str address, struct arena *arena,
	char number[REPLY_NUMBER], struct str *mailbox);

/* The sealed address of a number. base: "case@cirt.example". STR_NONE without a key or where base is no
 * address.
 */
struct str reply_address(struct str key, struct str base, struct str number, struct arena *arena);

#endif
