#ifndef DESK_QUARANTINE_H
#define DESK_QUARANTINE_H

#include "desk/request.h"

/* The rows of quarantine that are named, in the request's arena; false: refused. */
bool quarantine_ids(struct request *request, int64_t **ids, size_t *count);
/* Put the bytes of these rows, in the request's arena, into the spool again, and answer. Takes
 * request->state. */
void quarantine_run_again(struct request *request, int64_t *ids, size_t count);

#endif
