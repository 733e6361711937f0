#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"report", N_("REPORT"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"tlp", N_("TLP"), CELL_TLP, false},
	{"source", N_("SOURCE"), CELL_TEXT, false},
	{"to", N_("ASKED"), CELL_TEXT, false},
	{"asked", N_("WHEN"), CELL_AGO, false},
	{"number", N_("MAIL OUT"), CELL_TEXT, true},
	{"mail", N_("ANSWER"), CELL_TEXT, true},
	{"form", N_("ALLOWED"), CELL_TEXT, true},
	{"written_by", N_("WRITTEN BY"), CELL_TEXT, true},
	{"note", N_("NOTE"), CELL_TEXT, true},
};

static const struct column one_columns[] = {
	{"state", N_("state"), CELL_TEXT, false},
	{"form", N_("allowed"), CELL_TEXT, false},
	{"source", N_("source"), CELL_TEXT, false},
	{"tlp", N_("TLP"), CELL_TLP, false},
	{"to", N_("asked"), CELL_TEXT, false},
	{"number", N_("mail out"), CELL_TEXT, false},
	{"mail", N_("answer"), CELL_TEXT, false},
	{"written_by", N_("written by"), CELL_TEXT, false},
	{"note", N_("note"), CELL_TEXT, false},
};

static void tlp_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("No source is to answer."));
}

static void tlp_one(struct call *call, struct json_object *result)
{
	screen_object(&call->screen, one_columns, ARRAY_LEN(one_columns), result);
}

const struct command tlp_commands[] = {
	{"tlp.ask", tlp_one, NULL},
	{"tlp.list", tlp_list, NULL},
	{"tlp.grant", tlp_one, NULL},
	{"tlp.refuse", tlp_one, NULL},
	{NULL, NULL, NULL},
};
