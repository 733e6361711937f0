#ifndef LOOKALIKE_NAMES_H
#define LOOKALIKE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* The names that may be imitated, and how a host resembles one of them. Look-ups go by sorted keys: what a
 * host costs does not grow with the number of names, but for its logarithm. */
struct names;

struct likeness {
	const char *domain;       /* that it imitates */
	const char *organisation; /* whose; "" */
	unsigned score;           /* 0..100 */
	char how[96];             /* "letters that look the same" */
};

/*
 * Lines "domain" or "domain,organisation"; "#" starts a comment, a first line "domain,organisation" is a
 * heading. NULL: error says which line, and what was expected. Empty is fine.
 */
struct names *names_parse(const char *bytes, size_t len, char *error, size_t size);
void names_free(struct names *names);
size_t names_count(const struct names *names);
/* The name itself, or one below it. */
bool names_hold(const struct names *names, const char *host);
/* What it resembles most; false: nothing. A host that names_hold() resembles nothing. host: lower case,
 * A-labels, no dot at its end. */
bool names_resemble(const struct names *names, const char *host, struct likeness *likeness);

#endif
