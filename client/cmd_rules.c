#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column rule_columns[] = {
	{"file", N_("FILE"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"rules", N_("RULES"), CELL_NUMBER, false},
	{"scopes", N_("SCOPE"), CELL_LIST, false},
	{"ms", N_("MS"), CELL_NUMBER, false},
	{"reason", N_("REASON"), CELL_TEXT, true},
};

static const struct column refused_columns[] = {
	{"file", N_("FILE"), CELL_TEXT, false},
	{"reason", N_("REASON"), CELL_TEXT, true},
};

static const struct column plugin_columns[] = {
	{"name", N_("NAME"), CELL_TEXT, false},
	{"version", N_("VERSION"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"stages", N_("STAGES"), CELL_LIST, false},
	{"summary", N_("WHAT IT DOES"), CELL_TEXT, true},
	{"reason", N_("REASON"), CELL_TEXT, true},
};

/* What a scan with all rules of a scope costs: the reason to keep `event` small. */
static void show_cost(struct call *call, struct json_object *cost)
{
	static const struct column columns[] = {
		{"scope", N_("SCOPE"), CELL_TEXT, false},
		{"rules", N_("RULES"), CELL_NUMBER, false},
		{"us", N_("US A SCAN"), CELL_NUMBER, false},
	};

	if (!cost)
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, columns, ARRAY_LEN(columns), cost);
}

static void rules_list(struct call *call, struct json_object *result)
{
	call_page(call, rule_columns, ARRAY_LEN(rule_columns), result, _("No rules are loaded."));
	show_cost(call, member_of(result, "cost"));
}

static void rules_check(struct call *call, struct json_object *result)
{
	struct json_object *items = member_of(result, "items");
	size_t files = items ? json_object_array_length(items) : 0;
	int64_t rules = 0;

	if (files)
		screen_table(&call->screen, rule_columns, ARRAY_LEN(rule_columns), items);
	for (size_t i = 0; i < files; i++)
		rules += member_number(json_object_array_get_idx(items, i), "rules");
	screen_printf(&call->screen, _("%zu files with %lld rules: "), files, (long long)rules);
	screen_printf(&call->screen, "%s\n",
		member_true(result, "ok") ? _("all fine.")
					  : _("the files above would be refused, or are slow."));
}

static void rules_reload(struct call *call, struct json_object *result)
{
	struct json_object *refused = member_of(result, "refused");

	if (!refused || json_object_array_length(refused) == 0) {
		screen_printf(&call->screen, "%s\n", _("Reloaded."));
		return;
	}
	screen_printf(&call->screen, "%s\n", _("Reloaded without these files, which do not compile:"));
	screen_table(&call->screen, refused_columns, ARRAY_LEN(refused_columns), refused);
}

static void plugin_list(struct call *call, struct json_object *result)
{
	call_page(call, plugin_columns, ARRAY_LEN(plugin_columns), result, _("No plugins are loaded."));
}

static void show_anchors(struct call *call, struct json_object *result)
{
	static const struct column columns[] = {
		{"chains", N_("chains checked"), CELL_NUMBER, false},
		{"rows", N_("rows"), CELL_NUMBER, false},
		{"anchors", N_("anchors"), CELL_NUMBER, false},
		{"anchors_compared", N_("compared with"), CELL_NUMBER, false},
		{"proven_until", N_("proven until"), CELL_TIME, false},
		{"proven_rows", N_("rows proven"), CELL_NUMBER, false},
		{"later_rows", N_("later rows (only consistent)"), CELL_NUMBER, false},
	};

	screen_object(&call->screen, columns, ARRAY_LEN(columns), result);
}

static void audit_verify(struct call *call, struct json_object *result)
{
	static const struct column columns[] = {
		{"object", N_("OBJECT"), CELL_TEXT, false},
		{"row", N_("ROW"), CELL_NUMBER, false},
		{"problem", N_("PROBLEM"), CELL_TEXT, false},
	};
	bool ok = member_true(result, "ok");

	screen_colored(&call->screen, ok ? "\033[32m" : "\033[1;31m",
		ok ? _("The journal is whole.") : _("THE JOURNAL WAS TOUCHED."));
	screen_printf(&call->screen, "\n");
	show_anchors(call, result);
	if (!ok && member_of(result, "problems"))
		screen_table(&call->screen, columns, ARRAY_LEN(columns), member_of(result, "problems"));
}

const struct command rules_commands[] = {
	{"rules.list", rules_list, NULL},
	{"rules.check", rules_check, NULL},
	{"rules.reload", rules_reload, NULL},
	{"plugin.list", plugin_list, NULL},
	{"audit.verify", audit_verify, NULL},
	{NULL, NULL, NULL},
};
