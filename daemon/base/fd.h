#ifndef BASE_FD_H
#define BASE_FD_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

void fd_close(int *fd); /* -1 is a no-op; sets -1 */
bool fd_nonblock(int fd, struct err *err);
bool fd_cloexec(int fd, bool on, struct err *err);
bool fd_write_all(int fd, const void *bytes, size_t len, struct err *err); /* blocking */
bool fd_read_exact(
	int fd, void *bytes, size_t len, struct err *err); /* blocking; end of file is ERR_NOTFOUND */
/* Send bytes with up to FD_MAX descriptors beside them; returns bytes sent, -1 and errno. */
#define FD_MAX 4
ssize_t fd_send(int socket, const void *bytes, size_t len, const int *fds, size_t fd_count);
ssize_t fd_receive(
	int socket, void *bytes, size_t len, int fds[FD_MAX], size_t *fd_count); /* received with CLOEXEC */
bool fd_pair(int fds[2], struct err *err); /* Unix stream socket pair, CLOEXEC, non-blocking */
/* A sealed memory file (no write, grow, shrink) with these bytes. */
bool fd_memory(const char *name, struct str bytes, int *fd, struct err *err);
/* Map a whole file or memory file read-only. A memory file from another room must be sealed: ERR_DENIED if
 * not. */
bool fd_map(int fd, bool must_be_sealed, struct str *bytes, struct err *err);
void fd_unmap(struct str *bytes);
bool file_read(const char *path, size_t max, struct buf *out, struct err *err);
bool file_write_atomic(const char *path, mode_t mode, struct str bytes,
	struct err *err); /* temp, fsync, rename, fsync folder */

#endif
