#ifndef WIRE_MAIL_HEAD_H
#define WIRE_MAIL_HEAD_H

#include "base/buf.h"

/*
 * Header fields of mails that we write (RFC 5322, RFC 2047): lines of at most 76 characters, ended by CRLF.
 * No value makes a field of its own: what is no printable ASCII is encoded, and a line feed is no printable
 * ASCII.
 */

/* Unstructured text in UTF-8, such as a subject. */
void mail_head_text(struct buf *out, const char *name, struct str text);
/* A display name in UTF-8 ("" : none) and an address, which mail_address_is() took. */
void mail_head_address(struct buf *out, const char *name, struct str display, struct str address);
/* A value of our own making; any character but printable ASCII and blanks in it is left out. Not folded: at
 * most 900 bytes, the rest is left out. */
void mail_head_plain(struct buf *out, const char *name, struct str value);
/* "Tue, 24 Nov 2026 06:52:00 +0000" */
void mail_head_date(struct buf *out, int64_t time);

/* An address as it may stand in SMTP commands and in fields without quotes: ASCII, one @, RFC 5321 lengths.
 */
bool mail_address_is(struct str address);

#endif
