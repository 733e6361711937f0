#include "config.h"

#include "client/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/i18n.h"

#define DRAFT_MAX ((size_t)4 << 20)

/* The folder of drafts, made with each folder on the way that is not there. */
static bool folder(char path[DRAFT_PATH], struct err *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/' && strlen(state) < DRAFT_PATH / 2)
		snprintf(path, DRAFT_PATH, "%s/cirt/drafts", state);
	else if (home && *home == '/' && strlen(home) < DRAFT_PATH / 2)
		snprintf(path, DRAFT_PATH, "%s/.local/state/cirt/drafts", home);
	else
		return err_set(err, ERR_NOTFOUND, "%s", _("there is no place for a draft: HOME is not set"));
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = 0;
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return err_errno(err, "%s", path);
		if (!slash)
			return true;
		*slash = '/';
	}
}

bool draft_begin(const char *name, struct str text, struct draft *draft, struct err *err)
{
	size_t used;
	int fd;

	*draft = (struct draft){0};
	if (!folder(draft->path, err))
		return false;
	used = strlen(draft->path);
	snprintf(draft->path + used, sizeof(draft->path) - used, "/%s-%ld.txt", name, (long)getpid());
	unlink(draft->path);
	fd = open(draft->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, "%s", draft->path);
	buf_str(&draft->begun, text);
	if (!fd_write_all(fd, text.p, text.len, err)) {
		close(fd);
		return false;
	}
	if (close(fd) != 0)
		return err_errno(err, "%s", draft->path);
	return true;
}

/* The editor is a command of its person, words and all; the path is an argument and no part of it. */
static _Noreturn void become_editor(const char *path)
{
	static const char *const variables[] = {"VISUAL", "EDITOR"};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *editor = getenv(variables[i]);
		struct buf command = {0};
		if (!editor || !*editor)
			continue;
		buf_printf(&command, "%s \"$1\"", editor);
		execl("/bin/sh", "sh", "-c", buf_cstr(&command), "cirt", path, (char *)NULL);
		_exit(127);
	}
	execlp("sensible-editor", "sensible-editor", path, (char *)NULL);
	execlp("vi", "vi", path, (char *)NULL);
	_exit(127);
}

static bool wait_for_editor(pid_t child, struct err *err)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(err, "waitpid");
	if (WIFSIGNALED(status))
		return err_set(err, ERR_CONFLICT, _("the editor was ended by signal %d"), WTERMSIG(status));
	if (WEXITSTATUS(status) == 127)
		return err_set(err, ERR_NOTFOUND, "%s", _("no editor could be started: set EDITOR"));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, ERR_CONFLICT, _("the editor ended with %d"), WEXITSTATUS(status));
	return true;
}

/* What is typed to break off is the editor's, as of system(3): who ends it is told where his draft is. */
static bool run(const char *path, struct err *err)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;

	sigaction(SIGINT, &ignore, &interrupt);
	sigaction(SIGQUIT, &ignore, &quit);
	pid_t child = fork();
	if (child == 0) {
		sigaction(SIGINT, &interrupt, NULL);
		sigaction(SIGQUIT, &quit, NULL);
		become_editor(path);
	}
	bool ok = child > 0 ? wait_for_editor(child, err) : err_errno(err, "fork");
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	return ok;
}

bool draft_edit(const struct draft *draft, struct buf *text, struct err *err)
{
	buf_clear(text);
	if (!run(draft->path, err) || !file_read(draft->path, DRAFT_MAX, text, err))
		return false;
	if (str_trim(buf_view(text)).len == 0)
		return err_set(err, ERR_MALFORMED, "%s", _("the file is empty"));
	if (str_equal(buf_view(text), buf_view(&draft->begun)))
		return err_set(err, ERR_MALFORMED, "%s", _("the file was left as it was"));
	return true;
}

void draft_done(const struct draft *draft)
{
	unlink(draft->path);
}

void draft_free(struct draft *draft)
{
	buf_free(&draft->begun);
}

bool text_read(const char *file, size_t max, struct buf *text, struct err *err)
{
	char piece[4096];
	size_t got;

	if (strcmp(file, "-") != 0) {
		if (!file_read(file, max + 1, text, err))
			return false;
	} else {
		while (text->len <= max && (got = fread(piece, 1, sizeof(piece), stdin)) > 0)
			buf_append(text, piece, got);
		if (ferror(stdin))
			return err_set(err, ERR_SYSTEM, "%s", _("standard input cannot be read"));
	}
	if (text->len > max)
		return err_set(err, ERR_NOSPACE, _("at most %zu bytes of text were expected"), max);
	if (!utf8_valid(buf_view(text)))
		return err_set(err, ERR_MALFORMED, "%s", _("the text is not UTF-8"));
	return true;
}
