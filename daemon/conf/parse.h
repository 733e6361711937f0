#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include "conf/mistake.h"

/* One assignment in a file: `name = value` or `name = {value, …}` in `section title { }`. */
struct setting {
	struct str section; /* "" = top level */
	struct str title;   /* of a section `plugin`; else "" */
	struct str name;
	struct str *values;
	size_t count;
	int line; /* of the first value */
};

struct settings {
	struct setting *list;
	size_t count;
};

/*
 * Blank comments out in place, so that lines keep their numbers, and find what is not closed. libconfuse 3.3
 * counts three lines for one that has a comment, takes none inside a list, and takes a section without its
 * end. False: the text cannot be parsed.
 */
bool conf_strip(struct buf *text, struct mistakes *mistakes);

/* The settings of a stripped text. Unknown options and sections are mistakes and left out. */
void conf_parse(struct buf *text, struct mistakes *mistakes, struct settings *settings);

#endif
