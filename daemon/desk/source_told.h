#ifndef DESK_SOURCE_TOLD_H
#define DESK_SOURCE_TOLD_H

#include "desk/request.h"

/*
 * Commits a change of a source and answers with request->result when the doors of this node know of it: what
 * comes next is told from others by it. Where they do not hear of it within a few seconds, since the store or
 * the spool is away, the answer goes all the same: they hear of it when those are back.
 */
void source_commit(struct request *request);

#endif
