#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "tail.h"

/* A folder with a log in it, whose clock the test moves. */
static char folder[] = "/tmp/test-tail-XXXXXX";
static char path[64], old[64];
static int64_t now;

static int start(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test-tail-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/eve.json", folder);
	snprintf(old, sizeof(old), "%s/eve.json.1", folder);
	now = 1;
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

static int stop(void **state)
{
	char *command = mem_printf("rm -r %s", folder);

	(void)state;
	assert_int_equal(system(command), 0);
	free(command);
	return 0;
}

static void write_to(const char *file, const char *text, int flags)
{
	int fd = open(file, O_WRONLY | O_CREAT | flags, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

#define APPEND(text) write_to(path, text, O_APPEND)

static struct tail *fresh(bool once)
{
	return tail_new(path, once);
}

/* Everything that there is now, dropped as it comes, with a look at each change of file. */
static void all(struct tail *tail, char *out, size_t size)
{
	enum tail_step step;
	size_t len = 0;

	do {
		struct str window;
		size_t bytes;
		step = tail_step(tail, now);
		window = tail_window(tail);
		assert_true(len + window.len < size);
		if (window.len > 0)
			memcpy(out + len, window.p, window.len);
		len += window.len;
		tail_drop(tail, UINT64_MAX, &bytes);
		assert_int_equal(tail_window(tail).len, 0);
		if (bytes > 0 && step == TAIL_WAIT)
			step = TAIL_MORE;
	} while (step == TAIL_MORE || step == TAIL_MOVED);
	out[len] = '\0';
}

static void expect(struct tail *tail, const char *expected)
{
	char found[20000];

	all(tail, found, sizeof(found));
	assert_string_equal(found, expected);
}

static void rename_it(void)
{
	assert_int_equal(rename(path, old), 0);
}

/* What logrotate's copytruncate does. */
static void copy_and_truncate(const char *between)
{
	char *command = mem_printf("cp %s %s", path, old);

	assert_int_equal(system(command), 0);
	free(command);
	if (*between)
		write_to(old, between, O_APPEND);
	assert_int_equal(truncate(path, 0), 0);
}

static void test_waits_for_the_end_of_a_line(void **state)
{
	struct tail *tail = fresh(false);

	(void)state;
	expect(tail, "");
	APPEND("one\ntw");
	expect(tail, "one\n");
	APPEND("o");
	expect(tail, "");
	APPEND("\n\nthree\n");
	expect(tail, "two\n\nthree\n");
	tail_free(&tail);
}

static void test_drops_line_by_line(void **state)
{
	struct tail *tail = fresh(false);
	size_t bytes;

	(void)state;
	APPEND("one\ntwo\nthree\n");
	while (tail_step(tail, now) != TAIL_WAIT)
		;
	assert_int_equal(tail_drop(tail, 2, &bytes), 2);
	assert_int_equal(bytes, 8);
	assert_true(str_equal(tail_window(tail), STR("three\n")));
	assert_int_equal(tail_drop(tail, 2, &bytes), 1);
	tail_free(&tail);
}

static void test_renamed_file_is_read_to_its_end(void **state)
{
	struct tail *tail = fresh(false);

	(void)state;
	APPEND("one\n");
	expect(tail, "one\n");
	rename_it();
	write_to(old, "two\nthr", O_APPEND);
	expect(tail, "two\n");
	APPEND("four\n");
	expect(tail, "");
	write_to(old, "ee\nend", O_APPEND);
	expect(tail, "three\n");
	now += TAIL_GRACE + 1;
	/* No more comes: what stands there without an end is a line. */
	expect(tail, "end\nfour\n");
	APPEND("five\n");
	expect(tail, "five\n");
	tail_free(&tail);
}

static void test_truncated_file_goes_on_in_its_copy(void **state)
{
	struct tail *tail = fresh(false);

	(void)state;
	APPEND("one\n");
	expect(tail, "one\n");
	copy_and_truncate("two\n");
	APPEND("three\n");
	expect(tail, "two\nthree\n");
	copy_and_truncate("");
	APPEND("a longer line than what stood there before\n");
	expect(tail, "a longer line than what stood there before\n");
	tail_free(&tail);
}

static struct position position_of(struct tail *tail)
{
	struct position position = {.acked = 7};

	tail_position(tail, &position);
	return position;
}

static struct tail *again(const struct position *position)
{
	struct tail *tail = fresh(false);

	tail_resume(tail, position);
	return tail;
}

static void test_goes_on_where_it_was(void **state)
{
	struct tail *tail = fresh(false);
	struct position position;
	char older[64];

	(void)state;
	APPEND("one\n");
	expect(tail, "one\n");
	position = position_of(tail);
	tail_free(&tail);
	APPEND("two\n");
	tail = again(&position);
	expect(tail, "two\n");
	position = position_of(tail);
	tail_free(&tail);
	/* Renamed twice meanwhile. */
	APPEND("three\n");
	rename_it();
	snprintf(older, sizeof(older), "%s/eve.json.2", folder);
	write_to(path, "four\n", 0);
	assert_int_equal(rename(old, older), 0);
	usleep(20000);
	rename_it();
	write_to(old, "five\n", O_APPEND);
	usleep(20000);
	write_to(path, "six\n", 0);
	tail = again(&position);
	expect(tail, "three\nfour\nfive\nsix\n");
	tail_free(&tail);
}

static void test_goes_on_in_the_copy_of_what_was_truncated_meanwhile(void **state)
{
	struct tail *tail = fresh(false);
	struct position position;

	(void)state;
	APPEND("one\n");
	expect(tail, "one\n");
	position = position_of(tail);
	tail_free(&tail);
	APPEND("two\n");
	copy_and_truncate("");
	APPEND("three and more than stood there before\n");
	tail = again(&position);
	expect(tail, "two\nthree and more than stood there before\n");
	tail_free(&tail);
}

static void test_a_lost_file_is_not_taken_for_another(void **state)
{
	struct tail *tail = fresh(false);
	struct position position;

	(void)state;
	APPEND("one\n");
	expect(tail, "one\n");
	position = position_of(tail);
	tail_free(&tail);
	/* Written anew in place, longer than before: the same number, another file. */
	write_to(path, "another\nand more\n", O_TRUNC);
	tail = again(&position);
	expect(tail, "another\nand more\n");
	tail_free(&tail);
}

static void test_once_ends_with_the_file(void **state)
{
	struct tail *tail = fresh(true);

	(void)state;
	APPEND("one\ntwo");
	expect(tail, "one\ntwo\n");
	assert_int_equal(tail_step(tail, now), TAIL_END);
	assert_int_equal(position_of(tail).offset, 7);
	tail_free(&tail);
}

static void test_once_follows_what_was_rotated_while_away(void **state)
{
	struct tail *tail = fresh(true);
	struct position position;

	(void)state;
	APPEND("one\n");
	expect(tail, "one\n");
	position = position_of(tail);
	tail_free(&tail);
	APPEND("two\n");
	rename_it();
	APPEND("three\n");
	tail = tail_new(path, true);
	tail_resume(tail, &position);
	expect(tail, "two\nthree\n");
	assert_int_equal(tail_step(tail, now), TAIL_END);
	position = position_of(tail);
	tail_free(&tail);
	copy_and_truncate("four\n");
	APPEND("five\n");
	tail = tail_new(path, true);
	tail_resume(tail, &position);
	expect(tail, "four\nfive\n");
	assert_int_equal(tail_step(tail, now), TAIL_END);
	tail_free(&tail);
}

static void test_from_end(void **state)
{
	struct tail *tail = fresh(false);

	(void)state;
	APPEND("one\n");
	tail_from_end(tail);
	expect(tail, "");
	APPEND("two\n");
	expect(tail, "two\n");
	tail_free(&tail);
}

/* A line of any length, and the lines around it. */
static void test_a_long_line(void **state)
{
	struct tail *tail = fresh(true);
	size_t size = 40u << 20, found = 0, lines = 0, bytes;
	char *text = mem_alloc(size + 1);
	enum tail_step step;

	(void)state;
	memset(text, 'x', size);
	APPEND("one\n");
	APPEND(text);
	APPEND("\ntwo\n");
	while ((step = tail_step(tail, now)) != TAIL_END) {
		if (step != TAIL_WAIT)
			continue;
		lines += tail_drop(tail, UINT64_MAX, &bytes);
		found += bytes;
	}
	/* Cut once, at 32 MB, with a line feed of ours. */
	assert_int_equal(lines, 4);
	assert_int_equal(found, size + 9 + 1);
	assert_int_equal(position_of(tail).offset, size + 9);
	free(text);
	tail_free(&tail);
}

static void test_position_is_kept(void **state)
{
	struct position position = {.acked = 5, .device = 6, .inode = 7, .offset = UINT64_MAX}, found;
	struct err err;

	(void)state;
	uuid_random(position.session);
	memset(position.mark, 9, sizeof(position.mark));
	assert_false(position_load(path, &found, &err));
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_true(position_save(path, &position, &err));
	assert_true(position_load(path, &found, &err));
	assert_memory_equal(&found, &position, sizeof(found));
	write_to(path, "cirt-sensor 1\nsession x\n", O_TRUNC);
	assert_false(position_load(path, &found, &err));
	assert_int_equal(err.code, ERR_CORRUPT);
	write_to(path, "", O_TRUNC);
	assert_false(position_load(path, &found, &err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_waits_for_the_end_of_a_line),
		TEST(test_drops_line_by_line),
		TEST(test_renamed_file_is_read_to_its_end),
		TEST(test_truncated_file_goes_on_in_its_copy),
		TEST(test_goes_on_where_it_was),
		TEST(test_goes_on_in_the_copy_of_what_was_truncated_meanwhile),
		TEST(test_a_lost_file_is_not_taken_for_another),
		TEST(test_once_ends_with_the_file),
		TEST(test_once_follows_what_was_rotated_while_away),
		TEST(test_from_end),
		TEST(test_a_long_line),
		TEST(test_position_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
