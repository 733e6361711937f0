#ifndef WIRE_JSON_READ_H
#define WIRE_JSON_READ_H

#include <json-c/json.h>

#include "base/err.h"
#include "base/str.h"

/* json-c, fenced: one whole value, UTF-8, nested at most max_depth deep, nothing behind it. The caller puts
 * it. */
bool json_read(struct str text, size_t max_depth, struct json_object **value, struct err *err);
/* A member that is a string; "" otherwise. Valid as long as the object. */
struct str json_text(const struct json_object *object, const char *key);
/* A member of this type; NULL otherwise. */
struct json_object *json_of(const struct json_object *object, const char *key, enum json_type type);
/* A value as string; "" if it is none. */
struct str json_value_text(struct json_object *value);

#endif
