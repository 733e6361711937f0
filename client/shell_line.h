#ifndef CLIENT_SHELL_LINE_H
#define CLIENT_SHELL_LINE_H

#include "base/buf.h"

/*
 * A command line as bash hands it to completions: one text, quoted as it was typed, up to the cursor. Bash
 * takes an answer for what stands behind the last blank or break (":", "=": COMP_WORDBREAKS) that is not
 * quoted, and behind a quote that is open.
 */

#define SHELL_WORDS 256

struct shell_line {
	char *words[SHELL_WORDS]; /* without quotes; the last is the one that is typed, "" behind a blank */
	int count;                /* 1 at least */
	char quote;               /* that is open at the end: '"', '\'', or 0 */
	size_t kept;              /* bytes of the last word that bash leaves where they are */
};

/* Nothing of it is run: $(…) and `…` are letters. What is more than SHELL_WORDS is left out. Free. */
void shell_line_read(struct str text, struct str breaks, struct shell_line *line);
void shell_line_free(struct shell_line *line);
/* Append `word` as it has to stand for the word that is typed. False: it cannot be quoted so. */
bool shell_line_quote(const struct shell_line *line, struct str word, struct buf *out);

#endif
