#include "config.h"

#include "supervisor/member.h"

#include <json-c/json.h>

bool member_of(struct str json, const char *name, struct buf *value)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = json_tokener_parse_ex(tokener, json.p, (int)json.len);
	struct json_object *member = NULL;
	bool found = object && json_object_is_type(object, json_type_object) &&
	             json_object_object_get_ex(object, name, &member) && member;
	if (found)
		buf_text(value, json_object_to_json_string_ext(member, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
	json_tokener_free(tokener);
	return found;
}
