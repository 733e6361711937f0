#include "config.h"

#include "desk/handlers.h"
#include "desk/session.h"

/*
 * Operators. What may be changed is the database's to say (sql/077-operators.sql): nobody raises himself, and
 * the last admin stays.
 */

/* --role and --uid are of somebody else; functions know as `role` and `uid` those of who asks. */
static void rename_option(struct json_object *params, const char *from, const char *to)
{
	struct json_object *value = NULL;

	json_object_object_del(params, to);
	if (json_object_object_get_ex(params, from, &value))
		json_object_object_add(params, to, json_object_get(value));
	json_object_object_del(params, from);
}

void desk_operator_change(struct request *request)
{
	if (json_object_is_type(request->params, json_type_object)) {
		rename_option(request->params, "role", "as");
		rename_option(request->params, "uid", "as_uid");
	}
	desk_function(request);
}

/* Who one is here, and by what one is known: without the database too, and for whom nobody knows yet. */
void desk_whoami(struct request *request)
{
	const struct session *session = request->session;
	struct json_object *answer = json_object_new_object();

	json_object_object_add(answer, "operator", json_object_new_string(request->operator.name));
	json_object_object_add(answer, "role", json_object_new_string(role_name(request->operator.role)));
	json_object_object_add(
		answer, "uid", session->remote ? NULL : json_object_new_int64((int64_t)session->uid));
	json_object_object_add(
		answer, "certificate", session->remote ? json_object_new_string(session->pin) : NULL);
	json_object_object_add(answer, "configured", json_object_new_boolean(who_is_configured(session)));
	request_answer(request, answer);
}
