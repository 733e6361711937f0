#ifndef PROC_ROOM_H
#define PROC_ROOM_H

#include "conf/conf.h"
#include "ipc/graph.h"
#include "proc/channel.h"
#include "proc/sandbox.h"

/*
 * What every room's start shares, always in this order: read slice, grants and listeners from the supervisor
 * until CONTROL_GO · open() · become the room's user · load() · sandbox · prove() · start() · CONTROL_HELLO ·
 * edges and listeners · loop. The room ends when its control socket does, and dies with its parent.
 */
struct room;

struct room_spec {
	enum room_id id;
	/* Any of these may be NULL. */
	bool (*open)(struct room *room, struct err *err); /* as started: open what the user may not */
	bool (*load)(
		struct room *room, struct err *err); /* as the user, before Landlock: plugins, own files */
	void (*plan)(struct room *room, struct sandbox *plan);
	bool (*prove)(
		struct room *room, struct err *err); /* inside: show that what is needed works (trap 7) */
	void (*hello)(
		struct room *room, struct buf *json); /* more members of the hello object: ,"key":value */
	/* An edge came up: takes fd, makes a channel of it. Replaces an older one of the same peer. */
	void (*edge)(struct room *room, enum edge_kind kind, enum room_id peer, unsigned instance,
		uint32_t generation, int fd);
	void (*listener)(struct room *room, const char *name, const char *address, int fd);
	bool (*start)(struct room *room, struct err *err);           /* the loop is about to run */
	void (*reload)(struct room *room, const struct conf *old);   /* room_conf() and grants are new */
	void (*drain)(struct room *room);                            /* then call room_drained() when done */
	void (*death)(struct room *room, const void *control_death); /* spool */
	void (*answer)(struct room *room, uint32_t ask, bool ok, struct str json); /* desk */
	void (*refused)(struct room *room, struct str why); /* keeper: CONTROL_REFUSED */
	void (*count)(struct room *room);                   /* once a second: call room_counter() for each */
	void (*stop)(struct room *room);                    /* free everything */
};

/* Never returns before the room ends; its exit status. CONTROL_FD is the control socket. */
int room_main(const struct room_spec *spec, unsigned instance);

struct loop *room_loop(struct room *room);
const struct conf *room_conf(const struct room *room);
unsigned room_instance(const struct room *room);
void *room_state(const struct room *room); /* the room's own struct */
void room_set_state(struct room *room, void *state);
/* Bytes of a grant ("" if there was none): "sensor.certificate", "sensor.key", "sensor.ca",
 * "mail.certificate", "mail.key", "db.conninfo", "db.password", "rules", "exchange.ca",
 * "exchange.certificate", "exchange.key", "anchor.key", "anchor.public" … */
/* Valid until the end of the next reload() call. */
struct str room_grant(const struct room *room, const char *name);
/* Walk the grants by name: start with *cursor = 0; false at the end. */
bool room_grant_next(const struct room *room, size_t *cursor, const char **name);
int room_grant_fd(const struct room *room, const char *name);           /* -1 if none; stays the room's */
void room_counter(struct room *room, const char *name, uint64_t value); /* during count() */
/* To the supervisor, as if it had asked: by a room that does one thing after another without turning its
 * loop. */
void room_alive(struct room *room);
void room_drained(struct room *room); /* again: does nothing */
void room_fail(struct room *room, const struct err *err)
	__attribute__((noreturn)); /* log and end; the supervisor restarts */
/* Desk: ask the supervisor; the answer comes by answer(). */
void room_ask(struct room *room, uint32_t ask, const char *method, struct str json);
/* What the sandbox holds of: the JSON object said in the hello. */
struct str room_enforced(const struct room *room);

#endif
