#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"name", N_("NAME"), CELL_TEXT, false},
	{"kind", N_("KIND"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"tlp", N_("TLP"), CELL_TLP, false},
	{"trust", N_("TRUST"), CELL_NUMBER, false},
	{"last_seen", N_("LAST SEEN"), CELL_AGO, false},
	{"match", N_("MATCH"), CELL_TEXT, true},
};

static const struct column show_columns[] = {
	{"name", N_("source"), CELL_TEXT, false},
	{"kind", N_("kind"), CELL_TEXT, false},
	{"state", N_("state"), CELL_TEXT, false},
	{"match", N_("match"), CELL_TEXT, false},
	{"tlp", N_("TLP"), CELL_TLP, false},
	{"pap", N_("PAP"), CELL_TLP, false},
	{"classification", N_("type"), CELL_TEXT, false},
	{"format", N_("format"), CELL_TEXT, false},
	{"trust", N_("trust"), CELL_NUMBER, false},
	{"interval", N_("interval (s)"), CELL_NUMBER, false},
	{"max_lines", N_("lines/s at most"), CELL_NUMBER, false},
	{"max_bytes", N_("bytes/s at most"), CELL_SIZE, false},
	{"exercise", N_("exercise"), CELL_TEXT, false},
	{"restricted", N_("restricted"), CELL_FLAG, false},
	{"may_notify_affected", N_("may notify affected"), CELL_FLAG, false},
	{"spam_counts", N_("spam counts"), CELL_FLAG, false},
	{"authenticated", N_("has a secret"), CELL_FLAG, false},
	{"created", N_("made"), CELL_TIME, false},
	{"entries", N_("entries"), CELL_NUMBER, false},
	{"reports", N_("reports"), CELL_NUMBER, false},
	{"folded", N_("seen again"), CELL_NUMBER, false},
	{"quarantined", N_("quarantined"), CELL_NUMBER, false},
	{"last_seen", N_("last seen"), CELL_TIME, false},
	{"silent_after", N_("silent after (s)"), CELL_NUMBER, false},
	{"silent_since", N_("SILENT since"), CELL_TIME, false},
	{"silent", N_("why silent"), CELL_TEXT, false},
	{"pull", N_("pull"), CELL_TEXT, false},
	{"problem", N_("problem"), CELL_TEXT, false},
	{"failures", N_("failures in a row"), CELL_NUMBER, false},
	{"failing_since", N_("failing since"), CELL_TIME, false},
	{"tried", N_("last tried"), CELL_TIME, false},
	{"pulled", N_("last pulled"), CELL_TIME, false},
	{"delivered", N_("last delivered"), CELL_TIME, false},
	{"next_try", N_("next try"), CELL_TIME, false},
	{"pages", N_("pages"), CELL_NUMBER, false},
	{"alarms", N_("ALARMS"), CELL_LIST, false},
};

static const struct column feed_columns[] = {
	{"feed", N_("FEED"), CELL_TEXT, false},
	{"since", N_("SINCE"), CELL_AGO, false},
	{"changed", N_("COLUMNS CHANGED"), CELL_AGO, true},
	{"columns", N_("COLUMNS"), CELL_LIST, true},
};

static const struct column item_columns[] = {
	{"item", N_("ITEM"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"trouble", N_("TROUBLE"), CELL_TEXT, false},
	{"tries", N_("TRIES"), CELL_NUMBER, false},
	{"since", N_("SINCE"), CELL_AGO, false},
	{"problem", N_("PROBLEM"), CELL_TEXT, true},
};

static void source_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result,
		_("No sources. Let one in: cirt source add NAME --kind sensor --match san:NAME"));
}

static void source_show(struct call *call, struct json_object *result)
{
	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
	if (member_of(result, "items")) {
		screen_printf(&call->screen, "\n");
		screen_table(
			&call->screen, item_columns, ARRAY_LEN(item_columns), member_of(result, "items"));
	}
	if (!member_of(result, "feeds"))
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, feed_columns, ARRAY_LEN(feed_columns), member_of(result, "feeds"));
}

static void source_changed(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("%s is %s. The doors know within a few seconds.\n"),
		member_text(result, "name"), member_text(result, "state"));
}

static const struct column root_columns[] = {
	{"title", N_("API ROOT"), CELL_TEXT, true},
	{"url", N_("URL"), CELL_TEXT, false},
	{"problem", N_("PROBLEM"), CELL_TEXT, true},
};

static const struct column collection_columns[] = {
	{"title", N_("COLLECTION"), CELL_TEXT, true},
	{"can_read", N_("READ"), CELL_FLAG, false},
	{"can_write", N_("WRITE"), CELL_FLAG, false},
	{"url", N_("URL"), CELL_TEXT, false},
};

static void source_discover(struct call *call, struct json_object *result)
{
	screen_table(&call->screen, root_columns, ARRAY_LEN(root_columns), member_of(result, "roots"));
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, collection_columns, ARRAY_LEN(collection_columns),
		member_of(result, "collections"));
	screen_printf(&call->screen,
		_("Let one in: cirt source add NAME --kind taxii --match URL --auth SECRET\n"));
}

static void source_pull(struct call *call, struct json_object *result)
{
	(void)result;
	screen_printf(&call->screen, _("It is being pulled.\n"));
}

const struct command source_commands[] = {
	{"source.list", source_list, NULL},
	{"source.show", source_show, NULL},
	{"source.add", source_changed, NULL},
	{"source.set", source_changed, NULL},
	{"source.discover", source_discover, NULL},
	{"source.pull", source_pull, NULL},
	{"source.disable", source_changed, NULL},
	{"source.enable", source_changed, NULL},
	{NULL, NULL, NULL},
};
