#ifndef WARNINGLIST_EXPRESSIONS_H
#define WARNINGLIST_EXPRESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Regular expressions in the dialect of MISP (PCRE), with or without delimiters and flags: "^a.*b$",
 * "/^a.*b$/i". Steps, depth and memory of each match are limited, so that no value can make one run long; a
 * match that reaches a limit is none.
 */
struct expressions;

struct expressions *expressions_new(void);
void expressions_free(struct expressions *expressions);
bool expressions_add(struct expressions *expressions, uint32_t list, const char *text);

typedef void expressions_fn(uint32_t list, const char *text, void *context);
/* At most `most` are tried; returns how many of them were not. */
unsigned expressions_find(const struct expressions *expressions, const char *value, size_t len, unsigned most,
	expressions_fn *match, void *context);

#endif
