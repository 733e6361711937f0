#include "config.h"

#include "supervisor/check.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "proc/stream.h"
#include "supervisor/sheets.h"
#include "supervisor/templates.h"
#include "wire/mail_head.h"

#define PEM_MAX ((size_t)4 << 20)

struct checking {
	const char *path;
	const struct conf *conf;
	conf_complaint *complain;
	void *context;
	bool ok;
};

static void complain_at(struct checking *checking, int line, const char *text)
{
	checking->ok = false;
	checking->complain(checking->path, line, text, checking->context);
}

static void complain(struct checking *checking, const char *section, const char *option, const char *text)
{
	complain_at(checking, conf_line(checking->conf, section, option), text);
}

static bool read_file(
	struct checking *checking, const char *section, const char *option, struct str path, struct buf *out)
{
	struct err err = {0};
	char *file = mem_strndup(path.p, path.len);
	bool ok = path.len == 0 || file_read(file, PEM_MAX, out, &err);
	if (!ok) {
		char *text = mem_printf("%s: a file that can be read was expected: %s", option, err.text);
		complain(checking, section, option, text);
		free(text);
	}
	free(file);
	return ok;
}

/* Certificate, key and authorities must fit together before a room gets them. */
static void check_tls(struct checking *checking, const char *section, struct str certificate, struct str key,
	struct str ca, bool clients)
{
	struct buf files[3] = {0};
	struct err err = {0};
	bool ok = read_file(checking, section, "certificate", certificate, &files[0]);
	ok = read_file(checking, section, "key", key, &files[1]) && ok;
	ok = read_file(checking, section, "ca", ca, &files[2]) && ok;
	if (ok && certificate.len > 0) {
		struct tls_context *context = tls_context_new(buf_view(&files[0]), buf_view(&files[1]),
			buf_view(&files[2]), clients ? TLS_CLIENT_REQUIRED : TLS_NO_CLIENT, &err);
		if (!context) {
			char *text = mem_printf("PEM files that fit together were expected: %s", err.text);
			complain(checking, section, "certificate", text);
			free(text);
		}
		tls_context_free(&context);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (files[i].data)
			mem_wipe(files[i].data, files[i].len);
		buf_free(&files[i]);
	}
}

static void check_files(struct checking *checking)
{
	const struct conf *conf = checking->conf;
	struct buf bytes = {0};
	check_tls(checking, "sensor", conf->sensor_certificate, conf->sensor_key, conf->sensor_ca, true);
	check_tls(checking, "desk", conf->desk_certificate, conf->desk_key, conf->desk_ca, true);
	check_tls(checking, "mail", conf->mail_certificate, conf->mail_key, STR_NONE, false);
	check_tls(checking, "exchange", conf->exchange_certificate, conf->exchange_key, STR_NONE, false);
	read_file(checking, "exchange", "ca", conf->exchange_ca, &bytes);
	read_file(checking, "mail_out", "ca", conf->out_ca, &bytes);
	read_file(checking, "mail_out", "password_file", conf->out_password_file, &bytes);
	if (!conf->db_managed)
		read_file(checking, "database", "password_file", conf->db_password_file, &bytes);
	if (bytes.data)
		mem_wipe(bytes.data, bytes.len);
	buf_free(&bytes);
}

/* What libcurl would only say with the first mail. */
static void check_mail_out(struct checking *checking)
{
	const struct conf *conf = checking->conf;
	struct str server = conf->out_server, host = STR_NONE;
	if (str_starts(server, STR("smtp://")))
		host = (struct str){server.p + 7, server.len - 7};
	else if (str_starts(server, STR("smtps://")))
		host = (struct str){server.p + 8, server.len - 8};
	if (server.len > 0 &&
		(host.len == 0 || memchr(host.p, '/', host.len) || memchr(host.p, '@', host.len)))
		complain(checking, "mail_out", "server",
			"server: smtp://HOST:PORT or smtps://HOST was expected");
	if (conf->out_from.len > 0 && !mail_address_is(conf->out_from))
		complain(checking, "mail_out", "from", "from: a mail address was expected");
	if (!templates_check(conf, checking->complain, checking->context))
		checking->ok = false;
}

static bool check(
	const char *path, struct arena *arena, conf_complaint *call, void *context, struct conf *conf)
{
	struct checking checking = {path, conf, call, context, true};
	if (!conf_read(path, arena, call, context, conf))
		return false;
	check_files(&checking);
	check_mail_out(&checking);
	return checking.ok;
}

struct reading {
	struct buf *first;
	unsigned mistakes;
};

static void log_mistake(const char *file, int line, const char *text, void *context)
{
	struct reading *reading = context;
	log_error("%s:%d: %s", file, line, text);
	if (reading->mistakes++ == 0 && reading->first)
		buf_printf(reading->first, "%s:%d: %s", file, line, text);
}

bool check_read(const char *path, struct arena *arena, struct conf *conf, struct buf *first)
{
	struct reading reading = {.first = first};
	bool ok = check(path, arena, log_mistake, &reading, conf);
	if (first && reading.mistakes > 1)
		buf_printf(first, " (mistakes: %u)", reading.mistakes);
	return ok;
}

static void print_mistake(const char *file, int line, const char *text, void *context)
{
	(void)context;
	fprintf(stderr, "%s:%d: %s\n", file, line, text);
}

static void check_rules(struct checking *checking)
{
	const struct conf *conf = checking->conf;
	char *folder = mem_strndup(conf->rules.p, conf->rules.len);
	DIR *entries = conf->rules.len > 0 ? opendir(folder) : NULL;
	if (!entries && conf->rules.len > 0 && conf_line(conf, "triage", "rules") > 0) {
		char *text = mem_printf(
			"rules: a folder that can be read was expected: %s: %s", folder, strerror(errno));
		complain(checking, "triage", "rules", text);
		free(text);
	}
	if (entries)
		closedir(entries);
	free(folder);
}

static void check_plugin(struct checking *checking, struct str name)
{
	char *path =
		mem_printf(STR_FMT "/" STR_FMT ".so", STR_ARG(checking->conf->plugin_dir), STR_ARG(name));
	if (access(path, R_OK) != 0) {
		char *text = mem_printf("plugins: plugins that are built in, or a module in plugin_dir, were "
					"expected, not \"" STR_FMT "\": %s: %s",
			STR_ARG(name), path, strerror(errno));
		complain(checking, "triage", "plugins", text);
		free(text);
	}
	free(path);
}

static bool is_listed(const struct conf_list *list, struct str name)
{
	for (size_t i = 0; i < list->count; i++)
		if (str_equal(list->values[i], name))
			return true;
	return false;
}

/* A plugin itself may open nothing: an absolute path names a file or folder that it is to get. */
static void check_plugin_file(struct checking *checking, const struct conf_plugin_option *option)
{
	char *path = mem_strndup(option->value.p, option->value.len);
	if (path[0] == '/' && access(path, R_OK) != 0) {
		char *text = mem_printf("plugin " STR_FMT ": " STR_FMT
					": a file or folder that can be read was expected: %s: %s",
			STR_ARG(option->plugin), STR_ARG(option->name), path, strerror(errno));
		complain_at(checking, option->line, text);
		free(text);
	}
	free(path);
}

static void check_plugin_option(
	struct checking *checking, const struct conf_plugin_option *option, check_option *takes)
{
	struct err err;
	if (takes(checking->conf, option->plugin, option->name, &err))
		return;
	char *text = mem_printf("plugin " STR_FMT ": %s", STR_ARG(option->plugin), err.text);
	complain_at(checking, option->line, text);
	free(text);
}

static bool check_triage(
	const char *path, const struct conf *conf, check_builtin *is_builtin, check_option *takes)
{
	struct checking checking = {path, conf, print_mistake, NULL, true};
	check_rules(&checking);
	/* A broken one costs itself only, so that the daemon starts with it. */
	if (!sheets_check(conf, print_mistake, NULL))
		checking.ok = false;
	for (size_t i = 0; i < conf->plugins.count; i++)
		if (!is_builtin(conf->plugins.values[i]))
			check_plugin(&checking, conf->plugins.values[i]);
	for (size_t i = 0; i < conf->plugin_option_count; i++)
		if (is_listed(&conf->plugins, conf->plugin_options[i].plugin)) {
			check_plugin_option(&checking, &conf->plugin_options[i], takes);
			check_plugin_file(&checking, &conf->plugin_options[i]);
		}
	return checking.ok;
}

int check_print(const char *path, check_builtin *is_builtin, check_option *takes)
{
	struct arena *arena = arena_new(16384);
	struct conf conf = {.lines = NULL};
	bool ok = check(path, arena, print_mistake, NULL, &conf);
	if (conf.lines) /* it was read, whatever the files are that it names */
		ok = check_triage(path, &conf, is_builtin, takes) && ok;
	if (ok)
		printf("%s: ok\n", path);
	arena_free(&arena);
	return ok ? 0 : 2;
}

static void log_fixed(const char *file, int line, const char *text, void *context)
{
	(void)file;
	(void)line;
	(void)context;
	log_warn("%s", text);
}

static size_t size_of(const struct conf_option *option)
{
	switch (option->type) {
	case OPT_TEXT:
	case OPT_PATH:
		return sizeof(struct str);
	case OPT_LIST:
	case OPT_LISTEN:
		return sizeof(struct conf_list);
	case OPT_BOOL:
	case OPT_CHOICE:
		return sizeof(bool);
	case OPT_LEVEL:
		return sizeof(enum log_level);
	default:
		return sizeof(uint64_t);
	}
}

void check_keep_fixed(const struct conf *running, struct conf *now)
{
	conf_needs_restart(running, now, log_fixed, NULL);
	for (const struct conf_option *option = conf_options; option->name; option++)
		if (!option->reload)
			memcpy((char *)now + option->offset, (const char *)running + option->offset,
				size_of(option));
}
