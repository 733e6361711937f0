#ifndef IPC_EDGE_CONTROL_H
#define IPC_EDGE_CONTROL_H

#include "base/arena.h"
#include "base/buf.h"
#include "ipc/graph.h"

/* Supervisor ↔ every room, on descriptor 3 of the room. */
#define CONTROL_VERSION 1
#define CONTROL_FD      3

enum control_type {
	/* supervisor → room */
	CONTROL_SLICE = 1, /* configuration slice: bytes of conf_slice_encode() */
	CONTROL_GRANT,    /* name (the whole body), and a descriptor: a sealed memory file with a certificate,
	                   * key,    password or rules; or a file to append to, a folder. A name again replaces;
	                   * no    descriptor: gone */
	CONTROL_LISTENER, /* name ("lmtp", "sensor", …), address text, and a listening socket */
	CONTROL_EDGE,     /* struct control_edge, and the end of a socket pair */
	CONTROL_GO,       /* start: all of the above that was there is sent; enter the sandbox */
	CONTROL_RELOAD,   /* new slice and grants were sent: apply them */
	CONTROL_DRAIN,    /* take nothing new, finish what is held, then CONTROL_DRAINED and exit 0 */
	CONTROL_PING,
	CONTROL_DEATH,   /* to the spool only: struct control_death, how a triage worker ended */
	CONTROL_ANSWER,  /* to the desk: u32 ask id, u8 ok, JSON */
	CONTROL_REFUSED, /* to the keeper: why the configuration that was read last does not hold (the whole
	                  * body);
	                  * "": it does. Sent behind its hello and whenever that changes */
	/* room → supervisor */
	CONTROL_HELLO = 100, /* JSON: what the sandbox enforces; triage: rules and plugins loaded */
	CONTROL_PONG,        /* the loop turns */
	CONTROL_COUNTERS,    /* u32 count, then name and u64 each; sent every second */
	CONTROL_DRAINED,
	CONTROL_ASK /* from the desk: u32 ask id, method, JSON parameters */
};

struct control_edge {
	enum edge_kind kind;
	enum room_id peer;
	uint16_t instance;   /* of the peer, for triage */
	uint32_t generation; /* rises with every pair made; the newest counts */
};

struct control_death {
	uint16_t instance;
	uint32_t generation; /* of the hand-out edge it held */
	int32_t signal;      /* 0: it exited */
	int32_t status;
	bool by_us;    /* the supervisor killed it: drain, watchdog says false */
	bool watchdog; /* it did not answer */
};

void control_edge_encode(const struct control_edge *edge, struct buf *out);
bool control_edge_decode(struct str body, struct control_edge *edge);
void control_death_encode(const struct control_death *death, struct buf *out);
bool control_death_decode(struct str body, struct control_death *death);
void control_listener_encode(struct str name, struct str address, struct buf *out);
bool control_listener_decode(struct str body, struct str *name, struct str *address);
void control_ask_encode(uint32_t ask, struct str method, struct str json, struct buf *out);
bool control_ask_decode(struct str body, uint32_t *ask, struct str *method, struct str *json);
void control_answer_encode(uint32_t ask, bool ok, struct str json, struct buf *out);
bool control_answer_decode(struct str body, uint32_t *ask, bool *ok, struct str *json);

struct control_counter {
	struct str name;
	uint64_t value;
};
void control_counters_encode(const struct control_counter *counters, size_t count, struct buf *out);
bool control_counters_decode(
	struct str body, struct arena *arena, struct control_counter **counters, size_t *count);

#endif
