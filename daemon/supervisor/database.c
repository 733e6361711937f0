#include "config.h"

#include "supervisor/database.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "supervisor/folders.h"
#include "supervisor/secrets.h"

#define SOCKET_MAX 100 /* a socket's path has 107 bytes at most */

/* Below `run`, or under /tmp by a name of its own where that path is too long for a socket. */
static char *socket_folder(const struct conf *conf)
{
	char *path = mem_printf(STR_FMT "/postgres", STR_ARG(conf->run));
	if (strlen(path) + sizeof("/.s.PGSQL.5432") <= SOCKET_MAX)
		return path;
	uint8_t digest[SHA256_LEN];
	char text[2 * 8 + 1];
	free(path);
	sha256(conf->state, digest);
	return mem_printf("/tmp/cirtd-%s", hex_encode(digest, 8, text));
}

bool database_open(const struct conf *conf, struct database *database, struct err *err)
{
	*database = (struct database){0};
	if (conf->db_managed) {
		database->folder = folders_state(conf, "postgres");
		database->socket = socket_folder(conf);
		database->conninfo = mem_printf("host=%s port=5432 dbname=cirt", database->socket);
	} else {
		database->conninfo = mem_strndup(conf->db_conninfo.p, conf->db_conninfo.len);
	}
	if (secrets_passwords(conf, &database->passwords, err))
		return true;
	database_close(database);
	return false;
}

void database_close(struct database *database)
{
	if (database->passwords.data)
		mem_wipe(database->passwords.data, database->passwords.len);
	buf_free(&database->passwords);
	free(database->folder);
	free(database->socket);
	free(database->conninfo);
	*database = (struct database){0};
}

struct str database_password(const struct database *database, const char *role)
{
	return secrets_password(buf_view(&database->passwords), role);
}
