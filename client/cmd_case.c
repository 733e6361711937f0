#include "config.h"

#include <stdio.h>

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"number", N_("NUMBER"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"severity", N_("SEVERITY"), CELL_SEVERITY, false},
	{"tlp", N_("TLP"), CELL_TLP, false},
	{"classification", N_("TYPE"), CELL_TEXT, true},
	{"reports", N_("REPORTS"), CELL_NUMBER, false},
	{"mails_new", N_("NEW MAILS"), CELL_NUMBER, false},
	{"assignee", N_("WHO"), CELL_TEXT, true},
	{"opened", N_("OPENED"), CELL_AGO, false},
	{"organisation", N_("WHOSE"), CELL_TEXT, true},
	{"title", N_("TITLE"), CELL_TEXT, true},
};

static const struct column show_columns[] = {
	{"title", N_("title"), CELL_TEXT, false},
	{"severity", N_("severity"), CELL_SEVERITY, false},
	{"state", N_("state"), CELL_TEXT, false},
	{"next_states", N_("may go to"), CELL_LIST, false},
	{"tlp", N_("TLP"), CELL_TLP, false},
	{"classification", N_("type"), CELL_TEXT, false},
	{"identifier", N_("identifier"), CELL_TEXT, false},
	{"organisation", N_("whose"), CELL_TEXT, false},
	{"exercise", N_("EXERCISE"), CELL_TEXT, false},
	{"assignee", N_("assignee"), CELL_TEXT, false},
	{"opened", N_("opened"), CELL_TIME, false},
	{"closed", N_("closed"), CELL_TIME, false},
	{"outcome", N_("outcome"), CELL_TEXT, false},
	{"merged_into", N_("merged into"), CELL_TEXT, false},
	{"merged", N_("merged in"), CELL_LIST, false},
	{"keys", N_("groups by"), CELL_LIST, false},
	{"tags", N_("tags"), CELL_LIST, false},
	{"reply_address", N_("answers to"), CELL_TEXT, false},
	{"subject_tag", N_("subject tag"), CELL_TEXT, false},
};

static const struct column mail_columns[] = {
	{"id", N_("MAIL"), CELL_TEXT, false},
	{"received", N_("RECEIVED"), CELL_AGO, false},
	{"new", N_("NEW"), CELL_FLAG, false},
	{"kind", N_("KIND"), CELL_TEXT, true},
	{"sender", N_("FROM"), CELL_TEXT, true},
	{"known", N_("KNOWN"), CELL_FLAG, true},
	{"way", N_("BY"), CELL_TEXT, true},
	{"title", N_("SUBJECT"), CELL_TEXT, true},
};

static const struct column perhaps_columns[] = {
	{"report", N_("PERHAPS OF IT"), CELL_TEXT, false},
	{"sender", N_("FROM"), CELL_TEXT, true},
	{"way", N_("BY"), CELL_TEXT, true},
};

static const struct column report_columns[] = {
	{"id", N_("REPORT"), CELL_TEXT, false},
	{"severity", N_("SEVERITY"), CELL_SEVERITY, false},
	{"count", N_("N"), CELL_NUMBER, false},
	{"last_seen", N_("LAST SEEN"), CELL_AGO, false},
	{"source", N_("SOURCE"), CELL_TEXT, true},
	{"title", N_("TITLE"), CELL_TEXT, true},
};

static const struct column journal_columns[] = {
	{"at", N_("WHEN"), CELL_AGO, false},
	{"actor", N_("WHO"), CELL_TEXT, true},
	{"what", N_("WHAT"), CELL_TEXT, true},
};

static void case_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("No cases."));
}

static void show_notes(struct call *call, struct json_object *notes)
{
	struct buf head = {0};

	for (size_t i = 0; notes && i < json_object_array_length(notes); i++) {
		struct json_object *note = json_object_array_get_idx(notes, i);
		buf_clear(&head);
		buf_char(&head, '\n');
		screen_cell(str_of(member_text(note, "actor")), &head);
		buf_text(&head, ", ");
		screen_value(&call->screen, member_of(note, "at"), CELL_TIME, &head);
		screen_heading(&call->screen, buf_cstr(&head));
		screen_block(&call->screen, 2, str_of(member_text(note, "text")));
	}
	buf_free(&head);
}

static void show_list(struct call *call, const struct column *columns, size_t count, struct json_object *rows)
{
	if (!rows || !json_object_array_length(rows))
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, columns, count, rows);
}

/* --mail: what stands in them. */
static void show_texts(struct call *call, struct json_object *mails)
{
	for (size_t i = 0; mails && i < json_object_array_length(mails); i++) {
		struct json_object *mail = json_object_array_get_idx(mails, i);
		struct buf head = {0};
		if (!*member_text(mail, "text"))
			continue;
		buf_char(&head, '\n');
		screen_cell(str_of(member_text(mail, "id")), &head);
		buf_char(&head, ' ');
		screen_cell(str_of(member_text(mail, "sender")), &head);
		screen_heading(&call->screen, buf_cstr(&head));
		screen_block(&call->screen, 2, str_of(member_text(mail, "text")));
		buf_free(&head);
	}
}

static void case_show(struct call *call, struct json_object *result)
{
	struct json_object *reports = member_of(result, "report_items"),
			   *journal = member_of(result, "journal");
	long long count = (long long)member_number(result, "reports");

	screen_heading(&call->screen, member_text(result, "number"));
	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
	if (reports && json_object_array_length(reports)) {
		screen_printf(&call->screen, "\n");
		screen_table(&call->screen, report_columns, ARRAY_LEN(report_columns), reports);
		long long more = count - (long long)json_object_array_length(reports);
		if (more > 0)
			screen_printf(&call->screen, _("and %lld more\n"), more);
	}
	show_list(call, mail_columns, ARRAY_LEN(mail_columns), member_of(result, "mails"));
	show_texts(call, member_of(result, "mails"));
	show_list(call, perhaps_columns, ARRAY_LEN(perhaps_columns), member_of(result, "perhaps"));
	show_notes(call, member_of(result, "notes"));
	if (journal && json_object_array_length(journal)) {
		screen_printf(&call->screen, "\n");
		screen_table(&call->screen, journal_columns, ARRAY_LEN(journal_columns), journal);
	}
}

/* One line on what a case has become. */
static void case_changed(struct call *call, struct json_object *result)
{
	struct buf line = {0};

	screen_cell(str_of(member_text(result, "number")), &line);
	buf_char(&line, ' ');
	screen_cell(str_of(member_text(result, "state")), &line);
	buf_text(&line, " · ");
	screen_cell(
		str_of(*member_text(result, "assignee") ? member_text(result, "assignee") : _("nobody's")),
		&line);
	buf_text(&line, " · ");
	screen_cell(str_of(member_text(result, "title")), &line);
	buf_char(&line, '\n');
	buf_str(&call->screen.out, buf_view(&line));
	buf_free(&line);
}

static void case_noted(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("noted in %s\n"), member_text(result, "number"));
}

static void case_merged(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("%s is merged into %s. Undo: cirt case split %s\n"),
		member_text(result, "number"), member_text(result, "merged_into"),
		member_text(result, "number"));
}

static void case_split(struct call *call, struct json_object *result)
{
	if (!member_of(result, "moved")) {
		screen_printf(
			&call->screen, _("%s stands by itself again.\n"), member_text(result, "number"));
		return;
	}
	screen_printf(&call->screen, _("Reports moved from %s to %s: %lld\n"), member_text(result, "from"),
		member_text(result, "number"), (long long)member_number(result, "moved"));
}

/* "-" as the only word of the note: all of standard input. */
static bool read_note(struct json_object *params)
{
	struct json_object *words = member_of(params, "text");
	struct buf text = {0};
	char piece[4096];
	size_t got;

	if (json_object_array_length(words) != 1 ||
		strcmp(json_object_get_string(json_object_array_get_idx(words, 0)), "-") != 0)
		return true;
	while (text.len < 1000000 && (got = fread(piece, 1, sizeof(piece), stdin)) > 0)
		buf_append(&text, piece, got);
	bool ok = text.len < 1000000 && utf8_valid(buf_view(&text));
	if (ok) {
		struct json_object *one = json_object_new_array();
		json_object_array_add(
			one, json_object_new_string_len(text.data ? text.data : "", (int)text.len));
		json_object_object_add(params, "text", one);
	} else {
		fputs(_("cirt case note: standard input is not UTF-8, or longer than 1 MB\n"), stderr);
	}
	buf_free(&text);
	return ok;
}

static int case_note(struct call *call)
{
	return read_note(call->invocation->params) ? call_ask(call) : EXIT_FAILED;
}

const struct command case_commands[] = {
	{"case.list", case_list, NULL},
	{"case.show", case_show, NULL},
	{"case.take", case_changed, NULL},
	{"case.note", case_noted, case_note},
	{"case.move", case_changed, NULL},
	{"case.merge", case_merged, NULL},
	{"case.split", case_split, NULL},
	{"case.close", case_changed, NULL},
	{"case.read", case_changed, NULL},
	{NULL, NULL, NULL},
};
