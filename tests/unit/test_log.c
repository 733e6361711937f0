#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

/* What a call wrote to stderr. */
static struct str caught(void (*speak)(void))
{
	static char text[16384];
	int ends[2], kept = dup(STDERR_FILENO);
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	speak();
	dup2(kept, STDERR_FILENO);
	close(kept);
	ssize_t len = read(ends[0], text, sizeof(text));
	close(ends[0]);
	return (struct str){text, len > 0 ? (size_t)len : 0};
}

static void assert_says(struct str line, const char *expected)
{
	if (!memmem(line.p, line.len, expected, strlen(expected)))
		fail_msg("\"%s\" is not in: %.*s", expected, (int)line.len, line.p);
}

static void speak_hostile(void)
{
	log_warn_f(LOG_F({"source", "a b\"c"}, {"left_out", NULL}, {"peer", "198.51.100.7"}, {"empty", ""}),
		"mail from %s", "\x1b]0;owned\x07\n2026 error \xff \xe2\x80\xae");
}

static void test_one_line_that_steers_nothing(void **state)
{
	(void)state;
	log_open("intake");
	struct str line = caught(speak_hostile);
	assert_says(line, " warn intake[");
	assert_says(line,
		"]: mail from \\x1b]0;owned\\x07\\n2026 error \xef\xbf\xbd \\u202e source=\"a b\\\"c\" "
		"peer=198.51.100.7 empty=\"\"\n");
	for (size_t i = 0; i + 1 < line.len; i++)
		assert_true((unsigned char)line.p[i] >= ' ');
}

static void speak_quietly(void)
{
	log_info("not said");
	log_error("said");
}

static void speak_long(void)
{
	char text[5000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error("%s", text);
}

static void test_levels_and_limits(void **state)
{
	enum log_level level;
	unsigned long before = log_count(LOG_LEVEL_ERROR);
	(void)state;
	assert_true(log_level_parse("error", &level));
	assert_false(log_level_parse("loud", &level));
	log_set_level(level);
	struct str line = caught(speak_quietly);
	assert_says(line, "]: said\n");
	assert_null(memmem(line.p, line.len, "not said", 8));
	assert_int_equal(log_count(LOG_LEVEL_ERROR), before + 1);
	assert_false(log_enabled(LOG_LEVEL_INFO));
	line = caught(speak_long);
	assert_says(line, "xxx...\n");
	assert_true(line.len < 2200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_line_that_steers_nothing),
		cmocka_unit_test(test_levels_and_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
