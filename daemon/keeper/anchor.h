#ifndef KEEPER_ANCHOR_H
#define KEEPER_ANCHOR_H

#include "model/anchor.h"

/*
 * Adds signed anchors to a file outside the database (trap 16). The file is only ever added to; where it goes
 * on is read from its end, once.
 */
struct anchorer;

struct anchorer_settings {
	int file; /* open for appending */
	int log;  /* the same file, open for reading */
	struct str private_pem;
	struct str public_pem;
	struct str node;
};

/* ERR_CORRUPT: there is a file, but no anchor of this key at its end. */
bool anchorer_open(const struct anchorer_settings *settings, struct anchorer **anchorer, struct err *err);
void anchorer_free(struct anchorer **anchorer); /* descriptors stay the caller's; keys are wiped */
/* number, previous, at and node of anchor are filled; on return the line is in the file, with fsync. */
bool anchorer_add(struct anchorer *anchorer, struct anchor *anchor, struct err *err);
uint64_t anchorer_number(const struct anchorer *anchorer); /* of the last */

#endif
