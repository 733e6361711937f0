#include "config.h"

#include "base/mem.h"
#include "desk/handlers.h"
#include "desk/own.h"

/*
 * The register: organisations, contacts, groups. Each verb is a function of the database from JSON to JSON
 * (sql/040-register-work.sql), so that commands and files are read by the same rules. Functions check what
 * they get, and say what they expected.
 */
static const struct {
	const char *noun, *verb, *sql;
} acts[] = {
	{"org", "list", "SELECT org_list($?::jsonb)"},
	{"org", "show", "SELECT org_show($?::jsonb)"},
	{"org", "new", "SELECT org_new($?::jsonb)"},
	{"org", "set", "SELECT org_set($?::jsonb)"},
	{"org", "close", "SELECT org_close($?::jsonb)"},
	{"org", "who", "SELECT org_who($?::jsonb)"},
	{"contact", "list", "SELECT contact_list($?::jsonb)"},
	{"contact", "new", "SELECT contact_new($?::jsonb)"},
	{"contact", "set", "SELECT contact_set($?::jsonb)"},
	{"contact", "close", "SELECT contact_close($?::jsonb)"},
	{"group", "list", "SELECT group_list($?::jsonb)"},
	{"group", "show", "SELECT group_show($?::jsonb)"},
	{"group", "new", "SELECT group_new($?::jsonb)"},
	{"group", "set", "SELECT group_set($?::jsonb)"},
	{"group", "add", "SELECT group_add($?::jsonb)"},
	{"group", "remove", "SELECT group_remove($?::jsonb)"},
	{"group", "delete", "SELECT group_delete($?::jsonb)"},
};

static struct str text_of(struct request *request, struct json_object *value)
{
	const char *text = value ? json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN) : "{}";

	return arena_str(request->arena, str_of(text));
}

/* What was asked, with what is ours. */
static struct str asked_of(struct request *request)
{
	struct json_object *asked = json_object_new_object();

	if (json_object_is_type(request->params, json_type_object)) {
		json_object_object_foreach(request->params, name, value)
		{
			json_object_object_add(asked, name, json_object_get(value));
		}
	}
	own_put_addresses(room_conf(request->desk->room), asked);
	struct str text = text_of(request, asked);
	json_object_put(asked);
	return text;
}

static void on_shown(struct request *request, const struct pg_result *result)
{
	request_answer(request, result_json(result, 0, 0));
}

static void on_changed(struct request *request, const struct pg_result *result)
{
	request->result = result_json(result, 0, 0);
	request_commit(request, request_answer_result);
}

/* Members are texts, numbers, flags, or a list of texts. */
static bool params_are_plain(struct request *request)
{
	if (!request->params)
		return true;
	json_object_object_foreach(request->params, name, value)
	{
		bool list = json_object_is_type(value, json_type_array);
		for (size_t i = 0; list && i < json_object_array_length(value); i++)
			list = json_object_is_type(json_object_array_get_idx(value, i), json_type_string);
		if (list || json_object_is_type(value, json_type_string) ||
			json_object_is_type(value, json_type_int) ||
			json_object_is_type(value, json_type_boolean))
			continue;
		request_refuse(request, RPC_INVALID_PARAMS, "%s: expected text", name);
		return false;
	}
	return true;
}

void desk_register(struct request *request)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	size_t at = 0;

	if (!params_are_plain(request) || !request_database(request))
		return;
	while (at + 1 < ARRAY_LEN(acts) && (strcmp(acts[at].noun, request->verb->noun) != 0 ||
						   strcmp(acts[at].verb, request->verb->verb) != 0))
		at++;
	query_start(query, request->arena, acts[at].sql);
	query_str(query, asked_of(request));
	if (request->verb->changes)
		request_change(request, query, on_changed);
	else
		request_query(request, query, on_shown);
}

/*
 * A file, in three kinds of requests:
 *
 *   {columns: [..]}                  → the import's id
 *   {import, rows: [{line, ..}, ..]} → how many rows there are now
 *   {import, apply: true, dry_run, replace, shared, registry} → what changes, what is wrong, whether it was
 * done
 *
 * Each is a transaction of its own, so that a client that has gone holds nothing; all of the file takes
 * effect in the last, or nothing of it.
 */
void desk_register_import(struct request *request)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	bool registry = strcmp(request->verb->verb, "registry") == 0, apply = false;
	struct json_object *rows = NULL, *columns = NULL;
	struct str import = STR_NONE;

	if (!request_text(request, "import", &import) || !request_flag(request, "apply", &apply) ||
		!request_database(request))
		return;
	json_object_object_get_ex(request->params, "rows", &rows);
	json_object_object_get_ex(request->params, "columns", &columns);
	if ((rows && !json_object_is_type(rows, json_type_array)) ||
		(columns && !json_object_is_type(columns, json_type_array)) ||
		((rows || apply) != (import.p != NULL)) || (rows && apply)) {
		request_refuse(request, RPC_INVALID_PARAMS,
			"expected columns, or an import with rows or with apply");
		return;
	}
	if (rows) {
		query_start(query, request->arena, "SELECT import_rows($?::uuid, $?::jsonb)");
		query_str(query, import);
		query_str(query, text_of(request, rows));
	} else if (apply) {
		if (pg_is_up(request->desk->slow))
			request->pg = request->desk->slow;
		query_start(query, request->arena,
			registry ? "SELECT registry_apply($?::uuid, $?::jsonb)"
				 : "SELECT import_apply($?::uuid, $?::jsonb)");
		query_str(query, import);
		query_str(query, asked_of(request));
	} else {
		query_start(query, request->arena,
			"SELECT to_json(import_begin(ARRAY(SELECT jsonb_array_elements_text($?::jsonb))))");
		query_str(query, columns ? text_of(request, columns) : STR("[]"));
	}
	request_change(request, query, on_changed);
}

#define EXPORT_PAGE 200

static void on_exported(struct request *request, const struct pg_result *result)
{
	request_answer(request, result_page(result, *(int64_t *)request->state));
}

/* A page of whole organisations. */
void desk_register_export(struct request *request)
{
	int64_t *limit = arena_alloc(request->arena, sizeof(*limit)), cursor = INT64_MAX;
	struct query query;

	if (!request_page(request, limit, &cursor) || !request_database(request))
		return;
	if (*limit > EXPORT_PAGE)
		*limit = EXPORT_PAGE;
	request->state = limit;
	query_start(&query, request->arena,
		"SELECT org_whole(o.id), o.id FROM organisation o WHERE o.id > $?::bigint ORDER BY o.id "
		"LIMIT "
		"$?::bigint");
	query_int(&query, cursor == INT64_MAX ? 0 : cursor);
	query_int(&query, *limit + 1);
	request_query(request, &query, on_exported);
}
