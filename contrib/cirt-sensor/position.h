#ifndef CIRT_SENSOR_POSITION_H
#define CIRT_SENSOR_POSITION_H

#include "base/err.h"
#include "base/hash.h"

/*
 * How far a file has been sent, in a file of its own that is replaced atomically. The lines of a session are
 * counted by the door too; what it says goes before `acked`, which may lag.
 */
struct position {
	uint8_t session[UUID_LEN];
	uint64_t acked;  /* lines of the session durable, all of them before `offset` */
	uint64_t device; /* of the file, 0 where none has been opened yet */
	uint64_t inode;
	uint64_t offset;
	uint8_t mark[SHA256_LEN]; /* digest of the bytes at its beginning and before `offset`: tail_mark() */
};

/* ERR_NOTFOUND where there is no such file yet. */
bool position_load(const char *path, struct position *position, struct err *err);
bool position_save(const char *path, const struct position *position, struct err *err);

#endif
