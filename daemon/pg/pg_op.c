#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "pg/pg_private.h"

/* One write at a time into a COPY: as much as a socket takes well. */
#define COPY_CHUNK 262144u

enum pg_outcome pg_outcome_of(const char *sqlstate)
{
	/* A value that its type's input refuses, in binary, is a protocol violation: the connection stays. */
	if (strcmp(sqlstate, "08P01") == 0)
		return PG_REFUSED;
	static const struct {
		const char *class;
		enum pg_outcome outcome;
	} classes[] = {
		{"08", PG_LOST},   /* connection exception */
		{"40", PG_REPEAT}, /* serialization failure, deadlock */
		{"53", PG_REPEAT}, /* insufficient resources */
		{"55", PG_REPEAT}, /* lock not available */
		{"57", PG_REPEAT}, /* operator intervention: cancel, shutdown, crash */
		{"58", PG_REPEAT}, /* the server's own system error */
	};
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (strncmp(sqlstate, classes[i].class, 2) == 0)
			return classes[i].outcome;
	return PG_REFUSED;
}

void pg_op_start(struct pg *pg, enum pg_op_kind kind, pg_result_fn *call, void *context)
{
	PQclear(pg->op.result);
	pg->op = (struct pg_op){.kind = kind, .call = call, .context = context};
}

void pg_op_sent(struct pg *pg, int sent)
{
	if (!sent) {
		/* Not from within the asking call: its owner would be told before it returns. */
		pg->broken = true;
		timer_set(pg->soon, 0);
		return;
	}
	int flushed = PQflush(pg->conn);
	watch_set(pg->watch, flushed ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

/* Tell the owner. The op is over before the call, so that the call can ask for the next. */
static void pg_tell(struct pg *pg, const struct pg_op *op, enum pg_outcome outcome, const char *sqlstate,
	const char *text)
{
	struct pg_result result = {.outcome = outcome, .text = text ? text : "", .handle = op->result};
	const char *detail = PQresultErrorField(op->result, PG_DIAG_MESSAGE_DETAIL);
	result.detail = detail ? detail : "";
	snprintf(result.sqlstate, sizeof result.sqlstate, "%s", sqlstate ? sqlstate : "");
	if (op->result) {
		result.rows = PQntuples(op->result);
		result.columns = PQnfields(op->result);
	}
	if (op->call)
		op->call(pg, &result, op->context);
}

static struct pg_op pg_op_end(struct pg *pg)
{
	struct pg_op op = pg->op;
	pg->op = (struct pg_op){0};
	return op;
}

void pg_op_lost(struct pg *pg, const char *why)
{
	struct pg_op op = pg_op_end(pg);
	bool told = op.kind != PG_OP_NONE && op.kind != PG_OP_SETUP;
	bool committing = op.kind == PG_OP_COMMIT && pg->transaction == PG_TRANSACTION_OPEN;
	bool uncertain = committing || (op.kind == PG_OP_QUERY && op.writes);
	if (told)
		pg->transaction = PG_NO_TRANSACTION;
	else if (pg->transaction == PG_TRANSACTION_OPEN)
		pg->transaction = PG_TRANSACTION_LOST;
	PQclear(op.result);
	op.result = NULL;
	if (told && op.kind == PG_OP_ROLLBACK)
		pg_tell(pg, &op, PG_DONE, "", "");
	else if (told)
		pg_tell(pg, &op, uncertain ? PG_UNKNOWN : PG_LOST, "08006", why);
}

/* The message with its hint, as a person should read it. */
static char *pg_error_text(const PGresult *result)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
	if (!message)
		return mem_strdup("the server gave no reason");
	return hint ? mem_printf("%s (%s)", message, hint) : mem_strdup(message);
}

/* What a result says about a commit or a write whose backend went away cannot be trusted. */
static enum pg_outcome pg_op_outcome(const struct pg_op *op, const char *sqlstate)
{
	enum pg_outcome outcome = pg_outcome_of(sqlstate);
	bool gone = outcome == PG_LOST || strncmp(sqlstate, "57P", 3) == 0;
	if (gone && (op->kind == PG_OP_COMMIT || (op->kind == PG_OP_QUERY && op->writes)))
		return PG_UNKNOWN;
	return outcome;
}

static void pg_op_failed(struct pg *pg, const struct pg_op *op)
{
	const char *sqlstate = PQresultErrorField(op->result, PG_DIAG_SQLSTATE);
	if (!sqlstate)
		sqlstate = PQstatus(pg->conn) == CONNECTION_BAD ? "08006" : "XX000";
	char *text = pg_error_text(op->result);
	bool open = pg->transaction == PG_TRANSACTION_OPEN && op->kind != PG_OP_COMMIT;
	pg->transaction = PG_NO_TRANSACTION;
	if (open && op->kind != PG_OP_BEGIN && PQtransactionStatus(pg->conn) != PQTRANS_IDLE) {
		pg_op_start(pg, PG_OP_ROLLBACK, NULL, NULL);
		pg_op_sent(pg, PQsendQuery(pg->conn, "ROLLBACK"));
	}
	pg_tell(pg, op, pg_op_outcome(op, sqlstate), sqlstate, text);
	free(text);
}

static void pg_setup_done(struct pg *pg)
{
	pg->ready = true;
	pg->delay = 0;
	timer_stop(pg->retry);
	if (pg->state)
		pg->state(pg, true, "", pg->context);
}

/* Prepared: now run it with the parameters that were kept. */
static void pg_execute_kept(struct pg *pg, const struct pg_op *op)
{
	map_put_str(pg->prepared, str_of(pg->kept_name), pg);
	pg_op_start(pg, PG_OP_STEP, op->call, op->context);
	const struct pg_bound *bound = &pg->kept_bound;
	pg_op_sent(pg, PQsendQueryPrepared(pg->conn, pg->kept_name, bound->count, bound->values,
			       bound->lengths, bound->formats, pg->kept_binary));
}

/* Everything of this op has come. */
static void pg_op_done(struct pg *pg)
{
	struct pg_op op = pg_op_end(pg);
	ExecStatusType status = PQresultStatus(op.result);
	bool failed = status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY;
	if (op.kind == PG_OP_SETUP) {
		if (failed)
			pg_connection_lost(
				pg, op.result ? PQresultErrorMessage(op.result) : PQerrorMessage(pg->conn));
		else
			pg_setup_done(pg);
	} else if (failed) {
		pg_op_failed(pg, &op);
	} else if (op.kind == PG_OP_PREPARE) {
		pg_execute_kept(pg, &op);
	} else if (op.kind == PG_OP_COMMIT && strcmp(PQcmdStatus(op.result), "COMMIT") != 0) {
		pg->transaction = PG_NO_TRANSACTION;
		pg_tell(pg, &op, PG_REFUSED, "25P02", "the transaction had failed before its commit");
	} else {
		if (op.kind == PG_OP_COMMIT || op.kind == PG_OP_ROLLBACK)
			pg->transaction = PG_NO_TRANSACTION;
		pg_tell(pg, &op, PG_DONE, "", "");
	}
	PQclear(op.result);
	pg_run_next(pg);
}

/* Send what the socket takes. False: the rest waits for it. */
static bool pg_copy_feed(struct pg *pg)
{
	struct pg_op *op = &pg->op;
	const struct str *data = &op->copy_data[op->copy_next];
	while (op->copy_offset < data->len) {
		size_t len = data->len - op->copy_offset;
		if (len > COPY_CHUNK)
			len = COPY_CHUNK;
		int put = PQputCopyData(pg->conn, data->p + op->copy_offset, (int)len);
		if (put == 0)
			return false;
		if (put < 0)
			break; /* the reason comes as a result */
		op->copy_offset += len;
		if (PQflush(pg->conn) > 0)
			return false;
	}
	if (PQputCopyEnd(pg->conn, NULL) == 0)
		return false;
	op->copying = false;
	op->copy_next++;
	return true;
}

static void pg_take_result(struct pg *pg, PGresult *result)
{
	struct pg_op *op = &pg->op;
	ExecStatusType status = PQresultStatus(result);
	if (status == PGRES_COPY_IN && op->copy_next < op->copy_count) {
		op->copying = true;
		op->copy_offset = 0;
		PQclear(result);
		return;
	}
	/* The first error of several statements is the reason; the rest only follow from it. */
	if (op->result && PQresultStatus(op->result) == PGRES_FATAL_ERROR) {
		PQclear(result);
		return;
	}
	PQclear(op->result);
	op->result = result;
}

void pg_op_advance(struct pg *pg)
{
	if (pg->op.kind != PG_OP_SETUP && pg->transaction == PG_TRANSACTION_LOST)
		return; /* not on this connection */
	while (pg->op.kind != PG_OP_NONE && !pg->broken) {
		if (pg->op.copying && !pg_copy_feed(pg))
			break;
		if (PQisBusy(pg->conn))
			break;
		PGresult *result = PQgetResult(pg->conn);
		if (result)
			pg_take_result(pg, result);
		else
			pg_op_done(pg);
		if (!pg->conn || pg->phase != PG_PHASE_UP)
			return;
	}
	if (pg->broken)
		return;
	int flushed = PQflush(pg->conn);
	watch_set(pg->watch, flushed > 0 || pg->op.copying ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}
