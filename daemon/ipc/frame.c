#include "ipc/frame.h"

#include <errno.h>
#include <poll.h>

#include "base/pack.h"

void frame_header(char *at, uint8_t version, uint16_t type, size_t length, size_t fd_count)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (char)(uint8_t)(length >> (8 * i));
	at[4] = (char)(uint8_t)type;
	at[5] = (char)(uint8_t)(type >> 8);
	at[6] = (char)version;
	at[7] = (char)(uint8_t)fd_count;
}

void frame_encode(uint8_t version, uint16_t type, struct str body, size_t fd_count, struct buf *out)
{
	frame_header(buf_space(out, FRAME_HEADER), version, type, body.len, fd_count);
	buf_grow(out, FRAME_HEADER);
	buf_str(out, body);
}

/* The header alone: false and err where it cannot be one. */
static bool read_header(
	struct str bytes, uint8_t version, struct frame *frame, uint32_t *length, struct err *err)
{
	struct unpack in = {.rest = {bytes.p, FRAME_HEADER}};
	*length = unpack_u32(&in);
	frame->type = unpack_u16(&in);
	frame->version = unpack_u8(&in);
	frame->fd_count = unpack_u8(&in);
	if (frame->version != version)
		return err_set(
			err, ERR_MALFORMED, "frame of version %u, expected %u", frame->version, version);
	if (*length > FRAME_MAX)
		return err_set(
			err, ERR_MALFORMED, "frame of %u bytes, at most %u are allowed", *length, FRAME_MAX);
	if (frame->fd_count > FD_MAX)
		return err_set(err, ERR_MALFORMED, "frame with %zu descriptors, at most %d are allowed",
			frame->fd_count, FD_MAX);
	return true;
}

int frame_decode(struct str bytes, uint8_t version, struct frame *frame, size_t *used, struct err *err)
{
	struct frame read = {0};
	uint32_t length;
	if (bytes.len < FRAME_HEADER)
		return 0;
	if (!read_header(bytes, version, &read, &length, err))
		return -1;
	if (bytes.len - FRAME_HEADER < length)
		return 0;
	frame->type = read.type;
	frame->version = read.version;
	frame->fd_count = read.fd_count;
	frame->body = (struct str){bytes.p + FRAME_HEADER, length};
	*used = FRAME_HEADER + (size_t)length;
	return 1;
}

/* The start of a room reads and writes a socket that is non-blocking for the supervisor's sake. */
static bool wait_for(int socket, short events, struct err *err)
{
	struct pollfd wait = {.fd = socket, .events = events};
	while (poll(&wait, 1, -1) < 0)
		if (errno != EINTR)
			return err_errno(err, "poll");
	return true;
}

bool frame_send(int socket, uint8_t version, uint16_t type, struct str body, const int *fds, size_t fd_count,
	struct err *err)
{
	struct buf bytes = {0};
	size_t sent = 0;
	bool ok = true;
	frame_encode(version, type, body, fd_count, &bytes);
	while (ok && sent < bytes.len) {
		ssize_t n =
			fd_send(socket, bytes.data + sent, bytes.len - sent, fds, sent == 0 ? fd_count : 0);
		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN)
			ok = wait_for(socket, POLLOUT, err);
		else if (errno != EINTR)
			ok = err_errno(err, "sending a frame");
	}
	buf_free(&bytes);
	return ok;
}

/* Exactly `len` bytes onto the end of space; descriptors that come with them are added to frame. */
static bool receive_exact(
	int socket, size_t len, struct buf *space, struct frame *frame, size_t *held, struct err *err)
{
	while (len > 0) {
		int fds[FD_MAX];
		size_t count = 0;
		ssize_t n = fd_receive(socket, buf_space(space, len), len, fds, &count);
		if (n < 0 && (errno == EINTR || (errno == EAGAIN && wait_for(socket, POLLIN, err))))
			continue;
		for (size_t i = 0; i < count; i++)
			if (*held < FD_MAX)
				frame->fds[(*held)++] = fds[i];
			else
				fd_close(&fds[i]);
		if (n < 0)
			return err_errno(err, "receiving a frame");
		if (n == 0)
			return err_set(err, ERR_NOTFOUND, "the other end closed the socket");
		buf_grow(space, (size_t)n);
		len -= (size_t)n;
	}
	return true;
}

bool frame_receive(int socket, uint8_t version, struct buf *space, struct frame *frame, struct err *err)
{
	uint32_t length = 0;
	size_t held = 0;
	buf_clear(space);
	bool ok = receive_exact(socket, FRAME_HEADER, space, frame, &held, err) &&
	          read_header(buf_view(space), version, frame, &length, err) &&
	          receive_exact(socket, length, space, frame, &held, err);
	if (ok && held != frame->fd_count)
		ok = err_set(err, ERR_MALFORMED, "frame with %zu descriptors, it announced %zu", held,
			frame->fd_count);
	if (!ok) {
		while (held > 0)
			fd_close(&frame->fds[--held]);
		frame->fd_count = 0;
		return false;
	}
	frame->body = (struct str){space->data + FRAME_HEADER, length};
	return true;
}
