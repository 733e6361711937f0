#ifndef WIRE_TLD_H
#define WIRE_TLD_H

#include "base/str.h"

/* Longest label that the tables hold; DNS allows 63. */
#define TLD_MAX 63

/* Is this a top-level name of the root zone, or one kept for documents and private use? A-label, any case. */
bool tld_known(struct str label);
/* Is it also the ending of many file names ("main.py", "readme.md"), so that two labels are more likely a
 * file? */
bool tld_is_file_ending(struct str label);
/* Do names below it exist in a network of somebody's own only ("host.local")? */
bool tld_is_private(struct str label);

#endif
