#include "unit.h"

#include <stdio.h>

#include "base/mem.h"
#include "wire/mbox.h"

#define FROM1 "From a@b.example Mon Nov 23 08:00:00 2026\n"
#define FROM2 "From - Tue Nov 24 08:00:00 +0100 2026\n"

static void assert_mails(const char *text, size_t count, const char *const *mails)
{
	struct mbox mbox = {.bytes = str_of(text)};
	struct buf space = {0};
	struct str mail;
	size_t found = 0;

	while (mbox_next(&mbox, &space, &mail)) {
		if (found < count && !str_equal(mail, str_of(mails[found])))
			fail_msg("mail %zu is \"" STR_FMT "\", expected \"%s\"", found, STR_ARG(mail),
				mails[found]);
		found++;
	}
	assert_int_equal(found, count);
	buf_free(&space);
}

#define EXPECT(text, ...)                                                    \
	do {                                                                 \
		static const char *const mails[] = {__VA_ARGS__};            \
		assert_mails(text, sizeof(mails) / sizeof(mails[0]), mails); \
	} while (0)

static void test_mails_are_cut_at_their_lines(void **state)
{
	(void)state;
	EXPECT(FROM1 "Subject: 1\n\none\n\n" FROM2 "Subject: 2\n\ntwo\n", "Subject: 1\n\none\n",
		"Subject: 2\n\ntwo\n");
	EXPECT(FROM1 "Subject: 1\r\n\r\none\r\n\r\n" FROM2 "Subject: 2\r\n\r\n\r\n",
		"Subject: 1\r\n\r\none\r\n", "Subject: 2\r\n\r\n");
	/* A mail without a body, one without a last line end, and nothing but a line. */
	EXPECT(FROM1 "Subject: 1\n\n" FROM2 "Subject: 2\n\ntwo", "Subject: 1\n\n", "Subject: 2\n\ntwo");
	EXPECT(FROM1, "");
	EXPECT("From a@b Mon\nSubject: 1\n\none\n\nFrom a@b Mon\nSubject: 2\n\n", "Subject: 1\n\none\n",
		"Subject: 2\n\n");
}

static void test_sentences_begin_no_mail(void **state)
{
	(void)state;
	EXPECT(FROM1 "Subject: 1\n\nHello\n\nFrom here on: all is well\n\nFrom Monday on we rest\nRegards: "
		     "me\n\n" FROM2 "Subject: 2\n\n",
		"Subject: 1\n\nHello\n\nFrom here on: all is well\n\nFrom Monday on we rest\nRegards: me\n",
		"Subject: 2\n\n");
	/* No empty line in front and not all of it, or no header behind. */
	EXPECT(FROM1 "Subject: 1\n\none\nFrom a@b Mon\nSubject: 2\n\n" FROM1 "no header\n",
		"Subject: 1\n\none\nFrom a@b Mon\nSubject: 2\n\n" FROM1 "no header\n");
}

static void test_no_empty_line_in_front(void **state)
{
	(void)state;
	EXPECT(FROM1 "Subject: 1\n\none\n" FROM2 "Subject: 2\n\ntwo\n", "Subject: 1\n\none\n",
		"Subject: 2\n\ntwo\n");
	/* Behind a mail that has no body, not even the empty line. */
	EXPECT(FROM1 "Subject: 1\n" FROM2 "Subject: 2\n\ntwo\n", "Subject: 1\n", "Subject: 2\n\ntwo\n");
	/* A counted body holds such lines. */
	EXPECT(FROM1 "Content-Length: 58\n\none\n" FROM2 "Subject: 2\n\ntwo\n\n" FROM1 "Subject: 3\n\n",
		"Content-Length: 58\n\none\n" FROM2 "Subject: 2\n\ntwo\n", "Subject: 3\n\n");
}

/* A byte order mark, empty lines: what programs leave in front of the first mail. */
static void test_what_stands_in_front(void **state)
{
	(void)state;
	static const char *const leads[] = {"\n", "\r\n\r\n", "\xef\xbb\xbf", "\xef\xbb\xbf\n\n"};
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		char text[200];
		static const char *const mails[] = {"Subject: 1\n\none\n", "Subject: 2\n\n"};
		snprintf(text, sizeof(text), "%s%s", leads[i],
			FROM1 "Subject: 1\n\none\n\n" FROM2 "Subject: 2\n\n");
		assert_true(mbox_guess(str_of(text)));
		assert_mails(text, 2, mails);
	}
	assert_false(mbox_guess(STR("\xef\xbb\xbfSubject: From \n\n")));
	assert_false(mbox_guess(STR("\n\n")));
	assert_false(mbox_guess(STR("\xef\xbb\xbf")));
	assert_false(mbox_guess(STR("")));
}

static void test_quoted_lines(void **state)
{
	(void)state;
	EXPECT(FROM1
		"Subject: >From me\n>From x: y\n\n>From one\n>>From two\n> From three\nx >From four\n\n" FROM2
		"A: b\n\n",
		"Subject: >From me\n>From x: y\n\nFrom one\n>From two\n> From three\nx >From four\n",
		"A: b\n\n");
}

static void test_content_length(void **state)
{
	(void)state;
	/* mboxcl2: what looks like the beginning of a mail is inside, and is not quoted. */
	EXPECT(FROM1 "Content-Length: 64\n\n" FROM2 "A: inside\n\n>From here\nend\n\n" FROM2 "B: 2\n\n",
		"Content-Length: 64\n\n" FROM2 "A: inside\n\n>From here\nend\n", "B: 2\n\n");
	/* mboxcl: counted and quoted. */
	EXPECT(FROM1 "content-length: 11\n\n>From here\n\n" FROM2 "B: 2\n\n",
		"content-length: 11\n\nFrom here\n", "B: 2\n\n");
	/* A lie: too long, too short, no number. */
	EXPECT(FROM1 "Content-Length: 99999999999999999999\n\none\n\n" FROM2 "B: 2\n\n",
		"Content-Length: 99999999999999999999\n\none\n", "B: 2\n\n");
	EXPECT(FROM1 "Content-Length: 2\n\none\n\n" FROM2 "B: 2\n\n", "Content-Length: 2\n\none\n",
		"B: 2\n\n");
	EXPECT(FROM1 "Content-Length: 1000\n\none\n\n" FROM2 "B: 2\n\n", "Content-Length: 1000\n\none\n",
		"B: 2\n\n");
	EXPECT(FROM1 "Content-Length: x\n\none\n\n" FROM2 "B: 2\n\n", "Content-Length: x\n\none\n",
		"B: 2\n\n");
}

/* From every end of a mail on, the rest is cut as before: that is what resuming needs. */
static void test_trap_01_an_offset_says_where_to_go_on(void **state)
{
	struct buf text = {0}, space = {0}, other = {0};
	uint64_t seed = 7;

	(void)state;
	for (int i = 0; i < 200; i++) {
		buf_printf(&text, FROM1 "Subject: %d\n%s\n", i,
			chance_below(&seed, 3) == 0 ? "Content-Length: 12\n" : "");
		for (size_t n = chance_below(&seed, 6); n > 0; n--)
			buf_text(&text,
				chance_below(&seed, 2) ? "\n>From x\n" : "From y Mon Nov 23 08:00:00 2026\n");
		buf_text(&text, "\n");
	}
	struct mbox mbox = {.bytes = buf_view(&text)};
	struct str mail, again;
	size_t count = 0, last = 0;
	while (mbox_next(&mbox, &space, &mail)) {
		struct mbox resumed = {.bytes = buf_view(&text), .offset = last};
		assert_true(mbox_next(&resumed, &other, &again));
		assert_int_equal(resumed.offset, mbox.offset);
		assert_true(str_equal(mail, again));
		assert_true(mbox.offset > last);
		last = mbox.offset;
		count++;
	}
	assert_int_equal(last, text.len);
	assert_true(count >= 150);
	buf_free(&text);
	buf_free(&space);
	buf_free(&other);
}

/* A hundred thousand mails, and one of 20 MB: each byte is looked at a few times only. */
static void test_large(void **state)
{
	struct buf text = {0}, space = {0};
	struct str mail;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_printf(&text, FROM1 "Subject: %d\n\nx\n\n", i);
	buf_text(&text, FROM1 "Subject: large\n\n");
	for (int i = 0; i < 400000; i++)
		buf_text(&text, "From now on this line is one of very many in it.\n\n");
	struct mbox mbox = {.bytes = buf_view(&text)};
	while (mbox_next(&mbox, &space, &mail))
		count++;
	assert_int_equal(count, 100001);
	assert_true(mail.len > 20000000);
	buf_free(&text);
	buf_free(&space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mails_are_cut_at_their_lines),
		cmocka_unit_test(test_sentences_begin_no_mail),
		cmocka_unit_test(test_no_empty_line_in_front),
		cmocka_unit_test(test_what_stands_in_front),
		cmocka_unit_test(test_quoted_lines),
		cmocka_unit_test(test_content_length),
		cmocka_unit_test(test_trap_01_an_offset_says_where_to_go_on),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests_name("mbox", tests, NULL, NULL);
}
