#ifndef SUPERVISOR_CHILDREN_H
#define SUPERVISOR_CHILDREN_H

#include <sys/types.h>

#include "base/err.h"
#include "proc/loop.h"

/* Processes that we started, and being told how they end. */
struct children;

typedef void child_ended_fn(pid_t pid, int status, void *context); /* status as of waitpid() */

struct child {
	const char *program;     /* path; "/proc/self/exe" for ourselves */
	const char *const *argv; /* ends with NULL */
	const char *user;        /* become it first; NULL: stay who we are */
	int third;               /* becomes descriptor 3; -1: none */
	int output;              /* becomes standard output; -1: ours */
	const char *folder;      /* working folder; NULL: / */
};

struct children *children_new(struct loop *loop);
void children_free(struct children **children);
/* Beside descriptors 0, 1, 2 the child has `third` only, and of the environment only a few names that steer
 * nothing. */
bool children_start(struct children *children, const struct child *child, child_ended_fn *ended,
	void *context, pid_t *pid, struct err *err);
/* Do not tell of it any more; it is still reaped. */
void children_forget(struct children *children, pid_t pid);

#endif
