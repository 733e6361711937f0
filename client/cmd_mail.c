#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"id", N_("MAIL"), CELL_TEXT, false},
	{"kind", N_("KIND"), CELL_TEXT, false},
	{"received", N_("RECEIVED"), CELL_AGO, false},
	{"case", N_("CASE"), CELL_TEXT, false},
	{"sender", N_("FROM"), CELL_TEXT, true},
	{"title", N_("SUBJECT"), CELL_TEXT, true},
};

static const struct column show_columns[] = {
	{"title", N_("subject"), CELL_TEXT, false},
	{"sender", N_("from"), CELL_TEXT, false},
	{"kind", N_("kind"), CELL_TEXT, false},
	{"case", N_("case"), CELL_TEXT, false},
	{"way", N_("found by"), CELL_TEXT, false},
	{"known", N_("known to the case"), CELL_FLAG, false},
	{"tlp", N_("TLP"), CELL_TLP, false},
	{"source", N_("source"), CELL_TEXT, false},
	{"exercise", N_("EXERCISE"), CELL_TEXT, false},
	{"received", N_("received"), CELL_TIME, false},
	{"message_id", N_("message id"), CELL_TEXT, false},
	{"notes", N_("notes"), CELL_LIST, false},
};

static const struct column verdict_columns[] = {
	{"rule", N_("RULE"), CELL_TEXT, false},
	{"engine", N_("ENGINE"), CELL_TEXT, false},
	{"part", N_("IN"), CELL_TEXT, true},
	{"outcome", N_("OUTCOME"), CELL_TEXT, true},
};

static void mail_search(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("No such mail."));
}

static void mail_show(struct call *call, struct json_object *result)
{
	screen_heading(&call->screen, member_text(result, "id"));
	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
	screen_printf(&call->screen, "\n");
	screen_block(&call->screen, 2, str_of(member_text(result, "text")));
	struct json_object *verdicts = member_of(result, "verdicts");
	if (verdicts && json_object_array_length(verdicts)) {
		screen_printf(&call->screen, "\n");
		screen_table(&call->screen, verdict_columns, ARRAY_LEN(verdict_columns), verdicts);
	}
}

const struct command mail_commands[] = {
	{"mail.search", mail_search, NULL},
	{"mail.show", mail_show, NULL},
	{NULL, NULL, NULL},
};
