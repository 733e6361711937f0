#ifndef SPOOL_POISON_H
#define SPOOL_POISON_H

#include "base/arena.h"
#include "base/buf.h"
#include "ipc/edge_control.h"
#include "ipc/edge_handout.h"

/*
 * What a worker's death says about the entry it had in hand, and what to try next (trap 9): first without
 * that stage for that item, then without the item, then not at all. Pure: the caller keeps the encoded record
 * in the spool.
 */
enum death { DEATH_OURS, DEATH_KILLED, DEATH_CRASH };

/* Ours: killed or asked to end by us. Killed: a SIGKILL, SIGTERM … that nobody of us sent. Crash: the rest,
 * watchdog included. */
enum death death_of(const struct control_death *death);
const char *death_text(
	const struct control_death *death, char text[64]); /* "signal 11 (Segmentation fault)" */

#define POISON_ITEM_UNKNOWN UINT32_MAX
#define POISON_KILLS        5  /* so many kills by nobody count as one crash, and each further one too */
#define POISON_TRIES        64 /* an entry with more bad items than this is bad as a whole */

struct poison {
	uint16_t crashes;
	uint16_t kills;
	uint16_t blind; /* crashes that the slot said nothing about */
	bool whole;     /* give up: quarantine all of it */
	uint32_t item;  /* the last place, for HOLDING_POISON */
	struct str stage;
	struct str reason;
	struct handout_leave_out *leave_out;
	size_t leave_out_count;
};

/* `bytes` empty: an entry with no past. Strings point into bytes, the array lives in arena. */
bool poison_decode(struct str bytes, struct arena *arena, struct poison *poison);
void poison_encode(const struct poison *poison, struct buf *out);

/* One more death with the entry in hand at this item ("" or POISON_ITEM_UNKNOWN: not known) and stage. True
 * if it counted. */
bool poison_count(struct poison *poison, enum death death, uint32_t item, struct str stage, struct str reason,
	struct arena *arena);
/* The slot as the worker left it: hostile, so cut at its NUL and made printable. */
struct str poison_stage(const struct handout_slot *slot, struct arena *arena);

#endif
