#include "config.h"

#include "desk/case.h"
#include "desk/handlers.h"
#include "desk/report.h"
#include "desk/search.h"
#include "desk/visible.h"

/* Mails that are no reports: correspondence in a case or in none, bounces, spam. */
#define MAIL_JSON                                                                                            \
	"json_build_object('id', report_number(i.id), 'kind', CASE i.kind WHEN 'spam' THEN 'spam' ELSE "     \
	"i.subkind "                                                                                         \
	"END, 'received', stamp(i.received), 'source', s.name, 'exercise', nullif(x.name, ''), 'tlp', "      \
	"i.tlp, "                                                                                            \
	"'sender', nullif(observable_first(i.observables, '{email}', '{reporter}'), ''), 'title', i.title, " \
	"'case', c.number, 'way', l.way, 'known', l.known)"

#define MAIL_FROM                                                                                   \
	" FROM item i JOIN source s ON s.id = i.source JOIN exercise x ON x.id = i.exercise"        \
	" LEFT JOIN case_letter l ON l.item = i.id LEFT JOIN cases c ON c.id = case_now(l.case_id)" \
	" WHERE i.kind IN ('correspondence', 'spam')"

static void on_page(struct request *request, const struct pg_result *result)
{
	request_answer(request, result_page(result, *(int64_t *)request->state));
}

static struct str key_list(const struct request *request, const struct search *search)
{
	struct buf keys = {0};

	pg_array_begin(&keys);
	for (size_t i = 0; i < search->key_count; i++)
		pg_array_int(&keys, search->keys[i]);
	pg_array_end(&keys);
	struct str list = arena_str(request->arena, buf_view(&keys));
	buf_free(&keys);
	return list;
}

/* By what a mail mentions, by its words, or both. */
static void add_ways(struct query *query, const struct request *request, const struct search *search)
{
	char text[NETADDR_TEXT];

	query_add(query, " AND (false");
	if (search->key_count) {
		query_add(query, " OR (i.keys <> '{}' AND i.keys && $?::bigint[]");
		query_str(query, key_list(request, search));
		if (search->narrowed) {
			query_add(query, " AND observable_inside(i.observables, $?::inet)");
			query_str(query,
				arena_str(request->arena, str_of(netaddr_format(&search->prefix, text))));
		}
		query_add(query, ")");
	}
	if (search->words.len) {
		query_add(query, " OR report_words(i.title, i.text) @@ plainto_tsquery('simple', $?)");
		query_str(query, search->words);
	}
	query_add(query, ")");
}

void desk_mail_search(struct request *request)
{
	int64_t *limit = arena_alloc(request->arena, sizeof(*limit)), cursor;
	struct str what, named = STR_NONE;
	bool only_words = false;
	struct search search;
	struct query query;
	struct err err;

	if (!request_page(request, limit, &cursor) || !request_words(request, "what", &what) ||
		!request_text(request, "case", &named) || !request_flag(request, "text", &only_words))
		return;
	if (!search_parse(what, only_words, request->arena, &search, &err)) {
		request_refuse_err(request, RPC_INVALID_PARAMS, &err);
		return;
	}
	if (!request_database(request))
		return;
	request->state = limit;
	query_start(&query, request->arena, "SELECT " MAIL_JSON ", i.id" MAIL_FROM " AND i.id < $?::bigint");
	query_int(&query, cursor);
	add_ways(&query, request, &search);
	if (named.p)
		case_add_named(&query, request, "c.id", named);
	mail_add_visible(&query, request);
	query_add(&query, " ORDER BY i.id DESC LIMIT $?::bigint");
	query_int(&query, *limit + 1);
	request_query(request, &query, on_page);
}

static void on_mail(struct request *request, const struct pg_result *result)
{
	const int64_t *id = request->state;

	if (result->rows == 0) {
		request_refuse_hint(request, RPC_NOT_FOUND, "A report is shown by: cirt report show",
			"there is no mail %lld-%lld, or it is not for you", (long long)(*id / 10000000000),
			(long long)(*id % 10000000000));
		return;
	}
	request_answer(request, result_json(result, 0, 0));
}

void desk_mail_show(struct request *request)
{
	int64_t *id = arena_alloc(request->arena, sizeof(*id));
	struct query query;

	if (!report_named(request, "id", id) || !request_database(request))
		return;
	request->state = id;
	query_start(&query, request->arena,
		"SELECT " MAIL_JSON
		"::jsonb || jsonb_build_object('message_id', nullif(i.sender_id, ''), 'notes', "
		"i.notes, 'text', i.text, 'observables', (SELECT coalesce(json_agg(json_build_object('type', "
		"split_part(o, ' ', 1), 'role', split_part(o, ' ', 2), 'value', substr(o, "
		"length(split_part(o, ' ', 1)) "
		"+ length(split_part(o, ' ', 2)) + 3)) ORDER BY n), '[]') FROM unnest(i.observables) WITH "
		"ORDINALITY "
		"AS u(o, n)), 'evidence', (SELECT coalesce(json_agg(json_build_object('name', a.name, "
		"'media_type', "
		"a.media_type, 'size', a.size, 'digest', encode(a.digest, 'hex')) ORDER BY a.number), '[]') "
		"FROM "
		"attachment a WHERE a.report = i.id), 'verdicts', (SELECT "
		"coalesce(json_agg(json_build_object("
		"'engine', w.engine, 'rule', w.rule, 'part', w.part, 'outcome', w.outcome) ORDER BY "
		"w.number), '[]') "
		"FROM verdict w WHERE w.report = i.id))" MAIL_FROM " AND i.id = $?::bigint");
	query_int(&query, *id);
	mail_add_visible(&query, request);
	request_query(request, &query, on_mail);
}
