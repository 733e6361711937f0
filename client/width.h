#ifndef CLIENT_WIDTH_H
#define CLIENT_WIDTH_H

#include "base/buf.h"

/* How wide things are on a terminal, in columns: a letter is one, 日 two, a colour of screen.h none. */

/* Columns of the terminal: of COLUMNS where that is set; 80 where nobody knows. */
int width_terminal(void);
int width_text(struct str text);
/* Cut text at a character so that it is at most `width` wide, with "…" at its end. */
void width_cut(struct buf *text, int width);
/*
 * Append text, which begins at column `indent`, broken at blanks so that no line is wider than `width`;
 * further lines begin behind `indent` blanks. A word that is longer than a line stays whole, and so do
 * newlines.
 */
void width_wrap(struct str text, int indent, int width, struct buf *out);

#endif
