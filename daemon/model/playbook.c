#include "config.h"

#include "model/playbook.h"

static const struct sheet_key keys[] = {
	{NULL, "title", SHEET_TEXT, true, NULL},
	SHEET_CONDITIONS,
	{"task", "text", SHEET_TEXT, true, NULL},
	{"task", "due", SHEET_WORKTIME, false, NULL},
	{"task", "assignee", SHEET_TEXT, false, NULL},
	{"clock", "what", SHEET_TEXT, true, NULL},
	{"clock", "within", SHEET_WORKTIME, true, NULL},
	{"clock", "warn", SHEET_TIME, false, NULL},
	{"clock", "whose", SHEET_WORD, false, "ours theirs"},
	{"clock", "ends", SHEET_WORD, false, "taken mailed contained resolved closed"},
	{"filing", "stage", SHEET_NAME, true, NULL},
	{"filing", "receipt", SHEET_WORD, false, "by-hand never"},
	{NULL, NULL, SHEET_TEXT, false, NULL},
};
static const struct sheet_section sections[] = {{"task", "tasks", NULL}, {"clock", "clocks", NULL},
	{"filing", "filings", "regime"}, {NULL, NULL, NULL}};
static const struct sheet_kind kind = {keys, sections};

struct json_object *playbook_read(struct str bytes, int *line, struct buf *fault)
{
	struct json_object *playbook = sheet_read(&kind, bytes, line, fault);
	size_t content = 0;

	for (const struct sheet_section *section = sections; playbook && section->word; section++)
		content += json_object_array_length(json_object_object_get(playbook, section->list));
	if (playbook && content == 0) {
		*line = 1;
		buf_text(fault, "at least one [task], [clock] or [filing REGIME] was expected");
		json_object_put(playbook);
		return NULL;
	}
	return playbook;
}
