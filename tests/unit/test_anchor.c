#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "keeper/anchor.h"
#include "proc/key_pair.h"

struct keys {
	struct buf secret;
	struct buf shown;
};

static int keys_make(void **state)
{
	struct keys *keys = mem_alloc(sizeof(*keys));
	struct err err;

	if (!key_pair_new(&keys->secret, &err) ||
		!key_pair_public(buf_view(&keys->secret), &keys->shown, &err))
		fail_msg("%s", err.text);
	*state = keys;
	return 0;
}

static int keys_free(void **state)
{
	struct keys *keys = *state;

	buf_free(&keys->secret);
	buf_free(&keys->shown);
	free(keys);
	return 0;
}

/* A file of anchors, as the room has it: one descriptor to add to, one to read. */
static struct anchorer *open_at(const struct keys *keys, int file)
{
	struct anchorer_settings settings = {.file = file,
		.log = file,
		.private_pem = buf_view(&keys->secret),
		.public_pem = buf_view(&keys->shown),
		.node = STR("node \"1\"")};
	struct anchorer *anchorer;
	struct err err;

	if (!anchorer_open(&settings, &anchorer, &err))
		fail_msg("%s", err.text);
	return anchorer;
}

static int file_make(void)
{
	int file = memfd_create("anchors", MFD_CLOEXEC);

	assert_true(file >= 0);
	assert_int_equal(fcntl(file, F_SETFL, O_APPEND), 0);
	return file;
}

static void add(struct anchorer *anchorer, uint64_t records)
{
	struct anchor anchor = {.records = records, .last = records, .heads = 1};
	struct err err;

	random_bytes(anchor.root, SHA256_LEN);
	if (!anchorer_add(anchorer, &anchor, &err))
		fail_msg("%s", err.text);
}

static struct buf content(int file)
{
	struct buf bytes = {0};
	ssize_t got;

	while ((got = pread(file, buf_space(&bytes, 4096), 4096, (off_t)bytes.len)) > 0)
		buf_grow(&bytes, (size_t)got);
	return bytes;
}

static bool check(const struct keys *keys, struct str bytes, struct anchor *last, size_t *torn)
{
	struct err err;

	return anchor_file_check(bytes, buf_view(&keys->shown), last, torn, &err);
}

/* Ten anchors over three openings. */
static struct buf ten_anchors(const struct keys *keys)
{
	int file = file_make();
	struct buf bytes;

	for (uint64_t i = 0; i < 10;) {
		struct anchorer *anchorer = open_at(keys, file);

		assert_int_equal(anchorer_number(anchorer), i);
		for (int n = 0; n < 4 && i < 10; n++)
			add(anchorer, ++i);
		anchorer_free(&anchorer);
	}
	bytes = content(file);
	fd_close(&file);
	return bytes;
}

static void test_trap_16_anchors_follow_each_other(void **state)
{
	struct keys *keys = *state;
	struct buf bytes = ten_anchors(keys);
	struct anchor last;
	size_t torn;

	assert_true(check(keys, buf_view(&bytes), &last, &torn));
	assert_int_equal(last.number, 10);
	assert_int_equal(last.records, 10);
	assert_int_equal(torn, 0);
	assert_true(str_equal(last.node, STR("node__1_")));
	buf_free(&bytes);
}

static void test_trap_16_any_changed_byte_is_found(void **state)
{
	struct keys *keys = *state;
	struct buf bytes = ten_anchors(keys);
	size_t lines = 0;
	size_t end = 0;
	struct anchor last;
	size_t torn;

	while (lines < 9)
		lines += bytes.data[end++] == '\n';
	/* Of all lines but the last: that one has none after it that vouches for it. */
	for (size_t i = 0; i < end; i += 13) {
		bytes.data[i] ^= 1;
		assert_false(check(keys, buf_view(&bytes), &last, &torn));
		bytes.data[i] ^= 1;
	}
	/* A line taken out, and two exchanged. */
	buf_consume(&bytes, (size_t)((char *)memchr(bytes.data, '\n', bytes.len) - bytes.data) + 1);
	assert_false(check(keys, buf_view(&bytes), &last, &torn));
	buf_free(&bytes);
}

static void test_trap_16_another_key_does_not_sign(void **state)
{
	struct keys *keys = *state;
	struct keys *other;
	struct buf bytes = ten_anchors(keys);
	void *made;
	struct anchor last;
	size_t torn;

	keys_make(&made);
	other = made;
	assert_false(check(other, buf_view(&bytes), &last, &torn));
	keys_free(&made);
	buf_free(&bytes);
}

static void test_an_unfinished_line_is_passed_over(void **state)
{
	struct keys *keys = *state;
	int file = file_make();
	struct anchorer *anchorer = open_at(keys, file);
	struct anchor last;
	struct buf bytes;
	size_t torn;

	add(anchorer, 1);
	anchorer_free(&anchorer);
	assert_int_equal(write(file, "{\"v\":1,\"anchor\":2,\"at", 21), 21);
	anchorer = open_at(keys, file);
	add(anchorer, 2);
	anchorer_free(&anchorer);
	bytes = content(file);
	assert_true(check(keys, buf_view(&bytes), &last, &torn));
	assert_int_equal(last.number, 2);
	assert_int_equal(torn, 1);
	buf_free(&bytes);
	fd_close(&file);
}

static void test_a_file_of_something_else_is_not_gone_on_with(void **state)
{
	struct keys *keys = *state;
	int file = file_make();
	struct anchorer_settings settings = {.file = file, .log = file, .public_pem = buf_view(&keys->shown)};
	struct anchorer *anchorer;
	struct err err;

	assert_int_equal(write(file, "something else\n", 15), 15);
	assert_false(anchorer_open(&settings, &anchorer, &err));
	assert_int_equal(err.code, ERR_CORRUPT);
	fd_close(&file);
}

static void root_of(size_t leaves, size_t changed, uint8_t root[SHA256_LEN])
{
	struct merkle merkle;
	char object[32];

	merkle_begin(&merkle);
	for (size_t i = 0; i < leaves; i++) {
		snprintf(object, sizeof(object), "case/%zu", i);
		merkle_head(&merkle, str_of(object), i == changed ? 2 : 1, STR("hash"));
	}
	merkle_root(&merkle, root);
}

static void test_every_head_is_in_the_root(void **state)
{
	uint8_t root[SHA256_LEN];
	uint8_t other[SHA256_LEN];

	(void)state;
	for (size_t leaves = 0; leaves < 20; leaves++) {
		root_of(leaves, SIZE_MAX, root);
		for (size_t i = 0; i < leaves; i++) {
			root_of(leaves, i, other);
			assert_memory_not_equal(root, other, SHA256_LEN);
		}
		root_of(leaves + 1, SIZE_MAX, other);
		assert_memory_not_equal(root, other, SHA256_LEN);
	}
}

/* RFC 6962 §2.1 by its own words: the largest power of two below n stands left. */
static void split_root(const uint8_t (*leaves)[SHA256_LEN], size_t n, uint8_t root[SHA256_LEN])
{
	char node[1 + 2 * SHA256_LEN] = {1};
	size_t k = 1;

	if (n == 1) {
		memcpy(root, leaves[0], SHA256_LEN);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	split_root(leaves, k, (uint8_t *)node + 1);
	split_root(leaves + k, n - k, (uint8_t *)node + 1 + SHA256_LEN);
	sha256((struct str){node, sizeof(node)}, root);
}

static void test_the_root_is_that_of_rfc_6962(void **state)
{
	uint8_t leaves[40][SHA256_LEN];
	uint8_t root[SHA256_LEN];
	uint8_t wanted[SHA256_LEN];
	struct merkle one;
	struct merkle all;

	(void)state;
	merkle_begin(&all);
	for (uint64_t i = 0; i < 40; i++) {
		merkle_begin(&one);
		merkle_head(&one, STR("x"), i, STR("h"));
		merkle_root(&one, leaves[i]);
		merkle_head(&all, STR("x"), i, STR("h"));
		merkle_root(&all, root);
		split_root(leaves, i + 1, wanted);
		assert_memory_equal(root, wanted, SHA256_LEN);
	}
}

#define with_keys(test) cmocka_unit_test_setup_teardown(test, keys_make, keys_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_keys(test_trap_16_anchors_follow_each_other),
		with_keys(test_trap_16_any_changed_byte_is_found),
		with_keys(test_trap_16_another_key_does_not_sign),
		with_keys(test_an_unfinished_line_is_passed_over),
		with_keys(test_a_file_of_something_else_is_not_gone_on_with),
		cmocka_unit_test(test_every_head_is_in_the_root),
		cmocka_unit_test(test_the_root_is_that_of_rfc_6962),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
