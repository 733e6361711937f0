#include "config.h"

#include "supervisor/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "proc/sandbox.h"

struct child_entry {
	child_ended_fn *ended;
	void *context;
};

struct children {
	struct map *by_pid;
};

static void on_child(int signal, void *context)
{
	struct children *children = context;
	int status;
	pid_t pid;
	(void)signal;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child_entry *entry = map_remove(children->by_pid, (uint64_t)pid);
		if (entry && entry->ended)
			entry->ended(pid, status, entry->context);
		free(entry);
	}
}

struct children *children_new(struct loop *loop)
{
	struct children *children = mem_alloc(sizeof(*children));
	children->by_pid = map_new();
	loop_signal(loop, SIGCHLD, on_child, children);
	return children;
}

void children_free(struct children **children)
{
	size_t cursor = 0;
	uint64_t pid;
	void *entry;
	if (!*children)
		return;
	while (map_next((*children)->by_pid, &cursor, &pid, &entry))
		free(entry);
	map_free(&(*children)->by_pid);
	free(*children);
	*children = NULL;
}

/* What a child may see of our environment: nothing that steers libraries, but for sanitizers. */
static bool keep_variable(const char *variable)
{
	static const char *const kept[] = {"PATH=", "LANG=", "JOURNAL_STREAM=", "ASAN_OPTIONS=",
		"UBSAN_OPTIONS=", "LSAN_OPTIONS=", "TSAN_OPTIONS="};
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (strncmp(variable, kept[i], strlen(kept[i])) == 0)
			return true;
	return false;
}

static char **make_environment(void)
{
	size_t count = 0;
	while (environ[count])
		count++;
	char **kept = mem_alloc((count + 1) * sizeof(*kept));
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		if (keep_variable(environ[i]))
			kept[n++] = environ[i];
	return kept;
}

static void reset_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: only what may be done between fork and exec, and an exit that says where it failed. */
static void become(const struct child *child, char **environment)
{
	struct err err = {0};
	reset_signals();
	setsid();
	if (child->output >= 0 && dup2(child->output, STDOUT_FILENO) < 0)
		_exit(125);
	if (child->third >= 0 &&
		(child->third == 3 ? fd_cloexec(3, false, NULL) : dup2(child->third, 3) == 3)) {
		close_range(4, ~0u, 0);
	} else {
		close_range(3, ~0u, 0);
	}
	if (child->user && !user_become(child->user, &err)) {
		log_error("%s: %s", child->argv[0], err.text);
		_exit(126);
	}
	if (chdir(child->folder ? child->folder : "/") < 0)
		_exit(125);
	execve(child->program, (char **)(uintptr_t)child->argv, environment);
	log_error("%s: %s", child->program, strerror(errno));
	_exit(127);
}

bool children_start(struct children *children, const struct child *child, child_ended_fn *ended,
	void *context, pid_t *pid, struct err *err)
{
	char **environment = make_environment();
	pid_t started = fork();
	if (started == 0)
		become(child, environment);
	free(environment);
	if (started < 0)
		return err_errno(err, "starting %s", child->argv[0]);
	struct child_entry *entry = mem_alloc(sizeof(*entry));
	entry->ended = ended;
	entry->context = context;
	map_put(children->by_pid, (uint64_t)started, entry);
	*pid = started;
	return true;
}

void children_forget(struct children *children, pid_t pid)
{
	struct child_entry *entry = map_get(children->by_pid, (uint64_t)pid);
	if (entry)
		entry->ended = NULL;
}
