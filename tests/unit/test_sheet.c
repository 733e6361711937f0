#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "model/calendar.h"
#include "model/playbook.h"
#include "model/regime.h"

typedef struct json_object *reader_fn(struct str bytes, int *line, struct buf *fault);

#define HEAD  "title = A law\n"
#define STAGE "[stage first]\ntitle = first word\nfrom = aware\nwithin = 24 hours\n"
#define TASK  "[task]\ntext = call\n"

/* What the reader expected, and where. */
static void refuses(reader_fn *read, const char *text, int wanted_line, const char *wanted)
{
	struct buf fault = {0};
	int line = 0;
	struct json_object *got = read(str_of(text), &line, &fault);

	if (got)
		fail_msg("taken: %s", text);
	if (!strstr(buf_cstr(&fault), wanted) || line != wanted_line)
		fail_msg("line %d, not %d: \"%s\", not \"%s\" of: %s", line, wanted_line, buf_cstr(&fault),
			wanted, text);
	buf_free(&fault);
}

static struct json_object *takes(reader_fn *read, const char *text)
{
	struct buf fault = {0};
	int line = 0;
	struct json_object *got = read(str_of(text), &line, &fault);

	if (!got)
		fail_msg("line %d: %s", line, buf_cstr(&fault));
	buf_free(&fault);
	return got;
}

static void test_a_regime_is_read_with_its_stages(void **state)
{
	struct json_object *regime =
		takes(regime_read, "# a comment\n\n title = A = B \nlaw = Art. 23\r\nseverity = high\n"
				   "kinds = bank, Hospital\ntypes=phishing\n" STAGE
				   "answer = 24 h\nwarn = 6 hours\n[stage last]\ntitle = last\nfrom = "
				   "first\nwithin = 1 month\n");

	(void)state;
	assert_string_equal(json_object_to_json_string_ext(regime, JSON_C_TO_STRING_PLAIN),
		"{\"conditions\":{\"severity\":60,\"kinds\":[\"bank\",\"hospital\"],\"types\":[\"phishing\"]}"
		",\"stages\":["
		"{\"line\":8,\"stage\":\"first\",\"title\":\"first word\",\"from\":\"aware\",\"within\":\"24 "
		"hours\","
		"\"answer\":\"24 h\",\"warn\":\"6 hours\"},"
		"{\"line\":14,\"stage\":\"last\",\"title\":\"last\",\"from\":\"first\",\"within\":\"1 "
		"month\"}],"
		"\"title\":\"A = B\",\"law\":\"Art. 23\"}");
	json_object_put(regime);
}

static void test_a_mistyped_regime_is_refused_with_its_line(void **state)
{
	(void)state;
	refuses(regime_read, "", 1, "\"title = …\" was expected before any section");
	refuses(regime_read, HEAD, 1, "at least one [stage NAME]");
	refuses(regime_read, HEAD "wrong = x\n" STAGE, 2, "one of title law types");
	refuses(regime_read, HEAD "title = again\n" STAGE, 2, "title is said twice");
	refuses(regime_read, HEAD "law\n" STAGE, 2, "\"key = value\" or \"[section]\" was expected");
	refuses(regime_read, HEAD "law =\n" STAGE, 2, "a value");
	refuses(regime_read, HEAD "[stage first\n", 2, "\"[section]\"");
	refuses(regime_read, HEAD "[stage]\n", 2, "a section with a name");
	refuses(regime_read, HEAD "[phase one]\n", 2, "one of [stage]");
	refuses(regime_read, HEAD "[stage One]\ntitle = x\nfrom = aware\nwithin = 1 h\n", 2,
		"a stage's name");
	refuses(regime_read, HEAD "[stage one]\ntitle = x\nfrom = aware\n", 2,
		"\"within = …\" was expected in this section");
	refuses(regime_read, HEAD "[stage one]\ntitle = x\n" STAGE, 2, "\"from = …\"");
	refuses(regime_read, HEAD STAGE STAGE, 6, "a name of its own");
	refuses(regime_read, HEAD "[stage one]\ntitle = x\nfrom = two\nwithin = 1 h\n", 2,
		"a stage before this one");
	refuses(regime_read, HEAD STAGE "whose = ours\nanswer = 1 h\n", 2, "a stage of theirs only");
	refuses(regime_read, HEAD "types = fishing\n" STAGE, 2, "an RSIT type");
	refuses(regime_read, HEAD "classes = phishing\n" STAGE, 2, "an RSIT class");
	refuses(regime_read, HEAD "kinds = bank, florist\n" STAGE, 2, "hospital");
	refuses(regime_read, HEAD "severity = 80\n" STAGE, 2, "info, low, medium, high or critical");
	refuses(regime_read, HEAD "tags = a,,b\n" STAGE, 2, "commas between them");
	refuses(regime_read, HEAD STAGE "law = x\n", 6, "one of title whose from");
	refuses(regime_read, "title = \xff\n" STAGE, 1, "text in UTF-8");
}

static void test_times_are_those_that_can_be_counted(void **state)
{
	static const char *const wrong[] = {"soon", "0 hours", "-1 hours", "1.5 h", "4 business hours",
		"9999999 h", "24", "hours", "1 fortnight", "24 hours later"};
	static const char *const right[] = {"1 h", "90m", "24 hours", "3 days", "2 w", "1 month", "1 year"};
	char text[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		snprintf(text, sizeof(text), HEAD "[stage s]\ntitle = x\nfrom = aware\nwithin = %s\n",
			wrong[i]);
		refuses(regime_read, text, 5, "a time such as");
	}
	for (size_t i = 0; i < ARRAY_LEN(right); i++) {
		snprintf(text, sizeof(text), HEAD "[stage s]\ntitle = x\nfrom = aware\nwithin = %s\n",
			right[i]);
		json_object_put(takes(regime_read, text));
	}
	json_object_put(takes(playbook_read, HEAD "[clock]\nwhat = x\nwithin = 4 business hours\n"));
	refuses(playbook_read, HEAD "[clock]\nwhat = x\nwithin = 4 business days\n", 4, "business hours");
}

static void test_a_playbook_is_read_with_all_that_it_adds(void **state)
{
	struct json_object *playbook = takes(playbook_read,
		HEAD "tags = ransomware\n" TASK "due = 30 minutes\nassignee = owner\n" TASK
		     "[clock]\nwhat = w\nwithin = 1 h\nends = mailed\n[filing NIS]\nstage = "
		     "early-warning\nreceipt = by-hand\n");

	(void)state;
	assert_string_equal(json_object_to_json_string_ext(playbook, JSON_C_TO_STRING_PLAIN),
		"{\"conditions\":{\"tags\":[\"ransomware\"]},\"tasks\":[{\"line\":3,\"text\":\"call\","
		"\"due\":\"30 minutes\","
		"\"assignee\":\"owner\"},{\"line\":7,\"text\":\"call\"}],\"clocks\":[{\"line\":9,\"what\":"
		"\"w\",\"within\":\"1 h\","
		"\"ends\":\"mailed\"}],\"filings\":[{\"line\":13,\"regime\":\"NIS\",\"stage\":\"early-"
		"warning\","
		"\"receipt\":\"by-hand\"}],\"title\":\"A law\"}");
	json_object_put(playbook);
	refuses(playbook_read, HEAD, 1, "at least one [task]");
	refuses(playbook_read, HEAD "[task one]\n", 2, "a section without a name");
	refuses(playbook_read, HEAD TASK "when = now\n", 4, "one of text due assignee");
	refuses(playbook_read, HEAD "[filing]\n", 2, "a section with a name");
	refuses(playbook_read, HEAD "[filing NIS]\nstage = early-warning\nreceipt = sometimes\n", 4,
		"by-hand never");
}

static void test_files_that_never_end_are_cut_off(void **state)
{
	struct buf text = {0};
	struct buf fault = {0};
	int line = 0;

	(void)state;
	buf_text(&text, HEAD);
	for (int i = 0; i < 201; i++)
		buf_text(&text, TASK);
	refuses(playbook_read, buf_cstr(&text), 402, "at most 200 sections");
	while (text.len <= SHEET_SIZE)
		buf_text(&text, "# and so on\n");
	refuses(playbook_read, buf_cstr(&text), 1, "a file of at most 256 KB");
	assert_null(regime_read((struct str){"title = x\n\0y\n", 13}, &line, &fault));
	assert_int_equal(line, 2);
	buf_clear(&text);
	buf_text(&text, "title = ");
	for (int i = 0; i < 1000; i++)
		buf_char(&text, 'x');
	refuses(playbook_read, buf_cstr(&text), 1, "up to 1000 bytes");
	buf_free(&text);
	buf_free(&fault);
}

static void hours_are(const char *text, const char *wanted)
{
	struct json_object *hours = json_object_new_array();
	struct buf fault = {0};

	assert_int_equal(calendar_hours_read(str_of(text), hours, &fault), wanted != NULL);
	if (wanted)
		assert_string_equal(json_object_to_json_string_ext(hours, JSON_C_TO_STRING_PLAIN), wanted);
	else
		assert_non_null(strstr(buf_cstr(&fault), "Mon-Thu 08:00-17:00"));
	json_object_put(hours);
	buf_free(&fault);
}

static void test_business_hours(void **state)
{
	static const char *const wrong[] = {"", "Mon", "Mon-Fri", "Mon-Fri 9-17", "Fri-Mon 09:00-17:00",
		"Mon 17:00-09:00", "Mon 09:00-24:01", "Mon 09:00-12:00, Mon 11:00-13:00", "Mon 09:00-17:00,",
		"Mun 09:00-17:00", "Mon 09:00-09:00", "Mon 09:00 17:00"};

	(void)state;
	hours_are("Mon-Tue 09:00-17:00", "[{\"day\":1,\"opens\":\"09:00\",\"closes\":\"17:00\"},"
					 "{\"day\":2,\"opens\":\"09:00\",\"closes\":\"17:00\"}]");
	hours_are("sun 00:00-24:00", "[{\"day\":7,\"opens\":\"00:00\",\"closes\":\"24:00\"}]");
	hours_are("Fri 08:00-12:00, Fri 13:00-14:30",
		"[{\"day\":5,\"opens\":\"08:00\",\"closes\":\"12:00\"},"
		"{\"day\":5,\"opens\":\"13:00\",\"closes\":\"14:30\"}]");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		hours_are(wrong[i], NULL);
}

static void test_holidays(void **state)
{
	static const char *const wrong[] = {"2026-02-29", "2027-02-30 x", "13-01", "02-30", "2026-2-1",
		"Christmas", "2026-12-25x", "2100-02-29", "00-10", "12/25"};
	struct json_object *days = json_object_new_array();
	struct buf fault = {0};
	int line;

	(void)state;
	assert_true(calendar_holidays_read(
		STR("# ours\n\n2026-12-25 Christmas Day\n12-26\r\n2028-02-29\n02-29 leap\n"), days, &line,
		&fault));
	assert_string_equal(json_object_to_json_string_ext(days, JSON_C_TO_STRING_PLAIN),
		"[{\"day\":\"2026-12-25\",\"name\":\"Christmas Day\"},{\"day\":\"12-26\",\"name\":\"\"},"
		"{\"day\":\"2028-02-29\",\"name\":\"\"},{\"day\":\"02-29\",\"name\":\"leap\"}]");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char text[60];
		snprintf(text, sizeof(text), "12-24\n%s\n", wrong[i]);
		if (calendar_holidays_read(str_of(text), days, &line, &fault))
			fail_msg("\"%s\" was taken for a day", wrong[i]);
		assert_int_equal(line, 2);
	}
	json_object_put(days);
	buf_free(&fault);
}

/* What is shipped can be read. */
static void test_files_that_are_shipped(void **state)
{
	static const struct {
		const char *path;
		reader_fn *read;
	} files[] = {{"etc/regimes/NIS.conf", regime_read},
		{"etc/playbooks/compromised-account.conf", playbook_read},
		{"etc/playbooks/phishing-bank.conf", playbook_read},
		{"etc/playbooks/ransomware-hospital.conf", playbook_read},
		{"etc/playbooks/ransomware.conf", playbook_read},
		{"etc/playbooks/website-defacement.conf", playbook_read}};
	const char *top = getenv("top_srcdir") ? getenv("top_srcdir") : ".";
	struct json_object *days = json_object_new_array();
	struct buf bytes = {0}, fault = {0};
	char path[4096];
	struct err err;
	int line;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", top, files[i].path);
		buf_clear(&bytes);
		assert_true(file_read(path, SHEET_SIZE, &bytes, &err));
		json_object_put(takes(files[i].read, buf_cstr(&bytes)));
	}
	snprintf(path, sizeof(path), "%s/etc/holidays.example", top);
	buf_clear(&bytes);
	assert_true(file_read(path, SHEET_SIZE, &bytes, &err));
	assert_true(calendar_holidays_read(buf_view(&bytes), days, &line, &fault));
	json_object_put(days);
	buf_free(&bytes);
	buf_free(&fault);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_regime_is_read_with_its_stages),
		cmocka_unit_test(test_a_mistyped_regime_is_refused_with_its_line),
		cmocka_unit_test(test_times_are_those_that_can_be_counted),
		cmocka_unit_test(test_a_playbook_is_read_with_all_that_it_adds),
		cmocka_unit_test(test_files_that_never_end_are_cut_off),
		cmocka_unit_test(test_business_hours),
		cmocka_unit_test(test_holidays),
		cmocka_unit_test(test_files_that_are_shipped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
