#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/pack.h"
#include "proc/channel.h"

struct end {
	struct channel *channel;
	struct buf got; /* bodies, one after another */
	size_t frames;
	size_t fds;
	int last_fd;
	unsigned closed;
	const char *why;
	size_t free_after; /* free the channel in the call of this frame */
};

struct pair {
	struct loop *loop;
	struct end a, b;
};

static void on_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct end *end = context;
	assert_ptr_equal(channel, end->channel);
	buf_str(&end->got, frame->body);
	end->frames++;
	end->fds += frame->fd_count;
	if (frame->fd_count > 0) {
		fd_close(&end->last_fd);
		end->last_fd = frame->fds[0];
		frame->fds[0] = -1;
	}
	if (end->free_after == end->frames)
		channel_free(&end->channel);
}

static void on_closed(struct channel *channel, const char *why, void *context)
{
	struct end *end = context;
	assert_ptr_equal(channel, end->channel);
	end->closed++;
	end->why = why;
	channel_free(&end->channel);
}

static void set_up(struct pair *pair)
{
	int fds[2];
	*pair = (struct pair){.a.last_fd = -1, .b.last_fd = -1};
	pair->loop = loop_new();
	assert_true(fd_pair(fds, NULL));
	pair->a.channel = channel_new(pair->loop, fds[0], 7, on_frame, on_closed, &pair->a);
	pair->b.channel = channel_new(pair->loop, fds[1], 7, on_frame, on_closed, &pair->b);
}

static void tear_down(struct pair *pair)
{
	channel_free(&pair->a.channel);
	channel_free(&pair->b.channel);
	buf_free(&pair->a.got);
	buf_free(&pair->b.got);
	fd_close(&pair->a.last_fd);
	fd_close(&pair->b.last_fd);
	loop_free(&pair->loop);
}

/* Turn until both queues and sockets are quiet. */
static void settle(struct pair *pair)
{
	for (unsigned quiet = 0; quiet < 3; quiet++) {
		size_t before = pair->a.frames + pair->b.frames;
		loop_turn(pair->loop, 1000);
		bool queued = (pair->a.channel && channel_queued(pair->a.channel) > 0) ||
		              (pair->b.channel && channel_queued(pair->b.channel) > 0);
		if (queued || before != pair->a.frames + pair->b.frames)
			quiet = 0;
	}
}

static void frames_arrive_in_order(void **state)
{
	struct pair pair;
	struct buf sent = {0};
	(void)state;
	set_up(&pair);
	for (uint32_t i = 0; i < 5000; i++) {
		struct buf *body = channel_begin(pair.a.channel);
		pack_u32(body, i);
		channel_end(pair.a.channel, 1);
		pack_u32(&sent, i);
	}
	settle(&pair);
	assert_int_equal(pair.b.frames, 5000);
	assert_true(str_equal(buf_view(&pair.b.got), buf_view(&sent)));
	buf_free(&sent);
	tear_down(&pair);
}

static void large_frames_pass_whole(void **state)
{
	struct pair pair;
	size_t size = 5000000;
	char *bytes = mem_alloc(size);
	(void)state;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(uint8_t)(i * 31 / 7);
	set_up(&pair);
	channel_send(pair.a.channel, 1, (struct str){bytes, size});
	channel_send(pair.b.channel, 2, (struct str){bytes, size});
	settle(&pair);
	assert_true(str_equal(buf_view(&pair.a.got), (struct str){bytes, size}));
	assert_true(str_equal(buf_view(&pair.b.got), (struct str){bytes, size}));
	tear_down(&pair);
	free(bytes);
}

static void descriptors_stay_with_their_frame(void **state)
{
	struct pair pair;
	(void)state;
	set_up(&pair);
	for (int i = 0; i < 50; i++) {
		char text[32];
		int fd;
		snprintf(text, sizeof(text), "file %d", i);
		assert_true(fd_memory("test", str_of(text), &fd, NULL));
		channel_send(pair.a.channel, 1, STR("before"));
		channel_send_fds(pair.a.channel, 2, str_of(text), &fd, 1);
		assert_int_equal(fd, -1);
	}
	settle(&pair);
	assert_int_equal(pair.b.frames, 100);
	assert_int_equal(pair.b.fds, 50);
	struct str bytes;
	assert_true(fd_map(pair.b.last_fd, true, &bytes, NULL));
	assert_true(str_equal(bytes, STR("file 49")));
	fd_unmap(&bytes);
	tear_down(&pair);
}

static void a_call_may_free_the_channel(void **state)
{
	struct pair pair;
	(void)state;
	set_up(&pair);
	pair.b.free_after = 2;
	for (int i = 0; i < 10; i++)
		channel_send(pair.a.channel, 1, STR("x"));
	settle(&pair);
	assert_int_equal(pair.b.frames, 2);
	assert_null(pair.b.channel);
	assert_int_equal(pair.b.closed, 0);
	assert_int_equal(pair.a.closed, 1);
	tear_down(&pair);
}

static void what_was_sent_before_the_end_is_read(void **state)
{
	struct pair pair;
	(void)state;
	set_up(&pair);
	channel_send(pair.a.channel, 1, STR("last words"));
	channel_flush(pair.a.channel);
	channel_free(&pair.a.channel);
	channel_send(pair.b.channel, 1, STR("into the void"));
	settle(&pair);
	assert_true(str_equal(buf_view(&pair.b.got), STR("last words")));
	assert_int_equal(pair.b.closed, 1);
	tear_down(&pair);
}

static void a_pause_holds_frames_back(void **state)
{
	struct pair pair;
	(void)state;
	set_up(&pair);
	channel_pause(pair.b.channel, true);
	channel_send(pair.a.channel, 1, STR("x"));
	settle(&pair);
	assert_int_equal(pair.b.frames, 0);
	channel_pause(pair.b.channel, false);
	settle(&pair);
	assert_int_equal(pair.b.frames, 1);
	tear_down(&pair);
}

/* Each row is sent raw; the reader must close and never call for a frame. */
static void broken_frames_close(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{"\1\0\0\0\1\0\6\0x", 9},        /* another version */
		{"\1\0\0\2\1\0\7\0x", 9},        /* longer than allowed */
		{"\xff\xff\xff\xff\1\0\7\0", 8}, /* longest */
		{"\1\0\0\0\1\0\7\1x", 9},        /* a descriptor announced and not sent */
		{"\1\0\0\0\1\0\7\xffx", 9},      /* more descriptors than a frame may have */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pair pair = {.b.last_fd = -1};
		int fds[2];
		pair.loop = loop_new();
		assert_true(fd_pair(fds, NULL));
		pair.b.channel = channel_new(pair.loop, fds[1], 7, on_frame, on_closed, &pair.b);
		assert_int_equal(write(fds[0], rows[i].bytes, rows[i].len), (ssize_t)rows[i].len);
		settle(&pair);
		assert_int_equal(pair.b.frames, 0);
		assert_int_equal(pair.b.closed, 1);
		close(fds[0]);
		loop_free(&pair.loop);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_arrive_in_order),
		cmocka_unit_test(large_frames_pass_whole),
		cmocka_unit_test(descriptors_stay_with_their_frame),
		cmocka_unit_test(a_call_may_free_the_channel),
		cmocka_unit_test(what_was_sent_before_the_end_is_read),
		cmocka_unit_test(a_pause_holds_frames_back),
		cmocka_unit_test(broken_frames_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
