#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/org_file.h"

/*
 * A file for the register goes to the desk in pieces of rows, which are put aside there, and then takes
 * effect in one transaction, or not at all. In memory are the file, mapped, and one piece.
 */
#define PIECE_ROWS  2000
#define PIECE_BYTES (256u << 10)
#define STDIN_MAX   (1u << 30)
#define BAR_EVERY   (CLOCK_SECOND / 10)

struct import {
	struct call *call;
	const char *method;
	char id[64];
	struct json_object *rows;
	size_t bytes, size, total; /* of this piece; of all; rows */
	struct rpc_message failed; /* what the desk refused, if it did */
	bool bar;
	int64_t drawn;
};

struct input {
	struct str mapped;
	struct buf read, converted;
	struct str text;
};

static void input_free(struct input *input)
{
	if (input->mapped.p)
		fd_unmap(&input->mapped);
	buf_free(&input->read);
	buf_free(&input->converted);
}

static int refuse(const struct import *import, const char *path, const char *why)
{
	struct buf safe = {0};

	screen_cell(str_of(path), &safe);
	fprintf(stderr, "cirt org %s: %s: %s\n", import->call->invocation->verb->verb, buf_cstr(&safe), why);
	buf_free(&safe);
	return EXIT_FAILED;
}

static bool input_stdin(struct input *input, struct err *err)
{
	ssize_t got;

	do {
		got = read(STDIN_FILENO, buf_space(&input->read, 65536), 65536);
		if (got > 0)
			buf_grow(&input->read, (size_t)got);
	} while ((got > 0 && input->read.len < STDIN_MAX) || (got < 0 && errno == EINTR));
	if (got < 0)
		return err_errno(err, "standard input");
	return got == 0 || err_set(err, ERR_NOSPACE, "longer than 1 GB: name a file");
}

static bool input_open(const char *path, struct input *input, struct err *err)
{
	struct stat info;
	bool ok;

	if (!strcmp(path, "-"))
		return input_stdin(input, err);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s", strerror(errno));
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
		ok = err_set(err, ERR_MALFORMED, "is not a file");
	else
		ok = info.st_size == 0 || fd_map(fd, false, &input->mapped, err);
	close(fd);
	return ok;
}

/* The file's text, as UTF-8; says where it was converted. */
static bool input_read(const struct import *import, const char *path, struct input *input)
{
	bool converted = false;
	struct err err;

	bool ok = input_open(path, input, &err);
	struct str bytes = input->mapped.p ? input->mapped : buf_view(&input->read);
	if (ok && !bytes.len)
		ok = err_set(&err, ERR_MALFORMED, "it is empty");
	if (ok)
		ok = org_file_text(bytes, &input->converted, &input->text, &converted, &err);
	if (!ok)
		refuse(import, path, err.text);
	else if (converted)
		refuse(import, path, _("is not UTF-8: read as Latin-1"));
	return ok;
}

static bool ask(
	struct import *import, struct json_object *params, struct rpc_message *answer, struct err *err)
{
	bool ok = link_call(import->call->link, import->method, params, NULL, NULL, answer, err);

	json_object_put(params);
	if (!ok || answer->kind != RPC_ERROR)
		return ok;
	import->failed = *answer;
	return err_set(err, ERR_DENIED, "refused");
}

static bool import_begin(struct json_object *columns, void *context, struct err *err)
{
	struct import *import = context;
	struct json_object *params = json_object_new_object();
	struct rpc_message answer = {0};

	json_object_object_add(params, "columns", json_object_get(columns));
	if (!ask(import, params, &answer, err))
		return false;
	snprintf(import->id, sizeof import->id, "%s", json_object_get_string(answer.result));
	rpc_free(&answer);
	return true;
}

static void draw(struct import *import, size_t at, bool last)
{
	int64_t now = clock_monotonic();

	if (!import->bar || (!last && now - import->drawn < BAR_EVERY))
		return;
	import->drawn = now;
	fprintf(stderr, last ? _("\r%zu rows, %3.0f %%: applying…   ") : _("\r%zu rows, %3.0f %%"),
		import->total, import->size ? 100.0 * (double)at / (double)import->size : 100.0);
	fflush(stderr);
}

static bool send_rows(struct import *import, struct err *err)
{
	struct json_object *params = json_object_new_object();
	struct rpc_message answer = {0};

	json_object_object_add(params, "import", json_object_new_string(import->id));
	json_object_object_add(params, "rows", import->rows);
	import->rows = json_object_new_array();
	import->bytes = 0;
	if (!ask(import, params, &answer, err))
		return false;
	rpc_free(&answer);
	return true;
}

/* Longer ones the desk does not read. */
#define ROW_BYTES (200u << 10)

static bool take_row(struct json_object *row, size_t offset, void *context, struct err *err)
{
	struct import *import = context;
	size_t len = strlen(json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN));

	if (len > ROW_BYTES) {
		struct json_object *wrong = json_object_new_object();
		json_object_object_add(wrong, "line", json_object_get(member_of(row, "line")));
		json_object_object_add(wrong, "problem", json_object_new_string("a row has at most 200 KB"));
		json_object_put(row);
		row = wrong;
	}
	json_object_array_add(import->rows, row);
	import->bytes += len;
	import->total++;
	draw(import, offset, false);
	if (import->bytes < PIECE_BYTES && json_object_array_length(import->rows) < PIECE_ROWS)
		return true;
	return send_rows(import, err);
}

static bool apply(struct import *import, struct rpc_message *answer, struct err *err)
{
	static const char *const passed[] = {"dry_run", "replace", "shared", "registry"};
	struct json_object *params = json_object_new_object(), *asked = import->call->invocation->params;

	if (json_object_array_length(import->rows) && !send_rows(import, err)) {
		json_object_put(params);
		return false;
	}
	draw(import, import->size, true);
	json_object_object_add(params, "import", json_object_new_string(import->id));
	json_object_object_add(params, "apply", json_object_new_boolean(true));
	for (size_t i = 0; i < ARRAY_LEN(passed); i++)
		if (member_of(asked, passed[i]))
			json_object_object_add(
				params, passed[i], json_object_get(member_of(asked, passed[i])));
	return ask(import, params, answer, err);
}

static const struct column wrong_columns[] = {
	{"line", N_("LINE"), CELL_NUMBER, false},
	{"problem", N_("WHAT IS WRONG"), CELL_TEXT, false},
};

static const struct column change_columns[] = {
	{"line", N_("LINE"), CELL_NUMBER, false},
	{"outcome", N_("WHAT"), CELL_TEXT, false},
	{"record", N_("OF"), CELL_TEXT, false},
	{"name", N_("ORGANISATION"), CELL_TEXT, true},
	{"value", N_("ENTRY"), CELL_TEXT, false},
	{"said", N_("CHANGE"), CELL_TEXT, true},
};

static void tell_wrong(struct call *call, struct json_object *result, int64_t many)
{
	struct json_object *wrong = member_of(result, "wrong");

	screen_table(&call->screen, wrong_columns, ARRAY_LEN(wrong_columns), wrong);
	if (many > (int64_t)json_object_array_length(wrong))
		screen_printf(&call->screen, _("… and %lld more.\n"),
			(long long)(many - (int64_t)json_object_array_length(wrong)));
	screen_printf(&call->screen,
		ngettext("%lld line is wrong. Nothing was changed.\n",
			"%lld lines are wrong. Nothing was changed.\n", (unsigned long)many),
		(long long)many);
}

static void tell_import(struct call *call, struct json_object *result)
{
	struct json_object *counts = member_of(result, "counts"), *changes = member_of(result, "changes");
	bool dry = member_true(call->invocation->params, "dry_run");
	int64_t many = member_number(counts, "new") + member_number(counts, "changed") +
	               member_number(counts, "closed");

	if (member_number(counts, "wrong")) {
		tell_wrong(call, result, member_number(counts, "wrong"));
		return;
	}
	if (dry && json_object_array_length(changes)) {
		screen_table(&call->screen, change_columns, ARRAY_LEN(change_columns), changes);
		if (many > (int64_t)json_object_array_length(changes))
			screen_printf(&call->screen, _("… and %lld more.\n"),
				(long long)(many - (int64_t)json_object_array_length(changes)));
	}
	screen_printf(&call->screen, _("%lld new, %lld changed, %lld closed, %lld unchanged.%s\n"),
		(long long)member_number(counts, "new"), (long long)member_number(counts, "changed"),
		(long long)member_number(counts, "closed"), (long long)member_number(counts, "unchanged"),
		dry ? _(" A dry run: nothing was changed.") : "");
}

static const struct column delegated_columns[] = {
	{"prefix", N_("PREFIX"), CELL_TEXT, false},
	{"was", N_("WAS"), CELL_TEXT, false},
	{"now", N_("IS"), CELL_TEXT, false},
};

static const struct column touched_columns[] = {
	{"organisation", N_("TOUCHES"), CELL_TEXT, true},
	{"held", N_("ITS PREFIX"), CELL_TEXT, false},
	{"prefix", N_("DELEGATED"), CELL_TEXT, false},
	{"was", N_("WAS"), CELL_TEXT, false},
	{"now", N_("IS"), CELL_TEXT, false},
};

static void tell_registry(struct call *call, struct json_object *result)
{
	struct json_object *prefixes = member_of(result, "prefixes"), *abuse = member_of(result, "abuse");
	bool dry = member_true(call->invocation->params, "dry_run");

	if (member_number(result, "wrong_many")) {
		tell_wrong(call, result, member_number(result, "wrong_many"));
		return;
	}
	if (json_object_array_length(member_of(prefixes, "examples")))
		screen_table(&call->screen, delegated_columns, ARRAY_LEN(delegated_columns),
			member_of(prefixes, "examples"));
	if (json_object_array_length(member_of(prefixes, "touched")))
		screen_table(&call->screen, touched_columns, ARRAY_LEN(touched_columns),
			member_of(prefixes, "touched"));
	screen_printf(&call->screen,
		_("Prefixes: %lld, of them %lld added, %lld of another country, %lld gone. AS numbers: "
		  "%lld.\n"),
		(long long)member_number(prefixes, "now"), (long long)member_number(prefixes, "added"),
		(long long)member_number(prefixes, "changed"), (long long)member_number(prefixes, "gone"),
		(long long)member_number(member_of(result, "asns"), "now"));
	screen_printf(&call->screen, _("Complaints: %lld, of them %lld added, %lld changed, %lld gone.%s\n"),
		(long long)member_number(abuse, "now"), (long long)member_number(abuse, "added"),
		(long long)member_number(abuse, "changed"), (long long)member_number(abuse, "gone"),
		dry ? _(" A dry run: nothing was changed.") : "");
}

/* What the desk said, or why there was no talking with it. */
static int finish(struct import *import, bool ok, struct rpc_message *answer, const char *path,
	const struct err *err, void (*tell)(struct call *call, struct json_object *result))
{
	int code = EXIT_DONE;

	if (import->bar && import->drawn)
		fprintf(stderr, "\n");
	if (import->failed.kind == RPC_ERROR) {
		code = call_failed(import->call, &import->failed);
		rpc_free(&import->failed);
	} else if (!ok) {
		code = err->code == ERR_MALFORMED ? refuse(import, path, err->text)
		                                  : call_broken(import->call, err);
	} else {
		if (import->call->invocation->json)
			call_json(import->call, answer->result);
		else
			tell(import->call, answer->result);
		if (!member_true(answer->result, "applied") &&
			!(member_true(import->call->invocation->params, "dry_run") &&
				json_object_array_length(member_of(answer->result, "wrong")) == 0))
			code = EXIT_FAILED;
		rpc_free(answer);
	}
	json_object_put(import->rows);
	return code;
}

static struct import import_of(struct call *call, const char *method)
{
	return (struct import){.call = call,
		.method = method,
		.rows = json_object_new_array(),
		.bar = isatty(STDERR_FILENO)};
}

int org_import_run(struct call *call)
{
	const char *path = member_text(call->invocation->params, "file");
	struct import import = import_of(call, "org.import");
	struct rpc_message answer = {0};
	struct input input = {0};
	struct err err = {0};
	int code = call_connect(call);

	if (code != EXIT_DONE || !input_read(&import, path, &input)) {
		input_free(&input);
		json_object_put(import.rows);
		return code != EXIT_DONE ? code : EXIT_FAILED;
	}
	import.size = input.text.len;
	bool ok = org_file_rows(input.text, import_begin, take_row, &import, &err) &&
	          apply(&import, &answer, &err);
	code = finish(&import, ok, &answer, path, &err, tell_import);
	input_free(&input);
	return code;
}

int org_registry_run(struct call *call)
{
	struct json_object *files = member_of(call->invocation->params, "file");
	struct import import = import_of(call, "org.registry");
	size_t count = json_object_array_length(files);
	struct input *inputs = mem_alloc((count + 1) * sizeof *inputs);
	struct str *texts = mem_alloc((count + 1) * sizeof *texts);
	struct json_object *none = json_object_new_array();
	struct rpc_message answer = {0};
	struct err err = {0};
	int code = call_connect(call);
	bool ok = code == EXIT_DONE;

	for (size_t i = 0; ok && i < count; i++) {
		ok = input_read(
			&import, json_object_get_string(json_object_array_get_idx(files, i)), &inputs[i]);
		texts[i] = inputs[i].text;
		import.size += texts[i].len;
	}
	if (ok) {
		ok = import_begin(none, &import, &err) &&
		     org_registry_rows(texts, count, take_row, &import, &err) &&
		     apply(&import, &answer, &err);
		code = finish(&import, ok, &answer,
			json_object_get_string(json_object_array_get_idx(files, 0)), &err, tell_registry);
	} else {
		code = code != EXIT_DONE ? code : EXIT_FAILED;
		json_object_put(import.rows);
	}
	for (size_t i = 0; i < count; i++)
		input_free(&inputs[i]);
	json_object_put(none);
	free(inputs);
	free(texts);
	return code;
}
