#include "config.h"

#include "supervisor/postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "supervisor/folders.h"
#include "supervisor/postmaster.h"

#define LOOK_EVERY    (CLOCK_SECOND / 20)
#define WAIT_FIRST    (CLOCK_SECOND / 10)
#define WAIT_LONGEST  (5 * CLOCK_SECOND)
#define STOP_PATIENCE (60 * CLOCK_SECOND) /* for a fast shutdown, then an immediate one */
#define LIVED         (10 * CLOCK_SECOND) /* so long up: its end begins the back-off anew */

struct postgres {
	struct loop *loop;
	struct children *children;
	const struct conf *conf;
	const struct database *database;
	const char *const *migrate_argv;
	char *user;
	enum postgres_state state;
	pid_t initdb;
	pid_t postmaster;
	pid_t migrate;
	bool adopted;
	int pidfd; /* of an adopted postmaster, which is no child of ours */
	struct watch *gone;
	struct timer *timer;
	int64_t wait;
	int64_t since; /* when the postmaster came up */
	unsigned restarts;
	char why[256];
	timer_fn *stopped;
	void *stopped_context;
};

static void try_again(struct postgres *postgres, const char *why);
static void on_timer(void *context);
static void begin(struct postgres *postgres);

struct postgres *postgres_new(struct loop *loop, struct children *children, const struct conf *conf,
	const struct database *database, const char *const *migrate_argv)
{
	struct postgres *postgres = mem_alloc(sizeof(*postgres));
	postgres->loop = loop;
	postgres->children = children;
	postgres->conf = conf;
	postgres->database = database;
	postgres->migrate_argv = migrate_argv;
	postgres->user = folders_user(conf, "db");
	postgres->pidfd = -1;
	postgres->wait = WAIT_FIRST;
	postgres->timer = timer_new(loop, on_timer, postgres);
	postgres->state = POSTGRES_STOPPED;
	return postgres;
}

void postgres_free(struct postgres **postgres)
{
	struct postgres *old = *postgres;
	*postgres = NULL;
	if (!old)
		return;
	watch_free(&old->gone);
	fd_close(&old->pidfd);
	timer_free(&old->timer);
	free(old->user);
	free(old);
}

static char *program(const struct postgres *postgres, const char *name)
{
	return mem_printf(STR_FMT "/%s", STR_ARG(postgres->conf->db_pgbin), name);
}

/* The major version that the programs are of: "postgres (PostgreSQL) 15.8 …"; 0: they do not run. */
static int program_version(const struct postgres *postgres)
{
	char *path = program(postgres, "postgres");
	char *command[] = {path, (char[]){"--version"}, NULL};
	char text[128] = "";
	int pipe_ends[2];
	int version = 0;
	if (pipe2(pipe_ends, O_CLOEXEC) == 0) {
		pid_t pid = fork();
		if (pid == 0) {
			dup2(pipe_ends[1], STDOUT_FILENO);
			execv(path, command);
			_exit(127);
		}
		fd_close(&pipe_ends[1]);
		ssize_t n = read(pipe_ends[0], text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = 0;
		fd_close(&pipe_ends[0]);
		waitpid(pid, NULL, 0);
		const char *number = strstr(text, ") ");
		version = number ? (int)strtol(number + 2, NULL, 10) : 0;
	}
	free(path);
	return version;
}

static void set_state(struct postgres *postgres, enum postgres_state state, const char *why)
{
	postgres->state = state;
	snprintf(postgres->why, sizeof(postgres->why), "%s", why);
}

static void finish_stop(struct postgres *postgres)
{
	set_state(postgres, POSTGRES_STOPPED, "");
	timer_stop(postgres->timer);
	if (postgres->stopped)
		postgres->stopped(postgres->stopped_context);
	postgres->stopped = NULL;
}

/* Wait longer each time, but begin anew after a good while of life. */
static void try_again(struct postgres *postgres, const char *why)
{
	set_state(postgres, POSTGRES_WAITING, why);
	log_warn("database: %s; trying again in %lld ms", why, (long long)(postgres->wait / 1000));
	timer_set(postgres->timer, postgres->wait);
	postgres->wait = postgres->wait * 2 > WAIT_LONGEST ? WAIT_LONGEST : postgres->wait * 2;
}

/* Migrations */

static void on_migrated(pid_t pid, int status, void *context)
{
	struct postgres *postgres = context;
	if (pid != postgres->migrate)
		return;
	postgres->migrate = 0;
	if (postgres->state == POSTGRES_STOPPING && postgres->postmaster == 0)
		finish_stop(postgres);
	if (postgres->state != POSTGRES_MIGRATING)
		return;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		try_again(postgres, "the schema could not be brought up to date");
		return;
	}
	postgres->wait = WAIT_FIRST;
	set_state(postgres, POSTGRES_READY, "");
	log_info("database: ready");
}

static void migrate(struct postgres *postgres)
{
	struct child child = {
		.program = "/proc/self/exe", .argv = postgres->migrate_argv, .third = -1, .output = -1};
	struct err err = {0};
	if (!postgres->conf->db_migrate && !postgres->conf->db_managed) {
		set_state(postgres, POSTGRES_READY, "");
		return;
	}
	set_state(postgres, POSTGRES_MIGRATING, "");
	if (!children_start(postgres->children, &child, on_migrated, postgres, &postgres->migrate, &err))
		try_again(postgres, err.text);
}

/* The postmaster's life */

static void on_down(struct postgres *postgres, const char *how)
{
	postgres->postmaster = 0;
	watch_free(&postgres->gone);
	fd_close(&postgres->pidfd);
	if (postgres->state == POSTGRES_STOPPING) {
		if (postgres->migrate == 0)
			finish_stop(postgres);
		return;
	}
	if (clock_monotonic() - postgres->since > LIVED)
		postgres->wait = WAIT_FIRST;
	postgres->restarts++;
	try_again(postgres, how);
}

static void on_postmaster_ended(pid_t pid, int status, void *context)
{
	char how[96];
	(void)pid;
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "postgres was ended by signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "postgres ended with status %d", WEXITSTATUS(status));
	on_down(context, how);
}

static void on_adopted_gone(int fd, unsigned ready, void *context)
{
	(void)fd;
	(void)ready;
	on_down(context, "postgres has ended");
}

static bool watch_adopted(struct postgres *postgres, pid_t pid, struct err *err)
{
	postgres->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (postgres->pidfd < 0)
		return err_errno(err, "watching postgres %ld", (long)pid);
	postgres->gone = watch_new(postgres->loop, postgres->pidfd, on_adopted_gone, postgres);
	watch_set(postgres->gone, LOOP_READ);
	return true;
}

static void wait_until_ready(struct postgres *postgres, pid_t pid)
{
	postgres->postmaster = pid;
	postgres->since = clock_monotonic();
	set_state(postgres, POSTGRES_STARTING, "");
	timer_set(postgres->timer, LOOK_EVERY);
}

/* True if a postmaster of our folder lives: it is ours from now on, or is ended where it serves another
 * socket. */
static bool adopt(struct postgres *postgres)
{
	struct err err = {0};
	char *socket = NULL;
	pid_t pid = postmaster_find(postgres->database->folder, &socket);
	bool same = socket && strcmp(socket, postgres->database->socket) == 0;
	free(socket);
	if (pid == 0)
		return false;
	if (!same) {
		kill(pid, SIGINT);
		try_again(
			postgres, "a postgres of this data folder serves another socket; it is being ended");
	} else if (!watch_adopted(postgres, pid, &err)) {
		try_again(postgres, err.text);
	} else {
		log_info("database: postgres %ld lives already, it is taken over", (long)pid);
		postgres->adopted = true;
		wait_until_ready(postgres, pid);
	}
	return true;
}

static void start_postmaster(struct postgres *postgres)
{
	struct err err = {0};
	pid_t pid;
	char *path = program(postgres, "postgres");
	const char *argv[] = {"postgres", "-D", postgres->database->folder, NULL};
	struct child child = {
		.program = path, .argv = argv, .user = postgres->user, .third = -1, .output = STDERR_FILENO};
	postgres->adopted = false;
	if (cluster_configure(postgres->database, postgres->database->folder, postgres->user, &err) &&
		children_start(postgres->children, &child, on_postmaster_ended, postgres, &pid, &err))
		wait_until_ready(postgres, pid);
	else
		try_again(postgres, err.text);
	free(path);
}

/* initdb */

/* Made beside its place and moved there once it is whole: what was cut off half way is never taken for a
 * cluster. */
static char *new_folder(const struct postgres *postgres)
{
	return mem_printf("%s.new", postgres->database->folder);
}

static void on_initdb_ended(pid_t pid, int status, void *context)
{
	struct postgres *postgres = context;
	(void)pid;
	postgres->initdb = 0;
	if (postgres->state == POSTGRES_STOPPING) {
		finish_stop(postgres);
		return;
	}
	char *made = new_folder(postgres);
	bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
	          rename(made, postgres->database->folder) == 0;
	free(made);
	if (ok)
		begin(postgres);
	else
		try_again(postgres, "initdb failed; what it said stands above");
}

static bool run_initdb(struct postgres *postgres, const char *folder, int password, struct err *err)
{
	char *path = program(postgres, "initdb");
	const char *argv[] = {"initdb", "-D", folder, "-U", "postgres", "--pwfile=/dev/fd/3",
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums",
		"--no-instructions", NULL};
	struct child child = {.program = path,
		.argv = argv,
		.user = postgres->user,
		.third = password,
		.output = STDERR_FILENO};
	bool ok =
		children_start(postgres->children, &child, on_initdb_ended, postgres, &postgres->initdb, err);
	free(path);
	return ok;
}

/* An rm -r of our own: what a cut off initdb left. It holds nothing that anybody has seen. */
static void remove_tree(const char *path)
{
	const char *argv[] = {"rm", "-rf", "--", path, NULL};
	pid_t pid = fork();
	if (pid == 0) {
		execv("/bin/rm", (char **)(uintptr_t)argv);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void make_cluster(struct postgres *postgres)
{
	struct err err = {0};
	char *folder = new_folder(postgres);
	int password = -1;
	struct buf line = {0};
	buf_str(&line, database_password(postgres->database, "postgres"));
	buf_char(&line, '\n');
	set_state(postgres, POSTGRES_STARTING, "");
	log_info("database: making a cluster in %s", postgres->database->folder);
	remove_tree(folder);
	bool ok = mkdir(folder, 0700) == 0 || err_errno(&err, "%s", folder);
	ok = ok && folders_give(folder, postgres->user, &err) &&
	     fd_memory("initdb password", buf_view(&line), &password, &err) &&
	     run_initdb(postgres, folder, password, &err);
	if (!ok)
		try_again(postgres, err.text);
	fd_close(&password);
	mem_wipe(line.data, line.len);
	buf_free(&line);
	free(folder);
}

/* What is to be done now: the one place that decides, at the start and after every wait. */
static void begin(struct postgres *postgres)
{
	char version[16];
	if (!postgres->conf->db_managed) {
		migrate(postgres);
		return;
	}
	if (postgres->postmaster != 0) {
		migrate(postgres);
		return;
	}
	int ours = program_version(postgres);
	if (ours == 0) {
		char *path = program(postgres, "postgres");
		char *why = mem_printf("%s does not run; database.programs must name its folder", path);
		try_again(postgres, why);
		free(path);
		free(why);
		return;
	}
	enum cluster_kind kind = cluster_look(postgres->database->folder, ours, version);
	if (kind == CLUSTER_OTHER_VERSION) {
		set_state(postgres, POSTGRES_REFUSED,
			"the data folder is of another major version of PostgreSQL");
		log_error("database: %s was made by PostgreSQL %s, the programs are of %d: run cirtd "
			  "db-upgrade",
			postgres->database->folder, version, ours);
	} else if (kind == CLUSTER_NONE) {
		make_cluster(postgres);
	} else if (!adopt(postgres)) {
		start_postmaster(postgres);
	}
}

static void on_timer(void *context)
{
	struct postgres *postgres = context;
	switch (postgres->state) {
	case POSTGRES_WAITING:
		begin(postgres);
		break;
	case POSTGRES_STARTING:
		if (postgres->postmaster == 0)
			break;
		if (postmaster_is_ready(postgres->database->folder, postgres->postmaster))
			migrate(postgres);
		else
			timer_set(postgres->timer, LOOK_EVERY);
		break;
	case POSTGRES_STOPPING:
		log_warn("database: no end of the fast shutdown, ending it at once");
		if (postgres->postmaster > 0)
			kill(postgres->postmaster, SIGQUIT);
		break;
	default:
		break;
	}
}

void postgres_start(struct postgres *postgres)
{
	begin(postgres);
}

void postgres_stop(struct postgres *postgres, timer_fn *stopped, void *context)
{
	postgres->stopped = stopped;
	postgres->stopped_context = context;
	set_state(postgres, POSTGRES_STOPPING, "");
	timer_stop(postgres->timer);
	if (postgres->migrate > 0)
		kill(postgres->migrate, SIGTERM);
	if (postgres->initdb > 0)
		kill(-postgres->initdb, SIGTERM);
	if (postgres->postmaster > 0) {
		kill(postgres->postmaster, SIGINT);
		timer_set(postgres->timer, STOP_PATIENCE);
	} else if (postgres->migrate == 0 && postgres->initdb == 0) {
		finish_stop(postgres);
	}
}

enum postgres_state postgres_state(const struct postgres *postgres)
{
	return postgres->state;
}

void postgres_describe(const struct postgres *postgres, struct buf *json)
{
	static const char *const names[] = {[POSTGRES_STARTING] = "starting",
		[POSTGRES_MIGRATING] = "migrating",
		[POSTGRES_READY] = "ready",
		[POSTGRES_WAITING] = "waiting",
		[POSTGRES_REFUSED] = "refused",
		[POSTGRES_STOPPING] = "stopping",
		[POSTGRES_STOPPED] = "stopped"};
	buf_printf(json, "{\"managed\":%s,\"state\":\"%s\"", postgres->conf->db_managed ? "true" : "false",
		names[postgres->state]);
	if (postgres->postmaster > 0)
		buf_printf(json, ",\"pid\":%ld,\"adopted\":%s", (long)postgres->postmaster,
			postgres->adopted ? "true" : "false");
	buf_printf(json, ",\"restarts\":%u,\"why\":", postgres->restarts);
	buf_json_string(json, str_of(postgres->why));
	buf_text(json, "}");
}
