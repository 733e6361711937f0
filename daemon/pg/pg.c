#include <stdlib.h>

#include "base/mem.h"
#include "pg/pg_private.h"

static char *text_of(struct str text)
{
	return mem_strndup(text.p ? text.p : "", text.len);
}

/* The owner of a lost transaction has asked for a step: now it can be told. */
static void pg_soon(void *context)
{
	struct pg *pg = context;
	if (pg->broken)
		pg_connection_lost(pg, PQerrorMessage(pg->conn));
	else if (pg->op.kind != PG_OP_NONE && pg->transaction == PG_TRANSACTION_LOST)
		pg_op_lost(pg, pg->why_down);
	else
		pg_run_next(pg);
}

static void pg_retry(void *context)
{
	struct pg *pg = context;
	if (pg->phase == PG_PHASE_DOWN)
		pg_connection_start(pg);
	else
		pg_connection_lost(pg, "no connection within 10 s");
}

struct pg *pg_new(struct loop *loop, const struct pg_settings *settings, pg_state_fn *state, void *context)
{
	struct pg *pg = mem_alloc(sizeof *pg);
	pg->loop = loop;
	pg->state = state;
	pg->context = context;
	pg->conninfo = text_of(settings->conninfo);
	pg->user = text_of(settings->user);
	pg->password = text_of(settings->password);
	pg->search_path = text_of(settings->search_path);
	pg->name = mem_strdup(settings->name ? settings->name : "cirtd");
	pg->on_connect = settings->on_connect;
	pg->schema = settings->schema;
	pg->last = &pg->first;
	pg->prepared = map_new();
	pg->kept = arena_new(4096);
	pg->retry = timer_new(loop, pg_retry, pg);
	pg->soon = timer_new(loop, pg_soon, pg);
	timer_set(pg->retry, 0);
	return pg;
}

static void pg_job_free(struct pg_job *job)
{
	struct arena *arena = job->arena;
	arena_free(&arena);
}

void pg_free(struct pg **pg)
{
	struct pg *it = *pg;
	if (!it)
		return;
	*pg = NULL;
	pg_connection_close(it);
	PQclear(it->op.result);
	while (it->first) {
		struct pg_job *job = it->first;
		it->first = job->next;
		pg_job_free(job);
	}
	while (it->listens) {
		struct pg_listen *listen = it->listens;
		it->listens = listen->next;
		free(listen->channel);
		free(listen);
	}
	timer_free(&it->retry);
	timer_free(&it->soon);
	map_free(&it->prepared);
	arena_free(&it->kept);
	mem_wipe(it->password, strlen(it->password));
	free(it->conninfo);
	free(it->user);
	free(it->password);
	free(it->search_path);
	free(it->name);
	free(it);
}

bool pg_is_up(const struct pg *pg)
{
	return pg->ready;
}

size_t pg_queued(const struct pg *pg)
{
	return pg->queued;
}

const char *pg_why_down(const struct pg *pg)
{
	if (pg->ready)
		return "";
	return *pg->why_down ? pg->why_down : "it is being connected";
}

static void pg_enqueue(struct pg *pg, bool transaction, const char *sql,
	const struct pg_parameter *parameters, size_t count, bool writes, pg_result_fn *call, void *context)
{
	struct arena *arena = arena_new(1024);
	struct pg_job *job = arena_alloc(arena, sizeof *job);
	job->arena = arena;
	job->transaction = transaction;
	job->sql = arena_str(arena, str_of(sql)).p;
	pg_bind(arena, parameters, count, &job->bound);
	job->writes = writes;
	job->call = call;
	job->context = context;
	*pg->last = job;
	pg->last = &job->next;
	pg->queued++;
	if (pg->ready && pg->op.kind == PG_OP_NONE && pg->transaction == PG_NO_TRANSACTION)
		timer_set(pg->soon, 0);
}

void pg_query(struct pg *pg, const char *sql, const struct pg_parameter *parameters, size_t count,
	bool writes, pg_result_fn *call, void *context)
{
	pg_enqueue(pg, false, sql, parameters, count, writes, call, context);
}

void pg_begin(struct pg *pg, const char *begin, pg_result_fn *call, void *context)
{
	pg_enqueue(pg, true, begin, NULL, 0, false, call, context);
}

void pg_run_next(struct pg *pg)
{
	struct pg_job *job = pg->first;
	if (!job || !pg->ready || pg->broken || pg->op.kind != PG_OP_NONE ||
		pg->transaction != PG_NO_TRANSACTION)
		return;
	if (PQstatus(pg->conn) == CONNECTION_BAD) {
		/* The job stays in the queue for the next connection. */
		pg->broken = true;
		timer_set(pg->soon, 0);
		return;
	}
	pg->first = job->next;
	if (!pg->first)
		pg->last = &pg->first;
	pg->queued--;
	pg_op_start(pg, job->transaction ? PG_OP_BEGIN : PG_OP_QUERY, job->call, job->context);
	pg->op.writes = job->writes;
	if (job->transaction)
		pg->transaction = PG_TRANSACTION_OPEN;
	int sent = PQsendQueryParams(pg->conn, job->sql, job->bound.count, job->bound.types,
		job->bound.values, job->bound.lengths, job->bound.formats, 0);
	pg_job_free(job);
	pg_op_sent(pg, sent);
}

/* True if the step can be sent; else its owner will be told soon that the transaction is gone. */
static bool pg_step_start(struct pg *pg, enum pg_op_kind kind, pg_result_fn *call, void *context)
{
	pg_op_start(pg, kind, call, context);
	if (pg->transaction == PG_TRANSACTION_OPEN)
		return true;
	timer_set(pg->soon, 0);
	return false;
}

void pg_step(struct pg *pg, const char *sql, const struct pg_parameter *parameters, size_t count,
	pg_result_fn *call, void *context)
{
	if (!pg_step_start(pg, PG_OP_STEP, call, context))
		return;
	struct pg_bound bound;
	arena_reset(pg->kept);
	pg_bind(pg->kept, parameters, count, &bound);
	pg_op_sent(pg, PQsendQueryParams(pg->conn, sql, bound.count, bound.types, bound.values, bound.lengths,
			       bound.formats, 0));
}

void pg_step_prepared(struct pg *pg, const char *name, const char *sql, const struct pg_parameter *parameters,
	size_t count, bool binary, pg_result_fn *call, void *context)
{
	bool known = map_get_str(pg->prepared, str_of(name)) != NULL;
	if (!pg_step_start(pg, known ? PG_OP_STEP : PG_OP_PREPARE, call, context))
		return;
	arena_reset(pg->kept);
	pg_bind(pg->kept, parameters, count, &pg->kept_bound);
	const struct pg_bound *bound = &pg->kept_bound;
	if (known) {
		pg_op_sent(pg, PQsendQueryPrepared(pg->conn, name, bound->count, bound->values,
				       bound->lengths, bound->formats, binary));
		return;
	}
	pg->kept_name = arena_str(pg->kept, str_of(name)).p;
	pg->kept_binary = binary;
	pg_op_sent(pg, PQsendPrepare(pg->conn, name, sql, bound->count, bound->types));
}

void pg_step_copy(struct pg *pg, const char *const *sql, const struct str *data, size_t count,
	pg_result_fn *call, void *context)
{
	if (!pg_step_start(pg, PG_OP_COPY, call, context))
		return;
	struct buf all = {0};
	for (size_t i = 0; i < count; i++)
		buf_printf(&all, "%s; ", sql[i]);
	arena_reset(pg->kept);
	/* The caller's array of views may be on its stack; the bytes are not copied. */
	struct str *views = arena_alloc(pg->kept, count * sizeof *views);
	memcpy(views, data, count * sizeof *views);
	pg->op.copy_data = views;
	pg->op.copy_count = count;
	pg_op_sent(pg, PQsendQuery(pg->conn, buf_cstr(&all)));
	buf_free(&all);
}

void pg_commit(struct pg *pg, pg_result_fn *call, void *context)
{
	if (pg_step_start(pg, PG_OP_COMMIT, call, context))
		pg_op_sent(pg, PQsendQuery(pg->conn, "COMMIT"));
}

void pg_rollback(struct pg *pg, pg_result_fn *call, void *context)
{
	if (pg_step_start(pg, PG_OP_ROLLBACK, call, context))
		pg_op_sent(pg, PQsendQuery(pg->conn, "ROLLBACK"));
}

void pg_listen(struct pg *pg, const char *channel, pg_notify_fn *call, void *context)
{
	struct pg_listen *listen = mem_alloc(sizeof *listen);
	listen->channel = mem_strdup(channel);
	listen->call = call;
	listen->context = context;
	listen->next = pg->listens;
	pg->listens = listen;
	if (!pg->ready)
		return;
	char *quoted = PQescapeIdentifier(pg->conn, channel, strlen(channel));
	char *sql = mem_printf("LISTEN %s", quoted ? quoted : "cirt");
	pg_query(pg, sql, NULL, 0, false, NULL, NULL);
	PQfreemem(quoted);
	free(sql);
}
