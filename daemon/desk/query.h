#ifndef DESK_QUERY_H
#define DESK_QUERY_H

#include "pg/pg.h"

/*
 * One statement out of constant pieces, and its values. Pieces are literals of the program; "$?" in one
 * stands for the next value, given in the same order. Values are parameters, never text of the statement.
 */
#define QUERY_VALUES 40

struct query {
	struct buf sql;
	struct arena *arena; /* of the values */
	struct pg_parameter values[QUERY_VALUES];
	size_t count;  /* values given */
	size_t places; /* "$?" seen */
};

void query_start(struct query *query, struct arena *arena, const char *piece);
void query_add(struct query *query, const char *piece);
void query_str(struct query *query, struct str value); /* p NULL is NULL */
void query_int(struct query *query, int64_t value);
void query_bool(struct query *query, bool value);
void query_end(struct query *query); /* frees the statement */

#endif
