#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "pg/pg_private.h"

#define ATTEMPT   (10 * CLOCK_SECOND)
#define DELAY_MIN (CLOCK_SECOND / 10)
#define DELAY_MAX (5 * CLOCK_SECOND)

void pg_connection_close(struct pg *pg)
{
	watch_free(&pg->watch);
	PQfinish(pg->conn);
	pg->conn = NULL;
	pg->phase = PG_PHASE_DOWN;
	pg->ready = false;
	pg->broken = false;
	map_free(&pg->prepared);
	pg->prepared = map_new();
}

void pg_connection_lost(struct pg *pg, const char *why)
{
	bool was_up = pg->ready;
	/* libpq's texts are lines; one line, without the newline, is kept. */
	snprintf(pg->why_down, sizeof pg->why_down, "%.*s", (int)strcspn(why, "\n"), why);
	pg_connection_close(pg);
	pg->delay = pg->delay ? pg->delay * 2 : DELAY_MIN;
	if (pg->delay > DELAY_MAX)
		pg->delay = DELAY_MAX;
	timer_set(pg->retry, pg->delay);
	pg_op_lost(pg, pg->why_down);
	if (was_up && pg->state)
		pg->state(pg, false, pg->why_down, pg->context);
}

/* Refused until the schema is there: a room that came before the migrations, or an old database, is told so.
 */
static void pg_ask_schema(const struct pg *pg, struct buf *sql)
{
	buf_printf(sql,
		"DO $$ DECLARE at int := 0; BEGIN "
		"IF has_schema_privilege(to_regnamespace('cirt')::oid, 'USAGE') "
		"AND has_table_privilege(to_regclass('cirt.migration')::oid, 'SELECT') THEN "
		"SELECT coalesce(max(version), 0) INTO at FROM cirt.migration; END IF; "
		"IF at < %u THEN RAISE EXCEPTION "
		"'the schema is at migration %%, this program needs %u: cirtd migrate', at; "
		"END IF; END $$; ",
		pg->schema, pg->schema);
}

/* Small settings of the session, then what the owner wants, then the channels: one round trip. */
static void pg_setup(struct pg *pg)
{
	struct buf sql = {0};
	buf_text(&sql, "SET TimeZone = 'UTC'; SET plan_cache_mode = 'auto'; SET jit = off; ");
	char *path = PQescapeLiteral(pg->conn, pg->search_path, strlen(pg->search_path));
	if (path && pg->search_path[0])
		buf_printf(&sql, "SELECT set_config('search_path', %s, false); ", path);
	PQfreemem(path);
	if (pg->schema)
		pg_ask_schema(pg, &sql);
	for (size_t i = 0; pg->on_connect && pg->on_connect[i]; i++)
		buf_printf(&sql, "%s; ", pg->on_connect[i]);
	for (const struct pg_listen *listen = pg->listens; listen; listen = listen->next) {
		char *quoted = PQescapeIdentifier(pg->conn, listen->channel, strlen(listen->channel));
		if (quoted)
			buf_printf(&sql, "LISTEN %s; ", quoted);
		PQfreemem(quoted);
	}
	pg_op_start(pg, PG_OP_SETUP, NULL, NULL);
	pg_op_sent(pg, PQsendQuery(pg->conn, buf_cstr(&sql)));
	buf_free(&sql);
}

/* The socket may be another one after each poll, even under the same number. */
static void pg_watch_again(struct pg *pg, unsigned events)
{
	watch_free(&pg->watch);
	int fd = PQsocket(pg->conn);
	if (fd < 0)
		return;
	pg->watch = watch_new(pg->loop, fd, pg_ready, pg);
	watch_set(pg->watch, events);
}

static void pg_connection_poll(struct pg *pg)
{
	switch (PQconnectPoll(pg->conn)) {
	case PGRES_POLLING_READING:
		pg_watch_again(pg, LOOP_READ);
		return;
	case PGRES_POLLING_WRITING:
		pg_watch_again(pg, LOOP_WRITE);
		return;
	case PGRES_POLLING_OK:
		pg->phase = PG_PHASE_UP;
		PQsetnonblocking(pg->conn, 1);
		pg_watch_again(pg, LOOP_READ);
		if (pg->op.kind !=
			PG_OP_NONE) /* asked for in a transaction that went with the old connection */
			pg_op_lost(pg, pg->why_down);
		pg_setup(pg);
		return;
	default:
		pg_connection_lost(pg, PQerrorMessage(pg->conn));
	}
}

/* Notices are the server's remarks; they are of use to who debugs it. */
static void pg_notice(void *context, const PGresult *result)
{
	(void)context;
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	log_debug_f(LOG_F({"notice", text}), "the database remarks");
}

void pg_connection_start(struct pg *pg)
{
	const char *const keys[] = {"dbname", "user", "password", "application_name", "client_encoding",
		"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
		"tcp_user_timeout", NULL};
	const char *const values[] = {pg->conninfo, pg->user[0] ? pg->user : NULL,
		pg->password[0] ? pg->password : NULL, pg->name, "UTF8", "1", "5", "2", "3", "15000", NULL};
	pg->conn = PQconnectStartParams(keys, values, 1);
	if (!pg->conn || PQstatus(pg->conn) == CONNECTION_BAD) {
		pg_connection_lost(pg, pg->conn ? PQerrorMessage(pg->conn) : "out of memory");
		return;
	}
	PQsetNoticeReceiver(pg->conn, pg_notice, pg);
	pg->phase = PG_PHASE_CONNECTING;
	timer_set(pg->retry, ATTEMPT);
	pg_watch_again(pg, LOOP_WRITE);
}

static void pg_notifications(struct pg *pg)
{
	PGnotify *note;
	while (pg->conn && (note = PQnotifies(pg->conn))) {
		for (struct pg_listen *listen = pg->listens; listen; listen = listen->next)
			if (strcmp(listen->channel, note->relname) == 0)
				listen->call(pg, note->relname, note->extra, listen->context);
		PQfreemem(note);
	}
}

void pg_ready(int fd, unsigned ready, void *context)
{
	struct pg *pg = context;
	(void)fd;
	if (pg->phase == PG_PHASE_CONNECTING) {
		pg_connection_poll(pg);
		return;
	}
	bool read = !(ready & LOOP_READ) || PQconsumeInput(pg->conn);
	if (!read || PQstatus(pg->conn) == CONNECTION_BAD) {
		/* What came before the end tells more: a FATAL with its SQLSTATE is still among the results.
		 */
		if (pg->op.kind != PG_OP_NONE)
			pg_op_advance(pg);
		if (pg->conn && PQstatus(pg->conn) == CONNECTION_BAD)
			pg_connection_lost(pg, PQerrorMessage(pg->conn));
		return;
	}
	pg_op_advance(pg);
	if (pg->conn && pg->phase == PG_PHASE_UP) {
		pg_notifications(pg);
		pg_run_next(pg);
	}
}
