#ifndef SUPERVISOR_PAGES_H
#define SUPERVISOR_PAGES_H

#include "base/buf.h"

/* A worker's hello, as the lists that the desk shows: {"items":[…],"next":null,…}. */
void pages_rules(struct str hello, struct buf *page);   /* file, state, rules, scopes, reason */
void pages_plugins(struct str hello, struct buf *page); /* name, version, state, stages, summary, reason */
/* What a checking worker found: the same as pages_rules() with "ok"; false if its hello has no result. */
bool pages_check(struct str hello, struct buf *page);

#endif
