#include "config.h"

#include "base/mem.h"
#include "desk/handlers.h"

/*
 * What the day looks like, for whoever begins a watch: a part for each line of the page, by the function
 * PART_today of the schema, which is told who asks. All in one statement, so that all is of one moment.
 */
static const char *const parts[] = {"alarms", "people", "cases", "intake", "notices", "releases", "clocks",
	"waits", "tasks", "news", "measures", "approvals", "quarantine"};

static void on_day(struct request *request, const struct pg_result *result)
{
	struct json_object *day = json_object_new_object(), *operator= json_object_new_object();

	json_object_object_add(operator, "name", json_object_new_string(request->operator.name));
	json_object_object_add(operator, "role", json_object_new_string(role_name(request->operator.role)));
	json_object_object_add(day, "operator", operator);
	json_object_object_add(day, "now", result_json(result, 0, 0));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		json_object_object_add(day, parts[i], result_json(result, 0, (int)i + 1));
	request_answer(request, day);
}

static struct str who_asks(struct request *request)
{
	struct json_object *who = json_object_new_object();

	json_object_object_add(who, "operator", json_object_new_string(request->operator.name));
	json_object_object_add(who, "role", json_object_new_string(role_name(request->operator.role)));
	struct str text = arena_str(
		request->arena, str_of(json_object_to_json_string_ext(who, JSON_C_TO_STRING_PLAIN)));
	json_object_put(who);
	return text;
}

void desk_today_show(struct request *request)
{
	struct query query;

	if (!request_database(request))
		return;
	struct str asks = who_asks(request);
	query_start(&query, request->arena, "SELECT to_json(stamp(now()))");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		query_add(&query, ", ");
		query_add(&query, parts[i]);
		query_add(&query, "_today($?::jsonb)");
		query_str(&query, asks);
	}
	request_query(request, &query, on_day);
}
