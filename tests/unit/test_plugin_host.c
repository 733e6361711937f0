#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cirt_plugin.h"
#include "triage/item_limit.h"
#include "triage/plugin_host.h"

/* Modules as they are built: the sample, and the two that do harm. */

static char folder[1024];

static struct conf conf_for(const char *name)
{
	struct conf conf = {0};

	conf.plugin_dir = str_of(folder);
	conf.plugins.values[0] = str_of(name);
	conf.plugins.count = 1;
	return conf;
}

static void option(struct conf *conf, const char *plugin, const char *name, const char *value)
{
	conf->plugin_options[conf->plugin_option_count++] =
		(struct conf_plugin_option){str_of(plugin), str_of(name), str_of(value), 0};
}

static void assert_refused(struct conf *conf, const char *reason)
{
	struct plugin_host *host = plugin_host_load(conf, NULL, NULL);
	struct buf json = {0};
	struct json_object *object;

	assert_int_equal(plugin_host_count(host), 0);
	buf_text(&json, "{\"a\":1");
	plugin_host_describe(host, &json);
	buf_char(&json, '}');
	object = json_tokener_parse(buf_cstr(&json));
	assert_non_null(object);
	assert_int_equal(json_object_array_length(
				 json_object_object_get(json_object_object_get(object, "plugins"), "items")),
		1);
	json_object_put(object);
	if (!strstr(buf_cstr(&json), reason))
		fail_msg("expected \"%s\" in %s", reason, buf_cstr(&json));
	buf_free(&json);
	plugin_host_free(&host);
}

static void test_what_cannot_be_used_is_refused(void **state)
{
	struct conf conf;

	(void)state;
	conf = conf_for("no-such-plugin");
	assert_refused(&conf, "no-such-plugin.so");
	conf = conf_for("../sample");
	assert_refused(&conf, "expected a name of a-z");
	conf = conf_for("sample");
	assert_refused(&conf, "option words: expected words");
	conf = conf_for("sample");
	option(&conf, "sample", "words", "a");
	option(&conf, "sample", "colour", "red");
	assert_refused(&conf, "no option \\\"colour\\\"");
}

static bool enter_all(uint32_t item, const char *stage, void *context)
{
	(void)item;
	(void)stage;
	(void)context;
	return true;
}

static bool enter_none(uint32_t item, const char *stage, void *context)
{
	char *seen = context;

	(void)item;
	snprintf(seen, 64, "%s", stage);
	return false;
}

static void test_older_plugins_go_on_and_newer_ones_are_told(void **state)
{
	struct conf conf = conf_for("abi-future");
	struct reading reading = {.arena = arena_new(0), .limits = &reading_limits_default};
	char reason[64];
	struct plugin_host *host;

	(void)state;
	snprintf(reason, sizeof(reason), "expected ABI %d to %d, it has %d", CIRT_PLUGIN_ABI_OLDEST,
		CIRT_PLUGIN_ABI, CIRT_PLUGIN_ABI + 1);
	assert_refused(&conf, reason);
	conf = conf_for("abi-oldest");
	host = plugin_host_load(&conf, NULL, NULL);
	assert_int_equal(plugin_host_count(host), 1);
	reading_item(&reading, ITEM_REPORT);
	plugin_host_item(host, &reading, 0, enter_all, NULL);
	assert_true(str_equal(reading.items[0].report.tags[0], STR("abi-oldest")));
	plugin_host_free(&host);
	arena_free(&reading.arena);
}

static void test_sample_sees_texts_and_parts(void **state)
{
	struct conf conf = conf_for("sample");
	struct reading reading = {.arena = arena_new(0), .limits = &reading_limits_default};
	struct plugin_host *host;
	struct item *item;
	char stage[64] = "";

	(void)state;
	option(&conf, "sample", "words", "invoice, wire transfer");
	option(&conf, "sample", "tag", "money");
	host = plugin_host_load(&conf, NULL, NULL);
	assert_int_equal(plugin_host_count(host), 1);
	item = reading_item(&reading, ITEM_REPORT);
	item->report.text = STR("please pay this INVOICE");
	reading_part(&reading, 0, PART_FILE, STR("a.txt"), STR("text/plain"), STR("by Wire Transfer"));
	plugin_host_item(host, &reading, 0, enter_none, stage);
	assert_string_equal(stage, "plugin sample");
	assert_int_equal(item->report.tag_count, 0);
	plugin_host_item(host, &reading, 0, enter_all, NULL);
	plugin_host_part(host, &reading, 0, &reading.parts[0], enter_all, NULL);
	assert_int_equal(item->report.tag_count, 1);
	assert_true(str_equal(item->report.tags[0], STR("money")));
	assert_int_equal(item->report.verdict_count, 2);
	assert_true(str_equal(item->report.verdicts[0].engine, STR("sample 1")));
	assert_true(str_equal(item->report.verdicts[1].part, STR("a.txt")));
	assert_true(str_equal(item->report.verdicts[1].rule, STR("wire transfer")));
	plugin_host_free(&host);
	arena_free(&reading.arena);
}

#define SOON  100000   /* microseconds */
#define NEVER 60000000 /* on a busy machine the other limit must not be the first */

/* How a child ends that shows this text to that plugin under these limits of CPU and wall clock. */
static int end_of(const char *plugin, const char *text, uint64_t cpu, uint64_t wall)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct conf conf = conf_for(plugin);
		struct reading reading = {.arena = arena_new(0), .limits = &reading_limits_default};
		struct plugin_host *host = plugin_host_load(&conf, NULL, NULL);
		struct item_limit *limit = item_limit_new(cpu, wall);
		reading_item(&reading, ITEM_REPORT)->report.text = str_of(text);
		item_limit_start(limit);
		plugin_host_item(host, &reading, 0, enter_all, NULL);
		item_limit_stop(limit);
		usleep(3 * SOON);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void test_trap_09_a_plugin_that_does_harm_ends_its_worker(void **state)
{
	int status;

	(void)state;
	status = end_of("crash", "CIRTD-TEST-CRASH", NEVER, NEVER);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	status = end_of("hang", "a CIRTD-TEST-HANG b", SOON, NEVER);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGXCPU);
	status = end_of("hang", "CIRTD-TEST-SLEEP", NEVER, SOON);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGALRM);
	status = end_of("crash", "nothing of the kind", NEVER, NEVER);
	assert_true(WIFEXITED(status));
}

int main(void)
{
	const char *top = getenv("top_builddir");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_cannot_be_used_is_refused),
		cmocka_unit_test(test_older_plugins_go_on_and_newer_ones_are_told),
		cmocka_unit_test(test_sample_sees_texts_and_parts),
		cmocka_unit_test(test_trap_09_a_plugin_that_does_harm_ends_its_worker),
	};

	snprintf(folder, sizeof(folder), "%s/plugins/.libs", top ? top : ".");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
