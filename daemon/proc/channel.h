#ifndef PROC_CHANNEL_H
#define PROC_CHANNEL_H

#include "ipc/frame.h"
#include "proc/loop.h"

/*
 * An edge end in the loop: frames in, frames out. Writes are queued and never block; the owner keeps the
 * queue bounded by credit or by channel_queued(). A frame that cannot be decoded closes the channel.
 */
struct channel;

/* frame->body is valid during the call; the callee takes frame->fds it wants (setting them to -1), the rest
 * is closed. */
typedef void channel_frame_fn(struct channel *channel, struct frame *frame, void *context);
typedef void channel_closed_fn(
	struct channel *channel, const char *why, void *context); /* once; then free it */
typedef void channel_drained_fn(
	struct channel *channel, void *context); /* all queued bytes are in the socket */

struct channel *channel_new(struct loop *loop, int fd, uint8_t version, channel_frame_fn *frame,
	channel_closed_fn *closed, void *context); /* takes fd; non-blocking */
void channel_free(struct channel **channel);
void channel_on_drained(struct channel *channel, channel_drained_fn *drained);
void channel_send(struct channel *channel, uint16_t type, struct str body);
void channel_send_fds(
	struct channel *channel, uint16_t type, struct str body, int *fds, size_t count); /* takes fds */
/* Build a body in place: channel_begin() gives the queue's buffer, channel_end() frames what was put there.
 */
struct buf *channel_begin(struct channel *channel);
void channel_end(struct channel *channel, uint16_t type);
size_t channel_queued(const struct channel *channel);     /* bytes not yet in the socket */
void channel_pause(struct channel *channel, bool paused); /* stop reading */
bool channel_flush(struct channel *channel);              /* try to write now; true if nothing is left */
/* For protocol errors found by the reader: closes the channel; closed() is called from the loop. */
void channel_break(struct channel *channel, const char *why);

#endif
