#include "config.h"

#include "base/mem.h"
#include "desk/handlers.h"
#include "desk/own.h"
#include "desk/report.h"

/*
 * Verbs that are functions of the database: NOUN VERB is desk_NOUN_VERB(), from JSON to JSON, so that what an
 * operator may do holds whoever calls it. What was asked goes there without what was not said; what the desk
 * itself knows is put beside it. Functions check what they get, and say what they expected.
 */

/* From whom our mails are, as the courier writes it. */
static struct json_object *own_address(struct request *request, const struct conf *conf)
{
	if (conf->out_from.len > 0)
		return own_text(conf->out_from);
	return own_text(arena_printf(request->arena, "cirt@" STR_FMT, STR_ARG(own_domain(conf))));
}

/* Reports by their numbers, one or many, as ids. */
static bool add_reports(struct request *request, struct json_object *asked)
{
	struct json_object *said = json_object_object_get(request->params, "report"), *ids;
	size_t count = json_object_is_type(said, json_type_array) ? json_object_array_length(said) : 1;

	if (!said)
		return true;
	ids = json_object_new_array();
	json_object_object_add(asked, "reports", ids);
	for (size_t i = 0; i < count; i++) {
		struct json_object *one = json_object_is_type(said, json_type_array)
		                                  ? json_object_array_get_idx(said, i)
		                                  : said;
		int64_t id;
		if (!json_object_is_type(one, json_type_string) ||
			!report_id_parse(str_of(json_object_get_string(one)), &id)) {
			request_refuse(request, RPC_INVALID_PARAMS, "a report's id reads as 202611-123");
			return false;
		}
		json_object_array_add(ids, json_object_new_int64(id));
		json_object_object_add(asked, "report", json_object_new_int64(id));
	}
	return true;
}

/* Whether an option or an argument of the verb has this name: "[NAME...]" is `name`. */
static bool verb_asks(const struct verb *verb, const char *name)
{
	struct str rest = str_of(verb->arguments), word;

	for (const struct verb_option *option = verb->options; option->name; option++)
		if (!strcmp(option->name, name))
			return true;
	while (rest.len && str_split(&rest, ' ', &word)) {
		if (str_starts(word, STR("[")))
			word = (struct str){word.p + 1, word.len - 1};
		if (str_ends(word, STR("]")))
			word.len--;
		if (str_ends(word, STR("...")))
			word.len -= 3;
		if (str_equal_nocase(word, str_of(name)))
			return true;
	}
	return false;
}

/* What we are called is put beside what was asked, unless the verb asks for something of that name itself. */
static void add_ours(
	struct request *request, struct json_object *asked, const char *name, struct json_object *value)
{
	if (verb_asks(request->verb, name)) {
		json_object_put(value);
		return;
	}
	json_object_object_add(asked, name, value);
}

/* A copy without what was not said, and with what we know ourselves, whoever says something else. */
static struct json_object *asked_for(struct request *request)
{
	const struct conf *conf = room_conf(request->desk->room);
	struct json_object *asked = json_object_new_object();

	if (json_object_is_type(request->params, json_type_object)) {
		json_object_object_foreach(request->params, name, value)
		{
			bool is_false = json_object_is_type(value, json_type_boolean) &&
			                !json_object_get_boolean(value);
			if (value && !is_false)
				json_object_object_add(asked, name, json_object_get(value));
		}
	}
	json_object_object_del(asked, "reports");
	own_put_addresses(conf, asked);
	own_put_templates(request->desk->room, asked);
	json_object_object_add(asked, "domain", own_text(own_domain(conf)));
	add_ours(request, asked, "tag", own_text(conf->reply_tag));
	add_ours(request, asked, "name", own_text(conf->out_name));
	add_ours(request, asked, "address", own_address(request, conf));
	json_object_object_add(asked, "operator", own_text(str_of(request->operator.name)));
	json_object_object_add(asked, "role", own_text(str_of(role_name(request->operator.role))));
	if (request->session && !request->session->remote)
		json_object_object_add(asked, "uid", json_object_new_int64(request->session->uid));
	json_object_object_add(asked, "mass", json_object_new_int64((int64_t)conf->notices_mass));
	return asked;
}

static void on_answer(struct request *request, const struct pg_result *result)
{
	request_answer(request, result_json(result, 0, 0));
}

static void on_changed(struct request *request, const struct pg_result *result)
{
	request->result = result_json(result, 0, 0);
	request_commit(request, request_answer_result);
}

/* SELECT desk_NOUN_VERB($): names of the verb table, which are the program's. */
static void name_function(struct query *query, struct request *request)
{
	const struct verb *verb = request->verb;

	query_start(query, request->arena, "SELECT desk_");
	query_add(query, verb->noun);
	if (*verb->verb) {
		query_add(query, "_");
		query_add(query, verb->verb);
	}
	query_add(query, "(asked_seen($?::jsonb))");
}

/* The statement, with all that was asked; NULL: refused. */
static struct query *function_query(struct request *request)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	int64_t limit, cursor;
	struct json_object *asked;
	bool ok;

	if (!request_page(request, &limit, &cursor))
		return NULL;
	asked = asked_for(request);
	ok = add_reports(request, asked);
	if (ok) {
		const char *text = json_object_to_json_string_ext(asked, JSON_C_TO_STRING_PLAIN);
		name_function(query, request);
		query_str(query, arena_str(request->arena, str_of(text)));
		ok = request_database(request);
		if (!ok)
			query_end(query);
	}
	json_object_put(asked);
	return ok ? query : NULL;
}

void function_change(struct request *request, request_rows_fn *rows)
{
	struct query *query = function_query(request);

	if (query)
		request_change(request, query, rows);
}

void desk_function(struct request *request)
{
	struct query *query = function_query(request);

	if (!query)
		return;
	if (request->verb->changes)
		request_change(request, query, on_changed);
	else
		request_query(request, query, on_answer);
}
