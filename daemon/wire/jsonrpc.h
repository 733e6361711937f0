#ifndef WIRE_JSONRPC_H
#define WIRE_JSONRPC_H

#include <json-c/json.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * JSON-RPC 2.0, one message a line, in UTF-8. Batches are not taken: a line is a message. Numbers and
 * duplicate keys are json-c's business; what matters here is that a message is exactly one of four shapes.
 */
#define RPC_LINE_MAX  (8u << 20) /* of what a client sends: a note of 1 MB, however it is escaped */
#define RPC_DEPTH_MAX 32

enum rpc_kind { RPC_REQUEST, RPC_NOTIFICATION, RPC_RESULT, RPC_ERROR };

/* JSON-RPC's own codes, then ours. The client makes its exit code of them. */
enum rpc_code {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_UNKNOWN_METHOD = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL = -32603,
	RPC_FAILED = -32000,
	RPC_NOT_FOUND = -32001,
	RPC_DENIED = -32002,
	RPC_UNAVAILABLE = -32003, /* the database, or a room, is away: later again */
	RPC_CONFLICT = -32004     /* the state does not allow it */
};

struct rpc_message {
	enum rpc_kind kind;
	struct json_object *root;   /* owns all below */
	struct json_object *id;     /* string, number; NULL for JSON null and for notifications */
	struct str method;          /* request, notification */
	struct json_object *params; /* object or array, NULL where there are none */
	struct json_object *result; /* may be NULL: JSON null */
	int code;                   /* error */
	struct str text;            /* error */
	struct json_object *data;   /* error; may be NULL */
};

/* Read one line, without its newline. False: *code is RPC_PARSE_ERROR or RPC_INVALID_REQUEST, err says why,
 * and *message is empty but for the id, where it could be read. rpc_free() in both cases. */
bool rpc_read(struct str line, struct rpc_message *message, int *code, struct err *err);
void rpc_free(struct rpc_message *message);

/* Writers put one line with its newline at the end of out. They keep no reference; params, result, data may
 * be NULL. */
void rpc_write_request(struct buf *out, int64_t id, const char *method, struct json_object *params);
void rpc_write_notification(struct buf *out, const char *method, struct json_object *params);
void rpc_write_result(struct buf *out, struct json_object *id, struct json_object *result);
void rpc_write_error(
	struct buf *out, struct json_object *id, int code, struct str text, struct json_object *data);

/*
 * JSON text that may be shown on a terminal and still means the same: DEL, C1 controls, line separators and
 * the characters that turn the direction of text are written as \u escapes. `pretty`: over several lines.
 */
void rpc_json_text(struct buf *out, struct json_object *value, bool pretty);

/* Members of params, checked. A member that is missing leaves *value as it is; a wrong kind is an error that
 * names it. */
bool rpc_member_str(struct json_object *object, const char *name, struct str *value, struct err *err);
bool rpc_member_int(struct json_object *object, const char *name, int64_t min, int64_t max, int64_t *value,
	struct err *err);
bool rpc_member_bool(struct json_object *object, const char *name, bool *value, struct err *err);

#endif
