#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include "client/place.h"
#include "wire/jsonrpc.h"

/* The connection to the daemon's desk; blocking. */
struct link;

/* ERR_NOTFOUND: nobody listens there; ERR_DENIED: one may not. */
bool link_open(const struct place *place, struct link **link, struct err *err);
void link_close(struct link **link);
/* Ask, and hand every notification that comes before the answer to `notify` (may be NULL). Out: the answer,
 * RPC_RESULT or RPC_ERROR, to be freed. False: the connection broke. */
typedef void link_notify_fn(const struct rpc_message *message, void *context);
bool link_call(struct link *link, const char *method, struct json_object *params, link_notify_fn *notify,
	void *context, struct rpc_message *answer, struct err *err);
/* The pieces of it, for conversations: send a request or notification, wait for the next message. */
int64_t link_ask(
	struct link *link, const char *method, struct json_object *params, struct err *err); /* id, or -1 */
bool link_tell(struct link *link, const char *method, struct json_object *params, struct err *err);
bool link_next(struct link *link, struct rpc_message *message, struct err *err);
bool link_waiting(struct link *link); /* a message can be read without waiting for long */

#endif
