#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "made_archive.h"

#include "base/buf.h"
#include "base/mem.h"
#include "wire/archive.h"
#include "wire/archive_name.h"

static const struct archive_limits limits = {4, 1000, 32u << 20, 64u << 20, 200};

/* --- reading them --- */

#define SEEN 8
struct seen {
	struct arena *arena;
	struct archive_member members[SEEN]; /* the first */
	size_t count;
	size_t enough; /* 0: never */
	struct archive_spent spent;
	struct err err;
	bool good;
};

static bool take(const struct archive_member *member, void *context)
{
	struct seen *seen = context;

	if (seen->count < SEEN)
		seen->members[seen->count] = *member;
	return ++seen->count != seen->enough;
}

static struct seen unpack(struct str bytes, const char *name, const struct archive_limits *of,
	const struct str *passwords, size_t password_count)
{
	struct seen seen = {.arena = arena_new(65536)};

	seen.good = archive_unpack(bytes, str_of(name), of, &seen.spent, passwords, password_count,
		seen.arena, take, &seen, &seen.err);
	return seen;
}

static void assert_member(const struct seen *seen, size_t index, const char *name, const char *bytes)
{
	assert_true(index < seen->count);
	assert_true(str_equal(seen->members[index].name, str_of(name)));
	assert_true(str_equal(seen->members[index].bytes, str_of(bytes)));
}

static void assert_says(const struct seen *seen, enum err_code code, const char *text)
{
	assert_false(seen->good);
	if (!strstr(seen->err.text, text))
		fail_msg("\"%s\" lacks \"%s\"", seen->err.text, text);
	assert_int_equal(seen->err.code, code);
}

static void test_every_named_format_is_read(void **state)
{
	static const struct {
		int (*format)(struct archive *);
		int (*filter)(struct archive *);
		const char *options;
	} ways[] = {
		{archive_write_set_format_zip, NULL, NULL},
		{archive_write_set_format_zip, NULL, "zip:compression=store"},
		{archive_write_set_format_7zip, NULL, NULL},
		{archive_write_set_format_7zip, NULL, "7zip:compression=ppmd"},
		{archive_write_set_format_ustar, NULL, NULL},
		{archive_write_set_format_v7tar, NULL, NULL},
		{archive_write_set_format_pax, archive_write_add_filter_gzip, NULL},
		{archive_write_set_format_gnutar, archive_write_add_filter_bzip2, NULL},
		{archive_write_set_format_ustar, archive_write_add_filter_xz, NULL},
		{archive_write_set_format_ustar, archive_write_add_filter_zstd, NULL},
		{archive_write_set_format_ustar, archive_write_add_filter_lzip, NULL},
		{archive_write_set_format_ustar, archive_write_add_filter_compress, NULL},
		{archive_write_set_format_cpio_newc, NULL, NULL},
		{archive_write_set_format_cpio_odc, NULL, NULL},
		{archive_write_set_format_iso9660, NULL, NULL},
		{archive_write_set_format_ar_svr4, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct made made;
		struct seen seen;
		make_begin(&made, ways[i].format, ways[i].filter, ways[i].options, NULL);
		make_member(&made, "a.txt", "first", 5);
		make_member(&made, "b.txt", "second", 6);
		seen = unpack(make_end(&made), "x.any", &limits, NULL, 0);
		if (!seen.good)
			fail_msg("way %zu: %s", i, seen.err.text);
		assert_int_equal(seen.count, 2);
		assert_member(&seen, 0, "a.txt", "first");
		assert_member(&seen, 1, "b.txt", "second");
		assert_false(seen.members[0].cut);
		arena_free(&seen.arena);
		made_free(&made);
	}
}

#define FORM(literal)                          \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

/* Stored members in cab, lha, rar and rar5, which nothing here can write: byte by byte. */
static void test_formats_that_are_only_read(void **state)
{
	static const char *const inside[] = {"cab data", "lha data", "rar4 data", "rar5 data"};
	static const struct str archives[] = {
		FORM("\x4d\x53\x43\x46\x00\x00\x00\x00\x52\x00\x00\x00\x00\x00\x00\x00\x2c\x00\x00\x00\x00"
		     "\x00\x00\x00"
		     "\x03\x01\x01\x00\x01\x00\x00\x00\x01\x00\x00\x00\x42\x00\x00\x00\x01\x00\x00\x00\x08"
		     "\x00\x00\x00"
		     "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x20\x00\x61\x2e\x74\x78\x74\x00\x00\x00\x00"
		     "\x00\x08\x00"
		     "\x08\x00\x63\x61\x62\x20\x64\x61\x74\x61"),
		FORM("\x1b\x5b\x2d\x6c\x68\x30\x2d\x08\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x20\x00"
		     "\x05\x61\x2e"
		     "\x74\x78\x74\xce\x0b\x6c\x68\x61\x20\x64\x61\x74\x61\x00"),
		FORM("\x52\x61\x72\x21\x1a\x07\x00\xcf\x90\x73\x00\x00\x0d\x00\x00\x00\x00\x00\x00\x00\x94"
		     "\x40\x74\x00"
		     "\x80\x25\x00\x09\x00\x00\x00\x09\x00\x00\x00\x03\x1a\xd8\x77\x8d\x00\x00\x00\x00\x14"
		     "\x30\x05\x00"
		     "\xa4\x81\x00\x00\x61\x2e\x74\x78\x74\x72\x61\x72\x34\x20\x64\x61\x74\x61\xc4\x3d\x7b"
		     "\x00\x40\x07"
		     "\x00"),
		FORM("\x52\x61\x72\x21\x1a\x07\x01\x00\xc5\x1a\x33\x32\x03\x01\x00\x00\x11\xe2\x43\xd6\x13"
		     "\x02\x02\x09"
		     "\x04\x09\xa4\x03\xbf\x0b\x2b\x46\x00\x01\x05\x61\x2e\x74\x78\x74\x72\x61\x72\x35\x20"
		     "\x64\x61\x74"
		     "\x61\x19\xb2\x3a\x35\x03\x05\x00\x00"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(archives); i++) {
		struct seen seen = unpack(archives[i], "x", &limits, NULL, 0);
		if (!seen.good)
			fail_msg("%s: %s", inside[i], seen.err.text);
		assert_int_equal(seen.count, 1);
		assert_member(&seen, 0, "a.txt", inside[i]);
		arena_free(&seen.arena);
	}
}

static void test_a_compressed_file_is_named_after_its_archive(void **state)
{
	static const char *const names[][2] = {
		{"logs/access.log.gz", "access.log"}, {"a.tgz", "a"}, {"x", "data"}, {".gz", "data"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct made made;
		struct seen seen;
		make_begin(&made, archive_write_set_format_raw, archive_write_add_filter_gzip, NULL, NULL);
		make_member(&made, "any", "line\n", 5);
		seen = unpack(make_end(&made), names[i][0], &limits, NULL, 0);
		assert_true(seen.good);
		assert_member(&seen, 0, names[i][1], "line\n");
		arena_free(&seen.arena);
		made_free(&made);
	}
}

static void test_names_are_labels_and_lead_nowhere(void **state)
{
	static const char *const names[][2] = {
		{"../../etc/passwd", "etc/passwd"},
		{"/etc/shadow", "etc/shadow"},
		{"C:\\Windows\\..\\System32\\a.dll", "Windows/System32/a.dll"},
		{"a//./b", "a/b"},
		{"..", ""},
		{"photo\xe2\x80\xaegpj.exe", "photo_gpj.exe"},
		{"a\033[2Jb", "a_[2Jb"},
		{"\xff.txt", "\xef\xbf\xbd.txt"},
	};
	struct arena *arena = arena_new(4096);
	char longer[600];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_true(str_equal(archive_label(str_of(names[i][0]), arena), str_of(names[i][1])));
	memset(longer, 'a', sizeof(longer));
	memcpy(longer + sizeof(longer) - 4, ".exe", 4);
	assert_true(str_ends(archive_label((struct str){longer, sizeof(longer)}, arena), STR("a.exe")));
	assert_int_equal(archive_label((struct str){longer, sizeof(longer)}, arena).len, 255);
	arena_free(&arena);
}

static void test_zip_slip_is_harmless(void **state)
{
	struct made made;
	struct seen seen;

	(void)state;
	make_begin(&made, archive_write_set_format_zip, NULL, NULL, NULL);
	make_member(&made, "../../../../root/.ssh/authorized_keys", "key", 3);
	make_member(&made, "..", "none", 4);
	seen = unpack(make_end(&made), "x.zip", &limits, NULL, 0);
	assert_true(seen.good);
	assert_member(&seen, 0, "root/.ssh/authorized_keys", "key");
	assert_member(&seen, 1, "member 2", "none");
	arena_free(&seen.arena);
	made_free(&made);
}

/* A picture, a program, a line of text: the end of the file tells that it is a zip. */
static void test_a_zip_behind_something_else_is_read(void **state)
{
	struct made made;
	struct seen seen;
	struct buf bytes = {0};

	(void)state;
	make_begin(&made, archive_write_set_format_zip, NULL, NULL, NULL);
	make_member(&made, "a", "1", 1);
	buf_text(&bytes, "GIF89a and more of a picture");
	buf_str(&bytes, make_end(&made));
	assert_true(archive_is(buf_view(&bytes)));
	seen = unpack(buf_view(&bytes), "x.gif", &limits, NULL, 0);
	assert_true(seen.good);
	assert_member(&seen, 0, "a", "1");
	arena_free(&seen.arena);
	buf_free(&bytes);
	made_free(&made);
}

/* Programs that look at the beginning show one, those that look at the end the other. */
static void test_zips_one_behind_the_other_are_all_read(void **state)
{
	struct made made[2];
	struct seen seen;
	struct buf bytes = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		make_begin(&made[i], archive_write_set_format_zip, NULL, NULL, NULL);
		make_member(&made[i], i ? "decoy" : "payload", i ? "2" : "1", 1);
		buf_str(&bytes, make_end(&made[i]));
		made_free(&made[i]);
	}
	seen = unpack(buf_view(&bytes), "x.zip", &limits, NULL, 0);
	if (!seen.good)
		fail_msg("%s", seen.err.text);
	assert_int_equal(seen.count, 2);
	assert_member(&seen, 0, "decoy", "2");
	assert_member(&seen, 1, "payload", "1");
	arena_free(&seen.arena);
	buf_free(&bytes);
}

static void test_the_passwords_of_analysts_open_it(void **state)
{
	static const char *const options[] = {
		"zip:encryption=traditional", "zip:encryption=aes128", "zip:encryption=aes256"};
	static const struct str passwords[] = {{"malware", 7}, {"virus", 5}, {"infected", 8}, {"sample", 6}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		struct made made;
		struct seen seen;
		struct str bytes;
		make_begin(&made, archive_write_set_format_zip, NULL, options[i], "infected");
		make_member(&made, "a.exe", "MZ first", 8);
		make_member(&made, "b.exe", "MZ second", 9);
		bytes = make_end(&made);
		seen = unpack(bytes, "x.zip", &limits, passwords, ARRAY_LEN(passwords));
		if (!seen.good)
			fail_msg("%s: %s", options[i], seen.err.text);
		assert_member(&seen, 0, "a.exe", "MZ first");
		assert_member(&seen, 1, "b.exe", "MZ second");
		assert_true(str_equal(seen.members[0].password, STR("infected")));
		arena_free(&seen.arena);
		seen = unpack(bytes, "x.zip", &limits, passwords, 2);
		assert_says(&seen, ERR_DENIED, "an encrypted zip archive: no password");
		assert_int_equal(seen.count, 0);
		arena_free(&seen.arena);
		made_free(&made);
	}
}

static void test_a_bomb_is_cut_by_ratio_size_and_total(void **state)
{
	size_t size = 70u << 20;
	char *zeros = mem_alloc(size);
	struct archive_limits dense = limits;
	struct made made;
	struct seen seen;
	struct str bytes;

	(void)state;
	make_begin(&made, archive_write_set_format_zip, NULL, NULL, NULL);
	make_member(&made, "zeros", zeros, size);
	bytes = make_end(&made);
	seen = unpack(bytes, "x.zip", &limits, NULL, 0);
	assert_says(&seen, ERR_NOSPACE, "too many times its size");
	assert_int_equal(seen.count, 1);
	assert_true(seen.members[0].cut);
	assert_int_equal(seen.members[0].bytes.len, bytes.len * limits.max_ratio);
	arena_free(&seen.arena);
	dense.max_ratio = 100000;
	seen = unpack(bytes, "x.zip", &dense, NULL, 0);
	assert_says(&seen, ERR_NOSPACE, "a member larger");
	assert_int_equal(seen.members[0].bytes.len, limits.max_member);
	arena_free(&seen.arena);
	dense.max_member = SIZE_MAX;
	seen = unpack(bytes, "x.zip", &dense, NULL, 0);
	assert_says(&seen, ERR_NOSPACE, "more bytes");
	assert_int_equal(seen.spent.total, limits.max_total);
	arena_free(&seen.arena);
	made_free(&made);
	free(zeros);
}

static void test_members_are_counted_folders_too(void **state)
{
	struct archive_limits few = limits;
	struct made made;
	struct seen seen;

	(void)state;
	few.max_count = 3;
	make_begin(&made, archive_write_set_format_ustar, NULL, NULL, NULL);
	for (int i = 0; i < 5; i++)
		make_member(&made, "f", "x", 1);
	seen = unpack(make_end(&made), "x.tar", &few, NULL, 0);
	assert_says(&seen, ERR_NOSPACE, "more members");
	assert_int_equal(seen.count, 3);
	arena_free(&seen.arena);
	made_free(&made);
}

static void test_the_caller_may_have_enough(void **state)
{
	struct seen seen = {.arena = arena_new(4096), .enough = 1};
	struct made made;

	(void)state;
	make_begin(&made, archive_write_set_format_zip, NULL, NULL, NULL);
	make_member(&made, "a", "1", 1);
	make_member(&made, "b", "2", 1);
	assert_true(archive_unpack(make_end(&made), STR("x"), &limits, &seen.spent, NULL, 0, seen.arena, take,
		&seen, &seen.err));
	assert_int_equal(seen.count, 1);
	arena_free(&seen.arena);
	made_free(&made);
}

static void test_damage_keeps_what_came_before(void **state)
{
	struct made made;
	struct seen seen;
	struct str bytes;

	(void)state;
	make_begin(&made, archive_write_set_format_ustar, NULL, NULL, NULL);
	make_member(&made, "a", "whole", 5);
	make_member(&made, "b", "cut off", 7);
	bytes = make_end(&made);
	bytes.len = 3 * 512 + 3;
	seen = unpack(bytes, "x.tar", &limits, NULL, 0);
	assert_says(&seen, ERR_MALFORMED, "a damaged tar archive");
	assert_member(&seen, 0, "a", "whole");
	arena_free(&seen.arena);
	made_free(&made);
}

/* Zip says that it is UTF-8, 7z has UTF-16: neither is lost, least of all how it ends. */
static void test_names_of_all_languages_are_kept(void **state)
{
	static int (*const formats[])(struct archive *) = {
		archive_write_set_format_zip, archive_write_set_format_7zip};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct made made;
		struct seen seen;
		make_begin(&made, formats[i], NULL, NULL, NULL);
		make_member(&made, "счёт.exe", "MZ", 2);
		make_member(&made, "資料/請求書.txt", "x", 1);
		seen = unpack(make_end(&made), "x", &limits, NULL, 0);
		assert_true(seen.good);
		assert_member(&seen, 0, "счёт.exe", "MZ");
		assert_member(&seen, 1, "資料/請求書.txt", "x");
		arena_free(&seen.arena);
		made_free(&made);
	}
}

/* Programs that mend archives show what stands behind each local header. */
static void test_a_zip_without_its_directory_is_read_from_the_front(void **state)
{
	struct made made;
	struct seen seen;
	struct str bytes;
	char *directory;

	(void)state;
	make_begin(&made, archive_write_set_format_zip, NULL, NULL, NULL);
	make_member(&made, "a.txt", "one", 3);
	make_member(&made, "b.txt", "two", 3);
	bytes = make_end(&made);
	directory = memmem(made.space, bytes.len, "PK\001\002", 4);
	assert_non_null(directory);
	directory[3] = 9;
	seen = unpack(bytes, "x.zip", &limits, NULL, 0);
	assert_says(&seen, ERR_MALFORMED, "a damaged zip archive");
	assert_member(&seen, 0, "a.txt", "one");
	assert_member(&seen, 1, "b.txt", "two");
	arena_free(&seen.arena);
	made_free(&made);
}

/* Blocks of zeros end a tar: what begins with them is not an empty one. */
static void test_zeros_in_front_hide_nothing(void **state)
{
	static const char image[2048 + 8] = {[2048] = 'p', 'a', 'y', 'l', 'o', 'a', 'd'};
	struct made made;
	struct seen seen;

	(void)state;
	make_begin(&made, archive_write_set_format_raw, archive_write_add_filter_gzip, NULL, NULL);
	make_member(&made, "any", image, sizeof(image));
	seen = unpack(make_end(&made), "disk.img.gz", &limits, NULL, 0);
	assert_true(seen.good);
	assert_int_equal(seen.count, 1);
	assert_true(str_equal(seen.members[0].name, STR("disk.img")));
	assert_int_equal(seen.members[0].bytes.len, sizeof(image));
	arena_free(&seen.arena);
	made_free(&made);
}

/* Four bytes LRZI make libarchive start a program, mtree opens files: neither is known here. */
static void test_trap_28_no_program_and_no_file_is_asked_for(void **state)
{
	static const struct str inputs[] = {
		{"LRZI\0\6aaaaaaaaaaaaaaaaaaaa", 26},
		{"GRZipII\0\2\4:)aaaaaaaaaaa", 23},
		{"\211LZO\0\r\n\032\naaaaaaaaaaaaaaaa", 25},
		{"#mtree\n./a contents=/etc/passwd size=10 type=file\n", 50},
		{"xar!\0\034\0\1aaaaaaaaaaaaaaaaaaaaaaaa", 32},
		{"begin 644 a\n#86)C\n`\nend\n", 24},
		{"plain text", 10},
		{"", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		struct seen seen;
		assert_false(archive_is(inputs[i]));
		seen = unpack(inputs[i], "x", &limits, NULL, 0);
		assert_says(&seen, ERR_MALFORMED, "not an archive");
		arena_free(&seen.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_named_format_is_read),
		cmocka_unit_test(test_formats_that_are_only_read),
		cmocka_unit_test(test_a_compressed_file_is_named_after_its_archive),
		cmocka_unit_test(test_names_are_labels_and_lead_nowhere),
		cmocka_unit_test(test_zip_slip_is_harmless),
		cmocka_unit_test(test_a_zip_behind_something_else_is_read),
		cmocka_unit_test(test_zips_one_behind_the_other_are_all_read),
		cmocka_unit_test(test_the_passwords_of_analysts_open_it),
		cmocka_unit_test(test_a_bomb_is_cut_by_ratio_size_and_total),
		cmocka_unit_test(test_members_are_counted_folders_too),
		cmocka_unit_test(test_the_caller_may_have_enough),
		cmocka_unit_test(test_damage_keeps_what_came_before),
		cmocka_unit_test(test_names_of_all_languages_are_kept),
		cmocka_unit_test(test_a_zip_without_its_directory_is_read_from_the_front),
		cmocka_unit_test(test_zeros_in_front_hide_nothing),
		cmocka_unit_test(test_trap_28_no_program_and_no_file_is_asked_for),
	};

	assert_true(archive_begin());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
