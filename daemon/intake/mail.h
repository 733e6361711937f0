#ifndef INTAKE_MAIL_H
#define INTAKE_MAIL_H

#include "intake/doors.h"

/*
 * A connection of an MTA or a mail program. A mail is one entry per source among its recipients, streamed to
 * the spool as it comes; 250 is said once all of them are committed. Where the spool is lost on the way: what
 * it cannot have is 451; what it was told to commit is asked for by a bookmark that each entry carries, so
 * that a mail is neither lost nor taken twice.
 */
void mail_new(struct doors *doors, int fd, bool lmtp, uint64_t peer); /* peer: entered in smtp_peers, or 0 */
void mail_free(struct mail *mail);
void mail_resume(struct mail *mail); /* doors or queue have changed: go on if possible */
void mail_drain(struct mail *mail);  /* end it politely as soon as no mail is on its way */

#endif
