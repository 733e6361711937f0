#include "config.h"

#include "client/editor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "client/i18n.h"

#define TEXT_MAX 1000000u

/* The file's name is an argument, never part of what the shell reads; what EDITOR says may be several words.
 */
static bool run_editor(const char *path, struct err *err)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "exec ${VISUAL:-${EDITOR:-vi}} \"$1\"", "sh", path,
			(char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		return err_set(err, ERR_SYSTEM, _("the editor could not be started"));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	return err_set(err, ERR_SYSTEM, _("the editor ended with an error (%d): nothing is done"),
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static bool write_form(int fd, const char *form)
{
	size_t len = strlen(form);

	return write(fd, form, len) == (ssize_t)len;
}

static bool read_file(const char *path, struct buf *out)
{
	char piece[4096];
	size_t got;
	FILE *file = fopen(path, "re");

	while (file && out->len <= TEXT_MAX && (got = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_append(out, piece, got);
	if (file)
		fclose(file);
	return file != NULL;
}

static void leave_out_comments(struct str all, struct buf *text)
{
	struct str line;
	struct buf kept = {0};

	while (str_split(&all, '\n', &line)) {
		if (line.len > 0 && line.p[0] == '#')
			continue;
		buf_str(&kept, line);
		buf_char(&kept, '\n');
	}
	buf_str(text, str_trim(buf_view(&kept)));
	buf_free(&kept);
}

static bool edit(const char *path, struct buf *text, struct err *err)
{
	struct buf all = {0};
	bool ok = run_editor(path, err);

	if (ok && !read_file(path, &all))
		ok = err_set(err, ERR_SYSTEM, _("the text cannot be read again"));
	else if (ok && (all.len > TEXT_MAX || !utf8_valid(buf_view(&all))))
		ok = err_set(
			err, ERR_NOSPACE, _("the text is longer than 1 MB, or not UTF-8: nothing is done"));
	if (ok) {
		leave_out_comments(buf_view(&all), text);
		if (text->len == 0)
			ok = err_set(err, ERR_MALFORMED, _("the text is empty: nothing is done"));
	}
	buf_free(&all);
	return ok;
}

bool editor_write(const char *form, struct buf *text, struct err *err)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd;
	bool ok;

	if (snprintf(path, sizeof(path), "%s/cirt-XXXXXX.txt", folder && *folder == '/' ? folder : "/tmp") >=
		(int)sizeof(path))
		return err_set(err, ERR_NOSPACE, _("TMPDIR is too long"));
	fd = mkstemps(path, 4);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, _("no file can be made in %s"), folder ? folder : "/tmp");
	ok = write_form(fd, form);
	close(fd);
	ok = ok ? edit(path, text, err) : err_set(err, ERR_SYSTEM, _("%s cannot be written"), path);
	unlink(path);
	return ok;
}
