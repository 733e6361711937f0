#include "proc/channel.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

#define READ_STEP    262144u  /* bytes taken per turn, so that one peer does not hold the loop */
#define COMPACT_FROM 1048576u /* written bytes kept at the front of the queue before it is moved */
#define KEEP_MAX     1048576u /* memory kept by an empty queue */
#define HELD_MAX     16       /* descriptors that came and whose frames have not been read whole */

struct beside { /* descriptors to be sent with the byte at `offset` of the queue */
	size_t offset;
	size_t count;
	int fds[FD_MAX];
};

struct channel {
	struct loop *loop;
	struct watch *watch;
	int fd;
	uint8_t version;
	channel_frame_fn *frame;
	channel_closed_fn *closed;
	channel_drained_fn *drained;
	void *context;
	struct buf in;
	struct buf out;
	size_t written; /* bytes at the front of out that are in the socket */
	size_t begun;   /* where the frame being built starts */
	struct beside *beside;
	size_t beside_count;
	size_t beside_room;
	int held[HELD_MAX];
	size_t held_count;
	const char *why; /* set: closed() is due or was called */
	bool flush_due;
	bool full; /* the socket took no more: wait for it */
	bool mute; /* the other end takes nothing any more; what it said is still read */
	bool paused;
	bool busy;  /* inside our own code that calls out */
	bool freed; /* by a call while busy */
};

static void on_ready(int fd, unsigned ready, void *context);
static void on_flush(void *context);
static void on_closed(void *context);
static void on_resume(void *context);

static void listen_for(struct channel *channel)
{
	unsigned events = 0;
	if (channel->fd < 0)
		return;
	if (!channel->why && !channel->paused)
		events |= LOOP_READ;
	if (!channel->why && channel->full)
		events |= LOOP_WRITE;
	watch_set(channel->watch, events);
}

struct channel *channel_new(struct loop *loop, int fd, uint8_t version, channel_frame_fn *frame,
	channel_closed_fn *closed, void *context)
{
	struct channel *channel = mem_alloc(sizeof(*channel));
	channel->loop = loop;
	channel->fd = fd;
	channel->version = version;
	channel->frame = frame;
	channel->closed = closed;
	channel->context = context;
	fd_nonblock(fd, NULL);
	channel->watch = watch_new(loop, fd, on_ready, channel);
	listen_for(channel);
	return channel;
}

static void drop_output(struct channel *channel)
{
	buf_clear(&channel->out);
	channel->written = 0;
	for (size_t i = 0; i < channel->beside_count; i++)
		for (size_t k = 0; k < channel->beside[i].count; k++)
			fd_close(&channel->beside[i].fds[k]);
	channel->beside_count = 0;
}

/* End the socket; what the peer sees is the end of its edge. */
static void shut(struct channel *channel)
{
	watch_free(&channel->watch);
	fd_close(&channel->fd);
	while (channel->held_count > 0)
		fd_close(&channel->held[--channel->held_count]);
	drop_output(channel);
}

static void destroy(struct channel *channel)
{
	buf_free(&channel->in);
	buf_free(&channel->out);
	free(channel->beside);
	free(channel);
}

void channel_free(struct channel **channel)
{
	struct channel *old = *channel;
	*channel = NULL;
	if (!old)
		return;
	loop_undefer(old->loop, on_flush, old);
	loop_undefer(old->loop, on_closed, old);
	loop_undefer(old->loop, on_resume, old);
	shut(old);
	if (old->busy)
		old->freed = true;
	else
		destroy(old);
}

void channel_on_drained(struct channel *channel, channel_drained_fn *drained)
{
	channel->drained = drained;
}

void channel_break(struct channel *channel, const char *why)
{
	if (channel->why)
		return;
	channel->why = why;
	shut(channel);
	loop_defer(channel->loop, on_closed, channel);
}

static void on_closed(void *context)
{
	struct channel *channel = context;
	channel->closed(channel, channel->why, channel->context);
}

/* Give the frame the descriptors it announced, oldest first. */
static bool take_fds(struct channel *channel, struct frame *frame)
{
	if (frame->fd_count > channel->held_count)
		return false;
	memcpy(frame->fds, channel->held, frame->fd_count * sizeof(int));
	channel->held_count -= frame->fd_count;
	memmove(channel->held, channel->held + frame->fd_count, channel->held_count * sizeof(int));
	return true;
}

/* One frame off the bytes: true if there may be another. */
static bool deliver(struct channel *channel, struct str *bytes)
{
	struct frame frame = {0};
	size_t used;
	int found = frame_decode(*bytes, channel->version, &frame, &used, NULL);
	if (found < 0)
		channel_break(channel, "a frame that cannot be read");
	if (found <= 0)
		return false;
	if (!take_fds(channel, &frame)) {
		channel_break(channel, "a frame without the descriptor it announced");
		return false;
	}
	bytes->p += used;
	bytes->len -= used;
	channel->frame(channel, &frame, channel->context);
	for (size_t i = 0; i < frame.fd_count; i++)
		fd_close(&frame.fds[i]);
	return !channel->freed && !channel->why && !channel->paused;
}

/* Every whole frame that has come in. False if the channel was freed. */
static bool deliver_all(struct channel *channel)
{
	struct str rest = buf_view(&channel->in);
	channel->busy = true;
	while (deliver(channel, &rest))
		continue;
	channel->busy = false;
	if (channel->freed) {
		destroy(channel);
		return false;
	}
	buf_consume(&channel->in, channel->in.len - rest.len);
	if (channel->in.len == 0 && channel->in.cap > KEEP_MAX)
		buf_free(&channel->in);
	return true;
}

static void hold(struct channel *channel, const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int fd = fds[i];
		if (channel->held_count < HELD_MAX)
			channel->held[channel->held_count++] = fd;
		else
			fd_close(&fd);
	}
}

static void read_some(struct channel *channel)
{
	int fds[FD_MAX];
	size_t count = 0;
	ssize_t n = fd_receive(channel->fd, buf_space(&channel->in, READ_STEP), READ_STEP, fds, &count);
	hold(channel, fds, count);
	if (n > 0) {
		buf_grow(&channel->in, (size_t)n);
		deliver_all(channel);
	} else if (n == 0) {
		channel_break(channel, "the other end closed");
	} else if (errno != EAGAIN && errno != EINTR) {
		channel_break(channel, strerror(errno));
	}
}

static void on_ready(int fd, unsigned ready, void *context)
{
	struct channel *channel = context;
	(void)fd;
	if (ready & LOOP_WRITE) {
		channel->busy = true;
		channel->full = false;
		on_flush(channel);
		channel->busy = false;
		if (channel->freed) {
			destroy(channel);
			return;
		}
	}
	if (ready & LOOP_READ && !channel->why && !channel->paused)
		read_some(channel);
}

/* The next bytes to send in one call: up to where descriptors stand beside a byte. */
static ssize_t write_some(struct channel *channel)
{
	struct beside *next = channel->beside_count > 0 ? &channel->beside[0] : NULL;
	size_t end = channel->out.len;
	bool with_fds = next && next->offset == channel->written;
	if (next && !with_fds)
		end = next->offset;
	else if (next && channel->beside_count > 1)
		end = next[1].offset;
	ssize_t n = fd_send(channel->fd, channel->out.data + channel->written, end - channel->written,
		with_fds ? next->fds : NULL, with_fds ? next->count : 0);
	if (n <= 0)
		return n;
	if (with_fds) {
		for (size_t i = 0; i < next->count; i++)
			fd_close(&next->fds[i]);
		channel->beside_count--;
		memmove(channel->beside, channel->beside + 1,
			channel->beside_count * sizeof(*channel->beside));
	}
	channel->written += (size_t)n;
	return n;
}

static void compact(struct channel *channel)
{
	if (channel->written == channel->out.len && channel->out.cap > KEEP_MAX)
		buf_free(&channel->out);
	else if (channel->written == channel->out.len)
		buf_clear(&channel->out);
	else if (channel->written >= COMPACT_FROM && channel->written >= channel->out.len / 2)
		buf_consume(&channel->out, channel->written);
	else
		return;
	for (size_t i = 0; i < channel->beside_count; i++)
		channel->beside[i].offset -= channel->written;
	channel->written = 0;
}

bool channel_flush(struct channel *channel)
{
	while (!channel->why && channel->written < channel->out.len) {
		ssize_t n = write_some(channel);
		if (n >= 0 || errno == EINTR)
			continue;
		if (errno == EAGAIN) {
			channel->full = true;
			break;
		}
		if (channel->paused) {
			channel_break(channel, strerror(errno));
			break;
		}
		channel->mute = true;
		drop_output(channel);
	}
	compact(channel);
	listen_for(channel);
	return channel->out.len == 0;
}

static void on_flush(void *context)
{
	struct channel *channel = context;
	channel->flush_due = false;
	if (channel_flush(channel) && channel->drained && !channel->why)
		channel->drained(channel, channel->context);
}

static void flush_later(struct channel *channel)
{
	if (channel->flush_due || channel->full || channel->why)
		return;
	channel->flush_due = true;
	loop_defer(channel->loop, on_flush, channel);
}

struct buf *channel_begin(struct channel *channel)
{
	channel->begun = channel->out.len;
	buf_space(&channel->out, FRAME_HEADER);
	buf_grow(&channel->out, FRAME_HEADER);
	return &channel->out;
}

static void end_frame(struct channel *channel, uint16_t type, size_t fd_count)
{
	if (channel->why || channel->mute) {
		buf_clear(&channel->out);
		return;
	}
	frame_header(channel->out.data + channel->begun, channel->version, type,
		channel->out.len - channel->begun - FRAME_HEADER, fd_count);
	flush_later(channel);
}

void channel_end(struct channel *channel, uint16_t type)
{
	end_frame(channel, type, 0);
}

void channel_send(struct channel *channel, uint16_t type, struct str body)
{
	buf_str(channel_begin(channel), body);
	end_frame(channel, type, 0);
}

void channel_send_fds(struct channel *channel, uint16_t type, struct str body, int *fds, size_t count)
{
	if (channel->why || channel->mute) {
		for (size_t i = 0; i < count; i++)
			fd_close(&fds[i]);
		return;
	}
	if (channel->beside_count == channel->beside_room) {
		channel->beside_room = channel->beside_room ? 2 * channel->beside_room : 4;
		channel->beside =
			mem_resize(channel->beside, channel->beside_room * sizeof(*channel->beside));
	}
	buf_str(channel_begin(channel), body);
	if (count > 0) {
		struct beside *beside = &channel->beside[channel->beside_count++];
		*beside = (struct beside){.offset = channel->begun, .count = count};
		for (size_t i = 0; i < count; i++) {
			beside->fds[i] = fds[i];
			fds[i] = -1;
		}
	}
	end_frame(channel, type, count);
}

size_t channel_queued(const struct channel *channel)
{
	return channel->out.len - channel->written;
}

/* Frames that had come in before the pause. */
static void on_resume(void *context)
{
	struct channel *channel = context;
	if (!channel->paused && !channel->why)
		deliver_all(channel);
}

void channel_pause(struct channel *channel, bool paused)
{
	if (channel->paused == paused)
		return;
	channel->paused = paused;
	listen_for(channel);
	if (!paused && channel->in.len > 0) {
		loop_undefer(channel->loop, on_resume, channel);
		loop_defer(channel->loop, on_resume, channel);
	}
}
