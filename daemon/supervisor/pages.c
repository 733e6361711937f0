#include "config.h"

#include "supervisor/pages.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "base/mem.h"

static struct json_object *parse(struct str json)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = json_tokener_parse_ex(tokener, json.p, (int)json.len);
	json_tokener_free(tokener);
	return object;
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *found = NULL;
	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, name, &found);
	return found;
}

/* Take a member over from one object into another. */
static void carry(struct json_object *to, struct json_object *from, const char *name)
{
	struct json_object *value = member(from, name);
	if (value)
		json_object_object_add(to, name, json_object_get(value));
}

static void put(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, json_object_new_string(text));
}

static struct json_object *new_page(struct json_object **items)
{
	struct json_object *page = json_object_new_object();
	*items = json_object_new_array();
	json_object_object_add(page, "items", *items);
	json_object_object_add(page, "next", NULL);
	return page;
}

static void print(struct json_object *page, struct buf *out)
{
	buf_text(out, json_object_to_json_string_ext(page, JSON_C_TO_STRING_PLAIN));
	json_object_put(page);
}

static size_t length(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

static void add_loaded(struct json_object *items, struct json_object *from)
{
	for (size_t i = 0; i < length(from); i++) {
		struct json_object *one = json_object_array_get_idx(from, i);
		struct json_object *item = json_object_new_object();
		carry(item, one, "file");
		put(item, "state", "loaded");
		carry(item, one, "rules");
		carry(item, one, "scopes");
		json_object_array_add(items, item);
	}
}

static void add_refused(struct json_object *items, struct json_object *from)
{
	for (size_t i = 0; i < length(from); i++) {
		struct json_object *one = json_object_array_get_idx(from, i);
		struct json_object *item = json_object_new_object();
		char *reason = mem_printf("line %d: %s", json_object_get_int(member(one, "line")),
			json_object_get_string(member(one, "text")));
		carry(item, one, "file");
		put(item, "state", "refused");
		carry(item, one, "line");
		put(item, "reason", reason);
		json_object_array_add(items, item);
		free(reason);
	}
}

static void add_slow(struct json_object *items, struct json_object *from)
{
	for (size_t i = 0; i < length(from); i++) {
		struct json_object *one = json_object_array_get_idx(from, i);
		struct json_object *item = json_object_new_object();
		bool finished = json_object_get_boolean(member(one, "finished"));
		char *reason = mem_printf("%s %d ms on a hostile text, %d are allowed",
			finished ? "took" : "was stopped after", json_object_get_int(member(one, "ms")),
			json_object_get_int(member(one, "limit_ms")));
		carry(item, one, "file");
		carry(item, one, "rule");
		put(item, "state", "slow");
		put(item, "reason", reason);
		json_object_array_add(items, item);
		free(reason);
	}
}

void pages_rules(struct str hello, struct buf *page)
{
	struct json_object *object = parse(hello);
	struct json_object *rules = member(object, "rules");
	struct json_object *items;
	struct json_object *made = new_page(&items);
	add_loaded(items, member(rules, "files"));
	add_refused(items, member(rules, "refused"));
	carry(made, rules, "engine");
	carry(made, rules, "digest");
	carry(made, rules, "scopes");
	print(made, page);
	json_object_put(object);
}

void pages_plugins(struct str hello, struct buf *page)
{
	struct json_object *object = parse(hello);
	struct json_object *plugins = member(object, "plugins");
	struct json_object *refused = member(object, "plugins_refused");
	struct json_object *items;
	struct json_object *made = new_page(&items);
	for (size_t i = 0; i < length(plugins); i++) {
		struct json_object *item = json_object_get(json_object_array_get_idx(plugins, i));
		put(item, "state", "loaded");
		json_object_array_add(items, item);
	}
	for (size_t i = 0; i < length(refused); i++) {
		struct json_object *one = json_object_array_get_idx(refused, i);
		struct json_object *item = json_object_new_object();
		carry(item, one, "name");
		put(item, "state", "refused");
		json_object_object_add(item, "reason", json_object_get(member(one, "text")));
		json_object_array_add(items, item);
	}
	print(made, page);
	json_object_put(object);
}

bool pages_check(struct str hello, struct buf *page)
{
	struct json_object *object = parse(hello);
	struct json_object *check = member(object, "check");
	struct json_object *items;
	if (check) {
		struct json_object *made = new_page(&items);
		add_refused(items, member(check, "refused"));
		add_slow(items, member(check, "slow"));
		json_object_object_foreach(check, name, value) if (!member(made, name))
			json_object_object_add(made, name, json_object_get(value));
		json_object_object_add(made, "ok", json_object_new_boolean(length(items) == 0));
		print(made, page);
	}
	json_object_put(object);
	return check != NULL;
}
