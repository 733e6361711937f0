#include "config.h"

#include "desk/handlers.h"

/* Questions that only the supervisor can answer: rooms, rules, plugins. */

static void forget(struct request *request)
{
	supervisor_forget(request);
	request_refuse(request, RPC_FAILED, "nobody waits for the answer any more");
}

void supervisor_forget(struct request *request)
{
	size_t cursor = 0;
	uint64_t key;
	void *value;

	while (map_next(request->desk->asks, &cursor, &key, &value))
		if (value == request)
			map_remove(request->desk->asks, key);
}

void supervisor_ask(struct request *request, const char *method, asked_fn *answered)
{
	struct desk *desk = request->desk;
	struct str json = STR("{}");

	if (request->params)
		json = arena_str(request->arena, str_of(json_object_to_json_string(request->params)));
	desk->last_ask++;
	request->asked = answered;
	request->closed = forget;
	map_put(desk->asks, desk->last_ask, request);
	room_ask(desk->room, desk->last_ask, method, json);
}

void supervisor_answered(struct desk *desk, uint32_t ask, bool ok, struct str json)
{
	struct request *request = map_remove(desk->asks, ask);
	struct json_tokener *tokener;
	struct json_object *answer, *text = NULL;

	if (!request)
		return;
	request->closed = NULL;
	tokener = json_tokener_new_ex(RPC_DEPTH_MAX);
	answer = json_tokener_parse_ex(tokener, json.p, (int)json.len);
	json_tokener_free(tokener);
	if (ok)
		request->asked(request, answer);
	else if (json_object_is_type(answer, json_type_object) &&
		 json_object_object_get_ex(answer, "message", &text))
		request_refuse(request, RPC_FAILED, "%s", json_object_get_string(text));
	else
		request_refuse(request, RPC_FAILED, "the supervisor could not do it; its log says why");
	if (answer)
		json_object_put(answer);
}
