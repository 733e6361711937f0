#include "config.h"

#include "base/clock.h"
#include "desk/handlers.h"
#include "desk/report.h"
#include "desk/search.h"

/*
 * Newest partition first, one range of ids at a time, so that a value that millions of reports share costs no
 * more than one that few have (trap 24). What takes longer than this ends the page; its cursor says where to
 * go on.
 */
#define SEARCH_PATIENCE (2 * CLOCK_SECOND)

struct searching {
	struct report_filter filter; /* first: report_filter_resolve() reads it */
	struct search search;
	struct str keys; /* as an array literal */
	struct json_object *items;
	int64_t (*chunks)[2]; /* lower, upper; newest first */
	int chunk_count, at;
	int64_t started;
};

static void searching_release(struct request *request)
{
	struct searching *searching = request->state;

	json_object_put(searching->items);
}

static void finish(struct request *request, int64_t next)
{
	struct searching *searching = request->state;
	struct json_object *page = json_object_new_object();

	json_object_object_add(page, "items", json_object_get(searching->items));
	json_object_object_add(page, "next",
		next ? json_object_new_string_len(arena_printf(request->arena, "%lld", (long long)next).p,
			       (int)arena_printf(request->arena, "%lld", (long long)next).len)
		     : NULL);
	request_answer(request, page);
}

/* What every way of finding is narrowed by. */
static void add_narrowing(struct query *query, const struct searching *searching)
{
	const struct report_filter *filter = &searching->filter;
	const int64_t *chunk = searching->chunks[searching->at];

	query_add(query, " AND r.id >= $?::bigint AND r.id < $?::bigint");
	query_int(query, chunk[0] > filter->least ? chunk[0] : filter->least);
	query_int(query, chunk[1] < filter->cursor ? chunk[1] : filter->cursor);
	if (filter->source_id) {
		query_add(query, " AND r.source = $?::int");
		query_int(query, filter->source_id);
	}
	if (filter->since.p) {
		query_add(query, " AND r.received >= $?::timestamptz");
		query_str(query, filter->since);
	}
}

static void add_ways(struct query *query, const struct searching *searching)
{
	const struct search *search = &searching->search;
	char text[NETADDR_TEXT];

	if (search->key_count) {
		query_add(query, "SELECT r.id FROM report r WHERE r.keys && $?::bigint[]");
		query_str(query, searching->keys);
		add_narrowing(query, searching);
		if (search->narrowed) {
			query_add(query, " AND observable_inside(r.observables, $?::inet)");
			query_str(query,
				arena_str(query->arena, str_of(netaddr_format(&search->prefix, text))));
		}
	}
	if (search->key_count && search->words.len)
		query_add(query, " UNION ");
	if (search->words.len) {
		query_add(query, "SELECT r.id FROM report r WHERE report_words(r.title, r.text) @@ "
				 "plainto_tsquery('simple', $?)"
				 " AND r.text <> ''");
		query_str(query, search->words);
		add_narrowing(query, searching);
	}
}

static void search_chunk(struct request *request);

static void on_chunk(struct request *request, const struct pg_result *result)
{
	struct searching *searching = request->state;
	int64_t wanted = searching->filter.limit - (int64_t)json_object_array_length(searching->items);
	int64_t lower = searching->chunks[searching->at][0];

	for (int i = 0; i < result->rows && i < wanted; i++)
		json_object_array_add(searching->items, result_json(result, i, 0));
	if (result->rows > wanted) {
		finish(request, wanted > 0 ? pg_value_int(result, (int)wanted - 1, 1) : lower);
		return;
	}
	if (++searching->at == searching->chunk_count)
		finish(request, 0);
	else if (clock_monotonic() - searching->started > SEARCH_PATIENCE)
		finish(request, lower);
	else
		search_chunk(request);
}

static void search_chunk(struct request *request)
{
	struct searching *searching = request->state;
	struct query query;

	query_start(&query, request->arena, "WITH hit AS MATERIALIZED (");
	add_ways(&query, searching);
	query_add(&query, "), page AS MATERIALIZED (SELECT id FROM hit ORDER BY id DESC LIMIT $?::bigint) "
			  "SELECT " REPORT_JSON
			  ", v.id FROM page JOIN report_view v ON v.id = page.id ORDER BY v.id DESC");
	query_int(&query, searching->filter.limit - (int64_t)json_object_array_length(searching->items) + 1);
	request_query(request, &query, on_chunk);
}

static void on_chunks(struct request *request, const struct pg_result *result)
{
	struct searching *searching = request->state;

	searching->chunk_count = result->rows;
	if (result->rows == 0) {
		finish(request, 0);
		return;
	}
	searching->chunks = arena_alloc(request->arena, (size_t)result->rows * sizeof(*searching->chunks));
	for (int i = 0; i < result->rows; i++) {
		searching->chunks[i][0] = pg_value_int(result, i, 0);
		searching->chunks[i][1] = pg_value_int(result, i, 1);
	}
	search_chunk(request);
}

static void on_resolved(struct request *request, const struct pg_result *result)
{
	struct searching *searching = request->state;
	struct query query;

	if (!report_filter_take(request, result, &searching->filter))
		return;
	query_start(&query, request->arena,
		"SELECT lower, upper FROM report_chunk WHERE lower < $?::bigint AND upper > $?::bigint ORDER "
		"BY lower DESC");
	query_int(&query, searching->filter.cursor);
	query_int(&query, searching->filter.least);
	request_query(request, &query, on_chunks);
}

static void make_keys(struct request *request, struct searching *searching)
{
	struct buf keys = {0};

	pg_array_begin(&keys);
	for (size_t i = 0; i < searching->search.key_count; i++)
		pg_array_int(&keys, searching->search.keys[i]);
	pg_array_end(&keys);
	searching->keys = arena_str(request->arena, buf_view(&keys));
	buf_free(&keys);
}

void desk_report_search(struct request *request)
{
	struct searching *searching = arena_alloc(request->arena, sizeof(*searching));
	bool only_words = false;
	struct str what;
	struct err err;

	if (!report_filter_read(request, &searching->filter) || !request_words(request, "what", &what) ||
		!request_flag(request, "text", &only_words))
		return;
	if (!search_parse(what, only_words, request->arena, &searching->search, &err)) {
		request_refuse_err(request, RPC_INVALID_PARAMS, &err);
		return;
	}
	if (!request_database(request))
		return;
	make_keys(request, searching);
	searching->items = json_object_new_array();
	searching->started = clock_monotonic();
	request->state = searching;
	request->release = searching_release;
	report_filter_resolve(request, on_resolved);
}
