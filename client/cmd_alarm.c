#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"id", N_("ID"), CELL_NUMBER, false},
	{"raised", N_("SINCE"), CELL_AGO, false},
	{"last", N_("LAST"), CELL_AGO, false},
	{"count", N_("TIMES"), CELL_NUMBER, false},
	{"kind", N_("KIND"), CELL_TEXT, false},
	{"subject", N_("WHAT"), CELL_TEXT, true},
	{"text", N_("SAYS"), CELL_TEXT, true},
	{"ended_by", N_("SEEN BY"), CELL_TEXT, true},
};

static void alarm_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("No alarms."));
}

static void alarm_ack(struct call *call, struct json_object *result)
{
	screen_printf(
		&call->screen, _("Alarm %lld is acknowledged.\n"), (long long)member_number(result, "id"));
}

const struct command alarm_commands[] = {
	{"alarm.list", alarm_list, NULL},
	{"alarm.ack", alarm_ack, NULL},
	{NULL, NULL, NULL},
};
