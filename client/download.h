#ifndef CLIENT_DOWNLOAD_H
#define CLIENT_DOWNLOAD_H

#include "client/command.h"

/*
 * A file on its way here, by its SHA-256. What it holds may be hostile: it goes to a file that nobody can run
 * or to another program, never to a terminal. name: a file that is not there yet, which appears once all of
 * it is here and is what was asked for; NULL: standard output. An exit code, with a message on stderr unless
 * it is EXIT_DONE; the call is connected. *size: bytes.
 */
int download_file(struct call *call, const char *digest, const char *name, int64_t *size);

/* "NAME: WHY" on stderr; EXIT_FAILED. */
int download_complain(const char *name, const char *why);

#endif
