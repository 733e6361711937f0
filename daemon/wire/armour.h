#ifndef WIRE_ARMOUR_H
#define WIRE_ARMOUR_H

#include "base/str.h"

/*
 * OpenPGP in text: armoured blocks (RFC 4880 section 6.2) and texts with a signature below them (section 7).
 * Pure, and of any bytes. A block begins and ends on lines of its own, not quoted and not indented.
 */
enum armour_kind {
	ARMOUR_NONE,
	ARMOUR_MESSAGE,   /* encrypted, signed, or both */
	ARMOUR_SIGNED,    /* cleartext with a signature below */
	ARMOUR_SIGNATURE, /* over something else */
	ARMOUR_KEY
};

struct armour {
	enum armour_kind kind;
	struct str before; /* what stands in front of it */
	struct str block;  /* with its first and its last line */
};

/* Cut the next block with its end, and what is in front of it, off *rest; false: *rest has none. */
bool armour_next(struct str *rest, struct armour *armour);
/* What a file is by its first bytes: armour at the start of its first line, or the tag of a binary OpenPGP
 * message (section 4.2) of a kind that can stand there. */
enum armour_kind armour_guess(struct str bytes);

#endif
