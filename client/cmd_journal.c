#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column columns[] = {
	{"at", N_("WHEN"), CELL_TIME, false},
	{"actor", N_("WHO"), CELL_TEXT, false},
	{"object", N_("OBJECT"), CELL_TEXT, true},
	{"what", N_("WHAT"), CELL_TEXT, true},
};

static void journal_show(struct call *call, struct json_object *result)
{
	call_page(call, columns, ARRAY_LEN(columns), result, _("Nothing of that stands in the journal."));
}

const struct command journal_commands[] = {
	{"journal", journal_show, NULL},
	{NULL, NULL, NULL},
};
