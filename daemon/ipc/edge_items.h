#ifndef IPC_EDGE_ITEMS_H
#define IPC_EDGE_ITEMS_H

#include "base/buf.h"

/* triage → store: what was found in an entry. A claim about the content of that ticket's entry, nothing else.
 */
#define ITEMS_VERSION 3
/* A finding longer than this (a mail with large attachments) comes as a sealed memory file beside the frame,
 * and is empty in it. */
#define ITEMS_INLINE (4u << 20)

enum items_type {
	ITEMS_PIECE = 1, /* u64 ticket, u8 last, bytes of finding_encode(): pieces in order; `last` ends the
	                    entry */
	ITEMS_REFUSED    /* u64 ticket, stage, reason: the whole entry cannot be read; it goes to quarantine
	                    whole */
};

void items_piece_encode(uint64_t ticket, bool last, struct str finding, struct buf *out);
bool items_piece_decode(struct str body, uint64_t *ticket, bool *last, struct str *finding);
void items_refused_encode(uint64_t ticket, struct str stage, struct str reason, struct buf *out);
bool items_refused_decode(struct str body, uint64_t *ticket, struct str *stage, struct str *reason);

#endif
