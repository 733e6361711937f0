#ifndef DESK_REQUEST_H
#define DESK_REQUEST_H

#include <json-c/json.h>

#include "base/hash.h"
#include "base/map.h"
#include "desk/query.h"
#include "model/verb.h"
#include "pg/pg.h"
#include "proc/appender.h"
#include "proc/room.h"
#include "proc/stream.h"
#include "wire/jsonrpc.h"

#define DESK_CONNECTIONS 3
#define DESK_ADMINS      CONF_LIST

struct key_ring;
struct prober;
struct pulse;
struct request;
struct session;

struct desk {
	struct room *room;
	struct pg *pg[DESK_CONNECTIONS];
	struct pg *slow; /* for what takes long: audits */
	struct pulse *pulse;
	struct key_ring *keys;
	struct prober *prober;
	struct appender *appender; /* the way to the spool */
	struct map *listeners;     /* descriptor → struct listener */
	struct session *sessions;
	struct map *asks; /* of the supervisor: number → request */
	uint32_t last_ask;
	uint32_t admins[DESK_ADMINS]; /* user ids of desk.admin */
	size_t admin_count;
	uid_t leads[64]; /* leads and admins with a user here, as the database said last */
	size_t lead_count;
	struct map *operators; /* who.c: whom the database named last */
	struct timer *sweep;   /* rights that were taken away */
	bool sweeping;
	struct tls_context *tls; /* of the door for operators from afar; NULL: none */
	uint64_t requests;
	uint64_t refused;
	uint64_t denied;
	uint64_t submits_broken; /* files of which the client had sent a part when it went */
};

/* Who is at the other end. */
struct operator
{
	char name[64];
	enum role role;
};

struct session {
	struct session *next, *previous;
	struct desk *desk;
	struct stream *stream;
	struct request *requests; /* that have not ended */
	bool remote;              /* over TLS, known by its certificate; else by the socket's peer */
	uint32_t uid;             /* of the peer; not of a remote one */
	char pin[SHA256_HEX];     /* SHA-256 of a remote one's public key; "" */
	uint64_t peer;            /* a remote one's address, for counting */
	int64_t since;            /* when it came; monotonic */
	char user[64];            /* the Unix user, or what stands for one */
	struct operator operator;
	int64_t known; /* when `operator` was looked up; 0: never */
	bool admitted; /* somebody with a role, once */
	bool paused;
	bool ending;
};

typedef void request_rows_fn(struct request *request, const struct pg_result *result);

/*
 * One request until its answer. Outlives its session: what was begun in the database is ended. A handler
 * answers exactly once, by request_answer() or request_refuse(), and does not touch the request after that.
 * Refusing inside a transaction rolls it back.
 */
struct request {
	struct request *next, *previous; /* of the session */
	struct desk *desk;
	struct session *session; /* NULL: it has gone */
	struct operator operator;
	const struct verb *verb;
	struct json_object *id;
	struct json_object *params;
	struct arena *arena;
	struct pg *pg;
	request_rows_fn *rows; /* of the statement that runs */
	bool in_transaction;
	struct query *change; /* of request_change() */
	request_rows_fn *change_rows;
	bool done;                  /* of request_note(): whatever becomes of the journal */
	struct json_object *result; /* of request_answer_result() */
	const char *conflict;       /* what to say where a name is taken; NULL: in general */
	void (*asked)(
		struct request *request, struct json_object *answer); /* of a question to the supervisor */
	void *state;                                                  /* the handler's own */
	void (*closed)(struct request *request);  /* the session has gone: only for what goes on by itself */
	void (*release)(struct request *request); /* frees `state` */
};

/* What runs a verb. Authorisation is done; params are unchecked. */
typedef void handler_fn(struct request *request);

struct request *request_new(
	struct session *session, const struct rpc_message *message, const struct verb *verb);
void request_answer(struct request *request, struct json_object *result); /* takes result */
void request_refuse(struct request *request, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same, with a second line that says what to do. */
void request_refuse_hint(struct request *request, int code, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void request_refuse_err(struct request *request, int code, const struct err *err);
void request_notify(
	struct request *request, const char *method, struct json_object *params); /* takes params */

/* Parameters, checked; false: the request was refused. Missing ones leave *value alone. */
bool request_text(struct request *request, const char *name, struct str *value);
bool request_number(struct request *request, const char *name, int64_t min, int64_t max, int64_t *value);
bool request_flag(struct request *request, const char *name, bool *value);
/* A text or a list of texts, joined by blanks, not empty; *value is in the request's arena. */
bool request_words(struct request *request, const char *name, struct str *value);
bool request_needs(struct request *request, const char *name, struct str *value); /* missing is refused too */
/* The page asked for: --limit and --cursor, a row id. */
bool request_page(struct request *request, int64_t *limit, int64_t *cursor);

/* Database. Each refuses the request itself where the server did not say PG_DONE. */
bool request_database(struct request *request); /* choose a connection; false: none is up, refused */
void request_query(struct request *request, struct query *query, request_rows_fn *rows);
/* BEGIN and who acts; then steps; then the end, whose rows() gets a result without rows. */
void request_begin(struct request *request, request_rows_fn *rows);
void request_step(struct request *request, struct query *query, request_rows_fn *rows);
void request_commit(struct request *request, request_rows_fn *rows);
/* request_begin() with one step; query is in the request's arena. */
void request_change(struct request *request, struct query *query, request_rows_fn *rows);
/* For what the database has no part in: request->result is the answer to what is done already, and the
 * journal is told of it by query (in the request's arena, a SELECT of journal_add()). Where that cannot be,
 * the answer's "journal" is false, and the log says so. */
void request_note(struct request *request, struct query *query);
/* After the commit: answer with request->result. */
void request_answer_result(struct request *request, const struct pg_result *result);
void request_refuse_database(struct request *request, const struct pg_result *result);

/* A column that holds JSON text, parsed; NULL for SQL NULL. */
struct json_object *result_json(const struct pg_result *result, int row, int column);
/* {"items": column 0 of the rows, at most `limit`, "next": column 1 of the last one shown if there are more}
 */
struct json_object *result_page(const struct pg_result *result, int64_t limit);

/* The least busy of the desk's connections that are up; NULL if none is. */
struct pg *desk_pg(const struct desk *desk);
/* A connection as cirt_desk; statements of a person are cut off after a minute. `state` may be NULL. */
struct pg *desk_connect(struct desk *desk, const char *name, bool cut_off, pg_state_fn *state, void *context);

/* handlers.c: the verb and the function of a method; false where there is none. */
bool handler_find(struct str method, const struct verb **verb, handler_fn **handler);
/* What a client says within a request that goes on, as a notification. */
typedef void saying_fn(struct session *session, struct json_object *params);
saying_fn *saying_find(struct str method); /* NULL */

#endif
