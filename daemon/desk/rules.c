#include "config.h"

#include "desk/handlers.h"

/* Rules and plugins are the supervisor's: it reads the files, and the workers told it what they loaded. */

static void pass_on(struct request *request, struct json_object *answer)
{
	request_answer(request, json_object_get(answer));
}

/* An answer that is a list is a page; one that is an object is as the supervisor made it. */
static void pass_page(struct request *request, struct json_object *answer)
{
	struct json_object *page;

	if (!json_object_is_type(answer, json_type_array)) {
		pass_on(request, answer);
		return;
	}
	page = json_object_new_object();
	json_object_object_add(page, "items", json_object_get(answer));
	json_object_object_add(page, "next", NULL);
	request_answer(request, page);
}

void desk_rules_list(struct request *request)
{
	supervisor_ask(request, "rules.list", pass_page);
}

void desk_rules_check(struct request *request)
{
	supervisor_ask(request, "rules.check", pass_page);
}

void desk_rules_reload(struct request *request)
{
	supervisor_ask(request, "rules.reload", pass_on);
}

void desk_plugin_list(struct request *request)
{
	supervisor_ask(request, "plugin.list", pass_page);
}
