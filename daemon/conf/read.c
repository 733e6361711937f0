#include "config.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "conf/parse.h"
#include "conf/value.h"

#define FILE_MAX ((size_t)1024 * 1024)

/* A configuration while it is read. */
struct reading {
	struct conf conf;
	struct arena *arena;
	struct mistakes *mistakes;
	int *lines; /* of each option, as in conf_options; 0: at its default */
};

static const struct conf_option *option_find(struct str section, struct str name)
{
	for (const struct conf_option *option = conf_options; option->name; option++) {
		if (str_equal(section, str_of(option->section)) && str_equal(name, str_of(option->name)))
			return option;
	}
	return NULL;
}

int conf_line(const struct conf *conf, const char *section, const char *name)
{
	const struct conf_option *option = option_find(str_of(section), str_of(name));
	return conf->lines && option ? conf->lines[option - conf_options] : 0;
}

static void blame(struct reading *reading, int line, const struct setting *setting, const char *text)
{
	mistake_add(reading->mistakes, line, STR_FMT "%s" STR_FMT ": %s", STR_ARG(setting->section),
		setting->section.len ? "." : "", STR_ARG(setting->name), text);
}

static void apply_option(struct reading *reading, const struct setting *setting)
{
	struct err err = {0};
	const struct conf_option *option = option_find(setting->section, setting->name);
	if (!option)
		return;
	reading->lines[option - conf_options] = setting->line;
	if (value_is_list(option))
		*(struct conf_list *)value_at(&reading->conf, option) = (struct conf_list){.count = 0};
	else if (setting->count != 1) {
		blame(reading, setting->line, setting, "one value was expected, not a list");
		return;
	}
	for (size_t i = 0; i < setting->count; i++) {
		if (!value_set(&reading->conf, option, setting->values[i], reading->arena, &err))
			blame(reading, setting->line, setting, err.text);
	}
}

static void apply_plugin(struct reading *reading, const struct setting *setting)
{
	struct conf *conf = &reading->conf;
	if (setting->count != 1) {
		blame(reading, setting->line, setting, "one value was expected, not a list");
	} else if (conf->plugin_option_count == CONF_PLUGIN_OPTIONS) {
		mistake_add(reading->mistakes, setting->line, "at most %d options of plugins were expected",
			CONF_PLUGIN_OPTIONS);
	} else {
		conf->plugin_options[conf->plugin_option_count++] = (struct conf_plugin_option){
			arena_str(reading->arena, setting->title), arena_str(reading->arena, setting->name),
			arena_str(reading->arena, setting->values[0]), setting->line};
	}
}

/* What only several options together make wrong; told at the line of the option that must change. */
static void check(
	struct reading *reading, const char *section, const char *name, bool holds, const char *text)
{
	if (!holds)
		mistake_add(reading->mistakes, conf_line(&reading->conf, section, name), "%s%s%s: %s",
			section, *section ? "." : "", name, text);
}

static bool has_word(struct str text, const char *word)
{
	return text.len > 0 && memmem(text.p, text.len, word, strlen(word)) != NULL;
}

static void check_database(struct reading *reading)
{
	const struct conf *conf = &reading->conf;
	bool has_conninfo = conf->db_conninfo.len > 0;
	check(reading, "database", "conninfo", !conf->db_managed || !has_conninfo,
		"only with managed = no is a server of yours used");
	check(reading, "database", "managed", conf->db_managed || has_conninfo,
		"managed = no needs conninfo, such as \"host=db.example dbname=cirt\"");
	check(reading, "database", "conninfo",
		!has_word(conf->db_conninfo, "password=") && !has_word(conf->db_conninfo, "user="),
		"no user and no password was expected: each room has its own, in password_file");
}

static void check_doors(struct reading *reading)
{
	const struct conf *conf = &reading->conf;
	bool lmtp_ok = true;
	for (size_t i = 0; i < conf->lmtp_listen.count; i++)
		lmtp_ok = lmtp_ok && !str_ends(conf->lmtp_listen.values[i], STR(":25"));
	check(reading, "lmtp", "listen", lmtp_ok, "another port than 25 was expected (RFC 2033 section 5)");
	check(reading, "mail", "key", !conf->mail_key.len || conf->mail_certificate.len > 0,
		"mail.certificate was expected beside the key");
	check(reading, "mail", "certificate", !conf->mail_certificate.len || conf->mail_key.len > 0,
		"mail.key was expected beside the certificate");
	bool listens = conf->sensor_listen.count > 0;
	check(reading, "sensor", "listen",
		!listens || (conf->sensor_certificate.len > 0 && conf->sensor_key.len > 0 &&
				    conf->sensor_ca.len > 0),
		"certificate, key and ca were expected beside it: sensors are known by mutual TLS only");
	check(reading, "desk", "listen",
		conf->desk_listen.count == 0 ||
			(conf->desk_certificate.len > 0 && conf->desk_key.len > 0 && conf->desk_ca.len > 0),
		"certificate, key and ca were expected beside it: operators are known by mutual TLS only");
	check(reading, "", "run", conf->run.len > 0 && conf->run.len <= 80,
		"a path of at most 80 bytes was expected: sockets stand below it");
	check(reading, "", "state", conf->state.len > 0, "an absolute path was expected");
}

/* HH:MM */
static bool is_time_of_day(struct str text)
{
	return text.len == 5 && text.p[2] == ':' && text.p[0] >= '0' && text.p[0] <= '2' &&
	       text.p[1] >= '0' && text.p[1] <= (text.p[0] == '2' ? '3' : '9') && text.p[3] >= '0' &&
	       text.p[3] <= '5' && text.p[4] >= '0' && text.p[4] <= '9';
}

static void check_notices(struct reading *reading)
{
	check(reading, "notices", "at", is_time_of_day(reading->conf.notices_at),
		"a time of day was expected, such as \"07:00\"");
}

static void read_text(struct reading *reading, struct buf *text)
{
	struct settings settings = {0};
	if (!conf_strip(text, reading->mistakes))
		return;
	conf_parse(text, reading->mistakes, &settings);
	for (size_t i = 0; i < settings.count; i++) {
		const struct setting *setting = &settings.list[i];
		if (str_equal(setting->section, STR("plugin")))
			apply_plugin(reading, setting);
		else
			apply_option(reading, setting);
	}
	check_database(reading);
	check_doors(reading);
	check_notices(reading);
}

static size_t option_count(void)
{
	size_t count = 0;
	while (conf_options[count].name)
		count++;
	return count;
}

bool conf_read(
	const char *path, struct arena *arena, conf_complaint *complain, void *context, struct conf *conf)
{
	struct mistakes mistakes = {.arena = arena_new(0)};
	struct reading *reading = mem_alloc(sizeof(*reading));
	struct buf text = {0};
	struct err err = {0};
	reading->arena = arena;
	reading->mistakes = &mistakes;
	reading->lines = arena_alloc(arena, option_count() * sizeof(*reading->lines));
	conf_defaults(arena, &reading->conf);
	reading->conf.lines = reading->lines;
	reading->conf.path = arena_str(arena, str_of(path));
	if (file_read(path, FILE_MAX, &text, &err))
		read_text(reading, &text);
	else
		mistake_add(&mistakes, 0, "%s", err.text);
	mistakes_tell(&mistakes, path, complain, context);
	bool ok = mistakes.count == 0;
	if (ok)
		*conf = reading->conf;
	buf_free(&text);
	free(reading);
	arena_free(&mistakes.arena);
	return ok;
}
