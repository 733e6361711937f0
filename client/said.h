#ifndef CLIENT_SAID_H
#define CLIENT_SAID_H

#include "base/buf.h"
#include "base/str.h"

/*
 * What the desk says when it refuses, in the language of the operator. The desk itself speaks English, since
 * its texts stand in journal and logs too. A text is known by its shape: said_table[] holds the shapes, with
 * {1} … {9} where a value stands; po/collect makes it.
 */

/* The shapes, marked for the catalogues; ended by NULL. */
extern const char *const said_table[];

/* `text` in the language of the operator, added to `out`; as it is where no shape fits or no catalogue has
 * it. */
void said_translate(struct str text, struct buf *out);

/* Whether `text` has this shape; `values` are views into it. The leftmost fit of each piece counts. */
#define SAID_VALUES 9
bool said_fits(const char *shape, struct str text, struct str values[SAID_VALUES]);

#endif
