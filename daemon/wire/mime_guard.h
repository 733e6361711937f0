#ifndef WIRE_MIME_GUARD_H
#define WIRE_MIME_GUARD_H

#include "wire/reading.h"

/*
 * What must not get into GMime (trap 28): header fields longer than max_header (a group address of 600 KB
 * overflows its stack), header sections longer than max_headers, more parts than memory can hold. Looked for
 * before each header section of a mail, those of its parts and of messages inside it too.
 */
#define GUARD_CUTS 32
struct mime_guard {
	struct str mail; /* what may be parsed: the mail itself where nothing had to go, else a copy in the
	                    arena */
	struct guard_cut {
		struct str bytes;
		const char *reason;
	} cuts[GUARD_CUTS]; /* what was left out; further ones are in the last */
	size_t cut_count;
};

void mime_guard(
	struct str mail, const struct reading_limits *limits, struct arena *arena, struct mime_guard *guard);

#endif
