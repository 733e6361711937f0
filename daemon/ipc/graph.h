#ifndef IPC_GRAPH_H
#define IPC_GRAPH_H

#include "base/str.h"

/* The rooms, and who may talk to whom: one line per edge, and nobody else (design: doc/architecture.md). */
enum room_id {
	ROOM_SUPERVISOR,
	ROOM_INTAKE,
	ROOM_SPOOL,
	ROOM_TRIAGE, /* several: instance 0, 1 … */
	ROOM_STORE,
	ROOM_KEEPER,
	ROOM_DESK,
	ROOM_EXCHANGE,
	ROOM_KEYS,
	ROOM_COURIER,
	ROOMS
};

#define ROOM_BIT(room) (1u << (room))
#define ROOM_ALL       ((1u << ROOMS) - 1)

/* Which protocol an edge speaks: one header each, ipc/edge_*.h. `a` is the client of it. */
enum edge_kind {
	EDGE_CONTROL,
	EDGE_APPEND,
	EDGE_HANDOUT,
	EDGE_ITEMS,
	EDGE_HOLDING,
	EDGE_KEYS,
	EDGE_PROBE,
	EDGE_KINDS
};

struct edge {
	enum edge_kind kind;
	enum room_id a;
	enum room_id b;
};

/* intake, exchange, desk —append→ spool; spool —handout→ triage; triage —items→ store; spool —holding→ store;
 * triage, desk, courier —keys→ keys; desk —probe→ exchange
 */
extern const struct edge graph[];
extern const size_t graph_count;

const char *room_name(enum room_id room);
bool room_parse(struct str name, enum room_id *room);

#endif
