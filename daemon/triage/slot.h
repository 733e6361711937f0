#ifndef TRIAGE_SLOT_H
#define TRIAGE_SLOT_H

#include "base/err.h"
#include "ipc/edge_handout.h"

/*
 * Where this worker is, written into memory that the spool shares, so that it knows what ended us (trap 9).
 * Without a slot all calls do nothing.
 */
struct slot;

struct slot *slot_new(void);
void slot_free(struct slot **slot);
bool slot_map(struct slot *slot, int fd, struct err *err); /* of HANDOUT_SLOT; fd stays the caller's */
void slot_begin(struct slot *slot, uint64_t ticket);       /* 0: nothing in hand */
void slot_at(struct slot *slot, uint32_t item, const char *stage);

#endif
