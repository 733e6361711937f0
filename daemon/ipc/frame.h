#ifndef IPC_FRAME_H
#define IPC_FRAME_H

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"

/*
 * A frame: u32 length of body, u16 type, u8 edge version, u8 number of descriptors sent beside it, body.
 * Reading is exact: a wrong version, a length over FRAME_MAX or a descriptor missing ends the edge.
 */
#define FRAME_HEADER 8
#define FRAME_MAX    (32u << 20)

struct frame {
	uint16_t type;
	uint8_t version;
	struct str body; /* valid until the next read */
	int fds[FD_MAX]; /* owned by the receiver */
	size_t fd_count;
};

/* The header alone: FRAME_HEADER bytes at `at`. */
void frame_header(char *at, uint8_t version, uint16_t type, size_t length, size_t fd_count);
/* Put a frame's header and body at the end of out. */
void frame_encode(uint8_t version, uint16_t type, struct str body, size_t fd_count, struct buf *out);
/* 1: a whole frame stands at the front of bytes, *used bytes long; 0: not yet; -1: broken. fds are not
 * touched. */
int frame_decode(struct str bytes, uint8_t version, struct frame *frame, size_t *used, struct err *err);

/* Blocking, for the start of a room, before its loop runs. */
bool frame_send(int socket, uint8_t version, uint16_t type, struct str body, const int *fds, size_t fd_count,
	struct err *err);
bool frame_receive(int socket, uint8_t version, struct buf *space, struct frame *frame, struct err *err);

#endif
