#ifndef WIRE_FIELDS_H
#define WIRE_FIELDS_H

#include "base/arena.h"

/*
 * "Name: value" lines that machines write into mails: header fields (RFC 5322, folded) and the flat YAML of
 * X-ARF before version 3, whose quotes and tags ("!!python/unicode 'x'") are taken off. Lines that are
 * neither a field nor the continuation of one are passed over.
 */
struct fields {
	struct str *names;  /* as written */
	struct str *values; /* one line each, trimmed; in the arena */
	size_t count;
};

#define FIELDS_MAX 500 /* what stands behind them is not read */

void fields_read(struct str text, bool yaml, struct arena *arena, struct fields *fields);
/* The first of that name, without regard to case; "" if there is none. */
struct str fields_value(const struct fields *fields, const char *name);
/* A date as machines write it: RFC 3339, also with a blank in its middle and without a zone (UTC), or
 * RFC 5322. */
bool fields_time(struct str text, int64_t *time);

#endif
