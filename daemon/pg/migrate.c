#include "config.h"

#include "pg/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

#define SQL_MAX     ((size_t)16 << 20)
#define LOCK_NUMBER "7523094288207667311" /* advisory lock of all that migrate */
#define ADMIN       "postgres"
#define OWNER       "cirt_owner"
#define DATABASE    "cirt"

static bool pg_error(struct err *err, const char *what, const char *message, enum err_code code)
{
	size_t len = strcspn(message, "\n");
	return err_set(err, code, "%s: %.*s", what, (int)len, message);
}

static PGconn *connect_as(
	const char *conninfo, const char *user, struct str password, const char *database, struct err *err)
{
	char *secret = mem_strndup(password.p ? password.p : "", password.len);
	/* A later keyword wins over what the conninfo of dbname says. */
	const char *const names[] = {
		"dbname", "user", "password", "dbname", "application_name", "connect_timeout", NULL};
	const char *const values[] = {
		conninfo, user, password.p ? secret : NULL, database, "cirtd migrate", "10", NULL};
	PGconn *connection = PQconnectdbParams(names, values, 1);
	mem_wipe(secret, strlen(secret));
	free(secret);
	if (PQstatus(connection) == CONNECTION_OK)
		return connection;
	pg_error(err, "connecting to the database", PQerrorMessage(connection), ERR_AGAIN);
	PQfinish(connection);
	return NULL;
}

static bool run(PGconn *connection, const char *what, const char *sql, struct err *err)
{
	PGresult *result = PQexec(connection, sql);
	ExecStatusType status = PQresultStatus(result);
	bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
	if (!ok)
		pg_error(err, what, PQresultErrorMessage(result), ERR_CONFLICT);
	PQclear(result);
	return ok;
}

/* The first value of a query: false and "" where there is none. */
static bool ask(PGconn *connection, const char *sql, const char *parameter, struct buf *value, bool *found,
	struct err *err)
{
	PGresult *result = PQexecParams(connection, sql, parameter ? 1 : 0, NULL, &parameter, NULL, NULL, 0);
	bool ok = PQresultStatus(result) == PGRES_TUPLES_OK;
	buf_clear(value);
	if (!ok)
		pg_error(err, sql, PQresultErrorMessage(result), ERR_CONFLICT);
	*found = ok && PQntuples(result) > 0 && !PQgetisnull(result, 0, 0);
	if (*found)
		buf_text(value, PQgetvalue(result, 0, 0));
	PQclear(result);
	return ok;
}

static bool read_sql(const char *folder, const char *name, struct buf *sql, struct err *err)
{
	char *path = mem_printf("%s/%s", folder, name);
	bool ok = file_read(path, SQL_MAX, sql, err);
	free(path);
	return ok;
}

static bool set_password(PGconn *connection, const char *role, struct str password, struct err *err)
{
	char *plain = mem_strndup(password.p, password.len);
	/* Only the verifier goes to the server, so that no log of statements has the password. */
	char *verifier = PQencryptPasswordConn(connection, plain, role, "scram-sha-256");
	mem_wipe(plain, strlen(plain));
	free(plain);
	if (!verifier)
		return pg_error(err, "password", PQerrorMessage(connection), ERR_SYSTEM);
	char *name = PQescapeIdentifier(connection, role, strlen(role));
	char *literal = PQescapeLiteral(connection, verifier, strlen(verifier));
	char *sql = mem_printf("ALTER ROLE %s PASSWORD %s", name, literal);
	bool ok = run(connection, "password of a role", sql, err);
	free(sql);
	PQfreemem(name);
	PQfreemem(literal);
	PQfreemem(verifier);
	return ok;
}

static bool set_passwords(PGconn *connection, struct str lines, struct err *err)
{
	struct str line;
	while (str_split(&lines, '\n', &line)) {
		struct str role, password = str_trim(line);
		if (!str_split(&password, ':', &role) || !password.p || str_equal(role, STR(ADMIN)))
			continue;
		char *name = mem_strndup(role.p, role.len);
		bool ok = set_password(connection, name, password, err);
		free(name);
		if (!ok)
			return false;
	}
	return true;
}

static bool make_database(PGconn *connection, struct err *err)
{
	struct buf value = {0};
	bool found;
	bool ok = ask(
		connection, "SELECT 1 FROM pg_database WHERE datname = $1", DATABASE, &value, &found, err);
	buf_free(&value);
	if (!ok || found)
		return ok;
	return run(connection, "making the database",
		       "CREATE DATABASE " DATABASE " OWNER " OWNER " TEMPLATE template0 ENCODING 'UTF8'",
		       err) &&
	       run(connection, "making the database", "REVOKE ALL ON DATABASE " DATABASE " FROM PUBLIC", err);
}

/* Roles, passwords and the database of a managed server. */
static bool prepare_server(const struct migrate_settings *settings, struct err *err)
{
	struct buf sql = {0};
	PGconn *admin = connect_as(settings->conninfo, ADMIN, settings->admin_password, ADMIN, err);
	bool ok = admin && read_sql(settings->folder, "roles.sql", &sql, err) &&
	          run(admin, "roles.sql", buf_cstr(&sql), err) &&
	          set_passwords(admin, settings->passwords, err) && make_database(admin, err) &&
	          run(admin, "rights to connect",
			  "GRANT CONNECT, TEMPORARY ON DATABASE " DATABASE
			  " TO cirt_owner, cirt_store, cirt_keeper, cirt_desk, cirt_exchange, cirt_courier",
			  err);
	PQfinish(admin);
	buf_free(&sql);
	return ok;
}

/* "NNN-name.sql" */
static int is_migration(const struct dirent *entry)
{
	const char *name = entry->d_name;
	size_t digits = strspn(name, "0123456789");
	return digits > 0 && digits < 9 && name[digits] == '-' && str_ends(str_of(name), STR(".sql"));
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	long first = strtol((*a)->d_name, NULL, 10);
	long second = strtol((*b)->d_name, NULL, 10);
	return first < second ? -1 : first > second;
}

static bool record(
	PGconn *connection, const char *version, const char *name, const char *digest, struct err *err)
{
	const char *values[] = {version, name, digest};
	PGresult *result = PQexecParams(connection,
		"INSERT INTO cirt.migration (version, name, digest) VALUES ($1, $2, $3)", 3, NULL, values,
		NULL, NULL, 0);
	bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
	if (!ok)
		pg_error(err, name, PQresultErrorMessage(result), ERR_CONFLICT);
	PQclear(result);
	return ok;
}

static bool apply(PGconn *connection, const char *version, const char *name, struct str sql,
	const char *digest, struct err *err)
{
	char *text = mem_strndup(sql.p, sql.len);
	bool ok = run(connection, name, "BEGIN", err) && run(connection, name, text, err) &&
	          record(connection, version, name, digest, err) && run(connection, name, "COMMIT", err);
	free(text);
	if (!ok)
		run(connection, name, "ROLLBACK", NULL);
	else
		log_info_f(LOG_F({"migration", name}), "applied");
	return ok;
}

/* Apply one file, or see that it is what was applied. */
static bool migrate_one(PGconn *connection, const char *folder, const char *name, bool have_table,
	unsigned *applied, struct err *err)
{
	struct buf sql = {0};
	struct buf known = {0};
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX];
	char *version = mem_printf("%ld", strtol(name, NULL, 10));
	bool found = false;
	bool ok = read_sql(folder, name, &sql, err);
	sha256(buf_view(&sql), digest);
	hex_encode(digest, SHA256_LEN, hex);
	if (ok && have_table)
		ok = ask(connection, "SELECT coalesce(digest, '') FROM cirt.migration WHERE version = $1",
			version, &known, &found, err);
	if (ok && found && known.len > 0 && !str_equal(buf_view(&known), str_of(hex)))
		ok = err_set(err, ERR_CONFLICT,
			"%s: this is not the file that was applied under its number; a migration is never "
			"edited",
			name);
	if (ok && !found) {
		ok = apply(connection, version, name, buf_view(&sql), hex, err);
		*applied += ok;
	}
	buf_free(&sql);
	buf_free(&known);
	free(version);
	return ok;
}

static bool has_table(PGconn *connection, bool *has, struct err *err)
{
	struct buf value = {0};
	bool ok = ask(connection, "SELECT to_regclass('cirt.migration')::text", NULL, &value, has, err);
	buf_free(&value);
	return ok;
}

/* A database that a later version has been at is not ours to write to. */
static bool check_newest(PGconn *connection, const char *newest, struct err *err)
{
	struct buf value = {0};
	bool found;
	char *number = mem_printf("%ld", strtol(newest, NULL, 10));
	bool ok = ask(connection, "SELECT max(version) FROM cirt.migration HAVING max(version) > $1::int",
		number, &value, &found, err);
	if (ok && found)
		ok = err_set(err, ERR_CONFLICT,
			"the database has migration %s, a later version's; this one knows %s",
			buf_cstr(&value), number);
	buf_free(&value);
	free(number);
	return ok;
}

static bool migrate_all(PGconn *connection, const char *folder, unsigned *applied, struct err *err)
{
	struct dirent **files = NULL;
	int count = scandir(folder, &files, is_migration, by_number);
	bool ok = count > 0;
	if (count < 0)
		err_errno(err, "%s", folder);
	else if (count == 0)
		err_set(err, ERR_NOTFOUND, "%s: files NNN-name.sql were expected", folder);
	for (int i = 0; i < count; i++) {
		bool have_table = false;
		ok = ok && has_table(connection, &have_table, err) &&
		     migrate_one(connection, folder, files[i]->d_name, have_table, applied, err);
	}
	ok = ok && check_newest(connection, files[count - 1]->d_name, err);
	for (int i = 0; i < count; i++)
		free(files[i]);
	free(files);
	return ok;
}

bool migrate_run(const struct migrate_settings *settings, unsigned *applied, struct err *err)
{
	*applied = 0;
	if (settings->admin_password.p && !prepare_server(settings, err))
		return false;
	PGconn *owner = connect_as(settings->conninfo, OWNER, settings->owner_password, NULL, err);
	if (!owner)
		return false;
	/* The lock is the session's and goes with it. */
	bool ok = run(owner, "waiting for others that migrate", "SELECT pg_advisory_lock(" LOCK_NUMBER ")",
			  err) &&
	          run(owner, "session", "SET client_min_messages = warning; SET TimeZone = 'UTC'", err) &&
	          migrate_all(owner, settings->folder, applied, err);
	PQfinish(owner);
	return ok;
}
