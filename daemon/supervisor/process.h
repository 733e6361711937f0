#ifndef SUPERVISOR_PROCESS_H
#define SUPERVISOR_PROCESS_H

#include "ipc/edge_control.h"
#include "proc/channel.h"
#include "supervisor/children.h"
#include "supervisor/kit.h"

/*
 * One room's process: started, watched, started again with back-off, drained. Back-off begins only when it
 * dies before its hello or thrice in ten seconds, and ends at five seconds (trap 20). One that answers no
 * ping for its limit is ended by SIGABRT.
 */
struct process;

enum process_state {
	PROCESS_DOWN,     /* not wanted */
	PROCESS_STARTING, /* no hello yet */
	PROCESS_RUNNING,
	PROCESS_DRAINING,
	PROCESS_WAITING /* down, will be started again */
};

struct process_calls {
	/* It was forked and has its slice and grants: send listeners and edges. */
	void (*starting)(struct process *process, void *context);
	void (*hello)(struct process *process, void *context);
	/* It ended; `process` may be freed in this call. `failed`: it never said hello. */
	void (*down)(struct process *process, const struct control_death *death, bool failed, void *context);
	void (*ask)(struct process *process, uint32_t ask, struct str method, struct str json, void *context);
};

struct process *process_new(struct loop *loop, struct children *children, enum room_id room,
	unsigned instance, struct kit *kit, const struct process_calls *calls, void *context);
void process_free(struct process **process); /* kills what still runs */

void process_start(struct process *process); /* and keep it up from now on */
void process_start_once(struct process *process,
	const char *extra_grant); /* never again; one more grant, empty, by this name */
void process_reload(struct process *process, struct kit *kit); /* new slice and grants, applied */
void process_use(struct process *process, struct kit *kit);    /* from its next start on */
/* Take no more, end; SIGKILL after `patience` microseconds. It is not started again. */
void process_drain(struct process *process, int64_t patience);

enum room_id process_room(const struct process *process);
const struct kit *process_kit(const struct process *process);
unsigned process_instance(const struct process *process);
enum process_state process_state(const struct process *process);
bool process_is_up(const struct process *process);        /* forked, and its control socket stands */
struct channel *process_control(struct process *process); /* NULL if not up */
struct str process_hello(const struct process *process);  /* JSON; "" before it */
void process_note_handout(struct process *process, uint32_t generation); /* its newest hand-out edge */
void process_describe(const struct process *process, struct buf *json);
unsigned process_restarts(const struct process *process);
void process_count_restart(
	struct process *process, unsigned restarts); /* carry over from the one it replaces */

#endif
