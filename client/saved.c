#include "config.h"

#include "client/saved.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "client/i18n.h"

#define NAME_MAX_BYTES 64
#define WORDS_MAX      65536

static bool name_fits(struct str name)
{
	static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

	for (size_t i = 0; i < name.len; i++)
		if (!memchr(fit, name.p[i], sizeof(fit) - 1))
			return false;
	return name.len > 0 && name.len <= NAME_MAX_BYTES;
}

/* The folder of a verb's files; false where nobody says where a person keeps such things. */
static bool folder_of(const struct verb *verb, struct buf *path)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && *config == '/')
		buf_text(path, config);
	else if (home && *home == '/')
		buf_printf(path, "%s/.config", home);
	else
		return false;
	buf_printf(path, "/cirt/saved/%s%s%s", verb->noun, *verb->verb ? "." : "", verb->verb);
	return true;
}

/* Make each folder on the way that is not there. */
static bool make_folders(char *path, struct err *err)
{
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

static bool file_of(const struct verb *verb, struct str name, struct buf *path, struct err *err)
{
	if (!name_fits(name))
		return err_set(err, ERR_MALFORMED,
			_("a name to save under is letters, digits, - and _, at most %d"), NAME_MAX_BYTES);
	if (!folder_of(verb, path))
		return err_set(err, ERR_NOTFOUND, _("HOME says no folder to keep it in"));
	return true;
}

bool saved_write(const struct verb *verb, struct str name, struct str words, struct err *err)
{
	struct buf path = {0};
	bool ok = file_of(verb, name, &path, err);
	char *folder = ok ? mem_strdup(buf_cstr(&path)) : NULL;

	if (ok && make_folders(folder, err)) {
		buf_printf(&path, "/" STR_FMT, STR_ARG(name));
		int fd = open(buf_cstr(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
		ok = fd >= 0 ? fd_write_all(fd, words.p, words.len, err)
		             : err_errno(err, "%s", buf_cstr(&path));
		if (fd >= 0 && close(fd) != 0 && ok)
			ok = err_errno(err, "%s", buf_cstr(&path));
	} else {
		ok = false;
	}
	free(folder);
	buf_free(&path);
	return ok;
}

void saved_names(const struct verb *verb, struct buf *names)
{
	struct buf path = {0};
	DIR *folder = folder_of(verb, &path) ? opendir(buf_cstr(&path)) : NULL;

	for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder))
		if (name_fits(str_of(entry->d_name)))
			buf_printf(names, "%s\n", entry->d_name);
	if (folder)
		closedir(folder);
	buf_free(&path);
}

static bool not_found(const struct verb *verb, struct str name, struct err *err)
{
	struct buf names = {0};

	saved_names(verb, &names);
	for (size_t i = 0; i < names.len; i++)
		if (names.data[i] == '\n')
			names.data[i] = ' ';
	err_set(err, ERR_NOTFOUND, _("nothing is saved as \"" STR_FMT "\" for cirt %s %s; there is: %s"),
		STR_ARG(name), verb->noun, verb->verb, names.len ? buf_cstr(&names) : _("nothing yet"));
	buf_free(&names);
	return false;
}

bool saved_read(const struct verb *verb, struct str name, struct buf *words, struct err *err)
{
	struct buf path = {0};
	bool ok = file_of(verb, name, &path, err);
	int fd = -1;

	if (ok) {
		buf_printf(&path, "/" STR_FMT, STR_ARG(name));
		fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC);
		ok = fd >= 0 ||
		     (errno == ENOENT ? not_found(verb, name, err) : err_errno(err, "%s", buf_cstr(&path)));
	}
	while (ok) {
		char piece[4096];
		ssize_t got = read(fd, piece, sizeof(piece));
		if (got <= 0) {
			ok = got == 0 || err_errno(err, "%s", buf_cstr(&path));
			break;
		}
		buf_append(words, piece, (size_t)got);
		ok = words->len <= WORDS_MAX ||
		     err_set(err, ERR_MALFORMED, _("%s: too long"), buf_cstr(&path));
	}
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	return ok;
}
