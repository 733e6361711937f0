#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/pack.h"
#include "ipc/edge_control.h"
#include "proc/room.h"

/* A room that tells on a pipe what it is called for. */

static int told = -1;

static void tell(const char *what)
{
	if (write(told, what, strlen(what)) < 0)
		_exit(90);
}

static bool room_opens(struct room *room, struct err *err)
{
	(void)err;
	tell(str_equal(room_grant(room, "secret"), STR("grant bytes")) ? "open " : "open-without-grant ");
	return true;
}

static bool room_loads(struct room *room, struct err *err)
{
	(void)room;
	(void)err;
	tell("load ");
	return true;
}

static void room_plans(struct room *room, struct sandbox *plan)
{
	(void)room;
	(void)plan;
	tell("plan ");
}

static bool room_proves(struct room *room, struct err *err)
{
	(void)room;
	(void)err;
	tell("prove ");
	return true;
}

static bool room_starts(struct room *room, struct err *err)
{
	(void)room;
	(void)err;
	tell("start ");
	return true;
}

static void room_gets_edge(struct room *room, enum edge_kind kind, enum room_id peer, unsigned instance,
	uint32_t generation, int fd)
{
	(void)room;
	(void)instance;
	tell(kind == EDGE_APPEND && peer == ROOM_SPOOL && generation == 7 ? "edge " : "wrong-edge ");
	fd_close(&fd);
}

static void room_says_hello(struct room *room, struct buf *json)
{
	(void)room;
	tell("hello ");
	buf_text(json, ",\"more\":1");
}

static void room_reloads(struct room *room, const struct conf *old)
{
	bool as_it_was = str_equal(old->hostname, STR("before"));
	bool as_it_is = str_equal(room_conf(room)->hostname, STR("after"));
	bool grant = str_equal(room_grant(room, "secret"), STR("new bytes"));
	tell(as_it_was && as_it_is && grant ? "reload " : "wrong-reload ");
}

static void room_drains(struct room *room)
{
	tell("drain ");
	room_drained(room);
}

static void room_stops(struct room *room)
{
	(void)room;
	tell("stop ");
}

static const struct room_spec spec = {.id = ROOM_INTAKE,
	.open = room_opens,
	.load = room_loads,
	.plan = room_plans,
	.prove = room_proves,
	.start = room_starts,
	.edge = room_gets_edge,
	.hello = room_says_hello,
	.reload = room_reloads,
	.drain = room_drains,
	.stop = room_stops};

/* The supervisor's end. */

struct played {
	pid_t pid;
	int control;
	int pipe;
	struct buf space;
};

/* In the child: be the room. Its user cannot be changed by a test, so it is not root. */
static void be_room(int control, int pipe_end)
{
	told = pipe_end;
	if (dup2(control, CONTROL_FD) < 0 || (geteuid() == 0 && setuid(65534) < 0))
		_exit(91);
	fd_cloexec(CONTROL_FD, false, NULL);
	exit(room_main(&spec, 0));
}

static void play(struct played *played)
{
	int ends[2], pipe_ends[2];
	*played = (struct played){0};
	assert_true(fd_pair(ends, NULL));
	assert_int_equal(pipe(pipe_ends), 0);
	fflush(NULL);
	played->pid = fork();
	if (played->pid == 0) {
		/* Out of the way of descriptor 3. */
		int control = fcntl(ends[1], F_DUPFD, 100);
		int pipe_end = fcntl(pipe_ends[1], F_DUPFD, 100);
		close(ends[0]);
		close(ends[1]);
		close(pipe_ends[0]);
		close(pipe_ends[1]);
		be_room(control, pipe_end);
	}
	close(ends[1]);
	close(pipe_ends[1]);
	played->control = ends[0];
	played->pipe = pipe_ends[0];
}

static void say(struct played *played, uint16_t type, struct str body, int *fd)
{
	struct err err = {0};
	assert_true(frame_send(played->control, CONTROL_VERSION, type, body, fd, fd ? 1 : 0, &err));
	if (fd)
		fd_close(fd);
}

static void say_slice(struct played *played, const char *hostname)
{
	struct arena *arena = arena_new(4096);
	struct buf slice = {0};
	struct conf conf;
	conf_defaults(arena, &conf);
	conf.hostname = str_of(hostname);
	conf.sandbox_relaxed = true;
	conf_slice_encode(&conf, ROOM_BIT(ROOM_INTAKE), &slice);
	say(played, CONTROL_SLICE, buf_view(&slice), NULL);
	buf_free(&slice);
	arena_free(&arena);
}

static void say_grant(struct played *played, const char *bytes)
{
	int fd;
	assert_true(fd_memory("secret", str_of(bytes), &fd, NULL));
	say(played, CONTROL_GRANT, STR("secret"), &fd);
}

static void say_edge(struct played *played)
{
	struct control_edge edge = {EDGE_APPEND, ROOM_SPOOL, 0, 7};
	struct buf body = {0};
	int ends[2];
	assert_true(fd_pair(ends, NULL));
	control_edge_encode(&edge, &body);
	say(played, CONTROL_EDGE, buf_view(&body), &ends[0]);
	fd_close(&ends[1]);
	buf_free(&body);
}

static void begin(struct played *played)
{
	say_slice(played, "before");
	say_grant(played, "grant bytes");
	say_edge(played);
	say(played, CONTROL_GO, STR_NONE, NULL);
}

/* The next frame of a type; counters come in between. */
static struct str hear(struct played *played, uint16_t type)
{
	struct frame frame;
	struct err err = {0};
	do
		if (!frame_receive(played->control, CONTROL_VERSION, &played->space, &frame, &err))
			fail_msg("%s", err.text);
	while (frame.type == CONTROL_COUNTERS && type != CONTROL_COUNTERS);
	assert_int_equal(frame.type, type);
	return frame.body;
}

static void ends(struct played *played, const char *calls, int status)
{
	char text[512];
	size_t len = 0;
	ssize_t n;
	int ended;
	while ((n = read(played->pipe, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = 0;
	assert_string_equal(text, calls);
	assert_int_equal(waitpid(played->pid, &ended, 0), played->pid);
	assert_true(WIFEXITED(ended));
	assert_int_equal(WEXITSTATUS(ended), status);
	fd_close(&played->control);
	fd_close(&played->pipe);
	buf_free(&played->space);
}

#define STARTED "open load plan prove start hello edge "

static void the_order_is_fixed(void **state)
{
	struct played played;
	(void)state;
	play(&played);
	begin(&played);
	struct str hello = hear(&played, CONTROL_HELLO);
	assert_true(str_starts(hello, STR("{\"enforced\":{\"landlock\":")));
	assert_true(str_ends(hello, STR(",\"more\":1}")));
	say(&played, CONTROL_PING, STR_NONE, NULL);
	hear(&played, CONTROL_PONG);
	say(&played, CONTROL_DRAIN, STR_NONE, NULL);
	hear(&played, CONTROL_DRAINED);
	ends(&played, STARTED "drain stop ", 0);
}

static void a_reload_brings_slice_and_grants_together(void **state)
{
	struct played played;
	(void)state;
	play(&played);
	begin(&played);
	hear(&played, CONTROL_HELLO);
	say_slice(&played, "after");
	say_grant(&played, "new bytes");
	say(&played, CONTROL_RELOAD, STR_NONE, NULL);
	say(&played, CONTROL_DRAIN, STR_NONE, NULL);
	hear(&played, CONTROL_DRAINED);
	ends(&played, STARTED "reload drain stop ", 0);
}

static void counters_come_by_themselves(void **state)
{
	struct played played;
	struct control_counter *counters;
	size_t count;
	struct arena *arena = arena_new(1024);
	(void)state;
	play(&played);
	begin(&played);
	hear(&played, CONTROL_HELLO);
	assert_true(control_counters_decode(hear(&played, CONTROL_COUNTERS), arena, &counters, &count));
	bool found = false;
	for (size_t i = 0; i < count; i++)
		found = found || str_equal(counters[i].name, STR("sandbox_refused"));
	assert_true(found);
	fd_close(&played.control);
	ends(&played, STARTED "stop ", 0);
	arena_free(&arena);
}

static void test_trap_20_a_room_ends_with_its_control_socket(void **state)
{
	struct played played;
	(void)state;
	play(&played);
	begin(&played);
	hear(&played, CONTROL_HELLO);
	fd_close(&played.control);
	ends(&played, STARTED "stop ", 0);
}

static void a_room_without_its_slice_does_not_start(void **state)
{
	struct played played;
	(void)state;
	play(&played);
	say(&played, CONTROL_GO, STR_NONE, NULL);
	ends(&played, "stop ", 1);
}

/* The supervisor's place is taken by a child that is killed; its room must go too, though its socket is held
 * open. */
static void test_trap_20_a_room_dies_with_its_parent(void **state)
{
	struct played played;
	int report[2];
	pid_t room;
	(void)state;
	assert_int_equal(pipe(report), 0);
	int ends_kept[2];
	assert_true(fd_pair(ends_kept, NULL));
	fflush(NULL);
	pid_t parent = fork();
	if (parent == 0) {
		play(&played);
		begin(&played);
		hear(&played, CONTROL_HELLO);
		/* The socket outlives this process in the test's hands. */
		if (fd_send(ends_kept[1], "x", 1, (int[]){played.control, played.pipe}, 2) != 1 ||
			write(report[1], &played.pid, sizeof(played.pid)) != sizeof(played.pid))
			_exit(1);
		pause();
	}
	assert_int_equal(read(report[0], &room, sizeof(room)), sizeof(room));
	int kept[FD_MAX];
	size_t count;
	char byte;
	assert_int_equal(fd_receive(ends_kept[0], &byte, 1, kept, &count), 1);
	assert_int_equal(count, 2);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	/* Its pipe ends when the room does, and it had no time to say "stop". */
	char text[512] = "";
	size_t len = 0;
	ssize_t n;
	while ((n = read(kept[1], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = 0;
	assert_string_equal(text, STARTED);
	for (int i = 0; i < 2; i++) {
		fd_close(&kept[i]);
		fd_close(&report[i]);
		fd_close(&ends_kept[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_is_fixed),
		cmocka_unit_test(a_reload_brings_slice_and_grants_together),
		cmocka_unit_test(counters_come_by_themselves),
		cmocka_unit_test(test_trap_20_a_room_ends_with_its_control_socket),
		cmocka_unit_test(a_room_without_its_slice_does_not_start),
		cmocka_unit_test(test_trap_20_a_room_dies_with_its_parent),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
