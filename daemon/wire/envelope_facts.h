#ifndef WIRE_ENVELOPE_FACTS_H
#define WIRE_ENVELOPE_FACTS_H

#include "base/arena.h"

/* What a door wrote into the envelope of a mail (doc/formats.md), read back. */
struct envelope_facts {
	struct str door; /* "lmtp", "smtp", "submit" …; "" */
	struct str peer; /* "192.0.2.1:4711", "unix"; "" */
	struct str from;
	bool has_from; /* it says who sent it, be it nobody */
	struct str *to;
	size_t to_count;
	struct str file; /* as who submitted it, or listed it, called it, else the last of the URL that it
	                    came from; "" */
};

/* False: it is none. Strings are in the arena. */
bool envelope_read(struct str envelope, struct arena *arena, struct envelope_facts *facts);

#endif
