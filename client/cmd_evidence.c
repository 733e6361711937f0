#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "client/download.h"
#include "client/i18n.h"

#define FILE_MOST (64u << 20)
#define PIECE     (2u << 20)

int evidence_export(struct call *call); /* cmd_evidence_export.c */

static const struct column list_columns[] = {
	{"digest", N_("SHA-256"), CELL_TEXT, false},
	{"size", N_("SIZE"), CELL_SIZE, false},
	{"name", N_("NAME"), CELL_TEXT, true},
	{"type", N_("TYPE"), CELL_TEXT, true},
	{"report", N_("REPORT"), CELL_TEXT, false},
	{"by_hand", N_("BY HAND"), CELL_FLAG, false},
	{"held", N_("HELD"), CELL_FLAG, false},
	{"kept", N_("KEPT"), CELL_FLAG, false},
};
static const struct column one_columns[] = {
	{"digest", N_("SHA-256"), CELL_TEXT, false},
	{"size", N_("size"), CELL_SIZE, false},
	{"kept", N_("kept"), CELL_FLAG, false},
	{"cases", N_("cases"), CELL_LIST, false},
};
static const struct column acquired_columns[] = {
	{"at", N_("CAME"), CELL_TIME, false},
	{"door", N_("DOOR"), CELL_TEXT, false},
	{"source", N_("SOURCE"), CELL_TEXT, false},
	{"operator", N_("OPERATOR"), CELL_TEXT, false},
	{"from", N_("FROM"), CELL_TEXT, true},
	{"name", N_("AS"), CELL_TEXT, true},
	{"report", N_("REPORT"), CELL_TEXT, false},
	{"case", N_("CASE"), CELL_TEXT, false},
	{"note", N_("NOTE"), CELL_TEXT, true},
};
static const struct column hold_columns[] = {
	{"since", N_("HELD SINCE"), CELL_TIME, false},
	{"until", N_("UNTIL"), CELL_TIME, false},
	{"by", N_("BY"), CELL_TEXT, false},
	{"reason", N_("WHY"), CELL_TEXT, true},
};
static const struct column verdict_columns[] = {
	{"report", N_("REPORT"), CELL_TEXT, false},
	{"rule", N_("RULE"), CELL_TEXT, false},
	{"outcome", N_("SAID"), CELL_TEXT, true},
	{"engine", N_("ENGINE"), CELL_TEXT, false},
	{"rules", N_("OF THE RULES"), CELL_TEXT, true},
};
static const struct column later_columns[] = {
	{"at", N_("FOUND"), CELL_TIME, false},
	{"rule", N_("RULE"), CELL_TEXT, false},
	{"part", N_("IN"), CELL_TEXT, true},
	{"report", N_("REPORT"), CELL_TEXT, false},
	{"case", N_("CASE"), CELL_TEXT, false},
	{"rescan", N_("RESCAN"), CELL_NUMBER, false},
	{"rules", N_("OF THE RULES"), CELL_TEXT, true},
};
static const struct column custody_columns[] = {
	{"n", N_("N"), CELL_NUMBER, false},
	{"at", N_("WHEN"), CELL_TIME, false},
	{"actor", N_("WHO"), CELL_TEXT, false},
	{"action", N_("WHAT"), CELL_TEXT, false},
};

static void list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("No files."));
}

static void section(struct call *call, const char *title, const struct column *columns, size_t count,
	struct json_object *rows)
{
	if (!rows || json_object_array_length(rows) == 0)
		return;
	screen_heading(&call->screen, title);
	screen_table(&call->screen, columns, count, rows);
}

static void show(struct call *call, struct json_object *result)
{
	screen_object(&call->screen, one_columns, ARRAY_LEN(one_columns), result);
	section(call, _("How it came here"), acquired_columns, ARRAY_LEN(acquired_columns),
		member_of(result, "acquired"));
	section(call, _("Holds"), hold_columns, ARRAY_LEN(hold_columns), member_of(result, "holds"));
	section(call, _("What rules said of its reports"), verdict_columns, ARRAY_LEN(verdict_columns),
		member_of(result, "verdicts"));
	section(call, _("What later rules say of it"), later_columns, ARRAY_LEN(later_columns),
		member_of(result, "later"));
	section(call, _("Who has had it"), custody_columns, ARRAY_LEN(custody_columns),
		member_of(result, "custody"));
}

static void held(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, "%s\n",
		member_true(result, "held") ? _("Held: retention leaves it alone.")
					    : _("Let go: it stays as long as its report does."));
}

/* --- a file from there --- */

static int get(struct call *call)
{
	const char *output = member_text(call->invocation->params, "output");
	const char *name = *output && strcmp(output, "-") != 0 ? output : NULL;
	int64_t size = 0;
	int code = call_connect(call);
	struct buf safe = {0};

	if (code == EXIT_DONE)
		code = download_file(call, member_text(call->invocation->params, "digest"), name, &size);
	if (code != EXIT_DONE || !name)
		return code;
	if (call->invocation->json) {
		struct json_object *result = json_object_new_object();
		json_object_object_add(result, "output", json_object_new_string(name));
		json_object_object_add(result, "size", json_object_new_int64(size));
		call_json(call, result);
		json_object_put(result);
		return code;
	}
	screen_cell(str_of(name), &safe);
	screen_printf(&call->screen, _("%lld bytes in %s. Take care: they may be hostile.\n"),
		(long long)size, buf_cstr(&safe));
	buf_free(&safe);
	return code;
}

/* --- a file to there --- */

/* One piece of it; true: there are more, and *at is where the next begins. */
static bool send_piece(struct call *call, struct json_object *params, struct str file, int64_t *at, int *code)
{
	struct str piece = {file.p + *at, file.len - (size_t)*at < PIECE ? file.len - (size_t)*at : PIECE};
	struct rpc_message answer;
	struct buf data = {0};
	struct err err;

	base64_encode(piece, &data);
	json_object_object_add(params, "offset", json_object_new_int64(*at));
	json_object_object_add(params, "data", json_object_new_string_len(data.data, (int)data.len));
	buf_free(&data);
	if (!link_call(call->link, call->method, params, NULL, NULL, &answer, &err)) {
		*code = call_broken(call, &err);
		return false;
	}
	*at += (int64_t)piece.len;
	if (answer.kind == RPC_ERROR)
		*code = call_failed(call, &answer);
	else if ((size_t)*at == file.len && call->invocation->json)
		call_json(call, answer.result);
	else if ((size_t)*at == file.len)
		screen_printf(&call->screen, _("%lld bytes are evidence of case %s, as %s.\n"),
			(long long)file.len, member_text(answer.result, "case"),
			member_text(answer.result, "digest"));
	rpc_free(&answer);
	return *code == EXIT_DONE && (size_t)*at < file.len;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int add(struct call *call)
{
	struct json_object *params = call->invocation->params;
	char *path = mem_strdup(member_text(params, "file")), hex[SHA256_HEX];
	uint8_t digest[SHA256_LEN];
	struct buf bytes = {0};
	struct err err;
	int64_t at = 0;
	int code = EXIT_DONE;

	if (!file_read(path, FILE_MOST, &bytes, &err))
		code = download_complain(path, err.text);
	else if (bytes.len == 0)
		code = download_complain(path, _("it is empty: there is nothing to keep"));
	if (code == EXIT_DONE)
		code = call_connect(call);
	if (code == EXIT_DONE) {
		sha256(buf_view(&bytes), digest);
		json_object_object_del(params, "file");
		json_object_object_add(
			params, "digest", json_object_new_string(hex_encode(digest, sizeof(digest), hex)));
		json_object_object_add(params, "size", json_object_new_int64((int64_t)bytes.len));
		if (!*member_text(params, "called"))
			json_object_object_add(params, "called", json_object_new_string(last_part(path)));
		while (send_piece(call, params, buf_view(&bytes), &at, &code))
			;
	}
	buf_free(&bytes);
	free(path);
	return code;
}

const struct command evidence_commands[] = {
	{"evidence.list", list, NULL},
	{"evidence.show", show, NULL},
	{"evidence.get", NULL, get},
	{"evidence.add", NULL, add},
	{"evidence.hold", held, NULL},
	{"evidence.unhold", held, NULL},
	{"evidence.export", NULL, evidence_export},
	{NULL, NULL, NULL},
};
