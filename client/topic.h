#ifndef CLIENT_TOPIC_H
#define CLIENT_TOPIC_H

#include "client/screen.h"

/*
 * Help by what happened instead of by verb: `cirt help task` names the situations, `cirt help someone phoned`
 * shows what to type in one. Every command of it is one that the verb table has; a test holds that.
 */
struct topic_step {
	const char *command; /* as typed */
	const char *why;     /* translated when printed */
};

struct topic {
	const char *words;              /* that people say for it, by blanks */
	const char *title;              /* translated when printed */
	const struct topic_step *steps; /* ended by command NULL */
};

extern const struct topic topics[]; /* ended by words NULL */

/* The situations, a line each. */
void topic_list(struct screen *screen);
/* Each by its first word. */
void topic_each(const void *context, void (*each)(const void *context, struct str word, const char *title));
/* Show those that fit best what was said; false: none does. */
bool topic_show(struct screen *screen, struct str said);

#endif
