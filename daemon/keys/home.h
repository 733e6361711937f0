#ifndef KEYS_HOME_H
#define KEYS_HOME_H

#include "conf/conf.h"
#include "proc/sandbox.h"

/* Where the room's keys are: a folder for GnuPG, one for certificates, and the socket of the agent. */
struct home {
	char *folder; /* of the keyring */
	char *gnupg;  /* GNUPGHOME */
	char *smime;
	char *gpg; /* programs; NULL: not installed */
	char *agent;
	int listener; /* the agent's socket, listening: made before the sandbox; -1 without programs */
};

/* As the room's user, before the sandbox: makes what is missing, writes GnuPG's options anew. */
bool home_open(const struct conf *conf, struct home *home, struct err *err);
void home_close(struct home *home);
/* The folder, the programs and what they need to run, nothing else. */
void home_plan(const struct home *home, struct sandbox *plan);

#endif
