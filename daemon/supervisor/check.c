#include "config.h"

#include "supervisor/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "proc/stream.h"

#define PEM_MAX ((size_t)4 << 20)

struct checking {
	const char *path;
	const struct conf *conf;
	conf_complaint *complain;
	void *context;
	bool ok;
};

static void complain(struct checking *checking, const char *section, const char *option, const char *text)
{
	checking->ok = false;
	checking->complain(
		checking->path, conf_line(checking->conf, section, option), text, checking->context);
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
	check_tls(checking, "mail", conf->mail_certificate, conf->mail_key, STR_NONE, false);
	check_tls(checking, "exchange", conf->exchange_certificate, conf->exchange_key, STR_NONE, false);
	read_file(checking, "exchange", "ca", conf->exchange_ca, &bytes);
	if (!conf->db_managed)
		read_file(checking, "database", "password_file", conf->db_password_file, &bytes);
	if (bytes.data)
		mem_wipe(bytes.data, bytes.len);
	buf_free(&bytes);
}

static bool check(
	const char *path, struct arena *arena, conf_complaint *call, void *context, struct conf *conf)
{
	struct checking checking = {path, conf, call, context, true};
	if (!conf_read(path, arena, call, context, conf))
		return false;
	check_files(&checking);
	return checking.ok;
}

static void log_mistake(const char *file, int line, const char *text, void *context)
{
	(void)context;
	log_error("%s:%d: %s", file, line, text);
}

bool check_read(const char *path, struct arena *arena, struct conf *conf)
{
	return check(path, arena, log_mistake, NULL, conf);
}

static void print_mistake(const char *file, int line, const char *text, void *context)
{
	(void)context;
	fprintf(stderr, "%s:%d: %s\n", file, line, text);
}

int check_print(const char *path)
{
	struct arena *arena = arena_new(16384);
	struct conf conf;
	bool ok = check(path, arena, print_mistake, NULL, &conf);
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
