#ifndef DATABASE_H
#define DATABASE_H

/* A connection of a test with the server that with-postgres started; include after unit.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pg/pg.h"

struct database {
	struct loop *loop;
	struct pg *pg;
	bool own_loop;
	int told;
	int rows;
	char value[8192]; /* first column of the first row; "SQLSTATE: text" where it was refused */
};

static inline struct pg *database_connect(
	struct loop *loop, const char *user, pg_state_fn *state, void *context, const char *const *on_connect)
{
	char *conninfo = mem_printf("host=%s dbname=cirt", getenv("PGHOST") ? getenv("PGHOST") : "");
	struct pg_settings settings = {.conninfo = str_of(conninfo),
		.user = str_of(user),
		.search_path = STR("cirt, pg_temp"),
		.name = "test",
		.on_connect = on_connect};
	struct pg *pg = pg_new(loop, &settings, state, context);
	free(conninfo);
	return pg;
}

static inline struct database *database_open(struct loop *loop, const char *user)
{
	struct database *db = mem_alloc(sizeof *db);
	db->own_loop = !loop;
	db->loop = loop ? loop : loop_new();
	db->pg = database_connect(db->loop, user, NULL, NULL, NULL);
	return db;
}

static inline void database_close(struct database **db)
{
	pg_free(&(*db)->pg);
	if ((*db)->own_loop)
		loop_free(&(*db)->loop);
	free(*db);
	*db = NULL;
}

static inline void database_told(struct pg *pg, const struct pg_result *result, void *context)
{
	struct database *db = context;
	(void)pg;
	struct str value = result->rows ? pg_value(result, 0, 0) : STR_NONE;
	db->told++;
	db->rows = result->rows;
	if (result->outcome == PG_DONE)
		snprintf(db->value, sizeof db->value, "%.*s", (int)value.len, value.p ? value.p : "");
	else
		snprintf(db->value, sizeof db->value, "%s: %s", result->sqlstate, result->text);
}

/* Ask without waiting for the answer. */
static inline void database_send(struct database *db, const char *sql)
{
	pg_query(db->pg, sql, NULL, 0, true, database_told, db);
}

static inline void database_wait(struct database *db, int target)
{
	for (int64_t end = clock_monotonic() + 60 * CLOCK_SECOND;
		db->told < target && clock_monotonic() < end;)
		loop_turn(db->loop, CLOCK_SECOND / 20);
	assert_int_equal(db->told, target);
}

static inline const char *database_ask(struct database *db, const char *sql)
{
	int target = db->told + 1;
	database_send(db, sql);
	database_wait(db, target);
	return db->value;
}

#endif
