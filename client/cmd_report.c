#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"id", N_("ID"), CELL_TEXT, 0, false},
	{"severity", N_("SEVERITY"), CELL_SEVERITY, 0, false},
	{"classification", N_("TYPE"), CELL_TEXT, 0.15, true},
	{"identifier", N_("IDENTIFIER"), CELL_TEXT, 0.12, true},
	{"tlp", N_("TLP"), CELL_TLP, 0, false},
	{"count", N_("N"), CELL_NUMBER, 0, false},
	{"last_seen", N_("LAST SEEN"), CELL_AGO, 0, false},
	{"source", N_("SOURCE"), CELL_TEXT, 0.12, true},
	{"organisation", N_("WHOSE"), CELL_TEXT, 0.12, true},
	{"case", N_("CASE"), CELL_TEXT, 0, false},
	{"title", N_("TITLE"), CELL_TEXT, 0.3, true},
};

static const struct column show_columns[] = {
	{"id", N_("report"), CELL_TEXT, 0, false},
	{"title", N_("title"), CELL_TEXT, 0, false},
	{"severity", N_("severity"), CELL_SEVERITY, 0, false},
	{"classification", N_("type"), CELL_TEXT, 0, false},
	{"identifier", N_("identifier"), CELL_TEXT, 0, false},
	{"malware", N_("malware"), CELL_TEXT, 0, false},
	{"tlp", N_("TLP"), CELL_TLP, 0, false},
	{"pap", N_("PAP"), CELL_TLP, 0, false},
	{"confidence", N_("confidence"), CELL_NUMBER, 0, false},
	{"state", N_("state"), CELL_TEXT, 0, false},
	{"exercise", N_("EXERCISE"), CELL_TEXT, 0, false},
	{"source", N_("source"), CELL_TEXT, 0, false},
	{"sender_id", N_("sender's id"), CELL_TEXT, 0, false},
	{"organisation", N_("whose"), CELL_TEXT, 0, false},
	{"country", N_("country"), CELL_TEXT, 0, false},
	{"asn", N_("AS"), CELL_NUMBER, 0, false},
	{"count", N_("seen"), CELL_NUMBER, 0, false},
	{"first_seen", N_("first seen"), CELL_TIME, 0, false},
	{"last_seen", N_("last seen"), CELL_TIME, 0, false},
	{"received", N_("received"), CELL_TIME, 0, false},
	{"gone", N_("gone"), CELL_TIME, 0, false},
	{"entry", N_("entry"), CELL_TEXT, 0, false},
	{"case", N_("case"), CELL_TEXT, 0, false},
	{"tags", N_("tags"), CELL_LIST, 0, false},
	{"notes", N_("notes"), CELL_LIST, 0, false},
};

static const struct column observable_columns[] = {
	{"type", N_("OBSERVABLE"), CELL_TEXT, 0, false},
	{"role", N_("ROLE"), CELL_TEXT, 0, false},
	{"value", N_("VALUE"), CELL_TEXT, 0, false},
};

static const struct column verdict_columns[] = {
	{"rule", N_("RULE"), CELL_TEXT, 0, false},
	{"engine", N_("ENGINE"), CELL_TEXT, 0, false},
	{"part", N_("IN"), CELL_TEXT, 0.3, true},
	{"outcome", N_("OUTCOME"), CELL_TEXT, 0.3, true},
};

static const struct column evidence_columns[] = {
	{"name", N_("EVIDENCE"), CELL_TEXT, 0.3, true},
	{"media_type", N_("TYPE"), CELL_TEXT, 0, false},
	{"size", N_("SIZE"), CELL_SIZE, 0, false},
	{"digest", N_("SHA-256"), CELL_TEXT, 0, false},
};

static const struct column sighting_columns[] = {
	{"day", N_("DAY"), CELL_TEXT, 0, false},
	{"source", N_("SEEN BY"), CELL_TEXT, 0, false},
	{"node", N_("NODE"), CELL_TEXT, 0, false},
	{"count", N_("TIMES"), CELL_NUMBER, 0, false},
	{"first", N_("FIRST"), CELL_TIME, 0, false},
	{"last", N_("LAST"), CELL_TIME, 0, false},
};

static const struct column link_columns[] = {
	{"kind", N_("LINK"), CELL_TEXT, 0, false},
	{"report", N_("REPORT"), CELL_TEXT, 0, false},
	{"title", N_("TITLE"), CELL_TEXT, 0.4, true},
	{"reason", N_("BECAUSE"), CELL_TEXT, 0.3, true},
};

static void report_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("No reports."));
}

/* A table under the object, where there is anything in it. */
static void section(struct call *call, const struct column *columns, size_t count, struct json_object *rows)
{
	if (!rows || json_object_array_length(rows) == 0)
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, columns, count, rows);
}

static void show_why(struct call *call, struct json_object *why, bool folded)
{
	static const struct column columns[] = {
		{"rule", N_("rule"), CELL_TEXT, 0, false},
		{"version", N_("version"), CELL_NUMBER, 0, false},
		{"key", N_("key"), CELL_TEXT, 0, false},
		{"window", N_("window"), CELL_TEXT, 0, false},
		{"previous", N_("before it"), CELL_TEXT, 0, false},
		{"relation", N_("as"), CELL_TEXT, 0, false},
	};

	if (!why)
		return;
	screen_printf(&call->screen, "\n");
	screen_heading(&call->screen, _("WHY IT FOLDS"));
	screen_object(&call->screen, columns, ARRAY_LEN(columns), why);
	section(call, sighting_columns, ARRAY_LEN(sighting_columns), member_of(why, "sightings"));
	section(call, link_columns, ARRAY_LEN(link_columns), member_of(why, "links"));
	if (folded)
		screen_printf(&call->screen, "\n%s cirt report unfold %s\n", _("undo:"),
			member_text(why, "report"));
}

static void show_text(struct call *call, struct json_object *result)
{
	const char *text = member_text(result, "text");

	if (!*text)
		text = member_text(result, "doc");
	if (!*text)
		return;
	screen_printf(&call->screen, "\n");
	screen_block(&call->screen, 2, str_of(text));
}

static void report_show(struct call *call, struct json_object *result)
{
	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
	section(call, observable_columns, ARRAY_LEN(observable_columns), member_of(result, "observables"));
	section(call, verdict_columns, ARRAY_LEN(verdict_columns), member_of(result, "verdicts"));
	section(call, evidence_columns, ARRAY_LEN(evidence_columns), member_of(result, "evidence"));
	show_why(call, member_of(result, "why"), member_number(result, "count") > 1);
	show_text(call, result);
}

static void report_unfold(struct call *call, struct json_object *result)
{
	struct json_object *items = member_of(result, "items");

	for (size_t i = 0; items && i < json_object_array_length(items); i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		screen_printf(&call->screen, _("What %s saw is %s now. Look: cirt report show %s --why\n"),
			member_text(item, "source"), member_text(item, "into"), member_text(item, "into"));
	}
}

const struct command report_commands[] = {
	{"report.list", report_list, NULL},
	{"report.search", report_list, NULL},
	{"report.show", report_show, NULL},
	{"report.unfold", report_unfold, NULL},
	{NULL, NULL, NULL},
};
