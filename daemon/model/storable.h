#ifndef MODEL_STORABLE_H
#define MODEL_STORABLE_H

#include "base/arena.h"

/*
 * Values that PostgreSQL takes (trap 4): UTF-8 without NUL. Bytes that are not UTF-8 become U+FFFD, NUL
 * becomes U+2400, longer text is cut at a character. Returns text itself where nothing had to change;
 * *changed (may be NULL) is set to true, never to false, where something had.
 */
struct str storable_text(struct str text, size_t max, struct arena *arena, bool *changed);

bool storable_is(struct str text, size_t max); /* nothing had to change */

#define MAX_TITLE      400
#define MAX_IDENTIFIER 120
#define MAX_VALUE      2000 /* of an observable */
#define MAX_TEXT       200000
#define MAX_DOC        1048576

#endif
