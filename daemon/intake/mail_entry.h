#ifndef INTAKE_MAIL_ENTRY_H
#define INTAKE_MAIL_ENTRY_H

#include "intake/doors.h"

/* A mail on its way into the spool for one source. */
struct mail_entry;

enum mail_entry_state {
	MAIL_ENTRY_COMING, /* bytes are given to it */
	MAIL_ENTRY_CLOSED, /* the spool is to commit it */
	MAIL_ENTRY_UNSURE, /* the spool was lost meanwhile: mail_entry_settle() */
	MAIL_ENTRY_COMMITTED,
	MAIL_ENTRY_FULL, /* not in: the spool has no room */
	MAIL_ENTRY_LOST  /* not in: try again later */
};

/* `changed` is called when the spool has decided; never from within a call of this module. */
typedef void mail_entry_fn(void *context);

/* slot, index: the place of its bookmark, used by one mail at a time. NULL: the spool is away. */
struct mail_entry *mail_entry_new(struct appender *appender, uint32_t source, struct str envelope,
	uint64_t size_hint, uint64_t slot, size_t index, mail_entry_fn *changed, void *context);
void mail_entry_free(
	struct mail_entry **entry); /* not yet closed: it is forgotten; closed: it may still commit */
uint32_t mail_entry_source(const struct mail_entry *entry);
enum mail_entry_state mail_entry_state(const struct mail_entry *entry);
const struct entry_id *mail_entry_id(
	const struct mail_entry *entry); /* committed; NULL if the spool could not say it again */
void mail_entry_bytes(struct mail_entry *entry, struct str bytes);
void mail_entry_close(struct mail_entry *entry);
void mail_entry_settle(struct mail_entry *entry); /* the spool may be back: ask it, where that is due */

#endif
