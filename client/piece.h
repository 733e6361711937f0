#ifndef CLIENT_PIECE_H
#define CLIENT_PIECE_H

#include "base/buf.h"
#include "base/err.h"

/*
 * A file, cut into what become entries: an mbox into its mails, lines of JSON at about 1 MB, anything else
 * whole. Cut the same way every time, so that an offset says where to go on.
 */
enum piece_kind { PIECE_WHOLE, PIECE_MBOX, PIECE_LINES };

struct pieces {
	enum piece_kind kind;
	struct str bytes; /* all of the file */
	size_t offset;    /* where the next piece starts */
};

#define PIECE_LINES_SIZE (1u << 20)

/* By the first bytes: "From " starts an mbox; several lines that each start with "{" are lines. */
enum piece_kind piece_guess(struct str bytes);
/* The next piece; false at the end. Of an mbox a mail, as wire/mbox.h has it; space holds the bytes where
 * they are not those of the file. pieces->offset is behind it. */
bool piece_next(struct pieces *pieces, struct buf *space, struct str *piece);

#endif
