#include "config.h"

#include "model/regime.h"

#include <string.h>

static const struct sheet_key keys[] = {
	{NULL, "title", SHEET_TEXT, true, NULL},
	{NULL, "law", SHEET_TEXT, false, NULL},
	SHEET_CONDITIONS,
	{"stage", "title", SHEET_TEXT, true, NULL},
	{"stage", "whose", SHEET_WORD, false, "theirs ours"},
	{"stage", "from", SHEET_NAME, true, NULL},
	{"stage", "within", SHEET_TIME, true, NULL},
	{"stage", "ends", SHEET_WORD, false, "exact day working-day"},
	{"stage", "warn", SHEET_TIME, false, NULL},
	{"stage", "answer", SHEET_TIME, false, NULL},
	{"stage", "answer_warn", SHEET_TIME, false, NULL},
	{NULL, NULL, SHEET_TEXT, false, NULL},
};
static const struct sheet_section sections[] = {{"stage", "stages", "stage"}, {NULL, NULL, NULL}};
static const struct sheet_kind kind = {keys, sections};

static const char *member(struct json_object *stage, const char *name)
{
	struct json_object *value = json_object_object_get(stage, name);

	return value ? json_object_get_string(value) : "";
}

/* Whether one of the first `count` stages has this name. */
static bool is_before(struct json_object *stages, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(member(json_object_array_get_idx(stages, i), "stage"), name))
			return true;
	return false;
}

static bool stages_follow(struct json_object *stages, int *line, struct buf *fault)
{
	for (size_t i = 0; i < json_object_array_length(stages); i++) {
		struct json_object *stage = json_object_array_get_idx(stages, i);
		const char *name = member(stage, "stage"), *from = member(stage, "from");
		*line = json_object_get_int(json_object_object_get(stage, "line"));
		if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name) || name[0] == '-')
			buf_printf(fault, "a stage's name of a-z, 0-9 and - was expected, not \"%s\"", name);
		else if (is_before(stages, i, name) || !strcmp(name, "aware"))
			buf_printf(fault, "a name of its own was expected: there is a stage \"%s\" already",
				name);
		else if (strcmp(from, "aware") != 0 && !is_before(stages, i, from))
			buf_printf(fault,
				"from = aware, or a stage before this one, was expected, not \"%s\"", from);
		else if (*member(stage, "answer") && !strcmp(member(stage, "whose"), "ours"))
			buf_text(fault, "an answer is owed for a stage of theirs only");
		else
			continue;
		return false;
	}
	*line = 1;
	if (json_object_array_length(stages) == 0)
		buf_text(fault, "at least one [stage NAME] was expected");
	return json_object_array_length(stages) > 0;
}

struct json_object *regime_read(struct str bytes, int *line, struct buf *fault)
{
	struct json_object *regime = sheet_read(&kind, bytes, line, fault);

	if (regime && !stages_follow(json_object_object_get(regime, "stages"), line, fault)) {
		json_object_put(regime);
		return NULL;
	}
	return regime;
}
