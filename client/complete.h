#ifndef CLIENT_COMPLETE_H
#define CLIENT_COMPLETE_H

#include "client/place.h"

/*
 * What may come next on a command line, for the shells: `cirt --complete -- WORD...`, the last word being the
 * one that is typed. Prints a line per candidate, "word<TAB>what it is", or "@files" where the shell knows
 * better. Words come from the verb table; numbers and names from the daemon, if it answers soon. Never fails,
 * never says anything else.
 */
int complete_run(const struct place_said *said, int count, char **words);
/* The same for bash: `cirt --complete=bash -- LINE BREAKS`, what stands up to the cursor as it was typed, and
 * COMP_WORDBREAKS. Words are printed as they have to stand there, in the quotes that are open. */
int complete_bash(const struct place_said *said, const char *text, const char *breaks);

#endif
