#include "config.h"

#include "wire/jsonrpc.h"

#include <limits.h>

#include "base/mem.h"

static struct str member_text(struct json_object *object)
{
	return (struct str){json_object_get_string(object), (size_t)json_object_get_string_len(object)};
}

/* An id is a string, a number or null (JSON-RPC 2.0, 4); null is not told from a missing one by json-c's
 * value. */
static bool read_id(struct rpc_message *message, bool *present, struct err *err)
{
	*present = json_object_object_get_ex(message->root, "id", &message->id);
	if (!*present || !message->id)
		return true;
	enum json_type type = json_object_get_type(message->id);
	if (type == json_type_string || type == json_type_int || type == json_type_double)
		return true;
	message->id = NULL;
	return err_set(err, ERR_MALFORMED, "id: expected a string or a number");
}

static bool read_call(struct rpc_message *message, struct json_object *method, bool has_id, struct err *err)
{
	message->kind = has_id ? RPC_REQUEST : RPC_NOTIFICATION;
	if (json_object_get_type(method) != json_type_string)
		return err_set(err, ERR_MALFORMED, "method: expected a string");
	message->method = member_text(method);
	if (json_object_object_get_ex(message->root, "params", &message->params) && message->params) {
		enum json_type type = json_object_get_type(message->params);
		if (type != json_type_object && type != json_type_array)
			return err_set(err, ERR_MALFORMED, "params: expected an object or an array");
	}
	return true;
}

static bool read_failure(struct rpc_message *message, struct json_object *error, struct err *err)
{
	struct json_object *code = NULL, *text = NULL;

	message->kind = RPC_ERROR;
	if (json_object_get_type(error) != json_type_object)
		return err_set(err, ERR_MALFORMED, "error: expected an object");
	if (!json_object_object_get_ex(error, "code", &code) || json_object_get_type(code) != json_type_int)
		return err_set(err, ERR_MALFORMED, "error.code: expected a number");
	if (!json_object_object_get_ex(error, "message", &text) ||
		json_object_get_type(text) != json_type_string)
		return err_set(err, ERR_MALFORMED, "error.message: expected a string");
	int64_t value = json_object_get_int64(code);
	if (value < INT_MIN || value > INT_MAX)
		return err_set(err, ERR_MALFORMED, "error.code: out of range");
	message->code = (int)value;
	message->text = member_text(text);
	json_object_object_get_ex(error, "data", &message->data);
	return true;
}

static bool read_shape(struct rpc_message *message, struct err *err)
{
	struct json_object *version = NULL, *method = NULL, *error = NULL;
	bool has_id;

	if (json_object_get_type(message->root) != json_type_object)
		return err_set(err, ERR_MALFORMED, "expected one object a line");
	if (!read_id(message, &has_id, err))
		return false;
	if (!json_object_object_get_ex(message->root, "jsonrpc", &version) ||
		json_object_get_type(version) != json_type_string ||
		!str_equal(member_text(version), STR("2.0")))
		return err_set(err, ERR_MALFORMED, "jsonrpc: expected \"2.0\"");

	bool has_method = json_object_object_get_ex(message->root, "method", &method);
	bool has_result = json_object_object_get_ex(message->root, "result", &message->result);
	bool has_error = json_object_object_get_ex(message->root, "error", &error);
	if (has_method + has_result + has_error != 1)
		return err_set(err, ERR_MALFORMED, "expected exactly one of method, result and error");
	if (has_method)
		return read_call(message, method, has_id, err);
	if (!has_id)
		return err_set(err, ERR_MALFORMED, "id: missing in an answer");
	if (has_error)
		return read_failure(message, error, err);
	message->kind = RPC_RESULT;
	return true;
}

static struct json_object *parse(struct str line, struct err *err)
{
	if (line.len > INT_MAX) {
		err_set(err, ERR_NOSPACE, "message too long");
		return NULL;
	}
	/* json-c checks UTF-8 only inside strings and passes NUL over; both are settled here. */
	if (!utf8_valid(line) || memchr(line.p ? line.p : "", 0, line.len)) {
		err_set(err, ERR_MALFORMED, "expected JSON in UTF-8");
		return NULL;
	}
	struct json_tokener *tokener = json_tokener_new_ex(RPC_DEPTH_MAX);
	if (!tokener) {
		err_set(err, ERR_SYSTEM, "out of memory");
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	struct json_object *root = json_tokener_parse_ex(tokener, line.p ? line.p : "", (int)line.len);
	enum json_tokener_error problem = json_tokener_get_error(tokener);
	if (problem == json_tokener_continue)
		err_set(err, ERR_MALFORMED, "the message ends inside a value");
	else if (problem != json_tokener_success)
		err_set(err, ERR_MALFORMED, "not JSON: %s at byte %zu", json_tokener_error_desc(problem),
			json_tokener_get_parse_end(tokener));
	else if (!root)
		err_set(err, ERR_MALFORMED, "expected one object a line");
	json_tokener_free(tokener);
	return root;
}

bool rpc_read(struct str line, struct rpc_message *message, int *code, struct err *err)
{
	*message = (struct rpc_message){0};
	*code = RPC_PARSE_ERROR;
	message->root = parse(str_trim(line), err);
	if (!message->root)
		return false;
	*code = RPC_INVALID_REQUEST;
	return read_shape(message, err);
}

void rpc_free(struct rpc_message *message)
{
	json_object_put(message->root);
	*message = (struct rpc_message){0};
}

/* Characters that a terminal acts on or that turn text around, beyond what JSON escapes by itself. */
static bool must_escape(uint32_t c)
{
	return (c >= 0x7f && c <= 0x9f) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

static void append_escaped(struct buf *out, uint32_t c)
{
	if (c < 0x10000) {
		buf_printf(out, "\\u%04x", (unsigned)c);
		return;
	}
	c -= 0x10000;
	buf_printf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + (c >> 10)), (unsigned)(0xdc00 + (c & 0x3ff)));
}

void rpc_json_text(struct buf *out, struct json_object *value, bool pretty)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
	size_t len;

	if (pretty)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	const char *text = json_object_to_json_string_length(value, flags, &len);
	struct str rest = {text, len};
	while (rest.len) {
		struct str from = rest;
		uint32_t c = utf8_next(&rest);
		/* Outside strings JSON is plain ASCII, so an escape can only land inside one. */
		if (must_escape(c) || (c == 0xfffd && from.len - rest.len == 1))
			append_escaped(out, c);
		else
			buf_append(out, from.p, from.len - rest.len);
	}
}

static void append_value(struct buf *out, const char *key, struct json_object *value)
{
	buf_printf(out, ",\"%s\":", key);
	rpc_json_text(out, value, false);
}

void rpc_write_request(struct buf *out, int64_t id, const char *method, struct json_object *params)
{
	buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"method\":", (long long)id);
	buf_json_string(out, str_of(method));
	if (params)
		append_value(out, "params", params);
	buf_text(out, "}\n");
}

void rpc_write_notification(struct buf *out, const char *method, struct json_object *params)
{
	buf_text(out, "{\"jsonrpc\":\"2.0\",\"method\":");
	buf_json_string(out, str_of(method));
	if (params)
		append_value(out, "params", params);
	buf_text(out, "}\n");
}

void rpc_write_result(struct buf *out, struct json_object *id, struct json_object *result)
{
	buf_text(out, "{\"jsonrpc\":\"2.0\"");
	append_value(out, "id", id);
	append_value(out, "result", result);
	buf_text(out, "}\n");
}

void rpc_write_error(
	struct buf *out, struct json_object *id, int code, struct str text, struct json_object *data)
{
	buf_text(out, "{\"jsonrpc\":\"2.0\"");
	append_value(out, "id", id);
	buf_printf(out, ",\"error\":{\"code\":%d,\"message\":", code);
	buf_json_string(out, text);
	if (data)
		append_value(out, "data", data);
	buf_text(out, "}}\n");
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (object && json_object_get_type(object) == json_type_object)
		json_object_object_get_ex(object, name, &value);
	return value;
}

bool rpc_member_str(struct json_object *object, const char *name, struct str *value, struct err *err)
{
	struct json_object *found = member(object, name);

	if (!found)
		return true;
	if (json_object_get_type(found) != json_type_string)
		return err_set(err, ERR_MALFORMED, "%s: expected text", name);
	struct str text = member_text(found);
	if (memchr(text.p, 0, text.len))
		return err_set(err, ERR_MALFORMED, "%s: NUL is not text", name);
	*value = text;
	return true;
}

bool rpc_member_int(struct json_object *object, const char *name, int64_t min, int64_t max, int64_t *value,
	struct err *err)
{
	struct json_object *found = member(object, name);

	if (!found)
		return true;
	if (json_object_get_type(found) != json_type_int || json_object_get_int64(found) < min ||
		json_object_get_int64(found) > max)
		return err_set(err, ERR_MALFORMED, "%s: expected a whole number from %lld to %lld", name,
			(long long)min, (long long)max);
	*value = json_object_get_int64(found);
	return true;
}

bool rpc_member_bool(struct json_object *object, const char *name, bool *value, struct err *err)
{
	struct json_object *found = member(object, name);

	if (!found)
		return true;
	if (json_object_get_type(found) != json_type_boolean)
		return err_set(err, ERR_MALFORMED, "%s: expected true or false", name);
	*value = json_object_get_boolean(found);
	return true;
}
