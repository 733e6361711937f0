#include "config.h"

#include "desk/handlers.h"
#include "desk/report.h"
#include "desk/search.h"

/*
 * One box for all that the desk knows: whatever was typed is looked for among reports, as `report search`
 * does, and what was found there is told to desk_search() of the database, which looks for
 * cases, organisations, mails, notices and people besides.
 */
#define BOX_REPORTS 200 /* that are looked at for cases, figures and notices */

static bool box_read(struct request *request, struct str *what, struct search *search)
{
	struct err err;

	if (!request_words(request, "what", what))
		return false;
	if (search_parse(*what, false, request->arena, search, &err))
		return true;
	request_refuse_err(request, RPC_INVALID_PARAMS, &err);
	return false;
}

static struct json_object *numbers(const int64_t *values, size_t count)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		json_object_array_add(list, json_object_new_int64(values[i]));
	return list;
}

static struct json_object *text_of(struct str text)
{
	return json_object_new_string_len(text.p, (int)text.len);
}

static void on_answer(struct request *request, const struct pg_result *result)
{
	request_answer(request, result_json(result, 0, 0));
}

static void on_found(struct request *request, const struct report_ids *ids, int64_t next)
{
	struct json_object *asked = json_object_new_object();
	struct search search;
	struct query query;
	struct str what;

	if (!box_read(request, &what, &search)) {
		json_object_put(asked);
		return;
	}

	json_object_object_add(asked, "what", text_of(what));
	json_object_object_add(asked, "words", text_of(search.words));
	json_object_object_add(asked, "keys", numbers(search.keys, search.key_count));
	json_object_object_add(asked, "reports", numbers(ids->ids, ids->count));
	json_object_object_add(asked, "more", json_object_new_boolean(next != 0));
	json_object_object_add(asked, "operator", text_of(str_of(request->operator.name)));
	json_object_object_add(asked, "role", text_of(str_of(role_name(request->operator.role))));
	query_start(&query, request->arena, "SELECT desk_search($?::jsonb)");
	query_str(&query, arena_str(request->arena,
				  str_of(json_object_to_json_string_ext(asked, JSON_C_TO_STRING_PLAIN))));
	json_object_put(asked);
	request_query(request, &query, on_answer);
}

void desk_search(struct request *request)
{
	struct search search;
	struct str what;

	if (box_read(request, &what, &search))
		report_search(request, &search, BOX_REPORTS, on_found);
}
