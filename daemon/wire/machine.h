#ifndef WIRE_MACHINE_H
#define WIRE_MACHINE_H

#include "wire/reading.h"

/* What the readers of machines' statements share. */

/* To be asked before the next item is read: false where the host said that it must not be; it is in
 * quarantine then. */
bool machine_may_read(struct reading *reading, struct str part, const char *stage, struct str bytes);
/* An identifier of prefix and text: lower case, what is neither letter, digit nor dot as one "-"; "" where
 * text has none of those. */
struct str machine_word(struct arena *arena, struct str prefix, struct str text);

#endif
