#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

/* Read fd to its end behind what out holds; at most `max` bytes. */
static bool read_to_end(int fd, size_t max, struct buf *out, struct err *err)
{
	size_t total = 0;
	for (;;) {
		size_t want = max - total < 65536 ? max - total + 1 : 65536;
		ssize_t got = read(fd, buf_space(out, want), want);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "cannot read");
		if (got == 0)
			return true;
		if ((size_t)got > max - total)
			return err_set(err, ERR_NOSPACE, "at most %zu bytes were expected", max);
		buf_grow(out, (size_t)got);
		total += (size_t)got;
	}
}

bool file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		int number = errno;
		err_errno(err, "%s", path);
		if (err && number == ENOENT)
			err->code = ERR_NOTFOUND;
		return false;
	}
	size_t before = out->len;
	bool ok = read_to_end(fd, max, out, err);
	close(fd);
	if (ok)
		return true;
	out->len = before;
	return err_prefix(err, "%s", path);
}

/* The name in the folder is durable only once the folder itself is. */
static bool sync_folder_of(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash ? mem_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : mem_strdup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	if (!ok)
		err_errno(err, "cannot sync folder %s", folder);
	fd_close(&fd);
	free(folder);
	return ok;
}

static bool write_synced(int fd, mode_t mode, struct str bytes, struct err *err)
{
	if (!fd_write_all(fd, bytes.p, bytes.len, err))
		return false;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return err_errno(err, "cannot sync");
	return true;
}

bool file_write_atomic(const char *path, mode_t mode, struct str bytes, struct err *err)
{
	char *temporary = mem_printf("%s.XXXXXX", path);
	int fd = mkostemp(temporary, O_CLOEXEC);
	bool ok = false;
	if (fd < 0) {
		err_errno(err, "cannot make a file beside %s", path);
		free(temporary);
		return false;
	}
	if (!write_synced(fd, mode, bytes, err))
		err_prefix(err, "%s", temporary);
	else if (rename(temporary, path) < 0)
		err_errno(err, "cannot rename %s to %s", temporary, path);
	else
		ok = true;
	if (!ok)
		unlink(temporary);
	fd_close(&fd);
	free(temporary);
	return ok && sync_folder_of(path, err);
}
