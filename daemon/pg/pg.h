#ifndef PG_PG_H
#define PG_PG_H

#include "base/arena.h"
#include "base/buf.h"
#include "proc/loop.h"

/*
 * One asynchronous connection to PostgreSQL, with a queue of jobs and its own reconnection (back-off 0.1 s …
 * 5 s). A job is one transaction or one statement; its end is one of five outcomes, and the caller must act
 * on each:
 */
enum pg_outcome {
	PG_DONE,    /* the server said so */
	PG_REFUSED, /* the server refused: sqlstate and text; nothing of it is in the database */
	PG_REPEAT,  /* 40001, 40P01, 53…, 57…: nothing happened, the same may be tried again */
	PG_LOST,    /* the connection went before anything could have been committed: try again */
	PG_UNKNOWN  /* the connection went while a commit was on its way: settle it by running it again (trap
	               3) */
};

struct pg;

/* The newest migration in sql/: a room that needs it does not work with an older schema (a test compares). */
#define PG_SCHEMA 131

struct pg_settings {
	struct str conninfo; /* libpq's, without user and password */
	struct str user;
	struct str password;
	struct str search_path; /* "" = default */
	const char *name;       /* application_name: "cirtd store" */
	unsigned schema;        /* the connection is up only once this migration is applied; 0 = do not ask */
	const char *const
		*on_connect; /* statements run first on every connection, ends with NULL; may be NULL */
};

typedef void pg_state_fn(struct pg *pg, bool up, const char *why, void *context);

/* Always sets: TimeZone UTC, client_encoding UTF8, tcp_user_timeout and keepalives, plan_cache_mode. */
struct pg *pg_new(struct loop *loop, const struct pg_settings *settings, pg_state_fn *state, void *context);
void pg_free(struct pg **pg); /* jobs not ended get no call */
bool pg_is_up(const struct pg *pg);
size_t pg_queued(const struct pg *pg);
const char *pg_why_down(const struct pg *pg);

/* A result set, or what was refused. Valid during the call. */
struct pg_result {
	enum pg_outcome outcome;
	char sqlstate[6];
	const char *text;   /* of an error; "" */
	const char *detail; /* of an error, for programs; "" */
	int rows;
	int columns;
	const void *handle; /* PGresult inside pg/ */
};
struct str pg_value(const struct pg_result *result, int row, int column); /* text form; p NULL for NULL */
int64_t pg_value_int(const struct pg_result *result, int row, int column);
int pg_column(const struct pg_result *result, const char *name);

typedef void pg_result_fn(struct pg *pg, const struct pg_result *result, void *context);

/* Parameters: text form, NULL p = NULL; or binary with format 1. Strings are copied. */
struct pg_parameter {
	struct str value;
	bool binary;
	uint32_t type; /* OID; 0 = let the server find out */
};

/* One statement, autocommit. `writes`: a connection lost while it ran is PG_UNKNOWN, else PG_LOST. */
void pg_query(struct pg *pg, const char *sql, const struct pg_parameter *parameters, size_t count,
	bool writes, pg_result_fn *call, void *context);

/*
 * A transaction, step by step, each step's result given to its call before the next is asked for. Begin it;
 * in its call and every later one, ask for exactly one more step or end it. After anything but PG_DONE the
 * transaction is over (rolled back).
 */
void pg_begin(struct pg *pg, const char *begin, pg_result_fn *call, void *context);
void pg_step(struct pg *pg, const char *sql, const struct pg_parameter *parameters, size_t count,
	pg_result_fn *call, void *context);
/* Prepared on first use of this connection under this name. Results in binary where `binary`. */
void pg_step_prepared(struct pg *pg, const char *name, const char *sql, const struct pg_parameter *parameters,
	size_t count, bool binary, pg_result_fn *call, void *context);
/* Several COPYs in one round trip: sql[i] is "COPY … FROM STDIN (FORMAT binary)", data[i] all its bytes,
 * copied by reference: they must live until the call. */
void pg_step_copy(struct pg *pg, const char *const *sql, const struct str *data, size_t count,
	pg_result_fn *call, void *context);
void pg_commit(struct pg *pg, pg_result_fn *call, void *context);
void pg_rollback(struct pg *pg, pg_result_fn *call, void *context);

/* LISTEN: call for each notification, now and after every reconnection. */
typedef void pg_notify_fn(struct pg *pg, const char *channel, const char *payload, void *context);
void pg_listen(struct pg *pg, const char *channel, pg_notify_fn *call, void *context);

/* Build a PostgreSQL array literal, escaped: {"a","b"}. */
void pg_array_begin(struct buf *out);
void pg_array_text(struct buf *out, struct str value); /* p NULL = NULL */
void pg_array_int(struct buf *out, int64_t value);
void pg_array_bytes(struct buf *out, const void *bytes, size_t len); /* bytea */
void pg_array_end(struct buf *out);

/* Binary forms, for parameters and COPY (FORMAT binary): big-endian; a str with its length before it. */
void pg_put_i16(struct buf *out, int16_t value);
void pg_put_i32(struct buf *out, int32_t value);
void pg_put_i64(struct buf *out, int64_t value);
void pg_put_str(struct buf *out, struct str value);
/* The head of an array of `count` elements of this type OID; each then follows as a length and its bytes. */
void pg_binary_array(struct buf *out, uint32_t element, size_t count);

/* Type OIDs, fixed for good in PostgreSQL's catalogue. */
enum {
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_INT8 = 20,
	PG_INT2 = 21,
	PG_INT4 = 23,
	PG_TEXT = 25,
	PG_FLOAT4 = 700,
	PG_DATE = 1082,
	PG_TIMESTAMPTZ = 1184,
	PG_UUID = 2950,
	PG_BOOL_ARRAY = 1000,
	PG_BYTEA_ARRAY = 1001,
	PG_INT2_ARRAY = 1005,
	PG_INT4_ARRAY = 1007,
	PG_TEXT_ARRAY = 1009,
	PG_INT8_ARRAY = 1016,
	PG_DATE_ARRAY = 1182,
	PG_TIMESTAMPTZ_ARRAY = 1185,
	PG_UUID_ARRAY = 2951
};

#endif
