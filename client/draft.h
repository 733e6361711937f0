#ifndef CLIENT_DRAFT_H
#define CLIENT_DRAFT_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Texts that people write in an editor: files of their owner alone, $XDG_STATE_HOME/cirt/drafts/NAME-PID.txt
 * (~/.local/state where that is not set), which stay until draft_done().
 */
#define DRAFT_PATH 4096
struct draft {
	char path[DRAFT_PATH];
	struct buf begun; /* what the editor began with */
};

/* Out: draft, to be freed whatever comes back. */
bool draft_begin(const char *name, struct str text, struct draft *draft, struct err *err);
/*
 * Let a person write: VISUAL, EDITOR, sensible-editor or vi, whichever there is first. Out: what the file
 * says then. False where the editor failed, or the file is empty or as it was begun.
 */
bool draft_edit(const struct draft *draft, struct buf *text, struct err *err);
void draft_done(const struct draft *draft); /* it is not needed any more */
void draft_free(struct draft *draft);

/* A text that was written before: a file, or "-" for standard input; UTF-8, of at most max bytes. */
bool text_read(const char *file, size_t max, struct buf *text, struct err *err);

#endif
