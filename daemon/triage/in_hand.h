#ifndef TRIAGE_IN_HAND_H
#define TRIAGE_IN_HAND_H

#include "base/err.h"
#include "ipc/edge_handout.h"

/* The entries that were handed to this worker and wait for their turn, in order. */
struct in_hand;

struct in_hand *in_hand_new(void);
void in_hand_free(struct in_hand **hand);
size_t in_hand_count(const struct in_hand *hand);
/* A copy of the frame's body; fd: the sealed memory file with the bytes, or -1; taken. */
bool in_hand_put(struct in_hand *hand, struct str body, int fd, struct err *err);
/* The oldest; valid until the next call but count. False if there is none. */
bool in_hand_take(struct in_hand *hand, struct handout_entry *entry);
void in_hand_clear(struct in_hand *hand);

#endif
