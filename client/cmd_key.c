#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

#define KEY_FILE_MAX 262144

static const struct column list_columns[] = {
	{"kind", N_("KIND"), CELL_TEXT, false},
	{"key", N_("KEY"), CELL_TEXT, false},
	{"who", N_("WHOSE"), CELL_TEXT, true},
	{"secret", N_("OURS"), CELL_FLAG, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"valid", N_("VALID"), CELL_FLAG, false},
	{"expires", N_("EXPIRES"), CELL_AGO, false},
};

static void key_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result,
		_("No keys. What a mail was signed by is known once its key is imported: cirt key import "
		  "FILE"));
}

static void show_secrets(struct call *call, struct json_object *result)
{
	int64_t all = member_number(result, "secret"), open = member_number(result, "open");

	screen_printf(
		&call->screen, _("Of %lld keys of ours %lld are open.\n"), (long long)all, (long long)open);
	if (open < all)
		screen_printf(&call->screen, "%s\n",
			_("Mail that needs another one waits, sealed: cirt key unlock"));
}

static void show_keys(struct call *call, struct json_object *result, const char *what)
{
	struct buf keys = {0};

	screen_value(&call->screen, member_of(result, "keys"), CELL_LIST, &keys);
	screen_printf(&call->screen, "%s: %s\n", what, buf_cstr(&keys));
	show_secrets(call, result);
	buf_free(&keys);
}

static void key_import(struct call *call, struct json_object *result)
{
	show_keys(call, result, _("Imported"));
}

static void key_remove(struct call *call, struct json_object *result)
{
	if (!approval_show(call, result))
		show_keys(call, result, _("Removed"));
}

static void key_secrets(struct call *call, struct json_object *result)
{
	show_secrets(call, result);
}

/* ---- import ---- */

static bool read_stdin(struct buf *bytes)
{
	char piece[4096];
	size_t got;

	while (bytes->len <= KEY_FILE_MAX && (got = fread(piece, 1, sizeof(piece), stdin)) > 0)
		buf_append(bytes, piece, got);
	mem_wipe(piece, sizeof(piece));
	return !ferror(stdin);
}

static void wipe(struct buf *bytes)
{
	if (bytes->data)
		mem_wipe(bytes->data, bytes->len);
	buf_free(bytes);
}

static int run_import(struct call *call)
{
	const char *file = member_text(call->invocation->params, "file");
	struct buf bytes = {0}, text = {0};
	struct err err = {0};
	bool ok = !strcmp(file, "-") ? read_stdin(&bytes) : file_read(file, KEY_FILE_MAX, &bytes, &err);

	if (!ok || bytes.len > KEY_FILE_MAX) {
		fprintf(stderr, "cirt: %s\n",
			err.text[0] ? err.text : _("a key of at most 256 KB was expected"));
		wipe(&bytes);
		return EXIT_USAGE;
	}
	base64_encode(buf_view(&bytes), &text);
	wipe(&bytes);
	json_object_object_del(call->invocation->params, "file");
	json_object_object_add(
		call->invocation->params, "bytes", json_object_new_string_len(text.data, (int)text.len));
	wipe(&text);
	return call_ask(call);
}

/* ---- unlock ---- */

/* One line, without echo where it is typed. Never from the command line, where others see it. */
static bool read_passphrase(char *line, size_t size)
{
	bool typed = isatty(STDIN_FILENO);
	struct termios was, quiet;
	char *read;

	if (typed && tcgetattr(STDIN_FILENO, &was) == 0) {
		quiet = was;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fputs(_("Passphrase: "), stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	} else {
		typed = false;
	}
	read = fgets(line, (int)size, stdin);
	if (typed) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
		fputc('\n', stderr);
	}
	if (!read)
		return false;
	line[strcspn(line, "\r\n")] = 0;
	return line[0] != 0;
}

static int run_unlock(struct call *call)
{
	char line[1024];

	setvbuf(stdin, NULL, _IONBF, 0);
	if (!read_passphrase(line, sizeof(line))) {
		fprintf(stderr, "cirt: %s\n", _("a passphrase was expected, typed or on standard input"));
		return EXIT_USAGE;
	}
	json_object_object_add(call->invocation->params, "passphrase", json_object_new_string(line));
	mem_wipe(line, sizeof(line));
	return call_ask(call);
}

const struct command key_commands[] = {
	{"key.list", key_list, NULL},
	{"key.import", key_import, run_import},
	{"key.remove", key_remove, NULL},
	{"key.unlock", key_secrets, run_unlock},
	{"key.lock", key_secrets, NULL},
	{NULL, NULL, NULL},
};
