#include "config.h"

#include "supervisor/postmaster.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "supervisor/folders.h"

/* Lines of postmaster.pid, from 0. */
enum { PIDFILE_PID = 0, PIDFILE_SOCKET = 4, PIDFILE_STATUS = 7 };

static const char settings[] =
	"# Written by cirtd at each start. What postgresql.conf says after its include of this file wins.\n"
	"listen_addresses = ''\n"
	"port = 5432\n"
	"unix_socket_permissions = 0777\n"
	"password_encryption = scram-sha-256\n"
	"max_connections = 50\n"
	"shared_buffers = 256MB\n"
	"work_mem = 16MB\n"
	"maintenance_work_mem = 128MB\n"
	"max_wal_size = 4GB\n"
	"min_wal_size = 256MB\n"
	"wal_compression = on\n"
	"checkpoint_timeout = 15min\n"
	"checkpoint_completion_target = 0.9\n"
	"jit = off\n"
	"random_page_cost = 1.1\n"
	"timezone = 'UTC'\n"
	"log_timezone = 'UTC'\n"
	"lc_messages = 'C'\n"
	"logging_collector = off\n"
	"log_destination = 'stderr'\n"
	"log_checkpoints = off\n"
	/* Statements and their details hold what people reported: not for the log. */
	"log_min_error_statement = panic\n"
	"log_error_verbosity = terse\n"
	"log_line_prefix = 'postgres[%p] %q%u: '\n";

static const char access_rules[] =
	"# Written by cirtd at each start: passwords for everybody, on the socket too.\n"
	"local all all scram-sha-256\n";

static bool read_line(const char *folder, const char *name, unsigned number, char *line, size_t size)
{
	char *path = mem_printf("%s/%s", folder, name);
	struct buf bytes = {0};
	struct str rest = STR_NONE;
	struct str piece = STR_NONE;
	bool ok = file_read(path, 65536, &bytes, NULL);
	rest = buf_view(&bytes);
	for (unsigned i = 0; ok && i <= number; i++)
		ok = str_split(&rest, '\n', &piece);
	piece = str_trim(piece);
	ok = ok && piece.len < size;
	snprintf(line, size, STR_FMT, STR_ARG(ok ? piece : STR("")));
	buf_free(&bytes);
	free(path);
	return ok;
}

enum cluster_kind cluster_look(const char *folder, int program_version, char version[16])
{
	if (!read_line(folder, "PG_VERSION", 0, version, 16))
		return CLUSTER_NONE;
	return strtol(version, NULL, 10) == program_version ? CLUSTER_OURS : CLUSTER_OTHER_VERSION;
}

/* A postmaster works in its data folder; another process may have got its number meanwhile. */
static bool works_in(pid_t pid, const char *folder)
{
	struct stat a, b;
	char *link = mem_printf("/proc/%ld/cwd", (long)pid);
	bool same =
		stat(link, &a) == 0 && stat(folder, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
	free(link);
	return same;
}

pid_t postmaster_find(const char *folder, char **socket)
{
	char line[4096];
	uint64_t pid;
	*socket = NULL;
	if (!read_line(folder, "postmaster.pid", PIDFILE_PID, line, sizeof(line)) ||
		!str_to_u64(str_of(line), &pid) || pid == 0 || pid > INT32_MAX)
		return 0;
	if (kill((pid_t)pid, 0) < 0 || !works_in((pid_t)pid, folder))
		return 0;
	if (read_line(folder, "postmaster.pid", PIDFILE_SOCKET, line, sizeof(line)))
		*socket = mem_strdup(line);
	return (pid_t)pid;
}

bool postmaster_is_ready(const char *folder, pid_t pid)
{
	char line[64];
	uint64_t found;
	return read_line(folder, "postmaster.pid", PIDFILE_PID, line, sizeof(line)) &&
	       str_to_u64(str_of(line), &found) && (pid_t)found == pid &&
	       read_line(folder, "postmaster.pid", PIDFILE_STATUS, line, sizeof(line)) &&
	       strcmp(line, "ready") == 0;
}

static bool write_file(
	const char *folder, const char *name, const char *user, struct str text, struct err *err)
{
	char *path = mem_printf("%s/%s", folder, name);
	bool ok = file_write_atomic(path, 0600, text, err) && folders_give(path, user, err);
	free(path);
	return ok;
}

/* Once, at the end of what initdb wrote: ours first, then what the operator adds. */
static bool include_ours(const char *folder, const char *user, struct err *err)
{
	static const char include[] = "\ninclude_if_exists = 'cirtd.conf'\n# Below: yours.\n";
	char *path = mem_printf("%s/postgresql.conf", folder);
	struct buf text = {0};
	bool ok = file_read(path, 1u << 20, &text, err);
	if (ok && !strstr(buf_cstr(&text), "'cirtd.conf'")) {
		buf_text(&text, include);
		ok = write_file(folder, "postgresql.conf", user, buf_view(&text), err);
	}
	buf_free(&text);
	free(path);
	return ok;
}

bool cluster_configure(const struct database *database, const char *folder, const char *user, struct err *err)
{
	struct buf text = {0};
	buf_text(&text, settings);
	buf_printf(&text, "unix_socket_directories = '%s'\n", database->socket);
	bool ok = write_file(folder, "cirtd.conf", user, buf_view(&text), err) &&
	          write_file(folder, "pg_hba.conf", user, str_of(access_rules), err) &&
	          include_ours(folder, user, err);
	buf_free(&text);
	if (ok && mkdir(database->socket, 0755) < 0 && errno != EEXIST)
		ok = err_errno(err, "%s", database->socket);
	return ok && folders_give(database->socket, user, err);
}
