#include "config.h"

#include "client/command.h"
#include "client/i18n.h"

static void show_brief(struct call *call, struct json_object *result)
{
	struct buf safe = {0};

	screen_safe(str_of(member_text(result, "text")), &safe);
	screen_printf(&call->screen, "%s\n", buf_cstr(&safe));
	if (*member_text(result, "gate")) {
		buf_clear(&safe);
		screen_cell(str_of(member_text(result, "gate")), &safe);
		screen_printf(&call->screen, _("(gate: %s)\n"), buf_cstr(&safe));
	}
	buf_free(&safe);
}

const struct command brief_commands[] = {
	{"case.brief", show_brief, NULL},
	{NULL, NULL, NULL},
};
