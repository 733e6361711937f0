#ifndef WIRE_MBOX_H
#define WIRE_MBOX_H

#include "base/buf.h"

/*
 * An mbox (RFC 4155 and its elder kin), cut into its mails: each begins with a line "From ADDRESS DATE"
 * behind an empty line, which some leave out where the line is complete. A byte order mark and empty lines
 * may stand in front of the first. Programs differ in what they do to lines of a text that look like that:
 *
 * - mboxo, mboxrd: they get a ">" in front, and mboxrd gives one more to those that have some: one is taken
 *   off.
 * - mboxcl: the same, and Content-Length says how long the body is.
 * - mboxcl2: nothing but Content-Length.
 *
 * Content-Length counts where a mail, or the end, stands behind what it says; else it is the sender's, or a
 * lie, and the next such line ends the mail. The same bytes are cut the same way every time, from any offset
 * that was an end of a mail, in time linear in what is read.
 */
struct mbox {
	struct str bytes; /* all of it */
	size_t offset;    /* where the next mail's "From " line is */
};

bool mbox_guess(struct str bytes); /* it begins as one */
/* The next mail, without its "From " line and the empty line behind it; false at the end. It is in bytes, or
 * in space where lines had to be changed. mbox->offset is behind it. */
bool mbox_next(struct mbox *mbox, struct buf *space, struct str *mail);

#endif
