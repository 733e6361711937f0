#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column review_columns[] = {
	{"id", N_("ID"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"received", N_("RECEIVED"), CELL_AGO, false},
	{"source", N_("TO"), CELL_TEXT, true},
	{"sender", N_("FROM"), CELL_TEXT, true},
	{"reason", N_("BECAUSE"), CELL_TEXT, true},
	{"title", N_("SUBJECT"), CELL_TEXT, true},
};

static const struct column show_columns[] = {
	{"title", N_("subject"), CELL_TEXT, false},
	{"sender", N_("from"), CELL_TEXT, false},
	{"listed", N_("the sender is on the list"), CELL_TEXT, false},
	{"reason", N_("spam because"), CELL_TEXT, false},
	{"state", N_("state"), CELL_TEXT, false},
	{"quarantine", N_("run again as quarantined"), CELL_NUMBER, false},
	{"source", N_("source"), CELL_TEXT, false},
	{"exercise", N_("EXERCISE"), CELL_TEXT, false},
	{"received", N_("received"), CELL_TIME, false},
	{"rescued", N_("rescued"), CELL_TIME, false},
	{"size", N_("size"), CELL_SIZE, false},
	{"notes", N_("notes"), CELL_LIST, false},
};

static const struct column sender_columns[] = {
	{"pattern", N_("SENDER"), CELL_TEXT, false},
	{"rule", N_("RULE"), CELL_TEXT, false},
	{"reason", N_("BECAUSE"), CELL_TEXT, true},
	{"actor", N_("BY"), CELL_TEXT, true},
	{"added", N_("ADDED"), CELL_AGO, false},
};

static void spam_review(struct call *call, struct json_object *result)
{
	call_page(call, review_columns, ARRAY_LEN(review_columns), result, _("No spam is kept."));
	if (member_number(result, "kept") > 0)
		screen_printf(&call->screen, _("Kept: %lld. None of it? cirt spam rescue ID\n"),
			(long long)member_number(result, "kept"));
}

static void spam_show(struct call *call, struct json_object *result)
{
	screen_heading(&call->screen, member_text(result, "id"));
	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
	screen_printf(&call->screen, "\n");
	screen_block(&call->screen, 2, str_of(member_text(result, "text")));
}

static void spam_rescued(struct call *call, struct json_object *result)
{
	static const struct column columns[] = {
		{"id", N_("QUARANTINED"), CELL_NUMBER, false},
		{"state", N_("STATE"), CELL_TEXT, false},
		{"entry", N_("RUN AGAIN AS"), CELL_TEXT, false},
	};

	call_table(call, columns, ARRAY_LEN(columns), member_of(result, "items"));
}

static void spam_list(struct call *call, struct json_object *result)
{
	call_page(call, sender_columns, ARRAY_LEN(sender_columns), result, _("No senders are listed."));
}

static void spam_listed(struct call *call, struct json_object *result)
{
	bool allow = !strcmp(member_text(result, "rule"), "allow");

	screen_printf(&call->screen,
		allow ? _("Mails from %s are never spam.\n") : _("Mails from %s are spam.\n"),
		member_text(result, "pattern"));
}

static void spam_forgotten(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("%s is off the list.\n"), member_text(result, "pattern"));
}

static void spam_heeded(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen,
		member_true(result, "spam_counts")
			? _("Verdicts and volume count against mails to %s.\n")
			: _("Verdicts and volume do not count against mails to %s.\n"),
		member_text(result, "source"));
}

const struct command spam_commands[] = {
	{"spam.review", spam_review, NULL},
	{"spam.show", spam_show, NULL},
	{"spam.rescue", spam_rescued, NULL},
	{"spam.list", spam_list, NULL},
	{"spam.allow", spam_listed, NULL},
	{"spam.deny", spam_listed, NULL},
	{"spam.forget", spam_forgotten, NULL},
	{"spam.heed", spam_heeded, NULL},
	{"spam.ignore", spam_heeded, NULL},
	{NULL, NULL, NULL},
};
