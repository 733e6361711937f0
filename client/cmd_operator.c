#include "config.h"

#include <stdio.h>

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/remote.h"

static const struct column list_columns[] = {
	{"operator", N_("OPERATOR"), CELL_TEXT, false},
	{"role", N_("ROLE"), CELL_TEXT, false},
	{"uid", N_("UID"), CELL_TEXT, false},
	{"certificate", N_("CERTIFICATE"), CELL_TEXT, true},
	{"enabled", N_("MAY COME"), CELL_FLAG, false},
	{"configured", N_("BY CONFIGURATION"), CELL_FLAG, false},
	{"cases", N_("CASES"), CELL_NUMBER, false},
	{"tasks", N_("TASKS"), CELL_NUMBER, false},
	{"added", N_("SINCE"), CELL_AGO, false},
};

static const struct column show_columns[] = {
	{"role", N_("role"), CELL_TEXT, false},
	{"uid", N_("Unix user"), CELL_TEXT, false},
	{"certificate", N_("certificate"), CELL_TEXT, false},
	{"enabled", N_("may come"), CELL_FLAG, false},
	{"configured", N_("by configuration"), CELL_FLAG, false},
	{"cases", N_("open cases"), CELL_NUMBER, false},
	{"tasks", N_("open tasks"), CELL_NUMBER, false},
	{"restricted_cases", N_("member of"), CELL_LIST, false},
	{"added", N_("since"), CELL_TIME, false},
};

static void operator_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("Nobody."));
}

static void operator_show(struct call *call, struct json_object *result)
{
	screen_heading(&call->screen, member_text(result, "operator"));
	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
}

/* His open work waits for somebody else. */
static void operator_disabled(struct call *call, struct json_object *result)
{
	const char *name = member_text(result, "operator");

	screen_printf(&call->screen, _("%s may come no more; what he is connected by ends now.\n"), name);
	if (member_number(result, "cases"))
		screen_printf(&call->screen, _("%lld open cases are his: cirt case list --assignee %s\n"),
			(long long)member_number(result, "cases"), name);
}

static void whoami_show(struct call *call, struct json_object *result)
{
	struct buf name = {0};

	screen_cell(str_of(member_text(result, "operator")), &name);
	if (*member_text(result, "certificate"))
		screen_printf(&call->screen, _("%s · %s · by the certificate %s\n"), buf_cstr(&name),
			member_text(result, "role"), member_text(result, "certificate"));
	else
		screen_printf(&call->screen, _("%s · %s · by the Unix user %lld%s\n"), buf_cstr(&name),
			member_text(result, "role"), (long long)member_number(result, "uid"),
			member_true(result, "configured") ? _(", whom the configuration makes admin") : "");
	buf_free(&name);
}

/* --certificate: a file is read here, as the desk reads none. */
static int operator_change(struct call *call)
{
	struct json_object *params = call->invocation->params;
	const char *said = member_text(params, "certificate");
	char pin[SHA256_HEX];
	struct err err;

	if (*said && strlen(said) != SHA256_HEX - 1 && !strchr(said, ':')) {
		if (!remote_certificate_pin(said, pin, &err)) {
			fprintf(stderr, "cirt: %s\n", err.text);
			return EXIT_USAGE;
		}
		json_object_object_add(params, "certificate", json_object_new_string(pin));
	}
	return call_ask(call);
}

const struct command operator_commands[] = {
	{"operator.list", operator_list, NULL},
	{"operator.show", operator_show, NULL},
	{"operator.new", operator_show, operator_change},
	{"operator.set", operator_show, operator_change},
	{"operator.disable", operator_disabled, NULL},
	{"operator.enable", operator_show, NULL},
	{"whoami", whoami_show, NULL},
	{NULL, NULL, NULL},
};
