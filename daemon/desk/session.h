#ifndef DESK_SESSION_H
#define DESK_SESSION_H

#include "desk/request.h"

/* Connections of operators: lines in, lines out. */

/* One Unix user, or one address, has at most its own limit, and at most half of what it found: so many
 * together leave places to those who come later. The last places are for leads and admins who sit at the
 * machine. */
#define SESSION_MAX          200
#define SESSION_RESERVE      12         /* of them, for leads and admins of this machine */
#define SESSION_REMOTE_MAX   150        /* so that whoever sits at the machine always gets in */
#define SESSION_USER_MAX     60         /* of one Unix user */
#define SESSION_ADDRESS_MAX  40         /* from one address (or IPv6 /64) */
#define SESSION_REQUESTS_MAX 64         /* unanswered at a time */
#define SESSION_QUEUED_MAX   (4u << 20) /* bytes not yet taken by the client: no more is read meanwhile */

void session_listen(struct desk *desk, int fd, bool remote); /* takes fd, a listening socket */
void session_unlisten(struct desk *desk);
void session_write(struct session *session, struct buf *line);
void session_free_all(struct desk *desk);
/* No more is read from it; it ends once what is queued has been written. */
void session_close(struct session *session);
void session_free(struct session *session); /* at once; what it asked for ends unheard */
/* The certificate of the door for operators from afar, at start and at each reload; connections keep theirs.
 */
void session_load_tls(struct desk *desk);
/* Stop or go on reading from it; by the submit that its bytes are for. */
void session_pause(struct session *session, bool paused);
/* The unanswered request with this id, of this verb; NULL. */
struct request *session_request(struct session *session, const char *noun, int64_t id);

/* who.c: desk.admin into user ids (before the sandbox). */
void who_load(struct desk *desk);
/* Find out who asks, refuse what the verb's row does not allow, else call the handler. */
void who_admit(struct request *request, handler_fn *handler);
/* Is that an admin by the configuration, whatever stands in the database? */
bool who_is_configured(const struct session *session);
/* Is that Unix user a lead or an admin, by the configuration or by what the database said last? */
bool who_leads(const struct desk *desk, uid_t uid);
/* A timer's call, again and again: sessions whose right was taken away end. context: the desk. */
void who_sweep(void *context);
void who_free(struct desk *desk);

#endif
