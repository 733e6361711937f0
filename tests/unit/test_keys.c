#include "config.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "keys/home.h"
#include "keys/passphrases.h"
#include "keys/question.h"
#include "proc/landlock.h"

/* What the room keys is made of, without the room: the system tests have it whole. */

/* ---- passphrases ---- */

static void test_a_passphrase_is_found_by_the_end_of_its_key(void **state)
{
	struct passphrases *all = passphrases_new();
	size_t locked;

	(void)state;
	passphrases_put(all, STR("AAAA1111BBBB2222"), "one");
	passphrases_put(all, STR("CCCC3333DDDD4444"), NULL);
	passphrases_put(all, STR("EEEE5555FFFF6666"), "");
	assert_int_equal(passphrases_count(all, &locked), 3);
	assert_int_equal(locked, 1);
	assert_string_equal(passphrases_of(all, STR("BBBB2222")), "one");
	assert_null(passphrases_of(all, STR("DDDD4444")));
	assert_string_equal(passphrases_of(all, STR("FFFF6666")), "");
	assert_null(passphrases_of(all, STR("")));
	assert_null(passphrases_of(all, STR("AAAA1111")));
	passphrases_free(&all);
}

/* What needs none cannot be locked; what does is gone from memory. */
static void test_locking_forgets(void **state)
{
	struct passphrases *all = passphrases_new();
	const char *text;
	size_t locked;

	(void)state;
	passphrases_put(all, STR("AAAA"), "secret words");
	passphrases_put(all, STR("BBBB"), "");
	text = passphrases_of(all, STR("AAAA"));
	passphrases_lock(all);
	assert_int_equal(text[0], 0);
	assert_null(passphrases_of(all, STR("AAAA")));
	assert_string_equal(passphrases_of(all, STR("BBBB")), "");
	assert_int_equal(passphrases_count(all, &locked), 2);
	assert_int_equal(locked, 1);
	passphrases_clear(all);
	assert_int_equal(passphrases_count(all, &locked), 0);
	passphrases_free(&all);
}

static void test_overlong_and_too_many_open_nothing(void **state)
{
	struct passphrases *all = passphrases_new();
	char text[PASSPHRASE_MAX + 1];
	size_t locked;

	(void)state;
	memset(text, 'x', PASSPHRASE_MAX);
	text[PASSPHRASE_MAX] = 0;
	passphrases_put(all, STR("AAAA"), text);
	assert_null(passphrases_of(all, STR("AAAA")));
	for (int i = 0; i < 2 * PASSPHRASE_KEYS; i++)
		passphrases_put(all, STR("BBBB"), "");
	assert_int_equal(passphrases_count(all, &locked), PASSPHRASE_KEYS);
	passphrases_free(&all);
}

/* ---- questions ---- */

static void test_a_question_comes_with_what_it_speaks_of(void **state)
{
	struct keys_open open = {.ask = 1, .kind = SEALED_PGP, .inlined = true, .bytes = STR("x")};
	struct buf body = {0};
	struct question *question;

	(void)state;
	keys_open_encode(&open, &body);
	question = question_new(KEYS_OPEN, buf_view(&body), -1, 7);
	assert_non_null(question);
	assert_false(question_changes(question));
	assert_true(str_equal(question->bytes, STR("x")));
	question_free(&question);
	buf_clear(&body);
	open.inlined = false;
	keys_open_encode(&open, &body);
	assert_null(question_new(KEYS_OPEN, buf_view(&body), -1, 7)); /* the descriptor is missing */
	assert_null(question_new(KEYS_UNLOCK, buf_view(&body), -1, 7));
	buf_free(&body);
}

/* ---- the sandbox ---- */

static char folder[] = "/tmp/cirtd-keys-XXXXXX";

static struct conf conf_of(void)
{
	char *run = mem_printf("%s/keys", folder);

	assert_true(mkdir(run, 0700) == 0 || errno == EEXIST);
	free(run);
	return (struct conf){.state = str_of(folder),
		.run = str_of(folder),
		.keys_programs = STR("/usr/bin"),
		.keys_memory = 0};
}

static int run(const char *program, const char *argument)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		execl(program, program, argument, (char *)NULL);
		_exit(errno == EACCES ? 100 : 101);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int inside(const struct home *home)
{
	if (run(home->gpg, "--version") != 0)
		return 1;
	if (run(home->agent, "--version") != 0)
		return 2;
	if (run("/bin/true", "") != 100 || run("/usr/bin/gpgconf", "") == 0)
		return 3;
	if (open("/etc/passwd", O_RDONLY) >= 0)
		return 4;
	if (socket(AF_UNIX, SOCK_STREAM, 0) < 0)
		return 5;
	return 0;
}

static int network(const struct home *home)
{
	(void)home;
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 1 : 0;
}

static int run_inside(const struct home *home, int (*what)(const struct home *home))
{
	int status = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		struct sandbox plan = {.open_files = 256};
		struct buf enforced = {0};
		struct err err = {0};

		home_plan(home, &plan);
		if (!sandbox_enter(&plan, false, &enforced, &err))
			_exit(100);
		_exit(what(home));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* gpg and its agent run, no other program does, and none of them has a network. */
static void test_trap_08_only_gnupg_runs_inside(void **state)
{
	struct conf conf = conf_of();
	struct home home;
	struct err err = {0};
	int status;

	(void)state;
	if (landlock_abi() == 0 || access("/usr/bin/gpg", X_OK) != 0 ||
		access("/usr/bin/gpg-agent", X_OK) != 0)
		skip();
	if (!home_open(&conf, &home, &err))
		fail_msg("%s", err.text);
	status = run_inside(&home, inside);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	status = run_inside(&home, network);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	home_close(&home);
}

/* Nobody else can look into the keyring, also where it was there before with other rights. */
static void test_the_keyring_is_for_its_user_alone(void **state)
{
	struct conf conf = conf_of();
	struct home home;
	struct stat info;
	struct err err = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(home_open(&conf, &home, &err));
		assert_int_equal(stat(home.gnupg, &info), 0);
		assert_int_equal(info.st_mode & 0777, 0700);
		assert_int_equal(stat(home.smime, &info), 0);
		assert_int_equal(info.st_mode & 0777, 0700);
		assert_int_equal(chmod(home.gnupg, 0755), 0);
		home_close(&home);
	}
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char *command[] = {"rm", "-rf", folder, NULL};
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		execv("/bin/rm", command);
		_exit(1);
	}
	return waitpid(child, NULL, 0) == child ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_passphrase_is_found_by_the_end_of_its_key),
		cmocka_unit_test(test_locking_forgets),
		cmocka_unit_test(test_overlong_and_too_many_open_nothing),
		cmocka_unit_test(test_a_question_comes_with_what_it_speaks_of),
		cmocka_unit_test(test_trap_08_only_gnupg_runs_inside),
		cmocka_unit_test(test_the_keyring_is_for_its_user_alone),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
