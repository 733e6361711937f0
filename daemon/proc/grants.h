#ifndef PROC_GRANTS_H
#define PROC_GRANTS_H

#include "base/err.h"
#include "base/str.h"

/* What the supervisor handed to a room, by name: bytes of a sealed memory file, or a descriptor as it is. */
struct grants;

struct grants *grants_new(void);
void grants_free(struct grants **grants);
/* Takes fd; -1: the name has nothing any more. What stood there stays readable until grants_retire(). */
bool grants_put(struct grants *grants, struct str name, int fd, struct err *err);
struct str grants_bytes(
	const struct grants *grants, const char *name);       /* "" if none, or not a file of bytes */
int grants_fd(const struct grants *grants, const char *name); /* -1 if none */
bool grants_next(const struct grants *grants, size_t *cursor, const char **name);
void grants_retire(struct grants *grants); /* forget what was replaced */

#endif
