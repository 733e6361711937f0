#include "config.h"

#include <json-c/json.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "courier/post.h"
#include "wire/json_read.h"

#define LOOK_INTERVAL (3600 * CLOCK_SECOND)
#define LOOK_AGAIN    (5 * CLOCK_SECOND) /* where the room keys is not there */

static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) && json_object_is_type(value, json_type_string)
	               ? json_object_get_string(value)
	               : "";
}

static void on_noted(struct pg *pg, const struct pg_result *result, void *context)
{
	(void)pg;
	(void)context;
	if (result->outcome == PG_REFUSED)
		log_error("how long our keys live: %s", result->text);
}

/* Ours, whether it signs or only opens: people must get the next one in time. Theirs: contacts know how long
 * theirs live. */
static void note(struct post *post, struct json_object *key)
{
	struct json_object *secret;
	bool ours = json_object_object_get_ex(key, "secret", &secret) && json_object_get_boolean(secret);
	const char *expires = text_of(key, "expires");
	struct pg_parameter parameters[] = {{.value = str_of(text_of(key, "key"))},
		{.value = str_of(text_of(key, "who"))}, {.value = expires[0] ? str_of(expires) : STR_NONE},
		{.value = str_of(ours ? "true" : "false")}};

	pg_query(post->pg, "SELECT courier_key($1, $2, $3, $4)", parameters, ARRAY_LEN(parameters), true,
		on_noted, post);
}

static void on_list(struct str json, void *context)
{
	struct post *post = context;
	struct json_object *root, *items;
	bool ok = json.len > 0 && pg_is_up(post->pg) && json_read(json, 8, &root, NULL);

	timer_set(post->key_look, ok ? LOOK_INTERVAL : LOOK_AGAIN);
	if (!ok)
		return;
	if (json_object_object_get_ex(root, "items", &items) && json_object_is_type(items, json_type_array))
		for (size_t i = 0; i < json_object_array_length(items); i++)
			note(post, json_object_array_get_idx(items, i));
	json_object_put(root);
}

void key_watch_look(struct post *post)
{
	sealer_list(post->sealer, on_list, post);
}
