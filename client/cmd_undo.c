#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"act", N_("ACT"), CELL_NUMBER, false},
	{"at", N_("WHEN"), CELL_AGO, false},
	{"actor", N_("WHO"), CELL_TEXT, true},
	{"what", N_("WHAT"), CELL_TEXT, true},
	{"until", N_("UNDO UNTIL"), CELL_TIME, COLUMN_SPARE},
	{"undone", N_("UNDONE"), CELL_AGO, false},
};

static void undo_show(struct call *call, struct json_object *result)
{
	struct buf line = {0};

	if (member_of(result, "items")) {
		call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("Nothing was done yet."));
		return;
	}
	screen_cell(str_of(member_text(result, "what")), &line);
	screen_printf(&call->screen, _("undone: %s\n"), buf_cstr(&line));
	buf_clear(&line);
	screen_cell(str_of(member_text(result, "said")), &line);
	if (line.len)
		screen_printf(&call->screen, "%s\n", buf_cstr(&line));
	buf_free(&line);
}

const struct command undo_commands[] = {
	{"undo", undo_show, NULL},
	{NULL, NULL, NULL},
};
