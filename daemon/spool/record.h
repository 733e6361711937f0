#ifndef SPOOL_RECORD_H
#define SPOOL_RECORD_H

#include "base/buf.h"
#include "ipc/edge_append.h"
#include "model/entry.h"

/* A chunk as it is stored: sixteen pages with LMDB's page header in them, so nothing of the last page is
 * wasted. */
#define RECORD_CHUNK    65520u
#define RECORD_ENVELOPE 4096u
#define RECORD_BOOKMARK 4096u
#define RECORD_OWNER    200u

/* The final record of an entry: with it, it exists. Strings point into what was decoded. */
struct record {
	struct entry entry;
	uint32_t chunks;
	uint64_t charge; /* what it counts against the limit */
	struct append_close bookmark;
};

void record_encode(const struct record *record, struct buf *out);
/* sequence comes from the key. */
bool record_decode(struct str bytes, uint64_t sequence, struct record *record);

/* What an entry of `size` bytes takes of the spool, LMDB's pages and tables included: the limit is counted in
 * this. */
uint64_t record_charge(uint64_t size, size_t envelope, size_t bookmark);

#endif
