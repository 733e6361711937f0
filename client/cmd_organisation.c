#include "config.h"

#include "client/command.h"
#include "client/i18n.h"

/* Lines domain,organisation: a file for the lookalike plugin. */
static void organisation_domains(struct call *call, struct json_object *result)
{
	struct json_object *items = member_of(result, "items");
	size_t count = items ? json_object_array_length(items) : 0;
	struct buf cell = {0};

	screen_printf(&call->screen, "domain,organisation\n");
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		buf_clear(&cell);
		screen_cell(str_of(member_text(item, "domain")), &cell);
		buf_char(&cell, ',');
		screen_cell(str_of(member_text(item, "organisation")), &cell);
		screen_printf(&call->screen, "%s\n", buf_cstr(&cell));
	}
	buf_free(&cell);
}

const struct command organisation_commands[] = {
	{"organisation.domains", organisation_domains, NULL},
	{NULL, NULL, NULL},
};
