#include "config.h"

#include "unit.h"

#include "base/pack.h"

static void pack_sample(struct buf *out)
{
	pack_u8(out, 0xfe);
	pack_u16(out, 0xfedc);
	pack_u32(out, 0xfedcba98);
	pack_u64(out, UINT64_C(0xfedcba9876543210));
	pack_i64(out, -2);
	pack_bytes(out, "fix", 3);
	pack_str(out, STR("text"));
	pack_str(out, STR_NONE);
	pack_u32(out, 6);
	pack_u32(out, 1);
	pack_u16(out, 7);
}

/* True if it was read exactly. */
static bool unpack_sample(struct unpack *in, bool compare)
{
	char fix[3];
	uint8_t a = unpack_u8(in);
	uint16_t b = unpack_u16(in);
	uint32_t c = unpack_u32(in);
	uint64_t d = unpack_u64(in);
	int64_t e = unpack_i64(in);
	unpack_bytes(in, fix, 3);
	struct str f = unpack_str(in), g = unpack_str(in);
	uint32_t h = unpack_enum(in, 7), i = unpack_count(in, 2);
	uint16_t j = unpack_u16(in);
	if (compare) {
		assert_true(a == 0xfe && b == 0xfedc && c == 0xfedcba98 &&
			    d == UINT64_C(0xfedcba9876543210) && e == -2);
		assert_memory_equal(fix, "fix", 3);
		assert_str_is(f, "text");
		assert_true(g.len == 0 && h == 6 && i == 1 && j == 7);
	}
	return unpack_end(in);
}

static void test_reads_what_was_written_little_endian(void **state)
{
	struct buf out = {0};
	(void)state;
	pack_sample(&out);
	assert_memory_equal(out.data, "\xfe\xdc\xfe\x98\xba\xdc\xfe\x10\x32", 9);
	assert_true(unpack_sample(&(struct unpack){.rest = buf_view(&out)}, true));
	buf_free(&out);
}

static void test_any_other_length_fails_for_good(void **state)
{
	struct buf out = {0};
	(void)state;
	pack_sample(&out);
	for (size_t len = 0; len < out.len; len++) {
		struct unpack in = {.rest = {out.data, len}};
		assert_false(unpack_sample(&in, false));
		assert_true(in.failed);
		assert_true(unpack_u64(&in) == 0 && unpack_str(&in).len == 0);
	}
	pack_u8(&out, 0);
	assert_false(unpack_sample(&(struct unpack){.rest = buf_view(&out)}, false));
	buf_free(&out);
}

static void test_enums_and_counts_are_bounded(void **state)
{
	struct buf out = {0};
	(void)state;
	pack_u32(&out, 7);
	struct unpack in = {.rest = buf_view(&out)};
	assert_int_equal(unpack_enum(&in, 7), 0);
	assert_true(in.failed);
	buf_clear(&out);
	pack_u32(&out, 3);
	pack_bytes(&out, "12345", 5);
	in = (struct unpack){.rest = buf_view(&out)};
	assert_int_equal(unpack_count(&in, 2), 0);
	assert_true(in.failed);
	in = (struct unpack){.rest = buf_view(&out)};
	assert_int_equal(unpack_count(&in, 1), 3);
	assert_false(in.failed);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_what_was_written_little_endian),
		cmocka_unit_test(test_any_other_length_fails_for_good),
		cmocka_unit_test(test_enums_and_counts_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
