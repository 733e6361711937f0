#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"name", N_("NAME"), CELL_TEXT, 0, false},
	{"kind", N_("KIND"), CELL_TEXT, 0, false},
	{"state", N_("STATE"), CELL_TEXT, 0, false},
	{"tlp", N_("TLP"), CELL_TLP, 0, false},
	{"trust", N_("TRUST"), CELL_NUMBER, 0, false},
	{"last_seen", N_("LAST SEEN"), CELL_AGO, 0, false},
	{"match", N_("MATCH"), CELL_TEXT, 0.3, true},
};

static const struct column show_columns[] = {
	{"name", N_("source"), CELL_TEXT, 0, false},
	{"kind", N_("kind"), CELL_TEXT, 0, false},
	{"state", N_("state"), CELL_TEXT, 0, false},
	{"match", N_("match"), CELL_TEXT, 0, false},
	{"tlp", N_("TLP"), CELL_TLP, 0, false},
	{"pap", N_("PAP"), CELL_TLP, 0, false},
	{"classification", N_("type"), CELL_TEXT, 0, false},
	{"format", N_("format"), CELL_TEXT, 0, false},
	{"trust", N_("trust"), CELL_NUMBER, 0, false},
	{"interval", N_("interval (s)"), CELL_NUMBER, 0, false},
	{"max_lines", N_("lines/s at most"), CELL_NUMBER, 0, false},
	{"max_bytes", N_("bytes/s at most"), CELL_SIZE, 0, false},
	{"exercise", N_("exercise"), CELL_TEXT, 0, false},
	{"restricted", N_("restricted"), CELL_FLAG, 0, false},
	{"may_notify_affected", N_("may notify affected"), CELL_FLAG, 0, false},
	{"authenticated", N_("has a secret"), CELL_FLAG, 0, false},
	{"created", N_("made"), CELL_TIME, 0, false},
	{"entries", N_("entries"), CELL_NUMBER, 0, false},
	{"reports", N_("reports"), CELL_NUMBER, 0, false},
	{"folded", N_("seen again"), CELL_NUMBER, 0, false},
	{"quarantined", N_("quarantined"), CELL_NUMBER, 0, false},
	{"last_seen", N_("last seen"), CELL_TIME, 0, false},
};

static void source_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result,
		_("No sources. Let one in: cirt source add NAME --kind sensor --match san:NAME"));
}

static void source_show(struct call *call, struct json_object *result)
{
	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
}

static void source_changed(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("%s is %s. The doors know within a few seconds.\n"),
		member_text(result, "name"), member_text(result, "state"));
}

const struct command source_commands[] = {
	{"source.list", source_list, NULL},
	{"source.show", source_show, NULL},
	{"source.add", source_changed, NULL},
	{"source.disable", source_changed, NULL},
	{"source.enable", source_changed, NULL},
	{NULL, NULL, NULL},
};
