#ifndef CLIENT_CHARSET_H
#define CLIENT_CHARSET_H

#include "base/buf.h"

/*
 * Terminals that do not speak UTF-8. The bytes of UTF-8 are commands to some of them: the second byte of "Û"
 * is what begins an escape sequence where a byte is a character.
 */

/* The terminal's charset by the locale; NULL where it is UTF-8, or where the locale says none (C, POSIX). */
const char *charset_of_terminal(void);
/* Append text, which is UTF-8, in a charset that iconv knows: what that has not is "-" for "·", or \u00db. */
void charset_put(struct str text, const char *charset, struct buf *out);

#endif
