#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"playbook", N_("PLAYBOOK"), CELL_TEXT, false},
	{"version", N_("VERSION"), CELL_NUMBER, false},
	{"title", N_("TITLE"), CELL_TEXT, true},
	{"tasks", N_("TASKS"), CELL_NUMBER, false},
	{"clocks", N_("CLOCKS"), CELL_NUMBER, false},
	{"filings", N_("FILINGS"), CELL_TEXT, true},
	{"applied", N_("APPLIED"), CELL_NUMBER, false},
	{"problem", N_("WRONG IN ITS FILE"), CELL_TEXT, true},
};

static const struct column one_columns[] = {
	{"title", N_("title"), CELL_TEXT, false},
	{"conditions", N_("for"), CELL_TEXT, false},
	{"version", N_("version"), CELL_NUMBER, false},
	{"loaded", N_("since"), CELL_TIME, false},
	{"problem", N_("wrong in its file"), CELL_TEXT, false},
};

static const struct column task_columns[] = {
	{"text", N_("TASK"), CELL_TEXT, true},
	{"due", N_("DUE WITHIN"), CELL_TEXT, false},
	{"assignee", N_("WHO"), CELL_TEXT, false},
};

static const struct column clock_columns[] = {
	{"what", N_("CLOCK"), CELL_TEXT, true},
	{"within", N_("WITHIN"), CELL_TEXT, false},
	{"warn", N_("WARN BEFORE"), CELL_TEXT, false},
	{"ends", N_("MET WHEN"), CELL_TEXT, false},
};

static const struct column filing_columns[] = {
	{"regime", N_("FILING"), CELL_TEXT, false},
	{"stage", N_("STAGE"), CELL_TEXT, false},
	{"receipt", N_("RECEIVED"), CELL_TEXT, false},
};

static void playbook_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result,
		_("There is none: clocks.playbooks in cirtd.conf says where their files are."));
}

static void show_rows(struct call *call, const struct column *columns, size_t count, struct json_object *rows)
{
	if (!rows || !json_object_array_length(rows))
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, columns, count, rows);
}

/* {"tags": ["ransomware"], "kinds": ["hospital"]} → "tags ransomware · kinds hospital" */
static void say_conditions(struct json_object *result)
{
	struct json_object *conditions = member_of(result, "conditions");
	struct buf text = {0};

	if (!json_object_is_type(conditions, json_type_object))
		return;
	json_object_object_foreach(conditions, key, value)
	{
		buf_printf(&text, "%s%s", text.len ? " · " : "", key);
		for (size_t i = 0;
			json_object_is_type(value, json_type_array) && i < json_object_array_length(value);
			i++)
			buf_printf(&text, "%s %s", i ? "," : "",
				json_object_get_string(json_object_array_get_idx(value, i)));
		if (!json_object_is_type(value, json_type_array))
			buf_printf(&text, " %s", json_object_get_string(value));
	}
	json_object_object_add(result, "conditions", json_object_new_string(buf_cstr(&text)));
	buf_free(&text);
}

static void playbook_show(struct call *call, struct json_object *result)
{
	screen_heading(&call->screen, member_text(result, "playbook"));
	say_conditions(result);
	screen_object(&call->screen, one_columns, ARRAY_LEN(one_columns), result);
	show_rows(call, task_columns, ARRAY_LEN(task_columns), member_of(result, "tasks"));
	show_rows(call, clock_columns, ARRAY_LEN(clock_columns), member_of(result, "clocks"));
	show_rows(call, filing_columns, ARRAY_LEN(filing_columns), member_of(result, "filings"));
}

/* "2026-000412 playbook ransomware-hospital: 7 tasks, 1 clock, filing F3" */
static void playbook_applied(struct call *call, struct json_object *result)
{
	struct buf name = {0}, list = {0};

	screen_cell(str_of(member_text(result, "playbook")), &name);
	if (!member_true(result, "applied")) {
		screen_printf(&call->screen, _("%s has had playbook %s before: nothing is added\n"),
			member_text(result, "case"), buf_cstr(&name));
	} else {
		screen_value(&call->screen, member_of(result, "filings"), CELL_LIST, &list);
		screen_printf(&call->screen, _("%s playbook %s: tasks %lld, clocks %lld%s%s\n"),
			member_text(result, "case"), buf_cstr(&name),
			(long long)member_number(result, "tasks"), (long long)member_number(result, "clocks"),
			list.len ? _(", filing ") : "", buf_cstr(&list));
		buf_clear(&list);
		screen_value(&call->screen, member_of(result, "left_out"), CELL_LIST, &list);
		if (list.len)
			screen_printf(&call->screen, _("left out: %s\n"), buf_cstr(&list));
	}
	buf_free(&name);
	buf_free(&list);
}

const struct command playbook_commands[] = {
	{"playbook.list", playbook_list, NULL},
	{"playbook.show", playbook_show, NULL},
	{"playbook.apply", playbook_applied, NULL},
	{NULL, NULL, NULL},
};
