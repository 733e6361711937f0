#ifndef KEYS_AGENT_H
#define KEYS_AGENT_H

#include <sys/types.h>

#include "keys/home.h"
#include "proc/loop.h"

/*
 * gpg-agent as a child of this room: it neither goes into the background nor outlives us (trap 8). Started
 * when it is needed, ended when it was not for a while, so that an idle room is small.
 */
struct agent;

struct agent *agent_new(struct loop *loop, const struct home *home);
void agent_free(struct agent **agent); /* ends it */
/* There for the next job. False where it could not be started. */
bool agent_need(struct agent *agent, struct err *err);
void agent_rest(struct agent *agent); /* the job is done */
void agent_end(struct agent *agent);  /* now: it hangs, or the keyring was locked */
bool agent_is(const struct agent *agent, pid_t pid);
void agent_gone(struct agent *agent); /* it was waited for */

#endif
