#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"number", N_("NUMBER"), CELL_TEXT, false},
	{"kind", N_("KIND"), CELL_TEXT, COLUMN_SPARE},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"rows", N_("ROWS"), CELL_NUMBER, COLUMN_SPARE},
	{"tlp", N_("TLP"), CELL_TLP, false},
	{"to", N_("TO"), CELL_TEXT, false},
	{"organisation", N_("WHOSE"), CELL_TEXT, COLUMN_SPARE},
	{"due", N_("DUE"), CELL_AGO, COLUMN_SPARE},
	{"sent", N_("SENT"), CELL_AGO, COLUMN_SPARE},
	{"key", N_("SEALED"), CELL_TEXT, COLUMN_SPARE},
	{"why", N_("WHY"), CELL_TEXT, true},
};

static const struct column show_columns[] = {
	{"state", N_("state"), CELL_TEXT, false},
	{"why", N_("why"), CELL_TEXT, false},
	{"kind", N_("kind"), CELL_TEXT, false},
	{"organisation", N_("whose"), CELL_TEXT, false},
	{"to", N_("to"), CELL_TEXT, false},
	{"recipient", N_("as"), CELL_TEXT, false},
	{"exercise", N_("EXERCISE"), CELL_TEXT, false},
	{"tlp", N_("TLP"), CELL_TLP, false},
	{"form", N_("form"), CELL_TEXT, false},
	{"format", N_("format"), CELL_TEXT, false},
	{"language", N_("language"), CELL_TEXT, false},
	{"key", N_("sealed"), CELL_TEXT, false},
	{"rows", N_("rows"), CELL_NUMBER, false},
	{"approvals", N_("people who must let it go"), CELL_NUMBER, false},
	{"approved_by", N_("let go by"), CELL_LIST, false},
	{"due", N_("due"), CELL_TIME, false},
	{"sent", N_("sent"), CELL_TIME, false},
	{"bounced", N_("came back"), CELL_TIME, false},
	{"answered", N_("answered"), CELL_TIME, false},
	{"answer", N_("by mail"), CELL_TEXT, false},
	{"reply", N_("server"), CELL_TEXT, false},
	{"message_id", N_("Message-ID"), CELL_TEXT, false},
};

static const struct column row_columns[] = {
	{"report", N_("REPORT"), CELL_TEXT, false},
	{"cause", N_("CAUSE"), CELL_TEXT, false},
	{"what", N_("WHAT"), CELL_TEXT, true},
	{"address", N_("ADDRESS"), CELL_TEXT, true},
	{"severity", N_("SEVERITY"), CELL_SEVERITY, true},
	{"last", N_("LAST SEEN"), CELL_AGO, true},
	{"rule", N_("RULE"), CELL_TEXT, true},
	{"left_out", N_("LEFT OUT"), CELL_TEXT, true},
};

static const struct column guess_columns[] = {
	{"mail", N_("PROBABLY ANSWERED BY"), CELL_TEXT, false},
	{"sender", N_("FROM"), CELL_TEXT, false},
};

static const struct column biggest_columns[] = {
	{"number", N_("NUMBER"), CELL_TEXT, false},
	{"organisation", N_("WHOSE"), CELL_TEXT, true},
	{"rows", N_("ROWS"), CELL_NUMBER, false},
	{"format", N_("FORMAT"), CELL_TEXT, true},
	{"form", N_("FORM"), CELL_TEXT, true},
	{"tlp", N_("TLP"), CELL_TLP, true},
	{"state", N_("STATE"), CELL_TEXT, true},
	{"to", N_("TO"), CELL_TEXT, true},
};

static const struct column held_columns[] = {
	{"number", N_("HELD"), CELL_TEXT, false},
	{"rows", N_("ROWS"), CELL_NUMBER, false},
	{"to", N_("TO"), CELL_TEXT, true},
	{"why", N_("WHY"), CELL_TEXT, true},
};

static const struct column oneshot_columns[] = {
	{"number", N_("NUMBER"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"rows", N_("ROWS"), CELL_NUMBER, false},
	{"to", N_("TO"), CELL_TEXT, false},
	{"form", N_("FORM"), CELL_TEXT, true},
	{"why", N_("WHY"), CELL_TEXT, true},
};

static const struct column untold_columns[] = {
	{"report", N_("NOT TOLD"), CELL_TEXT, false},
	{"outcome", N_("OUTCOME"), CELL_TEXT, false},
	{"why", N_("WHY"), CELL_TEXT, true},
};

static const struct column effect_columns[] = {
	{"what", N_("WHOSE OR WHAT"), CELL_TEXT, true},
	{"seen", N_("SEEN"), CELL_NUMBER, false},
	{"warned", N_("WARNED"), CELL_NUMBER, false},
	{"gone_7", N_("GONE 7 D"), CELL_NUMBER, false},
	{"gone_30", N_("GONE 30 D"), CELL_NUMBER, false},
	{"share", N_("OF WARNED"), CELL_TEXT, true},
	{"relapsed", N_("RELAPSED"), CELL_NUMBER, false},
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

static long long number(struct json_object *result, const char *name)
{
	return (long long)member_number(result, name);
}

/* What is told of a mail that is out: whether they answered, or it came back. */
static void tell_fate(struct json_object *mail)
{
	const char *fate = *member_text(mail, "answered")  ? _("answered")
	                   : *member_text(mail, "bounced") ? _("came back")
	                                                   : NULL;

	if (fate && !strcmp(member_text(mail, "state"), "sent"))
		json_object_object_add(mail, "state", json_object_new_string(fate));
}

static void notice_list(struct call *call, struct json_object *result)
{
	struct json_object *items = member_of(result, "items");

	for (size_t i = 0; items && i < json_object_array_length(items); i++)
		tell_fate(json_object_array_get_idx(items, i));
	call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("No notices."));
}

static void notice_show(struct call *call, struct json_object *result)
{
	long long shown = (long long)json_object_array_length(member_of(result, "items"));

	screen_heading(&call->screen, member_text(result, "number"));
	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
	table_of(call, row_columns, ARRAY_LEN(row_columns), result, "items");
	if (number(result, "rows") > shown)
		screen_printf(&call->screen, _("and %lld more: --limit\n"), number(result, "rows") - shown);
	table_of(call, guess_columns, ARRAY_LEN(guess_columns), result, "probably");
}

/* "suppressed 12 · no-contact 8" */
static void show_untold(struct call *call, struct json_object *untold)
{
	static const char *const words[] = {
		"suppressed", "no-contact", "asks-permission", "held", "not-ours"};
	const char *between = _(" not told ");

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!number(untold, words[i]))
			continue;
		screen_printf(&call->screen, "%s%s %lld", between, words[i], number(untold, words[i]));
		between = " · ";
	}
	if (*between == ' ' && between[1] != 'n')
		screen_printf(&call->screen, "\n");
}

static void show_rules(struct call *call, struct json_object *rules)
{
	for (size_t i = 0; rules && i < json_object_array_length(rules) && i < 5; i++) {
		struct json_object *rule = json_object_array_get_idx(rules, i);
		struct buf name = {0};
		screen_cell(str_of(member_text(rule, "rule")), &name);
		screen_printf(&call->screen, _(" rule %lld \"%s\" hid %lld\n"), number(rule, "id"),
			buf_cstr(&name), number(rule, "hid"));
		buf_free(&name);
	}
}

static void notice_preview(struct call *call, struct json_object *result)
{
	struct screen *screen = &call->screen;

	screen_printf(screen,
		_(" to send  %lld items → %lld mails, %lld organisations (new %lld, relapse %lld, repeat 7 d "
		  "%lld, "
		  "repeat 30 d %lld)\n"),
		number(result, "rows"), number(result, "mails"), number(result, "organisations"),
		number(result, "new"), number(result, "relapse"), number(result, "repeat_7"),
		number(result, "repeat_30"));
	if (number(result, "foreign_rows"))
		screen_printf(screen, _(" foreign  %lld items → %lld mails\n"),
			number(result, "foreign_rows"), number(result, "foreign_mails"));
	show_untold(call, member_of(result, "not_told"));
	if (number(result, "pending"))
		screen_printf(
			screen, _(" %lld reports are still being looked at\n"), number(result, "pending"));
	show_rules(call, member_of(result, "rules"));
	table_of(call, held_columns, ARRAY_LEN(held_columns), result, "held_mails");
	table_of(call, biggest_columns, ARRAY_LEN(biggest_columns), result, "items");
	if (number(result, "mails"))
		screen_printf(screen, _("look: cirt notice show NUMBER     send: cirt notice send --all\n"));
}

static void notice_changed(struct call *call, struct json_object *result)
{
	struct buf line = {0};

	screen_cell(str_of(member_text(result, "number")), &line);
	buf_char(&line, ' ');
	screen_cell(str_of(member_text(result, "state")), &line);
	buf_text(&line, " · ");
	screen_cell(str_of(member_text(result, "to")), &line);
	if (*member_text(result, "why")) {
		buf_text(&line, " · ");
		screen_cell(str_of(member_text(result, "why")), &line);
	}
	buf_char(&line, '\n');
	buf_str(&call->screen.out, buf_view(&line));
	buf_free(&line);
}

static void notice_sent(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen,
		ngettext("%lld mail is on its way\n", "%lld mails are on their way\n",
			(unsigned long)number(result, "mails")),
		number(result, "mails"));
	if (number(result, "waiting"))
		screen_printf(&call->screen,
			_("%lld mails wait for a second person, who says the same: cirt notice list --state "
			  "held\n"),
			number(result, "waiting"));
}

static void notice_oneshot(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("%lld reports%s\n"), number(result, "reports"),
		json_object_get_boolean(member_of(result, "dry_run")) ? _(", nothing is sent") : "");
	table_of(call, oneshot_columns, ARRAY_LEN(oneshot_columns), result, "items");
	table_of(call, untold_columns, ARRAY_LEN(untold_columns), result, "not_told");
}

static void notice_effect(struct call *call, struct json_object *result)
{
	struct json_object *total = member_of(result, "total");

	call_page(call, effect_columns, ARRAY_LEN(effect_columns), result, _("Nothing was seen."));
	screen_printf(&call->screen,
		_("all: seen %lld · warned %lld · gone within 7 days %lld, within 30 days %lld · relapsed "
		  "%lld\n"),
		number(total, "seen"), number(total, "warned"), number(total, "gone_7"),
		number(total, "gone_30"), number(total, "relapsed"));
}

const struct command notice_commands[] = {
	{"notice.preview", notice_preview, NULL},
	{"notice.list", notice_list, NULL},
	{"notice.show", notice_show, NULL},
	{"notice.hold", notice_changed, NULL},
	{"notice.send", notice_sent, NULL},
	{"notice.oneshot", notice_oneshot, NULL},
	{"notice.cancel", notice_changed, NULL},
	{"notice.approve", notice_changed, NULL},
	{"notice.effect", notice_effect, NULL},
	{NULL, NULL, NULL},
};
