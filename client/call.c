#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/charset.h"
#include "client/choose.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/said.h"
#include "client/seen.h"

static void complain(struct str text)
{
	struct buf safe = {0}, out = {0};
	char charset[CHARSET_NAME];
	bool other = isatty(STDERR_FILENO) && charset_of_terminal(charset);

	screen_safe(text, &safe);
	if (other)
		charset_put(buf_view(&safe), charset, &out);
	fprintf(stderr, "cirt: %s\n", other ? buf_cstr(&out) : buf_cstr(&safe));
	buf_free(&out);
	buf_free(&safe);
}

int call_connect(struct call *call)
{
	struct err err;

	if (call->link || link_open(call->place, &call->link, &err))
		return EXIT_DONE;
	complain(str_of(err.text));
	if (err.code == ERR_MALFORMED)
		return EXIT_USAGE;
	if (err.code == ERR_DENIED && call->place->server) {
		fputs(_("Who vouches for whom: --ca is the server's authority, --certificate and --key are "
			"yours.\n"),
			stderr);
		return EXIT_NOT_ALLOWED;
	}
	if (err.code == ERR_DENIED) {
		fputs(_("You may not talk to the daemon here: ask an administrator.\n"), stderr);
		return EXIT_NOT_ALLOWED;
	}
	fputs(_("Is cirtd running? Another place is said by --socket PATH or --server HOST:PORT.\n"), stderr);
	return EXIT_NO_DAEMON;
}

static const struct {
	int code;
	enum exit_code exit;
} exits[] = {{RPC_NOT_FOUND, EXIT_NOT_FOUND}, {RPC_DENIED, EXIT_NOT_ALLOWED},
	{RPC_INVALID_PARAMS, EXIT_USAGE}, {RPC_UNKNOWN_METHOD, EXIT_FAILED}};

/* "max_lines: expected …" speaks of a parameter; a person typed --max-lines. */
static void complain_of_option(const struct verb *verb, struct str text)
{
	char member[ARGS_MEMBER];
	struct str rest = text, name;
	struct buf line = {0};

	if (verb && str_split(&rest, ':', &name))
		for (const struct verb_option *option = verb->options; option->name && !line.len; option++)
			if (str_equal(name, str_of(args_member(str_of(option->name), member))))
				buf_printf(&line, "--%s:%.*s", option->name, (int)rest.len, rest.p);
	complain(line.len ? buf_view(&line) : text);
	buf_free(&line);
}

static void complain_of_hint(const char *hint)
{
	struct buf said = {0};

	said_translate(str_of(hint), &said);
	complain(buf_view(&said));
	buf_free(&said);
}

/* "there is no operator \"a3\"": where those are that there are; the desk says it itself where that depends.
 */
static void complain_of_list(struct str text)
{
	static const struct {
		const char *word, *noun;
	} called[] = {{"organisation", "org"}, {"act", "undo --list"}};
	struct str word;

	if (!str_starts(text, STR("there is no ")) || memmem(text.p, text.len, "cirt ", 5))
		return;
	text = (struct str){text.p + strlen("there is no "), text.len - strlen("there is no ")};
	str_split(&text, ' ', &word);
	for (size_t i = 0; i < ARRAY_LEN(called); i++)
		if (str_equal(word, str_of(called[i].word)))
			word = str_of(called[i].noun);
	if (verb_find(word, STR("list")))
		fprintf(stderr, _("see: cirt %.*s list\n"), (int)word.len, word.p);
	else if (str_ends(word, STR("--list")))
		fprintf(stderr, _("see: cirt %.*s\n"), (int)word.len, word.p);
}

int call_failed(struct call *call, const struct rpc_message *answer)
{
	const struct verb *verb = call->invocation->verb;
	struct buf said = {0};
	int code = EXIT_FAILED;

	screen_flush(&call->screen);
	said_translate(answer->text, &said);
	complain_of_option(answer->code == RPC_INVALID_PARAMS ? verb : NULL, buf_view(&said));
	buf_free(&said);
	if (answer->code == RPC_INVALID_PARAMS && verb)
		fprintf(stderr, _("for example: %s\n"), verb->example);
	if (answer->code == RPC_NOT_FOUND)
		complain_of_list(answer->text);
	struct json_object *hint = member_of(answer->data, "hint");
	if (hint)
		complain_of_hint(json_object_get_string(hint));
	if (answer->code == RPC_UNKNOWN_METHOD)
		fputs(_("The daemon is of another version than this cirt: `cirt version` shows both.\n"),
			stderr);
	for (size_t i = 0; i < ARRAY_LEN(exits); i++)
		if (exits[i].code == answer->code)
			code = exits[i].exit;
	return code;
}

int call_broken(struct call *call, const struct err *err)
{
	screen_flush(&call->screen);
	complain(str_of(err->text));
	if (call->invocation->verb && call->invocation->verb->changes)
		fputs(_("Whether it was done is not known: look before you say it again.\n"), stderr);
	return err->code == ERR_NOTFOUND ? EXIT_NO_DAEMON : EXIT_FAILED;
}

void call_json(struct call *call, struct json_object *value)
{
	rpc_json_text(&call->screen.out, value, call->screen.terminal);
	buf_char(&call->screen.out, '\n');
}

/* How far the daemon is with what takes long, for who looks. */
static void on_progress(const struct rpc_message *message, void *context)
{
	struct buf what = {0};
	bool *drawn = context;

	if (!str_equal(message->method, STR("audit.progress")))
		return;
	screen_cell(str_of(member_text(message->params, "what")), &what);
	fprintf(stderr, "\r\033[K%lld/%lld %s", (long long)member_number(message->params, "done"),
		(long long)member_number(message->params, "total"), buf_cstr(&what));
	fflush(stderr);
	*drawn = true;
	buf_free(&what);
}

int call_ask(struct call *call)
{
	const struct command *command = command_find(call->method);
	struct rpc_message answer;
	struct err err;
	bool drawn = false;
	int code = call_connect(call);

	if (code != EXIT_DONE)
		return code;
	seen_ask(call);
	bool told = link_call(call->link, call->method, call->invocation->params,
		isatty(STDERR_FILENO) ? on_progress : NULL, &drawn, &answer, &err);
	if (drawn)
		fputs("\r\033[K", stderr);
	if (!told)
		return call_broken(call, &err);
	seen_answer(call, &answer);
	if (answer.kind == RPC_ERROR) {
		code = call_failed(call, &answer);
	} else if (call->invocation->json || !command || !command->show) {
		call_json(call, answer.result);
	} else {
		command->show(call, answer.result);
		code = call->code;
	}
	/* A verb whose answer is a judgement says so by its exit code too. */
	struct json_object *ok = answer.kind == RPC_RESULT ? member_of(answer.result, "ok") : NULL;
	if (ok && !json_object_get_boolean(ok))
		code = EXIT_FAILED;
	rpc_free(&answer);
	return code;
}

static void append_word(struct buf *out, struct str word)
{
	bool plain = word.len > 0;

	for (size_t i = 0; i < word.len; i++)
		plain = plain && (strchr("-_./:@+,=", word.p[i]) || (word.p[i] >= '0' && word.p[i] <= '9') ||
					 ((word.p[i] | 32) >= 'a' && (word.p[i] | 32) <= 'z'));
	buf_char(out, ' ');
	if (plain) {
		buf_str(out, word);
		return;
	}
	buf_char(out, '\'');
	for (size_t i = 0; i < word.len; i++) {
		if (word.p[i] == '\'')
			buf_text(out, "'\\''");
		else
			buf_char(out, word.p[i]);
	}
	buf_char(out, '\'');
}

static void append_option(struct buf *out, const struct verb_option *option, struct json_object *params)
{
	char member[ARGS_MEMBER];
	struct json_object *value = member_of(params, args_member(str_of(option->name), member));

	if (!value || !strcmp(option->name, "cursor"))
		return;
	buf_printf(out, " --%s", option->name);
	if (option->value)
		append_word(out, str_of(json_object_get_string(value)));
}

static void append_arguments(struct buf *out, struct str names, struct json_object *params)
{
	char member[ARGS_MEMBER];
	struct str name;

	while (str_split(&names, ' ', &name)) {
		struct json_object *value = member_of(params, args_member(name, member));
		if (json_object_is_type(value, json_type_array)) {
			for (size_t i = 0; i < json_object_array_length(value); i++)
				append_word(out,
					str_of(json_object_get_string(json_object_array_get_idx(value, i))));
		} else if (value) {
			append_word(out, str_of(json_object_get_string(value)));
		}
	}
}

/* The command as it was typed, to be typed again for the next page. */
void call_more(struct call *call, struct json_object *result)
{
	const struct verb *verb = call->invocation->verb;
	struct json_object *next = member_of(result, "next");
	struct buf line = {0};

	if (!next)
		return;
	buf_printf(&line, "cirt %s %s", verb->noun, verb->verb);
	append_arguments(&line, str_of(verb->arguments), call->invocation->params);
	for (const struct verb_option *option = verb->options; option->name; option++)
		append_option(&line, option, call->invocation->params);
	buf_text(&line, " --cursor");
	append_word(&line, str_of(json_object_get_string(next)));
	struct buf safe = {0};
	screen_cell(buf_view(&line), &safe);
	screen_printf(&call->screen, "%s ", _("more:"));
	buf_str(&call->screen.out, buf_view(&safe));
	buf_char(&call->screen.out, '\n');
	buf_free(&safe);
	buf_free(&line);
}

void call_table(struct call *call, const struct column *columns, size_t count, struct json_object *rows)
{
	const struct invocation *invocation = call->invocation;
	struct buf complaint = {0};
	struct choice choice;

	call->screen.all_columns = invocation->columns != NULL;
	if (choice_make(invocation->columns, invocation->sort, columns, count, rows, &choice, &complaint)) {
		screen_table(&call->screen, choice.columns, choice.count, choice.rows);
	} else {
		complain(buf_view(&complaint));
		call->code = EXIT_USAGE;
	}
	json_object_put(choice.rows);
	buf_free(&complaint);
}

void call_page(struct call *call, const struct column *columns, size_t count, struct json_object *result,
	const char *nothing)
{
	struct json_object *items = member_of(result, "items");

	if (items && json_object_array_length(items))
		call_table(call, columns, count, items);
	else
		screen_printf(&call->screen, "%s\n", nothing);
	call_more(call, result);
}

void call_row(struct call *call, const struct column *columns, size_t count, struct json_object *row)
{
	struct json_object *rows = json_object_new_array();

	json_object_array_add(rows, json_object_get(row));
	screen_table(&call->screen, columns, count, rows);
	json_object_put(rows);
}
