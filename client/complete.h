#ifndef CLIENT_COMPLETE_H
#define CLIENT_COMPLETE_H

#include "client/place.h"

/*
 * What may come next on a command line, for the shells: `cirt --complete -- WORD...`, the last word being the
 * one that is typed. Prints a line per candidate, "word<TAB>what it is", or "@files" where the shell knows
 * better. Words come from the verb table; numbers and names from the daemon, if it answers soon. Never fails,
 * never says anything else.
 */
int complete_run(const struct place *place, int count, char **words);

#endif
