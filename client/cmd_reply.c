#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/command.h"
#include "client/draft.h"
#include "client/i18n.h"

/* What the desk takes of a text. */
#define TEXT_MAX 200000

/* ---- shown ---- */

/* A member after `before`, safe for a terminal; nothing where there is none. */
static void add_member(struct buf *line, const char *before, struct json_object *result, const char *name)
{
	if (!*member_text(result, name))
		return;
	buf_text(line, before);
	screen_cell(str_of(member_text(result, name)), line);
}

static void add_count(
	struct buf *line, struct json_object *result, const char *name, const char *one, const char *many)
{
	long long count = (long long)member_number(result, name);

	if (count > 0)
		buf_printf(line, " · %lld %s", count, count == 1 ? one : many);
}

static void put_line(struct call *call, struct buf *line)
{
	buf_char(line, '\n');
	buf_str(&call->screen.out, buf_view(line));
	buf_clear(line);
}

static void upper(struct str text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++)
		buf_char(out,
			(char)(text.p[i] >= 'a' && text.p[i] <= 'z' ? text.p[i] - 'a' + 'A' : text.p[i]));
}

static void show_left_out(struct call *call, struct json_object *list)
{
	struct buf line = {0};

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		buf_text(&line, _(" left out"));
		add_member(&line, " ", one, "report");
		add_member(&line, _(" from "), one, "source");
		buf_text(&line, " (");
		upper(str_of(member_text(one, "tlp")), &line);
		add_member(&line, _(": cirt tlp ask "), one, "report");
		buf_char(&line, ')');
		put_line(call, &line);
	}
	buf_free(&line);
}

/* "To soc@bank.example [PGP 7C1A…] · Subject … · TLP:AMBER" and what the gate says. */
static void show_plan(struct call *call, struct json_object *result)
{
	struct json_object *key = member_of(result, "key");
	struct buf line = {0};

	add_member(&line, _("To "), result, "to");
	add_member(&line, " [", key, "says");
	buf_char(&line, ']');
	add_member(&line, _(" · Subject "), result, "tags");
	add_member(&line, *member_text(result, "tags") ? " " : _(" · Subject "), result, "subject");
	buf_text(&line, " · TLP:");
	upper(str_of(member_text(result, "tlp")), &line);
	add_member(&line, _(" · EXERCISE "), result, "exercise");
	put_line(call, &line);
	buf_text(&line, _("gate: "));
	if (*member_text(result, "refused"))
		add_member(&line, _("REFUSED: "), result, "refused");
	else if (*member_text(result, "why"))
		add_member(&line, "", result, "why");
	else
		buf_text(&line, _("ok"));
	add_count(&line, result, "defanged", _("URL defanged"), _("URLs defanged"));
	add_count(&line, result, "removed", _("citizen's address removed"), _("citizens' addresses removed"));
	struct json_object *told = member_of(result, "told");
	if (told && json_object_array_length(told))
		buf_printf(&line,
			ngettext(" · tells %zu report of the case", " · tells %zu reports of the case",
				json_object_array_length(told)),
			json_object_array_length(told));
	put_line(call, &line);
	buf_free(&line);
	show_left_out(call, member_of(result, "left_out"));
}

static void show_queued(struct call *call, struct json_object *result)
{
	struct buf line = {0};

	if (!strcmp(member_text(result, "state"), "held")) {
		add_member(&line, "", result, "number");
		add_member(&line, _(" waits for a second person: cirt approve give "), result, "number");
	} else {
		add_member(&line, _("queued: "), result, "number");
		buf_printf(&line, _(" goes in %lld s. cirt undo takes it back"),
			(long long)member_number(result, "seconds"));
	}
	put_line(call, &line);
	buf_free(&line);
}

/* ---- asking ---- */

/* One question to the desk. Out: the answer's result, to be put back; NULL: it was told why, and *code says
 * so. */
static struct json_object *ask(struct call *call, const char *method, struct json_object *params, int *code)
{
	struct rpc_message answer;
	struct err err;
	struct json_object *result = NULL;

	*code = call_connect(call);
	if (*code != EXIT_DONE)
		return NULL;
	if (!link_call(call->link, method, params, NULL, NULL, &answer, &err)) {
		*code = call_broken(call, &err);
		return NULL;
	}
	if (answer.kind == RPC_ERROR)
		*code = call_failed(call, &answer);
	else
		result = json_object_get(answer.result);
	rpc_free(&answer);
	return result;
}

static void set_text(struct json_object *params, const char *name, struct str text)
{
	json_object_object_add(params, name, json_object_new_string_len(text.p, (int)text.len));
}

static void set_flag(struct json_object *params, const char *name, bool value)
{
	json_object_object_del(params, name);
	if (value)
		json_object_object_add(params, name, json_object_new_boolean(true));
}

/* What was asked, without what is for us alone. */
static struct json_object *params_of(const struct call *call)
{
	struct json_object *params = NULL;

	json_object_deep_copy(call->invocation->params, &params, NULL);
	json_object_object_del(params, "yes");
	json_object_object_del(params, "text");
	return params;
}

/* A line from the person; false at the end of input. */
static bool read_line(char line[80])
{
	fflush(stdout);
	return fgets(line, 80, stdin) != NULL;
}

/* What is queued may be taken back while it waits. */
static void offer_undo(struct call *call, struct json_object *result)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	int64_t seconds = member_number(result, "seconds");
	struct json_object *params, *undone;
	char line[80];
	int code;

	screen_printf(&call->screen, _("u = undo (%lld s), Enter = done: "), (long long)seconds);
	screen_flush(&call->screen);
	if (poll(&input, 1, (int)(seconds * 1000)) <= 0 || !read_line(line) ||
		(line[0] != 'u' && line[0] != 'U'))
		return;
	params = json_object_new_object();
	snprintf(line, sizeof(line), "%lld", (long long)member_number(result, "act"));
	set_text(params, "act", str_of(line));
	undone = ask(call, "undo", params, &code);
	if (undone) {
		struct buf said = {0};
		screen_cell(str_of(member_text(undone, "said")), &said);
		screen_printf(&call->screen, _("undone: %s\n"), buf_cstr(&said));
		buf_free(&said);
	}
	json_object_put(undone);
	json_object_put(params);
}

/* Send it; false where the desk refused. */
static bool send_it(struct call *call, struct json_object *params, bool shown, int *code)
{
	struct json_object *result;

	set_flag(params, "dry_run", false);
	result = ask(call, call->method, params, code);
	if (!result)
		return false;
	if (call->invocation->json) {
		call_json(call, result);
	} else {
		if (!shown)
			show_plan(call, result);
		show_queued(call, result);
		if (call->screen.terminal && isatty(STDIN_FILENO) &&
			!strcmp(member_text(result, "state"), "queued"))
			offer_undo(call, result);
	}
	json_object_put(result);
	return true;
}

/* What a draft begins with: put_file() writes these, in this order. */
static const struct {
	const char *label, *member;
} heads[] = {{"To:", "to"}, {"Subject:", "subject"}, {"TLP:", "tlp"}};

static bool is_head(struct str line, size_t i)
{
	size_t len = strlen(heads[i].label);

	return line.len >= len && str_equal_nocase((struct str){line.p, len}, str_of(heads[i].label));
}

/* What was written, into params. */
static bool take_file(struct str file, struct json_object *params, struct err *err)
{
	struct str line;

	if (!utf8_valid(file))
		return err_set(err, ERR_MALFORMED, "%s", _("the text is not UTF-8"));
	while (file.len > 0) {
		struct str rest = file;
		bool known = false;
		if (!str_split(&rest, '\n', &line))
			break;
		for (size_t i = 0; i < ARRAY_LEN(heads) && !known; i++) {
			size_t len = strlen(heads[i].label);
			if (!is_head(line, i))
				continue;
			set_text(params, heads[i].member,
				str_trim((struct str){line.p + len, line.len - len}));
			known = true;
		}
		if (!known && str_trim(line).len > 0)
			break;
		file = rest.p ? rest : STR("");
		if (!known)
			break;
	}
	if (file.len > TEXT_MAX)
		return err_set(err, ERR_NOSPACE, _("a mail has at most %d bytes of text"), TEXT_MAX);
	set_text(params, "text", file);
	return true;
}

static bool is_draft(struct str text)
{
	struct str line;

	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		if (!str_split(&text, '\n', &line) || !is_head(line, i))
			return false;
	return true;
}

/* A text, or a draft that was kept: its heads count where the command line says nothing else. */
static bool take_text(struct call *call, struct str text, struct json_object *params, struct err *err)
{
	if (!is_draft(text)) {
		set_text(params, "text", text);
		return true;
	}
	if (!take_file(text, params, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		if (member_of(call->invocation->params, heads[i].member))
			set_text(params, heads[i].member,
				str_of(member_text(call->invocation->params, heads[i].member)));
	return true;
}

/* ---- with a text that is there ---- */

static void complain_of_file(const char *file, const struct err *err)
{
	bool named = str_starts(str_of(err->text), str_of(file));

	fprintf(stderr, "cirt: %s%s%s\n", named ? "" : file, named ? "" : ": ", err->text);
}

static int run_with_text(struct call *call, struct json_object *params, const char *file)
{
	struct buf text = {0};
	struct json_object *plan;
	struct err err;
	int code = EXIT_DONE;

	if (!text_read(file, TEXT_MAX, &text, &err)) {
		complain_of_file(file, &err);
		buf_free(&text);
		return EXIT_USAGE;
	}
	bool taken = take_text(call, buf_view(&text), params, &err);
	buf_free(&text);
	if (!taken) {
		complain_of_file(file, &err);
		return EXIT_USAGE;
	}
	if (member_true(params, "dry_run")) {
		plan = ask(call, call->method, params, &code);
		if (plan && call->invocation->json)
			call_json(call, plan);
		else if (plan)
			show_plan(call, plan);
		if (plan && *member_text(plan, "refused"))
			code = EXIT_NOT_ALLOWED;
		json_object_put(plan);
		return code;
	}
	send_it(call, params, false, &code);
	return code;
}

/* ---- with an editor ---- */

/* The lines in front of the text, as they may be changed. */
static void put_file(struct json_object *plan, struct buf *file)
{
	buf_printf(file, "To: %s\n", member_text(plan, "to"));
	buf_printf(file, "Subject: %s%s%s\n", member_text(plan, "tags"),
		*member_text(plan, "tags") ? " " : "", member_text(plan, "subject"));
	buf_text(file, "TLP: ");
	upper(str_of(member_text(plan, "tlp")), file);
	buf_text(file, "\n\n");
	buf_text(file, member_text(plan, "text"));
}

enum decision { DECIDE_NO, DECIDE_YES, DECIDE_EDIT };

static enum decision ask_person(struct call *call, bool refused)
{
	char line[80];

	screen_printf(&call->screen, "%s",
		refused ? _("[e]dit again or [n]o: ") : _("send it? [y]es, [e]dit again, [n]o: "));
	screen_flush(&call->screen);
	if (!read_line(line))
		return DECIDE_NO;
	if (line[0] == 'e' || line[0] == 'E')
		return DECIDE_EDIT;
	return (line[0] == 'y' || line[0] == 'Y') && !refused ? DECIDE_YES : DECIDE_NO;
}

static int kept(struct call *call, const struct draft *draft, const char *why)
{
	screen_flush(&call->screen);
	if (*why)
		fprintf(stderr, "cirt: %s\n", why);
	fprintf(stderr, _("Nothing was sent. The draft is kept: %s\n"), draft->path);
	if (*member_text(call->invocation->params, "what"))
		fprintf(stderr, _("as it is now: cirt reply %s --text %s\n"),
			member_text(call->invocation->params, "what"), draft->path);
	else
		fprintf(stderr, _("as it is now: cirt mail --case %s --to %s --text %s\n"),
			member_text(call->invocation->params, "case"),
			member_text(call->invocation->params, "to"), draft->path);
	return EXIT_FAILED;
}

/* One round of writing and looking at it. True: it is over, with *code. */
static bool write_round(struct call *call, struct json_object *params, struct json_object *begun,
	const struct draft *draft, int *code)
{
	struct buf text = {0};
	struct json_object *plan;
	struct err err;
	enum decision decision;

	if (!draft_edit(draft, &text, &err) || !take_file(buf_view(&text), params, &err)) {
		buf_free(&text);
		*code = kept(call, draft, err.text);
		return true;
	}
	buf_free(&text);
	set_flag(params, "dry_run", true);
	plan = ask(call, call->method, params, code);
	if (plan) {
		if (member_of(begun, "left_out"))
			json_object_object_add(
				plan, "left_out", json_object_get(member_of(begun, "left_out")));
		show_plan(call, plan);
		if (member_true(call->invocation->params, "yes") && !*member_text(plan, "refused"))
			decision = DECIDE_YES;
		else
			decision = ask_person(call, *member_text(plan, "refused") != 0);
		json_object_put(plan);
	} else {
		decision = ask_person(call, true);
	}
	if (decision == DECIDE_EDIT)
		return false;
	if (decision == DECIDE_YES && send_it(call, params, true, code))
		draft_done(draft);
	else
		*code = kept(call, draft, "");
	return true;
}

static int run_with_editor(struct call *call, struct json_object *params)
{
	struct json_object *begun;
	struct draft draft;
	struct buf file = {0};
	struct err err;
	int code;

	set_flag(params, "draft", true);
	begun = ask(call, call->method, params, &code);
	set_flag(params, "draft", false);
	if (!begun)
		return code;
	put_file(begun, &file);
	if (draft_begin(*member_text(begun, "case") ? member_text(begun, "case") : "mail", buf_view(&file),
		    &draft, &err)) {
		while (!write_round(call, params, begun, &draft, &code))
			;
	} else {
		code = call_broken(call, &err);
	}
	draft_free(&draft);
	buf_free(&file);
	json_object_put(begun);
	return code;
}

static int run_draft(struct call *call, struct json_object *params)
{
	struct buf file = {0}, safe = {0};
	struct json_object *plan;
	int code;

	plan = ask(call, call->method, params, &code);
	if (!plan)
		return code;
	if (call->invocation->json) {
		call_json(call, plan);
	} else {
		put_file(plan, &file);
		screen_safe(buf_view(&file), &safe);
		buf_str(&call->screen.out, buf_view(&safe));
	}
	buf_free(&file);
	buf_free(&safe);
	json_object_put(plan);
	return code;
}

static int run_reply(struct call *call)
{
	struct json_object *params = params_of(call);
	const char *file = member_text(call->invocation->params, "text");
	int code;

	if (member_true(params, "draft")) {
		code = run_draft(call, params);
	} else if (*file) {
		code = run_with_text(call, params, file);
	} else if (isatty(STDIN_FILENO) && call->screen.terminal) {
		code = run_with_editor(call, params);
	} else {
		fputs(_("cirt: there is no terminal for an editor: say the text by --text FILE, or --text - "
			"for "
			"standard input\n"),
			stderr);
		code = EXIT_USAGE;
	}
	json_object_put(params);
	return code;
}

const struct command reply_commands[] = {
	{"reply", NULL, run_reply},
	{"mail", NULL, run_reply},
	{NULL, NULL, NULL},
};
