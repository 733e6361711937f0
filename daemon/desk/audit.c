#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "desk/handlers.h"
#include "model/anchor.h"

/*
 * Three things are looked at: the file of anchors (each signed, each following from the one before), the
 * journal as it was at each anchor (the root over its heads), and the journal as it is (chains, and rows
 * against what the journal says of them). Who rewrites a chain and waits for the next anchor is found by an
 * older one, so that all are compared, or, where that takes long, a sample that grows evenly finer.
 */
#define AUDIT_SLICE      500                 /* anchors read in one turn of the loop */
#define AUDIT_PATIENCE   (20 * CLOCK_SECOND) /* for comparing, without --all */
#define AUDIT_PROBLEMS   "100"               /* of a step; one is enough to know */
#define AUDIT_SHOWN      100
#define AUDIT_MISMATCHES 3
#define AUDIT_FILE_MAX   (1u << 30)

struct mark {
	uint64_t number, records, last, heads;
	int64_t at;
	uint8_t root[SHA256_LEN];
};

struct audit {
	struct buf file;
	struct anchor_walk walk;
	struct timer *timer;
	struct mark *marks;
	size_t mark_count, mark_cap;
	size_t step; /* of the order in which they are compared */
	size_t compared;
	size_t mismatches;
	struct mark *oldest_wrong, *newest_right;
	const struct mark *asked;
	int64_t started;
	bool all, asking;
	struct json_object *problems;
	struct json_object *steps; /* of what the database looks at by itself, after the anchors */
	size_t place;              /* among them */
};

static void audit_free(struct request *request)
{
	struct audit *audit = request->state;

	timer_free(&audit->timer);
	buf_free(&audit->file);
	free(audit->marks);
	json_object_put(audit->problems);
	json_object_put(audit->steps);
	free(audit);
}

/* Between statements nobody else would end it. */
static void audit_closed(struct request *request)
{
	struct audit *audit = request->state;

	if (!audit->asking)
		request_refuse(request, RPC_FAILED, "nobody waits for the answer any more");
}

static void add_problem(struct audit *audit, const char *object, int64_t row, const char *problem)
{
	struct json_object *one = json_object_new_object();

	json_object_object_add(one, "object", json_object_new_string(object));
	json_object_object_add(one, "row", json_object_new_int64(row));
	json_object_object_add(one, "problem", json_object_new_string(problem));
	json_object_array_add(audit->problems, one);
}

static void add_proof(struct request *request, struct json_object *answer)
{
	struct audit *audit = request->state;
	const struct mark *proven = audit->newest_right;
	char stamp[CLOCK_TEXT];
	struct json_object *rows = NULL;

	/* What was right after something was found wrong proves nothing. */
	if (proven && audit->oldest_wrong && proven->number > audit->oldest_wrong->number)
		proven = NULL;
	json_object_object_add(answer, "anchors", json_object_new_int64((int64_t)audit->mark_count));
	json_object_object_add(answer, "anchors_compared", json_object_new_int64((int64_t)audit->compared));
	json_object_object_add(answer, "anchors_torn", json_object_new_int64((int64_t)audit->walk.torn));
	json_object_object_add(answer, "proven_until",
		proven ? json_object_new_string(clock_format(proven->at, stamp)) : NULL);
	json_object_object_add(
		answer, "proven_rows", json_object_new_int64(proven ? (int64_t)proven->records : 0));
	json_object_object_get_ex(answer, "rows", &rows);
	json_object_object_add(answer, "later_rows",
		json_object_new_int64(json_object_get_int64(rows) - (proven ? (int64_t)proven->records : 0)));
}

/* How far it is, for who waits. */
static void tell(struct request *request, const char *what, size_t done, size_t total)
{
	struct json_object *params = json_object_new_object();

	json_object_object_add(params, "what", json_object_new_string(what));
	json_object_object_add(params, "done", json_object_new_int64((int64_t)done));
	json_object_object_add(params, "total", json_object_new_int64((int64_t)total));
	request_notify(request, "audit.progress", params);
}

static void answer_audit(struct request *request, const struct pg_result *result)
{
	struct audit *audit = request->state;
	struct json_object *answer = request->result;

	json_object_object_add(
		answer, "ok", json_object_new_boolean(json_object_array_length(audit->problems) == 0));
	add_proof(request, answer);
	json_object_object_add(answer, "problems", json_object_get(audit->problems));
	request_answer_result(request, result);
}

static void on_step(struct request *request, const struct pg_result *result);

static void next_step(struct request *request)
{
	struct audit *audit = request->state;
	const char *step = json_object_get_string(json_object_array_get_idx(audit->steps, audit->place));
	struct query query;

	tell(request, step, audit->place, json_object_array_length(audit->steps));
	query_start(&query, request->arena,
		"SELECT json_build_object('object', object, 'row', n, 'problem', problem) FROM ");
	if (audit->place == 0) {
		query_add(&query, "audit_journal()");
	} else {
		query_add(&query, "audit_step($?)");
		query_str(&query, str_of(step));
	}
	query_add(&query, " LIMIT " AUDIT_PROBLEMS);
	request_query(request, &query, on_step);
}

static void on_step(struct request *request, const struct pg_result *result)
{
	struct audit *audit = request->state;

	for (int i = 0; i < result->rows && json_object_array_length(audit->problems) < AUDIT_SHOWN; i++)
		json_object_array_add(audit->problems, result_json(result, i, 0));
	audit->place++;
	if (audit->place < json_object_array_length(audit->steps) && request->session)
		next_step(request);
	else
		answer_audit(request, result);
}

static void on_counts(struct request *request, const struct pg_result *result)
{
	struct audit *audit = request->state;

	request->result = result_json(result, 0, 0);
	json_object_object_get_ex(request->result, "steps", &audit->steps);
	audit->steps = json_object_get(audit->steps);
	json_object_object_del(request->result, "steps");
	next_step(request);
}

static void check_chains(struct request *request)
{
	struct query query;

	query_start(&query, request->arena,
		"SELECT json_build_object('chains', (SELECT count(*) FROM journal_head), 'rows', (SELECT "
		"count(*) FROM journal), 'steps', (SELECT jsonb_build_array('journal') || jsonb_agg(s) "
		"FROM audit_steps() s))");
	request_query(request, &query, on_counts);
}

/* The newest first, then in the order of their number's bits reversed: wherever it is stopped, the sample is
 * even. */
static const struct mark *next_mark(struct audit *audit)
{
	size_t size = 1;

	while (size < audit->mark_count)
		size *= 2;
	if (audit->step == 0 && audit->mark_count) {
		audit->step = 1;
		return &audit->marks[audit->mark_count - 1];
	}
	for (; audit->step <= size;) {
		size_t from = audit->step++ - 1, index = 0;
		for (size_t bit = 1; bit < size; bit *= 2, from /= 2)
			index = index * 2 + from % 2;
		if (index + 1 < audit->mark_count)
			return &audit->marks[index];
	}
	return NULL;
}

static void judge(struct audit *audit, struct mark *mark, bool right)
{
	char text[160], object[48], stamp[CLOCK_TEXT];

	audit->compared++;
	if (right) {
		if (!audit->newest_right || audit->newest_right->number < mark->number)
			audit->newest_right = mark;
		return;
	}
	if (!audit->oldest_wrong || audit->oldest_wrong->number > mark->number)
		audit->oldest_wrong = mark;
	if (audit->mismatches++ >= AUDIT_MISMATCHES)
		return;
	snprintf(object, sizeof(object), "anchor %llu", (unsigned long long)mark->number);
	snprintf(text, sizeof(text), "the journal up to row %llu is not what was signed at %s",
		(unsigned long long)mark->last, clock_format(mark->at, stamp));
	add_problem(audit, object, (int64_t)mark->last, text);
}

static void compare_next(struct request *request);

static void on_heads(struct request *request, const struct pg_result *result)
{
	struct audit *audit = request->state;
	struct merkle merkle;
	uint8_t root[SHA256_LEN], hash[SHA256_LEN];
	uint64_t records = 0;
	bool sound = true;

	merkle_begin(&merkle);
	for (int i = 0; i < result->rows; i++) {
		struct str hex = pg_value(result, i, 2);
		sound = sound && hex_decode(hex, hash, sizeof(hash));
		merkle_head(&merkle, pg_value(result, i, 0), (uint64_t)pg_value_int(result, i, 1),
			(struct str){(const char *)hash, sizeof(hash)});
		records += (uint64_t)pg_value_int(result, i, 1);
	}
	merkle_root(&merkle, root);
	judge(audit, (struct mark *)audit->asked,
		sound && merkle.leaves == audit->asked->heads && records == audit->asked->records &&
			memcmp(root, audit->asked->root, SHA256_LEN) == 0);
	compare_next(request);
}

static void compare_next(struct request *request)
{
	struct audit *audit = request->state;
	bool late = !audit->all && clock_monotonic() - audit->started > AUDIT_PATIENCE;
	struct query query;

	audit->asked = late && audit->compared ? NULL : next_mark(audit);
	if (!audit->asked || !request->session) {
		check_chains(request);
		return;
	}
	tell(request, "anchors", audit->compared, audit->mark_count);
	query_start(&query, request->arena,
		"SELECT object, n, encode(hash, 'hex') FROM anchor_heads($?::bigint)");
	query_int(&query, (int64_t)audit->asked->last);
	request_query(request, &query, on_heads);
}

static void keep_mark(struct audit *audit)
{
	const struct anchor *anchor = &audit->walk.last;

	if (audit->mark_count == audit->mark_cap) {
		audit->mark_cap = audit->mark_cap ? audit->mark_cap * 2 : 256;
		audit->marks = mem_resize(audit->marks, audit->mark_cap * sizeof(*audit->marks));
	}
	struct mark *mark = &audit->marks[audit->mark_count++];
	*mark = (struct mark){anchor->number, anchor->records, anchor->last, anchor->heads, anchor->at, {0}};
	memcpy(mark->root, anchor->root, SHA256_LEN);
}

static void read_anchors(void *context)
{
	struct request *request = context;
	struct audit *audit = request->state;
	struct err err;
	int found = 1;

	for (int i = 0; i < AUDIT_SLICE && found > 0; i++) {
		found = anchor_walk_next(&audit->walk, &err);
		if (found > 0)
			keep_mark(audit);
	}
	if (found > 0) {
		timer_set(audit->timer, 0);
		return;
	}
	if (found < 0)
		add_problem(audit, "anchors", (int64_t)audit->walk.lines, err.text);
	audit->asking = true;
	audit->started = clock_monotonic();
	compare_next(request);
}

static bool read_file(struct request *request, struct buf *out)
{
	int fd = room_grant_fd(request->desk->room, "anchor.log");
	ssize_t got = 0;

	while (fd >= 0 && out->len < AUDIT_FILE_MAX &&
		(got = pread(fd, buf_space(out, 65536), 65536, (off_t)out->len)) > 0)
		buf_grow(out, (size_t)got);
	return fd >= 0 && got == 0;
}

void desk_audit_verify(struct request *request)
{
	struct audit *audit;
	bool all = false;

	if (!request_flag(request, "all", &all) || !request_database(request))
		return;
	if (pg_is_up(request->desk->slow))
		request->pg = request->desk->slow;
	audit = mem_alloc(sizeof(*audit));
	audit->all = all;
	audit->problems = json_object_new_array();
	audit->timer = timer_new(room_loop(request->desk->room), read_anchors, request);
	request->state = audit;
	request->release = audit_free;
	request->closed = audit_closed;
	if (!read_file(request, &audit->file))
		add_problem(audit, "anchors", 0, "the file of anchors cannot be read");
	audit->walk = (struct anchor_walk){.rest = buf_view(&audit->file),
		.public_pem = room_grant(request->desk->room, "anchor.public")};
	timer_set(audit->timer, 0);
}
