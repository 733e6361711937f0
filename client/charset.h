#ifndef CLIENT_CHARSET_H
#define CLIENT_CHARSET_H

#include "base/buf.h"

/*
 * Terminals that do not speak UTF-8. The bytes of UTF-8 are commands to some of them: the second byte of "Û"
 * is what begins an escape sequence where a byte is a character.
 */

#define CHARSET_NAME 40

/* The terminal's charset by the environment, whatever locale the process runs under; false where it is UTF-8,
 * or where the environment says none: C, POSIX, a locale that is not installed. */
bool charset_of_terminal(char name[CHARSET_NAME]);
/* Append text, which is UTF-8, in a charset that iconv knows: what that has not is "-" for "·", or \u00db. */
void charset_put(struct str text, const char *charset, struct buf *out);

#endif
