#ifndef IPC_RULES_BUNDLE_H
#define IPC_RULES_BUNDLE_H

#include "base/buf.h"

/*
 * The grant `rules`: every rule file of the folder conf.rules in one sealed memory file, sorted by name, each
 * as u32 length of name, u32 length of bytes, name, bytes; little-endian.
 */
void rules_bundle_add(struct buf *bundle, struct str name, struct str bytes);
/* Cut the first file off *rest. 1: here it is; 0: that was all; -1: broken. Both point into the bundle. */
int rules_bundle_next(struct str *rest, struct str *name, struct str *bytes);

#endif
