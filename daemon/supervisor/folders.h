#ifndef SUPERVISOR_FOLDERS_H
#define SUPERVISOR_FOLDERS_H

#include "conf/conf.h"
#include "ipc/graph.h"

/* The folders under `state` and `run`, made at start with the owners that they must have. */
bool folders_make(const struct conf *conf, struct err *err);
/* A path below the state folder; the caller frees. */
char *folders_state(const struct conf *conf, const char *name);
/* One supervisor per state folder: holds until the process ends. ERR_CONFLICT names who has it. */
bool folders_lock(const struct conf *conf, int *lock, struct err *err);

/* The system user of a room, or "db" for PostgreSQL: prefix and name; NULL where we are not root. The caller
 * frees. */
char *folders_user(const struct conf *conf, const char *who);
/* As root every user must be there before anything is started. */
bool folders_users_exist(const struct conf *conf, const enum room_id *rooms, size_t count, struct err *err);
bool folders_give(const char *path, const char *user, struct err *err); /* user NULL: leave it */

#endif
