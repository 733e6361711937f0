#ifndef CLIENT_SAVED_H
#define CLIENT_SAVED_H

#include "base/buf.h"
#include "base/err.h"
#include "model/verb.h"

/*
 * Words of a command line that a person keeps under a name: `cirt case list --org X --save mine`, later
 * `cirt case list --saved mine`. One file each, $XDG_CONFIG_HOME/cirt/saved/NOUN.VERB/NAME (~/.config where
 * that is not set), readable by its owner alone, a word a line.
 */

/* ERR_MALFORMED: a name is letters, digits, '-' and '_', at most 64. */
bool saved_write(const struct verb *verb, struct str name, struct str words, struct err *err);
/* ERR_NOTFOUND: the text names those that there are. */
bool saved_read(const struct verb *verb, struct str name, struct buf *words, struct err *err);
/* The names, a line each. */
void saved_names(const struct verb *verb, struct buf *names);

#endif
