#ifndef WIRE_PATTERN_H
#define WIRE_PATTERN_H

#include "base/arena.h"
#include "base/err.h"

/* STIX patterns (STIX 2.1 section 9): the whole grammar is parsed; what is kept are the comparisons. */
enum pattern_operator {
	PATTERN_EQUAL,
	PATTERN_UNEQUAL,
	PATTERN_LESS,
	PATTERN_LESS_EQUAL,
	PATTERN_GREATER,
	PATTERN_GREATER_EQUAL,
	PATTERN_IN,
	PATTERN_LIKE,
	PATTERN_MATCHES,
	PATTERN_SUBSET,
	PATTERN_SUPERSET,
	PATTERN_EXISTS
};

/* One "file:hashes.'SHA-256' = '…'". Strings are in arena memory or point into the pattern. */
struct pattern_comparison {
	struct str type; /* "file" */
	struct str path; /* "hashes.SHA-256": quotes taken off, indexes as they stand: "values[0].data" */
	enum pattern_operator operator;
	bool negated;
	struct str *values; /* literals: strings unescaped, hex, binary and times as written between their
	                       quotes */
	size_t value_count; /* 0 for EXISTS, 1, or more for IN */
};

struct pattern {
	struct pattern_comparison *comparisons;
	size_t comparison_count;
	size_t observation_count; /* how many [ ] */
};

/* Parse; ERR_MALFORMED says at which byte and what was expected. Nesting is at most 100, comparisons at most
 * 10,000. */
bool pattern_parse(struct str text, struct arena *arena, struct pattern *pattern, struct err *err);

#endif
