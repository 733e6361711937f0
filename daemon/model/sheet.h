#ifndef MODEL_SHEET_H
#define MODEL_SHEET_H

#include <json-c/json.h>

#include "base/buf.h"
#include "base/str.h"

/*
 * Text files of the house: regimes and playbooks. Lines "key = value", in sections that begin with "[word]"
 * or
 * "[word name]"; "#" begins a comment. Which words there are is a table, so that a file that is mistyped is
 * refused with its line, and not half understood.
 */
#define SHEET_SIZE     ((size_t)256 << 10)
#define SHEET_SECTIONS 200

enum sheet_value {
	SHEET_TEXT,
	SHEET_WORD,     /* one of `words` */
	SHEET_WORDS,    /* any of `words`, with commas between them; [] */
	SHEET_NAMES,    /* any words, with commas; in lower case; [] */
	SHEET_NAME,     /* [a-z0-9-] */
	SHEET_TIME,     /* "24 hours", "3 days", "1 month": span_read() of the database counts by it */
	SHEET_WORKTIME, /* or "4 business hours" */
	SHEET_TYPES,    /* RSIT types; [] */
	SHEET_CLASSES,  /* RSIT classes; [] */
	SHEET_SEVERITY  /* a word; the number from which on it is so grave */
};

struct sheet_key {
	const char *section; /* NULL: before any */
	const char *key;
	enum sheet_value value;
	bool needed;
	const char *words; /* by blanks */
};

struct sheet_section {
	const char *word;
	const char *list; /* the member of the result that holds its objects */
	const char *name; /* the member that holds the name behind the word; NULL: there is none */
};

struct sheet_kind {
	const struct sheet_key *keys;         /* ends with key NULL */
	const struct sheet_section *sections; /* ends with word NULL */
};

/* Whom or what a file is for; members of "conditions". For the `keys` of a kind. */
#define SHEET_CONDITIONS                                                                                   \
	{NULL, "types", SHEET_TYPES, false, NULL}, {NULL, "classes", SHEET_CLASSES, false, NULL},          \
		{NULL, "identifiers", SHEET_NAMES, false, NULL}, {NULL, "tags", SHEET_NAMES, false, NULL}, \
		{NULL, "sectors", SHEET_NAMES, false, NULL},                                               \
		{NULL, "kinds", SHEET_WORDS, false,                                                        \
			"government bank isp hospital utility education media business sector-cirt "       \
			"national-cirt other"},                                                            \
		{NULL, "criticality", SHEET_WORDS, false, "normal important critical"},                    \
	{                                                                                                  \
		NULL, "severity", SHEET_SEVERITY, false, NULL                                              \
	}

/* {"title": …, "conditions": {…}, LIST: [{…, "line": N}, …]}; every list is there. NULL: fault says what was
 * expected in line *line. */
struct json_object *sheet_read(const struct sheet_kind *kind, struct str bytes, int *line, struct buf *fault);

#endif
