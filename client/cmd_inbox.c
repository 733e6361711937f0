#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/inbox.h"
#include "client/report_act.h"
#include "client/tty.h"

static const struct column list_columns[] = {
	{"group", N_("GROUP"), CELL_NUMBER, false},
	{"n", N_("N"), CELL_NUMBER, false},
	{"what", N_("WHAT"), CELL_TEXT, true},
	{"whose", N_("WHOSE"), CELL_TEXT, true},
	{"last", N_("LAST"), CELL_AGO, false},
	{"suggestion", N_("SUGGESTED"), CELL_TEXT, true},
};

static const struct column show_columns[] = {
	{"what", N_("what"), CELL_TEXT, false},
	{"n", N_("reports"), CELL_NUMBER, false},
	{"whose", N_("whose"), CELL_TEXT, false},
	{"source", N_("source"), CELL_TEXT, false},
	{"from", N_("from"), CELL_TEXT, false},
	{"wrote", N_("people"), CELL_NUMBER, false},
	{"case", N_("case"), CELL_TEXT, false},
	{"tlp", N_("TLP"), CELL_TLP, false},
	{"exercise", N_("EXERCISE"), CELL_TEXT, false},
	{"first", N_("first"), CELL_TIME, false},
	{"last", N_("last"), CELL_TIME, false},
	{"suggestion", N_("suggested"), CELL_TEXT, false},
};

static const struct column whose_columns[] = {
	{"organisation", N_("WHOSE"), CELL_TEXT, true},
	{"n", N_("N"), CELL_NUMBER, false},
};

static const struct column sender_columns[] = {
	{"sender", N_("FROM"), CELL_TEXT, true},
	{"n", N_("N"), CELL_NUMBER, false},
	{"received", N_("RECEIVED"), CELL_AGO, false},
};

static const struct column report_columns[] = {
	{"id", N_("REPORT"), CELL_TEXT, false},
	{"severity", N_("SEVERITY"), CELL_SEVERITY, false},
	{"count", N_("N"), CELL_NUMBER, false},
	{"received", N_("RECEIVED"), CELL_AGO, false},
	{"organisation", N_("WHOSE"), CELL_TEXT, true},
	{"title", N_("TITLE"), CELL_TEXT, true},
};

static void add_suggestion(struct json_object *line)
{
	json_object_object_add(line, "suggestion", json_object_new_string(inbox_suggestion(line)));
}

static void inbox_list(struct call *call, struct json_object *result)
{
	struct json_object *items = member_of(result, "items");

	for (size_t i = 0; items && i < json_object_array_length(items); i++)
		add_suggestion(json_object_array_get_idx(items, i));
	call_page(call, list_columns, ARRAY_LEN(list_columns), result,
		_("Nothing is new. Mails in cases: cirt case list --unread"));
	if (member_number(result, "pending"))
		screen_printf(&call->screen,
			ngettext("%lld report is still being sorted in\n",
				"%lld reports are still being sorted in\n",
				(unsigned long)member_number(result, "pending")),
			(long long)member_number(result, "pending"));
}

static void table_of(struct call *call, const struct column *columns, size_t count, struct json_object *rows)
{
	if (!rows || !json_object_array_length(rows))
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, columns, count, rows);
}

static void inbox_show(struct call *call, struct json_object *result)
{
	add_suggestion(result);
	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
	if (*member_text(result, "text")) {
		screen_printf(&call->screen, "\n");
		screen_block(&call->screen, 2, str_of(member_text(result, "text")));
	}
	table_of(call, whose_columns, ARRAY_LEN(whose_columns), member_of(result, "organisations"));
	table_of(call, report_columns, ARRAY_LEN(report_columns), member_of(result, "items"));
	table_of(call, sender_columns, ARRAY_LEN(sender_columns), member_of(result, "senders"));
}

/* What became of whoever wrote. */
static void inbox_told(struct call *call, struct json_object *result)
{
	struct buf line = {0};

	screen_cell(str_of(member_text(result, "what")), &line);
	screen_printf(&call->screen, "%s\n", buf_cstr(&line));
	buf_free(&line);
}

static int inbox_run(struct call *call)
{
	struct json_object *params = call->invocation->params;

	if (call->invocation->json || member_true(params, "list") || member_of(params, "cursor") ||
		member_of(params, "limit") || !tty_can())
		return call_ask(call);
	return inbox_work(call);
}

const struct command inbox_commands[] = {
	{"inbox", inbox_list, inbox_run},
	{"inbox.show", inbox_show, NULL},
	{"inbox.open", report_act_show, NULL},
	{"inbox.link", report_act_show, NULL},
	{"inbox.reject", report_act_show, NULL},
	{"inbox.notice", report_act_show, NULL},
	{"inbox.answer", inbox_told, NULL},
	{"inbox.done", inbox_told, NULL},
	{NULL, NULL, NULL},
};
