#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/report_act.h"

/*
 * What is done to many reports at once: by a filter it is shown first to how many, and a person is asked.
 */
static const struct column group_columns[] = {
	{"n", N_("N"), CELL_NUMBER, false},
	{"source", N_("SOURCE"), CELL_TEXT, true},
	{"type", N_("TYPE"), CELL_TEXT, true},
	{"identifier", N_("IDENTIFIER"), CELL_TEXT, true},
	{"state", N_("STATE"), CELL_TEXT, false},
};

void report_act_show(struct call *call, struct json_object *result)
{
	struct buf line = {0};

	screen_cell(str_of(member_text(result, "what")), &line);
	screen_printf(&call->screen, "%s%s\n", buf_cstr(&line),
		member_true(result, "dry_run") ? _(": nothing is done yet") : "");
	buf_free(&line);
	if (member_number(result, "left_out"))
		screen_printf(&call->screen, _("%lld stay as they are: it is so already, or does not go\n"),
			(long long)member_number(result, "left_out"));
	if (member_number(result, "act"))
		screen_printf(
			&call->screen, _("undo: cirt undo %lld\n"), (long long)member_number(result, "act"));
}

static void show_preview(struct call *call, struct json_object *result)
{
	struct json_object *groups = member_of(result, "groups");

	report_act_show(call, result);
	if (groups && json_object_array_length(groups))
		screen_table(&call->screen, group_columns, ARRAY_LEN(group_columns), groups);
}

static void act_shown(struct call *call, struct json_object *result)
{
	if (member_true(result, "dry_run"))
		show_preview(call, result);
	else
		report_act_show(call, result);
}

bool ask_yes(const char *question)
{
	char answer[64];

	fputs(question, stdout);
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* True: go on. Else *code is how this ends. */
static bool preview(struct call *call, int *code)
{
	struct json_object *params = call->invocation->params;
	struct rpc_message answer;
	struct err err;

	*code = call_connect(call);
	if (*code != EXIT_DONE)
		return false;
	json_object_object_add(params, "dry_run", json_object_new_boolean(true));
	bool told = link_call(call->link, call->method, params, NULL, NULL, &answer, &err);
	json_object_object_del(params, "dry_run");
	if (!told) {
		*code = call_broken(call, &err);
		return false;
	}
	if (answer.kind == RPC_ERROR) {
		*code = call_failed(call, &answer);
		rpc_free(&answer);
		return false;
	}
	bool any = member_number(answer.result, "reports") > 0;
	show_preview(call, answer.result);
	screen_flush(&call->screen);
	rpc_free(&answer);
	return any && ask_yes(_("Do it? [y/N] "));
}

static bool is_named(const struct invocation *invocation)
{
	return member_of(invocation->params, "report") != NULL;
}

static int act_run(struct call *call)
{
	const struct invocation *invocation = call->invocation;
	int code;

	if (is_named(invocation) || member_true(invocation->params, "yes") ||
		member_true(invocation->params, "dry_run"))
		return call_ask(call);
	if (!isatty(STDIN_FILENO) || !call->screen.terminal || invocation->json) {
		fprintf(stderr,
			_("cirt %s %s: --dry-run shows what it would be done to, --yes does it to all of "
			  "them\n"),
			invocation->verb->noun, invocation->verb->verb);
		return EXIT_USAGE;
	}
	return preview(call, &code) ? call_ask(call) : code;
}

const struct command report_act_commands[] = {
	{"report.link", act_shown, act_run},
	{"report.unlink", act_shown, act_run},
	{"report.reject", act_shown, act_run},
	{"report.answered", act_shown, act_run},
	{"report.reopen", act_shown, act_run},
	{"report.reclassify", act_shown, act_run},
	{"report.retag", act_shown, act_run},
	{"report.reassign", act_shown, act_run},
	{NULL, NULL, NULL},
};
