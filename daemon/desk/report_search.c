#include "config.h"

#include "base/clock.h"
#include "desk/handlers.h"
#include "desk/report.h"
#include "desk/search.h"

/*
 * Newest partition first, one range of ids at a time, so that a value that millions of reports share costs no
 * more than one that few have (trap 24). What is in every other report is found by looking through the newest
 * ones, before the index is asked for all that have it. What takes longer than this ends the page; its cursor
 * says where to go on.
 */
#define SEARCH_PATIENCE (2 * CLOCK_SECOND)
#define SEARCH_NEWEST   "3000"

struct searching {
	struct report_filter filter; /* first: report_filter_resolve() reads it */
	struct search search;
	struct str keys;      /* as an array literal */
	int64_t (*chunks)[2]; /* lower, upper; newest first */
	int chunk_count, at;
	int64_t started;
	report_found_fn *then;
};

static void finish(struct request *request, int64_t next)
{
	struct searching *searching = request->state;

	searching->then(request, &searching->filter.found, next);
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
	report_filter_whose(filter, "r", query);
}

static void add_inside(struct query *query, const struct searching *searching, const char *condition)
{
	char text[NETADDR_TEXT];

	if (!searching->search.narrowed)
		return;
	query_add(query, condition);
	query_str(query, arena_str(query->arena, str_of(netaddr_format(&searching->search.prefix, text))));
}

static void add_ways(struct query *query, const struct searching *searching)
{
	const struct search *search = &searching->search;

	if (search->key_count) {
		query_add(query, "SELECT r.id, r.tlp FROM report r WHERE r.keys && $?::bigint[]");
		query_str(query, searching->keys);
		add_narrowing(query, searching);
		add_inside(query, searching, " AND observable_inside(r.observables, $?::inet)");
	}
	if (search->key_count) {
		/* what a newer version of it says */
		query_add(query,
			" UNION SELECT r.id, r.tlp FROM report_version w JOIN report r ON r.id = w.report "
			"WHERE w.keys && $?::bigint[]");
		query_str(query, searching->keys);
		add_narrowing(query, searching);
		add_inside(query, searching, " AND observable_inside(w.observables, $?::inet)");
	}
	if (search->key_count && search->words.len)
		query_add(query, " UNION ");
	if (search->words.len) {
		query_add(query, "SELECT r.id, r.tlp FROM report r WHERE report_words(r.title, r.text) @@ "
				 "plainto_tsquery('simple', $?)"
				 " AND r.text <> ''");
		query_str(query, search->words);
		add_narrowing(query, searching);
	}
}

static void search_chunk(struct request *request);

/* Take what was found, newest first. True: the page is full, and the request ended. */
static bool take_found(struct request *request, const struct pg_result *result)
{
	struct searching *searching = request->state;
	struct report_ids *found = &searching->filter.found;
	bool more = (size_t)result->rows > found->max - found->count;

	for (int i = 0; i < result->rows; i++)
		report_ids_add(found, pg_value_int(result, i, 0));
	if (more)
		finish(request, found->ids[found->count - 1]);
	return more;
}

static void on_chunk(struct request *request, const struct pg_result *result)
{
	struct searching *searching = request->state;
	int64_t lower = searching->chunks[searching->at][0];

	if (take_found(request, result))
		return;
	if (++searching->at == searching->chunk_count)
		finish(request, 0);
	else if (clock_monotonic() - searching->started > SEARCH_PATIENCE)
		finish(request, lower);
	else
		search_chunk(request);
}

static int64_t still_wanted(const struct searching *searching)
{
	return searching->filter.limit - (int64_t)searching->filter.found.count + 1;
}

static void search_chunk(struct request *request)
{
	struct searching *searching = request->state;
	struct query query;

	query_start(&query, request->arena, "WITH hit AS MATERIALIZED (");
	add_ways(&query, searching);
	query_add(&query, ") SELECT h.id FROM (SELECT * FROM hit ORDER BY id DESC OFFSET 0) h WHERE true");
	report_add_visible(&query, request, "h");
	query_add(&query, " ORDER BY h.id DESC LIMIT $?::bigint");
	query_int(&query, still_wanted(searching));
	request_query(request, &query, on_chunk);
}

/* Only a full page is of use: the others are found again by the index. */
static void on_newest(struct request *request, const struct pg_result *result)
{
	struct searching *searching = request->state;

	if (result->rows < still_wanted(searching) || !take_found(request, result))
		search_chunk(request);
}

static void search_newest(struct request *request)
{
	struct searching *searching = request->state;
	struct query query;

	query_start(&query, request->arena,
		"SELECT n.id FROM (SELECT r.id, r.tlp, r.keys, r.observables FROM report r WHERE true");
	add_narrowing(&query, searching);
	query_add(&query, " ORDER BY r.id DESC LIMIT " SEARCH_NEWEST ") n WHERE ((n.keys && $?::bigint[]");
	query_str(&query, searching->keys);
	add_inside(&query, searching, " AND observable_inside(n.observables, $?::inet)");
	query_add(&query, ") OR n.id IN (SELECT w.report FROM report_version w WHERE w.keys && $?::bigint[]");
	query_str(&query, searching->keys);
	add_inside(&query, searching, " AND observable_inside(w.observables, $?::inet)");
	query_add(&query, "))");
	report_add_visible(&query, request, "n");
	query_add(&query, " ORDER BY n.id DESC LIMIT $?::bigint");
	query_int(&query, still_wanted(searching));
	request_query(request, &query, on_newest);
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
	if (searching->search.words.len == 0)
		search_newest(request);
	else
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

void report_search(struct request *request, const struct search *search, int64_t limit, report_found_fn *then)
{
	struct searching *searching = arena_alloc(request->arena, sizeof(*searching));

	if (!report_filter_read(request, &searching->filter) || !request_database(request))
		return;
	if (limit)
		searching->filter.limit = limit;
	searching->search = *search;
	searching->then = then;
	make_keys(request, searching);
	report_ids_start(&searching->filter.found, (size_t)searching->filter.limit, request->arena);
	searching->started = clock_monotonic();
	request->state = searching;
	report_filter_resolve(request, on_resolved);
}

void desk_report_search(struct request *request)
{
	bool only_words = false;
	struct search search;
	struct str what;
	struct err err;

	if (!request_words(request, "what", &what) || !request_flag(request, "text", &only_words))
		return;
	if (!search_parse(what, only_words, request->arena, &search, &err)) {
		request_refuse_err(request, RPC_INVALID_PARAMS, &err);
		return;
	}
	report_search(request, &search, 0, report_ids_answer);
}
