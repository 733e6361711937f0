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
	struct json_object *refused = refused_files(member(answer, "rules"));
	struct query *query = arena_alloc(request->arena, sizeof(*query));

	request->result = json_object_new_object();
	json_object_object_add(request->result, "message", json_object_get(member(answer, "message")));
	json_object_object_add(request->result, "refused", refused);
	query_start(query, request->arena,
		"SELECT journal_add('rules/files', 'reload', NULL, "
		"jsonb_build_object('refused', $?::int)::text)");
	query_int(query, (int64_t)json_object_array_length(refused));
	request_note(request, query);
}

void desk_rules_reload(struct request *request)
{
	supervisor_ask(request, "rules.reload", on_reloaded);
}

/* ---- old evidence under the rules of today ---- */

static bool is_word(struct json_object *value, const char *word)
{
	return value && strcmp(json_object_get_string(value), word) == 0;
}

static bool lists(struct json_object *list, const char *word)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		if (is_word(json_object_array_get_idx(list, i), word))
			return true;
	return false;
}

/* "FILE/RULE" of each rule of a file, as verdicts name it. */
static void add_names(struct request *request, struct json_object *file, struct json_object *names)
{
	struct json_object *list = member(file, "names"), *name = member(file, "file");

	for (size_t i = 0; list && name && i < json_object_array_length(list); i++) {
		const char *rule = json_object_get_string(json_object_array_get_idx(list, i));
		struct str whole = arena_printf(request->arena, "%s/%s", json_object_get_string(name), rule);
		json_object_array_add(names, json_object_new_string_len(whole.p, (int)whole.len));
	}
}

/* What those of a file would make of a report that steer, by "FILE/RULE". */
static void add_says(struct request *request, struct json_object *file, struct json_object *says)
{
	struct json_object *of = member(file, "says"), *name = member(file, "file");

	if (!name || !json_object_is_type(of, json_type_object))
		return;
	json_object_object_foreach(of, rule, value)
	{
		struct str whole = arena_printf(request->arena, "%s/%s", json_object_get_string(name), rule);
		json_object_object_add(says, whole.p, json_object_get(value));
	}
}

static void add_refused(struct request *request, struct json_object *file, struct json_object *refused)
{
	struct json_object *name = member(file, "file"), *reason = member(file, "reason");
	struct str text = arena_printf(request->arena, "%s: %s", name ? json_object_get_string(name) : "",
		reason ? json_object_get_string(reason) : "");

	json_object_array_add(refused, json_object_new_string_len(text.p, (int)text.len));
}

/* What the database has to know of the rules that are loaded; of those that are not, why. */
static struct json_object *rules_now(struct request *request, struct json_object *page)
{
	struct json_object *items = member(page, "items"), *now = json_object_new_object();
	struct json_object *names = json_object_new_array(), *refused = json_object_new_array();
	struct json_object *digest = member(page, "digest"), *says = json_object_new_object();
	bool events = false;

	for (size_t i = 0; items && i < json_object_array_length(items); i++) {
		struct json_object *file = json_object_array_get_idx(items, i);
		if (is_word(member(file, "state"), "refused")) {
			add_refused(request, file, refused);
			continue;
		}
		add_names(request, file, names);
		add_says(request, file, says);
		events |= lists(member(file, "scopes"), "event");
	}
	json_object_object_add(
		now, "digest", json_object_new_string(digest ? json_object_get_string(digest) : ""));
	json_object_object_add(now, "events", json_object_new_boolean(events));
	json_object_object_add(now, "names", names);
	json_object_object_add(now, "says", says);
	json_object_object_add(now, "refused", refused);
	return now;
}

static void on_rescan(struct request *request, const struct pg_result *result)
{
	request->result = result_json(result, 0, 0);
	request_commit(request, request_answer_result);
}

static void on_rules(struct request *request, struct json_object *page)
{
	if (!request->params)
		request->params = json_object_new_object();
	json_object_object_add(request->params, "rules", rules_now(request, page));
	function_change(request, on_rescan);
}

void desk_rules_rescan(struct request *request)
{
	supervisor_ask(request, "rules.list", on_rules);
}

void desk_plugin_list(struct request *request)
{
	supervisor_ask(request, "plugin.list", pass_on);
}
