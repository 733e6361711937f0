#ifndef SUPERVISOR_KIT_H
#define SUPERVISOR_KIT_H

#include "conf/conf.h"
#include "ipc/graph.h"
#include "proc/channel.h"
#include "supervisor/database.h"

/*
 * What one configuration gives to the rooms: their slices, and as grants the files it names, read once. Rooms
 * never get a path. A kit stands as long as a room may have to be started with it.
 */
struct kit;

/* Takes arena, in which the strings of conf live. NULL: failed, and arena is freed. One holder. */
struct kit *kit_new(
	const struct conf *conf, struct arena *arena, const struct database *database, struct err *err);
struct kit *kit_hold(struct kit *kit); /* one holder more */
void kit_free(struct kit **kit);       /* one less */
/* CONTROL_SLICE and every CONTROL_GRANT of the room. `before`: what it was sent last; what is gone is taken
 * back. NULL: none */
bool kit_send(const struct kit *kit, enum room_id room, struct channel *control, const struct kit *before,
	struct err *err);
const struct conf *kit_conf(const struct kit *kit);

#endif
