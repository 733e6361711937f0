#ifndef WIRE_ARMOUR_H
#define WIRE_ARMOUR_H

#include "base/arena.h"

/*
 * OpenPGP in text: armoured blocks (RFC 4880 section 6.2) and texts with a signature below them (section 7).
 * Pure, linear, and of any bytes. Mail programs quote and indent blocks, put them behind words of their line,
 * join their lines and lose their ends: they are found all the same, and armour_clean() makes them whole.
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
	bool odd;          /* it is not as programs write it: take armour_clean() of it */
	bool unclosed;     /* it has no end: block is what may belong to it */
	/* for armour_clean() */
	struct str quote; /* in front of each line: "> " */
	struct str inner; /* between the marks */
	size_t mark;
};

/* Cut the next block with its end, and what is in front of it, off *rest; false: *rest has none. */
bool armour_next(struct str *rest, struct armour *armour);
/* The block as it was before it was sent: nothing in front of its lines, and with an end. */
struct str armour_clean(const struct armour *armour, struct arena *arena);
/* What a file is by its first bytes: armour at the start of its first line that is not empty, or the tag of a
 * binary OpenPGP packet (section 4.2) of a kind that can stand there. */
enum armour_kind armour_guess(struct str bytes);

#endif
