#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "client/args.h"
#include "client/topic.h"

#define ARGV_MAX 16

/* Parse a command line whose words are parted by blanks; '_' stands for a blank inside a word. */
static enum args_outcome parse(const char *line, struct invocation *invocation, struct buf *complaint)
{
	char *argv[ARGV_MAX] = {NULL}, *words = mem_strdup(line), *save = NULL;
	int argc = 0;

	for (char *word = strtok_r(words, " ", &save); word && argc < ARGV_MAX;
		word = strtok_r(NULL, " ", &save)) {
		for (char *p = word; *p; p++)
			*p = *p == '_' ? ' ' : *p;
		argv[argc++] = word;
	}
	enum args_outcome outcome = args_parse(argc, argv, invocation, complaint);
	/* What the invocation keeps of argv must outlive this function. */
	if (invocation->noun)
		invocation->noun = invocation->verb ? invocation->verb->noun : "";
	free(words);
	return outcome;
}

static void wrong(const char *line, const char *says)
{
	struct invocation invocation;
	struct buf complaint = {0};

	assert_int_equal(parse(line, &invocation, &complaint), ARGS_WRONG);
	if (!strstr(buf_cstr(&complaint), says))
		fail_msg("`%s` says: %s", line, buf_cstr(&complaint));
	buf_free(&complaint);
	args_free(&invocation);
}

static void right(const char *line, const char *params)
{
	struct invocation invocation;
	struct buf complaint = {0};

	if (parse(line, &invocation, &complaint) != ARGS_RUN)
		fail_msg("`%s`: %s", line, buf_cstr(&complaint));
	assert_string_equal(
		json_object_to_json_string_ext(invocation.params, JSON_C_TO_STRING_PLAIN), params);
	buf_free(&complaint);
	args_free(&invocation);
}

static void test_arguments_and_options_become_params(void **state)
{
	(void)state;
	right("cirt report list --limit 5 --source=sensor-1", "{\"limit\":5,\"source\":\"sensor-1\"}");
	right("cirt case note 2026-1 called_them back",
		"{\"number\":\"2026-1\",\"text\":[\"called them\",\"back\"]}");
	right("cirt --json case split 3 202611-1 202611-2",
		"{\"number\":\"3\",\"report\":[\"202611-1\",\"202611-2\"]}");
	right("cirt case split 3", "{\"number\":\"3\"}");
	right("cirt source add x --kind sensor --max-lines 10 --restricted",
		"{\"name\":\"x\",\"kind\":\"sensor\",\"max_lines\":10,\"restricted\":true}");
	right("cirt case note 1 -- --dashes", "{\"number\":\"1\",\"text\":[\"--dashes\"]}");
	right("cirt submit a.eml -", "{\"file\":[\"a.eml\",\"-\"]}");
}

static void test_global_options_stand_anywhere(void **state)
{
	struct invocation invocation;
	struct buf complaint = {0};

	(void)state;
	assert_int_equal(parse("cirt --socket /x status --json", &invocation, &complaint), ARGS_RUN);
	assert_true(invocation.json);
	assert_non_null(invocation.place.socket);
	args_free(&invocation);
	assert_int_equal(parse("cirt case show --help", &invocation, &complaint), ARGS_RUN);
	assert_true(invocation.help);
	args_free(&invocation);
	assert_int_equal(parse("cirt", &invocation, &complaint), ARGS_RUN);
	assert_null(invocation.verb);
	args_free(&invocation);
	buf_free(&complaint);
}

static void test_mistyped_words_are_told_the_right_one(void **state)
{
	(void)state;
	wrong("cirt cas list", "did you mean \"case\"");
	wrong("cirt satus", "did you mean \"status\"");
	wrong("cirt case lst", "did you mean \"list\"");
	wrong("cirt case lst", "cirt case can: list, show");
	wrong("cirt list", " list\"");
	wrong("cirt report list --limt 5", "did you mean \"--limit\"");
	wrong("cirt report list -limit 5", "did you mean \"--limit\"");
	wrong("cirt frobnicate", "`cirt help` lists");
}

static void test_what_is_missing_or_too_much_is_named(void **state)
{
	(void)state;
	wrong("cirt case show", "NUMBER is missing");
	wrong("cirt case show", "for example: cirt case show");
	wrong("cirt case note 1", "TEXT... is missing");
	wrong("cirt case show 1 2", "one argument too many: \"2\"");
	wrong("cirt report list --limit", "--limit needs a value");
	wrong("cirt report list --limit many", "a whole number");
	wrong("cirt report list --since whenever", "2026-11-22");
	wrong("cirt report show 1 --why=yes", "takes no value");
	wrong("cirt --socket", "--socket needs a value");
}

static void test_distance_counts_mistakes(void **state)
{
	(void)state;
	assert_int_equal(args_distance(STR("list"), STR("list"), 3), 0);
	assert_int_equal(args_distance(STR("lst"), STR("list"), 3), 1);
	assert_int_equal(args_distance(STR("lsit"), STR("list"), 3), 1);
	assert_int_equal(args_distance(STR("report"), STR("case"), 3), 4);
	assert_int_equal(args_distance(STR(""), STR("ab"), 3), 2);
}

/* Words of a command as a shell takes them apart: "…" holds blanks. */
static int shell_words(char *line, char **argv)
{
	int argc = 0;

	while (*line && argc < ARGV_MAX * 2) {
		bool quoted = *line == '"';
		argv[argc++] = line += quoted;
		line += strcspn(line, quoted ? "\"" : " ");
		if (*line)
			*line++ = 0;
		line += strspn(line, " ");
	}
	return argc;
}

/* What help by situation tells people to type is what there is. */
static void test_commands_of_topics_are_right(void **state)
{
	(void)state;
	for (const struct topic *topic = topics; topic->words; topic++) {
		for (const struct topic_step *step = topic->steps; step->command; step++) {
			char *argv[ARGV_MAX * 2] = {NULL}, *line = mem_strdup(step->command);
			struct invocation invocation;
			struct buf complaint = {0};
			int argc = shell_words(line, argv);
			if (args_parse(argc, argv, &invocation, &complaint) != ARGS_RUN || !invocation.verb)
				fail_msg("%s: %s", step->command, buf_cstr(&complaint));
			/* A time as people say it is one of theirs: the desk is asked for a moment. */
			struct json_object *until = json_object_object_get(invocation.params, "until");
			assert_true(!until || strchr(json_object_get_string(until), 'T'));
			args_free(&invocation);
			buf_free(&complaint);
			free(line);
		}
	}
}

/* The table itself: what parser, help and desk build on. */
static void test_verb_table_is_complete(void **state)
{
	static const char *const expected[] = {"status", "ledger", "source list", "source show", "source add",
		"source disable", "report list", "report show", "report search", "report unfold", "case list",
		"case show", "case take", "case note", "case move", "case merge", "case split", "case close",
		"quarantine list", "quarantine show", "quarantine release", "quarantine discard",
		"org domains", "evidence get", "receipt", "rules list", "rules check", "rules reload",
		"plugin list", "submit", "watch", "audit verify", "version", "help"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		struct str rest = str_of(expected[i]), noun, verb = STR("");
		assert_true(str_split(&rest, ' ', &noun));
		if (rest.p)
			verb = rest;
		if (!verb_find(noun, verb))
			fail_msg("no row for %s", expected[i]);
	}
}

static void test_verb_table_is_sound(void **state)
{
	(void)state;
	for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb)) {
		assert_non_null(verb->options);
		assert_true(strlen(verb->summary) > 0 && !strchr(verb->summary, '\n'));
		assert_true(str_starts(str_of(verb->example), STR("cirt ")));
		assert_true(strstr(verb->example, verb->noun) != NULL);
		assert_ptr_equal(verb_find(str_of(verb->noun), str_of(verb->verb)), verb);
		if (verb->changes)
			assert_true(verb->role >= ROLE_TRAINEE);
		for (const struct verb_option *option = verb->options; option->name; option++) {
			char member[ARGS_MEMBER];
			assert_true(strlen(option->help) > 0);
			assert_true(
				strlen(args_member(str_of(option->name), member)) == strlen(option->name));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments_and_options_become_params),
		cmocka_unit_test(test_global_options_stand_anywhere),
		cmocka_unit_test(test_mistyped_words_are_told_the_right_one),
		cmocka_unit_test(test_what_is_missing_or_too_much_is_named),
		cmocka_unit_test(test_distance_counts_mistakes),
		cmocka_unit_test(test_commands_of_topics_are_right),
		cmocka_unit_test(test_verb_table_is_complete),
		cmocka_unit_test(test_verb_table_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
