#ifndef WIRE_ENTITY_H
#define WIRE_ENTITY_H

#include "base/str.h"

/*
 * The character reference of HTML that begins text (its first byte is '&'): how many bytes it takes, 0 if it
 * is none. A number may lack its semicolon and have any count of leading zeros, as browsers take it; a name
 * needs its semicolon. *character is one that may stand in a text: control characters become spaces, what
 * Unicode does not have U+FFFD.
 */
size_t entity_at(struct str text, uint32_t *character);

#endif
