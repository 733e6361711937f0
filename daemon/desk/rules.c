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

void desk_rules_reload(struct request *request)
{
	supervisor_ask(request, "rules.reload", pass_on);
}

void desk_plugin_list(struct request *request)
{
	supervisor_ask(request, "plugin.list", pass_on);
}
