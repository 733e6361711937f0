#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

/* What is to be done, what was done against it, and cases that belong together. */

static const struct column task_columns[] = {
	{"id", N_("TASK"), CELL_NUMBER, false},
	{"case", N_("CASE"), CELL_TEXT, false},
	{"severity", N_("SEVERITY"), CELL_SEVERITY, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"due", N_("DUE"), CELL_AGO, false},
	{"assignee", N_("WHO"), CELL_TEXT, false},
	{"title", N_("WHAT"), CELL_TEXT, true},
	{"result", N_("RESULT"), CELL_TEXT, true},
};

static const struct column measure_columns[] = {
	{"id", N_("ID"), CELL_NUMBER, false},
	{"kind", N_("KIND"), CELL_TEXT, false},
	{"target", N_("AGAINST"), CELL_TEXT, true},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"owner", N_("OWNER"), CELL_TEXT, false},
	{"by", N_("BY"), CELL_TEXT, true},
	{"review", N_("REVIEW"), CELL_AGO, false},
	{"expires", N_("EXPIRES"), CELL_AGO, false},
	{"case", N_("CASE"), CELL_TEXT, false},
};

static const struct column measure_rows[] = {
	{"id", N_("countermeasure"), CELL_NUMBER, false},
	{"kind", N_("kind"), CELL_TEXT, false},
	{"target", N_("against"), CELL_TEXT, false},
	{"state", N_("state"), CELL_TEXT, false},
	{"case", N_("case"), CELL_TEXT, false},
	{"owner", N_("owner"), CELL_TEXT, false},
	{"by", N_("carried out by"), CELL_TEXT, false},
	{"reason", N_("why"), CELL_TEXT, false},
	{"since", N_("since"), CELL_TIME, false},
	{"made_by", N_("put up by"), CELL_TEXT, false},
	{"review", N_("review"), CELL_TIME, false},
	{"reviewed", N_("reviewed"), CELL_TIME, false},
	{"reviewed_by", N_("reviewed by"), CELL_TEXT, false},
	{"expires", N_("expires"), CELL_TIME, false},
	{"ended", N_("ended"), CELL_TIME, false},
	{"ended_by", N_("ended by"), CELL_TEXT, false},
	{"end_reason", N_("ended because"), CELL_TEXT, false},
};

static const struct column journal_columns[] = {
	{"at", N_("WHEN"), CELL_AGO, false},
	{"actor", N_("WHO"), CELL_TEXT, true},
	{"what", N_("WHAT"), CELL_TEXT, true},
};

static const struct column campaign_columns[] = {
	{"number", N_("NUMBER"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"severity", N_("SEVERITY"), CELL_SEVERITY, false},
	{"cases", N_("CASES"), CELL_NUMBER, false},
	{"open", N_("OPEN"), CELL_NUMBER, false},
	{"changed", N_("CHANGED"), CELL_AGO, false},
	{"title", N_("CAMPAIGN"), CELL_TEXT, true},
};

static const struct column member_columns[] = {
	{"number", N_("CASE"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"severity", N_("SEVERITY"), CELL_SEVERITY, false},
	{"assignee", N_("WHO"), CELL_TEXT, true},
	{"organisation", N_("WHOSE"), CELL_TEXT, true},
	{"title", N_("TITLE"), CELL_TEXT, true},
};

static void task_list(struct call *call, struct json_object *result)
{
	call_page(call, task_columns, ARRAY_LEN(task_columns), result, _("Nothing is to be done."));
}

static void task_show(struct call *call, struct json_object *result)
{
	call_row(call, task_columns, ARRAY_LEN(task_columns), result);
}

static void measure_list(struct call *call, struct json_object *result)
{
	call_page(call, measure_columns, ARRAY_LEN(measure_columns), result, _("No countermeasures."));
}

static void measure_show(struct call *call, struct json_object *result)
{
	struct json_object *journal = member_of(result, "journal");

	screen_object(&call->screen, measure_rows, ARRAY_LEN(measure_rows), result);
	if (!journal || json_object_array_length(journal) == 0)
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, journal_columns, ARRAY_LEN(journal_columns), journal);
}

static void campaign_list(struct call *call, struct json_object *result)
{
	call_page(call, campaign_columns, ARRAY_LEN(campaign_columns), result,
		_("No campaigns: cirt campaign new TITLE CASE..."));
}

static void campaign_show(struct call *call, struct json_object *result)
{
	struct json_object *items = member_of(result, "items");

	call_row(call, campaign_columns, ARRAY_LEN(campaign_columns), result);
	if (!items || json_object_array_length(items) == 0)
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, member_columns, ARRAY_LEN(member_columns), items);
}

const struct command task_commands[] = {
	{"task.list", task_list, NULL},
	{"task.new", task_show, NULL},
	{"task.set", task_show, NULL},
	{"task.take", task_show, NULL},
	{"task.done", task_show, NULL},
	{"task.drop", task_show, NULL},
	{"task.reopen", task_show, NULL},
	{"measure.list", measure_list, NULL},
	{"measure.show", measure_show, NULL},
	{"measure.new", measure_show, NULL},
	{"measure.set", measure_show, NULL},
	{"measure.review", measure_show, NULL},
	{"measure.end", measure_show, NULL},
	{"campaign.list", campaign_list, NULL},
	{"campaign.show", campaign_show, NULL},
	{"campaign.new", campaign_show, NULL},
	{"campaign.add", campaign_show, NULL},
	{"campaign.remove", campaign_show, NULL},
	{NULL, NULL, NULL},
};
