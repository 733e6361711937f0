#ifndef WIRE_ARCHIVE_NAME_H
#define WIRE_ARCHIVE_NAME_H

#include "base/arena.h"

/* A member's name as a label: "../../etc/passwd" becomes "etc/passwd", "C:\a\b" "a/b"; what is not UTF-8,
 * controls and marks that turn the direction of writing are replaced; the last 255 bytes of it. "" where
 * nothing is left. */
struct str archive_label(struct str name, struct arena *arena);
/* Behind the last slash. */
struct str archive_base_name(struct str label);
/* What a compressed file of that name holds: "log.gz" holds "log"; "data" where the name does not tell. */
struct str archive_stem(struct str name);

#endif
