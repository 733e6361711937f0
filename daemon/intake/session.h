#ifndef INTAKE_SESSION_H
#define INTAKE_SESSION_H

#include "base/hash.h"
#include "base/str.h"

/*
 * Sensor sessions of this room (trap 1): who speaks in one, and how many of its batches are on their way. A
 * sensor that comes back may find its old connection still here, with lines in flight: the new one takes the
 * session over, and the bookmark is not asked for before those have ended, so that what it says is final.
 */
struct sessions;
struct session;

/* The one who speaks in it. */
struct session_holder {
	struct session *session; /* NULL: in none */
	void (*settled)(struct session_holder
			*holder); /* nothing of the session is on its way: once after session_take() */
	void (*taken)(
		struct session_holder *holder); /* somebody else speaks now; the holder has left already */
};

#define SESSION_OWNER 64 /* "session/SOURCE/UUID" */

struct sessions *sessions_new(void);
void sessions_free(struct sessions **sessions);
/* Sets holder->session; settled() may be called at once. */
void session_take(struct sessions *sessions, uint32_t source, const uint8_t uuid[UUID_LEN],
	struct session_holder *holder);
void session_leave(struct session_holder *holder);       /* no call after this; a no-op if it is in none */
void session_begin(struct session *session);             /* a batch is on its way … */
void session_end(struct session *session);               /* … and has ended; the session may be gone then */
struct str session_owner(const struct session *session); /* of its bookmark */

#endif
