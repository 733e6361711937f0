#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/command.h"
#include "client/draft.h"
#include "client/i18n.h"
#include "client/law.h"
#include "client/when.h"

/* What came by phone, chat or in person: a report of it, or a case with it. */
#define LANDING_TRIES 25         /* so often it is looked whether the report has landed */
#define LANDING_PAUSE 120000000L /* ns */

static const char form[] =
	N_("\n"
	   "# What was said? Lines with # in front are left out; an empty text ends it.\n"
	   "# Who is affected, since when, what was done, who else knows, what is needed.\n");

static void put_due(struct call *call, struct json_object *clock, struct buf *out)
{
	int64_t due = 0;

	screen_cell(str_of(member_text(clock, "whose")), out);
	buf_char(out, ' ');
	screen_cell(str_of(member_text(clock, "what")), out);
	if (clock_parse(str_of(member_text(clock, "due")), &due)) {
		buf_text(out, _(" due "));
		when_due(due, call->screen.now, out);
	}
}

static void put_between(struct buf *out)
{
	buf_text(out, out->len ? " · " : " ");
}

/* What began with the case: playbooks, clocks, laws under which somebody has to file. */
static void show_begun(struct call *call, const char *number, struct json_object *begun)
{
	struct json_object *playbooks = member_of(begun, "playbooks"), *clocks = member_of(begun, "clocks");
	struct buf line = {0};

	for (size_t i = 0; playbooks && i < json_object_array_length(playbooks); i++) {
		struct json_object *playbook = json_object_array_get_idx(playbooks, i);
		put_between(&line);
		buf_text(&line, _("playbook "));
		screen_cell(str_of(member_text(playbook, "playbook")), &line);
		buf_printf(&line, _(": %lld tasks"), (long long)member_number(playbook, "tasks"));
	}
	for (size_t i = 0; clocks && i < json_object_array_length(clocks); i++) {
		put_between(&line);
		put_due(call, json_object_array_get_idx(clocks, i), &line);
	}
	if (line.len)
		screen_printf(&call->screen, "%s\n", buf_cstr(&line));
	buf_free(&line);
	law_show(&call->screen, number, begun, 1);
	if (member_true(begun, "no_law"))
		screen_printf(&call->screen,
			_(" --aware: no law that we know of asks them to file, no clock was started\n"));
}

static void put_tlp(struct call *call, const char *tlp)
{
	char upper[20];
	size_t len = 0;

	for (; tlp[len] && len + 1 < sizeof(upper); len++)
		upper[len] = (char)toupper((unsigned char)tlp[len]);
	upper[len] = 0;
	screen_colored(&call->screen, screen_tlp_color(tlp), upper);
}

static void show_case(struct call *call, struct json_object *result)
{
	struct buf opened = {0};
	int64_t at = 0;

	if (clock_parse(str_of(member_text(result, "opened")), &at))
		when_due(at, call->screen.now, &opened);
	screen_printf(&call->screen, _("%s opened %s · you own it · TLP:"), member_text(result, "case"),
		buf_cstr(&opened));
	put_tlp(call, member_text(result, "tlp"));
	screen_printf(&call->screen, _(" · restricted: %s\n"),
		member_true(result, "restricted") ? _("yes") : _("no"));
	show_begun(call, member_text(result, "case"), member_of(result, "begun"));
	buf_free(&opened);
}

/* The report that the entry has become, once it has landed; the receipt is to be put. */
static struct json_object *await_landing(struct call *call, const char *entry)
{
	static const struct timespec pause = {0, LANDING_PAUSE};

	for (int i = 0; i < LANDING_TRIES; i++) {
		struct json_object *params = json_object_new_object(), *ids = json_object_new_array(),
				   *found = NULL;
		struct rpc_message answer;
		struct err err;
		json_object_array_add(ids, json_object_new_string(entry));
		json_object_object_add(params, "id", ids);
		bool told = link_call(call->link, "receipt", params, NULL, NULL, &answer, &err);
		json_object_put(params);
		if (!told)
			return NULL;
		if (answer.kind == RPC_RESULT) {
			struct json_object *items = member_of(answer.result, "items");
			if (items && json_object_array_length(items))
				found = json_object_get(json_object_array_get_idx(items, 0));
		}
		rpc_free(&answer);
		if (found)
			return found;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void show_taken(struct call *call, struct json_object *result)
{
	const char *number = member_text(result, "case");
	struct json_object *landed = member_of(result, "landed");

	if (member_of(result, "begun"))
		show_case(call, result);
	if (*member_text(result, "problem")) {
		struct buf why = {0};
		screen_cell(str_of(member_text(result, "problem")), &why);
		screen_printf(&call->screen, _("its report could not be taken in: %s\n"), buf_cstr(&why));
		buf_free(&why);
	} else if (landed) {
		screen_printf(&call->screen, _(" report %s%s%s\n"), member_text(landed, "report"),
			*number ? _(" in ") : "", number);
	} else {
		screen_printf(&call->screen, _(" its report is kept and has yet to land: cirt receipt %s\n"),
			member_text(result, "entry"));
	}
	if (*number)
		screen_printf(&call->screen, _(" next: cirt case note %s TEXT, cirt case show %s\n"), number,
			number);
}

/* Lines with # in front are the form's. */
static void leave_out_form(struct str all, struct buf *text)
{
	struct str line;
	struct buf kept = {0};

	while (str_split(&all, '\n', &line)) {
		if (line.len > 0 && line.p[0] == '#')
			continue;
		buf_str(&kept, line);
		buf_char(&kept, '\n');
	}
	buf_str(text, str_trim(buf_view(&kept)));
	buf_free(&kept);
}

static bool write_text(struct buf *text, struct err *err)
{
	struct draft draft;
	struct buf all = {0};
	bool ok = draft_begin("by-hand", str_of(_(form)), &draft, err) && draft_edit(&draft, &all, err);

	if (ok && !utf8_valid(buf_view(&all)))
		ok = err_set(err, ERR_MALFORMED, "%s", _("the text is not UTF-8"));
	if (ok)
		leave_out_form(buf_view(&all), text);
	if (ok && text->len == 0)
		ok = err_set(err, ERR_MALFORMED, "%s", _("the text is empty"));
	draft_done(&draft);
	draft_free(&draft);
	buf_free(&all);
	return ok;
}

/* False: nothing was written. */
static bool have_text(struct call *call, int *code)
{
	struct json_object *params = call->invocation->params;
	struct buf text = {0};
	struct err err;

	if (member_of(params, "text") || member_of(params, "title") || call->invocation->json ||
		!call->screen.terminal || !isatty(STDIN_FILENO))
		return true;
	bool ok = write_text(&text, &err);
	if (ok) {
		json_object_object_add(params, "text", json_object_new_string(buf_cstr(&text)));
	} else {
		fprintf(stderr, _("cirt: %s: nothing is done\n"), err.text);
		*code = EXIT_FAILED;
	}
	buf_free(&text);
	return ok;
}

static int by_hand_run(struct call *call)
{
	struct rpc_message answer;
	struct err err;
	int code = call_connect(call);

	if (code != EXIT_DONE || !have_text(call, &code))
		return code;
	if (!link_call(call->link, call->method, call->invocation->params, NULL, NULL, &answer, &err))
		return call_broken(call, &err);
	if (answer.kind == RPC_ERROR) {
		code = call_failed(call, &answer);
	} else {
		const char *entry = member_text(answer.result, "entry");
		struct json_object *landed = *entry ? await_landing(call, entry) : NULL;
		json_object_object_add(answer.result, "landed", landed);
		if (call->invocation->json)
			call_json(call, answer.result);
		else
			show_taken(call, answer.result);
		code = *entry ? EXIT_DONE : EXIT_FAILED;
	}
	rpc_free(&answer);
	return code;
}

const struct command by_hand_commands[] = {
	{"report.new", show_taken, by_hand_run},
	{"case.open", show_taken, by_hand_run},
	{NULL, NULL, NULL},
};
