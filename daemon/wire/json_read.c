#include "wire/json_read.h"

#include <limits.h>

bool json_read(struct str text, size_t max_depth, struct json_object **value, struct err *err)
{
	struct json_tokener *tokener = json_tokener_new_ex((int)max_depth);
	struct json_object *object;
	enum json_tokener_error outcome;
	size_t end;

	if (!tokener || text.len > INT_MAX - 1) {
		json_tokener_free(tokener);
		return err_set(err, ERR_NOSPACE, "JSON of %zu bytes is too long", text.len);
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text.p, (int)text.len);
	outcome = json_tokener_get_error(tokener);
	if (outcome ==
		json_tokener_continue) { /* a number is not over before something else stands behind it */
		json_object_put(object);
		object = json_tokener_parse_ex(tokener, "\n", 1);
		outcome = json_tokener_get_error(tokener);
		end = text.len;
	} else {
		end = json_tokener_get_parse_end(tokener);
	}
	json_tokener_free(tokener);
	if (outcome != json_tokener_success)
		return err_set(err, ERR_MALFORMED, "not JSON at byte %zu: %s", end,
			json_tokener_error_desc(outcome));
	if (str_trim((struct str){text.p + end, text.len - end}).len > 0) {
		json_object_put(object);
		return err_set(err, ERR_MALFORMED, "expected the end of the JSON value at byte %zu", end);
	}
	*value = object;
	return true;
}

struct str json_value_text(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string))
		return STR_NONE;
	return (struct str){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
}

struct str json_text(const struct json_object *object, const char *key)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, key, &member))
		return STR_NONE;
	return json_value_text(member);
}

struct json_object *json_of(const struct json_object *object, const char *key, enum json_type type)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, key, &member) || !json_object_is_type(member, type))
		return NULL;
	return member;
}
