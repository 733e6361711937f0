#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column receipt_columns[] = {
	{"entry", N_("receipt"), CELL_TEXT, false},
	{"session", N_("session"), CELL_TEXT, false},
	{"line", N_("line"), CELL_NUMBER, false},
	{"state", N_("state"), CELL_TEXT, false},
	{"received", N_("received"), CELL_TIME, false},
	{"landed", N_("landed"), CELL_TIME, false},
	{"source", N_("source"), CELL_TEXT, false},
	{"exercise", N_("EXERCISE"), CELL_TEXT, false},
	{"format", N_("format"), CELL_TEXT, false},
	{"size", N_("size"), CELL_SIZE, false},
	{"digest", N_("SHA-256"), CELL_TEXT, false},
	{"node", N_("node"), CELL_TEXT, false},
	{"envelope", N_("envelope"), CELL_TEXT, false},
};

static const struct column item_columns[] = {
	{"item", N_("ITEM"), CELL_NUMBER, false},
	{"became", N_("BECAME"), CELL_TEXT, false},
	{"which", N_("WHICH"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"case", N_("CASE"), CELL_TEXT, false},
	{"about", N_("ABOUT"), CELL_TEXT, true},
};

/* A state in words; "" where the word says it all. */
static const char *explanation(const char *state)
{
	static const struct {
		const char *state;
		const char *text;
	} texts[] = {
		{"pending", N_("It is durable in the spool and waits to be read and landed.")},
		{"landed", N_("It has landed. What became of it is in the database, which is away.")},
		{"taken", N_("It is durable. Whether it has landed is in the database, which is away.")},
		{"quarantined", N_("It could not be read as a whole: cirt quarantine show")},
		{"released", N_("It was given to be run again.")},
		{"discarded", N_("It was given up.")},
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!strcmp(state, texts[i].state))
			return _(texts[i].text);
	return "";
}

static void copy_member(struct json_object *item, const char *to, const char *const *from)
{
	for (; *from; from++) {
		struct json_object *value = member_of(item, *from);
		if (!value)
			continue;
		json_object_object_add(item, to, json_object_get(value));
		return;
	}
}

/* What it is known by, and what to say of it, each in one column. */
static void show_items(struct call *call, struct json_object *items)
{
	static const char *const which[] = {"report", "id", "quarantine", NULL};
	static const char *const about[] = {"reason", "title", "kind", NULL};
	size_t count = items ? json_object_array_length(items) : 0;

	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++) {
		copy_member(json_object_array_get_idx(items, i), "which", which);
		copy_member(json_object_array_get_idx(items, i), "about", about);
	}
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, item_columns, ARRAY_LEN(item_columns), items);
}

static void show_counts(struct call *call, struct json_object *counts)
{
	const char *between = "";

	if (!counts)
		return;
	screen_printf(&call->screen, "\n");
	json_object_object_foreach(counts, name, value)
	{
		if (json_object_get_int64(value) == 0)
			continue;
		screen_printf(
			&call->screen, "%s%s %lld", between, name, (long long)json_object_get_int64(value));
		between = ", ";
	}
	screen_printf(&call->screen, "%s\n", *between ? "" : _("nothing was found in it"));
}

static void show_reruns(struct call *call, struct json_object *reruns)
{
	for (size_t i = 0; reruns && i < json_object_array_length(reruns); i++) {
		struct json_object *rerun = json_object_array_get_idx(reruns, i);
		screen_printf(&call->screen, "\n");
		screen_printf(&call->screen, _("Quarantined %lld was run again as %s:\n"),
			(long long)member_number(rerun, "quarantine"), member_text(rerun, "entry"));
		show_items(call, member_of(rerun, "items"));
	}
}

static void receipt_show(struct call *call, struct json_object *result)
{
	struct json_object *of = member_of(result, "rerun_of");
	const char *text = explanation(member_text(result, "state"));

	screen_object(&call->screen, receipt_columns, ARRAY_LEN(receipt_columns), result);
	if (of)
		screen_printf(&call->screen, _("It is quarantined %lld of %s, run again.\n"),
			(long long)member_number(of, "quarantine"), member_text(of, "entry"));
	if (*text)
		screen_printf(&call->screen, "%s\n", text);
	show_counts(call, member_of(result, "counts"));
	show_items(call, member_of(result, "items"));
	show_reruns(call, member_of(result, "reruns"));
	struct json_object *also = member_of(result, "also");
	for (size_t i = 0; also && i < json_object_array_length(also); i++)
		screen_printf(&call->screen, _("Also: cirt receipt %s\n"),
			json_object_get_string(json_object_array_get_idx(also, i)));
	call_more(call, result);
}

const struct command receipt_commands[] = {
	{"receipt", receipt_show, NULL},
	{NULL, NULL, NULL},
};
