#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"approval", N_("APPROVAL"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"asked", N_("ASKED"), CELL_AGO, false},
	{"asked_by", N_("BY"), CELL_TEXT, true},
	{"due", N_("UNTIL"), CELL_TIME, true},
	{"what", N_("WHAT"), CELL_TEXT, true},
	{"why", N_("WHY"), CELL_TEXT, true},
	{"answered_by", N_("ANSWERED BY"), CELL_TEXT, true},
};

static const struct column show_columns[] = {
	{"what", N_("what"), CELL_TEXT, false},
	{"why", N_("why"), CELL_TEXT, false},
	{"meaning", N_("kind"), CELL_TEXT, false},
	{"object", N_("object"), CELL_TEXT, false},
	{"state", N_("state"), CELL_TEXT, false},
	{"asked", N_("asked"), CELL_TIME, false},
	{"asked_by", N_("by"), CELL_TEXT, false},
	{"due", N_("countersign until"), CELL_TIME, false},
	{"answered", N_("answered"), CELL_TIME, false},
	{"answered_by", N_("by"), CELL_TEXT, false},
	{"answer", N_("saying"), CELL_TEXT, false},
};

bool approval_show(struct call *call, struct json_object *result)
{
	struct json_object *approval = member_of(result, "approval");
	struct buf what = {0};

	if (!json_object_is_type(approval, json_type_object))
		return false;
	screen_cell(str_of(member_text(approval, "what")), &what);
	if (member_true(result, "waits"))
		screen_printf(&call->screen,
			_("waits for a second person: %s\nnext, by somebody else: cirt approve give %s\n"),
			buf_cstr(&what), member_text(approval, "approval"));
	if (member_true(result, "again"))
		screen_printf(&call->screen, "%s\n", _("then say it again yourself, within a day"));
	if (!member_true(result, "waits"))
		screen_printf(&call->screen,
			_("done alone: %s\nthe lead is alarmed, and somebody else countersigns within 24 "
			  "hours: "
			  "cirt approve give %s\n"),
			buf_cstr(&what), member_text(approval, "approval"));
	buf_free(&what);
	return true;
}

static void approve_list(struct call *call, struct json_object *result)
{
	call_page(
		call, list_columns, ARRAY_LEN(list_columns), result, _("Nothing waits for a second person."));
}

static void approve_show(struct call *call, struct json_object *result)
{
	screen_heading(&call->screen, member_text(result, "approval"));
	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
}

/* A mail that waited for two people answers as a notice does. */
static void approve_done(struct call *call, struct json_object *result)
{
	struct buf what = {0};

	if (*member_text(result, "number")) {
		screen_printf(&call->screen, "%s: %s\n", member_text(result, "number"),
			member_text(result, "state"));
		return;
	}
	screen_cell(str_of(member_text(result, "what")), &what);
	screen_printf(&call->screen, "%s: %s (%s)\n", member_text(result, "approval"),
		member_text(result, "state"), buf_cstr(&what));
	buf_free(&what);
}

const struct command approve_commands[] = {
	{"approve.list", approve_list, NULL},
	{"approve.show", approve_show, NULL},
	{"approve.give", approve_done, NULL},
	{"approve.refuse", approve_done, NULL},
	{NULL, NULL, NULL},
};
