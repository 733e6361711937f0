#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"id", N_("ID"), CELL_NUMBER, false},
	{"organisation", N_("ORGANISATION"), CELL_TEXT, true},
	{"role", N_("ROLE"), CELL_TEXT, false},
	{"name", N_("NAME"), CELL_TEXT, true},
	{"email", N_("MAIL"), CELL_TEXT, false},
	{"phone", N_("PHONE"), CELL_TEXT, true},
	{"language", N_("LANGUAGE"), CELL_TEXT, false},
	{"policy", N_("ENCRYPTION"), CELL_TEXT, false},
	{"bounced", N_("BOUNCES SINCE"), CELL_AGO, false},
	{"tested", N_("TESTED"), CELL_AGO, true},
	{"until", N_("UNTIL"), CELL_AGO, false},
};

static const struct column show_columns[] = {
	{"id", N_("contact"), CELL_NUMBER, false},
	{"organisation", N_("organisation"), CELL_TEXT, false},
	{"role", N_("role"), CELL_TEXT, false},
	{"name", N_("name"), CELL_TEXT, false},
	{"email", N_("mail"), CELL_TEXT, false},
	{"phone", N_("phone"), CELL_TEXT, false},
	{"language", N_("language"), CELL_TEXT, false},
	{"zone", N_("time zone"), CELL_TEXT, false},
	{"schedule", N_("schedule"), CELL_TEXT, false},
	{"format", N_("format"), CELL_TEXT, false},
	{"policy", N_("encryption"), CELL_TEXT, false},
	{"pgp", N_("OpenPGP key"), CELL_TEXT, false},
	{"smime", N_("certificate"), CELL_TEXT, false},
	{"priority", N_("priority"), CELL_NUMBER, false},
	{"from", N_("from"), CELL_TIME, false},
	{"until", N_("until"), CELL_TIME, false},
	{"bounced", N_("BOUNCES since"), CELL_TIME, false},
	{"tested", N_("contact tested on"), CELL_TIME, false},
	{"test", N_("last test"), CELL_TEXT, false},
};

static void contact_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result,
		_("No contacts. Make one: cirt contact new ORGANISATION --email ADDRESS"));
}

static void contact_show(struct call *call, struct json_object *result)
{
	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
}

const struct command contact_commands[] = {
	{"contact.list", contact_list, NULL},
	{"contact.new", contact_show, NULL},
	{"contact.set", contact_show, NULL},
	{"contact.close", contact_show, NULL},
	{"contact.test", contact_show, NULL},
	{NULL, NULL, NULL},
};

static const struct column group_columns[] = {
	{"name", N_("GROUP"), CELL_TEXT, false},
	{"title", N_("TITLE"), CELL_TEXT, true},
	{"kind", N_("ALL OF KIND"), CELL_TEXT, false},
	{"sector", N_("ALL OF SECTOR"), CELL_TEXT, false},
	{"members", N_("ORGANISATIONS"), CELL_NUMBER, false},
};

static const struct column group_show_columns[] = {
	{"name", N_("group"), CELL_TEXT, false},
	{"title", N_("title"), CELL_TEXT, false},
	{"kind", N_("all of kind"), CELL_TEXT, false},
	{"sector", N_("all of sector"), CELL_TEXT, false},
	{"members", N_("organisations"), CELL_NUMBER, false},
};

static const struct column member_columns[] = {
	{"name", N_("ORGANISATION"), CELL_TEXT, true},
	{"by", N_("BY"), CELL_TEXT, false},
	{"kind", N_("KIND"), CELL_TEXT, false},
	{"sector", N_("SECTOR"), CELL_TEXT, true},
};

static void group_list(struct call *call, struct json_object *result)
{
	call_page(call, group_columns, ARRAY_LEN(group_columns), result,
		_("No groups. Make one: cirt group new NAME"));
}

static void group_changed(struct call *call, struct json_object *result)
{
	struct json_object *members = member_of(result, "organisations");

	screen_object(&call->screen, group_show_columns, ARRAY_LEN(group_show_columns), result);
	if (!members || json_object_array_length(members) == 0)
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, member_columns, ARRAY_LEN(member_columns), members);
}

static void group_show(struct call *call, struct json_object *result)
{
	group_changed(call, result);
	call_more(call, result);
}

static void group_deleted(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("There is no group %s any more.\n"), member_text(result, "name"));
}

const struct command group_commands[] = {
	{"group.list", group_list, NULL},
	{"group.show", group_show, NULL},
	{"group.new", group_changed, NULL},
	{"group.set", group_changed, NULL},
	{"group.add", group_changed, NULL},
	{"group.remove", group_changed, NULL},
	{"group.delete", group_deleted, NULL},
	{NULL, NULL, NULL},
};
