#include "config.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

static void test_descriptors_travel_and_are_closed_on_exec(void **state)
{
	int pair[2], memory, got[FD_MAX], none[FD_MAX];
	size_t count;
	char text[8];
	struct str bytes;
	struct err err;
	(void)state;
	assert_true(fd_pair(pair, &err));
	assert_true(fd_memory("test", STR("in memory"), &memory, &err));
	assert_int_equal(fd_send(pair[0], "hello", 5, &memory, 1), 5);
	assert_int_equal(fd_receive(pair[1], text, sizeof(text), got, &count), 5);
	assert_int_equal(count, 1);
	assert_true(fcntl(got[0], F_GETFD) & FD_CLOEXEC);
	assert_true(fd_map(got[0], true, &bytes, &err));
	assert_str_is(bytes, "in memory");
	fd_unmap(&bytes);
	assert_int_equal(fd_receive(pair[1], text, sizeof(text), none, &count), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(count, 0);
	int many[FD_MAX + 1] = {memory, memory, memory, memory, memory};
	assert_int_equal(fd_send(pair[0], "x", 1, many, FD_MAX + 1), -1);
	fd_close(&got[0]);
	fd_close(&memory);
	assert_int_equal(memory, -1);
	fd_close(&memory);
	fd_close(&pair[0]);
	assert_int_equal(fd_receive(pair[1], text, sizeof(text), none, &count), 0);
	fd_close(&pair[1]);
}

static void test_memory_of_others_must_be_sealed(void **state)
{
	struct str bytes;
	struct err err;
	int sealed, open_file = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	(void)state;
	assert_int_equal(write(open_file, "x", 1), 1);
	assert_false(fd_map(open_file, true, &bytes, &err));
	assert_int_equal(err.code, ERR_DENIED);
	assert_true(fd_map(open_file, false, &bytes, &err));
	fd_unmap(&bytes);
	fd_close(&open_file);
	assert_true(fd_memory("empty", STR_NONE, &sealed, &err));
	assert_true(fd_map(sealed, true, &bytes, &err));
	assert_int_equal(bytes.len, 0);
	assert_int_equal(write(sealed, "x", 1), -1);
	assert_int_equal(ftruncate(sealed, 10), -1);
	fd_close(&sealed);
}

static void test_blocking_reads_and_writes_are_whole(void **state)
{
	int ends[2];
	char text[6] = "";
	struct err err;
	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(fd_write_all(ends[1], "12345", 5, &err));
	assert_true(fd_read_exact(ends[0], text, 5, &err));
	assert_string_equal(text, "12345");
	assert_true(fd_write_all(ends[1], "1", 1, &err));
	fd_close(&ends[1]);
	assert_false(fd_read_exact(ends[0], text, 2, &err));
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_true(fd_nonblock(ends[0], &err) && fd_cloexec(ends[0], true, &err) &&
		    fd_cloexec(ends[0], false, &err));
	assert_false(fcntl(ends[0], F_GETFD) & FD_CLOEXEC);
	fd_close(&ends[0]);
	assert_false(fd_nonblock(-1, &err));
}

static void test_files_are_replaced_whole(void **state)
{
	char folder[] = "/tmp/cirtd-test-XXXXXX", path[64];
	struct buf out = {0};
	struct stat info;
	struct err err;
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
	assert_false(file_read(path, 10, &out, &err));
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_true(file_write_atomic(path, 0640, STR("first"), &err));
	assert_true(file_write_atomic(path, 0600, STR("second"), &err));
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_true(file_read(path, 6, &out, &err));
	assert_str_is(buf_view(&out), "second");
	assert_false(file_read(path, 5, &out, &err));
	assert_int_equal(err.code, ERR_NOSPACE);
	assert_int_equal(out.len, 6);
	assert_false(file_write_atomic("/nonexistent/file", 0600, STR("x"), &err));
	unlink(path);
	assert_int_equal(rmdir(folder), 0); /* no temporary file is left */
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors_travel_and_are_closed_on_exec),
		cmocka_unit_test(test_memory_of_others_must_be_sealed),
		cmocka_unit_test(test_blocking_reads_and_writes_are_whole),
		cmocka_unit_test(test_files_are_replaced_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
