#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"id", N_("ID"), CELL_NUMBER, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"received", N_("RECEIVED"), CELL_AGO, false},
	{"source", N_("SOURCE"), CELL_TEXT, COLUMN_SPARE},
	{"what", N_("WHAT"), CELL_TEXT, true},
	{"size", N_("SIZE"), CELL_SIZE, COLUMN_SPARE},
	{"stage", N_("STAGE"), CELL_TEXT, COLUMN_SPARE},
	{"reason", N_("REASON"), CELL_TEXT, true},
};

static const struct column show_columns[] = {
	{"id", N_("quarantined"), CELL_NUMBER, false},
	{"state", N_("state"), CELL_TEXT, false},
	{"reason", N_("reason"), CELL_TEXT, false},
	{"stage", N_("stage"), CELL_TEXT, false},
	{"what", N_("what"), CELL_TEXT, false},
	{"format", N_("format"), CELL_TEXT, false},
	{"size", N_("size"), CELL_SIZE, false},
	{"source", N_("source"), CELL_TEXT, false},
	{"exercise", N_("EXERCISE"), CELL_TEXT, false},
	{"entry", N_("entry"), CELL_TEXT, false},
	{"received", N_("received"), CELL_TIME, false},
	{"acted_by", N_("acted on by"), CELL_TEXT, false},
	{"acted_at", N_("acted on"), CELL_TIME, false},
	{"acted_reason", N_("because"), CELL_TEXT, false},
};

static void quarantine_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("Nothing is in quarantine."));
}

static void quarantine_show(struct call *call, struct json_object *result)
{
	const char *text = member_text(result, "text");

	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
	if (!*text)
		return;
	screen_printf(&call->screen, "\n");
	screen_block(&call->screen, 2, str_of(text));
	if (member_true(result, "cut"))
		screen_printf(&call->screen, "%s\n", _("  … all of it: --bytes --json"));
}

static void quarantine_acted(struct call *call, struct json_object *result)
{
	static const struct column columns[] = {
		{"id", N_("ID"), CELL_NUMBER, false},
		{"state", N_("STATE"), CELL_TEXT, false},
		{"entry", N_("RUN AGAIN AS"), CELL_TEXT, false},
	};

	call_table(call, columns, ARRAY_LEN(columns), member_of(result, "items"));
}

const struct command quarantine_commands[] = {
	{"quarantine.list", quarantine_list, NULL},
	{"quarantine.show", quarantine_show, NULL},
	{"quarantine.release", quarantine_acted, NULL},
	{"quarantine.discard", quarantine_acted, NULL},
	{NULL, NULL, NULL},
};
