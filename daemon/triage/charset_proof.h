#ifndef TRIAGE_CHARSET_PROOF_H
#define TRIAGE_CHARSET_PROOF_H

#include "base/err.h"

/*
 * Converts one fixed text from each of twelve charsets of mail to UTF-8. glibc loads converters from disk
 * when they are first used: a sandbox that hides them breaks every charset, and nobody says so (trap 7).
 * False names the first that fails.
 */
bool charset_proof(struct err *err);

/* Folders where glibc keeps its converters; ends with NULL. */
extern const char *const charset_folders[];

#endif
