#ifndef CLIENT_CHOOSE_H
#define CLIENT_CHOOSE_H

#include "client/screen.h"

/*
 * Columns and order of a table that a person asked for: --columns and --sort. A column is known by its title
 * or by the member of --json that it shows; any case. Members without a column of their own are texts.
 */
#define CHOOSE_COLUMNS 16

struct choice {
	struct column columns[CHOOSE_COLUMNS];
	char titles[CHOOSE_COLUMNS][32];
	size_t count;
	struct json_object *rows; /* in their order; to be put */
};

/* columns and sort NULL: as they are. False: there is no such column; the complaint names those there are. */
bool choice_make(const char *wanted, const char *sort, const struct column *columns, size_t count,
	struct json_object *rows, struct choice *choice, struct buf *complaint);

#endif
