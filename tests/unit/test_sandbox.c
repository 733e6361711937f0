#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "proc/landlock.h"
#include "proc/sandbox.h"

/* What a child does inside: its exit status, and 100 if the sandbox could not be entered. */
typedef int inside_fn(void);

static int run_inside(const struct sandbox *plan, inside_fn *inside)
{
	int status = 0;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		struct buf enforced = {0};
		struct err err = {0};
		if (!sandbox_enter(plan, false, &enforced, &err))
			_exit(100);
		_exit(inside());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

#define assert_exit(status, code)                            \
	do {                                                 \
		assert_true(WIFEXITED(status));              \
		assert_int_equal(WEXITSTATUS(status), code); \
	} while (0)

static int nothing(void)
{
	return 0;
}

static int open_passwd(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0 ? 1 : errno == EACCES ? 0 : 2;
}

static int make_socket_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 1 : 0;
}

static int make_socket_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 0 : 1;
}

static int run_program(void)
{
	execl("/bin/true", "true", NULL);
	return 0;
}

static void needs_landlock(void)
{
	if (landlock_abi() == 0)
		skip();
}

static void an_empty_plan_can_be_entered(void **state)
{
	struct sandbox plan = {0};
	(void)state;
	needs_landlock();
	assert_exit(run_inside(&plan, nothing), 0);
}

static void files_outside_the_plan_do_not_open(void **state)
{
	struct sandbox plan = {0};
	(void)state;
	needs_landlock();
	assert_exit(run_inside(&plan, open_passwd), 0);
	sandbox_allow(&plan, "/etc/passwd", SANDBOX_READ);
	sandbox_allow(&plan, "/does/not/exist", SANDBOX_READ);
	assert_exit(run_inside(&plan, open_passwd), 1);
}

static void a_socket_of_another_family_kills(void **state)
{
	struct sandbox plan = {.unix_sockets = true};
	(void)state;
	needs_landlock();
	int status = run_inside(&plan, make_socket_inet);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	assert_exit(run_inside(&plan, make_socket_unix), 0);
}

/* The port of a listener that this test holds; children inherit it. */
static uint16_t open_port;

static int connect_open_port(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(open_port)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		return 3;
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ? 1 : errno == EACCES ? 0 : 2;
}

static int bind_any_port(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		return 3;
	return bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0 && listen(fd, 1) == 0 ? 1 : 0;
}

static void test_trap_25_network_is_held_by_what_the_kernel_has(void **state)
{
	struct sandbox plan = {.inet_connect = true};
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);
	(void)state;
	needs_landlock();
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	open_port = ntohs(at.sin_port);

	assert_exit(run_inside(&plan, connect_open_port), 1);
	assert_exit(run_inside(&plan, bind_any_port), 0);
	if (landlock_abi() >= 4) {
		plan.connect_ports[plan.connect_port_count++] = (uint16_t)(open_port - 1);
		assert_exit(run_inside(&plan, connect_open_port), 0);
		plan.connect_ports[plan.connect_port_count++] = open_port;
		assert_exit(run_inside(&plan, connect_open_port), 1);
	}
	close(listener);
}

static void test_trap_25_exec_kills(void **state)
{
	struct sandbox plan = {0};
	(void)state;
	needs_landlock();
	sandbox_allow(&plan, "/", SANDBOX_READ_EXEC);
	sandbox_allow(&plan, "/usr", SANDBOX_READ_EXEC);
	plan.paths[0].path = "/bin";
	int status = run_inside(&plan, run_program);
#ifdef WITH_SANITIZER
	assert_exit(status, 0); /* refused, so that a report of the sanitizer is not cut off */
#else
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
#endif
}

static int call_chmod(void)
{
	uint64_t before = sandbox_refused();
	int result = chmod("/tmp", 0);
	if (result != -1 || errno != EPERM)
		return 1;
	return sandbox_refused() == before + 1 ? 0 : 2;
}

static void test_trap_25_forbidden_calls_fail_and_are_counted(void **state)
{
	(void)state;
#ifdef WITH_SANITIZER
	(void)call_chmod;
	skip();
#else
	struct sandbox plan = {0};
	needs_landlock();
	assert_exit(run_inside(&plan, call_chmod), 0);
#endif
}

static int convert_gb18030(void)
{
	char in[] = "\xd6\xd0";
	char out[8];
	char *from = in, *to = out;
	size_t left = 2, room = sizeof(out);
	iconv_t conversion = iconv_open("UTF-8", "GB18030");
	if (conversion == (iconv_t)-1)
		return 1;
	bool ok = iconv(conversion, &from, &left, &to, &room) == 0 && memcmp(out, "\xe4\xb8\xad", 3) == 0;
	iconv_close(conversion);
	return ok ? 0 : 2;
}

static void test_trap_07_charsets_need_their_folder(void **state)
{
	struct sandbox plan = {.executable_maps = true};
	(void)state;
	needs_landlock();
	assert_exit(run_inside(&plan, convert_gb18030), 1);
	sandbox_allow(&plan, "/usr/lib/x86_64-linux-gnu/gconv", SANDBOX_READ_EXEC);
	sandbox_allow(&plan, "/usr/lib/aarch64-linux-gnu/gconv", SANDBOX_READ_EXEC);
	sandbox_allow(&plan, "/etc/ld.so.cache", SANDBOX_READ);
	assert_exit(run_inside(&plan, convert_gb18030), 0);
}

static int write_both(void)
{
	char name[] = "/tmp/test_sandbox_write";
	int fd = open(name, O_CREAT | O_WRONLY, 0600);
	return fd >= 0 ? 1 : 0;
}

static void a_folder_to_read_cannot_be_written(void **state)
{
	struct sandbox plan = {0};
	(void)state;
	needs_landlock();
	sandbox_allow(&plan, "/tmp", SANDBOX_READ);
	assert_exit(run_inside(&plan, write_both), 0);
	plan.paths[0].access = SANDBOX_READ_WRITE;
	assert_exit(run_inside(&plan, write_both), 1);
	unlink("/tmp/test_sandbox_write");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_plan_can_be_entered),
		cmocka_unit_test(files_outside_the_plan_do_not_open),
		cmocka_unit_test(a_folder_to_read_cannot_be_written),
		cmocka_unit_test(a_socket_of_another_family_kills),
		cmocka_unit_test(test_trap_25_network_is_held_by_what_the_kernel_has),
		cmocka_unit_test(test_trap_25_exec_kills),
		cmocka_unit_test(test_trap_25_forbidden_calls_fail_and_are_counted),
		cmocka_unit_test(test_trap_07_charsets_need_their_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
