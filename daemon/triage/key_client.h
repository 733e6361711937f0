#ifndef TRIAGE_KEY_CLIENT_H
#define TRIAGE_KEY_CLIENT_H

#include "ipc/edge_keys.h"
#include "proc/loop.h"

/*
 * The way to the room that holds the keys: one question at a time, waited for. Between two entries its word
 * that what waited may be asked again comes by the loop.
 */
struct key_client;

typedef void key_ready_fn(void *context);
typedef void key_tick_fn(void *context); /* about once a second while an answer is waited for */

/* limit: of one answer, microseconds; a backstop, the room has a limit of its own. */
struct key_client *key_client_new(struct loop *loop, int64_t limit, key_ready_fn *ready, void *context);
void key_client_free(struct key_client **client);
void key_client_edge(struct key_client *client, int fd); /* takes fd; replaces what was there */
/*
 * Out: *unsealed, in the arena. UNSEAL_AWAY: nobody is there; *lost where the room ended with the question in
 * hand, which may be the question's fault.
 */
void key_client_ask(struct key_client *client, const struct sealed *sealed, struct arena *arena,
	key_tick_fn *tick, void *context, struct unsealed *unsealed, bool *lost);

#endif
