#include "config.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

bool fd_nonblock(int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_errno(err, "cannot make descriptor %d non-blocking", fd);
	return true;
}

bool fd_cloexec(int fd, bool on, struct err *err)
{
	int flags = fcntl(fd, F_GETFD);
	if (flags < 0 || fcntl(fd, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC) < 0)
		return err_errno(err, "cannot change close-on-exec of descriptor %d", fd);
	return true;
}

bool fd_write_all(int fd, const void *bytes, size_t len, struct err *err)
{
	const char *at = bytes;
	while (len > 0) {
		ssize_t wrote = write(fd, at, len);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return err_errno(err, "cannot write");
		at += wrote;
		len -= (size_t)wrote;
	}
	return true;
}

bool fd_read_exact(int fd, void *bytes, size_t len, struct err *err)
{
	char *at = bytes;
	while (len > 0) {
		ssize_t got = read(fd, at, len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "cannot read");
		if (got == 0)
			return err_set(
				err, ERR_NOTFOUND, "the file ended, %zu more bytes were expected", len);
		at += got;
		len -= (size_t)got;
	}
	return true;
}

/* Room for FD_MAX descriptors beside a message, aligned as the kernel wants it. */
union fd_control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(FD_MAX * sizeof(int))];
};

ssize_t fd_send(int socket, const void *bytes, size_t len, const int *fds, size_t fd_count)
{
	struct iovec part = {(void *)(uintptr_t)bytes, len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	union fd_control control = {0};
	if (fd_count > FD_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (fd_count > 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
	}
	ssize_t sent;
	do {
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent;
}

static void take_descriptors(struct msghdr *message, int fds[FD_MAX], size_t *fd_count)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
			if (*fd_count < FD_MAX)
				fds[(*fd_count)++] = fd;
			else
				close(fd);
		}
	}
}

ssize_t fd_receive(int socket, void *bytes, size_t len, int fds[FD_MAX], size_t *fd_count)
{
	struct iovec part = {bytes, len};
	union fd_control control = {0};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control)};
	ssize_t got;
	do {
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	*fd_count = 0;
	if (got < 0)
		return got;
	take_descriptors(&message, fds, fd_count);
	if (message.msg_flags &
		MSG_CTRUNC) { /* more than agreed, or no room for them: the stream is out of step */
		while (*fd_count > 0)
			close(fds[--*fd_count]);
		errno = EPROTO;
		return -1;
	}
	return got;
}

bool fd_pair(int fds[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return err_errno(err, "cannot make a socket pair");
	return true;
}

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

bool fd_memory(const char *name, struct str bytes, int *fd, struct err *err)
{
	int memory = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory < 0)
		return err_errno(err, "cannot make memory file %s", name);
	if (!fd_write_all(memory, bytes.p, bytes.len, err)) {
		close(memory);
		return err_prefix(err, "memory file %s", name);
	}
	if (fcntl(memory, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0) {
		err_errno(err, "cannot seal memory file %s", name);
		close(memory);
		return false;
	}
	*fd = memory;
	return true;
}

bool fd_map(int fd, bool must_be_sealed, struct str *bytes, struct err *err)
{
	struct stat info;
	if (must_be_sealed) {
		int seals = fcntl(fd, F_GET_SEALS);
		if (seals < 0 || (seals & SEALS) != SEALS)
			return err_set(err, ERR_DENIED, "a sealed memory file was expected");
	}
	if (fstat(fd, &info) < 0)
		return err_errno(err, "cannot stat descriptor %d", fd);
	if (!S_ISREG(info.st_mode))
		return err_set(err, ERR_MALFORMED, "a regular file was expected");
	if (info.st_size == 0) {
		*bytes = STR_NONE;
		return true;
	}
	void *memory = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return err_errno(err, "cannot map %lld bytes", (long long)info.st_size);
	*bytes = (struct str){memory, (size_t)info.st_size};
	return true;
}

void fd_unmap(struct str *bytes)
{
	if (bytes->len > 0)
		munmap((void *)(uintptr_t)bytes->p, bytes->len);
	*bytes = STR_NONE;
}
