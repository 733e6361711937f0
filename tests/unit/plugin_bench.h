#ifndef PLUGIN_BENCH_H
#define PLUGIN_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "triage/plugin_host.h"

/* One built-in plugin as the host sees it: options and files in, what it says of a report out. */
#define BENCH_OPTIONS 4

struct bench {
	const char *plugin;
	struct conf conf;
	struct plugin_host *host;
	const char *file_options[BENCH_OPTIONS]; /* the options that name files */
	struct str files[BENCH_OPTIONS];
	struct reading reading;
	struct report *report; /* the one report of `reading` */
};

static inline struct str bench_file(const char *plugin, const char *option, void *context)
{
	struct bench *bench = context;

	assert_string_equal(plugin, bench->plugin);
	for (size_t i = 0; i < BENCH_OPTIONS; i++)
		if (bench->file_options[i] && strcmp(bench->file_options[i], option) == 0)
			return bench->files[i];
	return STR_NONE;
}

static inline void bench_set(struct bench *bench, const char *option, const char *value)
{
	bench->conf.plugin_options[bench->conf.plugin_option_count++] = (struct conf_plugin_option){
		.plugin = str_of(bench->plugin), .name = str_of(option), .value = str_of(value)};
}

static inline void bench_put_file(struct bench *bench, const char *option, struct str bytes)
{
	size_t i = 0;

	while (bench->file_options[i])
		i++;
	assert_true(i < BENCH_OPTIONS);
	bench->file_options[i] = option;
	bench->files[i] = bytes;
}

/* Options are set before. */
static inline void bench_load(struct bench *bench)
{
	bench->conf.plugins.values[0] = str_of(bench->plugin);
	bench->conf.plugins.count = 1;
	bench->host = plugin_host_load(&bench->conf, bench_file, bench);
}

static inline bool bench_enter(uint32_t item, const char *stage, void *context)
{
	const struct bench *bench = context;

	(void)item;
	assert_true(str_starts(str_of(stage), STR("plugin ")));
	assert_string_equal(stage + strlen("plugin "), bench->plugin);
	return true;
}

static inline void bench_end(struct bench *bench)
{
	if (bench->reading.arena)
		arena_free(&bench->reading.arena);
	bench->reading = (struct reading){.arena = NULL};
}

/* A new empty report in hand. */
static inline struct report *bench_report(struct bench *bench)
{
	bench_end(bench);
	bench->reading = (struct reading){.arena = arena_new(0), .limits = &reading_limits_default};
	bench->report = &reading_item(&bench->reading, ITEM_REPORT)->report;
	return bench->report;
}

static inline void bench_observable(
	struct bench *bench, enum observable_type type, enum observable_role role, const char *value)
{
	if (!reading_observable(&bench->reading, bench->report, type, role, str_of(value)))
		fail_msg("%s is no %s", value, observable_type_name(type));
}

static inline void bench_item(struct bench *bench)
{
	plugin_host_item(bench->host, &bench->reading, 0, bench_enter, bench);
}

static inline void bench_part(struct bench *bench, const struct part *part)
{
	plugin_host_part(bench->host, &bench->reading, 0, part, bench_enter, bench);
}

static inline bool bench_has_tag(const struct bench *bench, const char *tag)
{
	for (size_t i = 0; i < bench->report->tag_count; i++)
		if (str_equal(bench->report->tags[i], str_of(tag)))
			return true;
	return false;
}

/* The outcome of this rule's first verdict; NULL: it has none. */
static inline const char *bench_outcome(const struct bench *bench, const char *rule)
{
	for (size_t i = 0; i < bench->report->verdict_count; i++)
		if (str_equal(bench->report->verdicts[i].rule, str_of(rule)))
			return arena_str(bench->reading.arena, bench->report->verdicts[i].outcome).p;
	return NULL;
}

static inline const char *bench_note(const struct bench *bench)
{
	return bench->report->note_count > 0 ? arena_str(bench->reading.arena, bench->report->notes[0]).p
	                                     : "";
}

/* The plugin is not used, and says why. */
static inline void assert_bench_refused(struct bench *bench, const char *reason)
{
	struct buf json = {0};

	bench_load(bench);
	assert_int_equal(plugin_host_count(bench->host), 0);
	plugin_host_describe(bench->host, &json);
	if (!strstr(buf_cstr(&json), reason))
		fail_msg("expected \"%s\" in %s", reason, buf_cstr(&json));
	buf_free(&json);
	plugin_host_free(&bench->host);
}

static inline void bench_close(struct bench *bench)
{
	bench_end(bench);
	plugin_host_free(&bench->host);
}

#endif
