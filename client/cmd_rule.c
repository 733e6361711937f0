#include "config.h"

#include <stdio.h>

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"id", N_("ID"), CELL_NUMBER, false},
	{"name", N_("RULE"), CELL_TEXT, false},
	{"when", N_("OF"), CELL_TEXT, true},
	{"does", N_("DOES"), CELL_TEXT, true},
	{"repeat", N_("AGAIN AFTER"), CELL_TEXT, true},
	{"enabled", N_("HOLDS"), CELL_FLAG, false},
};

static const struct column show_columns[] = {
	{"id", N_("number"), CELL_NUMBER, false},
	{"when", N_("of"), CELL_TEXT, false},
	{"does", N_("does"), CELL_TEXT, false},
	{"repeat", N_("again after"), CELL_TEXT, false},
	{"format", N_("format"), CELL_TEXT, false},
	{"language", N_("language"), CELL_TEXT, false},
	{"template", N_("template"), CELL_TEXT, false},
	{"enabled", N_("holds"), CELL_FLAG, false},
	{"draft", N_("draft"), CELL_FLAG, false},
	{"reports", N_("reports in 7 days"), CELL_NUMBER, false},
	{"hides", N_("can hold no more"), CELL_LIST, false},
	{"note", N_("note"), CELL_TEXT, false},
};

static const struct column why_columns[] = {
	{"organisation", N_("whose"), CELL_TEXT, false},
	{"classification", N_("type"), CELL_TEXT, false},
	{"identifier", N_("identifier"), CELL_TEXT, false},
	{"severity", N_("severity"), CELL_SEVERITY, false},
	{"address", N_("address"), CELL_TEXT, false},
	{"country", N_("country"), CELL_TEXT, false},
	{"tlp", N_("TLP"), CELL_TLP, false},
	{"pap", N_("PAP"), CELL_TEXT, false},
	{"over", N_("but it is"), CELL_TEXT, false},
};

static const struct column tried_columns[] = {
	{"rule", N_("ID"), CELL_NUMBER, false},
	{"name", N_("RULE"), CELL_TEXT, false},
	{"says", N_("SAYS"), CELL_TEXT, false},
};

static const struct column reached_columns[] = {
	{"address", N_("TO"), CELL_TEXT, false},
	{"organisation", N_("OF"), CELL_TEXT, true},
	{"recipient", N_("AS"), CELL_TEXT, false},
	{"outcome", N_("GATE"), CELL_TEXT, false},
	{"form", N_("FORM"), CELL_TEXT, false},
	{"format", N_("FORMAT"), CELL_TEXT, true},
	{"language", N_("LANGUAGE"), CELL_TEXT, true},
	{"repeat_days", N_("AGAIN, DAYS"), CELL_NUMBER, true},
	{"why", N_("WHY"), CELL_TEXT, true},
};

static const struct column stands_columns[] = {
	{"outcome", N_("stands"), CELL_TEXT, false},
	{"why", N_("why"), CELL_TEXT, false},
	{"notices", N_("notices"), CELL_NUMBER, false},
	{"first_told", N_("first told"), CELL_TIME, false},
	{"last_told", N_("last told"), CELL_TIME, false},
	{"next", N_("looked at again"), CELL_TIME, false},
};

static const struct column test_columns[] = {
	{"reports", N_("REPORTS"), CELL_NUMBER, false},
	{"organisations", N_("ORGANISATIONS"), CELL_NUMBER, true},
	{"was_rule", N_("RULE NOW"), CELL_TEXT, true},
	{"was", N_("NOW"), CELL_TEXT, false},
	{"now_rule", N_("RULE THEN"), CELL_TEXT, true},
	{"now", N_("THEN"), CELL_TEXT, false},
	{"was_to", N_("FOR ONE, TO"), CELL_TEXT, true},
	{"now_to", N_("THEN TO"), CELL_TEXT, true},
	{"example", N_("EXAMPLE"), CELL_TEXT, false},
};

static void table_of(struct call *call, const struct column *columns, size_t count,
	struct json_object *result, const char *name)
{
	struct json_object *rows = member_of(result, name);

	if (!rows || !json_object_array_length(rows))
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, columns, count, rows);
}

static void rule_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("No rules."));
	if (json_object_get_boolean(member_of(result, "draft")) &&
		!member_of(call->invocation->params, "draft"))
		screen_printf(&call->screen, _("There is a draft: cirt rule list --draft, cirt rule test\n"));
}

/* What is counted only so far is said to be more. */
static void say_more(struct json_object *result)
{
	char said[32];

	if (!json_object_get_boolean(member_of(result, "more")))
		return;
	snprintf(said, sizeof(said), "%lld+", (long long)member_number(result, "reports"));
	json_object_object_add(result, "reports", json_object_new_string(said));
}

static void rule_show(struct call *call, struct json_object *result)
{
	say_more(result);
	screen_heading(&call->screen, member_text(result, "name"));
	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
	if (json_object_get_boolean(member_of(result, "draft")))
		screen_printf(&call->screen,
			_("A draft: cirt rule test says what it changes, cirt rule apply makes it hold.\n"));
}

static void rule_deleted(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("rule %s is removed\n"), member_text(result, "name"));
}

static void rule_why(struct call *call, struct json_object *result)
{
	struct json_object *stands = member_of(result, "stands");

	screen_heading(&call->screen, member_text(result, "report"));
	screen_object(&call->screen, why_columns, ARRAY_LEN(why_columns), result);
	table_of(call, tried_columns, ARRAY_LEN(tried_columns), result, "rules");
	table_of(call, reached_columns, ARRAY_LEN(reached_columns), result, "recipients");
	screen_printf(&call->screen, "\n");
	if (stands)
		screen_object(&call->screen, stands_columns, ARRAY_LEN(stands_columns), stands);
	else
		screen_printf(&call->screen, _("No rule has been asked about it.\n"));
}

static void rule_test(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen,
		_("%lld reports: %lld would be dealt with otherwise · told %lld, then %lld\n"),
		(long long)member_number(result, "reports"), (long long)member_number(result, "changed"),
		(long long)member_number(result, "told_before"),
		(long long)member_number(result, "told_after"));
	if (!json_object_get_boolean(member_of(result, "all")))
		screen_printf(&call->screen,
			_("Looked at are only the newest %lld, since %s: there are more of that time.\n"),
			(long long)member_number(result, "reports"), member_text(result, "oldest"));
	table_of(call, test_columns, ARRAY_LEN(test_columns), result, "items");
	screen_printf(
		&call->screen, _("cirt rule apply makes the draft hold, cirt rule discard drops it.\n"));
}

static void rule_applied(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("The draft holds: %lld new, %lld changed, %lld removed.\n"),
		(long long)member_number(result, "new"), (long long)member_number(result, "changed"),
		(long long)member_number(result, "deleted"));
}

static void rule_discarded(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, member_number(result, "rules") > 0 ? _("The draft is dropped.\n")
									: _("There was no draft.\n"));
}

const struct command rule_commands[] = {
	{"rule.list", rule_list, NULL},
	{"rule.show", rule_show, NULL},
	{"rule.new", rule_show, NULL},
	{"rule.set", rule_show, NULL},
	{"rule.move", rule_show, NULL},
	{"rule.delete", rule_deleted, NULL},
	{"rule.why", rule_why, NULL},
	{"rule.test", rule_test, NULL},
	{"rule.apply", rule_applied, NULL},
	{"rule.discard", rule_discarded, NULL},
	{NULL, NULL, NULL},
};
