#ifndef CLIENT_EDITOR_H
#define CLIENT_EDITOR_H

#include "base/buf.h"
#include "base/err.h"

/*
 * A text that a person writes: $VISUAL, $EDITOR or vi on a private file that begins as `form`. Lines with "#"
 * in front are left out, and blanks around. False: the editor ended with an error, or what it left is empty,
 * longer than 1 MB or not UTF-8; err says which.
 */
bool editor_write(const char *form, struct buf *text, struct err *err);

#endif
