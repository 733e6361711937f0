#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

/* One line of an answer: its heading where it is the first of its kind, and parts with " · " between. */
struct line {
	struct call *call;
	const char *heading;
	struct buf text;
};

static void line_end(struct line *line)
{
	if (line->text.len) {
		buf_char(&line->call->screen.out, ' ');
		screen_label(&line->call->screen, line->heading, 9);
		screen_text(&line->call->screen, 10, buf_view(&line->text));
		line->heading = "";
	}
	buf_clear(&line->text);
}

static void between(struct line *line)
{
	buf_text(&line->text, line->text.len ? " · " : "");
}

static void add_text(struct line *line, const char *before, const char *text)
{
	if (!*text)
		return;
	between(line);
	buf_text(&line->text, before);
	screen_cell(str_of(text), &line->text);
}

static void add_time(struct line *line, const char *before, struct json_object *object, const char *name)
{
	struct json_object *time = member_of(object, name);

	if (!time)
		return;
	between(line);
	buf_text(&line->text, before);
	screen_value(&line->call->screen, time, CELL_AGO, &line->text);
}

static void show_numbers(struct line *line, struct json_object *numbers)
{
	for (size_t i = 0; numbers && i < json_object_array_length(numbers); i++) {
		struct json_object *one = json_object_array_get_idx(numbers, i);
		add_text(line, "", member_text(one, "number"));
		add_text(line, "", member_text(one, "state"));
		add_text(line, "", member_text(one, "title"));
		between(line);
		buf_printf(
			&line->text, "cirt %s show %s", member_text(one, "kind"), member_text(one, "number"));
		line_end(line);
	}
}

static void add_sector(struct line *line, struct json_object *organisation)
{
	struct buf words = {0};

	buf_text(&words, member_text(organisation, "sector"));
	if (!strcmp(member_text(organisation, "criticality"), "critical"))
		buf_text(&words, words.len ? ", critical" : "critical");
	if (words.len) {
		buf_text(&line->text, " (");
		screen_cell(buf_view(&words), &line->text);
		buf_char(&line->text, ')');
	}
	buf_free(&words);
}

static void add_before(struct line *line, struct json_object *before)
{
	for (size_t i = 0; before && i < json_object_array_length(before) && i < 3; i++) {
		struct json_object *one = json_object_array_get_idx(before, i);
		add_text(line, _("before: "), member_text(one, "organisation"));
	}
}

static void show_organisations(struct line *line, struct json_object *organisations)
{
	for (size_t i = 0; organisations && i < json_object_array_length(organisations); i++) {
		struct json_object *one = json_object_array_get_idx(organisations, i);
		const char *name = member_text(one, "organisation");
		add_text(line, "", name);
		if (*name)
			add_sector(line, one);
		add_text(line, "", member_text(one, "entry"));
		add_time(line, _("since "), one, "from");
		if (!*name) {
			add_text(line, _("abroad: "), member_text(one, "country"));
			add_text(line, "", member_text(one, "national_cirt"));
			add_text(line, _("abuse: "), member_text(one, "abuse"));
		}
		add_before(line, member_of(one, "before"));
		line_end(line);
	}
}

static void show_cases(struct line *line, struct json_object *cases)
{
	for (size_t i = 0; cases && i < json_object_array_length(cases); i++) {
		struct json_object *one = json_object_array_get_idx(cases, i);
		add_text(line, "", member_text(one, "number"));
		buf_printf(&line->text, " %s ", member_text(one, "state"));
		screen_value(&line->call->screen, member_of(one, "severity"), CELL_SEVERITY, &line->text);
		add_text(line, "", member_text(one, "title"));
		add_text(line, "", member_text(one, "organisation"));
		add_text(line, _("by "), member_text(one, "by"));
		line_end(line);
	}
}

/* "38 (first 2025-03-02, last …): open-rdp ×35, gone 3 months ago · phone ×1" */
static void show_reports(struct line *line, struct json_object *reports)
{
	struct json_object *of = member_of(reports, "of");
	int64_t count = member_number(reports, "count");

	if (!count)
		return;
	buf_printf(&line->text, "%lld%s", (long long)count, member_true(reports, "more") ? "+" : "");
	add_time(line, _("first "), reports, "first");
	add_time(line, _("last "), reports, "last");
	for (size_t i = 0; of && i < json_object_array_length(of) && i < 6; i++) {
		struct json_object *one = json_object_array_get_idx(of, i);
		add_text(line, "", member_text(one, "what"));
		buf_printf(&line->text, " ×%lld", (long long)member_number(one, "count"));
		if (member_true(one, "relapse"))
			buf_printf(&line->text, ", %s", _("relapse"));
		if (member_of(one, "gone")) {
			buf_printf(&line->text, ", %s ", _("gone"));
			screen_value(&line->call->screen, member_of(one, "gone"), CELL_AGO, &line->text);
		}
	}
	line_end(line);
}

static void show_newest(struct line *line, struct json_object *reports)
{
	struct json_object *newest = member_of(reports, "newest");

	for (size_t i = 0; newest && i < json_object_array_length(newest); i++)
		add_text(line, "", json_object_get_string(json_object_array_get_idx(newest, i)));
	line_end(line);
}

static void show_notices(struct line *line, struct json_object *notices)
{
	struct json_object *last = member_of(notices, "last");

	if (!member_number(notices, "count"))
		return;
	buf_printf(&line->text, _("%lld sent"), (long long)member_number(notices, "sent"));
	if (member_number(notices, "bounced"))
		buf_printf(&line->text, _(" · %lld bounced"), (long long)member_number(notices, "bounced"));
	add_text(line, _("last "), member_text(last, "number"));
	add_text(line, "", member_text(last, "address"));
	if (member_of(last, "sent")) {
		add_time(line, _("sent "), last, "sent");
		add_text(line, "", member_of(last, "answered") ? _("answered") : _("no answer"));
	} else {
		add_text(line, "", member_text(last, "state"));
	}
	line_end(line);
}

static void show_mails(struct line *line, struct json_object *mails)
{
	for (size_t i = 0; mails && i < json_object_array_length(mails); i++) {
		struct json_object *one = json_object_array_get_idx(mails, i);
		add_text(line, "", member_text(one, "id"));
		add_text(line, "", member_text(one, "case"));
		add_time(line, "", one, "received");
		add_text(line, "", member_text(one, "title"));
		line_end(line);
	}
}

static void show_people(struct line *line, struct json_object *people)
{
	for (size_t i = 0; people && i < json_object_array_length(people); i++) {
		struct json_object *one = json_object_array_get_idx(people, i);
		add_text(line, "", member_text(one, "name"));
		add_text(line, "", member_text(one, "email"));
		add_text(line, "", member_text(one, "phone"));
		add_text(line, "", member_text(one, "role"));
		add_text(line, "", member_text(one, "organisation"));
		line_end(line);
	}
}

static void search(struct call *call, struct json_object *result)
{
	const struct {
		const char *heading, *member;
		void (*show)(struct line *line, struct json_object *found);
	} parts[] = {{N_("THIS"), "numbers", show_numbers}, {N_("ORG"), "organisations", show_organisations},
		{N_("CASES"), "cases", show_cases}, {N_("REPORTS"), "reports", show_reports},
		{"", "reports", show_newest}, {N_("NOTICES"), "notices", show_notices},
		{N_("MAILS"), "mails", show_mails}, {N_("PEOPLE"), "people", show_people}};
	size_t before = call->screen.out.len;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct line line = {.call = call, .heading = *parts[i].heading ? _(parts[i].heading) : ""};
		parts[i].show(&line, member_of(result, parts[i].member));
		buf_free(&line.text);
	}
	if (call->screen.out.len == before)
		screen_printf(&call->screen, "%s\n",
			_("Nothing of that: no case, report, organisation, mail or person."));
}

const struct command search_commands[] = {{"search", search, NULL}, {NULL, NULL, NULL}};
