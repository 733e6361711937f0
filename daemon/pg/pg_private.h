#ifndef PG_PG_PRIVATE_H
#define PG_PG_PRIVATE_H

#include <libpq-fe.h>

#include "base/map.h"
#include "pg/pg.h"

/* Inside pg/ only: the connection, its queue, and what is on the wire. */

enum pg_phase {
	PG_PHASE_DOWN,       /* the back-off timer runs */
	PG_PHASE_CONNECTING, /* PQconnectPoll */
	PG_PHASE_UP          /* usable, or running its first statements */
};

/* What is on the wire. One at a time. */
enum pg_op_kind {
	PG_OP_NONE,
	PG_OP_SETUP, /* the first statements of a connection */
	PG_OP_QUERY, /* a job of its own */
	PG_OP_BEGIN,
	PG_OP_STEP,
	PG_OP_PREPARE, /* its execution follows as PG_OP_STEP */
	PG_OP_COPY,
	PG_OP_COMMIT,
	PG_OP_ROLLBACK
};

struct pg_op {
	enum pg_op_kind kind;
	pg_result_fn *call;
	void *context;
	PGresult *result; /* the last one, or the first error */
	bool writes;
	/* PG_OP_COPY: which of the data is being sent, and how far */
	const struct str *copy_data;
	size_t copy_count;
	size_t copy_next; /* the COPY that will ask next */
	size_t copy_offset;
	bool copying;
};

/* Parameters as libpq wants them. */
struct pg_bound {
	const char **values;
	int *lengths;
	int *formats;
	Oid *types;
	int count;
};

struct pg_job {
	struct pg_job *next;
	struct arena *arena; /* holds all of it */
	bool transaction;
	const char *sql;
	struct pg_bound bound;
	bool writes;
	pg_result_fn *call;
	void *context;
};

/* A transaction between its begin and its end. */
enum pg_transaction {
	PG_NO_TRANSACTION,
	PG_TRANSACTION_OPEN, /* its owner has the turn, or a step runs */
	PG_TRANSACTION_LOST  /* the connection went while its owner had the turn: the next step is told */
};

struct pg_listen {
	struct pg_listen *next;
	char *channel;
	pg_notify_fn *call;
	void *context;
};

struct pg {
	struct loop *loop;
	PGconn *conn;
	struct watch *watch;
	struct timer *retry; /* back-off, and the limit of one attempt */
	struct timer *soon;  /* tells what may not be told from within the asking call */
	enum pg_phase phase;
	bool ready;  /* set up: jobs may run */
	bool broken; /* libpq would not send: the loss is told by `soon` */
	int64_t delay;
	char why_down[256];
	struct pg_job *first;
	struct pg_job **last;
	size_t queued;
	struct pg_op op;
	enum pg_transaction transaction;
	struct map *prepared;
	struct arena *kept; /* of a statement to execute once it is prepared */
	const char *kept_name;
	struct pg_bound kept_bound;
	bool kept_binary;
	struct pg_listen *listens;
	pg_state_fn *state;
	void *context;
	/* settings */
	char *conninfo;
	char *user;
	char *password;
	char *search_path;
	char *name;
	const char *const *on_connect;
	unsigned schema;
};

/* pg_connection.c */
void pg_connection_start(struct pg *pg);
void pg_connection_lost(struct pg *pg, const char *why); /* closes, tells the op's owner, and starts over */
void pg_connection_close(struct pg *pg);
void pg_ready(int fd, unsigned ready, void *context);

/* pg_op.c */
void pg_op_start(struct pg *pg, enum pg_op_kind kind, pg_result_fn *call, void *context);
void pg_op_sent(struct pg *pg, int sent);        /* after a PQsend…: 0 is a lost connection */
void pg_op_advance(struct pg *pg);               /* send, receive, tell */
void pg_op_lost(struct pg *pg, const char *why); /* the connection went: tell the owner */
void pg_run_next(struct pg *pg);                 /* the next job, if there is a turn */
enum pg_outcome pg_outcome_of(const char *sqlstate);

/* pg_param.c */
void pg_bind(
	struct arena *arena, const struct pg_parameter *parameters, size_t count, struct pg_bound *bound);

#endif
