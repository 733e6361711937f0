#include "config.h"

#include "desk/handlers.h"

/* Rules and plugins are the supervisor's: it reads the files, the workers told it what they loaded, and its
 * answers are the pages that are shown. */

static void pass_on(struct request *request, struct json_object *answer)
{
	request_answer(request, json_object_get(answer));
}

void desk_rules_list(struct request *request)
{
	supervisor_ask(request, "rules.list", pass_on);
}

void desk_rules_check(struct request *request)
{
	supervisor_ask(request, "rules.check", pass_on);
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

/* Of the page of rule files those that were refused. */
static struct json_object *refused_files(struct json_object *page)
{
	struct json_object *items = member(page, "items");
	struct json_object *refused = json_object_new_array();

	for (size_t i = 0; items && i < json_object_array_length(items); i++) {
		struct json_object *file = json_object_array_get_idx(items, i);
		struct json_object *state = member(file, "state");

		if (state && strcmp(json_object_get_string(state), "refused") == 0)
			json_object_array_add(refused, json_object_get(file));
	}
	return refused;
}

static void on_reloaded(struct request *request, struct json_object *answer)
{
	struct json_object *result = json_object_new_object();

	json_object_object_add(result, "message", json_object_get(member(answer, "message")));
	json_object_object_add(result, "refused", refused_files(member(answer, "rules")));
	request_answer(request, result);
}

void desk_rules_reload(struct request *request)
{
	supervisor_ask(request, "rules.reload", on_reloaded);
}

void desk_plugin_list(struct request *request)
{
	supervisor_ask(request, "plugin.list", pass_on);
}
